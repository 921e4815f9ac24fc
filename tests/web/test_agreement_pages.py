"""The pages of agreements and check-in: one story through four kinds of people, and what each may not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web import signed
from tests.web.a_round import CONFIRMING, FIRST, standing
from tests.web.conftest import Clock
from web import agreement_pages, agreement_texts, agreements, db, enrolment, offers, slips
from web.models import Agreement, Applicant, AuditEvent, Offer, OrderClass, Program

HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass
class World:
    """The application, its people, and one agreement of college U1 with enterprise X."""

    app: Flask
    clock: Clock
    login: signed.Login
    key: str
    place: str
    who: str
    code: str

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction outside of any request."""
        with self.app.app_context(), db.writing() as session:
            yield session

    def digest(self) -> str:
        with self.app.app_context():
            return agreements_of(self.key).digest

    def state(self) -> str:
        with self.app.app_context():
            return agreements_of(self.key).state

    def actions(self) -> list[str]:
        with self.app.app_context():
            return list(db.reading().scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def agreements_of(key: str) -> Agreement:
    return db.reading().scalars(select(Agreement).where(Agreement.key == key)).one()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = Clock()
    clock.moment = CONFIRMING
    app = standing(tmp_path, "confirming", clock)
    with app.app_context(), db.writing() as session:
        signed.dates(session)
        signed.hold_all(session)
        agreements.make_due(session, signed.the_round(session))
        one = session.scalars(
            select(Agreement).join(Offer).join(Program).where(Program.code == "NEV-X")
        ).first()
        assert one is not None
        offer = one.offer
        found = (one.key, offer.key, offer.applicant.number, offer.program.order_class.code)
    yield World(app, clock, signed.logins(app), *found)


def said(page: str) -> str:
    return re.sub(r"<[^>]+>", " ", page)


# --- the story --------------------------------------------------------------------------------


def test_three_sign_on_their_pages_and_the_paper_is_filed(world: World) -> None:
    her = world.login(world.who)
    home = her.get("/me/").text
    assert "请读三方协议并确认" in home and 'href="/me/2026-1/agreement"' in home
    page = her.get("/me/2026-1/agreement").text
    assert (
        "本协议不等同于劳动合同" in page and "这不是劳动合同" in page and "我已读完，同意" in page
    )
    answer = her.post("/me/2026-1/agreement/sign", data={"digest": "0" * 64})
    assert "文本和您看到的不一样" in her.get(answer.location).text
    answer = her.post("/me/2026-1/agreement/sign", data={"digest": world.digest()})
    page = her.get(answer.location).text
    assert "您已电子确认" in page and "待签：企业、院校" in page
    assert "待签：企业、院校" in her.get("/me/").text

    x = world.login("x")
    home = x.get("/enterprise/").text
    assert "份等企业签" in home
    ledger = x.get("/enterprise/2026-1/agreements?state=enterprise").text
    ticks = re.findall(r'name="ticked" value="([^"]+)"', ledger)
    assert len(ticks) == 3
    x.post("/enterprise/2026-1/agreements/sign", data={"ticked": ticks})
    assert "待签：院校" in x.get(f"/enterprise/agreements/{world.key}").text
    again = x.post("/enterprise/2026-1/agreements/sign", data={"ticked": ticks})
    assert "3 份没有签" in x.get(again.location).text
    empty = x.post("/enterprise/2026-1/agreements/sign")
    assert "请先勾选" in x.get(empty.location).text

    u1 = world.login("u1")
    assert "份等院校签" in u1.get("/college/").text
    u1.post(f"/college/agreements/{world.key}/sign", data={"digest": world.digest()})
    page = u1.get(f"/college/agreements/{world.key}").text
    assert "生效" in page and "还没有归档" in page and world.state() == "effective"
    assert "请填写" in u1.post(f"/college/agreements/{world.key}/paper").text
    u1.post(f"/college/agreements/{world.key}/paper", data={"paper": "档-77"})
    assert "档-77" in u1.get("/college/2026-1/agreements?all=1").text
    assert "各方都已签，协议生效" in her.get("/me/2026-1/agreement").text


def test_a_change_is_asked_for_and_confirmed(world: World) -> None:
    u1, c1 = world.login("u1"), world.login("c1")
    path = f"/college/agreements/{world.key}"
    page = u1.post(f"{path}/ask", data={"kind": "change", "version": "1"}).text
    assert "请填写" in page
    form = {"kind": "change", "reason": "岗位调整", "version": "9"}
    assert "别人改过它" in u1.get(u1.post(f"{path}/ask", data=form).location).text
    u1.post(f"{path}/ask", data=form | {"version": "1"})
    page = u1.get(path).text
    assert "岗位调整" in page and "确认办理" not in page
    refused = u1.post(f"{path}/confirm")
    assert "须由院校或协调员的另一人确认" in u1.get(refused.location).text
    u1.post(f"{path}/drop")
    u1.post(f"{path}/ask", data=form | {"version": "3"})
    over = f"/coordinator/rounds/agreements/{world.key}"
    assert "确认办理" in c1.get(over).text
    c1.post(f"{over}/confirm")
    assert world.state() == "voided" and "岗位调整" in c1.get(over).text
    anew = world.login(world.who).get("/me/2026-1/agreement").text
    assert f"2026-1-{world.who}-2" in anew


def test_signatures_on_paper_and_by_the_guardians_code(world: World) -> None:
    with world.writing() as session:
        one = session.scalars(select(Agreement).where(Agreement.key == world.key)).one()
        person = one.offer.applicant
        person.person.birth_date, person.guardian = date(2009, 3, 1), "王大山"
        one.guardian_needed = True
        code = slips.issue(session, person, "guardian", FIRST)
    her = world.login(world.who)
    page = her.get("/me/2026-1/agreement").text
    assert "监护人也要确认" in page and 'value="王大山"' in page
    path, form = "/me/2026-1/agreement/guardian", {"name": "王大山", "digest": world.digest()}
    assert "请填写" in her.post(path, data=form).text
    wrong = her.post(path, data=form | {"code": "0000000000"}).text
    assert "监护人码不对" in wrong and 'value="0000000000"' in wrong
    her.post(path, data=form | {"code": code})
    u1 = world.login("u1")
    counter = f"/college/agreements/{world.key}/counter"
    assert "请填写" in u1.post(counter, data={"party": "student"}).text
    u1.post(counter, data={"party": "student", "name": "本人", "paper": "纸-9"})
    page = u1.get(f"/college/agreements/{world.key}").text
    assert "纸质签名 纸-9" in page and "监护人码" in page and "待签：企业、院校" in page
    her.post("/me/2026-1/agreement/sign", data={"digest": world.digest()})
    assert "您已确认，等其他方签" in her.get("/me/2026-1/agreement").text


def test_what_is_missing_is_made_and_what_is_barred_is_told(world: World) -> None:
    with world.writing() as session:
        for one in session.scalars(select(Agreement)):
            agreements.ask(session, one, "change", "重做", one.version, FIRST)
        for course in session.scalars(select(OrderClass)):
            if course.code == "NEV":
                course.internship_date = date(2027, 1, 1)
        for one in list(session.scalars(select(Agreement).where(Agreement.state == "signing"))):
            agreements.confirm(session, one, signed.U1)
    u1 = world.login("u1")
    page = u1.get("/college/2026-1/agreements").text
    assert "一年级不得安排岗位实习" in page and "请院校核对" in page
    u1.post("/college/2026-1/agreements/make")
    assert "不能生成" in u1.get("/college/2026-1/agreements").text
    days = "/college/2026-1/classes/NEV/days"
    page = u1.get(days).text
    assert 'value="2027-01-01"' in page and "2027-08-31" in page
    version = re.findall(r'name="version"[^>]*value="(\d+)"', page)[0]
    form = {"internship": "2027-09-01", "hired": "2029-07-01", "version": version}
    assert "请填写" in u1.post(days, data=form).text
    stale = u1.post(days, data=form | {"reason": "推迟", "version": "99"}).text
    assert "别人改过它" in stale and 'value="2027-09-01"' in stale
    u1.post(days, data=form | {"reason": "推迟"})
    answer = u1.post("/college/2026-1/agreements/make")
    assert "份协议" in u1.get(answer.location).text
    assert "一年级不得" not in u1.get("/college/2026-1/agreements").text


def test_the_ledger_is_exported_of_the_own_office_only(world: World) -> None:
    x = world.login("x")
    answer = x.post("/enterprise/2026-1/agreements/export")
    rows = list(load_workbook(BytesIO(answer.data)).active.values)
    assert {row[4] for row in rows[1:]} == {"星河汽车"} and "export" in world.actions()
    world.clock.forward(minutes=1)
    with x.session_transaction() as held:
        held["fs_paa"] = 0  # the password was typed long ago
    late = x.post("/enterprise/2026-1/agreements/export")
    assert late.status_code == 302 and "/verify" in late.location
    data = {"ticked": f"{world.key}:{world.digest()}"}
    assert "/verify" in x.post("/enterprise/2026-1/agreements/sign", data=data).location
    assert world.state() == "signing"


def test_the_ledger_as_a_workbook(world: World) -> None:
    with world.app.test_request_context():
        session = db.reading()
        rows = session.scalars(agreements.ledger(signed.the_round(session))).all()
        sheet = load_workbook(BytesIO(agreement_pages.workbook(rows))).active
    assert sheet is not None and sheet.max_row == 1 + len(rows)
    heads = [cell.value for cell in sheet[1]]
    assert heads[:3] == ["协议编号", "报名号", "姓名"] and len(heads) == 15
    assert sheet.cell(2, 7).value.startswith("待签：")


def test_the_agreement_on_paper_holds_every_word(world: World) -> None:
    with world.writing() as session:
        one = session.scalars(select(Agreement).where(Agreement.key == world.key)).one()
        signed.sign(session, one, "college")
        text, number, digest = agreements.text_of(one), one.number, one.digest
    her = world.login(world.who)
    her.post("/language", data={"lang": "en", "next": "/"})
    answer = her.post("/me/2026-1/agreement/pdf")
    assert answer.mimetype == "application/pdf"
    pages = [re.sub(r"\s", "", p.extract_text()) for p in PdfReader(BytesIO(answer.data)).pages]
    printed = "".join(pages)
    for _kind, line in agreement_texts.lines(text):
        start = re.sub(r"\s", "", line)[:18]
        assert start in printed, start
    assert all(digest in page and number in page for page in pages)
    assert all(f"第{n}页，共{len(pages)}页" in page for n, page in enumerate(pages, start=1))
    for word in ("甲方（企业盖章）", "丙方（学生签字）", "电子确认记录", "不是可靠电子签名"):
        assert word in printed
    assert "Party" not in printed and "print.agreement" in world.actions()


# --- ownership --------------------------------------------------------------------------------


def test_nobody_sees_or_signs_anothers(world: World) -> None:
    for name, base in (("y", "/enterprise"), ("u2", "/college")):
        other = world.login(name)
        for part in ("", "/sign", "/pdf", "/ask", "/drop", "/confirm", "/paper", "/counter"):
            path = f"{base}/agreements/{world.key}{part}"
            answer = (
                other.get(path) if not part else other.post(path, data={"digest": world.digest()})
            )
            assert answer.status_code == 404, path
        page = other.get(f"{base}/2026-1/agreements?all=1").text
        assert world.key not in page
        tick = {"ticked": f"{world.key}:{world.digest()}"}
        assert other.post(f"{base}/2026-1/agreements/sign", data=tick).status_code == 404
    assert world.state() == "signing"
    u2 = world.login("u2")
    for part in ("", "/register", "/leave", "/undo", "/undo/confirm", "/undo/drop"):
        path = f"/college/places/{world.place}{part}"
        assert (u2.post(path) if part else u2.get(path)).status_code == 404
    for path in (
        f"/college/2026-1/check-in/{world.code}",
        f"/college/2026-1/classes/{world.code}/days",
    ):
        assert u2.get(path).status_code == 404
    assert world.login("c1").get("/coordinator/rounds/places/nothing").status_code == 404


def test_an_applicant_without_a_place_has_no_agreement(world: World) -> None:
    with world.writing() as session:
        idle = session.scalars(
            select(Applicant.number).where(Applicant.id.not_in(select(Offer.applicant_id)))
        ).first()
    assert idle is not None
    her = world.login(idle)
    for path in ("agreement", "check-in"):
        assert her.get(f"/me/2026-1/{path}").status_code == 404
    assert her.post("/me/2026-1/agreement/sign").status_code == 404


# --- check-in ---------------------------------------------------------------------------------


def test_check_in_on_pages(world: World) -> None:
    u1, her = world.login("u1"), world.login(world.who)
    path = f"/college/2026-1/check-in/{world.code}"
    assert "学校还没有安排报到" in her.get("/me/2026-1/check-in").text
    assert world.code in u1.get("/college/2026-1/check-in").text
    page = u1.get(path).text
    assert "先安排报到" in page and "10-20" in page and "仅供参考" in page
    version = re.findall(r'name="version"[^>]*value="(\d+)"', page)[-1]
    form = {"check_in_from": "2026-06-09", "check_in_until": "2026-06-08", "check_in_place": "体育馆",
            "check_in_bring": "身份证", "version": version}  # fmt: skip
    assert "最后一天早于第一天" in u1.post(f"{path}/arrange", data=form).text
    assert "请填写" in u1.post(f"{path}/arrange", data=form | {"check_in_place": ""}).text
    u1.post(f"{path}/arrange", data=form | {"check_in_until": "2026-06-10"})
    shown = her.get("/me/2026-1/check-in").text
    assert "体育馆" in shown and "身份证" in shown and "2026-06-09" in shown
    her.post("/me/2026-1/agreement/sign", data={"digest": world.digest()})
    assert "起到校报到" in her.get("/me/").text
    ticked = {"ticked": world.place}
    assert "请填写" in u1.post(f"{path}/came", data=ticked).text
    assert "还没有到" in u1.post(f"{path}/came", data=ticked | {"day": "2026-06-20"}).text
    u1.post(f"{path}/came", data=ticked | {"day": "2026-06-09"})
    assert "您已报到" in her.get("/me/2026-1/check-in").text
    place = f"/college/places/{world.place}"
    wrong = u1.post(f"{place}/register", data={"number": "2026001", "registered_on": "2027-01-01"})
    assert "注册日期应在" in wrong.text
    u1.post(f"{place}/register", data={"number": "2026001", "registered_on": "2026-06-09"})
    assert "2026001" in u1.get(path).text
    u1.post(f"{place}/undo", data={"reason": "号码错了"})
    assert "号码错了" in u1.get(place).text
    assert "请本单位另一人确认" in said(u1.post(f"{place}/undo/confirm").text)
    u1.post(f"{place}/undo/drop")
    u1.post(f"{place}/undo", data={"reason": "号码又错了"})
    c1 = world.login("c1")
    assert "确认更正" in c1.get(f"/coordinator/rounds/places/{world.place}").text
    c1.post(f"/coordinator/rounds/places/{world.place}/undo/confirm")
    assert "2026001" not in u1.get(path).text
    assert "体育馆" in c1.get(f"/coordinator/rounds/2026-1/check-in/{world.code}").text


def test_who_did_not_come_and_who_left(world: World) -> None:
    u1 = world.login("u1")
    path = f"/college/2026-1/check-in/{world.code}"
    early = u1.post(f"{path}/absent", data={"ticked": world.place})
    assert "报到期还没有过" in u1.get(early.location).text
    with world.writing() as session:
        course = session.scalars(select(OrderClass).where(OrderClass.code == world.code)).one()
        enrolment.arrange(session, course, course.version, date(2026, 6, 9), date(2026, 6, 9), "馆", "",
                          signed.U1)  # fmt: skip
        other = next(li.offer.key for li in enrolment.lines(session, course)
                     if li.offer.key != world.place)  # fmt: skip
    world.clock.moment = CONFIRMING + timedelta(days=1)
    u1 = signed.logins(world.app)("u1b")
    assert "其余记未报到" in u1.get(path).text
    u1.post(f"{path}/absent", data={"ticked": world.place})
    assert world.state() == "voided" and "未报到" in u1.get(path).text
    place = f"/college/places/{other}"
    assert "请填写" in u1.post(f"{place}/leave", data={"left_on": "2026-06-10"}).text
    u1.post(f"{place}/leave", data={"left_on": "2026-06-10", "left_reason": "转学"})
    assert "转学" in u1.get(place).text
    u1.post(f"/college/places/{world.place}/undo", data={"reason": "请过假"})
    other = signed.logins(world.app)("u1c")
    back = other.post(f"/college/places/{world.place}/undo/confirm")
    assert back.status_code == 302 and world.place not in back.location
    with world.app.app_context():
        offer = db.reading().scalars(select(Offer).where(Offer.key == world.place)).one()
        assert offers.held_of(db.reading(), offer.applicant_id) is not None


# --- the text ---------------------------------------------------------------------------------


def test_the_text_by_two_coordinators(world: World) -> None:
    c1, c2 = world.login("c1"), world.login("c2")
    page = c1.get("/coordinator/agreement-text").text
    assert "示范文本" in page and "{student}" in page and "第 1 版" in page
    form = {"body": agreement_texts.first() + "{salary}", "reason": "加薪", "version": "1"}
    wrong = c1.post("/coordinator/agreement-text", data=form).text
    assert "没有“salary”这个空格" in wrong and "加薪" in wrong
    form["body"] = agreement_texts.first() + "补充一条。"
    made = c1.post("/coordinator/agreement-text", data=form)
    page = c1.get(made.location).text
    assert "<ins>补充一条。</ins>" in page and "须由另一位协调员确认" in page
    assert "须由另一位" in c1.get(c1.post(f"{made.location}/confirm").location).text
    late = c2.post("/coordinator/agreement-text", data=form | {"reason": "晚了"}).text
    assert "别人改过它" in late
    c2.post(f"{made.location}/confirm")
    assert "现行" in c2.get("/coordinator/agreement-text").text
    gone = c2.post(f"{made.location}/withdraw")
    assert "已经确认或撤回" in c2.get(gone.location).text
    assert c2.get("/coordinator/agreement-text/9").status_code == 404
    assert c2.get("/coordinator/agreement-text/1").text.count("<ins>") > 50


# --- both languages ---------------------------------------------------------------------------


def test_every_page_in_english(world: World) -> None:
    pages = {
        "u1": ["/college/2026-1/agreements", f"/college/agreements/{world.key}", "/college/2026-1/check-in",
               f"/college/2026-1/check-in/{world.code}", f"/college/places/{world.place}",
               f"/college/2026-1/classes/{world.code}/days"],
        "x": ["/enterprise/2026-1/agreements"],
        "c1": ["/coordinator/agreement-text", "/coordinator/agreement-text/1"],
        world.who: ["/me/2026-1/agreement", "/me/2026-1/check-in"],
    }  # fmt: skip
    for name, paths in pages.items():
        client = world.login(name)
        for path in paths:
            client.post("/language", data={"lang": "en", "next": "/"})
            answer = client.get(path)
            assert answer.status_code == 200 and '<html lang="en"' in answer.text
            assert answer.text.count("<h1>") == 1 and 'class="next"' in answer.text
            headings = [int(level) for level in re.findall(r"<h(\d)", answer.text)]
            assert all(after - before <= 1 for before, after in pairwise(headings)), path
            shared = ("version", "csrf_token")  # hidden fields of several forms
            ids = [i for i in re.findall(r' id="([^"]+)"', answer.text) if i not in shared]
            assert len(ids) == len(set(ids)), path
