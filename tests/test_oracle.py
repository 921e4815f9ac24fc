"""The oracle answers micro-markets as one does by hand, and keeps the theorems."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.choices import first_labels, lottery, most_filled, tie_weights
from tests.instances import (
    Cap,
    Instance,
    OrderClass,
    Person,
    Program,
    Row,
    Rules,
    read_instance,
)
from tests.oracle import Oracle, Outcome, Threshold
from tests.random_markets import random_instance

MARKETS = min(int(os.environ.get("ORACLE_MARKETS", "200")), 2000)
MECHANISMS = ("stable", "parallel", "optimal", "max_placement")


def groups(*words: str) -> list[frozenset[str]]:
    """One person a word, one group a letter."""
    return [frozenset(word) for word in words]


def one_program(capacity: int, people: str, **rest: object) -> Oracle:
    """A program P that everybody wants; `people` are `A:gh` words, best first."""
    words = [word.partition(":") for word in people.split()]
    return Oracle(
        Instance(
            people=tuple(Person(name, ("P",), tuple(held)) for name, _, held in words),
            programs=(Program("P", capacity),),
            scores={
                (name, "program", "P"): Row(str(100 - k)) for k, (name, _, _) in enumerate(words)
            },
            **rest,  # type: ignore[arg-type]
        )
    )


def chosen(oracle: Oracle) -> str:
    """The names chosen of everybody, in acceptance order."""
    return "".join(i for i, _ in oracle.choice("P", frozenset(oracle.people)))


def simple(
    lists: dict[str, str], capacities: dict[str, int], order: str = "", **rest: object
) -> Instance:
    """People by name with a list of one-letter programs; `order` is everybody's priority."""
    order = order or "".join(lists)
    return Instance(
        people=tuple(Person(name, tuple(entries)) for name, entries in lists.items()),
        programs=tuple(Program(p, seats) for p, seats in capacities.items()),
        scores={
            (name, "program", p): Row(str(100 - order.index(name)))
            for name in lists
            for p in capacities
        },
        **rest,  # type: ignore[arg-type]
    )


# --- numbers ------------------------------------------------------------------------------------


def hmac_by_hand(seed: str, message: str) -> str:
    """HMAC-SHA256 from its definition in RFC 2104."""
    key = bytes.fromhex(seed).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key) + message.encode()).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in key) + inner).hexdigest()


def test_lottery_is_the_hmac_of_round_and_applicant() -> None:
    rules = Rules(seed="00ff", round="2025秋-1")
    assert lottery(rules, "A1") == hmac_by_hand("00ff", "lottery|2025秋-1|A1")


def test_tie_weights_are_the_first_and_the_next_twenty_bits() -> None:
    first, second = tie_weights(Rules(seed="00ff"), "A1", "P1")
    assert f"{first:05x}{second:05x}" == hmac_by_hand("00ff", "tie||A1|P1")[:10]


# --- reserved seats -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("people", "seats", "filled"),
    [
        (groups("g", "g"), {"g": 1}, 1),
        (groups("gh", "g"), {"g": 1, "h": 1}, 2),
        (groups("gh", "gh", "gh"), {"g": 1, "h": 1}, 2),
        (groups("", "k"), {"g": 1, "h": 1}, 0),
        (groups("gh", "gk", "hk"), {"g": 1, "h": 1, "k": 1}, 3),
        (groups("gh"), {"g": 5, "h": 5}, 1),
    ],
)
def test_most_filled(people: list[frozenset[str]], seats: dict[str, int], filled: int) -> None:
    assert most_filled(people, seats) == filled


def test_labels_are_the_first_that_leave_nobody_out() -> None:
    assert first_labels(groups("gh", "g"), {"g": 1, "h": 1}) == ("h", "g")
    assert first_labels(groups("gh", "gh"), {"g": 1, "h": 1}) == ("g", "h")


def test_a_soft_reserve_is_released_and_a_hard_one_is_not() -> None:
    soft = one_program(3, "A B C D:g", reserves={("P", "g", False): 2})
    hard = one_program(3, "A B C D:g", reserves={("P", "g", True): 2})
    assert chosen(soft) == "DAB"
    assert chosen(hard) == "DA"


