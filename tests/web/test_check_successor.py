"""The chain of publications, checked by the file that is handed out: every edit of a successor is seen."""

from __future__ import annotations

import copy
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web import test_rechecks as story
from tests.web.a_round import BEGINNING, standing
from web import bundle, check_successor, db, publication
from web.models import Publication

Files = dict[str, bytes]
NAMES = ("first.zip", "second.zip", "third.zip")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The bundles of a round with two successors, and what the first of them says."""
    folder = tmp_path_factory.mktemp("chain")
    app = standing(folder / "instance", "published", lambda: BEGINNING)
    with app.app_context():
        for number, place, value in (("A05", "W/culture", "80"), ("A09", "S/skill", "86")):
            ticket = story.opened(number)
            story.corrected(ticket, story.scored(place, value))
            story.agreed(ticket)
            story.succeeded()
            db.forget()
        held = db.reading().query(Publication).order_by(Publication.id).all()
        for name, made in zip(NAMES, held, strict=True):
            (folder / name).write_bytes(publication.bundle_path(made).read_bytes())
    app.extensions["orderclass_engine"].dispose()
    yield folder


def files_of(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != bundle.SUMS}


def checked(*paths: Path) -> subprocess.CompletedProcess[str]:
    """What the checker says, alone with the standard library."""
    script = Path(check_successor.__file__)
    return subprocess.run(
        [sys.executable, "-I", script, *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_chain_holds(chain: Path) -> None:
    found = checked(*(chain / name for name in NAMES))
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.count("相符") == 3
    assert "F2026-1-0001 scores.csv" in found.stdout and "'80'" in found.stdout
    assert checked(chain / "first.zip", chain / "second.zip").returncode == 0


def test_each_bundle_proves_its_result(chain: Path, tmp_path: Path) -> None:
    for name in NAMES:
        with zipfile.ZipFile(chain / name) as archive:
            archive.extractall(tmp_path / name)
        shown = subprocess.run(
            [sys.executable, "-I", "verify.py", "round"], cwd=tmp_path / name,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (shown.returncode, shown.stderr) == (0, ""), shown.stdout
        assert all("PROVED" in line for line in shown.stdout.splitlines())


def test_bundles_out_of_order_are_no_chain(chain: Path) -> None:
    first, second, third = (chain / name for name in NAMES)
    for order in ((first, third), (first, third, second), (second, third)):
        assert checked(*order).returncode != 0


def as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def stated(name: str, change: Callable[[Any], object]) -> Callable[[Files], None]:
    """Change something in a file of JSON."""

    def edit(files: Files) -> None:
        value = json.loads(files[name])
        change(value)
        files[name] = as_json(value)

    return edit


def replaced(name: str, old: str, new: str) -> Callable[[Files], None]:
    def edit(files: Files) -> None:
        text = files[name].decode()
        assert old in text
        files[name] = text.replace(old, new, 1).encode()

    return edit


def one_more(files: Files) -> None:
    """A row that nobody corrected."""
    rows = files["round/scores.csv"].decode().splitlines()
    cells = rows[1].split(",")
    at = rows[0].split(",").index("culture")
    cells[at] = "1" if cells[at] != "1" else "2"
    files["round/scores.csv"] = "\n".join([rows[0], ",".join(cells), *rows[2:], ""]).encode()


def dropped(files: Files) -> None:
    rows = files["round/applications.csv"].decode().splitlines()
    files["round/applications.csv"] = "\n".join([*rows[:-1], ""]).encode()


def again(value: dict[str, Any]) -> None:
    value["changes"].append(copy.deepcopy(value["changes"][0]))


def of_another(value: dict[str, Any]) -> None:
    value["changes"][0]["key"]["applicant"] = "nobody"


def as_new(value: dict[str, Any]) -> None:
    value["changes"][0]["before"] = None


MUTATIONS: dict[str, tuple[Callable[[Files], None], str]] = {
    "a row more corrected": (one_more, "round"),
    "a row dropped": (dropped, "round"),
    "a change not told": (stated("changes.json", lambda v: v["changes"].pop()), "round"),
    "a change told twice": (stated("changes.json", again), "round"),
    "another person named": (stated("changes.json", of_another), "round"),
    "a change told as a new row": (stated("changes.json", as_new), "round"),
    "another value before": (
        stated("changes.json", lambda v: v["changes"][0].update(before={"culture": "1"})), "round"),
    "other cells before": (
        stated("changes.json", lambda v: v["changes"][0].update(before={"fit": ""})), "round"),
    "another value after": (
        stated("changes.json", lambda v: v["changes"][0].update(after={"culture": "99"})), "round"),
    "no ticket": (stated("changes.json", lambda v: v["changes"][0].update(ticket="")), "changes.json"),
    "another snapshot": (stated("changes.json", lambda v: v.update(snapshot="0")), "changes.json"),
    "another digest": (stated("changes.json", lambda v: v.update(round="0")), "round"),
    "another draw": (stated("changes.json", lambda v: v["draw"].update(value="1")), "draw"),
    "a draw of its own": (lambda f: f.update({"round/draw.json": b"{}"}), "draw"),
    "another seed": (replaced("round/policy.toml", 'seed = "', 'seed = "00'), "round/policy.toml"),
    "another rule": (replaced("round/policy.toml", "max = 35", "max = 36"), "round/policy.toml"),
    "another parent": (stated("parent.json", lambda v: v.update(bundle="0")), "parent.json"),
    "another root before": (stated("parent.json", lambda v: v.update(root="0")), "parent.json"),
    "a line more": (stated("lines.json", lambda v: v["leaves"].append("00" * 32)), "lines.json"),
    "another commitment": (
        stated("commitment.json", lambda v: v.update(digest="0")), "commitment.json"),
    "a record taken out": (
        lambda f: f.update({"audit.jsonl": f["audit.jsonl"].split(b"\n", 1)[1]}), "audit.jsonl"),
}  # fmt: skip
"""What somebody might do to a successor before she packs it anew, and what tells it."""


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_edit_of_a_successor_is_seen(
    chain: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    edit, told = MUTATIONS[name]
    files = files_of(chain / "second.zip")
    edit(files)
    forged = tmp_path / "forged.zip"
    forged.write_bytes(bundle.zipped(files))
    assert check_successor.main([str(chain / "first.zip"), str(forged)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert "相符" in said[0] and "不符" in said[1] and told in said[1]


def test_an_earlier_correction_cannot_be_taken_back(
    chain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = files_of(chain / "third.zip")
    stated("changes.json", lambda v: v["changes"].pop(0))(files)
    forged = tmp_path / "forged.zip"
    forged.write_bytes(bundle.zipped(files))
    paths = [str(chain / "first.zip"), str(chain / "second.zip"), str(forged)]
    assert check_successor.main(paths) == 1
    assert "changes.json" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("edit", "told"),
    [(one_more, "commitment.json"),
     (stated("round/draw.json", lambda v: v.update(value="1" * 20)), "round/draw.json")],
)  # fmt: skip
def test_the_first_bundle_is_checked_too(
    chain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    edit: Callable[[Files], None], told: str,
) -> None:  # fmt: skip
    files = files_of(chain / "first.zip")
    edit(files)
    forged = tmp_path / "forged.zip"
    forged.write_bytes(bundle.zipped(files))
    assert check_successor.main([str(forged), str(chain / "second.zip")]) == 1
    assert told in capsys.readouterr().out.splitlines()[0]


def test_a_file_that_the_sums_do_not_name_is_seen(chain: Path, tmp_path: Path) -> None:
    data = io.BytesIO((chain / "second.zip").read_bytes())
    with zipfile.ZipFile(data, "a") as archive:
        archive.writestr("more.txt", "x")
    forged = tmp_path / "forged.zip"
    forged.write_bytes(data.getvalue())
    assert check_successor.main([str(chain / "first.zip"), str(forged)]) == 1


def test_rows_that_come_in_are_checked(tmp_path: Path) -> None:
    held = {"applicants.csv": [{"applicant": "a"}]}
    new = {"ticket": "F1", "file": "scores.csv", "key": {"applicant": "b", "channel": "S"},
           "before": None, "after": {"applicant": "b", "channel": "S", "skill": "70"}}  # fmt: skip
    made = check_successor.corrected(held, [new])
    assert made is not None and made["scores.csv"] == [new["after"]]
    assert check_successor.corrected(made, [new]) is None  # it is there already
    assert check_successor.corrected(held, [{**new, "after": {"applicant": "c"}}]) is None


def test_the_draw_of_a_lottery_of_balls_makes_its_seed() -> None:
    balls = " ".join(f"{n:02}" for n in range(1, 21))
    draw = {"kind": "kl8", "issue": "2026123", "value": balls}
    joined = "2026123," + balls.replace(" ", ",")
    assert check_successor.seed_of("d", draw) == check_successor.sha256(
        f"orderclass-seed-1|d|{joined}".encode()
    )


def test_what_is_no_bundle_is_said_to_be_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_successor.main([]) == 2
    assert "check_successor.py FIRST.zip" in capsys.readouterr().out
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"no")
    empty = tmp_path / "empty.zip"
    empty.write_bytes(bundle.zipped({}))
    for path in (tmp_path / "none", bad, empty):
        assert check_successor.main([str(path), str(path)]) == 2
