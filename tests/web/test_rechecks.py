"""Rechecks by the services: tickets, what would follow, answers by two, successors, remedies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web.a_round import DICE, FIRST, SECOND, THIRD, small_round, standing
from tests.web.conftest import Clock
from web import (
    audit,
    calendar,
    compare,
    db,
    draw,
    jobs,
    publication,
    rechecks,
    rounds,
    snapshot,
    stages,
)
from web.audit import Actor
from web.models import (
    Applicant,
    Message,
    Placement,
    Publication,
    Recheck,
    Round,
    Run,
    Score,
)
from web.posting import Refused, Stale
from web.reviewing import SecondPerson

HERSELF = Actor("applicant:x", "applicant")
WORDS = "成绩单上是 80 分，请核对。"


@pytest.fixture
def published(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    app = standing(tmp_path, "published", clock)
    with app.app_context():
        yield app
    app.extensions["orderclass_engine"].dispose()


def approved_without(number: str) -> Round:
    """A round approved in which the review had failed somebody."""
    with db.writing() as session:
        made = small_round(session)
        left = somebody(session, number)
        left.state, left.review = "failed", "documents"
    snapshot.freeze(made.id, FIRST)
    with db.writing() as session:
        draw.enter(session, session.get_one(Round, made.id), "dice", "", DICE, "公证处", FIRST)
    with db.writing() as session:
        draw.confirm(session, session.get_one(Round, made.id), DICE, SECOND)
    assert jobs.work_once()
    with db.writing() as session:
        publication.approve(session, session.get_one(Round, made.id), FIRST)
    return made


@pytest.fixture
def upheld(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    app = standing(tmp_path, "upheld", clock)
    with app.app_context():
        yield app
    app.extensions["orderclass_engine"].dispose()


def the_round(session: Session) -> Round:
    return session.scalars(select(Round)).one()


def somebody(session: Session, number: str) -> Applicant:
    return session.scalars(select(Applicant).where(Applicant.number == number)).one()


def opened(number: str, matter: str = "score", actor: Actor = HERSELF) -> int:
    with db.writing() as session:
        return rechecks.open_(session, somebody(session, number), matter, WORDS, actor).id


def corrected(ticket: int, what: Callable[[Session, Recheck], dict[str, Any]]) -> None:
    """Type a correction and have the worker show what follows."""
    with db.writing() as session:
        held = session.get_one(Recheck, ticket)
        rechecks.correct(session, held, what(session, held), FIRST)
    assert jobs.work_once()


def scored(place: str, value: str) -> Callable[[Session, Recheck], dict[str, Any]]:
    return lambda session, ticket: rechecks.score_correction(session, ticket, place, value)


def answered(ticket: int, verdict: str = "upheld", remedy: str = "") -> None:
    with db.writing() as session:
        held = session.get_one(Recheck, ticket)
        rechecks.answer(session, held, verdict, "查卷后更正。", FIRST, remedy)


def confirmed(ticket: int, actor: Actor = SECOND) -> None:
    with db.writing() as session:
        rechecks.confirm(session, session.get_one(Recheck, ticket), actor)


def agreed(ticket: int) -> None:
    answered(ticket)
    confirmed(ticket)


def succeeded(by: Actor = SECOND) -> Publication:
    """Approve and publish what has been upheld."""
    with db.writing() as session:
        round_ = the_round(session)
        run = rechecks.successor_run(session, round_)
        assert run is not None
        publication.approve_successor(session, round_, run, by)
        at = round_.id
    return publication.succeed(at, by)


def places(made: Publication) -> dict[str, tuple[str, int | None]]:
    session = db.reading()
    return {
        p.applicant.number: (p.program.code if p.program else "", p.rank)
        for p in session.scalars(select(Placement).where(Placement.publication_id == made.id))
    }


def differing(first: Publication, second: Publication) -> dict[str, tuple[str, str]]:
    before, after = places(first), places(second)
    return {n: (before[n][0], after[n][0]) for n in before if before[n] != after[n]}


def following(ticket: int) -> dict[str, tuple[str, str]]:
    """Who would move from where to where, as the run on a ticket shows it."""
    session = db.reading()
    round_, held = the_round(session), session.get_one(Recheck, ticket)
    published = publication.publication_of(session, round_)
    assert published is not None and held.run is not None
    found = compare.moves(session, round_, published.run, held.run)
    return {move.number: (move.before, move.after) for move in found}


# --- a whole story ----------------------------------------------------------------------------


def test_a_corrected_score_moves_who_it_should_by_hand(published: Flask, clock: Clock) -> None:
    """A05 has 80, not 74: before A04 at NEV-Y, whose place under the cap of U1 was the last but one."""
    ticket = opened("A05")
    corrected(ticket, scored("W/culture", "80"))
    clock.forward(days=2)
    agreed(ticket)
    made = succeeded()
    db.forget()
    session = db.reading()
    first = session.scalars(select(Publication).order_by(Publication.id)).first()
    assert first is not None and made.parent_id == first.id
    assert differing(first, made) == {"A05": ("", "NEV-Y"), "A04": ("NEV-Y", "ROBO")}
    assert places(made)["A05"][1] == 1 and places(made)["A04"][1] == 3
    held = session.get_one(Recheck, ticket)
    assert (held.state, held.remedy, held.publication_id) == ("upheld", "successor", made.id)
    round_ = the_round(session)
    assert round_.state == "PUBLISHED"
    assert round_.notice_ends_at == calendar.end_of(clock.moment, 5)
    told = session.execute(
        select(Applicant.number, Message.code).join(Message).order_by(Message.id)
    ).all()
    assert [tuple(row) for row in told] == [
        ("A05", "recheck_received"), ("A05", "recheck_answered"),
        ("A04", "result_corrected"), ("A05", "result_corrected"),
    ]  # fmt: skip
    assert rechecks.unanswered(session, round_) == 0
    assert list(audit.broken(session)) == []


def test_upheld_tickets_are_applied_together(published: Flask, clock: Clock) -> None:
    """A09 has 86 in skill: 83.75, before A07's 83 for the open seat of WELD."""
    first, second = opened("A05"), opened("A09")
    corrected(first, scored("W/culture", "80"))
    corrected(second, scored("S/skill", "86"))
    agreed(first)
    answered_too_early = db.reading().get_one(Recheck, second)
    assert not rechecks.is_current(db.reading(), answered_too_early)
    with pytest.raises(rechecks.Outdated):
        answered(second)
    with db.writing() as session:
        rechecks.look(session, session.get_one(Recheck, second), FIRST)
    assert jobs.work_once()
    with db.writing() as session:
        round_ = the_round(session)
        run = rechecks.successor_run(session, round_)
        assert run is not None
        publication.approve_successor(session, round_, run, SECOND)
    agreed(second)
    assert rechecks.unanswered(db.reading(), round_) == 2
    with pytest.raises(rechecks.Outdated):  # another was upheld since the approval
        publication.succeed(round_.id, SECOND)
    db.forget()
    assert db.reading().query(Publication).count() == 1
    made = succeeded()
    assert publication.recover() == [] and not publication.behind()
    db.forget()
    parent = db.reading().get_one(Publication, made.parent_id)
    assert differing(parent, made) == {
        "A05": ("", "NEV-Y"), "A04": ("NEV-Y", "ROBO"), "A09": ("", "WELD"), "A07": ("WELD", ""),
    }  # fmt: skip
    held = db.reading().scalars(select(Recheck)).all()
    assert {ticket.publication_id for ticket in held} == {made.id}
    assert rechecks.successor_run(db.reading(), the_round(db.reading())) is None
    with pytest.raises(rounds.Moved):
        publication.succeed(made.round_id, SECOND)


