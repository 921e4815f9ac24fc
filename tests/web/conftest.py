"""A small installation for each test: its own instance folder, database, keys and clock.

Whatever uses ``app`` runs once on SQLite and once on PostgreSQL; ``ORDERCLASS_TEST_DB`` names one of
them to run that alone, and a test that only one of them concerns says so::

    @pytest.mark.parametrize("database", ["postgresql"], indirect=True)
"""

from __future__ import annotations

import gc
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import Environment
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from tests.web import postgres
from web import auth, create_app, db
from web.models import metadata
from web.privacy import Keys

PASSWORD = "correct horse"
DATABASES = ("sqlite", "postgresql")
CHEAP = {"argon2__memory_cost": 8, "argon2__time_cost": 1, "argon2__parallelism": 1}
"""A password of a test need not be hard to guess."""

CHOSEN = os.environ.get("ORDERCLASS_TEST_DB", "")


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


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Compile addresses and templates once, and not once per application.

    Nine tenths of the time to make an application goes to what builds its addresses, and a fifth of that
    of most tests to templates, and thousands of applications are made.  What is compiled depends on the
    rule, or on the template's text, alone.
    """
    addresses: dict[tuple[Any, ...], Any] = {}
    templates: dict[tuple[Any, ...], Any] = {}
    build, compile_template = Rule._compile_builder, Environment.compile

    def address(rule: Rule, append_unknown: bool = True) -> Any:
        defaults = tuple(sorted((rule.defaults or {}).items()))
        key = rule.rule, tuple(rule._trace), defaults, append_unknown
        if key not in addresses:
            addresses[key] = build(rule, append_unknown)
        return addresses[key]

    def template(environment: Environment, *told: Any, **named: Any) -> Any:
        key = type(environment), tuple(environment.extensions), told, tuple(sorted(named.items()))
        if key not in templates:
            templates[key] = compile_template(environment, *told, **named)
        return templates[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Rule, "_compile_builder", address)
        patched.setattr(Environment, "compile", template)
        yield


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """A PostgreSQL server of this worker; its database ``ready`` has every table."""
    with postgres.running() as started:
        started.execute("CREATE DATABASE ready")
        create_tables(started.url("ready"))
        yield started


@pytest.fixture(scope="session")
def sqlite_ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file that has every table."""
    path = tmp_path_factory.mktemp("sqlite") / "ready.sqlite"
    create_tables(f"sqlite:///{path}")
    return path


def create_tables(url: str) -> None:
    """Every table, in an empty database."""
    engine = db.connect(url)
    metadata.create_all(engine)
    engine.dispose()


@contextmanager
def fresh(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The address of a database of the kind asked for, with every table and no row."""
    if CHOSEN and request.param != CHOSEN:
        pytest.skip(f"only {CHOSEN} was asked for")
    if request.param == "sqlite":
        path = folder / "test.sqlite"
        shutil.copy(request.getfixturevalue("sqlite_ready"), path)
        yield f"sqlite:///{path}"
    else:
        with request.getfixturevalue("cluster").database("ready") as url:
            yield url


@contextmanager
def installed(folder: Path, database: str) -> Iterator[Flask]:
    """The application on a database; in a folder that has keys, with those."""
    if not (folder / "keys.toml").exists():
        Keys.create(folder / "keys.toml")
    gc.disable()  # Python 3.11 trips where a lost connection is collected while routes compile
    try:
        made = create_app(
            {
                "INSTANCE": folder,
                "DATABASE_URL": database,
                "DEMO": True,
                "TESTING": True,
                "WTF_CSRF_ENABLED": False,
                "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": CHEAP,
            }
        )
    finally:
        gc.enable()
    yield made  # outside a context: each request must have its own
    made.extensions["orderclass_engine"].dispose()


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with every table and no row."""
    with fresh(request, tmp_path) as url:
        yield url


@pytest.fixture
def app(tmp_path: Path, database: str, clock: Clock) -> Iterator[Flask]:
    """The application on an empty database of this test's own."""
    with installed(tmp_path, database) as made:
        made.config["CLOCK"] = clock
        yield made


@pytest.fixture(scope="module", params=DATABASES)
def shared_app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("shared")
    with fresh(request, folder) as url, installed(folder, url) as made:
        yield made


@pytest.fixture
def session(shared_app: Flask, clock: Clock) -> Iterator[Session]:
    """A transaction on an empty database, undone at the end: for many small tests of services."""
    shared_app.config["CLOCK"] = clock
    with (
        shared_app.app_context(),
        db.engine().connect().execution_options(writes=True) as connection,
        Session(connection, expire_on_commit=False) as opened,
    ):
        yield opened
        connection.rollback()


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
        form = {"username": name, "password": PASSWORD, "csrf_token": token(client)}
        answer = client.post("/login", data=form)
        assert answer.status_code == 302
        return client

    return login


def token(client: FlaskClient, path: str = "/login") -> str:
    """The mark of a page's first form, without which nothing is taken from it."""
    if not client.application.config["WTF_CSRF_ENABLED"]:
        return ""
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', client.get(path).text)
    assert found, f"no form on {path}"
    return found[1]
