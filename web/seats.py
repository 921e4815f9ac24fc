"""Seats that change after the plan was announced (席位变更单): by three, and those who listed them
are told."""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from . import offers, posting, stages
from .audit import Actor, record
from .db import now
from .models import (
    Applicant,
    Cap,
    ChoiceList,
    Notice,
    Offer,
    OrderClass,
    Program,
    Recheck,
    SeatChange,
)
from .posting import Refused

SIDES = ("college", "enterprise", "coordinator")
CUT = "seats_cut"
REMEDY = "remedy"
"""The source of an offer that an upheld recheck led to."""

APPLIED: list[Callable[[Session, SeatChange, Actor], None]] = []
"""What a story does when a change of seats is applied, in the same transaction."""


def ask(session: Session, program: Program, after: int, reason: str, actor: Actor) -> SeatChange:
    """Propose another number of seats; the side that proposes has agreed.

    Raises
    ------
    stages.NotNow, posting.Refused
        If the round or the class does not allow it.
    """
    held = program.order_class
    what = purpose(session, program)
    stages.hold(session, held.round_id, what)
    session.refresh(program, with_for_update=True)
    problems = {}
    if after == program.capacity:
        problems["after"] = [_("席位数没有变。")]
    if what == "remedy_seat" and after != program.capacity + 1:
        problems["after"] = [_("为复核只能增加 1 个席位。")]
    if not reason.strip():
        problems["reason"] = [_("请写明原因，企业、院校、协调员都会看到。")]
    if sum(p.capacity for p in held.programs) - program.capacity + after < held.min_size:
        problems["after"] = [
            _("全班将少于最低开班人数 %(least)s 人；请先让同班其他企业增加席位。", least=held.min_size)
        ]  # fmt: skip
    if waiting(session, program) is not None:
        problems[""] = [_("这组席位已有一张变更单在办，请先办完或撤回。")]
    if problems:
        raise Refused(problems)
    made = SeatChange(
        program_id=program.id, before=program.capacity, after=after, reason=reason.strip(),
        asked_by=actor.name, asked_at=now(session), **{f"{actor.role}_by": actor.name},
    )  # fmt: skip
    session.add(made)
    session.flush()
    record(
        session, actor, "seats.ask", f"program/{program.code}", round_id=held.round_id,
        before={"capacity": made.before}, after={"capacity": after, **_beyond(session, program)},
        reason=made.reason,
    )  # fmt: skip
    return made


def awaiting(session: Session, program: Program) -> Recheck | None:
    """The upheld recheck whose remedy is an extra seat of this program, until the seat is offered."""
    offered = select(Offer.applicant_id).where(
        Offer.program_id == program.id, Offer.source == REMEDY
    )
    return session.scalar(
        select(Recheck)
        .where(
            Recheck.program_id == program.id,
            Recheck.state == "upheld",
            Recheck.remedy == "seat",
            Recheck.applicant_id.not_in(offered),
        )
        .order_by(Recheck.id)
        .limit(1)
    )


def purpose(session: Session, program: Program) -> str:
    """What a change of these seats is for, a key of :data:`stages.WRITABLE`: before the lock the plan,
    after publication the remedy of a recheck only."""
    return "seat_change" if awaiting(session, program) is None else "remedy_seat"


def waiting(session: Session, program: Program) -> SeatChange | None:
    """The change of these seats that is not settled, if there is one."""
    return session.scalar(
        select(SeatChange).where(
            SeatChange.program_id == program.id, SeatChange.applied_at.is_(None)
        )
    )


def of_round(session: Session, round_id: int) -> list[SeatChange]:
    """Every change of a round, the last first."""
    return list(
        session.scalars(
            select(SeatChange)
            .join(Program)
            .join(OrderClass)
            .where(OrderClass.round_id == round_id)
            .order_by(SeatChange.id.desc())
        )
    )


def missing(change: SeatChange) -> list[str]:
    """The sides that have not agreed yet."""
    return [side for side in SIDES if not getattr(change, f"{side}_by")]


def agree(session: Session, change: SeatChange, actor: Actor) -> bool:
    """Agree for the actor's side; the third agreement applies the change. Whether it was applied."""
    change = _open(session, change)
    if actor.role not in missing(change):
        return False
    setattr(change, f"{actor.role}_by", actor.name)
    program = change.program
    record(
        session, actor, "seats.agree", f"program/{program.code}",
        round_id=program.order_class.round_id,
        after={"capacity": change.after, **_beyond(session, program)},
    )  # fmt: skip
    if missing(change):
        return False
    _apply(session, change, actor)
    return True


