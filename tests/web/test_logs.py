"""Logs are lines of JSON that name the request, and no number of a person ever stands in them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from tests.web.filled import identity
from web import db, logs

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
SECRETS = (
    identity(1), identity(7).lower(), "110105491231002", "E12345678", "H1234567890", "13812345678",
    "138 1234 5678", "+8613812345678", "86-13812345678", "0631-5812345", "06315812345", "+442071838750",
    "１３８１２３４５６７８",
)  # fmt: skip


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    made = io.StringIO()
    logs.start(logging.INFO, made)
    yield made
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("secret", SECRETS)
def test_no_number_of_a_person_is_written(
    app: Flask, stream: io.StringIO, database: str, secret: str
) -> None:
    @app.get("/breaks")
    def breaks() -> str:
        held = f"证件 {secret}，电话"
        raise ValueError(held)

    app.config["PROPAGATE_EXCEPTIONS"] = False
    logging.getLogger("x").warning("read %s for %s", secret, {"number": secret})
    assert app.test_client().get(f"/breaks?number={secret}").status_code == 500
    assert app.test_client().get(f"/nothing/{secret}").status_code == 404
    written = stream.getvalue()
    assert secret not in written and logs.HIDDEN in written
    assert any("ValueError" in line.get("trace", "") for line in lines(stream))


def test_the_lines_of_a_request_bear_its_id(app: Flask, stream: io.StringIO, database: str) -> None:
    first, second = (app.test_client().get("/?q=typed") for _ in range(2))
    access = [line for line in lines(stream) if line["logger"] == "web.access"]
    assert [line["request"] for line in access] == [
        answer.headers["X-Request-Id"] for answer in (first, second)
    ]
    assert access[0]["request"] != access[1]["request"]
    assert access[0]["message"].startswith("GET / 200 ") and "typed" not in stream.getvalue()
    logging.getLogger("x").info("two\nlines, %s", "2026200001")
    last = lines(stream)[-1]
    assert "request" not in last and last["message"] == "two\nlines, 2026200001"
    assert last["level"] == "INFO" and last["at"].endswith("+00:00")


def test_an_error_of_the_database_tells_no_value(app: Flask, database: str) -> None:
    with app.app_context(), pytest.raises(Exception, match="hidden") as caught:
        db.reading().execute(text("SELECT :v FROM nowhere"), {"v": "张三的秘密"})
    assert "张三的秘密" not in str(caught.value)
