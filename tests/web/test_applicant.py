"""An applicant's story, from registration to the receipt, and what may go wrong on the way."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select

from tests.web import market
from tests.web.conftest import Clock
from web import auth, choices, db, people, slips
from web.audit import Actor
from web.models import (
    Applicant,
    AuditEvent,
    AuditPayload,
    ChoiceList,
    Consent,
    OrderClass,
    Program,
    Review,
)

ME = "/me/2026-1"
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Somebody registered and logged in, in an open round."""
    market.make(app)
    return market.register(app)


@pytest.fixture
def ready(client: FlaskClient) -> FlaskClient:
    """… who has filled in every step."""
    market.fill(client)
    return client


def said(text: str) -> str:
    """A page's text without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def save(
    client: FlaskClient, wish: list[str], act: str = "save", at: str = ME, **more: object
) -> object:
    stamp = hidden(client.get(f"{at}/list").text, "stamp")
    data = {"stamp": stamp, "choice": wish, "adjustment": "none", "act": act, **more}
    return client.post(f"{at}/list", data=data)


def submit(client: FlaskClient, wish: list[str], at: str = ME, **more: object) -> object:
    page = client.get(f"{at}/submit").text
    data = {"key": hidden(page, "key"), "last": hidden(page, "last"), "choice": wish,
            "adjustment": "none", **more}  # fmt: skip
    return client.post(f"{at}/submit", data=data)


def lists(app: Flask) -> list[ChoiceList]:
    with app.app_context():
        return list(db.reading().scalars(select(ChoiceList).where(ChoiceList.number > 0)))


# --- the story --------------------------------------------------------------------------------


def test_from_registration_to_the_receipt(app: Flask, client: FlaskClient) -> None:
    home = said(client.get("/me/").text)
    assert "2026200001" in home and "身份与联系" in home and "还没有提交志愿" in home
    market.fill(client)
    assert "志愿还没有提交" in said(client.get("/me/").text)
    page = said(client.get(f"{ME}/classes").text)
    assert "模具制造订单班" in page and "学历要求：高中阶段毕业；您：初中毕业。" in page
    assert client.post(f"{ME}/list/add", data={"code": "K1"}).status_code == 302
    client.post(f"{ME}/list/add", data={"code": "K3-2"})
    page = said(client.get(f"{ME}/list").text)
    assert "不算数，提交才算" in page and "自动保存于 2026-06-01 09:00" in page
    assert "还剩 9 天 8 小时" in page and "2026-06-10 17:00" in page
    answer = save(client, ["K1", "K3-2"], "up:2", adjustment="college")
    assert answer.headers["Location"] == f"{ME}/list"
    answer = save(client, ["K3-2", "K1"], "check", adjustment="college")
    assert answer.headers["Location"] == f"{ME}/submit"
    answer = submit(client, ["K3-2", "K1"], adjustment="college")
    assert answer.headers["Location"] == f"{ME}/receipt/1"
    receipt = client.get(f"{ME}/receipt/1").text
    [held] = lists(app)
    assert held.choices == ["K3-2", "K1"] and held.adjustment == "college"
    for part in (
        "2026200001",
        "张𬭎",
        held.receipt,
        held.digest,
        "同意，限志愿所在的院校。",
        "与保存的内容一致",
    ):
        assert part in receipt
    assert re.fullmatch(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}", held.receipt or "")
    assert "已提交第 1 次，这一份算数" in said(client.get(f"{ME}/list").text)
    with app.app_context():
        mine = db.reading().scalars(select(Applicant)).one()
        assert mine.state == "submitted"


@one_database
def test_the_receipt_on_paper_says_the_same(app: Flask, ready: FlaskClient) -> None:
    submit(ready, ["K1", "K3"])
    answer = ready.post(f"{ME}/receipt/1/pdf")
    assert answer.mimetype == "application/pdf"
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)
    [held] = lists(app)
    for part in ("2026200001", "张𬭎", held.receipt, "2026-06-01 09:00:00", "K1 模具制造订单班"):
        assert part in text
    assert held.digest in text.replace("\n", "")
    with app.app_context():
        assert "print.receipt" in db.reading().scalars(select(AuditEvent.action)).all()


def test_changes_until_the_deadline_are_kept(app: Flask, ready: FlaskClient, clock: Clock) -> None:
    submit(ready, ["K1"])
    clock.forward(hours=1)
    save(ready, ["K3"])
    assert "算数的是第 1 次提交的" in said(ready.get(f"{ME}/list").text)
    assert "草稿改过" in said(ready.get("/me/").text)
    submit(ready, ["K3"])
    page = said(ready.get(f"{ME}/receipt/1").text)
    assert "这一份不算数" in page
    page = said(ready.get(f"{ME}/list").text)
    assert "第 2 次 · 2026-06-01 10:00 · 算数" in page and "第 1 次" in page


@pytest.mark.parametrize(("before", "stored"), [(1, 1), (0, 0), (-1, 0)])
def test_the_deadline_decides_to_the_millisecond(
    app: Flask, ready: FlaskClient, clock: Clock, before: int, stored: int
) -> None:
    page = ready.get(f"{ME}/submit").text
    sent = {"key": hidden(page, "key"), "last": "0", "choice": ["K1"], "adjustment": "none"}
    clock.moment = market.DEADLINE - timedelta(milliseconds=before)
    answer = ready.post(f"{ME}/submit", data=sent)
    assert len(lists(app)) == stored
    assert (answer.status_code == 302) == bool(stored)
    if not stored:
        assert "报名已截止" in answer.text


def test_the_same_key_five_times_is_one_list(app: Flask, ready: FlaskClient, clock: Clock) -> None:
    page = ready.get(f"{ME}/submit").text
    sent = {"key": hidden(page, "key"), "last": "0", "choice": ["K1"], "adjustment": "none"}
    answers = [ready.post(f"{ME}/submit", data=sent) for _ in range(4)]
    clock.moment = market.DEADLINE  # the receipt of what was stored in time comes even now
    answers.append(ready.post(f"{ME}/submit", data=sent))
    assert {a.headers["Location"] for a in answers} == {f"{ME}/receipt/1"}
    assert len(lists(app)) == 1


# --- lists that go wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "what"),
    [
        (["K1", "K1"], "第 2 志愿与第 1 志愿重复"),
        (["NOPE"], "没有代码 NOPE"),
        (["K1", "K2", "K3", "K4"], "最多填 3 个志愿"),
        ([], "还没有志愿"),
    ],
)
@one_database
def test_what_is_wrong_with_a_list_is_said_at_once(
    app: Flask, ready: FlaskClient, wish: list[str], what: str
) -> None:
    save(ready, wish)
    assert what in said(ready.get(f"{ME}/list").text)
    answer = submit(ready, wish)
    assert answer.status_code == 200 and what in said(answer.text) and lists(app) == []


@one_database
def test_a_scope_that_is_none_is_refused(app: Flask, ready: FlaskClient) -> None:
    assert "请选择是否服从调剂" in submit(ready, ["K1"], adjustment="moon").text
    assert lists(app) == []


@one_database
def test_buttons_move_and_delete(app: Flask, ready: FlaskClient) -> None:
    def order() -> list[str]:
        with app.app_context():
            mine = db.reading().scalars(select(Applicant)).one()
            held = choices.draft(db.reading(), mine)
            return held.choices if held else []

    for act, expected in [
        ("up:1", ["K1", "K3"]), ("up:2", ["K3", "K1"]), ("down:1", ["K3", "K1"]),
        ("down:2", ["K1", "K3"]), ("drop:1", ["K3"]), ("drop:9", ["K1", "K3"]), ("up:x", ["K1", "K3"]),
    ]:  # fmt: skip
        save(ready, ["K1", "K3"], act)
        assert order() == expected, act
    save(ready, ["K1"], not_accepted=["K4", "K4"])
    assert "电商订单班" in ready.get(f"{ME}/list").text
    save(ready, ["K1"], "accept:K4", not_accepted=["K4"])
    assert "电商订单班" not in ready.get(f"{ME}/list").text


def test_a_stale_draft_shows_both(app: Flask, ready: FlaskClient, clock: Clock) -> None:
    save(ready, ["K1"])
    old = hidden(ready.get(f"{ME}/list").text, "stamp")
    clock.forward(seconds=5)
    save(ready, ["K3"])
    sent = {"stamp": old, "choice": ["K4"], "adjustment": "none", "act": "save"}
    page = ready.post(f"{ME}/list", data=sent).text
    assert "别处刚改过草稿" in page and "护理订单班" in page and "电商订单班" in page
    sent["stamp"] = hidden(page, "stamp")
    assert ready.post(f"{ME}/list", data=sent).status_code == 302


def test_a_stale_submission_is_refused(app: Flask, ready: FlaskClient) -> None:
    page = ready.get(f"{ME}/submit").text
    submit(ready, ["K1"])
    sent = {"key": hidden(page, "key"), "last": "0", "choice": ["K3"], "adjustment": "none"}
    answer = ready.post(f"{ME}/submit", data=sent)
    assert "刚才已提交过另一份" in answer.text and "护理订单班" in answer.text
    assert len(lists(app)) == 1


@one_database
def test_adding_says_the_rule_the_place_and_the_maximum(ready: FlaskClient) -> None:
    def add(code: str) -> str:
        return ready.post(f"{ME}/list/add", data={"code": code}, follow_redirects=True).text

    assert "不能填：学历要求：高中阶段毕业；您：初中毕业。" in add("K2")
    assert "不能填：本班是非全日制；您接受：全日制。" in add("K4")
    add("K1")
    assert "已经是第 1 志愿" in add("K1")
    add("K3-1")
    add("K3-2")
    assert "最多填 3 个志愿" in add("K3")
    assert ready.post(f"{ME}/list/add", data={"code": "NOPE"}).status_code == 404
    page = ready.post(f"{ME}/list/add", data={"code": "K4", "refuse": "y"}, follow_redirects=True)
    assert "不接受的班级" in page.text


def test_nothing_is_written_after_the_deadline(ready: FlaskClient, clock: Clock) -> None:
    save(ready, ["K1"])
    clock.moment = market.DEADLINE
    for path, data in [
        ("list", {"choice": ["K3"], "stamp": ""}),
        ("list/add", {"code": "K3"}),
        ("step/consents", {"version": 5}),
        ("withdraw", {}),
        ("restore", {}),
    ]:
        page = ready.post(f"{ME}/{path}", data=data, follow_redirects=True).text
        assert "报名已截止，不能再改" in page, path
    page = ready.get(f"{ME}/list").text
    assert "K1" in page and "现在不能改" in page and 'value="up:1"' not in page


@one_database
def test_nothing_is_written_before_the_opening(
    app: Flask, ready: FlaskClient, clock: Clock
) -> None:
    with app.app_context(), db.writing() as session:
        round_ = session.scalars(select(Applicant)).one().round
        round_.state = "ANNOUNCED"  # a test may: nobody else has moved it
    clock.moment = market.OPENS - timedelta(days=1)
    assert "报名还没有开始" in ready.get("/me/").text
    assert (
        "报名还没有开始"
        in ready.post(f"{ME}/list/add", data={"code": "K1"}, follow_redirects=True).text
    )


# --- steps ------------------------------------------------------------------------------------


@one_database
def test_wrong_input_is_kept_and_said_at_the_field(client: FlaskClient) -> None:
    sent = {
        **market.STEPS["identity"],
        "name": "阿依•买",
        "telephone": "abc",
        "district": "",
        "version": 1,
    }
    page = client.post(f"{ME}/step/identity", data=sent).text
    assert "请改成“·”" in page and "电话号码只能是数字" in page and "请填写这一项" in page
    assert 'value="阿依•买"' in page and 'value="abc"' in page
    page = client.post(f"{ME}/step/schooling", data={"education": "", "version": 1}).text
    assert "至少选一种" in page
    page = client.post(f"{ME}/step/groups", data={"evidence-G05": "失业证 1 号", "version": 1}).text
    assert "至少选一类" in page and "失业证 1 号" in page


def test_a_stale_step_shows_both(client: FlaskClient) -> None:
    sent = {**market.STEPS["identity"], "version": 1}
    client.post(f"{ME}/step/identity", data={**sent, "telephone": "13900000001"})
    page = client.post(f"{ME}/step/identity", data={**sent, "telephone": "13900000002"}).text
    assert "13900000001" in page and 'value="13900000002"' in page and "别处刚改过" in page
    version = hidden(page, "version") if 'name="version" value' in page else "2"
    again = client.post(
        f"{ME}/step/identity", data={**sent, "telephone": "13900000002", "version": version}
    )
    assert again.status_code == 302


@one_database
def test_no_unknown_step(client: FlaskClient) -> None:
    assert client.get(f"{ME}/step/other").status_code == 404


@one_database
def test_groups_carry_their_evidence(app: Flask, ready: FlaskClient) -> None:
    sent = {"groups": ["G05", "G09"], "evidence-G05": "失业登记 7 号", "version": 5}
    ready.post(f"{ME}/step/groups", data=sent)
    assert "失业登记 7 号" in ready.get(f"{ME}/step/groups").text
    sent = {**market.STEPS["consents"], "sensitive": "y", "version": 6}
    ready.post(f"{ME}/step/consents", data=sent)
    page = said(ready.get(f"{ME}/data").text)
    assert "残疾人" in page and "失业登记 7 号" in page


def test_refusing_sensitive_information_never_blocks(app: Flask, ready: FlaskClient) -> None:
    sent = {"groups": ["G05", "G09"], "version": 5}
    ready.post(f"{ME}/step/groups", data=sent)
    page = ready.post(
        f"{ME}/step/consents",
        data={**market.STEPS["consents"], "version": 6},
        follow_redirects=True,
    ).text
    assert "不再使用：残疾人" in page
    assert submit(ready, ["K1"]).status_code == 302
    with app.app_context():
        mine = db.reading().scalars(select(Applicant)).one()
        assert [g.group for g in mine.groups] == ["G05"]
        rows = db.reading().scalars(select(Consent).where(Consent.text == "sensitive")).all()
        assert [(c.version, c.given) for c in rows] == [("2026-1", False)] * 2


@one_database
def test_boxes_of_consent_are_not_ticked_for_anybody(client: FlaskClient) -> None:
    page = client.get(f"{ME}/step/consents").text
    assert page.count('type="checkbox"') == 5 and "checked" not in page


@one_database
def test_a_needed_consent_is_asked_for_at_submission(app: Flask, ready: FlaskClient) -> None:
    ready.post(f"{ME}/step/consents", data={"basic": "y", "version": 5})
    answer = submit(ready, ["K1"])
    assert "还没填完" in answer.text and "同意书" in answer.text and lists(app) == []


# --- minors -----------------------------------------------------------------------------------


def test_a_minor_submits_with_her_guardian(app: Flask) -> None:
    market.make(app)
    client = market.register(app, born=date(2010, 3, 4))
    sent = {**market.STEPS["identity"], "version": 1}
    page = client.post(f"{ME}/step/identity", data=sent).text
    assert page.count("未满 18 岁，请填写监护人") == 3
    guardian = {
        "guardian": "李梅",
        "guardian_relation": "母亲",
        "guardian_telephone": "13700000000",
    }
    market.fill(client, identity=guardian, consents={"minor": "y"})
    answer = submit(client, ["K1"])
    assert "监护人码不对" in answer.text and "K1" in answer.text
    with app.app_context(), db.writing() as session:
        mine = session.scalars(select(Applicant)).one()
        code = slips.issue(session, mine, "guardian", Actor("coordinator:c1", "coordinator"))
        assert people.guardian_telephone_of(mine) == "13700000000"
    answer = submit(client, ["K1"], guardian_paper="P-1", guardian_code="00000-00000")
    assert answer.status_code == 200  # a paper is recorded at the counter, not by herself
    assert submit(client, ["K1"], guardian_code=code.lower()).status_code == 302
    assert "监护人已同意" in client.get(f"{ME}/submit").text
    assert submit(client, ["K3"]).status_code == 302  # given once, it counts in this round
    with app.app_context():
        mine = db.reading().scalars(select(Applicant)).one()
        assert mine.guardian_agreed_how == "code" and mine.guardian_agreed_at is not None
        events = db.reading().scalars(
            select(AuditPayload.payload)
            .join(AuditEvent)
            .where(AuditEvent.action == "applicant.guardian")
        )
        assert [e["after"]["how"] for e in events] == ["code", "earlier:code"]
    another = {**market.STEPS["identity"], **guardian, "guardian": "李兰", "version": mine.version}
    assert client.post(f"{ME}/step/identity", data=another).status_code == 302
    assert "监护人码不对" in submit(client, ["K1"]).text  # another guardian has not agreed
    assert submit(client, ["K1"], guardian_code=code).status_code == 302


# --- classes ----------------------------------------------------------------------------------


def test_classes_are_found_and_paged(app: Flask, ready: FlaskClient) -> None:
    with app.app_context(), db.writing() as session:
        first = session.scalars(select(OrderClass)).first()
        assert first is not None
        for n in range(20):
            made = OrderClass(
                round_id=first.round_id, college_id=first.college_id, code=f"M{n:02}", name=f"焊接{n:02}班",
                industry="IND06", district="371082", study_form="FT", major="焊接加工" if n == 7 else "",
            )  # fmt: skip
            made.programs = [Program(code=f"M{n:02}-1", capacity=5, enterprise_id=1)]
            session.add(made)
    page = ready.get(f"{ME}/classes").text
    assert "模具" in page and "焊接15班" in page and "焊接16班" not in page and "下一页" in page
    page = ready.get(f"{ME}/classes?page=2").text
    assert "焊接19班" in page and "上一页" in page and "下一页" not in page
    for query, expected in [
        ("q=泓瑾", ["护理订单班"]), ("q=海滨&form=PT", ["电商订单班"]), ("industry=IND03", ["无人机订单班"]),
        ("district=371003", ["电商订单班"]), ("major=焊接加工", ["焊接07班"]), ("q=%25", []),
        ("q=模具&page=x", ["模具制造订单班"]),
        ("page=99", ["焊接16班", "焊接17班", "焊接18班", "焊接19班"]),
    ]:  # fmt: skip
        names = re.findall(r"<li><h2><a [^>]*>([^<]+)", ready.get(f"{ME}/classes?{query}").text)
        assert names == expected, query


@one_database
def test_a_class_says_everything_about_itself(ready: FlaskClient) -> None:
    page = said(ready.get(f"{ME}/classes/K1").text)
    for part in ("海滨技师学院", "澜珀医疗", "4800", "最低开班人数 2", "可报", "填入志愿"):
        assert part in page
    page = said(ready.get(f"{ME}/classes/K3").text)
    assert "没面试过的人，本班不接收调剂" in page and page.count("只填这家企业") == 2
    ready.post(f"{ME}/list/add", data={"code": "K3-2"})
    assert "已在草稿里，第 1 志愿" in said(ready.get(f"{ME}/classes/K3").text)
    assert ready.get(f"{ME}/classes/NOPE").status_code == 404


# --- other people -----------------------------------------------------------------------------


@one_database
def test_a_row_of_somebody_else_is_not_there(app: Flask, ready: FlaskClient) -> None:
    submit(ready, ["K1"])
    other = app.test_client()
    with app.app_context(), db.writing() as session:
        auth.create_user(session, "stranger", market.PASSWORD, "applicant")
    other.post("/login", data={"username": "stranger", "password": market.PASSWORD})
    for path in (
        "list",
        "submit",
        "receipt/1",
        "classes",
        "classes/K1",
        "data",
        "result",
        "step/identity",
    ):
        assert other.get(f"{ME}/{path}").status_code == 404, path
    for path in ("list", "list/add", "submit", "receipt/1/pdf", "withdraw", "restore", "data/export",
                 "confirm-entry", "result/pdf", "join"):  # fmt: skip
        assert other.post(f"{ME}/{path}").status_code == 404, path
    assert ready.get(f"{ME}/receipt/0").status_code == 404
    assert ready.get(f"{ME}/receipt/2").status_code == 404
    assert "您还没有报名" in other.get("/me/").text


# --- the data, leaving, coming again ----------------------------------------------------------


@one_database
def test_her_data_is_hers_to_read_and_take_along(app: Flask, ready: FlaskClient) -> None:
    page = said(ready.get(f"{ME}/data").text)
    assert market.number(date(2006, 3, 4)) in page and "13812345678" in page
    held = json.loads(ready.post(f"{ME}/data/export", data={"kind": "json"}).text)
    assert {"name": "姓名", "value": "张𬭎"} in held
    document = ready.post(f"{ME}/data/export", data={"kind": "pdf"})
    text = "".join(p.extract_text() for p in PdfReader(io.BytesIO(document.data)).pages)
    assert "张𬭎" in text and "13812345678" in text
    page = ready.post(f"{ME}/data", data={"reason": "不报了"}, follow_redirects=True).text
    assert "已登记" in page and "2026-06-01 09:00" in page


def test_withdrawing_and_coming_back(app: Flask, ready: FlaskClient) -> None:
    submit(ready, ["K1"])
    assert "已撤回报名" in ready.post(f"{ME}/withdraw", follow_redirects=True).text
    assert "去恢复" in ready.get("/me/").text
    assert submit(ready, ["K3"]).status_code == 200
    ready.post(f"{ME}/restore")
    with app.app_context():
        assert db.reading().scalars(select(Applicant)).one().state == "submitted"
    assert submit(ready, ["K3"]).status_code == 302


@one_database
def test_a_name_that_cannot_be_printed_is_said(app: Flask, ready: FlaskClient) -> None:
    with app.app_context(), db.writing() as session:
        session.scalars(select(Applicant)).one().person.name = "张𠮷"
    submit(ready, ["K1"])
    for path in ("receipt/1/pdf", "data/export"):
        page = ready.post(f"{ME}/{path}", follow_redirects=True).text
        assert "打印字库没有“𠮷”" in page, path


def test_another_round_takes_over_what_was_answered(app: Flask, ready: FlaskClient) -> None:
    with app.app_context(), db.writing() as session:
        first = session.scalars(select(Applicant)).one().round
        second = market.Round(
            serial="2026-2", title="第二轮", year=2026, state="OPEN", opens_at=market.OPENS,
            deadline_at=market.DEADLINE, created_at=market.OPENS, policy_id=first.policy_id,
        )  # fmt: skip
        session.add(second)
    assert "第二轮" in ready.get("/me/").text
    assert "已报名，报名号 2026200002" in ready.post("/me/2026-2/join", follow_redirects=True).text
    assert "您已在本轮报名" in ready.post("/me/2026-2/join", follow_redirects=True).text
    with app.app_context():
        rows = db.reading().scalars(select(Applicant).order_by(Applicant.id)).all()
        assert [a.education for a in rows] == ["71", "71"] and rows[1].groups[0].group == "G05"
    assert "以前的报名" in ready.get("/me/").text


@one_database
def test_where_a_round_stands(app: Flask, ready: FlaskClient) -> None:
    for state, what, at in [
        ("REVIEW", "正在审核", "审核"), ("FROZEN", "等待公开摇号", "摇号"), ("DRAWN", "正在匹配", "匹配"),
        ("APPROVED", "等待公示", "匹配"), ("PUBLISHED", "结果已公布", "公示"),
        ("SUSPENDED", "公示暂停：核对中", "公示"), ("CONFIRMING", "看结果", "确认"), ("FINAL", "看结果", "报到"),
        ("VOID", "本轮作废：核对中", None),
    ]:  # fmt: skip
        with app.app_context(), db.writing() as session:
            round_ = session.scalars(select(Applicant)).one().round
            round_.state, round_.reason = state, "核对中"
        page = ready.get("/me/").text
        assert what in page, state
        assert re.findall(r'aria-current="step">([^<]+)<', page) == ([at] if at else []), state


@one_database
def test_what_the_review_said_is_shown(app: Flask, ready: FlaskClient, clock: Clock) -> None:
    with app.app_context(), db.writing() as session:
        mine = session.scalars(select(Applicant)).one()
        session.add(
            Review(applicant_id=mine.id, matter="毕业证", conclusion="correct", reason="请补照片",
                   reviewer="college:c", at=clock()),
        )  # fmt: skip
    assert "毕业证：请补正。请补照片" in ready.get("/me/").text


# --- pages ------------------------------------------------------------------------------------


def pages(client: FlaskClient) -> Iterator[tuple[str, str]]:
    for path in ("/me/", *(f"{ME}/{p}" for p in (
        "step/identity", "step/schooling", "step/groups", "step/consents", "evidence", "classes",
        "classes/K1",
        "classes/K3", "list", "submit", "receipt/1", "data", "result",
    ))):  # fmt: skip
        yield path, client.get(path).text


@one_database
def test_pages_are_small_plain_and_short(app: Flask, ready: FlaskClient) -> None:
    import gzip

    save(ready, ["K1", "K3"])
    submit(ready, ["K1", "K3"])

    def weight(address: str) -> int:
        with ready.get(address) as answer:
            return len(gzip.compress(answer.data))

    shared = weight("/style.css") + weight("/static/icon.svg")
    for path, page in pages(ready):
        scripts = re.findall(r'src="([^"]+)"', page)
        assert all("sortable" in s or "list.js" in s for s in scripts), path
        moving = sum(weight(s) for s in scripts)
        assert shared + moving + len(gzip.compress(page.encode())) <= 60_000, path
        assert page.count("<h1") == 1, path
        text = re.sub(r"<(title|option|h[1-6]|dd|code|footer)\b.*?</\1>", "", page, flags=re.S)
        sentences = re.split(r"[。！？<>\n；：]", text)
        long = [s for s in sentences if len(re.findall(r"[\u4e00-\u9fff]", s)) > 30]
        assert long == [], path


@one_database
def test_pages_are_complete_in_english(app: Flask, ready: FlaskClient) -> None:
    submit(ready, ["K1", "K3"])
    ready.set_cookie("lang", "en")
    theirs = {
        "2026 年秋季第一轮",
        "模具制造订单班",
        "护理订单班",
        "无人机订单班",
        "电商订单班",
        "海滨技师学院",
        "澜珀医疗",
        "泓瑾医疗",
        "张𬭎",
    }
    for path, page in pages(ready):
        for name in sorted(theirs, key=len, reverse=True):
            page = page.replace(name, "")
        body = re.sub(r"<(header|footer|title)\b.*?</\1>", "", page, flags=re.S)
        assert re.findall(r"[\u4e00-\u9fff]+", body.split("<main", 1)[1]) in ([], ["演示"]), path


@one_database
def test_reading_writes_nothing(app: Flask, ready: FlaskClient) -> None:
    def count() -> int:
        with app.app_context():
            return len(db.reading().scalars(select(AuditEvent.id)).all())

    before = count()
    for _path, _page in pages(ready):
        pass
    assert count() == before


Login = Callable[..., FlaskClient]


@pytest.mark.parametrize("role", ["coordinator", "college", "enterprise", "district", "bureau"])
@one_database
def test_offices_have_no_business_here(app: Flask, as_user: Login, role: str) -> None:
    market.make(app)
    assert as_user(role).get(f"{ME}/list").status_code == 403
    assert app.test_client().get(f"{ME}/list").status_code == 302
