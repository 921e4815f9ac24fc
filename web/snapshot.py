"""Freezing: the rows of a round become a folder of files, once and for ever.

A folder names nobody: people stand under pseudonyms, with what the rules read of them and nothing
else.  It is made beside its place and moved there whole; what the rows do afterwards is nothing to it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from matcher import Issue, Policy, Table, Tables, __version__, of_issue, validate

from . import db, links, rounds
from .audit import Actor
from .models import (
    Applicant,
    AuditEvent,
    AuditHead,
    Cap,
    ChoiceList,
    College,
    Decision,
    Draw,
    Enterprise,
    OrderClass,
    Program,
    Round,
    Run,
    Score,
    Snapshot,
)

FREE_BYTES = 512 * 2**20
"""Less free space than this, and nothing is frozen or published."""

TRIES = 3
Cell = str | int | date | bool | None
KEPT = {
    "applicants": ("applicant", "person"),
    "order_classes": ("order_class", "min_size"),
    "programs": ("program", "capacity", "order_class"),
    "applications": ("applicant", "rank", "program"),
    "scores": ("applicant", "program", "channel"),
    "decisions": ("applicant", "program", "decision"),
    "reserves": ("program", "group", "seats"),
    "caps": ("cap", "seats"),
}
"""Columns that stay even where no cell says anything; others are left out then."""


class Unsound(ValueError):
    """The round cannot be frozen as it stands; ``issues`` are all the reasons."""

    def __init__(self, issues: Sequence[Issue]):
        self.issues = tuple(issues)
        super().__init__(" ".join(self.sentences("zh")))

    def sentences(self, lang: str) -> list[str]:
        """What is wrong, where, and how to mend it."""
        return [of_issue(issue, "en" if lang == "en" else "zh") for issue in self.issues]


class WrongRules(ValueError):
    """The policy is not one to commit to: it is another round's, or states a seed; says which."""

    def sentences(self, _lang: str = "") -> list[str]:
        """What is wrong, and how to mend it, in the language of the request."""
        return [str(self)]


class KeepsChanging(RuntimeError):
    """Somebody changed the round at every try."""


class NoSpace(RuntimeError):
    """Too little space is left on the disk."""


# --- rows as tables ---------------------------------------------------------------------------


def tables_of(
    session: Session, round_: Round, toml: str, *, only: Applicant | None = None
) -> Tables:
    """The round as files would hold it: those who passed the review, under their pseudonyms.

    Scores and decisions count once a second person has confirmed them; a group counts unless its
    office refused it.  ``only`` takes one applicant in their stead, whether she passed or not.
    """
    taken = Applicant.state == "passed" if only is None else Applicant.id == only.id
    people = session.scalars(
        select(Applicant)
        .where(Applicant.round_id == round_.id, taken)
        .options(joinedload(Applicant.person), selectinload(Applicant.groups))
    ).all()
    classes = session.scalars(
        select(OrderClass)
        .where(OrderClass.round_id == round_.id)
        .options(
            joinedload(OrderClass.college),
            selectinload(OrderClass.programs).options(
                joinedload(Program.enterprise), selectinload(Program.reserves)
            ),
        )
    ).all()
    lists = _lists(session, round_)
    names = {person.id: person.person.pseudonym for person in people}
    programs = {p.id: p for held in classes for p in held.programs}
    codes = {at: p.code for at, p in programs.items()}
    mine = select(Applicant.id).where(Applicant.round_id == round_.id, taken)
    scores = session.execute(
        select(Score.applicant_id, Score.program_id, Score.channel, *SCORED).where(
            Score.applicant_id.in_(mine), Score.confirmed_at.is_not(None)
        )
    )
    decisions = session.execute(
        select(
            Decision.applicant_id, Decision.program_id, Decision.decision, Decision.rule,
            Decision.basis,
        ).where(Decision.applicant_id.in_(mine), Decision.confirmed_at.is_not(None))
    )  # fmt: skip
    caps = session.scalars(select(Cap).where(Cap.round_id == round_.id))
    colleges = {row.id: row.code for row in session.scalars(select(College))}
    enterprises = {row.id: row.code for row in session.scalars(select(Enterprise))}
    found: dict[str, list[dict[str, Cell]]] = {
        "applicants": [_applicant(p, lists.get(p.id)) for p in people],
        "order_classes": [_order_class(held) for held in classes],
        "programs": [_program(p) for p in programs.values()],
        "applications": [
            {"applicant": names[p.id], "rank": rank, "program": code}
            for p in people
            if p.id in lists
            for rank, code in enumerate(lists[p.id].choices, start=1)
        ],
        "scores": [_score(s, names, codes) for s in scores],
        "decisions": [
            {
                "applicant": names[d.applicant_id], "program": codes[d.program_id],
                "decision": d.decision, "rule": d.rule, "basis": d.basis,
            }
            for d in decisions
        ],
        "reserves": [
            {"program": p.code, "group": r.group, "seats": r.seats, "hard": r.hard}
            for p in programs.values()
            for r in p.reserves
        ],
        "caps": [
            {
                "cap": cap.code, "seats": cap.seats, "programs": ";".join(cap.programs),
                "college": colleges.get(cap.college_id or 0),
                "enterprise": enterprises.get(cap.enterprise_id or 0),
            }
            for cap in caps
        ],
    }  # fmt: skip
    needed = ("applicants", "programs", "applications")
    tables = {n: _table(n, lines) for n, lines in found.items() if lines or n in needed}
    return Tables(tables, toml.encode())


