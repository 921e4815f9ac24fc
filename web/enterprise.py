"""Pages of an enterprise."""

from __future__ import annotations

from flask import Blueprint, render_template

from . import auth

bp = Blueprint("enterprise", __name__, url_prefix="/enterprise")
auth.guard(bp, "enterprise")


@bp.get("/")
def home() -> str:
    """The first page."""
    return render_template("enterprise/home.html")
