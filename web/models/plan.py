"""A round, its rules and its plan: demands, classes, seats, reserves, caps."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, ForeignKey, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Base, Instant
from .keys import random_key

if TYPE_CHECKING:
    from .alliance import College, Enterprise
    from .course import Snapshot


class Round(Base):
    """One joint round (招生轮次); only :mod:`web.rounds` changes its ``state``."""

    __tablename__ = "round"
    id: Mapped[int] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(unique=True)
    """The number that people quote, and ROUND of the lottery: ``2026-1``."""
    title: Mapped[str]
    year: Mapped[int]
    season: Mapped[str] = mapped_column(default="autumn")
    state: Mapped[str] = mapped_column(default="DRAFT", index=True)
    fence: Mapped[int] = mapped_column(default=0)
    resumes_to: Mapped[str | None]
    """While suspended: the state to come back to."""
    reason: Mapped[str] = mapped_column(default="")
    """The public reason of a suspension or of voiding."""
    opens_at: Mapped[datetime | None] = mapped_column(Instant)
    deadline_at: Mapped[datetime | None] = mapped_column(Instant)
    draw_event: Mapped[str] = mapped_column(default="")
    """Which public draw makes the seed, and what holds if it fails."""
    demo: Mapped[bool] = mapped_column(default=False)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("round.id"))
    policy_id: Mapped[int | None] = mapped_column(
        ForeignKey("policy_version.id", use_alter=True, name="fk_round_policy_id")
    )
    created_at: Mapped[datetime] = mapped_column(Instant)
    frozen_at: Mapped[datetime | None] = mapped_column(Instant)
    drawn_at: Mapped[datetime | None] = mapped_column(Instant)
    approved_at: Mapped[datetime | None] = mapped_column(Instant)
    published_at: Mapped[datetime | None] = mapped_column(Instant)
    notice_ends_at: Mapped[datetime | None] = mapped_column(Instant)
    suspended_at: Mapped[datetime | None] = mapped_column(Instant)
    """Since when the clocks stand still; while suspended."""
    waiting_ended_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the waiting list was ended; from then on classes are judged and nobody is called."""
    waiting_end_folder: Mapped[str] = mapped_column(default="")
    waiting_end_digest: Mapped[str] = mapped_column(default="")
    """The closing link of the waiting list's chain."""
    version: Mapped[int] = mapped_column(default=1)

    policy: Mapped[PolicyVersion | None] = relationship(foreign_keys=[policy_id])
    parent: Mapped[Round | None] = relationship(remote_side=[id])
    classes: Mapped[list[OrderClass]] = relationship(back_populates="round")
    snapshot: Mapped[Snapshot | None] = relationship()


