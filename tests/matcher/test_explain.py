"""What each person is told, reason by reason, and that it is true of every small market."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from matcher import Market, Policy, Result, Tables, explain, solve
from matcher.explain import Explanation, Reason
from matcher.market import Cap
from matcher.messages import of_reason, placeholders
from matcher.reasons import REASONS
from matcher.result import Status
from matcher.tables import Table
from tests.oracle import Oracle
from tests.random_markets import random_instance
from tests.rounds import make_round

EXPLAIN = sys.modules["matcher.explain"]  # the package's name is the function's

DEMO = Path(__file__).parents[2] / "data" / "demo"
SIX = dict.fromkeys("ABCDEF", "P")
SCORES = {f"{name} P": 90 - at for at, name in enumerate(SIX)}


def explained(tables: Tables) -> dict[str, Explanation]:
    """Everybody's explanation."""
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    return {e.applicant: e for e in explain(market, policy, solve(market, policy))}


def said(told: Explanation) -> list[str]:
    """Outcome and reasons as ``code program`` words."""
    return [f"{r.code} {r.program}".strip() for r in (told.outcome, *told.reasons)]


def only(told: Explanation, code: str) -> Reason:
    """The one reason with a code."""
    (found,) = (r for r in told.reasons if r.code == code)
    return found


# --- below the cutoff


def test_below_the_score_of_the_last() -> None:
    told = explained(make_round(SIX, {"P": 5}, scores=SCORES))
    assert said(told["F"]) == ["not_reached", "below_score P", "no_consent"]
    numbers = only(told["F"], "below_score").numbers
    assert (numbers["score"], numbers["last_score"], numbers["seat"]) == ("85", "86", "open")
    assert (numbers["rank"], numbers["standing"], numbers["capacity"]) == (1, 6, 5)
    assert said(told["A"]) == ["placed_choice P"]
    assert told["A"].outcome.numbers == {"rank": 1, "seat": "open", "standing": 1, "capacity": 5}


def test_without_a_score_she_comes_after_all_who_have_one() -> None:
    scores = {pair: score for pair, score in SCORES.items() if pair != "F P"}
    told = explained(make_round(SIX, {"P": 5}, scores=scores))
    assert only(told["F"], "below_unscored").numbers["last_score"] == "86"


def test_equal_scores_are_told_by_tie_break_then_by_lottery() -> None:
    tied = {f"{name} P": {"score": 80, "tie1": 9 - (name == "F"), "tie2": 1} for name in SIX}
    told = explained(make_round(SIX, {"P": 5}, scores=tied))
    numbers = only(told["F"], "below_tie").numbers
    assert (numbers["tie"], numbers["value"], numbers["last_value"]) == ("tie1", "8", "9")
    equal = explained(make_round(SIX, {"P": 5}))
    (below,) = (r for e in equal.values() for r in e.reasons if r.code == "below_lottery")
    assert (below.numbers["lottery"], below.numbers["last_lottery"]) == (6, 5)


def test_the_tie_break_has_the_name_that_the_policy_gives_it() -> None:
    channel = [{"channel": "S", "skill": 0.5, "interview": 0.5}]
    rules = {"score.tiebreak": ["skill"], "score_channel": channel}
    scores = {f"{name} S": {"skill": 70, "interview": 70} for name in SIX}
    scores["F S"] = {"skill": 60, "interview": 80}
    told = explained(
        make_round(SIX, {"P": 5}, rules, programs={"P": {"channel": "S"}}, scores=scores)
    )
    numbers = only(told["F"], "below_tie").numbers
    assert (numbers["tie"], numbers["value"], numbers["last_value"]) == ("skill", "60", "70")


def test_a_cutoff_of_fewer_than_five_is_not_told_but_her_own_standing_is() -> None:
    told = explained(make_round({"A": "P", "B": "P"}, {"P": 1}, scores={"A P": 90, "B P": 80}))
    numbers = only(told["B"], "below_few").numbers
    assert numbers == {"rank": 1, "score": "80", "lottery": 2, "standing": 2, "capacity": 1}


