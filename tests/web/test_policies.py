"""The rules of a round as data: every parameter has a reader, versions, changes, and refusals."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from matcher import InvalidRound, Policy
from tests.web.a_round import FIRST, small_round
from web import db, planning, policies
from web.models import AuditEvent, Round
from web.policies import BY_KEY, PARAMETERS, Parameter


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with app.app_context(), db.writing() as opened:
        yield opened


@pytest.fixture
def round_(session: Session) -> Round:
    return small_round(session, state="DRAFT")


def other(parameter: Parameter, value: Any) -> Any:
    """A value of a parameter that is lawful and not the one it has."""
    if parameter.kind in ("code", "order"):
        codes = [c for c in parameter.codes if c != value]
        return codes[0] if parameter.kind == "code" else codes[:1]
    if parameter.kind in ("int", "decimal"):
        return value - 1 if value else 1
    fixed = {"texts": ["IND07"], "date": "2026-01-02", "percent": 0.42, "rows": []}
    if parameter.kind == "rows" and not value:
        return [{"channel": "Z", "culture": Decimal(1)}]
    if parameter.kind == "flag":
        return not value
    return fixed.get(parameter.kind, f"{value}x")


EDITABLE = [p for p in PARAMETERS if p.editable]


def test_starting_rules_are_the_demo_rules_in_the_round_s_own_year(session: Session) -> None:
    made = planning.create(session, "2031-1", "甲", 2031, "autumn", FIRST)
    found = policies.current(session, made)
    assert (found.round, found.reference_date, found.membership_date, found.seed, found.demo) == (
        "2031-1", "2031-09-01", "2031-06-01", "", False,
    )  # fmt: skip
    demo = Policy.from_toml((Path("data/demo/policy.toml")).read_bytes())
    assert found.age_rules == demo.age_rules and found.channels == demo.channels
    assert policies.workflow(session, made)["days.publicity"] == 5
    assert policies.workflow(session, made)["pref.max"] == 6


def test_every_field_of_the_policy_is_a_parameter_but_those_of_the_round_itself() -> None:
    known = {p.key for p in PARAMETERS if p.consumer == "policy"}
    assert set(policies.document(Policy())) - known == {
        "policy.round", "policy.demo", "lottery.seed", "mechanism.rank_costs", "score.accept_ranks",
    }  # fmt: skip


def test_nothing_of_ours_looks_like_regulation() -> None:
    assert all(p.ours for p in PARAMETERS if "D" in p.source.replace("；", "/").split("/"))
    assert not BY_KEY["work.min_hire_age"].ours
    assert BY_KEY["age_rule"].ours and BY_KEY["days.publicity"].ours


def test_a_change_of_each_parameter_reaches_its_consumer(session: Session) -> None:
    round_ = planning.create(session, "2026-9", "甲", 2026, "autumn", FIRST)
    for parameter in EDITABLE:
        before = policies.values(session, round_)
        value = other(parameter, before[parameter.key])
        toml, flow = parts(session, round_, **{parameter.key: value})
        policies.change(session, round_, toml, flow, "试", FIRST)
        assert before[parameter.key] != value, parameter.key
        assert policies.values(session, round_)[parameter.key] == value, parameter.key
        if parameter.consumer == "policy":
            held = policies.document(policies.current(session, round_))
        else:
            held = policies.workflow(session, round_)
        assert held[parameter.key] == value, parameter.key


def parts(session: Session, round_: Round, **changed: Any) -> tuple[str, dict[str, Any]]:
    base = policies.document(policies.current(session, round_))
    flow = policies.workflow(session, round_)
    mine = {k: v for k, v in changed.items() if BY_KEY[k].consumer == "policy"}
    theirs = {k: v for k, v in changed.items() if BY_KEY[k].consumer == "workflow"}
    keys = {p.key for p in PARAMETERS if p.consumer == "workflow"}
    return policies.written(base | mine), {k: flow[k] for k in keys} | theirs


def test_a_change_is_a_version_with_who_and_why(session: Session, round_: Round) -> None:
    toml, flow = parts(session, round_, **{"preferences.max": 4, "days.confirm": 2})
    made = policies.change(session, round_, toml, flow, " 依据新方案 ", FIRST)
    assert (made.number, made.author, made.reason) == (2, FIRST.name, "依据新方案")
    assert [v.number for v in policies.versions(session, round_)] == [2, 1]
    changes = policies.differences(*reversed(policies.versions(session, round_)))
    assert {d.parameter.key: d.after for d in changes} == {"preferences.max": 4, "days.confirm": 2}
    assert session.query(AuditEvent).filter_by(action="policy.change").count() == 1


def test_a_newer_version_a_missing_reason_and_a_lock_are_refused(
    session: Session, round_: Round
) -> None:
    toml, flow = parts(session, round_)
    with pytest.raises(policies.NoReason):
        policies.change(session, round_, toml, flow, "  ", FIRST)
    policies.change(session, round_, toml, flow, "一", FIRST, 1)
    with pytest.raises(policies.Stale):
        policies.change(session, round_, toml, flow, "二", FIRST, 1)
    for state in ("FROZEN", "DRAWN", "PUBLISHED", "VOID"):
        round_.state = state
        session.flush()
        with pytest.raises(policies.Committed):
            policies.change(session, round_, toml, flow, "三", FIRST)


def test_every_problem_is_told_at_its_key(session: Session, round_: Round) -> None:
    toml, flow = parts(session, round_, **{"preferences.max": "六", "score.min": 200})
    flow |= {"days.hour": 25, "reserve.G05": 1.5, "days.publicity": -1, "nobody.reads": 1}
    with pytest.raises(InvalidRound) as refused:
        policies.change(session, round_, toml, flow, "试", FIRST)
    assert {i.column for i in refused.value.issues} == {
        "preferences.max", "score.max", "days.hour", "reserve.G05", "days.publicity", "nobody.reads",
    }  # fmt: skip
    assert all(policies.problem(i) for i in refused.value.issues)


def test_a_round_that_is_no_demo_has_no_seed(session: Session, round_: Round) -> None:
    toml, flow = parts(session, round_)
    toml = toml + '\n[lottery]\nseed = "20251105"\n'
    policies.change(session, round_, toml, flow, "试", FIRST)
    assert policies.current(session, round_).seed == "20251105"
    round_.demo = False
    session.flush()
    policies.change(session, round_, toml, flow, "试", FIRST)
    assert policies.current(session, round_).seed == ""


def test_rules_survive_being_written(session: Session, round_: Round) -> None:
    held = Policy.from_toml(policies.START.read_bytes())
    flat = policies.document(held)
    flat["policy.title"] = 'a "quoted" \\ text\nwith\ttabs and \x7f'
    again = Policy.from_toml(policies.written(flat).encode())
    assert again.title == flat["policy.title"]
    assert policies.document(again) == flat


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", " 12 ", 12), ("int", "十二", "十二"), ("decimal", "59.5", Decimal("59.5")),
        ("decimal", "1e5", "1e5"), ("percent", "12.5", 0.125), ("percent", "12%", "12%"),
        ("flag", "1", True), ("flag", "0", False), ("texts", "a；b; ,c", ["a", "b", "c"]),
        ("date", "2026-01-01", "2026-01-01"),
    ],
)  # fmt: skip
def test_what_is_typed_stands_for_a_value(kind: str, text: str, value: Any) -> None:
    parameter = Parameter("k", "", kind, "D", "policy", "s")
    assert policies.typed(parameter, text) == value
    if not isinstance(value, str):
        assert policies.typed(parameter, policies.as_typed(parameter, value)) == value


def test_values_are_shown_in_words(app: Flask) -> None:
    with app.test_request_context():
        shown = policies.shown
        assert shown(BY_KEY["reserve.G05"], 0.1) == "10%"
        assert shown(BY_KEY["reserve.G09"], 0) == "0%"
        assert shown(BY_KEY["age.case_by_case"], True) == "是"
        assert shown(BY_KEY["mechanism.name"], "parallel") == "平行志愿"
        assert shown(BY_KEY["mechanism.objective"], ["placed", "fit"]) == "录取人数 › 契合度"
        assert shown(BY_KEY["age_rule"], [{"min": 1}]) == "1 条"
        assert shown(BY_KEY["age_rule"], {"min": 1}) == "min 1"
        assert shown(BY_KEY["score.max"], None) == "未设置"
        assert policies.as_typed(BY_KEY["score.max"], None) == ""


def test_a_changed_age_rule_is_one_difference(session: Session, round_: Round) -> None:
    rows = [{"group": "G05", "study_form": "FT", "min": 16, "max": 22}, {"min": 15, "max": 60}]
    toml, flow = parts(session, round_, age_rule=rows, **{"age.reference_date": "2026-09-01"})
    policies.change(session, round_, toml, flow, "一", FIRST)
    rows[0]["max"] = 25
    toml, flow = parts(session, round_, age_rule=rows)
    policies.change(session, round_, toml, flow, "二", FIRST)
    last, earlier = policies.versions(session, round_)[:2]
    (found,) = policies.differences(earlier, last)
    assert found.about == "G05 · FT · *" and found.after["max"] == 25


def test_the_public_list_never_stays_longer_than_a_month() -> None:
    assert policies.flow_issues({"privacy.public_retention_days": 30}) == []
    (issue,) = policies.flow_issues({"privacy.public_retention_days": 31})
    assert str(policies.problem(issue)) and BY_KEY[issue.column].key == issue.column
