"""What would have placed an applicant where she would rather be: a higher score, one more seat, another
order of her list.

Found by solving the round again and again (:mod:`matcher.whatif`), never by reasoning from a threshold.
"Least" is said only where all that is less was tried, or is proven not to be enough.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from . import cells
from .cells import BLANK, Int
from .changes import Choices, Score, changed
from .choice import Choice
from .explain import FEWEST
from .least import TRIES, Search, least
from .market import Barred, Market
from .mechanisms import nearby
from .objective import Component, components
from .solve import mechanism_of, with_a_seat
from .tables import COMPONENTS
from .whatif import Solved, change_of, workers

MARKS = ("score", *COMPONENTS)
"""The columns of a score."""


def beginnings_of(base: Solved) -> Choice | None:
    """The choice functions of a round whose variants can share their beginnings; else None."""
    if base.result.mechanism not in ("stable", "parallel"):
        return None
    if base.policy.closure == "exact" and (base.market.min_size > 1).any():
        return None
    return Choice(base.market, base.policy.reserve_order == "open_first")


@dataclass(frozen=True, slots=True)
class Missed:
    """A program on somebody's list that she would rather have, and what would have placed her there.

    "Enough" means that she is placed there, or where she would rather be still.

    Parameters
    ----------
    program, rank
        The program, and her number for it.
    barred
        The rules that bar her; then nothing else is asked, but for the score where the qualification
        line alone does.
    have
        Her score, blank for none.
    score
        The least score that would have been enough, in units of ``10**-places``, raised where it
        stands: at the program, or in its channel, where it counts for other programs too.  What
        settles equal scores stays.  None where nobody at all has a score, and under ``optimal``,
        whose objective no score enters.
    need
        That score, as people write it; blank where none is enough.
    told
        Whether it may be told to her: it speaks of the last person in some kind of seat, which at
        least :data:`matcher.explain.FEWEST` people must have, as with a cutoff.
    seat
        Whether one more seat there would have been enough, and ``others``: how many more move.
    first
        Whether her list begins with it; if so no other order can put it first.
    first_gives
        Where she would be if it did: a program, or blank for no place.
    first_change
        What that is to her by her own list: see :func:`matcher.compare`; blank for no change.
    best_order
        Whether it is proven that no other order of her list can do more for her there.
    there
        Under ``optimal``: by how much each component of the objective, lottery apart, differs in the
        best plan that has her there; None where no plan has.
    there_moves
        How many people are elsewhere in that plan.
    complete
        Whether every solve that this rests on went to its end; else it rests on the best found so far.
    """

    program: str
    rank: int
    barred: tuple[str, ...] = ()
    have: str = ""
    score: Search | None = None
    need: str = ""
    told: bool = False
    seat: bool = False
    others: int = 0
    first: bool = False
    first_gives: str = ""
    first_change: str = ""
    best_order: bool = False
    there: tuple[int, ...] | None = None
    there_moves: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """Another order of somebody's list: where it leads, and what that is to her by her own list."""

    entries: tuple[str, ...]
    gives: str
    change: str


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders that place somebody where she would rather be, of so many that were tried.

    ``complete`` is whether every solve went to its end.
    """

    better: tuple[Order, ...]
    tried: int
    complete: bool


def wanted(base: Solved, applicant: str) -> list[str]:
    """The programs that somebody listed and would rather have than what she has, in her order.

    Raises
    ------
    KeyError
        If there is no such applicant.
    """
    index = {name: at for at, name in enumerate(base.market.applicants)}
    person = _Person(base, index[applicant])
    return [base.market.programs[person.listed[at]] for at in person.asked()]


def of_applicant(
    base: Solved, applicant: str, programs: Sequence[str] | None = None, tries: int = TRIES,
    jobs: int = 1, done: Callable[[], object] = lambda: None,
) -> list[Missed]:  # fmt: skip
    """What would have placed somebody in each program that she listed and would rather have.

    Parameters
    ----------
    base
        The round.
    applicant
        Her id.
    programs
        Only these.
    tries
        Solves that may be made for one search.  Without caps and minimum sizes, ``stable`` and
        ``parallel`` need few, as there a higher score always helps.
    jobs
        Processes to spread the programs over.
    done
        Called after each program.

    Raises
    ------
    KeyError
        If there is no such applicant.

    Notes
    -----
    Only scores at which she passes somebody are tried: between two of them nothing changes.  Under
    sequential closing only people who make an offer count, and all scores are tried, however many.
    Of the orders of her list only those that put a program first are tried, others by
    :func:`other_orders`.  Deferred acceptance with given open classes, in which honest lists are safe,
    gives her the program then if any list does.
    """
    index = {name: at for at, name in enumerate(base.market.applicants)}
    person = _Person(base, index[applicant])
    asked = [
        at
        for at in person.asked()
        if programs is None or base.market.programs[person.listed[at]] in programs
    ]
    found = []
    task = partial(_missed, i=person.i, tries=tries)
    with workers(base, min(jobs, len(asked)), task) as each:
        for one in each(asked):
            found.append(one)
            done()
    return found


def other_orders(
    base: Solved, applicant: str, missed: Sequence[Missed], tries: int = TRIES,
    done: Callable[[], object] = lambda: None,
) -> Orders:  # fmt: skip
    """What orders of an applicant's list do that :func:`of_applicant` did not try.

    Each line put first that leads to nothing she missed, and each two neighbours exchanged.

    Parameters
    ----------
    base, applicant
        The round, and her id.
    missed
        What was found of all that she missed.
    tries
        Solves at most.
    done
        Called after each.

    Notes
    -----
    Fewer than twice as many solves as her list has lines.
    """
    person = _Person(base, base.market.applicants.index(applicant))
    lines = person.lines()
    known = {
        person.first_line(base.market.programs.index(one.program))
        for one in missed
        if not one.barred
    }
    asked = [lines[at : at + 1] + lines[:at] + lines[at + 1 :] for at in range(1, len(lines))]
    asked += [
        (*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]) for at in range(1, len(lines) - 1)
    ]
    asked = [order for order in dict.fromkeys(asked) if order not in known][:tries]
    better = []
    for order in asked:
        gives, change = person.with_list(order)
        if change in ("better", "gained"):
            better.append(Order(order, gives, change))
        done()
    return Orders(tuple(better), len(asked), person.complete)


def _missed(base: Solved, at: int, i: int, tries: int) -> Missed:
    """What is to say of one place of an applicant's list."""
    return _Person(base, i).missed(at, tries)


