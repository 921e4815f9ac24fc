"""The round of ``data/example`` after its publication, as its people live it through the next round.

An appeal is upheld and its successor published; places are accepted, declined and called; an agreement
is signed by four, one person checks in, a class below its minimum is ruled on, and the round ends.
Whoever has no place lists anew, for the seats that are left, and the result of that round is published.
The bureau reads figures of both that were worked out by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web import signed
from tests.web.a_round import BEGINNING, SERIAL, standing
from tests.web.browser import PHONE, Look, Visitors
from tests.web.cast import (
    Cast,
    Somebody,
    a_paper_of_the_bureau,
    both_sides_confirm,
    dates_are_set,
    lists_are_closed,
    lists_are_frozen,
    ranked,
    she_fills_in,
    she_submits,
    the_bundle_is_checked,
    the_draw_is_confirmed,
    the_draw_is_typed,
    the_result_is_approved,
    the_result_is_published,
    the_round_moves_on,
)
from tests.web.conftest import PASSWORD, Clock
from web import answers, application, audit, auth, db, jobs, slips
from web.audit import Actor
from web.models import (
    Applicant,
    College,
    Consent,
    Enterprise,
    Membership,
    Offer,
    Placement,
    Round,
    WaitingStep,
)

AT, ME = f"/coordinator/rounds/{SERIAL}", f"/me/{SERIAL}"
COUNTER = Actor("college:u1", "college")
NEXT = "2026-2"
LEFT = ("A02", "A03", "A11", "A12")
"""Who has no place when the round ends, and lists anew in the next."""
PHONES = ("A01", "A05", "A09", *LEFT)
"""People who act by themselves.  A01, whom NEV-X took first, is seventeen here."""
OFFICES = {"u1": "U1", "u2": "U2", "x1": "X", "y1": "Y", "z1": "Z"}

GUARDIAN = "张监护"


@dataclass
class After(Cast):
    """Everybody of the second half."""

    bureau: Somebody = field(init=False)
    offices: dict[str, Somebody] = field(default_factory=dict)
    people: dict[str, Somebody] = field(default_factory=dict)
    code: str = ""
    closing: str = ""
    """The digest of the first round's last link."""

    def offer(self, number: str) -> Offer:
        """The last offer of somebody, as it is stored."""
        with self.database() as session:
            found = session.scalars(
                select(Offer).join(Applicant).where(Applicant.number == number).order_by(Offer.id)
            ).all()
            return found[-1]  # type: ignore[no-any-return]

    def held(self) -> dict[str, str]:
        """Who holds which seat."""
        with self.database() as session:
            found = session.scalars(select(Offer).where(Offer.state.in_(("accepted", "waiting"))))
            return {one.applicant.number: one.program.code for one in found}

    def placed(self) -> dict[str, str]:
        """Whom the next round placed where, by the number of the first round; blank for nowhere."""
        with self.database() as session:
            found = session.scalars(
                select(Placement).join(Applicant).join(Round).where(Round.serial == NEXT)
            )
            first = {one.person_id: one.number for one in session.scalars(
                select(Applicant).join(Round).where(Round.serial == SERIAL))}  # fmt: skip
            return {
                first[one.applicant.person_id]: one.program.code if one.program else ""
                for one in found
            }


@pytest.fixture
def clock() -> Clock:
    made = Clock()
    made.moment = BEGINNING
    return made


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    made = standing(tmp_path / "instance", "published", clock)
    yield made
    made.extensions["orderclass_engine"].dispose()


