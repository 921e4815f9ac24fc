"""Scores of pairs: exact, merged cell by cell, composed by channel, never compared across them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher import Market, cells
from tests.rounds import barred, choices, make_round, market, placed

WEIGHTS = {"channel": "K", "culture": 0.2, "skill": 0.5, "interview": 0.3}


def composed(components: dict[str, Any], weights: dict[str, Any] = WEIGHTS, **rules: Any) -> str:
    """The composite score of A at P (channel K), blank for none."""
    made = make_round(
        {"A": "P"}, {"P": 1}, {"score_channel": [weights], "score.absent": "zero"} | rules,
        programs={"P": {"channel": "K"}}, scores={"A K": components},
    )  # fmt: skip
    m = market(made)
    return cells.unscaled(int(m.score[0]), m.score_places)


def order(m: Market, program: str = "P") -> str:
    """The applicants of a program by priority, those at the same level in parentheses."""
    edges = np.flatnonzero(m.program == m.programs.index(program))
    edges = edges[np.argsort(m.place[edges])]
    words, last = [], -1
    for e in edges:
        name = m.applicants[m.owner[e]]
        words.append("=" + name if m.level[e] == last else " " + name)
        last = m.level[e]
    return "".join(words).strip()


# --- the composite ------------------------------------------------------------------------------


def test_a_composite_is_the_weighted_sum() -> None:
    assert composed({"culture": 80, "skill": 90, "interview": 70}) == "82"


@pytest.mark.parametrize(
    ("skill", "digits", "rounded"),
    [
        ("80.005", 2, "80.01"),
        ("80.00499", 2, "80"),
        ("80.5", 0, "81"),
        ("79.5", 0, "80"),
        ("79.49999", 0, "79"),
        ("0.0000005", 6, "0.000001"),
    ],
)
def test_halves_are_rounded_up(skill: str, digits: int, rounded: str) -> None:
    """Binary floating point would have 80.005 at 80.00, the banker's rule 80.5 at 80."""
    assert (
        composed({"skill": skill}, {"channel": "K", "skill": 1}, **{"score.digits": digits})
        == rounded
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 100_000), min_size=3, max_size=3),
    st.integers(1, 98),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.integers(0, 4),
)
def test_a_composite_is_exact(
    values: list[int], split: int, exempt: list[bool], digits: int
) -> None:
    """Against fractions: what is exempt drops out and the other weights are scaled up."""
    shares = [Decimal(split) / 100, Decimal(99 - split) / 100, Decimal("0.01")]
    names = ("culture", "skill", "interview")
    marks = [Decimal(v) / 1000 for v in values]
    row = {n: "exempt" if out else m for n, m, out in zip(names, marks, exempt, strict=True)}
    counted = [(m, w) for m, w, out in zip(marks, shares, exempt, strict=True) if not out]
    found = composed(
        row, {"channel": "K"} | dict(zip(names, shares, strict=True)), **{"score.digits": digits}
    )
    if not counted:
        assert found == ""
        return
    exact = sum(Fraction(m) * Fraction(w) for m, w in counted) / sum(
        Fraction(w) for _, w in counted
    )
    half_up = Decimal(int(exact * 10**digits + Fraction(1, 2))).scaleb(-digits)
    assert Decimal(found) == half_up


def test_thirds_after_an_exemption() -> None:
    """(0.2 · 50 + 0.3 · 51) / 0.5 = 50.6 and (0.2 · 50 + 0.5 · 51) / 0.7 = 50.714…"""
    assert composed({"culture": 50, "skill": "exempt", "interview": 51}) == "50.6"
    assert composed({"culture": 50, "skill": 51, "interview": "exempt"}) == "50.71"
    exact = Decimal(355) / 7
    assert exact.quantize(Decimal("0.01"), ROUND_HALF_UP) == Decimal("50.71")


