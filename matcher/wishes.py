"""What people want: every application, barred or not, and who would rather be where."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import cells
from .cells import Int
from .market import Market

Bool = NDArray[np.bool_]


class Wishes(NamedTuple):
    """The listed pairs of a round before the law was applied: one line per pair, in her order."""

    applicant: Int
    program: Int
    rank: Int


def wishes(market: Market) -> Wishes:
    """Every pair that somebody listed, with her number for it; the first mention counts.

    A class in a list stands for its programs in plan order.

    Notes
    -----
    O(pairs log pairs).
    """
    table = market.tables["applications"]
    owner = cells.positions(table["applicant"], _index(market.applicants))
    rank = cells.integers(table["rank"])
    program = cells.positions(table["program"], _index(market.programs))
    whole = cells.positions(table["program"], _index(market.order_classes))
    inside = np.argsort(market.class_of, kind="stable")
    first = np.searchsorted(market.class_of[inside], np.arange(len(market.order_classes) + 1))
    size = np.where(program >= 0, 1, first[whole + 1] - first[whole])
    line = np.repeat(np.arange(len(owner)), size)
    nth = np.arange(len(line)) - np.repeat(np.cumsum(size) - size, size)
    of_class = inside[np.minimum(first[whole[line]] + nth, len(inside) - 1)]
    pair = np.where(program[line] >= 0, program[line], of_class)
    order = np.lexsort((market.program_order[pair], rank[line], owner[line]))
    owner, pair, rank = owner[line][order], pair[order], rank[line][order]
    _, mention = np.unique(owner * len(market.programs) + pair, return_index=True)
    mention.sort()
    return Wishes(owner[mention], pair[mention], rank[mention])


def preferred(market: Market, matching: Int) -> Bool:
    """The edges that lead where their owner would rather be than where she is.  Shape (e,)."""
    held = market.edges_of(matching)
    limit = np.where(held < 0, market.start[1:], held)
    wanted: Bool = np.arange(len(market.program)) < limit[market.owner]
    return wanted


def _index(names: list[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(names)}
