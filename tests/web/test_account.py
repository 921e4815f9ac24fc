"""Accounts without e-mail: registering, slips, recovery; and the counter that writes for people."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select

from tests.web import market
from tests.web.conftest import Clock
from tests.web.test_applicant import ME, one_database, save, submit
from web import db, people, slips
from web.audit import Actor
from web.models import Applicant, AuditEvent, AuditPayload, Person, Slip, User

Login = Callable[..., FlaskClient]
OFFICE = Actor("coordinator:c1", "coordinator")
FORM = {
    "round": "2026-1", "identity_type": "01", "number": market.number(date(2006, 3, 4)), "name": "张三",
    "password": market.PASSWORD, "again": market.PASSWORD,
}  # fmt: skip


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    market.make(app)
    return app.test_client()


def code_for(app: Flask, purpose: str = "activate") -> str:
    with app.app_context(), db.writing() as session:
        return slips.issue(session, session.scalars(select(Applicant)).one(), purpose, OFFICE)


def enrolled(app: Flask) -> None:
    with app.app_context(), db.writing() as session:
        round_ = session.scalars(select(market.Round)).one()
        people.enrol(session, round_, "01", str(FORM["number"]), "张三", actor=OFFICE)


# --- registering ------------------------------------------------------------------------------


def test_the_number_is_told_at_once_and_logs_in(app: Flask, client: FlaskClient) -> None:
    assert client.get("/account/done").headers["Location"].startswith("/login")
    page = client.post("/account/register", data=FORM, follow_redirects=True).text
    assert "2026200001" in page and "请记下来" in page
    again = app.test_client().post(
        "/login", data={"username": "2026200001", "password": market.PASSWORD}
    )
    assert again.status_code == 302
    with app.app_context():
        person = db.reading().scalars(select(Person)).one()
        assert person.verified_at is None


@pytest.mark.parametrize("path", ["register", "activate"])
def test_what_must_be_filled_in_is_marked(client: FlaskClient, path: str) -> None:
    page = client.get(f"/account/{path}").text
    labels = dict(re.findall(r'<label for="(\w+)">(.*?)</label>', page))
    for name in ("number", "name", "code", "password", "again"):
        assert name not in labels or "必填" in labels[name], name
    assert "必填" not in labels.get("birth_date", "")


def test_the_same_number_twice_discloses_nothing(app: Flask, client: FlaskClient) -> None:
    client.post("/account/register", data=FORM)
    page = app.test_client().post("/account/register", data={**FORM, "name": "李四"}).text
    assert "已有报名，到柜台核对。" in page
    assert "2026200001" not in page and "张三" not in page and "李四" in page
    with app.app_context():
        assert len(db.reading().scalars(select(User)).all()) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"number": "110105194912310021"}, "号码有一位不对"),
        ({"number": ""}, "请填写这一项"),
        ({"birth_date": "2006-03-05"}, "与证件号码里的出生日期不一致"),
        ({"password": "short", "again": "short"}, "密码至少 8 位"),
        ({"again": "another one"}, "两次输入的密码不一样"),
        ({"name": "张\u200b三"}, "第 2 个字符看不见"),
        ({"name": ""}, "请填写姓名"),
        ({"name": "张" * 51}, "姓名最多 50 个字"),
        ({"identity_type": "10", "number": "E1234567"}, "请填写出生日期"),
        (
            {"identity_type": "10", "number": "E1234567", "birth_date": "2027-01-01"},
            "不能在今天以后",
        ),
    ],
)
@one_database
def test_wrong_input_is_said_and_kept(
    app: Flask, client: FlaskClient, change: dict[str, str], said: str
) -> None:
    page = client.post("/account/register", data={**FORM, **change}).text
    assert said in page and "处要改，见红字" in page
    if change.get("name") != "":
        assert f'value="{change.get("name", "张三")}"' in page
    assert market.PASSWORD not in page
    with app.app_context():
        assert db.reading().scalars(select(Person)).all() == []


@one_database
def test_registering_is_for_open_rounds(app: Flask, client: FlaskClient, clock: Clock) -> None:
    clock.moment = market.DEADLINE
    assert "现在没有正在报名的轮次" in client.get("/account/register").text
    assert "现在没有正在报名的轮次" in client.post("/account/register", data=FORM).text


@one_database
def test_a_passport_registers(client: FlaskClient) -> None:
    foreign = {
        **FORM,
        "identity_type": "10",
        "number": "e1234567",
        "birth_date": "2004-02-29",
        "name": "Ann Lee",
    }
    assert client.post("/account/register", data=foreign).status_code == 302


# --- slips ------------------------------------------------------------------------------------


def activate(
    client: FlaskClient, code: str, number: str = "2026200001", password: str = "a new password"
) -> str:
    data = {"number": number, "code": code, "password": password, "again": password}
    return client.post("/account/activate", data=data, follow_redirects=True).text


def test_a_slip_opens_an_account_once(app: Flask, client: FlaskClient) -> None:
    enrolled(app)
    code = code_for(app)
    with app.app_context():
        held = db.reading().scalars(select(Slip)).one()
        assert code not in held.code_hash and slips.as_code(code) not in held.code_hash
    assert "账号已开通" in activate(client, f" {code.lower().replace('-', ' ')} ")
    login = {"username": "2026200001", "password": "a new password"}
    assert app.test_client().post("/login", data=login).status_code == 302
    assert "报名号或激活码不对" in activate(client, code)


def test_recovery_ends_sessions_and_is_seen_at_the_next_login(
    app: Flask, client: FlaskClient
) -> None:
    mine = market.register(app)
    assert mine.get("/me/").status_code == 200
    code = code_for(app, "recover")
    assert "账号已开通" in activate(client, code)
    assert mine.get("/me/").status_code == 302  # the old cookie is worth nothing
    again = app.test_client()
    again.post("/login", data={"username": "2026200001", "password": "a new password"})
    assert "密码已用激活单重设：2026-06-01 09:00" in again.get("/me/").text
    assert "密码已用激活单重设" in again.get("/me/").text  # reading writes nothing
    again.post("/me/notice")
    assert "密码已用激活单重设" not in again.get("/me/").text
    with app.app_context():
        assert "account.recover" in db.reading().scalars(select(AuditEvent.action)).all()


def test_a_new_slip_makes_the_old_one_worthless(app: Flask, client: FlaskClient) -> None:
    enrolled(app)
    old, new = code_for(app), code_for(app)
    assert "报名号或激活码不对" in activate(client, old)
    assert "账号已开通" in activate(client, new)


@one_database
def test_wrong_codes_slow_down_and_say_one_thing(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    enrolled(app)
    code = code_for(app)
    assert "报名号或激活码不对" in activate(client, code, number="2026299999")
    for _ in range(10):
        assert "报名号或激活码不对" in activate(client, "AAAAA-AAAAA")
    assert "输错次数太多" in activate(client, code)
    clock.forward(minutes=16)
    assert "账号已开通" in activate(client, code)


@one_database
def test_a_guardians_code_opens_no_account(app: Flask, client: FlaskClient) -> None:
    enrolled(app)
    assert "报名号或激活码不对" in activate(client, code_for(app, "guardian"))
    with app.app_context(), db.writing() as session, pytest.raises(ValueError, match="other"):
        slips.issue(session, session.scalars(select(Applicant)).one(), "other", OFFICE)


@one_database
def test_letters_of_a_number_may_be_typed_either_way(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), db.writing() as session:
        round_ = session.scalars(select(market.Round)).one()
        people.enrol(
            session, round_, "10", "E1234567", "Ann", actor=OFFICE, application_number="A0001"
        )
    assert "账号已开通" in activate(client, code_for(app), number="a0001")
    login = {"username": "A0001", "password": "a new password"}
    assert client.post("/login", data=login).status_code == 302


@one_database
def test_two_people_of_one_number_get_two_names(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), db.writing() as session:
        round_ = session.scalars(select(market.Round)).one()
        people.enrol(
            session, round_, "10", "E1234567", "Ann", actor=OFFICE, application_number="A1"
        )
        session.add(
            User(username="a1", fs_uniquifier="x", created_at=market.OPENS),
        )
    assert "a1-2026-1" in activate(client, code_for(app), number="A1")
    login = {"username": "A1-2026-1", "password": "a new password"}
    assert client.post("/login", data=login).status_code == 302


# --- the counter ------------------------------------------------------------------------------

NEW = {
    "round": "2026-1",
    "identity_type": "01",
    "number": FORM["number"],
    "name": "张三",
    "seen": "y",
}


def begin(app: Flask, office: FlaskClient) -> str:
    answer = office.post("/account/assist/", data=NEW)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"].split("/")[3]


def test_an_office_writes_and_she_signs(app: Flask, client: FlaskClient, as_user: Login) -> None:
    office = as_user("district", district="371002")
    assert "请先核对证件" in office.post("/account/assist/", data={**NEW, "seen": ""}).text
    key = begin(app, office)
    at = f"/account/assist/{key}"
    assert "代报名：张三" in re.sub("<[^>]+>", "", office.get(f"{at}/step/identity").text)
    market.fill(office, at, identity={"name": "张三"})
    office.post(f"{at}/list/add", data={"code": "K1"})
    assert "请填本人激活码" in submit(office, ["K1"], at=at).text
    printed = office.post(f"{at}/entry.pdf")
    text = "".join(p.extract_text() for p in PdfReader(io.BytesIO(printed.data)).pages)
    assert "张三" in text and "K1 模具制造订单班" in text
    answer = submit(office, ["K1"], at=at, signed_print="P-2026-7")
    assert answer.headers["Location"] == f"{at}/receipt/1"
    assert "print:P-2026-7" in office.get(f"{at}/receipt/1").text
    assert "print:P-2026-7" in office.get("/account/assist/").text
    with app.app_context():
        mine = db.reading().scalars(select(Applicant)).one()
        assert (mine.entered_by, mine.entry_confirmed) == ("district:district1", "print:P-2026-7")
    activate(client, code_for(app))
    client.post("/login", data={"username": "2026200001", "password": "a new password"})
    assert "区市 district1" in client.get("/me/").text
    assert "已由本人确认（print:P-2026-7）" in client.get("/me/").text


@one_database
def test_her_own_code_confirms_and_still_opens_her_account(
    app: Flask, client: FlaskClient, as_user: Login
) -> None:
    office = as_user("coordinator")
    at = f"/account/assist/{begin(app, office)}"
    market.fill(office, at, identity={"name": "张三"})
    code = code_for(app)
    assert submit(office, ["K1"], at=at, own_code=code).status_code == 302
    assert "账号已开通" in activate(client, code)


@one_database
def test_she_confirms_in_her_own_account(app: Flask, client: FlaskClient, as_user: Login) -> None:
    office = as_user("college")
    at = f"/account/assist/{begin(app, office)}"
    market.fill(office, at, identity={"name": "张三"})
    activate(client, code_for(app))
    client.post("/login", data={"username": "2026200001", "password": "a new password"})
    assert "有人代您填写" in client.get("/me/").text
    client.post(f"{ME}/confirm-entry")
    assert "已由本人确认（code）" in client.get("/me/").text


@one_database
def test_submitting_confirms_what_an_office_began(
    app: Flask, client: FlaskClient, as_user: Login
) -> None:
    office = as_user("college")
    at = f"/account/assist/{begin(app, office)}"
    market.fill(office, at, identity={"name": "张三"})
    activate(client, code_for(app))
    client.post("/login", data={"username": "2026200001", "password": "a new password"})
    save(client, ["K1"])
    submit(client, ["K1"], signed_print="P-1")  # a field that is not hers
    with app.app_context():
        assert db.reading().scalars(select(Applicant)).one().entry_confirmed == "code"


@one_database
def test_a_minors_paper_is_recorded_at_the_counter(
    app: Flask, client: FlaskClient, as_user: Login
) -> None:
    office = as_user("college")
    sent = {**NEW, "number": market.number(date(2010, 5, 5))}
    at = (
        office.post("/account/assist/", data=sent)
        .headers["Location"]
        .removesuffix("/step/identity")
    )
    guardian = {
        "name": "张三",
        "guardian": "李梅",
        "guardian_relation": "母亲",
        "guardian_telephone": "13700000000",
    }
    market.fill(office, at, identity=guardian, consents={"minor": "y"})
    assert (
        submit(office, ["K1"], at=at, signed_print="P-8", guardian_paper="G-8").status_code == 302
    )
    with app.app_context():
        assert db.reading().scalars(select(Applicant)).one().guardian_agreed_how == "paper:G-8"


@one_database
def test_another_office_does_not_see_it(app: Flask, client: FlaskClient, as_user: Login) -> None:
    at = f"/account/assist/{begin(app, as_user('college'))}"
    assert as_user("college", "other").get(f"{at}/list").status_code == 404
    assert as_user("district").get(f"{at}/list").status_code == 404
    assert as_user("coordinator").get(f"{at}/list").status_code == 200
    assert as_user("enterprise").get(f"{at}/list").status_code == 403


@one_database
def test_an_office_does_not_see_who_registered_herself(
    app: Flask, client: FlaskClient, as_user: Login
) -> None:
    market.register(app)
    with app.app_context():
        key = db.reading().scalars(select(Applicant.key)).one()
    assert as_user("coordinator").get(f"/account/assist/{key}/list").status_code == 404


@one_database
def test_who_is_enrolled_gets_a_new_slip_instead(
    app: Flask, client: FlaskClient, as_user: Login
) -> None:
    office = as_user("college")
    begin(app, office)
    assert "这个号码已在本轮报名" in office.post("/account/assist/", data=NEW).text


def test_other_facts_need_a_coordinator(app: Flask, client: FlaskClient, as_user: Login) -> None:
    with app.app_context(), db.writing() as session:
        first = session.scalars(select(market.Round)).one()
        other = market.Round(
            serial="2025-9", title="旧", year=2025, state="FINAL", created_at=market.OPENS
        )
        session.add(other)
        session.flush()
        people.enrol(session, other, "01", str(FORM["number"]), "王五", actor=OFFICE)
        assert first.id != other.id
    assert "号码已登记为另一姓名" in as_user("college").post("/account/assist/", data=NEW).text


@one_database
def test_the_counter_closes_with_the_round(
    app: Flask, client: FlaskClient, as_user: Login, clock: Clock
) -> None:
    office = as_user("college")
    clock.moment = market.DEADLINE
    assert "现在没有正在报名的轮次" in office.post("/account/assist/", data=NEW).text


# --- printing slips ---------------------------------------------------------------------------


def codes_in(document: bytes) -> list[str]:
    text = "".join(p.extract_text() for p in PdfReader(io.BytesIO(document)).pages)
    return re.findall(r"[0-9A-Z]{5}-[0-9A-Z]{5}", text)


@one_database
def test_a_slip_for_one_whose_document_was_seen(
    app: Flask, client: FlaskClient, as_user: Login
) -> None:
    enrolled(app)
    office = as_user("district")
    sent = {"number": "2026200001", "name": "张三", "purpose": "recover", "seen": "y"}
    for wrong, said in [
        ({"seen": ""}, "请先核对证件"),
        ({"name": "李四"}, "对不上"),
        ({"number": "1"}, "对不上"),
    ]:
        page = office.post(
            "/account/assist/slip", data={**sent, **wrong}, follow_redirects=True
        ).text
        assert said in page
    [code] = codes_in(office.post("/account/assist/slip", data=sent).data)
    assert "账号已开通" in activate(client, code)
    with app.app_context():
        events = db.reading().scalars(select(AuditEvent)).all()
        assert ("slip.issue", "district:district1") in [(e.action, e.actor) for e in events]
        said = str([p.payload for p in db.reading().scalars(select(AuditPayload))])
        assert code not in said


def test_slips_for_a_whole_round(app: Flask, client: FlaskClient, as_user: Login) -> None:
    enrolled(app)
    office = as_user("coordinator")
    [code] = codes_in(office.post("/account/assist/slips", data={"round": "2026-1"}).data)
    activate(client, code)
    page = office.post(
        "/account/assist/slips", data={"round": "2026-1"}, follow_redirects=True
    ).text
    assert "本轮每个人都已有账号" in page
    assert (
        as_user("college").post("/account/assist/slips", data={"round": "2026-1"}).status_code
        == 404
    )


@one_database
def test_a_name_that_the_font_lacks_stops_the_slips(
    app: Flask, client: FlaskClient, as_user: Login
) -> None:
    enrolled(app)
    with app.app_context(), db.writing() as session:
        session.scalars(select(Person)).one().name = "张𠮷"
    office = as_user("coordinator")
    page = office.post(
        "/account/assist/slips", data={"round": "2026-1"}, follow_redirects=True
    ).text
    assert "打印字库没有“𠮷”" in page
    with app.app_context():
        assert db.reading().scalars(select(Slip)).all() == []


@one_database
def test_pages_of_accounts_in_english(app: Flask, client: FlaskClient, as_user: Login) -> None:
    office = as_user("coordinator")
    for who, paths in ((client, ("register", "activate")), (office, ("assist/",))):
        who.set_cookie("lang", "en")
        for path in paths:
            page = who.get(f"/account/{path}").text.split("<main", 1)[1].split("</main")[0]
            assert re.findall(r"[\u4e00-\u9fff]+", page.replace("2026 年秋季第一轮", "")) == [], (
                path
            )
