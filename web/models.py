"""Every row of the system, as typed SQLAlchemy models.

Ids are of the database; what a person or an address sees is a code, a number, or a random ``key``.
What only a person may read (names, document and telephone numbers) stays here and never enters a
snapshot.
"""

from __future__ import annotations

import base64
import secrets
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import current_app
from flask_security import RoleMixin, UserMixin
from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Numeric,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .db import Base, Instant

metadata: MetaData = Base.metadata

STAFF = ("coordinator", "college", "enterprise", "district", "bureau", "auditor")
ROLES = (*STAFF, "applicant")


def random_key() -> str:
    """An id that nobody can guess: 80 random bits in base 32."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()


# --- people who log in ------------------------------------------------------------------------


class Role(Base, RoleMixin):
    """A kind of user: one of :data:`ROLES`."""

    __tablename__ = "role"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str | None]


class UserRole(Base):
    """Who holds which role."""

    __tablename__ = "user_role"
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("role.id"), primary_key=True)


class User(Base, UserMixin):
    """Somebody who logs in; an office's people act for their college, enterprise or district."""

    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str | None] = mapped_column(unique=True)  # type: ignore[assignment]
    password: Mapped[str | None]
    name: Mapped[str] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(unique=True)
    tf_primary_method: Mapped[str | None]
    tf_totp_secret: Mapped[str | None]
    tf_last_counter: Mapped[int | None]
    last_login_at: Mapped[datetime | None] = mapped_column(Instant)  # type: ignore[assignment]
    current_login_at: Mapped[datetime | None] = mapped_column(Instant)  # type: ignore[assignment]
    last_login_ip: Mapped[str | None]
    current_login_ip: Mapped[str | None]
    login_count: Mapped[int | None]  # type: ignore[assignment]
    notice: Mapped[str] = mapped_column(default="")
    """Shown once at the next login: a password set anew at the counter, say."""
    locale: Mapped[str] = mapped_column(default="zh")
    college_id: Mapped[int | None] = mapped_column(ForeignKey("college.id"))
    enterprise_id: Mapped[int | None] = mapped_column(ForeignKey("enterprise.id"))
    district: Mapped[str | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)

    roles: Mapped[list[Role]] = relationship(secondary="user_role")  # type: ignore[assignment]
    college: Mapped[College | None] = relationship()
    enterprise: Mapped[Enterprise | None] = relationship()
    person: Mapped[Person | None] = relationship(back_populates="user")

    def check_tf_required(
        self, tf_setup_methods: list[tuple[str, str]], tf_fresh: bool
    ) -> tuple[bool, list[tuple[str, str]]]:
        """A second factor is asked of every office, not of applicants; in the demo of nobody."""
        return (self.role in STAFF and not current_app.config["DEMO"], tf_setup_methods)

    @property
    def role(self) -> str:
        """The one role of the user."""
        return self.roles[0].name if self.roles else ""


class LoginFailure(Base):
    """A password that was refused; ten in a quarter of an hour slow that account down."""

    __tablename__ = "login_failure"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(Instant)


# --- the alliance -----------------------------------------------------------------------------


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


# --- a round and its rules --------------------------------------------------------------------


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
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), index=True)
    code: Mapped[str]
    """``seats_cut``: a program on her list has fewer seats than when she listed it."""
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    at: Mapped[datetime] = mapped_column(Instant)


# --- applicants -------------------------------------------------------------------------------


class Person(Base):
    """A human being, once, whatever rounds she applies in; read by few and never exported whole."""

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    pseudonym: Mapped[str] = mapped_column(unique=True)
    number_index: Mapped[str] = mapped_column(unique=True)
    """A keyed hash of the document number: finds her, tells nothing."""
    number: Mapped[bytes] = mapped_column(LargeBinary)
    """The document number, encrypted."""
    identity_type: Mapped[str] = mapped_column(default="01")
    name: Mapped[str]
    sex: Mapped[str] = mapped_column(default="")
    birth_date: Mapped[date | None]
    nation: Mapped[str] = mapped_column(default="")
    telephone: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    verified_at: Mapped[datetime | None] = mapped_column(Instant)
    verified_by: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)

    user: Mapped[User | None] = relationship(back_populates="person")