def _lists(session: Session, round_: Round) -> dict[int, Any]:
    """The submitted list that counts, of each applicant."""
    rows = session.execute(
        select(
            ChoiceList.applicant_id, ChoiceList.choices, ChoiceList.adjustment,
            ChoiceList.not_accepted,
        )
        .join(Applicant)
        .where(Applicant.round_id == round_.id, ChoiceList.number > 0)
        .order_by(ChoiceList.number)
    )  # fmt: skip
    return {row.applicant_id: row for row in rows}  # the last submitted is the one that stays


def _applicant(held: Applicant, wish: Any) -> dict[str, Cell]:
    return {
        "applicant": held.person.pseudonym,
        "person": held.person.pseudonym,
        "birth_date": held.person.birth_date,
        "groups": ";".join(m.group for m in held.groups if m.state != "refused"),
        "adjustment": wish.adjustment if wish else "none",
        "not_accepted": ";".join(wish.not_accepted) if wish else "",
        "education": held.education,
        "skill_level": held.skill_level,
        "study_forms": held.study_forms,
        "district": held.district,
        "health": held.health,
        "review": held.review or "passed",
    }


def _order_class(held: OrderClass) -> dict[str, Cell]:
    same = ("min_size", "industry", "district", "study_form", "level", "major", "plan_order",
            "entry_education", "entry_skill", "age_min", "age_max", "age_basis", "health",
            "health_basis", "internship_date", "hire_date", "interview_required")  # fmt: skip
    return {
        "order_class": held.code,
        "college": held.college.code,
        "college_member_until": held.college.member_until,
        "x_name": held.name,
        "x_college_name": held.college.name,
        **{name: getattr(held, name) for name in same},
    }


def _program(held: Program) -> dict[str, Cell]:
    same = ("capacity", "channel", "plan_order", "forbid_minor", "forbid_minor_reason")
    return {
        "program": held.code,
        "order_class": held.order_class.code,
        "enterprise": held.enterprise.code,
        "enterprise_member_until": held.enterprise.member_until,
        "x_name": held.name,
        "x_enterprise_name": held.enterprise.name,
        **{name: getattr(held, name) for name in same},
    }


SCORED = (
    Score.culture, Score.skill, Score.interview, Score.experience, Score.language, Score.fit,
)  # fmt: skip


