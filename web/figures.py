"""The numbers and lists that an office sees of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from . import calendar, choices, reviewing
from .models import (
    Applicant,
    AuditEvent,
    ChoiceList,
    Demand,
    Enterprise,
    Membership,
    Offer,
    OrderClass,
    Placement,
    Program,
    Publication,
    Round,
    WaitingStep,
)
from .models.outcome import ENDED, HOLDING

SHOWN = ("PUBLISHED", "CONFIRMING", "FINAL")
"""States in which offices see who was placed."""


@dataclass(frozen=True)
class ProgramFigures:
    """One program: its seats, how many list it first or anywhere, and how many of them passed."""

    program: Program
    first: int
    listed: int
    passed: int


def of_programs(session: Session, round_: Round, programs: list[Program]) -> list[ProgramFigures]:
    """The figures of these programs; a list that names a class counts for each of its programs."""
    listing = reviewing.listed(session, round_.id, (p.id for p in programs))
    live = reviewing.states(session, round_.id, listing)
    firsts = _firsts(session, round_, listing)
    first, listed, passed = Counter[int](), Counter[int](), Counter[int]()
    for who, state in live.items():
        for program in listing[who]:
            listed[program.id] += 1
            first[program.id] += firsts[who] in (program.code, program.order_class.code)
            passed[program.id] += state == "passed"
    return [ProgramFigures(p, first[p.id], listed[p.id], passed[p.id]) for p in programs]


def _firsts(session: Session, round_: Round, who: Iterable[int]) -> dict[int, str]:
    """Applicant → the first line of her submitted list."""
    rows = session.execute(
        select(ChoiceList.applicant_id, ChoiceList.number, ChoiceList.choices)
        .join(Applicant)
        .where(Applicant.round_id == round_.id, ChoiceList.number > choices.DRAFT)
        .order_by(ChoiceList.number)
    )
    held = {applicant: listed[0] if listed else "" for applicant, _, listed in rows}
    return {one: held.get(one, "") for one in who}


def publication(session: Session, round_: Round) -> Publication | None:
    """The publication that holds: the last one."""
    return session.scalar(
        select(Publication)
        .where(Publication.round_id == round_.id)
        .order_by(Publication.id.desc())
        .limit(1)
    )


@dataclass(frozen=True)
class Placed:
    """Somebody who was placed in a program, and what became of her offer: blank before it is made."""

    applicant: Applicant
    program: Program
    rank: int | None
    seat: str
    state: str = ""

    @property
    def confirmed(self) -> bool:
        """Whether she has accepted, so that an enterprise may read her name."""
        return self.state in HOLDING


def placed(session: Session, round_: Round, programs: Iterable[Program]) -> list[Placed]:
    """Who was placed in these programs, by class and number; nobody before the result is public.

    Once offers are made, who was offered a seat; who holds or is asked about one comes first.
    """
    held = publication(session, round_) if round_.state in SHOWN else None
    if held is None:
        return []
    by_id = {p.id: p for p in programs}
    rows = session.scalars(
        select(Placement)
        .where(Placement.publication_id == held.id, Placement.program_id.in_(by_id))
        .options(joinedload(Placement.applicant).joinedload(Applicant.person))
    ).all()
    found = [Placed(r.applicant, by_id[r.program_id or 0], r.rank, r.seat) for r in rows]
    if session.scalar(select(Offer.id).where(Offer.round_id == round_.id).limit(1)) is not None:
        found = _offered(session, round_, by_id, found)
    return sorted(
        found, key=lambda row: (row.program.code, row.state in ENDED, row.applicant.number)
    )


def _offered(
    session: Session, round_: Round, programs: dict[int, Program], published: Sequence[Placed]
) -> list[Placed]:
    seats = {(row.applicant.id, row.program.id): row.seat for row in published}
    rows = session.scalars(
        select(Offer)
        .where(Offer.round_id == round_.id, Offer.program_id.in_(programs))
        .options(joinedload(Offer.applicant).joinedload(Applicant.person))
        .order_by(Offer.id)
    ).all()
    last = {(row.applicant_id, row.program_id): row for row in rows}
    return [
        Placed(row.applicant, programs[row.program_id], row.rank, seats.get(key, "open"), row.state)
        for key, row in last.items()
    ]


def demands(session: Session, round_: Round, enterprise: Enterprise) -> list[Demand]:
    """The posts of an enterprise in a round, by code."""
    return list(
        session.scalars(
            select(Demand)
            .where(Demand.round_id == round_.id, Demand.enterprise_id == enterprise.id)
            .order_by(Demand.code)
        )
    )


def classes(session: Session, round_: Round, college_id: int) -> list[OrderClass]:
    """The classes of a college in a round, by code."""
    return list(
        session.scalars(
            select(OrderClass)
            .where(OrderClass.round_id == round_.id, OrderClass.college_id == college_id)
            .order_by(OrderClass.code)
        )
    )


def claims(session: Session, round_: Round, district: str, state: str = "") -> list[Membership]:
    """The groups that people of a district claim, by applicant; in one state, or in any."""
    query = (
        select(Membership)
        .join(Applicant)
        .where(
            Applicant.round_id == round_.id,
            Applicant.state.in_((*reviewing.LIVE, "failed")),
            (Applicant.district == district) | (Applicant.household_district == district),
        )
        .options(joinedload(Membership.applicant).joinedload(Applicant.person))
        .order_by(Applicant.number, Membership.group)
    )
    if state:
        query = query.where(Membership.state == state)
    return list(session.scalars(query))


def plan(session: Session, round_: Round) -> dict[str, Any]:
    """The plan in numbers: classes, programs, seats and people, by industry and by district."""
    held = list(
        session.scalars(
            select(OrderClass)
            .where(OrderClass.round_id == round_.id)
            .options(joinedload(OrderClass.programs))
            .order_by(OrderClass.code)
        ).unique()
    )
    parts: dict[str, dict[str, list[int]]] = {"industry": {}, "district": {}, "study_form": {}}
    for one in held:
        seats = sum(p.capacity for p in one.programs)
        for name, table in parts.items():
            row = table.setdefault(getattr(one, name), [0, 0])
            row[0] += 1
            row[1] += seats
    states = session.execute(
        select(Applicant.state, func.count())
        .where(Applicant.round_id == round_.id)
        .group_by(Applicant.state)
    )
    return {
        "classes": len(held),
        "programs": sum(len(one.programs) for one in held),
        "seats": sum(p.capacity for one in held for p in one.programs),
        "confirmed": sum(
            one.confirmed_at is not None and all(p.confirmed_at for p in one.programs)
            for one in held
        ),
        "applicants": {row[0]: row[1] for row in states},
        "parts": {name: sorted(table.items()) for name, table in parts.items()},
    }


def events(first: date | None = None, last: date | None = None, **wanted: str) -> Any:
    """The query for audit events, the last first.

    Parameters
    ----------
    first, last
        The days, in Beijing, from which and to the end of which events count.
    wanted
        What their ``action``, ``actor``, ``row`` begin with.
    """
    query = select(AuditEvent)
    for name in ("action", "actor", "row"):
        if text := wanted.get(name):
            query = query.where(getattr(AuditEvent, name).startswith(text, autoescape=True))
    if first is not None and first > date.min:
        query = query.where(AuditEvent.at >= calendar.parse_local(f"{first}T00:00"))
    if last is not None and last < date.max:
        ends = calendar.parse_local(f"{last + timedelta(days=1)}T00:00")
        query = query.where(AuditEvent.at < ends)
    return query.order_by(AuditEvent.id.desc())


@dataclass(frozen=True)
class Link:
    """A link of the chain of a round's results: a publication, its successor, or a day's step."""

    kind: str
    """``publication``, ``successor`` or ``step``."""
    at: datetime
    by: str
    digest: str
    parent: str
    """Digest of the link before; blank for the first."""
    number: int
    """Of a step; 0 for others."""


def chain(session: Session, round_: Round) -> list[Link]:
    """The results of a round from the first publication on, in the order in which they came."""
    held = session.scalars(select(Publication).where(Publication.round_id == round_.id)).all()
    digests = {one.id: one.bundle_digest for one in held}
    links = [
        Link(
            "successor" if one.parent_id else "publication", one.at, one.by, one.bundle_digest,
            digests.get(one.parent_id or 0, ""), 0,
        )
        for one in held
    ]  # fmt: skip
    steps = session.scalars(select(WaitingStep).where(WaitingStep.round_id == round_.id))
    links += [Link("step", s.at, s.by, s.digest, s.parent, s.number) for s in steps]
    return sorted(links, key=lambda link: (link.at, link.number))
