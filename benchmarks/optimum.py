"""``optimal``: with every constraint beside the textbook's model, and on seats alone beside flows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from multiprocessing import get_context
from statistics import median
from typing import Any
from unittest import mock

import numpy as np

from matcher import Market, Policy, Result, Status, lottery, solve
from matcher.choice import Choice
from matcher.mechanisms import load
from matcher.objective import components
from matcher.policy import OBJECTIVES

from . import flows, instances
from .city import policy
from .figures import (
    Figure,
    Seconds,
    compared,
    in_turns,
    kernels,
    peak_mb,
    stated,
    timed,
    weighed,
)
from .model import objective, textbook
from .solvers import Found, by_cp_sat, by_highs

OURS = "orderclass"
OURS_FAST = "orderclass fast"
KERNEL = "orderclass kernel"
TWO, ALL = ", two objectives", ", all objectives"
LIMITS = {"HiGHS": 60, "CP-SAT": 120}
"""The peers of ``optimal`` with minimum sizes, and the seconds of the wall clock that each one has."""


def measure_optimal(name: str, time_s: str, seed: str) -> list[Figure]:
    """``optimal`` on a named market: seconds, whether it is proven, what may be missing.

    Importing the solvers is timed apart, as it is for the peers.
    """
    market = instances.named_market(name, int(seed))
    rules = replace(instances.policy_of(name, "optimal"), time_s=int(time_s))
    _, loading = timed(lambda: load("optimal"))
    result, spent = timed(lambda: solve(market, rules))
    return [
        Figure("solve", spent),
        Figure("loading the solvers", loading),
        Figure("proven", float(result.status is Status.OPTIMAL), ""),
        *_placed(result),
        Figure("pairs", len(market.program), "pairs"),
        Figure("peak memory", peak_mb(), "MB"),
    ]


def _placed(result: Result) -> list[Figure]:
    at = result.components.index("placed")
    placed, bound = result.objective[at], result.bound[at]
    gap = 100 * (bound - placed) / max(1, placed)
    return [
        Figure("placed", placed, "people"),
        Figure("gap of placed", gap, "%"),
        Figure("classes open", int(result.opened.sum()), "classes"),
    ]


def measure_openings(name: str, peer: str, seed: str) -> list[Figure]:
    """A peer on the textbook's model, asked for ``placed`` alone, beside all objectives of ours."""
    market = instances.named_market(name, int(seed))
    rules = replace(instances.policy_of(name, "optimal"), time_s=60)
    load("optimal")
    result, spent = timed(lambda: solve(market, rules))
    model, fills = textbook(market, soft=False)
    only = replace(rules, objective=("placed",))
    worth = objective(market, only, model, fills)[0].worth
    if peer == "HiGHS":
        found = by_highs(model, worth, LIMITS[peer], first_whole=len(market.program))
    else:
        found = by_cp_sat(model, worth, LIMITS[peer])
    _agrees(name, result, found)
    value = [Figure(f"{peer}: placed", found.value, "people")] if found.value else []
    return [
        Figure(f"{OURS}: all objectives", spent),
        Figure(f"{OURS}: proven", float(result.status is Status.OPTIMAL), ""),
        Figure(f"{OURS}: placed", result.objective[result.components.index("placed")], "people"),
        Figure(f"{peer}: build", found.build),
        Figure(f"{peer}: placed alone", found.solve),
        *value,
        Figure(f"{peer}: gap of placed", 100 * found.gap, "%"),
        Figure(f"{peer}: proven", float(found.proven), ""),
    ]


def _agrees(name: str, result: Result, found: Found) -> None:
    """Neither may place more than the other one's bound allows."""
    at = result.components.index("placed")
    ours, bound = result.objective[at], result.bound[at]
    if ours > found.bound + 1e-6 or (found.value is not None and found.value > bound):
        raise ValueError(f"{name}: {ours} ≤ {bound} and {found.value} ≤ {found.bound} disagree")


# --- seats alone


def _plain(name: str, seed: str) -> tuple[Market, Policy, flows.Costs]:
    """A market from which all sides start: the peers know whose each pair is, ours have to find out."""
    market = instances.named_market(name, int(seed))
    _ = market.owner
    rules = replace(policy("optimal"), objective=("placed", "rank"))
    return market, rules, flows.costs(market, rules)


def _peer(costs: flows.Costs, peer: str) -> Callable[[], Seconds]:
    """A side of a comparison: what a peer finds must be worth what the others find."""

    def call() -> Seconds:
        plan = flows.PEERS[peer](costs)
        _known(costs, plan.value)
        return {"build": plan.build, "solve": plan.solve}

    return call


_values: dict[int, flows.Value] = {}


def _known(costs: flows.Costs, value: flows.Value) -> None:
    if _values.setdefault(id(costs), value) != value:
        raise ValueError(f"{value} and {_values[id(costs)]} disagree")


def _ours(
    market: Market, rules: Policy, costs: flows.Costs, fast: bool = False
) -> Callable[[], Seconds]:
    """Our side: ``solve`` as anybody calls it, the lottery's weights apart."""

    def call() -> Seconds:
        again, weights = _fresh(market), Seconds()
        with kernels(fast), _lottery_apart(weights):
            result, spent = timed(lambda: solve(again, rules))
        held = market.edges_of(result.matching)
        _known(costs, costs.value(held[held >= 0]))
        return {"solve": spent - weights["weights"], "lottery weights": weights["weights"]}

    return call


