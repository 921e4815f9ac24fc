"""Preparing a round: making it, anew or from last year's, its dates, reserves, caps and the bureau's papers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, selectinload

from . import codes, policies
from .audit import Actor, record
from .db import now
from .models import (
    Cap,
    OrderClass,
    PolicyVersion,
    Program,
    Publication,
    Recheck,
    Record,
    Reserve,
    Round,
)
from .rounds import Blocked, Moved, Obstacle

RECORDS = ("plan_approval", "result_filing")
SEASONS = ("spring", "autumn")
EVERY_FORM = ("FT", "PT", "ST")
RESERVED_FORMS = {"G06": ("PT", "ST")}
"""Study forms in which a group's share proposes seats; the others in every form."""


class Taken(ValueError):
    """A number, or a code, that is in use already."""


class Stale(ValueError):
    """The row was changed by somebody else since the form was opened."""


# --- making a round ---------------------------------------------------------------------------


def create(
    session: Session,
    serial: str,
    title: str,
    year: int,
    season: str,
    actor: Actor,
    *,
    source: Round | None = None,
    rules: PolicyVersion | None = None,
    demo: bool = False,
) -> Round:
    """A new round in preparation; from ``source`` it takes classes, seats, reserves, caps and rules,
    with ``rules`` those alone.

    What the classes held is to be confirmed anew, and dates move by as many years as lie between.

    Raises
    ------
    Taken
        If a round has that number.
    """
    if session.scalar(select(Round.id).where(Round.serial == serial)) is not None:
        raise Taken(serial)
    made = Round(
        serial=serial,
        title=title,
        year=year,
        season=season,
        demo=demo,
        parent_id=source.id if source else None,
        created_at=now(session),
    )
    session.add(made)
    session.flush()
    record(
        session, actor, "round.create", f"round/{serial}", round_id=made.id,
        after={"title": title, "year": year, "season": season,
               "from": source.serial if source else ""},
    )  # fmt: skip
    if source is not None:
        _copy_plan(session, source, made)
    held = source.policy if source else rules
    policies.start(session, made, actor, held.toml if held else "", held.workflow if held else {})
    return made


OF_CLASS = (
    "college_id", "code", "name", "major", "major_code", "industry", "district", "level", "intake",
    "years", "study_form", "kind", "hired_on_entry", "min_size", "plan_order", "entry_education",
    "entry_skill", "age_min", "age_max", "age_basis", "health", "health_basis",
    "interview_required", "tuition", "boarding", "note",
)  # fmt: skip
OF_PROGRAM = (
    "enterprise_id", "code", "name", "capacity", "channel", "plan_order", "forbid_minor",
    "forbid_minor_reason",
)  # fmt: skip
"""What a class, and its seats, take along into another round."""


def _copy_plan(session: Session, source: Round, made: Round) -> None:
    years = made.year - source.year
    for old in session.scalars(select(OrderClass).where(OrderClass.round_id == source.id)):
        new = OrderClass(
            round_id=made.id,
            internship_date=_moved(old.internship_date, years),
            hire_date=_moved(old.hire_date, years),
            **{name: getattr(old, name) for name in OF_CLASS},
        )
        new.programs = [
            Program(
                **{name: getattr(p, name) for name in OF_PROGRAM},
                reserves=[Reserve(group=r.group, hard=r.hard, seats=r.seats) for r in p.reserves],
            )
            for p in old.programs
        ]
        session.add(new)
    for cap in session.scalars(select(Cap).where(Cap.round_id == source.id)):
        session.add(
            Cap(
                round_id=made.id,
                code=cap.code,
                seats=cap.seats,
                college_id=cap.college_id,
                enterprise_id=cap.enterprise_id,
                programs=list(cap.programs),
            )
        )
    session.flush()


def _moved(day: date | None, years: int) -> date | None:
    if day is None:
        return None
    leap_day = day.month == 2 and day.day == 29
    return day.replace(year=day.year + years, day=28 if leap_day and years % 4 else day.day)


def describe(
    session: Session,
    round_: Round,
    actor: Actor,
    version: int,
    *,
    title: str,
    opens_at: datetime | None,
    deadline_at: datetime | None,
    draw_event: str,
) -> None:
    """Set a round's title, dates and draw.  Once the plan is public the deadline may only move later,
    and from the lock on nothing moves.

    Raises
    ------
    Stale
        If somebody changed the round since.
    Moved
        If its state no longer allows the change.
    """
    session.refresh(round_, with_for_update=True)
    if round_.version != version:
        raise Stale
    new = {"title": title, "opens_at": opens_at, "deadline_at": deadline_at,
           "draw_event": draw_event}  # fmt: skip
    changed = {name: value for name, value in new.items() if getattr(round_, name) != value}
    if not changed:
        return
    for name in changed:
        if not _may_change(round_, name, deadline_at):
            raise Moved(name)
    before = {name: getattr(round_, name) for name in changed}
    for name, value in changed.items():
        setattr(round_, name, value)
    round_.version += 1
    record(session, actor, "round.describe", f"round/{round_.serial}", round_id=round_.id,
           before=before, after=changed)  # fmt: skip


