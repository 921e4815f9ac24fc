"""Deferred acceptance: one outcome, by whichever path it is computed."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from matcher import Market
from matcher.choice import Choice
from matcher.mechanisms import deferred
from matcher.mechanisms.deferred import DeferredAcceptance
from tests.rounds import make_round, market, table

Held = list[list[tuple[int, int]]]


def large(seed: int, people: int = 900, programs: int = 12) -> Market:
    """A market of plain capacities, too many people and ties, for the rounds by columns."""
    random = Random(seed)
    names = [f"P{n:02}" for n in range(programs)]
    lists = {
        f"A{n:03}": " ".join(random.sample(names, random.randint(0, 5))) for n in range(people)
    }
    seats = {p: random.choice([0, 1, 20, 60, 500]) for p in names}
    scores = {f"{a} {p}": random.randint(0, 9) for a in lists for p in lists[a].split()}
    return market(make_round(lists, seats, scores=scores))


def run(m: Market, closed: tuple[int, ...] = ()) -> DeferredAcceptance:
    """A run from scratch."""
    return DeferredAcceptance(m, Choice(m), closed)


@pytest.mark.parametrize("seed", range(6))
def test_rounds_by_columns_end_as_rounds_by_person(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same people at every program, and in the same acceptance order (thresholds read it)."""
    m = large(seed)
    closed = (0, 5) if seed % 2 else ()
    monkeypatch.setattr(deferred, "_FEW", 10**9)
    by_person = run(m, closed)
    monkeypatch.setattr(deferred, "_FEW", 20)
    by_columns = run(m, closed)
    assert by_columns.matching().tolist() == by_person.matching().tolist()
    assert by_columns.held == by_person.held
    assert (by_person.matching() >= 0).sum() > 100
    for p in closed:
        assert by_columns.held[p] == []


