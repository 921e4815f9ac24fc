"""The demo: both rounds stand, everybody gets in, nothing of it can be mistaken for a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from web import audit, choices, commands, create_app, db, demo, publication, rounds
from web.models import Applicant, ChoiceList, Placement, Round, User


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "instance"


@pytest.fixture(scope="module")
def shown(instance: Path) -> Iterator[Flask]:
    """The demo, filled once for this file."""
    app = demo.prepared(create_app, instance)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    yield app
    app.extensions["orderclass_engine"].dispose()


def test_one_round_is_open_and_one_is_published(shown: Flask) -> None:
    with shown.app_context():
        session = db.reading()
        states = {r.serial: rounds.by_the_clock(session, r) for r in session.scalars(select(Round))}
        assert states == {demo.PUBLISHED: "PUBLISHED", demo.OPEN: "OPEN"}
        lists = session.scalar(
            select(func.count(ChoiceList.id)).join(Applicant).join(Round)
            .where(Round.serial == demo.OPEN, ChoiceList.number == choices.DRAFT)
        )  # fmt: skip
        assert lists == demo.DRAFTS


def test_what_is_published_was_proved(shown: Flask) -> None:
    with shown.app_context():
        session = db.reading()
        round_ = session.scalars(select(Round).where(Round.serial == demo.PUBLISHED)).one()
        held = publication.publication_of(session, round_)
        assert held is not None and publication.bundle_path(held).exists()
        assert held.run.state == "VERIFIED" and held.run.summary["publishable"]
        placed = session.scalar(
            select(func.count(Placement.id)).where(Placement.program_id.is_not(None))
        )
        assert placed and placed > 3500
        assert list(audit.broken(session)) == []


def test_everybody_gets_in_and_is_told_that_it_is_a_demo(shown: Flask) -> None:
    with shown.app_context():
        names = [name for name, _office in demo.logins()]
    assert {"coordinator1", "coordinator2", "applicant1", "applicant2"} <= set(names)
    for name in names:
        client = shown.test_client()
        client.post("/login", data={"username": name, "password": demo.PASSWORD})
        page = client.get("/start", follow_redirects=True)
        assert page.status_code == 200 and "演示数据" in page.text, name


def test_applicants_are_in_both_rounds(shown: Flask) -> None:
    with shown.app_context():
        session = db.reading()
        people = session.scalars(select(User).where(User.person_id.is_not(None))).all()
        for user in people:
            serials = session.scalars(
                select(Round.serial).join(Applicant).where(Applicant.person_id == user.person_id)
            )
            assert set(serials) == {demo.PUBLISHED, demo.OPEN}


def test_a_second_time_nothing_is_made_anew(shown: Flask, instance: Path) -> None:
    before = (instance / demo.STARTED).read_text()
    again = demo.prepared(create_app, instance)
    with again.app_context():
        assert len(db.reading().scalars(select(Round)).all()) == 2
        assert commands.schema_of()[0] is not None
    again.extensions["orderclass_engine"].dispose()
    assert (instance / demo.STARTED).read_text() == before


def test_what_it_is_made_of_decides_whether_it_stands(
    shown: Flask, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert demo.stands(instance) and not demo.stands(instance / "nowhere")
    monkeypatch.setattr(demo, "made_of", lambda: "other")
    assert not demo.stands(instance)


def test_its_clock_goes_on_from_a_fixed_day(shown: Flask, instance: Path) -> None:
    moment = demo.clock(instance)
    assert moment is not None
    passed = moment() - demo.TODAY
    assert 0 <= passed.total_seconds() < 3600
    assert demo.clock(instance / "nowhere") is None


def test_it_fills_no_database_that_holds_something(shown: Flask) -> None:
    with shown.app_context(), pytest.raises(demo.NotEmpty):
        demo.fill()


def test_the_command_prints_the_logins(shown: Flask, instance: Path) -> None:
    with shown.app_context():
        said = shown.test_cli_runner().invoke(args=["demo"])
    assert said.exit_code == 0, said.output
    assert "coordinator2" in said.output and demo.PASSWORD in said.output
    assert "2026-07-06" in said.output
