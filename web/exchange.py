"""Pages of import and export: templates, uploads, issues or a preview, storing, downloads."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_security import current_user
from flask_wtf import FlaskForm
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response
from wtforms import BooleanField, FileField, HiddenField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from . import auth, cells, db, exports, imports, reviewing, rounds, words, workbooks
from .archive import Refused
from .cells import Value
from .hints import hint
from .issues import sentence
from .lines import Issue, office_of
from .models import Import, Round
from .sheets import SHEETS, Sheet

bp = Blueprint("exchange", __name__, url_prefix="/exchange")
auth.guard(bp, "coordinator", "college", "enterprise")

ONWARD = {
    "coordinator": "coordinator.round_page", "college": "college.home",
    "enterprise": "enterprise.home",
}  # fmt: skip
"""Role → where it goes on once its sheets are stored."""

SHOWN = 200
"""Issues, and lines of a preview, that one page shows; the marked copy holds them all."""


class UploadForm(FlaskForm):  # type: ignore[misc]
    """A workbook to be read."""

    file = FileField()
    replaces = BooleanField()
    reason = StringField(validators=[Length(max=200)])


class StoreForm(FlaskForm):  # type: ignore[misc]
    """The consent to what was previewed; with warnings, to those."""

    seen = HiddenField()
    accepted = BooleanField()


def _sheet(key: str) -> Sheet:
    """A sheet that the user's office may exchange; 404 for every other."""
    sheet = SHEETS.get(key)
    if sheet is None or current_user.role not in sheet.roles:
        abort(404)
    return sheet


def _own() -> list[Sheet]:
    return [sheet for sheet in SHEETS.values() if current_user.role in sheet.roles]


def title(sheet: Sheet) -> str:
    """A sheet's name in the language of the page."""
    return sheet.english if words.language() == "en" else sheet.title


def _state_way(sheet: Sheet, state: str) -> str:
    """Why a sheet cannot be stored in a state; blank if it can."""
    if state in sheet.states:
        return ""
    said = sentence(Issue("state", about={"state": state, "last": sheet.states[-1]}))
    return str(_("。")).join(said)


@bp.get("/<serial>/")
def home(serial: str) -> str:
    """Every sheet of the office, what can be done with it now, and the last imports."""
    round_ = auth.round_of(serial)
    session = db.reading()
    state = rounds.by_the_clock(session, round_)
    rows = [(sheet, title(sheet), _state_way(sheet, state)) for sheet in _own()]
    held = imports.recent(session, round_, auth.actor())
    return render_template(
        "exchange/home.html", round=round_, rows=rows, imports=held, sheets=SHEETS,
        waiting=imports.waiting(session, round_, auth.actor()),
        lacking=imports.lacking(session, round_, auth.actor()), title_of=title,
        onward=url_for(ONWARD[current_user.role], serial=serial),
    )  # fmt: skip


@bp.route("/<serial>/<sheet>", methods=["GET", "POST"])
def upload(serial: str, sheet: str) -> str | Response:
    """Upload a workbook: its issues, or a preview."""
    round_, kind = auth.round_of(serial), _sheet(sheet)
    form = UploadForm()
    if form.validate_on_submit():
        file = form.file.data
        data = file.read() if isinstance(file, FileStorage) else b""
        replaces, reason = bool(form.replaces.data), (form.reason.data or "").strip()
        if not data:
            form.file.errors = [_("请选一个 .xlsx 文件。")]
        elif replaces and not reason:
            form.reason.errors = [_("请写明为什么要全量替换。")]
        else:
            return _read(round_, kind, file.filename or "", data, replaces, reason)
    return _upload_page(round_, kind, form)


def _read(
    round_: Round, kind: Sheet, filename: str, data: bytes, replaces: bool, reason: str
) -> Response:
    try:
        held = imports.read(
            db.reading(), round_, kind.key, filename, data, auth.actor(), replaces, reason
        )
    except imports.NotReplaceable:
        flash(_("这张表现在不能全量替换。"), "error")
        return redirect(url_for("exchange.upload", serial=round_.serial, sheet=kind.key))
    return redirect(url_for("exchange.show", serial=round_.serial, key=held.key))


def _upload_page(round_: Round, kind: Sheet, form: UploadForm) -> str:
    state = rounds.by_the_clock(db.reading(), round_)
    return render_template(
        "exchange/upload.html", round=round_, sheet=kind, name=title(kind), form=form,
        replaceable=imports.replaceable(db.reading(), round_, kind),
        withdraws=kind.key in imports.WITHDRAWING, after=imports.after_all(kind),
        closed=_state_way(kind, state), filters=_filters(kind), english=words.language() == "en",
        hint=hint,
    )  # fmt: skip


