"""``optimal`` 系统优化: the feasible placement with the lexicographically best objective.

May leave justified envy, every pair of which is listed; lists are not strategy-proof.

Which classes open is searched (``openings.py``) with every step proven in integers; for given openings
the placement is a lexicographic minimum-cost flow (``plan.py``, ``flow.py``).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from .. import lottery
from ..cells import Int
from ..choice import Choice
from ..market import Constraint, Market
from ..objective import LOTTERY, Component, ceiling, components
from ..policy import Policy
from ..result import Result, Status, opened_classes
from .next_seat import Residual
from .openings import OutOfTime, Search
from .plan import FREE, Plan, weights

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
    """
    begun = time.perf_counter()
    choice = Choice(market)
    ordered = [*first, *components(market, policy)]
    everything = [*ordered, *_lottery(market, policy)]
    plan = Plan(market, choice)
    deadline = begun + policy.time_s if policy.time_s else None
    search = Search(plan, everything, deadline)
    status = Status.OPTIMAL
    proof = None
    try:
        proof = search.run()
    except OutOfTime:
        status = Status.FEASIBLE
    best = search.best
    assert best is not None
    flow = best.flow
    if flow is None:
        flow = plan.flow(best.openings)
        for component in everything:
            flow.minimise(flow.cost(component))
    matching = best.matching
    unique = status is Status.OPTIMAL and not search.tied and flow.unique(matching)
    names = tuple(component.name for component in everything)
    return Result(
        mechanism="optimal",
        matching=matching,
        seats=_seats(market, choice, matching),
        opened=opened_classes(market, matching),
        status=status,
        components=names,
        objective=best.value,
        bound=best.value,
        thresholds=flow.thresholds(matching),
        certificate={
            "components": list(names),
            "potentials": flow.certificate(),
            "tree": search.written(proof),
            "unique": unique,
        },
        unique=unique,
        runtime=time.perf_counter() - begun,
    )


def with_a_seat(
    market: Market, policy: Policy, result: Result, programs: Sequence[int]
) -> Iterator[tuple[int, Int]]:
    """Who goes where with one more seat at each of some programs: see :func:`matcher.solve.with_a_seat`."""
    everything = [*components(market, policy), *_lottery(market, policy)]
    plan = Plan(market, Choice(market))
    if plan.conditional.any() or plan.chains(np.full(len(plan.conditional), FREE)).left_out:
        yield from ((p, solve(market.with_a_seat(p), policy).matching) for p in programs)
        return
    flow = plan.flow(np.full(len(plan.conditional), FREE))
    for component in everything:
        flow.minimise(flow.cost(component))
    residual = Residual(flow, everything)
    yield from ((p, residual.with_a_seat(result.matching, p)) for p in programs)


def _lottery(market: Market, policy: Policy) -> list[Component]:
    """The lottery's two weights of every pair."""
    both = weights(market, policy, np.arange(len(market.program)))
    return [Component(name, both[:, at]) for at, name in enumerate(LOTTERY)]


def _seats(market: Market, choice: Choice, matching: Int) -> list[str]:
    held = market.edges_of(matching)
    at: dict[int, list[int]] = {}
    for edge in held[held >= 0].tolist():
        at.setdefault(choice.program[edge], []).append(edge)
    seats = [""] * len(market.applicants)
    for p, edges in at.items():
        for edge, label in choice.seat_labels(p, choice.at_program(p, edges)).items():
            seats[choice.owner[edge]] = label
    return seats


def _bounds(
    market: Market, ordered: list[Component], values: tuple[int, ...], solved: int
) -> tuple[int, ...]:
    """What is proven: the value where the component was solved, else what all could get at most."""
    bounds = list(values)
    for at in range(solved, len(values)):
        if at < len(ordered):
            bounds[at] = ceiling(market, ordered[at])
        else:
            bounds[at] = len(market.applicants) << lottery.TIE_BITS
    return tuple(bounds)
