"""The links of a round's chain as rows: its publication, the steps after it, and the round before."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from .models import Publication, Round, WaitingStep


def steps_of(session: Session, round_: Round) -> list[WaitingStep]:
    """The steps of a round's waiting list, the first first."""
    return list(
        session.scalars(
            select(WaitingStep)
            .where(WaitingStep.round_id == round_.id)
            .order_by(WaitingStep.number)
        )
    )


def last_step(session: Session, round_: Round) -> WaitingStep | None:
    """The last step of a round's waiting list."""
    return session.scalar(
        select(WaitingStep)
        .where(WaitingStep.round_id == round_.id)
        .order_by(WaitingStep.number.desc())
        .limit(1)
    )


def head(session: Session, round_: Round) -> str:
    """The digest of the last link: the closing one, the last step, or the publication's bundle; blank before."""
    if round_.waiting_end_digest:
        return round_.waiting_end_digest
    last = last_step(session, round_)
    if last is not None:
        return last.digest
    published = publication_of(session, round_)
    return published.bundle_digest if published else ""


def publication_of(session: Session, round_: Round) -> Publication | None:
    """The last publication of a round."""
    return session.scalar(
        select(Publication)
        .where(Publication.round_id == round_.id)
        .order_by(Publication.id.desc())
        .limit(1)
    )


def before(session: Session, round_: Round) -> Round | None:
    """The round whose remaining seats and people a round takes up; none where it begins a season."""
    parent = round_.parent
    same = parent is not None and (parent.year, parent.season) == (round_.year, round_.season)
    return parent if same and parent is not None and parent.state == "FINAL" else None


def after(session: Session, round_: Round) -> Round | None:
    """The round that takes up what a round left, if it has been opened."""
    following = session.scalars(
        select(Round)
        .where(Round.parent_id == round_.id, Round.state != "VOID")
        .order_by(Round.id.desc())
    )
    return next((other for other in following if before(session, other) is not None), None)
