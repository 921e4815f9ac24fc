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
Region = tuple[Real, Real, Real, Real]
"""Least and greatest of each column, and of each row."""

LOWER, BASIC = 0, 1
"""HiGHS's numbers for a column that is at its lower bound, and for one in the basis."""


DUAL, PRIMAL = 1, 4
"""HiGHS's numbers for its simplex algorithms: the second where only the costs have changed."""


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

    def solve(
        self, program: Program, cost: Real, box: tuple[Real, Real], limit: Real,
        time_s: float | None, tight: Bool | None = None,
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
    """Solves each program from the basis of the one before."""

    def __init__(self, core: Any) -> None:
        self.core = core
        self.highs = core._Highs()
        self.highs.setOptionValue("output_flag", False)
        self.program: Program | None = None
        self.solved, self.cost = False, np.zeros(0)
        self.region: Region = (np.zeros(0),) * 4
        self.row_status, self.column_status = np.zeros(0, np.int8), np.zeros(0, np.int8)

    def solve(
        self, program: Program, cost: Real, box: tuple[Real, Real], limit: Real,
        time_s: float | None, tight: Bool | None = None,
    ) -> Solved | None:  # fmt: skip
        """The cheapest columns within their box and the limits of the rows; None if none in time.

        Rows that are to be tight are at their limits.
        """
        least = np.full(len(limit), -np.inf) if tight is None else np.where(tight, limit, -np.inf)
        highs, old = self.highs, self.program
        if old is not None and old.fixed == program.fixed and self.solved:
            self._reprice(old, program, cost)
        region = *box, least, limit
        same = program is self.program and all(map(np.array_equal, region, self.region))
        highs.setOptionValue("simplex_strategy", PRIMAL if same else DUAL)
        if program is self.program:
            at = np.arange(len(cost), dtype=np.int32)
            highs.changeColsCost(len(at), at, cost)
            highs.changeColsBounds(len(at), at, *box)
            changed = (least != self.region[2]) | (limit != self.region[3])
            for row in np.flatnonzero(changed).tolist():
                highs.changeRowBounds(row, least[row], limit[row])
        else:
            self._pass(program, cost, region)
        self.program, self.region, self.cost = program, region, cost
        self.solved = self._run(time_s)
        if not self.solved:
            highs.clearSolver()
            self.solved = self._run(time_s)
            if not self.solved:
                return None
        found = highs.getSolution()
        value = float(highs.getInfo().objective_function_value)
        prices = np.array(found.row_dual), np.array(found.col_dual)
        return Solved(np.array(found.col_value), *prices, value)

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

    def _run(self, time_s: float | None) -> bool:
        limit = self.highs.getRunTime() + time_s if time_s else np.inf
        self.highs.setOptionValue("time_limit", limit)
        self.highs.run()
        done: bool = self.highs.getModelStatus() == self.core.HighsModelStatus.kOptimal
        return done

    def _pass(self, program: Program, cost: Real, region: Region) -> None:
        """Hand over another program, and what is known of its basis."""
        if self.program is not None:
            self._keep(self.program)
        matrix, lp = program.matrix, self.core.HighsLp()
        lp.num_row_, lp.num_col_ = matrix.shape
        lp.col_cost_ = cost
        lp.col_lower_, lp.col_upper_, lp.row_lower_, lp.row_upper_ = region
        lp.a_matrix_.format_ = self.core.MatrixFormat.kColwise
        lp.a_matrix_.num_row_, lp.a_matrix_.num_col_ = matrix.shape
        lp.a_matrix_.start_, lp.a_matrix_.index_ = matrix.indptr, matrix.indices
        lp.a_matrix_.value_ = matrix.data
        self.highs.passModel(lp)
        if len(self.column_status):
            status = self.core.HighsBasisStatus
            names = [status.kLower, status.kBasic, status.kUpper, status.kZero, status.kNonbasic]
            basis = self.core.HighsBasis()
            columns = _of(self.column_status, program.columns, LOWER)
            rows = _of(self.row_status, program.rows, BASIC)
            basis.col_status = [names[s] for s in columns.tolist()]
            basis.row_status = [names[s] for s in rows.tolist()]
            self.highs.setBasis(basis)

    def _keep(self, program: Program) -> None:
        """Keep the basis of the last program, if it has one."""
        basis = self.highs.getBasis()
        if not basis.valid:
            return
        self.column_status = _kept(self.column_status, program.columns, basis.col_status, LOWER)
        self.row_status = _kept(self.row_status, program.rows, basis.row_status, BASIC)


def _of(known: NDArray[np.int8], at: Int, otherwise: int) -> NDArray[np.int8]:
    """What is known of some rows or columns."""
    found = np.full(len(at), otherwise, np.int8)
    inside = at < len(known)
    found[inside] = known[at[inside]]
    return found


def _kept(known: NDArray[np.int8], at: Int, status: list[Any], otherwise: int) -> NDArray[np.int8]:
    """What is known, with what was found last."""
    size = max(len(known), int(at.max(initial=-1)) + 1)
    found = _of(known, np.arange(size), otherwise)
    found[at] = [int(s) for s in status]
    return found


def simplex() -> Cold | Warm:
    """What solves linear programs here."""
    try:
        core = import_module("scipy.optimize._highspy._core")
    except ImportError:
        return Cold()
    return Warm(core)
