"""Rechecks on the pages: the applicant asks, offices answer what is theirs, two coordinators uphold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.web.a_round import CONFIRMING, FIRST, SERIAL, standing, upheld_round
from tests.web.browser import PHONE, Look, Visitors
from tests.web.conftest import PASSWORD, Clock
from tests.web.test_rechecks import HERSELF, WORDS, somebody, the_round
from tests.web.test_result import as_applicant, said
from web import auth, db, jobs, publication, rechecks, rounds, snapshot, today
from web.models import College, Publication, Recheck, Run, Score, SeatChange

MINE = f"/me/{SERIAL}/rechecks"
AT = f"/coordinator/rounds/{SERIAL}/rechecks"


def at_stage(folder: Path, stage: str, clock: Clock) -> Iterator[Flask]:
    app = standing(folder, stage, clock)
    yield app
    app.extensions["orderclass_engine"].dispose()


@pytest.fixture
def published(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    yield from at_stage(tmp_path, "published", clock)


@pytest.fixture
def upheld(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    yield from at_stage(tmp_path, "upheld", clock)


@pytest.fixture
def confirming(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    clock.moment = CONFIRMING
    yield from at_stage(tmp_path, "confirming", clock)


def staff(app: Flask, role: str, name: str, **scope: object) -> FlaskClient:
    with app.app_context(), db.writing() as session:
        if code := scope.pop("code", None):
            scope["college"] = session.scalars(select(College).where(College.code == code)).one()
        auth.create_user(session, name, PASSWORD, role, **scope)
    client = app.test_client()
    client.post("/login", data={"username": name, "password": PASSWORD})
    return client


def ticket_of(app: Flask, number: str, matter: str = "score") -> str:
    """The key of a new ticket."""
    with app.app_context(), db.writing() as session:
        return rechecks.open_(session, somebody(session, number), matter, WORDS, HERSELF).key


def held(app: Flask, key: str = "") -> Recheck:
    with app.app_context():
        db.forget()
        found = db.reading().scalars(select(Recheck).order_by(Recheck.id.desc())).first()
        assert found is not None
        return found


def worked(app: Flask) -> None:
    with app.app_context():
        assert jobs.work_once()


# --- the applicant ----------------------------------------------------------------------------


def test_an_applicant_asks_and_takes_it_back(published: Flask, clock: Clock) -> None:
    a05, a01 = as_applicant(published, "A05"), as_applicant(published, "A01")
    page = said(a05.get(f"/me/{SERIAL}/result").text)
    assert "申请复核" in page and "截止 2026-06-09 00:00" in page
    assert "您还没有申请过复核" in a05.get(MINE).text
    assert "复核" in a05.get("/me/").text
    wrong = a05.post(MINE, data={"words": WORDS}).text
    assert "请选一项。" in wrong and WORDS in wrong
    long = a05.post(MINE, data={"matter": "score", "words": "字" * 1001}).text
    assert 'class="problem"' in long
    assert a05.post(MINE, data={"matter": "score", "words": WORDS}).status_code == 302
    page = said(a05.get(MINE).text)
    for part in ("F2026-1-0001", "办理中", WORDS, "最晚答复", "2026-06-09 00:00"):
        assert part in page, part
    assert "已有一件在办" in a05.post(MINE, data={"matter": "score", "words": WORDS}).text
    key = held(published).key
    assert a01.post(f"{MINE}/{key}/withdraw").status_code == 404
    assert "F2026-1-0001" not in a01.get(MINE).text
    a05.post(f"{MINE}/{key}/withdraw")
    assert held(published).state == "withdrawn"
    assert "不能再撤回" in a05.post(f"{MINE}/{key}/withdraw", follow_redirects=True).text
    clock.forward(days=30)
    assert "公示期已过" in a05.get(MINE).text
    assert "看复核" in a05.get(f"/me/{SERIAL}/result").text
    assert "公示期已过" in a01.get(f"/me/{SERIAL}/result").text
    assert "公示期已过" in a05.post(MINE, data={"matter": "score", "words": WORDS}).text


def test_every_page_is_complete_in_english(upheld: Flask) -> None:
    a05, c1 = as_applicant(upheld, "A05"), staff(upheld, "coordinator", "c1")
    key = held(upheld).key
    for client, path in ((a05, MINE), (c1, AT), (c1, f"{AT}/{key}"), (c1, f"{AT}/new")):
        client.post("/language", data={"lang": "en", "next": path})
        page = said(client.get(path).text.split("<main", 1)[1].split("<footer", 1)[0])
        for data in ("示例轮次", "成绩单上是 80 分。", "查卷后更正。", "陈静怡"):
            page = page.replace(data, "")
        assert not re.search(r"[\u4e00-\u9fff]", page), (
            path,
            re.findall(r"[\u4e00-\u9fff]+", page),
        )


# --- two coordinators -------------------------------------------------------------------------


def refiled(c1: FlaskClient, c2: FlaskClient) -> None:
    """The bureau files the corrected result: entered by one, confirmed by another."""
    records = f"/coordinator/rounds/{SERIAL}/records"
    assert "请先登记" in c2.get(AT).text and "第 1 次更正的结果备案" in c1.get(records).text
    form = {"refiling-1-authority": "市人社局", "refiling-1-document": "更正〔2026〕3 号"}
    c1.post(f"{records}/refiling-1", data={**form, "refiling-1-dated": "2026-06-05"})
    assert "更正〔2026〕3 号" in (page := c2.get(AT).text) and "未确认" in page
    c2.post(f"{records}/refiling-1/confirm")
    assert "已确认" in c2.get(AT).text
    assert c1.post(f"{records}/refiling-2", data=form).status_code == 404


def test_two_coordinators_uphold_and_publish(published: Flask, clock: Clock) -> None:
    a05, a04 = as_applicant(published, "A05"), as_applicant(published, "A04")
    c1, c2 = staff(published, "coordinator", "c1"), staff(published, "coordinator", "c2")
    key = ticket_of(published, "A05")
    page = c1.get(f"{AT}/{key}").text
    assert "W/culture" in page and "现为" not in page and "74" in page
    assert "请从列表中选" in c1.post(f"{AT}/{key}/correct", data={"place": "X", "value": "80"}).text
    wrong = c1.post(f"{AT}/{key}/correct", data={"place": "W/culture", "value": "800"}).text
    assert "0 至 100" in wrong and "800" in wrong
    assert (
        c1.post(f"{AT}/{key}/correct", data={"place": "W/culture", "value": "80"}).status_code
        == 302
    )
    waiting = c1.get(f"{AT}/{key}")
    assert waiting.headers["Refresh"] == "3" and "正在推算" in waiting.text
    early = {"verdict": "upheld", "words": "查卷后更正。", "version": held(published).version}
    assert "请重新推算" in c1.post(f"{AT}/{key}/answer", data=early).text
    worked(published)
    page = said(c1.get(f"{AT}/{key}").text)
    for part in ("W · 文化素质：74 → 80", "录取人数 9 → 10", "去向变动 2",
                 "A04 NEV-Y ROBO 录到更靠后的志愿", "A05 — NEV-Y 由未录取变为录取"):  # fmt: skip
        assert part in page, part
    form = {"words": "查卷后更正。", "version": held(published).version}
    assert "没有保存" in c1.post(f"{AT}/{key}/answer", data=form).text
    assert c1.post(f"{AT}/{key}/answer", data={**form, "verdict": "upheld"}).status_code == 302
    stale = c1.post(f"{AT}/{key}/answer", data={**form, "verdict": "refused"}).text
    assert "别人改过" in stale
    page = c1.get(f"{AT}/{key}").text
    assert "等另一位协调员确认" in page and "同意，答复申请人" not in page
    version = held(published).version
    c1.post(f"{AT}/{key}/confirm", data={"version": version})
    assert held(published).state == "proposed"
    assert "同意，答复申请人" in c2.get(f"{AT}/{key}").text
    c2.post(f"{AT}/{key}/confirm", data={"version": version - 1})
    assert held(published).state == "proposed"
    assert "请填写" in c2.post(f"{AT}/{key}/back", data={}).text
    c2.post(f"{AT}/{key}/back", data={"reason": "请写明依据"})
    assert held(published).state == "open"
    c1.post(
        f"{AT}/{key}/answer", data={**form, "verdict": "upheld", "version": held(published).version}
    )
    c2.post(f"{AT}/{key}/confirm", data={"version": held(published).version})
    assert held(published).state == "upheld"
    assert "去更正公示" in c2.get(f"{AT}/{key}").text
    assert "您发起的" in c1.get(AT).text
    refiled(c1, c2)
    c1.post(f"{AT}/publish")
    assert "1 件复核已成立" in c2.get(AT).text and "审定并公示更正版" in c2.get(AT).text
    assert "公示期重新开始" in c2.post(f"{AT}/publish", follow_redirects=True).text
    assert "更正公示" in c2.get(f"{AT}/{key}").text
    page = said(a04.get(f"/me/{SERIAL}/result").text)
    assert "复核后结果有更正。 原来：NEV 班" in page and "ROBO 班" in page
    assert "复核后您的结果有更正" in a04.get("/me/").text
    page = said(a05.get(MINE).text)
    assert "复核成立" in page and "查卷后更正。" in page and "已更正" in page and "A04" not in page
    assert "结果已公布" in as_applicant(published, "A01").get("/me/").text
    assert "复核后更正，取代" in published.test_client().get(f"/rounds/{SERIAL}/result").text
    assert "已公示" in c1.get(f"/coordinator/rounds/{SERIAL}/publish").text


def test_what_keeps_a_successor_from_being_public_is_said(
    upheld: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    c2 = staff(upheld, "coordinator", "c2")

    def told() -> str:
        return c2.post(f"{AT}/publish", follow_redirects=True).text

    for error, words in (
        (publication.Altered("x"), "与记录不符"), (snapshot.NoSpace("x"), "磁盘空间不足"),
        (publication.calendar.NoCalendar(2031), "2031 年的节假日表"),
        (rechecks.Outdated(), "又有变化"),
    ):  # fmt: skip
        with monkeypatch.context() as patch:

            def fail(*_: object, error: Exception = error) -> None:
                raise error

            patch.setattr(publication, "succeed", fail)
            assert words in told()
    with upheld.app_context(), db.writing() as session:
        session.scalars(
            select(Run).where(Run.kind == "recheck")
        ).one().started_by = "coordinator:c2"
    assert "这一步要另一位协调员来做" in told()
    with upheld.app_context(), db.writing() as session:
        session.scalars(select(Run).where(Run.kind == "recheck")).one().state = "FAILED"
    assert "又有变化" in told() and "推算全部更正的后果" in c2.get(AT).text
    assert "正在推算" in c2.post(f"{AT}/run", follow_redirects=True).text
    assert c2.get(AT).headers["Refresh"] == "3"
    with upheld.app_context():
        assert db.reading().query(Publication).count() == 1
        with db.writing() as session:
            the_round(session).state = "FINAL"
    assert "现在不能推算" in c2.post(f"{AT}/run", follow_redirects=True).text


def test_a_run_that_was_cut_short_says_how_long_it_had(upheld: Flask) -> None:
    c1 = staff(upheld, "coordinator", "c1")
    key = held(upheld).key
    for state, seconds, told in (
        ("INCOMPLETE", 60, "限时 60 秒内没有算完"), ("FAILED", 1800, "限时 1800 秒内没有算完"),
        ("BROKEN", 60, "没有算成"), ("FAILED", 0, "没有算成"),
    ):  # fmt: skip
        with upheld.app_context(), db.writing() as session:
            for run in session.scalars(select(Run).where(Run.kind == "recheck")):
                run.state, run.summary = state, {"seconds": seconds} if seconds else {}
        listed = c1.get(AT).text
        assert told in listed and "推算全部更正的后果" in listed, state
        if state == "INCOMPLETE":
            assert told in c1.get(f"{AT}/{key}").text


def test_a_round_that_waits_for_rechecks_says_so(published: Flask, clock: Clock) -> None:
    c1 = staff(published, "coordinator", "c1")
    first, second = ticket_of(published, "A05"), ticket_of(published, "A09", "human")
    with published.app_context(), db.writing() as session:
        ticket = session.scalars(select(Recheck).where(Recheck.key == second)).one()
        rechecks.answer(session, ticket, "refused", "已复核，结果无误。", FIRST)
    clock.forward(days=30)
    page = c1.get(f"/coordinator/rounds/{SERIAL}/").text
    assert "2 件复核还没有办结" in page and f'href="{AT}"' in page
    assert "已逾期" in c1.get(AT).text and "已逾期" in c1.get(f"{AT}/{first}").text
    with published.app_context():
        session = db.reading()
        tasks = {t.code: t.about for t in today.tasks(session, the_round(session))}
    assert tasks == {
        "recheck_to_answer": ("F2026-1-0001",),
        "recheck_to_confirm": ("F2026-1-0002",),
    }
    assert "复核等答复" in c1.get(f"/coordinator/rounds/{SERIAL}/today").text


def test_groups_and_reviews_are_corrected_on_the_page(published: Flask) -> None:
    c1 = staff(published, "coordinator", "c1")
    key = ticket_of(published, "A09", "other")
    page = c1.get(f"{AT}/{key}").text
    assert "更正成绩" in page and 'name="place"' not in page
    assert c1.post(f"{AT}/{key}/correct", data={}).status_code == 400
    assert 'name="group"' in c1.get(f"{AT}/{key}?kind=group").text
    url = f"{AT}/{key}/correct?kind=group"
    assert "相同" in c1.post(url, data={"group": "G05", "answer": "refused"}).text
    c1.post(url, data={"group": "G05", "answer": "verified"})
    assert "：属实" in c1.get(f"{AT}/{key}").text
    c1.post(f"{AT}/{key}/correct", data={"act": "drop"})
    assert held(published).correction == {}
    url = f"{AT}/{key}/correct?kind=review"
    assert "相同" in c1.post(url, data={"conclusion": "passed"}).text
    c1.post(url, data={"conclusion": "documents"})
    assert "资格审核：材料缺失或不符" in c1.get(f"{AT}/{key}").text
    c1.post(f"{AT}/{key}/look")
    with published.app_context(), db.writing() as session:
        ticket = session.scalars(select(Recheck)).one()
        assert ticket.run is not None
        ticket.run.state, ticket.run.error = "FAILED", "solve: exit 1"
        ticket.state = "withdrawn"
    assert "没有算成" in c1.get(f"{AT}/{key}").text
    done = c1.post(f"{AT}/{key}/correct", data={"act": "drop"}, follow_redirects=True)
    assert "别人改过" in done.text
    assert "别人改过" in c1.post(f"{AT}/{key}/look", follow_redirects=True).text


# --- offices ----------------------------------------------------------------------------------


def test_a_college_answers_about_the_scores_that_it_entered(published: Flask) -> None:
    u1, u2 = (staff(published, "college", f"u{n}", code=f"U{n}") for n in (1, 2))
    d1 = staff(published, "district", "d1", district="370102")
    mine, other = ticket_of(published, "A05"), ticket_of(published, "A05", "human")
    base = f"/college/{SERIAL}/rechecks"
    assert u1.get(f"{base}/{mine}").status_code == 404, "nobody of U1 entered it"
    with published.app_context(), db.writing() as session:
        who = somebody(session, "A05")
        for score in session.scalars(select(Score).where(Score.applicant_id == who.id)):
            score.office = "U1" if score.channel == "W" else "U2"
        whose = session.scalars(select(Score).where(Score.channel == "S")).first()
        assert whose is not None
    assert "F2026-1-0001" in u1.get(base).text and "F2026-1-0002" not in u1.get(base).text
    page = u1.get(f"{base}/{mine}?kind=group").text
    assert "W/culture" in page and "S/skill" not in page and 'name="group"' not in page
    for client, path in ((u1, f"{base}/{other}"), (d1, f"/district/{SERIAL}/rechecks/{mine}")):
        assert client.get(path).status_code == 404
        for act in ("correct", "answer"):
            assert client.post(f"{path}/{act}").status_code == 404
    assert u2.post(f"{base}/{mine}/correct", data={"place": "W/culture", "value": "80"}).text.count(
        "problem"
    )
    u1.post(f"{base}/{mine}/correct", data={"place": "W/culture", "value": "80"})
    worked(published)
    page = said(u1.get(f"{base}/{mine}").text)
    assert "去向变动 2" in page and "A04" not in page, "who moves is for coordinators"
    with published.app_context():
        version = db.reading().scalars(select(Recheck).where(Recheck.key == mine)).one().version
    form = {"verdict": "upheld", "words": "查卷后更正。", "version": version}
    u1.post(f"{base}/{mine}/answer", data=form)
    assert "等协调员确认" in u1.get(f"{base}/{mine}").text
    for act in ("confirm", "back", "look", "first"):
        assert u1.post(f"{AT}/{mine}/{act}").status_code == 403
    assert "复核" in u1.get(f"/college/{SERIAL}/").text


def test_a_district_answers_about_the_groups_of_its_people(published: Flask) -> None:
    d1 = staff(published, "district", "d1", district="370102")
    d2 = staff(published, "district", "d2", district="370112")
    d3 = staff(published, "district", "d3")
    key = ticket_of(published, "A09", "group")
    base = f"/district/{SERIAL}/rechecks"
    assert "F2026-1-0001" in d1.get(base).text
    for client in (d2, d3):
        assert "F2026-1-0001" not in client.get(base).text
        assert client.get(f"{base}/{key}").status_code == 404
    d1.post(f"{base}/{key}/correct", data={"group": "G05", "answer": "verified"})
    worked(published)
    page = said(d1.get(f"{base}/{key}").text)
    assert "去向变动 2" in page and "A11" not in page
    assert "复核" in d1.get(f"/district/{SERIAL}/").text


def test_a_ticket_is_entered_at_the_counter(published: Flask) -> None:
    u1, u2 = (staff(published, "college", f"u{n}", code=f"U{n}") for n in (1, 2))
    url = f"/college/{SERIAL}/rechecks/new"
    form = {"number": "A01", "matter": "score", "words": WORDS}
    assert "柜台登记" in u1.get(url).text
    for client, number in ((u1, "A99"), (u2, "A01")):
        page = client.post(url, data={**form, "number": number}).text
        assert "不归本单位办理" in page and WORDS in page
    assert u1.post(url, data={**form, "words": ""}).status_code == 200
    assert u1.post(url, data=form).status_code == 302
    assert held(published).opened_by == "college:u1"
    c1 = staff(published, "coordinator", "c1")
    assert "柜台登记" in c1.get(f"{AT}/{held(published).key}").text
    c1.post(f"{AT}/new", data={**form, "number": "A02"})
    assert held(published).opened_by == "coordinator:c1"


def test_later_a_person_may_still_be_asked_to_look(confirming: Flask) -> None:
    """The waiting list and the deadlines decide, too: about those she asks until the round ends."""
    a05 = as_applicant(confirming, "A05")
    page = a05.get(MINE).text
    assert 'value="human"' in page and 'value="score"' not in page and "仍可请人再看一遍" in page
    assert "请人再看一遍" in a05.get(f"/me/{SERIAL}/result").text
    a05.post(MINE, data={"matter": "score", "words": WORDS})
    with confirming.app_context():
        assert db.reading().scalars(select(Recheck)).first() is None
    assert a05.post(MINE, data={"matter": "human", "words": WORDS}).status_code == 302
    assert held(confirming).matter == "human"
    with confirming.app_context(), db.writing() as session:
        the_round(session).state = "FINAL"
    assert "公示期已过，不能再申请复核" in a05.get(MINE).text


def test_later_the_page_offers_a_seat_or_the_first_place(confirming: Flask) -> None:
    c1, c2 = staff(confirming, "coordinator", "c1"), staff(confirming, "coordinator", "c2")
    c1.post(f"{AT}/new", data={"number": "A05", "matter": "score", "words": WORDS})
    key = held(confirming).key
    c1.post(f"{AT}/{key}/correct", data={"place": "W/culture", "value": "80"})
    worked(confirming)
    page = c1.get(f"{AT}/{key}").text
    assert "按更正应录到 NEV-Y" in page and 'value="seat"' in page
    form = {"verdict": "upheld", "words": "查卷后更正。", "version": held(confirming).version}
    assert "请选补救办法" in c1.post(f"{AT}/{key}/answer", data=form).text
    c1.post(f"{AT}/{key}/answer", data={**form, "remedy": "seat"})
    c2.post(f"{AT}/{key}/confirm", data={"version": held(confirming).version})
    page = c1.get(f"{AT}/{key}").text
    assert "等席位变更单" in page and "NEV-Y" in page
    u1 = staff(confirming, "college", "u1", code="U1")
    url = f"/college/{SERIAL}/seats/NEV-Y/change"
    assert "席位不能再变" not in u1.get(url).text
    assert "志愿已锁定" in u1.get(f"/college/{SERIAL}/seats/CARE/change").text
    assert "只能增加 1 个席位" in u1.post(url, data={"after": "6", "reason": "复核"}).text
    assert u1.post(url, data={"after": "4", "reason": "复核成立"}).status_code == 302
    assert "请填写" in c1.post(f"{AT}/{key}/first", data={}).text
    c1.post(f"{AT}/{key}/first", data={"reason": "企业没有岗位"})
    assert held(confirming).remedy == "first"
    assert "递补排第一位" in said(as_applicant(confirming, "A05").get(MINE).text)
    assert "不在等席位" in c1.post(
        f"{AT}/{key}/first", data={"reason": "再按一次"}, follow_redirects=True
    ).text  # fmt: skip


def test_later_a_remedy_that_cannot_come_true_is_worked_on_again(confirming: Flask) -> None:
    c1, c2 = staff(confirming, "coordinator", "c1"), staff(confirming, "coordinator", "c2")
    c1.post(f"{AT}/new", data={"number": "A05", "matter": "score", "words": WORDS})
    key = held(confirming).key
    c1.post(f"{AT}/{key}/correct", data={"place": "W/culture", "value": "80"})
    worked(confirming)
    assert "总量上限 U1-BEDS 将是 6 人，超过 5 人" in c1.get(f"{AT}/{key}").text
    form = {"verdict": "upheld", "words": "查卷后更正。", "version": held(confirming).version}
    c1.post(f"{AT}/{key}/answer", data={**form, "remedy": "seat"})
    c2.post(f"{AT}/{key}/confirm", data={"version": held(confirming).version})
    assert "改办下一个志愿" not in c1.get(f"{AT}/{key}").text
    u1 = staff(confirming, "college", "u1", code="U1")
    asked = u1.get(f"/college/{SERIAL}/seats/NEV-Y/change").text
    assert "U1-BEDS 将是 6 人" in asked and "同意即认可这一例外" in asked
    made = u1.post(
        f"/college/{SERIAL}/seats/NEV-Y/change",
        data={"after": "4", "reason": "复核成立"}, follow_redirects=True,
    ).text  # fmt: skip
    assert "U1-BEDS 将是 6 人" in made
    assert "U1-BEDS 将是 6 人" in c1.get(f"/coordinator/rounds/{SERIAL}/seat-changes").text
    with confirming.app_context(), db.writing() as session:
        the_round(session).waiting_ended_at = db.now(session)
        session.delete(session.scalars(select(SeatChange)).one())
    page = c1.get(f"{AT}/{key}").text
    assert "三方不同意增加席位的，改办下一个志愿" in page and 'name="same" value="1"' not in page
    assert "请填写" in c1.post(f"{AT}/{key}/another", data={"reason": ""}).text
    c1.post(f"{AT}/{key}/another", data={"reason": "企业没有岗位"})
    worked(confirming)
    page = c1.get(f"{AT}/{key}").text
    assert held(confirming).state == "open" and "不再考虑 NEV" in page
    c1.post(f"{AT}/{key}/another", data={"reason": "再按一次"})
    assert held(confirming).correction["without"] == ["NEV"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_pages_suit_everybody(app: Flask, visitors: Visitors, look: Look) -> None:
    with app.app_context():
        upheld_round()
        with db.writing() as session:
            a05 = somebody(session, "A05")
            auth.create_user(session, "a05", PASSWORD, "applicant", person_id=a05.person_id)
            auth.create_user(session, "coord2", PASSWORD, "coordinator")
            rechecks.open_(session, a05, "human", "请再看一遍。", HERSELF)
            first, second = (t.key for t in session.scalars(select(Recheck).order_by(Recheck.id)))
        assert rounds.rechecks_open(db.reading(), the_round(db.reading())) == 2
        db.forget()
    wrong = []
    phone = visitors("a05", PASSWORD, size=PHONE)
    for path in (MINE, f"/me/{SERIAL}/result"):
        phone.goto(path)
        wrong += [f"{path}: {line}" for line in look(phone, "recheck-own")]
    desk = visitors("coord2", PASSWORD)
    for path in (AT, f"{AT}/{first}", f"{AT}/{second}?kind=group", f"{AT}/new"):
        desk.goto(path)
        wrong += [f"{path}: {line}" for line in look(desk, "recheck-office")]
    assert not wrong, "\n".join(wrong)
