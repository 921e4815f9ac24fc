"""The flow of a market that nothing but seats limits, by the kernel that fills them one by one.

What it gives is proven by its potentials in integers before it counts; where that fails, or where
numbers would not fit, the solver's flow is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np

from ..cells import Int, pieces
from .flow import FAR, Network, extreme


@dataclass
class Assigned(Network):
    """A network of ``people``, each with arcs to seats and one to the sink, and of programs.

    ``program`` is that of each arc to a seat.

    Nodes: people, kinds of seat (one per program), seats below, programs, others without an arc, the
    sink.  Arcs: of people to seats; of people to the sink; of seats to those below, of those to
    programs, of programs to the sink.
    """

    program: Int = field(kw_only=True)
    people: int = 0
    compiled: ModuleType | None = None

    def _fits(self, greatest: int, dearest: int) -> bool:
        return greatest < FAR >> 3

    def _minimise(self, cost: Int, lighter: Callable[[], Int] | None = None) -> Int:
        n, m, arcs = self.people, self.programs, len(self.program)
        owner, program = self.tail[:arcs], self.program
        taken = ~self.free & (self.flow > 0)
        done = taken[arcs : arcs + n].copy()
        done[owner[taken[:arcs]]] = True
        must_place, must_fill = ~self.free[arcs : arcs + n] & ~done, ~self.free[-m:]
        among = self.free[:arcs]
        if done.any():
            among = among & ~done[owner]
        left = np.where(must_fill, self.flow[-m:], self.capacity[-m:])
        left = left - np.bincount(program[taken[:arcs]], minlength=m)
        reach = 2 * m * max((extreme(cost[p][among[p]]) for p in pieces(arcs)), default=0) + 1
        beyond = 2 * reach if must_place.any() or must_fill.any() else 0
        narrow = (self.capacity[arcs + n : -m].reshape(2, m) < self.capacity[-m:]).any()
        if reach + 2 * beyond >= 2 * FAR or cost[arcs:].any() or narrow:
            return super()._minimise(cost, lighter)
        assert self.compiled is not None
        price = cost[:arcs] - beyond * must_place[owner] if beyond else cost[:arcs]
        held, loss = self.compiled.assignment(
            owner, program, price, left, beyond * must_fill, n, among
        )
        flow = self.flow.copy()
        flow[:arcs][among] = 0
        flow[held[held >= 0]] = 1
        flow[arcs : arcs + n] = 1 - np.bincount(owner[flow[:arcs] > 0], minlength=n)
        flow[arcs + n :] = np.tile(np.bincount(program[flow[:arcs] > 0], minlength=m), 3)
        potential = self._potentials(cost, flow, loss)
        if self._optimal(cost, flow, potential):
            self.flow = flow
            return self._keep(cost, potential)
        return super()._minimise(cost, lighter)

    @property
    def programs(self) -> int:
        """How many programs there are."""
        return (len(self.tail) - len(self.program) - self.people) // 3

    def _potentials(self, cost: Int, flow: Int, loss: Int) -> Int:
        """Shortest residual distances to the sink: those of programs are known, people's follow."""
        n, arcs = self.people, len(self.program)
        potential = np.full(len(self.supply), FAR)
        potential[self.sink] = 0
        potential[n : n + 3 * self.programs] = np.tile(loss, 3)
        for piece in pieces(arcs + n):
            ahead = potential[self.head[piece]]
            open_ = self.free[piece] & (flow[piece] == 0) & (ahead < FAR)
            np.minimum.at(potential, self.tail[piece][open_], (cost[piece] + ahead)[open_])
        return potential

    def _optimal(self, cost: Int, flow: Int, potential: Int) -> bool:
        """Whether a flow keeps everything, and potentials prove that none is cheaper."""
        return all(self._optimal_in(piece, cost, flow, potential) for piece in pieces(len(flow)))

    def _optimal_in(self, piece: slice, cost: Int, flow: Int, potential: Int) -> bool:
        flow, free = flow[piece], self.free[piece]
        kept = (flow >= self.lower[piece]) & (flow <= self.capacity[piece])
        kept &= free | (flow == self.flow[piece])
        head, tail = potential[self.head[piece]], potential[self.tail[piece]]
        reduced = cost[piece] + head - tail
        wrong = (reduced < 0) & (flow < self.capacity[piece]) & (head < FAR)
        wrong |= (reduced > 0) & (flow > self.lower[piece]) & (tail < FAR)
        return bool(kept.all()) and not (wrong & free).any()
