"""``parallel``: one queue per exam channel, and in its order each takes the best seat left."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from matcher import Policy, UnsupportedConstraint, solve
from matcher.mechanisms import parallel, stable
from tests.rounds import make_round, market, outcome, placed

RULES = {"mechanism.name": "parallel"}
CHANNEL = {p: {"channel": "K"} for p in "PQRS"}


def test_in_queue_order_each_takes_the_best_seat_left() -> None:
    made = make_round(
        {"A": "P Q", "B": "P Q", "C": "P R Q"}, {"P": 1, "Q": 1, "R": 1}, RULES,
        programs=CHANNEL, scores={"A K": 70, "B K": 90, "C K": 80},
    )  # fmt: skip
    assert placed(made) == {"A": "Q", "B": "P", "C": "R"}
    assert outcome(made).mechanism == "parallel"


@pytest.mark.parametrize("seed", range(25))
def test_deferred_acceptance_with_one_queue_is_serial_dictatorship(seed: int) -> None:
    random = Random(seed)
    people = {f"A{n}": " ".join(random.sample("PQRS", random.randint(0, 4))) for n in range(12)}
    made = make_round(
        people, {p: random.randint(0, 3) for p in "PQRS"}, RULES, programs=CHANNEL,
        scores={f"{a} K": {"score": random.randint(0, 3), "tie1": random.randint(0, 1)} for a in people},
    )  # fmt: skip
    m = market(made)
    left = m.capacity.tolist()
    first = np.array(
        [m.start[i] if m.start[i] < m.start[i + 1] else -1 for i in range(len(people))]
    )
    writers = np.flatnonzero(first >= 0)
    keys = (m.lottery[writers], -m.ties[0, first[writers]], -m.score[first[writers]])
    expected = [-1] * len(people)
    for i in writers[np.lexsort(keys)]:
        for p in m.program[m.start[i] : m.start[i + 1]].tolist():
            if left[p]:
                left[p] -= 1
                expected[i] = p
                break
    assert outcome(made).matching.tolist() == expected


def test_channels_queue_apart() -> None:
    made = make_round(
        {"A": "P", "B": "Q"}, {"P": 1, "Q": 1}, RULES,
        programs={"P": {"channel": "K"}, "Q": {"channel": "L"}}, scores={"A K": 1, "B L": 99},
    )  # fmt: skip
    assert placed(made) == {"A": "P", "B": "Q"}


def test_scores_by_program_are_refused_by_name() -> None:
    made = make_round({"A": "P"}, {"P": 1}, RULES, scores={"A P": 80})
    with pytest.raises(
        UnsupportedConstraint, match="parallel cannot honour: program_score"
    ) as caught:
        outcome(made)
    assert [(i.table, i.column, i.limit) for i in caught.value.issues] == [
        ("scores", "program", "parallel")
    ]


def test_fit_by_program_ranks_nobody_and_is_no_score() -> None:
    made = make_round({"A": "P"}, {"P": 1}, RULES, scores={"A P": {"fit": 3}})
    assert placed(made) == {"A": "P"}


def test_everything_else_is_as_in_stable() -> None:
    made = make_round(
        {"A": "P Q", "B": "P", "C": "P Q"}, {"P": 2, "Q": 2}, RULES, programs=CHANNEL,
        scores={"A K": 1, "B K": 3, "C K": 2}, applicants={"A": {"groups": "g"}},
        reserves={"P g": 1}, caps={"X": {"seats": 3, "programs": "P;Q"}},
    )  # fmt: skip
    m = market(made)
    other = solve(m, Policy(mechanism="stable", closure="sequential"))
    found = outcome(made)
    assert found.matching.tolist() == other.matching.tolist() == [0, 0, 1]
    assert found.thresholds == other.thresholds
    assert stable.HONOURS > parallel.HONOURS
