"""Pages of the alliance's coordinators."""

from __future__ import annotations

from flask import Blueprint, render_template

from . import auth

bp = Blueprint("coordinator", __name__, url_prefix="/coordinator")
auth.guard(bp, "coordinator")


@bp.get("/")
def home() -> str:
    """The first page."""
    return render_template("coordinator/home.html")
