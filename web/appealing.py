"""Pages on which an applicant asks for a recheck (申请复核) and reads its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_security import current_user
from sqlalchemy.orm import Session

from . import auth, calendar, db, entering, offices, policies, rechecks
from .entering import Desk, Page
from .models import Applicant
from .offices import RowForm


class Appeal(RowForm):
    """What she doubts, and why."""

    matter = offices.choice(
        lazy_gettext("对哪一项有疑问"),
        rechecks.MATTERS,
        must=lazy_gettext("请选一项。"),
        radio=True,
    )
    words = offices.text(lazy_gettext("写明您的疑问"), rechecks.MOST_WORDS, must=True, area=True)


def mount(bp: Blueprint, place: str, find: Callable[[str, Session], Applicant]) -> None:
    """Give a blueprint the pages of rechecks below ``/<place>``."""
    empty = Desk(bp.name, place, find)
    for view, rule, methods in (
        (appeals, "/rechecks", ["GET", "POST"]),
        (withdraw_appeal, "/rechecks/<key>/withdraw", ["POST"]),
    ):
        bp.add_url_rule(
            f"/<{place}>{rule}", view.__name__, entering.bound(view, empty), methods=methods
        )


def appeals(desk: Desk) -> Page:
    """Her tickets with their answers, and a form for one more while the period lasts."""
    form, matters = Appeal(), _matters(desk)
    form.matter.choices = list((matters or rechecks.MATTERS).items())
    if form.validate_on_submit():
        try:
            with db.writing() as session:
                made = rechecks.open_(
                    session,
                    desk.applicant(session),
                    form.matter.data,
                    form.words.data,
                    auth.actor(),
                )
        except offices.REFUSALS as error:
            form.take(error)
        else:
            flash(_("已收到，复核号 %(number)s。", number=made.number), "success")
            return redirect(desk.url("appeals"))
    session = db.reading()
    applicant = desk.applicant(session)
    round_ = applicant.round
    return render_template(
        "applicant/rechecks.html", desk=desk, applicant=applicant, round=round_, form=form,
        held=rechecks.of_applicant(session, applicant), matters=rechecks.MATTERS,
        states=rechecks.STATES, remedies=rechecks.REMEDIES, open=rechecks.OPEN,
        can=bool(matters), late=round_.state == "CONFIRMING",
        days=policies.flow(round_, "days.appeal_reply"), moment=calendar.local(db.now(session)),
    )  # fmt: skip


def _matters(desk: Desk) -> dict[str, Any]:
    """What she may ask about now."""
    session = db.reading()
    round_ = desk.applicant(session).round
    return {
        code: label for code, label in rechecks.MATTERS.items()
        if rechecks.may_ask(session, round_, current_user.role, code)
    }  # fmt: skip


def withdraw_appeal(desk: Desk, key: str) -> Page:
    """She takes a ticket back."""
    try:
        with db.writing() as session:
            applicant = desk.applicant(session)
            ticket = auth.recheck_of(applicant.round, key, session)
            rechecks.withdraw(session, ticket, auth.actor())
    except offices.REFUSALS:
        flash(_("已经答复，不能再撤回。"), "error")
    else:
        flash(_("已撤回。"), "success")
    return redirect(desk.url("appeals"))
