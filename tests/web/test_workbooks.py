"""Cells as they are read and written."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest

from web import cells, workbooks
from web.cells import Column, parse, show
from web.sheets import CODES, SHEETS


def value(kind: str, cell: Any, **more: Any) -> Any:
    found, problems = parse(Column("x", "列", "column", kind, **more), cell)
    return problems[0].code if problems and not problems[0].warning else found


@pytest.mark.parametrize(
    ("kind", "cell", "wanted"),
    [
        ("text", "  王五 ", "王五"), ("text", 2026.0, "2026"), ("text", {"date": "2026-06-01"}, "2026-06-01"),
        ("text", "\u3000", None), ("text", "𬭎䶮㛃", "𬭎䶮㛃"), ("text", "\U000323af", "\U000323af"),
        ("text", "\tx", "x"), ("text", "－1", "formula_text"), ("text", "一\ufeff", "character"),
        ("code", "Ｋ００１", "K001"), ("code", "K_1.2-3", "K_1.2-3"), ("code", "甲", "code"),
        ("integer", "１２", 12), ("integer", 12.0, 12), ("integer", 12.5, "integer"), ("integer", "١٢", "integer"),
        ("date", "2026年9月1日", "2026-09-01"), ("date", "2026/9/1", "2026-09-01"),
        ("date", "20260901", "2026-09-01"), ("date", {"date": "2026-09-01"}, "2026-09-01"),
        ("flag", "是", True), ("flag", "否", False), ("flag", True, True), ("flag", "1", "flag"),
        ("score", "８１.５０", "81.5"), ("score", 100.0, "100"), ("score", "缺考", "absent"),
        ("score", "0", "0"), ("score", True, "score"), ("years", 2.5, "2.5"), ("years", "3", "3"),
        ("identity", "11010519491231002x", "11010519491231002X"), ("identity", 1.1e17, "identity_number_cell"),
        ("identity", "٣٧١٠", "identity_format"), ("telephone", 19900000001.0, "19900000001"),
        ("telephone", "0631-5200000", "0631-5200000"), ("telephone", "１９９ ００００ ０００１", "19900000001"),
    ],
)  # fmt: skip
def test_a_cell_is_read(kind: str, cell: Any, wanted: Any) -> None:
    assert value(kind, cell) == wanted


def test_a_choice_is_a_code_a_word_or_both() -> None:
    areas = CODES["areas"]
    for typed in ("371002", "环翠区", "371002 环翠区", "３７１００２", 371002.0):
        assert value("choice", typed, codes=areas) == "371002"
    assert value("choice", "朝阳区", codes=areas) == "choice"
    assert value("choice", "110105", codes=areas, open=True) == "110105"
    assert value("codes", "全日制、PT", codes=CODES["study_forms"]) == "FT;PT"


def test_reserves_are_read_and_written_alike() -> None:
    text = value("reserves", "农民工：2；G05:3!", codes=CODES["groups"])
    assert text == "G05:3!;G06:2"
    assert cells.reserves_text(cells.reserves_of(text)) == text


def test_every_kind_has_a_column_and_every_example_is_valid() -> None:
    used = {column.kind for sheet in SHEETS.values() for column in sheet.columns}
    assert used == set(cells.KINDS)
    for sheet in SHEETS.values():
        assert len({c.name for c in sheet.columns}) == len(sheet.columns)
        assert all(c.english for c in sheet.columns)
        for column in sheet.columns:
            if column.example:
                assert parse(column, column.example)[1] == [], column.heading


def test_code_tables_are_those_of_the_reference() -> None:
    from pathlib import Path

    names = {"education": "educations"}
    for path in (Path(__file__).parents[2] / "data" / "reference").glob("*.csv"):
        with path.open(encoding="utf-8") as file:
            codes = [row["code"] for row in csv.DictReader(file)]
        assert list(CODES[names.get(path.stem, path.stem)]) == codes


def test_values_are_shown_as_they_were_typed() -> None:
    by_name = SHEETS["applicants"].by_name
    assert show(by_name["study_forms"], "FT;PT") == "全日制；非全日制"
    assert show(by_name["fresh"], False) == "否"
    assert show(by_name["note"], None) is None
    assert show(SHEETS["scores"].by_name["skill"], "absent") == "缺考"
    assert show(by_name["district"], "110105") == "110105"


DANGER = [
    f"{sign}{rest}" for sign in workbooks.DANGEROUS for rest in ("1+1", "cmd|' /C calc'!A0", "x")
]


def test_no_text_becomes_a_formula_in_a_file() -> None:
    made = workbooks.write(workbooks.Layout("表", ["列"]), [[text] for text in DANGER])
    sheet = openpyxl.load_workbook(io.BytesIO(made))["表"]
    for row, text in enumerate(DANGER, start=2):
        cell = sheet.cell(row, 1)
        assert cell.data_type == "s" and cell.value.replace("_x000D_", "\r") == text
    body = workbooks.write_csv(["列"], [[text] for text in DANGER] + [[-3], [None]])
    assert body.startswith(b"\xef\xbb\xbf")
    lines = [row[0] for row in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))][1:]
    assert lines == [f"'{text}" for text in DANGER] + ["-3", ""]
    assert body.count(b'"') == 2 * (len(DANGER) + 3) + 0


def test_marked_cells_are_red_with_a_comment() -> None:
    notes = workbooks.Notes({(1, 0): "错了", (1, 1): "空的"}, {1: "整行"})
    made = workbooks.write(
        workbooks.Layout("表", ["甲", "乙"]), [["甲", "乙"], [5]], notes=notes, raw=True
    )
    sheet = openpyxl.load_workbook(io.BytesIO(made))["表"]
    assert (sheet["A2"].comment.text == "错了" and sheet["A2"].fill.bgColor.rgb == "FFFFC7CE") or (
        sheet["A2"].fill.fgColor.rgb == "FFFFC7CE"
    )
    assert sheet["B2"].comment.text == "空的"
    assert (sheet["C1"].value, sheet["C2"].value) == (workbooks.BESIDE, "整行")
