"""The pages on which an application is written, step by step.

An applicant writes her own below ``/me/<serial>``; an office writes for somebody at its counter below
``/account/assist/<key>``.  Both are the same views, mounted twice (:func:`mount`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from secrets import token_hex
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload
from werkzeug.wrappers import Response

from . import (
    applicant_forms,
    application,
    auth,
    choices,
    codes,
    db,
    notices,
    paging,
    people,
    prints,
    rounds,
)
from . import standing as law
from .application import Proof
from .audit import record
from .choices import Wish
from .models import Applicant, ChoiceList, College, Enterprise, OrderClass, Program
from .privacy import mask_number
from .typed import whole

MOST_NAMED = 60
"""Codes that a form may name; more is no list of a person."""

Page = str | Response


@dataclass(frozen=True)
class Desk:
    """Where an application is written, and how its row is found by who may."""

    blueprint: str
    place: str
    find: Callable[[str, Session], Applicant]
    value: str = ""

    def applicant(self, session: Session) -> Applicant:
        """The row; 404 for everybody else."""
        return self.find(self.value, session)

    def url(self, view: str, **values: Any) -> str:
        """The address of one of its pages."""
        named: dict[str, Any] = {self.place: self.value, **values}
        return url_for(f"{self.blueprint}.{view}", **named)

    @property
    def own(self) -> bool:
        """Whether the applicant herself writes."""
        return self.place == "serial"


def mount(bp: Blueprint, place: str, find: Callable[[str, Session], Applicant]) -> None:
    """Give a blueprint the pages below ``/<place>``."""
    empty = Desk(bp.name, place, find)
    for view, rule, methods in (
        (step, "/step/<step>", ["GET", "POST"]),
        (ranking, "/list", ["GET", "POST"]),
        (add, "/list/add", ["POST"]),
        (submit, "/submit", ["GET", "POST"]),
        (receipt, "/receipt/<int:number>", ["GET"]),
        (receipt_pdf, "/receipt/<int:number>/pdf", ["POST"]),
        (classes, "/classes", ["GET"]),
        (course, "/classes/<code>", ["GET"]),
    ):
        bp.add_url_rule(f"/<{place}>{rule}", view.__name__, bound(view, empty), methods=methods)


def bound(view: Callable[..., Page], empty: Desk) -> Callable[..., Page]:
    """A view of a desk as a view of its addresses."""

    @wraps(view)
    def call(**values: Any) -> Page:
        return view(replace(empty, value=values.pop(empty.place)), **values)

    return call


def render(template: str, desk: Desk, applicant: Applicant, **values: Any) -> str:
    """A page of an application."""
    return render_template(
        f"applicant/{template}", desk=desk, applicant=applicant, round=applicant.round,
        codes=codes, law=law, **values,
    )  # fmt: skip


def closed_sentence(desk: Desk) -> str:
    """Why nothing can be stored now."""
    session = db.reading()
    state = rounds.by_the_clock(session, desk.applicant(session).round)
    if state == "ANNOUNCED":
        return str(_("报名还没有开始。"))
    if state == "REVIEW":
        return str(_("报名已截止，不能再改。要改请到柜台。"))
    return str(_("本轮现在不收报名。"))


def time_left(until: datetime | None, moment: datetime) -> str:
    """What is left until the deadline, in days and hours, then hours and minutes."""
    if until is None or until <= moment:
        return ""
    minutes = int((until - moment).total_seconds() // 60)
    days, hours = divmod(minutes // 60, 24)
    if days:
        return str(_("还剩 %(days)s 天 %(hours)s 小时", days=days, hours=hours))
    return str(_("还剩 %(hours)s 小时 %(minutes)s 分", hours=hours, minutes=minutes % 60))


# --- the steps --------------------------------------------------------------------------------

FORMS = {
    "identity": applicant_forms.IdentityStep,
    "schooling": applicant_forms.SchoolingStep,
    "groups": applicant_forms.GroupsStep,
    "consents": applicant_forms.ConsentsStep,
}


def step(desk: Desk, step: str) -> Page:
    """One step of the application: one form."""
    if step not in FORMS:
        abort(404)
    session = db.reading()
    applicant = desk.applicant(session)
    form = FORMS[step](data=_answers(session, applicant, step))
    minor = application.is_minor(session, applicant)
    form.minor = under = application.guardian_under(applicant.round) if minor else 0
    stored: dict[str, str] = {}
    if form.validate_on_submit():
        try:
            with db.writing() as writing:
                dropped = _store(writing, desk.applicant(writing), step, form)
            if dropped:
                flash(
                    _("未同意敏感信息，不再使用：%(groups)s。", groups=codes.words(codes.GROUPS, codes.join(dropped))),
                    "warning",
                )  # fmt: skip
            flash(_("已保存。"), "success")
            following = application.STEPS[application.STEPS.index(step) + 1]
            if following == "list":
                return redirect(desk.url("ranking"))
            return redirect(desk.url("step", step=following))
        except application.Stale:
            flash(_("别处刚改过这一步。请核对后再保存。"), "warning")
            stored = _differing(db.reading(), desk.applicant(db.reading()), step, form)
        except rounds.Moved:
            flash(closed_sentence(desk), "error")
        session = db.reading()
        applicant = desk.applicant(session)
        form.version.raw_data = None
        form.version.process_data(applicant.version)
    given = application.consents(session, applicant)
    return render(
        f"step_{step}.html", desk, applicant, form=form, step=step, minor=under, stored=stored,
        steps=application.STEPS, step_names=application.STEP_NAMES, texts=application.TEXTS,
        given={code for code, held in given.items() if held.given}, asked=request.form,
        evidence=_evidence(applicant), masked=_masked(applicant),
    )  # fmt: skip


def _answers(session: Session, applicant: Applicant, step: str) -> dict[str, Any]:
    held: dict[str, Any] = {"version": applicant.version}
    if step == "identity":
        held |= {name: getattr(applicant, name) for name in application.IDENTITY}
        held["name"] = applicant.person.name
        held["telephone"] = people.telephone_of(applicant.person)
        held["guardian_telephone"] = people.guardian_telephone_of(applicant)
    elif step == "schooling":
        held |= {name: getattr(applicant, name) for name in application.SCHOOLING}
        for name in ("study_forms", "health"):
            held[name] = codes.split(held[name])
    elif step == "groups":
        held["groups"] = [g.group for g in applicant.groups]
    return held


def _store(session: Session, applicant: Applicant, step: str, form: Any) -> list[str]:
    actor, version = auth.actor(), form.version.data or 0
    if step == "identity":
        answers = {name: form[name].data for name in application.IDENTITY}
        private = {n: form[n].data for n in ("name", "telephone", "guardian_telephone")}
        application.save(session, applicant, version, step, answers, actor, private)
    elif step == "schooling":
        answers = {name: form[name].data for name in application.SCHOOLING}
        for name in ("study_forms", "health"):
            answers[name] = codes.join(answers[name])
        application.save(session, applicant, version, step, answers, actor)
    elif step == "groups":
        claimed = {c: request.form.get(f"evidence-{c}", "").strip()[:200] for c in form.groups.data}
        application.save_groups(session, applicant, version, claimed, actor)
    else:
        given = [t.code for t in application.TEXTS if request.form.get(t.code) == "y"]
        return application.save_consents(session, applicant, version, given, actor)
    return []


def _differing(session: Session, applicant: Applicant, step: str, form: Any) -> dict[str, str]:
    """What is stored now where it is not what was typed, by the field's label."""
    held = _answers(session, applicant, step)
    found = {}
    for name, value in held.items():
        if name != "version" and form[name].data != value:
            table = {c.value: c.label for c in getattr(form[name], "choices", None) or []}
            parts = value if isinstance(value, list) else [value]
            found[str(form[name].label.text)] = (
                _("、").join(str(table.get(v, v)) for v in parts) or "—"
            )
    return found


