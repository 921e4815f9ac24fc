"""The objective: components in the policy's order, each an integer to be made as large as possible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from .cells import Int
from .choice import Choice
from .market import Market
from .policy import Policy

LOTTERY = ("lottery_1", "lottery_2")


class Counted(Protocol):
    """Whatever is counted over the pairs of a plan, and over the reserved seats that it fills."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def worth(self) -> Int:
        """What each edge is worth.  Shape (e,)."""

    @property
    def per_reserve(self) -> int:
        """What each reserved seat filled is worth."""

    @property
    def reach(self) -> int:
        """The greatest worth of an edge or of a reserved seat, in absolute value."""

    def at(self, edges: Int) -> Int:
        """What each of some edges is worth."""


class Component(NamedTuple):
    """One integer of the objective: its name, its worth per edge, and per reserved seat filled."""

    name: str
    worth: Int
    per_reserve: int = 0

    def at(self, edges: Int) -> Int:
        """What each of some edges is worth."""
        found: Int = self.worth[edges]
        return found

    @property
    def reach(self) -> int:
        """The greatest worth of an edge or of a reserved seat, in absolute value."""
        return max(int(np.abs(self.worth).max(initial=0)), self.per_reserve)


def components(market: Market, policy: Policy) -> list[Component]:
    """The components that the policy orders, ``rank`` spread out, lottery apart.

    ``worth`` has shape (e,).
    """
    ones = np.ones(len(market.program), np.int64)
    found = {
        "placed": [Component("placed", ones)],
        "reserves": [Component("reserves", 0 * ones, 1)],
        "rank": _rank(market, policy),
        "fit": [Component("fit", market.fit)],
    }
    return [component for name in policy.objective for component in found[name]]


def rank_costs(market: Market, policy: Policy) -> Int:
    """The cost of each edge's rank: ``rank_costs``, by default rank − 1; in the tail the greater of
    ``preferences.max`` and the greatest rank in the round.  Shape (e,)."""
    most = max(policy.max_choices, market.greatest_rank)
    table = list(policy.rank_costs) or list(range(most))
    return np.array([most, *table])[market.rank]


def _rank(market: Market, policy: Policy) -> list[Component]:
    if policy.rank == "min_cost":
        return [Component("rank", -rank_costs(market, policy))]
    ranks = [*range(1, market.greatest_rank + 1), 0]
    sign = 1
    if policy.rank == "generous":
        ranks, sign = ranks[::-1], -1
    return [Component(f"rank_{r}", sign * (market.rank == r)) for r in ranks]


def ceiling(market: Market, component: Counted) -> int:
    """What no placement can exceed in a component, whatever else it does.

    Everybody's best edge, of as many people as there are seats, and every reserved seat filled.
    """
    best = np.zeros(len(market.applicants), np.int64)
    np.maximum.at(best, market.owner, component.worth)
    most = np.sort(best)[::-1][: int(market.capacity.sum())]
    return int(most.sum()) + component.per_reserve * sum(r.seats for r in market.reserves)


def evaluate(
    market: Market, ordered: Sequence[Component], matching: Int, choice: Choice
) -> tuple[int, ...]:
    """The value of each component for a matching."""
    held = market.edges_of(matching)
    edges = held[held >= 0]
    filled = reserved_filled(market, matching, choice)
    return tuple(int(c.worth[edges].sum()) + c.per_reserve * filled for c in ordered)


def reserved_filled(market: Market, matching: Int, choice: Choice) -> int:
    """The greatest number of reserved seats that the people placed can fill, over all programs."""
    if not market.reserves:
        return 0
    held = market.edges_of(matching)
    at: dict[int, list[int]] = {}
    for edge in held[held >= 0].tolist():
        at.setdefault(choice.program[edge], []).append(edge)
    return sum(choice.reserved_filled(p, e) for p, e in at.items() if choice.seats[p].reserved)