class PolicyVersion(Base):
    """The rules of a round at one time: ``policy.toml``, and who changed it when and why."""

    __tablename__ = "policy_version"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    number: Mapped[int]
    toml: Mapped[str]
    workflow: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Parameters that gates and calendars read (days of notice, …), by key."""
    reason: Mapped[str] = mapped_column(default="")
    author: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (UniqueConstraint("round_id", "number"),)


class Demand(Base):
    """A post that an enterprise wants filled (订单需求)."""

    __tablename__ = "demand"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    code: Mapped[str]
    title: Mapped[str]
    occupation: Mapped[str] = mapped_column(default="")
    skill_level: Mapped[str] = mapped_column(default="")
    people: Mapped[int]
    hire_date: Mapped[date | None]
    wage_from: Mapped[int | None]
    wage_to: Mapped[int | None]
    district: Mapped[str] = mapped_column(default="")
    study_forms: Mapped[str] = mapped_column(default="")
    education: Mapped[str] = mapped_column(default="")
    age_wish: Mapped[str] = mapped_column(default="")
    health: Mapped[str] = mapped_column(default="")
    health_basis: Mapped[str] = mapped_column(default="")
    forbid_minor: Mapped[bool] = mapped_column(default=False)
    forbid_minor_reason: Mapped[str] = mapped_column(default="")
    overseas: Mapped[bool] = mapped_column(default=False)
    board: Mapped[str] = mapped_column(default="")
    mentors: Mapped[int | None]
    equipment: Mapped[str] = mapped_column(default="")
    joint: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(default="draft")
    """``draft``, ``submitted``, ``taken`` into a class, ``withdrawn``."""
    version: Mapped[int] = mapped_column(default=1)

    enterprise: Mapped[Enterprise] = relationship()
    __table_args__ = (UniqueConstraint("round_id", "code"),)


class OrderClass(Base):
    """A class of the plan (订单班)."""

    __tablename__ = "order_class"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    college_id: Mapped[int] = mapped_column(ForeignKey("college.id"), index=True)
    code: Mapped[str]
    name: Mapped[str]
    major: Mapped[str] = mapped_column(default="")
    major_code: Mapped[str] = mapped_column(default="")
    industry: Mapped[str] = mapped_column(default="")
    district: Mapped[str] = mapped_column(default="")
    level: Mapped[str] = mapped_column(default="")
    intake: Mapped[str] = mapped_column(default="")
    """招生对象, in words."""
    years: Mapped[Decimal | None] = mapped_column(Numeric(3, 1))
    study_form: Mapped[str] = mapped_column(default="FT")
    kind: Mapped[str] = mapped_column(default="order")
    hired_on_entry: Mapped[bool] = mapped_column(default=False)
    min_size: Mapped[int] = mapped_column(default=0)
    plan_order: Mapped[int | None]
    entry_education: Mapped[str] = mapped_column(default="")
    entry_skill: Mapped[str] = mapped_column(default="")
    age_min: Mapped[int | None]
    age_max: Mapped[int | None]
    age_basis: Mapped[str] = mapped_column(default="")
    health: Mapped[str] = mapped_column(default="")
    health_basis: Mapped[str] = mapped_column(default="")
    internship_date: Mapped[date | None]
    hire_date: Mapped[date | None]
    signed_internship_date: Mapped[date | None]
    """What agreements say instead of the plan's date, where the college moved it afterwards."""
    signed_hire_date: Mapped[date | None]
    check_in_from: Mapped[date | None]
    """First and last day of check-in (报到)."""
    check_in_until: Mapped[date | None]
    check_in_place: Mapped[str] = mapped_column(default="")
    """Where, and at what hours."""
    check_in_bring: Mapped[str] = mapped_column(default="")
    interview_required: Mapped[bool] = mapped_column(default=False)
    tuition: Mapped[int | None]
    boarding: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the college confirmed the class as it stands; any change takes it back."""
    confirmed_by: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)

    round: Mapped[Round] = relationship(back_populates="classes")
    college: Mapped[College] = relationship()
    programs: Mapped[list[Program]] = relationship(
        back_populates="order_class", order_by="Program.code"
    )
    __table_args__ = (UniqueConstraint("round_id", "code"),)


class Program(Base):
    """One enterprise's seats in one class for one exam channel (订单席位)."""

    __tablename__ = "program"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_class_id: Mapped[int] = mapped_column(ForeignKey("order_class.id"), index=True)
    enterprise_id: Mapped[int] = mapped_column(ForeignKey("enterprise.id"), index=True)
    demand_id: Mapped[int | None] = mapped_column(ForeignKey("demand.id"))
    code: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    capacity: Mapped[int]
    channel: Mapped[str] = mapped_column(default="")
    plan_order: Mapped[int | None]
    forbid_minor: Mapped[bool] = mapped_column(default=False)
    forbid_minor_reason: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the enterprise confirmed its seats as they stand; any change takes it back."""
    confirmed_by: Mapped[str] = mapped_column(default="")

    order_class: Mapped[OrderClass] = relationship(back_populates="programs")
    enterprise: Mapped[Enterprise] = relationship()
    demand: Mapped[Demand | None] = relationship()
    reserves: Mapped[list[Reserve]] = relationship(
        back_populates="program", cascade="all, delete-orphan", order_by="Reserve.group"
    )
    __table_args__ = (UniqueConstraint("order_class_id", "code"),)


class Reserve(Base):
    """Seats of a program held first for a group (预留)."""

    __tablename__ = "reserve"
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"), primary_key=True)
    group: Mapped[str] = mapped_column(primary_key=True)
    hard: Mapped[bool] = mapped_column(primary_key=True, default=False)
    seats: Mapped[int]

    program: Mapped[Program] = relationship(back_populates="reserves")


class Cap(Base):
    """An upper limit over a set of programs (总量上限)."""

    __tablename__ = "cap"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    code: Mapped[str]
    seats: Mapped[int]
    college_id: Mapped[int | None] = mapped_column(ForeignKey("college.id"))
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"))
    programs: Mapped[list[str]] = mapped_column(JSON, default=list)
    __table_args__ = (UniqueConstraint("round_id", "code"),)


class SeatChange(Base):
    """A cut or addition of seats after the plan was announced (席位变更单), agreed by three."""

    __tablename__ = "seat_change"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=random_key)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"), index=True)
    before: Mapped[int]
    after: Mapped[int]
    reason: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(Instant)
    college_by: Mapped[str] = mapped_column(default="")
    enterprise_by: Mapped[str] = mapped_column(default="")
    coordinator_by: Mapped[str] = mapped_column(default="")
    applied_at: Mapped[datetime | None] = mapped_column(Instant)

    program: Mapped[Program] = relationship()


class Notice(Base):
    """Something that an applicant must be told on her page: a code and its numbers."""

    __tablename__ = "notice"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=random_key)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), index=True)
    code: Mapped[str]
    """``seats_cut``: a program on her list has fewer seats than when she listed it;
    ``application_withdrawn``, ``list_taken_back``: by an office, for a reason."""
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    at: Mapped[datetime] = mapped_column(Instant)
    dismissed_at: Mapped[datetime | None] = mapped_column(Instant)
