"""One more seat in the best plan of a market that nothing but seats limits, without solving again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType

import numpy as np

from ..objective import Component
from .flow import FAR
from .packing import Packing
from .plan import Flow


@dataclass(frozen=True)
class OneMore:
    """What one more seat of a program brings.

    Parameters
    ----------
    gain
        What each component gains, all zero where the seat would stay empty.
    moves
        Who moves, as (applicant, program that she leaves, program that she goes to), from the new
        seat on; −1 for the program of whoever was unplaced.
    """

    gain: tuple[int, ...]
    moves: tuple[tuple[int, int, int], ...]


class Standing:
    """A best plan that can be asked about one more seat.

    Parameters
    ----------
    flow
        The plan's flow, all its components solved.
    components
        These components, the lottery's weights of every edge included.
    compiled
        The kernels.

    Notes
    -----
    The next best plan differs by one chain of people (one augmenting path; the objective is that of a
    flow), and the potentials lead to it: each question is one search over a few programs.
    """

    def __init__(self, flow: Flow, components: Sequence[Component], compiled: ModuleType) -> None:
        market, self.compiled = flow.plan.market, compiled
        programs = len(market.programs)
        most = [2 * programs * int(np.abs(c.worth).max(initial=0)) for c in components]
        self.words = _words(most)
        first = np.append(0, np.cumsum([len(word.most) for word in self.words]))
        parts = [range(a, b) for a, b in pairwise(first)]
        seats = slice(flow.first_seat, flow.first_seat + programs)
        prices = [np.where(p[seats] < FAR, p[seats], 0) for p in flow.potentials]
        self.plan = compiled.standing(
            market.owner,
            market.program,
            self._pack([c.worth for c in components], parts),
            market.edges_of(flow.matching()),
            self._pack(prices, parts),
        )

    def _pack(self, columns: Sequence[np.ndarray], parts: Sequence[range]) -> np.ndarray:
        packed = [
            word.pack([columns[k] for k in part])
            for word, part in zip(self.words, parts, strict=True)
        ]
        return np.stack(packed, axis=1)

    def one_more(self, program: int) -> OneMore:
        """What one more seat of a program brings; the plan stays as it is."""
        packed, moves = self.compiled.one_more(self.plan, program)
        gain = [
            int(part)
            for word, total in zip(self.words, packed, strict=True)
            for part in word.unpack(total)
        ]
        return OneMore(tuple(gain), tuple(moves))


def _words(most: Sequence[int]) -> list[Packing]:
    """As few words as hold sums of components up to these."""
    words: list[list[int]] = []
    for bound in most:
        if words and Packing([*words[-1], bound]).greatest < FAR:
            words[-1].append(bound)
        else:
            words.append([bound])
    return [Packing(word) for word in words]
