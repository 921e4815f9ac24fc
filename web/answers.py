"""Answers to offers (确认): accepting, accepting and waiting for a better place (候补), declining, silence.

An answer counts if it comes before the offer's deadline while the round takes answers; until then it
may be changed, except that what was declined stays so.  Who holds a place and accepts a better one
moves there, in one transaction; who does not keeps the old one.  Who accepts for good has her agreement at
once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from . import agreements, application, db, jobs, minimums, offers, outbox, publication, rounds
from .audit import SYSTEM, Actor, Entry, record_all
from .models import Applicant, Message, Offer, OrderClass, Program, Round
from .models.outcome import HOLDING, OPEN

ANSWERS = {"accepted": _("接受"), "waiting": _("接受并候补"), "declined": _("放弃录取")}
SILENT = "silent"
SOON = timedelta(days=1)
"""How long before the deadline who has not answered is reminded."""


class Late(ValueError):
    """The offer's deadline has passed."""


class NoWaiting(ValueError):
    """The waiting list has ended: nobody can wait for a better place."""


class NothingBetter(ValueError):
    """No choice that she prefers can be reached any more: there is nothing to wait for."""


class NotSeen(ValueError):
    """An answer at the counter needs the document seen and the number of the signed paper."""


REFUSALS = (
    rounds.Moved, Late, NoWaiting, NothingBetter, NotSeen, application.Stale, application.NoGuardian,
    offers.Answered,
)  # fmt: skip
"""Why an answer is not taken; :func:`sentence` says it."""


def sentence(error: Exception) -> str:
    """A refusal in words."""
    if isinstance(error, offers.Answered):
        return str(gettext("这个录取已结束：%(state)s。", state=offers.LABELS[str(error)]))
    if isinstance(error, rounds.Moved) and str(error) == "SUSPENDED":
        return str(gettext("本轮暂停，现在不能答复。"))
    if isinstance(error, NothingBetter):
        return str(error)
    return str(_SENTENCES[type(error)])


_SENTENCES: dict[type[Exception], Any] = {
    rounds.Moved: _("现在不是确认期，不能答复。"),
    Late: _("没有收下：答复期限已过。"),
    NoWaiting: _("候补已结束，请选接受或放弃。"),
    NotSeen: _("请核对证件，并填签字件编号。"),
    application.Stale: _("刚才已有别的答复，请核对后再办。"),
    application.NoGuardian: _("未满 18 岁，须监护人参与。"),
}


# --- what there is to wait for ----------------------------------------------------------------

UNREACHABLE = ("barred_", "class_closed")
"""How reasons begin that no free seat changes."""


def idle(session: Session, offer: Offer) -> str:
    """Why waiting for better than an offer would be idle, in words; blank where it may bring something.

    By the reasons of her published line: a better choice whose class did not open or was ruled out since, or
    that a rule bars her from, is never offered.
    """
    if offer.rank == 1:
        return str(gettext("这是第一志愿，不用候补。"))
    placement = publication.placement_of(session, offer.applicant)
    if placement is None:
        return ""
    gone = minimums.ended_classes(session, offer.round_id)
    classes = dict(
        session.execute(
            select(Program.code, OrderClass.code)
            .join(OrderClass)
            .where(OrderClass.round_id == offer.round_id)
        ).all()
    )
    for reason in placement.reasons["reasons"]:
        code, numbers = reason["code"], reason.get("numbers", {})
        rank = int(numbers.get("rank") or 0)
        if offer.rank == 0 and code.startswith("tail_"):
            told = ("full", "cap") if code == "tail_exhausted" else ("considered",)
            if any(numbers.get(name) for name in told):
                return ""
        elif rank and (offer.rank == 0 or rank < offer.rank):
            ended = classes.get(reason["program"]) in gone
            if not ended and not code.startswith(UNREACHABLE):
                return ""
    return str(gettext("更靠前的志愿都已停开或不合条件，不用候补。"))


def see(session: Session, offer: Offer, answer: str) -> None:
    """See that an answer that somebody gives on a page brings something.

    Raises
    ------
    NothingBetter
        If she would wait for what cannot come.
    """
    if answer == "waiting" and offer.state != "waiting" and (said := idle(session, offer)):
        raise NothingBetter(said)