def _two(
    market: Market, rules: Policy, costs: flows.Costs, fast: bool = False
) -> Callable[[], Seconds]:
    """Our path for the two objectives alone, without the lottery and the certificate."""
    from matcher.mechanisms.plan import FREE, Plan

    def call() -> Seconds:
        again, begin = _fresh(market), time.process_time()
        with kernels(fast):
            flow = Plan(again, Choice(again)).flow(np.full(len(again.order_classes), FREE))
            flow.maximise(*components(again, rules))
        held = again.edges_of(flow.matching())
        spent = time.process_time() - begin
        _known(costs, costs.value(held[held >= 0]))
        return {"solve": spent}

    return call


def _kernel(market: Market, costs: flows.Costs) -> Callable[[], Seconds]:
    """The kernel alone, for the same one cost that SimpleMinCostFlow gets."""
    with kernels(True):
        compiled: Any = import_module("matcher.mechanisms.fast")
    empty, people = np.zeros(len(market.programs), np.int64), len(market.applicants)

    def call() -> Seconds:
        (held, _), spent = timed(
            lambda: compiled.assignment(
                market.owner, market.program, costs.net, market.capacity, empty, people
            )
        )
        _known(costs, costs.value(held[held >= 0]))
        return {"solve": spent}

    call()  # so that it is compiled
    return call


def _fresh(market: Market) -> Market:
    """The market without what it remembers of earlier work."""
    return replace(market)


@contextmanager
def _lottery_apart(weights: Seconds) -> Iterator[None]:
    """Enter the seconds that the lottery's weights take while the block runs."""
    real, spent = lottery.tie_weights, [0.0]

    def counted(*arguments: Any) -> Any:
        begin = time.process_time()
        found = real(*arguments)
        spent[0] += time.process_time() - begin
        return found

    with mock.patch.object(lottery, "tie_weights", counted):
        yield
    weights["weights"] = spent[0]


def measure_assignment(name: str, seed: str) -> list[Figure]:
    """Every peer that can do the assignment problem, and ours, in turns."""
    market, rules, costs = _plain(name, seed)
    ours = {
        OURS + TWO: _two(market, rules, costs),
        OURS: _ours(market, rules, costs),
        KERNEL: _kernel(market, costs),
        OURS_FAST + TWO: _two(market, rules, costs, fast=True),
        OURS_FAST: _ours(market, rules, costs, fast=True),
    }
    instances.warm()
    taken = in_turns(ours | {peer: _peer(costs, peer) for peer in flows.PEERS})
    others = [peer for peer in flows.PEERS if peer != flows.DIRECT]
    fastest = min(others, key=lambda peer: median(sum(t.values()) for t in taken[peer]))
    return [
        *stated(taken),
        *(
            Figure(f"fastest of the others / {side}", compared(taken, fastest, side), "times")
            for side in ours
        ),
    ]


def measure_flow(name: str, seed: str) -> list[Figure]:
    """SimpleMinCostFlow called directly for two objectives, and ours for those and for all."""
    market, rules, costs = _plain(name, seed)
    every = replace(rules, objective=OBJECTIVES)
    sides = {
        flows.DIRECT: _peer(costs, flows.DIRECT),
        OURS + TWO: _two(market, rules, costs),
        OURS + ALL: _ours(market, every, costs),
        KERNEL: _kernel(market, costs),
        OURS_FAST + TWO: _two(market, rules, costs, fast=True),
        OURS_FAST + ALL: _ours(market, every, costs, fast=True),
    }
    instances.warm()
    taken = in_turns(sides)
    weights = median(turn.pop("lottery weights") for turn in taken[OURS + ALL])
    for turn in taken[OURS_FAST + ALL]:
        turn.pop("lottery weights")
    return [
        *stated(taken),
        Figure(f"{OURS + ALL}: lottery weights", weights),
        *(
            Figure(f"{side} / {flows.DIRECT}", compared(taken, side, flows.DIRECT), "times")
            for side in (OURS + TWO, OURS + ALL)
        ),
        *(
            Figure(f"{flows.DIRECT} / {side}", compared(taken, flows.DIRECT, side), "times")
            for side in (KERNEL, OURS_FAST + TWO, OURS_FAST + ALL)
        ),
    ]


def measure_flow_memory(name: str, seed: str) -> list[Figure]:
    """The memory that each side needs beyond the market and all libraries, in a process of its own."""
    sides = (flows.DIRECT, OURS + ALL, OURS_FAST + TWO, OURS_FAST + ALL)
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        megabytes = {side: pool.submit(_memory, name, side, seed).result() for side in sides}
    direct = max(1, megabytes[flows.DIRECT])
    return [
        *(Figure(f"{side}: memory", megabytes[side], "MB") for side in sides),
        *(
            Figure(f"memory: {side} / {flows.DIRECT}", megabytes[side] / direct, "times")
            for side in (OURS_FAST + TWO, OURS_FAST + ALL)
        ),
    ]


def _memory(name: str, side: str, seed: str) -> float:
    market, rules, costs = _plain(name, seed)
    every = replace(rules, objective=OBJECTIVES)
    sides = {
        flows.DIRECT: _peer(costs, flows.DIRECT),
        OURS + ALL: _ours(market, every, costs),
        OURS_FAST + TWO: _two(market, rules, costs, fast=True),
        OURS_FAST + ALL: _ours(market, every, costs, fast=True),
    }
    megabytes: Seconds = {}
    instances.warm()
    with weighed(megabytes, side):
        sides[side]()
    return megabytes[side]
