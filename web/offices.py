"""What the pages of several offices share: choosing a round, forms of rows, and the pages on
which two or three people agree (席位变更单, 复核确认)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_security import current_user
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import (
    BooleanField,
    DateField,
    Field,
    Form,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from . import auth, codes, db, posting, reviewing, scoring, seats, stages
from .models import Applicant, Program, Round
from .paging import Page, page_of
from .typed import whole

REFUSALS = (posting.Refused, posting.Stale, stages.NotNow, reviewing.SecondPerson)
"""What a service raises when something may not be stored; :meth:`RowForm.take` shows it."""

MUST = lazy_gettext("请填写。")


# --- rounds and next steps --------------------------------------------------------------------


@dataclass(frozen=True)
class Action:
    """The one thing to do next on a page: what it is, where it is done, and a word on why."""

    text: str
    url: str = ""
    why: str = ""


def chosen(serial: str = "") -> Round | None:
    """The round of the page: the one named, else the youngest."""
    return auth.round_of(serial) if serial else stages.latest(db.reading())


def waiting_action(round_: Round) -> Action:
    """What an office is told when it has nothing to do: what the round waits for."""
    said = {
        "DRAFT": _("等待协调员公布计划"), "ANNOUNCED": _("等待报名开始"),
        "OPEN": _("申请人正在报名填报"), "REVIEW": _("等待协调员锁定志愿"),
        "FROZEN": _("等待公开摇号"), "DRAWN": _("等待匹配与审定"),
        "APPROVED": _("等待公示"), "PUBLISHED": _("公示中"), "CONFIRMING": _("确认递补中"),
        "FINAL": _("本轮已归档"), "SUSPENDED": _("本轮暂停公示"), "VOID": _("本轮已作废"),
    }  # fmt: skip
    return Action(said[round_.state], why=_("现在没有要您办的事。"))


# --- forms of rows ----------------------------------------------------------------------------


def text(label: Any, most: int = 200, must: bool = False, area: bool = False) -> Field:
    """A line of text, or several; blanks around it are dropped."""
    checks = [InputRequired(MUST) if must else Optional(), Length(max=most)]
    kind = TextAreaField if area else StringField
    return kind(label, checks, filters=[lambda value: (value or "").strip()])


def number(label: Any, least: int = 0, most: int = 99999, must: bool = False) -> Field:
    """A whole number."""
    said = lazy_gettext("请填 %(least)s 至 %(most)s 的整数。", least=least, most=most)
    checks = [InputRequired(MUST) if must else Optional(), NumberRange(least, most, said)]
    return IntegerField(label, checks, render_kw={"inputmode": "numeric"})


def day(label: Any) -> Field:
    """A date."""
    return DateField(label, [Optional()])


def flag(label: Any) -> Field:
    """A box to tick."""
    return BooleanField(label)


def options(table: Mapping[str, Any], blank: Any = None) -> list[SelectChoice]:
    """What a field offers: a table of codes, after a blank one if that has a name."""
    head = [] if blank is None else [SelectChoice("", blank)]
    return head + [SelectChoice(code, label) for code, label in table.items()]


def choice(
    label: Any,
    table: Mapping[str, Any] | None = None,
    blank: Any = None,
    must: Any = None,
    radio: bool = False,
) -> Field:
    """One code of a table; ``must`` is said where none was chosen."""
    kind = RadioField if radio else SelectField
    return kind(
        label, [InputRequired(must) if must else Optional()], choices=options(table or {}, blank),
        default=None if radio else "", invalid_choice_message=lazy_gettext("请从列表中选。"),
    )  # fmt: skip


class Several(SelectMultipleField):  # type: ignore[misc]
    """Boxes of which any number may be ticked; the row holds the codes separated by ``;``."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def process_data(self, value: Any) -> None:
        """From the row's text, or from a list."""
        self.data = (
            [c for c in value.split(";") if c] if isinstance(value, str) else list(value or ())
        )


