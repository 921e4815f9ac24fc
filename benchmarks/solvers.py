"""Other people's solvers, each given the same rows: what they find, what they prove, in what time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from .model import FAR, Int, Model, Part


@dataclass(frozen=True)
class Found:
    """What a solver says of one objective.

    Parameters
    ----------
    value, bound
        Of the best solution found (None for none), and what none can exceed.
    chosen
        The columns that are 1.
    build, solve
        CPU seconds.
    """

    value: int | None
    bound: float
    chosen: Int
    build: float
    solve: float

    @property
    def proven(self) -> bool:
        """Whether nothing better is left."""
        return self.value is not None and self.bound < self.value + 1 - 1e-6

    @property
    def gap(self) -> float:
        """What may be missing, over what was found; infinite where nothing was found."""
        return (self.bound - self.value) / max(1, abs(self.value)) if self.value else np.inf


Solver = Callable[[Model, Int, float], Found]
"""Columns' worth and a limit of seconds to what is found."""


def by_highs(model: Model, worth: Int, time_s: float, first_whole: int = 0) -> Found:
    """HiGHS as ``scipy.optimize.milp`` calls it, no gap allowed; columns before one may be fractions."""
    begin = time.process_time()
    low, high = (np.array(limit, float) for limit in (model.low, model.high))
    low[low <= -FAR], high[high >= FAR] = -np.inf, np.inf
    rows = LinearConstraint(model.matrix(), low, high)
    middle = time.process_time()
    answer = milp(
        -worth, constraints=rows, bounds=Bounds(0, 1),
        integrality=np.arange(model.columns) >= first_whole,
        options={"time_limit": time_s, "mip_rel_gap": 0},
    )  # fmt: skip
    end = time.process_time()
    bound = np.inf if answer.mip_dual_bound is None else -answer.mip_dual_bound
    if answer.x is None:
        return Found(None, bound, np.zeros(0, np.int64), middle - begin, end - middle)
    return _found(worth, answer.x, bound, middle - begin, end - middle)


def by_cp_sat(model: Model, worth: Int, time_s: float, workers: int = 2) -> Found:
    """OR-Tools CP-SAT, a Boolean for each column."""
    from ortools.sat.python import cp_model

    begin = time.process_time()
    program = cp_model.CpModel()
    columns = [program.new_bool_var("") for _ in range(model.columns)]
    matrix = model.matrix()
    for row in range(len(model.low)):
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        named = [columns[at] for at in matrix.indices[part].tolist()]
        total = cp_model.LinearExpr.weighted_sum(named, matrix.data[part].tolist())
        program.add_linear_constraint(total, model.low[row], model.high[row])
    used = np.flatnonzero(worth).tolist()
    program.maximize(
        cp_model.LinearExpr.weighted_sum([columns[at] for at in used], worth[used].tolist())
    )
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = time_s
    solver.parameters.num_workers = workers
    middle = time.process_time()
    status = solver.solve(program)
    end = time.process_time()
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        none = np.zeros(0, np.int64)
        return Found(None, solver.best_objective_bound, none, middle - begin, end - middle)
    x = np.array([solver.value(column) for column in columns])
    return _found(worth, x, solver.best_objective_bound, middle - begin, end - middle)


def by_scip(model: Model, worth: Int, time_s: float) -> Found:
    """SCIP, as OR-Tools ships it."""
    from ortools.linear_solver import pywraplp

    begin = time.process_time()
    solver = pywraplp.Solver.CreateSolver("SCIP")
    columns = [solver.BoolVar("") for _ in range(model.columns)]
    matrix, infinity = model.matrix(), solver.infinity()
    for row, (low, high) in enumerate(zip(model.low, model.high, strict=True)):
        limits = -infinity if low <= -FAR else low, infinity if high >= FAR else high
        constraint = solver.Constraint(*limits)
        for at in range(matrix.indptr[row], matrix.indptr[row + 1]):
            constraint.SetCoefficient(columns[matrix.indices[at]], int(matrix.data[at]))
    for at in np.flatnonzero(worth).tolist():
        solver.Objective().SetCoefficient(columns[at], int(worth[at]))
    solver.Objective().SetMaximization()
    solver.SetTimeLimit(int(1000 * time_s))
    middle = time.process_time()
    status = solver.Solve()
    end = time.process_time()
    bound = solver.Objective().BestBound()
    if status not in (solver.OPTIMAL, solver.FEASIBLE):
        return Found(None, bound, np.zeros(0, np.int64), middle - begin, end - middle)
    x = np.array([column.solution_value() for column in columns])
    return _found(worth, x, bound, middle - begin, end - middle)


SOLVERS: dict[str, Solver] = {"HiGHS": by_highs, "CP-SAT": by_cp_sat, "SCIP": by_scip}


def _found(worth: Int, x: NDArray[np.float64], bound: float, build: float, solve: float) -> Found:
    """A solution, read in whole numbers; where a column is split, its worth is rounded down."""
    chosen = np.flatnonzero(x > 0.5)
    split = bool((np.abs(x - np.rint(x)) > 1e-4).any())
    value = int(worth @ x + 1e-4) if split else int(worth[chosen].sum())
    return Found(value, bound, chosen, build, solve)


def in_order(
    model: Model, parts: Sequence[Part], solver: Solver, time_s: float
) -> tuple[int, ...] | None:
    """The lexicographically best values, one part after another, earlier ones held fast.

    None where the solver does not finish a part in its time.
    """
    values: list[int] = []
    for part in parts:
        found = solver(model, part.worth, time_s)
        if found.value is None or not found.proven:
            return None
        values.append(found.value)
        used = np.flatnonzero(part.worth)
        model.add(used, part.worth[used], found.value, FAR)
    return tuple(values)
