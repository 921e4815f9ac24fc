"""One more seat: what it does to a best plan, by one shortest path, and whether other classes should open.

With one more seat at a program a best flow changes along one cycle at most, through that seat: the
cheapest residual path from the program back to its own seats, if it costs less than nothing (Ahuja,
Magnanti & Orlin, Network Flows, 1993, ch. 9).  Persons are no nodes here.  Whoever holds a kind of seat
and could have another is an arc from the one to the other; of all who could make the same move only the
one whom it costs least matters.

That is the best plan with the same classes open.  That no other ones are better is what the proof of the
openings shows, step by step; a seat more moves each bound by no more than the seat's price in it.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cells import Int
from ..objective import Counted
from .bounds import DIGIT, Node, Prices
from .openings import Search
from .plan import CLOSED, FREE, OPEN, Flow
from .proof import Step, Tree


class Residual:
    """What could be moved in a best flow, between kinds of seats, programs, classes and caps.

    Parameters
    ----------
    flow
        A best flow.
    components
        The objective, in order, the lottery last.
    """

    def __init__(self, flow: Flow, components: Sequence[Counted]) -> None:
        self.flow = flow
        network, plan = flow.network, flow.plan
        people = len(flow.arcs) + len(plan.market.applicants)
        costs = np.zeros((len(components), len(network.tail)), np.int64)
        kinds = len(flow.arcs) + flow.first_seat
        for row, component in zip(costs, components, strict=True):
            row[: len(flow.arcs)] = -component.worth[plan.edge[flow.arcs]]
            row[kinds : kinds + len(plan.stages)] = -component.per_reserve * plan.reserved
        person, *moves = self._moves(people, costs)
        upward = self._upward(people, costs)
        tail, head, self.cost = (
            np.concatenate(both, axis=-1) for both in zip(moves, upward, strict=True)
        )
        self.person: list[int] = [*person.tolist(), *[-1] * len(upward[0])]
        packed = _packed(self.cost)
        potential = _potentials(flow.sink + 1, tail, head, packed)
        reduced = packed + potential[tail] - potential[head]
        self.potential = potential.tolist()
        self.out: list[list[tuple[int, int, int]]] = [[] for _ in range(flow.sink + 1)]
        arcs = zip(tail.tolist(), head.tolist(), reduced.tolist(), strict=True)
        for at, (source, target, length) in enumerate(arcs):
            self.out[source].append((target, length, at))

    def _upward(self, people: int, costs: Int) -> tuple[Int, Int, Int]:
        """Residual arcs from kinds of seats up to the sink: from, to, cost.

        Limits that other limits imply are left out: those of open seats by the seats that are not
        hard reserves, those of programs by these and the hard reserves, those of classes by programs.
        """
        flow, network = self.flow, self.flow.network
        at = np.arange(people, len(network.tail))
        tail = network.tail[at]
        implied = (tail >= flow.first_program) & (tail < flow.first_cap)
        kinds = at[: len(flow.plan.stages)] - people
        implied[kinds] = ~flow.plan.reserved
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

    def with_a_seat(self, matching: Int, p: int) -> tuple[Int, tuple[int, ...]]:
        """The best placement with one more seat at a program, and what it gains in each component.

        ``matching`` itself where there is nothing to gain.
        """
        path = self._path(self.flow.first_program + p, self.flow.first_below + p)
        if not path:
            return matching, (0,) * len(self.cost)
        after = matching.copy()
        home = [*self.flow.plan.home.tolist()]
        for node, at in path:
            if (i := self.person[at]) >= 0:
                after[i] = -1 if node == self.flow.sink else home[node - self.flow.first_seat]
        arcs = [at for _, at in path]
        return after, tuple((-self.cost[:, arcs].sum(axis=1)).tolist())

    def _path(self, start: int, goal: int) -> list[tuple[int, int]]:
        """The cheapest path, as (node, arc that leads there), if it costs less than nothing (Dijkstra)."""
        known: dict[int, int] = {start: 0}
        before: dict[int, tuple[int, int]] = {}
        done: set[int] = set()
        queue = [(0, start)]
        while queue:
            length, node = heapq.heappop(queue)
            if node == goal:
                break
            if node in done:
                continue
            done.add(node)
            for target, step, at in self.out[node]:
                if target not in done and length + step < known.get(target, length + step + 1):
                    known[target] = length + step
                    before[target] = node, at
                    heapq.heappush(queue, (length + step, target))
        if goal not in known or known[goal] + self.potential[goal] - self.potential[start] >= 0:
            return []
        path, node = [], goal
        while node != start:
            source, at = before[node]
            path.append((node, at))
            node = source
        return path


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


# --- whether other classes should open


def still_best(search: Search, tree: Tree, gains: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
    """The programs at which one more seat leaves the proof of the openings whole.  Shape (m,).

    Parameters
    ----------
    search, tree
        A search that has ended, and its proof.
    gains
        Per program, what one more seat gains with the same classes open, in each component.
    """
    market = search.plan.market
    begin = np.where(search.plan.conditional & market.must_open, OPEN, FREE)
    everybody = np.ones(len(market.program), bool)
    check = _Check(search, gains)
    check.node(tree, Node(begin, everybody, np.full(len(market.applicants), -1)), 0)
    return check.whole


class _Check:
    """Goes through a proof again, with one more seat at each program in turn, all at once."""

    def __init__(self, search: Search, gains: Sequence[Sequence[int]]) -> None:
        assert search.best is not None
        self.search, self.plan, self.best = search, search.plan, search.best
        self.gains = np.array([list(gain) for gain in gains], object).reshape(len(gains), -1)
        self.whole: NDArray[np.bool_] = np.ones(len(gains), bool)

    def node(self, tree: Tree, node: Node, start: int) -> None:
        """Go through a node of the proof, so many components being proven before it."""
        if tree.edge >= 0 or tree.leaf == "settled":
            self.whole[:] = False
            return
        entered = self._enter(node)
        if entered is None:
            return
        node = entered
        for step in tree.steps:
            if start >= len(self.search.objective):
                return  # what is left proves that no other plan is as good
            self._step(node, start, step, tree.leaf == "ended" and step is tree.steps[-1])
            node, start = node.settle(step.closed, step.opened), step.proves
        for side, part in zip(tree.sides, node.sides(tree.order_class), strict=False):
            self.node(side, part, start)

    def _enter(self, node: Node) -> Node | None:
        """What a node is without classes that too few could take: one more seat must not be enough."""
        plan, market = self.plan, self.plan.market
        most = self.search.bounds.most(node)
        hopeless = plan.conditional & (most < plan.need) & (node.openings != CLOSED)
        nearly = hopeless & (most + 1 >= plan.need)
        self.whole &= ~nearly[market.class_of]
        if (hopeless & (node.openings == OPEN)).any():
            return None
        return Node(np.where(hopeless, CLOSED, node.openings), node.allowed, node.forced)

    def _step(self, node: Node, start: int, step: Step, last: bool) -> None:
        """Keep the programs for which a step proves what it says."""
        search, weights = self.search, step.weights
        cost, per_reserve = search.cost(node, weights, step.prices)
        bound = search.bounds.bound(node, cost, per_reserve, step.prices)
        if last and bound.impossible:
            return
        room = self._room(step.prices)
        # Beside other people's seats a plan that is elsewhere only loses: its weight counts for nothing.
        counted = weights[: self.gains.shape[1]]
        gain = self.gains[:, : len(counted)] @ np.array(counted, object)
        reached = sum(w * v for w, v in zip(weights, self.best.value, strict=False))
        slack = -reached - bound.least + room - gain
        if last:
            self.whole &= np.asarray(slack < 0, bool)
            return
        class_of = self.plan.market.class_of
        for c in step.closed:
            own = np.where(class_of == c, room, 0)
            self.whole &= np.asarray(bound.opening[c] - own > slack, bool)
        for c in step.opened:
            self.whole &= np.asarray(bound.closing[c] > slack, bool)
        for at in range(start, min(step.proves, len(counted))):
            self.whole &= np.asarray(slack < weights[at] - search._drop(weights, at + 1), bool)

    def _room(self, prices: Prices) -> Any:
        """By how much one more seat at each program lowers the bound at most.

        A cut leaves at most as much more as the seat is worth on either of its sides.
        """
        plan = self.plan
        over = np.zeros(len(prices.program), prices.program.dtype)
        cap, p = self.search.bounds.cap_pairs
        np.add.at(over, p, np.maximum(prices.cap, 0)[cap])
        kinds = np.flatnonzero(~plan.reserved)
        room = np.zeros(len(prices.program), prices.program.dtype)
        room[plan.home[kinds]] = np.maximum(0, prices.seat[kinds] - prices.below[plan.home[kinds]])
        room += np.maximum(0, prices.below - prices.program) + np.maximum(0, prices.program - over)
        room = room.astype(object)
        for price, cut in zip(prices.cut.tolist(), self.search.bounds.cuts, strict=False):
            if price:
                room += price * np.maximum(self._room(cut.opened), self._room(cut.closed))
        return room
