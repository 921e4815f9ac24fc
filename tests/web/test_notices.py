"""A cut of seats is told to an applicant on her pages until she has read it."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.web import market
from tests.web.conftest import Clock
from web import db, seats
from web.audit import Actor
from web.models import Applicant, AuditEvent, ChoiceList, Notice, Program

ME = "/me/2026-1"
SIDES = [Actor(f"{role}:x", role) for role in ("college", "enterprise", "coordinator")]


@pytest.fixture
def told(app: Flask) -> FlaskClient:
    """Somebody who listed K3's second seats, which were then cut from 20 to 8."""
    market.make(app)
    client = market.register(app)
    market.fill(client)
    client.post(f"{ME}/list/add", data={"code": "K3-2"})
    with app.app_context(), db.writing() as session:
        program = session.scalars(select(Program).where(Program.code == "K3-2")).one()
        change = seats.ask(session, program, 8, "订单减少", SIDES[0])
        assert [seats.agree(session, change, side) for side in SIDES[1:]] == [False, True]
    return client


def path(page: str) -> str:
    found = re.search(rf'action="({ME}/notices/[^"]+)"', page)
    assert found
    return found[1]


def test_a_cut_is_shown_with_its_numbers_and_a_way_until_it_is_dismissed(
    app: Flask, told: FlaskClient, clock: Clock
) -> None:
    for address in ("/me/", f"{ME}/list"):
        page = told.get(address).text
        assert "护理订单班（K3-2）" in page and "席位由 20 个减为 8 个。" in page
        assert "截止前可以改志愿" in page
        assert page.count("<h1") == 1
    told.set_cookie("lang", "en")
    page = told.get("/me/").text
    assert "cut from 20 to 8" in page and "until the deadline" in page
    told.delete_cookie("lang")
    clock.forward(days=20)
    assert "志愿已截止，有疑问请到柜台" in told.get(f"{ME}/list").text
    assert told.post(path(told.get("/me/").text)).status_code == 302
    assert "席位减少" not in told.get("/me/").text + told.get(f"{ME}/list").text
    with app.app_context():
        actions = db.reading().scalars(select(AuditEvent.action)).all()
        assert actions.count("notice.dismiss") == 1
        assert db.reading().scalars(select(Notice)).one().dismissed_at == clock.moment


def test_dismissing_twice_is_recorded_once_and_nobody_dismisses_for_another(
    app: Flask, told: FlaskClient
) -> None:
    address = path(told.get("/me/").text)
    other = market.register(app, name="李小红", serial=3)
    assert other.post(address).status_code == 404
    assert "席位减少" not in other.get("/me/").text
    assert told.post(f"{ME}/notices/unknown").status_code == 404
    assert {told.post(address).status_code for _ in range(2)} == {302}
    with app.app_context():
        actions = db.reading().scalars(select(AuditEvent.action)).all()
        assert actions.count("notice.dismiss") == 1


def test_an_office_that_types_for_her_sees_it_and_cannot_dismiss_it(
    app: Flask, told: FlaskClient, as_user: object
) -> None:
    with app.app_context(), db.writing() as session:
        mine = session.scalars(select(Applicant)).one()
        mine.entered_by = "coordinator:coordinator1"
        key = mine.key
        assert session.scalars(select(ChoiceList)).one().choices == ["K3-2"]
    page = as_user("coordinator").get(f"/account/assist/{key}/list").text  # type: ignore[operator]
    assert "席位由 20 个减为 8 个。" in page and "/notices/" not in page
