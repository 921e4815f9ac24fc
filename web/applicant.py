"""Pages of an applicant: where she stands, what to do next, her result, her data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from . import (
    agreements,
    appealing,
    application,
    auth,
    calendar,
    choices,
    codes,
    db,
    enrolment,
    entering,
    evidence_pages,
    notices,
    offer_pages,
    offers,
    outbox,
    own_agreement,
    paging,
    people,
    print_desk,
    printing,
    prints,
    publication,
    reasons,
    rechecks,
    reviewing,
    rounds,
    waiting_pages,
)
from .applicant_forms import Deletion
from .entering import Desk, Page
from .models import (
    Applicant,
    Person,
    Placement,
    Program,
    Publication,
    Recheck,
    Review,
    Round,
    User,
)

bp = Blueprint("applicant", __name__, url_prefix="/me")
auth.guard(bp, "applicant")


def _own(serial: str, session: Session) -> Applicant:
    found = auth.own_applicant(auth.round_of(serial, session), session)
    if found is None:
        abort(404)
    return found


entering.mount(bp, "serial", _own)
evidence_pages.mount(bp, "serial", _own)
own_agreement.mount(bp, _own)
appealing.mount(bp, "serial", _own)
offer_pages.mount(bp, "serial", _own)
waiting_pages.mount(bp, "serial", _own)


def _desk(serial: str) -> Desk:
    return Desk(bp.name, "serial", _own, serial)


def _person(session: Session) -> Person:
    found = session.get(Person, current_user.person_id or 0)
    if found is None:
        abort(404)
    return found


# --- the first page ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Next:
    """What to do now, or why there is nothing to do."""

    text: str
    url: str = ""
    button: str = ""


_AT = {
    "ANNOUNCED": 0, "OPEN": 1, "REVIEW": 2, "FROZEN": 3, "DRAWN": 4, "APPROVED": 4,
    "PUBLISHED": 5, "SUSPENDED": 5, "CONFIRMING": 6, "FINAL": 8,
}  # fmt: skip


_REACHED = {"accepted": 7, "waiting": 7, "signed": 8, "checked_in": 9, "registered": 9}
_TOLD_AT = {"signed": 7, "lapsed": 7, "checked_in": 8, "registered": 8, "absent": 8}
"""By the code of :data:`web.offers.PROGRESS`: the step that is now, and the step that tells it."""


def timeline(session: Session, applicant: Applicant) -> list[tuple[str, str]]:
    """The steps of a round, each ``done``, ``now`` or ``later`` for her."""
    names = [
        _("报名"), _("填报"), _("审核"), _("摇号"), _("匹配"), _("公示"), _("确认"), _("签约"), _("报到"),
    ]  # fmt: skip
    at = _AT.get(rounds.by_the_clock(session, applicant.round), -1)
    if at == 1 and application.missing(session, applicant):
        at = 0
    if code := offers.progress(session, applicant):
        at = _REACHED.get(code, 6)
        told = _TOLD_AT.get(code, 6)
        names[told] = f"{names[told]}{_('：')}{offers.PROGRESS[code]}"
    return [
        (str(name), "done" if n < at else "now" if n == at else "later")
        for n, name in enumerate(names)
    ]


def next_action(session: Session, applicant: Applicant) -> Next:
    """The one thing to do next."""
    round_, desk = applicant.round, _desk(applicant.round.serial)
    state = rounds.by_the_clock(session, round_)
    if state == "ANNOUNCED":
        return Next(_("报名还没有开始。"))
    if state == "OPEN":
        return _open_action(session, applicant, desk)
    if (owed := offer_pages.asked(session, applicant, desk)) is not None:
        return Next(*owed)
    if state in ("CONFIRMING", "FINAL") and (found := _held_action(session, applicant, desk)):
        return found
    if state == "PUBLISHED" and rechecks.corrected_of(session, placement_of(session, applicant)):
        return Next(_("复核后您的结果有更正，请看。"), desk.url("result"), _("看结果"))
    if (told := offer_pages.stands(session, applicant, desk)) is not None:
        return Next(*told)
    if state in ("PUBLISHED", "CONFIRMING", "FINAL"):
        return Next(_("结果已公布。"), desk.url("result"), _("看结果"))
    said = {
        "REVIEW": _("报名已截止，正在审核。"),
        "FROZEN": _("志愿已锁定，等待公开摇号。"),
        "DRAWN": _("已摇号，正在匹配。"),
        "APPROVED": _("结果已审定，等待公示。"),
        "SUSPENDED": _("公示暂停：%(why)s", why=round_.reason),
        "VOID": _("本轮作废：%(why)s", why=round_.reason),
    }
    return Next(str(said[state]))


def _open_action(session: Session, applicant: Applicant, desk: Desk) -> Next:
    if applicant.state == "withdrawn":
        return Next(_("您已撤回报名。截止前可以恢复。"), desk.url("data"), _("去恢复"))
    if gaps := application.missing(session, applicant):
        step = gaps[0][0]
        name = str(application.STEP_NAMES[step])
        return Next(_("请填写：%(step)s。", step=name), desk.url("step", step=step), _("继续填写"))
    counts, draft = choices.submitted(session, applicant), choices.draft(session, applicant)
    if counts is None:
        return Next(_("志愿还没有提交，不算数。"), desk.url("ranking"), _("填志愿"))
    if draft and entering.wish_of(draft) != entering.wish_of(counts):
        return Next(_("草稿改过，还没有提交。"), desk.url("ranking"), _("看草稿"))
    return Next(_("志愿已提交。截止前可以改。"), desk.url("ranking"), _("看志愿"))


def _held_action(session: Session, applicant: Applicant, desk: Desk) -> Next | None:
    """What there is to do for somebody who holds a place: sign, then check in."""
    held = offers.held_of(session, applicant.id)
    if held is None:
        return None
    signed = agreements.live_of(session, held)
    if signed is not None and {"student", "guardian"} & set(agreements.missing(signed)):
        until = calendar.local(signed.due_at).strftime("%m-%d %H:%M")
        return Next(_("请读三方协议并确认，%(until)s 截止。", until=until), desk.url("agreement"),
                    _("看协议"))  # fmt: skip
    came = enrolment.of_offer(session, held)
    first = held.program.order_class.check_in_from
    if first is not None and (came is None or came.checked_in_on is None):
        return Next(_("请 %(day)s 起到校报到。", day=first), desk.url("check_in"), _("看报到安排"))
    if signed is not None:
        return Next(agreements.standing(signed), desk.url("agreement"), _("看协议"))
    return None


@bp.get("/")
def home() -> str:
    """The first page: her round, what to do next, where it stands."""
    session = db.reading()
    held = session.scalars(
        select(Applicant)
        .join(Round)
        .where(Applicant.person_id == (current_user.person_id or 0), Round.state.in_(rounds.PUBLIC))
        .order_by(Applicant.id.desc())
    ).all()
    taken = {a.round_id for a in held}
    announced = session.scalars(select(Round).where(Round.state.in_(("ANNOUNCED", "OPEN")))).all()
    mine = held[0] if held else None
    return render_template(
        "applicant/home.html", held=held, mine=mine, codes=codes,
        offered=[r for r in announced
                 if r.id not in taken and rounds.by_the_clock(session, r) == "OPEN"],
        action=next_action(session, mine) if mine else None,
        steps=timeline(session, mine) if mine else [], desk=_desk(mine.round.serial) if mine else None,
        counts=choices.submitted(session, mine) if mine else None, notice=current_user.notice,
        left=entering.time_left(mine.round.deadline_at, db.now(session)) if mine else "",
        reviews=_reviews(session, mine) if mine else [], matters=reviewing.MATTERS,
        told=notices.unread(session, mine) if mine else [],
        message=outbox.told(last) if mine and (last := outbox.last_of(session, mine)) else None,
    )  # fmt: skip


def _reviews(session: Session, applicant: Applicant) -> Sequence[Review]:
    return session.scalars(
        select(Review).where(Review.applicant_id == applicant.id).order_by(Review.at.desc())
    ).all()


@bp.post("/notice")
def notice() -> Response:
    """She has seen the notice."""
    with db.writing() as session:
        session.get_one(User, current_user.id).notice = ""
    return redirect(auth.home())


@bp.post("/<serial>/notices/<key>")
def dismiss(serial: str, key: str) -> Response:
    """She has read what she had to be told of her list."""
    with db.writing() as session:
        if not notices.dismiss(session, _own(serial, session), key, auth.actor()):
            abort(404)
    return redirect(auth.home())


@bp.post("/<serial>/join")
def join(serial: str) -> Response:
    """Apply in another round, with what was answered in the last one."""
    try:
        with db.writing() as session:
            round_, person = auth.round_of(serial, session), _person(session)
            last = session.scalar(
                select(Applicant)
                .where(Applicant.person_id == person.id)
                .order_by(Applicant.id.desc())
                .limit(1)
            )
            columns = (*application.SCHOOLING, *application.IDENTITY)
            answers = {c: getattr(last, c) for c in columns} if last else {}
            made = people.enrol(
                session, round_, person.identity_type, people.number_of(person), person.name,
                actor=auth.actor(), groups=tuple(g.group for g in last.groups) if last else (), **answers,
            )  # fmt: skip
            if last is not None:
                people.set_guardian_telephone(made, people.guardian_telephone_of(last))
            rounds.lock_open(session, round_.id)
    except people.AlreadyEnrolled:
        flash(_("您已在本轮报名。"), "warning")
    except rounds.Moved:
        flash(_("本轮现在不收报名。"), "error")
    else:
        flash(_("已报名，报名号 %(number)s。", number=made.number), "success")
    return redirect(auth.home())


@bp.post("/<serial>/confirm-entry")
def confirm_entry(serial: str) -> Response:
    """She confirms what an office typed for her."""
    with db.writing() as session:
        application.confirm_entry(session, _own(serial, session), auth.actor())
    flash(_("已确认代填的内容。"), "success")
    return redirect(auth.home())


# --- the result -------------------------------------------------------------------------------


def placement_of(session: Session, applicant: Applicant) -> Placement | None:
    """Her line of the last publication, once it is public."""
    if applicant.round.state not in ("PUBLISHED", "CONFIRMING", "FINAL"):
        return None
    return session.scalar(
        select(Placement)
        .join(Publication)
        .where(Placement.applicant_id == applicant.id, Publication.round_id == applicant.round_id)
        .order_by(Publication.id.desc())
        .limit(1)
    )


@dataclass(frozen=True)
class Shown:
    """A reason with the names that its program goes by."""

    told: reasons.Told
    title: str


def _shown(session: Session, applicant: Applicant, placement: Placement) -> list[Shown]:
    told = reasons.told(placement.reasons.get("reasons", []))
    named = entering.named(session, applicant.round_id, [t.program for t in told])
    return [Shown(t, _title(named.get(t.program, []), t.program)) for t in told]


def _title(programs: list[Program], code: str) -> str:
    if not programs:
        return code
    return f"{programs[0].order_class.name}{_('（')}{programs[0].enterprise.name}{_('）')}"


@bp.get("/<serial>/result")
def result(serial: str) -> str:
    """Her result, why, what would have changed it, and how to check it."""
    session = db.reading()
    applicant = _own(serial, session)
    placement = placement_of(session, applicant)
    own = publication.own_line(placement) if placement else None
    return render_template(
        "applicant/result.html", desk=_desk(serial), applicant=applicant, round=applicant.round,
        placement=placement, action=next_action(session, applicant),
        outcome=reasons.outcome(placement.reasons["outcome"]) if placement else [],
        shown=_shown(session, applicant, placement) if placement else [],
        own=prints.own_lines(own) if own else [], papers=_papers(session, applicant),
        progress=offers.PROGRESS.get(offers.progress(session, applicant)),
        rule=offer_pages.rule(session, placement) if placement else [],
        before=rechecks.corrected_of(session, placement),
        can_appeal=rechecks.may_ask(session, applicant.round, "applicant"),
        tickets=len(rechecks.of_applicant(session, applicant)),
    )  # fmt: skip


def _papers(session: Session, applicant: Applicant) -> list[tuple[str, str]]:
    """What she may print about her places and rechecks: where, and what it is."""
    if applicant.round.state not in printing.SHOWN:
        return []
    desk, papers = _desk(applicant.round.serial), []
    for offer in offers.of_applicant(session, applicant):
        if offer.state in offers.LIVE:
            url = desk.url("print_offer", key=offer.key, form="notice")
            papers.append((url, _("打印录取通知书")))
        if offer.state in (*offers.LIVE, "declined"):
            url = desk.url("print_offer", key=offer.key, form="waiver")
            papers.append((url, _("打印放弃录取声明")))
    held = select(Recheck).where(Recheck.applicant_id == applicant.id)
    for one in session.scalars(held.where(Recheck.state.in_(printing.ANSWERED))):
        papers.append((desk.url("print_recheck", key=one.key), _("打印复核答复书")))
    return papers


@bp.post("/<serial>/result/pdf")
def result_pdf(serial: str) -> Response:
    """Her result on paper."""
    session = db.reading()
    applicant = _own(serial, session)
    placement = placement_of(session, applicant)
    if placement is None:
        abort(404)
    said = list(reasons.outcome(placement.reasons["outcome"]))
    if placement.program is not None:
        said.append(_title([placement.program], ""))
    for shown in _shown(session, applicant, placement):
        rank = _("第 %(n)s 志愿", n=shown.told.rank) if shown.told.rank else ""
        head = " ".join(filter(None, (rank, shown.title)))
        said.append((f"{head}{_('：')}" if head else "") + " ".join(shown.told.sentences))
    said += offer_pages.rule(session, placement)
    try:
        document = prints.placement_line(applicant, said, publication.own_line(placement))
    except prints.Unprintable as error:
        flash(entering.unprintable(error), "error")
        return redirect(_desk(serial).url("result"))
    entering.fetched(applicant, "print.result")
    return entering.pdf(document, f"result-{applicant.number}.pdf")


# --- messages and papers ----------------------------------------------------------------------


@bp.get("/<serial>/messages")
def messages(serial: str) -> str:
    """Everything that she was told, the last first."""
    applicant = _own(serial, db.reading())
    page = paging.page_of_query(outbox.of_applicant(applicant))
    return render_template(
        "applicant/messages.html", desk=_desk(serial), page=page,
        told=[outbox.told(message) for message in page.rows],
    )  # fmt: skip


@bp.post("/<serial>/prints/application")
def print_application(serial: str) -> Response:
    """Her 报名表 on paper, as she filled it in."""
    session = db.reading()
    applicant = _own(serial, session)
    number = applicant.number
    return print_desk.fetch(
        lambda: printing.application_form(session, applicant.round, applicant),
        f"application-{number}", _desk(serial).url("data"), "print.application",
        f"applicant/{number}", applicant.round,
    )  # fmt: skip


@bp.post("/<serial>/prints/offers/<key>/<form>")
def print_offer(serial: str, key: str, form: str) -> Response:
    """Her notice of admission, or the paper by which she gives a place up."""
    offer = auth.offer_of(key)
    if offer.round.serial != serial:
        abort(404)
    return print_desk.of_offer(offer, form, _desk(serial).url("result"))


@bp.post("/<serial>/prints/rechecks/<key>")
def print_recheck(serial: str, key: str) -> Response:
    """The answer to a recheck of hers."""
    hers = Recheck.applicant_id == _own(serial, db.reading()).id
    return print_desk.of_recheck(hers, key, _desk(serial).url("result"))


# --- her data ---------------------------------------------------------------------------------


def facts(session: Session, applicant: Applicant) -> list[tuple[str, str]]:
    """Everything that is stored of her in a round, as she may read it."""
    person = applicant.person
    listed = choices.submitted(session, applicant)
    given = application.consents(session, applicant)
    titles = {t.code: str(t.title) for t in application.TEXTS}
    yes, no = _("是"), _("否")
    return [
        (_("轮次"), f"{applicant.round.title} {applicant.round.serial}"),
        (_("报名号"), applicant.number),
        (_("状态"), codes.word(codes.APPLICANT_STATES, applicant.state)),
        (_("姓名"), person.name),
        (_("证件类型"), codes.word(codes.IDENTITY_TYPES, person.identity_type)),
        (_("证件号码"), people.number_of(person)),
        (_("性别"), codes.word(codes.SEXES, person.sex)),
        (_("出生日期"), person.birth_date.isoformat() if person.birth_date else ""),
        (_("手机"), people.telephone_of(person)),
        (_("现居住区市"), codes.word(codes.AREAS, applicant.district)),
        (_("户籍所在地"), codes.word(codes.AREAS, applicant.household_district)),
        (_("户口类型"), codes.word(codes.HOUSEHOLD_KINDS, applicant.household_kind)),
        (_("监护人姓名"), applicant.guardian),
        (_("与本人关系"), applicant.guardian_relation),
        (_("监护人电话"), people.guardian_telephone_of(applicant)),
        (_("学历"), codes.word(codes.HELD_EDUCATIONS, applicant.education)),
        (_("毕业学校"), applicant.school),
        (_("毕业年月"), applicant.graduated),
        (_("应届毕业"), yes if applicant.fresh else no),
        (_("现在的工作情况"), codes.word(codes.EMPLOYMENT, applicant.employment)),
        (_("技能等级"), codes.word(codes.SKILL_LEVELS, applicant.skill_level)),
        (_("证书编号"), applicant.certificate),
        (_("接受的学习形式"), codes.words(codes.STUDY_FORMS, applicant.study_forms)),
        (_("需要住宿"), yes if applicant.boarding else no),
        (_("身体条件"), codes.words(codes.HEALTH, applicant.health)),
        *((codes.word(codes.GROUPS, g.group), g.evidence or "—") for g in applicant.groups),
        (_("代填"), applicant.entered_by),
        *((titles.get(code, code), yes if c.given else no) for code, c in given.items()),
        (_("已提交的志愿"), _("、").join(listed.choices) if listed else ""),
    ]  # fmt: skip


@bp.route("/<serial>/data", methods=["GET", "POST"])
def data(serial: str) -> Page:
    """Her data: to read, take along, correct, withdraw, or have deleted."""
    session = db.reading()
    applicant = _own(serial, session)
    form = Deletion()
    if form.validate_on_submit():
        with db.writing() as writing:
            mine = _own(serial, writing)
            application.ask_deletion(writing, mine, auth.actor(), form.reason.data or "")
        flash(_("已登记。工作人员按保存期限的规定处理。"), "success")
        return redirect(_desk(serial).url("data"))
    return render_template(
        "applicant/data.html", desk=_desk(serial), applicant=applicant, round=applicant.round,
        facts=facts(session, applicant), form=form, open=entering.is_open(session, applicant),
        asked=application.deletion_asked(session, applicant),
    )  # fmt: skip


@bp.post("/<serial>/data/export")
def export(serial: str) -> Response:
    """Her data as a file."""
    session = db.reading()
    applicant = _own(serial, session)
    held = facts(session, applicant)
    name = f"data-{applicant.number}"
    if request.form.get("kind") == "json":
        entering.fetched(applicant, "export.own", "json")
        text = json.dumps([{"name": n, "value": v} for n, v in held], ensure_ascii=False, indent=1)
        answer = Response(text, mimetype="application/json")
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}.json"'
        return answer
    try:
        document = prints.own_data(_("我的资料"), held)
    except prints.Unprintable as error:
        flash(entering.unprintable(error), "error")
        return redirect(_desk(serial).url("data"))
    entering.fetched(applicant, "export.own", "pdf")
    return entering.pdf(document, f"{name}.pdf")


@bp.post("/<serial>/withdraw")
def withdraw(serial: str) -> Response:
    """Take the application back, before the review."""
    return _turn(serial, application.withdraw, _("已撤回报名。截止前可以恢复。"))


@bp.post("/<serial>/restore")
def restore(serial: str) -> Response:
    """Take a withdrawal back."""
    return _turn(serial, application.restore, _("已恢复报名。"))


def _turn(serial: str, act: Any, said: str) -> Response:
    try:
        with db.writing() as session:
            act(session, _own(serial, session), auth.actor())
        flash(said, "success")
    except rounds.Moved:
        flash(entering.closed_sentence(_desk(serial)), "error")
    return redirect(_desk(serial).url("data"))
