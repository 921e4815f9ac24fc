"""What waits for whom today (今日待办): who has not submitted, reviewed, scored, confirmed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from . import agreements, remedies
from .choices import DRAFT, plan
from .models import (
    Applicant,
    ChoiceList,
    College,
    Decision,
    Enterprise,
    Membership,
    Offer,
    OrderClass,
    Program,
    Recheck,
    Round,
    Score,
    SeatChange,
)
from .models.outcome import OPEN
from .rounds import by_the_clock


@dataclass(frozen=True)
class Task:
    """Things of one kind that wait for one office: ``about`` are codes and application numbers."""

    code: str
    office: str
    about: tuple[str, ...]


def tasks(session: Session, round_: Round) -> list[Task]:
    """Everything that waits in a round, by kind and office."""
    state = by_the_clock(session, round_)
    found: list[Task] = []
    if state == "DRAFT":
        found += _confirmations(session, round_)
    if state == "OPEN":
        found += _not_submitted(session, round_)
    if state in ("OPEN", "REVIEW"):
        found += _groups(session, round_)
    if state == "REVIEW":
        found += _not_reviewed(session, round_)
        found += _scores(session, round_)
        found += _decisions(session, round_)
    if state in ("ANNOUNCED", "OPEN", "REVIEW", "CONFIRMING"):
        found += _seat_changes(session, round_)
    if state in ("PUBLISHED", "CONFIRMING"):
        found += _rechecks(session, round_)
    if state == "CONFIRMING":
        found += _tasks(
            "recheck_owed", (("", one.number) for one in remedies.owed(session, round_))
        )
        found += _unanswered(session, round_)
    if state in ("CONFIRMING", "FINAL"):
        found += _agreements(session, round_)
    return found


def _tasks(code: str, pairs: Iterable[tuple[str, str]]) -> list[Task]:
    by_office: dict[str, list[str]] = defaultdict(list)
    for office, about in pairs:
        by_office[office].append(about)
    return [Task(code, office, tuple(sorted(by_office[office]))) for office in sorted(by_office)]


def _confirmations(session: Session, round_: Round) -> list[Task]:
    classes = session.execute(
        select(College.name, OrderClass.code)
        .join(College)
        .where(OrderClass.round_id == round_.id, OrderClass.confirmed_at.is_(None))
    )
    seats = session.execute(
        select(Enterprise.name, Program.code)
        .join(Enterprise)
        .join(OrderClass)
        .where(OrderClass.round_id == round_.id, Program.confirmed_at.is_(None))
    )
    return _tasks("class_to_confirm", classes) + _tasks("seats_to_confirm", seats)


def _not_submitted(session: Session, round_: Round) -> list[Task]:
    """People who began and have no list that counts."""
    listed = select(ChoiceList.applicant_id).where(ChoiceList.number > DRAFT)
    numbers = session.scalars(
        select(Applicant.number).where(
            Applicant.round_id == round_.id,
            Applicant.state.in_(("draft", "submitted", "returned")),
            Applicant.id.not_in(listed),
        )
    )
    return _tasks("not_submitted", (("", number) for number in numbers))


def _not_reviewed(session: Session, round_: Round) -> list[Task]:
    """People to be reviewed, by the college of their first choice."""
    colleges = {
        code: programs[0].order_class.college.name
        for code, programs in plan(session, round_.id).items()
    }
    rows = session.execute(
        select(Applicant.number, ChoiceList.choices)
        .outerjoin(
            ChoiceList, (ChoiceList.applicant_id == Applicant.id) & (ChoiceList.number > DRAFT)
        )
        .where(Applicant.round_id == round_.id, Applicant.state.in_(("submitted", "returned")))
        .order_by(ChoiceList.number)
    )
    first = {number: choices[0] if choices else "" for number, choices in rows}
    return _tasks("not_reviewed", ((colleges.get(c, ""), number) for number, c in first.items()))


def _groups(session: Session, round_: Round) -> list[Task]:
    rows = session.execute(
        select(Applicant.district, Applicant.number)
        .join(Membership)
        .where(
            Applicant.round_id == round_.id,
            Applicant.state.in_(("submitted", "returned", "passed")),
            Membership.state == "claimed",
        )
        .distinct()
    )
    return _tasks("group_to_verify", rows)


def _scores(session: Session, round_: Round) -> list[Task]:
    rows = session.execute(
        select(College.name, Score.channel, Applicant.number)
        .select_from(Score)
        .join(Applicant, Applicant.id == Score.applicant_id)
        .outerjoin(Program, Program.id == Score.program_id)
        .outerjoin(OrderClass, OrderClass.id == Program.order_class_id)
        .outerjoin(College, College.id == OrderClass.college_id)
        .where(Applicant.round_id == round_.id, Score.confirmed_at.is_(None))
    )
    scored = select(Score.applicant_id)
    none = session.scalars(
        select(Applicant.number).where(
            Applicant.round_id == round_.id,
            Applicant.state == "passed",
            Applicant.id.not_in(scored),
        )
    )
    return [
        *_tasks("score_to_confirm", ((name or channel, who) for name, channel, who in rows)),
        *_tasks("not_scored", (("", number) for number in none)),
    ]


def _decisions(session: Session, round_: Round) -> list[Task]:
    rows = session.execute(
        select(Decision.entered_by, Applicant.number)
        .join(Applicant)
        .where(Applicant.round_id == round_.id, Decision.confirmed_at.is_(None))
    )
    return _tasks("decision_to_confirm", rows)


def _rechecks(session: Session, round_: Round) -> list[Task]:
    """Tickets that wait for an answer, and answers that wait for a second coordinator."""
    rows = session.execute(
        select(Recheck.state, Recheck.number).where(
            Recheck.round_id == round_.id, Recheck.state.in_(("open", "proposed"))
        )
    ).all()
    return [
        *_tasks("recheck_to_answer", (("", row.number) for row in rows if row.state == "open")),
        *_tasks("recheck_to_confirm", (("", row.number) for row in rows if row.state != "open")),
    ]


def _unanswered(session: Session, round_: Round) -> list[Task]:
    """Who has not answered her offer, by the college of its class."""
    rows = session.execute(
        select(College.name, Applicant.number)
        .select_from(Offer)
        .join(Applicant)
        .join(Program, Program.id == Offer.program_id)
        .join(OrderClass)
        .join(College)
        .where(Offer.round_id == round_.id, Offer.state == OPEN)
    )
    return _tasks("not_confirmed", rows)


def _agreements(session: Session, round_: Round) -> list[Task]:
    """Signatures that are missing, by the office that signs or, for people, that calls them; and
    places whose agreement is still to be made."""
    unsigned: dict[str, list[tuple[str, str]]] = {"college": [], "enterprise": [], "person": []}
    for held in session.scalars(agreements.ledger(round_, "signing")):
        program, number = held.offer.program, held.offer.applicant.number
        college = program.order_class.college.name
        names = {"college": college, "enterprise": program.enterprise.name}
        for kind in {party if party in names else "person" for party in agreements.missing(held)}:
            unsigned[kind].append((names.get(kind, college), number))
    without = (
        (one.program.order_class.college.name, one.applicant.number)
        for one in agreements.without(session, round_)
    )
    return [
        *_tasks("agreement_to_make", without),
        *_tasks("agreement_of_person", unsigned["person"]),
        *_tasks("agreement_of_enterprise", unsigned["enterprise"]),
        *_tasks("agreement_of_college", unsigned["college"]),
    ]


def _seat_changes(session: Session, round_: Round) -> list[Task]:
    changes = session.scalars(
        select(SeatChange)
        .join(Program)
        .join(OrderClass)
        .where(OrderClass.round_id == round_.id, SeatChange.applied_at.is_(None))
        .options(selectinload(SeatChange.program))
    )
    return _tasks("seat_change", ((c.program.enterprise.name, c.program.code) for c in changes))
