"""The flow of a market that nothing but seats limits, by the kernel that fills them one by one.

What it gives is proven by its potentials in integers before it counts; where that fails, or where
numbers would not fit, the solver's flow is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from ..cells import Int
from .flow import FAR, Network


@dataclass
class Assigned(Network):
    """A network of ``people``, each with arcs to seats and one to the sink, and of ``programs``.

    Nodes: people, kinds of seat (one per program), seats below, programs, others without an arc, the
    sink.  Arcs: of people to seats; of people to the sink; of seats to those below, of those to
    programs, of programs to the sink.
    """

    people: int = 0
    programs: int = 0
    compiled: ModuleType | None = None

    def _fits(self, greatest: int, dearest: int) -> bool:
        return greatest < FAR >> 3

    def _minimise(self, cost: Int, lighter: Callable[[], Int] | None = None) -> Int:
        n, m, arcs = self.people, self.programs, self._arcs
        flow, fixed = self.flow.copy(), ~self.free
        owner, program = self.tail[:arcs], self.head[:arcs] - n
        taken = fixed[:arcs] & (flow[:arcs] > 0)
        done = fixed[arcs : arcs + n] & (flow[arcs : arcs + n] > 0)
        done[owner[taken]] = True
        must_place, must_fill = fixed[arcs : arcs + n] & ~done, fixed[-m:]
        rows = np.flatnonzero(self.free[:arcs] & ~done[owner])
        left = np.where(must_fill, flow[-m:], self.capacity[-m:])
        left = left - np.bincount(program[taken], minlength=m)
        reach = 2 * m * int(np.abs(cost[rows]).max(initial=0)) + 1
        beyond = 2 * reach if must_place.any() or must_fill.any() else 0
        narrow = (self.capacity[arcs + n : -m].reshape(2, m) < self.capacity[-m:]).any()
        if reach + 2 * beyond >= 2 * FAR or cost[arcs:].any() or narrow:
            return super()._minimise(cost, lighter)
        assert self.compiled is not None
        held, loss = self.compiled.assignment(
            owner[rows], program[rows], beyond * must_place[owner[rows]] - cost[rows],
            left, -beyond * must_fill, n,
        )  # fmt: skip
        flow[rows] = 0
        flow[rows[held[held >= 0]]] = 1
        flow[arcs : arcs + n] = 1 - np.bincount(owner[flow[:arcs] > 0], minlength=n)
        flow[arcs + n :] = np.tile(np.bincount(program[flow[:arcs] > 0], minlength=m), 3)
        potential = self._potentials(cost, flow, loss)
        if self._optimal(cost, flow, potential):
            self.flow = flow
            return self._keep(cost, np.flatnonzero(self.free), potential)
        return super()._minimise(cost, lighter)

    @property
    def _arcs(self) -> int:
        """How many arcs lead to seats."""
        return len(self.tail) - self.people - 3 * self.programs

    def _potentials(self, cost: Int, flow: Int, loss: Int) -> Int:
        """Shortest residual distances to the sink: those of programs are known, people's follow."""
        n, arcs = self.people, self._arcs
        potential = np.full(len(self.supply), FAR)
        potential[self.sink] = 0
        potential[n : n + 3 * self.programs] = np.tile(loss, 3)
        at = np.flatnonzero(self.free[: arcs + n] & (flow[: arcs + n] == 0))
        ahead = potential[self.head[at]]
        at, ahead = at[ahead < FAR], ahead[ahead < FAR]
        np.minimum.at(potential, self.tail[at], cost[at] + ahead)
        return potential

    def _optimal(self, cost: Int, flow: Int, potential: Int) -> bool:
        """Whether a flow keeps everything, and potentials prove that none is cheaper."""
        kept = (flow >= self.lower) & (flow <= self.capacity)
        kept &= self.free | (flow == self.flow)
        head, tail = potential[self.head], potential[self.tail]
        reduced = cost + head - tail
        wrong = (reduced < 0) & (flow < self.capacity) & (head < FAR)
        wrong |= (reduced > 0) & (flow > self.lower) & (tail < FAR)
        return bool(kept.all()) and not (wrong & self.free).any()
