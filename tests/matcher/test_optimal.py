"""``optimal``: the lexicographically best feasible placement, against going through all of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest

from matcher import Market, Policy, Result, Status, Tables, lottery
from matcher.mechanisms import flow, optimal
from tests.matcher.test_choice import most
from tests.rounds import SEED, make_round, market, outcome, placed

RULES = {"mechanism.name": "optimal"}
Value = tuple[int, ...]


def values(tables: Tables) -> dict[str, int]:
    """The objective by component."""
    result = outcome(tables)
    return dict(zip(result.components, result.objective, strict=True))


# --- by hand ------------------------------------------------------------------------------------


def test_more_people_come_before_better_ranks() -> None:
    made = make_round({"A": "P Q", "B": "P"}, {"P": 1, "Q": 1}, RULES, scores={"A P": 2, "B P": 1})
    assert placed(made) == {"A": "Q", "B": "P"}, "A envies B with justice"
    assert placed(make_round({"A": "P Q", "B": "P"}, {"P": 1, "Q": 1}, scores={"A P": 2, "B P": 1})) == {
        "A": "P", "B": "",
    }  # fmt: skip


def test_the_three_meanings_of_rank_choose_differently() -> None:
    """Six seats for six people; one plan has more first choices, one the smallest sum."""
    lists = {"A": "P Q R", "B": "P Q", "C": "Q P R"}
    seats = dict.fromkeys("PQR", 1)

    def found(rank: str, **costs: Any) -> str:
        rules = RULES | {"mechanism.objective": ["placed", "rank"], "mechanism.rank": rank} | costs
        return "".join(placed(make_round(lists, seats, rules)).values())

    assert found("rank_maximal") in ("RPQ", "PQR", "QPR")
    assert (
        values(make_round(lists, seats, RULES | {"mechanism.rank": "rank_maximal"}))["rank_1"] == 2
    )
    assert found("min_cost") == "RPQ"
    assert found("generous", **{"mechanism.rank_costs": []}) == "RPQ"


def test_rank_maximal_gives_up_a_bad_rank_for_one_more_first_choice() -> None:
    """A and B first at the price of a third rank (sum 2 either way)."""
    lists = {"A": "P Q", "B": "Q R", "C": "P S T"}
    seats = dict.fromkeys("PQRST", 1)
    seats["S"] = 0
    rules = RULES | {"mechanism.objective": ["placed", "rank"]}

    def ranks(name: str) -> dict[str, int]:
        return values(make_round(lists, seats, rules | {"mechanism.rank": name}))

    maximal = ranks("rank_maximal")
    assert [maximal[f"rank_{r}"] for r in (1, 2, 3, 0)] == [2, 0, 1, 0]
    generous = ranks("generous")
    assert [generous[f"rank_{r}"] for r in (0, 3, 2, 1)] == [0, 0, -2, -1]
    assert ranks("min_cost")["rank"] == -2


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        (["placed", "reserves", "rank", "fit"], "QP"),
        (["placed", "rank", "reserves", "fit"], "PQ"),
        (["placed", "fit", "rank"], "QP"),
        (["fit"], "QP"),
        (["placed", "rank"], "PQ"),
    ],
)
def test_objectives_count_in_the_policys_order(objective: list[str], expected: str) -> None:
    """B alone can fill P's reserve and fits it better, and both would rather be the other way."""
    made = make_round(
        {"A": "P Q", "B": "Q P"}, {"P": 1, "Q": 1}, RULES | {"mechanism.objective": objective},
        applicants={"B": {"groups": "g"}}, reserves={"P g": 1}, scores={"B P": {"fit": 5}},
    )  # fmt: skip
    assert "".join(placed(made).values()) == expected


def test_nobody_is_placed_where_that_would_only_cost() -> None:
    made = make_round(
        {"A": "P"}, {"P": 1}, RULES | {"mechanism.objective": ["fit", "placed"]},
        scores={"A P": {"fit": -1}},
    )  # fmt: skip
    assert placed(made) == {"A": ""}


