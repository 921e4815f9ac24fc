"""The record of every change: a chain of events, each holding the hash of the one before.

``h_n = SHA-256(h_{n-1} ‖ canonical event)``.  An event holds who (a pseudonym), what, which row and
the hash of a salted payload; the payload, with before and after, stands apart.  Events cannot be
taken out or altered without breaking the chain; payloads can, by retention, without breaking it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from .db import now
from .models import AuditEvent, AuditHead, AuditPayload

GENESIS = hashlib.sha256(b"orderclass-audit-1").hexdigest()


@dataclass(frozen=True)
class Actor:
    """Who acts: a name that tells the office but no private person, and the role."""

    name: str
    role: str

    def __str__(self) -> str:
        return self.name


SYSTEM = Actor("system", "system")
_PAYLOAD = insert(AuditPayload).values(
    event_id=select(AuditEvent.id).where(AuditEvent.hash == bindparam("of")).scalar_subquery(),
    salt=bindparam("salt"),
    payload=bindparam("payload"),
)


def record(
    session: Session,
    actor: Actor,
    action: str,
    row: str,
    *,
    round_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Append one event to the chain, in the caller's transaction."""
    entry = Entry(action, row, before, after)
    record_all(session, actor, [entry], round_id=round_id, reason=reason)


@dataclass(frozen=True)
class Entry:
    """One change among many that are recorded together."""

    action: str
    row: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


def record_all(
    session: Session,
    actor: Actor,
    entries: Iterable[Entry],
    *,
    round_id: int | None = None,
    reason: str = "",
) -> None:
    """Append an event for each entry, in their order and at one time."""
    head = _locked_head(session)
    moment = now(session)
    previous = head.hash
    events: list[dict[str, Any]] = []
    payloads: list[dict[str, Any]] = []
    for entry in entries:
        payload = _plain(
            {"before": entry.before or {}, "after": entry.after or {}, "reason": reason}
        )
        salt = secrets.token_hex(16)
        held = _hash(salt.encode() + canonical(payload))
        previous = chained(previous, _covered(moment, actor.name, entry.action, entry.row, held))
        events.append(
            {"at": moment, "actor": actor.name, "action": entry.action, "row": entry.row,
             "round_id": round_id, "payload_hash": held, "hash": previous}
        )  # fmt: skip
        payloads.append({"of": previous, "salt": salt, "payload": payload})
    if not events:
        return
    head.hash = previous
    session.flush()  # what the events tell of comes before them
    # no account of each row, and no ids handed back: an import makes ten thousand
    connection = session.connection()
    connection.execute(insert(AuditEvent), events)
    connection.execute(_PAYLOAD, payloads)


def wait(session: Session) -> None:
    """Wait until every transaction that has recorded something by now is stored or undone.

    A server may still be storing what a process sent to it that has been killed since.
    """
    _locked_head(session)


def _locked_head(session: Session) -> AuditHead:
    """The end of the chain, which one transaction at a time may move."""
    held = select(AuditHead).where(AuditHead.id == 1).with_for_update()
    if (head := session.scalar(held)) is not None:
        return head
    with suppress(IntegrityError), session.begin_nested():  # of two first writers one is in time
        session.add(AuditHead(id=1, hash=GENESIS))
    return session.scalars(held).one()


def chained(previous: str, covered: Mapping[str, str]) -> str:
    """The hash of an event, by what the chain covers of it, after the previous one's."""
    return _hash(previous.encode() + canonical(covered))


def fields(event: AuditEvent) -> dict[str, str]:
    """What the chain covers of an event."""
    return _covered(event.at, event.actor, event.action, event.row, event.payload_hash)


def _covered(at: datetime, actor: str, action: str, row: str, payload_hash: str) -> dict[str, str]:
    return {
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": actor,
        "action": action,
        "row": row,
        "payload": payload_hash,
    }


def broken(session: Session) -> Iterable[int]:
    """The ids of events that do not follow from the chain before them, or whose payload differs."""
    payloads = {p.event_id: p for p in session.scalars(select(AuditPayload))}
    previous = GENESIS
    for event in session.scalars(select(AuditEvent).order_by(AuditEvent.id)):
        held = payloads.get(event.id)
        differs = held is not None and event.payload_hash != _hash(
            held.salt.encode() + canonical(held.payload)
        )
        if differs or event.hash != chained(previous, fields(event)):
            yield event.id
        previous = event.hash
    head = session.get(AuditHead, 1)
    if (head.hash if head else GENESIS) != previous:
        yield 0


def canonical(value: Any) -> bytes:
    """One text for one value, whatever the order of keys."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    """The value as JSON gives it back: moments and decimals as texts."""

    def text(other: Any) -> str:
        return other.isoformat() if isinstance(other, datetime) else str(other)

    return json.loads(json.dumps(value, ensure_ascii=False, default=text))


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