def _may_change(round_: Round, name: str, deadline_at: datetime | None) -> bool:
    if round_.state == "DRAFT":
        return True
    if name == "draw_event":
        return round_.state in ("ANNOUNCED", "OPEN", "REVIEW")
    later = (
        deadline_at is not None
        and round_.deadline_at is not None
        and deadline_at > round_.deadline_at
    )
    return name == "deadline_at" and later and round_.state in ("ANNOUNCED", "OPEN")


# --- the bureau's papers ----------------------------------------------------------------------


def papers(session: Session, round_: Round) -> list[str]:
    """The kinds of papers that a round may have: of its plan, of its result, and of each correction that was
    published or waits to be."""
    published = session.scalar(
        select(func.count(Publication.id)).where(
            Publication.round_id == round_.id, Publication.parent_id.is_not(None)
        )
    )
    waits = session.scalar(
        select(Recheck.id).where(
            Recheck.round_id == round_.id, Recheck.state == "upheld",
            Recheck.remedy == "successor", Recheck.publication_id.is_(None),
        ).limit(1)
    )  # fmt: skip
    number = (published or 0) + (waits is not None)
    return [*RECORDS, *(f"{codes.REFILING}{n}" for n in range(1, number + 1))]


def record_of(session: Session, round_: Round, kind: str) -> Record | None:
    """The bureau's paper of a kind, if one was entered."""
    return session.scalar(select(Record).where(Record.round_id == round_.id, Record.kind == kind))


def enter_record(
    session: Session,
    round_: Round,
    kind: str,
    authority: str,
    document: str,
    dated: date,
    actor: Actor,
) -> Record:
    """Enter a paper of the bureau (审定, 备案); what was not confirmed yet may be entered again.

    Raises
    ------
    Moved
        If it has been confirmed.
    """
    held = record_of(session, round_, kind)
    if held is None:
        held = Record(round_id=round_.id, kind=kind)
        session.add(held)
    elif held.confirmed_at is not None:
        raise Moved(kind)
    held.authority, held.document, held.dated = authority, document, dated
    held.entered_by, held.entered_at = actor.name, now(session)
    record(session, actor, "record.enter", f"record/{round_.serial}/{kind}", round_id=round_.id,
           after={"authority": authority, "document": document, "dated": dated})  # fmt: skip
    session.flush()
    return held


def confirm_record(session: Session, round_: Round, kind: str, actor: Actor) -> None:
    """Confirm what another entered.

    Raises
    ------
    Moved
        If there is nothing to confirm.
    Blocked
        If the same person entered it.
    """
    held = record_of(session, round_, kind)
    if held is None or held.confirmed_at is not None:
        raise Moved(kind)
    if held.entered_by == actor.name:
        raise Blocked([Obstacle("second_person")])
    held.confirmed_by, held.confirmed_at = actor.name, now(session)
    record(session, actor, "record.confirm", f"record/{round_.serial}/{kind}", round_id=round_.id,
           after={"document": held.document})  # fmt: skip


# --- reserves ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proposal:
    """Seats that the shares of the rules propose to hold first for a group at a program."""

    program: Program
    group: str
    seats: int
    held: int
    """What the plan holds now."""


def half_up(seats: int, share: float) -> int:
    """A share of seats as whole seats, a half counting up."""
    exact = Decimal(seats) * Decimal(str(share))
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def proposals(session: Session, round_: Round) -> list[Proposal]:
    """The reserves that the rules' shares propose, program by program, beside those of the plan."""
    flow = policies.workflow(session, round_)
    shares = {
        key.removeprefix("reserve."): share
        for key, share in flow.items()
        if key.startswith("reserve.") and share
    }
    found = []
    for program in programs(session, round_):
        held = {r.group: r.seats for r in program.reserves if not r.hard}
        for group in sorted(shares.keys() | held.keys()):
            allowed = program.order_class.study_form in RESERVED_FORMS.get(group, EVERY_FORM)
            seats = half_up(program.capacity, shares.get(group, 0)) if allowed else 0
            if seats or held.get(group):
                found.append(Proposal(program, group, seats, held.get(group, 0)))
    return found


