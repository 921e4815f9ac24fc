"""Others agree: HiGHS, CP-SAT and SCIP find what ``optimal`` finds, from the textbook's model.

``AGREEMENT_MARKETS`` sets how many markets (500 for a thorough run).  CP-SAT, which seldom finishes the
larger ones, is asked where there are few pairs.
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.agreement import ours, question, theirs
from benchmarks.model import FAR, Model, textbook
from benchmarks.solvers import SOLVERS, by_highs
from tests.rounds import make_round, market

MARKETS = int(os.environ.get("AGREEMENT_MARKETS", "12"))
SECONDS = {"HiGHS": 30, "CP-SAT": 5, "SCIP": 30}
FEW = 250
"""Pairs up to which CP-SAT is asked in the normal suite."""


@pytest.mark.parametrize("number", range(MARKETS))
def test_solvers_agree(number: int) -> None:
    asked = question(number)
    mine = ours(asked)
    assert mine is not None or MARKETS > 12
    if mine is None:
        return  # out of time, and it says so
    few = len(asked.market().program) <= FEW
    names = [name for name in SOLVERS if name != "CP-SAT" or few or MARKETS > 12]
    answers = {name: theirs(asked, name, SECONDS[name]) for name in names}
    assert answers["HiGHS"] is not None, "HiGHS finishes markets of this size"
    assert {name: a for name, a in answers.items() if a not in (None, mine)} == {}, mine


def test_questions_ask_for_everything() -> None:
    asked = [question(number) for number in range(12)]
    found = {c.value for q in asked for c in q.market().asks(q.rules)}
    assert found >= {"min_size", "hard_reserve", "soft_reserve", "crossing_cap", "adjustment"}
    assert {q.rules.rank for q in asked} == {"min_cost", "rank_maximal", "generous"}


# --- the model, by hand -------------------------------------------------------------------------


def best(model: Model, worth: dict[int, int]) -> int:
    """The greatest worth that the rows of a model allow."""
    column = np.zeros(model.columns, np.int64)
    for at, value in worth.items():
        column[at] = value
    found = by_highs(model, column, SECONDS["HiGHS"])
    assert found.proven
    assert found.value is not None
    return found.value


def placed(model: Model, edges: int) -> int:
    """The most people that the rows allow."""
    return best(model, dict.fromkeys(range(edges), 1))


def test_a_class_is_empty_or_at_its_minimum() -> None:
    lists = {"A": "P", "B": "P", "C": "Q"}
    rows = {"programs": {"P": {"order_class": "K"}, "Q": {"order_class": "L"}}}
    made = market(make_round(lists, {"P": 3, "Q": 3}, order_classes={"K": 2, "L": 2}, **rows))
    model, _ = textbook(made)
    assert placed(model, 3) == 2
    decreed = replace(made, must_open=np.array([False, True]), min_size=np.array([2, 1]))
    assert placed(textbook(decreed)[0], 3) == 3


def test_caps_and_seats_limit() -> None:
    lists = dict.fromkeys("ABCD", "P Q")
    cap = {"K": {"seats": 3, "programs": "P;Q"}}
    made = market(make_round(lists, {"P": 2, "Q": 2}, caps=cap))
    assert placed(textbook(made)[0], 8) == 3


def test_hard_seats_stay_empty_and_soft_ones_count() -> None:
    lists, groups = {"A": "P", "B": "P", "C": "P"}, {"A": {"groups": "g;h"}, "B": {"groups": "g"}}
    hard = market(make_round(lists, {"P": 2}, applicants=groups, reserves={"P h hard": 2}))
    assert placed(textbook(hard)[0], 3) == 1
    soft = market(make_round(lists, {"P": 3}, applicants=groups, reserves={"P g": 2, "P h": 1}))
    model, fills = textbook(soft)
    assert placed(model, 3) == 3
    assert best(model, dict.fromkeys(fills.tolist(), 1)) == 2, "A fills one seat, not two"
    assert textbook(soft, soft=False)[0].columns == 3


@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_reads_the_same_rows(name: str) -> None:
    model = Model(3)
    model.add(np.array([0, 1, 2]), np.array([2, 3, 4]), -FAR, 6)
    model.add(np.array([0, 2]), np.array([1, -1]), 0, FAR)
    found = SOLVERS[name](model, np.array([5, 4, 3]), SECONDS[name])
    assert (found.value, found.proven, found.chosen.tolist()) == (9, True, [0, 1])
    assert found.gap < 1e-6
    model.add(np.array([0, 1, 2]), 1, 4, FAR)
    none = SOLVERS[name](model, np.array([5, 4, 3]), SECONDS[name])
    assert (none.value, none.proven, none.gap) == (None, False, np.inf)


def test_an_answer_that_is_not_proven_is_none() -> None:
    asked = question(0)
    assert theirs(asked, "SCIP", 0.001) in (None, theirs(asked, "SCIP", SECONDS["SCIP"]))
