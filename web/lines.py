"""Lines of an import: what was read, what it would change, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .audit import Actor
from .cells import Row
from .models import Round, User


@dataclass
class Line:
    """One line of a sheet (or several that say one thing): its row in the file, and its values."""

    row: int
    values: Row
    key: str = ""
    rows: tuple[int, ...] = ()
    """Every row of the file that it was read from."""


@dataclass(frozen=True)
class Change:
    """A line that is new, or differs from what is stored."""

    row: int
    key: str
    before: Row | None
    """None where it is new."""
    after: Row

    def differing(self) -> list[str]:
        """The columns whose value changes."""
        if self.before is None:
            return [name for name, value in self.after.items() if value not in (None, "")]
        return [name for name, value in self.after.items() if self.before.get(name) != value]


@dataclass(frozen=True)
class Issue:
    """Something wrong with a cell, a line or the whole file; ``row`` 0 means the file."""

    code: str
    row: int = 0
    column: str = ""
    value: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    warning: bool = False

    def plain(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "code": self.code, "row": self.row, "column": self.column, "value": self.value,
            "about": dict(self.about), "warning": self.warning,
        }  # fmt: skip


@dataclass(frozen=True)
class Office:
    """For whom somebody acts: a college, an enterprise, or the whole alliance."""

    college_id: int | None = None
    enterprise_id: int | None = None
    code: str = ""
    """The code of the college or enterprise; blank for the alliance."""


def office_of(session: Session, actor: Actor) -> Office:
    """The office of an actor; of a coordinator, the alliance."""
    if actor.role not in ("college", "enterprise"):
        return Office()
    name = actor.name.partition(":")[2]
    user = session.scalars(select(User).where(User.username == name)).one()
    if actor.role == "college":
        return Office(
            college_id=user.college_id or 0, code=user.college.code if user.college else ""
        )
    held = user.enterprise
    return Office(enterprise_id=user.enterprise_id or 0, code=held.code if held else "")


Current = dict[str, Row]
"""What is stored, as the sheet would say it, by key."""


@dataclass(frozen=True)
class Keeper:
    """What a sheet means in the database: reading it out, checking lines together, storing them."""

    current: Callable[[Session, Round, Office], Current]
    check: Callable[[Session, Round, Office, Sequence[Line], Current], Iterable[Issue]]
    """Gives each line its key, fills in what follows from others, and tells what is wrong."""
    store: Callable[[Session, Round, Office, Sequence[Change], Actor], None]
    fold: Callable[[Session, Round, list[Line]], tuple[list[Line], list[Issue]]] = (
        lambda session, round_, lines: (lines, [])
    )
    """Lines that say one thing together, as one."""
    unfold: Callable[[Row], list[Row]] = lambda row: [row]
    """The lines of the sheet that say what is stored under one key."""
    removable: Callable[[Session, Round, Sequence[str]], Iterable[Issue]] | None = None
    """What stands against the removal of what is stored under these keys; none where a file never
    replaces all."""
    standing: Callable[[Session, Round], Collection[str]] | None = None
    """The keys of what a file may still remove, where some of what is stored has gone before."""
    remove: Callable[[Session, Round, Sequence[str], Actor, str], None] = (
        lambda session, round_, keys, actor, reason: None
    )


def twice(lines: Iterable[Line], column: str) -> list[Issue]:
    """Lines with the key of an earlier one."""
    seen: dict[str, int] = {}
    found = []
    for line in lines:
        if line.key in seen:
            found.append(
                Issue("twice_in_file", line.row, column, line.key, {"other": seen[line.key]})
            )
        seen.setdefault(line.key, line.row)
    return found
