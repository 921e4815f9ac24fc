"""Pages of statistics in a browser: readable by everybody, on a desk and on a phone, in both schemes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web import offices as o
from tests.web.a_round import SERIAL
from tests.web.browser import Look, Visitors
from tests.web.conftest import PASSWORD
from tests.web.test_enterprise import publish

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PAGES = {
    "b1": (
        f"/bureau/{SERIAL}/statistics?by=enterprise", f"/bureau/{SERIAL}/bulletin",
        f"/bureau/{SERIAL}/ranking", "/bureau/audit?first=x", f"/rounds/{SERIAL}/statistics",
    ),
    "c1": (f"/coordinator/rounds/{SERIAL}/statistics?by=age",),
}  # fmt: skip


def test_pages_suit_everybody(
    app: Flask, as_user: Callable[..., FlaskClient], visitors: Visitors, look: Look
) -> None:
    w = o.world(app, as_user, "PUBLISHED")
    publish(w)
    found = []
    for name, pages in PAGES.items():
        w.as_(name)
        page = visitors(f"{name}user", PASSWORD)
        for path in pages:
            page.goto(path)
            shot = path.strip("/").replace("/", "-").replace("?", "-")
            found += [f"{path}: {line}" for line in look(page, shot)]
    assert not found, "\n".join(found)
