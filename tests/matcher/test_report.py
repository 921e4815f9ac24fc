"""The figures of the example round, worked out by hand, and sums that must agree in any round."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from matcher import Market, Policy, Result, Status, Tables, compare, explain, report, solve
from matcher.messages import SENTENCES
from matcher.report import NOT_ENABLED, STATISTICS
from tests.rounds import make_round

EXAMPLE = Path(__file__).parents[2] / "data" / "example"
DEMO = Path(__file__).parents[2] / "data" / "demo"


def reported(tables: Tables, **changes: Any) -> dict[str, Any]:
    """The report of a round's own outcome, the result altered."""
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    return report(market, policy, replace(solve(market, policy), **changes))


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    """The report of the round solved by hand."""
    return reported(Tables.read(EXAMPLE))


@pytest.fixture(scope="module")
def demo() -> dict[str, Any]:
    """The report of the demo round."""
    return reported(Tables.read(DEMO))


def indicator(found: dict[str, Any], key: str, **more: Any) -> dict[str, Any]:
    """The one indicator of a key."""
    (one,) = (i for i in found["indicators"] if i["key"] == key and more.items() <= i.items())
    return dict(one)


def row(found: dict[str, Any], dimension: str, value: str) -> list[Any]:
    """A row of the statistics, in the order of the columns."""
    (one,) = (r for r in found["statistics"][dimension] if r["value"] == value)
    return [one[column] for column in STATISTICS]


def test_the_example_by_hand(example: dict[str, Any]) -> None:
    assert (example["placed"], example["applicants"], example["seats"]) == (9, 12, 16)
    assert example["profile"] == {"1": 4, "2": 3, "3": 1, "0": 1, "unplaced": 3}
    assert example["unplaced"] == {"not_reached": 2, "barred": 1, "no_choice": 0}
    assert example["groups"] == {
        "G05": {"applicants": 2, "placed": 2}, "G06": {"applicants": 1, "placed": 1},
        "G07": {"applicants": 0, "placed": 0},
    }  # fmt: skip
    assert example["objective"] == {"placed": 9, "reserves": 2, "rank": -8, "fit": 5}
    assert [c["order_class"] for c in example["opened"]] == ["NEV", "CARE", "ROBO", "WELD"]
    assert example["closed"] == [
        {
            "order_class": "TEXT",
            "reason": "short",
            "step": 1,
            "placed": 2,
            "min_size": 3,
            "shortfall": 1,
        }
    ]


def test_the_figures_agree_with_the_hand_solved_expectations() -> None:
    expected = json.loads((EXAMPLE / "expected.json").read_text(encoding="utf-8"))
    (stable,) = (o for o in expected["outcomes"] if o["name"] == "stable")
    found = reported(Tables.read(EXAMPLE))
    assert {k: n for k, n in found["profile"].items() if n and k != "unplaced"} == stable[
        "figures"
    ]["rank_profile"]
    assert {k: n for k, n in found["unplaced"].items() if n} == stable["figures"]["unplaced"]


@pytest.mark.parametrize(
    ("key", "numerator", "denominator"),
    [
        ("plan_completion", 9, 16), ("passed_per_seat", 12, 16), ("first_choice", 4, 12),
        ("first_choice_share", 4, 9), ("first_three_choices", 8, 12), ("adjusted", 1, 9),
        ("unplaced", 3, 12), ("classes_opened", 4, 5), ("classes_filled", 9, 13),
        ("relaxed_age", 2, 9), ("groups_of_interest", 2, 9),
    ],
)  # fmt: skip
def test_indicators_of_the_example(
    example: dict[str, Any], key: str, numerator: int, denominator: int
) -> None:
    found = indicator(example, key)
    assert (found["numerator"], found["denominator"]) == (numerator, denominator)
    assert found["status"] == "counted"


def test_statistics_of_the_example(example: dict[str, Any]) -> None:
    assert row(example, "college", "U1") == [2, 7, 9, 9, 8, 5, 3, 2, 0, 0, 2, 0, 2]
    assert row(example, "enterprise", "Z") == [2, 7, 5, 5, 3, 3, 1, 2, 0, 2, 1, 1, 4]
    assert row(example, "study_form", "PT") == [3, 9, 6, 6, 5, 4, 2, 2, 0, 2, 2, 1, 5]
    assert row(example, "total", "total") == [5, 16, 12, 12, 12, 9, 4, 4, 1, 2, 4, 1, 7]
    assert row(example, "group", "G06") == [None, None, 1, 1, 1, 1, 0, 1, 0, 1, None, None, None]
    assert row(example, "age", "45–54") == [None, None, 2, 2, 2, 2, 1, 1, 0, 2, None, None, None]


def test_fairness_of_the_example(example: dict[str, Any]) -> None:
    """A09 stands above the two reserved seats of WELD; three are kept out by the caps."""
    labels = example["fairness"]["labels"]
    assert {name: n["rows"] for name, n in labels.items()} == {
        "justified": 0, "waste": 0, "approval": 0, "reserve": 2, "cap": 4, "class_closed": 2,
    }  # fmt: skip
    assert example["fairness"]["coalitions"] == []


def test_what_has_no_source_is_not_enabled_and_never_zero(example: dict[str, Any]) -> None:
    for key in (*NOT_ENABLED, "key_industry_seats", "key_industry_placed", "fit"):
        assert indicator(example, key) == {"key": key, "status": "not_enabled"}


def test_a_share_of_nobody_says_so(example: dict[str, Any]) -> None:
    found = indicator(example, "group_coverage", group="G07")
    assert found["status"] == "nobody"


