"""The order of the search: whenever the best plan is found, what is proven of it is the same."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.city import city
from matcher import Status, solve, verify
from matcher.choice import Choice
from matcher.mechanisms import best_first, openings, rounding, strong
from matcher.mechanisms.bounds import Prices
from matcher.mechanisms.plan import Plan
from matcher.mechanisms.proof import Step, Tree
from tests.matcher.test_faces import CITY, RULES
from tests.matcher.verify_rounds import claim


def test_what_is_left_bounds_every_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """No plan exceeds what would be told if the search ended after any of its branches."""
    sum_up, told = best_first.BestFirst.sum_up, []

    def summed_up(self: Any, branch: Any) -> None:
        sum_up(self, branch)
        told.append((self.search.most, self.search.equal, self.search.best))

    monkeypatch.setattr(best_first.BestFirst, "sum_up", summed_up)
    lower = 0
    for seed in range(12):
        told.clear()
        found = solve(city(replace(CITY, seed=seed, seats=1.0)).market(), replace(RULES, time_s=20))
        known = [(most, equal, best.value) for most, equal, best in told if best is not None]
        assert all(most >= found.objective[0] for most, _, _ in known)
        assert all(value[:equal] == found.objective[:equal] for _, equal, value in known)
        most = [most for most, _, _ in known]
        assert most == sorted(most, reverse=True), "it never rises"
        lower += most[-1] < most[0]
    assert lower, "the bound falls somewhere"


def nothing(*_: Any) -> None:
    """No plan to begin with."""


def test_a_plan_found_late_proves_more_of_what_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The root's prices are gone through again; anybody can check what they prove now."""
    from_root, raised = best_first.BestFirst.from_root, []

    def least(search: Any) -> int:
        return min((branch.start for *_, branch in search.left), default=0)

    def counted(search: Any) -> None:
        before = least(search)
        from_root(search)
        raised.append(least(search) - before)

    monkeypatch.setattr(best_first.BestFirst, "from_root", counted)
    for seed in range(4):
        made, folder = city(replace(CITY, seed=seed)), tmp_path / str(seed)
        soon = solve(made.market(), RULES)
        with monkeypatch.context() as patch:
            patch.setattr(openings, "nearest", nothing)
            patch.setattr(openings, "closing_short", nothing)
            late = solve(made.market(), RULES)
        assert late.status is soon.status is Status.OPTIMAL
        assert (late.matching == soon.matching).all()
        made.tables().write(folder)
        late.write(folder / "result", made.market(), made.tables().digest(), RULES.round)
        assert claim(verify(folder), "optimality").status == "PROVED"
    assert max(raised) > 0


def test_what_is_settled_below_is_told() -> None:
    """A root leaves alone what the proof below goes by: of what it is split by, both states."""
    prices = Prices(*[np.zeros(0, np.int64)] * 5)
    low = Tree([Step([1], prices, 0, [2], [3])], order_class=4, sides=(Tree(), Tree()))
    root = Tree([Step([1], prices, 0, [0], [1])], order_class=5, sides=(low, Tree()))
    closed, opened = root.settled(7)
    assert np.flatnonzero(closed).tolist() == [2, 4, 5]
    assert np.flatnonzero(opened).tolist() == [3, 4, 5]


def test_what_a_root_has_settled_stays_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps that come from no relaxation of components are taken again, too; none is taken twice."""
    market = city(replace(CITY, seed=1)).market()
    taken, told = best_first.BestFirst.taken, []

    def checked(search: Any, branch: Any) -> Any:
        mine = [step.prices for step in branch.tree.steps]
        found = taken(search, branch)
        assert [prices for _, prices in found[: len(mine)]] == mine
        assert len({id(prices) for _, prices in found}) == len(found)
        told.append(len(found) - len(mine))
        return found

    monkeypatch.setattr(best_first.BestFirst, "taken", checked)
    monkeypatch.setattr(openings, "nearest", nothing)
    monkeypatch.setattr(openings, "closing_short", nothing)
    assert solve(market, RULES).status is Status.OPTIMAL
    assert max(told) > 0, "the root's prices settle more than they did"


@pytest.mark.parametrize("seed", [1, 2])
def test_turning_classes_makes_more_of_a_rounded_plan(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[tuple[int, ...]] = []

    def turned(search: Any, node: Any, solution: Any) -> None:
        for misses in (0, rounding.MISSES):
            with monkeypatch.context() as patch:
                patch.setattr(rounding, "MISSES", misses)
                rounding.turning(search, node, solution)
            assert search.best is not None
            known.append(search.best.value)
            search.seen.clear()

    monkeypatch.setattr(strong, "ALL", 0)
    monkeypatch.setattr(best_first, "turning", turned)
    shape = replace(
        CITY, applicants=3000, classes=100, seats=1.0, college=6, channels=tuple(range(6))
    )
    found = solve(city(replace(shape, seed=seed)).market(), RULES)
    assert found.status is Status.OPTIMAL
    assert known[0] < known[1] <= found.objective


def test_late_or_not_the_outcome_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strong, "ALL", 0)
    shape = replace(CITY, applicants=3000, classes=100, seats=1.0, college=6, channels=(0, 2, 3))
    market = city(replace(shape, seed=1)).market()
    in_time = solve(market, RULES)
    monkeypatch.setattr(openings.Search, "late", True)
    late = solve(market, RULES)
    assert late.status is in_time.status is Status.OPTIMAL
    assert (late.matching == in_time.matching).all()


def test_less_time_left_than_taken_is_late() -> None:
    market = city(CITY).market()
    search = openings.Search(Plan(market, Choice(market)), [])
    search.started = time.perf_counter()
    assert not search.late, "without a limit"
    search.started, search.deadline = time.perf_counter() - 5, time.perf_counter() + 60
    assert not search.late
    search.started -= 100
    assert search.late


@pytest.mark.parametrize("relaxation", [True, False])
def test_when_time_is_up_before_any_plan_there_is_a_good_one(
    relaxation: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its openings are those of a relaxation, or, less good, what is left when short classes close."""
    monkeypatch.setattr(strong, "ALL", 0)
    shape = replace(CITY, applicants=1000, classes=40, seats=1.0, college=6, channels=(0, 2, 3))
    made = city(replace(shape, seed=1))
    market = made.market()
    best = solve(market, RULES)

    def over(self: Any) -> None:
        raise openings.OutOfTime

    monkeypatch.setattr(best_first.BestFirst, "run", over)
    if not relaxation:
        monkeypatch.setattr(strong.Strong, "solve", lambda *_: None)
    found = solve(market, RULES)
    assert (best.status, found.status) == (Status.OPTIMAL, Status.FEASIBLE)
    least = (0.99 if relaxation else 0.9) * best.objective[0]
    assert least < found.objective[0] <= best.objective[0] <= found.bound[0]
    assert all(b >= v for v, b in zip(best.objective, found.bound, strict=True))
    made.tables().write(tmp_path)
    found.write(tmp_path / "result", market, made.tables().digest(), RULES.round)
    verdict = verify(tmp_path)
    assert not any(one.status == "BROKEN" for one in verdict.claims)
