"""``solve`` finds the mechanism, and refuses by name what it cannot honour."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from matcher import Constraint, InvalidRound, Policy, Result, UnsupportedConstraint, solve
from matcher.mechanisms import NAMES, load
from matcher.messages import of_issue
from matcher.tables import SCHEMA
from tests.matcher.test_market import ASKS, SEATS
from tests.rounds import make_round, market, outcome

PAIRS = [(name, constraint) for name in NAMES for constraint in ASKS]


def asking(mechanism: str, constraint: Constraint) -> Any:
    """A round that asks a mechanism for one constraint."""
    others, rules = ASKS[constraint]
    return make_round({"A": "P"}, SEATS, {"mechanism.name": mechanism} | rules, **others)


@pytest.mark.parametrize(("mechanism", "constraint"), PAIRS, ids=lambda v: getattr(v, "value", v))
def test_a_mechanism_honours_a_constraint_or_refuses_it_by_name(
    mechanism: str, constraint: Constraint
) -> None:
    made = asking(mechanism, constraint)
    m, policy = market(made), Policy.from_tables(made)
    refused = m.asks(policy) - load(mechanism).HONOURS
    if not refused:
        assert isinstance(solve(m, policy), Result)
        return
    with pytest.raises(UnsupportedConstraint) as caught:
        solve(m, policy)
    error = caught.value
    assert error.constraints == refused
    assert error.mechanism == mechanism
    assert {i.code for i in error.issues} == {f"refused_{c.value}" for c in refused}
    assert all(i.limit == mechanism and i.column for i in error.issues)
    for constraint_refused in refused:
        assert constraint_refused.value in str(error)


DECREED = {Constraint.CONFIRMED, Constraint.MUST_OPEN, Constraint.MUST_FILL}
"""What sets an outcome of deferred acceptance aside."""


@pytest.mark.parametrize(
    ("mechanism", "refused"),
    [
        ("stable", {Constraint.CROSSING_CAP, *DECREED}),
        ("parallel", {Constraint.CROSSING_CAP, Constraint.PROGRAM_SCORE, *DECREED}),
        (
            "max_placement",
            set(Constraint)
            - {
                Constraint.CAPACITY,
                Constraint.MIN_SIZE,
                Constraint.ADJUSTMENT,
                Constraint.PROGRAM_SCORE,
            },
        ),
    ],
)
def test_what_cannot_be_honoured_is_exactly(mechanism: str, refused: set[Constraint]) -> None:
    assert set(Constraint) - load(mechanism).HONOURS == refused


@pytest.mark.parametrize("constraint", ASKS, ids=lambda c: c.value)
def test_what_is_refused_is_told_with_its_place(
    constraint: Constraint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a mechanism that honours nothing else either."""
    made = asking("stable", constraint)
    others = market(made).asks(Policy.from_tables(made)) - {constraint}
    monkeypatch.setattr(load("stable"), "HONOURS", others)
    with pytest.raises(UnsupportedConstraint) as caught:
        outcome(made)
    (issue,) = caught.value.issues
    assert issue.code == f"refused_{constraint.value}"
    if issue.table == "policy":
        section, _, key = issue.column.partition(".")
        assert section == "mechanism" and hasattr(Policy(), key)
    else:
        assert issue.column in {column.name for column in SCHEMA[issue.table].columns}
    assert all(of_issue(issue, lang) for lang in ("zh", "en"))


def test_how_many_classes_have_a_minimum_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load("stable"), "HONOURS", frozenset({Constraint.CAPACITY}))
    rows = {p: {"order_class": "C"} for p in "PQ"}
    with pytest.raises(UnsupportedConstraint) as caught:
        outcome(make_round({"A": "P"}, SEATS, programs=rows, order_classes={"C": 2, "D": 0}))
    assert [(i.table, i.column, i.value) for i in caught.value.issues] == [
        ("order_classes", "min_size", "1")
    ]


def test_every_crossing_is_told() -> None:
    caps = {
        name: {"seats": 1, "programs": p} for name, p in (("K", "P;Q"), ("L", "Q;R"), ("M", "R;P"))
    }
    with pytest.raises(UnsupportedConstraint) as caught:
        outcome(make_round({"A": "P"}, SEATS, caps=caps))
    assert [i.value for i in caught.value.issues] == ["K × L", "K × M", "L × M"]


def test_several_constraints_refused_are_named_in_order() -> None:
    caps = {"K": {"seats": 1, "programs": "P;Q"}, "L": {"seats": 1, "programs": "Q;R"}}
    decisions = [{"applicant": "A", "program": "P", "decision": "confirmed"}]
    with pytest.raises(
        UnsupportedConstraint, match="stable cannot honour: confirmed, crossing_cap"
    ):
        outcome(make_round({"A": "P"}, SEATS, caps=caps, decisions=decisions))


def test_a_mechanism_that_is_not_there() -> None:
    made = make_round({"A": "P"}, {"P": 1})
    policy = replace(Policy.from_tables(made), mechanism="serial")
    with pytest.raises(UnsupportedConstraint, match="serial cannot honour: everything") as caught:
        solve(market(made), policy)
    (issue,) = caught.value.issues
    assert (issue.code, issue.value) == ("mechanism_not_available", "serial")


def test_sequential_choices_are_no_mechanism() -> None:
    with pytest.raises(InvalidRound) as caught:
        Policy.from_toml(b'[mechanism]\nname = "sequential"\n')
    assert [i.code for i in caught.value.issues] == ["policy_value"]
