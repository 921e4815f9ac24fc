"""One round as its people live it: from an empty system to reasons, own lines and a checked bundle.

Two coordinators, a college, an enterprise, two applicants on telephones (one without scripts) and a
passer-by, each with a browser of their own; workbooks are downloaded, filled in and uploaded.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from tests.web import filled, market
from tests.web.browser import DESK, PHONE, Look, Visitors
from tests.web.conftest import PASSWORD, Clock
from web import audit, auth, calendar, db, jobs
from web.models import Applicant, ChoiceList, Placement, Round
from web.sheets import SHEETS

SERIAL = "2026-1"
AT, PUBLIC, ME = f"/coordinator/rounds/{SERIAL}", f"/rounds/{SERIAL}", f"/me/{SERIAL}"
OPENS, DEADLINE = "2026-06-08T09:00", "2026-06-20T18:00"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DICE = "2718 2818 2845 9045 2353"
ENTERED = 8
"""So many people apply on paper and are entered by a workbook; two more apply by themselves."""

ANNA, BOLIN = "古丽·阿依", "欧阳𬭎"
BORN = {ANNA: date(2006, 3, 4), BOLIN: date(2007, 5, 6)}


# --- people -----------------------------------------------------------------------------------


@dataclass
class Somebody:
    """A person at a browser, who logs in where a page asks for it."""

    page: Page
    username: str = ""
    password: str = PASSWORD
    phone: bool = False

    def open(self, path: str) -> None:
        """Go to a page, past the login if need be."""
        self.page.goto(path)
        if "/login" in self.page.url and path != "/login":
            self.fill({"username": self.username, "password": self.password})
            self.press("登录")
            self.page.goto(path)
        if "/verify" in self.page.url:
            self.fill({"password": self.password})
            self.press("继续")

    def press(self, name: str) -> None:
        """Press a button of the page, and wait for the answer."""
        with self.page.expect_navigation():
            self.page.get_by_role("main").get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """Follow a link of the page."""
        self.page.locator("main a").get_by_text(name, exact=True).first.click()

    def fill(self, values: Mapping[str, str]) -> None:
        """Fill in fields by their names."""
        for name, value in values.items():
            place = self.page.locator(f"main [name={name}]")
            if place.evaluate("e => e.tagName") == "SELECT":
                place.select_option(value)
            else:
                place.fill(value)

    def check(self, *names: str) -> None:
        """Tick boxes by their names."""
        for name in names:
            self.page.locator(f"main [name={name}]").check()

    def sees(self, text: str) -> None:
        """There is this text on the page."""
        expect(self.page.get_by_role("main").get_by_text(text).first).to_be_visible()

    def takes(self, button: Locator) -> bytes:
        """The file that comes at a click."""
        with self.page.expect_download() as coming:
            button.click()
        return Path(coming.value.path()).read_bytes()

    def sends(self, sheet: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Download a template, fill it in, upload it, read the preview, store it."""
        self.open(f"/exchange/{SERIAL}/{sheet}")
        template = self.takes(self.page.get_by_role("link", name="下载模板"))
        book = filled.fill(template, sheet, rows)
        name = f"{SHEETS[sheet].title}.xlsx"
        self.page.set_input_files(
            "[name=file]", {"name": name, "mimeType": XLSX, "buffer": book}
        )  # fmt: skip
        self.press("上传并检查")
        self.sees("下一步")
        if self.page.locator("[name=accepted]").count():  # something to be looked at twice
            self.check("accepted")
        self.press("全部存入")
        self.sees("已全部存入。")

    def waits_for(self, *reasons: str) -> None:
        """The round's next step is blocked, for these reasons among others."""
        self.open(f"{AT}/")
        for reason in reasons:
            self.sees(reason)


@dataclass
class Cast:
    """Everybody, the clock, and what was wrong with any page that was looked at."""

    app: Flask
    clock: Clock
    visitors: Visitors
    look: Look
    first: Somebody = field(init=False)
    second: Somebody = field(init=False)
    college: Somebody = field(init=False)
    enterprise: Somebody = field(init=False)
    passer: Somebody = field(init=False)
    anna: Somebody = field(init=False)
    bolin: Somebody = field(init=False)
    numbers: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def shows(self, who: Somebody, name: str, english: bool = False) -> None:
        """Look at the page somebody has before her, in English as well if that is asked."""
        self.wrong += self.look(who.page, f"story-{name}")
        size = PHONE if who.phone else DESK
        if english:
            self._speak(who, "en")
            self.wrong += self.look(who.page, f"story-{name}-en")
            self._speak(who, "zh")
        who.page.emulate_media(color_scheme="light")
        who.page.set_viewport_size({"width": size[0], "height": size[1]})

    def _speak(self, who: Somebody, language: str) -> None:
        cookie = {"name": "lang", "value": language, "url": self.visitors.address}
        who.page.context.add_cookies([cookie])  # type: ignore[list-item]
        who.page.reload()

    def until(self, moment: str) -> None:
        """Let the clock reach a moment of the city."""
        self.clock.moment = calendar.parse_local(moment)

    @contextmanager
    def database(self) -> Iterator[Any]:
        """What is stored, to be read."""
        with self.app.app_context():
            yield db.reading()

    def state(self) -> str:
        """The state of the round as it is stored."""
        with self.database() as session:
            return str(session.query(Round).one().state)

    def works(self) -> None:
        """The worker carries out what is queued."""
        with self.app.app_context():
            assert jobs.work_once()


