"""The strong linear relaxation: nobody is placed in a class by more than it is open.

Of all linear relaxations of minimum class sizes that look at one class at a time this is the strongest;
the usual one, which compares a class with all its seats, leaves classes a little open everywhere.  Only
classes that would fall short get an opening at all.  HiGHS solves it in floating point.  Nothing here is
believed: its prices are rounded to integers that prove what they prove (``bounds.py``), its placements
are checked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array

from ..cells import Int
from .bounds import Bounds, Node, Prices
from .plan import CLOSED, FREE, OPEN

Real = NDArray[np.float64]

SHORT = 64.0
"""What a missing person costs, in the greatest worth of a placement."""


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
        People whom open classes lack.
    duals
        Per applicant, kind of seat, program below its hard reserves, program, cap.
    """

    placed: Real
    opening: Real
    missing: float
    duals: tuple[Real, Real, Real, Real, Real]


class Strong:
    """The relaxation of a market, to be solved in one node after another."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds, self.plan = bounds, bounds.plan

    def solve(
        self, node: Node, worth: Int, per_reserve: int, suspects: set[int], time_s: float | None
    ) -> Solution | None:
        """The best fractional placement of a node.

        Parameters
        ----------
        worth, per_reserve
            Of an edge, and of a reserved seat.
        suspects
            Classes that get an opening and strong links; for the others only seats bind.

        Returns
        -------
        Solution or None
            None if the solver gives none in time.
        """
        rows = _Rows(self.bounds, node, suspects)
        unit = max(1, int(np.abs(worth).max(initial=1)), per_reserve)
        plan = self.plan
        gain = (worth[plan.edge[rows.arcs]] + per_reserve * plan.reserved[plan.kind[rows.arcs]]) / unit
        cost = np.concatenate([-gain, np.zeros(rows.openings), np.full(rows.missing, SHORT)])
        upper = np.ones(len(cost))
        upper[len(cost) - rows.missing :] = np.inf
        matrix, limit = rows.matrix()
        options = {"presolve": True} | ({"time_limit": time_s} if time_s else {})
        found = linprog(
            cost * SCALE, matrix, limit, bounds=np.column_stack([np.zeros(len(upper)), upper]),
            method="highs-ds", options=options,
        )  # fmt: skip
        if found.x is None or found.status != 0:
            return None
        return rows.read(found.x, -np.asarray(found.ineqlin.marginals) * (unit / SCALE), per_reserve)


SCALE = 2.0**20
"""The greatest worth as the solver sees it: its tolerance is absolute."""


class _Rows:
    """The rows of the relaxation in one node, and how to read its solution."""

    def __init__(self, bounds: Bounds, node: Node, suspects: set[int]) -> None:
        self.bounds, self.plan, self.node = bounds, bounds.plan, node
        plan, market = self.plan, self.plan.market
        self.arcs = np.flatnonzero(bounds.present(node))
        binds = plan.conditional & (node.openings != CLOSED)
        asked = [c for c in np.flatnonzero(binds).tolist() if node.openings[c] == OPEN or c in suspects]
        self.column = np.full(len(market.order_classes), -1)
        free = [c for c in asked if node.openings[c] == FREE]
        self.openings, self.missing = len(free), len(asked)
        self.column[free] = len(self.arcs) + np.arange(len(free))
        self.asked = asked
        self.parts: list[tuple[Int, Int, Real]] = []
        self.limits: list[Real] = []
        self.count = 0
        owner, kind = plan.owner[self.arcs], plan.kind[self.arcs]
        home = plan.home[kind]
        at = np.arange(len(self.arcs))
        n, m = len(market.applicants), len(market.programs)
        self.people = self._add(owner, at, np.ones(n))
        held = np.flatnonzero(node.forced >= 0)
        self.kept = self._add(np.searchsorted(held, owner), at, -np.ones(len(held)), -1.0, node.forced[owner] >= 0)
        reserved = np.flatnonzero(plan.reserved)
        of_kind = np.full(len(plan.stages), -1)
        of_kind[reserved] = np.arange(len(reserved))
        class_of = market.class_of
        inside = plan.reserved[kind]
        self.reserved = reserved
        self.kinds = self._add(of_kind[kind], at, plan.seats[reserved], 1.0, inside, class_of[plan.home[reserved]])
        least = np.flatnonzero(plan.least)
        of_least = np.full(len(plan.stages), -1)
        of_least[least] = np.arange(len(least))
        self.least = least
        self.must = self._add(of_least[kind], at, -plan.least[least], -1.0, of_least[kind] >= 0)
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

    def _add(
        self, row: Int, column: Int, limit: Int | Real, sign: float = 1.0,
        where: NDArray[np.bool_] | None = None, order_class: Int | None = None,
    ) -> slice:  # fmt: skip
        """Rows: the sum of columns stays within a limit, which an opening may scale."""
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
        found = slice(self.count, self.count + len(bound))
        self.count += len(bound)
        return found

    def _minimum(self, at: Int, order_class: Int) -> None:
        """An open class has its minimum, or lacks people."""
        place = np.full(len(self.column), -1)
        place[self.asked] = np.arange(len(self.asked))
        inside = place[order_class] >= 0
        asked = np.array(self.asked, np.int64)
        start = self.count
        need = self.plan.need[asked].astype(float)
        rows = self._add(place[order_class], at, -need, -1.0, inside)
        lack = len(self.arcs) + self.openings + np.arange(len(asked))
        self.parts.append((start + np.arange(len(asked)), lack, -np.ones(len(asked))))
        free = np.flatnonzero(self.column[asked] >= 0)
        self.parts.append((start + free, self.column[asked[free]], need[free]))
        self.limits[-1][free] = 0
        self.minimum = rows

    def _links(self, at: Int) -> None:
        """Nobody is in a class by more than it is open."""
        pair = self.bounds.pair_of_arc[self.arcs]
        order_class = self.bounds.pair_class[pair]
        linked = self.column[order_class] >= 0
        used, row = np.unique(pair[linked], return_inverse=True)
        start = self.count
        self._add(row, at[linked], np.zeros(len(used)))
        opening = self.column[self.bounds.pair_class[used]]
        self.parts.append((start + np.arange(len(used)), opening, -np.ones(len(used))))

    def matrix(self) -> tuple[coo_array, Real]:
        """The rows and their limits."""
        row, column, value = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        width = len(self.arcs) + self.openings + self.missing
        matrix = coo_array((value, (row, column)), shape=(self.count, width)).tocsr()
        return matrix, np.concatenate(self.limits)

    def read(self, x: Real, dual: Real, per_reserve: int) -> Solution:
        """Placements, openings and duals, in the plan's own terms."""
        plan, market = self.plan, self.plan.market
        placed = np.zeros(len(plan.edge))
        placed[self.arcs] = x[: len(self.arcs)]
        opening = np.where(self.node.openings == CLOSED, 0.0, 1.0)
        columns = np.flatnonzero(self.column >= 0)
        opening[columns] = x[self.column[columns]]
        person = -dual[self.people]
        held = np.flatnonzero(self.node.forced >= 0)
        person[held] += dual[self.kept]
        cap = dual[self.caps]
        over = np.zeros(len(market.programs))
        at, p = self.bounds.cap_pairs
        np.add.at(over, p, cap[at])
        program = dual[self.programs] + over
        below = dual[self.below] + program
        seat = np.where(plan.hard, program[plan.home], below[plan.home]) - per_reserve * plan.reserved
        seat[self.reserved] += dual[self.kinds]
        seat[self.least] -= dual[self.must]
        missing = float(x[len(self.arcs) + self.openings :].sum())
        return Solution(placed, opening, missing, (person, seat, below, program, cap))


def rounded(solution: Solution, unit: int) -> Prices:
    """The duals of a solution as integers, in a unit of worth."""
    return Prices(*(np.rint(part / unit).astype(np.int64) for part in solution.duals))
