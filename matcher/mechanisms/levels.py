"""The weakly stable placements of a part of a market, as CP-SAT sees them.

A Boolean for each pair, and for each level of each program one that says "all its seats are taken by
people of this level or better": these imply one another from level to level.  Where nobody blocks, each
pair has its person placed as well there or elsewhere, or its program full at her level or better.  Then
the model is linear, without big numbers.  (With the seats of a program counted level by level, this is
the model of Delorme, García, Gondzio, Kalcsics, Manlove & Pettersson 2019, doi
10.1016/j.ejor.2019.03.017, in cumulative form.)

Given what is full at which level, what is left is a flow, so that the relaxation is strong and only the
levels have to be searched.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from ..cells import Int
from ..market import Market
from .trimmed import tiers

WORKERS, SEED, PRESOLVE = 1, 1, True
"""How CP-SAT searches.  No outcome depends on it; one worker was as fast as several on two cores."""


_SMALL = 300
"""Edges up to which a placement is confirmed without presolve if it was found with it."""


class Limit:
    """How long may be searched: so many seconds, or so much work, which is the same everywhere."""

    def __init__(self, seconds: float = 0.0, work: float = 0.0) -> None:
        self.end = time.perf_counter() + seconds
        self.work = work
        self.by_clock = not work

    def left(self) -> float:
        """What is left of it."""
        return self.end - time.perf_counter() if self.by_clock else self.work

    def solve(self, solver: cp_model.CpSolver, model: cp_model.CpModel) -> cp_model.CpSolverStatus:
        """Solve within what is left."""
        name = "max_time_in_seconds" if self.by_clock else "max_deterministic_time"
        setattr(solver.parameters, name, max(0.0, self.left()))
        status = solver.solve(model)
        self.work -= solver.response_proto.deterministic_time
        return status


@dataclass(frozen=True)
class Best:
    """The best placement found, as edges, and what none of them exceeds."""

    edges: Int
    bound: int


class Levels:
    """A model of the weakly stable placements within some edges, more and more of it fixed.

    Parameters
    ----------
    market
        The market.
    edges
        A part of what ``trimmed`` leaves, which shares no program that could be full with another.
    """

    def __init__(self, market: Market, edges: Int) -> None:
        self.market, self.edges = market, edges
        self.fixed: list[tuple[Int, int]] = []
        self.model = cp_model.CpModel()
        self.takes = [self.model.new_bool_var("") for _ in edges]
        self.full: list[tuple[int, int, cp_model.IntVar]] = []
        self.level: list[int] = market.level[edges].tolist()
        for p, at in _groups(market.program[edges]):
            self._program(p, sorted(at, key=self.level.__getitem__))
        full_at = {(p, level): variable for p, level, variable in self.full}
        program: list[int] = market.program[edges].tolist()
        tier: list[int] = tiers(market)[edges].tolist()
        for _, at in _groups(market.owner[edges]):
            self.model.add_at_most_one(self.takes[k] for k in at)
            for k in at:
                as_well = [self.takes[other] for other in at if tier[other] <= tier[k]]
                kept_out = full_at.get((program[k], self.level[k]))
                self.model.add_bool_or(as_well if kept_out is None else [*as_well, kept_out])

    def _program(self, p: int, at: list[int]) -> None:
        """The levels of a program beyond those at which it has a seat for everybody."""
        seats = int(self.market.capacity[p])
        if len(at) <= seats:
            return
        people = [self.takes[k] for k in at]
        self.model.add(cp_model.LinearExpr.sum(people) <= seats)
        before = None
        first = 0
        for end in range(1, len(at) + 1):
            if end < len(at) and self.level[at[end]] == self.level[at[first]]:
                continue
            if end > seats:
                full = self.model.new_bool_var("")
                self.model.add(cp_model.LinearExpr.sum(people[:end]) >= seats * full)
                if before is not None:
                    self.model.add_implication(before, full)
                    for k in range(first, end):
                        self.model.add_implication(before, ~people[k])
                self.full.append((p, self.level[at[first]], full))
                before = full
            first = end

    def total(self, worth: Int) -> cp_model.LinearExpr:
        """What the people placed are worth together."""
        return cp_model.LinearExpr.weighted_sum(self.takes, worth[self.edges].tolist())

    def best(self, worth: Int, known: Int, most: int, limit: Limit) -> Best:
        """The placement that is worth most, of those that keep what is fixed.

        Parameters
        ----------
        worth
            Per edge of the market.
        known
            One of them, to begin with.
        most
            What none of them exceeds.
        """
        value = int(worth[known].sum())
        if value == most or limit.left() <= 0:
            return Best(known, most)
        self._hint(known)
        self.model.maximize(self.total(worth))
        solver = _solver()
        status = limit.solve(solver, self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Best(known, most)
        found = self._taken(solver)
        if status == cp_model.OPTIMAL:
            return Best(found, int(worth[found].sum()))
        return Best(found, min(most, round(solver.best_objective_bound)))

    def fix(self, worth: Int, value: int) -> None:
        """Leave only placements that are worth so much; none is worth more."""
        self.fixed.append((worth, value))
        self.model.add(self.total(worth) >= value)

    def other(self, than: Int, worth: Int, limit: Limit) -> Int | None:
        """Another placement that keeps what is fixed and is worth as much or more, if there is one.

        Asked of a model made anew, in another way.

        Raises
        ------
        TimeoutError
            If that is not known within the limit.
        """
        again = Levels(self.market, self.edges)
        for earlier, value in self.fixed:
            again.fix(earlier, value)
        inside = np.isin(self.edges, than)
        kept = [variable for variable, here in zip(again.takes, inside, strict=True) if here]
        again.model.add(cp_model.LinearExpr.sum(kept) <= len(kept) - 1)
        again.model.add(again.total(worth) >= int(worth[than].sum()))
        again.model.maximize(again.total(worth))
        solver = _solver(SEED + 1, PRESOLVE ^ (len(self.edges) < _SMALL))
        status = limit.solve(solver, again.model)
        if status == cp_model.INFEASIBLE:
            return None
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            raise TimeoutError
        return again._taken(solver)

    def _hint(self, known: Int) -> None:
        """Tell the solver a placement, and what is full in it at which level."""
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        inside = set(known.tolist())
        worst: dict[int, list[int]] = {}
        for k, edge in enumerate(self.edges.tolist()):
            self.model.add_hint(self.takes[k], edge in inside)
            if edge in inside:
                worst.setdefault(int(self.market.program[edge]), []).append(self.level[k])
        for p, level, variable in self.full:
            held = worst.get(p, [])
            full = len(held) == self.market.capacity[p] and max(held) <= level
            self.model.add_hint(variable, full)

    def _taken(self, solver: cp_model.CpSolver) -> Int:
        return self.edges[[solver.boolean_value(variable) for variable in self.takes]]


def _solver(seed: int | None = None, presolve: bool | None = None) -> cp_model.CpSolver:
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.num_workers = WORKERS
    parameters.random_seed = SEED if seed is None else seed
    parameters.cp_model_presolve = PRESOLVE if presolve is None else presolve
    parameters.linearization_level = 2
    return solver


def _groups(keys: Int) -> list[tuple[int, list[int]]]:
    """The places of each key."""
    order = np.argsort(keys, kind="stable")
    values, first = np.unique(keys[order], return_index=True)
    parts = np.split(order, first[1:])
    return [(int(v), part.tolist()) for v, part in zip(values, parts, strict=True)]
