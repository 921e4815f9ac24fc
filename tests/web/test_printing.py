"""Printed forms from the rows: who prints what, what it says, what is on record, what is refused."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import delete, select

from tests.web import a_round
from tests.web.conftest import Clock
from web import create_app, db, jobs, limits, notice_job, offers, outbox, printing
from web.models import (
    Applicant,
    AuditEvent,
    ChoiceList,
    College,
    Consent,
    Enterprise,
    Message,
    Offer,
    OrderClass,
    Recheck,
    Round,
    Ruling,
    Run,
)

Login = Callable[..., FlaskClient]
RARE = "欧阳𬭎䶮㛃"


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    """Everybody placed in the example has an offer to answer; A01's name is rare."""
    clock.moment = a_round.CONFIRMING
    made = a_round.standing(tmp_path, "confirming", clock)
    with made.app_context(), db.writing() as session:
        person(session, "A01").person.name = RARE
        session.execute(delete(Message))
    yield made
    made.extensions["orderclass_engine"].dispose()


def person(session: object, number: str) -> Applicant:
    return session.scalars(select(Applicant).where(Applicant.number == number)).one()  # type: ignore[attr-defined,no-any-return]


def offer_of(number: str) -> Offer:
    db.forget()
    return db.reading().scalars(
        select(Offer).join(Applicant, Applicant.id == Offer.applicant_id).where(Applicant.number == number)
    ).one()  # fmt: skip


def placed() -> list[str]:
    return [offer.applicant.number for offer in printing.offers_of(db.reading(), the_round())]


def the_round() -> Round:
    return db.reading().scalars(select(Round)).one()


def settle(number: str, state: str) -> None:
    with db.writing() as session:
        held = session.get_one(Offer, offer_of(number).id)
        offers.settle(session, held, state, a_round.FIRST)
    db.forget()


def text(document: bytes) -> str:
    pages = PdfReader(io.BytesIO(document)).pages
    return "".join(page.extract_text() for page in pages).replace("\n", "")


def fetched(client: FlaskClient, path: str) -> bytes:
    """A file that a button gives."""
    with client.post(path) as answer:
        assert answer.status_code == 200 and answer.mimetype == "application/pdf"
        return answer.data


def events(action: str) -> list[AuditEvent]:
    db.forget()
    return list(db.reading().scalars(select(AuditEvent).where(AuditEvent.action == action)))


@pytest.fixture
def coordinator(as_user: Login) -> FlaskClient:
    return as_user("coordinator")


@pytest.fixture
def colleges(app: Flask, as_user: Login) -> dict[str, FlaskClient]:
    """Both colleges of the example, by code."""
    with app.app_context():
        ids = {c.code: c.id for c in db.reading().scalars(select(College))}
    return {code: as_user("college", code.lower(), college_id=id_) for code, id_ in ids.items()}


@pytest.fixture
def she(app: Flask, as_user: Login) -> FlaskClient:
    """A01, logged in."""
    with app.app_context():
        id_ = person(db.reading(), "A01").person_id
    return as_user("applicant", "a01", person_id=id_)


AT = f"/coordinator/rounds/{a_round.SERIAL}/prints"


# --- notices by the thousand ------------------------------------------------------------------


def test_all_notices_are_drawn_by_the_worker_and_fetched_by_who_asked(
    app: Flask, coordinator: FlaskClient, colleges: dict[str, FlaskClient]
) -> None:
    form = {"day": "9 月 1 日 9 时", "place": "东校区"}
    page = coordinator.post(f"{AT}/notices", data=form, follow_redirects=True)
    assert "已开始打印" in page.text and page.headers["Refresh"] == "3"
    assert "已在打印" in coordinator.post(f"{AT}/notices", data=form, follow_redirects=True).text
    with app.app_context():
        assert jobs.work_once()
        run = db.reading().scalars(select(Run).where(Run.kind == "notices")).one()
        assert (run.state, run.error) == ("VERIFIED", "")
        numbers, key = placed(), run.key
        assert run.summary["notices"] == len(numbers) and run.summary["left_out"] == []
        folder = notice_job.document_of(run).parent.parent
        assert not list(folder.glob("*.json")), "what the notices say does not stay"
    page = coordinator.get(AT)
    assert f"{len(numbers)} 份" in page.text and "Refresh" not in page.headers
    assert page.mimetype == "text/html"
    document = fetched(coordinator, f"{AT}/notices/{key}/file")
    found = [p.extract_text().replace("\n", "") for p in PdfReader(io.BytesIO(document)).pages]
    assert len(found) == len(numbers)
    assert all(any(f"{a_round.SERIAL}-{n}" in one for one in found) for n in numbers)
    (hers,) = [one for one in found if f"{RARE} 同学" in one]
    assert "9 月 1 日 9 时" in hers and "东校区" in hers and "第一技师学院" in hers + found[-1]
    with app.app_context():
        assert [e.row for e in events("print.notices")] == [f"run/{key}"]
    for client in colleges.values():
        assert (
            client.post(f"/college/{a_round.SERIAL}/prints/notices/{key}/file").status_code == 404
        )


