"""Printed pages: receipts, one's own line, slips, one's own data, as PDF with every rare character.

The font is bundled.  A character that it lacks stops that document and is named, to be written by
hand: never a box in place of somebody's name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fpdf import FPDF
from fpdf.enums import WrapMode

from . import calendar, codes
from .models import Applicant, ChoiceList

FONT = Path(__file__).parent / "fonts" / "NotoSansSC-Regular.ttf"
FAMILY = "noto"
SLIPS_A_PAGE = 8

Line = tuple[str, str]


class Unprintable(ValueError):
    """The font lacks ``characters`` of a document."""

    def __init__(self, characters: str):
        self.characters = characters
        super().__init__(characters)


@cache
def printable() -> frozenset[int]:
    """The characters that the font draws."""
    with TTFont(FONT, lazy=True) as font:
        return frozenset(font.getBestCmap())


def lacking(text: str) -> str:
    """The characters of a text that the font cannot draw, each once."""
    drawn = printable() | {ord("\n")}
    return "".join(dict.fromkeys(c for c in text if ord(c) not in drawn))


class _Sheet(FPDF):
    """An A4 page with our font, that refuses what it cannot draw."""

    def __init__(self, title: str) -> None:
        super().__init__(format="A4")
        self.add_font(FAMILY, fname=FONT)
        self.set_margin(18)
        self.set_auto_page_break(True, 18)
        self.set_title(title)
        self.set_lang("zh-CN")
        self.add_page()

    def say(
        self, text: str, size: float = 11, gap: float = 1, wrap: WrapMode = WrapMode.WORD
    ) -> None:
        """A paragraph."""
        self.refuse(text)
        self.set_font(FAMILY, size=size)
        self.multi_cell(
            0, size * 0.55, text, new_x="LMARGIN", new_y="NEXT", align="L", wrapmode=wrap
        )
        self.ln(gap)

    def refuse(self, text: str) -> None:
        """Stop the document where the font lacks a character of the text."""
        if missing := lacking(text):
            self.close_font()
            raise Unprintable(missing)

    def close_font(self) -> None:
        """Close the font's file, which the library leaves open."""
        font: Any = self.fonts[FAMILY]
        font.ttfont.close()

    def facts(self, lines: Iterable[Line]) -> None:
        """Names and what they are, a line each."""
        for name, value in lines:
            self.say(f"{name}{_('：')}{value or '—'}")


def _bytes(sheet: _Sheet) -> bytes:
    document = bytes(sheet.output())
    sheet.close_font()
    return document


def _moment(value: Any) -> str:
    return calendar.local(value).strftime("%Y-%m-%d %H:%M:%S") if value else ""


def receipt(
    applicant: Applicant, held: ChoiceList, lines: Sequence[str], refused: Sequence[str] = ()
) -> bytes:
    """The receipt of a list that was submitted.

    Parameters
    ----------
    lines
        What each choice is called, in order.
    refused
        Classes that she does not accept by adjustment.
    """
    sheet = _Sheet(_("志愿回执"))
    sheet.say(_("志愿回执"), 20, 3)
    sheet.facts(
        [
            (_("轮次"), f"{applicant.round.title}（{applicant.round.serial}）"),
            (_("报名号"), applicant.number),
            (_("姓名"), applicant.person.name),
            (_("第几次提交"), str(held.number)),
            (_("提交时间"), _("%(time)s（北京时间）", time=_moment(held.submitted_at))),
            (_("查询码"), held.receipt or ""),
        ]
    )
    sheet.ln(2)
    for place, (code, title) in enumerate(zip(held.choices, lines, strict=True), start=1):
        sheet.say(_("第 %(n)s 志愿：%(code)s %(title)s", n=place, code=code, title=title), 13)
    sheet.ln(2)
    sheet.facts([(_("服从调剂"), codes.word(codes.SCOPES, held.adjustment))])
    if refused:
        sheet.facts([(_("不接受的班级"), "、".join(refused))])
    if applicant.entered_by:
        sheet.facts([(_("代填"), applicant.entered_by), (_("确认"), applicant.entry_confirmed)])
    sheet.ln(2)
    sheet.say(_("以最后一次提交为准。截止前可以再改、再提交。"))
    sheet.say(_("校验值（SHA-256）：%(digest)s", digest=held.digest), 9)
    return _bytes(sheet)


