"""Messages to applicants, waiting to be sent (发件箱)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from .db import now
from .models import Applicant, Message


def put(session: Session, applicant: Applicant, code: str, **params: Any) -> None:
    """Put a message to somebody into the outbox, in the caller's transaction."""
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
