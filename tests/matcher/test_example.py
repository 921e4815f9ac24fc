"""The round solved by hand in `data/example`: the solver and the definitions say what the hand said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from matcher import Market, Policy, Result, Tables, solve
from matcher.result import placement_rows
from matcher.tables import Table
from tests.choices import lottery
from tests.instances import Instance, read_instance
from tests.oracle import Oracle

FOLDER = Path(__file__).parents[2] / "data" / "example"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
OUTCOMES: dict[str, dict[str, Any]] = {o["name"]: o for o in EXPECTED["outcomes"]}


def by_definition(variant: dict[str, Any]) -> Oracle:
    """The oracle of a variant, given the pairs barred and the composites by hand."""
    pairs = EXPECTED["barred"] + EXPECTED["barred_from_tail"]
    read = read_instance(FOLDER, {(pair["applicant"], pair["program"]) for pair in pairs})
    scores = dict(read.scores)
    for applicant, score in EXPECTED["composites"]["S"].items():
        key = applicant, "channel", "S"
        scores[key] = replace(scores[key], score=score)
    changes = {
        key.removeprefix("mechanism.").replace("name", "mechanism"): value
        for key, value in variant.items()
        if key != "min_size"
    }
    instance: Instance = replace(read, scores=scores, rules=replace(read.rules, **changes))
    if "min_size" in variant:
        emptied = tuple(replace(c, min_size=variant["min_size"]) for c in instance.classes)
        instance = replace(instance, classes=emptied)
    return Oracle(instance)


def solved(variant: dict[str, Any]) -> tuple[Market, Result]:
    """The solver's result of a variant of the folder."""
    tables = Tables.read(FOLDER)
    policy = Policy.from_tables(tables)
    changes = {
        key.removeprefix("mechanism.").replace("name", "mechanism"): value
        for key, value in variant.items()
        if key != "min_size"
    }
    policy = replace(policy, **changes)
    if "min_size" in variant:
        columns = dict(tables["order_classes"].columns)
        columns["min_size"] = [str(variant["min_size"])] * len(columns["min_size"])
        tables.tables["order_classes"] = Table(columns)
    market = Market.from_tables(tables, policy)
    return market, solve(market, policy)


def rows(outcome: dict[str, Any]) -> list[list[str]]:
    """The placement rows as they should be written."""
    return [
        [i, row["program"], str(row.get("rank", "")), row.get("seat", ""), row["reason"]]
        for i, row in sorted(outcome["placements"].items())
    ]


@pytest.fixture(params=list(OUTCOMES))
def outcome(request: pytest.FixtureRequest) -> dict[str, Any]:
    """One mechanism, or one meaning of rank, after the other."""
    return OUTCOMES[request.param]


def test_the_policy_is_marked_as_an_example() -> None:
    policy = Policy.from_tables(Tables.read(FOLDER))
    assert (policy.title, policy.status, policy.demo) == ("示例", "示例", True)


def test_lists_and_lottery() -> None:
    oracle = by_definition({})
    market, _ = solved({})
    for at, applicant in enumerate(market.applicants):
        edges = range(market.start[at], market.start[at + 1])
        listed = [[market.programs[market.program[e]], int(market.rank[e])] for e in edges]
        assert listed == EXPECTED["lists"][applicant]
        assert listed == [[p, rank] for p, rank in oracle.rank[applicant].items()]
        number = EXPECTED["lottery"][applicant]
        assert market.drawn[at].hex().startswith(number)
        assert lottery(oracle.rules, applicant).startswith(number)


def test_barred_applications() -> None:
    market, _ = solved({})
    found = [
        {
            "applicant": market.applicants[b.applicant],
            "program": market.programs[b.program],
            "rule": b.rule,
            "value": b.value,
            "limit": b.limit,
        }
        for b in market.barred
    ]
    assert sorted(found, key=lambda b: (b["applicant"], b["program"])) == EXPECTED["barred"]


def test_placements_classes_and_objective(outcome: dict[str, Any]) -> None:
    market, result = solved(outcome["variant"])
    assert placement_rows(market, result) == rows(outcome)
    opened = dict(zip(market.order_classes, result.opened.tolist(), strict=True))
    assert opened == {c: row["opened"] for c, row in outcome["classes"].items()}
    assert dict(zip(result.components, result.objective, strict=True)) == outcome["objective"]
    closing = [(market.order_classes[c.order_class], c.placed, c.min_size) for c in result.closings]
    assert closing == [(c["order_class"], c["placed"], c["min_size"]) for c in outcome["closing"]]
    assert result.publishable


def test_thresholds(outcome: dict[str, Any]) -> None:
    market, result = solved(outcome["variant"])
    found = {(market.programs[t.program], t.stage): t for t in result.thresholds}
    for row in outcome.get("thresholds", []):
        threshold = found.pop((row["program"], row["stage"]))
        cap = market.caps[threshold.cap].name if threshold.cap >= 0 else ""
        assert (threshold.state, cap) == (row["state"], row["cap"])
        if row["state"] != "not_full":
            last = market.applicants[market.owner[threshold.last]] if threshold.last >= 0 else ""
            assert last == row["last"]
    for row in outcome.get("prices", []):
        assert found.pop((row["program"], row["stage"])).price == tuple(row["price"])
    assert not found or outcome["name"] in ("optimal rank_maximal", "optimal generous")


@pytest.mark.parametrize("name", ["stable", "parallel"])
def test_the_definitions_agree_on_deferred_acceptance(name: str) -> None:
    oracle = by_definition(OUTCOMES[name]["variant"])
    outcome = oracle.sequential()
    assert {i: p or "" for i, p in outcome.placement.items()} == {
        i: row["program"] for i, row in OUTCOMES[name]["placements"].items()
    }
    assert oracle.is_stable(outcome.placement, outcome.open_classes)
    assert oracle.exact().placement == outcome.placement
    found = oracle.thresholds(outcome.placement, outcome.open_classes)
    assert [
        {"program": p, "stage": s, "state": t.state, "cap": t.cap, "last": t.last or ""}
        for (p, s), t in found.items()
    ] == [{k: v for k, v in row.items() if k != "score"} for row in OUTCOMES[name]["thresholds"]]


@pytest.mark.full
@pytest.mark.parametrize("name", [name for name in OUTCOMES if name.startswith("optimal")])
def test_the_definitions_agree_on_the_optimum(name: str) -> None:
    """Goes through every feasible placement: some seconds a meaning of rank."""
    oracle = by_definition(OUTCOMES[name]["variant"])
    best, value = oracle.optimal()
    assert [{i: p or "" for i, p in placement.items()} for placement in best] == [
        {i: row["program"] for i, row in OUTCOMES[name]["placements"].items()}
    ]
    assert dict(zip(oracle.optimal_components(), value, strict=True)) == OUTCOMES[name]["objective"]


@pytest.mark.full
def test_the_definitions_agree_on_prices() -> None:
    """The optimum of the round with one seat less, seat type after seat type."""
    outcome = OUTCOMES["optimal min_cost"]
    oracle = by_definition(outcome["variant"])
    for row in outcome["prices"]:
        assert oracle.price(row["program"], row["stage"]) == tuple(row["price"])