def _score(
    held: Sequence[Any], names: Mapping[int, str], codes: Mapping[int, str]
) -> dict[str, Cell]:
    applicant, program, channel, *cells = held
    return {
        "applicant": names[applicant],
        "program": codes[program] if program else "",
        "channel": "" if program else channel,
        **{column.key: cell for column, cell in zip(SCORED, cells, strict=True)},
    }


def _table(name: str, lines: Sequence[Mapping[str, Cell]]) -> Table:
    """The lines as columns, in the order of their key; a column that says nothing is left out."""
    columns = list(lines[0]) if lines else list(KEPT[name])
    cells = sorted([_text(line[column]) for column in columns] for line in lines)
    filled = {
        column: list(values)
        for column, values in zip(columns, zip(*cells, strict=True), strict=False)
        if any(values) or column in KEPT[name]
    }
    return Table(filled or {column: [] for column in columns})


def _text(cell: Cell) -> str:
    """A value as the contract writes it."""
    if cell is None or cell == "":
        return ""
    if isinstance(cell, bool):
        return str(int(cell))
    return str(cell)


# --- freezing ---------------------------------------------------------------------------------


def freeze(round_id: int, actor: Actor) -> Snapshot:
    """Write the round's folder, commit to its digest, and lock the lists for ever.

    Raises
    ------
    Unsound, WrongRules
        If the round, as it stands, could not be solved under its policy.
    rounds.Moved, rounds.Blocked
        If the round cannot take this step.
    KeepsChanging, NoSpace
        If rows change all the time, or the disk is nearly full.
    """
    for _try in range(TRIES):
        made = _freeze(round_id, actor)
        if made is not None:
            return made
    raise KeepsChanging(round_id)


def _freeze(round_id: int, actor: Actor) -> Snapshot | None:
    """One try; None if the rows changed between reading and locking."""
    db.forget()
    session = db.reading()
    round_ = session.get_one(Round, round_id)
    step = rounds.BY_NAME["freeze"]
    if round_.state != step.source:
        raise rounds.Moved(round_.state)
    missing = rounds.obstacles(session, round_, step, actor)
    if found := [o for o in missing if o.code != "no_snapshot"]:
        raise rounds.Blocked(found)
    seen = _last_change(session, round_id)
    toml = round_.policy.toml if round_.policy else ""
    tables = tables_of(session, round_, toml)
    check(tables, round_.serial)
    counts = {name: len(table) for name, table in tables.tables.items()}
    db.forget()
    digest = tables.digest()
    name = _place(tables, round_.serial, digest)
    with db.writing() as session:
        session.scalar(select(AuditHead).where(AuditHead.id == 1).with_for_update())
        if _last_change(session, round_id) != seen:
            return None
        round_ = session.get_one(Round, round_id)
        made = Snapshot(
            round_id=round_id, digest=digest, policy_digest=policy_digest(toml), folder=name,
            counts=counts, trials=_trials(session, round_id), software=f"orderclass {__version__}",
            taken_by=actor.name, taken_at=db.now(session),
        )  # fmt: skip
        session.add(made)
        rounds.take(session, round_, "freeze", actor, digest, frozen_at=made.taken_at)
        return made


def check(tables: Tables, serial: str) -> None:
    """Refuse a round that could not be solved, or whose rules are not this round's own."""
    if errors := [i for i in validate(tables, drawn=False) if i.severity == "error"]:
        raise Unsound(errors)
    policy = Policy.from_tables(tables)
    if policy.round != serial:
        raise WrongRules(
            _("规则里的轮次“%(name)s”应改为“%(serial)s”", name=policy.round, serial=serial)
        )
    if policy.seed:
        raise WrongRules(_("规则里不能写种子，种子由公开摇号产生"))


