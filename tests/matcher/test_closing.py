"""Exact closing: against the definition on tiny markets, by hand, and cut short."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from rich.console import Console

from matcher import Market, Policy, Status, Tables, solve, terminal
from matcher.choice import Choice
from matcher.mechanisms import closing, stable
from matcher.mechanisms.deferred import DeferredAcceptance
from tests.matcher.test_oracle import (
    PARTS,
    assert_proven,
    assert_same_classes,
    assert_same_rows,
    assert_same_thresholds,
    markets,
    proven,
    solved,
)
from tests.oracle import Oracle
from tests.random_markets import random_instance
from tests.rounds import make_round, market

EXACT = {"mechanism.closure": "exact"}


def compare(number: int, mechanism: str, folder: Path | None) -> None:
    """One market, exact closing by its definition; the verifier proves it where there is a folder."""
    instance = random_instance(
        Random(f"exact {mechanism} {number}"),
        mechanism, programs=4, closure="exact", scarce=number % 2 == 0,
    )  # fmt: skip
    oracle = Oracle(instance)
    outcome = oracle.exact()
    found, result = solved(instance)
    assert result.status == Status.OPTIMAL
    assert_same_rows(oracle, outcome.placement, found, result)
    assert_same_classes(oracle, outcome.placement, found, result)
    assert_same_thresholds(oracle, outcome, found, result)
    assert result.bound == result.objective
    closed = [c for c in oracle.class_order if c not in outcome.open_classes]
    assert [found.order_classes[c.order_class] for c in result.closings] == closed
    for one in result.closings:
        again = outcome.open_classes | {found.order_classes[one.order_class]}
        placement = oracle.run(again)
        short = oracle.short(placement, again)
        name = found.order_classes[one.order_class]
        assert one.placed == oracle.placed_in(placement, name)
        assert (one.shortfall > 0) == (name in short)
        assert {found.order_classes[c] for c in one.saves} == set(short) - {name}
        assert short
    if folder is not None:
        assert_proven(instance, found, result, folder)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("mechanism", ["stable", "parallel"])
def test_exact_closing_is_what_its_definition_says(
    mechanism: str, part: int, tmp_path: Path
) -> None:
    for number in markets(part):
        try:
            compare(number, mechanism, tmp_path / "round" if proven(number) else None)
        except Exception as error:
            raise AssertionError(f"market {number}") from error


def own(**classes: int) -> dict[str, Any]:
    """Each program in a class of its own with a minimum."""
    return {
        "order_classes": {f"C{p}": least for p, least in classes.items()},
        "programs": {p: {"order_class": f"C{p}"} for p in classes},
    }


def outcome(made: Tables) -> tuple[Market, Any]:
    m = market(made)
    return m, solve(m, Policy.from_tables(made))


def closed(made: Tables) -> list[str]:
    """The closings as ``class placed/minimum saves`` words."""
    m, result = outcome(made)
    return [
        f"{m.order_classes[c.order_class]} {c.placed}/{c.min_size}"
        + "".join(f" {m.order_classes[x]}" for x in c.saves)
        for c in result.closings
    ]


def test_a_class_that_met_its_minimum_closes_where_that_places_more() -> None:
    """Sequential closing gives Q up, and C and D with it."""
    lists = {"A": "P Q", "B": "P Q", "C": "Q", "D": "Q"}
    seats, rows = {"P": 2, "Q": 4}, own(P=2, Q=3)
    assert closed(make_round(lists, seats, **rows)) == ["CQ 2/3"]
    assert closed(make_round(lists, seats, EXACT, **rows)) == ["CP 2/2 CQ"]


def test_where_both_place_as_many_the_costs_decide() -> None:
    """Closing P leaves everybody at Q, for A and B the second choice; closing Q leaves them at P."""
    lists = {"A": "P Q", "B": "P Q", "C": "Q P", "D": "Q P"}
    rows = own(P=3, Q=3)
    assert closed(make_round(lists | {"E": "P Q"}, {"P": 5, "Q": 5}, EXACT, **rows)) == ["CQ 2/3"]
    assert closed(make_round(lists | {"E": "Q P"}, {"P": 5, "Q": 5}, EXACT, **rows)) == ["CP 2/3"]


def test_where_costs_tie_the_earlier_class_in_plan_order_stays_open() -> None:
    lists = {"A": "P Q", "B": "Q P"}
    assert closed(make_round(lists, {"P": 2, "Q": 2}, EXACT, **own(P=2, Q=2))) == ["CQ 1/2 CP"]
    turned = own(P=2, Q=2)
    turned["order_classes"] = {
        "CP": {"min_size": 2, "plan_order": 2}, "CQ": {"min_size": 2, "plan_order": 1}
    }  # fmt: skip
    assert closed(make_round(lists, {"P": 2, "Q": 2}, EXACT, **turned)) == ["CP 1/2 CQ"]


def test_of_two_ways_the_one_that_fills_reserved_seats() -> None:
    """Whichever class closes, two are placed; only at Q is a seat reserved for A's group."""
    rows = own(P=2, Q=2) | {"applicants": {"A": {"groups": "g"}}}
    lists = {"A": "P Q", "B": "P Q"}
    assert closed(make_round(lists, {"P": 2, "Q": 2}, EXACT, **rows)) == ["CQ 0/2"]
    made = make_round(
        {"A": "P Q", "B": "Q P"}, {"P": 2, "Q": 2}, EXACT, reserves={"Q g": 1}, **rows
    )
    assert closed(made) == ["CP 1/2 CQ"]


