"""``optimal`` 系统优化: the feasible placement with the lexicographically best objective.

May leave justified envy, every pair of which is listed; lists are not strategy-proof.

Which classes open is searched (``openings.py``) with every step proven in integers; for given openings
the placement is a lexicographic minimum-cost flow (``plan.py``, ``flow.py``).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np

from ..cells import Int
from ..choice import Choice
from ..market import Constraint, Market
from ..objective import Component, Counted, components
from ..policy import Policy
from ..result import Result, Status, opened_classes
from ..solve import NoPlan
from .best import OutOfTime
from .flow import NoFlow
from .next_seat import Residual, still_best
from .openings import Search
from .plan import Drawn, Plan, Weights
from .proof import Writer
from .rounding import out_of_time

HONOURS = frozenset(Constraint) - {
    Constraint.OPEN_FIRST,
    Constraint.EXACT_CLOSURE,
    Constraint.CONFIRMED,
}


def solve(market: Market, policy: Policy, first: Sequence[Component] = ()) -> Result:
    """The lexicographically best placement, the lottery last, with the proof that it is.

    Parameters
    ----------
    first
        Components that come before all those of the policy.

    Raises
    ------
    NoPlan
        If what the round asks for cannot all be had.
    """
    begun = time.perf_counter()
    choice = Choice(market)
    ordered = [*first, *components(market, policy)]
    everything = [*ordered, *_lottery(market, policy)]
    plan = Plan(market, choice)
    search = Search(plan, everything, begun + policy.time_s if policy.time_s else None)
    tree, status = None, Status.OPTIMAL
    try:
        tree = search.run()
    except OutOfTime:
        status = Status.FEASIBLE
    except NoFlow:
        raise NoPlan(market) from None
    best = search.best or out_of_time(search)
    flow = best.flow
    if flow is None:
        flow = plan.flow(best.openings)
        flow.maximise(*ordered)
        flow.maximise(*everything[len(ordered) :])
    proven = status is Status.OPTIMAL
    laminar = not flow.chains.left_out
    unique = proven and not search.tied and (not laminar or flow.unique(best.matching))
    names = tuple(component.name for component in everything)
    return Result(
        mechanism="optimal",
        matching=best.matching,
        seats=_seats(plan, best.matching),
        opened=opened_classes(market, best.matching),
        status=status,
        components=names,
        objective=best.value,
        bound=best.value if proven else search.proven(),
        thresholds=flow.thresholds(best.matching),
        certificate={
            "components": list(names),
            "potentials": flow.certificate() if laminar else None,
            "tree": Writer(plan).written(tree) if tree else None,
            "unique": unique,
        },
        unique=unique,
        runtime=time.perf_counter() - begun,
    )


def with_a_seat(
    market: Market, policy: Policy, result: Result, programs: Sequence[int]
) -> Iterator[tuple[int, Int, bool]]:
    """Who goes where with one more seat at each of some programs: see :func:`matcher.solve.with_a_seat`.

    Notes
    -----
    One search, and one shortest path for each program.  Where the proof of the openings does not hold
    with the seat, one search more.
    """
    everything = [*components(market, policy), *_lottery(market, policy)]
    end = time.perf_counter() + policy.time_s if policy.time_s else None
    search = Search(Plan(market, Choice(market)), everything, end)
    tree = None
    with suppress(OutOfTime):
        tree = search.run()
    best = search.best
    found = [result.matching] * len(market.programs)
    whole = np.zeros(len(found), bool)
    if tree and best is not None and best.flow is not None and not search.tied:
        residual = Residual(best.flow, everything)
        pairs = [residual.with_a_seat(result.matching, p) for p in range(len(found))]
        found = [after for after, _ in pairs]
        whole = still_best(search, tree, [gain for _, gain in pairs])
    for p in programs:
        if whole[p]:
            yield p, found[p], True
        else:
            after = solve(market.with_a_seat(p), policy)
            yield p, after.matching, after.publishable


def _lottery(market: Market, policy: Policy) -> list[Counted]:
    """The lottery's two weights as components."""
    drawn = Weights(market, policy)
    return [Drawn(drawn, 0), Drawn(drawn, 1)]


def _seats(plan: Plan, matching: Int) -> list[str]:
    choice = plan.choice
    seats = ["open" if placed else "" for placed in (matching >= 0).tolist()]
    for p, edges in enumerate(plan.edges_at(plan.market.edges_of(matching))):
        if choice.seats[p].reserved:
            for edge, label in choice.seat_labels(p, choice.at_program(p, edges)).items():
                seats[choice.owner[edge]] = label
    return seats
