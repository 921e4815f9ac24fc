"""``stable`` 公平录取: deferred acceptance among the classes that open.

No justified envy and no waste at open classes; for given open classes and caps that do not bind,
best for every applicant among all such outcomes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import repeat

import numpy as np

from ..cells import Int
from ..choice import HARD, OPEN, OPEN_FIRST, SOFT, Choice
from ..market import Constraint, Market
from ..objective import ceiling, components, evaluate
from ..policy import Policy
from ..result import Closing, Result, Status, Threshold, opened_classes
from . import nearby
from .closing import Closure, Late, exact, sequential
from .deferred import DeferredAcceptance
from .plain import deferred_acceptance

HONOURS = frozenset(Constraint) - {
    Constraint.CROSSING_CAP,
    Constraint.CONFIRMED,
    Constraint.MUST_OPEN,
    Constraint.MUST_FILL,
}

_SCREENED = 3
"""Programs from which on it is cheaper to look first which of them would change at all."""

_STEPS = 1_000
"""Steps of exact closing after which one draw of many is given up: the same ones everywhere."""


def solve(market: Market, policy: Policy) -> Result:
    """Deferred acceptance among the classes that open; see ``closing.py`` for which those are."""
    begun = time.perf_counter()
    if _plain(market, policy):
        return _by_columns(market, policy, begun)

    def late() -> bool:
        return bool(policy.time_s) and time.perf_counter() - begun > policy.time_s

    return _result(market, policy, _close(market, policy, late), begun)


def matching(market: Market, policy: Policy) -> tuple[Int, bool]:
    """Who goes where, and whether the closing is complete: ``solve`` without what explains it.

    No clock decides: exact closing is cut short after so many steps instead.
    """
    if _plain(market, policy):
        at, _ = deferred_acceptance(market, market.capacity)
        return market.programs_at(at), True
    steps = iter(range(_STEPS))
    closure = _close(market, policy, lambda: policy.closure == "exact" and next(steps, -1) < 0)
    return closure.run.matching(), closure.proven


def with_a_seat(
    market: Market, policy: Policy, result: Result, programs: Sequence[int]
) -> Iterator[tuple[int, Int, bool]]:
    """Who goes where with one more seat at each of some programs: see :func:`matcher.solve.with_a_seat`."""
    choice = Choice(market, policy.reserve_order == "open_first")
    exact_closing = policy.closure == "exact" and bool((market.min_size > 1).any())
    unchanged = set(nearby.roomy(choice))
    if not exact_closing and len(programs) > _SCREENED:
        unchanged.update(nearby.idle(market, choice))
    rest = [p for p in programs if p not in unchanged]
    yield from ((p, result.matching, True) for p in programs if p in unchanged)
    if exact_closing:
        yield from ((p, *matching(market.with_a_seat(p), policy)) for p in rest)
    else:
        yield from (
            (p, run.matching(), True) for p, run in nearby.with_a_seat(market, choice, rest)
        )


def _close(market: Market, policy: Policy, late: Late) -> Closure:
    """The run among the classes that open, and what was closed for it."""
    choice = Choice(market, policy.reserve_order == "open_first")
    if policy.closure == "exact" and (market.min_size > 1).any():
        return exact(market, policy, choice, late)
    return sequential(market, choice, late)


def _plain(market: Market, policy: Policy) -> bool:
    """Whether nothing but seats limits a program, so that no class can close."""
    limited = market.reserves or market.caps or (market.min_size > 1).any()
    return not limited and policy.reserve_order != "open_first"


def _by_columns(market: Market, policy: Policy, begun: float) -> Result:
    """What ``_result`` gives for a plain market, without a list per program."""
    at, _ = deferred_acceptance(market, market.capacity)
    edges = at[at < market.start[1:]]
    program, key = market.program[edges], market.key[edges]
    full = np.bincount(program, minlength=len(market.programs)) >= market.capacity
    worst, last = np.full(len(full), -1), np.full(len(full), -1)
    np.maximum.at(worst, program, key)
    lasts = key == worst[program]
    last[program[lasts]] = edges[lasts]
    states = np.array(["not_full", "full"], object).take(full).tolist()
    ends = np.where(full, last, -1).tolist()
    thresholds = list(map(Threshold, range(len(full)), repeat("open"), states, repeat(-1), ends))
    matching = market.programs_at(at)
    ordered = components(market, policy)
    values = tuple(int(component.worth[edges].sum()) for component in ordered)
    certificate: dict[str, object] = {"closing": []}
    return Result(
        mechanism="stable",
        matching=matching,
        seats=np.array(["", "open"], object).take(matching >= 0).tolist(),
        opened=opened_classes(market, matching),
        status=Status.OPTIMAL,
        components=tuple(component.name for component in ordered),
        objective=values,
        bound=values,
        thresholds=thresholds,
        certificate=certificate,
        runtime=time.perf_counter() - begun,
    )


def _result(market: Market, policy: Policy, closure: Closure, begun: float) -> Result:
    run, matching = closure.run, closure.run.matching()
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
    if not closure.proven:
        most = [ceiling(market, component) for component in ordered]
        known = [c.name == "placed" and closure.placed >= 0 for c in ordered]
        bound = tuple(closure.placed if k else n for k, n in zip(known, most, strict=True))
    return Result(
        mechanism="stable",
        matching=matching,
        seats=seats,
        opened=opened_classes(market, matching),
        status=Status.OPTIMAL if closure.proven else Status.FEASIBLE,
        components=tuple(component.name for component in ordered),
        objective=values,
        bound=bound,
        thresholds=thresholds,
        closings=closure.closings,
        certificate=_certificate(market, closure),
        runtime=time.perf_counter() - begun,
    )


def _certificate(market: Market, closure: Closure) -> dict[str, object]:
    found: dict[str, object] = {"closing": [_closing(market, c) for c in closure.closings]}
    if closure.tree is not None:
        found["closing_tree"] = closure.tree
    return found


def _closing(market: Market, closing: Closing) -> dict[str, object]:
    found: dict[str, object] = {
        "order_class": market.order_classes[closing.order_class],
        "placed": closing.placed,
        "min_size": closing.min_size,
        "shortfall": closing.shortfall,
    }
    if closing.saves:
        found["saves"] = [market.order_classes[c] for c in closing.saves]
    return found


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
