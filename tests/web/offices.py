"""A small round with its offices' people, for the tests of offices' pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tests.web.a_round import SERIAL, small_round
from web import auth, db
from web.audit import Actor
from web.models import (
    Applicant,
    AuditEvent,
    ChoiceList,
    College,
    Enterprise,
    Membership,
    Person,
    PolicyVersion,
    Program,
    Round,
    Score,
)

CHANNEL_W = '\n[[score_channel]]\nchannel = "W"\nculture = 0.4\nskill = 0.4\ninterview = 0.2\n'
U1, U1B, U2 = (Actor(f"college:{n}user", "college") for n in ("u1", "u1b", "u2"))
X, XB, Y = (Actor(f"enterprise:{n}user", "enterprise") for n in ("x", "xb", "y"))
C1, C2 = (Actor(f"coordinator:{n}", "coordinator") for n in ("c1", "c2"))
D1, D2 = (Actor(f"district:{n}", "district") for n in ("d1", "d2"))


@dataclass
class World:
    """The round, and logins of its offices, made when they are first asked for."""

    app: Flask
    login: Callable[..., FlaskClient]
    clients: dict[str, FlaskClient] = field(default_factory=dict)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction of its own."""
        with self.app.test_request_context(), db.writing() as session:
            yield session

    def as_(self, name: str) -> FlaskClient:
        """Whoever is called that: u1, u1b, u2, x, xb, y, d1, c1, b1, a1 (an applicant)."""
        if name not in self.clients:
            role, scope = self._who(name)
            self.clients[name] = self.login(role, f"{name}user", **scope)
        return self.clients[name]

    def _who(self, name: str) -> tuple[str, dict[str, Any]]:
        if name in ("u1", "u1b", "u2"):
            return "college", {"college_id": self.id(College, name[:2].upper())}
        if name in ("x", "xb", "y"):
            return "enterprise", {"enterprise_id": self.id(Enterprise, name[0].upper())}
        if name in ("d1", "d2", "elsewhere"):
            return "district", {"district": "371002" if name == "elsewhere" else "370102"}
        return {"c": "coordinator", "b": "bureau", "a": "applicant"}[name[0]], {}

    def id(self, model: Any, code: str) -> int:
        """The id of an office by its code."""
        with self.app.app_context():
            found = db.reading().scalar(select(model.id).where(model.code == code))
            assert isinstance(found, int)
            return found

    def key(self, number: str) -> str:
        """The key of an applicant by her number."""
        with self.app.app_context():
            return (
                db.reading().scalars(select(Applicant.key).where(Applicant.number == number)).one()
            )

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The statements that the database is asked meanwhile."""
        asked: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            asked.append(statement)

        engine = self.app.extensions["orderclass_engine"]
        event.listen(engine, "before_cursor_execute", note)
        yield asked
        event.remove(engine, "before_cursor_execute", note)

    def actions(self) -> list[str]:
        """What was recorded, in order."""
        with self.app.app_context():
            return list(db.reading().scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def world(app: Flask, login: Callable[..., FlaskClient], state: str = "DRAFT") -> World:
    """The small round in a state; channel W weighs interviews, and nobody has scores yet."""
    with app.app_context(), db.writing() as session:
        made = small_round(session, state=state)
        policy = made.policy
        assert isinstance(policy, PolicyVersion)
        policy.toml = (
            policy.toml[: policy.toml.index('\n[[score_channel]]\nchannel = "W"')] + CHANNEL_W
        )
        for score in session.scalars(select(Score)):
            session.delete(score)
    return World(app, login)


def the_round(session: Session) -> Round:
    """The round of the small world."""
    return session.scalars(select(Round).where(Round.serial == SERIAL)).one()


def office(session: Session, model: Any, code: str) -> Any:
    """A college or an enterprise by its code."""
    return session.scalars(select(model).where(model.code == code)).one()


def program(session: Session, code: str) -> Program:
    """A program by its code."""
    return session.scalars(select(Program).where(Program.code == code)).one()


def person(session: Session, number: str) -> Applicant:
    """An applicant by her number."""
    return session.scalars(select(Applicant).where(Applicant.number == number)).one()


def people_of(session: Session, *names: str) -> None:
    """Accounts without passwords, so that an office has so many people."""
    for name in names:
        role = "college" if name[0] == "u" else "enterprise"
        scope = (
            {"college": office(session, College, name[:2].upper())}
            if role == "college"
            else {"enterprise": office(session, Enterprise, name[0].upper())}
        )
        auth.create_user(session, f"{name}user", "", role, **scope)


def another(session: Session, number: str, listed: list[str]) -> Applicant:
    """One more applicant, who passed the review and submitted a list."""
    round_, moment = the_round(session), db.now(session)
    known = Person(number=b"", number_index=number, pseudonym=number, name="某人")
    made = Applicant(
        round=round_, person=known, number=number, state="passed", review="passed",
        created_at=moment,
    )  # fmt: skip
    session.add(made)
    session.flush()
    session.add(ChoiceList(applicant_id=made.id, number=1, choices=list(listed), saved_at=moment))
    return made


def claim(session: Session, number: str, group: str, state: str = "claimed") -> Membership:
    """A group that an applicant claims."""
    held = Membership(group=group, state=state, evidence="证明 7 号")
    one = person(session, number)
    one.groups.append(held)
    session.flush()
    return held