def test_a_group_is_corrected(published: Flask) -> None:
    """A09 in G05 takes the soft seat of A11, who has 65.13; A10 keeps that of G06."""
    ticket = opened("A09", "group")
    corrected(ticket, lambda _s, t: rechecks.group_correction(t, "G05", "verified"))
    assert following(ticket) == {"A09": ("", "WELD"), "A11": ("WELD", "")}
    with db.writing() as session:
        held = session.get_one(Recheck, opened_in(session, "A11", "group"))
        for group, answer in (("G05", "verified"), ("G07", "refused"), ("G99x", "verified")):
            with pytest.raises(Refused):
                rechecks.group_correction(held, group, answer)
        assert rechecks.group_correction(held, "G05", "refused")["after"] == "refused"


def opened_in(session: Session, number: str, matter: str) -> int:
    return rechecks.open_(session, somebody(session, number), matter, WORDS, HERSELF).id


def test_a_review_is_corrected(published: Flask) -> None:
    """Without A01, A03 takes her seat at NEV-X, and A05 a place under the cap of U1."""
    ticket = opened("A03", "rule")
    with db.writing() as session:
        held = session.get_one(Recheck, ticket)
        for conclusion in ("passed", "because"):
            with pytest.raises(Refused):
                rechecks.review_correction(held, conclusion)
    ticket = opened("A01", "rule")
    corrected(ticket, lambda _s, t: rechecks.review_correction(t, "documents"))
    run = db.reading().get_one(Recheck, ticket).run
    assert run is not None and run.state == "VERIFIED"
    assert list(run.summary["named"].values()) == [["", None]]
    moved = following(ticket)
    assert moved["A01"] == ("NEV-X", "") and moved["A03"] == ("NEV-Y", "NEV-X")
    assert moved["A05"] == ("", "NEV-Y")


