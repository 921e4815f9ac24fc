"""Every issue of a round at once: where it stands, what it is, and what stands there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from matcher import InvalidRound, Issue, Market, Policy, Tables, UnsupportedConstraint, validate
from matcher.lottery import draw_seed
from tests.rounds import make_round, market, on_disk, outcome, told, warned

LISTS = {"A": "P Q", "B": "Q"}
SEATS = {"P": 1, "Q": 2}
DAY = {"age.reference_date": "2026-09-01"}


def wrong(tmp_path: Path, files: dict[str, Any] | None = None, **tables: Any) -> list[str]:
    """The errors of a small round on disk, as ``row table.column code value`` words."""
    lists, seats = tables.pop("lists", LISTS), tables.pop("seats", SEATS)
    return told(on_disk(tmp_path, make_round(lists, seats, **tables), files))


def test_a_sound_round_has_no_issue(tmp_path: Path) -> None:
    tables = on_disk(tmp_path, make_round(LISTS, SEATS))
    assert validate(tables) == []
    assert Market.from_tables(tables).applicants == ["A", "B"]


# --- files, columns, keys -----------------------------------------------------------------------


def test_files_and_columns(tmp_path: Path) -> None:
    files = {
        "applicants.csv": "applicant,hobby\nA,x\nB,y\n",
        "programs.csv": "program\nP\nQ\n",
        "teachers.csv": "t\n",
        "caps.csv": "cap,seats\n",
    }
    assert wrong(tmp_path, files) == [
        "1 applicants.hobby unknown_column hobby",
        "1 programs.capacity missing_column capacity",
        "0 teachers. unknown_file teachers.csv",
    ]


def test_a_byte_order_mark_is_accepted_and_gbk_is_said(tmp_path: Path) -> None:
    text = "applicant,x_name\nA,顾某\nB,王某\n"
    assert wrong(tmp_path, {"applicants.csv": ("\ufeff" + text).encode()}) == []
    assert wrong(tmp_path, {"applicants.csv": text.encode("gbk")}) == [
        "2 applicants. encoding_gbk applicants.csv"
    ]


@pytest.mark.parametrize(
    ("files", "issues"),
    [
        ({"applicants.csv": "applicant\nA\nB\nA\n"}, ["4 applicants.applicant duplicate_key A"]),
        ({"programs.csv": "program,capacity\nP,1\nQ,1\nQ,2\n"},
         ["4 programs.program duplicate_key Q"]),
        ({"order_classes.csv": "order_class,min_size\nC,0\nC,0\n"},
         ["3 order_classes.order_class duplicate_key C"]),
        ({"applications.csv": "applicant,rank,program\nA,1,P\nA,1,Q\n"},
         ["3 applications.applicant duplicate_key A 1"]),
        ({"scores.csv": "applicant,program,score\nA,P,80\nA,P,90\n"},
         ["3 scores.applicant duplicate_key A P"]),
        ({"scores.csv": "applicant,channel,program,fit\nA,,P,1\nA,,Q,1\n"}, []),
        ({"decisions.csv": "applicant,program,decision\nA,P,rejected\nA,P,rejected\n"},
         ["3 decisions.applicant duplicate_key A P rejected"]),
        ({"reserves.csv": "program,group,seats,hard\nQ,g,1,\nQ,g,1,0\nQ,g,0,1\n"},
         ["3 reserves.program duplicate_key Q g 0"]),
        ({"caps.csv": "cap,seats,programs\nK,1,P\nK,1,Q\n"}, ["3 caps.cap duplicate_key K"]),
    ],
)  # fmt: skip
def test_keys_stand_once(tmp_path: Path, files: dict[str, str], issues: list[str]) -> None:
    assert wrong(tmp_path, files) == issues


def test_a_repeated_key_never_hides_the_rest(tmp_path: Path) -> None:
    files = {
        "programs.csv": "program,capacity\nP,1\nP,1\nQ,1\n",
        "reserves.csv": "program,group,seats\nP,g,2\n",
    }
    assert wrong(tmp_path, files) == [
        "3 programs.program duplicate_key P",
        "2 reserves.seats reserves_above_capacity 2",
    ]


@pytest.mark.parametrize(
    ("table", "rows", "issue"),
    [
        ("programs", "program,capacity,order_class\nP,1,C\nQ,1,\n", "2 programs.order_class"),
        ("applications", "applicant,rank,program\nZ,1,P\n", "2 applications.applicant"),
        ("applications", "applicant,rank,program\nA,1,Z\n", "2 applications.program"),
        ("applicants", "applicant,not_accepted\nA,Z;Y\nB,\n", "2 applicants.not_accepted"),
        ("scores", "applicant,program,fit\nZ,P,1\n", "2 scores.applicant"),
        ("scores", "applicant,program,fit\nA,Z,1\n", "2 scores.program"),
        ("scores", "applicant,channel,fit\nA,Z,1\n", "2 scores.channel"),
        ("decisions", "applicant,program,decision\nZ,P,rejected\n", "2 decisions.applicant"),
        ("decisions", "applicant,program,decision\nA,Z,rejected\n", "2 decisions.program"),
        ("reserves", "program,group,seats\nZ,g,1\n", "2 reserves.program"),
        ("caps", "cap,seats,college\nK,1,Z\n", "2 caps.college"),
        ("caps", "cap,seats,enterprise\nK,1,Z\n", "2 caps.enterprise"),
        ("caps", "cap,seats,programs\nK,1,P;Z\n", "2 caps.programs"),
    ],
)
def test_unknown_references(tmp_path: Path, table: str, rows: str, issue: str) -> None:
    value = {"applicants": "Z;Y", "caps": "P;Z" if "programs" in issue else "Z"}.get(table, "Z")
    value = "C" if table == "programs" else value
    assert wrong(tmp_path, {f"{table}.csv": rows}) == [f"{issue} unknown_reference {value}"]


def test_a_channel_may_be_declared_by_the_policy_alone(tmp_path: Path) -> None:
    rules = {"score_channel": [{"channel": "K", "skill": 1}]}
    assert wrong(tmp_path, rules=rules, scores={"A K": 1}) == []


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("A|1", "forbidden_character"), ("A;1", "forbidden_character"),
        ("A\u202e1", "forbidden_character"), ('"A\n1"', "forbidden_character"),
        (" A", "whitespace"), ("A\u3000", "whitespace"), ("", "missing_value"),
    ],
)  # fmt: skip
def test_ids_that_no_id_can_be(tmp_path: Path, cell: str, code: str) -> None:
    files = {
        "applicants.csv": f"applicant,x_a\n{cell},1\n",
        "applications.csv": "applicant,rank,program\n",
    }
    assert wrong(tmp_path, files) == [
        f"2 applicants.applicant {code} {cell}".replace('"', "").strip()
    ]


def test_levels_and_districts_are_compared_so_no_blank_hides_in_them(tmp_path: Path) -> None:
    row = {"min_size": 0, "level": "中级 ", "district": " 37", "study_form": "FT "}
    found = wrong(tmp_path, order_classes={"C": row}, programs={"P": {"order_class": "C"}})
    assert [line.split()[1:3] for line in found] == [
        ["order_classes.district", "whitespace"],
        ["order_classes.level", "whitespace"],
        ["order_classes.study_form", "unknown_code"],
    ]


# --- programs and classes -----------------------------------------------------------------------


def test_no_programs_at_all(tmp_path: Path) -> None:
    files = {"programs.csv": "program,capacity\n", "applications.csv": "applicant,rank,program\n"}
    assert wrong(tmp_path, files) == ["0 programs. no_programs"]


@pytest.mark.parametrize(
    ("seats", "code"),
    [("-1", "negative"), ("1.5", "not_integer"), ("two", "not_integer"), ("１", "full_width"),
     ("", "missing_value"), ("1e3", "not_integer")],
)  # fmt: skip
def test_seats_are_counted(tmp_path: Path, seats: str, code: str) -> None:
    files = {
        "programs.csv": f"program,capacity\nP,{seats}\nQ,1\n",
        "order_classes.csv": f"order_class,min_size\nC,{seats}\n",
        "reserves.csv": f"program,group,seats\nQ,g,{seats}\n",
        "caps.csv": f"cap,seats,programs\nK,{seats},P\n",
    }
    places = ["order_classes.min_size", "programs.capacity", "reserves.seats", "caps.seats"]
    assert wrong(tmp_path, files) == [f"2 {place} {code} {seats}".strip() for place in places]


def test_a_minimum_above_the_seats_of_its_programs(tmp_path: Path) -> None:
    rows = {"P": {"order_class": "C"}, "Q": {"order_class": "C"}}
    assert wrong(tmp_path, programs=rows, order_classes={"C": 3}) == []
    tables = make_round(LISTS, SEATS, programs=rows, order_classes={"C": 4, "D": 1})
    found = [i for i in validate(tables) if i.severity == "error"]
    assert found == [
        Issue("order_classes", 2, "min_size", "min_above_capacity", "4", "3"),
        Issue("order_classes", 3, "min_size", "min_above_capacity", "1", "0"),
    ]


def test_a_class_and_a_program_share_an_id_only_if_they_are_one() -> None:
    def found(classes: dict[str, int], **programs: str) -> list[str]:
        rows = {p: {"order_class": c} for p, c in programs.items()}
        return told(make_round({"A": "P"}, SEATS, programs=rows, order_classes=classes))

    assert found({"P": 0}, P="P") == []
    assert found({"P": 0}) == [], "a blank class is the class of the same id"
    assert found({"P": 0, "C": 0}, P="C") == ["2 programs.program ambiguous_id P"]
    assert found({"P": 0}, P="P", Q="P") == ["2 programs.program ambiguous_id P"]
    assert found({"P": 0, "Q": 0}, P="Q", Q="P") == [
        "2 programs.program ambiguous_id P", "3 programs.program ambiguous_id Q",
    ]  # fmt: skip


def test_limits_of_a_class_need_a_basis(tmp_path: Path) -> None:
    row = {"min_size": 0, "age_min": 18, "age_max": 30, "health": "H1"}
    rest = {
        "programs": {"P": {"order_class": "C"}},
        "applicants": {a: {"birth_date": "2000-01-01", "health": ""} for a in LISTS},
    }
    assert wrong(tmp_path, rules=DAY, order_classes={"C": row}, **rest) == [
        "2 order_classes.age_max age_without_basis 30",
        "2 order_classes.age_min age_without_basis 18",
        "2 order_classes.health health_without_basis H1",
    ]
    row |= {"age_basis": "x", "health_basis": "y"}
    assert wrong(tmp_path, rules=DAY, order_classes={"C": row}, **rest) == []
    assert wrong(tmp_path, order_classes={"C": row}, **rest) == [
        "0 policy.age.reference_date missing_key"
    ]


def test_a_post_forbidden_to_minors_needs_a_date(tmp_path: Path) -> None:
    people = {a: {"birth_date": "2000-01-01"} for a in LISTS}
    places = {"P": {"order_class": "C", "forbid_minor": 1}}
    dateless, dated = {"min_size": 0}, {"min_size": 0, "hire_date": "2027-07-01"}
    assert wrong(tmp_path, applicants=people, programs=places, order_classes={"C": dateless}) == [
        "2 programs.forbid_minor minor_without_date 1"
    ]
    assert wrong(tmp_path, applicants=people, programs=places, order_classes={"C": dated}) == []


# --- what rules read must be there --------------------------------------------------------------


@pytest.mark.parametrize(
    ("course", "rules", "column"),
    [
        ({"entry_education": "61"}, {}, "education"),
        ({"entry_skill": "5"}, {}, "skill_level"),
        ({"health": "H1", "health_basis": "x"}, {}, "health"),
        ({"hire_date": "2027-07-01"}, {}, "birth_date"),
        ({"internship_date": "2027-07-01"}, {}, "birth_date"),
        ({"age_max": 30, "age_basis": "x"}, DAY, "birth_date"),
        ({}, DAY | {"age_rule": [{"min": 16}]}, "birth_date"),
    ],
)
def test_a_rule_whose_column_nobody_filled_in(
    tmp_path: Path, course: dict, rules: dict, column: str
) -> None:
    rows = {
        "programs": {"P": {"order_class": "C"}},
        "order_classes": {"C": {"min_size": 0} | course},
    }
    assert wrong(tmp_path, rules=rules, **rows) == [f"1 applicants.{column} needed_column {column}"]


def test_a_blank_that_a_rule_cannot_read(tmp_path: Path) -> None:
    people = {
        "A": {"birth_date": "2000-01-01", "study_forms": "FT"},
        "B": {"birth_date": "", "study_forms": ""},
    }
    rows = {"programs": {"P": {"order_class": "C"}},
            "order_classes": {"C": {"min_size": 0, "study_form": "FT", "hire_date": "2027-07-01"}}}  # fmt: skip
    assert wrong(tmp_path, applicants=people, **rows) == [
        "3 applicants.birth_date missing_value",
        "3 applicants.study_forms missing_value",
    ]


# --- lists --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ranks", "issue"),
    [
        ("1 2 3", ""), ("3 1 2", ""), ("2 3 4", "2 rank_gap 2"), ("1 3 4", "3 rank_gap 3"),
        ("1 1 2", ""), ("0 1 2", "2 rank_gap 0"), ("1 2 -3", "4 negative -3"),
        ("1 2 3.0", "4 not_integer 3.0"), ("1 2 ３", "4 full_width ３"), ("1 2 01", "4 rank_gap 01"),
    ],
)  # fmt: skip
def test_ranks_are_one_two_three(tmp_path: Path, ranks: str, issue: str) -> None:
    lines = [f"A,{rank},{p}" for rank, p in zip(ranks.split(), "PQR", strict=True)]
    files = {
        "applications.csv": "applicant,rank,program\n" + "\n".join(lines),
        "programs.csv": "program,capacity\nP,1\nQ,1\nR,1\n",
    }
    found = [line for line in wrong(tmp_path, files) if "duplicate_key" not in line]
    row, _, rest = issue.partition(" ")
    assert found == ([f"{row} applications.rank {rest}"] if issue else [])


def test_a_gap_says_which_number_should_stand_there() -> None:
    tables = make_round(LISTS, SEATS)
    tables.tables["applications"].columns["rank"] = ["1", "3", "2"]
    found = [(i.row, i.value, i.limit) for i in validate(tables)]
    assert found == [(3, "3", "2"), (4, "2", "1")]


def test_lists_are_as_long_as_the_policy_allows(tmp_path: Path) -> None:
    assert wrong(tmp_path, rules={"preferences.max": 2}) == []
    assert wrong(tmp_path, rules={"preferences.max": 1}) == [
        "3 applications.rank too_many_choices 2"
    ]
    assert wrong(tmp_path, rules={"preferences.max": 0}) == [], "0 is no limit"


@pytest.mark.parametrize(
    ("entry", "refused", "bad"),
    [("P", "C", True), ("C", "C", True), ("P", "D", False), ("Q", "Q", True), ("Q", "C", False)],
)
def test_nobody_lists_what_she_refuses(tmp_path: Path, entry: str, refused: str, bad: bool) -> None:
    """A program of a class, the class itself, or a program that is a class of its own."""
    found = wrong(
        tmp_path, lists={"A": entry, "B": "P"}, programs={"P": {"order_class": "C"}},
        applicants={"A": {"not_accepted": refused}}, order_classes={"C": 0, "D": 0},
    )  # fmt: skip
    assert found == ([f"2 applications.program listed_and_refused {entry}"] if bad else [])


def test_every_rank_has_its_cost(tmp_path: Path) -> None:
    rules = {"mechanism.rank_costs": [0, 5]}
    assert wrong(tmp_path, rules=rules) == []
    rules = {"mechanism.rank_costs": [0]}
    assert wrong(tmp_path, rules=rules) == ["0 policy.mechanism.rank_costs rank_costs_short 1"]


# --- scores -------------------------------------------------------------------------------------

RANGE = {"score.min": 0, "score.max": 100}
WEIGHED = {"score_channel": [{"channel": "K", "skill": 0.5, "interview": 0.5}]}
CHANNEL = {"P": {"channel": "K"}}


@pytest.mark.parametrize(
    ("score", "code"),
    [("eighty", "not_number"), ("8O", "not_number"), ("1e2", "not_number"), ("８０", "full_width"),
     ("absent", "not_number"), ("80分", "not_number"), ("100.01", "score_out_of_range"),
     ("-0.01", "score_out_of_range"), ("1234567890.123456", "too_long")],
)  # fmt: skip
def test_scores_are_numbers_within_their_range(tmp_path: Path, score: str, code: str) -> None:
    assert wrong(tmp_path, rules=RANGE, scores={"A P": score}) == [f"2 scores.score {code} {score}"]


def test_the_ends_of_the_range_are_in_it(tmp_path: Path) -> None:
    assert wrong(tmp_path, rules=RANGE, scores={"A P": "100.00", "A Q": 0}) == []
    assert wrong(tmp_path, rules={"score.min": 0.0000001}, scores={"A P": "0.0000001"}) == []
    tables = make_round(LISTS, SEATS, {"score.max": 100}, scores={"A P": 101})
    assert [(i.code, i.limit) for i in validate(tables)] == [("score_out_of_range", "… 100")]


def test_components_are_in_the_same_range(tmp_path: Path) -> None:
    rows = {"A K": {"skill": 101, "interview": "absent"}}
    found = wrong(tmp_path, rules=RANGE | WEIGHED, programs=CHANNEL, scores=rows)
    assert found == ["2 scores.skill score_out_of_range 101"]


@pytest.mark.parametrize(
    ("row", "issue"),
    [
        ({"program": "", "channel": ""}, "program program_or_channel"),
        ({"program": "P", "channel": "K"}, "program program_or_channel program channel"),
        ({"channel": "K", "score": 1, "skill": 1}, "score score_and_components 1"),
        ({"channel": "L", "skill": 1}, "skill channel_without_weights L"),
        ({"program": "Q", "skill": 1}, "skill channel_without_weights"),
    ],
)
def test_what_a_row_of_scores_cannot_be(tmp_path: Path, row: dict, issue: str) -> None:
    found = wrong(
        tmp_path, lists={"A": "P"}, rules=WEIGHED, programs=CHANNEL | {"R": {"channel": "L"}},
        seats={"P": 1, "Q": 1, "R": 1}, scores=[{"applicant": "A"} | row],
    )  # fmt: skip
    assert found == [f"2 scores.{issue}"]


def test_own_components_against_a_final_score_of_the_channel(tmp_path: Path) -> None:
    rows = {"A K": 80, "A P": {"interview": 70}}
    assert wrong(tmp_path, rules=WEIGHED, programs=CHANNEL, scores=rows) == [
        "3 scores.interview score_and_components 70"
    ]


def test_ties_are_declared_once(tmp_path: Path) -> None:
    found = wrong(
        tmp_path, rules={"score.tiebreak": ["skill"]}, scores={"A P": {"score": 1, "tie1": 2}}
    )
    assert found == ["1 scores.tie1 tie_declared_twice skill"]


def test_numbers_too_long_to_stand_side_by_side(tmp_path: Path) -> None:
    """Each has fifteen digits; together they would need more than sixty-four bits."""
    rows = {"A P": "123456789012345", "A Q": "0.12345678901234"}
    found = wrong(tmp_path, scores=rows)
    assert found == ["3 scores.score too_long 0.12345678901234"]


def ranking(tmp_path: Path, scores: list[str], **rules: Any) -> list[str]:
    """What is said of scores at P of people who all listed it first."""
    lists = {f"A{n}": "P" for n in range(len(scores))}
    rows = {f"A{n} P": score for n, score in enumerate(scores)}
    return wrong(tmp_path, lists=lists, seats={"P": 1}, rules=rules, scores=rows)


def test_ranks_pasted_as_scores_of_a_program(tmp_path: Path) -> None:
    """They would put the best person last."""
    assert ranking(tmp_path, ["2", "1", "4", "3", "5"], **RANGE) == [
        "3 scores.score scores_are_ranks P"
    ]
    assert ranking(tmp_path, ["2", "1", "4", "3"], **RANGE) == [], "four may be chance"
    assert ranking(tmp_path, ["2", "1", "4", "3", "6"], **RANGE) == []
    assert ranking(tmp_path, ["2", "1", "4", "3", "5.5"], **RANGE) == []
    assert ranking(tmp_path, ["2", "1", "4", "3", "5"]) == [], "without a range it cannot be told"
    assert (
        ranking(tmp_path, ["2", "1", "4", "3", "5"], **RANGE, **{"score.accept_ranks": True}) == []
    )


def test_ranks_pasted_as_scores_of_a_channel(tmp_path: Path) -> None:
    lists = {f"A{n}": "P" for n in range(5)}
    rows = {f"A{n} K": 5 - n for n in range(5)}
    found = wrong(tmp_path, lists=lists, rules=RANGE, programs=CHANNEL, scores=rows)
    assert found == ["6 scores.score scores_are_ranks K"]


def test_an_applicants_own_ranks_pasted_as_scores(tmp_path: Path) -> None:
    lists = {"A": "P Q R", "B": "R Q P"}
    seats = dict.fromkeys("PQR", 1)
    own = {f"{a} {p}": n for a, e in lists.items() for n, p in enumerate(e.split(), start=1)}
    assert wrong(tmp_path, lists=lists, seats=seats, scores=own) == [
        "2 scores.score scores_are_choices 1"
    ]
    own["A P"] = 4
    assert wrong(tmp_path, lists=lists, seats=seats, scores=own) == []
    accepted = {"score.accept_ranks": True}
    own["A P"] = 1
    assert wrong(tmp_path, lists=lists, seats=seats, scores=own, rules=accepted) == []


# --- reserves, caps, decisions ------------------------------------------------------------------


def test_reserves_above_capacity_hard_and_soft_together(tmp_path: Path) -> None:
    people = {"A": {"groups": "g;h"}}
    assert wrong(tmp_path, applicants=people, reserves={"Q g": 1, "Q h hard": 1}) == []
    tables = make_round(
        LISTS, SEATS, applicants=people, reserves={"Q g": 1, "Q h hard": 2, "P g": 1}
    )
    assert [(i.row, i.code, i.value, i.limit) for i in validate(tables)] == [
        (2, "reserves_above_capacity", "1", "2"), (3, "reserves_above_capacity", "2", "2"),
    ]  # fmt: skip


def test_a_cap_is_over_one_kind_of_thing(tmp_path: Path) -> None:
    caps = {"K": {"seats": 1}, "L": {"seats": 1, "enterprise": "E", "programs": "P"}}
    found = wrong(tmp_path, programs={"P": {"enterprise": "E"}}, caps=caps)
    assert found == ["2 caps.cap cap_of_what K", "3 caps.cap cap_of_what L"]


@pytest.mark.parametrize("mechanism", ["stable", "parallel"])
def test_caps_that_cross_where_they_cannot_be_honoured(tmp_path: Path, mechanism: str) -> None:
    caps = {"K": {"seats": 1, "programs": "P;Q"}, "L": {"seats": 1, "programs": "Q;R"}}
    tables = on_disk(
        tmp_path,
        make_round({"A": "P"}, dict.fromkeys("PQR", 1), {"mechanism.name": mechanism}, caps=caps),
    )
    assert validate(tables) == []
    with pytest.raises(UnsupportedConstraint, match="crossing_cap") as caught:
        outcome(tables)
    assert [(i.table, i.code, i.value) for i in caught.value.issues] == [
        ("caps", "refused_crossing_cap", "K × L")
    ]


@pytest.mark.parametrize(
    ("lines", "issues"),
    [
        ([("rejected", "age", "x")], ["2 decisions.rule rule_without_approval age"]),
        ([("approved", "total", "x")], ["2 decisions.rule unknown_code total"]),
        ([("approved", "minor", "x")], ["2 decisions.rule unknown_code minor"]),
        ([("admitted", "", "x")], ["2 decisions.decision unknown_code admitted"]),
    ],
)
def test_decisions_that_cannot_be(tmp_path: Path, lines: list, issues: list) -> None:
    columns = ("decision", "rule", "basis")
    rows = [{"applicant": "A", "program": "P"} | dict(zip(columns, v, strict=True)) for v in lines]
    assert wrong(tmp_path, decisions=rows) == issues


@pytest.mark.parametrize("both", [
    "rejected approved 2", "confirmed rejected 3", "confirmed declined 3", "declined waiting 2",
    "declined rejected 3", "confirmed approved", "approved declined",
])  # fmt: skip
def test_decisions_that_contradict_each_other(tmp_path: Path, both: str) -> None:
    *pair, row = both.split() if both[-1].isdigit() else [*both.split(), ""]
    rows = [{"applicant": "A", "program": "P", "decision": d, "basis": "x"} for d in pair]
    found = [f"{row} decisions.decision decisions_conflict {pair[int(row) - 2]}"] if row else []
    assert wrong(tmp_path, decisions=rows) == found


# --- people -------------------------------------------------------------------------------------

NUMBER = "11010519491231002X"


@pytest.mark.parametrize(
    ("person", "issue"),
    [
        ({}, ""),
        ({"birth_date": "1949-12-31", "sex": "2"}, ""),
        ({"birth_date": "1949-12-30"}, "birth_date identity_birth 1949-12-30"),
        ({"sex": "1"}, "sex identity_sex 1"),
        ({"sex": "9"}, ""),
        ({"identity_number": "11010519491231002x"}, ""),
        (
            {"identity_number": "110105194912310021"},
            "identity_number identity_check 110105194912310021",
        ),
        ({"identity_number": "1.10105E+17"}, "identity_number identity_scientific 1.10105E+17"),
        (
            {"identity_number": "１10105194912310020"},
            "identity_number full_width １10105194912310020",
        ),
        (
            {"identity_number": "37109920080808001X"},
            "identity_number identity_check 37109920080808001X",
        ),
        ({"identity_number": "E12345678"}, "identity_number identity_format E12345678"),
        ({"identity_number": "E12345678", "identity_type": "10", "birth_date": "2000-01-01"}, ""),
        ({"sex": "3"}, "sex unknown_code 3"),
        ({"birth_date": "1949/12/31"}, "birth_date not_date 1949/12/31"),
    ],
)
def test_identity_numbers_against_what_was_typed(tmp_path: Path, person: dict, issue: str) -> None:
    found = wrong(tmp_path, applicants={"A": {"identity_number": NUMBER} | person})
    assert [line for line in found if "identity_birth 1949/" not in line] == (
        [f"2 applicants.{issue}"] if issue else []
    )


def test_one_person_once(tmp_path: Path) -> None:
    assert wrong(tmp_path, applicants={"B": {"person": "A"}}) == [
        "3 applicants.person duplicate_person A"
    ]
    twice = {a: {"identity_number": n} for a, n in zip("AB", (NUMBER, NUMBER.lower()), strict=True)}
    assert wrong(tmp_path, applicants=twice) == [
        f"3 applicants.identity_number duplicate_identity {NUMBER.lower()}"
    ]
    twice["B"]["review"] = "duplicate"
    assert wrong(tmp_path, applicants=twice) == [], "the review has dealt with it"


# --- policy and seed ----------------------------------------------------------------------------


def test_a_policy_with_an_unknown_key_and_a_wrong_value(tmp_path: Path) -> None:
    rules = {"mechanism.closures": "exact", "score.digits": "two", "age.case_by_case": 1}
    assert wrong(tmp_path, rules=rules) == [
        "0 policy.age.case_by_case policy_value 1",
        "0 policy.mechanism.closures unknown_key mechanism.closures",
        "0 policy.score.digits policy_value two",
    ]


def test_a_policy_that_is_no_toml_is_the_only_thing_said_of_it(tmp_path: Path) -> None:
    rows = {"programs": {"P": {"order_class": "C"}},
            "order_classes": {"C": {"min_size": 0, "age_max": 3, "age_basis": "x"}},
            "applicants": {a: {"birth_date": "2000-01-01"} for a in LISTS}}  # fmt: skip
    found = wrong(tmp_path, {"policy.toml": '[policy]\ntitle = "标题"\n'.encode("gbk")}, **rows)
    assert [line.split()[:3] for line in found] == [["2", "policy.", "text_encoding"]]


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_a_round_without_a_seed(tmp_path: Path, text: str) -> None:
    assert wrong(tmp_path, {"policy.toml": text}) == ["0 policy.lottery.seed no_seed"]


DICE = {"kind": "dice", "value": "01234567890123456789", "issue": "", "witnesses": ["公证员"]}


def drawn(**changes: Any) -> Tables:
    """A round whose seed a public draw made."""
    tables = make_round(LISTS, SEATS, {"lottery.seed": None})
    seed = draw_seed(tables.digest(), DICE["value"])
    return Tables(tables.tables, tables.policy, DICE | {"seed": seed} | changes)


def test_a_draw_makes_the_seed(tmp_path: Path) -> None:
    assert validate(on_disk(tmp_path, drawn())) == []
    seed = bytes.fromhex(drawn().draw["seed"])  # type: ignore[index]
    assert (
        Market.from_tables(drawn()).drawn
        == market(make_round(LISTS, SEATS, {"lottery.seed": seed.hex()})).drawn
    )


@pytest.mark.parametrize(
    ("change", "issue"),
    [
        ({"kind": "coin"}, "draw.value draw_value 01234567890123456789"),
        ({"value": "123"}, "draw.value draw_value 123"),
        ({"value": None}, "draw.value draw_value None"),
        ({"value": "91234567890123456789"}, "draw.seed draw_seed "),
        ({"seed": "00"}, "draw.seed draw_seed 00"),
        ({"seed": None}, "draw.seed draw_seed None"),
    ],
)
def test_a_draw_that_is_not_this_rounds(tmp_path: Path, change: dict, issue: str) -> None:
    found = told(on_disk(tmp_path, drawn(**change)))
    assert len(found) == 1
    assert found[0].startswith(f"0 {issue}")


def test_any_change_after_the_draw_is_found(tmp_path: Path) -> None:
    tables = on_disk(tmp_path, drawn(), {"programs.csv": "program,capacity\nP,1\nQ,3\n"})
    assert [line.split()[1:3] for line in told(tables)] == [["draw.seed", "draw_seed"]]


def test_a_seed_twice(tmp_path: Path) -> None:
    tables = make_round(LISTS, SEATS, draw=DICE)
    assert told(on_disk(tmp_path, tables)) == ["0 policy.lottery.seed seed_twice 00ff"]


# --- warnings -----------------------------------------------------------------------------------


def test_an_empty_list_is_valid_with_a_warning() -> None:
    tables = make_round(
        {"A": "P", "B": "", "C": ""}, {"P": 3}, applicants={"C": {"adjustment": "alliance"}}
    )
    assert warned(tables) == [
        "3 applicants.applicant no_choices B",
        "4 applicants.applicant no_choices C",
    ]
    assert outcome(tables).matching.tolist() == [0, -1, 0]


def test_a_class_that_a_cap_keeps_from_opening() -> None:
    def found(seats: int, **rest: Any) -> list[str]:
        return warned(make_round(
            {"A": "P"}, {"P": 2, "Q": 2, "R": 1}, caps={"K": {"seats": seats, "programs": "P;R"}},
            programs={"P": {"order_class": "C"}, "Q": {"order_class": "C"}},
            order_classes={"C": 3} | rest,
        ))  # fmt: skip

    assert found(1) == []
    assert found(0) == ["2 order_classes.min_size cannot_open 3"]


def test_other_warnings() -> None:
    tables = make_round(
        {"A": "P C P"}, {"P": 1}, WEIGHED,
        programs={"P": {"channel": "K", "enterprise": "E"}},
        order_classes={"C": {"min_size": 0, "college": "U"}},
        reserves={"P g": 1}, scores={"A K": {"skill": "", "interview": 3}},
        caps={"K": {"seats": 1, "college": "U"}},
        decisions=[{"applicant": "A", "program": "P", "decision": "approved"}],
    )  # fmt: skip
    assert warned(tables) == [
        "2 order_classes.order_class class_without_programs C",
        "4 applications.program listed_twice P",
        "2 scores.skill score_incomplete",
        "2 decisions.basis approval_without_basis",
        "2 reserves.group group_without_people g",
        "2 caps.cap cap_over_nothing K",
    ]
    assert told(tables) == []
    assert outcome(tables).matching.tolist() == [0]


# --- all at once --------------------------------------------------------------------------------


def test_everything_is_listed_at_once_in_the_order_of_tables_and_rows(tmp_path: Path) -> None:
    files = {
        "policy.toml": '[policy]\nspeed = 1\n[lottery]\nseed = "0"\n',
        "applicants.csv": "applicant,sex\nA,7\n A,1\nB|,1\n",
        "programs.csv": "program,capacity\nP,-1\nQ,2.5\nQ,2\n",
        "applications.csv": "applicant,rank,program\nA,2,P\nB,1,R\n",
        "scores.csv": "applicant,program,score\nA,P,８\nA,Q\n",
        "caps.csv": "cap,seats\nK,1\n",
        "extra.csv": "",
    }
    tables = on_disk(tmp_path, make_round(LISTS, SEATS), files)
    assert told(tables) == [
        "0 policy.lottery.seed policy_value 0",
        "0 policy.policy.speed unknown_key policy.speed",
        "2 applicants.sex unknown_code 7",
        "3 applicants.applicant whitespace  A",
        "4 applicants.applicant forbidden_character B|",
        "2 programs.capacity negative -1",
        "3 programs.capacity not_integer 2.5",
        "4 programs.program duplicate_key Q",
        "2 applications.rank rank_gap 2",
        "3 applications.applicant unknown_reference B",
        "3 applications.program unknown_reference R",
        "2 scores.score full_width ８",
        "3 scores. row_width 2",
        "2 caps.cap cap_of_what K",
        "0 extra. unknown_file extra.csv",
    ]
    with pytest.raises(InvalidRound) as caught:
        Market.from_tables(tables, Policy())
    assert [i.code for i in caught.value.issues] == [line.split()[2] for line in told(tables)]
    assert "15 issues" in str(caught.value)


def test_nothing_to_tell_is_still_an_exception() -> None:
    assert str(InvalidRound([])) == "0 issues, first: None"
