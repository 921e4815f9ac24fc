"""The published result as each applicant of the worked example reads it, and how she checks it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select

from tests.web.a_round import SERIAL, standing
from tests.web.conftest import PASSWORD, Clock
from web import auth, check_line, db
from web.models import Applicant, Placement, Publication, Round


@pytest.fixture
def published(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    app = standing(tmp_path, "published", clock)
    yield app
    app.extensions["orderclass_engine"].dispose()


def as_applicant(app: Flask, number: str) -> FlaskClient:
    with app.app_context(), db.writing() as session:
        mine = session.scalars(select(Applicant).where(Applicant.number == number)).one()
        auth.create_user(session, number.lower(), PASSWORD, "applicant", person_id=mine.person_id)
    client = app.test_client()
    client.post("/login", data={"username": number, "password": PASSWORD})
    return client


def said(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def everybody(app: Flask) -> list[tuple[str, str]]:
    """Numbers and names of all who applied."""
    with app.app_context():
        return [(a.number, a.person.name) for a in db.reading().scalars(select(Applicant))]


def test_everybody_reads_her_own_result_and_nobody_elses(published: Flask) -> None:
    people = everybody(published)
    with published.app_context():
        placed = {
            p.applicant.number: (p.rank, p.program.order_class.name if p.program else "")
            for p in db.reading().scalars(select(Placement))
        }
    for number, name in people:
        client = as_applicant(published, number)
        assert "结果已公布" in client.get("/me/").text
        page = client.get(f"/me/{SERIAL}/result").text
        rank, title = placed[number]
        expected = {None: "未录取", 0: "经调剂录取"}.get(rank, f"您被第 {rank} 志愿录取")
        assert expected in page, number
        assert title in page
        main = said(page.split("<main", 1)[1])
        for other, their_name in people:
            if other != number:
                assert not re.search(rf"\b{other}\b", main) and their_name not in main
        assert name not in main


def test_reasons_are_read_off_the_placement(published: Flask) -> None:
    client = as_applicant(published, "A05")
    page = said(client.get(f"/me/{SERIAL}/result").text)
    for part in ("第 1 志愿", "总量上限 5 人已满。", "企业面试未通过：面试不合格。", "您同意调剂（同一院校）。",
                 "录满 2，未开班 0，到上限 1。", "什么会改变结果", "满足这一条才可以报。"):  # fmt: skip
        assert part in page, part
    page = said(as_applicant(published, "A12").get(f"/me/{SERIAL}/result").text)
    for part in ("您 40 岁，不能超过 35 岁。", "技能测试缺考，按规则不录取。", "您没有同意调剂。"):
        assert part in page, part
    page = said(as_applicant(published, "A10").get(f"/me/{SERIAL}/result").text)
    for part in (
        "您按放宽的年龄录取。",
        "至少 3 人，只有 2 人。",
        "差 1 人。",
        "再有 1 人来，这个班才开。",
    ):
        assert part in page, part
    assert "G06" not in page and "农民工" not in page  # the kind of seat is nobody's business


def test_a_cutoff_is_told_beside_her_own_score(published: Flask) -> None:
    numbers = {
        "rank": 1,
        "score": "78",
        "last_score": "85",
        "seat": "open",
        "lottery": 1,
        "last_lottery": 2,
    }
    with published.app_context(), db.writing() as session:
        mine = session.scalars(
            select(Placement).join(Applicant).where(Applicant.number == "A04")
        ).one()
        reason = {"code": "below_score", "program": "NEV-X", "numbers": numbers}
        mine.reasons = {**mine.reasons, "reasons": [reason]}
    page = said(as_applicant(published, "A04").get(f"/me/{SERIAL}/result").text)
    assert "录满。 录取末位 85 分，您 78 分。" in page and "成绩超过 85 分才进得去。" in page


def test_her_line_leads_to_the_published_root(published: Flask) -> None:
    number = everybody(published)[0][0]
    client = as_applicant(published, number)
    page = client.get(f"/me/{SERIAL}/result").text
    code = unescape(re.findall(r"<code>(\{.*?\})</code>", page)[0])
    with published.app_context():
        root = db.reading().scalars(select(Publication)).one().merkle_root
    assert root in page
    row, salt, path = check_line.read(code)
    assert check_line.root_of(row, salt, path) == root
    document = client.post(f"/me/{SERIAL}/result/pdf")
    text = "\n".join(p.extract_text() for p in PdfReader(io.BytesIO(document.data)).pages)
    printed = re.search(r"\{.*\}", text, re.S)
    assert printed and check_line.root_of(*check_line.read(printed[0])) == root
    assert json.loads(code)["algorithm"] == "sha256"


def test_a_reason_of_no_class_stands_alone_in_print(published: Flask) -> None:
    with published.app_context(), db.writing() as session:
        mine = session.scalars(
            select(Placement).join(Applicant).where(Applicant.number == "A04")
        ).one()
        mine.reasons = {**mine.reasons, "reasons": [{"code": "no_consent", "numbers": {}}]}
    document = as_applicant(published, "A04").post(f"/me/{SERIAL}/result/pdf")
    lines = PdfReader(io.BytesIO(document.data)).pages[0].extract_text().splitlines()
    assert "您没有同意调剂。" in lines


def test_before_the_notice_nothing_is_shown(published: Flask) -> None:
    number = everybody(published)[0][0]
    client = as_applicant(published, number)
    for state, what in (("APPROVED", "等待公示"), ("SUSPENDED", "公示暂停"), ("VOID", "本轮作废")):
        with published.app_context(), db.writing() as session:
            session.scalars(select(Round)).one().state = state
        page = client.get(f"/me/{SERIAL}/result").text
        assert what in page and "志愿录取" not in page and "核对码" not in page
        assert client.post(f"/me/{SERIAL}/result/pdf").status_code == 404


def test_who_was_left_out_is_sent_to_the_counter(published: Flask) -> None:
    number = everybody(published)[0][0]
    client = as_applicant(published, number)
    with published.app_context(), db.writing() as session:
        mine = session.scalars(select(Applicant).where(Applicant.number == number)).one()
        session.delete(
            session.scalars(select(Placement).where(Placement.applicant_id == mine.id)).one()
        )
    assert "公布的结果里没有您，请到柜台" in client.get(f"/me/{SERIAL}/result").text


def test_a_name_that_cannot_be_printed_is_said(published: Flask) -> None:
    number = everybody(published)[0][0]
    client = as_applicant(published, number)
    with published.app_context(), db.writing() as session:
        mine = session.scalars(select(Applicant).where(Applicant.number == number)).one()
        mine.person.name = "张𠮷"
    page = client.post(f"/me/{SERIAL}/result/pdf", follow_redirects=True).text
    assert "打印字库没有“𠮷”" in page


def test_the_result_is_complete_in_english(published: Flask) -> None:
    theirs = {"面试不合格"}  # as the enterprise wrote it
    with published.app_context():
        for p in db.reading().scalars(select(Placement)):
            theirs |= {c.name for c in p.applicant.round.classes}
            theirs |= {c.college.name for c in p.applicant.round.classes}
            theirs |= {s.enterprise.name for c in p.applicant.round.classes for s in c.programs}
    for number, name in everybody(published):
        client = as_applicant(published, number)
        client.set_cookie("lang", "en")
        page = client.get(f"/me/{SERIAL}/result").text.split("<main", 1)[1].split("</main")[0]
        for one in sorted(theirs | {name}, key=len, reverse=True):
            page = page.replace(one, "")
        page = re.sub(r"<code>.*?</code>", "", page)
        assert re.findall(r"[\u4e00-\u9fff]+", page) == [], number
