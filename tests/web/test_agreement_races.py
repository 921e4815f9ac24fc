"""Signing at the same moment: two batches of two offices, a signature and the end of the place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web import postgres, signed
from tests.web.a_round import CONFIRMING, standing
from tests.web.conftest import CHOSEN, DATABASES
from tests.web.signed import HERSELF, U1, the_round
from tests.web.staged import Stage
from tests.web.test_races import at_once
from web import agreements, audit, db, enrolment
from web.audit import Actor
from web.models import Agreement, Offer, Signature

Do = Callable[[Session], Any]


@pytest.fixture(scope="module")
def stage(cluster: postgres.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The round in its confirming days, on PostgreSQL."""
    return Stage.make(cluster, tmp_path_factory.mktemp("stage"), "confirming")


@pytest.fixture(params=DATABASES)
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    if CHOSEN and request.param != CHOSEN:
        pytest.skip(f"only {CHOSEN} was asked for")
    if request.param == "sqlite":
        yield standing(tmp_path, "confirming", lambda: CONFIRMING)
        return
    with request.getfixturevalue("stage").copy() as (made, _folder, _url):
        made.config["CLOCK"] = lambda: CONFIRMING
        yield made


def made_all(app: Flask) -> dict[int, str]:
    """Every agreement of the round, by id, with its digest."""
    with app.app_context(), db.writing() as session:
        signed.dates(session)
        signed.hold_all(session)
        agreements.make_due(session, the_round(session))
        return {a.id: a.digest for a in session.scalars(select(Agreement))}


def doing(app: Flask, act: Do) -> Callable[[], str]:
    def run() -> str:
        with app.app_context(), db.writing() as session:
            return str(act(session))

    return run


def test_two_batches_of_two_offices_both_sign_everything(app: Flask) -> None:
    wanted = made_all(app)
    backwards = dict(reversed(wanted.items()))
    offices = {"college": wanted, "enterprise": backwards}
    found = at_once(
        *(
            doing(app, lambda s, p=party, w=of: agreements.sign_many(s, w, p, "某人", Actor(f"{p}:1", p)))
            for party, of in offices.items()
        ),
        *(
            doing(app, lambda s, i=id_: agreements.sign(
                s, s.get_one(Agreement, i), "student", "某人", wanted[i], HERSELF))
            for id_ in wanted
        ),
    )  # fmt: skip
    assert found == [f"({len(wanted)}, 0)"] * 2 + ["None"] * len(wanted)
    with app.app_context():
        states = set(db.reading().scalars(select(Agreement.state)))
        assert states == {"effective"} and not list(audit.broken(db.reading()))


def test_two_batches_of_one_office_sign_each_once(app: Flask) -> None:
    wanted = made_all(app)
    found = at_once(
        *[doing(app, lambda s: agreements.sign_many(s, wanted, "college", "某人", U1))] * 4
    )
    assert sorted(found) == sorted([f"({len(wanted)}, 0)"] + [f"(0, {len(wanted)})"] * 3)
    with app.app_context():
        assert len(db.reading().scalars(select(Signature.party)).all()) == len(wanted)


def test_making_at_once_makes_one_for_each(app: Flask) -> None:
    with app.app_context(), db.writing() as session:
        signed.dates(session)
        number = len(signed.hold_all(session))
    at_once(*[doing(app, lambda s: len(agreements.make_due(s, the_round(s)).made))] * 4)
    with app.app_context():
        assert len(db.reading().scalars(select(Agreement.id)).all()) == number


def test_a_signature_and_the_end_of_the_place(app: Flask) -> None:
    wanted = made_all(app)
    with app.app_context():
        places = list(db.reading().scalars(select(Offer.id).where(Offer.state == "accepted")))
        day = enrolment.today(db.reading())
    at_once(
        doing(app, lambda s: agreements.sign_many(s, wanted, "college", "某人", U1)),
        *(
            doing(app, lambda s, i=id_: enrolment.leave(s, s.get_one(Offer, i), day, "退学", U1))
            for id_ in places
        ),
    )
    with app.app_context():
        session = db.reading()
        assert set(session.scalars(select(Agreement.state))) == {"voided"}
        assert set(session.scalars(select(Offer.state).where(Offer.id.in_(places)))) == {"left"}
        assert not list(audit.broken(session))