def test_a_college_prints_its_own_people_only(app: Flask, colleges: dict[str, FlaskClient]) -> None:
    at = f"/college/{a_round.SERIAL}/prints"
    assert "打印录取通知书" in colleges["U1"].get(at).text
    colleges["U1"].post(f"{at}/notices", data={"day": "", "place": ""})
    with app.app_context():
        assert jobs.work_once()
        key = db.reading().scalars(select(Run.key).where(Run.kind == "notices")).one()
        mine = [o.applicant.number for o in printing.offers_of(db.reading(), the_round(), "U1")]
        other = printing.offers_of(db.reading(), the_round(), "U2")[0]
        theirs, number = other.key, other.applicant.number
        assert 0 < len(mine) < len(placed())
        of_u2 = select(OrderClass.code).join(College).where(College.code == "U2")
        classes = db.reading().scalars(of_u2).all()
    said = text(fetched(colleges["U1"], f"{at}/notices/{key}/file"))
    assert all(f"{a_round.SERIAL}-{n}" in said for n in mine)
    assert "第二技师学院" not in said
    for path in (f"notices/{key}/file", f"notices/{key}/cancel"):
        assert colleges["U2"].post(f"{at}/{path}").status_code == 404
    for form in ("notice", "waiver"):
        assert colleges["U1"].post(f"{at}/offers/{theirs}/{form}").status_code == 404
    assert colleges["U1"].post(f"{at}/roster/{classes[0]}").status_code == 404
    assert "没有这个报名号的录取" in colleges["U1"].get(f"{at}?number={number}").text
    assert "放弃录取声明" in colleges["U2"].get(f"{at}?number={number}").text


def test_a_name_that_the_font_lacks_is_left_out_and_named(
    app: Flask, coordinator: FlaskClient
) -> None:
    with app.app_context(), db.writing() as session:
        person(session, "A01").person.name = "张𠮷"
    coordinator.post(f"{AT}/notices", data={"day": "", "place": ""})
    with app.app_context():
        jobs.work_once()
    assert "报名号 A01 没有印：字库没有“𠮷”" in coordinator.get(AT).text
    with app.app_context():
        key = offer_of("A01").key
    page = coordinator.post(f"{AT}/offers/{key}/notice", follow_redirects=True)
    assert "打印字库没有“𠮷”" in page.text


