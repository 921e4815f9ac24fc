"""Publishing killed on its way: nothing is half published, and it can be published afterwards.

So it is with the first result of a round, and with the successor that upheld rechecks lead to.

``KILLS`` sets how often it is killed at a random moment on each database (100 in the full suite).
"""

from __future__ import annotations

import hashlib
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import product
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.web import postgres
from tests.web.a_round import SECOND, standing
from tests.web.conftest import CHOSEN, DATABASES
from tests.web.publisher import KILLED, Publisher, publish_next, publisher
from tests.web.staged import Stage, next_day
from web import audit, db, publication, snapshot
from web.models import Message, Placement, Publication, Recheck, Round

KILLS = int(os.environ.get("KILLS", "6"))
PEOPLE, MOVED = 12, 2
STATEMENTS = (
    ("publication.settle", "before"), ("publication._store", "after"), ("rounds._set", "after"),
    ("publication.record", "after"),
)  # fmt: skip

Copy = Callable[[], AbstractContextManager[tuple[Flask, Path, str]]]


@pytest.fixture(scope="module")
def publishing() -> Iterator[Publisher]:
    with publisher() as started:
        yield started


@pytest.fixture(scope="module", params=product(DATABASES, ("approved", "upheld")))
def approved(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Copy]:
    """Makes copies of a round whose result, or its successor, is approved; PostgreSQL waits for the disk
    as a real one does."""
    database, stage = request.param
    if CHOSEN and database != CHOSEN:
        pytest.skip(f"only {CHOSEN} was asked for")
    folder = tmp_path_factory.mktemp(stage)
    if database == "postgresql":
        with postgres.running(durable=True) as cluster:
            yield Stage.make(cluster, folder, stage).copy
        return

    @contextmanager
    def copy() -> Iterator[tuple[Flask, Path, str]]:
        place = tmp_path_factory.mktemp("sqlite")
        app = standing(place, stage, next_day)
        yield app, place, app.config["DATABASE_URL"]
        app.extensions["orderclass_engine"].dispose()

    yield copy


def outcome() -> int:
    """How many results are public, once nothing about the round contradicts that."""
    db.forget()
    session = db.reading()
    round_ = session.scalars(select(Round)).one()
    published = session.scalars(select(Publication).order_by(Publication.id)).all()
    placed = session.scalar(select(func.count(Placement.id)))
    assert (round_.state, placed) == (
        "PUBLISHED" if published else "APPROVED",
        PEOPLE * len(published),
    )
    for held in published:
        data = publication.bundle_path(held).read_bytes()
        assert hashlib.sha256(data).hexdigest() == held.bundle_digest
    if published:
        assert round_.notice_ends_at == publication.notice_end(round_, published[-1].at)
    followed = len(published) == 2
    for ticket in session.scalars(select(Recheck)):
        assert ticket.publication_id == (published[1].id if followed else None)
    told = select(func.count(Message.id)).where(Message.code == "result_corrected")
    assert session.scalar(told) == (MOVED if followed else 0)
    assert list(audit.broken(session)) == []
    db.forget()
    return len(published)


def recovered(wanted: int) -> None:
    """After a new start only what was published lies on the disk, and the rest can be published."""
    before = outcome()
    publication.recover()
    assert not publication.behind()
    assert outcome() == before
    folder = snapshot.instance() / publication.FOLDER
    known = {Path(name).name for name in db.reading().scalars(select(Publication.bundle))}
    assert {path.name for path in folder.iterdir() if path.suffix in (".zip", ".tmp")} == known
    if before < wanted:
        publish_next(db.reading().scalars(select(Round)).one(), SECOND)
    assert outcome() == wanted


@pytest.mark.parametrize(("where", "when"), STATEMENTS)
def test_killed_at_a_statement_nothing_is_half_published(
    approved: Copy, publishing: Publisher, where: str, when: str
) -> None:
    with approved() as (app, folder, url), app.app_context():
        before = outcome()
        assert publishing.publish(folder, url, [where, when])[0] == KILLED
        assert outcome() == before
        recovered(before + 1)


def test_recovery_waits_for_what_is_still_being_stored(
    approved: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill: the lock on the folder is free, and the server has the commit yet to carry out."""
    recorded, go = Event(), Event()
    real = publication.record

    def paused(*args: Any, **options: Any) -> None:
        real(*args, **options)
        recorded.set()
        assert go.wait(60)

    def within(act: Callable[[], Any]) -> Thread:
        def run() -> None:
            with app.app_context():
                act()

        thread = Thread(target=run)
        thread.start()
        return thread

    with approved() as (app, _folder, _url), app.app_context():
        (snapshot.instance() / publication.FOLDER).mkdir(exist_ok=True)
        monkeypatch.setattr(publication, "alone", lambda _folder: nullcontext())
        monkeypatch.setattr(publication, "record", paused)
        before = outcome()
        publishing = within(lambda: publish_next(db.reading().scalars(select(Round)).one(), SECOND))
        assert recorded.wait(60)
        recovering = within(publication.recover)
        recovering.join(0.5)
        assert recovering.is_alive()
        go.set()
        publishing.join(60)
        recovering.join(60)
        assert outcome() == before + 1


def test_killed_at_any_moment_nothing_is_half_published(
    approved: Copy, publishing: Publisher
) -> None:
    with approved() as (app, folder, url), app.app_context():
        wanted = outcome() + 1
        status, whole = publishing.publish(folder, url)
        assert (status, outcome()) == (0, wanted)
    chance = random.Random(KILLS)
    found: Counter[int] = Counter()
    for _ in range(KILLS):
        with approved() as (app, folder, url), app.app_context():
            status, _lived = publishing.publish(folder, url, chance.uniform(0, whole))
            assert status in (0, KILLED)
            publication.recover()  # the server may still be storing what it was sent
            found[outcome()] += 1
            recovered(wanted)
    assert found.total() == KILLS
    print(f"killed within {whole:.2f} s: {dict(found)}")
