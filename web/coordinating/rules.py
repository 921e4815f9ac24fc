"""The rules of a round: shown with their sources, edited, every version kept, two versions compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import Field, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import Length

from matcher import InvalidRound, Issue

from .. import auth, db, policies
from ..models import PolicyVersion, Round
from ..offices import options
from ..policies import BY_KEY, CODES, PARAMETERS, Parameter
from ..typed import whole
from .blueprint import bp, changing

ROWS = {
    "ages": ("age_rule", ("group", "study_form", "level", "min", "max", "relaxed_max",
                          "needs_approval_above", "basis")),
    "channels": ("score_channel", ("channel", *policies.COMPONENTS)),
}  # fmt: skip
"""The sections that are tables: the key of their rows, and their columns."""
TITLES: dict[str, Any] = {
    "group": _l("人员类别"),
    "study_form": _l("学习形式"),
    "level": _l("层次"),
    "min": _l("下限"),
    "max": _l("普通上限"),
    "relaxed_max": _l("放宽上限"),
    "needs_approval_above": _l("超过须审批"),
    "basis": _l("依据"),
    "channel": _l("通道"),
    **{c: CODES[c] for c in policies.COMPONENTS},
}
NUMBERS = {"min", "max", "relaxed_max", "needs_approval_above"}
SPARE = 3
MOST_ROWS = 100


@bp.get("/rounds/<serial>/rules")
def rules(serial: str) -> str:
    """Every parameter of a round with its value, source and consumer."""
    session, round_ = db.reading(), auth.round_of(serial)
    held = policies.values(session, round_)
    sections = {
        name: [(p, policies.shown(p, held[p.key])) for p in PARAMETERS if p.section == name]
        for name in policies.SECTIONS
    }
    return render_template(
        "coordinator/rules.html", round=round_, sections=sections, titles=policies.SECTIONS,
        editable=round_.state in policies.EDITABLE, values=held, rows=ROWS,
        versions=policies.versions(session, round_),
    )  # fmt: skip


@bp.route("/rounds/<serial>/rules/<section>", methods=["GET", "POST"])
def edit_rules(serial: str, section: str) -> str | Response:
    """Change the parameters of one section."""
    if section in ROWS:
        return _edit_rows(serial, section)
    shown = [p for p in PARAMETERS if p.section == section and p.editable]
    if not shown:
        abort(404)
    session, round_ = db.reading(), auth.round_of(serial)
    before = policies.values(session, round_)
    made = form_of(shown, version=HiddenField(), reason=_reason())
    form = made(data=filled(shown, before), version=policies.latest(session, round_))
    stale: list[policies.Difference] = []
    if form.validate_on_submit():
        after = before | {p.key: taken(form, p) for p in shown}
        answer = _store(round_, form, *_parts(round_, after))
        if isinstance(answer, Response):
            return answer
        round_ = auth.round_of(serial)
        if isinstance(answer, list):
            put(form, answer)
        else:
            stale = _since(round_, form)
    return render_template("coordinator/edit_rules.html", round=round_, section=section,
                           title=policies.SECTIONS[section], form=form, parameters=shown,
                           stale=stale)  # fmt: skip


def _reason() -> Field:
    return TextAreaField(validators=[Length(max=500)])


def form_of(shown: list[Parameter], **others: Any) -> type[FlaskForm]:
    """A form with a field for each parameter, or one for each place of an order, and some others."""
    fields: dict[str, Any] = dict(others)
    for p in shown:
        if p.kind == "order":
            choices = options({c: CODES[c] for c in p.codes}, "—")
            for n in range(len(p.codes)):
                fields[f"{p.name}-{n}"] = SelectField(choices=choices)
        elif p.kind == "code":
            fields[p.name] = SelectField(choices=options({c: CODES[c] for c in p.codes}))
        elif p.kind == "flag":
            fields[p.name] = SelectField(choices=options({"1": _("是"), "0": _("否")}))
        else:
            fields[p.name] = StringField(validators=[Length(max=300)])
    return type("Rules", (FlaskForm,), fields)


def fields_of(form: FlaskForm, parameter: Parameter) -> list[Field]:
    """The fields of a parameter in a form: one, or one for each place of an order."""
    if parameter.kind == "order":
        return [form[f"{parameter.name}-{n}"] for n in range(len(parameter.codes))]
    return [form[parameter.name]]


def filled(shown: list[Parameter], values: Mapping[str, Any]) -> dict[str, str]:
    """Values as the fields of :func:`form_of` hold them."""
    found = {}
    for p in shown:
        if p.kind == "order":
            for n, code in enumerate(values[p.key]):
                found[f"{p.name}-{n}"] = code
        else:
            found[p.name] = policies.as_typed(p, values[p.key])
    return found


def taken(form: FlaskForm, parameter: Parameter) -> Any:
    """What a form's fields say of a parameter."""
    if parameter.kind == "order":
        return [field.data for field in fields_of(form, parameter) if field.data]
    return policies.typed(parameter, form[parameter.name].data or "")


