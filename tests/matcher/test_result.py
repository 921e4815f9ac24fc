"""The result's files: every column as the contract says, the same bytes again, read back equal."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from matcher import Policy, Result, Status, Tables
from matcher.mechanisms import load
from matcher.result import Threshold
from tests.rounds import make_round, market, outcome

FILES = ("placements.csv", "thresholds.csv", "classes.csv", "barred.csv", "certificate.json")
RULES = {
    "age.reference_date": "2026-09-01", "age_rule": [{"max": 30, "relaxed_max": 40}],
    "policy.round": "2026春",
}  # fmt: skip
BORN = {"A": "2008-01-01", "B": "1990-01-01", "C": "1960-01-01", "D": "2008-01-01", "E": "2008-01-01",
        "F": "1960-01-01", "G": "2008-01-01", "H": "2008-01-01"}  # fmt: skip


def whole() -> Tables:
    """A round in which everything occurs that the files can tell."""
    people: dict[str, dict[str, str]] = {a: {"birth_date": born} for a, born in BORN.items()}
    people["D"]["groups"] = "g"
    people["H"] |= {"adjustment": "alliance", "not_accepted": "Q;S"}
    return make_round(
        {"H": "T", "A": "P Q", "B": "P", "C": "P", "D": "P", "E": "P", "F": "P", "G": ""},
        {"P": 4, "Q": 2, "R": 1, "S": 1, "T": 2}, RULES, applicants=people,
        programs={"T": {"order_class": "CT"}}, order_classes={"CT": 2},
        decisions=[
            {"applicant": "C", "program": "P", "decision": "approved", "basis": "个案"},
            {"applicant": "H", "program": "T", "decision": "rejected", "basis": "面试,不合格"},
        ],
        scores={
            "A P": {"score": "70.50", "tie1": 1, "tie2": ""}, "B P": {"score": 80, "tie1": "2.5", "tie2": 3},
            "C P": {"score": "70.5", "tie1": 2, "tie2": 0}, "D P": {"score": "", "tie1": "", "tie2": ""},
            "E P": {"score": 60, "tie1": "", "tie2": ""},
        },
        reserves={"P g": 1, "Q g hard": 1}, caps={"K": {"seats": 0, "programs": "S"}},
    )  # fmt: skip


@pytest.fixture(name="written")
def _written(tmp_path: Path) -> Path:
    tables = whole()
    outcome(tables).write(tmp_path, market(tables), tables.digest(), "2026春")
    return tmp_path


def lines(path: Path) -> list[str]:
    """The lines of a file, the header first."""
    return path.read_text(encoding="utf-8").splitlines()


def test_placements(written: Path) -> None:
    """By id; the reasons; rank 0 for adjustment; the group whose seat she has."""
    assert lines(written / "placements.csv") == [
        "applicant,program,rank,seat,reason",
        "A,P,1,open,ordinary",
        "B,P,1,open,relaxed",
        "C,P,1,open,approved",
        "D,P,1,g,ordinary",
        "E,,,,not_reached",
        "F,,,,barred",
        "G,,,,no_choice",
        "H,R,0,open,ordinary",
    ]


def test_somebody_whose_every_choice_is_barred_is_barred_even_with_a_consent(
    tmp_path: Path,
) -> None:
    """Unless her tail holds something: then she was not reached."""
    people = {"A": {"adjustment": "alliance"}, "B": {"adjustment": "alliance"}}
    tables = make_round({"A": "P", "B": "Q"}, {"P": 1, "Q": 1}, applicants=people, decisions=[
        {"applicant": "A", "program": p, "decision": "rejected"} for p in "PQ"
    ])  # fmt: skip
    outcome(tables).write(tmp_path, market(tables), "")
    assert lines(tmp_path / "placements.csv")[1:] == ["A,,,,barred", "B,Q,1,open,ordinary"]


def test_thresholds(written: Path) -> None:
    """Canonical decimals, blanks where nobody is last, the lottery as sixty-four digits."""
    m = market(whole())
    last = {a: m.drawn[m.applicants.index(a)].hex() for a in "ADH"}
    assert lines(written / "thresholds.csv") == [
        "program,stage,state,cap,listed,score,tie1,tie2,lottery,price",
        f"P,soft:g,full,,1,,,,{last['D']},",
        f"P,open,full,,1,70.5,1,,{last['A']},",
        "Q,hard:g,not_full,,,,,,,",
        "Q,open,not_full,,,,,,,",
        f"R,open,full,,0,,,,{last['H']},",
        "S,open,cut,K,,,,,,",
    ]


def test_classes(written: Path) -> None:
    assert lines(written / "classes.csv") == [
        "order_class,opened,placed,min_size",
        "CT,0,0,2",
        "P,1,4,0",
        "Q,0,0,0",
        "R,1,1,0",
        "S,0,0,0",
    ]


def test_barred(written: Path) -> None:
    assert lines(written / "barred.csv") == [
        "applicant,program,rule,value,limit",
        "F,P,age,66,40",
        'H,T,rejected,"面试,不合格",',
    ]


def test_certificate_and_summary(written: Path) -> None:
    assert json.loads((written / "certificate.json").read_bytes()) == {
        "closing": [{"order_class": "CT", "placed": 0, "min_size": 2, "shortfall": 2}]
    }
    about = json.loads((written / "result.json").read_bytes())
    assert list(about) == [
        "mechanism", "status", "unique", "publishable", "objective", "round", "runtime_s", "versions",
        "digests",
    ]  # fmt: skip
    assert (about["mechanism"], about["status"], about["round"]) == ("stable", "OPTIMAL", "2026春")
    assert about["unique"] is about["publishable"] is True
    assert about["objective"] == [
        {"name": n, "value": v, "bound": v}
        for n, v in (("placed", 5), ("reserves", 1), ("rank", -2), ("fit", 0))
    ]
    assert about["digests"] == {"inputs": whole().digest()} | {
        name: hashlib.sha256((written / name).read_bytes()).hexdigest() for name in FILES
    }
    assert set(about["versions"]) >= {"python", "numpy"}


def test_the_same_round_gives_the_same_bytes(
    written: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    again = tmp_path_factory.mktemp("again")
    tables = whole()
    outcome(tables).write(again, market(tables), tables.digest(), "2026春")
    for name in FILES:
        assert (again / name).read_bytes() == (written / name).read_bytes()
        assert b"\r" not in (again / name).read_bytes()


def test_what_is_written_reads_back(
    written: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tables = whole()
    m, made = market(tables), outcome(tables)
    back = Result.read(written, m)
    assert back.matching.tolist() == made.matching.tolist()
    assert back.opened.tolist() == made.opened.tolist()
    same = {f.name for f in fields(Result)} - {"matching", "opened", "runtime"}
    assert {n: getattr(back, n) for n in same} == {n: getattr(made, n) for n in same}
    again = tmp_path_factory.mktemp("again")
    back.write(again, m, tables.digest(), "2026春")
    for name in (*FILES, "result.json"):
        assert (again / name).read_bytes() == (written / name).read_bytes()


def test_prices_are_written_and_read(tmp_path: Path) -> None:
    tables = make_round({"A": "P"}, {"P": 1, "Q": 1})
    m, made = market(tables), outcome(tables)
    priced = [Threshold(0, "open", "full", price=(1, -20, 0)), Threshold(1, "open", "not_full")]
    object.__setattr__(made, "thresholds", priced)
    made.write(tmp_path, m, "")
    assert lines(tmp_path / "thresholds.csv") == [
        "program,stage,state,cap,listed,score,lottery,price",
        "P,open,full,,,,,1;-20;0",
        "Q,open,not_full,,,,,",
    ]
    assert Result.read(tmp_path, m).thresholds == priced


def test_stages_stand_in_the_order_of_choosing(tmp_path: Path) -> None:
    tables = make_round({"A": "Q"}, {"Q": 1, "P": 1})
    m, made = market(tables), outcome(tables)
    stages = ["open", "soft:b", "hard:b", "soft:a", "open_first", "hard:a"]
    shuffled = [Threshold(p, stage, "not_full") for stage in stages for p in (0, 1)]
    object.__setattr__(made, "thresholds", shuffled)
    made.write(tmp_path, m, "")
    found = [line.split(",")[:2] for line in lines(tmp_path / "thresholds.csv")[1:]]
    order = ["open_first", "hard:a", "hard:b", "soft:a", "soft:b", "open"]
    assert found == [[p, stage] for p in "PQ" for stage in order]


def test_a_round_without_a_single_choice_has_files_too(tmp_path: Path) -> None:
    tables = make_round({"A": ""}, {"P": 1})
    m = market(tables)
    outcome(tables).write(tmp_path, m, "")
    assert Result.read(tmp_path, m).thresholds == [Threshold(0, "open", "not_full")]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("placements.csv", "A,P,", "X,P,"),
        ("placements.csv", "A,P,", "A,X,"),
        ("classes.csv", "\nP,", "\nX,"),
        ("thresholds.csv", "\nS,", "\nX,"),
        ("thresholds.csv", "cut,K", "cut,X"),
        ("certificate.json", '"CT"', '"X"'),
    ],
)
def test_files_that_speak_of_another_round(written: Path, name: str, old: str, new: str) -> None:
    path = written / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8", newline="")
    with pytest.raises(ValueError, match="unknown id 'X'"):
        Result.read(written, market(whole()))


@pytest.mark.parametrize("name", [*FILES[:3], "certificate.json", "result.json"])
def test_a_missing_file(written: Path, name: str) -> None:
    (written / name).unlink()
    with pytest.raises(FileNotFoundError):
        Result.read(written, market(whole()))


def test_only_a_complete_and_unique_result_is_publishable() -> None:
    made = outcome(make_round({"A": "P"}, {"P": 1}))

    def changed(**change: Any) -> bool:
        values = {f.name: getattr(made, f.name) for f in fields(Result)} | change
        return Result(**values).publishable

    assert changed()
    assert not changed(status=Status.FEASIBLE)
    assert not changed(unique=False)


def test_a_version_that_cannot_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package may run from a folder that was never installed."""
    from importlib import metadata

    def none(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", none)
    tables = make_round({"A": "P"}, {"P": 1})
    outcome(tables).write(tmp_path, market(tables), "")
    about = json.loads((tmp_path / "result.json").read_bytes())
    assert about["versions"]["numpy"] == "unknown"


@pytest.mark.parametrize("name", ["stable", "parallel"])
def test_a_mechanism_is_a_module_with_two_names(name: str) -> None:
    module = load(name)
    made = make_round({"A": "P"}, {"P": 1})
    result = module.solve(market(made), Policy.from_tables(made))
    assert (result.mechanism, isinstance(module.HONOURS, frozenset)) == (name, True)