def _evidence(applicant: Applicant) -> dict[str, str]:
    held = {g.group: g.evidence for g in applicant.groups}
    typed = {
        k.removeprefix("evidence-"): v for k, v in request.form.items() if k[:9] == "evidence-"
    }
    return held | typed


def _masked(applicant: Applicant) -> str:
    return mask_number(people.number_of(applicant.person))


# --- the list ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A line of a list: what it names, and how the law sees the person there."""

    code: str
    title: str
    college: str
    enterprises: str
    standing: law.Standing | None
    class_code: str = ""


def named(session: Session, round_id: int, wanted: Sequence[str]) -> dict[str, list[Program]]:
    """The programs that codes of programs or classes name."""
    rows = session.scalars(
        select(Program)
        .join(Program.order_class)
        .where(
            OrderClass.round_id == round_id,
            or_(Program.code.in_(wanted), OrderClass.code.in_(wanted)),
        )
        .options(
            joinedload(Program.order_class).joinedload(OrderClass.college),
            joinedload(Program.enterprise),
        )
        .order_by(Program.code)
    ).all()
    found: dict[str, list[Program]] = {}
    for program in rows:
        for code in {program.code, program.order_class.code} & set(wanted):
            found.setdefault(code, []).append(program)
    return found


def entries(session: Session, applicant: Applicant, listed: Sequence[str]) -> list[Entry]:
    """The lines of a list, in its order."""
    found = named(session, applicant.round_id, listed)
    every = {p.code: p for programs in found.values() for p in programs}
    answers = law.standings(session, applicant, list(every.values()))
    lines = []
    for code in listed:
        programs = found.get(code, [])
        if not programs:
            lines.append(Entry(code, code, "", "", None))
            continue
        course = programs[0].order_class
        lines.append(
            Entry(
                code, course.name, course.college.name,
                _("、").join(dict.fromkeys(p.enterprise.name for p in programs)),
                law.best([answers[p.code] for p in programs]), course.code,
            )
        )  # fmt: skip
    return lines


