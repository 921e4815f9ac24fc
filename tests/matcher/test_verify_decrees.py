"""What a decree asks for, judged by the verifier: classes that must open, reserves that must be filled."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from matcher import Tables, verify
from tests.matcher.test_cli import run
from tests.matcher.test_resolve import confirmed, signed
from tests.matcher.test_waiting import decided
from tests.matcher.verify_rounds import broken, claim, codes, edit_json
from tests.rounds import make_round

LISTS = {"A": "P Q", "B": "P"}
GROUPS = {"A": {"groups": "g"}, "B": {"groups": "h"}}
CLASSES = {
    "programs": {p: {"order_class": f"K{p}"} for p in "PQ"},
    "order_classes": {"KP": 2, "KQ": 0},
}


def judged(folder: Path, **decrees: Any) -> Any:
    """The verdict on a round whose decrees came after its result, and were signed."""
    rules = {"mechanism.name": "optimal"}
    make_round(LISTS, {"P": 2, "Q": 1}, rules, applicants=GROUPS, **CLASSES).write(folder)
    assert run("solve", folder).exit_code == 0
    make_round(LISTS, {"P": 2, "Q": 1}, rules, applicants=GROUPS, **{**CLASSES, **decrees}).write(
        folder
    )
    edit_json(folder / "result" / "result.json", {"digests": {}})
    about = {"digests": {"inputs": Tables.read(folder).digest()} | dict.fromkeys(
        ("placements.csv", "thresholds.csv", "classes.csv", "barred.csv", "certificate.json"), "")}  # fmt: skip
    edit_json(folder / "result" / "result.json", about)
    signed(folder / "result")
    return verify(folder)


def must_open(one: str) -> dict[str, Any]:
    return {c: {"min_size": n, "must_open": int(c == one)} for c, n in (("KP", 2), ("KQ", 0))}


def test_a_class_that_must_open(tmp_path: Path) -> None:
    assert "min_size" not in broken(judged(tmp_path / "1", order_classes=must_open("KP")))
    found = judged(tmp_path / "2", order_classes=must_open("KQ"))
    assert codes(found, "min_size") == ["must_open"]
    assert claim(found, "min_size").violations[0]["order_class"] == "KQ"


@pytest.mark.parametrize(
    ("reserves", "wrong"),
    [
        ({"P g": {"seats": 1, "must_fill": 1}}, []),
        ({"P g": {"seats": 1, "must_fill": 1}, "P h hard": {"seats": 1, "must_fill": 1}}, []),
        ({"P g": {"seats": 2, "must_fill": 1}}, ["hard_reserve", "must_fill"]),
        ({"P g hard": {"seats": 2, "must_fill": 1}}, ["hard_reserve", "must_fill"]),
        ({"P g": 2}, []),
        ({"Q g": {"seats": 1, "must_fill": 1}}, ["must_fill"]),
        ({"Q g": {"seats": 0, "must_fill": 1}}, []),
    ],
)
def test_a_reserve_that_must_be_filled(
    tmp_path: Path, reserves: dict[str, Any], wrong: list[str]
) -> None:
    found = judged(tmp_path, reserves=reserves)
    assert codes(found, "reserves") == wrong
    for violation in claim(found, "reserves").violations:
        numbers = {"must_fill": ("filled", "seats"), "hard_reserve": ("placed", "room")}
        assert all(violation[name] >= 0 for name in numbers[violation["code"]])


def test_a_confirmed_place_and_who_waits(tmp_path: Path) -> None:
    held = judged(tmp_path / "1", decisions=[*confirmed("A P"), *decided("waiting", "A P")])
    assert claim(held, "kept").numbers == {"confirmed": 1}
    lost = judged(tmp_path / "2", decisions=confirmed("A Q"))
    assert codes(lost, "kept") == ["confirmed_lost"]


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a file of a result."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("people", "states"),
    [
        # A fills the seat that must be, so nobody fills the hard one, and the open one is kept for it
        ({"A": "g"}, {"hard:g": "not_full", "soft:g": "not_full", "open": "full"}),
        ({"A": "g", "B": "g"}, {"hard:g": "full", "soft:g": "full", "open": "full"}),
    ],
)
def test_a_seat_that_must_be_filled_leaves_the_hard_one_empty(
    people: dict[str, str], states: dict[str, str], tmp_path: Path
) -> None:
    lists = dict.fromkeys(people, "P") | {"X": "P"}
    make_round(
        lists, {"P": 2}, {"mechanism.name": "optimal"},
        applicants={i: {"groups": g} for i, g in people.items()},
        reserves={"P g": {"seats": 1, "must_fill": 1}, "P g hard": 1},
    ).write(tmp_path)  # fmt: skip
    assert run("solve", tmp_path).exit_code == 0
    assert not verify(tmp_path).broken
    found = {row["stage"]: row["state"] for row in rows(tmp_path / "result" / "thresholds.csv")}
    assert found == states
    placed = {r["applicant"]: r["program"] for r in rows(tmp_path / "result" / "placements.csv")}
    assert placed == dict.fromkeys(people, "P") | {"X": ""}
