"""A step of the waiting list as a run of the worker: pressed in a page, worked out in a child.

It is queued, claimed and told about as every run (:mod:`web.jobs`).  The step and the end of its run are
stored in one transaction: of a worker that dies there is either all or nothing, and the next one takes
the step again.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import db, jobs, waiting
from .audit import Actor, record
from .models import Round, Run, WaitingStep
from .rounds import Blocked, Moved, Obstacle
from .snapshot import instance
from .waiting import Call, Link, Standing

KIND = "waiting"
COMMAND = (sys.executable, "-m", "web.work_out_step")
SECONDS, MEMORY_MB = 1800, 4096


class Already(ValueError):
    """A step of the round waits or is being taken already."""


def queue(session: Session, round_: Round, actor: Actor) -> Run:
    """Ask for a step; a worker takes it.

    Raises
    ------
    rounds.Moved, rounds.Blocked
        If the round takes no step now.
    Already
        If one was asked for and has not ended; nothing is queued.
    """
    round_ = waiting.locked(session, round_.id)
    waiting.check(session, round_)
    last = last_of(session, round_)
    if last is not None and last.state in jobs.LIVE:
        raise Already(round_.serial)
    run = Run(
        round_id=round_.id, kind=KIND, policy_toml="", started_by=actor.name,
        queued_at=db.now(session), summary={"role": actor.role},
    )  # fmt: skip
    session.add(run)
    session.flush()
    record(session, actor, "waiting.queue", f"run/{run.key}", round_id=round_.id)
    return run


def last_of(session: Session, round_: Round) -> Run | None:
    """The step that was asked for last."""
    return session.scalar(
        select(Run)
        .where(Run.round_id == round_.id, Run.kind == KIND)
        .order_by(Run.id.desc())
        .limit(1)
    )


def obstacles(run: Run) -> list[Obstacle]:
    """What kept a round from the step when the worker came to it."""
    return [Obstacle(**one) for one in run.summary.get("obstacles", ())]


def _take(claim: jobs.Claim, run: Run, place: Path, stop: Event) -> dict[str, Any]:
    """Take the step; it ends the run itself, with what it stores."""
    round_id, actor = run.round_id, Actor(run.started_by, run.summary["role"])
    ended: dict[str, Any] = {}

    def compute(held: Standing, moment: datetime) -> Link:
        return _in_child(claim, place, stop, held, moment)

    def also(session: Session, made: WaitingStep) -> None:
        ended.update(state="ANSWERED", summary={"number": made.number, **made.counts})
        jobs.end(session, claim, ended)

    db.forget()
    try:
        waiting.step(round_id, actor, compute, also)
    except Blocked as error:
        kept = [asdict(one) for one in error.obstacles]
        return {"state": "FAILED", "error": "Blocked", "summary": {"obstacles": kept}}
    except (Moved, waiting.KeepsChanging) as error:
        raise jobs.Stopped("FAILED", type(error).__name__) from error
    return ended


jobs.CARRIED[KIND] = _take


def _in_child(
    claim: jobs.Claim, place: Path, stop: Event, held: Standing, moment: datetime
) -> Link:
    """Work a step out in a child that reads how the round stands; what it read and made does not stay."""
    asked, made = place / "standing.json", place / "step"
    told = {"instance": str(instance()), "moment": moment.isoformat(), "standing": asdict(held)}
    asked.write_text(json.dumps(told), "utf-8")
    try:
        command = (*COMMAND, str(asked), str(made))
        limits = jobs.Limits(SECONDS, MEMORY_MB)
        status = jobs.child(claim, "work_out", command, place, limits, stop)
        if status != jobs.DONE:
            raise jobs.Stopped("FAILED", jobs.complaint(place, "work_out", status))
        said = json.loads((made / "said.json").read_bytes())
        if said["obstacles"]:
            raise Blocked([Obstacle(**one) for one in said["obstacles"]])
        files = {
            str(path.relative_to(made / "files")): path.read_bytes()
            for path in sorted((made / "files").rglob("*"))
            if path.is_file()
        }
    finally:
        asked.unlink()
        shutil.rmtree(made, ignore_errors=True)
    return Link(files, [Call(*one) for one in said["calls"]], said["counts"])
