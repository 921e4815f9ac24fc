"""Answering as a phone shows it, without script too; and the offices' lists, at a desk and on a phone."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select

from tests.web.browser import PHONE, Look, Visitors
from tests.web.conftest import PASSWORD
from tests.web.test_offer_pages import COORDINATOR, ME, WAITING, app, clock
from web import auth, db
from web.models import Applicant, Offer

__all__ = ["app", "clock"]


@pytest.fixture
def offered(app: Flask) -> Offer:
    """Somebody who is asked, with an account; and a coordinator."""
    with app.app_context(), db.writing() as session:
        one = session.scalars(select(Offer).where(WAITING)).one()
        mine = session.get_one(Applicant, one.applicant_id)
        auth.create_user(session, "asked", PASSWORD, "applicant", person_id=mine.person_id)
        auth.create_user(session, "coordinator1", PASSWORD, "coordinator")
    return one


def buttons(page: Page) -> dict[str, float]:
    """The buttons of the page itself, with their heights."""
    found = page.locator("main button")
    return {
        str(one.inner_text()): float((one.bounding_box() or {"height": 0})["height"])
        for one in found.all()
    }


@pytest.mark.parametrize("scripts", [True, False])
def test_she_answers_on_a_phone(offered: Offer, visitors: Visitors, scripts: bool) -> None:
    page = visitors("asked", PASSWORD, size=PHONE, scripts=scripts)
    with page.expect_navigation():
        page.get_by_role("button", name="去答复").click()
    assert list(buttons(page)) == ["接受", "接受并候补", "放弃录取"]
    assert min(buttons(page).values()) >= 44
    page.get_by_role("button", name="放弃录取").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("真的放弃吗？")
    page.get_by_role("button", name="不放弃，回去").click()
    page.get_by_role("button", name="接受并候补").click()
    expect(page.get_by_text("已确认并候补")).to_be_visible()


def test_the_pages_can_be_read_by_everybody(offered: Offer, visitors: Visitors, look: Look) -> None:
    her = visitors("asked", PASSWORD, size=PHONE)
    wrong = []
    for name, path in (
        ("home", "/me/"), ("result", f"{ME}/result"), ("offers", f"{ME}/offers"),
        ("decline", f"{ME}/offers/{offered.key}/decline"),
    ):  # fmt: skip
        her.goto(path)
        wrong += look(her, f"offer-{name}")
    her.goto(f"{ME}/offers")
    with her.expect_navigation():
        her.get_by_role("button", name="接受", exact=True).click()
    wrong += look(her, "offer-receipt")
    her.goto(f"{ME}/offers")
    wrong += look(her, "offer-answered")
    staff = visitors("coordinator1", PASSWORD)
    for name, path in (
        ("list", f"{COORDINATOR}/offers?show=all"), ("one", f"{COORDINATOR}/offers/{offered.key}"),
    ):  # fmt: skip
        staff.goto(path)
        wrong += look(staff, f"office-{name}")
    staff.goto(f"{COORDINATOR}/offers")
    staff.get_by_role("button", name="打印（含电话）").click()
    expect(staff.get_by_role("heading", level=1)).to_have_text("联系名单")
    wrong += look(staff, "office-print")
    assert not wrong, "\n".join(wrong)
