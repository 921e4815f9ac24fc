"""Plans to begin with: good ones, soon, for a search that has yet to prove anything.

None of them has to be the best; each is checked before it is kept.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from ..cells import Int
from .best import OutOfTime
from .bounds import Node
from .faces import along, whole
from .flow import NoFlow
from .plan import CLOSED, FREE, OPEN
from .proof import Tree
from .simplex import NOTHING
from .strong import Solution, rounded

if TYPE_CHECKING:
    from .best import Best
    from .openings import Search

DEEP = 32
"""After so many nodes, and twice as many each time, openings that are halfway are rounded again."""

QUARTER = 0.25
"""The share of the classes that fall short that closes at once, those that lack most."""

TIMES = 8
"""How often classes that fall short are closed at most, before openings are given up."""

MISSES = 3
"""After so many classes in turn that are better left as they are no others are turned."""


def closing_short(search: Search, openings: Int, matching: Int, at_once: float = QUARTER) -> None:
    """Plans of all classes with people, and of those left when short ones close.

    ``matching`` is the best where classes need no minimum.  Closing what falls short, as often as anything
    does, such a share of it at once, ends in a plan where no class has to open.
    """
    plan = search.plan
    sizes, loads = search.sizes(matching), search.loads(matching)
    free = plan.conditional & (openings == FREE)
    try:
        columns = search.strong.columns if (sizes < plan.need)[free].any() else None
        filled = np.where(free, np.where(sizes > 0, OPEN, CLOSED), openings)
        search.try_openings(filled, columns, loads)
        while (short := free & (sizes < plan.need) & (openings == FREE)).any():
            share = sizes / np.maximum(1, plan.need)
            least = max(0.5, float(np.quantile(share[short], at_once)))
            openings = np.where(short & (share <= least), CLOSED, openings)
            search.watch()
            flow = plan.flow(openings, columns, plan.within(openings, loads))
            flow.maximise(search.components[0])
            matching = flow.matching()
            sizes, loads = search.sizes(matching), search.loads(matching)
        filled = np.where(free, np.where(sizes > 0, OPEN, CLOSED), openings)
        search.try_openings(filled, columns, loads)
    except NoFlow:
        return


def out_of_time(search: Search) -> Best:
    """A plan when time is up and none is known.

    That of the openings nearest to a relaxation, where that takes no longer than a flow did; else what is
    left when all short classes close at once.

    Raises
    ------
    NoFlow
        If classes or reserves must have people and no such plan is found.
    """
    if search.relaxed is not None:
        root, matching = search.relaxed
        if search.large:
            search.deadline = time.perf_counter() + search.flown
            asked = search.asked(0, search.ladder(0))
            with suppress(OutOfTime):
                if solution := search.strong.solve(root, *asked, search.time_left()):
                    _settled(search, root, _openings(search, solution, root, 0.5))
        search.deadline = None
        if search.best is None:
            closing_short(search, root.openings, matching, at_once=1)
    return search.best or _closing_all_short(search)


def _closing_all_short(search: Search) -> Best:
    """A plan of the classes that are left when what falls short is closed, as often as anything does."""
    plan = search.plan
    openings = np.where(plan.decreed, OPEN, FREE)
    free = plan.conditional & (openings == FREE)
    seats = None
    while True:
        flow = plan.flow(openings, seats=seats)
        flow.maximise(search.components[0])
        matching = flow.matching()
        short = free & (search.sizes(matching) < plan.need) & (openings == FREE)
        if seats is not None and not short.any():
            break
        openings = openings if seats is None else np.where(short, CLOSED, openings)
        seats = plan.within(openings, search.loads(matching))
    search.offer(matching, openings)
    if search.best is None:
        raise NoFlow
    return search.best


def nearest(search: Search, solution: Solution, node: Node, start: int, ladder: list[int]) -> None:
    """Try the openings nearest to a solution, where that leaves room for a better plan.

    ``ladder`` are the weights of the components from ``start`` on that the solution makes large.
    """
    if search.best and solution.value <= search.reached(start, ladder) + NOTHING:
        return
    crossing = bool(search.plan.chains(node.openings).left_out)
    if crossing and (search.best is None or not solution.halfway.any()):
        search.offer(whole(search, solution), node.openings)
    if crossing and search.nodes == 1 and (search.best is not None or search.large):
        return  # a better one is to come
    now = search.nodes >= DEEP and search.nodes > 2 * search.rounded
    if crossing and solution.halfway.any() and search.nodes > 1 and not now:
        return  # the search comes to better ones sooner
    search.rounded = search.nodes
    every = bool(solution.halfway.any()) and not (crossing and search.best)
    for least in (NOTHING, 0.5, 1 - NOTHING) if every else (0.5,):
        before, openings = search.best, _openings(search, solution, node, least)
        if crossing:
            settled = _settled(search, node, openings)
            alone = search.bounds.cuts and start == 0 and not solution.halfway.any()
            if settled and search.best is before and alone:
                # The sum of its components does not order plans as they do: one after another.
                along(search, Node(openings, node.allowed, node.forced), len(ladder) - 1, Tree())
        else:
            search.try_openings(openings, search.strong.columns)
        if search.best is not before:
            break


def turning(search: Search, node: Node, solution: Solution) -> None:
    """Round the openings of a relaxation; open or close one class after another for a better plan.

    Prices say what turning a class gains at most; whether it gains anything shows in the relaxation.
    """
    ladder = search.ladder(0)
    found = _settled(search, node, _openings(search, solution, node, 0.5))
    left, misses = search.free(node), 0
    while found is not None and misses < MISSES:
        openings, settled = found
        bound = search.bound(node, (ladder, rounded(settled, 1)))
        gain = np.where(openings == OPEN, bound.opening, bound.closing) * left
        most = int(np.argmax(gain))
        if gain[most] <= 0:
            break
        left[most] = False
        turned = openings.copy()
        turned[most] = CLOSED if openings[most] == OPEN else OPEN
        other = _settled(search, node, turned)
        better = other is not None and other[1].value > settled.value
        found, misses = (other, 0) if better else (found, misses + 1)


def _settled(search: Search, node: Node, openings: Int) -> tuple[Int, Solution] | None:
    """Where sets cross: settle every class, and solve the relaxation again.

    It is nearly always whole then.  Classes that fall short are closed.
    """
    plan, asked = search.plan, search.asked(0, search.ladder(0))
    for _ in range(TIMES):
        key = openings.tobytes(), False, b"settled"
        if key in search.seen:
            return None
        search.seen.add(key)
        tried = Node(openings, node.allowed, node.forced)
        found = search.strong.solve(tried, *asked, search.time_left())
        if found is None:
            return None
        sizes = np.bincount(search.bounds.class_of_arc, found.placed, len(openings))
        short = (openings == OPEN) & (sizes < plan.need - NOTHING) & (node.openings == FREE)
        if not short.any():
            break
        openings = np.where(short, CLOSED, openings)
    else:
        return None
    search.offer(whole(search, found), openings)
    if (np.abs(found.placed - np.rint(found.placed)) > NOTHING).any():
        home = plan.home[plan.kind]
        loads = np.bincount(home, found.placed, len(plan.market.programs))
        search.try_openings(openings, search.strong.columns, np.rint(loads).astype(np.int64))
    return openings, found


def _openings(search: Search, solution: Solution, node: Node, least: float) -> Int:
    """The openings of a solution, rounded; classes that have nobody close."""
    plan = search.plan
    sizes = np.bincount(search.bounds.class_of_arc, solution.placed, len(solution.opening))
    openings = np.where(solution.opening >= least, OPEN, CLOSED)
    openings[(sizes < 0.5) & (node.openings == FREE)] = CLOSED
    openings[~plan.conditional] = FREE
    return openings