def test_a_program_without_a_seat_for_her() -> None:
    told = explained(make_round({"A": "P"}, {"P": 0}))
    assert said(told["A"]) == ["not_reached", "no_seat P", "no_consent"]
    hard = make_round({"A": "P"}, {"P": 2}, reserves={"P g": 2})
    assert said(explained(hard)["A"]) == ["placed_choice P"]
    kept = make_round({"A": "P"}, {"P": 2}, reserves={"P g hard": 2})
    assert said(explained(kept)["A"]) == ["not_reached", "no_seat P", "no_consent"]


def test_reserve_cutoffs_are_for_that_group_alone() -> None:
    lists = {f"A{n}": "P" for n in range(14)}
    people = {f"A{n}": {"groups": "g"} for n in range(6)}
    scores = {f"A{n} P": 50 + n for n in range(14)}
    told = explained(
        make_round(lists, {"P": 10}, applicants=people, reserves={"P g": 5}, scores=scores)
    )
    assert told["A5"].outcome.numbers["seat"] == "g"
    member = only(told["A0"], "below_score").numbers
    assert (member["seat"], member["last_score"]) == ("g", "51")
    other = only(told["A6"], "below_score").numbers
    assert (other["seat"], other["last_score"]) == ("open", "59")


def test_a_label_of_hard_and_soft_seats_tells_no_cutoff() -> None:
    lists = {f"A{n}": "P" for n in range(8)}
    people = {f"A{n}": {"groups": "g"} for n in range(8)}
    reserves = [
        {"program": "P", "group": "g", "seats": 3, "hard": 1},
        {"program": "P", "group": "g", "seats": 3, "hard": 0},
    ]
    scores = {f"A{n} P": 50 + n for n in range(8)}
    tables = make_round(lists, {"P": 6}, applicants=people, reserves=reserves, scores=scores)
    assert "below_few" in [r.code for r in explained(tables)["A0"].reasons]


def test_open_seats_before_and_after_the_reserved_ones_are_told_apart() -> None:
    rules = {"mechanism.reserve_order": "open_first"}
    lists = {f"A{n}": "P" for n in range(9)}
    people = {f"A{n}": {"groups": "g"} for n in range(2)}
    scores = {f"A{n} P": 50 + n for n in range(9)}
    told = explained(
        make_round(lists, {"P": 7}, rules, applicants=people, reserves={"P g": 1}, scores=scores)
    )
    assert (only(told["A2"], "below_score").numbers["last_score"]) == "53"
    plain = explained(make_round(lists, {"P": 7}, rules, scores=scores))
    assert (only(plain["A0"], "below_score").numbers["last_score"]) == "52"
    two = {"mechanism.reserve_order": "open_first"}
    spare = make_round(lists, {"P": 8}, two, reserves={"P h": 2}, scores=scores)
    numbers = only(explained(spare)["A0"], "below_score").numbers
    assert (numbers["last_score"], numbers["seat"]) == ("53", "open")


# --- other causes


def test_a_closed_class() -> None:
    told = explained(make_round({"A": "C Q"}, {"P": 3, "Q": 1}, order_classes={"C": 2, "D": 0},
                                programs={"P": {"order_class": "C"}}))  # fmt: skip
    assert said(told["A"]) == ["placed_choice Q", "class_closed P"]
    assert only(told["A"], "class_closed").numbers == {
        "rank": 1, "order_class": "C", "placed": 1, "min_size": 2, "shortfall": 1, "step": 1,
    }  # fmt: skip


def test_a_full_cap_and_the_cutoff_under_it() -> None:
    lists = {f"A{n}": "P" for n in range(7)} | {"B": "Q"}
    caps = {"K": {"seats": 6, "programs": "P"}, "L": {"seats": 0, "programs": "Q"}}
    scores = {f"A{n} P": 50 + n for n in range(7)}
    told = explained(make_round(lists, {"P": 9, "Q": 9}, caps=caps, scores=scores))
    out = told["A0"]
    assert said(out) == ["not_reached", "cap_score P", "no_consent"]
    assert said(told["B"]) == ["not_reached", "cap_full Q", "no_consent"]
    assert only(told["B"], "cap_full").numbers == {"rank": 1, "cap": "L", "seats": 0}
    assert of_reason("cap_score", "P", out.reasons[0].numbers, "zh") == (
        "第 1 志愿 P：总量上限“K”（6 人）已满；按上限录到 51 分，您 50 分（普通席位）。"
    )


