"""Cells of workbooks: what a column takes, what is wrong with a cell, and how a value is shown.

A value is a text, a whole number, yes or no, or none where the cell is blank; dates and decimals are
texts.  Names are kept exactly as typed; digits of full width are folded only where a column has a
pattern of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from .workbooks import DANGEROUS, Cell

Value = str | int | bool | None
Row = dict[str, Value]
YES, NO = "是", "否"
ABSENT, EXEMPT = "absent", "exempt"
MARKS = {ABSENT: "缺考", EXEMPT: "免考"}
LOOKALIKES = "•‧∙⋅・･●．.。ㆍ᛫˙"
"""What people type, or copy, for the separator · of a name."""
_INVISIBLE = "\u034f\u115f\u1160\u2800\u3164\uffa0"
_HIDDEN = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_SEPARATORS = re.compile(r"[;；、,，/\s]+")
_DATE = re.compile(
    r"([0-9]{4})(?:[-/.年])([0-9]{1,2})(?:[-/.月])([0-9]{1,2})日?|([0-9]{4})([0-9]{2})([0-9]{2})"
)
_SCIENTIFIC = re.compile(r"[0-9]+(\.[0-9]+)?[eE][+]?[0-9]+")
_TELEPHONE = re.compile(r"1[0-9]{10}|0[0-9]{2,3}-?[0-9]{7,8}(-[0-9]{1,5})?|\+[0-9]{6,15}|[0-9]{8}")
_HAN_SPACE = re.compile(r"(?<=[\u3400-\u9fff\U00020000-\U0003ffff])[ \u3000]+")


@dataclass(frozen=True)
class Problem:
    """Something wrong with a cell: a code, what stood there, and figures for the sentence."""

    code: str
    value: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    warning: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a sheet, declared once: template, import, export and help come from it."""

    name: str
    heading: str
    english: str
    kind: str = "text"
    required: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)
    """For ``choice`` and ``codes``: what each code is called."""
    open: bool = False
    """Whether codes beside those are taken too, to be looked up among the rows stored."""
    low: int = 0
    high: int = 1_000_000
    most: int = 200
    """The longest text."""
    aside: bool = False
    """Whether it only tells of the line, and says nothing that is stored."""
    hint: str = ""
    example: str = ""

    @property
    def title(self) -> str:
        """The heading as it stands in the file: a star marks what must be filled in."""
        return f"{self.heading}*" if self.required else self.heading

    @property
    def typed_as_text(self) -> bool:
        """Whether a spreadsheet must keep every character of it."""
        return self.kind not in ("integer", "score", "money")

    @property
    def secret(self) -> bool:
        """Whether only its mask is ever shown."""
        return self.kind in ("identity", "telephone")


class Wrong(ValueError):
    """A cell that cannot be read."""

    def __init__(self, code: str, **about: Any):
        self.code, self.about = code, about
        super().__init__(code)


