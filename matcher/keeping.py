"""Result folders: made beside their place and moved there whole; read back only as they were verified.

``verdict.json`` carries the digests of the files that it judged.  A verdict of other bytes, or none, is
no verdict: the result is verified again before anybody relies on it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .market import Market
from .report import GUARANTEES
from .result import Result
from .speaker import BROKEN, INVALID, Speaker
from .terminal import verdict as show_verdict
from .verify import RESULT_FILES, Verdict

JUDGED = ("result.json", *RESULT_FILES, "kept.csv")
"""The files of a result that a verdict speaks of; beside them the round's draw, and any report."""

_TAKEN = {errno.ENOTEMPTY, errno.EEXIST}


# --- writing


def is_empty(folder: Path) -> bool:
    """Whether a folder is there and has nothing in it."""
    return folder.is_dir() and not any(folder.iterdir())


def may_write(out: Path, speaker: Speaker, own: str = "result.json") -> None:
    """Refuse to replace anything that is neither a result nor a folder with a file of one's own."""
    known = any((out / name).is_file() for name in ("result.json", own))
    if out.exists() and not known and not is_empty(out):
        speaker.stop(INVALID, "not_a_result", path=out)
    can_be_made(out, speaker)


def can_be_made(out: Path, speaker: Speaker) -> None:
    """End before any work is done for a folder that cannot be made or written."""
    place = out.absolute()
    there = next(path for path in (place, *place.parents) if path.exists())
    with speaker.minding(there, "unwritable"):
        if not there.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "", str(there))
        if not os.access(there, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "", str(there))


@contextmanager
def on_the_way(out: Path) -> Iterator[Path]:
    """A folder to make a result in, beside its place and this run's alone; gone at the end."""
    place = out.absolute()
    place.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(".tmp", f"{place.name}.", place.parent))
    try:
        yield scratch / "result"
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def settle(
    tmp: Path, out: Path, folder: Path, result: Result, verdict: Verdict, speaker: Speaker
) -> Path:
    """Put a verified result in its place, or, with a broken claim, aside; return where it is.

    A result that was cut short is kept though what it had no time for does not hold; it says so, and
    never takes the place of one that can be published.
    """
    write_verdict(tmp, folder, verdict)
    for path in tmp.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    if result.status.harmful(_broken(verdict)):
        aside = _move(tmp, _beside(out, ".broken"), speaker)
        show_verdict(speaker.err, verdict)
        speaker.stop(BROKEN, "broken", path=aside)
    if not result.publishable and _is_publishable(out):
        speaker.err.say("earlier_kept", path=out)
        return _move(tmp, _beside(out, ".unpublishable"), speaker)
    _move(tmp, out.absolute(), speaker)
    return out


def _beside(out: Path, ending: str) -> Path:
    return out.absolute().with_name(out.absolute().name + ending)


def _move(tmp: Path, place: Path, speaker: Speaker) -> Path:
    """Move a finished folder to its place; what is there leaves with the folder on the way."""
    may_write(place, speaker)
    old = tmp.with_name("old")
    with suppress(FileNotFoundError):
        place.rename(old)
    try:
        tmp.rename(place)
    except OSError as error:
        if error.errno in _TAKEN:
            speaker.stop(INVALID, "taken", path=place)
        raise
    finally:
        if old.exists() and not place.exists():
            old.rename(place)
    return place


def _is_publishable(out: Path) -> bool:
    """Whether a folder holds a result that says it can be published, and no verdict against it."""
    try:
        about = json.loads((out / "result.json").read_bytes())
        broken = _stated(out / "verdict.json") if (out / "verdict.json").exists() else set()
        return about["publishable"] is True and not broken
    except (OSError, ValueError, LookupError, TypeError):
        return False


def withheld(out: Path) -> str | None:
    """The status of a result that says that it cannot be published; None of any other."""
    try:
        about = json.loads((out / "result.json").read_bytes())
        return None if about["publishable"] is True else str(about["status"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


# --- verdicts


def write_verdict(out: Path, folder: Path, verdict: Verdict) -> None:
    """Write ``verdict.json`` with the digests of what was judged, all of it or nothing."""
    digests = _digests(out, folder)
    if (out / "report.json").is_file():
        digests["report.json"] = _digest(out / "report.json")
    document = {"digests": digests} | json.loads(verdict.to_json())
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    with tempfile.TemporaryDirectory(".tmp", "verdict.", out) as scratch:
        made = Path(scratch) / "verdict.json"
        made.write_text(text, encoding="utf-8")
        made.replace(out / "verdict.json")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digests(out: Path, folder: Path) -> dict[str, str]:
    """The digest of every file that decides whether a result holds; the tables' is in the result."""
    found = {name: _digest(out / name) for name in JUDGED if (out / name).is_file()}
    if (folder / "draw.json").is_file():
        found["draw.json"] = _digest(folder / "draw.json")
    return found


def _broken(verdict: Verdict) -> set[str]:
    return {claim.name for claim in verdict.claims if claim.status == "BROKEN"}


def _stated(path: Path) -> set[str]:
    """The claims that a file calls broken."""
    claims = json.loads(path.read_bytes())["claims"]
    return {str(claim["name"]) for claim in claims if claim["status"] == "BROKEN"}


def _judged(out: Path, folder: Path) -> set[str] | None:
    """What ``verdict.json`` calls broken, if it judged these very files."""
    try:
        stated = json.loads((out / "verdict.json").read_bytes())["digests"]
        own = _digests(out, folder)
        known = {name: stated[name] for name in stated if name != "report.json"}
        return _stated(out / "verdict.json") if known == own else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def stands(out: Path, folder: Path) -> bool:
    """Whether a publishable result stands as it was verified, with no claim broken."""
    return _judged(out, folder) == set() and _is_publishable(out)


# --- reading back


def read_back(
    out: Path,
    folder: Path,
    market: Market,
    inputs: str,
    speaker: Speaker,
    judge: Callable[[], Verdict],
) -> Result:
    """The result in a folder, made from these very tables and verified as it stands; or the end.

    Parameters
    ----------
    out, folder
        The result and its round.
    market, inputs
        The round as arrays, and the digest of its tables.
    speaker
        Says why not.
    judge
        Verifies anew where no verdict speaks of these files.
    """
    file = "result.json"
    try:
        digests = json.loads((out / file).read_bytes())["digests"]
        if digests["inputs"] != inputs:
            speaker.stop(INVALID, "result_of_other_round", path=out)
        for file in sorted(set(digests) - {"inputs"}):
            if _digest(out / file) != digests[file]:
                raise ValueError(file)
        file = "result.json"
        result = Result.read(out, market)
        numbers = [*result.objective, *(n for c in result.closings for n in (c.placed, c.min_size))]
        if result.mechanism not in GUARANTEES or not all(isinstance(n, int) for n in numbers):
            raise ValueError(file)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        speaker.stop(INVALID, "result_malformed", path=out, file=file)
    broken = _judged(out, folder)
    if broken is None:
        speaker.err.say("verifying_again", path=out)
        verdict = judge()
        broken = _broken(verdict)
        with suppress(OSError):
            write_verdict(out, folder, verdict)
    if harm := result.status.harmful(broken):
        speaker.stop(BROKEN, "result_broken", path=out, claims=", ".join(sorted(harm)))
    return result
