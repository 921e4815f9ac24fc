"""The strong linear relaxation: nobody is placed in a class by more than it is open.

Of all linear relaxations of minimum class sizes that look at one class at a time this is the strongest;
the usual one, which compares a class with all its seats, leaves classes a little open everywhere.  Only
classes that would fall short get an opening at all.  It is solved in floating point (``simplex.py``).
Nothing here is believed: its prices are rounded to integers that prove what they prove (``bounds.py``),
its placements are checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds as Box
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import coo_array

from ..cells import Int, occurring
from ..objective import Counted
from .bounds import Bounds, Node, Prices
from .flow import FAR
from .plan import CLOSED, FREE, OPEN, Flow
from .simplex import BASIC, ENDLESS, LOWER, NOTHING, UPPER, Program, States, simplex

if TYPE_CHECKING:
    from .cuts import Cut

Real = NDArray[np.float64]

SHORT = 64.0
"""What a missing person costs, in the greatest worth of a placement."""

SCALE = 2.0**20
"""The greatest worth as the solver sees it: its tolerance is absolute."""

FINE = 1 << 20
"""Into so many parts a unit is cut where whole ones do not prove enough."""

PRICE = 0.01
"""A price below this is none: those of single components are whole, or parts of a few."""

NEARLY = 20
"""One column in so many is added beside those wanting: prices differ from one solution to the next."""

ALL = 80_000
"""Arcs up to which the relaxation has all of them from the beginning."""

BEST, MORE = 3, 10
"""Arcs of a person that the relaxation begins with, and that each time are added for her at most."""

PARTS, TOGETHER = 500, 1 << 26
"""A price is whole in so many parts of a unit at most, and all of them are together."""

MANY = 1000
"""More cuts than are made."""

Weighted = tuple[int, Counted]
Fixed = tuple[Counted, int]


@dataclass(frozen=True)
class Solution:
    """A solution of the relaxation.

    Parameters
    ----------
    placed
        Per arc, between 0 and 1.
    opening
        Per class: how far it is open, 1 where nothing binds it.
    missing
        People whom open classes, and reserves that must be filled, lack.
    duals
        Per applicant, kind of seat, program below its hard reserves, program, cap, cut.
    short
        Per class: the price of a person whom it lacks.
    fixed
        The price of each fixed component.
    value
        What it is worth.
    """

    placed: Real
    opening: Real
    missing: float
    duals: tuple[Real, Real, Real, Real, Real, Real]
    short: Real
    fixed: list[float]
    value: float = 0.0

    @property
    def halfway(self) -> NDArray[np.bool_]:
        """Which classes are neither open nor closed.  Shape (k,)."""
        found: NDArray[np.bool_] = (self.opening > NOTHING) & (self.opening < 1 - NOTHING)
        return found


class Strong:
    """The relaxation of a market, to be solved in one node after another.

    It is solved over some columns only: a few of the best arcs of each person, and for each class that
    may fall short the people who come to it at the least cost; those that its prices find wanting are
    added, each time.

    Parameters
    ----------
    bounds
        The market's.
    suspects
        Classes that get an opening and strong links; for the others only seats bind, until they are
        found short.
    """

    def __init__(self, bounds: Bounds, suspects: set[int]) -> None:
        self.bounds, self.plan, self.suspects = bounds, bounds.plan, suspects
        self.cuts: list[Cut] = []
        self.columns = np.zeros(len(self.plan.edge), bool)
        self.simplex = simplex()
        self.grown = False
        self.rows: _Rows | None = None
        self.shape: tuple[int, int, int, int, bytes] = 0, 0, 0, 0, b""

    def with_cuts(self, cuts: list[Cut]) -> Strong:
        """The same relaxation, over the same columns, that keeps cuts as well: begun from the same bases.

        Prices of cuts are not whole, and what they leave is far from what it is without them: so both
        relaxations have a solver of their own.
        """
        found = Strong(self.bounds, self.suspects)
        found.columns, found.cuts, found.simplex = self.columns, cuts, self.simplex.another()
        return found

    def solve(
        self,
        node: Node,
        wanted: Sequence[Weighted],
        fixed: Sequence[Fixed],
        time_s: float | None,
        steps: int = ENDLESS,
    ) -> Solution | None:
        """The best fractional placement of a node over the columns.

        Parameters
        ----------
        wanted
            Weights and components to be made large together; none, to miss as few people as can be.
        fixed
            Components that stay at a value.
        steps
            After so many steps of the solver its prices are taken as they are.

        Returns
        -------
        Solution or None
            None if the solver gives none in time.
        """
        worth, per_reserve = self._worth(wanted)
        rows = self._rows_of(node, fixed)
        cost, unit = rows.cost(worth, per_reserve)
        found = self.simplex.solve(
            rows.program,
            cost,
            rows.box(node),
            rows.limit(fixed),
            time_s,
            about=_name(wanted, fixed),
            steps=steps,
        )
        if found is None:
            return None
        solution = rows.read(node, found.x, -found.dual * (unit / SCALE), per_reserve)
        return replace(solution, value=-found.cost * unit / SCALE)

    def faces(
        self, node: Node, parts: Sequence[Sequence[Weighted]], time_left: Callable[[], float | None]
    ) -> Iterator[Solution]:
        """Solutions of one sum of components after another, each among those best in all before.

        A column or row with a price is held where it is.  Each solution has the prices of its own
        sum.  It ends early, and ``grown`` says so, where columns had to be added; and where somebody
        is missing.
        """
        plan, self.grown = self.plan, False
        rows, present = self._rows_of(node, ()), self.bounds.present(node)
        lower, upper = rows.box(node)
        limit, tight = rows.limit(()), np.zeros(len(rows.program.rows), bool)
        left = present & ~self.columns
        for at, part in enumerate(parts):
            used = np.append(rows.arcs[upper[: len(rows.arcs)] > 0], np.flatnonzero(left))
            worth, per_reserve = self._worth(part, plan.edge[used])
            cost, unit = rows.cost(worth, per_reserve)
            # The first one begins with the basis of its sum, of which no column may be missing.
            keep = np.flatnonzero(upper > 0) if at else np.arange(len(upper))
            program = rows.program if len(keep) == len(upper) else rows.program.among(keep)
            found = self.simplex.solve(
                program, cost[keep], (lower[keep], upper[keep]), limit, time_left(), tight,
                about="" if at else _name(part, ()),
            )  # fmt: skip
            if found is None:
                return
            x = np.zeros(len(upper))
            x[keep] = found.x
            prices = -found.dual * (unit / SCALE)
            solution = rows.read(node, x, prices, per_reserve)
            person, seat, *_ = solution.duals
            reduced = seat[plan.kind] - person[plan.owner] - worth
            reduced -= np.maximum(0, solution.short[self.bounds.class_of_arc])
            if (left & (reduced < -PRICE)).any():
                self.columns |= self._nearly(left, reduced)
                self.grown = True
            if self.grown or solution.missing > NOTHING:
                return
            yield replace(solution, value=-found.cost * unit / SCALE)
            left &= reduced <= PRICE
            price = np.zeros(len(upper))
            price[keep] = found.reduced * (unit / SCALE)
            upper = np.where(price > PRICE, lower, upper)
            lower = np.where(price < -PRICE, upper, lower)
            tight |= np.abs(prices) > PRICE

    def _rows_of(self, node: Node, fixed: Sequence[Fixed]) -> _Rows:
        """The rows for a node: the last ones, if nothing but bounds and limits has changed."""
        held = np.flatnonzero(node.forced >= 0)
        sizes = int(self.columns.sum()), len(self.suspects), len(fixed), len(self.cuts)
        shape = *sizes, held.tobytes()
        if self.rows is None or self.shape != shape:
            parts = [component for component, _ in fixed]
            self.rows = _Rows(self.bounds, node, self.suspects, self.columns, parts, self.cuts)
            self.shape = shape
        return self.rows

    def whole(
        self, node: Node, wanted: Counted, fixed: Sequence[Fixed], time_s: float | None
    ) -> tuple[Int, float] | None:
        """The best placement of a node in a component by branch and cut, and the solver's bound.

        None if the solver does not end in time.  What it says is taken on trust.
        """
        plan = self.plan
        every = set(np.flatnonzero(plan.conditional).tolist())
        parts = [component for component, _ in fixed]
        rows = _Rows(self.bounds, node, every, np.ones(len(plan.edge), bool), parts)
        gain = wanted.at(plan.edge[rows.arcs]).astype(float)
        gain += wanted.per_reserve * plan.reserved[plan.kind[rows.arcs]]
        cost = np.zeros(len(rows.program.columns))
        cost[: len(gain)] = -gain / max(1, wanted.reach)
        lower, upper = rows.box(node)
        upper[rows.first_missing :] = 0
        found = milp(
            cost, integrality=np.ones(len(cost)), bounds=Box(lower, upper),
            constraints=LinearConstraint(rows.program.matrix, -np.inf, rows.limit(fixed)),
            options={"mip_rel_gap": 0.0} | ({"time_limit": time_s} if time_s else {}),
        )  # fmt: skip
        if found.x is None or found.status != 0:
            return None
        taken = rows.arcs[found.x[: len(rows.arcs)] > 0.5]
        return plan.placement(taken), -float(found.mip_dual_bound) * max(1, wanted.reach)

    def _worth(self, wanted: Sequence[Weighted], edges: Int | None = None) -> tuple[Real, int]:
        """What each arc is worth, perhaps of some edges only, and each reserved seat filled."""
        worth = np.zeros(len(self.plan.market.program))
        for weight, component in wanted:
            if edges is None:
                worth += float(weight) * component.worth
            else:
                worth[edges] += float(weight) * component.at(edges)
        return worth[self.plan.edge], sum(w * c.per_reserve for w, c in wanted)

    def begin(self, root: Node, flow: Flow, wanted: Sequence[Weighted]) -> None:
        """Choose the first columns, and a basis, by the best flow without minimum sizes."""
        taken = flow.arcs[flow.network.flow[: len(flow.arcs)] > 0]
        self.columns[taken] = True
        self._choose(flow, wanted)
        rows = self._rows_of(root, ())
        self.simplex.begin(rows.program, *rows.basis(taken), _name(wanted, ()))

    def _choose(self, flow: Flow, wanted: Sequence[Weighted]) -> None:
        """Choose the first columns, by reduced costs."""
        plan = self.plan
        if len(plan.edge) <= ALL:
            self.columns[:] = True
            return
        worth, _ = self._worth(wanted)
        price = np.zeros(len(flow.network.supply))
        for (weight, _), potential in zip(wanted, flow.potentials, strict=False):
            price += float(weight) * np.minimum(potential, FAR)
        reduced = price[flow.first_seat + plan.kind] - price[plan.owner] - worth
        self.columns |= _first(plan.owner, reduced, BEST)
        order_class = self.bounds.class_of_arc
        self.columns |= self._suspect[order_class] & _first(
            order_class, reduced, 2 * self.plan.need[order_class]
        )

    def _nearly(self, left: NDArray[np.bool_], reduced: Real) -> NDArray[np.bool_]:
        """Those of the columns left that cost least, as many as there is room for."""
        room = int(self.columns.sum()) // NEARLY
        if int(left.sum()) <= room:
            return left
        found = np.zeros(len(left), bool)
        found[np.argpartition(np.where(left, reduced, np.inf), room)[:room]] = True
        return found & left

    @property
    def _suspect(self) -> NDArray[np.bool_]:
        found = np.zeros(len(self.plan.market.order_classes), bool)
        found[list(self.suspects)] = True
        return found

    def grow(
        self, node: Node, wanted: Sequence[Weighted], fixed: Sequence[Fixed], solution: Solution,
        nearly: bool = False,
    ) -> bool:  # fmt: skip
        """Add the columns that a solution's prices find wanting, and classes found short.

        With ``nearly`` some that nearly are, too.  Returns whether there are any.
        """
        if self.columns.all() and self._suspect[self.plan.conditional].all():
            return False
        plan, (worth, per_reserve) = self.plan, self._worth(wanted)
        unit = _unit(worth, per_reserve)
        person, seat, *_ = solution.duals
        reduced = (seat[plan.kind] - person[plan.owner] - worth) / unit
        for (component, _), price in zip(fixed, solution.fixed, strict=True):
            reduced -= price / unit * component.worth[plan.edge]
        reduced -= self.bounds.cut_sum(solution.duals[-1] / unit, np.dtype(float))[0]
        left = self.bounds.present(node) & ~self.columns
        order_class = self.bounds.class_of_arc
        wanting = left & (reduced < -NOTHING)
        fresh = wanting & _first(plan.owner, np.where(wanting, reduced, np.inf), MORE)
        reduced -= solution.short[order_class] / unit
        wanting = left & (reduced < -NOTHING)
        fresh |= wanting & _first(
            order_class, np.where(wanting, reduced, np.inf), 2 * plan.need[order_class]
        )
        if nearly and fresh.any() and solution.missing <= NOTHING:
            fresh |= self._nearly(left, reduced)
        self.columns |= fresh
        sizes = np.bincount(order_class, solution.placed, len(node.openings))
        short = (sizes > NOTHING) & (sizes < plan.need - NOTHING) & plan.conditional
        short &= node.openings == FREE
        late = set(np.flatnonzero(short).tolist()) - self.suspects
        self.suspects |= late
        return bool(fresh.any() or late)


def _name(wanted: Sequence[Weighted], fixed: Sequence[Fixed]) -> str:
    """A name for costs: those of a sum of components, after others."""
    return f"{len(fixed)}+{len(wanted)}"


def _unit(worth: Real, per_reserve: int) -> float:
    """The greatest worth, which the solver sees as :data:`SCALE`."""
    return max(1.0, float(np.abs(worth).max(initial=0)), float(per_reserve))


def _first(group: Int, value: Real, number: Int | int) -> NDArray[np.bool_]:
    """Which entries are among the so many smallest of their group."""
    order = np.lexsort((value, group))
    first = np.searchsorted(group[order], np.arange(group.max(initial=-1) + 1))
    nth = np.empty(len(order), np.int64)
    nth[order] = np.arange(len(order)) - first[group[order]]
    return nth < number


class _Rows:
    """The rows of the relaxation over some columns, and how to read its solutions.

    They are those of every node; what a node settles are bounds of columns.
    """

    def __init__(
        self, bounds: Bounds, node: Node, suspects: set[int], columns: NDArray[np.bool_],
        fixed: Sequence[Counted], cuts: Sequence[Cut] = (),
    ) -> None:  # fmt: skip
        self.bounds, self.plan, self.cuts = bounds, bounds.plan, cuts
        plan, market = self.plan, self.plan.market
        self.arcs = np.flatnonzero(columns)
        self.asked = asked = np.flatnonzero(plan.conditional)
        self.held, least = np.flatnonzero(node.forced >= 0), np.flatnonzero(plan.least)
        self.openings = len(asked)
        self.missing = len(asked) + len(self.held) + len(least) + len(cuts) + len(fixed)
        self.first_missing = len(self.arcs) + len(asked)
        self.opening = np.full(len(market.order_classes), -1)
        self.opening[asked] = len(self.arcs) + np.arange(len(asked))
        suspected = np.zeros(len(self.opening), bool)
        suspected[list(suspects)] = True
        self.column = np.where(suspected, self.opening, -1)
        held = self.held
        self.parts: list[tuple[Int, Int, Real]] = []
        self.limits: list[Real] = []
        self.numbers: list[Int] = []
        self.count = self.universe = 0
        owner, kind = plan.owner[self.arcs], plan.kind[self.arcs]
        home = plan.home[kind]
        at = np.arange(len(self.arcs))
        n, k = len(market.applicants), len(market.order_classes)
        self.people = self._add(owner, at, np.ones(n))
        self.kept = self._add(
            np.searchsorted(held, owner),
            at,
            -np.ones(len(held)),
            -1.0,
            node.forced[owner] >= 0,
            among=(held, n),
        )
        self._lack(self.kept, len(asked))
        reserved = np.flatnonzero(plan.reserved)
        of_kind = np.full(len(plan.stages), -1)
        of_kind[reserved] = np.arange(len(reserved))
        class_of = market.class_of
        inside = plan.reserved[kind]
        self.reserved = reserved
        self.kinds = self._add(
            of_kind[kind], at, plan.seats[reserved], 1.0, inside, class_of[plan.home[reserved]]
        )
        of_least = np.full(len(plan.stages), -1)
        of_least[least] = np.arange(len(least))
        self.least = least
        self.must = self._add(of_least[kind], at, -plan.least[least], -1.0, of_least[kind] >= 0)
        self._lack(self.must, len(asked) + len(held))
        self.below = self._add(home, at, plan.below, 1.0, ~plan.hard[kind], class_of)
        self.programs = self._add(home, at, market.capacity, 1.0, None, class_of)
        cap, p = bounds.cap_pairs
        under = np.argsort(p, kind="stable")
        low, high = np.searchsorted(p[under], home), np.searchsorted(p[under], home, side="right")
        times = high - low
        nth = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
        caps = cap[under][np.repeat(low, times) + nth]
        seats = np.array([c.seats for c in market.caps], np.int64)
        within = np.where(plan.inside >= 0, plan.inside, 0) if len(seats) else seats
        self.within = np.where(plan.inside >= 0, within, -1)
        self.caps = self._add(caps, np.repeat(at, times), seats, 1.0, None, self.within)
        self._minimum(at, class_of[home])
        self._links(at)
        self._keep_cuts(len(asked) + len(held) + len(least))
        self._fix(at, fixed)
        self.program = self._program(np.concatenate([asked, k + held, k + n + least]), k + n)

    def _program(self, missing: Int, size: int) -> Program:
        """The whole matrix, and numbers by which rows and columns are known again."""
        arcs, k = len(self.plan.edge), len(self.opening)
        size += len(self.plan.least)
        cuts, last = np.arange(len(self.cuts)), MANY + np.arange(len(self.stays))
        last = np.concatenate([cuts, last])
        columns = [self.arcs, arcs + self.asked, arcs + k + missing, arcs + k + size + last]
        row, column, value = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        width = self.first_missing + self.missing
        matrix = coo_array((value, (row, column)), shape=(self.count, width)).tocsc()
        rows = np.concatenate(self.numbers)
        return Program(matrix, rows, np.concatenate(columns), len(self.stays))

    def basis(self, taken: Int) -> tuple[States, States]:
        """States of columns and rows: who takes an arc fills her row, all classes are open.

        What an open class lacks fills its row; every other row has room.
        """
        plan = self.plan
        columns = np.full(self.first_missing + self.missing, LOWER, np.int8)
        rows = np.full(self.count, BASIC, np.int8)
        columns[np.searchsorted(self.arcs, taken)] = BASIC
        columns[len(self.arcs) : self.first_missing] = UPPER
        rows[self.people.start + plan.owner[taken]] = UPPER
        sizes = np.bincount(self.bounds.class_of_arc[taken], minlength=len(self.opening))
        short = np.flatnonzero(sizes[self.asked] < plan.need[self.asked])
        columns[self.first_missing + short] = BASIC
        rows[self.minimum.start + short] = UPPER
        return columns, rows

    def box(self, node: Node) -> tuple[Real, Real]:
        """The bounds of the columns in a node."""
        lower = np.zeros(self.first_missing + self.missing)
        upper = np.ones(len(lower))
        upper[self.first_missing :] = np.inf
        upper[: len(self.arcs)] = self.bounds.present(node)[self.arcs]
        openings = slice(len(self.arcs), self.first_missing)
        lower[openings] = node.openings[self.asked] == OPEN
        upper[openings] = node.openings[self.asked] != CLOSED
        return lower, upper

    def cost(self, worth: Real, per_reserve: int) -> tuple[Real, float]:
        """What the columns cost, and the greatest worth, in which the solver sees them.

        ``worth`` is per arc of the plan.
        """
        unit = _unit(worth, per_reserve)
        gain = worth[self.arcs] + per_reserve * self.plan.reserved[self.plan.kind[self.arcs]]
        lack = np.full(self.missing, SHORT)
        return SCALE * np.concatenate([-gain / unit, np.zeros(self.openings), lack]), unit

    def limit(self, fixed: Sequence[Fixed]) -> Real:
        """The limits of the rows, where components stay at their values."""
        values = [-value / reach for (_, value), reach in zip(fixed, self.reach, strict=True)]
        return np.concatenate([*self.limits, np.array(values)])

    def _add(
        self, row: Int, column: Int, limit: Int | Real, sign: float = 1.0,
        where: NDArray[np.bool_] | None = None, order_class: Int | None = None,
        among: tuple[Int, int] | None = None,
    ) -> slice:  # fmt: skip
        """Rows: the sum of columns stays within a limit, which an opening may scale.

        They may be some among so many.
        """
        if where is not None:
            row, column = row[where], column[where]
        self.parts.append((self.count + row, column, np.full(len(row), sign)))
        bound = np.array(limit, float)
        if order_class is not None and len(bound):
            opening = np.where(order_class >= 0, self.column[order_class], -1)
            scaled = np.flatnonzero(opening >= 0)
            self.parts.append((self.count + scaled, opening[scaled], -bound[scaled]))
            bound[scaled] = 0
        self.limits.append(bound)
        which, size = among or (np.arange(len(bound)), len(bound))
        self.numbers.append(self.universe + which)
        found = slice(self.count, self.count + len(bound))
        self.count += len(bound)
        self.universe += size
        return found

    def _minimum(self, at: Int, order_class: Int) -> None:
        """An open class has its minimum, or lacks people."""
        place = np.full(len(self.opening), -1)
        place[self.asked] = np.arange(len(self.asked))
        inside = place[order_class] >= 0
        need = self.plan.need[self.asked].astype(float)
        rows = self._add(place[order_class], at, np.zeros(len(need)), -1.0, inside)
        self.parts.append((np.arange(rows.start, rows.stop), self.opening[self.asked], need))
        self._lack(rows, 0)
        self.minimum = rows

    def _lack(self, rows: slice, first: int) -> None:
        """People may be missing in these rows, at a cost."""
        row = np.arange(rows.start, rows.stop)
        column = self.first_missing + first + np.arange(len(row))
        self.parts.append((row, column, -np.ones(len(row))))

    def _keep_cuts(self, first: int) -> None:
        """Cuts are kept, or lacked, in units of their last component."""
        cuts, place = self.cuts, np.full(len(self.plan.edge), -1)
        place[self.arcs] = np.arange(len(self.arcs))
        none = self.arcs[:0]
        limit = np.array([cut.constant / cut.unit for cut in cuts])
        rows = self._add(none, none, limit, among=(np.arange(len(cuts)), MANY))
        for row, cut in enumerate(cuts, rows.start):
            column, opening = place[cut.at], np.flatnonzero(cut.opening)
            inside = column >= 0
            at = np.concatenate([column[inside], self.opening[opening]])
            value = np.concatenate([cut.arc[inside], cut.opening[opening]]) / cut.unit
            self.parts.append((np.full(len(at), row), at, -value))
        self.of_cuts = rows
        self._lack(rows, first)

    def _fix(self, at: Int, fixed: Sequence[Counted]) -> None:
        """Components stay at values that are limits of their rows."""
        plan = self.plan
        edge, reserved = plan.edge[self.arcs], plan.reserved[plan.kind[self.arcs]]
        self.stays = fixed
        self.reach = [float(max(1, component.reach)) for component in fixed]
        rows = self._add(at[:0], at[:0], np.zeros(len(fixed)))
        self.limits.pop()  # they change from time to time
        for nth, (component, reach) in enumerate(zip(fixed, self.reach, strict=True)):
            worth = (component.at(edge) + component.per_reserve * reserved) / reach
            self.parts.append((np.full(len(at), rows.start + nth), at, -worth))
        self.fixed = rows
        self._lack(rows, self.missing - len(fixed))

    def _links(self, at: Int) -> None:
        """Nobody is in a class by more than it is open."""
        pair = self.bounds.pairs.of_arc[self.arcs]
        order_class = self.bounds.pairs.order_class[pair]
        linked = self.column[order_class] >= 0
        size = len(self.bounds.pairs.order_class)
        used = occurring(pair[linked], size)
        row = np.searchsorted(used, pair[linked])
        start, among = self.count, (used, size)
        self._add(row, at[linked], np.zeros(len(used)), among=among)
        opening = self.column[self.bounds.pairs.order_class[used]]
        self.parts.append((start + np.arange(len(used)), opening, -np.ones(len(used))))

    def read(self, node: Node, x: Real, dual: Real, per_reserve: int) -> Solution:
        """Placements, openings and duals, in the plan's own terms."""
        plan, market = self.plan, self.plan.market
        placed = np.zeros(len(plan.edge))
        placed[self.arcs] = x[: len(self.arcs)]
        opening = np.where(node.openings == CLOSED, 0.0, 1.0)
        columns = np.flatnonzero(self.column >= 0)
        opening[columns] = x[self.column[columns]]
        person = -dual[self.people]
        person[self.held] += dual[self.kept]
        cap = dual[self.caps]
        over = np.zeros(len(market.programs))
        at, p = self.bounds.cap_pairs
        np.add.at(over, p, cap[at])
        program = dual[self.programs] + over
        below = dual[self.below] + program
        fixed = [float(d) / r for d, r in zip(dual[self.fixed], self.reach, strict=True)]
        saved = per_reserve + sum(
            price * component.per_reserve
            for component, price in zip(self.stays, fixed, strict=True)
        )
        seat = np.where(plan.hard, program[plan.home], below[plan.home]) - saved * plan.reserved
        seat[self.reserved] += dual[self.kinds]
        seat[self.least] -= dual[self.must]
        missing = float(x[self.first_missing :].sum())
        short = np.zeros(len(opening))
        short[self.asked] = dual[self.minimum]
        cut = dual[self.of_cuts] / np.array([cut.unit for cut in self.cuts])
        duals = person, seat, below, program, cap, cut
        return Solution(placed, opening, missing, duals, short, fixed)


