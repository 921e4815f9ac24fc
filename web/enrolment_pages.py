"""Pages of check-in (报到): a college's classes, the list of one class, the days that agreements name.

Coordinators have the same pages, as the second person where a college has only one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response
from wtforms import DateField
from wtforms.validators import InputRequired

from . import agreement_terms, agreements, auth, db, enrolment, offers, offices, paging, stages
from .models import Offer
from .offices import MUST, REFUSALS, RowForm, day, text


def must_day(label: Any) -> DateField:
    """A date that must be given."""
    return DateField(label, [InputRequired(MUST)])


class ArrangeForm(RowForm):
    """When, where, and what to bring."""

    check_in_from = must_day(lazy_gettext("第一天"))
    check_in_until = must_day(lazy_gettext("最后一天"))
    check_in_place = text(lazy_gettext("地点和时间"), 200, must=True)
    check_in_bring = text(lazy_gettext("携带材料"), 300, area=True)


class DatesForm(RowForm):
    """The days of internship and hiring that agreements name from now on."""

    internship = day(lazy_gettext("岗位实习开始"))
    hired = day(lazy_gettext("入职日期"))
    reason = text(lazy_gettext("改期原因"), 300, must=True)


class TickForm(RowForm):
    """The day on which the people came who are ticked."""

    day = must_day(lazy_gettext("报到日期"))


class RegisterForm(RowForm):
    """A registration."""

    number = text(lazy_gettext("学籍注册号"), 40, must=True)
    registered_on = must_day(lazy_gettext("注册日期"))


class LeaveForm(RowForm):
    """Somebody left."""

    left_on = must_day(lazy_gettext("退出日期"))
    left_reason = text(lazy_gettext("退出原因"), 300, must=True)


class UndoForm(RowForm):
    """Why an entry is to be taken back."""

    reason = text(lazy_gettext("更正原因"), 300, must=True)


def mount(bp: Blueprint, prefix: str = "") -> None:
    """Give an office's blueprint the pages of check-in."""

    def page(template: str, serial: str, **words: Any) -> str:
        round_ = auth.round_of(serial)
        return render_template(
            f"enrolment/{template}.html", round=round_, own=bp.name == "college",
            refusal=stages.refusal(db.reading(), round_, "enrolment"), **words,
        )  # fmt: skip

    @bp.get(f"{prefix}/<serial>/check-in")
    def check_in(serial: str) -> str:
        """The classes with their numbers."""
        round_ = auth.round_of(serial)
        college = auth.own_college().id if bp.name == "college" else None
        rows = enrolment.counts(db.reading(), round_, college)
        return page("classes", serial, page=paging.page_of(rows))

    @bp.get(f"{prefix}/<serial>/check-in/<code>")
    def check_in_list(serial: str, code: str) -> str:
        """The list of a class."""
        return list_page(serial, code)

    def list_page(serial: str, code: str, **forms: RowForm) -> str:
        round_, held = auth.round_of(serial), db.reading()
        one = auth.class_of(round_, code)
        today = enrolment.today(held)
        blank: dict[str, RowForm] = {
            "arrange": ArrangeForm(formdata=None, obj=one), "tick": TickForm(formdata=None, day=today),
        }  # fmt: skip
        return page(
            "list", serial, one=one, lines=enrolment.lines(held, one), today=today,
            forms=blank | forms, labels=offers.LABELS, undoable=enrolment.UNDOABLE,
            deadline=enrolment.registration_deadline(round_),
            over=one.check_in_until is not None and today > one.check_in_until,
        )  # fmt: skip

    def person_page(key: str, **forms: RowForm) -> str:
        offer, held = auth.enrolled_of(key), db.reading()
        line = enrolment.Line(offer, enrolment.of_offer(held, offer))
        today = enrolment.today(held)
        blank: dict[str, RowForm] = {
            "register": RegisterForm(formdata=None, registered_on=today),
            "leave": LeaveForm(formdata=None, left_on=today), "undo": UndoForm(formdata=None),
        }  # fmt: skip
        return page(
            "person", offer.round.serial, line=line, offer=offer, forms=blank | forms,
            labels=offers.LABELS, undoable=enrolment.UNDOABLE, me=auth.actor().name,
            deadline=enrolment.registration_deadline(offer.round),
            agreement=agreements.live_of(held, offer), standing=agreements.standing,
        )  # fmt: skip

    @bp.get(f"{prefix}/places/<key>")
    def place(key: str) -> str:
        """One person's place: check-in, registration, leaving, corrections."""
        return person_page(key)

    def act(key: str, name: str, form: RowForm, said: str, service: Callable[..., Any]) -> Any:
        """Enter something about one person; what is wrong with it is shown on her page."""
        auth.enrolled_of(key)
        if not form.validate_on_submit():
            return person_page(key, **{name: form})
        try:
            with db.writing() as session:
                done = service(session, auth.enrolled_of(key, session), form, auth.actor())
        except REFUSALS as error:
            form.take(error)
            for problem in form.problems if name == "plain" else ():
                flash(problem, "error")
            return person_page(key, **{name: form})
        flash(said, "success")
        return redirect(
            url_for(f"{bp.name}.place", key=done.key if isinstance(done, Offer) else key)
        )

    @bp.post(f"{prefix}/places/<key>/undo/confirm")
    def confirm_undo(key: str) -> Any:
        """Confirm that an entry is taken back."""
        return act(key, "plain", RowForm(), _("已更正。"), _confirm)

    @bp.post(f"{prefix}/places/<key>/undo/drop")
    def drop_undo(key: str) -> Any:
        """Leave the entry as it is."""
        return act(key, "plain", RowForm(), _("已撤回。"), _drop)

    if bp.name != "college":
        return

    def ticked(serial: str, code: str) -> list[int]:
        """The places of a class that were ticked, by id."""
        one = auth.class_of(auth.round_of(serial), code)
        keys = set(request.form.getlist("ticked"))
        return [li.offer.id for li in enrolment.lines(db.reading(), one) if li.offer.key in keys]

    def done(serial: str, code: str) -> Response:
        return redirect(url_for(f"{bp.name}.check_in_list", serial=serial, code=code))

    @bp.post(f"{prefix}/<serial>/check-in/<code>/arrange")
    def arrange(serial: str, code: str) -> str | Response:
        """Set when and where the class checks in."""
        form = ArrangeForm()
        auth.class_of(auth.round_of(serial), code)
        if form.validate_on_submit():
            try:
                with db.writing() as session:
                    one = auth.class_of(auth.round_of(serial, session), code, session)
                    enrolment.arrange(
                        session, one, form.seen, form.check_in_from.data, form.check_in_until.data,
                        form.check_in_place.data, form.check_in_bring.data or "", auth.actor(),
                    )  # fmt: skip
            except REFUSALS as error:
                form.take(error)
            else:
                flash(_("报到安排已保存，已通知本班的人。"), "success")
                return done(serial, code)
        return list_page(serial, code, arrange=form)

    @bp.post(f"{prefix}/<serial>/check-in/<code>/came")
    def came(serial: str, code: str) -> str | Response:
        """Enter who came."""
        form, ids = TickForm(), ticked(serial, code)
        if not form.validate_on_submit():
            return list_page(serial, code, tick=form)
        try:
            with db.writing() as session:
                number = enrolment.check_in(session, ids, form.day.data, auth.actor())
        except REFUSALS as error:
            form.take(error)
            return list_page(serial, code, tick=form)
        flash(_("已登记 %(n)s 人报到。", n=number), "success")
        return done(serial, code)

    @bp.post(f"{prefix}/<serial>/check-in/<code>/absent")
    @auth.fresh
    def absent(serial: str, code: str) -> Response:
        """Enter who did not come: their places are free again."""
        ids = ticked(serial, code)
        try:
            with db.writing() as session:
                number = enrolment.mark_absent(session, ids, auth.actor())
        except REFUSALS as error:
            offices.flash_refusal(error)
        else:
            flash(_("已记 %(n)s 人未报到，席位已空出。", n=number), "success")
        return done(serial, code)

    @bp.route(f"{prefix}/<serial>/classes/<code>/days", methods=["GET", "POST"])
    def class_days(serial: str, code: str) -> str | Response:
        """Move the days that agreements name; the published plan stays."""
        round_ = auth.round_of(serial)
        one = auth.class_of(round_, code)
        internship, hired = agreement_terms.planned(one)
        form = DatesForm(version=str(one.version), internship=internship, hired=hired)
        if form.validate_on_submit():
            try:
                with db.writing() as session:
                    agreement_terms.move_dates(
                        session, auth.class_of(auth.round_of(serial, session), code, session),
                        form.seen, form.internship.data, form.hired.data, form.reason.data,
                        auth.actor(),
                    )  # fmt: skip
            except REFUSALS as error:
                form.take(error)
            else:
                flash(_("已改期；以后生成的协议用新日期。"), "success")
                return redirect(url_for(f"{bp.name}.agreements_page", serial=serial))
        return page("days", serial, one=one, form=form,
                    ends=agreement_terms.first_year_ends(round_))  # fmt: skip

    @bp.post(f"{prefix}/places/<key>/register")
    def register(key: str) -> Any:
        """Enter a registration."""
        return act(key, "register", RegisterForm(), _("已登记学籍注册。"), _register)

    @bp.post(f"{prefix}/places/<key>/leave")
    @auth.fresh
    def leave(key: str) -> Any:
        """Enter that somebody left."""
        return act(key, "leave", LeaveForm(), _("已登记退出，席位已空出。"), _leave)

    @bp.post(f"{prefix}/places/<key>/undo")
    def ask_undo(key: str) -> Any:
        """Ask for an entry to be taken back."""
        return act(key, "undo", UndoForm(), _("已提出，等另一人确认。"), _undo)


def _register(session: Any, offer: Offer, form: Any, actor: Any) -> None:
    enrolment.register(session, offer, form.number.data, form.registered_on.data, actor)


def _leave(session: Any, offer: Offer, form: Any, actor: Any) -> None:
    enrolment.leave(session, offer, form.left_on.data, form.left_reason.data, actor)


def _undo(session: Any, offer: Offer, form: Any, actor: Any) -> None:
    enrolment.ask_undo(session, offer, form.reason.data, actor)


def _confirm(session: Any, offer: Offer, _form: Any, actor: Any) -> Offer:
    return enrolment.confirm_undo(session, offer, actor)


def _drop(session: Any, offer: Offer, _form: Any, actor: Any) -> None:
    enrolment.drop_undo(session, offer, actor)
