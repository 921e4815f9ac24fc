"""The chain of what followed a publication: each step of the waiting list names the link before it.

A link is a folder of files whose digest is that of its ``SHA256SUMS``.  It is written beside its place
and moved there whole, before any row names it; nothing changes it afterwards.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from . import bundle
from .links import steps_of
from .models import Round, WaitingStep
from .publication import bundle_path, publication_of
from .snapshot import instance, settle

ALGORITHM = "sha256"
ABOUT = "step.json"
CHECKER = Path(__file__).with_name("check_chain.py")


# --- writing ----------------------------------------------------------------------------------


def place(folder: str, files: Mapping[str, bytes]) -> tuple[str, str]:
    """Write a link durably below a folder, under its digest; returns its name and its digest."""
    text = bundle.sums(files)
    digest = hashlib.sha256(text).hexdigest()
    name = f"{folder}-{digest[:16]}"
    target = instance() / name
    if target.is_dir():  # left by a try that was not recorded; it is the same, byte by byte
        return name, digest
    made = target.with_name(f"{target.name}.tmp")
    shutil.rmtree(made, ignore_errors=True)
    for path, data in {**files, bundle.SUMS: text}.items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_bytes(data)
        (made / path).chmod(0o400)
    settle(made)
    made.rename(target)
    settle([target.parent])
    return name, digest


def tidy(session: Session, round_: Round, folder: Path) -> None:
    """Remove what tries that were never recorded left below a folder."""
    known = {Path(step.folder).name for step in steps_of(session, round_)}
    for path in folder.iterdir():
        if path.is_dir() and path.name not in known:
            shutil.rmtree(path)


# --- reading ----------------------------------------------------------------------------------


def folder_of(step: WaitingStep) -> Path:
    """Where a step lies."""
    return instance() / step.folder


def files_of(step: WaitingStep) -> dict[str, bytes]:
    """The files of a step, by their names within it."""
    return _files(folder_of(step))


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def about(**facts: Any) -> bytes:
    """The file that says of a link what it is, and what it follows."""
    return bundle.as_json({"algorithm": ALGORITHM, **facts})


def archive(session: Session, round_: Round) -> bytes:
    """The publication's bundle, every step after it and the closing link, with the checkers; the same at
    every time."""
    published = publication_of(session, round_)
    if published is None:
        raise LookupError(round_.serial)
    files = {"publication.zip": bundle_path(published).read_bytes()}
    for step in steps_of(session, round_):
        files |= {f"steps/{step.number:04}/{n}": data for n, data in files_of(step).items()}
    links = [{"number": s.number, "sha256": s.digest} for s in steps_of(session, round_)]
    about = {"round": round_.serial, "publication": published.bundle_digest, "steps": links}
    if round_.waiting_end_digest:
        about["end"] = round_.waiting_end_digest
        closing = _files(instance() / round_.waiting_end_folder)
        files |= {f"end/{name}": data for name, data in closing.items()}
    files["chain.json"] = bundle.as_json(about)
    files["README.txt"] = bundle.readme("chain", round_)
    return bundle.zipped(files | bundle.tools() | {"check_chain.py": CHECKER.read_bytes()})
