"""Answering on the phone and at the counter, as each reads it: applicants, colleges, coordinators."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web.a_round import CONFIRMING, FIRST, SECOND, SERIAL, standing
from tests.web.conftest import PASSWORD, Clock
from tests.web.test_result import as_applicant, said
from web import answers, auth, calendar, db, offers, people, publication, rounds, slips, today
from web.audit import Actor
from web.models import (
    Applicant,
    AuditEvent,
    College,
    Contact,
    Enterprise,
    Offer,
    OrderClass,
    Program,
    Round,
    Ruling,
)

ME = f"/me/{SERIAL}"
COLLEGE = f"/college/{SERIAL}"
COORDINATOR = f"/coordinator/rounds/{SERIAL}"
HERSELF = Actor("applicant:x", "applicant")
WAITING = Offer.applicant.has(Applicant.number == "A04")
"""Her second choice is offered; her first is full, so that waiting may bring it."""


@pytest.fixture
def clock() -> Clock:
    made = Clock()
    made.moment = CONFIRMING
    return made


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    made = standing(tmp_path, "confirming", clock)
    yield made
    made.extensions["orderclass_engine"].dispose()


@pytest.fixture
def office(app: Flask) -> Callable[..., FlaskClient]:
    """``office("college", "U1")``: somebody of an office, logged in."""

    def login(role: str, code: str = "") -> FlaskClient:
        scope: dict[str, Any] = {}
        name = f"{role}{code}".lower()
        with app.app_context(), db.writing() as session:
            for model, column in ((College, "college_id"), (Enterprise, "enterprise_id")):
                if code and column.startswith(role):
                    scope[column] = session.scalars(
                        select(model.id).where(model.code == code)
                    ).one()
            auth.create_user(session, name, PASSWORD, role, **scope)
        client = app.test_client()
        client.post("/login", data={"username": name, "password": PASSWORD})
        return client

    return login


def change(app: Flask, act: Callable[[Session], Any]) -> Any:
    with app.app_context(), db.writing() as session:
        return act(session)


def found(app: Flask, *which: Any) -> Offer:
    """An offer with what belongs to it."""
    with app.app_context():
        query = select(Offer).join(Program).join(OrderClass).where(*which).order_by(Offer.id)
        one = db.reading().scalars(query).first()
        assert one is not None
        _ = one.applicant.person.name, one.program.order_class.college.code, one.round.serial
        _ = one.program.enterprise.code
        return one


def at_college(app: Flask, code: str) -> Offer:
    with app.app_context():
        college = db.reading().scalars(select(College.id).where(College.code == code)).one()
    return found(app, OrderClass.college_id == college)


def accept(client: FlaskClient, offer: Offer, answer: str = "accepted", **more: Any) -> Any:
    form = {"answer": answer, "version": offer.version, **more}
    return client.post(f"{ME}/offers/{offer.key}/accept", data=form)


def follow(client: FlaskClient, answer: Any) -> str:
    assert answer.status_code == 302
    return said(client.get(answer.headers["Location"]).text)


# --- applicants -------------------------------------------------------------------------------


def test_she_is_asked_and_told_what_each_answer_means(app: Flask) -> None:
    one = found(app, WAITING)
    client = as_applicant(app, one.applicant.number)
    home = said(client.get("/me/").text)
    assert (
        "请在 2026-06-13 00:00 前答复录取。" in home and "去答复" in home and "确认：待答复" in home
    )
    page = client.get(f"{ME}/offers").text
    for part in (
        one.program.order_class.name, "逾期未答复视为放弃", "2026-06-13 00:00", "还剩 3 天",
        "席位归您，等着签协议。", "更靠前的志愿有空位，会问您。", "席位让给别人，不能反悔。",
    ):  # fmt: skip
        assert part in said(page), part
    assert re.findall(r"<button[^>]*>([^<]+)<", page.split("<main")[1]) == [
        "接受", "接受并候补", "放弃录取",
    ]  # fmt: skip
    receipt = follow(client, accept(client, one, "waiting"))
    for part in (
        "答复已收到",
        "已确认并候补",
        one.applicant.number,
        "2026-06-09 09:00",
        "本人在网上",
    ):
        assert part in receipt, part
    page = said(client.get(f"{ME}/offers").text)
    assert "您的答复：" in page and "截止前可以改答复。" in page
    home = said(client.get("/me/").text)
    assert "您的录取：已确认并候补。" in home and "确认：已确认并候补" in home
    assert 'aria-current="step">签约' in client.get("/me/").text


def test_a_first_choice_waits_for_nothing(app: Flask) -> None:
    one = found(app, Offer.rank == 1)
    page = as_applicant(app, one.applicant.number).get(f"{ME}/offers").text
    assert "这是第一志愿，不用候补。" in page and 'value="waiting"' not in page


IDLE = "更靠前的志愿都已停开或不合条件，不用候补。"
BETTER = {
    "nothing better": ([], False),
    "barred": ([("barred_age", 1)], False),
    "closed": ([("class_closed", 1)], False),
    "full": ([("below_score", 1), ("class_closed", 1)], True),
    "a cap": ([("cap_score", 1)], True),
    "only a worse one": ([("below_score", 3)], False),
}


@pytest.mark.parametrize("about", BETTER)
def test_who_can_reach_nothing_better_is_not_asked_to_wait(app: Flask, about: str) -> None:
    """Her reasons say what stands between her and each better choice; no free seat changes a rule."""
    reasons, worth = BETTER[about]
    one = with_reasons(app, 2, [(code, {"rank": rank}) for code, rank in reasons])
    client = as_applicant(app, one.applicant.number)
    page = client.get(f"{ME}/offers").text
    assert ('value="waiting"' in page, IDLE in page) == (worth, not worth)
    answer = follow(client, accept(client, one, "waiting"))
    assert (IDLE in answer) == (not worth)
    assert found(app, Offer.id == one.id).state == ("waiting" if worth else "open")


@pytest.mark.parametrize(
    ("code", "numbers", "worth"),
    [
        ("tail_passed", {"considered": 2}, True),
        ("tail_exhausted", {"considered": 2, "full": 0, "cap": 0, "closed": 2}, False),
        ("tail_exhausted", {"considered": 2, "full": 1, "cap": 0, "closed": 1}, True),
        ("no_consent", {}, False),
    ],
)
def test_who_was_adjusted_waits_for_seats_before_hers(
    app: Flask, code: str, numbers: dict[str, int], worth: bool
) -> None:
    one = with_reasons(app, 0, [("barred_age", {"rank": 1}), (code, numbers)])
    page = as_applicant(app, one.applicant.number).get(f"{ME}/offers").text
    assert ('value="waiting"' in page) == worth


def test_a_class_that_was_closed_since_is_not_waited_for(app: Flask) -> None:
    one = with_reasons(app, 2, [("below_score", {"rank": 1})])
    with app.app_context(), db.writing() as session:
        better = session.scalars(select(Program).order_by(Program.id)).first()
        assert better is not None
        session.add(
            Ruling(order_class_id=better.order_class_id, kind="close", confirmed_people=0, reason="",
                   asked_by="c1", asked_at=db.now(session), confirmed_by="c2",
                   confirmed_at=db.now(session))
        )  # fmt: skip
    assert IDLE in as_applicant(app, one.applicant.number).get(f"{ME}/offers").text


def with_reasons(app: Flask, rank: int, reasons: list[tuple[str, dict[str, int]]]) -> Offer:
    """Somebody's offer, at that choice, and why she did not get any better one."""
    with app.app_context(), db.writing() as session:
        offer = session.scalars(
            select(Offer).where(Offer.state == "open").order_by(Offer.id)
        ).first()
        assert offer is not None
        offer.rank = rank
        placement = publication.placement_of(session, offer.applicant)
        assert placement is not None
        other = session.scalars(select(Program.code).order_by(Program.id)).first()
        placement.reasons = {
            "outcome": placement.reasons["outcome"],
            "reasons": [{"code": code, "program": other, "numbers": n} for code, n in reasons],
        }
        id_ = offer.id
    return found(app, Offer.id == id_)


