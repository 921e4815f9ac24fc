"""What would have been enough, against searches that try everything by the definitions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from matcher import Policy, Tables, whatif
from matcher.changes import Score
from matcher.enough import FEWEST, Missed, of_applicant
from matcher.least import Search, least
from matcher.mechanisms import nearby
from matcher.opening import Opening, of_class
from matcher.whatif import Comparison, Solved
from tests.choices import lottery
from tests.instances import Instance, Person, Row
from tests.matcher.test_oracle import tables_of
from tests.oracle import Oracle, Placement
from tests.random_markets import random_instance
from tests.rounds import make_round

EXAMPLE = Path(__file__).parents[2] / "data" / "example"


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

    found = least(enough, values, monotone=True, guess=guess)
    assert found == Search(3 * first if first < 11 else None, len(tried), True, True)
    assert len(set(tried)) == len(tried) <= 8


@pytest.mark.parametrize("good", [{4}, {2, 7}, {9}, {0, 9}, {3, 5, 9}, set(), {0}, set(range(10))])
def test_where_more_may_harm_all_that_is_less_was_tried(good: set[int]) -> None:
    tried: list[int] = []

    def enough(value: int) -> bool:
        tried.append(value)
        return value in good

    found = least(enough, range(10))
    smallest = min(good, default=None)
    assert found == Search(smallest, len(tried), True)
    assert tried == list(range(10 if smallest is None else smallest + 1))


@pytest.mark.parametrize("good", [{4}, {2, 7}, {9}, {0, 9}, {3, 5, 9}, set(), {0}, set(range(10))])
@pytest.mark.parametrize("tries", [1, 5, 9])
def test_a_search_that_tries_not_all_is_not_sure(good: set[int], tries: int) -> None:
    tried: list[int] = []

    def enough(value: int) -> bool:
        tried.append(value)
        return value in good

    found = least(enough, range(10), tries=tries)
    less = set(range(10 if found.value is None else found.value))
    assert found.sure == (less <= set(tried)) and not found.monotone
    assert found.tried == len(tried) == len(set(tried)) <= tries
    assert (found.value is None) == good.isdisjoint(tried)
    assert found.value is None or found.value == min(good & set(tried))


@pytest.mark.parametrize("first", range(12))
@pytest.mark.parametrize("tries", range(1, 6))
def test_no_more_is_tried_than_may_be(first: int, tries: int) -> None:
    found = least(lambda value: value >= first, range(11), monotone=True, tries=tries)
    assert found.tried <= tries
    assert found.value is None or found.value >= first
    assert not found.sure or found.value == (first if first < 11 else None)


def test_without_values_nothing_is_enough() -> None:
    assert least(lambda value: True, []) == Search(None, 0, True)
    assert least(lambda value: True, [], monotone=True) == Search(None, 0, True, True)


# --- one applicant, by the definitions


class Quick(Oracle):
    """The definitions, in the quick way where there are two."""

    def run(self, open_classes: frozenset[str]) -> Placement:
        """Deferred acceptance, without a look at every stable placement."""
        return self.deferred_acceptance(open_classes)


def by_definition(instance: Instance) -> Placement:
    """The outcome by the definitions."""
    return Quick(instance).solve().placement


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


def rounds(
    mechanism: str, number: int, closure: str = "sequential"
) -> Iterator[tuple[Instance, Solved, Oracle]]:
    """Tiny random rounds whose scores go from 0 to 4."""
    rng = Random(f"enough {mechanism} {closure}")
    small = {"people": 4, "programs": 2} if mechanism == "optimal" else {"people": 5}
    for _ in range(number):
        instance = random_instance(rng, mechanism, closure=closure, **small)
        tables = tables_of(instance)
        tables.policy += b"[score]\nmin = 0\nmax = 4\naccept_ranks = true\n"
        yield instance, solved(tables), Oracle(instance)


def good_places(oracle: Oracle, applicant: str, program: str) -> set[str]:
    """The programs that she listed up to one, whether the law bars her or not."""
    listed = list(oracle.listed(oracle.people[applicant]))
    return set(listed[: listed.index(program) + 1])


@pytest.mark.parametrize(
    ("mechanism", "closure", "number"),
    [
        ("stable", "sequential", 60), ("parallel", "sequential", 60), ("stable", "exact", 25),
        ("optimal", "sequential", 15), ("max_placement", "sequential", 25),
    ],
)  # fmt: skip
def test_the_least_score_is_what_trying_every_score_finds(
    mechanism: str, closure: str, number: int
) -> None:
    compared = 0
    for instance, base, oracle in rounds(mechanism, number, closure):
        before = by_definition(instance)
        for applicant in base.market.applicants:
            for one in of_applicant(base, applicant):
                if one.barred:
                    continue
                good = good_places(oracle, applicant, one.program)
                low = round(float(one.have) * 10**base.market.score_places) if one.have else -1
                after = (
                    (score, by_definition(with_score(instance, applicant, one.program, score)))
                    for score in scale(base, low)
                )
                if mechanism == "optimal":
                    assert one.score is None
                    assert all(placement == before for _, placement in after)
                elif one.score is not None:
                    found = next(
                        (s for s, placement in after if placement[applicant] in good), None
                    )
                    assert (float(one.need) if one.need else None) == (
                        None if found is None else float(found)
                    ), (applicant, one)
                    assert one.score.sure
                compared += 1
    assert compared >= number // 2


@pytest.mark.parametrize("mechanism", ["stable", "parallel"])
@pytest.mark.parametrize("plain", [True, False])
def test_shared_beginnings_find_what_solving_anew_finds(
    mechanism: str, plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With caps or minimum sizes too; without either, moreover, every greater score is enough."""
    rng = Random(f"shared {mechanism} {plain}")
    bases = [
        solved(tables_of(random_instance(rng, mechanism, minimums=not plain, caps=not plain)))
        for _ in range(60)
    ]

    def found() -> list[Search | None]:
        people = ((base, a) for base in bases for a in base.market.applicants)
        return [one.score for base, a in people for one in of_applicant(base, a)]

    quick = found()
    if plain:
        monkeypatch.setattr(nearby.Scored, "placed", _never_above_the_least(nearby.Scored.placed))
        found()
    monkeypatch.setattr(sys.modules["matcher.enough"], "beginnings_of", lambda base: None)
    slow = found()
    assert [s and (s.value, s.sure) for s in quick] == [s and (s.value, s.sure) for s in slow]
    assert sum(search is not None for search in quick) > 30
    if plain:
        assert all(search.monotone for search in quick if search)


