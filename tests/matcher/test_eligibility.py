"""The law of admission: for every rule who passes, who fails and by how much, at the very border."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import RULES, Policy, check
from matcher.policy import AgeRule
from tests.rounds import barred, choices, make_round, market, placed, toml

DAY = "2026-09-01"


def bars(
    person: dict[str, Any] | None = None,
    course: dict[str, Any] | None = None,
    place: dict[str, Any] | None = None,
    decisions: list[dict[str, str]] | None = None,
    scores: dict[str, Any] | None = None,
    **rules: Any,
) -> list[str]:
    """What bars A from P, a program of class C, as ``rule value limit`` words."""
    others: dict[str, Any] = {"scores": scores} if scores is not None else {}
    if decisions:
        others["decisions"] = [{"applicant": "A", "program": "P"} | line for line in decisions]
    made = make_round(
        {"A": "P"}, {"P": 1}, {k.replace("__", "."): v for k, v in rules.items()},
        applicants={"A": person or {}}, programs={"P": {"order_class": "C"} | (place or {})},
        order_classes={"C": {"min_size": 0} | (course or {})}, **others,
    )  # fmt: skip
    return [line.removeprefix("A P ").strip() for line in barred(made)]


def aged(
    birth: str, *rows: dict[str, Any], person: dict[str, Any] | None = None, **rest: Any
) -> list:
    """What bars somebody born that day under these age rules."""
    rules = {"age.reference_date": DAY, "age_rule": list(rows)} | rest.pop("rules", {})
    return bars({"birth_date": birth} | (person or {}), **rest, **rules)


# --- one example that passes and one that fails, for each rule ----------------------------------

APPROVED = {"decision": "approved", "basis": "个案"}
CHANNEL = {"channel": "K"}
WEIGHED = {"score_channel": [{"channel": "K", "skill": 0.5, "interview": 0.5}]}
EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "review": (
        {"person": {"review": "passed"}},
        {"person": {"review": "documents"}},
        "review documents passed",
    ),
    "rejected": (
        {"decisions": [APPROVED]},
        {"decisions": [{"decision": "rejected", "basis": "面试不合格"}]},
        "rejected 面试不合格",
    ),
    "declined": (
        {"decisions": [APPROVED]},
        {"decisions": [{"decision": "declined", "basis": "放弃声明"}]},
        "declined 放弃声明",
    ),
    "membership": (
        {"place": {"enterprise_member_until": "2026-09-01"}, "membership__date": DAY},
        {"place": {"enterprise_member_until": "2026-08-31"}, "membership__date": DAY},
        "membership 2026-08-31 2026-09-01",
    ),
    "age": (
        {"person": {"birth_date": "2010-09-01"}, "age__reference_date": DAY,
         "age_rule": [{"min": 16}]},
        {"person": {"birth_date": "2010-09-02"}, "age__reference_date": DAY,
         "age_rule": [{"min": 16}]},
        "age 15 16",
    ),
    "approval": (
        {"person": {"birth_date": "1986-08-31"}, "age__reference_date": DAY,
         "age_rule": [{"needs_approval_above": 40}]},
        {"person": {"birth_date": "1985-08-31"}, "age__reference_date": DAY,
         "age_rule": [{"needs_approval_above": 40}]},
        "approval 41 40",
    ),
    "class_age": (
        {"person": {"birth_date": "2001-09-01"}, "age__reference_date": DAY,
         "course": {"age_min": 18, "age_max": 25, "age_basis": "x"}},
        {"person": {"birth_date": "2000-09-01"}, "age__reference_date": DAY,
         "course": {"age_min": 18, "age_max": 25, "age_basis": "x"}},
        "class_age 26 25",
    ),
    "education": (
        {"person": {"education": "41"}, "course": {"entry_education": "61"}},
        {"person": {"education": "71"}, "course": {"entry_education": "61"}},
        "education 71 61",
    ),
    "skill_level": (
        {"person": {"skill_level": "3"}, "course": {"entry_skill": "4"}},
        {"person": {"skill_level": "5"}, "course": {"entry_skill": "4"}},
        "skill_level 5 4",
    ),
    "study_form": (
        {"person": {"study_forms": "PT;FT"}, "course": {"study_form": "FT"}},
        {"person": {"study_forms": "PT;ST"}, "course": {"study_form": "FT"}},
        "study_form PT;ST FT",
    ),
    "health": (
        {"person": {"health": "H3;H1;H2"}, "course": {"health": "H2;H1", "health_basis": "x"}},
        {"person": {"health": "H3"}, "course": {"health": "H2;H1", "health_basis": "x"}},
        "health H1;H2 H2;H1",
    ),
    "minor": (
        {"person": {"birth_date": "2010-09-01"}, "place": {"forbid_minor": 1},
         "course": {"internship_date": "2028-09-01"}},
        {"person": {"birth_date": "2010-09-02"}, "place": {"forbid_minor": 1},
         "course": {"internship_date": "2028-09-01"}},
        "minor 17 18",
    ),
    "work_age": (
        {"person": {"birth_date": "2010-09-01"}, "course": {"hire_date": "2026-09-01"}},
        {"person": {"birth_date": "2010-09-02"}, "course": {"hire_date": "2026-09-01"}},
        "work_age 15 16",
    ),
    "channel": (
        {"place": CHANNEL, "scores": {"A K": {"fit": 1}}},
        {"place": CHANNEL, "scores": {}},
        "channel  K",
    ),
    "absent": (
        {"place": CHANNEL, "scores": {"A K": {"skill": 50, "interview": "exempt"}}} | WEIGHED,
        {"place": CHANNEL, "scores": {"A K": {"skill": 50, "interview": "absent"}}} | WEIGHED,
        "absent interview",
    ),
    "interview": (
        {"place": CHANNEL, "scores": {"A K": {"skill": 90, "interview": 60}},
         "score__pass_interview": 60} | WEIGHED,
        {"place": CHANNEL, "scores": {"A K": {"skill": 90, "interview": "59.99"}},
         "score__pass_interview": 60} | WEIGHED,
        "interview 59.99 60",
    ),
    "total": (
        {"place": CHANNEL, "scores": {"A K": 60}, "score__pass_total": 60},
        {"place": CHANNEL, "scores": {"A K": "59.90"}, "score__pass_total": 60},
        "total 59.9 60",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_one_who_passes_and_one_who_fails(rule: str) -> None:
    passes, fails, told = EXAMPLES[rule]
    assert bars(**passes) == []
    assert bars(**fails) == [told]


def test_the_rules_stand_in_the_order_in_which_they_are_shown() -> None:
    assert list(RULES) == [
        "review",
        "rejected",
        "declined",
        "membership",
        "age",
        "approval",
        "class_age",
        "education",
        "skill_level",
        "study_form",
        "health",
        "minor",
        "work_age",
        "channel",
        "absent",
        "interview",
        "total",
    ]


def test_every_rule_that_fails_is_told_in_that_order() -> None:
    found = bars(
        {"review": "expired", "birth_date": "2011-01-01", "education": "90", "skill_level": ""},
        {"entry_education": "31", "entry_skill": "4", "hire_date": "2026-09-01"},
        {"channel": "K", "forbid_minor": 1},
        age__reference_date=DAY, age_rule=[{"min": 16}], score__pass_total=60,
    )  # fmt: skip
    rules = [line.split()[0] for line in found]
    assert rules == [
        "review",
        "age",
        "education",
        "skill_level",
        "minor",
        "work_age",
        "channel",
        "total",
    ]


def test_barred_pairs_become_no_edges() -> None:
    made = make_round({"A": "P Q"}, {"P": 1, "Q": 1}, programs={"P": {"channel": "K"}})
    assert choices(made) == {"A": "Q:2"}
    assert barred(made) == ["A P channel  K"]


# --- the single rules ---------------------------------------------------------------------------


def test_a_pass_of_the_review_or_none_at_all() -> None:
    assert bars({"review": ""}) == []
    for code in ("identity", "duplicate", "enrolled", "expired", "withdrawn", "other"):
        assert bars({"review": code}) == [f"review {code} passed"]


def test_a_rejection_concerns_its_own_pair() -> None:
    made = make_round(
        {"A": "P Q", "B": "P"}, {"P": 1, "Q": 1},
        decisions=[{"applicant": "A", "program": "P", "decision": "rejected"}],
    )  # fmt: skip
    assert choices(made) == {"A": "Q:2", "B": "P:1"}


def test_the_earlier_end_of_membership_is_told() -> None:
    dates = {"course": {"college_member_until": "2026-05-01"},
             "place": {"enterprise_member_until": "2026-04-30"}}  # fmt: skip
    assert bars(**dates, membership__date="2026-05-02") == ["membership 2026-04-30 2026-05-02"]
    assert bars(**dates, membership__date="2026-05-01") == ["membership 2026-04-30 2026-05-01"]
    assert bars(**dates, membership__date="2026-04-30") == []
    assert bars(**dates) == [], "without a date the rule is not applied"
    assert bars(membership__date="2099-01-01") == [], "blank is open"


@pytest.mark.parametrize(
    ("held", "asked", "fails"),
    [
        ("", "90", True), ("90", "90", False), ("90", "82", False), ("90", "72", True),
        ("72", "81", False), ("71", "61", True), ("63", "71", False), ("61", "41", False),
        ("23", "31", True), ("31", "31", False), ("31", "21", True), ("19", "21", False),
        ("21", "11", True), ("17", "11", False), ("11", "17", False),
    ],
)  # fmt: skip
def test_levels_of_education(held: str, asked: str, fails: bool) -> None:
    told = bars({"education": held}, {"entry_education": asked})
    assert told == ([f"education {held} {asked}"] if fails else [])


@pytest.mark.parametrize("asked", range(1, 6))
def test_skill_levels_count_downwards(asked: int) -> None:
    passing = [h for h in (5, 4, 3, 2, 1) if not bars({"skill_level": h}, {"entry_skill": asked})]
    assert passing == list(range(asked, 0, -1))
    assert bars({"skill_level": ""}, {"entry_skill": asked}) == [f"skill_level  {asked}"]


def test_study_forms_are_asked_of_everybody_or_of_nobody() -> None:
    assert bars({}, {"study_form": "FT"}) == []
    assert bars({"study_forms": "PT"}, {"study_form": ""}) == []


def test_a_condition_that_nobody_meets() -> None:
    assert bars({"health": ""}, {"health": "H9", "health_basis": "x"}) == ["health H9 H9"]


def test_class_limits_of_age_are_included() -> None:
    def at(birth: str) -> list[str]:
        return bars({"birth_date": birth}, {"age_min": 18, "age_max": 18, "age_basis": "x"},
                    age__reference_date=DAY)  # fmt: skip

    assert at("2008-09-02") == ["class_age 17 18"]
    assert at("2008-09-01") == []
    assert at("2007-09-02") == []
    assert at("2007-09-01") == ["class_age 19 18"]


def test_minors_are_judged_on_the_earlier_of_internship_and_hiring() -> None:
    dates = {"internship_date": "2028-01-01", "hire_date": "2029-01-01"}
    post = {"forbid_minor": 1}
    assert bars({"birth_date": "2010-01-02"}, dates, post) == ["minor 17 18"]
    assert bars({"birth_date": "2010-01-02"}, {"hire_date": "2029-01-01"}, post) == []
    assert bars({"birth_date": "2010-01-02"}, dates, {"forbid_minor": 0}) == []
    assert bars({"birth_date": "2010-01-02"}, dates, post, work__minor_under=17) == []


def test_too_young_at_the_internship_is_told_before_the_hiring() -> None:
    dates = {"internship_date": "2026-03-01", "hire_date": "2026-09-01"}
    limits = {"work__min_internship_age": 15, "work__min_hire_age": 18}
    assert bars({"birth_date": "2011-03-02"}, dates, **limits) == ["work_age 14 15"]
    assert bars({"birth_date": "2011-03-01"}, dates, **limits) == ["work_age 15 18"]
    assert bars({"birth_date": "2008-09-01"}, dates, **limits) == []


def test_a_qualification_line_asks_for_a_score_where_there_is_a_channel() -> None:
    line = {"score__pass_total": 60}
    assert bars(place=CHANNEL, scores={"A K": {"fit": 1}}, **line) == ["total  60"]
    assert bars(place=CHANNEL, scores={"A P": 59, "A K": 70}, **line) == ["total 59 60"]
    assert bars(scores={"A P": 1}, **line) == [], "no channel, no line"
    assert bars(place=CHANNEL, scores={"A K": 60}, score__pass_total=60.01) == ["total 60 60.01"]


def test_an_interview_line_asks_nothing_of_the_exempt_and_of_whom_nobody_interviewed() -> None:
    rules: dict[str, Any] = {"place": CHANNEL, "score__pass_interview": "60.50"} | WEIGHED
    rules["score__pass_interview"] = 60.5
    assert bars(scores={"A K": {"skill": 90, "interview": "exempt"}}, **rules) == []
    assert bars(scores={"A K": {"skill": 90, "interview": ""}}, **rules) == []
    assert bars(scores={"A K": {"skill": 90, "interview": "60.4"}}, **rules) == [
        "interview 60.4 60.5"
    ]
    low = {"A K": {"skill": 90, "interview": 10}, "A P": {"interview": 60.5}}
    assert bars(scores=low, **rules) == [], "the class's own interview counts"


def test_the_interview_is_told_as_written() -> None:
    row = {"skill": 90, "interview": "059.90"}
    told = bars(place=CHANNEL, scores={"A K": row}, score__pass_interview=60, **WEIGHED)
    assert told == ["interview 059.90 60"]


# --- the tail -----------------------------------------------------------------------------------


def test_nobody_is_adjusted_into_a_program_that_bars_her() -> None:
    made = make_round(
        {"A": "P"}, {"P": 1, "Q": 1, "R": 1}, applicants={"A": {"adjustment": "alliance"}},
        programs={"Q": {"channel": "K"}},
    )  # fmt: skip
    assert choices(made) == {"A": "P:1 R:0"}
    assert barred(made) == [], "what bars an adjustment is not told"


@pytest.mark.parametrize(
    ("interview", "tail"),
    [("", "R:0"), ("exempt", "Q:0 R:0"), (50, "Q:0 R:0"), ("absent", "Q:0 R:0")],
)
def test_a_class_may_insist_on_an_interview_before_an_adjustment(interview: Any, tail: str) -> None:
    """It asks nothing of those who listed it, and 缺考 here is the other rule's matter."""
    made = make_round(
        {"A": "P"}, {"P": 1, "Q": 1, "R": 1}, WEIGHED | {"score.absent": "zero"},
        applicants={"A": {"adjustment": "alliance"}},
        programs={p: {"channel": "K", "order_class": f"C{p}"} for p in "PQR"},
        order_classes={
            "CP": {"min_size": 0, "interview_required": 1},
            "CQ": {"min_size": 0, "interview_required": 1},
            "CR": {"min_size": 0, "interview_required": 0},
        },
        scores={"A K": {"skill": 50, "interview": interview}},
    )  # fmt: skip
    assert choices(made) == {"A": f"P:1 {tail}"}


