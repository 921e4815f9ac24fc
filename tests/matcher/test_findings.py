"""Every violation of the verifier is told in a sentence, in both languages."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from matcher.findings import FINDINGS
from matcher.messages import of_reason, of_violation, placeholders, word
from matcher.verify import CLAIMS, STATUS_ZH

ROOT = Path(__file__).parents[2]
VERIFIER = (ROOT / "matcher" / "verify.py").read_text(encoding="utf-8")
BY_NAME = {"rank", "seat", "reason", "justified_envy", "waste"}  # codes made of a name


def codes() -> set[str]:
    """The violation codes that the verifier states."""
    found = set(re.findall(r'(?:wrong|Malformed)\(\s*"(\w+)"', VERIFIER))
    for call in re.findall(r"expect\((.*)\)\n", VERIFIER):
        found |= set(re.findall(r', "(\w+)"(?:,|$)', call))
    return found | BY_NAME


def test_every_violation_has_a_sentence_and_no_sentence_is_idle() -> None:
    assert codes() == set(FINDINGS)


@pytest.mark.parametrize("code", list(FINDINGS))
def test_a_violation_is_told_with_all_it_has(code: str) -> None:
    zh, en = FINDINGS[code]
    assert placeholders(zh) == placeholders(en) or code == "class"
    where = {name: f"<{name}>" for name in placeholders(zh)}
    told = of_violation({"code": code, **where}, "zh")
    assert all(value in told for value in where.values())
    assert "—" in of_violation({"code": code}, "en") or not where


def test_a_class_is_told_as_people_speak() -> None:
    violation = {
        "code": "class",
        "order_class": "NEV",
        "stated": (True, 4, 3),
        "own": (False, 0, 3),
    }
    assert of_violation(violation, "zh") == (
        "班级 NEV：写的是开班 4 人（最低 3 人），重算是未开班 0 人（最低 3 人）"
    )
    assert of_violation(violation | {"stated": None}, "en") == (
        "class NEV: stated none, recomputed closed with 0 (minimum 3)"
    )


def test_lists_and_numbers_and_what_has_no_sentence() -> None:
    best = {"code": "not_best", "applicant": "A", "better": ["P", ""]}
    assert of_violation(best, "zh") == "申请人 A：按公布的价格，P, 无 对整体更好"
    strange = {"code": "strange", "applicant": "A", "placed": 1234}
    assert of_violation(strange, "zh") == "与重算不符（strange）：applicant A, placed 1,234"
    assert of_violation({"code": "strange"}, "en") == "differs from the recomputed (strange): —"


def test_the_verifier_and_the_command_line_name_claims_alike() -> None:
    assert {word("claim", name, "zh") for name in CLAIMS} == set(CLAIMS.values())
    assert {word("proof", status, "zh") for status in STATUS_ZH} == set(STATUS_ZH.values())


def test_health_conditions_have_the_names_of_the_code_table() -> None:
    with (ROOT / "data" / "reference" / "health.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for lang in ("zh", "en"):
                assert word("health", row["code"], lang) == row[f"name_{lang}"]
    numbers = {"rank": 1, "value": "H01", "limit": "H01;H03"}
    assert of_reason("barred_health", "P", numbers, "zh") == (
        "第 1 志愿 P：缺身体条件 辨色力正常（岗位要求 辨色力正常、听力正常）。"
    )


@pytest.mark.parametrize(
    ("code", "value", "limit", "said"),
    [
        ("age", "15", "16", "您 15 岁，须满 16 岁。"),
        ("age", "50", "45", "您 50 岁，不超过 45 岁。"),
        ("age", "", "16", "没有出生日期，不能确认年龄。"),
        ("class_age", "15", "18", "您 15 岁，班级要求须满 18 岁。"),
        ("class_age", "31", "30", "您 31 岁，班级要求不超过 30 岁。"),
        ("class_age", "-1", "18", "没有出生日期，不能确认是否符合班级的年龄要求。"),
    ],
)
def test_an_age_is_told_by_the_side_it_is_on(code: str, value: str, limit: str, said: str) -> None:
    numbers = {"rank": 1, "value": value, "limit": limit}
    assert of_reason(f"barred_{code}", "P", numbers, "zh") == f"第 1 志愿 P：{said}"


def test_great_numbers_are_grouped() -> None:
    numbers = {"rank": 1, "seat": "open", "standing": 4312, "capacity": 1000}
    assert "您排第 4,312，席位 1,000 个" in of_reason("placed_choice", "P", numbers, "zh")
