"""A sheet of paper: A4 pages in the bundled font, with paragraphs, tables, places to sign, codes to scan.

A character that the font lacks stops the document and is named, to be written by hand: never a box in
place of somebody's name.  Nothing here knows of rows or requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import segno
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fpdf import FPDF

FONT = Path(__file__).parent / "fonts" / "NotoSansSC-Regular.ttf"
FAMILY = "noto"
MARGIN = 18.0
LEADING = 0.55
"""Height of a line in millimetres, of each point of its letters."""

NEVER_FIRST = frozenset("。，、；：？！）》”’％%·)")
"""Marks that do not begin a line: what stands before one goes with it."""

NEVER_LAST = frozenset("（《“‘〔(")
"""Marks that do not end a line: they go with what stands behind them."""

LARGE, LEAST = 20.0, 13.0
"""The size of a form's title, and how small it may become to stand on one line."""

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
    drawn = printable()
    return "".join(dict.fromkeys(c for c in text if ord(c) not in drawn and c != "\n"))


class Sheet(FPDF):
    """A4 pages with our font, that refuse what they cannot draw."""

    def __init__(
        self, title: str, *, numbered: bool = False, foot: str = "", colon: str = "："
    ) -> None:
        super().__init__(format="A4")
        self.numbered, self.foot, self.colon = numbered, foot, colon
        self.add_font(FAMILY, fname=FONT)
        self._widths: Any = self.fonts[FAMILY].cw
        self._broken: dict[tuple[str, float, float], list[str]] = {}
        """Texts as they were broken into lines: most of a notice is the same for a whole class."""
        self.set_margin(MARGIN)
        self.set_auto_page_break(False)
        self.set_title(title)
        self.set_lang("zh-CN")
        self.add_page()

    @property
    def bottom(self) -> float:
        """Where a page's text ends."""
        return float(self.h) - MARGIN - (4 if self.numbered else 0)

    def footer(self) -> None:
        """What the document is, and which page of how many."""
        if not self.numbered:
            return
        room = self.epw - 34
        self.set_font(FAMILY, size=9 * min(1, room / (self.width_of(self.foot, 9) or 1)))
        self.text(MARGIN, self.h - 12, self.foot)
        with self.local_context():
            self.set_font(FAMILY, size=9)
            self.set_y(-15.4)
            self.cell(0, 5, f"第 {self.page_no()} 页，共 {{nb}} 页", align="R")

    def to_bytes(self) -> bytes:
        """The document."""
        document = bytes(self.output())
        self.close_font()
        return document

    def close_font(self) -> None:
        """Close the font's file, which the library leaves open."""
        font: Any = self.fonts[FAMILY]
        font.ttfont.close()

    def refuse(self, text: str) -> None:
        """Stop the document where the font lacks a character of the text."""
        if missing := lacking(text):
            self.close_font()
            raise Unprintable(missing)

    def room(self, height: float) -> None:
        """Begin a page if that much does not fit on this one."""
        if self.get_y() + height > self.bottom:
            self.add_page()

    # --- text ---------------------------------------------------------------------------------

    def width_of(self, text: str, size: float) -> float:
        """How wide a text is, in millimetres."""
        return float(sum(self._widths[ord(c)] for c in text)) * size / 1000 / float(self.k)

    def lines(self, text: str, width: float, size: float) -> list[str]:
        """A text in lines of a width; words and numbers stay whole where a line can hold them.

        A box to tick stays with what it stands for.
        """
        key = text, width, size
        if key not in self._broken:
            self.refuse(text)
            self._broken[key] = self._break(text, width, size)
        return self._broken[key]

    def _break(self, text: str, width: float, size: float) -> list[str]:
        told: list[str] = []
        for paragraph in text.split("\n"):
            found: list[str] = []
            line: list[str] = []
            used = 0.0
            for word in self._words(paragraph, width, size):
                wide = self.width_of(word, size)
                if line and used + wide > width:
                    keep = len(line)
                    if word in NEVER_FIRST:
                        while keep > 1 and line[keep - 1] in NEVER_FIRST:
                            keep -= 1
                        keep = keep - 1 or len(line)
                    while keep > 1 and line[keep - 1] in NEVER_LAST:
                        keep -= 1
                    found.append("".join(line[:keep]))
                    line = line[keep:]
                    used = self.width_of("".join(line), size)
                    if word == "　":  # what sets apart on a line sets nothing apart at its end
                        continue
                line.append(word)
                used += wide
            told += [*found, "".join(line)]
        return told

    def _words(self, text: str, width: float, size: float) -> Iterable[str]:
        for word in re.findall(r"[□■] [^　：]+|[!-~]+|.", text):
            if self.width_of(word, size) > width:
                yield from word
            else:
                yield word

    def say(self, text: str, size: float = 11, gap: float = 1, align: str = "L") -> None:
        """A paragraph."""
        self.set_font(FAMILY, size=size)
        height = size * LEADING
        for line in self.lines(text, self.epw, size):
            self.room(height)
            self._put(line, MARGIN, self.get_y(), self.epw, size, align)
            self.set_xy(MARGIN, self.get_y() + height)
        self.set_y(self.get_y() + gap)

    def _put(self, line: str, x: float, y: float, width: float, size: float, align: str) -> None:
        spare = width - self.width_of(line, size)
        x += spare / 2 if align == "C" else spare if align == "R" else 0
        if line:
            self.text(x, y + size * LEADING * 0.75, line)

    def head(self, title: str, *under: str) -> None:
        """The title of a form, on one line if it can be, and lines below it."""
        fit = LARGE * self.epw * 0.99 / self.width_of(title, LARGE)
        self.say(title, max(LEAST, min(LARGE, fit)), 2, "C")
        for text in under:
            self.say(text, 11, 1, "C")
        self.ln(2)

    def facts(self, lines: Iterable[Line]) -> None:
        """Names and what they are, a line each."""
        for name, value in lines:
            self.say(f"{name}{self.colon}{value}")

    # --- tables -------------------------------------------------------------------------------

    def ruled(
        self,
        widths: Sequence[float],
        rows: Iterable[Sequence[str]],
        heads: Sequence[str] = (),
        size: float = 10,
        least: float = 0,
        again: str = "",
    ) -> None:
        """A ruled table; long cells wrap, and the heads stand again on every page.

        Parameters
        ----------
        widths
            Of the columns, as shares of the page's width.
        least
            The least height of a row, to write into.
        again
            Said above the rows on every further page.
        """
        total = sum(widths)
        wide = [self.epw * width / total for width in widths]
        self._head(heads, wide, size)
        for row in rows:
            if self._row(row, wide, size, least, break_first=True):
                continue
            self.add_page()
            if again:
                self.say(again, 12, 1)
            self._head(heads, wide, size)
            self._row(row, wide, size, least)
        self.ln(2)

    def _head(self, heads: Sequence[str], wide: Sequence[float], size: float) -> None:
        if heads:
            self._row(heads, wide, size, 0)

    def _row(
        self, row: Sequence[str], wide: Sequence[float], size: float, least: float,
        *, break_first: bool = False,
    ) -> bool:  # fmt: skip
        """Draw a row; not where it needs a new page first."""
        cells = [self.lines(c, w - 3, size) for c, w in zip(row, wide, strict=True)]
        step = size * LEADING
        height = max(least, max(map(len, cells)) * step + 2)
        if break_first and self.get_y() + height > self.bottom:
            return False
        self.set_font(FAMILY, size=size)
        x, y = MARGIN, self.get_y()
        for lines, width in zip(cells, wide, strict=True):
            self.rect(x, y, width, height)
            top = y + (height - len(lines) * step) / 2
            for at, line in enumerate(lines):
                self._put(line, x + 1.5, top + at * step, width - 3, size, "L")
            x += width
        self.set_xy(MARGIN, y + height)
        return True

    def grid(self, pairs: Iterable[Line], size: float = 11) -> None:
        """Names and values as a ruled table of two columns."""
        self.ruled((1, 3.4), list(pairs), size=size)

    # --- to sign and to scan ------------------------------------------------------------------

    def signatures(self, *places: str, gap: float = 12) -> None:
        """Places to sign or stamp and to date, beside each other; a single one at the right."""
        self.room(gap + 18)
        width, size, y = self.epw / max(len(places), 2), 11.0, self.get_y() + gap
        self.set_font(FAMILY, size=size)
        for at, place in enumerate(places):
            x = MARGIN + width * (at if len(places) > 1 else 1)
            for row, line in enumerate(
                [*self.lines(place, width - 4, size), "________年____月____日"]
            ):
                self._put(line, x, y + row * size * 0.75, width, size, "L")
        self.set_y(y + 18)

    def code(self, text: str, x: float, y: float, side: float) -> None:
        """A code to scan, dark modules as one path."""
        # every mask makes a valid code; trying all eight takes five times as long
        rows = tuple(segno.make_qr(text, error="m", boost_error=False, mask=3).matrix)
        module = side / len(rows)
        runs = []
        for at, row in enumerate(rows):
            for found in re.finditer(rb"\x01+", bytes(row)):
                begin, end = found.span()
                runs.append((x + begin * module, y + at * module, (end - begin) * module))
        k, height = float(self.k), float(self.h)
        path = " ".join(
            f"{left * k:.2f} {(height - top) * k:.2f} {width * k:.2f} {-module * k:.2f} re"
            for left, top, width in runs
        )
        self._out(f"q 0 g {path} f Q")