def _parts(round_: Round, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """All values as ``policy.toml`` and as the workflow's."""
    base = policies.document(policies.current(db.reading(), round_))
    mine = {p.key: values[p.key] for p in PARAMETERS if p.consumer == "policy"}
    flow = {p.key: values[p.key] for p in PARAMETERS if p.consumer == "workflow"}
    return policies.written(base | mine), flow


def _store(
    round_: Round, form: FlaskForm, toml: str, flow: Mapping[str, Any]
) -> Response | list[Issue] | None:
    """Store a new version: an answer to redirect to, the issues, or nothing if the form is stale."""
    try:
        with changing(round_.serial) as (session, held):
            policies.change(session, held, toml, flow, form.reason.data or "", auth.actor(),
                            whole(form.version.data))  # fmt: skip
    except policies.Committed:
        flash(_("志愿已锁定，规则已对外承诺，不能再改；可用试算比较别的规则"), "error")
    except InvalidRound as error:
        return list(error.issues)
    except policies.NoReason:
        return [Issue("policy", 0, "reason", "no_reason")]
    except policies.Stale:
        return None
    else:
        flash(_("已保存为新版本"), "success")
    return redirect(url_for("coordinator.rules", serial=round_.serial))


def put(form: FlaskForm, issues: list[Issue]) -> None:
    """Say each issue at its field; what has none on this page is said above the form."""
    for issue in issues:
        parameter = BY_KEY.get(issue.column)
        if issue.code == "no_reason":
            form.reason.errors = [_("请写明为什么改，以备查")]
        elif parameter is not None and (parameter.name in form or f"{parameter.name}-0" in form):
            field = fields_of(form, parameter)[0]
            field.errors = [*field.errors, policies.problem(issue)]
        else:
            form.form_errors.append(f"{issue.column} {policies.problem(issue)}")


def _since(round_: Round, form: FlaskForm) -> list[policies.Difference]:
    """What others changed since the form was opened; saving again then goes over it, knowingly."""
    held = {v.number: v for v in policies.versions(db.reading(), round_)}
    last = max(held)
    base = held.get(whole(form.version.data))
    form.version.data = str(last)
    return policies.differences(base, held[last]) if base else []


# --- tables -----------------------------------------------------------------------------------


class Rows(FlaskForm):  # type: ignore[misc]
    """The part of a table's form that is not its cells."""

    version = HiddenField()
    reason = _reason()


def _edit_rows(serial: str, section: str) -> str | Response:
    key, columns = ROWS[section]
    session, round_ = db.reading(), auth.round_of(serial)
    before = policies.values(session, round_)
    form = Rows(version=policies.latest(session, round_))
    cells = [{c: str(row.get(c, "")) for c in columns} for row in before[key]]
    errors: dict[int, list[str]] = {}
    stale: list[policies.Difference] = []
    if form.validate_on_submit():
        cells = _posted(columns)
        rows = [_row(key, row) for row in cells]
        base = policies.document(policies.current(session, round_))
        for at, row in enumerate(rows):
            alone = {"age.reference_date": base["age.reference_date"], key: [row]}
            if found := policies.issues_of(policies.written(alone)):
                errors[at] = [policies.problem(issue) for issue in found]
        if not errors:
            toml, flow = _parts(round_, before | {key: rows})
            answer = _store(round_, form, toml, flow)
            if isinstance(answer, Response):
                return answer
            round_ = auth.round_of(serial)
            if isinstance(answer, list):
                put(form, answer)
            else:
                stale = _since(round_, form)
    blank = [dict.fromkeys(columns, "") for _n in range(SPARE)]
    return render_template("coordinator/edit_rows.html", round=round_, section=section, form=form,
                           key=key, parameter=BY_KEY[key], columns=columns, cells=cells + blank,
                           errors=errors, stale=stale, titles={c: TITLES[c] for c in columns})  # fmt: skip


def _posted(columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a form that hold anything."""
    count = min(whole(request.form.get("rows")), MOST_ROWS)
    rows = [
        {c: request.form.get(f"{c}-{at}", "").strip()[:200] for c in columns} for at in range(count)
    ]
    return [row for row in rows if any(row.values())]


def _row(key: str, cells: Mapping[str, str]) -> dict[str, Any]:
    """A row of cells as the values that stand for it; blanks are left out."""
    number = Parameter("", "", "decimal" if key == "score_channel" else "int", "", "policy", "")
    return {
        name: policies.typed(number, cell)
        if name in NUMBERS or name in policies.COMPONENTS
        else cell
        for name, cell in cells.items()
        if cell
    }


# --- versions ---------------------------------------------------------------------------------


@bp.get("/rounds/<serial>/rules/versions/<int:first>/<int:second>")
def compare_rules(serial: str, first: int, second: int) -> str:
    """Two versions of the rules: what changed, by whom and why."""
    session, round_ = db.reading(), auth.round_of(serial)
    held: dict[int, PolicyVersion] = {v.number: v for v in policies.versions(session, round_)}
    if first not in held or second not in held:
        abort(404)
    return render_template(
        "coordinator/compare_rules.html", round=round_, first=held[first], second=held[second],
        differences=policies.differences(held[first], held[second]), shown=policies.shown,
    )  # fmt: skip


@bp.get("/rounds/<serial>/rules/versions")
def choose_versions(serial: str) -> Response:
    """Go to the comparison of the two versions that a form names."""
    numbers = [request.args.get(name, 0, type=int) for name in ("first", "second")]
    return redirect(
        url_for("coordinator.compare_rules", serial=serial, first=numbers[0], second=numbers[1])
    )
