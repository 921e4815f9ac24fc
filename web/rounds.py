"""The life of a round: the states, who moves it on, and what must hold before.

This is the only file that changes ``Round.state``.  Each step is one compare-and-set on state and
fence, with its audit event, in one transaction: of two people who press at once, one moves the round
and the other is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from . import clocks, minimums
from .audit import SYSTEM, Actor, record
from .db import now
from .models import (
    Applicant,
    Approval,
    Decision,
    Doubt,
    Draw,
    Import,
    Offer,
    OrderClass,
    Program,
    Recheck,
    Record,
    Round,
    Run,
    Score,
    SeatChange,
    Snapshot,
)

LABELS = {
    "DRAFT": _("筹备"),
    "ANNOUNCED": _("计划公布"),
    "OPEN": _("报名填报"),
    "REVIEW": _("审核考核"),
    "FROZEN": _("志愿锁定"),
    "DRAWN": _("已摇号"),
    "APPROVED": _("审定"),
    "PUBLISHED": _("公示"),
    "CONFIRMING": _("确认递补"),
    "FINAL": _("归档"),
    "SUSPENDED": _("暂停公示"),
    "VOID": _("作废"),
}
STATES = tuple(LABELS)
COURSE = STATES[: STATES.index("FINAL") + 1]
"""The states that a round passes through, in order."""

PUBLIC = frozenset(STATES) - {"DRAFT"}


@dataclass(frozen=True)
class Obstacle:
    """Something that must be done before a step: a code, and what it is about."""

    code: str
    about: str = ""
    count: int = 0


class Blocked(ValueError):
    """A step cannot be taken yet; ``obstacles`` say why."""

    def __init__(self, obstacles: Sequence[Obstacle]):
        self.obstacles = tuple(obstacles)
        super().__init__("; ".join(f"{o.code} {o.about}".strip() for o in obstacles))


class Moved(ValueError):
    """Somebody else changed the round in the meantime."""


Gate = Callable[[Session, Round, Actor], list[Obstacle]]


@dataclass(frozen=True)
class Step:
    """A row of the table of states."""

    name: str
    source: str
    target: str
    roles: tuple[str, ...]
    gate: Gate


# --- gates ------------------------------------------------------------------------------------


def _plan_complete(session: Session, round_: Round, _: Actor) -> list[Obstacle]:
    classes = session.scalars(select(OrderClass).where(OrderClass.round_id == round_.id)).all()
    found = []
    if not classes:
        found.append(Obstacle("no_class"))
    for held in classes:
        if not held.programs:
            found.append(Obstacle("class_without_seats", held.code))
        if held.confirmed_at is None:
            found.append(Obstacle("college_not_confirmed", held.code))
        found += [
            Obstacle("enterprise_not_confirmed", program.code)
            for program in held.programs
            if program.confirmed_at is None
        ]
    if round_.policy is None:
        found.append(Obstacle("no_policy"))
    if round_.opens_at is None or round_.deadline_at is None:
        found.append(Obstacle("no_dates"))
    elif round_.deadline_at <= round_.opens_at:
        found.append(Obstacle("dates_reversed"))
    if not round_.draw_event:
        found.append(Obstacle("no_draw_event"))
    return found + _recorded(session, round_, "plan_approval")


def _recorded(session: Session, round_: Round, kind: str) -> list[Obstacle]:
    held = session.scalar(select(Record).where(Record.round_id == round_.id, Record.kind == kind))
    if held is None:
        return [Obstacle(f"no_{kind}")]
    return [] if held.confirmed_at else [Obstacle(f"unconfirmed_{kind}", held.document)]


def _opens(session: Session, round_: Round, _: Actor) -> list[Obstacle]:
    due = round_.opens_at is not None and now(session) >= round_.opens_at
    return [] if due else [Obstacle("not_yet_open")]


def _closes(session: Session, round_: Round, _: Actor) -> list[Obstacle]:
    due = round_.deadline_at is not None and now(session) >= round_.deadline_at
    return [] if due else [Obstacle("deadline_ahead")]


def _nothing_open(session: Session, round_: Round, _: Actor) -> list[Obstacle]:
    def count(query: Any) -> int:
        return session.scalar(select(func.count()).select_from(query.subquery())) or 0

    mine = select(Applicant.id).where(Applicant.round_id == round_.id)
    waiting = {
        "not_reviewed": mine.where(Applicant.state.in_(("submitted", "returned"))),
        "scores_unconfirmed": select(Score.id).where(
            Score.applicant_id.in_(mine), Score.confirmed_at.is_(None)
        ),
        "imports_unconfirmed": select(Import.id).where(
            Import.round_id == round_.id,
            Import.sheet.in_(("applicants", "choices")),
            Import.state == "stored",
            Import.confirmed_by == "",
        ),
        "decisions_unconfirmed": select(Decision.id).where(
            Decision.applicant_id.in_(mine), Decision.confirmed_at.is_(None)
        ),
        "doubts_open": select(Doubt.id).where(
            Doubt.round_id == round_.id, Doubt.confirmed_at.is_(None)
        ),
        "seat_changes_open": select(SeatChange.id)
        .join(Program)
        .join(OrderClass)
        .where(OrderClass.round_id == round_.id, SeatChange.applied_at.is_(None)),
    }
    found = [Obstacle(code, count=n) for code, query in waiting.items() if (n := count(query))]
    if not count(mine.where(Applicant.state == "passed")):
        found.append(Obstacle("nobody_passed"))
    return found


def _a_day_after_the_draw(session: Session, round_: Round, _: Actor) -> list[Obstacle]:
    found = []
    pause = timedelta(0) if round_.demo else timedelta(days=1)
    if round_.frozen_at is None or now(session) < round_.frozen_at + pause:
        found.append(Obstacle("a_day_after_commitment"))
    drawn = session.scalar(select(Draw).where(Draw.round_id == round_.id))
    if drawn is None:
        found.append(Obstacle("no_draw"))
    elif drawn.confirmed_at is None:
        found.append(Obstacle("draw_unconfirmed"))
    return found


def last_committed(session: Session, round_: Round, *states: str) -> Run | None:
    """The last run of the committed policy, in one of some states; in whatever state if none is named."""
    committed = select(Run).where(Run.round_id == round_.id, Run.kind == "committed")
    if states:
        committed = committed.where(Run.state.in_(states))
    return session.scalar(committed.order_by(Run.id.desc()).limit(1))


def committed_run(session: Session, round_: Round) -> Run | None:
    """The live run of the committed policy, if there is one."""
    return last_committed(session, round_, "QUEUED", "RUNNING", "VERIFIED")


def to_run_again(session: Session, round_: Round) -> Run | None:
    """The last committed run, where it ended without a verified result and may run again."""
    if round_.state != "DRAWN" or committed_run(session, round_) is not None:
        return None
    return last_committed(session, round_)


def _publishable(session: Session, round_: Round, actor: Actor) -> list[Obstacle]:
    run = committed_run(session, round_)
    if run is None or run.state != "VERIFIED":
        return [Obstacle("no_verified_run")]
    if not run.summary.get("publishable"):
        return [Obstacle("not_publishable", run.status)]
    if run.started_by == actor.name:
        return [Obstacle("second_person")]
    return _recorded(session, round_, "result_filing")


def _approved(session: Session, round_: Round, _: Actor) -> list[Obstacle]:
    held = session.scalar(select(Approval).where(Approval.round_id == round_.id))
    return [] if held else [Obstacle("no_approval")]


def _notice_over(session: Session, round_: Round, _: Actor) -> list[Obstacle]:
    due = round_.notice_ends_at is not None and now(session) >= round_.notice_ends_at
    return ([] if due else [Obstacle("notice_period")]) + _rechecks(session, round_)


def _rechecks(session: Session, round_: Round) -> list[Obstacle]:
    waiting = rechecks_open(session, round_)
    return [Obstacle("rechecks_open", count=waiting)] if waiting else []


def rechecks_open(session: Session, round_: Round) -> int:
    """How many rechecks are not answered, or upheld and not yet seen to by a successor."""
    unanswered = Recheck.state.in_(("open", "proposed"))
    unpublished = (
        (Recheck.state == "upheld")
        & (Recheck.remedy == "successor")
        & Recheck.publication_id.is_(None)
    )
    query = select(func.count(Recheck.id)).where(Recheck.round_id == round_.id)
    return session.scalar(query.where(unanswered | unpublished)) or 0


def _all_settled(session: Session, round_: Round, _: Actor) -> list[Obstacle]:
    found = [] if round_.waiting_ended_at else [Obstacle("waiting_goes_on")]
    unanswered = session.scalar(
        select(func.count(Offer.id)).where(Offer.round_id == round_.id, Offer.state == "open")
    )
    if unanswered:
        found.append(Obstacle("offers_open", count=unanswered))
    found += _rechecks(session, round_)
    found += [Obstacle("remedy_owed", one.number) for one in places_owed(session, round_)]
    if round_.waiting_ended_at is not None:
        found += [
            Obstacle("class_below", one.order_class.code)
            for one in minimums.below(session, round_.id)
            if not one.ruled
        ]
    return found


def places_owed(session: Session, round_: Round) -> list[Recheck]:
    """The upheld rechecks that promised a place which nobody was offered yet, in their order."""
    led_to = select(Offer.id).where(
        Offer.applicant_id == Recheck.applicant_id,
        Offer.program_id == Recheck.program_id,
        Offer.source == "remedy",
    )
    promised = select(Recheck).where(
        Recheck.round_id == round_.id,
        Recheck.state == "upheld",
        Recheck.remedy.in_(("seat", "first")),
        Recheck.program_id.is_not(None),
        ~led_to.exists(),
    )
    return list(session.scalars(promised.order_by(Recheck.id)))


def _frozen(session: Session, round_: Round, _: Actor) -> list[Obstacle]:
    held = session.scalar(select(Snapshot).where(Snapshot.round_id == round_.id))
    return _nothing_open(session, round_, _) + ([] if held else [Obstacle("no_snapshot")])


STEPS = (
    Step("announce", "DRAFT", "ANNOUNCED", ("coordinator",), _plan_complete),
    Step("open", "ANNOUNCED", "OPEN", ("coordinator", "system"), _opens),
    Step("close", "OPEN", "REVIEW", ("coordinator", "system"), _closes),
    Step("freeze", "REVIEW", "FROZEN", ("coordinator",), _frozen),
    Step("draw", "FROZEN", "DRAWN", ("coordinator",), _a_day_after_the_draw),
    Step("approve", "DRAWN", "APPROVED", ("coordinator",), _publishable),
    Step("publish", "APPROVED", "PUBLISHED", ("coordinator",), _approved),
    Step("confirm", "PUBLISHED", "CONFIRMING", ("coordinator", "system"), _notice_over),
    Step("finish", "CONFIRMING", "FINAL", ("coordinator",), _all_settled),
)

BY_NAME = {step.name: step for step in STEPS}

ENTERED: dict[str, Callable[[Session, Round, Actor], None]] = {}
"""What a story does when a round enters a state, in the step's own transaction."""


