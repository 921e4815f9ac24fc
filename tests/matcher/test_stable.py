"""``stable``: hand-solved markets, the closing of classes, the thresholds that explain everybody."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from matcher import Market, Policy, Result, Status, solve
from matcher.choice import Choice
from matcher.mechanisms import stable
from matcher.mechanisms.deferred import DeferredAcceptance
from tests.matcher.test_deferred import mixed
from tests.rounds import make_round, market, outcome, placed


def scores(order: dict[str, str]) -> dict[str, int]:
    """Scores that rank people at each program: ``{"P": "BAC"}``."""
    return {f"{a} {p}": 100 - at for p, names in order.items() for at, a in enumerate(names)}


def thresholds(made: Any) -> list[str]:
    """Thresholds as ``program stage state cap last`` words."""
    m, result = market(made), outcome(made)
    return [
        " ".join(filter(None, (
            m.programs[t.program], t.stage, t.state, m.caps[t.cap].name if t.cap >= 0 else "",
            m.applicants[m.owner[t.last]] if t.last >= 0 else "",
        )))
        for t in result.thresholds
    ]  # fmt: skip


# --- placements ---------------------------------------------------------------------------------


def test_gale_and_shapley() -> None:
    """Everybody's first choice would be unstable at P; the applicants' best stable outcome."""
    made = make_round(
        {"A": "P Q R", "B": "P R Q", "C": "Q P R"}, {"P": 1, "Q": 1, "R": 1},
        scores=scores({"P": "CBA", "Q": "ACB", "R": "ABC"}),
    )  # fmt: skip
    assert placed(made) == {"A": "Q", "B": "R", "C": "P"}


def test_applicants_get_their_best_stable_outcome() -> None:
    made = make_round(
        {"A": "P Q", "B": "Q P"}, {"P": 1, "Q": 1}, scores=scores({"P": "BA", "Q": "AB"})
    )
    assert placed(made) == {"A": "P", "B": "Q"}


def test_a_list_comes_before_a_tail_at_every_program() -> None:
    made = make_round(
        {"A": "P", "B": "P", "C": "Q"}, {"P": 1, "Q": 1}, scores=scores({"P": "AB", "Q": "BC"}),
        applicants={"B": {"adjustment": "alliance"}},
    )  # fmt: skip
    assert placed(made) == {"A": "P", "B": "", "C": "Q"}


def test_every_kind_of_seat_is_named() -> None:
    made = make_round(
        dict.fromkeys("ABCDE", "P"), {"P": 4}, scores=scores({"P": "ABCDE"}),
        applicants={"D": {"groups": "g"}, "E": {"groups": "h"}},
        reserves={"P g": 1, "P h hard": 1},
    )  # fmt: skip
    result = outcome(made)
    assert result.seats == ["open", "open", "", "g", "h"]
    assert result.status is Status.OPTIMAL
    assert result.publishable


def test_the_objective_is_reported_with_itself_as_bound() -> None:
    made = make_round(
        {"A": "P Q", "B": "Q", "C": "P"}, {"P": 1, "Q": 2}, applicants={"C": {"groups": "g"}},
        scores=scores({"P": "CA"}) | {"A Q": {"fit": 4}, "B Q": {"fit": -1}}, reserves={"P g": 1},
    )  # fmt: skip
    result = outcome(made)
    assert result.components == ("placed", "reserves", "rank", "fit")
    assert result.objective == result.bound == (3, 1, -1, 3)


@pytest.mark.parametrize(
    ("rules", "objective"),
    [
        ({"mechanism.rank": "rank_maximal"}, {"rank_1": 1, "rank_2": 1, "rank_0": 1}),
        ({"mechanism.rank": "generous"}, {"rank_0": -1, "rank_2": -1, "rank_1": -1}),
        ({"mechanism.rank_costs": [1, 7]}, {"rank": -1 - 7 - 2}),
        ({"mechanism.rank_costs": [1, 7], "preferences.max": 9}, {"rank": -1 - 7 - 9}),
        ({"mechanism.rank": "min_cost"}, {"rank": -0 - 1 - 2}),
    ],
)
def test_the_three_meanings_of_rank(rules: dict, objective: dict) -> None:
    """One person at each of rank 1, rank 2 and adjusted; two ranks in the round."""
    made = make_round(
        {"A": "P", "B": "P Q", "C": "P"}, {"P": 1, "Q": 1, "R": 1},
        {"mechanism.objective": ["placed", "rank"]} | rules, scores=scores({"P": "ABC"}),
        applicants={"C": {"adjustment": "alliance", "not_accepted": "Q"}},
    )  # fmt: skip
    result = outcome(made)
    assert dict(zip(result.components, result.objective, strict=True)) == {"placed": 3} | objective


# --- which classes open -------------------------------------------------------------------------


def closing(made: Any) -> list[str]:
    """The closings as ``class placed/minimum`` words."""
    m = market(made)
    return [
        f"{m.order_classes[c.order_class]} {c.placed}/{c.min_size}" for c in outcome(made).closings
    ]


def own(**minimum: int) -> dict[str, Any]:
    """Each program in a class of its own with a minimum."""
    return {
        "programs": {p: {"order_class": f"C{p}"} for p in minimum},
        "order_classes": {f"C{p}": n for p, n in minimum.items()},
    }


def test_a_class_below_its_minimum_closes_and_its_people_go_on() -> None:
    made = make_round({"A": "P Q", "B": "Q"}, {"P": 3, "Q": 2}, **own(P=3, Q=2))
    assert closing(made) == ["CP 1/3"]
    assert placed(made) == {"A": "Q", "B": "Q"}
    assert outcome(made).opened.tolist() == [False, True]
    assert outcome(made).certificate == {
        "closing": [{"order_class": "CP", "placed": 1, "min_size": 3, "shortfall": 2}]
    }


def test_the_largest_shortfall_closes_first() -> None:
    """Closing P saves Q; had Q been closed first, P would have opened."""
    made = make_round({"A": "P Q", "B": "Q P"}, {"P": 4, "Q": 4}, **own(P=3, Q=2))
    assert closing(made) == ["CP 1/3"]
    assert placed(made) == {"A": "Q", "B": "Q"}


def test_of_equal_shortfalls_the_later_in_plan_order_closes() -> None:
    lists = {"A": "P Q", "B": "Q P"}
    assert closing(make_round(lists, {"P": 4, "Q": 4}, **own(P=2, Q=2))) == ["CQ 1/2"]
    turned = own(P=2, Q=2)
    turned["order_classes"] = {
        "CP": {"min_size": 2, "plan_order": 2},
        "CQ": {"min_size": 2, "plan_order": 1},
    }
    assert closing(make_round(lists, {"P": 4, "Q": 4}, **turned)) == ["CP 1/2"]


def test_an_empty_class_closes_unless_its_minimum_is_one() -> None:
    """Then it stays open for whoever comes, though with nobody in it it has not opened."""
    lists, seats = {"A": ""}, {"P": 4, "Q": 4}
    assert closing(make_round(lists, seats, **own(P=2, Q=2))) == ["CQ 0/2", "CP 0/2"]
    made = make_round(lists, seats, **own(P=1, Q=0))
    assert closing(made) == []
    assert outcome(made).opened.tolist() == [False, False]
    assert thresholds(made) == ["P open not_full", "Q open not_full"]


def test_the_programs_of_a_joint_class_count_together() -> None:
    rows: dict[str, Any] = {
        "programs": {p: {"order_class": "C"} for p in "PQ"}, "order_classes": {"C": 3},
    }  # fmt: skip
    assert closing(make_round({"A": "P", "B": "Q", "C": "C"}, {"P": 2, "Q": 2}, **rows)) == []
    assert closing(make_round({"A": "P", "B": "Q"}, {"P": 2, "Q": 2}, **rows)) == ["C 2/3"]


def test_a_class_without_minimum_is_open_but_not_opened_by_nobody() -> None:
    made = make_round({"A": "P"}, {"P": 1, "Q": 1})
    assert outcome(made).opened.tolist() == [True, False]
    assert closing(made) == []
    assert "Q open not_full" in thresholds(made)


def test_closing_under_a_full_cap_starts_again() -> None:
    """C was refused by the cap that P's people filled; once P is closed she gets her seat."""
    made = make_round(
        {"A": "P", "B": "P", "C": "Q", "D": "Q"}, {"P": 3, "Q": 2}, **own(P=3, Q=0),
        caps={"K": {"seats": 2, "programs": "P;Q"}},
    )  # fmt: skip
    assert closing(made) == ["CP 1/3"]
    assert placed(made) == {"A": "", "B": "", "C": "Q", "D": "Q"}