@pytest.mark.parametrize(
    ("components", "score"),
    [
        ({"culture": 80, "skill": "", "interview": 70}, ""),
        ({"culture": 80, "skill": 0, "interview": 70}, "37"),
        ({"culture": 80, "skill": "absent", "interview": 70}, "37"),
        ({"culture": 80, "skill": "exempt", "interview": 70}, "74"),
        ({"culture": "exempt", "skill": "exempt", "interview": "exempt"}, ""),
        ({"culture": "absent", "skill": "absent", "interview": "absent"}, "0"),
        ({"culture": 80, "skill": 90, "interview": ""}, ""),
        ({"culture": 80, "skill": 90, "interview": 70, "language": 3}, "82"),
        ({"culture": 80, "skill": 90, "interview": 70, "language": "absent"}, "82"),
    ],
)
def test_blank_absent_exempt_and_zero_are_four_things(components: dict, score: str) -> None:
    assert composed(components) == score


def test_who_missed_a_component_is_barred_unless_it_counts_zero() -> None:
    def round_with(absent: str, row: dict) -> list[str]:
        return barred(make_round(
            {"A": "P"}, {"P": 1}, {"score_channel": [WEIGHTS], "score.absent": absent},
            programs={"P": {"channel": "K"}}, scores={"A K": row},
        ))  # fmt: skip

    missed = {"culture": 80, "skill": "absent", "interview": "absent"}
    assert round_with("bar", missed) == ["A P absent skill "]
    assert round_with("zero", missed) == []
    assert round_with("bar", missed | {"skill": 3}) == ["A P absent interview "]
    assert round_with("bar", {"culture": 1, "skill": 1, "interview": 1, "language": "absent"}) == []


# --- where a score comes from -------------------------------------------------------------------


def score(rows: dict[str, Any], **rules: Any) -> str:
    """The score of A at P, of channel K."""
    m = market(make_round(
        {"A": "P"}, {"P": 1, "Q": 1}, {"score_channel": [WEIGHTS]} | rules,
        programs={"P": {"channel": "K"}, "Q": {"channel": "L"}}, scores=rows,
    ))  # fmt: skip
    return cells.unscaled(int(m.score[0]), m.score_places) if len(m.score) else "barred"


ALL = {"culture": 80, "skill": 90, "interview": 70}


def test_the_programs_own_row_comes_before_the_channels() -> None:
    assert score({"A P": 60, "A K": 90}) == "60"
    assert score({"A P": {"fit": 1}, "A K": 90}) == "90"
    assert score({"A K": 0, "A P": ""}) == "0"


def test_an_interview_held_by_the_program_over_components_of_the_channel() -> None:
    """Cell by cell: the class's own interview with the channel's other components."""
    assert score({"A K": ALL, "A P": {"interview": 100}}) == "91"
    assert score({"A K": {"culture": 80, "skill": 90}, "A P": {"interview": 70}}) == "82"
    assert score({"A K": ALL, "A P": {"interview": ""}}) == "82"


def test_a_final_score_of_its_own_is_not_composed() -> None:
    assert score({"A K": ALL, "A P": 5}) == "5"
    assert score({"A K": ALL | {"skill": "absent"}, "A P": 5}) == "5"


def test_another_channels_row_is_not_read() -> None:
    assert score({"A L": 90}) == "barred"


def test_scores_keep_all_their_places() -> None:
    assert score({"A K": "80.12345678901"}) == "80.12345678901"
    assert score({"A K": "80.5"}, **{"score.pass_total": 80.4999}) == "80.5"


def test_an_adjusted_pair_needs_no_interview() -> None:
    """In the tail a blank interview counts as exempt; in the list it leaves no score."""
    rows = {"A K": {"culture": 80, "skill": 90}}
    made = make_round(
        {"A": "P"}, {"P": 1, "Q": 1}, {"score_channel": [WEIGHTS]},
        programs={"P": {"channel": "K"}, "Q": {"channel": "K"}}, scores=rows,
        applicants={"A": {"adjustment": "alliance"}},
    )  # fmt: skip
    m = market(made)
    assert choices(made) == {"A": "P:1 Q:0"}
    assert [cells.unscaled(int(s), m.score_places) for s in m.score] == ["", "87.14"]


# --- priority -----------------------------------------------------------------------------------


def ranked(rows: dict[str, Any], people: str = "ABCD", **rules: Any) -> str:
    """People by priority at P."""
    return order(market(make_round(dict.fromkeys(people, "P"), {"P": 1}, rules, scores=rows)))


