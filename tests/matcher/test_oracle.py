"""The solver against the oracle, market by market.

`ORACLE_MARKETS` is the number of markets per mechanism; `make test-full` asks for many.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from random import Random

import pytest

from matcher import Market, Policy, Result, Tables, solve, verify
from matcher.result import placement_rows
from matcher.solve import NoPlan
from matcher.tables import Table
from tests.choices import lottery
from tests.instances import Instance
from tests.oracle import Oracle, Outcome, Placement
from tests.random_markets import random_instance

PARTS = 8
"""The markets of a mechanism are compared in parts, so that workers can share them."""

MARKETS = int(os.environ.get("ORACLE_MARKETS", "400"))
PRICED_SHARE = 20
PROVES = {"stable": "outcome", "parallel": "outcome", "optimal": "optimality"}
"""The claim that says that a result is the one; of ``max_placement`` a part is trusted."""

PROVEN_SHARE = int(os.environ.get("PROVEN_SHARE", "5"))
"""One result in so many is written down and verified."""


def tables_of(instance: Instance) -> Tables:
    """The instance as in-memory tables."""
    given = {name: Table({**columns}) for name, columns in instance.to_tables_dict().items()}
    return Tables(given, instance.rules.toml().encode())


def solved(instance: Instance) -> tuple[Market, Result]:
    """The market and what the solver makes of it."""
    tables = tables_of(instance)
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    return market, solve(market, policy)


def placement_of(market: Market, result: Result) -> Placement:
    """The solver's matching by ids."""
    programs = [*market.programs, None]
    return {i: programs[p] for i, p in zip(market.applicants, result.matching, strict=True)}


def row_of(oracle: Oracle, placement: Placement, applicant: str) -> list[str]:
    """The placement row that the definitions give an applicant."""
    program = placement[applicant]
    if program is None:
        person = oracle.people[applicant]
        missed = "barred" if person.entries else "no_choice"
        return [applicant, "", "", "", "not_reached" if oracle.rank[applicant] else missed]
    people = frozenset(i for i, p in placement.items() if p == program)
    seat = oracle.seat(program, people, applicant)
    return [applicant, program, str(oracle.rank[applicant][program]), seat, "ordinary"]


def assert_same_thresholds(
    oracle: Oracle, outcome: Outcome, market: Market, result: Result
) -> None:
    """State, cap and last person of every stage; who sits in a stage that is not full matters not."""
    expected = {
        key: (t.state, t.cap, "" if t.state == "not_full" else t.last or "")
        for key, t in oracle.thresholds(outcome.placement, outcome.open_classes).items()
    }
    names = [cap.name for cap in market.caps]
    found = {
        (market.programs[t.program], t.stage): (
            t.state,
            names[t.cap] if t.cap >= 0 else "",
            market.applicants[market.owner[t.last]]
            if t.last >= 0 and t.state != "not_full"
            else "",
        )
        for t in result.thresholds
    }
    assert found == expected


def assert_same_rows(oracle: Oracle, placement: Placement, market: Market, result: Result) -> None:
    assert placement_of(market, result) == placement
    expected = [row_of(oracle, placement, i) for i in sorted(oracle.people)]
    assert placement_rows(market, result) == expected


def assert_same_classes(
    oracle: Oracle, placement: Placement, market: Market, result: Result
) -> None:
    opened = {c for c, is_open in zip(market.order_classes, result.opened, strict=True) if is_open}
    sizes = {c: oracle.placed_in(placement, c) for c in oracle.classes}
    assert opened == {c for c, n in sizes.items() if n >= max(1, oracle.classes[c].min_size)}


def proven(number: int) -> bool:
    """Whether the result of a market is verified."""
    return number // PARTS % PROVEN_SHARE == 0


def assert_proven(instance: Instance, market: Market, result: Result, folder: Path) -> None:
    """The verifier finds nothing wrong with a result, and proves that it is the one where it can."""
    tables = tables_of(instance)
    tables.write(folder)
    result.write(folder / "result", market, tables.digest(), instance.rules.round)
    claims = {claim.name: claim.status for claim in verify(folder).claims}
    assert "BROKEN" not in claims.values()
    claim = PROVES.get(instance.rules.mechanism, "assignment")
    assert claims[claim] == "PROVED"
    shutil.rmtree(folder)


def compare_deferred(instance: Instance) -> tuple[Market, Result]:
    """One round of `stable` or `parallel`."""
    oracle = Oracle(instance)
    outcome = oracle.sequential()
    market, result = solved(instance)
    assert_same_rows(oracle, outcome.placement, market, result)
    assert_same_classes(oracle, outcome.placement, market, result)
    assert_same_thresholds(oracle, outcome, market, result)
    steps = [(market.order_classes[c.order_class], c.placed, c.min_size) for c in result.closings]
    assert steps == [step[:3] for step in outcome.closing]
    assert dict(zip(result.components, result.objective, strict=True)) == dict(
        zip(oracle.components(), oracle.objective(outcome.placement), strict=True)
    )
    assert result.bound == result.objective
    assert result.publishable
    return market, result