def rounded(solution: Solution, unit: float) -> Prices:
    """The duals of a solution as integers, in a unit of worth."""
    return Prices(*(np.rint(part / unit).astype(np.int64) for part in solution.duals))


def priced(
    bounds: Bounds, solution: Solution, ladder: Sequence[int], unit: float
) -> tuple[list[int], Prices]:
    """The weights of a solution's components, and its prices, as multiples of a unit."""
    weights = [round(price / unit) for price in solution.fixed]
    weights += [round(weight / unit) for weight in ladder]
    return weights, bounds.roomy(rounded(solution, unit))


def exactly(solution: Solution) -> tuple[int, Prices] | None:
    """The duals as whole numbers of a part of the unit, and how many parts; None if no small part does."""
    units = np.floor(np.concatenate(solution.duals))
    left, which = np.unique(np.concatenate(solution.duals) - units, return_inverse=True)
    shares = [Fraction(share).limit_denominator(PARTS) for share in left.tolist()]
    parts = lcm(*(share.denominator for share in shares))
    if parts > TOGETHER or (np.abs(left - np.array(shares, float)) > NOTHING).any():
        return None
    rest = np.array([int(share * parts) for share in shares])[which]
    ends = np.cumsum([len(dual) for dual in solution.duals])[:-1]
    return parts, Prices(*np.split(units.astype(np.int64) * parts + rest, ends))