def _wish() -> Wish:
    """What the form says, whatever is wrong with it."""
    return Wish(
        tuple(code[:40] for code in request.form.getlist("choice")[:MOST_NAMED]),
        request.form.get("adjustment", "none")[:20],
        tuple(dict.fromkeys(c[:40] for c in request.form.getlist("not_accepted")[:MOST_NAMED])),
    )


def wish_of(held: ChoiceList | None) -> Wish:
    """What a stored list asks for."""
    if held is None:
        return Wish(())
    return Wish(tuple(held.choices), held.adjustment, tuple(held.not_accepted))


def _acted(wish: Wish, act: str) -> Wish:
    """The list after a button: ``up:1``, ``down:1``, ``drop:1``, ``accept:CODE``."""
    verb, _colon, about = act.partition(":")
    order = list(wish.choices)
    if verb == "accept":
        return replace(wish, not_accepted=tuple(c for c in wish.not_accepted if c != about))
    at = whole(about) - 1
    if not 0 <= at < len(order):
        return wish
    if verb == "drop":
        del order[at]
    elif verb == "up" and at > 0:
        order[at - 1], order[at] = order[at], order[at - 1]
    elif verb == "down" and at + 1 < len(order):
        order[at + 1], order[at] = order[at], order[at + 1]
    return replace(wish, choices=tuple(order))


def _stamp(held: ChoiceList | None) -> str:
    return held.saved_at.isoformat() if held else ""


def ranking(desk: Desk) -> Page:
    """The list as it is being written, and beside it the one that counts."""
    session = db.reading()
    applicant = desk.applicant(session)
    wish, stale = None, None
    if request.method == "POST":
        act = request.form.get("act", "save")
        wish = _acted(_wish(), act)
        try:
            with db.writing() as writing:
                held = choices.draft(writing, mine := desk.applicant(writing))
                application.lock(writing, mine)
                if _stamp(held) != request.form.get("stamp", ""):
                    raise application.Stale
                choices.save_draft(writing, mine, wish, auth.actor())
            return redirect(desk.url("submit" if act == "check" else "ranking"))
        except application.Stale:
            flash(_("别处刚改过草稿。下面是您这里的，核对后再保存。"), "warning")
            stale = choices.draft(db.reading(), desk.applicant(db.reading()))
        except rounds.Moved:
            flash(closed_sentence(desk), "error")
        session = db.reading()
        applicant = desk.applicant(session)
    draft, counts = choices.draft(session, applicant), choices.submitted(session, applicant)
    if wish is None:
        wish = wish_of(draft or counts)
    most = law.policy_of(applicant.round).max_choices
    shown = entries(session, applicant, wish.choices)
    return render(
        "list.html", desk, applicant, wish=wish, entries=shown, draft=draft, counts=counts,
        counted=entries(session, applicant, counts.choices) if counts else [],
        changed=counts is not None and wish != wish_of(counts),
        stale=entries(session, applicant, stale.choices) if stale else None,
        refused=entries(session, applicant, wish.not_accepted), stamp=_stamp(draft), most=most,
        problems=problem_sentences(session, applicant, wish, most),
        history=choices.history(session, applicant), open=is_open(session, applicant),
        left=time_left(applicant.round.deadline_at, db.now(session)), scopes=scope_sentences(),
        told=notices.unread(session, applicant),
    )  # fmt: skip


