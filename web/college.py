"""Pages of a college: its classes, its applicants, their scores, who was placed in its classes."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_security import current_user
from sqlalchemy import select
from werkzeug.wrappers import Response
from wtforms import (
    DecimalField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    ValidationError,
)
from wtforms.validators import NumberRange, Optional

from . import (
    agreement_pages,
    auth,
    call_pages,
    calls,
    choices,
    codes,
    db,
    enrolment_pages,
    figures,
    offers,
    offices,
    paging,
    planning,
    policies,
    posting,
    print_desk,
    privacy,
    recheck_pages,
    reviewing,
    scoring,
    seats,
    stages,
)
from .models import Applicant, Demand, Enterprise, OrderClass, Program, Round, SeatChange
from .offices import (
    MUST,
    REFUSALS,
    Action,
    RowForm,
    Several,
    choice,
    day,
    flag,
    number,
    options,
    text,
)
from .typed import whole

bp = Blueprint("college", __name__, url_prefix="/college")
auth.guard(bp, "college")
offices.seat_changes(bp)
print_desk.mount(bp, "", whole=False)
offices.confirmations(bp, lambda: auth.own_college().code)
agreement_pages.mount(bp)
enrolment_pages.mount(bp)
recheck_pages.mount(bp)
call_pages.mount(bp, "/<serial>", lambda: auth.own_college().id)

PICK, NONE = lazy_gettext("请选择"), lazy_gettext("不要求")


class SeatsForm(Form):  # type: ignore[misc]
    """One enterprise's seats in a class."""

    code = HiddenField()
    enterprise = choice(lazy_gettext("合作企业"))
    demand = choice(lazy_gettext("对应岗位"))
    capacity = number(lazy_gettext("席位数"), least=1, most=500)
    channel = choice(lazy_gettext("考核通道"))
    forbid_minor = flag(lazy_gettext("禁忌未成年工"))
    forbid_minor_reason = text(lazy_gettext("禁忌依据"), 200)
    reserves = text(lazy_gettext("预留（类别:席位）"), 200)

    def validate_reserves(self, field: Any) -> None:
        """``G05:2；G06:1!``."""
        try:
            posting.parse_reserves(field.data or "")
        except ValueError as error:
            raise ValidationError(
                _("“%(part)s”读不懂，请写成 G05:2；G06:1。", part=str(error))
            ) from None


class ClassForm(RowForm):
    """A class: every column of 订单班计划, with up to four enterprises."""

    name = text(lazy_gettext("班级名称"), 100, must=True)
    major = text(lazy_gettext("专业名称"), 100, must=True)
    major_code = text(lazy_gettext("专业代码"), 20)
    industry = choice(lazy_gettext("产业"), codes.INDUSTRIES, PICK)
    level = choice(lazy_gettext("培养层次"), codes.LEVELS, PICK, must=MUST)
    intake = text(lazy_gettext("招生对象"), 200)
    years = DecimalField(
        lazy_gettext("学制（年）"),
        [Optional(), NumberRange(Decimal(0), Decimal(9), lazy_gettext("请填 0 至 9 之间的年数。"))],
        places=1,
    )
    study_form = choice(lazy_gettext("学习形式"), codes.STUDY_FORMS, PICK, must=MUST)
    hired_on_entry = flag(lazy_gettext("招生即招工试点"))
    min_size = number(lazy_gettext("最低开班人数"), least=1, most=500, must=True)
    entry_education = choice(lazy_gettext("入学学历"), codes.EDUCATIONS, NONE)
    entry_skill = choice(lazy_gettext("入学技能等级"), codes.SKILL_LEVELS, NONE)
    age_min = number(lazy_gettext("年龄下限"), most=99)
    age_max = number(lazy_gettext("年龄上限"), most=99)
    age_basis = text(lazy_gettext("年龄依据"), 200)
    health = Several(lazy_gettext("身体条件"), choices=options(codes.HEALTH))
    health_basis = text(lazy_gettext("身体条件依据"), 200)
    internship_date = day(lazy_gettext("岗位实习开始"))
    hire_date = day(lazy_gettext("入职日期"))
    interview_required = flag(lazy_gettext("拒收未面试调剂"))
    tuition = number(lazy_gettext("学费（元/年）"))
    boarding = flag(lazy_gettext("提供住宿"))
    note = text(lazy_gettext("备注"), 500, area=True)
    seats = FieldList(
        FormField(SeatsForm), min_entries=posting.MOST_PROGRAMS, max_entries=posting.MOST_PROGRAMS
    )

    def proposals(self) -> list[posting.Seats]:
        """The lines of seats in which an enterprise was chosen."""
        self.used = [line for line in self.seats if line.enterprise.data]
        return [
            posting.Seats(
                int(line.enterprise.data), line.capacity.data or 0, line.channel.data or "",
                int(line.demand.data) if line.demand.data else None, line.forbid_minor.data,
                line.forbid_minor_reason.data, posting.parse_reserves(line.reserves.data or ""),
                line.code.data or "",
            )
            for line in self.used
        ]  # fmt: skip

    def _named(self, name: str) -> Any:
        if name.startswith("seats-"):
            _, at, part = name.split("-")
            return self.used[int(at)][part]
        return super()._named(name)


