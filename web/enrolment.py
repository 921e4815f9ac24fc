"""Check-in (报到), registration (学籍注册) and leaving (流失), by the college, of places that are held.

Whoever did not come by the last day of check-in gives her place up (未报到), and it is free again.
What was entered wrongly is taken back by two people, with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from . import calendar, links, minimums, offers, outbox, policies, reviewing, stages
from .audit import Actor, record
from .db import now
from .models import Applicant, Enrolment, Offer, OrderClass, Program, Round
from .models.outcome import HOLDING
from .posting import Refused, Stale

UNDOABLE = {
    "check_in": lazy_gettext("报到"),
    "register": lazy_gettext("学籍注册"),
    "absent": lazy_gettext("未报到"),
    "left": lazy_gettext("退出"),
}
SHOWN = (*HOLDING, "absent", "left")
FARTHEST = timedelta(days=366)
"""How far ahead a check-in is arranged, and how long it lasts, at most."""


@dataclass(frozen=True)
class Line:
    """One person of a class: her place, and what became of it."""

    offer: Offer
    enrolment: Enrolment | None

    @property
    def undoable(self) -> str:
        """What could be taken back of her; blank if nothing was entered."""
        held = self.enrolment
        if held is None:
            return ""
        if self.offer.state in ("absent", "left"):
            return self.offer.state
        if held.registered_on:
            return "register"
        return "check_in" if held.checked_in_on else ""


# --- reading ----------------------------------------------------------------------------------


def today(session: Session) -> date:
    """The day, in the city."""
    return calendar.local(now(session)).date()


def lines(session: Session, order_class: OrderClass) -> list[Line]:
    """Everybody who holds a place in a class or was absent or left, by application number."""
    rows = session.execute(
        select(Offer, Enrolment)
        .join(Offer.program)
        .join(Offer.applicant)
        .outerjoin(Enrolment, Enrolment.offer_id == Offer.id)
        .where(Program.order_class_id == order_class.id, Offer.state.in_(SHOWN))
        .options(
            contains_eager(Offer.program),
            contains_eager(Offer.applicant).joinedload(Applicant.person),
        )
        .order_by(Applicant.number, Offer.id)
    )
    return [Line(offer, enrolled) for offer, enrolled in rows]


@dataclass(frozen=True)
class Count:
    """A class in numbers: held places, and of them who checked in and who is registered."""

    order_class: OrderClass
    held: int
    checked_in: int
    registered: int


def counts(session: Session, round_: Round, college_id: int | None = None) -> list[Count]:
    """The classes of a round in numbers, by code."""
    numbers = (
        select(
            Program.order_class_id.label("of"),
            func.count(Offer.id).label("held"),
            func.count(Enrolment.checked_in_on).label("checked_in"),
            func.count(Enrolment.registered_on).label("registered"),
        )
        .join(Offer, Offer.program_id == Program.id)
        .outerjoin(Enrolment, Enrolment.offer_id == Offer.id)
        .where(Offer.round_id == round_.id, Offer.state.in_(HOLDING))
        .group_by(Program.order_class_id)
        .subquery()
    )
    query = (
        select(OrderClass, numbers.c.held, numbers.c.checked_in, numbers.c.registered)
        .outerjoin(numbers, numbers.c.of == OrderClass.id)
        .where(OrderClass.round_id == round_.id)
        .options(joinedload(OrderClass.college))
        .order_by(OrderClass.code)
    )
    if college_id is not None:
        query = query.where(OrderClass.college_id == college_id)
    return [Count(c, *(n or 0 for n in found)) for c, *found in session.execute(query)]


def registration_deadline(round_: Round) -> str:
    """Until when registers are closed as a rule, as month and day: shown for reference only."""
    return str(policies.BY_KEY[f"date.register_{round_.season}"].default)


def of_offer(session: Session, offer: Offer) -> Enrolment | None:
    """What became of a place, if anything was entered."""
    return session.get(Enrolment, offer.id)


# --- the arrangement --------------------------------------------------------------------------


def arrange(
    session: Session, order_class: OrderClass, version: int, first: date, last: date,
    place: str, bring: str, actor: Actor,
) -> None:  # fmt: skip
    """Set when and where a class checks in, and what people bring; who holds a place is told.

    Raises
    ------
    stages.NotNow, posting.Stale, posting.Refused
        See there; nothing is stored.
    """
    stages.hold(session, order_class.round_id, "enrolment")
    session.refresh(order_class, with_for_update=True)
    names = ("check_in_from", "check_in_until", "check_in_place", "check_in_bring")
    before = {name: getattr(order_class, name) for name in names}
    if order_class.version != version:
        raise Stale(order_class.version, before)
    if last < first:
        raise Refused({"check_in_until": [_("最后一天早于第一天，请核对。")]})
    if not today(session) <= last <= today(session) + FARTHEST or last - first > FARTHEST:
        raise Refused({"check_in_until": [_("报到应在今后一年之内，请核对日期。")]})
    after = dict(zip(names, (first, last, place, bring), strict=True))
    if before == after:
        return
    for name, value in after.items():
        setattr(order_class, name, value)
    order_class.version += 1
    record(session, actor, "class.check_in", f"class/{order_class.code}",
           round_id=order_class.round_id, before=before, after=after)  # fmt: skip
    for line in lines(session, order_class):
        if line.offer.state in HOLDING:
            outbox.put(session, line.offer.applicant, "check_in", first=first.isoformat(),
                       last=last.isoformat(), place=place)  # fmt: skip


# --- entering ---------------------------------------------------------------------------------


def _locked(session: Session, wanted: Iterable[int]) -> list[Offer]:
    """Places by id, locked; their round must take entries now."""
    found = session.scalars(
        select(Offer)
        .where(Offer.id.in_(list(wanted)))
        .order_by(Offer.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for round_id in sorted({one.round_id for one in found}):
        stages.hold(session, round_id, "enrolment")
    return list(found)


def _row(session: Session, offer: Offer, actor: Actor) -> Enrolment:
    held = session.get(Enrolment, offer.id, populate_existing=True)
    if held is None:
        held = Enrolment(offer_id=offer.id, by=actor.name, at=now(session), version=0)
        session.add(held)
    held.by, held.at = actor.name, now(session)
    held.version += 1
    return held


def _note(
    session: Session, offer: Offer, what: str, actor: Actor, reason: str = "", **after: Any
) -> None:
    session.flush()
    record(session, actor, f"enrolment.{what}", f"offer/{offer.key}", round_id=offer.round_id,
           after=after, reason=reason)  # fmt: skip


def _taken(offer: Offer) -> date:
    """The day on which a place became somebody's."""
    return calendar.local(offer.answered_at or offer.made_at).date()


