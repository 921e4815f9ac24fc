"""Pages of the bureau and of auditors: they read, and change nothing."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import func, select

from . import audit, auth, codes, db, figures, offices, privacy, rounds, stages
from .models import (
    Approval,
    AuditEvent,
    AuditPayload,
    OrderClass,
    Program,
    Publication,
    Record,
    Round,
    Run,
    SeatChange,
    Snapshot,
)
from .offices import Action

bp = Blueprint("bureau", __name__, url_prefix="/bureau")
auth.guard(bp, "bureau", "auditor")

EVENTS = 50
RECORDS = {"plan_approval": lazy_gettext("计划审定"), "result_filing": lazy_gettext("结果备案")}
RUN_KINDS = {"trial": lazy_gettext("试算"), "committed": lazy_gettext("正式运行")}
RUN_STATES = {
    "QUEUED": lazy_gettext("排队"), "RUNNING": lazy_gettext("运行中"), "VERIFIED": lazy_gettext("已验证"),
    "BROKEN": lazy_gettext("验证不通过"), "FAILED": lazy_gettext("失败"), "CANCELLED": lazy_gettext("已取消"),
}  # fmt: skip


@bp.get("/")
def home() -> str:
    """The rounds, and which of them asks for a look."""
    held = db.reading()
    all_ = stages.all_rounds(held)
    return render_template(
        "bureau/home.html", rounds=all_, events=_count(), action=_next(all_[0] if all_ else None)
    )


def _next(round_: Round | None) -> Action:
    if round_ is None:
        return Action(_("还没有招生轮次"))
    url = url_for("bureau.show_round", serial=round_.serial)
    return Action(_("查看 %(title)s", title=round_.title), url, str(rounds.LABELS[round_.state]))


def _count() -> int:
    return db.reading().scalar(select(func.count()).select_from(AuditEvent)) or 0


@bp.get("/<serial>/")
def show_round(serial: str) -> str:
    """One round: states, records, plan, runs, fairness, publications."""
    held, round_ = db.reading(), auth.round_of(serial)

    def rows(model: Any) -> list[Any]:
        return list(
            held.scalars(select(model).where(model.round_id == round_.id).order_by(model.id))
        )

    publication = figures.publication(held, round_)
    return render_template(
        "bureau/round.html", round=round_, codes=codes, course=rounds.COURSE,
        records=rows(Record), record_names=RECORDS, plan=figures.plan(held, round_),
        runs=rows(Run), run_kinds=RUN_KINDS, run_states=RUN_STATES,
        snapshot=held.scalar(select(Snapshot).where(Snapshot.round_id == round_.id)),
        approval=held.scalar(select(Approval).where(Approval.round_id == round_.id)),
        publications=rows(Publication), fairness=fairness(publication),
        changes=held.scalars(
            select(SeatChange).join(Program).join(OrderClass)
            .where(OrderClass.round_id == round_.id, SeatChange.applied_at.is_not(None))
            .order_by(SeatChange.id)
        ).all(),
    )  # fmt: skip


def fairness(publication: Publication | None) -> list[tuple[str, str]]:
    """The figures of the published run's fairness sheet, name by name."""
    if publication is None:
        return []
    report = publication.run.summary.get("report", {})
    held = report.get("fairness", {})
    return [(name, str(value)) for name, value in _flat(held)]


def _flat(held: Any, name: str = "") -> list[tuple[str, Any]]:
    if isinstance(held, dict):
        return [
            pair for key, value in held.items() for pair in _flat(value, f"{name}.{key}".strip("."))
        ]
    if isinstance(held, list):
        return [(name, len(held))]
    return [(name, held)]


# --- the record of everything -----------------------------------------------------------------


@bp.get("/audit")
def events() -> str:
    """The audit log, the last event first; by action, actor, row."""
    held = db.reading()
    wanted = {name: request.args.get(name, "").strip()[:100] for name in ("action", "actor", "row")}
    found = list(held.scalars(figures.events(held, **wanted)))
    page = offices.page_of(found, EVENTS)
    payloads = {
        p.event_id: p.payload
        for p in held.scalars(
            select(AuditPayload).where(AuditPayload.event_id.in_([e.id for e in page.rows]))
        )
    }
    return render_template(
        "bureau/audit.html", page=page, wanted=wanted, total=_count(),
        payloads={n: discreet(p) for n, p in payloads.items()},
    )  # fmt: skip


PRIVATE = {"name": privacy.mask_name, "guardian": privacy.mask_name}
"""Keys of payloads that hold a person's name, and how it is shown."""


def discreet(payload: dict[str, Any]) -> str:
    """Before and after of an event as one text, names masked."""
    return audit.canonical(_masked(payload)).decode()


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: PRIVATE[k](v) if k in PRIVATE and isinstance(v, str) else _masked(v)
            for k, v in value.items()
            if v not in ("", {}, [])
        }
    return [_masked(v) for v in value] if isinstance(value, list) else value


@bp.get("/audit/check")
def check() -> str:
    """Whether the chain of events holds, computed now."""
    return render_template(
        "bureau/check.html", broken=list(audit.broken(db.reading())), total=_count()
    )