def _never_above_the_least(placed: Callable[..., Any]) -> Callable[..., Any]:
    """The same, with a look at every greater score as well: it leads nowhere worse."""

    def looked(self: nearby.Scored, score: int) -> tuple[int, int | None]:
        program, following = first = placed(self, score)
        edges = [self.market.edge(self.applicant, program)]
        while following is not None:
            program, following = placed(self, following)
            edges.append(self.market.edge(self.applicant, program))
        wished = [edge if edge >= 0 else 10**9 for edge in edges]
        assert wished == sorted(wished, reverse=True)
        return first

    return looked


@pytest.mark.parametrize(
    ("mechanism", "number"),
    [("stable", 80), ("parallel", 80), ("optimal", 25), ("max_placement", 25)],
)
def test_one_more_seat_and_another_order_are_what_the_definitions_say(
    mechanism: str, number: int
) -> None:
    compared = 0
    for instance, base, oracle in rounds(mechanism, number):
        before = by_definition(instance)
        for applicant in base.market.applicants:
            for one in of_applicant(base, applicant):
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


def test_the_best_plan_with_her_there_is_what_the_definitions_say() -> None:
    """Among all feasible placements that have her there, the best by the objective."""
    compared = 0
    for instance, base, oracle in rounds("optimal", 40):
        before, value = by_definition(instance), oracle.objective(by_definition(instance))
        everything = oracle.assignments(frozenset(oracle.classes))
        plans = [plan for plan in everything if oracle._classes_empty_or_full_enough(plan)]
        lottery_last = oracle.optimal_components()
        for applicant in base.market.applicants:
            for one in of_applicant(base, applicant):
                if one.barred:
                    continue
                there = [plan for plan in plans if plan[applicant] == one.program]
                assert (one.there is None) == (not there)
                if not there:
                    continue
                best = max(there, key=lambda plan: oracle.objective(plan, lottery_last))
                assert one.there == tuple(
                    b - a for a, b in zip(value, oracle.objective(best), strict=True)
                )
                assert one.there_moves == sum(best[i] != before[i] for i in before)
                compared += 1
    assert compared > 15


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
    assert (one.need, one.score) == ("", Search(None, 0, True, True))
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


@pytest.mark.parametrize("mechanism", ["stable", "parallel"])
def test_a_score_is_enough_in_the_files_too_whatever_pass_line_there_is(mechanism: str) -> None:
    """Written into the tables, where every rule is applied anew, it places her; a unit less does not."""
    rng = Random(f"line {mechanism}")
    compared = 0
    for _ in range(60):
        tables = tables_of(random_instance(rng, mechanism))
        tables.policy += b"[score]\npass_total = 2\naccept_ranks = true\n"
        base = solved(tables)
        unit = 10**-base.market.score_places
        for applicant in base.market.applicants:
            for one in of_applicant(base, applicant):
                if one.score is None or one.score.value is None:
                    continue
                at = where_it_stands(base, applicant, one.program)
                good = wished(base, applicant, one.program)
                for less in (0.0, unit):
                    score = f"{float(one.need) - less:.{base.market.score_places}f}"
                    if less and (not one.have or float(score) <= float(one.have)):
                        continue
                    after = whatif(tables, base.policy, [Score(applicant, at, score)], base).after
                    placed = int(after.result.matching[after.market.applicants.index(applicant)])
                    assert (placed >= 0 and base.market.programs[placed] in good) == (not less)
                    compared += 1
    assert compared > 30