def is_open(session: Session, applicant: Applicant) -> bool:
    """Whether the round takes applications now."""
    return rounds.by_the_clock(session, applicant.round) == "OPEN"


def scope_sentences() -> list[tuple[str, str]]:
    """What each scope of adjustment means."""
    return [
        ("none", _("不同意：志愿都没录上，就不录取。")),
        ("college", _("同意，限志愿所在的院校。")),
        ("industry", _("同意，限志愿所在的产业。")),
        ("district", _("同意，限志愿所在的区市。")),
        ("alliance", _("同意，整个联盟都可以。")),
    ]


def problem_sentences(
    session: Session, applicant: Applicant, wish: Wish, most: int
) -> list[tuple[int, str]]:
    """What keeps the list from being submitted, in words, each with its place (0: the whole)."""
    return [
        (place, LIST_SENTENCES[code](place, value))
        for place, code, value in choices.problems(session, applicant.round_id, wish, most)
    ]


LIST_SENTENCES: dict[str, Callable[[int, str], str]] = {
    "unknown": lambda place, value: _(
        "第 %(n)s 志愿：没有代码 %(code)s，请删除。", n=place, code=value
    ),
    "duplicate": lambda place, value: _(
        "第 %(n)s 志愿与第 %(other)s 志愿重复，请删除。", n=place, other=value
    ),
    "too_many": lambda _place, value: _("最多填 %(n)s 个志愿，请删减。", n=value),
    "scope": lambda _place, _value: _("请选择是否服从调剂。"),
    "empty": lambda _place, _value: _("还没有志愿。请先选班级。"),
}


def add(desk: Desk) -> Page:
    """Put a class, or one enterprise's seats in it, at the end of the draft, or among the refused."""
    session = db.reading()
    applicant = desk.applicant(session)
    code, refuse = request.form.get("code", "")[:40], "refuse" in request.form
    found = entries(session, applicant, [code])[0]
    if found.standing is None:
        abort(404)
    back = redirect(desk.url("course", code=found.class_code))
    if not refuse and not found.standing.may_be_listed:
        rules = "".join(law.sentence(*line) for line in found.standing.rules)
        flash(_("不能填：%(rules)s", rules=rules), "error")
        return back
    try:
        with db.writing() as writing:
            mine = desk.applicant(writing)
            application.lock(writing, mine)
            wish = wish_of(choices.draft(writing, mine) or choices.submitted(writing, mine))
            if refuse:
                refused = tuple(dict.fromkeys([*wish.not_accepted, found.class_code]))
                wish = replace(wish, not_accepted=refused)
            elif code in wish.choices:
                place = wish.choices.index(code) + 1
                flash(_("已经是第 %(n)s 志愿，不用再填。", n=place), "error")
                return back
            elif (most := law.policy_of(mine.round).max_choices) and len(wish.choices) >= most:
                flash(_("最多填 %(n)s 个志愿，请先删一个。", n=most), "error")
                return redirect(desk.url("ranking"))
            else:
                wish = replace(wish, choices=(*wish.choices, code))
            choices.save_draft(writing, mine, wish, auth.actor())
    except rounds.Moved:
        flash(closed_sentence(desk), "error")
        return back
    flash(_("已写入草稿。草稿不算数，记得提交。"), "success")
    return redirect(desk.url("ranking"))


# --- submitting -------------------------------------------------------------------------------


