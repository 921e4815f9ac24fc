"""The round of ``data/example`` after its publication, as its people live it to the next round.

An appeal is upheld and its successor published; places are accepted, declined and called; an agreement
is signed by four, one person checks in, a class below its minimum is ruled on, the round ends, and the
bureau reads figures that were worked out by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select

from tests.web import signed
from tests.web.a_round import BEGINNING, SERIAL, standing
from tests.web.browser import PHONE, Look, Visitors
from tests.web.conftest import PASSWORD, Clock
from tests.web.test_round import AT, ME, Cast, Somebody
from web import answers, audit, auth, db, jobs, slips
from web.audit import Actor
from web.models import Applicant, College, Enterprise, Offer, Round, WaitingStep

COUNTER = Actor("college:u1", "college")
PHONES = ("A01", "A02", "A05", "A09")
"""People who answer by themselves.  A01, whom NEV-X took first, is seventeen here."""

GUARDIAN = "张监护"


@dataclass
class After(Cast):
    """Everybody of the second half."""

    bureau: Somebody = field(init=False)
    people: dict[str, Somebody] = field(default_factory=dict)
    code: str = ""

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
        scope = {
            "u1": {"college": session.query(College).filter_by(code="U1").one()},
            "x1": {"enterprise": session.query(Enterprise).filter_by(code="X").one()},
        }
        staff = (("coordinator1", "coordinator"), ("coordinator2", "coordinator"), ("u1", "college"),
                 ("x1", "enterprise"), ("bureau1", "bureau"))  # fmt: skip
        for name, role in staff:
            auth.create_user(
                session, name, PASSWORD, role, name=f"{name} 经办", **scope.get(name, {})
            )
        for number in PHONES:
            auth.create_user(
                session, number.lower(), PASSWORD, "applicant", person=people[number].person,
                name=people[number].person.name,
            )  # fmt: skip
    made.first, made.second, made.college, made.enterprise, made.bureau = (
        Somebody(visitors(), name) for name, _role in staff
    )
    for number in PHONES:  # one of them has a browser without scripts
        page = visitors(size=PHONE, scripts=number != "A02")
        made.people[number] = Somebody(page, number.lower(), phone=True)
    return made


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
    first.page.reload()
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
    cast.first.waits_for("公示期还没结束")


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
    her.page.locator("section.next a").click()
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
    her.page.locator("section.next a").click()
    her.press("接受")
    her.sees("已确认")
    with cast.database() as session:
        assert [step.counts["called"] for step in session.scalars(select(WaitingStep))] == [1]


# --- an agreement -----------------------------------------------------------------------------


def four_sign(cast: After) -> None:
    her = cast.people["A01"]
    her.open("/me/")
    her.page.locator("section.next a").click()  # made when she accepted
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
    cast.first.waits_for("递补还没有结束")
    cast.first.open(f"{AT}/waiting")
    cast.first.press("结束递补")
    cast.first.sees("递补已结束")
    cast.first.waits_for("1 个班不足最低开班人数，还没有决定：NEV")


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
    columns = ("计划人数", "录取人数", "其中第一志愿", "其中调剂", "其中递补", "确认", "签约", "报到", "开班数",
               "未开班数", "缺额")  # fmt: skip
    assert figures(bureau, columns) == {
        "X 星河汽车": ("4", "3", "3", "0", "0", "2", "1", "1", "2", "0", "2"),
        "Y 远航装备": ("5", "4", "1", "1", "0", "3", "0", "0", "2", "0", "2"),
        "Z 正和纺织": ("7", "4", "1", "0", "1", "3", "0", "0", "1", "1", "4"),
        "合计": ("16", "11", "5", "1", "1", "8", "1", "1", "4", "1", "8"),
    }
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


def the_next_round_is_opened(cast: After) -> None:
    """A02, A03, A11 and A12 have no place; NEV lacks nobody as it was kept, TEXT is not offered again.

    Left are 1 seat of NEV-X and 2 of NEV-Y, 1 of CARE, and 1 of WELD, which is for G07.
    """
    cast.first.open(f"{AT}/next")
    cast.first.press("建立下一轮")
    cast.first.sees("2026-2")
    with cast.database() as session:
        made = session.scalars(select(Round).where(Round.serial == "2026-2")).one()
        people = session.scalars(select(Applicant).where(Applicant.round_id == made.id)).all()
        assert len(people) == 4 and made.state == "DRAFT"
    cast.first.open("/coordinator/rounds/2026-2/plan")
    cast.first.sees("NEV")
    expect(cast.first.page.get_by_role("main").get_by_text("TEXT")).to_have_count(0)


def test_the_second_half_of_a_round(cast: After) -> None:
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
    the_next_round_is_opened(cast)
    with cast.database() as session:
        assert list(audit.broken(session)) == []
    assert not cast.wrong, "\n".join(cast.wrong)
