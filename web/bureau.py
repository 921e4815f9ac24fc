"""Pages of the bureau and of auditors: they read, and change nothing."""

from __future__ import annotations

from flask import Blueprint, render_template

from . import auth

bp = Blueprint("bureau", __name__, url_prefix="/bureau")
auth.guard(bp, "bureau", "auditor")


@bp.get("/")
def home() -> str:
    """The first page."""
    return render_template("bureau/home.html")
