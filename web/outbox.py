"""Messages to applicants (发件箱): put as rows by what happened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from .db import now
from .models import Applicant, Message


def put(session: Session, applicant: Applicant, code: str, **params: Any) -> None:
    """Queue a message to somebody, in the caller's transaction."""
    told = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in params.items()
    }
    session.add(
        Message(
            round_id=applicant.round_id, applicant_id=applicant.id, code=code, params=told,
            words=code, at=now(session),
        )
    )  # fmt: skip
