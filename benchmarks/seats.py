"""One more seat: the plan that follows from the best one, against the same kernel from scratch."""

from __future__ import annotations

from importlib import import_module
from statistics import median
from typing import Any

import numpy as np

from . import flows, instances
from .city import policy
from .figures import Figure, NotMeasured, kernels, timed
from .model import Int

ASKED, CHECKED = 1_000, 3
"""Programs that are asked for the value of one more seat, and that are solved again to check it."""


def measure_one_more(name: str, seed: str) -> list[Figure]:
    """Seconds of a best plan from scratch, and of what one more seat changes in it.

    The gain of each seat that is checked must be what the plan with that seat, solved from scratch,
    is worth more.
    """
    with kernels(True):
        compiled: Any = import_module("matcher.mechanisms.fast")
    if not hasattr(compiled, "one_more"):
        raise NotMeasured("the kernels do not re-solve one more seat")
    instances.warm()
    market = instances.named_market(name, int(seed))
    costs = flows.costs(market, policy("optimal"))
    empty, people = np.zeros(len(market.programs), np.int64), len(market.applicants)

    def solved(seats: Int) -> tuple[Int, Int]:
        found: tuple[Int, Int] = compiled.assignment(
            market.owner, market.program, costs.net, seats, empty, people
        )
        return found

    solved(market.capacity)
    (held, loss), scratch = timed(lambda: solved(market.capacity))
    (plan, build) = timed(
        lambda: compiled.standing(
            market.owner, market.program, -costs.net[:, None], held, loss[:, None]
        )
    )
    rng = np.random.default_rng(int(seed))
    asked = rng.permutation(len(market.programs))[:ASKED].tolist()
    compiled.one_more(plan, asked[0])
    taken = [timed(lambda p=p: compiled.one_more(plan, p)) for p in asked]  # type: ignore[misc]
    gains, seconds = [gain for gain, _ in taken], [spent for _, spent in taken]
    again = []
    for p, (gain, moves) in list(zip(asked, gains, strict=True))[:CHECKED]:
        seats = market.capacity.copy()
        seats[p] += 1
        (other, _), spent = timed(lambda seats=seats: solved(seats))  # type: ignore[misc]
        again.append(spent)
        if _worth(costs, other) - _worth(costs, held) != int(gain[0]):
            raise ValueError(f"{market.programs[p]}: one more seat is not worth {gain[0]}")
        if bool(moves) != bool(gain[0]):
            raise ValueError(f"{market.programs[p]}: {moves} for {gain[0]}")
    whole, filled = median([scratch, *again]), [len(moves) for _, moves in gains if moves]
    return [
        Figure("from scratch", whole),
        Figure("lists of the best plan, once", build),
        Figure("one more seat, median", 1e6 * median(seconds), "µs"),
        Figure("one more seat, mean", 1e6 * float(np.mean(seconds)), "µs"),
        Figure("from scratch / median", whole / median(seconds), "times"),
        Figure("from scratch / mean", whole / float(np.mean(seconds)), "times"),
        Figure("seats that somebody takes", 100 * len(filled) / len(asked), "%"),
        Figure("people who then move", float(np.mean(filled or [0])), "on average"),
    ]


def _worth(costs: flows.Costs, held: Int) -> int:
    """What the edges that people hold are worth."""
    return -int(costs.net[held[held >= 0]].sum())