@pytest.fixture
def cast(app: Flask, clock: Clock, visitors: Visitors, look: Look) -> Cast:
    """An empty system with its two coordinators, as it is installed."""
    made = Cast(app, clock, visitors, look)
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


def a_round_is_made(cast: Cast) -> None:
    first = cast.first
    first.open("/coordinator/")
    first.follow("新建轮次")
    first.fill({"serial": SERIAL, "title": "2026 年秋季首轮", "year": "2026", "season": "autumn"})
    first.press("建立")
    first.sees("已建立轮次")
    first.waits_for("计划里还没有班级", "还没填报名起止时间", "还没登记人社局的计划审定")
    cast.shows(first, "blocked", english=True)
    first.open(f"{AT}/dates")
    first.fill({"opens_at": OPENS, "deadline_at": DEADLINE,
                "draw_event": "6 月 30 日上午，公证处掷二十枚十面骰；未成则次日见证人面前掷"})  # fmt: skip
    first.press("保存")
    first.sends("colleges", [filled.example("colleges")])
    first.sends("enterprises", [filled.example("enterprises")])


def offices_get_their_accounts(cast: Cast) -> None:
    for who, role, office in ((cast.college, "college", "C01"), (cast.enterprise, "enterprise", "E01")):  # fmt: skip
        cast.first.open("/coordinator/users")
        cast.first.fill({"username": f"{role}1", "name": "经办", "role": role})
        label = cast.first.page.locator(f"[name={role}] option", has_text=office).inner_text()
        cast.first.page.locator(f"[name={role}]").select_option(label=label)
        cast.first.press("建立账号")
        codes = cast.first.page.locator("dl code").all_inner_texts()
        who.username, who.password = codes


def the_plan_is_made_and_confirmed(cast: Cast) -> None:
    cast.enterprise.sends("demands", [filled.example("demands")])
    plan = [
        filled.example("classes", code="K001", major="模具制造", seats=3, seats1=3, min_size=2),
        filled.example("classes", code="K002", major="数控加工", seats=5, seats1=5, min_size=2),
        filled.example("classes", code="K003", major="工业机器人", seats=2, seats1=2, min_size=1),
    ]
    cast.college.sends("classes", plan)
    cast.first.waits_for("3 个班院校还没确认：K001、K002、K003", "3 处席位企业还没确认")
    for code in ("K001", "K002", "K003"):
        cast.college.open(f"/college/{SERIAL}/classes/{code}")
        cast.college.press("核对无误，确认班级")
        cast.enterprise.open(f"/enterprise/{SERIAL}/")
        cast.enterprise.follow(f"{code}-1")
        cast.enterprise.press("核对无误，确认席位")
    cast.college.open(f"/college/{SERIAL}/")
    cast.shows(cast.college, "college", english=True)


def a_paper_of_the_bureau(cast: Cast, kind: str, title: str) -> None:
    cast.first.open(f"{AT}/records")
    cast.first.fill({f"{kind}-authority": "市人社局", f"{kind}-document": "〔2026〕7 号",
                     f"{kind}-dated": "2026-06-01"})  # fmt: skip
    cast.first.press(f"登记{title}")
    cast.first.sees("等另一位协调员确认。")
    cast.second.open(f"{AT}/records")
    cast.second.press(f"我核对过，确认{title}")


def the_plan_is_announced(cast: Cast) -> None:
    a_paper_of_the_bureau(cast, "plan_approval", "计划审定")
    cast.passer.open("/")
    cast.passer.sees("还没有公布的招生轮次")
    cast.first.open(f"{AT}/")
    cast.first.press("公布计划")
    cast.first.waits_for("还没到报名开始时间")
    cast.passer.open(f"{PUBLIC}/plan")
    cast.passer.sees("共 3 个班")
    cast.passer.open("/account/register")
    cast.passer.sees("现在没有正在报名的轮次。")
    cast.until(OPENS)
    cast.first.open(f"{AT}/")
    cast.first.press("开始报名")
    assert cast.state() == "OPEN"


