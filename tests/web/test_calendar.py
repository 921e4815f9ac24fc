"""Working days: what counts, when a period ends, and what is not guessed."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from web import calendar
from web.calendar import CITY, NoCalendar, end_of, is_working_day


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 9, 30), True),
        (date(2026, 10, 1), False),  # National Day
        (date(2026, 10, 7), False),
        (date(2026, 10, 8), True),
        (date(2026, 10, 10), True),  # a Saturday worked in exchange
        (date(2026, 10, 11), False),
        (date(2026, 9, 20), True),  # a Sunday worked in exchange
        (date(2026, 2, 17), False),  # Spring Festival
        (date(2025, 10, 8), False),
    ],
)
def test_holidays_and_days_worked_in_exchange(day: date, works: bool) -> None:
    assert is_working_day(day) is works


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-06-26T09:00", 1, "2026-06-30T00:00"),  # Friday: the next working day is Monday
        ("2026-06-26T23:59", 1, "2026-06-30T00:00"),
        ("2026-09-30T09:00", 1, "2026-10-09T00:00"),  # over National Day
        ("2026-10-09T09:00", 1, "2026-10-11T00:00"),  # ends on a Saturday that is worked
        ("2026-06-22T09:00", 5, "2026-06-30T00:00"),
    ],
)
def test_a_period_ends_with_its_last_working_day(start: str, days: int, end: str) -> None:
    found = end_of(calendar.parse_local(start), days)
    assert found == calendar.parse_local(end)


def test_the_day_is_the_citys_wherever_the_server_stands() -> None:
    late = datetime(2026, 6, 25, 16, 30, tzinfo=UTC)  # half past midnight of the 26th there
    assert end_of(late, 1) == calendar.parse_local("2026-06-30T00:00")


def test_the_hour_of_the_end_is_a_parameter() -> None:
    found = end_of(calendar.parse_local("2026-06-22T09:00"), 1, hour=17)
    assert found == calendar.parse_local("2026-06-23T17:00")


def test_a_year_without_a_table_is_refused() -> None:
    with pytest.raises(NoCalendar, match="2031") as caught:
        end_of(datetime(2031, 1, 5, tzinfo=CITY), 1)
    assert caught.value.year == 2031


def test_tables_may_be_another_files(tmp_path: Path) -> None:
    table = tmp_path / "days.toml"
    table.write_text('["2031"]\nholidays = [[2031-06-03, 2031-06-03]]\n')
    assert not is_working_day(date(2031, 6, 3), table)
    assert is_working_day(date(2031, 6, 4), table)


def test_an_installation_adds_a_year_or_mends_one(tmp_path: Path) -> None:
    with Flask(__name__, instance_path=str(tmp_path)).app_context():
        with pytest.raises(NoCalendar):
            is_working_day(date(2031, 6, 3))
        path = tmp_path / calendar.OWN
        path.write_text('["2031"]\nholidays = [[2031-06-03, 2031-06-03]]\n')
        assert not is_working_day(date(2031, 6, 3)) and is_working_day(date(2031, 6, 4))
        assert not is_working_day(date(2026, 10, 1)), "other years stay ours"
        path.write_text('["2026"]\nholidays = [[2026-01-01, 2026-01-01]]\nworked = [2026-01-03]\n')
        os.utime(path, (1, 1))
        assert is_working_day(date(2026, 10, 1)) and is_working_day(date(2026, 1, 3))
        path.write_text("[2026")
        with pytest.raises(ValueError, match=r"working_days\.toml"):
            is_working_day(date(2026, 10, 1))


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 10, 1), timezones=st.just(CITY)),
    st.integers(1, 15),
)
def test_one_day_more_ends_later_and_on_a_working_day(start: datetime, days: int) -> None:
    sooner, later = end_of(start, days), end_of(start, days + 1)
    assert start < sooner < later
    last = sooner.date().toordinal() - 1
    assert is_working_day(date.fromordinal(last))