class Slip(Base):
    """An activation slip: an application number and a one-time code, handed over on paper."""

    __tablename__ = "slip"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
    purpose: Mapped[str] = mapped_column(default="activate")
    """``activate`` an account, ``recover`` it, or ``guardian``."""
    issued_by: Mapped[str]
    issued_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class Applicant(Base):
    """One person's application in one round (报名)."""

    __tablename__ = "applicant"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=random_key)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    number: Mapped[str]
    """The application number (报名号) that public lists show."""
    state: Mapped[str] = mapped_column(default="draft", index=True)
    """``draft``, ``submitted``, ``returned``, ``passed``, ``failed``, ``withdrawn``."""
    review: Mapped[str] = mapped_column(default="")
    """Code of the review that the admission law reads: blank, ``passed``, or why not."""
    household_district: Mapped[str] = mapped_column(default="")
    household_kind: Mapped[str] = mapped_column(default="")
    district: Mapped[str] = mapped_column(default="")
    education: Mapped[str] = mapped_column(default="")
    school: Mapped[str] = mapped_column(default="")
    graduated: Mapped[str] = mapped_column(default="")
    fresh: Mapped[bool] = mapped_column(default=False)
    employment: Mapped[str] = mapped_column(default="")
    certificate: Mapped[str] = mapped_column(default="")
    skill_level: Mapped[str] = mapped_column(default="")
    health: Mapped[str] = mapped_column(default="")
    study_forms: Mapped[str] = mapped_column(default="")
    boarding: Mapped[bool] = mapped_column(default=False)
    guardian: Mapped[str] = mapped_column(default="")
    guardian_relation: Mapped[str] = mapped_column(default="")
    guardian_telephone: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    guardian_agreed_at: Mapped[datetime | None] = mapped_column(Instant)
    guardian_agreed_how: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    entered_by: Mapped[str] = mapped_column(default="")
    """Who typed it for her (代报名); blank where she did."""
    entry_confirmed: Mapped[str] = mapped_column(default="")
    """How she confirmed what others typed: ``code``, or the number of the signed print."""
    submitted_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1)

    round: Mapped[Round] = relationship()
    person: Mapped[Person] = relationship()
    groups: Mapped[list[Membership]] = relationship(
        back_populates="applicant", cascade="all, delete-orphan", order_by="Membership.group"
    )
    __table_args__ = (
        UniqueConstraint("round_id", "person_id"),
        UniqueConstraint("round_id", "number"),
    )


class Membership(Base):
    """A group that an applicant claims, its evidence, and who verified it."""

    __tablename__ = "membership"
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), primary_key=True)
    group: Mapped[str] = mapped_column(primary_key=True)
    evidence: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="claimed")
    """``claimed``, ``verified``, ``refused``."""
    reason: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None] = mapped_column(Instant)

    applicant: Mapped[Applicant] = relationship(back_populates="groups")


class Consent(Base):
    """A text to which somebody agreed, in the version shown to her."""

    __tablename__ = "consent"
    id: Mapped[int] = mapped_column(primary_key=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), index=True)
    text: Mapped[str]
    version: Mapped[str]
    given: Mapped[bool]
    at: Mapped[datetime] = mapped_column(Instant)


