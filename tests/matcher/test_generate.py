"""The demo round, its planted cases, rounds of other sizes, and the code tables."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from matcher import Market, Policy, Tables, solve, validate
from matcher.demo.cases import BadCase, changed
from matcher.demo.world import (
    GROUPS,
    HEALTH,
    INDUSTRIES,
    LEVEL_NAMES,
    WEIGHTS,
    Dice,
    apportion,
    ring,
)
from matcher.generate import BAD_CASES, CASES, demo, readme, synthetic, write_round
from matcher.market import crossing
from matcher.result import placement_rows
from matcher.tables import EDUCATIONS, REVIEWS, Table

DATA = Path(__file__).resolve().parents[2] / "data"
DEMO = DATA / "demo"
PINNED = "6d042b431510e572c878759f27b8167358530d1b15561ea18abd30396f3d686f"


@dataclass(frozen=True)
class Outcome:
    """A solved round by ids: (program, rank, seat, reason) of each applicant, and why barred."""

    market: Market
    placed: dict[str, tuple[str, str, str, str]]
    barred: set[tuple[str, str, str, str, str]]
    opened: dict[str, bool]

    @classmethod
    def of(cls, tables: Tables) -> Outcome:
        policy = Policy.from_tables(tables)
        market = Market.from_tables(tables, policy)
        result = solve(market, policy)
        return cls(
            market,
            {row[0]: (row[1], row[2], row[3], row[4]) for row in placement_rows(market, result)},
            {
                (
                    market.applicants[b.applicant],
                    market.programs[b.program],
                    b.rule,
                    b.value,
                    b.limit,
                )
                for b in market.barred
            },
            dict(zip(market.order_classes, result.opened.tolist(), strict=True)),
        )

    def people(self, program: str) -> list[str]:
        """Who is placed there."""
        return [name for name, row in self.placed.items() if row[0] == program]

    def reasons(self, name: str) -> list[tuple[str, ...]]:
        """Where she is barred, and by which rule, value and limit."""
        return sorted(row[1:] for row in self.barred if row[0] == name)


@pytest.fixture(scope="module")
def tables() -> Tables:
    return demo()


@pytest.fixture(scope="module")
def outcome(tables: Tables) -> Outcome:
    return Outcome.of(tables)


@pytest.fixture(scope="module")
def planted(tables: Tables) -> Tables:
    """The planted people and classes alone: nothing else touches them, and it is fast."""

    def ours(row: dict[str, str]) -> bool:
        ids = [row.get(c, "") for c in ("applicant", "order_class", "program")]
        return row.get("cap", "") in ("", "CAP-C09", "CAP-C10") and all(
            name == "" or name.startswith(("AC", "KC")) for name in ids
        )

    kept = {}
    for name, table in tables.tables.items():
        rows = [row for row in table.records() if ours(row)]
        kept[name] = Table({c: [row[c] for row in rows] for c in table.columns})
    return Tables(kept, tables.policy)


@pytest.fixture(scope="module")
def before(planted: Tables) -> Outcome:
    return Outcome.of(planted)


# The round as a whole


def test_the_committed_demo_is_what_the_generator_writes(tables: Tables, tmp_path: Path) -> None:
    tables.write(tmp_path)
    (tmp_path / "README.md").write_text(readme(), encoding="utf-8", newline="\n")
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    committed = {name: (DEMO / name).read_bytes() for name in written}
    assert {name for name in written if written[name] != committed[name]} == set()
    assert {path.name for path in DEMO.glob("*.csv")} <= set(written)


def test_the_demo_has_no_error(tables: Tables) -> None:
    codes = {(issue.severity, issue.code) for issue in validate(tables)}
    assert codes <= {("warning", "no_choices"), ("warning", "score_incomplete")}


def test_the_demo_has_the_stated_shape(tables: Tables) -> None:
    classes, people = tables["order_classes"], tables["applicants"]
    assert len(people) == 5000
    assert Counter(classes["study_form"]) == {"FT": 93, "PT": 36, "ST": 21}
    assert Counter(classes["industry"]) == {i.code: i.classes for i in INDUSTRIES}
    assert len(set(classes["college"])) == 10
    assert Counter(g.split(";")[0] for g in people["groups"]) == {g.code: g.share for g in GROUPS}
    assert 4550 <= sum(map(int, tables["programs"]["capacity"])) <= 4800
    enterprises = set(tables["programs"]["enterprise"])
    assert enterprises <= {f"E{number:02d}" for number in range(1, 57)} and len(enterprises) > 50


def test_the_demo_is_worth_looking_at(outcome: Outcome) -> None:
    market = outcome.market
    eligible = sum(1 for row in outcome.placed.values() if row[0] or row[3] == "not_reached")
    placed = [row for row in outcome.placed.values() if row[0]]
    assert len(placed) > 0.8 * eligible
    assert 8 <= sum(not opened for opened in outcome.opened.values()) <= 20
    assert sum(row[1] == "0" for row in placed) > 100
    assert {"open", "G05", "G06", "G07", "G08", "G09"} <= {row[2] for row in placed}
    assert {row[3] for row in placed} == {"ordinary", "relaxed", "approved"}
    rules = {rule for _, _, rule, _, _ in outcome.barred}
    assert rules >= {"review", "rejected", "age", "approval", "education", "health", "interview"}
    binding = [
        cap.name
        for cap in market.caps
        if cap.seats == sum(len(outcome.people(market.programs[p])) for p in cap.programs)
        and cap.seats < sum(market.capacity[p] for p in cap.programs)
    ]
    assert len(binding) >= 2


def test_caps_are_nested_or_disjoint(outcome: Outcome) -> None:
    assert crossing(outcome.market.caps) == []


def test_nobody_can_hold_the_identity_numbers(tables: Tables) -> None:
    people = tables["applicants"]
    numbers = zip(people["identity_type"], people["identity_number"], strict=True)
    assert all(n.startswith("DEMO" if kind == "10" else "371099") for kind, n in numbers)


def test_names_differ_but_for_three_pairs(tables: Tables) -> None:
    names = Counter(tables["applicants"]["x_name"])
    assert Counter(names.values()) == {1: 5000 - 6, 2: 3}
    assert sum(name.isascii() for name in names) == 6


# The planted cases


def test_every_case_of_the_table_is_in_the_data(tables: Tables) -> None:
    ids = {*tables["applicants"]["applicant"], *tables["order_classes"]["order_class"]}
    ids |= set(tables["programs"]["program"])
    named = {n for c in CASES for n in re.findall(r"[AK]C\w\w[\w-]*", f"{c.who} {c.where}")}
    assert named <= ids
    assert [int(case.number) for case in CASES] == sorted({int(case.number) for case in CASES})


def test_the_planted_classes_stand_apart(tables: Tables, outcome: Outcome) -> None:
    listed = zip(*(tables["applications"][c] for c in ("applicant", "program")), strict=True)
    assert all(who.startswith("AC") == what.startswith("KC") for who, what in listed)
    for name, (program, *_) in outcome.placed.items():
        assert not program or name.startswith("AC") == program.startswith("KC")


def test_the_planted_cases_do_not_depend_on_the_rest(before: Outcome, outcome: Outcome) -> None:
    assert before.placed == {n: row for n, row in outcome.placed.items() if n.startswith("AC")}


def test_case_1_equal_scores_are_drawn(outcome: Outcome) -> None:
    market, tied = outcome.market, [f"AC01-{k:02d}" for k in range(1, 5)]
    by_lot = sorted(tied, key=lambda name: market.drawn[market.applicants.index(name)])
    assert [name for name in by_lot if outcome.placed[name][0]] == by_lot[:2]
    program = market.programs.index("KC01-1")
    edges = [market.edge(market.applicants.index(name), program) for name in tied]
    assert len({int(market.level[e]) for e in edges}) == 1


def test_case_2_a_class_opens_by_adjustment(outcome: Outcome) -> None:
    ranks = Counter(outcome.placed[name][1] for name in outcome.people("KC02-1"))
    assert ranks == {"1": 19, "0": 3} and outcome.opened["KC02"]


def test_case_3_people_of_a_closed_class_keep_their_place(outcome: Outcome) -> None:
    moved = [f"AC03-{k:02d}" for k in range(1, 8)]
    out = [f"AC03-{k}" for k in range(31, 38)]
    assert not outcome.opened["KC03"]
    assert {outcome.placed[name][:2] for name in moved} == {("KC03N-1", "2")}
    assert {outcome.placed[name] for name in out} == {("", "", "", "not_reached")}


def test_case_4_one_class_opens_because_the_other_closes(outcome: Outcome) -> None:
    assert outcome.opened["KC04A"] and not outcome.opened["KC04B"]
    ranks = Counter(outcome.placed[name][1] for name in outcome.people("KC04A-1"))
    assert ranks == {"1": 13, "2": 12}


def test_case_5_an_unused_reserve_reverts(outcome: Outcome) -> None:
    assert [outcome.placed[name][2] for name in outcome.people("KC05-1")] == ["open"] * 10


def test_case_6_two_groups_use_the_reserve_that_helps_others(outcome: Outcome) -> None:
    assert outcome.placed["AC06-01"][:3] == ("KC05-2", "1", "G07")
    assert outcome.placed["AC06-02"][:3] == ("KC05-2", "1", "G05")


def test_case_7_minors_are_judged_at_the_dates_of_work(outcome: Outcome) -> None:
    assert outcome.placed["AC07-01"] == ("KC07-1", "3", "open", "ordinary")
    assert outcome.reasons("AC07-01") == [
        ("KC01-1", "age", "15", "16"),
        ("KC01-1", "work_age", "15", "16"),
        ("KC03N-1", "minor", "17", "18"),
    ]


def test_cases_8_and_9_relaxed_ages(outcome: Outcome) -> None:
    assert outcome.placed["AC08-01"] == ("KC08-1", "2", "open", "relaxed")
    assert outcome.reasons("AC08-01") == [("KC15-1", "age", "46", "30")]
    assert outcome.placed["AC08-02"] == ("KC08-1", "1", "open", "approved")
    assert outcome.reasons("AC08-03") == [("KC08-1", "approval", "52", "50")]
    assert outcome.reasons("AC08-04") == [("KC08-1", "age", "57", "55")]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("AC11-02", ("KC08-1", "review", "duplicate", "passed")),
     ("AC14-01", ("KC07-1", "review", "expired", "passed"))],
)  # fmt: skip
def test_cases_11_and_14_reviews_bar(outcome: Outcome, name: str, reason: tuple[str, ...]) -> None:
    assert outcome.reasons(name) == [reason]
    assert outcome.placed[name] == ("", "", "", "barred")


def test_case_13_a_small_x_is_an_x(tables: Tables, outcome: Outcome) -> None:
    people = tables["applicants"]
    assert people["identity_number"][people["applicant"].index("AC13-01")].endswith("x")
    assert outcome.placed["AC13-01"][0] == "KC08-1"


def test_case_15_nought_blank_absent_exempt(outcome: Outcome) -> None:
    assert outcome.placed["AC15-01"][0] == "KC15-1"
    assert outcome.reasons("AC15-02") == [("KC15-1", "total", "", "50")]
    assert outcome.reasons("AC15-03") == [("KC15-1", "absent", "skill", "")]
    assert outcome.placed["AC15-04"][0] == "KC15-1"


def test_case_16_a_college_leaves(planted: Tables) -> None:
    gone = planted
    classes = planted["order_classes"]
    for name, college in zip(classes["order_class"], classes["college"], strict=True):
        if college == "C10":
            gone = changed(
                gone, "order_classes", "college_member_until", "2026-05-31", order_class=name
            )
    after = Outcome.of(gone)
    assert after.reasons("AC05-01") == [("KC05-1", "membership", "2026-05-31", "2026-06-01")]
    assert not any(after.people(p) for p in ("KC01-1", "KC05-1", "KC08-1", "KC30-1"))


def test_case_17_the_next_by_lottery_follows(planted: Tables, before: Outcome) -> None:
    market, tied = before.market, [f"AC01-{k:02d}" for k in range(1, 5)]
    by_lot = sorted(tied, key=lambda name: market.drawn[market.applicants.index(name)])
    after = Outcome.of(changed(planted, "applicants", "review", "withdrawn", applicant=by_lot[0]))
    assert [name for name in tied if after.placed[name][0]] == sorted(by_lot[1:3])


def test_case_18_a_corrected_score_moves_two_people(planted: Tables, before: Outcome) -> None:
    after = Outcome.of(
        changed(planted, "scores", "skill", "90", applicant="AC18-01", channel="CH3")
    )
    moved = {name for name in after.placed if after.placed[name] != before.placed[name]}
    market, tied = before.market, [f"AC01-{k:02d}" for k in range(1, 5)]
    by_lot = sorted(tied, key=lambda name: market.drawn[market.applicants.index(name)])
    assert moved == {"AC18-01", by_lot[1]}
    assert after.placed["AC18-01"][0] == "KC01-1" and not after.placed[by_lot[1]][0]


def test_case_19_fewer_seats_cost_the_last_two(planted: Tables, before: Outcome) -> None:
    after = Outcome.of(changed(planted, "programs", "capacity", "8", program="KC05-1"))
    moved = {name for name in after.placed if after.placed[name] != before.placed[name]}
    assert moved == {"AC05-09", "AC05-10"}


def test_case_27_only_a_closed_class_without_consent(outcome: Outcome) -> None:
    assert outcome.placed["AC27-01"] == ("", "", "", "not_reached")
    assert outcome.reasons("AC27-01") == []


def test_case_28_blank_lists(outcome: Outcome) -> None:
    assert outcome.placed["AC28-01"] == ("KC02-1", "0", "open", "ordinary")
    assert outcome.placed["AC28-02"] == ("", "", "", "no_choice")
    assert outcome.placed["AC28-03"] == ("", "", "", "no_choice")


def test_case_29_another_study_form(outcome: Outcome) -> None:
    assert outcome.placed["AC29-01"][:2] == ("KC08-1", "2")
    assert outcome.reasons("AC29-01") == [("KC15-1", "study_form", "PT", "FT")]


def test_case_30_enterprises_that_left(outcome: Outcome) -> None:
    assert outcome.reasons("AC30-01") == [("KC30-2", "membership", "2026-03-31", "2026-06-01")]
    assert outcome.reasons("AC30-03") == [("KC30-3", "membership", "2025-12-31", "2026-06-01")]
    assert {outcome.placed[f"AC30-0{k}"][:2] for k in (1, 2, 3)} == {("KC30-1", "2")}


@pytest.mark.parametrize("case", BAD_CASES, ids=lambda case: case.name)
def test_faults_are_found(planted: Tables, case: BadCase, tmp_path: Path) -> None:
    planted.write(tmp_path / "good")
    case.spoil(planted).write(tmp_path / "bad")
    sound, spoiled = (
        {(i.table, i.code) for i in validate(Tables.read(tmp_path / name)) if i.severity == "error"}
        for name in ("good", "bad")
    )
    assert sound == set()
    assert (case.table, case.code) in spoiled


# Other sizes


@pytest.mark.parametrize(("applicants", "classes"), [(1, 1), (40, 3), (400, 12)])
def test_rounds_of_any_size_are_valid(applicants: int, classes: int, tmp_path: Path) -> None:
    write_round(applicants, classes, 1, tmp_path)
    tables = Tables.read(tmp_path)
    assert len(tables["applicants"]) == applicants
    assert len(tables["order_classes"]) == classes
    assert [issue for issue in validate(tables) if issue.severity == "error"] == []
    Outcome.of(tables)


def test_the_seed_decides(tmp_path: Path) -> None:
    digests = []
    for number, seed in enumerate((1, 1, 2)):
        write_round(60, 4, seed, tmp_path / str(number))
        digests.append(Tables.read(tmp_path / str(number)).digest())
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"consent": 0.5, "scope": "college", "reserves": True, "minimum": 3},
        {"ties": 5, "programs_per_class": 3},
        {"channels": 2, "ties": 20, "seats_ratio": 0.5},
        {"choices": 40},
    ],
)
def test_synthetic_rounds_are_valid(options: dict[str, object]) -> None:
    tables = synthetic(120, 12, 7, **options)  # type: ignore[arg-type]
    assert validate(tables) == []
    outcome = Outcome.of(tables)
    seats = sum(map(int, tables["programs"]["capacity"]))
    assert seats == int(120 * float(str(options.get("seats_ratio", 1.0))))
    assert 0 < sum(bool(row[0]) for row in outcome.placed.values()) <= seats


def test_synthetic_rounds_are_the_same_everywhere() -> None:
    tables = synthetic(50, 5, 3, consent=0.4, reserves=True, ties=9).tables
    cells = json.dumps({name: list(table.records()) for name, table in tables.items()})
    assert hashlib.sha256(cells.encode()).hexdigest() == PINNED


# The draws


def test_shares_are_whole_and_add_up() -> None:
    assert apportion(10, (1, 1, 1)) == [4, 3, 3]
    assert apportion(150, (93, 36, 21)) == [93, 36, 21]
    assert apportion(0, (2, 1)) == [0, 0]


def test_dice_follow_their_weights() -> None:
    dice = Dice(1, 0)
    assert Counter(dice.weighted("ab", (0, 3)) for _ in range(50)) == {"b": 50}
    assert sorted(dice.shuffled(range(20))) == list(range(20))
    values = [dice.normal() for _ in range(2000)]
    assert abs(sum(values)) < 2000 * 100
    with pytest.raises(ValueError, match="weights"):
        dice.weighted((), ())


def test_rings_count_borders() -> None:
    assert [ring("371002", d) for d in ("371002", "371071", "371003", "371083")] == [0, 1, 2, 3]
    assert ring("371002", "ABROAD") == 1


# The code tables


def reference(name: str) -> dict[str, dict[str, str]]:
    """A code table by code."""
    with (DATA / "reference" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("path", sorted((DATA / "reference").glob("*.csv")), ids=lambda p: p.stem)
def test_code_tables_say_where_they_come_from(path: Path) -> None:
    rows = reference(path.stem)
    assert rows
    for row in rows.values():
        assert re.search(r"S§\d|\bF\b|M-hi|M-med|\bD\b|待核", row["provenance"]), row


def test_code_tables_are_those_of_the_code(tables: Tables) -> None:
    education = reference("education")
    assert {code: int(row["ordinal"]) for code, row in education.items()} == EDUCATIONS
    assert set(reference("reviews")) == set(REVIEWS)
    assert set(reference("health")) == {code for code, _ in HEALTH}
    assert set(LEVEL_NAMES) <= set(reference("skill_levels"))
    held = {g for cell in tables["applicants"]["groups"] for g in cell.split(";")}
    assert held <= set(reference("groups"))
    assert set(tables["applicants"]["district"]) <= set(reference("areas"))
    assert set(tables["applicants"]["identity_type"]) <= set(reference("identity_types"))
    industries = reference("industries")
    assert {code: row["name_zh"] for code, row in industries.items()} == {
        i.code: i.name for i in INDUSTRIES
    }


def test_the_demo_weighs_scores_as_the_table_of_channels(tables: Tables) -> None:
    policy = Policy.from_tables(tables)
    for code, row in reference("channels").items():
        weights = {component: str(weight) for component, weight in policy.weights(code)}
        assert weights == {c: row[c] for c in weights} and set(weights) == set(WEIGHTS[code])
