"""``max_placement`` 最大安置: the weakly stable placement of greatest size, ties kept.

Equal scores are not told apart in advance: a person blocks a placement at a program only if she
prefers it strictly to what she has and it has an empty seat or holds somebody of a strictly worse level
(listed, score, tie1, …).  Programs of one class in a list are equally good to her, the tail is strictly
ordered.  Of all placements within capacities that nobody blocks, this is the one with the most people
placed; of those the best by ``rank`` and ``fit``, in the policy's order and as far as it names them; of
those the one with the greatest total of the lottery's first weights, then of its second.

Which classes open: all do at first.  The placement is made among the open classes.  Of those that then
hold fewer than their minimum (of 2 or more) the one that lacks most people is closed, equal ones the
later in plan order first, and stays closed; the placement is made again from scratch; until no class
lacks anybody.

The search is in ``weakly_stable.py``.  Its size is bounded by a cover of the pairs that any weakly
stable placement may hold, which goes into the certificate; where they meet the size is proven, elsewhere
the solver has to be believed.  Coarse ties among more than some hundreds of people may not come to an
end within the limit: then the best placement found is FEASIBLE, with its bound.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from ..cells import Int
from ..market import Constraint, Market
from ..policy import Policy
from ..result import Closing, Result, Status, Threshold, class_sizes, opened_classes
from .levels import Limit
from .weakly_stable import Run, Search

HONOURS = frozenset({
    Constraint.CAPACITY,
    Constraint.MIN_SIZE,
    Constraint.ADJUSTMENT,
    Constraint.PROGRAM_SCORE,
})  # fmt: skip

_WORK = 30.0
"""Work, in the solver's own measure, after which one draw of many is given up."""


def solve(market: Market, policy: Policy) -> Result:
    """The greatest weakly stable placement among the classes that open."""
    begun = time.perf_counter()
    search = Search(market, policy, Limit(policy.seconds))
    return _result(search, _close(search), begun)


def matching(market: Market, policy: Policy) -> tuple[Int, bool]:
    """Who goes where, and whether that is the outcome: ``solve``, but no clock decides."""
    last = _close(Search(market, policy, Limit(work=_WORK))).last
    return last.matching, last.proven and last.unique


@dataclass(frozen=True)
class Outcome:
    """The placement among the classes that stay open, and those that were closed for it."""

    last: Run
    closings: tuple[Closing, ...]


def _close(search: Search) -> Outcome:
    """Close the class that lacks most people (equal: later in plan order) until none lacks any."""
    market = search.market
    runs, closings = [search.run(())], list[Closing]()
    while (c := _shortest(market, runs[-1].matching, closings)) >= 0:
        placed = int(class_sizes(market, runs[-1].matching)[c])
        closings.append(Closing(c, placed, int(market.min_size[c])))
        runs.append(search.run([closing.order_class for closing in closings]))
    last, earlier = runs[-1], runs[:-1]
    if not all(run.proven and run.unique for run in earlier):
        last = replace(last, proven=False, bound=search.ceiling)
    return Outcome(last, tuple(closings))


def _shortest(market: Market, matching: Int, closings: list[Closing]) -> int:
    """The open class that lacks most people, −1 where none does."""
    short = np.where(market.min_size > 1, market.min_size - class_sizes(market, matching), 0)
    short[[closing.order_class for closing in closings]] = 0
    order = np.lexsort((market.class_order, short))
    return int(order[-1]) if len(order) and short[order[-1]] > 0 else -1


def _result(search: Search, outcome: Outcome, begun: float) -> Result:
    market, run, closings = search.market, outcome.last, outcome.closings
    names = tuple(component.name for component in search.ordered)
    cover = run.cover
    return Result(
        mechanism="max_placement",
        matching=run.matching,
        seats=["open" if p >= 0 else "" for p in run.matching.tolist()],
        opened=opened_classes(market, run.matching),
        status=Status.OPTIMAL if run.proven else Status.FEASIBLE,
        components=names,
        objective=search.values(run.edges),
        bound=run.bound,
        thresholds=_thresholds(market, run, {closing.order_class for closing in closings}),
        closings=closings,
        certificate={
            "closing": [
                {
                    "order_class": market.order_classes[closing.order_class],
                    "placed": closing.placed,
                    "min_size": closing.min_size,
                    "shortfall": closing.shortfall,
                }
                for closing in closings
            ],
            "cover": {
                "applicants": sorted(market.applicants[i] for i in cover.people),
                "programs": sorted(market.programs[p] for p in cover.programs),
            },
        },
        unique=run.unique,
        runtime=time.perf_counter() - begun,
    )


def _thresholds(market: Market, run: Run, closed: Collection[int]) -> list[Threshold]:
    """Whether each open program is full, and one of its people of the worst level."""
    worst = np.full(len(market.programs), -1)
    for edge in run.edges[np.argsort(market.place[run.edges])].tolist():
        worst[market.program[edge]] = edge
    held = np.bincount(market.program[run.edges], minlength=len(worst))
    full = held >= market.capacity
    return [
        Threshold(p, "open", "full", last=int(worst[p]))
        if full[p]
        else Threshold(p, "open", "not_full")
        for p in np.flatnonzero(~np.isin(market.class_of, list(closed))).tolist()
    ]
