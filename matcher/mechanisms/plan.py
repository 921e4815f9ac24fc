"""The market as a network: what its nodes and arcs mean.

Each applicant → the kinds of seat that are hers at each program of her list and tail → the program's
seats that are not hard reserves → the program → the caps and open classes over it, inner to outer →
the sink; and each applicant → the sink, unplaced.  Filling a reserved seat is an arc's worth, so that a
flow fills as many as the people placed can fill.  The arc that leaves an open class has its minimum as
a lower bound.

Sets that cross cannot all be nodes of one chain.  Where that happens the later ones are left out, and
the network is a relaxation: its best flow is best of all only if it keeps those as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .. import lottery
from ..cells import Int, occurring, pieces, places, width
from ..choice import Choice, fill
from ..market import Market
from ..objective import LOTTERY, Counted, ceiling
from ..policy import Policy
from ..result import Threshold
from . import kernels
from .assigned import Assigned
from .flow import FAR, Network, column, numbered

Bool = NDArray[np.bool_]

FREE, CLOSED, OPEN = -1, 0, 1
"""What is settled of a class: nothing, it takes nobody, or it holds its minimum."""


class Plan:
    """Seats, arcs and chains of a market, whatever classes open.

    Parameters
    ----------
    market
        The market.
    choice
        Its choice functions.

    Attributes
    ----------
    stages
        (program, name, group or −1) of each kind of seat.
    edge, owner, kind
        Per arc of an applicant: the edge, whose it is, and the kind of seat.  Shape (arcs,).
    every
        All these arcs by number.
    home
        Per kind of seat, its program; ``reserved``, ``hard``, ``seats``, ``least``: whether it is held
        for a group, whether by a hard reserve, how many there are, how many must be filled.
    below
        Seats of each program that are not hard reserves.
    decreed
        Per class, whether it must open: itself, or because a reserve in it must be filled.
    inside
        Per cap, the one class that holds all its programs, −1 where there is none.
    """

    def __init__(self, market: Market, choice: Choice) -> None:
        self.market, self.choice = market, choice
        self.stages: list[tuple[int, str, int]] = []
        seats, least, kinds_of = [], [], []
        must = {(r.program, r.group, r.hard): r.seats for r in market.reserves if r.must_fill}
        for p, s in enumerate(choice.seats):
            mine: dict[int, list[int]] = {}
            for hard, given in ((True, s.hard), (False, s.soft)):
                for g, number in sorted(given.items()):
                    mine.setdefault(g, []).append(len(self.stages))
                    name = f"{'hard' if hard else 'soft'}:{market.groups[g]}"
                    self.stages.append((p, name, g))
                    seats.append(number)
                    least.append(must.get((p, g, hard), 0))
            mine[-1] = [len(self.stages)]
            self.stages.append((p, "open", -1))
            seats.append(s.capacity)
            least.append(0)
            kinds_of.append(mine)
        self.home = np.array([p for p, _, _ in self.stages], np.int64)
        self.reserved = np.array([g >= 0 for _, _, g in self.stages], bool)
        self.hard = np.array([name.startswith("hard:") for _, name, _ in self.stages], bool)
        self.seats, self.least = np.array(seats, np.int64), np.array(least, np.int64)
        self.below = np.array([s.capacity - sum(s.hard.values()) for s in choice.seats], np.int64)
        self._arcs(kinds_of)
        class_of = market.class_of
        homes = [set(class_of[list(cap.programs)].tolist()) for cap in market.caps]
        self.inside = np.array([c.pop() if len(c) == 1 else -1 for c in homes], np.int64)
        self.conditional = (market.min_size > 1) | market.must_open
        must_fill = np.zeros(len(market.order_classes), bool)
        must_fill[class_of[self.home[self.least > 0]]] = True
        self.decreed = self.conditional & (market.must_open | must_fill)

    def _arcs(self, kinds_of: list[dict[int, list[int]]]) -> None:
        """Each applicant to every kind of seat that is hers."""
        market = self.market
        self.edge = numbered(len(market.program))
        self.owner, self.kind, self.every = market.owner, market.program, self.edge
        if not self.reserved.any():
            return
        open_seat = np.array([mine[-1][0] for mine in kinds_of], np.int64)
        edges = [self.edge]
        kinds = [open_seat[market.program]]
        of_program = places(market.program, len(market.programs))
        for at, (p, _, g) in enumerate(self.stages):
            if g >= 0:
                here = of_program[p][market.member[market.owner[of_program[p]], g]]
                edges.append(here)
                kinds.append(np.full(len(here), at))
        self.edge, self.kind = np.concatenate(edges), np.concatenate(kinds)
        self.every = numbered(len(self.edge))
        self.owner = market.owner[self.edge]

    def placement(self, arcs: Int) -> Int:
        """The program of each applicant who takes one of some arcs, −1 unplaced."""
        matching = np.full(len(self.market.applicants), -1)
        matching[self.owner[arcs]] = self.market.program[self.edge[arcs]]
        return matching

    def ceiling(self, component: Counted) -> int:
        """What no plan exceeds in a component; the lottery is not drawn for every pair to say so."""
        if isinstance(component, Drawn):
            seats = int(self.market.capacity.sum())
            return component.reach * min(len(self.market.applicants), seats)
        return ceiling(self.market, component)

    @cached_property
    def need(self) -> Int:
        """People whom a class needs to be open.  Shape (k,)."""
        market = self.market
        return np.maximum(market.min_size, market.must_open.astype(np.int64))

    @cached_property
    def _programs_of(self) -> list[frozenset[int]]:
        """The programs of each class."""
        found: list[list[int]] = [[] for _ in self.market.order_classes]
        for p, c in enumerate(self.market.class_of.tolist()):
            found[c].append(p)
        return [frozenset(programs) for programs in found]

    def chains(self, openings: Int) -> Chains:
        """The caps, and the open classes with a minimum, as a forest by inclusion."""
        market = self.market
        sets = [(frozenset(cap.programs), 1, cap.name, at) for at, cap in enumerate(market.caps)]
        for c in np.flatnonzero((openings == OPEN) & self.conditional).tolist():
            sets.append((self._programs_of[c], 0, market.order_classes[c], c))
        kept: list[tuple[frozenset[int], int, str, int]] = []
        holding: list[list[frozenset[int]]] = [[] for _ in market.programs]
        left_out = []
        for one in sorted(sets, key=lambda s: (1 - s[1], len(s[0]), s[2])):
            inside = one[0]
            near = (other for p in inside for other in holding[p])
            if any(not inside <= other and not other <= inside for other in near):
                left_out.append((one[1], one[3]))
                continue
            kept.append(one)
            for p in inside:
                holding[p].append(inside)
        above: dict[tuple[int, int], tuple[int, int] | None] = {}
        first: list[tuple[int, int] | None] = [None] * len(market.programs)
        top: list[tuple[int, int] | None] = [None] * len(market.programs)
        for inside, word, _, at in sorted(kept, key=lambda s: (len(s[0]), s[1], s[2])):
            for p in inside:
                if (below := top[p]) is None:
                    first[p] = (word, at)
                else:
                    above[below] = (word, at)
                top[p] = (word, at)
            above[word, at] = None
        return Chains(first, above, left_out)

    def flow(self, openings: Int, columns: Bool | None = None, seats: Int | None = None) -> Flow:
        """The network in which closed classes take nobody and open ones have their minimum.

        ``columns`` are the arcs of applicants that it has, ``seats`` those of each program; by default
        all of them.
        """
        return Flow(self, openings, columns, seats)

    def within(self, openings: Int, loads: Int) -> Int:
        """Seats of each program with which it keeps the caps that a network leaves out, near its load."""
        market, seats = self.market, self.market.capacity.copy()
        for word, at in self.chains(openings).left_out:
            if word:
                programs = np.array(market.caps[at].programs)
                mine = np.minimum(loads[programs], seats[programs])
                share = mine * market.caps[at].seats // max(1, int(mine.sum()))
                over = mine.sum() > market.caps[at].seats
                seats[programs] = np.minimum(seats[programs], share if over else mine)
        return seats

    def has_room(self, stage: int, edges: list[int]) -> bool:
        """Whether one more person of the stage's group alone could take such a seat, caps apart."""
        p, _, g = self.stages[stage]
        s, must = self.choice.seats[p], self._soft_musts.get(p, {})
        if len(edges) >= s.capacity:
            return False
        if self.hard[stage]:
            beside = _together(s.hard, must)
            return self._filled(edges, beside, g) > self._filled(edges, beside)
        if g in must and self.least[stage]:  # she would fill one of those that must be
            must = must | {g: must[g] - 1}
        if len(edges) >= self.below[p] + self._hard_filled(edges, p, must):
            return False
        both = _together(s.hard, s.soft)
        return g < 0 or self._filled(edges, both, g) > self._filled(edges, both)

    @cached_property
    def _soft_musts(self) -> dict[int, dict[int, int]]:
        """Of programs that have any, the soft seats that must be filled, by group."""
        found: dict[int, dict[int, int]] = {}
        for k in np.flatnonzero((self.least > 0) & ~self.hard).tolist():
            p, _, g = self.stages[k]
            found.setdefault(p, {})[g] = int(self.least[k])
        return found

    def _hard_filled(self, edges: list[int], p: int, must: Mapping[int, int]) -> int:
        """Hard seats that the people can fill beside those soft ones that must be filled."""
        beside = _together(self.choice.seats[p].hard, must)
        return self._filled(edges, beside) - sum(must.values())

    def _filled(self, edges: list[int], seats: dict[int, int], one_more: int = -1) -> int:
        """Seats that the people, and one more of a group, can fill."""
        if not seats:
            return 0
        people = self.choice.with_groups(edges, seats)
        if one_more >= 0:
            people.append((-1, (one_more,)))
        return len(fill(people, seats))

    def edges_at(self, held: Int) -> list[list[int]]:
        """The edges that people hold, by program."""
        edges = held[held >= 0]
        program = self.market.program[edges]
        edges = edges[np.argsort(program, kind="stable")].tolist()
        bounds = np.append(0, np.cumsum(np.bincount(program, minlength=len(self.below)))).tolist()
        return [edges[low:high] for low, high in pairwise(bounds)]

    def keeps(self, matching: Int, openings: Int) -> bool:
        """Whether a placement keeps seats, reserves, caps, and the classes that are settled.

        Classes that are not settled must be empty or at their minimum as well.
        """
        market, choice = self.market, self.choice
        held = market.edges_of(matching)
        if ((held < 0) & (matching >= 0)).any():
            return False
        at = self.edges_at(held)
        for p, edges in enumerate(at):
            s = choice.seats[p]
            must = self._soft_musts.get(p, {})
            hard = self._hard_filled(edges, p, must) if s.reserved else 0
            if len(edges) > min(s.capacity, self.below[p] + hard):
                return False
        sizes = np.bincount(matching[matching >= 0], minlength=len(market.programs))
        if any(sizes[list(cap.programs)].sum() > cap.seats for cap in market.caps):
            return False
        people = np.bincount(market.class_of, sizes, len(market.min_size)).astype(np.int64)
        short = (people < self.need) & self.conditional
        fine = np.where(openings == OPEN, ~short, ~short | (people == 0))
        fine &= (openings != CLOSED) | (people == 0)
        return bool(fine.all()) and self._fills(at)

    def _fills(self, at: list[list[int]]) -> bool:
        """Whether every reserve that must be filled can be, beside the other hard ones."""
        for p in {self.home[k] for k in np.flatnonzero(self.least)}:
            s = self.choice.seats[p]
            must: dict[int, int] = {}
            for k in np.flatnonzero((self.home == p) & (self.least > 0)).tolist():
                must[self.stages[k][2]] = must.get(self.stages[k][2], 0) + int(self.least[k])
            if self._filled(at[p], must) < sum(must.values()) or not s.reserved:
                return False
        return True