def check_in(session: Session, wanted: Sequence[int], day: date, actor: Actor) -> int:
    """Enter that people (places by id) came on a day; who came already is left.  Gives how many."""
    if day > today(session):
        raise Refused({"day": [_("报到日期还没有到，请核对。")]})
    done = 0
    for offer in _locked(session, wanted):
        held = session.get(Enrolment, offer.id, populate_existing=True)
        if offer.state not in HOLDING or (held and held.checked_in_on):
            continue
        if day < _taken(offer):
            raise Refused({"day": [_("报到日期早于确认席位的日期，请核对。")]})
        _row(session, offer, actor).checked_in_on = day
        _note(session, offer, "check_in", actor, day=day.isoformat())
        done += 1
    return done


def mark_absent(session: Session, wanted: Sequence[int], actor: Actor) -> int:
    """Enter that people did not come by the last day: their places are free again.  Gives how many.

    Raises
    ------
    posting.Refused
        If a class has no last day of check-in, or it is not over.
    """
    day, done = today(session), 0
    for offer in _locked(session, wanted):
        last = offer.program.order_class.check_in_until
        if last is None or day <= last:
            raise Refused({"": [_("报到期还没有过，不能记未报到。")]})
        held = session.get(Enrolment, offer.id, populate_existing=True)
        if offer.state not in HOLDING or (held and held.checked_in_on):
            continue
        _row(session, offer, actor).absent_on = day
        _note(session, offer, "absent", actor, day=day.isoformat())
        offers.settle(session, offer, "absent", actor)
        done += 1
    return done


def register(session: Session, offer: Offer, number: str, day: date, actor: Actor) -> None:
    """Enter somebody's registration: its number and day.

    Raises
    ------
    posting.Refused
        If she did not check in, is registered already, or somebody has that number.
    """
    _locked(session, [offer.id])
    held = session.get(Enrolment, offer.id, populate_existing=True)
    if offer.state not in HOLDING or held is None or held.checked_in_on is None:
        raise Refused({"": [_("报到以后才能注册学籍。")]})
    if held.registered_on is not None:
        raise Refused({"": [_("已经注册；填错了请申请更正。")]})
    if day > today(session) or day < held.checked_in_on:
        raise Refused({"registered_on": [_("注册日期应在报到之后、今天之前。")]})
    if not number:
        raise Refused({"number": [_("请填学籍注册号。")]})
    taken = session.scalar(
        select(Enrolment.offer_id).where(Enrolment.register_number == number).limit(1)
    )
    if taken is not None:
        raise Refused({"number": [_("这个学籍注册号已有人用，请核对。")]})
    row = _row(session, offer, actor)
    row.registered_on, row.register_number = day, number
    _note(session, offer, "register", actor, day=day.isoformat(), number=number)


