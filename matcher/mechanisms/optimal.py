"""``optimal`` 系统优化: the feasible placement with the lexicographically best objective.

May leave justified envy, every pair of which is listed; lists are not strategy-proof.

The network: each applicant → the kinds of seat that are hers at each program of her list and tail →
the program's seats that are not hard reserves → the program → its caps, inner to outer → the sink; and
each applicant → the sink, unplaced.  Filling a reserved seat is an arc's worth, so that the flow fills
as many as the people placed can fill.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .. import lottery
from ..cells import Int
from ..choice import Choice, Node, fill
from ..market import Constraint, Market
from ..objective import LOTTERY, Component, ceiling, components, evaluate
from ..policy import Policy
from ..result import Result, Status, Threshold, opened_classes
from .flow import FAR, Network

HONOURS = frozenset({
    Constraint.CAPACITY,
    Constraint.SOFT_RESERVE,
    Constraint.HARD_RESERVE,
    Constraint.NESTED_CAP,
    Constraint.ADJUSTMENT,
    Constraint.PROGRAM_SCORE,
})  # fmt: skip


def solve(market: Market, policy: Policy, first: Sequence[Component] = ()) -> Result:
    """The lexicographically best placement, the lottery last, with potentials that prove it.

    Parameters
    ----------
    first
        Components that come before all those of the policy.

    Notes
    -----
    One minimum-cost flow per component of the objective, each on the optimal face of those before.
    """
    begun = time.perf_counter()
    choice = Choice(market)
    plan = Plan(market, choice)
    ordered = [*first, *components(market, policy)]
    potentials: list[Int] = []
    status = Status.OPTIMAL
    costs = [partial(plan.cost, component) for component in ordered]
    costs += [partial(plan.lottery_cost, policy, which) for which in range(len(LOTTERY))]
    for cost in costs:
        if policy.time_s and time.perf_counter() - begun > policy.time_s:
            status = Status.FEASIBLE
            break
        potentials.append(plan.network.minimise(cost()))
    matching = plan.matching()
    unique = status is Status.OPTIMAL and plan.unique(matching)
    names = tuple(component.name for component in ordered)
    values = evaluate(market, ordered, matching, choice)
    weights = _matched_weights(market, policy, matching)
    values = (*values, *weights)
    return Result(
        mechanism="optimal",
        matching=matching,
        seats=_seats(market, choice, matching),
        opened=opened_classes(market, matching),
        status=status,
        components=(*names, *LOTTERY),
        objective=values,
        bound=_bounds(market, ordered, values, len(potentials)),
        thresholds=plan.thresholds(matching, potentials),
        certificate=plan.certificate((*names, *LOTTERY), potentials, unique),
        unique=unique,
        runtime=time.perf_counter() - begun,
    )


@dataclass
class Plan:
    """The market as a network, and what its nodes and arcs mean."""

    market: Market
    choice: Choice
    stages: list[tuple[int, str, int]] = field(default_factory=list)
    """(program, name, group or −1) of each kind of seat."""

    def __post_init__(self) -> None:
        market, n = self.market, len(self.market.applicants)
        self._seat_kinds()
        k, m = len(self.stages), len(market.programs)
        self.first_seat, self.first_nonhard = n, n + k
        self.first_program = self.first_nonhard + m
        self.first_cap = self.first_program + m
        sink = self.first_cap + len(market.caps)
        self._applicant_arcs(sink)
        self._seat_arcs(sink)
        supply = np.zeros(sink + 1, np.int64)
        supply[:n], supply[sink] = 1, -n
        self.network = Network(
            np.concatenate([self.arc_owner, self.seat_tail]),
            np.concatenate([self.arc_head, self.seat_head]),
            np.concatenate([np.ones(len(self.arc_owner), np.int64), self.seat_capacity]),
            supply,
        )

    def _seat_kinds(self) -> None:
        self.seats_of: list[dict[int, list[int]]] = []
        for p, s in enumerate(self.choice.seats):
            kinds = [("hard", g) for g in sorted(s.hard)] + [("soft", g) for g in sorted(s.soft)]
            mine: dict[int, list[int]] = {}
            for word, g in [*kinds, ("open", -1)]:
                mine.setdefault(g, []).append(len(self.stages))
                name = f"{word}:{self.market.groups[g]}" if g >= 0 else word
                self.stages.append((p, name, g))
            self.seats_of.append(mine)

    def _applicant_arcs(self, sink: int) -> None:
        """Each applicant to every kind of seat that is hers, then to the sink."""
        market, n = self.market, len(self.market.applicants)
        open_seat = np.array([mine[-1][0] for mine in self.seats_of], np.int64)
        edges = [np.arange(len(market.program))]
        kinds = [open_seat[market.program] if len(market.program) else edges[0]]
        for at, (p, _, g) in enumerate(self.stages):
            if g >= 0:
                here = np.flatnonzero(market.program == p)
                here = here[market.member[market.owner[here], g]]
                edges.append(here)
                kinds.append(np.full(len(here), at))
        self.arc_edge = np.concatenate([*edges, np.full(n, -1)])
        kind = np.concatenate(kinds)
        self.arc_owner = np.concatenate([market.owner[self.arc_edge[: -n or None]], np.arange(n)])
        self.arc_head = np.concatenate([self.first_seat + kind, np.full(n, sink)])

    def _seat_arcs(self, sink: int) -> None:
        """Kinds of seat to programs, programs to caps, caps to the sink."""
        arcs: list[tuple[int, int, int]] = []
        reserved: list[bool] = []
        for at, (p, name, g) in enumerate(self.stages):
            s = self.choice.seats[p]
            hard = name.startswith("hard:")
            head = (self.first_program if hard else self.first_nonhard) + p
            seats = s.hard[g] if hard else s.soft[g] if g >= 0 else s.capacity
            arcs.append((self.first_seat + at, head, seats))
            reserved.append(g >= 0)
        for p, s in enumerate(self.choice.seats):
            left = s.capacity - sum(s.hard.values())
            arcs.append((self.first_nonhard + p, self.first_program + p, left))
        for root in self.choice.roots:
            arcs += self._up(root, sink)
        self.seat_tail, self.seat_head, self.seat_capacity = (
            np.array(column, np.int64) for column in zip(*arcs, strict=True)
        )
        self.reserved = np.zeros(len(arcs), bool)
        self.reserved[: len(reserved)] = reserved

    def _up(self, node: Node, above: int) -> list[tuple[int, int, int]]:
        if not node.children:
            capacity = self.choice.seats[node.program].capacity
            return [(self.first_program + node.program, above, capacity)]
        own = self.first_cap + node.cap
        arcs = [(own, above, node.seats)]
        for child in node.children:
            arcs += self._up(child, own)
        return arcs

    def cost(self, component: Component) -> Int:
        """The cost of each arc: what the component loses by one person there."""
        return self._cost(component.worth, component.per_reserve)

    def _cost(self, worth: Int, per_reserve: int = 0) -> Int:
        mine = np.append(worth, 0)[self.arc_edge]
        return -np.concatenate([mine, per_reserve * self.reserved])

    def lottery_cost(self, policy: Policy, which: int) -> Int:
        """The cost of the lottery's first or second weight, on arcs that are still in the running."""
        market = self.market
        running = self.arc_edge[self.network.free[: len(self.arc_edge)]]
        edges = np.unique(running[running >= 0])
        worth = np.zeros(len(market.program), np.int64)
        if len(edges):
            worth[edges] = _weights(market, policy, edges)[:, which]
        return self._cost(worth)

    def matching(self) -> Int:
        """The program of each applicant, −1 unplaced."""
        flow = self.network.flow[: len(self.arc_edge)]
        taken = np.flatnonzero((flow > 0) & (self.arc_edge >= 0))
        matching = np.full(len(self.market.applicants), -1)
        matching[self.arc_owner[taken]] = self.market.program[self.arc_edge[taken]]
        return matching

    def unique(self, matching: Int) -> bool:
        """Whether no equally good plan places anybody elsewhere.

        Another plan differs by residual cycles of no cost; one that moves a person runs through an
        arc from her to another program (or to none) inside a strongly connected component.
        """
        source, target, arc = self.network.residual()
        size = len(self.network.supply)
        graph = coo_array((np.ones(len(source), np.int8), (source, target)), shape=(size, size))
        _, part = connected_components(graph, directed=True, connection="strong")
        of_people = arc < len(self.arc_edge)
        leads = of_people & (source < len(self.market.applicants))
        edge = self.arc_edge[arc[leads]]
        goes = np.where(edge >= 0, np.append(self.market.program, -1)[edge], -1)
        moves = goes != matching[source[leads]]
        return not (moves & (part[source[leads]] == part[target[leads]])).any()

    def thresholds(self, matching: Int, potentials: list[Int]) -> list[Threshold]:
        """The price of every kind of seat."""
        held = self.market.edges_of(matching)
        at: list[list[int]] = [[] for _ in self.market.programs]
        for edge in held[held >= 0].tolist():
            at[self.choice.program[edge]].append(edge)
        found = []
        for number, (p, name, _) in enumerate(self.stages):
            price = _tuple(potentials, self.first_seat + number)
            state = "not_full" if self._has_room(number, at[p]) else "full"
            found.append(
                Threshold(p, name, state, price=tuple(price) if price is not None else None)
            )
        return found

    def _has_room(self, stage: int, edges: list[int]) -> bool:
        """Whether one more person of the stage's group alone could take such a seat, caps apart."""
        p, name, g = self.stages[stage]
        s = self.choice.seats[p]
        filled = self._filled(edges, s.hard)
        if name.startswith("hard:"):
            return len(edges) < s.capacity and self._filled(edges, s.hard, g) > filled
        if len(edges) >= s.capacity - sum(s.hard.values()) + filled:
            return False
        both = {h: s.hard.get(h, 0) + s.soft.get(h, 0) for h in {*s.hard, *s.soft}}
        return g < 0 or self._filled(edges, both, g) > self._filled(edges, both)

    def _filled(self, edges: list[int], seats: dict[int, int], one_more: int = -1) -> int:
        """Seats that the people, and one more of a group, can fill."""
        people = self.choice.with_groups(edges, seats)
        if one_more >= 0:
            people.append((-1, (one_more,)))
        return len(fill(people, seats))

    def certificate(
        self, names: tuple[str, ...], potentials: list[Int], unique: bool
    ) -> dict[str, object]:
        """The potentials of every node, one entry per component that was solved."""
        market = self.market
        seats = {
            f"{market.programs[p]}|{name}": _tuple(potentials, self.first_seat + at)
            for at, (p, name, _) in enumerate(self.stages)
        }

        def named(ids: list[str], first: int) -> dict[str, list[int] | None]:
            return {name: _tuple(potentials, first + at) for at, name in enumerate(ids)}

        return {
            "components": list(names[: len(potentials)]),
            "potentials": {
                "applicants": named(market.applicants, 0),
                "seats": seats,
                "nonhard": named(market.programs, self.first_nonhard),
                "programs": named(market.programs, self.first_program),
                "caps": named([cap.name for cap in market.caps], self.first_cap),
            },
            "unique": unique,
        }