def test_rounds_by_columns_are_for_many_people_and_plain_capacities(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: list[int] = []
    monkeypatch.setattr(
        DeferredAcceptance,
        "_by_columns",
        lambda self: called.append(1) or list(range(len(self.next))),
    )
    people = dict.fromkeys((f"A{n}" for n in range(deferred._FEW + 1)), "P")
    run(market(make_round(people, {"P": 1})))
    assert called == [1]
    run(market(make_round(people, {"P": 1}, reserves={"P g": 1})))
    run(market(make_round(people, {"P": 1}, caps={"K": {"seats": 1, "programs": "P"}})))
    people.popitem()
    run(market(make_round(people, {"P": 1})))
    assert called == [1]


def test_a_round_in_which_all_find_a_place_ends_the_rounds_by_columns() -> None:
    people = {f"A{n:03}": "P" if n % 2 else "Q" for n in range(600)}
    m = market(make_round(people, {"P": 300, "Q": 400}))
    found = run(m)
    assert [len(h) for h in found.held] == [300, 300]
    assert found.held[0] == sorted(found.held[0], key=lambda c: m.place[c[0]])


def mixed(seed: int, classes: bool = True) -> Market:
    """A small market with everything: reserves of both kinds, nested caps, tails, joint classes."""
    random = Random(seed)
    names = ["P", "Q", "R", "S"]
    groups = "ghk"
    people = {f"A{n}": " ".join(random.sample(names, random.randint(0, 4))) for n in range(9)}
    rows = {
        a: {"groups": ";".join(g for g in groups if random.random() < 0.4),
            "adjustment": random.choice(["", "", "alliance"])}
        for a in people
    }  # fmt: skip
    seats = {p: random.randint(0, 4) for p in names}
    reserves: dict[str, int] = {}
    for p, q in seats.items():
        if random.random() < 0.5 and q:
            reserves[f"{p} {random.choice(groups)}{random.choice(['', ' hard'])}"] = random.randint(
                1, q
            )
    caps: dict[str, dict[str, Any]] = {}
    if random.random() < 0.7:
        caps["I"] = {"seats": random.randint(0, 4), "programs": "P;Q"}
        caps["K"] = {"seats": random.randint(1, 7), "programs": "P;Q;R"}
    joint = {"P": {"order_class": "C"}, "R": {"order_class": "C"}} if classes else {}
    return market(make_round(
        people, seats, applicants=rows, reserves=reserves, caps=caps, programs=joint,
        order_classes={"C": 0} if classes else {},
        scores={f"{a} {p}": random.randint(0, 4) for a in people for p in names},
    ))  # fmt: skip


def one_by_one(m: Market, random: Random) -> Held:
    """McVitie & Wilson: one proposal at a time, in any order, by the choice functions alone."""
    choice = Choice(m)
    held: dict[int, list[int]] = {p: [] for p in range(len(m.programs))}
    at = m.start[:-1].tolist()
    end = m.start[1:].tolist()
    waiting = [i for i in range(len(at)) if at[i] < end[i]]
    while waiting:
        i = waiting.pop(random.randrange(len(waiting)))
        offers = {p: list(edges) for p, edges in held.items()}
        offers[choice.program[at[i]]].append(at[i])
        kept = {e for root in choice.roots for e, _ in choice.at(root, offers)}
        for edges in offers.values():
            for e in set(edges) - kept:
                owner = choice.owner[e]
                at[owner] += 1
                if at[owner] < end[owner]:
                    waiting.append(owner)
        held = {p: [e for e in edges if e in kept] for p, edges in offers.items()}
    return [sorted(edges) for edges in held.values()]  # type: ignore[misc]


@pytest.mark.parametrize("seed", range(60))
def test_the_order_of_proposals_does_not_matter(seed: int) -> None:
    m = mixed(seed)
    expected = [sorted(e for e, _ in held) for held in run(m).held]
    for again in range(3):
        assert one_by_one(m, Random(again)) == expected


@pytest.mark.parametrize("seed", range(120))
def test_closing_on_from_here_is_starting_again_without(seed: int) -> None:
    """Wherever the run says that it can go on, for any sequence of closings."""
    m = mixed(seed)
    random = Random(seed)
    found = run(m)
    went_on = 0
    for c in random.sample(range(len(m.order_classes)), 3):
        fresh = run(m, (*found.closed, c))
        if found.can_go_on_without([c]):
            found.close([c])
            went_on += 1
            assert found.held == fresh.held
            assert found.matching().tolist() == fresh.matching().tolist()
        found = fresh if random.random() < 0.5 else found
        if c not in found.closed:
            found = fresh


def test_going_on_is_possible_and_impossible_among_the_cases_above() -> None:
    answers = [
        run(m).can_go_on_without([c])
        for m in map(mixed, range(40))
        for c in range(len(m.order_classes))
    ]
    assert 0.1 < np.mean(answers) < 0.9


def test_a_full_cap_bars_going_on() -> None:
    """B was refused by the cap, not by Q: once P closes she belongs there again."""
    m = market(make_round(
        {"A": "P", "B": "Q"}, {"P": 1, "Q": 1}, caps={"K": {"seats": 1, "programs": "P;Q"}}
    ))  # fmt: skip
    found = run(m)
    assert found.matching().tolist() == [0, -1]
    assert not found.can_go_on_without([0])
    assert run(m, (0,)).matching().tolist() == [-1, 1]


def test_the_innermost_full_cap() -> None:
    caps = {"I": {"seats": 1, "programs": "P;Q"}, "K": {"seats": 2, "programs": "P;Q;R"},
            "L": {"seats": 9, "programs": "P;Q;R;S"}}  # fmt: skip
    m = market(make_round(
        {"A": "P", "B": "P", "C": "R", "D": "S"}, dict.fromkeys("PQRS", 5), caps=caps
    ))  # fmt: skip
    full = {m.programs[p]: m.caps[c].name for p, c in run(m).full_caps().items()}
    assert full == {"P": "I", "Q": "I", "R": "K"}


def test_a_cap_of_no_seats_is_full() -> None:
    m = market(make_round({"A": "P"}, {"P": 1}, caps={"K": {"seats": 0, "programs": "P"}}))
    found = run(m)
    assert found.matching().tolist() == [-1]
    assert found.full_caps() == {0: 0}


@pytest.mark.parametrize("seed", range(30))
def test_nobody_envies_with_justice_and_no_seat_is_wasted(seed: int) -> None:
    """Whoever prefers a program to what she has would not be chosen there (caps apart)."""
    m = mixed(seed)
    found = run(m)
    choice = found.choice
    current = m.edges_of(found.matching())
    for i in range(len(m.applicants)):
        last = int(current[i]) if current[i] >= 0 else int(m.start[i + 1])
        for e in range(int(m.start[i]), last):
            offers = {p: [x for x, _ in held] for p, held in enumerate(found.held)}
            offers[choice.program[e]].append(e)
            root = choice.root_of[choice.program[e]]
            assert e not in {x for x, _ in choice.at(root, offers)}


def test_tables_of_rows() -> None:
    """The factory's own table keeps columns that only some rows mention."""
    made = table([{"applicant": "A", "groups": "g"}, {"applicant": "B"}], "applicants")
    assert dict(made.columns) == {"applicant": ["A", "B"], "groups": ["g", ""]}
