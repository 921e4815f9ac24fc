"""The rules of a round as data: read exactly, checked key by key, written back equal."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import InvalidRound, Policy
from matcher.policy import MECHANISMS, OBJECTIVES, AgeRule, ScoreChannel
from matcher.tables import COMPONENTS, STUDY_FORMS
from tests.rounds import toml

DEFAULTS = Policy()


def read(text: str) -> Policy:
    """The policy that a text states."""
    return Policy.from_toml(text.encode())


def faults(text: str | bytes) -> list[str]:
    """What is wrong with a text, as ``row key code`` words."""
    try:
        Policy.from_toml(text.encode() if isinstance(text, str) else text)
    except InvalidRound as error:
        return [f"{i.row} {i.column} {i.code}" for i in error.issues]
    return []


def test_an_empty_policy_has_every_default() -> None:
    assert read("") == DEFAULTS
    assert (DEFAULTS.mechanism, DEFAULTS.closure, DEFAULTS.reserve_order) == (
        "stable", "exact", "reserves_first",
    )  # fmt: skip
    assert DEFAULTS.objective == ("placed", "reserves", "rank", "fit")
    assert (DEFAULTS.rank, DEFAULTS.score_digits, DEFAULTS.score_absent) == ("min_cost", 2, "bar")
    assert (DEFAULTS.min_internship_age, DEFAULTS.min_hire_age, DEFAULTS.minor_under) == (
        16,
        16,
        18,
    )
    assert DEFAULTS.case_by_case
    assert not DEFAULTS.demo


def test_every_key_is_read() -> None:
    found = read(
        """
        [policy]
        title = "标题"
        status = "草案"
        basis = ["一", "二"]
        round = "2026春"
        demo = true
        [mechanism]
        name = "optimal"
        objective = ["placed", "fit"]
        rank = "generous"
        rank_costs = [0, 1, 4]
        closure = "sequential"
        reserve_order = "open_first"
        [lottery]
        seed = "00FF"
        [limits]
        time_s = 60
        memory_mb = 500
        [preferences]
        max = 6
        [age]
        reference_date = 2026-09-01
        case_by_case = false
        [work]
        min_internship_age = 15
        min_hire_age = 17
        minor_under = 19
        [membership]
        date = "2026-01-31"
        [score]
        min = 0
        max = 100.5
        digits = 3
        absent = "zero"
        pass_total = 60.10
        pass_interview = 55
        tiebreak = ["skill", "culture"]
        accept_ranks = true
        [report]
        fit_threshold = -3
        key_industries = ["I1"]
        groups_of_interest = []
        [[age_rule]]
        group = "G05"
        study_form = "FT"
        level = "中级"
        min = 16
        max = 35
        relaxed_max = 40
        needs_approval_above = 38
        basis = "文号"
        [[score_channel]]
        channel = "K"
        culture = 0.1
        skill = 0.2
        interview = 0.7
        experience = 0
        """
    )
    assert found == Policy(
        title="标题", status="草案", basis=("一", "二"), round="2026春", demo=True,
        mechanism="optimal", objective=("placed", "fit"), rank="generous", rank_costs=(0, 1, 4),
        closure="sequential", reserve_order="open_first", seed="00FF", time_s=60, memory_mb=500,
        max_choices=6, reference_date="2026-09-01", case_by_case=False, min_internship_age=15,
        min_hire_age=17, minor_under=19, membership_date="2026-01-31", score_min=Decimal(0),
        score_max=Decimal("100.5"), score_digits=3, score_absent="zero",
        pass_total=Decimal("60.1"), pass_interview=Decimal(55), tiebreak=("skill", "culture"),
        accept_ranks=True, fit_threshold=-3, key_industries=("I1",), groups_of_interest=(),
        age_rules=(AgeRule("G05", "FT", "中级", 16, 35, 40, 38, "文号"),),
        channels=(
            ScoreChannel(
                "K",
                (("culture", Decimal("0.1")), ("skill", Decimal("0.2")), ("interview", Decimal("0.7"))),
            ),
        ),
    )  # fmt: skip
    stated = {f.name for f in fields(Policy) if getattr(found, f.name) != f.default}
    assert stated == {f.name for f in fields(Policy)}, "every field differs from its default"


def test_weights_of_a_channel() -> None:
    policy = read('[[score_channel]]\nchannel = "K"\nskill = 1\n')
    assert policy.weights("K") == (("skill", Decimal(1)),)
    assert policy.weights("L") == ()


def test_line_ends_and_a_byte_order_mark_do_not_matter() -> None:
    assert (
        Policy.from_toml('\ufeff[mechanism]\r\nname = "parallel"\r\n'.encode()).mechanism
        == "parallel"
    )


@pytest.mark.parametrize(
    "text",
    [
        b"[policy",
        b"[policy]\ntitle = 1\ntitle = 2\n",
        b"a = " + b"[" * 5000,
        b"a = " + b"9" * 5000,
        b"[score]\nmax = 1e99999999999999999999\n",
    ],
    ids=["cut", "twice", "deep", "long", "huge"],
)
def test_what_is_no_toml(text: bytes) -> None:
    assert faults(text) == ["0  toml_syntax"]


def test_another_encoding_is_told_by_its_row() -> None:
    assert faults('[policy]\ntitle = "标题"\n'.encode("gbk")) == ["2  text_encoding"]


WRONG: dict[str, list[Any]] = {
    "str": [1, True, [], "{}"],
    "strs": ["a", [1], [["a"]], True],
    "bool": [0, 1, "true", []],
    "code": ["nonsense", "", 1, []],
    "codes": ["placed", ["nonsense"], [1], ["A", "A"]],
    "int": ["1", True, 1.5, 10**15],
    "ints": [1, [1.5], [True], ["1"], [10**15]],
    "count": [-1, "1", True, 2.0, 10**15],
    "choices": [-1, "1", True, 1001],
    "decimal": ["1", True, "nan", "inf", "1e15", "1e-15", "1e999999999", "1234567890.123456"],
    "hex": ["", "0", "zz", "00 11", "００", 7],
    "date": ["2026-9-1", "2026-02-30", "20260901", "", 2026, "2026-09-01T08:00:00"],
    "age_rules": ["a", [1], [{"min": -1}], [{"max": "35"}], [{"group": 5}], [{"group": ""}],
                  [{"study_form": "全日制"}], [{"level": ""}], [{"min": True}], [{"basis": 1}]],
    "score_channels": ["a", [1], [{}], [{"channel": 1}], [{"channel": "", "skill": 1}],
                       [{"channel": "K", "skill": -1}], [{"channel": "K", "skill": "1"}]],
}  # fmt: skip
BARE = ("nan", "inf", "1e15", "1e-15", "1e999999999", "{}")
"""Texts that stand for themselves in TOML, where a quoted string would be meant otherwise."""


def literal(value: Any) -> str:
    """A TOML value."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, str) and value not in BARE:
        return f'"{value}"'
    return str(value)