def is_blank(cell: Cell | None) -> bool:
    """Whether nothing was typed."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def parse(column: Column, cell: Cell | None) -> tuple[Value, list[Problem]]:
    """The value of a cell, and what is wrong with it."""
    if cell is None or is_blank(cell):
        return None, [Problem("required")] if column.required else []
    try:
        return _KINDS[column.kind](column, cell), list(_doubts(column, cell))
    except Wrong as wrong:
        return None, [Problem(wrong.code, said(cell), wrong.about)]


def said(cell: Cell | None) -> str:
    """A cell as a text, as far as a report shows it."""
    if isinstance(cell, dict):
        return cell["date"]
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return "" if cell is None else str(cell)[:60]


def show(column: Column, value: Value) -> str | int | None:
    """A value as it stands in a workbook."""
    if value is None or value == "":
        return None
    if column.kind == "flag":
        return YES if value else NO
    if column.kind == "score":
        return MARKS.get(str(value), str(value))
    if column.kind == "choice":
        return column.codes.get(str(value), str(value))
    if column.kind == "codes":
        return "；".join(column.codes.get(code, code) for code in str(value).split(";"))
    return value


# --- kinds ------------------------------------------------------------------------------------


def fold(text: str) -> str:
    """Characters of full width as those of ASCII, and no blanks around."""
    return text.translate(_FULL_WIDTH).strip()


def _text(column: Column, cell: Cell) -> str:
    text = _typed(cell)
    return _checked(column, text.strip())


def _name(column: Column, cell: Cell) -> str:
    if not isinstance(cell, str):
        raise Wrong("not_text")
    if cell != cell.strip():
        raise Wrong("blanks_around")
    return _checked(column, cell)


def _checked(column: Column, text: str) -> str:
    for place, character in enumerate(text, start=1):
        if unicodedata.category(character) in _HIDDEN or character in _INVISIBLE:
            raise Wrong("character", place=place, point=f"U+{ord(character):04X}")
    if text.startswith(tuple(DANGEROUS)):
        raise Wrong("formula_text", first=text[0])
    if len(text) > column.most:
        raise Wrong("too_long", most=column.most)
    return text


def _typed(cell: Cell) -> str:
    """A cell of a text column: a whole number loses nothing below 15 digits, a date says itself."""
    if isinstance(cell, bool):
        raise Wrong("not_text")
    if isinstance(cell, (int, float)):
        if not float(cell).is_integer() or abs(cell) >= 1e15:
            raise Wrong("not_text")
        return str(int(cell))
    return said(cell) if isinstance(cell, dict) else cell


def _code(column: Column, cell: Cell) -> str:
    if not isinstance(cell, str):
        raise Wrong("number_cell")
    text = fold(cell)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", text):
        raise Wrong("code")
    return text


def _uscc(column: Column, cell: Cell) -> str:
    from stdnum.cn import uscc
    from stdnum.exceptions import ValidationError

    if not isinstance(cell, str):
        raise Wrong("number_cell")
    text = fold(cell).upper()
    try:
        uscc.validate(text)
    except ValidationError:
        raise Wrong("uscc") from None
    return text


def _identity(column: Column, cell: Cell) -> str:
    """A document number: never from a numeric cell, whose last digits a spreadsheet has changed."""
    if not isinstance(cell, str):
        raise Wrong("identity_number_cell")
    text = "".join(fold(cell).split()).upper()
    if _SCIENTIFIC.fullmatch(text):
        raise Wrong("identity_scientific")
    if not re.fullmatch(r"[0-9A-Z*]{5,30}", text):
        raise Wrong("identity_format")
    return text


def _telephone(column: Column, cell: Cell) -> str:
    text = fold(_typed(cell)).replace(" ", "")
    if not _TELEPHONE.fullmatch(text) and not re.fullmatch(r"[0-9]{3}\*{4}[0-9]{4}|\*{4}", text):
        raise Wrong("telephone")
    return text


def _choice(column: Column, cell: Cell) -> str:
    return _coded(column, _typed(cell))


def _codes(column: Column, cell: Cell) -> str:
    parts = [part for part in _SEPARATORS.split(_typed(cell).strip()) if part]
    found = [_coded(column, part) for part in parts]
    if len(set(found)) != len(found):
        raise Wrong("twice")
    return ";".join(found)


def _coded(column: Column, text: str) -> str:
    """The code of what was typed: a code, its word, or both."""
    text = text.strip()
    folded = fold(text)
    if folded in column.codes:
        return folded
    for code, word in column.codes.items():
        if text in (word, f"{code} {word}", f"{code}{word}"):
            return code
    if column.open and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", folded):
        return folded
    raise Wrong("choice", allowed="、".join(list(column.codes.values())[:20]), said=text[:30])


def _integer(column: Column, cell: Cell) -> int:
    if isinstance(cell, (bool, dict)):
        raise Wrong("integer", low=column.low, high=column.high)
    text = fold(said(cell))
    if not re.fullmatch(r"[0-9]{1,9}", text) or not column.low <= int(text) <= column.high:
        raise Wrong("integer", low=column.low, high=column.high)
    return int(text)


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _years(column: Column, cell: Cell) -> str:
    value = _decimal(fold(said(cell)))
    if value is None or not 0 < value <= 10 or value * 2 % 1:
        raise Wrong("years")
    return plain(value)


def plain(value: Decimal) -> str:
    """A decimal without zeros at its end.

    >>> plain(Decimal("81.50")), plain(Decimal("100"))
    ('81.5', '100')
    """
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _date(column: Column, cell: Cell) -> str:
    if isinstance(cell, dict):
        return cell["date"][:10]
    if not isinstance(cell, str):
        raise Wrong("date")
    match = _DATE.fullmatch(fold(cell))
    if match is None:
        raise Wrong("date")
    try:
        return date(*(int(part) for part in match.groups() if part)).isoformat()
    except ValueError:
        raise Wrong("date") from None


def _flag(column: Column, cell: Cell) -> bool:
    answers = {YES: True, NO: False, True: True, False: False}
    found = answers.get(cell.strip() if isinstance(cell, str) else said(cell) == "True")
    if found is None:
        raise Wrong("flag")
    return found


def _score(column: Column, cell: Cell) -> str:
    """A component of a score: 0 to 100 with two decimals at most, 缺考 or 免考; blank is neither."""
    if isinstance(cell, (bool, dict)):
        raise Wrong("score")
    text = fold(said(cell))
    for mark, word in MARKS.items():
        if text == word:
            return mark
    if text == "作弊":
        raise Wrong("cheated")
    value = _decimal(text) if re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?", text) else None
    if value is None or value > 100:
        raise Wrong("score")
    if value != round(value, 2):
        raise Wrong("score_decimals")
    return plain(value)


def _reserves(column: Column, cell: Cell) -> str:
    """``G05:3;G06:2``; an exclamation mark after the number: never released to others."""
    found: dict[tuple[str, bool], int] = {}
    for part in re.split(r"[;；,，、\s]+", fold(_typed(cell)).strip("; ")):
        match = re.fullmatch(r"(.+?)[::]([0-9]{1,4})(!?)", part)
        if match is None:
            raise Wrong("reserves")
        key = _coded(column, match[1]), bool(match[3])
        if key in found:
            raise Wrong("twice")
        found[key] = int(match[2])
    return reserves_text(found)


def reserves_text(found: Mapping[tuple[str, bool], int]) -> str:
    """Reserved seats as a cell holds them, by group."""
    return ";".join(
        f"{group}:{seats}{'!' if hard else ''}" for (group, hard), seats in sorted(found.items())
    )


def reserves_of(text: Value) -> dict[tuple[str, bool], int]:
    """The reserved seats of a cell that was read: by group and whether they are never released."""
    parts = [part.rstrip("!").split(":") + [part] for part in str(text or "").split(";") if part]
    return {(group, whole.endswith("!")): int(seats) for group, seats, whole in parts}


_KINDS: dict[str, Callable[[Column, Cell], Value]] = {
    "text": _text,
    "name": _name,
    "code": _code,
    "uscc": _uscc,
    "identity": _identity,
    "telephone": _telephone,
    "choice": _choice,
    "codes": _codes,
    "integer": _integer,
    "money": _integer,
    "years": _years,
    "date": _date,
    "flag": _flag,
    "score": _score,
    "reserves": _reserves,
}
KINDS = tuple(_KINDS)


def _doubts(column: Column, cell: Cell) -> list[Problem]:
    """What may be meant as typed, and is asked about: dots and blanks within a name."""
    if column.kind != "name" or not isinstance(cell, str) or cell.isascii():
        return []
    better = "".join("·" if character in LOOKALIKES else character for character in cell)
    if better != cell:
        return [Problem("name_dot", cell, {"better": better}, warning=True)]
    closed = _HAN_SPACE.sub("", cell)
    return [Problem("name_blank", cell, {"better": closed}, warning=True)] if closed != cell else []
