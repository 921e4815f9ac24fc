"""What one cell of a round may hold, by the kind of its column.

A column of a large round has few distinct cells, so each distinct cell is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import Cells
from .columns import Int as Int
from .tables import ABSENT, EXEMPT, Column, split

Bool = NDArray[np.bool_]

BLANK = int(np.iinfo(np.int64).min)
"""Stands for a blank cell in integer columns; below every number, as a blank comes last."""

ABSENT_MARK, EXEMPT_MARK = BLANK + 1, BLANK + 2
"""Stand for 缺考 and 免考 in columns of score components."""

_INT = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FULL_WIDTH = re.compile("[\uff10-\uff19\uff0d\uff0e\uff0b]")
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_FORMULA = re.compile("[-=+@\uff0d\uff1d\uff0b\uff20]")
"""How a cell begins that a spreadsheet takes for a formula."""

_SEPARATOR = re.compile("[,\uff0c\uff1b\u3001]")
_SUSPECT = re.compile(rf"[|;]|^\s|\s\Z|^{_FORMULA.pattern}|{_CONTROL.pattern}")
_MAX_WHOLE = 9
"""Digits of a whole number: any sum over a province of people stays far within 64 bits."""

_MAX_DIGITS = 15

_PIECE = 1 << 14
"""Lines of a column that are looked at together, piece by piece."""


def fault(cell: str, column: Column) -> tuple[str, str] | None:
    """What is wrong with a cell of that column: issue code and limit; None where nothing is."""
    if cell == "":
        return ("missing_value", "") if column.required else None
    if column.kind in ("id", "ids"):
        return _fault_of_ids(cell, column)
    if column.kind == "code":
        return None if cell in column.codes else ("unknown_code", " ".join(column.codes))
    if column.kind in _CHECKS:
        code = _CHECKS[column.kind](cell)
        if code and _FULL_WIDTH.search(cell):
            code = "full_width"
        return (code, "") if code else None
    return None


def _fault_of_ids(cell: str, column: Column) -> tuple[str, str] | None:
    if not column.codes and column.kind == "id" and not _SUSPECT.search(cell):
        return None
    if _FORMULA.match(cell):
        return "formula", ""
    if column.kind == "ids" and _SEPARATOR.search(cell):
        return "separator", ""
    entries = cell.split(";") if column.kind == "ids" else [cell]
    for entry in entries:
        if entry != entry.strip() or entry == "":
            return "whitespace", ""
        if "|" in entry or ";" in entry or _CONTROL.search(entry):
            return "forbidden_character", ""
        if column.codes and entry not in column.codes:
            return "unknown_code", " ".join(column.codes)
    if len(set(entries)) < len(entries):
        return "repeated_entry", ""
    return None


def _fault_of_int(cell: str) -> str:
    if not _INT.fullmatch(cell):
        return "not_integer"
    return "too_large" if len(cell.lstrip("-")) > _MAX_WHOLE else ""


def _fault_of_count(cell: str) -> str:
    code = _fault_of_int(cell)
    return code or ("negative" if cell.startswith("-") else "")


def _fault_of_decimal(cell: str) -> str:
    if not _DECIMAL.fullmatch(cell):
        return "not_number"
    return "too_long" if len(cell.strip("-").replace(".", "")) > _MAX_DIGITS else ""


def _fault_of_component(cell: str) -> str:
    return "" if cell in (ABSENT, EXEMPT) else _fault_of_decimal(cell)


def _fault_of_date(cell: str) -> str:
    try:
        good = _DATE.fullmatch(cell) and date.fromisoformat(cell)
    except ValueError:
        good = None
    return "" if good else "not_date"


def _fault_of_flag(cell: str) -> str:
    return "" if cell in ("0", "1") else "not_flag"


_CHECKS = {
    "int": _fault_of_int, "count": _fault_of_count, "decimal": _fault_of_decimal,
    "component": _fault_of_component, "date": _fault_of_date, "flag": _fault_of_flag,
}  # fmt: skip


def integers(cells: Sequence[str], blank: int = BLANK) -> Int:
    """Integers of valid cells; ``blank`` for blank ones."""
    return _look_up(cells, lambda cell: int(cell) if cell else blank)


def dates(cells: Sequence[str]) -> Int:
    """Dates of valid cells as the number YYYYMMDD; 0 for blank ones."""
    return _look_up(cells, lambda cell: int(cell.replace("-", "")) if cell else 0)


def decimal_places(cells: Iterable[str]) -> int:
    """The greatest number of decimal places in valid cells."""
    return max((len(cell.partition(".")[2]) for cell in distinct(cells)), default=0)


def scaled(cells: Sequence[str], places: int) -> Int:
    """Decimals of valid cells, exactly, as integers in units of ``10**-places``.

    Blank, ``absent`` and ``exempt`` cells have the marks of this module.
    """
    return _look_up(cells, lambda cell: scale(cell, places))


def scale(cell: str, places: int) -> int:
    """One valid decimal, exactly, in units of ``10**-places``."""
    if cell == "":
        return BLANK
    if cell in (ABSENT, EXEMPT):
        return ABSENT_MARK if cell == ABSENT else EXEMPT_MARK
    whole, _, fraction = cell.partition(".")
    return int(whole + fraction.ljust(places, "0"))


def unscaled(value: int, places: int) -> str:
    """The canonical decimal of a scaled integer: no trailing zeros, blank for a blank.

    >>> unscaled(8150, 2), unscaled(8000, 2), unscaled(-5, 1), unscaled(BLANK, 2)
    ('81.5', '80', '-0.5', '')
    """
    if value == BLANK:
        return ""
    digits = str(abs(value)).rjust(places + 1, "0")
    whole, fraction = digits[: len(digits) - places], digits[len(digits) - places :].rstrip("0")
    return ("-" if value < 0 else "") + whole + ("." + fraction if fraction else "")


def index(ids: Iterable[str]) -> dict[str, int]:
    """The position of each id."""
    return {name: at for at, name in enumerate(ids)}


def positions(cells: Sequence[str], index: dict[str, int]) -> Int:
    """The index of each id; −1 for an unknown or blank one."""
    return _look_up(cells, lambda cell: index.get(cell, -1))


def codes(cells: Sequence[str]) -> tuple[Int, list[str]]:
    """Each cell as the index of a sorted list of the distinct cells, and that list."""
    found = sorted(distinct(cells))
    return positions(cells, {cell: at for at, cell in enumerate(found)}), found


def members(cells: Sequence[str]) -> tuple[NDArray[np.bool_], list[str]]:
    """Cells of several entries as a matrix (lines × distinct entries), and the sorted entries."""
    number, found = factor(cells)
    entries = sorted({entry for cell in found for entry in split(cell)})
    at = {entry: position for position, entry in enumerate(entries)}
    matrix = np.zeros((len(found), len(entries)), bool)
    for row, cell in enumerate(found):
        matrix[row, [at[entry] for entry in split(cell)]] = True
    return matrix[number], entries


def factor(cells: Sequence[str]) -> tuple[Int, list[str]]:
    """The number of each cell's distinct value, and the distinct values."""
    return (cells if isinstance(cells, Cells) else Cells(cells)).factor


