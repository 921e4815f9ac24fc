"""The people of the stories at their browsers, and the steps that every round of a story takes."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Error, Locator, Page, expect

from tests.web import filled
from tests.web.browser import DESK, PHONE, Look, Visitors
from tests.web.conftest import PASSWORD, Clock
from web import calendar, db, jobs
from web.models import Round
from web.sheets import SHEETS

SERIAL = "2026-1"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DICE = "2718 2818 2845 9045 2353"


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
        try:
            self.page.goto(path)
        except Error:  # a page that waits for a run was just loading itself again
            self.page.wait_for_load_state()
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
        with self.page.expect_navigation():
            self.page.locator("main a").get_by_text(name, exact=True).first.click()

    def goes_on(self) -> None:
        """Take the next step that the page names."""
        with self.page.expect_navigation():
            self.page.locator("section.next a").click()

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
    wrong: list[str] = field(default_factory=list)
    serial: str = SERIAL
    """The round that the steps are about."""

    @property
    def at(self) -> str:
        """Where the coordinators have its pages."""
        return f"/coordinator/rounds/{self.serial}"

    @property
    def public(self) -> str:
        """Where everybody has them."""
        return f"/rounds/{self.serial}"

    @property
    def me(self) -> str:
        """Where an applicant has hers."""
        return f"/me/{self.serial}"

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
            return str(session.query(Round).filter_by(serial=self.serial).one().state)

    def works(self) -> None:
        """The worker carries out what is queued."""
        with self.app.app_context():
            assert jobs.work_once()

    def sends(self, who: Somebody, sheet: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Download a template, fill it in, upload it, read the preview, store it."""
        who.open(f"/exchange/{self.serial}/{sheet}")
        template = who.takes(who.page.get_by_role("link", name="下载模板"))
        book = filled.fill(template, sheet, rows)
        name = f"{SHEETS[sheet].title}.xlsx"
        who.page.set_input_files("[name=file]", {"name": name, "mimeType": XLSX, "buffer": book})
        who.press("上传并检查")
        who.sees("下一步")
        if who.page.locator("[name=accepted]").count():  # something to be looked at twice
            who.check("accepted")
        who.press("全部存入")
        who.sees("已全部存入。")

    def waits_for(self, *reasons: str) -> None:
        """The round's next step is blocked, for these reasons among others."""
        self.first.open(f"{self.at}/")
        for reason in reasons:
            self.first.sees(reason)


# --- the plan ---------------------------------------------------------------------------------


def both_sides_confirm(
    cast: Cast, college: Somebody, order_class: str, seats: Mapping[str, Somebody]
) -> None:
    """The college confirms a class, then each enterprise its seats."""
    college.open(f"/college/{cast.serial}/classes/{order_class}")
    college.press("核对无误，确认班级")
    for code, enterprise in seats.items():
        enterprise.open(f"/enterprise/{cast.serial}/")
        enterprise.follow(code)
        enterprise.press("核对无误，确认席位")


def dates_are_set(cast: Cast, opens: str, deadline: str, event: str) -> None:
    cast.first.open(f"{cast.at}/dates")
    cast.first.fill({"opens_at": opens, "deadline_at": deadline, "draw_event": event})
    cast.first.press("保存")


def a_paper_of_the_bureau(cast: Cast, kind: str, title: str) -> None:
    cast.first.open(f"{cast.at}/records")
    cast.first.fill({f"{kind}-authority": "市人社局", f"{kind}-document": "〔2026〕7 号",
                     f"{kind}-dated": "2026-06-01"})  # fmt: skip
    cast.first.press(f"登记{title}")
    cast.first.sees("等另一位协调员确认。")
    cast.second.open(f"{cast.at}/records")
    cast.second.press(f"我核对过，确认{title}")


def the_round_moves_on(cast: Cast, button: str, state: str) -> None:
    """The first coordinator presses the button of the round's next step."""
    cast.first.open(f"{cast.at}/")
    cast.first.press(button)
    assert cast.state() == state


# --- lists ------------------------------------------------------------------------------------


def she_fills_in(cast: Cast, who: Somebody, *classes: str) -> None:
    """Put classes on her list one after the other, from the page of each."""
    for name in classes:
        who.open(f"{cast.me}/classes")
        who.page.get_by_role("main").get_by_role("link", name=name).click()
        who.press("填入志愿")


def she_submits(who: Somebody) -> None:
    who.press("保存并去提交")
    who.press("提交，让这一份算数")
    who.sees("提交成功，这一份算数。")


