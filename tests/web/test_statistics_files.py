"""The workbook and the print of the statistics say what the page says, and nothing in them is live."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from tests.web import offices as o
from tests.web.a_round import CONFIRMING, SERIAL, standing
from tests.web.test_enterprise import publish
from web import db, statistics_files, statistics_report
from web.models import Enterprise, Round, Setting
from web.paper import Unprintable
from web.statistics_report import Report

Opened = tuple[Flask, Report]


@pytest.fixture
def report(tmp_path: Path) -> Opened:
    app = standing(tmp_path, "confirming", lambda: CONFIRMING)
    with app.app_context(), db.writing() as session:
        session.add(Setting(name="主办单位", value="市人社局"))
    with app.test_request_context():
        round_ = db.reading().scalars(select(Round)).one()
        return app, statistics_report.of(db.reading(), round_, "industry", "王五")


def test_the_workbook_holds_the_tables_of_the_page(report: Opened) -> None:
    app, held = report
    with app.test_request_context():
        data = statistics_files.workbook(held)
    read = CalamineWorkbook.from_filelike(io.BytesIO(data))
    assert read.sheet_names == [table.title for table in held.tables]
    for table in held.tables:
        lines = read.get_sheet_by_name(table.title).to_python()
        assert lines[1][0] == "单位：人、个、%"
        assert lines[2][: len(table.heads)] == list(table.heads)
        for line, row in zip(lines[3:], table.rows, strict=False):
            assert line[: len(row)] == [
                float(c) if isinstance(c, int) else statistics_report.said(c) for c in row
            ]
        below = [line[0] for line in lines[3 + len(table.rows) :]]
        assert below[-1] == "填报单位：市人社局　填表人：王五　审核人：＿＿＿＿　日期：2026-06-09"
        assert [note for note in table.notes if note not in below] == []


def test_no_name_becomes_a_formula(app: Flask, as_user: Callable[..., FlaskClient]) -> None:
    w = o.world(app, as_user, "PUBLISHED")
    publish(w)
    with w.writing() as s:
        o.office(s, Enterprise, "X").name = '=HYPERLINK("http://x")'
        for code in ("X", "Y"):
            o.office(s, Enterprise, code).code = {"X": "=1+1", "Y": "@SUM(1)"}[code]
    answer = w.as_("b1").post(f"/bureau/{SERIAL}/statistics/xlsx?by=enterprise")
    book = load_workbook(io.BytesIO(answer.data))
    names = [book.worksheets[0].cell(row, 1) for row in (4, 5)]
    assert [cell.value[:4] for cell in names] == ["=1+1", "@SUM"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        pages = [packed.read(n) for n in packed.namelist() if n.startswith("xl/worksheets/sheet")]
    assert pages and not any(b"<f>" in page for page in pages)


def test_the_print_is_on_a4_across_and_in_chinese(report: Opened) -> None:
    app, held = report
    with app.test_request_context():
        data = statistics_files.document(held)
    assert data.startswith(b"%PDF") and b"/MediaBox [0 0 841.89 595.28]" in data
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(data)).pages]
    for at, page in enumerate(pages, start=1):
        assert f"第 {at} 页，共 {len(pages)} 页" in page and "填表人：王五" in page
    said = "".join(pages)
    assert len(pages) > 1 and all(title in said for title in (t.title for t in held.tables))
    assert all(note[:8] in said for table in held.tables for note in table.notes)


def test_a_character_that_the_font_lacks_is_named(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    w = o.world(app, as_user, "PUBLISHED")
    with w.writing() as s:
        o.office(s, Enterprise, "X").name = "\U00020bb7野家"
    b1 = w.as_("b1")
    answer = b1.post(f"/bureau/{SERIAL}/statistics/pdf?by=enterprise", follow_redirects=True)
    assert "字库缺少这些字，不能打印：\U00020bb7" in answer.text
    with w.app.test_request_context():
        round_ = db.reading().scalars(select(Round)).one()
        held = statistics_report.of(db.reading(), round_, "enterprise", "b1")
        with pytest.raises(Unprintable):
            statistics_files.document(held)


def test_files_are_chinese_whatever_the_page_speaks(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    w = o.world(app, as_user, "PUBLISHED")
    b1 = w.as_("b1")
    b1.post("/language", data={"lang": "en"})
    page = b1.get(f"/bureau/{SERIAL}/statistics").text
    assert "Statistics of the round" in page and "Seats planned" in page
    book = load_workbook(io.BytesIO(b1.post(f"/bureau/{SERIAL}/statistics/xlsx").data))
    assert book.sheetnames[0] == "招生情况统计表"