def _together(one: Mapping[int, int], other: Mapping[int, int]) -> dict[int, int]:
    """Seats by group, of both."""
    return {g: one.get(g, 0) + other.get(g, 0) for g in {*one, *other}}


@dataclass(frozen=True)
class Chains:
    """Sets over programs: (0, class) or (1, cap), each with the next one out, None for the sink."""

    first: list[tuple[int, int] | None]
    above: dict[tuple[int, int], tuple[int, int] | None]
    left_out: list[tuple[int, int]]


class Flow:
    """A network of the plan, and what a best flow of it says.

    The nodes: applicants, kinds of seat, seats of each program that are not hard reserves, programs,
    classes, caps, the sink.
    """

    def __init__(
        self, plan: Plan, openings: Int, columns: Bool | None = None, seats: Int | None = None
    ) -> None:
        self.plan, self.openings = plan, openings
        self.whole = columns is None and seats is None
        self.seats = plan.market.capacity if seats is None else seats
        market = plan.market
        n, kinds, m = len(market.applicants), len(plan.stages), len(market.programs)
        k = len(market.order_classes)
        self.first_seat, self.first_below = n, n + kinds
        self.first_program = self.first_below + m
        self.first_class = self.first_program + m
        self.first_cap = self.first_class + k
        self.chains = plan.chains(openings)
        self.sink = sink = self.first_cap + len(market.caps)
        self.running = openings[market.class_of] != CLOSED
        self.arcs = plan.every
        if columns is not None or not self.running.all():
            there = self.running[plan.home][plan.kind]
            self.arcs = column(np.flatnonzero(there if columns is None else there & columns))
        tail, head, lower, capacity = self._upward()
        supply = np.zeros(sink + 1, np.int64)
        supply[:n], supply[sink] = 1, -n
        mine = len(self.arcs) + n
        compiled = kernels(len(self.arcs))
        plain = not market.reserves and not self.chains.above and not self.chains.left_out
        programs = self._of_arcs(plan.kind)
        heads = column(programs, np.broadcast_to(sink, n), head)
        heads[: len(self.arcs)] += self.first_seat
        nothing = np.broadcast_to(np.int32(0), len(heads))
        kind: Callable[..., Network] = Network
        if compiled is not None and plain:
            kind = partial(Assigned, program=programs, people=n, compiled=compiled)
        self.network = kind(
            column(self._of_arcs(plan.owner), np.arange(n), tail), heads,
            column(np.broadcast_to(0, mine), lower) if lower.any() else nothing,
            column(np.broadcast_to(1, mine), capacity), supply,
        )  # fmt: skip
        self.potentials: list[Int] = []

    def _of_arcs(self, of_all: Int) -> Int:
        """What a column of the plan's arcs says of those that the network has."""
        return of_all if len(self.arcs) == len(of_all) else of_all[self.arcs]

    def node(self, of: tuple[int, int] | None) -> int:
        """The node of a class or cap, as ``Chains`` names it; of None, the sink."""
        if of is None:
            return self.sink
        return (self.first_cap if of[0] else self.first_class) + of[1]

    def _upward(self) -> tuple[Int, Int, Int, Int]:
        """Kinds of seat to programs, programs to classes and caps, those to the sink."""
        plan, m = self.plan, len(self.plan.market.programs)
        capacity, seats = self.seats, np.arange(len(plan.stages))

        shut = ~self.running
        tail = [self.first_seat + seats, self.first_below + np.arange(m)]
        head = [np.where(plan.hard, self.first_program, self.first_below) + plan.home]
        head += [
            self.first_program + np.arange(m),
            np.array([self.node(f) for f in self.chains.first]),
        ]
        tail += [self.first_program + np.arange(m)]
        most = [plan.seats * self.running[plan.home], plan.below, capacity]
        least = [plan.least * self.running[plan.home], 0 * plan.below, 0 * capacity]
        most[1], most[2] = np.where(shut, 0, plan.below), np.where(shut, 0, capacity)
        sets = list(self.chains.above.items())
        tail.append(np.array([self.node(of) for of, _ in sets], np.int64))
        head.append(np.array([self.node(outer) for _, outer in sets], np.int64))
        in_class = np.bincount(plan.market.class_of, capacity, len(plan.market.min_size))
        caps = plan.market.caps
        most.append(
            np.array([caps[at].seats if w else int(in_class[at]) for (w, at), _ in sets], np.int64)
        )
        least.append(np.array([0 if w else plan.need[at] for (w, at), _ in sets], np.int64))
        lower, upper = np.concatenate(least), np.concatenate(most)
        return np.concatenate(tail), np.concatenate(head), lower, np.maximum(lower, upper)

    def cost(self, component: Counted) -> Int:
        """The cost of each arc that is not ruled out: what the component loses by one person there."""
        plan, network, edge = self.plan, self.network, self._of_arcs(self.plan.edge)
        cost = np.zeros(len(network.tail), width(component.reach))
        for piece in pieces(len(self.arcs)):
            used = network.free[piece] | (network.flow[piece] > 0)
            cost[piece][used] = -component.at(edge[piece][used])
        first = len(self.arcs) + self.first_seat
        cost[first : first + len(plan.stages)] = -component.per_reserve * plan.reserved
        return cost

    def maximise(self, *components: Counted) -> list[int]:
        """Keep the flows that are best in components, one after another; note their potentials.

        Returns their values.

        Raises
        ------
        NoFlow
            If no flow keeps the minimum of every open class and every reserve that must be filled.
        """
        costs = [self.cost(component) for component in components]
        self.potentials += self.network.minimise_in_turn(costs)
        used = np.flatnonzero(self.network.flow)
        flow = self.network.flow[used].astype(np.int64)
        return [-int(cost[used] @ flow) for cost in costs]

    def unmet(self) -> Int:
        """Potentials of the flow that comes closest to the lower bounds, a missing person costing 1."""
        network = self.network
        least = np.flatnonzero(network.lower)
        both = np.append(np.arange(len(network.tail)), least)
        capacity = np.append(network.capacity, network.lower[least])
        capacity[least] -= network.lower[least]
        relaxed = Network(
            network.tail[both], network.head[both], np.zeros(len(both), np.int64), capacity,
            network.supply,
        )  # fmt: skip
        return relaxed.minimise(np.where(np.arange(len(both)) < len(network.tail), 0, -1))

    def matching(self) -> Int:
        """The program of each applicant, −1 unplaced."""
        return self.plan.placement(self.arcs[self.network.flow[: len(self.arcs)] > 0])

    def unique(self, matching: Int) -> bool:
        """Whether no equally good plan places anybody elsewhere.

        Another plan differs by residual cycles of no cost; one that moves a person runs through an
        arc from her to another program (or to none) inside a strongly connected component.
        """
        source, target, arc = self.network.residual()
        size = len(self.network.supply)
        graph = coo_array((np.ones(len(source), np.int8), (source, target)), shape=(size, size))
        _, part = connected_components(graph, directed=True, connection="strong")
        n, market = len(matching), self.plan.market
        leads = (arc < len(self.arcs) + n) & (source < n)
        source, target, arc = source[leads], target[leads], arc[leads]
        program = np.full(len(arc), -1)
        real = arc < len(self.arcs)
        program[real] = market.program[self.plan.edge[self.arcs[arc[real]]]]
        moves = program != matching[source]
        return not (moves & (part[source] == part[target])).any()

    def thresholds(self, matching: Int) -> list[Threshold]:
        """The state of every kind of seat in a class that is not closed, and where no sets cross its price."""
        plan, market = self.plan, self.plan.market
        at = plan.edges_at(market.edges_of(matching))
        tuples = self._tuples(slice(self.first_seat, self.first_below))
        found = []
        for number, (p, name, _) in enumerate(plan.stages):
            if self.running[p]:
                values = None if self.chains.left_out else tuples[number]
                state = "not_full" if plan.has_room(number, at[p]) else "full"
                price = tuple(values) if values is not None else None
                found.append(Threshold(p, name, state, price=price))
        return found

    def certificate(self) -> dict[str, dict[str, list[int] | None]]:
        """The potentials of every node, one entry per component that was solved."""
        plan, market, tuples = self.plan, self.plan.market, self._tuples()
        programs = [(at, p) for at, p in enumerate(market.programs) if self.running[at]]
        return {
            "applicants": {a: tuples[at] for at, a in enumerate(market.applicants)},
            "seats": {
                f"{market.programs[p]}|{name}": tuples[self.first_seat + at]
                for at, (p, name, _) in enumerate(plan.stages)
                if self.running[p]
            },
            "nonhard": {p: tuples[self.first_below + at] for at, p in programs},
            "programs": {p: tuples[self.first_program + at] for at, p in programs},
            "classes": {
                market.order_classes[at]: tuples[self.first_class + at]
                for word, at in self.chains.above
                if not word
            },
            "caps": {
                market.caps[at].name: tuples[self.first_cap + at]
                for word, at in self.chains.above
                if word
            },
        }

    def _tuples(self, nodes: slice = slice(None)) -> list[list[int] | None]:
        """The potentials of each node, None where the sink is out of reach."""
        table = np.stack([potential[nodes] for potential in self.potentials], axis=1)
        far = (table == FAR).any(axis=1).tolist()
        return [None if out else row for out, row in zip(far, table.tolist(), strict=True)]


