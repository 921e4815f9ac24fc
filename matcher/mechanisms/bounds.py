"""Integer bounds: what prices, whatever they are, prove about every plan.

Let :math:`c` be a cost per edge to be made small, :math:`\\pi_i` a number for each applicant, and a price
for each kind of seat, for the seats of a program that are not hard reserves, for each program and each
cap.  An arc's reduced cost is its cost, plus the price where it leads, less the price where it comes
from.  Then every plan costs at least the sum of all :math:`\\pi_i`, of the seats of every arc times its
reduced cost where that is negative, less the seats of every cap times its price (weak duality).

What concerns a class counts only if it opens, and then at least its minimum of people count, also those
of positive reduced cost: a class's part is the least that it can be, and nothing where it stays closed.
That is as strong as the linear relaxation in which nobody is placed in a class by more than it is open.
No solver has to be believed: any integers give a true bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..cells import Int, occurring
from .flow import FAR
from .plan import CLOSED, FREE, OPEN, Flow, Plan

if TYPE_CHECKING:
    from .cuts import Cut

Bool = NDArray[np.bool_]

NEVER: int = 2**62
"""A reduced cost that no arc has: the arc is not there."""

DIGIT = 1 << 64
"""One place of a packed lexicographic number."""

ROOM = 1 << 61
"""No component's sum over all people comes to this."""


@dataclass(frozen=True)
class Node:
    """What is settled in a part of the search: classes, pairs that are out, and those that are in.

    ``openings`` has shape (k,), ``allowed`` (e,); ``forced`` holds an edge, or −1, per applicant.
    """

    openings: Int
    allowed: Bool
    forced: Int

    def also(self, other: Node) -> Node:
        """The node with the classes settled that another one settles, where it leaves them free."""
        openings = np.where(self.openings == FREE, other.openings, self.openings)
        return Node(openings, self.allowed, self.forced)

    def settle(self, closed: Sequence[int] = (), opened: Sequence[int] = ()) -> Node:
        """The node with more classes settled."""
        openings = self.openings.copy()
        openings[[*closed]], openings[[*opened]] = CLOSED, OPEN
        return Node(openings, self.allowed, self.forced)

    def sides(self, order_class: int) -> tuple[Node, Node]:
        """The node with a class open, and with it closed."""
        return self.settle(opened=[order_class]), self.settle(closed=[order_class])


class Prices(NamedTuple):
    """Integers for every node of the network; for caps the price of one of its seats alone.

    Cuts have prices of 0 or more; those that come after the last one priced have none.
    """

    person: Int
    seat: Int
    below: Int
    program: Int
    cap: Int
    cut: Int = np.zeros(0, np.int64)


def packed(size: int) -> list[int]:
    """Weights of so many components, each outweighing all that come after it."""
    return [DIGIT ** (size - 1 - j) for j in range(size)]


def prices_of(flow: Flow, potentials: Sequence[Int]) -> Prices:
    """The potentials of a flow, one per component, as packed prices."""
    plan, market = flow.plan, flow.plan.market
    n, m = len(market.applicants), len(market.programs)
    total = np.zeros(len(flow.network.supply), object)
    # Where nobody can be placed a seat may cost anything, more than it could ever be worth.
    beyond = np.full(len(total), 2 * FAR)
    beyond[:n], beyond[n : flow.first_below] = 0, FAR
    for weight, potential in zip(packed(len(potentials)), potentials, strict=True):
        total = total + np.where(potential == FAR, beyond, potential).astype(object) * weight
    cap = np.zeros(len(market.caps), object)
    subsidy = np.zeros(len(market.order_classes), object)
    for inner, outer in flow.chains.above.items():
        mine, above = total[flow.node(inner)], total[flow.node(outer)]
        if inner[0]:
            cap[inner[1]] = max(0, mine - above)
        else:
            subsidy[inner[1]] = max(0, above - mine)
    seat = total[flow.first_seat : flow.first_seat + len(plan.stages)]
    below = total[flow.first_below : flow.first_below + m]
    program = total[flow.first_program : flow.first_program + m]
    more = subsidy[market.class_of]
    return Prices(total[:n], seat + more[plan.home], below + more, program + more, cap)


@dataclass(frozen=True)
class Bound:
    """What prices prove in a node.

    Parameters
    ----------
    least
        No plan costs less.
    impossible
        Whether no plan is there at all, as an open class cannot have its minimum.
    opening, closing
        Per class that is not settled: what opening it, and what closing it, adds to ``least`` at
        least.
    """

    least: int
    impossible: bool
    opening: Int
    closing: Int


