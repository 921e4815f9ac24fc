"""Pages of an enterprise: its posts, its seats, its interviews, who was placed with it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_security import current_user
from werkzeug.wrappers import Response
from wtforms import FieldList, FormField, HiddenField

from . import (
    agreement_pages,
    auth,
    codes,
    db,
    figures,
    offers,
    offices,
    paging,
    policies,
    posting,
    print_desk,
    printing,
    reviewing,
    scoring,
    seats,
    stages,
)
from .models import Applicant, Enterprise, Program, Round, SeatChange
from .offices import REFUSALS, Action, RowForm, Several, choice, day, flag, number, options, text
from .typed import whole

bp = Blueprint("enterprise", __name__, url_prefix="/enterprise")
auth.guard(bp, "enterprise")
offices.seat_changes(bp)
offices.confirmations(bp, lambda: auth.own_enterprise().code)
agreement_pages.mount(bp)

PICK, NONE = lazy_gettext("请选择"), lazy_gettext("不要求")


class DemandForm(RowForm):
    """A post: every column of 订单需求."""

    title = text(lazy_gettext("岗位名称"), 100, must=True)
    occupation = text(lazy_gettext("职业（工种）"), 100, must=True)
    skill_level = choice(lazy_gettext("技能等级要求"), codes.SKILL_LEVELS, NONE)
    people = number(lazy_gettext("需求人数"), least=1, most=9999, must=True)
    hire_date = day(lazy_gettext("用工时间"))
    wage_from = number(lazy_gettext("起薪下限（元/月）"))
    wage_to = number(lazy_gettext("起薪上限（元/月）"))
    district = choice(lazy_gettext("工作区市"), codes.AREAS, PICK)
    study_forms = Several(lazy_gettext("学习形式意向"), choices=options(codes.STUDY_FORMS))
    education = choice(lazy_gettext("学历要求"), codes.EDUCATIONS, NONE)
    age_wish = text(lazy_gettext("年龄要求"), 100)
    health = text(lazy_gettext("身体条件"), 200)
    health_basis = text(lazy_gettext("身体条件依据"), 200)
    forbid_minor = flag(lazy_gettext("禁忌未成年工"))
    forbid_minor_reason = text(lazy_gettext("禁忌依据"), 200)
    overseas = flag(lazy_gettext("境外岗位"))
    board = text(lazy_gettext("食宿"), 200)
    mentors = number(lazy_gettext("企业导师数"), most=9999)
    equipment = text(lazy_gettext("可提供设备、工位"), 500, area=True)
    joint = flag(lazy_gettext("同意联合组班"))


def _page(template: str, round_: Round | None, **words: Any) -> str:
    return render_template(
        f"enterprise/{template}.html", round=round_, rounds=stages.all_rounds(db.reading()),
        action=lambda: _next(round_), **words,
    )  # fmt: skip


# --- home -------------------------------------------------------------------------------------


@bp.get("/")
@bp.get("/<serial>/")
def home(serial: str = "") -> str:
    """Demand figures, seats, and what to do next."""
    if current_user.enterprise_id is None:
        return render_template("offices/unassigned.html")
    round_ = offices.chosen(serial)
    enterprise = auth.own_enterprise()
    if round_ is None:
        return _page("home", None, enterprise=enterprise)
    held = db.reading()
    return _page(
        "home", round_, enterprise=enterprise, demands=figures.demands(held, round_, enterprise),
        changes=_changes(round_), figures=figures.of_programs(held, round_, _programs(round_)),
        states=codes.DEMAND_STATES, can_post=stages.writable(held, round_, "plan"),
        placed_shown=round_.state in figures.SHOWN,
    )  # fmt: skip


def _programs(round_: Round) -> list[Program]:
    return reviewing.programs_of(db.reading(), round_.id, enterprise_id=auth.own_enterprise().id)


def _changes(round_: Round) -> list[SeatChange]:
    mine = auth.own_enterprise().id
    return [c for c in seats.of_round(db.reading(), round_.id) if c.program.enterprise_id == mine]


def _next(round_: Round | None) -> Action:
    """The one next action of an enterprise."""
    if round_ is None:
        return Action(_("还没有招生轮次"))

    def url(view: str, **parts: Any) -> str:
        return url_for(f"enterprise.{view}", serial=round_.serial, **parts)

    held, programs = db.reading(), _programs(round_)
    if stages.writable(held, round_, "plan"):
        demands = figures.demands(held, round_, auth.own_enterprise())
        if unsure := next((p for p in programs if p.confirmed_at is None), None):
            return Action(
                _("核对并确认 %(class)s 的席位", **{"class": unsure.order_class.name}),
                url("show_seats", code=unsure.code), _("双方确认后计划才能公布。"),
            )  # fmt: skip
        if draft := next((d for d in demands if d.state == "draft"), None):
            return Action(
                _("提交岗位 %(title)s", title=draft.title), url("edit_demand", code=draft.code),
                _("提交后院校才看得到。"),
            )  # fmt: skip
        if not demands:
            return Action(_("发布第一个岗位"), url("new_demand"), _("院校按岗位组建订单班。"))
        return Action(_("再发布一个岗位"), url("new_demand"), _("岗位都已提交，等院校组班。"))
    open_change = next(
        (c for c in _changes(round_) if c.applied_at is None and not c.enterprise_by), None
    )
    if open_change is not None and stages.writable(held, round_, "seat_change"):
        return Action(
            _("答复席位变更单"), url_for("enterprise.show_change", key=open_change.key),
            _("三方同意后席位才变。"),
        )  # fmt: skip
    if stages.writable(held, round_, "score") and programs:
        me = auth.actor().name
        waiting: list[Any] = scoring.waiting(held, round_, auth.own_enterprise().code)
        if any(s.entered_by != me for _o, _t, b in waiting for s in (*b.scores, *b.decisions)):
            return Action(_("确认面试结果"), url("confirm_list"), _("同事录入的结果要您确认。"))
        return Action(
            _("录入面试结果"), url("interview_list", code=programs[0].code),
            _("锁定志愿前要录完并确认。"),
        )  # fmt: skip
    if unsigned := agreement_pages.waiting_for(round_, "enterprise"):
        return Action(
            _("签三方协议（%(n)s 份等企业签）", n=unsigned),
            url("agreements_page", state="enterprise"),
        )
    if round_.state in figures.SHOWN and request.path != url("placed"):
        return Action(_("查看录取名单"), url("placed"))
    return offices.waiting_action(round_)


# --- posts ------------------------------------------------------------------------------------


@bp.route("/<serial>/demands/new", methods=["GET", "POST"])
def new_demand(serial: str) -> str | Response:
    """Post a demand."""
    return _demand(serial, "")


@bp.route("/<serial>/demands/<code>", methods=["GET", "POST"])
def edit_demand(serial: str, code: str) -> str | Response:
    """See a demand, and change it."""
    auth.demand_of(auth.round_of(serial), code)
    return _demand(serial, code)


def _demand(serial: str, code: str) -> str | Response:
    round_, enterprise = auth.round_of(serial), auth.own_enterprise()
    held = auth.demand_of(round_, code) if code else None
    form = DemandForm(obj=held) if held else DemandForm(joint=True)
    if form.validate_on_submit():
        try:
            with db.writing() as writing:
                saved = posting.save_demand(
                    writing, round_.id, enterprise, form.values(posting.DEMAND_FIELDS),
                    auth.actor(), code, form.seen,
                )  # fmt: skip
        except REFUSALS as error:
            form.take(error, posting.DEMAND_FIELDS)
        else:
            flash(_("岗位 %(code)s 已保存。", code=saved.code), "success")
            return redirect(url_for("enterprise.edit_demand", serial=serial, code=saved.code))
        round_ = auth.round_of(serial)
        held = auth.demand_of(round_, code) if code else None
    return _page(
        "demand", round_, form=form, demand=held, states=codes.DEMAND_STATES,
        warnings=posting.demand_warnings(db.reading(), round_, held) if held else [],
        refusal=stages.refusal(db.reading(), round_, "plan"),
    )  # fmt: skip


@bp.post("/<serial>/demands/<code>/submit")
def submit_demand(serial: str, code: str) -> Response:
    """Hand a demand to the alliance."""
    return _move(serial, code, posting.submit_demand, _("岗位已提交，院校可以看到了。"))


@bp.post("/<serial>/demands/<code>/withdraw")
def withdraw_demand(serial: str, code: str) -> Response:
    """Take a demand back."""
    return _move(serial, code, posting.withdraw_demand, _("岗位已撤回。"))


def _move(serial: str, code: str, service: Any, said: str) -> Response:
    round_, enterprise = auth.round_of(serial), auth.own_enterprise()
    auth.demand_of(round_, code)
    try:
        with db.writing() as writing:
            service(writing, round_.id, enterprise, code, offices.posted_version(), auth.actor())
    except REFUSALS as error:
        offices.flash_refusal(error)
    else:
        flash(said, "success")
    return redirect(url_for("enterprise.edit_demand", serial=serial, code=code))


# --- seats ------------------------------------------------------------------------------------


@bp.get("/<serial>/seats/<code>")
def show_seats(serial: str, code: str) -> str:
    """The enterprise's seats in a class, as they are confirmed."""
    round_ = auth.round_of(serial)
    program = auth.program_of(round_, code)
    held = db.reading()
    return _page(
        "seats", round_, program=program, held=program.order_class, codes=codes,
        reserved=posting.tell_reserves(posting.reserves_of(program)),
        change=seats.waiting(held, program),
        refusal=stages.refusal(held, round_, "plan"),
        can_change=stages.writable(held, round_, "seat_change"),
    )  # fmt: skip


