"""The agreement's text: every version, a new one, and what it changes; confirmed by a second person."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from .. import agreement_pages, agreement_texts, auth, db, enrolment_pages, offices
from ..models import AgreementText
from ..offices import REFUSALS, Plain, RowForm, text
from .blueprint import bp

agreement_pages.mount(bp, "/rounds")
enrolment_pages.mount(bp, "/rounds")


class TextForm(RowForm):
    """A new version of the text."""

    body = text(_l("协议文本"), agreement_texts.LONGEST, must=True, area=True)
    reason = text(_l("为什么改"), 500, must=True)


@bp.route("/agreement-text", methods=["GET", "POST"])
def agreement_text() -> str | Response:
    """The text as it holds, its versions, and a form for the next one."""
    session = db.reading()
    held = agreement_texts.current(session)
    body = held.body if held else agreement_texts.first()
    versions = agreement_texts.versions(session)
    last = versions[0].number if versions else 0
    form = TextForm(body=body, version=str(last))
    if form.validate_on_submit():
        try:
            with db.writing() as writing:
                made = agreement_texts.propose(
                    writing, form.body.data, form.reason.data, auth.actor(), form.seen
                )
        except REFUSALS as error:
            form.take(error)
        else:
            flash(_("新版本已提交，等另一位协调员确认。"), "success")
            return redirect(url_for("coordinator.agreement_version", number=made.number))
    return render_template(
        "agreements/text.html", form=form, versions=versions, held=held,
        blanks=agreement_texts.BLANKS, needed=agreement_texts.NEEDED,
        lines=list(agreement_texts.lines(body)),
    )  # fmt: skip


def _version(number: int) -> AgreementText:
    found = {v.number: v for v in agreement_texts.versions(db.reading())}.get(number)
    if found is None:
        abort(404)
    return found


@bp.get("/agreement-text/<int:number>")
def agreement_version(number: int) -> str:
    """One version: what it changes against the one before, by whom and why."""
    one = _version(number)
    before = next(
        (v for v in agreement_texts.versions(db.reading()) if v.number < number and v.confirmed_at),
        None,
    )
    return render_template(
        "agreements/version.html", one=one, before=before, me=auth.actor().name, form=Plain(),
        differences=agreement_texts.differences(before.body if before else "", one.body),
    )  # fmt: skip


@bp.post("/agreement-text/<int:number>/confirm")
@auth.fresh
def confirm_agreement_text(number: int) -> Response:
    """Confirm a version as a second person."""
    return _settle(number, confirm=True)


@bp.post("/agreement-text/<int:number>/withdraw")
def withdraw_agreement_text(number: int) -> Response:
    """Drop a version."""
    return _settle(number, confirm=False)


def _settle(number: int, confirm: bool) -> Response:
    _version(number)
    service = agreement_texts.confirm if confirm else agreement_texts.withdraw
    try:
        with db.writing() as session:
            held = session.get_one(AgreementText, _version(number).id)
            service(session, held, auth.actor())
    except REFUSALS as error:
        offices.flash_refusal(error)
    else:
        flash(_("已确认，以后生成的协议用这个版本。") if confirm else _("已撤回。"), "success")
    return redirect(url_for("coordinator.agreement_version", number=number))
