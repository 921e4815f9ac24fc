"""Other orders of an applicant's list: what they do is what solving the round with them gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from matcher import Policy
from matcher.enough import Missed, Order, Orders, of_applicant, other_orders
from matcher.whatif import Solved
from matcher.whatif_screen import of_orders
from tests.matcher.test_enough import by_definition, rounds
from tests.matcher.test_whatif import run
from tests.rounds import make_round


def neighbours(
    entries: tuple[str, ...], missed: list[Missed], homes: dict[str, str]
) -> set[tuple[str, ...]]:
    """Every list with one entry put first, or two neighbours exchanged, but those tried already."""
    size = range(len(entries))
    found = {(entries[k], *entries[:k], *entries[k + 1 :]) for k in size[1:]}
    for k in size[2:]:
        turned = list(entries)
        turned[k - 1], turned[k] = turned[k], turned[k - 1]
        found.add(tuple(turned))
    for one in missed:
        k = next(k for k in size if entries[k] in (one.program, homes[one.program]))
        if not one.barred:
            found.discard((entries[k], *entries[:k], *entries[k + 1 :]))
    return found - {entries}


@pytest.mark.parametrize(
    ("mechanism", "closure", "number"),
    [
        ("stable", "sequential", 60), ("stable", "exact", 30), ("parallel", "sequential", 40),
        ("optimal", "sequential", 25), ("max_placement", "sequential", 25),
    ],
)  # fmt: skip
def test_other_orders_do_what_the_definitions_say(
    mechanism: str, closure: str, number: int
) -> None:
    tried = 0
    for instance, base, oracle in rounds(mechanism, number, closure):
        market = base.market
        before = by_definition(instance)
        for i, applicant in enumerate(market.applicants):
            missed = of_applicant(base, applicant)
            if not missed:
                continue
            found = other_orders(base, applicant, missed)
            lists = neighbours(oracle.people[applicant].entries, missed, oracle.class_of)
            assert found.tried == len(lists) and found.complete
            better = {}
            for entries in lists:
                people = tuple(
                    replace(p, entries=entries) if p.id == applicant else p for p in instance.people
                )
                gives = by_definition(replace(instance, people=people))[applicant]
                was, is_ = (
                    market.edge(i, market.programs.index(p)) if p else -1
                    for p in (before[applicant], gives)
                )
                same = was >= 0 and market.rank[was] and market.rank[was] == market.rank[is_]
                if is_ >= 0 and not same and (was < 0 or is_ < was):
                    better[entries] = gives
            assert {one.entries: one.gives for one in found.better} == better
            tried += len(lists)
    assert tried > number // 3


def test_no_more_than_so_many_are_tried() -> None:
    for _, base, oracle in rounds("optimal", 10):
        for applicant in base.market.applicants:
            missed = of_applicant(base, applicant)
            if len(oracle.people[applicant].entries) > 2 and missed:
                assert other_orders(base, applicant, missed, tries=1).tried <= 1


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Orders((), 0, True), []),
        (Orders((), 3, True), ["orders_none", "orders_tried"]),
        (Orders((Order(("Q", "P"), "P", "better"),), 3, False), ["order_better", "orders_tried", "cut_short"]),
    ],
)  # fmt: skip
def test_what_is_told_of_orders(found: Orders, said: list[str]) -> None:
    assert [code for code, _ in of_orders("A", found)] == said


def test_a_list_in_another_order_is_told_where_it_helps(tmp_path: Path) -> None:
    """A at Q moves D to T and F to U, which costs 3; that pays once R is A's last choice."""
    lists = {"A": "P Q R S", "B": "P", "D": "Q X T", "E": "S", "F": "T U", "G": "X"}
    rules = {"mechanism.name": "optimal", "mechanism.rank_costs": [0, 1, 2, 9]}
    tables = make_round(lists, dict.fromkeys("PQRSTUX", 1), rules)
    base = Solved.of(tables, Policy.from_tables(tables))
    found = other_orders(base, "A", of_applicant(base, "A"))
    assert found.tried == 4 and found.complete
    assert set(found.better) == {
        Order(tuple("PQSR"), "Q", "better"), Order(tuple("SPQR"), "Q", "better"),
    }  # fmt: skip
    tables.write(tmp_path)
    done = run(tmp_path, "--applicant", "A", "--lang", "en")
    assert done.exit_code == 0 and "4 other orders were tried" in done.stdout
    assert "A would be at Q (better) with the list P;Q;S;R." in done.stdout
    assert "With it first on her list she would be where she is." in done.stdout
    one = run(tmp_path, "--applicant", "A", "--program", "P", "--lang", "en")
    assert "--list tries any" in one.stdout and "neighbours" not in one.stdout


def test_where_one_choice_first_does_all_that_any_order_can_no_other_is_tried(
    tmp_path: Path,
) -> None:
    make_round({"A": "P Q", "B": "P Q"}, {"P": 1, "Q": 1}).write(tmp_path)
    for name in "AB":
        assert "orders" not in run(tmp_path, "--applicant", name, "--lang", "en").stdout
