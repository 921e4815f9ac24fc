"""A round in its confirming days whose places are held, with logins, for the tests of agreements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web.a_round import CONFIRMING, SERIAL, standing
from tests.web.conftest import PASSWORD, Clock
from web import agreements, auth, db, offers
from web.audit import Actor
from web.models import (
    Agreement,
    Applicant,
    College,
    Enterprise,
    Offer,
    OrderClass,
    Program,
    Round,
)

INTERNSHIP, HIRED = date(2028, 9, 1), date(2029, 7, 1)
U1, U1B, U2 = (Actor(f"college:{n}", "college") for n in ("u1", "u1b", "u2"))
X, Y = (Actor(f"enterprise:{n}", "enterprise") for n in ("x", "y"))
HERSELF = Actor("applicant:a", "applicant")
Login = Callable[[str], FlaskClient]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The round in its confirming days, one for all tests of a module that takes the name in."""
    made = standing(tmp_path_factory.mktemp("world"), "confirming", lambda: CONFIRMING)
    with made.app_context():
        yield made


@pytest.fixture
def clock(world: Flask) -> Clock:
    """The clock of ``world``, set back for each test."""
    made = Clock()
    made.moment = CONFIRMING
    world.config["CLOCK"] = made
    return made


@contextmanager
def undone() -> Iterator[Session]:
    """A transaction of the running application that is undone at the end."""
    with (
        db.engine().connect().execution_options(writes=True) as connection,
        Session(connection, expire_on_commit=False) as opened,
    ):
        yield opened
        connection.rollback()


def dates(session: Session) -> None:
    """Every class gets its planned days, and its levels and years."""
    for held in session.scalars(select(OrderClass)):
        held.internship_date, held.hire_date = INTERNSHIP, HIRED


def the_round(session: Session) -> Round:
    """The one round."""
    return session.scalars(select(Round).where(Round.serial == SERIAL)).one()


def an_offer(session: Session, college: str = "U1") -> Offer:
    """The first open or held place in a college."""
    return session.scalars(
        select(Offer)
        .join(Offer.program)
        .join(Program.order_class)
        .join(OrderClass.college)
        .where(College.code == college, Offer.state.in_(("open", "accepted")))
        .order_by(Offer.id)
    ).first()  # type: ignore[return-value]


def hold(session: Session, offer: Offer, state: str = "accepted") -> Offer:
    """She accepts."""
    offers.settle(session, offer, state, HERSELF)
    return offer


def hold_all(session: Session) -> list[Offer]:
    """Everybody accepts."""
    open_ = session.scalars(select(Offer).where(Offer.state == "open").order_by(Offer.id)).all()
    return [hold(session, offer) for offer in open_]


def sign(session: Session, held: Agreement, *parties: str) -> None:
    """These parties sign on their pages."""
    roles = {"student": "applicant"}
    for party in parties:
        actor = Actor(f"{party}:s", roles.get(party, party))
        agreements.sign(session, held, party, "签名人", held.digest, actor)


def logins(app: Flask) -> Login:
    """``login("u1")``: u1, u1b, u2 of colleges; x, y, z of enterprises; c1, c2; A01 … an applicant."""
    clients: dict[str, FlaskClient] = {}

    def login(name: str) -> FlaskClient:
        if name not in clients:
            with app.app_context(), db.writing() as session:
                role, scope = _who(session, name)
                auth.create_user(session, name.lower(), PASSWORD, role, name=name, **scope)
            clients[name] = app.test_client()
            form = {"username": name, "password": PASSWORD}
            assert clients[name].post("/login", data=form).status_code == 302
        return clients[name]

    return login


def _who(session: Session, name: str) -> tuple[str, dict[str, Any]]:
    def office(model: Any, code: str) -> Any:
        return session.scalars(select(model).where(model.code == code)).one()

    if name[0] == "u":
        return "college", {"college": office(College, name[:2].upper())}
    if name[0] in "xyz":
        return "enterprise", {"enterprise": office(Enterprise, name[0].upper())}
    if name[0] == "A":
        held = session.scalars(select(Applicant).where(Applicant.number == name)).one()
        return "applicant", {"person": held.person}
    return "coordinator", {}
