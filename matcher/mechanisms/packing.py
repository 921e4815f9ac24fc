"""Several costs in one number that compares as they do in their order.

A cost counts before all that follow it.  Where each of them adds up, on any path, to at most so much,
one weighted sum says the same: each weight exceeds twice what all the later ones together can make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..cells import Int


@dataclass(frozen=True)
class Packing:
    """A mixed radix for sums of costs.

    Parameters
    ----------
    most
        Per cost, the first counting most: what its absolute sum on a path does not exceed.

    Examples
    --------
    >>> packing = Packing([3, 10])
    >>> packing.pack([np.array([1, 0]), np.array([-10, 7])])
    array([11,  7])
    >>> packing.unpack(np.array([11, 7]))
    [array([1, 0]), array([-10,   7])]
    """

    most: Sequence[int]

    @property
    def greatest(self) -> int:
        """What no packed sum on a path exceeds."""
        total = 0
        for most in self.most:
            total = total * (2 * most + 1) + most
        return total

    def pack(self, costs: Sequence[Int], kind: type[np.signedinteger[Any]] = np.int64) -> Int:
        """Costs of equal shape as one; the caller sees to it that the kind of number holds it."""
        total = costs[0].astype(kind)
        for cost, most in zip(costs[1:], self.most[1:], strict=True):
            total *= 2 * most + 1
            total += cost
        return total

    def unpack(self, total: Int) -> list[Int]:
        """The sums that a packed sum stands for."""
        found = []
        for most in reversed(self.most[1:]):
            low = (total + most) % (2 * most + 1) - most
            total = (total - low) // (2 * most + 1)
            found.append(low)
        return [total, *reversed(found)]