def test_reserves_first_takes_the_best_of_the_group_into_the_reserve() -> None:
    """Filled first, a reserve helps less than filled last: the classic of affirmative action."""
    reserves = {("P", "g", False): 1}
    first = one_program(2, "A:g B C:g", reserves=reserves)
    last = one_program(2, "A:g B C:g", reserves=reserves, rules=Rules(reserve_order="open_first"))
    assert set(chosen(first)) == {"A", "B"}
    assert set(chosen(last)) == {"A", "C"}
    assert last.labels("P", frozenset("AC")) == {"A": "open_first", "C": "soft:g"}


def test_overlapping_groups_are_chosen_by_merit_among_the_greatest_fillings() -> None:
    """A holds g and h, B only g: A takes h, so that both sit on reserved seats."""
    oracle = one_program(2, "A:gh B:g C:h D", reserves={("P", g, True): 1 for g in "gh"})
    assert chosen(oracle) == "AB"
    assert oracle.labels("P", frozenset("AB")) == {"A": "hard:h", "B": "hard:g"}


def test_filled_reserves_count_hard_and_soft_together_whatever_stage_chose() -> None:
    """The hard stage takes A for h, nobody is left for the soft g: yet both seats can be filled."""
    reserves = {("P", "h", True): 1, ("P", "g", False): 1}
    oracle = one_program(2, "A:gh B:h", reserves=reserves)
    assert oracle.labels("P", frozenset("AB")) == {"A": "hard:h", "B": "open"}
    assert oracle.reserves_filled({"A": "P", "B": "P"}) == 2


def test_fillers_are_the_best_of_all_the_largest_sets() -> None:
    """Going through the queue gives the lexicographically best set that fills most."""
    rng = Random(7)
    for _ in range(MARKETS):
        words = [f"{name}:{''.join(rng.sample('ghk', rng.randint(0, 3)))}" for name in "ABCDE"]
        seats = {g: rng.randint(0, 2) for g in "ghk"}
        oracle = one_program(5, " ".join(words))
        sets = [s for size in range(6) for s in itertools.combinations("ABCDE", size)]
        full = [s for s in sets if most_filled([oracle.groups[i] for i in s], seats) == len(s)]
        largest = max(map(len, full))
        assert tuple(oracle._fillers("ABCDE", seats)) == min(s for s in full if len(s) == largest)


# --- lists --------------------------------------------------------------------------------------


def listing(person: Person, **rest: object) -> dict[str, int]:
    """Her list and tail among four programs of two classes and two of their own."""
    instance = Instance(
        people=(person,),
        programs=(
            Program("P1", 1, "J", plan_order=2),
            Program("P2", 1, "J", plan_order=1),
            Program("P3", 1, "K"),
            Program("P4", 1),
        ),
        classes=(OrderClass("J", college="U", district="x"), OrderClass("K", college="U")),
        **rest,  # type: ignore[arg-type]
    )
    return Oracle(instance).rank[person.id]


def test_a_class_stands_for_its_programs_in_plan_order_and_first_mention_counts() -> None:
    ranks = listing(Person("A", ("P1", "J", "P2", "P4")))
    assert list(ranks.items()) == [("P1", 1), ("P2", 2), ("P4", 4)]


def test_a_barred_choice_leaves_a_gap_and_stays_out_of_the_tail() -> None:
    person = Person("A", ("P1", "P2"), adjustment="college")
    ranks = listing(person, rejected=frozenset({("A", "P1")}))
    assert list(ranks.items()) == [("P2", 2), ("P3", 0)]


def test_the_tail_keeps_scope_and_refusals() -> None:
    assert listing(Person("A", ("P1",), adjustment="alliance")) == {
        "P1": 1,
        "P2": 0,
        "P3": 0,
        "P4": 0,
    }
    assert listing(Person("A", ("P1",), adjustment="district")) == {"P1": 1, "P2": 0}
    refused = Person("A", ("P4",), adjustment="alliance", not_accepted=("J",))
    assert listing(refused) == {"P4": 1, "P3": 0}


def test_the_tail_is_ordered_by_shared_attributes_then_fit_then_plan() -> None:
    fit = {("A", "program", "P4"): Row(fit="9"), ("A", "program", "P3"): Row(fit="1")}
    ranks = listing(Person("A", ("P2",), adjustment="alliance"), scores=fit)
    assert list(ranks) == ["P2", "P1", "P3", "P4"]