def from_scratch(m: Market) -> tuple[np.ndarray, list[int]]:
    """Sequential closing by the definition: every run from the beginning."""
    closed: list[int] = []
    choice = Choice(m)
    while True:
        matching = DeferredAcceptance(m, choice, closed).matching()
        sizes = np.bincount(m.class_of[matching[matching >= 0]], minlength=len(m.order_classes))
        short = [
            (m.min_size[c] - sizes[c], m.class_order[c], c)
            for c in range(len(m.order_classes))
            if c not in closed and sizes[c] < m.min_size[c] > 1
        ]
        if not short:
            return matching, closed
        closed.append(max(short)[2])


@pytest.mark.parametrize("seed", range(60))
def test_sequential_closing_is_what_its_definition_says(seed: int) -> None:
    m = mixed(seed)
    random = Random(seed)
    minimum = np.array([random.randint(0, 3) for _ in m.order_classes])
    object.__setattr__(m, "min_size", minimum)
    result = solve(m, Policy(closure="sequential", seed="00"))
    matching, closed = from_scratch(m)
    assert result.matching.tolist() == matching.tolist()
    assert [c.order_class for c in result.closings] == closed


def test_out_of_time_the_result_is_not_publishable(monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_round({"A": "P Q"}, {"P": 4, "Q": 4}, {"limits.time_s": 1}, **own(P=2, Q=2))
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr(stable.time, "perf_counter", lambda: float(next(clock)))
    result: Result = outcome(made)
    assert result.status is Status.FEASIBLE
    assert not result.publishable
    monkeypatch.undo()
    assert outcome(made).status is Status.OPTIMAL


# --- thresholds ---------------------------------------------------------------------------------


def test_thresholds_of_open_seats() -> None:
    made = make_round(
        {"A": "P", "B": "P", "C": "P", "D": "Q"}, {"P": 2, "Q": 2, "R": 0},
        scores=scores({"P": "BCA"}),
    )  # fmt: skip
    assert thresholds(made) == ["P open full C", "Q open not_full", "R open full"]


def test_the_last_person_is_the_last_in_priority_however_many_propose() -> None:
    people = [f"A{n:03}" for n in range(600)]
    made = make_round(dict.fromkeys(people, "P"), {"P": 250}, scores=scores({"P": people}))  # type: ignore[dict-item]
    assert thresholds(made) == ["P open full A249"]


def test_thresholds_of_every_stage_in_order() -> None:
    made = make_round(
        dict.fromkeys("ABCDEFG", "P"), {"P": 6}, {"mechanism.reserve_order": "open_first"},
        scores=scores({"P": "ABCDEFG"}),
        applicants={"C": {"groups": "h"}, "E": {"groups": "g"}, "F": {"groups": "g"}},
        reserves={"P h": 1, "P g hard": 2, "P k hard": 1, "P a": 0},
    )  # fmt: skip
    assert thresholds(made) == [
        "P open_first full B", "P hard:g full F", "P hard:k not_full", "P soft:h full C",
        "P open full",
    ]  # fmt: skip


def test_open_seats_are_what_reserves_leave() -> None:
    people = dict.fromkeys("ABC", "P")
    hard = make_round(people, {"P": 3}, scores=scores({"P": "ABC"}), reserves={"P g hard": 2})
    soft = make_round(people, {"P": 3}, scores=scores({"P": "ABC"}), reserves={"P g": 2})
    assert thresholds(hard) == ["P hard:g not_full", "P open full A"]
    assert thresholds(soft) == ["P soft:g not_full", "P open full C"]


def test_under_a_full_cap_every_empty_seat_is_cut() -> None:
    made = make_round(
        dict.fromkeys("ABC", "P"), {"P": 3, "Q": 1}, scores=scores({"P": "ABC"}),
        reserves={"P g": 1}, caps={"K": {"seats": 2, "programs": "P;Q"}},
    )  # fmt: skip
    assert thresholds(made) == ["P soft:g cut K", "P open cut K B", "Q open cut K"]


def test_a_full_stage_under_a_full_cap_is_full() -> None:
    made = make_round(dict.fromkeys("AB", "P"), {"P": 1}, caps={"K": {"seats": 1, "programs": "P"}},
                      scores=scores({"P": "AB"}))  # fmt: skip
    assert thresholds(made) == ["P open full A"]


def test_closed_classes_have_no_thresholds() -> None:
    made = make_round({"A": "P"}, {"P": 2, "Q": 2}, **own(P=2, Q=0))
    assert thresholds(made) == ["Q open not_full"]


@pytest.mark.parametrize("seed", range(60))
def test_thresholds_alone_reproduce_every_placement(seed: int) -> None:
    """Without reserves: everybody has the first program of her list whose threshold she reaches."""
    random = Random(seed)
    people = {f"A{n}": " ".join(random.sample("PQRS", random.randint(0, 4))) for n in range(10)}
    caps = {"I": {"seats": random.randint(0, 3), "programs": "P;Q"},
            "K": {"seats": random.randint(0, 6), "programs": "P;Q;R"}}  # fmt: skip
    made = make_round(
        people, {p: random.randint(0, 3) for p in "PQRS"}, caps=caps if seed % 2 else {},
        scores={f"{a} {p}": random.randint(0, 3) for a in people for p in "PQRS"},
        applicants={a: {"adjustment": random.choice(["", "alliance"])} for a in people},
    )  # fmt: skip
    m, result = market(made), outcome(made)
    at = {t.program: t for t in result.thresholds}

    def reaches(edge: int) -> bool:
        t = at[int(m.program[edge])]
        return t.state == "not_full" or (t.last >= 0 and m.place[edge] <= m.place[t.last])

    for i in range(len(m.applicants)):
        edges = [e for e in range(int(m.start[i]), int(m.start[i + 1])) if reaches(e)]
        assert result.matching[i] == (m.program[edges[0]] if edges else -1)
