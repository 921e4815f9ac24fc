"""Printed pages: receipts, one's own line, slips, one's own data, as PDF with every rare character.

The font is bundled.  A character that it lacks stops that document and is named, to be written by
hand: never a box in place of somebody's name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _

from . import calendar, codes
from .models import Applicant, ChoiceList
from .paper import FAMILY, Line, Sheet, Unprintable, lacking

__all__ = [
    "Line",
    "Unprintable",
    "entry",
    "lacking",
    "own_data",
    "own_lines",
    "placement_line",
    "receipt",
    "slips",
]

SLIPS_A_PAGE = 8


def _sheet(title: str) -> Sheet:
    return Sheet(title, colon=str(_("：")))


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
    sheet = _sheet(_("志愿回执"))
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
    return sheet.to_bytes()


def entry(applicant: Applicant, facts: Sequence[Line], lines: Sequence[str]) -> bytes:
    """What an office typed for somebody, to be read and signed by her before it is submitted."""
    sheet = _sheet(_("代报名确认单"))
    sheet.say(_("代报名确认单"), 20, 3)
    sheet.facts(facts)
    sheet.ln(2)
    for place, title in enumerate(lines, start=1):
        sheet.say(_("第 %(n)s 志愿：%(title)s", n=place, title=title), 13)
    sheet.ln(6)
    sheet.say(_("以上内容已当面念给我听，我核对无误。"))
    sheet.say(_("本人签名：____________  监护人签名：____________  日期：____________"), 11, 4)
    sheet.say(_("打印件编号：____________"))
    return sheet.to_bytes()


def placement_line(
    applicant: Applicant, sentences: Sequence[str], own: dict[str, Any] | None
) -> bytes:
    """Her result with its reasons, and her own line of the publication with how to check it."""
    sheet = _sheet(_("录取结果"))
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
            sheet.say(value, 9)
    return sheet.to_bytes()


def own_lines(own: dict[str, Any]) -> list[Line]:
    """One's own line as pages and prints show it, and as ``check_line.py`` reads it."""
    code = {name: own[name] for name in ("algorithm", "row", "salt", "path")}
    text = json.dumps(code, ensure_ascii=False, separators=(",", ":"))
    return [(_("核对码"), text), (_("公布的总码"), str(own["root"]))]


def own_data(title: str, facts: Sequence[Line]) -> bytes:
    """Everything that is stored of a person, for herself."""
    sheet = _sheet(title)
    sheet.say(title, 20, 3)
    sheet.facts([(name, value or "—") for name, value in facts])
    return sheet.to_bytes()


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
    sheet = _sheet(_("激活单"))
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
    return sheet.to_bytes()
