"""Publishing: a bundle on the disk first, then everything that people see in one transaction.

A publication is never edited.  What was interrupted before its transaction leaves a bundle that no row
names; :func:`recover` removes it.  After the transaction nothing is missing.

Where rechecks are upheld, a successor follows it (:func:`succeed`): the whole result anew, under the same
draw, with a bundle that names the bundle before.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, joinedload

from matcher import Tables

from . import bundle, calendar, db, jobs, merkle, policies, privacy, rounds
from .audit import Actor, canonical, record, wait
from .links import publication_of as publication_of
from .models import (
    Applicant,
    Approval,
    OrderClass,
    Person,
    Placement,
    Program,
    Publication,
    Round,
    Run,
    Snapshot,
)
from .snapshot import alone, enough_space, instance, intact, settle, snapshot_of

FOLDER = "publications"
HEADS = "published.txt"
"""Names every bundle that was published, beside them: a database restored from before is known by it.

A line that begins with :data:`LOST` takes the name behind it back: two people gave it up as lost.
"""
LOST = "- "


class Altered(RuntimeError):
    """A file of the snapshot or the result is not what was recorded of it."""


FOLLOWED: list[Callable[[Session, Publication, Actor], None]] = []
"""What a story does when a successor is published, in the same transaction."""


class Behind(RuntimeError):
    """The database knows less than was published: it was restored from an old backup."""


# --- approval ---------------------------------------------------------------------------------


def trusted_claims(run: Run) -> list[str]:
    """The claims of a run that no check has proved, and that an approver takes on trust by name."""
    claims = run.summary.get("claims", [])
    return [str(claim["name"]) for claim in claims if claim["status"] == "TRUSTED"]


def approve(session: Session, round_: Round, actor: Actor) -> Approval:
    """A second coordinator approves the verified run of the committed policy.

    Raises
    ------
    rounds.Moved, rounds.Blocked
        If there is no such run, it cannot be published, or the same person started it.
    """
    moment = db.now(session)
    rounds.take(session, round_, "approve", actor, approved_at=moment)
    run = rounds.committed_run(session, round_)
    if run is None:
        raise rounds.Moved(round_.state)
    return _approved(session, round_, run, actor)


def approve_successor(session: Session, round_: Round, run: Run, actor: Actor) -> Approval:
    """A second coordinator approves a run with corrections; once for a run, however often asked.

    Raises
    ------
    rounds.Moved, rounds.Blocked
        If the round is not in its notice period, the run is not verified and publishable, or the same
        person started it.
    """
    if round_.state != "PUBLISHED":
        raise rounds.Moved(round_.state)
    if run.kind != "recheck" or run.round_id != round_.id or run.state != "VERIFIED":
        raise rounds.Blocked([rounds.Obstacle("no_verified_run")])
    if not run.summary.get("publishable"):
        raise rounds.Blocked([rounds.Obstacle("not_publishable", run.status)])
    if run.started_by == actor.name:
        raise rounds.Blocked([rounds.Obstacle("second_person")])
    held = session.scalar(select(Approval).where(Approval.run_id == run.id))
    return held or _approved(session, round_, run, actor)


def _approved(session: Session, round_: Round, run: Run, actor: Actor) -> Approval:
    made = Approval(
        round_id=round_.id, run_id=run.id, trusted=trusted_claims(run), by=actor.name,
        at=db.now(session),
    )  # fmt: skip
    session.add(made)
    record(
        session, actor, "approval.give", f"run/{run.key}", round_id=round_.id,
        after={"trusted": made.trusted, "files": run.summary["files"]},
    )  # fmt: skip
    return made


# --- publishing -------------------------------------------------------------------------------


def publish(round_id: int, actor: Actor) -> Publication:
    """Publish the approved run: its bundle, every applicant's line, and the notice period.

    Raises
    ------
    rounds.Moved, rounds.Blocked
        If the round is not approved, or somebody published it a moment ago.
    Altered
        If the snapshot or the result was changed on the disk.
    snapshot.NoSpace
        If the disk is nearly full.
    """
    with _one_at_a_time() as session:
        round_ = session.get_one(Round, round_id)
        if round_.state != "APPROVED":
            raise rounds.Moved(round_.state)
        approval = session.scalars(select(Approval).where(Approval.round_id == round_id)).one()
        return _bring_out(session, round_, approval, None, actor)


def succeed(round_id: int, actor: Actor) -> Publication:
    """Publish the run with corrections that was approved last, as successor of what is public.

    Its notice period is a whole one: whoever moves has had no chance to object to her new place, and
    whoever does not may object to what has become of others' seats.

    Raises
    ------
    rounds.Moved
        If the round is not in its notice period, or nothing approved waits to be published.
    Altered, snapshot.NoSpace
        As :func:`publish` does.
    """
    with _one_at_a_time() as session:
        round_ = session.get_one(Round, round_id)
        parent = publication_of(session, round_)
        approval = session.scalar(
            select(Approval)
            .where(Approval.round_id == round_id)
            .order_by(Approval.id.desc())
            .limit(1)
        )
        if round_.state != "PUBLISHED" or parent is None or approval is None:
            raise rounds.Moved(round_.state)
        if approval.run_id == parent.run_id or approval.run.state != "VERIFIED":
            raise rounds.Moved(round_.state)
        return _bring_out(session, round_, approval, parent, actor)


@contextmanager
def _one_at_a_time() -> Iterator[Session]:
    """Nobody else publishes meanwhile, and what an interrupted one left is gone."""
    enough_space()
    with alone(instance() / FOLDER):
        _remove_unfinished()
        db.forget()
        yield db.reading()


def _bring_out(
    session: Session, round_: Round, approval: Approval, parent: Publication | None, actor: Actor
) -> Publication:
    """The bundle, then the transaction, then the line in the file beside the database."""
    frozen = snapshot_of(session, round_)
    if frozen is None or not _unchanged(session, frozen, approval.run):
        raise Altered(round_.serial)
    lines = _lines(session, round_, frozen, approval.run)
    leaves = [line.pop("leaf") for line in lines]
    root, paths = merkle.tree(leaves)
    for line, path in zip(lines, paths, strict=True):
        line["path"] = path
    files = bundle.full(session, round_, approval, leaves, root.hex())
    if parent is not None:
        files |= bundle.succession(session, parent, approval.run)
    db.forget()
    name, digest = _store(bundle.zipped(files), round_.serial)
    made = Publication(
        round_id=round_.id, run_id=approval.run_id, parent_id=parent.id if parent else None,
        bundle_digest=digest, bundle=name, merkle_root=root.hex(), by=actor.name,
    )  # fmt: skip
    _commit(made, lines, actor)
    _remember([name])
    return made


def _unchanged(session: Session, frozen: Snapshot, run: Run) -> bool:
    """Whether the disk still holds what was committed to, and what was verified and approved."""
    try:
        files = jobs.digests(jobs.result_of(run))
        read = Tables.read(jobs.round_folder_of(run)).digest()
    except OSError:
        return False
    stated = run.summary["digest"]
    return (
        intact(frozen)
        and read == stated == jobs.inputs(session, run).digest()
        and run.summary["files"] == files
    )


def _lines(session: Session, round_: Round, frozen: Snapshot, run: Run) -> list[dict[str, Any]]:
    """Everybody's line as a row of ``placement``, each with its leaf, in the order of the leaves.

    The order tells nothing: it is that of salted hashes.
    """
    people = {
        pseudonym: (at, number)
        for at, number, pseudonym in session.execute(
            select(Applicant.id, Applicant.number, Person.pseudonym)
            .join(Person)
            .where(Applicant.round_id == round_.id)
        ).all()
    }
    programs = dict(
        session.execute(
            select(Program.code, Program.id)
            .join(OrderClass)
            .where(OrderClass.round_id == round_.id)
        ).all()
    )  # fmt: skip
    out = jobs.result_of(run)
    with (out / "reasons.jsonl").open(encoding="utf-8") as file:
        told = {line["applicant"]: line for line in map(json.loads, file)}
    found = []
    with (out / "placements.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            pseudonym = row["applicant"]
            at, number = people[pseudonym]
            rank = int(row["rank"]) if row["rank"] else None
            salt = _salt(run.key, pseudonym)
            stated = _row(round_.serial, frozen.digest, pseudonym, number, row["program"], rank)
            found.append(
                {
                    "applicant_id": at,
                    "program_id": programs[row["program"]] if row["program"] else None,
                    "rank": rank,
                    "seat": row["seat"],
                    "reason": row["reason"],
                    "reasons": {n: told[pseudonym][n] for n in ("outcome", "reasons")},
                    "salt": salt.hex(),
                    "leaf": merkle.leaf(salt, canonical(stated)),
                }
            )
    return sorted(found, key=lambda line: bytes(line["leaf"]))


def _salt(run_key: str, pseudonym: str) -> bytes:
    """A salt that nobody can guess, and the same again if publishing has to be repeated."""
    text = f"salt|{run_key}|{pseudonym}".encode()
    return hmac.digest(privacy.keys().pseudonym, text, "sha256")[:16]


def _row(
    serial: str, digest: str, pseudonym: str, number: str, program: str, rank: int | None
) -> dict[str, Any]:
    """What a line states; neither a name nor the kind of seat."""
    return {
        "round": serial,
        "snapshot": digest,
        "applicant": pseudonym,
        "number": number,
        "program": program,
        "rank": rank,
    }


def _commit(made: Publication, lines: list[dict[str, Any]], actor: Actor) -> None:
    """The one transaction after which the result is public."""
    with db.writing() as session:
        round_ = session.get_one(Round, made.round_id)
        made.at = db.now(session)
        until = notice_end(round_, made.at)
        if made.parent_id is None:
            rounds.take(
                session, round_, "publish", actor, published_at=made.at, notice_ends_at=until
            )
        else:
            rounds.begin_notice_again(session, round_, actor, until)
        session.add(made)
        session.flush()
        session.execute(insert(Placement), [{**line, "publication_id": made.id} for line in lines])
        record(
            session, actor, "publication.make", f"round/{round_.serial}", round_id=round_.id,
            after={"bundle": made.bundle_digest, "root": made.merkle_root, "lines": len(lines),
                   "parent": made.parent_id},
        )  # fmt: skip
        if made.parent_id is not None:
            for act in FOLLOWED:
                act(session, made, actor)


def notice_end(round_: Round, moment: datetime) -> datetime:
    """When the notice period of a result that is published at a moment ends, by the rules."""
    days, hour = (policies.flow(round_, key) for key in ("days.publicity", "days.hour"))
    return calendar.end_of(moment, days, hour)


# --- bundles on the disk ----------------------------------------------------------------------


def _store(data: bytes, serial: str) -> tuple[str, str]:
    """Write a bundle durably under the name of its digest; returns name and digest."""
    digest = hashlib.sha256(data).hexdigest()
    name = f"{FOLDER}/{serial}-{digest}.zip"
    target = instance() / name
    made = target.with_name(f"{secrets.token_hex(8)}.tmp")
    made.write_bytes(data)
    made.chmod(0o400)
    settle([made])
    made.rename(target)
    settle([target.parent])
    return name, digest


def bundle_path(publication: Publication) -> Path:
    """Where the full bundle of a publication lies."""
    return instance() / publication.bundle


def recover() -> list[str]:
    """Complete or undo what an interrupted publication left; returns the names of bundles removed.

    Raises
    ------
    Behind
        If something was published that the database does not know; nothing is removed then.
    """
    with alone(instance() / FOLDER):
        return _remove_unfinished()


def _remove_unfinished() -> list[str]:
    with db.writing() as session:
        wait(session)
    known = _known()
    if lost := _remembered() - known:
        raise Behind(", ".join(sorted(lost)))
    if late := known - _remembered():  # stopped between the commit and its line in the file
        _remember(sorted(late))
    removed = []
    for path in sorted((instance() / FOLDER).iterdir()):
        if path.suffix in (".zip", ".tmp") and f"{FOLDER}/{path.name}" not in known | given_up():
            path.unlink()
            removed.append(path.name)
    return removed


def behind() -> bool:
    """Whether something was published that the database does not know."""
    return bool(missing())


def missing() -> list[str]:
    """The bundles that were published and that the database does not know."""
    return sorted(_remembered() - _known())


def give_up(names: Sequence[str], reason: str, first: Actor, second: Actor) -> None:
    """Two coordinators state that the database in which these were published is lost for good.

    It is recorded in the chain, and the database may be served again; the bundles stay on the disk.
    """
    with db.writing() as session:
        record(
            session, second, "publication.give_up", "backup",
            after={"bundles": list(names), "asked_by": first.name}, reason=reason,
        )  # fmt: skip
    _remember([f"{LOST}{name}" for name in names])


def given_up() -> set[str]:
    """The bundles that were given up as lost, at any time."""
    return {line.removeprefix(LOST) for line in _heads() if line.startswith(LOST)}


def _known() -> set[str]:
    """The bundles that the database names."""
    db.forget()
    names = set(db.reading().scalars(select(Publication.bundle)))
    db.forget()
    return names


def _remembered() -> set[str]:
    """The bundles that were published, as the file beside them says."""
    found: set[str] = set()
    for line in _heads():
        if line.startswith(LOST):
            found.discard(line.removeprefix(LOST))
        else:
            found.add(line)
    return found


def _heads() -> list[str]:
    try:
        return (instance() / FOLDER / HEADS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _remember(names: Sequence[str]) -> None:
    path = instance() / FOLDER / HEADS
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in names)
    settle([path, path.parent])


# --- reading ----------------------------------------------------------------------------------


def notice_runs(session: Session, round_: Round) -> bool:
    """Whether the public list is shown now: in the notice period, and no longer than a month."""
    longest = timedelta(days=policies.flow(round_, "privacy.public_retention_days"))
    return (
        round_.state == "PUBLISHED"
        and round_.published_at is not None
        and round_.notice_ends_at is not None
        and db.now(session) < min(round_.notice_ends_at, round_.published_at + longest)
    )


def placement_of(session: Session, applicant: Applicant) -> Placement | None:
    """An applicant's line of the last publication."""
    return session.scalar(
        select(Placement)
        .join(Publication)
        .where(Placement.applicant_id == applicant.id)
        .options(joinedload(Placement.program), joinedload(Placement.publication))
        .order_by(Publication.id.desc())
        .limit(1)
    )


def own_line(placement: Placement) -> dict[str, Any]:
    """What she needs to check her line at home (核对码): row, salt, path and root.

    The placement must still be of an open session, as its rows are looked up.
    """
    applicant, publication = placement.applicant, placement.publication
    frozen = publication.round.snapshot
    return {
        "algorithm": "sha256",
        "row": _row(
            publication.round.serial,
            frozen.digest if frozen else "",
            applicant.person.pseudonym,
            applicant.number,
            placement.program.code if placement.program else "",
            placement.rank,
        ),
        "salt": placement.salt,
        "path": placement.path,
        "root": publication.merkle_root,
    }
