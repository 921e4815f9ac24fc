"""The plan of a round: classes, demand, supply, reserves, caps, dates and the bureau's papers."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response
from wtforms import (
    DateField,
    DateTimeLocalField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from .. import (
    auth,
    calendar,
    codes,
    db,
    paging,
    planning,
    plausibility,
    policies,
    posting,
    rounds,
    seats,
    supply,
)
from ..models import Cap, College, Demand, Enterprise, OrderClass, Program, Round, SeatChange
from ..offices import options
from ..typed import whole
from .blueprint import bp, changing, telling

DIMENSIONS = {"industry": _l("产业"), "major": _l("专业（工种）"), "district": _l("区市")}
NAMES: dict[str, dict[str, Any]] = {"industry": codes.INDUSTRIES, "district": codes.AREAS}
SIDES = {"college": _l("院校"), "enterprise": _l("企业"), "coordinator": _l("联盟")}


# --- lists ------------------------------------------------------------------------------------


@bp.get("/rounds/<serial>/plan")
def plan(serial: str) -> str:
    """The classes of a round, searched and filtered."""
    session, round_ = db.reading(), auth.round_of(serial)
    asked = {name: request.args.get(name, "").strip()[:100] for name in ("q", "industry", "district",
                                                                   "college", "waits")}  # fmt: skip
    query = (
        select(OrderClass)
        .where(OrderClass.round_id == round_.id)
        .options(selectinload(OrderClass.programs), selectinload(OrderClass.college))
        .order_by(OrderClass.code)
    )
    if asked["q"]:
        like = f"%{asked['q']}%"
        query = query.where(
            or_(OrderClass.code.like(like), OrderClass.name.like(like), OrderClass.major.like(like))
        )
    for name in ("industry", "district"):
        if asked[name]:
            query = query.where(getattr(OrderClass, name) == asked[name])
    if asked["college"]:
        query = query.join(College).where(College.code == asked["college"])
    if asked["waits"]:
        unsigned = select(Program.order_class_id).where(Program.confirmed_at.is_(None))
        query = query.where(or_(OrderClass.confirmed_at.is_(None), OrderClass.id.in_(unsigned)))
    held = session.scalars(query).all()
    colleges = [(c.code, c.name) for c in session.scalars(select(College).order_by(College.code))]
    return render_template(
        "coordinator/plan.html", round=round_, page=paging.page_of(held), asked=asked,
        colleges=colleges, names=NAMES, seats=sum(p.capacity for c in held for p in c.programs),
    )  # fmt: skip


@bp.get("/rounds/<serial>/demands")
def demands(serial: str) -> str:
    """The posts that enterprises want filled, searched and filtered."""
    session, round_ = db.reading(), auth.round_of(serial)
    asked = {name: request.args.get(name, "").strip()[:100] for name in ("q", "industry", "state")}
    query = (
        select(Demand)
        .join(Enterprise)
        .where(Demand.round_id == round_.id)
        .options(selectinload(Demand.enterprise))
        .order_by(Demand.code)
    )
    if asked["q"]:
        like = f"%{asked['q']}%"
        query = query.where(
            or_(Demand.code.like(like), Demand.title.like(like), Demand.occupation.like(like),
                Enterprise.name.like(like))
        )  # fmt: skip
    if asked["industry"]:
        query = query.where(Enterprise.industry == asked["industry"])
    if asked["state"]:
        query = query.where(Demand.state == asked["state"])
    held = session.scalars(query).all()
    return render_template(
        "coordinator/demands.html", round=round_, page=paging.page_of(held), asked=asked,
        names=NAMES, states=codes.DEMAND_STATES, people=sum(d.people for d in held),
    )  # fmt: skip


@bp.get("/rounds/<serial>/supply")
def supply_page(serial: str) -> str:
    """Supply and demand by industry, trade and district."""
    session, round_ = db.reading(), auth.round_of(serial)
    lists = plausibility.listing(session, round_)
    tables = [
        (name, title, [(str(NAMES.get(name, {}).get(line.value, line.value)) or _("未填"), line)
                       for line in supply.by(session, round_, name, lists)])
        for name, title in DIMENSIONS.items()
    ]  # fmt: skip
    return render_template("coordinator/supply.html", round=round_, tables=tables)


# --- a class ----------------------------------------------------------------------------------


@bp.get("/rounds/<serial>/classes/<code>")
def class_page(serial: str, code: str) -> str:
    """A class: its seats, both sides' confirmations, reserves, and what the rules say of its size."""
    return _class_page(auth.round_of(serial), code, {}, {})


