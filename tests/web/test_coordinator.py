"""The coordinator's desk: every page of a round in both languages, its next action, a new round, today."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.a_round import SERIAL, small_round
from tests.web.conftest import Clock
from web import db, policies, rounds
from web.coordinating import obstacles
from web.models import Round

As = Callable[..., FlaskClient]
PAGES = (
    "", "today", "rules", "rules/mechanism", "rules/eligibility", "rules/score", "rules/choices",
    "rules/plan", "rules/reserve", "rules/days", "rules/public", "rules/report", "rules/limits",
    "rules/ages", "rules/channels", "plan", "demands", "supply", "classes/NEV", "reserves", "caps",
    "dates", "records", "seat-changes", "applicants", "decisions", "scores", "doubts", "runs",
    "freeze", "commitment", "draw", "approval", "publish", "motions",
)  # fmt: skip


@pytest.fixture
def first(as_user: As) -> FlaskClient:
    """The first coordinator."""
    return as_user("coordinator", "coord1")


@pytest.fixture
def second(as_user: As) -> FlaskClient:
    """The second coordinator."""
    return as_user("coordinator", "coord2")


def make(app: Flask, **how: object) -> None:
    """The small round, in the database."""
    with app.app_context(), db.writing() as session:
        small_round(session, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["DRAFT", "OPEN", "REVIEW", "FROZEN", "SUSPENDED"])
def test_every_page_of_a_round_opens(app: Flask, first: FlaskClient, state: str) -> None:
    make(app, state=state)
    for lang in ("zh", "en"):
        first.set_cookie("lang", lang)
        for page in PAGES:
            answer = first.get(f"/coordinator/rounds/{SERIAL}/{page}")
            assert answer.status_code == 200, (page, answer.status_code)
            assert answer.text.count("<h1") == 1, page
            assert 'class="next"' in answer.text, page