def test_under_a_full_cap_few_people_make_no_cutoff() -> None:
    lists = {f"A{n}": "P" for n in range(5)}
    caps = {"K": {"seats": 4, "programs": "P"}}
    scores = {f"A{n} P": 50 + n for n in range(5)}
    told = explained(make_round(lists, {"P": 9}, caps=caps, scores=scores))["A0"]
    assert said(told) == ["not_reached", "cap_full P", "no_consent"]


def test_whom_nobody_scored_is_told_of_no_score() -> None:
    told = explained(make_round({"A": "P", "B": "P"}, {"P": 1}))
    (few,) = (r for e in told.values() for r in e.reasons if r.code == "below_few_unscored")
    assert "分（" not in of_reason(few.code, few.program, few.numbers, "zh")
    assert "未填" not in of_reason(few.code, few.program, few.numbers, "zh")


def test_barred_choices_stand_in_the_order_of_her_list() -> None:
    decisions = [{"applicant": "A", "program": "Q", "decision": "rejected", "basis": "不合格"}]
    tables = make_round(
        {"A": "C R", "B": "P"}, {"P": 1, "Q": 1, "R": 1}, order_classes={"C": 0, "D": 0},
        programs={"P": {"order_class": "C"}, "Q": {"order_class": "C"}}, decisions=decisions,
        scores={"B P": 9, "A P": 8, "A R": 7},
    )  # fmt: skip
    told = explained(tables)["A"]
    assert said(told) == ["placed_choice R", "below_few P", "barred_rejected Q"]
    assert only(told, "barred_rejected").numbers == {"rank": 1, "value": "不合格", "limit": ""}
    assert told.outcome.numbers["rank"] == 2


def test_everything_barred_and_nothing_listed() -> None:
    people = {"A": {"review": "documents", "adjustment": "alliance"}, "B": {}}
    told = explained(make_round({"A": "P", "B": ""}, {"P": 1}, applicants=people))
    assert said(told["A"]) == ["all_barred", "barred_review P"]
    assert said(told["B"]) == ["no_choice", "no_consent"]


def test_relaxed_and_approved() -> None:
    rules = {
        "age.reference_date": "2026-09-01",
        "age_rule": [{"min": 16, "max": 30, "relaxed_max": 40}],
    }
    people = {
        "A": {"birth_date": "1990-01-01"}, "B": {"birth_date": "1970-01-01"},
        "C": {"birth_date": "2000-01-01"},
    }  # fmt: skip
    decisions = [
        {"applicant": "B", "program": "P", "decision": "approved", "rule": "age", "basis": "x"}
    ]
    told = explained(
        make_round(
            dict.fromkeys("ABC", "P"), {"P": 3}, rules, applicants=people, decisions=decisions
        )
    )
    assert said(told["A"]) == ["placed_choice P", "by_relaxed P"]
    assert said(told["B"]) == ["placed_choice P", "by_approval P"]
    assert said(told["C"]) == ["placed_choice P"]


# --- adjustment


def test_what_became_of_her_consent() -> None:
    consent = {"adjustment": "alliance"}
    tables = make_round(
        {"A": "P", "B": "P", "C": "P", "D": "P"}, {"P": 1, "Q": 1, "R": 1, "S": 1},
        applicants={"A": consent, "B": consent, "C": consent, "D": consent | {"adjustment": "none"}},
        scores={"A P": 4, "B P": 3, "C P": 2, "D P": 1, "B Q": 9}, order_classes={"K": 2},
        programs={"R": {"order_class": "K"}, "S": {"order_class": "K"}},
        caps={"Z": {"seats": 0, "programs": "S"}},
    )  # fmt: skip
    told = explained(tables)
    assert said(told["B"]) == ["placed_adjusted Q", "below_few P"]
    assert only(told["C"], "tail_exhausted").numbers == {
        "scope": "alliance", "considered": 3, "full": 1, "closed": 2, "cap": 0,
    }  # fmt: skip
    assert said(told["D"])[-1] == "no_consent"


