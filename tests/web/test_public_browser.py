"""The public pages as a browser shows them, of a round in its notice period."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.web.a_round import SERIAL, standing
from tests.web.browser import PHONE, Look, Visitors
from tests.web.conftest import Clock
from web import db
from web.models import Applicant, ChoiceList

AT = f"/rounds/{SERIAL}"
PAGES = {
    "home": "/", "round": AT, "plan": AT + "/plan", "rules": AT + "/rules", "draw": AT + "/draw",
    "notice": AT + "/notice", "result": AT + "/result", "check": "/how-to-check", "lookup": "/lookup",
}  # fmt: skip


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    """A round in its notice period."""
    made = standing(tmp_path / "published", "published", clock)
    yield made
    made.extensions["orderclass_engine"].dispose()


def test_every_public_page_suits_everybody(visitors: Visitors, look: Look) -> None:
    page = visitors()
    wrong = []
    for name, address in PAGES.items():
        page.goto(address)
        wrong += look(page, f"public-{name}")
    english = visitors(language="en", size=PHONE)
    for name in ("round", "result", "check"):
        english.goto(PAGES[name])
        wrong += look(english, f"public-{name}-en")
    assert not wrong, "\n".join(wrong)


def test_a_visitor_finds_a_class_and_a_receipt_without_scripts(
    visitors: Visitors, app: Flask, look: Look
) -> None:
    with app.app_context():
        held = (
            db.reading().query(ChoiceList).join(Applicant).filter(Applicant.number == "A01").one()
        )
        code = held.receipt or ""
    page = visitors(size=PHONE, scripts=False)
    page.goto(PAGES["plan"])
    page.get_by_label("查找班级").fill("正和")
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_role("article")).to_have_count(2)
    page.goto("/lookup")
    page.get_by_label("查询码").fill("1111")
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_text("查不到")).to_be_visible()
    page.get_by_label("查询码").fill(code)
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_text("第 1 志愿")).to_be_visible()
    with_scripts = visitors(size=PHONE)
    with_scripts.goto("/lookup")
    with_scripts.get_by_label("查询码").fill(code)
    with with_scripts.expect_navigation():
        with_scripts.get_by_role("button", name="查询").click()
    assert not look(with_scripts, "public-found")