def _beyond(session: Session, program: Program) -> dict[str, dict[str, int]]:
    """What the record says of limits that a seat for a recheck exceeds."""
    if awaiting(session, program) is None:
        return {}
    over = {cap.code: number for cap, number in exceeded(session, program)}
    return {"exceeds": over} if over else {}


def drop(session: Session, change: SeatChange, actor: Actor, reason: str) -> None:
    """Refuse or withdraw a change that is not settled; the record keeps it."""
    change = _open(session, change)
    if not reason.strip():
        raise Refused({"reason": [_("请写明原因，企业、院校、协调员都会看到。")]})
    record(
        session, actor, "seats.drop", f"program/{change.program.code}",
        round_id=change.program.order_class.round_id, reason=reason.strip(),
        before={"capacity": change.after, "asked_by": change.asked_by, "reason": change.reason},
    )  # fmt: skip
    session.delete(change)


def _open(session: Session, change: SeatChange) -> SeatChange:
    program = change.program
    stages.hold(session, program.order_class.round_id, purpose(session, program))
    held = session.scalar(
        select(SeatChange)
        .where(SeatChange.id == change.id, SeatChange.applied_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if held is None:
        raise Refused({"": [_("这张变更单已经办完或撤回。")]})
    return held


def exceeded(session: Session, program: Program) -> list[tuple[Cap, int]]:
    """The upper limits that one seat more beside those held and offered would exceed, each with the sum."""
    held = program.order_class
    used = offers.taken(session, held.round_id)
    everybody = session.scalars(
        select(Program)
        .join(OrderClass)
        .where(OrderClass.round_id == held.round_id)
        .options(contains_eager(Program.order_class))
    ).all()
    found = []
    for cap in session.scalars(select(Cap).where(Cap.round_id == held.round_id).order_by(Cap.code)):
        under = {p.id for p in everybody if _under(cap, p)}
        number = sum(n for at, n in used.items() if at in under) + 1
        if program.id in under and number > cap.seats:
            found.append((cap, number))
    return found


def _under(cap: Cap, program: Program) -> bool:
    if cap.college_id:
        return program.order_class.college_id == cap.college_id
    if cap.enterprise_id:
        return program.enterprise_id == cap.enterprise_id
    return program.code in cap.programs


def warnings(session: Session, program: Program) -> list[str]:
    """What a seat for a recheck exceeds, in words, for those who agree to it."""
    if awaiting(session, program) is None:
        return []
    return [
        _("增加后，总量上限 %(cap)s 将是 %(number)s 人，超过 %(seats)s 人；同意即认可这一例外。",
          cap=cap.code, number=number, seats=cap.seats)
        for cap, number in exceeded(session, program)
    ]  # fmt: skip


def reserves_after(program: Program, seats: int) -> dict[tuple[str, bool], int]:
    """The reserves that fit into so many seats, group by group in order of their codes."""
    left = seats
    found: dict[tuple[str, bool], int] = {}
    for key, held in posting.reserves_of(program).items():
        found[key] = min(held, left)
        left -= found[key]
    return found


def _apply(session: Session, change: SeatChange, actor: Actor) -> None:
    program = change.program
    held, before = program.order_class, program.capacity
    program.capacity = change.after
    left = change.after
    for reserve in list(program.reserves):
        reserve.seats = min(reserve.seats, left)
        left -= reserve.seats
        if not reserve.seats:
            program.reserves.remove(reserve)
    held.version += 1
    change.applied_at = now(session)
    told = _tell(session, change) if change.after < before else 0
    record(
        session, actor, "seats.apply", f"program/{program.code}", round_id=held.round_id,
        before={"capacity": before}, reason=change.reason,
        after={"capacity": change.after, "told": told,
               "reserves": posting.show_reserves(posting.reserves_of(program))},
    )  # fmt: skip
    for act in APPLIED:
        act(session, change, actor)


def _tell(session: Session, change: SeatChange) -> int:
    """A notice to everybody who has the seats on a list, submitted or not; how many."""
    program = change.program
    names = {program.code, program.order_class.code}
    lists = session.execute(
        select(ChoiceList.applicant_id, ChoiceList.choices)
        .join(Applicant)
        .where(
            Applicant.round_id == program.order_class.round_id,
            Applicant.state.not_in(("withdrawn", "failed")),
        )
    )
    told = sorted({who for who, listed in lists if names & set(listed)})
    moment = now(session)
    session.add_all(
        Notice(
            applicant_id=who, code=CUT, at=moment,
            params={"program": program.code, "name": program.name or program.order_class.name,
                    "before": change.before, "after": change.after},
        )
        for who in told
    )  # fmt: skip
    return len(told)
