"""Ranked lists (志愿): saving, submitting, receipts, and what a list means."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, or_, select, update
from sqlalchemy.orm import Session, contains_eager

from .audit import Actor, Entry, canonical, record, record_all
from .db import now
from .models import Applicant, ChoiceList, OrderClass, Program

DRAFT = 0
RECEIPT = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LOOK_ALIKES = str.maketrans("OIL", "011")
SUBMITTED, TAKEN_BACK = "list.submit", "list.take_back"
SCOPES = ("none", "college", "industry", "district", "alliance")


def draft(session: Session, applicant: Applicant) -> ChoiceList | None:
    """The list as it is being written; it does not count."""
    return _version(session, applicant, DRAFT)


def submitted(session: Session, applicant: Applicant) -> ChoiceList | None:
    """The list that counts: the last one submitted."""
    return session.scalar(
        select(ChoiceList)
        .where(ChoiceList.applicant_id == applicant.id, ChoiceList.number > DRAFT)
        .order_by(ChoiceList.number.desc())
        .limit(1)
    )


def history(session: Session, applicant: Applicant) -> Sequence[ChoiceList]:
    """Every list that was submitted, the last first."""
    return session.scalars(
        select(ChoiceList)
        .where(ChoiceList.applicant_id == applicant.id, ChoiceList.number > DRAFT)
        .order_by(ChoiceList.number.desc())
    ).all()


def _version(session: Session, applicant: Applicant, number: int) -> ChoiceList | None:
    return session.scalar(
        select(ChoiceList).where(
            ChoiceList.applicant_id == applicant.id, ChoiceList.number == number
        )
    )


def plan(session: Session, round_id: int) -> dict[str, list[Program]]:
    """What a line of a list may name: a program's code, or a class's for all its programs."""
    found: dict[str, list[Program]] = {}
    rows = session.scalars(
        select(Program)
        .join(Program.order_class)
        .where(OrderClass.round_id == round_id)
        .options(contains_eager(Program.order_class))
    )
    for program in rows:
        found.setdefault(program.code, [program])
        if program.order_class.code != program.code:
            found.setdefault(program.order_class.code, []).append(program)
    return found


def listed_programs(session: Session, applicant: Applicant) -> list[Program]:
    """The programs of the list that counts, in its order."""
    held = submitted(session, applicant)
    if held is None:
        return []
    named = plan(session, applicant.round_id)
    return [program for code in held.choices for program in named.get(code, [])]


@dataclass(frozen=True)
class Wish:
    """What a person asks for: choices in order, consent to adjustment, and classes refused."""

    choices: tuple[str, ...]
    adjustment: str = "none"
    not_accepted: tuple[str, ...] = ()


class NotAccepted(ValueError):
    """A list that cannot be stored; ``problems`` are (position, code, value)."""

    def __init__(self, problems: Sequence[tuple[int, str, str]]):
        self.problems = tuple(problems)
        super().__init__(str(self.problems))


class Closed(ValueError):
    """The deadline has passed, or the round does not take lists."""


def problems(session: Session, round_id: int, wish: Wish, most: int) -> list[tuple[int, str, str]]:
    """What keeps a list from being submitted, each with its place on the list (0: the whole)."""
    named = _named(session, round_id, wish.choices)
    found: list[tuple[int, str, str]] = []
    seen: dict[str, int] = {}
    for place, code in enumerate(wish.choices, start=1):
        if code not in named:
            found.append((place, "unknown", code))
        elif code in seen:
            found.append((place, "duplicate", str(seen[code])))
        seen.setdefault(code, place)
    if most and len(wish.choices) > most:
        found.append((0, "too_many", str(most)))
    if wish.adjustment not in SCOPES:
        found.append((0, "scope", wish.adjustment))
    if not wish.choices and wish.adjustment == "none":
        found.append((0, "empty", ""))
    return found


def _named(session: Session, round_id: int, wanted: Sequence[str]) -> set[str]:
    """Which of these codes name something in the plan; others of the same class may be with them."""
    rows = session.execute(
        select(Program.code, OrderClass.code)
        .join(Program.order_class)
        .where(
            OrderClass.round_id == round_id,
            or_(Program.code.in_(wanted), OrderClass.code.in_(wanted)),
        )
    )
    return {code for row in rows for code in row}


def save_draft(session: Session, applicant: Applicant, wish: Wish, actor: Actor) -> ChoiceList:
    """Store what is being written, whatever is wrong with it; it does not count."""
    held = draft(session, applicant)
    if held is None:
        held = ChoiceList(applicant_id=applicant.id, number=DRAFT, saved_at=now(session))
        session.add(held)
    held.choices = list(wish.choices)
    held.adjustment = wish.adjustment
    held.not_accepted = list(wish.not_accepted)
    held.saved_at = now(session)
    held.entered_by = actor.name
    return held


def made_before(session: Session, applicant: Applicant, idempotency_key: str) -> ChoiceList | None:
    """The list that was submitted with that key already: pressed twice, or sent again."""
    return session.scalar(
        select(ChoiceList).where(
            ChoiceList.applicant_id == applicant.id,
            ChoiceList.idempotency_key == idempotency_key,
        )
    )


def submit(
    session: Session,
    applicant: Applicant,
    wish: Wish,
    actor: Actor,
    idempotency_key: str,
    moment: datetime,
) -> ChoiceList:
    """Submit a list; the receipt counts from the commit of the caller's transaction.

    The caller has found no list :func:`made_before`, locked the round, compared ``moment`` with the
    deadline, and asked for :func:`problems`: the list bears the time at which it was accepted.
    """
    last = session.scalar(
        select(func.max(ChoiceList.number)).where(ChoiceList.applicant_id == applicant.id)
    )
    held = _values(applicant.number, wish, (last or DRAFT) + 1, moment, actor, idempotency_key)
    made = ChoiceList(applicant_id=applicant.id, **held)
    applicant.submitted_at = moment
    session.add(made)
    record(
        session, actor, SUBMITTED, f"applicant/{applicant.number}",
        round_id=applicant.round_id, after=_told(held),
    )  # fmt: skip
    session.flush()
    return made


def submit_all(
    session: Session,
    round_id: int,
    wishes: Mapping[str, Wish],
    actor: Actor,
    idempotency_key: str,
    action: str = SUBMITTED,
    reason: str = "",
) -> None:
    """Submit lists of a round by application number, as an office's file says them; see :func:`submit`.

    Whoever has only a draft of her application, or was asked to correct it, has submitted it now.
    """
    session.flush()
    connection = session.connection()  # no account of each row: an import makes five thousand
    rows = connection.execute(
        select(Applicant.id, Applicant.number, Applicant.state, Applicant.entered_by,
               func.max(ChoiceList.number))
        .outerjoin(ChoiceList).where(Applicant.round_id == round_id).group_by(Applicant.id)
    )  # fmt: skip
    moment = now(session)
    made, stands, entries = [], [], []
    for id_, number, state, entered_by, last in rows:
        if (wish := wishes.get(number)) is None:
            continue
        held = _values(number, wish, (last or DRAFT) + 1, moment, actor, idempotency_key)
        made.append(held | {"applicant_id": id_})
        stands.append(
            {"of": id_, "submitted_at": moment, "entered_by": entered_by or actor.name,
             "state": "submitted" if state in ("draft", "returned") else state}
        )  # fmt: skip
        entries.append(Entry(action, f"applicant/{number}", after=_told(held)))
    if not made:
        return
    connection.execute(insert(ChoiceList), made)
    connection.execute(
        update(Applicant).where(Applicant.id == bindparam("of")).values(
            submitted_at=bindparam("submitted_at"), entered_by=bindparam("entered_by"),
            state=bindparam("state"),
        ),
        stands,
    )  # fmt: skip
    for one in [held for held in session.identity_map.values() if isinstance(held, Applicant)]:
        session.expire(one, ["submitted_at", "entered_by", "state"])
    record_all(session, actor, entries, round_id=round_id, reason=reason)


def _values(
    application: str, wish: Wish, number: int, moment: datetime, actor: Actor, key: str
) -> dict[str, Any]:
    """What a row of a submitted list holds, beside whose it is."""
    return {
        "number": number,
        "choices": list(wish.choices),
        "adjustment": wish.adjustment,
        "not_accepted": list(wish.not_accepted),
        "saved_at": moment,
        "submitted_at": moment,
        "entered_by": actor.name,
        "receipt": receipt_number(),
        "digest": _digest(application, number, wish, moment),
        "idempotency_key": key,
    }


def _told(held: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: held[name] for name in ("number", "choices", "adjustment", "not_accepted", "digest")
    }


def receipt_number() -> str:
    """A receipt's number (查询码): 80 random bits, so that nobody finds one by trying."""
    number = secrets.randbits(80)
    text = "".join(RECEIPT[number >> shift & 31] for shift in range(75, -1, -5))
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def as_receipt(typed: str) -> str:
    """A receipt's number as it is stored, of what somebody read from paper.

    >>> as_receipt(" o1ab cdef-ghjk mnpq ")
    '01AB-CDEF-GHJK-MNPQ'
    """
    plain = unicodedata.normalize("NFKC", typed).upper()
    text = "".join(c for c in plain.translate(LOOK_ALIKES) if c in RECEIPT)
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def digest(applicant: Applicant, held: ChoiceList) -> str:
    """SHA-256 of what was submitted, so that a receipt can be compared with what is stored."""
    wish = Wish(tuple(held.choices), held.adjustment, tuple(held.not_accepted))
    return _digest(applicant.number, held.number, wish, held.submitted_at)


def _digest(application: str, number: int, wish: Wish, moment: datetime | None) -> str:
    text = canonical(
        {
            "applicant": application,
            "number": number,
            "choices": wish.choices,
            "adjustment": wish.adjustment,
            "not_accepted": wish.not_accepted,
            "submitted": moment.isoformat() if moment else "",
        }
    )
    return hashlib.sha256(text).hexdigest()