def _page(template: str, round_: Round | None, **words: Any) -> str:
    return render_template(
        f"college/{template}.html", round=round_, rounds=stages.all_rounds(db.reading()),
        action=lambda: _next(round_), **words,
    )  # fmt: skip


# --- home -------------------------------------------------------------------------------------


@bp.get("/")
@bp.get("/<serial>/")
def home(serial: str = "") -> str:
    """Classes with their figures, and what to do next."""
    if current_user.college_id is None:
        return render_template("offices/unassigned.html")
    round_ = offices.chosen(serial)
    college = auth.own_college()
    if round_ is None:
        return _page("home", None, college=college)
    held = db.reading()
    programs = reviewing.programs_of(held, round_.id, college_id=college.id)
    classes = figures.classes(held, round_, college.id)
    return _page(
        "home", round_, college=college, classes=classes, changes=_changes(round_), counts=_counts(round_),
        figures=figures.of_programs(held, round_, programs), states=codes.APPLICANT_STATES,
        can_post=stages.writable(held, round_, "plan"),
    )  # fmt: skip


STATES = ("submitted", "returned", "passed", "failed")
"""Applicants whom a college sees in its lists."""


def _counts(round_: Round) -> dict[str, int]:
    """How many applicants of each state list a class of the college."""
    found = Counter(_people(db.reading(), round_, auth.own_college().id).values())
    return {state: found[state] for state in STATES}


def _changes(round_: Round) -> list[SeatChange]:
    mine = auth.own_college().id
    return [
        change for change in seats.of_round(db.reading(), round_.id)
        if change.program.order_class.college_id == mine
    ]  # fmt: skip


