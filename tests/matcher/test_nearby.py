"""Rounds that differ in little, by shared beginnings, against the same rounds solved from scratch."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from matcher import Market, Policy, Tables
from matcher.choice import Choice
from matcher.mechanisms import nearby
from matcher.mechanisms.bounds import Prices
from matcher.mechanisms.next_seat import still_best
from matcher.mechanisms.openings import Search
from matcher.mechanisms.plan import Drawn, Plan, Weights
from matcher.mechanisms.proof import Step, Tree
from matcher.objective import components
from matcher.solve import NoPlan, matching, solve, with_a_seat
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
        found = {}
        for p, after, complete in with_a_seat(market, policy, result, programs):
            found[p] = after
            assert complete
        assert sorted(found) == sorted(programs)
        for p in programs:
            after = matching(market.with_a_seat(p), policy)[0].tolist()
            assert found[p].tolist() == after
            moved += after != result.matching.tolist()
            proven += found[p] is result.matching
    assert moved > number // 4 and proven > number // 4


def test_one_more_seat_where_decrees_bind_and_caps_cross() -> None:
    """The proof of the openings is gone through again, or where it breaks the round is solved anew."""
    rng = Random("decrees")
    moved = 0
    for _ in range(120):
        tables = tables_of(random_instance(rng, "optimal", programs=4, decrees=True))
        market, policy = loaded(tables)
        try:
            result = solve(market, policy)
        except NoPlan:
            continue
        for p, after, _ in with_a_seat(market, policy, result, range(len(market.programs))):
            assert after.tolist() == solve(market.with_a_seat(p), policy).matching.tolist()
            moved += bool((after != result.matching).any())
    assert moved > 30


def searched(tables: Tables) -> Search:
    """A search of the round's openings that has ended."""
    market, policy = loaded(tables)
    drawn = Weights(market, policy)
    search = Search(
        Plan(market, Choice(market)),
        [*components(market, policy), Drawn(drawn, 0), Drawn(drawn, 1)],
    )
    search.run()
    return search


def whole(search: Search, tree: Tree) -> list[bool]:
    """At which programs a proof holds with one more seat, if that gains nothing."""
    market = search.plan.market
    found: list[bool] = still_best(search, tree, [(0,) * 6] * len(market.programs)).tolist()
    return found


def test_a_seat_may_be_what_a_class_lacks_to_be_possible_at_all() -> None:
    """C needs two; both people list P, which has one seat, and nobody lists R."""
    tables = make_round(
        {"A": "P", "B": "P Q"}, {"P": 1, "Q": 1, "R": 1}, {"mechanism.name": "optimal"},
        order_classes={"C": 2},
        programs={"P": {"order_class": "C"}, "R": {"order_class": "C"}},
    )  # fmt: skip
    split = Tree(order_class=0, sides=(Tree(leaf="impossible"), Tree(leaf="best")))
    assert whole(searched(tables), split) == [False, True, False]
    market, policy = loaded(tables)
    result = solve(market, policy)
    after = {p: m for p, m, _ in with_a_seat(market, policy, result, [0, 1, 2])}
    assert result.matching.tolist() == [-1, 1] and after[0].tolist() == [0, 0]


def test_a_proof_that_settles_pairs_is_not_gone_through_again() -> None:
    search = searched(make_round({"A": "P"}, {"P": 1, "Q": 1}))
    assert whole(search, Tree(leaf="best")) == [True, True]
    for tree in (Tree(leaf="settled"), Tree(edge=0, sides=(Tree(leaf="best"), Tree(leaf="best")))):
        assert whole(search, tree) == [False, False]


def test_too_few_people_for_a_class_are_too_few_with_one_more_seat() -> None:
    """Both programs of C are listed, but by one person; a step of no price ends the open side."""
    tables = make_round(
        {"A": "C", "B": "R"}, {"P": 1, "Q": 1, "R": 1}, order_classes={"C": 2},
        programs={"P": {"order_class": "C"}, "Q": {"order_class": "C"}},
    )  # fmt: skip
    search = searched(tables)
    free = Prices(*(np.zeros(size, np.int64) for size in (2, 3, 3, 3, 0)))
    ended = Tree(steps=[Step([1], free, 0, [], [])], leaf="ended")
    split = Tree(order_class=0, sides=(ended, Tree(leaf="best")))
    assert whole(search, split) == [True, True, True]


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
    ((_, after, _),) = with_a_seat(market, policy, result, [0])
    assert after.tolist() == [0, -1]


def test_nobody_is_the_same_as_no_seat() -> None:
    market, policy = loaded(make_round({"A": ""}, {"P": 1}))
    assert [m.tolist() for _, m, _ in with_a_seat(market, policy, solve(market, policy), [0])] == [
        [-1]
    ]
    assert list(with_a_seat(market, policy, solve(market, policy), [])) == []
