"""The pages as a browser shows them: quiet, readable by everybody, in both languages."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Error, Page, expect

from tests.web.browser import PHONE, Look, Visitors, axe
from tests.web.conftest import PASSWORD
from web import auth, db

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
pytestmark = one_database


def test_somebody_logs_in_and_out_again(visitors: Visitors, app: Flask) -> None:
    with app.app_context(), db.writing() as session:
        auth.create_user(session, "coord", PASSWORD, "coordinator", name="张协调")
    page = visitors("coord", PASSWORD, size=PHONE)
    expect(page).to_have_url(visitors.address + "/coordinator/")
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("link", name="登录")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/login"])
def test_pages_for_everybody_suit_everybody(page: Page, look: Look, path: str) -> None:
    page.goto(path)
    assert not look(page, "home" if path == "/" else path.strip("/"))


def test_the_keyboard_alone_reaches_the_text_first(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/#main")


def test_everything_works_without_scripts(visitors: Visitors) -> None:
    page = visitors(scripts=False)
    page.goto("/login")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="中文")).to_be_visible()


def test_what_is_wrong_with_a_page_is_seen(visitors: Visitors) -> None:
    page = visitors()
    page.goto("/")
    page.evaluate("document.querySelector('main').innerHTML = '<img src=/icon.svg><h4>4</h4>'")
    assert any("image-alt" in line for line in axe(page))
    page.evaluate("console.log('a line')")
    page.evaluate("setTimeout(() => nothing())")
    page.wait_for_timeout(100)
    page.route("http://192.0.2.1/", lambda route: route.abort())
    with pytest.raises(Error):
        page.goto("http://192.0.2.1/")
    kinds = {line.split(":")[0] for line in visitors.wrong}
    assert kinds == {"console", "script", "request to another host"}
    visitors.wrong.clear()