class Weights:
    """The two lottery weights of the edges, each hashed when it is first asked for."""

    def __init__(self, market: Market, policy: Policy) -> None:
        self.market, self.policy = market, policy
        self.known = np.zeros(len(market.program), bool)
        self.found = np.zeros((len(market.program), 2), width(Drawn.reach))

    def of(self, edges: Int) -> Int:
        """The weights of some edges.  Shape (edges, 2)."""
        market = self.market
        fresh = occurring(edges[~self.known[edges]], len(self.known))
        if len(fresh):
            seed = lottery.seed_of(market.tables.draw, self.policy.seed)
            owner, program = market.owner[fresh].tolist(), market.program[fresh].tolist()
            pairs = [
                (market.applicants[i], market.programs[p])
                for i, p in zip(owner, program, strict=True)
            ]
            self.found[fresh] = lottery.tie_weights(seed, self.policy.round, pairs)
            self.known[fresh] = True
        return self.found[edges]


class Drawn:
    """One weight of the lottery as a component of the objective."""

    per_reserve = 0
    reach = 1 << lottery.TIE_BITS

    def __init__(self, weights: Weights, which: int) -> None:
        self.name, self.weights, self.which = LOTTERY[which], weights, which

    def at(self, edges: Int) -> Int:
        """What each of some edges is worth."""
        found: Int = self.weights.of(edges)[:, self.which].astype(np.int64)
        return found

    @cached_property
    def worth(self) -> Int:
        """What each edge is worth.  Shape (e,)."""
        return self.at(np.arange(len(self.weights.market.program)))
