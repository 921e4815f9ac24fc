"""Small cells of a public table are withheld, with others beside them, so that no sum reveals them.

A cell of fewer than five people is withheld.  Where it could be computed from what is left (as the one
gap of a row or column, or from several of them together), a second cell is withheld too; and what is
withheld of one sum comes to five people at least, so that the gap itself tells of no small group.
Readers see one mark for both kinds, and cannot tell which is which.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .statistics import Line, Sheet

FEWEST = 5
PRIME = 2**61 - 1
"""Equations are solved modulo a prime: whole numbers all the way."""

PEOPLE = (
    "applied", "passed", "first_applied", "placed", "placed_first", "placed_other",
    "placed_adjusted", "filled", "relaxed", "confirmed", "signed", "checked_in", "registered",
)  # fmt: skip
"""Columns that count people; a few are withheld."""

SUMS = (
    ("placed", ("placed_first", "placed_other", "placed_adjusted", "filled")),
    ("seats", ("placed", "vacant")),
    ("seats", ("confirmed", "vacant")),
)
"""Columns that are sums of others, in each row where they are."""

Cell = TypeVar("Cell", bound=Hashable)
Place = tuple[int, str]
"""A row (the total is the last) and a column."""


@dataclass(frozen=True)
class Sum:
    """A published cell that is the sum of others."""

    whole: Place
    parts: tuple[Place, ...]


def withheld(sheet: Sheet, columns: Collection[str]) -> set[Place]:
    """The cells of a sheet that are not published, of these columns; the total is row −1."""
    cells: dict[Place, int] = {}
    for at, line in [*enumerate(sheet.lines), (-1, sheet.total)]:
        for column in columns:
            value = line.numbers[column]
            if value is not None:
                cells[at, column] = value
    may = {place for place in cells if place[1] in PEOPLE or place[1] == "vacant"}
    few = {place for place in cells if place[1] in PEOPLE and cells[place] < FEWEST}
    return _enough(cells, list(_sums(sheet.lines, cells, columns)), few, may)


def _sums(
    lines: Sequence[Line], cells: Mapping[Place, int], columns: Collection[str]
) -> Iterator[Sum]:
    """Every sum that a reader may count on: the ones that hold in this table."""
    for at in [-1, *range(len(lines))]:
        for whole, parts in SUMS:
            found = Sum((at, whole), tuple((at, p) for p in parts if (at, p) in cells))
            if (at, whole) in cells and found.parts and _holds(found, cells):
                yield found
    for column in columns:
        found = Sum(
            (-1, column), tuple((at, column) for at in range(len(lines)) if (at, column) in cells)
        )
        if found.whole in cells and found.parts and _holds(found, cells):
            yield found


def _holds(one: Sum, cells: Mapping[Place, int]) -> bool:
    return cells[one.whole] == sum(cells[part] for part in one.parts)


def _enough(
    cells: Mapping[Place, int], sums: Sequence[Sum], few: set[Place], may: set[Place]
) -> set[Place]:
    """The small cells, and as many beside them as hide them."""
    hidden = set(few)
    while (more := _beside(cells, sums, hidden, may)) is not None:
        hidden.add(more)
    return hidden


def _beside(
    cells: Mapping[Place, int], sums: Sequence[Sum], hidden: set[Place], may: set[Place]
) -> Place | None:
    """A cell to be withheld beside those that are: the smallest of a sum that tells too much."""
    for one in sums:
        if _tells(cells, one, hidden) and (cell := _smallest(cells, one, hidden, may)) is not None:
            return cell
    known = determined([(one.whole, *one.parts) for one in sums], hidden)
    for one in sums:
        leads = known & {one.whole, *one.parts}
        if leads and (cell := _smallest(cells, one, hidden, may)) is not None:
            return cell
    return None


def _tells(cells: Mapping[Place, int], one: Sum, hidden: set[Place]) -> bool:
    """Whether the whole is shown and what is withheld of it is one cell, or few people together."""
    inside = [part for part in one.parts if part in hidden]
    few = len(inside) == 1 or sum(cells[part] for part in inside) < FEWEST
    return bool(inside) and few and one.whole not in hidden


def _smallest(
    cells: Mapping[Place, int], one: Sum, hidden: set[Place], may: set[Place]
) -> Place | None:
    """The smallest part that may be withheld and is not yet; the whole where none is left."""
    for among in (one.parts, (one.whole,)):
        left = [place for place in among if place in may and place not in hidden]
        if left:
            return min(left, key=lambda place: (cells[place], place))
    return None


def determined(sums: Sequence[tuple[Cell, ...]], hidden: Collection[Cell]) -> set[Cell]:
    """The hidden cells that follow from the shown ones, where each sum is (whole, part, …)."""
    unknown = set(hidden)
    pivots: dict[Cell, dict[Cell, int]] = {}
    for whole, *parts in sums:
        row = {cell: PRIME - 1 for cell in parts if cell in unknown}
        if whole in unknown:
            row[whole] = (row.get(whole, 0) + 1) % PRIME
        for pivot in [cell for cell in row if cell in pivots]:
            _take_away(row, pivots[pivot], row.get(pivot, 0))
        row = {cell: factor for cell, factor in row.items() if factor}
        if not row:
            continue
        pivot = next(iter(row))
        inverse = pow(row[pivot], -1, PRIME)
        row = {cell: factor * inverse % PRIME for cell, factor in row.items()}
        for other in pivots.values():
            if pivot in other:
                _take_away(other, row, other[pivot])
        pivots[pivot] = row
    return {pivot for pivot, row in pivots.items() if len(row) == 1}


def _take_away(row: dict[Cell, int], other: Mapping[Cell, int], factor: int) -> None:
    """Subtract a multiple of another equation."""
    for cell, value in other.items():
        left = (row.get(cell, 0) - factor * value) % PRIME
        if left:
            row[cell] = left
        else:
            row.pop(cell, None)
