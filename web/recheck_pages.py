"""Pages on which offices answer rechecks (复核): the tickets, what would follow, two people's answer.

A coordinator sees every ticket, a college those about scores that it entered, a district those about
the groups of its people.  Who would move, person by person, only coordinators see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from . import (
    auth,
    codes,
    compare,
    db,
    jobs,
    minimums,
    offices,
    paging,
    planning,
    policies,
    publication,
    rechecks,
    remedies,
    scoring,
    seats,
)
from .corrections import PASSED
from .models import Applicant, Recheck, Round, Run
from .offices import MUST, RowForm, choice, text
from .posting import Refused

KINDS = {
    "score": lazy_gettext("更正成绩"),
    "group": lazy_gettext("更正人员类别"),
    "review": lazy_gettext("更正审核结论"),
}
BY_ROLE = {"coordinator": tuple(KINDS), "college": ("score",), "district": ("group",)}
"""What each role may correct on a ticket."""

BY_MATTER = {"score": "score", "group": "group", "rule": "review"}
REFUSALS = (*offices.REFUSALS, rechecks.Outdated)
PICK = lazy_gettext("请选择")
SHOWN_MOVES = 200


class Counter(RowForm):
    """A recheck that somebody asks for at the counter."""

    number = text(lazy_gettext("报名号"), 40, must=True)
    matter = choice(lazy_gettext("对哪一项有疑问"), rechecks.MATTERS, PICK, must=MUST)
    words = text(lazy_gettext("申请人的疑问"), rechecks.MOST_WORDS, must=True, area=True)


class Scored(RowForm):
    """A component of a score as it should have been."""

    place = choice(lazy_gettext("哪一项成绩"), blank=PICK, must=MUST)
    value = text(lazy_gettext("更正为"), 20, must=True)


class Grouped(RowForm):
    """Whether she belongs to a group."""

    group = choice(lazy_gettext("人员类别"), codes.GROUPS, PICK, must=MUST)
    answer = choice(
        lazy_gettext("更正为"),
        {"verified": lazy_gettext("属实"), "refused": lazy_gettext("不认可")},
        must=MUST, radio=True,
    )  # fmt: skip


class Reviewed(RowForm):
    """The conclusion of the review as it should have been."""

    conclusion = choice(
        lazy_gettext("审核结论更正为"),
        {PASSED: lazy_gettext("通过"), **codes.REVIEWS},
        PICK,
        must=MUST,
    )


class AnswerForm(RowForm):
    """The answer that is proposed."""

    verdict = choice(lazy_gettext("结论"), rechecks.VERDICTS, must=MUST, radio=True)
    words = text(lazy_gettext("答复（申请人会看到）"), rechecks.MOST_WORDS, must=True, area=True)
    remedy = choice(
        lazy_gettext("补救办法"), {n: rechecks.REMEDIES[n] for n in ("seat", "first")}, radio=True
    )


class Back(RowForm):
    """Why somebody does not agree."""

    reason = text(lazy_gettext("原因"), 300, must=True)


FORMS: dict[str, type[RowForm]] = {"score": Scored, "group": Grouped, "review": Reviewed}


def mount(bp: Blueprint, below: str = "/<serial>") -> None:
    """Give an office's blueprint the pages of rechecks."""
    for view, rule, methods in (
        (rechecks_list, "", ["GET"]),
        (new_recheck, "/new", ["GET", "POST"]),
        (recheck, "/<key>", ["GET"]),
        (correct_recheck, "/<key>/correct", ["POST"]),
        (answer_recheck, "/<key>/answer", ["POST"]),
    ):
        bp.add_url_rule(f"{below}/rechecks{rule}", view.__name__, view, methods=methods)


def at(view: str, serial: str, **values: Any) -> str:
    """The address of one of these pages, for the role that is logged in."""
    return url_for(f"{current_user.role}.{view}", serial=serial, **values)


def layout() -> str:
    """The frame of the pages of the role that is logged in."""
    return (
        "coordinator/round_base.html"
        if current_user.role == "coordinator"
        else "offices/rechecks_base.html"
    )


# --- the tickets ------------------------------------------------------------------------------


def rechecks_list(serial: str) -> str | BaseResponse:
    """The tickets of an office, and for a coordinator what waits to be published."""
    round_, session = auth.round_of(serial), db.reading()
    held = rechecks.of_office(session, round_, current_user)
    leads = current_user.role == "coordinator"
    run = rechecks.run_together(session, round_) if leads else None
    page = render_template(
        "offices/rechecks.html", round=round_, layout=layout(), at=at, leads=leads, run=run,
        page=paging.page_of(held), matters=rechecks.MATTERS, states=rechecks.STATES,
        open=rechecks.OPEN, moment=db.now(session), endpoint=f"{current_user.role}.rechecks_list",
        waiting=rechecks.unpublished(session, round_) if leads else [], me=auth.actor().name,
        filing=planning.record_of(session, round_, planning.papers(session, round_)[-1]),
        follows_of=_follows(session, round_, run), can=rechecks.may_ask(session, round_, current_user.role),
    )  # fmt: skip
    return alive(page, run)


