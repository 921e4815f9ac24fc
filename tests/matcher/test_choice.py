"""Whom a program, or a cap, takes of a set of people: each definition by small examples."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.choice import HARD, OPEN, OPEN_FIRST, SOFT, Choice, fill, forest, labels
from tests.rounds import make_round, market

# --- reserves at one program --------------------------------------------------------------------


def at_one(
    people: str, seats: int, reserves: dict[str, int], open_first: bool = False
) -> tuple[Choice, dict[str, int]]:
    """A program P that everybody lists; ``people`` are ``A:gh`` words, best first."""
    words = [word.partition(":") for word in people.split()]
    made = make_round(
        {name: "P" for name, _, _ in words}, {"P": seats},
        {"mechanism.reserve_order": "open_first" if open_first else "reserves_first"},
        applicants={name: {"groups": ";".join(groups)} for name, _, groups in words},
        scores={f"{name} P": 100 - at for at, (name, _, _) in enumerate(words)},
        reserves={f"P {key}": number for key, number in reserves.items()},
    )  # fmt: skip
    m = market(made)
    choice = Choice(m, open_first)
    return choice, {name: m.edge(m.applicants.index(name), 0) for name, _, _ in words}


def chosen(people: str, seats: int, reserves: dict[str, int], open_first: bool = False) -> str:
    """The chosen in acceptance order, with stage and seat."""
    choice, edges = at_one(people, seats, reserves, open_first)
    names = {edge: name for name, edge in edges.items()}
    found = choice.at_program(0, edges.values())
    seat = choice.seat_labels(0, found)
    stage = {OPEN_FIRST: "first", HARD: "hard", SOFT: "soft", OPEN: ""}
    return " ".join(f"{names[e]}{':' + stage[s] if stage[s] else ''}"
                    f"{'=' + seat[e] if s in (HARD, SOFT) else ''}" for e, s in found)  # fmt: skip


def test_without_reserves_the_best_are_chosen() -> None:
    assert chosen("A B C", 2, {}) == "A B"
    assert chosen("A B", 0, {}) == ""
    assert chosen("A", 2, {}) == "A"


def test_a_soft_reserve_holds_seats_for_its_group_first() -> None:
    """Hafalir, Yenmez & Yildirim: one group, reserved seats first, the rest open to all."""
    assert chosen("A B C:g D:g", 2, {"g": 1}) == "C:soft=g A"
    assert chosen("A:g B C D:g", 2, {"g": 1}) == "A:soft=g B", "whom merit takes fills the reserve"


def test_what_a_soft_reserve_cannot_fill_goes_to_others() -> None:
    assert chosen("A B C:g D", 3, {"g": 2}) == "C:soft=g A B"


def test_what_a_hard_reserve_cannot_fill_stays_empty() -> None:
    assert chosen("A B C:g D", 3, {"g hard": 2}) == "C:hard=g A"
    assert chosen("A B", 2, {"g hard": 2}) == ""
    assert chosen("A:g B:g C:g D", 2, {"g hard": 1}) == "A:hard=g B"


def test_hard_before_soft_before_open() -> None:
    found = chosen("A B:g C:h D:g E:h", 4, {"g": 1, "h hard": 1})
    assert found == "C:hard=h B:soft=g A D"


def test_a_person_takes_one_seat_of_several_groups() -> None:
    assert chosen("A:gh B:g C:h D", 3, {"g": 1, "h": 1}) == "A:soft=h B:soft=g C"
    assert chosen("A:gh B:g C", 2, {"g": 1, "h": 1}) == "A:soft=h B:soft=g"
    assert chosen("A:gh B:h C", 2, {"g": 1, "h": 1}) == "A:soft=g B:soft=h"


def test_the_meritorious_rule_fills_as_many_seats_as_can_be_filled() -> None:
    """Sönmez & Yenmez: A could serve for g or h; going by merit alone, seat by seat, would give A the
    seat for g and leave the one for h empty."""
    assert chosen("A:gh B:g C", 2, {"g": 1, "h": 1}) == "A:soft=h B:soft=g"
    assert chosen("A:gh B:gk C:kg D:h", 3, {"g": 1, "h": 1, "k": 1}) == "A:soft=h B:soft=g C:soft=k"


def test_people_move_between_their_groups_as_far_as_needed() -> None:
    """C needs g, which A leaves for h, which B leaves for k."""
    people = [(0, (0, 1)), (1, (1, 2)), (2, (0,)), (3, (0, 1, 2))]
    assert fill(people, {0: 1, 1: 1, 2: 1}) == [0, 1, 2]
    assert chosen("A:gh B:hk C:g D:ghk", 3, {"g": 1, "h": 1, "k": 1}) == (
        "A:soft=h B:soft=k C:soft=g"
    )


def test_of_several_seatings_the_first_group_by_code_point_is_taken_in_acceptance_order() -> None:
    assert chosen("A:hg", 1, {"g": 1, "h": 0}) == "A:soft=g"
    assert chosen("A:gh", 2, {"g": 1, "h": 1}) == "A:soft=g"
    assert chosen("A:gh B:gh", 2, {"g": 1, "h": 1}) == "A:soft=g B:soft=h"


def test_a_hard_and_a_soft_reserve_for_the_same_group() -> None:
    assert chosen("A B:g C:g D:g", 3, {"g": 1, "g hard": 1}) == "B:hard=g C:soft=g A"
    assert chosen("A B", 3, {"g": 1, "g hard": 1}) == "A B"


def test_open_first_puts_open_seats_before_the_reserves() -> None:
    """Then merit does not use up the reserve: one person of the group more."""
    people = "A:g B C:g D"
    assert chosen(people, 2, {"g": 1}) == "A:soft=g B"
    assert chosen(people, 2, {"g": 1}, open_first=True) == "A:first C:soft=g"
    assert chosen("A B C", 3, {"g": 2}, open_first=True) == "A:first B C"
    assert chosen("A B C", 3, {"g hard": 2}, open_first=True) == "A:first"
    assert chosen("A B:g", 1, {"g": 1}, open_first=True) == "B:soft=g", "no seat is open"
    assert chosen("A B", 1, {}, open_first=True) == "A:first", "without a reserve all are first"


def test_a_reserve_of_no_seats_is_none() -> None:
    choice, _ = at_one("A:g", 1, {"g": 0})
    assert not choice.seats[0].reserved


def test_seats_filled_whatever_stage_chose_whom() -> None:
    choice, edges = at_one("A:g B:gh C D:h", 4, {"g": 1, "h hard": 1})
    filled = {
        people: choice.reserved_filled(0, [edges[p] for p in people])
        for people in ("", "C", "A", "AB", "B", "BD", "ABD")
    }
    assert filled == {"": 0, "C": 0, "A": 1, "AB": 2, "B": 1, "BD": 2, "ABD": 2}


def test_people_of_one_kind_have_the_same_groups_with_seats() -> None:
    choice, edges = at_one("A:g B:k C D:gh E:ghk F:h", 3, {"g": 1, "h": 1, "k": 0})
    kind = {name: choice.kind[edge] for name, edge in edges.items()}
    assert kind["B"] == kind["C"] == 0 and kind["D"] == kind["E"]
    assert sorted(choice.kinds_at[0]) == sorted(set(kind.values()))
    assert choice.beneath[kind["C"]] == [0]
    assert sorted(choice.beneath[kind["A"]]) == sorted({0, kind["A"]})
    assert sorted(choice.beneath[kind["D"]]) == sorted(choice.kinds_at[0])


# --- filling and labels by themselves -----------------------------------------------------------


def most(people: Iterable[tuple[int, tuple[int, ...]]], seats: dict[int, int]) -> int:
    """The greatest number of seats that the people can fill, by trying everything."""
    first, *rest = list(people) or [(0, ())]
    if not rest:
        return int(any(seats.get(g, 0) for g in first[1]))
    best = most(rest, seats)
    for group in first[1]:
        if seats.get(group, 0):
            best = max(best, 1 + most(rest, seats | {group: seats[group] - 1}))
    return best


CROWD = st.lists(
    st.lists(st.integers(0, 3), unique=True, max_size=3).map(lambda g: tuple(sorted(g))), max_size=7
)
ROOM = st.dictionaries(st.integers(0, 3), st.integers(1, 2), max_size=4)


@settings(deadline=None)
@given(CROWD, ROOM)
def test_filling_chooses_everybody_who_raises_the_number(crowd: list, seats: dict) -> None:
    people = [(at, tuple(g for g in groups if g in seats)) for at, groups in enumerate(crowd)]
    greedy: list = []
    for person in people:
        if most([*greedy, person], seats) > most(greedy, seats):
            greedy.append(person)
    assert fill(people, seats) == [edge for edge, _ in greedy]
    assert len(greedy) == most(people, seats)


@settings(deadline=None)
@given(CROWD, ROOM)
def test_labels_are_the_first_that_seat_everybody(crowd: list, seats: dict) -> None:
    people = [(at, tuple(g for g in groups if g in seats)) for at, groups in enumerate(crowd)]
    taken = set(fill(people, seats))
    people = [p for p in people if p[0] in taken]
    found = labels(people, seats)
    left, expected = dict(seats), {}
    for at, (edge, groups) in enumerate(people):
        for group in groups:
            after = left | {group: left[group] - 1}
            if left[group] and most(people[at + 1 :], after) == len(people) - at - 1:
                expected[edge], left = group, after
                break
    assert found == expected
    assert set(found) == taken


# --- caps ---------------------------------------------------------------------------------------


def at_caps(caps: dict[str, tuple[int, str]], offers: str, **plan: int) -> str:
    """Whom the caps over programs P, Q, R, S take; ``offers`` are ``AP`` words, best first."""
    words = offers.split()
    made = make_round(
        {word[0]: word[1] for word in words}, dict.fromkeys("PQRS", 2),
        programs={p: {"plan_order": n} for p, n in plan.items()},
        scores={f"{w[0]} {w[1]}": 100 - at for at, w in enumerate(words)},
        caps={k: {"seats": seats, "programs": ";".join(names)} for k, (seats, names) in caps.items()},
    )  # fmt: skip
    m = market(made)
    choice = Choice(m)
    edges: dict[int, list[int]] = {}
    for e, p in enumerate(m.program.tolist()):
        edges.setdefault(p, []).append(e)
    taken = [m.applicants[m.owner[e]] for root in choice.roots for e, _ in choice.at(root, edges)]
    return "".join(taken)


def test_under_a_cap_programs_take_turns_in_plan_order() -> None:
    offers = "AP BP CP DQ EQ FR"
    assert at_caps({"K": (3, "PQR")}, offers) == "ADF"
    assert at_caps({"K": (4, "PQR")}, offers) == "ADFB"
    assert at_caps({"K": (3, "PQR")}, offers, R=1, Q=2, P=3) == "FDA"
    assert at_caps({"K": (9, "PQR")}, offers) == "ADFBE", "capacities hold as before"
    assert at_caps({"K": (0, "PQR")}, offers) == ""
    assert at_caps({"K": (1, "P")}, offers) == "ADEF"


def test_a_program_without_people_left_misses_its_turn() -> None:
    assert at_caps({"K": (3, "PQ")}, "AP BP CQ") == "ACB"


def test_an_inner_cap_takes_one_turn_among_its_siblings() -> None:
    offers = "AP BP CQ DQ ER FR"
    assert at_caps({"I": (3, "PQ"), "K": (5, "PQR")}, offers) == "AECFB"
    assert at_caps({"I": (1, "PQ"), "K": (5, "PQR")}, offers) == "AEF"
    assert at_caps({"I": (3, "PQ"), "K": (2, "PQR")}, offers) == "AE"


def test_an_inner_caps_place_is_that_of_its_first_program() -> None:
    offers = "AP BQ CR"
    assert at_caps({"I": (2, "PR"), "K": (3, "PQR")}, offers) == "ABC"
    assert at_caps({"I": (2, "PR"), "K": (3, "PQR")}, offers, Q=0) == "BAC"
    assert at_caps({"I": (2, "PR"), "K": (3, "PQR")}, offers, R=0) == "CBA"


def test_of_two_caps_over_the_same_programs_both_hold() -> None:
    assert at_caps({"I": (1, "PQ"), "K": (2, "PQ")}, "AP BQ") == "A"
    assert at_caps({"I": (2, "PQ"), "K": (1, "PQ")}, "AP BQ") == "A"


def test_of_two_equal_caps_the_smaller_id_is_inside() -> None:
    made = make_round({"A": "P"}, {"P": 1, "Q": 1},
                      caps={k: {"seats": 1, "programs": "P;Q"} for k in ("b", "B", "a")})  # fmt: skip
    m = market(made)
    (root,) = forest(m)
    names = []
    while root.children:
        names.append(m.caps[root.cap].name)
        root = root.children[0]
    assert names == ["b", "a", "B"]


def test_crossing_caps_make_no_forest() -> None:
    caps = {"K": {"seats": 1, "programs": "P;Q"}, "L": {"seats": 1, "programs": "Q;R"}}
    with pytest.raises(ValueError, match="cross"):
        _ = Choice(market(make_round({"A": "P"}, dict.fromkeys("PQR", 1), caps=caps))).roots


def test_roots_stand_in_plan_order() -> None:
    caps = {"K": {"seats": 1, "programs": "Q;S"}}
    made = make_round(
        {"A": "P"}, dict.fromkeys("PQRS", 1), caps=caps, programs={"S": {"plan_order": 1}}
    )
    assert [list(root.programs()) for root in forest(market(made))] == [[3, 1], [0], [2]]


# --- theorems, on random small markets ----------------------------------------------------------


@cache
def random_choice(seed: int, caps: bool = True) -> Choice:
    """Choice functions over three programs with overlapping reserves, under nested caps."""
    random = Random(seed)
    people = {f"A{n}": " ".join(random.sample("PQR", random.randint(1, 3))) for n in range(6)}
    groups = {a: {"groups": ";".join(g for g in "ghk" if random.random() < 0.5)} for a in people}
    seats = {p: random.randint(0, 4) for p in "PQR"}
    reserves: dict[str, int] = {}
    for program, left in seats.items():
        for key in random.sample(["g", "h", "k", "g hard", "k hard"], 3):
            number = random.randint(0, min(left, 2))
            left -= number
            reserves[f"{program} {key}"] = number
    limits = {"I": {"seats": random.randint(0, 4), "programs": "P;Q"},
              "K": {"seats": random.randint(0, 6), "programs": "P;Q;R"}}  # fmt: skip
    made = make_round(
        people, seats, applicants=groups, reserves=reserves, caps=limits if caps else {},
        scores={f"{a} {p}": random.randint(0, 3) for a in people for p in "PQR"},
    )  # fmt: skip
    return Choice(market(made), open_first=random.random() < 0.5)


def take(choice: Choice, edges: Iterable[int]) -> frozenset[int]:
    """The edges chosen, over all roots."""
    offers: dict[int, list[int]] = {}
    for e in edges:
        offers.setdefault(choice.program[e], []).append(e)
    return frozenset(e for root in choice.roots for e, _ in choice.at(root, offers))


SEEDS = range(40)


def some_sets(choice: Choice, seed: int) -> list[frozenset[int]]:
    """Random sets of offers, one of each person (the others propose elsewhere), or several."""
    random = Random(seed)
    edges = range(len(choice.program))
    return [
        frozenset(e for e in edges if random.random() < share)
        for share in (0.3, 0.5, 0.7, 0.9)
        for _ in range(6)
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_substitutes_aggregate_demand_and_irrelevant_alternatives(seed: int) -> None:
    """Nobody is chosen only because others come; more people never lessen the number chosen; and
    whoever is not chosen anyway can stay away.  Together: the choice is path independent."""
    choice = random_choice(seed)
    for offered in some_sets(choice, seed):
        taken = take(choice, offered)
        assert taken <= offered
        for gone in offered:
            rest = offered - {gone}
            left = take(choice, rest)
            assert taken - {gone} <= left, "substitutability"
            assert len(left) <= len(taken), "law of aggregate demand"
            if gone not in taken:
                assert left == taken, "irrelevance of rejected contracts"


@pytest.mark.parametrize("seed", SEEDS)
def test_choosing_in_parts_is_choosing_at_once(seed: int) -> None:
    choice = random_choice(seed)
    for one, two in combinations(some_sets(choice, seed)[::3], 2):
        assert take(choice, take(choice, one) | two) == take(choice, one | two)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_program_takes_all_of_a_beginning_of_whom_it_took(seed: int) -> None:
    """In the same order and at the same stages, so that where nobody new comes nothing changes."""
    choice = random_choice(seed)
    for offered in some_sets(choice, seed):
        for p in range(len(choice.seats)):
            taken = choice.at_program(p, [e for e in offered if choice.program[e] == p])
            for end in range(len(taken) + 1):
                assert choice.at_program(p, [e for e, _ in taken[:end]]) == taken[:end]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_chosen_keeps_the_limits(seed: int) -> None:
    choice = random_choice(seed)
    m = choice.market
    for offered in some_sets(choice, seed):
        taken = take(choice, offered)
        for p, seats in enumerate(choice.seats):
            here = [e for e in taken if choice.program[e] == p]
            hard = sum(seats.hard.values())
            filled = len(fill(choice.with_groups(here, seats.hard), seats.hard))
            assert len(here) <= seats.capacity - hard + filled
        for cap in m.caps:
            assert sum(choice.program[e] in cap.programs for e in taken) <= cap.seats


def test_cases_above_differ() -> None:
    """The random choices are no trifles: reserves move people, hard seats stay empty, caps bind."""
    free = bound = 0
    for seed in SEEDS:
        edges: Any = range(len(random_choice(seed).program))
        free += len(take(random_choice(seed, caps=False), edges))
        bound += len(take(random_choice(seed), edges))
    assert 0 < bound < free
