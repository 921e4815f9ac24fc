"""A small installation for each test: its own instance folder, database, keys and clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from web import auth, create_app, db
from web.models import metadata
from web.privacy import Keys

PASSWORD = "correct horse"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **span: float) -> None:
        """Let time pass."""
        self.moment += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    """The application on an empty SQLite database."""
    Keys.create(tmp_path / "keys.toml")
    made = create_app(
        {
            "INSTANCE": tmp_path,
            "DATABASE_URL": f"sqlite:///{tmp_path}/test.sqlite",
            "DEMO": True,
            "TESTING": True,
            "WTF_CSRF_ENABLED": False,
            "CLOCK": clock,
        }
    )
    with made.app_context():
        metadata.create_all(db.engine())
    yield made  # outside the context: each request must have its own
    made.extensions["orderclass_engine"].dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Somebody who is not logged in."""
    return app.test_client()


@pytest.fixture
def as_user(app: Flask) -> Callable[..., FlaskClient]:
    """``as_user("coordinator", username="c1", …)``: a new account, logged in."""

    def login(role: str, username: str = "", **scope: object) -> FlaskClient:
        name = username or f"{role}1"
        with app.app_context(), db.writing() as session:
            auth.create_user(session, name, PASSWORD, role, **scope)
        client = app.test_client()
        answer = client.post("/login", data={"username": name, "password": PASSWORD})
        assert answer.status_code == 302
        return client

    return login
