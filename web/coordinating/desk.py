"""The coordinator's desk: rounds and their next action, a new round, a round's state, today's list."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import func, select
from werkzeug.wrappers import Response
from wtforms import IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, Length, NumberRange, Regexp

from .. import auth, codes, db, planning, policies, rounds, settings, today
from ..calendar import NoCalendar, end_of
from ..models import Applicant, College, Enterprise, OrderClass, Program, Round
from ..offices import options
from .blueprint import bp, changing, telling

FOOT = {
    "主办单位": _l("主办单位"), "ICP备案号": _l("ICP备案号"), "公安备案号": _l("公安备案号"),
    "监督电话": _l("监督电话"), "隐私政策": _l("隐私政策"),
}  # fmt: skip
TASKS: dict[str, tuple[Any, Any]] = {
    "class_to_confirm": (_l("班级等院校确认"), _l("院校")),
    "seats_to_confirm": (_l("席位等企业确认"), _l("企业")),
    "not_submitted": (_l("报了名，还没提交志愿"), _l("申请人")),
    "group_to_verify": (_l("人员类别等核验"), _l("区市")),
    "not_reviewed": (_l("资格等审核（按第一志愿院校）"), _l("院校")),
    "not_scored": (_l("通过审核，还没有成绩"), _l("院校")),
    "score_to_confirm": (_l("成绩等第二人确认"), _l("院校或通道")),
    "decision_to_confirm": (_l("个案决定等第二人确认"), _l("录入人")),
    "seat_change": (_l("席位变更单等办理"), _l("企业")),
    "recheck_to_answer": (_l("复核等答复"), _l("办理单位")),
    "recheck_to_confirm": (_l("复核答复等第二人确认"), _l("协调员")),
    "recheck_owed": (_l("复核成立，补救还没办成"), _l("协调员")),
    "not_confirmed": (_l("录取还没有答复"), _l("院校")),
    "agreement_to_make": (_l("协议还没有生成"), _l("院校")),
    "agreement_of_person": (_l("协议等学生或监护人签"), _l("院校")),
    "agreement_of_enterprise": (_l("协议等企业签"), _l("企业")),
    "agreement_of_college": (_l("协议等院校签"), _l("院校")),
}


SERIAL = [
    DataRequired(),
    Length(max=24),
    Regexp(r"[A-Za-z0-9][A-Za-z0-9_-]*$", message=_l("只用字母、数字和连字符，如 2026-1")),
]
"""What a round's number must be."""


class NewRound(FlaskForm):  # type: ignore[misc]
    """A new round."""

    serial = StringField(validators=SERIAL)
    title = StringField(validators=[DataRequired(), Length(max=60)])
    year = IntegerField(validators=[DataRequired(), NumberRange(2000, 2100)])
    season = SelectField(choices=options(codes.SEASONS))
    source = SelectField()


@bp.get("/")
def home() -> str:
    """All rounds, each with its state and its one next action."""
    session = db.reading()
    held = session.scalars(select(Round).order_by(Round.year.desc(), Round.id.desc())).all()
    empty = [str(FOOT[name]) for name, value in settings.current(session).items() if not value]
    return render_template("coordinator/home.html", rounds=held, empty=empty, seasons=codes.SEASONS)


@bp.route("/rounds/new", methods=["GET", "POST"])
def new_round() -> str | Response:
    """Make a round, anew or from an earlier one."""
    session = db.reading()
    held = session.scalars(select(Round).order_by(Round.year.desc(), Round.id.desc())).all()
    form = NewRound(year=db.now(session).year, season="autumn", source=request.args.get("source"))
    known = {r.serial: f"{r.serial} {r.title}" for r in held}
    form.source.choices = options(known, _("从头新建"))
    if form.validate_on_submit():
        try:
            with db.writing() as writing:
                serial = form.source.data
                planning.create(
                    writing, form.serial.data, form.title.data, form.year.data,
                    form.season.data, auth.actor(),
                    source=auth.round_of(serial, writing) if serial else None,
                    demo=any(r.demo for r in held if r.serial == serial),
                )  # fmt: skip
        except planning.Taken:
            form.serial.errors = [_("这个轮次编号已有，请换一个")]
        else:
            flash(_("已建立轮次"), "success")
            return redirect(url_for("coordinator.round_page", serial=form.serial.data))
    return render_template("coordinator/new_round.html", form=form)