def new_recheck(serial: str) -> str | BaseResponse:
    """Enter what somebody asks for at the counter."""
    round_ = auth.round_of(serial)
    form = Counter()
    if form.validate_on_submit():
        try:
            with db.writing() as session:
                held = auth.round_of(serial, session)
                one = _applicant(session, held, form.number.data)
                if one is None:
                    raise Refused({"number": [_("没有这个报名号，或不归本单位办理。")]})
                made = rechecks.open_(session, one, form.matter.data, form.words.data, auth.actor())
        except offices.REFUSALS as error:
            form.take(error)
            round_ = auth.round_of(serial)
        else:
            flash(_("已登记，复核号 %(number)s。", number=made.number), "success")
            return redirect(at("rechecks_list", serial))
    return render_template(
        "offices/new_recheck.html", round=round_, layout=layout(), form=form, at=at,
        most=rechecks.MOST_WORDS,
    )  # fmt: skip


def _applicant(session: Session, round_: Round, number: str) -> Applicant | None:
    found = session.scalar(
        select(Applicant).where(Applicant.round_id == round_.id, Applicant.number == number)
    )
    return found if found is not None and auth.sees_applicant(session, found) else None


def recheck(serial: str, key: str) -> str | BaseResponse:
    """One ticket: what she asks, the correction, what would follow, the answer."""
    return ticket_page(serial, key)


def ticket_page(
    serial: str, key: str, *, correction: RowForm | None = None, answer: AnswerForm | None = None,
    back: Back | None = None,
) -> Response:  # fmt: skip
    """The page of a ticket, with the form that was not taken."""
    round_, session = auth.round_of(serial), db.reading()
    ticket = auth.recheck_of(round_, key)
    role = current_user.role
    kind = _kind(ticket)
    answer = answer or AnswerForm(formdata=None)
    answer.version.data = str(ticket.version)
    answer.remedy.choices = [(n, rechecks.REMEDIES[n]) for n in rechecks.remedies_of(round_)]
    place = rechecks.entitled(session, ticket) if round_.state == "CONFIRMING" else None
    typing = correction is not None or bool(answer.errors or answer.problems)
    page = render_template(
        "offices/recheck.html", typing=typing, round=round_, layout=layout(), at=at, ticket=ticket,
        leads=role == "coordinator",
        one=ticket.applicant, matters=rechecks.MATTERS, states=rechecks.STATES, verdicts=rechecks.VERDICTS,
        names=rechecks.REMEDIES, correction=correction or _form(session, ticket, kind), kind=kind,
        kinds={k: KINDS[k] for k in BY_ROLE[role]}, said=corrected_words(ticket), answer=answer,
        back=back or Back(formdata=None), current=rechecks.is_current(session, ticket), place=place,
        live=ticket.run is not None and ticket.run.state in jobs.LIVE,
        follows_of=_follows(session, round_, ticket.run), moment=db.now(session), me=auth.actor().name,
        granted=remedies.granted(session, ticket) if ticket.remedy in ("seat", "first") else None,
        stuck=remedies.stuck(session, ticket) if round_.state == "CONFIRMING" else "",
        ended=minimums.ended_classes(session, round_.id),
        exceeds=seats.exceeded(session, place[0]) if place else [],
        many=len(ticket.run.corrections) if ticket.run else 0,
    )  # fmt: skip
    return alive(page, None if typing else ticket.run)


def _kind(ticket: Recheck) -> str:
    """Which correction the page offers: the one asked for, else the one that the matter suggests."""
    allowed = BY_ROLE[current_user.role]
    asked = request.args.get("kind", "")
    suggested = BY_MATTER.get(ticket.matter, "")
    return asked if asked in allowed else suggested if suggested in allowed else ""


def _form(session: Session, ticket: Recheck, kind: str) -> RowForm | None:
    if not kind:
        return None
    form = FORMS[kind]()
    if kind == "score":
        form.place.choices = offices.options(_places(session, ticket), PICK)
    return form


def _places(session: Session, ticket: Recheck) -> dict[str, str]:
    """Where a score of hers may be corrected, each with what it is now."""
    policy = policies.current(session, ticket.round)
    office = rechecks.office_code(session, current_user)
    found = {}
    for target in rechecks.score_targets(session, ticket):
        held = scoring.scores(session, target, [ticket.applicant_id]).get(ticket.applicant_id)
        if office and (held is None or held.office != office):
            continue
        for part in target.components(policy):
            stored = scoring.show_component(getattr(held, part)) if held else ""
            found[f"{target.name}/{part}"] = (
                f"{target.name} · {codes.word(codes.COMPONENTS, part)} · {stored or '—'}"
            )
    return found


