"""What would have been enough, against searches that try everything by the definitions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from random import Random

import pytest

from matcher import Policy, Tables
from matcher.enough import FEWEST, Missed, Search, least, of_applicant, of_class
from matcher.whatif import Solved
from tests.choices import lottery
from tests.instances import Instance, Person, Row
from tests.matcher.test_oracle import tables_of
from tests.oracle import Oracle, Placement
from tests.random_markets import random_instance
from tests.rounds import make_round

EXAMPLE = Path(__file__).parents[2] / "data" / "example"
EVERYTHING = 1000
"""Probes enough to try every value of a tiny round."""


def solved(tables: Tables, **rules: str) -> Solved:
    """A round and its outcome."""
    return Solved.of(tables, replace(Policy.from_tables(tables), **rules))  # type: ignore[arg-type]


# --- the search


@pytest.mark.parametrize("first", range(12))
@pytest.mark.parametrize("guess", [-5, 0, 4, 10, 99])
def test_the_least_of_values_from_which_on_all_are_enough(first: int, guess: int) -> None:
    values = [3 * n for n in range(11)]
    tried: list[int] = []

    def enough(value: int) -> bool:
        tried.append(value)
        return value >= 3 * first

    found = least(enough, values, certain=True, guess=guess)
    assert found == Search(3 * first if first < 11 else None, len(tried), True)
    assert len(set(tried)) == len(tried) <= 8


@pytest.mark.parametrize("good", [{4}, {2, 7}, {9}, {0, 9}, {3, 5, 9}, set(), {0}, set(range(10))])
def test_where_more_may_harm_every_value_tried_tells(good: set[int]) -> None:
    found = least(lambda value: value in good, range(10), probes=EVERYTHING)
    monotone = not good or good == set(range(min(good), 10))
    assert (found.value, found.sure) == (min(good, default=None), True)
    assert found.monotone or not monotone
    few = least(lambda value: value in good, range(10), probes=1)
    if few.value is not None:
        assert few.value in good and few.value - 1 not in good
    assert few.tried <= 10


def test_a_search_that_cannot_be_sure_says_so() -> None:
    assert least(lambda value: value >= 90, range(100), probes=2).sure is False
    assert least(lambda value: False, range(100), probes=2) == Search(None, 3, False)
    assert least(lambda value: True, []) == Search(None, 0, True)


# --- one applicant, by the definitions


def by_definition(instance: Instance) -> Placement:
    """The outcome by the definitions, in the quick way where there are two."""
    oracle = Oracle(instance)
    if instance.rules.mechanism == "optimal":
        return oracle.optimal()[0][0]
    if instance.rules.mechanism == "max_placement":
        return oracle.solve().placement
    return oracle.sequential(oracle.deferred_acceptance).placement


def with_score(instance: Instance, applicant: str, program: str, score: str) -> Instance:
    """The instance with a score where it stands: at the program or in its channel."""
    own = {key[2] for key, row in instance.scores.items()
           if key[:2] == (applicant, "program") and row.score}  # fmt: skip
    channel = next(p.channel for p in instance.programs if p.id == program)
    key = applicant, "program", program
    if program not in own and (applicant, "channel", channel) in instance.scores:
        key = applicant, "channel", channel
    row = replace(instance.scores.get(key, Row()), score=score)
    return replace(instance, scores={**instance.scores, key: row})


def scale(base: Solved, low: int) -> Iterator[str]:
    """Every score of the scale from 0 to 4, above one."""
    unit = 10**base.market.score_places
    for value in range(max(0, low + 1), 4 * unit + 1):
        yield f"{value // unit}.{value % unit}" if unit > 1 else str(value)


def rounds(mechanism: str, number: int) -> Iterator[tuple[Instance, Solved, Oracle]]:
    """Tiny random rounds whose scores go from 0 to 4."""
    rng = Random(f"enough {mechanism}")
    small = {"people": 4, "programs": 2} if mechanism == "optimal" else {"people": 5}
    for _ in range(number):
        instance = random_instance(rng, mechanism, minimums=mechanism != "optimal", **small)
        tables = tables_of(instance)
        tables.policy += b"[score]\nmin = 0\nmax = 4\naccept_ranks = true\n"
        yield instance, solved(tables), Oracle(instance)


def good_places(oracle: Oracle, applicant: str, program: str) -> set[str]:
    """The programs that she listed up to one, whether the law bars her or not."""
    listed = list(oracle.listed(oracle.people[applicant]))
    return set(listed[: listed.index(program) + 1])


@pytest.mark.parametrize(
    ("mechanism", "number"), [("stable", 60), ("parallel", 60), ("optimal", 15)]
)
def test_the_least_score_is_what_trying_every_score_finds(mechanism: str, number: int) -> None:
    compared = 0
    for instance, base, oracle in rounds(mechanism, number):
        for applicant in base.market.applicants:
            for one in of_applicant(base, applicant, EVERYTHING):
                if one.score is None:
                    continue
                good = good_places(oracle, applicant, one.program)
                low = round(float(one.have) * 10**base.market.score_places) if one.have else -1
                every = (
                    score
                    for score in scale(base, low)
                    if by_definition(with_score(instance, applicant, one.program, score))[applicant]
                    in good
                )
                found = next(every, None)
                assert (float(one.need) if one.need else None) == (
                    None if found is None else float(found)
                ), (applicant, one)
                assert one.score.sure
                compared += 1
    assert compared >= number // 2


@pytest.mark.parametrize("mechanism", ["stable", "parallel"])
def test_without_caps_and_minimums_no_further_score_need_be_tried(
    mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = Random(f"certain {mechanism}")
    bases = [
        solved(tables_of(random_instance(rng, mechanism, minimums=False, caps=False)))
        for _ in range(60)
    ]

    def found() -> list[Search | None]:
        people = ((base, a) for base in bases for a in base.market.applicants)
        return [one.score for base, a in people for one in of_applicant(base, a, 0)]

    quick = found()
    assert all(search.sure and search.monotone for search in quick if search)

    def exhaustive(
        enough: Callable[[int], bool], values: list[int], certain: bool, guess: int, probes: int
    ) -> Search:
        assert certain and not probes
        return least(enough, values, False, guess, EVERYTHING)

    monkeypatch.setattr(sys.modules["matcher.enough"], "least", exhaustive)
    slow = found()
    assert [s and s.value for s in quick] == [s and s.value for s in slow]
    assert all(search.monotone for search in slow if search)
    assert sum(search is not None for search in quick) > 30


@pytest.mark.parametrize(
    ("mechanism", "number"), [("stable", 80), ("parallel", 80), ("optimal", 25)]
)
def test_one_more_seat_and_another_order_are_what_the_definitions_say(
    mechanism: str, number: int
) -> None:
    compared = 0
    for instance, base, oracle in rounds(mechanism, number):
        before = by_definition(instance)
        for applicant in base.market.applicants:
            for one in of_applicant(base, applicant, 0):
                if one.barred:
                    assert one.program not in oracle.rank[applicant]
                    continue
                programs = tuple(
                    replace(p, capacity=p.capacity + (p.id == one.program))
                    for p in instance.programs
                )
                after = by_definition(replace(instance, programs=programs))
                assert one.seat == (after[applicant] in good_places(oracle, applicant, one.program))
                others = sum(after[i] != before[i] for i in before if i != applicant)
                assert one.others == others
                assert_order(instance, oracle, before, applicant, one)
                compared += 1
    assert compared >= number // 2


def assert_order(
    instance: Instance, oracle: Oracle, before: Placement, applicant: str, one: Missed
) -> None:
    """Her list with the line of the program first gives what is told."""
    entries = list(oracle.people[applicant].entries)
    names = {one.program, oracle.class_of[one.program]}
    at = next(n for n, entry in enumerate(entries) if entry in names)
    assert one.first == (at == 0)
    if not at:
        return
    entries.insert(0, entries.pop(at))
    people = tuple(
        replace(p, entries=tuple(entries)) if p.id == applicant else p for p in instance.people
    )
    gives = by_definition(replace(instance, people=people))[applicant]
    assert one.first_gives == (gives or "")
    assert (one.first_change == "") == (gives == before[applicant])


# --- one applicant, by hand


def told(base: Solved, applicant: str) -> dict[str, Missed]:
    return {one.program: one for one in of_applicant(base, applicant)}


def test_the_example_of_the_reserve() -> None:
    """One open seat is left in WELD, and A07 takes it with 83 and the better lottery number."""
    one = told(solved(Tables.read(EXAMPLE)), "A09")["WELD"]
    assert (one.have, one.need, one.seat, one.others, one.first) == ("82.5", "83.01", True, 0, True)
    assert one.score is not None and not one.told


def test_nothing_was_missed_by_who_has_her_first_choice() -> None:
    base = solved(Tables.read(EXAMPLE))
    assert told(base, "A01") == {}
    assert set(told(base, "A12")) == {"ROBO", "CARE"}
    assert told(base, "A12")["CARE"].barred == ("absent",)
    with pytest.raises(KeyError):
        of_applicant(base, "nobody")


def test_without_scores_the_lottery_decides() -> None:
    base = solved(make_round({"A": "P", "B": "P"}, {"P": 1}))
    loser = next(a for a in "AB" if told(base, a))
    assert told(base, loser)["P"].score is None


def test_a_score_is_sought_upwards_from_the_lowest_of_all_for_who_has_none() -> None:
    scores = {"A P": 50, "B P": 70, "D Q": 10}
    tables = make_round({"A": "P", "B": "P", "C": "P", "D": "Q"}, {"P": 2, "Q": 1}, scores=scores)
    one = told(solved(tables), "C")["P"]
    assert one.have == ""
    assert one.need in ("50", "51")
    assert one.score is not None and one.score.sure


def test_a_declared_maximum_ends_the_scale() -> None:
    rules = {"score.max": 70, "score.min": 0}
    tables = make_round({"A": "P", "B": "P"}, {"P": 1}, rules, scores={"A P": 70, "B P": 70})
    base = solved(tables)
    loser = next(a for a in "AB" if told(base, a))
    one = told(base, loser)["P"]
    assert (one.need, one.score) == ("", Search(None, 0, True))
    assert one.told


def test_a_score_in_a_channel_counts_at_all_its_programs() -> None:
    """To pass B in P she may as well pass C in Q, which she would rather have."""
    tables = make_round(
        {"A": "Q P R", "B": "P", "C": "Q"}, {"P": 1, "Q": 1, "R": 1},
        programs={"P": {"channel": "k"}, "Q": {"channel": "k"}},
        scores={"A k": 10, "B k": 50, "C k": 30},
    )  # fmt: skip
    found = told(solved(tables), "A")
    assert {p: one.need for p, one in found.items()} == {"Q": "31", "P": "31"} or {
        p: one.need for p, one in found.items()
    } == {"Q": "30", "P": "30"}


def test_a_pass_line_that_a_score_may_lift_her_over_leaves_doubt() -> None:
    lists = {"A": "Q P", "B": "P"}
    tables = make_round(
        lists, {"P": 1, "Q": 1}, {"score.pass_total": 20}, programs={"Q": {"channel": "k"}},
        scores={"A k": 10, "A P": 30, "B P": 40},
    )  # fmt: skip
    found = told(solved(tables), "A")
    assert found["Q"].barred == ("total",)
    assert found["P"].score is not None and not found["P"].score.sure


def test_programs_listed_as_one_class_are_equally_good_to_the_optimum() -> None:
    tables = make_round(
        {"A": "C", "B": "P"}, {"P": 1, "Q": 1}, order_classes={"C": 0},
        programs={"P": {"order_class": "C"}, "Q": {"order_class": "C"}},
    )  # fmt: skip
    assert told(solved(tables, mechanism="optimal"), "A") == {}


def test_a_score_is_told_where_enough_people_make_the_cutoff() -> None:
    lists = {f"X{n}": "P" for n in range(5)} | {"A": "P"}
    scores = {f"X{n} P": 60 + n for n in range(5)} | {"A P": 40}
    one = told(solved(make_round(lists, {"P": 5}, scores=scores)), "A")["P"]
    assert FEWEST == 5
    assert one.told and one.need in ("60", "61")


def test_a_score_that_would_give_away_one_person_is_not_told() -> None:
    """With a reserved seat that one person has, the score needed would be hers."""
    lists = {f"X{n}": "P" for n in range(5)} | {"A": "P", "B": "P"}
    scores = {f"X{n} P": 60 + n for n in range(5)} | {"A P": 40, "B P": 30}
    member = {"groups": "g"}
    tables = make_round(
        lists, {"P": 6}, scores=scores, applicants={"A": member, "B": member}, reserves={"P g": 1}
    )
    one = told(solved(tables), "B")["P"]
    assert one.need in ("40", "41") and not one.told


def test_programs_can_be_asked_about_in_processes_of_their_own() -> None:
    base = solved(Tables.read(EXAMPLE))
    assert of_applicant(base, "A11", jobs=2) == of_applicant(base, "A11")


# --- one class


def test_what_would_have_opened_the_class_of_the_example() -> None:
    found = of_class(solved(Tables.read(EXAMPLE)), "TEXT")
    assert (found.opened, found.placed, found.min_size) == (False, 2, 3)
    assert found.more == Search(1, found.more.tried, True) if found.more else False
    assert found.minimum == 2


def test_an_open_class_and_one_that_nobody_can_join() -> None:
    tables = make_round(
        {"A": "P"}, {"P": 1, "Q": 2, "R": 0},
        order_classes={"C": 2}, programs={"Q": {"order_class": "C"}}, caps={"K": {"seats": 1, "programs": "Q"}},
    )  # fmt: skip
    base = solved(tables)
    opened = of_class(base, "P")
    assert (opened.opened, opened.more, opened.minimum) == (True, None, None)
    capped = of_class(base, "C")
    assert capped.more is not None and capped.more.value is None and capped.minimum is None
    empty = of_class(base, "R")
    assert empty.lower is None and empty.more is not None and empty.more.value is None
    with pytest.raises(KeyError):
        of_class(base, "nothing")


def opens(instance: Instance, name: str) -> bool:
    """Whether a class has enough people, and somebody at all."""
    placement = by_definition(instance)
    oracle = Oracle(instance)
    return oracle.placed_in(placement, name) >= max(1, oracle.classes[name].min_size)


def newcomers(instance: Instance, name: str, number: int) -> Instance:
    """The instance with people who list a class alone, unscored and last in the lottery."""
    last = max(lottery(instance.rules, p.id) for p in instance.people)
    late = (i for i in (f"N{n}" for n in count()) if lottery(instance.rules, i) > last)
    ids = list(islice(late, number))
    people = tuple(Person(i, (name,)) for i in ids)
    channels = {p.channel for p in instance.programs} - {""}
    scores = {(i, "channel", c): Row() for i in ids for c in channels}
    return replace(instance, people=instance.people + people, scores={**instance.scores, **scores})


def lowered(instance: Instance, name: str, by: int) -> Instance:
    """The instance with a lower minimum of a class."""
    return replace(
        instance,
        classes=tuple(
            replace(c, min_size=c.min_size - by * (c.id == name)) for c in instance.classes
        ),
    )


@pytest.mark.parametrize("mechanism", ["stable", "parallel"])
def test_what_opens_a_class_is_what_trying_everything_finds(mechanism: str) -> None:
    compared = 0
    for instance, base, oracle in rounds(mechanism, 150):
        for name in (c.id for c in instance.classes):
            found = of_class(base, name, EVERYTHING)
            assert found.opened == opens(instance, name)
            if found.more is None:
                continue
            size = oracle.classes[name].min_size
            tries: list[tuple[Search | None, Callable[[Instance, str, int], Instance], int]]
            tries = [(found.more, newcomers, max(1, size)), (found.lower, lowered, size - 1)]
            for search, change, most in tries:
                first = (n for n in range(1, most + 1) if opens(change(instance, name, n), name))
                assert (search.value if search else None) == next(first, None), (name, change)
                compared += 1
    assert compared > 50
