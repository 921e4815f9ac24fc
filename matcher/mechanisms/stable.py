"""``stable`` 公平录取: deferred acceptance among the classes that open.

No justified envy and no waste at open classes; for given open classes and caps that do not bind,
best for every applicant among all such outcomes.
"""

from __future__ import annotations

import time

import numpy as np

from ..cells import Int
from ..choice import HARD, OPEN, OPEN_FIRST, SOFT, Choice
from ..market import Constraint, Market
from ..objective import ceiling, components, evaluate
from ..policy import Policy
from ..result import Closing, Result, Status, Threshold, opened_classes
from .deferred import DeferredAcceptance

HONOURS = frozenset(Constraint) - {
    Constraint.CROSSING_CAP,
    Constraint.EXACT_CLOSURE,
    Constraint.CONFIRMED,
}


def solve(market: Market, policy: Policy) -> Result:
    """Deferred acceptance with sequential closing.

    Run; close the class that falls short of its minimum by most (equal: the later in plan order);
    run again without it; until none falls short.

    Notes
    -----
    At most k + 1 runs.  A run without a class goes on from the last one where that provably gives the
    same, else starts again.
    """
    begun = time.perf_counter()
    return _result(market, policy, *_close(market, policy), begun)


def matching(market: Market, policy: Policy) -> tuple[Int, bool]:
    """Who goes where, and whether the closing is complete: ``solve`` without what explains it."""
    run, _, status = _close(market, policy)
    return run.matching(), status is Status.OPTIMAL


def _close(market: Market, policy: Policy) -> tuple[DeferredAcceptance, list[Closing], Status]:
    """The last run, what was closed before it, and whether that is all."""
    begun = time.perf_counter()
    choice = Choice(market, policy.reserve_order == "open_first")
    run = DeferredAcceptance(market, choice)
    closings: list[Closing] = []
    status = Status.OPTIMAL
    while (short := _shortest(market, run)) is not None:
        if policy.time_s and time.perf_counter() - begun > policy.time_s:
            status = Status.FEASIBLE
            break
        closings.append(short)
        if run.can_go_on_without(short.order_class):
            run.close(short.order_class)
        else:
            run = DeferredAcceptance(market, choice, run.closed | {short.order_class})
    return run, closings, status


def _shortest(market: Market, run: DeferredAcceptance) -> Closing | None:
    """The open class that falls short by most, with what it holds; None where none does.

    A minimum of one asks nothing: an empty class keeps it, and is left open for whoever comes.
    """
    if not (market.min_size > 1).any():
        return None
    sizes = np.zeros(len(market.min_size), np.int64)
    np.add.at(sizes, market.class_of, [len(people) for people in run.held])
    shortfall = np.where(market.min_size > 1, market.min_size - sizes, 0)
    shortfall[list(run.closed)] = 0
    if not (shortfall > 0).any():
        return None
    c = int(np.lexsort((market.class_order, shortfall))[-1])
    return Closing(c, int(sizes[c]), int(market.min_size[c]))


def _result(
    market: Market,
    policy: Policy,
    run: DeferredAcceptance,
    closings: list[Closing],
    status: Status,
    begun: float,
) -> Result:
    matching = run.matching()
    seats = [""] * len(market.applicants)
    thresholds: list[Threshold] = []
    capped = run.full_caps()
    for p, held in enumerate(run.held):
        named = run.choice.seat_labels(p, held)
        for edge, label in named.items():
            seats[run.choice.owner[edge]] = label
        if int(market.class_of[p]) not in run.closed:
            thresholds += _thresholds(run, p, named, capped.get(p, -1))
    ordered = components(market, policy)
    values = evaluate(market, ordered, matching, run.choice)
    bound = values
    if status is Status.FEASIBLE:
        bound = tuple(ceiling(market, component) for component in ordered)
    return Result(
        mechanism="stable",
        matching=matching,
        seats=seats,
        opened=opened_classes(market, matching),
        status=status,
        components=tuple(component.name for component in ordered),
        objective=values,
        bound=bound,
        thresholds=thresholds,
        closings=tuple(closings),
        certificate={"closing": [_closing(market, closing) for closing in closings]},
        runtime=time.perf_counter() - begun,
    )


def _closing(market: Market, closing: Closing) -> dict[str, object]:
    return {
        "order_class": market.order_classes[closing.order_class],
        "placed": closing.placed,
        "min_size": closing.min_size,
        "shortfall": closing.min_size - closing.placed,
    }


def _thresholds(
    run: DeferredAcceptance, p: int, named: dict[int, str], cap: int
) -> list[Threshold]:
    """The state of every stage of an open program, and the last person chosen in each."""
    seats, groups = run.choice.seats[p], run.market.groups
    held = run.held[p]
    stages: list[tuple[str, int, list[int]]] = []
    if seats.open_first:
        stages.append(("open_first", seats.open_first, [e for e, s in held if s == OPEN_FIRST]))
    hard_empty = 0
    for word, stage, reserved in (("hard", HARD, seats.hard), ("soft", SOFT, seats.soft)):
        for g, number in sorted(reserved.items()):
            inside = [e for e, s in held if s == stage and named[e] == groups[g]]
            stages.append((f"{word}:{groups[g]}", number, inside))
            hard_empty += number - len(inside) if stage == HARD else 0
    last_seats = [e for e, s in held if s == OPEN]
    left = seats.capacity - (len(held) - len(last_seats)) - hard_empty
    stages.append(("open", left, last_seats))
    return [_threshold(p, name, number, people, cap) for name, number, people in stages]


def _threshold(p: int, stage: str, seats: int, people: list[int], cap: int) -> Threshold:
    last = people[-1] if people else -1
    if len(people) >= seats:
        return Threshold(p, stage, "full", last=last)
    if cap >= 0:
        return Threshold(p, stage, "cut", cap, last)
    return Threshold(p, stage, "not_full")
