"""What-if where a search is cut short: whatever rests on it says so, on the screen and in the file."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from matcher import Policy
from matcher.cli import main
from matcher.mechanisms import stable
from matcher.seats import value_of_seats
from matcher.whatif import Solved
from tests.matcher.test_whatif import run
from tests.rounds import make_round


@pytest.fixture
def exact(tmp_path: Path) -> Path:
    """A round under exact closing: while C is open, D lacks the people who would rather be there."""
    lists = {"A": "T U", "B": "T U", "G": "T", "D": "U", "E": "U", "F": "U"}
    make_round(
        lists, {"T": 2, "U": 4}, {"mechanism.closure": "exact"}, order_classes={"C": 2, "D": 4},
        programs={"T": {"order_class": "C"}, "U": {"order_class": "D"}},
        scores={"A T": 3, "B T": 2, "G T": 1},
    ).write(tmp_path / "exact")  # fmt: skip
    return tmp_path / "exact"


def test_what_rests_on_a_search_that_was_cut_short_says_so(
    exact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentences = {
        ("--value-of-seats",): "标 * 的 2 处到了限度还没有算完",
        ("--applicant", "A"): "有的试算到了限度还没有做完",
        ("--class", "C"): "有的试算到了限度还没有做完",
    }
    for question, said in sentences.items():
        done = run(exact, *question, "--out", tmp_path / "whole")
        assert done.exit_code == 0 and said not in done.stdout, done.output
    monkeypatch.setattr(stable, "_STEPS", 0)
    for question, said in sentences.items():
        done = run(exact, *question, "--out", tmp_path / "cut")
        assert done.exit_code == 0 and said in done.stdout, done.output
    assert re.search(r"(?m)^T \* ", run(exact, "--value-of-seats").stdout)
    for name, complete in (("whole", "1"), ("cut", "0")):
        head, *rows = (tmp_path / name / "seats.csv").read_text("utf-8").splitlines()
        assert head.endswith(",complete")
        assert [row.rpartition(",")[2] for row in rows] == [complete] * 2


def test_of_an_outcome_that_was_cut_short_nothing_is_asked(
    exact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        stable, "_close", lambda m, p, _, close=stable._close: close(m, p, lambda: True)
    )
    for question in (("--value-of-seats",), ("--applicant", "A"), ("--class", "C")):
        done = run(exact, *question)
        assert done.exit_code == 3 and "没有做完的，请放宽时限" in done.stderr, done.output
        assert "不可公布（可行，未完成）：限时内没有做完。" in done.stdout
    assert "请放宽时限（--time-s）再问" in run(exact, "--value-of-seats", "--time-s", "9").stderr
    done = run(exact, "--seats", "T=+1")
    assert done.exit_code == 3 and "假设：T 席位 +1" in done.stdout, done.output
    assert "没有做完的，请放宽时限" not in done.stderr


def test_where_the_best_set_to_close_is_sought_another_way_is_named(
    exact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        stable, "_close", lambda m, p, _, close=stable._close: close(m, p, lambda: True)
    )
    done = CliRunner().invoke(main, ["solve", str(exact), "--time-s", "7"])
    assert done.exit_code == 3
    assert "限时 7 秒内没有算完" in done.stderr and "可改用逐个停开" in done.stderr
    done = CliRunner().invoke(main, ["solve", str(exact)])  # no limit did it
    assert done.exit_code == 3 and "没有算完" not in done.stderr


def test_an_optimal_plan_with_one_more_seat_is_cut_short_with_its_limit() -> None:
    tables = make_round(
        {"A": "P Q", "B": "P Q", "D": "Q"}, {"P": 2, "Q": 1}, {"mechanism.name": "optimal"},
        order_classes={"C": 2}, programs={"P": {"order_class": "C"}},
    )  # fmt: skip
    base = Solved.of(tables, Policy.from_tables(tables))
    assert all(value.complete for value in value_of_seats(base))
    hurried = replace(base, policy=replace(base.policy, time_s=1e-9))  # type: ignore[arg-type]
    assert not any(value.complete for value in value_of_seats(hurried))