def submit(desk: Desk) -> Page:
    """Look once more at the list, then submit it."""
    session = db.reading()
    applicant = desk.applicant(session)
    draft, counts = choices.draft(session, applicant), choices.submitted(session, applicant)
    wish = wish_of(draft or counts)
    key, last = token_hex(16), counts.number if counts else 0
    if request.method == "POST":
        wish = _wish()
        key = request.form.get("key", "")[:64] or key
        made = _submit(desk, wish, key, whole(request.form.get("last")))
        if made is not None:
            return redirect(desk.url("receipt", number=made.number))
        session = db.reading()
        applicant = desk.applicant(session)
        counts = choices.submitted(session, applicant)
        last = counts.number if counts else 0
    most = law.policy_of(applicant.round).max_choices
    return render(
        "submit.html", desk, applicant, wish=wish, entries=entries(session, applicant, wish.choices),
        refused=entries(session, applicant, wish.not_accepted), key=key, last=last,
        missing=missing_sentences(application.missing(session, applicant)),
        problems=problem_sentences(session, applicant, wish, most), asked=request.form,
        minor=application.is_minor(session, applicant), open=is_open(session, applicant),
        agreed=application.guardian_agreed(applicant), counts=counts,
        counted=entries(session, applicant, counts.choices) if counts else [],
        left=time_left(applicant.round.deadline_at, db.now(session)), scopes=dict(scope_sentences()),
    )  # fmt: skip


def _submit(desk: Desk, wish: Wish, key: str, last: int) -> ChoiceList | None:
    typed = {name: request.form.get(name, "").strip()[:40] for name in Proof.__annotations__}
    if desk.own:
        typed |= {"guardian_paper": "", "signed_print": "", "own_code": ""}
    try:
        with db.writing() as session:
            applicant = desk.applicant(session)
            most = law.policy_of(applicant.round).max_choices
            return application.submit(
                session,
                desk.applicant(session),
                wish,
                auth.actor(),
                key,
                last,
                most,
                Proof(**typed),
            )
    except rounds.Moved:
        flash(closed_sentence(desk), "error")
    except application.Stale:
        flash(_("刚才已提交过另一份。请核对后再提交。"), "warning")
    except application.Incomplete:
        flash(_("还有内容没填完，见下面。"), "error")
    except choices.NotAccepted:
        flash(_("志愿有问题，见下面。"), "error")
    except application.NoGuardian:
        flash(_("监护人码不对。请看激活单，或到柜台。"), "error")
    except application.NotConfirmed:
        flash(_("请填本人激活码，或签名打印件编号。"), "error")
    return None