def programs(session: Session, round_: Round) -> list[Program]:
    """All seats of a round, by class and code."""
    rows = session.scalars(
        select(Program)
        .join(OrderClass)
        .where(OrderClass.round_id == round_.id)
        .options(contains_eager(Program.order_class), selectinload(Program.reserves))
        .order_by(OrderClass.code, Program.code)
    )
    return list(rows)


def apply_proposals(session: Session, round_: Round, actor: Actor) -> int:
    """Put the proposed reserves into the plan; seats that change are to be confirmed anew.

    Returns how many programs changed.
    """
    _draft(session, round_)
    wanted: dict[int, dict[str, int]] = {}
    for p in proposals(session, round_):
        wanted.setdefault(p.program.id, {})[p.group] = p.seats
    changed = 0
    for program in programs(session, round_):
        if program.id in wanted:
            changed += _set_reserves(session, round_, program, wanted[program.id], actor)
    return changed


def set_reserves(
    session: Session, round_: Round, program: Program, seats: Mapping[str, int], actor: Actor
) -> None:
    """Set one program's reserves by group; 0 takes a reserve away.

    Raises
    ------
    ValueError
        If more seats would be held than there are.
    """
    _draft(session, round_)
    hard = sum(r.seats for r in program.reserves if r.hard)
    if hard + sum(seats.values()) > program.capacity:
        raise ValueError("more reserved than seats")
    _set_reserves(session, round_, program, seats, actor)


def _set_reserves(
    session: Session, round_: Round, program: Program, seats: Mapping[str, int], actor: Actor
) -> bool:
    held = {r.group: r for r in program.reserves if not r.hard}
    before = {group: r.seats for group, r in sorted(held.items())}
    after = {group: n for group, n in sorted({**before, **seats}.items()) if n}
    if before == after:
        return False
    for group in held.keys() - after.keys():
        program.reserves.remove(held[group])
    for group, n in after.items():
        if group in held:
            held[group].seats = n
        else:
            program.reserves.append(Reserve(group=group, hard=False, seats=n))
    unconfirm(program)
    record(session, actor, "reserve.set", f"program/{round_.serial}/{program.code}",
           round_id=round_.id, before=before, after=after)  # fmt: skip
    session.flush()
    return True


def unconfirm(program: Program) -> None:
    """Take both sides' confirmation back: what they confirmed has changed."""
    program.confirmed_at, program.confirmed_by = None, ""
    held = program.order_class
    held.confirmed_at, held.confirmed_by = None, ""
    held.version += 1


def _draft(session: Session, round_: Round) -> None:
    session.refresh(round_, with_for_update=True)
    if round_.state != "DRAFT":
        raise Moved(round_.state)


# --- caps -------------------------------------------------------------------------------------


def caps(session: Session, round_: Round) -> list[Cap]:
    """The upper limits of a round, by code."""
    return list(session.scalars(select(Cap).where(Cap.round_id == round_.id).order_by(Cap.code)))


def save_cap(
    session: Session,
    round_: Round,
    code: str,
    seats: int,
    actor: Actor,
    *,
    college_id: int | None = None,
    enterprise_id: int | None = None,
    programs: list[str] | None = None,
    was: int | None = None,
) -> Cap:
    """Set an upper limit over a college's, an enterprise's, or some named seats.

    Raises
    ------
    Taken
        If a new one has the code of another.
    Stale
        If somebody changed it: it no longer stands at ``was``.
    """
    _draft(session, round_)
    held = session.scalar(select(Cap).where(Cap.round_id == round_.id, Cap.code == code))
    if was is None and held is not None:
        raise Taken(code)
    if was is not None and (held is None or held.seats != was):
        raise Stale
    before = _told(held) if held else {}
    if held is None:
        held = Cap(round_id=round_.id, code=code)
        session.add(held)
    held.seats, held.college_id, held.enterprise_id = seats, college_id, enterprise_id
    held.programs = list(programs or ())
    record(session, actor, "cap.save", f"cap/{round_.serial}/{code}", round_id=round_.id,
           before=before, after=_told(held))  # fmt: skip
    session.flush()
    return held


def drop_cap(session: Session, round_: Round, cap: Cap, actor: Actor) -> None:
    """Take an upper limit away."""
    _draft(session, round_)
    record(session, actor, "cap.drop", f"cap/{round_.serial}/{cap.code}", round_id=round_.id,
           before=_told(cap))  # fmt: skip
    session.delete(cap)


def _told(cap: Cap) -> dict[str, object]:
    return {"seats": cap.seats, "college": cap.college_id, "enterprise": cap.enterprise_id,
            "programs": cap.programs}  # fmt: skip
