"""The statistics of a round as files: a workbook whose cells are values, and a print on A4 across."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from itertools import zip_longest

import xlsxwriter
from flask_babel import gettext as _
from fpdf import FPDF
from fpdf.enums import TableCellFillMode
from fpdf.fonts import FontFace

from .paper import FAMILY, FONT, Unprintable, lacking
from .statistics_report import Report, Table, said, unit

SMALL, LARGE = 7, 15
MANY = 15
BEGUN = 24
"""The height of a table's title, its headings and its first rows, in millimetres."""
FIRST_WIDTH, WIDTH = 28, 11


def workbook(held: Report) -> bytes:
    """A sheet for each table; texts stay texts, whatever they begin with."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
               "strings_to_numbers": False}  # fmt: skip
    book = xlsxwriter.Workbook(out, options)
    head = book.add_format({"bold": True, "bg_color": "#DCE9F2", "text_wrap": True, "border": 1})
    bold, plain = book.add_format({"bold": True}), book.add_format({"border": 1})
    for table in held.tables:
        page = book.add_worksheet(table.title[:31])
        page.set_landscape()
        page.set_paper(9)
        page.fit_to_pages(1, 0)
        page.set_column(0, 0, FIRST_WIDTH)
        page.set_column(1, max(1, len(table.heads) - 1), WIDTH)
        page.write_string(0, 0, held.title if table.key == "sheet" else table.title, bold)
        page.write_string(1, 0, "　".join(filter(None, (unit(), held.scope))))
        for at, name in enumerate(table.heads):
            page.write_string(2, at, name, head)
        for number, row in enumerate(table.rows, start=3):
            for at, cell in enumerate(row):
                if isinstance(cell, int):
                    page.write_number(number, at, cell, plain)
                else:
                    page.write_string(number, at, said(cell), plain)
        for number, line in enumerate(_below(held, table), start=len(table.rows) + 4):
            page.write_string(number, 0, line)
    book.close()
    return out.getvalue()


def _below(held: Report, table: Table) -> list[str]:
    """What stands below a table: its notes, and who filled it in."""
    foot = "　".join(f"{name}：{value}" for name, value in held.foot)
    return [*table.notes, foot]


class _Across(FPDF):
    """A4 across, with the font of every print."""

    def __init__(self, title: str, foot: str) -> None:
        super().__init__(orientation="landscape", format="A4")
        self.foot = foot
        self.add_font(FAMILY, fname=FONT)
        self.set_margin(12)
        self.c_margin = 0
        self.set_auto_page_break(True, 18)
        self.set_title(title)
        self.set_lang("zh-CN")
        self.add_page()

    def footer(self) -> None:
        """Who filled it in, and which page of how many."""
        self.set_y(-14)
        self.set_font(FAMILY, size=SMALL + 2)
        self.cell(0, 5, self.foot)
        self.set_x(self.l_margin)
        page = _("第 %(at)s 页，共 %(all)s 页", at=self.page_no(), all="{nb}")
        self.cell(0, 5, page, align="R")

    def begin(self, title: str) -> None:
        """The title of a table, on the page where the table begins."""
        if self.will_page_break(BEGUN):
            self.add_page()
        self.say(title, SMALL + 4)

    def say(self, text: str, size: float) -> None:
        """A paragraph."""
        self.set_font(FAMILY, size=size)
        self.multi_cell(0, size * 0.5, text, new_x="LMARGIN", new_y="NEXT", align="L")

    def note(self, texts: Sequence[str]) -> None:
        """What stands below a table, a line each; many lines in two columns."""
        if len(texts) <= MANY:
            for text in texts:
                self.say(text, SMALL)
            return
        self.set_font(FAMILY, size=SMALL)
        half = (len(texts) + 1) // 2
        with self.table(
            borders_layout="NONE", first_row_as_headings=False, line_height=SMALL * 0.5,
            text_align="LEFT", v_align="TOP",
        ) as laid:  # fmt: skip
            for pair in zip_longest(texts[:half], texts[half:], fillvalue=""):
                laid.row(pair)

    def lay(
        self, heads: Sequence[str], rows: Sequence[Sequence[str]], prose: Collection[int]
    ) -> None:
        """A table over the whole width; its headings come again on each page."""
        self.set_font(FAMILY, size=SMALL)
        first = min(self.epw / 3, max(3 * self.epw / (len(heads) + 2), self._widest(rows)))
        share = (self.epw - first) / (len(heads) - 1)
        with self.table(
            col_widths=(first, *[share] * (len(heads) - 1)), text_align="RIGHT",
            first_row_as_headings=True, line_height=SMALL * 0.55, padding=0.6,
            headings_style=FontFace(emphasis="", fill_color=(220, 233, 242)),
            cell_fill_mode=TableCellFillMode.NONE,
        ) as laid:  # fmt: skip
            for line in (heads, *rows):
                row = laid.row()
                for at, cell in enumerate(line):
                    row.cell(cell, align="LEFT" if at == 0 or at in prose else None)
        self.ln(2)

    def _widest(self, rows: Sequence[Sequence[str]]) -> float:
        """The width that the names of the rows need."""
        return max((self.get_string_width(row[0]) for row in rows), default=0.0) + 3


def document(held: Report) -> bytes:
    """The tables one after the other, each with its notes; on every page who filled them in.

    Raises
    ------
    Unprintable
        If the font lacks a character of a name; the character is told.
    """
    foot = "　　".join(f"{name}：{value}" for name, value in held.foot)
    sheet = _Across(held.title, foot)
    parts = [held.title, held.scope, foot]
    parts += [t for table in held.tables for t in (table.title, *table.heads, *table.notes)]
    parts += [said(c) for table in held.tables for row in table.rows for c in row]
    try:
        if missing := lacking("".join(parts)):
            raise Unprintable(missing)
        sheet.say(held.title, LARGE)
        sheet.say("　".join(filter(None, (unit(), held.scope))), SMALL + 2)
        for table in held.tables:
            sheet.ln(2)
            sheet.begin(table.title)
            if table.rows:
                rows = [[said(cell) for cell in row] for row in table.rows]
                sheet.lay(table.heads, rows, table.prose)
            sheet.note(table.notes)
        return bytes(sheet.output())
    finally:
        sheet.fonts[FAMILY].ttfont.close()  # type: ignore[union-attr]
