"""The market: lists, tails, plan order, priorities and what a round asks of a mechanism."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from matcher import Constraint, InvalidRound, Market, Policy, Tables
from matcher.market import Cap, crossing, plan_order
from matcher.tables import Table
from tests.rounds import RULES, choices, make_round, market, placed, toml

# P and Q are the joint class C, R and S classes of their own.
SEATS = dict.fromkeys("PQRS", 1)
JOINT: dict[str, Any] = {
    "programs": {"P": {"order_class": "C"}, "Q": {"order_class": "C"}},
    "order_classes": {"C": 0},
}


# --- lists --------------------------------------------------------------------------------------


def test_lists_by_rank_whatever_the_order_of_lines() -> None:
    tables = make_round({"B": "R P S", "A": "S"}, SEATS)
    lines = tables.tables["applications"]
    turned = Table({name: list(column)[::-1] for name, column in lines.columns.items()})
    assert choices(tables) == {"B": "R:1 P:2 S:3", "A": "S:1"}
    assert choices(Tables(tables.tables | {"applications": turned}, tables.policy)) == choices(
        tables
    )


def test_a_class_stands_for_its_programs_at_one_rank_in_plan_order() -> None:
    assert choices(make_round({"A": "R C S"}, SEATS, **JOINT)) == {"A": "R:1 P:2 Q:2 S:3"}
    turned = JOINT | {
        "programs": {p: {"order_class": "C", "plan_order": n} for p, n in (("P", 2), ("Q", 1))}
    }
    assert choices(make_round({"A": "C"}, SEATS, **turned)) == {"A": "Q:1 P:1"}


def test_the_first_mention_of_a_program_counts() -> None:
    assert choices(make_round({"A": "Q C P"}, SEATS, **JOINT)) == {"A": "Q:1 P:2"}
    assert choices(make_round({"A": "C Q"}, SEATS, **JOINT)) == {"A": "P:1 Q:1"}


def test_a_program_without_class_is_a_class_of_its_own_and_a_class_may_have_no_program() -> None:
    rows = JOINT | {"order_classes": {"C": 0, "E": 0}}
    m = market(make_round({"A": "E R"}, SEATS, **rows))
    assert m.order_classes == ["C", "E", "R", "S"]
    assert [m.order_classes[c] for c in m.class_of] == ["C", "C", "R", "S"]
    assert m.min_size.tolist() == [0, 0, 0, 0]
    assert (m.program.tolist(), m.rank.tolist(), m.greatest_rank) == ([2], [2], 2)


def test_a_removed_choice_leaves_a_gap_in_the_ranks() -> None:
    decisions = [{"applicant": "A", "program": "R", "decision": "rejected"}]
    assert choices(make_round({"A": "R S"}, SEATS, decisions=decisions)) == {"A": "S:2"}


def test_a_class_with_a_barred_program_keeps_the_others() -> None:
    decisions = [{"applicant": "A", "program": "P", "decision": "rejected"}]
    assert choices(make_round({"A": "C"}, SEATS, decisions=decisions, **JOINT)) == {"A": "Q:1"}


def test_who_lists_nothing_has_nothing() -> None:
    m = market(make_round({"A": "", "B": "P"}, {"P": 1}))
    assert m.applied.tolist() == [False, True]
    assert choices(make_round({"A": ""}, {"P": 1})) == {"A": ""}


def test_a_round_in_which_nobody_applies() -> None:
    tables = make_round({"A": "", "B": ""}, {"P": 1})
    assert choices(tables) == {"A": "", "B": ""}
    assert market(tables).place.tolist() == []
    assert placed(tables) == {"A": "", "B": ""}
    assert placed(make_round({}, {"P": 1})) == {}


# --- plan order ---------------------------------------------------------------------------------


def test_plan_order_by_number_then_blanks_then_id() -> None:
    programs = {
        "S": {"plan_order": 2},
        "R": {"plan_order": 10},
        "Q": {"plan_order": -1},
        "T": {"plan_order": 2},
    }
    m = market(make_round({"A": "P"}, dict.fromkeys("PQRSTaU", 1), programs=programs))
    ordered = [m.programs[p] for p in np.argsort(m.program_order)]
    assert ordered == ["Q", "S", "T", "R", "P", "U", "a"]
    assert plan_order(["乙", "甲"], np.array([1, 1])).tolist() == [0, 1], "by code point"


@pytest.mark.parametrize("order", list(permutations("PQR")))
def test_plan_order_does_not_depend_on_rows(order: tuple[str, ...]) -> None:
    rows = {p: {"order_class": "C"} for p in order}
    made = make_round({"A": "C"}, dict.fromkeys(order, 1), programs=rows, order_classes={"C": 0})
    m = market(made)
    assert [m.programs[p] for p in m.program] == ["P", "Q", "R"]


# --- tails of adjustment ------------------------------------------------------------------------

PLACES = {"L": "u a d", "M": "u b e", "N": "v a e", "O": "v b d", "Z": "w c f"}
"""Program → college, industry, district of its class."""


def tail(scope: str, listed: str = "L", **others: Any) -> str:
    """The tail of A, who lists some programs."""
    person = {"adjustment": scope} | others.pop("person", {})
    programs = {p: {"order_class": f"C{p}"} | others.get("more", {}).get(p, {}) for p in PLACES}
    classes = {
        f"C{p}": {"min_size": 0}
        | dict(zip(("college", "industry", "district"), w.split(), strict=True))
        for p, w in PLACES.items()
    } | others.get("classes", {})
    made = make_round(
        {"A": listed}, dict.fromkeys(PLACES, 1), applicants={"A": person}, programs=programs,
        order_classes=classes, scores=others.get("scores", {}),
        decisions=others.get("decisions", []),
    )  # fmt: skip
    return " ".join(w.partition(":")[0] for w in choices(made)["A"].split() if w.endswith(":0"))


@pytest.mark.parametrize(
    ("scope", "expected"),
    [("", ""), ("none", ""), ("college", "M"), ("industry", "N"), ("district", "O"),
     ("alliance", "M N O Z")],
)  # fmt: skip
def test_the_scope_of_consent(scope: str, expected: str) -> None:
    """Sharing the attribute with any listed program; in the tail college before industry before
    district."""
    assert tail(scope) == expected


def test_nothing_listed_nothing_in_scope_except_the_whole_alliance() -> None:
    assert [tail(scope, "") for scope in ("college", "industry", "district")] == ["", "", ""]
    assert tail("alliance", "") == "L M N O Z"


def test_blank_attributes_are_shared_with_nobody() -> None:
    blank = {"CL": {"min_size": 0}, "CM": {"min_size": 0}}
    assert tail("college", classes=blank) == ""
    assert tail("alliance", classes=blank) == "M N O Z"


def test_a_barred_choice_still_opens_its_scope_and_is_no_part_of_the_tail() -> None:
    rejected = [{"applicant": "A", "program": "L", "decision": "rejected"}]
    assert tail("college", decisions=rejected) == "M"
    assert tail("alliance", decisions=rejected) == "M N O Z"


def test_refused_classes_are_no_part_of_the_tail() -> None:
    assert tail("alliance", person={"not_accepted": "CN;CZ"}) == "M O"


def test_several_listed_programs_open_all_their_scopes() -> None:
    assert tail("college", "L N") == "M O"
    assert tail("industry", "L M") == "N O"


def test_equally_near_by_fit_then_plan_order() -> None:
    far = {"classes": {f"C{p}": {"min_size": 0} for p in "MNOZ"}}
    assert tail("alliance", **far) == "M N O Z"
    assert tail("alliance", scores={"A O": {"fit": 2}, "A N": {"fit": -1}}, **far) == "O M Z N"
    plan = {p: {"plan_order": n} for n, p in enumerate("ZOMN")}
    assert tail("alliance", more=plan, **far) == "Z O M N"
    assert tail("alliance", scores={"A Z": {"fit": 99}}) == "M N O Z", "nearness comes before fit"


def test_tails_do_not_depend_on_the_size_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    people = {f"A{n}": {"adjustment": s} for n, s in enumerate(("alliance", "", "college") * 3)}
    made = make_round(
        dict.fromkeys(people, "P"), SEATS, applicants=people, programs=JOINT["programs"],
        order_classes={"C": {"min_size": 0, "college": "u"}},
    )  # fmt: skip
    whole = choices(made)
    assert whole["A0"] == "P:1 Q:0 R:0 S:0"
    assert whole["A2"] == "P:1 Q:0"
    monkeypatch.setattr("matcher.market._BLOCK", 5)
    assert choices(made) == whole


# --- edges, columns, asking ---------------------------------------------------------------------


def test_edges_are_found_by_pair_and_by_matching() -> None:
    m = market(make_round({"A": "P R", "B": "S"}, SEATS))
    assert [m.edge(0, 2), m.edge(1, 3), m.edge(1, 0)] == [1, 2, -1]
    assert m.edges_of(np.array([2, -1])).tolist() == [1, -1]
    assert m.owner.tolist() == [0, 0, 1]


def test_edges_that_lead_where_she_would_rather_be() -> None:
    m = market(make_round({"A": "P Q R", "B": "Q P", "C": "S"}, SEATS))
    wanted = m.preferred(np.array([2, -1, 3]))
    assert wanted.tolist() == [True, True, False, True, True, False]


def test_wishes_are_what_was_listed_barred_or_not() -> None:
    decisions = [{"applicant": "A", "program": "R", "decision": "rejected"}]
    m = market(make_round({"A": "C R", "B": "S"}, SEATS, decisions=decisions, **JOINT))
    listed = zip(m.wishes.applicant, m.wishes.program, m.wishes.rank, strict=True)
    assert [tuple(map(int, line)) for line in listed] == [
        (0, 0, 1),
        (0, 1, 1),
        (0, 2, 2),
        (1, 3, 1),
    ]


def test_columns_cannot_be_written() -> None:
    m = market(make_round({"A": "P"}, SEATS))
    with pytest.raises(ValueError, match="read-only"):
        m.capacity[0] = 9


def test_levels_are_the_weak_priority() -> None:
    m = market(make_round(
        dict.fromkeys("ABCD", "P"), {"P": 1},
        scores={"A P": 5, "B P": 7, "C P": 5, "D P": {"fit": 1}},
    ))  # fmt: skip
    assert dict(zip("ABCD", m.level.tolist(), strict=True)) == {"A": 1, "B": 0, "C": 1, "D": 2}
    assert sorted(m.place.tolist()) == [0, 1, 2, 3]


def test_groups_of_people_and_of_reserves() -> None:
    m = market(make_round(
        {"A": "P", "B": "P"}, {"P": 2}, applicants={"A": {"groups": "h;g"}}, reserves={"P k": 1},
    ))  # fmt: skip
    assert m.groups == ["g", "h", "k"]
    assert m.member.tolist() == [[True, True, False], [False, False, False]]
    assert [(r.program, m.groups[r.group], r.seats, r.hard) for r in m.reserves] == [
        (0, "k", 1, False)
    ]


def test_caps_cover_a_college_an_enterprise_or_programs() -> None:
    m = market(make_round(
        {"A": "P"}, SEATS,
        programs={"P": {"order_class": "C", "plan_order": 9}, "Q": {"order_class": "C"},
                  "R": {"enterprise": "E"}},
        order_classes={"C": {"min_size": 0, "college": "U"}},
        caps={"K2": {"seats": 3, "college": "U"}, "K1": {"seats": 4, "enterprise": "E"},
              "K3": {"seats": 5, "programs": "S;P"}},
    ))  # fmt: skip
    assert m.caps == (Cap("K1", 4, (2,)), Cap("K2", 3, (0, 1)), Cap("K3", 5, (0, 3)))


def test_a_cap_over_nothing_is_no_cap() -> None:
    classes = {"D": {"min_size": 0, "college": "V"}}
    caps = {"K": {"seats": 0, "college": "V"}}
    assert market(make_round({"A": "P"}, {"P": 1}, order_classes=classes, caps=caps)).caps == ()


def test_which_caps_cross() -> None:
    caps = [
        Cap("a", 1, (0, 1)),
        Cap("b", 1, (1, 2)),
        Cap("c", 1, (0, 1, 2)),
        Cap("d", 1, (3,)),
        Cap("e", 1, (1, 0)),
    ]
    assert crossing(caps) == [("a", "b"), ("b", "e")]


ASKS: dict[Constraint, tuple[dict[str, Any], dict[str, Any]]] = {
    Constraint.MIN_SIZE: ({"programs": {"P": {"order_class": "C"}, "Q": {"order_class": "C"}},
                           "order_classes": {"C": 2}}, {}),
    Constraint.EXACT_CLOSURE: ({"programs": {"P": {"order_class": "C"}}, "order_classes": {"C": 1}},
                               {"mechanism.closure": "exact"}),
    Constraint.SOFT_RESERVE: ({"reserves": {"P g": 1}}, {}),
    Constraint.HARD_RESERVE: ({"reserves": {"P g hard": 1}}, {}),
    Constraint.OPEN_FIRST: ({"reserves": {"P g": 1}}, {"mechanism.reserve_order": "open_first"}),
    Constraint.NESTED_CAP: ({"caps": {"K": {"seats": 1, "programs": "P;Q"}}}, {}),
    Constraint.CROSSING_CAP: ({"caps": {"K": {"seats": 1, "programs": "P;Q"},
                                        "L": {"seats": 1, "programs": "Q;R"}}}, {}),
    Constraint.ADJUSTMENT: ({"applicants": {"A": {"adjustment": "alliance"}}}, {}),
    Constraint.PROGRAM_SCORE: ({"scores": {"A P": 1}}, {}),
    Constraint.CONFIRMED: ({"decisions": [{"applicant": "A", "program": "P",
                                           "decision": "confirmed"}]}, {}),
    Constraint.MUST_OPEN: ({"programs": {"P": {"order_class": "C"}},
                            "order_classes": {"C": {"min_size": 0, "must_open": 1}}}, {}),
    Constraint.MUST_FILL: ({"reserves": {"P g": {"seats": 1, "must_fill": 1}},
                            "applicants": {"A": {"groups": "g"}}}, {}),
}  # fmt: skip


@pytest.mark.parametrize("constraint", ASKS, ids=lambda c: c.value)
def test_a_round_asks_what_it_really_needs(constraint: Constraint) -> None:
    others, rules = ASKS[constraint]
    plain = make_round({"A": "P"}, SEATS)
    asking = make_round({"A": "P"}, SEATS, rules, **others)
    assert market(plain).asks(Policy.from_tables(plain)) == {Constraint.CAPACITY}
    asked = market(asking).asks(Policy.from_tables(asking))
    implied = {
        Constraint.OPEN_FIRST: Constraint.SOFT_RESERVE, Constraint.CROSSING_CAP: Constraint.NESTED_CAP,
        Constraint.MUST_FILL: Constraint.SOFT_RESERVE,
    }  # fmt: skip
    assert asked - {implied.get(constraint)} == {Constraint.CAPACITY, constraint}


@pytest.mark.parametrize(
    "others",
    [
        {"reserves": {"P g": {"seats": 0, "must_fill": 1}, "Q g hard": 0}},
        {"programs": {"P": {"order_class": "C"}}, "order_classes": {"C": 1}},
        {"applicants": {"A": {"adjustment": "college"}}},
        {"scores": {"A P": {"fit": 3, "x_note": 1}}},
        {"scores": {"A K": 3}, "programs": {"P": {"channel": "K"}}},
    ],
)
def test_what_asks_for_nothing(others: dict) -> None:
    made = make_round({"A": "P"}, SEATS, **others)
    assert market(made).asks(Policy.from_tables(made)) == {Constraint.CAPACITY}


def test_open_first_asks_nothing_where_no_seat_is_reserved() -> None:
    rules = {"mechanism.reserve_order": "open_first"}
    made = make_round({"A": "P"}, SEATS, rules, reserves={"P g": 0})
    assert market(made).asks(Policy.from_tables(made)) == {Constraint.CAPACITY}


def test_an_invalid_round_is_no_market() -> None:
    with pytest.raises(InvalidRound) as caught:
        Market.from_tables(make_round({"A": "P"}, {"P": -1}))
    assert [i.code for i in caught.value.issues] == ["negative"]


def test_another_policy_than_the_rounds_own_may_be_tried() -> None:
    made = make_round({"A": "P"}, {"P": 1}, programs={"P": {"channel": "K"}}, scores={"A K": 50})
    strict = Policy.from_toml(toml(RULES | {"score.pass_total": 60}))
    assert len(Market.from_tables(made, strict).program) == 0
    assert len(Market.from_tables(made).program) == 1


def test_how_many_people_a_class_could_hold() -> None:
    """A counts once though she listed both programs of C; B and D want one seat; nobody listed S."""
    made = market(make_round({"A": "P Q", "B": "Q", "D": "Q R"}, SEATS | {"Q": 3}, **JOINT))
    reach = {name: made.reach(c) for c, name in enumerate(made.order_classes)}
    assert reach == {"C": 3, "R": 1, "S": 0}
    full = market(make_round({"A": "P", "B": "P", "D": "P Q"}, SEATS, **JOINT))
    assert full.reach(full.order_classes.index("C")) == 2
