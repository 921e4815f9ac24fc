"""The members of the alliance: colleges and enterprises."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base


class College(Base):
    """A technical college of the alliance (院校)."""

    __tablename__ = "college"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    uscc: Mapped[str] = mapped_column(default="")
    tier: Mapped[str] = mapped_column(default="")
    ownership: Mapped[str] = mapped_column(default="")
    district: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    full_time_capacity: Mapped[int | None]
    beds: Mapped[int | None]
    workstations: Mapped[int | None]
    contact: Mapped[str] = mapped_column(default="")
    telephone: Mapped[str] = mapped_column(default="")
    joined: Mapped[date | None]
    member_until: Mapped[date | None]
    note: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)


class Enterprise(Base):
    """An enterprise of the alliance (企业)."""

    __tablename__ = "enterprise"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    uscc: Mapped[str] = mapped_column(default="")
    industry: Mapped[str] = mapped_column(default="")
    sector: Mapped[str] = mapped_column(default="")
    size: Mapped[str] = mapped_column(default="")
    employees: Mapped[int | None]
    district: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    leading: Mapped[bool] = mapped_column(default=False)
    chain_leader: Mapped[bool] = mapped_column(default=False)
    integration: Mapped[str] = mapped_column(default="")
    overseas: Mapped[str] = mapped_column(default="")
    contact: Mapped[str] = mapped_column(default="")
    telephone: Mapped[str] = mapped_column(default="")
    joined: Mapped[date | None]
    member_until: Mapped[date | None]
    note: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
