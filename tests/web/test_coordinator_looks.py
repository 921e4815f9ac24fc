"""Coordinators' pages in a browser: readable by everybody, on a desk and on a phone, in both schemes."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.web.a_round import SERIAL, small_round
from tests.web.browser import Look, Visitors
from tests.web.conftest import PASSWORD
from web import auth, db, plausibility
from web.models import Applicant, OrderClass

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PLAN = ("", "rules/ages", "classes/NEV")
WORK = ("doubts", "supply", "runs")


@pytest.mark.parametrize(("state", "pages"), [("DRAFT", PLAN), ("REVIEW", WORK)])
def test_pages_suit_everybody(
    app: Flask, visitors: Visitors, look: Look, state: str, pages: tuple[str, ...]
) -> None:
    with app.app_context(), db.writing() as session:
        auth.create_user(session, "coord1", PASSWORD, "coordinator")
        round_ = small_round(session, state=state)
        session.query(OrderClass).filter_by(code="NEV").one().programs[0].capacity = 90
        plausibility.doubts(session, round_)
        key = session.query(Applicant).first().key  # type: ignore[union-attr]
    page = visitors("coord1", PASSWORD)
    found = []
    for path in (*pages, f"applicants/{key}") if state == "REVIEW" else pages:
        page.goto(f"/coordinator/rounds/{SERIAL}/{path}")
        found += [
            f"{path}: {line}" for line in look(page, f"{state}-{path.replace('/', '-') or 'round'}")
        ]
    assert not found, "\n".join(found)