class _Person:
    """One applicant, asked about."""

    def __init__(self, base: Solved, i: int) -> None:
        self.base, self.i, self.complete = base, i, True
        self.deferred = base.result.mechanism in ("stable", "parallel")
        self.optimal = base.result.mechanism == "optimal"
        market, wishes = self.base.market, self.base.market.wishes
        self.name = market.applicants[self.i]
        mine = wishes.applicant == self.i
        self.listed: list[int] = wishes.program[mine].tolist()
        self.ranks: list[int] = wishes.rank[mine].tolist()
        self.held = int(self.base.result.matching[self.i])
        ranks = dict(zip(self.listed, self.ranks, strict=True))
        self.held_rank = ranks.get(self.held, 0)
        self.barred: dict[int, list[Barred]] = {}
        for b in market.barred:
            if b.applicant == self.i:
                self.barred.setdefault(b.program, []).append(b)

    def asked(self) -> list[int]:
        """The places of her list that lead where she would rather be."""
        found = []
        for at, (p, rank) in enumerate(zip(self.listed, self.ranks, strict=True)):
            if p == self.held:
                break
            if rank != self.held_rank or not self.base.result.by_rank:
                found.append(at)  # what she listed as one class is equally good there
        return found

    def missed(self, at: int, tries: int) -> Missed:
        """What is to say of one program of her list."""
        market, p = self.base.market, self.listed[at]
        name, rank = market.programs[p], self.ranks[at]
        good = set(self.listed[: at + 1])
        if p in self.barred:
            found = Missed(name, rank, tuple(b.rule for b in self.barred[p]))
            return (
                self._from_the_line(found, p, good, tries) if found.barred == ("total",) else found
            )
        edge = market.edge(self.i, p)
        score = self._score(edge, good, tries)
        seat, others = self._seat(p, good)
        first, gives, change = self._first(p)
        there, moves = self._there(edge) if self.optimal else (None, 0)
        return Missed(
            name, rank,
            have=cells.unscaled(int(market.score[edge]), market.score_places),
            score=score,
            need=self._written(score),
            told=self._may_be_told(p, score),
            seat=seat, others=others,
            first=first, first_gives=gives, first_change=change,
            best_order=self.deferred and not (market.min_size > 1).any(),
            there=there, there_moves=moves, complete=self.complete,
        )  # fmt: skip

    def _from_the_line(self, found: Missed, p: int, good: set[int], tries: int) -> Missed:
        """The least score of somebody whom the qualification line alone bars: at least the line."""
        base, (bar,) = self.base, self.barred[p]
        line = Score(self.name, self._stands(p), bar.limit)
        raised = Solved.of(changed(base.tables, [line], base.policy.mechanism), base.policy)
        there, market = _Person(raised, self.i), raised.market
        if there.held in good:
            certain = self.deferred and not (market.caps or (market.min_size > 1).any())
            score = Search(cells.scale(bar.limit, market.score_places), 1, True, certain)
        else:
            score = there._score(market.edge(self.i, p), good, tries) or Search(None, 1, True)
        return replace(
            found, have=bar.value, score=score, need=there._written(score),
            told=there.held in good or there._may_be_told(p, score),
            complete=raised.result.publishable and there.complete,
        )  # fmt: skip

    def _written(self, score: Search | None) -> str:
        if score is None or score.value is None:
            return ""
        return cells.unscaled(score.value, self.base.market.score_places)

    def _seat(self, p: int, good: set[int]) -> tuple[bool, int]:
        """Whether one more seat places her there or better, and how many others move."""
        base = self.base
        ((_, after, complete),) = with_a_seat(base.market, base.stated, base.result, [p])
        self.complete &= complete
        others = base.result.matching != after
        others[self.i] = False
        return int(after[self.i]) in good, int(others.sum())

    def _there(self, edge: int) -> tuple[tuple[int, ...] | None, int]:
        """What the best plan with a pair in it gains and loses, and how many people it moves."""
        base = self.base
        worth = np.zeros(len(base.market.program), np.int64)
        worth[edge] = 1
        optimal = mechanism_of(base.market, base.stated)
        found = optimal.solve(base.market, base.stated, [Component("there", worth)])
        self.complete &= found.publishable
        if not found.objective[0]:
            return None, 0
        size = len(components(base.market, base.policy))
        pairs = zip(base.result.objective[:size], found.objective[1:], strict=False)
        moves = int((found.matching != base.result.matching).sum())
        return tuple(now - before for before, now in pairs), moves

    def _first(self, p: int) -> tuple[bool, str, str]:
        """Whether her list begins with a program; else where it leads if it does, and what that is."""
        line = self.first_line(p)
        return (True, "", "") if line is None else (False, *self.with_list(line))

    def with_list(self, entries: tuple[str, ...]) -> tuple[str, str]:
        """Where another list leads her, and what that is to her by her own one."""
        base = self.base
        tables = changed(base.tables, [Choices(self.name, entries)], base.policy.mechanism)
        to = self._placed(Market.from_tables(tables, base.stated))
        held, gives = (base.market.edge(self.i, q) if q >= 0 else -1 for q in (self.held, to))
        return [*base.market.programs, ""][to], change_of(base.market, held, gives)

    def _placed(self, market: Market) -> int:
        """The program that she gets in another market, −1 for none."""
        matching, complete = self.base.again(market)
        self.complete &= complete
        return int(matching[self.i])

    def lines(self) -> tuple[str, ...]:
        """Her list as she wrote it."""
        table = self.base.tables["applications"]
        mine = [at for at, a in enumerate(table["applicant"]) if a == self.name]
        mine.sort(key=lambda at: int(table["rank"][at]))
        return tuple(table["program"][at] for at in mine)

    def first_line(self, p: int) -> tuple[str, ...] | None:
        """Her list with the line that names the program put first; None where it is first."""
        market, entries = self.base.market, self.lines()
        names = {market.programs[p], market.order_classes[market.class_of[p]]}
        at = next(at for at, entry in enumerate(entries) if entry in names)
        return (entries[at], *entries[:at], *entries[at + 1 :]) if at else None

    def _may_be_told(self, p: int, score: Search | None) -> bool:
        """Whether the score says no more than the cutoff of seats that enough people have."""
        market, result = self.base.market, self.base.result
        if score is None or score.value is None:
            return True
        held = market.edges_of(result.matching)
        last: dict[str, list[int]] = {}
        for i in np.flatnonzero(result.matching == p):
            last.setdefault(result.seats[i], []).append(int(market.score[held[i]]))
        groups = [market.groups[g] for g in np.flatnonzero(market.member[self.i])]
        mine = [last[seat] for seat in {"open", *groups} & set(last)]
        if min(map(len, mine), default=0) >= FEWEST:
            return True
        cutoffs = {min(scores) for scores in mine if len(scores) >= FEWEST}
        return bool(cutoffs & {score.value, score.value - 1})

    # --- scores

    def _score(self, edge: int, good: set[int], tries: int) -> Search | None:
        """The least score that places her at a program, or where she would rather be."""
        market, base = self.base.market, self.base
        if (market.score == BLANK).all() or self.optimal:
            return None
        raised = self._raised(edge)
        values = self._values(edge, raised)
        choice = beginnings_of(base)
        if choice is None:

            def enough(value: int) -> bool:
                score = market.score.copy()
                score[raised] = value
                return self._placed(replace(market, score=score)) in good

            found = least(enough, values, tries=tries)
            return replace(found, sure=found.sure and self.complete)
        scored = nearby.Scored(market, choice, raised)
        if market.caps or (market.min_size > 1).any():
            return _climbed(scored, values, good)
        return least(
            lambda value: scored.placed(value)[0] in good,
            values, monotone=True, guess=self._guess(edge, values),
        )  # fmt: skip

    def _guess(self, edge: int, values: list[int]) -> int:
        """Where the last person of the program stands among the values."""
        market, matching = self.base.market, self.base.result.matching
        held = market.edges_of(matching)[matching == market.program[edge]]
        last = int(market.score[held].min(initial=values[-1] if values else 0))
        return int(np.searchsorted(values, last))

    def _raised(self, edge: int) -> Int:
        """Her edges whose score goes up with that of one of them.

        A score stands at the program, or in its channel, where it counts for all its programs at
        which she has no score of her own.
        """
        market = self.base.market
        p = int(market.program[edge])
        if (stands := self._stands(p)) == market.programs[p]:
            return np.array([edge])
        mine = np.arange(market.start[self.i], market.start[self.i + 1])
        return mine[[self._stands(q) == stands for q in market.program[mine].tolist()]]

    def _stands(self, p: int) -> str:
        """Where her score for a program stands: the program, or its channel."""
        program, channel = self.base.market.programs[p], self.base.tables["programs"]["channel"][p]
        own, examined = self._scored
        return channel if channel in examined and program not in own else program

    @cached_property
    def _scored(self) -> tuple[set[str], set[str]]:
        """The programs, and the channels, at which scores of hers stand."""
        table = self.base.tables["scores"]
        rows = [at for at, a in enumerate(table["applicant"]) if a == self.name]
        own = {table["program"][at] for at in rows if any(table[c][at] for c in MARKS)}
        return own, {table["channel"][at] for at in rows} - {""}

    def _values(self, edge: int, raised: Int) -> list[int]:
        """Scores above hers that could make a difference: those of others, and one unit more."""
        market, policy = self.base.market, self.base.policy
        unit = 10**market.score_places
        rivals = np.isin(market.program, market.program[raised]) & (market.owner != self.i)
        others = np.unique(market.score[rivals & (market.score != BLANK)])
        everybody = market.score[market.score != BLANK]
        low = int(everybody.min() if policy.score_min is None else -(-policy.score_min * unit // 1))
        low = max(low, int(market.score[edge]) + 1)
        high = int(max(low, others.max(initial=low)) + 1)
        if policy.score_max is not None:
            high = int(policy.score_max * unit // 1)
        found = np.unique(np.concatenate([[low, high], others, others + 1]))
        values: list[int] = found[(found >= low) & (found <= high)].tolist()
        return values


def _climbed(scored: nearby.Scored, values: list[int], good: set[int]) -> Search:
    """The least score that is enough, by trying every one at which a run could be another."""
    score, tried = next(iter(values), None), 0
    while score is not None and score <= values[-1]:
        tried += 1
        place, following = scored.placed(score)
        if place in good:
            return Search(score, tried, True)
        score = following
    return Search(None, tried, True)