def test_a_counter_offers_no_idle_waiting(app: Flask, office: Callable[..., FlaskClient]) -> None:
    one = with_reasons(app, 2, [("class_closed", {"rank": 1})])
    client = office("college", one.program.order_class.college.code)
    path = f"{COLLEGE}/offers/{one.key}"
    page = client.get(path).text
    assert IDLE in page and 'value="waiting"' not in page and 'value="declined"' in page
    form = {"answer": "waiting", "identity_seen": "y", "paper": "Z1", "version": one.version}
    assert IDLE in client.post(f"{path}/answer", data=form).text
    assert found(app, Offer.id == one.id).state == "open"


def test_what_declining_ends_is_said_before(app: Flask) -> None:
    one = found(app)
    client = as_applicant(app, one.applicant.number)
    assert "放弃或逾期，本轮不再递补您。" in client.get(f"{ME}/offers").text
    assert "有空位也不再叫您：本轮不再递补。" in client.get(f"{ME}/offers/{one.key}/decline").text
    with app.app_context(), db.writing() as session:
        session.scalars(select(Round)).one().waiting_ended_at = db.now(session)
    assert "本轮不再递补" not in client.get(f"{ME}/offers/{one.key}/decline").text


def test_declining_is_asked_twice(app: Flask) -> None:
    one = found(app)
    client = as_applicant(app, one.applicant.number)
    path = f"{ME}/offers/{one.key}/decline"
    page = said(client.get(path).text)
    assert "真的放弃吗？" in page and "本轮您就没有录取了。" in page and "放弃后不能恢复。" in page
    answer = client.post(path, data={"version": one.version})
    assert answer.status_code == 200 and "请先勾选" in answer.text
    assert found(app, Offer.id == one.id).state == "open"
    receipt = follow(client, client.post(path, data={"version": one.version, "sure": "1"}))
    assert "已放弃" in receipt and "截止前可以改" not in receipt
    assert "不能答复" in client.get(path).text
    page = follow(client, accept(client, found(app, Offer.id == one.id)))
    assert "这个录取已结束：已放弃。" in page and "现在没有要答复的录取。" in page
    assert "确认：已放弃" in said(client.get("/me/").text)
    assert follow(client, client.post(path, data={"version": 1, "sure": "1"})) == receipt