def test_priority_listed_before_adjusted_then_score_ties_blank_last_then_lottery() -> None:
    people = [Person(i, ("P",)) for i in "ABCDE"] + [Person("Z", ("Q",), adjustment="alliance")]
    rows = {
        "A": Row("", ("9",)),
        "B": Row("80", ("",)),
        "C": Row("80.0", ("-1",)),
        "D": Row("90.5"),
        "Z": Row("99"),
    }
    instance = Instance(
        tuple(people),
        (Program("P", 9), Program("Q", 0)),
        scores={(i, "program", "P"): row for i, row in rows.items()},
    )
    assert Oracle(instance).priority["P"] == list("DCBAEZ")


# --- caps ---------------------------------------------------------------------------------------


def test_children_of_a_cap_take_turns_in_plan_order() -> None:
    lists = {"A": "P", "B": "P", "C": "Q", "D": "Q"}
    cap = (Cap("S", 3, "programs", ("P", "Q")),)
    oracle = Oracle(simple(lists, {"Q": 2, "P": 2}, caps=cap))
    assert oracle.run(frozenset("PQ")) == {"A": "P", "B": "P", "C": "Q", "D": None}


def test_an_inner_cap_takes_one_turn_for_all_its_programs() -> None:
    lists = {"A": "P", "B": "P", "C": "Q", "D": "Q", "E": "R", "F": "R"}
    caps = (Cap("S", 4, "programs", tuple("PQR")), Cap("T", 3, "programs", ("P", "Q")))
    oracle = Oracle(simple(lists, {"P": 2, "Q": 2, "R": 2}, caps=caps))
    assert oracle.acceptance("cap S", {p: frozenset(lists) for p in "PQR"})[:1] == [("P", "A")]
    placement = oracle.run(frozenset("PQR"))
    assert "".join(i for i, p in placement.items() if p) == "ACEF"


def test_of_equal_caps_the_first_by_id_is_inside() -> None:
    caps = (Cap("T", 1, "programs", ("P",)), Cap("S", 1, "programs", ("P",)))
    oracle = Oracle(simple({"A": "P"}, {"P": 2}, caps=caps))
    assert oracle.full_cap("P", {"A": "P"}) == "S"


# --- stability and closing ----------------------------------------------------------------------


def test_envy_and_waste_by_hand() -> None:
    oracle = Oracle(simple({"A": "P", "B": "P"}, {"P": 1}))
    classes = frozenset("P")
    assert oracle.blocking({"A": None, "B": "P"}, classes) == [("A", "P", "envy")]
    assert oracle.blocking({"A": None, "B": None}, classes) == [
        ("A", "P", "waste"),
        ("B", "P", "waste"),
    ]
    assert oracle.blocking({"A": "P", "B": None}, classes) == []


def two_classes(lists: dict[str, str], minimum: dict[str, int], **rules: str) -> Instance:
    """Classes P, Q, R of three seats with minimum sizes; earlier people come first everywhere."""
    instance = simple(lists, dict.fromkeys(minimum, 3), rules=Rules(**rules))  # type: ignore[arg-type]
    return replace(
        instance,
        programs=tuple(Program(p, 3, p) for p in minimum),
        classes=tuple(OrderClass(p, size) for p, size in minimum.items()),
    )


def test_the_class_that_misses_most_closes_first_and_of_equals_the_later() -> None:
    oracle = Oracle(two_classes({"A": "QP", "B": "PQ"}, {"P": 2, "Q": 2}))
    outcome = oracle.sequential()
    assert outcome.closing == (("Q", 1, 2, 1),)
    assert outcome.placement == {"A": "P", "B": "P"}


def test_an_empty_class_with_a_minimum_closes_unless_the_minimum_is_one() -> None:
    oracle = Oracle(two_classes({"A": "P"}, {"P": 1, "Q": 1, "R": 2}))
    assert [step[0] for step in oracle.sequential().closing] == ["R"]


def test_exact_closing_can_save_a_class_that_sequential_closing_gives_up() -> None:
    """Q misses one and closes first; yet with P closed instead everybody sits in Q."""
    lists = {"A": "PQ", "B": "PQ", "C": "Q", "D": "Q"}
    oracle = Oracle(two_classes(lists, {"P": 2, "Q": 3}, closure="exact"))
    assert oracle.sequential().open_classes == {"P"}
    assert oracle.exact().open_classes == {"Q"}


