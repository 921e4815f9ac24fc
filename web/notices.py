"""What an applicant must be told (通知) until she says that she has read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from . import rounds
from .audit import Actor, record
from .db import now
from .models import Applicant, Notice, Round

WITHDRAWN, LIST_TAKEN = "application_withdrawn", "list_taken_back"


@dataclass(frozen=True)
class Told:
    """A notice in words: what it is about, what happened, and what she can do."""

    key: str
    title: str
    sentences: tuple[str, ...]
    at: datetime


def unread(session: Session, applicant: Applicant) -> list[Told]:
    """What she has not dismissed, the newest first."""
    held = session.scalars(
        select(Notice)
        .where(Notice.applicant_id == applicant.id, Notice.dismissed_at.is_(None))
        .order_by(Notice.id.desc())
    ).all()
    state = rounds.by_the_clock(session, applicant.round)
    return [_told(notice, state) for notice in held]


def _told(notice: Notice, state: str) -> Told:
    held = notice.params
    if notice.code == WITHDRAWN:
        what = _("联盟撤回了您的报名：%(reason)s", reason=held["reason"])
        return Told(
            notice.key, _("报名已撤回"), (what, _("不是您的意思？截止前可以恢复。")), notice.at
        )
    if notice.code == LIST_TAKEN:
        what = _("联盟撤下了您的志愿：%(reason)s", reason=held["reason"])
        return Told(notice.key, _("志愿已撤下"), (what, _("截止前可以重新填报并提交。")), notice.at)
    title = f"{held['name']}（{held['program']}）"
    cut = _("席位由 %(before)s 个减为 %(after)s 个。", before=held["before"], after=held["after"])
    return Told(notice.key, title, (cut, *_way(state)), notice.at)


def _way(state: str) -> tuple[str, ...]:
    """What she can do about a cut of seats."""
    if state in ("ANNOUNCED", "OPEN"):
        return _("您的志愿不变，仍然有效。"), _("截止前可以改志愿，改后要再提交。")
    return _("您的志愿不变，仍然有效。"), _("志愿已截止，有疑问请到柜台。")


def tell(
    session: Session, round_: Round, numbers: Sequence[str], code: str, params: dict[str, str]
) -> None:
    """A notice for each of these applicants, by their numbers."""
    query = select(Applicant.id, Applicant.number).where(Applicant.round_id == round_.id)
    wanted, moment = set(numbers), now(session)
    session.add_all(
        Notice(applicant_id=id_, code=code, params=params, at=moment)
        for id_, number in session.execute(query)
        if number in wanted
    )


def dismiss(session: Session, applicant: Applicant, key: str, actor: Actor) -> bool:
    """She has read a notice of hers; whether there is such a one."""
    held = session.scalar(
        select(Notice).where(Notice.key == key, Notice.applicant_id == applicant.id)
    )
    if held is None:
        return False
    if held.dismissed_at is None:
        held.dismissed_at = now(session)
        record(
            session, actor, "notice.dismiss", f"applicant/{applicant.number}",
            round_id=applicant.round_id, after={"code": held.code, **held.params},
        )  # fmt: skip
    return True