def _last_change(session: Session, round_id: int) -> int:
    """The last recorded change of this round, or of what all rounds share.

    Every change of a row is recorded in its own transaction, so an unchanged number means unchanged
    rows.
    """
    return session.scalar(
        select(func.max(AuditEvent.id)).where(
            or_(AuditEvent.round_id == round_id, AuditEvent.round_id.is_(None))
        )
    ) or 0  # fmt: skip


def _trials(session: Session, round_id: int) -> int:
    return session.scalar(
        select(func.count()).select_from(Run).where(Run.round_id == round_id, Run.kind.in_(("trial", "whatif")))
    ) or 0  # fmt: skip


def policy_digest(toml: str) -> str:
    """SHA-256 of the rules, as ``sha256sum policy.toml`` says it."""
    return hashlib.sha256(toml.encode()).hexdigest()


def _place(tables: Tables, serial: str, digest: str) -> str:
    """Write the folder whole and durably; returns its name below the instance folder."""
    enough_space()
    name = f"rounds/{serial}/snapshot-{digest[:16]}"
    target = instance() / name
    with alone(
        instance() / "rounds"
    ):  # else the slower of two would take the folder of the other away
        if target.is_dir() and Tables.read(target).digest() == digest:
            return name
        made = target.with_name(f"{target.name}.{secrets.token_hex(4)}.tmp")
        try:
            tables.write(made)
            for path in made.iterdir():
                path.chmod(0o400)
            settle(made)
            if target.exists():
                shutil.rmtree(target)  # left by a freeze that never was
            made.rename(target)
            settle([target.parent])
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return name


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep every other thread and process that asks for the same from a folder meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def draw_file(draw: Draw) -> dict[str, Any]:
    """The draw as ``draw.json`` states it beside the round's files."""
    kind = "kl8" if draw.kind == "kl8" else "dice"
    return {
        "kind": kind,
        **({"issue": draw.issue} if kind == "kl8" else {}),
        "value": draw.value,
        "witnesses": draw.witnesses,
        "seed": draw.seed,
    }


def commitment(session: Session, round_: Round) -> dict[str, Any]:
    """What was fixed before the draw, and which draw was announced; empty before the freeze."""
    frozen = snapshot_of(session, round_)
    if frozen is None:
        return {}
    parent = links.before(session, round_)
    follows = {"round": parent.serial, "chain": links.head(session, parent)} if parent else None
    return {
        "round": round_.serial,
        **({"follows": follows} if follows else {}),
        "algorithm": "sha256",
        "digest": frozen.digest,
        "policy_digest": frozen.policy_digest,
        "counts": frozen.counts,
        "software": frozen.software,
        "trials": frozen.trials,
        "frozen_at": frozen.taken_at.isoformat(timespec="seconds"),
        "draw_event": round_.draw_event,
    }


# --- folders ----------------------------------------------------------------------------------


def instance() -> Path:
    """The folder beside the database in which rounds, runs and bundles lie."""
    return Path(current_app.instance_path)


def folder_of(held: Snapshot) -> Path:
    """Where a snapshot lies."""
    return instance() / held.folder


def intact(held: Snapshot) -> bool:
    """Whether the folder still is what was committed to."""
    try:
        return Tables.read(folder_of(held)).digest() == held.digest
    except OSError:
        return False


def snapshot_of(session: Session, round_: Round) -> Snapshot | None:
    """The round's snapshot, if it has been frozen."""
    return session.scalar(select(Snapshot).where(Snapshot.round_id == round_.id))


def enough_space() -> None:
    """Refuse to begin where the disk is nearly full."""
    free = shutil.disk_usage(instance()).free
    if free < FREE_BYTES:
        raise NoSpace(f"{free // 2**20} MiB < {FREE_BYTES // 2**20} MiB")


def settle(what: Path | Iterable[Path]) -> None:
    """Have the disk hold a folder and all below it (or just these), not only the cache."""
    for path in _within(what) if isinstance(what, Path) else what:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _within(folder: Path) -> Iterator[Path]:
    yield from folder.rglob("*")
    yield folder
