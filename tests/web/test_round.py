"""One round as its people live it: from an empty system to reasons, own lines and a checked bundle.

Two coordinators, a college, an enterprise, two applicants on telephones (one without scripts) and a
passer-by, each with a browser of their own; workbooks are downloaded, filled in and uploaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from flask import Flask

from tests.web import filled, market
from tests.web.browser import PHONE, Look, Visitors
from tests.web.cast import (
    DICE,
    SERIAL,
    Cast,
    Somebody,
    a_doubt_is_explained,
    a_paper_of_the_bureau,
    alone,
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
from web import audit, auth, db
from web.models import Applicant, ChoiceList, Placement

AT, PUBLIC, ME = f"/coordinator/rounds/{SERIAL}", f"/rounds/{SERIAL}", f"/me/{SERIAL}"
OPENS, DEADLINE = "2026-06-08T09:00", "2026-06-20T18:00"
ENTERED = 8
"""So many people apply on paper and are entered by a workbook; two more apply by themselves."""

ANNA, BOLIN = "古丽·阿依", "欧阳𬭎"
BORN = {ANNA: date(2006, 3, 4), BOLIN: date(2007, 5, 6)}


@dataclass
class Story(Cast):
    """Everybody of this story, and the numbers of those who applied."""

    anna: Somebody = field(init=False)
    bolin: Somebody = field(init=False)
    numbers: list[str] = field(default_factory=list)


@pytest.fixture
def cast(app: Flask, clock: Clock, visitors: Visitors, look: Look) -> Story:
    """An empty system with its two coordinators, as it is installed."""
    made = Story(app, clock, visitors, look)
    with app.app_context(), db.writing() as session:
        for number, name in ((1, "周协调"), (2, "吴协调")):
            auth.create_user(session, f"coordinator{number}", PASSWORD, "coordinator", name=name)
    made.first = Somebody(visitors(), "coordinator1")
    made.second = Somebody(visitors(), "coordinator2")
    made.college, made.enterprise = Somebody(visitors()), Somebody(visitors())
    made.passer = Somebody(visitors())
    made.anna = Somebody(visitors(size=PHONE), phone=True)
    made.bolin = Somebody(visitors(size=PHONE, scripts=False), phone=True)
    return made


# --- the story --------------------------------------------------------------------------------


def a_round_is_made(cast: Story) -> None:
    first = cast.first
    first.open("/coordinator/")
    first.follow("新建轮次")
    first.fill({"serial": SERIAL, "title": "2026 年秋季首轮", "year": "2026", "season": "autumn"})
    first.press("建立")
    first.sees("已建立轮次")
    cast.waits_for("计划里还没有班级", "还没填报名起止时间", "还没登记人社局的计划审定")
    cast.shows(first, "blocked", english=True)
    dates_are_set(
        cast, OPENS, DEADLINE, "6 月 30 日上午，公证处掷二十枚十面骰；未成则次日见证人面前掷"
    )
    cast.sends(first, "colleges", [filled.example("colleges")])
    cast.sends(first, "enterprises", [filled.example("enterprises")])


def offices_get_their_accounts(cast: Story) -> None:
    for who, role, office in ((cast.college, "college", "C01"), (cast.enterprise, "enterprise", "E01")):  # fmt: skip
        cast.first.open("/coordinator/users")
        cast.first.fill({"username": f"{role}1", "name": "经办", "role": role})
        label = cast.first.page.locator(f"[name={role}] option", has_text=office).inner_text()
        cast.first.page.locator(f"[name={role}]").select_option(label=label)
        cast.first.press("建立账号")
        codes = cast.first.page.locator("dl code").all_inner_texts()
        who.username, who.password = codes


def the_plan_is_made_and_confirmed(cast: Story) -> None:
    cast.sends(cast.enterprise, "demands", [filled.example("demands")])
    plan = [
        filled.example("classes", code="K001", major="模具制造", seats=3, seats1=3, min_size=2),
        filled.example("classes", code="K002", major="数控加工", seats=5, seats1=5, min_size=2),
        filled.example("classes", code="K003", major="工业机器人", seats=2, seats1=2, min_size=1),
    ]
    cast.sends(cast.college, "classes", plan)
    cast.waits_for("3 个班院校还没确认：K001、K002、K003", "3 处席位企业还没确认")
    for code in ("K001", "K002", "K003"):
        both_sides_confirm(cast, cast.college, code, {f"{code}-1": cast.enterprise})
    cast.college.open(f"/college/{SERIAL}/")
    cast.shows(cast.college, "college", english=True)


def the_plan_is_announced(cast: Story) -> None:
    a_paper_of_the_bureau(cast, "plan_approval", "计划审定")
    cast.passer.open("/")
    cast.passer.sees("还没有公布的招生轮次")
    the_round_moves_on(cast, "公布计划", "ANNOUNCED")
    cast.waits_for("还没到报名开始时间")
    cast.passer.open(f"{PUBLIC}/plan")
    cast.passer.sees("共 3 个班")
    cast.passer.open("/account/register")
    cast.passer.sees("现在没有正在报名的轮次。")
    cast.until(OPENS)
    the_round_moves_on(cast, "开始报名", "OPEN")


def somebody_applies(cast: Story, who: Somebody, name: str, serial: int) -> None:
    """By herself: from the first page through every step."""
    who.password = f"{PASSWORD} {serial}"
    who.open("/account/register")
    who.fill({"number": market.number(BORN[name], serial), "name": name,
              "password": who.password, "again": who.password})  # fmt: skip
    who.press("注册")
    who.username = who.page.locator("section.next strong").last.inner_text()
    who.open("/me/")
    who.goes_on()
    who.fill({"telephone": f"1380000000{serial}", "district": "371002"})
    who.press("保存，下一步")
    who.fill({"education": "61"})
    who.page.get_by_label("全日制", exact=True).check()
    who.press("保存，下一步")
    if who is cast.anna:
        cast.shows(who, "step", english=True)
    who.page.get_by_label("其他有技能提升意愿人员").check()
    who.press("保存，下一步")
    for box in who.page.locator("section.consent input").all():
        box.check()
    who.press("保存，下一步")


def a_list_is_ranked_and_submitted(cast: Story, who: Somebody) -> None:
    she_fills_in(cast, who, "数控加工", "模具制造")
    assert ranked(who) == ["K002", "K001"]
    who.press("第 2 志愿上移")
    assert ranked(who) == ["K001", "K002"]
    who.press("第 1 志愿下移")
    who.press("第 2 志愿上移")
    who.sees("不算数，提交才算")
    if who is cast.anna:
        cast.shows(who, "list", english=True)
    she_submits(who)
    assert who.takes(who.page.get_by_role("button", name="下载回执（PDF）")).startswith(b"%PDF")
    if who is cast.anna:
        cast.shows(who, "receipt", english=True)


def people_apply(cast: Story) -> None:
    for serial, (who, name) in enumerate(((cast.anna, ANNA), (cast.bolin, BOLIN)), start=1):
        somebody_applies(cast, who, name, serial)
        a_list_is_ranked_and_submitted(cast, who)
    adult = {"fresh": "否", "employment": "灵活就业", "group1": "其他有技能提升意愿人员",
             "guardian": None, "guardian_telephone": None}  # fmt: skip
    paper = [
        filled.applicant(n, number=filled.identity(n, "20060708"), **adult)
        for n in range(1, ENTERED + 1)
    ]
    cast.sends(cast.first, "applicants", paper)
    second_person(cast)
    wishes = [("K001",)] * 3 + [("K001", "K002")] + [("K002", "K001")] * 4
    lines = [
        filled.choice(n, rank, code, adjusted="否", adjustment=None)
        for n, wish in enumerate(wishes, start=1)
        for rank, code in enumerate(wish, start=1)
    ]
    cast.sends(cast.first, "choices", lines)
    second_person(cast)
    with cast.database() as session:
        cast.numbers = sorted(a.number for a in session.query(Applicant))
    assert len(cast.numbers) == ENTERED + 2


def second_person(cast: Story) -> None:
    """The other coordinator compares a batch that was stored with the papers."""
    cast.second.open(cast.first.page.url)
    cast.second.press("整批复核无误")
    cast.second.sees("复核人")


def the_deadline_passes(cast: Story) -> None:
    lists_are_closed(cast, DEADLINE, (cast.anna, cast.bolin))


def people_are_reviewed(cast: Story) -> None:
    college = cast.college
    for who in (cast.anna, cast.bolin):
        college.open(f"/college/{SERIAL}/applicants?state=submitted")
        college.follow(who.username)
        college.page.get_by_label("通过", exact=True).check()
        college.press("记录结论")
    rest = [filled.example("reviews", applicant=n) for n in cast.numbers if n.startswith("A")]
    cast.sends(college, "reviews", rest)
    with cast.database() as session:
        assert {a.state for a in session.query(Applicant)} == {"passed"}


def scores_are_entered_and_confirmed(cast: Story) -> None:
    points = {cast.anna.username: 72, cast.bolin.username: 91}
    points |= {f"A{n:04d}": 94 - 4 * n for n in range(1, ENTERED + 1)}
    cast.sends(cast.college, "scores", [
        filled.example("scores", applicant=who, culture=point, skill=point, checked="另一人")
        for who, point in points.items()
    ])  # fmt: skip
    cast.first.open(f"{AT}/scores")
    cast.first.press("我核对过，确认 CH1")
    cast.sends(cast.enterprise, "scores", [
        filled.example("scores", applicant=who, order_class=code, culture=None, skill=None,
                       interview=point, checked="另一人")
        for who, point in points.items() for code in ("K001", "K002")
        if code in wish_of(cast, who)
    ])  # fmt: skip
    cast.second.open(f"{AT}/scores")
    cast.shows(cast.second, "scores")
    for code in ("K001-1", "K002-1"):
        cast.second.press(f"我核对过，确认 {code}")
    cast.second.sees("没有等着确认的成绩。")


def wish_of(cast: Story, number: str) -> list[str]:
    with cast.database() as session:
        lists = session.query(ChoiceList).join(Applicant).filter(Applicant.number == number)
        return list(lists.filter(ChoiceList.number > 0).one().choices)


def figures_are_doubted(cast: Story) -> None:
    a_doubt_is_explained(cast, "K003", "席位 2 个，没有人填报", "新专业，首年招生，席位经三方核对")


def trials_are_compared(cast: Story) -> None:
    for label, mechanism in (("公平录取", "stable"), ("系统优化", "optimal")):
        cast.first.open(f"{AT}/runs")
        cast.first.fill({"label": label, "mechanism-name": mechanism})
        cast.first.press("开始试算")
        cast.works()
        cast.first.page.reload()
        cast.first.sees("已检验")
    cast.first.sees("多一个席位值多少")
    cast.first.open(f"{AT}/runs")
    for box in cast.first.page.get_by_role("checkbox").all():
        box.check()
    cast.first.press("并排比较所选（两个或三个）")
    cast.first.sees("谁的去向变了")
    cast.shows(cast.first, "compare", english=True)


def trials_are_counted(cast: Story) -> None:
    cast.passer.sees("2 次，用试算种子")


def the_draw_is_typed_by_two(cast: Story) -> None:
    cast.waits_for("公布承诺满一天后才能摇号")
    cast.until("2026-06-30T10:00")
    cast.first.open(f"{AT}/draw")
    cast.first.fill({"value": DICE[:-1], "witnesses": "公证处 甲、乙"})
    cast.first.press("录入摇号结果")
    cast.first.sees("要 20 位数字，现在是 19 位")
    the_draw_is_typed(cast)
    cast.second.page.locator("#again").fill(DICE[::-1])
    cast.second.press("确认摇号结果")
    cast.second.sees("两遍录的不一样")
    the_draw_is_confirmed(cast)


def everybody_reads_the_notice(cast: Story) -> None:
    assert ANNA not in cast.passer.page.content()
    cast.shows(cast.passer, "notice", english=True)
    cast.passer.open(f"{PUBLIC}/result")
    cast.passer.sees("已证明")
    cast.passer.sees("未开班")
    cast.shows(cast.passer, "result")


def everybody_learns_why(cast: Story, folder: Path) -> None:
    cast.anna.open(f"{ME}/result")
    cast.anna.sees("您被第 2 志愿录取。")
    cast.anna.sees("您 72 分。")
    cast.shows(cast.anna, "anna", english=True)
    cast.bolin.open(f"{ME}/result")
    cast.bolin.sees("模具制造")
    program = folder / "check_line.py"
    cast.passer.open("/how-to-check")
    program.write_bytes(cast.passer.takes(cast.passer.page.get_by_role("link", name="check_line.py")))  # fmt: skip
    root = cast.passer.page.locator("code.digest").inner_text()
    for who, other in ((cast.anna, cast.bolin), (cast.bolin, cast.anna)):
        code = who.page.locator("dl.digest code").first.inner_text()
        assert other.username not in who.page.content()
        line = folder / f"{who.username}.json"
        line.write_text(code, encoding="utf-8")
        assert alone(folder, program.name, line.name, root) == 0
        line.write_text(code.replace(who.username, other.username), encoding="utf-8")
        assert alone(folder, program.name, line.name, root) == 1


def test_a_round_from_the_first_page_to_the_last_check(cast: Story, tmp_path: Path) -> None:

    a_round_is_made(cast)
    offices_get_their_accounts(cast)
    the_plan_is_made_and_confirmed(cast)
    the_plan_is_announced(cast)
    people_apply(cast)
    the_deadline_passes(cast)
    people_are_reviewed(cast)
    scores_are_entered_and_confirmed(cast)
    figures_are_doubted(cast)
    trials_are_compared(cast)
    lists_are_frozen(cast, ENTERED + 2)
    trials_are_counted(cast)
    the_draw_is_typed_by_two(cast)
    the_result_is_approved(cast, "approval")
    the_result_is_published(cast, cast.anna, ENTERED)
    everybody_reads_the_notice(cast)
    handed = tmp_path / "handed out"
    handed.mkdir()
    everybody_learns_why(cast, handed)
    the_bundle_is_checked(cast, handed / "bundle")
    with cast.database() as session:
        assert session.query(Placement).count() == ENTERED + 2
        assert list(audit.broken(session)) == []
    assert not cast.wrong, "\n".join(cast.wrong)
