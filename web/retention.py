"""Retention (保存期限): what is kept how long, and the job that removes or pseudonymises what is older.

Every period is a parameter of the rules.  Snapshots, bundles, placements, pseudonyms and the chain of
events are never touched, so a published result can be checked for ever.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, joinedload

from . import db, jobs, notice_job, policies
from .audit import SYSTEM, record
from .models import (
    Applicant,
    AuditEvent,
    AuditPayload,
    Contact,
    Import,
    LoginFailure,
    Membership,
    Message,
    Offer,
    Person,
    Recheck,
    Removal,
    Review,
    Round,
    Run,
    Slip,
)
from .models.outcome import HOLDING
from .snapshot import instance

ENDED = ("FINAL", "VOID")
UNSYNCHRONIZED = {"synchronize_session": False}
Ids = Sequence[Any]


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


def _old_people(session: Session, round_: Round | None, before: datetime) -> Ids:
    """Who has no place in a round that ended so long ago."""
    if round_ is None or round_.state not in ENDED:
        return ()
    ended = session.scalar(
        select(func.max(AuditEvent.at)).where(
            AuditEvent.round_id == round_.id, AuditEvent.row == f"round/{round_.serial}",
            AuditEvent.action.startswith("round."),
        )
    )  # fmt: skip
    if ended is None or ended >= before:
        return ()
    holding = select(Offer.applicant_id).where(
        Offer.round_id == round_.id, Offer.state.in_(HOLDING)
    )
    return session.scalars(
        select(Applicant.id).where(
            Applicant.round_id == round_.id, Applicant.removed_at.is_(None),
            Applicant.id.not_in(holding),
        )
    ).all()  # fmt: skip


def _drop(column: Any) -> Callable[[Session, Ids], None]:
    """Delete rows by a column of theirs."""

    def drop(session: Session, ids: Ids) -> None:
        for some in _some(ids):
            session.execute(
                delete(column.class_).where(column.in_(some)), execution_options=UNSYNCHRONIZED
            )

    return drop


def _some(ids: Ids, most: int = 500) -> list[Ids]:
    """As many ids at a time as every database takes in one statement."""
    return [ids[at : at + most] for at in range(0, len(ids), most)]


def _empty_imports(session: Session, ids: Ids) -> None:
    for held in session.scalars(select(Import).where(Import.id.in_(ids))):
        held.state, held.rows, held.issues, held.removals = "dropped", [], [], []


def _delete_prints(session: Session, ids: Ids) -> None:
    for run in session.scalars(select(Run).where(Run.id.in_(ids)).options(joinedload(Run.round))):
        for folder in (instance() / "rounds" / run.round.serial / "runs").glob(f"{run.key}-*"):
            shutil.rmtree(folder, ignore_errors=True)
        run.folder = ""


def _forget_people(session: Session, ids: Ids) -> None:
    """Take from applications what could name somebody, and from people whom no other round needs."""
    moment = db.now(session)
    for some in _some(ids):
        held = session.scalars(
            select(Applicant).where(Applicant.id.in_(some)).options(joinedload(Applicant.person))
        ).all()
        for one in held:
            one.guardian = one.guardian_relation = one.school = one.certificate = one.note = ""
            one.guardian_telephone = b""
            one.guardian_agreed_how = one.entry_confirmed = ""
            one.removed_at = moment
        for model, words in ((Membership, "evidence"), (Membership, "reason"), (Review, "reason"),
                             (Recheck, "words")):  # fmt: skip
            session.execute(
                update(model).where(model.applicant_id.in_(some)).values({words: ""}),
                execution_options=UNSYNCHRONIZED,
            )
        numbers = [f"applicant/{one.number}" for one in held]
        events = select(AuditEvent.id).where(
            AuditEvent.row.in_(numbers), AuditEvent.round_id == held[0].round_id
        )
        session.execute(
            delete(AuditPayload).where(AuditPayload.event_id.in_(events)),
            execution_options=UNSYNCHRONIZED,
        )
        session.flush()
        _forget_persons(session, [one.person for one in held])


def _forget_persons(session: Session, people: Sequence[Person]) -> None:
    needed = set(
        session.scalars(
            select(Applicant.person_id).where(
                Applicant.person_id.in_([p.id for p in people]), Applicant.removed_at.is_(None)
            )
        )
    )
    gone = [person for person in people if person.id not in needed]
    for person in gone:
        person.name = person.nation = ""
        person.number = person.telephone = b""
        person.number_index = f"removed:{token_hex(16)}"
        if person.birth_date is not None:  # the year stays, for tables by age
            person.birth_date = person.birth_date.replace(month=1, day=1)
        if person.user is not None:
            person.user.active, person.user.password, person.user.name = False, None, ""
            person.user.notice, person.user.last_login_ip, person.user.current_login_ip = (
                "",
                None,
                None,
            )
            person.user.fs_uniquifier = token_hex(32)
    ids = [person.id for person in gone]
    session.execute(delete(Slip).where(Slip.person_id.in_(ids)), execution_options=UNSYNCHRONIZED)


RULES = (
    Rule("message", _("消息"), "privacy.message_days", _old_messages, _drop(Message.id)),
    Rule("login", _("登录失败记录"), "privacy.login_failure_days", _old_failures, _drop(LoginFailure.id)),
    Rule("import", _("没有存入的导入文件"), "privacy.import_days", _old_imports, _empty_imports),
    Rule("print", _("打印好的通知书文件"), "privacy.print_days", _old_prints, _delete_prints),
    Rule("contact", _("电话联系记录"), "privacy.contact_days", _old_contacts, _drop(Contact.id)),
    Rule("unplaced", _("未录取人员的个人信息"), "privacy.unplaced_days", _old_people, _forget_people),
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
