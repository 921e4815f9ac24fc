"""Answers to offers: until the last millisecond, by whom they may be given, and what silence means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.web import postgres
from tests.web.a_round import CONFIRMING, FIRST, SECOND, standing
from tests.web.conftest import CHOSEN, DATABASES, Clock
from tests.web.staged import Stage
from tests.web.test_races import RACES, at_once
from web import (
    answers,
    application,
    audit,
    calendar,
    calls,
    db,
    figures,
    jobs,
    offers,
    rounds,
    slips,
    today,
)
from web.audit import Actor
from web.models import Applicant, AuditEvent, Message, Offer, Program, Recheck, Round

HERSELF = Actor("applicant:x", "applicant")
COUNTER = Actor("college:u1", "college")


@pytest.fixture
def clock() -> Clock:
    made = Clock()
    made.moment = CONFIRMING
    return made


@pytest.fixture(scope="module")
def stage(
    cluster: postgres.Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Stage]:
    """A round in its confirming days on PostgreSQL, made once for this file."""
    return cache(lambda: Stage.make(cluster, tmp_path_factory.mktemp("answers"), "confirming"))


@pytest.fixture(params=DATABASES)
def app(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    if CHOSEN and request.param != CHOSEN:
        pytest.skip(f"only {CHOSEN} was asked for")
    if request.param == "sqlite":
        made = standing(tmp_path, "confirming", clock)
        with made.app_context():
            yield made
        made.extensions["orderclass_engine"].dispose()
        return
    with request.getfixturevalue("stage")().copy() as (made, _, _):
        made.config["CLOCK"] = clock
        with made.app_context():
            yield made


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with db.writing() as opened:
        yield opened


def an_offer(session: Session, at: int = 0) -> Offer:
    return session.scalars(select(Offer).order_by(Offer.id)).all()[at]


def the_round(session: Session) -> Round:
    return session.scalars(select(Round)).one()


def born(offer: Offer, years: int) -> None:
    today = calendar.local(CONFIRMING).date()
    offer.applicant.person.birth_date = date(today.year - years, 1, 1)


def better(session: Session, offer: Offer) -> Offer:
    """Another offer, from the waiting list, to whom has this one."""
    program = next(
        p for p in session.scalars(select(Program).order_by(Program.id))
        if p.id != offer.program_id
    )  # fmt: skip
    program.capacity += 1
    session.flush()
    return offers.make(
        session, the_round(session), offer.applicant, program, FIRST, rank=1, source="waiting"
    )


# --- answering --------------------------------------------------------------------------------


def test_an_answer_is_kept_with_its_time_and_who_gave_it(session: Session) -> None:
    one = an_offer(session)
    answers.accept(session, one, HERSELF, seen=one.version)
    assert (one.state, one.answered_at, one.answered_by) == ("accepted", CONFIRMING, HERSELF.name)
    assert offers.progress(session, one.applicant) == "accepted"
    assert not list(audit.broken(session))


def test_pressing_again_changes_nothing(session: Session) -> None:
    one = an_offer(session)
    seen = one.version
    events = select(func.count(AuditEvent.id))
    answers.accept(session, one, HERSELF, seen=seen)
    before, version = session.scalar(events), one.version
    answers.accept(session, one, HERSELF, seen=seen)
    assert (session.scalar(events), one.version) == (before, version)


def test_an_answer_may_be_changed_until_the_deadline(session: Session, clock: Clock) -> None:
    one = an_offer(session)
    answers.accept(session, one, HERSELF)
    clock.forward(hours=1)
    answers.accept(session, one, HERSELF, wait=True)
    assert (one.state, one.answered_at) == ("waiting", clock.moment)
    answers.accept(session, one, HERSELF)
    assert one.state == "accepted" and one.ended_at is None
    answers.decline(session, one, HERSELF)
    assert (one.state, one.ended_at) == ("declined", clock.moment)
    with pytest.raises(offers.Answered):
        answers.accept(session, one, HERSELF)
    answers.decline(session, one, HERSELF)


@pytest.mark.parametrize("act", [answers.accept, answers.decline])
@pytest.mark.parametrize("early", [True, False])
def test_an_answer_counts_until_the_last_millisecond(
    session: Session, clock: Clock, act: Any, early: bool
) -> None:
    one = an_offer(session)
    clock.moment = one.due_at - timedelta(milliseconds=early)
    if early:
        act(session, one, HERSELF)
        assert one.state != "open"
    else:
        with pytest.raises(answers.Late):
            act(session, one, HERSELF)
        assert one.state == "open"


def test_a_page_from_before_another_answer_is_told(session: Session) -> None:
    one = an_offer(session)
    seen = one.version
    answers.accept(session, one, HERSELF, seen=seen)
    with pytest.raises(application.Stale):
        answers.decline(session, one, HERSELF, seen=seen)
    assert one.state == "accepted"


def test_nothing_is_taken_while_the_round_is_suspended_or_over(session: Session) -> None:
    one, two = an_offer(session), an_offer(session, 1)
    answers.accept(session, two, HERSELF)
    rounds.suspend(session, the_round(session), FIRST, SECOND, "核查")
    with pytest.raises(rounds.Moved, match="SUSPENDED"):
        answers.accept(session, one, HERSELF)
    answers.accept(session, two, HERSELF)  # as it was pressed before
    with pytest.raises(rounds.Moved):
        answers.decline(session, two, HERSELF)


def test_nobody_waits_once_the_waiting_list_has_ended(session: Session) -> None:
    one = an_offer(session)
    the_round(session).waiting_ended_at = CONFIRMING
    session.flush()
    with pytest.raises(answers.NoWaiting):
        answers.accept(session, one, HERSELF, wait=True)
    answers.accept(session, one, HERSELF)


# --- a better place ---------------------------------------------------------------------------


def test_who_accepts_a_better_place_moves(session: Session) -> None:
    old = an_offer(session)
    answers.accept(session, old, HERSELF, wait=True)
    seats = offers.free(session, old.program)
    new = better(session, old)
    answers.accept(session, new, HERSELF)
    assert (old.state, new.state) == ("moved", "accepted") and old.ended_at == CONFIRMING
    assert offers.held_of(session, old.applicant_id) is new
    assert offers.free(session, old.program) == seats + 1


@pytest.mark.parametrize("silent", [True, False])
def test_who_does_not_keeps_the_old_one(session: Session, clock: Clock, silent: bool) -> None:
    old = an_offer(session)
    answers.accept(session, old, HERSELF, wait=True)
    new = better(session, old)
    if silent:
        clock.moment = new.due_at
        answers.silence(session)
    else:
        answers.decline(session, new, HERSELF)
    assert new.state == ("silent" if silent else "declined")
    assert (old.state, offers.held_of(session, old.applicant_id)) == ("waiting", old)


# --- guardians and the counter ----------------------------------------------------------------


@pytest.mark.parametrize("act", [answers.accept, answers.decline])
def test_a_minors_guardian_takes_part(session: Session, act: Any) -> None:
    one = an_offer(session)
    born(one, 17)
    with pytest.raises(application.NoGuardian):
        act(session, one, HERSELF)
    with pytest.raises(application.NoGuardian):
        application.guardian_how(session, one.applicant, "00000-00000")
    code = slips.issue(session, one.applicant, "guardian", FIRST)
    how = application.guardian_how(session, one.applicant, code)
    assert how == "code"
    assert application.guardian_how(session, one.applicant, "", "监 3") == "paper:监 3"
    act(session, one, HERSELF, guardian_how=how)
    assert one.guardian_how == "code"


def test_from_eighteen_on_nobody_asks_a_guardian(session: Session) -> None:
    one = an_offer(session)
    born(one, 18)
    one.applicant.person.birth_date = calendar.local(CONFIRMING).date().replace(year=2008)
    assert application.guardian_how(session, one.applicant) == ""
    answers.accept(session, one, HERSELF)


def test_the_counter_sees_the_document_and_files_a_paper(session: Session) -> None:
    one = an_offer(session)

    def at_counter(actor: Actor = COUNTER, **said: Any) -> None:
        told = {"identity_seen": True, "paper": "确 7", **said}
        answers.answer_at_counter(session, one, told.pop("answer", "accepted"), actor, **told)

    for missing in ({"identity_seen": False}, {"paper": ""}, {"answer": "moved"}):
        with pytest.raises(answers.NotSeen):
            at_counter(**missing)
    with pytest.raises(rounds.Blocked):
        at_counter(HERSELF)
    born(one, 16)
    with pytest.raises(application.NoGuardian):
        at_counter()
    assert one.state == "open"
    at_counter(guardian_paper="监 7")
    assert (one.state, one.answered_by) == ("accepted", COUNTER.name)
    assert (one.reason, one.guardian_how) == ("paper:确 7", "paper:监 7")


# --- by the clock -----------------------------------------------------------------------------


def test_silence_is_a_decline_and_recorded_for_each(session: Session, clock: Clock) -> None:
    kept, rest = an_offer(session), session.scalar(select(func.count(Offer.id)))
    assert rest is not None
    answers.accept(session, kept, HERSELF)
    clock.moment = kept.due_at - timedelta(milliseconds=1)
    assert answers.silence(session) == []
    clock.moment = kept.due_at
    assert answers.silence(session) == [f"2026-1 silent {rest - 1}"]
    assert answers.silence(session) == []
    session.expire_all()
    states = session.scalars(select(Offer.state)).all()
    assert sorted(set(states)) == ["accepted", "silent"] and states.count("accepted") == 1
    recorded = select(func.count(AuditEvent.id)).where(AuditEvent.action == "offer.silent")
    assert session.scalar(recorded) == rest - 1
    told = select(func.count(Message.id)).where(Message.code == "offer_silent")
    assert session.scalar(told) == rest - 1
    assert not list(audit.broken(session))


def test_a_job_reminds_once_and_then_ends_what_nobody_answered(app: Flask, clock: Clock) -> None:
    with db.writing() as session:
        one, number = an_offer(session), session.scalar(select(func.count(Offer.id)))
        assert one.due_at - answers.SOON > clock.moment
        due = one.due_at
    assert jobs.record_due() == []
    clock.moment = due - answers.SOON
    assert jobs.record_due() == [f"2026-1 reminded {number}"]
    clock.forward(hours=1)
    assert jobs.record_due() == []
    clock.moment = due
    said = app.test_cli_runner().invoke(args=["close-due"]).output
    assert said.split("\n")[0] == f"2026-1 silent {number}"
    assert jobs.record_due() == []


def test_everybody_placed_is_written_to(session: Session) -> None:
    told = session.scalars(select(Message).where(Message.code == "offer_made")).all()
    offered = session.scalars(select(Offer.applicant_id)).all()
    assert sorted(m.applicant_id for m in told) == sorted(offered)
    assert all(m.params.keys() >= {"program", "due"} for m in told)


# --- clocks that stood still ------------------------------------------------------------------


def test_a_suspension_gives_its_time_back(session: Session, clock: Clock) -> None:
    one, round_ = an_offer(session), the_round(session)
    opened = Recheck(
        number="F1", round_id=round_.id, applicant_id=one.applicant_id, matter="other", words="…",
        opened_at=CONFIRMING, due_at=one.due_at + timedelta(days=1),
    )  # fmt: skip
    session.add(opened)
    session.flush()
    due, notice = one.due_at, round_.notice_ends_at
    rounds.suspend(session, round_, FIRST, SECOND, "核查")
    assert round_.suspended_at == clock.moment
    clock.moment = due + timedelta(hours=1)
    assert answers.silence(session) == [] and answers.remind(session) == []
    rounds.resume(session, round_, FIRST, SECOND, "已查清")
    session.expire_all()
    lost = clock.moment - CONFIRMING
    assert round_.suspended_at is None and round_.notice_ends_at == notice
    assert one.due_at == calendar.resumed(due, lost) >= due + lost
    assert opened.due_at == calendar.resumed(due + timedelta(days=1), lost)
    moved = select(func.count(AuditEvent.id)).where(AuditEvent.action == "clock.move")
    assert session.scalar(moved) == 2
    answers.accept(session, one, HERSELF)
    assert not list(audit.broken(session))


def test_a_notice_period_stands_still_too(session: Session, clock: Clock) -> None:
    round_ = the_round(session)
    before = round_.notice_ends_at = calendar.end_of(CONFIRMING, 1)
    session.flush()
    rounds.suspend(session, round_, FIRST, SECOND, "核查")
    clock.forward(days=2)
    rounds.resume(session, round_, FIRST, SECOND, "已查清")
    session.flush()
    session.expire_all()
    assert round_.notice_ends_at == calendar.resumed(before, timedelta(days=2)) > before


def test_what_had_passed_before_the_suspension_has_passed(session: Session, clock: Clock) -> None:
    one, round_ = an_offer(session), the_round(session)
    due = clock.moment = one.due_at
    rounds.suspend(session, round_, FIRST, SECOND, "核查")
    clock.forward(days=1)
    rounds.resume(session, round_, FIRST, SECOND, "已查清")
    session.expire_all()
    assert one.due_at == due and answers.silence(session)


def test_two_deadlines_are_each_moved_once(session: Session, clock: Clock) -> None:
    one, two, round_ = an_offer(session), an_offer(session, 1), the_round(session)
    two.due_at = calendar.resumed(one.due_at, timedelta(days=1))  # where the first one will come
    session.flush()
    first, second = one.due_at, two.due_at
    rounds.suspend(session, round_, FIRST, SECOND, "核查")
    clock.forward(days=1)
    rounds.resume(session, round_, FIRST, SECOND, "已查清")
    session.expire_all()
    assert one.due_at == second == calendar.resumed(first, timedelta(days=1))
    assert two.due_at == calendar.resumed(second, timedelta(days=1)) > second


def test_a_moved_deadline_is_reminded_of_again(session: Session, clock: Clock) -> None:
    one, round_ = an_offer(session), the_round(session)
    clock.moment = one.due_at - answers.SOON
    assert answers.remind(session) and not answers.remind(session)
    rounds.suspend(session, round_, FIRST, SECOND, "核查")
    clock.forward(hours=5)
    rounds.resume(session, round_, FIRST, SECOND, "已查清")
    session.expire_all()
    clock.moment = one.due_at - answers.SOON
    assert answers.remind(session) and not answers.remind(session)


def test_an_offer_of_today_needs_no_reminder(session: Session, clock: Clock) -> None:
    one = an_offer(session)
    answers.accept(session, one, HERSELF, wait=True)
    clock.moment = one.due_at - answers.SOON - timedelta(hours=1)
    new = better(session, one)
    new.due_at = clock.moment + timedelta(hours=20)
    session.flush()
    assert answers.remind(session) == []


@pytest.mark.parametrize(
    ("due", "lost", "hour", "then"),
    [
        ("2026-06-13T00:00", 24, 24, "2026-06-16T00:00"),  # a weekend and Monday's whole day
        ("2026-06-13T00:00", 72, 24, "2026-06-16T00:00"),
        ("2026-06-12T17:00", 2, 17, "2026-06-15T17:00"),
        ("2026-06-10T17:00", 24, 17, "2026-06-11T17:00"),
        ("2026-06-10T17:00", 0, 17, "2026-06-10T17:00"),
        ("2026-06-19T00:00", 1, 24, "2026-06-23T00:00"),  # the Dragon Boat Festival and a weekend
    ],
)
def test_a_moved_deadline_ends_with_a_working_day(
    due: str, lost: int, hour: int, then: str
) -> None:
    moved = calendar.resumed(calendar.parse_local(due), timedelta(hours=lost), hour)
    assert moved == calendar.parse_local(then)


# --- races ------------------------------------------------------------------------------------


@pytest.mark.skipif(CHOSEN == "sqlite", reason="only sqlite was asked for")
def test_of_two_answers_at_once_one_counts(stage: Callable[[], Stage], clock: Clock) -> None:
    with stage().copy() as (made, _, _):
        made.config["CLOCK"] = clock
        with made.app_context(), db.writing() as session:
            held = [(o.id, o.version) for o in session.scalars(select(Offer))]

        def press(id_: int, seen: int, act: Callable[..., None], **more: Any) -> str:
            with made.app_context(), db.writing() as session:
                act(session, session.get_one(Offer, id_), HERSELF, seen=seen, **more)
            return "done"

        for race in range(RACES):
            id_, _seen = held[race % len(held)]
            with made.app_context(), db.writing() as session:
                one = session.get_one(Offer, id_)
                one.state, one.ended_at = "open", None
                seen = one.version
            found = at_once(
                lambda i=id_, v=seen: press(i, v, answers.accept),  # type: ignore[misc]
                lambda i=id_, v=seen: press(i, v, answers.decline),  # type: ignore[misc]
                lambda i=id_, v=seen: press(i, v, answers.accept, wait=True),  # type: ignore[misc]
            )
            assert found.count("done") == 1, found
            assert all(f == "done" or f.startswith(("Stale", "Answered")) for f in found), found
            with made.app_context():
                state = db.reading().get_one(Offer, id_).state
                assert state == ("accepted", "declined", "waiting")[found.index("done")]
        with made.app_context():
            assert not list(audit.broken(db.reading()))


@pytest.mark.skipif(CHOSEN == "sqlite", reason="only sqlite was asked for")
def test_an_answer_and_silence_at_once_leave_one_outcome(stage: Callable[[], Stage]) -> None:
    for _race in range(max(1, RACES // 5)):
        with stage().copy() as (made, _, _):
            race_with_silence(made)


def race_with_silence(made: Flask) -> None:
    with made.app_context():
        offered = db.reading().scalars(select(Offer).order_by(Offer.id)).all()
        id_, due = offered[0].id, offered[0].due_at
        db.forget()
    looks = iter(range(10**9))
    made.config["CLOCK"] = lambda: due - timedelta(milliseconds=next(looks) < 12)

    def answer() -> str:
        with made.app_context(), db.writing() as session:
            answers.accept(session, session.get_one(Offer, id_), HERSELF)
        return "done"

    def settle() -> str:
        with made.app_context():
            return " ".join(answers.settle_due())

    found = at_once(answer, settle, settle)
    made.config["CLOCK"] = lambda: due
    with made.app_context():
        answers.settle_due()
        db.forget()
        states = {row.id: row.state for row in db.reading().execute(select(Offer.id, Offer.state))}
        assert states[id_] == ("accepted" if found[0] == "done" else "silent"), found
        silent = list(states.values()).count("silent")
        assert silent == len(offered) - (found[0] == "done")
        told = select(func.count(AuditEvent.id)).where(AuditEvent.action == "offer.silent")
        assert db.reading().scalar(told) == silent
        assert not list(audit.broken(db.reading()))


# --- who has not answered ---------------------------------------------------------------------


def test_who_has_not_answered_is_listed_and_called(session: Session) -> None:
    round_, one = the_round(session), an_offer(session)
    held = one.program.order_class
    every = session.scalars(calls.query(round_)).all()
    assert len(every) == session.scalar(select(func.count(Offer.id)))
    assert (held.code, held.name) in calls.classes(session, round_, held.college_id)
    mine = calls.waiting(session, round_, held.college_id)
    assert 0 < mine < len(every)
    assert sum(len(t.about) for t in today.tasks(session, round_)) == len(every)
    calls.note(session, one, "not_reached", "", COUNTER)
    made = calls.note(session, one, "reached", "会来", COUNTER)
    assert calls.last(session, every) == {one.id: made}
    assert calls.of_offer(session, one)[0] is made
    with pytest.raises(ValueError, match="shouted"):
        calls.note(session, one, "shouted", "", COUNTER)
    answers.accept(session, one, COUNTER)
    assert calls.waiting(session, round_, held.college_id) == mine - 1
    assert one in session.scalars(calls.query(round_, held.college_id, held.code, True)).all()
    placed = figures.placed(session, round_, held.programs)
    assert {p.applicant.id: p.confirmed for p in placed}[one.applicant_id]
    rounds.suspend(session, round_, FIRST, SECOND, "核查")
    with pytest.raises(rounds.Moved):
        calls.note(session, one, "reached", "", COUNTER)


def test_people_who_never_got_an_offer_have_none(session: Session) -> None:
    idle = session.scalars(
        select(Applicant).where(Applicant.id.not_in(select(Offer.applicant_id)))
    ).first()
    assert idle is not None and offers.open_of(session, idle.id) is None
