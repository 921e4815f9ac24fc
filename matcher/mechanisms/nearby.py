"""Outcomes of rounds that differ from one another in little, by runs that share their beginnings.

In deferred acceptance people may propose in any order.  So what a change concerns comes last: a program
with one more seat looks at no offer before everybody has settled elsewhere, an applicant with another
score or list makes none.  What has happened until then is the same with the change and without it, and
from there on every variant goes on by itself.  This holds with reserves and caps as well, as every
choice is substitutable.  Closing class after class goes on from such runs too.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ..cells import BLANK, Int
from ..choice import Choice
from ..market import Market
from .closing import in_turn
from .deferred import DeferredAcceptance

Prepare = Callable[[DeferredAcceptance], None]
"""Makes of a beginning the run of a variant, to its end."""


class Beginnings:
    """Unfinished runs of a market, one for each set of closed classes that is asked for.

    Parameters
    ----------
    market, choice
        The market, and its choice functions.
    absent
        Applicants who have made no offer in them.
    """

    def __init__(self, market: Market, choice: Choice, absent: Collection[int] = ()) -> None:
        self.market, self.choice, self.absent = market, choice, absent
        self.runs: dict[frozenset[int], DeferredAcceptance] = {}

    def run(self, closed: Collection[int]) -> DeferredAcceptance:
        """The run in which some classes are closed; not to be changed."""
        key = frozenset(closed)
        if key not in self.runs:
            self.runs[key] = DeferredAcceptance(self.market, self.choice, key, absent=self.absent)
        return self.runs[key]

    def closing(self, prepare: Prepare) -> Iterator[DeferredAcceptance]:
        """The runs of sequential closing of a variant, the last of which is its outcome."""

        def begin(closed: Collection[int]) -> DeferredAcceptance:
            run = self.run(closed).copy()
            run.begin = begin
            prepare(run)
            return run

        return in_turn(begin(()))


class _Waiting(Beginnings):
    """Beginnings in which one of some programs has not looked at its offers yet.

    Nested: half of the programs wait, then half of these, and so on; what is released on the way down
    to one program serves its neighbours too, if they are asked for in order.
    """

    def __init__(self, market: Market, choice: Choice, programs: Sequence[int]) -> None:
        super().__init__(market, choice)
        self.programs, self.at = programs, 0
        self.stacks: dict[frozenset[int], list[tuple[int, int, DeferredAcceptance]]] = {}

    def run(self, closed: Collection[int]) -> DeferredAcceptance:
        key, programs = frozenset(closed), self.programs
        if key not in self.stacks:
            run = DeferredAcceptance(self.market, self.choice, key, programs)
            self.stacks[key] = [(0, len(programs), run)]
        stack = self.stacks[key]
        while not stack[-1][0] <= self.at < stack[-1][1]:
            stack.pop()
        low, high, run = stack[-1]
        while high - low > 1:
            middle = (low + high) // 2
            run = run.copy()
            if self.at < middle:
                run.release(programs[middle:high])
                high = middle
            else:
                run.release(programs[low:middle])
                low = middle
            stack.append((low, high, run))
        return run


def with_a_seat(
    market: Market, choice: Choice, programs: Sequence[int]
) -> Iterator[tuple[int, DeferredAcceptance]]:
    """The outcome of sequential closing with one more seat at each of some programs.

    Notes
    -----
    Each level of halving costs about one run, for every set of closed classes from which a run has
    to start; each program costs what its own offers set off.
    """
    waiting = _Waiting(market, choice, programs)
    for waiting.at, p in enumerate(programs):
        more, seats = copy.copy(choice), choice.seats[p]
        more.seats = choice.seats.copy()
        first = seats.open_first + choice.open_first
        more.seats[p] = replace(seats, capacity=seats.capacity + 1, open_first=first)

        def prepare(run: DeferredAcceptance, p: int = p, more: Choice = more) -> None:
            run.choice = more
            run.release([p])

        *_, last = waiting.closing(prepare)
        yield p, last


class Scored:
    """One applicant who comes last, with one score or another.

    Parameters
    ----------
    market, choice
        The market, and its choice functions.
    edges
        The pairs of this applicant in which the score stands.
    """

    def __init__(self, market: Market, choice: Choice, edges: Int) -> None:
        self.market, self.choice, self.edges = market, choice, edges
        self.applicant = int(market.owner[edges[0]])
        self.beginnings = Beginnings(market, choice, {self.applicant})
        self.rivals = [
            here[market.owner[here] != self.applicant]
            for p in market.program[edges].tolist()
            for here in (np.flatnonzero(market.program == p),)
        ]

    def placed(self, score: int) -> tuple[int, int | None]:
        """Where she is with a score, and the least greater one at which anything could differ.

        As long as she stands in the same order with everybody who makes an offer to the same program
        in any run, every run is the same.
        """
        after = copy.copy(self.choice)
        after.place = self.choice.place.copy()
        for edge, rivals in zip(self.edges.tolist(), self.rivals, strict=True):
            after.place[edge] = self._place(edge, rivals, score)

        def prepare(run: DeferredAcceptance) -> None:
            run.choice = after
            run.release()

        following: list[int] = []
        for run in self.beginnings.closing(prepare):
            following += self._following(run, score)
        held = run.next[self.applicant]
        there = held < run.end[self.applicant]
        return int(self.market.program[held]) if there else -1, min(following, default=None)

    def _place(self, edge: int, rivals: Int, score: int) -> float:
        """Her place in a program's priority: between two others."""
        market, me = self.market, self.applicant
        better, equal = np.zeros(len(rivals), bool), np.ones(len(rivals), bool)
        keys = [(-(market.rank == 0).astype(np.int64), -int(market.rank[edge] == 0)),
                (market.score, score)]  # fmt: skip
        keys += [(tie, int(tie[edge])) for tie in market.ties]
        for column, mine in keys:
            better |= equal & (column[rivals] > mine)
            equal &= column[rivals] == mine
        lottery = market.lottery
        better |= equal & (lottery[market.owner[rivals]] < lottery[me])
        return float(market.place[rivals[better]].max(initial=-1)) + 0.5

    def _following(self, run: DeferredAcceptance, score: int) -> Iterator[int]:
        """The scores of others who came to her programs, from hers on: there she passes somebody."""
        market = self.market
        come = np.minimum(np.array(run.next), market.start[1:] - 1)
        for edge, rivals in zip(self.edges.tolist(), self.rivals, strict=True):
            alike = (market.rank[rivals] == 0) == (market.rank[edge] == 0)
            there = rivals[alike & (rivals <= come[market.owner[rivals]])]
            above = market.score[there]
            above = above[(above >= score) & (above != BLANK)]
            if len(above):
                least = int(above.min())
                yield least if least > score else score + 1


