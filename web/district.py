"""Pages of a district office."""

from __future__ import annotations

from flask import Blueprint, render_template

from . import auth

bp = Blueprint("district", __name__, url_prefix="/district")
auth.guard(bp, "district")


@bp.get("/")
def home() -> str:
    """The first page."""
    return render_template("district/home.html")
