"""The three-party agreement on paper, to be signed and stamped: its whole text, in Chinese."""

from __future__ import annotations

from flask_babel import force_locale
from flask_babel import gettext as _

from . import agreement_texts, calendar, words
from .models import Agreement
from .paper import FAMILY, Sheet

SIZES = {"title": 18.0, "head": 12.5, "strong": 12.0, "plain": 10.5}


class _Agreement(Sheet):
    """A sheet whose every page is marked with the agreement's number and the digest of its text."""

    def __init__(self, title: str, mark: str) -> None:
        self.mark = mark
        super().__init__(title)

    def footer(self) -> None:
        """See :class:`fpdf.FPDF`."""
        self.set_y(-15)
        self.set_font(FAMILY, size=7)
        self.multi_cell(0, 4, f"{self.mark}  {self.page_no()}", align="L")


def agreement(held: Agreement, text: str) -> bytes:
    """A three-party agreement to be signed and stamped: its whole text, in Chinese."""
    with force_locale(words.LANGUAGES["zh"]):
        mark = _(
            "协议编号 %(number)s  文本摘要 SHA-256 %(digest)s",
            number=held.number,
            digest=held.digest,
        )
        sheet = _Agreement(_("三方预就业协议"), mark)
        for kind, line in agreement_texts.lines(text):
            sheet.say(line, SIZES[kind], 3 if kind == "title" else 1)
        sheet.ln(6)
        for party, blank in (
            (_("甲方（企业盖章）"), _("经办人签字")),
            (_("乙方（院校盖章）"), _("经办人签字")),
            (_("丙方（学生签字）"), _("证件号码（本人填写）")),
            *([(_("监护人签字"), _("证件号码（本人填写）"))] if held.guardian_needed else []),
        ):
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
            sheet.say(_("电子确认记录（不是可靠电子签名）"), 11)
            sheet.facts(signed)
        return sheet.to_bytes()