def test_seats_passed_over_before_the_adjusted_one() -> None:
    consent = {"adjustment": "alliance"}
    tables = make_round(
        {"A": "P", "B": "Q"}, {"P": 0, "Q": 1, "R": 1}, applicants={"A": consent},
    )  # fmt: skip
    told = explained(tables)["A"]
    assert said(told) == ["placed_adjusted R", "no_seat P", "tail_passed"]
    assert only(told, "tail_passed").numbers == {"scope": "alliance", "considered": 1}


def test_adjustment_under_a_full_cap_and_without_anything_in_scope() -> None:
    people = {"A": {"adjustment": "alliance"}, "B": {"adjustment": "college"}}
    caps = {"Z": {"seats": 0, "programs": "Q"}}
    told = explained(
        make_round({"A": "P", "B": "P"}, {"P": 0, "Q": 1}, applicants=people, caps=caps)
    )
    assert only(told["A"], "tail_exhausted").numbers["cap"] == 1
    assert only(told["B"], "tail_empty").numbers == {"scope": "college"}


# --- the mechanism that optimises

OPTIMAL = {"mechanism.name": "optimal"}


def test_the_price_of_a_better_place() -> None:
    """C at P would leave D without a place: one person fewer."""
    tables = make_round(
        {"C": "P Q", "D": "P"}, {"P": 1, "Q": 2}, OPTIMAL, scores={"C P": 9, "D P": 1}
    )
    told = explained(tables)["C"]
    assert said(told) == ["placed_choice Q", "price_placed P"]
    numbers = only(told, "price_placed").numbers
    assert (numbers["given"], numbers["loss"], numbers["cost_placed"]) == ("nothing", 1, 1)
    assert of_reason("price_placed", "P", numbers, "zh") == (
        "第 1 志愿 P：比起最好的方案，安排您去，至少要少录取 1 人。"
    )


def test_an_equally_good_plan_is_decided_by_the_lottery() -> None:
    told = explained(make_round({"A": "P", "B": "P"}, {"P": 1}, OPTIMAL))
    (out,) = (e for e in told.values() if e.outcome.code == "not_reached")
    assert said(out) == ["not_reached", "price_even P", "no_consent"]


def test_no_seat_at_any_price_and_no_adjustment_worth_it() -> None:
    people = {"A": {"adjustment": "alliance"}, "B": {}}
    told = explained(make_round({"A": "P", "B": "Q"}, {"P": 0, "Q": 1}, OPTIMAL, applicants=people))
    assert said(told["A"])[:2] == ["not_reached", "no_seat P"]
    assert [r.code for r in told["A"].reasons][-1] == "tail_outweighed"


def test_a_seat_held_for_a_group_has_its_own_price() -> None:
    people = {"A": {"groups": "g"}, "B": {}}
    tables = make_round(
        {"A": "P Q", "B": "Q P"}, {"P": 1, "Q": 3}, OPTIMAL, applicants=people,
        reserves={"Q g": 2},
    )  # fmt: skip
    told = explained(tables)
    assert only(told["A"], "price_reserves").numbers["loss"] == 1


@pytest.mark.parametrize(
    ("rules", "code", "said"),
    [
        ({"rank": "min_cost"}, "price_rank", "全体的志愿代价至少要多 1"),
        ({"rank": "rank_maximal"}, "price_rank_fewer", "录取在第 2 志愿的至少要少 1 人"),
        ({"rank": "generous"}, "price_rank_more", "录取在第 3 志愿的至少要多 1 人"),
    ],
)
def test_a_price_in_ranks_is_said_in_the_words_of_its_meaning(
    rules: dict[str, str], code: str, said: str
) -> None:
    """B has P, and A her second choice; with A at P, B has her third."""
    tables = make_round(
        {"A": "P Q", "B": "P X R"}, {"P": 1, "Q": 2, "R": 1, "X": 0},
        OPTIMAL | {f"mechanism.{k}": v for k, v in rules.items()},
    )  # fmt: skip
    told = explained(tables)
    reasons = [r for e in told.values() for r in e.reasons if r.code == code]
    assert any(said in of_reason(code, r.program, r.numbers, "zh") for r in reasons)


