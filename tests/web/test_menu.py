"""A coordinator's way through a round: a short line at the top, everything on the overview."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.a_round import SERIAL, small_round
from web import auth, db, rounds
from web.coordinating import menu

AT = f"/coordinator/rounds/{SERIAL}"


@pytest.fixture
def coordinator(app: Flask, as_user: Callable[..., FlaskClient]) -> FlaskClient:
    with app.app_context(), db.writing() as session:
        small_round(session)
    return as_user("coordinator")


def line(page: str) -> list[str]:
    """What the line at the top offers."""
    found = re.search(r'<nav class="round".*?</nav>', page, re.S)
    assert found
    return re.findall(r"<a [^>]*>([^<]+)</a>", found[0])


def test_every_state_has_a_short_line_of_known_pages(app: Flask) -> None:
    assert tuple(menu.USEFUL) == rounds.STATES
    for names in menu.USEFUL.values():
        assert len(names) <= 5 and {f"coordinator.{name}" for name in names} <= menu.NAMES.keys()
    assert menu.NAMES.keys() <= app.view_functions.keys()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_line_follows_the_state(app: Flask, coordinator: FlaskClient) -> None:
    page = coordinator.get(f"{AT}/").text
    assert line(page) == ["概览", "今日待办", "报名与审核", "数字核对", "试算与结果", "全部页面"]
    with app.app_context(), db.writing() as session:
        auth.round_of(SERIAL, session).state = "CONFIRMING"
    shown = line(coordinator.get(f"{AT}/").text)
    assert shown[2:-1] == ["答复情况", "递补与归档", "协议", "报到", "统计"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_page_is_found_on_the_overview_and_says_where_one_is(
    app: Flask, coordinator: FlaskClient
) -> None:
    overview = coordinator.get(f"{AT}/").text
    with app.test_request_context():
        places = [app.url_for(page, serial=SERIAL) for page in menu.NAMES]
    for place in places:
        assert f'href="{place}"' in overview
        page = coordinator.get(place).text
        if '<nav class="round"' in page:
            assert page.count('aria-current="page"') >= 1 and f'href="{place}" aria-current' in page
