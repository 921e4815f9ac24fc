"""What one cell may hold, and how columns of cells become integers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import cells
from matcher.cells import ABSENT_MARK, BLANK, EXEMPT_MARK
from matcher.tables import Column

COLUMNS = {
    kind: Column("c", kind, "", "", codes=("FT", "PT") if kind == "code" else ())
    for kind in (
        "id", "ids", "text", "code", "int", "count", "decimal", "component", "date", "flag",
        "identity",
    )
}  # fmt: skip


def fault(kind: str, cell: str) -> str:
    """The issue code of a cell, blank where nothing is wrong."""
    found = cells.fault(cell, COLUMNS[kind])
    return found[0] if found else ""


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        ("id", ["A", "企业·一", "a b", "a=1", "𠮷", "0"]),
        ("ids", ["A", "A;B", "a b;c"]),
        ("text", [" any|thing; ", "line\nbreak"]),
        ("code", ["FT", "PT"]),
        ("int", ["0", "-7", "007", "9" * 9]),
        ("count", ["0", "12", "9" * 9]),
        ("decimal", ["0", "-1.50", "80", "12345.6789012345", "0.0"]),
        ("component", ["80.5", "absent", "exempt"]),
        ("date", ["2026-02-28", "2024-02-29"]),
        ("flag", ["0", "1"]),
        ("identity", ["anything: another module knows"]),
    ],
)
def test_good_cells(kind: str, good: list[str]) -> None:
    assert {cell: fault(kind, cell) for cell in ["", *good]} == dict.fromkeys(["", *good], "")


@pytest.mark.parametrize(
    ("kind", "cell", "code"),
    [
        ("id", " A", "whitespace"),
        ("id", "A\u3000", "whitespace"),
        ("id", " ", "whitespace"),
        ("id", "A|B", "forbidden_character"),
        ("id", "A;B", "forbidden_character"),
        ("id", "A\nB", "forbidden_character"),
        ("id", "A\u202eB", "forbidden_character"),
        ("id", "A\u061cB", "forbidden_character"),
        ("id", "A\u00adB", "forbidden_character"),
        ("id", "A\u200b", "forbidden_character"),
        ("id", "A\ufeff", "forbidden_character"),
        ("id", "A\u2066B", "forbidden_character"),
        ("id", "A\x85B", "forbidden_character"),
        ("ids", "A;", "whitespace"),
        ("ids", "A; B", "whitespace"),
        ("ids", ";", "whitespace"),
        ("ids", "A|B", "forbidden_character"),
        ("ids", "A;A", "repeated_entry"),
        ("code", "ft", "unknown_code"),
        ("code", "FT ", "unknown_code"),
        ("int", "1.0", "not_integer"),
        ("int", "+1", "not_integer"),
        ("int", "1e3", "not_integer"),
        ("int", "1" * 16, "too_large"),
        ("int", "１２", "full_width"),
        ("int", "١٢", "not_integer"),
        ("count", "-1", "negative"),
        ("count", "-0", "negative"),
        ("count", "2.5", "not_integer"),
        ("count", " 2", "not_integer"),
        ("decimal", "8O", "not_number"),
        ("decimal", "1e2", "not_number"),
        ("decimal", ".5", "not_number"),
        ("decimal", "5.", "not_number"),
        ("decimal", "1,5", "not_number"),
        ("decimal", "NaN", "not_number"),
        ("decimal", "80\n", "not_number"),
        ("decimal", "absent", "not_number"),
        ("decimal", "８０", "full_width"),
        ("decimal", "80．5", "full_width"),
        ("decimal", "1234567890.123456", "too_long"),
        ("component", "Absent", "not_number"),
        ("component", "缺考", "not_number"),
        ("date", "2026-02-29", "not_date"),
        ("date", "2026-2-3", "not_date"),
        ("date", "2026/02/03", "not_date"),
        ("date", "20260203", "not_date"),
        ("date", "2026-02-03T00:00", "not_date"),
        ("date", "２０２６-02-03", "full_width"),
        ("flag", "yes", "not_flag"),
        ("flag", "01", "not_flag"),
    ],
)
def test_bad_cells(kind: str, cell: str, code: str) -> None:
    assert fault(kind, cell) == code


def test_a_decimal_of_fifteen_digits_is_the_longest() -> None:
    assert fault("decimal", "-123456789012.345") == ""
    assert fault("decimal", "-1234567890123.456") == "too_long"


def test_a_required_cell_is_not_blank() -> None:
    assert cells.fault("", Column("c", "id", "", "", required=True)) == ("missing_value", "")


def test_codes_among_several_entries_and_what_would_be_right() -> None:
    column = Column("c", "ids", "", "", codes=("FT", "PT"))
    assert cells.fault("FT;PT", column) is None
    assert cells.fault("FT;XX", column) == ("unknown_code", "FT PT")
    assert cells.fault("XX", COLUMNS["code"]) == ("unknown_code", "FT PT")


def test_columns_become_integers() -> None:
    assert cells.integers(["7", "", "-3"]).tolist() == [7, BLANK, -3]
    assert cells.integers(["", "1"], 0).tolist() == [0, 1]
    assert cells.dates(["2024-02-29", ""]).tolist() == [20240229, 0]
    assert cells.positions(["b", "", "z"], {"a": 0, "b": 1}).tolist() == [1, -1, -1]
    found, names = cells.codes(["b", "a", "b"])
    assert (found.tolist(), names) == ([1, 0, 1], ["a", "b"])


def test_decimals_are_exact_integers() -> None:
    column = ["80", "79.5", "-0.25", "", "absent", "exempt"]
    assert cells.decimal_places(column[:4]) == 2
    assert cells.scaled(column, 2).tolist() == [
        8000, 7950, -25, BLANK, ABSENT_MARK, EXEMPT_MARK,
    ]  # fmt: skip
    assert max(BLANK, ABSENT_MARK, EXEMPT_MARK) < cells.scale("-" + "9" * 15, 0)


@given(st.integers(-(10**15), 10**15), st.integers(0, 6))
def test_a_scaled_decimal_reads_back_canonically(value: int, places: int) -> None:
    text = cells.unscaled(value, places)
    assert Decimal(text) == Decimal(value).scaleb(-places)
    assert text == "0" or not text.endswith(("0", ".")) or "." not in text
    assert cells.scale(text, places) == value


def test_canonical_decimals() -> None:
    shown = [(8050, 2), (8000, 2), (5, 2), (-5, 2), (0, 3), (100, 0), (BLANK, 2)]
    assert [cells.unscaled(*pair) for pair in shown] == [
        "80.5",
        "80",
        "0.05",
        "-0.05",
        "0",
        "100",
        "",
    ]


def test_members_of_several_entries() -> None:
    matrix, names = cells.members(["g;h", "", "h", "g;h"])
    assert names == ["g", "h"]
    assert matrix.tolist() == [[True, True], [False, False], [False, True], [True, True]]


def test_members_of_nothing() -> None:
    matrix, names = cells.members([])
    assert (len(matrix), names) == (0, [])
    assert cells.members(["", ""])[0].shape == (2, 0)


def test_a_column_knows_its_distinct_cells_in_order_of_mention() -> None:
    number, distinct = cells.factor(["b", "a", "b"])
    assert (number.tolist(), distinct) == ([0, 1, 0], ["b", "a"])
