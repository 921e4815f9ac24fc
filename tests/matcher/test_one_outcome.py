"""One distinct outcome, byte for byte, however a round is solved again.

Rows and columns of every file come in another order; solvers get another seed, one, two or eight
workers, presolve or not; kernels are used or not.  ``RESOLVES`` sets how many times in all (1,000 for a
thorough run).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ortools.sat.python import cp_model

from benchmarks.city import Shape, city, policy_text
from matcher import Market, Policy, Status, Tables, solve
from matcher.mechanisms import load
from tests.matcher.test_metamorphic import shuffled

FILES = ("placements.csv", "thresholds.csv", "classes.csv")


@dataclass(frozen=True)
class Case:
    """A round and the mechanism that solves it."""

    mechanism: str
    shape: Shape
    closure: str = "sequential"
    objective: str = '["placed", "reserves", "rank"]'

    def tables(self) -> Tables:
        """The round; without ``fit`` the lottery has much to decide."""
        rules = policy_text(self.mechanism, closure=f'"{self.closure}"', objective=self.objective)
        return Tables(city(self.shape).tables().tables, rules)


NESTED = Shape(160, 12, 1.3, limits="nested", college=3, marks=10)
CASES = {
    "stable": Case("stable", NESTED),
    "stable, exact closing": Case("stable", NESTED, "exact"),
    "parallel": Case("parallel", NESTED),
    "optimal": Case("optimal", NESTED),
    "optimal, caps cross": Case("optimal", replace(NESTED, applicants=60, classes=6, limits="all")),
    "max_placement": Case("max_placement", Shape(60, 6, minimum=40, limits="plain", marks=5)),
}
TIMES = max(6, int(os.environ.get("RESOLVES", "0")) // len(CASES))


@dataclass(frozen=True)
class Settings:
    """What a solver may be told, and must not matter."""

    seed: int
    workers: int
    presolve: bool
    fast: bool


def settings(number: int) -> Settings:
    """The settings of a number: all eight kinds in turn, seeds all different."""
    return Settings(number, (1, 2, 8)[number % 3], number % 2 == 0, number // 2 % 2 == 0)


@contextmanager
def told(chosen: Settings) -> Iterator[None]:
    """Tell every solver that a mechanism may call."""
    solve_, begun = cp_model.CpSolver.solve, ExitStack()

    def with_settings(self: Any, *arguments: Any) -> Any:
        self.parameters.random_seed = chosen.seed
        self.parameters.num_workers = chosen.workers
        self.parameters.cp_model_presolve = chosen.presolve
        return solve_(self, *arguments)

    with begun as stack:
        stack.enter_context(mock.patch.object(cp_model.CpSolver, "solve", with_settings))
        stack.enter_context(mock.patch.dict(os.environ, ORDERCLASS_FAST=str(int(chosen.fast))))
        for name, module in list(sys.modules.items()):
            for solver in ("linprog", "milp"):
                if name.startswith("matcher.mechanisms.") and hasattr(module, solver):
                    other = _with_presolve(getattr(module, solver), chosen.presolve)
                    stack.enter_context(mock.patch.object(module, solver, other))
        yield


def _with_presolve(solver: Any, presolve: bool) -> Any:
    def call(*arguments: Any, **options: Any) -> Any:
        options["options"] = dict(options.get("options") or {}) | {"presolve": presolve}
        return solver(*arguments, **options)

    return call


def written(tables: Tables, folder: Path) -> dict[str, bytes]:
    """The bytes of the files that a round's own mechanism writes."""
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    result = solve(market, policy)
    assert result.status is Status.OPTIMAL
    result.write(folder, market, tables.digest(), policy.round)
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_one_outcome(case: Case, tmp_path: Path) -> None:
    tables = case.tables()
    load(case.mechanism)
    expected = written(tables, tmp_path)
    assert expected["placements.csv"].count(b"\n") == case.shape.applicants + 1
    for number in range(TIMES):
        with told(settings(number)):
            found = written(shuffled(tables, number), tmp_path)
        assert found == expected, settings(number)


def test_settings_are_told() -> None:
    """A solver that is asked anything under the settings has them."""
    model, seen = cp_model.CpModel(), {}
    model.add_bool_or([model.new_bool_var("x")])
    with told(Settings(7, 8, False, True)):
        solver = cp_model.CpSolver()
        assert solver.solve(model) == cp_model.OPTIMAL
        seen = {"seed": solver.parameters.random_seed, "workers": solver.parameters.num_workers}
        assert os.environ["ORDERCLASS_FAST"] == "1"
    assert seen == {"seed": 7, "workers": 8}
    assert not solver.parameters.cp_model_presolve


def test_the_lottery_is_what_makes_the_outcome_one() -> None:
    """Under another seed of the lottery the same round has another outcome: there is a tie to break."""
    tables = CASES["optimal"].tables()
    other = Tables(tables.tables, tables.policy.replace(b"20260901", b"20260902"))
    matchings = []
    for round_ in (tables, other):
        policy = Policy.from_tables(round_)
        matchings.append(solve(Market.from_tables(round_, policy), policy).matching.tolist())
    assert matchings[0] != matchings[1]


def test_random_orders_differ() -> None:
    tables = CASES["stable"].tables()
    rows = {tuple(shuffled(tables, seed)["applicants"]["applicant"]) for seed in range(5)}
    assert len(rows) == 5
