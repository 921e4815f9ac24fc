"""Freezing: rows become files once, pseudonymised, and no later write changes them."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from matcher import Tables, __version__
from tests.web.a_round import FIRST, NAMES, SERIAL, document_number, policy, small_round
from web import audit, db, rounds, snapshot
from web.models import Applicant, OrderClass, Person, Program, Round, Run, Score, Snapshot


@pytest.fixture
def ready(app: Flask) -> Any:
    """A round that waits to be frozen, in an open application context."""
    with app.app_context():
        with db.writing() as session:
            small_round(session)
        yield app


def the_round() -> Round:
    return db.reading().query(Round).filter_by(serial=SERIAL).one()


def change(model: type[Any], column: str, value: object, **which: object) -> None:
    """Edit a row as a service does: with its record."""
    with db.writing() as session:
        row = session.query(model).filter_by(**which).first()
        assert row is not None
        setattr(row, column, value)
        audit.record(session, FIRST, "test.edit", model.__name__, round_id=the_round().id)


def frozen() -> Snapshot:
    return snapshot.freeze(the_round().id, FIRST)


def test_the_folder_holds_the_round_and_nobody_s_name(ready: Flask) -> None:
    made = frozen()
    folder = snapshot.folder_of(made)
    tables = Tables.read(folder)
    assert tables.issues == []
    assert tables.digest() == made.digest
    assert made.counts["applicants"] == len(tables["applicants"]) == 12
    assert made.software == f"orderclass {__version__}"
    text = "".join(p.read_text(encoding="utf-8") for p in folder.iterdir())
    born = [p.birth_date for p in db.reading().query(Person).order_by(Person.id)]
    for number, (name, birth) in enumerate(zip(NAMES, born, strict=True)):
        assert birth is not None
        assert name not in text
        assert document_number(number, birth) not in text
        assert f"1390000{number:04}" not in text
        assert f"A{number + 1:02}" not in text
    assert set(tables["applicants"].columns) <= {
        "applicant", "person", "birth_date", "groups", "adjustment", "not_accepted", "education",
        "skill_level", "study_forms", "district", "health", "review",
    }  # fmt: skip


def test_freezing_moves_the_round_and_leaves_a_record(ready: Flask) -> None:
    made = frozen()
    held = the_round()
    assert (held.state, held.frozen_at) == ("FROZEN", made.taken_at)
    with pytest.raises(rounds.Moved):
        frozen()
    assert list(audit.broken(db.reading())) == []


def test_rows_that_do_not_count_stay_out(ready: Flask) -> None:
    with db.writing() as session:
        first = session.query(Applicant).filter_by(number="A11").one()
        first.state = "withdrawn"
        session.query(Score).filter_by(applicant_id=first.id).one().confirmed_at = None
        session.query(Applicant).filter_by(number="A10").one().groups[0].state = "refused"
    tables = snapshot.tables_of(db.reading(), the_round(), policy())
    assert len(tables["applicants"]) == 11
    assert len(tables["scores"]) == 14
    assert sorted(filter(None, tables["applicants"]["groups"])) == ["G06"]


def test_later_edits_do_not_reach_the_folder(ready: Flask) -> None:
    made = frozen()
    change(Program, "capacity", 99, code="WELD")
    change(Person, "birth_date", datetime(1960, 1, 1, tzinfo=UTC).date(), name=NAMES[0])
    assert snapshot.intact(made)
    assert "99" not in Tables.read(snapshot.folder_of(made))["programs"]["capacity"]


def test_an_altered_folder_is_seen(ready: Flask) -> None:
    made = frozen()
    path = snapshot.folder_of(made) / "programs.csv"
    path.chmod(0o600)
    path.write_text(path.read_text(encoding="utf-8").replace(",4,", ",5,"), encoding="utf-8")
    assert not snapshot.intact(made)
    shutil.rmtree(path.parent)
    assert not snapshot.intact(made)


def test_an_unsound_round_is_refused_with_every_reason(ready: Flask) -> None:
    change(OrderClass, "entry_education", "71", code="ROBO")
    change(Program, "capacity", -1, code="WELD")
    with pytest.raises(snapshot.Unsound) as refused:
        frozen()
    assert {issue.column for issue in refused.value.issues} == {"education", "capacity"}
    assert all(refused.value.sentences("zh")) and all(refused.value.sentences("en"))
    assert the_round().state == "REVIEW"
    assert not (snapshot.instance() / "rounds").exists()


@pytest.mark.parametrize(
    ("toml", "word"),
    [(policy("2026-9"), "2026-9"), (policy() + '\n[lottery]\nseed = "20251105"\n', "种子")],
)
def test_another_round_s_rules_are_refused(ready: Flask, toml: str, word: str) -> None:
    with db.writing() as session:
        held = session.query(Round).one().policy
        assert held is not None
        held.toml = toml
    with pytest.raises(snapshot.WrongRules) as refused:
        frozen()
    assert word in refused.value.sentences()[0]


def test_what_is_still_open_is_named(ready: Flask) -> None:
    change(Score, "confirmed_at", None, channel="W")
    with pytest.raises(rounds.Blocked) as blocked:
        frozen()
    assert [o.code for o in blocked.value.obstacles] == ["scores_unconfirmed"]


def test_a_change_while_the_folder_is_written_is_in_it(
    ready: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, seen = snapshot._place, []

    def slow(tables: Tables, serial: str, digest: str) -> str:
        if not seen:
            change(Program, "capacity", 7, code="WELD")
        seen.append(digest)
        return place(tables, serial, digest)

    monkeypatch.setattr(snapshot, "_place", slow)
    made = frozen()
    assert len(set(seen)) == 2
    assert seen[-1] == made.digest
    assert "7" in Tables.read(snapshot.folder_of(made))["programs"]["capacity"]


def test_a_round_that_never_rests_is_given_up(
    ready: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restless(*_: object) -> str:
        change(Program, "name", "x", code="WELD")
        return ""

    monkeypatch.setattr(snapshot, "_place", restless)
    with pytest.raises(snapshot.KeepsChanging):
        frozen()
    assert the_round().state == "REVIEW"


def test_a_full_disk_is_said_before_anything_is_written(
    ready: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "FREE_BYTES", 2**60)
    with pytest.raises(snapshot.NoSpace):
        frozen()
    assert not (snapshot.instance() / "rounds").exists()


def test_a_folder_left_by_a_freeze_that_never_was_is_replaced(
    ready: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(rounds, "take", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            frozen()
    (left,) = (snapshot.instance() / "rounds" / SERIAL).iterdir()
    (left / "caps.csv").unlink()
    made = frozen()
    assert snapshot.folder_of(made) == left
    assert snapshot.intact(made)


def test_trials_run_before_are_counted(ready: Flask) -> None:
    with db.writing() as session:
        session.add(
            Run(round_id=the_round().id, kind="trial", policy_toml="", started_by="x",
                queued_at=db.now(session))
        )  # fmt: skip
    assert frozen().trials == 1
