"""Counting draws on the screen: what it will cost where every draw is dear, and a bar while it lasts."""

from __future__ import annotations

import time
from concurrent.futures import BrokenExecutor
from functools import partial

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from . import conflicts_screen, odds
from .given import Given
from .market import Market
from .policy import Policy
from .solve import NoPlan, UnsupportedConstraint, mechanism_of
from .speaker import UNPUBLISHABLE, Speaker

LONG = 60.0
"""Seconds of work that are told before they begin."""


def counted(given: Given, draws: int, workers: int, speaker: Speaker) -> odds.Odds:
    """The counts over so many draws, with a bar on standard error while they are made.

    Where every draw is a search of its own, the first one is timed, and what the others will take is
    said before they begin.
    """
    market, policy = given.market, given.policy
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=speaker.err.output, transient=True, disable=not speaker.err.output.is_terminal,
    )  # fmt: skip
    found = odds.Odds.nothing(market)
    try:
        first = 0
        if searches(market, policy):
            if policy.time_s:
                speaker.err.say("odds_no_limit")
            mechanism_of(market, policy)  # a solver is loaded before anything is timed
            begun = time.perf_counter()
            found, first = odds.odds(market, policy, 1), 1
            _foretell(time.perf_counter() - begun, draws, workers, speaker)
        left = draws - first
        with odds.processes(min(workers, max(1, -(-left // odds.BATCH)))) as pool, bar:
            task = bar.add_task(speaker.err.name("step", "draws"), total=draws, completed=first)
            advance = partial(bar.advance, task)
            found += odds.odds(market, policy, left, pool, first, progress=advance)
    except UnsupportedConstraint as error:
        speaker.refuse(error.issues)
    except NoPlan:
        conflicts_screen.refuse(market, speaker)
    except BrokenExecutor:
        speaker.stop(UNPUBLISHABLE, "workers_lost")
    if not found.draws:
        speaker.stop(UNPUBLISHABLE, "odds_none", draws=draws)
    return found


def searches(market: Market, policy: Policy) -> bool:
    """Whether every draw is a search, and not just deferred acceptance."""
    exact = policy.closure == "exact" and bool((market.min_size > 1).any())
    return exact or policy.mechanism not in ("stable", "parallel")


def _foretell(seconds: float, draws: int, workers: int, speaker: Speaker) -> None:
    """Say what the draws will take by the first one, where that is long."""
    whole = seconds * (draws - 1) / min(workers, max(1, draws - 1))
    if whole < LONG:
        return
    minutes = max(1, round(whole / 60))
    speaker.err.say(
        "odds_cost", seconds=f"{seconds:.1f}", draws=draws, hours=minutes // 60,
        minutes=f"{minutes % 60:02d}", workers=workers,
    )  # fmt: skip
