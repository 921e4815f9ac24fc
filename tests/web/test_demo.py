"""The demo: its rounds stand, everybody gets in, nothing of it can be mistaken for a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from web import audit, choices, commands, create_app, db, demo, publication, rounds
from web.models import (
    Agreement,
    Applicant,
    ChoiceList,
    Enrolment,
    Message,
    Offer,
    Placement,
    Program,
    Recheck,
    Round,
    User,
    WaitingStep,
)

APPLICANTS = tuple(f"applicant{n}" for n in range(1, 6))


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


def test_one_round_is_open_one_published_one_confirming(shown: Flask) -> None:
    with shown.app_context():
        session = db.reading()
        states = {r.serial: rounds.by_the_clock(session, r) for r in session.scalars(select(Round))}
        assert states == {
            demo.PUBLISHED: "PUBLISHED", demo.OPEN: "OPEN", demo.CONFIRMING: "CONFIRMING",
        }  # fmt: skip
        lists = session.scalar(
            select(func.count(ChoiceList.id)).join(Applicant).join(Round)
            .where(Round.serial == demo.OPEN, ChoiceList.number == choices.DRAFT)
        )  # fmt: skip
        assert lists == demo.DRAFTS
        for program in session.scalars(select(Program)):
            assert program.demand and program.demand.round_id == program.order_class.round_id


def test_what_is_published_was_proved(shown: Flask) -> None:
    with shown.app_context():
        session = db.reading()
        round_ = session.scalars(select(Round).where(Round.serial == demo.PUBLISHED)).one()
        held = publication.publication_of(session, round_)
        assert held is not None and publication.bundle_path(held).exists()
        assert held.run.state == "VERIFIED" and held.run.summary["publishable"]
        placed = session.scalar(
            select(func.count(Placement.id)).where(
                Placement.program_id.is_not(None), Placement.publication_id == held.id
            )
        )
        assert placed and placed > 3500
        assert list(audit.broken(session)) == []


def test_everything_after_publication_can_be_seen(shown: Flask) -> None:
    with shown.app_context():
        session = db.reading()
        round_ = session.scalars(select(Round).where(Round.serial == demo.CONFIRMING)).one()
        offers = session.scalars(select(Offer).where(Offer.round_id == round_.id)).all()
        found = {(offer.source, offer.state) for offer in offers}
        assert found >= {("result", "open"), ("result", "accepted"), ("result", "declined"),
                         ("result", "waiting"), ("waiting", "open"), ("waiting", "accepted")}  # fmt: skip
        assert all(offer.due_at > demo.TODAY for offer in offers if offer.state == "open")
        step = session.scalars(select(WaitingStep)).one()
        assert step.counts["called"] == sum(o.source == "waiting" for o in offers) > 5
        signed = {len(held.signatures): held.state for held in session.scalars(select(Agreement))}
        assert signed.keys() >= {0, 1, 2, 3} and "effective" in signed.values()
        came = set(session.scalars(select(Enrolment.offer_id)))
        effective = select(Agreement.offer_id).where(Agreement.state == "effective")
        assert came and came <= set(session.scalars(effective)), "nobody checks in before signing"
        tickets = session.execute(select(Round.serial, Recheck.state).join(Round)).all()
        assert sorted(map(tuple, tickets)) == [(demo.CONFIRMING, "open"), (demo.PUBLISHED, "open")]
        codes = set(session.scalars(select(Message.code)))
        assert codes >= {"offer_made", "waiting_offer", "agreement_ready", "agreement_effective",
                         "check_in", "recheck_received"}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("applicant3", "前答复录取"),
        ("applicant4", "请读三方协议并确认"),
        ("applicant5", "已确认并候补"),
        ("applicant2", "申请复核"),
    ],
)
def test_applicants_have_something_to_do(shown: Flask, name: str, said: str) -> None:
    client = shown.test_client()
    client.post("/login", data={"username": name, "password": demo.PASSWORD})
    assert said in client.get("/start", follow_redirects=True).text


def test_everybody_gets_in_and_is_told_that_it_is_a_demo(shown: Flask) -> None:
    with shown.app_context():
        names = [name for name, _office in demo.logins()]
    assert {"coordinator1", "coordinator2", *APPLICANTS} <= set(names)
    for name in names:
        client = shown.test_client()
        client.post("/login", data={"username": name, "password": demo.PASSWORD})
        page = client.get("/start", follow_redirects=True)
        assert page.status_code == 200 and "演示数据" in page.text, name


def test_applicants_are_in_the_rounds_that_they_show(shown: Flask) -> None:
    with shown.app_context():
        session = db.reading()
        people = session.scalars(select(User).where(User.person_id.is_not(None))).all()
        for user in people:
            wanted = (
                {demo.PUBLISHED, demo.OPEN}
                if user.username in APPLICANTS[:2]
                else {demo.CONFIRMING}
            )
            serials = session.scalars(
                select(Round.serial).join(Applicant).where(Applicant.person_id == user.person_id)
            )
            assert set(serials) == wanted


def test_a_second_time_nothing_is_made_anew(shown: Flask, instance: Path) -> None:
    before = (instance / demo.STARTED).read_text()
    again = demo.prepared(create_app, instance)
    with again.app_context():
        assert len(db.reading().scalars(select(Round)).all()) == 3
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
