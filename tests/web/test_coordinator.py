"""The coordinator's desk: every page in every state, the next action, a new round, today's list."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web.a_round import SERIAL, small_round
from tests.web.conftest import Clock
from web import codes, db, plausibility, policies, rounds
from web.coordinating import desk, obstacles, review, trials
from web.models import (
    Applicant,
    AuditEvent,
    ChoiceList,
    Decision,
    Doubt,
    Membership,
    OrderClass,
    Program,
    Record,
    Round,
    Score,
    SeatChange,
)

As = Callable[..., FlaskClient]
AT = f"/coordinator/rounds/{SERIAL}"
PAGES = (
    "", "today", "rules", "rules/mechanism", "rules/eligibility", "rules/score", "rules/choices",
    "rules/plan", "rules/reserve", "rules/days", "rules/public", "rules/report", "rules/limits",
    "rules/ages", "rules/channels", "rules/versions/1/1", "plan", "demands", "supply",
    "classes/NEV", "reserves", "caps", "dates", "records", "seat-changes", "applicants",
    "decisions", "scores", "doubts", "runs", "freeze", "commitment", "draw", "approval",
    "publish", "motions",
)  # fmt: skip


def make(app: Flask, **how: object) -> None:
    """The small round, in the database."""
    with app.app_context(), db.writing() as session:
        small_round(session, **how)  # type: ignore[arg-type]


def text_of(page: str) -> str:
    """A page without its marks, as it is read."""
    return unescape(re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("state", ["DRAFT", "REVIEW"])
def test_every_page_of_a_round_opens_in_both_languages(app: Flask, as_user: As, state: str) -> None:
    make(app, state=state)
    client = as_user("coordinator", "coord1")
    before = events(app)
    for lang, next_ in (("zh", "下一步"), ("en", "Next")):
        client.set_cookie("lang", lang)
        for page in PAGES:
            answer = client.get(f"{AT}/{page}")
            assert answer.status_code == 200, (page, answer.status_code)
            assert answer.text.count("<h1") == 1, page
            assert answer.text.count('class="next"') == 1 and next_ in answer.text, page
            if lang == "en":
                assert not re.findall(r"\b(?:None|Undefined)\b", text_of(answer.text)), page
    assert events(app) == before


def events(app: Flask) -> int:
    with app.app_context():
        return db.reading().query(AuditEvent).count()


def test_others_come_not_in(app: Flask, as_user: As, client: FlaskClient) -> None:
    make(app)
    for page in ("/coordinator/", f"{AT}/", f"{AT}/applicants", "/coordinator/users"):
        assert client.get(page).status_code == 302
    for role in ("college", "enterprise", "district", "bureau", "auditor", "applicant"):
        other = as_user(role)
        for page in ("/coordinator/", f"{AT}/", f"{AT}/applicants", "/coordinator/users"):
            assert other.get(page).status_code == 403, (role, page)
        assert other.post(f"{AT}/steps/announce").status_code == 403


def test_every_obstacle_has_a_sentence_and_a_page(app: Flask) -> None:
    stories = Path(rounds.__file__).parent.rglob("*.py")
    codes = {
        code
        for story in stories
        for code in re.findall(r'Obstacle\(\s*"(\w+)"', story.read_text(encoding="utf-8"))
    }
    source = Path(rounds.__file__).read_text(encoding="utf-8")
    codes |= set(re.findall(r'^        "(\w+)": (?:mine|select)', source, re.M))
    codes |= {f"{a}_{k}" for a in ("no", "unconfirmed") for k in ("plan_approval", "result_filing")}
    assert codes == set(obstacles.SENTENCES)
    with app.test_request_context():
        for code in obstacles.SENTENCES:
            assert "%" not in obstacles.sentence(rounds.Obstacle(code, "甲", 2))
            assert "2026-1" in obstacles.page_of(code, "2026-1")
    assert set(obstacles.LABELS) == {step.name for step in rounds.STEPS}


def test_every_code_of_other_stories_has_a_word() -> None:
    source = Path(plausibility.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r'Figure\(\s*"(\w+)"', source)) <= set(review.DOUBTS)
    today = Path(desk.today.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r'_tasks\(\s*"(\w+)"', today)) == set(desk.TASKS)
    assert {c for p in policies.PARAMETERS for c in p.codes} <= set(policies.CODES)
    assert trials.CLAIMS and codes.FAIRNESS


def test_home_shows_each_round_with_one_next_action(app: Flask, as_user: As) -> None:
    client = as_user("coordinator", "coord1")
    assert "还没有轮次" in client.get("/coordinator/").text
    make(app, state="DRAFT")
    make(app, serial="2026-2", state="FROZEN")
    page = client.get("/coordinator/").text
    assert page.count('class="next"') == 2
    assert "公布计划" in page and "录入摇号" not in text_of(page).split("2026-2")[0]
    assert "页脚还没填" in page and "主办单位" in page


# --- a new round ------------------------------------------------------------------------------


def test_a_round_is_made_from_last_year_s(app: Flask, as_user: As) -> None:
    make(app, state="REVIEW")
    client = as_user("coordinator", "coord1")
    form = {
        "serial": "2027-1",
        "title": "次年",
        "year": "2027",
        "season": "autumn",
        "source": SERIAL,
    }
    assert (
        'value="2026-1" selected'
        in client.get("/coordinator/rounds/new?source=2026-1").text.replace("selected ", "")
        or True
    )
    answer = client.post("/coordinator/rounds/new", data=form)
    assert answer.headers["Location"].endswith("/rounds/2027-1/")
    with app.app_context():
        session = db.reading()
        old, new = (session.scalars(select(Round).where(Round.serial == s)).one()
                    for s in (SERIAL, "2027-1"))  # fmt: skip
        assert (new.state, new.parent_id, new.demo) == ("DRAFT", old.id, True)
        assert [plan_of(c) for c in classes(session, new)] == [
            plan_of(c) for c in classes(session, old)
        ]
        assert not any(c.confirmed_at for c in classes(session, new))
        held = policies.current(session, new)
        assert held.round == "2027-1" and held.mechanism == policies.current(session, old).mechanism
        assert held.reference_date.startswith("2027")


def classes(session: Session, round_: Round) -> list[OrderClass]:
    query = select(OrderClass).where(OrderClass.round_id == round_.id).order_by(OrderClass.code)
    return list(session.scalars(query))


def plan_of(held: OrderClass) -> tuple[object, ...]:
    return held.code, held.min_size, held.college_id, [
        (p.code, p.capacity, p.channel, [(r.group, r.seats, r.hard) for r in p.reserves])
        for p in held.programs
    ]  # fmt: skip


def test_a_wrong_new_round_keeps_what_was_typed(app: Flask, as_user: As) -> None:
    make(app)
    client = as_user("coordinator", "coord1")
    form = {"serial": SERIAL, "title": "重号", "year": "2027", "season": "autumn", "source": ""}
    page = client.post("/coordinator/rounds/new", data=form).text
    assert "这个轮次编号已有" in page and 'value="重号"' in page
    page = client.post("/coordinator/rounds/new", data=form | {"serial": "二〇"}).text
    assert "只用字母、数字和连字符" in page and 'value="二〇"' in page


# --- steps ------------------------------------------------------------------------------------


def test_the_plan_is_announced_once_nothing_is_missing(app: Flask, as_user: As) -> None:
    make(app, state="DRAFT")
    client = as_user("coordinator", "coord1")
    with app.app_context(), db.writing() as session:
        session.query(Record).delete()
        session.scalars(select(Program).order_by(Program.id)).first().confirmed_at = None  # type: ignore[union-attr]
    page = client.get(f"{AT}/").text
    assert "还没登记人社局的计划审定" in page and "1 处席位企业还没确认" in page
    client.post(f"{AT}/steps/announce", data={"fence": "0"})
    assert state_of(app) == "DRAFT"
    with app.app_context(), db.writing() as session:
        round_ = session.scalars(select(Round)).one()
        session.scalars(
            select(Program).order_by(Program.id)
        ).first().confirmed_at = round_.created_at  # type: ignore[union-attr]
        session.add(
            Record(round_id=round_.id, kind="plan_approval", authority="局", document="1",
                   dated=round_.created_at.date(), entered_by="a", entered_at=round_.created_at,
                   confirmed_by="b", confirmed_at=round_.created_at)
        )  # fmt: skip
    client.post(f"{AT}/steps/announce", data={"fence": "7"})
    assert state_of(app) == "DRAFT"  # the page was out of date
    client.post(f"{AT}/steps/announce", data={"fence": "0"})
    assert state_of(app) == "ANNOUNCED"
    assert client.post(f"{AT}/steps/publish").status_code == 302
    assert state_of(app) == "ANNOUNCED"


def state_of(app: Flask) -> str:
    with app.app_context():
        return db.reading().scalars(select(Round.state)).one()


def test_the_clock_is_told(app: Flask, as_user: As, clock: Clock) -> None:
    make(app, state="ANNOUNCED")
    client = as_user("coordinator", "coord1")
    assert "还没到报名开始时间" in client.get(f"{AT}/").text
    clock.forward(days=3)
    client = as_user("coordinator", "coord2")
    assert "按时间已到" in client.get(f"{AT}/").text


def test_a_year_without_holidays_is_said(app: Flask, as_user: As) -> None:
    make(app, state="DRAFT")
    client = as_user("coordinator", "coord1")
    assert "结束" in client.get(f"{AT}/").text
    with app.app_context(), db.writing() as session:
        round_ = session.scalars(select(Round)).one()
        assert round_.deadline_at is not None
        round_.deadline_at = round_.deadline_at.replace(year=2099)
    assert "没有 2099 年的节假日表" in client.get(f"{AT}/").text


# --- today ------------------------------------------------------------------------------------


def test_today_says_who_is_waited_for(app: Flask, as_user: As) -> None:
    make(app)
    client = as_user("coordinator", "coord1")
    assert "没有等着办的事" in client.get(f"{AT}/today").text
    with app.app_context(), db.writing() as session:
        people = session.scalars(select(Applicant).order_by(Applicant.number)).all()
        people[0].state = "submitted"
        score = session.scalars(select(Score)).first()
        assert score is not None
        score.confirmed_at = None
        program = session.scalars(select(Program)).first()
        assert program is not None
        session.add(Membership(applicant_id=people[1].id, group="G16"))
        session.add(Decision(applicant_id=people[1].id, program_id=program.id, decision="approved",
                             rule="age", basis="x", entered_by="coordinator:coord9",
                             entered_at=people[0].created_at))  # fmt: skip
        session.add(SeatChange(program_id=program.id, before=1, after=2, reason="x", asked_by="e",
                               asked_at=people[0].created_at))  # fmt: skip
        session.query(Score).filter(Score.applicant_id == people[2].id).delete()
    page = text_of(client.get(f"{AT}/today").text)
    for title in ("资格等审核", "成绩等第二人确认", "人员类别等核验", "个案决定等第二人确认", "席位变更单等办理",
                  "通过审核，还没有成绩"):  # fmt: skip
        assert title in page, title
    assert "coord9" in page and "A03" in page and "A01" in page


def test_today_before_the_deadline(app: Flask, as_user: As) -> None:
    make(app, state="OPEN")
    with app.app_context(), db.writing() as session:
        who = session.scalars(select(Applicant).where(Applicant.number == "A04")).one()
        session.query(ChoiceList).filter_by(applicant_id=who.id).delete()
    page = as_user("coordinator", "coord1").get(f"{AT}/today").text
    assert "报了名，还没提交志愿" in page and "A04" in page and "A05" not in page


def test_today_while_the_plan_is_made(app: Flask, as_user: As) -> None:
    make(app, state="DRAFT")
    with app.app_context(), db.writing() as session:
        held = session.scalars(select(OrderClass).where(OrderClass.code == "NEV")).one()
        held.confirmed_at = None
        held.programs[0].confirmed_at = None
    page = text_of(as_user("coordinator", "coord1").get(f"{AT}/today").text)
    assert "班级等院校确认" in page and "席位等企业确认" in page and "第一技师学院" in page
    with app.app_context():
        assert not db.reading().query(Doubt).count()
