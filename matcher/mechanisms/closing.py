"""Which classes open: one after the other, or the best set of all.

A class falls short when it holds fewer people than its minimum; one with a minimum of at most 1 never
does and is never closed.  A set of open classes is *kept* when the run among them leaves none short,
and *maximal* when no closed class could be opened again, alone, without some class falling short.
``sequential`` closes class after class; ``exact`` finds the best maximal set by branch and bound.

Deferred acceptance is the evaluator.  In the run among more classes nobody is worse off, whatever
limits are ignored there (the choice functions are substitutable, so whoever is refused among more
seats is refused among fewer).  So the run among all classes that a branch may open, with no cap that
could bind, bounds every run of the branch person by person: who is placed, and how far down her list.
Without such caps a class moreover holds the fewer people, the more classes are open, so every part of
a set that is kept is kept too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..cells import Int
from ..choice import Choice
from ..market import Market
from ..objective import rank_costs, reserved_filled
from ..policy import Policy
from ..result import Closing
from .deferred import DeferredAcceptance

LEAVES = 10_000
"""Leaves beyond which a tree is not worth publishing."""

_FEW = 64
"""Open questions up to which a node asks whether closing all of them would be enough."""

Late = Callable[[], bool]
Tree = list[tuple[str, str]]
Merit = tuple[Any, ...]


@dataclass(frozen=True)
class Closure:
    """Which classes close, and what is proven of it.

    Parameters
    ----------
    run
        The run among the classes left open.
    closings
        What is closed, in order: of closing, or for ``exact`` of the plan.
    proven
        Whether the work came to its end.
    placed
        How many people no choice of open classes can exceed; −1 where nothing is known.
    tree
        The branches of ``exact`` in preorder, the branch that closes the class first:
        ``("branch", class)``, or why a branch ends: ``("bound", "")`` (no set in it is better),
        ``("kept", "")`` (nobody falls short, and fewer classes would not be maximal),
        ``("last", "")`` (nor is any set with one class fewer better) or ``("short", class)`` (a class
        that stays open cannot reach its minimum).  None where it has too many leaves.
    """

    run: DeferredAcceptance
    closings: tuple[Closing, ...]
    proven: bool
    placed: int = -1
    tree: Tree | None = None


def sequential(market: Market, choice: Choice, late: Late) -> Closure:
    """Close the class that falls short by most (equal: later in plan order) until none does.

    Notes
    -----
    At most k + 1 runs.  A run without a class goes on from the last one where that provably gives the
    same, else starts again.
    """
    run = DeferredAcceptance(market, choice)
    closings: list[Closing] = []
    while (c := _shortest(run)) >= 0:
        if late():
            return Closure(run, tuple(closings), proven=False)
        closings.append(Closing(c, int(run.sizes()[c]), int(market.min_size[c])))
        run = run.without([c])
    return Closure(run, tuple(closings), proven=True)


def in_turn(run: DeferredAcceptance) -> Iterator[DeferredAcceptance]:
    """The runs of sequential closing from a run among all classes on, each without one class more."""
    yield run
    while (c := _shortest(run)) >= 0:
        run = run.without([c])
        yield run


def exact(market: Market, policy: Policy, choice: Choice, late: Late) -> Closure:
    """The best maximal set of open classes.

    Best in: people placed, reserved seats filled, −sum of rank costs, classes open, −closed classes
    that meet their minimum with all classes open, earlier classes in plan order open.

    Parameters
    ----------
    market, policy, choice
        The round.
    late
        Says when to stop; then the best set found so far is returned, not proven.

    Notes
    -----
    Exponential in the number of classes that may fall short.  Each node costs one run that goes on
    from its parent's, and where caps may bind one run from scratch.
    """
    search = _Search(market, policy, choice)
    proven = search.go(late)
    closed = search.best.closed
    return Closure(
        DeferredAcceptance(market, choice, closed),
        tuple(search.closing(c) for c in np.argsort(market.class_order).tolist() if c in closed),
        proven,
        search.most,
        search.tree if proven and search.leaves <= LEAVES else None,
    )


def _shortest(run: DeferredAcceptance, last: int = -1) -> int:
    """The open class that falls short by most, one of them last; −1 where none does."""
    short = run.short()
    if last >= 0 and short[last]:
        short[last] = 0
        short[last] = not short.any()
    c = int(np.lexsort((run.market.class_order, short))[-1])
    return c if short[c] else -1


def _reopenable(run: DeferredAcceptance, names: list[int]) -> int:
    """The first of these classes that could be open, all the others closed; −1 for none.

    ``run`` has them all open.  Halving the list shares the closing of the others.
    """
    if len(names) < 2:
        return names[0] if names and not run.short().any() else -1
    half = len(names) // 2
    first = _reopenable(run.without(names[half:]), names[:half])
    return first if first >= 0 else _reopenable(run.without(names[:half]), names[half:])


class _Found(NamedTuple):
    """A maximal set by what it closes, and what it is worth."""

    merit: Merit
    closed: frozenset[int]


class _Node(NamedTuple):
    """A branch: the relaxed run among all it may open, the classes still free to close."""

    run: DeferredAcceptance
    free: frozenset[int]


class _Reach(NamedTuple):
    """What no set of a branch exceeds; ``at`` is the first edge that each person may still get."""

    placed: int
    reserves: int
    cost: int
    at: Int


@dataclass(frozen=True)
class _Singles:
    """What closing each class alone does: whose next edge changes, to which, and class sizes."""

    classes: Int
    of: Int
    applicant: Int
    edge: Int
    gain: Int


class _Search:
    """Branch and bound over the classes that close."""

    def __init__(self, market: Market, policy: Policy, choice: Choice) -> None:
        self.market, self.choice = market, choice
        self.cost = rank_costs(market, policy)
        self.least = _least_from(self.cost, market.owner)
        self.order = np.argsort(market.class_order).tolist()
        self.met = DeferredAcceptance(market, choice).short() == 0
        self.binding = _may_bind(market)
        self.never = frozenset(np.flatnonzero(_too_few(market)).tolist())
        self.tree: Tree = []
        self.leaves = 0
        self.most = int((self.relaxed.matching() >= 0).sum())
        first = self.settled(self.never)
        self.best = _Found(self.merit(first), frozenset(first.closed))

    @cached_property
    def relaxed(self) -> DeferredAcceptance:
        """The run among all classes that may open, no caps."""
        market = replace(self.market, caps=())
        vars(market).update(
            {k: v for k, v in vars(self.market).items() if k in ("owner", "edge_lists", "_priority")}
        )
        choice = Choice(market, any(s.open_first for s in self.choice.seats))
        return DeferredAcceptance(market, choice, self.never)

    def run(self, closed: Iterable[int]) -> DeferredAcceptance:
        """The run that the rules ask for, some classes closed."""
        closed = frozenset(closed)
        if self.binding:
            return DeferredAcceptance(self.market, self.choice, closed)
        return self.relaxed.without(sorted(closed - self.never))

    # --- sets that are kept

    def settled(self, closed: Iterable[int], keep: int = -1) -> DeferredAcceptance:
        """Close what falls short, the class to keep last; reopen, in plan order, what can be."""
        run = self.run(closed)
        while (c := _shortest(run, keep)) >= 0:
            run = self.run(run.closed | {c}) if self.binding else run.without([c])
        while (c := self.reopenable(run.closed)) >= 0:
            run = self.run(run.closed - {c})
        return run

    def reopenable(self, closed: Collection[int]) -> int:
        """The first closed class in plan order that could be opened, none short; −1: maximal."""
        names = [c for c in self.order if c in closed and c not in self.never]
        if self.binding:
            runs = ((c, self.run(frozenset(closed) - {c})) for c in names)
            return next((c for c, run in runs if not run.short().any()), -1)
        return _reopenable(self.relaxed, names)

    def improve(self, late: Late) -> None:
        """Reopen one closed class at a time and settle anew, as long as that finds better sets."""
        better = True
        while better:
            better = False
            for c in sorted(self.best.closed - self.never):
                if late():
                    return
                other = self.settled(self.best.closed - {c}, keep=c)
                found = _Found(self.merit(other), frozenset(other.closed))
                if found.merit > self.best.merit:
                    self.best, better = found, True
                    break

    def merit(self, run: DeferredAcceptance) -> Merit:
        """What a run is worth."""
        matching = run.matching()
        held = self.market.edges_of(matching)
        edges = held[held >= 0]
        filled = reserved_filled(self.market, matching, self.choice)
        return (len(edges), filled, -int(self.cost[edges].sum()), *self.tail(run.closed))

    def tail(self, closed: Collection[int]) -> Merit:
        """The parts of a merit that the set alone decides."""
        met = sum(bool(self.met[c]) for c in closed)
        return -len(closed), -met, [c not in closed for c in self.order]

    def closing(self, c: int) -> Closing:
        """A class that the best set closes: what it would hold, alone reopened, and who would lack."""
        run = self.run(self.best.closed - {c})
        short = np.flatnonzero(run.short())
        saves = tuple(int(other) for other in short if other != c)
        return Closing(c, int(run.sizes()[c]), int(self.market.min_size[c]), saves)

    # --- bounds

    def reach(self, run: DeferredAcceptance) -> _Reach:
        """The bounds that a relaxed run gives."""
        at = np.array(run.next)
        placed = at < self.market.start[1:]
        worth = self.reserves_within(at, run.closed)
        return _Reach(
            int(placed.sum()), int(worth.sum()), int(self.least[at[placed]].sum()), at
        )

    @cached_property
    def _kinds(self) -> tuple[Int, Int, Int, Int]:
        """Reserved seats by program and group: seats, class; and the edges that could fill them."""
        seats: dict[tuple[int, int], int] = {}
        for r in self.market.reserves:
            seats[r.program, r.group] = seats.get((r.program, r.group), 0) + r.seats
        edges, rows = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for row, (p, g) in enumerate(seats):
            found = np.flatnonzero(self.market.program == p)
            found = found[self.market.member[self.market.owner[found], g]]
            edges.append(found)
            rows.append(np.full(len(found), row))
        classes = self.market.class_of[[p for p, _ in seats]]
        return (
            np.array(list(seats.values()), np.int64), classes,
            np.concatenate(edges), np.concatenate(rows),
        )  # fmt: skip

    def reserves_within(self, at: Int, closed: Collection[int]) -> Int:
        """How many reserved seats of each class people can fill who may still come to them."""
        seats, classes, edges, rows = self._kinds
        within = edges >= at[self.market.owner[edges]]
        people = np.bincount(rows[within], minlength=len(seats))
        fill = np.bincount(classes, np.minimum(people, seats), len(self.market.min_size))
        fill[list(closed)] = 0
        return fill.astype(np.int64)

    def beats(self, placed: int, reserves: int, cost: int, closed: Collection[int]) -> bool:
        """Whether bounds leave room for a better set than the best."""
        merit = self.best.merit
        if (placed, reserves, -cost) != merit[:3]:
            return (placed, reserves, -cost) > merit[:3]
        return self.tail(closed) > merit[3:]

    @cached_property
    def singles(self) -> _Singles:
        """Each class that may close, closed alone in the relaxed run."""
        base, sizes = np.array(self.relaxed.next), self.relaxed.sizes()
        classes = [c for c in self.order if self.market.min_size[c] > 1 and c not in self.never]
        changed, edges, gains = [], [], []
        for c in classes:
            run = self.relaxed.without([c])
            at = np.array(run.next)
            changed.append(np.flatnonzero(at != base))
            edges.append(at[changed[-1]])
            gains.append(run.sizes() - sizes)
        of = np.repeat(np.arange(len(classes)), [len(people) for people in changed])
        return _Singles(
            np.array(classes, np.int64), of,
            np.concatenate(changed), np.concatenate(edges), np.array(gains),
        )  # fmt: skip

    def further(self, node: _Node, reach: _Reach) -> dict[int, tuple[int, int, int]]:
        """The free classes whose closing leaves room for a better set, with the bounds then.

        Whoever loses by closing the class alone loses at least as much wherever it is closed.
        """
        if not node.free:
            return {}
        singles, end = self.singles, self.market.start[1:]
        people = singles.applicant
        now, then = reach.at[people], np.maximum(reach.at[people], singles.edge)
        was, stays = now < end[people], then < end[people]
        least = np.append(self.least, 0)
        dearer = np.where(stays, least[then], 0) - np.where(was, least[now], 0)
        count = len(singles.classes)
        lost = np.bincount(singles.of, was & ~stays, count).astype(np.int64)
        cost = np.bincount(singles.of, dearer, count).astype(np.int64)
        filled = self.reserves_within(reach.at, node.run.closed)[singles.classes]
        bounds = zip(
            singles.classes.tolist(), (reach.placed - lost).tolist(),
            (reach.reserves - filled).tolist(), (reach.cost + cost).tolist(), strict=True,
        )  # fmt: skip
        return {
            c: bound
            for c, *bound in bounds  # type: ignore[misc]
            if c in node.free and self.beats(*bound, node.run.closed | {c})
        }

    # --- the search

    def go(self, late: Late) -> bool:
        """Search until nothing is left or it is late; whether the best set is proven."""
        self.improve(late)
        free = frozenset(np.flatnonzero(self.market.min_size > 1).tolist()) - self.never
        waiting = [_Node(self.relaxed, free)]
        while waiting:
            if late():
                placed = [sum(map(len, node.run.held)) for node in waiting]
                self.most = max(self.best.merit[0], *placed)
                return False
            node = waiting.pop()
            why, c = self.judge(node)
            if self.leaves <= LEAVES:
                self.tree.append((why, self.market.order_classes[c] if c >= 0 else ""))
            if why != "branch":
                self.leaves += 1
                continue
            free = node.free - {c}
            waiting.append(_Node(node.run, free))
            waiting.append(_Node(node.run.without([c]), free))
        self.most = self.best.merit[0]
        return True

    def judge(self, node: _Node) -> tuple[str, int]:
        """Why a branch ends, or the class to branch on."""
        reach = self.reach(node.run)
        closed = frozenset(node.run.closed)
        if not self.beats(reach.placed, reach.reserves, reach.cost, closed):
            return "bound", -1
        run = self.run(closed) if self.binding else node.run
        short = run.short()
        if not short.any():
            found = _Found(self.merit(run), closed)
            if found.merit > self.best.merit and self.reopenable(closed) < 0:
                self.best = found
            if not self.binding:
                return "kept", -1
        further = self.further(node, reach)
        if not further:
            return "last", -1
        stuck = any(c not in further for c in np.flatnonzero(short).tolist())
        if stuck and not self.binding and len(further) <= _FEW:
            alone = node.run.without(sorted(further)).short()
            if alone.any():
                return "short", int(alone.argmax())
        return "branch", self.question(short, further)

    def question(self, short: Int, further: dict[int, tuple[int, int, int]]) -> int:
        """The class to branch on: short itself, or feeding what is short, or the least harm."""
        place = self.market.class_order
        lacking = [c for c in further if short[c]]
        if lacking:
            return max(lacking, key=lambda c: (short[c], place[c]))
        gain = dict(zip(self.singles.classes.tolist(), self.singles.gain, strict=True))
        most = int(short.argmax())
        return max(
            further,
            key=lambda c: (short[most] and gain[c][most], *further[c][:2], -further[c][2], place[c]),
        )


def _least_from(cost: Int, owner: Int) -> Int:
    """Per edge, the least cost of it and the later ones of the same person.  Shape (e,)."""
    if not len(cost):
        return cost
    above = owner * (int(np.ptp(cost)) + 1)
    least: Int = np.minimum.accumulate((cost + above)[::-1])[::-1] - above
    return least


def _listers(market: Market) -> Int:
    """Per program, how many of its seats could be taken if nobody went elsewhere.  Shape (m,)."""
    people = np.bincount(market.program, minlength=len(market.programs))
    return np.minimum(people, market.capacity)


def _may_bind(market: Market) -> bool:
    """Whether some cap is below what the programs under it could take."""
    most = _listers(market)
    return any(int(most[list(cap.programs)].sum()) > cap.seats for cap in market.caps)


def _too_few(market: Market) -> NDArray[np.bool_]:
    """The classes that fall short whatever else is open.  Shape (k,)."""
    most = np.bincount(market.class_of, _listers(market), len(market.min_size))
    hopeless: NDArray[np.bool_] = (market.min_size > 1) & (most < market.min_size)
    return hopeless