def missing_sentences(missing: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """What is still missing, in words, each with its step."""
    said = {
        "birth_date": _("出生日期"), "telephone": _("手机"), "district": _("现居住区市"),
        "guardian": _("监护人姓名"), "guardian_telephone": _("监护人电话"), "education": _("学历"),
        "study_forms": _("接受的学习形式"), "groups": _("人员类别"), "consents": _("同意书"),
    }  # fmt: skip
    return [(step, str(said[code])) for step, code in missing if code in said]


def _numbered(session: Session, applicant: Applicant, number: int) -> ChoiceList:
    held = session.scalar(
        select(ChoiceList).where(
            ChoiceList.applicant_id == applicant.id,
            ChoiceList.number == number,
            ChoiceList.number > choices.DRAFT,
        )
    )
    if held is None:
        abort(404)
    return held


def receipt(desk: Desk, number: int) -> Page:
    """The receipt of a list that was submitted."""
    session = db.reading()
    applicant = desk.applicant(session)
    held = _numbered(session, applicant, number)
    counts = choices.submitted(session, applicant)
    return render(
        "receipt.html", desk, applicant, held=held, counts=counts, scopes=dict(scope_sentences()),
        entries=entries(session, applicant, held.choices),
        refused=entries(session, applicant, held.not_accepted),
        intact=choices.digest(applicant, held) == held.digest,
        history=choices.history(session, applicant), open=is_open(session, applicant),
    )  # fmt: skip


def receipt_pdf(desk: Desk, number: int) -> Page:
    """The receipt on paper; that it was fetched is recorded."""
    session = db.reading()
    applicant = desk.applicant(session)
    held = _numbered(session, applicant, number)
    lines = [e.title for e in entries(session, applicant, held.choices)]
    refused = [e.title for e in entries(session, applicant, held.not_accepted)]
    try:
        document = prints.receipt(applicant, held, lines, refused)
    except prints.Unprintable as error:
        flash(unprintable(error), "error")
        return redirect(desk.url("receipt", number=number))
    fetched(applicant, "print.receipt", str(number))
    return pdf(document, f"receipt-{applicant.number}-{number}.pdf")


def unprintable(error: prints.Unprintable) -> str:
    """Which characters the font lacks."""
    return str(_("打印字库没有“%(characters)s”。请到柜台手写。", characters=error.characters))


def fetched(applicant: Applicant, action: str, what: str = "") -> None:
    """Record that personal data left the system on paper or as a file."""
    with db.writing() as session:
        record(
            session, auth.actor(), action, f"applicant/{applicant.number}",
            round_id=applicant.round_id, after={"what": what},
        )  # fmt: skip


def pdf(document: bytes, name: str) -> Response:
    """A PDF as a file."""
    answer = Response(document, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


# --- classes ----------------------------------------------------------------------------------


def classes(desk: Desk) -> Page:
    """The classes of the plan, with how the law sees her at each."""
    session = db.reading()
    applicant = desk.applicant(session)
    asked = {
        name: request.args.get(name, "")[:100].strip()
        for name in ("q", "industry", "major", "district", "form")
    }
    query = (
        select(OrderClass)
        .join(OrderClass.college)
        .where(OrderClass.round_id == applicant.round_id)
        .options(
            joinedload(OrderClass.college),
            selectinload(OrderClass.programs).joinedload(Program.enterprise),
        )
        .order_by(OrderClass.plan_order.is_(None), OrderClass.plan_order, OrderClass.code)
    )
    for name, column in (
        ("industry", OrderClass.industry), ("major", OrderClass.major), ("district", OrderClass.district),
        ("form", OrderClass.study_form),
    ):  # fmt: skip
        if asked[name]:
            query = query.where(column == asked[name])
    if asked["q"]:
        query = query.where(_mentions(asked["q"]))
    page = paging.page_of_query(query)
    answers = law.standings(session, applicant, [p for c in page.rows for p in c.programs])
    held = wish_of(choices.draft(session, applicant) or choices.submitted(session, applicant))
    return render(
        "classes.html", desk, applicant, page=page, asked=asked,
        kinds=_kinds(session, applicant.round_id), listed=held.choices,
        answers={c.id: law.best([answers[p.code] for p in c.programs]) for c in page.rows if c.programs},
    )  # fmt: skip


def _mentions(text: str) -> Any:
    teaching = (
        select(Program.order_class_id)
        .join(Program.enterprise)
        .where(Enterprise.name.contains(text, autoescape=True))
    )
    columns = (OrderClass.name, OrderClass.major, OrderClass.code, College.name)
    return or_(*(c.contains(text, autoescape=True) for c in columns), OrderClass.id.in_(teaching))


def _kinds(session: Session, round_id: int) -> dict[str, list[str]]:
    """The industries, majors, districts and study forms that occur in the plan."""
    rows = session.execute(
        select(OrderClass.industry, OrderClass.major, OrderClass.district, OrderClass.study_form)
        .where(OrderClass.round_id == round_id)
        .distinct()
    ).all()
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    names = ("industry", "major", "district", "form")
    return {
        name: sorted(
            {value for value in column if value}, key=lambda v: v.encode("gb18030", "replace")
        )
        for name, column in zip(names, columns, strict=True)
    }


def course(desk: Desk, code: str) -> Page:
    """One class: what it is, and whether she may choose it."""
    session = db.reading()
    applicant = desk.applicant(session)
    found = session.scalar(
        select(OrderClass).where(OrderClass.round_id == applicant.round_id, OrderClass.code == code)
    )
    if found is None or not found.programs:
        abort(404)
    answers = law.standings(session, applicant, list(found.programs))
    held = wish_of(choices.draft(session, applicant) or choices.submitted(session, applicant))
    return render(
        "class.html", desk, applicant, course=found, answers=answers, listed=held.choices,
        refused=held.not_accepted, answer=law.best(list(answers.values())),
        open=is_open(session, applicant),
    )  # fmt: skip
