"""Runs of the solver: the row is the queue, a worker claims it, children of the worker do the work.

A run is claimed by one compare-and-set on its state and fence.  While it runs, its worker tells every
second that it lives; one that has been silent for half a minute loses the run to the next fence, and
nothing that it still reports is recorded.  A child process has limits of time and memory, a folder, and
no way to the database.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from math import ceil
from pathlib import Path
from threading import Event
from typing import Any

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

import matcher

from . import corrections, db, evidence, outbox, rounds
from .audit import SYSTEM, Actor, record
from .models import Round, Run
from .snapshot import (
    draw_file,
    enough_space,
    folder_of,
    instance,
    intact,
    policy_digest,
    settle,
    snapshot_of,
    tables_of,
)

LIVE = ("QUEUED", "RUNNING")
STEPS = ("solve", "verify", "explain", "report")
SILENCE = timedelta(seconds=30)
HEARTBEAT = 1.0
CLEANING = 3600.0
POLL = 0.05
MOST_FENCES = 3
"""A run whose worker fell silent this often is given up."""

COMMAND = (sys.executable, "-m", "matcher")
CHILD = Path(__file__).with_name("child.py")
DEFAULT_SECONDS, DEFAULT_MEMORY_MB = 1800, 8192
DONE, BROKEN, UNPUBLISHABLE = 0, 1, 3
"""Exit statuses of the command line after which there is a result to read."""


class NotAllowed(ValueError):
    """The round takes no such run now; ``code`` says why: ``state``, ``live`` or ``policy``."""

    def __init__(self, code: str):
        self.code = code
        super().__init__(code)


# --- queueing and cancelling ------------------------------------------------------------------


def queue(
    session: Session, round_: Round, kind: str, toml: str, label: str, actor: Actor,
    corrected: Sequence[Mapping[str, Any]] = (),
) -> Run:  # fmt: skip
    """Ask for a run; a worker takes it up.

    Parameters
    ----------
    kind
        ``trial`` 试算: any rules, with a seed for trials, never publishable.  ``committed``: the
        rules and the draw that were committed to; one of them is live at a time.  ``recheck`` 复核:
        the same rules and draw on the snapshot with corrections, once a result is published.
    toml
        The rules; the round's own but for a trial.
    corrected
        Of a ``recheck``: what is corrected, see :mod:`web.corrections`.

    Raises
    ------
    NotAllowed
        If the round is not where such a run belongs, has one already, or committed to other rules.
    matcher.InvalidRound
        If the rules of a trial cannot be read.
    """
    if kind == "trial":
        if round_.state == "VOID":
            raise NotAllowed("state")
        toml = trial_rules(round_.serial, toml)
    else:
        frozen = snapshot_of(session, round_)
        where = ("DRAWN",) if kind == "committed" else ("PUBLISHED", "CONFIRMING")
        if round_.state not in where or frozen is None:
            raise NotAllowed("state")
        if policy_digest(toml) != frozen.policy_digest:
            raise NotAllowed("policy")
        if kind == "committed" and rounds.committed_run(session, round_) is not None:
            raise NotAllowed("live")
    run = Run(
        round_id=round_.id, kind=kind, label=label, policy_toml=toml, started_by=actor.name,
        queued_at=db.now(session), corrections=list(corrected),
    )  # fmt: skip
    session.add(run)
    try:
        session.flush()
    except IntegrityError:
        raise NotAllowed("live") from None
    _note(session, run, actor, "run.queue", {"kind": kind, "label": label})
    return run


def trial_rules(serial: str, toml: str) -> str:
    """The rules with the seed of this round's trials.

    All trials of a round share it, so that two of them differ by their rules and not by luck.
    """
    seed = hashlib.sha256(f"orderclass-trial-1|{serial}".encode()).hexdigest()
    policy = matcher.Policy.from_toml(toml.encode())
    return replace(policy, round=serial, seed=seed).to_toml()


def cancel(session: Session, run: Run, actor: Actor) -> None:
    """Take a run out of the queue, or have its worker kill it within a second or two.

    Raises
    ------
    rounds.Moved
        If it has ended already.
    """
    queued = _moved(
        session, run.id, run.fence, "QUEUED", state="CANCELLED", ended_at=db.now(session)
    )
    if not queued and not _moved(session, run.id, run.fence, "RUNNING", cancel=True):
        raise rounds.Moved(run.state)
    session.refresh(run)
    _note(session, run, actor, "run.cancel")


def _moved(session: Session, run_id: int, fence: int, state: str, /, **values: Any) -> bool:
    """Set columns of a run that is still in that state and of that fence; whether it was."""
    done = session.execute(
        update(Run)
        .where(Run.id == run_id, Run.state == state, Run.fence == fence)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


def _note(
    session: Session, run: Run, actor: Actor, action: str, after: Mapping[str, Any] | None = None
) -> None:
    record(session, actor, action, f"run/{run.key}", round_id=run.round_id, after=after)


# --- the worker -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """A run that this worker holds, as long as nobody raised its fence."""

    run_id: int
    key: str
    serial: str
    fence: int

    @property
    def folder(self) -> str:
        """Where this attempt works, below the instance folder; no other attempt writes there."""
        return f"rounds/{self.serial}/runs/{self.key}-{self.fence}"


CARRIED: dict[str, Callable[[Claim, Run, Path, Event], dict[str, Any]]] = {}
"""How runs of other kinds than solving are carried out in their folder, by kind: what a story adds
here returns what is recorded of the run in the end.  A run that changes rows records its end with
them, by :func:`end`."""


DUE: list[Callable[[], list[str]]] = []
"""What stories do when their deadlines have passed; each takes the write lock only if it must."""
CLEANED: list[Callable[[], object]] = [evidence.delete_due]
"""What the worker does once an hour to remove what is no longer needed; stories add theirs."""


class Lost(Exception):
    """The run belongs to another worker now."""


class Stopped(Exception):
    """The run ends before its time: cancelled, or out of time."""

    def __init__(self, state: str, error: str = ""):
        self.state, self.error = state, error
        self.summary: dict[str, Any] = {}
        super().__init__(error)


class Late(Stopped):
    """A child took longer than it may."""


class Leaving(Exception):
    """The worker itself is to end: the run goes back to the queue."""


def work(stop: Event, poll: float = 1.0) -> None:
    """Work until told to stop: record what is due, remove what is old, send messages, take up runs."""
    cleaned = -CLEANING
    while not stop.is_set():
        try:
            record_due()
            if time.monotonic() - cleaned >= CLEANING:
                for clean in CLEANED:
                    clean()
                cleaned = time.monotonic()
            sent = outbox.send_due()
            busy = work_once(stop) or sent > 0
        except SQLAlchemyError:  # a database that is away for a while comes back
            current_app.logger.exception("worker")
            busy = False
        db.forget()
        if not busy:
            stop.wait(poll)


def record_due() -> list[str]:
    """Record what the clock has decided; takes the write lock only where something is due."""
    taken = []
    if rounds.due(db.reading()):
        with db.writing() as writing:
            taken = rounds.close_due(writing)
    return taken + [done for settle in DUE for done in settle()]


def work_once(stop: Event | None = None) -> bool:
    """Take up one queued run and carry it to its end; False if there is none."""
    give_back_silent()
    claim = _claim()
    if claim is None:
        return False
    try:
        ended = _carry_out(claim, stop or Event())
    except Lost:
        return True
    except Leaving:
        _requeue(claim.run_id, claim.fence)
        return True
    except Stopped as end:
        ended = {"state": end.state, "error": end.error}
        ended |= {"summary": end.summary} if end.summary else {}
    except Exception as error:  # whatever went wrong, the run must not stay in the queue
        current_app.logger.exception("run %s", claim.key)
        ended = {"state": "FAILED", "error": f"{type(error).__name__}: {error}"[:2000]}
    _record(claim, ended)
    return True


def give_back_silent() -> None:
    """Put runs whose worker has fallen silent back into the queue, with the next fence."""
    session = db.reading()
    since = db.now(session) - SILENCE
    silent = session.execute(
        select(Run.id, Run.fence).where(Run.state == "RUNNING", Run.heartbeat < since)
    ).all()
    for run_id, fence in silent:
        _requeue(run_id, fence)


def _requeue(run_id: int, fence: int) -> None:
    with db.writing() as session:
        run = session.get_one(Run, run_id)
        if run.cancel:
            after: dict[str, Any] = {"state": "CANCELLED", "ended_at": db.now(session)}
        elif fence + 1 >= MOST_FENCES:
            after = {"state": "FAILED", "ended_at": db.now(session), "error": "silent"}
        else:
            after = {"state": "QUEUED", "step": "", "heartbeat": None}
        if _moved(session, run_id, fence, "RUNNING", fence=fence + 1, **after):
            _note(session, run, SYSTEM, "run.requeue", {"state": after["state"]})


def _claim() -> Claim | None:
    """The oldest queued run, if this worker is the one that gets it."""
    session = db.reading()
    found = session.execute(
        select(Run.id, Run.key, Run.fence, Round.serial)
        .join(Round)
        .where(Run.state == "QUEUED")
        .order_by(Run.id)
        .limit(1)
    ).one_or_none()
    if found is None:
        db.forget()
        return None
    claim = Claim(found.id, found.key, found.serial, found.fence)
    with db.writing() as session:
        moment = db.now(session)
        mine = _moved(
            session, claim.run_id, claim.fence, "QUEUED",
            state="RUNNING", heartbeat=moment, started_at=moment, step="prepare",
        )  # fmt: skip
    return claim if mine else None


def _record(claim: Claim, ended: Mapping[str, Any]) -> None:
    """Record how a run ended, unless another worker has it by now."""
    with db.writing() as session, suppress(Lost):
        held = session.get_one(Run, claim.run_id, with_for_update=True)
        # asked for after the last look: whoever asked was told that it would be so
        _end(session, claim, held, {"state": "CANCELLED"} if held.cancel else ended)


def end(session: Session, claim: Claim, ended: Mapping[str, Any]) -> None:
    """End a run in the transaction that stores what it did: both are stored, or neither.

    Raises
    ------
    Lost, Stopped
        If the run belongs to another worker now, or is not wanted any more.
    """
    held = session.get_one(Run, claim.run_id, with_for_update=True)
    if held.cancel:
        raise Stopped("CANCELLED")
    _end(session, claim, held, ended)


def _end(session: Session, claim: Claim, held: Run, ended: Mapping[str, Any]) -> None:
    if not _moved(
        session, claim.run_id, claim.fence, "RUNNING",
        folder=claim.folder, step="", ended_at=db.now(session), **ended,
    ):  # fmt: skip
        raise Lost
    session.refresh(held)
    told = {name: held.summary.get(name) for name in ("files", "seconds")}
    after = {"state": held.state, "status": held.status, **told}
    _note(session, held, SYSTEM, "run.end", after)


def _beat(claim: Claim, step: str) -> None:
    """Tell that the worker lives, and at which step; learn whether the run is still wanted."""
    with db.writing() as session:
        moment = db.now(session)
        if not _moved(session, claim.run_id, claim.fence, "RUNNING", heartbeat=moment, step=step):
            raise Lost
        wanted = not session.scalar(select(Run.cancel).where(Run.id == claim.run_id))
    if not wanted:
        raise Stopped("CANCELLED")


def _carry_out(claim: Claim, stop: Event) -> dict[str, Any]:
    """Prepare the folder, run the four steps in children, and read what they made."""
    enough_space()
    place = instance() / claim.folder
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    run = db.reading().get_one(Run, claim.run_id)
    if run.kind in CARRIED:
        return CARRIED[run.kind](claim, run, place, stop)
    policy = matcher.Policy.from_toml(run.policy_toml.encode())
    official = run.kind != "trial"
    seconds = seconds_of(db.reading(), run)
    limits = limits_of(replace(policy, time_s=seconds))
    _prepare(run, place / "round")
    db.forget()
    made, out = place / "result.tmp", place / "result"
    for step in STEPS:
        option = "--result" if step != "solve" else "--out"
        command: tuple[str, ...] = (*COMMAND, step, str(place / "round"), option, str(made))
        if step == "solve":
            command += more_time(policy, seconds)
        try:
            status = child(claim, step, command, place, limits, stop)
        except Late as late:
            late.summary = {"seconds": seconds or ceil(limits.seconds)}
            raise
        if step == "solve" and status == BROKEN:
            made = place / "result.tmp.broken"
        if not (made / "result.json").is_file() or status not in (DONE, BROKEN, UNPUBLISHABLE):
            raise Stopped("FAILED", complaint(place, step, status))
        if status == BROKEN:
            if not _broken(made):
                raise Stopped("FAILED", complaint(place, step, status))
            break
    ended = _reading(made, official, seconds)
    if named := {str(c["applicant"]) for c in run.corrections}:
        ended["summary"]["named"] = _places(made, named)
    settle(made)
    made.rename(out)
    settle([place])
    return ended


def seconds_of(session: Session, run: Run) -> int:
    """The limit of time of a run, 0 for none: its rules', or twice what cut the same work short before.

    The rules and the draw run once for the round, and once for each set of corrections, which have as
    long as the round had.  More time is no other rule: it ends the work, and the outcome is unique.
    """
    seconds = matcher.Policy.from_toml(run.policy_toml.encode()).seconds
    if run.kind == "trial":
        return seconds
    earlier = session.scalars(
        select(Run).where(
            Run.round_id == run.round_id, Run.kind.in_(("committed", run.kind)), Run.id < run.id
        )
    )
    had: list[int] = [
        one.summary.get("seconds", 0) * (2 if one.state in ("INCOMPLETE", "FAILED") else 1)
        for one in earlier
        if one.kind == "committed" or one.corrections == run.corrections
    ]
    return max([seconds, *had])


def more_time(policy: matcher.Policy, seconds: int) -> tuple[str, ...]:
    """What tells the command line of a limit of time that is not its rules'."""
    return ("--time-s", str(seconds)) if seconds != policy.seconds else ()