def test_somebody_left_out_by_the_review_comes_in_with_her_list(app: Flask, clock: Clock) -> None:
    """A06, who had failed, is adjusted to ROBO as in the worked example; nobody else moves."""
    with app.app_context():
        made = approved_without("A06")
        first = publication.publish(made.id, SECOND)
        assert "A06" not in places(first)
        ticket = opened("A06", "rule")
        corrected(ticket, lambda _s, t: rechecks.review_correction(t, "passed"))
        run = db.reading().get_one(Recheck, ticket).run
        assert run is not None and run.state == "VERIFIED", run and run.error
        agreed(ticket)
        second = succeeded()
        db.forget()
        before, after = places(first), places(second)
        assert after.pop("A06") == ("ROBO", 0) and before == after
        told = db.reading().scalars(
            select(Applicant.number).join(Message).where(Message.code == "result_corrected")
        )
        assert told.all() == ["A06"]


# --- tickets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"matter": "weather"}, "matter"),
        ({"words": " "}, "words"),
        ({"words": "字" * 1001}, "words"),
    ],
)
def test_a_ticket_says_what_it_is_about(
    published: Flask, change: dict[str, str], field: str
) -> None:
    asked = {"matter": "score", "words": WORDS, **change}
    with pytest.raises(Refused) as refused, db.writing() as session:
        rechecks.open_(session, somebody(session, "A05"), actor=HERSELF, **asked)
    assert list(refused.value.problems) == [field]


def test_one_ticket_a_matter_is_open_at_a_time(published: Flask, clock: Clock) -> None:
    ticket = opened("A05")
    with pytest.raises(Refused):
        opened("A05")
    opened("A05", "human")
    with db.writing() as session:
        rechecks.withdraw(session, session.get_one(Recheck, ticket), HERSELF)
    again = opened("A05")
    session = db.reading()
    numbers = [t.number for t in rechecks.of_applicant(session, somebody(session, "A05"))]
    assert numbers == ["F2026-1-0003", "F2026-1-0002", "F2026-1-0001"]
    assert session.get_one(Recheck, again).due_at == calendar.end_of(clock.moment, 5)
    with pytest.raises(Stale), db.writing() as writing:
        rechecks.withdraw(writing, writing.get_one(Recheck, ticket), HERSELF)


