"""Publishing: all of it or nothing, a bundle that proves itself, and each person's own line."""

from __future__ import annotations

from flask import Flask

from tests.web.a_round import published_round


def test_all_the_way(app: Flask) -> None:
    with app.app_context():
        made = published_round()
        assert made.state == "PUBLISHED"
