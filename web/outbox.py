"""Messages to applicants (发件箱): put as rows by what happened, sent by whatever sender is plugged in.

Every message is made of the sentences of one table, in Chinese, and names its reader by the
application number alone.  This repository holds no sender that could reach anybody: without one that
an installation adds, messages are kept, to be read on pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, Protocol

from flask import current_app
from flask_babel import force_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from . import calendar, db, people
from .models import Applicant, Message
from .words import LANGUAGES

TEXTS: dict[str, tuple[Any, ...]] = {
    "offer_made": (
        _("您已被录取。"), _("班级：%(program)s。"), _("请在 %(due)s 前答复。"),
        _("逾期没有答复，视为放弃。"),
    ),
    "offer_due_soon": (
        _("您的录取还没有答复。"), _("班级：%(program)s。"), _("请在 %(due)s 前答复。"),
        _("逾期没有答复，视为放弃。"),
    ),
    "offer_silent": (_("确认期限已过，没有收到您的答复。"), _("班级：%(program)s。"), _("这个录取已视为放弃。")),
    "waiting_offer": (
        _("有空出的席位递补给您。"), _("班级：%(program)s。"), _("请在 %(due)s 前答复。"),
        _("逾期没有答复，视为放弃。"),
    ),
    "class_ruling": (_("您的班级有变动。"), _("班级：%(program)s。"), _("请登录查看怎样安排。")),
    "recheck_received": (
        _("已收到您的复核申请。"), _("编号：%(number)s。"), _("会在 %(due)s 前答复。"),
    ),
    "recheck_answered": (_("您的复核申请已答复。"), _("编号：%(number)s。"), _("请登录查看。")),
    "result_corrected": (_("您的结果已更正。"), _("班级：%(program)s。"), _("请登录查看。")),
    "agreement_ready": (
        _("三方预就业协议可以签了。"), _("协议编号：%(number)s。"), _("请在 %(due)s 前签署。"),
    ),
    "agreement_reminder": (
        _("您的协议还没有签完。"), _("协议编号：%(number)s。"), _("请在 %(due)s 前签署。"),
    ),
    "agreement_effective": (_("您的协议已生效。"), _("协议编号：%(number)s。")),
    "agreement_lapsed": (
        _("协议没有按期签完，席位已收回。"), _("协议编号：%(number)s。"), _("有疑问请到柜台。"),
    ),
    "check_in": (
        _("请按时报到。"), _("时间：%(first)s 至 %(last)s。"), _("地点：%(place)s。"),
    ),
    "next_round": (
        _("还有空席位，下一轮报名开始。"), _("轮次：%(title)s。"), _("报名截止：%(due)s。"),
        _("报名自愿，不参加也可以。"),
    ),
}  # fmt: skip
"""Code → its sentences; one that names something is said where that is known."""

LABELS = {
    "offer_made": _("录取"), "offer_due_soon": _("催答复"), "offer_silent": _("逾期未答复"),
    "waiting_offer": _("递补"), "class_ruling": _("班级变动"), "recheck_received": _("收到复核"),
    "recheck_answered": _("复核答复"), "result_corrected": _("结果更正"), "agreement_ready": _("协议待签"),
    "agreement_reminder": _("催签协议"), "agreement_effective": _("协议生效"),
    "agreement_lapsed": _("协议逾期"), "check_in": _("报到"), "next_round": _("下一轮"),
}  # fmt: skip
ASKING = (
    "offer_made", "offer_due_soon", "waiting_offer", "agreement_ready", "agreement_reminder",
    "check_in",
)  # fmt: skip
"""Codes that ask for something, which is her next step until it is done."""

STATES = {
    "queued": _("等待发送"), "sent": _("已发送"), "failed": _("发送失败"), "kept": _("留存，未外发"),
}  # fmt: skip
NAMES = ("program", "due", "number", "first", "last", "place", "title")
"""What a sentence may name; ``number`` is a ticket's or an agreement's."""

MOST_TRIES = 5
DELAYS = tuple(timedelta(minutes=m) for m in (1, 10, 60, 360, 1440))
"""How long after each try the next one is made."""


class NoTelephone(ValueError):
    """Nobody knows where a message should go."""


class Sender(Protocol):
    """What carries messages out of the system; an installation names its own in ``ORDERCLASS_SENDER``."""

    def __call__(self, key: str, telephone: str, words: str) -> None:
        """Send one message, or raise.

        A ``key`` may come again where nobody knows how the first try ended; it is the same message.
        """


# --- putting ----------------------------------------------------------------------------------


def put(session: Session, applicant: Applicant, code: str, **params: Any) -> None:
    """Queue a message to somebody, in the caller's transaction.

    Parameters
    ----------
    code
        Of :data:`TEXTS`.
    params
        What its sentences name (:data:`NAMES`): ``program``, ``due`` (or ``due_at``), …; others are
        not kept.
    """
    params = {"due": params.get("due_at")} | params
    told = {name: _plain(params[name]) for name in NAMES if params.get(name)}
    told["applicant"] = applicant.number
    with force_locale(LANGUAGES["zh"]):
        words = wording(code, told)
    session.add(
        Message(
            round_id=applicant.round_id, applicant_id=applicant.id, code=code, params=told,
            words=words, at=db.now(session),
        )
    )  # fmt: skip


def wording(code: str, params: dict[str, Any]) -> str:
    """A message in the language of the page: whose it is, then each sentence whose names are known."""
    said = [str(_("报名号 %(applicant)s：")) % params]
    for sentence in TEXTS[code]:
        text = str(sentence)
        if all(f"%({name})s" not in text or name in params for name in NAMES):
            said.append(text % params if "%(" in text else text)
    return "".join(said)


def _plain(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d", value):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return f"{calendar.local(value):%Y-%m-%d %H:%M}"
    return str(value)


# --- reading ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """A message as its reader sees it."""

    label: str
    words: str
    at: datetime
    news: bool
    """Whether it tells more than what her next step says."""


def told(message: Message) -> Told:
    """A message in the language of the page."""
    code, params = message.code, dict(message.params)
    return Told(str(LABELS[code]), wording(code, params), message.at, code not in ASKING)


def of_applicant(applicant: Applicant) -> Select[Message]:
    """Somebody's messages, the last first."""
    return select(Message).where(Message.applicant_id == applicant.id).order_by(Message.id.desc())


