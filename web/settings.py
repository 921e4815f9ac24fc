"""What an operator sets once for every page's foot: who runs it, its registrations, whom to call."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from .audit import Actor, canonical, record
from .models import Setting

NAMES = ("主办单位", "ICP备案号", "公安备案号", "监督电话", "隐私政策")


class Stale(ValueError):
    """Somebody changed a setting since the form was opened."""


def current(session: Session) -> dict[str, str]:
    """Every setting; blank where nobody set it."""
    held = {s.name: s.value for s in session.scalars(select(Setting))}
    return {name: held.get(name, "") for name in NAMES}


def mark(values: Mapping[str, str]) -> str:
    """A mark of the values as they stand, by which a form that is out of date is told."""
    return hashlib.sha256(canonical(dict(values))).hexdigest()[:16]


def save(session: Session, values: Mapping[str, str], marked: str, actor: Actor) -> None:
    """Set the settings that changed.

    Raises
    ------
    Stale
        If they no longer stand as when ``marked``.
    """
    before = current(session)
    if mark(before) != marked:
        raise Stale
    changed = {n: values[n] for n in NAMES if values.get(n, before[n]) != before[n]}
    for name, value in changed.items():
        session.merge(Setting(name=name, value=value))
    if changed:
        record(session, actor, "settings.save", "settings",
               before={n: before[n] for n in changed}, after=changed)  # fmt: skip
