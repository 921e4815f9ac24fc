"""Publishing: all of it or nothing, a bundle that proves itself, and each person's own line."""

from __future__ import annotations

import hashlib
import io
import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.web.a_round import FIRST, SECOND, SERIAL, THIRD, published_round, standing
from tests.web.conftest import Clock
from web import (
    audit,
    bundle,
    calendar,
    check_line,
    db,
    edition,
    jobs,
    merkle,
    publication,
    rounds,
    snapshot,
)
from web.models import (
    Applicant,
    Approval,
    Person,
    Placement,
    Program,
    Publication,
    Record,
    Round,
    Run,
)


def in_context(folder: Path, stage: str, clock: Clock) -> Iterator[Flask]:
    app = standing(folder, stage, clock)
    with app.app_context():
        yield app
    app.extensions["orderclass_engine"].dispose()


@pytest.fixture
def approved(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    yield from in_context(tmp_path, "approved", clock)


@pytest.fixture
def published(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    yield from in_context(tmp_path, "published", clock)


def the_round() -> Round:
    db.forget()
    return db.reading().query(Round).one()


def bundles() -> list[str]:
    return [p.name for p in (snapshot.instance() / publication.FOLDER).glob("*.zip")]


def the_publication() -> Publication:
    return db.reading().query(Publication).one()


# --- approval ---------------------------------------------------------------------------------


def test_nothing_is_approved_before_it_is_verified(tmp_path: Path, clock: Clock) -> None:
    for _ in in_context(tmp_path, "drawn", clock):
        with pytest.raises(rounds.Blocked) as blocked, db.writing() as session:
            publication.approve(session, session.query(Round).one(), FIRST)
        assert [o.code for o in blocked.value.obstacles] == ["no_verified_run"]


@pytest.mark.parametrize(
    ("change", "code"),
    [("unpublishable", "not_publishable"), ("same person", "second_person"),
     ("no filing", "no_result_filing")],
)  # fmt: skip
def test_an_approval_needs_all_that_the_gate_asks(approved: Flask, change: str, code: str) -> None:
    with db.writing() as session:
        session.query(Approval).delete()
        session.query(Round).one().state = "DRAWN"
        run = session.query(Run).one()
        if change == "unpublishable":
            run.summary = {**run.summary, "publishable": False}
        elif change == "same person":
            run.started_by = FIRST.name
        else:
            session.query(Record).filter_by(kind="result_filing").delete()
    with pytest.raises(rounds.Blocked) as blocked, db.writing() as session:
        publication.approve(session, session.query(Round).one(), FIRST)
    assert [o.code for o in blocked.value.obstacles] == [code]
    assert db.reading().query(Approval).count() == 0


def test_claims_taken_on_trust_are_named(approved: Flask) -> None:
    run = db.reading().query(Run).one()
    assert publication.trusted_claims(run) == []
    run.summary = {
        "claims": [{"name": "outcome", "status": "TRUSTED"}, {"name": "caps", "status": "PROVED"}]
    }
    assert publication.trusted_claims(run) == ["outcome"]


# --- publishing -------------------------------------------------------------------------------


def test_everything_is_there_at_once(approved: Flask, clock: Clock) -> None:
    made = publication.publish(the_round().id, SECOND)
    round_ = the_round()
    assert (round_.state, round_.published_at) == ("PUBLISHED", clock.moment)
    assert round_.notice_ends_at == calendar.end_of(clock.moment, 5)
    path = publication.bundle_path(made)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == made.bundle_digest
    assert made.bundle_digest in path.name
    placed = db.reading().query(Placement).all()
    assert len(placed) == 12
    assert sum(p.program_id is not None for p in placed) == 9
    assert {p.reasons["outcome"]["code"] for p in placed if p.rank == 0} == {"placed_adjusted"}
    assert list(audit.broken(db.reading())) == []
    assert publication.recover() == []
    with pytest.raises(rounds.Moved):
        publication.publish(round_.id, THIRD)


def test_publishing_again_after_a_failure_gives_the_same_lines(
    approved: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(publication, "record", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            publication.publish(the_round().id, SECOND)
    assert (the_round().state, db.reading().query(Placement).count()) == ("APPROVED", 0)
    (left,) = bundles()
    made = publication.publish(the_round().id, SECOND)
    assert bundles() == [left]  # nothing happened in between, so it is the same bundle
    assert left == Path(made.bundle).name


@pytest.mark.parametrize("what", ["snapshot", "result", "gone"])
def test_what_was_altered_on_the_disk_is_not_published(approved: Flask, what: str) -> None:
    run = db.reading().query(Run).one()
    frozen = db.reading().query(snapshot.Snapshot).one()
    path = jobs.result_of(run) / "placements.csv"
    if what == "snapshot":
        path = snapshot.folder_of(frozen) / "applicants.csv"
    path.chmod(0o600)
    path.unlink() if what == "gone" else path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(publication.Altered):
        publication.publish(the_round().id, SECOND)
    assert (the_round().state, bundles()) == ("APPROVED", [])


def test_a_result_folder_that_is_gone_is_not_published(approved: Flask) -> None:
    with db.writing() as session:
        session.query(Run).one().folder = "nowhere"
    with pytest.raises(publication.Altered):
        publication.publish(the_round().id, SECOND)


def test_a_round_goes_all_the_way_on_both_databases(app: Flask) -> None:
    with app.app_context():
        made = published_round()
        assert made.state == "PUBLISHED"
        assert len(db.reading().query(Placement).all()) == 12
        assert list(audit.broken(db.reading())) == []


def test_a_database_older_than_what_was_published_is_not_served(
    approved: Flask, tmp_path: Path, clock: Clock
) -> None:
    db.engine().dispose()
    backup = (tmp_path / "test.sqlite").read_bytes()
    publication.publish(the_round().id, SECOND)
    assert approved.test_client().get("/").status_code == 200
    db.forget()
    db.engine().dispose()
    for left in tmp_path.glob("test.sqlite-*"):
        left.unlink()
    (tmp_path / "test.sqlite").write_bytes(backup)
    approved.extensions.pop("orderclass_behind")  # as after a new start
    assert the_round().state == "APPROVED"
    with pytest.raises(publication.Behind):
        publication.recover()
    with pytest.raises(publication.Behind):
        publication.publish(the_round().id, SECOND)
    assert len(bundles()) == 1
    db.forget()
    answer = approved.test_client().get("/")
    assert answer.status_code == 503
    assert "备份" in answer.text


def test_a_publication_that_the_file_lacks_is_added_to_it(published: Flask) -> None:
    heads = snapshot.instance() / publication.FOLDER / publication.HEADS
    text = heads.read_text("utf-8")
    heads.unlink()
    assert publication.recover() == []
    assert heads.read_text("utf-8") == text
    assert not publication.behind()


# --- the bundle -------------------------------------------------------------------------------


@pytest.fixture
def unzipped(published: Flask, tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    with zipfile.ZipFile(publication.bundle_path(the_publication())) as archive:
        archive.extractall(folder)
    return folder


def alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script of the bundle, with nothing but the standard library."""
    return subprocess.run(
        [sys.executable, "-I", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def altered(folder: Path) -> list[str]:
    """Files that ``SHA256SUMS`` does not confirm, or that it does not name."""
    stated = dict(
        reversed(line.split("  "))
        for line in (folder / bundle.SUMS).read_text("utf-8").splitlines()
    )
    found = {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file() and p.name != bundle.SUMS
    }
    return sorted(name for name in stated | found if stated.get(name) != found.get(name))


def test_the_bundle_proves_every_claim_elsewhere(unzipped: Path) -> None:
    shown = alone(unzipped, "verify.py", "round")
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert len(lines) >= 10
    assert all("PROVED" in line for line in lines)
    assert altered(unzipped) == []
    assert alone(unzipped, "verify.py", "round", "--json").returncode == 0


def test_the_bundle_names_nobody_and_holds_no_payload(unzipped: Path) -> None:
    text = "".join(p.read_text(encoding="utf-8") for p in unzipped.rglob("*") if p.is_file())
    people = db.reading().query(Person).all()
    assert all(person.name not in text for person in people)
    for line in (unzipped / "audit.jsonl").read_text("utf-8").splitlines():
        assert set(json.loads(line)) == {"at", "actor", "action", "row", "payload", "hash"}


def test_the_chain_of_the_bundle_holds(unzipped: Path) -> None:
    previous = audit.GENESIS
    for line in (unzipped / "audit.jsonl").read_text("utf-8").splitlines():
        event = json.loads(line)
        stated = event.pop("hash")
        previous = hashlib.sha256(previous.encode() + audit.canonical(event)).hexdigest()
        assert previous == stated


def test_the_root_of_the_bundle_follows_from_its_leaves(unzipped: Path) -> None:
    stated = json.loads((unzipped / "lines.json").read_bytes())
    root, _ = merkle.tree([bytes.fromhex(leaf) for leaf in stated["leaves"]])
    assert root.hex() == stated["root"] == the_publication().merkle_root


def test_any_edit_of_a_bundle_is_seen(unzipped: Path) -> None:
    chance = random.Random(1)
    files = sorted(p for p in unzipped.rglob("*") if p.is_file() and p.name != bundle.SUMS)
    for path in files:
        whole = path.read_bytes()
        at = chance.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert altered(unzipped) == [str(path.relative_to(unzipped))]
        path.write_bytes(whole)
    files[0].unlink()
    (unzipped / "more.csv").write_text("x")
    assert len(altered(unzipped)) == 2


def test_the_same_files_make_the_same_archive() -> None:
    files = {"b": b"2", "a": b"1"}
    made = bundle.zipped(files)
    assert made == bundle.zipped(dict(sorted(files.items())))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.namelist() == ["SHA256SUMS", "a", "b"]


# --- her own line -----------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8, 12, 13])
def test_every_leaf_leads_to_the_root(count: int) -> None:
    leaves = [merkle.leaf(bytes([at]), b"row") for at in range(count)]
    root, paths = merkle.tree(leaves)
    assert len(paths) == count
    for leaf, path in zip(leaves, paths, strict=True):
        assert merkle.climb(leaf, path) == root
        assert merkle.climb(merkle.leaf(b"other", b"row"), path) != root


def test_each_line_is_checked_by_the_file_handed_out(
    published: Flask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = db.reading()
    root = the_publication().merkle_root
    code = tmp_path / "code.json"
    for placement in session.query(Placement):
        line = publication.own_line(placement)
        assert line["root"] == root
        code.write_text(json.dumps(line, ensure_ascii=False), encoding="utf-8")
        assert check_line.main([str(code), root]) == 0
        for name, other in (("program", "TEXT"), ("rank", 9), ("number", "A99")):
            row = {**line["row"], name: other}
            code.write_text(json.dumps({**line, "row": row}), encoding="utf-8")
            assert check_line.main([str(code), root]) == 1
    assert "一致" in capsys.readouterr().out


def test_a_code_can_be_pasted_as_a_page_breaks_it(
    published: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = db.reading()
    line = publication.own_line(session.query(Placement).first())  # type: ignore[arg-type]
    text = json.dumps(line)
    broken = "\n  ".join(text[at : at + 40] for at in range(0, len(text), 40))
    monkeypatch.setattr(sys, "stdin", io.StringIO(broken))
    assert check_line.main(["-", f" {line['root'].upper()} "]) == 0


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"row": 1, "salt": "00", "path": []}', '{"row": {}, "salt": "zz", "path": []}',
             '{"row": {}, "salt": "00", "path": ["X"]}', '{"row": {}, "salt": "00", "path": [1]}'],
)  # fmt: skip
def test_what_is_no_code_is_said_to_be_none(text: str, tmp_path: Path) -> None:
    code = tmp_path / "code.json"
    code.write_text(text, encoding="utf-8")
    assert check_line.main([str(code), "0" * 64]) == 2


def test_the_checker_says_how_to_use_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_line.main([]) == 2
    assert "check_line.py CODE ROOT" in capsys.readouterr().out
    assert check_line.main([str(tmp_path / "none"), "0" * 64]) == 2
    code = tmp_path / "code"
    code.write_text('{"row": {}, "salt": "00", "path": []}')
    assert check_line.main([str(code), "no root"]) == 2


def test_the_file_handed_out_runs_by_itself(unzipped: Path) -> None:
    session = db.reading()
    line = publication.own_line(session.query(Placement).first())  # type: ignore[arg-type]
    (unzipped / "code.json").write_text(json.dumps(line, ensure_ascii=False), encoding="utf-8")
    assert alone(unzipped, "check_line.py", "code.json", line["root"]).returncode == 0
    assert alone(unzipped, "check_line.py", "code.json", "0" * 64).returncode == 1


def test_her_placement_is_that_of_the_last_publication(published: Flask) -> None:
    session = db.reading()
    who = session.query(Applicant).filter_by(number="A01").one()
    held = publication.placement_of(session, who)
    assert held is not None and held.program is not None
    assert (held.program.code, held.rank, held.seat) == ("NEV-X", 1, "open")


# --- the public edition -----------------------------------------------------------------------


def cutoff_states(session: Session) -> dict[str, tuple[str, str]]:
    rows = edition.cutoffs(session, session.query(Publication).one())
    return {row["program"].code: (row["state"], row["score"]) for row in rows}


def test_a_cutoff_of_few_people_is_not_told(published: Flask) -> None:
    found = cutoff_states(db.reading())
    assert {state for state, _ in found.values()} == {"few", "vacant", "closed"}
    assert all(score == "" for _, score in found.values())
    with db.writing() as session:
        held = session.query(Round).one().policy
        assert held is not None
        held.workflow = {**held.workflow, "public.cutoff_min": 2}
    told = cutoff_states(db.reading())
    assert told["NEV-X"] == ("cutoff", "86")
    assert told["WELD"] == ("few", "")  # one open seat; the others were reserved
    assert told["TEXT"] == ("closed", "")


def test_the_public_edition_holds_no_line_of_anybody(published: Flask) -> None:
    session = db.reading()
    files = edition.public_edition(session, the_round())
    assert set(files) == {
        "plan.csv", "policy.toml", "commitment.json", "draw.json", "cutoffs.csv", "verdict.json",
        "publication.json", "verify.py", "check_line.py", "README.txt",
    }  # fmt: skip
    text = b"".join(v for n, v in files.items() if not n.endswith(".py")).decode()
    for who in db.reading().query(Applicant).all():
        assert who.person.pseudonym not in text
        assert who.person.name not in text
        assert f'"{who.number}"' not in text
    assert "G05,1" not in text and "soft:" not in text
    assert the_publication().merkle_root in text


def test_the_public_edition_grows_with_the_round(tmp_path: Path, clock: Clock) -> None:
    for _ in in_context(tmp_path, "review", clock):
        files = edition.public_edition(db.reading(), the_round())
        assert set(files) == {"plan.csv", "policy.toml", "verify.py", "check_line.py", "README.txt"}
        assert snapshot.commitment(db.reading(), the_round()) == {}
        assert edition.later_trials(db.reading(), the_round()) == 0


def test_trials_after_the_lock_are_counted(published: Flask) -> None:
    with db.writing() as session:
        session.add(
            Run(round_id=the_round().id, kind="trial", policy_toml="", started_by="x",
                queued_at=datetime.fromisoformat("2026-06-05T00:00:00+00:00"))
        )  # fmt: skip
    session = db.reading()
    assert edition.later_trials(session, the_round()) == 1
    stated = json.loads(edition.public_edition(session, the_round())["commitment.json"])
    assert (stated["trials"], stated["trials_later"], stated["round"]) == (0, 1, SERIAL)
    assert db.reading().query(Program).count() == 6