def _class_page(
    round_: Round, code: str, typed: dict[str, str], errors: dict[int, str], stale: bool = False
) -> str:
    session = db.reading()
    held = auth.class_of(round_, code)
    flow = policies.workflow(session, round_)
    seats = sum(p.capacity for p in held.programs)
    most = flow.get(f"class.size_max.{held.study_form}")
    least = flow.get(f"class.min_open.{held.study_form}")
    warnings = []
    if most is not None and seats > most:
        warnings.append(_("计划 %(seats)s 人，超过班额上限 %(most)s 人", seats=seats, most=most))
    if least is not None and held.min_size < least:
        warnings.append(
            _("最低开班 %(n)s 人，低于规则的 %(least)s 人", n=held.min_size, least=least)
        )
    proposed = [p for p in planning.proposals(session, round_) if p.program.order_class is held]
    return render_template(
        "coordinator/class.html", round=round_, held=held, seats=seats, warnings=warnings,
        proposed=proposed, groups=codes.GROUPS, names=NAMES, forms=codes.STUDY_FORMS,
        levels=codes.LEVELS, typed=typed, errors=errors, stale=stale,
    )  # fmt: skip


@bp.post("/rounds/<serial>/classes/<code>/reserves")
def save_reserves(serial: str, code: str) -> str | Response:
    """Set the reserves of a class's seats."""
    round_ = auth.round_of(serial)
    held = auth.class_of(round_, code)
    typed = {k: v.strip() for k, v in request.form.items() if k.startswith("seats-")}
    wanted: dict[int, dict[str, int]] = {}
    errors: dict[int, str] = {}
    for program in held.programs:
        for group in codes.GROUPS:
            cell = typed.get(f"seats-{program.id}-{group}")
            if cell is None:
                continue
            if not (cell or "0").isdecimal() or len(cell) > 4:
                errors[program.id] = _("预留席位填不小于 0 的整数")
            else:
                wanted.setdefault(program.id, {})[group] = int(cell or 0)
        if sum(wanted.get(program.id, {}).values()) > program.capacity:
            errors[program.id] = _("预留多于席位 %(n)s 个，请减少", n=program.capacity)
    if errors:
        return _class_page(round_, code, typed, errors)
    if request.form.get("version") != str(held.version):
        return _class_page(round_, code, typed, {}, stale=True)
    with telling(_("已保存预留；改动的席位要重新确认")), changing(serial) as (session, writing):
        again = auth.class_of(writing, code, session)
        if again.version != held.version:
            raise rounds.Moved(code)
        for program in again.programs:
            if program.id in wanted:
                planning.set_reserves(session, writing, program, wanted[program.id], auth.actor())
    return redirect(url_for("coordinator.class_page", serial=serial, code=code))


@bp.route("/rounds/<serial>/reserves", methods=["GET", "POST"])
def reserves(serial: str) -> str | Response:
    """The reserves that the rules' shares propose, shown before they enter the plan."""
    if request.method == "POST":
        with (
            telling(_("已按比例写入预留；改动的席位要重新确认")),
            changing(serial) as (session, held),
        ):
            planning.apply_proposals(session, held, auth.actor())
        return redirect(url_for("coordinator.reserves", serial=serial))
    round_ = auth.round_of(serial)
    found = planning.proposals(db.reading(), round_)
    return render_template(
        "coordinator/reserves.html", round=round_, groups=codes.GROUPS, page=paging.page_of(found),
        changes=sum(p.seats != p.held for p in found),
        shares=[(p.label, policies.shown(p, policies.workflow(db.reading(), round_)[p.key]))
                for p in policies.PARAMETERS if p.section == "reserve"],
    )  # fmt: skip


# --- caps -------------------------------------------------------------------------------------


class CapForm(FlaskForm):  # type: ignore[misc]
    """An upper limit: its seats, and what it counts."""

    code = StringField(validators=[DataRequired(), Length(max=40)])
    seats = IntegerField(validators=[InputRequired(), NumberRange(0, 100_000)])
    college = SelectField()
    enterprise = SelectField()
    programs = TextAreaField(validators=[Length(max=4000)])
    was = HiddenField()