def test_a_class_that_the_best_plan_does_without() -> None:
    """Two places at P and Q hold more people than the class with its minimum of three."""
    lists = {"A": "T P", "B": "T Q", "D": "P", "E": "Q"}
    tables = make_round(
        lists, {"T": 3, "P": 2, "Q": 2}, OPTIMAL,
        order_classes={"C": 3}, programs={"T": {"order_class": "C"}},
    )  # fmt: skip
    told = explained(tables)["A"]
    assert said(told) == ["placed_choice P", "class_unopened T"]
    assert only(told, "class_unopened").numbers == {"rank": 1, "order_class": "C", "min_size": 3}


def test_prices_take_the_open_classes_as_given_where_any_has_a_minimum() -> None:
    tables = make_round(
        {"C": "P Q", "D": "P", "E": "Q"}, {"P": 1, "Q": 3}, OPTIMAL,
        order_classes={"K": 2}, programs={"Q": {"order_class": "K"}},
    )  # fmt: skip
    told = explained(tables)["C"]
    numbers = only(told, "price_placed").numbers
    assert numbers["given"] == "classes"
    assert "开班不变，" in of_reason("price_placed", "P", numbers, "zh")


def test_where_caps_cross_no_seat_has_a_price() -> None:
    tables = make_round({"A": "P", "B": "P R"}, {"P": 1, "Q": 1, "R": 1}, OPTIMAL)
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    result = solve(market, policy)
    crossed = replace(market, caps=(Cap("K", 1, (0, 1)), Cap("L", 1, (1, 2))))
    (told,) = explain(crossed, policy, result, "B")
    assert said(told) == ["placed_choice R", "price_none P"]


EXACT = {"mechanism.closure": "exact"}
JOINT = {"order_classes": {"C": 2, "D": 2},
         "programs": {"T": {"order_class": "C"}, "U": {"order_class": "D"}}}  # fmt: skip


def test_under_exact_closing_a_class_that_few_want_would_be_short_if_reopened() -> None:
    lists = {"A": "T", "B": "T", "D": "T U", "E": "U T"}
    told = explained(make_round(lists, {"T": 4, "U": 2}, EXACT, **JOINT))["E"]
    numbers = only(told, "class_alone").numbers
    assert (numbers["placed"], numbers["min_size"], numbers["shortfall"]) == (1, 2, 1)


def test_under_exact_closing_a_class_that_too_few_could_join_says_so() -> None:
    """E alone listed U: whatever opens, its class has one person at most."""
    told = explained(make_round({"A": "T", "B": "T", "E": "U T"}, {"T": 3, "U": 2}, EXACT, **JOINT))
    reason = only(told["E"], "class_few")
    assert (reason.numbers["placed"], reason.numbers["min_size"]) == (1, 2)
    assert "最多能录 1 人" in of_reason(reason.code, "U", reason.numbers, "zh")


def test_under_exact_closing_a_class_may_be_closed_for_another() -> None:
    """T keeps B and D from U, which then lacks one; with T closed all of U's people come."""
    lists = {"A": "T U", "B": "T U", "D": "U", "E": "U", "F": "U"}
    given = JOINT | {"order_classes": {"C": 2, "D": 4}}
    told = explained(make_round(lists, {"T": 2, "U": 5}, EXACT, **given))["A"]
    reason = only(told, "class_saves")
    assert (reason.numbers["placed"], reason.numbers["others"]) == (2, "D")
    assert "D 就会达不到最低人数" in of_reason(reason.code, "T", reason.numbers, "zh")


