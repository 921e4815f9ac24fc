"""Review work: applicants, their eligibility, single cases, and figures that are probably wrong."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from .. import (
    auth,
    cases,
    choices,
    codes,
    db,
    paging,
    people,
    plausibility,
    policies,
    posting,
    reviewing,
    rounds,
    scoring,
    words,
)
from ..models import (
    Applicant,
    ChoiceList,
    Decision,
    Doubt,
    Membership,
    Person,
    Program,
    Review,
    Score,
)
from ..offices import options
from ..privacy import mask_telephone
from ..typed import whole
from .blueprint import bp, changing, telling

RULES = {
    "age": _l("年龄"),
    "approval": _l("年龄须审批"),
    "education": _l("学历"),
    "skill_level": _l("技能等级"),
}
"""The rules that a single case can set aside."""
DOUBTS: dict[str, Any] = {
    "capacity_listing": _l("%(subject)s：席位 %(value)s 个，超过填报人数 %(limit)s 人的三倍"),
    "nobody_lists": _l("%(subject)s：席位 %(value)s 个，没有人填报"),
    "capacity_change": _l("%(subject)s：席位 %(value)s 个，去年 %(limit)s 个，相差超过三成"),
    "min_size_change": _l("%(subject)s：最低开班 %(value)s 人，去年 %(limit)s 人，相差超过三成"),
    "reserve_change": _l("%(subject)s：预留 %(value)s 个，去年 %(limit)s 个，相差超过三成"),
    "scores_ranks": _l("%(subject)s：%(value)s 个成绩正好是 1、2、3…，像是名次"),
}


@bp.get("/rounds/<serial>/applicants")
def applicants(serial: str) -> str:
    """The applicants of a round, by pages of twenty, filtered; names and numbers masked."""
    round_ = auth.round_of(serial)
    asked = {name: request.args.get(name, "").strip()[:100] for name in ("q", "state", "group",
                                                                   "district")}  # fmt: skip
    query = select(Applicant).where(Applicant.round_id == round_.id)
    if asked["q"]:
        query = query.join(Person).where(
            or_(Applicant.number.like(f"{asked['q']}%"), Person.name == asked["q"])
        )
    for name in ("state", "district"):
        if asked[name]:
            query = query.where(getattr(Applicant, name) == asked[name])
    if asked["group"]:
        members = select(Membership.applicant_id).where(Membership.group == asked["group"])
        query = query.where(Applicant.id.in_(members))
    query = query.options(selectinload(Applicant.person), selectinload(Applicant.groups))
    page = paging.page_of_query(query.order_by(Applicant.number))
    return render_template(
        "coordinator/applicants.html", round=round_, page=page, asked=asked, groups=codes.GROUPS,
        states=codes.APPLICANT_STATES, areas=codes.AREAS,
        submitted=_submitted([a.id for a in page.rows]),
    )  # fmt: skip


def _submitted(ids: list[int]) -> set[int]:
    rows = db.reading().scalars(
        select(ChoiceList.applicant_id).where(
            ChoiceList.applicant_id.in_(ids), ChoiceList.number > choices.DRAFT
        )
    )
    return set(rows)


class Judgement(FlaskForm):  # type: ignore[misc]
    """The conclusion of a review."""

    conclusion = SelectField(choices=options(reviewing.CONCLUSIONS))
    code = SelectField(choices=options(codes.REVIEWS, "—"))
    reason = TextAreaField(validators=[Length(max=500)])
    version = HiddenField()


class Case(FlaskForm):  # type: ignore[misc]
    """A single case to be relaxed."""

    program = StringField(validators=[DataRequired(), Length(max=40)])
    rule = SelectField(choices=options(RULES))
    basis = TextAreaField(validators=[DataRequired(), Length(max=500)])


@bp.get("/rounds/<serial>/applicants/<key>")
def applicant_page(serial: str, key: str) -> str:
    """One applicant: what she stated, masked; her list; her review; single cases."""
    return _applicant(serial, key)


def _applicant(
    serial: str, key: str, form: Judgement | None = None, case: Case | None = None,
    stale: bool = False,
) -> str:  # fmt: skip
    session, round_ = db.reading(), auth.round_of(serial)
    held = _of(serial, key)
    wish = choices.submitted(session, held)
    scores = session.scalars(select(Score).where(Score.applicant_id == held.id)).all()
    decisions = session.scalars(select(Decision).where(Decision.applicant_id == held.id)).all()
    form = form or Judgement(version=held.version, formdata=None)
    if stale:
        form.version.data = str(held.version)
    return render_template(
        "coordinator/applicant.html", round=round_, held=held, wish=wish, scores=scores,
        decisions=decisions, reviews=_reviews(held), form=form,
        case=case or Case(formdata=None), stale=stale, states=codes.APPLICANT_STATES,
        conclusions=reviewing.CONCLUSIONS,
        rules=RULES, groups=codes.GROUPS, areas=codes.AREAS, matters=reviewing.MATTERS,
        words={
            "education": codes.word(codes.HELD_EDUCATIONS, held.education or ""),
            "skill_level": codes.word(codes.SKILL_LEVELS, held.skill_level or ""),
            "study_forms": codes.words(codes.STUDY_FORMS, held.study_forms or ""),
        },
        components=codes.COMPONENTS, number=people.number_of(held.person),
        telephone=mask_telephone(people.telephone_of(held.person)),
        named=choices.plan(session, round_.id), reasons=codes.REVIEWS, me=auth.actor().name,
        pending=reviewing.pending(reviewing.last_review(session, held)),
        case_by_case=policies.current(session, round_).case_by_case,
    )  # fmt: skip


def _of(serial: str, key: str) -> Applicant:
    held = auth.applicant_of(key)
    if held.round.serial != serial:
        abort(404)
    return held


def _reviews(held: Applicant) -> list[Review]:
    rows = db.reading().scalars(
        select(Review).where(Review.applicant_id == held.id).order_by(Review.id.desc())
    )
    return list(rows)


@bp.post("/rounds/<serial>/applicants/<key>/review")
def judge(serial: str, key: str) -> str | Response:
    """Conclude the review of an applicant."""
    _of(serial, key)
    form = Judgement()
    if not form.validate_on_submit():
        return _applicant(serial, key, form)
    try:
        with telling(_("已记录审核结论")), changing(serial) as (session, _round):
            reviewing.review(
                session, auth.applicant_of(key, session), form.conclusion.data, form.code.data,
                form.reason.data.strip(), "", auth.actor(), whole(form.version.data),
            )  # fmt: skip
    except posting.Refused as error:
        for name, problems in error.problems.items():
            if name in form:
                form[name].errors = problems
            else:
                form.form_errors.extend(problems)
        return _applicant(serial, key, form)
    except posting.Stale:
        return _applicant(serial, key, form, stale=True)
    return redirect(url_for("coordinator.applicant_page", serial=serial, key=key))


@bp.post("/rounds/<serial>/applicants/<key>/review/confirm")
def confirm_review(serial: str, key: str) -> Response:
    """Confirm a changed conclusion that another entered."""
    _of(serial, key)
    try:
        with telling(_("已确认")), changing(serial) as (session, _round):
            reviewing.confirm_review(session, auth.applicant_of(key, session),
                                     whole(request.form.get("version")), auth.actor())  # fmt: skip
    except (posting.Refused, posting.Stale):
        flash(_("没有执行：这份审核刚被别人改过，请看最新情况"), "error")
    return redirect(url_for("coordinator.applicant_page", serial=serial, key=key))


@bp.post("/rounds/<serial>/applicants/<key>/cases")
def relax(serial: str, key: str) -> str | Response:
    """Enter a single case; another coordinator confirms it."""
    round_ = auth.round_of(serial)
    held = _of(serial, key)
    case = Case()
    named = choices.plan(db.reading(), round_.id)
    if not case.validate_on_submit():
        return _applicant(serial, key, case=case)
    program = next((p for p in named.get(case.program.data.strip(), []) if p.code), None)
    if program is None or program.code != case.program.data.strip():
        case.program.errors = [_("没有这个席位代码，请从她的志愿里抄写")]
        return _applicant(serial, key, case=case)
    try:
        with telling(_("已录入，请另一位协调员确认")), changing(serial) as (session, _round):
            cases.relax(session, session.get_one(Applicant, held.id),
                          session.get_one(Program, program.id), case.rule.data,
                          case.basis.data.strip(), auth.actor())  # fmt: skip
    except ValueError:
        case.rule.errors = [_("这一条已经录入过")]
        return _applicant(serial, key, case=case)
    return redirect(url_for("coordinator.applicant_page", serial=serial, key=key))


@bp.get("/rounds/<serial>/decisions")
def decisions(serial: str) -> str:
    """Single cases, and refusals after interviews; those that wait for a second person first."""
    round_ = auth.round_of(serial)
    held = (
        select(Decision)
        .join(Applicant)
        .where(Applicant.round_id == round_.id)
        .options(selectinload(Decision.applicant), selectinload(Decision.program))
        .order_by(Decision.confirmed_at.is_not(None), Applicant.number)
    )
    return render_template("coordinator/decisions.html", round=round_, page=paging.page_of_query(held),
                           rules=RULES, me=auth.actor().name, approved=cases.APPROVED)  # fmt: skip


@bp.post("/rounds/<serial>/decisions/<int:number>")
def settle_decision(serial: str, number: int) -> Response:
    """Confirm a decision that another entered, or take one back."""
    act = {"confirm": cases.confirm, "drop": cases.drop}.get(request.form.get("act", ""))
    if act is None:
        abort(400)
    with telling(_("已办理")), changing(serial) as (session, round_):
        held = session.get(Decision, number)
        if held is None or held.applicant.round_id != round_.id:
            abort(404)
        act(session, held, auth.actor())
    return redirect(url_for("coordinator.decisions", serial=serial))


# --- scores -----------------------------------------------------------------------------------


@bp.get("/rounds/<serial>/scores")
def scores(serial: str) -> str:
    """The batches of scores that wait for a second person, with what a person checks them by."""
    session, round_ = db.reading(), auth.round_of(serial)
    return render_template("coordinator/scores.html", round=round_, components=codes.COMPONENTS,
                           waiting=scoring.waiting(session, round_))  # fmt: skip


@bp.post("/rounds/<serial>/scores")
def confirm_scores(serial: str) -> Response:
    """Stand in as the second person of an office that has one person only."""
    office = request.form.get("office", "")
    try:
        with telling(_("已确认")), changing(serial) as (session, round_):
            target = scoring.target_of(session, round_, request.form.get("target", ""))
            if target is None:
                abort(404)
            digest = request.form.get("digest", "")
            scoring.confirm(session, round_, target, office, digest, auth.actor())
    except posting.Stale:
        flash(_("没有确认：这批成绩刚被改过，请重新核对"), "error")
    return redirect(url_for("coordinator.scores", serial=serial))


# --- doubts -----------------------------------------------------------------------------------


@bp.get("/rounds/<serial>/doubts")
def doubts(serial: str) -> str:
    """Figures that are probably typing errors, to be explained by one and confirmed by another."""
    return _doubts(serial, 0, "", "")


def _said(doubt: Doubt) -> str:
    about = {"subject": doubt.subject, "value": doubt.value, "limit": doubt.limit}
    return words.filled(str(DOUBTS[doubt.code]), about)


def _doubts(serial: str, number: int, typed: str, problem: str) -> str:
    session, round_ = db.reading(), auth.round_of(serial)
    held = plausibility.of(session, round_)
    return render_template(
        "coordinator/doubts.html", round=round_, page=paging.page_of(held), said=_said,
        waiting=sum(d.confirmed_at is None for d in held),
        last=plausibility.previous(session, round_), me=auth.actor().name, number=number, typed=typed, problem=problem,
    )  # fmt: skip


@bp.post("/rounds/<serial>/doubts")
def look_again(serial: str) -> Response:
    """Look at all figures of the round again."""
    with telling(_("已重新检查")), changing(serial) as (session, round_):
        if round_.state not in rounds.COURSE[: rounds.COURSE.index("FROZEN")]:
            raise rounds.Moved(round_.state)
        plausibility.look_again(session, round_, auth.actor())
    return redirect(url_for("coordinator.doubts", serial=serial))


@bp.post("/rounds/<serial>/doubts/<int:number>")
def settle_doubt(serial: str, number: int) -> str | Response:
    """Explain a figure, or confirm another's explanation."""
    text = request.form.get("explained", "").strip()
    explaining = request.form.get("act") == "explain"
    if explaining and not 4 <= len(text) <= 500:
        return _doubts(serial, number, text, _("请用 4 到 500 字说明这个数字为什么对"))
    with (
        telling(_("已记录说明") if explaining else _("已确认")),
        changing(serial) as (session, held),
    ):
        doubt = session.get(Doubt, number)
        if doubt is None or doubt.round_id != held.id:
            abort(404)
        if held.state not in rounds.COURSE[: rounds.COURSE.index("FROZEN")]:
            raise rounds.Moved(held.state)
        if not explaining and request.form.get("seen") != doubt.explained:
            raise rounds.Moved(doubt.code)
        if explaining:
            plausibility.explain(session, held, doubt, text, auth.actor())
        else:
            plausibility.confirm(session, held, doubt, auth.actor())
    return redirect(url_for("coordinator.doubts", serial=serial))
