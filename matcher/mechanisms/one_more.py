"""One more seat in the best plan of a market that nothing but seats limits, without solving again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from ..cells import Int
from ..objective import Counted
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
    """A best plan that can be asked about one more seat of any program.

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
    The next best plan differs by one chain of people: an augmenting path of the flow.  One search, made
    at once, finds those of all programs; a question then costs as many steps as people move.
    """

    def __init__(self, flow: Flow, components: Sequence[Counted], compiled: ModuleType) -> None:
        market, self.compiled = flow.plan.market, compiled
        programs = len(market.programs)
        self.words = _words([2 * programs * _greatest(c.worth) for c in components])
        seats = slice(flow.first_seat, flow.first_seat + programs)
        price = self._pack([np.where(p[seats] < FAR, p[seats], 0) for p in flow.potentials])
        price[flow.potentials[0][seats] == FAR] = FAR  # no seat yet, so nobody moves on from there
        worth = self._pack([c.worth for c in components])
        held = market.edges_of(flow.matching())
        self.plan = compiled.standing(market.owner, market.program, worth, held, price)

    def _pack(self, columns: Sequence[Int]) -> Int:
        left = iter(columns)
        return np.stack([w.pack([next(left) for _ in w.most]) for w in self.words], axis=1)

    def one_more(self, program: int) -> OneMore:
        """What one more seat of a program brings, and who moves for it; the plan stays as it is."""
        packed, moves = self.compiled.one_more(self.plan, program)
        gain = [
            int(part)
            for word, total in zip(self.words, packed, strict=True)
            for part in word.unpack(total)
        ]
        return OneMore(tuple(gain), tuple(moves))


def _greatest(worth: Int) -> int:
    return int(np.abs(worth).max(initial=0))


def _words(most: Sequence[int]) -> list[Packing]:
    """As few words as hold sums of components up to these."""
    words: list[list[int]] = []
    for bound in most:
        if words and Packing([*words[-1], bound]).greatest < FAR:
            words[-1].append(bound)
        else:
            words.append([bound])
    return [Packing(word) for word in words]
