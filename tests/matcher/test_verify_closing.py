"""The verifier on exact closing: every claim of a search, and of why a class is closed, off by one."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from matcher import Market, Policy, Result, Tables, solve, verify
from matcher.choice import Choice
from matcher.mechanisms import stable
from matcher.mechanisms.closing import Closure, Tree
from matcher.mechanisms.deferred import DeferredAcceptance
from matcher.result import Closing
from tests.matcher.test_oracle import markets, tables_of
from tests.oracle import Oracle
from tests.random_markets import random_instance
from tests.rounds import make_round, market

from .verify_rounds import broken, claim, codes, edit_json, sign

SHARE = 10
"""One in so many markets of the oracle is tried with every other set of classes."""

EXACT = {"mechanism.closure": "exact", "policy.round": "r1"}


def kept(folder: Path) -> Tables:
    """P met its minimum with all open and is closed, as that lets Q open; R has too few in any case.

    Only at Q is a seat reserved, and A's group takes it.
    """
    lists = {"A": "P Q", "B": "P Q R", "C": "Q", "D": "Q", "E": "R"}
    made = make_round(
        lists, {"P": 2, "Q": 4, "R": 3}, EXACT, reserves={"Q g": 1},
        applicants={"A": {"groups": "g"}},
        order_classes={"CP": 2, "CQ": 3, "CR": 3},
        programs={p: {"order_class": f"C{p}"} for p in "PQR"},
    )  # fmt: skip
    made.write(folder)
    return made


def written(folder: Path, made: Tables, result: Result | None = None) -> Path:
    """The round and its result, or another one, as files."""
    m = market(made)
    made.write(folder)
    found = solve(m, Policy.from_tables(made)) if result is None else result
    found.write(folder / "result", m, made.digest(), "r1")
    return folder


def changed(folder: Path, **names: Any) -> list[str]:
    """What the outcome is found guilty of when the certificate says something else."""
    edit_json(folder / "result" / "certificate.json", names)
    sign(folder)
    verdict = verify(folder)
    if not verdict.broken:
        return []
    assert broken(verdict) == ["outcome"]
    return codes(verdict, "outcome")


def certificate(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result" / "certificate.json").read_text("utf-8"))
    return found


def test_the_search_is_proved(tmp_path: Path) -> None:
    folder = written(tmp_path, kept(tmp_path))
    found = certificate(folder)
    assert found["closing"] == [
        {"order_class": "CP", "placed": 2, "min_size": 2, "shortfall": 0, "saves": ["CQ"]},
        {"order_class": "CR", "placed": 1, "min_size": 3, "shortfall": 2},
    ]
    outcome = claim(verify(folder), "outcome")
    assert (outcome.status, outcome.trusted) == ("PROVED", "")
    assert outcome.numbers["tree"] == len(found["closing_tree"])
    assert outcome.numbers["closed"] == ["CP", "CR"]


@pytest.mark.parametrize(
    "entry",
    [
        {"placed": 3}, {"min_size": 3}, {"shortfall": 1}, {"saves": []}, {"saves": ["CR"]},
        {"order_class": "CQ"},
    ],
)  # fmt: skip
def test_why_a_class_is_closed_off_by_one(entry: dict[str, Any], tmp_path: Path) -> None:
    folder = written(tmp_path, kept(tmp_path))
    closing = certificate(folder)["closing"]
    closing[0] |= entry
    assert changed(folder, closing=closing) == ["closing"]
    assert changed(folder, closing=closing[1:]) == ["closing"]


def test_every_row_of_the_search_is_needed_and_right(tmp_path: Path) -> None:
    folder = written(tmp_path, kept(tmp_path))
    tree = certificate(folder)["closing_tree"]
    names = {name for _, name in tree} | {"", "CX"}
    assert changed(folder, closing_tree=[*tree, ["bound", ""]]) == ["closing_tree"]
    for n in range(len(tree)):
        without = tree[:n] + tree[n + 1 :]
        assert changed(folder, closing_tree=without) == ["closing_tree"]
        why, name = tree[n]
        for other in names - {name} if why in ("branch", "short") else ():
            row = [[why, other]]
            assert changed(folder, closing_tree=tree[:n] + row + tree[n + 1 :]) == ["closing_tree"]
    wrong: list[Any] = [["bound"], "bound", ["bound", 1], [0, ""], 3]
    for row in wrong:
        assert changed(folder, closing_tree=[row, *tree[1:]]) == ["type"]
    assert changed(folder, closing_tree={}) == ["type"]
    assert changed(folder, closing_tree=tree) == []


@pytest.mark.parametrize("seed", range(12))
def test_a_search_under_shared_caps_is_proved(seed: int, tmp_path: Path) -> None:
    """Any class may be asked for in several branches; each is as short there as the search says."""
    random = Random(seed)
    names = "PQRST"
    lists = {chr(ord("A") + i): " ".join(random.sample(names, 3)) for i in range(7)}
    caps = {"K": {"seats": random.randint(2, 4), "programs": "P;Q"}}
    made = make_round(
        lists, dict.fromkeys(names, 4), EXACT, caps=caps,
        programs={p: {"order_class": f"C{p}"} for p in names},
        order_classes={f"C{p}": random.randint(2, 3) for p in names},
    )  # fmt: skip
    folder = written(tmp_path, made)
    assert claim(verify(folder), "outcome").status == "PROVED"
    tree = certificate(folder)["closing_tree"]
    assert seed or tree.count(["short", "CP"]) > 1  # in two branches


def test_a_search_that_is_absent_or_too_long_is_trusted(tmp_path: Path) -> None:
    folder = written(tmp_path, kept(tmp_path))
    for tree in ([], [["bound", ""]] * 10_001):
        edit_json(folder / "result" / "certificate.json", {"closing_tree": tree})
        sign(folder)
        outcome = claim(verify(folder), "outcome")
        assert (outcome.status, outcome.trusted) == ("TRUSTED", "closing_not_rechecked")


def test_a_result_cut_short_is_trusted(tmp_path: Path) -> None:
    folder = written(tmp_path, kept(tmp_path))
    edit_json(folder / "result" / "result.json", {"status": "FEASIBLE", "publishable": False})
    sign(folder)
    verdict = verify(folder)
    assert not verdict.broken
    assert claim(verdict, "outcome").trusted == "closing_not_rechecked"


def forced(m: Market, policy: Policy, closed: Collection[int], tree: Tree) -> Result:
    """The result that closes other classes, all it says of them right, with a search to show for it."""
    choice = Choice(m, policy.reserve_order == "open_first")
    closings = []
    for c in sorted(closed, key=m.class_order.__getitem__):
        run = DeferredAcceptance(m, choice, set(closed) - {c})
        short = np.flatnonzero(run.short()).tolist()
        saves = tuple(other for other in short if other != c)
        closings.append(Closing(c, int(run.sizes()[c]), int(m.min_size[c]), saves))
    run = DeferredAcceptance(m, choice, closed)
    return stable._result(m, policy, Closure(run, tuple(closings), True, 0, tree), 0.0)


@pytest.mark.parametrize("mechanism", ["stable", "parallel"])
def test_no_other_set_of_classes_passes(mechanism: str, tmp_path: Path) -> None:
    """Every other set whose run leaves none short is refused, whatever search it shows."""
    tried = 0
    for number in markets(0):
        if number // 8 % SHARE:
            continue
        instance = random_instance(
            Random(f"exact {mechanism} {number}"),
            mechanism, programs=4, closure="exact", scarce=True,
        )  # fmt: skip
        oracle, made = Oracle(instance), tables_of(instance)
        policy = Policy.from_tables(made)
        m = Market.from_tables(made, policy)
        best = solve(m, policy)
        tree: Tree = best.certificate.get("closing_tree", [])
        folder = tmp_path / str(number)
        made.write(folder)
        opened = oracle.exact().open_classes
        for subset in oracle._opening_sets():
            if subset == opened or oracle.short(oracle.run(subset), subset):
                continue
            closed = [c for c, name in enumerate(m.order_classes) if name not in subset]
            for search in (tree, [("last", "")], [("bound", "")]):
                result = forced(m, policy, closed, search)
                result.write(folder / "result", m, made.digest(), instance.rules.round)
                verdict = verify(folder)
                assert broken(verdict) == ["outcome"], (number, subset, search)
                assert {"closing_tree", "reopenable"} & set(codes(verdict, "outcome"))
                tried += 1
    assert tried > 5
