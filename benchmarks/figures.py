"""Figures: what a measurement yields, and how seconds and memory are taken."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeVar
from unittest import mock

Answer = TypeVar("Answer")
Seconds = dict[str, float]

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
TURNS, ENOUGH_S = 5, 6.0
"""Sides of a comparison take this many turns at most, and no further one after so many seconds."""

SHORT_S = 0.1
"""A turn's calls go on until they have taken so long: a single one of milliseconds says little."""


class Figure(NamedTuple):
    """A number with its unit; ``proven`` is 1 or 0 and has none."""

    what: str
    value: float
    unit: str = "s"


class NotMeasured(Exception):
    """There is nothing to measure here, and the message says why."""


@contextmanager
def kernels(used: bool) -> Iterator[None]:
    """Have the compiled kernels used, or not, while a block runs.

    Raises
    ------
    NotMeasured
        If they are asked for and not installed.
    """
    if used and find_spec("numba") is None:
        raise NotMeasured("the extra `fast` is not installed")
    with mock.patch.dict(os.environ, ORDERCLASS_FAST=str(int(used))):
        yield


@contextmanager
def clocked(stages: Seconds, name: str) -> Iterator[None]:
    """Enter the CPU seconds of a block under a name."""
    begin = time.process_time()
    yield
    stages[name] = time.process_time() - begin


def timed(call: Callable[[], Answer]) -> tuple[Answer, float]:
    """What a call answers, and its CPU seconds."""
    begin = time.process_time()
    answer = call()
    return answer, time.process_time() - begin


def peak_mb() -> float:
    """The most memory that this process has held, in megabytes.

    Not the resource module's figure where the kernel tells: that one starts at the parent's size.
    """
    return _told("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def weighed(megabytes: Seconds, name: str) -> Iterator[None]:
    """Enter the memory that a block needs beyond what is held before it, under a name."""
    if RESET.exists():
        RESET.write_text("5", encoding="ascii")
    before = _told("VmRSS") or peak_mb()
    yield
    megabytes[name] = peak_mb() - before


def _told(key: str) -> float:
    if STATUS.is_file():
        for line in STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) / 1024
    return 0.0


def in_turns(sides: dict[str, Callable[[], Seconds]]) -> dict[str, list[Seconds]]:
    """Let sides take turns; each answers with the seconds of its steps.

    A turn is one call of every side, or the median of several where they are short, so that whatever
    disturbs the machine disturbs all of them.
    """
    taken: dict[str, list[Seconds]] = {side: [] for side in sides}
    begin = time.perf_counter()
    for turn in range(TURNS):
        if turn and time.perf_counter() - begin > ENOUGH_S:
            break
        for side, call in sides.items():
            taken[side].append(_turn(call))
    return taken


def _turn(call: Callable[[], Seconds]) -> Seconds:
    """The median of every step over as many calls as fit into a short while; of one, if it is longer."""
    calls, spent = [call()], 0.0
    while (spent := spent + sum(calls[-1].values())) < SHORT_S:
        calls.append(call())
    return {step: median(one[step] for one in calls) for step in calls[0]}


def compared(taken: dict[str, list[Seconds]], one: str, other: str) -> float:
    """How many times as long as the other one takes: the median over the turns."""
    turns = zip(taken[one], taken[other], strict=True)
    return median(sum(a.values()) / sum(b.values()) for a, b in turns)


def stated(taken: dict[str, list[Seconds]]) -> list[Figure]:
    """The median over the turns of every step of every side."""
    return [
        Figure(f"{side}: {step}", median(turn[step] for turn in turns))
        for side, turns in taken.items()
        for step in turns[0]
    ]
