"""No withheld cell of a public table can be computed from what is left of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.a_round import CONFIRMING, SERIAL, standing
from tests.web.conftest import Clock
from web import db, rounds, statistics
from web.audit import Actor
from web.disclosure import FEWEST, Place, determined, together, withheld
from web.models import Round
from web.statistics import COLUMNS, OF_PEOPLE, Line, Sheet
from web.statistics_pages import PUBLIC, PUBLIC_COLUMNS

WAYS = ("placed_first", "placed_other", "placed_adjusted")
USED = ("seats", "applied", "placed", *WAYS, "vacant")


def sheet_of(people: list[tuple[int, int, int, int, int]], additive: bool = True) -> Sheet:
    """A sheet of rows (first, other, adjusted, not placed, free seats), with its total."""
    lines = []
    for at, (first, other, adjusted, missed, free) in enumerate(people):
        placed = first + other + adjusted
        numbers: dict[str, int | None] = dict.fromkeys(COLUMNS)
        numbers |= {
            "seats": placed + free, "applied": placed + missed, "placed": placed, "vacant": free,
            "placed_first": first, "placed_other": other, "placed_adjusted": adjusted,
        }  # fmt: skip
        lines.append(Line(str(at), str(at), numbers))
    total: dict[str, int | None] = dict.fromkeys(COLUMNS)
    total |= {c: sum(line.numbers[c] or 0 for line in lines) for c in USED}
    if not additive:
        total["applied"] = (total["applied"] or 0) - 1
    return Sheet("college", lines, Line("", "合计", total))


def sums_of(sheet: Sheet) -> list[tuple[Place, ...]]:
    """Every sum that a reader knows of, the whole first, written down anew."""
    places = range(-1, len(sheet.lines))
    found: list[tuple[Place, ...]] = []
    for at in places:
        found.append(((at, "placed"), *((at, way) for way in WAYS)))
        found.append(((at, "seats"), (at, "placed"), (at, "vacant")))
    for column in USED:
        parts = tuple((at, column) for at in places if at >= 0)
        whole = sheet.total.numbers[column]
        if whole == sum(sheet.lines[at].numbers[column] or 0 for at, _ in parts):
            found.append(((-1, column), *parts))
    return found


def value(sheet: Sheet, place: Place) -> int:
    at, column = place
    return (sheet.total if at == -1 else sheet.lines[at]).numbers[column] or 0


SHEETS = st.builds(
    sheet_of,
    st.lists(
        st.tuples(*[st.integers(0, 12)] * 3, st.integers(0, 30), st.integers(0, 9)),
        min_size=1, max_size=6,
    ),
    st.booleans(),
)  # fmt: skip


@given(SHEETS)
@settings(max_examples=300, deadline=None)
def test_small_cells_are_withheld_and_none_follows_from_one_sum(sheet: Sheet) -> None:
    hidden = withheld(sheet, USED)
    for at in range(-1, len(sheet.lines)):
        for column in ("applied", "placed", *WAYS):
            if value(sheet, (at, column)) < FEWEST:
                assert (at, column) in hidden
        assert (at, "seats") not in hidden
    for whole, *parts in sums_of(sheet):
        inside = [place for place in (whole, *parts) if place in hidden]
        assert len(inside) != 1, f"{inside} follows from {whole}"
        gap = [place for place in parts if place in hidden]
        if gap and whole not in hidden and whole[1] != "seats":
            assert sum(value(sheet, place) for place in gap) >= FEWEST, "the gap is a small group"


@given(SHEETS)
@settings(max_examples=100, deadline=None)
def test_none_follows_from_all_sums_together(sheet: Sheet) -> None:
    hidden = sorted(withheld(sheet, USED))
    assert not by_fractions(sums_of(sheet), hidden)


def by_fractions(sums: list[tuple[Place, ...]], hidden: list[Place]) -> set[Place]:
    """The hidden cells that linear algebra over the rationals determines, the plain way."""
    rows = [
        [Fraction((cell == whole) - (cell in parts)) for cell in hidden] for whole, *parts in sums
    ]
    at = 0
    for column in range(len(hidden)):
        pivot = next((r for r in range(at, len(rows)) if rows[r][column]), None)
        if pivot is None:
            continue
        rows[at], rows[pivot] = rows[pivot], rows[at]
        rows[at] = [x / rows[at][column] for x in rows[at]]
        for r, row in enumerate(rows):
            if r != at and row[column]:
                rows[r] = [x - row[column] * y for x, y in zip(row, rows[at], strict=True)]
        at += 1
    return {hidden[row.index(1)] for row in rows if sum(map(bool, row)) == 1}


@given(SHEETS, st.data())
@settings(max_examples=100, deadline=None)
def test_what_is_determined_is_found_by_the_plain_way_too(
    sheet: Sheet, data: st.DataObject
) -> None:
    places = sorted({place for one in sums_of(sheet) for place in one})
    hidden = sorted(data.draw(st.sets(st.sampled_from(places))))
    assert determined(sums_of(sheet), hidden) == by_fractions(sums_of(sheet), hidden)


def test_every_small_table_leaves_each_cell_more_than_one_value() -> None:
    """Brute force: of two rows and two columns, every table that reads the same is written down."""
    used = ("placed", "placed_first", "placed_other")
    w, x, y, z = np.indices((20, 20, 20, 20)).reshape(4, -1)
    every = {
        (0, "placed_first"): w, (0, "placed_other"): x, (0, "placed"): w + x,
        (1, "placed_first"): y, (1, "placed_other"): z, (1, "placed"): y + z,
        (-1, "placed_first"): w + y, (-1, "placed_other"): x + z, (-1, "placed"): w + x + y + z,
    }  # fmt: skip
    for a, b, c, d in product((0, 3, 6, 9), repeat=4):
        sheet = sheet_of([(a, b, 0, 0, 0), (c, d, 0, 0, 0)])
        hidden = withheld(sheet, used)
        alike = np.ones(len(w), bool)
        for place, numbers in every.items():
            if place not in hidden:
                alike &= numbers == value(sheet, place)
        assert all(len(np.unique(every[p][alike])) > 1 for p in hidden), (a, b, c, d)


def test_a_single_gap_is_doubled_by_the_smallest_cell_beside_it() -> None:
    sheet = sheet_of([(3, 20, 40, 0, 9), (50, 30, 60, 0, 9), (70, 80, 90, 0, 9)])
    assert withheld(sheet, ("placed", *WAYS)) == {
        (0, "placed_first"), (0, "placed_other"),  # its row
        (1, "placed_first"), (1, "placed_other"),  # their columns, and the row of those
    }  # fmt: skip


def test_where_nothing_is_small_nothing_is_withheld() -> None:
    assert withheld(sheet_of([(10, 20, 30, 9, 1), (11, 21, 31, 9, 0)]), USED) == set()


# --- tables side by side ----------------------------------------------------------------------

Piece = tuple[str, str]
BY = ("college", "industry")
PIECES = st.dictionaries(
    st.tuples(st.sampled_from("ABC"), st.sampled_from("xyz")),
    st.tuples(*[st.integers(0, 15)] * 3, st.just(0), st.integers(0, 9)),
    min_size=2, max_size=7,
)  # fmt: skip


def tables_of(pieces: dict[Piece, tuple[int, int, int, int, int]]) -> tuple[list[Sheet], Sheet]:
    """The tables by college and by industry of classes, and their pieces."""
    found = []
    for at, dimension in enumerate(BY):
        names = sorted({piece[at] for piece in pieces})
        rows = [
            tuple(map(sum, zip(*(n for p, n in pieces.items() if p[at] == name), strict=True)))
            for name in names
        ]
        made = sheet_of(rows)  # type: ignore[arg-type]
        lines = [replace(ln, value=name) for ln, name in zip(made.lines, names, strict=True)]
        found.append(Sheet(dimension, lines, made.total))
    inner = sheet_of(list(pieces.values()))
    lines = [replace(ln, value="\t".join(p)) for ln, p in zip(inner.lines, pieces, strict=True)]
    return found, Sheet("\t".join(BY), lines, inner.total)


def told(
    sheets: list[Sheet], finest: Sheet, hidden: dict[str, set[Place]], columns: Sequence[str]
) -> set[Any]:
    """What somebody finds out who lays the tables side by side, with the plan in hand.

    Each piece and each column is an unknown; of the pieces the seats are known.
    """
    unknown: dict[tuple[int, str], int] = {}
    for piece in range(len(finest.lines)):
        for column in columns:
            unknown[piece, column] = len(unknown)
    rows: list[dict[int, Fraction]] = []
    cells: dict[tuple[str, int, str], dict[int, Fraction]] = {}
    for sheet in sheets:
        place = finest.dimension.split("\t").index(sheet.dimension)
        for at, line in [*enumerate(sheet.lines), (-1, sheet.total)]:
            for column in columns:
                cells[sheet.dimension, at, column] = {
                    unknown[n, column]: Fraction(1)
                    for n, piece in enumerate(finest.lines)
                    if at < 0 or piece.value.split("\t")[place] == line.value
                }
    for n in range(len(finest.lines)):
        rows.append({unknown[n, "placed"]: Fraction(1), **{unknown[n, w]: Fraction(-1) for w in WAYS
                                                         if w in columns}})  # fmt: skip
        if "vacant" in columns:
            rows.append({unknown[n, c]: Fraction(1) for c in ("placed", "vacant")})
    seen = [cell for cell in cells if cell[1:] not in hidden[cell[0]]]
    space = Space([*rows, *(cells[cell] for cell in seen)])
    gaps = {cell for cell in cells if cell not in seen and space.holds(cells[cell])}
    small = {
        (n, column) for (n, column), at in unknown.items()
        if column != "vacant" and value(finest, (n, column)) < FEWEST and space.holds({at: Fraction(1)})
    }  # fmt: skip
    return gaps | small


class Space:
    """The span of some rows."""

    def __init__(self, rows: Sequence[dict[int, Fraction]]) -> None:
        self.pivots: dict[int, dict[int, Fraction]] = {}
        for row in rows:
            left = self.left(row)
            if left:
                at = min(left)
                self.pivots[at] = {n: x / left[at] for n, x in left.items()}

    def left(self, row: dict[int, Fraction]) -> dict[int, Fraction]:
        """What is left of a row once the span's part is taken away."""
        row, done = dict(row), -1
        while (at := min((n for n in row if n > done), default=None)) is not None:
            if at in self.pivots:
                factor = row[at]
                for n, x in self.pivots[at].items():
                    row[n] = row.get(n, Fraction(0)) - factor * x
                row = {n: x for n, x in row.items() if x}
            done = at
        return row

    def holds(self, row: dict[int, Fraction]) -> bool:
        """Whether a row is of the span."""
        return not self.left(row)


