"""Pages of agreements for their offices: the ledger (台账), one agreement, signing one or many.

A college, an enterprise and the coordinators have the same pages, each of its own rows (:func:`mount`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import force_locale, lazy_gettext
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from . import (
    agreement_print,
    agreement_terms,
    agreement_texts,
    agreements,
    auth,
    calendar,
    db,
    entering,
    offers,
    offices,
    paging,
    policies,
    prints,
    stages,
    words,
    workbooks,
)
from .agreement_texts import PARTIES
from .agreements import COUNTER, STATES
from .audit import record
from .models import Agreement, Round
from .offices import REFUSALS, Plain, RowForm, choice, text

FILTERS: dict[str, Any] = {
    **STATES,
    "student": lazy_gettext("等学生签"),
    "guardian": lazy_gettext("等监护人签"),
    "enterprise": lazy_gettext("等企业签"),
    "college": lazy_gettext("等院校签"),
}
OFFICES = ("college", "enterprise")
"""Roles that sign for their office."""


class AskForm(RowForm):
    """A change or an end that somebody asks for."""

    kind = choice(lazy_gettext("要办什么"), agreements.ASKS, must=offices.MUST, radio=True)
    reason = text(lazy_gettext("原因"), 500, must=True, area=True)


class PaperForm(RowForm):
    """The number of the signed and stamped paper."""

    paper = text(lazy_gettext("纸质文本编号"), 60, must=True)


class CounterForm(RowForm):
    """A signature on paper, recorded at the counter."""

    party = choice(
        lazy_gettext("谁签的"),
        {p: PARTIES[p] for p in ("student", "guardian")},
        must=offices.MUST,
        radio=True,
    )
    name = text(lazy_gettext("签名人姓名"), 50, must=True)
    paper = text(lazy_gettext("纸质文本编号"), 60, must=True)


def own() -> dict[str, int]:
    """Whose rows the user sees: her office's; a coordinator all."""
    if current_user.role == "college":
        return {"college_id": auth.own_college().id}
    if current_user.role == "enterprise":
        return {"enterprise_id": auth.own_enterprise().id}
    return {}


def signer() -> str:
    """The name that stands beside an office's signature."""
    return str(current_user.name or current_user.username)


def _asked() -> str:
    state = request.args.get("state", "")
    return state if state in FILTERS else ""


