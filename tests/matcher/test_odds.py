"""Odds: counted by hand, against every order of the lottery, and the same whoever counts."""

from __future__ import annotations

import csv
import io
import math
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from matcher import Market, Policy, Tables, UnsupportedConstraint, cli, lottery, solve
from matcher.odds import (
    BATCH,
    Chance,
    Odds,
    chances,
    interval,
    odds,
    processes,
    seed_of_draw,
    summary,
    to_csv,
    unplaced,
    write,
)
from matcher.solve import matching
from tests.matcher.test_oracle import tables_of
from tests.random_markets import random_instance
from tests.rounds import make_round, market, on_disk

DICE = {"kind": "dice", "value": "01234567890123456789", "issue": "", "witnesses": []}
ROOT = Path(__file__).parents[2]


def before(tables: Tables) -> tuple[Market, Policy]:
    """A round before its draw."""
    policy = Policy.from_tables(tables)
    return Market.from_tables(tables, policy, drawn=False), policy


def rows(tables: Tables, draws: int, executor: Executor | None = None) -> dict[str, int]:
    """``odds.csv`` as ``applicant rank program`` → times."""
    m, policy = before(tables)
    text = to_csv(m, odds(m, policy, draws, executor)).decode()
    found = list(csv.DictReader(io.StringIO(text)))
    assert {row["draws"] for row in found} == {str(draws)}
    return {f"{r['applicant']} {r['rank']} {r['program']}".strip(): int(r["times"]) for r in found}


# --- by hand


NO_SEED = {"lottery.seed": None}
TWO_FOR_ONE = {"A": "P", "B": "P"}


