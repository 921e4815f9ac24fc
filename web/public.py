"""What everybody may read: rounds, plans, rules, commitments, results."""

from __future__ import annotations

from flask import Blueprint, render_template

bp = Blueprint("public", __name__)


@bp.get("/")
def home() -> str:
    """The first page."""
    return render_template("public/home.html")
