"""Pages of agreements and check-in in a browser: readable by everybody, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.web import signed
from tests.web.a_round import CONFIRMING, FIRST, standing
from tests.web.browser import PHONE, Look, Visitors
from tests.web.conftest import PASSWORD
from web import agreement_texts, agreements, db, enrolment
from web.models import Agreement, Offer, Program


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The round in its confirming days; most agreements are made, one waits for a change."""
    made = standing(tmp_path, "confirming", lambda: CONFIRMING)
    with made.app_context(), db.writing() as session:
        signed.dates(session)
        signed.hold_all(session)
        agreements.make_due(session, signed.the_round(session))
    yield made


def test_pages_suit_everybody(app: Flask, visitors: Visitors, look: Look) -> None:
    with app.app_context(), db.writing() as session:
        one, other = session.scalars(
            select(Agreement).join(Offer).join(Program).where(Program.code == "NEV-X")
        ).all()[:2]
        one.offer.applicant.person.birth_date = date(2009, 3, 1)
        one.guardian_needed = True
        place, who = one.offer, one.offer.applicant.number
        course = place.program.order_class
        enrolment.arrange(session, course, course.version, date(2026, 6, 9), date(2026, 6, 9),
                          "东校区体育馆，每天 8:30–17:00", "身份证、户口簿", signed.U1)  # fmt: skip
        agreements.ask(session, other, "change", "岗位调整", other.version, signed.X)
        agreements.ask(session, one, "change", "换岗位", one.version, signed.X)
        agreements.drop(session, one, signed.X)
        enrolment.check_in(session, [other.offer_id], date(2026, 6, 9), signed.U1)
        enrolment.ask_undo(session, other.offer, "没有来", signed.U1)
        agreement_texts.propose(session, agreement_texts.first() + "另一条。", "补充", FIRST, 1)
        keys = (one.key, other.key, place.key, other.offer.key, course.code)
    one_key, other_key, place_key, other_place, code = keys
    pages = {
        "u1": ("/college/2026-1/agreements", f"/college/agreements/{one_key}",
               f"/college/agreements/{other_key}", "/college/2026-1/check-in",
               f"/college/2026-1/check-in/{code}", f"/college/places/{place_key}",
               f"/college/places/{other_place}", f"/college/2026-1/classes/{code}/days"),
        "c1": ("/coordinator/rounds/2026-1/agreements", "/coordinator/agreement-text",
               "/coordinator/agreement-text/2"),
        who: ("/me/", "/me/2026-1/agreement", "/me/2026-1/check-in"),
    }  # fmt: skip
    login, found = signed.logins(app), []
    app.config["WTF_CSRF_ENABLED"] = False
    for name in pages:
        login(name)
    app.config["WTF_CSRF_ENABLED"] = True
    for name, paths in pages.items():
        page = visitors(name, PASSWORD, size=PHONE) if name == who else visitors(name, PASSWORD)
        for path in paths:
            page.goto(path)
            found += [f"{path}: {line}" for line in look(page, path.strip("/").replace("/", "-"))]
    assert not found, "\n".join(found)
