"""Two results side by side, and who moves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from matcher import Market, Policy, Result, Tables, compare, solve
from matcher.result import opened_classes
from tests.rounds import make_round


def prepared(tables: Tables) -> tuple[Market, Policy, Result]:
    """The market, rules and outcome of a round."""
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    return market, policy, solve(market, policy)


def moved(market: Market, result: Result, where: dict[str, str]) -> Result:
    """The result with some people elsewhere (blank for nowhere)."""
    at = {name: number for number, name in enumerate(market.programs)} | {"": -1}
    matching = result.matching.copy()
    for i, name in enumerate(market.applicants):
        matching[i] = at[where[name]] if name in where else matching[i]
    seats = ["open" if p >= 0 else "" for p in matching]
    return replace(result, matching=matching, seats=seats, opened=opened_classes(market, matching))


def test_nobody_moves_between_equal_results() -> None:
    market, policy, result = prepared(make_round({"A": "P", "B": "P"}, {"P": 1}))
    found = compare(market, policy, result, result)
    assert found["moved"] == []
    assert found["moves"] == dict.fromkeys(("better", "worse", "same", "gained", "lost"), 0)
    assert found["results"][0] == found["results"][1]


def test_who_moves_and_whether_she_likes_it() -> None:
    consent = {"adjustment": "alliance"}
    tables = make_round(
        {"A": "P Q", "B": "P Q", "D": "C", "E": "P", "F": "R"},
        {"P": 3, "Q": 3, "R": 3, "S": 1, "T": 1},
        order_classes={"C": 0, "Z": 0}, applicants={"F": consent},
        programs={"S": {"order_class": "C"}, "T": {"order_class": "C"}},
    )  # fmt: skip
    market, policy, result = prepared(tables)
    one = moved(market, result, {"A": "Q", "B": "P", "D": "S", "E": "P", "F": "P"})
    two = moved(market, result, {"A": "P", "B": "Q", "D": "T", "E": "", "F": "Q"})
    found = compare(market, policy, one, two)
    assert [(m["applicant"], m["from"], m["to"], m["change"]) for m in found["moved"]] == [
        ("A", "Q", "P", "better"), ("B", "P", "Q", "worse"), ("D", "S", "T", "same"),
        ("E", "P", "", "lost"), ("F", "P", "Q", "worse"),
    ]  # fmt: skip
    assert found["moves"] == {"better": 1, "worse": 2, "same": 1, "gained": 0, "lost": 1}
    back = compare(market, policy, two, one)
    assert back["moves"] == {"better": 2, "worse": 1, "same": 1, "gained": 1, "lost": 0}


def test_the_two_summaries() -> None:
    tables = make_round(
        {"A": "P Q", "B": "Q"}, {"P": 1, "Q": 1}, applicants={"A": {"groups": "g"}},
        scores={"A Q": 2, "B Q": 1},
    )  # fmt: skip
    market, policy, result = prepared(tables)
    other = moved(market, result, {"A": "Q", "B": ""})
    found = compare(market, policy, result, other)
    a, b = found["results"]
    summary: dict[str, Any] = {"mechanism": "stable", "status": "OPTIMAL", "placed": 2, "opened": 2}
    assert summary.items() <= a.items()
    assert (b["placed"], b["opened"], b["closed"]) == (1, 1, 1)
    assert a["profile"] == {"1": 2, "2": 0, "0": 0, "unplaced": 0}
    assert b["profile"] == {"1": 0, "2": 1, "0": 0, "unplaced": 1}
    assert a["groups"] == b["groups"] == {"g": {"applicants": 1, "placed": 1}}
    assert b["fairness"]["labels"]["waste"]["rows"] == 1
    assert (found["only_first_opens"], found["only_second_opens"]) == (["P"], [])