def test_the_period_is_that_of_the_notice(
    published: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = the_round(db.reading()).notice_ends_at
    assert ends is not None
    counter = Actor("college:u", "college")
    clock.moment = ends
    with pytest.raises(stages.NotNow):
        opened("A05")
    opened("A05", actor=counter)
    with (
        monkeypatch.context() as patched
    ):  # a ticket that is open for days keeps nobody from writing
        patched.setattr(db, "writing", lambda: pytest.fail("nothing is due"))
        assert jobs.record_due() == []
    with db.writing() as session:
        assert rounds.close_due(session) == []
    with pytest.raises(rounds.Blocked) as blocked, db.writing() as session:
        rounds.take(session, the_round(session), "confirm", FIRST)
    assert [(o.code, o.count) for o in blocked.value.obstacles] == [("rechecks_open", 1)]
    with db.writing() as session:
        rechecks.withdraw(session, session.scalars(select(Recheck)).one(), HERSELF)
    with db.writing() as session:
        assert rounds.close_due(session) == ["2026-1 confirm"]
    with pytest.raises(stages.NotNow):
        opened("A05", actor=counter)
    opened("A05", actor=FIRST)


def test_who_is_in_no_round_has_nothing_to_recheck(published: Flask) -> None:
    with db.writing() as session:
        somebody(session, "A05").state = "withdrawn"
    with pytest.raises(Refused):
        opened("A05")
    with db.writing() as session:
        rounds.suspend(session, the_round(session), FIRST, SECOND, "核查")
    with pytest.raises(stages.NotNow):
        opened("A01")


# --- two people -------------------------------------------------------------------------------


def test_an_answer_needs_a_second_coordinator(published: Flask) -> None:
    ticket = opened("A05", "human")
    with pytest.raises(Stale):
        confirmed(ticket)
    answered(ticket, "refused")
    with pytest.raises(SecondPerson):
        confirmed(ticket, FIRST)
    with pytest.raises(SecondPerson):
        confirmed(ticket, Actor("college:u", "college"))
    with pytest.raises(Stale), db.writing() as session:
        rechecks.confirm(session, session.get_one(Recheck, ticket), SECOND, seen=1)
    with pytest.raises(Stale):
        answered(ticket)
    confirmed(ticket)
    with pytest.raises(Stale):
        confirmed(ticket, THIRD)
    session = db.reading()
    held = session.get_one(Recheck, ticket)
    assert (held.state, held.remedy, held.run_id) == ("refused", "none", None)
    assert rechecks.unanswered(session, the_round(session)) == 0
    codes = session.scalars(select(Message.code).order_by(Message.id)).all()
    assert codes == ["recheck_received", "recheck_answered"]


def test_whoever_typed_the_correction_does_not_confirm(published: Flask) -> None:
    ticket = opened("A05")
    corrected(ticket, scored("W/culture", "80"))
    with db.writing() as session:
        rechecks.answer(session, session.get_one(Recheck, ticket), "upheld", "查卷。", THIRD)
    with pytest.raises(SecondPerson):
        confirmed(ticket, FIRST)
    confirmed(ticket, SECOND)
    with db.writing() as session:
        round_ = the_round(session)
        run = rechecks.successor_run(session, round_)
        assert run is not None
        with pytest.raises(rounds.Blocked):  # who asked for the run does not approve it
            publication.approve_successor(session, round_, run, FIRST)
        approval = publication.approve_successor(session, round_, run, SECOND)
        assert publication.approve_successor(session, round_, run, SECOND) is approval


def test_the_second_person_may_send_it_back(published: Flask) -> None:
    ticket = opened("A05", "other")
    answered(ticket, "upheld")
    with pytest.raises(Refused), db.writing() as session:
        rechecks.send_back(session, session.get_one(Recheck, ticket), SECOND, " ")
    with db.writing() as session:
        rechecks.send_back(session, session.get_one(Recheck, ticket), SECOND, "请写明依据")
    assert db.reading().get_one(Recheck, ticket).state == "open"
    answered(ticket, "upheld")
    confirmed(ticket)
    session = db.reading()
    assert session.get_one(Recheck, ticket).remedy == "none"
    assert rechecks.unanswered(session, the_round(session)) == 0


@pytest.mark.parametrize(
    ("verdict", "words", "field"),
    [("maybe", "x", "verdict"), ("refused", " ", "words"), ("refused", "字" * 1001, "words")],
)
def test_an_answer_says_what_and_why(
    published: Flask, verdict: str, words: str, field: str
) -> None:
    ticket = opened("A05")
    with pytest.raises(Refused) as refused, db.writing() as session:
        rechecks.answer(session, session.get_one(Recheck, ticket), verdict, words, FIRST)
    assert list(refused.value.problems) == [field]


# --- corrections ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "value", "field"),
    [("W/skill", "80", "place"), ("X/culture", "80", "place"), ("W", "80", "place"),
     ("W/culture", "八十", "value"), ("W/culture", "101", "value"), ("W/culture", "74", "value"),
     ("W/culture", "", "value")],
)  # fmt: skip
def test_a_correction_of_a_score_is_one(
    published: Flask, place: str, value: str, field: str
) -> None:
    ticket = opened("A05")
    with pytest.raises(Refused) as refused, db.writing() as session:
        rechecks.score_correction(session, session.get_one(Recheck, ticket), place, value)
    assert list(refused.value.problems) == [field]


