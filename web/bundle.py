"""What is handed out: archives that depend on their content alone and tell how to check them.

The full bundle is for bureau, auditors and witnesses; what everybody may read is in :mod:`web.edition`.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import matcher

from . import audit, corrections, jobs
from .models import Approval, AuditEvent, Publication, Round, Run
from .snapshot import commitment, draw_file

HERE = Path(__file__).parent
VERIFIER = Path(matcher.__file__).with_name("verify.py")
CHECKER = HERE / "check_line.py"
CHAIN_CHECKER = HERE / "check_successor.py"
SUMS = "SHA256SUMS"
EPOCH = (1980, 1, 1, 0, 0, 0)


def zipped(files: Mapping[str, bytes]) -> bytes:
    """An archive of files with their digests; the same files give the same bytes."""
    listed = {**files, SUMS: sums(files)}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(listed):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            archive.writestr(entry, listed[name])
    return made.getvalue()


def sums(files: Mapping[str, bytes]) -> bytes:
    """The digests of files, as ``sha256sum -c`` reads them."""
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "".join(lines).encode()


# --- the full bundle --------------------------------------------------------------------------


def full(
    session: Session, round_: Round, approval: Approval, leaves: Sequence[bytes], root: str
) -> dict[str, bytes]:
    """Everything that an appointed auditor needs: it proves itself by the verifier inside."""
    run = approval.run
    folders = (("round", jobs.round_folder_of(run)), ("round/result", jobs.result_of(run)))
    files = {
        f"{at}/{path.name}": path.read_bytes()
        for at, folder in folders
        for path in folder.iterdir()
        if path.is_file()
    }
    files |= {
        "commitment.json": as_json(commitment(session, round_)),
        "approval.json": as_json({"by": approval.by, "trusted": approval.trusted}),
        "lines.json": as_json({"root": root, "leaves": [leaf.hex() for leaf in leaves]}),
        "audit.jsonl": b"".join(_chain(session)),
        "README.txt": readme("bundle", round_),
        "check_successor.py": CHAIN_CHECKER.read_bytes(),
    }
    return files | tools()


def succession(session: Session, parent: Publication, run: Run) -> dict[str, bytes]:
    """What a successor says beside the rest: which bundle it follows, and every row of the snapshot that
    rechecks have corrected by now."""
    frozen = corrections.the_frozen(session, run.round)
    changes = corrections.corrected(session, run)[1]
    return {
        "parent.json": as_json(
            {
                "algorithm": "sha256",
                "bundle": parent.bundle_digest,
                "root": parent.merkle_root,
                "published_at": parent.at.isoformat(timespec="seconds"),
            }
        ),
        "changes.json": as_json(
            {
                "algorithm": "sha256",
                "snapshot": frozen.digest,
                "parent": parent.bundle_digest,
                "round": run.summary["digest"],
                "draw": draw_file(corrections.the_draw(session, run.round)),
                "changes": corrections.stated(changes),
            }
        ),
    }


def _chain(session: Session) -> Iterable[bytes]:
    """The events of the audit chain in order, each with its hash; no payloads."""
    for event in session.scalars(select(AuditEvent).order_by(AuditEvent.id)):
        yield audit.canonical({**audit.fields(event), "hash": event.hash}) + b"\n"


def tools() -> dict[str, bytes]:
    """The checkers that come with every archive; each needs the standard library alone."""
    return {"verify.py": VERIFIER.read_bytes(), "check_line.py": CHECKER.read_bytes()}


def readme(name: str, round_: Round) -> bytes:
    """How to check an archive, in both languages."""
    text = (HERE / "reference" / f"readme_{name}.txt").read_text(encoding="utf-8")
    return text.replace("{serial}", round_.serial).replace("{title}", round_.title).encode()


def as_json(value: Any) -> bytes:
    """JSON that people can read."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