def mount(bp: Blueprint, prefix: str = "") -> None:
    """Give an office's blueprint the pages of its agreements."""

    def back(key: str) -> Response:
        return redirect(url_for(f"{bp.name}.show_agreement", key=key))

    def act(key: str, said: str, service: Callable[[Any, Agreement], Any]) -> Response:
        """Do something to one agreement, and say so or why not."""
        auth.agreement_of(key)
        try:
            with db.writing() as session:
                service(session, auth.agreement_of(key, session))
        except REFUSALS as error:
            offices.flash_refusal(error)
        else:
            flash(said, "success")
        return back(key)

    @bp.get(f"{prefix}/<serial>/agreements")
    def agreements_page(serial: str) -> str:
        """The ledger: every agreement, filtered by state, with what is still to be made."""
        round_, state, held = auth.round_of(serial), _asked(), db.reading()
        query = agreements.ledger(round_, state, **own())
        missing = agreements.without(held, round_, **own())
        size = agreements.MOST_SHOWN if "all" in request.args else paging.PAGE
        policy = policies.current(held, round_)
        return render_template(
            "agreements/ledger.html", round=round_, page=paging.page_of_query(query, size),
            state=state, filters=FILTERS, states=STATES, parties=PARTIES, agreements=agreements,
            missing=[(offer, agreement_terms.bars(offer, policy)) for offer in missing],
            mine=current_user.role if current_user.role in OFFICES else "", form=Plain(),
            sentence=agreement_terms.sentence, way_out=agreement_terms.way_out(),
            refusal=stages.refusal(held, round_, "agreement"), moment=db.now(held),
        )  # fmt: skip

    @bp.post(f"{prefix}/<serial>/agreements/make")
    def make_agreements(serial: str) -> Response:
        """Make what is missing."""
        auth.round_of(serial)
        try:
            with db.writing() as session:
                round_ = auth.round_of(serial, session)
                done = agreements.make_due(session, round_, auth.actor(), **own())
        except REFUSALS as error:
            offices.flash_refusal(error)
        else:
            flash(_("已生成 %(n)s 份协议。", n=len(done.made)), "success")
            if done.barred:
                flash(_("有 %(n)s 人不能生成，原因见下表。", n=len(done.barred)), "warning")
        return redirect(url_for(f"{bp.name}.agreements_page", serial=serial))

    @bp.post(f"{prefix}/<serial>/agreements/export")
    def export_agreements(serial: str) -> Response:
        """The ledger as a workbook, filtered as shown; taking it is recorded."""
        round_ = auth.round_of(serial)
        if (first := auth.password_first()) is not None:
            return first
        data = workbook(db.reading().scalars(agreements.ledger(round_, _asked(), **own())).all())
        with db.writing() as session:
            record(session, auth.actor(), "export", f"agreements/{round_.serial}",
                   round_id=round_.id, after={"format": "xlsx", "only": {"state": _asked()}})  # fmt: skip
        return send_file(
            BytesIO(data), mimetype=workbooks.XLSX, as_attachment=True,
            download_name=f"agreements-{round_.serial}.xlsx",
        )  # fmt: skip

    @bp.get(f"{prefix}/agreements/<key>")
    def show_agreement(key: str) -> str:
        """One agreement in full, who signed it, and what can be done."""
        return one_page(key)

    def one_page(key: str, **forms: RowForm) -> str:
        agreement = auth.agreement_of(key)
        round_ = agreement.offer.round
        blank: dict[str, RowForm] = {
            "ask": AskForm(formdata=None, version=str(agreement.version)),
            "paper": PaperForm(formdata=None),
            "counter": CounterForm(formdata=None),
        }
        return render_template(
            "agreements/one.html", round=round_, one=agreement, agreements=agreements,
            lines=list(agreement_texts.lines(agreements.text_of(agreement))), parties=PARTIES,
            states=STATES, asks=agreements.ASKS, ending=offers.LABELS, me=auth.actor().name,
            mine=current_user.role if current_user.role in OFFICES else "",
            counter=current_user.role in COUNTER, forms=blank | forms, how=how,
            refusal=stages.refusal(db.reading(), round_, "agreement"),
        )  # fmt: skip

    @bp.post(f"{prefix}/agreements/<key>/pdf")
    def agreement_pdf(key: str) -> Response:
        """The agreement on paper, to be signed and stamped."""
        agreement = auth.agreement_of(key)
        return pdf(agreement, url_for(f"{bp.name}.show_agreement", key=key))

    @bp.post(f"{prefix}/agreements/<key>/paper")
    def file_agreement(key: str) -> str | Response:
        """Record the signed and stamped paper."""
        form = PaperForm()
        if not form.validate_on_submit():
            return one_page(key, paper=form)
        return act(key, _("纸质文本已归档。"), lambda session, held: agreements.record_paper(
            session, held, form.paper.data, auth.actor()))  # fmt: skip

    @bp.post(f"{prefix}/agreements/<key>/counter")
    def counter_signature(key: str) -> str | Response:
        """Record a signature that was put on paper at the counter."""
        form = CounterForm()
        if not form.validate_on_submit():
            return one_page(key, counter=form)
        return act(key, _("纸质签名已登记。"), lambda session, held: agreements.sign_on_paper(
            session, held, form.party.data, form.name.data, form.paper.data, auth.actor()))  # fmt: skip

    @bp.post(f"{prefix}/agreements/<key>/ask")
    def ask_agreement(key: str) -> str | Response:
        """Ask for a change, or an end."""
        form = AskForm()
        if not form.validate_on_submit():
            return one_page(key, ask=form)
        return act(key, _("已提出，等另一人确认。"), lambda session, held: agreements.ask(
            session, held, form.kind.data, form.reason.data, form.seen, auth.actor()))  # fmt: skip

    @bp.post(f"{prefix}/agreements/<key>/drop")
    def drop_agreement(key: str) -> Response:
        """Take the request back."""
        return act(key, _("已撤回。"), lambda session, held: agreements.drop(
            session, held, auth.actor()))  # fmt: skip

    @bp.post(f"{prefix}/agreements/<key>/confirm")
    @auth.fresh
    def confirm_agreement(key: str) -> Response:
        """Confirm another person's request."""
        return act(key, _("已办理，原来的签署失效。"), lambda session, held: agreements.confirm(
            session, held, auth.actor()))  # fmt: skip

    if bp.name not in OFFICES:
        return

    @bp.post(f"{prefix}/agreements/<key>/sign")
    @auth.fresh
    def sign_agreement(key: str) -> Response:
        """Sign for the office."""
        digest = request.form.get("digest", "")
        return act(key, _("已签。"), lambda session, held: agreements.sign(
            session, held, bp.name, signer(), digest, auth.actor()))  # fmt: skip

    @bp.post(f"{prefix}/<serial>/agreements/sign")
    @auth.fresh
    def sign_agreements(serial: str) -> Response:
        """Sign every agreement that was ticked."""
        auth.round_of(serial)
        ticked = dict(
            part.split(":", 1) for part in request.form.getlist("ticked") if part.count(":") == 1
        )
        if not ticked:
            flash(_("请先勾选要签的协议。"), "error")
        else:
            _sign_ticked(ticked, bp.name)
        return redirect(url_for(f"{bp.name}.agreements_page", serial=serial, state=bp.name))


