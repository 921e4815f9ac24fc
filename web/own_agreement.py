"""An applicant's pages after she has accepted: her agreement, read in full and confirmed, and check-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from . import (
    agreement_pages,
    agreement_texts,
    agreements,
    auth,
    db,
    enrolment,
    offers,
    offices,
    stages,
)
from .entering import Desk
from .models import Agreement, Applicant
from .offices import REFUSALS, Plain, RowForm, text


class GuardianForm(RowForm):
    """The guardian's name and code."""

    name = text(lazy_gettext("监护人姓名"), 50, must=True)
    code = text(lazy_gettext("监护人码"), 20, must=True)


def mount(bp: Blueprint, own: Callable[[str, Session], Applicant]) -> None:
    """Give the applicant's blueprint these pages; ``own`` finds her application, or answers 404."""

    def desk(serial: str) -> Desk:
        return Desk(bp.name, "serial", own, serial)

    def _agreement(serial: str, session: Session) -> tuple[Applicant, Agreement]:
        applicant = own(serial, session)
        found = agreements.of_applicant(session, applicant)
        if found is None:
            abort(404)
        return applicant, auth.agreement_of(found.key, session)

    @bp.get("/<serial>/agreement")
    def agreement(serial: str) -> str:
        """Her agreement in full, what confirming means, and who has signed."""
        return _page(serial, GuardianForm(formdata=None))

    def _page(serial: str, form: GuardianForm) -> str:
        session = db.reading()
        applicant, one = _agreement(serial, session)
        if not form.is_submitted():
            form.name.data = applicant.guardian
        return render_template(
            "applicant/agreement.html", desk=desk(serial), round=applicant.round, one=one,
            applicant=applicant, form=form, agreements=agreements, parties=agreement_texts.PARTIES,
            lines=list(agreement_texts.lines(agreements.text_of(one))), plain=Plain(formdata=None),
            missing=agreements.missing(one), how=agreement_pages.how,
            refusal=stages.refusal(session, applicant.round, "agreement"),
        )  # fmt: skip

    @bp.post("/<serial>/agreement/sign")
    def sign(serial: str) -> Response:
        """She confirms the text that she has read."""
        digest = request.form.get("digest", "")
        try:
            with db.writing() as session:
                applicant, one = _agreement(serial, session)
                agreements.sign(
                    session, one, "student", applicant.person.name, digest, auth.actor()
                )
        except REFUSALS as error:
            offices.flash_refusal(error)
        else:
            flash(_("您已电子确认。"), "success")
        return redirect(desk(serial).url("agreement"))

    @bp.post("/<serial>/agreement/guardian")
    def guardian_sign(serial: str) -> str | Response:
        """Her guardian confirms, with the code on paper."""
        form = GuardianForm()
        _agreement(serial, db.reading())
        if form.validate_on_submit():
            digest = request.form.get("digest", "")
            try:
                with db.writing() as session:
                    _applicant, one = _agreement(serial, session)
                    agreements.sign_by_code(
                        session, one, form.name.data, form.code.data, digest, auth.actor()
                    )
            except REFUSALS as error:
                form.take(error)
            else:
                flash(_("监护人已电子确认。"), "success")
                return redirect(desk(serial).url("agreement"))
        return _page(serial, form)

    @bp.post("/<serial>/agreement/pdf")
    def agreement_pdf(serial: str) -> Response:
        """The agreement on paper."""
        _applicant, one = _agreement(serial, db.reading())
        return agreement_pages.pdf(one, desk(serial).url("agreement"))

    @bp.get("/<serial>/check-in")
    def check_in(serial: str) -> str:
        """When and where she checks in, and what to bring."""
        session = db.reading()
        applicant = own(serial, session)
        held: Any = offers.held_of(session, applicant.id)
        if held is None:
            abort(404)
        return render_template(
            "applicant/check_in.html", desk=desk(serial), round=applicant.round, offer=held,
            one=held.program.order_class, enrolment=enrolment.of_offer(session, held),
        )  # fmt: skip
