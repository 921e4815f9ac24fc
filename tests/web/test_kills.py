"""Publishing killed on its way: nothing is half published, and it can be published afterwards.

``KILLS`` sets how often it is killed at a random moment on each database (100 in the full suite).
"""

from __future__ import annotations

import hashlib
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.web import postgres
from tests.web.a_round import SECOND, standing
from tests.web.conftest import CHOSEN, DATABASES
from tests.web.publisher import KILLED, Publisher, publisher
from tests.web.staged import Stage, next_day
from web import audit, db, publication, snapshot
from web.models import Placement, Publication, Round

KILLS = int(os.environ.get("KILLS", "6"))
PEOPLE = 12
STATEMENTS = (
    ("publication.settle", "before"), ("publication._store", "after"), ("rounds.take", "after"),
    ("publication.record", "after"),
)  # fmt: skip

Copy = Callable[[], AbstractContextManager[tuple[Flask, Path, str]]]


@pytest.fixture(scope="module")
def publishing() -> Iterator[Publisher]:
    with publisher() as started:
        yield started


@pytest.fixture(scope="module", params=DATABASES)
def approved(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Copy]:
    """Makes copies of an approved round; PostgreSQL waits for the disk as a real one does."""
    if CHOSEN and request.param != CHOSEN:
        pytest.skip(f"only {CHOSEN} was asked for")
    folder = tmp_path_factory.mktemp("approved")
    if request.param == "postgresql":
        with postgres.running(durable=True) as cluster:
            yield Stage.make(cluster, folder, "approved").copy
        return

    @contextmanager
    def copy() -> Iterator[tuple[Flask, Path, str]]:
        place = tmp_path_factory.mktemp("sqlite")
        app = standing(place, "approved", next_day)
        yield app, place, app.config["DATABASE_URL"]
        app.extensions["orderclass_engine"].dispose()

    yield copy


def outcome() -> str:
    """The state of the round, once nothing about it contradicts that state."""
    db.forget()
    session = db.reading()
    state: str = session.scalars(select(Round.state)).one()
    published = session.scalars(select(Publication)).all()
    placed = session.scalar(select(func.count(Placement.id)))
    assert (len(published), placed) == {"APPROVED": (0, 0), "PUBLISHED": (1, PEOPLE)}[state]
    for held in published:
        data = publication.bundle_path(held).read_bytes()
        assert hashlib.sha256(data).hexdigest() == held.bundle_digest
    assert list(audit.broken(session)) == []
    db.forget()
    return state


def recovered() -> None:
    """After a new start only what was published lies on the disk, and the rest can be published."""
    before = outcome()
    publication.recover()
    assert not publication.behind()
    assert outcome() == before
    folder = snapshot.instance() / publication.FOLDER
    known = {Path(name).name for name in db.reading().scalars(select(Publication.bundle))}
    assert {path.name for path in folder.iterdir() if path.suffix in (".zip", ".tmp")} == known
    if before == "APPROVED":
        publication.publish(db.reading().scalars(select(Round.id)).one(), SECOND)
    assert outcome() == "PUBLISHED"


@pytest.mark.parametrize(("where", "when"), STATEMENTS)
def test_killed_at_a_statement_nothing_is_half_published(
    approved: Copy, publishing: Publisher, where: str, when: str
) -> None:
    with approved() as (app, folder, url), app.app_context():
        assert publishing.publish(folder, url, [where, when])[0] == KILLED
        assert outcome() == "APPROVED"
        recovered()


def test_killed_at_any_moment_nothing_is_half_published(
    approved: Copy, publishing: Publisher
) -> None:
    with approved() as (app, folder, url), app.app_context():
        status, whole = publishing.publish(folder, url)
        assert (status, outcome()) == (0, "PUBLISHED")
    chance = random.Random(KILLS)
    found: Counter[str] = Counter()
    for _ in range(KILLS):
        with approved() as (app, folder, url), app.app_context():
            status, _lived = publishing.publish(folder, url, chance.uniform(0, whole))
            assert status in (0, KILLED)
            found[outcome()] += 1
            recovered()
    assert found.total() == KILLS
    print(f"killed within {whole:.2f} s: {dict(found)}")
