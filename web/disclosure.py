"""Small cells of public tables are withheld, with others beside them, so that no sum reveals them.

A cell of fewer than five people is withheld.  Where it could be computed from what is left (as the one
gap of a row or column, or from several of them together), a second cell is withheld too; and what is
withheld of one sum comes to five people at least, so that the gap itself tells of no small group.
Readers see one mark for both kinds, and cannot tell which is which.

The tables of one round are taken together.  They share their totals; and everybody knows from the plan which
classes lie in a row of one and a row of another, so that rows of different tables may be taken from one
another.  The finest pieces, which no table shows, are protected like the cells of a table.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from .statistics import Sheet

FEWEST = 5
PRIME = 2**61 - 1
"""Equations are solved modulo a prime: whole numbers all the way."""

PEOPLE = (
    "applied", "passed", "first_applied", "placed", "placed_first", "placed_other",
    "placed_adjusted", "filled", "relaxed", "confirmed", "signed", "checked_in", "registered",
)  # fmt: skip
"""Columns that count people; a few are withheld."""

ADDED = (*PEOPLE[3:], "vacant")
"""Columns in which a person, or a seat, belongs to one class; applications name several."""

SUMS = (
    ("placed", ("placed_first", "placed_other", "placed_adjusted", "filled")),
    ("seats", ("placed", "vacant")),
    ("seats", ("confirmed", "vacant")),
)
"""Columns that are sums of others, in each row where they are."""

Key = TypeVar("Key", bound=Hashable)
Place = tuple[int, str]
"""A row (the total is the last) and a column."""

Cell = tuple[str, int, str]
"""A table, a row and a column; the total is of no table, as all share it."""

FINEST = "finest"
"""The table that nobody sees: its rows are the pieces of which rows of the others are made."""


@dataclass(frozen=True)
class Sum:
    """A cell that is the sum of others."""

    whole: Cell
    parts: tuple[Cell, ...]


def withheld(sheet: Sheet, columns: Collection[str]) -> set[Place]:
    """The cells of a sheet that are not published, of these columns; the total is row −1."""
    return together([sheet], columns)[sheet.dimension]


def together(
    sheets: Sequence[Sheet], columns: Collection[str], finest: Sheet | None = None
) -> dict[str, set[Place]]:
    """The cells that are not published of sheets of one round which everybody may lay side by side.

    Parameters
    ----------
    finest
        Its rows are pieces of rows of those sheets, as :func:`web.statistics.finest` counts them.
    """
    cells: dict[Cell, int] = {}
    sums: list[Sum] = []
    for sheet in sheets:
        held = _cells(sheet, sheet.dimension, columns)
        cells |= held
        sums += _sums(sheet, held, columns, sheet.dimension)
    may = {cell for cell in cells if cell[2] in PEOPLE or cell[2] == "vacant"}
    few = {cell for cell in cells if cell[2] in PEOPLE and cells[cell] < FEWEST}
    links: list[Sum] = []
    inside: set[Cell] = set()
    if finest is not None:
        plain = [c for c in columns if c in ("seats", *ADDED)]
        pieces = _cells(finest, FINEST, plain)
        links = [*_sums(finest, pieces, plain, FINEST), *_links(sheets, finest, cells | pieces)]
        inside = {c for c in pieces if c[0] and c[2] in ADDED}
        cells |= pieces
    hidden = _enough(cells, sums, links, few, may, inside)
    return {
        sheet.dimension: {(at, c) for name, at, c in hidden if name in ("", sheet.dimension)}
        for sheet in sheets
    }


def _cell(table: str, at: int, column: str) -> Cell:
    return ("" if at < 0 else table, at, column)


def _cells(sheet: Sheet, table: str, columns: Collection[str]) -> dict[Cell, int]:
    return {
        _cell(table, at, column): value
        for at, line in [*enumerate(sheet.lines), (-1, sheet.total)]
        for column in columns
        if (value := line.numbers[column]) is not None
    }


def _sums(
    sheet: Sheet, cells: Mapping[Cell, int], columns: Collection[str], table: str
) -> Iterator[Sum]:
    """Every sum that a reader may count on: the ones that hold in this table, of columns in every row."""
    rows = [-1, *range(len(sheet.lines))]
    for whole, parts in SUMS:
        if whole == "seats" and not set(parts) <= set(columns):
            continue
        at_all = [at for at in rows if _cell(table, at, whole) in cells]
        found = [
            one for at in at_all
            for one in _held(_cell(table, at, whole), (_cell(table, at, p) for p in parts), cells)
        ]  # fmt: skip
        if len(found) == len(at_all):
            yield from found
    for column in columns:
        yield from _held(
            _cell(table, -1, column), (_cell(table, at, column) for at in rows[1:]), cells
        )


def _held(whole: Cell, parts: Iterable[Cell], cells: Mapping[Cell, int]) -> Iterator[Sum]:
    """The sum, of the parts that are there, if it holds."""
    found = Sum(whole, tuple(part for part in parts if part in cells))
    if whole in cells and found.parts and cells[whole] == sum(cells[p] for p in found.parts):
        yield found


def _links(sheets: Sequence[Sheet], finest: Sheet, cells: Mapping[Cell, int]) -> Iterator[Sum]:
    """What rows have to do with their pieces, and two rows of the same pieces with one another."""
    alike: dict[frozenset[int], list[tuple[str, int]]] = {}
    for place, dimension in enumerate(finest.dimension.split("\t")):
        sheet = next(sheet for sheet in sheets if sheet.dimension == dimension)
        for at, line in enumerate(sheet.lines):
            mine = [
                n for n, piece in enumerate(finest.lines)
                if piece.value.split("\t")[place] == line.value
            ]  # fmt: skip
            alike.setdefault(frozenset(mine), []).append((dimension, at))
            for column in ADDED:
                parts = (_cell(FINEST, n, column) for n in mine)
                yield from _held(_cell(dimension, at, column), parts, cells)
    for (first, row), *others in alike.values():
        for (name, at), column in product(others, PEOPLE):
            yield from _held(_cell(name, at, column), [_cell(first, row, column)], cells)


def _enough(
    cells: Mapping[Cell, int], sums: Sequence[Sum], links: Sequence[Sum], few: set[Cell],
    may: set[Cell], inside: set[Cell],
) -> set[Cell]:  # fmt: skip
    """The small cells, and as many beside them as hide them and the small pieces inside rows."""
    hidden = set(few)
    while (more := _beside(cells, sums, links, hidden, may, inside)) is not None:
        hidden.add(more)
    return hidden


def _beside(
    cells: Mapping[Cell, int], sums: Sequence[Sum], links: Sequence[Sum], hidden: set[Cell],
    may: set[Cell], inside: set[Cell],
) -> Cell | None:  # fmt: skip
    """A cell to be withheld beside those that are: the smallest of a sum that tells too much."""
    for one in sums:
        if _tells(cells, one, hidden) and (cell := _smallest(cells, one, hidden, may)) is not None:
            return cell
    every = [*sums, *links]
    known = determined([(one.whole, *one.parts) for one in every], hidden | inside)
    known -= {piece for piece in inside if cells[piece] >= FEWEST}
    return _nearest(cells, every, known, may - hidden)


def _nearest(
    cells: Mapping[Cell, int], sums: Sequence[Sum], known: set[Cell], shown: set[Cell]
) -> Cell | None:
    """The smallest shown cell in a sum with cells that follow, or else in a sum with those of that sum;
    one of the total only where there is no other."""
    reached, before = known, set[Cell]()
    while reached != before:
        before = reached
        near = [{one.whole, *one.parts} for one in sums]
        reached = reached.union(*(place for place in near if place & before))
        if found := reached & shown:
            return min(found, key=lambda cell: (cell[1] < 0, cells[cell], cell))
    return None


def _tells(cells: Mapping[Cell, int], one: Sum, hidden: set[Cell]) -> bool:
    """Whether the whole is shown and what is withheld of it is one cell, or few people together."""
    inside = [part for part in one.parts if part in hidden]
    few = len(inside) == 1 or sum(cells[part] for part in inside) < FEWEST
    return bool(inside) and few and one.whole not in hidden


def _smallest(
    cells: Mapping[Cell, int], one: Sum, hidden: set[Cell], may: set[Cell]
) -> Cell | None:
    """The smallest part that may be withheld and is not yet; the whole where none is left."""
    for among in (one.parts, (one.whole,)):
        left = [cell for cell in among if cell in may and cell not in hidden]
        if left:
            return min(left, key=lambda cell: (cells[cell], cell))
    return None


def determined(sums: Sequence[tuple[Key, ...]], hidden: Collection[Key]) -> set[Key]:
    """The hidden cells that follow from the shown ones, where each sum is (whole, part, …)."""
    unknown = set(hidden)
    pivots: dict[Key, dict[Key, int]] = {}
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


def _take_away(row: dict[Key, int], other: Mapping[Key, int], factor: int) -> None:
    """Subtract a multiple of another equation."""
    for cell, value in other.items():
        left = (row.get(cell, 0) - factor * value) % PRIME
        if left:
            row[cell] = left
        else:
            row.pop(cell, None)