def _filters(kind: Sheet) -> list[Any]:
    """The columns by which an export may be narrowed, each as a field."""

    class Form(FlaskForm):  # type: ignore[misc]
        pass

    for name in kind.filters:
        column = kind.by_name[name]
        label = column.english if words.language() == "en" else column.heading
        values = list(column.codes.items()) or _codes(kind, name)
        options = [SelectChoice(code, word) for code, word in [("", _("全部")), *values]]
        setattr(Form, name, SelectField(label, choices=options))
    form = Form()
    return [form[name] for name in kind.filters]


def _codes(kind: Sheet, name: str) -> list[tuple[str, str]]:
    round_ = auth.round_of((request.view_args or {})["serial"])
    tables, _lists = exports.codes(db.reading(), round_, kind)
    heading = kind.by_name[name].heading
    return [(code, f"{code} {called}") for title_, rows in tables if title_ == heading
            for code, called in rows]  # fmt: skip


@bp.get("/<serial>/<sheet>/template.xlsx")
def template(serial: str, sheet: str) -> Response:
    """The empty workbook of a sheet."""
    round_, kind = auth.round_of(serial), _sheet(sheet)
    data = exports.template(db.reading(), round_, kind.key)
    return _file(data, f"{kind.title}-{round_.serial}-{exports.TEMPLATE}.xlsx", workbooks.XLSX)


@bp.post("/<serial>/<sheet>/export")
def export(serial: str, sheet: str) -> Response:
    """What is stored and passes the filters, as xlsx or csv; taking it is recorded.

    Lines about people are given only to who has typed the password just now.
    """
    round_, kind = auth.round_of(serial), _sheet(sheet)
    only: dict[str, Value] = {
        name: value for name in kind.filters if (value := request.form.get(name, ""))
    }
    form = request.form.get("format", "xlsx")
    if form not in ("xlsx", "csv") or not FlaskForm().validate_on_submit():
        abort(400)
    if kind.personal and (first := auth.password_first()) is not None:
        return first
    session = db.reading()
    write = exports.csv if form == "csv" else exports.workbook
    data = write(session, round_, kind.key, office_of(session, auth.actor()), only)
    with db.writing() as writing:
        exports.log(writing, round_, kind.key, form, only, auth.actor())
    mimetype = workbooks.CSV if form == "csv" else workbooks.XLSX
    return _file(data, f"{kind.title}-{round_.serial}.{form}", mimetype)


def _file(data: bytes, name: str, mimetype: str) -> Response:
    return send_file(BytesIO(data), mimetype=mimetype, as_attachment=True, download_name=name)


# --- one import -------------------------------------------------------------------------------


@bp.get("/<serial>/imports/<key>")
def show(serial: str, key: str) -> str:
    """The issues of a file, or the preview of what it would change, or what became of it."""
    round_ = auth.round_of(serial)
    held = auth.import_of(round_, key)
    return _page(round_, held, StoreForm())


def _page(round_: Round, held: Import, form: StoreForm) -> str:
    kind = SHEETS[held.sheet]
    issues = imports.issues_of(held)
    told = [
        (issue, imports.place(kind, issue), *sentence(issue), _column_english(kind, issue))
        for issue in issues[:SHOWN]
    ]
    by_file = any(issue.row == 0 and issue.code != "state" for issue in issues)
    waits = held.state == "stored" and kind.seconded and not held.confirmed_by
    return render_template(
        "exchange/import.html", round=round_, held=held, sheet=kind, name=title(kind), form=form,
        errors=[line for line in told if not line[0].warning],
        warnings=[line for line in told if line[0].warning],
        changes=[_change(kind, row) for row in held.rows[:SHOWN]], shown=SHOWN,
        withdraws=kind.key in imports.WITHDRAWING,
        removals=[(one["key"], _told(kind, one["before"])) for one in held.removals],
        summary=_summary(kind, held), can_mark=bool(issues) and not by_file
        and imports.uploaded(held) is not None, waits=waits,
        own=held.by == auth.actor().name, english=words.language() == "en",
    )  # fmt: skip


def _column_english(kind: Sheet, issue: Issue) -> str:
    column = kind.by_name.get(issue.column)
    return column.english if column else ""


def _told(kind: Sheet, row: dict[str, Any]) -> str:
    """A stored line in one text: what is removed is read before it is gone."""
    shown = (show_value(column, row.get(column.name)) for column in kind.columns)
    return " · ".join(filter(None, shown))


