"""Pages on which an applicant answers: the places offered to her, giving one up, and the receipt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, flash, redirect, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from . import answers, application, auth, calendar, db, entering, offers
from .entering import Desk, Page
from .models import Applicant, Offer, Placement
from .models.outcome import HOLDING, OPEN
from .typed import whole


def mount(blueprint: Blueprint, place: str, find: Callable[[str, Session], Applicant]) -> None:
    """Give a blueprint the pages of answers below ``/<place>``."""
    empty = Desk(blueprint.name, place, find)
    for view, rule, methods in (
        (offered, "/offers", ["GET"]),
        (accept_offer, "/offers/<key>/accept", ["POST"]),
        (decline_offer, "/offers/<key>/decline", ["GET", "POST"]),
        (answer_receipt, "/offers/<key>/receipt", ["GET"]),
    ):
        blueprint.add_url_rule(
            f"/<{place}>{rule}", view.__name__, entering.bound(view, empty), methods=methods
        )


# --- what is said elsewhere -------------------------------------------------------------------

Asked = tuple[str, str, str]
"""What to do, where, and what the button says."""


def asked(session: Session, applicant: Applicant, desk: Desk) -> Asked | None:
    """The answer that she still owes, while answers are taken."""
    one = offers.open_of(session, applicant.id)
    if one is None or applicant.round.state != "CONFIRMING":
        return None
    if db.now(session) >= one.due_at:
        return None
    said = _("请在 %(time)s 前答复录取。", time=shown(one.due_at))
    return said, desk.url("offered"), _("去答复")


def stands(session: Session, applicant: Applicant, desk: Desk) -> Asked | None:
    """What she answered, once she was offered a place and nothing else is to do."""
    if applicant.round.state not in ("CONFIRMING", "FINAL"):
        return None
    code = offers.progress(session, applicant)
    if not code:
        return None
    return _("您的录取：%(state)s。", state=offers.PROGRESS[code]), desk.url("offered"), _("看录取")


def rule(session: Session, placement: Placement) -> list[str]:
    """Until when she must answer and what silence means, said before it counts."""
    round_, silence = placement.applicant.round, _("逾期未答复视为放弃。")
    one = offers.open_of(session, placement.applicant_id)
    if one is not None:
        return [_("请在 %(time)s 前答复录取。", time=shown(one.due_at)), silence]
    if round_.state != "PUBLISHED" or placement.program_id is None or not round_.notice_ends_at:
        return []
    try:
        first = offers.due(round_, round_.notice_ends_at)
    except calendar.NoCalendar:
        return [_("公示期满后，请按通知的日期答复。"), silence]
    return [
        _("公示期满后，请答复录取。"),
        _("答复截止不早于 %(time)s。", time=shown(first)),
        silence,
    ]


def shown(moment: datetime) -> str:
    """A moment on the clocks of the city."""
    return f"{calendar.local(moment):%Y-%m-%d %H:%M}"


# --- pages ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asking:
    """An offer as its page shows it: what may be answered now, and how long still."""

    offer: Offer
    left: str
    may_answer: bool
    may_wait: bool
    idle: str
    """Why there is nothing to wait for; blank where there is."""

    @property
    def open(self) -> bool:
        """Whether it was not answered yet."""
        return self.offer.state == OPEN


def _asking(session: Session, offer: Offer) -> Asking:
    round_, moment = offer.round, db.now(session)
    live = offer.state in offers.LIVE
    may = live and round_.state == "CONFIRMING" and moment < offer.due_at
    idle = answers.idle(session, offer) if may else ""
    wait = may and not idle and round_.waiting_ended_at is None
    return Asking(offer, entering.time_left(offer.due_at, moment), may, wait, idle)


def offered(desk: Desk) -> Page:
    """The places that she is offered or holds, with what each answer means."""
    session = db.reading()
    applicant = desk.applicant(session)
    every = offers.of_applicant(session, applicant)
    live = [o for o in every if o.state in offers.LIVE]
    return entering.render(
        "offers.html", desk, applicant, labels=offers.PROGRESS,
        live=[_asking(session, o) for o in sorted(live, key=lambda o: o.state != OPEN)],
        ended=[o for o in every if o.state not in offers.LIVE],
        minor=application.is_minor(session, applicant),
    )  # fmt: skip


def _own_offer(desk: Desk, session: Session, key: str) -> Offer:
    found = auth.offer_of(key, session)
    if found.applicant_id != desk.applicant(session).id:
        abort(404)
    return found


def _seen() -> int:
    return whole(request.form.get("version"))


def accept_offer(desk: Desk, key: str) -> Page:
    """Accept a place, waiting for a better one or not."""
    wait = request.form.get("answer") == "waiting"
    if not wait and request.form.get("answer") != "accepted":
        abort(400)

    def act(session: Session, offer: Offer, how: str) -> None:
        answers.see(session, offer, "waiting" if wait else "accepted")
        answers.accept(session, offer, auth.actor(), wait=wait, guardian_how=how, seen=_seen())

    return _answer(desk, key, act)


def decline_offer(desk: Desk, key: str) -> Page:
    """Asked once more, with what is lost; then given up for good."""
    session = db.reading()
    one = _own_offer(desk, session, key)
    if request.method == "POST" and request.form.get("sure"):
        return _answer(
            desk, key,
            lambda s, offer, how: answers.decline(
                s, offer, auth.actor(), guardian_how=how, seen=_seen()
            ),
        )  # fmt: skip
    if request.method == "POST":
        flash(_("请先勾选“我知道不能反悔”。"), "error")
    applicant = desk.applicant(session)
    held = offers.held_of(session, applicant.id)
    return entering.render(
        "decline.html", desk, applicant, one=_asking(session, one),
        kept=held if held is not None and held.id != one.id else None,
        other=one.state in HOLDING and offers.open_of(session, applicant.id),
        listed=applicant.round.waiting_ended_at is None,
        minor=application.is_minor(session, applicant),
    )  # fmt: skip


def _answer(desk: Desk, key: str, act: Callable[[Session, Offer, str], None]) -> Page:
    code = request.form.get("guardian_code", "").strip()[:40]
    try:
        with db.writing() as session:
            one = _own_offer(desk, session, key)
            act(session, one, application.guardian_how(session, one.applicant, code))
    except application.NoGuardian:
        flash(_("监护人码不对。请看激活单，或到柜台。"), "error")
    except answers.REFUSALS as error:
        flash(answers.sentence(error), "error")
    else:
        return redirect(desk.url("answer_receipt", key=key))
    return redirect(desk.url("offered"))


def answer_receipt(desk: Desk, key: str) -> Page:
    """What she answered, when, and how."""
    session = db.reading()
    applicant = desk.applicant(session)
    one = _own_offer(desk, session, key)
    if one.state == OPEN or one.answered_at is None:
        abort(404)
    return entering.render(
        "answer.html", desk, applicant, one=_asking(session, one), offer=one, labels=offers.LABELS,
        herself=one.answered_by.startswith("applicant:"),
    )  # fmt: skip