def test_pressing_twice_gives_the_same_receipt(app: Flask) -> None:
    one = found(app)
    client = as_applicant(app, one.applicant.number)
    first, second = accept(client, one), accept(client, one)
    assert first.headers["Location"] == second.headers["Location"]
    assert follow(client, first) == follow(client, second)
    page = follow(client, client.post(
        f"{ME}/offers/{one.key}/decline", data={"version": one.version, "sure": "1"}
    ))  # fmt: skip
    assert "刚才已有别的答复" in page and found(app, Offer.id == one.id).state == "accepted"


def test_what_is_not_an_answer_is_refused(app: Flask) -> None:
    one = found(app)
    client = as_applicant(app, one.applicant.number)
    assert accept(client, one, "moved").status_code == 400
    assert client.get(f"{ME}/offers/{one.key}/receipt").status_code == 404
    for version in ("x", "-1", "9" * 5000):
        assert "刚才已有别的答复" in follow(client, accept(client, one, version=version))


def test_after_the_deadline_and_while_suspended_nothing_is_taken(app: Flask, clock: Clock) -> None:
    one = found(app)
    client = as_applicant(app, one.applicant.number)
    change(
        app, lambda s: rounds.suspend(s, s.scalars(select(Round)).one(), FIRST, SECOND, "核查中")
    )
    page = said(client.get(f"{ME}/offers").text)
    assert "核查中" in page and "答复期限停止计时" in page and "席位归您" not in page
    assert "本轮暂停，现在不能答复。" in follow(client, accept(client, one))
    assert "现在不能答复" in client.get(f"{ME}/offers/{one.key}/decline").text
    change(app, lambda s: rounds.resume(s, s.scalars(select(Round)).one(), FIRST, SECOND, "好"))
    clock.moment = one.due_at
    assert "答复期限已过。" in said(client.get(f"{ME}/offers").text)
    assert "没有收下" in follow(client, accept(client, one))
    change(app, answers.silence)
    assert "逾期未确认" in said(client.get(f"{ME}/offers").text)
    assert "您的录取：逾期未确认。" in said(client.get("/me/").text)
    assert client.get(f"{ME}/offers/{one.key}/receipt").status_code == 404