def test_indicators_that_the_policy_asks_for() -> None:
    rules = {
        "report.fit_threshold": 5,
        "report.key_industries": ["I1"],
        "report.groups_of_interest": [],
    }
    tables = make_round(
        {"A": "P", "B": "Q", "D": "Q"}, {"P": 2, "Q": 2}, rules,
        order_classes={"C": {"min_size": 0, "industry": "I1"}},
        programs={"P": {"order_class": "C"}},
        scores={"A P": {"score": 1, "fit": 5}, "B Q": {"score": 1, "fit": 4}},
    )  # fmt: skip
    found = reported(tables)
    assert indicator(found, "fit") | {"threshold": 5} == indicator(found, "fit")
    assert [
        indicator(found, k)["numerator"]
        for k in ("fit", "key_industry_seats", "key_industry_placed")
    ] == [1, 2, 1]
    assert indicator(found, "groups_of_interest") == {
        "key": "groups_of_interest",
        "status": "not_enabled",
    }


def test_indicators_asked_for_without_a_source() -> None:
    rules = {"report.fit_threshold": 5, "report.key_industries": ["I1"]}
    found = reported(
        make_round({"A": "P"}, {"P": 1}, rules, order_classes={"C": 0}, scores={"A P": 1})
    )
    for key in ("fit", "key_industry_seats", "groups_of_interest", "relaxed_age"):
        assert indicator(found, key) == {"key": key, "status": "not_enabled"}


def test_empty_and_unsettled_classes() -> None:
    tables = make_round({"A": "P"}, {"P": 2, "Q": 1}, order_classes={"C": 2},
                        programs={"P": {"order_class": "C"}})  # fmt: skip
    assert [(c["order_class"], c["reason"], c["step"]) for c in reported(tables)["closed"]] == [
        ("C", "short", 1), ("Q", "empty", 0),
    ]  # fmt: skip
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    result = solve(market, policy)
    held = result.matching.copy()
    held[0] = 0
    cut = replace(result, matching=held, closings=(), status=Status.FEASIBLE, seats=["open"])
    found = report(market, policy, cut)
    assert found["closed"][0] == {
        "order_class": "C", "reason": "unsettled", "step": 0, "placed": 1, "min_size": 2, "shortfall": 1,
    }  # fmt: skip
    assert not found["publishable"]


def test_ages_without_a_reference_date_are_not_grouped() -> None:
    people = {"A": {"birth_date": "2000-01-01"}}
    found = reported(make_round({"A": "P"}, {"P": 1}, applicants=people))
    assert [r["value"] for r in found["statistics"]["age"]] == [""]


@pytest.mark.parametrize("people", [0, 1])
def test_a_round_in_which_nobody_wants_anything(people: int) -> None:
    tables = make_round({"A": ""} if people else {}, {"P": 1})
    found = reported(tables)
    assert found["profile"] == {"0": 0, "unplaced": people}
    assert indicator(found, "first_choice")["status"] == "nobody"
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    result = solve(market, policy)
    assert [e.outcome.code for e in explain(market, policy, result)] == ["no_choice"] * people
    moves = compare(market, policy, result, result)["moves"]
    assert set(moves.values()) == {0}


def test_json_holds_it_all(example: dict[str, Any]) -> None:
    assert json.loads(json.dumps(example)) == example


def words(found: dict[str, Any]) -> Iterator[str]:
    """The codes of a report that pages put into words."""
    for one in found["indicators"]:
        yield f"indicator.{one['key']}"
    for dimension in found["statistics"]:
        yield f"dimension.{dimension}"
    for code in found["guarantees"]:
        yield f"guarantee.{code}"
    for reason in found["unplaced"]:
        yield f"unplaced.{reason}"
    for name in found["objective"]:
        yield f"objective.{name}"
    for closed in found["closed"]:
        yield f"closed.{closed['reason']}"


def test_every_code_of_a_report_has_its_word(demo: dict[str, Any]) -> None:
    assert set(words(demo)) <= set(SENTENCES)
    indicators = {key for key in SENTENCES if key.startswith("indicator.")}
    assert indicators == {f"indicator.{i['key']}" for i in demo["indicators"]}
    dimensions = {key for key in SENTENCES if key.startswith("dimension.")}
    assert dimensions == {f"dimension.{d}" for d in demo["statistics"]}


def test_sums_of_the_demo_agree(demo: dict[str, Any]) -> None:
    profile = dict(demo["profile"])
    assert sum(profile.values()) == demo["applicants"] == 5000
    assert sum(demo["unplaced"].values()) == profile["unplaced"] == 5000 - demo["placed"]
    for dimension in ("college", "industry", "study_form", "college_district", "enterprise"):
        rows = demo["statistics"][dimension]
        for column in ("placed", "seats", "vacant", "placed_first", "placed_adjusted"):
            assert sum(r[column] for r in rows) == demo["statistics"]["total"][0][column]
    for r in (r for rows in demo["statistics"].values() for r in rows):
        assert r["placed"] == r["placed_first"] + r["placed_other"] + r["placed_adjusted"]
        assert r["passed"] <= r["applied"] and r["first_applied"] <= r["applied"]
    for dimension in ("sex", "age", "home_district"):
        assert sum(r["placed"] for r in demo["statistics"][dimension]) == demo["placed"]
    assert len(demo["opened"]) + len(demo["closed"]) == 150
    labels = demo["fairness"]["labels"]
    assert labels["justified"]["rows"] == labels["waste"]["rows"] == 0


def test_the_result_is_left_alone() -> None:
    tables = Tables.read(EXAMPLE)
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    result: Result = solve(market, policy)
    before = result.matching.copy()
    report(market, policy, result)
    assert (result.matching == before).all()
