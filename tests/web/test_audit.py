"""The chain of the record: whatever is changed in it, by whatever means, is found."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from tests.web.conftest import Clock
from tests.web.rows import FIRST
from web import audit, db
from web.models import AuditEvent, AuditHead, AuditPayload


@pytest.fixture
def chain(session: Session, clock: Clock) -> list[int]:
    """Five events; the ids."""
    for n in range(5):
        clock.forward(seconds=1.5)
        audit.record(
            session, FIRST, "plan.edit", f"class/K{n}",
            before={"seats": n}, after={"seats": n + 1}, reason="更正",
        )  # fmt: skip
    return list(session.scalars(select(AuditEvent.id).order_by(AuditEvent.id)))


def broken(session: Session) -> list[int]:
    session.flush()
    session.expire_all()
    return list(audit.broken(session))


def test_a_chain_that_nobody_touched_is_whole(session: Session, chain: list[int]) -> None:
    assert broken(session) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "coordinator:two"),
        ("action", "plan.view"),
        ("row", "class/K9"),
        ("payload_hash", "0" * 64),
        ("hash", "0" * 64),
    ],
)
@pytest.mark.parametrize("place", range(5))
def test_an_altered_event_is_found(
    session: Session, chain: list[int], place: int, column: str, value: str
) -> None:
    session.execute(update(AuditEvent).where(AuditEvent.id == chain[place]).values({column: value}))
    assert chain[place] in broken(session)


def test_an_altered_time_is_found(session: Session, chain: list[int]) -> None:
    held = session.get_one(AuditEvent, chain[2])
    held.at += timedelta(microseconds=1)
    assert chain[2] in broken(session)


@pytest.mark.parametrize("place", range(5))
def test_an_altered_payload_is_found(session: Session, chain: list[int], place: int) -> None:
    held = session.get_one(AuditPayload, chain[place])
    held.payload = {**held.payload, "after": {"seats": 99}}
    assert broken(session) == [chain[place]]


@pytest.mark.parametrize("place", range(5))
def test_a_missing_event_is_found(session: Session, chain: list[int], place: int) -> None:
    session.execute(delete(AuditPayload).where(AuditPayload.event_id == chain[place]))
    session.execute(delete(AuditEvent).where(AuditEvent.id == chain[place]))
    assert broken(session) == [chain[place + 1] if place < 4 else 0]


def test_events_that_changed_places_are_found(session: Session, chain: list[int]) -> None:
    session.execute(delete(AuditPayload))
    for old, new in ((chain[1], 1001), (chain[2], chain[1]), (1001, chain[2])):
        session.execute(update(AuditEvent).where(AuditEvent.id == old).values(id=new))
    assert broken(session)[0] == chain[1]


def test_a_chain_whose_end_was_cut_off_is_found(session: Session, chain: list[int]) -> None:
    session.execute(delete(AuditPayload))
    session.execute(delete(AuditEvent))
    assert broken(session) == [0]


def test_payloads_may_go_and_the_chain_holds(session: Session, chain: list[int]) -> None:
    session.execute(delete(AuditPayload).where(AuditPayload.event_id != chain[0]))
    assert broken(session) == []


def test_what_failed_leaves_no_event(app: Flask) -> None:
    with app.app_context():
        with pytest.raises(RuntimeError), db.writing() as session:
            audit.record(session, FIRST, "plan.edit", "class/K9")
            raise RuntimeError
        assert db.reading().scalars(select(AuditEvent)).all() == []


def test_an_event_tells_nothing_of_its_payload(session: Session, chain: list[int]) -> None:
    first = session.get_one(AuditEvent, chain[0])
    assert "seats" not in str(audit.fields(first))
    held = {p.salt for p in session.scalars(select(AuditPayload))}
    assert len(held) == 5


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (Decimal("81.50"), "81.50"),
        ({"b": 1, "a": [1, None, True]}, {"a": [1, None, True], "b": 1}),
        ("𠮷野", "𠮷野"),
    ],
)
def test_values_of_any_kind_are_kept(session: Session, clock: Clock, value: Any, kept: Any) -> None:
    audit.record(session, audit.SYSTEM, "x", "y", after={"v": value, "at": clock.moment})
    held = session.scalars(select(AuditPayload)).one().payload
    assert held["after"] == {"v": kept, "at": clock.moment.isoformat()}
    assert broken(session) == []


def test_many_writers_keep_one_chain(app: Flask) -> None:
    start, failures = Barrier(8), []

    def write(n: int) -> None:
        start.wait()
        for _ in range(10):
            try:
                with app.app_context(), db.writing() as session:
                    audit.record(session, FIRST, "w", f"writer/{n}")
            except Exception as error:
                failures.append(error)

    with app.app_context(), db.writing() as session:
        audit.record(session, FIRST, "begin", "chain")
    threads = [Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert not failures and list(audit.broken(db.reading())) == []
        assert len(db.reading().scalars(select(AuditEvent)).all()) == 81
        assert db.reading().scalars(select(AuditHead)).one().hash


def test_the_first_two_writers_of_all_keep_one_chain(app: Flask) -> None:
    start, failures = Barrier(2), []

    def write() -> None:
        start.wait()
        try:
            with app.app_context(), db.writing() as session:
                audit.record(session, FIRST, "first", "of/all")
        except Exception as error:
            failures.append(error)

    threads = [Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with app.app_context():
        assert list(audit.broken(db.reading())) == []


def test_a_raw_edit_is_found(session: Session, chain: list[int]) -> None:
    session.execute(text("UPDATE audit_event SET actor = 'nobody' WHERE action = 'plan.edit'"))
    assert chain[0] in broken(session)