# --- age rules ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("birth", "day", "years"),
    [
        ("2010-09-01", "2026-09-01", 16),
        ("2010-09-02", "2026-09-01", 15),
        ("2008-02-29", "2026-02-28", 17),
        ("2008-02-29", "2026-03-01", 18),
        ("2008-02-29", "2028-02-29", 20),
        ("2008-12-31", "2026-01-01", 17),
        ("2008-01-01", "2026-12-31", 18),
    ],
)
def test_full_years_on_the_day_itself(birth: str, day: str, years: int) -> None:
    told = bars({"birth_date": birth}, age__reference_date=day, age_rule=[{"min": 99}])
    assert told == [f"age {years} 99"]


@given(st.dates(), st.dates())
def test_full_years_are_counted_by_the_calendar(birth: Any, day: Any) -> None:
    years = day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
    rule = AgeRule(min=years + 1) if years >= 0 else AgeRule(min=0)
    policy = Policy(reference_date=str(day), age_rules=(rule,))
    found = check({"birth_date": str(birth)}, {}, {}, policy)
    assert found == [("age", str(years), str(rule.min))]


def test_ages_from_min_to_relaxed_max_are_admitted() -> None:
    rule = {"min": 16, "max": 35, "relaxed_max": 40}
    assert aged("2010-09-02", rule) == ["age 15 16"]
    assert aged("2010-09-01", rule) == []
    assert aged("1985-09-02", rule) == []
    assert aged("1985-09-01", rule) == ["age 41 40"]
    assert aged("1990-09-01", {"max": 35}) == ["age 36 35"]