def _next(round_: Round | None) -> Action:
    """The one next action of a college."""
    if round_ is None:
        return Action(_("还没有招生轮次"))

    def url(view: str, **parts: Any) -> str:
        return url_for(f"college.{view}", serial=round_.serial, **parts)

    held = db.reading()
    if stages.writable(held, round_, "plan"):
        classes = figures.classes(held, round_, auth.own_college().id)
        if not classes:
            return Action(_("申报第一个订单班"), url("new_class"), _("先看企业提交了哪些岗位。"))
        if unsure := next((c for c in classes if c.confirmed_at is None), None):
            return Action(
                _("核对并确认 %(class)s", **{"class": unsure.name}),
                url("edit_class", code=unsure.code), _("双方确认后计划才能公布。"),
            )  # fmt: skip
        return Action(_("再申报一个订单班"), url("new_class"), _("已有班级本校都已确认。"))
    asked = next((c for c in _changes(round_) if c.applied_at is None and not c.college_by), None)
    if asked is not None and stages.writable(held, round_, "seat_change"):
        return Action(
            _("答复席位变更单"), url_for("college.show_change", key=asked.key),
            _("三方同意后席位才变。"),
        )  # fmt: skip
    if stages.writable(held, round_, "review"):
        counts = _counts(round_)
        if counts["submitted"] + counts["returned"]:
            return Action(
                _("审核申请人（待审 %(n)s 人）", n=counts["submitted"] + counts["returned"]),
                url("applicants"), _("锁定志愿前要全部审完。"),
            )  # fmt: skip
        me, college = auth.actor().name, auth.own_college()
        if any(
            s.entered_by != me
            for _o, _t, b in scoring.waiting(held, round_, college.code)
            for s in b.scores
        ):
            return Action(_("确认同事录入的成绩"), url("confirm_list"), _("成绩须两人经手。"))
        return Action(_("录入成绩"), url("score_targets"), _("锁定志愿前要录完并确认。"))
    if round_.state == "CONFIRMING" and (
        left := calls.waiting(held, round_, auth.own_college().id)
    ):
        return Action(
            _("联系还没有答复的人（%(n)s 人）", n=left), url("offer_list"),
            _("逾期未答复视为放弃。"),
        )  # fmt: skip
    if unsigned := agreement_pages.waiting_for(round_, "college"):
        return Action(
            _("签三方协议（%(n)s 份等院校签）", n=unsigned), url("agreements_page", state="college")
        )
    if round_.state in figures.SHOWN:
        return Action(_("查看录取名单"), url("placed"))
    return offices.waiting_action(round_)


# --- classes ----------------------------------------------------------------------------------


@bp.get("/<serial>/demands")
def demands(serial: str) -> str:
    """The posts that enterprises have submitted."""
    round_ = auth.round_of(serial)
    rows = _submitted_demands(round_)
    return _page("demands", round_, page=paging.page_of(rows), codes=codes,
                 states=codes.DEMAND_STATES)  # fmt: skip


def _submitted_demands(round_: Round) -> list[Demand]:
    return list(
        db.reading().scalars(
            select(Demand)
            .where(Demand.round_id == round_.id, Demand.state.in_(("submitted", "taken")))
            .order_by(Demand.code)
        )
    )


@bp.route("/<serial>/classes/new", methods=["GET", "POST"])
def new_class(serial: str) -> str | Response:
    """Declare a class."""
    return _class(serial, "")


@bp.route("/<serial>/classes/<code>", methods=["GET", "POST"])
def edit_class(serial: str, code: str) -> str | Response:
    """See a class, and change it."""
    auth.class_of(auth.round_of(serial), code)
    return _class(serial, code)


def _class(serial: str, code: str) -> str | Response:
    round_, college = auth.round_of(serial), auth.own_college()
    held = auth.class_of(round_, code) if code else None
    form = ClassForm(obj=_ClassRow(held)) if held else ClassForm()
    _offer(form, round_, college.tier)
    if form.validate_on_submit():
        try:
            proposals = form.proposals()
            with db.writing() as session:
                saved = posting.save_class(
                    session, round_.id, college, form.values(posting.CLASS_FIELDS), proposals,
                    auth.actor(), code, form.seen,
                )  # fmt: skip
        except REFUSALS as error:
            form.take(error, posting.CLASS_FIELDS)
        else:
            flash(_("班级 %(code)s 已保存，双方要（重新）确认。", code=saved.code), "success")
            return redirect(url_for("college.edit_class", serial=serial, code=saved.code))
        round_ = auth.round_of(serial)
        held = auth.class_of(round_, code) if code else None
    return _page(
        "class", round_, form=form, held=held, college=college, codes=codes,
        proposed=_proposed(round_, held),
        reserved={p.code: posting.tell_reserves(posting.reserves_of(p)) for p in held.programs}
        if held else {},
        refusal=stages.refusal(db.reading(), round_, "plan"),
        can_change=stages.writable(db.reading(), round_, "seat_change"),
    )  # fmt: skip