@bp.route("/rounds/<serial>/caps", methods=["GET", "POST"])
@bp.route("/rounds/<serial>/caps/<code>", methods=["GET", "POST"])
def caps(serial: str, code: str = "") -> str | Response:
    """The upper limits of a round; one of them in the form."""
    session, round_ = db.reading(), auth.round_of(serial)
    held = {cap.code: cap for cap in planning.caps(session, round_)}
    if code and code not in held:
        abort(404)
    colleges = {c.id: c for c in session.scalars(select(College).order_by(College.code))}
    enterprises = {e.id: e for e in session.scalars(select(Enterprise).order_by(Enterprise.code))}
    form = CapForm(data=_cap_values(held[code]) if code else {})
    for field, offices in ((form.college, colleges), (form.enterprise, enterprises)):
        field.choices = options({str(k): f"{o.code} {o.name}" for k, o in offices.items()}, "—")
    if form.validate_on_submit() and (wanted := _cap_scope(round_, form)) is not None:
        try:
            with changing(serial) as (writing, again):
                was = whole(form.was.data) if form.was.data else None
                planning.save_cap(writing, again, code or form.code.data, form.seats.data,
                                  auth.actor(), was=was, **wanted)  # fmt: skip
        except planning.Taken:
            form.code.errors = [_("已有这个编号，请换一个")]
        except planning.Stale:
            now = next((c for c in planning.caps(db.reading(), round_) if c.code == code), None)
            form.was.data = str(now.seats) if now else ""
            form.seats.errors = [
                _("别人刚改过：现在是 %(n)s；再保存将以您填的为准", n=now.seats if now else "—")
            ]
        except rounds.Moved:
            flash(_("计划已公布，总量上限不能再改"), "error")
        else:
            flash(_("已保存总量上限"), "success")
            return redirect(url_for("coordinator.caps", serial=serial))
        round_ = auth.round_of(serial)
    return render_template("coordinator/caps.html", round=round_, form=form, caps=held, code=code,
                           colleges=colleges, enterprises=enterprises)  # fmt: skip


def _cap_values(cap: Cap) -> dict[str, Any]:
    return {"code": cap.code, "seats": cap.seats, "was": str(cap.seats),
            "college": str(cap.college_id or ""), "enterprise": str(cap.enterprise_id or ""),
            "programs": "；".join(cap.programs)}  # fmt: skip


def _cap_scope(round_: Round, form: CapForm) -> dict[str, Any] | None:
    """What a limit counts: a college, an enterprise, or seats by code; just one of them."""
    named = [c for c in form.programs.data.replace("；", ";").replace("\n", ";").split(";") if c]
    named = [code.strip() for code in named if code.strip()]
    known = {p.code for p in planning.programs(db.reading(), round_)}
    if unknown := [code for code in named if code not in known]:
        form.programs.errors = [_("没有这些席位：%(codes)s", codes="、".join(unknown[:5]))]
        return None
    if sum((bool(form.college.data), bool(form.enterprise.data), bool(named))) != 1:
        form.college.errors = [_("院校、企业、席位三项里只填一项")]
        return None
    return {"college_id": int(form.college.data or 0) or None,
            "enterprise_id": int(form.enterprise.data or 0) or None, "programs": named}  # fmt: skip


@bp.post("/rounds/<serial>/caps/<code>/drop")
def drop_cap(serial: str, code: str) -> Response:
    """Take an upper limit away."""
    with telling(_("已删除总量上限")), changing(serial) as (session, round_):
        held = next((c for c in planning.caps(session, round_) if c.code == code), None)
        if held is None:
            abort(404)
        planning.drop_cap(session, round_, held, auth.actor())
    return redirect(url_for("coordinator.caps", serial=serial))


# --- seats that change ------------------------------------------------------------------------


@bp.get("/rounds/<serial>/seat-changes")
def seat_changes(serial: str) -> str:
    """The changes of seats after the plan was public (席位变更单), agreed by three sides."""
    round_ = auth.round_of(serial)
    session = db.reading()
    changes = [
        (c, seats.missing(c), [] if c.applied_at else seats.warnings(session, c.program))
        for c in seats.of_round(session, round_.id)
    ]
    return render_template(
        "coordinator/seat_changes.html", round=round_, sides=SIDES, changes=changes
    )


@bp.post("/rounds/<serial>/seat-changes/<key>")
def settle_seat_change(serial: str, key: str) -> Response:
    """Agree for the alliance, or refuse with a reason."""
    agreeing = request.form.get("act") == "agree"
    try:
        with telling(_("已办理")), changing(serial) as (session, round_):
            change = session.scalar(select(SeatChange).where(SeatChange.key == key))
            if change is None or change.program.order_class.round_id != round_.id:
                abort(404)
            if agreeing:
                seats.agree(session, change, auth.actor())
            else:
                seats.drop(session, change, auth.actor(), request.form.get("reason", ""))
    except posting.Refused as error:
        flash(str(error), "error")
    return redirect(url_for("coordinator.seat_changes", serial=serial))