class RowForm(FlaskForm):  # type: ignore[misc]
    """A form of one row: it carries the row's version, and says what stands against storing it."""

    version = HiddenField(default="0")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.problems: list[str] = []
        self.differences: list[tuple[str, str, str]] = []

    @property
    def seen(self) -> int:
        """The version that the page showed."""
        return whole(self.version.data)

    def values(self, names: Iterable[str]) -> dict[str, Any]:
        """What was typed, as the row holds it."""
        found = {}
        for name in names:
            field = self[name]
            data = field.data
            if isinstance(field, Several):
                data = ";".join(c.value for c in field.choices if c.value in (data or ()))
            elif data is None and isinstance(field, StringField):
                data = ""
            found[name] = data
        return found

    def take(self, error: Exception, labels: Mapping[str, Any] | None = None) -> None:
        """Show why nothing was stored: at the fields, or for the whole."""
        if isinstance(error, posting.Stale):
            self._differ(error, labels or {})
        elif isinstance(error, posting.Refused):
            for name, said in error.problems.items():
                field = self._named(name)
                if field is None:
                    self.problems += said
                else:
                    field.errors = [*field.errors, *said]
        else:
            self.problems.append(str(error))

    def _named(self, name: str) -> Field | None:
        return self._fields.get(name)

    def _differ(self, error: posting.Stale, labels: Mapping[str, Any]) -> None:
        self.version.data = str(error.version)
        self.problems.append(_("您打开这一页后，别人改过它。下面并列两者；再保存就以您的为准。"))
        for name, stored in error.stored.items():
            if name in self and name != "version":
                typed = self.values([name])[name]
                if typed != stored:
                    label = str(labels.get(name, self[name].label.text))
                    self.differences.append((label, shown(stored), shown(typed)))


def shown(value: Any) -> str:
    """A value of a row as a table says it."""
    if isinstance(value, bool):
        return str(_("是") if value else _("否"))
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


class Plain(FlaskForm):  # type: ignore[misc]
    """A form of one button."""

    version = HiddenField(default="0")


def posted_version() -> int:
    """The version that a button carried."""
    return whole(request.form.get("version"))


def flash_refusal(error: Exception) -> None:
    """Say why a button did nothing."""
    if isinstance(error, posting.Stale):
        flash(_("您打开这一页后，别人改过它。请核对后再确认。"), "error")
    elif isinstance(error, posting.Refused):
        flash(" ".join(s for said in error.problems.values() for s in said), "error")
    else:
        flash(str(error), "error")


# --- lists of people --------------------------------------------------------------------------


def page_of_people(ids: Sequence[int]) -> Page[Applicant]:
    """The page that the address asks for, of a list of applicants' ids: only its rows are read."""
    page = page_of(ids)
    return Page(reviewing.applicants(db.reading(), page.rows), page.number, page.pages, page.total)


# --- changes of seats -------------------------------------------------------------------------


class ChangeForm(RowForm):
    """席位变更单."""

    after = number(lazy_gettext("变更后的席位数"), most=9999, must=True)
    reason = text(lazy_gettext("变更原因"), most=500, must=True, area=True)


class DropForm(RowForm):
    """Why a change of seats is refused or withdrawn."""

    reason = text(lazy_gettext("不同意或撤回的原因"), most=500, must=True)


def seat_changes(bp: Blueprint) -> None:
    """Give an office's blueprint the pages on changes of seats."""

    @bp.route("/<serial>/seats/<code>/change", methods=["GET", "POST"])
    def ask_change(serial: str, code: str) -> str | Response:
        """Propose another number of seats."""
        round_ = auth.round_of(serial)
        program = auth.program_of(round_, code)
        form = ChangeForm()
        if form.validate_on_submit():
            try:
                with db.writing() as session:
                    held = auth.program_of(round_, code, session)
                    made = seats.ask(session, held, form.after.data, form.reason.data, auth.actor())
            except REFUSALS as error:
                form.take(error)
                round_ = auth.round_of(serial)
                program = auth.program_of(round_, code)
            else:
                flash(_("变更单已提交，等另外两方同意。"), "success")
                return redirect(url_for(f"{bp.name}.show_change", key=made.key))
        refusal = _refusal(program)
        return render_template(
            "offices/ask_change.html",
            round=round_,
            program=program,
            form=form,
            refusal=refusal,
            exceeds=seats.warnings(db.reading(), program),
        )

    @bp.get("/changes/<key>")
    def show_change(key: str) -> str:
        """One change of seats, and who has agreed."""
        return _change_page(key, DropForm(formdata=None))

    @bp.post("/changes/<key>/agree")
    def agree_change(key: str) -> Response:
        """Agree for the own side."""
        auth.change_of(key)
        try:
            with db.writing() as session:
                applied = seats.agree(session, auth.change_of(key, session), auth.actor())
        except REFUSALS as error:
            flash_refusal(error)
        else:
            flash(_("三方都已同意，席位已变更。") if applied else _("已同意。"), "success")
        return redirect(url_for(f"{bp.name}.show_change", key=key))

    @bp.post("/changes/<key>/drop")
    def drop_change(key: str) -> str | Response:
        """Refuse it, or take it back."""
        auth.change_of(key)
        form = DropForm()
        if form.validate_on_submit():
            try:
                with db.writing() as session:
                    change = auth.change_of(key, session)
                    seats.drop(session, change, auth.actor(), form.reason.data)
            except REFUSALS as error:
                form.take(error)
            else:
                flash(_("变更单已撤销，席位不变。"), "success")
                return redirect(auth.home())
        return _change_page(key, form)

    def _change_page(key: str, form: DropForm) -> str:
        change = auth.change_of(key)
        round_ = change.program.order_class.round
        return render_template(
            "offices/change.html", round=round_, change=change, form=form,
            missing=seats.missing(change), mine=current_user.role,
            reserves=posting.tell_reserves(seats.reserves_after(change.program, change.after)),
            refusal=_refusal(change.program),
            exceeds=seats.warnings(db.reading(), change.program),
        )  # fmt: skip