def ranked(who: Somebody) -> list[str]:
    """Her draft as the page shows it."""
    return [one.get_attribute("value") or "" for one in who.page.locator("[name=choice]").all()]


def lists_are_closed(cast: Cast, deadline: str, people: Iterable[Somebody]) -> None:
    """At the deadline nobody changes a list, whether or not anybody has recorded it."""
    cast.until(deadline)
    for who in people:
        who.open(f"{cast.me}/list")
        who.sees("现在不能改")
        expect(who.page.get_by_role("button", name="保存并去提交")).to_have_count(0)
    assert cast.state() == "OPEN"
    the_round_moves_on(cast, "截止报名", "REVIEW")


# --- from the lists to the result -------------------------------------------------------------


def a_doubt_is_explained(cast: Cast, order_class: str, doubt: str, words: str) -> None:
    """One coordinator says why a figure is right, the other agrees."""
    cast.first.open(f"{cast.at}/doubts")
    cast.first.press("重新检查")
    cast.first.sees(f"{order_class}：{doubt}")
    cast.first.page.get_by_label(f"为什么是对的 · {order_class}").fill(words)
    cast.first.press("保存说明")
    cast.waits_for("1 个可疑数字还没有说明和确认")
    cast.second.open(f"{cast.at}/doubts")
    cast.second.press(f"确认说明 {order_class}")


def lists_are_frozen(cast: Cast, people: int) -> None:
    cast.first.open(f"{cast.at}/")
    cast.first.follow("锁定志愿")
    cast.first.press("锁定志愿并公布承诺")
    cast.first.sees("志愿已锁定，承诺已公布")
    cast.passer.open(f"{cast.public}/draw")
    cast.passer.sees(f"申请人 {people} 名")


def the_draw_is_typed(cast: Cast) -> None:
    """By one, and again by another who does not see what the first has typed."""
    cast.first.open(f"{cast.at}/draw")
    cast.first.fill({"value": DICE, "witnesses": "公证处 甲、乙"})
    cast.first.press("录入摇号结果")
    cast.first.sees("已录入，请另一位协调员再录一遍")
    cast.second.open(f"{cast.at}/draw")
    assert DICE.replace(" ", "") not in cast.second.page.content()


def the_draw_is_confirmed(cast: Cast) -> None:
    """The second typing starts the run, which the worker carries out."""
    cast.second.page.locator("#again").fill(DICE)
    cast.second.press("确认摇号结果")
    cast.second.sees("摇号结果已确认，正式匹配已开始")
    cast.works()


def the_result_is_approved(cast: Cast, picture: str) -> None:
    cast.waits_for("还没登记人社局的结果备案")
    a_paper_of_the_bureau(cast, "result_filing", "结果备案")
    cast.second.open(f"{cast.at}/approval")
    cast.second.sees("还不能审定")  # who confirmed the draw started the run
    cast.first.open(f"{cast.at}/approval")
    cast.shows(cast.first, picture, english=True)
    cast.first.check("read")
    cast.first.press("审定")
    cast.first.sees("已审定")
    assert cast.state() == "APPROVED"


def the_result_is_published(cast: Cast, waiting: Somebody, placed: int) -> None:
    """Nobody learns anything before the other coordinator presses, and everybody after it."""
    waiting.open(f"{cast.me}/result")
    waiting.sees("录取结果")
    expect(waiting.page.get_by_text("核对码")).to_have_count(0)
    cast.second.open(f"{cast.at}/publish")
    cast.second.check("read")
    cast.second.press("公示")
    cast.second.sees("已公示，公示期开始")
    assert cast.state() == "PUBLISHED"
    cast.passer.open(f"{cast.public}/notice")
    cast.passer.sees(f"录取 {placed} 人")


def the_bundle_is_checked(cast: Cast, folder: Path) -> None:
    """The whole bundle holds by its own verifier; its files stand in ``folder`` afterwards."""
    cast.second.open(f"{cast.at}/publish")
    data = cast.second.takes(cast.second.page.get_by_role("button", name="下载全包"))
    packed = folder.with_suffix(".zip")
    packed.write_bytes(data)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder)
    assert alone(folder, "verify.py", "round") == 0


def alone(folder: Path, *arguments: str) -> int:
    """Run a file that was handed out with nothing but the standard library; its exit status."""
    return subprocess.run(
        [sys.executable, "-I", *arguments], cwd=folder, capture_output=True, check=False
    ).returncode