def test_a_hard_reserve_stays_empty_and_a_soft_one_does_not() -> None:
    people = dict.fromkeys("AB", "P")
    assert list(placed(make_round(people, {"P": 2}, RULES, reserves={"P g": 2})).values()) == [
        "P",
        "P",
    ]
    hard = make_round(people, {"P": 2}, RULES, reserves={"P g hard": 1})
    assert sorted(placed(hard).values()) == ["", "P"]


def test_equally_good_plans_are_parted_by_the_lottery_weights() -> None:
    people = [f"A{n}" for n in range(6)]
    made = make_round(dict.fromkeys(people, "P Q"), {"P": 1, "Q": 1}, RULES)
    result = outcome(made)
    best: tuple[int, int] = (-1, -1)
    for p, q in product(people, repeat=2):
        if p != q:
            pairs = lottery.tie_weights(bytes.fromhex(SEED), "", [(p, "P"), (q, "Q")])
            best = max(best, tuple(pairs.sum(axis=0).tolist()))
    assert result.objective[-2:] == best
    assert result.components[-2:] == ("lottery_1", "lottery_2")
    assert result.unique


def test_without_a_difference_in_the_lottery_the_result_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        lottery, "tie_weights", lambda seed, name, pairs: np.zeros((len(list(pairs)), 2), np.int64)
    )
    shared = outcome(make_round({"A": "P", "B": "P"}, {"P": 1}, RULES))
    assert (shared.status, shared.unique, shared.publishable) == (Status.OPTIMAL, False, False)
    assert outcome(make_round({"A": "P", "B": "P"}, {"P": 2}, RULES)).unique
    seats = make_round({"A": "P"}, {"P": 2}, RULES, applicants={"A": {"groups": "g;h"}},
                       reserves={"P g": 1, "P h": 1})  # fmt: skip
    assert outcome(seats).unique, "another seat of the same program is the same placement"


