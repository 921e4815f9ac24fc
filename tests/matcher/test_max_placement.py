"""``max_placement``: ties decided for the sake of most people, then by the objectives, then by lottery."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import matcher.policy
from matcher import Market, Policy, Result, Status, Tables, explain, solve
from matcher.generate import synthetic
from matcher.mechanisms import levels, max_placement, weakly_stable
from matcher.mechanisms.cover import least_cover
from matcher.mechanisms.levels import Best, Levels, Limit
from matcher.mechanisms.promotion import promoting
from matcher.mechanisms.trimmed import possible, tiers
from matcher.mechanisms.weakly_stable import is_weakly_stable
from matcher.verify import verify
from tests.matcher.test_oracle import placement_of, tables_of
from tests.oracle import Oracle
from tests.random_markets import random_instance
from tests.rounds import make_round, market, outcome, placed

RULES: dict[str, Any] = {"mechanism.name": "max_placement"}
MARKETS = 60


def tied(lists: dict[str, str], seats: dict[str, int], **others: Any) -> Tables:
    """A round without scores, so that everybody ties who does not say otherwise."""
    return make_round(lists, seats, RULES | others.pop("rules", {}), **others)


def instances(word: str, number: int = MARKETS) -> Iterator[tuple[Oracle, Market, Policy]]:
    """Random tiny markets."""
    for seed in range(number):
        instance = random_instance(Random(f"{word} {seed}"), "max_placement", 5, 3)
        tables = tables_of(instance)
        yield Oracle(instance), market(tables), Policy.from_tables(tables)


def stable_edges(oracle: Oracle, m: Market, opened: frozenset[str]) -> list[set[int]]:
    """The edges of each weakly stable placement."""
    at = {name: k for k, name in enumerate(m.applicants)}
    programs = {name: k for k, name in enumerate(m.programs)}
    return [
        {m.edge(at[i], programs[p]) for i, p in made.items() if p}
        for made in oracle.weakly_stable(opened)
    ]


# --- what it decides -----------------------------------------------------------------------------


def test_a_tie_is_decided_for_the_person_who_has_nothing_else() -> None:
    assert placed(tied({"A": "P", "B": "P Q"}, {"P": 1, "Q": 1})) == {"A": "P", "B": "Q"}
    assert placed(tied({"A": "P Q", "B": "P"}, {"P": 1, "Q": 1})) == {"A": "Q", "B": "P"}


def test_a_better_score_is_not_set_aside_for_more_people() -> None:
    made = tied({"A": "P", "B": "P Q"}, {"P": 1, "Q": 1}, scores={"B P": 1})
    assert placed(made) == {"A": "", "B": "P"}


def test_the_objectives_decide_among_placements_of_equal_size() -> None:
    lists, seats = {"A": "P Q", "B": "P R Q"}, {"P": 1, "Q": 1, "R": 1}
    fits = {"A P": {"fit": 0}, "A Q": {"fit": 9}, "B P": {"fit": 0}, "B R": {"fit": 1}}
    for order, costs, expected in (
        (["placed", "rank", "fit"], [0, 1, 9], {"A": "Q", "B": "P"}),
        (["placed", "fit"], [], {"A": "Q", "B": "P"}),
        (["fit", "placed"], [], {"A": "Q", "B": "P"}),
    ):
        rules = {"mechanism.objective": order, "mechanism.rank_costs": costs}
        assert placed(tied(lists, seats, scores=fits, rules=rules)) == expected
    fits["B R"] = {"fit": 20}
    by_fit = tied(lists, seats, scores=fits, rules={"mechanism.objective": ["placed", "fit"]})
    assert placed(by_fit) == {"A": "P", "B": "R"}


def test_programs_of_a_class_listed_as_one_are_equally_good() -> None:
    """A is moved within her class to make room; by plan order she would keep P."""
    made = tied(
        {"A": "C", "B": "P"}, {"P": 1, "Q": 1}, order_classes={"C": 0}, scores={"A P": 9},
        programs={p: {"order_class": "C"} for p in "PQ"},
    )  # fmt: skip
    assert placed(made) == {"A": "Q", "B": "P"}
    assert tiers(market(made)).tolist() == [1, 1, 2]


def test_the_tail_comes_after_the_list_at_both_sides_and_is_ordered() -> None:
    made = tied(
        {"A": "P", "B": "Q", "D": "Q"}, {"P": 1, "Q": 1, "R": 1},
        applicants={"A": {"adjustment": "alliance"}, "B": {"adjustment": "alliance"}},
        scores={"B P": 9},
    )  # fmt: skip
    found = outcome(made)
    m = market(made)
    assert placed(made)["A"] == "P"
    assert {placed(made)["B"], placed(made)["D"]} == {"Q", "R"} or placed(made)["D"] == ""
    assert found.objective[0] == 3
    assert tiers(m).tolist() == list(range(1, len(m.program) + 1))


def test_the_class_that_lacks_most_closes_first_and_the_placement_is_made_again() -> None:
    lists = {"A": "P Q", "B": "P", "D": "Q", "E": "R"}
    made = tied(
        lists, {"P": 3, "Q": 2, "R": 4},
        order_classes={"C": {"min_size": 3, "plan_order": 2}, "D": {"min_size": 2, "plan_order": 1},
                       "F": {"min_size": 4, "plan_order": 1}},
        programs={"P": {"order_class": "C"}, "Q": {"order_class": "D"}, "R": {"order_class": "F"}},
    )  # fmt: skip
    m, result = market(made), outcome(made)
    steps = [(m.order_classes[c.order_class], c.placed, c.shortfall) for c in result.closings]
    assert steps == [("F", 1, 3), ("C", 2, 1)]
    assert placed(made) == {"A": "Q", "B": "", "D": "Q", "E": ""}
    assert [step["order_class"] for step in result.certificate["closing"]] == ["F", "C"]
    assert {m.programs[t.program] for t in result.thresholds} == {"Q"}


def test_a_round_without_anybody_or_any_choice() -> None:
    empty = outcome(tied({"A": ""}, {"P": 0, "Q": 2}))
    assert empty.objective == (0, 0, 0, 0, 0)
    assert [t.state for t in empty.thresholds] == ["full", "not_full"]
    assert empty.publishable
    assert outcome(tied({}, {"P": 1})).objective[0] == 0


# --- what is deleted, what bounds ----------------------------------------------------------------


def test_what_is_left_holds_every_weakly_stable_placement_and_makes_no_other() -> None:
    deleted = 0
    for oracle, m, _ in instances("left", 150):
        for size in range(2):
            for closed in itertools.combinations(range(len(m.order_classes)), size):
                opened = frozenset(oracle.classes) - {m.order_classes[c] for c in closed}
                left = possible(m, closed)
                stable = stable_edges(oracle, m, opened)
                assert set().union(*stable) <= set(np.flatnonzero(left).tolist())
                deleted += int((~left).sum())
                _same_within(oracle, m, left, opened, stable)
    assert deleted > 500


def _same_within(
    oracle: Oracle, m: Market, left: Any, opened: frozenset[str], stable: list[set[int]]
) -> None:
    """The weakly stable placements of the lists that are left are those of the whole lists."""
    names = [(m.applicants[m.owner[e]], m.programs[m.program[e]]) for e in np.flatnonzero(~left)]
    ranks = {i: dict(row) for i, row in oracle.rank.items()}
    for i, p in names:
        del oracle.rank[i][p]
    shorter = stable_edges(oracle, m, opened)
    oracle.rank = ranks
    assert sorted(map(sorted, shorter)) == sorted(map(sorted, stable))


def test_the_cover_is_the_greatest_placement_of_some_pairs() -> None:
    for oracle, m, _ in instances("cover"):
        cover = least_cover(m, np.arange(len(m.program)))
        every = oracle.assignments(frozenset(oracle.classes))
        assert cover.size == max(sum(p is not None for p in made.values()) for made in every)
        assert cover.size == len(cover.people) + m.capacity[cover.programs].sum()
        inside = np.isin(m.owner, cover.people) | np.isin(m.program, cover.programs)
        assert inside.all()


def test_promotion_places_two_thirds_at_least_where_only_programs_have_ties() -> None:
    for oracle, m, _ in instances("promotion", 100):
        left = possible(m)
        edges = promoting(m, left, m.lottery)
        matching = np.full(len(m.applicants), -1)
        matching[m.owner[edges]] = m.program[edges]
        assert is_weakly_stable(m, matching)
        if (np.diff(tiers(m)) > 0).all():
            stable = stable_edges(oracle, m, frozenset(oracle.classes))
            assert 3 * len(edges) >= 2 * max(map(len, stable))


def test_who_blocks() -> None:
    made = tied({"A": "P", "B": "P Q"}, {"P": 1, "Q": 1}, scores={"B P": 1})
    m = market(made)
    p, q = m.programs.index("P"), m.programs.index("Q")
    assert is_weakly_stable(m, np.array([-1, p]))
    assert not is_weakly_stable(m, np.array([p, q]))  # B comes before A
    assert not is_weakly_stable(m, np.array([-1, q]))  # P is empty
    assert not is_weakly_stable(m, np.array([p, p]))  # there is one seat
    assert is_weakly_stable(m, np.array([-1, q]), closed=[int(m.class_of[p])])


# --- nothing but the rules decides ---------------------------------------------------------------


def middling(seed: int, **rules: Any) -> tuple[Market, Policy]:
    """A round with coarse ties, among which the solver has to search."""
    tables = synthetic(
        90, 9, seed, choices=5, seats_ratio=0.95, consent=0.5, scope="college", ties=6
    )
    policy = replace(Policy.from_tables(tables), mechanism="max_placement", **rules)
    return Market.from_tables(tables, policy), policy


@pytest.mark.parametrize("rank", ["min_cost", "rank_maximal", "generous"])
def test_neither_seed_nor_workers_nor_presolve_decide(
    rank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    m, policy = middling(1, rank=rank)
    expected = solve(m, policy)
    assert expected.publishable
    for name, value in (("SEED", 77), ("WORKERS", 3), ("PRESOLVE", False)):
        with monkeypatch.context() as patched:
            patched.setattr(levels, name, value)
            found = solve(m, policy)
        assert found.matching.tolist() == expected.matching.tolist()
        assert (found.objective, found.certificate) == (expected.objective, expected.certificate)


def test_packing_the_objectives_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    m, policy = middling(2, rank="rank_maximal")
    expected = solve(m, policy)
    monkeypatch.setattr(weakly_stable, "_PACKED", 1)
    assert solve(m, policy).matching.tolist() == expected.matching.tolist()


def test_odds_need_no_clock() -> None:
    m, policy = middling(3)
    found, publishable = max_placement.matching(m, policy)
    assert publishable
    assert found.tolist() == solve(m, policy).matching.tolist()


# --- what is not known is not said ---------------------------------------------------------------


def test_cut_short_it_is_feasible_with_a_bound(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(matcher.policy, "ALWAYS_ENDS_S", 0)
    short = 0
    for number, (oracle, m, policy) in enumerate(instances("cut short")):
        result = solve(m, policy)
        best = oracle.sequential(oracle.largest)
        value = oracle.objective(best.placement, oracle.largest_components())
        if result.status is Status.OPTIMAL:
            assert result.objective == value
            continue
        short += 1
        assert not result.publishable
        assert all(bound >= own for bound, own in zip(result.bound, value, strict=True))
        closed = {c.order_class for c in result.closings}
        assert is_weakly_stable(m, result.matching, closed)
        folder = tmp_path / str(number)
        m.tables.write(folder)
        result.write(folder / "result", m, m.tables.digest(), policy.round)
        claims = {c.name: c for c in verify(folder).claims}
        assert not [c.name for c in claims.values() if c.status == "BROKEN"]
        assert claims["optimality"].trusted in ("bound_of_the_solver", "")
    assert short > 10


def test_work_is_measured_alike_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    m, policy = middling(3)
    monkeypatch.setattr(max_placement, "_WORK", 1e-6)
    found, publishable = max_placement.matching(m, policy)
    again, _ = max_placement.matching(m, policy)
    assert not publishable
    assert found.tolist() == again.tolist()


def two_for_one() -> tuple[Market, Policy]:
    """Two people who tie for one seat."""
    made = tied({"A": "P", "B": "P"}, {"P": 1})
    return market(made), Policy.from_tables(made)


def test_equal_plans_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the weights of two plans ever be equal, neither can be published."""
    m, policy = two_for_one()
    assert solve(m, policy).unique
    monkeypatch.setattr(
        weakly_stable.Weights, "of", lambda self, edges: np.zeros((len(edges), 2), np.int64)
    )
    result = solve(m, policy)
    assert (result.status, result.unique, result.publishable) == (Status.OPTIMAL, False, False)


