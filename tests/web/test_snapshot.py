"""Freezing: rows become files once, pseudonymised, and no later write changes them."""

from __future__ import annotations

from flask import Flask

from tests.web.a_round import small_round
from web import db


def test_a_small_round_stands(app: Flask) -> None:
    with app.app_context():
        with db.writing() as session:
            small_round(session)
        with db.writing() as session:
            small_round(session, serial="2026-2", state="OPEN", people=3)
