"""The verifier on results of ``max_placement``: by hand, broken in one way each, and at random."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from matcher import Policy
from matcher.verify import PROVED, TRUSTED, Round, Verifier, verify
from matcher.verify import Result as Read
from tests.matcher.test_oracle import solved, tables_of
from tests.matcher.test_verify_mutations import Change, mutate
from tests.oracle import Oracle
from tests.random_markets import random_instance

from .verify_rounds import (
    LARGEST_CLOSING,
    LARGEST_COVER,
    broken,
    claim,
    codes,
    edit,
    edit_json,
    largest,
    policy,
    sign,
    weights,
    write,
)


def test_a_right_result(tmp_path: Path) -> None:
    verdict = verify(largest(tmp_path))
    status = {c.name: (c.status, c.trusted) for c in verdict.claims}
    believed = {"outcome": "closings", "optimality": "later_objectives"}
    assert status == {
        name: (TRUSTED, believed[name]) if name in believed else (PROVED, "") for name in status
    }
    assert set(status) >= {"no_justified_envy", "no_waste", "cutoffs", "outcome", "optimality"}
    assert claim(verdict, "outcome").numbers == {"closings": 1, "closed": ["M"], "too_few": ["M"]}
    assert claim(verdict, "cutoffs").numbers == {"thresholds": 4, "tied": 1}
    numbers = claim(verdict, "optimality").numbers
    assert (numbers["size_at_most"], numbers["size_proved"], numbers["only"]) == (4, True, False)


THRESHOLDS, CERTIFICATE = "result/thresholds.csv", "result/certificate.json"
MUTATIONS: list[tuple[str, str, list[Change]]] = [
    ("inputs", "number", [(THRESHOLDS, "P,open,full,,1,80,,", "P,open,full,,1,80,@A,")]),
    ("inputs", "threshold", [(THRESHOLDS, "P,open,full,,1,80,,", "P,open,full,,,80,,")]),
    ("inputs", "threshold", [(THRESHOLDS, "P,open,full,,1,80,,", "P,open,full,,,,@A,")]),
    ("inputs", "value", [(THRESHOLDS, "P,open,full,,1,", "P,open,full,,2,")]),
    ("assignment", "not_admitted", [("applications.csv", "E,2,S\n", "")]),
    ("capacity", "over_capacity", [("programs.csv", "S,,2", "S,,1")]),
    ("min_size", "class", [("result/classes.csv", "M,0,0,3", "M,1,0,3")]),
    ("no_justified_envy", "justified_envy", [("scores.csv", "B,P,80", "B,P,81")]),
    ("no_waste", "waste", [("programs.csv", "Q,,1", "Q,,2")]),
    ("cutoffs", "threshold", [(THRESHOLDS, "P,open,full,,1,80", "P,open,full,,1,79")]),
    ("cutoffs", "threshold", [(THRESHOLDS, "P,open,full,,1,80", "P,open,full,,0,80")]),
    ("cutoffs", "threshold", [(THRESHOLDS, "P,open,full,,1,80", "P,open,not_full,,1,80")]),
    ("cutoffs", "threshold", [(THRESHOLDS, "S,open,full,,1,50", "S,open,full,,1,60")]),
    ("cutoffs", "threshold", [(THRESHOLDS, "P,open,full,,", "P,open,full,X,")]),
    ("cutoffs", "threshold", [(THRESHOLDS, "P,open,full,,1,80,,\n", "")]),
    ("cutoffs", "threshold", [(THRESHOLDS, "P,open,", "P,soft:G,")]),
    ("cutoffs", "price", [(THRESHOLDS, "Q,open,full,,1,70,,", "Q,open,full,,1,70,,3")]),
    ("outcome", "closing_step", [(CERTIFICATE, '"placed": 1', '"placed": 2')]),
    ("outcome", "closing_step", [(CERTIFICATE, '"min_size": 3', '"min_size": 2')]),
    ("outcome", "closing_step", [(CERTIFICATE, '"placed": 1', '"placed": -1')]),
    ("outcome", "closed_classes", [(CERTIFICATE, '"closing"', '"closed"')]),
    ("outcome", "unknown", [(CERTIFICATE, '"order_class": "M"', '"order_class": "N"')]),
    ("outcome", "type", [(CERTIFICATE, '"placed": 1', '"placed": true')]),
    ("optimality", "uncovered", [(CERTIFICATE, '["P", "Q", "S"]', '["P", "Q"]')]),
    ("optimality", "unknown", [(CERTIFICATE, '["P", "Q", "S"]', '["P", "Q", "X"]')]),
    ("optimality", "unknown", [(CERTIFICATE, '"applicants": []', '"applicants": ["Z"]')]),
    ("optimality", "type", [(CERTIFICATE, '"applicants": []', '"applicants": [1]')]),
    ("optimality", "type", [(CERTIFICATE, '"cover"', '"covers"')]),
    ("optimality", "objective", [("result/result.json", '"value": -1', '"value": 0')]),
    ("optimality", "objective", [("result/result.json", '"name": "fit"', '"name": "reserves"')]),
    ("optimality", "bound", [("result/result.json", '"bound": -1', '"bound": 0')]),
    (
        "optimality",
        "publishable",
        [("result/result.json", '"publishable": true', '"publishable": false')],
    ),
]


@pytest.mark.parametrize(
    ("name", "code", "changes"), MUTATIONS, ids=[f"{m[0]}-{m[2][0][2].strip()}" for m in MUTATIONS]
)
def test_broken_in_one_way(name: str, code: str, changes: list[Change], tmp_path: Path) -> None:
    folder = largest(tmp_path)
    mutate(folder, changes)
    verdict = verify(folder)
    assert broken(verdict) == [name]
    assert code in codes(verdict, name)


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("caps.csv", "cap,seats,programs\nX,9,P", "caps"),
        ("reserves.csv", "program,group,seats\nS,G,1", "reserves"),
        ("decisions.csv", "applicant,program,decision\nA,P,confirmed", "confirmed"),
        ("order_classes.csv", "order_class,min_size,must_open\nM,3,1", "must_open"),
        ("policy.toml", policy("max_placement", "exact"), "closure"),
    ],
)
def test_what_it_cannot_honour(file: str, text: str, what: str, tmp_path: Path) -> None:
    folder = largest(tmp_path)
    (folder / file).write_text(text, "utf-8")
    sign(folder)
    violations = claim(verify(folder), "inputs").violations
    assert violations == ({"code": "refused", "what": what},)


def test_an_exact_closing_without_minimums_is_none(tmp_path: Path) -> None:
    folder = largest(tmp_path)
    (folder / "policy.toml").write_text(policy("max_placement", "exact"), "utf-8")
    edit(folder / "order_classes.csv", "M,3", "M,0")
    sign(folder)
    assert claim(verify(folder), "inputs").status == PROVED


@pytest.mark.parametrize(
    ("info", "cover"),
    [
        ({"status": "FEASIBLE", "publishable": False}, LARGEST_COVER),
        ({}, {"applicants": ["A", "B"], "programs": ["Q", "S"]}),
    ],
)
def test_the_solver_is_believed(info: dict[str, Any], cover: Any, tmp_path: Path) -> None:
    folder = largest(tmp_path)
    edit_json(folder / "result" / "result.json", info)
    edit_json(folder / "result" / "certificate.json", {"cover": cover})
    sign(folder)
    found = claim(verify(folder), "optimality")
    assert (found.status, found.trusted) == (TRUSTED, "bound_of_the_solver")


def one_way(folder: Path, unique: bool = True) -> Path:
    """Write a round whose lists come down to one program each: B is below A at P, and alone at Q."""
    given = {
        "applicants": "applicant\nA\nB",
        "programs": "program,capacity\nP,1\nQ,1",
        "applications": "applicant,rank,program\nA,1,P\nA,2,Q\nB,1,P\nB,2,Q",
        "scores": "applicant,program,score\nA,P,9\nB,P,8",
    }
    result = {
        "placements": "applicant,program,rank,seat,reason\nA,P,1,open,ordinary\nB,Q,2,open,ordinary",
        "thresholds": "program,stage,state,cap,listed,score,lottery,price\n"
        "P,open,full,,1,9,,\nQ,open,full,,1,,,",
        "classes": "order_class,opened,placed,min_size\nP,1,1,0\nQ,1,1,0",
        "barred": "applicant,program,rule,value,limit",
    }
    pairs = [("A", "P"), ("B", "Q")]
    drawn = {f"lottery_{k + 1}": sum(weights(a, p)[k] for a, p in pairs) for k in (0, 1)}
    cover = {"applicants": [], "programs": ["P", "Q"]}
    return write(
        folder, policy("max_placement"), given, result, {"placed": 2, "rank": -1, "fit": 0} | drawn,
        certificate={"closing": [], "cover": cover}, unique=unique, publishable=unique,
    )  # fmt: skip


def test_the_only_weakly_stable_placement_is_proved(tmp_path: Path) -> None:
    verdict = verify(one_way(tmp_path))
    assert {c.status for c in verdict.claims} == {PROVED}
    assert claim(verdict, "optimality").numbers["only"]


def test_the_only_one_is_unique(tmp_path: Path) -> None:
    assert codes(verify(one_way(tmp_path, unique=False)), "optimality") == ["unique"]


def test_the_pairs_left_hold_all_weakly_stable_placements(tmp_path: Path) -> None:
    """And no others are weakly stable within what is left; results of the solver are all accepted."""
    shorter = 0
    for number in range(40):
        instance = random_instance(Random(f"left {number}"), "max_placement", 5, 3)
        oracle, folder = Oracle(instance), tmp_path / str(number)
        market, result = solved(instance)
        tables = tables_of(instance)
        tables.write(folder)
        round_name = Policy.from_tables(tables).round
        result.write(folder / "result", market, tables.digest(), round_name)
        verdict = verify(folder)
        assert not broken(verdict)
        numbers = claim(verdict, "optimality").numbers
        given = Round(folder)
        pairs = Verifier(given, Read(given, folder / "result")).possible()
        left = {
            (given.people[i].id, given.programs[p].id) for i, mine in pairs.items() for p in mine
        }
        opened = frozenset(oracle.classes) - {
            market.order_classes[c.order_class] for c in result.closings
        }
        stable = oracle.weakly_stable(opened)
        held = {(i, p) for made in stable for i, p in made.items() if p}
        assert held <= left
        assert numbers["size_at_most"] >= result.objective[0]
        assert not numbers["only"] or len(stable) == 1
        shorter += len(left) < sum(len(ranks) for ranks in oracle.rank.values())
    assert shorter > 20


def test_a_larger_placement_than_any_is_refused_by_the_cover(tmp_path: Path) -> None:
    """The cover of a right result lets in as many as are placed, and one seat less is uncovered."""
    for number in range(30):
        instance = random_instance(Random(f"cover {number}"), "max_placement", 5, 3)
        market, result = solved(instance)
        cover = result.certificate["cover"]
        if not cover["programs"] or result.objective != result.bound:
            continue
        tables = tables_of(instance)
        folder = tmp_path / str(number)
        tables.write(folder)
        less = result.certificate | {"cover": cover | {"programs": cover["programs"][1:]}}
        round_name = Policy.from_tables(tables).round
        other = replace(result, certificate=less)
        other.write(folder / "result", market, tables.digest(), round_name)
        assert codes(verify(folder), "optimality")[0] == "uncovered"


def test_closings_are_told_as_they_are(tmp_path: Path) -> None:
    folder = largest(tmp_path)
    twice = {"closing": LARGEST_CLOSING * 2}
    edit_json(folder / "result" / "certificate.json", twice)
    sign(folder)
    assert codes(verify(folder), "outcome") == ["closed_classes"]
    assert json.loads((folder / "result" / "certificate.json").read_text("utf-8"))["closing"]