def test_a_minor_needs_her_guardians_code(app: Flask) -> None:
    one = found(app)

    def younger(session: Session) -> str:
        mine = session.get_one(Applicant, one.applicant_id)
        mine.person.birth_date = calendar.local(CONFIRMING).date().replace(year=2009)
        return slips.issue(session, mine, "guardian", FIRST)

    code = change(app, younger)
    client = as_applicant(app, one.applicant.number)
    assert client.get(f"{ME}/offers").text.count('name="guardian_code"') == 1
    assert 'name="guardian_code"' in client.get(f"{ME}/offers/{one.key}/decline").text
    assert "监护人码不对" in follow(client, accept(client, one, guardian_code="12345-67890"))
    assert "用监护人码同意" in follow(client, accept(client, one, guardian_code=code))
    assert found(app, Offer.id == one.id).guardian_how == "code"


def test_a_better_place_is_answered_beside_the_one_held(app: Flask) -> None:
    one = found(app)

    def offer_more(session: Session) -> str:
        old = session.get_one(Offer, one.id)
        answers.accept(session, old, HERSELF, wait=True)
        other = session.scalars(
            select(Program)
            .where(Program.order_class_id != old.program.order_class_id)
            .order_by(Program.id)
        ).first()
        assert other is not None
        other.capacity += 9
        session.flush()
        made = offers.make(
            session, old.round, old.applicant, other, FIRST, rank=1, source="waiting"
        )
        return made.key

    new = found(app, Offer.key == change(app, offer_more))
    client = as_applicant(app, one.applicant.number)
    page = said(client.get(f"{ME}/offers").text)
    assert "接受它，就换到这个班。" in page and "放弃或不答复，现在的班不变。" in page
    assert page.index(new.program.order_class.name) < page.index(one.program.order_class.name)
    kept = said(client.get(f"{ME}/offers/{new.key}/decline").text)
    assert f"您现在的班不变：{one.program.order_class.name}" in kept
    assert "另一个录取还要您答复。" in client.get(f"{ME}/offers/{one.key}/decline").text
    follow(client, accept(client, new))
    assert found(app, Offer.id == one.id).state == "moved"
    assert "已递补到别的班" in client.get(f"{ME}/offers").text


def test_nobody_sees_or_answers_anothers_offer(app: Flask) -> None:
    one = found(app)
    other = as_applicant(app, found(app, Offer.applicant_id != one.applicant_id).applicant.number)
    assert accept(other, one).status_code == 404
    for path in ("decline", "receipt"):
        assert other.get(f"{ME}/offers/{one.key}/{path}").status_code == 404
    assert found(app, Offer.id == one.id).state == "open"


def test_the_rule_of_silence_is_said_beforehand(tmp_path: Path) -> None:
    clock = Clock()
    app = standing(tmp_path, "published", clock)
    number = "A01"
    client = as_applicant(app, number)
    page = said(client.get(f"{ME}/result").text)
    with app.app_context():
        round_ = db.reading().scalars(select(Round)).one()
        assert round_.notice_ends_at is not None
        due = f"{calendar.local(offers.due(round_, round_.notice_ends_at)):%Y-%m-%d %H:%M}"
    assert f"答复截止不早于 {due}。" in page and "逾期未答复视为放弃。" in page
    document = client.post(f"{ME}/result/pdf")
    printed = "".join(p.extract_text() for p in PdfReader(io.BytesIO(document.data)).pages)
    assert "逾期未答复视为放弃。" in printed and due in printed
    change(app, lambda s: setattr(
        s.scalars(select(Round)).one(), "notice_ends_at", CONFIRMING.replace(year=2090)
    ))  # fmt: skip
    assert "请按通知的日期答复" in client.get(f"{ME}/result").text
    app.extensions["orderclass_engine"].dispose()


def test_the_result_leads_to_the_answer(app: Flask) -> None:
    one = found(app)
    page = said(as_applicant(app, one.applicant.number).get(f"{ME}/result").text)
    assert "您的录取：待答复。" in page and "请在 2026-06-13 00:00 前答复录取。" in page
    assert "看录取和答复" in page