def _refusal(program: Program) -> str:
    """Why these seats cannot be changed now; blank where they can."""
    held = db.reading()
    return stages.refusal(held, program.order_class.round, seats.purpose(held, program))


# --- second persons ---------------------------------------------------------------------------


def confirmations(bp: Blueprint, office: Any) -> None:
    """Give an office's blueprint the page on which a second person confirms batches.

    ``office()`` is the code of the user's own office; none for a coordinator, who sees all.
    """

    @bp.get("/<serial>/confirm")
    def confirm_list(serial: str) -> str:
        """What waits for a second person."""
        round_ = auth.round_of(serial)
        return render_template(
            "offices/confirm.html", round=round_, components=codes.COMPONENTS,
            waiting=scoring.waiting(db.reading(), round_, office()), me=auth.actor().name,
            refusal=stages.refusal(db.reading(), round_, "score"), show=scoring.show_component,
        )  # fmt: skip

    @bp.post("/<serial>/confirm/<target>")
    def confirm_batch(serial: str, target: str) -> Response:
        """Confirm a batch as it was shown."""
        round_ = auth.round_of(serial)
        whose = office()
        if whose is None:
            whose = request.form.get("office", "")
        held = scoring.target_of(db.reading(), round_, target)
        if held is None:
            abort(404)
        if not any(
            (o, t.name) == (whose, target)
            for o, t, _ in scoring.waiting(db.reading(), round_, whose)
        ):
            abort(404)
        try:
            with db.writing() as session:
                again = scoring.target_of(session, round_, target) or held
                digest = request.form.get("digest", "")
                done, left = scoring.confirm(session, round_, again, whose, digest, auth.actor())
        except REFUSALS as error:
            flash_refusal(error)
        else:
            flash(_("已确认 %(n)s 条。", n=done), "success")
            if left:
                flash(_("还有 %(n)s 条是您自己录入的，须由另一人确认。", n=left), "warning")
        return redirect(url_for(f"{bp.name}.confirm_list", serial=serial))


# --- sheets of many people --------------------------------------------------------------------


class Line(Form):  # type: ignore[misc]
    """A person's line of a sheet; ``said`` is what the service found wrong with it."""

    said = ""
    number = HiddenField()
    version = HiddenField(default="0")
    interview = text("", 20)
    exempt_basis = text("", 200)
    fit = text("", 5)

    @property
    def problem(self) -> str:
        """What is wrong with it, whoever found it."""
        return self.said or " ".join(said for errors in self.errors.values() for said in errors)


def by_number(session: Session, ids: Iterable[int], lines: Any) -> dict[str, Applicant]:
    """Number → applicant of those (by id) whom the lines of a sheet name."""
    wanted, among = {str(line.number.data or "") for line in lines}, set(ids)
    named = select(Applicant.id).where(Applicant.number.in_(wanted))
    mine = [one for one in session.scalars(named) if one in among]
    return {one.number: one for one in reviewing.applicants(session, mine)}


def take_lines(form: RowForm, lines: Any, error: Exception) -> None:
    """Show what stands against a sheet: at the person's line, at the reason, or for the whole."""
    if not isinstance(error, posting.Refused):
        form.take(error)
        return
    by_number = {line.number.data: line for line in lines}
    rest = {}
    for name, said in error.problems.items():
        line = by_number.get(name)
        if line is None:
            rest[name] = said
        else:
            line.form.said = " ".join(said)
            for hidden, value in error.seen.get(name, {}).items():
                line[hidden].data = value
    form.take(posting.Refused(rest))
