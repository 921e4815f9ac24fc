"""Forgetting people: what could name somebody goes, and what proves a result stays.

Her pseudonym, her line of the publication and the year of her birth stay.  Of an agreement the ledger stays
(number, text's digest, states, days, offices that signed, number of the filed paper), as it is the offices'
record of their own contracts; who the student and her guardian were, only the filed paper says then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from secrets import token_hex
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session, joinedload

from . import db
from .models import (
    Agreement,
    Applicant,
    AuditEvent,
    AuditPayload,
    Contact,
    Enrolment,
    Evidence,
    Membership,
    Message,
    Offer,
    Person,
    Recheck,
    Review,
    Score,
    Signature,
    Slip,
)

UNSYNCHRONIZED = {"synchronize_session": False}
Ids = Sequence[Any]

NAMED = ("student", "guardian")
"""The parties of an agreement, and blanks of its text, that are people's names."""


def batches(ids: Ids, most: int = 500) -> list[Ids]:
    """As many ids at a time as every database takes in one statement."""
    return [ids[at : at + most] for at in range(0, len(ids), most)]


def forget(session: Session, ids: Ids) -> None:
    """Take from applications what could name somebody, and from people whom no other round needs."""
    for some in batches(ids):
        held = session.scalars(
            select(Applicant).where(Applicant.id.in_(some)).options(joinedload(Applicant.person))
        ).all()
        _payloads(session, held)
        _application(session, held)
        _words(session, some)
        _places(session, some)
        session.flush()
        _people(session, [one.person for one in held])


def _application(session: Session, held: Iterable[Applicant]) -> None:
    moment = db.now(session)
    for one in held:
        one.guardian = one.guardian_relation = one.school = one.certificate = one.note = ""
        one.guardian_telephone = b""
        one.guardian_agreed_how = one.entry_confirmed = one.health = ""
        one.removed_at = moment


def _words(session: Session, ids: Ids) -> None:
    """What people typed about her, letters to her, and pictures, whose files go with their rows."""
    for model, column in (
        (Membership, "evidence"), (Membership, "reason"), (Review, "reason"), (Recheck, "words"),
        (Recheck, "answer"), (Score, "exempt_basis"),
    ):  # fmt: skip
        session.execute(
            update(model).where(model.applicant_id.in_(ids)).values({column: ""}),
            execution_options=UNSYNCHRONIZED,
        )
    for gone in (Evidence, Message):
        session.execute(
            delete(gone).where(gone.applicant_id.in_(ids)), execution_options=UNSYNCHRONIZED
        )


def _places(session: Session, ids: Ids) -> None:
    """Names in her agreements, and what was noted of her calls and her studies."""
    places = select(Offer.id).where(Offer.applicant_id.in_(ids))
    for held in session.scalars(select(Agreement).where(Agreement.offer_id.in_(places))):
        held.terms = {**held.terms, **dict.fromkeys(NAMED, "")}
        held.reason = held.asked_reason = ""
    session.execute(
        update(Signature)
        .where(
            Signature.agreement_id.in_(select(Agreement.id).where(Agreement.offer_id.in_(places))),
            Signature.party.in_(NAMED),
        )
        .values(name=""),
        execution_options=UNSYNCHRONIZED,
    )
    session.execute(
        update(Enrolment)
        .where(Enrolment.offer_id.in_(places))
        .values(register_number="", left_reason="", asked_reason=""),
        execution_options=UNSYNCHRONIZED,
    )
    session.execute(
        delete(Contact).where(Contact.offer_id.in_(places)), execution_options=UNSYNCHRONIZED
    )


def _payloads(session: Session, held: Sequence[Applicant]) -> None:
    """What the log says of her, her places, agreements and tickets; the chain itself stays."""
    ids = [one.id for one in held]
    for round_id in {one.round_id for one in held}:
        named: list[Any] = [
            AuditEvent.row.in_(
                [f"applicant/{one.number}" for one in held if one.round_id == round_id]
            )
        ]
        for kind, column, query in (
            ("offer", Offer.key, select(Offer.key)),
            ("agreement", Agreement.number, select(Agreement.number).join(Offer)),
            ("recheck", Recheck.number, select(Recheck.number)),
        ):
            owner = Recheck.applicant_id if kind == "recheck" else Offer.applicant_id
            rows = session.scalars(query.where(owner.in_(ids)).order_by(column))
            named += [AuditEvent.row.in_(some) for some in batches([f"{kind}/{n}" for n in rows])]
        events = select(AuditEvent.id).where(AuditEvent.round_id == round_id, or_(*named))
        session.execute(
            delete(AuditPayload).where(AuditPayload.event_id.in_(events)),
            execution_options=UNSYNCHRONIZED,
        )


def _people(session: Session, people: Sequence[Person]) -> None:
    needed = set(
        session.scalars(
            select(Applicant.person_id).where(
                Applicant.person_id.in_([p.id for p in people]), Applicant.removed_at.is_(None)
            )
        )
    )
    gone = [person for person in people if person.id not in needed]
    for person in gone:
        person.name = person.nation = ""
        person.number = person.telephone = b""
        person.number_index = f"removed:{token_hex(16)}"
        if person.birth_date is not None:  # the year stays, for tables by age
            person.birth_date = person.birth_date.replace(month=1, day=1)
        if person.user is not None:
            _close(person.user)
    ids = [person.id for person in gone]
    session.execute(delete(Slip).where(Slip.person_id.in_(ids)), execution_options=UNSYNCHRONIZED)


def _close(user: Any) -> None:
    """Close her account, and end its sessions."""
    user.active, user.password, user.name, user.notice = False, None, "", ""
    user.last_login_ip = user.current_login_ip = None
    user.fs_uniquifier = token_hex(32)