# --- offices ----------------------------------------------------------------------------------


def test_a_college_calls_its_own_and_nobody_elses(
    app: Flask, office: Callable[..., FlaskClient]
) -> None:
    mine, theirs = at_college(app, "U1"), at_college(app, "U2")
    client = office("college", "U1")
    assert "联系还没有答复的人" in client.get("/college/").text
    page = client.get(f"{COLLEGE}/offers").text
    assert mine.applicant.number in page and mine.applicant.person.name in page
    assert theirs.applicant.number not in page and "1390000" not in page
    one = f"{COLLEGE}/offers/{mine.key}"
    assert "139****" in client.get(one).text
    with app.app_context():
        number = people.telephone_of(found(app, Offer.id == mine.id).applicant.person)
    assert number in client.post(f"{one}/telephone").text
    assert number not in client.get(one).text
    wrong = client.post(f"{one}/calls", data={"note": "响三声"}).text
    assert "请填写。" in wrong and "响三声" in wrong
    follow(client, client.post(f"{one}/calls", data={"outcome": "not_reached", "note": "关机"}))
    assert "没联系上" in client.get(f"{COLLEGE}/offers").text and "关机" in client.get(one).text
    for path, method in (
        ("", "get"),
        ("/telephone", "post"),
        ("/calls", "post"),
        ("/answer", "post"),
    ):
        answer = getattr(client, method)(f"{COLLEGE}/offers/{theirs.key}{path}")
        assert answer.status_code == 404, path
    with app.app_context():
        assert db.reading().scalars(select(Contact.outcome)).all() == ["not_reached"]
        actions = db.reading().scalars(select(AuditEvent.action)).all()
    assert "offer.telephone" in actions and "offer.call" in actions


def test_the_list_is_filtered_printed_and_exported(
    app: Flask, office: Callable[..., FlaskClient]
) -> None:
    client = office("college", "U1")
    mine = at_college(app, "U1")
    change(app, lambda s: answers.accept(s, s.get_one(Offer, mine.id), HERSELF))
    number, code = mine.applicant.number, mine.program.order_class.code
    assert number not in client.get(f"{COLLEGE}/offers").text
    assert number in client.get(f"{COLLEGE}/offers?show=all").text
    assert number in client.get(f"{COLLEGE}/offers?show=all&class={code}").text
    assert number not in client.get(f"{COLLEGE}/offers?show=all&class=NONE").text
    printed = client.post(f"{COLLEGE}/offers/print", data={"show": "all"}).text
    with app.app_context():
        telephone = people.telephone_of(found(app, Offer.id == mine.id).applicant.person)
    assert telephone in printed and "用后销毁" in printed
    assert telephone not in client.post(f"{COLLEGE}/offers/print").text
    book = client.post(f"{COLLEGE}/offers/xlsx", data={"show": "all"})
    rows = CalamineWorkbook.from_filelike(io.BytesIO(book.data)).get_sheet_by_index(0).to_python()
    assert rows[0][:2] == ["报名号", "姓名"] and any(telephone in row for row in rows)
    assert {row[2] for row in rows[1:]} == {"第一技师学院"}
    with app.app_context():
        exported = select(AuditEvent.row).where(AuditEvent.action == "export")
        assert db.reading().scalars(exported).all() == [f"offers/{SERIAL}"] * 3


def test_taking_telephone_numbers_asks_for_the_password_again(
    app: Flask, office: Callable[..., FlaskClient]
) -> None:
    client = office("coordinator")
    app.config["SECURITY_FRESHNESS"] = timedelta(seconds=-1)
    app.config["SECURITY_FRESHNESS_GRACE_PERIOD"] = timedelta(seconds=-1)
    app.config["SECURITY_FRESHNESS"] = timedelta(microseconds=1)
    for path in ("print", "xlsx"):
        answer = client.post(f"{COORDINATOR}/offers/{path}")
        assert answer.status_code == 302 and "/verify" in answer.headers["Location"]