def with_more(
    market: Market, choice: Choice, newcomers: Sequence[int]
) -> Callable[[int], DeferredAcceptance]:
    """The outcome of sequential closing if only so many of some applicants come, who come last."""
    beginnings = Beginnings(market, choice, set(newcomers))

    def outcome(number: int) -> DeferredAcceptance:
        def prepare(run: DeferredAcceptance) -> None:
            run.waiting = list(newcomers[:number])
            run.release()

        *_, last = beginnings.closing(prepare)
        return last

    return outcome


def with_minimums(market: Market, choice: Choice) -> Callable[[Market], DeferredAcceptance]:
    """The outcome of sequential closing of a market that differs in minimum sizes only."""
    beginnings = Beginnings(market, choice)

    def outcome(other: Market) -> DeferredAcceptance:
        def prepare(run: DeferredAcceptance) -> None:
            run.market = other

        *_, last = beginnings.closing(prepare)
        return last

    return outcome


def idle(market: Market, choice: Choice) -> list[int]:
    """The programs whom one more seat would not change in any run of sequential closing.

    Such a program turns nobody away: all the offers that it had in a run, together, it takes.  With one
    more seat it takes them too, so every run stays what it is.
    """
    found = set(range(len(market.programs))) - _ordered(choice)
    edges, last = np.arange(len(market.program)), market.start[1:] - 1
    for run in in_turn(DeferredAcceptance(market, choice)):
        reached = edges <= np.minimum(np.array(run.next), last)[market.owner]
        found -= _refusing(choice, edges[reached].tolist(), run.closed)
    return sorted(found)


def roomy(choice: Choice) -> list[int]:
    """The programs that would take everybody who could come, so that one more seat changes nothing."""
    everybody = list(range(len(choice.program)))
    refusing = _refusing(choice, everybody, ())
    return sorted(set(range(len(choice.seats))) - _ordered(choice) - refusing)


def _ordered(choice: Choice) -> set[int]:
    """The programs in which one more seat changes the order of acceptance, and that where it matters.

    One more of the open seats that come first does; a cap above takes people in that order.
    """
    return {p for cap in choice.market.caps for p in cap.programs} if choice.open_first else set()


def _refusing(choice: Choice, offers: list[int], closed: Collection[int]) -> set[int]:
    """The programs of open classes that would not take all of these people."""
    made: dict[int, list[int]] = {}
    for edge in offers:
        made.setdefault(choice.program[edge], []).append(edge)
    class_of = choice.market.class_of.tolist()
    return {
        p
        for p, edges in made.items()
        if class_of[p] not in closed and len(choice.at_program(p, edges)) < len(edges)
    }
