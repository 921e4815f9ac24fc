"""Logging in: what the two answers are, who slows down, and which pages are whose."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import PASSWORD, Clock
from web import auth

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
    pages = [
        client.post("/login", data={"username": name, "password": "no"}).text
        for name in ("coord", "nobody")
    ]
    assert all(auth.REFUSED in page for page in pages)
    assert pages[0].replace("coord", "nobody") == pages[1]


def test_ten_refusals_slow_an_account_down_for_a_while(
    client: FlaskClient, as_user: Callable[..., FlaskClient], clock: Clock
) -> None:
    as_user("coordinator", "coord")
    for _ in range(auth.FAILURES):
        client.post("/login", data={"username": "coord", "password": "no"})
    right = {"username": "coord", "password": PASSWORD}
    assert auth.SLOWED in client.post("/login", data=right).text
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
    client.get("/coordinator/")
    assert client.get("/coordinator/").status_code == 302
