"""After publication: the waiting list day by day, classes below their minimum, the end of the round."""

from __future__ import annotations

from collections import Counter

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from .. import (
    agreements,
    auth,
    db,
    jobs,
    links,
    minimums,
    next_round,
    offers,
    planning,
    rounds,
    rulings,
    waiting,
    waiting_job,
)
from ..models import Applicant, Offer, OrderClass, Program, Round, Ruling, Run
from ..models.outcome import HOLDING
from ..offices import options
from ..waiting_pages import chain_file
from . import obstacles
from .blueprint import bp, changing, telling
from .desk import SERIAL

KINDS = {"keep": _l("照常开班"), "merge": _l("并入别的班"), "close": _l("停开")}


# --- the waiting list -------------------------------------------------------------------------


@bp.get("/rounds/<serial>/waiting")
def waiting_list(serial: str) -> Response:
    """Free seats, who waits for them in numbers, the steps so far, and the next one."""
    session, round_ = db.reading(), auth.round_of(serial)
    kept = waiting.problems(session, round_) if round_.state == "CONFIRMING" else []
    last = links.last_step(session, round_)
    called = session.scalars(
        select(Offer)
        .where(Offer.step_id == (last.id if last else 0))
        .join(Program)
        .order_by(Program.code, Offer.id)
    ).all()
    run = waiting_job.last_of(session, round_)
    live = run is not None and run.state in jobs.LIVE
    page = make_response(
        render_template(
            "coordinator/waiting.html", round=round_, rows=waiting.figures(session, round_),
            steps=links.steps_of(session, round_), called=called, labels=offers.LABELS,
            obstacles=[obstacles.sentence(o) for o in kept], chained=links.head(session, round_),
            run=run, live=live, why=_why(run) if run is not None else "",
        )
    )  # fmt: skip
    if live:  # the browser asks again, without any script
        page.headers["Refresh"] = "3"
    return page


def _why(run: Run) -> str:
    """Why a step that was asked for was not taken; blank where it was."""
    if run.state != "FAILED":
        return ""
    kept = [obstacles.sentence(o) for o in waiting_job.obstacles(run)]
    known = {
        "Blocked": str(_("；")).join(kept),
        "Moved": _("本轮已不在确认期"),
        "KeepsChanging": _("正好有人在答复，请再按一次"),
        "NoSpace": _("磁盘空间不足，请先清理再递补"),
        "silent": _("后台几次中断，没有算完，请再按一次或找系统管理员"),
    }
    said = run.error.partition(":")[0]
    return str(known.get(said) or _("计算出错，请找系统管理员：%(error)s", error=run.error[:200]))


@bp.post("/rounds/<serial>/waiting/step")
def waiting_step(serial: str) -> Response:
    """Ask for a step, which calls whoever comes next."""
    try:
        with telling(_("已开始递补，几秒后在这里看叫到的人")), changing(serial) as (session, held):
            waiting_job.queue(session, held, auth.actor())
    except waiting_job.Already:
        flash(_("递补正在进行，请等它完成"), "warning")
    return redirect(url_for("coordinator.waiting_list", serial=serial))


@bp.post("/rounds/<serial>/waiting/end")
def end_waiting(serial: str) -> Response:
    """End the waiting list."""
    with telling(_("递补已结束")):
        with changing(serial) as (session, round_):
            waiting.end(session, round_, auth.actor())
            ended = round_.id
        agreements.make_rest(ended, auth.actor())
    return redirect(url_for("coordinator.waiting_list", serial=serial))


@bp.post("/rounds/<serial>/waiting/chain")
@auth.fresh
def download_chain(serial: str) -> Response:
    """The chain after the publication, with its checkers; who took it is on record."""
    return chain_file(serial)


# --- classes below their minimum --------------------------------------------------------------


class RulingForm(FlaskForm):  # type: ignore[misc]
    """One of the options, and why."""

    kind = SelectField(choices=options(KINDS))
    into = SelectField()
    reason = TextAreaField(validators=[DataRequired(), Length(min=4, max=300)])


@bp.get("/rounds/<serial>/rulings")
def class_rulings(serial: str) -> str:
    """The classes below their minimum, and what was ruled."""
    session, round_ = db.reading(), auth.round_of(serial)
    ended = round_.waiting_ended_at is not None
    return render_template(
        "coordinator/rulings.html", round=round_, kinds=KINDS, ended=ended,
        below=minimums.below(session, round_.id) if ended else [],
        rulings=rulings.of_round(session, round_),
    )  # fmt: skip


