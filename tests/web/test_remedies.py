"""Rechecks that are upheld once confirming has begun: extra seats, the first place, the next best place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher import Tables
from tests.web.a_round import CONFIRMING, FIRST, SECOND, standing
from tests.web.test_rechecks import (
    answered,
    confirmed,
    corrected,
    opened,
    scored,
    the_round,
)
from web import db, jobs, offers, publication, rechecks, remedies, rounds, seats, stages, today
from web.audit import Actor
from web.models import (
    AuditEvent,
    AuditPayload,
    Cap,
    Message,
    Offer,
    Program,
    Publication,
    Recheck,
    Ruling,
)
from web.posting import Refused
from web.reviewing import SecondPerson


@pytest.fixture
def confirming(tmp_path: Path) -> Iterator[Flask]:
    app = standing(tmp_path, "confirming", lambda: CONFIRMING)
    with app.app_context():
        yield app
    app.extensions["orderclass_engine"].dispose()


COLLEGE, ENTERPRISE = Actor("college:u", "college"), Actor("enterprise:e", "enterprise")


def late(remedy: str) -> int:
    ticket = opened("A05", actor=FIRST)
    corrected(ticket, scored("W/culture", "80"))
    with pytest.raises(Refused) as refused:
        answered(ticket)
    assert list(refused.value.problems) == ["remedy"]
    answered(ticket, remedy=remedy)
    confirmed(ticket)
    return ticket


def test_later_nobody_moves_and_a_seat_is_added(confirming: Flask) -> None:
    with db.writing() as session:
        program = session.scalars(select(Program).where(Program.code == "NEV-Y")).one()
        with pytest.raises(stages.NotNow):
            seats.ask(session, program, 4, "复核", COLLEGE)
    ticket = late("seat")
    with db.writing() as session:
        held = session.get_one(Recheck, ticket)
        assert (held.program.code if held.program else "", held.rank) == ("NEV-Y", 1)
        assert remedies.granted(session, held) is None
        program = session.scalars(select(Program).where(Program.code == "NEV-Y")).one()
        other = session.scalars(select(Program).where(Program.code == "CARE")).one()
        with pytest.raises(stages.NotNow):
            seats.ask(session, other, 3, "复核", COLLEGE)
        with pytest.raises(Refused):
            seats.ask(session, program, 5, "复核", COLLEGE)
        change = seats.ask(session, program, 4, "复核成立", COLLEGE)
        assert not seats.agree(session, change, ENTERPRISE)
        assert seats.agree(session, change, FIRST)
    with db.writing() as session:
        held = session.get_one(Recheck, ticket)
        offer = remedies.granted(session, held)
        assert offer is not None and (offer.source, offer.rank, offer.state) == (
            "remedy",
            1,
            "open",
        )
        assert offer.reason == held.number
        told = session.scalars(select(Message).order_by(Message.id.desc())).first()
        assert told is not None and told.code == "offer_made"
        assert "NEV 班" in told.words and "前答复" in told.words
        assert session.query(Publication).count() == 1
        moves = session.query(Offer).filter(Offer.state != "open").count()
        assert moves == 0
        with pytest.raises(Refused):
            remedies.first_instead(session, held, FIRST, "迟了")
        with pytest.raises(stages.NotNow):
            seats.ask(session, offer.program, 5, "又一个", COLLEGE)


def test_no_seat_is_given_to_somebody_who_is_asked_about_another(confirming: Flask) -> None:
    ticket = late("seat")
    with db.writing() as session:
        held = session.get_one(Recheck, ticket)
        other = session.scalars(select(Program).where(Program.code == "ROBO")).one()
        offers.make(session, held.round, held.applicant, other, FIRST, rank=2, source="waiting")
        assert held.program is not None
        change = seats.ask(session, held.program, 4, "复核成立", COLLEGE)
        seats.agree(session, change, ENTERPRISE)
        with pytest.raises(Refused):
            seats.agree(session, change, FIRST)


def test_no_seat_is_given_in_a_class_that_was_closed(confirming: Flask) -> None:
    ticket = late("seat")
    with db.writing() as session:
        program = session.get_one(Recheck, ticket).program
        assert program is not None
        change = seats.ask(session, program, 4, "复核成立", COLLEGE)
        seats.agree(session, change, ENTERPRISE)
        closed(session, program)
        with pytest.raises(Refused, match="停开"):
            seats.agree(session, change, FIRST)


def closed(session: Session, program: Program) -> None:
    """Two people have ruled that its class closes."""
    session.add(
        Ruling(
            order_class_id=program.order_class_id, kind="close", confirmed_people=0, reason="人数不足",
            asked_by=FIRST.name, asked_at=CONFIRMING, confirmed_by=SECOND.name, confirmed_at=CONFIRMING,
        )
    )  # fmt: skip
    session.flush()


def test_the_next_best_place_where_her_class_has_closed(confirming: Flask) -> None:
    """A05 would be at NEV-Y; with NEV closed she would have been nowhere, as ROBO refused her; so the
    run's answer is written here: WELD."""
    ticket = late("first")
    with db.writing() as session:
        held_ticket = session.get_one(Recheck, ticket)
        assert not remedies.stuck(session, held_ticket)
        with pytest.raises(Refused, match="还能办成"):
            remedies.another(session, held_ticket, FIRST, "太早")
        assert held_ticket.program is not None
        closed(session, held_ticket.program)
        assert "停开" in remedies.stuck(session, held_ticket)
        with pytest.raises(Refused, match="原因"):
            remedies.another(session, held_ticket, FIRST, " ")
        remedies.another(session, held_ticket, FIRST, "班级停开")
        assert (held_ticket.state, held_ticket.program_id, held_ticket.remedy) == ("open", None, "")
        assert held_ticket.correction["without"] == ["NEV"]
    assert jobs.work_once()
    with db.writing() as session:
        held_ticket = session.get_one(Recheck, ticket)
        run, who = held_ticket.run, held_ticket.applicant.person.pseudonym
        assert run is not None and run.summary["named"] == {who: ["", None]}
        decisions = Tables.read(jobs.round_folder_of(run))["decisions"].records()
        barred = {
            r["program"] for r in decisions if r["applicant"] == who and r["decision"] == "declined"
        }
        assert barred == {"NEV-X", "NEV-Y"}
        assert rechecks.is_current(session, held_ticket)
        assert rechecks.entitled(session, held_ticket) is None
        run.summary = {**run.summary, "named": {who: ["WELD", 2]}}
    answered(ticket, remedy="seat")
    with pytest.raises(SecondPerson):
        confirmed(ticket, FIRST)
    confirmed(ticket)
    with db.writing() as session:
        held_ticket = session.get_one(Recheck, ticket)
        program = held_ticket.program
        assert program is not None and (program.code, held_ticket.rank) == ("WELD", 2)
        change = seats.ask(session, program, program.capacity + 1, "复核成立", COLLEGE)
        seats.agree(session, change, ENTERPRISE)
        assert seats.agree(session, change, FIRST)
        offer = remedies.granted(session, held_ticket)
        assert offer is not None and (offer.program.code, offer.state) == ("WELD", "open")
    told = [e.action for e in db.reading().scalars(select(AuditEvent).order_by(AuditEvent.id))]
    assert told.count("recheck.confirm") == 2 and "recheck.another" in told