def relaxed(birth: str, *rows: dict[str, Any], **rest: Any) -> bool:
    """Whether somebody is admitted, by a relaxed rule."""
    made = make_round(
        {"A": "P"}, {"P": 1}, {"age.reference_date": DAY, "age_rule": list(rows)},
        applicants={"A": {"birth_date": birth} | rest},
    )  # fmt: skip
    return bool(market(made).relaxed[0])


def test_above_max_a_placement_is_a_relaxed_one() -> None:
    rule = {"max": 35, "relaxed_max": 40}
    assert not relaxed("1990-09-02", rule)
    assert relaxed("1990-09-01", rule)
    assert relaxed("1985-09-02", rule)


# group, study form, level of the rule → its limit; the person is in g, the class FT and 中级.
KEYS = [
    {"min": 90},
    {"level": "中级", "min": 91},
    {"study_form": "FT", "min": 92},
    {"group": "g", "min": 93},
    {"study_form": "FT", "level": "中级", "min": 94},
    {"group": "g", "level": "中级", "min": 95},
    {"group": "g", "study_form": "FT", "min": 96},
    {"group": "g", "study_form": "FT", "level": "中级", "min": 97},
]


@pytest.mark.parametrize("best", range(8))
def test_the_rule_that_names_more_wins_then_group_before_form_before_level(best: int) -> None:
    others = [
        {"group": "h", "min": 98},
        {"study_form": "PT", "min": 98},
        {"level": "高级", "min": 98},
    ]
    found = aged(
        "2000-01-01", *KEYS[best::-1], *others,
        person={"groups": "g"}, course={"study_form": "FT", "level": "中级"},
    )  # fmt: skip
    assert found == [f"age 26 {90 + best}"]


