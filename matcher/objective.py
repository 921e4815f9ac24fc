"""The objective: components in the policy's order, each an integer to be made as large as possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from .cells import Int, occurring
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
        worth = self.worth
        return max(int(worth.max(initial=0)), -int(worth.min(initial=0)), self.per_reserve)


@dataclass(frozen=True)
class Ranked:
    """A component in which an edge is worth what its rank is: a column is made when it is asked for."""

    name: str
    of_rank: Int
    rank: Int
    per_reserve: int = 0

    def at(self, edges: Int) -> Int:
        """What each of some edges is worth."""
        found: Int = self.of_rank[self.rank[edges]]
        return found

    @cached_property
    def worth(self) -> Int:
        """What each edge is worth.  Shape (e,)."""
        found: Int = self.of_rank[self.rank]
        return found

    @cached_property
    def reach(self) -> int:
        """The greatest worth of an edge in absolute value."""
        there = occurring(self.rank, len(self.of_rank))
        return int(np.abs(self.of_rank[there]).max(initial=0))


def components(market: Market, policy: Policy) -> list[Counted]:
    """The components that the policy orders, ``rank`` spread out, lottery apart.

    ``worth`` has shape (e,).
    """
    nothing, one = (np.broadcast_to(np.int64(value), len(market.program)) for value in (0, 1))
    found: dict[str, list[Counted]] = {
        "placed": [Component("placed", one)],
        "reserves": [Component("reserves", nothing, 1)],
        "rank": _rank(market, policy),
        "fit": [Component("fit", market.fit)],
    }
    return [component for name in policy.objective for component in found[name]]


def rank_costs(market: Market, policy: Policy) -> Int:
    """The cost of each edge's rank: ``rank_costs``, by default rank − 1; in the tail the greater of
    ``preferences.max`` and the greatest rank in the round.  Shape (e,)."""
    return _cost_table(market, policy)[market.rank]


def _cost_table(market: Market, policy: Policy) -> Int:
    """The cost of each rank, first that of the tail."""
    most = max(policy.max_choices, market.greatest_rank)
    return np.array([most, *(policy.rank_costs or range(most))])


def _rank(market: Market, policy: Policy) -> list[Counted]:
    if policy.rank == "min_cost":
        return [Ranked("rank", -_cost_table(market, policy), market.rank)]
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
    market: Market, ordered: Sequence[Counted], matching: Int, choice: Choice
) -> tuple[int, ...]:
    """The value of each component for a matching."""
    held = market.edges_of(matching)
    edges = held[held >= 0]
    filled = reserved_filled(market, matching, choice)
    return tuple(int(c.at(edges).sum()) + c.per_reserve * filled for c in ordered)


def reserved_filled(market: Market, matching: Int, choice: Choice) -> int:
    """The greatest number of reserved seats that the people placed can fill, over all programs."""
    if not market.reserves:
        return 0
    held = market.edges_of(matching)
    at: dict[int, list[int]] = {}
    for edge in held[held >= 0].tolist():
        at.setdefault(choice.program[edge], []).append(edge)
    return sum(choice.reserved_filled(p, e) for p, e in at.items() if choice.seats[p].reserved)
