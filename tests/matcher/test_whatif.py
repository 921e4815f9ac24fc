"""A round changed in memory and solved again: who moves, what is refused, and that no file changes."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

from matcher import (
    InvalidRound,
    Policy,
    Tables,
    UnsupportedConstraint,
    cli,
    seats,
    whatif,
    whatif_screen,
)
from matcher.changes import (
    Change,
    Choices,
    Close,
    Open,
    Score,
    Seats,
    Withdraw,
    changed,
    pinned,
    read,
)
from matcher.lottery import draw_seed
from matcher.seats import names, value_of_seats
from matcher.tables import Issue
from matcher.whatif import Comparison, Kept, Move, Solved
from tests.instances import Instance, Person
from tests.matcher.test_enough import by_definition, lowered
from tests.matcher.test_oracle import tables_of
from tests.random_markets import random_instance
from tests.rounds import make_round

EXAMPLE = Path(__file__).parents[2] / "data" / "example"


def supposed(tables: Tables, *changes: Change, **rules: str) -> Comparison:
    """What a round would be with some changes."""
    policy = replace(Policy.from_tables(tables), **rules)  # type: ignore[arg-type]
    return whatif(tables, policy, changes)


def moves(found: Comparison) -> list[str]:
    """Everybody who moves, as words."""
    return [f"{m.applicant} {m.before or '-'} {m.after or '-'} {m.change}" for m in found.moves]


def example(*changes: Change) -> list[str]:
    """Who moves in the example round."""
    return moves(supposed(Tables.read(EXAMPLE), *changes))


# --- each kind of change, on the round solved by hand


def test_nothing_changes_without_a_change() -> None:
    assert example() == []


def test_one_more_seat_goes_to_the_next_in_order() -> None:
    assert example(Seats("WELD", 1)) == ["A09 - WELD gained"]


def test_a_seat_less() -> None:
    """Without a third seat at WELD nobody sits on an open one."""
    assert example(Seats("WELD", -1)) == ["A07 WELD - lost"]


def test_changes_of_seats_add_up() -> None:
    assert example(Seats("WELD", 2), Seats("WELD", -1)) == ["A09 - WELD gained"]


def test_a_final_score_and_a_component() -> None:
    """A09 passes A07 (83) with 83.5, or with an interview of 90: (42 + 27) / 0.8 = 86.25."""
    expected = ["A07 WELD - lost", "A09 - WELD gained"]
    assert example(Score("A09", "S", "83.5")) == expected
    assert example(Score("A09", "WELD", "83.5")) == expected
    assert example(Score("A09", "S", "90", "interview")) == expected
    assert example(Score("A09", "WELD", "90", "interview")) == expected


def test_who_withdraws_leaves_her_seat() -> None:
    assert example(Withdraw("A07")) == ["A07 WELD - changed", "A09 - WELD gained"]


def test_a_class_that_takes_nobody() -> None:
    """A08 goes to TEXT, which then has three people and opens; a bed in U1 is free for A05."""
    assert example(Close("CARE")) == [
        "A05 - NEV-Y gained", "A08 CARE TEXT worse", "A09 - WELD gained", "A10 WELD TEXT better",
        "A11 WELD TEXT better",
    ]  # fmt: skip


def test_a_class_with_reserves_and_a_minimum_can_be_closed() -> None:
    found = supposed(Tables.read(EXAMPLE), Close("WELD"), Close("NEV"))
    placed = {found.after.market.programs[p] for p in found.after.result.matching if p >= 0}
    assert not placed & {"NEV-X", "NEV-Y", "WELD"}


def test_a_class_that_is_kept_open() -> None:
    found = supposed(Tables.read(EXAMPLE), Open("TEXT"))
    assert found.kept == (Kept("TEXT", 2, 3),)
    assert moves(found) == [
        "A05 - WELD gained", "A09 - WELD gained", "A10 WELD TEXT better", "A11 WELD TEXT better",
    ]  # fmt: skip


def test_a_program_without_a_class_is_its_own() -> None:
    tables = make_round({"A": "P Q"}, {"P": 1, "Q": 1})
    assert moves(supposed(tables, Close("P"))) == ["A P Q worse"]
    assert supposed(tables, Open("P")).kept == (Kept("P", 1, 0),)


def test_another_list_is_judged_by_the_first() -> None:
    tables = make_round({"A": "P Q"}, {"P": 1, "Q": 1, "R": 1, "S": 1})
    assert moves(supposed(tables, Choices("A", ("Q", "P")))) == ["A P Q worse"]
    assert moves(supposed(tables, Choices("A", ("R", "P")))) == ["A P R better"]
    assert moves(supposed(tables, Choices("A", ("R",)))) == ["A P R changed"]
    assert moves(supposed(tables, Choices("A", ()))) == ["A P - changed"]
    shown = supposed(tables, Choices("A", ("R",))).figures["moves"]
    assert shown == dict.fromkeys(("better", "worse", "same", "gained", "lost"), 0) | {"changed": 1}


def test_changes_of_all_kinds_together() -> None:
    found = example(
        Seats("WELD", 1), Withdraw("A07"), Score("A09", "S", "99"), Open("TEXT"), Close("ROBO"),
        Choices("A03", ("NEV-Y",)),
    )  # fmt: skip
    assert "A07 WELD - changed" in found and "A09 - WELD gained" in found


def test_scores_where_there_were_none() -> None:
    tables = make_round({"A": "P", "B": "P"}, {"P": 1})
    for winner in "AB":
        after = supposed(tables, Score(winner, "P", "1")).after
        assert after.result.matching[after.market.applicants.index(winner)] == 0


def test_the_tables_given_stay_as_they_are() -> None:
    tables = Tables.read(EXAMPLE)
    before = tables.digest()
    every: Sequence[Change] = [
        Seats("WELD", 1), Score("A09", "S", "99"), Withdraw("A01"), Open("TEXT"), Close("CARE"),
        Choices("A02", ("ROBO",)),
    ]  # fmt: skip
    after = changed(tables, every)
    assert tables.digest() == before != after.digest()
    assert list(after["applicants"]["applicant"]) == list(tables["applicants"]["applicant"])


# --- by the definitions


def random_change(rng: Random, instance: Instance) -> tuple[Change, Instance]:
    """A change, and the instance that it makes."""
    kind = rng.choice(("seats", "open", "list"))
    seats = {p.order_class for p in instance.programs if p.capacity}
    classes = [c for c in instance.classes if c.id in seats]
    if kind == "open" and classes and instance.rules.mechanism != "optimal":
        name = rng.choice(classes)
        return Open(name.id), lowered(instance, name.id, name.min_size)
    if kind == "list":
        person: Person = rng.choice(instance.people)
        entries = tuple(rng.sample(person.entries, len(person.entries)))
        people = tuple(
            replace(p, entries=entries) if p.id == person.id else p for p in instance.people
        )
        return Choices(person.id, entries), replace(instance, people=people)
    program = rng.choice(instance.programs)
    programs = tuple(
        replace(p, capacity=p.capacity + (p.id == program.id)) for p in instance.programs
    )
    return Seats(program.id, 1), replace(instance, programs=programs)


@pytest.mark.parametrize("mechanism", ["stable", "parallel", "optimal", "max_placement"])
def test_random_changes_give_what_the_definitions_give(mechanism: str) -> None:
    rng = Random(f"what if {mechanism}")
    for _ in range(40 if mechanism == "optimal" else 150):
        instance = random_instance(rng, mechanism, people=4)
        change, other = random_change(rng, instance)
        after = supposed(tables_of(instance), change).after
        names = [*after.market.programs, None]
        found = {
            a: names[p] for a, p in zip(after.market.applicants, after.result.matching, strict=True)
        }
        assert found == by_definition(other), change


@pytest.mark.parametrize("mechanism", ["stable", "parallel", "optimal", "max_placement"])
def test_the_value_of_a_seat_is_that_of_the_changed_round(mechanism: str) -> None:
    rng = Random(f"seats {mechanism}")
    moving = 0
    for _ in range(40):
        tables = tables_of(random_instance(rng, mechanism))
        base = Solved.of(tables, Policy.from_tables(tables))
        minimums = (base.market.min_size > 1).any()
        for value in value_of_seats(base, base.market.programs):
            found = whatif(tables, base.policy, [Seats(value.program, 1)], base)
            kinds = Counter(m.change for m in found.moves)
            placed = [r["placed"] for r in found.figures["results"]]
            assert value.placed == placed[1] - placed[0]
            assert all(value.people(kind) == kinds[kind] for kind in whatif_screen.MOVING)
            assert value.moved == found.moves and (not value.moved or not value.proven)
            before, after = (r["objective"] for r in found.figures["results"])
            assert list(value.gain) == [after[name] - before[name] for name in names(base)]
            if mechanism == "optimal" and value.price is not None and not minimums:
                assert value.gain <= value.price
            moving += len(value.moved)
    assert moving > 20


def test_more_seats_may_harm_where_classes_have_a_minimum() -> None:
    """With a second seat at P, B leaves Q, whose class then closes: D loses her place."""
    tables = make_round(
        {"A": "P", "B": "P Q", "D": "Q"}, {"P": 1, "Q": 2}, order_classes={"C": 2},
        programs={"Q": {"order_class": "C"}}, scores={"A P": 9, "B P": 8},
    )  # fmt: skip
    base = Solved.of(tables, Policy.from_tables(tables))
    value = value_of_seats(base)
    moved = (Move("B", "Q", "P", "better"), Move("D", "Q", "", "lost"))
    assert [(v.program, v.capacity, v.placed, v.moved) for v in value] == [
        ("Q", 2, 0, ()), ("P", 1, -1, moved),
    ]  # fmt: skip


def test_the_value_of_every_seat_of_the_example() -> None:
    base = Solved.of(tables := Tables.read(EXAMPLE), Policy.from_tables(tables))
    found = value_of_seats(base)
    assert [(v.program, v.placed, v.people("gained"), len(v.moved)) for v in found[:2]] == [
        ("WELD", 1, 1, 1), ("NEV-X", 0, 0, 0),
    ]  # fmt: skip
    assert {v.program for v in found if v.proven} == {"ROBO", "TEXT"}
    assert names(base) == ["placed", "reserves", "rank", "fit"]
    with pytest.raises(KeyError):
        value_of_seats(base, ["nothing"])


def test_seats_can_be_valued_in_processes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seats, "BLOCK", 3)
    base = Solved.of(tables := Tables.read(EXAMPLE), Policy.from_tables(tables))
    told: list[int] = []
    found = value_of_seats(base, base.market.programs, 2, told.append)
    # Whether a value is proven without a second solve depends on how many are asked for together.
    alone = [replace(v, proven=False) for v in value_of_seats(base, base.market.programs)]
    assert [replace(v, proven=False) for v in found] == alone
    assert told == [3, 3] and len(found) == 6
    (one,) = seats._values(base, [5])
    assert replace(one, proven=False) in alone


# --- the lottery stays


@pytest.mark.parametrize("mechanism", ["stable", "optimal", "max_placement"])
def test_a_public_draw_is_not_drawn_again(mechanism: str) -> None:
    lists = {f"A{n}": "P Q" for n in range(6)}
    tables = make_round(lists, {"P": 2, "Q": 2}, {"lottery.seed": None})
    value = "01234567890123456789"
    tables.draw = {"kind": "dice", "value": value, "seed": draw_seed(tables.digest(), value)}
    found = supposed(tables, Seats("Q", 1), mechanism=mechanism)
    assert found.before.market.drawn == found.after.market.drawn
    assert pinned(tables, found.before.policy).seed == tables.draw["seed"]
    if mechanism == "stable":
        assert [m.change for m in found.moves] == ["gained"]
    stated, complete = found.before.again(found.before.market)
    assert complete and stated.tolist() == found.before.result.matching.tolist()


# --- what is refused


def refused(tables: Tables, *changes: Change) -> list[str]:
    with pytest.raises(InvalidRound) as error:
        supposed(tables, *changes)
    return [f"{i.table}.{i.column} {i.code} {i.value}" for i in error.value.issues]


def test_unknown_ids_and_contradictions_are_listed_at_once() -> None:
    assert refused(
        Tables.read(EXAMPLE), Seats("X", 1), Score("Z", "Y", "1", "wit"), Withdraw("W"),
        Open("TEXT"), Close("TEXT"), Choices("A01", ("NEV",)), Choices("A01", ()), Close("K"),
        Score("A09", "S", "1"), Score("A09", "S", "2"), Score("A09", "S", "2"), Choices("V", ()),
    ) == [
        "what-if.--seats change_unknown X",
        "what-if.--score change_unknown Z",
        "what-if.--score change_unknown Y",
        "what-if.--score change_unknown wit",
        "what-if.--withdraw change_unknown W",
        "what-if.--close change_twice TEXT",
        "what-if.--list change_twice A01",
        "what-if.--close change_unknown K",
        "what-if.--score change_twice A09 S score",
        "what-if.--list change_unknown V",
    ]  # fmt: skip


def test_a_change_that_makes_the_round_invalid_tells_everything() -> None:
    found = refused(
        Tables.read(EXAMPLE), Seats("WELD", -2), Seats("ROBO", -3), Score("A09", "S", "101"),
        Choices("A01", ("NEV", "nowhere")),
    )  # fmt: skip
    codes = {line.split()[1] for line in found}
    assert {"negative", "score_out_of_range", "unknown_reference"} <= codes
    assert "reserves_above_capacity" in {
        line.split()[1] for line in refused(Tables.read(EXAMPLE), Seats("WELD", -2))
    }
    assert refused(Tables.read(EXAMPLE), Score("A01", "W", "9O")) == ["scores.score not_number 9O"]


def test_what_comes_to_nothing_is_refused() -> None:
    """A seat in a class that takes nobody, a score or list of somebody who withdraws."""
    assert refused(
        Tables.read(EXAMPLE), Close("NEV"), Seats("NEV-X", 1), Seats("WELD", 1), Withdraw("A09"),
        Score("A09", "S", "90"), Choices("A09", ("WELD",)), Choices("A01", ("WELD",)),
    ) == [
        "what-if.--seats change_in_vain NEV-X",
        "what-if.--score change_in_vain A09",
        "what-if.--list change_in_vain A09",
    ]  # fmt: skip


@pytest.mark.parametrize("mechanism", ["stable", "optimal"])
def test_a_class_without_seats_cannot_be_opened(mechanism: str) -> None:
    tables = make_round(
        {"A": "P Q"}, {"P": 0, "Q": 1}, {"mechanism.name": mechanism}, order_classes={"C": 0},
        programs={"P": {"order_class": "C"}},
    )  # fmt: skip
    assert refused(tables, Open("C")) == ["what-if.--open change_no_seats C"]
    found = supposed(tables, Open("C"), Seats("P", 1))
    assert moves(found) == ["A Q P better"] and found.kept == (Kept("C", 1, 0),)


def test_faults_of_changes_and_of_the_round_that_they_make_come_together() -> None:
    found = refused(
        Tables.read(EXAMPLE), Seats("X", 1), Seats("ROBO", -3), Score("A09", "S", "101")
    )
    assert [line.split()[1] for line in found] == [
        "change_unknown", "negative", "score_out_of_range",
    ]  # fmt: skip


def test_a_decree_makes_a_class_hold_its_minimum_under_the_optimal_plan() -> None:
    """Nobody would be at T, second to both; its minimum of two draws them away from their firsts."""
    tables = make_round(
        {"A": "P T", "B": "Q T"}, {"T": 2, "P": 1, "Q": 1}, {"mechanism.name": "optimal"},
        order_classes={"C": 2}, programs={"T": {"order_class": "C"}},
    )  # fmt: skip
    found = supposed(tables, Open("C"))
    assert moves(found) == ["A P T worse", "B Q T worse"]
    before, after = (r["objective"] for r in found.figures["results"])
    assert (before["placed"], after["placed"]) == (2, 2)
    assert (before["rank"], after["rank"]) == (0, -2)


def test_a_class_that_is_its_own_can_be_opened_by_decree() -> None:
    tables = make_round(
        {"A": "P Q", "B": "P"}, {"P": 2, "Q": 1, "R": 1}, {"mechanism.name": "optimal"}
    )
    found = supposed(tables, Open("Q"))
    assert moves(found) == ["A P Q worse"] and found.kept == (Kept("Q", 1, 0),)
    assert (found.figures["only_first_opens"], found.figures["only_second_opens"]) == ([], ["Q"])


def test_what_a_decree_asks_for_is_undone_in_a_class_that_takes_nobody() -> None:
    tables = make_round(
        {"A": "P Q", "B": "P"}, {"P": 2, "Q": 1}, {"mechanism.name": "optimal"},
        order_classes={"C": {"min_size": 2, "must_open": 1}}, programs={"P": {"order_class": "C"}},
        applicants={"A": {"groups": "g"}}, reserves={"P g": {"seats": 1, "must_fill": 1}},
    )  # fmt: skip
    assert moves(supposed(tables, Close("C"))) == ["A P Q worse", "B P - lost"]


def test_what_the_mechanism_cannot_honour_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedConstraint, match="program_score"):
        supposed(Tables.read(EXAMPLE), Score("A09", "WELD", "90"), mechanism="parallel")


@pytest.mark.parametrize(
    ("option", "text", "change"),
    [
        ("--seats", "P=+1", Seats("P", 1)),
        ("--seats", "P=x=-2", Seats("P=x", -2)),
        ("--score", "A,P=82.5", Score("A", "P", "82.5")),
        ("--score", "A,P,interview=absent", Score("A", "P", "absent", "interview")),
        ("--withdraw", "A", Withdraw("A")),
        ("--open", "C", Open("C")),
        ("--close", "C", Close("C")),
        ("--list", "A=P1;P2", Choices("A", ("P1", "P2"))),
        ("--list", "A=", Choices("A", ())),
    ],
)
def test_changes_as_they_are_written(option: str, text: str, change: Change) -> None:
    assert read(option, text) == change


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--seats", "P=1"), ("--seats", "P"), ("--seats", "=+1"), ("--seats", "P=+1.5"),
        ("--score", "A=1"), ("--score", "A,P="), ("--score", "A,P,b,c=1"), ("--score", ",P=1"),
        ("--withdraw", ""), ("--open", ""), ("--list", "A"), ("--list", "=P"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_told_with_how_to_write_it(option: str, text: str) -> None:
    issue = read(option, text)
    assert isinstance(issue, Issue)
    assert (issue.code, issue.column, issue.value) == ("change_syntax", option, text)
    assert isinstance(read(option, issue.limit), Change)


# --- the command line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example round."""
    shutil.copytree(EXAMPLE, tmp_path / "round", ignore=shutil.ignore_patterns("result*"))
    return tmp_path / "round"