def test_a_class_without_form_or_level_is_meant_by_rules_for_all_only() -> None:
    assert aged("2000-01-01", *KEYS, person={"groups": "g"}) == ["age 26 93"]


def test_a_person_without_groups_is_meant_by_rules_for_all_only() -> None:
    course = {"study_form": "FT", "level": "中级"}
    assert aged("2000-01-01", *KEYS, course=course) == ["age 26 94"]
    assert aged("2000-01-01", *KEYS, person={"groups": "other"}, course=course) == ["age 26 94"]


def test_where_no_rule_speaks_everybody_is_admitted() -> None:
    assert aged("1926-01-01", {"group": "g", "max": 20}) == []
    assert aged("1926-01-01") == []


def test_any_group_that_admits_is_enough() -> None:
    rows = [{"group": "g", "max": 20}, {"group": "h", "max": 30}, {"group": "k", "max": 22}]
    assert aged("2000-01-01", *rows, person={"groups": "g;h"}) == []
    assert aged("2000-01-01", *rows, person={"groups": "g;k"}) == ["age 26 22"]
    assert aged("2000-01-01", *rows, person={"groups": "g;none"}) == [], "no rule for one of them"


def test_the_limit_nearest_to_her_age_is_told_the_smaller_of_two() -> None:
    rows = [{"group": "g", "max": 24}, {"group": "h", "min": 28}, {"group": "k", "min": 27}]
    assert aged("2000-01-01", *rows, person={"groups": "g;h"}) == ["age 26 24"]
    assert aged("2000-01-01", *rows, person={"groups": "h;g;k"}) == ["age 26 27"]


