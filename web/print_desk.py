"""The page of printed forms of an office: one button a form, and notices by the thousand.

A coordinator and a college have the same page, mounted twice (:func:`mount`); a college prints of its
own classes only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import (
    Blueprint,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import Length

from . import (
    auth,
    db,
    entering,
    jobs,
    notice_job,
    offers,
    printing,
    publication,
    rounds,
)
from .audit import record
from .models import Applicant, Enterprise, Offer, OrderClass, Program, Recheck, Round, Run
from .offices import Action
from .paper import Unprintable

STATES = {
    "QUEUED": _l("排队"), "RUNNING": _l("正在打印"), "VERIFIED": _l("可以下载"),
    "FAILED": _l("没有印成"), "CANCELLED": _l("已取消"),
}  # fmt: skip
SHOWN_RUNS = 5


class Batch(FlaskForm):  # type: ignore[misc]
    """What all notices say of the check-in; blank leaves room to write."""

    day = StringField(validators=[Length(max=60)], filters=[lambda v: (v or "").strip()])
    place = StringField(validators=[Length(max=100)], filters=[lambda v: (v or "").strip()])


def fetch(
    make: Callable[[], bytes | None], name: str, back: str, action: str, row: str, round_: Round
) -> Response:
    """A form as a file, its leaving on record; a character that the font lacks is named instead."""
    try:
        document = make()
    except Unprintable as error:
        flash(entering.unprintable(error), "error")
        return redirect(back)
    if document is None:
        abort(404)
    with db.writing() as session:
        record(session, auth.actor(), action, row, round_id=round_.id)
    return entering.pdf(document, f"{name}.pdf")


def mount(bp: Blueprint, base: str, whole: bool) -> None:
    """Give an office's blueprint the page; ``whole`` where it prints of all colleges."""

    def home_of(serial: str) -> str:
        return url_for(f"{bp.name}.prints", serial=serial)

    def college() -> str:
        return "" if whole else auth.own_college().code

    @bp.get(f"{base}/<serial>/prints")
    def prints(serial: str) -> Response:
        """Every form that the office prints, and the notices that it asked for."""
        round_ = auth.round_of(serial)
        return _page(bp.name, whole, round_, college(), Batch(formdata=None))

    @bp.post(f"{base}/<serial>/prints/roster/<code>")
    def print_roster(serial: str, code: str) -> Response:
        """班级花名册."""
        round_ = auth.round_of(serial)
        class_ = auth.class_of(round_, code)
        if round_.state not in printing.SHOWN:
            abort(404)
        return auth.password_first() or fetch(
            lambda: printing.roster(db.reading(), class_), f"roster-{serial}-{code}",
            home_of(serial), "print.roster", f"class/{code}", round_,
        )  # fmt: skip

    @bp.post(f"{base}/<serial>/prints/notices")
    def print_notices(serial: str) -> Response:
        """Ask for the notices of all who have a place."""
        round_, form = auth.round_of(serial), Batch()
        if not form.validate_on_submit():
            return _page(bp.name, whole, round_, college(), form)
        address = url_for("public.placed", key="", _external=True)
        try:
            with db.writing() as session:
                notice_job.queue(
                    session, auth.round_of(serial, session), college(), address,
                    form.day.data, form.place.data, auth.actor(),
                )  # fmt: skip
        except notice_job.Nobody:
            flash(_("现在没有人有录取，不用印通知书。"), "error")
        except notice_job.Already:
            flash(_("已在打印，请等它完成。"), "warning")
        else:
            flash(_("已开始打印，完成后在这里下载。"), "success")
        return redirect(home_of(serial))

    @bp.post(f"{base}/<serial>/prints/notices/<key>/cancel")
    def cancel_notices(serial: str, key: str) -> Response:
        """Stop a print."""
        auth.notices_of(auth.round_of(serial), key)
        try:
            with db.writing() as session:
                held = auth.notices_of(auth.round_of(serial, session), key, session)
                jobs.cancel(session, held, auth.actor())
        except rounds.Moved:
            flash(_("已经结束，没有可取消的。"), "warning")
        else:
            flash(_("已取消打印。"), "success")
        return redirect(home_of(serial))

    @bp.post(f"{base}/<serial>/prints/notices/<key>/file")
    def fetch_notices(serial: str, key: str) -> Response:
        """The notices as one file."""
        round_ = auth.round_of(serial)
        held = auth.notices_of(round_, key)
        path = notice_job.document_of(held)
        if held.state != "VERIFIED" or not path.is_file():
            abort(404)
        if (first := auth.password_first()) is not None:
            return first
        with db.writing() as session:
            record(
                session, auth.actor(), "print.notices", f"run/{key}", round_id=round_.id,
                after={"notices": held.summary["notices"]},
            )  # fmt: skip
        return send_file(path, as_attachment=True, download_name=f"notices-{serial}-{key}.pdf")

    @bp.post(f"{base}/<serial>/prints/offers/<key>/<form>")
    def print_offer(serial: str, key: str, form: str) -> Response:
        """A form about one person's place: her notice of admission, or 放弃录取声明."""
        offer = auth.offer_of(key)
        if offer.round.serial != serial:
            abort(404)
        back = url_for(f"{bp.name}.prints", serial=serial, number=offer.applicant.number)
        return of_offer(offer, form, back)


