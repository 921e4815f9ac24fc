"""Messages to applicants, waiting to be sent (发件箱)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from .db import now
from .models import Applicant, Message


def put(session: Session, applicant: Applicant, code: str, **params: Any) -> None:
    """Put a message to an applicant into the outbox, in the caller's transaction."""
    session.add(
        Message(
            round_id=applicant.round_id, applicant_id=applicant.id, code=code, params=params,
            words=code, at=now(session),
        )
    )  # fmt: skip
