"""The page of retention: what is kept how long, what is due, what was removed when."""

from __future__ import annotations

from flask import Blueprint, render_template
from sqlalchemy import select

from . import db, paging, policies, retention, stages
from .models import Removal, Round


def mount(bp: Blueprint) -> None:
    """Give an office's blueprint the page."""

    @bp.get("/retention")
    def keeping() -> str:
        """Periods, what is due now, and the reports of what was removed."""
        session = db.reading()
        page = paging.page_of_query(select(Removal).order_by(Removal.id.desc()))
        named = {r.id: r for r in session.scalars(select(Round))}
        newest = stages.latest(session)
        return render_template(
            "offices/retention.html", page=page, rounds=named, labels=retention.LABELS,
            rules=[(rule, retention.days(newest, rule)) for rule in retention.RULES],
            evidence_days=policies.flow(newest, "privacy.evidence_days") if newest else None,
            due=retention.due(session), endpoint=f"{bp.name}.keeping",
        )  # fmt: skip