def distinct(cells: Iterable[str]) -> Iterable[str]:
    """The distinct cells."""
    return cells.factor[1] if isinstance(cells, Cells) else set(cells)


def _look_up(cells: Sequence[str], value: Callable[[str], int]) -> Int:
    number, found = factor(cells)
    return np.fromiter(map(value, found), np.int64, len(found))[number]


def filled(column: Sequence[str]) -> Bool:
    """Which cells are not blank."""
    number, distinct = factor(column)
    return np.array([bool(cell) for cell in distinct], bool)[number]


def width(greatest: int) -> Any:
    """The type of a column whose numbers, in absolute value, are this great at most: of 32 bits if it can be."""
    return np.int32 if greatest <= np.iinfo(np.int32).max else np.int64


def pieces(size: int) -> Iterator[slice]:
    """Slices that together are a whole column, where another one beside it would be too much."""
    return (slice(begin, min(begin + _PIECE, size)) for begin in range(0, size, _PIECE))


def occurring(numbers: Int, size: int) -> Int:
    """The distinct ones of some numbers below a size, ascending; sooner than by sorting them."""
    found = np.zeros(size, bool)
    found[numbers] = True
    return np.flatnonzero(found)


def places(numbers: Int, size: int) -> list[Int]:
    """Where each number below a size stands, ascending: one sort instead of a look for each of them."""
    ends = np.cumsum(np.bincount(numbers, minlength=size))
    return np.split(np.argsort(numbers, kind="stable"), ends[:-1])


def within(sorted_keys: Int) -> Int:
    """The place of each entry of a sorted array among its equals, from 0."""
    return np.arange(len(sorted_keys)) - np.searchsorted(sorted_keys, sorted_keys)


def combined(*columns: Sequence[str]) -> Int:
    """One number for each line, equal where all the columns' cells are equal."""
    key: Int = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        number, distinct = factor(column)
        key = key * max(1, len(distinct)) + number
    return key


def repeats(*columns: Sequence[str]) -> list[int]:
    """The lines whose cells in these columns all stand in an earlier line too."""
    key = combined(*columns)
    distinct, first = np.unique(key, return_index=True)
    if len(distinct) == len(key):
        return []
    return [int(at) for at in np.setdiff1d(np.arange(len(key)), first)]