@bp.post("/<serial>/seats/<code>/confirm")
def confirm_seats(serial: str, code: str) -> Response:
    """Confirm the seats as they were shown."""
    round_, enterprise = auth.round_of(serial), auth.own_enterprise()
    auth.program_of(round_, code)
    try:
        with db.writing() as writing:
            posting.confirm_seats(
                writing, round_.id, enterprise, code, offices.posted_version(), auth.actor()
            )
    except REFUSALS as error:
        offices.flash_refusal(error)
    else:
        flash(_("席位已确认。班级再有改动，要重新确认。"), "success")
    return redirect(url_for("enterprise.show_seats", serial=serial, code=code))


# --- interviews -------------------------------------------------------------------------------


class InterviewLine(offices.Line):
    """One person's interview."""

    slot_was = HiddenField()
    rejected_was = HiddenField()
    slot = text("", 100)
    rejected = text("", 200)


class InterviewForm(RowForm):
    """A page of an interview list."""

    lines = FieldList(FormField(InterviewLine), max_entries=paging.PAGE)
    reason = text(lazy_gettext("更改理由（改动已确认的结果时必填）"), 300)


OPENED = "interviews"
"""In the session of the browser: the list that was opened and not shown yet."""


@bp.get("/<serial>/interviews/<code>")
def interview_list(serial: str, code: str) -> str:
    """The interview list of a program: closed, unless it was opened, and that recorded, just now."""
    round_ = auth.round_of(serial)
    program = auth.program_of(round_, code)
    opened = session.pop(OPENED, None) == f"{serial}/{code}"
    return _interviews(round_, program, _interview_form(program) if opened else None)


