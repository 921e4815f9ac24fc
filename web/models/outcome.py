"""After publication: offers and answers, the waiting list, rechecks, agreements, check-in, messages."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Base, Instant
from .keys import random_key

if TYPE_CHECKING:
    from .applicants import Applicant
    from .course import Publication, Run
    from .plan import OrderClass, Program, Round

OPEN = "open"
HOLDING = ("accepted", "waiting")
ENDED = ("declined", "silent", "moved", "lapsed", "absent", "released", "left")
OFFER_STATES = (OPEN, *HOLDING, *ENDED)


class Offer(Base):
    """A place offered to somebody, and what became of it (录取、递补的席位).

    Somebody who waits for a better place (候补) holds one offer while another is open; nobody holds
    two, nobody is asked about two.
    """

    __tablename__ = "offer"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=random_key)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), index=True)
    program_id: Mapped[int] = mapped_column(ForeignKey("program.id"), index=True)
    rank: Mapped[int]
    """1 and up: that choice; 0: adjustment."""
    source: Mapped[str]
    """``result`` (the published placement), ``waiting`` (递补), ``remedy`` (an upheld recheck), or
    ``ruling`` (her class was closed or merged)."""
    state: Mapped[str] = mapped_column(default=OPEN, index=True)
    """``open``; held: ``accepted``, ``waiting`` (接受并候补); ended: ``declined``, ``silent`` (逾期),
    ``moved`` (to a better place), ``lapsed`` (agreement not signed), ``absent`` (未报到), ``released``
    (class closed), ``left`` (退出)."""
    made_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    answered_by: Mapped[str] = mapped_column(default="")
    """The actor; an office's where she answered at the counter."""
    guardian_how: Mapped[str] = mapped_column(default="")
    """Under 18: how the guardian took part, ``code`` or the number of the signed paper."""
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(default="")
    step_id: Mapped[int | None] = mapped_column(ForeignKey("waiting_step.id"))
    """The step of the waiting list that made it."""
    version: Mapped[int] = mapped_column(default=1)

    round: Mapped[Round] = relationship()
    applicant: Mapped[Applicant] = relationship()
    program: Mapped[Program] = relationship()
    __table_args__ = (
        Index(
            "uq_offer_open", "applicant_id", unique=True,
            sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'"),
        ),
        Index(
            "uq_offer_held", "applicant_id", unique=True,
            sqlite_where=text("state IN ('accepted', 'waiting')"),
            postgresql_where=text("state IN ('accepted', 'waiting')"),
        ),
    )  # fmt: skip


class Contact(Base):
    """A call or visit about an offer that nobody has answered (电话联系记录)."""

    __tablename__ = "contact"
    id: Mapped[int] = mapped_column(primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    outcome: Mapped[str]
    """``reached``, ``not_reached``, ``wrong_number``, ``will_answer``."""
    note: Mapped[str] = mapped_column(default="")
    by: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)


class WaitingStep(Base):
    """One day's step of the waiting list (递补), a link of the chain after the publication."""

    __tablename__ = "waiting_step"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=random_key)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    number: Mapped[int]
    parent: Mapped[str]
    """Digest of the link before: of the step, or of the publication's bundle."""
    folder: Mapped[str]
    digest: Mapped[str]
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    by: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (UniqueConstraint("round_id", "number"),)


class Ruling(Base):
    """What two people decide about a class that ends below its minimum: keep, merge, or close."""

    __tablename__ = "ruling"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=random_key)
    order_class_id: Mapped[int] = mapped_column(ForeignKey("order_class.id"), index=True)
    kind: Mapped[str]
    """``keep``, ``merge`` or ``close``."""
    into_id: Mapped[int | None] = mapped_column(ForeignKey("order_class.id"))
    confirmed_people: Mapped[int]
    """How many had confirmed when it was asked."""
    reason: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_by: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)

    order_class: Mapped[OrderClass] = relationship(foreign_keys=[order_class_id])
    into: Mapped[OrderClass | None] = relationship(foreign_keys=[into_id])


class Recheck(Base):
    """An appeal (复核) or the request that a person looks again (人工复核), its answer and outcome."""

    __tablename__ = "recheck"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=random_key)
    number: Mapped[str] = mapped_column(unique=True)
    """The ticket's number, which people quote."""
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), index=True)
    matter: Mapped[str]
    """``score``, ``group``, ``rule``, ``human`` (review of the automated decision) or ``other``."""
    words: Mapped[str]
    state: Mapped[str] = mapped_column(default="open", index=True)
    """``open``, ``proposed`` (an answer that a second person must confirm), ``upheld``, ``refused`` or
    ``withdrawn``."""
    opened_at: Mapped[datetime] = mapped_column(Instant)
    opened_by: Mapped[str] = mapped_column(default="")
    due_at: Mapped[datetime] = mapped_column(Instant)
    correction: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What is corrected if it is upheld: ``{"kind": "score" | "group" | "review", …}``."""
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    """The run that shows what follows from the correction."""
    verdict: Mapped[str] = mapped_column(default="")
    """What the answer proposes: ``upheld`` or ``refused``."""
    answer: Mapped[str] = mapped_column(default="")
    answered_by: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    confirmed_by: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    remedy: Mapped[str] = mapped_column(default="")
    """``none``, ``successor`` (solved again), ``seat`` (an extra one), ``first`` (of the waiting list)."""
    program_id: Mapped[int | None] = mapped_column(ForeignKey("program.id"))
    """Where the corrected round would have placed her; of the last two remedies."""
    rank: Mapped[int | None]
    publication_id: Mapped[int | None] = mapped_column(ForeignKey("publication.id"))
    """The successor that it led to."""
    version: Mapped[int] = mapped_column(default=1)

    round: Mapped[Round] = relationship()
    applicant: Mapped[Applicant] = relationship()
    program: Mapped[Program | None] = relationship()
    run: Mapped[Run | None] = relationship()
    publication: Mapped[Publication | None] = relationship()


class AgreementText(Base):
    """A version of the three-party agreement's text (三方预就业协议); never changed, only followed."""

    __tablename__ = "agreement_text"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    body: Mapped[str]
    digest: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    author: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)
    confirmed_by: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    """When a second person confirmed it; only then agreements are made of it."""
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)


