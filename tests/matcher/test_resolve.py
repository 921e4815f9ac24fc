"""Late changes: placed again so that as few people as possible move, against going through all plans."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from matcher import Market, Policy, Result, Tables, UnsupportedConstraint, solve, verify
from matcher.afterwards import LATE
from matcher.earlier import Earlier, Gone, Placement
from matcher.messages import placeholders
from matcher.resolve import CannotKeep, Move, lost, moves, resolve
from matcher.solve import NoPlan
from matcher.tables import Table
from tests.instances import Instance
from tests.matcher.test_cli import run
from tests.matcher.test_messages import strings, tree
from tests.matcher.test_oracle import placement_of, tables_of
from tests.matcher.verify_rounds import broken, claim, codes, edit_json
from tests.oracle import Oracle
from tests.random_markets import random_instance
from tests.rounds import make_round, market

PARTS = 8
MARKETS = int(os.environ.get("ORACLE_MARKETS", "400"))


def confirmed(*pairs: str) -> list[dict[str, Any]]:
    """Decisions that confirm ``"A P"``."""
    found = [pair.split() for pair in pairs]
    return [{"applicant": a, "program": p, "decision": "confirmed"} for a, p in found]


def earlier(*pairs: str, soft: bool = False) -> Earlier:
    """An earlier result of ``"A P"`` pairs, ``"A P !"`` where it has been accepted."""
    found = [pair.split() for pair in pairs]
    placements = (Placement(words[0], words[1], len(words) > 2) for words in found)
    return Earlier(tuple(sorted(placements)), "", soft)


def again(tables: Tables, before: Earlier) -> tuple[dict[str, str], list[Move]]:
    """Who goes where now, and who moves."""
    made = market(tables)
    result = resolve(made, Policy.from_tables(tables), before)
    programs = [*made.programs, ""]
    placed = {a: programs[p] for a, p in zip(made.applicants, result.matching, strict=True)}
    return placed, moves(made, result.matching, before)


# --- by hand ------------------------------------------------------------------------------------


def test_nobody_moves_for_a_better_objective_but_an_unplaced_person_may_gain() -> None:
    """C could have P and B could go to Q; both have their places, so only D gets the free one."""
    lists = {"A": "P Q", "B": "Q P", "C": "P", "D": "R"}
    before = earlier("A P", "B Q")
    placed, moved = again(make_round(lists, {"P": 1, "Q": 1, "R": 1}), before)
    assert placed == {"A": "P", "B": "Q", "C": "", "D": "R"}
    assert moved == [("D", "", "R", "gained")]


def test_as_few_people_move_as_can_be() -> None:
    """P lost a seat.  Of A and B one must go, and only A's going needs nobody else to move."""
    lists = {"A": "P Q", "B": "P R", "C": "R"}
    before = earlier("A P", "B P", "C R")
    placed, moved = again(make_round(lists, {"P": 1, "Q": 1, "R": 1}), before)
    assert placed == {"A": "Q", "B": "P", "C": "R"}
    assert moved == [("A", "P", "Q", "worse")]


def test_what_has_been_accepted_comes_before_the_number_of_people() -> None:
    lists = {"A": "P Q", "B": "P", "C": "Q"}
    tables = make_round(lists, {"P": 1, "Q": 1}, decisions=confirmed("B P"))
    placed, _ = again(tables, earlier("A P", "B P !", "C Q"))
    assert placed == {"A": "", "B": "P", "C": "Q"}


def test_a_decline_and_a_withdrawal_let_others_in_and_move_nobody() -> None:
    """B declines Q, C withdraws from P; D and E had nothing, A stays though Q is her first choice."""
    lists = {"A": "Q P", "B": "Q", "C": "P", "D": "P", "E": "Q"}
    tables = make_round(
        lists, {"P": 2, "Q": 1}, applicants={"C": {"review": "withdrawn"}}, decisions=[
            {"applicant": "B", "program": "Q", "decision": "declined"}],
    )  # fmt: skip
    placed, moved = again(tables, earlier("A P", "B Q", "C P"))
    assert placed == {"A": "P", "B": "", "C": "", "D": "P", "E": "Q"}
    assert [(m.applicant, m.change) for m in moved] == [
        ("B", "left"), ("C", "left"), ("D", "gained"), ("E", "gained"),
    ]  # fmt: skip