# --- answering --------------------------------------------------------------------------------


def accept(
    session: Session, offer: Offer, actor: Actor, *, wait: bool = False, guardian_how: str = "",
    seen: int | None = None,
) -> None:  # fmt: skip
    """Accept a place; with ``wait``, and stay on the waiting list for a better one.

    Who held another place is moved from there in the same transaction.  The same answer again changes
    nothing.

    Parameters
    ----------
    guardian_how
        Of a minor, what :func:`web.application.guardian_how` gives.
    seen
        Version of the offer that the page showed, if a page did.

    Raises
    ------
    web.rounds.Moved
        If the round takes no answers now: it is suspended, or not in its confirming days.
    Late, NoWaiting
        See there.
    web.application.Stale
        If another answer was given since the page was shown.
    web.application.NoGuardian
        If she is a minor, and her guardian takes no part.
    web.offers.Answered
        If the offer has ended.
    """
    _answer(session, offer, "waiting" if wait else "accepted", actor, guardian_how, seen)


def decline(
    session: Session, offer: Offer, actor: Actor, *, guardian_how: str = "",
    seen: int | None = None,
) -> None:  # fmt: skip
    """Give a place up, for good; who was offered a better one keeps the place that she holds.

    Raises as :func:`accept` does.
    """
    _answer(session, offer, "declined", actor, guardian_how, seen)


def answer_at_counter(
    session: Session, offer: Offer, answer: str, actor: Actor, *, identity_seen: bool, paper: str,
    guardian_paper: str = "", seen: int | None = None,
) -> None:  # fmt: skip
    """Record the answer that somebody gave in person: a key of :data:`ANSWERS`.

    Parameters
    ----------
    identity_seen
        Whether her document was seen.
    paper, guardian_paper
        Numbers of the papers that she, and of a minor her guardian, signed.

    Raises
    ------
    NotSeen
        Without the document or the paper.  Else as :func:`accept`.
    """
    if actor.role not in ("college", "coordinator"):
        raise rounds.Blocked([rounds.Obstacle("role", actor.role)])
    if answer not in ANSWERS or not identity_seen or not paper:
        raise NotSeen
    how = f"paper:{guardian_paper}" if guardian_paper else ""
    _answer(session, offer, answer, actor, how, seen, f"paper:{paper}")


def _answer(
    session: Session, offer: Offer, state: str, actor: Actor, guardian_how: str,
    seen: int | None, reason: str = "",
) -> None:  # fmt: skip
    round_, moment = _lock(session, offer.round_id)
    _lock_offers(session, offer)
    if offer.state == state:
        return
    if round_.state != "CONFIRMING":
        raise rounds.Moved(round_.state)
    if offer.state not in offers.LIVE:
        raise offers.Answered(offer.state)
    if moment >= offer.due_at:
        raise Late
    if state == "waiting" and round_.waiting_ended_at is not None:
        raise NoWaiting
    if seen is not None and seen != offer.version:
        raise application.Stale
    if not guardian_how and application.is_minor(session, offer.applicant):
        raise application.NoGuardian
    more: dict[str, Any] = {"guardian_how": guardian_how}
    if offer.state == OPEN:
        before = offers.held_of(session, offer.applicant_id)
        if before is not None and state in HOLDING:
            offers.settle(session, before, "moved", actor, f"offer/{offer.key}")
    else:
        more |= {"answered_at": moment, "answered_by": actor.name}
    offers.settle(session, offer, state, actor, reason, **more)
    if state == "accepted":
        agreements.make_when_held(session, offer, actor)


