"""The pages of import and export, by story and by who may."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.web.conftest import PASSWORD
from tests.web.filled import (
    applicant,
    example,
    fill,
    filled,
    make_round,
    move,
    put_people,
    put_plan,
)
from web import db
from web.models import AuditEvent, College, Enterprise, Import, Person, Score

Login = Callable[..., FlaskClient]
HOME = "/exchange/2026-1/"


@pytest.fixture
def ready(app: Flask) -> Flask:
    """A plan in DRAFT."""
    with app.test_request_context():
        with db.writing() as session:
            make_round(session)
        put_plan()
    return app


def send(client: FlaskClient, sheet: str, data: bytes) -> str:
    """Upload a file; the address that the answer leads to."""
    answer = client.post(f"{HOME}{sheet}", data={"file": (io.BytesIO(data), "我的表.xlsx")})
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def made(app: Flask, sheet: str, rows: list[dict[str, Any]]) -> bytes:
    with app.test_request_context():
        return filled(sheet, rows)


def test_a_template_is_filled_uploaded_previewed_and_stored(ready: Flask, as_user: Login) -> None:
    client = as_user("coordinator", "first")
    page = client.get(HOME).text
    assert "导入或导出院校信息" in page and "报名填报期间才能导入" in page
    assert "审核考核期间才能导入" in page
    answer = client.get(f"{HOME}colleges/template.xlsx")
    data = fill(answer.data, "colleges", [example("colleges", name="新学院", code="C09")])
    address = send(client, "colleges", data)
    shown = client.get(address).text
    assert "新增 1，更改 0，不变 0" in shown and "新学院" in shown
    assert "1 new, 0 changed" in _english(client, address)
    done = client.post(f"{address}/store", follow_redirects=True).text
    assert "已全部存入。" in done
    with ready.app_context():
        assert db.reading().scalar(select(College.name).where(College.code == "C09")) == "新学院"
    again = client.post(f"{address}/store", follow_redirects=True).text
    assert "这次导入已经办过了" in again
    same = send(client, "colleges", data)
    assert "与已存的数据相同" in client.get(same).text
    assert client.post(f"{same}/drop", follow_redirects=True).status_code == 200
    assert "未存，已撤下" in client.get(same).text


def the_next(client: FlaskClient) -> str:
    """The next action of the page of all sheets."""
    return client.get(HOME).text.split('class="next"')[1].split("</section>")[0]


def second_confirms() -> None:
    """Every batch that waits has a second person."""
    with db.writing() as session:
        for held in session.scalars(select(Import)):
            held.confirmed_by = "coordinator:c2"


def test_the_next_sheet_is_one_without_data(app: Flask, as_user: Login) -> None:
    client = as_user("coordinator", "first")
    with app.test_request_context():
        with db.writing() as session:
            make_round(session)
        assert "导入院校信息" in the_next(client)
        put_plan()
        assert "回到本轮，看下一步" in the_next(client)
        assert "/rounds/2026-1" in the_next(client)
        move(app, "OPEN")
        assert "导入报名信息" in the_next(client)
        put_people(1)
        assert 'role="button"' not in the_next(client)  # a batch waits for a second person first
        second_confirms()
        assert "回到本轮" in the_next(client)  # they came with their lists
        move(app, "REVIEW")
        assert "导入成绩" in the_next(client)
        colleges = {c.code: c.id for c in db.reading().scalars(select(College))}
    college = as_user("college", "office1", college_id=colleges["C01"])
    assert "导入成绩" in the_next(college)
    send_and_store(client, made(app, "scores", [example("scores", applicant="A0001", culture=91)]))
    with app.app_context():
        second_confirms()
    assert "导入资格审核" in the_next(client) and "导入成绩" in the_next(college)


def send_and_store(client: FlaskClient, data: bytes) -> None:
    """Scores, all the way."""
    client.post(f"{send(client, 'scores', data)}/store")


def _english(client: FlaskClient, address: str) -> str:
    client.set_cookie("lang", "en")
    page = client.get(address).text
    client.delete_cookie("lang")
    return page


def test_faults_are_listed_and_marked_in_a_copy(ready: Flask, as_user: Login) -> None:
    client = as_user("coordinator", "first")
    data = made(ready, "enterprises", [example("enterprises", employees="许多", code="E09")])
    address = send(client, "enterprises", data)
    page = client.get(address).text
    assert "在岗职工数" in page and "应是 0–1000000 的整数" in page and "许多" in page
    english = _english(client, address)
    assert "Should be a whole number" in english and "Employees" in english
    copy = client.post(f"{address}/marked")
    book = openpyxl.load_workbook(io.BytesIO(copy.data))
    assert book["企业信息"]["G3"].comment is not None
    assert client.post(f"{address}/store", follow_redirects=True).status_code == 200


def test_a_file_that_cannot_be_read_says_why(ready: Flask, as_user: Login) -> None:
    client = as_user("coordinator", "first")
    address = send(client, "classes", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512)
    page = client.get(address).text
    assert "另存为 .xlsx" in page and "下载标红的文件" not in page
    assert client.post(f"{address}/marked").status_code == 404
    empty = client.post(f"{HOME}classes", data={})
    assert empty.status_code == 200 and "请选一个 .xlsx 文件" in empty.text


def test_reminders_are_ticked_before_anything_is_stored(ready: Flask, as_user: Login) -> None:
    with ready.app_context():
        move(ready, "OPEN")
    client = as_user("coordinator", "first")
    line = applicant(1, name="阿依•买买提")
    address = send(client, "applicants", made(ready, "applicants", [line]))
    assert "阿依·买买提" in client.get(address).text
    refused = client.post(f"{address}/store").text
    assert "请先核对提醒" in refused
    assert "已全部存入" in client.post(
        f"{address}/store", data={"accepted": "y"}, follow_redirects=True
    ).text  # fmt: skip
    with ready.app_context():
        assert db.reading().scalar(select(Person.name)) == "阿依•买买提"
    page = client.get(address).text
    assert line["number"] not in page and "19900000001" not in page


def test_a_batch_of_scores_is_confirmed_by_another(ready: Flask, as_user: Login) -> None:
    with ready.test_request_context():
        move(ready, "OPEN")
        put_people(1)
        move(ready, "REVIEW")
    first, second = as_user("coordinator", "first"), as_user("coordinator", "second")
    data = made(ready, "scores", [example("scores", applicant="A0001", culture=91)])
    address = send(first, "scores", data)
    assert "91.00" in first.get(address).text
    first.post(f"{address}/store")
    assert "等另一人复核" in first.get(address).text
    assert "不能自己确认" in first.post(f"{address}/confirm", follow_redirects=True).text
    assert "整批复核无误" in second.get(address).text
    assert "已复核 1 行" in second.post(f"{address}/confirm", follow_redirects=True).text
    assert "已经办过" in second.post(f"{address}/confirm", follow_redirects=True).text
    with ready.app_context():
        assert db.reading().scalar(select(Score.confirmed_by)) == "coordinator:second"


def test_what_moved_on_meanwhile_is_not_stored(ready: Flask, as_user: Login) -> None:
    client = as_user("coordinator", "first")
    one = send(client, "demands", made(ready, "demands", [example("demands", people=21)]))
    two = send(client, "demands", made(ready, "demands", [example("demands", people=22)]))
    client.post(f"{one}/store")
    assert "预览之后数据有变化" in client.post(f"{two}/store", follow_redirects=True).text
    with ready.app_context():
        move(ready, "ANNOUNCED")
    assert "已进入下一阶段" in client.post(f"{two}/store", follow_redirects=True).text
    assert "席位变更单" in client.get(f"{HOME}classes").text


def test_exports_are_narrowed_and_recorded(ready: Flask, as_user: Login) -> None:
    client = as_user("coordinator", "first")
    page = client.get(f"{HOME}classes").text
    assert "C02" in page and "全日制" in page
    answer = client.post(f"{HOME}classes/export", data={"format": "csv", "college": "C02"})
    text = answer.data.decode("utf-8-sig")
    assert "K002" in text and "K001" not in text
    assert client.post(f"{HOME}classes/export", data={"format": "xlsx"}).data[:2] == b"PK"
    assert client.post(f"{HOME}classes/export", data={"format": "pdf"}).status_code == 400
    with ready.app_context():
        actions = list(db.reading().scalars(select(AuditEvent.action)))
    assert actions.count("export") == 2


def grow_old(client: FlaskClient) -> None:
    """The password was typed long ago."""
    with client.session_transaction() as cookie:
        cookie["fs_paa"] = 1


def test_lines_about_people_leave_only_after_the_password(ready: Flask, as_user: Login) -> None:
    with ready.test_request_context():
        move(ready, "OPEN")
        put_people(1)
    client = as_user("coordinator", "first")
    faulty = made(ready, "applicants", [applicant(2, number="1")])
    address = send(client, "applicants", faulty)
    page, form = f"{HOME}applicants", {"format": "csv"}
    grow_old(client)
    for path, data, back in ((f"{page}/export", form, page), (f"{address}/marked", {}, address)):
        headers = {"Referer": f"http://localhost{back}"}
        answer = client.post(path, data=data, headers=headers)
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"/verify?next={back}"
        elsewhere = client.post(path, data=data, headers={"Referer": "http://evil.example/x"})
        assert "evil" not in elsewhere.headers["Location"]
    assert "K001" in client.post(f"{HOME}classes/export", data=form).data.decode("utf-8-sig")
    with ready.app_context():
        assert list(db.reading().scalars(select(AuditEvent.action))).count("export") == 1
    answer = client.post(f"/verify?next={page}", data={"password": PASSWORD})
    assert answer.headers["Location"] == page
    assert "A0001" in client.post(f"{page}/export", data=form).data.decode("utf-8-sig")
    assert client.post(f"{address}/marked").data[:2] == b"PK"


def test_offices_see_their_own_imports_only(ready: Flask, as_user: Login) -> None:
    with ready.app_context():
        session = db.reading()
        colleges = {c.code: c.id for c in session.scalars(select(College))}
        firm = session.scalars(select(Enterprise.id).where(Enterprise.code == "E01")).one()
    own = as_user("college", "office1", college_id=colleges["C01"])
    mate = as_user("college", "office2", college_id=colleges["C01"])
    other = as_user("college", "office3", college_id=colleges["C02"])
    enterprise = as_user("enterprise", "firm1", enterprise_id=firm)
    data = made(ready, "colleges", [example("colleges", note="自己改")])
    address = send(own, "colleges", data)
    key = address.rsplit("/", 1)[1]
    assert key in mate.get(HOME).text and key not in other.get(HOME).text
    assert other.get(address).status_code == 404 and enterprise.get(address).status_code == 404
    for act in ("store", "drop", "confirm", "marked"):
        assert other.post(f"{address}/{act}").status_code == 404
    assert enterprise.get(f"{HOME}colleges").status_code == 404
    assert own.get(f"{HOME}applicants").status_code == 404
    assert as_user("applicant", "person1").get(HOME).status_code == 403
    assert as_user("coordinator", "first").get(address).status_code == 200
    foreign = send(own, "colleges", made(ready, "colleges", [example("colleges", code="C02")]))
    assert "不是本单位的数据" in own.get(foreign).text
    text = other.post(f"{HOME}classes/export", data={"format": "csv"}).data.decode("utf-8-sig")
    assert "K002" in text and "K001" not in text
    mine = made(ready, "demands", [example("demands", people=5)])
    assert "5" in enterprise.get(send(enterprise, "demands", mine)).text
    with ready.app_context():
        assert {i.by for i in db.reading().scalars(select(Import)) if i.sheet == "demands"} == {
            "coordinator:c1", "enterprise:firm1",
        }  # fmt: skip
