"""The life of a round: each step from its state, by its people, past its gate, and once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.web.conftest import Clock
from tests.web.rows import (
    COLLEGE,
    DEADLINE,
    FIRST,
    OPENS,
    SECOND,
    add_record,
    make_applicant,
    make_round,
)
from web import audit, db, rounds
from web.audit import SYSTEM, Actor
from web.models import (
    Approval,
    AuditEvent,
    Decision,
    Doubt,
    Draw,
    Import,
    OrderClass,
    Program,
    Record,
    Round,
    Run,
    Score,
    SeatChange,
    Snapshot,
)
from web.rounds import BY_NAME, STATES, STEPS, Blocked, Moved, Step

Change = Callable[[Session, Round], object]


@pytest.fixture
def round_(session: Session) -> Round:
    return make_round(session)


def bring(session: Session, round_: Round, state: str, clock: Clock) -> None:
    """Everything that the step out of ``state`` asks for, and the round there."""
    moment = clock.moment
    applicant = make_applicant(session, round_, "A1")
    run = Run(
        round_id=round_.id, kind="committed", policy_toml="", state="VERIFIED", status="OPTIMAL",
        summary={"publishable": True}, started_by=FIRST.name, queued_at=moment,
    )  # fmt: skip
    session.add_all(
        [
            run,
            Snapshot(
                round_id=round_.id, digest="d", policy_digest="p", folder="f", counts={},
                software="0", taken_by=FIRST.name, taken_at=moment,
            ),
            Draw(
                round_id=round_.id, kind="dice", value="1", seed="s", entered_by=FIRST.name,
                entered_at=moment, confirmed_by=SECOND.name, confirmed_at=moment,
            ),
        ]
    )  # fmt: skip
    session.flush()
    session.add(Approval(round_id=round_.id, run_id=run.id, by=SECOND.name, at=moment))
    add_record(session, round_, "result_filing")
    clock.moment = DEADLINE + timedelta(days=3)
    round_.frozen_at = DEADLINE
    round_.notice_ends_at = DEADLINE + timedelta(days=2)
    round_.waiting_ended_at = DEADLINE + timedelta(days=3) if state == "CONFIRMING" else None
    round_.state = state
    session.flush()
    assert applicant.state == "passed"


@pytest.mark.parametrize("step", STEPS, ids=lambda s: s.name)
def test_each_step_leads_where_the_table_says(
    session: Session, round_: Round, clock: Clock, step: Step
) -> None:
    bring(session, round_, step.source, clock)
    assert rounds.next_step(round_) is step
    assert rounds.obstacles(session, round_, step, SECOND) == []
    fence = round_.fence
    rounds.take(session, round_, step.name, SECOND)
    assert (round_.state, round_.fence) == (step.target, fence + 1)
    event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.action, event.actor, event.row) == (
        f"round.{step.name}", SECOND.name, "round/2026-1",
    )  # fmt: skip
    assert list(audit.broken(session)) == []


@pytest.mark.parametrize("step", STEPS, ids=lambda s: s.name)
@pytest.mark.parametrize("state", STATES)
def test_no_step_begins_elsewhere(
    session: Session, round_: Round, clock: Clock, step: Step, state: str
) -> None:
    if state == step.source:
        return
    bring(session, round_, state, clock)
    with pytest.raises(Moved, match=state):
        rounds.take(session, round_, step.name, SECOND)
    assert round_.state == state


@pytest.mark.parametrize("step", STEPS, ids=lambda s: s.name)
@pytest.mark.parametrize("role", ["college", "enterprise", "bureau", "applicant", "public"])
def test_no_step_is_taken_by_others(
    session: Session, round_: Round, clock: Clock, step: Step, role: str
) -> None:
    bring(session, round_, step.source, clock)
    with pytest.raises(Blocked, match="role"):
        rounds.take(session, round_, step.name, Actor(f"{role}:x", role))
    assert round_.state == step.source


# --- gates ------------------------------------------------------------------------------------


def only(session: Session, model: type, **values: object) -> None:
    session.execute(update(model).values(**values))
    session.expire_all()


def drop(session: Session, model: type, **where: object) -> None:
    for held in session.scalars(select(model).filter_by(**where)):
        session.delete(held)
    session.flush()


def unscored(session: Session, round_: Round) -> None:
    held = make_applicant(session, round_, "A2")
    session.add(Score(applicant_id=held.id, channel="CH1", entered_by="x", entered_at=OPENS))


def undecided(session: Session, round_: Round) -> None:
    held = make_applicant(session, round_, "A2")
    program = session.scalars(select(Program)).one()
    session.add(
        Decision(applicant_id=held.id, program_id=program.id, decision="rejected", basis="面试",
                 entered_by="x", entered_at=OPENS)
    )  # fmt: skip


def seats_asked(session: Session, round_: Round) -> None:
    program = session.scalars(select(Program)).one()
    session.add(
        SeatChange(program_id=program.id, before=2, after=1, reason="设备未到", asked_by="x",
                   asked_at=OPENS)
    )  # fmt: skip


def an_import(round_: Round, sheet: str = "applicants", **columns: str) -> Import:
    """A batch that was stored and that nobody has confirmed."""
    told = {"state": "stored", "filename": "a.xlsx", "digest": "0", "by": FIRST.name, **columns}
    return Import(round_id=round_.id, sheet=sheet, at=DEADLINE, **told)


GATES: list[tuple[str, str, Change]] = [
    ("announce", "no_class", lambda s, r: (drop(s, Program), drop(s, OrderClass))),
    ("announce", "class_without_seats", lambda s, r: drop(s, Program)),
    ("announce", "college_not_confirmed", lambda s, r: only(s, OrderClass, confirmed_at=None)),
    ("announce", "enterprise_not_confirmed", lambda s, r: only(s, Program, confirmed_at=None)),
    ("announce", "no_policy", lambda s, r: only(s, Round, policy_id=None)),
    ("announce", "no_dates", lambda s, r: only(s, Round, deadline_at=None)),
    ("announce", "dates_reversed", lambda s, r: only(s, Round, deadline_at=OPENS)),
    ("announce", "no_draw_event", lambda s, r: only(s, Round, draw_event="")),
    ("announce", "no_plan_approval", lambda s, r: drop(s, Record, kind="plan_approval")),
    ("announce", "unconfirmed_plan_approval", lambda s, r: only(s, Record, confirmed_at=None)),
    ("open", "not_yet_open", lambda s, r: only(s, Round, opens_at=DEADLINE + timedelta(days=9))),
    ("close", "deadline_ahead", lambda s, r: only(s, Round, deadline_at=DEADLINE + timedelta(9))),
    ("freeze", "not_reviewed", lambda s, r: make_applicant(s, r, "A2", "submitted")),
    ("freeze", "not_reviewed", lambda s, r: make_applicant(s, r, "A2", "returned")),
    ("freeze", "scores_unconfirmed", unscored),
    ("freeze", "imports_unconfirmed", lambda s, r: s.add(an_import(r, "applicants"))),
    ("freeze", "imports_unconfirmed", lambda s, r: s.add(an_import(r, "choices"))),
    ("freeze", "decisions_unconfirmed", undecided),
    ("freeze", "doubts_open", lambda s, r: s.add(
        Doubt(round_id=r.id, code="capacity", subject="K1", value="9"))),
    ("freeze", "seat_changes_open", seats_asked),
    ("freeze", "nobody_passed", lambda s, r: s.execute(
        update(rounds.Applicant).values(state="failed"))),
    ("freeze", "no_snapshot", lambda s, r: drop(s, Snapshot)),
    ("draw", "a_day_after_commitment", lambda s, r: only(s, Round, frozen_at=None)),
    ("draw", "a_day_after_commitment", lambda s, r: only(
        s, Round, frozen_at=DEADLINE + timedelta(days=2, seconds=1))),
    ("draw", "no_draw", lambda s, r: drop(s, Draw)),
    ("draw", "draw_unconfirmed", lambda s, r: only(s, Draw, confirmed_at=None)),
    ("approve", "no_verified_run", lambda s, r: only(s, Run, state="RUNNING")),
    ("approve", "no_verified_run", lambda s, r: only(s, Run, state="BROKEN")),
    ("approve", "no_verified_run", lambda s, r: only(s, Run, kind="trial")),
    ("approve", "not_publishable", lambda s, r: only(s, Run, summary={"publishable": False})),
    ("approve", "second_person", lambda s, r: only(s, Run, started_by=SECOND.name)),
    ("approve", "no_result_filing", lambda s, r: drop(s, Record, kind="result_filing")),
    ("publish", "no_approval", lambda s, r: drop(s, Approval)),
    ("confirm", "notice_period", lambda s, r: only(
        s, Round, notice_ends_at=DEADLINE + timedelta(days=9))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "code", "change"), GATES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_gate_says_what_is_missing(
    session: Session, round_: Round, clock: Clock, name: str, code: str, change: Change
) -> None:
    bring(session, round_, BY_NAME[name].source, clock)
    change(session, round_)
    session.flush()
    session.refresh(round_)
    with pytest.raises(Blocked) as caught:
        rounds.take(session, round_, name, SECOND)
    assert code in {o.code for o in caught.value.obstacles}
    assert round_.state == BY_NAME[name].source


@pytest.mark.parametrize(
    "changed",
    [{"sheet": "classes"}, {"state": "previewed"}, {"state": "dropped"}, {"confirmed_by": "x"}],
)
def test_only_stored_batches_of_people_wait_for_a_second_person(
    session: Session, round_: Round, clock: Clock, changed: dict[str, str]
) -> None:
    bring(session, round_, "REVIEW", clock)
    session.add(an_import(round_, **changed))
    session.flush()
    assert rounds.take(session, round_, "freeze", SECOND).state == "FROZEN"


def test_the_demo_need_not_wait_a_day(session: Session, round_: Round, clock: Clock) -> None:
    bring(session, round_, "FROZEN", clock)
    round_.demo, round_.frozen_at = True, clock.moment
    rounds.take(session, round_, "draw", FIRST)
    assert round_.state == "DRAWN"


# --- the clock --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "offset", "seen"),
    [
        ("ANNOUNCED", OPENS - timedelta(milliseconds=1), "ANNOUNCED"),
        ("ANNOUNCED", OPENS, "OPEN"),
        ("ANNOUNCED", DEADLINE, "REVIEW"),
        ("OPEN", DEADLINE - timedelta(milliseconds=1), "OPEN"),
        ("OPEN", DEADLINE, "REVIEW"),
        ("DRAFT", DEADLINE, "DRAFT"),
        ("FROZEN", DEADLINE, "FROZEN"),
    ],
)
def test_the_clock_opens_and_closes(
    session: Session, round_: Round, clock: Clock, state: str, offset: object, seen: str
) -> None:
    round_.state = state
    clock.moment = offset  # type: ignore[assignment]
    session.flush()
    assert rounds.by_the_clock(session, round_) == seen
    if seen == "OPEN":
        assert rounds.lock_open(session, round_.id) == (round_, clock.moment)
    else:
        with pytest.raises(Moved):
            rounds.lock_open(session, round_.id)


def test_what_is_due_is_recorded_once(session: Session, round_: Round, clock: Clock) -> None:
    round_.state = "ANNOUNCED"
    clock.moment = DEADLINE
    session.flush()
    assert rounds.close_due(session) == ["2026-1 open", "2026-1 close"]
    assert round_.state == "REVIEW" and rounds.close_due(session) == []
    round_.state, round_.notice_ends_at = "PUBLISHED", DEADLINE
    session.flush()
    assert rounds.close_due(session) == ["2026-1 confirm"]
    actors = set(session.scalars(select(AuditEvent.actor)))
    assert actors == {SYSTEM.name}


# --- suspending and voiding -------------------------------------------------------------------


@pytest.mark.parametrize("state", ["PUBLISHED", "CONFIRMING"])
def test_a_published_round_is_suspended_and_goes_on(
    session: Session, round_: Round, state: str
) -> None:
    round_.state = state
    session.flush()
    rounds.suspend(session, round_, FIRST, SECOND, "复核中")
    assert (round_.state, round_.reason) == ("SUSPENDED", "复核中")
    rounds.resume(session, round_, SECOND, FIRST, "已查清")
    assert (round_.state, round_.reason, round_.resumes_to) == (state, "", None)
    with pytest.raises(Moved):
        rounds.resume(session, round_, FIRST, SECOND, "")


@pytest.mark.parametrize("state", sorted(set(STATES) - {"PUBLISHED", "CONFIRMING"}))
def test_nothing_else_is_suspended(session: Session, round_: Round, state: str) -> None:
    round_.state = state
    session.flush()
    with pytest.raises(Moved):
        rounds.suspend(session, round_, FIRST, SECOND, "复核中")


@pytest.mark.parametrize("state", STATES)
def test_a_round_is_voided_from_any_state_but_the_last(
    session: Session, round_: Round, state: str
) -> None:
    round_.state = state
    session.flush()
    if state in ("VOID", "FINAL"):
        with pytest.raises(Moved):
            rounds.void(session, round_, FIRST, SECOND, "计划有误")
    else:
        rounds.void(session, round_, FIRST, SECOND, "计划有误")
        assert (round_.state, round_.reason) == ("VOID", "计划有误")


@pytest.mark.parametrize("second", [FIRST, COLLEGE, SYSTEM])
@pytest.mark.parametrize("act", [rounds.suspend, rounds.void, rounds.resume])
def test_it_takes_two_coordinators(
    session: Session, round_: Round, second: Actor, act: Callable[..., None]
) -> None:
    round_.state = "SUSPENDED" if act is rounds.resume else "PUBLISHED"
    round_.resumes_to = "PUBLISHED"
    session.flush()
    before = round_.state
    with pytest.raises(Blocked, match="second_person"):
        act(session, round_, FIRST, second, "复核中")
    assert round_.state == before


# --- races ------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["announce", "open", "close", "publish"])
def test_of_eight_who_press_at_once_one_moves_the_round(
    app: Flask, clock: Clock, step: str
) -> None:
    with app.app_context(), db.writing() as session:
        round_ = make_round(session)
        bring(session, round_, BY_NAME[step].source, clock)
    start, results = Barrier(8), []

    def press(n: int) -> None:
        actor = Actor(f"coordinator:{n}", "coordinator")
        start.wait()
        try:
            with app.app_context(), db.writing() as session:
                held = session.scalars(select(Round)).one()
                rounds.take(session, held, step, actor)
            results.append("moved")
        except Moved:
            results.append("told")
        except Exception as error:
            results.append(repr(error))

    threads = [Thread(target=press, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["moved"] + ["told"] * 7
    with app.app_context():
        held = db.reading().scalars(select(Round)).one()
        assert held.state == BY_NAME[step].target
        taken = db.reading().scalars(select(AuditEvent).where(AuditEvent.action == f"round.{step}"))
        assert len(taken.all()) == 1
        assert list(audit.broken(db.reading())) == []


def test_a_round_that_was_read_before_it_moved_does_not_move_again(
    app: Flask, clock: Clock
) -> None:
    with app.app_context():
        with db.writing() as session:
            stale = make_round(session)
        with db.writing() as session:
            rounds.take(session, session.scalars(select(Round)).one(), "announce", FIRST)
        with pytest.raises(Moved), db.writing() as session:
            stale = session.merge(stale, load=False)
            rounds.take(session, stale, "announce", SECOND)