def _lock(session: Session, round_id: int) -> tuple[Round, datetime]:
    """The round, locked against moving, and the time."""
    round_ = session.scalars(
        select(Round)
        .where(Round.id == round_id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    ).one()
    return round_, db.now(session)


def _lock_offers(session: Session, offer: Offer) -> None:
    """Her living offers and this one, as they are now: of two answers of hers one is first."""
    session.scalars(
        select(Offer)
        .where(
            Offer.applicant_id == offer.applicant_id,
            Offer.state.in_(offers.LIVE) | (Offer.id == offer.id),
        )
        .order_by(Offer.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


# --- by the clock -----------------------------------------------------------------------------


def settle_due() -> list[str]:
    """Do what the clock asks: end offers that nobody answered, remind of those that end soon.

    Takes the write lock only where something is due.
    """
    session = db.reading()
    moment = db.now(session)
    if not (session.scalar(_overdue(moment).limit(1)) or session.scalar(_soon(moment).limit(1))):
        return []
    with db.writing() as writing:
        return silence(writing) + remind(writing)


jobs.DUE.append(settle_due)


def silence(session: Session) -> list[str]:
    """End every offer whose deadline passed without an answer (逾期视为放弃).

    Returns
    -------
    list of str
        ``serial silent number`` of each round with such offers.
    """
    found = []
    for round_id in session.scalars(_overdue(db.now(session)).distinct()).all():
        round_, moment = _lock(session, round_id)
        if round_.state == "CONFIRMING" and (ended := _end(session, round_, moment)):
            found.append(f"{round_.serial} silent {ended}")
    return found


def _overdue(moment: datetime) -> Any:
    """Rounds that take answers, and in which an offer is open past its deadline."""
    return (
        select(Offer.round_id)
        .join(Round)
        .where(Round.state == "CONFIRMING", Offer.state == OPEN, Offer.due_at <= moment)
    )


def _end(session: Session, round_: Round, moment: datetime) -> int:
    ended = session.execute(
        update(Offer)
        .where(Offer.round_id == round_.id, Offer.state == OPEN, Offer.due_at <= moment)
        .values(state=SILENT, ended_at=moment, version=Offer.version + 1)
        .returning(Offer.key, Offer.program_id, Offer.due_at),
        execution_options={"synchronize_session": "fetch"},
    ).all()
    entries = [
        Entry(
            f"offer.{SILENT}",
            f"offer/{row.key}",
            {"state": OPEN},
            {"state": SILENT, "program": row.program_id, "due_at": row.due_at},
        )
        for row in ended
    ]
    record_all(session, SYSTEM, entries, round_id=round_.id)
    just_now = (Offer.round_id == round_.id, Offer.state == SILENT, Offer.ended_at == moment)
    for applicant, name, _due in _people(session, *just_now):
        outbox.put(session, applicant, "offer_silent", program=name)
    return len(ended)


def remind(session: Session) -> list[str]:
    """Write to those whose offer ends within a day, once for each offer."""
    moment = db.now(session)
    told: dict[str, int] = {}
    for applicant, name, due in _people(session, Offer.id.in_(_soon(moment))):
        outbox.put(session, applicant, "offer_due_soon", program=name, due=due)
        told[applicant.round.serial] = told.get(applicant.round.serial, 0) + 1
    return [f"{serial} reminded {number}" for serial, number in told.items()]


def _soon(moment: datetime) -> Any:
    """Open offers, not of today, that end within a day, and of which nobody was reminded."""
    reminded = exists().where(
        Message.applicant_id == Offer.applicant_id,
        Message.code == "offer_due_soon",
        Message.at >= Offer.made_at,
        Message.at > moment - SOON,  # a deadline that was moved is reminded of again
    )
    return (
        select(Offer.id)
        .join(Round)
        .where(
            Round.state == "CONFIRMING", Offer.state == OPEN, Offer.made_at <= moment - SOON,
            Offer.due_at > moment, Offer.due_at <= moment + SOON, ~reminded,
        )
    )  # fmt: skip


def _people(session: Session, *which: Any) -> Iterator[tuple[Applicant, str, datetime]]:
    """Whose offers these are, with the name of each class and each deadline."""
    rows = session.execute(
        select(Applicant, OrderClass.name, Offer.due_at)
        .join(Offer, Offer.applicant_id == Applicant.id)
        .join(Program, Program.id == Offer.program_id)
        .join(OrderClass)
        .where(*which)
        .order_by(Applicant.id)
    ).all()
    yield from ((row[0], row[1], row[2]) for row in rows)