def test_higher_scores_go_first_and_blanks_last() -> None:
    found = ranked({"A P": 0, "B P": 80, "C P": "79.99", "D P": {"fit": 9}})
    assert found == "B C A D"


def test_scores_are_compared_as_numbers() -> None:
    assert ranked({"A P": "9", "B P": "10", "C P": "9.5", "D P": "10.0"}) in ("B=D C A", "D=B C A")
    assert ranked({"A P": "-1", "B P": "-2", "C P": "0", "D P": ""}) == "C A B D"


def test_declared_tie_columns_decide_in_numeric_order() -> None:
    found = ranked({
        "A P": {"score": 80, "tie1": 1, "tie2": 9, "tie10": 5},
        "B P": {"score": 80, "tie1": 1, "tie2": 9, "tie10": 6},
        "C P": {"score": 80, "tie1": 2, "tie2": "", "tie10": ""},
        "D P": {"score": 80, "tie1": 1, "tie2": "", "tie10": 9},
    })  # fmt: skip
    assert found == "C B A D"


def test_a_blank_tie_comes_after_zero() -> None:
    assert ranked({"A P": {"score": 8, "tie1": ""}, "B P": {"score": 8, "tie1": 0}}, "AB") == "B A"


def test_components_as_declared_tie_breaks() -> None:
    """Same total; 缺考 counts as zero, 免考 and blank come last."""
    rows = {
        "A K": {"culture": 60, "skill": 80, "interview": 60},
        "B K": {"culture": 10, "skill": 100, "interview": 60},
        "C K": {"culture": 70, "skill": "exempt", "interview": 70},
        "D K": {"culture": 260, "skill": "absent", "interview": 60},
    }
    made = make_round(
        dict.fromkeys("ABCD", "P"), {"P": 1},
        {"score_channel": [WEIGHTS], "score.tiebreak": ["skill"], "score.absent": "zero"},
        programs={"P": {"channel": "K"}}, scores=rows,
    )  # fmt: skip
    m = market(made)
    assert len(set(m.score.tolist())) == 1
    assert order(m) == "B A D C"


def test_without_any_score_everybody_ties() -> None:
    m = market(make_round(dict.fromkeys("ABC", "P"), {"P": 1}))
    assert set(m.level.tolist()) == {0}
    assert sorted(m.place.tolist()) == [0, 1, 2]


def test_listed_before_adjusted_whatever_the_score() -> None:
    made = make_round(
        {"A": "Q", "B": "P"}, {"P": 1, "Q": 1}, scores={"A P": 99, "B P": 1},
        applicants={"A": {"adjustment": "alliance"}},
    )  # fmt: skip
    assert order(market(made)) == "B A"


def test_channels_are_never_compared() -> None:
    """A class with a program for each channel: the low channel's best is placed all the same."""
    made = make_round(
        {"A": "C", "B": "C", "D": "C"}, {"P": 1, "Q": 1},
        programs={"P": {"channel": "K", "order_class": "C"}, "Q": {"channel": "L", "order_class": "C"}},
        order_classes={"C": 0}, scores={"A K": 90, "B K": 95, "D L": 10},
    )  # fmt: skip
    assert placed(made) == {"A": "", "B": "P", "D": "Q"}
    m = market(made)
    assert sorted(m.place.tolist()) == [0, 0, 1]


def test_a_persons_two_channels_lead_to_two_scores() -> None:
    m = market(make_round(
        {"A": "P Q"}, {"P": 1, "Q": 1}, programs={"P": {"channel": "K"}, "Q": {"channel": "L"}},
        scores={"A K": 90, "A L": 10},
    ))  # fmt: skip
    assert [cells.unscaled(int(s), m.score_places) for s in m.score] == ["90", "10"]


def test_fit_is_merged_like_any_cell_and_missing_is_zero() -> None:
    m = market(make_round(
        {"A": "P Q"}, {"P": 1, "Q": 1}, programs={"P": {"channel": "K"}, "Q": {"channel": "K"}},
        scores={"A K": {"score": 1, "fit": 3}, "A P": {"fit": -7}},
    ))  # fmt: skip
    assert m.fit.tolist() == [-7, 3]
    assert market(make_round({"A": "P"}, {"P": 1})).fit.tolist() == [0]