def test_a_class_that_ended_before_the_answer_is_left_out_at_once(confirming: Flask) -> None:
    with db.writing() as session:
        program = session.scalars(select(Program).where(Program.code == "NEV-Y")).one()
        closed(session, program)
    ticket = opened("A05", actor=FIRST)
    corrected(ticket, scored("W/culture", "80"))
    session = db.reading()
    held = session.get_one(Recheck, ticket)
    assert held.run is not None and held.run.corrections[-1]["without"] == ["NEV"]
    assert rechecks.entitled(session, held) is None, "ROBO refused her"


def test_a_class_that_ends_after_the_run_is_seen(confirming: Flask) -> None:
    ticket = opened("A05", actor=FIRST)
    corrected(ticket, scored("W/culture", "80"))
    with db.writing() as session:
        held = session.get_one(Recheck, ticket)
        assert rechecks.is_current(session, held)
        closed(session, session.scalars(select(Program).where(Program.code == "NEV-Y")).one())
        assert not rechecks.is_current(session, held)
        with pytest.raises(rechecks.Outdated):
            rechecks.answer(session, held, "upheld", "查卷后更正。", FIRST, "seat")


def test_todays_list_says_what_is_owed(confirming: Flask) -> None:
    def tasks(code: str) -> list[tuple[str, ...]]:
        return [t.about for t in today.tasks(session, the_round(session)) if t.code == code]

    ticket = late("seat")
    with db.writing() as session:
        held = session.get_one(Recheck, ticket)
        assert tasks("recheck_owed") == [(held.number,)] and not tasks("seat_change")
        assert held.program is not None
        change = seats.ask(session, held.program, 4, "复核成立", COLLEGE)
        assert not tasks("recheck_owed") and tasks("seat_change") == [("NEV-Y",)]
        seats.agree(session, change, ENTERPRISE)
        seats.agree(session, change, FIRST)
        assert not tasks("recheck_owed") and not tasks("seat_change")


