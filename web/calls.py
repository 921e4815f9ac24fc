"""Who has not answered an offer, and the calls that offices make to them (电话联系记录)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from . import offers, rounds
from .audit import Actor, record
from .db import now
from .models import Applicant, Contact, Offer, OrderClass, Program, Round
from .models.outcome import OPEN

OUTCOMES = {
    "reached": _("已联系上"),
    "will_answer": _("会按时答复"),
    "not_reached": _("没联系上"),
    "wrong_number": _("号码不对"),
}


def query(
    round_: Round, college_id: int | None = None, code: str = "", everybody: bool = False
) -> Select[Offer]:
    """Offers that nobody has answered, by class and application number.

    Parameters
    ----------
    college_id
        A college's own classes; default all.
    code
        One class.
    everybody
        Those that are held as well.
    """
    found = (
        select(Offer)
        .join(Offer.applicant)
        .join(Offer.program)
        .join(Program.order_class)
        .where(
            Offer.round_id == round_.id,
            Offer.state.in_(offers.LIVE) if everybody else Offer.state == OPEN,
        )
        .options(
            joinedload(Offer.applicant).joinedload(Applicant.person),
            joinedload(Offer.program)
            .joinedload(Program.order_class)
            .joinedload(OrderClass.college),
        )
        .order_by(OrderClass.code, Applicant.number)
    )
    if college_id is not None:
        found = found.where(OrderClass.college_id == college_id)
    return found.where(OrderClass.code == code) if code else found


def waiting(session: Session, round_: Round, college_id: int) -> int:
    """How many of a college have not answered."""
    rows = query(round_, college_id).order_by(None).with_only_columns(Offer.id).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0


def classes(
    session: Session, round_: Round, college_id: int | None = None
) -> list[tuple[str, str]]:
    """Code and name of the classes in which somebody was offered a seat."""
    found = (
        select(OrderClass.code, OrderClass.name)
        .join(Program)
        .join(Offer, Offer.program_id == Program.id)
        .where(Offer.round_id == round_.id)
        .distinct()
        .order_by(OrderClass.code)
    )
    if college_id is not None:
        found = found.where(OrderClass.college_id == college_id)
    return [(code, name) for code, name in session.execute(found)]


def of_offer(session: Session, offer: Offer) -> list[Contact]:
    """The calls about an offer, the last first."""
    rows = select(Contact).where(Contact.offer_id == offer.id).order_by(Contact.id.desc())
    return list(session.scalars(rows))


def last(session: Session, offers_: Iterable[Offer]) -> dict[int, Contact]:
    """Offer → the last call about it."""
    ids = [offer.id for offer in offers_]
    rows = session.scalars(select(Contact).where(Contact.offer_id.in_(ids)).order_by(Contact.id))
    return {row.offer_id: row for row in rows}


def note(session: Session, offer: Offer, outcome: str, words: str, actor: Actor) -> Contact:
    """Record a call or visit: a key of :data:`OUTCOMES`, and a word on it.

    Raises
    ------
    web.rounds.Moved
        If the round is not in its confirming days.
    """
    session.refresh(offer.round, with_for_update={"read": True})
    if offer.round.state != "CONFIRMING":
        raise rounds.Moved(offer.round.state)
    if outcome not in OUTCOMES:
        raise ValueError(outcome)
    made = Contact(
        offer_id=offer.id, outcome=outcome, note=words, by=actor.name, at=now(session)
    )  # fmt: skip
    session.add(made)
    session.flush()
    record(
        session, actor, "offer.call", f"offer/{offer.key}", round_id=offer.round_id,
        after={"outcome": outcome, "note": words},
    )  # fmt: skip
    return made


def log(session: Session, round_: Round, kind: str, rows: int, only: Any, actor: Actor) -> None:
    """Record that somebody took the list with its telephone numbers."""
    record(
        session, actor, "export", f"offers/{round_.serial}", round_id=round_.id,
        after={"format": kind, "only": only, "rows": rows},
    )  # fmt: skip