def _tuple(potentials: list[Int], node: int) -> list[int] | None:
    values = [int(p[node]) for p in potentials]
    return None if FAR in values else values


def _weights(market: Market, policy: Policy, edges: Int) -> Int:
    seed = lottery.seed_of(market.tables.draw, policy.seed)
    pairs = [
        (market.applicants[i], market.programs[p])
        for i, p in zip(market.owner[edges].tolist(), market.program[edges].tolist(), strict=True)
    ]
    return lottery.tie_weights(seed, policy.round, pairs)


def _matched_weights(market: Market, policy: Policy, matching: Int) -> tuple[int, int]:
    held = market.edges_of(matching)
    edges = held[held >= 0]
    if not len(edges):
        return 0, 0
    first, second = _weights(market, policy, edges).sum(axis=0).tolist()
    return first, second


def _seats(market: Market, choice: Choice, matching: Int) -> list[str]:
    held = market.edges_of(matching)
    at: dict[int, list[int]] = {}
    for edge in held[held >= 0].tolist():
        at.setdefault(choice.program[edge], []).append(edge)
    seats = [""] * len(market.applicants)
    for p, edges in at.items():
        for edge, label in choice.seat_labels(p, choice.at_program(p, edges)).items():
            seats[choice.owner[edge]] = label
    return seats


def _bounds(
    market: Market, ordered: list[Component], values: tuple[int, ...], solved: int
) -> tuple[int, ...]:
    """What is proven: the value where the component was solved, else what all could get at most."""
    bounds = list(values)
    for at in range(solved, len(values)):
        if at < len(ordered):
            bounds[at] = ceiling(market, ordered[at])
        else:
            bounds[at] = len(market.applicants) << lottery.TIE_BITS
    return tuple(bounds)
