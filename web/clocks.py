"""Deadlines of a round that was suspended: its clocks stood still, so each is moved when it goes on.

The whole time that was lost is added; what then falls elsewhere goes on to the end of a working day.
What had passed before the suspension has passed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from . import calendar, policies
from .audit import Actor, Entry, record_all
from .db import now
from .models import Agreement, Offer, Recheck, Round
from .models.outcome import HOLDING, OPEN


def go_on(session: Session, round_: Round, since: datetime, actor: Actor) -> None:
    """Move every deadline of a round that was ahead when its clocks stopped, ``since`` then."""
    lost = now(session) - since
    hour: int = policies.flow(round_, "days.hour")
    entries = []
    if round_.notice_ends_at is not None and round_.notice_ends_at > since:
        before = round_.notice_ends_at
        round_.notice_ends_at = calendar.resumed(before, lost, hour)
        entries.append(_entry(round_, "notice", before, round_.notice_ends_at, 1))
    mine = select(Offer.id).where(Offer.round_id == round_.id)
    clocks: tuple[tuple[Any, Any], ...] = (
        (Offer, (Offer.round_id == round_.id) & Offer.state.in_((OPEN, *HOLDING))),
        (Recheck, (Recheck.round_id == round_.id) & Recheck.state.in_(("open", "proposed"))),
        (Agreement, Agreement.offer_id.in_(mine) & (Agreement.state == "signing")),
    )
    for model, running in clocks:
        entries += _move(session, round_, model, running & (model.due_at > since), lost, hour)
    record_all(session, actor, entries, round_id=round_.id)


def _move(
    session: Session, round_: Round, model: Any, running: Any, lost: timedelta, hour: int
) -> list[Entry]:
    # the last first: what was moved already is never met again
    held = select(model.due_at).where(running).distinct().order_by(model.due_at.desc())
    entries = []
    for before in session.scalars(held).all():
        after = calendar.resumed(before, lost, hour)
        done = session.execute(
            update(model)
            .where(running, model.due_at == before)
            .values(due_at=after)
            .execution_options(synchronize_session="fetch")
        )
        entries.append(_entry(round_, model.__tablename__, before, after, done.rowcount))  # type: ignore[attr-defined]
    return entries


def _entry(round_: Round, kind: str, before: datetime, after: datetime, rows: int) -> Entry:
    return Entry(
        "clock.move",
        f"round/{round_.serial}",
        {"kind": kind, "due_at": before},
        {"kind": kind, "due_at": after, "rows": rows},
    )
