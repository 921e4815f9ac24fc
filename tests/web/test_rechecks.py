"""Rechecks by the services: tickets, what would follow, answers by two, successors, remedies."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web.a_round import FIRST, SECOND, THIRD, published_round, standing
from tests.web.conftest import Clock
from web import audit, calendar, db, jobs, publication, rechecks, rounds, stages
from web.audit import Actor
from web.models import Applicant, Message, Placement, Publication, Recheck, Round
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
