"""Importing workbooks: everything that is wrong is told at once, at its row and column, with a way out."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import select

from tests.web.filled import (
    FIRST,
    applicant,
    choice,
    count,
    example,
    identity,
    make_round,
    move,
    put,
    put_people,
    put_plan,
    read,
    review,
    score,
    sentences,
    store,
    the_round,
    told,
)
from web import db, exports, imports
from web.issues import SENTENCES
from web.models import (
    Applicant,
    ChoiceList,
    Import,
    Person,
    Score,
)

CELLS: list[tuple[str, dict[str, Any], tuple[str, str]]] = [
    ("colleges", {"code": 101}, ("code", "number_cell")),
    ("colleges", {"code": "甲一"}, ("code", "code")),
    ("colleges", {"name": None}, ("name", "required")),
    ("colleges", {"name": "+1+1"}, ("name", "formula_text")),
    ("colleges", {"name": "＝HYPERLINK(1)"}, ("name", "formula_text")),
    ("colleges", {"name": "院" * 61}, ("name", "too_long")),
    ("colleges", {"note": "a\u202eb"}, ("note", "character")),
    ("colleges", {"note": "一\n二"}, ("note", "character")),
    ("colleges", {"note": True}, ("note", "not_text")),
    ("colleges", {"note": 1.5}, ("note", "not_text")),
    ("colleges", {"contact": 12}, ("contact", "not_text")),
    ("colleges", {"beds": "很多"}, ("beds", "integer")),
    ("colleges", {"beds": -1}, ("beds", "integer")),
    ("colleges", {"beds": True}, ("beds", "integer")),
    ("colleges", {"joined": "2026-02-30"}, ("joined", "date")),
    ("colleges", {"joined": 46000}, ("joined", "date")),
    ("colleges", {"joined": "去年"}, ("joined", "date")),
    ("colleges", {"telephone": "12"}, ("telephone", "telephone")),
    ("colleges", {"uscc": "91371099MADEM0001V"}, ("uscc", "uscc")),
    ("colleges", {"uscc": 913710990000}, ("uscc", "number_cell")),
    ("enterprises", {"leading": "也许"}, ("leading", "flag")),
    ("demands", {"study_forms": "全日制；FT"}, ("study_forms", "twice")),
    ("demands", {"enterprise": "E99"}, ("enterprise", "no_enterprise")),
    ("demands", {"wage_from": 5000, "wage_to": 4000}, ("wage_to", "reversed")),
    ("demands", {"health": "H01"}, ("health_basis", "basis_needed")),
    ("demands", {"title": "装配工（限男）"}, ("title", "unlawful")),
    ("classes", {"year": 2025}, ("year", "year")),
    ("classes", {"season": "春季"}, ("season", "year")),
    ("classes", {"college": "C99"}, ("college", "no_college")),
    ("classes", {"college": "C02"}, ("college", "other_college")),
    ("classes", {"years": 3.3}, ("years", "years")),
    ("classes", {"enterprise2": "E02"}, ("seats2", "required")),
    ("classes", {"seats2": 5}, ("enterprise2", "required")),
    ("classes", {"enterprise2": "E01", "seats2": 5}, ("enterprise2", "enterprise_twice")),
    ("classes", {"enterprise2": "E77", "seats2": 5}, ("enterprise2", "no_enterprise")),
    ("classes", {"seats": 21}, ("seats", "seats_sum")),
    ("classes", {"min_size": 21}, ("min_size", "min_size")),
    ("classes", {"reserves": "G05:30"}, ("reserves", "reserved")),
    ("classes", {"reserves": "很多"}, ("reserves", "reserves")),
    ("classes", {"reserves": "G05:1;G05:2"}, ("reserves", "twice")),
    ("classes", {"channel": "CH9"}, ("channel", "channel")),
    ("classes", {"age_min": 20, "age_max": 18, "age_basis": "法"}, ("age_max", "reversed")),
    ("classes", {"age_min": 18}, ("age_basis", "basis_needed")),
    ("classes", {"health": "H01"}, ("health_basis", "basis_needed")),
    ("classes", {"note": "限女生"}, ("note", "unlawful")),
]


def test_every_faulty_cell_of_the_plan_is_told_at_once_with_row_and_column(draft: Flask) -> None:
    put_plan()
    for sheet in ("colleges", "enterprises", "demands", "classes"):
        cases = [(cells, wanted) for name, cells, wanted in CELLS if name == sheet]
        key = "K001" if sheet == "classes" else "X"
        lines = [
            example(sheet, code=key if "other_college" in wanted else f"Z{at}") | cells
            for at, (cells, wanted) in enumerate(cases)
        ]
        held = read(sheet, lines)
        assert held.state == "refused"
        found = told(held)
        missing = [w for at, (_, w) in enumerate(cases, start=3) if (at, *w) not in found]
        assert not missing, found


def test_levels_are_those_of_the_kind_of_college(draft: Flask) -> None:
    put("colleges", [example("colleges", tier="技工学校")])
    put("enterprises", [example("enterprises")])
    assert told(read("classes", [example("classes", level="高级工")])) == [(3, "level", "level")]


PEOPLE: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"name": " 张三"}, ("name", "blanks_around")),
    ({"name": "张\u200b三"}, ("name", "character")),
    ({"name": "张\ue000三"}, ("name", "character")),
    ({"name": "@张三"}, ("name", "formula_text")),
    ({"name": 3}, ("name", "not_text")),
    ({"number": 371099200803150000}, ("number", "identity_number_cell")),
    ({"number": "3.71E+17"}, ("number", "identity_scientific")),
    ({"number": "3710992008031500"}, ("number", "identity_format")),
    ({"number": "371099；20080315"}, ("number", "identity_format")),
    ({"number": "371099200802300013"}, ("number", "identity_date")),
    ({"number": lambda number: number[:-1] + ("1" if number[-1] != "1" else "2")}, ("number", "identity_check")),
    ({"birth_date": "2010-03-16"}, ("birth_date", "identity_birth")),
    ({"sex": "女"}, ("sex", "identity_sex")),
    ({"identity_type": "学生证"}, ("identity_type", "choice")),
    ({"identity_type": "护照", "number": "E1"}, ("number", "identity_format")),
    ({"identity_type": "护照", "number": "E1234567"}, ("birth_date", "birth_needed")),
    ({"identity_type": "护照", "number": "E7654321", "birth_date": "2030-01-01"}, ("birth_date", "future")),
    ({"guardian": None}, ("guardian", "guardian")),
    ({"guardian_telephone": None}, ("guardian_telephone", "guardian")),
    ({"consent": "否"}, ("consent", "must_yes")),
    ({"group2": "应届初中毕业生"}, ("group2", "twice")),
    ({"certificate": "X123"}, ("certificate", "certificate")),
    ({"certificate": "Y0000370000012540000001"[:22]}, ("skill_level", "required")),
    ({"certificate": "Y000037000001254000001", "skill_level": "高级工"}, ("skill_level", "certificate_level")),
    ({"certificate": "Y000037000001994000001", "skill_level": "中级工"}, ("certificate", "certificate_year")),
    ({"certificate": "1234567890312345", "skill_level": "中级工"}, ("skill_level", "certificate_level")),
    ({"certificate": "1234567890412345", "skill_level": "中级工"}, ("", "")),
    ({"number": str.lower}, ("", "")),
    ({"number": lambda number: "".join(chr(ord(c) + 0xFEE0) for c in number)}, ("", "")),
]  # fmt: skip


def test_every_faulty_cell_of_applications_is_told_at_once_with_row_and_column(
    planned: Flask,
) -> None:
    # each case is a line of its own: what it says of person 1 is said of the person of that line
    lines = []
    for serial, (cells, _) in enumerate(PEOPLE, start=1):
        typed = {name: _of(serial, value) for name, value in cells.items()}
        lines.append(applicant(serial) | typed)
    held = read("applicants", lines)
    found = told(held)
    for row, (_, wanted) in enumerate(PEOPLE, start=3):
        here = [(column, code) for at, column, code in found if at == row]
        assert here == ([] if wanted == ("", "") else [wanted]), (row, here, wanted)


def _of(serial: int, value: Any) -> Any:
    return value(identity(serial)) if callable(value) else value


def test_one_document_twice_in_a_file_and_other_numbers_are_told(planned: Flask) -> None:
    put("applicants", [applicant(1), applicant(2)])
    held = read("applicants", [
        applicant(3), applicant(4, number=identity(3)),
        applicant(5, number=identity(1)),
        applicant(1, number=identity(9)),
        applicant(6), applicant(6, number=identity(7)),
    ])  # fmt: skip
    assert told(held) == [
        (4, "number", "number_twice"), (5, "applicant", "enrolled_as"), (5, "name", "other_facts"),
        (6, "number", "number_differs"), (8, "applicant", "twice_in_file"),
    ]  # fmt: skip


def test_a_person_of_another_round_is_found_again(planned: Flask) -> None:
    put("applicants", [applicant(1)])
    with db.writing() as session:
        make_round(session, "OPEN", "2026-2")
    second = the_round("2026-2")

    def again(**cells: Any) -> Import:
        from tests.web.filled import fill

        data = fill(exports.template(db.reading(), second, "applicants"), "applicants",
                    [applicant(1, **cells)])  # fmt: skip
        return imports.read(db.reading(), second, "applicants", "a.xlsx", data, FIRST)

    assert told(again()) == [(3, "applicant", "number_used"), (3, "number", "other_round")]
    assert told(again(name="李四", applicant=None)) == [(3, "name", "other_facts")]
    held = again(applicant=None)
    assert told(held) == [(3, "number", "other_round")] and held.state == "previewed"
    store(held)
    assert (count(Person), count(Applicant)) == (1, 2)


def test_a_dot_or_a_blank_in_a_name_is_asked_about_and_kept(planned: Flask) -> None:
    held = read("applicants", [applicant(1, name="阿依古丽•买买提"), applicant(2, name="王 芳")])
    assert [(r, c) for r, _, c in told(held)] == [(3, "name_dot"), (4, "name_blank")]
    assert "阿依古丽·买买提" in sentences(held)[0][0] and "王芳" in sentences(held)[1][0]
    assert held.counts["warnings"] == 2
    store(held)
    assert db.reading().scalars(select(Person.name)).first() == "阿依古丽•买买提"


LISTS: list[tuple[list[dict[str, Any]], tuple[int, str, str]]] = [
    ([choice(1, 1, "K001"), choice(1, 3, "K002")], (3, "rank", "rank_gap")),
    ([choice(1, 1, "K001"), choice(1, 1, "K002")], (4, "rank", "rank_twice")),
    ([choice(1, 1, "K001"), choice(1, 2, "K001")], (4, "order_class", "choice_twice")),
    ([choice(1, 1, "K002"), choice(1, 2, "K002", enterprise="E01")], (4, "order_class", "choice_twice")),
    ([choice(1, 1, "K009")], (3, "order_class", "no_class")),
    ([choice(1, 1, None)], (3, "order_class", "required")),
    ([choice(1, 1, "K001", enterprise="E02")], (3, "enterprise", "no_seat")),
    ([choice(1, 0, "K001")], (3, "order_class", "rank_zero")),
    ([choice(1, 0, None, adjusted="否", adjustment=None)], (3, "adjusted", "empty_list")),
    ([choice(1, 1, "K001", adjustment=None)], (3, "adjustment", "required")),
    ([choice(1, 1, "K001", adjusted="否")], (3, "adjustment", "adjustment_contradicts")),
    ([choice(1, 1, "K001"), choice(1, 2, "K002", adjustment="同一院校")], (4, "adjustment", "not_one_answer")),
    ([choice(1, 1, "K001", not_accepted="K009")], (3, "not_accepted", "no_class")),
    ([choice(99, 1, "K001")], (3, "applicant", "no_applicant")),
    ([choice(1, n, f"K10{n}") for n in range(1, 8)], (9, "rank", "too_many")),
]  # fmt: skip


def test_every_faulty_list_is_told_at_once_with_row_and_column(planned: Flask) -> None:
    put("applicants", [applicant(n) for n in range(1, len(LISTS) + 1)])
    lines, expected = [], []
    for serial, (own, (row, column, code)) in enumerate(LISTS, start=1):
        expected.append((len(lines) + row, column, code))
        lines += [
            line if line["applicant"] == "A0099" else line | {"applicant": f"A{serial:04d}"}
            for line in own
        ]
    held = read("choices", lines)
    assert held.state == "refused"
    assert [issue for issue in expected if issue not in told(held)] == [], told(held)


def test_a_list_of_her_own_is_not_overwritten(planned: Flask) -> None:
    put_people(1)
    with db.writing() as session:
        for held in session.scalars(select(ChoiceList)):
            held.entered_by = "applicant:A0001"
    assert told(read("choices", [choice(1, 1, "K002")])) == [(3, "applicant", "own_list")]
    assert told(read("choices", [choice(1, 1, "K001"), choice(1, 2, "K002")])) == []
    with db.writing() as session:
        session.scalars(select(Applicant)).one().state = "withdrawn"
    assert (3, "applicant", "withdrawn") in told(read("choices", [choice(1, 1, "K002")]))


SCORES: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"skill": 101}, ("skill", "score")),
    ({"skill": -1}, ("skill", "score")),
    ({"skill": "优"}, ("skill", "score")),
    ({"skill": 81.234}, ("skill", "score_decimals")),
    ({"skill": "作弊"}, ("skill", "cheated")),
    ({"standing": "作弊"}, ("standing", "cheated")),
    ({"skill": "免考"}, ("exempt_basis", "exempt_basis")),
    ({"standing": "免考"}, ("exempt_basis", "exempt_basis")),
    ({"skill": 80, "culture": 70, "standing": "缺考"}, ("standing", "standing_contradicts")),
    ({}, ("culture", "no_score")),
    ({"language": 80}, ("language", "not_of_channel")),
    ({"interview": 80}, ("interview", "interview_by_class")),
    ({"order_class": "K001", "skill": 80}, ("skill", "score_by_channel")),
    ({"order_class": "K009", "interview": 80}, ("order_class", "no_class")),
    ({"order_class": "K002", "interview": 80}, ("channel", "channel")),
    ({"skill": 80, "channel": "CH4"}, ("channel", "channel")),
    ({"skill": 80, "checked": "赵老师"}, ("checked", "same_person")),
    ({"skill": 80, "applicant": "A0099"}, ("applicant", "no_applicant")),
    ({"skill": 80, "checked": None}, ("checked", "required")),
]


def test_every_faulty_score_is_told_at_once_with_row_and_column(planned: Flask) -> None:
    put_people(len(SCORES))
    move(planned, "REVIEW")
    held = read("scores", [score(n) | cells for n, (cells, _) in enumerate(SCORES, start=1)])
    found = told(held)
    for row, (_, wanted) in enumerate(SCORES, start=3):
        assert [(column, code) for at, column, code in found if at == row] == [wanted], row


def test_blank_absent_and_nought_are_three_things(examined: Flask) -> None:
    put("scores", [score(1, skill=0), score(2, skill="缺考"), score(3, culture=60)])
    rows = db.reading().scalars(select(Score).order_by(Score.applicant_id)).all()
    assert [s.skill for s in rows] == ["0", "absent", ""]


REVIEWS: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"conclusion": "不通过"}, ("code", "reason_needed")),
    ({"code": "其他原因"}, ("code", "reason_contradicts")),
    ({"day": "2026-12-31"}, ("day", "future")),
    ({"applicant": "A0099"}, ("applicant", "no_applicant")),
    ({"conclusion": "也许"}, ("conclusion", "choice")),
]


def test_every_faulty_review_is_told_at_once_with_row_and_column(examined: Flask) -> None:
    lines = [review(1, matter=f"事项{n}") | cells for n, (cells, _) in enumerate(REVIEWS)]
    expected = [(row, *wanted) for row, (_, wanted) in enumerate(REVIEWS, start=3)]
    assert told(read("reviews", lines)) == expected


def test_people_who_have_not_submitted_are_not_examined(planned: Flask) -> None:
    put("applicants", [applicant(1), applicant(2)])
    with db.writing() as session:
        session.scalars(
            select(Applicant).where(Applicant.number == "A0002")
        ).one().state = "withdrawn"
    move(planned, "REVIEW")
    held = read("reviews", [review(1), review(2)])
    assert told(held) == [(3, "applicant", "not_submitted"), (4, "applicant", "withdrawn")]


def test_every_issue_has_its_sentences_and_says_a_way_out() -> None:
    import re
    from pathlib import Path

    source = "".join(
        path.read_text(encoding="utf-8") for path in (Path(imports.__file__).parent).glob("*.py")
        if path.name.endswith("_rows.py") or path.name in (
            "archive.py", "cells.py", "imports.py", "lines.py", "workbooks.py")
    )  # fmt: skip
    used = set(re.findall(r'(?:Issue|Fault|Wrong|Problem|fault)\(\s*"(\w+)"', source))
    assert used <= set(SENTENCES)
    assert len(used) > 80
    assert all(what and way for what, way in SENTENCES.values())


def test_a_refused_file_says_so_in_sentences(draft: Flask) -> None:
    put_plan()
    held = read("demands", [example("demands", title="限男", people="x")])
    said = sentences(held)
    assert ("应是 1–2000 的整数", "改成整数") in said
    assert any(what == "含有不允许的条件" and "就业促进法" in way for what, way in said)
    move(draft, "FROZEN")
    assert "志愿锁定" in sentences(read("demands", [example("demands")]))[0][0]
