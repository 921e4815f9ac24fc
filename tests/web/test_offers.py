"""Offers after publication: one for everybody placed, no seat twice, nobody asked about two places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.web.a_round import CONFIRMING, FIRST, SECOND, standing
from web import audit, calendar, db, offers, rounds
from web.audit import Actor
from web.models import Applicant, Enrolment, Offer, Placement, Program, Round

HERSELF = Actor("applicant:x", "applicant")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    made = standing(tmp_path, "confirming", lambda: CONFIRMING)
    with made.app_context():
        yield made


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with db.writing() as session:
        yield session


def an_offer(session: Session) -> Offer:
    return session.scalars(select(Offer).order_by(Offer.id)).first()  # type: ignore[return-value]


def test_everybody_placed_has_one_offer(session: Session) -> None:
    placed = session.execute(
        select(Placement.applicant_id, Placement.program_id).where(
            Placement.program_id.is_not(None)
        )
    ).all()
    offered = session.execute(select(Offer.applicant_id, Offer.program_id)).all()
    assert sorted(map(tuple, offered)) == sorted(map(tuple, placed)) and placed
    one = an_offer(session)
    assert one.due_at == calendar.end_of(CONFIRMING, 3)
    assert (one.state, one.source) == ("open", "result")
    assert not list(audit.broken(session))


def test_beginning_again_offers_nothing_again(session: Session) -> None:
    before = session.scalar(select(func.count(Offer.id)))
    round_ = session.scalars(select(Round)).one()
    rounds.suspend(session, round_, FIRST, SECOND, "核查")
    rounds.resume(session, round_, FIRST, SECOND, "已查清")
    assert round_.state == "CONFIRMING"
    assert session.scalar(select(func.count(Offer.id))) == before


def test_no_program_offers_more_than_its_seats(session: Session) -> None:
    round_ = session.scalars(select(Round)).one()
    for program in session.scalars(select(Program)):
        used = offers.taken(session, round_.id).get(program.id, 0)
        assert used <= program.capacity and offers.free(session, program) == program.capacity - used
    full = next(p for p in session.scalars(select(Program)) if not offers.free(session, p))
    idle = session.scalars(
        select(Applicant).where(Applicant.id.not_in(select(Offer.applicant_id)))
    ).first()
    assert idle is not None
    with pytest.raises(offers.NoSeat):
        offers.make(session, round_, idle, full, FIRST, rank=1, source="waiting")


def test_an_answer_holds_or_frees_the_seat(session: Session) -> None:
    one = an_offer(session)
    before = offers.free(session, one.program)
    offers.settle(session, one, "accepted", HERSELF)
    assert offers.held_of(session, one.applicant_id) is one
    assert offers.free(session, one.program) == before
    assert offers.confirmed_people(session, one.program.order_class) == 1
    assert one.answered_by == HERSELF.name and one.answered_at == CONFIRMING
    offers.settle(session, one, "left", FIRST, "退学")
    assert offers.free(session, one.program) == before + 1
    assert offers.held_of(session, one.applicant_id) is None
    with pytest.raises(offers.Answered):
        offers.settle(session, one, "accepted", HERSELF)


def test_of_two_answers_at_once_one_counts(app: Flask) -> None:
    db.forget()
    stale = an_offer(db.reading())
    with db.writing() as session:
        offers.settle(session, session.get_one(Offer, stale.id), "declined", HERSELF)
    with db.writing() as session:
        late = session.get_one(Offer, stale.id)
        late_version = late.version
        session.expunge(late)
        late.state, late.version = "open", late_version - 1  # as a page of before saw it
        session.add(late)
        session.expire_all()
        with pytest.raises(offers.Answered):
            offers.settle(session, late, "accepted", HERSELF)


@pytest.mark.parametrize("state", ["open", "accepted"])
def test_the_database_refuses_a_second_place(session: Session, state: str) -> None:
    one = an_offer(session)
    if state == "accepted":
        offers.settle(session, one, "accepted", HERSELF)
    columns = {
        name: getattr(one, name)
        for name in ("round_id", "applicant_id", "program_id", "rank", "made_at", "due_at")
    }
    with pytest.raises(IntegrityError), session.begin_nested():
        session.add(Offer(**columns, source="waiting", state=state))
        session.flush()


def test_progress_tells_the_furthest_stage(session: Session) -> None:
    one = an_offer(session)
    assert offers.progress(session, one.applicant) == "open"
    offers.settle(session, one, "waiting", HERSELF)
    assert offers.progress(session, one.applicant) == "waiting"
    enrolled = Enrolment(offer_id=one.id, checked_in_on=CONFIRMING.date(), by="x", at=CONFIRMING)
    session.add(enrolled)
    session.flush()
    assert offers.progress(session, one.applicant) == "checked_in"
    enrolled.registered_on = CONFIRMING.date()
    session.flush()
    assert offers.progress(session, one.applicant) == "registered"
    offers.settle(session, one, "left", FIRST)
    assert offers.progress(session, one.applicant) == "left"
    idle = session.scalars(
        select(Applicant).where(Applicant.id.not_in(select(Offer.applicant_id)))
    ).first()
    assert idle is not None and offers.progress(session, idle) == ""
    assert set(offers.LABELS) < set(offers.PROGRESS)
