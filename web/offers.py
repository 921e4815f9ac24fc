"""Places offered and held: who has which seat after publication, counted in one place.

A published placement becomes an offer when confirming begins.  An offer is open until it is answered;
an answer makes it held or ends it.  Nobody holds two places or is asked about two at once (the
database sees to that), and no program has more offers open and held than seats (this file does).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from . import calendar, db, outbox, policies, rounds
from .audit import Actor, Entry, record, record_all
from .links import publication_of
from .models import Agreement, Applicant, Enrolment, Offer, OrderClass, Placement, Program, Round
from .models.outcome import HOLDING, OPEN

LIVE = (OPEN, *HOLDING)
"""States in which an offer takes up a seat."""

LABELS = {
    "open": _("待答复"),
    "accepted": _("已确认"),
    "waiting": _("已确认并候补"),
    "declined": _("已放弃"),
    "silent": _("逾期未确认"),
    "moved": _("已递补到别的班"),
    "lapsed": _("逾期未签约"),
    "absent": _("未报到"),
    "released": _("因停开班释放"),
    "left": _("已退出"),
}


ENDED: list[Callable[[Session, Offer, Actor], None]] = []
"""What other stories do when a place that was held or offered ends, in the same transaction."""


class NoSeat(ValueError):
    """Every seat of the program is held or offered; names the program."""


class Answered(ValueError):
    """The offer is not open, or not held, any more; names its state."""


# --- reading ----------------------------------------------------------------------------------


def of_applicant(session: Session, applicant: Applicant) -> Sequence[Offer]:
    """Every offer that somebody ever had, the last first."""
    return session.scalars(
        select(Offer)
        .where(Offer.applicant_id == applicant.id)
        .options(joinedload(Offer.program).joinedload(Program.order_class))
        .order_by(Offer.id.desc())
    ).all()


def open_of(session: Session, applicant_id: int) -> Offer | None:
    """The offer that somebody has not answered yet."""
    return session.scalar(
        select(Offer).where(Offer.applicant_id == applicant_id, Offer.state == OPEN)
    )


def held_of(session: Session, applicant_id: int) -> Offer | None:
    """The place that somebody has accepted and still has."""
    return session.scalar(
        select(Offer).where(Offer.applicant_id == applicant_id, Offer.state.in_(HOLDING))
    )


def taken(session: Session, round_id: int) -> dict[int, int]:
    """How many seats of each program are held or offered, by the program's id."""
    rows = session.execute(
        select(Offer.program_id, func.count().label("number"))
        .where(Offer.round_id == round_id, Offer.state.in_(LIVE))
        .group_by(Offer.program_id)
    )
    return {row.program_id: row.number for row in rows}


def free(session: Session, program: Program) -> int:
    """The seats of a program that nobody holds and nobody is asked about."""
    used = session.scalar(
        select(func.count()).where(Offer.program_id == program.id, Offer.state.in_(LIVE))
    )
    return program.capacity - (used or 0)


def confirmed_people(session: Session, order_class: OrderClass) -> int:
    """How many hold a place in a class, each of them asked and having accepted."""
    return session.scalar(
        select(func.count(Offer.id))
        .join(Program)
        .where(Program.order_class_id == order_class.id, Offer.state.in_(HOLDING))
    ) or 0  # fmt: skip


def progress(session: Session, applicant: Applicant) -> str:
    """How far somebody has come after publication: a code of :data:`PROGRESS`, blank for not placed.

    Of a place that she holds the furthest stage counts; of none, how the last offer ended.
    """
    held = held_of(session, applicant.id)
    if held is None:
        last = of_applicant(session, applicant)
        return last[0].state if last else ""
    enrolled = session.get(Enrolment, held.id)
    if enrolled is not None and enrolled.registered_on:
        return "registered"
    if enrolled is not None and enrolled.checked_in_on:
        return "checked_in"
    signed = session.scalar(
        select(Agreement.id).where(Agreement.offer_id == held.id, Agreement.state == "effective")
    )
    return "signed" if signed is not None else held.state


PROGRESS = LABELS | {
    "signed": _("已签约"),
    "checked_in": _("已报到"),
    "registered": _("已注册学籍"),
}


# --- changing ---------------------------------------------------------------------------------


def due(round_: Round, moment: datetime) -> datetime:
    """Until when an offer made at a moment can be answered, by the rules of the round."""
    days, hour = (policies.flow(round_, key) for key in ("days.confirm", "days.hour"))
    return calendar.end_of(moment, days, hour)