def test_out_of_time_bounds_say_what_could_still_be(monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_round(
        {"A": "P Q", "B": "P"}, {"P": 2, "Q": 1}, RULES | {"limits.time_s": 1},
        applicants={"A": {"groups": "g"}}, reserves={"Q g": 1}, scores={"A Q": {"fit": 7}},
        order_classes={"C": 2}, programs={"P": {"order_class": "C"}},
    )  # fmt: skip
    clock = iter([0.0, 0.5, 0.6, 0.7, 0.8, *[5.0] * 99])
    monkeypatch.setattr(optimal.time, "perf_counter", lambda: next(clock))
    result = outcome(made)
    assert (result.status, result.unique, result.publishable) == (Status.FEASIBLE, False, False)
    assert result.objective[0] == result.bound[0] == 2, "the first component was solved"
    assert all(b >= v for v, b in zip(result.objective, result.bound, strict=True))
    assert dict(zip(result.components, result.bound, strict=True))["fit"] >= 7
    assert result.certificate["tree"] is None
    monkeypatch.undo()
    assert outcome(made).status is Status.OPTIMAL


def test_where_one_flow_says_all_no_limit_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_round({"A": "P Q", "B": "P"}, {"P": 1, "Q": 1}, RULES | {"limits.time_s": 1})
    clock = iter([0.0, *[5.0] * 99])
    monkeypatch.setattr(optimal.time, "perf_counter", lambda: next(clock))
    assert outcome(made).status is Status.OPTIMAL, "anything else would take longer"


def test_rounds_with_nothing_to_do() -> None:
    for lists in ({}, {"A": ""}):
        result = outcome(make_round(lists, {"P": 1}, RULES))
        assert result.matching.tolist() == [-1] * len(lists)
        assert (result.unique, set(result.objective)) == (True, {0})


# --- a solver that fails or lies ----------------------------------------------------------------


def test_a_solver_that_fails_is_no_answer() -> None:
    """Two units from the first node, an arc of one to the sink."""
    ones = np.ones(1, np.int64)
    network = flow.Network(0 * ones, ones, 0 * ones, ones, np.array([2, -2]))
    with pytest.raises(flow.NoFlow):
        network.minimise(ones)


def test_an_answer_that_is_none_is_not_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(flow.min_cost_flow.SimpleMinCostFlow):
        def solve(self) -> Any:
            return self.BAD_COST_RANGE

    monkeypatch.setattr(flow.min_cost_flow, "SimpleMinCostFlow", Broken)
    with pytest.raises(flow.SolverFailed, match="SimpleMinCostFlow"):
        outcome(make_round({"A": "P"}, {"P": 1}, RULES))


def test_a_solver_that_lies_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its flow is as cheap as can be only if no residual cycle is cheaper."""
    made = make_round({"A": "P Q"}, {"P": 1, "Q": 1}, RULES)
    honest = flow._solve

    def dearest(tail: Any, head: Any, capacity: Any, cost: Any, supply: Any) -> Any:
        return honest(tail, head, capacity, -cost, supply)

    monkeypatch.setattr(flow, "_solve", dearest)
    with pytest.raises(flow.SolverFailed, match="negative residual cycle"):
        outcome(made)


def test_a_network_that_leaves_nothing_to_choose() -> None:
    one = np.ones(1, np.int64)
    network = flow.Network(0 * one, one, 0 * one, 0 * one, np.array([0, 0]))
    assert network.minimise(one).tolist() == [flow.FAR, 0]


# --- thresholds and prices ----------------------------------------------------------------------


def test_states_of_every_kind_of_seat() -> None:
    made = make_round(
        {"A": "P", "B": "P", "C": "P", "D": "Q"}, {"P": 4, "Q": 1, "R": 2}, RULES,
        applicants={"A": {"groups": "g"}}, reserves={"P g hard": 1, "P h hard": 1, "R g": 1},
    )  # fmt: skip
    m, result = market(made), outcome(made)
    states = {f"{m.programs[t.program]} {t.stage}": t.state for t in result.thresholds}
    assert states == {
        "P hard:g": "full", "P hard:h": "not_full", "P open": "full",
        "Q open": "full", "R soft:g": "not_full", "R open": "not_full",
    }  # fmt: skip
    assert all(t.cap == t.last == -1 for t in result.thresholds)


def test_the_price_of_a_seat_is_what_one_more_person_there_would_cost() -> None:
    """At P one more displaces somebody; at Q there is room; at R nobody's seat can be reached."""
    rules = RULES | {"mechanism.objective": ["placed"], "lottery.seed": SEED}
    made = make_round({"A": "P", "B": "P"}, {"P": 1, "Q": 1, "R": 0}, rules)
    price = {t.program: t.price for t in outcome(made).thresholds}
    assert price[0] is not None
    assert price[0][0] == 1
    assert price[1] == (0, 0, 0)
    assert price[2] is None


# --- against going through all placements -------------------------------------------------------


def random_round(seed: int) -> Tables:
    """Five people, three programs, reserves of both kinds, nested caps, adjustment, fits."""
    random = Random(seed)
    people = {f"A{n}": " ".join(random.sample("PQR", random.randint(0, 3))) for n in range(5)}
    seats = {p: random.randint(0, 3) for p in "PQR"}
    reserves: dict[str, int] = {}
    for p, q in seats.items():
        for key in random.sample(["g", "h", "g hard", "h hard"], 2):
            number = random.randint(0, q)
            q -= number
            reserves[f"{p} {key}"] = number
    rows = {
        a: {"groups": ";".join(g for g in "gh" if random.random() < 0.5),
            "adjustment": random.choice(["", "alliance"])}
        for a in people
    }  # fmt: skip
    caps = {"K": {"seats": random.randint(0, 3), "programs": "P;Q"},
            "L": {"seats": random.randint(0, 5), "programs": "P;Q;R"}}  # fmt: skip
    objective = ["placed", "reserves", "rank", "fit"]
    random.shuffle(objective)
    if objective.index("rank") < objective.index("placed"):
        objective.remove("rank")
    rules = RULES | {
        "mechanism.objective": objective[: random.randint(1, 4)],
        "mechanism.rank": random.choice(["min_cost", "rank_maximal", "generous"]),
    }
    if rules["mechanism.objective"][0] == "rank":
        rules["mechanism.objective"] = ["placed"]
    return make_round(
        people, seats, rules, applicants=rows, reserves=reserves,
        caps=caps if seed % 2 else {},
        scores={f"{a} {p}": {"fit": random.randint(-1, 3)} for a in people for p in "PQR"},
    )  # fmt: skip


def feasible(m: Market) -> Iterator[list[int]]:
    """Every feasible placement, as the edge of each applicant, −1 for none."""
    options = [[-1, *range(int(m.start[i]), int(m.start[i + 1]))] for i in range(len(m.applicants))]
    for edges in product(*options):
        at = [[e for e in edges if e >= 0 and m.program[e] == p] for p in range(len(m.programs))]
        fits = True
        for p, here in enumerate(at):
            hard = {r.group: r.seats for r in m.reserves if r.program == p and r.hard}
            fits &= len(here) <= m.capacity[p] - sum(hard.values()) + filled(m, here, hard)
        for cap in m.caps:
            fits &= sum(len(at[p]) for p in cap.programs) <= cap.seats
        if fits:
            yield list(edges)


def filled(m: Market, edges: list[int], seats: dict[int, int]) -> int:
    """The greatest number of these seats that the people can fill."""
    groups = [(e, tuple(np.flatnonzero(m.member[m.owner[e]]).tolist())) for e in edges]
    return most(groups, seats)


def worth(m: Market, policy: Policy, edges: list[int]) -> Value:
    """The objective of a placement, every component from its definition."""
    held = [e for e in edges if e >= 0]
    ranks = [int(m.rank[e]) for e in held]
    last = m.greatest_rank
    reserves = 0
    for p in range(len(m.programs)):
        both: dict[int, int] = {}
        for r in m.reserves:
            if r.program == p:
                both[r.group] = both.get(r.group, 0) + r.seats
        reserves += filled(m, [e for e in held if m.program[e] == p], both)
    counts = [ranks.count(r) for r in [*range(1, last + 1), 0]]
    parts: dict[str, list[int]] = {
        "placed": [len(held)],
        "reserves": [reserves],
        "fit": [int(sum(m.fit[e] for e in held))],
        "rank": {
            "min_cost": [-sum(r - 1 if r else last for r in ranks)],
            "rank_maximal": counts,
            "generous": [-c for c in counts[::-1]],
        }[policy.rank],
    }
    pairs = [(m.applicants[m.owner[e]], m.programs[m.program[e]]) for e in held]
    weights = lottery.tie_weights(bytes.fromhex(SEED), "", pairs).sum(axis=0).tolist()
    return tuple(v for name in policy.objective for v in parts[name]) + tuple(weights)


@pytest.mark.parametrize("seed", range(40))
def test_the_best_of_all_feasible_placements(seed: int) -> None:
    tables = random_round(seed)
    m, policy = market(tables), Policy.from_tables(tables)
    result: Result = outcome(tables)
    best = max((worth(m, policy, edges), edges) for edges in feasible(m))
    assert result.objective == result.bound == best[0]
    expected = [int(m.program[e]) if e >= 0 else -1 for e in best[1]]
    assert result.matching.tolist() == expected
    assert (result.status, result.unique) == (Status.OPTIMAL, True)
    seats = [(m.applicants[i], s) for i, s in enumerate(result.seats) if s not in ("", "open")]
    for name, group in seats:
        assert m.member[m.applicants.index(name), m.groups.index(group)]
    assert all(bool(s) == (p >= 0) for s, p in zip(result.seats, expected, strict=True))


@pytest.mark.parametrize("seed", range(40))
def test_at_the_prices_everybody_has_what_is_best_for_her(seed: int) -> None:
    """Her pair's cost and the seat's price, lexicographically, against all else that is open to her."""
    tables = random_round(seed)
    m, policy, result = market(tables), Policy.from_tables(tables), outcome(tables)
    names = result.certificate["components"]
    assert names == list(result.components)
    price = {(t.program, t.stage): t.price for t in result.thresholds}
    own = result.certificate["potentials"]["applicants"]
    for i, name in enumerate(m.applicants):
        offers: dict[int, list[Value]] = {-1: [(0,) * len(names)]}
        groups = {"open", *(m.groups[g] for g in np.flatnonzero(m.member[i]))}
        for e in range(int(m.start[i]), int(m.start[i + 1])):
            edges = [-1] * i + [e]
            gain = list(worth(m, policy, edges))
            if "reserves" in names:
                gain[names.index("reserves")] = 0
            p = int(m.program[e])
            for (program, stage), seat in price.items():
                if program == p and seat is not None and stage.rpartition(":")[2] in groups:
                    cost = tuple(s - g for s, g in zip(seat, gain, strict=True))
                    offers.setdefault(p, []).append(cost)
        has = min(offers.pop(int(result.matching[i])))
        others = [min(costs) for costs in offers.values()]
        assert all(has <= cost for cost in others)
        if own[name] is not None:
            assert has <= tuple(own[name])
            assert all(tuple(own[name]) <= cost for cost in others)


@pytest.mark.parametrize("seed", range(20))
def test_arcs_in_a_row_are_taken_as_one(seed: int) -> None:
    """Two people, and rows of any length from each of three programs to the sink."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 5, size=3).tolist()
    tail, head, node = [0, 0, 1, 1], [2, 3, 3, 4], 5
    sink = 5 + sum(lengths) - 3
    for program, length in zip((2, 3, 4), lengths, strict=True):
        row = [program, *range(node, node + length - 1), sink]
        tail, head, node = tail + row[:-1], head + row[1:], node + length - 1
    tail, head = [*tail, 0, 1], [*head, sink, sink]
    arcs = [np.array(part) for part in (tail, head)]
    capacity, cost = random.integers(1, 3, size=len(tail)), random.integers(-9, 3, size=len(tail))
    supply = np.zeros(sink + 1, np.int64)
    supply[[0, 1, sink]] = 1, 1, -2
    found = flow._solve(*arcs, capacity, cost, supply)
    direct = flow.min_cost_flow.SimpleMinCostFlow()
    direct.add_arcs_with_capacity_and_unit_cost(*arcs, capacity, cost)
    direct.set_nodes_supplies(np.arange(sink + 1), supply)
    assert direct.solve() == direct.OPTIMAL
    assert found @ cost == direct.optimal_cost()
    assert ((found >= 0) & (found <= capacity)).all()
    out = np.bincount(arcs[0], found, sink + 1) - np.bincount(arcs[1], found, sink + 1)
    assert out.tolist() == supply.tolist()


def test_weights_that_are_too_light_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """To place everybody six people each take their next choice."""
    seats = dict.fromkeys("PQRSTUV", 1)
    lists = {a: f"{p} {q}" for a, p, q in zip("ABCDEF", "PQRSTU", "QRSTUV", strict=True)} | {
        "G": "P"
    }
    made = make_round(lists, seats, RULES | {"mechanism.rank_costs": [0, 9]})
    monkeypatch.setattr(flow, "_FEW", 1)
    solves: list[Any] = []
    honest = flow._solve
    monkeypatch.setattr(flow, "_solve", lambda *network: solves.append(network) or honest(*network))
    assert placed(made) == dict(zip("ABCDEFG", "QRSTUVP", strict=True))
    costs = [tuple(network[3].tolist()) for network in solves]
    assert len(set(costs)) == len(costs) > 1, "the lighter weights are tried, and found wrong"
