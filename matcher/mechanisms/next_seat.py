"""One more seat, by one shortest path: what it does to a best flow, and whom it moves.

With one more seat at a program a best flow changes along one cycle at most, through that seat: the
cheapest residual path from the program back to its own seats, if it costs less than nothing (Ahuja,
Magnanti & Orlin, Network Flows, 1993, ch. 9).  Persons are no nodes here.  Whoever holds a kind of seat
and could have another is an arc from the one to the other; of all who could make the same move only the
one whom it costs least matters.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..cells import Int
from ..objective import Component
from .plan import Flow

DIGIT = 1 << 64
"""One place of a packed lexicographic number: no sum of one component comes near half of it."""


class Residual:
    """What could be moved in a best flow, between kinds of seats, programs, classes and caps.

    Parameters
    ----------
    flow
        A best flow.
    components
        The objective, in order, the lottery last.
    """

    def __init__(self, flow: Flow, components: Sequence[Component]) -> None:
        self.flow = flow
        network, plan = flow.network, flow.plan
        n = len(plan.market.applicants)
        self.sink = network.sink
        people = len(flow.arcs) + n
        costs = np.array([flow.cost(c) for c in components], np.int64).reshape(
            -1, len(network.tail)
        )
        tail, head, cost = self._upward(people, costs)
        moves = self._moves(people, costs)
        self.person = np.concatenate([moves[0], np.full(len(tail), -1)]).tolist()
        tail, head = np.concatenate([moves[1], tail]), np.concatenate([moves[2], head])
        packed = _packed(np.concatenate([moves[3], cost], axis=1))
        potential = _potentials(self.sink + 1, tail, head, packed)
        reduced = packed + potential[tail] - potential[head]
        self.potential = potential.tolist()
        self.out: list[list[tuple[int, Any, int]]] = [[] for _ in range(self.sink + 1)]
        arcs = zip(tail.tolist(), head.tolist(), reduced.tolist(), strict=True)
        for at, (source, target, length) in enumerate(arcs):
            self.out[source].append((target, length, at))
        self.head = head

    def _upward(self, people: int, costs: Int) -> tuple[Int, Int, Int]:
        """Residual arcs from kinds of seats up to the sink.

        Limits that other limits imply are left out: those of open seats by the seats that are not
        hard reserves, those of programs by these and the hard reserves, those of classes by programs.
        """
        network, flow = self.flow.network, self.flow
        at = np.arange(people, len(network.tail))
        tail = network.tail[at]
        implied = (tail >= flow.first_program) & (tail < flow.first_cap)
        seats = (tail >= flow.first_seat) & (tail < flow.first_below)
        implied |= (
            seats
            & ~np.append(flow.plan.reserved, True)[
                np.minimum(tail - flow.first_seat, len(flow.plan.reserved))
            ]
        )
        forward = at[implied | (network.flow[at] < network.capacity[at])]
        backward = at[network.flow[at] > network.lower[at]]
        return (
            np.concatenate([network.tail[forward], network.head[backward]]),
            np.concatenate([network.head[forward], network.tail[backward]]),
            np.concatenate([costs[:, forward], -costs[:, backward]], axis=1),
        )

    def _moves(self, people: int, costs: Int) -> tuple[Int, Int, Int, Int]:
        """The cheapest move from each kind of seat to each other: person, from, to, cost."""
        network = self.flow.network
        owner, place = network.tail[:people], network.head[:people]
        held = np.flatnonzero(network.flow[:people] > 0)
        mine = np.empty(len(self.flow.plan.market.applicants), np.int64)
        mine[owner[held]] = held
        other = np.flatnonzero(network.flow[:people] == 0)
        now = mine[owner[other]]
        cost = costs[:, other] - costs[:, now]
        order = np.lexsort([*cost[::-1], place[other], place[now]])
        source, target = place[now][order], place[other][order]
        first = np.ones(len(order), bool)
        first[1:] = (source[1:] != source[:-1]) | (target[1:] != target[:-1])
        chosen = order[first]
        return owner[other[chosen]], source[first], target[first], cost[:, chosen]

    def with_a_seat(self, matching: Int, p: int) -> Int:
        """The best placement with one more seat at a program that has a running class."""
        flow = self.flow
        start, goal = flow.first_program + p, flow.first_below + p
        known, before = {start: 0}, {start: (-1, -1)}
        done, queue = set(), [(0, start)]
        while queue:
            length, node = heapq.heappop(queue)
            if node == goal:
                break
            if node in done:
                continue
            done.add(node)
            for target, step, at in self.out[node]:
                if target not in done and (target not in known or length + step < known[target]):
                    known[target] = length + step
                    before[target] = node, at
                    heapq.heappush(queue, (length + step, target))
        if goal not in known or known[goal] + self.potential[goal] - self.potential[start] >= 0:
            return matching
        after = matching.copy()
        node = goal
        while node != start:
            source, at = before[node]
            if self.person[at] >= 0:
                kind = node - flow.first_seat
                after[self.person[at]] = -1 if node == self.sink else flow.plan.home[kind]
            node = source
        return after


def _packed(costs: Int) -> Any:
    """Costs by component (components, arcs) as one number each, the first component the greatest."""
    packed = np.zeros(costs.shape[1], object)
    for row in costs:
        packed = packed * DIGIT + row.astype(object)
    return packed


def _potentials(size: int, tail: Int, head: Int, cost: Any) -> Any:
    """Numbers by which no arc is of negative cost: the cheapest ways to each node from anywhere."""
    order = np.argsort(head, kind="stable")
    tail, head, cost = tail[order], head[order], cost[order]
    nodes, first = np.unique(head, return_index=True)
    least = np.zeros(size, object)
    while len(first):
        best = np.minimum.reduceat(least[tail] + cost, first)
        shorter = best < least[nodes]
        if not shorter.any():
            break
        least[nodes[shorter]] = best[shorter]
    return least
