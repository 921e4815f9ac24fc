"""Runs: trials with any mechanism and rules, their progress, and two or three of them side by side."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from matcher import Policy

from .. import auth, codes, compare, db, jobs, policies, rounds, supposing
from ..models import Applicant, Cap, OrderClass, Program, Reserve, Round, Run, Score
from .blueprint import bp, changing, telling
from .rules import fields_of, filled, form_of, put, taken

VARIED = ("mechanism.name", "mechanism.closure", "mechanism.objective", "mechanism.rank",
          "mechanism.reserve_order", "preferences.max", "score.pass_total", "limits.time_s")  # fmt: skip
"""The parameters that a trial may set otherwise than the round's rules."""

PARAMETERS = [policies.BY_KEY[key] for key in VARIED]
STEPS = {
    "solve": _l("求解"),
    "verify": _l("独立检验"),
    "explain": _l("写理由"),
    "report": _l("汇总"),
}
CHANGES = {
    "gained": _l("由未录取变为录取"),
    "better": _l("录到更靠前的志愿"),
    "same": _l("同一志愿内换席位"),
    "worse": _l("录到更靠后的志愿"),
    "lost": _l("由录取变为未录取"),
}
CLAIMS = {
    "inputs": _l("输入与摘要"),
    "assignment": _l("录取与资格"),
    "capacity": _l("席位容量"),
    "caps": _l("总量上限"),
    "reserves": _l("预留席位"),
    "min_size": _l("最低开班人数"),
    "no_justified_envy": _l("无高分落榜"),
    "no_waste": _l("无空位未用"),
    "cutoffs": _l("录取线"),
    "outcome": _l("结果重算"),
    "kept": _l("原录取保留"),
    "optimality": _l("最优性"),
    "report": _l("统计数字"),
}
TRUSTED: dict[str, Any] = {
    "override": _l("机制由命令行指定"),
    "withheld": _l("数据未公开，无法复核"),
    "closing_not_rechecked": _l("开哪些班是否最好，未复核"),
    "report_not_rechecked": _l("报表里没有可复核的数字"),
    "caps_cross": _l("上限互相交叉，没有席位价格可查"),
    "bound_of_the_solver": _l("界由求解器给出"),
    "later_objectives": _l("录取人数最多已证明；其后的目标以求解器为准"),
    "closings": _l("每一步停开哪个班，以求解器为准"),
    "earlier_result": _l("要保留的原录取没有与原结果核对"),
    "pairs": _l("上限互相交叉，证明太长没有写下"),
    "openings": _l("开班的选择由求解器给出"),
    "after": _l("前一条不成立，未再检验"),
}
"""Why the verifier took a claim on trust."""

SHOWN_MOVES = 50


@bp.route("/rounds/<serial>/runs", methods=["GET", "POST"])
def runs(serial: str) -> str | BaseResponse:
    """The runs of a round, and a new trial."""
    session, round_ = db.reading(), auth.round_of(serial)
    rules = policies.document(policies.current(session, round_))
    form = _form(rules)
    if form.validate_on_submit():
        varied = rules | {p.key: taken(form, p) for p in PARAMETERS}
        toml = policies.written(varied)
        if issues := policies.issues_of(toml):
            put(form, issues)
        elif refused := refusals(session, round_, varied):
            fields_of(form, PARAMETERS[0])[0].errors = refused
        else:
            try:
                with telling(_("已开始试算")), changing(serial) as (writing, held):
                    made = jobs.queue(writing, held, "trial", toml, form.label.data, auth.actor())
                return redirect(url_for("coordinator.run_page", serial=serial, key=made.key))
            except jobs.NotAllowed:
                flash(_("本轮现在不能试算"), "error")
                round_ = auth.round_of(serial)
    held_runs = db.reading().scalars(
        select(Run)
        .where(Run.round_id == round_.id, Run.kind.not_in(codes.OWN_PAGES))
        .order_by(Run.id.desc())
    ).all()  # fmt: skip
    page = render_template(
        "coordinator/runs.html", round=round_, runs=held_runs, form=form, kinds=codes.RUN_KINDS, parameters=PARAMETERS,
        fields_of=fields_of, states=codes.RUN_STATES, statuses=codes.RUN_STATUSES, steps=STEPS, names=policies.CODES,
    )  # fmt: skip
    # while somebody types a trial the page must not turn under her hands
    return _alive(page, any(r.state in jobs.LIVE for r in held_runs) and request.method == "GET")


def refusals(session: Session, round_: Round, rules: policies.Document) -> list[str]:
    """What the round asks of a mechanism that it cannot do, so that its trial would not run."""
    name, first = rules["mechanism.name"], rules["mechanism.reserve_order"] == "open_first"
    own = select(Score.id).join(Applicant).where(
        Applicant.round_id == round_.id, Applicant.state == "passed", Score.program_id.is_not(None),
        Score.confirmed_at.is_not(None), or_(*(getattr(Score, part) != "" for part in codes.COMPONENTS)),
    )  # fmt: skip
    plan = select(OrderClass.id).where(OrderClass.round_id == round_.id)
    reserved = plan.join(Program).join(Reserve).where(Reserve.seats > 0)
    capped = select(Cap.id).where(Cap.round_id == round_.id)

    def there(query: Any) -> bool:
        return session.scalar(query.limit(1)) is not None

    words = {"name": policies.CODES[name]}
    found = []
    if name == "parallel" and there(own):
        found.append(
            _(
                "%(name)s每个考核通道只排一条队，本轮却有按席位填的成绩（如面试分）。请换一种录取机制。",
                **words,
            )
        )
    if name == "max_placement" and there(reserved):
        found.append(_("%(name)s做不到预留席位，本轮却有预留。请换一种录取机制。", **words))
    if name == "max_placement" and there(capped):
        found.append(_("%(name)s做不到总量上限，本轮却有上限。请换一种录取机制。", **words))
    if name == "max_placement" and rules["mechanism.closure"] == "exact" and there(plan):
        found.append(
            _("%(name)s做不到一次算准停开哪些班。请改成逐个停开，或换一种录取机制。", **words)
        )
    if name == "optimal" and first and there(reserved):
        found.append(
            _("%(name)s做不到先普通后预留。请改成先预留后普通，或换一种录取机制。", **words)
        )
    return [str(said) for said in found]