@bp.get("/rounds/<serial>/")
def round_page(serial: str) -> str:
    """A round: where it stands, what comes next and what keeps it."""
    session = db.reading()
    round_ = auth.round_of(serial)
    return render_template(
        "coordinator/round.html",
        round=round_,
        shown_state=rounds.by_the_clock(session, round_),
        course=rounds.COURSE,
        counts=_counts(round_),
        periods=_periods(round_),
        seasons=codes.SEASONS,
    )


def _counts(round_: Round) -> dict[str, int]:
    session = db.reading()

    def count(query: Any) -> int:
        return session.scalar(query) or 0

    seats = select(func.sum(Program.capacity)).join(OrderClass)
    people = select(func.count(Applicant.id)).where(Applicant.round_id == round_.id)
    return {
        "classes": count(select(func.count(OrderClass.id)).where(OrderClass.round_id == round_.id)),
        "seats": count(seats.where(OrderClass.round_id == round_.id)),
        "applicants": count(people),
        "passed": count(people.where(Applicant.state == "passed")),
    }


def _periods(round_: Round) -> list[tuple[str, str]]:
    """The periods of the rules in working days; the notice period with its end, where it is known."""
    flow = policies.workflow(db.reading(), round_)
    labels = {key: policies.BY_KEY[key].label for key in flow if key in policies.BY_KEY}
    found = [
        (str(labels[key]), _("%(n)s 个工作日", n=flow[key]))
        for key in ("days.publicity", "days.appeal_reply", "days.confirm", "days.agreement")
    ]
    if round_.deadline_at is not None:
        hour = _("截至末日 %(hour)s 时", hour=flow["days.hour"])
        try:
            last = end_of(round_.deadline_at, flow["days.publicity"], flow["days.hour"])
            hour += _("；最早的公示也不会在 %(day)s 前结束", day=f"{last:%Y-%m-%d}")
        except NoCalendar as error:
            hour += _("；没有 %(year)s 年的节假日表，请先补上", year=error.year)
        found.append((str(labels["days.hour"]), hour))
    return found


@bp.post("/rounds/<serial>/steps/<name>")
def take_step(serial: str, name: str) -> Response:
    """Take a step that has no page of its own."""
    if name not in ("announce", "open", "close", "confirm", "finish"):
        return redirect(url_for("coordinator.round_page", serial=serial))
    with telling(_("已进入下一阶段")), changing(serial) as (session, round_):
        if request.form.get("fence") != str(round_.fence):
            raise rounds.Moved(round_.state)
        rounds.take(session, round_, name, auth.actor())
    return redirect(url_for("coordinator.round_page", serial=serial))


@bp.get("/rounds/<serial>/today")
def today_list(serial: str) -> str:
    """Today's list of a round, to print."""
    round_ = auth.round_of(serial)
    kinds: dict[str, list[today.Task]] = {}
    for task in today.tasks(db.reading(), round_):
        kinds.setdefault(task.code, []).append(task)
    return render_template(
        "coordinator/today.html", round=round_, kinds=kinds, names=TASKS, offices=_offices()
    )


def _offices() -> dict[str, str]:
    """What people call districts, colleges and enterprises, by their codes."""
    session = db.reading()
    named = [*session.scalars(select(College)), *session.scalars(select(Enterprise))]
    words = codes.AREAS | {held.code: held.name for held in named}
    return {code: f"{code} {word}" for code, word in words.items()}
