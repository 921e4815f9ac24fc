"""How small and large rounds look in a terminal."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from matcher import Issue, Policy, Tables, compare, report, solve
from matcher.market import Market
from matcher.terminal import MANY, Voice, comparison, console, figures, issues, percent
from tests.rounds import make_round


@pytest.fixture(autouse=True)
def no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Test runners may state the width of a terminal."""
    monkeypatch.delenv("COLUMNS", raising=False)


def shown(document: dict[str, Any], lang: str = "both") -> str:
    """The figures of a report as printed."""
    stream = io.StringIO()
    figures(Voice(lang, console(stream)), document)
    return stream.getvalue()


def reported(tables: Tables) -> dict[str, Any]:
    """The report of a round's outcome."""
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    return report(market, policy, solve(market, policy))


def test_a_round_without_groups_whose_classes_all_open() -> None:
    text = shown(reported(make_round({"A": "P"}, {"P": 1})))
    assert "人员类别" not in text
    assert "Classes not opened" not in text
    assert "达到最低人数而开班 classes opened at their minimum" in text
    assert "演示数据" not in text


def test_many_open_classes_are_counted_not_listed() -> None:
    seats = {f"P{n:02}": 1 for n in range(MANY + 1)}
    lists = {f"A{n:02}": f"P{n:02}" for n in range(MANY + 1)}
    text = shown(reported(make_round(lists, seats)))
    assert "P00" not in text
    assert "P00" in shown(reported(make_round({"A": "P00"}, {"P00": 1})))


def test_a_coalition_is_said_in_a_sentence() -> None:
    document = reported(make_round({"A": "P"}, {"P": 1}))
    document["fairness"]["coalitions"] = [
        {"order_class": "C", "min_size": 2, "willing": 5, "could_take": 3}
    ]
    assert "班级 C 未开，但有 5 人更想去，其中 3 人排得下（最低 2 人）。" in shown(document)


def test_indicators_name_their_threshold_and_groups() -> None:
    rules = {"report.fit_threshold": 70, "report.groups_of_interest": ["G05", "G06"]}
    tables = make_round(
        {"A": "P"}, {"P": 1}, rules, applicants={"A": {"groups": "g"}},
        scores={"A P": {"score": 1, "fit": 1}},
    )  # fmt: skip
    text = shown(reported(tables), "zh")
    assert "精准匹配率（契合度 ≥ 70/录取）" in text
    assert "重点群体纳入率（G05+G06/录取）" in text
    assert "placed" not in text
    without = {"report.groups_of_interest": []}
    idle = shown(reported(make_round({"A": "P"}, {"P": 1}, without)))
    assert "θ/录取）" in idle


def test_an_issue_is_one_line_whatever_the_cell_holds() -> None:
    stream = io.StringIO()
    voice = Voice("both", console(stream))
    issues(
        voice,
        [
            Issue("notes", 0, "", "unknown_file", "a\nb.csv"),
            Issue("scores", 3, "score", "negative", "-1"),
        ],
    )
    lines = stream.getvalue().splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "错误 notes [unknown_file] a\N{REPLACEMENT CHARACTER}b.csv",
        "错误 成绩表 scores.csv 第 3 行 综合成绩 score [negative] -1",
    ]


@pytest.mark.parametrize(
    ("numerator", "denominator", "text"),
    [
        (1, 8, "12.5%"), (1, 3, "33.3%"), (2, 3, "66.7%"), (1, 2000, "0.1%"), (0, 5, "0.0%"),
        (3, 2, "150.0%"), (1, 0, "—"),
    ],
)  # fmt: skip
def test_shares_are_rounded_half_up(numerator: int, denominator: int, text: str) -> None:
    assert percent(numerator, denominator) == text


def test_columns_that_need_not_add_up_say_so() -> None:
    people = {"A": {"groups": "g;h"}}
    text = shown(reported(make_round({"A": "P"}, {"P": 1}, applicants=people)), "zh")
    assert "一人可同时属于几类，各类相加不等于总人数" in text
    assert "各列相加不一定等于合计" in text


def test_a_paragraph_breaks_between_names_at_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    document = reported(make_round({"A": "P"}, {"P": 1}))
    for width, most in (("60", 60), ("300", 100)):
        monkeypatch.setenv("COLUMNS", width)
        text = shown(document, "zh")
        idle = text[text.index("未启用") : text.index("招生情况统计")].rstrip().splitlines()
        assert len(idle) > 2 and all(cell_len(line) <= most for line in idle)
        assert "精准匹配率（契合度 ≥ θ/录取）、" in "".join(idle), "no name is broken"
        assert all(line.endswith("、") for line in idle[:-1])


def test_people_who_passed_are_named_by_what_is_counted() -> None:
    text = shown(reported(make_round({"A": "P"}, {"P": 1})), "zh")
    assert "审核通过且填报" in text and "报录比（审核通过/计划）" in text


def test_results_are_compared_in_words_and_grouped_numbers() -> None:
    tables = make_round({"A": "P"}, {"P": 1})
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    result = solve(market, policy)
    great = replace(result, objective=(1234567, *result.objective[1:]))
    stream = io.StringIO()
    comparison(Voice("zh", console(stream)), compare(market, policy, result, great))
    assert "OPTIMAL" not in stream.getvalue() and "最优" in stream.getvalue()
    assert "公平录取" in stream.getvalue()
    assert "1,234,567" in stream.getvalue()


def test_counts_of_a_notice_are_grouped() -> None:
    stream = io.StringIO()
    Voice("zh", console(stream)).say("valid", warnings=12345)
    assert stream.getvalue() == "没有错误，提醒 12,345 处。\n"