def _sign_ticked(ticked: dict[str, str], party: str) -> None:
    try:
        with db.writing() as session:
            wanted = {auth.agreement_of(key, session).id: digest for key, digest in ticked.items()}
            done, left = agreements.sign_many(session, wanted, party, signer(), auth.actor())
    except REFUSALS as error:
        offices.flash_refusal(error)
        return
    flash(_("已签 %(n)s 份。", n=done), "success")
    if left:
        flash(_("有 %(n)s 份没有签：已签过、过期或文本已变。", n=left), "warning")


# --- what is shown ----------------------------------------------------------------------------


def how(kind: str) -> str:
    """How somebody signed, in words."""
    if kind.startswith("paper:"):
        return str(_("纸质签名 %(number)s", number=kind.removeprefix("paper:")))
    return str(_("监护人码") if kind == "code" else _("电子确认"))


def pdf(agreement: Agreement, back: str) -> Response:
    """An agreement as PDF; taking it is recorded.  Once its names are gone only the filed paper is it."""
    if agreement.offer.applicant.removed_at is not None:
        abort(404)
    try:
        document = agreement_print.agreement(agreement, agreements.text_of(agreement))
    except prints.Unprintable as error:
        flash(entering.unprintable(error), "error")
        return redirect(back)
    with db.writing() as session:
        record(session, auth.actor(), "print.agreement", f"agreement/{agreement.number}",
               round_id=agreement.offer.round_id)  # fmt: skip
    return entering.pdf(document, f"agreement-{agreement.number}.pdf")


def workbook(rows: Sequence[Agreement]) -> bytes:
    """The ledger as a workbook, in Chinese."""
    with force_locale(words.LANGUAGES["zh"]):
        headings = [
            _("协议编号"), _("报名号"), _("姓名"), _("院校"), _("企业"), _("班级"), _("状态"),
            *map(str, PARTIES.values()), _("签署期限"), _("生效时间"), _("纸质文本编号"), _("原因"),
        ]  # fmt: skip
        return workbooks.write(
            workbooks.Layout(str(_("协议台账")), headings, texts=frozenset({0, 1, 13})),
            map(_line, rows),
        )


def _line(one: Agreement) -> list[str]:
    offer = one.offer
    signed = {s.party: s.at for s in one.signatures}
    return [
        one.number, offer.applicant.number, offer.applicant.person.name,
        offer.program.order_class.college.name, offer.program.enterprise.name,
        offer.program.order_class.name, agreements.standing(one),
        *(_moment(signed.get(party)) for party in PARTIES), _moment(one.due_at),
        _moment(one.effective_at), one.paper, one.reason,
    ]  # fmt: skip


def _moment(value: Any) -> str:
    return calendar.local(value).strftime("%Y-%m-%d %H:%M") if value else ""


def waiting_for(round_: Round, party: str) -> int:
    """How many agreements wait for the signature of the user's office."""
    query = agreements.ledger(round_, party, **own()).order_by(None)
    return db.reading().scalar(select(func.count()).select_from(query.subquery())) or 0
