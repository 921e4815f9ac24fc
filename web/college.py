"""Pages of a college."""

from __future__ import annotations

from flask import Blueprint, render_template

from . import auth

bp = Blueprint("college", __name__, url_prefix="/college")
auth.guard(bp, "college")


@bp.get("/")
def home() -> str:
    """The first page."""
    return render_template("college/home.html")