def test_a_corrected_score_that_fails_the_line_frees_the_seat() -> None:
    rules = {"score.pass_total": 60}
    lists = {"A": "P", "B": "P"}
    exam = {"P": {"channel": "X"}}
    before = earlier("A P")
    kept = make_round(lists, {"P": 1}, rules, scores={"A X": 70, "B X": 90}, programs=exam)
    assert again(kept, before)[0] == {"A": "P", "B": ""}, "a better score alone moves nobody"
    mended = make_round(lists, {"P": 1}, rules, scores={"A X": 50, "B X": 90}, programs=exam)
    placed, moved = again(mended, before)
    assert placed == {"A": "", "B": "P"}
    assert [m.change for m in moved] == ["left", "gained"]
    gone = before.gone(market(mended), Policy.from_tables(mended))
    assert [one.rules for one in gone] == [("total",)]


def test_a_class_that_loses_somebody_is_kept_open_by_the_fewest_moves() -> None:
    """A has left a class of three; without a third person both others would have to go."""
    lists = {"A": "", "B": "P", "C": "P", "D": "Q P", "E": "Q"}
    tables = make_round(lists, {"P": 3, "Q": 2}, programs={"P": {"order_class": "K"}},
                        order_classes={"K": 3})  # fmt: skip
    placed, moved = again(tables, earlier("A P", "B P", "C P", "D Q", "E Q"))
    assert placed == {"A": "", "B": "P", "C": "P", "D": "P", "E": "Q"}
    assert [(m.applicant, m.change) for m in moved] == [("A", "left"), ("D", "worse")]


def test_decrees_come_before_what_was_given() -> None:
    lists = {"A": "P Q", "B": "P Q", "C": "P"}
    tables = make_round(
        lists, {"P": 2, "Q": 2}, programs={"Q": {"order_class": "K"}},
        order_classes={"K": {"min_size": 2, "must_open": 1}},
    )  # fmt: skip
    placed, _ = again(tables, earlier("A P", "B P"))
    assert placed == {"A": "Q", "B": "Q", "C": "P"}


def test_every_kind_of_change_has_its_name() -> None:
    lists = {"A": "R P", "B": "K", "C": "P", "D": "Q", "E": "", "F": "", "G": "T P"}
    seats = {"P": 0, "Q": 1, "R": 1, "S": 0, "V": 1, "T": 1, "U": 1}
    programs = {"S": {"order_class": "K"}, "V": {"order_class": "K"}}
    tables = make_round(lists, seats, programs=programs, order_classes={"K": 0})
    before = earlier("A P", "B S", "C P", "E U", "F U", "G Q")
    placed, moved = again(tables, before)
    assert {m.applicant: (m.before, m.after, m.change) for m in moved} == {
        "A": ("P", "R", "better"),
        "B": ("S", "V", "same"),
        "C": ("P", "", "lost"),
        "D": ("", "Q", "gained"),
        "E": ("U", "", "left"),
        "F": ("U", "", "left"),
        "G": ("Q", "T", "left"),
    }
    assert placed["G"] == "T"


def test_a_place_that_cannot_be_kept_says_why() -> None:
    lists = {"A": "P", "B": "P", "C": "P", "D": "Q", "E": "P"}
    tables = make_round(
        lists, {"P": 4, "Q": 1}, applicants={"A": {"review": "withdrawn"}}, decisions=[
            {"applicant": "B", "program": "P", "decision": "rejected", "basis": "x"},
            {"applicant": "E", "program": "P", "decision": "declined"}],
    )  # fmt: skip
    before = earlier("A P", "B P", "C P", "D P", "E P", "X P", "C Z")
    assert before.gone(market(tables), Policy.from_tables(tables)) == [
        Gone(Placement("A", "P", False), "barred", ("review",)),
        Gone(Placement("B", "P", False), "barred", ("rejected",)),
        Gone(Placement("C", "Z", False), "program"),
        Gone(Placement("D", "P", False), "list"),
        Gone(Placement("E", "P", False), "declined", ("declined",)),
        Gone(Placement("X", "P", False), "applicant"),
    ]


