"""Whoever changes a parameter of the rules sees something else: a gate, a proposal, a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web.a_round import FIRST, SERIAL, small_round
from tests.web.test_policies import EDITABLE, other, parts
from web import application, db, offers, planning, policies, posting, publication
from web.models import Applicant, Demand, Enterprise, OrderClass, PolicyVersion, Round
from web.policies import PARAMETERS, Parameter

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
Seen = Callable[[FlaskClient, FlaskClient], Any]


@pytest.fixture
def both(app: Flask, as_user: Callable[..., FlaskClient]) -> Iterator[tuple[FlaskClient, ...]]:
    """A coordinator and a passer-by, and a round with a class of each form of study."""
    with app.app_context(), db.writing() as session:
        round_ = small_round(session, state="DRAFT")
        round_.policy = PolicyVersion(
            round_id=round_.id, number=2, toml=policies.START.read_text(encoding="utf-8"),
            workflow={}, at=db.now(session),
        )  # fmt: skip
        forms = {"NEV": "FT", "CARE": "PT", "ROBO": "ST"}
        for held in session.scalars(select(OrderClass)):
            held.study_form = forms.get(held.code, "FT")
            form = held.study_form
            held.min_size = policies.flow(round_, f"class.min_open.{form}") - 1
            held.programs[0].capacity += policies.flow(round_, f"class.size_max.{form}") - sum(
                p.capacity for p in held.programs
            )
        enterprise = session.scalars(select(Enterprise).where(Enterprise.code == "X")).one()
        enterprise.employees = 100
        session.add(
            Demand(
                round_id=round_.id, enterprise_id=enterprise.id, code="D1", title="装配工", people=30,
                state="submitted",
            )
        )  # fmt: skip
        born = db.now(session).date() - timedelta(days=17 * 366)
        session.scalars(select(Applicant)).all()[0].person.birth_date = date(born.year, 1, 1)
    yield as_user("coordinator", "c9"), app.test_client()


def round_of(session: Session) -> Round:
    return session.scalars(select(Round)).one()


def public_rules(coordinator: FlaskClient, passer_by: FlaskClient) -> str:
    """The page of the rules that everybody reads, once the plan is public."""
    with coordinator.application.app_context(), db.writing() as session:
        round_of(session).state = "ANNOUNCED"
    page = passer_by.get(f"/rounds/{SERIAL}/rules").text
    with coordinator.application.app_context(), db.writing() as session:
        round_of(session).state = "DRAFT"
    return page.split("<main", 1)[1]


def class_page(code: str) -> Seen:
    """What a coordinator is warned of at a class."""
    return lambda coordinator, _: coordinator.get(
        f"/coordinator/rounds/{SERIAL}/classes/{code}"
    ).text.count("note warning")


def in_session(look: Callable[[Session, Round], Any]) -> Seen:
    def seen(coordinator: FlaskClient, _: FlaskClient) -> Any:
        with coordinator.application.test_request_context():
            return look(db.reading(), round_of(db.reading()))

    return seen


def warnings(session: Session, round_: Round) -> list[str]:
    return posting.demand_warnings(session, round_, session.scalars(select(Demand)).one())


def proposed(session: Session, round_: Round) -> list[tuple[str, str, int]]:
    return [(p.program.code, p.group, p.seats) for p in planning.proposals(session, round_)]


def notice_end(session: Session, round_: Round) -> Any:
    return publication.notice_end(round_, db.now(session))


def minors(session: Session, _: Round) -> list[bool]:
    return [application.is_minor(session, who) for who in session.scalars(select(Applicant))]


SEEN: dict[str, Seen] = {
    **{f"class.{what}.{form}": class_page(code) for what in ("size_max", "min_open")
       for form, code in (("FT", "NEV"), ("PT", "CARE"), ("ST", "ROBO"))},
    "enterprise.intern_share_max": in_session(warnings),
    "enterprise.post_intern_share_max": in_session(warnings),
    **{f"reserve.G{n:02}": in_session(proposed) for n in range(5, 11)},
    "days.publicity": in_session(notice_end),
    "days.hour": in_session(notice_end),
    "days.confirm": in_session(lambda session, round_: offers.due(round_, db.now(session))),
    "privacy.guardian_consent_under": in_session(minors),
}  # fmt: skip
"""Where a parameter is seen at work; the others are read on the public page of the rules."""


@pytest.mark.parametrize("parameter", EDITABLE, ids=lambda p: p.key)
def test_whoever_changes_a_parameter_sees_it(
    both: tuple[FlaskClient, FlaskClient], parameter: Parameter
) -> None:
    look = SEEN.get(parameter.key, public_rules)
    before = look(*both)
    with both[0].application.app_context(), db.writing() as session:
        round_ = round_of(session)
        value = other(parameter, policies.values(session, round_)[parameter.key])
        toml, flow = parts(session, round_, **{parameter.key: value})
        policies.change(session, round_, toml, flow, "试", FIRST)
    assert look(*both) != before


def test_what_nobody_reads_is_shown_apart_and_cannot_be_changed(
    both: tuple[FlaskClient, FlaskClient],
) -> None:
    page = both[0].get(f"/coordinator/rounds/{SERIAL}/rules").text
    apart = page.split('id="reference"')[1].split("<h2")[0]
    read_only = [p for p in PARAMETERS if not p.editable]
    assert read_only and {p.section for p in read_only} == {"reference"}
    assert all(f"<code>{p.key}</code>" in apart for p in read_only)
    assert "rules/reference" not in page
    assert both[0].get(f"/coordinator/rounds/{SERIAL}/rules/reference").status_code == 404
    assert set(SEEN) <= {p.key for p in EDITABLE}