# --- moving -----------------------------------------------------------------------------------


def next_step(round_: Round) -> Step | None:
    """The step that a round takes next."""
    return next((step for step in STEPS if step.source == round_.state), None)


def obstacles(session: Session, round_: Round, step: Step, actor: Actor) -> list[Obstacle]:
    """What keeps the round from that step, so that a page can say so before anybody presses."""
    return step.gate(session, round_, actor)


def take(
    session: Session, round_: Round, name: str, actor: Actor, reason: str = "", **stamps: Any
) -> Round:
    """Take a step, in the caller's transaction.

    Parameters
    ----------
    stamps
        Columns of the round that the step sets beside the state (``frozen_at``, …).

    Raises
    ------
    Moved
        If the round is not, or no longer, where the step begins.
    Blocked
        If something must be done first.
    """
    step = BY_NAME[name]
    if round_.state != step.source:
        raise Moved(round_.state)
    if actor.role not in step.roles:
        raise Blocked([Obstacle("role", actor.role)])
    if found := step.gate(session, round_, actor):
        raise Blocked(found)
    return _move(session, round_, step.target, actor, f"round.{name}", reason, **stamps)


def _move(
    session: Session,
    round_: Round,
    target: str,
    actor: Actor,
    action: str,
    why: str = "",
    **stamps: Any,
) -> Round:
    before = round_.state
    _set(session, round_, state=target, **stamps)
    record(
        session, actor, action, f"round/{round_.serial}", round_id=round_.id,
        before={"state": before}, after={"state": target}, reason=why,
    )  # fmt: skip
    if target in ENTERED:
        ENTERED[target](session, round_, actor)
    return round_


