"""What an office may write in which state of a round: the one table, and its refusals in words."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from . import rounds
from .models import Round

WRITABLE = {
    "plan": ("DRAFT",),
    "seat_change": ("ANNOUNCED", "OPEN", "REVIEW"),
    "slot": ("ANNOUNCED", "OPEN", "REVIEW"),
    "review": ("REVIEW",),
    "score": ("REVIEW",),
    "group": ("REVIEW",),
    "agreement": ("CONFIRMING", "FINAL"),
    "enrolment": ("CONFIRMING", "FINAL"),
    "recheck": ("PUBLISHED", "CONFIRMING"),
    "remedy_seat": ("CONFIRMING",),
}
"""What is written → the states that allow it."""

_LATE = {
    "plan": lazy_gettext("计划已公布，岗位和班级不能再改；要增减席位请填席位变更单。"),
    "seat_change": lazy_gettext("志愿已锁定，席位不能再变。"),
    "slot": lazy_gettext("审核考核已结束，面试安排不能再改。"),
    "review": lazy_gettext("志愿已锁定，审核结论不能再改；有异议请在公示期走复核。"),
    "score": lazy_gettext("志愿已锁定，成绩不能再改；有异议请在公示期走复核。"),
    "group": lazy_gettext("志愿已锁定，人员类别不能再改；有异议请在公示期走复核。"),
    "recheck": lazy_gettext("本轮已归档，复核不再办理。"),
    "remedy_seat": lazy_gettext("本轮已归档，席位不能再变。"),
}
_EARLY = {
    "seat_change": lazy_gettext("计划还没有公布，请直接修改班级。"),
    "slot": lazy_gettext("计划还没有公布，到时再安排面试。"),
    "review": lazy_gettext("报名截止后才开始审核。"),
    "score": lazy_gettext("报名截止后才开始录入成绩。"),
    "group": lazy_gettext("报名截止后才开始核实人员类别。"),
    "agreement": lazy_gettext("公示结束、本人确认后才签协议。"),
    "enrolment": lazy_gettext("公示结束、本人确认后才办报到。"),
    "recheck": lazy_gettext("结果公示后才能申请复核。"),
    "remedy_seat": lazy_gettext("确认阶段才能为复核增加席位。"),
}


class NotNow(ValueError):
    """The state of the round does not allow it; the text is the reason, in the reader's language."""


def refusal(session: Session, round_: Round, what: str) -> str:
    """Why the round does not take ``what`` now; blank where it does."""
    state = rounds.by_the_clock(session, round_)
    if state in WRITABLE[what]:
        return ""
    if state in ("SUSPENDED", "VOID"):
        return str(_("本轮%(state)s，不能再改。", state=rounds.LABELS[state]))
    early = state in rounds.COURSE[: rounds.COURSE.index(WRITABLE[what][0])]
    return str((_EARLY if early else _LATE)[what])


def writable(session: Session, round_: Round, what: str) -> bool:
    """Whether an office may write ``what`` now: a key of :data:`WRITABLE`."""
    return not refusal(session, round_, what)


def hold(session: Session, round_id: int, what: str) -> Round:
    """The round, locked against moving while ``what`` is written.

    Raises
    ------
    NotNow
        If its state does not allow that.
    """
    round_ = session.scalars(
        select(Round)
        .where(Round.id == round_id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    ).one()
    if why := refusal(session, round_, what):
        raise NotNow(why)
    return round_


def latest(session: Session) -> Round | None:
    """The round that offices work at: the youngest that is not void."""
    return session.scalar(
        select(Round)
        .where(Round.state != "VOID")
        .order_by(Round.created_at.desc(), Round.id.desc())
    )


def all_rounds(session: Session) -> list[Round]:
    """Every round, the youngest first."""
    return list(session.scalars(select(Round).order_by(Round.created_at.desc(), Round.id.desc())))
