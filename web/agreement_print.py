"""The three-party agreement on paper, to be signed and stamped: its whole text, in Chinese."""

from __future__ import annotations

from flask_babel import force_locale
from flask_babel import gettext as _

from . import agreement_texts, calendar, words
from .models import Agreement
from .paper import LEADING, Sheet

SIZES = {"title": 18.0, "head": 12.5, "strong": 12.0, "plain": 10.5}
KEPT = (SIZES["head"] + SIZES["plain"]) * LEADING + 1
"""The height of a heading and the line below it, which stand on one page."""
SIGNED = 2 * 11 * LEADING + 1
"""The height of a party's place to sign and the date below it, which stand on one page."""


def agreement(held: Agreement, text: str) -> bytes:
    """A three-party agreement to be signed and stamped: its whole text, in Chinese.

    Every page is marked with the agreement's number and the digest of its text.
    """
    with force_locale(words.LANGUAGES["zh"]):
        mark = _(
            "协议编号 %(number)s  文本摘要 SHA-256 %(digest)s",
            number=held.number,
            digest=held.digest,
        )
        sheet = Sheet(_("三方预就业协议"), numbered=True, foot=mark)
        for kind, line in agreement_texts.lines(text):
            if kind == "title":
                sheet.say(line, SIZES[kind], 3, "C")
                continue
            sheet.room(KEPT if kind == "head" else 0)
            sheet.say(line, SIZES[kind])
        sheet.ln(6)
        for party, blank in (
            (_("甲方（企业盖章）"), _("经办人签字")),
            (_("乙方（院校盖章）"), _("经办人签字")),
            (_("丙方（学生签字）"), _("证件号码（本人填写）")),
            *([(_("监护人签字"), _("证件号码（本人填写）"))] if held.guardian_needed else []),
        ):
            sheet.room(SIGNED)
            sheet.say(f"{party}：________________  {blank}：________________")
            sheet.say(_("日期：______年____月____日"), gap=4)
        signed = [
            (
                str(agreement_texts.PARTIES[s.party]),
                f"{s.name}  {calendar.local(s.at):%Y-%m-%d %H:%M}",
            )
            for s in held.signatures
        ]
        if signed:
            sheet.room(SIGNED)
            sheet.say(_("电子确认记录（不是可靠电子签名）"), 11)
            sheet.facts(signed)
        return sheet.to_bytes()
