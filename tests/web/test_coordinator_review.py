"""Review work: applicants masked and filtered, conclusions, single cases, doubts, scores, settings, users."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.web.a_round import SERIAL, small_round
from web import db, people
from web.models import Applicant, Decision, Doubt, OrderClass, Program, Review, Round, Score, User

As = Callable[..., FlaskClient]
AT = f"/coordinator/rounds/{SERIAL}"


@pytest.fixture(autouse=True)
def under_review(app: Flask) -> None:
    with app.app_context(), db.writing() as session:
        small_round(session)


@pytest.fixture
def first(as_user: As) -> FlaskClient:
    return as_user("coordinator", "coord1")


@pytest.fixture
def second(as_user: As) -> FlaskClient:
    return as_user("coordinator", "coord2")


def applicant(app: Flask, number: str = "A01") -> Applicant:
    with app.app_context():
        query = select(Applicant).where(Applicant.number == number)
        return db.reading().scalars(query).one()


def set_applicant(app: Flask, number: str, **values: object) -> None:
    with app.app_context(), db.writing() as session:
        held = session.scalars(select(Applicant).where(Applicant.number == number)).one()
        for name, value in values.items():
            setattr(held, name, value)


# --- applicants -------------------------------------------------------------------------------


def test_applicants_are_masked_paged_and_filtered(app: Flask, first: FlaskClient) -> None:
    set_applicant(app, "A03", state="submitted")
    page = first.get(f"{AT}/applicants").text
    assert "12 人" in page and "张*" in page and "张伟" not in page and "371099" not in page
    for query, numbers in {
        "q=A03": {"A03"}, "q=李娜": {"A03"}, "q=李": set(), "state=submitted": {"A03"},
        "state=failed": set(), "page=9": {"A01", "A03", "A05"}, "district=370102&state=submitted": {"A03"},
    }.items():  # fmt: skip
        page = first.get(f"{AT}/applicants?{query}").text
        assert {n for n in ("A01", "A03", "A05") if f">{n}</a>" in page} == numbers, query
    group = "G05"
    with app.app_context():
        members = {
            a.number
            for a in db.reading().scalars(select(Applicant))
            if group in [m.group for m in a.groups]
        }
    page = first.get(f"{AT}/applicants?group={group}").text
    assert {a for a in members if f">{a}</a>" in page} == members


def test_an_applicant_s_page_tells_no_number(app: Flask, first: FlaskClient) -> None:
    held = applicant(app)
    with app.app_context(), db.writing() as session:
        person = session.get_one(Applicant, held.id).person
        number, telephone = people.number_of(person), people.telephone_of(person)
    page = first.get(f"{AT}/applicants/{held.key}").text
    assert "3710**********" in page and number not in page and telephone not in page
    assert first.get(f"{AT}/applicants/none").status_code == 404
    with app.app_context(), db.writing() as session:
        small_round(session, serial="2026-2", people=0)
    assert first.get(f"/coordinator/rounds/2026-2/applicants/{held.key}").status_code == 404


def test_a_conclusion_and_its_correction_by_two(
    app: Flask, first: FlaskClient, second: FlaskClient
) -> None:
    set_applicant(app, "A01", state="submitted", review="")
    held = applicant(app)
    url = f"{AT}/applicants/{held.key}/review"
    form = {"conclusion": "failed", "code": "", "reason": "", "version": str(held.version)}
    page = first.post(url, data=form).text
    assert "请选不通过的原因" in page and "请写明原因" in page
    form |= {"code": "documents", "reason": "缺毕业证"}
    for version in ("0", "x", "²", "9" * 40):
        page = first.post(url, data=form | {"version": version}).text
        assert "您打开之后别人改过" in page and "缺毕业证" in page
    assert first.post(url, data=form).status_code == 302
    assert (applicant(app).state, applicant(app).review) == ("failed", "documents")
    form = {
        "conclusion": "passed",
        "code": "",
        "version": str(applicant(app).version),
        "reason": "",
    }
    assert "更改结论要写明理由" in first.post(url, data=form).text
    first.post(url, data=form | {"reason": "已补交"})
    assert applicant(app).state == "submitted"
    confirm = {"version": str(applicant(app).version)}
    first.post(f"{url}/confirm", data=confirm)
    assert applicant(app).state == "submitted"
    assert "确认更改后的结论" in second.get(f"{AT}/applicants/{held.key}").text
    second.post(f"{url}/confirm", data={"version": "0"})
    assert applicant(app).state == "submitted"
    second.post(f"{url}/confirm", data=confirm)
    assert (applicant(app).state, applicant(app).review) == ("passed", "passed")
    with app.app_context():
        assert db.reading().query(Review).count() == 2
    assert "结论" in first.post(url, data={"conclusion": "else", "version": "1"}).text
    set_applicant(app, "A02", state="withdrawn")
    gone = applicant(app, "A02")
    page = first.post(f"{AT}/applicants/{gone.key}/review", data=form | {"version": gone.version})
    assert "不用审核" in page.text


def test_a_single_case_counts_once_another_confirms(
    app: Flask, first: FlaskClient, second: FlaskClient
) -> None:
    with app.app_context(), db.writing() as session:
        session.query(Decision).delete()
        program = session.scalars(select(Program).order_by(Program.code)).first()
        assert program is not None
        code = program.code
    held = applicant(app)
    url = f"{AT}/applicants/{held.key}/cases"
    form = {"program": code, "rule": "age", "basis": "会议纪要1号"}
    page = first.post(url, data=form | {"program": "没有"}).text
    assert "没有这个席位代码" in page and "会议纪要1号" in page
    assert 'class="problem"' in first.post(url, data=form | {"basis": ""}).text
    assert first.post(url, data=form).status_code == 302
    assert "这一条已经录入过" in first.post(url, data=form).text
    decision = the_decision(app)
    settle = f"{AT}/decisions/{decision.id}"
    first.post(settle, data={"act": "confirm"})
    assert the_decision(app).confirmed_at is None
    assert "1 条个案决定还没有第二人确认" in first.get(f"{AT}/").text
    second.post(settle, data={"act": "confirm"})
    assert the_decision(app).confirmed_by == "coordinator:coord2"
    second.post(settle, data={"act": "drop"})
    assert the_decision(app).confirmed_at is not None
    first.post(url, data=form | {"rule": "education"})
    with app.app_context():
        new = db.reading().scalars(select(Decision).where(Decision.rule == "education")).one()
    assert first.post(f"{AT}/decisions/{new.id}", data={"act": "drop"}).status_code == 302
    assert the_decision(app).rule == "age"
    assert first.post(f"{AT}/decisions/{new.id}", data={"act": "drop"}).status_code == 404
    assert first.post(settle, data={"act": "else"}).status_code == 400


def the_decision(app: Flask) -> Decision:
    with app.app_context():
        return db.reading().scalars(select(Decision)).one()


def test_no_single_case_where_rules_or_state_forbid_it(app: Flask, first: FlaskClient) -> None:
    held = applicant(app)
    with app.app_context(), db.writing() as session:
        session.query(Decision).delete()
        round_ = session.scalars(select(Round)).one()
        assert round_.policy is not None
        round_.policy.toml = round_.policy.toml.replace(
            "case_by_case = true", "case_by_case = false"
        )
        if "case_by_case" not in round_.policy.toml:
            round_.policy.toml += "\n[age]\ncase_by_case = false\n"
        code = session.scalars(select(Program.code)).first()
    assert "不允许个案放宽" in first.get(f"{AT}/applicants/{held.key}").text
    first.post(
        f"{AT}/applicants/{held.key}/cases", data={"program": code, "rule": "age", "basis": "x"}
    )
    with app.app_context():
        assert not db.reading().query(Decision).count()


# --- doubts -----------------------------------------------------------------------------------


def test_doubts_are_found_explained_and_confirmed(
    app: Flask, first: FlaskClient, second: FlaskClient
) -> None:
    with app.app_context(), db.writing() as session:
        held = session.scalars(select(OrderClass).where(OrderClass.code == "NEV")).one()
        held.programs[0].capacity = 500
        session.query(Score).update({"culture": "80"})
    assert "没有去年的轮次可比" in first.get(f"{AT}/doubts").text
    first.post(f"{AT}/doubts")
    with app.app_context():
        doubt = db.reading().scalars(select(Doubt).where(Doubt.subject == "NEV")).one()
    url = f"{AT}/doubts/{doubt.id}"
    page = first.post(url, data={"act": "explain", "explained": "对"}).text
    assert "请用 4 到 500 字" in page and ">对</textarea>" in page
    assert "个可疑数字还没有说明和确认" in first.get(f"{AT}/").text
    first.post(url, data={"act": "explain", "explained": "企业扩产，已核对"})
    first.post(url, data={"act": "confirm", "seen": "企业扩产，已核对"})
    second.post(url, data={"act": "confirm", "seen": "别的说明"})
    assert the_doubt(app, doubt.id).confirmed_at is None
    second.post(url, data={"act": "confirm", "seen": "企业扩产，已核对"})
    assert the_doubt(app, doubt.id).confirmed_by == "coordinator:coord2"
    assert first.post(f"{AT}/doubts/9999", data={"act": "confirm"}).status_code == 404
    with app.app_context(), db.writing() as session:
        session.scalars(select(Round)).one().state = "FROZEN"
    first.post(f"{AT}/doubts")
    first.post(url, data={"act": "explain", "explained": "以后再写"})
    assert the_doubt(app, doubt.id).explained == "企业扩产，已核对"


def the_doubt(app: Flask, number: int) -> Doubt:
    with app.app_context():
        return db.reading().get_one(Doubt, number)


# --- scores -----------------------------------------------------------------------------------


def test_a_coordinator_stands_in_for_an_office_of_one(app: Flask, first: FlaskClient) -> None:
    with app.app_context(), db.writing() as session:
        score = session.scalars(
            select(Score).where(Score.channel == "W").order_by(Score.id)
        ).first()  # fmt: skip
        assert score is not None
        score.confirmed_at, score.confirmed_by, number = None, "", score.id
        score.entered_by, score.office = "college:u", "U1"
    page = first.get(f"{AT}/scores").text
    digest = page.split('name="digest" value="')[1].split('"')[0]
    form = {"office": "U1", "target": "W", "digest": digest}
    first.post(f"{AT}/scores", data=form | {"digest": "old"})
    with app.app_context():
        assert db.reading().get_one(Score, number).confirmed_at is None
    first.post(f"{AT}/scores", data=form)
    with app.app_context():
        assert db.reading().get_one(Score, number).confirmed_by == "coordinator:coord1"
    assert first.post(f"{AT}/scores", data=form | {"target": "none"}).status_code == 404


# --- settings and users -----------------------------------------------------------------------


def test_settings_are_saved_and_a_stale_form_says_so(app: Flask, first: FlaskClient) -> None:
    page = first.get("/coordinator/settings").text
    mark = page.split('name="version" type="hidden" value="')[1].split('"')[0]
    form = {"organiser": "市局", "icp": "", "police": "", "hotline": "12333", "privacy": "",
            "version": mark}  # fmt: skip
    assert page.count("未填写") >= 5
    assert "填网址" in first.post("/coordinator/settings", data=form | {"privacy": "http://x"}).text
    first.post("/coordinator/settings", data=form)
    page = first.get("/coordinator/settings").text
    assert "市局" in page and "12333" in page
    page = first.post("/coordinator/settings", data=form | {"organiser": "省厅"}).text
    assert "别人改过" in page and 'value="省厅"' in page and "主办单位：市局" in page
    mark = page.split('name="version" type="hidden" value="')[1].split('"')[0]
    first.post("/coordinator/settings", data=form | {"organiser": "省厅", "version": mark})
    assert "主办单位：省厅" in first.get("/").text.replace("\n", "")


def test_accounts_of_offices_are_made_reset_and_closed(app: Flask, first: FlaskClient) -> None:
    with app.app_context():
        college = db.reading().scalars(select(OrderClass)).first()
        assert college is not None
        number = str(college.college_id)
    form = {"username": "YuanA", "name": "王老师", "role": "college", "college": "", "enterprise": "",
            "district": ""}  # fmt: skip
    assert "请选择所属单位" in first.post("/coordinator/users", data=form).text
    assert (
        'class="problem"' in first.post("/coordinator/users", data=form | {"username": "院"}).text
    )
    page = first.post("/coordinator/users", data=form | {"college": number}).text
    password = page.split("<code>")[2].split("</code>")[0]
    assert "密码单" in page and is_in(login(app, "yuana", password))
    assert "已有这个账号" in first.post("/coordinator/users", data=form | {"college": number}).text
    user = login(app, "yuana", password)
    assert is_in(user)
    page = first.post("/coordinator/users/yuana", data={"act": "reset"}).text
    anew = page.split("<code>")[2].split("</code>")[0]
    assert anew != password and not is_in(user)  # its cookie died
    first.post("/coordinator/users/yuana", data={"act": "close"})
    assert not the_user(app).active
    first.post("/coordinator/users/yuana", data={"act": "open"})
    assert the_user(app).active and "柜台重置" in the_user(app).notice
    assert "yuana" in first.get("/coordinator/users").text
    assert first.post("/coordinator/users/coord1", data={"act": "reset"}).status_code == 404
    assert first.post("/coordinator/users/yuana", data={"act": "else"}).status_code == 400
    for role, scope in (("bureau", {}), ("district", {"district": "371002"})):
        made = form | {"username": f"{role}1", "role": role} | scope
        assert "密码单" in first.post("/coordinator/users", data=made).text


def the_user(app: Flask) -> User:
    with app.app_context():
        return db.reading().scalars(select(User).where(User.username == "yuana")).one()


def login(app: Flask, username: str, password: str) -> FlaskClient:
    client = app.test_client()
    client.post("/login", data={"username": username, "password": password})
    return client


def is_in(client: FlaskClient) -> bool:
    return "/login" not in client.get("/college/").headers.get("Location", "")


def test_a_coordinator_makes_no_coordinator(app: Flask, first: FlaskClient) -> None:
    form = {"username": "coord3", "name": "x", "role": "coordinator", "college": "",
            "enterprise": "", "district": ""}  # fmt: skip
    assert 'class="problem"' in first.post("/coordinator/users", data=form).text
    with app.app_context():
        assert db.reading().scalar(select(User).where(User.username == "coord3")) is None
