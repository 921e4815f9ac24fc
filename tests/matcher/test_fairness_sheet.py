"""The rows of the fairness sheet, label by label, and against the definitions for any placement."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from matcher import Market, Policy, Result, Tables, solve
from matcher.fairness import LABELS, Fairness
from matcher.result import opened_classes
from matcher.tables import Table
from tests.oracle import Oracle, Placement
from tests.random_markets import random_instance
from tests.rounds import make_round

Row = tuple[str, str, str, str]


def sheet(tables: Tables, matching: dict[str, str] | None = None) -> set[Row]:
    """The rows (applicant, other, program, label) of the round's outcome, or of another matching."""
    market, policy, result = made(tables, matching)
    return rows(market, Fairness(market, policy, result))


def made(tables: Tables, matching: dict[str, str] | None) -> tuple[Market, Policy, Result]:
    """The market, and its outcome with the matching put in its place."""
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    result = solve(market, policy)
    if matching is not None:
        result = with_matching(market, result, {i: matching.get(i) for i in market.applicants})
    return market, policy, result


def with_matching(market: Market, result: Result, placement: Placement) -> Result:
    """The result with people elsewhere, all in open seats."""
    at = {name: number for number, name in enumerate(market.programs)}
    matching = result.matching.copy()
    for i, name in enumerate(market.applicants):
        program = placement[name]
        matching[i] = -1 if program is None else at[program]
    seats = ["open" if p >= 0 else "" for p in matching]
    opened = opened_classes(market, matching)
    return replace(result, matching=matching, seats=seats, opened=opened)


def rows(market: Market, fairness: Fairness) -> set[Row]:
    """The rows by name."""
    people, found = [*market.applicants, ""], fairness.sheet
    columns = (found.applicant, found.other, found.program, found.label)
    return {
        (people[i], people[j], market.programs[p], LABELS[label])
        for i, j, p, label in zip(*(c.tolist() for c in columns), strict=True)
    }


TWO = {"A": "P", "B": "P"}
ABOVE = {"A P": 9, "B P": 5}


def test_nothing_to_tell_where_everybody_is_first() -> None:
    assert sheet(make_round({"A": "P"}, {"P": 1})) == set()


def test_justified_where_the_lower_has_the_seat() -> None:
    assert sheet(make_round(TWO, {"P": 1}, scores=ABOVE), {"B": "P"}) == {
        ("A", "B", "P", "justified")
    }


def test_every_person_below_is_shown() -> None:
    tables = make_round({"A": "P", "B": "P", "C": "P"}, {"P": 2}, scores=ABOVE | {"C P": 4})
    assert sheet(tables, {"B": "P", "C": "P"}) == {
        ("A", "B", "P", "justified"), ("A", "C", "P", "justified"),
    }  # fmt: skip


def test_waste_with_and_without_somebody_below() -> None:
    tables = make_round(TWO, {"P": 2}, scores=ABOVE)
    assert sheet(tables, {"B": "P"}) == {("A", "", "P", "waste"), ("A", "B", "P", "waste")}
    assert sheet(tables, {}) == {("A", "", "P", "waste"), ("B", "", "P", "waste")}


def test_a_full_cap_is_no_waste() -> None:
    caps = {"K": {"seats": 1, "programs": "P"}}
    tables = make_round(TWO, {"P": 2}, scores=ABOVE, caps=caps)
    assert sheet(tables) == {("B", "", "P", "cap")}
    assert sheet(tables, {"B": "P"}) == {("A", "", "P", "cap"), ("A", "B", "P", "cap")}


def test_a_seat_of_a_group_is_an_answer() -> None:
    people = {"B": {"groups": "g"}}
    tables = make_round(TWO, {"P": 1}, scores=ABOVE, applicants=people, reserves={"P g": 1})
    assert sheet(tables) == {("A", "B", "P", "reserve")}


def test_a_group_displaces_whoever_is_lowest_though_above_her() -> None:
    lists = {"A": "P", "B": "P", "C": "P"}
    people = {"C": {"groups": "g"}}
    scores = {"A P": 9, "B P": 8, "C P": 1}
    tables = make_round(lists, {"P": 2}, scores=scores, applicants=people, reserves={"P g": 1})
    assert sheet(tables, {"A": "P", "B": "P"}) == {("C", "B", "P", "justified")}