def wished(base: Solved, applicant: str, program: str) -> list[str]:
    """The programs of somebody's list up to one."""
    wishes = base.market.wishes
    mine = wishes.program[wishes.applicant == base.market.applicants.index(applicant)]
    names = [base.market.programs[p] for p in mine.tolist()]
    return names[: names.index(program) + 1]


def where_it_stands(base: Solved, applicant: str, program: str) -> str:
    """The program, or its channel where her score for it is of the channel."""
    table = base.tables["scores"]
    mine = [at for at, a in enumerate(table["applicant"]) if a == applicant]
    if any(table["program"][at] == program and table["score"][at] for at in mine):
        return program
    programs = base.tables["programs"]
    channel = programs["channel"][programs["program"].index(program)]
    return channel if channel in {table["channel"][at] for at in mine} - {""} else program


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
    assert found.more == Search(1, 1, True)
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
    assert (capped.reach, capped.min_size) == (0, 2), "nobody listed it"
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


@pytest.mark.parametrize(
    ("mechanism", "closure", "number"),
    [
        ("stable", "sequential", 100),
        ("parallel", "sequential", 100),
        ("stable", "exact", 60),
        ("optimal", "sequential", 40),
        ("max_placement", "sequential", 40),
    ],
)
def test_what_opens_a_class_is_what_trying_everything_finds(
    mechanism: str, closure: str, number: int
) -> None:
    compared = 0
    for instance, base, oracle in rounds(mechanism, number, closure):
        for name in (c.id for c in instance.classes):
            found = of_class(base, name)
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
            if mechanism == "optimal":
                assert_decree(instance, name, found)
    assert compared > number // 3


def assert_decree(instance: Instance, name: str, found: Opening) -> None:
    """The best plan of all that open a class is what is told, or there is none."""
    oracle = Oracle(instance)
    need = max(1, oracle.classes[name].min_size)
    plans = [
        plan
        for plan in oracle.assignments(frozenset(oracle.classes))
        if oracle._classes_empty_or_full_enough(plan) and oracle.placed_in(plan, name) >= need
    ]
    assert (found.decree is None) == (not plans)
    assert (found.decree is None) == bool(found.refused or found.impossible)
    if found.decree is not None:
        best = max(plans, key=lambda plan: oracle.objective(plan, oracle.optimal_components()))
        after = found.decree.after
        assert found.decree.moves or best == by_definition(instance)
        assert after.result.objective == oracle.objective(best, oracle.optimal_components())


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("mechanism", ["stable", "parallel", "optimal"])
def test_whom_the_qualification_line_alone_bars_is_told_her_least_score(
    seed: int, mechanism: str
) -> None:
    """Tried by hand at every score of the scale, where it stands: in the channel, or at the program."""
    rng = Random(f"line {seed}")
    people = "ABCDEF"
    lists = {a: " ".join(rng.sample("PQ", rng.randint(1, 2))) for a in people}
    at = [f"{a} {rng.choice('X' if mechanism == 'parallel' else 'XXP')}" for a in people]
    tables = make_round(
        lists, {"P": 2, "Q": 1},
        {"mechanism.name": mechanism, "score.pass_total": 5, "score.min": 0, "score.max": 9},
        programs={"P": {"channel": "X", "order_class": "C"}, "Q": {"channel": "X"}},
        order_classes={"C": rng.choice((0, 2))},
        scores={key if key[-1] == "P" else f"{key[0]} X": rng.randint(3, 8) for key in at},
    )  # fmt: skip
    base = Solved.of(tables, Policy.from_tables(tables))
    for where in at:
        name = where[0]
        for one in of_applicant(base, name):
            if one.barred != ("total",):
                continue
            stands = "P" if where[-1] == one.program == "P" else "X"
            listed = lists[name].split()
            good = set(listed[: listed.index(one.program) + 1])
            enough = [
                value for value in range(10)
                if _place(whatif(tables, base.policy, [Score(name, stands, str(value))], base), name)
                in good
            ]  # fmt: skip
            assert one.score is not None and one.score.sure
            assert one.need == (str(enough[0]) if enough else "")


def _place(found: Comparison, applicant: str) -> str:
    """Where an applicant is in the changed round."""
    market = found.after.market
    p = int(found.after.result.matching[market.applicants.index(applicant)])
    return market.programs[p] if p >= 0 else ""
