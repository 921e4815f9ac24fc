"""Pages of evidence: an applicant, or whoever types for her, gives it; offices open it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from . import auth, codes, db, entering, evidence, rounds
from .entering import Desk, Page
from .models import Applicant
from .picture import MOST_BYTES, PDF, Unfit

bp = Blueprint("evidence", __name__, url_prefix="/evidence")
auth.guard(bp, "coordinator", "college", "district")

WRONG = {
    "too_large": lazy_gettext("文件太大，最大 5 MB。"),
    "kind": lazy_gettext("只收 JPEG、PNG 照片或 PDF。"),
    "points": lazy_gettext("照片的像素太多，请缩小后再传。"),
    "encrypted": lazy_gettext("PDF 有密码，请拍照后上传。"),
    "pages": lazy_gettext("PDF 最多 20 页，请只传相关的页。"),
    "pdf_picture": lazy_gettext("PDF 里的图打不开，请拍照后上传。"),
    "unreadable": lazy_gettext("文件打不开，请重新拍照。"),
}
"""Why a file is refused, and the way out."""


def mount(blueprint: Blueprint, place: str, find: Callable[[str, Session], Applicant]) -> None:
    """Give a blueprint the pages of evidence below ``/<place>``."""
    empty = Desk(blueprint.name, place, find)
    for view, rule, methods in (
        (pictures, "/evidence", ["GET", "POST"]),
        (drop_picture, "/evidence/<picture>/drop", ["POST"]),
    ):
        blueprint.add_url_rule(
            f"/<{place}>{rule}", view.__name__, entering.bound(view, empty), methods=methods
        )


def pictures(desk: Desk) -> Page:
    """The pictures of each claimed group, and a form for one more."""
    session = db.reading()
    applicant = desk.applicant(session)
    claimed = {g.group: codes.word(codes.GROUPS, g.group) for g in applicant.groups}
    wrong = ""
    if request.method == "POST":
        wrong = _take(desk)
        if not wrong:
            flash(_("文件已收下。"), "success")
            return redirect(desk.url("pictures"))
        session = db.reading()
        applicant = desk.applicant(session)
    return entering.render(
        "evidence.html", desk, applicant, claimed=claimed, wrong=wrong, most=evidence.MOST,
        pictures=evidence.of(session, applicant), open=entering.is_open(session, applicant),
        asked=request.form.get("group", ""),
    )  # fmt: skip


def _take(desk: Desk) -> str:
    """Keep the uploaded picture; why not, if it is refused."""
    file = request.files.get("file") or FileStorage()
    with file.stream:
        data = file.stream.read(MOST_BYTES + 1)
    if not data:
        return str(_("请选一张照片或一份 PDF。"))
    try:
        redrawn = evidence.redraw(data)
        with db.writing() as session:
            applicant = desk.applicant(session)
            evidence.add(session, applicant, request.form.get("group", ""), redrawn, auth.actor())
    except Unfit as error:
        return str(WRONG.get(str(error), WRONG["unreadable"]))
    except evidence.NotClaimed:
        return str(_("请先勾选并保存这个类别。"))
    except evidence.Enough:
        return str(_("每类最多 %(n)s 份，请先删一份。", n=evidence.MOST))
    except rounds.Moved:
        return entering.closed_sentence(desk)
    return ""


def drop_picture(desk: Desk, picture: str) -> Page:
    """Take a picture away."""
    try:
        with db.writing() as session:
            found = evidence.drop(session, desk.applicant(session), picture, auth.actor())
    except rounds.Moved:
        flash(entering.closed_sentence(desk), "error")
    else:
        if not found:
            abort(404)
        flash(_("文件已删除。"), "success")
    return redirect(desk.url("pictures"))


# --- offices ----------------------------------------------------------------------------------


@bp.post("/<key>")
def show(key: str) -> Response:
    """A picture, for the office that reviews it; each look is recorded."""
    with db.writing() as session:
        held = auth.evidence_of(key, session)
        try:
            data = evidence.opened(session, held, auth.actor())
        except FileNotFoundError:
            abort(404)
    if data.startswith(PDF):  # opened by her own program, never inside our pages
        answer = Response(data, mimetype="application/pdf")
        answer.headers["Content-Disposition"] = 'attachment; filename="evidence.pdf"'
        return answer
    answer = Response(data, mimetype="image/jpeg")
    answer.headers["Content-Disposition"] = 'inline; filename="evidence.jpg"'
    return answer


@bp.app_context_processor
def _shared() -> dict[str, Any]:
    return {"evidence_of": lambda applicant: evidence.of(db.reading(), applicant)}