def test_an_approval_is_shown_as_one() -> None:
    rules = {"age.reference_date": "2026-09-01", "age_rule": [{"max": 30}]}
    people = {n: {"birth_date": f"{y}-01-01"} for n, y in (("A", 2000), ("B", 1970), ("C", 2000))}
    decisions = [{"applicant": "B", "program": "P", "decision": "approved", "basis": "x"}]
    tables = make_round(
        {"A": "P", "B": "P", "C": "P"}, {"P": 2}, rules, applicants=people, decisions=decisions,
        scores={"A P": 9, "B P": 5, "C P": 4},
    )  # fmt: skip
    assert sheet(tables, {"B": "P", "C": "P"}) == {
        ("A", "B", "P", "approval"), ("A", "C", "P", "justified"),
    }  # fmt: skip


def test_a_closed_class() -> None:
    tables = make_round({"A": "P"}, {"P": 2}, order_classes={"C": 2},
                        programs={"P": {"order_class": "C"}})  # fmt: skip
    assert sheet(tables) == {("A", "", "P", "class_closed")}


def test_an_empty_class_with_a_minimum_of_one_counts_as_open() -> None:
    tables = make_round({"A": "P"}, {"P": 2}, order_classes={"C": 1},
                        programs={"P": {"order_class": "C"}})  # fmt: skip
    assert sheet(tables, {}) == {("A", "", "P", "waste")}


def test_the_file_is_sorted_and_complete() -> None:
    tables = make_round({"b": "P", "a": "P", "c": "P"}, {"P": 1},
                        scores={"a P": 9, "b P": 8, "c P": 1})  # fmt: skip
    market, policy, result = made(tables, {"c": "P"})
    found = Fairness(market, policy, result)
    text = found.sheet.to_csv(market).decode()
    assert list(csv.reader(io.StringIO(text))) == [
        ["applicant", "other", "program", "label"],
        ["a", "c", "P", "justified"], ["b", "c", "P", "justified"],
    ]  # fmt: skip
    assert len(found.sheet) == 2
    assert found.sheet.counts()["justified"] == {"rows": 2, "pairs": 2, "people": 2}
    assert found.sheet.counts()["waste"] == {"rows": 0, "pairs": 0, "people": 0}


# --- coalitions


def coalitions(tables: Tables, matching: dict[str, str]) -> list[tuple[str, int, int, int]]:
    """The coalitions that a matching leaves."""
    market, policy, result = made(tables, matching)
    return [
        (market.order_classes[c.order_class], c.min_size, c.willing, c.could_take)
        for c in Fairness(market, policy, result).coalitions()
    ]


JOINT = {"P": {"order_class": "C"}, "Q": {"order_class": "C"}}


def test_enough_people_for_a_closed_class() -> None:
    tables = make_round({"A": "P", "B": "Q", "D": "P"}, {"P": 1, "Q": 1}, order_classes={"C": 2},
                        programs=JOINT)  # fmt: skip
    assert coalitions(tables, {}) == [("C", 2, 3, 2)]
    assert coalitions(tables, {"A": "P", "B": "Q"}) == []


def test_too_few_for_its_seats() -> None:
    tables = make_round({"A": "P", "B": "P", "D": "P"}, {"P": 1, "Q": 1}, order_classes={"C": 2},
                        programs=JOINT)  # fmt: skip
    assert coalitions(tables, {}) == []


def test_hard_seats_take_their_group_only() -> None:
    tables = make_round({"A": "P", "B": "P"}, {"P": 2, "Q": 1}, order_classes={"C": 2},
                        programs=JOINT, reserves={"P g hard": 1})  # fmt: skip
    assert coalitions(tables, {}) == []
    members = make_round({"A": "P", "B": "P"}, {"P": 2, "Q": 1}, order_classes={"C": 2},
                         programs=JOINT, reserves={"P g hard": 1},
                         applicants={"B": {"groups": "g"}})  # fmt: skip
    assert coalitions(members, {}) == [("C", 2, 2, 2)]


