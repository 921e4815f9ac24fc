"""Notices of admission by the thousand: a run of the worker that draws instead of solving.

It is queued, claimed, told about and cancelled as every run (:mod:`web.jobs`); its ``summary`` holds at
first what it was asked for, in the end what it made.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import db, jobs, printing
from .audit import Actor, record
from .models import Round, Run
from .snapshot import settle

KIND = "notices"
DOCUMENT = "notices.pdf"
COMMAND = (sys.executable, "-m", "web.draw_notices")
SECONDS, MEMORY_MB = 600, 600


class Nobody(ValueError):
    """Nobody has a place in the round that a notice could tell of."""


class Already(ValueError):
    """The same notices wait or are being drawn already."""


def queue(
    session: Session, round_: Round, college: str, address: str, day: str, place: str, actor: Actor
) -> Run:
    """Ask for the notices of a college (by code), or of all; a worker draws them.

    Parameters
    ----------
    address
        Of the page that a code leads to, without the offer's key.
    day, place
        Of the check-in; blank leaves room to write.

    Raises
    ------
    Nobody, Already
        See there; nothing is queued.
    """
    if round_.state not in printing.SHOWN or not printing.offers_of(session, round_, college):
        raise Nobody(round_.serial)
    if any(run.state in jobs.LIVE for run in of(session, round_, college)):
        raise Already(round_.serial)
    run = Run(
        round_id=round_.id, kind=KIND, label=college, policy_toml="", started_by=actor.name,
        queued_at=db.now(session), summary={"address": address, "day": day, "place": place},
    )  # fmt: skip
    session.add(run)
    session.flush()
    record(
        session, actor, "notices.queue", f"run/{run.key}", round_id=round_.id,
        after={"college": college},
    )  # fmt: skip
    return run


def of(session: Session, round_: Round, college: str) -> Sequence[Run]:
    """The notices that were asked for, of a college or of all together; the last first."""
    return session.scalars(
        select(Run)
        .where(Run.round_id == round_.id, Run.kind == KIND, Run.label == college)
        .order_by(Run.id.desc())
    ).all()


def _draw(claim: jobs.Claim, run: Run, place: Path, stop: Event) -> dict[str, Any]:
    """Draw notices in a child that reads a file of what they say; the file does not stay."""
    listed, made = place / "notices.json", place / "result.tmp"
    try:
        number = _list(db.reading(), run, listed)
        db.forget()
        command = (*COMMAND, str(listed), str(made))
        status = jobs.child(claim, "draw", command, place, jobs.Limits(SECONDS, MEMORY_MB), stop)
    finally:
        listed.unlink(missing_ok=True)
    if status != jobs.DONE:
        raise jobs.Stopped("FAILED", jobs.complaint(place, "draw", status))
    left_out = json.loads((made / "left_out.json").read_bytes())
    files = jobs.digests(made)
    settle(made)
    made.rename(place / "result")
    settle([place])
    summary = {"notices": number - len(left_out), "left_out": left_out, "files": files}
    return {"state": "VERIFIED", "summary": summary}


jobs.CARRIED[KIND] = _draw


def _list(session: Session, run: Run, path: Path) -> int:
    """Write what the notices say; returns how many there are."""
    asked = run.summary
    held = printing.offers_of(session, run.round, run.label)
    said = printing.admissions(session, held, asked["address"], asked["day"], asked["place"])
    path.touch(mode=0o600)
    path.write_text(json.dumps([asdict(one) for one in said], ensure_ascii=False), "utf-8")
    return len(said)


def document_of(run: Run) -> Path:
    """The notices that a run drew."""
    return jobs.result_of(run) / DOCUMENT
