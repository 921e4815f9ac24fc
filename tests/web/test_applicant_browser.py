"""An applicant's pages as a phone shows them: readable by everybody, quiet, with and without script."""

from __future__ import annotations

from datetime import date
from typing import Literal

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.web import market
from tests.web.browser import PHONE, Look, Visitors
from tests.web.test_applicant import ME

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
PAGES = (
    "/me/", f"{ME}/step/identity", f"{ME}/step/schooling", f"{ME}/step/groups", f"{ME}/step/consents",
    f"{ME}/evidence", f"{ME}/classes", f"{ME}/classes/K3", f"{ME}/list", f"{ME}/submit", f"{ME}/receipt/1",
    f"{ME}/data", "/account/register", "/account/activate",
)  # fmt: skip


@pytest.fixture(autouse=True)
def in_an_open_round(app: Flask, visitors: Visitors) -> None:
    """Somebody has registered and filled in every step."""
    market.make(app)
    app.config["WTF_CSRF_ENABLED"] = False  # while the way here is prepared
    market.fill(market.register(app))
    app.config["WTF_CSRF_ENABLED"] = True


@pytest.fixture
def phone(visitors: Visitors) -> Page:
    """She, on a phone, logged in."""
    return visitors("2026200001", market.PASSWORD, size=PHONE)


def choose(page: Page, *names: str) -> None:
    for name in names:
        page.goto(f"{ME}/classes")
        page.get_by_role("link", name=name).click()
        with page.expect_navigation():
            page.get_by_role("button", name="填入志愿").click()


def order(page: Page) -> list[str]:
    return [one.get_attribute("value") or "" for one in page.locator("input[name=choice]").all()]


def test_every_page_suits_everybody(phone: Page, look: Look) -> None:
    choose(phone, "模具制造订单班", "护理订单班")
    phone.get_by_role("button", name="保存并去提交").click()
    phone.get_by_role("button", name="提交，让这一份算数").click()
    expect(phone.get_by_role("heading", name="志愿回执")).to_be_visible()
    wrong = []
    for path in PAGES:
        phone.goto(path)
        wrong += look(phone, path.strip("/").replace("/", "-"))
    assert not wrong, "\n".join(wrong)


def test_a_mistake_is_readable_too(visitors: Visitors, look: Look) -> None:
    page = visitors(size=PHONE)
    page.goto("/account/register")
    page.fill("[name=number]", market.number(date(2006, 3, 4))[:-1])
    page.get_by_role("button", name="注册").click()
    expect(page.get_by_text("号码的位数或字符不对")).to_be_visible()
    assert not look(page, "register-wrong")


def test_dragging_saves_like_the_arrows(phone: Page) -> None:
    choose(phone, "模具制造订单班", "护理订单班")
    assert order(phone) == ["K1", "K3"]
    phone.locator("ol[data-sort] li").nth(1).locator("strong").drag_to(
        phone.locator("ol[data-sort] li").nth(0).locator("strong")
    )
    expect(phone.locator("ol[data-sort] li").first).to_contain_text("护理订单班")
    phone.reload()
    assert order(phone) == ["K3", "K1"]


def test_the_list_works_without_scripts(visitors: Visitors) -> None:
    page = visitors("2026200001", market.PASSWORD, size=PHONE, scripts=False)
    choose(page, "模具制造订单班", "护理订单班")
    with page.expect_navigation():
        page.get_by_role("button", name="第 2 志愿上移").click()
    assert order(page) == ["K3", "K1"]
    page.get_by_role("button", name="删除第 2 志愿").click()
    page.get_by_role("button", name="保存并去提交").click()
    page.get_by_role("button", name="提交，让这一份算数").click()
    expect(page.get_by_text("提交成功，这一份算数")).to_be_visible()


def test_the_keyboard_alone_ranks_and_submits(phone: Page) -> None:
    choose(phone, "模具制造订单班", "护理订单班")

    def press(label: str) -> None:
        """Tab until the button is reached, then press it."""
        says = "document.activeElement.ariaLabel || document.activeElement.textContent"
        for _ in range(60):
            phone.keyboard.press("Tab")
            if str(phone.evaluate(says)).strip() == label:
                phone.keyboard.press("Enter")
                return
        raise AssertionError(label)

    press("第 2 志愿上移")
    expect(phone.locator("ol[data-sort] li").first).to_contain_text("护理订单班")
    press("保存并去提交")
    expect(phone.get_by_role("heading", level=1)).to_have_text("提交志愿")
    press("提交，让这一份算数")
    expect(phone.get_by_role("heading", name="志愿回执")).to_be_visible()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_paper_is_black_on_white(phone: Page, scheme: Scheme) -> None:
    phone.goto("/me/")
    phone.emulate_media(media="print", color_scheme=scheme)
    expect(phone.locator("header nav").first).to_be_hidden()
    expect(phone.get_by_role("button")).to_have_count(0)
    inks = phone.evaluate(
        "[...document.querySelectorAll('main *')].map(e => getComputedStyle(e).color)"
    )
    assert set(inks) == {"rgb(0, 0, 0)"}


def test_targets_are_wide_enough_for_a_thumb(phone: Page) -> None:
    choose(phone, "模具制造订单班")
    for button in phone.locator("main button:visible").all():
        box = button.bounding_box()
        assert box and box["height"] >= 44 and box["width"] >= 44, button.inner_text()
    size = phone.evaluate("parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)")
    assert size >= 18
