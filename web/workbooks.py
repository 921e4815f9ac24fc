"""Workbooks: read in a limited child process, and written with typed cells.

Nothing of an uploaded file is parsed in the process that serves pages.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xlsxwriter

from .archive import MARK, Fault, Refused

Cell = str | float | int | bool | dict[str, str]
MEGABYTES, SECONDS = 1500, 30
DANGEROUS = "=+-@\t\r＝＋－＠"
"""Characters at the beginning of a text that a spreadsheet may take for a formula."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"


@dataclass(frozen=True)
class Read:
    """A sheet as it was read: its rows, the sheets of the file, and the template's mark."""

    sheets: list[str]
    mark: str
    cells: list[list[Cell]] | None
    """Rows from the first line on; none if the file has no such sheet."""


def read(data: bytes, sheet: str) -> Read:
    """The cells of one sheet of an uploaded workbook.

    Raises
    ------
    Refused
        If the file is not one that may be parsed.
    """
    command = [
        sys.executable, "-I", str(Path(__file__).with_name("archive.py")),
        sheet, str(MEGABYTES), str(SECONDS),
    ]  # fmt: skip
    try:
        made = subprocess.run(
            command, input=data, capture_output=True, timeout=SECONDS, env={}, check=True
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise Refused(Fault("unreadable")) from error
    answer = json.loads(made.stdout)
    if "faults" in answer:
        raise Refused(*(Fault(**fault) for fault in answer["faults"]))
    return Read(answer["sheets"], answer["mark"], answer["cells"])


# --- writing ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """A sheet to be written: headings, hints below them, how each column is typed."""

    title: str
    headings: Sequence[str]
    hints: Sequence[str] = ()
    texts: frozenset[int] = frozenset()
    """Columns typed as text, so that a spreadsheet keeps every digit."""
    lists: Mapping[int, str] = field(default_factory=dict)
    """Columns with a drop-down: the range of the table of codes that it offers."""
    widths: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Notes:
    """Faults of cells, by (row, column) from 0, and what is said of each row."""

    cells: Mapping[tuple[int, int], str]
    rows: Mapping[int, str]


DROP_ROWS = 5_000
BESIDE = "错误说明"
"""The column that a marked copy adds; a file that still has it is read without it."""


def write(
    layout: Layout,
    rows: Iterable[Sequence[Any]],
    *,
    explained: Sequence[Sequence[str]] = (),
    codes: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (),
    mark: str = "",
    notes: Notes | None = None,
    raw: bool = False,
) -> bytes:
    """A workbook of one sheet of data, with 填写说明 and 代码表 beside it.

    Parameters
    ----------
    explained
        Lines of the sheet 填写说明.
    codes
        Tables of codes, each with its name, written side by side on 代码表.
    notes
        Cells to be marked red with a comment, and a text in the column 错误说明 of each row.
    raw
        ``rows`` are every line of the sheet, headings and hints among them.
    """
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
              "strings_to_numbers": False}
    )  # fmt: skip
    head = book.add_format({"bold": True, "bg_color": "#DCE9F2", "text_wrap": True, "border": 1})
    soft = book.add_format({"italic": True, "font_color": "#4B5866", "text_wrap": True})
    text = book.add_format({"num_format": "@"})
    plain = book.add_format({})
    wrong = book.add_format({"bg_color": "#FFC7CE", "font_color": "#9C0006", "num_format": "@"})
    sheet = book.add_worksheet(layout.title)
    for column, heading in enumerate(layout.headings):
        width = layout.widths.get(column, max(12, 2 * len(heading) + 2))
        sheet.set_column(column, column, width, text if column in layout.texts else plain)
    sheet.freeze_panes(2 if layout.hints else 1, 0)
    lines: list[tuple[Sequence[Any], Any]] = []
    if not raw:
        lines.append((layout.headings, head))
        if layout.hints:
            lines.append((layout.hints, soft))
    first = len(lines)
    lines += [(row, None) for row in rows]
    marked = notes.cells if notes else {}
    for at, (row, form) in enumerate(lines):
        for column, value in enumerate(row):
            looks = text if column in layout.texts else plain
            style = form or (wrong if (at, column) in marked else looks)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                sheet.write_number(at, column, value, style)
            elif value is not None and value != "":
                sheet.write_string(at, column, str(value), style)
            elif (at, column) in marked:
                sheet.write_blank(at, column, None, style)
        for column in range(len(row), len(layout.headings)):
            if (at, column) in marked:
                sheet.write_blank(at, column, None, wrong)
    if notes:
        beside = len(layout.headings)
        sheet.set_column(beside, beside, 60)
        sheet.write_string(0, beside, BESIDE, head)
        for at, said in notes.rows.items():
            sheet.write_string(at, beside, said, soft)
        for (at, column), said in marked.items():
            sheet.write_comment(at, column, said, {"x_scale": 2})
    for column, span in layout.lists.items():
        sheet.data_validation(
            first, column, max(first + DROP_ROWS, len(lines)), column,
            {"validate": "list", "source": span, "error_type": "warning",
             "error_title": "请从列表中选", "error_message": "可选的值见“代码表”。"},
        )  # fmt: skip
    if explained:
        page = book.add_worksheet("填写说明")
        page.set_column(0, 0, 24)
        page.set_column(1, 1, 10)
        page.set_column(2, 3, 44)
        for at, line in enumerate(explained):
            for column, said in enumerate(line):
                page.write_string(at, column, said, head if at == 0 else plain)
    if codes:
        page = book.add_worksheet(CODES)
        for at, (name, table) in enumerate(codes):
            page.set_column(2 * at, 2 * at + 1, 20, text)
            page.write_string(0, 2 * at, name, head)
            page.write_string(0, 2 * at + 1, "代码", head)
            for row_at, (label, code) in enumerate(table, start=1):
                page.write_string(row_at, 2 * at, label, text)
                page.write_string(row_at, 2 * at + 1, code, text)
    if mark:
        book.define_name(MARK, f'="{mark}"')
    book.close()
    return out.getvalue()


CODES = "代码表"


def span(at: int, length: int) -> str:
    """Where the table of codes number ``at`` stands on 代码表, as a drop-down names it."""
    from .archive import address

    top, end = address(2, 2 * at + 1), address(length + 1, 2 * at + 1)
    letters = top.rstrip("0123456789")
    return f"={CODES}!${letters}$2:${letters}${end[len(letters) :]}"


def write_csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The same rows as CSV with a byte-order mark; a text that could be a formula is quoted."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(headings)
    for row in rows:
        writer.writerow([_harmless(value) for value in row])
    return out.getvalue().encode("utf-8-sig")


def _harmless(value: Any) -> str:
    if value is None:
        return ""
    said = str(value)
    return f"'{said}" if isinstance(value, str) and said.startswith(tuple(DANGEROUS)) else said