@pytest.mark.parametrize(
    ("key", "value"),
    [(f.metadata["key"], v) for f in fields(Policy) for v in WRONG[f.metadata["kind"]]],
    ids=str,
)
def test_a_value_of_the_wrong_kind(key: str, value: Any) -> None:
    section, _, name = key.partition(".")
    text = f"[{section}]\n{name} = {literal(value)}\n" if name else f"{key} = {literal(value)}\n"
    assert faults(text) == [f"0 {key} policy_value"]


def test_a_decimal_is_at_most_fifteen_digits_long() -> None:
    assert read("[score]\nmax = 123456789012345\n").score_max == 123456789012345
    assert read("[score]\nmax = 0.00000000000001\n").score_max == Decimal("1e-14")
    assert read("[score]\nmax = 1e3\n").score_max == 1000


def test_a_date_may_be_a_date_but_no_time_of_day() -> None:
    assert read("[membership]\ndate = 2026-02-28\n").membership_date == "2026-02-28"
    assert faults("[membership]\ndate = 2026-02-28T10:00:00\n") == [
        "0 membership.date policy_value"
    ]


def test_a_section_that_is_no_section_is_named() -> None:
    assert faults("lottery = 3\n") == ["0 lottery unknown_key"]


def test_every_unknown_key_is_named() -> None:
    text = """
        speed = 1
        [mechanism]
        nam = "stable"
        [policy.more]
        [lotery]
        [[age_rule]]
        maximum = 3
        [[age_rule]]
        group = "g"
        [[score_channel]]
        channel = "K"
        skill = 1
        speaking = 0.5
        """
    assert faults(text) == [
        "0 speed unknown_key",
        "0 lotery unknown_key",
        "1 age_rule.maximum unknown_key",
        "1 score_channel.speaking unknown_key",
        "0 mechanism.nam unknown_key",
        "0 policy.more unknown_key",
        "0 age.reference_date missing_key",
    ]


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"mechanism.objective": ["rank", "placed"]}, "mechanism.objective rank_before_placed"),
        ({"mechanism.objective": ["rank"]}, "mechanism.objective rank_before_placed"),
        ({"mechanism.rank_costs": [0, 2, 1]}, "mechanism.rank_costs rank_costs_decrease"),
        ({"mechanism.rank_costs": [-1, 0]}, "mechanism.rank_costs rank_costs_decrease"),
        ({"policy.round": "a|b"}, "policy.round forbidden_character"),
        ({"policy.round": "a;b"}, "policy.round forbidden_character"),
        ({"policy.round": "a\\u007fb"}, "policy.round forbidden_character"),
        ({"policy.round": "a\\nb"}, "policy.round forbidden_character"),
        ({"age_rule": [{"min": 16}]}, "age.reference_date missing_key"),
        ({"score.digits": 7}, "score.digits policy_value"),
        ({"score.min": 10, "score.max": 9.5}, "score.max max_below_min"),
        ({"score_channel": [{"channel": "K", "skill": 0.9}]}, "score_channel weights_sum"),
        ({"score_channel": [{"channel": "K"}]}, "score_channel weights_sum"),
        (
            {
                "score_channel": [
                    {"channel": "K", "skill": 0.1, "culture": 0.2, "interview": 0.700001}
                ]
            },
            "score_channel weights_sum",
        ),
        ({"score_channel": [{"channel": "K", "skill": 1}] * 2}, "score_channel duplicate_channel"),
    ],
)
def test_keys_that_contradict_one_another(rules: dict, told: str) -> None:
    assert faults(toml(rules)) == [f"0 {told}"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"group": "g", "min": 16}, {"group": "g", "max": 30}], ["duplicate_age_rule"]),
        ([{"group": "g"}, {"group": "g", "study_form": "*"}], ["duplicate_age_rule"]),
        ([{"max": 35, "relaxed_max": 34}], ["relaxed_below_max"]),
        ([{"relaxed_max": 34}], ["relaxed_below_max"]),
        ([{"min": 20, "max": 19}], ["max_below_min"]),
        ([{"min": 20, "max": 10, "relaxed_max": 19}], ["max_below_min"]),
        ([{"min": 20, "max": 20}, {"group": "g", "max": 5, "relaxed_max": 5}], []),
        ([{"min": 20, "max": 10, "relaxed_max": 20}], []),
    ],
)
def test_age_rules_that_contradict_themselves(rows: list, told: list) -> None:
    text = toml({"age.reference_date": "2026-09-01", "age_rule": rows})
    assert faults(text) == [f"0 age_rule {code}" for code in told]