def entry(applicant: Applicant, facts: Sequence[Line], lines: Sequence[str]) -> bytes:
    """What an office typed for somebody, to be read and signed by her before it is submitted."""
    sheet = _Sheet(_("代报名确认单"))
    sheet.say(_("代报名确认单"), 20, 3)
    sheet.facts(facts)
    sheet.ln(2)
    for place, title in enumerate(lines, start=1):
        sheet.say(_("第 %(n)s 志愿：%(title)s", n=place, title=title), 13)
    sheet.ln(6)
    sheet.say(_("以上内容已当面念给我听，我核对无误。"))
    sheet.say(_("本人签名：____________  监护人签名：____________  日期：____________"), 11, 4)
    sheet.say(_("打印件编号：____________"))
    return _bytes(sheet)


def placement_line(
    applicant: Applicant, sentences: Sequence[str], own: dict[str, Any] | None
) -> bytes:
    """Her result with its reasons, and her own line of the publication with how to check it."""
    sheet = _Sheet(_("录取结果"))
    sheet.say(_("录取结果"), 20, 3)
    sheet.facts(
        [
            (_("轮次"), f"{applicant.round.title}（{applicant.round.serial}）"),
            (_("报名号"), applicant.number),
            (_("姓名"), applicant.person.name),
        ]
    )
    sheet.ln(2)
    for text in sentences:
        sheet.say(text, 12)
    if own is not None:
        sheet.ln(4)
        sheet.say(_("核对码"), 14)
        sheet.say(_("存成文件，用 check_line.py 核对。"))
        for name, value in own_lines(own):
            sheet.say(name)
            sheet.say(value, 9, wrap=WrapMode.CHAR)
    return _bytes(sheet)


def own_lines(own: dict[str, Any]) -> list[Line]:
    """One's own line as pages and prints show it, and as ``check_line.py`` reads it."""
    code = {name: own[name] for name in ("algorithm", "row", "salt", "path")}
    text = json.dumps(code, ensure_ascii=False, separators=(",", ":"))
    return [(_("核对码"), text), (_("公布的总码"), str(own["root"]))]


def own_data(title: str, facts: Sequence[Line]) -> bytes:
    """Everything that is stored of a person, for herself."""
    sheet = _Sheet(title)
    sheet.say(title, 20, 3)
    sheet.facts(facts)
    return _bytes(sheet)


def slips(people: Sequence[tuple[str, str, str, str]], title: str, address: str) -> bytes:
    """Activation slips, eight to a page.

    Parameters
    ----------
    people
        Per slip the application number, the name, what the code is for, and the code.
    title
        Of the round.
    address
        Where the code is typed in.
    """
    sheet = _Sheet(_("激活单"))
    sheet.set_auto_page_break(False)
    width, height, left, top = 92.0, 66.0, 11.0, 12.0
    for at, (number, name, purpose, code) in enumerate(people):
        place = at % SLIPS_A_PAGE
        if at and not place:
            sheet.add_page()
        x, y = left + width * (place % 2), top + height * (place // 2)
        sheet.rect(x, y, width, height)
        for size, row, text in (
            (10, 5, title),
            (12, 13, f"{_('报名号')}：{number}"),
            (12, 21, f"{_('姓名')}：{name}"),
            (10, 30, purpose),
            (16, 37, code),
            (9, 48, address),
            (9, 54, _("请勿给别人看。")),
        ):
            sheet.refuse(text)
            sheet.set_font(FAMILY, size=size)
            sheet.set_xy(x + 5, y + row)
            sheet.cell(width - 10, size * 0.5, text)
    return _bytes(sheet)
