"""What every page of a round keeps, whoever opens it: one next action, plain words, a small weight."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.web.a_round import standing
from tests.web.browser import DESK, PHONE, Visitors, axe, too_wide
from tests.web.conftest import PASSWORD, Clock
from tests.web.visits import ROLES, Element, Seen, account, logged_in, visited

MOST = 60_000
"""Bytes of an applicant's page with all that it loads, compressed."""

HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
WIDE = re.compile(r"[（）：；，。、？！]")
BARE = re.compile(r"[A-Za-z0-9”] ?[（）：；，。、]|[）：；，。、] ?[A-Za-z“]")
COUNTED = re.compile(
    r"(?<![\d.,-])1 (?:\w+ )?(?:people|seats|classes|choices|rows|posts|days|years|entries|errors|lines)\b"
)
GLUED = re.compile(r"[a-z0-9)][.!?;][A-Z][a-z]")
END = re.compile(r"[。！？；!?]")
SENTENCE = 30


@pytest.fixture(params=["review", "published"])
def app(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    """A round in review, and one in its notice period."""
    made = standing(tmp_path / "round", request.param, clock)
    yield made
    made.extensions["orderclass_engine"].dispose()


def pages(app: Flask, role: str, language: str = "zh") -> Iterator[Seen]:
    """Every kind of page of a role."""
    name = account(app, role) if role != "nobody" else ""
    yield from visited(logged_in(app, name, language), "/start" if name else "/")


def presses(page: Seen) -> list[Element]:
    """The forms of a page with a button that is not beside the point."""
    buttons = [
        e for e in page.main()
        if e.name == "button" and not e.has("secondary", "outline", "plain") and "hidden" not in e.attributes
    ]  # fmt: skip
    forms = {id(p): p for b in buttons for p in b.inside if p.name == "form"}
    return list(forms.values())


@pytest.mark.parametrize("role", ROLES)
def test_one_next_action_or_why_there_is_none(app: Flask, role: str) -> None:
    wrong = []
    for page in pages(app, role):
        if not re.search(r"2026-1|/me/|/start", page.path):
            continue  # no page of a round
        boxes = [e for e in page.main() if e.has("next")]
        says = [e for e in page.main() if e.has("note", "deadline")]
        if len(boxes) > 1:
            wrong.append(f"{page.path}: {len(boxes)} next actions")
        if not boxes and len(presses(page)) > 1:
            wrong.append(f"{page.path}: {len(presses(page))} forms, none of them next")
        if not boxes and not presses(page) and not says:
            wrong.append(f"{page.path}: no next action, and not why")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ROLES)
def test_no_table_says_what_the_heading_above_says(app: Flask, role: str) -> None:
    wrong = set()
    for page in pages(app, role):
        heading = ""
        for text, inside in page.texts:
            if any(e.name in ("h1", "h2", "h3") for e in inside):
                heading = text
            elif text == heading and any(e.name == "caption" and not e.has("sr") for e in inside):
                wrong.add(f"{page.path}: {text}")
    assert not wrong, "\n".join(sorted(wrong))


@pytest.mark.parametrize("role", ROLES)
def test_english_pages_are_set_in_english(app: Flask, role: str) -> None:
    wrong = []
    for page in pages(app, role, "en"):
        for text in page.said():
            if WIDE.search(text) and (not HAN.search(text) or BARE.search(text)):
                wrong.append(f"{page.path}: {text[:80]}")
            if COUNTED.search(text):
                wrong.append(f"{page.path}: {text[:80]} counts one as many")
            if GLUED.search(text):
                wrong.append(f"{page.path}: {text[:80]} has sentences without a space between")
    assert not wrong, "\n".join(wrong)


def test_applicants_read_short_sentences(app: Flask) -> None:
    wrong = {
        f"{page.path}: {part}"
        for page in pages(app, "applicant")
        for text, inside in page.texts
        if any(e.name == "main" for e in inside)
        and not any(e.name in ("code", "option") for e in inside)
        for part in END.split(text)
        if len(part) > SENTENCE
    }
    assert not wrong, "\n".join(sorted(wrong))


def test_applicants_load_little(app: Flask) -> None:
    static = Path(app.static_folder or "")
    for page in pages(app, "applicant"):
        links = [e.attributes.get("href") or e.attributes.get("src", "") for e in page.elements]
        files = {
            link.removeprefix("/static/").partition("?")[0] for link in links if "/static/" in link
        }
        weight = len(gzip.compress(page.html.encode(), 6))
        weight += sum(len(gzip.compress((static / name).read_bytes(), 6)) for name in files)
        assert weight <= MOST, f"{page.path}: {weight} bytes"


@pytest.mark.full
@pytest.mark.parametrize("role", ROLES)
def test_every_page_suits_everybody(app: Flask, visitors: Visitors, role: str) -> None:
    """Axe, light and dark, at a desk and on a phone; nothing sideways, with text at 150 % neither."""
    paths = [page.path for page in pages(app, role)]
    page = visitors(f"{role}1" if role != "nobody" else "", PASSWORD)
    wrong = []
    for path in paths:
        for (width, height), scheme in ((DESK, "light"), (PHONE, "dark")):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(path)
            wrong += axe(page)
            wrong += [f"{path} is wider than {width} px"] if too_wide(page) else []
        page.evaluate("document.documentElement.style.fontSize = '168.75%'")
        wrong += [f"{path} is too wide at 150 %"] if too_wide(page) else []
    assert not wrong, "\n".join(wrong)
