"""The database under writers: nothing fails, nothing is half stored, moments come back as they were."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session

from tests.web.conftest import Clock
from web import db
from web.models import College, LoginFailure, Setting

TEN = timezone(timedelta(hours=10))


def test_a_block_that_fails_stores_nothing(app: Flask) -> None:
    with app.app_context():
        with pytest.raises(RuntimeError), db.writing() as session:
            session.add(Setting(name="监督电话", value="12333"))
            session.flush()
            raise RuntimeError
        assert db.reading().get(Setting, "监督电话") is None


def test_a_block_within_a_block_is_refused_at_once(app: Flask) -> None:
    with app.app_context():
        with db.writing() as session:
            session.add(Setting(name="a", value="1"))
            with pytest.raises(RuntimeError, match="writes already"), db.writing():
                pass
            session.add(Setting(name="b", value="2"))
        with db.writing() as session:
            assert {held.name for held in session.scalars(select(Setting))} == {"a", "b"}


def test_what_was_written_is_read_in_the_same_request(app: Flask) -> None:
    with app.app_context():
        assert db.reading().get(Setting, "a") is None
        with db.writing() as session:
            session.add(Setting(name="a", value="1"))
        held = db.reading().get(Setting, "a")
        assert held is not None and held.value == "1"


def test_what_was_written_can_be_used_afterwards(app: Flask) -> None:
    with app.app_context():
        with db.writing() as session:
            made = Setting(name="a", value="1")
            session.add(made)
        assert made.value == "1"


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 6, 1, 1, 2, 3, 456789, tzinfo=UTC),
        datetime(2026, 6, 1, 1, 2, 3, tzinfo=TEN),
        datetime(1, 1, 2, tzinfo=UTC),
    ],
)
def test_a_moment_comes_back_the_same(app: Flask, moment: datetime) -> None:
    with app.app_context():
        with db.writing() as session:
            session.add(LoginFailure(username="a", at=moment))
        held = db.reading().scalars(select(LoginFailure)).one()
        assert held.at == moment and held.at.tzinfo is not None


def test_moments_are_compared_by_the_database_as_moments(app: Flask) -> None:
    with app.app_context():
        with db.writing() as session:
            session.add(LoginFailure(username="a", at=datetime(2026, 6, 1, 10, tzinfo=TEN)))
        limit = datetime(2026, 6, 1, 0, 0, 1, tzinfo=UTC)
        found = db.reading().scalars(select(LoginFailure).where(LoginFailure.at < limit)).all()
        assert len(found) == 1


def test_a_moment_without_a_zone_is_refused(app: Flask) -> None:
    with (
        app.app_context(),
        pytest.raises(StatementError, match="time zone"),
        db.writing() as session,
    ):
        session.add(LoginFailure(username="a", at=datetime(2026, 6, 1)))


def test_the_clock_is_the_one_that_was_set(app: Flask, clock: Clock) -> None:
    with app.app_context():
        assert db.now(db.reading()) == clock.moment


def test_without_one_it_is_the_real_time(app: Flask) -> None:
    app.config["CLOCK"] = None
    with app.app_context():
        found = db.now(db.reading())
    assert found.tzinfo is UTC and abs(found - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_on_postgresql_the_time_goes_on_within_a_transaction(app: Flask) -> None:
    app.config["CLOCK"] = None
    with app.app_context(), db.writing() as session:
        first = db.now(session)
        session.execute(text("SELECT pg_sleep(0.05)"))
        assert db.now(session) - first >= timedelta(seconds=0.05)


def test_a_reference_to_nothing_is_refused(app: Flask) -> None:
    with app.app_context(), pytest.raises(IntegrityError), db.writing() as session:
        session.execute(text("INSERT INTO user_role (user_id, role_id) VALUES (77, 77)"))


# --- many writers -----------------------------------------------------------------------------

WORKER = """
import sys
import time
from threading import Thread
from sqlalchemy.orm import Session
from web import db
from web.models import College

engine = db.connect(sys.argv[1])
failures = []

def add():
    for _ in range(50):
        try:
            with engine.connect().execution_options(writes=True) as connection:
                with Session(connection) as session, session.begin():
                    held = session.get(College, 1, with_for_update=True)
                    held.version = held.version + 1
        except Exception as error:
            failures.append(repr(error))

threads = [Thread(target=add) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(failures), failures[:1])
"""


@pytest.fixture
def counted(database: str) -> Iterator[Engine]:
    """A database with one row that everybody counts up."""
    engine = db.connect(database)
    with Session(engine) as session, session.begin():
        session.add(College(id=1, code="C1", name="院校", version=0))
    yield engine
    engine.dispose()


def test_two_processes_of_eight_threads_lose_nothing(counted: Engine, database: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, database], stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(2)
    ]  # fmt: skip
    said = [process.communicate(timeout=120)[0] for process in processes]
    assert said == ["0 []\n", "0 []\n"]
    with Session(counted) as session:
        assert session.get_one(College, 1).version == 2 * 8 * 50


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_readers_go_on_while_somebody_writes(app: Flask) -> None:
    inside, read = Barrier(2), []

    def look() -> None:
        inside.wait()
        with app.app_context():
            read.append(db.reading().scalars(select(Setting)).all())
        inside.wait()

    thread = Thread(target=look)
    thread.start()
    with app.app_context(), db.writing() as session:
        session.add(Setting(name="a", value="1"))
        session.flush()
        inside.wait(timeout=10)
        inside.wait(timeout=10)
    thread.join()
    assert read == [[]]


def test_writers_go_in_the_order_in_which_they_came() -> None:
    turn, came, went = db.Line(), [], []

    def write(number: int) -> None:
        with turn:
            went.append(number)

    threads = [Thread(target=write, args=[number]) for number in range(6)]
    with turn:
        for number, thread in enumerate(threads):
            thread.start()
            while turn.waiting() <= number:
                time.sleep(0.001)
            came.append(number)
        assert went == []
    for thread in threads:
        thread.join()
    assert went == came and turn.waiting() == 0


def test_a_turn_ends_with_an_error() -> None:
    turn = db.Line()
    with pytest.raises(ValueError, match="wrong"), turn:
        raise ValueError("wrong")
    with turn:
        assert turn.waiting() == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sqlite_is_set_to_keep_what_it_acknowledged(app: Flask) -> None:
    with app.app_context():
        held = {
            name: db.reading().execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert held == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