@pytest.fixture
def cast(app: Flask, clock: Clock, visitors: Visitors, look: Look) -> After:
    """The published round, with a login for everybody; the guardian has his code on paper."""
    made = After(app, clock, visitors, look)
    with app.app_context(), db.writing() as session:
        signed.dates(session)
        people = {one.number: one for one in session.scalars(select(Applicant))}
        minor = people["A01"]
        minor.person.birth_date, minor.guardian = date(2009, 3, 4), GUARDIAN
        made.code = slips.issue(session, minor, "guardian", COUNTER)
        scope: dict[str, dict[str, Any]] = {
            name: {"college": session.query(College).filter_by(code=code).one()}
            if name[0] == "u"
            else {"enterprise": session.query(Enterprise).filter_by(code=code).one()}
            for name, code in OFFICES.items()
        }
        for number in LEFT:
            all_is_filled_in(session, people[number])
        staff = {"coordinator1": "coordinator", "coordinator2": "coordinator", "bureau1": "bureau"}
        staff |= {name: next(iter(of)) for name, of in scope.items()}
        for name, role in staff.items():
            auth.create_user(
                session, name, PASSWORD, role, name=f"{name} 经办", **scope.get(name, {})
            )
        for number in PHONES:
            auth.create_user(
                session, number.lower(), PASSWORD, "applicant", person=people[number].person,
                name=people[number].person.name,
            )  # fmt: skip
    made.offices = {name: Somebody(visitors(), name) for name in staff}
    made.first, made.second, made.bureau, made.college, made.enterprise = (
        made.offices[name] for name in ("coordinator1", "coordinator2", "bureau1", "u1", "x1")
    )
    made.passer = Somebody(visitors())
    for number in PHONES:  # one of them has a browser without scripts
        page = visitors(size=PHONE, scripts=number != "A02")
        made.people[number] = Somebody(page, number.lower(), phone=True)
    return made


def all_is_filled_in(session: Session, one: Applicant) -> None:
    """What she must have answered before she may submit a list."""
    one.education, one.study_forms = "61", "FT;PT"
    if not one.groups:
        one.groups = [Membership(group="G99", state="verified")]
    session.add_all(
        Consent(applicant_id=one.id, text=text.code, version=text.version, given=True,
                at=one.created_at)
        for text in application.TEXTS
        if text.needed
    )  # fmt: skip


# --- an appeal --------------------------------------------------------------------------------


def she_asks_for_a_recheck(cast: After) -> None:
    """A05 reads 80 on her transcript where the list says 74; below A04 (78) the cap of U1 cut her off."""
    her = cast.people["A05"]
    her.open(f"{ME}/result")
    her.follow("申请复核")
    her.page.get_by_label("成绩", exact=True).check()
    her.fill({"words": "成绩单上是 80 分，公示里是 74 分。"})
    her.press("提交复核申请")
    her.sees("已收到，复核号")
    cast.shows(her, "after-appeal")


def two_people_uphold_it(cast: After) -> None:
    first, second = cast.first, cast.second
    first.open(f"{AT}/rechecks")
    first.follow(f"F{SERIAL}-0001")
    first.fill({"place": "W/culture", "value": "80"})
    first.press("记下更正，推算后果")
    cast.works()
    first.open(first.page.url)
    first.sees("谁的去向变了")
    rows = (
        first.page.get_by_role("table", name="谁的去向变了").locator("tbody tr").all_inner_texts()
    )
    assert [row.split()[:3] for row in rows] == [["A04", "NEV-Y", "ROBO"], ["A05", "—", "NEV-Y"]]
    first.page.get_by_label("复核成立", exact=True).check()
    first.fill({"words": "查卷，登分有误，更正为 80 分。"})
    first.press("拟答复，等另一位协调员确认")
    first.sees("等另一位协调员确认")
    second.open(f"{AT}/rechecks")
    second.follow(f"F{SERIAL}-0001")
    cast.shows(second, "after-recheck")
    second.press("同意，答复申请人")


def the_successor_is_published(cast: After) -> None:
    cast.second.open(f"{AT}/rechecks")
    cast.second.sees("一次更正包含全部成立的复核")
    cast.second.press("审定并公示更正版")
    cast.second.sees("更正版已公示，公示期重新开始")
    her = cast.people["A05"]
    her.open(f"{ME}/result")
    her.sees("复核后结果有更正。")
    her.sees("您被第 1 志愿录取。")
    cast.waits_for("公示期还没结束")


# --- answers ----------------------------------------------------------------------------------


def confirming_begins(cast: After) -> None:
    """Five working days after 1 June, from the next day on, end with the 8th."""
    cast.until("2026-06-09T00:00")
    cast.first.open(f"{AT}/")
    cast.first.press("转入确认递补")
    assert cast.state() == "CONFIRMING"


def somebody_accepts_with_her_guardian(cast: After) -> None:
    cast.until("2026-06-09T09:00")
    her = cast.people["A01"]
    her.open("/me/")
    her.sees("前答复录取")
    her.goes_on()
    cast.shows(her, "after-offer", english=True)
    her.press("接受")
    her.sees("监护人码不对")
    her.fill({"guardian_code": cast.code})
    her.press("接受")
    her.sees("用监护人码同意")


