"""From the lock to the notice: freeze, commitment, draw, approval, publication, suspending, voiding."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from .. import (
    audit,
    auth,
    calendar,
    codes,
    db,
    draw,
    jobs,
    motions,
    planning,
    plausibility,
    policies,
    publication,
    rounds,
    snapshot,
    words,
)
from ..models import Approval, Motion, Publication, Round, Run
from ..offices import options
from . import obstacles
from .blueprint import bp, changing, telling
from .trials import CLAIMS

DRAWS = {
    "dice": _l("二十枚十面骰（公证摇号）"),
    "kl8": _l("快乐8（期号和二十个号码）"),
    "witnessed": _l("见证人面前掷骰（原定摇号未成时）"),
}
MOTIONS = {"suspend": _l("暂停公示"), "resume": _l("恢复公示"), "void": _l("作废本轮")}
SHOWN_ISSUES = 20


# --- freezing ---------------------------------------------------------------------------------


@bp.route("/rounds/<serial>/freeze", methods=["GET", "POST"])
def freeze(serial: str) -> str | Response:
    """Lock the lists: one snapshot for ever, and the commitment that the public sees."""
    issues: list[str] = []
    if request.method == "POST":
        round_ = auth.round_of(serial)
        with db.writing() as session:
            held = auth.round_of(serial, session)
            if held.state == "REVIEW":  # figures that changed since anybody looked must not slip by
                plausibility.look_again(session, held, auth.actor())
        try:
            with telling(_("志愿已锁定，承诺已公布")):
                snapshot.freeze(round_.id, auth.actor())
            return redirect(url_for("coordinator.commitment", serial=serial))
        except snapshot.Unsound as error:
            issues = error.sentences(words.language())
        except snapshot.WrongRules as error:
            flash(str(error), "error")
        except snapshot.KeepsChanging:
            flash(_("数据一直在变动，请等各单位停止录入后再锁定"), "error")
        except snapshot.NoSpace:
            flash(_("磁盘空间不足，请先清理再锁定"), "error")
    round_ = auth.round_of(serial)
    session = db.reading()
    return render_template(
        "coordinator/freeze.html", round=round_, issues=issues[:SHOWN_ISSUES], total=len(issues),
        rules=[(p.label, policies.shown(p, value)) for p in policies.PARAMETERS
               if p.section == "mechanism"
               and (value := policies.values(session, round_)[p.key]) is not None],
        tried=_tried(session, round_),
    )  # fmt: skip


def _tried(session: Session, round_: Round) -> Run | None:
    """The last trial by the very rules that the round has, however it ended."""
    if round_.policy is None:
        return None
    return session.scalar(
        select(Run)
        .where(
            Run.round_id == round_.id, Run.kind == "trial", Run.state.not_in((*jobs.LIVE, "CANCELLED")),
            Run.policy_toml == jobs.trial_rules(round_.serial, round_.policy.toml),
        )
        .order_by(Run.id.desc())
        .limit(1)
    )  # fmt: skip


@bp.get("/rounds/<serial>/commitment")
def commitment(serial: str) -> str:
    """The commitment: what was locked, its digest, and the draw to come."""
    round_ = auth.round_of(serial)
    held = snapshot.snapshot_of(db.reading(), round_)
    return render_template(
        "coordinator/commitment.html", round=round_, held=held,
        drawn=draw.draw_of(db.reading(), round_), draws=DRAWS,
        counts=[(f"{name}.csv {codes.word(codes.TABLES, name)}", n) for name, n in held.counts.items()]
        if held else [],
    )  # fmt: skip


# --- the draw ---------------------------------------------------------------------------------


class DrawForm(FlaskForm):  # type: ignore[misc]
    """The public draw's value."""

    kind = SelectField(choices=options(DRAWS))
    issue = StringField(validators=[Length(max=20)])
    value = TextAreaField(validators=[DataRequired(), Length(max=200)])
    witnesses = StringField(validators=[Length(max=200)])


class Again(FlaskForm):  # type: ignore[misc]
    """The value once more, by another person, who does not see the first."""

    value = TextAreaField(validators=[DataRequired(), Length(max=200)])


