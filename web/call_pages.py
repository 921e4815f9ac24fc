"""Pages of an office on answers to offers: who has not answered, calls, answers at the counter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from . import (
    answers,
    application,
    auth,
    calls,
    db,
    offer_pages,
    offers,
    paging,
    people,
    privacy,
    rounds,
    workbooks,
)
from .audit import record
from .models import Offer, Round
from .offices import MUST, RowForm, choice, flag, text


class CallForm(RowForm):
    """电话联系记录."""

    outcome = choice(lazy_gettext("联系结果"), calls.OUTCOMES, must=MUST, radio=True)
    note = text(lazy_gettext("备注"), 200)


class CounterForm(RowForm):
    """An answer given in person."""

    answer = choice(lazy_gettext("本人的答复"), answers.ANSWERS, must=MUST, radio=True)
    identity_seen = flag(lazy_gettext("已核对本人证件"))
    paper = text(lazy_gettext("本人签字件编号"), 40, must=True)
    guardian_paper = text(lazy_gettext("监护人签字件编号（未满 18 岁必填）"), 40)


@dataclass(frozen=True)
class Wanted:
    """What the list is asked for: one class, and whether those who answered are shown as well."""

    code: str
    everybody: bool

    @classmethod
    def asked(cls) -> Wanted:
        """As the address, or the form of an export, says."""
        held = request.values
        return cls(held.get("class", "")[:40], held.get("show") == "all")

    def parts(self) -> dict[str, str]:
        """For the address of the list."""
        found = {"class": self.code, "show": "all" if self.everybody else ""}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True)
class Line:
    """Somebody to be called, with the numbers under which she and her guardian are reached."""

    offer: Offer
    telephone: str
    guardian: str


def mount(bp: Blueprint, prefix: str, college: Callable[[], int | None]) -> None:
    """Give an office's blueprint the pages below ``prefix``; ``college()`` is whose offers it sees."""

    def there(view: str, **parts: Any) -> str:
        return url_for(f"{bp.name}.{view}", **parts)

    @bp.get(f"{prefix}/offers")
    def offer_list(serial: str) -> str:
        """Who has not answered."""
        session, round_, wanted = db.reading(), auth.round_of(serial), Wanted.asked()
        page = paging.page_of_query(calls.query(round_, college(), wanted.code, wanted.everybody))
        return render_template(
            "offices/offers.html", round=round_, page=page, wanted=wanted,
            classes=calls.classes(session, round_, college()), last=calls.last(session, page.rows),
            outcomes=calls.OUTCOMES, labels=offers.LABELS, mine=college() is not None,
        )  # fmt: skip

    @bp.post(f"{prefix}/offers/print")
    def offer_print(serial: str) -> str | Response:
        """The list with telephone numbers, to print and call by."""
        auth.round_of(serial)
        if (first := auth.password_first()) is not None:
            return first
        round_, lines = _taken(serial, college(), "print")
        return render_template(
            "offices/offers_print.html", round=round_, lines=lines, labels=offers.LABELS,
            back=there("offer_list", serial=serial, **Wanted.asked().parts()),
        )  # fmt: skip

    @bp.post(f"{prefix}/offers/xlsx")
    def offer_workbook(serial: str) -> Response:
        """The same as a workbook."""
        auth.round_of(serial)
        if (first := auth.password_first()) is not None:
            return first
        round_, lines = _taken(serial, college(), "xlsx")
        return send_file(
            BytesIO(_workbook(lines)), mimetype=workbooks.XLSX, as_attachment=True,
            download_name=f"{_('未答复名单')}-{round_.serial}.xlsx",
        )  # fmt: skip

    @bp.get(f"{prefix}/offers/<key>")
    def offer_page(serial: str, key: str) -> str:
        """One offer: calls about it, and the answer at the counter."""
        return _page(serial, key)

    @bp.post(f"{prefix}/offers/<key>/telephone")
    def offer_telephone(serial: str, key: str) -> str:
        """The same with the telephone numbers; that they were looked at is recorded."""
        _of(serial, key)
        with db.writing() as session:
            one = auth.offer_of(key, session)
            record(
                session, auth.actor(), "offer.telephone", f"offer/{one.key}", round_id=one.round_id
            )
        return _page(serial, key, shown=True)

    @bp.post(f"{prefix}/offers/<key>/calls")
    def offer_call(serial: str, key: str) -> str | Response:
        """Record a call."""
        _of(serial, key)
        form = CallForm()
        if not form.validate_on_submit():
            return _page(serial, key, call=form)
        try:
            with db.writing() as session:
                one = auth.offer_of(key, session)
                calls.note(session, one, form.outcome.data, form.note.data, auth.actor())
        except answers.REFUSALS as error:
            form.problems.append(answers.sentence(error))
            return _page(serial, key, call=form)
        flash(_("联系记录已保存。"), "success")
        return redirect(there("offer_page", serial=serial, key=key))

    @bp.post(f"{prefix}/offers/<key>/answer")
    def offer_answer(serial: str, key: str) -> str | Response:
        """Record the answer that she gave in person."""
        _of(serial, key)
        form = CounterForm()
        if not form.validate_on_submit():
            return _page(serial, key, counter=form)
        try:
            with db.writing() as session:
                one = auth.offer_of(key, session)
                answers.see(session, one, form.answer.data)
                answers.answer_at_counter(
                    session, one, form.answer.data, auth.actor(),
                    identity_seen=form.identity_seen.data, paper=form.paper.data,
                    guardian_paper=form.guardian_paper.data, seen=form.seen,
                )  # fmt: skip
        except answers.REFUSALS as error:
            form.problems.append(answers.sentence(error))
            return _page(serial, key, counter=form)
        flash(_("答复已记录。"), "success")
        return redirect(there("offer_page", serial=serial, key=key))

    def _page(
        serial: str,
        key: str,
        shown: bool = False,
        call: CallForm | None = None,
        counter: CounterForm | None = None,
    ) -> str:
        one, session = _of(serial, key), db.reading()
        counter = counter or CounterForm(formdata=None)
        counter.version.data = str(one.version)
        refusal = _refusal(session, one)
        idle = answers.idle(session, one) if not refusal else ""
        if idle or one.round.waiting_ended_at is not None:
            kept = {code: said for code, said in answers.ANSWERS.items() if code != "waiting"}
            counter.answer.choices = list(kept.items())
        line = _line(one, plain=shown)
        return render_template(
            "offices/offer.html", round=one.round, one=one, line=line, shown=shown,
            call=call or CallForm(formdata=None), counter=counter, refusal=refusal, idle=idle,
            calls=calls.of_offer(session, one), outcomes=calls.OUTCOMES, labels=offers.LABELS,
            minor=application.is_minor(session, one.applicant),
        )  # fmt: skip


