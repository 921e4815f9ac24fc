"""The database: engine, sessions, and the one clock of the system.

Reading uses the request's own session and never commits.  Writing is a block::

    with writing() as session:
        ...

that is one transaction: SQLite takes its write lock at once (``BEGIN IMMEDIATE``), so that nothing
is read first and found changed later.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from threading import Lock, local
from typing import Any

from flask import Flask, current_app, g
from sqlalchemy import DateTime, Engine, MetaData, create_engine, event, func, select
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

BUSY_SECONDS = 30
CONNECTIONS = 40
"""At most so many are open: each of the server's sixteen threads may need two at once, one to know who
asks and one for what she asks for; with fewer, all could wait for each other."""


class Base(DeclarativeBase):
    """All rows; constraints are named so that a migration can find them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Instant(TypeDecorator[datetime]):
    """A moment, always in UTC; SQLite, which knows no zones, holds it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone: nobody could say which it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back: always UTC, whatever zone the database server lives in."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def connect(url: str) -> Engine:
    """An engine for SQLite (embedded) or PostgreSQL; its errors tell no value of a statement."""
    common: dict[str, Any] = {
        "pool_size": CONNECTIONS, "max_overflow": 0, "hide_parameters": True,
    }  # fmt: skip
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, **common)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, **common)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # BEGIN is ours, so that a writer can take its lock at once
    for setting in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_SECONDS * 1000}",
    ):
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class Line:
    """Writers one at a time, in the order in which they came.

    A plain lock goes to whoever asks while the next in line still wakes up, and some wait very long.
    """

    def __init__(self) -> None:
        self._guard = Lock()
        self._line: deque[Lock] = deque()

    def __enter__(self) -> None:
        """Stand in line until it is this one's turn."""
        mine = Lock()
        mine.acquire()
        with self._guard:
            self._line.append(mine)
            first = len(self._line) == 1
        if not first:
            mine.acquire()

    def waiting(self) -> int:
        """How many stand in line behind the one who writes."""
        with self._guard:
            return max(len(self._line) - 1, 0)

    def __exit__(self, *_: object) -> None:
        """Let the next one go."""
        with self._guard:
            self._line.popleft()
            if self._line:
                self._line[0].release()


class Turn:
    """Who may write: a thread once at a time and, where asked, only one thread."""

    def __init__(self, alone: bool) -> None:
        self._line: AbstractContextManager[None] = Line() if alone else nullcontext()
        self._thread = local()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Have the turn, waiting for it in line."""
        if getattr(self._thread, "writes", False):
            raise RuntimeError("this thread writes already: use the session of the outer block")
        forget()
        with self._line:
            self._thread.writes = True
            try:
                yield
            finally:
                self._thread.writes = False


def engine() -> Engine:
    """The engine of the running application."""
    found: Engine = current_app.extensions["orderclass_engine"]
    return found


def reading() -> Session:
    """The request's session, for reading; it is closed with the request and never commits."""
    if "reading" not in g:
        g.reading = Session(engine(), expire_on_commit=False)
    session: Session = g.reading
    return session


@contextmanager
def writing() -> Iterator[Session]:
    """One transaction that writes: all of it is stored, or nothing.

    Raises
    ------
    RuntimeError
        Within another such block of the same thread: it would wait for itself.
    """
    with (
        current_app.extensions["orderclass_turn"].taken(),
        engine().connect().execution_options(writes=True) as connection,
        Session(connection, expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


def forget() -> None:
    """Close the request's reading session, so that what is read next is what is stored now."""
    if (session := g.pop("reading", None)) is not None:
        session.close()


def now(session: Session) -> datetime:
    """The time that decides: the database's own on PostgreSQL, else this machine's, in UTC.

    A test, or the demo, may set the application's clock.
    """
    clock: Callable[[], datetime] | None = current_app.config.get("CLOCK")
    if clock is not None:
        return clock()
    if session.get_bind().dialect.name == "postgresql":
        moment: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
        return moment.astimezone(UTC)
    return datetime.now(UTC)


def init_app(app: Flask) -> None:
    """Give the application its engine and close each request's session."""
    app.extensions["orderclass_engine"] = connect(app.config["DATABASE_URL"])
    # SQLite lets writers try again and again; here they stand in line
    embedded = app.config["DATABASE_URL"].startswith("sqlite")
    app.extensions["orderclass_turn"] = Turn(alone=embedded)
    app.teardown_appcontext(lambda _: forget())