@bp.post("/<serial>/interviews/<code>/open")
def open_interviews(serial: str, code: str) -> Response:
    """Open the list: who looks at names is recorded each time."""
    round_ = auth.round_of(serial)
    auth.program_of(round_, code)
    with db.writing() as writing:
        scoring.open_interviews(writing, auth.program_of(round_, code, writing), auth.actor())
    session[OPENED] = f"{serial}/{code}"
    return redirect(_back_to_list(serial, code))


@bp.post("/<serial>/interviews/<code>")
def save_interviews(serial: str, code: str) -> str | Response:
    """Store slots and results of a page of the list."""
    round_ = auth.round_of(serial)
    auth.program_of(round_, code)
    form = InterviewForm()
    if not form.validate_on_submit():
        return _interviews(round_, auth.program_of(round_, code), form)
    try:
        with db.writing() as writing:
            program = auth.program_of(round_, code, writing)
            people = offices.by_number(writing, _interviewed(writing, program), form.lines)
            target = scoring.Target(program.channel, program)
            parts = target.components(policies.current(writing, program.order_class.round))
            outcomes = [_outcome(line, people, parts) for line in form.lines]
            changed = scoring.save_interviews(
                writing, round_, program, outcomes, auth.own_enterprise().code,
                form.reason.data, auth.actor(),
            )  # fmt: skip
            scoring.open_interviews(writing, program, auth.actor())
    except REFUSALS as error:
        with db.writing() as writing:  # the page shows the names again
            scoring.open_interviews(writing, auth.program_of(round_, code, writing), auth.actor())
        offices.take_lines(form, form.lines, error)
        round_ = auth.round_of(serial)
        return _interviews(round_, auth.program_of(round_, code), form)
    session[OPENED] = f"{serial}/{code}"
    flash(_("已保存 %(n)s 处。成绩和结论要由另一人确认。", n=changed), "success")
    return redirect(_back_to_list(serial, code))


