"""Suppositions: a run solved once more with one thing changed, by the worker, told in counts."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from matcher import Policy, Tables
from matcher.changes import Open, Seats
from matcher.whatif import whatif
from tests.web.a_round import FIRST
from tests.web.test_coordinator_runs import AT, TRIAL, Stand, all_of, stand, work
from web import compare, db, edition, jobs, supposing
from web.models import Round, Run

__all__ = ["stand"]


def ready(stand: Stand, **other: str) -> tuple[Flask, Any, Run]:
    """A finished trial, and a coordinator who looks at it."""
    app, first, _ = stand("review")
    first.post(f"{AT}/runs", data=TRIAL | {"mechanism-name": "stable"} | other)
    work(app)
    [run] = all_of(app, Run)
    return app, first, run


def test_what_is_supposed_is_solved_again_and_told_in_counts(stand: Stand) -> None:
    app, first, run = ready(stand)
    url = f"{AT}/runs/{run.key}"
    with app.app_context():
        values = [value for value, _said in supposing.possible(run)]
        folder = jobs.round_folder_of(run)
    assert values[0].startswith("open:") and values[-1].startswith("seats:")
    for value in (next(v for v in values if v.startswith("seats:")), values[0]):
        kind, _, code = value.partition(":")
        page = first.post(f"{url}/suppose", data={"change": value}, follow_redirects=True)
        assert page.headers["Refresh"] == "3" and "正在重算" in page.text
        assert "上一次还没算完" in first.post(
            f"{url}/suppose", data={"change": value}, follow_redirects=True
        ).text  # fmt: skip
        work(app)
        made = all_of(app, Run)[-1]
        assert (made.kind, made.state, made.error) == ("whatif", "ANSWERED", "")
        with app.app_context():
            tables = Tables.read(folder)
            change = Open(code) if kind == supposing.OPEN else Seats(code, 1)
            expected = whatif(tables, Policy.from_toml(run.policy_toml.encode()), [change]).moves
        assert made.summary["moved"] == len(expected)
        assert made.summary["moves"] == {
            name: sum(move.change == name for move in expected) for name in compare.CHANGES
        }
        with (folder / "programs.csv").open(encoding="utf-8", newline="") as file:
            there = {
                row["program"] for row in csv.DictReader(file)
                if code in (row["program"], row["order_class"])
            }  # fmt: skip
        assert made.summary["come"] == sum(move.after in there for move in expected)
        done = first.get(url)
        assert "Refresh" not in done.headers and "已算出，未经检验" in done.text
        assert supposing.words(kind, code) in done.text and "去向变动合计" in done.text
    page = first.get(f"{AT}/runs").text
    assert page.count('name="run"') == 1, "suppositions are shown with their run alone"
    assert first.get(f"{AT}/runs/{made.key}").headers["Location"].endswith(run.key)
    with app.app_context():
        round_ = db.reading().scalars(select(Round)).one()
        round_.frozen_at = run.queued_at
        assert edition.later_trials(db.reading(), round_) == 3, "each counts among the trials"
        assert supposing.possible(made) == []
    first.set_cookie("lang", "en")
    assert "Solved, not verified" in first.get(url).text


def test_what_is_supposed_has_as_long_as_the_run_had(
    stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, first, run = ready(stand)
    with app.app_context(), db.writing() as session:
        base = session.scalars(select(Run)).one()
        base.summary = base.summary | {"seconds": 240}
        [value, *_] = supposing.possible(base)[0]
    script = tmp_path / "told.py"
    script.write_text("import sys\nprint(*sys.argv[-2:])\nsys.exit(7)\n", encoding="utf-8")
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, str(script)))
    first.post(f"{AT}/runs/{run.key}/suppose", data={"change": value})
    work(app)
    assert "--time-s 240" in all_of(app, Run)[-1].error


def test_what_cannot_be_supposed_is_refused(stand: Stand) -> None:
    app, first, run = ready(stand)
    url = f"{AT}/runs/{run.key}/suppose"
    for value in ("", "seats:NOWHERE", "open:--out", "seats", "close:K1"):
        page = first.post(url, data={"change": value}, follow_redirects=True).text
        assert "现在不能这样假设" in page
    with app.app_context():
        value = supposing.possible(run)[0][0]
        with db.writing() as session:
            session.scalars(select(Round)).one().state = "VOID"
    assert "现在不能这样假设" in first.post(
        url, data={"change": value}, follow_redirects=True
    ).text  # fmt: skip
    assert len(all_of(app, Run)) == 1


@pytest.mark.parametrize("way", ["cancelled", "crashed"])
def test_a_supposition_that_comes_to_nothing_says_so(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    app, first, run = ready(stand)
    with app.app_context(), db.writing() as session:
        base = session.scalars(select(Run)).one()
        round_ = session.scalars(select(Round)).one()
        made = supposing.ask(session, round_, base, supposing.possible(base)[0][0], FIRST)
    if way == "cancelled":
        first.post(f"{AT}/runs/{made.key}/cancel")
    monkeypatch.setattr(jobs, "COMMAND", ("/bin/false",))
    work(app)
    ended = all_of(app, Run)[-1]
    assert ended.state == ("CANCELLED" if way == "cancelled" else "FAILED")
    page = first.get(f"{AT}/runs/{run.key}")
    assert page.status_code == 200 and "Refresh" not in page.headers
    assert ("已取消" if way == "cancelled" else "what-if: exit 1") in page.text
