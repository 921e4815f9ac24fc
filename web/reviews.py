"""The eligibility review of an applicant, and single cases that are relaxed by two people."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import policies
from .audit import Actor, record
from .db import now
from .models import Applicant, Decision, Program, Review
from .rounds import Blocked, Moved, Obstacle

CONCLUSIONS = {"passed": "passed", "correct": "returned", "failed": "failed"}
"""Conclusion of a review → the applicant's state."""

REVIEWABLE = ("submitted", "returned", "passed", "failed")
SETTLED = ("passed", "failed")


class Stale(ValueError):
    """The applicant was changed since the form was opened."""


class NoReason(ValueError):
    """A conclusion that needs a reason has none."""


def of(session: Session, applicant: Applicant) -> list[Review]:
    """Every conclusion about an applicant, the last first."""
    rows = session.scalars(
        select(Review).where(Review.applicant_id == applicant.id).order_by(Review.id.desc())
    )
    return list(rows)


def judge(
    session: Session,
    applicant: Applicant,
    version: int,
    matter: str,
    conclusion: str,
    code: str,
    reason: str,
    office: str,
    actor: Actor,
) -> Review:
    """Conclude a review; to overturn a settled one takes a reason and another person.

    Raises
    ------
    Moved
        If lists are not under review now, or this one was withdrawn.
    Stale
        If somebody changed the applicant since.
    NoReason
        If she does not pass, or a conclusion is overturned, without a reason.
    Blocked
        If the same person overturned her own conclusion.
    """
    session.refresh(applicant, with_for_update=True)
    if applicant.round.state != "REVIEW" or applicant.state not in REVIEWABLE:
        raise Moved(applicant.state)
    if applicant.version != version:
        raise Stale
    earlier = next(iter(of(session, applicant)), None)
    overturned = applicant.state in SETTLED and earlier is not None
    if not reason.strip() and (conclusion != "passed" or overturned):
        raise NoReason
    if overturned and earlier is not None and earlier.reviewer == actor.name:
        raise Blocked([Obstacle("second_person")])
    before = {"state": applicant.state, "review": applicant.review}
    applicant.state = CONCLUSIONS[conclusion]
    applicant.review = {"passed": "passed", "failed": code}.get(conclusion, "")
    applicant.version += 1
    made = Review(
        applicant_id=applicant.id,
        matter=matter,
        conclusion=conclusion,
        code=code if conclusion == "failed" else "",
        reason=reason.strip(),
        office=office,
        reviewer=actor.name,
        at=now(session),
    )
    session.add(made)
    record(
        session, actor, "review.conclude", f"applicant/{applicant.number}",
        round_id=applicant.round_id, before=before, reason=made.reason,
        after={"state": applicant.state, "review": applicant.review, "matter": matter},
    )  # fmt: skip
    session.flush()
    return made


# --- single cases -----------------------------------------------------------------------------


def relax(
    session: Session, applicant: Applicant, program: Program, rule: str, basis: str, actor: Actor
) -> Decision:
    """Approve one person at one program against one rule (个案审批); counts when another confirms.

    Raises
    ------
    Moved
        If the round is locked, or its rules allow no single cases.
    ValueError
        If the case is there already.
    """
    round_ = applicant.round
    allowed = policies.current(session, round_).case_by_case
    if round_.state not in ("OPEN", "REVIEW") or not allowed:
        raise Moved(round_.state)
    same = select(Decision.id).where(
        Decision.applicant_id == applicant.id,
        Decision.program_id == program.id,
        Decision.decision == "approved",
        Decision.rule == rule,
    )
    if session.scalar(same) is not None:
        raise ValueError("approved already")
    made = Decision(
        applicant_id=applicant.id,
        program_id=program.id,
        decision="approved",
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
    if round_.state not in ("OPEN", "REVIEW") or decision.confirmed_at is not None:
        raise Moved(round_.state)


def _told(decision: Decision, program: Program) -> dict[str, str]:
    return {"program": program.code, "decision": decision.decision, "rule": decision.rule,
            "basis": decision.basis}  # fmt: skip