@bp.route("/rounds/<serial>/draw", methods=["GET", "POST"])
def draw_page(serial: str) -> str | Response:
    """Type the draw's value."""
    form = DrawForm()
    if form.validate_on_submit():
        try:
            with (
                telling(_("已录入，请另一位协调员再录一遍")),
                changing(serial) as (session, round_),
            ):
                draw.enter(session, round_, form.kind.data, form.issue.data or "",
                           form.value.data, form.witnesses.data or "", auth.actor())  # fmt: skip
            return redirect(url_for("coordinator.draw_page", serial=serial))
        except draw.NotADraw as error:
            form.value.errors = error.problems
        except draw.NotNow:
            flash(_("摇号结果已经确认，不能再改"), "error")
    return _draw_page(serial, form, Again(formdata=None))


def _draw_page(serial: str, form: DrawForm, again: Again) -> str:
    round_ = auth.round_of(serial)
    step = rounds.BY_NAME["draw"]
    early = round_.state == "FROZEN" and any(
        o.code == "a_day_after_commitment"
        for o in rounds.obstacles(db.reading(), round_, step, auth.actor())
    )
    return render_template(
        "coordinator/draw.html", round=round_, form=form, again=again, draws=DRAWS, early=early,
        drawn=draw.draw_of(db.reading(), round_), me=auth.actor().name,
    )  # fmt: skip


@bp.post("/rounds/<serial>/draw/confirm")
def confirm_draw(serial: str) -> str | Response:
    """Type the value a second time; the committed run is queued."""
    again = Again()
    if not again.validate_on_submit():
        return _draw_page(serial, DrawForm(formdata=None), again)
    try:
        with telling(_("摇号结果已确认，正式匹配已开始")), changing(serial) as (session, round_):
            draw.confirm(session, round_, again.value.data, auth.actor())
    except draw.SamePerson:
        again.value.errors = [_("要另一位协调员来录第二遍")]
    except draw.Differs:
        again.value.errors = [_("两遍录的不一样。请对照公证书核对；不一致已记录")]
    except draw.NotNow:
        flash(_("没有等待确认的摇号结果"), "error")
    else:
        return redirect(url_for("coordinator.runs", serial=serial))
    return _draw_page(serial, DrawForm(formdata=None), again)


@bp.post("/rounds/<serial>/committed")
def run_committed(serial: str) -> Response:
    """Run the committed rules again, after a run that failed or did not come to its end."""
    try:
        with telling(_("正式匹配已开始")), changing(serial) as (session, round_):
            toml = round_.policy.toml if round_.policy else ""
            jobs.queue(session, round_, "committed", toml, "", auth.actor())
    except jobs.NotAllowed:
        flash(_("正式匹配已在运行，或现在不能运行"), "error")
    return redirect(url_for("coordinator.runs", serial=serial))


# --- approval and publication -----------------------------------------------------------------


class Agreement(FlaskForm):  # type: ignore[misc]
    """That somebody has read what she agrees to."""

    read = BooleanField(validators=[DataRequired()])


@bp.route("/rounds/<serial>/approval", methods=["GET", "POST"])
@auth.fresh
def approval(serial: str) -> str | Response:
    """Approve the verified run, by a second coordinator who sees what was taken on trust."""
    form = Agreement()
    if form.validate_on_submit():
        with telling(_("已审定")), changing(serial) as (session, round_):
            publication.approve(session, round_, auth.actor())
        return redirect(url_for("coordinator.round_page", serial=serial))
    round_ = auth.round_of(serial)
    session = db.reading()
    run = rounds.last_committed(session, round_)
    claims = run.summary.get("claims", []) if run else []
    waiting = []
    if round_.state == "DRAWN":
        found = rounds.obstacles(session, round_, rounds.BY_NAME["approve"], auth.actor())
        waiting = [obstacles.sentence(o) for o in found]
    return render_template(
        "coordinator/approval.html", round=round_, run=run, claims=claims, names=CLAIMS,
        trusted=publication.trusted_claims(run) if run else [], form=form, waiting=waiting,
        filing=planning.record_of(session, round_, "result_filing"), states=codes.RUN_STATES,
        statuses=codes.RUN_STATUSES, again=rounds.to_run_again(session, round_) is not None,
        held=session.scalar(select(Approval).where(Approval.round_id == round_.id).order_by(Approval.id)),
    )  # fmt: skip