def of_offer(offer: Offer, form: str, back: str) -> Response:
    """A form about a place: ``notice`` as long as it is open or held, or ``waiver``."""

    def make() -> bytes | None:
        session = db.reading()
        if offer.round.state not in printing.SHOWN:
            return None
        if form == "notice" and offer.state in offers.LIVE:
            address = url_for("public.placed", key="", _external=True)
            return printing.admission(session, offer, address)
        if form == "waiver" and offer.state in (*offers.LIVE, "declined"):
            return printing.waiver(session, offer)
        return None

    number = offer.applicant.number
    return fetch(
        make, f"{form}-{number}", back, f"print.{form}", f"applicant/{number}", offer.round
    )


def of_recheck(whose: ColumnElement[bool], key: str, back: str) -> Response:
    """复核答复书 of a recheck that was answered and is ``whose``; 404 for any other."""
    held = db.reading().scalar(
        select(Recheck).where(whose, Recheck.key == key, Recheck.state.in_(printing.ANSWERED))
    )
    if held is None:
        abort(404)
    return fetch(
        lambda: printing.recheck_answer(db.reading(), held), f"recheck-{held.number}", back,
        "print.recheck", f"recheck/{held.number}", held.round,
    )  # fmt: skip


def _page(blueprint: str, whole: bool, round_: Round, college: str, form: Batch) -> Response:
    session = db.reading()
    runs = notice_job.of(session, round_, college)[:SHOWN_RUNS]
    classes = select(OrderClass).where(OrderClass.round_id == round_.id).order_by(OrderClass.code)
    if not whole:
        classes = classes.where(OrderClass.college_id == auth.own_college().id)
    number = request.args.get("number", "").strip()
    page = render_template(
        f"{blueprint}/prints.html",
        blueprint=blueprint, action=_action(round_, runs), whole=whole, round=round_,
        shown=round_.state in printing.SHOWN, classes=session.scalars(classes).all(), runs=runs,
        states=STATES, form=form, elapsed={run.id: _elapsed(session, run) for run in runs},
        enterprises=_enterprises(session, round_) if whole else [],
        number=number, offers=_offers(session, round_, number, college) if number else [],
        rechecks=_rechecks(session, round_, number) if number and whole else [],
        labels=offers.LABELS, live=offers.LIVE, noticed=publication.notice_runs(session, round_),
    )  # fmt: skip
    answer: Response = make_response(page)
    if any(run.state in jobs.LIVE for run in runs) and request.method == "GET":
        answer.headers["Refresh"] = "3"
    return answer


def _action(round_: Round, runs: Sequence[Run]) -> Action:
    """What to do next on the page, or what it waits for."""
    if round_.state not in printing.SHOWN:
        return Action(_("等待确认开始"), why=_("公示结束后才能打印录取通知书。"))
    if not runs:
        return Action(_("打印录取通知书"), why=_("一次印全部，完成后在这里下载。"))
    return Action(_("下载录取通知书"), why=str(STATES[runs[0].state]))


def _elapsed(session: Session, run: Run) -> int:
    """Seconds since it was begun, or that it took."""
    if run.started_at is None:
        return 0
    return round(((run.ended_at or db.now(session)) - run.started_at).total_seconds())


def _enterprises(session: Session, round_: Round) -> Sequence[Enterprise]:
    return session.scalars(
        select(Enterprise)
        .join(Program)
        .join(OrderClass)
        .where(OrderClass.round_id == round_.id)
        .distinct()
        .order_by(Enterprise.code)
    ).all()


def _offers(session: Session, round_: Round, number: str, college: str) -> Sequence[Offer]:
    states = (*offers.LIVE, "declined")
    found = printing.offers_of(session, round_, college, states)
    return [offer for offer in found if offer.applicant.number == number]


def _rechecks(session: Session, round_: Round, number: str) -> Sequence[Recheck]:
    return session.scalars(
        select(Recheck)
        .join(Applicant, Applicant.id == Recheck.applicant_id)
        .where(
            Recheck.round_id == round_.id, Applicant.number == number,
            Recheck.state.in_(printing.ANSWERED),
        )
        .order_by(Recheck.id)
    ).all()  # fmt: skip