class ChoiceList(Base):
    """A ranked list (志愿表): one draft at most, and every version that was submitted."""

    __tablename__ = "choice_list"
    id: Mapped[int] = mapped_column(primary_key=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), index=True)
    number: Mapped[int]
    """0 is the draft; submitted versions count from 1, and the greatest holds."""
    choices: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Codes of programs or of classes, first choice first."""
    adjustment: Mapped[str] = mapped_column(default="none")
    not_accepted: Mapped[list[str]] = mapped_column(JSON, default=list)
    saved_at: Mapped[datetime] = mapped_column(Instant)
    submitted_at: Mapped[datetime | None] = mapped_column(Instant)
    entered_by: Mapped[str] = mapped_column(default="")
    receipt: Mapped[str | None] = mapped_column(unique=True)
    digest: Mapped[str] = mapped_column(default="")
    idempotency_key: Mapped[str | None]

    applicant: Mapped[Applicant] = relationship()
    __table_args__ = (
        UniqueConstraint("applicant_id", "number"),
        UniqueConstraint("applicant_id", "idempotency_key"),
    )


class Review(Base):
    """One matter of the eligibility review (资格审核) and its conclusion."""

    __tablename__ = "review"
    id: Mapped[int] = mapped_column(primary_key=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), index=True)
    matter: Mapped[str]
    conclusion: Mapped[str]
    """``passed``, ``correct`` (补正) or ``failed``."""
    code: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    office: Mapped[str] = mapped_column(default="")
    reviewer: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)
    corrects: Mapped[bool] = mapped_column(default=False)
    """Whether it changes an earlier conclusion, and so holds only once a second person confirms."""
    confirmed_by: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)


class Score(Base):
    """One applicant's components in a channel, or at one program (interviews by class)."""

    __tablename__ = "score"
    id: Mapped[int] = mapped_column(primary_key=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), index=True)
    channel: Mapped[str] = mapped_column(default="")
    program_id: Mapped[int | None] = mapped_column(ForeignKey("program.id"))
    culture: Mapped[str] = mapped_column(default="")
    skill: Mapped[str] = mapped_column(default="")
    interview: Mapped[str] = mapped_column(default="")
    experience: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    fit: Mapped[str] = mapped_column(default="")
    exempt_basis: Mapped[str] = mapped_column(default="")
    office: Mapped[str] = mapped_column(default="")
    """Code of the college or enterprise that entered it; only it may change it."""
    entered_by: Mapped[str]
    entered_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_by: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1)

    applicant: Mapped[Applicant] = relationship()
    program: Mapped[Program | None] = relationship()
    __table_args__ = (
        Index(
            "uq_score_channel", "applicant_id", "channel", unique=True,
            sqlite_where=text("program_id IS NULL"), postgresql_where=text("program_id IS NULL"),
        ),
        UniqueConstraint("applicant_id", "program_id"),
    )  # fmt: skip


class Decision(Base):
    """What people decided about one applicant at one program, by two of them."""

    __tablename__ = "decision"
    id: Mapped[int] = mapped_column(primary_key=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), index=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"))
    decision: Mapped[str]
    """``rejected`` after an interview, ``approved`` as a single case (个案审批), …"""
    rule: Mapped[str] = mapped_column(default="")
    basis: Mapped[str]
    withdrawn: Mapped[bool] = mapped_column(default=False)
    """Whether its removal is proposed; a second person's confirmation then removes it."""
    entered_by: Mapped[str]
    entered_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_by: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)

    applicant: Mapped[Applicant] = relationship()
    program: Mapped[Program] = relationship()
    __table_args__ = (UniqueConstraint("applicant_id", "program_id", "decision", "rule"),)


class Interview(Base):
    """When and where an enterprise interviews somebody for its seats."""

    __tablename__ = "interview"
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), primary_key=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"), primary_key=True)
    slot: Mapped[str]


# --- what happens in a round ------------------------------------------------------------------


class Record(Base):
    """A paper of the bureau that a gate waits for (审定, 备案): typed by one, confirmed by another."""

    __tablename__ = "record"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    kind: Mapped[str]
    """``plan_approval`` 审定 or ``result_filing`` 备案."""
    authority: Mapped[str]
    document: Mapped[str]
    dated: Mapped[date]
    entered_by: Mapped[str]
    entered_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_by: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    __table_args__ = (UniqueConstraint("round_id", "kind"),)


class Doubt(Base):
    """A figure that the plausibility gate stopped at, and who confirmed it in writing."""

    __tablename__ = "doubt"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    code: Mapped[str]
    subject: Mapped[str]
    value: Mapped[str]
    limit: Mapped[str] = mapped_column(default="")
    explained: Mapped[str] = mapped_column(default="")
    explained_by: Mapped[str] = mapped_column(default="")
    confirmed_by: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    __table_args__ = (UniqueConstraint("round_id", "code", "subject", "value"),)


class Snapshot(Base):
    """The frozen round: a folder named by its digest, for ever."""

    __tablename__ = "snapshot"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), unique=True)
    digest: Mapped[str]
    policy_digest: Mapped[str]
    folder: Mapped[str]
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    trials: Mapped[int] = mapped_column(default=0)
    """How many trials had been run when the list was locked."""
    software: Mapped[str]
    taken_by: Mapped[str]
    taken_at: Mapped[datetime] = mapped_column(Instant)


