"""Every form of every role with what nobody means to type: answered, never by a fault of ours, and what
was typed is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.a_round import small_round
from tests.web.visits import MANY, ROLES, Element, Seen, account, logged_in, visited
from web import db

STRANGE = (
    "\x00", "长" * 60_000, "9" * 40, "-1", "1e400", "NaN", "²", "٣", "1_000", "0001-01-01",
    "9999-12-31", "0001-01-01T00:00", "9999-12-31T23:59", "<b>&\"'", "%(x)s {0}", "\u202e\u200b",
    "  ", "\r\n\t", "[]",
)  # fmt: skip
SHOWN = ("text", "search", "date", "datetime-local", "number")
TYPED, CHOSEN = (*SHOWN, "password"), "chosen"


@dataclass
class Sent:
    """A form: where it goes, and each of its fields with its kind and what it held."""

    action: str
    method: str
    fields: dict[str, tuple[str, str]] = field(default_factory=dict)

    def filled(self, strange: str, kinds: tuple[str, ...]) -> dict[str, str]:
        """What is sent with a strange text in every field of these kinds."""
        return {n: strange if kind in kinds else held for n, (kind, held) in self.fields.items()}


def forms(page: Seen) -> Iterator[Sent]:
    """The forms of a page."""
    found: dict[int, Sent] = {}
    for element in page.main():
        form = next((e for e in reversed(element.inside) if e.name == "form"), None)
        name = element.attributes.get("name", "")
        if form is None or not name or name == "csrf_token":
            continue
        action = form.attributes.get("action") or page.path
        method = form.attributes.get("method", "get").lower()
        sent = found.setdefault(id(form), Sent(action, method))
        sent.fields.setdefault(name, (kind_of(element), element.attributes.get("value", "")))
    yield from found.values()


def kind_of(element: Element) -> str:
    """``text``, ``hidden`` and so on; what is picked of several is ``chosen``."""
    kind = element.attributes.get("type", "text" if element.name in ("input", "textarea") else "")
    return kind if kind in (*TYPED, "hidden") else CHOSEN


def everything(app: Flask, state: str) -> Iterator[tuple[FlaskClient, Sent]]:
    """Each kind of form of each role in a round, with somebody who may send it."""
    with app.app_context(), db.writing() as session:
        small_round(session, state=state)
    for role in ROLES:
        if (role, state) == ("applicant", "DRAFT"):
            continue  # nobody applies before the plan is public
        client = logged_in(app, name := account(app, role) if role != "nobody" else "")
        known = set[tuple[str, ...]]()
        for one in [s for p in visited(client, "/start" if name else "/") for s in forms(p)]:
            key = (one.method, MANY.sub("*", one.action), *one.fields)
            if key not in known:
                known.add(key)
                yield client, one


@pytest.mark.full
@pytest.mark.parametrize("state", ["DRAFT", "OPEN", "REVIEW"])
def test_nothing_that_is_sent_is_a_fault_of_ours(app: Flask, state: str) -> None:
    tried = 0
    for client, one in everything(app, state):
        tried += 1
        for strange in STRANGE:
            for kinds in (TYPED, ("hidden",), (*TYPED, "hidden", CHOSEN)):
                data = one.filled(strange, kinds)
                if one.method == "get":
                    answer = client.get(one.action, query_string=data)
                else:
                    answer = client.post(one.action, data=data)
                assert answer.status_code < 500, (one, strange[:20], kinds)
    assert tried > 20


TAKES_ANYTHING = re.compile(r"/settings$|/data$")
"""Where any text is right: what stands at the foot of the pages, why data are to be deleted."""


@pytest.mark.full
@pytest.mark.parametrize("state", ["DRAFT", "OPEN", "REVIEW"])
def test_what_was_typed_is_kept_and_what_is_wrong_is_said(app: Flask, state: str) -> None:
    tried = 0
    for client, one in everything(app, state):
        typed = [n for n, (kind, _) in one.fields.items() if kind in SHOWN]
        if one.method == "get" or not typed or TAKES_ANYTHING.search(one.action):
            continue
        tried += 1
        answer = client.post(one.action, data=one.filled("不是这里要的", TYPED))
        assert answer.status_code == 200, one
        page = Seen(one.action, answer.text)
        kept = [e.attributes.get("value", "") for e in page.main()]
        kept += [text for text, inside in page.texts if inside[-1].name == "textarea"]
        assert kept.count("不是这里要的") >= len(typed), one
        said = [
            e for e in page.main() if e.has("problem", "error") or "aria-invalid" in e.attributes
        ]
        assert said, one
    assert tried > 15
