"""People, their applications and lists, and what offices find of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Base, Instant
from .keys import random_key

if TYPE_CHECKING:
    from .accounts import User
    from .plan import Program, Round


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
    removed_at: Mapped[datetime | None] = mapped_column(Instant)
    """When what could name her was removed, by the periods of retention."""
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


class Evidence(Base):
    """A picture that supports a claimed group; the file lies encrypted below the instance folder."""

    __tablename__ = "evidence"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=random_key)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), index=True)
    group: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)

    applicant: Mapped[Applicant] = relationship()


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
