"""Lexicographic minimum-cost flow: one cost after another on the face of optimal flows.

A flow is best in the first cost; among those, best in the second; and so on.  After each cost the
shortest residual distances to the sink are its potentials, and complementary slackness says which
flows are still in the running: an arc of positive reduced cost is empty, one of negative reduced cost
full, and only the others are free.  Weights only where they provably fit: big ones would overflow
inside the solver.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python import min_cost_flow
from scipy.sparse import csr_array

from ..cells import Int, pieces, width
from .packing import Packing

Bool = NDArray[np.bool_]

FAR = 2**60
"""Stands for "no residual path to the sink"; no sum of real costs comes near it."""

_FEW = 4
"""Arcs of a path up to which the lighter weights are right: the solver's time grows with costs."""

_SOON = 200
"""Rounds after which a flow by lighter weights is taken to be a wrong one."""


class SolverFailed(RuntimeError):
    """The flow solver did not return an optimal flow of a network that has one."""


class NoFlow(ValueError):
    """No flow keeps the lower bounds of a network."""


@dataclass
class Network:
    """Arcs in columns, and a supply per node; the last node is the sink and takes everything.

    Parameters
    ----------
    tail, head, lower, capacity
        Per arc: its ends, the least and the greatest flow.  All of these, the flow and costs have 32
        bits where their numbers fit, so sums and products of them have to ask for 64.
    supply
        Per node, the sink's being minus the sum of the others.
    """

    tail: Int
    head: Int
    lower: Int
    capacity: Int
    supply: Int
    flow: Int = field(init=False)
    free: Bool = field(init=False)

    def __post_init__(self) -> None:
        self.flow = self.lower.astype(self.capacity.dtype)
        self.free = self.capacity > self.lower

    @property
    def sink(self) -> int:
        """The last node."""
        return len(self.supply) - 1

    def minimise_in_turn(self, costs: Sequence[Int]) -> list[Int]:
        """:meth:`minimise` one cost after another; the potentials of each.

        Costs whose weighted sum the solver can hold are minimised together, to the same effect.
        """
        found: list[Int] = []
        while len(found) < len(costs):
            packing, light, dearest = self._together(costs[len(found) :])
            together = costs[len(found) : len(found) + len(packing.most)]
            packed = partial(self._packed, costs=together, dearest=dearest)
            potential = self._minimise(packed(packing), partial(packed, light))
            far = potential == FAR
            parts = packing.unpack(np.where(far, 0, potential))
            found += [np.where(far, FAR, part) for part in parts]
        return found

    def _packed(self, packing: Packing, costs: Sequence[Int], dearest: int) -> Int:
        """Costs of the free arcs as one; those of others might not fit."""
        packed = packing.pack(costs, width(dearest))
        packed[~self.free] = 0
        return packed

    def _together(self, costs: Sequence[Int]) -> tuple[Packing, Packing, int]:
        """As many of the costs, from the first on, as one number can stand for; and a lighter number.

        Also what no such number, and no weight in it, exceeds.

        A path enters each node once, and leaves it once, by an arc or against one.  So it runs along
        at most two arcs of a cost for each node that such arcs lead to.  The lighter number is right
        for paths of few arcs.
        """
        most: list[int] = []
        few: list[int] = []
        dearest = 0
        for cost in costs:
            led, greatest = np.zeros(len(self.supply), bool), 0
            for piece in pieces(len(cost)):
                counts = self.free[piece] & (cost[piece] != 0)
                led[self.head[piece][counts]] = True
                greatest = max(greatest, extreme(cost[piece][counts]))
            bound = 2 * int(np.count_nonzero(led)) * greatest
            sum_of_all = dearest * (2 * bound + 1) + greatest
            if most and not self._fits(Packing([*most, bound]).greatest, sum_of_all):
                break
            dearest = sum_of_all
            most.append(bound)
            few.append(min(bound, _FEW * greatest))
        return Packing(most), Packing(few), max([dearest, *(2 * bound + 1 for bound in most[1:])])

    def _fits(self, greatest: int, dearest: int) -> bool:
        """Whether sums up to the greatest, and the solver's own of the dearest cost, are safe."""
        return greatest < FAR and dearest * len(self.supply) < FAR

    def minimise(self, cost: Int) -> Int:
        """Find the cheapest of the flows still in the running; keep only its equals in it.

        Parameters
        ----------
        cost
            Per arc.

        Returns
        -------
        array
            The potentials: for each node the least cost of a residual path to the sink among those
            that earlier costs leave, :data:`FAR` where there is none.

        Raises
        ------
        NoFlow
            If no flow keeps the lower bounds.
        SolverFailed
            If the solver fails; its answer is checked by the potentials, not believed.
        """
        return self._minimise(cost)

    def _minimise(self, cost: Int, lighter: Callable[[], Int] | None = None) -> Int:
        """The same, by a cost that may give as good a flow sooner; if it does not, by the cost itself."""
        every = self.free.all()
        free = slice(None) if every else self.free  # a view of all is no copy
        fixed = self.lower if every else np.where(self.free, self.lower, self.flow)
        at = np.flatnonzero(fixed)
        size = len(self.supply)
        supply = self.supply - _sums(self.tail[at], fixed[at], size)
        supply += _sums(self.head[at], fixed[at], size)
        if self.free.any() or supply.any():
            room = self.capacity[free] - self.lower[free]
            guess = lighter() if lighter else cost
            found = _solve(self.tail[free], self.head[free], room, guess[free], supply)
            self.flow[free] = self.lower[free] + found
            del room, guess, found
        try:
            potential = self._distances(cost, _SOON if lighter else size + 1)
        except SolverFailed:
            if not lighter:
                raise
            return self._minimise(cost)
        return self._keep(cost, potential)

    def _keep(self, cost: Int, potential: Int) -> Int:
        """Of the free arcs, leave those free on which equally cheap flows may differ."""
        for piece in pieces(len(cost)):
            head, tail = potential[self.head[piece]], potential[self.tail[piece]]
            self.free[piece] &= cost[piece] + head - tail == 0
        return potential

    def _distances(self, cost: Int, rounds: int) -> Int:
        """Shortest residual distances to the sink over the free arcs (Bellman and Ford).

        Round by round, by columns, over the arcs that lead to nodes whose distance has just changed.
        Where there is no negative cycle they end after one round for each node at most, and mostly soon.
        """
        forward = self.free & (self.flow < self.capacity)
        backward = self.free & (self.flow > self.lower)
        source = np.concatenate([self.tail[forward], self.head[backward]])
        target = np.concatenate([self.head[forward], self.tail[backward]])
        length = np.concatenate([cost[forward], -cost[backward]])
        order, first = _by(target, len(self.supply))
        source, length = source[order], length[order]
        distance, last = np.full(len(self.supply), FAR), np.zeros(len(self.supply), np.int64)
        distance[self.sink] = 0
        changed = np.array([self.sink])
        for _ in range(rounds):
            size = first[changed + 1] - first[changed]
            begin = np.repeat(first[changed] - np.cumsum(size) + size, size)
            arcs = begin + np.arange(len(begin))
            through = length[arcs] + np.repeat(distance[changed], size)
            shorter = through < distance[source[arcs]]
            changed = source[arcs[shorter]]
            if not len(changed):
                return distance
            np.minimum.at(distance, changed, through[shorter])
            last[changed] = np.arange(len(changed))
            changed = changed[last[changed] == np.arange(len(changed))]  # each node once
        raise SolverFailed("the flow has a negative residual cycle, or very long paths")

    def residual(self) -> tuple[Int, Int, Int]:
        """Source, target and arc of every residual arc that no cost has ruled out."""
        at = np.flatnonzero(self.free)
        forward = at[self.flow[at] < self.capacity[at]]
        backward = at[self.flow[at] > self.lower[at]]
        return (
            np.concatenate([self.tail[forward], self.head[backward]]),
            np.concatenate([self.head[forward], self.tail[backward]]),
            np.concatenate([forward, backward]),
        )


