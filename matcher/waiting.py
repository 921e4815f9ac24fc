"""The waiting list 递补: who comes next at each program, and who is called to the seats that are free.

Nobody who holds a seat is in anybody's way: what a program holds stays, and the people waiting are
chosen beside it by the same stages, hard reserves first, then soft ones, then open seats.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import cells
from .cells import Int
from .choice import HARD, OPEN, OPEN_FIRST, SOFT, Choice, Chosen, Node, fill
from .earlier import Earlier
from .market import Constraint, Market, crossing
from .policy import Policy
from .result import marks
from .solve import UnsupportedConstraint
from .tables import Issue

Bool = NDArray[np.bool_]

Pair = tuple[str, str]

KINDS = {OPEN_FIRST: "open_first", HARD: "hard", SOFT: "soft", OPEN: "open"}


class Line(NamedTuple):
    """One line of a waiting list: at which program, for which kind of seat, in which place, who."""

    program: int
    stage: str
    place: int
    edge: int


class Call(NamedTuple):
    """Somebody who is called: from which program (−1 for none), by which edge to where."""

    applicant: int
    before: int
    edge: int


class WaitingList:
    """A round after its result, as it stands now.

    Parameters
    ----------
    market, policy
        The round as it is now.
    earlier
        What was given, and what has been accepted since.
    asked
        People, each with a program, who have been called there and have not answered yet: that seat is
        kept for her beside the one that she may hold, and she is not called again.
    elsewhere
        People, each with a program, whose place there is none that the round as it is now would give
        her: the seat is taken, and she waits for nothing.

    Raises
    ------
    UnsupportedConstraint
        If caps cross, as nobody can say then who comes first.
    """

    def __init__(
        self, market: Market, policy: Policy, earlier: Earlier,
        asked: Iterable[Pair] = (), elsewhere: Iterable[Pair] = (),
    ) -> None:  # fmt: skip
        if found := crossing(market.caps):
            pairs = (" × ".join(pair) for pair in found)
            issues = [Issue("caps", 0, "cap", "refused_crossing_cap", p, "waiting") for p in pairs]
            raise UnsupportedConstraint("waiting", frozenset({Constraint.CROSSING_CAP}), issues)
        self.market = market
        self.choice = Choice(market, policy.reserve_order == "open_first")
        self.held = earlier.held(market)
        self.open = open_classes(market, earlier)[market.class_of]
        self.accepted, self.willing = _answers(market)
        self.asked = np.full(len(market.applicants), -1)
        self.others = np.zeros(len(market.programs), np.int64)
        self.apart = np.zeros(len(market.applicants), bool)
        self._keep(asked, elsewhere)
        sitting = np.append(self.held, self.asked[self.asked != self.held])
        people: list[list[int]] = [[] for _ in market.programs]
        for edge in sitting[sitting >= 0].tolist():
            people[self.choice.program[edge]].append(edge)
        self.at = [self._seated(p, edges) for p, edges in enumerate(people)]

    def _keep(self, asked: Iterable[Pair], elsewhere: Iterable[Pair]) -> None:
        """Keep the seats of those who were called, and of those whose place is none of her edges."""
        market = self.market
        person, program = cells.index(market.applicants), cells.index(market.programs)
        for who, where in asked:
            if (edge := market.edge(person[who], program[where])) >= 0:
                self.asked[person[who]] = edge
            else:
                elsewhere = [*elsewhere, (who, where)]
        for who, where in elsewhere:
            self.others[program[where]] += 1
            self.apart[person[who]] = True

    def _seated(self, p: int, edges: list[int]) -> Chosen:
        """Those whom a program holds, each with the stage of her seat.

        More than it has seats for, after a cut, sit on open ones.
        """
        chosen = self.choice.at_program(p, edges)
        taken = {edge for edge, _ in chosen}
        return chosen + [(edge, OPEN) for edge in edges if edge not in taken]

    def only(self, people: Iterable[str], closed: Iterable[str]) -> None:
        """Call these people alone, and to no class that has been closed since; to be said first."""
        market = self.market
        names, classes = set(people), set(closed)
        self.apart |= np.array([name not in names for name in market.applicants], bool)
        self.open &= np.array(
            [market.order_classes[c] not in classes for c in market.class_of], bool
        )

    @cached_property
    def wanted(self) -> Bool:
        """The edges to open programs that lead where their owner would rather be.

        Those who have accepted their place, and do not wait, want nothing more.  Shape (e,).
        """
        market = self.market
        better = market.preferred(np.append(market.program, -1)[self.held])
        hers = self.asked[market.owner]
        better &= (hers < 0) | (np.arange(len(hers)) < hers)
        settled = (self.accepted & ~self.willing) | self.apart
        wanted: Bool = better & self.open[market.program] & ~settled[market.owner]
        return wanted

    def free(self, p: int) -> int:
        """The seats of a program that nobody holds, caps apart."""
        return self._left(p, self.at[p])

    def _left(self, p: int, base: Chosen) -> int:
        """The seats of a program beside those of some people."""
        return max(0, self.choice.seats[p].capacity - int(self.others[p]) - len(base))

    # --- whom a program takes beside those it holds

    def beside(self, p: int, offers: Iterable[int], base: Chosen) -> Chosen:
        """Whom a program takes of some people without sending away anybody it holds.

        Parameters
        ----------
        p, offers
            The program, and edges to it.
        base
            Those it holds, and the stages of their seats.

        Returns
        -------
        list of (int, int)
            Edges and stages, in acceptance order.
        """
        seats = self.choice.seats[p]
        people = sorted(offers, key=self.choice.place.__getitem__)
        left = self._left(p, base)
        first = max(0, min(left, seats.open_first - len(base)))
        taken: Chosen = [(edge, OPEN_FIRST) for edge in people[:first]]
        people = people[first:]
        if not seats.reserved:
            return taken + [(edge, OPEN) for edge in people[: left - first]]
        for stage, kinds in ((HARD, seats.hard), (SOFT, seats.soft)):
            inside = [edge for edge, at in base if at == stage]
            full = fill(self.choice.with_groups([*inside, *people], kinds), kinds)
            new = full[len(inside) :][: max(0, left - len(taken))]
            if stage == HARD:
                left -= sum(kinds.values()) - len(full)  # these stay empty
            taken += [(edge, stage) for edge in new]
            gone = set(new)
            people = [edge for edge in people if edge not in gone]
        return taken + [(edge, OPEN) for edge in people[: max(0, left - len(taken))]]

    # --- the lists

    def lines(self) -> Iterator[Line]:
        """The waiting lists of all programs, by kind of seat.

        A list is the order in which people are called if, again and again, a seat of that kind comes
        free: the last person in such a seat leaves (or it is empty), and the program chooses one more
        beside those who stay.  People who would fill a reserved seat come first, then by priority;
        who could not be taken then, as the seat is hard reserved, is not on that list.

        Notes
        -----
        One small filling problem for each program, kind of seat, and set of groups among those waiting.
        """
        edges = np.flatnonzero(self.wanted)
        edges = edges[np.lexsort((self.market.place[edges], self.market.program[edges]))]
        programs = self.market.program[edges]
        bounds = np.searchsorted(programs, np.arange(len(self.market.programs) + 1))
        for p in range(len(self.market.programs)):
            people = edges[bounds[p] : bounds[p + 1]].tolist()
            for stage, base in self._vacancies(p) if people else ():
                queue = self._queue(p, people, base)
                yield from (Line(p, stage, at, edge) for at, edge in enumerate(queue, start=1))

    def _vacancies(self, p: int) -> Iterator[tuple[str, Chosen]]:
        """Each kind of seat of a program, and who would be left if one came free."""
        label = self.choice.seat_labels(p, self.at[p])
        seats = self.choice.seats[p]
        groups = self.market.groups
        kinds = [(OPEN_FIRST, "open")] * bool(seats.open_first)
        kinds += [(HARD, groups[g]) for g in sorted(seats.hard)]
        kinds += [(SOFT, groups[g]) for g in sorted(seats.soft)]
        for kind, group in [*kinds, (OPEN, "open")]:
            name = KINDS[kind] if group == "open" else f"{KINDS[kind]}:{group}"
            mine = [edge for edge, at in self.at[p] if (at, label[edge]) == (kind, group)]
            if mine:
                yield name, self._seated(p, [edge for edge, _ in self.at[p] if edge != mine[-1]])
            elif self.free(p):
                yield name, self.at[p]

    def _queue(self, p: int, people: list[int], base: Chosen) -> list[int]:
        """The people who could come to one free seat, those whom an earlier stage takes first."""
        groups, owner = self.choice.groups, self.choice.owner
        stage: dict[tuple[int, ...], int] = {}
        for edge in people:
            hers = groups[owner[edge]]
            if hers not in stage:
                chosen = self.beside(p, [edge], base)
                stage[hers] = chosen[0][1] if chosen else -1
        queue = [edge for edge in people if stage[groups[owner[edge]]] >= 0]
        return sorted(queue, key=lambda edge: stage[groups[owner[edge]]])

    # --- one step

    def calls(self) -> list[Call]:
        """Who is called to the seats that are free now: one step of the waiting list.

        Applicant-proposing deferred acceptance over the free seats among those who have no place and
        those who wait for a better one; what a person leaves is free at the next step, once she has
        accepted.  Nothing that must be kept falls short by those who leave: where more would go, those
        with the better lottery numbers do, and the others may still move within what they keep.

        Notes
        -----
        O(people waiting) runs at most; each over the edges that are wanted.
        """
        tied: dict[int, bool] = {}
        let_go: set[int] = set()
        while True:
            found = self._accepted(tied)
            if surplus := self._surplus(found):
                for i, wholly in surplus.items():
                    tied[i] = wholly or tied.get(i, False)
            elif idle := self._needlessly(found, tied) - let_go:
                let_go |= idle
                tied = {i: wholly for i, wholly in tied.items() if i not in idle}
            else:
                return found

    def _accepted(self, tied: dict[int, bool]) -> list[Call]:
        """The outcome of deferred acceptance, some people tied to their programs or classes."""
        market, choice = self.market, self.choice
        free_to_go = ((self.held < 0) | self.willing) & (self.asked < 0)
        may = self.wanted & free_to_go[market.owner]
        edges = np.flatnonzero(may).tolist()
        lists: dict[int, list[int]] = {}
        for edge in reversed(edges):
            i = choice.owner[edge]
            if i not in tied or not (tied[i] or self._leaves(i, edge)):
                lists.setdefault(i, []).append(edge)
        held: dict[int, list[int]] = {}
        asked: dict[int, list[int]] = {}
        taken: dict[int, Chosen] = {}
        free = sorted(lists)
        while free:
            offers: dict[int, list[int]] = {}
            for i in free:
                if lists[i]:
                    edge = lists[i].pop()
                    offers.setdefault(choice.program[edge], []).append(edge)
            free = []
            for root in {id(r): r for r in (choice.root_of[p] for p in offers)}.values():
                pool = {p: held.get(p, []) + offers.get(p, []) for p in root.programs()}
                for p, people in pool.items():
                    if asked.get(p) != people:  # most programs below a cap are asked nothing new
                        asked[p], taken[p] = people, self.beside(p, people, self.at[p])
                chosen = {p: taken[p] for p in pool}
                kept = {edge for edge, _ in choice.in_turns(self._rooms(root), chosen)}
                for p, people in pool.items():
                    held[p] = [edge for edge in people if edge in kept]
                    free += [choice.owner[edge] for edge in people if edge not in kept]
        programs = np.append(market.program, -1)
        calls = (
            Call(choice.owner[edge], int(programs[self.held[choice.owner[edge]]]), edge)
            for people in held.values()
            for edge in people
        )
        return sorted(calls)

    def _rooms(self, node: Node) -> Node:
        """A cap with the seats that are left under it."""
        if not node.children:
            return node
        number = sum(len(self.at[p]) + int(self.others[p]) for p in node.programs())
        children = tuple(self._rooms(child) for child in node.children)
        return Node(node.program, children, max(0, node.seats - number), node.cap)

    def _leaves(self, i: int, edge: int) -> bool:
        """Whether an edge leads out of the class in which somebody is."""
        class_of, program = self.market.class_of, self.market.program
        return bool(class_of[program[self.held[i]]] != class_of[program[edge]])

    def _kept(self) -> tuple[Counter[int], list[list[int]]]:
        """The people of each class and program, without those who are asked and may go."""
        market = self.market
        size = Counter(int(market.class_of[p]) for p in market.program[self.held[self.held >= 0]])
        at = [[edge for edge, _ in people] for people in self.at]
        for i in np.flatnonzero((self.asked >= 0) & (self.held >= 0)).tolist():
            edge, p = int(self.held[i]), int(market.program[self.held[i]])
            if edge != self.asked[i]:
                at[p].remove(edge)
                size[int(market.class_of[p])] -= self._leaves(i, int(self.asked[i]))
        return size, at

    @cached_property
    def _need(self) -> Int:
        """The people that each class must keep.  Shape (k,)."""
        market = self.market
        need: Int = np.maximum(market.min_size * (market.min_size > 1), market.must_open)
        return need

    def _surplus(self, calls: list[Call]) -> dict[int, bool]:
        """Those who must stay, so that nothing that holds now falls short by people leaving.

        A class keeps its minimum, or somebody where it must open, and a reserve that must be filled as
        many as it has; for the latter somebody stays wholly, else within her class.
        """
        market = self.market
        size, at = self._kept()
        stay: dict[int, bool] = {}
        for call in sorted(calls, key=lambda call: int(market.lottery[call.applicant])):
            if (p := call.before) < 0:
                continue
            c, edge = int(market.class_of[p]), int(self.held[call.applicant])
            leaves = self._leaves(call.applicant, call.edge)
            others = [other for other in at[p] if other != edge]
            fewer = self._must_filled(p, others) < self._must_filled(p, at[p])
            if fewer or (leaves and size[c] <= self._need[c]):
                stay[call.applicant] = fewer
            else:
                size[c] -= leaves
                at[p] = others
        return stay

    def _needlessly(self, calls: list[Call], tied: dict[int, bool]) -> set[int]:
        """Those who are tied, though nothing would fall short by one of them leaving any more."""
        market = self.market
        size, at = self._kept()
        for call in calls:
            if call.before >= 0:
                at[call.before].remove(int(self.held[call.applicant]))
                size[int(market.class_of[call.before])] -= self._leaves(call.applicant, call.edge)
        called = {call.applicant for call in calls}
        found = set()
        for i in tied.keys() - called:
            p = int(market.program[self.held[i]])
            others = [edge for edge in at[p] if edge != self.held[i]]
            fewer = self._must_filled(p, others) < self._must_filled(p, at[p])
            if not fewer and size[int(market.class_of[p])] > self._need[market.class_of[p]]:
                found.add(i)
        return found

    def _must_filled(self, p: int, edges: list[int]) -> int:
        """The seats of a program that must be filled and that these people can fill."""
        must = self.must.get(p, {})
        return len(fill(self.choice.with_groups(edges, must), must))

    @cached_property
    def must(self) -> dict[int, dict[int, int]]:
        """The seats that must be filled, by program and group."""
        found: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for r in self.market.reserves:
            if r.must_fill:
                found[r.program][r.group] += r.seats
        return found

    # --- files

    def lists_csv(self, lines: Iterable[Line]) -> bytes:
        """The file ``waiting.csv``: a line for each place on each list, by program and kind of seat.

        ``state`` is ``unplaced``, ``waiting`` (accepted her place and waits for a better one) or
        ``unanswered``; the last is on the list to know her place, and is not called.
        """
        market = self.market
        programs = [*market.programs, ""]
        ties = [f"tie{number}" for number in range(1, len(market.tie_places) + 1)]
        rows = []
        for line in sorted(lines, key=lambda line: (programs[line.program], *line[1:])):
            i = int(market.owner[line.edge])
            before = int(self.held[i])
            answer = "waiting" if self.willing[i] else "unanswered"
            rows.append([
                programs[line.program], line.stage, str(line.place), market.applicants[i],
                programs[market.program[before]] if before >= 0 else "",
                answer if before >= 0 else "unplaced", *marks(market, line.edge),
            ])  # fmt: skip
        header = ["program", "stage", "place", "applicant", "from", "state", "listed", "score"]
        return _csv([*header, *ties, "lottery"], rows)

    def calls_csv(self, calls: Iterable[Call]) -> bytes:
        """The file ``calls.csv``: who is called from where to where, and the rank of her choice."""
        market = self.market
        programs = [*market.programs, ""]
        rows = [
            [
                market.applicants[call.applicant], programs[call.before],
                programs[market.program[call.edge]], str(market.rank[call.edge]),
            ]
            for call in calls
        ]  # fmt: skip
        return _csv(["applicant", "from", "program", "rank"], sorted(rows))


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def open_classes(market: Market, earlier: Earlier) -> Bool:
    """The classes that were not closed: with a minimum of one at most, or with people.  Shape (k,)."""
    placed = {one.program for one in earlier.placements}
    found: Bool = market.min_size <= 1
    for name, c in zip(market.programs, market.class_of.tolist(), strict=True):
        found[c] |= name in placed
    return found


def _answers(market: Market) -> tuple[Bool, Bool]:
    """Who has accepted a place, and who waits for a better one.  Shapes (n,)."""
    table = market.tables["decisions"]
    pairs = set(zip(table["applicant"], table["decision"], strict=True))
    accepted, willing = (
        np.array([(name, decision) in pairs for name in market.applicants], bool)
        for decision in ("confirmed", "waiting")
    )
    return accepted, willing