def test_thresholds_full_cut_and_not_full() -> None:
    lists = {"A": "P", "B": "P", "C": "Q", "D": "R"}
    cap = (Cap("S", 2, "programs", ("P", "Q")),)
    oracle = Oracle(simple(lists, {"P": 1, "Q": 3, "R": 2}, caps=cap))
    classes = frozenset("PQR")
    assert oracle.thresholds(oracle.run(classes), classes) == {
        ("P", "open"): Threshold("full", "", "A"),
        ("Q", "open"): Threshold("cut", "S", "C"),
        ("R", "open"): Threshold("not_full", "", "D"),
    }


def test_a_stage_without_seats_is_full_with_nobody_last() -> None:
    oracle = one_program(1, "A:g B", reserves={("P", "g", True): 1})
    found = oracle.thresholds({"A": "P", "B": None}, frozenset("P"))
    assert found["P", "open"] == Threshold("full", "", None)


# --- optimal ------------------------------------------------------------------------------------


def test_the_meanings_of_rank_choose_different_plans() -> None:
    """Most first choices leave D her fourth; the fewest fourths leave three a second choice."""
    lists = {"A": "PQ", "B": "QR", "C": "RS", "D": "PQRS"}
    capacities = dict.fromkeys("PQRS", 1)

    def ranks(meaning: str) -> list[int]:
        instance = simple(lists, capacities, rules=Rules(mechanism="optimal", rank=meaning))
        oracle = Oracle(instance)
        placement = oracle.solve().placement
        return [oracle.rank[i][p] for i, p in placement.items() if p]

    assert ranks("rank_maximal") == [1, 1, 1, 4]
    assert sorted(ranks("generous")) == [1, 2, 2, 2]
    assert sum(r - 1 for r in ranks("min_cost")) == 3


def test_costs_of_ranks_and_of_the_tail() -> None:
    people = (Person("A", ("P", "Q"), adjustment="alliance"),)
    programs = tuple(Program(p, 1) for p in "PQR")
    instance = Instance(people, programs, rules=Rules(max_entries=5))
    assert [Oracle(instance).rank_cost("A", p) for p in "PQR"] == [0, 1, 5]
    costly = replace(instance, rules=Rules(rank_costs=(2, 7)))
    assert [Oracle(costly).rank_cost("A", p) for p in "PQR"] == [2, 7, 2]


def test_the_price_of_the_last_seat_is_whom_it_costs() -> None:
    rules = Rules(mechanism="optimal", objective=("placed",))
    oracle = Oracle(simple({"A": "P", "B": "P"}, {"P": 1}, rules=rules))
    price = oracle.price("P", "open")
    assert price is not None
    assert price[0] == 1
    spare = Oracle(simple({"A": "P"}, {"P": 2}, rules=rules))
    assert spare.price("P", "open") == (0, 0, 0)
    nowhere = Oracle(simple({"A": "P"}, {"P": 0}, rules=rules))
    assert nowhere.price("P", "open") is None


def test_optimal_keeps_classes_empty_or_at_their_minimum() -> None:
    instance = two_classes({"A": "PQ", "B": "QP"}, {"P": 2, "Q": 2}, mechanism="optimal")
    best, _ = Oracle(instance).optimal()
    assert {p for placement in best for p in placement.values()} in ({"P"}, {"Q"})


# --- theorems on random markets -----------------------------------------------------------------


@pytest.mark.parametrize("mechanism", ["stable", "parallel"])
def test_deferred_acceptance_is_stable_and_best(mechanism: str) -> None:
    """Without caps the enumeration's best stable placement, with caps a stable one; thresholds
    reproduce it; and the order of proposals does not matter.
    """
    rng = Random(11)
    for _ in range(MARKETS):
        instance = random_instance(rng, mechanism)
        oracle = Oracle(instance)
        outcome = oracle.sequential(oracle.deferred_acceptance)
        assert outcome == oracle.sequential()
        assert oracle.is_stable(outcome.placement, outcome.open_classes)
        found = oracle.thresholds(outcome.placement, outcome.open_classes)
        assert {i: oracle.reached(i, found) for i in oracle.people} == outcome.placement
        backwards = Oracle(replace(instance, people=instance.people[::-1]))
        assert backwards.deferred_acceptance(outcome.open_classes) == outcome.placement