def _proposed(round_: Round, held: OrderClass | None) -> dict[str, str]:
    """The reserves that the rules' shares propose for each program of a class."""
    found: dict[str, dict[tuple[str, bool], int]] = {}
    if held is not None:
        for one in planning.proposals(db.reading(), round_):
            if one.seats and one.program.order_class_id == held.id:
                found.setdefault(one.program.code, {})[one.group, False] = one.seats
    return {code: posting.tell_reserves(reserves) for code, reserves in found.items()}


class _ClassRow:
    """A class as its form reads it: the programs are lines of seats."""

    def __init__(self, held: OrderClass):
        self._held = held
        self.seats = [
            {
                "code": p.code, "enterprise": str(p.enterprise_id),
                "demand": str(p.demand_id or ""), "capacity": p.capacity, "channel": p.channel,
                "forbid_minor": p.forbid_minor, "forbid_minor_reason": p.forbid_minor_reason,
                "reserves": posting.show_reserves(posting.reserves_of(p)),
            }
            for p in held.programs
        ]  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        return getattr(self._held, name)


def _offer(form: ClassForm, round_: Round, tier: str) -> None:
    """What may be chosen in each line of seats, and the levels that the college is approved for."""
    approved = codes.approved_levels(tier)
    levels = {c: label for c, label in codes.LEVELS.items() if c in (*approved, form.level.data)}
    form.level.choices = options(levels, PICK)
    enterprises = db.reading().scalars(select(Enterprise).order_by(Enterprise.code)).all()
    offered = {str(e.id): f"{e.code} {e.name}" for e in enterprises}
    posts = {
        str(d.id): f"{d.code} {d.title}{_('（')}{d.people}{_('）')}"
        for d in _submitted_demands(round_)
    }
    channels = {c.channel: c.channel for c in policies.current(db.reading(), round_).channels}
    for line in form.seats:
        held = line.channel.object_data
        line.enterprise.choices = options(offered, PICK)
        line.demand.choices = options(posts, lazy_gettext("暂不对应"))
        line.channel.choices = options(channels | ({held: held} if held else {}), PICK)


@bp.post("/<serial>/classes/<code>/confirm")
def confirm_class(serial: str, code: str) -> Response:
    """Confirm a class as it was shown."""
    round_, college = auth.round_of(serial), auth.own_college()
    auth.class_of(round_, code)
    try:
        with db.writing() as session:
            posting.confirm_class(
                session, round_.id, college, code, offices.posted_version(), auth.actor()
            )
    except REFUSALS as error:
        offices.flash_refusal(error)
    else:
        flash(_("班级已确认。再有改动，双方要重新确认。"), "success")
    return redirect(url_for("college.edit_class", serial=serial, code=code))


# --- applicants -------------------------------------------------------------------------------


class ReviewForm(RowForm):
    """资格审核."""

    conclusion = choice(
        lazy_gettext("审核结论"),
        reviewing.CONCLUSIONS,
        must=lazy_gettext("请选一个结论。"),
        radio=True,
    )
    code = choice(lazy_gettext("不通过的原因"), codes.REVIEWS, lazy_gettext("（不通过时选）"))
    reason = text(lazy_gettext("说明（申请人会看到）"), 500, area=True)


def _people(used: Any, round_: Round, college_id: int) -> dict[int, str]:
    """Applicant → state of those who list a class of the college."""
    programs = reviewing.programs_of(used, round_.id, college_id=college_id)
    ids = reviewing.listed(used, round_.id, (p.id for p in programs))
    return reviewing.states(used, round_.id, ids, STATES)