def somebody_applies(cast: Cast, who: Somebody, name: str, serial: int) -> None:
    """By herself: from the first page through every step."""
    who.password = f"{PASSWORD} {serial}"
    who.open("/account/register")
    who.fill({"number": market.number(BORN[name], serial), "name": name,
              "password": who.password, "again": who.password})  # fmt: skip
    who.press("注册")
    who.username = who.page.locator("section.next strong").last.inner_text()
    who.open("/me/")
    who.page.locator("section.next a").click()
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


def a_list_is_ranked_and_submitted(cast: Cast, who: Somebody) -> None:
    for major in ("数控加工", "模具制造"):
        who.open(f"{ME}/classes")
        who.page.get_by_role("main").get_by_role("link", name=major).click()
        who.press("填入志愿")
    assert ranked(who) == ["K002", "K001"]
    who.press("第 2 志愿上移")
    assert ranked(who) == ["K001", "K002"]
    who.press("第 1 志愿下移")
    who.press("第 2 志愿上移")
    who.sees("不算数，提交才算")
    if who is cast.anna:
        cast.shows(who, "list", english=True)
    who.press("保存并去提交")
    who.press("提交，让这一份算数")
    who.sees("提交成功，这一份算数。")
    assert who.takes(who.page.get_by_role("button", name="下载回执（PDF）")).startswith(b"%PDF")
    if who is cast.anna:
        cast.shows(who, "receipt", english=True)


def ranked(who: Somebody) -> list[str]:
    return [one.get_attribute("value") or "" for one in who.page.locator("[name=choice]").all()]


def people_apply(cast: Cast) -> None:
    for serial, (who, name) in enumerate(((cast.anna, ANNA), (cast.bolin, BOLIN)), start=1):
        somebody_applies(cast, who, name, serial)
        a_list_is_ranked_and_submitted(cast, who)
    adult = {"fresh": "否", "employment": "灵活就业", "group1": "其他有技能提升意愿人员",
             "guardian": None, "guardian_telephone": None}  # fmt: skip
    paper = [
        filled.applicant(n, number=filled.identity(n, "20060708"), **adult)
        for n in range(1, ENTERED + 1)
    ]
    cast.first.sends("applicants", paper)
    second_person(cast)
    wishes = [("K001",)] * 3 + [("K001", "K002")] + [("K002", "K001")] * 4
    lines = [
        filled.choice(n, rank, code, adjusted="否", adjustment=None)
        for n, wish in enumerate(wishes, start=1)
        for rank, code in enumerate(wish, start=1)
    ]
    cast.first.sends("choices", lines)
    second_person(cast)
    with cast.database() as session:
        cast.numbers = sorted(a.number for a in session.query(Applicant))
    assert len(cast.numbers) == ENTERED + 2


def second_person(cast: Cast) -> None:
    """The other coordinator compares a batch that was stored with the papers."""
    cast.second.open(cast.first.page.url)
    cast.second.press("整批复核无误")
    cast.second.sees("复核人")


def the_deadline_passes(cast: Cast) -> None:
    cast.until(DEADLINE)
    for who in (cast.anna, cast.bolin):
        who.open(f"{ME}/list")
        who.sees("现在不能改")
        expect(who.page.get_by_role("button", name="保存并去提交")).to_have_count(0)
    assert cast.state() == "OPEN"  # the clock has decided before anybody records it
    cast.first.open(f"{AT}/")
    cast.first.press("截止报名")
    assert cast.state() == "REVIEW"


def people_are_reviewed(cast: Cast) -> None:
    college = cast.college
    for who in (cast.anna, cast.bolin):
        college.open(f"/college/{SERIAL}/applicants?state=submitted")
        college.follow(who.username)
        college.page.get_by_label("通过", exact=True).check()
        college.press("记录结论")
    rest = [filled.example("reviews", applicant=n) for n in cast.numbers if n.startswith("A")]
    college.sends("reviews", rest)
    with cast.database() as session:
        assert {a.state for a in session.query(Applicant)} == {"passed"}


