"""The second person at a recheck: confirm its answer or send it back, and publish what was upheld."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from .. import (
    auth,
    calendar,
    db,
    jobs,
    publication,
    recheck_pages,
    rechecks,
    remedies,
    rounds,
    snapshot,
)
from ..models import Recheck
from ..offices import posted_version
from ..recheck_pages import REFUSALS, Back
from . import obstacles
from .blueprint import bp, changing, telling

AT = "/rounds/<serial>/rechecks"
recheck_pages.mount(bp, "/rounds/<serial>")


def _done(serial: str, key: str, act: Callable[[Session, Recheck], Any], said: str) -> Response:
    """Do something with a ticket, and come back to it."""
    try:
        with changing(serial) as (session, round_):
            act(session, auth.recheck_of(round_, key, session))
    except REFUSALS as error:
        recheck_pages.say(error)
    except jobs.NotAllowed:
        flash(_("现在不能推算。"), "error")
    else:
        flash(said, "success")
    return redirect(url_for("coordinator.recheck", serial=serial, key=key))


@bp.post(AT + "/<key>/look")
def look_recheck(serial: str, key: str) -> Response:
    """Work out once more what would follow."""
    return _done(serial, key, lambda s, t: rechecks.look(s, t, auth.actor()), _("正在推算后果。"))


@bp.post(AT + "/<key>/confirm")
def confirm_recheck(serial: str, key: str) -> Response:
    """Agree with the answer: it is given."""
    seen = posted_version()
    return _done(
        serial, key, lambda s, t: rechecks.confirm(s, t, auth.actor(), seen), _("已答复申请人。")
    )


@bp.post(AT + "/<key>/back")
def back_recheck(serial: str, key: str) -> Response:
    """Do not agree: the ticket is open again."""
    return _reasoned(serial, key, rechecks.send_back, _("已退回重办。"))


@bp.post(AT + "/<key>/first")
def first_recheck(serial: str, key: str) -> Response:
    """No seat was agreed: first on the waiting list."""
    return _reasoned(serial, key, remedies.first_instead, _("已改为递补排第一位。"))


@bp.post(AT + "/<key>/another")
def another_recheck(serial: str, key: str) -> Response:
    """Its remedy cannot come true: the next best place."""
    same = bool(request.form.get("same"))
    return _reasoned(
        serial, key, partial(remedies.another, same=same), _("已重新办理，正在推算后果。")
    )


def _reasoned(serial: str, key: str, act: Callable[..., None], said: str) -> Response:
    form = Back()
    if not form.validate_on_submit():
        return recheck_pages.ticket_page(serial, key, back=form)
    return _done(serial, key, lambda s, t: act(s, t, auth.actor(), form.reason.data), said)


@bp.post(AT + "/run")
def run_rechecks(serial: str) -> Response:
    """Work out what follows from everything upheld."""
    try:
        with telling(_("正在推算后果。")), changing(serial) as (session, round_):
            rechecks.run_all(session, round_, auth.actor())
    except jobs.NotAllowed:
        flash(_("现在不能推算。"), "error")
    return redirect(url_for("coordinator.rechecks_list", serial=serial))


@bp.post(AT + "/publish")
@auth.fresh
def publish_rechecks(serial: str) -> Response:
    """Approve the corrected result, and publish it as successor of what is public."""
    round_id = auth.round_of(serial).id
    try:
        with changing(serial) as (session, round_):
            run = rechecks.successor_run(session, round_)
            if run is None:
                raise rounds.Moved(round_.state)
            publication.approve_successor(session, round_, run, auth.actor())
        publication.succeed(round_id, auth.actor())
    except rounds.Blocked as error:
        flash("；".join(obstacles.sentence(o) for o in error.obstacles), "error")
    except (rounds.Moved, rechecks.Outdated):
        flash(_("没有公示：又有变化，请看下面的最新情况"), "error")
    except publication.Altered:
        flash(_("没有公示：快照或结果文件与记录不符，请查明是谁改过"), "error")
    except snapshot.NoSpace:
        flash(_("磁盘空间不足，请先清理再公示"), "error")
    except calendar.NoCalendar as error:
        flash(_("没有 %(year)s 年的节假日表，算不出公示期，请先补上", year=error.year), "error")
    else:
        flash(_("更正版已公示，公示期重新开始"), "success")
    db.forget()
    return redirect(url_for("coordinator.rechecks_list", serial=serial))