@bp.get("/<serial>/applicants")
def applicants(serial: str) -> str:
    """Who lists a class of the college; by state."""
    round_ = auth.round_of(serial)
    people = _people(db.reading(), round_, auth.own_college().id)
    state = request.args.get("state", "")
    if state not in STATES:
        state = ""
    ids = [one for one, held in people.items() if state in ("", held)]
    return _page(
        "applicants", round_, page=offices.page_of_people(ids), state=state, codes=codes,
        states={s: codes.APPLICANT_STATES[s] for s in STATES},
    )  # fmt: skip


@bp.route("/<serial>/applicants/<key>", methods=["GET", "POST"])
def review(serial: str, key: str) -> str | Response:
    """One applicant: what she stated, and the conclusion."""
    round_, college = auth.round_of(serial), auth.own_college()
    one = _applicant(round_, key)
    form = ReviewForm()
    if form.validate_on_submit():
        try:
            with db.writing() as session:
                reviewing.review(
                    session, auth.applicant_of(key, session), form.conclusion.data, form.code.data,
                    form.reason.data, college.code, auth.actor(), form.seen,
                )  # fmt: skip
        except REFUSALS as error:
            form.take(error)
        else:
            flash(_("审核结论已记录。"), "success")
            return redirect(url_for("college.review", serial=serial, key=key))
        round_, one = auth.round_of(serial), _applicant(round_, key)
    elif not form.is_submitted():
        form.version.data = str(one.version)
    held = db.reading()
    last = reviewing.last_review(held, one)
    own = [p for p in choices.listed_programs(held, one) if p.order_class.college_id == college.id]
    person = one.person
    return _page(
        "review", round_, one=one, form=form, last=last, own=own, codes=codes,
        pending=reviewing.pending(last), states=codes.APPLICANT_STATES,
        group_states=codes.GROUP_STATES, conclusions=reviewing.CONCLUSIONS,
        document=privacy.mask_number(
            privacy.decrypt(person.number, f"person.number:{person.number_index}")
        ),
        refusal=stages.refusal(held, round_, "review"),
    )  # fmt: skip


def _applicant(round_: Round, key: str) -> Applicant:
    one = auth.applicant_of(key)
    if one.round_id != round_.id or one.state not in STATES:
        abort(404)
    return one


@bp.post("/<serial>/applicants/<key>/confirm")
def confirm_review(serial: str, key: str) -> Response:
    """Confirm a changed conclusion as a second person."""
    _applicant(auth.round_of(serial), key)
    try:
        with db.writing() as session:
            one = auth.applicant_of(key, session)
            reviewing.confirm_review(session, one, offices.posted_version(), auth.actor())
    except REFUSALS as error:
        offices.flash_refusal(error)
    else:
        flash(_("更改已确认，现在有效。"), "success")
    return redirect(url_for("college.review", serial=serial, key=key))


# --- scores -----------------------------------------------------------------------------------


class ScoreLine(offices.Line):
    """One person's components; which of them are shown, the channel decides."""

    culture = text("", 20)
    skill = text("", 20)
    experience = text("", 20)
    language = text("", 20)


class ScoreForm(RowForm):
    """A page of a sheet of scores."""

    lines = FieldList(FormField(ScoreLine), max_entries=paging.PAGE)
    reason = text(lazy_gettext("更改理由（改动已确认的成绩时必填）"), 300)


@bp.get("/<serial>/scores")
def score_targets(serial: str) -> str:
    """The sheets on which the college enters scores."""
    round_ = auth.round_of(serial)
    held, college = db.reading(), auth.own_college()
    return _page(
        "scores", round_, rows=scoring.progress(held, round_, college.id),
        refusal=stages.refusal(held, round_, "score"),
    )  # fmt: skip


