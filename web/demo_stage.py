"""What the demo's rounds share: rows of files, people of offices, and the moment of the story."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC

from flask import current_app
from sqlalchemy.orm import Session

from . import auth, calendar
from .audit import Actor
from .models import Person

PASSWORD = "orderclass-demo"
FIRST, SECOND = (Actor(f"coordinator:coordinator{n}", "coordinator") for n in (1, 2))

Row = Mapping[str, str]
Files = Mapping[str, Sequence[Row]]
"""The rows of a round's files, by table."""


@contextmanager
def at(moment: str) -> Iterator[None]:
    """While the demo is filled, it is the time that its story tells."""
    current_app.config["CLOCK"] = lambda: calendar.parse_local(moment).astimezone(UTC)
    yield


def applicant_account(session: Session, username: str, person: Person, about: str) -> None:
    """Somebody's account, under a name that is easily typed; ``about`` says what it shows."""
    auth.create_user(
        session, username, PASSWORD, "applicant", person=person, name=f"{person.name}（{about}）"
    )