class Agreement(Base):
    """One person's agreement with a college and an enterprise about the place that she holds."""

    __tablename__ = "agreement"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=random_key)
    number: Mapped[str] = mapped_column(unique=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), index=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("agreement_text.id"))
    terms: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What the text's blanks say, fixed when it was made."""
    digest: Mapped[str]
    """SHA-256 of the whole text as it is signed."""
    state: Mapped[str] = mapped_column(default="signing", index=True)
    """``signing``, ``effective`` (生效), ``lapsed`` (逾期), ``voided`` (变更或解除)."""
    guardian_needed: Mapped[bool] = mapped_column(default=False)
    made_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    effective_at: Mapped[datetime | None] = mapped_column(Instant)
    paper: Mapped[str] = mapped_column(default="")
    """The number under which the signed and stamped paper is filed."""
    paper_by: Mapped[str] = mapped_column(default="")
    paper_at: Mapped[datetime | None] = mapped_column(Instant)
    reminded_at: Mapped[datetime | None] = mapped_column(Instant)
    asked: Mapped[str] = mapped_column(default="")
    """What somebody asks a second person to confirm: ``change`` (made anew) or ``end`` (解除)."""
    asked_by: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime | None] = mapped_column(Instant)
    asked_reason: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)

    offer: Mapped[Offer] = relationship()
    template: Mapped[AgreementText] = relationship()
    signatures: Mapped[list[Signature]] = relationship(
        back_populates="agreement", order_by="Signature.at"
    )
    __table_args__ = (
        Index(
            "uq_agreement_live", "offer_id", unique=True,
            sqlite_where=text("state IN ('signing', 'effective')"),
            postgresql_where=text("state IN ('signing', 'effective')"),
        ),
    )  # fmt: skip


class Signature(Base):
    """Somebody's assent to one agreement as it reads (电子确认), or a signature on paper recorded."""

    __tablename__ = "signature"
    agreement_id: Mapped[int] = mapped_column(ForeignKey("agreement.id"), primary_key=True)
    party: Mapped[str] = mapped_column(primary_key=True)
    """``student``, ``guardian``, ``enterprise`` or ``college``."""
    name: Mapped[str]
    how: Mapped[str]
    """``page``, ``code`` (the guardian's), or ``paper:`` and the number of the signed paper."""
    digest: Mapped[str]
    """Of the text that was signed."""
    by: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)

    agreement: Mapped[Agreement] = relationship(back_populates="signatures")


class Enrolment(Base):
    """What became of a confirmed place: check-in (报到), registration (学籍注册), leaving (流失)."""

    __tablename__ = "enrolment"
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id"), primary_key=True)
    checked_in_on: Mapped[date | None]
    absent_on: Mapped[date | None]
    registered_on: Mapped[date | None]
    register_number: Mapped[str] = mapped_column(default="")
    left_on: Mapped[date | None]
    left_reason: Mapped[str] = mapped_column(default="")
    asked: Mapped[str] = mapped_column(default="")
    """What somebody asks a second person to take back: ``check_in``, ``register``, ``absent``, ``left``."""
    asked_by: Mapped[str] = mapped_column(default="")
    asked_reason: Mapped[str] = mapped_column(default="")
    by: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1)

    offer: Mapped[Offer] = relationship()


class Message(Base):
    """A message to an applicant waiting to be sent (发件箱): a code, its numbers, and its words."""

    __tablename__ = "message"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True, default=random_key)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), index=True)
    code: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    words: Mapped[str]
    state: Mapped[str] = mapped_column(default="queued", index=True)
    """``queued``, ``sent``, ``failed``, or ``kept`` where no sender is plugged in."""
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it is tried again; none: at once."""
    error: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(Instant)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)

    applicant: Mapped[Applicant] = relationship()


class Removal(Base):
    """What the retention job removed or pseudonymised, by rule; never what it was."""

    __tablename__ = "removal"
    id: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str]
    round_id: Mapped[int | None] = mapped_column(ForeignKey("round.id"), index=True)
    rows: Mapped[int]
    before: Mapped[datetime] = mapped_column(Instant)
    """Everything of this rule that is older was removed."""
    at: Mapped[datetime] = mapped_column(Instant)
