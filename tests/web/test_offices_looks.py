"""Offices' pages in a browser: readable by everybody, on a desk and on a phone, in both schemes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web import offices as o
from tests.web.a_round import SERIAL
from tests.web.browser import Look, Visitors
from tests.web.conftest import PASSWORD

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PAGES = {
    "u1": ("/college/", f"/college/{SERIAL}/classes/NEV", f"/college/{SERIAL}/scores/W"),
    "x": ("/enterprise/", f"/enterprise/{SERIAL}/demands/new", f"/enterprise/{SERIAL}/interviews/NEV-X"),
    "d1": ("/district/",),
    "b1": (f"/bureau/{SERIAL}/", "/bureau/audit"),
}  # fmt: skip


def test_pages_suit_everybody(
    app: Flask, as_user: Callable[..., FlaskClient], visitors: Visitors, look: Look
) -> None:
    w = o.world(app, as_user, "REVIEW")
    with w.writing() as s:
        o.claim(s, "A01", "G05")
    found = []
    for name, pages in PAGES.items():
        w.as_(name)
        page = visitors(f"{name}user", PASSWORD)
        for path in pages:
            page.goto(path)
            if path.endswith("interviews/NEV-X"):
                with page.expect_navigation():
                    page.get_by_role("button", name="打开名单（记录查看）").click()
            found += [f"{path}: {line}" for line in look(page, path.strip("/").replace("/", "-"))]
    assert not found, "\n".join(found)
