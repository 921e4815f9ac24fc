"""Which classes open: one after the other, or the best set of all.

A class falls short when it holds fewer people than its minimum; one with a minimum of at most 1 never
does and is never closed.  A set of open classes is *kept* when the run among them leaves none short,
and *maximal* when no closed class could be opened again, alone, without some class falling short.
``sequential`` closes class after class; ``exact`` finds the best maximal set by branch and bound over
the classes to close.  A branch has closed some classes, must leave some open, and is free in the rest.

Deferred acceptance is the evaluator, and what a branch can reach rests on one fact.  The choice
functions are substitutable: whoever a program refuses among fewer offers it refuses among more.  So
a run with fewer seats, be it for closed classes or for caps, refuses whomever a run with more refuses,
and everybody ends as far down her list or further.  In the *relaxed* run of a branch, classes that it
is free in are open and do not count under the caps over several classes, neither themselves nor
against others.  It follows for every set of a branch:

- Nobody is better off than in the relaxed run of the branch.
- A class that stays open holds no more people than in a run that lifts such caps, closes what the
  branch has closed or is free in, and leaves every program of another class the first of its people
  whom these caps never refuse: as children take turns, a cap keeps as many of each as fit however
  many the others have.  (With a cap over it lifted, a class holds no fewer: everybody is as well off
  or better, so no fewer are placed, and the other programs, with fewer offers, hold no more.)
- Where no such cap may bind, the relaxed run is the run; a class then holds the fewer people the more
  classes are open, so every part of a kept set is kept.  Once a branch has closed enough, closing
  more is no longer maximal.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import NamedTuple

import numpy as np

from ..cells import Int, places
from ..choice import Choice, Node
from ..market import Cap, Market
from ..objective import rank_costs, reserved_filled
from ..policy import Policy
from ..result import Bool, Closing
from .deferred import DeferredAcceptance

LEAVES = 10_000
"""Leaves beyond which a tree is not worth publishing."""

_OFTEN = 8
"""A node asks again what can fill whenever this share of its free classes has been decided."""

Late = Callable[[], bool]
Tree = list[tuple[str, str]]
Tail = tuple[int, int, tuple[bool, ...]]
Merit = tuple[int, int, int, int, int, tuple[bool, ...]]


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
        The search of ``exact`` in preorder, the branch that closes a class before the one that leaves
        it open: ``("branch", class)``, or why a branch ends.  ``("bound", "")``: no set in it is
        better.  ``("short", class)``: a class that must stay open cannot reach its minimum.
        ``("last", "")``: only one set in it can be maximal, closing what the branch has closed, and
        that one is no better.  None where it has too many leaves.
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
    Exponential in the number of classes that may close; each node costs one run that goes on from its
    parent's.
    """
    search = _Search(market, policy, choice)
    proven = search.go(late)
    return Closure(
        DeferredAcceptance(market, choice, search.best.closed),
        tuple(search.closings()),
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


def _each_alone(
    run: DeferredAcceptance, names: list[int]
) -> Iterator[tuple[int, DeferredAcceptance]]:
    """Each of some classes that a run has open, with the run in which all the others are closed.

    Halving the list shares the closing of the others.
    """
    if len(names) < 2:
        yield from ((c, run) for c in names)
        return
    half = len(names) // 2
    yield from _each_alone(run.without(names[half:]), names[:half])
    yield from _each_alone(run.without(names[:half]), names[half:])


class _Found(NamedTuple):
    """A maximal set by what it closes, and what it is worth."""

    merit: Merit
    closed: frozenset[int]


class _Node(NamedTuple):
    """A branch.

    ``run`` is the relaxed run without what it has closed; ``free`` may be open or closed; ``doomed``
    are those of them known to fall short wherever they stay open; ``since`` counts the classes decided
    since that was last looked at.
    """

    run: DeferredAcceptance
    free: frozenset[int]
    doomed: frozenset[int] = frozenset()
    since: int = 0


class _End(NamedTuple):
    """A branch that is known to end, and why."""

    why: str
    order_class: int = -1


class _Search:
    """Branch and bound over the classes that close."""

    def __init__(self, market: Market, policy: Policy, choice: Choice) -> None:
        self.market, self.choice = market, choice
        self.cost = rank_costs(market, policy)
        self.order: list[int] = np.argsort(market.class_order).tolist()
        self.everything = DeferredAcceptance(market, choice)
        self.met = self.everything.short() == 0
        binding = [cap for cap in market.caps if _may_bind(market, cap)]
        self.under = frozenset(int(market.class_of[p]) for cap in binding for p in cap.programs)
        self.binding = bool(binding)
        self.never = [c for c in self.order if _too_few(market)[c]]
        self.whole = self.everything.without(self.never)
        may = np.flatnonzero(market.min_size > 1)
        self.relaxed = DeferredAcceptance(market, choice, self.never, loose=may.tolist())
        self.tree: Tree = []
        self.leaves = 0
        self.most = len(market.applicants)
        self.best = _Found((-1, 0, 0, 0, 0, ()), frozenset())
        self.lifted: dict[int, DeferredAcceptance] = {}
        self.settle(self.whole)

    # --- sets that are kept

    def settle(self, run: DeferredAcceptance, keep: int = -1) -> bool:
        """Close what falls short, the class to keep last; reopen, in plan order, what can be.

        Whether that gives the best set so far; where no cap binds, it is given up once it cannot.
        """
        while (c := _shortest(run, keep)) >= 0:
            run = run.without([c])
            if not self.binding and _placed(run) < self.best.merit[0]:
                return False
        while (c := self.reopenable(run.closed)) >= 0:
            run = self.run(run.closed - {c})
        return self.take(run)

    def run(self, closed: Collection[int]) -> DeferredAcceptance:
        """The run that the rules ask for, some classes closed."""
        return self.whole.without(sorted(set(closed) - self.whole.closed))

    def reopenable(self, closed: Collection[int]) -> int:
        """The first closed class in plan order that could be opened, none short; −1: maximal."""
        names = [c for c in self.order if c in closed and c not in self.never]
        alone = _each_alone(self.whole, names)
        return next((c for c, run in alone if not run.short().any()), -1)

    def improve(self, late: Late) -> None:
        """Open or close one class and settle anew, as long as that finds better sets."""
        tried: set[int] = set()
        while untried := [c for c in self.by_loss if c not in tried]:
            if late():
                return
            c = untried[0]
            tried.add(c)
            closed = self.best.closed
            if c in closed:
                better = self.settle(self.run(closed - {c}), keep=c)
            else:
                better = self.settle(self.run({x for x in closed if self.met[x]} | {c}))
            if better:
                tried = {c}

    def take(self, run: DeferredAcceptance) -> bool:
        """Whether a run of a maximal set is the best so far; it is kept then."""
        found = _Found(self.merit(run), frozenset(run.closed))
        better = found.merit > self.best.merit
        self.best = found if better else self.best
        return better

    def merit(self, run: DeferredAcceptance) -> Merit:
        """What a run is worth."""
        matching = run.matching()
        held = self.market.edges_of(matching)
        edges = held[held >= 0]
        filled = reserved_filled(self.market, matching, self.choice)
        return (len(edges), filled, -int(self.cost[edges].sum()), *self.tail(run.closed))

    def tail(self, closed: Collection[int]) -> Tail:
        """The parts of a merit that the set alone decides."""
        met = sum(bool(self.met[c]) for c in closed)
        return -len(closed), -met, tuple(c not in closed for c in self.order)

    def closings(self) -> Iterator[Closing]:
        """The classes that the best set closes: what each would hold, alone reopened, and who would lack."""
        names = [c for c in self.order if c in self.best.closed]
        for c, run in _each_alone(self.everything, names):
            short = np.flatnonzero(run.short())
            saves = tuple(int(other) for other in short if other != c)
            yield Closing(c, int(run.sizes()[c]), int(self.market.min_size[c]), saves)

    # --- bounds

    def beaten(self, run: DeferredAcceptance) -> bool:
        """Whether no set of the branch of a relaxed run is better than the best.

        Where a tie is left in one part of the merit, the next one is bounded.
        """
        best = self.best.merit
        placed = _placed(run)
        if placed != best[0]:
            return placed < best[0]
        at = np.array(run.next, np.int64)
        reserves = self.reserves_within(at, run.closed)
        if reserves != best[1]:
            return reserves < best[1]
        cost = int(self.least[at[at < self.market.start[1:]]].sum())
        if -cost != best[2]:
            return -cost < best[2]
        return self.tail(run.closed) <= best[3:]

    @cached_property
    def least(self) -> Int:
        """Per edge, the least cost of it and the later ones of the same person."""
        cost, owner = self.cost, self.market.owner
        above = owner * (1 + int(cost.max(initial=0)) - int(cost.min(initial=0)))
        least: Int = np.minimum.accumulate((cost + above)[::-1])[::-1] - above
        return least

    @cached_property
    def kinds(self) -> tuple[Int, Int, Int, Int]:
        """Reserved seats by program and group: seats, class; and the edges that could fill them."""
        seats: dict[tuple[int, int], int] = {}
        for r in self.market.reserves:
            seats[r.program, r.group] = seats.get((r.program, r.group), 0) + r.seats
        of_program = places(self.market.program, len(self.market.programs))
        edges, rows = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for row, (p, g) in enumerate(seats):
            found = of_program[p]
            found = found[self.market.member[self.market.owner[found], g]]
            edges.append(found)
            rows.append(np.full(len(found), row))
        classes = self.market.class_of[[p for p, _ in seats]]
        return (
            np.array([*seats.values()], np.int64), classes.astype(np.int64),
            np.concatenate(edges), np.concatenate(rows),
        )  # fmt: skip

    def reserves_within(self, at: Int, closed: Collection[int]) -> int:
        """How many reserved seats people can fill who may still come to them.

        Group by group, so that someone in several groups counts in each.
        """
        seats, classes, edges, rows = self.kinds
        within = edges >= at[self.market.owner[edges]]
        people = np.bincount(rows[within], minlength=len(seats))
        return int(np.minimum(people, seats)[~np.isin(classes, list(closed))].sum())

    @cached_property
    def lost(self) -> dict[int, int]:
        """Who is unplaced in the relaxed run without each class that may close, as bits.

        Whoever is unplaced without a class is so wherever it is closed.
        """
        may = [c for c in self.order if self.market.min_size[c] > 1 and c not in self.never]
        return {c: self.unplaced(self.relaxed.without([c])) for c in may}

    def unplaced(self, run: DeferredAcceptance) -> int:
        """Who is unplaced in a run, as bits."""
        out = np.array(run.next, np.int64) >= self.market.start[1:]
        return int.from_bytes(np.packbits(out).tobytes())

    @cached_property
    def by_loss(self) -> list[int]:
        """The classes that may close, those first whose closing leaves the fewest unplaced."""
        return sorted(self.lost, key=lambda c: self.lost[c].bit_count())

    # --- the search

    def go(self, late: Late) -> bool:
        """Search until nothing is left or it is late; whether the best set is proven."""
        self.improve(late)
        waiting: list[_Node | _End] = []
        for c in self.never:
            self.note("branch", c)
            waiting.append(_End("short", c))
        free = frozenset(self.lost)
        waiting.append(_Node(self.relaxed, free, since=len(free)))
        while waiting:
            node = waiting.pop()
            if isinstance(node, _End):
                self.note(*node)
            elif late():
                left = [node.run, *(other.run for other in waiting if isinstance(other, _Node))]
                self.most = max(self.best.merit[0], *map(_placed, left))
                return False
            else:
                waiting += reversed(self.grown(node))
        self.most = self.best.merit[0]
        return True

    def note(self, why: str, c: int = -1) -> None:
        """Add to the tree, as long as it is worth publishing."""
        self.leaves += why != "branch"
        if self.leaves <= LEAVES:
            self.tree.append((why, self.market.order_classes[c] if c >= 0 else ""))

    def grown(self, node: _Node) -> list[_Node | _End]:
        """The branches of a node, none where it ends; both are noted in the tree."""
        if self.beaten(node.run):
            self.note("bound")
            return []
        short = node.run.short()
        if not node.free or not (self.binding or short.any()):
            self.last(node)
            return []
        if node.since * _OFTEN >= len(node.free):
            stuck, doomed = self.hopeless(node, short)
            if stuck >= 0:
                self.note("short", stuck)
                return []
            node = node._replace(doomed=doomed, since=0)
        return self.branches(node, short)

    def last(self, node: _Node) -> None:
        """Look at the only set of a branch that can be maximal."""
        run = self.run(node.run.closed)
        if not run.short().any() and self.reopenable(run.closed) < 0:
            self.take(run)
        self.note("last")

    def hopeless(self, node: _Node, short: Int) -> tuple[int, frozenset[int]]:
        """A class that must stay open and cannot reach its minimum, or −1; the free ones like it.

        ``short`` says which fall short in the node's run; no other class can.
        """
        shut, low = node.run.closed | node.free, set(np.flatnonzero(short).tolist())
        rest = node.free & low
        run = self.fullest(shut - rest) if self.binding else node.run.without(sorted(shut - rest))
        low &= set(np.flatnonzero(run.short()).tolist())

        def lack(classes: Collection[int], run: DeferredAcceptance) -> list[int]:
            """Those of these classes that fall short in a run, whatever caps they are under."""
            missing = run.short()
            found = [c for c in sorted(classes) if missing[c]]
            return [c for c in found if c not in self.under or self.fullest(shut, c).short()[c]]

        if low - rest and (stuck := lack(low - rest, run.without(sorted(rest)))):
            return stuck[0], frozenset()
        doomed = (lack([c], run.without(sorted(rest - {c}))) for c in low & rest)
        return -1, frozenset(chain.from_iterable(doomed))

    def fullest(self, closed: Collection[int], c: int = -1) -> DeferredAcceptance:
        """The run without caps over several classes in which class ``c`` holds the most it can.

        The other programs under such caps take only whom these never refuse.
        """
        if c not in self.lifted:
            market, most = self.market, _listers(self.market)
            caps = [cap for cap in market.caps if not market.spans(cap)]
            for p, seats in enumerate(_never_refused(market, self.choice)):
                here = int(market.class_of[p])
                if here in self.under and here != c and seats < most[p]:
                    caps.append(Cap("", seats, (p,)))
            lifted = replace(market, caps=tuple(caps))
            choice = Choice(lifted, self.choice.open_first)
            self.lifted[c] = DeferredAcceptance(lifted, choice, self.never)
        return self.lifted[c].without(sorted(set(closed) - {c}))

    def branches(self, node: _Node, short: Int) -> list[_Node | _End]:
        """Close what is doomed; else branch on the class whose closing would cost the most people.

        What costs most is soonest known to stay open, and the more classes stay open, the fewer
        people others can win.
        """
        if node.doomed:
            names = sorted(node.doomed)
            for c in names:
                self.note("branch", c)
            closed = _Node(node.run.without(names), node.free - node.doomed)
            return [closed, *(_End("short", c) for c in reversed(names))]
        out = self.unplaced(node.run)
        loss = {c: (self.lost[c] & ~out).bit_count() for c in self.by_loss if c in node.free}
        c = max(loss, key=lambda c: (-int(short[c]), loss[c]))
        self.note("branch", c)
        free, since = node.free - {c}, node.since + 1
        without: _Node | _End = _End("bound")
        if _placed(node.run) - loss[c] >= self.best.merit[0]:
            without = _Node(node.run.without([c]), free, since=since)
        run = node.run.tighten([c]) if c in self.under else node.run
        return [without, _Node(run, free, since=since)]


def _placed(run: DeferredAcceptance) -> int:
    return sum(map(len, run.held))


def _listers(market: Market) -> Int:
    """Per program, how many of its seats could be taken if nobody went elsewhere.  Shape (m,)."""
    people = np.bincount(market.program, minlength=len(market.programs))
    return np.minimum(people, market.capacity)


def _may_bind(market: Market, cap: Cap) -> bool:
    """Whether a cap over more than one class is below what its programs could take."""
    return market.spans(cap) and int(_listers(market)[list(cap.programs)].sum()) > cap.seats


def _never_refused(market: Market, choice: Choice) -> list[int]:
    """Per program, how many of its people, in acceptance order, no cap over it ever refuses."""
    most: list[int] = _listers(market).tolist()

    def size(node: Node) -> int:
        people = sum(map(size, node.children)) if node.children else most[node.program]
        return min(people, node.seats) if node.children else people

    def fits(people: int, above: list[Node]) -> bool:
        """Whether a cap is not full after the turns in which it takes so many of each child."""
        for node in above:
            people = sum(min(people, size(child)) for child in node.children)
            if people > node.seats:
                return False
        return True

    def visit(node: Node, above: list[Node]) -> None:
        for child in node.children:
            visit(child, [node, *above])
        if not node.children:
            found[node.program] = next(
                n for n in range(most[node.program], -1, -1) if fits(n, above)
            )

    found = most.copy()
    for root in choice.roots:
        visit(root, [])
    return found


def _too_few(market: Market) -> Bool:
    """The classes that fall short whatever else is open.  Shape (k,)."""
    most = np.bincount(market.class_of, _listers(market), len(market.min_size))
    hopeless: Bool = (market.min_size > 1) & (most < market.min_size)
    return hopeless