def _set(session: Session, round_: Round, **values: Any) -> None:
    """Set columns of a round that nobody moved meanwhile."""
    before = round_.state
    done = session.execute(
        update(Round)
        .where(Round.id == round_.id, Round.state == before, Round.fence == round_.fence)
        .values(fence=Round.fence + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Moved(before)
    session.refresh(round_)


def begin_notice_again(
    session: Session, round_: Round, actor: Actor, notice_ends_at: datetime
) -> None:
    """Keep a published round in its notice period, which begins anew with a corrected result.

    Raises
    ------
    Moved
        If it is not published, or not any more.
    """
    if round_.state != "PUBLISHED":
        raise Moved(round_.state)
    before = round_.notice_ends_at
    _set(session, round_, notice_ends_at=notice_ends_at)
    record(
        session, actor, "round.notice_again", f"round/{round_.serial}", round_id=round_.id,
        before={"notice_ends_at": before}, after={"notice_ends_at": notice_ends_at},
    )  # fmt: skip


def by_the_clock(session: Session, round_: Round) -> str:
    """The state that the clock gives: an announced round opens and closes whether a job ran or not."""
    state, moment = round_.state, now(session)
    if state == "ANNOUNCED" and round_.opens_at is not None and moment >= round_.opens_at:
        state = "OPEN"
    if state == "OPEN" and round_.deadline_at is not None and moment >= round_.deadline_at:
        state = "REVIEW"
    return state


def due(session: Session) -> list[tuple[Round, Step]]:
    """The steps that the clock has decided, of rounds that nothing else keeps from them."""
    steps = {step.source: step for step in (BY_NAME[n] for n in ("open", "close", "confirm"))}
    return [
        (round_, steps[round_.state])
        for round_ in session.scalars(
            select(Round).where(Round.state.in_(steps)).order_by(Round.id)
        )
        if not steps[round_.state].gate(session, round_, SYSTEM)
    ]


def close_due(session: Session) -> list[str]:
    """Record what the clock has decided; returns the steps taken, as ``serial step``.

    A round that was announced and is past its deadline opens and closes at once.
    """
    taken = []
    while found := due(session):
        for round_, step in found:
            _move(session, round_, step.target, SYSTEM, f"round.{step.name}")
            taken.append(f"{round_.serial} {step.name}")
    return taken


def lock_open(session: Session, round_id: int) -> tuple[Round, datetime]:
    """The round, locked against moving, and the time: accepted ⇔ it is open and t < deadline.

    Raises
    ------
    Moved
        If it does not take lists now.
    """
    round_ = session.scalars(
        select(Round).where(Round.id == round_id).with_for_update(read=True)
    ).one()
    moment = now(session)
    if by_the_clock(session, round_) != "OPEN":
        raise Moved(round_.state)
    return round_, moment


def suspend(session: Session, round_: Round, first: Actor, second: Actor, reason: str) -> None:
    """Stop a published round's clocks, by two coordinators, with a reason that the public reads."""
    _two(first, second)
    if round_.state not in ("PUBLISHED", "CONFIRMING"):
        raise Moved(round_.state)
    _move(
        session, round_, "SUSPENDED", first, "round.suspend", reason,
        resumes_to=round_.state, reason=reason, suspended_at=now(session),
    )  # fmt: skip


def resume(session: Session, round_: Round, first: Actor, second: Actor, reason: str) -> None:
    """Go on where the round was suspended, by two coordinators; deadlines give back what was lost."""
    _two(first, second)
    if round_.state != "SUSPENDED" or round_.resumes_to is None:
        raise Moved(round_.state)
    since = round_.suspended_at
    _move(
        session, round_, round_.resumes_to, first, "round.resume", reason,
        resumes_to=None, reason="", suspended_at=None,
    )  # fmt: skip
    if since is not None:
        clocks.go_on(session, round_, since, first)


def void(session: Session, round_: Round, first: Actor, second: Actor, reason: str) -> None:
    """End a round without a result, by two coordinators; its records stay with the auditors."""
    _two(first, second)
    if round_.state in ("VOID", "FINAL"):
        raise Moved(round_.state)
    _move(session, round_, "VOID", first, "round.void", reason, reason=reason)


def _two(first: Actor, second: Actor) -> None:
    if first.name == second.name or {first.role, second.role} != {"coordinator"}:
        raise Blocked([Obstacle("second_person")])