@bp.route("/rounds/<serial>/publish", methods=["GET", "POST"])
@auth.fresh
def publish(serial: str) -> str | Response:
    """Publish the approved run: the notice period begins."""
    form = Agreement()
    if form.validate_on_submit():
        round_ = auth.round_of(serial)
        try:
            with telling(_("已公示，公示期开始")):
                publication.publish(round_.id, auth.actor())
        except publication.Altered:
            flash(_("没有公示：快照或结果文件与记录不符，请查明是谁改过"), "error")
        except snapshot.NoSpace:
            flash(_("磁盘空间不足，请先清理再公示"), "error")
        except calendar.NoCalendar as error:
            flash(_("没有 %(year)s 年的节假日表，算不出公示期，请先补上", year=error.year), "error")
        return redirect(url_for("coordinator.publish", serial=serial))
    round_ = auth.round_of(serial)
    session = db.reading()
    return render_template(
        "coordinator/publish.html", round=round_, form=form,
        held=session.scalar(select(Approval).where(Approval.round_id == round_.id).order_by(Approval.id)),
        published=session.scalars(
            select(Publication)
            .where(Publication.round_id == round_.id)
            .order_by(Publication.id.desc())
        ).all(),
        days=policies.workflow(session, round_)["days.publicity"], names=CLAIMS,
    )  # fmt: skip


@bp.post("/rounds/<serial>/bundle/<int:number>")
@auth.fresh
def download_bundle(serial: str, number: int) -> Response:
    """The full bundle of a publication; who took it is on record."""
    with changing(serial) as (session, round_):
        held = session.get(Publication, number)
        if held is None or held.round_id != round_.id:
            abort(404)
        audit.record(session, auth.actor(), "bundle.download", f"publication/{held.id}",
                     round_id=round_.id, after={"digest": held.bundle_digest})  # fmt: skip
    path = publication.bundle_path(held)
    return send_file(path, as_attachment=True, download_name=path.name)


# --- suspending, resuming, voiding ------------------------------------------------------------


class MotionForm(FlaskForm):  # type: ignore[misc]
    """What is asked of the other coordinator, and why."""

    kind = SelectField()
    reason = TextAreaField(validators=[DataRequired(), Length(min=4, max=300)])


@bp.route("/rounds/<serial>/motions", methods=["GET", "POST"])
def motions_page(serial: str) -> str | Response:
    """Ask to suspend, resume or void a round."""
    round_ = auth.round_of(serial)
    form = MotionForm()
    form.kind.choices = options({kind: MOTIONS[kind] for kind in motions.possible(round_)})
    if form.validate_on_submit():
        try:
            with telling(_("已提出，请另一位协调员确认")), changing(serial) as (session, held):
                motions.ask(session, held, form.kind.data, form.reason.data.strip(), auth.actor())
            return redirect(url_for("coordinator.motions_page", serial=serial))
        except motions.Waiting:
            flash(_("已有一件在等确认，请先办完那一件"), "error")
    round_ = auth.round_of(serial)
    return render_template("coordinator/motions.html", round=round_, form=form, titles=MOTIONS,
                           motions=motions.of(db.reading(), round_), waiting=motions.waiting,
                           me=auth.actor().name)  # fmt: skip


@bp.post("/rounds/<serial>/motions/<key>")
def settle_motion(serial: str, key: str) -> Response:
    """Confirm another's request, or drop one."""
    act = {"confirm": motions.confirm, "withdraw": motions.withdraw}.get(
        request.form.get("act", "")
    )
    if act is None:
        abort(400)
    with telling(_("已办理")), changing(serial) as (session, round_):
        held = session.scalar(select(Motion).where(Motion.round_id == round_.id, Motion.key == key))
        if held is None:
            abort(404)
        act(session, round_, held, auth.actor())
    return redirect(url_for("coordinator.motions_page", serial=serial))
