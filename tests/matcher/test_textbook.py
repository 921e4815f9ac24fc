"""Published instances with published answers: the solver, the definitions and the claims of each."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from matcher import Market, Policy, Result, Tables, solve
from matcher.tables import Table
from tests.instances import read_instance
from tests.oracle import Oracle, Placement

TEXTBOOK = Path(__file__).parents[2] / "data" / "textbook"
FOLDERS = {path.parent.name: path.parent for path in sorted(TEXTBOOK.glob("*/expected.json"))}
EXPECTED: dict[str, dict[str, Any]] = {
    name: json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    for name, folder in FOLDERS.items()
}


def claiming(claim: str) -> list[str]:
    """The instances that make this claim."""
    return [name for name, expected in EXPECTED.items() if claim in expected["claims"]]


def oracle_of(name: str) -> Oracle:
    return Oracle(read_instance(FOLDERS[name]))


def placements(name: str) -> Placement:
    """The published answer."""
    return {i: p or None for i, p in EXPECTED[name]["placements"].items()}


def solved(tables: Tables) -> tuple[Market, Result]:
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    return market, solve(market, policy)


def placed(market: Market, result: Result) -> Placement:
    programs = [*market.programs, None]
    return {i: programs[p] for i, p in zip(market.applicants, result.matching, strict=True)}


def stable_placements(oracle: Oracle) -> list[Placement]:
    classes = frozenset(oracle.classes)
    return [a for a in oracle.assignments(classes) if oracle.is_stable(a, classes)]


def likes_as_well(oracle: Oracle, applicant: str, one: str | None, two: str | None) -> bool:
    """Whether the applicant likes the first place as well as the second."""
    order = [*oracle.rank[applicant], None]
    return order.index(one) <= order.index(two)


@pytest.mark.parametrize("name", FOLDERS)
def test_the_solver_gives_the_published_answer(name: str) -> None:
    market, result = solved(Tables.read(FOLDERS[name]))
    assert result.mechanism == EXPECTED[name]["mechanism"]
    assert placed(market, result) == placements(name)
    assert result.publishable


@pytest.mark.parametrize("name", FOLDERS)
def test_the_definitions_give_the_published_answer(name: str) -> None:
    oracle = oracle_of(name)
    assert oracle.solve().placement == placements(name)


@pytest.mark.parametrize("name", FOLDERS)
def test_every_instance_has_its_source(name: str) -> None:
    expected = EXPECTED[name]
    assert expected["doi"] in (TEXTBOOK / "README.md").read_text(encoding="utf-8")
    assert f"`{name}`" in (TEXTBOOK / "README.md").read_text(encoding="utf-8")
    assert expected["numbers"] in ("confirmed", "reconstructed")
    assert expected["source"] and expected["statement"]


@pytest.mark.parametrize("name", claiming("stable_count"))
def test_the_number_of_stable_matchings(name: str) -> None:
    stable = stable_placements(oracle_of(name))
    assert len(stable) == EXPECTED[name]["claims"]["stable_count"]
    assert placements(name) in stable


@pytest.mark.parametrize("name", claiming("same_positions"))
def test_every_stable_matching_fills_the_same_positions(name: str) -> None:
    stable = stable_placements(oracle_of(name))
    claim = EXPECTED[name]["claims"]["same_positions"]
    for placement in stable:
        held = Counter(p for p in placement.values() if p is not None)
        assert held == claim
        assert {i for i, p in placement.items() if p} == {i for i, p in stable[0].items() if p}


def test_the_only_stable_marriages_give_nobody_a_first_choice() -> None:
    oracle = oracle_of("gale-shapley-1962-unique")
    for i, p in placements("gale-shapley-1962-unique").items():
        assert p is not None
        assert oracle.rank[i][p] > 1
        assert oracle.priority[p][0] != i


@pytest.mark.parametrize("name", claiming("better_for_applicants"))
def test_another_matching_is_better_for_the_applicants(name: str) -> None:
    oracle, other = oracle_of(name), EXPECTED[name]["claims"]["better_for_applicants"]
    assert other != placements(name)
    assert all(likes_as_well(oracle, i, other[i], p) for i, p in placements(name).items())


@pytest.mark.parametrize("name", claiming("better_for_programs"))
def test_another_matching_is_better_for_every_program(name: str) -> None:
    """One by one: the best, second best, … person of each program is at least as good, and one better."""
    oracle, other = oracle_of(name), EXPECTED[name]["claims"]["better_for_programs"]
    for program, order in oracle.priority.items():
        mine = sorted(order.index(i) for i, p in placements(name).items() if p == program)
        better = sorted(order.index(i) for i, p in other.items() if p == program)
        assert better < mine
        assert all(b <= m for b, m in zip(better, mine, strict=True))


@pytest.mark.parametrize("name", claiming("weakly_stable"))
def test_the_other_matching_is_stable_under_the_ties(name: str) -> None:
    """Nobody prefers a program that holds somebody of a strictly lower score, or has a free seat."""
    oracle, other = oracle_of(name), EXPECTED[name]["claims"]["weakly_stable"]
    for i, mine in other.items():
        for program in itertools.takewhile(lambda p, mine=mine: p != mine, oracle.rank[i]):  # type: ignore[misc]
            held = [j for j, p in other.items() if p == program]
            assert len(held) == oracle.programs[program].capacity
            assert all(oracle.score(j, program) >= oracle.score(i, program) for j in held)


@pytest.mark.parametrize("name", claiming("weakly_stable_sizes"))
def test_weakly_stable_matchings_differ_in_size(name: str) -> None:
    oracle = oracle_of(name)
    stable = oracle.weakly_stable(frozenset(oracle.classes))
    sizes = {sum(p is not None for p in placement.values()) for placement in stable}
    assert sorted(sizes) == EXPECTED[name]["claims"]["weakly_stable_sizes"]
    assert max(sizes) <= 2 * min(sizes)
    assert placements(name) in stable


def test_rigid_targets_leave_doctors_unmatched() -> None:
    """Kamada and Kojima: with the targets as capacities two doctors more are left out."""
    claim = EXPECTED["kamada-kojima-2015"]["claims"]["rigid"]
    tables = Tables.read(FOLDERS["kamada-kojima-2015"])
    columns = dict(tables["programs"].columns)
    columns["capacity"] = [str(claim[program]) for program in columns["program"]]
    tables.tables["programs"] = Table(columns)
    market, result = solved(tables)
    unmatched = [i for i, p in placed(market, result).items() if p is None]
    assert unmatched == claim["unmatched"]


def test_random_priority_over_all_queues() -> None:
    """Bogomolnaia and Moulin: twelfths of the probability that an agent obtains an object."""
    folder = FOLDERS["bogomolnaia-moulin-2001"]
    counts: dict[str, Counter[str]] = {i: Counter() for i in "1234"}
    for queue in itertools.permutations("1234"):
        tables = Tables.read(folder)
        columns = dict(tables["scores"].columns)
        columns["score"] = [str(4 - queue.index(i)) for i in columns["applicant"]]
        tables.tables["scores"] = Table(columns)
        for i, p in placed(*solved(tables)).items():
            counts[i][p or ""] += 1
    twelfths = EXPECTED["bogomolnaia-moulin-2001"]["claims"]["twelfths"]
    assert {i: dict(c) for i, c in counts.items()} == {
        i: {p: 2 * n for p, n in row.items()} for i, row in twelfths.items()
    }


def test_the_queue_is_a_serial_dictatorship() -> None:
    oracle = oracle_of("bogomolnaia-moulin-2001")
    assert oracle.serial_dictatorship() == placements("bogomolnaia-moulin-2001")


def test_the_greatest_sum_of_ratings() -> None:
    market, result = solved(Tables.read(FOLDERS["kuhn-1955"]))
    claim = EXPECTED["kuhn-1955"]["claims"]["objective"]
    values = dict(zip(result.components, result.objective, strict=True))
    assert {name: values[name] for name in claim} == claim
    best, _ = oracle_of("kuhn-1955").optimal()
    assert best == [placed(market, result)]


def test_quotas_may_harm_whom_they_are_to_help_and_reserves_need_not() -> None:
    plain, quota, reserve = (
        placements(f"hafalir-2013-{kind}")["s3"] for kind in ("plain", "quota", "reserve")
    )
    oracle = oracle_of("hafalir-2013-plain")
    assert not likes_as_well(oracle, "s3", quota, plain)
    assert reserve == plain


def blocked_by_a_coalition(oracle: Oracle, placement: Placement, order_class: str) -> bool:
    """Enough people for a closed class would all rather be in it."""
    wanting = [
        i
        for i, mine in placement.items()
        if any(
            oracle.class_of[p] == order_class and p != mine and likes_as_well(oracle, i, p, mine)
            for p in oracle.rank[i]
        )
    ]
    return len(wanting) >= oracle.classes[order_class].min_size


@pytest.mark.parametrize("name", claiming("no_stable_solution"))
def test_lower_quotas_leave_no_stable_solution(name: str) -> None:
    """Whichever classes are open, somebody envies, a seat is wasted, a class is short, or a
    coalition would open a closed one.
    """
    oracle = oracle_of(name)
    everything = list(oracle.classes)
    for size in range(len(everything) + 1):
        for still_open in map(frozenset, itertools.combinations(everything, size)):
            for placement in oracle.assignments(still_open):
                assert (
                    oracle.short(placement, still_open)
                    or not oracle.is_stable(placement, still_open)
                    or any(
                        blocked_by_a_coalition(oracle, placement, c)
                        for c in set(everything) - still_open
                    )
                )


@pytest.mark.parametrize("name", claiming("closed"))
def test_classes_closed(name: str) -> None:
    market, result = solved(Tables.read(FOLDERS[name]))
    closed = [market.order_classes[c.order_class] for c in result.closings]
    assert closed == EXPECTED[name]["claims"]["closed"]
