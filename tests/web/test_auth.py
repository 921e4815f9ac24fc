"""Logging in: what the two answers are, who slows down, and which pages are whose."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from passlib.totp import TOTP
from werkzeug.test import TestResponse as Response

from tests.web.conftest import PASSWORD, Clock
from web import auth, db

REFUSED, SLOWED = "账号或密码不对", "输错次数太多，请 15 分钟后再试"
HOMES = {"coordinator": "/coordinator/", "college": "/college/", "enterprise": "/enterprise/",
         "district": "/district/", "bureau": "/bureau/", "auditor": "/bureau/", "applicant": "/me/"}  # fmt: skip


@pytest.mark.parametrize(("role", "home"), HOMES.items())
def test_each_role_comes_to_its_own_page(
    role: str, home: str, as_user: Callable[..., FlaskClient]
) -> None:
    client = as_user(role)
    assert client.get("/start").headers["Location"] == home


def test_a_name_is_found_whatever_its_case(app: Flask, as_user: Callable[..., FlaskClient]) -> None:
    as_user("coordinator", "coord")
    answer = app.test_client().post("/login", data={"username": " Coord ", "password": PASSWORD})
    assert answer.status_code == 302


def test_a_wrong_name_and_a_wrong_password_get_one_answer(
    client: FlaskClient, as_user: Callable[..., FlaskClient]
) -> None:
    as_user("coordinator", "coord")
    mark = re.compile(r'<input[^>]*name="csrf_token"[^>]*>')  # it holds the second it was made
    pages = [
        mark.sub("", client.post("/login", data={"username": name, "password": "no"}).text)
        for name in ("coord", "nobody")
    ]
    assert all(REFUSED in page for page in pages)
    assert pages[0].replace("coord", "nobody") == pages[1]


def test_ten_refusals_slow_an_account_down_for_a_while(
    client: FlaskClient, as_user: Callable[..., FlaskClient], clock: Clock
) -> None:
    as_user("coordinator", "coord")
    for _ in range(auth.FAILURES):
        client.post("/login", data={"username": "coord", "password": "no"})
    right = {"username": "coord", "password": PASSWORD}
    assert SLOWED in client.post("/login", data=right).text
    clock.forward(minutes=16)
    assert client.post("/login", data=right).status_code == 302


def test_success_forgets_the_failures(
    app: Flask, client: FlaskClient, as_user: Callable[..., FlaskClient]
) -> None:
    as_user("coordinator", "coord")
    for _ in range(auth.FAILURES - 1):
        client.post("/login", data={"username": "coord", "password": "no"})
    client.post("/login", data={"username": "coord", "password": PASSWORD})
    client.post("/logout")
    client.post("/login", data={"username": "coord", "password": "no"})
    with app.app_context():
        assert not auth.slowed_down("coord")


def test_an_idle_office_is_logged_out(as_user: Callable[..., FlaskClient], clock: Clock) -> None:
    client = as_user("coordinator")
    assert client.get("/coordinator/").status_code == 200
    clock.forward(minutes=29)
    assert client.get("/coordinator/").status_code == 200
    clock.forward(minutes=31)
    client.get("/static/site.css").close()
    late = client.post("/coordinator/settings", data={"organiser": "别人"})
    assert late.status_code == 401, "what was asked for is not done any more"
    assert "别人" in late.text, "and what was typed is not lost"
    assert client.get("/coordinator/").status_code == 302


# --- the second factor ------------------------------------------------------------------------


@pytest.fixture
def strict(app: Flask) -> Iterator[Flask]:
    """The application as it is outside of the demo."""
    app.config.update(DEMO=False)
    yield app


def login(client: FlaskClient, name: str = "coord") -> Response:
    return client.post("/login", data={"username": name, "password": PASSWORD})


def code_of(key: str, ahead: int = 0) -> str:
    """What an authenticator shows, some half minutes from now."""
    made = TOTP(key=key).generate(time=time.time() + 30 * ahead)
    return str(made.token)


def set_up(client: FlaskClient) -> str:
    """Log in for the first time and set up the second factor; the key."""
    assert login(client).headers["Location"].startswith("/tf-setup")
    assert "开始设置" in client.get("/tf-setup").text
    page = client.post("/tf-setup", data={"setup": "authenticator"}).text
    picture = client.get("/second-factor.svg")
    assert picture.mimetype == "image/svg+xml" and b"<svg" in picture.data
    assert 'src="/second-factor.svg"' in page
    found = re.search(r"<code>([A-Z2-7-]+)</code>", page)
    assert found
    key = found[1].replace("-", "")
    answer = client.post("/tf-validate", data={"code": code_of(key)})
    assert answer.headers["Location"] == "/start"
    return key


def test_an_office_sets_up_and_then_needs_a_second_factor(strict: Flask) -> None:
    make(strict)
    client = strict.test_client()
    key = set_up(client)
    assert client.get("/coordinator/").status_code == 200
    other = strict.test_client()
    assert login(other).headers["Location"].startswith("/tf-validate")
    assert other.get("/coordinator/").status_code == 302
    assert "数字不对" in other.post("/tf-validate", data={"code": "000000"}).text
    other.post("/tf-validate", data={"code": code_of(key, ahead=1)})
    assert other.get("/coordinator/").status_code == 200


def test_a_code_is_taken_once(strict: Flask) -> None:
    make(strict)
    key = set_up(strict.test_client())
    code = code_of(key, ahead=1)
    for times, status in ((1, 302), (2, 200)):
        client = strict.test_client()
        login(client)
        assert client.post("/tf-validate", data={"code": code}).status_code == status, times


def test_wrong_codes_slow_down_as_wrong_passwords_do(strict: Flask) -> None:
    make(strict)
    key = set_up(strict.test_client())
    client = strict.test_client()
    login(client)
    for _ in range(auth.FAILURES):
        client.post("/tf-validate", data={"code": "000000"})
    assert SLOWED in client.post("/tf-validate", data={"code": code_of(key, 1)}).text


def test_an_applicant_needs_none(strict: Flask) -> None:
    make(strict, "applicant")
    client = strict.test_client()
    login(client)
    assert client.get("/me/").status_code == 200
    assert client.get("/second-factor.svg").status_code == 404


def make(app: Flask, role: str = "coordinator") -> None:
    with app.app_context(), db.writing() as session:
        auth.create_user(session, "coord", PASSWORD, role)


# --- sessions ---------------------------------------------------------------------------------


def test_a_copied_cookie_dies_at_logout(app: Flask, as_user: Callable[..., FlaskClient]) -> None:
    client = as_user("coordinator")
    thief = app.test_client()
    stolen = client.get_cookie("session")
    assert stolen
    thief.set_cookie("session", stolen.value)
    assert thief.get("/coordinator/").status_code == 200
    client.post("/logout")
    assert thief.get("/coordinator/").status_code == 302


def test_a_new_password_ends_every_other_session(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    client = as_user("coordinator", "coord")
    elsewhere = app.test_client()
    login(elsewhere)
    wrong = {"password": PASSWORD, "new_password": "short", "new_password_confirm": "other"}
    page = client.post("/change", data=wrong).text
    assert "至少 8 位" in page
    right = {
        "password": PASSWORD,
        "new_password": "a long one",
        "new_password_confirm": "a long one",
    }
    assert client.post("/change", data=right).headers["Location"] == "/start"
    assert client.get("/coordinator/").status_code == 200
    assert elsewhere.get("/coordinator/").status_code == 302


def test_a_password_is_asked_again(as_user: Callable[..., FlaskClient]) -> None:
    client = as_user("coordinator")
    assert "确认是您本人" in client.get("/verify").text
    assert "密码不对" in client.post("/verify", data={"password": "no"}).text
    assert client.post("/verify", data={"password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("path", ["/tf-rescue", "/tf-select", "/fs-static/css/main.css"])
def test_what_nobody_needs_is_not_there(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404
