"""What nobody types reaches no form, no search and no row."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from tests.web import a_round
from web import db, settings, typed

ODD = "甲\x00乙\x07丙\u202e丁\u2066戊"


@pytest.mark.parametrize(
    "text", ["𬭎䶮㛃𠮷", "古丽·阿依", "a\tb\r\nc", "张\u200b三", "👩‍👩‍👧", "１２", ""]
)
def test_what_people_type_stays_as_it_is(text: str) -> None:
    assert typed.clean(text) == text


def test_what_nobody_types_is_left_out_of_a_row(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    client = as_user("coordinator")
    mark = settings.mark(dict.fromkeys(settings.NAMES, ""))
    answer = client.post("/coordinator/settings", data={"organiser": ODD, "version": mark})
    assert answer.status_code == 302
    with app.app_context():
        assert settings.current(db.reading())["主办单位"] == "甲乙丙丁戊"


@pytest.mark.parametrize("path", ["/lookup?code=%00", "/?q=%00", "/rounds/2026-1/plan?q=a%00b"])
def test_questions_with_nothing_in_them_find_nothing(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code in (200, 404)


@pytest.mark.parametrize("path", ["/rounds/%00", "/rounds/2026-1%07/plan", "/me/%E2%80%AE/list"])
def test_no_address_holds_a_control_character(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("number", ["9" * 30, "99999999999", "-1", "1.5", "%C2%B2"])
def test_a_number_that_no_row_has_names_no_page(
    as_user: Callable[..., FlaskClient], number: str
) -> None:
    client = as_user("coordinator")
    for place in ("doubts", "decisions", "bundle"):
        path = f"/coordinator/rounds/2026-1/{place}/{number}"
        assert client.post(path, data={"act": "confirm"}).status_code == 404


@pytest.mark.parametrize("carried", ["x", "", "1.5", "²", "9" * 30, "-7"])
def test_a_version_that_was_tampered_with_is_an_old_one(
    app: Flask, as_user: Callable[..., FlaskClient], carried: str
) -> None:
    with app.app_context(), db.writing() as session:
        a_round.small_round(session, state="DRAFT")
    client = as_user("coordinator")
    rules = {"version": carried, "rows": carried, "reason": "试", "title": "题𬭎"}
    for path in ("rules/days", "rules/ages", "rules/channels", "dates"):
        answer = client.post(f"/coordinator/rounds/2026-1/{path}", data=rules)
        assert answer.status_code in (200, 302)
    assert "题𬭎" in answer.text and "别人改过" in answer.text  # both are shown, nothing is lost


def test_names_of_files_are_cleaned(app: Flask) -> None:
    data = {"file": (BytesIO(b"x"), "成\x07绩\u202exlsx.exe"), "note": ODD}
    with app.test_request_context("/", method="POST", data=data):
        assert request.files["file"].filename == "成绩xlsx.exe"
        assert request.form["note"] == "甲乙丙丁戊"