def test_a_college_corrects_what_it_entered(published: Flask) -> None:
    ticket = opened("A05")
    with db.writing() as session:
        held = session.get_one(Recheck, ticket)
        with pytest.raises(Refused):
            rechecks.score_correction(session, held, "W/culture", "80", "U1")
        for score in session.query(Score).filter_by(applicant_id=held.applicant_id, channel="W"):
            score.office = "U1"
        session.flush()
        made = rechecks.score_correction(session, held, "W/culture", "80", "U1")
        assert (made["before"], made["after"]) == ("74", "80")


def test_a_correction_is_taken_back(published: Flask) -> None:
    ticket = opened("A05")
    corrected(ticket, scored("W/culture", "80"))
    with db.writing() as session:
        rechecks.correct(session, session.get_one(Recheck, ticket), {}, FIRST)
    held = db.reading().get_one(Recheck, ticket)
    assert (held.correction, held.run_id) == ({}, None)


def test_a_run_of_everything_upheld_can_be_asked_for(upheld: Flask) -> None:
    with db.writing() as session:
        round_ = the_round(session)
        rechecks.successor_run(session, round_).state = "FAILED"  # type: ignore[union-attr]
        session.flush()
        assert rechecks.successor_run(session, round_) is None
        run = rechecks.run_all(session, round_, FIRST)
        for broken, code in ((run, "no_verified_run"), (published_run(session), "no_verified_run")):
            with pytest.raises(rounds.Blocked) as blocked:
                publication.approve_successor(session, round_, broken, SECOND)
            assert blocked.value.obstacles[0].code == code
    with pytest.raises(rounds.Moved):
        publication.succeed(round_.id, SECOND)
    db.forget()
    assert jobs.work_once()
    with db.writing() as session:
        held = rechecks.successor_run(session, the_round(session))
        assert held is not None
        whole = held.summary
        held.summary = {**whole, "publishable": False}
        with pytest.raises(rounds.Blocked) as blocked:
            publication.approve_successor(session, held.round, held, SECOND)
        assert blocked.value.obstacles[0].code == "not_publishable"
        held.summary = whole
    made = succeeded()
    assert made.parent_id


def published_run(session: Session) -> Run:
    return session.scalars(select(Publication)).one().run


def test_an_answer_of_before_is_not_confirmed_once_confirming_has_begun(
    published: Flask, clock: Clock
) -> None:
    ticket = opened("A05")
    corrected(ticket, scored("W/culture", "80"))
    answered(ticket)
    with db.writing() as session:
        the_round(session).state = "CONFIRMING"
    with pytest.raises(rechecks.Outdated):
        confirmed(ticket)
