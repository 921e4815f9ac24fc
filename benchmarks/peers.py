"""The same contest put to other people's programs.

Each answer is the program of every applicant, -1 for nobody's.  A peer's players are built from the
lists of the contest; people and programs that no list names are left out, as both peers want a list
from everybody.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from matcher import solve

from .contest import Contest

STACK = 512 * 2**20
DEPTH = 1_000_000


@dataclass(frozen=True)
class Answer:
    """A matching and the CPU seconds of making it."""

    matching: tuple[int, ...]
    build: float
    solve: float


def timed(build: Callable[[], Any], answer: Callable[[Any], Any]) -> tuple[Any, float, float]:
    """What ``answer(build())`` gives, and the CPU seconds of either step."""
    begin = time.process_time()
    built = build()
    middle = time.process_time()
    answered = answer(built)
    return answered, middle - begin, time.process_time() - middle


def by_matcher(contest: Contest) -> Answer:
    """Ours, from arrays: a `Market`, then the placement with its thresholds."""
    policy = contest.policy()
    result, build, spent = timed(contest.market, lambda market: solve(market, policy))
    return Answer(tuple(result.matching.tolist()), build, spent)


def by_matching(contest: Contest) -> Answer:
    """`matching`'s HospitalResident, optimal for residents."""
    from matching.games import HospitalResident

    def build() -> HospitalResident:
        lists, orders = contest.lists(), contest.orders()
        people, programs = contest.applicants, contest.programs
        return HospitalResident.create_from_dictionaries(
            {people[i]: [programs[p] for p in one] for i, one in enumerate(lists) if one},
            {programs[p]: [people[i] for i in one] for p, one in enumerate(orders) if one},
            {programs[p]: int(contest.capacity[p]) for p, one in enumerate(orders) if one},
        )

    game, seconds, spent = timed(build, lambda game: game.solve(optimal="resident"))
    placed = {int(r.name[1:]): int(h.name[1:]) for h, chosen in game.items() for r in chosen}
    return Answer(tuple(placed.get(i, -1) for i in range(contest.size)), seconds, spent)


def by_algmatch(contest: Contest) -> Answer:
    """`algmatch`'s HospitalResidentsProblem, optimal for residents."""
    from algmatch import HospitalResidentsProblem

    def build() -> HospitalResidentsProblem:
        lists, orders = contest.lists(), contest.orders()
        hospitals = {
            p: {"capacity": int(contest.capacity[p]), "preferences": one}
            for p, one in enumerate(orders)
            if one
        }
        residents = {i: one for i, one in enumerate(lists) if one}
        return HospitalResidentsProblem(
            dictionary={"residents": residents, "hospitals": hospitals},
            optimised_side="residents",
        )

    found, seconds, spent = timed(build, lambda problem: problem.get_stable_matching())
    placed = {int(r[1:]): int(h[1:]) for r, h in found["resident_sided"].items() if h}
    return Answer(tuple(placed.get(i, -1) for i in range(contest.size)), seconds, spent)


def deeply(call: Callable[[], Any]) -> Any:
    """Run a call with room for deep recursion: peers copy players that hold lists of players."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # handed to the caller, below
            outcome.append(error)

    limit, stack = sys.getrecursionlimit(), threading.stack_size(STACK)
    sys.setrecursionlimit(DEPTH)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(stack)
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]
