"""Suspending, resuming and voiding a round: one coordinator asks with a public reason, another confirms."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import rounds
from .audit import Actor, record
from .db import now
from .models import Motion, Round

KINDS = {"suspend": rounds.suspend, "resume": rounds.resume, "void": rounds.void}


class Waiting(ValueError):
    """Another request of the round waits already."""


def possible(round_: Round) -> list[str]:
    """What can be asked of a round in its state."""
    found = []
    if round_.state in ("PUBLISHED", "CONFIRMING"):
        found.append("suspend")
    if round_.state == "SUSPENDED":
        found.append("resume")
    if round_.state not in ("VOID", "FINAL"):
        found.append("void")
    return found


def of(session: Session, round_: Round) -> list[Motion]:
    """Every request of a round, the last first."""
    rows = session.scalars(
        select(Motion).where(Motion.round_id == round_.id).order_by(Motion.id.desc())
    )
    return list(rows)


def waiting(motion: Motion) -> bool:
    """Whether a request still waits for the second person."""
    return motion.confirmed_at is None and motion.withdrawn_at is None


def ask(session: Session, round_: Round, kind: str, reason: str, actor: Actor) -> Motion:
    """Ask for it; nothing happens before another coordinator confirms.

    Raises
    ------
    rounds.Moved
        If the round's state does not allow it.
    Waiting
        If another request waits.
    """
    session.refresh(round_, with_for_update=True)
    if kind not in possible(round_):
        raise rounds.Moved(round_.state)
    if any(waiting(motion) for motion in of(session, round_)):
        raise Waiting
    made = Motion(
        round_id=round_.id, kind=kind, reason=reason, asked_by=actor.name, asked_at=now(session)
    )
    session.add(made)
    session.flush()
    record(session, actor, f"motion.{kind}", f"round/{round_.serial}", round_id=round_.id,
           reason=reason)  # fmt: skip
    return made


def confirm(session: Session, round_: Round, motion: Motion, actor: Actor) -> None:
    """Confirm another coordinator's request, and carry it out.

    Raises
    ------
    rounds.Moved
        If it waits no longer, or the round moved on.
    rounds.Blocked
        If the same person asked for it.
    """
    session.refresh(motion, with_for_update=True)
    if not waiting(motion):
        raise rounds.Moved(motion.kind)
    first = Actor(motion.asked_by, "coordinator")
    KINDS[motion.kind](session, round_, first, actor, motion.reason)
    motion.confirmed_by, motion.confirmed_at = actor.name, now(session)
    record(session, actor, "motion.confirm", f"round/{round_.serial}", round_id=round_.id,
           after={"kind": motion.kind, "asked_by": motion.asked_by})  # fmt: skip


def withdraw(session: Session, round_: Round, motion: Motion, actor: Actor) -> None:
    """Drop a request that waits; the row stays.

    Raises
    ------
    rounds.Moved
        If it waits no longer.
    """
    session.refresh(motion, with_for_update=True)
    if not waiting(motion):
        raise rounds.Moved(motion.kind)
    motion.withdrawn_at = now(session)
    record(session, actor, "motion.withdraw", f"round/{round_.serial}", round_id=round_.id,
           after={"kind": motion.kind, "asked_by": motion.asked_by})  # fmt: skip