def _of(serial: str, key: str) -> Offer:
    """An offer of that round, for the offices that see it."""
    round_, one = auth.round_of(serial), auth.offer_of(key)
    if one.round_id != round_.id:
        abort(404)
    return one


def _refusal(session: Session, offer: Offer) -> str:
    """Why no answer is taken now; blank where one is."""
    error: Exception | None = None
    if offer.round.state != "CONFIRMING":
        error = rounds.Moved(offer.round.state)
    elif offer.state not in offers.LIVE:
        error = offers.Answered(offer.state)
    elif db.now(session) >= offer.due_at:
        error = answers.Late()
    return answers.sentence(error) if error else ""


def _line(offer: Offer, plain: bool) -> Line:
    """The numbers, masked unless asked for plainly."""
    who = offer.applicant
    found = people.telephone_of(who.person), people.guardian_telephone_of(who)
    told = found if plain else tuple(privacy.mask_telephone(n) if n else "" for n in found)
    guardian = f"{who.guardian} {told[1]}".strip()
    return Line(offer, told[0], guardian)


def _taken(serial: str, college_id: int | None, kind: str) -> tuple[Round, list[Line]]:
    """The list that is asked for, with plain numbers; that it was taken is recorded."""
    wanted = Wanted.asked()
    with db.writing() as session:
        round_ = auth.round_of(serial, session)
        rows = session.scalars(calls.query(round_, college_id, wanted.code, wanted.everybody)).all()
        calls.log(session, round_, kind, len(rows), wanted.parts(), auth.actor())
    return round_, [_line(row, plain=True) for row in rows]


def _workbook(lines: list[Line]) -> bytes:
    headings = [
        _("报名号"), _("姓名"), _("院校"), _("班级"), _("手机"), _("监护人"), _("截止"), _("答复"),
    ]  # fmt: skip
    rows = [
        (
            line.offer.applicant.number, line.offer.applicant.person.name,
            line.offer.program.order_class.college.name, line.offer.program.order_class.name,
            line.telephone, line.guardian, offer_pages.shown(line.offer.due_at),
            str(offers.LABELS[line.offer.state]),
        )
        for line in lines
    ]  # fmt: skip
    layout = workbooks.Layout(_("未答复名单"), headings, texts=frozenset(range(len(headings))))
    return workbooks.write(layout, rows)
