"""The coordinators' blueprint, and what its views share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, flash
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from .. import auth, call_pages, db, reviewing, rounds, stages, statistics_pages
from ..calendar import NoCalendar
from ..models import Round
from . import menu, obstacles

bp = Blueprint("coordinator", __name__, url_prefix="/coordinator")
auth.guard(bp, "coordinator")
statistics_pages.pages(bp, "/rounds", "coordinator/round_base.html")
call_pages.mount(bp, "/rounds/<serial>", lambda: None)


@contextmanager
def changing(serial: str) -> Iterator[tuple[Session, Round]]:
    """One transaction that writes, and the round in it."""
    with db.writing() as session:
        yield session, auth.round_of(serial, session)


@contextmanager
def telling(done: str) -> Iterator[None]:
    """Say that something was done, or why it was not."""
    try:
        yield
    except rounds.Blocked as error:
        flash(str(_("；")).join(map(obstacles.sentence, error.obstacles)), "error")
    except rounds.Moved:
        flash(_("没有执行：本轮状态或这条记录已被别人改变，请看下面的最新情况"), "error")
    except NoCalendar as error:
        flash(_("没有 %(year)s 年的节假日表，请先补上。", year=error.year), "error")
    except (stages.NotNow, reviewing.SecondPerson) as error:
        flash(str(error), "error")
    else:
        flash(done, "success")


@bp.app_context_processor
def _shared() -> dict[str, Any]:
    return {"next_of": obstacles.next_of, "menu": menu}
