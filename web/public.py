"""What everybody may read: rounds, plans, rules, commitments, results, and how to check them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from . import (
    application,
    auth,
    bundle,
    choices,
    codes,
    db,
    draw,
    edition,
    paging,
    policies,
    printing,
    privacy,
    publication,
    rounds,
    rules,
    snapshot,
    statistics_pages,
)
from .models import (
    Applicant,
    ChoiceList,
    Offer,
    OrderClass,
    Placement,
    Program,
    Publication,
    Round,
)

bp = Blueprint("public", __name__)
statistics_pages.published(bp)

FILTERS = ("industry", "major", "study_form", "district")


@dataclass(frozen=True)
class Action:
    """The one next thing to do on a page: its words and its address."""

    words: str
    url: str


# --- rounds -----------------------------------------------------------------------------------


@bp.get("/")
def home() -> str:
    """The rounds, the newest first, and the one thing that a visitor can do now."""
    session = db.reading()
    found = session.scalars(
        select(Round).where(Round.state.in_(rounds.PUBLIC)).order_by(Round.id.desc())
    ).all()
    states = {r.id: rounds.by_the_clock(session, r) for r in found}
    opened = next((r for r in found if states[r.id] == "OPEN"), None)
    chosen = opened or next(iter(found), None)
    return render_template(
        "public/home.html", rounds=found, states=states, chosen=chosen,
        action=_next(chosen, states[chosen.id]) if chosen else None,
    )  # fmt: skip


def _next(round_: Round, state: str) -> Action:
    """What a visitor does next in a round of that state."""
    if state == "OPEN":
        return Action(_("我要报名"), url_for("account.register"))
    if state in ("DRAFT", "ANNOUNCED"):
        return Action(_("看招生计划"), url_for("public.plan", serial=round_.serial))
    if state in ("FROZEN", "DRAWN", "APPROVED"):
        return Action(_("看摇号安排和结果"), url_for("public.lottery", serial=round_.serial))
    if state == "PUBLISHED":
        return Action(_("看公示名单"), url_for("public.notice", serial=round_.serial))
    return Action(_("用查询码查报名和结果"), url_for("public.lookup"))


def _page(template: str, round_: Round, **values: Any) -> str:
    """A page of a round, with its state by the clock."""
    state = rounds.by_the_clock(db.reading(), round_)
    action = _next(round_, state)
    if action.url == request.path:  # it is done here: what comes after it
        action = _next(round_, "")
    return render_template(
        f"public/{template}.html", round=round_, state=state, action=action, **values
    )


@bp.get("/rounds/<serial>")
def show(serial: str) -> str:
    """A round: where it stands, since when, and what comes next."""
    round_ = auth.round_of(serial)
    session = db.reading()
    state = rounds.by_the_clock(session, round_)
    counts = _counts(session, round_)
    return _page("round", round_, course=_course(round_, state), counts=counts)


def _course(round_: Round, state: str) -> list[dict[str, Any]]:
    """The states that a round passes through, each with its moment and whether it is now."""
    moments = {
        "OPEN": round_.opens_at, "REVIEW": round_.deadline_at, "FROZEN": round_.frozen_at,
        "DRAWN": round_.drawn_at, "APPROVED": round_.approved_at,
        "PUBLISHED": round_.published_at, "CONFIRMING": round_.notice_ends_at,
    }  # fmt: skip
    return [
        {"state": step, "at": moments.get(step), "now": step == state}
        for step in rounds.COURSE
        if step != "DRAFT"
    ]


def _counts(session: Session, round_: Round) -> dict[str, int]:
    """How large the plan is."""
    classes = _classes(session, round_)
    programs = [p for held in classes for p in held.programs]
    return {
        "classes": len(classes),
        "enterprises": len({p.enterprise_id for p in programs}),
        "seats": sum(p.capacity for p in programs),
    }


# --- the plan ---------------------------------------------------------------------------------


def _classes(session: Session, round_: Round) -> Sequence[OrderClass]:
    return session.scalars(
        select(OrderClass)
        .where(OrderClass.round_id == round_.id)
        .options(
            joinedload(OrderClass.college),
            selectinload(OrderClass.programs).joinedload(Program.enterprise),
        )
        .order_by(OrderClass.plan_order, OrderClass.code)
    ).all()


@bp.get("/rounds/<serial>/plan")
def plan(serial: str) -> str:
    """The classes of a round, searched and filtered, a page at a time."""
    round_ = auth.round_of(serial)
    classes = _classes(db.reading(), round_)
    asked = {name: request.args.get(name, "").strip()[:100] for name in ("q", *FILTERS)}
    found = [held for held in classes if _matches(held, asked)]
    offered = {
        name: sorted({str(getattr(held, name)) for held in classes} - {""}, key=_in_order)
        for name in FILTERS
    }
    return _page(
        "plan", round_, asked=asked, offered=offered, names=NAMES, levels=codes.LEVELS, codes=codes,
        page=paging.page_of(found),
    )  # fmt: skip


def _in_order(text: str) -> bytes:
    return text.encode("gb18030", "replace")


NAMES = {
    "industry": codes.INDUSTRIES,
    "major": {},
    "study_form": codes.STUDY_FORMS,
    "district": codes.AREAS,
}
"""What people call the codes that the plan is filtered by."""


def _matches(held: OrderClass, asked: dict[str, str]) -> bool:
    if any(asked[name] and getattr(held, name) != asked[name] for name in FILTERS):
        return False
    texts = [held.code, held.name, held.major, held.college.name]
    texts += [p.enterprise.name for p in held.programs]
    return asked["q"].lower() in "\n".join(texts).lower()


@bp.get("/rounds/<serial>/rules")
def show_rules(serial: str) -> str:
    """The rules of a round in words; what nobody has set says that it is a default."""
    round_ = auth.round_of(serial)
    policy = round_.policy
    return _page(
        "rules", round_, rules=rules.in_words(policy.toml) if policy else [],
        workflow=rules.periods(round_) if policy else [],
        ages=rules.ages(policy.toml) if policy else [],
        channels=rules.channels(policy.toml) if policy else [], components=codes.COMPONENTS,
    )  # fmt: skip


@bp.get("/rounds/<serial>/brochure")
def brochure(serial: str) -> str:
    """招生简章: everything that somebody has to know before applying, on one page to print."""
    round_ = auth.round_of(serial)
    session, toml = db.reading(), round_.policy.toml if round_.policy else ""
    return _page(
        "brochure", round_, codes=codes, texts=application.TEXTS, counts=_counts(session, round_),
        forms=_by_form(_classes(session, round_)), said=rules.by_name(toml) if toml else {},
        days=lambda name: policies.flow(round_, f"days.{name}"), ages=rules.ages(toml) if toml else [],
        guardian=policies.flow(round_, application.GUARDIAN),
        channels=rules.channels(toml) if toml else [], components=codes.COMPONENTS,
    )  # fmt: skip


def _by_form(classes: Sequence[OrderClass]) -> list[tuple[str, int, int, str, str]]:
    """Of each study form: its classes, their seats, years and fees."""
    found = []
    for form, label in codes.STUDY_FORMS.items():
        held = [c for c in classes if c.study_form == form]
        seats = sum(p.capacity for c in held for p in c.programs)
        years, fees = _span(c.years for c in held), _span(c.tuition for c in held)
        if held:
            found.append((str(label), len(held), seats, years, fees))
    return found


def _span(values: Iterable[Any]) -> str:
    """The least and the greatest of what is known."""
    known = sorted({value for value in values if value is not None})
    return "–".join(f"{value:g}" for value in dict.fromkeys((*known[:1], *known[-1:]))) or "—"


# --- the draw and the result ------------------------------------------------------------------


@bp.get("/rounds/<serial>/draw")
def lottery(serial: str) -> str:
    """What was committed to, the draw to come or as it fell, and how many trials were run."""
    round_ = auth.round_of(serial)
    session = db.reading()
    return _page(
        "draw", round_, commitment=snapshot.commitment(session, round_),
        later=edition.later_trials(session, round_),
        draw=edition.confirmed_draw(session, round_), kinds=draw.KINDS,
    )  # fmt: skip


@bp.get("/rounds/<serial>/notice")
def notice(serial: str) -> Response:
    """Who is placed where, masked, while the notice period runs and no longer than a month."""
    round_ = auth.round_of(serial)
    session = db.reading()
    held = publication.publication_of(session, round_)
    shown = held if held is not None and publication.notice_runs(session, round_) else None
    page = paging.page_of_query(_placed(shown)) if shown else None
    listed = [row.applicant_id for row in page.rows] if page else []
    named = application.named_in_public(session, listed)
    answer = make_response(_page("notice", round_, publication=shown, page=page, named=named))
    answer.headers["X-Robots-Tag"] = "noindex, noarchive"
    return answer


def _placed(held: Publication) -> Any:
    """Who finds whom a publication places, by number."""
    return (
        select(Placement)
        .join(Applicant)
        .where(Placement.publication_id == held.id, Placement.program_id.is_not(None))
        .options(
            joinedload(Placement.applicant).joinedload(Applicant.person),
            joinedload(Placement.program)
            .joinedload(Program.order_class)
            .joinedload(OrderClass.college),
        )
        .order_by(Applicant.number)
    )


@bp.get("/v/<key>")
def placed(key: str) -> Response:
    """What a notice of admission leads to: the masked name and the status, and nothing else."""
    session = db.reading()
    held = session.scalar(select(Offer).where(Offer.key == key))
    if held is None or not held.applicant.person.name:
        abort(404)
    stopped = held.round.state in ("SUSPENDED", "VOID")
    status = rounds.LABELS[held.round.state] if stopped else printing.status(session, held)
    answer = make_response(
        render_template(
            "public/placed.html", name=privacy.mask_name(held.applicant.person.name), status=status
        )
    )
    answer.headers["X-Robots-Tag"] = "noindex, noarchive"
    return answer


@bp.get("/rounds/<serial>/application-form.pdf")
def blank_form(serial: str) -> Response:
    """The blank 报名表, to be filled in by hand."""
    round_ = auth.round_of(serial)
    return _download(
        printing.application_form(db.reading(), round_), "application-form.pdf", "application/pdf"
    )


@bp.get("/rounds/<serial>/result")
def result(serial: str) -> str:
    """Cutoffs of open seats, what has been proved, and the digests of the publication."""
    round_ = auth.round_of(serial)
    session = db.reading()
    held = publication.publication_of(session, round_)
    if held is None or round_.state == "VOID":
        return _page("result", round_, publication=None)
    return _page(
        "result", round_, publication=held, cutoffs=edition.cutoffs(session, held),
        claims=held.run.summary["claims"], fewest=policies.flow(round_, "public.cutoff_min"),
    )  # fmt: skip


@bp.get("/rounds/<serial>/public.zip")
def archive(serial: str) -> Response:
    """The public edition: everything of a round that everybody may keep."""
    round_ = auth.round_of(serial)
    if round_.state == "DRAFT":
        abort(404)
    data = bundle.zipped(edition.public_edition(db.reading(), round_))
    return _download(data, f"{round_.serial}-public.zip", "application/zip")


# --- checking ---------------------------------------------------------------------------------


@bp.get("/how-to-check")
def how_to_check() -> str:
    """How everybody, an applicant and an auditor check a result without trusting the operator."""
    session = db.reading()
    held = session.scalars(
        select(Publication).options(joinedload(Publication.round)).order_by(Publication.id.desc())
    ).all()
    newest: dict[int, Publication] = {}
    for one in held:
        newest.setdefault(one.round_id, one)
    return render_template("public/how_to_check.html", publications=list(newest.values()))


@bp.get("/check_line.py")
def check_line() -> Response:
    """The file that checks one line."""
    return _download(bundle.CHECKER.read_bytes(), "check_line.py", "text/x-python")


@bp.get("/verify.py")
def verifier() -> Response:
    """The verifier, to be read and run."""
    return _download(bundle.VERIFIER.read_bytes(), "verify.py", "text/x-python")


def _download(data: bytes, name: str, kind: str) -> Response:
    answer = Response(data, mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


class Lookup(FlaskForm):  # type: ignore[misc]
    """Asks for the number of a receipt."""

    code = StringField(validators=[InputRequired(), Length(max=60)])


@bp.route("/lookup", methods=["GET", "POST"])
def lookup() -> str:
    """What became of a receipt (查询码): one answer to every number that is not there."""
    form = Lookup()
    asked = form.validate_on_submit()
    found = _receipt(form.code.data or "") if asked else None
    if asked and found is None:
        form.code.errors = [_("查不到。请核对回执上的查询码，或到报名点柜台")]
    elif request.method == "POST" and not asked:
        form.code.errors = [_("请填回执上的查询码")]
    return render_template("public/lookup.html", form=form, found=found)


def _receipt(typed: str) -> dict[str, Any] | None:
    """The list of a receipt, whether it counts, and the published place; the same work for all."""
    session = db.reading()
    held = session.scalar(select(ChoiceList).where(ChoiceList.receipt == choices.as_receipt(typed)))
    number = held.applicant_id if held else 0
    who = session.get(Applicant, number)
    last = choices.submitted(session, who or Applicant(id=0))
    placed = publication.placement_of(session, who or Applicant(id=0))
    if held is None or who is None:
        return None
    named = choices.plan(session, who.round_id)
    shown = placed if who.round.state in ("PUBLISHED", "CONFIRMING", "FINAL") else None
    return {
        "list": held,
        "applicant": who,
        "counts": last is not None and last.id == held.id,
        "last": last,
        "state": rounds.by_the_clock(session, who.round),
        "names": {code: held[0].order_class.name for code, held in named.items()},
        "placement": shown,
        "line": json.dumps(publication.own_line(shown), ensure_ascii=False) if shown else "",
    }
