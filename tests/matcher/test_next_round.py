"""The next round: by hand, and that it is a sound round which can be solved in its turn."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

from matcher import Market, Policy, Tables, UnsupportedConstraint, solve, validate
from matcher.earlier import Earlier, Placement
from matcher.next_round import Left, after, next_round
from matcher.tables import Table
from tests.matcher.test_cli import run
from tests.matcher.test_oracle import tables_of
from tests.matcher.test_resolve import confirmed, earlier
from tests.matcher.test_waiting import decided
from tests.random_markets import random_instance
from tests.rounds import make_round, market

PARTS = 4
MARKETS = int(os.environ.get("ORACLE_MARKETS", "400"))


def left(tables: Tables, *pairs: str, **options: Any) -> Left:
    return next_round(
        tables, Policy.from_tables(tables), market(tables), earlier(*pairs), **options
    )


def cells(found: Left, table: str, *columns: str) -> list[str]:
    """The rows of a table of the next round, the given cells as words."""
    rows = found.tables[table].records() if table in found.tables.tables else []
    return sorted(" ".join(row[column] for column in columns) for row in rows)


# --- by hand ------------------------------------------------------------------------------------


def test_who_holds_a_place_keeps_it_and_her_seat_is_gone() -> None:
    tables = make_round(
        {"A": "P", "B": "P", "C": "Q"}, {"P": 2, "Q": 1}, {"policy.round": "2026-1"},
        scores={"A P": 2, "B P": 1}, decisions=decided("rejected", "B Q"),
    )  # fmt: skip
    found = left(tables, "A P", "C Q")
    assert (found.people, found.seats, found.frozen) == (1, 1, 2)
    assert cells(found, "applicants", "applicant") == ["B"]
    assert cells(found, "programs", "program", "capacity") == ["P 1"]
    assert cells(found, "scores", "applicant", "program") == ["B P"]
    assert cells(found, "applications", "applicant") == []
    assert cells(found, "decisions", "applicant") == [], "Q is not offered any more"
    policy = Policy.from_tables(found.tables)
    assert policy.round == "2026-2"
    (said,) = policy.basis
    assert tables.digest() in said and "2026-1" in said


@pytest.mark.parametrize(
    ("name", "following"),
    [("2026-1", "2026-2"), ("9", "10"), ("2026秋", "2026秋-2"), ("", "2"), ("R1", "R1-2"),
     ("1" * 12, "1" * 12 + "-2"), ("a-b-9", "a-b-10")],
)  # fmt: skip
def test_the_name_counts_on(name: str, following: str) -> None:
    assert after(name) == following


def test_a_name_of_ones_own() -> None:
    tables = make_round({"A": "", "B": ""}, {"P": 1})
    assert Policy.from_tables(left(tables, name="征集").tables).round == "征集"


def test_who_withdrew_or_gave_up_a_place() -> None:
    lists = {"A": "P", "B": "", "C": "P", "D": "P"}
    tables = make_round(lists, {"P": 3}, applicants={"C": {"review": "withdrawn"}})
    assert cells(left(tables, "A P", "B P", "C P"), "applicants", "applicant") == ["B", "D"]
    strict = left(tables, "A P", "B P", "C P", declined=False)
    assert cells(strict, "applicants", "applicant") == ["D"]
    assert strict.seats == 2


def test_who_declined_stays_out_of_what_she_declined_and_may_be_left_out() -> None:
    """B declined P, and an earlier result that was placed again says nothing of her any more."""
    tables = make_round({"A": "P", "B": "P"}, {"P": 2}, decisions=decided("declined", "B P"))
    found = left(tables, "A P")
    assert cells(found, "applicants", "applicant") == ["B"]
    assert cells(found, "decisions", "applicant", "program", "decision") == ["B P declined"]
    assert left(tables, "A P", declined=False).people == 0


def test_a_class_asks_for_those_it_lacks() -> None:
    programs = {"P": {"order_class": "K"}, "Q": {"order_class": "K"}, "R": {"order_class": "L"},
                "S": {"order_class": "M"}}  # fmt: skip
    tables = make_round(
        {"A": "P", "B": "R", "C": "R", "D": "", "E": "", "F": ""}, {"P": 2, "Q": 2, "R": 3, "S": 3},
        programs=programs, applicants={"F": {"not_accepted": "K;M"}},
        order_classes={"K": {"min_size": 3, "must_open": 1}, "L": {"min_size": 2, "must_open": 1}, "M": 2},
    )  # fmt: skip
    found = left(tables, "A P", "B R", "C R")
    assert cells(found, "order_classes", "order_class", "min_size", "must_open") == [
        "K 2 1",
        "L 0 ",
    ]
    assert cells(found, "programs", "program", "capacity") == ["P 1", "Q 2", "R 1"]
    assert cells(found, "applicants", "applicant", "not_accepted") == ["D ", "E ", "F K"]
    again = left(tables, "A P", "B R", "C R", reopen=True)
    assert cells(again, "order_classes", "order_class", "min_size") == ["K 2", "L 0", "M 2"]
    crowded = make_round({"A": "P", "D": ""}, {"P": 1, "Q": 1, "R": 0, "S": 0}, programs=programs,
                         order_classes={"K": {"min_size": 2}, "L": 0, "M": 0})  # fmt: skip
    assert cells(left(crowded, "A P"), "order_classes", "order_class", "min_size") == ["K 1"]


def test_a_class_that_cannot_reach_what_it_lacks_is_not_offered() -> None:
    tables = make_round(
        {"A": "P", "D": ""}, {"P": 3, "Q": 1}, programs={"P": {"order_class": "K"}},
        order_classes={"K": 3}, caps={"S": {"seats": 1, "programs": "P"}},
    )  # fmt: skip
    assert cells(left(tables, "A P"), "programs", "program") == ["Q"], "the cap is full"


def test_reserved_seats_that_nobody_has_taken() -> None:
    people = {"A": {"groups": "g"}, "B": {}, "C": {"groups": "h"}, "D": {}}
    tables = make_round(
        dict.fromkeys("ABCD", "P"), {"P": 6}, applicants=people, scores={f"{a} P": 9 for a in "ABCD"},
        reserves={"P g": {"seats": 2, "must_fill": 0}, "P h hard": {"seats": 2, "must_fill": 1}},
    )  # fmt: skip
    found = left(tables, "A P", "B P", "C P")
    assert cells(found, "programs", "program", "capacity") == ["P 3"]
    assert cells(found, "reserves", "group", "seats", "must_fill") == ["g 1 0", "h 1 1"]
    full = left(tables, "A P", "B P", "D P")
    assert cells(full, "reserves", "group", "seats") == ["g 1", "h 2"]
    taken = make_round(
        dict.fromkeys("ABCD", "P"), {"P": 3}, applicants=people,
        reserves={"P g": 2, "P h hard": {"seats": 1, "must_fill": 1}},
    )  # fmt: skip
    found = left(taken, "B P", "C P")
    assert cells(found, "reserves", "group", "seats", "must_fill") == ["g 1 ", "h 0 "]


def test_caps_keep_what_is_left_under_them() -> None:
    caps = {"S": {"seats": 3, "programs": "P;Q;R"}, "T": {"seats": 1, "enterprise": "e"}}
    tables = make_round(
        {"A": "P", "B": "R", "C": ""}, {"P": 1, "Q": 2, "R": 2, "V": 1}, caps=caps,
        programs={"R": {"enterprise": "e"}},
    )  # fmt: skip
    found = left(tables, "A P", "B R")
    assert cells(found, "programs", "program", "capacity") == ["Q 2", "V 1"], "T is full"
    assert cells(found, "caps", "cap", "seats", "programs") == ["S 1 Q"]


def test_channels_that_nobody_asks_for_any_more() -> None:
    tables = make_round({"A": "P", "B": "P"}, {"P": 1, "Q": 1}, scores={"A X": 2, "B X": 1, "B Y": 1},
                        programs={"P": {"channel": "X"}, "Q": {"channel": "Y"}})  # fmt: skip
    assert cells(left(tables, "A P"), "scores", "applicant", "channel") == ["B Y"]


def test_a_drawn_seed_is_not_used_again() -> None:
    tables = make_round({"A": "", "B": ""}, {"P": 1}, {"lottery.seed": "00ff"})
    assert Policy.from_tables(left(tables).tables).seed == "00ff"
    drawn = Tables(tables.tables, tables.policy, {"kind": "none"})
    made = next_round(drawn, Policy.from_tables(tables), market(tables), earlier())
    assert Policy.from_tables(made.tables).seed == ""
    assert made.tables.draw is None


def test_crossing_caps_are_refused_as_for_the_waiting_list() -> None:
    caps = {"S": {"seats": 1, "programs": "P;Q"}, "T": {"seats": 1, "programs": "Q;R"}}
    with pytest.raises(UnsupportedConstraint, match="crossing_cap"):
        left(make_round({"A": "P"}, dict.fromkeys("PQR", 1), caps=caps))


# --- there and on: it validates, and solves -------------------------------------------------------


def with_lists(rng: Random, tables: Tables) -> Tables:
    """The next round once people have listed some of its programs, as many as the rules allow."""
    policy = Policy.from_tables(tables)
    most = min(n for n in (policy.max_choices, len(policy.rank_costs), 9) if n)
    programs = tables["programs"]["program"]
    class_of = dict(zip(programs, tables["programs"]["order_class"], strict=True))
    rows = []
    for row in tables["applicants"].records():
        refused = set(row.get("not_accepted", "").split(";"))
        may = [p for p in programs if (class_of[p] or p) not in refused]
        rows += [(row["applicant"], str(n), p)
                 for n, p in enumerate(rng.sample(may, rng.randint(0, min(most, len(may)))), start=1)]  # fmt: skip
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    listed = Table(dict(zip(("applicant", "rank", "program"), map(list, columns), strict=True)))
    return Tables(tables.tables | {"applications": listed}, tables.policy, tables.draw)


@pytest.mark.parametrize("part", range(PARTS))
def test_it_is_a_sound_round_that_solves_and_nothing_is_given_twice(part: int) -> None:
    solved = 0
    for number in range(part, MARKETS, PARTS):
        rng = Random(f"next {number}")
        instance = random_instance(rng, rng.choice(("stable", "parallel")))
        tables = tables_of(instance)
        policy = Policy.from_tables(tables)
        made = Market.from_tables(tables, policy)
        result = solve(made, policy)
        pairs = [
            (made.applicants[i], made.programs[p]) for i, p in enumerate(result.matching) if p >= 0
        ]
        held = [Placement(*pair, False) for pair in pairs if rng.random() < 0.6]
        before = Earlier(tuple(sorted(held)), "")
        found = next_round(tables, policy, made, before, reopen=rng.random() < 0.5)
        if not found.people or not found.seats:
            continue
        then = with_lists(rng, found.tables)
        assert [i for i in validate(then) if i.severity == "error"] == [], number
        new_policy = Policy.from_tables(then)
        second = Market.from_tables(then, new_policy)
        more = solve(second, new_policy)
        given = [
            (second.applicants[i], second.programs[p])
            for i, p in enumerate(more.matching)
            if p >= 0
        ]
        both = [(one.applicant, one.program) for one in held] + given
        assert len({i for i, _ in both}) == len(both), number
        sizes = [sum(p == name for _, p in both) for name in made.programs]
        assert all(n <= q for n, q in zip(sizes, made.capacity, strict=True)), number
        for cap in made.caps:
            assert sum(sizes[p] for p in cap.programs) <= cap.seats, number
        at = {c: sum(sizes[p] for p in range(len(sizes)) if made.class_of[p] == c)
              for c in range(len(made.min_size))}  # fmt: skip
        first = {c: sum(one.program in [made.programs[p] for p in range(len(sizes)) if made.class_of[p] == c]
                        for one in held) for c in at}  # fmt: skip
        for c, n in at.items():
            assert n == first[c] or n >= made.min_size[c], number
        solved += 1
    assert solved > 10 or MARKETS < 100


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    lists = {"A": "P", "B": "P", "C": "P"}
    make_round(lists, {"P": 1, "Q": 2}, {"policy.round": "1"}, scores={"A P": 2, "B P": 1}).write(
        tmp_path / "first"
    )
    assert run("solve", tmp_path / "first").exit_code == 0
    return tmp_path / "first"


def test_the_folder_of_the_next_round_validates_and_solves(ended: Path, tmp_path: Path) -> None:
    done = run("next-round", ended, tmp_path / "second")
    assert done.exit_code == 0, done.output
    assert "下一轮“2”：2 人可填报，2 个席位；另有 1 人保留录取，不在其中。" in done.stdout
    assert run("validate", tmp_path / "second").exit_code == 0
    (tmp_path / "second" / "applications.csv").write_text("applicant,rank,program\nB,1,Q\nC,1,Q\n")
    assert run("solve", tmp_path / "second").exit_code == 0
    assert run("verify", tmp_path / "second").exit_code == 0
    third = run("next-round", tmp_path / "second", tmp_path / "third")
    assert third.exit_code == 3 and not (tmp_path / "third").exists()
    assert "没有人或没有席位剩下，不用再开一轮" in third.stderr
    policy = Policy.from_tables(Tables.read(tmp_path / "second"))
    assert Tables.read(ended).digest() in policy.basis[-1], "the chain leads back"


def test_a_round_that_was_drawn_asks_for_a_draw_of_its_own(ended: Path, tmp_path: Path) -> None:
    tables = Tables.read(ended)
    left_ = next_round(tables, Policy.from_tables(tables), market(tables), earlier("A P"))
    text = left_.tables.policy.replace(b"seed", b"#")
    Tables(left_.tables.tables, text).write(tmp_path / "second")
    done = run("validate", tmp_path / "second", "--before-draw")
    assert done.exit_code == 0, done.output
    assert run("validate", tmp_path / "second").exit_code == 2


def test_bad_input_writes_nothing(ended: Path, tmp_path: Path) -> None:
    new = tmp_path / "second"
    assert run("next-round", ended, new, "--result", tmp_path / "nothing").exit_code == 2
    assert run("next-round", tmp_path / "nothing", new).exit_code == 2
    assert run("next-round", ended, new, "--round", "a|b").exit_code == 2
    assert not new.exists()
    new.mkdir()
    (new / "letter").write_text("")
    done = run("next-round", ended, new)
    assert done.exit_code == 2 and [p.name for p in new.iterdir()] == ["letter"]
    assert run("next-round", ended, ended / "result").exit_code == 2


def test_crossing_caps_and_unpublishable_results_are_told(ended: Path, tmp_path: Path) -> None:
    caps = {"S": {"seats": 1, "programs": "P;Q"}, "T": {"seats": 1, "programs": "Q;R"}}
    make_round({"A": "P"}, dict.fromkeys("PQR", 1), {"policy.round": "1"}, caps=caps).write(ended)
    (ended / "scores.csv").unlink()
    done = run("next-round", ended, tmp_path / "second")
    assert done.exit_code == 2 and "refused_crossing_cap" in done.stderr
    text = (ended / "result" / "result.json").read_text("utf-8")
    (ended / "result" / "result.json").write_text(
        text.replace('"publishable": true', '"publishable": false')
    )
    assert "不可公布" in run("next-round", ended, tmp_path / "second").stderr


def test_confirmed_places_are_frozen() -> None:
    tables = make_round({"A": "P Q", "B": "P"}, {"P": 1, "Q": 1}, decisions=confirmed("A Q"))
    found = left(tables, "A Q !", "B P")
    assert (found.people, found.frozen) == (0, 2)