def test_tenths_add_up_exactly() -> None:
    """In binary floating point they do not."""
    assert 0.7 + 0.2 + 0.1 != 1
    weights = {"channel": "K", "culture": 0.7, "skill": 0.2, "interview": 0.1}
    assert faults(toml({"score_channel": [weights]})) == []


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
ID = st.text("abG甲乙", min_size=1, max_size=3)
NUMBER = st.decimals(-999, 999, places=3)
AGES = st.none() | st.integers(0, 40)


@st.composite
def age_rules(draw: st.DrawFn) -> tuple[AgeRule, ...]:
    key = st.tuples(ID | st.just("*"), st.sampled_from((*STUDY_FORMS, "*")), ID | st.just("*"))
    return tuple(
        AgeRule(*k, draw(AGES), 50, draw(st.none() | st.integers(50, 60)), draw(AGES), draw(TEXT))
        for k in draw(st.lists(key, max_size=3, unique=True))
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any policy that contradicts itself nowhere."""
    split = draw(st.integers(0, 100))
    weights = tuple(
        (name, Decimal(part) / 100)
        for name, part in zip(COMPONENTS, (split, 0, 100 - split), strict=False)
        if part
    )
    names = draw(st.lists(ID, max_size=2, unique=True))
    return Policy(
        title=draw(TEXT), basis=tuple(draw(st.lists(TEXT, max_size=2))), round=draw(ID),
        demo=draw(st.booleans()), mechanism=draw(st.sampled_from(MECHANISMS)),
        objective=tuple(o for o in OBJECTIVES if o == "placed" or draw(st.booleans())),
        rank_costs=tuple(sorted(draw(st.lists(st.integers(0, 99), max_size=3)))),
        seed=draw(st.binary(min_size=1, max_size=4)).hex(), time_s=draw(st.integers(0, 99)),
        reference_date=str(draw(st.dates())), case_by_case=draw(st.booleans()),
        age_rules=draw(age_rules()), score_min=draw(st.none() | NUMBER),
        pass_total=draw(st.none() | NUMBER), score_digits=draw(st.integers(0, 6)),
        tiebreak=tuple(draw(st.lists(st.sampled_from(COMPONENTS), unique=True))),
        channels=tuple(ScoreChannel(name, weights) for name in names),
        fit_threshold=draw(st.none() | st.integers(-9, 9)),
        groups_of_interest=tuple(draw(st.lists(TEXT, max_size=2))),
    )  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(policies())
def test_what_is_written_reads_back_equal(policy: Policy) -> None:
    assert Policy.from_toml(policy.to_toml().encode()) == policy


def test_what_is_at_its_default_is_not_written() -> None:
    assert Policy().to_toml() == ""
    assert Policy(mechanism="parallel").to_toml() == '[mechanism]\nname = "parallel"\n'
