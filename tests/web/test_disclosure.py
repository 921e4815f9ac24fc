"""No withheld cell of a public table can be computed from what is left of it."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.a_round import CONFIRMING, SERIAL, standing
from tests.web.conftest import Clock
from web import db, rounds
from web.audit import Actor
from web.disclosure import FEWEST, Place, determined, withheld
from web.models import Round
from web.statistics import COLUMNS, Line, Sheet
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
