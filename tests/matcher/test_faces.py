"""Where sets cross: what the faces of the relaxation prove, and that nothing else comes out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from benchmarks.city import Shape, city, policy
from matcher import Result, Status, solve, verify
from matcher.mechanisms import faces, openings, strong
from matcher.mechanisms.proof import Tree
from matcher.mechanisms.strong import Solution, exactly
from tests.matcher.test_oracle import solved
from tests.matcher.verify_rounds import claim
from tests.random_markets import random_instance

CITY = Shape(
    applicants=300, classes=12, seats=1.3, consent=0, minimum=60, limits="all", seed=3, college=3,
    channels=(0, 2),
)  # fmt: skip
RULES = replace(policy("optimal", time_s=60), objective=("placed", "reserves", "rank", "fit"))


def outcome(shape: Shape = CITY) -> Result:
    """The city, placed with every component proven."""
    found = solve(city(shape).market(), RULES)
    assert found.status is Status.OPTIMAL
    assert found.unique
    assert found.certificate["tree"] is not None, "proven, not taken on trust"
    return found


def test_cities_with_caps_that_cross_are_proven_to_the_last_lot() -> None:
    trees = 0
    for seed in range(4):
        for seats in (1.0, 1.5):
            market = city(replace(CITY, seed=seed, seats=seats)).market()
            found = solve(market, RULES)
            assert found.status is Status.OPTIMAL
            trees += found.certificate["tree"] is not None
    assert trees >= 6, "few of them are taken on trust"


def test_a_third_party_accepts_the_proof(tmp_path: Path) -> None:
    tables = city(CITY).tables()
    tables.write(tmp_path)
    market = city(CITY).market()
    solve(market, RULES).write(tmp_path / "result", market, tables.digest(), RULES.round)
    assert claim(verify(tmp_path), "optimality").status == "PROVED"


def test_a_sum_that_does_not_order_plans_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    step = openings.Search.step
    asked = 0

    def also(search: Any, node: Any, start: int, found: Any, tree: Any) -> Any:
        nonlocal asked
        weights, prices = found
        if start == 0 and len(weights) == 1:
            asked += 1
            bare = Tree()
            assert step(search, node, 0, ([*weights, weights[0]], prices), bare) == (node, 0)
            assert not bare.leaf
        return step(search, node, start, found, tree)

    monkeypatch.setattr(openings.Search, "step", also)
    outcome()
    assert asked


def test_over_few_columns_the_outcome_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = outcome()
    monkeypatch.setattr(strong, "ALL", 0)
    monkeypatch.setattr(strong, "BEST", 1)
    few = outcome()
    assert few.objective == everything.objective
    assert (few.matching == everything.matching).all()


@pytest.mark.parametrize("part", range(4))
def test_without_them_the_outcome_is_the_same(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = 0
    for number in range(part, 120, 4):
        instance = random_instance(Random(f"faces {number}"), "optimal", crossing=True)
        market, with_faces = solved(instance)
        with monkeypatch.context() as patch:
            patch.setattr(openings, "along", lambda _search, node, start, _tree: (node, start))
            _, without = solved(instance)
        assert with_faces.objective == without.objective
        assert with_faces.unique == without.unique
        reached += bool(market.caps)
    assert reached, "some of them have caps"


def test_where_a_sum_has_no_whole_prices_components_come_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known, whole, asked = outcome(), faces.exactly, []

    def once(solution: Solution) -> Any:
        asked.append(solution)
        return None if len(asked) == 1 else whole(solution)

    monkeypatch.setattr(faces, "exactly", once)
    found = outcome()
    assert len(asked) > 1
    assert (found.matching == known.matching).all()


def cut(*prices: float) -> tuple[int, list[int]] | None:
    """Prices of people, cut into parts."""
    none = np.zeros(0)
    dual = np.array(prices), np.zeros(1), np.zeros(1), np.zeros(1), none, none
    found = exactly(Solution(np.zeros(0), np.zeros(0), 0.0, dual, np.zeros(0), []))
    return found and (found[0], found[1].person.tolist())


def test_prices_are_cut_until_they_are_whole() -> None:
    assert cut(3.0, -2.0000001) == (1, [3, -2])
    assert cut(0.5, 1 / 3) == (6, [3, 2])
    assert cut(1 / 403, 250000 + 5 / 62, 22 / 21) == (16926, [42, 4231501365, 17732]), "and no less"
    assert cut(2**0.5) is None