def test_under_a_shared_cap_closing_a_class_may_help_another() -> None:
    """P and Q share three seats in turn; only without P has Q its three."""
    lists = {"A": "P", "B": "P", "C": "Q", "D": "Q", "E": "Q"}
    caps = {"K": {"seats": 3, "programs": "P;Q"}}
    made = make_round(lists, {"P": 2, "Q": 3}, EXACT, caps=caps, **own(P=2, Q=3))
    assert outcome(made)[1].matching.tolist() == [-1, -1, 1, 1, 1]
    assert closed(made) == ["CP 2/2 CQ"]


def test_without_minimums_nothing_closes_and_there_is_no_search() -> None:
    made = make_round({"A": "P"}, {"P": 1}, EXACT)
    _, result = outcome(made)
    assert result.publishable
    assert result.certificate == {"closing": []}


def some_round() -> tuple[Market, Policy]:
    """Twelve classes that share their people, most of them too few."""
    random = Random(5)
    names = [f"P{k:02}" for k in range(12)]
    lists = {f"A{i:02}": " ".join(random.sample(names, 5)) for i in range(40)}
    made = make_round(lists, dict.fromkeys(names, 6), EXACT, **own(**dict.fromkeys(names, 4)))
    return market(made), Policy.from_tables(made)


def test_where_nobody_applies_every_class_closes() -> None:
    made = make_round({}, {"P": 2, "Q": 1}, EXACT, **own(P=2))
    result = solve(market(made), Policy.from_tables(made))
    assert result.publishable and not result.opened.any()
    assert [made["order_classes"]["order_class"][x.order_class] for x in result.closings] == ["CP"]


def test_cut_short_it_says_what_is_known() -> None:
    """The best set so far is maximal, and no set places more than the bound says."""
    m, policy = some_round()
    choice = Choice(m)
    whole = closing.exact(m, policy, choice, lambda: False)
    assert whole.proven
    assert whole.tree
    best = int((whole.run.matching() >= 0).sum())
    assert whole.placed == best
    for steps in (0, 1, 5, 14, 20, 30):
        left = iter(range(steps))
        part = closing.exact(m, policy, choice, lambda left=left: next(left, -1) < 0)  # type: ignore[misc]
        assert not part.proven
        assert part.tree is None
        assert int((part.run.matching() >= 0).sum()) <= best <= part.placed <= 40
        assert not part.run.short().any()
        assert all(closing_of.shortfall or closing_of.saves for closing_of in part.closings)


def test_a_result_cut_short_is_feasible_and_not_publishable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    m, policy = some_round()
    clock = iter(range(10_000))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    result = solve(m, replace(policy, time_s=3))
    monkeypatch.undo()
    assert result.status == Status.FEASIBLE
    assert not result.publishable
    named = dict(
        zip(result.components, zip(result.objective, result.bound, strict=True), strict=True)
    )
    assert all(value <= bound for value, bound in named.values())
    told = StringIO()
    terminal.not_proven(terminal.Voice("en", Console(file=told, width=200)), result)
    assert named["placed"] == (40, 40)
    cost, least = (-number for number in named["rank"])
    assert f"cost of ranks: {cost} found, proven to be {least} at least." in told.getvalue()
    assert "closing_tree" not in result.certificate


