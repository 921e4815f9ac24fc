"""Working days of the city: when a period that is counted in them ends.

The tables of public holidays and of Saturdays worked in exchange (调休) are data, as a notice of each
year sets them anew; a year without a table is refused, never guessed.  An installation adds a year, or
mends one, in a file of its own beside its keys.
"""

from __future__ import annotations

import tomllib
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import current_app

CITY = ZoneInfo("Asia/Shanghai")
TABLES = Path(__file__).parent / "reference" / "working_days.toml"
OWN = "working_days.toml"
"""In the instance folder, written as :data:`TABLES` is; a year in it stands instead of ours."""


class NoCalendar(ValueError):
    """No table of holidays for a year."""

    def __init__(self, year: int):
        self.year = year
        super().__init__(f"没有 {year} 年的节假日表 / no table of public holidays for {year}")


Days = dict[int, tuple[frozenset[date], frozenset[date]]]


def own(instance: Path) -> Days:
    """The tables of an installation, by year; none where it has none.

    Raises
    ------
    ValueError
        If the file cannot be read; the text says which.
    """
    path = instance / OWN
    try:
        return _tables(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error


@cache
def _tables(path: Path, changed: int = 0) -> Days:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        int(year): (frozenset(_days(table["holidays"])), frozenset(table.get("worked", ())))
        for year, table in document.items()
    }


def _days(periods: list[list[date]]) -> list[date]:
    return [
        first + timedelta(days=n) for first, last in periods for n in range((last - first).days + 1)
    ]


def is_working_day(day: date, tables: Path = TABLES) -> bool:
    """Whether offices work that day.

    Raises
    ------
    NoCalendar
        If the year has no table.
    """
    held = own(Path(current_app.instance_path)) if current_app and tables == TABLES else {}
    found = held.get(day.year) or _tables(tables).get(day.year)
    if found is None:
        raise NoCalendar(day.year)
    holidays, worked = found
    return day in worked or (day.weekday() < 5 and day not in holidays)


def end_of(start: datetime, days: int, hour: int = 24, tables: Path = TABLES) -> datetime:
    """The moment that ends a period of working days: day 1 is the next one after ``start``.

    Examples
    --------
    >>> friday = datetime(2026, 6, 26, 9, tzinfo=CITY)
    >>> end_of(friday, 1).isoformat()
    '2026-06-30T00:00:00+08:00'
    """
    day = start.astimezone(CITY).date()
    counted = 0
    while counted < days:
        day += timedelta(days=1)
        counted += is_working_day(day, tables)
    return datetime.combine(day, time(), CITY) + timedelta(hours=hour)


def resumed(due: datetime, lost: timedelta, hour: int = 24, tables: Path = TABLES) -> datetime:
    """A deadline after its clock stood still for a time: that much later, at the end of a working day.

    Examples
    --------
    >>> end_of_monday = datetime(2026, 6, 30, tzinfo=CITY)
    >>> resumed(end_of_monday, timedelta(hours=5)).isoformat()
    '2026-07-01T00:00:00+08:00'
    """
    later = (due + lost).astimezone(CITY)
    day = later.date() - timedelta(days=1)  # whose end, at 24 o'clock, is the next day's beginning
    while (end := datetime.combine(day, time(), CITY) + timedelta(hours=hour)) < later or (
        not is_working_day(day, tables)
    ):
        day += timedelta(days=1)
    return end


def local(moment: datetime) -> datetime:
    """The moment on the clocks of the city."""
    return moment.astimezone(CITY)


def parse_local(text: str) -> datetime:
    """A moment that a form names, on the clocks of the city (``2026-06-30T17:00``)."""
    return datetime.fromisoformat(text).replace(tzinfo=CITY)