def test_a_result_cut_short_is_explained_by_the_components_that_it_has() -> None:
    tables = make_round(
        {"C": "P Q", "D": "P"}, {"P": 1, "Q": 2}, OPTIMAL, scores={"C P": 9, "D P": 1}
    )
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    result = solve(market, policy)
    short = [t._replace(price=t.price[:1] if t.price else None) for t in result.thresholds]
    cut = replace(result, thresholds=short, status=Status.FEASIBLE)
    (told,) = explain(market, policy, cut, "C")
    assert only(told, "price_placed").numbers["loss"] == 1


# --- all of them


def test_one_applicant_alone() -> None:
    tables = make_round({"B": "P", "A": "P"}, {"P": 1})
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    result = solve(market, policy)
    assert [e.applicant for e in explain(market, policy, result)] == ["A", "B"]
    assert [e.applicant for e in explain(market, policy, result, "B")] == ["B"]
    with pytest.raises(KeyError):
        list(explain(market, policy, result, "Z"))


def test_a_line_of_json() -> None:
    told = explained(make_round({"甲": "P"}, {"P": 1}))["甲"]
    document = json.loads(told.to_json())
    assert document["applicant"] == "甲"
    assert document["outcome"]["code"] == "placed_choice"
    assert document["reasons"] == []
    assert "甲" in told.to_json()


# --- the planted cases of the demo round


@pytest.fixture(scope="module")
def demo() -> dict[str, Explanation]:
    """Everybody's explanation in the demo round."""
    return explained(Tables.read(DEMO))


def test_case_1_the_lottery_between_equals(demo: dict[str, Explanation]) -> None:
    four = [demo[f"AC01-0{n}"] for n in range(1, 5)]
    out = [e for e in four if "below_lottery KC01-1" in said(e)]
    assert len(out) == 2
    for told in out:
        numbers = only(told, "below_lottery").numbers
        assert int(numbers["lottery"]) > int(numbers["last_lottery"])


def test_case_3_a_class_that_closes(demo: dict[str, Explanation]) -> None:
    numbers = only(demo["AC03-01"], "class_closed").numbers
    assert (numbers["placed"], numbers["min_size"], numbers["shortfall"]) == (7, 20, 13)


def test_case_7_too_young_for_the_work(demo: dict[str, Explanation]) -> None:
    told = demo["AC07-01"]
    assert said(told)[0] == "placed_choice KC07-1"
    assert {"barred_minor KC03N-1", "barred_age KC01-1", "barred_work_age KC01-1"} <= set(
        said(told)
    )


def test_cases_8_and_9_an_older_worker(demo: dict[str, Explanation]) -> None:
    assert {"placed_choice KC08-1", "by_relaxed KC08-1", "barred_age KC15-1"} <= set(
        said(demo["AC08-01"])
    )
    assert "by_approval KC08-1" in said(demo["AC08-02"])


def test_nobody_of_the_demo_is_told_of_anybody_else(demo: dict[str, Explanation]) -> None:
    people = set(demo)
    for told in demo.values():
        values = {str(v) for r in (told.outcome, *told.reasons) for v in r.numbers.values()}
        assert people.isdisjoint(values)


MECHANISMS = ("stable", "parallel", "optimal", "max_placement")


def random_result(mechanism: str, seed: int) -> tuple[Oracle, Market, Policy, Result]:
    """A random tiny market with its result."""
    instance = random_instance(Random(seed), mechanism)
    given = {name: Table({**columns}) for name, columns in instance.to_tables_dict().items()}
    tables = Tables(given, instance.rules.toml().encode())
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    return Oracle(instance), market, policy, solve(market, policy)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("fewest", [1, 5])
def test_every_wish_has_a_reason_and_no_reason_names_a_person(
    mechanism: str, fewest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EXPLAIN, "FEWEST", fewest)
    for seed in range(60):
        oracle, market, policy, result = random_result(mechanism, seed)
        held = dict(zip(market.applicants, result.matching.tolist(), strict=True))
        for told in explain(market, policy, result):
            mine = list(oracle.rank[told.applicant].items())
            even = 0
            if held[told.applicant] >= 0:
                at = [p for p, _ in mine].index(market.programs[held[told.applicant]])
                # These take programs of one class, listed as one choice, as equally good.
                even = mine[at][1] if result.by_rank else 0
                mine = mine[:at]
            wanted = {p for p, rank in mine if rank and rank != even}
            spoken = {r.program for r in told.reasons if r.program}
            barred = {
                market.programs[b.program]
                for b in market.barred
                if market.applicants[b.applicant] == told.applicant
            }
            placed = {told.outcome.program} - {""}
            assert spoken - placed == wanted | barred
            _check_sentences(told, market)


