"""The public draw: forms checked in words, two people, and a seed that nobody chose."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.web.a_round import DICE, FIRST, SECOND, standing
from tests.web.conftest import Clock
from web import audit, db, draw, jobs, rounds, snapshot
from web.audit import Actor
from web.models import AuditEvent, Draw, Round, Run

KL8 = " ".join(f"{n:02}" for n in range(3, 80, 4))


@pytest.fixture
def frozen(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    app = standing(tmp_path, "frozen", clock)
    with app.app_context():
        yield app
    app.extensions["orderclass_engine"].dispose()


def enter(kind: str = "dice", issue: str = "", value: str = DICE, witnesses: str = "甲",
          actor: Actor = FIRST) -> Draw:  # fmt: skip
    with db.writing() as session:
        return draw.enter(session, session.query(Round).one(), kind, issue, value, witnesses, actor)


def confirm(value: str = DICE, actor: Actor = SECOND) -> Draw:
    with db.writing() as session:
        return draw.confirm(session, session.query(Round).one(), value, actor)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("dice", DICE), ("dice", " 01234 56789 ０１２３４\n56789 "), ("witnessed", DICE), ("kl8", KL8),
     ("kl8", KL8.replace(" ", ",")), ("kl8", KL8.replace(" ", "，"))],
)  # fmt: skip
def test_a_value_of_its_kind_is_taken(kind: str, value: str) -> None:
    assert draw.problems(kind, value) == []


@pytest.mark.parametrize(
    ("kind", "value", "word"),
    [
        ("dice", DICE[:-1], "19"),
        ("dice", DICE + "1", "21"),
        ("dice", DICE[:-1] + "x", "数字"),
        ("dice", "", "0 位"),
        ("witnessed", "12", "2 位"),
        ("kl8", KL8[:-3], "19"),
        ("kl8", KL8 + " 80", "21"),
        ("kl8", KL8.replace("03", "3 "), "两位"),
        ("kl8", KL8.replace("79", "81"), "81"),
        ("kl8", KL8.replace("03", "00"), "00"),
        ("kl8", KL8.replace("07", "03"), "重复"),
        ("kl8", " ".join(reversed(KL8.split())), "由小到大"),
        ("coin", "1", "方式"),
    ],
)  # fmt: skip
def test_every_other_value_is_refused_in_words(
    frozen: Flask, kind: str, value: str, word: str
) -> None:
    assert word in " ".join(draw.problems(kind, value))


def test_an_issue_is_of_kl8_alone(frozen: Flask) -> None:
    assert draw.issue_problems("kl8", "2026123") == draw.issue_problems("dice", "") == []
    assert draw.issue_problems("kl8", "12x")
    assert draw.issue_problems("dice", "2026123")


@pytest.mark.parametrize(
    ("kind", "issue", "value", "witnesses"),
    [("witnessed", "", DICE, " "), ("kl8", "", KL8, ""), ("dice", "", "1", "")],
)
def test_what_is_not_whole_is_not_stored(
    frozen: Flask, kind: str, issue: str, value: str, witnesses: str
) -> None:
    with pytest.raises(draw.NotADraw):
        enter(kind, issue, value, witnesses)
    assert db.reading().query(Draw).count() == 0


@pytest.mark.parametrize(
    ("kind", "issue", "value"),
    [("dice", "", DICE), ("kl8", "2026123", KL8), ("witnessed", "", DICE)],
)
def test_two_people_make_the_seed_and_the_run_proves_it(
    frozen: Flask, kind: str, issue: str, value: str
) -> None:
    enter(kind, issue, value)
    held = confirm(value)
    digest = db.reading().query(snapshot.Snapshot).one().digest
    text = ",".join([issue, *value.split()]) if kind == "kl8" else value
    expected = hashlib.sha256(f"orderclass-seed-1|{digest}|{text}".encode()).hexdigest()
    assert held.seed == expected
    round_ = db.reading().query(Round).one()
    assert (round_.state, round_.drawn_at) == ("DRAWN", held.confirmed_at)
    if kind == "kl8":
        assert jobs.work_once()
        run = db.reading().query(Run).one()
        assert (run.state, run.summary["publishable"], run.error) == ("VERIFIED", True, "")
        assert {c["status"] for c in run.summary["claims"]} == {"PROVED"}


def test_one_person_is_not_two(frozen: Flask) -> None:
    with pytest.raises(draw.NotNow):
        confirm()
    enter()
    with pytest.raises(draw.SamePerson):
        confirm(actor=FIRST)
    with pytest.raises(rounds.Blocked):
        confirm(actor=Actor("bureau:b", "bureau"))
    assert db.reading().query(Round).one().state == "FROZEN"


def test_a_different_second_value_is_refused_and_on_record(frozen: Flask) -> None:
    enter()
    with pytest.raises(draw.Differs):
        confirm(DICE[::-1])
    round_ = db.reading().query(Round).one()
    assert round_.state == "FROZEN"
    events = db.reading().scalars(select(AuditEvent.action).order_by(AuditEvent.id.desc())).first()
    assert events == "draw.differs"
    assert list(audit.broken(db.reading())) == []
    enter(value=DICE[::-1])  # the first person was wrong, and types it anew
    assert confirm(DICE[::-1]).value == DICE[::-1]


def test_a_confirmed_draw_stays(frozen: Flask) -> None:
    enter()
    confirm()
    with pytest.raises(rounds.Moved):
        enter(value=DICE[::-1])
    with pytest.raises(draw.NotNow):
        confirm()


def test_no_draw_within_a_day_of_the_commitment(frozen: Flask, clock: Clock) -> None:
    with db.writing() as session:
        session.query(Round).one().demo = False
    with pytest.raises(rounds.Blocked) as blocked:
        enter()
    assert [o.code for o in blocked.value.obstacles] == ["a_day_after_commitment"]
    clock.forward(days=1)
    enter()
    confirm()


def test_the_draw_must_stand_when_it_is_typed_again(frozen: Flask) -> None:
    enter()
    with db.writing() as session:
        session.query(Draw).one().confirmed_at = db.now(session)
    with pytest.raises(draw.NotNow):
        enter()
