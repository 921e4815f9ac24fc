"""Single cases that are relaxed (个案审批): decided by one, counting once another confirms."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import policies
from .audit import Actor, record
from .db import now
from .models import Applicant, Decision, Program
from .rounds import Blocked, Moved, Obstacle

APPROVED = "approved"
STATES = ("OPEN", "REVIEW")


def relax(
    session: Session, applicant: Applicant, program: Program, rule: str, basis: str, actor: Actor
) -> Decision:
    """Approve one person at one program against one rule; it counts once another confirms.

    Raises
    ------
    Moved
        If the round is locked, or its rules allow no single cases.
    ValueError
        If the case is there already.
    """
    round_ = applicant.round
    allowed = policies.current(session, round_).case_by_case
    if round_.state not in STATES or not allowed:
        raise Moved(round_.state)
    same = select(Decision.id).where(
        Decision.applicant_id == applicant.id,
        Decision.program_id == program.id,
        Decision.decision == APPROVED,
        Decision.rule == rule,
    )
    if session.scalar(same) is not None:
        raise ValueError("approved already")
    made = Decision(
        applicant_id=applicant.id,
        program_id=program.id,
        decision=APPROVED,
        rule=rule,
        basis=basis,
        entered_by=actor.name,
        entered_at=now(session),
    )
    session.add(made)
    session.flush()
    record(session, actor, "decision.enter", f"applicant/{applicant.number}",
           round_id=round_.id, after=_told(made, program))  # fmt: skip
    return made


def confirm(session: Session, decision: Decision, actor: Actor) -> None:
    """Confirm what another decided.

    Raises
    ------
    Moved
        If the round is locked, or it is confirmed already.
    Blocked
        If the same person entered it.
    """
    session.refresh(decision, with_for_update=True)
    _open(decision)
    if decision.entered_by == actor.name:
        raise Blocked([Obstacle("second_person")])
    decision.confirmed_by, decision.confirmed_at = actor.name, now(session)
    record(session, actor, "decision.confirm", f"applicant/{decision.applicant.number}",
           round_id=decision.applicant.round_id, after=_told(decision, decision.program))  # fmt: skip


def drop(session: Session, decision: Decision, actor: Actor) -> None:
    """Take a decision back that nobody has confirmed.

    Raises
    ------
    Moved
        If the round is locked, or it is confirmed already.
    """
    session.refresh(decision, with_for_update=True)
    _open(decision)
    record(session, actor, "decision.drop", f"applicant/{decision.applicant.number}",
           round_id=decision.applicant.round_id, before=_told(decision, decision.program))  # fmt: skip
    session.delete(decision)


def _open(decision: Decision) -> None:
    round_ = decision.applicant.round
    if decision.decision != APPROVED or round_.state not in STATES or decision.confirmed_at:
        raise Moved(round_.state)


def _told(decision: Decision, program: Program) -> dict[str, str]:
    return {"program": program.code, "decision": decision.decision, "rule": decision.rule,
            "basis": decision.basis}  # fmt: skip
