"""Every code that the program can emit has a sentence in both languages, and no sentence is idle."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from matcher import RULES, Constraint, Issue, Policy, Tables, validate
from matcher.changes import OPTIONS
from matcher.fairness import LABELS
from matcher.generate import BAD_CASES, demo
from matcher.messages import (
    KINDS,
    NOTICES,
    SENTENCES,
    Lang,
    of_issue,
    of_reason,
    of_trust,
    placeholders,
    sentence,
    table_name,
    word,
)
from matcher.reasons import GUARANTEES, REASONS
from matcher.remedies import REMEDIES
from matcher.report import GUARANTEES as PROMISES
from matcher.report import NOT_ENABLED, STATISTICS
from matcher.result import Status
from matcher.supposed import WHATIF
from matcher.tables import COMPONENTS, REVIEWS, SCHEMA, SCOPES, STUDY_FORMS
from matcher.verify import CLAIMS
from matcher.words import WORDS

MATCHER = Path(__file__).parents[2] / "matcher"
LANGS: tuple[Lang, Lang] = ("zh", "en")
EMITTERS = (
    "tables", "cells", "identity", "policy", "validate", "score_checks", "solve", "formats/__init__",
    "formats/lists", "formats/glasgow", "formats/preflib", "changes", "whatif_screen",
)  # fmt: skip
SIDES = ("below", "unknown")  # of an age limit
HAN = re.compile("[\u4e00-\u9fff]")
ISSUE_NUMBERS = {"table", "row", "column", "value", "limit"}


def tree(name: str) -> ast.Module:
    return ast.parse((MATCHER / f"{name}.py").read_text(encoding="utf-8"))


def strings(node: ast.AST) -> Iterator[str]:
    """Every text in a piece of code, f-strings by their fixed beginning."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def emitted(name: str) -> set[str]:
    """The issue codes that a module states: arguments of ``Issue`` and what its checks return."""
    codes: set[str] = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            places = {"Issue": slice(3, 4), "issue": slice(1, 2)}.get(called, slice(0, 0))
            for argument in node.args[places]:
                codes.update(strings(argument))
        if (
            isinstance(node, ast.Return)
            and node.value is not None
            and name in ("cells", "identity")
        ):
            codes.update(strings(node.value))
        if isinstance(node, ast.Lambda):
            codes.update(strings(node.body))
    return {code for code in codes if re.fullmatch("[a-z]+(_[a-z]+)+|negative|encoding", code)}


@pytest.mark.parametrize("name", EMITTERS)
def test_every_issue_has_a_remedy(name: str) -> None:
    columns = {c.name for sheet in SCHEMA.values() for c in sheet.columns}
    assert emitted(name) - set(REMEDIES) - columns - {"refused_"} <= {"birth_date"}


def test_every_constraint_that_can_be_refused_has_a_remedy() -> None:
    assert {f"refused_{constraint.value}" for constraint in Constraint} <= set(REMEDIES)


def test_no_remedy_is_idle() -> None:
    said = {text for name in EMITTERS for text in strings(tree(name))}
    said |= {f"refused_{constraint.value}" for constraint in Constraint}
    said |= {f"{word}{text}" for text in said if text.startswith("_") for word in ("age", "health")}
    assert set(REMEDIES) - said == set()


@pytest.mark.parametrize("case", BAD_CASES, ids=lambda case: case.code)
def test_faults_of_a_round_are_told_with_their_remedy(case: object) -> None:
    issue = Issue("applicants", 7, "birth_date", case.code, "甲{x}", "乙")  # type: ignore[attr-defined]
    assert all(of_issue(issue, lang) for lang in LANGS)


@pytest.mark.parametrize("code", list(REMEDIES))
def test_a_remedy_says_in_chinese_how_to_mend_it(code: str) -> None:
    zh, en = REMEDIES[code]
    assert placeholders(zh) | placeholders(en) <= ISSUE_NUMBERS
    assert zh.endswith("。") and en.endswith(".")
    assert re.search("请|可以删去", zh), "no way out"
    assert HAN.search(zh) and not HAN.search(re.sub("快乐8|缺考|免考", "", en))


@pytest.mark.parametrize("code", list(SENTENCES))
def test_both_languages_speak_of_the_same_numbers(code: str) -> None:
    zh, en = SENTENCES[code]
    assert zh and en
    if not code.startswith("issue."):
        assert placeholders(zh) == placeholders(en)


def test_nothing_presents_a_default_as_a_regulation() -> None:
    for zh, _ in SENTENCES.values():
        assert not re.search("国家规定|按规定须|法定|必须达到|文件规定", zh)


def test_reasons_are_those_that_explain_gives() -> None:
    codes = set(strings(tree("explain"))) | {f"barred_{rule}" for rule in RULES}
    codes |= {f"barred_{rule}_{side}" for rule in ("age", "class_age") for side in SIDES}
    assert set(REASONS) - codes == set()
    given = re.compile("(placed|below|price|tail|tied|full|by|no|seat|all|not|cap|class)(_[a-z]+)*")
    said = {code for code in codes if given.fullmatch(code)}
    words = {"seat", "class_of", "cap", "tail", "no_choice", "not_reached", "placed", "price"}
    assert {c for c in said if "_" in c} - set(REASONS) - words == set()


def test_the_kinds_of_numbers_are_those_of_the_sentences() -> None:
    for code, kinds in KINDS.items():
        assert set(kinds) <= placeholders(REASONS[code][0])