def corrected_words(ticket: Recheck) -> str:
    """What a ticket corrects, in words."""
    held = ticket.correction
    if not held:
        return ""
    said = _corrected(held)
    if held.get("without"):
        said += _("；不再考虑 %(classes)s", classes="、".join(held["without"]))
    return said


def _corrected(held: Mapping[str, Any]) -> str:
    if held["kind"] == "score":
        part = codes.word(codes.COMPONENTS, held["component"])
        before, after = (scoring.show_component(held[n]) for n in ("before", "after"))
        return f"{held['program'] or held['channel']} · {part}{_('：')}{before or '—'} → {after}"
    if held["kind"] == "group":
        said = _("属实") if held["after"] == "verified" else _("不认可")
        return f"{codes.word(codes.GROUPS, held['group'])}{_('：')}{said}"
    said = _("通过") if held["after"] == PASSED else codes.word(codes.REVIEWS, held["after"])
    return f"{_('资格审核')}{_('：')}{said}"


def _follows(session: Session, round_: Round, run: Run | None) -> dict[str, Any] | None:
    """What a run with corrections changes in what is published."""
    published = publication.publication_of(session, round_)
    if run is None or published is None or not run.summary.get("report"):
        return None
    moves = compare.moves(session, round_, published.run, run)
    before, after = (
        {c["order_class"] for c in compare.closed_of(one)} for one in (published.run, run)
    )
    return {
        "moves": moves[:SHOWN_MOVES], "total": len(moves), "shown": SHOWN_MOVES,
        "counts": compare.counted(moves), "opens": sorted(before - after),
        "closes": sorted(after - before),
        "placed": [compare.report_of(one)["placed"] for one in (published.run, run)],
    }  # fmt: skip


def alive(page: str, run: Run | None) -> Response:
    """The page; while its run is on its way the browser asks for it again, without any script."""
    response = make_response(page)
    if run is not None and run.state in jobs.LIVE and request.method == "GET":
        response.headers["Refresh"] = "3"
    return response


# --- correcting and answering -----------------------------------------------------------------


def correct_recheck(serial: str, key: str) -> BaseResponse:
    """Type what is wrong, or take it back; what would follow is worked out at once."""
    ticket = auth.recheck_of(auth.round_of(serial), key)
    kind = _kind(ticket)
    form = _form(db.reading(), ticket, kind)
    drop = request.form.get("act") == "drop"
    if not drop and form is None:
        abort(400)
    if form is not None and not drop and not form.validate_on_submit():
        return ticket_page(serial, key, correction=form)
    try:
        with db.writing() as session:
            held = auth.recheck_of(auth.round_of(serial, session), key, session)
            typed = {} if drop or form is None else _typed(session, held, kind, form)
            rechecks.correct(session, held, typed, auth.actor())
    except REFUSALS as error:
        if drop or form is None:
            say(error)
            return redirect(at("recheck", serial, key=key))
        form.take(error)
        return ticket_page(serial, key, correction=form)
    flash(_("已撤销更正。") if drop else _("已记下，正在推算后果。"), "success")
    return redirect(at("recheck", serial, key=key))


def _typed(session: Session, ticket: Recheck, kind: str, form: RowForm) -> dict[str, Any]:
    if kind == "score":
        office = rechecks.office_code(session, current_user)
        return rechecks.score_correction(session, ticket, form.place.data, form.value.data, office)
    if kind == "group":
        return rechecks.group_correction(ticket, form.group.data, form.answer.data)
    return rechecks.review_correction(ticket, form.conclusion.data)


def answer_recheck(serial: str, key: str) -> BaseResponse:
    """Propose the answer."""
    auth.recheck_of(auth.round_of(serial), key)
    form = AnswerForm()
    if not form.validate_on_submit():
        return ticket_page(serial, key, answer=form)
    try:
        with db.writing() as session:
            held = auth.recheck_of(auth.round_of(serial, session), key, session)
            rechecks.answer(
                session, held, form.verdict.data, form.words.data, auth.actor(),
                form.remedy.data or "", form.seen,
            )  # fmt: skip
    except rechecks.Outdated:
        form.problems.append(str(OUTDATED))
    except offices.REFUSALS as error:
        form.take(error)
    else:
        flash(_("已拟答复，请另一位协调员确认。"), "success")
        return redirect(at("recheck", serial, key=key))
    return ticket_page(serial, key, answer=form)


OUTDATED = lazy_gettext("后果还没有推算，或推算之后又有变化；请重新推算，看过再办。")


def say(error: Exception) -> None:
    """Say why a button did nothing."""
    if isinstance(error, rechecks.Outdated):
        flash(str(OUTDATED), "error")
    else:
        offices.flash_refusal(error)