def test_an_answer_at_the_counter(app: Flask, office: Callable[..., FlaskClient]) -> None:
    client, mine = office("college", "U1"), at_college(app, "U1")
    path = f"{COLLEGE}/offers/{mine.key}"
    form = {"answer": "accepted", "version": mine.version, "paper": "确 7"}
    page = client.post(f"{path}/answer", data=form | {"paper": ""}).text
    assert "请填写。" in page
    page = client.post(f"{path}/answer", data=form).text
    assert "请核对证件" in page and 'value="确 7"' in page
    assert found(app, Offer.id == mine.id).state == "open"
    form["identity_seen"] = "y"
    page = client.post(f"{path}/answer", data=form | {"version": "77"}).text
    assert "刚才已有别的答复" in page
    page = follow(client, client.post(f"{path}/answer", data=form))
    assert "答复已记录" in page and "确 7" in page and "院校 collegeu1" in page
    own = as_applicant(app, mine.applicant.number)
    assert "在柜台 确 7" in said(own.get(f"{ME}/offers/{mine.key}/receipt").text)


def test_a_minor_at_the_counter_brings_her_guardians_paper(
    app: Flask, office: Callable[..., FlaskClient]
) -> None:
    client, mine = office("college", "U1"), at_college(app, "U1")
    change(app, lambda s: setattr(
        s.get_one(Applicant, mine.applicant_id).person, "birth_date",
        calendar.local(CONFIRMING).date().replace(year=2010),
    ))  # fmt: skip
    path = f"{COLLEGE}/offers/{mine.key}"
    assert 'name="guardian_paper"' in client.get(path).text
    form = {"answer": "declined", "version": mine.version, "paper": "确 8", "identity_seen": "y"}
    assert "须监护人参与" in client.post(f"{path}/answer", data=form).text
    page = follow(client, client.post(f"{path}/answer", data=form | {"guardian_paper": "监 8"}))
    assert "已放弃" in page and "监 8" in page and "这个录取已结束：已放弃。" in page


def test_nothing_is_recorded_while_suspended_or_late(
    app: Flask, office: Callable[..., FlaskClient], clock: Clock
) -> None:
    client, mine = office("college", "U1"), at_college(app, "U1")
    path = f"{COLLEGE}/offers/{mine.key}"
    form = {
        "answer": "accepted", "version": mine.version, "paper": "7", "identity_seen": "y",
        "outcome": "reached",
    }  # fmt: skip
    clock.moment = mine.due_at
    assert "答复期限已过。" in client.get(path).text
    assert "没有收下" in client.post(f"{path}/answer", data=form).text
    change(app, lambda s: rounds.suspend(s, s.scalars(select(Round)).one(), FIRST, SECOND, "核查"))
    assert "本轮暂停" in client.get(path).text
    assert "答复期限停止计时" in client.get(f"{COLLEGE}/offers").text
    for part in ("answer", "calls"):
        assert "本轮暂停" in client.post(f"{path}/{part}", data=form).text
    assert found(app, Offer.id == mine.id).state == "open"


def test_a_coordinator_sees_every_college_and_todays_list(
    app: Flask, office: Callable[..., FlaskClient]
) -> None:
    client = office("coordinator")
    mine, theirs = at_college(app, "U1"), at_college(app, "U2")
    page = client.get(f"{COORDINATOR}/offers").text
    assert mine.applicant.number in page and theirs.applicant.number in page
    assert "第二技师学院" in page
    assert client.get(f"{COORDINATOR}/offers/{theirs.key}").status_code == 200
    listed = client.get(f"{COORDINATOR}/today").text
    assert "录取还没有答复" in listed and mine.applicant.number in listed
    with app.app_context():
        tasks = today.tasks(db.reading(), db.reading().scalars(select(Round)).one())
    assert {t.office for t in tasks} == {"第一技师学院", "第二技师学院"}


def test_an_offer_of_another_round_is_not_there(
    app: Flask, office: Callable[..., FlaskClient]
) -> None:
    one = found(app)
    change(app, lambda s: s.add(
        Round(serial="2027-1", title="另一轮", year=2027, state="OPEN", created_at=CONFIRMING)
    ))  # fmt: skip
    path = f"/coordinator/rounds/2027-1/offers/{one.key}"
    assert office("coordinator").get(path).status_code == 404