def somebody_declines(cast: After) -> None:
    her = cast.people["A02"]
    her.open(f"{ME}/offers")
    her.press("放弃录取")
    her.sees("真的放弃吗？")
    her.check("sure")
    her.press("我确定放弃")
    her.sees("已放弃")


def others_answer(cast: After) -> None:
    """A05 by herself, six at the counter; A11 gives her seat up, A03 says nothing."""
    her = cast.people["A05"]
    her.open(f"{ME}/offers")
    her.press("接受")
    with cast.app.app_context(), db.writing() as session:
        for number, answer in (
            ("A04", "accepted"), ("A06", "accepted"), ("A07", "accepted"), ("A08", "accepted"),
            ("A10", "accepted"), ("A11", "declined"),
        ):  # fmt: skip
            offer = session.get_one(Offer, cast.offer(number).id)
            answers.answer_at_counter(
                session, offer, answer, COUNTER, identity_seen=True, paper=f"签-{number}"
            )


def the_waiting_list_calls_a_successor(cast: After) -> None:
    """WELD's seat for G05 is free: nobody else of the group waits, so that A09 (82.5) is next.  The
    seat of A02 in NEV-X has no successor: A03 is still asked, A04 and A06 accepted for good."""
    cast.until("2026-06-10T09:00")
    cast.first.open(f"{AT}/waiting")
    cast.first.press("递补一次")
    cast.first.sees("递补在排队")
    with cast.app.app_context():
        assert jobs.work_once()
    cast.first.open(f"{AT}/waiting")
    cast.first.sees("第 1 次递补已完成")
    called = cast.first.page.get_by_role("table", name="最近一次叫到的人").locator("tbody tr")
    assert [row.split()[:2] for row in called.all_inner_texts()] == [["A09", "WELD"]]
    cast.shows(cast.first, "after-waiting", english=True)
    her = cast.people["A09"]
    her.open("/me/")
    her.goes_on()
    her.press("接受")
    her.sees("已确认")
    with cast.database() as session:
        assert [step.counts["called"] for step in session.scalars(select(WaitingStep))] == [1]


# --- an agreement -----------------------------------------------------------------------------


def four_sign(cast: After) -> None:
    her = cast.people["A01"]
    her.open("/me/")
    her.goes_on()  # made when she accepted
    cast.shows(her, "after-agreement")
    her.press("我已读完，同意")
    her.sees("您已电子确认。")
    her.fill({"name": GUARDIAN, "code": cast.code})
    her.press("监护人同意")
    her.sees("监护人已电子确认。")
    cast.enterprise.open(f"/enterprise/{SERIAL}/agreements?state=enterprise")
    cast.enterprise.page.get_by_label(f"勾选 {SERIAL}-A01-1").check()
    cast.enterprise.press("签署勾选的协议")
    cast.enterprise.sees("已签 1 份。")
    college = cast.college
    college.open(f"/college/{SERIAL}/agreements?state=college")
    college.follow(f"{SERIAL}-A01-1")
    cast.shows(college, "after-sign")
    college.press("看过全文，为本单位签署")
    college.sees("生效时间")
    her.page.reload()
    her.sees("各方都已签，协议生效。")
    cast.first.open(f"{AT}/today")
    cast.first.sees("协议等学生或监护人签")


# --- the end of the waiting list --------------------------------------------------------------


def silence_ends_and_the_list_with_it(cast: After) -> None:
    """Three working days after the 9th, 10, 11 and 12 June; NEV then has A01 and A05 and needs three."""
    cast.until("2026-06-13T00:00")
    with cast.app.app_context():
        assert jobs.record_due() == [f"{SERIAL} silent 1"]
    assert cast.offer("A03").state == "silent"
    cast.until("2026-06-15T09:00")
    cast.waits_for("递补还没有结束")
    cast.first.open(f"{AT}/waiting")
    cast.first.press("结束递补")
    cast.first.sees("递补已结束")
    cast.waits_for("1 个班不足最低开班人数，还没有决定：NEV")


