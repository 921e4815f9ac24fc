"""Rounds that nobody here made, with known answers, where they stand beside the project.

Student/project lists of one university year (PrefLib 00038-00000005), given by D. Manlove; see
Kwanashie, Irving, Manlove & Sng, *Profile-based optimal matchings in the Student/Project Allocation
problem* (IWOCA 2014).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matcher import Market, Policy, Result, Tables, solve
from matcher.verify import verify

CASE = Path(__file__).resolve().parents[3] / "shared" / "cases" / "glasgow-projects-2011"

pytestmark = pytest.mark.skipif(not CASE.is_dir(), reason="glasgow-projects-2011 is not here")


def solved(rank: str) -> tuple[Tables, Policy, Market, Result]:
    """The case under one meaning of rank."""
    tables = Tables.read(CASE)
    policy = replace(Policy.from_tables(tables), rank=rank)
    market = Market.from_tables(tables, policy)
    return tables, policy, market, solve(market, policy)


def expected() -> dict[str, Any]:
    """The known answers."""
    found: dict[str, Any] = json.loads((CASE / "expected.json").read_bytes())
    return found


def profile(market: Market, result: Result) -> list[int]:
    """How many got their first, second, … choice."""
    held = market.edges_of(result.matching)
    counts = np.bincount(market.rank[held[held >= 0]], minlength=market.greatest_rank + 1)
    return [int(n) for n in counts[1:]]


@pytest.mark.parametrize("rank", ["min_cost", "rank_maximal", "generous"])
def test_everybody_is_placed_by_the_only_best_plan(rank: str) -> None:
    _, _, _, result = solved(rank)
    assert int((result.matching >= 0).sum()) == expected()["placed"]
    assert result.publishable
    assert result.objective == result.bound


def test_the_least_sum_of_ranks() -> None:
    _, _, market, result = solved("min_cost")
    answer = expected()["min_cost"]
    ranks = [rank * people for rank, people in enumerate(profile(market, result), start=1)]
    assert sum(ranks) == answer["rank_sum"]
    assert dict(zip(result.components, result.objective, strict=True))["rank"] == (
        -answer["rank_cost_0_based"]
    )


@pytest.mark.parametrize("rank", ["rank_maximal", "generous"])
def test_profiles(rank: str) -> None:
    _, _, market, result = solved(rank)
    assert profile(market, result) == expected()[rank]["profile"]


@pytest.mark.parametrize("rank", ["min_cost", "rank_maximal", "generous"])
def test_every_claim_is_proved(rank: str, tmp_path: Path) -> None:
    tables, policy, _, _ = solved(rank)
    tables.policy = policy.to_toml().encode()
    tables.write(tmp_path)
    market = Market.from_tables(tables)
    result = solve(market, policy)
    result.write(tmp_path / "result", market, tables.digest(), policy.round)
    assert {claim.status for claim in verify(tmp_path, tmp_path / "result").claims} == {"PROVED"}
