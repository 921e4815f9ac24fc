"""The plan: lists, supply and demand, reserves, caps, dates, the bureau's papers, seats that change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.web.a_round import SERIAL, small_round
from web import db, planning, policies
from web.models import (
    AuditEvent,
    Cap,
    Demand,
    Enterprise,
    OrderClass,
    Program,
    Record,
    Round,
    SeatChange,
)

As = Callable[..., FlaskClient]
AT = f"/coordinator/rounds/{SERIAL}"


@pytest.fixture
def draft(app: Flask) -> None:
    with app.app_context(), db.writing() as session:
        small_round(session, state="DRAFT")


@pytest.fixture
def first(as_user: As) -> FlaskClient:
    return as_user("coordinator", "coord1")


@pytest.fixture
def second(as_user: As) -> FlaskClient:
    return as_user("coordinator", "coord2")


def the_class(app: Flask, code: str = "NEV") -> OrderClass:
    with app.app_context():
        held = db.reading().scalars(select(OrderClass).where(OrderClass.code == code)).one()
        for program in held.programs:
            list(program.reserves)
        return held


def set_state(app: Flask, state: str) -> None:
    with app.app_context(), db.writing() as session:
        session.scalars(select(Round)).one().state = state


# --- lists ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("draft")
def test_classes_are_searched_and_filtered(app: Flask, first: FlaskClient) -> None:
    with app.app_context(), db.writing() as session:
        session.scalars(
            select(OrderClass).where(OrderClass.code == "CARE")
        ).one().confirmed_at = None
    found = {
        "": {"NEV", "CARE", "ROBO"}, "q=NEV": {"NEV"}, "q=康": {"CARE"}, "college=U1": {"NEV", "CARE"},
        "waits=1": {"CARE"}, "district=000": set(), "college=U1&waits=1": {"CARE"},
    }  # fmt: skip
    for query, codes in found.items():
        page = first.get(f"{AT}/plan?{query}").text
        assert {c for c in ("NEV", "CARE", "ROBO") if f"classes/{c}" in page} == codes, query
    assert first.get(f"{AT}/plan?page=99").status_code == 200


@pytest.mark.usefixtures("draft")
def test_demand_and_supply_stand_side_by_side(app: Flask, first: FlaskClient) -> None:
    with app.app_context(), db.writing() as session:
        round_ = session.scalars(select(Round)).one()
        enterprise = session.scalars(select(Enterprise).where(Enterprise.code == "X")).one()
        enterprise.industry = "IND02"
        common = {"round_id": round_.id, "enterprise_id": enterprise.id, "people": 37}
        session.add(
            Demand(code="D1", title="装配工", occupation="钳工", state="submitted", **common)
        )
        session.add(Demand(code="D2", title="质检员", occupation="质检", state="draft", **common))
    for page in ("plan", "demands", "applicants"):  # longer than a database would search for
        assert first.get(f"{AT}/{page}?q={'长' * 60_000}").status_code == 200
    page = first.get(f"{AT}/demands?q=装配").text
    assert "D1" in page and "D2" not in page
    assert "D2" in first.get(f"{AT}/demands?state=draft&industry=IND02").text
    page = first.get(f"{AT}/supply").text
    assert "新能源汽车" in page and ">37<" in page and "钳工" in page and "质检" not in page
    assert page.count("<svg") == 6


@pytest.mark.usefixtures("draft")
def test_a_class_says_both_sides_and_what_the_rules_say(app: Flask, first: FlaskClient) -> None:
    page = first.get(f"{AT}/classes/NEV").text
    assert "第一技师学院" in page and "院校 u" in page and "企业 e" in page
    assert "低于规则的 20 人" in page
    with app.app_context(), db.writing() as session:
        held = session.scalars(select(OrderClass).where(OrderClass.code == "NEV")).one()
        held.programs[0].capacity, held.min_size = 90, 30
    page = first.get(f"{AT}/classes/NEV").text
    assert "超过班额上限 50 人" in page and "低于规则" not in page
    assert first.get(f"{AT}/classes/NONE").status_code == 404


# --- reserves ---------------------------------------------------------------------------------


def test_shares_propose_seats_half_up() -> None:
    assert [planning.half_up(n, 0.05) for n in (9, 10, 29, 30)] == [0, 1, 1, 2]
    assert planning.half_up(25, 0.1) == 3 and planning.half_up(24, 0.1) == 2


@pytest.mark.usefixtures("draft")
def test_proposals_are_shown_before_they_are_stored(app: Flask, first: FlaskClient) -> None:
    with app.app_context(), db.writing() as session:
        for held in session.scalars(select(OrderClass)):
            for program in held.programs:
                program.capacity = 30
    first.get(f"{AT}/reserves")
    assert the_class(app).confirmed_at is not None
    with app.app_context():
        found = planning.proposals(db.reading(), db.reading().scalars(select(Round)).one())
    forms = {p.program.order_class.study_form for p in found if p.group == "G06" and p.seats}
    assert forms == {"PT"}  # the share for rural workers is for part-time classes
    first.post(f"{AT}/reserves")
    held = the_class(app)
    wanted = {"G05": 3, "G07": 2, "G08": 1}
    assert {r.group: r.seats for r in held.programs[0].reserves if not r.hard} == wanted
    assert held.confirmed_at is None and held.programs[0].confirmed_at is None
    assert "现状与建议一致" in first.get(f"{AT}/reserves").text
    set_state(app, "ANNOUNCED")
    first.post(f"{AT}/reserves")
    assert "预留不能再改" in first.get(f"{AT}/reserves").text


@pytest.mark.usefixtures("draft")
def test_reserves_of_a_class_are_set_one_by_one(app: Flask, first: FlaskClient) -> None:
    held = the_class(app)
    program = held.programs[0]
    url, name = f"{AT}/classes/NEV/reserves", f"seats-{program.id}-G05"
    page = first.post(url, data={name: "不", "version": held.version}).text
    assert "预留席位填不小于 0 的整数" in page
    page = first.post(url, data={name: "999", "version": held.version}).text
    assert f"预留多于席位 {program.capacity} 个" in page
    page = first.post(url, data={name: "1", "version": "0"}).text
    assert "您打开之后别人改过" in page and the_class(app).version == held.version
    assert first.post(url, data={name: "1", "version": held.version}).status_code == 302
    again = the_class(app)
    assert {r.group: r.seats for r in again.programs[0].reserves if not r.hard}["G05"] == 1
    assert again.confirmed_at is None and again.version == held.version + 1
    set_state(app, "OPEN")
    first.post(url, data={name: "0", "version": again.version})
    assert the_class(app).version == again.version


# --- caps -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("draft")
def test_caps_are_added_changed_and_dropped(app: Flask, first: FlaskClient) -> None:
    held = the_class(app)
    form = {"code": "BEDS", "seats": "12", "college": str(held.college_id), "enterprise": "",
            "programs": "", "was": ""}  # fmt: skip
    assert first.post(f"{AT}/caps", data=form).status_code == 302
    assert "已有这个编号" in first.post(f"{AT}/caps", data=form).text
    assert "三项里只填一项" in first.post(
        f"{AT}/caps", data=form | {"code": "B2", "programs": held.programs[0].code}
    ).text  # fmt: skip
    page = first.post(
        f"{AT}/caps", data=form | {"code": "B2", "college": "", "programs": "没有"}
    ).text
    assert "没有这些席位：没有" in page
    assert "别人刚改过" in first.post(f"{AT}/caps/BEDS", data=form | {"was": "x"}).text
    page = first.post(f"{AT}/caps/BEDS", data=form | {"seats": "9", "was": "11"}).text
    assert (
        "现在是 12" in page
        and 'value="9"' in page
        and 'name="was" type="hidden" value="12"' in page
    )
    assert first.post(f"{AT}/caps/BEDS", data=form | {"seats": "9", "was": "12"}).status_code == 302
    codes = "；".join(p.code for p in held.programs)
    first.post(f"{AT}/caps", data=form | {"code": "SHOP", "college": "", "programs": codes})
    assert {"BEDS": 9, "SHOP": 12}.items() <= {c.code: c.seats for c in all_caps(app)}.items()
    first.post(f"{AT}/caps/BEDS/drop")
    assert "BEDS" not in {c.code for c in all_caps(app)}
    assert first.post(f"{AT}/caps/BEDS/drop").status_code == 404
    assert first.get(f"{AT}/caps/NONE").status_code == 404
    set_state(app, "ANNOUNCED")
    first.post(f"{AT}/caps", data=form)
    assert "BEDS" not in {c.code for c in all_caps(app)}


def all_caps(app: Flask) -> list[Cap]:
    with app.app_context():
        return list(db.reading().scalars(select(Cap)))


# --- dates ------------------------------------------------------------------------------------


DATES = {"title": "甲", "opens_at": "2026-06-10T09:00", "deadline_at": "2026-06-20T17:00",
         "draw_event": "骰子", "version": "1"}  # fmt: skip


def the_round(app: Flask) -> Round:
    with app.app_context():
        return db.reading().scalars(select(Round)).one()


@pytest.mark.usefixtures("draft")
def test_dates_are_of_the_city(app: Flask, first: FlaskClient) -> None:
    assert first.post(f"{AT}/dates", data=DATES).status_code == 302
    held = the_round(app)
    assert (
        held.deadline_at is not None
        and held.deadline_at.astimezone(UTC).isoformat() == "2026-06-20T09:00:00+00:00"
    )
    assert held.version == 2
    assert 'value="2026-06-20T17:00"' in first.get(f"{AT}/dates").text
    first.post(f"{AT}/dates", data=DATES | {"version": "2"})
    assert the_round(app).version == 2  # nothing changed, nothing is recorded


@pytest.mark.usefixtures("draft")
def test_wrong_and_stale_dates_keep_what_was_typed(app: Flask, first: FlaskClient) -> None:
    page = first.post(f"{AT}/dates", data=DATES | {"deadline_at": "2026-06-09T09:00"}).text
    assert "截止时间要晚于开始时间" in page and 'value="2026-06-09T09:00"' in page
    first.post(f"{AT}/dates", data=DATES)
    page = first.post(f"{AT}/dates", data=DATES | {"title": "乙"}).text
    assert "别人改过" in page and 'value="乙"' in page and "甲" in page
    assert 'name="version" type="hidden" value="2"' in page
    assert (
        first.post(f"{AT}/dates", data=DATES | {"title": "乙", "version": "2"}).status_code == 302
    )


@pytest.mark.usefixtures("draft")
def test_after_the_announcement_the_deadline_moves_only_later(
    app: Flask, first: FlaskClient
) -> None:
    first.post(f"{AT}/dates", data=DATES)
    set_state(app, "OPEN")
    data = DATES | {"version": "2"}
    for change in ({"deadline_at": "2026-06-19T17:00"}, {"title": "丙"}, {"deadline_at": ""}):
        assert "只能把截止时间往后延" in first.post(f"{AT}/dates", data=data | change).text
    assert (
        first.post(f"{AT}/dates", data=data | {"deadline_at": "2026-06-21T17:00"}).status_code
        == 302
    )
    set_state(app, "REVIEW")
    data |= {"version": "3", "deadline_at": "2026-06-21T17:00", "draw_event": "快乐8"}
    assert first.post(f"{AT}/dates", data=data).status_code == 302
    set_state(app, "FROZEN")
    page = first.post(f"{AT}/dates", data=data | {"version": "4", "draw_event": "别的"}).text
    assert "锁定后都不能改" in page


# --- papers -----------------------------------------------------------------------------------


def test_a_paper_is_entered_by_one_and_confirmed_by_another(
    app: Flask, first: FlaskClient, second: FlaskClient
) -> None:
    with app.app_context(), db.writing() as session:
        small_round(session, state="DRAFT")
        session.query(Record).delete()
    url, kind = f"{AT}/records/plan_approval", "plan_approval"
    form = {f"{kind}-authority": "市局", f"{kind}-document": "审1号", f"{kind}-dated": "2026-05-02"}
    page = first.post(url, data=form | {f"{kind}-dated": "五月"}).text
    assert "审1号" in page and 'class="problem"' in page
    first.post(f"{url}/confirm")
    first.post(url, data=form)
    assert "等另一位协调员确认" in first.get(f"{AT}/records").text
    first.post(f"{url}/confirm")
    assert paper(app).confirmed_at is None
    first.post(url, data=form | {f"{kind}-document": "审2号"})
    second.post(f"{url}/confirm")
    held = paper(app)
    assert (held.document, held.entered_by, held.confirmed_by) == (
        "审2号", "coordinator:coord1", "coordinator:coord2",
    )  # fmt: skip
    first.post(url, data=form)
    assert paper(app).document == "审2号"
    assert first.post(f"{AT}/records/other", data=form).status_code == 404
    with app.app_context():
        actions = [e.action for e in db.reading().scalars(select(AuditEvent))]
    assert actions.count("record.enter") == 2 and actions.count("record.confirm") == 1


def paper(app: Flask) -> Record:
    with app.app_context():
        return db.reading().scalars(select(Record)).one()


# --- seats that change ------------------------------------------------------------------------


def test_the_alliance_agrees_to_a_change_of_seats_or_refuses(
    app: Flask, first: FlaskClient
) -> None:
    with app.app_context(), db.writing() as session:
        round_ = small_round(session, state="OPEN")
        programs = session.scalars(select(Program).order_by(Program.code)).all()
        for program in programs[:2]:
            session.add(
                SeatChange(program_id=program.id, before=program.capacity, after=program.capacity + 1,
                           reason="扩产", asked_by="enterprise:e", asked_at=round_.created_at,
                           enterprise_by="enterprise:e", college_by="college:u")
            )  # fmt: skip
    with app.app_context():
        keys = [c.key for c in db.reading().scalars(select(SeatChange).order_by(SeatChange.id))]
    assert "代表联盟同意" in first.get(f"{AT}/seat-changes").text
    first.post(f"{AT}/seat-changes/{keys[0]}", data={"act": "agree"})
    first.post(f"{AT}/seat-changes/{keys[1]}", data={"act": "drop", "reason": ""})
    with app.app_context():
        held = db.reading().scalars(select(SeatChange).order_by(SeatChange.id)).all()
        assert [c.applied_at is None for c in held] == [False, True]
        assert held[0].program.capacity == held[0].after
    first.post(f"{AT}/seat-changes/{keys[1]}", data={"act": "drop", "reason": "不需要"})
    with app.app_context():
        assert db.reading().query(SeatChange).count() == 1
    assert first.post(f"{AT}/seat-changes/none", data={"act": "agree"}).status_code == 404


# --- rules ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("draft")
def test_rules_are_changed_with_a_reason_and_compared(app: Flask, first: FlaskClient) -> None:
    form = {"preferences-max": "4", "version": "1", "reason": ""}
    page = first.post(f"{AT}/rules/choices", data=form).text
    assert "请写明为什么改" in page and 'value="4"' in page
    page = first.post(
        f"{AT}/rules/choices", data=form | {"preferences-max": "四", "reason": "试"}
    ).text
    assert "0 到 1000 的整数" in page and 'value="四"' in page
    first.post(f"{AT}/rules/choices", data=form | {"reason": "新方案"})
    page = first.get(f"{AT}/rules/versions/1/2").text
    assert "志愿数上限" in page and "新方案" in page
    page = first.post(
        f"{AT}/rules/choices", data=form | {"preferences-max": "5", "reason": "晚"}
    ).text
    assert "别人改过规则" in page and 'value="5"' in page and "志愿数上限" in page
    first.post(f"{AT}/rules/choices", data={"preferences-max": "5", "reason": "晚", "version": "2"})
    page = first.get(f"{AT}/rules/versions?first=1&second=3").headers["Location"]
    assert page.endswith("/versions/1/3")
    assert "两版相同" in first.get(f"{AT}/rules/versions/3/3").text
    assert first.get(f"{AT}/rules/versions/1/9").status_code == 404
    assert first.get(f"{AT}/rules/nothing").status_code == 404
    assert first.get(f"{AT}/rules/reference").status_code == 404


@pytest.mark.usefixtures("draft")
def test_the_mechanism_and_its_order_are_chosen(app: Flask, first: FlaskClient) -> None:
    form = {"version": "1", "reason": "试", "policy-title": "甲", "policy-status": "试行", "policy-basis": "S；F",
            "mechanism-name": "optimal", "mechanism-rank": "generous", "mechanism-closure": "exact",
            "mechanism-reserve_order": "open_first", "mechanism-objective-0": "rank",
            "mechanism-objective-1": "placed", "mechanism-objective-2": "", "mechanism-objective-3": ""}  # fmt: skip
    assert "要排在“录取人数”之后" in first.post(f"{AT}/rules/mechanism", data=form).text
    form |= {"mechanism-objective-0": "placed", "mechanism-objective-1": "fit"}
    first.post(f"{AT}/rules/mechanism", data=form)
    with app.app_context():
        held = policies.current(db.reading(), db.reading().scalars(select(Round)).one())
    assert (held.mechanism, held.objective, held.basis) == (
        "optimal",
        ("placed", "fit"),
        ("S", "F"),
    )


@pytest.mark.usefixtures("draft")
def test_age_rules_are_edited_as_a_table(app: Flask, first: FlaskClient) -> None:
    first.post(f"{AT}/rules/eligibility", data={
        "age-reference_date": "2026-09-01", "age-case_by_case": "1", "work-min_internship_age": "16",
        "work-min_hire_age": "16", "work-minor_under": "18", "membership-date": "", "version": "1",
        "reason": "日期"})  # fmt: skip
    row = {"rows": "3", "group-0": "*", "study_form-0": "FT", "level-0": "*", "min-0": "15", "max-0": "22",
           "group-1": "G05", "study_form-1": "FT", "level-1": "*", "min-1": "16", "max-1": "22",
           "relaxed_max-1": "20", "version": "2", "reason": "试"}  # fmt: skip
    page = first.post(f"{AT}/rules/ages", data=row).text
    assert "第 2 行" in page and "放宽上限 20 小于普通上限 22" in page and 'value="20"' in page
    assert (
        "应为：不小于 0 的整数" in first.post(f"{AT}/rules/ages", data=row | {"max-1": "廿"}).text
    )
    twice = row | {"relaxed_max-1": "", "group-1": "*"}
    assert "有两条规则" in first.post(f"{AT}/rules/ages", data=twice).text
    assert first.post(f"{AT}/rules/ages", data=row | {"relaxed_max-1": "30"}).status_code == 302
    with app.app_context():
        held = policies.current(db.reading(), db.reading().scalars(select(Round)).one())
    assert [(r.group, r.upper) for r in held.age_rules] == [("*", 22), ("G05", 30)]
    page = first.post(f"{AT}/rules/ages", data=row | {"relaxed_max-1": "31"}).text
    assert "别人改过规则" in page and 'value="31"' in page


@pytest.mark.usefixtures("draft")
def test_channels_are_edited_as_a_table(app: Flask, first: FlaskClient) -> None:
    row = {
        "rows": "1",
        "channel-0": "W",
        "culture-0": "0.5",
        "skill-0": "0.4",
        "version": "1",
        "reason": "试",
    }
    page = first.post(f"{AT}/rules/channels", data=row).text
    assert "各项权重相加应为 1" in page and 'value="0.4"' in page
    assert first.post(f"{AT}/rules/channels", data=row | {"skill-0": "0.5"}).status_code == 302


def test_locked_rules_cannot_be_changed(app: Flask, first: FlaskClient) -> None:
    with app.app_context(), db.writing() as session:
        small_round(session, state="FROZEN")
    form = {"preferences-max": "4", "version": "1", "reason": "试"}
    assert first.post(f"{AT}/rules/choices", data=form).status_code == 302
    page = first.get(f"{AT}/rules").text
    assert "规则已对外承诺" in page and "修改：" not in page
    with app.app_context():
        assert policies.latest(db.reading(), db.reading().scalars(select(Round)).one()) == 1
