"""Activation slips: a one-time code on paper, given to somebody whose identity was seen.

A code opens an account, gives it back to who forgot the password, lets a guardian take part, or
confirms what an office typed.  Only a keyed hash of it is stored.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from . import privacy
from .audit import Actor, record
from .db import now
from .models import Applicant, Person, Slip

PURPOSES = ("activate", "recover", "guardian")
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_code() -> str:
    """Fifty random bits as people type them: ``7K2QM-0VX9D``."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def as_code(text: str) -> str:
    """A code as it is compared: capitals, without what people put between, look-alikes read."""
    kept = "".join(c for c in text.upper() if c.isalnum())
    return kept.translate(str.maketrans("OIL", "011"))


def _hash(person: Person, purpose: str, code: str) -> str:
    return privacy.number_index(f"slip:{purpose}:{person.number_index}:{as_code(code)}")


def issue(session: Session, applicant: Applicant, purpose: str, actor: Actor) -> str:
    """A new code; earlier ones of the same purpose are worth nothing from now on."""
    if purpose not in PURPOSES:
        raise ValueError(purpose)
    person = applicant.person
    session.execute(
        update(Slip)
        .where(Slip.person_id == person.id, Slip.purpose == purpose, Slip.used_at.is_(None))
        .values(used_at=now(session))
        .execution_options(synchronize_session=False)
    )
    code = new_code()
    session.add(
        Slip(
            person_id=person.id,
            code_hash=_hash(person, purpose, code),
            purpose=purpose,
            issued_by=actor.name,
            issued_at=now(session),
        )
    )
    record(
        session, actor, "slip.issue", f"applicant/{applicant.number}",
        round_id=applicant.round_id, after={"purpose": purpose},
    )  # fmt: skip
    return code


def fitting(session: Session, person: Person, code: str, purposes: Sequence[str]) -> Slip | None:
    """The unused slip that a code belongs to."""
    hashes = [_hash(person, purpose, code) for purpose in purposes]
    return session.scalar(
        select(Slip).where(Slip.code_hash.in_(hashes), Slip.used_at.is_(None)).with_for_update()
    )


def use(session: Session, slip: Slip) -> None:
    """Spend a slip: its code is worth nothing afterwards."""
    slip.used_at = now(session)


def applicant_numbered(session: Session, number: str) -> Applicant | None:
    """The last application of that number, however its letters were typed."""
    spellings = {number.strip(), number.strip().upper(), number.strip().lower()}
    return session.scalar(
        select(Applicant)
        .where(Applicant.number.in_(spellings))
        .order_by(Applicant.id.desc())
        .limit(1)
    )