def begin(session: Session, round_: Round, actor: Actor) -> None:
    """Offer everybody the place that was published for her; once for a round."""
    published = publication_of(session, round_)
    begun = session.scalar(select(Offer.id).where(Offer.round_id == round_.id).limit(1))
    if published is None or begun is not None:
        return
    moment = db.now(session)
    until = due(round_, moment)
    rows = session.execute(
        select(Placement.applicant_id, Placement.program_id, Placement.rank)
        .where(Placement.publication_id == published.id, Placement.program_id.is_not(None))
        .order_by(Placement.id)
    )
    made = [
        Offer(
            round_id=round_.id, applicant_id=row.applicant_id, program_id=row.program_id,
            rank=row.rank, source="result", made_at=moment, due_at=until,
        )
        for row in rows
    ]  # fmt: skip
    session.add_all(made)
    session.flush()
    _note(session, round_.id, actor, made)
    people = session.execute(
        select(Applicant, OrderClass.name)
        .join(Offer, Offer.applicant_id == Applicant.id)
        .join(Program, Program.id == Offer.program_id)
        .join(OrderClass)
        .where(Offer.round_id == round_.id)
    )
    for applicant, name in people.all():
        outbox.put(session, applicant, "offer_made", program=name, due=until)


rounds.ENTERED["CONFIRMING"] = begin


def make(
    session: Session, round_: Round, applicant: Applicant, program: Program, actor: Actor,
    *, rank: int, source: str, **more: Any,
) -> Offer:  # fmt: skip
    """Offer somebody one free seat, in the caller's transaction.

    Raises
    ------
    NoSeat
        If no seat of the program is free.
    """
    (made,) = make_all(session, round_, [(applicant, program, rank)], actor, source=source, **more)
    return made


def make_all(
    session: Session, round_: Round, seats: Sequence[tuple[Applicant, Program, int]], actor: Actor,
    *, source: str, **more: Any,
) -> list[Offer]:  # fmt: skip
    """Offer people one free seat each: to whom, of which program, at which rank of hers.

    Raises
    ------
    NoSeat
        If a program has fewer seats free than are asked of it.
    """
    wanted = Counter(program.id for _applicant, program, _rank in seats)
    for program in session.scalars(
        select(Program)
        .where(Program.id.in_(wanted))
        .order_by(Program.id)
        .with_for_update()  # of two at once the second counts the first
        .execution_options(populate_existing=True)
    ):
        if free(session, program) < wanted[program.id]:
            raise NoSeat(program.code)
    moment = db.now(session)
    until = more.pop("due_at", None) or due(round_, moment)
    made = [
        Offer(
            round_id=round_.id, applicant_id=applicant.id, program_id=program.id, rank=rank,
            source=source, made_at=moment, due_at=until, **more,
        )
        for applicant, program, rank in seats
    ]  # fmt: skip
    session.add_all(made)
    session.flush()
    _note(session, round_.id, actor, made)
    return made


def settle(
    session: Session, offer: Offer, state: str, actor: Actor, reason: str = "", **more: Any
) -> None:
    """Move an offer from one state to another by compare-and-set, in the caller's transaction.

    ``open`` may become anything; what is held may change its kind or end; what ended stays so.

    Raises
    ------
    Answered
        If somebody else settled it in the meantime, or it had ended.
    """
    before, moment = offer.state, db.now(session)
    if before not in LIVE:
        raise Answered(before)
    stamps: dict[str, Any] = {} if state in HOLDING else {"ended_at": moment}
    if before == OPEN:
        stamps |= {"answered_at": moment, "answered_by": actor.name}
    done = session.execute(
        update(Offer)
        .where(Offer.id == offer.id, Offer.state == before, Offer.version == offer.version)
        .values(state=state, reason=reason, version=Offer.version + 1, **stamps, **more)
        .execution_options(synchronize_session=False)
    )
    session.refresh(offer)
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Answered(offer.state)
    record(
        session, actor, f"offer.{state}", f"offer/{offer.key}", round_id=offer.round_id,
        before={"state": before}, after={"state": state, "program": offer.program.code},
        reason=reason,
    )  # fmt: skip
    if state not in LIVE:
        for act in ENDED:
            act(session, offer, actor)


def _note(session: Session, round_id: int, actor: Actor, made: Iterable[Offer]) -> None:
    entries = [
        Entry(
            "offer.make",
            f"offer/{offer.key}",
            after={
                "applicant": offer.applicant_id,
                "program": offer.program_id,
                "source": offer.source,
                "due_at": offer.due_at,
            },
        )
        for offer in made
    ]
    record_all(session, actor, entries, round_id=round_id)
