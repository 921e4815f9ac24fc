"""Pages of an applicant."""

from __future__ import annotations

from flask import Blueprint, render_template

from . import auth

bp = Blueprint("applicant", __name__, url_prefix="/me")
auth.guard(bp, "applicant")


@bp.get("/")
def home() -> str:
    """The first page."""
    return render_template("applicant/home.html")
