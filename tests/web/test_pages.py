"""What all pages share: errors, switches, compression, files that browsers may keep."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from web import db, pages
from web.models import Setting

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_the_application_says_that_it_is_well(client: FlaskClient) -> None:
    assert client.get("/healthz").text == "ok"


def test_a_page_that_is_not_there_says_so_in_both_languages(client: FlaskClient) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404 and "没有这一页" in answer.text
    client.set_cookie("lang", "en")
    assert "There is no such page" in client.get("/nowhere").text


def test_a_fault_tells_nothing_of_itself(app: Flask, client: FlaskClient) -> None:
    @app.get("/fault")
    def fault() -> str:
        raise RuntimeError("secret 371099201012240018")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = client.get("/fault")
    assert answer.status_code == 500 and "系统出错" in answer.text
    assert "371099" not in answer.text and "RuntimeError" not in answer.text


def test_an_expired_form_says_what_to_do(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client.post("/login", data={"username": "a", "password": "b"})
    assert answer.status_code == 400 and "页面已过期" in answer.text


def test_what_was_typed_when_the_session_ended_is_shown_and_no_password(
    client: FlaskClient,
) -> None:
    answer = client.post(
        "/coordinator/rounds/new",
        data={
            "title": "<b>𬭎䶮的一轮",
            "csrf_token": "mark",
            "new_password": "correct horse",
            "year": " ",
            "season": "autumn",
            "seen": "y",
        },
    )
    assert answer.status_code == 401 and "刚才没有保存" in answer.text
    assert "&lt;b&gt;𬭎䶮的一轮" in answer.text and "/login?next=" in answer.text
    assert "<li>秋季</li>" in answer.text and "autumn" not in answer.text
    assert "<li>y</li>" not in answer.text, "a box has no words to copy"
    assert "mark</li>" not in answer.text and "correct horse" not in answer.text
    assert client.post("/coordinator/rounds/new", data={"csrf_token": "mark"}).status_code == 302


def test_marks_between_words_follow_the_language(client: FlaskClient) -> None:
    assert "监督电话：" in client.get("/login").text
    client.set_cookie("lang", "en")
    english = client.get("/login").text
    assert "Supervision telephone: " in english and "：" not in english


@pytest.mark.parametrize(
    ("target", "leads"),
    [
        ("/login?next=%2Fme%2F", "/login?next=%2Fme%2F"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
@pytest.mark.parametrize("path", ["/language", "/text-size"])
def test_a_switch_comes_back_to_a_page_of_ours(
    client: FlaskClient, path: str, target: str, leads: str
) -> None:
    answer = client.post(path, data={"next": target, "lang": "en", "text": "large"})
    assert answer.headers["Location"] == leads
    assert "HttpOnly" in answer.headers["Set-Cookie"]


def test_large_text_is_kept(client: FlaskClient) -> None:
    client.post("/text-size", data={"text": "large", "next": "/"})
    assert 'class="large"' in client.get("/login").text
    client.post("/text-size", data={"text": "", "next": "/"})
    assert 'class="large"' not in client.get("/login").text


def test_pages_are_compressed_for_browsers_that_ask(client: FlaskClient) -> None:
    plain = client.get("/login")
    packed = client.get("/login", headers={"Accept-Encoding": "gzip"})
    assert (
        packed.headers["Content-Encoding"] == "gzip" and "Accept-Encoding" in packed.headers["Vary"]
    )
    assert len(packed.data) < len(plain.data)
    assert "登录" in gzip.decompress(packed.data).decode()


def test_a_file_with_its_version_may_be_kept_for_ever(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        address = pages.asset("site.css")
    with client.get(address) as kept, client.get("/static/site.css") as other:
        assert "immutable" in kept.headers["Cache-Control"]
        assert "immutable" not in other.headers["Cache-Control"]


def test_one_style_sheet_has_them_all_and_may_be_kept(client: FlaskClient) -> None:
    found = re.findall(r'rel="stylesheet" href="([^"]+)"', client.get("/login").text)
    assert len(found) == 1
    sheet = client.get(unescape(found[0]))
    assert sheet.mimetype == "text/css" and "immutable" in sheet.headers["Cache-Control"]
    assert "--pico-icon-date" in sheet.text and "pico" in sheet.text and ".demo" in sheet.text
    assert "immutable" not in client.get("/style.css").headers["Cache-Control"]
    assert "Set-Cookie" not in sheet.headers
    with client.get("/static/icon.svg") as other:
        assert "Set-Cookie" not in other.headers


def test_what_the_operator_sets_stands_at_the_foot(app: Flask, client: FlaskClient) -> None:
    assert "未填写" in client.get("/login").text
    with app.app_context(), db.writing() as session:
        session.add(Setting(name="监督电话", value="0631-5190000"))
    assert "0631-5190000" in client.get("/login").text


def test_a_page_says_who_is_logged_in(as_user: Callable[..., FlaskClient]) -> None:
    assert "王协调" in as_user("coordinator", name="王协调").get("/coordinator/").text


def test_outside_of_the_demo_nothing_speaks_of_one(app: Flask, client: FlaskClient) -> None:
    assert "演示数据" in client.get("/login").text
    app.config["DEMO"] = False
    assert "演示数据" not in client.get("/login").text
