"""Files of other programs: by hand, there and back, against their own readers, and when they are bad."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from algmatch.stableMatchings.hospitalResidentsProblem.ties.fileReader import FileReader
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from matching.games import HospitalResident

from benchmarks.contest import small_contest
from benchmarks.peers import by_matching
from matcher import InvalidRound, Policy, Tables, cli, solve
from matcher.formats import Conversion, glasgow, preflib, seats_beside
from matcher.formats.lists import Lists, of_market, to_tables, unwritable
from tests.rounds import make_round, market, on_disk, placed

GLASGOW = """\
0
4
3
1 2 1 3
2 2 (1 3)
3 1
4
1 2 (3 1) 2
2 1 2 1
3 0 1 2
"""
"""Four residents, three hospitals; hospital 1 has two seats and likes 3 and 1 equally."""

NAMED = """\
3 2
ann : city north
bob : city
eve : north city
city : 1 : eve (ann bob)
north : 1 : ann
"""
"""Names and colons; north does not list eve, who lists it."""

SOI = """\
# FILE NAME: clubs.soi
# TITLE: Clubs
# DESCRIPTION:
# DATA TYPE: soi
# MODIFICATION TYPE: synthetic
# RELATES TO:
# RELATED FILES:
# PUBLICATION DATE: 2026-09-01
# MODIFICATION DATE: 2026-09-01
# NUMBER ALTERNATIVES: 3
# NUMBER VOTERS: 4
# NUMBER UNIQUE ORDERS: 3
# ALTERNATIVE NAME 1: Chess
# ALTERNATIVE NAME 2: Choir, mixed
# ALTERNATIVE NAME 3: Judo
2: 1,2
1: 2, 3, 1
1: 3
"""

TOI = """\
# DATA TYPE: toi
# NUMBER ALTERNATIVES: 3
# NUMBER VOTERS: 3
# NUMBER UNIQUE ORDERS: 2
# ALTERNATIVE NAME 1: a
# ALTERNATIVE NAME 2: b
# ALTERNATIVE NAME 3: c
2: 3,{1,2}
1: 2
"""


def rows(tables: Tables, name: str) -> list[str]:
    """The rows of a table as words."""
    return [" ".join(record.values()) for record in tables[name].records()]


def glasgow_round(text: str) -> Tables:
    return to_tables(glasgow.parse(text, "a.hrt"), "a.hrt")


def preflib_round(text: str, suffix: str = "soi", seats: dict[str, str] | None = None) -> Tables:
    return to_tables(preflib.parse(text, "a.soi", suffix, seats), "a.soi")


def lists_of(tables: Tables) -> Lists:
    return of_market(market(tables), Policy.from_tables(tables))


def told(error: InvalidRound) -> list[str]:
    """Issues as ``row column code value limit`` words."""
    return [
        " ".join(filter(None, (str(i.row), i.column, i.code, i.value, i.limit)))
        for i in error.issues
    ]


def run(*arguments: object) -> Result:
    """The command ``convert``, answered; a traceback is an error of the test."""
    done = CliRunner().invoke(cli.main, ["convert", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# --- by hand


def test_a_glasgow_file_is_a_round() -> None:
    tables = glasgow_round(GLASGOW)
    assert rows(tables, "applicants") == ["1", "2", "3", "4"]
    assert rows(tables, "programs") == ["1 2 1+3", "2 1 ", "3 0 1+3"]
    assert rows(tables, "order_classes") == ["1+3 0"]
    assert rows(tables, "applications") == ["1 1 2", "1 2 1", "1 3 3", "2 1 2", "2 2 1+3", "3 1 1"]
    assert rows(tables, "scores") == ["3 1 2", "1 1 2", "2 1 1", "2 2 2", "1 2 1", "1 3 2", "2 3 1"]
    assert "decisions" not in tables.tables
    policy = Policy.from_tables(tables)
    assert (policy.closure, policy.seed, policy.accept_ranks) == ("sequential", "00", True)
    assert placed(tables) == {"1": "1", "2": "2", "3": "1", "4": ""}


def test_somebody_whom_a_hospital_does_not_list_is_rejected() -> None:
    tables = glasgow_round(NAMED)
    assert rows(tables, "decisions") == ["eve north rejected"]
    assert placed(tables) == {"ann": "north", "bob": "", "eve": "city"}
    assert glasgow.dump(lists_of(tables)) == NAMED


@pytest.mark.parametrize(
    "text",
    [
        GLASGOW.replace("0\n4\n3\n", "4 3\n", 1),
        GLASGOW.replace("0\n4\n3\n", "4\n0\n3\n", 1),
        "4\n3\n1: 2 1 3\n2: 2 (1 3)\n\n3: 1\n4:\n1: 2: (3 1) 2\n2: 1: 2 1\n3: 0: 1 2",
        GLASGOW.replace(" ", "   ").replace("\n", " \n\n"),
    ],
    ids=["one line", "no couples", "colons", "blanks"],
)  # fmt: skip
def test_headers_that_say_the_same(text: str) -> None:
    assert glasgow_round(text).digest() == glasgow_round(GLASGOW).digest()


def test_a_hospital_may_list_somebody_who_does_not_list_it() -> None:
    tables = glasgow_round("2 1\n1 1\n2\n1 1 2 1\n")
    assert rows(tables, "scores") == ["2 1 2", "1 1 1"]
    assert placed(tables) == {"1": "1", "2": ""}


def test_a_file_in_which_nobody_wants_anything() -> None:
    tables = glasgow_round("0 1\nh 1\n")
    assert set(tables.tables) == {"applicants", "programs", "applications"}
    assert glasgow.dump(lists_of(glasgow_round("0\n1\n1\n1\n1 1\n"))) == "0\n1\n1\n1\n1 1\n"


def test_a_preflib_file_is_a_round() -> None:
    tables = preflib_round(SOI)
    assert rows(tables, "applicants") == ["1", "2", "3", "4"]
    assert rows(tables, "programs") == ["Chess 1", "Choir, mixed 1", "Judo 1"]
    assert rows(tables, "applications")[:4] == [
        "1 1 Chess", "1 2 Choir, mixed", "2 1 Chess", "2 2 Choir, mixed",
    ]  # fmt: skip
    assert "scores" not in tables.tables
    assert Policy.from_tables(tables).title == "Clubs"
    assert sorted(placed(tables).values()) == ["", "Chess", "Choir, mixed", "Judo"]


def test_ties_of_a_preflib_file_are_a_class() -> None:
    tables = preflib_round(TOI)
    assert rows(tables, "programs") == ["a 1 a+b", "b 1 a+b", "c 1 "]
    assert rows(tables, "applications") == ["1 1 c", "1 2 a+b", "2 1 c", "2 2 a+b", "3 1 b"]


def test_the_type_of_a_file_is_the_most_restrictive() -> None:
    assert preflib.type_of(lists_of(preflib_round(SOI))) == "soi"
    assert preflib.type_of(lists_of(preflib_round(TOI))) == "toi"
    assert preflib.type_of(lists_of(make_round({"A": "P Q"}, {"P": 1, "Q": 1}))) == "soc"
    classed = {"P": {"order_class": "C"}, "Q": {"order_class": "C"}}
    tied = make_round(
        {"A": "C"}, {"P": 1, "Q": 1}, programs=classed, order_classes={"C": 1}
    )  # fmt: skip
    assert preflib.type_of(lists_of(tied)) == "toc"


def test_equal_lists_share_a_line_whatever_the_order_of_equals() -> None:
    lists = Lists({"1": [("b", "a")], "2": [("a", "b")]}, {"a": "1", "b": "2"})
    assert preflib.dump(lists, "x.toc").endswith("NAME 2: b\n2: {1,2}\n")
    assert preflib.dump_seats(lists) == "program,capacity\na,1\nb,2\n"


# --- there and back


@st.composite
def some_lists(draw: st.DrawFn, sided: bool) -> Lists:
    """Lists with ties on both sides, those of applicants within a partition of the programs."""
    plain = draw(st.booleans())
    people = [
        str(i) if plain or not sided else f"人{i}" for i in range(1, draw(st.integers(1, 6)) + 1)
    ]
    programs = [str(p) if plain else f"席{p}" for p in range(1, draw(st.integers(1, 5)) + 1)]
    part = {p: draw(st.integers(0, 2)) for p in programs}
    choices = {}
    for person in people:
        least = 0 if sided else 1
        listed = draw(st.permutations(programs))[: draw(st.integers(least, len(programs)))]
        groups: list[tuple[str, ...]] = []
        for program in listed:
            whole = tuple(p for p in programs if part[p] == part[program])
            tie = draw(st.booleans())
            if any(program in group for group in groups):
                continue
            free = not any(set(whole) & set(group) for group in groups)
            groups.append(whole if tie and free else (program,))
        choices[person] = groups
    capacity = {p: str(draw(st.integers(0, 3))) for p in programs}
    orders = {p: _order(draw, p, choices) for p in programs} if sided else None
    if not sided:
        choices = dict(zip(people, sorted(choices.values()), strict=True))
    return Lists(choices, capacity, orders, "" if sided else draw(st.sampled_from(["", "一轮 1"])))


def _order(draw: st.DrawFn, program: str, choices: dict[str, Any]) -> list[tuple[str, ...]]:
    level = {
        person: draw(st.integers(0, 3))
        for person, groups in choices.items()
        if any(program in group for group in groups)
    }
    groups = [tuple(i for i in level if level[i] == at) for at in (1, 2, 3)]  # 0: not acceptable
    return [group for group in groups if group]


@settings(deadline=None)
@given(some_lists(sided=True))
def test_glasgow_there_and_back(lists: Lists) -> None:
    tables = to_tables(lists, "x")
    text = glasgow.dump(lists_of(tables))
    assert list(unwritable(market(tables), lists_of(tables), "Glasgow", True)) == []
    assert glasgow_round(text).digest() == tables.digest()
    assert glasgow.dump(lists_of(glasgow_round(text))) == text


@settings(deadline=None)
@given(some_lists(sided=False))
def test_preflib_there_and_back(lists: Lists) -> None:
    tables = to_tables(lists, "x")
    written = lists_of(tables)
    kind = preflib.type_of(written)
    assert list(preflib.unwritable(written, kind)) == []
    text = preflib.dump(written, f"x.{kind}")
    seats = preflib.dump_seats(written)
    given_seats = preflib.parse_seats(seats.encode(), "x.capacities.csv") if seats else None
    again = to_tables(preflib.parse(text, "x", kind, given_seats), "x")
    assert again.digest() == tables.digest()
    assert preflib.dump(lists_of(again), f"x.{kind}") == text


@settings(deadline=None)
@given(some_lists(sided=True).filter(lambda lists: "1" in lists.choices and "1" in lists.capacity))
def test_a_reader_of_others_reads_what_we_write(tmp_path_factory: Any, lists: Lists) -> None:
    text = glasgow.dump(lists_of(to_tables(lists, "x")))
    _, people, hospitals, rest = text.split("\n", 3)
    path = tmp_path_factory.mktemp("hrt") / "a.txt"
    path.write_text(f"{people} {hospitals}\n{rest}", encoding="utf-8")
    read, ours = FileReader(str(path)), glasgow.parse(text, "a.hrt")
    for resident, groups in ours.choices.items():
        theirs = read.residents[f"r{resident}"]["list"]
        assert theirs == [{f"h{p}" for p in group} for group in groups]
    for hospital, groups in (ours.orders or {}).items():
        theirs = read.hospitals[f"h{hospital}"]
        assert theirs["list"] == [{f"r{i}" for i in group} for group in groups]
        assert str(theirs["capacity"]) == ours.capacity[hospital]


def test_an_instance_that_was_converted_has_the_answer_of_matching() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        contest = small_contest(rng)
        again = market(glasgow_round(glasgow.dump(lists_of(contest.tables()))))
        policy = Policy.from_tables(again.tables)
        assert list(again.applicants) == list(contest.tables()["applicants"]["applicant"])
        assert tuple(solve(again, policy).matching.tolist()) == by_matching(contest).matching


def test_an_instance_by_number_has_the_answer_of_matching() -> None:
    text = "5 3\n1 1 2 3\n2 1 2\n3 2 1 3\n4 1 3\n5 2\n1 2 3 4 1 2\n2 1 1 5 2 3\n3 1 4 3 1\n"
    lists = glasgow.parse(text, "a.hr")
    game = HospitalResident.create_from_dictionaries(
        {f"r{i}": [f"h{p}" for (p,) in groups] for i, groups in lists.choices.items()},
        {f"h{p}": [f"r{i}" for (i,) in groups] for p, groups in (lists.orders or {}).items()},
        {f"h{p}": int(seats) for p, seats in lists.capacity.items()},
    )
    found = game.solve(optimal="resident")
    theirs = {r.name[1:]: h.name[1:] for h, chosen in found.items() for r in chosen}
    ours = placed(to_tables(lists, "a.hr"))
    assert {i: p for i, p in ours.items() if p} == theirs == {"1": "2", "3": "1", "4": "1"}


def test_a_round_that_was_converted_is_solved_and_proved(tmp_path: Path) -> None:
    source = tmp_path / "a.hrt"
    source.write_bytes(GLASGOW.replace("\n", "\r\n").encode("utf-8-sig"))
    assert run(source, tmp_path / "round").exit_code == 0
    assert Tables.read(tmp_path / "round").digest() == glasgow_round(GLASGOW).digest()
    assert CliRunner().invoke(cli.main, ["solve", str(tmp_path / "round")]).exit_code == 0
    verdict = json.loads((tmp_path / "round" / "result" / "verdict.json").read_bytes())
    assert {claim["status"] for claim in verdict["claims"]} == {"PROVED"}


# --- what is wrong with a file


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1 glasgow_header"]),
        ("1 2 3 0\n", ["1 glasgow_header 1 2 3 0"]),
        ("4 0 3\n", ["1 glasgow_header 4 0 3"]),
        ("hello\n1\n", ["1 glasgow_header hello"]),
        ("5\n", ["1 glasgow_header 5"]),
        ("-1 2\n", ["1 negative -1"]),
        ("a b\n", ["1 not_integer a", "1 not_integer b"]),
        ("１ 2\n", ["1 full_width １"]),
        ("1 9999999999\n", ["1 too_large 9999999999"]),
        ("2 0\n1\n2\n", ["1 no_programs"]),
        ("4 2 1\n", ["1 glasgow_couples 4 2 1"]),
        ("4\n1\n3\n", ["2 glasgow_couples 1"]),
        ("2 1\n1 1\n1 1 1\n", ["3 glasgow_lines 2 3"]),
        ("1 1\n1 1\n1 1 1\n2 1 1\n", ["4 glasgow_lines 3 2"]),
        ("1 1\n1 1\n1\n", ["3 glasgow_line 1"]),
        ("1 1\n1 2: 1\n1 1 1\n", ["2 glasgow_line 1 2 : 1"]),
        ("1 1\n1: 1\n1: 1 1\n", ["3 glasgow_line 1 : 1 1"]),
        ("1 1\n1: 1: 1\n1 1 1\n", ["2 glasgow_line 1 : 1 : 1"]),
        ("1 1\n(1) 1\n1 1 1\n", ["2 glasgow_line ( 1 ) 1"]),
        ("1 1\n1 1\n1 x 1\n", ["3 1 not_integer x"]),
        ("2 1\n1 (1\n2 ((1))\n1 1 () 1\n",
         ["2 1 list_brackets ( )", "3 2 list_brackets ( )", "4 1 list_brackets ( )"]),
        ("2 1\n1 1)\n2\n1 1 1\n", ["2 1 list_brackets ( )"]),
        ("2 1\n1 1\n1 1\n1 1 1\n", ["3 duplicate_key 1"]),
        ("1 1\n1|2 1\n1 1\n", ["2 forbidden_character 1|2"]),
        ("2 2\n1 1 9\n2 1 1\n1 1 1 2 7\n2 1 1 1\n",
         ["2 1 unknown_partner 9", "3 2 partner_twice 1", "4 1 unknown_partner 7",
          "5 2 partner_twice 1"]),
        ("3 3\n1 (1 2)\n2 (2 3)\n3 (2 1 3)\n1 1 1 2 3\n2 1 1 2 3\n3 1 2 3\n",
         ["3 tied_choices 2 3 2", "4 tied_choices 2 1 3 2"]),
        ("1 3\nx (a b)\na 1 x\nb 1 x\na+b 1 x\n", ["4 program ambiguous_id a+b"]),
    ],
)  # fmt: skip
def test_faults_of_a_glasgow_file(text: str, expected: list[str]) -> None:
    with pytest.raises(InvalidRound) as raised:
        glasgow_round(text)
    assert told(raised.value) == expected


def soi(body: str, **changed: str | None) -> str:
    """A file of three alternatives with that body; None removes a line of its header."""
    header = {
        "DATA TYPE": "soi", "NUMBER ALTERNATIVES": "3", "NUMBER VOTERS": "3",
        "NUMBER UNIQUE ORDERS": "2", "ALTERNATIVE NAME 1": "a", "ALTERNATIVE NAME 2": "b",
        "ALTERNATIVE NAME 3": "c",
    }  # fmt: skip
    stated = {key.replace("_", " "): value for key, value in changed.items()}
    lines = [f"# {k}: {v}" for k, v in (header | stated).items() if v is not None]
    return "\n".join([*lines, *body.split("|")]) + "\n"


GOOD = "2: 1,2|1: 3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3\n1,a\n2,b\n", ["1 preflib_header NUMBER ALTERNATIVES", "1 preflib_header NUMBER VOTERS",
                          "1 preflib_header NUMBER UNIQUE ORDERS", "1 no_programs"]),
        (soi(GOOD, DATA_TYPE="cat"), ["1 DATA TYPE preflib_type cat soc soi toc toi"]),
        (soi(GOOD, NUMBER_VOTERS=None), ["1 preflib_header NUMBER VOTERS"]),
        (soi(GOOD, NUMBER_VOTERS="many"), ["3 NUMBER VOTERS not_integer many"]),
        (soi(GOOD, NUMBER_VOTERS="4"), ["3 NUMBER VOTERS preflib_number 4 3"]),
        (soi(GOOD, NUMBER_UNIQUE_ORDERS="1"), ["4 NUMBER UNIQUE ORDERS preflib_number 1 2"]),
        (soi(GOOD, NUMBER_ALTERNATIVES="4"), ["2 NUMBER ALTERNATIVES preflib_number 4 3"]),
        (soi(GOOD, ALTERNATIVE_NAME_2=None, ALTERNATIVE_NAME_5="e"),
         ["1 preflib_header ALTERNATIVE NAME 2"]),
        (soi(GOOD, ALTERNATIVE_NAME_2="a"), ["6 ALTERNATIVE NAME 2 duplicate_key a"]),
        (soi(GOOD, ALTERNATIVE_NAME_2="x;y"), ["6 forbidden_character x;y"]),
        (soi(GOOD, ALTERNATIVE_NAME_2=""), ["6 ALTERNATIVE NAME 2 missing_value"]),
        ("# DATA TYPE: soi\n" + soi(GOOD), ["2 DATA TYPE duplicate_key DATA TYPE"]),
        (soi("1,2,3|2: 1|0: 2|1: 2;3|1: |3: {}|2: 1,,2"),
         ["8 preflib_line 1,2,3", "10 preflib_line 0: 2", "11 preflib_line 1: 2;3",
          "12 preflib_line 1:", "13 preflib_line 3: {}", "14 preflib_line 2: 1,,2"]),
        (soi("2: 1,7,0,1|1: 3"),
         ["8 unknown_partner 7", "8 unknown_partner 0", "8 partner_twice 1"]),
        (soi("2: {1,2}|1: 3"), ["8 preflib_tied {1,2} soi"]),
        (soi("2: 1,2|1: 3,2,1", DATA_TYPE="toc"), ["8 preflib_incomplete 1,2 toc"]),
        (soi("2: 1,2|1: 1,2"), ["9 duplicate_key 1,2"]),
        (soi("999999999: 1|1: 2", NUMBER_VOTERS="1000000000"),
         ["3 NUMBER VOTERS too_large 1000000000"]),
        (soi("999999998: 1|1: 2", NUMBER_VOTERS="999999999"),
         ["3 NUMBER VOTERS preflib_voters 999999999 1000000"]),
        (soi("2: {1,2}|1: {2,3},1", DATA_TYPE="TOI"), ["9 tied_choices b c 8"]),
        (soi("1: 1|2: {2,3},{1,2}", DATA_TYPE="toi"), ["9 partner_twice 2"]),
    ],
)  # fmt: skip
def test_faults_of_a_preflib_file(text: str, expected: list[str]) -> None:
    with pytest.raises(InvalidRound) as raised:
        preflib_round(text, "")
    assert told(raised.value) == expected


def test_without_a_type_in_the_header_the_suffix_tells() -> None:
    tied = soi("2: {1,2}|1: 3", DATA_TYPE=None)
    assert rows(preflib_round(tied, "txt"), "order_classes") == ["a+b 0"]
    with pytest.raises(InvalidRound) as raised:
        preflib_round(tied, "soi")
    assert told(raised.value) == ["7 preflib_tied {1,2} soi"]


def test_a_tie_that_many_share_is_told_once() -> None:
    text = soi("2: {1,2}|7: {2,3},1", DATA_TYPE="toi", NUMBER_VOTERS="9")
    with pytest.raises(InvalidRound) as raised:
        preflib_round(text)
    assert told(raised.value) == ["9 tied_choices b c 8"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ["1 no_header a.csv"]),
        (b"program\na\n", ["1 capacity missing_column capacity"]),
        (b"program,capacity,channel\na,1,K\n", ["1 channel unknown_column channel"]),
        (b"program,capacity\na,1\na,x\nb,-1\n",
         ["3 program duplicate_key a", "3 capacity not_integer x", "4 capacity negative -1"]),
        (b"program,capacity\na,\n", ["2 capacity missing_value"]),
        ("program,capacity\n甲,1\n".encode("gb18030"), ["2 encoding_gbk a.csv"]),
    ],
)  # fmt: skip
def test_faults_of_a_file_of_seats(data: bytes, expected: list[str]) -> None:
    with pytest.raises(InvalidRound) as raised:
        preflib.parse_seats(data, "a.csv")
    assert told(raised.value) == expected
    assert {issue.table for issue in raised.value.issues} == {"a.csv"}


# --- what a round cannot say


def test_all_that_a_format_cannot_hold_is_told_at_once(tmp_path: Path) -> None:
    tables = make_round(
        {"A": "P C", "B B": "Q P", "E": "", "G": "C"}, {"P": 1, "Q": 1, "R:": 1},
        {"age.reference_date": "2026-09-01"},
        scores={"A P": 5, "G P": 3},
        reserves={"P g": 1}, caps={"K": {"seats": 2, "programs": "P;Q"}},
        order_classes={"C": {"min_size": 2}},
        applicants={"A": {"adjustment": "alliance", "groups": "g"}, "G": {"review": "expired"}},
        programs={"P": {"order_class": "C"}, "Q": {"order_class": "C"}},
        decisions=[{"applicant": "A", "program": "P", "decision": "confirmed"}],
    )  # fmt: skip
    folder = tmp_path / "round"
    tables.write(folder)
    found = []
    for target in ("a.hrt", "a.soc"):
        way = Conversion.plan(folder, tmp_path / target)
        with pytest.raises(InvalidRound) as raised:
            way.files(market(tables), Policy.from_tables(tables))
        found.append(
            [
                f"{i.table} {line}"
                for i, line in zip(raised.value.issues, told(raised.value), strict=True)
            ]
        )
    shared = [
        "reserves 0 seats unwritable_reserves 1 {}",
        "caps 0 cap unwritable_caps 1 {}",
        "order_classes 0 min_size unwritable_min_size 1 {}",
        "applicants 0 adjustment unwritable_adjustment 1 {}",
        "decisions 0 decision unwritable_confirmed confirmed {}",
        "applications 0 program unwritable_barred review {}",
    ]
    assert found[0] == [
        *(line.format("Glasgow") for line in shared),
        "applicants 3 applicant unwritable_id B B",
        "programs 0 program unwritable_id R:",
    ]
    assert found[1] == [
        *(line.format("PrefLib") for line in shared),
        "scores 0 score unwritable_scores 1 PrefLib",
        "applicants 4 applicant unwritable_empty E PrefLib",
        "applications 0 unwritable_type .soc .toi",
    ]


def test_a_class_that_is_listed_after_one_of_its_programs_is_another_tie() -> None:
    classed = {p: {"order_class": "C"} for p in "PQR"}
    tables = make_round(
        {"A": "C", "B": "P C"}, {"P": 1, "Q": 1, "R": 1}, programs=classed, order_classes={"C": 0}
    )
    found = list(unwritable(market(tables), lists_of(tables), "Glasgow", True))
    assert told(InvalidRound(found)) == ["3 tied_choices Q R 2"]


def test_a_rejection_is_said_by_glasgow_and_not_by_preflib() -> None:
    decisions = [{"applicant": "A", "program": "P", "decision": "rejected"}]
    tables = make_round({"A": "P Q"}, {"P": 1, "Q": 1}, decisions=decisions)
    lists = lists_of(tables)
    assert "A : P Q\nP : 1 :\nQ : 1 : A\n" in glasgow.dump(lists)
    assert list(unwritable(market(tables), lists, "Glasgow", True)) == []
    found = list(unwritable(market(tables), lists, "PrefLib", False))
    assert [(i.code, i.value) for i in found] == [("unwritable_barred", "rejected")]


# --- the command


def test_convert_a_glasgow_file_and_back(tmp_path: Path) -> None:
    source = put(tmp_path, "a.hrt", GLASGOW)
    done = run(source, tmp_path / "round")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("已写入")
    assert Tables.read(tmp_path / "round").digest() == glasgow_round(GLASGOW).digest()
    done = run(tmp_path / "round", tmp_path / "new" / "b.hr")
    assert done.exit_code == 0 and "志愿、席位数" in done.stdout and "not the rules" in done.stdout
    back = (tmp_path / "new" / "b.hr").read_text(encoding="utf-8")
    assert glasgow_round(back).digest() == glasgow_round(GLASGOW).digest()


def test_convert_a_preflib_file_with_its_seats_and_back(tmp_path: Path) -> None:
    source = put(tmp_path, "a.soi", SOI)
    seats = put(
        tmp_path, "a.capacities.csv", 'program,capacity\nJudo,2\n"Choir, mixed",1\nChess,1\n'
    )
    assert seats_beside(source) == seats
    assert run(source, tmp_path / "round").stderr == ""
    assert rows(Tables.read(tmp_path / "round"), "programs")[2] == "Judo 2"
    out = tmp_path / "b.soi"
    assert run(tmp_path / "round", out).exit_code == 0
    assert (
        out.read_text("utf-8").split("# NUMBER")[1:]
        == SOI.replace("2, 3, 1", "2,3,1").split("# NUMBER")[1:]
    )
    assert (
        seats_beside(out).read_text("utf-8")
        == 'program,capacity\nChess,1\n"Choir, mixed",1\nJudo,2\n'
    )


def test_convert_with_seats_from_elsewhere_or_none(tmp_path: Path) -> None:
    source = put(tmp_path, "a.txt", TOI)
    seats = put(tmp_path, "seats.csv", "program,capacity,x_note\na,1,\nb,2,\nc,3,\n")
    done = run(source, tmp_path / "one", "--from", "preflib", "--capacities", seats)
    assert (done.exit_code, done.stderr) == (0, "")
    assert rows(Tables.read(tmp_path / "one"), "programs") == ["a 1 a+b", "b 2 a+b", "c 3 "]
    done = run(source, tmp_path / "two.hr", "--from", "preflib")
    assert done.exit_code == 0 and "每个席位按 1 个名额" in done.stderr
    text = (tmp_path / "two.hr").read_text("utf-8")
    assert text.endswith("3 : b\na : 1 : (1 2)\nb : 1 : (1 2 3)\nc : 1 : (1 2)\n")
    done = run(tmp_path / "two.hr", tmp_path / "three", "--to", "preflib")
    assert done.exit_code == 0
    assert "# FILE NAME: three\n" in (tmp_path / "three").read_text("utf-8")
    assert not seats_beside(tmp_path / "three").exists()


def test_faults_are_listed_with_their_lines_and_nothing_is_written(tmp_path: Path) -> None:
    source = put(tmp_path, "a.hrt", "2 1\n1 9\n2 1 1\n1 1 1\n")
    done = run(source, tmp_path / "round")
    assert done.exit_code == 2
    lines = done.stderr.splitlines()
    assert lines[0].startswith("错误 a.hrt 第 2 行 1 [unknown_partner] 9: 名单里的“9”")
    assert "第 3 行 2 [partner_twice]" in lines[1]
    assert lines[2] == "有 2 处错误，什么也没有写。请改正后再运行。"
    assert not (tmp_path / "round").exists()


def test_faults_of_both_files_are_listed_together(tmp_path: Path) -> None:
    source = put(tmp_path, "a.toi", soi("2: {1,2}|1: {2,3}", DATA_TYPE="toi"))
    seats = put(tmp_path, "s.csv", "program,capacity\na,1\nb,1\nz,1\n")
    done = run(source, tmp_path / "r", "--capacities", seats)
    codes = [line.split("[")[1].split("]")[0] for line in done.stderr.splitlines() if "[" in line]
    assert codes == ["seats_missing", "seats_of_nobody", "tied_choices"]
    put(tmp_path, "s.csv", "program,capacity\na,x\n")
    assert run(source, tmp_path / "r", "--capacities", seats).stderr.count("[not_integer]") == 1
    put(tmp_path, "a.toi", "")
    done = run(source, tmp_path / "r", "--capacities", seats)
    assert done.exit_code == 2
    assert "[preflib_header]" in done.stderr and "[not_integer]" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.txt", "r"], "看不出 a.txt 是什么格式。请用 --from"),
        (["a.hrt", "b.txt"], "看不出 b.txt 是什么格式。请用 --to"),
        (["a.hrt", "r", "--capacities", "s.csv"], "只有读 PrefLib 文件才用得着名额文件 s.csv"),
        (["none.hrt", "r"], "找不到文件 none.hrt"),
        (["a.soi", "r", "--capacities", "none.csv"], "找不到文件 none.csv"),
        (["none", "b.hrt"], "找不到文件夹 none"),
        (["a.hrt", "b.hrt", "--from", "round"], "a.hrt 不是文件夹"),
        (["a.hrt", "full"], "full 不是空文件夹"),
        (["a.hrt", "a.hr"], "a.hr 已存在"),
        (["a.soi", "b.soi"], "b.capacities.csv 已存在"),
        (["full", "c.hrt", "--from", "glasgow"], "full 读不了"),
        (["gbk.hrt", "r"], "[text_encoding]"),
        (["a.hrt", "a.hr/r"], "写不了"),
    ],
)
def test_what_cannot_be_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path, "a.hrt", GLASGOW)
    put(tmp_path, "a.hr", GLASGOW)
    put(tmp_path, "a.soi", SOI)
    put(tmp_path, "b.capacities.csv", "")
    (tmp_path / "gbk.hrt").write_bytes("2 1\n甲 1\n".encode("gbk"))
    (tmp_path / "full").mkdir()
    put(tmp_path / "full", "x", "")
    before = sorted(tmp_path.rglob("*"))
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_round_with_errors_is_not_converted(tmp_path: Path) -> None:
    on_disk(tmp_path / "round", make_round({"A": "X"}, {"P": 1}))
    done = run(tmp_path / "round", tmp_path / "a.hrt")
    assert done.exit_code == 2 and "[unknown_reference]" in done.stderr
    assert not (tmp_path / "a.hrt").exists()


def test_the_demo_says_what_glasgow_cannot_hold(tmp_path: Path) -> None:
    done = run(Path(__file__).parents[2] / "data" / "example", tmp_path / "a.hrt")
    assert done.exit_code == 2
    assert "[unwritable_reserves]" in done.stderr and "[unwritable_caps]" in done.stderr