def run(*arguments: object) -> Result:
    """The command, answered; a traceback is an error of the test."""
    words = ["what-if", *map(str, arguments)]
    done = CliRunner().invoke(cli.main, words, prog_name="python -m matcher")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def content(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_the_command_compares_and_writes_moves_and_nothing_else(
    folder: Path, tmp_path: Path
) -> None:
    before = content(folder)
    done = run(folder, "--seats", "WELD=+1", "--open", "TEXT", "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert "WELD 席位 +1" in done.stdout and "班级 TEXT 会有 2 人" in done.stdout
    assert content(tmp_path / "out") == {
        "moves.csv": b"applicant,from,to,change\nA05,,WELD,gained\nA09,,WELD,gained\n"
        b"A10,WELD,TEXT,better\nA11,WELD,TEXT,better\n"
    }
    assert content(folder) == before


def test_every_kind_of_change_is_said(folder: Path) -> None:
    done = run(
        folder, "--score", "A09,S,interview=90", "--withdraw", "A07", "--close", "CARE",
        "--list", "A03=NEV-Y", "--list", "A02=", "--lang", "en",
    )  # fmt: skip
    for said in (
        "A09 has 90 in interview at S", "A07 withdraws", "CARE takes nobody", "A03 lists NEV-Y",
        "A02 lists —", "her own list changed",
    ):  # fmt: skip
        assert said in done.stdout


def test_nobody_moves(folder: Path) -> None:
    assert "没有人的去向改变" in run(folder, "--seats", "ROBO=+1").stdout


def test_lists_that_grow_or_shrink_are_compared(folder: Path) -> None:
    tables = make_round({"A": "P Q", "B": "Q"}, {"P": 1, "Q": 1})
    tables.write(folder / "small")
    for entries in ("P", "P;Q;R"):
        done = run(folder / "small", "--list", f"A={entries}")
        assert done.exit_code == (2 if "R" in entries else 0)
    assert "第 2 志愿" in run(folder / "small", "--list", "A=P").stdout


def test_faults_end_with_status_2_and_write_nothing(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run(folder, "--seats", "P=1", "--withdraw", "X", "--applicant", "Y", "--class", "Z",
               "--programs", "V;WELD", "--out", out)  # fmt: skip
    assert done.exit_code == 2
    assert len(re.findall("错误 what-if", done.stderr)) == 6
    assert not out.exists()
    assert "是假设改动以后的" not in done.stderr
    done = run(folder, "--seats", "ROBO=-3", "--out", out)
    assert done.exit_code == 2 and "是假设改动以后的" in done.stderr
    assert run(folder, "--mechanism", "parallel", "--score", "A09,WELD=9").exit_code == 2
    assert not out.exists()
    nothing = run(folder)
    assert nothing.exit_code == 2 and "change_nothing" in nothing.stderr


def test_a_round_is_never_written_into(folder: Path) -> None:
    before = content(folder)
    done = run(folder, "--seats", "WELD=+1", "--out", folder)
    assert done.exit_code == 2 and "换一个 --out" in done.stderr
    assert content(folder) == before


def test_a_folder_that_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    done = run(folder, "--seats", "WELD=+1", "--out", tmp_path / "file" / "out")
    assert done.exit_code == 2 and "写不了" in done.stderr


def test_an_applicant_hears_of_nobody_else(folder: Path) -> None:
    names = list(Tables.read(folder)["applicants"]["applicant"])
    for name in names:
        done = run(folder, "--applicant", name)
        assert done.exit_code == 0
        assert set(re.findall(r"A\d\d", done.stdout)) == {name}
        assert "83.01" not in done.stdout
    assert "A01：没有更想去而未录上的志愿" in run(folder, "--applicant", "A01").stdout
    assert "不符合条件（缺考）" in run(folder, "--applicant", "A12", "--lang", "zh").stdout


def test_questions_are_about_the_round_as_changed(folder: Path) -> None:
    done = run(folder, "--class", "TEXT")
    assert (
        "再有 1 人只报它就能开班" in done.stdout
        and "不超过 2 人就能开班，3 人就不能" in done.stdout
    )
    done = run(folder, "--open", "TEXT", "--class", "TEXT")
    assert "班级 TEXT 已开班，2 人" in done.stdout


def test_the_value_of_seats_in_a_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(folder, "--value-of-seats", "--lang", "en")
    rows = re.findall(r"(?m)^(\S+) +(\w+ [+-]\d+) +([\d ]+\d)$", done.stdout)
    assert [(*row[:2], row[2].split()) for row in rows] == [
        ("WELD", "placed +1", ["0", "0", "1", "0"])
    ]
    assert "At the other 5 programs nobody would move (at 2 of them by proof" in done.stdout
    some = run(folder, "--value-of-seats", "--programs", "CARE", "--lang", "en")
    assert "CARE" in some.stdout and "WELD" not in some.stdout and "the other" not in some.stdout
    monkeypatch.setattr(whatif_screen, "LARGE", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert run(folder, "--value-of-seats", "--lang", "en").stdout == done.stdout


OPTIMAL = ("--mechanism", "optimal", "--lang", "en")


def test_one_choice_alone(folder: Path) -> None:
    done = run(folder, "--applicant", "A11", "--program", "TEXT")
    assert "TEXT：" in done.stdout and "CARE" not in done.stdout
    assert "没有什么要问" in run(folder, "--applicant", "A01", "--program", "NEV-X").stdout
    assert "--list A11=ROBO" in run(folder, "--applicant", "A11", "--program", "ROBO").stdout


def test_under_the_optimal_plan_no_score_has_a_say_but_a_place_a_cost(tmp_path: Path) -> None:
    """A would have C, D and B her place: two firsts and a second become a third, and so on."""
    lists = {"A": "P Q", "B": "P R", "D": "S"}
    make_round(lists, {"P": 1, "Q": 1, "R": 1, "S": 0}, {"mechanism.name": "optimal"}).write(
        tmp_path
    )
    done = [run(tmp_path, "--applicant", name, "--lang", "en").stdout for name in "ABD"]
    loser = next(text for text in done[:2] if "choice 1, P" in text)
    assert "as good but for the lottery; 2 people are elsewhere" in loser
    assert loser.count("No score enters the objective") == 1
    assert "no seat is open to her" in done[2]


def test_a_class_under_the_optimal_plan_and_what_a_decree_would_cost(tmp_path: Path) -> None:
    make_round(
        {"A": "P T", "B": "Q T", "D": "Q"}, {"T": 2, "P": 1, "Q": 2, "Z": 0, "Y": 2},
        {"mechanism.name": "optimal"}, order_classes={"C": 2, "E": 0, "F": 2},
        programs={"T": {"order_class": "C"}, "Z": {"order_class": "E"}, "Y": {"order_class": "F"}},
    ).write(tmp_path)  # fmt: skip
    done = run(tmp_path, "--class", "C", "--lang", "en").stdout
    assert "the best plan does without it" in done
    assert "opened by decree: cost of ranks +2; 2 people would move" in done
    assert re.search("(?m)^A +P +T +worse$", done)
    done = run(tmp_path, "--class", "E", "--lang", "en").stdout
    assert "cannot be opened by decree, for this reason" in done and "0 < 1" in done
    done = run(tmp_path, "--class", "F", "--lang", "en").stdout
    assert "no plan keeps all hard requirements" in done and "The class F must open" in done


def test_a_decree_that_no_plan_keeps_is_refused_with_what_conflicts(tmp_path: Path) -> None:
    make_round(
        {"A": "P"}, {"P": 1, "Y": 2}, {"mechanism.name": "optimal"}, order_classes={"F": 2},
        programs={"Y": {"order_class": "F"}},
    ).write(tmp_path)  # fmt: skip
    done = run(tmp_path, "--open", "F", "--lang", "en")
    assert done.exit_code == 2 and "The class F must open" in done.stderr and not done.stdout


def test_prices_stand_beside_what_a_seat_gains(folder: Path, tmp_path: Path) -> None:
    """One seat less at P sends A or B to a third choice, one more brings both to their first."""
    make_round(
        {"A": "P R", "B": "P X R"}, {"P": 1, "R": 1, "X": 0}, {"mechanism.name": "optimal"}
    ).write(tmp_path)
    done = run(tmp_path, "--value-of-seats", "--lang", "en", "--out", tmp_path / "out")
    assert "“One less” is the price of an open seat" in done.stdout
    rows = re.findall(
        r"(?m)^([PRX]) +(\S.*?\S|—) {2,}(\S.*?\S|0) {2,}(\d) +(\d) +(\d) +(\d)$", done.stdout
    )
    assert rows == [
        ("P", "placed -1", "rank cost -1", "1", "0", "0", "0"),
        ("X", "—", "0", "1", "1", "0", "0"),  # as good, but for the lottery
    ]
    lines = (tmp_path / "out" / "seats.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == (
        "program,capacity,price_placed,price_reserves,price_rank,price_fit,gain_placed,gain_reserves,"
        "gain_rank,gain_fit,placed,better,worse,same,gained,lost,complete"
    )
    assert "P,1,1,0,0,0,0,0,1,0,0,1,0,0,0,0,1" in lines
    moved = (tmp_path / "out" / "seat_moves.csv").read_text(encoding="utf-8").splitlines()
    assert moved[0] == "one_more_at,applicant,from,to,change" and "X,B,P,X,worse" in moved
    plain = run(folder, "--value-of-seats", "--out", tmp_path / "out", "--lang", "en")
    assert "One less" not in plain.stdout
    assert (tmp_path / "out" / "seats.csv").read_text(encoding="utf-8").startswith(
        "program,capacity,gain_placed"
    )  # fmt: skip
    assert "has no price of its own" in run(folder, "--value-of-seats", *OPTIMAL).stdout


def test_crossing_caps_have_seats_of_some_value_too() -> None:
    caps = {"K": {"seats": 1, "programs": "P;Q"}, "L": {"seats": 2, "programs": "Q;R"}}
    tables = make_round(
        {"A": "P", "B": "P R", "D": "R", "E": "Q"}, {"P": 1, "Q": 1, "R": 1},
        {"mechanism.name": "optimal"}, caps=caps,
    )  # fmt: skip
    base = Solved.of(tables, Policy.from_tables(tables))
    for value in value_of_seats(base):
        found = whatif(tables, base.policy, [Seats(value.program, 1)], base)
        assert value.moved == found.moves


def test_what_a_search_may_take_is_said_before(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whatif_screen, "SLOW", -1.0)
    for question in (("--applicant", "A11"), ("--class", "CARE")):
        assert "up to 7 solves" in run(folder, *OPTIMAL, *question, "--tries", 7).stderr
        assert "up to" not in run(folder, *question).stderr
