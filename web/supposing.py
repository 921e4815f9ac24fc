"""Suppositions (假设重算): a run solved once more with one thing changed, and how many people move.

A class that did not open is opened whatever its number, or a program gets one more seat.  The answer is
a second outcome of the same rules and the same seed; it is not verified and cannot be published, and it
counts among the trials.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher import Policy

from . import compare, db, jobs
from .audit import Actor, record
from .models import Round, Run

WHAT_IF = "whatif"
OPEN, SEAT = "open", "seats"


def possible(run: Run) -> list[tuple[str, str]]:
    """What may be supposed of a run that ended with a result, as (value, words)."""
    if run.kind == WHAT_IF or not run.summary.get("report"):
        return []
    opened = [
        (f"{OPEN}:{c['order_class']}", OPEN, c["order_class"]) for c in compare.closed_of(run)
    ]
    closed = {code for _value, _kind, code in opened}
    seats = [
        (f"{SEAT}:{row['program']}", SEAT, row["program"])
        for row in _rows(jobs.round_folder_of(run) / "programs.csv")
        if row.get("order_class", row["program"]) not in closed
    ]
    return [(value, words(kind, code)) for value, kind, code in (*opened, *seats)]


def words(kind: str, code: str) -> str:
    """A supposition in words."""
    if kind == OPEN:
        return str(_("%(code)s 班不论人数都开", code=code))
    return str(_("%(code)s 多一个席位", code=code))


def ask(session: Session, round_: Round, base: Run, value: str, actor: Actor) -> Run:
    """Queue a supposition about a run.

    Raises
    ------
    web.jobs.NotAllowed
        If the round is void, this cannot be supposed of that run, or another one of it is under way.
    """
    if round_.state == "VOID" or value not in dict(possible(base)):
        raise jobs.NotAllowed("state")
    if any(run.state in jobs.LIVE for run in of(session, base)):
        raise jobs.NotAllowed("live")
    kind, _colon, code = value.partition(":")
    made = Run(
        round_id=round_.id, kind=WHAT_IF, label=" · ".join(filter(None, (base.label, value))),
        policy_toml=base.policy_toml, started_by=actor.name, queued_at=db.now(session),
        summary={"asked": {"of": base.key, "change": kind, "code": code}},
    )  # fmt: skip
    session.add(made)
    session.flush()
    record(
        session, actor, "run.queue", f"run/{made.key}", round_id=round_.id,
        after={"kind": made.kind, **made.summary["asked"]},
    )  # fmt: skip
    return made


def of(session: Session, base: Run) -> list[Run]:
    """The suppositions about a run, the last first."""
    rows = session.scalars(
        select(Run)
        .where(Run.round_id == base.round_id, Run.kind == WHAT_IF)
        .order_by(Run.id.desc())
    )
    return [run for run in rows if run.summary["asked"]["of"] == base.key]


def answer(run: Run, base: Run, out: Path) -> dict[str, Any]:
    """What a supposition came to, in counts: who moves, and how many come to what was asked about."""
    asked = run.summary["asked"]
    programs = _rows(jobs.round_folder_of(base) / "programs.csv")
    there = {
        row["program"]
        for row in programs
        if asked["code"] == row["program" if asked["change"] == SEAT else "order_class"]
    }
    moves = list(_rows(out / "moves.csv"))
    counts = Counter(move["change"] for move in moves)
    return {
        "asked": asked,
        "moves": {change: counts[change] for change in compare.CHANGES},
        "moved": len(moves),
        "come": sum(move["to"] in there for move in moves),
        "files": jobs.digests(out),
    }


def _carry_out(claim: jobs.Claim, run: Run, place: Path, stop: Event) -> dict[str, Any]:
    """Solve what another run read once more, with one thing changed, and count who moves."""
    asked = run.summary["asked"]
    base = db.reading().scalars(select(Run).where(Run.key == asked["of"])).one()
    change = asked["code"] if asked["change"] == OPEN else f"{asked['code']}=+1"
    out, step = place / "result", "what-if"
    command: tuple[str, ...] = (*jobs.COMMAND, step, str(jobs.round_folder_of(base)), f"--{asked['change']}", change,
               "--out", str(out))  # fmt: skip
    policy = Policy.from_toml(run.policy_toml.encode())
    seconds = base.summary.get("seconds") or policy.seconds
    limits = jobs.limits_of(replace(policy, time_s=seconds))
    command += jobs.more_time(policy, seconds)
    db.forget()
    status = jobs.child(claim, step, command, place, limits, stop)
    if status not in (jobs.DONE, jobs.UNPUBLISHABLE) or not (out / "moves.csv").is_file():
        raise jobs.Stopped("FAILED", jobs.complaint(place, step, status))
    return {
        "state": "ANSWERED", "status": "OPTIMAL" if status == jobs.DONE else "FEASIBLE",
        "summary": answer(run, base, out),
    }  # fmt: skip


jobs.CARRIED[WHAT_IF] = _carry_out


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
