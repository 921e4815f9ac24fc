"""Every word that somebody reads stands in Chinese in the source and in English in a catalogue."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import flask_babel
import flask_security.core
import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask import Flask, render_template_string
from flask.testing import FlaskClient

from web import words

WEB = Path(__file__).parents[2] / "web"
HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
CHINESE = re.compile(r"[\u3000-\u9fff\uff00-\uffef\U00020000-\U0003ffff]")
PLACES = re.compile(r"%\((\w+)\)[sd]|\{(\w*)\}")
CALLS = ("_", "_l", "gettext", "lazy_gettext", "ngettext")
BILINGUAL = re.compile(r"/ [a-z]{2}|[A-Za-z]+ [a-z]+")
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]

DATA = {
    "check_chain.py": "handed out alone: each sentence stands beside its English",
    "cells.py": "workbooks are in Chinese: words that cells hold",
    "demo.py": "what is made up for the demo is data",
    "demo_confirming.py": "what is made up for the demo is data",
    "exports.py": "workbooks are in Chinese: their instructions",
    "forms_print.py": "printed forms are in Chinese",
    "paper.py": "printed forms are in Chinese: page numbers and places to date",
    "printing.py": "printed forms are in Chinese: what they say",
    "privacy.py": "compound surnames are data",
    "wording.py": "expressions that find unlawful conditions are data",
    "sheets.py": "workbooks are in Chinese: headings and hints, each with its English",
    "workbooks.py": "workbooks are in Chinese: names of their sheets",
}
"""Files whose Chinese strings are no words of pages, and why."""


@cache
def used() -> dict[str, str]:
    """Each text that is translated, and a place where it is used."""
    found = extract_from_dir(
        str(WEB), METHODS, {"**.html": {"extensions": "jinja2.ext.i18n"}},
        keywords={"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)},
    )  # fmt: skip
    texts: dict[str, str] = {}
    for path, line, message, *_rest in found:
        for text in [message] if isinstance(message, str) else message:
            texts.setdefault(text, f"{path}:{line}")
    return texts


@cache
def english() -> dict[str, Catalog]:
    held = {}
    for path in sorted((WEB / "translations" / "en").glob("*.po")):
        with path.open("rb") as file:
            held[path.name] = read_po(file, locale="en", abort_invalid=True)
    return held


def entries() -> Iterator[tuple[str, str, str]]:
    for name, catalogue in english().items():
        for message in catalogue:
            if message.id:
                single = message.id if isinstance(message.id, str) else message.id[0]
                text = message.string if isinstance(message.string, str) else message.string[0]
                assert not message.fuzzy, f"{name}: {single} is only guessed"
                yield name, single, text


def test_every_text_has_its_english() -> None:
    known = {text for _name, text, english in entries() if english.strip()}
    missing = [f"{place} {text}" for text, place in used().items() if text not in known]
    assert not missing, "\n".join(missing)


def test_english_keeps_the_places_of_numbers_and_names() -> None:
    wrong = [
        f"{name}: {text} → {english}"
        for name, text, english in entries()
        if Counter(PLACES.findall(text)) != Counter(PLACES.findall(english))
    ]
    assert not wrong, "\n".join(wrong)


def test_one_text_has_one_translation_and_is_used() -> None:
    held: dict[str, tuple[str, str]] = {}
    wrong = []
    for name, text, english in entries():
        other, before = held.setdefault(text, (name, english))
        if before != english:
            wrong.append(f"{text}: {before} in {other}, {english} in {name}")
        if text not in used():
            wrong.append(f"{name}: {text} is used nowhere")
        if HAN.search(re.sub(r"\([^)]*\)", "", english)):  # a Chinese name may stand in brackets
            wrong.append(f"{name}: {text} → {english} is still Chinese")
    assert not wrong, "\n".join(wrong)


def test_the_source_is_chinese() -> None:
    wrong = [f"{place} {text}" for text, place in used().items() if not CHINESE.search(text)]
    assert not wrong, "\n".join(wrong)


# --- nothing stands outside of _() ------------------------------------------------------------


def naked_in_template(source: str) -> list[str]:
    """Chinese of a template that is no argument of ``_()`` and no comment."""
    source = re.sub(r"\{#.*?#\}", "", source, flags=re.S)
    source = re.sub(r"<!--.*?-->", "", source, flags=re.S)
    for quote in "\"'":
        source = re.sub(rf"\b_\(\s*{quote}[^{quote}]*{quote}", "_(", source)
    return [line.strip() for line in source.splitlines() if HAN.search(line)]


def naked_in_python(source: str) -> list[tuple[int, str]]:
    """Chinese of a module outside of ``_()``: no docstring, no name of a setting, not bilingual."""
    tree = ast.parse(source)
    spared: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            spared.add(id(node.value))  # a docstring, of whatever
        elif _translated(node) or _bilingual(node) or isinstance(node, ast.Compare):
            spared |= {id(part) for part in ast.walk(node)}
        elif isinstance(node, ast.Subscript):
            spared.add(id(node.slice))  # a key, not a word
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and HAN.search(node.value)
        and id(node) not in spared
        and not BILINGUAL.search(node.value)
    ]


def _translated(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _name(node.func) in CALLS


def _bilingual(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr | ast.BinOp) and bool(BILINGUAL.search(_text(node)))


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _text(node: ast.AST) -> str:
    return "".join(
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    )


NAMES = {"主办单位", "ICP备案号", "公安备案号", "监督电话", "隐私政策", "订单班匹配"}
"""Names of settings, as they are stored, and the system's own in an authenticator."""

