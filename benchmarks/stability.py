"""Stable placements: beside other people's programs, with exact closing, and of greatest size."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from matcher import Status, solve

from . import instances
from .figures import Figure, Seconds, compared, in_turns, kernels, peak_mb, stated, timed
from .peers import Answer, by_algmatch, by_matcher, by_matching, deeply

OURS, OURS_FAST = "orderclass", "orderclass fast"


def measure_contest(name: str, seed: str) -> list[Figure]:
    """Every side's seconds of building and solving, in turns; all matchings must be identical."""
    instances.warm()
    contest = instances.named_contest(name, int(seed))
    _ = contest.applicants, contest.programs  # given, and not built by anybody
    found: dict[str, Answer] = {}

    def side(called: str, answer: Callable[..., Answer]) -> Seconds:
        gc.collect()
        with kernels(called == OURS_FAST):
            found[called] = deeply(partial(answer, contest))
        if found[called].matching != found[OURS].matching:
            raise ValueError(f"{name}: the matchings of {OURS} and {called} differ")
        return {"build": found[called].build, "solve": found[called].solve}

    sides = {
        OURS: by_matcher,
        OURS_FAST: by_matcher,
        "matching": by_matching,
        "algmatch": by_algmatch,
    }
    taken = in_turns({called: partial(side, called, answer) for called, answer in sides.items()})
    return [
        *stated(taken),
        *(
            Figure(
                f"faster peer / {ours}",
                min(compared(taken, peer, ours) for peer in ("matching", "algmatch")),
                "times",
            )
            for ours in (OURS, OURS_FAST)
        ),
    ]


def measure_closing(name: str, time_s: str, seed: str) -> list[Figure]:
    """Exact closing on a named market: seconds, whether it is proven, classes closed."""
    market = instances.named_market(name, int(seed))
    rules = replace(instances.policy_of(name, "stable"), closure="exact", time_s=int(time_s))
    result, spent = timed(lambda: solve(market, rules))
    at = result.components.index("placed")
    return [
        Figure("solve", spent),
        Figure("proven", float(result.status is Status.OPTIMAL), ""),
        Figure("placed", result.objective[at], "people"),
        Figure("bound of placed", result.bound[at], "people"),
        Figure("classes closed", len(result.closings), "classes"),
        Figure("peak memory", peak_mb(), "MB"),
    ]


def measure_stable(name: str, seed: str) -> list[Figure]:
    """Deferred acceptance on a named market."""
    instances.warm()
    market, rules = instances.named_market(name, int(seed)), instances.policy_of(name, "stable")
    result, spent = timed(lambda: solve(market, rules))
    return [
        Figure("solve", spent),
        Figure("placed", int((result.matching >= 0).sum()), "people"),
        Figure("pairs", len(market.program), "pairs"),
        Figure("peak memory", peak_mb(), "MB"),
    ]


def measure_max_placement(name: str, time_s: str, seed: str) -> list[Figure]:
    """The greatest weakly stable placement: seconds, size, bound, whether it is proven."""
    market, rules = instances.tied_market(name, int(seed))
    rules = replace(rules, time_s=int(time_s))
    result, spent = timed(lambda: solve(market, replace(rules, mechanism="max_placement")))
    at = result.components.index("placed")
    usual = solve(market, replace(rules, mechanism="stable", closure="sequential"))
    return [
        Figure("solve", spent),
        Figure("proven", float(result.status is Status.OPTIMAL), ""),
        Figure("placed", result.objective[at], "people"),
        Figure("bound of placed", result.bound[at], "people"),
        Figure("placed by `stable`", int((usual.matching >= 0).sum()), "people"),
        Figure("peak memory", peak_mb(), "MB"),
    ]
