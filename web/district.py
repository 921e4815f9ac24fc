"""Pages of a district office: it verifies which of its own people belong to a group."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_security import current_user
from werkzeug.wrappers import Response
from wtforms import HiddenField

from . import (
    auth,
    codes,
    db,
    figures,
    offices,
    paging,
    privacy,
    recheck_pages,
    reviewing,
    stages,
    statistics_pages,
)
from .models import Applicant, Membership, Round
from .offices import REFUSALS, Action, RowForm, choice, text

bp = Blueprint("district", __name__, url_prefix="/district")
auth.guard(bp, "district")
statistics_pages.pages(bp, "", "statistics/round.html", whole=False)
recheck_pages.mount(bp)


CONCLUSIONS = {"verified": lazy_gettext("属实"), "refused": lazy_gettext("不认可")}


class GroupForm(RowForm):
    """核实人员类别."""

    seen = HiddenField(default="claimed")
    state = choice(
        lazy_gettext("核实结论"), CONCLUSIONS, must=lazy_gettext("请选一个结论。"), radio=True
    )
    reason = text(lazy_gettext("说明（申请人会看到）"), 300)


@bp.get("/")
@bp.get("/<serial>/")
def home(serial: str = "") -> str:
    """Who of the district claims a group, and how far it is verified."""
    if not current_user.district:
        return render_template("offices/unassigned.html")
    round_, district = offices.chosen(serial), auth.own_district()
    rounds = stages.all_rounds(db.reading())
    if round_ is None:
        action = Action(_("还没有招生轮次"))
        return render_template("district/home.html", round=None, rounds=rounds, action=action)
    held = db.reading()
    claims = figures.claims(held, round_, district)
    state = request.args.get("state", "")
    shown = [one for one in claims if state in ("", one.state)]
    return render_template(
        "district/home.html", round=round_, rounds=rounds, codes=codes, state=state,
        district=codes.AREAS.get(district, district), page=paging.page_of(shown),
        states=codes.GROUP_STATES, action=_next(round_, claims),
        counts={s: sum(one.state == s for one in claims) for s in codes.GROUP_STATES},
        refusal=stages.refusal(held, round_, "group"),
    )  # fmt: skip


def _next(round_: Round, claims: list[Membership]) -> Action:
    waiting = [one for one in claims if one.state == "claimed"]
    if not waiting or not stages.writable(db.reading(), round_, "group"):
        return offices.waiting_action(round_)
    first = waiting[0]
    return Action(
        _("核实人员类别（待核实 %(n)s 项）", n=len(waiting)),
        url_for("district.group", serial=round_.serial, key=first.applicant.key, code=first.group),
        _("没有核实的类别不能用预留席位。"),
    )


@bp.get("/<serial>/list")
def print_list(serial: str) -> str:
    """The whole list on one page, for printing."""
    round_, district = auth.round_of(serial), auth.own_district()
    claims = figures.claims(db.reading(), round_, district)
    return render_template(
        "district/list.html", round=round_, codes=codes, states=codes.GROUP_STATES, claims=claims,
        district=codes.AREAS.get(district, district), action=_next(round_, claims),
    )  # fmt: skip


@bp.route("/<serial>/groups/<key>/<code>", methods=["GET", "POST"])
def group(serial: str, key: str, code: str) -> str | Response:
    """One claim: what she says and shows, and the conclusion."""
    round_, district = auth.round_of(serial), auth.own_district()
    one, held = _claim(round_, key, code)
    form = GroupForm()
    if form.validate_on_submit():
        try:
            with db.writing() as session:
                reviewing.decide_group(
                    session, auth.applicant_of(key, session), code, form.state.data,
                    form.reason.data, district, auth.actor(), form.seen.data,
                )  # fmt: skip
        except REFUSALS as error:
            form.take(error)
        else:
            flash(_("核实结论已记录。"), "success")
            return redirect(url_for("district.home", serial=serial))
        round_ = auth.round_of(serial)
        one, held = _claim(round_, key, code)
    form.seen.data = held.state
    person = one.person
    return render_template(
        "district/group.html", round=round_, one=one, held=held, form=form, codes=codes,
        states=codes.GROUP_STATES, refusal=stages.refusal(db.reading(), round_, "group"),
        document=privacy.mask_number(
            privacy.decrypt(person.number, f"person.number:{person.number_index}")
        ),
    )  # fmt: skip


def _claim(round_: Round, key: str, code: str) -> tuple[Applicant, Membership]:
    one = auth.applicant_of(key)
    held = next((m for m in one.groups if m.group == code), None)
    if held is None or one.round_id != round_.id or one.state in ("draft", "withdrawn"):
        abort(404)
    return one, held