SOURCE = re.compile(r"(S§|F |D ?[；+]|M-hi )")
"""Where a parameter comes from: names of Chinese papers stay as they are."""


@pytest.mark.parametrize("path", sorted((WEB / "templates").rglob("*.html")), ids=lambda p: p.name)
def test_no_word_of_a_template_stands_outside(path: Path) -> None:
    allowed = {"中文"}  # each language's own name
    lines = naked_in_template(path.read_text(encoding="utf-8"))
    wrong = [line for line in lines if HAN.search(re.sub("|".join(allowed), "", _unkeyed(line)))]
    assert not wrong, "\n".join(wrong)


def _unkeyed(line: str) -> str:
    """The line without the keys of tables: ``held["主办单位"]``, and punctuation."""
    return re.sub(r"\[[\"'][^\"']*[\"']\]", "", line)


@pytest.mark.parametrize("path", sorted(WEB.rglob("*.py")), ids=lambda p: p.name)
def test_no_word_of_a_module_stands_outside(path: Path) -> None:
    if path.name in DATA:
        return
    found = naked_in_python(path.read_text(encoding="utf-8"))
    wrong = [
        f"{line}: {text}" for line, text in found if text not in NAMES and not SOURCE.match(text)
    ]
    assert not wrong, "\n".join(wrong)


def test_a_forgotten_word_is_found() -> None:
    assert naked_in_template('<p>{{ _("好") }} 坏</p>') == ["<p>{{ _() }} 坏</p>"]
    assert naked_in_template("<p>{# 坏 #}{{ _('第 %(n)s', n=1) }}</p>") == []
    source = 'def f():\n    """说明"""\n    flash("坏")\n    flash(_("好"))\n'
    assert naked_in_python(source) == [(3, "坏")]
    assert naked_in_python('x = "没有 / none"') == []


# --- the library's words ----------------------------------------------------------------------


REACHABLE = (
    "UNAUTHORIZED",
    "UNAUTHENTICATED",
    "REAUTHENTICATION_REQUIRED",
    "LOGIN",
    "REFRESH",
    "REAUTHENTICATION_SUCCESSFUL",
    "ANONYMOUS_USER_REQUIRED",
    "GENERIC_AUTHN_FAILED",
    "DISABLED_ACCOUNT",
    "PASSWORD_MISMATCH",
    "API_ERROR",
    "RETYPE_PASSWORD_MISMATCH",
    "INVALID_PASSWORD",
    "PASSWORD_NOT_PROVIDED",
    "PASSWORD_INVALID_LENGTH",
    "PASSWORD_TOO_SIMPLE",
    "PASSWORD_BREACHED",
    "PASSWORD_IS_THE_SAME",
    "PASSWORD_CHANGE",
    "INVALID_INPUT",
    "USERNAME_NOT_PROVIDED",
    "USER_DOES_NOT_EXIST",
    "INVALID_CODE",
    "TWO_FACTOR_INVALID_TOKEN",
    "TWO_FACTOR_LOGIN_SUCCESSFUL",
    "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL",
    "TWO_FACTOR_DISABLED",
    "TWO_FACTOR_PERMISSION_DENIED",
    "TWO_FACTOR_METHOD_NOT_AVAILABLE",
    "TWO_FACTOR_SETUP_EXPIRED",
)


@pytest.mark.parametrize("code", REACHABLE)
def test_what_the_library_says_is_said_in_chinese(code: str) -> None:
    text = str(flask_security.core._default_messages[code][0])
    said = words.catalogue("zh").gettext(text)
    assert HAN.search(said)
    assert Counter(PLACES.findall(text)) == Counter(PLACES.findall(said))


def test_the_language_follows_the_choice(app: Flask, client: FlaskClient) -> None:
    assert "登录" in client.get("/login").text
    client.post("/language", data={"lang": "en", "next": "/login"})
    page = client.get("/login").text
    assert "Log in" in page and '<html lang="en"' in page
    assert not HAN.search(page.replace("中文", ""))


def test_an_unknown_language_is_not_kept(client: FlaskClient) -> None:
    answer = client.post("/language", data={"lang": "xx", "next": "//evil.example/"})
    assert answer.headers["Location"] == "/" and "Set-Cookie" not in answer.headers


# --- counts -----------------------------------------------------------------------------------

MANY = re.compile(
    r"%\(\w+\)s(?: [a-z-]+)? (?:people|seats|classes|choices|rows|posts|days|years|entries|errors|lines)\b"
)
"""A number and more than one of something: wrong where there is one."""


def test_english_counts_one_as_one() -> None:
    wrong = [f"{name}: {english}" for name, _text, english in entries() if MANY.search(english)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("n", "said"), [(1, "1 seat"), (2, "2 seats"), (0, "0 seats")])
def test_a_count_takes_its_word(app: Flask, n: int, said: str) -> None:
    with app.test_request_context(headers={"Cookie": "lang=en"}):
        assert words.spoken("%(n)s 个席位", n=n) == said
        assert str(flask_babel.lazy_gettext("%(n)s 个席位", n=n)) == said
        assert render_template_string("{{ _('%(n)s 个席位', n=n) }}", n=n) == said


def test_values_are_escaped_where_a_template_speaks(app: Flask) -> None:
    with app.test_request_context():
        said = render_template_string("{{ _('第 %(n)s 志愿', n=n) }}", n="<b>{x|y}</b>%(n)s")
    assert said == "第 &lt;b&gt;{x|y}&lt;/b&gt;%(n)s 志愿"
