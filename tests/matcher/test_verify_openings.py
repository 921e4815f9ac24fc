"""The proof of what opens, step by step: what holds is proved, and each way of breaking it is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from matcher import Market, Policy, solve, verify
from matcher.mechanisms import openings
from tests.matcher.test_oracle import tables_of
from tests.matcher.verify_rounds import claim
from tests.random_markets import random_instance
from tests.rounds import make_round

Tree = dict[str, Any]


def proved(number: int, folder: Path) -> Path:
    """A random round with caps that may cross and decrees, placed by ``optimal``."""
    instance = random_instance(
        Random(f"proof {number}"), "optimal", crossing=True, decrees=number % 3 == 0
    )
    tables = tables_of(instance)
    tables.write(folder)
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    solve(market, policy).write(folder / "result", market, tables.digest(), policy.round)
    return folder


def nodes(tree: Tree) -> Iterator[Tree]:
    """Every node, the root first."""
    yield tree
    for side in ("open", "closed", "in", "out"):
        if side in tree:
            yield from nodes(tree[side])


def broken(folder: Path, harm: Callable[[Tree], object], part: str = "tree") -> bool:
    """Whether the verifier refuses the optimality once the proof, or another part, is harmed."""
    path = folder / "result" / "certificate.json"
    certificate = json.loads(path.read_bytes())
    harm(certificate[part])
    path.write_text(json.dumps(certificate), encoding="utf-8")
    info = json.loads((folder / "result" / "result.json").read_bytes())
    info["digests"]["certificate.json"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "result" / "result.json").write_text(json.dumps(info), encoding="utf-8")
    verdict = verify(folder)
    assert claim(verdict, "inputs").status == "PROVED"
    return claim(verdict, "optimality").status == "BROKEN"


@pytest.mark.parametrize("number", [22, 29, 61, 98, 103, 259, 1657, 3050])
def test_every_kind_of_proof_holds(number: int, tmp_path: Path) -> None:
    verdict = verify(proved(number, tmp_path))
    assert claim(verdict, "optimality").status == "PROVED"
    assert not verdict.broken


def leaf(tree: Tree, *names: str) -> Tree:
    """The first leaf of some name, or of any."""
    return next(n for n in nodes(tree) if n.get("leaf", "") in names or (not names and "leaf" in n))


def step(tree: Tree) -> Tree:
    """The first step of the proof."""
    found: Tree = next(n for n in nodes(tree) if n.get("steps"))["steps"][0]
    return found


TOLD = ("equal", "best", "settled")
"""What a leaf says that its steps have not ended before; of another nobody asks what it says."""

HARMS: dict[str, Callable[[Tree], object]] = {
    "leaf unknown": lambda t: leaf(t, *TOLD).update(leaf="because"),
    "leaf best": lambda t: leaf(t, "equal", "settled").update(leaf="best"),
    "leaf impossible": lambda t: leaf(t).update(leaf="impossible"),
    "leaf settled": lambda t: leaf(t, "equal", "best").update(leaf="settled"),
    "no steps": lambda t: [n.update(steps=[]) for n in nodes(t)],
    "weights": lambda t: step(t).update(weights=[1, 10**60]),
    "too many weights": lambda t: step(t).update(weights=[0] * 99),
    "proves": lambda t: step(t).update(proves=99),
    "closed": lambda t: step(t).update(closed=["nothing"]),
    "opened": lambda t: step(t).update(opened=["nothing"]),
    "prices": lambda t: step(t)["programs"].pop(),
    "people": lambda t: step(t).update(applicants=[10**9 for _ in step(t)["applicants"]]),
}


@pytest.mark.parametrize(
    ("harm", "number"),
    # the only leaf of 61 that is not ended by its steps is the best one
    [
        (harm, number)
        for harm in HARMS
        for number in (61, 1657)
        if (harm, number) != ("leaf best", 61)
    ],
)
def test_a_broken_proof_is_refused(harm: str, number: int, tmp_path: Path) -> None:
    assert broken(proved(number, tmp_path), HARMS[harm])


def test_beside_broken_potentials_no_proof_is_looked_at(tmp_path: Path) -> None:
    assert broken(proved(22, tmp_path), lambda p: p["programs"].clear(), "potentials")


def test_an_open_class_with_too_few_people_is_impossible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without relaxations and flows everything is split, down to the last pair.
    monkeypatch.setattr(openings, "NODES", 10_000)
    bounded = lambda _search, node, start, _tree, _flow: (node, start, None)  # noqa: E731
    monkeypatch.setattr(openings.Search, "bounded", bounded)
    monkeypatch.setattr(openings.Search, "is_leaf", lambda _search, _node: False)
    instance = random_instance(Random("opt 1808"), "optimal")
    tables = tables_of(instance)
    tables.write(tmp_path)
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    result = solve(market, policy)
    result.write(tmp_path / "result", market, tables.digest(), policy.round)
    assert "impossible" in {node.get("leaf") for node in nodes(result.certificate["tree"])}
    assert claim(verify(tmp_path), "optimality").status == "PROVED"


def test_a_class_is_split_once(tmp_path: Path) -> None:
    def twice(tree: Tree) -> None:
        node = next(n for n in nodes(tree) if "order_class" in n)
        inner = {key: value for key, value in node.items() if key != "steps"}
        node["open"] = inner | {"steps": []}

    assert broken(proved(61, tmp_path), twice)


def test_settled_means_that_every_pair_is(tmp_path: Path) -> None:
    """A round with people to place is not settled at the root."""
    assert broken(
        proved(1657, tmp_path),
        lambda t: (t.clear(), t.update(steps=[], leaf="settled")),
    )


def pinned(folder: Path, place: list[tuple[str, str]]) -> Tree:
    """A tree that goes through all placements, pair by pair."""
    tree: Tree = {"steps": [], "leaf": "settled"}
    for applicant, program in reversed(place):
        tree = {"steps": [], "applicant": applicant, "program": program, "in": tree, "out": tree}
    return tree


@pytest.mark.parametrize("number", [98, 103, 1657, 3050, 22])
def test_going_through_all_placements_is_a_proof_too(number: int, tmp_path: Path) -> None:
    """With every pair settled in turn only the placements themselves are compared."""
    folder = proved(number, tmp_path)
    instance = random_instance(
        Random(f"proof {number}"), "optimal", crossing=True, decrees=number % 3 == 0
    )
    tables = tables_of(instance)
    market = Market.from_tables(tables, Policy.from_tables(tables))
    pairs = [
        (market.applicants[i], market.programs[p])
        for i, p in zip(market.owner.tolist(), market.program.tolist(), strict=True)
    ]
    assert len(pairs) <= 10, "few enough to go through them all"
    whole = pinned(folder, pairs)
    assert not broken(folder, lambda t: (t.clear(), t.update(whole)))


def test_a_class_may_bear_the_name_of_its_only_program(tmp_path: Path) -> None:
    tables = make_round(
        {"A": "P", "B": "P"}, {"P": 2}, {"mechanism.name": "optimal"}, order_classes={"P": 2}
    )
    tables.write(tmp_path)
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    solve(market, policy).write(tmp_path / "result", market, tables.digest(), policy.round)
    verdict = verify(tmp_path)
    assert not verdict.broken
    assert claim(verdict, "optimality").status == "PROVED"


def test_what_stands_after_the_end_of_a_proof_says_nothing(tmp_path: Path) -> None:
    """A side is proven while a lesser plan is known; against the best one its first step ends it."""

    def go_on(tree: Tree) -> None:
        ended = leaf(tree, "ended")
        ended.update(steps=[*ended["steps"], {}], leaf="equal")

    assert not broken(proved(61, tmp_path), go_on)