def test_choice_is_substitutable_and_obeys_aggregate_demand() -> None:
    rng = Random(13)
    for _ in range(MARKETS):
        oracle = Oracle(random_instance(rng, "stable", programs=1, caps=False))
        (program,) = oracle.programs
        everybody = frozenset(oracle.priority[program])
        for size in range(len(everybody) + 1):
            for some in map(frozenset, itertools.combinations(sorted(everybody), size)):
                kept = {i for i, _ in oracle.choice(program, some)}
                for one in everybody - some:
                    more = {i for i, _ in oracle.choice(program, some | {one})}
                    assert more <= kept | {one}
                    assert len(more) >= len(kept)


def test_serial_dictatorship_is_the_simple_case_of_the_queue() -> None:
    rng = Random(17)
    for _ in range(MARKETS):
        instance = random_instance(rng, "parallel", minimums=False, caps=False)
        channel = {p.channel for p in instance.programs}
        people = tuple(replace(p, adjustment="") for p in instance.people)
        simple_case = replace(instance, people=people, reserves={})
        if len(channel) == 1:
            oracle = Oracle(simple_case)
            assert oracle.serial_dictatorship() == oracle.sequential().placement


@pytest.mark.parametrize("mechanism", ["stable", "parallel"])
def test_random_markets_put_every_constraint_to_work(mechanism: str) -> None:
    """Each of these happens in at least one market of sixty."""
    seen: Counter[str] = Counter()
    for number in range(300):
        oracle = Oracle(random_instance(Random(f"work {number}"), mechanism))
        outcome = oracle.sequential(oracle.deferred_acceptance)
        seen.update(_at_work(oracle, outcome))
    everything = {
        *("closed", "closed twice", "cut", "adjusted", "hard seat empty", "hard seat taken"),
        *("soft seat taken", "open_first", "two groups", "drawn", "gap", "refused"),
    }
    assert {word for word, times in seen.items() if times >= 5} == everything


def _at_work(oracle: Oracle, outcome: Outcome) -> set[str]:
    """What can be seen at work in an outcome."""
    people = {
        p: frozenset(i for i, q in outcome.placement.items() if p == q) for p in oracle.programs
    }
    labels = [label for p in people for label in oracle.labels(p, people[p]).values()]
    states = oracle.thresholds(outcome.placement, outcome.open_classes)
    ranks = [oracle.rank[i][p] for i, p in outcome.placement.items() if p]
    priorities = [[oracle.score(i, p) for i in oracle.priority[p]] for p in oracle.programs]
    return {
        word
        for word, seen in {
            "closed": bool(outcome.closing),
            "closed twice": len(outcome.closing) > 1,
            "cut": any(t.state == "cut" for t in states.values()),
            "adjusted": 0 in ranks,
            "hard seat empty": any(
                s.startswith("hard") and t.state == "not_full" for (_, s), t in states.items()
            ),
            "hard seat taken": any(label.startswith("hard") for label in labels),
            "soft seat taken": any(label.startswith("soft") for label in labels),
            "open_first": "open_first" in labels,
            "two groups": any(
                len(oracle.groups[i]) > 1 and ":" in label
                for p in people
                for i, label in oracle.labels(p, people[p]).items()
            ),
            "drawn": any(len(set(scores)) < len(scores) for scores in priorities),
            "gap": any(
                set(oracle.listed(oracle.people[i])) - set(oracle.rank[i]) for i in oracle.people
            ),
            "refused": any(person.not_accepted for person in oracle.people.values()),
        }.items()
        if seen
    }


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_folder_reads_back_as_the_same_market(mechanism: str, tmp_path: Path) -> None:
    rng = Random(19)
    for number in range(20):
        instance = random_instance(rng, mechanism)
        read = read_instance(instance.to_folder(tmp_path / str(number)), instance.rejected)
        assert Oracle(read).rank == Oracle(instance).rank
        assert Oracle(read).priority == Oracle(instance).priority
        assert read.rules == instance.rules
