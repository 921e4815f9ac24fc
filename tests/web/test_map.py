"""Every route of the application × everybody: generated, so that no page can be forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from web import auth, db
from web.models import ROLES

Login = Callable[..., FlaskClient]
WRITES = ("INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
GUESSES: dict[str, Any] = {"filename": "site.css", "token": "guess"}
"""What stands in an address for a row that is not there."""


@pytest.fixture
def everybody(app: Flask, as_user: Login) -> dict[str, FlaskClient]:
    """One person of each role, and a passer-by."""
    return {"nobody": app.test_client()} | {role: as_user(role) for role in ROLES}


def routes(app: Flask, method: str) -> list[tuple[Rule, str]]:
    """Each route that takes a method, with an address of it."""
    adapter = app.url_map.bind("localhost")
    found = []
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or ()):
            values = {name: GUESSES.get(name, 1) for name in rule.arguments}
            found.append((rule, adapter.build(rule.endpoint, values, method=method)))
    return found


def blueprint_of(rule: Rule) -> str:
    return rule.endpoint.rpartition(".")[0]


@contextmanager
def watched(app: Flask) -> Iterator[list[str]]:
    """The statements that change anything, while the block runs."""
    seen: list[str] = []

    def note(_c: object, _k: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().upper().startswith(WRITES):
            seen.append(statement)

    with app.app_context():
        engine = db.engine()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def right_headers(answer: TestResponse) -> bool:
    """Whether a browser is told what it must not do with the answer."""
    answer.close()
    policy = answer.headers["Content-Security-Policy"]
    return (
        "default-src 'none'" in policy
        and "script-src 'self'" in policy
        and "frame-ancestors 'none'" in policy
        and "unsafe" not in policy
        and HEADERS.items() <= dict(answer.headers).items()
        and bool(answer.headers["Cache-Control"])
    )


def test_a_blueprint_without_a_guard_keeps_the_application_from_starting(app: Flask) -> None:
    auth.check_guards(app)
    app.blueprints["forgotten"] = Blueprint("forgotten", __name__)
    with pytest.raises(auth.Unguarded, match="forgotten"):
        auth.check_guards(app)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_each_route_lets_its_roles_in_and_nobody_else(
    app: Flask, everybody: dict[str, FlaskClient], method: str
) -> None:
    wrong = []
    for rule, address in routes(app, method):
        allowed = app.config["GUARDS"].get(blueprint_of(rule))
        if allowed is None:
            continue
        for role, client in everybody.items():
            answer = client.open(address, method=method)
            if role == "nobody":
                right = answer.status_code == 302 and "/login" in answer.headers["Location"]
            elif role not in allowed:
                right = answer.status_code == 403
            else:
                right = answer.status_code in (
                    (200, 302, 400, 404, 409) if rule.arguments or method == "POST" else (200, 302)
                )
            if not right or not right_headers(answer):
                wrong.append(f"{method} {address} as {role}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def test_reading_never_writes(app: Flask, everybody: dict[str, FlaskClient]) -> None:
    wrong = []
    for _rule, address in routes(app, "GET"):
        for role, client in everybody.items():
            with watched(app) as written:
                answer = client.get(address)
            if written or answer.status_code >= 500 or not right_headers(answer):
                wrong.append(f"{address} as {role}: {answer.status_code} {written}")
    assert not wrong, "\n".join(wrong)


def test_the_watch_sees_a_write(app: Flask, client: FlaskClient) -> None:
    with watched(app) as written:
        client.post("/login", data={"username": "nobody", "password": "no"})
    assert written


def test_nothing_is_taken_without_the_mark_of_a_form(
    app: Flask, everybody: dict[str, FlaskClient]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for _rule, address in routes(app, method):
            for role, client in everybody.items():
                with watched(app) as written:
                    answer = client.open(address, method=method)
                assert (answer.status_code, written) == (400, []), f"{method} {address} as {role}"
                assert right_headers(answer)
