"""Printed forms of a whole round, the outbox, and what is kept how long."""

from __future__ import annotations

from flask import abort, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from .. import auth, db, outbox, paging, print_desk, printing, retention_pages
from ..models import Enterprise, Message, Recheck
from .blueprint import bp

print_desk.mount(bp, "/rounds", whole=True)
retention_pages.mount(bp)

MESSAGES = 50


def _back(serial: str) -> str:
    return url_for("coordinator.prints", serial=serial)


@bp.post("/rounds/<serial>/prints/public-list")
def print_public_list(serial: str) -> Response:
    """公示名单, masked."""
    round_ = auth.round_of(serial)
    return print_desk.fetch(
        lambda: printing.public_list(db.reading(), round_), f"public-list-{serial}",
        _back(serial), "print.public_list", f"round/{serial}", round_,
    )  # fmt: skip


@bp.post("/rounds/<serial>/prints/vacancies")
def print_vacancies(serial: str) -> Response:
    """缺额（征集）公告."""
    round_ = auth.round_of(serial)
    if round_.state not in printing.SHOWN:
        abort(404)
    return print_desk.fetch(
        lambda: printing.vacancies(db.reading(), round_), f"vacancies-{serial}",
        _back(serial), "print.vacancies", f"round/{serial}", round_,
    )  # fmt: skip


@bp.post("/rounds/<serial>/prints/enterprises/<code>")
def print_enterprise_list(serial: str, code: str) -> Response:
    """企业名单核对表 of any enterprise."""
    round_ = auth.round_of(serial)
    held = db.reading().scalar(select(Enterprise).where(Enterprise.code == code))
    if held is None or round_.state not in printing.SHOWN:
        abort(404)
    return auth.password_first() or print_desk.fetch(
        lambda: printing.enterprise_list(db.reading(), round_, held), f"seats-{serial}-{code}",
        _back(serial), "print.enterprise_list", f"enterprise/{code}", round_,
    )  # fmt: skip


@bp.post("/rounds/<serial>/prints/rechecks/<key>")
def print_recheck(serial: str, key: str) -> Response:
    """复核答复书."""
    inside = Recheck.round_id == auth.round_of(serial).id
    return print_desk.of_recheck(inside, key, _back(serial))


@bp.get("/rounds/<serial>/outbox")
def messages(serial: str) -> str:
    """The messages of a round (发件箱): what was said, to which application number, whether it was sent."""
    round_ = auth.round_of(serial)
    asked = {name: request.args.get(name, "").strip()[:40] for name in ("state", "code", "number")}
    query = outbox.of_round(round_.id, **asked).options(joinedload(Message.applicant))
    page = paging.page_of_query(query, MESSAGES)
    return render_template(
        "coordinator/outbox.html", round=round_, asked=asked, page=page, labels=outbox.LABELS,
        states=outbox.STATES, told={m.id: outbox.told(m) for m in page.rows},
        plugged=outbox.plugged(),
    )  # fmt: skip