@bp.route("/rounds/<serial>/rulings/<code>", methods=["GET", "POST"])
def class_ruling(serial: str, code: str) -> str | Response:
    """A class below its minimum: what each option would do to whom, before anybody presses."""
    session, round_ = db.reading(), auth.round_of(serial)
    held = _class_of(round_, code)
    form = RulingForm()
    into = {c.code: f"{c.code} {c.name}" for c in rulings.targets(session, held)}
    form.into.choices = options(into, "—")
    if form.validate_on_submit():
        with telling(_("已提出，请另一位协调员确认")), changing(serial) as (writing, now):
            other = form.into.data if form.kind.data == "merge" else ""
            rulings.ask(
                writing, now, writing.get_one(OrderClass, held.id), form.kind.data,
                form.reason.data.strip(), auth.actor(),
                _class_of(now, other, writing) if other else None,
            )  # fmt: skip
            return redirect(url_for("coordinator.class_ruling", serial=serial, code=code))
    session, round_ = db.reading(), auth.round_of(serial)
    held = _class_of(round_, code)
    found = rulings.problems(session, round_, held)
    asked = minimums.ruling_of(session, held.id)
    return render_template(
        "coordinator/ruling.html", round=round_, held=held, form=form, kinds=KINDS, asked=asked,
        me=auth.actor().name, obstacles=[obstacles.sentence(o) for o in found],
        options=None if found else rulings.options(session, round_, held),
    )  # fmt: skip


def _class_of(round_: Round, code: str, session: Session | None = None) -> OrderClass:
    held = (session or db.reading()).scalar(
        select(OrderClass).where(OrderClass.round_id == round_.id, OrderClass.code == code)
    )
    if held is None:
        abort(404)
    return held


@bp.post("/rounds/<serial>/rulings/<code>/<key>")
def settle_ruling(serial: str, code: str, key: str) -> Response:
    """Confirm what another coordinator asked, or drop it."""
    round_ = auth.round_of(serial)
    _class_of(round_, code)
    act = request.form.get("act")
    if act == "confirm":
        try:
            with telling(_("已决定，有关的人已通知")):
                rulings.confirm(round_.id, key, auth.actor())
        except waiting.KeepsChanging:
            flash(_("正好有人在答复，没有执行。请再按一次"), "error")
    elif act == "withdraw":
        with telling(_("已撤回")), changing(serial) as (session, held):
            ruling = session.scalar(select(Ruling).where(Ruling.key == key))
            if ruling is None or ruling.order_class.round_id != held.id:
                abort(404)
            rulings.withdraw(session, held, ruling, auth.actor())
    else:
        abort(400)
    return redirect(url_for("coordinator.class_ruling", serial=serial, code=code))


# --- the end of the round ---------------------------------------------------------------------


@bp.get("/rounds/<serial>/final")
def final(serial: str) -> str:
    """What the round came to, and the step that ends it."""
    session, round_ = db.reading(), auth.round_of(serial)
    states = Counter(
        {
            row.state: row.number
            for row in session.execute(
                select(Offer.state, func.count().label("number"))
                .where(Offer.round_id == round_.id)
                .group_by(Offer.state)
            )
        }
    )
    people = select(func.count(Applicant.id)).where(
        Applicant.round_id == round_.id, Applicant.state == "passed"
    )
    rows = waiting.figures(session, round_)
    return render_template(
        "coordinator/final.html", round=round_, states=states, labels=offers.LABELS, rows=rows,
        passed=session.scalar(people) or 0, confirmed=sum(states[s] for s in HOLDING),
        left=sum(max(0, row.free) for row in rows), steps=links.steps_of(session, round_),
        rulings=[r for r in rulings.of_round(session, round_) if r.confirmed_at], kinds=KINDS,
        chained=links.head(session, round_), ready=rounds.next_step(round_) is not None
        and not rounds.obstacles(session, round_, rounds.BY_NAME["finish"], auth.actor()),
    )  # fmt: skip


# --- the next round ---------------------------------------------------------------------------


class NextRound(FlaskForm):  # type: ignore[misc]
    """The round after this one."""

    serial = StringField(validators=SERIAL)
    title = StringField(validators=[DataRequired(), Length(max=60)])
    declined = BooleanField()
    reopen = BooleanField()


@bp.route("/rounds/<serial>/next", methods=["GET", "POST"])
def open_next(serial: str) -> str | Response:
    """The next round, of the seats and the people that are left."""
    round_ = auth.round_of(serial)
    new = next_round.suggested(round_)
    form = NextRound(
        serial=new, title=_("%(title)s（征集志愿）", title=round_.title), declined=True
    )
    if form.validate_on_submit():
        try:
            with telling(_("下一轮已建立，请先定时间、再请两边确认")):
                made = next_round.open_next(
                    round_.id, form.serial.data, form.title.data, auth.actor(),
                    declined=form.declined.data, reopen=form.reopen.data,
                )  # fmt: skip
                return redirect(url_for("coordinator.round_page", serial=made.serial))
        except planning.Taken:
            form.serial.errors = [_("这个轮次编号已有，请换一个")]
        except next_round.NothingLeft:
            flash(_("没有剩余的席位，或没有可以参加的人，不能开下一轮"), "error")
    session, round_ = db.reading(), auth.round_of(serial)
    return render_template(
        "coordinator/next_round.html", round=round_, form=form,
        following=links.after(session, round_), chained=links.head(session, round_),
        people=len(next_round.remaining(session, round_, True)),
        never=len(next_round.remaining(session, round_, False)),
        free=sum(max(0, row.free) for row in waiting.figures(session, round_)),
    )  # fmt: skip