def test_names_are_shown_to_an_enterprise_once_confirmed(
    app: Flask, office: Callable[..., FlaskClient]
) -> None:
    one = found(app)
    client = office("enterprise", one.program.enterprise.code)
    college = office("college", one.program.order_class.college.code)
    pages = (
        (client, f"/enterprise/{SERIAL}/placed"), (college, f"{COLLEGE}/placed"),
    )  # fmt: skip
    for who, path in pages:
        page = who.get(path).text
        assert one.applicant.number in page and one.applicant.person.name not in page
    change(app, lambda s: answers.accept(s, s.get_one(Offer, one.id), HERSELF))
    for who, path in pages:
        page = who.get(path).text
        assert one.applicant.person.name in page and "已确认" in page
    change(app, lambda s: answers.decline(s, s.get_one(Offer, one.id), HERSELF))
    for who, path in pages:
        page = who.get(path).text
        assert one.applicant.person.name not in page and "已放弃" in page


def test_a_year_without_a_calendar_is_said_when_a_round_goes_on(
    app: Flask, office: Callable[..., FlaskClient], clock: Clock
) -> None:
    change(app, lambda s: rounds.suspend(s, s.scalars(select(Round)).one(), FIRST, SECOND, "核查"))
    second = office("coordinator")
    with app.app_context(), db.writing() as session:
        auth.create_user(session, "other", PASSWORD, "coordinator")
    first = app.test_client()
    first.post("/login", data={"username": "other", "password": PASSWORD})
    clock.forward(days=400 * 365)
    first.post("/login", data={"username": "other", "password": PASSWORD})
    second.post("/login", data={"username": "coordinator", "password": PASSWORD})
    first.post(f"{COORDINATOR}/motions", data={"kind": "resume", "reason": "已经查清"})
    page = second.get(f"{COORDINATOR}/motions").text
    (path,) = re.findall(rf'action="({COORDINATOR}/motions/[^"]+)"', page)[:1]
    answer = second.post(path, data={"act": "confirm"}, follow_redirects=True)
    assert "年的节假日表，请先补上" in answer.text
    with app.app_context():
        assert db.reading().scalars(select(Round.state)).one() == "SUSPENDED"


# --- both languages ---------------------------------------------------------------------------


def test_the_pages_are_complete_in_english(app: Flask, office: Callable[..., FlaskClient]) -> None:
    one = found(app, WAITING)
    client, college = as_applicant(app, one.applicant.number), office("coordinator")
    client.set_cookie("lang", "en")
    college.set_cookie("lang", "en")
    pages = [
        client.get("/me/"), client.get(f"{ME}/offers"), client.get(f"{ME}/offers/{one.key}/decline"),
        college.get(f"{COORDINATOR}/offers/{one.key}"), college.get(f"{COORDINATOR}/offers"),
        college.post(f"{COORDINATOR}/offers/print"),
    ]  # fmt: skip
    accept(client, one)
    pages += [client.get(f"{ME}/offers"), client.get(f"{ME}/offers/{one.key}/receipt")]
    with app.app_context():
        session = db.reading()
        theirs = set(session.scalars(select(OrderClass.name))) | {"示例轮次"}
        for model in (College, Enterprise):
            theirs |= set(session.scalars(select(model.name)))
        theirs |= {a.person.name for a in session.scalars(select(Applicant))}
    for page in pages:
        assert page.status_code == 200
        text = unescape(page.text.split("<main", 1)[1].split("</main")[0])
        for name in sorted(theirs, key=len, reverse=True):
            text = text.replace(name, "")
        assert re.findall(r"[\u4e00-\u9fff]+", text) == [], page.request.path


def test_sentences_to_applicants_are_short(app: Flask) -> None:
    one = found(app, WAITING)
    client = as_applicant(app, one.applicant.number)
    paths = [f"{ME}/offers", f"{ME}/offers/{one.key}/decline"]
    for path in paths:
        for line in re.findall(r"<(?:p|li)[^>]*>([^<]+)<", client.get(path).text.split("<main")[1]):
            for sentence in re.split(r"[。？：]", line):
                assert len(sentence.strip()) <= 30, sentence