def test_words_for_every_code() -> None:
    needed = {f"rule.{rule}" for rule in RULES}
    needed |= {f"label.{label}" for label in LABELS}
    needed |= {f"claim.{claim}" for claim in CLAIMS}
    needed |= {f"status.{status.value}" for status in Status}
    needed |= {f"column.{column}" for column in STATISTICS}
    needed |= {f"indicator.{key}" for key in NOT_ENABLED}
    needed |= {f"component.{name}" for name in COMPONENTS}
    needed |= {f"form.{form}" for form in STUDY_FORMS}
    needed |= {f"scope.{scope}" for scope in SCOPES if scope != "none"}
    needed |= {f"review.{review}" for review in REVIEWS if review != "passed"}
    needed |= {f"mechanism.{name}" for name in PROMISES}
    needed |= {f"guarantee.{code}" for codes in PROMISES.values() for code in codes}
    trusts = re.findall(r'trusted = f?"(\w+)', (MATCHER / "verify.py").read_text("utf-8"))
    trusts += re.findall(r'"" if \w+ else "(\w+)"', (MATCHER / "verify.py").read_text("utf-8"))
    needed |= {f"trusted.{code}" for code in [*trusts, "after"]}
    assert needed - set(SENTENCES) == set()


def test_no_guarantee_is_idle() -> None:
    assert {code for codes in PROMISES.values() for code in codes} == set(GUARANTEES)


def test_no_notice_or_word_is_idle() -> None:
    speakers = (
        "terminal",
        "cli",
        "report",
        "messages",
        "odds",
        "odds_screen",
        "formats/__init__",
        "whatif_screen",
        "speaker",
        "keeping",
        "given",
        "late",
    )
    said = {text for name in speakers for text in strings(tree(name))}
    assert set(NOTICES) - said == set()
    # Kinds whose codes come from the data, from other modules' maps or from the rules.
    from_data = {"group", "sex", "education", "skill", "form", "review", "scope", "component"}
    from_data |= {"rule", "label", "claim", "proof", "trusted", "status", "objective", "age"}
    from_data |= {"part", "given"}
    from_data |= {"severity", "outcome", "dimension", "os", "health", "unpublishable", "listed"}
    idle = set()
    for key in WORDS:
        kind, _, code = key.partition(".")
        if kind not in from_data and not ({code, key} & said or f"{kind}." in said):
            idle.add(key)
    assert idle == set()


def test_what_is_supposed_and_found_is_said_in_sentences_of_which_none_is_idle() -> None:
    said = set(strings(tree("whatif_screen")))
    said |= {option.removeprefix("--") for option in OPTIONS.values()}
    assert set(WHATIF) - said == set()
    endings = (
        "enough|withheld|never|none|missed|sure|monotone|first|same|moves|open|closed|more|lower"
    )
    given = {text for text in said if re.fullmatch(f"[a-z]+(_[a-z]+)*_({endings})", text)}
    assert given - set(WHATIF) == {"more_placed"} & given


def test_the_demo_is_told_in_words() -> None:
    for issue in validate(demo()):
        for lang in LANGS:
            assert "{" not in of_issue(issue, lang)


def test_issues_of_the_policy_and_of_unknown_files() -> None:
    tables = Tables({}, b"[score]\nmax = 1\nmin = 2\nnew = 3\n")
    told = [of_issue(issue, "zh") for issue in validate(tables)]
    assert any("规则里没有“score.new”" in text for text in told)
    assert table_name("notes", "zh") == "notes"
    assert table_name("draw", "en") == "draw.json"
    assert table_name("scores", "en") == "scores.csv"


@pytest.mark.parametrize(
    ("kind", "code", "zh", "en"),
    [
        ("seat", "open", "普通席位", "open seat"),
        ("seat", "G05", "“失业青年”预留席位", "seat reserved for unemployed youth"),
        ("seat", "own", "“own”预留席位", "seat reserved for own"),
        ("education", "71", "初中", "junior secondary"),
        ("education", "?", "?", "?"),
        ("form", "FT;PT", "全日制、非全日制", "full time、part time"),
        ("objective", "rank_3", "第 3 志愿人数", "choice 3"),
        ("choice", "2", "第 2 志愿", "choice 2"),
        ("choice", "0", "调剂", "adjusted"),
        ("choice", "unplaced", "未录取", "unplaced"),
    ],
)
def test_words(kind: str, code: str, zh: str, en: str) -> None:
    assert (word(kind, code, "zh"), word(kind, code, "en")) == (zh, en)


def test_reasons_name_codes_and_blanks() -> None:
    numbers = {"rank": 2, "value": "", "limit": "61"}
    assert of_reason("barred_education", "P", numbers, "zh") == (
        "第 2 志愿 P：学历不够，您 未填，要求 高中阶段。"
    )
    assert of_reason("barred_total", "P", numbers | {"limit": "50"}, "en") == (
        "Choice 2, P: your score is none, the line is 50."
    )


def test_trust_names_the_claim_that_it_waits_for() -> None:
    assert of_trust("after:inputs", "zh") == "“输入与摘要”不成立，未再检验"
    assert of_trust("override:stable", "en").endswith("the policy says stable")
    assert of_trust("openings", "zh")


def test_an_unknown_code_has_no_sentence() -> None:
    with pytest.raises(KeyError):
        sentence("issue.nothing", "zh")


def test_the_policy_has_words_for_its_mechanisms() -> None:
    assert word("mechanism", Policy().mechanism, "zh") == "公平录取"