class Draw(Base):
    """The public draw's value, typed by one and confirmed by another who types it again."""

    __tablename__ = "draw"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), unique=True)
    kind: Mapped[str]
    issue: Mapped[str] = mapped_column(default="")
    value: Mapped[str]
    witnesses: Mapped[str] = mapped_column(default="")
    seed: Mapped[str]
    entered_by: Mapped[str]
    entered_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_by: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)


class Run(Base):
    """One run of the solver: the row is the queue, the folder holds everything it made."""

    __tablename__ = "run"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=random_key)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    kind: Mapped[str]
    """``trial`` (试算, never publishable) or ``committed``."""
    label: Mapped[str] = mapped_column(default="")
    policy_toml: Mapped[str]
    state: Mapped[str] = mapped_column(default="QUEUED", index=True)
    fence: Mapped[int] = mapped_column(default=0)
    heartbeat: Mapped[datetime | None] = mapped_column(Instant)
    step: Mapped[str] = mapped_column(default="")
    cancel: Mapped[bool] = mapped_column(default=False)
    folder: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="")
    """The result's own status: ``OPTIMAL``, ``FEASIBLE``, …"""
    summary: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    error: Mapped[str] = mapped_column(default="")
    started_by: Mapped[str]
    queued_at: Mapped[datetime] = mapped_column(Instant)
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)

    round: Mapped[Round] = relationship()
    __table_args__ = (
        Index(
            "uq_run_committed_live", "round_id", unique=True,
            sqlite_where=text("kind = 'committed' AND state IN ('QUEUED', 'RUNNING', 'VERIFIED')"),
            postgresql_where=text(
                "kind = 'committed' AND state IN ('QUEUED', 'RUNNING', 'VERIFIED')"
            ),
        ),
    )  # fmt: skip


class Approval(Base):
    """A second coordinator's approval of the one run that may be published."""

    __tablename__ = "approval"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), unique=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    trusted: Mapped[list[str]] = mapped_column(JSON, default=list)
    """The claims that were TRUSTED, as they were named to the approver."""
    by: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)

    run: Mapped[Run] = relationship()


class Motion(Base):
    """What one coordinator asks and another confirms: to suspend, resume or void a round."""

    __tablename__ = "motion"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=random_key)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    kind: Mapped[str]
    """``suspend``, ``resume`` or ``void``."""
    reason: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_by: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)


class Publication(Base):
    """A published result; never edited, only followed by a successor."""

    __tablename__ = "publication"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("publication.id"))
    bundle_digest: Mapped[str]
    bundle: Mapped[str]
    """Name of the full bundle below the instance folder."""
    merkle_root: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)

    round: Mapped[Round] = relationship()
    run: Mapped[Run] = relationship()


class Placement(Base):
    """One applicant's line of a publication, with its reasons and its place in the Merkle tree."""

    __tablename__ = "placement"
    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("publication.id"), index=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), index=True)
    program_id: Mapped[int | None] = mapped_column(ForeignKey("program.id"), index=True)
    rank: Mapped[int | None]
    """1 and up: that choice; 0: adjustment; none: not placed."""
    seat: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    reasons: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    salt: Mapped[str]
    path: Mapped[list[str]] = mapped_column(JSON, default=list)

    publication: Mapped[Publication] = relationship()
    applicant: Mapped[Applicant] = relationship()
    program: Mapped[Program | None] = relationship()
    __table_args__ = (UniqueConstraint("publication_id", "applicant_id"),)


class Import(Base):
    """A workbook that was read: what it would change, and whether it was stored."""

    __tablename__ = "import"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=random_key)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    sheet: Mapped[str]
    filename: Mapped[str]
    digest: Mapped[str] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(default="previewed")
    """``refused``, ``previewed``, ``stored`` or ``dropped``."""
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    issues: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    by: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)
    stored_at: Mapped[datetime | None] = mapped_column(Instant)
    confirmed_by: Mapped[str] = mapped_column(default="")


# --- the record of everything -----------------------------------------------------------------


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