def _change(kind: Sheet, row: dict[str, Any]) -> dict[str, Any]:
    """A line of the preview: what is new, or each value before and after."""
    english = words.language() == "en"
    before = row["before"] or {}
    cells = []
    for name in row["differing"]:
        column = kind.by_name.get(name)
        if column is None:  # several lines of choices are shown as one list
            label, old, new = _("志愿"), before.get(name), row["after"][name]
        else:
            label = column.english if english else column.heading
            old, new = show_value(column, before.get(name)), show_value(column, row["after"][name])
        cells.append((label, old or "", new or ""))
    return {"row": row["row"], "key": row["key"], "new": row["before"] is None, "cells": cells}


def show_value(column: Any, value: Value) -> str:
    """A value as the preview tells it."""
    shown = cells.show(column, value)
    return "" if shown is None else str(shown)


def _summary(kind: Sheet, held: Import) -> list[tuple[str, int, str, str, str]]:
    """Of each column of scores: how many numbers, least, mean, greatest."""
    english = words.language() == "en"
    found = []
    for column in kind.columns:
        numbers = [
            float(value)
            for row in held.rows
            if column.kind == "score"
            and (value := str(row["after"].get(column.name) or ""))[:1].isdigit()
        ]
        if numbers:
            label = column.english if english else column.heading
            mean = sum(numbers) / len(numbers)
            found.append(
                (label, len(numbers), f"{min(numbers):g}", f"{mean:.2f}", f"{max(numbers):g}")
            )
    return found


@bp.post("/<serial>/imports/<key>/store")
def store(serial: str, key: str) -> str | Response:
    """Store a previewed import."""
    round_ = auth.round_of(serial)
    held = auth.import_of(round_, key)
    form = StoreForm()
    if not form.validate_on_submit():
        abort(400)
    if held.counts.get("warnings") and not form.accepted.data:
        form.accepted.errors = [_("请先核对提醒，并勾选。")]
        return _page(round_, held, form)
    try:
        with db.writing() as session:
            imports.store(session, auth.import_of(round_, key, session), auth.actor())
    except imports.Done:
        flash(_("这次导入已经办过了。"), "warning")
    except imports.Closed:
        flash(_("本轮已进入下一阶段，不能再存入这张表。"), "error")
    except reviewing.SecondPerson as error:
        flash(str(error), "error")
    except imports.Stale:
        flash(_("预览之后数据有变化，什么也没有存。请重新上传。"), "error")
    else:
        imports.forget(held)
        flash(_("已全部存入。"), "success")
    return redirect(url_for("exchange.show", serial=serial, key=key))


@bp.post("/<serial>/imports/<key>/drop")
def drop(serial: str, key: str) -> Response:
    """Put a previewed import aside."""
    round_ = auth.round_of(serial)
    held = auth.import_of(round_, key)
    if not FlaskForm().validate_on_submit():
        abort(400)
    try:
        with db.writing() as session:
            imports.drop(session, auth.import_of(round_, key, session), auth.actor())
    except imports.Done:
        flash(_("这次导入已经办过了。"), "warning")
        return redirect(url_for("exchange.show", serial=serial, key=key))
    imports.forget(held)
    flash(_("已放弃，什么也没有存。"), "success")
    return redirect(url_for("exchange.upload", serial=serial, sheet=held.sheet))


@bp.post("/<serial>/imports/<key>/confirm")
def confirm(serial: str, key: str) -> Response:
    """A second person's confirmation of a stored batch."""
    round_ = auth.round_of(serial)
    auth.import_of(round_, key)
    if not FlaskForm().validate_on_submit():
        abort(400)
    try:
        with db.writing() as session:
            held = auth.import_of(round_, key, session)
            count = imports.confirm(session, held, auth.actor())
    except imports.Done:
        flash(_("这次导入已经办过了。"), "warning")
    except imports.Closed:
        flash(_("本轮已进入下一阶段，不能再复核。"), "error")
    except reviewing.SecondPerson as error:
        flash(str(error), "error")
    else:
        flash(_("已复核 %(count)s 行。", count=count), "success")
    return redirect(url_for("exchange.show", serial=serial, key=key))


@bp.post("/<serial>/imports/<key>/marked")
def marked(serial: str, key: str) -> Response:
    """A copy of the uploaded file with the faulty cells marked; taking it is recorded."""
    round_ = auth.round_of(serial)
    held = auth.import_of(round_, key)
    data = imports.uploaded(held)
    if data is None or not FlaskForm().validate_on_submit():
        abort(404)
    if SHEETS[held.sheet].personal and (first := auth.password_first()) is not None:
        return first
    try:
        made = imports.marked(held, data)
    except Refused:
        abort(404)
    with db.writing() as session:
        exports.log(session, round_, held.sheet, "marked", {}, auth.actor())
    return _file(made, f"{SHEETS[held.sheet].title}-{exports.MARKED}.xlsx", workbooks.XLSX)