def last_of(session: Session, applicant: Applicant) -> Message | None:
    """The last message to somebody."""
    return session.scalar(of_applicant(applicant).limit(1))


def of_round(round_id: int, state: str = "", code: str = "", number: str = "") -> Select[Message]:
    """The messages of a round, the last first; of a state, a code, an application number."""
    query = (
        select(Message)
        .join(Applicant, Applicant.id == Message.applicant_id)
        .where(Message.round_id == round_id)
        .order_by(Message.id.desc())
    )
    if state:
        query = query.where(Message.state == state)
    if code:
        query = query.where(Message.code == code)
    return query.where(Applicant.number == number) if number else query


# --- sending ----------------------------------------------------------------------------------


def plugged() -> str:
    """The name of the sender that this installation plugged in; none in a demo, whatever is set."""
    return "" if current_app.config["DEMO"] else str(current_app.config.get("SENDER") or "")


def sender() -> Sender | None:
    """The sender that this installation plugged in.

    Raises
    ------
    ImportError, AttributeError
        If there is nothing of its name; the worker looks before it begins.
    """
    module, _colon, name = plugged().partition(":")
    if not module:
        return None
    found: Callable[..., None] = getattr(import_module(module), name)
    return found


def send_due(limit: int = 50) -> int:
    """Send what is due, at most so many; without a sender everything queued is kept.

    A message is claimed, sent outside any transaction, and recorded; returns how many left the queue.
    """
    session = db.reading()
    moment = db.now(session)
    due = (Message.state == "queued") & (Message.due_at.is_(None) | (Message.due_at <= moment))
    waiting = session.scalars(select(Message.id).where(due).order_by(Message.id).limit(limit)).all()
    db.forget()
    if not waiting:
        return 0
    carry = sender()
    if carry is None:
        with db.writing() as writing:
            writing.execute(
                update(Message).where(Message.id.in_(waiting), due).values(state="kept"),
                execution_options={"synchronize_session": False},
            )
        return len(waiting)
    return sum(_send(carry, id_) for id_ in waiting)


def _send(carry: Sender, id_: int) -> bool:
    """Send one message; whether it has left the queue."""
    with db.writing() as session:
        held = session.get_one(Message, id_, with_for_update=True)
        moment = db.now(session)
        if held.state != "queued" or (held.due_at is not None and held.due_at > moment):
            return False
        if held.tries >= MOST_TRIES:  # its last try never told how it ended
            held.state = "failed"
            return True
        # claimed before it is sent: a worker that dies while it sends has used up the try
        held.due_at = moment + DELAYS[held.tries]
        held.tries += 1
        key, words, person = held.key, held.words, held.applicant.person
    error = ""
    try:
        telephone = people.telephone_of(person) if person.telephone else ""
        if not telephone:
            raise NoTelephone
        carry(key, telephone, words)
    except Exception as failure:  # whatever an installation's sender does wrong, the queue goes on
        error = type(failure).__name__
    with db.writing() as session:
        held = session.get_one(Message, id_)
        held.error = error
        if not error:
            held.state, held.sent_at = "sent", db.now(session)
        elif held.tries >= MOST_TRIES:
            held.state = "failed"
        return held.state != "queued"