def test_two_equal_people_and_one_seat() -> None:
    draws = 2000
    found = rows(make_round(TWO_FOR_ONE, {"P": 1}, NO_SEED), draws)
    assert found["A 1 P"] + found["A"] == draws == found["B 1 P"] + found["B"]
    assert found["A 1 P"] == found["B"], "one of the two has it, always"
    assert abs(found["A 1 P"] - draws // 2) < 3 * math.sqrt(draws) / 2


def test_what_scores_decide_is_certain() -> None:
    lists = {"A": "P Q", "B": "P Q", "C": "P"}
    made = make_round(lists, {"P": 1, "Q": 1}, NO_SEED, scores={"A P": 3, "B P": 2, "C P": 1})
    assert rows(made, 50) == {
        "A 1 P": 50, "A 2 Q": 0, "A": 0, "B 1 P": 0, "B 2 Q": 50, "B": 0, "C 1 P": 0, "C": 50,
    }  # fmt: skip
    m, policy = before(made)
    assert summary(m, odds(m, policy, 50)) == {
        "draws": 50,
        "set_aside": 0,
        "people": {"same": 2, "which": 0, "whether": 0, "never": 1},
        "classes": {"always": 2, "sometimes": 0, "never": 0},
        "depends": [],
    }


def test_what_the_lottery_leaves_open_is_told_by_people_and_by_classes() -> None:
    """A and B share Q and R by lot; of C and D one has S; E has T; U is for nobody.

    V opens with two people; F always comes, G and H come second, as J takes one of them.
    """
    lists = {"A": "Q R", "B": "Q R", "C": "S", "D": "S", "E": "T", "F": "V", "G": "J V", "H": "J"}
    seats = dict.fromkeys("QRSTUJ", 1) | {"V": 2}
    programs = {"V": {"order_class": "K"}}
    made = make_round(lists, seats, NO_SEED, programs=programs, order_classes={"K": 2})
    m, policy = before(made)
    found = odds(m, policy, 100)
    told = summary(m, found)
    # F and G are in K if H wins J, else K is closed: then F has nothing and G has J.
    assert told["people"] == {"same": 1, "which": 3, "whether": 4, "never": 0}
    assert told["classes"] == {"always": 5, "sometimes": 1, "never": 1}
    (one,) = told["depends"]
    assert one["order_class"] == "K" and one["min_size"] == 2 and 30 < one["times"] < 70
    f = m.applicants.index("F")
    assert unplaced(m, found)[f] == 100 - one["times"]


def test_a_class_that_opens_more_seldom_comes_first() -> None:
    lists = {"A": "P", "B": "P", "C": "P", "D": "R"} | {"E": "R X", "F": "R Y", "G": "R Y"}
    made = make_round(lists, {"P": 1, "R": 1, "X": 9, "Y": 9}, NO_SEED)
    m, policy = before(made)
    times = [c["times"] for c in summary(m, odds(m, policy, 200))["depends"]]
    assert len(times) == 1 and times == sorted(times)


def test_adjustment_is_told_where_it_came_about_only() -> None:
    made = make_round(
        {"A": "P", "B": "P"}, {"P": 1, "Q": 1, "R": 1}, NO_SEED,
        applicants={a: {"adjustment": "alliance"} for a in "AB"},
    )  # fmt: skip
    found = rows(made, 40)
    assert set(found) == {"A 1 P", "A 0 Q", "A", "B 1 P", "B 0 Q", "B"}
    assert found["A 1 P"] == found["B 0 Q"] == 40 - found["A 0 Q"]
    m, policy = before(made)
    lines = chances(m, odds(m, policy, 40), 0)
    assert [(c.code, c.rank, c.program) for c in lines] == [
        ("chance_choice", 1, "P"), ("chance_adjusted", 0, "Q"), ("chance_unplaced", 0, ""),
    ]  # fmt: skip
    assert sum(c.times for c in lines) == 40


def test_a_barred_choice_stands_in_its_place() -> None:
    decisions = [
        {"applicant": a, "program": "P", "decision": "rejected", "basis": "x"} for a in "AB"
    ]
    made = make_round(
        {"B": "P", "A": "Q P R"}, {"P": 1, "Q": 1, "R": 0}, NO_SEED, decisions=decisions
    )
    m, policy = before(made)
    assert chances(m, odds(m, policy, 3), 1) == [
        Chance("chance_choice", 1, "Q", 3),
        Chance("chance_barred", 2, "P", 0, "rejected"),
        Chance("chance_choice", 3, "R"),
        Chance("chance_unplaced"),
    ]


def test_a_round_without_choices() -> None:
    assert rows(make_round({"A": "", "B": ""}, {"P": 1}, NO_SEED), 5) == {"A": 5, "B": 5}


# --- against every order of the lottery


def exactly(tables: Tables) -> dict[str, Fraction]:
    """The probability of each row of ``odds.csv``: every order of the people counts the same."""
    m, policy = before(tables)
    orders = list(permutations(range(len(m.applicants))))
    found: Counter[str] = Counter()
    for order in orders:
        placed, _ = matching(m.under([bytes([at]) for at in order]), policy)
        held = m.edges_of(placed)
        for i, edge in enumerate(held.tolist()):
            if edge < 0:
                found[m.applicants[i]] += 1
            else:
                found[f"{m.applicants[i]} {m.rank[edge]} {m.programs[m.program[edge]]}"] += 1
    return {row: Fraction(times, len(orders)) for row, times in found.items()}


def tiny(seed: int) -> Tables:
    """A round of five people whose lottery has much to decide: few scores, reserves, a minimum."""
    random = Random(seed)
    programs = "PQR"
    lists = {a: " ".join(random.sample(programs, random.randint(1, 3))) for a in "ABCDE"}
    seats = {p: random.randint(1, 2) for p in programs}
    others: dict[str, Any] = {
        "applicants": {a: {"groups": random.choice(("", "g")), "adjustment": random.choice(
            ("", "alliance"))} for a in lists},
        "programs": {p: {"order_class": f"K{p}"} for p in programs},
        "order_classes": {f"K{p}": random.choice((0, 0, seats[p])) for p in programs},
        "scores": {f"{a} {p}": random.randint(1, 2) for a in lists for p in programs},
        "reserves": {"P g": 1} if random.random() < 0.5 else {},
        "caps": {"S": {"seats": 2, "programs": "Q;R"}} if random.random() < 0.4 else {},
    }  # fmt: skip
    return make_round(lists, seats, NO_SEED, **{k: v for k, v in others.items() if v})


DRAWS = 600
DEVIATION = 5
"""Standard deviations that no count of these fixed draws is away from its exact probability."""


@pytest.mark.parametrize("seed", range(12))
def test_many_draws_come_near_to_all_orders(seed: int) -> None:
    made = tiny(seed)
    exact = exactly(made)
    found = rows(made, DRAWS)
    assert {row for row, times in found.items() if times} <= set(exact)
    for row, chance in exact.items():
        spread = math.sqrt(DRAWS * chance * (1 - chance))
        assert abs(found[row] - DRAWS * chance) <= DEVIATION * spread, row


def test_the_tiny_rounds_leave_much_to_the_lottery() -> None:
    open_ = [any(0 < chance < 1 for chance in exactly(tiny(seed)).values()) for seed in range(12)]
    assert sum(open_) >= 8


# --- a draw is a draw


@pytest.mark.parametrize("mechanism", ["stable", "parallel", "optimal", "max_placement"])
def test_one_draw_is_what_solve_makes_of_its_seed(mechanism: str) -> None:
    rules = NO_SEED | {"mechanism.name": mechanism, "policy.round": "第一轮"}
    made = make_round(dict.fromkeys("ABCDEF", "P Q"), {"P": 2, "Q": 2}, rules)
    m, policy = before(made)
    for number in (0, 7, 10**9):
        seed = seed_of_draw(made.digest(), number)
        real = replace(policy, seed=seed)
        again = Tables(made.tables, real.to_toml().encode())
        result = solve(Market.from_tables(again, real), real)
        found = odds(m, policy, 1, start=number)
        assert found.draws == 1
        assert np.flatnonzero(found.held).tolist() == sorted(
            e for e in m.edges_of(result.matching).tolist() if e >= 0
        )
        assert found.opened.astype(bool).tolist() == result.opened.tolist()


@pytest.mark.parametrize("mechanism", ["stable", "parallel", "optimal", "max_placement"])
def test_what_odds_ask_of_a_mechanism_is_what_it_solves(mechanism: str) -> None:
    random = Random(1)
    for _ in range(60):
        instance = random_instance(random, mechanism, minimums=mechanism != "optimal")
        made = tables_of(instance)
        m, policy = market(made), Policy.from_tables(made)
        result = solve(m, policy)
        placed, publishable = matching(m, policy)
        assert placed.tolist() == result.matching.tolist()
        assert publishable == result.publishable


def test_no_seed_of_odds_is_a_seed_of_a_public_draw() -> None:
    digest = "ab" * 32
    assert seed_of_draw(digest, 5) != lottery.draw_seed(digest, "5")
    assert seed_of_draw(digest, 5) != seed_of_draw(digest, 6)


def test_the_seed_of_the_round_plays_no_part() -> None:
    for rules in ({}, {"mechanism.name": "optimal"}):
        made = make_round(dict.fromkeys("ABC", "P"), {"P": 1}, NO_SEED | rules)
        drawn = Tables(made.tables, made.policy, dict(DICE))
        drawn.draw["seed"] = lottery.draw_seed(made.digest(), DICE["value"])  # type: ignore[index,arg-type]
        both = [odds(market, policy, 20) for market, policy in map(before, (made, drawn))]
        assert both[0].held.tolist() == both[1].held.tolist()


def test_a_limit_of_time_plays_no_part() -> None:
    made = make_round(TWO_FOR_ONE, {"P": 1}, NO_SEED)
    m, policy = before(made)
    limited = odds(m, replace(policy, time_s=1), 20)
    assert limited.held.tolist() == odds(m, policy, 20).held.tolist()


def test_another_draw_leaves_the_rest_of_a_market_alone() -> None:
    made = tiny(3)
    m = market(Tables(made.tables, made.policy + b'[lottery]\nseed = "aa"\n'))
    other = m.under(lottery.numbers(b"\xbb", "", m.applicants))
    fresh = market(Tables(made.tables, made.policy + b'[lottery]\nseed = "bb"\n'))
    for name in ("place", "level", "owner", "lottery"):
        assert getattr(other, name).tolist() == getattr(fresh, name).tolist()
    assert other.edge_lists == fresh.edge_lists


def test_an_outcome_that_cannot_be_published_is_counted_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = make_round(TWO_FOR_ONE, {"P": 1}, NO_SEED)
    m, policy = before(made)
    told = iter([True, False, True, False, False] * 10)
    monkeypatch.setattr("matcher.odds.matching", lambda m, p: (matching(m, p)[0], next(told)))
    found = odds(m, policy, 50)
    assert (found.draws, found.set_aside, found.held.sum()) == (20, 30, 20)
    assert unplaced(m, found).sum() == 20


def test_what_the_mechanism_cannot_honour_is_refused() -> None:
    made = make_round(TWO_FOR_ONE, {"P": 2}, NO_SEED | {"mechanism.name": "max_placement"},
                      reserves={"P g": 1})  # fmt: skip
    with pytest.raises(UnsupportedConstraint, match="soft_reserve"):
        odds(*before(made), 5)


@pytest.mark.parametrize("length", [0, 1, 32, 64, 65, 200])
def test_numbers_are_hmacs_whatever_the_length_of_the_seed(length: int) -> None:
    import hmac

    seed = bytes(range(length))
    expected = hmac.digest(seed, "lottery|轮|甲".encode(), "sha256") if length else None
    (number,) = lottery.numbers(seed, "轮", ["甲"])
    assert expected is None or number == expected


def test_places_of_numbers_with_one_beginning() -> None:
    drawn = [b"same begin" + bytes([n]) for n in (3, 1, 2)]
    assert lottery.places(drawn).tolist() == [2, 0, 1]
    assert lottery.places([]).tolist() == []


# --- whoever counts


def test_workers_and_their_number_change_no_byte() -> None:
    made = tiny(5)
    m, policy = before(made)
    draws = 3 * BATCH + 5
    alone = to_csv(m, odds(m, policy, draws))
    for number in (1, 2, 3):
        done: list[int] = []
        with processes(number) as pool:
            assert isinstance(pool, ProcessPoolExecutor) == (number > 1)
            found = odds(m, policy, draws, pool, progress=done.append)
        assert to_csv(m, found) == alone
        assert sum(done) == draws


def test_parts_add_up() -> None:
    m, policy = before(tiny(7))
    parts = [odds(m, policy, 30), odds(m, policy, 11, start=30), odds(m, policy, 0, start=41)]
    whole = odds(m, policy, 41)
    total = sum(parts, Odds.nothing(m))
    assert to_csv(m, total) == to_csv(m, whole)
    assert total.opened.tolist() == whole.opened.tolist()


def test_the_order_of_rows_changes_no_byte() -> None:
    made = tiny(1)
    m, policy = before(made)
    expected = to_csv(m, odds(m, policy, 40))
    random = Random(1)
    for table in made.tables.values():
        order = random.sample(range(len(table)), len(table))
        for name, column in list(table.columns.items()):
            table.columns[name] = [column[at] for at in order]
    again, _ = before(Tables(made.tables, made.policy))
    assert again.applicants != m.applicants
    assert to_csv(again, odds(again, policy, 40)) == expected


class _Stopping(Executor):
    """Counts in this process, and loses the second part."""

    def __init__(self) -> None:
        self.given: list[Future[Any]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.given.append(future)
        if len(self.given) == 2:
            future.set_exception(BrokenExecutor())
        return future


def test_what_is_left_is_called_off_where_a_part_fails() -> None:
    m, policy = before(tiny(2))
    pool = _Stopping()
    with pytest.raises(BrokenExecutor):
        odds(m, policy, 4 * BATCH, pool)
    assert [future.cancelled() for future in pool.given] == [True, False, True, True]


# --- intervals


def test_intervals_hold_the_share_and_stay_within_bounds() -> None:
    for draws in (1, 2, 10, 999, 10_000):
        for times in {0, 1, draws // 3, draws // 2, draws - 1, draws}:
            low, high = interval(times, draws)
            assert 0 <= low <= 1000 * times / draws <= high <= 1000
            assert interval(draws - times, draws) == (1000 - high, 1000 - low)
    assert interval(0, 0) == (0, 1000)


def test_intervals_are_wilsons() -> None:
    """The published example of Newcombe (1998): 81 of 263, 0.2553 to 0.3662; 0 of 20, to 0.1611."""
    assert interval(81, 263) == (255, 367)
    assert interval(0, 20) == (0, 162)
    assert interval(1, 29) == (6, 172)


# --- the command


def run(*arguments: object) -> Result:
    """The command line, answered; a traceback is an error of the test."""
    done = CliRunner().invoke(cli.main, ["odds", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A round without a seed."""
    lists = {"A": "P Q", "B": "P", "C": "Q"}
    on_disk(tmp_path / "round", make_round(lists, {"P": 1, "Q": 2}, NO_SEED))
    return tmp_path / "round"


def test_the_command_writes_and_tells(folder: Path) -> None:
    done = run(folder, "--draws", 40, "--workers", 1)
    assert done.exit_code == 0, done.output
    assert [p.name for p in (folder / "odds").iterdir()] == ["odds.csv"]
    lines = (folder / "odds" / "odds.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "applicant,rank,program,draws,times"
    assert lines[-2:] == ["C,1,Q,40,40", "C,,,40,0"]
    assert "每次都录取，去哪里看摇号" in done.stdout and "an estimate" in done.stdout.lower()
    assert "种子已定" not in done.stdout
    assert done.stderr.strip() == ""
    again = run(folder, "--draws", 40, "--workers", 2)
    assert again.exit_code == 0
    assert (folder / "odds" / "odds.csv").read_text(encoding="utf-8").splitlines() == lines


def test_the_command_tells_one_applicant_in_words(folder: Path) -> None:
    done = run(folder, "--draws", 40, "--workers", 1, "--applicant", "C")
    assert done.exit_code == 0
    assert "  第 1 志愿 Q：100.0%（40 次；95% 区间 91.2% 至 100.0%）" in done.stdout
    assert "  Unplaced: 0.0% (0 draws; 95% interval 0.0% to 8.8%)" in done.stdout


def test_a_barred_choice_in_words(folder: Path) -> None:
    (folder / "decisions.csv").write_text("applicant,program,decision,basis\nA,P,rejected,x\n")
    done = run(folder, "--draws", 5, "--workers", 1, "--applicant", "A", "--lang", "zh")
    assert "第 1 志愿 P：不符合条件（企业考核不合格），没有机会。" in done.stdout


def test_an_unknown_applicant(folder: Path) -> None:
    done = run(folder, "--applicant", "Z")
    assert done.exit_code == 2
    assert "没有报名号“Z”" in done.stderr
    assert not (folder / "odds").exists()


def test_classes_that_the_lottery_may_open_are_listed(tmp_path: Path) -> None:
    lists = {"F": "V", "G": "J V", "H": "J"}
    made = make_round(lists, {"J": 1, "V": 2}, NO_SEED,
                      programs={"V": {"order_class": "K"}}, order_classes={"K": 2})  # fmt: skip
    done = run(_folder(tmp_path, made), "--draws", 30, "--workers", 1)
    assert "Classes that open in some draws only" in done.stdout
    assert any(line.split()[:2] == ["K", "2"] for line in done.stdout.splitlines())


def _folder(tmp_path: Path, tables: Tables) -> Path:
    on_disk(tmp_path / "made", tables)
    return tmp_path / "made"


def test_a_round_that_has_its_draw_is_told_so(tmp_path: Path) -> None:
    made = make_round(TWO_FOR_ONE, {"P": 1}, NO_SEED)
    draw = dict(DICE) | {"seed": lottery.draw_seed(made.digest(), str(DICE["value"]))}
    done = run(
        _folder(tmp_path, Tables(made.tables, made.policy, draw)), "--draws", 3, "--workers", 1
    )
    assert done.exit_code == 0
    assert "这一轮的种子已定" in done.stdout


def test_other_faults_are_refused_before_the_draw_too(folder: Path) -> None:
    (folder / "programs.csv").write_text("program,capacity\nP,-1\nQ,2\n")
    done = run(folder)
    assert done.exit_code == 2
    assert "[negative]" in done.stderr and "no_seed" not in done.stderr


def test_a_mechanism_that_cannot_is_refused_by_name(folder: Path) -> None:
    (folder / "policy.toml").write_text('[mechanism]\nname = "max_placement"\n')
    (folder / "caps.csv").write_text("cap,seats,programs\nK,1,P;Q\n")
    done = run(folder, "--draws", 3, "--workers", 1)
    assert done.exit_code == 2
    assert "[refused_nested_cap]" in done.stderr
    assert not (folder / "odds").exists()


def test_nothing_else_is_written_over(folder: Path) -> None:
    assert run(folder, "--out", folder).exit_code == 2
    done = run(folder, "--out", folder.parent / "new" / "er", "--draws", 1)
    assert done.exit_code == 0
    assert (folder.parent / "new" / "er" / "odds.csv").is_file()


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    (folder.parent / "file").write_text("")
    done = run(folder, "--out", folder.parent / "file" / "odds", "--draws", 1)
    assert done.exit_code == 2
    assert "写不了" in done.stderr


def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    m, policy = before(tiny(1))
    found = odds(m, policy, 1)
    path = write(tmp_path, m, found)
    old = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matcher.odds.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write(tmp_path, m, odds(m, policy, 2))
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["odds.csv"]


def test_a_round_of_which_no_draw_can_be_published(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matcher.odds.matching", lambda m, p: (matching(m, p)[0], False))
    done = run(folder, "--draws", 3, "--workers", 1)
    assert done.exit_code == 3
    assert "没有一次的结果能公布" in done.stderr
    assert not (folder / "odds").exists()


def test_draws_set_aside_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([True, False, True])
    monkeypatch.setattr("matcher.odds.matching", lambda m, p: (matching(m, p)[0], next(told)))
    assert "另有 1 次摇号" in run(folder, "--draws", 3, "--workers", 1).stdout


@pytest.mark.parametrize("mechanism", ["optimal", "exact", "stable"])
def test_where_every_draw_is_a_search_its_cost_is_foretold(
    tmp_path: Path, mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """… by the first draw, which counts like the others."""
    rules = {"mechanism.name": "stable" if mechanism == "exact" else mechanism}
    rules["mechanism.closure"] = "exact" if mechanism == "exact" else "sequential"
    minimum = {"order_classes": {"C": 2}, "programs": {"Q": {"order_class": "C"}}}
    lists = {"A": "P Q", "B": "P Q", "D": "P Q", "E": "Q"}
    folder = tmp_path / "round"
    make_round(lists, {"P": 1, "Q": 3}, rules, **(minimum if mechanism == "exact" else {})).write(
        folder
    )
    for long, draws in ((0.0, 40), (60.0, 40), (0.0, 1)):
        monkeypatch.setattr("matcher.odds_screen.LONG", long)
        done = run(folder, "--draws", draws, "--workers", 1)
        assert done.exit_code == 0
        told = "每次摇号都要重新搜索" in done.stderr and "search of its own" in done.stderr
        assert told == (long == 0 and mechanism != "stable")
        assert "limits.time_s" not in done.stderr
        counts = (folder / "odds" / "odds.csv").read_bytes()
        policy = Policy.from_tables(tables := Tables.read(folder))
        whole = Market.from_tables(tables, policy)
        assert counts == to_csv(whole, odds(whole, policy, draws))
    with (folder / "policy.toml").open("a", encoding="utf-8") as policy_file:
        policy_file.write("\n[limits]\ntime_s = 9\n")
    done = run(folder, "--draws", 1, "--workers", 1)
    assert ("limits.time_s plays no part" in done.stderr) == (mechanism != "stable")


def test_a_process_that_is_lost_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def losing(number: int) -> Iterator[Executor]:
        yield _Stopping()

    monkeypatch.setattr("matcher.odds.processes", losing)
    done = run(folder, "--draws", 2 * BATCH, "--workers", 2)
    assert done.exit_code == 3
    assert "--workers" in done.stderr
    assert not (folder / "odds").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals to a group of processes")
def test_an_interrupt_leaves_nothing_half_written(folder: Path) -> None:
    command = [sys.executable, "-m", "matcher", "odds", str(folder), "--draws", "10000000"]
    begun = subprocess.Popen(
        [*command, "--workers", "2"], cwd=ROOT, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(3)
    assert begun.poll() is None
    os.killpg(begun.pid, signal.SIGINT)
    begun.communicate(timeout=60)
    assert begun.returncode not in (0, None)
    assert sorted(p.name for p in folder.iterdir()) == [
        "applicants.csv", "applications.csv", "policy.toml", "programs.csv",
    ]  # fmt: skip
