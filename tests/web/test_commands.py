"""``flask --app web …``: what operators type, and what they are told."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.web.conftest import Clock
from tests.web.rows import DEADLINE, make_round
from web import NotReady, create_app, db
from web.models import College, Round, User
from web.privacy import MissingKeys

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def say(app: Flask, *arguments: str, code: int = 0) -> str:
    with app.app_context():  # as the program itself gives it
        done = app.test_cli_runner().invoke(args=list(arguments))
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An installation before anything was prepared."""
    monkeypatch.setattr(sys, "argv", ["flask", "--app", "web", "init-db"])
    folder = tmp_path / "bare"
    made = create_app({"INSTANCE": folder, "DATABASE_URL": f"sqlite:///{folder}/new.sqlite"})
    yield made
    made.extensions["orderclass_engine"].dispose()


def test_a_new_installation_gets_keys_and_tables(bare: Flask, database: str) -> None:
    assert "keys.toml" in say(bare, "init-db")
    keys = Path(bare.instance_path) / "keys.toml"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    before = keys.read_bytes()
    assert "就绪" in say(bare, "init-db") and keys.read_bytes() == before


def test_keys_that_were_lost_are_not_replaced(bare: Flask, database: str) -> None:
    say(bare, "init-db")
    with bare.app_context(), db.writing() as session:
        session.execute(
            text(
                "INSERT INTO user (username, name, active, fs_uniquifier, notice, locale, created_at)"
                " VALUES ('a', '', 1, 'u', '', 'zh', '2026-01-01')"
            )
        )
    (Path(bare.instance_path) / "keys.toml").unlink()
    assert "备份" in say(bare, "init-db", code=1)


@pytest.mark.parametrize("config", [{}, {"PROXIES": 1}])
def test_without_keys_nothing_is_served(
    tmp_path: Path, database: str, config: dict[str, Any]
) -> None:
    with pytest.raises((MissingKeys, NotReady)):
        create_app({"INSTANCE": tmp_path / "empty", "DATABASE_URL": database, **config})


def test_without_https_nothing_is_served(app: Flask) -> None:
    with pytest.raises(NotReady, match="ORDERCLASS_PROXIES"):
        create_app({"INSTANCE": app.instance_path, "DATABASE_URL": app.config["DATABASE_URL"]})


def test_a_newer_database_is_refused(bare: Flask, database: str) -> None:
    say(bare, "init-db")
    assert "就绪" in say(bare, "upgrade-db")
    with bare.app_context(), db.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "9999" in say(bare, "upgrade-db", code=1)


def make_user(app: Flask, *more: str, code: int = 0, password: str = "long enough") -> str:
    return say(app, "create-user", *more, "--password", password, code=code)


def test_an_account_belongs_to_its_office(app: Flask) -> None:
    with app.app_context(), db.writing() as session:
        session.add(College(code="C01", name="翠屿技师学院"))
    make_user(app, "Wang", "--role", "college", "--college", "C01", "--name", "王老师")
    with app.app_context():
        held = db.reading().scalars(select(User)).one()
        assert (held.username, held.role, held.name) == ("wang", "college", "王老师")
        assert held.college is not None and held.college.code == "C01"
    assert "已有账号" in make_user(app, "WANG", "--role", "college", code=1)
    assert "C99" in make_user(app, "li", "--role", "college", "--college", "C99", code=1)
    assert "8" in make_user(app, "li", "--role", "bureau", code=1, password="short")


def test_deadlines_that_passed_are_recorded(app: Flask, clock: Clock) -> None:
    with app.app_context(), db.writing() as session:
        make_round(session, state="OPEN")
    assert say(app, "close-due") == ""
    clock.moment = DEADLINE
    assert say(app, "close-due") == "2026-1 close\n"
    with app.app_context():
        assert db.reading().scalars(select(Round.state)).one() == "REVIEW"


def test_the_demo_is_served_on_this_machine_only(app: Flask) -> None:
    assert "127.0.0.1" in say(app, "serve", "--host", "0.0.0.0", code=1)
