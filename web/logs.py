"""Logs: one JSON object a line, with the request it belongs to, and no number of a person in it.

Whatever is logged, tracebacks included, passes :func:`redacted` on its way out.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import TextIO

from flask import Flask, Response, g, has_request_context, request

from .models import random_key

_NUMBERS = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"[0-9]{17}[0-9Xx]"  # resident documents
    r"|[0-9]{15}"  # those of before 1999
    r"|[A-Za-z]{1,3}[0-9]{7,10}"  # passports and permits
    r"|(?:\+|00)?86[- ]?1[3-9][0-9]{9}"
    r"|1[3-9][0-9](?:[- ]?[0-9]{4}){2}"  # mobile telephones
    r"|0[0-9]{2,3}-?[0-9]{7,8}"  # telephones of a house
    r"|\+[0-9]{8,15}"
    r")(?![0-9A-Za-z])"
)
_FULL_WIDTH = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), 0xFF38, 0xFF58)}
HIDDEN = "[…]"

FILES = ("static", "pages.style")
"""Endpoints that are files and no pages: they open no session, and nobody reads of them."""


def redacted(text: str) -> str:
    """A text without what looks like a document or telephone number.

    >>> redacted("110105194912310021 and 13812345678, application 2026200001")
    '[…] and […], application 2026200001'
    """
    return _NUMBERS.sub(HIDDEN, text.translate(_FULL_WIDTH))


class Lines(logging.Formatter):
    """Each record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """See :meth:`logging.Formatter.format`."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        if has_request_context() and "request_id" in g:
            line["request"] = g.request_id
        if record.exc_info:
            line["trace"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def start(level: int, stream: TextIO | None = None) -> logging.Handler:
    """Let everything that this process logs leave it in such lines, and no other way."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    return handler


def _begin() -> None:
    g.request_id, g.began = random_key(), time.perf_counter()


def _end(response: Response) -> Response:
    if "request_id" in g and request.endpoint not in FILES:
        milliseconds = (time.perf_counter() - g.began) * 1000
        # neither the query, which may hold what was typed, nor the address of who asks
        logging.getLogger("web.access").info(
            "%s %s %d %.0f ms", request.method, request.path, response.status_code, milliseconds
        )
        response.headers["X-Request-Id"] = g.request_id
    return response


def init_app(app: Flask) -> None:
    """Give every request an id, and a line when it is answered."""
    app.before_request(_begin)
    app.after_request(_end)