def test_a_cap_lets_in_whom_it_already_holds() -> None:
    lists = {"A": "P R", "B": "P R", "D": "P"}
    caps = {"K": {"seats": 2, "programs": "P;R"}}
    tables = make_round(lists, {"P": 3, "R": 2}, order_classes={"C": 2}, caps=caps,
                        programs={"P": {"order_class": "C"}})  # fmt: skip
    assert coalitions(tables, {"A": "R", "B": "R"}) == [("C", 2, 3, 2)]
    assert coalitions(tables, {"A": "R"}) == [("C", 2, 3, 2)]
    tight = make_round(lists, {"P": 3, "R": 2}, order_classes={"C": 2},
                       caps={"K": {"seats": 1, "programs": "P"}},
                       programs={"P": {"order_class": "C"}})  # fmt: skip
    assert coalitions(tight, {}) == []


# --- against the definitions


def random_round(mechanism: str, seed: int) -> tuple[Oracle, Market, Policy, Result]:
    """A tiny market with its outcome."""
    instance = random_instance(Random(seed), mechanism, minimums=mechanism != "optimal")
    given = {name: Table({**columns}) for name, columns in instance.to_tables_dict().items()}
    tables = Tables(given, instance.rules.toml().encode())
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    return Oracle(instance), market, policy, solve(market, policy)


def placements(market: Market, result: Result, oracle: Oracle, rng: Random) -> Iterator[Placement]:
    """The outcome, and a few feasible placements at random."""
    programs = [*market.programs, None]
    yield {i: programs[p] for i, p in zip(market.applicants, result.matching, strict=True)}
    for number, other in enumerate(oracle.assignments(frozenset(oracle.class_of.values()))):
        if number > 300:
            return
        if rng.random() < 0.03:
            yield other


@pytest.mark.parametrize("mechanism", ["stable", "parallel", "optimal", "max_placement"])
def test_envy_and_waste_are_those_of_the_definitions(mechanism: str) -> None:
    seen = 0
    for seed in range(80):
        oracle, market, policy, result = random_round(mechanism, seed)
        for placement in placements(market, result, oracle, Random(seed)):
            other = with_matching(market, result, placement)
            fairness = Fairness(market, policy, other)
            found = rows(market, fairness)
            seen += _compare(oracle, market, fairness, placement, found, result)
    assert seen > 80


def _even(oracle: Oracle, applicant: str, program: str, held: str | None) -> bool:
    """Whether she listed both at one rank, as programs of one class."""
    rank = oracle.rank[applicant]
    return held is not None and rank[program] == rank[held] > 0


def _compare(
    oracle: Oracle,
    market: Market,
    fairness: Fairness,
    placement: Placement,
    found: set[Row],
    result: Result,
) -> int:
    closed = {market.order_classes[c] for c in fairness.closed.nonzero()[0]}
    every = frozenset(oracle.class_of.values())
    found_by = oracle.blocking_weakly if result.keeps_ties else oracle.blocking
    blocking = [
        (i, p, kind)
        for i, p, kind in found_by(placement, every)
        if oracle.class_of[p] not in closed
        and not (result.by_rank and _even(oracle, i, p, placement[i]))
    ]
    envy = {(i, p) for i, p, kind in blocking if kind == "envy"}
    waste = {(i, p) for i, p, kind in blocking if kind == "waste"}
    assert {(i, p) for i, _, p, label in found if label == "justified"} == envy
    assert {(i, p) for i, j, p, label in found if label == "waste" and not j} == waste
    for i, j, p, label in found:
        if label == "class_closed":
            assert oracle.class_of[p] in closed
        elif label == "cap":
            assert oracle.full_cap(p, placement)
        elif label in ("justified", "reserve"):
            assert placement[j] == p
        order = list(oracle.rank[i])
        mine = placement[i]
        assert mine is None or order.index(p) < order.index(mine)
    return len(envy) + len(waste)


@pytest.mark.parametrize("mechanism", ["stable", "parallel"])
def test_the_outcome_of_deferred_acceptance_is_fair(mechanism: str) -> None:
    labels = set()
    for seed in range(150):
        _, market, policy, result = random_round(mechanism, seed)
        labels |= {label for _, _, _, label in rows(market, Fairness(market, policy, result))}
    assert "justified" not in labels
    assert {"reserve", "cap", "class_closed"} <= labels