def test_ordinary_comes_before_relaxed() -> None:
    rows = [{"group": "g", "max": 20, "relaxed_max": 30}, {"group": "h", "max": 30}]
    assert relaxed("2000-01-01", *rows, groups="g")
    assert not relaxed("2000-01-01", *rows, groups="g;h")


def test_relaxed_comes_before_an_approval() -> None:
    rows = [
        {"group": "g", "max": 20, "relaxed_max": 30},
        {"group": "h", "needs_approval_above": 25},
    ]
    assert aged("2000-01-01", *rows, person={"groups": "h"}) == ["approval 26 25"]
    assert aged("2000-01-01", *rows, person={"groups": "g;h"}) == []
    assert relaxed("2000-01-01", *rows, groups="g;h")


def test_an_approval_is_asked_above_its_age_whether_ordinary_or_relaxed() -> None:
    rule = {"max": 30, "relaxed_max": 40, "needs_approval_above": 30}
    assert aged("1995-09-02", rule) == []
    assert aged("1995-09-01", rule) == ["approval 31 30"]
    assert aged("1985-09-01", rule) == ["age 41 40"], "what is barred is not a matter of approval"


def test_of_several_approvals_asked_the_greatest_limit_is_told() -> None:
    rows = [{"group": "g", "needs_approval_above": 20}, {"group": "h", "needs_approval_above": 24},
            {"group": "k", "max": 25}]  # fmt: skip
    assert aged("2000-01-01", *rows, person={"groups": "g;h;k"}) == ["approval 26 24"]


def test_without_age_rules_nobodys_age_is_asked() -> None:
    assert bars({"birth_date": "1900-01-01"}, age__reference_date=DAY) == []


# --- approvals in a single case -----------------------------------------------------------------

TOO_OLD = {"max": 20}
ASKS = {"needs_approval_above": 20}


