"""The record of every change, and the operator's settings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, Instant


class AuditEvent(Base):
    """One change, chained to the one before; what it changed stands apart in its payload."""

    __tablename__ = "audit_event"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str]
    action: Mapped[str] = mapped_column(index=True)
    row: Mapped[str] = mapped_column(index=True)
    round_id: Mapped[int | None] = mapped_column(ForeignKey("round.id"), index=True)
    payload_hash: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)


class AuditPayload(Base):
    """Before and after of an event; retention may remove it and the chain still holds."""

    __tablename__ = "audit_payload"
    event_id: Mapped[int] = mapped_column(ForeignKey("audit_event.id"), primary_key=True)
    salt: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)


class AuditHead(Base):
    """The last event's hash: the one row that writers of the chain take turns at."""

    __tablename__ = "audit_head"
    id: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str]


class Setting(Base):
    """What an operator sets once: 主办单位, ICP备案号, 监督电话, …"""

    __tablename__ = "setting"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(default="")