def test_the_round_does_not_end_while_a_place_is_owed(confirming: Flask) -> None:
    def owed() -> list[str]:
        found = rounds.obstacles(session, the_round(session), rounds.BY_NAME["finish"], FIRST)
        return [one.about for one in found if one.code == "remedy_owed"]

    ticket = late("seat")
    with db.writing() as session:
        held = session.get_one(Recheck, ticket)
        assert held.program is not None and owed() == [held.number]
        change = seats.ask(session, held.program, 4, "复核成立", COLLEGE)
        seats.agree(session, change, ENTERPRISE)
        assert owed() == [held.number]
        seats.agree(session, change, FIRST)
        assert owed() == []


def test_nobody_is_first_on_a_list_that_has_ended(confirming: Flask) -> None:
    ticket = late("first")
    with db.writing() as session:
        the_round(session).waiting_ended_at = db.now(session)
        held = session.get_one(Recheck, ticket)
        assert "没有轮到她" in remedies.stuck(session, held)
        remedies.another(session, held, FIRST, "递补结束", same=True)
        session.refresh(held)
        assert held.run is not None and not held.run.corrections[-1]["without"]
    assert jobs.work_once()
    with pytest.raises(Refused) as refused:
        answered(ticket, remedy="first")
    assert refused.value.problems["remedy"] == ["递补已结束，只能增加席位。"]
    answered(ticket, remedy="seat")
    confirmed(ticket)
    with db.writing() as session:
        held = session.get_one(Recheck, ticket)
        assert held.program is not None and held.program.code == "NEV-Y"
        with pytest.raises(Refused, match="递补已结束"):
            remedies.first_instead(session, held, FIRST, "企业没有岗位")
        assert "改办" in remedies.stuck(session, held)


def test_an_answer_of_first_is_not_confirmed_once_the_list_has_ended(confirming: Flask) -> None:
    ticket = opened("A05", actor=FIRST)
    corrected(ticket, scored("W/culture", "80"))
    answered(ticket, remedy="first")
    with db.writing() as session:
        the_round(session).waiting_ended_at = db.now(session)
    with pytest.raises(rechecks.Outdated):
        confirmed(ticket)


def test_what_an_extra_seat_exceeds_is_told_and_recorded(confirming: Flask) -> None:
    """The college has 5 beds, all taken: one seat more makes six people."""
    ticket = late("seat")
    with db.writing() as session:
        program = session.get_one(Recheck, ticket).program
        assert program is not None
        over = [(cap.code, number, cap.seats) for cap, number in seats.exceeded(session, program)]
        assert over == [("U1-BEDS", 6, 5)]
        assert "U1-BEDS 将是 6 人，超过 5 人" in seats.warnings(session, program)[0]
        other = session.scalars(select(Program).where(Program.code == "CARE")).one()
        assert seats.warnings(session, other) == []
        roomy = session.scalars(select(Program).where(Program.code == "WELD")).one()
        assert seats.exceeded(session, roomy) == []
        change = seats.ask(session, program, 4, "复核成立", COLLEGE)
        seats.agree(session, change, ENTERPRISE)
        events = session.scalars(select(AuditPayload).order_by(AuditPayload.event_id.desc()))
        assert '"exceeds":{"U1-BEDS":6}' in json.dumps(
            events.first().payload, separators=(",", ":")  # type: ignore[union-attr]
        )  # fmt: skip
        cap = session.scalars(select(Cap).where(Cap.code == "U1-BEDS")).one()
        cap.college_id, cap.programs = None, ["NEV-Y"]
        assert [n for _cap, n in seats.exceeded(session, program)] == []


def test_where_no_seat_can_be_had_she_is_first(confirming: Flask) -> None:
    ticket = late("seat")
    with pytest.raises(Refused), db.writing() as session:
        remedies.first_instead(session, session.get_one(Recheck, ticket), FIRST, "")
    with db.writing() as session:
        remedies.first_instead(session, session.get_one(Recheck, ticket), FIRST, "企业没有岗位")
    session = db.reading()
    held = session.get_one(Recheck, ticket)
    assert (held.state, held.remedy) == ("upheld", "first")
    assert seats.awaiting(session, held.program) is None  # type: ignore[arg-type]


def test_later_a_correction_that_betters_nothing_has_no_remedy(confirming: Flask) -> None:
    ticket = opened("A01", actor=FIRST)
    corrected(ticket, scored("W/culture", "95"))
    answered(ticket)
    confirmed(ticket)
    session = db.reading()
    held = session.get_one(Recheck, ticket)
    assert (held.remedy, held.program_id) == ("none", None)
    assert rechecks.upheld(session, held.round) == []
    run = held.run
    assert run is not None
    with pytest.raises(rounds.Moved), db.writing() as writing:
        publication.approve_successor(writing, the_round(writing), run, SECOND)
