"""Retention (保存期限): what is kept how long, and the job that removes or pseudonymises what is older.

Every period is a parameter of the rules.  Snapshots, bundles, placements, pseudonyms and the chain of
events are never touched, so a published result can be checked for ever.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, false, func, select, true
from sqlalchemy.orm import Session, joinedload

from . import db, forgetting, jobs, notice_job, policies
from .audit import SYSTEM, record
from .forgetting import UNSYNCHRONIZED, Ids, batches
from .models import (
    Applicant,
    AuditEvent,
    AuditPayload,
    Contact,
    Import,
    LoginFailure,
    Message,
    Offer,
    OrderClass,
    Program,
    Removal,
    Round,
    Run,
)
from .models.outcome import HOLDING
from .snapshot import instance

ENDED = ("FINAL", "VOID")
YEAR = 365


@dataclass(frozen=True)
class Rule:
    """What is removed when it is older than a parameter says."""

    code: str
    label: Any
    parameter: str
    old: Callable[[Session, Round | None, datetime], Ids]
    """The rows of a round, or of none, that are older."""
    remove: Callable[[Session, Ids], None]


@dataclass(frozen=True)
class Due:
    """What a rule finds too old in a round, or outside all of them."""

    rule: Rule
    round: Round | None
    before: datetime
    rows: int


# --- what is old, and how it goes -------------------------------------------------------------


def _old_messages(session: Session, round_: Round | None, before: datetime) -> Ids:
    return session.scalars(
        select(Message.id).where(
            Message.round_id == (round_.id if round_ else None), Message.at < before,
            Message.state != "queued",
        )
    ).all()  # fmt: skip


def _old_contacts(session: Session, round_: Round | None, before: datetime) -> Ids:
    return session.scalars(
        select(Contact.id)
        .join(Offer)
        .where(Offer.round_id == (round_.id if round_ else None), Contact.at < before)
    ).all()


def _old_failures(session: Session, round_: Round | None, before: datetime) -> Ids:
    if round_ is not None:
        return ()
    return session.scalars(select(LoginFailure.id).where(LoginFailure.at < before)).all()


def _old_payloads(session: Session, round_: Round | None, before: datetime) -> Ids:
    where = AuditEvent.round_id == round_.id if round_ else AuditEvent.round_id.is_(None)
    return session.scalars(
        select(AuditPayload.event_id)
        .join(AuditEvent, AuditEvent.id == AuditPayload.event_id)
        .where(where, AuditEvent.at < before)
    ).all()


def _old_imports(session: Session, round_: Round | None, before: datetime) -> Ids:
    return session.scalars(
        select(Import.id).where(
            Import.round_id == (round_.id if round_ else None), Import.at < before,
            Import.state.in_(("previewed", "refused")),
        )
    ).all()  # fmt: skip


def _old_prints(session: Session, round_: Round | None, before: datetime) -> Ids:
    return session.scalars(
        select(Run.id).where(
            Run.round_id == (round_.id if round_ else None), Run.kind == notice_job.KIND,
            Run.ended_at < before, Run.folder != "",
        )
    ).all()  # fmt: skip


def _ended(session: Session, round_: Round | None) -> datetime | None:
    """When a round ended; none while it lasts."""
    if round_ is None or round_.state not in ENDED:
        return None
    return session.scalar(
        select(func.max(AuditEvent.at)).where(
            AuditEvent.round_id == round_.id, AuditEvent.row == f"round/{round_.serial}",
            AuditEvent.action.startswith("round."),
        )
    )  # fmt: skip


def _old_unplaced(session: Session, round_: Round | None, before: datetime) -> Ids:
    """Who has no place in a round that ended so long ago, nor had one since; in a void round nobody has."""
    ended = _ended(session, round_)
    if round_ is None or ended is None or ended >= before:
        return ()
    holding = select(Offer.applicant_id).where(
        Offer.round_id == round_.id,
        true() if round_.state != "VOID" else false(),
        Offer.state.in_(HOLDING) | (Offer.ended_at >= before),
    )
    return session.scalars(
        select(Applicant.id).where(
            Applicant.round_id == round_.id, Applicant.removed_at.is_(None),
            Applicant.id.not_in(holding),
        )
    ).all()  # fmt: skip


def _old_placed(session: Session, round_: Round | None, before: datetime) -> Ids:
    """Who holds a place in a class whose years of study, counted from the round's end, are so long over."""
    ended = _ended(session, round_)
    if round_ is None or round_.state == "VOID" or ended is None or ended >= before:
        return ()
    years = session.execute(
        select(Applicant.id, OrderClass.years)
        .join(Offer, Offer.applicant_id == Applicant.id)
        .join(Program, Program.id == Offer.program_id)
        .join(OrderClass)
        .where(
            Applicant.round_id == round_.id,
            Applicant.removed_at.is_(None),
            Offer.state.in_(HOLDING),
        )
    )
    return [who for who, n in years.all() if ended + timedelta(days=float(n or 0) * YEAR) < before]


