"""Linear programs one after another: each solved from the last one, to the same effect as afresh."""

from __future__ import annotations

import sys
from itertools import product
from random import Random

import numpy as np
import pytest
from scipy.sparse import csc_array

from matcher import Status
from matcher.mechanisms import simplex, strong
from matcher.mechanisms.simplex import Cold, Program, Solved, Warm
from tests.matcher.test_oracle import placement_of, solved
from tests.oracle import Oracle
from tests.random_markets import random_instance


def program(random: np.random.Generator, rows: int, columns: int) -> Program:
    """Rows over columns, known by numbers of which some are left out."""
    matrix = csc_array(np.rint(3 * random.random((rows, columns))))
    return Program(matrix, 2 * np.arange(rows), 3 * np.arange(columns), 0)


def ask(solver: Cold | Warm, made: Program, cost: np.ndarray, room: float) -> Solved | None:
    """The cheapest columns between 0 and 1."""
    size = len(made.columns)
    box = np.zeros(size), np.ones(size)
    return solver.solve(made, cost, box, np.full(len(made.rows), room), None)


def warm() -> Warm:
    """A solver that begins where it ended."""
    found = simplex.simplex()
    assert isinstance(found, Warm), "scipy carries HiGHS"
    return found


@pytest.mark.parametrize("seed", range(10))
def test_a_change_of_costs_limits_or_columns_is_solved_as_if_it_were_new(seed: int) -> None:
    random = np.random.default_rng(seed)
    solver, wide = warm(), program(random, 6, 9)
    narrow = Program(wide.matrix[:4, :5], wide.rows[:4], wide.columns[:5], 0)
    for made, room in ((narrow, 2.0), (narrow, 1.0), (wide, 1.0), (narrow, 3.0), (wide, 2.0)):
        for _ in range(2):
            cost = -random.random(len(made.columns))
            found, afresh = ask(solver, made, cost, room), ask(Cold(), made, cost, room)
            assert found is not None
            assert afresh is not None
            assert found.cost == pytest.approx(afresh.cost)
            assert (found.dual <= 1e-9).all()
            assert cost @ found.x == pytest.approx(found.cost)
            assert (made.matrix @ found.x <= room + 1e-6).all()


@pytest.mark.parametrize("seed", range(10))
def test_costs_that_return_are_solved_from_their_own_basis(seed: int) -> None:
    random = np.random.default_rng(seed)
    solver, wide = warm(), program(random, 6, 9)
    narrow = Program(wide.matrix[:4, :5], wide.rows[:4], wide.columns[:5], 0)
    costs = {about: -random.random(9) for about in ("one", "other")}
    for made, about in product((wide, narrow, wide), ("one", "other", "one")):
        size = len(made.columns)
        cost, box = costs[about][:size], (np.zeros(size), random.random(size))
        limit = np.full(len(made.rows), 2.0)
        found = solver.solve(made, cost, box, limit, None, about=about)
        afresh = Cold().solve(made, cost, box, limit, None)
        assert found is not None
        assert afresh is not None
        assert found.cost == pytest.approx(afresh.cost)
    assert set(solver.states) == {"one", "other"}


def test_a_solver_begins_with_the_basis_that_it_is_given() -> None:
    """Every column full, so that its row is at its limit: nothing is left to do."""
    size = 50
    made = Program(csc_array(np.eye(size)), np.arange(size), np.arange(size), 0)
    cost, box, limit = -np.ones(size), (np.zeros(size), np.full(size, 9.0)), np.ones(size)
    steps = []
    for basis in (None, (np.full(size, simplex.BASIC), np.full(size, simplex.UPPER))):
        solver = warm()
        solver.highs.setOptionValue("presolve", "off")
        if basis:
            solver.begin(made, *basis, "")
        found = solver.solve(made, cost, box, limit, None)
        assert found is not None
        assert found.cost == -size
        steps.append(solver.highs.getInfo().simplex_iteration_count)
    assert steps[0] > steps[1] == 0


@pytest.mark.parametrize("seed", range(10))
def test_tight_rows_are_at_their_limits_and_every_price_is_told(seed: int) -> None:
    random = np.random.default_rng(seed)
    made, solver = program(random, 6, 9), warm()
    limit, box = made.matrix @ np.full(9, 0.5), (np.zeros(9), np.ones(9))
    for tight in (np.arange(6) < 2, np.arange(6) > 3, None):
        cost = random.random(9) - 0.5
        for one in (solver, Cold()):
            found = one.solve(made, cost, box, limit, None, tight)
            assert found is not None
            held = made.matrix @ found.x
            assert (held <= limit + 1e-6).all()
            assert tight is None or held[tight] == pytest.approx(limit[tight])
            assert found.reduced == pytest.approx(cost - made.matrix.T @ found.dual)


def test_without_a_solution_there_is_none_and_the_next_program_is_solved() -> None:
    made = Program(csc_array(np.array([[1.0]])), np.array([0]), np.array([0]), 0)
    cost, box = np.array([-1.0]), (np.zeros(1), np.ones(1))
    for solver in (warm(), Cold()):
        assert solver.solve(made, cost, box, np.array([-1.0]), 1.0) is None
        other = Program(made.matrix, made.rows, made.columns, 1)
        for again in (made, other):
            found = solver.solve(again, cost, box, np.array([0.5]), 1.0)
            assert found is not None
            assert found.cost == pytest.approx(-0.5)


def test_where_scipy_has_no_solver_to_go_on_with_each_program_is_solved_afresh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "scipy.optimize._highspy._core", None)
    assert isinstance(simplex.simplex(), Cold)


@pytest.mark.parametrize("part", range(4))
def test_solved_afresh_the_outcome_is_the_same(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strong, "simplex", Cold)
    asked = 0
    for number in range(part, 40, 4):
        instance = random_instance(Random(f"afresh {number}"), "optimal", crossing=True)
        best, _ = Oracle(instance).optimal()
        market, result = solved(instance)
        assert placement_of(market, result) in best
        assert result.status is Status.OPTIMAL
        asked += bool(result.certificate["tree"] and result.certificate["tree"]["steps"])
    assert asked, "some of them need a relaxation"