def _check_sentences(told: Explanation, market: Market) -> None:
    for reason in (told.outcome, *told.reasons):
        assert placeholders(REASONS[reason.code][0]) <= {*reason.numbers, "program"}
        assert of_reason(reason.code, reason.program, reason.numbers, "zh")
        assert of_reason(reason.code, reason.program, reason.numbers, "en")
        others = set(market.applicants) - {told.applicant} - set(market.programs)
        assert others.isdisjoint(map(str, reason.numbers.values()))


@pytest.mark.parametrize("mechanism", ["stable", "parallel", "max_placement"])
def test_whoever_is_told_to_be_below_is(mechanism: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EXPLAIN, "FEWEST", 1)
    found = set()
    for seed in range(200):
        _, market, policy, result = random_result(mechanism, seed)
        for told in explain(market, policy, result):
            for reason in told.reasons:
                found.add(reason.code)
                _check_comparison(reason)
    assert {"below_score", "below_tie", "class_closed"} <= found
    if mechanism == "max_placement":
        assert {"tied", "tied_unscored", "full_few"} & found > {"tied"}
        assert not {"below_lottery", "below_few"} & found
    else:
        assert {"below_lottery", "cap_full"} <= found
        assert {"cap_score", "cap_tie", "cap_lottery"} & found


def _check_comparison(reason: Reason) -> None:
    numbers: dict[str, Any] = reason.numbers
    code = re.sub("^cap_", "below_", reason.code)
    if code == "below_score":
        assert float(numbers["score"]) < float(numbers["last_score"])
    elif code == "below_unscored":
        assert numbers["score"] == "" != numbers["last_score"]
    elif code == "below_tie":
        assert float(numbers["value"] or "-inf") < float(numbers["last_value"])
    elif code == "below_lottery":
        assert numbers["lottery"] > numbers["last_lottery"]
        assert numbers["score"] == numbers["last_score"]
    elif code in ("tied", "tied_unscored"):
        assert numbers["score"] == numbers["last_score"]
        assert (numbers["score"] == "") == (code == "tied_unscored")
        assert "last_lottery" not in numbers


def _with_minimum(oracle: Oracle, plan: dict[str, str | None]) -> set[str]:
    """The classes with a minimum above 1 that a placement opens."""
    classes = {oracle.class_of[p] for p in plan.values() if p is not None}
    return {c for c in classes if oracle.classes[c].min_size > 1}


def test_a_price_is_never_more_than_the_loss_of_the_best_plan_with_her_there() -> None:
    """Against every feasible placement that has her where she would rather be."""
    priced = 0
    for seed in range(80):
        oracle, market, policy, result = random_result("optimal", seed)
        if len(market.applicants) > 4:
            continue
        names = [name for name in result.components if not name.startswith("lottery")]
        _, value = oracle.optimal()
        opened = {market.order_classes[c] for c in np.flatnonzero(result.opened)}
        least = {c for c, one in oracle.classes.items() if one.min_size > 1}
        everything = oracle.assignments(frozenset(oracle.class_of.values()))
        plans = [plan for plan in everything if oracle._classes_empty_or_full_enough(plan)]
        for told in explain(market, policy, result):
            for reason in told.reasons:
                if not reason.code.startswith("price"):
                    continue
                there = [plan for plan in plans if plan[told.applicant] == reason.program]
                if reason.numbers.get("given") == "classes":
                    there = [p for p in there if _with_minimum(oracle, p) == opened & least]
                if not there:
                    continue
                most = max(oracle.objective(plan, names) for plan in there)
                loss = [int(reason.numbers.get(f"cost_{name}", 0)) for name in names]
                bound = tuple(v - c for v, c in zip(value, loss, strict=False))
                assert most <= bound
                priced += 1
    assert priced > 20
