"""Files that are missing, malformed or hostile: never a traceback, never a pass."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from matcher import verify as verify_function
from matcher.verify import Chooser, Round, Unreadable, main, verify

from .test_verify import HEAD, caps
from .verify_rounds import broken, claim, codes, edit, optimal, policy, sign, stable

RESULT = ("placements.csv", "thresholds.csv", "classes.csv", "barred.csv")


@pytest.mark.parametrize(
    "name",
    ["policy.toml", "applicants.csv", "programs.csv", "applications.csv"]
    + [f"result/{name}" for name in (*RESULT, "result.json", "certificate.json")],
)
@pytest.mark.parametrize("content", [None, b"\xff\xfe", b'"'])
def test_unreadable(
    name: str, content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = stable(tmp_path)
    (folder / name).unlink()
    if content:
        (folder / name).write_bytes(content)
    with pytest.raises(Unreadable) as raised:
        verify(folder)
    assert name.rpartition("/")[2] in str(raised.value)
    assert main([str(folder)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("无法读取 / cannot read: ")
    assert name.rpartition("/")[2] in printed.err


@pytest.mark.parametrize("folder", ["nowhere", "bad\0name"])
def test_no_folder(folder: str) -> None:
    assert main([folder]) == 2


@pytest.mark.parametrize(
    "text",
    ["{", "NaN", '{"a": NaN}', '{"a": 1, "a": 2}', "[" * 100_000, '{"a": ' + "9" * 5000 + "}"],
    ids=["cut", "nan", "nan inside", "twice", "deep", "huge"],
)
@pytest.mark.parametrize("name", ["result.json", "certificate.json", "report.json"])
def test_json_that_cannot_be_read(name: str, text: str, tmp_path: Path) -> None:
    folder = stable(tmp_path)
    (folder / "result" / name).write_text(text)
    assert main([str(folder)]) == 2


@pytest.mark.parametrize("text", ["[", "x = " + "9" * 5000, "x = " + "[" * 100_000])
def test_policy_that_cannot_be_read(text: str, tmp_path: Path) -> None:
    folder = stable(tmp_path)
    (folder / "policy.toml").write_text(text)
    assert main([str(folder)]) == 2


MALFORMED = [
    ("applicants.csv", "groups", "group", "column"),
    ("applicants.csv", "adjustment", "groups", "column"),
    ("applicants.csv", "applicant,", "person,", "column_missing"),
    ("applicants.csv", "A,,,", "A,,", "blank"),
    ("applicants.csv", "A,,,", ",,,1", "blank"),
    ("applicants.csv", "A,,,", "B,,,", "twice"),
    ("applicants.csv", "A,,,", "A|,,,", "id"),
    ("applicants.csv", "A,,,", "A,,all,", "value"),
    ("applications.csv", "A,1,K1", "A,1,K2", "unknown"),
    ("applications.csv", "A,1,K1", "Z,1,K1", "unknown"),
    ("applications.csv", "A,1,K1", "A,0,K1", "number"),
    ("applications.csv", "A,1,K1", "A,1.0,K1", "number"),
    ("applications.csv", "A,1,K1", "A,1001,K1", "number"),
    ("applicants.csv", "review", "tie1", "column"),
    ("result/placements.csv", "reason", "x_reason", "column"),
    ("result/thresholds.csv", "lottery,price", "lottery,tie1", "column_missing"),
    ("result/classes.csv", "min_size", "x_min_size", "column"),
    ("policy.toml", "[policy]", "[score]\npass_total = 1e999999999\n[policy]", "number"),
    ("applications.csv", "A,1,K1", "A,9999999999999999,K1", "number"),
    ("applications.csv", "A,1,K1", "A,١,K1", "number"),
    ("programs.csv", "K1,K,2", "K1,X,2", "unknown"),
    ("programs.csv", "K1,K,2", "K1,K,0", "reserves_exceed_capacity"),
    ("reserves.csv", "K1,G,1", "K1,G,-1", "number"),
    ("reserves.csv", "K1,G,1", "K1,G;H,1", "id"),
    ("reserves.csv", "K1,G,1", "K9,G,1", "unknown"),
    ("scores.csv", "A,K1,90", "A,K1,1e3", "number"),
    ("scores.csv", "A,K1,90", "A,K1,NaN", "number"),
    ("scores.csv", "A,K1,90", "A,K1,1.123456789012345", "number"),
    ("scores.csv", "A,K1,90", "A,,90", "score"),
    ("policy.toml", '"stable"', "3", "type"),
    ("policy.toml", '"r1"', '"r|1"', "id"),
    ("policy.toml", "[policy]", "policy = 1\n[policies]", "type"),
    ("policy.toml", "[policy]", "age_rule = 1\n[policy]", "type"),
    ("policy.toml", "[policy]", "age_rule = [1]\n[policy]", "type"),
    ("policy.toml", "[policy]", '[score]\npass_total = "6"\n[policy]', "type"),
    ("policy.toml", "[policy]", "[score]\npass_total = true\n[policy]", "type"),
    ("policy.toml", "[policy]", "[score]\npass_total = nan\n[policy]", "number"),
    ("policy.toml", "[policy]", "[score]\ndigits = 16\n[policy]", "value"),
    ("policy.toml", "[policy]", '[score]\ntiebreak = ["x"]\n[policy]', "value"),
    ("policy.toml", "[policy]", "[[score_channel]]\nculture = 1\n[policy]", "type"),
    ("policy.toml", "[policy]", "[preferences]\nmax = true\n[policy]", "type"),
    ("policy.toml", "[policy]", "[[age_rule]]\nmax = 20\n[policy]", "reference_date"),
    ("policy.toml", "[policy]", '[age]\nreference_date = "2026-9-1"\n[policy]', "date"),
    ("policy.toml", "[policy]", '[age]\nreference_date = "2026-13-01"\n[policy]', "date"),
    ("policy.toml", "[mechanism]", '[mechanism]\nobjective = ["money"]', "value"),
    ("policy.toml", "[mechanism]", '[mechanism]\nrank = "x"', "value"),
    ("policy.toml", "[mechanism]", '[mechanism]\nrank_costs = ["x"]', "type"),
    ("policy.toml", "00ff", "00fx", "seed"),
    ("policy.toml", 'seed = "00ff"', "", "seed"),
    ("result/placements.csv", "E,L1,2", "E,L9,2", "unknown"),
    ("result/placements.csv", "E,L1,2", "X,L1,2", "unknown"),
    ("result/placements.csv", "E,L1,2", "A,L1,2", "twice"),
    ("result/placements.csv", "seat", "seats", "column"),
    ("result/thresholds.csv", "K1,open,full", "K9,open,full", "unknown"),
    ("result/thresholds.csv", "K1,open,full", "K1,open,open", "value"),
    ("result/thresholds.csv", "1,90", "2,90", "value"),
    ("result/thresholds.csv", "1,90", "1,9o", "number"),
    ("result/thresholds.csv", "1,90,@A", "1,90,abc", "number"),
    ("result/thresholds.csv", "1,90,@A", "1,90,", "threshold"),
    ("result/classes.csv", "K,1,2,2", "X,1,2,2", "unknown"),
    ("result/classes.csv", "K,1,2,2", "K,yes,2,2", "value"),
    ("result/classes.csv", "K,1,2,2", "K,1,two,2", "number"),
    ("result/barred.csv", "F,K1,review", "F,K1,colour", "value"),
    ("result/barred.csv", "F,K1,review", "F,K9,review", "unknown"),
    ("result/barred.csv", "F,K1,review", "Z,K1,review", "unknown"),
    ("result/result.json", '"stable"', '"random"', "value"),
    ("result/result.json", '"OPTIMAL"', "1", "value"),
    ("result/result.json", '"unique": true', '"unique": 1', "type"),
    ("result/result.json", '"value": -1', '"value": 0.5', "type"),
    ("result/result.json", '"bound": -1', '"bound": "x"', "type"),
    ("result/result.json", '"objective": [', '"objective": [3, ', "type"),
    ("result/result.json", '"digests"', '"digest"', "type"),
]


@pytest.mark.parametrize(
    ("name", "old", "new", "code"), MALFORMED, ids=lambda value: str(value)[:30]
)
def test_malformed(name: str, old: str, new: str, code: str, tmp_path: Path) -> None:
    folder = stable(tmp_path)
    edit(folder / name, old, new)
    if code != "blank" and not name.endswith("result.json"):
        sign(folder)
    verdict = verify(folder)
    assert broken(verdict) == ["inputs"]
    assert codes(verdict, "inputs") == [code]
    assert {c.trusted for c in verdict.claims[1:]} == {"after:inputs"}


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("extra.csv", "a\n1\n", "file"),
        ("result/thresholds.csv", f"{HEAD},tie1\n", "column"),
        ("reserves.csv", "", "column_missing"),
        ("decisions.csv", "applicant,program,decision\nA,K1,maybe\n", "value"),
        ("decisions.csv", "applicant,program,decision,rule\nA,K1,approved,health\n", "value"),
        ("caps.csv", "cap,seats,college,programs\nX,1,,\n", "cap"),
        ("caps.csv", "cap,seats,college,programs\nX,1,U,K1\n", "cap"),
        ("caps.csv", "cap,seats,programs\nX,1,K9\n", "unknown"),
        ("order_classes.csv", "order_class,min_size,age_min\nK,2,x\nL,0,\nM,3,\n", "number"),
        (
            "order_classes.csv",
            "order_class,min_size,age_min\nK,2,9\nL,0,\nM,3,\n",
            "reference_date",
        ),
        ("order_classes.csv", "order_class,min_size,hire_date\nK,2,x\nL,0,\nM,3,\n", "date"),
        ("order_classes.csv", "order_class,min_size,entry_education\nK,2,7\nL,0,\nM,3,\n", "value"),
        ("scores.csv", "applicant,channel,program,score\nA,W,K1,9\n", "score"),
        ("scores.csv", "applicant,channel,fit\nA,W,1.5\n", "number"),
        ("scores.csv", "applicant,channel,skill\nA,W,good\n", "number"),
        ("applicants.csv", "applicant,education\nA,99\n", "value"),
        ("applicants.csv", "applicant,not_accepted\nA,Z\n", "unknown"),
        (
            "applicants.csv",
            "applicant,not_accepted\nA,K\nB,\nC,\nD,\nE,\nF,\nH,\n",
            "listed_and_refused",
        ),
    ],
)
def test_malformed_tables(name: str, text: str, code: str, tmp_path: Path) -> None:
    folder = stable(tmp_path)
    (folder / name).write_text(text)
    sign_quietly(folder)
    verdict = verify(folder)
    assert broken(verdict) == ["inputs"]
    assert codes(verdict, "inputs") == [code]


def sign_quietly(folder: Path) -> None:
    """Sign a folder whose tables may be empty."""
    if all(path.read_text() for path in folder.glob("*.csv")):
        sign(folder)


def test_tie_breaks_named_twice(tmp_path: Path) -> None:
    folder = stable(tmp_path)
    edit(folder / "policy.toml", "[policy]", '[score]\ntiebreak = ["skill"]\n[policy]')
    edit(folder / "scores.csv", "score\n", "tie1\n")
    assert codes(verify(folder), "inputs") == ["tiebreak_twice"]


@pytest.mark.parametrize(
    ("draw", "code"),
    [
        ({"kind": "coin", "value": "1"}, "value"),
        ({"value": "1"}, "value"),
        ({"kind": "dice", "value": "123"}, "draw"),
        ({"kind": "dice", "value": None}, "draw"),
        ({"kind": "kl8", "issue": "1", "value": list(range(1, 20))}, "draw"),
        ({"kind": "kl8", "issue": "1", "value": [*range(1, 20), 1]}, "draw"),
        ({"kind": "kl8", "issue": "1", "value": [*range(1, 20), 81]}, "draw"),
        ({"kind": "kl8", "issue": "1", "value": ["1", "01", *range(2, 20)]}, "draw"),
        ({"kind": "kl8", "issue": "1", "value": list(range(20))}, "draw"),
        ({"kind": "kl8", "issue": "1", "value": [*range(1, 20), 100]}, "draw"),
        ({"kind": "kl8", "issue": 1, "value": list(range(1, 21))}, "type"),
        ({"kind": "dice", "value": "1" * 20, "seed": "00"}, "seed"),
        ({"kind": "dice", "value": "1" * 20}, "seed"),
    ],
)
def test_draws(draw: dict[str, object], code: str, tmp_path: Path) -> None:
    folder = stable(tmp_path)
    (folder / "draw.json").write_text(json.dumps(draw))
    assert codes(verify(folder), "inputs") == ["seed"]  # beside a seed in the policy
    edit(folder / "policy.toml", 'seed = "00ff"', "")
    assert codes(verify(folder), "inputs") == [code]


def test_violations_are_cut_but_counted(tmp_path: Path) -> None:
    folder = stable(tmp_path)
    people = "\n".join(f"N{k}," for k in range(300))
    with (folder / "applicants.csv").open("a") as file:
        file.write(people.replace(",", ",,,") + "\n")
    sign(folder)
    found = claim(verify(folder), "assignment")
    assert found.numbers["violations"] == 300
    assert len(found.violations) == 200


def test_alone(tmp_path: Path) -> None:
    """The file runs without the package, wherever it is copied."""
    folder = stable(tmp_path / "round")
    source = sys.modules[verify_function.__module__].__file__
    assert source
    shutil.copy(source, tmp_path / "check.py")
    command = [sys.executable, "-I", str(tmp_path / "check.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.decode().count("PROVED") == 10
    (folder / "policy.toml").unlink()
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2


def test_random_damage_is_never_a_traceback(tmp_path: Path) -> None:
    """Cells, lines and bytes replaced at random; what still passes says what it said before."""
    choice = random.Random(1)
    passed = 0
    for kind, make in enumerate((stable, optimal, caps)):
        original = make(tmp_path / f"{kind}")
        copy = tmp_path / "copy"
        files = [p for p in original.rglob("*") if p.is_file()]
        for _ in range(80):
            shutil.copytree(original, copy, dirs_exist_ok=True)
            path = copy / choice.choice(files).relative_to(original)
            text = path.read_text("utf-8")
            at = choice.randrange(len(text))
            new = choice.choice(["", "0", "-1", "9" * 400, "nan", "null", ",", "\n", '"', "é", ";"])
            text = text[:at] + new + text[at + choice.choice([0, 1, 3]) :]
            path.write_text(text, "utf-8")
            if choice.random() < 0.7:
                try:
                    sign(copy)
                except (ValueError, IndexError, KeyError):
                    continue
            try:
                passed += not verify(copy).broken
            except Unreadable:
                continue
    assert passed < 60


def test_report_that_is_no_object(tmp_path: Path) -> None:
    folder = stable(tmp_path)
    (folder / "result" / "report.json").write_text("[]")
    assert codes(verify(folder), "inputs") == ["type"]


def test_long_chains(tmp_path: Path) -> None:
    """Deep structures do not exhaust the stack: 1,100 groups in a chain.

    Everybody but z can take either of two groups; z has only the first, and all move up.
    """
    count = 1100
    names = [*(f"a{k:04}" for k in range(count)), "z"]
    groups = [*(f"{k:04};{k + 1:04}" for k in range(count)), "0000"]
    tables = {
        "applicants": ["applicant,groups", *map(",".join, zip(names, groups, strict=True))],
        "applications": ["applicant,rank,program", *(f"{name},1,P" for name in names)],
        "programs": ["program,capacity", f"P,{count + 1}"],
        "reserves": ["program,group,seats", *(f"P,{k:04},1" for k in range(count + 1))],
        "scores": ["applicant,program,score", *(f"{n},P,{9999 - k}" for k, n in enumerate(names))],
    }
    for name, lines in tables.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(lines))
    (tmp_path / "policy.toml").write_text(policy())
    given = Round(tmp_path)
    everybody = sorted((given.wishes(a)[0][2].key, a.index) for a in given.people)
    assert Chooser(given).reserved_filled(given.programs[0], everybody) == count + 1