def test_one_draw_of_many_is_cut_short_by_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    m, policy = some_round()
    whole, complete = stable.matching(m, policy)
    assert complete
    assert whole.tolist() == solve(m, policy).matching.tolist()
    monkeypatch.setattr(stable, "_STEPS", 3)
    assert not stable.matching(m, policy)[1]


def test_a_search_too_long_to_publish(monkeypatch: pytest.MonkeyPatch) -> None:
    m, policy = some_round()
    monkeypatch.setattr(closing, "LEAVES", 3)
    result = solve(m, policy)
    assert result.publishable
    assert "closing_tree" not in result.certificate


@pytest.mark.parametrize("seed", range(60))
def test_what_does_not_count_under_a_cap_refuses_less(seed: int) -> None:
    """Loose classes: everybody is as well off or better; with all tightened it is the run itself."""
    random = Random(seed)
    names = [f"P{k}" for k in range(6)]
    lists = {f"A{i:02}": " ".join(random.sample(names, 4)) for i in range(14)}
    caps = {"K": {"seats": random.randint(3, 7), "programs": "P0;P1;P2;P3"},
            "L": {"seats": random.randint(1, 4), "programs": "P0;P1"}}  # fmt: skip
    home = {p: f"C{k // 2 if k < 2 else k}" for k, p in enumerate(names)}
    m = market(make_round(
        lists, {p: random.randint(1, 4) for p in names}, caps=caps,
        programs={p: {"order_class": c} for p, c in home.items()},
        order_classes=dict.fromkeys(home.values(), 0),
        reserves={"P0 g": 1, "P2 g": 1},
        applicants={a: {"groups": random.choice(("", "g"))} for a in lists},
    ))  # fmt: skip
    choice = Choice(m, open_first=seed % 2 == 0)
    everything = range(len(m.order_classes))
    exact = DeferredAcceptance(m, choice)
    relaxed = DeferredAcceptance(m, choice, loose=everything)
    order = random.sample(everything, len(everything))
    for c in order:
        tighter = relaxed.tighten([c])
        assert all(
            x <= y <= z for x, y, z in zip(relaxed.next, tighter.next, exact.next, strict=True)
        )
        relaxed = tighter
    assert relaxed.next == exact.next
    assert relaxed.held == exact.held


@pytest.mark.parametrize("seed", range(60))
def test_no_class_holds_more_than_in_its_fullest_run(seed: int) -> None:
    """Whatever is closed of the classes a branch is free in, under nested caps and reserves."""
    random = Random(seed)
    names = [f"P{k}" for k in range(8)]
    lists = {f"A{i:02}": " ".join(random.sample(names, 5)) for i in range(30)}
    caps = {"K": {"seats": random.randint(8, 13), "programs": "P0;P1;P2;P3;P4"},
            "L": {"seats": random.randint(5, 8), "programs": "P0;P1;P2"},
            "M": {"seats": random.randint(3, 6), "programs": "P0;P1"}}  # fmt: skip
    home = {p: f"C{k // 2 if k < 2 else k}" for k, p in enumerate(names)}
    made = make_round(
        lists, {p: random.randint(2, 5) for p in names}, EXACT, caps=caps,
        programs={p: {"order_class": c} for p, c in home.items()},
        order_classes=dict.fromkeys(home.values(), 2),
        reserves={"P0 g": 1, "P2 g": 1},
        applicants={a: {"groups": random.choice(("", "g"))} for a in lists},
    )  # fmt: skip
    m = market(made)
    choice = Choice(m, open_first=seed % 2 == 0)
    search = closing._Search(m, Policy.from_tables(made), choice)
    classes = range(len(m.order_classes))
    assert search.under
    for root in choice.roots:
        for share in (0.5, 0.8, 1.0):
            edges = [e for e in range(len(m.program)) if random.random() < share]
            offers = {p: [e for e in edges if m.program[e] == p] for p in root.programs()}
            chosen = set(choice.at(root, offers))
            for p in root.programs():
                safe = closing._never_refused(m, choice)[p]
                assert chosen.issuperset(choice.at_program(p, offers[p])[:safe])
    free = set(random.sample(classes, 3))
    shut = set(random.sample(sorted(set(classes) - free), 1))
    most = {
        c: search.fullest(shut | free, c if c in search.under else -1).sizes()[c]
        for c in set(classes) - shut - free
    }
    for bits in range(8):
        closed = shut | {c for k, c in enumerate(sorted(free)) if bits >> k & 1}
        sizes = DeferredAcceptance(m, choice, closed).sizes()
        assert all(sizes[c] <= bound for c, bound in most.items())