def compare_optimal(instance: Instance, *, prices: bool) -> tuple[Market, Result]:
    """One round of `optimal`; the prices are the oracle's slow part."""
    oracle = Oracle(instance)
    best, value = oracle.optimal()
    market, result = solved(instance)
    assert result.unique == (len(best) == 1)
    assert_same_rows(oracle, best[0], market, result)
    assert_same_classes(oracle, best[0], market, result)
    assert list(result.components) == oracle.optimal_components()
    assert result.objective == result.bound == value
    found = {(market.programs[t.program], t.stage): t.price for t in result.thresholds}
    empty = {c for c in oracle.classes if not oracle.placed_in(best[0], c)}
    closed = {c for c in empty if oracle.classes[c].min_size > 1}
    running = [p for p in oracle.programs if oracle.class_of[p] not in closed]
    assert set(found) == {(p, stage) for p in running for stage in oracle.stages(p)}
    if prices:
        assert found == {key: oracle.price(*key) for key in found}
    return market, result


def compare_largest(instance: Instance) -> tuple[Market, Result]:
    """One round of `max_placement`."""
    oracle = Oracle(instance)
    outcome = oracle.sequential(oracle.largest)
    market, result = solved(instance)
    assert_same_rows(oracle, outcome.placement, market, result)
    assert_same_classes(oracle, outcome.placement, market, result)
    steps = [(market.order_classes[c.order_class], c.placed, c.min_size) for c in result.closings]
    assert steps == [step[:3] for step in outcome.closing]
    names = oracle.largest_components()
    assert list(result.components) == names
    assert result.objective == result.bound == oracle.objective(outcome.placement, names)
    assert result.publishable
    held = {(p, i) for i, p in outcome.placement.items() if p}
    levels = {p: [oracle.level(i, p) for q, i in held if p == q] for p in oracle.programs}
    for threshold in result.thresholds:
        program = market.programs[threshold.program]
        inside, full = levels.pop(program), threshold.state == "full"
        assert full == (len(inside) == oracle.programs[program].capacity)
        if full and inside:
            last = market.applicants[market.owner[threshold.last]]
            assert (program, last) in held
            assert oracle.level(last, program) == max(inside)
        else:
            assert threshold.last == -1
    assert all(oracle.class_of[p] not in outcome.open_classes for p in levels)
    return market, result


def markets(part: int) -> range:
    """The numbers of the markets of a part."""
    return range(part, MARKETS, PARTS)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("mechanism", ["stable", "parallel"])
def test_deferred_acceptance_agrees(mechanism: str, part: int, tmp_path: Path) -> None:
    """Placements, seats, reasons, closings, thresholds and objective values; some are verified."""
    for number in markets(part):
        instance = random_instance(Random(f"{mechanism} {number}"), mechanism)
        try:
            found = compare_deferred(instance)
            if proven(number):
                assert_proven(instance, *found, tmp_path / "round")
        except Exception as error:
            raise AssertionError(f"market {number}: {instance}") from error


@pytest.mark.parametrize("part", range(PARTS))
def test_optimal_agrees(part: int, tmp_path: Path) -> None:
    """Placements, seats, reasons, objective values; prices for a part of them; some are verified."""
    for number in markets(part):
        instance = random_instance(Random(f"optimal {number}"), "optimal", minimums=False)
        try:
            found = compare_optimal(instance, prices=number // PARTS % PRICED_SHARE == 0)
            if proven(number):
                assert_proven(instance, *found, tmp_path / "round")
        except Exception as error:
            raise AssertionError(f"market {number}: {instance}") from error


@pytest.mark.parametrize("part", range(PARTS))
def test_the_greatest_weakly_stable_placement_agrees(part: int, tmp_path: Path) -> None:
    """Placements, seats, reasons, closings, thresholds and objective values; some are verified."""
    for number in markets(part):
        instance = random_instance(Random(f"max_placement {number}"), "max_placement")
        try:
            found = compare_largest(instance)
            if proven(number):
                assert_proven(instance, *found, tmp_path / "round")
        except Exception as error:
            raise AssertionError(f"market {number}: {instance}") from error


@pytest.mark.parametrize("part", range(PARTS))
def test_optimal_openings_agree_and_their_proofs_hold(part: int, tmp_path: Path) -> None:
    """The same with minimum sizes, crossing caps and decrees."""
    for number in markets(part):
        instance = random_instance(
            Random(f"openings {number}"),
            "optimal",
            decrees=number % 3 == 0,
            crossing=number % 2 == 0,
        )
        best, _ = Oracle(instance).optimal()
        try:
            if not best:
                with pytest.raises(NoPlan):
                    solved(instance)
                continue
            found = compare_optimal(instance, prices=False)
            if proven(number):
                assert_proven(instance, *found, tmp_path / "round")
        except Exception as error:
            raise AssertionError(f"market {number}: {instance}") from error


def test_lottery_numbers_agree() -> None:
    for number in range(20):
        instance = random_instance(Random(number))
        market, _ = solved(instance)
        expected = [lottery(instance.rules, i) for i in market.applicants]
        assert [drawn.hex() for drawn in market.drawn] == expected
