"""One address may send the forms of strangers often, but not without end."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from tests.web import market
from web import create_app, limits

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
FORMS = {
    "security.login": ("/login", {"username": "a", "password": "b"}),
    "account.register": ("/account/register", {"round": "2026-1"}),
    "account.activate": ("/account/activate", {"number": "1", "code": "2"}),
    "public.lookup": ("/lookup", {"code": "0000-0000-0000-0000"}),
}


@pytest.fixture
def limited(app: Flask, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application with limits, of three a minute each."""
    market.make(app)
    monkeypatch.setattr(limits, "LIMITS", dict.fromkeys(limits.LIMITS, "3 per minute"))
    return create_app(
        {"INSTANCE": tmp_path, "DATABASE_URL": database, "DEMO": True, "TESTING": True,
         "WTF_CSRF_ENABLED": False, "CLOCK": app.config["CLOCK"], "RATE_LIMITS": True}
    )  # fmt: skip


@pytest.mark.parametrize("endpoint", FORMS)
def test_the_fourth_form_in_a_minute_is_told_to_wait(limited: Flask, endpoint: str) -> None:
    client = limited.test_client()
    path, form = FORMS[endpoint]
    assert {client.post(path, data=form).status_code for _ in range(3)} == {200}
    answer = client.post(path, data=form)
    assert answer.status_code == 429 and 1 <= int(answer.headers["Retry-After"]) <= 61
    assert "请求太频繁" in answer.text and "请等一分钟再试" in answer.text
    client.set_cookie("lang", "en")
    page = client.post(path, data=form).text.split("<main", 1)[1]
    assert "please wait a minute" in page
    assert client.get(path).status_code == 200, "reading is not limited"
    elsewhere = {"REMOTE_ADDR": "10.0.0.9"}
    assert client.post(path, data=form, environ_base=elsewhere).status_code == 200


def test_each_form_is_counted_apart(limited: Flask) -> None:
    client = limited.test_client()
    for path, form in FORMS.values():
        assert {client.post(path, data=form).status_code for _ in range(3)} == {200}


def test_limits_are_on_outside_tests_and_generous(app: Flask) -> None:
    client = app.test_client()
    path, form = FORMS["public.lookup"]
    assert {client.post(path, data=form).status_code for _ in range(70)} == {200}
    assert not app.config["RATE_LIMITS"]
    assert set(FORMS) < set(limits.LIMITS) <= set(app.view_functions)
    for limit in limits.LIMITS.values():
        minute, hour = (int(part.split()[0]) for part in limit.split(";"))
        assert minute >= 60 and hour >= 600  # a room of sixty may come at once