def a_class_below_its_minimum_is_kept(cast: After) -> None:
    for who in (cast.first, cast.second):
        who.open(f"{AT}/rulings")
        who.page.get_by_role("main").get_by_role("link", name="NEV NEV 班").click()
        who.sees("已确认 2 人" if who is cast.first else "当时已确认 2 人")
        if who is cast.first:
            who.fill({"kind": "keep", "reason": "联合班，企业同意两人开班"})
            who.press("提出，等另一位确认")
            cast.shows(who, "after-ruling")
        else:
            who.press("确认照常开班")
    cast.second.sees("已执行")


def somebody_checks_in(cast: After) -> None:
    college = cast.college
    college.open(f"/college/{SERIAL}/check-in/NEV")
    college.fill({"check_in_from": "2026-06-15", "check_in_until": "2026-06-16",
                  "check_in_place": "体育馆", "check_in_bring": "身份证"})  # fmt: skip
    college.press("保存报到安排")
    college.page.get_by_label("勾选 A01").check()
    college.fill({"day": "2026-06-15"})
    college.press("登记勾选的人已报到")
    cast.shows(college, "after-check-in")
    her = cast.people["A01"]
    her.open(f"{ME}/check-in")
    her.sees("体育馆")
    her.open("/me/")
    her.sees("已报到")


def the_round_ends(cast: After) -> None:
    cast.first.open(f"{AT}/final")
    cast.first.press("归档，本轮不再改变")
    assert cast.state() == "FINAL"
    cast.first.open(f"{AT}/final")
    cast.shows(cast.first, "after-final")
    assert cast.held() == {
        "A01": "NEV-X", "A04": "ROBO", "A05": "NEV-Y", "A06": "ROBO", "A07": "WELD", "A08": "CARE",
        "A09": "WELD", "A10": "WELD",
    }  # fmt: skip


# --- figures ----------------------------------------------------------------------------------

COLUMNS = ("计划人数", "录取人数", "其中第一志愿", "其中调剂", "其中递补", "确认", "签约", "报到", "开班数",
           "未开班数", "缺额")  # fmt: skip
BY_ENTERPRISE = {
    "X 星河汽车": ("4", "3", "3", "0", "0", "2", "1", "1", "2", "0", "2"),
    "Y 远航装备": ("5", "4", "1", "1", "0", "3", "0", "0", "2", "0", "2"),
    "Z 正和纺织": ("7", "4", "1", "0", "1", "3", "0", "0", "1", "1", "4"),
    "合计": ("16", "11", "5", "1", "1", "8", "1", "1", "4", "1", "8"),
}


def the_bureau_reads_figures_counted_by_hand(cast: After) -> None:
    """By enterprise.  X has NEV-X and CARE, 4 seats; Y has NEV-Y and ROBO, 5; Z has WELD and TEXT, 7.

    - 录取: as corrected A01, A02, A08 at X; A03, A04, A05, A06 at Y; A07, A10, A11 at Z, and A09, who
      was called there (递补).
    - 第一志愿: A01, A02, A08; A05; A07.  调剂: A06.
    - 确认: A01, A08; A04, A05, A06; A07, A09, A10.  签约 and 报到: A01.
    - 开班: NEV counts at X and at Y, kept with two; TEXT did not open.
    - 缺额: 4 − 2; 5 − 3; 7 − 3.
    """
    bureau = cast.bureau
    bureau.open(f"/bureau/{SERIAL}/statistics?by=enterprise")
    assert figures(bureau, COLUMNS) == BY_ENTERPRISE
    told = {
        row.split(" [")[0]: tuple(row.split("\t")[1:4])
        for row in bureau.page.locator("main tbody tr").all_inner_texts()
        if " [" in row
    }
    wanted = {
        "计划完成率（录取口径）": ("11", "16", "68.8%"),
        "计划完成率（确认口径）": ("8", "16", "50.0%"),
        "计划完成率（报到口径）": ("1", "16", "6.3%"),
        "报录比": ("12", "16", "0.75 : 1"),
        "第一志愿满足率": ("5", "12", "41.7%"),
        "调剂率": ("1", "11", "9.1%"),
        "落选率": ("1", "12", "8.3%"),  # A12
        "开班率": ("4", "5", "80.0%"),
        "签约率": ("1", "8", "12.5%"),
        "报到率": ("1", "8", "12.5%"),
    }
    assert {name: told[name] for name in wanted} == wanted
    cast.shows(bureau, "after-statistics")


