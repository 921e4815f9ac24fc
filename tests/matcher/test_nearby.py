"""Rounds that differ in little, by shared beginnings, against the same rounds solved from scratch."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from matcher import Market, Policy, Tables
from matcher.choice import Choice
from matcher.mechanisms import nearby
from matcher.solve import matching, solve, with_a_seat
from tests.matcher.test_oracle import tables_of
from tests.random_markets import random_instance
from tests.rounds import make_round


def loaded(tables: Tables, **rules: str) -> tuple[Market, Policy]:
    policy = replace(Policy.from_tables(tables), **rules)  # type: ignore[arg-type]
    return Market.from_tables(tables, policy), policy


@pytest.mark.parametrize(
    ("mechanism", "closure", "number"),
    [
        ("stable", "sequential", 400), ("parallel", "sequential", 150), ("stable", "exact", 60),
        ("optimal", "sequential", 60), ("max_placement", "sequential", 40),
    ],
)  # fmt: skip
def test_one_more_seat_is_the_round_with_one_more_seat(
    mechanism: str, closure: str, number: int
) -> None:
    rng = Random(f"seat {mechanism} {closure}")
    moved = proven = 0
    for _ in range(number):
        instance = random_instance(rng, mechanism, programs=4, closure=closure)
        market, policy = loaded(tables_of(instance))
        result = solve(market, policy)
        programs = rng.sample(range(len(market.programs)), len(market.programs))
        found = dict(with_a_seat(market, policy, result, programs))
        assert sorted(found) == sorted(programs)
        for p in programs:
            after = matching(market.with_a_seat(p), policy)[0].tolist()
            assert found[p].tolist() == after
            moved += after != result.matching.tolist()
            proven += found[p] is result.matching
    assert moved > number // 4 and proven > number // 4


def test_a_program_is_idle_only_if_it_turns_nobody_away() -> None:
    """Q is full and has refused nobody; P refuses B."""
    tables = make_round(
        {"A": "P", "B": "P Q"}, {"P": 1, "Q": 1, "R": 1}, scores={"A P": 2, "B P": 1}
    )
    market, _ = loaded(tables)
    assert nearby.idle(market, Choice(market)) == [1, 2]
    assert nearby.roomy(Choice(market)) == [1, 2]


def test_open_seats_that_come_first_change_the_order_under_a_cap() -> None:
    """P takes everybody, but in another order with one more seat, and the cap then takes somebody else."""
    tables = make_round(
        {"A": "P", "B": "P"}, {"P": 2}, {"mechanism.reserve_order": "open_first"},
        scores={"A P": 2, "B P": 1}, applicants={"B": {"groups": "g"}}, reserves={"P g": 2},
        caps={"K": {"seats": 1, "programs": "P"}},
    )  # fmt: skip
    market, policy = loaded(tables)
    result = solve(market, policy)
    assert [market.applicants[i] for i in range(2) if result.matching[i] == 0] == ["B"]
    ((_, after),) = with_a_seat(market, policy, result, [0])
    assert after.tolist() == [0, -1]


def test_nobody_is_the_same_as_no_seat() -> None:
    market, policy = loaded(make_round({"A": ""}, {"P": 1}))
    assert [m.tolist() for _, m in with_a_seat(market, policy, solve(market, policy), [0])] == [
        [-1]
    ]
    assert list(with_a_seat(market, policy, solve(market, policy), [])) == []
