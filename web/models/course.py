"""What happens in a round: papers, doubts, snapshot, draw, runs, publication, imports."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..db import Base, Instant
from .keys import random_key

if TYPE_CHECKING:
    from .applicants import Applicant
    from .plan import Program, Round


class Record(Base):
    """A paper of the bureau that a gate waits for (审定, 备案): typed by one, confirmed by another."""

    __tablename__ = "record"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    kind: Mapped[str]
    """``plan_approval`` 审定, ``result_filing`` 备案, or ``refiling-N``: that of the Nth correction."""
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
    """``trial`` (试算, never publishable), ``committed``, or ``recheck`` (复核: the committed rules on
    the snapshot with corrections), ``whatif`` (a run supposed otherwise), or what else a worker
    carries out: ``notices`` (a print), ``waiting`` (a step of the waiting list)."""
    label: Mapped[str] = mapped_column(default="")
    policy_toml: Mapped[str]
    corrections: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """Of a ``recheck``: what it corrects in the snapshot, ticket by ticket, in their order."""
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
    """A second coordinator's approval of a run that may be published: the committed one, or a successor."""

    __tablename__ = "approval"
    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"), index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), unique=True)
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
    parent: Mapped[Publication | None] = relationship(remote_side=[id])
    __table_args__ = (UniqueConstraint("parent_id"),)


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
    replaces: Mapped[bool] = mapped_column(default=False)
    """Whether what the file leaves out is removed (全量替换), by another person and for a reason."""
    reason: Mapped[str] = mapped_column(default="")
    removals: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    stored_at: Mapped[datetime | None] = mapped_column(Instant)
    confirmed_by: Mapped[str] = mapped_column(default="")
