"""The compiled kernels: whatever is asked of them, the answer is the one that is given without them."""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.contest import Contest, contest, small_contest
from matcher import Market, Policy, lottery, solve
from matcher.choice import Choice
from matcher.mechanisms import kernels
from matcher.mechanisms.assigned import Assigned
from matcher.mechanisms.deferred import DeferredAcceptance
from matcher.mechanisms.flow import FAR, SolverFailed
from matcher.mechanisms.one_more import Standing
from matcher.mechanisms.packing import Packing
from matcher.mechanisms.plan import Drawn, Flow, Plan, Weights
from matcher.objective import Component, components
from matcher.odds import Odds, odds
from tests.matcher.test_oracle import tables_of
from tests.random_markets import random_instance
from tests.rounds import make_round

ROOT = Path(__file__).parents[2]
INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT") == "1"
"""Whether the kernels run as they are written: slowly, and seen by the measure of coverage."""
MARKETS = 15 if INTERPRETED else int(os.environ.get("FAST_MARKETS", "100"))
RULES = """
[policy]
title = "x"
round = "x"

[mechanism]
name = "optimal"
rank = "{rank}"
objective = [{objective}]

[lottery]
seed = "00"
"""


@pytest.fixture(autouse=True)
def _numbers_go_round(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Words of 32 bits run over as a kernel's do."""
    monkeypatch.delenv("ORDERCLASS_FAST", raising=False)
    with np.errstate(over="ignore"):
        yield


def random_market(seed: int, mechanism: str, **more: Any) -> tuple[Market, Policy]:
    """A tiny market that nothing but seats, and perhaps minimum sizes, limits."""
    made = random_instance(Random(seed), mechanism, caps=False, **more)
    tables = tables_of(replace(made, reserves={}))
    policy = Policy.from_tables(tables)
    return Market.from_tables(tables, policy), policy


def middling(seed: int) -> tuple[Market, Policy]:
    """A market of some hundreds, drawn with its rules from a seed."""
    rng = np.random.default_rng(seed)
    people, programs, choices = rng.integers(
        (50, 9, 1), (60, 12, 9) if INTERPRETED else (900, 60, 9)
    )
    seats = float(rng.choice([0.5, 0.9, 1.0, 1.2, 2.0]))
    made = contest(int(people), int(programs), int(choices), seats, seed).market()
    fit = rng.integers(0, int(rng.choice([1, 4, 101, 2001])), size=len(made.program))
    orders = ('"placed", "rank", "fit"', '"fit", "placed", "rank"', '"placed", "fit", "rank"')
    rank = rng.choice(["min_cost", "rank_maximal", "generous"])
    rules = RULES.format(rank=rank, objective=rng.choice(orders))
    return replace(made, fit=fit), Policy.from_toml(rules.encode())


def same(one: Any, two: Any) -> None:
    """Two results that agree in all but their time."""
    assert (one.matching == two.matching).all()
    assert one.certificate == two.certificate and one.thresholds == two.thresholds
    assert replace(one, runtime=0, matching=0, opened=0) == replace(
        two, runtime=0, matching=0, opened=0
    ) or (one.seats, one.objective, one.closings, one.bound) == (
        two.seats, two.objective, two.closings, two.bound,
    )  # fmt: skip


def both(monkeypatch: pytest.MonkeyPatch, call: Any) -> tuple[Any, Any]:
    """What a call gives without the kernels, and with them."""
    found = []
    for word in "01":
        monkeypatch.setenv("ORDERCLASS_FAST", word)
        found.append(call())
    return found[0], found[1]


# --- when they are used


def test_they_are_used_where_they_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERCLASS_FAST", "1")
    loaded = kernels(0)
    assert loaded is not None and loaded.__name__ == "matcher.mechanisms.fast"
    monkeypatch.setenv("ORDERCLASS_FAST", "0")
    assert kernels(10**9) is None
    monkeypatch.delenv("ORDERCLASS_FAST")
    assert kernels(10**6) is loaded and kernels(10**4) is loaded and kernels(10) is None
    monkeypatch.delitem(sys.modules, "matcher.mechanisms.fast")
    assert kernels(10**4) is None, "not worth the time it takes to load"


def test_a_house_without_numba_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("matcher.mechanisms.fast")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setenv("ORDERCLASS_FAST", "1")
    assert kernels(10**9) is None
    market, policy = middling(1)
    assert (solve(market, policy).matching >= 0).any()


def test_importing_and_small_markets_load_no_compiler() -> None:
    code = (
        "import sys, matcher; from benchmarks.contest import contest; c = contest(90, 9, 3, 1.0, 1);"
        "matcher.solve(c.market(), c.policy()); print('numba' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "False"


def test_where_nothing_can_be_kept_kernels_are_compiled_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from matcher.mechanisms.fast import kernel

    def nowhere(function: Any = None, *, cache: bool = False) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return ("compiled", function)

    monkeypatch.setattr(kernel, "njit", nowhere)
    assert kernel.kernel(len) == ("compiled", len)


# --- deferred acceptance


@pytest.mark.parametrize("mechanism", ["stable", "parallel"])
def test_deferred_acceptance_on_tiny_markets(
    mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matcher.mechanisms.deferred._FEW", 0)
    for seed in range(MARKETS):
        closure = ("sequential", "exact")[seed % 2]
        market, policy = random_market(seed, mechanism, closure=closure)
        same(*both(monkeypatch, lambda m=market, p=policy: solve(m, p)))


def test_deferred_acceptance_on_contests(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    larger = [contest(150, 12, 5, seats, 1) for seats in (0.5, 1.0)]
    if not INTERPRETED:
        larger.append(contest(3000, 90, 8, 0.9, 2))
    for made in [*(small_contest(rng) for _ in range(MARKETS)), *larger]:
        one, two = both(monkeypatch, lambda c=made: solve(c.market(), c.policy()))
        same(one, two)


def test_what_a_run_holds_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    market = contest(200, 12, 5, 0.7, 1).market()

    def run() -> DeferredAcceptance:
        return DeferredAcceptance(market, Choice(market), [3])

    one, two = both(monkeypatch, run)
    assert (one.held, one.next, one.limit) == (two.held, two.next, two.limit)
    assert one.held[3] == [] and one.limit[3] == -1


def test_keys_order_people_as_places_do() -> None:
    for seed in range(MARKETS):
        market, _ = random_market(seed, "stable")
        for p in range(len(market.programs)):
            here = np.flatnonzero(market.program == p)
            order = here[np.argsort(market.key[here])]
            assert market.place[order].tolist() == list(range(len(here)))
            assert replace(market).key is not market.key


def test_two_people_of_one_key_are_refused() -> None:
    from matcher.mechanisms import fast

    two = np.array([0, 1, 2]), np.array([0, 0])
    with pytest.raises(ValueError, match="one key"):
        fast.deferred_acceptance(*two, np.array([5, 5]), np.array([1]))


# --- the best placement


def flow_of(market: Market, policy: Policy) -> Flow:
    """The flow of a market, all components solved."""
    plan = Plan(market, Choice(market))
    flow = plan.flow(np.full(len(market.order_classes), -1))
    flow.maximise(*components(market, policy))
    drawn = Weights(market, policy)
    flow.maximise(Drawn(drawn, 0), Drawn(drawn, 1))
    return flow


def minimise(flow: Flow, *costs: Any) -> None:
    """Keep the cheapest flows, one cost after another."""
    flow.potentials += flow.network.minimise_in_turn(costs)


def agree(one: Flow, two: Flow) -> None:
    """Two flows of one plan, with everything that is told of them."""
    for mine, other in zip(one.potentials, two.potentials, strict=True):
        assert (mine == other).all()
    assert (one.network.free == two.network.free).all()
    matching = one.matching()
    assert (matching == two.matching()).all()
    assert one.thresholds(matching) == two.thresholds(matching)
    assert one.certificate() == two.certificate()
    assert one.unique(matching) == two.unique(matching)


def believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no kernel's answer put right by the solver."""
    monkeypatch.setattr("matcher.mechanisms.assigned.Network._minimise", None)


def test_placements_of_tiny_markets(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(2 * MARKETS):
        market, policy = random_market(seed, "optimal", programs=4, minimums=False)
        monkeypatch.setenv("ORDERCLASS_FAST", "0")
        one = flow_of(market, policy)
        with monkeypatch.context() as patch:
            patch.setenv("ORDERCLASS_FAST", "1")
            believed(patch)
            two = flow_of(market, policy)
        assert isinstance(two.network, Assigned) and not isinstance(one.network, Assigned)
        agree(one, two)


@pytest.mark.parametrize("seed", range(3 if INTERPRETED else 20))
def test_placements_of_hundreds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    market, policy = middling(seed)
    agree(*both(monkeypatch, lambda: flow_of(market, policy)))


def test_a_result_is_the_same_to_its_last_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    market, policy = middling(5)
    one, two = both(monkeypatch, lambda: solve(market, policy))
    for name, result in (("one", one), ("two", two)):
        result.write(tmp_path / name, market, "", policy.round)
    for file in (tmp_path / "one").iterdir():
        if file.name != "result.json":
            assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_other_markets_are_left_to_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERCLASS_FAST", "1")
    rules = {"mechanism.name": "optimal"}
    reserved = make_round(
        {"A": "P"}, {"P": 1}, rules, reserves={"P g": 1}, applicants={"A": {"groups": "g"}}
    )
    capped = make_round({"A": "P"}, {"P": 1}, rules, caps={"C": {"seats": 1, "programs": "P"}})
    for tables in (reserved, capped):
        market = Market.from_tables(tables)
        flow = Plan(market, Choice(market)).flow(np.full(len(market.order_classes), -1))
        assert not isinstance(flow.network, Assigned)


def test_a_wrong_placement_is_seen_and_put_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that errs costs time and nothing else."""
    market, policy = middling(5)
    monkeypatch.setenv("ORDERCLASS_FAST", "0")
    right = flow_of(market, policy)

    def nobody(*given: Any) -> tuple[Any, Any]:
        return np.full(given[5], -1), np.zeros(len(given[3]), np.int64)

    wrong = SimpleNamespace(assignment=nobody)
    monkeypatch.setattr("matcher.mechanisms.plan.kernels", lambda edges: wrong)
    agree(right, flow_of(market, policy))


def test_numbers_that_do_not_fit_are_left_to_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    market, _ = middling(2)
    worth = np.arange(1, len(market.program) + 1) << 37
    worth[0] = 1 << 44

    def solved() -> Flow:
        flow = Plan(market, Choice(market)).flow(np.full(len(market.order_classes), -1))
        minimise(
            flow, flow.cost(Component("great", worth)), flow.cost(Component("small", worth >> 36))
        )
        return flow

    used = []
    monkeypatch.setenv("ORDERCLASS_FAST", "1")
    fast = kernels(0)
    assert fast is not None
    watched = SimpleNamespace(assignment=lambda *given: used.append(1) or fast.assignment(*given))
    monkeypatch.setattr("matcher.mechanisms.plan.kernels", lambda edges: watched)
    one = solved()
    calls = len(used)
    monkeypatch.setattr("matcher.mechanisms.plan.kernels", lambda edges: None)
    agree(solved(), one)
    assert calls == 2, "two numbers: one holds each, none both"
    dear = 1 << 57
    network = one.network
    assert isinstance(network, Assigned)
    assert not network._fits(FAR, 0) and network._fits(FAR >> 4, dear)


@pytest.mark.parametrize("fast", ["0", "1"])
def test_columns_have_64_bits_where_numbers_need_them(
    fast: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERCLASS_FAST", fast)
    market, _ = middling(2)
    worth = np.random.default_rng(1).integers(-9, 10, len(market.program))

    def solved(scale: int, seats: int) -> Flow:
        roomy = replace(market, capacity=market.capacity + seats)
        flow = Plan(roomy, Choice(roomy)).flow(np.full(len(market.order_classes), -1))
        cost = flow.cost(Component("worth", worth * scale))
        assert (cost.dtype == np.int32) == (scale == 1)
        assert (flow.network.capacity.dtype == np.int32) == (seats == 0)
        minimise(flow, cost)
        return flow

    for seats in (0, 1 << 32):
        small, great = solved(1, seats), solved(1 << 31, seats)
        assert (small.network.free == great.network.free).all()
        potential, greater = small.potentials[0], great.potentials[0]
        assert (np.where(potential < FAR, potential << 31, FAR) == greater).all()


def test_a_kernel_of_either_width_finds_the_same() -> None:
    from matcher.mechanisms import fast

    market, _ = middling(2)
    owner, program, people = market.owner, market.program, len(market.applicants)
    cost = np.random.default_rng(2).integers(-9, 10, len(program))
    cost[:2] = -9, 9
    empty = np.zeros(len(market.programs), np.int64)
    widest = (2**31 - 1) // (8 * 9)
    held, loss = fast.assignment(owner, program, cost, market.capacity, empty, people)
    for scale in (widest, widest + 1, 1 << 40):
        again, dearer = fast.assignment(
            owner, program, cost * scale, market.capacity, empty, people
        )
        assert (held == again).all()
        assert (np.where(loss < FAR, loss * scale, FAR) == dearer).all()


def test_costs_elsewhere_are_left_to_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    market, _ = middling(3)

    def solved() -> Flow:
        flow = Plan(market, Choice(market)).flow(np.full(len(market.order_classes), -1))
        cost = flow.cost(Component("placed", np.ones(len(market.program), np.int64)))
        cost[-1] = 3  # … so that the last program is rather left empty
        minimise(flow, cost)
        return flow

    agree(*both(monkeypatch, solved))


# --- several costs in one number


def test_packed_numbers_compare_as_lists_do() -> None:
    rng = np.random.default_rng(1)
    packing = Packing([2, 5, 1])
    sums = [rng.integers(-most, most + 1, 200) for most in packing.most]
    packed = packing.pack(sums)
    assert [part.tolist() for part in packing.unpack(packed)] == [s.tolist() for s in sums]
    words = list(zip(*(s.tolist() for s in sums), strict=True))
    assert sorted(words) == [words[at] for at in np.argsort(packed, kind="stable")]
    assert packing.greatest == int(packing.pack([np.array([most]) for most in packing.most])[0])


def test_lighter_weights_that_mislead_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """With weights for paths of no arc at all the solver trades the first cost for the second."""
    monkeypatch.setenv("ORDERCLASS_FAST", "0")
    found = []
    for few in (30, 0):
        monkeypatch.setattr("matcher.mechanisms.flow._FEW", few)
        found.append(flow_of(*middling(5)))
    agree(*found)


def test_a_solver_that_is_wrong_twice_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERCLASS_FAST", "0")
    market, policy = middling(5)
    plan = Plan(market, Choice(market))
    right = plan.flow(np.full(len(market.order_classes), -1))
    wrong = plan.flow(np.full(len(market.order_classes), -1))
    costs = [right.cost(component) for component in components(market, policy)]
    minimise(right, *(-cost for cost in costs))
    monkeypatch.setattr(
        "matcher.mechanisms.flow._solve", lambda *given: right.network.flow[wrong.network.free]
    )
    with pytest.raises(SolverFailed):
        minimise(wrong, *costs)


# --- one more seat


def test_one_more_seat_is_what_solving_again_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERCLASS_FAST", "1")
    asked = 0
    for seed in range(MARKETS // 4):
        market, policy = random_market(seed, "optimal", programs=4, minimums=False)
        drawn = (
            Weights(market, policy).of(np.arange(len(market.program)))
            if len(market.program)
            else (np.zeros((0, 2), np.int64))
        )
        everything = [
            *components(market, policy),
            *(Component("lottery", drawn[:, which]) for which in (0, 1)),
        ]
        flow = flow_of(market, policy)
        standing = Standing(flow, everything, kernels(0))
        for p in range(len(market.programs)):
            more = market.capacity.copy()
            more[p] += 1
            again = replace(market, capacity=more)
            then = flow_of(again, policy).matching()
            one = standing.one_more(p)
            moved = flow.matching()
            for applicant, left, to in one.moves:
                assert moved[applicant] == left
                moved[applicant] = to
            assert (moved == then).all()
            before, after = (market.edges_of(m) for m in (flow.matching(), then))
            gain = [
                int(c.worth[after[after >= 0]].sum() - c.worth[before[before >= 0]].sum())
                for c in everything
            ]
            assert list(one.gain) == gain
            asked += bool(one.moves)
    assert asked > MARKETS // 9


# --- draws of the lottery


def test_hashes_are_those_of_the_standard_library() -> None:
    from matcher.mechanisms.fast import counting

    rng = Random(1)
    sizes = [0, 9, 54, 55, 56, 64] if INTERPRETED else [*range(130), 200]
    texts = [rng.randbytes(size) for size in sizes]
    for seed in (b"", b"\0", rng.randbytes(32), rng.randbytes(64)):
        padded, blocks = counting._padded(texts)
        heads = np.empty(len(blocks), np.uint64)
        words = np.frombuffer(seed.ljust(64, b"\0"), ">u4").astype(np.uint32)
        counting._heads(words, padded, blocks, heads)
        expected = [hmac.digest(seed, text, hashlib.sha256)[:8] for text in texts]
        assert [int(head).to_bytes(8) for head in heads[: len(texts)]] == expected
        if INTERPRETED:
            break


def counted(one: Odds) -> tuple[int, list[int], list[int], int]:
    """All that odds say."""
    return one.draws, one.held.tolist(), one.opened.tolist(), one.set_aside


def test_odds_are_counted_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(3 if INTERPRETED else MARKETS // 4):
        mechanism = ("stable", "parallel")[seed % 2]
        market, policy = random_market(seed, mechanism)
        number = 2 if INTERPRETED else 20
        one, two = both(monkeypatch, lambda m=market, p=policy, k=number: odds(m, p, k))
        assert counted(one) == counted(two)


def test_odds_of_larger_rounds_are_counted_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Contest = contest(30 if INTERPRETED else 400, 12, 6, 1.3, 4)
    market = made.market()
    market = replace(market, score=market.score % 5, min_size=made.capacity.copy())
    policy = replace(made.policy(), closure="sequential")
    number = 1 if INTERPRETED else 12
    one, two = both(monkeypatch, lambda: odds(market, policy, number))
    assert counted(one) == counted(two)
    assert one.opened.min() < number, "some class closes"


def test_a_draw_in_which_two_numbers_begin_alike_is_left_to_the_mechanism(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As if every number began alike: the kernel cannot tell, and says so."""
    market, policy = contest(20, 3, 2, 0.5, 1).market(), contest(20, 3, 2, 0.5, 1).policy()
    market = replace(market, score=0 * market.score)
    expected = counted(odds(market, policy, 2))
    monkeypatch.setenv("ORDERCLASS_FAST", "1")
    kept = lottery.text
    monkeypatch.setattr(
        "matcher.odds.lottery.text", lambda name, person: kept(name, person if not name else "")
    )
    assert policy.round == "contest"
    with monkeypatch.context() as patch:
        patch.setattr("matcher.odds.lottery.numbers", _as_published)
        assert counted(odds(market, policy, 2)) == expected


def _as_published(seed: bytes, name: str, people: list[str]) -> list[bytes]:
    """The numbers of the lottery by their definition."""
    return [hmac.digest(seed, f"lottery|{name}|{one}".encode(), "sha256") for one in people]


def test_a_draw_is_unsettled_where_people_of_a_closed_class_meet_their_like() -> None:
    from matcher.mechanisms import fast

    # A and B, of one number, share a class that is too small; then both want the one seat of Q.
    start, program = np.array([0, 2, 4]), np.array([0, 1, 0, 1])
    classes = fast.Classes(np.array([0, 1]), np.array([3, 0]), np.array([0, 1]))
    given = (start, program, np.zeros(4, np.int64), np.array([2, 1]))
    counts, opened, settled = fast.draws([b"s"], [b"same", b"same"], classes, *given)
    assert settled.tolist() == [False] and counts.sum() == opened.sum() == 0
    counts, opened, settled = fast.draws([b"s"], [b"one", b"two"], classes, *given)
    assert settled.tolist() == [True] and counts.sum() == 1 and opened.tolist() == [0, 1]


# --- as they are written


def test_the_kernels_say_the_same_when_nothing_is_compiled() -> None:
    """What coverage sees: every test above once more, on fewer markets, in a process of its own."""
    shown = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__),
            *("-k", "not nothing_is_compiled"),
        ],
        cwd=ROOT,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stdout
