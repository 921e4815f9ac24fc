"""Cuts: what every plan keeps, whether a class opens or not, and the relaxation of both at once does not.

Prices show what a plan costs exactly: a constant, and for everything that it might do better (a seat left
empty, a person more than the minimum, somebody where the prices do not want her) as much as that is
priced at.  Let prices of the side on which a class closes say :math:`L_0 + m_0 \\cdot s(x)` of a plan
:math:`x`, where all of :math:`s(x)` is 0 or more, and those of the side on which it opens
:math:`L_1 + m_1 \\cdot s(x)`; let :math:`y` be 1 if it opens.  Every plan is on one of the sides, so that

.. math:: cost(x) \\ge L_0 + (L_1 - L_0) y + \\min(m_0, m_1) \\cdot s(x),

which is linear in :math:`x`, and where both prices are the same says nothing at all (disjunctive cuts;
Balas 1979, doi 10.1016/S0167-5060(08)70342-X; Balas, Ceria and Cornuejols 1993, doi 10.1007/BF01581273).
Splitting by classes far apart multiplies the nodes of a search; their cuts add up in one relaxation.

All of it is in integers, so that a cut needs no more proof than the prices of both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import lcm
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..cells import Int
from .bounds import ROOM, Bounds, Node, Prices, Terms
from .plan import CLOSED, FREE, OPEN
from .proof import Tree
from .strong import Solution, exactly, priced, rounded

if TYPE_CHECKING:
    from .openings import Search

WORTH = 0.01
"""A cut takes at least this part of a unit from the relaxation, or is left out."""

EXACT, FINEST = 1 << 23, 1 << 16
"""Into so many parts a unit is cut at most where that makes all prices whole, and else."""

FEW = 6
"""Classes halfway of which at least cuts are made: fewer are soon split by."""

PACE = 15
"""The cuts of so many classes take about as long as all that comes before."""

DENSE = 0.03
"""A cut that concerns more than this part of all columns makes every later relaxation dear."""

STEPS = 400
"""Steps of the solver after which the prices of a side are good enough for a cut."""

SHARE = 0.5
"""Cuts are made again if the last ones left less than this part of what could be missing."""


@dataclass(frozen=True)
class Cut:
    """``arc · x + opening · y + constant`` is 0 or more in every plan as good as the best one.

    Parameters
    ----------
    order_class
        The class, open or closed, that it comes from.
    weights, opened, closed
        Weights of the first components, and the prices of both sides.
    at, arc
        Arcs, and the number of each; all others have 0.
    opening
        Per class.
    constant
        What is there anyway.
    """

    order_class: int
    weights: list[int]
    opened: Prices
    closed: Prices
    at: Int
    arc: Int
    opening: Int
    constant: int

    @property
    def unit(self) -> float:
        """What one unit of the last component counts."""
        return float(self.weights[-1])

    @cached_property
    def reach(self) -> int:
        """No sum of its numbers over people or classes comes to more."""
        people, classes = len(self.opened.person), np.abs(self.opening).sum()
        return max(people * int(np.abs(self.arc).max(initial=0)), int(classes), abs(self.constant))

    def lacks(self, placed: np.ndarray, opening: np.ndarray) -> float:
        """How many units a fractional plan lacks."""
        value = (self.arc * placed[self.at]).sum() + (self.opening * opening).sum()
        return -float(value + self.constant) / self.unit


class Multipliers(NamedTuple):
    """What prices say that everything costs which a plan might do better; all are 0 or more.

    People placed and not; seats of a kind taken and free, of a program below its hard reserves, of a
    program, free ones of a cap; people beyond the minimum of a class; an open class without a person; an
    arc; a class open and closed; what an earlier cut leaves.
    """

    placed: Int
    unplaced: Int
    kind: Int
    kind_free: Int
    below: Int
    below_free: Int
    program: Int
    program_free: Int
    cap_free: Int
    beyond: Int
    link: Int
    arc: Int
    opened: Int
    closed: Int
    cut: Int


def multipliers(
    bounds: Bounds, node: Node, terms: Terms, per_reserve: int, prices: Prices
) -> Multipliers:
    """What prices say in a node."""
    seats, person = bounds.seats(per_reserve, prices), prices.person
    by_pair = terms.margin[bounds.pairs.order_class]
    link = np.maximum(0, by_pair - terms.pairs)
    arc = terms.arcs - terms.margin[bounds.class_of_arc] + link[bounds.pairs.of_arc]
    arc[~bounds.present(node)] = 0
    free = bounds.plan.conditional & (node.openings == FREE) & ~terms.impossible
    part = np.where(free, terms.part, 0)
    cut = np.zeros(len(bounds.cuts), person.dtype)
    cut[: len(prices.cut)] = prices.cut
    return Multipliers(
        *_both(person), *_both(seats.kind), *_both(seats.below), *_both(seats.program), seats.cap,
        terms.margin, link, arc, *_both(part), cut,
    )  # fmt: skip


def _both(value: Int) -> tuple[Int, Int]:
    """What is above 0, and what below."""
    return np.maximum(value, 0), np.maximum(-value, 0)


def least(bounds: Bounds, c: int, closed: Multipliers, opened: Multipliers) -> Multipliers:
    """The lesser of both sides'; of the class itself those of the side on which it opens.

    On the other one nothing of it can be done better.  Whether it opens is what both sides are about.
    """
    found = Multipliers(*(np.minimum(*both) for both in zip(closed, opened, strict=True)))
    plan, class_of = bounds.plan, bounds.plan.market.class_of
    kind, program = class_of[plan.home] == c, class_of == c
    mine = found._replace(
        kind=kind, kind_free=kind, below=program, below_free=program, program=program,
        program_free=program, cap_free=bounds.within & (plan.inside == c),
        beyond=np.arange(len(found.beyond)) == c, link=bounds.pairs.order_class == c,
        arc=bounds.class_of_arc == c,
    )  # fmt: skip
    mine = mine._replace(**{
        name: np.zeros(len(getattr(found, name)), bool)
        for name in ("placed", "unplaced", "opened", "closed", "cut")
    })  # fmt: skip
    found = Multipliers(*(np.where(m, o, f) for m, o, f in zip(mine, opened, found, strict=True)))
    found.opened[c] = found.closed[c] = 0
    return found


def linear(bounds: Bounds, m: Multipliers) -> tuple[Int, Int, int]:
    """What everything comes to that a plan might do better: per arc, per class that opens, and anyway."""
    plan, market = bounds.plan, bounds.plan.market
    over = np.zeros(len(market.programs), m.program.dtype)
    cap, p = bounds.cap_pairs
    np.add.at(over, p, m.cap_free[cap])
    order_class, pairs = bounds.class_of_arc, bounds.pairs
    by_kind = m.kind - m.kind_free
    by_kind += np.where(plan.hard, 0, (m.below - m.below_free)[plan.home])
    by_kind += (m.program - m.program_free - over)[plan.home]
    arc = (m.placed - m.unplaced)[plan.owner] + by_kind[plan.kind]
    arc += m.beyond[order_class] - m.link[pairs.of_arc] + m.arc
    opening = m.opened - m.closed - m.beyond * np.where(plan.conditional, plan.need, 0)
    of_kind = market.class_of[plan.home]
    np.add.at(opening, of_kind, m.kind_free * plan.seats - m.kind * plan.least)
    np.add.at(
        opening, market.class_of, m.below_free * plan.below + m.program_free * market.capacity
    )
    free = m.cap_free * bounds.cap_seats
    np.add.at(opening, plan.inside[bounds.within], free[bounds.within])
    opening[pairs.classes] += np.add.reduceat(m.link, pairs.class_first)
    constant = int(m.unplaced.sum()) + int(free[~bounds.within].sum()) + int(m.closed.sum())
    by_arc, by_class, whole = bounds.cut_sum(m.cut, m.cut.dtype)
    return arc + by_arc, opening + by_class, constant + whole


def disjunction(
    search: Search, node: Node, c: int, weights: list[int], opened: Prices, closed: Prices
) -> Cut | None:
    """The cut that prices of both sides of a class make; None if one of the sides holds no plan."""
    bounds, plan = search.bounds, search.plan
    found: list[tuple[int, Multipliers]] = []
    cost, per_reserve = search.cost(node, weights, closed)
    for side, prices in zip(node.sides(c), (opened, closed), strict=True):
        terms = bounds.terms(side, cost, per_reserve, prices)
        bound = bounds.bound_of(side, prices, terms)
        if bound.impossible:
            return None
        found.append((bound.least, multipliers(bounds, side, terms, per_reserve, prices)))
    (upper, m_open), (lower, m_closed) = found
    by_arc, by_class, whole = linear(bounds, least(bounds, c, m_closed, m_open))
    arc = cost[plan.edge] - per_reserve * plan.reserved[plan.kind] - by_arc
    opening, constant = -by_class, -lower - whole
    opening[c] += lower - upper
    opens = ~plan.conditional | (node.openings == OPEN)
    constant += int(opening[opens].sum())
    opening[opens | (node.openings == CLOSED)] = 0
    arc[~bounds.present(node)] = 0
    at = np.flatnonzero(arc)
    return Cut(c, weights, opened, closed, at, arc[at], opening, constant)


def _prices(
    search: Search, ladder: list[int], *sides: Solution
) -> tuple[list[int], Prices, Prices]:
    """Weights and prices of both sides in the same part of a unit: exact, or as fine as there is room."""
    found = [exactly(side) for side in sides]
    exact = [prices for prices in found if prices is not None]
    parts = lcm(*(of for of, _ in exact))
    room = max(1, ROOM // (8 * ladder[0] * search.reach[0] * search.people))
    if len(exact) == len(sides) and parts <= min(EXACT, room):
        one, two = (Prices(*(p * (parts // of) for p in prices)) for of, prices in exact)
    else:
        parts = min(FINEST, room)
        one, two = (rounded(side, 1 / parts) for side in sides)
    return [weight * parts for weight in ladder], one, two


def cut_off(
    search: Search, node: Node, start: int, tree: Tree, solution: Solution | None
) -> tuple[Node, int, bool]:
    """Make a cut of every class that the root's relaxation leaves halfway.

    Prices of a side may show at once that a plan as good as the best is on the other one.  Cuts are made
    again as long as they take so much of what is left between the relaxation and the best plan.

    Returns
    -------
    node, start, bool
        The node, how many components are proven, and whether there is anything new.
    """
    ladder, best = search.together(start), search.best
    if solution is None or best is None or not ladder or not search.large:
        return node, start, False
    if not search.affords(int(solution.halfway.sum()) / PACE):
        return node, start, False
    asked, strong, entry = search.asked(0, ladder), search.cutting, node
    whole = strong.solve(node, *asked, search.time_left())
    if whole is None:
        return node, start, False
    gap = whole.value - search.reached(0, ladder)
    between = np.flatnonzero(search.free(node) & whole.halfway)
    if len(between) < FEW or gap < 1 or gap > SHARE * search.gaps.get(start, np.inf):
        return node, start, False
    search.gaps[start] = gap
    strong.simplex.mark()
    found: list[tuple[int, Cut]] = []
    for c in between.tolist():
        sides: list[Solution] = []
        for nth in range(2):
            search.watch()
            strong.simplex.back()
            side = strong.solve(node.sides(c)[nth], *asked, search.time_left(), STEPS)
            if side is None:
                return node, start, node is not entry
            unit = 1 / search.parts(side, 0, ladder[0])
            prices = priced(search.bounds, side, ladder, unit)
            search.root_prices.append(prices)
            node, start = search.step(node, start, prices, tree)
            sides.append(side)
        if search.free(node)[c]:
            cut = disjunction(search, node, c, *_prices(search, ladder, *sides))
            few = cut is not None and len(cut.at) <= DENSE * int(strong.columns.sum())
            if cut and few and cut.lacks(whole.placed, whole.opening) > WORTH:
                found.append((len(tree.steps), cut))
        if tree.leaf:
            break
    strong.simplex.back()
    search.bounds.cuts += [cut for _, cut in found]
    tree.cuts += found
    return node, start, bool(found) or node is not entry
