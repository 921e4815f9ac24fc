"""Messages to applicants, queued in the transaction that is their cause."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from . import db
from .models import Applicant, Message


def put(session: Session, applicant: Applicant, code: str, **params: Any) -> None:
    """Queue a message to an applicant."""
    told = {name: str(value) for name, value in params.items()}
    session.add(
        Message(
            round_id=applicant.round_id, applicant_id=applicant.id, code=code, params=told,
            words=code, at=db.now(session),
        )
    )  # fmt: skip
