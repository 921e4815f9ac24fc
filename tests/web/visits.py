"""Everybody's walk through the pages of a round: each kind of page once, as links lead there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.web.conftest import PASSWORD
from web import auth, db
from web.models import Applicant, College, Enterprise

ROLES = ("nobody", "applicant", "coordinator", "college", "enterprise", "district", "bureau")
MANY = re.compile(r"(?<=/)(?:[a-z0-9]{16}|[0-9a-f]{64}|\d+|[A-Z]+\d*(?:-[A-Z0-9]+)?)(?=/|$)")
FILES = re.compile(r"\.(?:zip|py|xlsx|pdf|svg|css)$|^/static/")
QUIET = ("script", "style", "title", "option", "svg")


@dataclass
class Element:
    """An element of a page as far as the tests ask: its name, attributes and place."""

    name: str
    attributes: dict[str, str]
    inside: tuple[Element, ...]

    def has(self, *classes: str) -> bool:
        """Whether it carries one of these classes."""
        return bool(set(classes) & set(self.attributes.get("class", "").split()))


@dataclass
class Seen:
    """A page: its address, its elements, and its texts with the elements they stand in."""

    path: str
    html: str
    elements: list[Element] = field(default_factory=list)
    texts: list[tuple[str, tuple[Element, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        _Reader(self).feed(self.html)

    def main(self) -> list[Element]:
        """The elements of its main part."""
        return [e for e in self.elements if any(p.name == "main" for p in e.inside)]

    def said(self) -> list[str]:
        """The texts of its main part that people read."""
        return [
            text
            for text, inside in self.texts
            if any(e.name == "main" for e in inside) and not any(e.name in QUIET for e in inside)
        ]


VOID = ("input", "meta", "link", "br", "img", "hr", "rect")


class _Reader(HTMLParser):
    def __init__(self, page: Seen) -> None:
        super().__init__()
        self.page, self.open = page, list[Element]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {k: v or "" for k, v in attrs}, tuple(self.open))
        self.page.elements.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_endtag(self, tag: str) -> None:
        if any(e.name == tag for e in self.open):
            while self.open.pop().name != tag:
                pass

    def handle_data(self, data: str) -> None:
        if text := " ".join(data.split()):
            self.page.texts.append((text, tuple(self.open)))


def account(app: Flask, role: str) -> str:
    """The name of somebody of a role who belongs to the small round."""
    with app.app_context(), db.writing() as session:
        scope: dict[str, Any] = {"district": "371002"} if role == "district" else {}
        if role == "applicant":
            query = select(Applicant).where(Applicant.number == "A01")
            scope["person"] = session.scalars(query).one().person
        if role in ("college", "enterprise"):
            model = College if role == "college" else Enterprise
            scope[role] = session.scalars(select(model).order_by(model.id)).first()
        auth.create_user(session, f"{role}1", PASSWORD, role, **scope)
    return f"{role}1"


def logged_in(app: Flask, name: str, language: str = "zh") -> FlaskClient:
    """A visitor; with a name, somebody who has logged in."""
    client = app.test_client()
    client.set_cookie("lang", language)
    if name:
        client.post("/login", data={"username": name, "password": PASSWORD})
    return client


def visited(client: FlaskClient, start: str) -> Iterator[Seen]:
    """Every kind of page that links lead to from a page."""
    todo, kinds = [start], set[str]()
    while todo:
        path = todo.pop(0).partition("#")[0]
        kind = MANY.sub("*", path.partition("?")[0])
        if kind in kinds or FILES.search(kind) or not path.startswith("/"):
            continue
        kinds.add(kind)
        answer = client.get(path, follow_redirects=True)
        if answer.status_code == 403:
            continue  # a link to pages of others: of a visitor who is somebody
        assert answer.status_code == 200, (path, answer.status_code)
        if answer.mimetype == "text/html":
            page = Seen(path, answer.text)
            yield page
            todo += [e.attributes.get("href", "") for e in page.elements if e.name == "a"]
