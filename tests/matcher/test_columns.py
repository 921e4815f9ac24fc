"""A column's cells are told apart by their bytes, and read the same as its strings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.columns import Cells


def raw(cells: list[str]) -> Cells:
    """The cells as they stand in a file: bytes between separators."""
    data = b"".join(cell.encode() + b"," for cell in cells)
    buffer = np.frombuffer(data or b",", np.uint8)
    lengths = np.array([len(cell.encode()) for cell in cells], np.int64)
    end = np.cumsum(lengths + 1) - 1 if cells else lengths
    return Cells(raw=(buffer, end - lengths, end))


TEXTS = st.lists(st.text(st.characters(exclude_characters="\0,\n", codec="utf-8"), max_size=40))


@given(TEXTS)
def test_bytes_and_strings_read_the_same(cells: list[str]) -> None:
    column = raw(cells)
    assert len(column) == len(cells)
    number, distinct = column.factor
    assert [distinct[at] for at in number] == cells
    assert len(set(distinct)) == len(distinct)
    assert column.strings == cells
    assert list(column) == cells == Cells(cells)


@pytest.mark.parametrize("width", [1, 2, 7, 8, 9, 16, 17, 24, 31, 32, 33, 100])
def test_cells_that_differ_in_one_byte_anywhere_are_told_apart(width: int) -> None:
    base = "x" * width
    cells = [base] + [base[:at] + "y" + base[at + 1 :] for at in range(width)] + [base[:-1], base]
    number, distinct = raw(cells).factor
    assert [distinct[at] for at in number] == cells
    assert number[0] == number[-1]
    assert len(distinct) == width + 2


def test_a_changed_cell_is_seen_by_what_was_computed_before() -> None:
    column = raw(["A", "B", "A"])
    assert len(column.factor[1]) == 2
    column[1] = "C"
    number, distinct = column.factor
    assert [distinct[at] for at in number] == ["A", "C", "A"]
    assert column[1] == "C"
    assert column[:2] == ["A", "C"]


def test_an_empty_column() -> None:
    assert raw([]).strings == []
    assert len(raw([])) == 0
    assert Cells().factor[1] == []


def test_representation_and_comparison() -> None:
    assert repr(Cells(["A"])) == "Cells(['A'])"
    assert Cells(["A"]) != Cells(["B"])
    assert Cells(["A"]) != 3
