"""Evidence (证明材料): pictures and PDF files that an applicant gives for a group she claims.

A picture is drawn, a PDF written anew in a limited process, kept encrypted on the disk, opened by the offices that
review her, each time on record, and deleted some days after the review.
"""

from __future__ import annotations

import base64
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from threading import BoundedSemaphore

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from . import application, db, picture, policies, privacy
from .audit import SYSTEM, Actor, record
from .models import Applicant, Evidence, Membership, Removal, Round, random_key
from .picture import Unfit

MOST = 4
"""So many pictures a group may have."""

KEEP = "privacy.evidence_days"
MEGABYTES, SECONDS = 1200, 10
AT_ONCE = BoundedSemaphore(2)
UNFINISHED_SECONDS = 3600


class NotClaimed(ValueError):
    """A picture for a group that she does not claim."""


class Enough(ValueError):
    """The group has as many pictures as it may have."""


# --- taking -----------------------------------------------------------------------------------


def redraw(data: bytes) -> bytes:
    """An uploaded picture or PDF made anew; no transaction waits for it.

    Raises
    ------
    Unfit
        With the code of what is wrong.
    """
    picture.kind_of(data)
    command = [
        sys.executable, "-I", str(Path(picture.__file__)), str(MEGABYTES), str(SECONDS),
    ]  # fmt: skip
    try:
        with AT_ONCE:
            made = subprocess.run(
                command, input=data, capture_output=True, timeout=3 * SECONDS, env={}, check=False
            )
    except subprocess.TimeoutExpired as error:
        raise Unfit("unreadable") from error
    if made.returncode == picture.REFUSED:
        raise Unfit(made.stderr.decode("ascii", "replace"))
    if made.returncode != 0 or not made.stdout:
        raise Unfit("unreadable")
    return made.stdout


def add(
    session: Session, applicant: Applicant, group: str, redrawn: bytes, actor: Actor
) -> Evidence:
    """Keep a redrawn picture for a group; what was decided of the group is open again.

    Raises
    ------
    web.rounds.Moved, NotClaimed, Enough
        See there; nothing is kept.
    """
    moment = application.lock(session, applicant)
    claim = session.get(Membership, (applicant.id, group))
    if claim is None:
        raise NotClaimed(group)
    if len([one for one in of(session, applicant) if one.group == group]) >= MOST:
        raise Enough(group)
    made = Evidence(applicant_id=applicant.id, group=group, key=random_key(), at=moment)
    _path(made).write_bytes(privacy.encrypt(base64.b64encode(redrawn).decode(), _place(made)))
    session.add(made)
    claim.state, claim.decided_by, claim.decided_at = "claimed", "", None
    _note(session, actor, "evidence.add", applicant, made)
    return made


def drop(session: Session, applicant: Applicant, key: str, actor: Actor) -> bool:
    """Take a picture of hers away, while the round takes applications; whether there is such a one."""
    application.lock(session, applicant)
    held = session.scalar(
        select(Evidence).where(Evidence.key == key, Evidence.applicant_id == applicant.id)
    )
    if held is None:
        return False
    _note(session, actor, "evidence.drop", applicant, held)
    session.delete(held)
    return True


def _note(
    session: Session, actor: Actor, action: str, applicant: Applicant, held: Evidence
) -> None:
    record(
        session, actor, action, f"applicant/{applicant.number}", round_id=applicant.round_id,
        after={"group": held.group, "evidence": held.key},
    )  # fmt: skip


# --- reading ----------------------------------------------------------------------------------


def of(session: Session, applicant: Applicant) -> Sequence[Evidence]:
    """The pictures of an applicant, by group, the first first."""
    return session.scalars(
        select(Evidence)
        .where(Evidence.applicant_id == applicant.id)
        .order_by(Evidence.group, Evidence.id)
    ).all()


def opened(session: Session, held: Evidence, actor: Actor) -> bytes:
    """A picture as an office sees it; that it was opened is recorded.

    Raises
    ------
    FileNotFoundError
        If it is no longer on the disk.
    """
    data = base64.b64decode(privacy.decrypt(_path(held).read_bytes(), _place(held)))
    _note(session, actor, "evidence.view", held.applicant, held)
    return data


def _folder() -> Path:
    folder = Path(current_app.instance_path) / "evidence"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _path(held: Evidence) -> Path:
    return _folder() / held.key


def _place(held: Evidence) -> str:
    return f"evidence:{held.key}"


# --- deleting ---------------------------------------------------------------------------------


def delete_due() -> list[str]:
    """Delete what is no longer needed, and files that no row names; returns the keys deleted.

    A picture goes a number of days (a parameter) after its group was decided, or, where nobody
    decided, after the lists were locked; at once where she no longer claims the group or the round
    is void.
    """
    gone_of: Counter[int] = Counter()
    with db.writing() as session:
        held = session.execute(
            select(Evidence, Membership)
            .options(joinedload(Evidence.applicant).joinedload(Applicant.round))
            .outerjoin(
                Membership,
                (Membership.applicant_id == Evidence.applicant_id)
                & (Membership.group == Evidence.group),
            )
        ).all()
        for one, claim in held:
            if _is_due(session, one.applicant.round, claim):
                _note(session, SYSTEM, "evidence.delete", one.applicant, one)
                session.delete(one)
                gone_of[one.applicant.round_id] += 1
        moment = db.now(session)
        session.add_all(
            Removal(rule="evidence", round_id=round_id, rows=n, before=moment, at=moment)
            for round_id, n in gone_of.items()
        )
    known = set(db.reading().scalars(select(Evidence.key)))
    db.forget()
    gone = [path for path in _folder().iterdir() if path.name not in known]
    dropped = {one.key for one, _claim in held} - known
    for path in gone:  # a file that is being added has no row yet
        if path.name in dropped or time.time() - path.stat().st_mtime > UNFINISHED_SECONDS:
            path.unlink(missing_ok=True)
    return sorted(dropped)


def _is_due(session: Session, round_: Round, claim: Membership | None) -> bool:
    if claim is None or round_.state == "VOID":
        return True
    decided = claim.decided_at or round_.frozen_at
    days = timedelta(days=policies.flow(round_, KEEP))
    return decided is not None and decided + days <= db.now(session)