def test_the_second_weight_decides_where_the_first_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    m, policy = two_for_one()
    for winner in (0, 1):

        def second(self: Any, edges: Any, winner: int = winner) -> Any:
            owner = self.market.owner[edges]
            return np.stack([0 * edges, owner == winner], axis=1).astype(np.int64)

        with monkeypatch.context() as patched:
            patched.setattr(weakly_stable.Weights, "of", second)
            result = solve(m, policy)
        assert result.matching[winner] == 0
        assert result.publishable


def test_not_knowing_of_another_plan_is_not_knowing(monkeypatch: pytest.MonkeyPatch) -> None:
    def tired(*_: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(Levels, "other", tired)
    result = solve(*two_for_one())
    assert (result.status, result.publishable) == (Status.FEASIBLE, False)
    assert result.bound == result.objective


def test_within_no_time_nothing_is_known_of_other_plans() -> None:
    m, _ = middling(1)
    left = np.flatnonzero(possible(m))
    with pytest.raises(TimeoutError):
        Levels(m, left).other(left[:1], np.ones(len(m.program), np.int64), Limit(0))


def test_a_solver_that_stops_too_early_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer is passed off as the best; looking for another one shows that it is not."""

    def content(model: Levels, worth: Any, known: Any, most: int, limit: Limit) -> Best:
        return Best(known, int(worth[known].sum()))

    monkeypatch.setattr(Levels, "best", content)
    wrong = 0
    for seed in range(6):
        m, policy = middling(seed)
        result = solve(m, policy)
        assert is_weakly_stable(m, result.matching)
        assert all(n <= most for n, most in zip(result.objective, result.bound, strict=True))
        if result.status is Status.FEASIBLE:
            assert not result.publishable
            wrong += 1
    assert wrong


def test_a_solver_that_blocks_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(model: Levels, worth: Any, known: Any, most: int, limit: Limit) -> Best:
        return Best(known[:0], 0)

    monkeypatch.setattr(Levels, "best", nobody)
    monkeypatch.setattr(Levels, "other", lambda *_: None)
    m, policy = two_for_one()
    result = solve(m, policy)
    assert (result.status, result.publishable) == (Status.FEASIBLE, False)
    assert is_weakly_stable(m, result.matching)
    assert all(n <= most for n, most in zip(result.objective, result.bound, strict=True))
    assert set(result.objective) != {0}


def test_where_time_runs_out_the_rest_keeps_the_bound_of_its_people(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The size is found; of the ranks only what everybody could have at best is known."""
    best = Levels.best

    def only_size(model: Levels, worth: Any, known: Any, most: int, limit: Limit) -> Best:
        return best(model, worth, known, most, limit if (worth == 1).all() else Limit(0))

    monkeypatch.setattr(Levels, "best", only_size)
    m, policy = middling(1)
    result = solve(m, policy)
    monkeypatch.undo()
    right = solve(m, policy)
    assert result.status is Status.FEASIBLE
    assert result.objective[0] == result.bound[0] == right.objective[0]
    assert all(b >= v for b, v in zip(result.bound, right.objective, strict=True))


# --- what is said --------------------------------------------------------------------------------


def crowd(people: int, seats: int, **others: Any) -> Tables:
    return tied({f"A{n}": "P" for n in range(people)}, {"P": seats}, **others)


def told(
    tables: Tables, result: Result | None = None
) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    m, policy = market(tables), Policy.from_tables(tables)
    found = explain(m, policy, result or solve(m, policy))
    return {e.applicant: [(r.code, r.numbers) for r in (e.outcome, *e.reasons)] for e in found}


def test_equal_people_are_told_that_they_are_equal() -> None:
    scores = {f"A{n} P": 70 for n in range(7)} | {"A7 P": 60, "A0 P": 90}
    made = crowd(8, 5, scores=scores)
    said = told(made)
    left_out = [a for a, lines in said.items() if lines[0][0] == "not_reached"]
    assert len(left_out) == 3 and "A7" in left_out and "A0" not in left_out
    for name in set(left_out) - {"A7"}:
        code, numbers = said[name][1]
        assert code == "tied"
        assert (numbers["score"], numbers["last_score"]) == ("70", "70")
        assert "last_lottery" not in numbers
    assert said["A7"][1][0] == "below_score"
    inside = {a: lines[0][1]["standing"] for a, lines in said.items() if a not in left_out}
    assert sorted(inside.values()) == [1, 2, 2, 2, 2]


def test_without_scores_too_and_where_few_are_placed() -> None:
    assert {lines[1][0] for lines in told(crowd(8, 5)).values() if len(lines) > 2} == {
        "tied_unscored"
    }
    assert {lines[1][0] for lines in told(crowd(4, 2)).values() if len(lines) > 2} == {
        "full_few_unscored"
    }
    few = told(crowd(4, 2, scores={f"A{n} P": n % 2 for n in range(4)}))
    assert {lines[1][0] for lines in few.values() if len(lines) > 2} == {"full_few"}


def test_thresholds_are_levels_and_read_back(tmp_path: Path) -> None:
    for _, m, policy in instances("read back", 20):
        result = solve(m, policy)
        result.write(tmp_path, m, "")
        again = Result.read(tmp_path, m)
        key = {(t.program, t.state, t.last) for t in result.thresholds}
        assert {(t.program, t.state, t.last) for t in again.thresholds} == key
        lines = (tmp_path / "thresholds.csv").read_text("utf-8").splitlines()
        at = lines[0].split(",").index("lottery")
        assert {line.split(",")[at] for line in lines[1:]} <= {""}


def test_what_the_definitions_say_of_a_round_by_hand() -> None:
    made = tied({"A": "P Q", "B": "P", "D": "Q R", "E": "R"}, {"P": 1, "Q": 1, "R": 1})
    m = market(made)
    assert set(placement_of(m, outcome(made)).values()) == {"P", "Q", "R", None}
