"""A restored old backup serves again when two coordinators say so, and not before."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.web.conftest import PASSWORD
from tests.web.test_commands import say
from web import audit, auth, db, publication, snapshot
from web.models import AuditEvent, AuditPayload, LoginFailure, User

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
LOST = "publications/2026-1-abc.zip"
REASON = "硬盘损坏，只有 5 月的备份"


@pytest.fixture
def old(app: Flask) -> Flask:
    """Something was published that the database does not know; three people have accounts."""
    with app.app_context():
        with db.writing() as session:
            for name, role in (("c1", "coordinator"), ("c2", "coordinator"), ("b1", "bureau")):
                auth.create_user(session, name, PASSWORD, role)
        folder = snapshot.instance() / publication.FOLDER
        folder.mkdir(exist_ok=True)
        (folder / Path(LOST).name).write_bytes(b"bundle")
        publication._remember([LOST])
    assert app.test_client().get("/").status_code == 503
    return app


def repair(app: Flask, *typed: str, code: int = 0) -> str:
    with app.app_context():
        done = app.test_cli_runner().invoke(args=["repair-backup"], input="\n".join(typed) + "\n")
    assert done.exit_code == code, done.output
    assert PASSWORD not in done.output
    return done.output


def is_behind(app: Flask) -> bool:
    with app.app_context():
        return publication.behind()


def test_two_coordinators_let_it_serve_again(old: Flask, database: str) -> None:
    said = repair(old, REASON, "c1", PASSWORD, "", "C2 ", PASSWORD, "")
    assert LOST in said and "重新启动" in said
    assert not is_behind(old)
    old.extensions.pop("orderclass_behind")  # as after a new start
    assert old.test_client().get("/").status_code == 200
    with old.app_context():
        session = db.reading()
        event = session.scalars(select(AuditEvent)).all()[-1]
        assert (event.action, event.actor) == ("publication.give_up", "coordinator:c2")
        payload = session.get_one(AuditPayload, event.id).payload
        assert payload["after"] == {"bundles": [LOST], "asked_by": "coordinator:c1"}
        assert payload["reason"] == REASON and list(audit.broken(session)) == []
        assert publication.recover() == [], "what was given up stays on the disk"
        assert (snapshot.instance() / LOST).exists()
        publication._remember([LOST])
    assert is_behind(old), "published once more, and lost once more"
    assert "不用修复" not in repair(old, REASON, "c1", "wrong", "", code=1)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ((REASON, "c1", PASSWORD, "", "c1", PASSWORD, ""), "须由另一人确认"),
        ((REASON, "c1", PASSWORD, "", "b1", PASSWORD, ""), "不是协调员"),
        ((REASON, "c1", "wrong", ""), "不对"),
        ((REASON, "nobody", PASSWORD, ""), "不对"),
        ((" ",), "请写明原因"),
    ],
)
def test_one_alone_or_another_role_cannot(
    old: Flask, database: str, typed: tuple[str, ...], said: str
) -> None:
    assert said in repair(old, *typed, code=1)
    assert is_behind(old)


def test_outside_the_demo_the_code_is_asked_and_taken_once(old: Flask, database: str) -> None:
    old.config["DEMO"] = False
    factor = old.extensions["security"]._totp_factory
    with old.app_context(), db.writing() as session:
        for user in session.scalars(select(User).where(User.username.in_(("c1", "c2")))):
            user.tf_totp_secret = factor.generate_totp_secret()
    with old.app_context():
        secrets = {u.username: u.tf_totp_secret for u in db.reading().scalars(select(User))}
        codes = {n: factor.generate_totp_password(s) for n, s in secrets.items() if s}
    assert "不对" in repair(old, REASON, "c1", PASSWORD, "", code=1)
    assert "不对" in repair(
        old, REASON, "c1", PASSWORD, codes["c1"], "c2", PASSWORD, "000000", code=1
    )
    assert "不对" in repair(old, REASON, "c1", PASSWORD, codes["c1"], code=1), (
        "a code is taken once"
    )
    with old.app_context():
        assert len(db.reading().scalars(select(LoginFailure)).all()) == 3
    assert is_behind(old)


def test_too_many_attempts_slow_it_down(old: Flask, database: str) -> None:
    with old.app_context():
        for _ in range(auth.FAILURES):
            auth.count_failure("c1")
        assert auth.vouched("c1", PASSWORD, "") is None


def test_a_database_that_is_not_behind_needs_no_repair(app: Flask, database: str) -> None:
    assert "不用修复" in say(app, "repair-backup")