class Terms(NamedTuple):
    """What prices make of a node, part by part.

    Parameters
    ----------
    arcs, pairs
        Reduced costs, :data:`NEVER` or more where there is none.
    part
        Per class: what it costs if it opens, with its minimum of people.
    margin
        Per class: what the last person costs whom it needs.
    impossible
        Per class: whether too few people could come.
    whole
        What caps over several classes, and what prices of cuts add to the whole.
    """

    arcs: Int
    pairs: Int
    part: Int
    margin: Int
    impossible: Bool
    whole: int


class Seats(NamedTuple):
    """What one more person costs: per kind of seat, program below its hard reserves, program; caps."""

    kind: Int
    below: Int
    program: Int
    cap: Int


class Pairs:
    """Who may come to which class: the arcs of a person into a class are one pair.

    Attributes
    ----------
    order, first
        The arcs by pair, and where among them those of each pair begin; pairs are by class.
    order_class, owner
        Per pair.
    of_arc
        Per arc, its pair.
    classes, class_first, class_end
        Classes that have pairs, and which pairs those are.
    by_owner, owner_first
        The pairs by owner, and where among them those of each begin.
    """

    def __init__(self, order_class: Int, owner: Int, people: int) -> None:
        key = order_class * max(1, people) + owner
        self.order = np.argsort(key, kind="stable")
        pair, self.first = np.unique(key[self.order], return_index=True)
        self.order_class, self.owner = pair // max(1, people), pair % max(1, people)
        self.classes, self.class_first = np.unique(self.order_class, return_index=True)
        self.class_end = np.append(self.class_first[1:], len(pair))
        self.by_owner = np.argsort(self.owner, kind="stable")
        _, self.owner_first = np.unique(self.owner[self.by_owner], return_index=True)
        self.of_arc = np.empty(len(key), np.int64)
        self.of_arc[self.order] = np.repeat(
            np.arange(len(pair)), np.diff(np.append(self.first, len(key)))
        )


