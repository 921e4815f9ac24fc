"""Linear programs that change a little from one to the next, each begun where the last one ended.

HiGHS is spoken to as scipy carries it, by names that scipy does not promise to keep; where it has none,
every program is solved from the beginning, to the same effect in more time.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csc_array

from ..cells import Int

Real = NDArray[np.float64]
Bool = NDArray[np.bool_]
States = NDArray[np.int8]
Region = tuple[Real, Real, Real, Real]
"""Least and greatest of each column, and of each row."""

LOWER, BASIC, UPPER = 0, 1, 2
"""HiGHS's numbers for a column or row that is at its lower bound, in the basis, at its upper bound."""


DUAL, PRIMAL = 1, 4
"""HiGHS's numbers for its simplex algorithms: the second where the last solution still keeps all bounds."""

NOTHING = 1e-6
"""Less than this is nothing to a solver that counts in doubles."""


SOON, ENDLESS = 40, 2**31 - 1
"""After steps for one row in so many, the basis that costs had may be given up for the last one."""


@dataclass(frozen=True, eq=False)
class Program:
    """Rows over columns, each within a limit; what it costs and bounds may change.

    Parameters
    ----------
    matrix
        Shape (rows, columns).
    rows, columns
        Numbers by which each is known again in a later program.
    fixed
        How many of the rows fix what earlier programs made large.
    """

    matrix: csc_array
    rows: Int
    columns: Int
    fixed: int

    def among(self, keep: Int) -> Program:
        """The same rows over some of the columns."""
        return Program(self.matrix[:, keep], self.rows, self.columns[keep], self.fixed)


@dataclass(frozen=True)
class Solved:
    """A solution: columns, the price of each row and column, and the least cost.

    A row's price is 0 or less, unless it is to be tight.
    """

    x: Real
    dual: Real
    reduced: Real
    cost: float


class Cold:
    """Solves each program from the beginning."""

    def begin(self, program: Program, columns: States, rows: States, about: str) -> None:
        """Do without a basis."""

    def another(self) -> Cold:
        """Another solver like this one."""
        return Cold()

    def mark(self) -> None:
        """Do without a basis."""

    def back(self) -> None:
        """Do without a basis."""

    def solve(
        self, program: Program, cost: Real, box: tuple[Real, Real], limit: Real,
        time_s: float | None, tight: Bool | None = None, about: str = "", steps: int = ENDLESS,
    ) -> Solved | None:  # fmt: skip
        """The cheapest columns within their box and the limits of the rows; None if none in time.

        Rows that are to be tight are at their limits.
        """
        at = np.zeros(len(limit), bool) if tight is None else tight
        matrix = program.matrix.tocsr()
        found = linprog(
            cost, matrix[~at], limit[~at], matrix[at], limit[at], bounds=np.column_stack(box),
            method="highs-ds", options={"time_limit": time_s} if time_s else {},
        )  # fmt: skip
        if found.x is None or found.status != 0:
            return None
        dual = np.zeros(len(limit))
        dual[~at], dual[at] = found.ineqlin.marginals, found.eqlin.marginals
        reduced = np.asarray(found.lower.marginals + found.upper.marginals)
        return Solved(found.x, dual, reduced, float(found.fun))