@bp.route("/<serial>/scores/<name>", methods=["GET", "POST"])
def scores(serial: str, name: str) -> str | Response:
    """A sheet of scores: of a channel, or of a program."""
    round_, college = auth.round_of(serial), auth.own_college()
    target = _target(db.reading(), round_, name)
    form = ScoreForm() if request.method == "POST" else _score_form(round_, target)
    if form.validate_on_submit():
        try:
            with db.writing() as session:
                open_ = auth.round_of(serial, session)
                again = _target(session, open_, name)
                people = offices.by_number(
                    session, _at(session, open_, again, college.id), form.lines
                )
                parts = again.components(policies.current(session, open_))
                entries = [_entry(line, people, parts) for line in form.lines]
                changed = scoring.save_scores(
                    session, open_, again, entries, college.code, form.reason.data, auth.actor()
                )
        except REFUSALS as error:
            offices.take_lines(form, form.lines, error)
        else:
            flash(_("已保存 %(n)s 人的成绩，要由另一人确认。", n=changed), "success")
            return redirect(
                url_for("college.scores", serial=serial, name=name, **paging.same_page())
            )
        round_ = auth.round_of(serial)
        target = _target(db.reading(), round_, name)
    held = db.reading()
    ids = _at(held, round_, target, college.id)
    shown = offices.by_number(held, ids, form.lines)
    scores_ = scoring.scores(held, target, [one.id for one in shown.values()])
    return _page(
        "sheet", round_, target=target, form=form, page=paging.page_of(ids),
        names={number: one.person.name for number, one in shown.items()},
        parts={c: codes.COMPONENTS[c] for c in target.components(policies.current(db.reading(), round_))},
        confirmed={
            number
            for number, one in shown.items()
            if one.id in scores_ and scores_[one.id].confirmed_at is not None
        },
        refusal=stages.refusal(held, round_, "score"),
    )  # fmt: skip


def _target(used: Any, round_: Round, name: str) -> scoring.Target:
    mine = scoring.targets(used, round_, college_id=auth.own_college().id)
    found = next((target for target in mine if target.name == name), None)
    if found is None:
        abort(404)
    return found


def _at(used: Any, round_: Round, target: scoring.Target, college_id: int) -> list[int]:
    """Who is scored at a target: those whose list names a program of it in this college."""
    programs: list[Program] = (
        [target.program]
        if target.program
        else [
            p for p in reviewing.programs_of(used, round_.id, college_id=college_id)
            if p.channel == target.channel
        ]
    )  # fmt: skip
    ids = reviewing.listed(used, round_.id, (p.id for p in programs))
    return list(reviewing.states(used, round_.id, ids))


def _score_form(round_: Round, target: scoring.Target) -> ScoreForm:
    held = db.reading()
    page = offices.page_of_people(_at(held, round_, target, auth.own_college().id))
    scores_ = scoring.scores(held, target, [one.id for one in page.rows])
    lines = []
    for one in page.rows:
        score = scores_.get(one.id)
        line: dict[str, Any] = {"number": one.number, "version": score.version if score else 0}
        if score is not None:
            line |= {c: scoring.show_component(getattr(score, c)) for c in codes.COMPONENTS}
            line |= {"exempt_basis": score.exempt_basis, "fit": score.fit}
        lines.append(line)
    return ScoreForm(formdata=None, lines=lines)


def _entry(line: Any, people: dict[str, Applicant], parts: list[str]) -> scoring.Entry:
    who = people.get(line.number.data)
    if who is None:
        abort(404)
    return scoring.Entry(
        who, {name: line[name].data for name in parts}, line.exempt_basis.data, line.fit.data,
        whole(line.version.data),
    )  # fmt: skip


# --- who was placed ---------------------------------------------------------------------------


@bp.get("/<serial>/placed")
def placed(serial: str) -> str:
    """Who was placed in the college's classes."""
    round_ = auth.round_of(serial)
    programs = reviewing.programs_of(db.reading(), round_.id, college_id=auth.own_college().id)
    rows = figures.placed(db.reading(), round_, programs)
    return _page(
        "placed", round_, page=paging.page_of(rows), shown=round_.state in figures.SHOWN,
        states=offers.LABELS,
    )  # fmt: skip
