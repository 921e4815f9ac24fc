"""A column of a file: its cells as strings, made only when somebody asks, and each distinct one once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_WORD = 8
_WIDEST = 4 * _WORD
"""Cells of more bytes are told apart as strings."""


class Cells(Sequence[str]):
    """The cells of a column.

    Parameters
    ----------
    strings
        The cells.
    raw
        Instead of them, a buffer and where in it each cell begins and ends.

    Notes
    -----
    Large columns have few distinct cells.  ``factor`` tells them apart by their bytes, eight at a
    time, without making a string for every cell.
    """

    def __init__(
        self, strings: Iterable[str] = (), raw: tuple[Bytes, Int, Int] | None = None
    ) -> None:
        self._raw = raw
        self._strings: list[str] | None = None if raw else list(strings)
        self._factor: tuple[Int, list[str]] | None = None

    def __len__(self) -> int:
        return len(self._raw[1]) if self._strings is None else len(self._strings)  # type: ignore[index]

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: Any) -> Any:
        return self.strings[at]

    def __setitem__(self, at: int, cell: str) -> None:
        self.strings[at] = cell
        self._raw = self._factor = None

    def __iter__(self) -> Iterator[str]:
        return iter(self.strings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self.strings == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Cells({self.strings!r})"

    @property
    def strings(self) -> list[str]:
        """The cells as strings; equal cells of a file are one object."""
        if self._strings is None:
            number, distinct = self.factor
            self._strings = list(map(distinct.__getitem__, number.tolist()))
        return self._strings

    @property
    def factor(self) -> tuple[Int, list[str]]:
        """The number of each cell's distinct value, and the distinct values in some order."""
        if self._factor is None:
            self._factor = self._by_bytes() if self._raw is not None else self._by_strings()
        return self._factor

    def _by_strings(self) -> tuple[Int, list[str]]:
        strings = self._strings or []
        number = {cell: at for at, cell in enumerate(dict.fromkeys(strings))}
        codes = np.fromiter(map(number.__getitem__, strings), np.int64, len(strings))
        return codes, list(number)

    def _by_bytes(self) -> tuple[Int, list[str]]:
        assert self._raw is not None
        buffer, start, end = self._raw
        data = memoryview(buffer)  # type: ignore[arg-type]
        width = int((end - start).max(initial=0))
        if width > _WIDEST:
            self._strings = [bytes(data[a:b]).decode() for a, b in zip(start, end, strict=True)]
            return self._by_strings()
        codes = np.zeros(len(start), np.int64)
        first = np.zeros(min(1, len(start)), np.int64)
        for low in range(0, width, _WORD):
            words = _words(buffer, start + low, end, min(_WORD, width - low))
            first, number = _unique(words)
            if low:
                first, codes = _unique((codes * len(first) + number).astype(np.uint64))
            else:
                codes = number
        return codes, [bytes(data[start[i] : end[i]]).decode() for i in first.tolist()]


def _words(buffer: Bytes, start: Int, end: Int, width: int) -> NDArray[np.uint64]:
    """The first bytes of each cell as one number, padded with zeros at the end."""
    words = np.zeros(len(start), np.uint64)
    for k in range(width):
        at = start + k
        byte = np.where(at < end, buffer[np.minimum(at, len(buffer) - 1)], 0)
        words = (words << np.uint64(8)) | byte.astype(np.uint64)
    return words


def _unique(words: NDArray[np.uint64]) -> tuple[Int, Int]:
    """Where each distinct word stands first, and the number of each word among the distinct ones.

    Cells of a file often come in runs, so the runs are sorted instead of the cells.
    """
    if not len(words):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    begins = np.flatnonzero(np.append(True, words[1:] != words[:-1]))
    _, first, number = np.unique(words[begins], return_index=True, return_inverse=True)
    lengths = np.diff(np.append(begins, len(words)))
    return begins[first], np.repeat(number.reshape(-1), lengths)