ADDED_UP = ("placed", *WAYS, "vacant")


@given(PIECES)
@settings(max_examples=200, deadline=None)
def test_nothing_follows_from_two_tables_laid_side_by_side(
    pieces: dict[Piece, tuple[int, int, int, int, int]],
) -> None:
    sheets, finest = tables_of(pieces)
    hidden = together(sheets, USED, finest)
    assert not told(sheets, finest, hidden, ADDED_UP)


def test_each_table_by_itself_would_tell() -> None:
    """By college A and C are withheld; by industry A and B stand together, and B is shown."""
    pieces = {
        ("A", "x"): (3, 20, 9, 0, 6), ("B", "x"): (30, 40, 30, 0, 6), ("C", "y"): (10, 30, 20, 0, 6),
    }  # fmt: skip
    sheets, finest = tables_of(pieces)
    alone = {sheet.dimension: withheld(sheet, USED) for sheet in sheets}
    assert told(sheets, finest, alone, ADDED_UP)
    assert not told(sheets, finest, together(sheets, USED, finest), ADDED_UP)


def test_tables_share_their_total() -> None:
    """What one table withholds of the total, no other shows."""
    few = sheet_of([(3, 20, 40, 0, 9)])
    many = replace(sheet_of([(1, 10, 20, 0, 4), (2, 10, 20, 0, 5)]), dimension="sex")
    hidden = together([few, many], USED)
    gaps = [{place for place in hidden[name] if place[0] < 0} for name in ("college", "sex")]
    assert gaps[0] == gaps[1] != set()


