"""Rows for tests: a round with one class of one enterprise, and people who apply."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from web import privacy
from web.audit import Actor
from web.db import now
from web.models import (
    Applicant,
    College,
    Enterprise,
    OrderClass,
    Person,
    PolicyVersion,
    Program,
    Record,
    Round,
)

FIRST = Actor("coordinator:one", "coordinator")
SECOND = Actor("coordinator:two", "coordinator")
COLLEGE = Actor("college:c1", "college")
OPENS = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
DEADLINE = datetime(2026, 6, 20, 10, 0, tzinfo=UTC)
POLICY = '[policy]\ntitle = "t"\nround = "2026-1"\n[mechanism]\nname = "stable"\n'


def make_round(session: Session, serial: str = "2026-1", state: str = "DRAFT") -> Round:
    """A round whose plan is complete: every gate up to the opening would let it pass."""
    moment = now(session)
    college = College(code=f"C-{serial}", name="翠屿技师学院")
    enterprise = Enterprise(code=f"E-{serial}", name="澜珀公司")
    round_ = Round(
        serial=serial, title="首轮", year=2026, state=state, opens_at=OPENS, deadline_at=DEADLINE,
        draw_event="二十个十面骰，公证处", created_at=moment,
    )  # fmt: skip
    session.add_all([college, enterprise, round_])
    session.flush()
    round_.policy = PolicyVersion(round_id=round_.id, number=1, toml=POLICY, at=moment)
    held = OrderClass(
        round_id=round_.id, college_id=college.id, code="K1", name="模具班", min_size=1,
        confirmed_at=moment, confirmed_by="college:c1",
    )  # fmt: skip
    session.add(held)
    session.flush()
    session.add(
        Program(
            order_class_id=held.id, enterprise_id=enterprise.id, code="K1-1", capacity=2,
            channel="CH1", confirmed_at=moment, confirmed_by="enterprise:e1",
        )
    )  # fmt: skip
    add_record(session, round_, "plan_approval")
    session.flush()
    return round_


def add_record(session: Session, round_: Round, kind: str) -> Record:
    """A paper of the bureau, confirmed."""
    moment = now(session)
    held = Record(
        round_id=round_.id, kind=kind, authority="市人社局", document="〔2026〕1 号",
        dated=date(2026, 5, 20), entered_by=FIRST.name, entered_at=moment,
        confirmed_by=SECOND.name, confirmed_at=moment,
    )  # fmt: skip
    session.add(held)
    return held


def make_applicant(
    session: Session, round_: Round, number: str, state: str = "passed"
) -> Applicant:
    """Somebody who applies, with an application number ``number``."""
    index = privacy.number_index(number)
    person = Person(
        pseudonym=privacy.pseudonym(round_.year, number), number_index=index, name="欧阳丽",
        number=privacy.encrypt(number, f"person.number:{index}"),
    )  # fmt: skip
    session.add(person)
    session.flush()
    held = Applicant(
        round_id=round_.id, person_id=person.id, number=number, state=state,
        created_at=now(session),
    )  # fmt: skip
    session.add(held)
    session.flush()
    return held
