"""A page of a long list: the one that the address asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request
from sqlalchemy import func, select

from . import db

PAGE = 20
Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """A page of a list: its rows, which page of how many it is, and the rows of all pages."""

    rows: Sequence[Row]
    number: int
    pages: int
    total: int


def page_of(rows: Sequence[Row], size: int = PAGE) -> Page[Row]:
    """The page of a list that the address asks for."""
    return _page(len(rows), size, lambda first: rows[first : first + size])


def page_of_query(query: Any, size: int = PAGE) -> Page[Any]:
    """The page that the address asks for, of what a query finds: only its rows are read."""
    held = db.reading()
    total = held.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    return _page(total, size, lambda first: held.scalars(query.offset(first).limit(size)).all())


def _page(total: int, size: int, read: Callable[[int], Sequence[Row]]) -> Page[Row]:
    pages = max(1, -(-total // size))
    asked = request.args.get("page", "1")
    at = min(max(int(asked), 1), pages) if asked.isdecimal() and len(asked) < 9 else 1
    return Page(read((at - 1) * size), at, pages, total)


def same_page() -> dict[str, Any]:
    """The page of the list that the address names, to come back to it."""
    asked = request.args.get("page", "")
    return {"page": asked} if asked.isdecimal() else {}
