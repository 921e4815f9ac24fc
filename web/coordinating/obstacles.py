"""What a round waits for, in words, and where each thing is mended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from .. import auth, db, rounds, words
from ..models import OrderClass, Round
from ..rounds import Obstacle

SENTENCES: dict[str, tuple[Any, str]] = {
    "no_class": (_("计划里还没有班级"), "plan"),
    "class_without_seats": (_("%(n)s 个班没有席位：%(about)s"), "plan"),
    "college_not_confirmed": (_("%(n)s 个班院校还没确认：%(about)s"), "plan"),
    "enterprise_not_confirmed": (_("%(n)s 处席位企业还没确认：%(about)s"), "plan"),
    "no_policy": (_("还没有录取规则"), "rules"),
    "no_dates": (_("还没填报名起止时间"), "dates"),
    "dates_reversed": (_("截止时间早于开始时间"), "dates"),
    "no_draw_event": (_("还没写明用哪次公开摇号"), "dates"),
    "no_plan_approval": (_("还没登记人社局的计划审定"), "records"),
    "unconfirmed_plan_approval": (_("计划审定还没有第二人确认：%(about)s"), "records"),
    "no_result_filing": (_("还没登记人社局的结果备案"), "records"),
    "unconfirmed_result_filing": (_("结果备案还没有第二人确认：%(about)s"), "records"),
    "not_yet_open": (_("还没到报名开始时间"), "dates"),
    "deadline_ahead": (_("还没到报名截止时间"), "dates"),
    "not_reviewed": (_("%(n)s 人的资格还没审核"), "applicants"),
    "scores_unconfirmed": (_("%(n)s 条成绩还没有第二人确认"), "scores"),
    "imports_unconfirmed": (_("%(n)s 批导入的报名或志愿还没有第二人复核"), "exchange.home"),
    "decisions_unconfirmed": (_("%(n)s 条个案决定还没有第二人确认"), "decisions"),
    "doubts_open": (_("%(n)s 个可疑数字还没有说明和确认"), "doubts"),
    "seat_changes_open": (_("%(n)s 张席位变更单还没办完"), "seat_changes"),
    "nobody_passed": (_("还没有人通过审核"), "applicants"),
    "a_day_after_commitment": (_("公布承诺满一天后才能摇号"), "commitment"),
    "no_draw": (_("还没录入摇号结果"), "draw_page"),
    "draw_unconfirmed": (_("摇号结果还没有第二人确认"), "draw_page"),
    "no_verified_run": (_("正式结果还没算完并通过检验"), "runs"),
    "not_publishable": (_("正式结果不能公示（%(about)s）"), "runs"),
    "second_person": (_("这一步要另一位协调员来做"), "round_page"),
    "no_approval": (_("还没有第二位协调员审定"), "approval"),
    "notice_period": (_("公示期还没结束"), "round_page"),
    "rechecks_open": (_("%(n)s 件复核还没有办结"), "rechecks_list"),
    "remedy_owed": (_("%(n)s 件成立的复核还没有补上席位：%(about)s"), "rechecks_list"),
    "waiting_goes_on": (_("递补还没有结束"), "waiting_list"),
    "waiting_ended": (_("递补已经结束，不再递补"), "waiting_list"),
    "step_today": (_("今天已经递补过，下一个工作日再做"), "waiting_list"),
    "not_working_day": (_("今天不是工作日，递补在工作日进行"), "waiting_list"),
    "no_calendar": (_("没有 %(about)s 年的节假日表，请先补上"), "round_page"),
    "crossing_caps": (_("总量上限互相交叉，排不出递补次序"), "plan"),
    "offers_open": (_("%(n)s 个席位还在等答复"), "waiting_list"),
    "class_below": (_("%(n)s 个班不足最低开班人数，还没有决定：%(about)s"), "class_rulings"),
    "not_below": (_("%(about)s 不低于最低开班人数，不用决定"), "class_rulings"),
    "no_such_merge": (_("不能并入这个班"), "class_rulings"),
    "merge_too_small": (_("%(about)s 差 %(n)s 个合适的席位，并不下"), "class_rulings"),
    "no_snapshot": (_("还没有锁定的快照"), "freeze"),
    "role": (_("这一步不由您的角色来做"), "round_page"),
}
"""Each code of :mod:`web.rounds`: its sentence, and the page where it is mended: one of the
coordinator's, or the full name of another's."""

DONE_BY = {"freeze": {"no_snapshot"}, "draw": {"no_draw", "draw_unconfirmed"}}
"""Obstacles that the step's own page removes."""

LABELS: dict[str, tuple[Any, str]] = {
    "announce": (_("公布计划"), "round_page"),
    "open": (_("开始报名"), "round_page"),
    "close": (_("截止报名"), "round_page"),
    "freeze": (_("锁定志愿"), "freeze"),
    "draw": (_("录入摇号"), "draw_page"),
    "approve": (_("审定结果"), "approval"),
    "publish": (_("公示结果"), "publish"),
    "confirm": (_("转入确认递补"), "round_page"),
    "finish": (_("归档本轮"), "final"),
}
SHOWN = 8
"""So many codes are named where many wait for the same thing."""


@dataclass(frozen=True)
class Waiting:
    """A sentence about something to be done first, and where."""

    text: str
    url: str


@dataclass(frozen=True)
class Next:
    """The one next action of a round: its name, its page, and what must be done before."""

    step: str
    label: str
    url: str
    waiting: list[Waiting]


def page_of(code: str, serial: str) -> str:
    """The address where an obstacle is removed."""
    page = SENTENCES[code][1]
    return url_for(page if "." in page else f"coordinator.{page}", serial=serial)


def sentence(obstacle: Obstacle) -> str:
    """An obstacle in words."""
    text = str(SENTENCES[obstacle.code][0])
    return words.filled(text, {"n": obstacle.count or 1, "about": obstacle.about})


def collected(found: list[Obstacle]) -> list[Obstacle]:
    """Obstacles of one code as one, with how many and the first of them named."""
    by_code: dict[str, list[Obstacle]] = {}
    for obstacle in found:
        by_code.setdefault(obstacle.code, []).append(obstacle)
    return [
        Obstacle(
            code,
            str(gettext("、")).join(o.about for o in same[:SHOWN])
            + ("…" if len(same) > SHOWN else ""),
            same[0].count or len(same),
        )
        for code, same in by_code.items()
    ]


def next_of(round_: Round) -> Next | None:
    """The next action of a round and what keeps it; none where the round is at an end."""
    step = rounds.next_step(round_)
    if step is None:
        return None
    session = db.reading()
    if round_.state == "DRAFT":  # one query instead of one a class
        session.scalars(
            select(OrderClass)
            .where(OrderClass.round_id == round_.id)
            .options(selectinload(OrderClass.programs))
        ).all()
    found = rounds.obstacles(session, round_, step, auth.actor())
    found = [o for o in found if o.code not in DONE_BY.get(step.name, ())]
    label, page = LABELS[step.name]
    return Next(
        step.name,
        str(label),
        url_for(f"coordinator.{page}", serial=round_.serial),
        [Waiting(sentence(o), page_of(o.code, round_.serial)) for o in collected(found)],
    )
