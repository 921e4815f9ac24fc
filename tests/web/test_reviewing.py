"""Reviews, groups, scores and interviews: who may conclude, and who has to confirm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher import Policy
from tests.web import offices as o
from web import policies, posting, reviewing, scoring, stages
from web.audit import Actor
from web.models import Decision, Interview, Review, Score


@pytest.fixture
def w(app: Flask, as_user: Callable[..., FlaskClient]) -> o.World:
    return o.world(app, as_user, "REVIEW")


def judge(
    s: Session, number: str, conclusion: str, code: str = "", reason: str = "", actor: Actor = o.U1,
    version: int = 0,
) -> Review:  # fmt: skip
    one = o.person(s, number)
    return reviewing.review(s, one, conclusion, code, reason, "U1", actor, version or one.version)


def new(s: Session, *numbers: str) -> None:
    """These people wait for their review."""
    for number in numbers:
        o.person(s, number).state, o.person(s, number).review = "submitted", ""
    s.flush()


# --- who lists what ---------------------------------------------------------------------------


def test_who_lists_what_is_read_from_the_last_list(w: o.World) -> None:
    with w.writing() as s:
        round_ = o.the_round(s)
        ids = [o.program(s, "NEV-X").id, o.program(s, "NEV-Y").id]
        found = reviewing.listed(s, round_.id, ids)
        names = {
            one.number: [p.code for p in found[one.id]] for one in reviewing.applicants(s, found)
        }
        assert names["A01"] == ["NEV-X", "NEV-Y"], "a class stands for its programs"
        assert names["A05"] == ["NEV-Y"]
        assert set(names) == {"A01", "A02", "A03", "A04", "A05", "A06"}
        assert reviewing.applicants(s, []) == []


# --- eligibility ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conclusion", "code", "reason", "state", "review"),
    [
        ("passed", "", "", "passed", "passed"),
        ("correct", "", "请补毕业证", "returned", ""),
        ("failed", "documents", "毕业证看不清", "failed", "documents"),
    ],
)
def test_a_review_concludes(
    w: o.World, conclusion: str, code: str, reason: str, state: str, review: str
) -> None:
    with w.writing() as s:
        new(s, "A01")
        held = judge(s, "A01", conclusion, code, reason)
        one = o.person(s, "A01")
        assert (one.state, one.review, one.version) == (state, review, 2)
        assert not reviewing.pending(held)


@pytest.mark.parametrize(
    ("conclusion", "code", "reason", "name"),
    [("failed", "", "x", "code"), ("failed", "passed", "x", "code"), ("failed", "other", "", "reason"),
     ("correct", "", "", "reason")],
)  # fmt: skip
def test_a_conclusion_without_what_it_needs_is_refused(
    w: o.World, conclusion: str, code: str, reason: str, name: str
) -> None:
    with w.writing() as s:
        new(s, "A01")
        with pytest.raises(posting.Refused) as caught:
            judge(s, "A01", conclusion, code, reason)
        assert name in caught.value.problems
        assert o.person(s, "A01").state == "submitted"


def test_a_changed_conclusion_waits_for_a_second_person(w: o.World) -> None:
    with w.writing() as s:
        o.people_of(s, "u1", "u1b")
        one = o.person(s, "A01")
        with pytest.raises(posting.Refused):
            judge(s, "A01", "failed", "expired")
        held = judge(s, "A01", "failed", "expired", "证件已过期")
        assert reviewing.pending(held)
        assert (one.state, one.review) == ("submitted", ""), "the gate of the round stays shut"
        for actor in (o.U1, o.C1):
            with pytest.raises(reviewing.SecondPerson):
                reviewing.confirm_review(s, one, one.version, actor)
        with pytest.raises(posting.Stale):
            reviewing.confirm_review(s, one, 1, o.U1B)
        reviewing.confirm_review(s, one, one.version, o.U1B)
        assert (one.state, one.review) == ("failed", "expired")
        with pytest.raises(posting.Refused):
            reviewing.confirm_review(s, one, one.version, o.U1B)
    assert w.actions()[-2:] == ["review.correct", "review.confirm"]


def test_a_coordinator_stands_in_where_the_office_has_one_person(w: o.World) -> None:
    with w.writing() as s:
        o.people_of(s, "u1")
        judge(s, "A01", "failed", "expired", "证件已过期")
        one = o.person(s, "A01")
        reviewing.confirm_review(s, one, one.version, o.C1)
        assert one.state == "failed"


def test_a_withdrawn_application_and_an_old_page_are_not_reviewed(w: o.World) -> None:
    with w.writing() as s:
        new(s, "A02")
        judge(s, "A02", "correct", reason="补材料")
        with pytest.raises(posting.Stale) as caught:
            judge(s, "A02", "passed", version=1)
        assert caught.value.stored["conclusion"] == "correct"
        o.person(s, "A01").state = "withdrawn"
        s.flush()
        with pytest.raises(posting.Refused):
            judge(s, "A01", "passed")


@pytest.mark.parametrize(("state", "word"), [("OPEN", "截止后"), ("FROZEN", "复核")])
def test_nothing_is_reviewed_before_the_deadline_or_after_the_lock(
    app: Flask, as_user: Callable[..., FlaskClient], state: str, word: str
) -> None:
    w = o.world(app, as_user, state)
    with w.writing() as s:
        o.claim(s, "A01", "G05")
        round_, one = o.the_round(s), o.person(s, "A01")
        target = scoring.Target("W")
        attempts: list[Callable[[], object]] = [
            lambda: judge(s, "A01", "passed"),
            lambda: reviewing.decide_group(
                s, one, "G05", "verified", "", "370102", o.D1, "claimed"
            ),
            lambda: scoring.save_scores(s, round_, target, [], "U1", "", o.U1),
            lambda: scoring.confirm(s, round_, target, "U1", "", o.U1),
        ]
        for attempt in attempts:
            with pytest.raises(stages.NotNow, match=word):
                attempt()


# --- groups -----------------------------------------------------------------------------------


def test_a_group_is_verified_and_changed_by_another_person_with_a_reason(w: o.World) -> None:
    with w.writing() as s:
        held, one = o.claim(s, "A01", "G05"), o.person(s, "A01")

        def decide(state: str, reason: str, actor: Actor, seen: str) -> None:
            reviewing.decide_group(s, one, "G05", state, reason, "370102", actor, seen)

        with pytest.raises(posting.Refused):
            decide("refused", "", o.D1, "claimed")
        decide("verified", "", o.D1, "claimed")
        assert (held.state, held.decided_by) == ("verified", o.D1.name)
        decide("verified", "", o.D1, "verified")
        with pytest.raises(posting.Stale):
            decide("refused", "查无登记", o.D2, "claimed")
        with pytest.raises(posting.Refused):
            decide("refused", "", o.D2, "verified")
        with pytest.raises(reviewing.SecondPerson):
            decide("refused", "查无登记", o.D1, "verified")
        decide("refused", "查无登记", o.D2, "verified")
        assert (held.state, held.reason) == ("refused", "查无登记")
        with pytest.raises(posting.Refused):
            reviewing.decide_group(s, one, "G07", "verified", "", "370102", o.D1, "claimed")


# --- scores -----------------------------------------------------------------------------------


def enter(
    s: Session, number: str, version: int = 0, reason: str = "", actor: Actor = o.U1,
    office: str = "U1", basis: str = "", **parts: str,
) -> int:  # fmt: skip
    entry = scoring.Entry(o.person(s, number), parts, basis, "", version)
    return scoring.save_scores(
        s, o.the_round(s), scoring.Target("W"), [entry], office, reason, actor
    )


def score(s: Session, number: str) -> Score:
    return scoring.scores(s, scoring.Target("W"), [o.person(s, number).id])[o.person(s, number).id]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("85", "85"), ("85.50", "85.5"), ("８５．５", "85.5"), ("0", "0"), ("100", "100"), ("缺考", "absent"),
     (" 免考 ", "exempt"), ("absent", "absent"), ("", "")],
)  # fmt: skip
def test_components_are_read(app: Flask, typed: str, stored: str) -> None:
    policy = Policy.from_toml(b"[score]\nmin = 0\nmax = 100\n")
    with app.test_request_context():
        assert scoring.component(typed, policy) == stored


@pytest.mark.parametrize(
    "typed", ["101", "-1", "85.555", "八十", "=1+1", "1e2", "85分", "٨٥", "nan"]
)
def test_components_that_are_none_are_refused(app: Flask, typed: str) -> None:
    policy = Policy.from_toml(b"[score]\nmin = 0\nmax = 100\n")
    with app.test_request_context(), pytest.raises(ValueError, match=r"."):
        scoring.component(typed, policy)


def test_scores_are_entered_by_one_and_confirmed_by_another(w: o.World) -> None:
    with w.writing() as s:
        o.people_of(s, "u1", "u1b")
        round_, target = o.the_round(s), scoring.Target("W")
        assert enter(s, "A01", culture="80", skill="缺考") == 1
        assert enter(s, "A01", culture="80", skill="缺考") == 0, "the same again changes nothing"
        enter(s, "A02", culture="70.5", skill="免考", basis="市赛一等奖")
        enter(s, "A03", culture="90", skill="60", actor=o.U1B)
        held = scoring.batch(s, round_, target, "U1")
        assert len(held) == 3
        assert held.summary["culture"] == {
            "count": 3, "least": 70.5, "mean": held.summary["culture"]["mean"], "greatest": 90,
            "absent": 0, "exempt": 0,
        }  # fmt: skip
        assert str(held.summary["culture"]["mean"]) == "80.17"
        assert held.summary["skill"]["absent"] == held.summary["skill"]["exempt"] == 1
        with pytest.raises(posting.Stale):
            scoring.confirm(s, round_, target, "U1", "other", o.U1B)
        assert scoring.confirm(s, round_, target, "U1", held.digest, o.U1B) == (2, 1)
        assert score(s, "A01").confirmed_by == o.U1B.name
        held = scoring.batch(s, round_, target, "U1")
        with pytest.raises(reviewing.SecondPerson):
            scoring.confirm(s, round_, target, "U1", held.digest, o.U1B)
        with pytest.raises(reviewing.SecondPerson):
            scoring.confirm(s, round_, target, "U1", held.digest, o.C1)
        assert scoring.confirm(s, round_, target, "U1", held.digest, o.U1) == (1, 0)
        assert scoring.waiting(s, round_) == []


def test_what_was_shown_is_what_is_confirmed(w: o.World) -> None:
    with w.writing() as s:
        round_, target = o.the_round(s), scoring.Target("W")
        enter(s, "A01", culture="80")
        seen = scoring.batch(s, round_, target, "U1").digest
        enter(s, "A01", version=1, culture="81")
        with pytest.raises(posting.Stale):
            scoring.confirm(s, round_, target, "U1", seen, o.U1B)


def test_a_confirmed_score_changes_with_a_reason_and_waits_again(w: o.World) -> None:
    with w.writing() as s:
        round_, target = o.the_round(s), scoring.Target("W")
        enter(s, "A01", culture="80")
        digest = scoring.batch(s, round_, target, "U1").digest
        scoring.confirm(s, round_, target, "U1", digest, o.U1B)
        with pytest.raises(posting.Refused) as caught:
            enter(s, "A01", version=1, culture="90")
        assert "reason" in caught.value.problems
        enter(s, "A01", version=1, culture="90", reason="登分有误")
        held = score(s, "A01")
        assert (held.culture, held.confirmed_at, held.entered_by) == ("90", None, o.U1.name)
    assert w.actions()[-1] == "score.correct"


def test_lines_that_are_wrong_are_told_by_number_and_nothing_is_stored(w: o.World) -> None:
    with w.writing() as s:
        enter(s, "A01", culture="80")
        enter(s, "A04", culture="80", office="U2", actor=o.U2)

        def entry(number: str, culture: str, basis: str = "", version: int = 0) -> scoring.Entry:
            return scoring.Entry(o.person(s, number), {"culture": culture}, basis, "", version)

        lines = [entry("A01", "82"), entry("A02", "200"), entry("A03", "免考"),
                 entry("A04", "81", version=1), entry("A05", "70")]  # fmt: skip
        with pytest.raises(posting.Refused) as caught:
            scoring.save_scores(s, o.the_round(s), scoring.Target("W"), lines, "U1", "", o.U1)
        said = {name: text[0] for name, text in caught.value.problems.items()}
        assert set(said) == {"A01", "A02", "A03", "A04"}
        assert "80" in said["A01"] and "U2" in said["A04"] and "依据" in said["A03"]
        assert caught.value.seen == {"A01": {"version": "1"}}
        ids = [one.applicant.id for one in lines]
        assert len(scoring.scores(s, scoring.Target("W"), ids)) == 2


def test_imported_scores_are_confirmed_by_another_coordinator(w: o.World) -> None:
    with w.writing() as s:
        round_, target = o.the_round(s), scoring.Target("W")
        enter(s, "A01", culture="80", office="", actor=o.C1)
        (row,) = scoring.waiting(s, round_)
        assert (row[0], row[1].name) == ("", "W")
        assert scoring.waiting(s, round_, "U1") == []
        with pytest.raises(reviewing.SecondPerson):
            scoring.confirm(s, round_, target, "", row[2].digest, o.C1)
        assert scoring.confirm(s, round_, target, "", row[2].digest, o.C2) == (1, 0)


def test_targets_are_the_channels_and_interviews_of_an_office(w: o.World) -> None:
    with w.writing() as s:
        round_ = o.the_round(s)
        college = o.program(s, "NEV-X").order_class.college_id
        mine = [t.name for t in scoring.targets(s, round_, college_id=college)]
        assert mine == ["S", "W", "CARE", "NEV-X", "NEV-Y"]
        policy = policies.current(s, round_)
        assert scoring.Target("W").components(policy) == ["culture", "skill"]
        assert scoring.Target("W", o.program(s, "NEV-X")).components(policy) == ["interview"]
        assert scoring.target_of(s, round_, "none") is None
        assert scoring.target_of(s, round_, "S") == scoring.Target("S")
        round_.policy = None
        assert scoring.targets(s, round_, college_id=college) == []


# --- interviews -------------------------------------------------------------------------------


def interview(
    s: Session, number: str, typed: str = "", version: int = 0, reason: str = "",
    actor: Actor = o.X, fit: str = "", **other: Any,
) -> int:  # fmt: skip
    entry = scoring.Entry(o.person(s, number), {"interview": typed}, "", fit, version)
    outcome = scoring.Outcome(entry, **other)
    return scoring.save_interviews(
        s, o.the_round(s), o.program(s, "NEV-X"), [outcome], "X", reason, actor
    )


def test_an_interview_gives_a_slot_a_score_or_a_rejection(w: o.World) -> None:
    with w.writing() as s:
        o.people_of(s, "x", "xb")
        program, round_ = o.program(s, "NEV-X"), o.the_round(s)
        assert interview(s, "A01", "88", fit="75", slot="7月3日 9:00") == 2
        assert interview(s, "A02", slot="7月3日 9:20", rejected="无法到岗") == 2
        assert scoring.interviews(s, program)[o.person(s, "A01").id] == "7月3日 9:00"
        held = scoring.batch(s, round_, scoring.Target("W", program), "X")
        assert [x.fit for x in held.scores] == ["75"] and len(held.decisions) == 1
        assert [row[0] for row in scoring.waiting(s, round_)] == ["X"]
        done = scoring.confirm(s, round_, scoring.Target("W", program), "X", held.digest, o.XB)
        assert done == (2, 0)
        decision = s.scalars(select(Decision).where(Decision.program_id == program.id)).one()
        assert decision.confirmed_by == o.XB.name and decision.basis == "无法到岗"


@pytest.mark.parametrize("fit", ["101", "7.5", "x", "-1"])
def test_fit_is_a_whole_number(w: o.World, fit: str) -> None:
    with w.writing() as s, pytest.raises(posting.Refused):
        interview(s, "A01", "88", fit=fit)


def test_a_rejection_is_taken_back_by_two_with_a_reason(w: o.World) -> None:
    with w.writing() as s:
        program, round_ = o.program(s, "NEV-X"), o.the_round(s)
        target = scoring.Target("W", program)
        interview(s, "A02", rejected="无法到岗")
        digest = scoring.batch(s, round_, target, "X").digest
        scoring.confirm(s, round_, target, "X", digest, o.XB)
        with pytest.raises(posting.Refused):
            interview(s, "A02", rejected="", rejected_was="无法到岗")
        interview(s, "A02", rejected="", rejected_was="无法到岗", reason="认错了人")
        held = scoring.batch(s, round_, target, "X")
        assert held.decisions[0].withdrawn
        scoring.confirm(s, round_, target, "X", held.digest, o.XB)
        s.flush()
        assert scoring.rejections(s, program) == {}


def test_a_page_that_did_not_know_undoes_nothing(w: o.World) -> None:
    with w.writing() as s:
        interview(s, "A02", slot="9:00", rejected="无法到岗")
        assert interview(s, "A02", slot="", rejected="") == 0, "the old page changed nothing itself"
        assert s.scalars(select(Interview)).one().slot == "9:00"
    for typed in ({"slot": "10:00"}, {"rejected": "没有来"}):
        with w.writing() as s, pytest.raises(posting.Refused) as caught:
            interview(s, "A02", **typed)
        assert "A02" in caught.value.problems and caught.value.seen["A02"]


def test_times_are_arranged_before_the_deadline_and_results_after(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    w = o.world(app, as_user, "OPEN")
    with w.writing() as s:
        assert interview(s, "A01", slot="7月3日 9:00") == 1
        for typed in ({"typed": "88"}, {"rejected": "无法到岗"}):
            with pytest.raises(stages.NotNow):
                interview(s, "A01", **typed)
