"""Templates and exports: filled by another library, imported, compared; masked, and never alive."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import select

from tests.web.filled import (
    applicant,
    choice,
    example,
    fill,
    identity,
    in_process,
    make_round,
    move,
    put,
    put_people,
    put_plan,
    read,
    read_file,
    the_round,
    told,
)
from web import db, exports, hints, imports, workbooks
from web.lines import Office
from web.models import College
from web.sheets import HINT_SIGN, SHEETS

__all__ = ["in_process"]


@pytest.fixture
def full(app: Flask, in_process: None) -> Iterator[Flask]:
    """A round with something in every sheet."""
    with app.test_request_context():
        with db.writing() as session:
            make_round(session)
        put_plan()
        move(app, "OPEN")
        put_people(2)
        move(app, "REVIEW")
        put("scores", [example("scores", applicant="A0001", culture=80.5)])
        put("reviews", [example("reviews", applicant="A0001", day="2026-05-30")])
        yield app


STATES = {"demands": "DRAFT", "classes": "DRAFT", "applicants": "OPEN", "choices": "OPEN"}


def test_what_is_exported_is_imported_as_the_same(full: Flask) -> None:
    for key in SHEETS:
        move(full, STATES.get(key, "REVIEW"))
        data = exports.workbook(db.reading(), the_round(), key)
        held = read_file(key, data)
        assert (told(held), held.rows) == ([], []), key
        assert held.counts["same"] >= 1
        # another library writes the same cells anew
        assert read_file(key, fill(data, key, [])).rows == []


def test_a_template_has_hints_drop_downs_and_its_mark(full: Flask) -> None:
    for key, sheet in SHEETS.items():
        book = openpyxl.load_workbook(io.BytesIO(exports.template(db.reading(), the_round(), key)))
        page = book[sheet.title]
        heads = [cell.value for cell in page[1]]
        assert heads == [column.title for column in sheet.columns]
        assert str(page["A2"].value).startswith(HINT_SIGN)
        assert set(book.sheetnames) == {sheet.title, "填写说明", "代码表"} or key == "choices"
        assert book.defined_names["orderclass"].value == f'"{sheet.mark("2026-1")}"'
        listed = {str(rule.sqref).split(":")[0] for rule in page.data_validations.dataValidation}
        for at, column in enumerate(sheet.columns, start=1):
            letter = openpyxl.utils.get_column_letter(at)
            if column.kind == "flag" or (column.kind == "choice" and column.codes):
                assert f"{letter}3" in listed, column.heading
            if column.secret:
                held = [d for d in page.column_dimensions.values() if d.min <= at <= d.max]
                assert [d.number_format for d in held] == ["@"]
        assert read_file(key, exports.template(db.reading(), the_round(), key)).issues[-1][
            "code"
        ] in ("no_rows",)


def test_drop_downs_offer_the_codes(full: Flask) -> None:
    book = openpyxl.load_workbook(
        io.BytesIO(exports.template(db.reading(), the_round(), "classes"))
    )
    page, codes = book["订单班计划"], book["代码表"]
    rules = {str(r.sqref).split(":")[0]: r.formula1 for r in page.data_validations.dataValidation}
    spot = [c.name for c in SHEETS["classes"].columns].index("college") + 1
    span = rules[f"{openpyxl.utils.get_column_letter(spot)}3"].split("!")[1].replace("$", "")
    assert [cell[0].value for cell in codes[span]] == ["C01", "C02"]


def test_numbers_are_masked_in_exports(full: Flask) -> None:
    data = exports.workbook(db.reading(), the_round(), "applicants")
    page = openpyxl.load_workbook(io.BytesIO(data))["报名信息"]
    row = [cell.value for cell in page[3]]
    assert "3710**********" + identity(1)[-4:] in row and "199****0001" in row
    body = exports.csv(db.reading(), the_round(), "applicants").decode("utf-8-sig")
    assert identity(1) not in body and "19900000001" not in body


def test_csv_holds_the_same_rows(full: Flask) -> None:
    body = exports.csv(db.reading(), the_round(), "scores")
    lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert lines[0][0] == "报名号*" and lines[1][:5] == ["A0001", "应届初中", "", "80.5", "82.0"]


def test_an_export_is_narrowed_by_office_and_filter(full: Flask) -> None:
    session = db.reading()
    college = session.scalars(select(College).where(College.code == "C02")).one()
    rows = list(exports.rows(session, the_round(), "classes", Office(college_id=college.id)))
    assert [row[0] for row in rows] == ["K002"]
    only = exports.rows(session, the_round(), "classes", only={"college": "C01"})
    assert [row[0] for row in only] == ["K001"]


def test_rare_names_survive_every_way(full: Flask) -> None:
    move(full, "OPEN")
    for name in ("𬭎䶮㛃", "\U00030edd\U00030ede", "𠮷野"):
        held = read("applicants", [applicant(9, name=name)])
        with db.writing() as session:
            imports.store(session, session.merge(held), exports_actor())
        assert name in exports.csv(db.reading(), the_round(), "applicants").decode("utf-8-sig")
        data = exports.workbook(db.reading(), the_round(), "applicants")
        found = workbooks.read(data, "报名信息").cells
        assert found is not None and name in [row[1] for row in found]


def exports_actor() -> imports.Actor:
    from tests.web.filled import FIRST

    return FIRST


# --- headings, marks, and marked copies -------------------------------------------------------


def test_shifted_columns_are_refused_with_what_was_expected(full: Flask) -> None:
    book = openpyxl.load_workbook(
        io.BytesIO(exports.template(db.reading(), the_round(), "reviews"))
    )
    page = book["资格审核"]
    page.delete_cols(2)
    out = io.BytesIO()
    book.save(out)
    issues = read_file("reviews", out.getvalue()).issues
    assert {issue["code"] for issue in issues} == {"header"}
    assert issues[0]["about"] == {"expected": "审核事项", "found": "结论*"}
    assert len(issues) == 6


def test_a_template_of_something_else_is_refused(full: Flask) -> None:
    with db.writing() as session:
        make_round(session, "REVIEW", "2026-2")
    other = exports.template(db.reading(), the_round("2026-2"), "reviews")
    assert [issue["code"] for issue in read_file("reviews", other).issues] == ["wrong_round"]
    scores = exports.template(db.reading(), the_round(), "scores")
    assert [issue["code"] for issue in read_file("reviews", scores).issues] == ["no_sheet"]
    assert [issue["code"] for issue in read_file("reviews", b"PK").issues] == ["not_xlsx"]
    for mark, code in (("scores|1|2026-1", "other_sheet"), ("reviews|0|2026-1", "old_template")):
        made = workbooks.write(exports.layout(SHEETS["reviews"]), [], mark=mark)
        assert [issue["code"] for issue in read_file("reviews", made).issues] == [code]
    plain = workbooks.write(exports.layout(SHEETS["reviews"]), [])
    assert [issue["code"] for issue in read_file("reviews", plain).issues] == ["no_rows"]


def test_a_marked_copy_shows_the_faults_and_can_be_corrected_and_uploaded(full: Flask) -> None:
    move(full, "OPEN")
    wrong = choice(1, 1, "K009")
    held = read("choices", [wrong, choice(2, 1, "K001")])
    data = imports.uploaded(held)
    assert data is not None
    made = imports.marked(held, data)
    book = openpyxl.load_workbook(io.BytesIO(made))
    page = book["志愿"]
    assert "本轮没有这个班级" in page["C3"].comment.text
    assert "班级代码：本轮没有这个班级" in page["H3"].value and page["H4"].value is None
    page["C3"].value = "K002"
    out = io.BytesIO()
    book.save(out)
    again = read_file("choices", out.getvalue())
    assert (told(again), again.counts["changed"]) == ([], 2)
    imports.forget(held)
    assert imports.uploaded(held) is None


def test_something_beyond_the_headings_is_told(full: Flask) -> None:
    data = fill(
        exports.template(db.reading(), the_round(), "reviews"), "reviews",
        [example("reviews", applicant="A0002", day="2026-05-30")],
    )  # fmt: skip
    book = openpyxl.load_workbook(io.BytesIO(data))
    book["资格审核"]["J3"].value = "多余"
    out = io.BytesIO()
    book.save(out)
    assert told(read_file("reviews", out.getvalue())) == [(3, "", "extra_cell")]


def test_every_hint_of_a_column_is_spoken_in_both_languages() -> None:
    spoken = {str(text._args[0]) for text in (*hints.HINTS, *hints.KINDS.values())}
    latin = re.compile(r"[\x00-\xff]*")
    asked = {
        c.hint for sheet in SHEETS.values() for c in sheet.columns if not latin.fullmatch(c.hint)
    }
    assert asked <= spoken, asked - spoken
    assert {c.kind for sheet in SHEETS.values() for c in sheet.columns} <= set(hints.KINDS)