def _form(rules: policies.Document) -> FlaskForm:
    label = StringField(validators=[DataRequired(), Length(max=60)])
    made = form_of(PARAMETERS, label=label)
    return made(data=filled(PARAMETERS, rules))


def _alive(page: str, live: bool) -> Response:
    """The page; while something runs the browser asks for it again, without any script."""
    response = make_response(page)
    if live:
        response.headers["Refresh"] = "3"
    return response


@bp.get("/rounds/<serial>/runs/<key>")
def run_page(serial: str, key: str) -> BaseResponse:
    """One run: its progress, or its figures, what was proved of them, and what was supposed of it."""
    round_ = auth.round_of(serial)
    run = auth.run_of(round_, key)
    if run.kind == supposing.WHAT_IF:
        return redirect(
            url_for("coordinator.run_page", serial=serial, key=run.summary["asked"]["of"])
        )
    supposed = supposing.of(db.reading(), run)
    live = any(one.state in jobs.LIVE for one in (run, *supposed))
    done = bool(run.summary.get("report"))
    page = render_template(
        "coordinator/run.html", round=round_, run=run, kinds=codes.RUN_KINDS, states=codes.RUN_STATES, steps=STEPS,
        statuses=codes.RUN_STATUSES,
        report=run.summary.get("report"), claims=run.summary.get("claims", []), names=CLAIMS, trusted=TRUSTED,
        groups=codes.GROUPS, elapsed=_elapsed(run), rules=policies.CODES,
        closed=compare.closed_of(run) if done else [], prices=compare.prices(run) if done else [],
        profile=compare.profile([run]) if done else [], live=run.state in jobs.LIVE,
        fairness=compare.fairness([run]) if done else [], labels=codes.FAIRNESS,
        supposed=[(one, supposing.words(one.summary["asked"]["change"], one.summary["asked"]["code"]))
                  for one in supposed],
        unproven=compare.unproven(run),
        in_turn=_may_close_in_turn(run), again=rounds.to_run_again(db.reading(), round_) == run,
        form=_supposition(run) if done and not live else None, changes=CHANGES, live_states=jobs.LIVE,
    )  # fmt: skip
    return _alive(page, live)


def _may_close_in_turn(run: Run) -> bool:
    """Whether closing in turn would have been less work than the best set to close."""
    rules = Policy.from_toml(run.policy_toml.encode())
    return rules.mechanism != "optimal" and rules.closure == "exact"


def _supposition(run: Run) -> FlaskForm:
    """What may be supposed of a run, to choose from."""

    class Form(FlaskForm):  # type: ignore[misc]
        change = SelectField(choices=[SelectChoice(*one) for one in supposing.possible(run)])

    return Form()


@bp.post("/rounds/<serial>/runs/<key>/suppose")
def suppose(serial: str, key: str) -> BaseResponse:
    """Have a run solved once more with one thing changed."""
    if not FlaskForm().validate_on_submit():
        abort(400)
    try:
        with telling(_("已开始重算")), changing(serial) as (session, round_):
            base = auth.run_of(round_, key, session)
            supposing.ask(session, round_, base, request.form.get("change", ""), auth.actor())
    except jobs.NotAllowed:
        flash(_("现在不能这样假设，或上一次还没算完"), "error")
    return redirect(url_for("coordinator.run_page", serial=serial, key=key))


def _elapsed(run: Run) -> int:
    """Seconds since the run began, or that it took."""
    if run.started_at is None:
        return 0
    return int(((run.ended_at or db.now(db.reading())) - run.started_at).total_seconds())


@bp.post("/rounds/<serial>/runs/<key>/cancel")
def cancel_run(serial: str, key: str) -> BaseResponse:
    """Take a run out of the queue, or stop it."""
    with telling(_("已取消")), changing(serial) as (session, round_):
        jobs.cancel(session, auth.run_of(round_, key, session), auth.actor())
    return redirect(url_for("coordinator.run_page", serial=serial, key=key))


@bp.get("/rounds/<serial>/compare")
def compare_runs(serial: str) -> str | BaseResponse:
    """Two or three runs side by side, and who moves from the first to each of the others."""
    session, round_ = db.reading(), auth.round_of(serial)
    keys = list(dict.fromkeys(request.args.getlist("run")))
    if not 2 <= len(keys) <= 3:
        flash(_("请选两个或三个已算完的结果来比较"), "error")
        return redirect(url_for("coordinator.runs", serial=serial))
    held = [auth.run_of(round_, key) for key in keys]
    if not all(run.summary.get("report") for run in held):
        abort(404)
    moved = [compare.moves(session, round_, held[0], other) for other in held[1:]]
    return render_template(
        "coordinator/compare.html", round=round_, runs=held, reports=[compare.report_of(r) for r in held],
        profile=compare.profile(held), groups=compare.groups(held), group_names=codes.GROUPS,
        fairness=compare.fairness(held), labels=codes.FAIRNESS, closed=compare.closed(held),
        moves=[(other, compare.counted(m), m[:SHOWN_MOVES], len(m))
               for other, m in zip(held[1:], moved, strict=True)],
        changes=CHANGES, rules=policies.CODES, shown=SHOWN_MOVES,
    )  # fmt: skip