# --- dates and papers -------------------------------------------------------------------------


class Dates(FlaskForm):  # type: ignore[misc]
    """A round's title, dates, and the public draw to come."""

    title = StringField(validators=[DataRequired(), Length(max=60)])
    opens_at = DateTimeLocalField(format="%Y-%m-%dT%H:%M", validators=[Optional()])
    deadline_at = DateTimeLocalField(format="%Y-%m-%dT%H:%M", validators=[Optional()])
    draw_event = TextAreaField(validators=[Length(max=600)])
    version = HiddenField()


@bp.route("/rounds/<serial>/dates", methods=["GET", "POST"])
def dates(serial: str) -> str | Response:
    """When a round opens and closes, and which public draw makes its seed."""
    round_ = auth.round_of(serial)
    local = {
        name: calendar.local(moment) if (moment := getattr(round_, name)) else None
        for name in ("opens_at", "deadline_at")
    }
    form = Dates(title=round_.title, draw_event=round_.draw_event, version=round_.version, **local)
    stale: Round | None = None
    if form.validate_on_submit():
        opens, deadline = (
            value.replace(tzinfo=calendar.CITY) if value else None
            for value in (form.opens_at.data, form.deadline_at.data)
        )
        if opens and deadline and deadline <= opens:
            form.deadline_at.errors = [_("截止时间要晚于开始时间")]
        else:
            try:
                with changing(serial) as (session, held):
                    planning.describe(
                        session, held, auth.actor(), whole(form.version.data),
                        title=form.title.data, opens_at=opens, deadline_at=deadline,
                        draw_event=form.draw_event.data.strip(),
                    )  # fmt: skip
            except planning.Stale:
                stale = auth.round_of(serial)
                form.version.data = str(stale.version)
            except rounds.Moved as error:
                form[str(error)].errors = [_("计划公布后只能把截止时间往后延；锁定后都不能改")]
            else:
                flash(_("已保存"), "success")
                return redirect(url_for("coordinator.round_page", serial=serial))
        round_ = auth.round_of(serial)
    return render_template("coordinator/dates.html", round=round_, form=form, stale=stale)


class Paper(FlaskForm):  # type: ignore[misc]
    """A paper of the bureau."""

    authority = StringField(validators=[DataRequired(), Length(max=60)])
    document = StringField(validators=[DataRequired(), Length(max=60)])
    dated = DateField(validators=[DataRequired()])


@bp.get("/rounds/<serial>/records")
def records(serial: str) -> str:
    """The bureau's papers of a round: entered by one, confirmed by another."""
    return _records(auth.round_of(serial), {})


def _records(round_: Round, posted: dict[str, Paper]) -> str:
    session = db.reading()
    held = {
        kind: planning.record_of(session, round_, kind) for kind in planning.papers(session, round_)
    }
    forms = {kind: posted.get(kind) or Paper(obj=held[kind], prefix=kind) for kind in held}
    return render_template("coordinator/records.html", round=round_, held=held, forms=forms,
                           titles={kind: codes.record(kind) for kind in held}, me=auth.actor().name)  # fmt: skip


@bp.post("/rounds/<serial>/records/<kind>")
def enter_record(serial: str, kind: str) -> str | Response:
    """Enter a paper of the bureau."""
    if kind not in planning.papers(db.reading(), auth.round_of(serial)):
        abort(404)
    form = Paper(prefix=kind)
    if not form.validate_on_submit():
        return _records(auth.round_of(serial), {kind: form})
    with telling(_("已登记，请另一位协调员确认")), changing(serial) as (session, round_):
        planning.enter_record(session, round_, kind, form.authority.data, form.document.data,
                              form.dated.data, auth.actor())  # fmt: skip
    return redirect(url_for("coordinator.records", serial=serial))


@bp.post("/rounds/<serial>/records/<kind>/confirm")
def confirm_record(serial: str, kind: str) -> Response:
    """Confirm a paper that another coordinator entered."""
    with telling(_("已确认")), changing(serial) as (session, round_):
        planning.confirm_record(session, round_, kind, auth.actor())
    return redirect(url_for("coordinator.records", serial=serial))