# --- the page ---------------------------------------------------------------------------------


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Flask:
    return standing(tmp_path, "published", clock)


def cells(page: str) -> list[list[str]]:
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    return [
        [cell.split(">")[1].split("<")[0] for cell in row.split("<t")[1:]]
        for row in body.replace("<th", "<t").replace("<td", "<t").split("<tr>")[1:]
    ]


@pytest.mark.parametrize("by", PUBLIC)
def test_the_public_page_shows_no_small_number_of_people(app: Flask, by: str) -> None:
    page = app.test_client().get(f"/rounds/{SERIAL}/statistics?by={by}").text
    heads = page.split("<thead>")[1].split("</thead>")[0]
    plan = [str(COLUMNS[c]) for c in ("classes", "seats", "opened", "not_opened", "vacant")]
    names = [h.split(">")[1].split("<")[0] for h in heads.split("<th ")[1:]]
    assert "缺额" in names and "放宽年龄" not in page
    for row in cells(page):
        for name, cell in zip(names[1:], row[1:], strict=True):
            assert name in plan or cell in ("＊", "—") or int(cell) >= FEWEST


def test_no_two_public_pages_tell_what_one_withholds(app: Flask) -> None:
    """The pages of the small round, read as anybody may, and taken from one another."""
    by_class = [name for name in PUBLIC if name not in OF_PEOPLE]
    with app.test_request_context():
        held = db.reading().query(Round).one()
        facts = statistics.read(db.reading(), held)
        sheets = {name: statistics.sheet(facts, name) for name in by_class}
        finest = statistics.finest(facts, by_class)
        columns = [c for c in PUBLIC_COLUMNS if sheets["college"].total.numbers[c] is not None]
    hidden: dict[str, set[Place]] = {}
    for name in by_class:
        rows = cells(app.test_client().get(f"/rounds/{SERIAL}/statistics?by={name}").text)
        hidden[name] = {
            (at if at < len(rows) - 1 else -1, column)
            for at, row in enumerate(rows)
            for column, cell in zip(columns, row[1:], strict=True)
            if cell == "＊"
        }
    found = [sheets[name] for name in by_class]
    assert not told(found, finest, hidden, ADDED_UP)


def test_offices_see_what_the_public_does_not(app: Flask) -> None:
    public = cells(app.test_client().get(f"/rounds/{SERIAL}/statistics?by=industry").text)
    assert public[0][:3] == ["康养", "1", "2"] and public[0][3] == "＊"
    assert public[-1][0] == "合计" and public[-1][3] == "12"


def test_nothing_is_public_before_publication_or_while_suspended(app: Flask) -> None:
    with app.app_context(), db.writing() as session:
        one, two = (Actor(f"coordinator:c{n}", "coordinator") for n in (1, 2))
        round_ = session.query(Round).one()
        rounds.suspend(session, round_, one, two, "核查")
    page = app.test_client().get(f"/rounds/{SERIAL}/statistics").text
    assert "结果还没有公布" in page and "<tbody>" not in page and "核查" in page


def test_a_draft_is_not_found(app: Flask) -> None:
    with app.app_context(), db.writing() as session:
        session.add(Round(serial="2027-1", title="草", year=2027, created_at=CONFIRMING))
    assert app.test_client().get("/rounds/2027-1/statistics").status_code == 404
    assert set(PUBLIC_COLUMNS) < set(COLUMNS)