def _drop(column: Any) -> Callable[[Session, Ids], None]:
    """Delete rows by a column of theirs."""

    def drop(session: Session, ids: Ids) -> None:
        for some in batches(ids):
            session.execute(
                delete(column.class_).where(column.in_(some)), execution_options=UNSYNCHRONIZED
            )

    return drop


def _empty_imports(session: Session, ids: Ids) -> None:
    for held in session.scalars(select(Import).where(Import.id.in_(ids))):
        held.state, held.rows, held.issues, held.removals = "dropped", [], [], []


def _delete_prints(session: Session, ids: Ids) -> None:
    for run in session.scalars(select(Run).where(Run.id.in_(ids)).options(joinedload(Run.round))):
        for folder in (instance() / "rounds" / run.round.serial / "runs").glob(f"{run.key}-*"):
            shutil.rmtree(folder, ignore_errors=True)
        run.folder = ""


RULES = (
    Rule("message", _("消息"), "privacy.message_days", _old_messages, _drop(Message.id)),
    Rule("login", _("登录失败记录"), "privacy.login_failure_days", _old_failures, _drop(LoginFailure.id)),
    Rule("import", _("没有存入的导入文件"), "privacy.import_days", _old_imports, _empty_imports),
    Rule("print", _("打印好的通知书文件"), "privacy.print_days", _old_prints, _delete_prints),
    Rule("contact", _("电话联系记录"), "privacy.contact_days", _old_contacts, _drop(Contact.id)),
    Rule("unplaced", _("未录取人员的个人信息"), "privacy.unplaced_days", _old_unplaced, forgetting.forget),
    Rule("placed", _("已录取人员的个人信息（学制期满后）"), "privacy.placed_days", _old_placed,
         forgetting.forget),
    Rule("payload", _("操作日志内容"), "privacy.payload_days", _old_payloads, _drop(AuditPayload.event_id)),
)  # fmt: skip
LABELS = {rule.code: rule.label for rule in RULES} | {"evidence": _("证明材料")}


# --- the job ----------------------------------------------------------------------------------


def due(session: Session) -> list[Due]:
    """What is too old now, by rule and round; what belongs to no round goes by the newest one's."""
    moment = db.now(session)
    all_ = session.scalars(select(Round).order_by(Round.id)).all()
    found = []
    for rule in RULES:
        for round_ in (*all_, None):
            before = moment - timedelta(days=days(round_ or (all_[-1] if all_ else None), rule))
            if ids := rule.old(session, round_, before):
                found.append(Due(rule, round_, before, len(ids)))
    return found


def days(round_: Round | None, rule: Rule) -> int:
    """How long a rule keeps things in a round."""
    kept: int = (
        policies.BY_KEY[rule.parameter].default
        if round_ is None
        else policies.flow(round_, rule.parameter)
    )
    return kept


def apply() -> list[Due]:
    """Remove what is too old, each rule and round in a transaction of its own, with its report."""
    found = due(db.reading())
    db.forget()
    done = []
    for one in found:
        with db.writing() as session:
            round_ = session.get(Round, one.round.id) if one.round else None
            ids = one.rule.old(session, round_, one.before)
            if not ids:  # somebody else did it in the meantime
                continue
            one.rule.remove(session, ids)
            done.append(Due(one.rule, one.round, one.before, len(ids)))
            session.add(
                Removal(
                    rule=one.rule.code, round_id=round_.id if round_ else None, rows=len(ids),
                    before=one.before, at=db.now(session),
                )
            )  # fmt: skip
            record(
                session, SYSTEM, "retention.remove", f"round/{round_.serial}" if round_ else "system",
                round_id=round_.id if round_ else None,
                after={"rule": one.rule.code, "rows": len(ids), "before": one.before},
            )  # fmt: skip
    return done


jobs.CLEANED.append(apply)