def test_an_adjusted_place_is_judged_as_one() -> None:
    tables = make_round(
        {"A": "", "B": ""}, {"P": 2}, applicants={"A": {"adjustment": "alliance"}, "B": {}},
        decisions=[{"applicant": "A", "program": "P", "decision": "rejected", "basis": "x"}],
    )  # fmt: skip
    found = earlier("A P", "B P").gone(market(tables), Policy.from_tables(tables))
    assert [(one.cause, one.rules) for one in found] == [("barred", ("rejected",)), ("list", ())]


def test_accepted_places_that_cannot_be_kept_are_refused_by_name_or_given_up() -> None:
    lists = dict.fromkeys("AB", "P")
    pairs = ("A P !", "B P !")
    tables = make_round(lists, {"P": 1}, decisions=confirmed("A P", "B P"))
    made, policy = market(tables), Policy.from_tables(tables)
    with pytest.raises(CannotKeep, match=r"accepted places of [AB]$") as error:
        resolve(made, policy, earlier(*pairs))
    assert error.value.gone == [] and len(error.value.lost) == 1
    result = resolve(made, policy, earlier(*pairs, soft=True))
    assert result.objective[0] == 1
    assert lost(made, result.matching, earlier(*pairs)) == error.value.lost
    elsewhere = make_round(lists | {"A": "Q"}, {"P": 1, "Q": 1}, decisions=confirmed("A P", "B P"))
    with pytest.raises(CannotKeep) as error:
        resolve(market(elsewhere), policy, earlier(*pairs))
    assert [one.placement.applicant for one in error.value.gone] == ["A"]
    assert resolve(market(elsewhere), policy, earlier(*pairs, soft=True)).objective[0] == 1


def test_what_optimal_cannot_honour_is_refused_by_name() -> None:
    tables = make_round(
        {"A": "P"}, {"P": 2}, {"mechanism.reserve_order": "open_first"}, reserves={"P g": 1},
        decisions=confirmed("A P"),
    )  # fmt: skip
    with pytest.raises(UnsupportedConstraint, match=r"optimal cannot honour: open_first$"):
        resolve(market(tables), Policy.from_tables(tables), earlier("A P !"))
    with pytest.raises(UnsupportedConstraint, match="confirmed"):
        solve(market(tables), Policy.from_tables(tables))


# --- against the oracle -------------------------------------------------------------------------


def with_decisions(tables: Tables, rows: list[dict[str, Any]]) -> Tables:
    """A round with more decisions."""
    given = [dict(row) for row in tables["decisions"].records()]
    columns = ("applicant", "program", "decision", "basis")
    made = Table({c: [str(row.get(c, "")) for row in [*given, *rows]] for c in columns})
    return Tables(tables.tables | {"decisions": made}, tables.policy, tables.draw)


def some_earlier(rng: Random, instance: Instance, oracle: Oracle, soft: bool) -> Earlier:
    """Any pairs, one a person and most of them possible, some of them accepted."""
    found = []
    for i in oracle.people:
        among = [p for p in oracle.rank[i] if rng.random() < 0.9] or list(oracle.programs)
        p = rng.choice(among)
        if rng.random() < 0.7:
            refused = (i, p) in instance.rejected
            found.append(Placement(i, p, not refused and rng.random() < 0.4))
    return Earlier(tuple(sorted(found)), "", soft)