@pytest.mark.parametrize(
    ("rule", "row", "aside"),
    [
        ("", TOO_OLD, True), ("age", TOO_OLD, True), ("approval", TOO_OLD, False),
        ("education", TOO_OLD, False),
        ("", ASKS, True), ("approval", ASKS, True), ("age", ASKS, False), ("skill_level", ASKS, False),
    ],
)  # fmt: skip
def test_an_approval_sets_aside_the_rule_that_it_names(rule: str, row: dict, aside: bool) -> None:
    found = aged("2000-01-01", row, decisions=[APPROVED | {"rule": rule}])
    assert (found == []) is aside


def test_without_case_by_case_no_age_is_set_aside_but_asked_approvals_are_given() -> None:
    rules = {"age__case_by_case": False}
    assert aged("2000-01-01", TOO_OLD, decisions=[APPROVED], rules=rules) == ["age 26 20"]
    assert aged("2000-01-01", ASKS, decisions=[APPROVED], rules=rules) == []


@pytest.mark.parametrize("rule", ["education", "skill_level"])
def test_prerequisites_are_set_aside_by_name_only(rule: str) -> None:
    course = {f"entry_{rule.removesuffix('_level')}": "1" if rule == "skill_level" else "11"}
    person = {rule: ""}
    assert bars(person, course, decisions=[APPROVED | {"rule": rule}]) == []
    assert len(bars(person, course, decisions=[APPROVED])) == 1
    assert len(bars(person, course, decisions=[{"decision": "confirmed"}])) == 1


@pytest.mark.parametrize(
    "rule", [r for r in RULES if r not in ("age", "approval", "education", "skill_level")]
)
def test_no_approval_sets_aside_anything_else(rule: str) -> None:
    _, fails, told = EXAMPLES[rule]
    decisions = fails.get("decisions", []) or [APPROVED, APPROVED | {"rule": "education"}]
    assert bars(**(fails | {"decisions": decisions})) == [told]


def flags(
    decisions: list[dict[str, str]], *rows: dict[str, Any], **person: Any
) -> tuple[bool, bool]:
    """Whether A's edge is approved, and relaxed."""
    m = market(make_round(
        {"A": "P"}, {"P": 1}, {"age.reference_date": DAY, "age_rule": list(rows)},
        applicants={"A": {"birth_date": "2000-01-01"} | person},
        programs={"P": {"order_class": "C"}},
        order_classes={"C": {"min_size": 0, "entry_education": "61"}},
        decisions=[{"applicant": "A", "program": "P"} | line for line in decisions],
    ))  # fmt: skip
    return bool(m.approved[0]), bool(m.relaxed[0])


def test_a_placement_by_an_approval_says_so() -> None:
    educated = {"education": "61"}
    assert flags([APPROVED], TOO_OLD, **educated) == (True, True)
    assert flags([APPROVED], ASKS, **educated) == (True, True)
    assert flags([APPROVED], {"max": 26}, **educated) == (False, False), "nothing was set aside"
    assert flags([APPROVED], {"max": 25, "relaxed_max": 26}, **educated) == (False, True)
    assert flags([APPROVED | {"rule": "education"}], {"max": 26}, education="") == (True, False)


def test_reasons_of_placements() -> None:
    made = make_round(
        {"A": "P", "B": "P", "C": "P"}, {"P": 3},
        {"age.reference_date": DAY, "age_rule": [{"max": 20, "relaxed_max": 26}]},
        applicants={"A": {"birth_date": "2010-01-01"}, "B": {"birth_date": "2000-01-01"},
                    "C": {"birth_date": "1990-01-01"}},
        decisions=[{"applicant": "C", "program": "P"} | APPROVED],
    )  # fmt: skip
    assert placed(made) == {"A": "P", "B": "P", "C": "P"}


# --- single rows --------------------------------------------------------------------------------


def test_check_answers_for_single_rows() -> None:
    policy = Policy.from_toml(toml({"age.reference_date": DAY, "age_rule": [{"min": 18}]}))
    person = {"applicant": "A", "birth_date": "2009-01-01", "education": "71", "groups": "g"}
    course = {"order_class": "C", "entry_education": "61", "hire_date": "2026-10-01"}
    assert check(person, {"program": "P", "capacity": "1"}, course, policy) == [
        ("age", "17", "18"), ("education", "71", "61"),
    ]  # fmt: skip
    assert check(person | {"birth_date": "2000-01-01", "education": "61"}, {}, course, policy) == []


def test_check_asks_for_no_score() -> None:
    policy = Policy.from_toml(toml({"score.pass_total": 60, "score.pass_interview": 60}))
    assert check({"applicant": "A"}, {"program": "P", "channel": "K"}, {}, policy) == []
