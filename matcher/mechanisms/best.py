"""The best plan that a search knows, and how far another one is from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..cells import Int
from .plan import Flow

if TYPE_CHECKING:
    from .openings import Search


class OutOfTime(Exception):
    """The limit of time is reached before the search has ended."""


@dataclass
class Best:
    """The best plan known: its placement, openings and value, and its flow where it has one."""

    matching: Int
    openings: Int
    value: tuple[int, ...]
    flow: Flow | None = None


class Elsewhere:
    """How many people a plan places where the best one does not: at most 0 proves it unique."""

    name, per_reserve, reach = "elsewhere", 0, 1

    def __init__(self, search: Search) -> None:
        self.search = search

    def at(self, edges: Int) -> Int:
        """What each of some edges is worth."""
        found: Int = self.worth[edges]
        return found

    @property
    def worth(self) -> Int:
        """What each edge is worth.  Shape (e,)."""
        market, best = self.search.plan.market, self.search.best
        assert best is not None
        other: Int = (best.matching[market.owner] != market.program).astype(np.int64)
        return other