def _prepare(run: Run, folder: Path) -> None:
    session = db.reading()
    frozen = snapshot_of(session, run.round)
    if frozen is not None and not intact(frozen):
        raise Stopped("FAILED", f"snapshot altered: {frozen.folder}")
    inputs(session, run).write(folder)


def inputs(session: Session, run: Run) -> matcher.Tables:
    """The round as a run reads it: the snapshot with its draw, the snapshot as rechecks correct it, or
    for trials under other rules; before the freeze, the rows as they stand."""
    frozen = snapshot_of(session, run.round)
    if frozen is None:
        return tables_of(session, run.round, run.policy_toml)
    if run.kind == "recheck":
        return corrections.corrected(session, run)[0]
    tables = matcher.Tables.read(folder_of(frozen))
    if run.kind == "committed":
        tables.draw = draw_file(corrections.the_draw(session, run.round))
    else:
        tables.policy = run.policy_toml.encode()
    return tables


# --- children ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Limits:
    """What one child may use."""

    seconds: float
    memory_mb: int


def limits_of(policy: matcher.Policy) -> Limits:
    """Ten minutes beyond the time that the rules give the solver, else this installation's limit."""
    config = current_app.config
    seconds = config.get("RUN_SECONDS", DEFAULT_SECONDS)
    memory = policy.memory_mb or config.get("RUN_MEMORY_MB", DEFAULT_MEMORY_MB)
    return Limits(max(seconds, policy.seconds + 600 if policy.seconds else 0), memory)