class Warm:
    """Solves each program from the basis of the one before, or of the last one about the same costs.

    Costs that stay the same leave a basis dual feasible, whatever bounds do meanwhile.
    """

    def __init__(self, core: Any) -> None:
        self.core = core
        self.highs = core._Highs()
        self.highs.setOptionValue("output_flag", False)
        self.program: Program | None = None
        self.solved, self.cost = False, np.zeros(0)
        self.region: Region = (np.zeros(0),) * 4
        self.x = np.zeros(0)
        self.about = ""
        self.states: dict[str, tuple[States, States]] = {}
        self.points: dict[str, tuple[Int, Real, tuple[Real, Real]]] = {}
        self.marked: tuple[Program, Real, Region, str, Any, Real] | None = None

    def begin(self, program: Program, columns: States, rows: States, about: str) -> None:
        """Take a basis to begin with: the state of each column and row, as many basic as there are rows."""
        old = self.states.get(about, (np.zeros(0, np.int8),) * 2)
        self.states[about] = (
            _kept(old[0], program.columns, columns, LOWER),
            _kept(old[1], program.rows, rows, BASIC),
        )

    def solve(
        self, program: Program, cost: Real, box: tuple[Real, Real], limit: Real,
        time_s: float | None, tight: Bool | None = None, about: str = "", steps: int = ENDLESS,
    ) -> Solved | None:  # fmt: skip
        """The cheapest columns within their box and the limits of the rows; None if none in time.

        Rows that are to be tight are at their limits.  ``about`` names the costs; blank, the last
        basis is gone on from, whatever it was about.  After so many ``steps`` the prices are taken as
        they are.
        """
        least = np.full(len(limit), -np.inf) if tight is None else np.where(tight, limit, -np.inf)
        highs, old = self.highs, self.program
        before, again = self.about, about not in ("", self.about) and about in self.states
        if old is not None and self.about not in ("", about):
            self._keep(old)
        self.about = about
        if old is not None and not again and old.fixed == program.fixed and self.solved:
            self._reprice(old, program, cost)
        region = *box, least, limit
        same = program is old and all(map(np.array_equal, region, self.region))
        onward = same and not again
        columns, x, bounds = self.points.get(about, (program.columns, self.x, box))
        if len(columns) != len(program.columns):
            onward = self._fits(columns, x, bounds, program, region)
        highs.setOptionValue("simplex_strategy", PRIMAL if onward else DUAL)
        last = self.region
        if program is old:
            self._change(cost, region)
            if again:
                self._restore(program, about)
        else:
            if old is not None and not again:
                self._keep(old)
            self._pass(program, cost, region)
            self._restore(program, about)
        self.program, self.region, self.cost = program, region, cost
        # A basis of long ago may be further away than the last one.
        soon = again and program is old and steps == ENDLESS
        self.solved = self._run(time_s, len(limit) // SOON if soon else steps)
        if soon and highs.getModelStatus() == self.core.HighsModelStatus.kIterationLimit:
            self._restore(program, before)
            self._change(cost, last)
            highs.setOptionValue("simplex_strategy", PRIMAL)
            self._run(time_s)
            self._change(cost, region)
            highs.setOptionValue("simplex_strategy", PRIMAL if same else DUAL)
            self.solved = self._run(time_s)
        if not self.solved and highs.getModelStatus() != self.core.HighsModelStatus.kIterationLimit:
            if highs.getModelStatus() == self.core.HighsModelStatus.kTimeLimit:
                return None
            # What presolve leaves is now and then not solved to the end, the program as it is nearly always.
            highs.clearSolver()
            highs.setOptionValue("presolve", "off")
            self.solved = self._run(time_s)
            highs.setOptionValue("presolve", "choose")
            if not self.solved:
                return None
        found = highs.getSolution()
        self.x = np.array(found.col_value)
        if about:
            self.points[about] = program.columns, self.x, box
        value = float(highs.getInfo().objective_function_value)
        prices = np.array(found.row_dual), np.array(found.col_dual)
        return Solved(self.x, *prices, value)

    def another(self) -> Warm:
        """Another solver that knows the same bases."""
        if self.program is not None:
            self._keep(self.program)
        found = Warm(self.core)
        found.states, found.points = dict(self.states), dict(self.points)
        return found

    def mark(self) -> None:
        """Keep the last program, its solution and basis, to come back to."""
        if self.program is not None:
            basis, x = self.highs.getBasis(), self.x
            self.marked = self.program, self.cost, self.region, self.about, basis, x

    def back(self) -> None:
        """Go back to what was kept."""
        if self.marked is None:
            return
        program, self.cost, region, self.about, basis, self.x = self.marked
        if program is self.program:
            self._change(self.cost, region)
        else:
            self._pass(program, self.cost, region)
        self.program, self.region, self.solved = program, region, True
        self.highs.setBasis(basis)
        self.points[self.about] = program.columns, self.x, region[:2]

    def _fits(
        self, columns: Int, found: Real, bounds: tuple[Real, Real], program: Program, region: Region
    ) -> bool:
        """Whether an earlier solution is one of a program, too, columns that it adds left at 0.

        One that had other bounds is far from the best even so.
        """
        if not np.isin(columns, program.columns).all():
            return False
        place = np.zeros(int(program.columns.max(initial=0)) + 1, np.int64)
        place[program.columns] = np.arange(len(program.columns))
        at = place[columns]
        if not all(np.array_equal(old, new[at]) for old, new in zip(bounds, region, strict=False)):
            return False
        x = np.zeros(len(program.columns))
        x[at] = found
        lower, upper, least, most = region
        rows = program.matrix @ x
        inside = (x >= lower - NOTHING) & (x <= upper + NOTHING)
        return bool(inside.all() and ((rows >= least - NOTHING) & (rows <= most + NOTHING)).all())

    def _change(self, cost: Real, region: Region) -> None:
        """Change what the columns of the program cost, and all bounds."""
        lower, upper, least, most = region
        at = np.arange(len(cost), dtype=np.int32)
        self.highs.changeColsCost(len(at), at, cost)
        self.highs.changeColsBounds(len(at), at, lower, upper)
        changed = (least != self.region[2]) | (most != self.region[3])
        for row in np.flatnonzero(changed).tolist():
            self.highs.changeRowBounds(row, least[row], most[row])
        self.region = region

    def _reprice(self, old: Program, program: Program, cost: Real) -> None:
        """Solve the last program for the costs of the next one, if they differ.

        Costs first, then bounds: from a basis that fits neither the simplex algorithms start afresh.
        """
        if not np.isin(old.columns, program.columns).all():
            return
        place = np.zeros(int(program.columns.max(initial=0)) + 1, np.int64)
        place[program.columns] = np.arange(len(program.columns))
        fresh = cost[place[old.columns]]
        if not np.array_equal(fresh, self.cost):
            at = np.arange(len(fresh), dtype=np.int32)
            self.highs.changeColsCost(len(at), at, fresh)
            self.highs.setOptionValue("simplex_strategy", PRIMAL)
            self.highs.run()

    def _run(self, time_s: float | None, steps: int = ENDLESS) -> bool:
        self.highs.setOptionValue("simplex_iteration_limit", steps)
        limit = self.highs.getRunTime() + time_s if time_s else np.inf
        self.highs.setOptionValue("time_limit", limit)
        self.highs.run()
        done: bool = self.highs.getModelStatus() == self.core.HighsModelStatus.kOptimal
        return done

    def _pass(self, program: Program, cost: Real, region: Region) -> None:
        """Hand over another program: what is least, by columns, no column whole."""
        matrix = program.matrix
        rows, columns = matrix.shape
        format_, sense = int(self.core.MatrixFormat.kColwise), int(self.core.ObjSense.kMinimize)
        self.highs.passModel(
            columns, rows, matrix.nnz, format_, sense, 0.0, cost, *region,
            matrix.indptr, matrix.indices, matrix.data, np.zeros(columns, np.int32),
        )  # fmt: skip

    def _restore(self, program: Program, about: str) -> None:
        """Hand over what is known of the basis of some costs."""
        if about not in self.states:
            return
        status = self.core.HighsBasisStatus
        names = [status.kLower, status.kBasic, status.kUpper, status.kZero, status.kNonbasic]
        columns, rows = self.states[about]
        basis = self.core.HighsBasis()
        basis.col_status = [names[s] for s in _of(columns, program.columns, LOWER).tolist()]
        basis.row_status = [names[s] for s in _of(rows, program.rows, BASIC).tolist()]
        self.highs.setBasis(basis)

    def _keep(self, program: Program) -> None:
        """Keep the basis of the last program, if it has one."""
        basis = self.highs.getBasis()
        if not basis.valid:
            return
        columns, rows = ([*map(int, part)] for part in (basis.col_status, basis.row_status))
        self.begin(program, np.array(columns, np.int8), np.array(rows, np.int8), self.about)


def _of(known: States, at: Int, otherwise: int) -> States:
    """What is known of some rows or columns."""
    found = np.full(len(at), otherwise, np.int8)
    inside = at < len(known)
    found[inside] = known[at[inside]]
    return found


def _kept(known: States, at: Int, status: States, otherwise: int) -> States:
    """What is known, with what was found last."""
    size = max(len(known), int(at.max(initial=-1)) + 1)
    found = _of(known, np.arange(size), otherwise)
    found[at] = status
    return found


def simplex() -> Cold | Warm:
    """What solves linear programs here."""
    try:
        core = import_module("scipy.optimize._highspy._core")
    except ImportError:
        return Cold()
    return Warm(core)