class Bounds:
    """Bounds of a plan's market.

    Parameters
    ----------
    plan
        The plan.
    components
        How many components there are at most.

    Notes
    -----
    Each is one pass over the arcs.
    """

    def __init__(self, plan: Plan, components: int) -> None:
        self.plan, self.never = plan, DIGIT ** (components + 4)
        self.cuts: list[Cut] = []

    @cached_property
    def class_of_arc(self) -> Int:
        """The class that each arc leads to.  Shape (arcs,)."""
        found: Int = self.plan.market.class_of[self.plan.home[self.plan.kind]]
        return found

    @cached_property
    def pairs(self) -> Pairs:
        """People and classes."""
        return Pairs(self.class_of_arc, self.plan.owner, len(self.plan.market.applicants))

    @cached_property
    def cap_pairs(self) -> tuple[Int, Int]:
        """Caps and programs under them, as two columns."""
        found = [(at, p) for at, cap in enumerate(self.plan.market.caps) for p in cap.programs]
        column = np.array(found, np.int64).reshape(-1, 2)
        return column[:, 0], column[:, 1]

    def present(self, node: Node) -> Bool:
        """The arcs that a node leaves.  Shape (arcs,)."""
        plan = self.plan
        forced = node.forced[plan.owner]
        found: Bool = (
            node.allowed[plan.edge]
            & (node.openings[self.class_of_arc] != CLOSED)
            & ((forced < 0) | (forced == plan.edge))
        )
        return found

    def most(self, node: Node) -> Int:
        """How many people each class could take if nobody went elsewhere.  Shape (k,)."""
        plan, market = self.plan, self.plan.market
        pairs = occurring(plan.edge[self.present(node)], len(market.program))
        people = np.bincount(market.program[pairs], minlength=len(market.programs))
        seats = np.minimum(people, market.capacity)
        return np.bincount(market.class_of, seats, len(market.order_classes)).astype(np.int64)

    def entered(self, node: Node) -> Node | None:
        """A node without the classes that too few people could take; None if one of them must open."""
        plan = self.plan
        if not plan.conditional.any():
            return node
        hopeless = plan.conditional & (self.most(node) < plan.need) & (node.openings != CLOSED)
        if (hopeless & (node.openings == OPEN)).any():
            return None
        return Node(np.where(hopeless, CLOSED, node.openings), node.allowed, node.forced)

    def wanted(self, node: Node, cost: Int, prices: Prices, most: int) -> Int:
        """The edges whose reduced cost is so much at most, or that an open class may need."""
        plan, present = self.plan, self.present(node)
        arcs = cost[plan.edge] + prices.seat[plan.kind] - prices.person[plan.owner]
        arcs = arcs - self.cut_sum(prices.cut, prices.person.dtype)[0]
        willing = present & np.asarray(arcs <= 0, bool)
        willing = occurring(self.pairs.of_arc[willing], len(self.pairs.order_class))
        count = np.bincount(self.pairs.order_class[willing], minlength=len(plan.need))
        short = plan.conditional & (count < plan.need) & (node.openings == OPEN)
        near = np.asarray(arcs <= most, bool) | short[self.class_of_arc]
        return occurring(plan.edge[present & near], len(cost))

    def bound(self, node: Node, cost: Int, per_reserve: int, prices: Prices) -> Bound:
        """The bound that prices give in a node.

        Parameters
        ----------
        cost
            Per edge; of the prices' type, 64 bits or Python's integers.
        per_reserve
            What filling a reserved seat saves.
        """
        return self.bound_of(node, prices, self.terms(node, cost, per_reserve, prices))

    def bound_of(self, node: Node, prices: Prices, terms: Terms) -> Bound:
        """The bound that the parts of a node add up to."""
        plan, person = self.plan, prices.person
        _, pairs, part, margin, impossible, whole = terms
        never = self.never if pairs.dtype == object else NEVER
        settled = (node.openings == OPEN) | ~plan.conditional
        free = ~settled & (node.openings == FREE)
        least = int(person.sum()) + whole + int(part[settled & (node.openings != CLOSED)].sum())
        bound_to = node.forced >= 0
        least += int(np.minimum(0, -person[~bound_to]).sum())
        takes = free & ~impossible
        least += int(np.minimum(0, part[takes]).sum())
        opening = np.maximum(part, 0)
        opening[impossible] = never
        closing = np.where(impossible, 0, np.maximum(-part, 0))
        closing = closing + self._elsewhere(pairs, never, margin, person, bound_to, free)
        lost = bool((impossible & settled & (node.openings != CLOSED)).any())
        lost |= bool((bound_to & ~self._has_arc(self.present(node))).any())
        return Bound(least, lost, opening, closing)

    def terms(self, node: Node, cost: Int, per_reserve: int, prices: Prices) -> Terms:
        """What prices make of a node, part by part."""
        plan = self.plan
        by_arc, by_class, whole = self.cut_sum(prices.cut, prices.person.dtype)
        arcs = cost[plan.edge] + prices.seat[plan.kind] - prices.person[plan.owner] - by_arc
        never = self.never if arcs.dtype == object else NEVER
        arcs[~self.present(node)] = never
        pairs = np.minimum.reduceat(arcs[self.pairs.order], self.pairs.first) if len(arcs) else arcs
        part, paid = self._seats(self.seats(per_reserve, prices))
        part -= by_class
        impossible = np.zeros(len(part), bool)
        margin = np.zeros(len(part), part.dtype)
        held = node.forced[self.pairs.owner] >= 0
        need = np.where(plan.conditional, plan.need, 0)
        gains = np.where(held & (pairs < never), pairs, np.minimum(pairs, 0))
        if len(pairs):
            part[self.pairs.classes] += np.add.reduceat(gains, self.pairs.class_first)
        self._reach_minimum(node, pairs, held, never, need, part, margin, impossible)
        return Terms(arcs, pairs, part, margin, impossible, paid - whole)

    def roomy(self, prices: Prices) -> Prices:
        """The prices, as Python's integers if sums of them, or of cuts, may be more than 64 bits hold."""
        if not prices.cut.any():
            return prices
        priced = zip(np.abs(prices.cut).tolist(), self.cuts, strict=False)
        most = max(int(np.abs(part).max(initial=0)) for part in prices[:-1])
        total = most * len(prices.person) + sum(price * cut.reach for price, cut in priced)
        return prices if 8 * total < ROOM else Prices(*(part.astype(object) for part in prices))

    def cut_sum(self, prices: NDArray[Any], kind: np.dtype[Any]) -> tuple[Int, Int, int]:
        """The sum of cuts times their prices: per arc, per class, and what is there anyway."""
        by_arc = np.zeros(len(self.plan.edge), kind)
        by_class, whole = np.zeros(len(self.plan.need), kind), 0
        for price, cut in zip(prices.tolist(), self.cuts, strict=False):
            if price:
                by_arc[cut.at] += cut.arc.astype(kind) * price
                by_class += cut.opening.astype(kind) * price
                whole += cut.constant * price
        return by_arc, by_class, whole

    def _has_arc(self, present: Bool) -> Bool:
        has = np.zeros(len(self.plan.market.applicants), bool)
        has[self.plan.owner[present]] = True
        return has

    def seats(self, per_reserve: int, prices: Prices) -> Seats:
        """What one more person in each kind of seat, program and cap costs, apart from the person."""
        plan = self.plan
        levy = np.maximum(prices.cap, 0)
        over = np.zeros(len(prices.program), prices.program.dtype)
        cap, p = self.cap_pairs
        np.add.at(over, p, levy[cap])
        head = np.where(plan.hard, prices.program[plan.home], prices.below[plan.home])
        kind = head - prices.seat - plan.reserved.astype(head.dtype) * per_reserve
        return Seats(kind, prices.program - prices.below, over - prices.program, levy)

    @cached_property
    def within(self) -> Bool:
        """Which caps are caps of one class that may close.  Shape (caps,)."""
        found: Bool = (self.plan.inside >= 0) & self.plan.conditional[self.plan.inside]
        return found

    @cached_property
    def cap_seats(self) -> Int:
        """The seats of each cap."""
        return np.array([cap.seats for cap in self.plan.market.caps], np.int64)

    def _seats(self, cost: Seats) -> tuple[Int, int]:
        """What seats add to each class, and caps over several classes to the whole."""
        plan, market = self.plan, self.plan.market
        part = np.zeros(len(market.order_classes), cost.kind.dtype)
        np.add.at(
            part,
            market.class_of[plan.home],
            plan.seats * np.minimum(0, cost.kind) + plan.least * np.maximum(0, cost.kind),
        )
        below = plan.below * np.minimum(0, cost.below)
        program = market.capacity * np.minimum(0, cost.program)
        np.add.at(part, market.class_of, below + program)
        paid = -self.cap_seats * cost.cap
        np.add.at(part, plan.inside[self.within], paid[self.within])
        return part, int(paid[~self.within].sum())

    def _reach_minimum(
        self, node: Node, pairs: Int, held: Bool, never: int, need: Int, part: Int, margin: Int,
        impossible: Bool,
    ) -> None:  # fmt: skip
        """Add the cheapest of those who are missing to each class that would fall short."""
        willing = (pairs <= 0) | held
        count = np.bincount(self.pairs.order_class[willing & (pairs < never)], minlength=len(part))
        at = np.full(len(part), -1)
        at[self.pairs.classes] = np.arange(len(self.pairs.classes))
        for c in np.flatnonzero((need > count) & (node.openings != CLOSED)).tolist():
            low, high = (
                (self.pairs.class_first[at[c]], self.pairs.class_end[at[c]])
                if at[c] >= 0
                else (0, 0)
            )
            others = pairs[low:high]
            others = np.sort(others[~willing[low:high] & (others < never)])
            missing = int(need[c] - count[c])
            if len(others) < missing:
                impossible[c] = True
                continue
            part[c] += others[:missing].sum()
            margin[c] = others[missing - 1]

    def _elsewhere(
        self, pairs: Int, never: int, margin: Int, person: Int, bound_to: Bool, free: Bool
    ) -> Int:
        """What the people of each class would lose by it at least, as they are priced now.

        A person's number may rise to the least that anything else costs her, less the margin by which
        a class takes people beyond its minimum.
        """
        found = np.zeros(len(margin), person.dtype)
        if not len(pairs) or not free.any():
            return found
        value = np.where(pairs < never, pairs - margin[self.pairs.order_class], never)
        mine = value[self.pairs.by_owner]
        least = np.minimum.reduceat(mine, self.pairs.owner_first)
        sizes = np.diff(np.append(self.pairs.owner_first, len(mine)))
        is_least = mine == np.repeat(least, sizes)
        rank = np.cumsum(is_least) - np.repeat(
            np.cumsum(is_least)[self.pairs.owner_first] - is_least[self.pairs.owner_first], sizes
        )
        is_least &= rank == 1
        second = np.minimum.reduceat(np.where(is_least, never, mine), self.pairs.owner_first)
        other = np.where(is_least, np.repeat(second, sizes), np.repeat(least, sizes))
        owner = self.pairs.owner[self.pairs.by_owner]
        rise = np.maximum(0, np.minimum(other, -person[owner]))
        rise[bound_to[owner] | (mine >= never)] = 0
        by_pair = np.empty_like(rise)
        by_pair[self.pairs.by_owner] = rise
        found[self.pairs.classes] = np.add.reduceat(by_pair, self.pairs.class_first)
        return found