def test_a_print_is_cancelled_while_it_waits_and_while_it_runs(
    app: Flask, coordinator: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def key() -> str:
        with app.app_context():
            return db.reading().scalars(select(Run.key).order_by(Run.id.desc()).limit(1)).one()

    coordinator.post(f"{AT}/notices", data={})
    assert (
        "已取消打印" in coordinator.post(f"{AT}/notices/{key()}/cancel", follow_redirects=True).text
    )
    assert (
        "已经结束" in coordinator.post(f"{AT}/notices/{key()}/cancel", follow_redirects=True).text
    )
    with app.app_context():
        assert not jobs.work_once()
    slow = "import pathlib, sys, time; pathlib.Path('progress').write_text('3/9'); time.sleep(60)"
    monkeypatch.setattr(notice_job, "COMMAND", (notice_job.COMMAND[0], "-c", slow))
    coordinator.post(f"{AT}/notices", data={})

    def work() -> None:
        with app.app_context():
            jobs.work_once()

    worker = threading.Thread(target=work)
    worker.start()
    for _ in range(200):
        time.sleep(0.1)
        if "3/9" in (page := coordinator.get(AT)).text:
            break
    assert "正在打印" in page.text and "3/9" in page.text
    coordinator.post(f"{AT}/notices/{key()}/cancel")
    worker.join(20)
    with app.app_context():
        run = db.reading().scalars(select(Run).where(Run.key == key())).one()
        assert run.state == "CANCELLED"
        assert not list((tmp_path / run.folder).rglob("notices.json"))
    assert coordinator.post(f"{AT}/notices/{key()}/file").status_code == 404


def test_a_child_that_fails_fails_the_print(
    app: Flask, coordinator: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notice_job, "COMMAND", (notice_job.COMMAND[0], "-c", "raise SystemExit(9)"))
    coordinator.post(f"{AT}/notices", data={})
    with app.app_context():
        jobs.work_once()
    assert "draw: exit 9" in coordinator.get(AT).text


def test_runs_of_notices_are_no_runs_of_the_solver(app: Flask, coordinator: FlaskClient) -> None:
    coordinator.post(f"{AT}/notices", data={})
    with app.app_context():
        key = db.reading().scalars(select(Run.key).where(Run.kind == "notices")).one()
    assert key not in coordinator.get(f"/coordinator/rounds/{a_round.SERIAL}/runs").text
    at = f"/coordinator/rounds/{a_round.SERIAL}/runs/{key}"
    assert coordinator.get(at).status_code == 404
    assert coordinator.get(f"{AT.replace('prints', 'runs')}").status_code == 200


def test_too_long_a_place_is_said_at_the_field(coordinator: FlaskClient) -> None:
    page = coordinator.post(f"{AT}/notices", data={"place": "东" * 101})
    assert (
        page.status_code == 200 and 'aria-invalid="true"' in page.text and "东" * 101 in page.text
    )


# --- lists ------------------------------------------------------------------------------------


def test_a_roster_has_full_names_of_those_who_confirmed_only(
    app: Flask, coordinator: FlaskClient, colleges: dict[str, FlaskClient]
) -> None:
    with app.app_context():
        held = offer_of("A01").program.order_class
        code, college = held.code, held.college.code
    at = f"/college/{a_round.SERIAL}/prints/roster/{code}"
    said = text(colleges[college].post(at).data)
    assert RARE not in said and "A01" in said and "待答复" in said
    with app.app_context():
        settle("A01", "accepted")
    said = text(colleges[college].post(at).data)
    assert RARE in said and "已确认" in said and "花名册" in said
    assert RARE in text(coordinator.post(f"{AT}/roster/{code}").data)
    with app.app_context():
        assert len(events("print.roster")) == 3
        document = a_round.document_number(0, person(db.reading(), "A01").person.birth_date)  # type: ignore[arg-type]
    assert document not in said and "1390000" not in said


def test_an_enterprise_checks_its_own_list(
    app: Flask, coordinator: FlaskClient, as_user: Login
) -> None:
    with app.app_context():
        settle("A01", "accepted")
        held = offer_of("A01").program.enterprise
        mine = {o.applicant.number for o in printing.offers_of(db.reading(), the_round())
                if o.program.enterprise_id == held.id}  # fmt: skip
        others = set(placed()) - mine
        other = db.reading().scalars(select(Enterprise).where(Enterprise.id != held.id)).first()
        assert other is not None
        id_, code, other_id = held.id, held.code, other.id
    client = as_user("enterprise", "e1", enterprise_id=id_)
    assert "打印名单核对表" in client.get(f"/enterprise/{a_round.SERIAL}/placed").text
    said = text(client.post(f"/enterprise/{a_round.SERIAL}/prints/list").data)
    assert RARE in said and all(n in said for n in mine) and not any(n in said for n in others)
    assert text(coordinator.post(f"{AT}/enterprises/{code}").data) == said
    foreign = as_user("enterprise", "e2", enterprise_id=other_id)
    assert RARE not in text(foreign.post(f"/enterprise/{a_round.SERIAL}/prints/list").data)
    assert coordinator.post(f"{AT}/enterprises/none").status_code == 404


def test_vacancies_count_what_nobody_holds_and_leave_closed_classes_out(
    app: Flask, coordinator: FlaskClient
) -> None:
    def free() -> int:
        said = text(coordinator.post(f"{AT}/vacancies").data)
        return int(said.split("合计缺额 ")[1].split(" 个")[0])

    with app.app_context():
        seats = sum(p.capacity for c in the_round().classes for p in c.programs)
        people = len(placed())
    assert free() == seats - people
    with app.app_context():
        settle("A01", "declined")
    assert free() == seats - people + 1
    with app.app_context(), db.writing() as session:
        held = offer_of("A01").program.order_class
        inside = sum(p.capacity for p in held.programs) - sum(
            offers.taken(session, held.round_id).get(p.id, 0) for p in held.programs
        )
        session.add(
            Ruling(order_class_id=held.id, kind="close", confirmed_people=0, reason="r", asked_by="a",
                   asked_at=db.now(session), confirmed_by="b", confirmed_at=db.now(session))
        )  # fmt: skip
    assert free() == seats - people + 1 - inside


def test_the_public_list_is_printed_masked_while_the_notice_period_runs(
    tmp_path: Path, clock: Clock
) -> None:
    made = a_round.standing(tmp_path / "public", "published", clock)
    with made.app_context():
        with db.writing() as session:
            held = person(session, "A01")
            held.person.name = RARE
            session.execute(delete(Consent).where(Consent.applicant_id != held.id))
            assert held.round.policy is not None
            toml = held.round.policy.toml
            held.round.policy.toml = toml.replace('["示例"]', '["S§2", "招生方案"]', 1)
        document = printing.public_list(db.reading(), the_round())
        assert document is not None
        said = text(document)
        assert "欧阳**㛃" in said and RARE not in said and "A01" in said
        assert said.count("名字不公开") == 8, "whoever did not agree stands by her number alone"
        assert "依据：十条措施第2条；招生方案" in said and "志愿" in said and "S§" not in said
        assert "监督电话" in said and "至 2026-06-08 24:00" in said
        clock.forward(days=40)
        assert printing.public_list(db.reading(), the_round()) is None
    made.extensions["orderclass_engine"].dispose()


def test_after_the_notice_period_there_is_no_public_list(coordinator: FlaskClient) -> None:
    assert coordinator.post(f"{AT}/public-list").status_code == 404
    assert "只在公示期内可以打印" in coordinator.get(AT).text


# --- of one person ----------------------------------------------------------------------------


def test_she_prints_her_notice_her_form_and_her_waiver(app: Flask, she: FlaskClient) -> None:
    with app.app_context():
        key = offer_of("A01").key
        document = a_round.document_number(0, person(db.reading(), "A01").person.birth_date)  # type: ignore[arg-type]
    at = f"/me/{a_round.SERIAL}"
    page = she.get(f"{at}/result").text
    assert "打印录取通知书" in page and f"{at}/prints/offers/{key}/notice" in page
    said = text(she.post(f"{at}/prints/offers/{key}/notice").data)
    assert f"{RARE} 同学" in said and "逾期未确认视为放弃" in said
    said = text(she.post(f"{at}/prints/offers/{key}/waiver").data)
    assert RARE in said and "自愿放弃" in said and "系统记录" not in said
    assert "打印报名表" in she.get(f"{at}/data").text
    said = text(she.post(f"{at}/prints/application").data)
    assert RARE in said and document in said and "13900000000" in said and "第 1 志愿" in said
    with app.app_context():
        assert {
            e.row for a in ("notice", "waiver", "application") for e in events(f"print.{a}")
        } == {"applicant/A01"}
        settle("A01", "declined")
    assert she.post(f"{at}/prints/offers/{key}/notice").status_code == 404
    assert "系统记录" in text(she.post(f"{at}/prints/offers/{key}/waiver").data)
    assert she.post(f"{at}/prints/offers/{key}/other").status_code == 404


@pytest.mark.parametrize(
    ("last", "said"), [(8, "2026-09-07至2026-09-08"), (7, "2026-09-07")]
)  # fmt: skip
def test_a_notice_says_when_and_where_its_class_checks_in(
    app: Flask, she: FlaskClient, last: int, said: str
) -> None:
    with app.app_context():
        key = offer_of("A01").key
        with db.writing() as session:
            held = session.merge(offer_of("A01")).program.order_class
            held.check_in_from, held.check_in_until = date(2026, 9, 7), date(2026, 9, last)
            held.check_in_place = "东校区图书馆"
    told = text(she.post(f"/me/{a_round.SERIAL}/prints/offers/{key}/notice").data)
    assert said in told and "东校区图书馆" in told and ("至" in said or "至2026" not in told)


def test_forms_are_chinese_on_an_english_page(she: FlaskClient) -> None:
    she.set_cookie("lang", "en")
    said = text(she.post(f"/me/{a_round.SERIAL}/prints/application").data)
    assert "居民身份证" in said and "处理个人信息" in said and "Resident" not in said


def test_nobody_prints_what_is_of_somebody_else(
    app: Flask, she: FlaskClient, as_user: Login, client: FlaskClient
) -> None:
    with app.app_context():
        other = next(n for n in placed() if n != "A01")
        key, mine = offer_of(other).key, offer_of("A01").key
    at = f"/me/{a_round.SERIAL}/prints/offers"
    for form in ("notice", "waiver"):
        assert she.post(f"{at}/{key}/{form}").status_code == 404
        assert client.post(f"{at}/{mine}/{form}").status_code == 302
    assert she.post(f"/me/9999-9/prints/offers/{mine}/notice").status_code == 404
    for role in ("bureau", "auditor", "enterprise", "college", "district"):
        assert as_user(role).post(f"{AT}/offers/{mine}/notice").status_code == 403


def test_the_answer_to_a_recheck_is_printed_once_two_have_confirmed_it(
    app: Flask, she: FlaskClient, coordinator: FlaskClient, as_user: Login
) -> None:
    with app.app_context(), db.writing() as session:
        held = person(session, "A01")
        ticket = Recheck(
            number="F-1", round_id=held.round_id, applicant_id=held.id, matter="score",
            words="技能成绩少加了一项", state="proposed", opened_at=db.now(session),
            due_at=db.now(session), answer="已更正为 86 分", remedy="seat",
            confirmed_at=db.now(session),
        )  # fmt: skip
        session.add(ticket)
        session.flush()
        key = ticket.key
        someone = person(session, "A02").person_id
    paths = {
        she: f"/me/{a_round.SERIAL}/prints/rechecks/{key}",
        coordinator: f"{AT}/rechecks/{key}",
    }
    for client, path in paths.items():
        assert client.post(path).status_code == 404
    with app.app_context(), db.writing() as session:
        session.scalars(select(Recheck)).one().state = "upheld"
    for client, path in paths.items():
        said = text(client.post(path).data)
        assert all(
            part in said
            for part in (
                RARE,
                "F-1",
                "成立",
                "已更正为 86 分",
                "增加一个席位",
                "技能成绩少加了一项",
            )
        )
    assert "复核答复书" in coordinator.get(f"{AT}?number=A01").text
    assert "打印复核答复书" in she.get(f"/me/{a_round.SERIAL}/result").text
    other = as_user("applicant", "a02", person_id=someone)
    assert other.post(paths[she]).status_code == 404


def test_a_blank_form_is_for_everybody(client: FlaskClient) -> None:
    answer = client.get(f"/rounds/{a_round.SERIAL}/application-form.pdf")
    said = text(answer.data)
    assert "报名表" in said and "■" not in said and "A01" not in said


def test_nothing_of_places_is_printed_before_confirming(
    tmp_path: Path, clock: Clock, as_user: Login, app: Flask, coordinator: FlaskClient
) -> None:
    with app.app_context():
        with db.writing() as session:
            held = offer_of("A01")
            key, code = held.key, held.program.order_class.code
            session.get_one(Round, held.round_id).state = "PUBLISHED"
        enterprise = offer_of("A01").program.enterprise
        id_, name = enterprise.id, enterprise.code
    assert (
        "现在没有人有录取" in coordinator.post(f"{AT}/notices", data={}, follow_redirects=True).text
    )
    client = as_user("enterprise", "e1", enterprise_id=id_)
    assert client.post(f"/enterprise/{a_round.SERIAL}/prints/list").status_code == 404
    for path in (f"offers/{key}/notice", f"roster/{code}", "vacancies", f"enterprises/{name}"):
        assert coordinator.post(f"{AT}/{path}").status_code == 404


# --- the page behind the code -----------------------------------------------------------------


def test_the_code_leads_to_a_masked_name_and_a_status(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        key = offer_of("A01").key
        settle("A01", "accepted")
    answer = client.get(f"/v/{key}")
    assert answer.headers["X-Robots-Tag"] == "noindex, noarchive"
    main = answer.text.split("<main", 1)[1].split("</main>", 1)[0]
    assert "欧阳**㛃" in main and "已确认" in main
    assert RARE not in answer.text and "A01" not in answer.text and "技师学院" not in main
    assert len(key) * 5 >= 80
    with app.app_context():
        settle("A01", "declined")
    assert "已放弃" in client.get(f"/v/{key}").text
    with app.app_context(), db.writing() as session:
        session.scalars(select(Round)).one().state = "SUSPENDED"
    assert "暂停公示" in client.get(f"/v/{key}").text
    assert client.get("/v/" + "a" * 16).status_code == 404
    with app.app_context(), db.writing() as session:
        person(session, "A01").person.name = ""
    assert client.get(f"/v/{key}").status_code == 404


def test_one_address_may_not_look_at_codes_without_end(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PAGES", {"public.placed": "3 per minute"})
    made = create_app(
        {"INSTANCE": tmp_path, "DATABASE_URL": app.config["DATABASE_URL"], "DEMO": True,
         "TESTING": True, "CLOCK": app.config["CLOCK"], "RATE_LIMITS": True}
    )  # fmt: skip
    client = made.test_client()
    assert [client.get(f"/v/{n}").status_code for n in range(4)] == [404, 404, 404, 429]
    made.extensions["orderclass_engine"].dispose()


# --- how she came to her place ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("rank", "source", "said"),
    [(2, "result", "第 2 志愿录取"), (0, "result", "调剂录取"), (1, "waiting", "递补录取"),
     (1, "remedy", "复核更正录取"), (1, "ruling", "班级调整录取")],
)  # fmt: skip
def test_how_somebody_was_placed(rank: int, source: str, said: str) -> None:
    assert printing.how(Offer(rank=rank, source=source)) == said


def test_the_end_of_a_day_is_told_as_its_24th_hour() -> None:
    assert printing.until(datetime(2026, 6, 8, 16, tzinfo=UTC)) == "2026-06-08 24:00"
    assert printing.until(datetime(2026, 6, 8, 9, tzinfo=UTC)) == "2026-06-08 17:00"
    assert printing.until(None) == ""


# --- messages on pages ------------------------------------------------------------------------


def test_she_reads_her_messages_and_a_coordinator_all_of_them(
    app: Flask, she: FlaskClient, coordinator: FlaskClient
) -> None:
    assert "还没有消息" in she.get(f"/me/{a_round.SERIAL}/messages").text
    with app.app_context(), db.writing() as session:
        for n in range(60):
            outbox.put(session, person(session, "A01"), "offer_made", program=f"班{n}")
        outbox.put(session, person(session, "A02"), "check_in", place="东校区")
    with app.app_context():
        while outbox.send_due():
            pass
    home = she.get("/me/").text  # what asks for something is her next step already
    assert "最新消息" not in home and "看全部消息" in home and "班59" not in home
    page = she.get(f"/me/{a_round.SERIAL}/messages?page=3").text
    assert "班0。" in page and "班40" not in page and "东校区" not in page
    at = f"/coordinator/rounds/{a_round.SERIAL}/outbox"
    page = coordinator.get(at).text
    assert (
        "共 61 条" in page and "东校区" in page and "留存，未外发" in page and "1390000" not in page
    )
    assert "共 1 条" in coordinator.get(f"{at}?code=check_in").text
    assert "共 60 条" in coordinator.get(f"{at}?number=A01&state=kept").text
    assert "共 0 条" in coordinator.get(f"{at}?state=failed").text
    coordinator.set_cookie("lang", "en")
    page = coordinator.get(at).text
    assert "Application A02: Please check in on time." in page
    with app.app_context(), db.writing() as session:
        outbox.put(session, person(session, "A01"), "class_ruling", program="班60")
    home = she.get("/me/").text
    assert "最新消息" in home and "班60" in home and "东校区" not in home


def test_a_list_of_choices_is_printed_with_its_names(app: Flask, she: FlaskClient) -> None:
    with app.app_context(), db.writing() as session:
        held = session.scalars(
            select(ChoiceList).where(ChoiceList.applicant_id == person(session, "A01").id)
        ).one()
        first = held.choices[0]
        held.choices = [*held.choices, "GONE"]
    said = text(she.post(f"/me/{a_round.SERIAL}/prints/application").data)
    assert f"{first} " in said and "GONE" in said