def child(
    claim: Claim, step: str, command: Sequence[str], place: Path, limits: Limits, stop: Event
) -> int:
    """Run one step in a process group of its own; returns its exit status."""
    source = Path(matcher.__file__).resolve().parent.parent
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(source),
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
        "LANG": "C.UTF-8",
        "HOME": str(place),
        "TMPDIR": str(place),
    }
    limited = [sys.executable, "-I", str(CHILD), str(limits.memory_mb), *command]
    with (place / f"{step}.log").open("wb") as log:
        process = subprocess.Popen(
            limited, cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            _wait(claim, step, process, place / "progress", limits.seconds, stop)
        finally:
            status = _end_group(process)
    return status


def _wait(
    claim: Claim, step: str, process: subprocess.Popen[bytes], progress: Path, seconds: float,
    stop: Event,
) -> None:  # fmt: skip
    began = time.monotonic()
    told = 0.0
    # the child is looked at without being reaped, so that its group still is its own when it is ended
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if not told or time.monotonic() - told >= HEARTBEAT:
            done = progress.read_text() if progress.exists() else ""
            _beat(claim, f"{step} {done}".strip())
            told = time.monotonic()
        if stop.is_set():
            raise Leaving
        if time.monotonic() - began > seconds:
            raise Late("FAILED", f"{step}: time limit {seconds:g} s")
        time.sleep(POLL)


def _end_group(process: subprocess.Popen[bytes]) -> int:
    """Kill whatever is left of the child and of what it started; returns the child's status."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def complaint(place: Path, step: str, status: int) -> str:
    """Why a step failed: its exit status or signal, and the end of what it said."""
    try:
        said = (place / f"{step}.log").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        said = ""
    how = f"signal {-status}" if status < 0 else f"exit {status}"
    return f"{step}: {how}\n{said[-1500:]}"


# --- results ----------------------------------------------------------------------------------


def _broken(out: Path) -> bool:
    """Whether a verdict says so; a crash ends with the same exit status."""
    try:
        return bool(json.loads((out / "verdict.json").read_bytes())["broken"])
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _reading(out: Path, official: bool, seconds: int) -> dict[str, Any]:
    """How a run that had so much time ended, by what its folder holds."""
    try:
        result, verdict = (
            json.loads((out / f"{n}.json").read_bytes()) for n in ("result", "verdict")
        )
        broken = {c["name"] for c in verdict["claims"] if c["status"] == "BROKEN"}
        report = {} if broken else json.loads((out / "report.json").read_bytes())
        with (out / "classes.csv").open(encoding="utf-8", newline="") as file:
            classes = [dict(row) for row in csv.DictReader(file)]
        complete = bool(result["publishable"]) and not broken
        summary = {
            "publishable": complete and official,
            "complete": complete,
            "mechanism": str(result["mechanism"]),
            "objective": result["objective"],
            "seconds": seconds,
            "report": report,
            "claims": verdict["claims"],
            "classes": classes,
            "runtime_s": result["runtime_s"],
            "digest": result["digests"]["inputs"],
            "files": digests(out),
        }
        status = matcher.Status(result["status"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise Stopped("FAILED", f"unreadable result: {type(error).__name__}: {error}") from error
    cut_short = status is matcher.Status.FEASIBLE and seconds > 0
    harm = status.harmful(broken) if cut_short else broken
    state = "BROKEN" if harm else "INCOMPLETE" if cut_short else "VERIFIED"
    return {"state": state, "status": status.value, "summary": summary}


def _places(out: Path, named: Collection[str]) -> dict[str, tuple[str, int | None]]:
    """Program and rank of the people whom corrections are about, without reading the result again."""
    with (out / "placements.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["applicant"]: (row["program"], int(row["rank"]) if row["rank"] else None)
            for row in csv.DictReader(file)
            if row["applicant"] in named
        }


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a folder, by name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


def result_of(run: Run) -> Path:
    """The folder of what a run made."""
    return instance() / run.folder / "result"


def round_folder_of(run: Run) -> Path:
    """The folder of what a run read."""
    return instance() / run.folder / "round"
