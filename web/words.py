"""The languages of the pages: Chinese is the source, English the translation.

English stands in ``translations/en/*.po``, one file a part of the system; they are read at the start,
so nothing has to be compiled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, has_request_context, request
from flask_babel import Babel, Domain
from flask_babel import get_locale as current_locale
from flask_babel import lazy_gettext as _
from flask_security import current_user
from flask_security.babel import FsDomain
from jinja2 import pass_context
from jinja2.ext import Extension
from jinja2.runtime import Context
from markupsafe import Markup, escape

FOLDER = Path(__file__).parent / "translations"
LANGUAGES = {"zh": "zh_Hans_CN", "en": "en"}
COOKIE = "lang"
MARKS = {
    "：": _("："), "（": _("（"), "）": _("）"), "，": _("，"), "、": _("、"), "；": _("；"), "。": _("。"),
}  # fmt: skip
"""Marks that templates set between words, in the language of the page."""


@cache
def catalogue(language: str) -> NullTranslations:
    """All of a language's files as one catalogue; none for the source language."""
    merged: NullTranslations = Translations()
    for path in sorted((FOLDER / language).glob("*.po")):
        with path.open("rb") as file:
            compiled = BytesIO()
            write_mo(compiled, read_po(file, locale=language, domain="messages"))
        compiled.seek(0)
        merged = merged.merge(Translations(compiled))  # type: ignore[attr-defined]
    return merged


NUMBERED = re.compile(r"(%\((\w+)\)s(?: [a-z-]+)*) \{([^|{}]+)\|([^|{}]+)\}")
"""``%(n)s more {seat|seats}``: the first word after one, the second after any other number."""


def filled(text: str, values: Mapping[str, Any]) -> str:
    """A text with its values in their places.

    Examples
    --------
    >>> filled("%(n)s more {seat|seats}", {"n": 1}), filled("%(n)s more {seat|seats}", {"n": 2})
    ('1 more seat', '2 more seats')
    """
    said = NUMBERED.sub(
        lambda m: m.expand(r"\1 \3" if str(values[m[2]]) == "1" else r"\1 \4"), text
    )
    return said % values


def spoken(text: str, **values: Any) -> str:
    """A text in the language of the page, with its values in their places."""
    said = str(catalogue(language()).gettext(text))
    return filled(said, values) if values else said


@pass_context
def _in_template(context: Context, text: str, **values: Any) -> str:
    """``_()`` of templates; texts are ours, values are escaped as they enter."""
    if not context.eval_ctx.autoescape:
        return spoken(text, **values)
    return Markup(spoken(text, **{name: escape(value) for name, value in values.items()}))


class Words(Domain):  # type: ignore[misc]
    """The catalogue of the request's language."""

    def gettext(self, string: str, **variables: Any) -> str:
        """See :class:`flask_babel.Domain`."""
        return spoken(string, **variables)

    def get_translations(self) -> NullTranslations:
        """See :class:`flask_babel.Domain`."""
        return catalogue(language())


class LoginWords(FsDomain):
    """The library of logins speaks English; its words in Chinese stand in ``translations/zh``."""

    def get_translations(self) -> NullTranslations:
        """See :class:`flask_babel.Domain`."""
        return catalogue(language())


def language() -> str:
    """``zh`` or ``en``, for this request."""
    locale = current_locale()
    return "en" if locale is not None and locale.language == "en" else "zh"


def _choose() -> str:
    if not has_request_context():  # a worker or a command speaks the source language
        return LANGUAGES["zh"]
    asked = request.cookies.get(COOKIE, "")
    if asked in LANGUAGES:
        return LANGUAGES[asked]
    held = getattr(current_user, "locale", "zh")
    return LANGUAGES.get(held, LANGUAGES["zh"])


class Punctuation(Extension):
    """Marks that stand bare in a template follow the language of the page, as its words do."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """See :class:`jinja2.ext.Extension`."""
        parts = re.split(r"(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})", source, flags=re.S)
        parts[::2] = [
            re.sub(f"[{''.join(MARKS)}]", r"{{ marks['\g<0>'] }}", bare) for bare in parts[::2]
        ]
        return "".join(parts)


class _Babel(Babel):  # type: ignore[misc]
    """Babel whose catalogue is ours; the library would look for compiled files in folders."""

    @property
    def domain_instance(self) -> Words:
        """See :class:`flask_babel.Babel`."""
        return Words()


def init_app(app: Flask) -> None:
    """Babel with our catalogue; times are told on the clocks of the city."""
    app.config.setdefault("BABEL_DEFAULT_LOCALE", LANGUAGES["zh"])
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "Asia/Shanghai")
    _Babel(app, locale_selector=_choose)
    app.jinja_env.add_extension(Punctuation)
    app.jinja_env.globals.update(marks=MARKS, gettext=_in_template)