def _back_to_list(serial: str, code: str) -> str:
    parts: dict[str, Any] = {"serial": serial, "code": code} | paging.same_page()
    return url_for("enterprise.interview_list", **parts)


def _interviewed(used: Any, program: Program) -> list[int]:
    """Who is interviewed for a program: those whose list names it, by number."""
    round_id = program.order_class.round_id
    ids = reviewing.listed(used, round_id, [program.id])
    return list(reviewing.states(used, round_id, ids))


def _interview_form(program: Program) -> InterviewForm:
    held = db.reading()
    page = offices.page_of_people(_interviewed(held, program))
    target = scoring.Target(program.channel, program)
    scores = scoring.scores(held, target, [one.id for one in page.rows])
    slots, rejected = scoring.interviews(held, program), scoring.rejections(held, program)
    lines = []
    for one in page.rows:
        score, decision = scores.get(one.id), rejected.get(one.id)
        slot = slots.get(one.id, "")
        basis = decision.basis if decision and not decision.withdrawn else ""
        lines.append(
            {
                "number": one.number,
                "version": score.version if score else 0,
                "slot": slot,
                "slot_was": slot,
                "interview": scoring.show_component(score.interview) if score else "",
                "exempt_basis": score.exempt_basis if score else "",
                "fit": score.fit if score else "",
                "rejected": basis,
                "rejected_was": basis,
            }
        )
    return InterviewForm(formdata=None, lines=lines)


def _outcome(line: Any, people: dict[str, Applicant], parts: list[str]) -> scoring.Outcome:
    who = people.get(line.number.data)
    if who is None:
        abort(404)
    entry = scoring.Entry(
        who, {name: line[name].data for name in parts}, line.exempt_basis.data, line.fit.data,
        whole(line.version.data),
    )  # fmt: skip
    return scoring.Outcome(
        entry, line.slot.data, line.slot_was.data or "", line.rejected.data,
        line.rejected_was.data or "",
    )  # fmt: skip


def _interviews(round_: Round, program: Program, form: InterviewForm | None) -> str:
    held = db.reading()
    ids = _interviewed(held, program)
    named = offices.by_number(held, ids, form.lines) if form else {}
    return _page(
        "interviews", round_, program=program, form=form, page=paging.page_of(ids),
        names={number: one.person.name for number, one in named.items()},
        others=reviewing.programs_of(held, round_.id, enterprise_id=program.enterprise_id),
        refusal=stages.refusal(held, round_, "slot"),
        score_refusal=stages.refusal(held, round_, "score"),
        scored=bool(scoring.Target(program.channel, program).components(policies.current(held, round_))),
    )  # fmt: skip


# --- who was placed ---------------------------------------------------------------------------


@bp.get("/<serial>/placed")
def placed(serial: str) -> str:
    """Who was placed with the enterprise, under masked names until they have confirmed."""
    round_ = auth.round_of(serial)
    enterprise: Enterprise = auth.own_enterprise()
    programs = reviewing.programs_of(db.reading(), round_.id, enterprise_id=enterprise.id)
    rows = figures.placed(db.reading(), round_, programs)
    return _page(
        "placed", round_, page=paging.page_of(rows), shown=round_.state in figures.SHOWN,
        states=offers.LABELS,
    )  # fmt: skip


@bp.post("/<serial>/prints/list")
def print_list(serial: str) -> Response:
    """企业名单核对表 of the own seats."""
    round_, enterprise = auth.round_of(serial), auth.own_enterprise()
    if round_.state not in printing.SHOWN:
        abort(404)
    return auth.password_first() or print_desk.fetch(
        lambda: printing.enterprise_list(db.reading(), round_, enterprise),
        f"seats-{serial}-{enterprise.code}", url_for("enterprise.placed", serial=serial),
        "print.enterprise_list", f"enterprise/{enterprise.code}", round_,
    )  # fmt: skip
