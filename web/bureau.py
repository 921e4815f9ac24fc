"""Pages of the bureau and of auditors: they read, and change nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, abort, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from . import (
    audit,
    auth,
    codes,
    db,
    figures,
    offices,
    paging,
    privacy,
    publication,
    retention_pages,
    rounds,
    stages,
    statistics_pages,
)
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
    WaitingStep,
)
from .offices import Action
from .waiting_pages import chain_file

bp = Blueprint("bureau", __name__, url_prefix="/bureau")
auth.guard(bp, "bureau", "auditor")
retention_pages.mount(bp)
statistics_pages.pages(bp, "", "statistics/round.html")

EVENTS = 50
FILTERS = ("action", "actor", "row", "first", "last")
LINKS = {
    "publication": lazy_gettext("公示结果"), "successor": lazy_gettext("更正后的结果"),
    "step": lazy_gettext("递补"),
}  # fmt: skip


@bp.get("/")
def home() -> str:
    """The rounds, and which of them asks for a look."""
    all_ = stages.all_rounds(db.reading())
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

    plan = figures.plan(held, round_)
    changes = held.scalars(
        select(SeatChange)
        .join(Program)
        .join(OrderClass)
        .where(OrderClass.round_id == round_.id, SeatChange.applied_at.is_not(None))
        .order_by(SeatChange.id)
    )
    published = rows(Publication)
    action = offices.waiting_action(round_)
    if published:
        url = url_for("bureau.download", serial=serial, digest=published[-1].bundle_digest)
        action = Action(_("下载完整数据包"), url, str(rounds.LABELS[round_.state]))
    return render_template(
        "bureau/round.html", action=action, round=round_, codes=codes, course=rounds.COURSE,
        records=rows(Record), record_name=codes.record, plan=plan,
        applicants=[
            (label, plan["applicants"].get(state, 0))
            for state, label in codes.APPLICANT_STATES.items()
        ],
        changes=changes.all(), runs=rows(Run), run_kinds=codes.RUN_KINDS, run_states=codes.RUN_STATES,
        statuses=codes.RUN_STATUSES,
        snapshot=held.scalar(select(Snapshot).where(Snapshot.round_id == round_.id)),
        approval=held.scalar(
            select(Approval).where(Approval.round_id == round_.id).order_by(Approval.id)
        ),
        publications=published, chain=figures.chain(held, round_), links=LINKS,
        steps=rows(WaitingStep),
        fairness=fairness(figures.publication(held, round_)),
    )  # fmt: skip


def fairness(held: Publication | None) -> list[tuple[str, int, int]]:
    """The fairness sheet of the published run: label, pairs of person and program, people."""
    if held is None:
        return []
    counts = held.run.summary.get("report", {}).get("fairness", {}).get("labels", {})
    return [
        (str(codes.FAIRNESS.get(name, name)), row["pairs"], row["people"])
        for name, row in counts.items()
    ]


@bp.route("/<serial>/bundle/<digest>", methods=["GET", "POST"])
@auth.fresh
def download(serial: str, digest: str) -> str | Response:
    """The full bundle of a publication; each download is recorded."""
    round_ = auth.round_of(serial)
    if request.method == "GET":
        held = _bundle(db.reading(), round_, digest)
        return render_template("bureau/bundle.html", round=round_, held=held)
    with db.writing() as session:
        held = _bundle(session, round_, digest)
        path = publication.bundle_path(held)
        audit.record(
            session, auth.actor(), "bundle.download", f"round/{serial}", round_id=round_.id,
            after={"digest": digest},
        )  # fmt: skip
    return send_file(path, as_attachment=True, download_name=f"{serial}-{digest[:12]}.zip")


@bp.post("/<serial>/chain")
@auth.fresh
def download_chain(serial: str) -> Response:
    """The published bundle and every step after it; each download is recorded."""
    return chain_file(serial)


def _bundle(session: Session, round_: Round, digest: str) -> Publication:
    held = session.scalar(
        select(Publication).where(
            Publication.round_id == round_.id, Publication.bundle_digest == digest
        )
    )
    if held is None:
        abort(404)
    return held


# --- the record of everything -----------------------------------------------------------------


@bp.get("/audit")
def events() -> str:
    """The audit log, the last event first; by action, actor, row, day."""
    held = db.reading()
    wanted = {name: request.args.get(name, "").strip()[:100] for name in FILTERS}
    days: dict[str, date | None] = {}
    wrong = []
    for name in ("first", "last"):
        try:
            days[name] = date.fromisoformat(wanted[name]) if wanted[name] else None
        except ValueError:
            wrong.append(name)
    query = figures.events(
        days.get("first"), days.get("last"),
        action=wanted["action"], actor=wanted["actor"], row=wanted["row"],
    )  # fmt: skip
    page = paging.page_of_query(query, EVENTS)
    payloads = held.scalars(
        select(AuditPayload).where(AuditPayload.event_id.in_([e.id for e in page.rows]))
    )
    return render_template(
        "bureau/audit.html", page=page, wanted=wanted, wrong=wrong, total=_count(),
        payloads={p.event_id: discreet(p.payload) for p in payloads},
    )  # fmt: skip


PRIVATE = ("name", "guardian")
"""Keys of payloads that hold a person's name."""


def discreet(payload: dict[str, Any]) -> str:
    """Before and after of an event as one text, names masked."""
    return audit.canonical(_masked(payload)).decode()


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: privacy.mask_name(part)
            if key in PRIVATE and isinstance(part, str)
            else _masked(part)
            for key, part in value.items()
            if part not in ("", {}, [])
        }
    return [_masked(part) for part in value] if isinstance(value, list) else value


@bp.get("/audit/check")
def check() -> str:
    """Whether the chain of events holds, computed now."""
    return render_template(
        "bureau/check.html", broken=list(audit.broken(db.reading())), total=_count(),
        action=Action(_("查看审计日志"), url_for("bureau.events")),
    )  # fmt: skip
