"""The counter: applications written for people (代报名), and slips handed to them."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from . import (
    account,
    applicant,
    applicant_forms,
    auth,
    choices,
    codes,
    db,
    entering,
    evidence_pages,
    people,
    prints,
    rounds,
    slips,
)
from .applicant_forms import options
from .audit import record
from .entering import Desk, Page
from .models import Applicant, Person, Round, User

OFFICES = ("coordinator", "college", "district")

bp = Blueprint("assist", __name__, url_prefix="/account/assist")
auth.guard(bp, *OFFICES)
entering.mount(bp, "key", auth.entered_of)
evidence_pages.mount(bp, "key", auth.entered_of)


@bp.route("/", methods=["GET", "POST"])
def home() -> Page:
    """Begin an application for somebody at the counter, or go on with one."""
    session = db.reading()
    offered = account.open_rounds(session)
    form = applicant_forms.CounterEntry()
    form.round.choices = options({r.serial: r.title for r in offered})
    if offered and form.validate_on_submit():
        try:
            with db.writing() as writing:
                round_ = auth.round_of(form.round.data, writing)
                made = people.enrol(
                    writing, round_, form.identity_type.data, form.number.data, form.name.data,
                    actor=auth.actor(), birth_date=form.birth_date.data, entered_by=auth.actor().name,
                )  # fmt: skip
                rounds.lock_open(writing, round_.id)
        except people.AlreadyEnrolled:
            flash(_("这个号码已在本轮报名。请核对证件后补办激活单。"), "error")
        except people.OtherFacts:
            flash(_("号码已登记为另一姓名或生日。请协调员核对。"), "error")
        except rounds.Moved:
            flash(_("本轮现在不收报名。"), "error")
        else:
            flash(_("报名号 %(number)s，请接着填。", number=made.number), "success")
            return redirect(url_for("assist.step", key=made.key, step="identity"))
    begun = session.scalars(
        select(Applicant)
        .where(Applicant.entered_by == auth.actor().name)
        .order_by(Applicant.id.desc())
        .limit(50)
    ).all()
    return render_template(
        "applicant/assist.html", form=form, offered=offered, begun=begun, codes=codes,
        lookup=applicant_forms.Lookup(formdata=None), rounds=_printable(session),
    )  # fmt: skip


def _printable(session: Session) -> list[Round]:
    if current_user.role != "coordinator":
        return []
    return list(session.scalars(select(Round).order_by(Round.id.desc())))


@bp.post("/<key>/entry.pdf")
def entry_pdf(key: str) -> Response:
    """What was typed, for her to read and sign."""
    session = db.reading()
    desk = Desk(bp.name, "key", auth.entered_of, key)
    found = desk.applicant(session)
    wish = entering.wish_of(choices.draft(session, found) or choices.submitted(session, found))
    lines = [f"{e.code} {e.title}" for e in entering.entries(session, found, wish.choices)]
    scope = (_("服从调剂"), codes.word(codes.SCOPES, wish.adjustment))
    try:
        document = prints.entry(found, [*applicant.facts(session, found), scope], lines)
    except prints.Unprintable as error:
        flash(entering.unprintable(error), "error")
        return redirect(desk.url("submit"))
    entering.fetched(found, "print.entry")
    return entering.pdf(document, f"entry-{found.number}.pdf")


# --- slips ------------------------------------------------------------------------------------


def purpose(code: str) -> str:
    """What a slip is for, as it says."""
    said = {
        "activate": _("激活码（设密码用）"),
        "recover": _("激活码（设新密码用）"),
        "guardian": _("监护人码（提交志愿时用）"),
    }
    return str(said[code])


@bp.post("/slip")
def slip() -> Response:
    """A new slip for one person whose document was seen."""
    form = applicant_forms.Lookup()
    if not form.validate_on_submit():
        for errors in form.errors.values():
            flash(errors[0], "error")
        return redirect(url_for("assist.home"))
    session = db.reading()
    found = slips.applicant_numbered(session, form.number.data)
    if found is None or found.person.name != form.name.data:
        flash(_("报名号与姓名对不上。"), "error")
        return redirect(url_for("assist.home"))
    return _slips([found.id], form.purpose.data)


@bp.post("/slips")
def all_slips() -> Response:
    """Slips for everybody of a round who has no account yet, eight to a page."""
    if current_user.role != "coordinator":
        abort(404)
    session = db.reading()
    round_ = auth.round_of(request.form.get("round", ""), session)
    without = session.scalars(
        select(Applicant.id)
        .join(Person)
        .outerjoin(User, User.person_id == Person.id)
        .where(Applicant.round_id == round_.id, User.id.is_(None))
        .order_by(Applicant.number)
    ).all()
    if not without:
        flash(_("本轮每个人都已有账号。"), "warning")
        return redirect(url_for("assist.home"))
    return _slips(list(without), "activate")


def _slips(ids: list[int], what: str) -> Response:
    session = db.reading()
    rows = session.scalars(select(Applicant).where(Applicant.id.in_(ids))).all()
    lacking = "".join(dict.fromkeys("".join(prints.lacking(a.person.name) for a in rows)))
    if lacking:
        flash(entering.unprintable(prints.Unprintable(lacking)), "error")
        return redirect(url_for("assist.home"))
    with db.writing() as writing:
        held = writing.scalars(
            select(Applicant).where(Applicant.id.in_(ids)).order_by(Applicant.number)
        ).all()
        made = [
            (a.number, a.person.name, purpose(what), slips.issue(writing, a, what, auth.actor()))
            for a in held
        ]
        title = held[0].round.title
        record(
            writing, auth.actor(), "print.slips", f"round/{held[0].round.serial}",
            round_id=held[0].round_id, after={"count": len(made), "purpose": what},
        )  # fmt: skip
    document = prints.slips(made, title, url_for("account.activate", _external=True))
    return entering.pdf(document, "slips.pdf")