def scores_are_entered_and_confirmed(cast: Cast) -> None:
    points = {cast.anna.username: 72, cast.bolin.username: 91}
    points |= {f"A{n:04d}": 94 - 4 * n for n in range(1, ENTERED + 1)}
    cast.college.sends("scores", [
        filled.example("scores", applicant=who, culture=point, skill=point, checked="另一人")
        for who, point in points.items()
    ])  # fmt: skip
    cast.first.open(f"{AT}/scores")
    cast.first.press("我核对过，确认 CH1")
    cast.enterprise.sends("scores", [
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


def wish_of(cast: Cast, number: str) -> list[str]:
    with cast.database() as session:
        lists = session.query(ChoiceList).join(Applicant).filter(Applicant.number == number)
        return list(lists.filter(ChoiceList.number > 0).one().choices)


def figures_are_doubted(cast: Cast) -> None:
    cast.first.open(f"{AT}/doubts")
    cast.first.press("重新检查")
    cast.first.sees("K003：席位 2 个，没有人填报")
    cast.first.page.get_by_label("为什么是对的 · K003").fill("新专业，首年招生，席位经三方核对")
    cast.first.press("保存说明")
    cast.first.waits_for("1 个可疑数字还没有说明和确认")
    cast.second.open(f"{AT}/doubts")
    cast.second.press("确认说明 K003")


def trials_are_compared(cast: Cast) -> None:
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


def lists_are_frozen(cast: Cast) -> None:
    cast.first.open(f"{AT}/")
    cast.first.follow("锁定志愿")
    cast.first.press("锁定志愿并公布承诺")
    cast.first.sees("志愿已锁定，承诺已公布")
    cast.passer.open(f"{PUBLIC}/draw")
    cast.passer.sees("申请人 10 名")
    cast.passer.sees("2 次，用试算种子")


def the_draw_is_typed_by_two(cast: Cast) -> None:
    cast.first.waits_for("公布承诺满一天后才能摇号")
    cast.until("2026-06-30T10:00")
    cast.first.open(f"{AT}/draw")
    cast.first.fill({"value": DICE[:-1], "witnesses": "公证处 甲、乙"})
    cast.first.press("录入摇号结果")
    cast.first.sees("要 20 位数字，现在是 19 位")
    cast.first.fill({"value": DICE})
    cast.first.press("录入摇号结果")
    cast.first.sees("已录入，请另一位协调员再录一遍")
    cast.second.open(f"{AT}/draw")
    assert DICE.replace(" ", "") not in cast.second.page.content()
    cast.second.page.locator("#again").fill(DICE[::-1])
    cast.second.press("确认摇号结果")
    cast.second.sees("两遍录的不一样")
    cast.second.page.locator("#again").fill(DICE)
    cast.second.press("确认摇号结果")
    cast.second.sees("摇号结果已确认，正式匹配已开始")
    cast.works()


def the_result_is_approved(cast: Cast) -> None:
    cast.first.waits_for("还没登记人社局的结果备案")
    a_paper_of_the_bureau(cast, "result_filing", "结果备案")
    cast.second.open(f"{AT}/approval")
    cast.second.sees("还不能审定")  # who confirmed the draw started the run
    cast.first.open(f"{AT}/approval")
    cast.shows(cast.first, "approval", english=True)
    cast.first.check("read")
    cast.first.press("审定")
    cast.first.sees("已审定")
    assert cast.state() == "APPROVED"


def the_result_is_published(cast: Cast) -> None:
    cast.anna.open(f"{ME}/result")
    cast.anna.sees("录取结果")
    expect(cast.anna.page.get_by_text("核对码")).to_have_count(0)
    cast.second.open(f"{AT}/publish")
    cast.second.check("read")
    cast.second.press("公示")
    cast.second.sees("已公示，公示期开始")
    assert cast.state() == "PUBLISHED"
    cast.passer.open(f"{PUBLIC}/notice")
    cast.passer.sees("录取 8 人")
    assert ANNA not in cast.passer.page.content()
    cast.shows(cast.passer, "notice", english=True)
    cast.passer.open(f"{PUBLIC}/result")
    cast.passer.sees("已证明")
    cast.passer.sees("未开班")
    cast.shows(cast.passer, "result")


def everybody_learns_why(cast: Cast, folder: Path) -> None:
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


def the_bundle_is_checked(cast: Cast, folder: Path) -> None:
    cast.second.open(f"{AT}/publish")
    data = cast.second.takes(cast.second.page.get_by_role("button", name="下载全包"))
    (folder / "bundle.zip").write_bytes(data)
    with zipfile.ZipFile(folder / "bundle.zip") as archive:
        archive.extractall(folder / "bundle")
    assert alone(folder / "bundle", "verify.py", "round") == 0


def alone(folder: Path, *arguments: str) -> int:
    """Run a file that was handed out with nothing but the standard library; its exit status."""
    return subprocess.run(
        [sys.executable, "-I", *arguments], cwd=folder, capture_output=True, check=False
    ).returncode


def test_a_round_from_the_first_page_to_the_last_check(cast: Cast, tmp_path: Path) -> None:

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
    lists_are_frozen(cast)
    the_draw_is_typed_by_two(cast)
    the_result_is_approved(cast)
    the_result_is_published(cast)
    handed = tmp_path / "handed out"
    handed.mkdir()
    everybody_learns_why(cast, handed)
    the_bundle_is_checked(cast, handed)
    with cast.database() as session:
        assert session.query(Placement).count() == ENTERED + 2
        assert list(audit.broken(session)) == []
    assert not cast.wrong, "\n".join(cast.wrong)