@pytest.mark.parametrize("minimums", [False, True])
@pytest.mark.parametrize("part", range(PARTS))
def test_the_best_of_the_plans_that_keep_most(part: int, minimums: bool, tmp_path: Path) -> None:
    """With ``minimums`` some classes and reserves are decreed as well."""
    refused = 0
    for number in range(part, MARKETS // 2, PARTS):
        rng = Random(f"resolve {number}")
        instance = random_instance(rng, "optimal", people=5, minimums=minimums, decrees=minimums)
        oracle = Oracle(instance)
        before = some_earlier(rng, instance, oracle, soft=rng.random() < 0.5)
        oracle.kept = {(one.applicant, one.program): one.confirmed for one in before.placements}
        best, value = oracle.optimal(("confirmed", "unmoved"))
        accepted = sum(oracle.kept.values())
        rows = confirmed(*(f"{i} {p}" for (i, p), sure in oracle.kept.items() if sure))
        tables = with_decisions(tables_of(instance), rows)
        policy = Policy.from_tables(tables)
        made = Market.from_tables(tables, policy)
        if not best:
            with pytest.raises((NoPlan, CannotKeep)):
                resolve(made, policy, before)
            continue
        if not before.soft and value[0] < accepted:
            refused += 1
            with pytest.raises(CannotKeep):
                resolve(made, policy, before)
            continue
        result = resolve(made, policy, before)
        assert result.objective == value, number
        assert [placement_of(made, result)] == best, number
        if number % 16 == part:
            judge(tmp_path / str(number), tables, made, result)
    assert refused or MARKETS < 2000


def judge(folder: Path, tables: Tables, made: Market, result: Result) -> None:
    """The verifier proves the result from its files."""
    tables.write(folder)
    result.write(folder / "result", made, tables.digest(), Policy.from_tables(tables).round)
    verdict = verify(folder)
    assert broken(verdict) == [], folder
    assert claim(verdict, "kept").trusted == "earlier_result"
    back = Result.read(folder / "result", made)
    assert back.earlier == result.earlier and back.objective == result.objective


@pytest.mark.parametrize("minimums", [False, True])
@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_changed_moves_nobody_and_a_seat_more_only_lets_people_in(
    part: int, minimums: bool
) -> None:
    for number in range(part, MARKETS // 2, PARTS):
        rng = Random(f"calm {number}")
        mechanism = rng.choice(("stable", "optimal"))
        instance = random_instance(rng, mechanism, minimums=minimums)
        tables = tables_of(instance)
        policy = Policy.from_tables(tables)
        if policy.reserve_order == "open_first":
            continue
        made = Market.from_tables(tables, policy)
        result = solve(made, policy)
        names = [(made.applicants[i], p) for i, p in enumerate(result.matching) if p >= 0]
        before = Earlier(tuple(sorted(Placement(i, made.programs[p], False) for i, p in names)), "")
        calm = resolve(made, policy, before)
        gained = {m.change for m in moves(made, calm.matching, before)}
        assert gained <= ({"gained"} if mechanism == "stable" else set()), number
        if mechanism == "optimal":
            assert (calm.matching == result.matching).all(), number
        programs = tables["programs"]
        more = [str(int(q) + (at == 0)) for at, q in enumerate(programs["capacity"])]
        grown = Tables(
            tables.tables | {"programs": Table(dict(programs.columns) | {"capacity": more})},
            tables.policy,
        )
        roomier = Market.from_tables(grown, policy)
        found = moves(roomier, resolve(roomier, policy, before).matching, before)
        assert {m.change for m in found} <= {"gained"}, number


# --- the files, and the verifier ----------------------------------------------------------------


@pytest.fixture
def settled(tmp_path: Path) -> Path:
    """A round solved, one person gone and one place accepted since, and solved again."""
    lists = {"A": "P Q", "B": "P Q", "C": "P", "D": "Q"}
    scores = {"A P": 3, "B P": 2, "C P": 1, "B Q": 2, "D Q": 1}
    first = make_round(lists, {"P": 1, "Q": 1}, scores=scores)
    folder = tmp_path / "round"
    first.write(folder)
    assert run("solve", folder).exit_code == 0
    now = make_round(lists | {"A": ""}, {"P": 1, "Q": 1}, scores=scores, decisions=confirmed("B Q"))
    now.write(folder)
    done = run("resolve", folder, "--keep", folder / "result")
    assert done.exit_code == 0, done.output
    assert "A 原在 P：现在的志愿和调剂范围里没有它，不能保留。" in done.stdout
    assert "原录取不能保留 could not keep hers 1" in done.stdout
    assert "新录取 gets a place 1" in done.stdout
    return folder


def test_who_has_accepted_another_place_is_told_and_kept_there(tmp_path: Path) -> None:
    lists, scores = {"A": "P Q", "B": "P Q", "C": "Q"}, {"A P": 2, "B P": 1, "B Q": 1}
    make_round(lists, {"P": 1, "Q": 1}, scores=scores).write(tmp_path)
    assert run("solve", tmp_path).exit_code == 0
    answers = confirmed("B P", "C Q")
    make_round(lists, {"P": 1, "Q": 1}, scores=scores, decisions=answers).write(tmp_path)
    done = run("resolve", tmp_path, "--keep", tmp_path / "result", "--lang", "en")
    assert "B has confirmed P (Q in the earlier result); what is confirmed counts." in done.stdout
    assert "C has confirmed Q (unplaced in the earlier result); what is confirmed" in done.stdout
    placed = rows(tmp_path / "resolved" / "placements.csv")
    assert [row[:3] for row in placed] == ["A  ", "B P", "C Q"]


def test_a_result_that_keeps_nothing_cannot_be_compared_with_an_earlier_one(tmp_path: Path) -> None:
    make_round({"A": "P"}, {"P": 1}).write(tmp_path)
    assert run("solve", tmp_path).exit_code == 0
    assert run("verify", tmp_path).exit_code == 0
    done = run("verify", tmp_path, "--earlier", tmp_path / "result")
    assert done.exit_code == 1 and "没有写明要保留哪个原结果" in done.stdout


def rows(path: Path) -> list[str]:
    """The records of a CSV file as words."""
    with path.open(encoding="utf-8", newline="") as file:
        return [" ".join(record) for record in csv.reader(file)][1:]


def test_what_was_to_be_kept_stands_beside_the_result(settled: Path) -> None:
    out = settled / "resolved"
    assert rows(out / "kept.csv") == ["A P 0", "B Q 1"]
    assert rows(out / "placements.csv") == [
        "A    no_choice", "B Q 2 open ordinary", "C P 1 open ordinary", "D    not_reached",
    ]  # fmt: skip
    about = json.loads((out / "result.json").read_text("utf-8"))
    before = (settled / "result" / "placements.csv").read_bytes()
    assert about["resolve"] == {"confirmed": "hard", "parent": hashlib.sha256(before).hexdigest()}
    assert [c["name"] for c in about["objective"]][:3] == ["confirmed", "unmoved", "placed"]
    assert [c["value"] for c in about["objective"]][:3] == [1, 1, 2]


def test_the_verifier_believes_what_was_kept_or_compares_it(settled: Path) -> None:
    out = settled / "resolved"
    assert claim(verify(settled, out), "kept").trusted == "earlier_result"
    compared = verify(settled, out, settled / "result")
    assert broken(compared) == []
    assert claim(compared, "kept").status == "PROVED"
    assert claim(compared, "kept").numbers == {"earlier": 2, "kept": 1, "confirmed": 1}
    done = run("verify", settled, "--result", out, "--earlier", settled / "result")
    assert done.exit_code == 0 and "已证明 PROVED 原录取保留" in done.stdout


def test_a_resolved_result_is_explained_and_reported(settled: Path) -> None:
    for command in ("explain", "report"):
        assert run(command, settled, "--result", settled / "resolved").exit_code == 0
    told = run("explain", settled, "--result", settled / "resolved", "--applicant", "D")
    assert "去向不变的人数" in told.stdout or "已确认" in told.stdout, told.stdout


def signed(out: Path) -> None:
    """State the digests of the files as they stand."""
    about = json.loads((out / "result.json").read_text("utf-8"))
    for name in set(about["digests"]) - {"inputs"}:
        about["digests"][name] = hashlib.sha256((out / name).read_bytes()).hexdigest()
    (out / "result.json").write_text(json.dumps(about), "utf-8")


def swap(out: Path, old: str, new: str, file: str = "kept.csv") -> None:
    """Change a text in a file of a result, and sign it."""
    text = (out / file).read_text("utf-8")
    assert old in text
    (out / file).write_text(text.replace(old, new), "utf-8")
    signed(out)


CASES: dict[str, tuple[Callable[[Path], None], dict[str, set[str]]]] = {
    "an accepted place is called none": (
        lambda out: swap(out, "B,Q,1", "B,Q,0"), {"kept": {"confirmed"}, "optimality": {"objective"}},
    ),
    "a place is called accepted": (
        lambda out: swap(out, "A,P,0", "A,P,1"), {"kept": {"confirmed"}},
    ),
    "a place is left out": (
        lambda out: swap(out, "A,P,0\n", ""), {"kept": {"not_earlier"}},
    ),
    "a place that was not": (
        lambda out: swap(out, "A,P,0", "D,Q,0"), {"kept": {"not_earlier"}, "optimality": set()},
    ),
    "an unknown answer": (lambda out: swap(out, "A,P,0", "A,P,?"), {"inputs": {"value"}}),
    "another earlier result": (
        lambda out: (out.parent / "result" / "placements.csv").write_bytes(
            (out.parent / "result" / "placements.csv").read_bytes() + b"Z,P,1,open,ordinary\n"
        ) and None, {"kept": {"parent", "not_earlier"}},
    ),
    "not signed": (
        lambda out: (out / "kept.csv").write_text("applicant,program,confirmed\nB,Q,1\n") and None,
        {"inputs": {"digest"}, "kept": {"not_earlier"}},
    ),
    "an unknown kind of keeping": (
        lambda out: edit_json(out / "result.json", {"resolve": {"confirmed": "x"}}),
        {"inputs": {"value"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_each_falsehood_is_found(settled: Path, name: str) -> None:
    mutate, wrong = CASES[name]
    mutate(settled / "resolved")
    verdict = verify(settled, settled / "resolved", settled / "result")
    assert set(broken(verdict)) >= {at for at, said in wrong.items() if said}
    for at, said in wrong.items():
        assert said <= set(codes(verdict, at)), codes(verdict, at)


def test_an_accepted_place_that_is_lost_breaks_the_claim_unless_the_result_is_soft(
    settled: Path,
) -> None:
    now = make_round({"A": "", "B": "P Q", "C": "P", "D": "Q"}, {"P": 1, "Q": 1},
                     decisions=confirmed("B Q", "D Q"))  # fmt: skip
    now.write(settled)
    refused = run("resolve", settled, "--keep", settled / "result", "--out", settled / "new")
    assert refused.exit_code == 2 and not (settled / "new").exists()
    assert "与其余已确认的合在一起排不下" in refused.stderr
    assert "申请人 B、D 已确认，保留在席位 Q。" in refused.stderr
    assert "席位 Q 只有 1 个名额。" in refused.stderr
    assert "已确认的录取有 1 个不能保留，什么也没有写。" in refused.stderr
    soft = run("resolve", settled, "--keep", settled / "result", "--soft", "--out", settled / "new")
    assert soft.exit_code == 0 and "没有保留。" in soft.stdout
    assert broken(verify(settled, settled / "new", settled / "result")) == []
    about = json.loads((settled / "new" / "result.json").read_text("utf-8"))
    edit_json(
        settled / "new" / "result.json", {"resolve": about["resolve"] | {"confirmed": "hard"}}
    )
    assert codes(verify(settled, settled / "new"), "kept") == ["confirmed_lost"]


def test_confirmed_places_bind_a_result_that_keeps_no_earlier_one(settled: Path) -> None:
    """No mechanism makes such a result: it refuses them. So it is one of before, signed anew."""
    make_round({"A": "P", "B": "Q"}, {"P": 1, "Q": 1}, decisions=confirmed("B Q")).write(settled)
    (settled / "scores.csv").unlink()
    out = settled / "result"
    about = json.loads((out / "result.json").read_text("utf-8"))
    digests = about["digests"] | {"inputs": Tables.read(settled).digest()}
    edit_json(out / "result.json", {"digests": digests})
    for kept, found in (("B,Q,1,open,ordinary", []), ("B,,,,not_reached", ["confirmed_lost"])):
        (out / "placements.csv").write_text(
            f"applicant,program,rank,seat,reason\nA,P,1,open,ordinary\n{kept}\n"
        )
        signed(out)
        judged = verify(settled, out)
        assert codes(judged, "kept") == found
        assert claim(judged, "kept").numbers["confirmed"] == 1
    make_round({"A": "P", "B": "Q"}, {"P": 1, "Q": 1}).write(settled)
    (settled / "decisions.csv").unlink()
    assert "kept" not in {one.name for one in verify(settled, out).claims}


def test_only_optimal_keeps_an_earlier_result(settled: Path) -> None:
    edit_json(settled / "resolved" / "result.json", {"mechanism": "stable"})
    assert "resolve" in codes(verify(settled, settled / "resolved"), "inputs")


def test_people_and_programs_that_are_gone_are_told_and_do_no_harm(settled: Path) -> None:
    lists = {"B": "R", "C": "R", "E": "R"}
    make_round(lists, {"R": 1}).write(settled)
    for name in ("scores", "decisions"):
        (settled / f"{name}.csv").unlink()
    done = run("resolve", settled, "--keep", settled / "result", "--out", settled / "new")
    assert done.exit_code == 0, done.output
    assert "A 原在 P：此人已不在这一轮，不能保留。" in done.stdout
    assert "B 原在 Q：这个席位已不在这一轮，不能保留。" in done.stdout
    assert broken(verify(settled, settled / "new", settled / "result")) == []


def test_an_accepted_place_that_the_rules_bar_is_refused_with_the_rule(settled: Path) -> None:
    make_round({"A": "", "B": "P Q", "C": "P", "D": "Q"}, {"P": 1, "Q": 1},
               applicants={"B": {"review": "withdrawn"}}, decisions=confirmed("B Q")).write(settled)  # fmt: skip
    done = run("resolve", settled, "--keep", settled / "result", "--out", settled / "new")
    assert done.exit_code == 2
    assert "B 原在 Q：现在不符合条件（资格审核），不能保留。" in done.stderr
    assert (
        "申请人表 applicants.csv 第 3 行：按“资格审核”的规则，申请人 B 不能去席位 Q" in done.stderr
    )


@pytest.mark.parametrize(
    ("decisions", "said"),
    [
        (("B P", "B Q"), "每个人只能有一个去处。"),
        (("B P", "C P"), "席位 P 只有 1 个名额。"),
        (("A P",), "申请人 A 没有填报席位 P"),
        (("B V",), "班级 K 有人就至少要 2 人"),
        (("B V", "C V", "D Q"), "总量上限 S 最多 2 人。"),
    ],
)
def test_confirmed_places_that_cannot_be_are_told_with_what_stands_in_the_way(
    settled: Path, decisions: tuple[str, ...], said: str
) -> None:
    """Twice the same person, two for one seat, an unlisted one, one in a class too small, over a cap
    that crosses another."""
    lists = {"A": "", "B": "V P Q", "C": "P V", "D": "Q"}
    people = lists if len(decisions) > 2 else lists | {"C": "P"}
    caps = {"S": {"seats": 2, "programs": "V;Q"}}
    make_round(
        people, {"P": 1, "Q": 1, "V": 2}, caps=caps, programs={"V": {"order_class": "K"}},
        order_classes={"K": 2}, decisions=confirmed(*decisions),
    ).write(settled)  # fmt: skip
    (settled / "scores.csv").unlink()
    done = run("resolve", settled, "--keep", settled / "result", "--out", settled / "new")
    assert done.exit_code == 2 and said in done.stderr, done.output
    assert not (settled / "new").exists()
    told = run("conflicts", settled)
    assert told.exit_code == 2 and said in told.stdout


def test_everybody_declines(settled: Path) -> None:
    declined = [{"applicant": a, "program": p, "decision": "declined"}
                for a, p in ("BP", "BQ", "CP", "DQ")]  # fmt: skip
    make_round(
        {"A": "", "B": "P Q", "C": "P", "D": "Q"}, {"P": 1, "Q": 1}, decisions=declined
    ).write(settled)
    (settled / "scores.csv").unlink()
    done = run("resolve", settled, "--keep", settled / "result", "--out", settled / "new")
    assert done.exit_code == 0, done.output
    assert [row.split()[1:] for row in rows(settled / "new" / "placements.csv")] == [
        ["no_choice"], ["barred"], ["barred"], ["barred"],
    ]  # fmt: skip
    assert "B 原在 Q：本人已放弃，不再保留。" in done.stdout
    kept = run("waiting", settled, "--applicant", "D")
    assert kept.exit_code == 0 and "D 不在任何候补名单上" in kept.stdout
    told = run("explain", settled, "--result", settled / "new", "--applicant", "C")
    assert "第 1 志愿 P：您已放弃这里的录取" in told.stdout
    assert "Choice 1, P: you gave up your place here" in told.stdout


def test_an_earlier_result_is_not_overwritten_and_must_be_one(settled: Path) -> None:
    out = settled / "result"
    done = run("resolve", settled, "--keep", out, "--out", out)
    assert done.exit_code == 2 and "是要保留的原结果，不会覆盖" in done.stderr
    assert run("resolve", settled, "--keep", settled / "nothing").exit_code == 2
    for text in ("a,b\n1,2\n", "applicant,program\nA,P\nA,P\n", 'applicant,program\n"A,P\n', "\0"):
        (out / "placements.csv").write_text(text, "utf-8")
        bad = run("resolve", settled, "--keep", out)
        assert bad.exit_code == 2 and "没有完好的 placements.csv" in bad.stderr, text
    shutil.rmtree(out)


def test_many_places_that_cannot_be_kept_are_counted(tmp_path: Path) -> None:
    people = [f"A{number:02}" for number in range(25)]
    make_round(dict.fromkeys(people, "P"), {"P": 25}).write(tmp_path)
    assert run("solve", tmp_path).exit_code == 0
    make_round(dict.fromkeys(people, ""), {"P": 25}).write(tmp_path)
    done = run("resolve", tmp_path, "--keep", tmp_path / "result")
    assert done.exit_code == 0 and "另有 5 个原录取不能保留。" in done.stdout


def test_nothing_changed_is_said(tmp_path: Path) -> None:
    make_round({"A": "P"}, {"P": 1}).write(tmp_path)
    assert run("solve", tmp_path).exit_code == 0
    done = run("resolve", tmp_path, "--keep", tmp_path / "result", "--lang", "zh")
    assert done.exit_code == 0 and "没有人的去向改变。" in done.stdout


def test_what_optimal_refuses_is_said(tmp_path: Path) -> None:
    rules = {"mechanism.reserve_order": "open_first"}
    make_round({"A": "P"}, {"P": 1}, rules, reserves={"P g": 1}).write(tmp_path)
    assert run("solve", tmp_path).exit_code == 0
    done = run("resolve", tmp_path, "--keep", tmp_path / "result")
    assert done.exit_code == 2 and "refused_open_first" in done.stderr


def test_a_plain_solve_points_to_resolve(settled: Path) -> None:
    done = run("solve", settled, "--out", settled / "new")
    assert done.exit_code == 2 and "请改用 resolve --keep 原结果。" in done.stderr


# --- sentences ----------------------------------------------------------------------------------


def test_what_is_said_afterwards_is_said_in_both_languages_and_no_sentence_is_idle() -> None:
    said = set(strings(tree("late")))
    said |= {f"gone_{cause}" for cause in set(strings(tree("earlier"))) if cause.isalpha()}
    assert set(LATE) - said == set()
    for zh, en in LATE.values():
        assert placeholders(zh) == placeholders(en)


@pytest.mark.parametrize("reserves", [{}, {"P g": 0}])
def test_without_reserved_seats_no_order_of_them_is_in_the_way(
    tmp_path: Path, reserves: dict[str, int]
) -> None:
    rules = {"mechanism.reserve_order": "open_first"}
    make_round({"A": "P", "B": "P"}, {"P": 1}, rules, reserves=reserves).write(tmp_path)
    assert run("solve", tmp_path).exit_code == 0
    done = run("resolve", tmp_path, "--keep", tmp_path / "result")
    assert done.exit_code == 0, done.output
    assert broken(verify(tmp_path, tmp_path / "resolved", tmp_path / "result")) == []
    assert run("solve", tmp_path, "--mechanism", "optimal").exit_code == 0