def leave(session: Session, offer: Offer, day: date, reason: str, actor: Actor) -> None:
    """Enter that somebody left (流失、退学): her place ends."""
    if not reason:
        raise Refused({"left_reason": [_("请写明退出的原因。")]})
    if day > today(session):
        raise Refused({"left_on": [_("退出日期还没有到，请核对。")]})
    _locked(session, [offer.id])
    if offer.state not in HOLDING:
        raise Refused({"": [_("这个席位现在没有人持有。")]})
    row = _row(session, offer, actor)
    if day < (row.checked_in_on or _taken(offer)):
        raise Refused({"left_on": [_("退出日期早于报到或确认席位的日期，请核对。")]})
    row.left_on, row.left_reason = day, reason
    _note(session, offer, "leave", actor, reason, day=day.isoformat())
    offers.settle(session, offer, "left", actor, reason)


# --- taking back ------------------------------------------------------------------------------


def _line(session: Session, offer: Offer) -> tuple[Enrolment, str]:
    _locked(session, [offer.id])
    held = session.get(Enrolment, offer.id, populate_existing=True)
    what = Line(offer, held).undoable
    if held is None or not what:
        raise Refused({"": [_("没有可以更正的登记。")]})
    return held, what


def ask_undo(session: Session, offer: Offer, reason: str, actor: Actor) -> None:
    """Ask for the last entry about somebody to be taken back; a second person confirms."""
    held, what = _line(session, offer)
    if not reason:
        raise Refused({"reason": [_("请写明更正的原因，以备查。")]})
    if held.asked:
        raise Refused({"": [_("已有一个更正等人确认。")]})
    held.asked, held.asked_by, held.asked_reason = what, actor.name, reason
    held.version += 1
    _note(session, offer, "ask_undo", actor, reason, entry=what)


def drop_undo(session: Session, offer: Offer, actor: Actor) -> None:
    """Take the request back: the entry stays."""
    held, _what = _line(session, offer)
    if not held.asked:
        raise Refused({"": [_("没有等待确认的更正。")]})
    held.asked = ""
    held.version += 1
    _note(session, offer, "drop_undo", actor)


def confirm_undo(session: Session, offer: Offer, actor: Actor) -> Offer:
    """Confirm another person's request: the entry is taken back.

    Somebody who was entered as absent or gone by mistake gets a place again, if one is free.

    Returns
    -------
    Offer
        The place that she holds now.

    Raises
    ------
    posting.Refused, reviewing.SecondPerson
        See there; nothing is stored.
    """
    held, what = _line(session, offer)
    if held.asked != what:
        raise Refused({"": [_("没有等待确认的更正。")]})
    college = offer.program.order_class.college.code
    reviewing.second_person(session, held.asked_by, actor, college)
    reason = held.asked_reason
    entered = what in ("check_in", "register")
    found = offer if entered else _again(session, offer, held, actor, reason)
    held.asked = ""
    held.version += 1
    if what == "check_in":
        held.checked_in_on = None
    elif what == "register":
        held.registered_on, held.register_number = None, ""
    _note(session, offer, "undo", actor, reason, entry=what, asked_by=held.asked_by)
    return found


def _again(session: Session, offer: Offer, held: Enrolment, actor: Actor, reason: str) -> Offer:
    """A place again for somebody whose own was ended by mistake, with what had been entered."""
    who, round_, order_class = offer.applicant_id, offer.round, offer.program.order_class
    if order_class.code in minimums.ended_classes(session, round_.id):
        raise Refused({"": [_("这个班已停开或并班，不能恢复。")]})
    if links.after(session, round_) is not None:
        raise Refused({"": [_("下一轮已开，席位和人员已转入，不能恢复。")]})
    if offers.open_of(session, who) or offers.held_of(session, who):
        raise Refused({"": [_("此人已有别的席位，不能恢复。")]})
    try:
        made = offers.make(session, offer.round, offer.applicant, offer.program, actor,
                           rank=offer.rank, source="remedy")  # fmt: skip
    except offers.NoSeat:
        raise Refused({"": [_("席位已由他人递补，不能恢复；可增加席位。")]}) from None
    offers.settle(session, made, "accepted", actor, reason, guardian_how=offer.guardian_how)
    if held.checked_in_on:
        row = _row(session, made, actor)
        row.checked_in_on = held.checked_in_on
        row.registered_on, row.register_number = held.registered_on, held.register_number
        held.register_number = ""
    _note(session, made, "again", actor, reason, instead_of=offer.key)
    return made
