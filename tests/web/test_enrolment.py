"""Check-in, registration, leaving, and what two people take back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web import signed
from tests.web.a_round import FIRST, SECOND
from tests.web.conftest import Clock
from tests.web.signed import U1, U1B, an_offer, hold, the_round
from web import agreements, auth, enrolment, offers, reviewing, rounds, stages
from web.models import College, Enrolment, Message, Offer, OrderClass, Round, Ruling
from web.posting import Refused, Stale

FROM, UNTIL = date(2026, 6, 9), date(2026, 6, 11)


world, clock = signed.world, signed.clock


@pytest.fixture
def session(world: Flask, clock: Clock) -> Iterator[Session]:
    with signed.undone() as opened:
        yield opened


@pytest.fixture
def held(session: Session) -> Offer:
    return hold(session, an_offer(session))


@pytest.fixture
def course(held: Offer, session: Session) -> OrderClass:
    found = held.program.order_class
    enrolment.arrange(session, found, found.version, FROM, UNTIL, "体育馆", "身份证", U1)
    return found


def row(session: Session, offer: Offer) -> Enrolment:
    return session.get_one(Enrolment, offer.id)


def two_people(session: Session) -> None:
    college = session.scalars(select(College).where(College.code == "U1")).one()
    for name in ("u1", "u1b"):
        auth.create_user(session, name, "", "college", college=college)


def test_the_arrangement_is_told_to_who_holds_a_place(
    session: Session, held: Offer, course: OrderClass
) -> None:
    told = session.scalars(select(Message).where(Message.code == "check_in")).all()
    assert [m.params for m in told] == [
        {
            "first": "2026-06-09",
            "last": "2026-06-11",
            "place": "体育馆",
            "applicant": held.applicant.number,
        }
    ]
    before = course.version
    enrolment.arrange(session, course, before, FROM, UNTIL, "体育馆", "身份证", U1)
    assert course.version == before
    with pytest.raises(Stale) as stale:
        enrolment.arrange(session, course, before - 1, FROM, UNTIL, "别处", "", U1)
    assert stale.value.stored["check_in_place"] == "体育馆"
    for first, last in (
        (UNTIL, FROM),
        (date(1, 1, 1), FROM - timedelta(days=1)),
        (FROM, date(9999, 12, 31)),
        (date(1, 1, 1), UNTIL),
    ):
        with pytest.raises(Refused):
            enrolment.arrange(session, course, before, first, last, "体育馆", "", U1)


def test_check_in_registration_and_the_numbers_of_a_class(
    session: Session, held: Offer, course: OrderClass
) -> None:
    with pytest.raises(Refused):
        enrolment.register(session, held, "2026001", FROM, U1)
    for day in (FROM + timedelta(days=1), FROM - timedelta(days=1), date(1, 1, 1)):
        with pytest.raises(Refused):
            enrolment.check_in(session, [held.id], day, U1)
    assert enrolment.check_in(session, [held.id], FROM, U1) == 1
    assert enrolment.check_in(session, [held.id], FROM, U1) == 0
    assert offers.progress(session, held.applicant) == "checked_in"
    for number, day in (
        ("", FROM),
        ("1", FROM - timedelta(days=1)),
        ("1", FROM + timedelta(days=1)),
    ):
        with pytest.raises(Refused):
            enrolment.register(session, held, number, day, U1)
    enrolment.register(session, held, "2026001", FROM, U1)
    with pytest.raises(Refused):
        enrolment.register(session, held, "2026002", FROM, U1)
    assert offers.progress(session, held.applicant) == "registered"
    found = {c.order_class.code: c for c in enrolment.counts(session, the_round(session))}
    mine = found[course.code]
    assert (mine.held, mine.checked_in, mine.registered) == (1, 1, 1) and len(found) == 5
    own = enrolment.counts(session, the_round(session), course.college_id)
    assert {c.order_class.college_id for c in own} == {course.college_id}
    other = hold(session, an_offer(session, "U2"))
    enrolment.check_in(session, [other.id], FROM, U1)
    with pytest.raises(Refused):
        enrolment.register(session, other, "2026001", FROM, U1)


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_nobody_is_absent_before_the_last_day_is_over(
    session: Session, held: Offer, course: OrderClass, clock: Clock, late: int
) -> None:
    before = offers.free(session, held.program)
    clock.forward(days=(UNTIL - FROM).days + late)
    if late < 1:
        with pytest.raises(Refused):
            enrolment.mark_absent(session, [held.id], U1)
        return
    assert enrolment.mark_absent(session, [held.id], U1) == 1
    assert held.state == "absent" and row(session, held).absent_on == UNTIL + timedelta(days=1)
    assert offers.free(session, held.program) == before + 1
    assert enrolment.mark_absent(session, [held.id], U1) == 0
    assert enrolment.check_in(session, [held.id], UNTIL, U1) == 0


def test_without_an_arrangement_nobody_is_absent(session: Session, held: Offer) -> None:
    with pytest.raises(Refused):
        enrolment.mark_absent(session, [held.id], U1)


def test_who_came_is_not_absent(
    session: Session, held: Offer, course: OrderClass, clock: Clock
) -> None:
    enrolment.check_in(session, [held.id], FROM, U1)
    clock.forward(days=5)
    assert enrolment.mark_absent(session, [held.id], U1) == 0 and held.state == "accepted"


def test_leaving_ends_the_place_and_its_agreement(session: Session, held: Offer) -> None:
    signed.dates(session)
    made = agreements.make(session, held, FIRST)
    for day, reason in (
        (FROM, ""),
        (FROM + timedelta(days=1), "退学"),
        (FROM - timedelta(days=1), "退学"),
        (date(1, 1, 1), "退学"),
    ):
        with pytest.raises(Refused):
            enrolment.leave(session, held, day, reason, U1)
    enrolment.leave(session, held, FROM, "退学", U1)
    assert (held.state, made.state, held.reason) == ("left", "voided", "退学")
    assert (row(session, held).left_on, row(session, held).left_reason) == (FROM, "退学")
    with pytest.raises(Refused):
        enrolment.leave(session, held, FROM, "又退", U1)


def test_two_people_take_an_entry_back(session: Session, held: Offer, course: OrderClass) -> None:
    two_people(session)
    for act in (enrolment.drop_undo, enrolment.confirm_undo):
        with pytest.raises(Refused):
            act(session, held, U1)
    enrolment.check_in(session, [held.id], FROM, U1)
    enrolment.register(session, held, "2026001", FROM, U1)
    for act in (enrolment.drop_undo, enrolment.confirm_undo):
        with pytest.raises(Refused):
            act(session, held, U1)
    with pytest.raises(Refused):
        enrolment.ask_undo(session, held, "", U1)
    enrolment.ask_undo(session, held, "号码填错", U1)
    with pytest.raises(Refused):
        enrolment.ask_undo(session, held, "又来", U1)
    for actor in (U1, FIRST):
        with pytest.raises(reviewing.SecondPerson):
            enrolment.confirm_undo(session, held, actor)
    assert enrolment.confirm_undo(session, held, U1B) is held
    assert row(session, held).registered_on is None and row(session, held).register_number == ""
    enrolment.ask_undo(session, held, "没有来", U1)
    enrolment.drop_undo(session, held, U1)
    enrolment.ask_undo(session, held, "真没有来", U1)
    enrolment.confirm_undo(session, held, U1B)
    assert row(session, held).checked_in_on is None
    assert enrolment.Line(held, row(session, held)).undoable == ""


def test_who_was_absent_by_mistake_gets_a_place_again(
    session: Session, held: Offer, course: OrderClass, clock: Clock
) -> None:
    clock.forward(days=5)
    enrolment.mark_absent(session, [held.id], U1)
    enrolment.ask_undo(session, held, "在医院，已请假", U1)
    again = enrolment.confirm_undo(session, held, FIRST)
    assert again.id != held.id and again.state == "accepted" and again.program_id == held.program_id
    assert offers.held_of(session, held.applicant_id) is again
    lines = enrolment.lines(session, course)
    assert [line.offer.state for line in lines if line.offer.applicant_id == held.applicant_id] == [
        "absent", "accepted",
    ]  # fmt: skip
    assert enrolment.today(session) == date(2026, 6, 14)


def test_who_left_by_mistake_keeps_what_was_entered(
    session: Session, held: Offer, course: OrderClass
) -> None:
    enrolment.check_in(session, [held.id], FROM, U1)
    enrolment.register(session, held, "2026001", FROM, U1)
    enrolment.leave(session, held, FROM, "弄错了人", U1)
    enrolment.ask_undo(session, held, "登记错了人", U1)
    again = enrolment.confirm_undo(session, held, FIRST)
    assert (row(session, again).register_number, row(session, held).register_number) == (
        "2026001",
        "",
    )
    assert offers.progress(session, held.applicant) == "registered"


def test_a_place_that_is_gone_does_not_come_back(
    session: Session, held: Offer, course: OrderClass
) -> None:
    enrolment.leave(session, held, FROM, "弄错了人", U1)
    enrolment.ask_undo(session, held, "登记错了人", U1)
    held.program.capacity = 0
    with pytest.raises(Refused):
        enrolment.confirm_undo(session, held, FIRST)
    held.program.capacity = 9
    session.flush()
    other = offers.make(session, held.round, held.applicant, held.program, FIRST, rank=1,
                        source="waiting")  # fmt: skip
    with pytest.raises(Refused):
        enrolment.confirm_undo(session, held, FIRST)
    assert other.state == "open"


def test_no_place_comes_back_once_its_class_or_round_is_past(
    session: Session, held: Offer, course: OrderClass
) -> None:
    """The next round has the seat and the person; a class that was closed has neither."""
    enrolment.leave(session, held, FROM, "弄错了人", U1)
    enrolment.ask_undo(session, held, "登记错了人", U1)
    moment = held.made_at
    closed = Ruling(
        order_class_id=course.id, kind="close", confirmed_people=0, reason="人数不足",
        asked_by=FIRST.name, asked_at=moment, confirmed_by=SECOND.name, confirmed_at=moment,
    )  # fmt: skip
    session.add(closed)
    session.flush()
    with pytest.raises(Refused, match="停开"):
        enrolment.confirm_undo(session, held, FIRST)
    session.delete(closed)
    held.round.state = "FINAL"
    following = Round(serial="2026-2", title="补录", year=held.round.year, season=held.round.season,
                      parent_id=held.round_id, created_at=moment)  # fmt: skip
    session.add(following)
    session.flush()
    with pytest.raises(Refused, match="下一轮"):
        enrolment.confirm_undo(session, held, FIRST)
    following.state = "VOID"
    session.flush()
    assert enrolment.confirm_undo(session, held, FIRST).state == "accepted"


def test_nothing_is_entered_while_a_round_is_suspended(session: Session, held: Offer) -> None:
    rounds.suspend(session, held.round, FIRST, SECOND, "核查")
    with pytest.raises(stages.NotNow):
        enrolment.check_in(session, [held.id], FROM, U1)


def test_the_deadline_of_registration_is_of_the_season(session: Session) -> None:
    round_ = the_round(session)
    assert enrolment.registration_deadline(round_) == "10-20"
    round_.season = "spring"
    assert enrolment.registration_deadline(round_) == "04-20"