def figures(who: Somebody, columns: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The first table of a page: row → the cells of these columns."""
    table = who.page.locator("main table").first
    heads = [head.strip() for head in table.locator("thead th").all_inner_texts()]
    found = {}
    for row in table.locator("tbody tr").all():
        cells = [cell.strip() for cell in row.locator("th, td").all_inner_texts()]
        found[cells[0]] = tuple(cells[heads.index(name)] for name in columns)
    return found


# --- the next round ---------------------------------------------------------------------------


def the_next_round_is_opened(cast: After) -> None:
    """A02, A03, A11 and A12 have no place; NEV lacks nobody as it was kept, TEXT is not offered again.

    Left are 1 seat of NEV-X and 2 of NEV-Y, 1 of CARE, and 1 of WELD, which is for G07; X-HEADS has room
    for 3 − 2 (A01, A08), U1-BEDS for 5 − 3 (and A05).
    """
    cast.first.open(f"{AT}/next")
    cast.closing = cast.first.page.locator("main code.digest").inner_text()
    cast.first.press("建立下一轮")
    cast.first.sees(NEXT)
    with cast.database() as session:
        made = session.scalars(select(Round).where(Round.serial == NEXT)).one()
        people = session.scalars(select(Applicant).where(Applicant.round_id == made.id)).all()
        assert len(people) == 4 and made.state == "DRAFT"
    cast.first.open(f"/coordinator/rounds/{NEXT}/plan")
    cast.first.sees("NEV")
    expect(cast.first.page.get_by_role("main").get_by_text("TEXT")).to_have_count(0)
    cast.serial = NEXT


def its_plan_is_announced(cast: After) -> None:
    """Nobody's confirmation of the first round's plan counts for the seats that are left."""
    cast.waits_for("3 个班院校还没确认", "4 处席位企业还没确认")
    dates_are_set(
        cast, "2026-06-16T09:00", "2026-06-17T18:00", "6 月 19 日上午，公证处掷二十枚十面骰"
    )
    college, other, x, y, z = (cast.offices[name] for name in OFFICES)
    both_sides_confirm(cast, college, "NEV", {"NEV-X": x, "NEV-Y": y})
    both_sides_confirm(cast, college, "CARE", {"CARE": x})
    both_sides_confirm(cast, other, "WELD", {"WELD": z})
    cast.shows(z, "second-seats")
    a_paper_of_the_bureau(cast, "plan_approval", "计划审定")
    the_round_moves_on(cast, "公布计划", "ANNOUNCED")
    cast.passer.open(f"{cast.public}/plan")
    cast.passer.sees("共 3 个班")
    cast.until("2026-06-16T09:00")
    the_round_moves_on(cast, "开始报名", "OPEN")


def who_has_no_place_lists_anew(cast: After) -> None:
    """A02 (86) the class NEV, A03 (85) NEV-X before NEV-Y, A11 CARE before WELD, A12 CARE."""
    her = cast.people["A03"]
    her.open("/me/")
    her.sees("志愿还没有提交，不算数。")
    cast.shows(her, "second-home")
    for code in ("NEV-Y", "NEV-X"):
        her.open(f"{cast.me}/classes")
        her.follow("NEV 班")
        seats = her.page.get_by_role("main").get_by_role("listitem").filter(has_text=code)
        with her.page.expect_navigation():
            seats.get_by_role("button", name="只填这家企业").click()
    her.press("第 2 志愿上移")
    assert ranked(her) == ["NEV-X", "NEV-Y"]
    cast.shows(her, "second-list", english=True)
    she_submits(her)
    for number, classes in (("A02", ["NEV"]), ("A11", ["CARE", "WELD"]), ("A12", ["CARE"])):
        her = cast.people[number]
        she_fills_in(cast, her, *(f"{code} 班" for code in classes))
        assert ranked(her) == classes
        she_submits(her)


def it_is_matched_and_published(cast: After) -> None:
    lists_are_closed(cast, "2026-06-17T18:00", (cast.people["A02"], cast.people["A03"]))
    lists_are_frozen(cast, 4)
    cast.until("2026-06-19T10:00")
    the_draw_is_typed(cast)
    the_draw_is_confirmed(cast)
    the_result_is_approved(cast, "second-approval")
    the_result_is_published(cast, cast.people["A03"], 2)
    cast.shows(cast.passer, "second-notice")


def they_learn_where_they_are(cast: After) -> None:
    """NEV-X takes A02 before A03, who goes to her second choice; with A02 X has all the people it may
    have, so that CARE is closed to A11, and WELD's seat is not for her; A12 was absent from the test."""
    assert cast.placed() == {"A02": "NEV-X", "A03": "NEV-Y", "A11": "", "A12": ""}
    told = {
        "A02": "您被第 1 志愿录取。", "A03": "您被第 2 志愿录取。", "A11": "未录取", "A12": "未录取",
    }  # fmt: skip
    for number, words in told.items():
        her = cast.people[number]
        her.open(f"{cast.me}/result")
        her.sees(words)
    cast.people["A03"].sees("远航装备")
    cast.shows(cast.people["A03"], "second-result", english=True)


def the_bundle_names_the_round_before(cast: After, folder: Path) -> None:
    the_bundle_is_checked(cast, folder)
    fixed = json.loads((folder / "commitment.json").read_text(encoding="utf-8"))
    assert fixed["follows"] == {"round": SERIAL, "chain": cast.closing}
    with cast.database() as session:
        before = session.scalars(select(Round).where(Round.serial == SERIAL)).one()
        assert before.state == "FINAL" and before.waiting_end_digest == cast.closing


def the_figures_of_both_rounds_add_up(cast: After) -> None:
    """The plan of the next round, 5, is what was vacant, 8, without TEXT's 3; two of it are placed.

    Of the year's 16 seats 8 are confirmed, 2 placed now, 3 vacant still, and 3 of TEXT.  Of the 11 who
    were placed in the first round, 5 got their first choice, A03, A04, A10 and A11 another one, A06 was
    adjusted, and A09 was called.
    """
    bureau = cast.bureau
    bureau.open(f"/bureau/{SERIAL}/statistics?by=enterprise")
    assert figures(bureau, COLUMNS) == BY_ENTERPRISE
    columns = (
        "计划班数", "计划人数", "报名人数", "录取人数", "其中第一志愿", "其中其他志愿", "其中调剂", "缺额",
    )  # fmt: skip
    bureau.open(f"/bureau/{NEXT}/statistics?by=enterprise")
    assert figures(bureau, columns) == {
        "X 星河汽车": ("2", "2", "4", "1", "1", "0", "0", "1"),
        "Y 远航装备": ("1", "2", "2", "1", "0", "1", "0", "1"),
        "Z 正和纺织": ("1", "1", "1", "0", "0", "0", "0", "1"),
        "合计": ("3", "5", "4", "2", "1", "1", "0", "3"),
    }
    bureau.open(f"/bureau/{NEXT}/statistics?by=round")
    first, second = (row for name, row in figures(bureau, columns).items() if name != "合计")
    assert first == ("5", "16", "12", "11", "5", "4", "1", "8")
    assert second == ("3", "5", "4", "2", "1", "1", "0", "3")
    cast.shows(bureau, "second-statistics")


def test_the_second_half_of_a_round_and_the_next(cast: After, tmp_path: Path) -> None:
    she_asks_for_a_recheck(cast)
    two_people_uphold_it(cast)
    the_successor_is_published(cast)
    confirming_begins(cast)
    somebody_accepts_with_her_guardian(cast)
    somebody_declines(cast)
    others_answer(cast)
    the_waiting_list_calls_a_successor(cast)
    four_sign(cast)
    silence_ends_and_the_list_with_it(cast)
    a_class_below_its_minimum_is_kept(cast)
    somebody_checks_in(cast)
    the_round_ends(cast)
    the_bureau_reads_figures_counted_by_hand(cast)
    seats = cast.held()
    the_next_round_is_opened(cast)
    its_plan_is_announced(cast)
    who_has_no_place_lists_anew(cast)
    it_is_matched_and_published(cast)
    they_learn_where_they_are(cast)
    the_bundle_names_the_round_before(cast, tmp_path / "bundle")
    the_figures_of_both_rounds_add_up(cast)
    assert cast.held() == seats
    with cast.database() as session:
        assert list(audit.broken(session)) == []
    assert not cast.wrong, "\n".join(cast.wrong)