def column(*parts: Int) -> Int:
    """Parts one after another, of 32 bits where all their numbers fit."""
    return np.concatenate(parts, dtype=width(max(map(extreme, parts))))


def numbered(size: int) -> Int:
    """The numbers below a size, of 32 bits where they fit."""
    return np.arange(size, dtype=width(size))


def extreme(numbers: Int) -> int:
    """The greatest of some numbers in absolute value."""
    return max(int(numbers.max(initial=0)), -int(numbers.min(initial=0)))


def _by(node: Int, size: int) -> tuple[Int, Int]:
    """Arcs by their nodes, and where those of each node begin: a counting sort."""
    arcs = numbered(len(node) + 1)
    by_arc = csr_array((np.ones(len(node), np.int8), node, arcs), shape=(len(node), size))
    by_node = by_arc.tocsc()
    return by_node.indices, by_node.indptr


def _sums(node: Int, amount: Int, size: int) -> Int:
    """What flows at each node, exactly: no sum comes near 2**53."""
    return np.bincount(node, amount, size).astype(np.int64)


def _solve(tail: Int, head: Int, capacity: Int, cost: Int, supply: Int) -> Int:
    """A cheapest flow, by OR-Tools.  Arcs in a row, between which nothing joins or leaves, are one."""
    alone, out = _in_a_row(tail, head, supply)
    first = np.ones(len(tail), bool)
    first[out[alone]] = False
    begin, end = tail[first], head[first]
    most, price = capacity[first].astype(np.int64), cost[first].astype(np.int64)
    ahead = np.flatnonzero(alone[end])
    while len(ahead):
        further = out[end[ahead]]
        most[ahead] = np.minimum(most[ahead], capacity[further])
        price[ahead] += cost[further]
        end[ahead] = head[further]
        ahead = ahead[alone[end[ahead]]]
    solver = min_cost_flow.SimpleMinCostFlow()
    solver.add_arcs_with_capacity_and_unit_cost(begin, end, most, price)
    del begin, end, most, price
    solver.set_nodes_supplies(np.arange(len(supply)), supply)
    status = solver.solve()
    if status == solver.INFEASIBLE:
        raise NoFlow
    if status != solver.OPTIMAL:
        raise SolverFailed(f"SimpleMinCostFlow answered {status}")
    flow = np.zeros(len(tail), np.int64)
    flow[first] = solver.flows(np.arange(np.count_nonzero(first)))
    behind = np.flatnonzero(first & alone[head])
    while len(behind):
        further = out[head[behind]]
        flow[further] = flow[behind]
        behind = further[alone[head[further]]]
    return flow


def _in_a_row(tail: Int, head: Int, supply: Int) -> tuple[Bool, Int]:
    """The nodes that one arc alone leads to and one alone leaves, and an arc that leaves each node."""
    size = len(supply)
    alone = (np.bincount(head, minlength=size) == 1) & (supply == 0)
    alone &= np.bincount(tail, minlength=size) == 1
    out = np.zeros(size, np.int64)
    out[tail] = np.arange(len(tail))
    return alone, out
