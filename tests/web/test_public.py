"""What everybody may read: the pages of a round in each state, and what they never tell."""

from __future__ import annotations

import io
import json
import re
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.web.a_round import FIRST, NAMES, SECOND, SERIAL, small_round, standing
from tests.web.conftest import Clock
from web import check_line, choices, db, paging, policies, public, rounds, rules
from web.models import Applicant, ChoiceList, Consent, OrderClass, Person, Publication, Round

HAN = re.compile(r"[\u3400-\u9fff]")
PAGES = ("", "/brochure", "/plan", "/rules", "/draw", "/notice", "/result")
AT = f"/rounds/{SERIAL}"


@pytest.fixture
def at(tmp_path: Path, clock: Clock) -> Iterator[Callable[[str], FlaskClient]]:
    """``at("published")``: a visitor of a round that has come so far."""
    made: list[Flask] = []

    def visitor(stage: str) -> FlaskClient:
        app = standing(tmp_path / stage, stage, clock)
        made.append(app)
        return app.test_client()

    yield visitor
    for app in made:
        app.extensions["orderclass_engine"].dispose()


def change(client: FlaskClient, **columns: object) -> None:
    with client.application.app_context(), db.writing() as session:
        for name, value in columns.items():
            setattr(session.query(Round).one(), name, value)


def words_of(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("stage", ["review", "frozen", "drawn", "approved", "published"])
def test_every_page_stands_in_every_state(
    at: Callable[[str], FlaskClient], stage: str, language: str
) -> None:
    client = at(stage)
    client.set_cookie("lang", language)
    for address in ("/", "/how-to-check", "/lookup", *(AT + page for page in PAGES)):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert answer.text.count("<h1>") == 1, address
        if language == "en":
            shown = re.sub(
                r'<(code|pre|dd|td|th scope="row"|option)[^>]*>.*?</\1', "", answer.text, flags=re.S
            )
            assert not re.search(r"默认|公示|摇号|录取|核对", words_of(shown)), address


def test_an_empty_installation_says_so(client: FlaskClient) -> None:
    assert "还没有公布的招生轮次" in client.get("/").text
    assert client.get(AT).status_code == 404
    assert "还没有公布结果" in client.get("/how-to-check").text


def test_a_draft_is_nobody_s_business(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), db.writing() as session:
        small_round(session, state="DRAFT")
    assert AT not in client.get("/").text
    for page in (*PAGES, "/public.zip"):
        assert client.get(AT + page).status_code == 404


def test_staff_see_a_draft_but_no_edition_of_it(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    with app.app_context(), db.writing() as session:
        small_round(session, state="DRAFT")
    client = as_user("coordinator")
    assert client.get(AT).status_code == 200
    assert client.get(AT + "/rules").status_code == 200
    assert client.get(AT + "/public.zip").status_code == 404


NEXT = {
    "ANNOUNCED": "看招生计划", "OPEN": "我要报名", "REVIEW": "用查询码", "FROZEN": "摇号",
    "DRAWN": "摇号", "APPROVED": "摇号", "PUBLISHED": "公示名单", "CONFIRMING": "用查询码",
    "FINAL": "用查询码", "SUSPENDED": "用查询码", "VOID": "用查询码",
}  # fmt: skip


def test_each_state_has_one_next_action(at: Callable[[str], FlaskClient], clock: Clock) -> None:
    client = at("review")
    early, late = (clock.moment + timedelta(days=n) for n in (1, 2))
    for state, words in NEXT.items():
        change(client, state=state, deadline_at=late)
        if state == "ANNOUNCED":
            change(client, opens_at=early)
        elif state == "OPEN":
            change(client, opens_at=clock.moment)
        for address in ("/", AT):
            page = client.get(address).text
            assert page.count('class="next"') == page.count('role="button"') == 1, state
            assert words in page, state


def test_a_round_opens_and_closes_by_the_clock_alone(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    with app.app_context(), db.writing() as session:
        small_round(session, state="ANNOUNCED")
    assert "我要报名" not in client.get("/").text
    clock.forward(days=2)
    assert "我要报名" in client.get("/").text
    clock.forward(days=7)
    assert "我要报名" not in client.get("/").text


@pytest.mark.parametrize("state", ["SUSPENDED", "VOID"])
def test_why_a_round_was_stopped_is_public(at: Callable[[str], FlaskClient], state: str) -> None:
    client = at("published")
    with client.application.app_context(), db.writing() as session:
        stop = rounds.suspend if state == "SUSPENDED" else rounds.void
        stop(session, session.query(Round).one(), FIRST, SECOND, "成绩录入有误，正在核查")
    for page in PAGES:
        assert "成绩录入有误，正在核查" in client.get(AT + page).text
    assert "A01" not in client.get(AT + "/notice").text


# --- the plan and the rules -------------------------------------------------------------------


SEARCHES = {
    "": 5, "q=星河": 2, "q=%E6%97%A0": 0, "industry=纺织": 1, "study_form=FT": 2,
    "major=纺织": 1, "district=370112": 2, "study_form=PT&district=370102": 1, "q=robo": 1, "page=0": 5,
    "page=x": 5, "page=99999999": 5,
}  # fmt: skip


def test_the_plan_is_searched_and_filtered(at: Callable[[str], FlaskClient]) -> None:
    client = at("review")
    found = {query: client.get(f"{AT}/plan?{query}").text.count("<article>") for query in SEARCHES}
    assert found == SEARCHES


def test_the_prospectus_says_everything_before_applying(at: Callable[[str], FlaskClient]) -> None:
    client = at("review")
    page = client.get(f"{AT}/brochure").text
    for told in (
        "依据", "招生对象和条件", "学习形式、学制和收费", "报名时间", "application-form.pdf", "资格审核", "考核通道",
        "班级人数不足时", "二十枚十面骰", "结果公示 5 个工作日",
        "逾期未答复视为放弃", "不是劳动合同", "诚信承诺", "监督电话",
    ):  # fmt: skip
        assert told in page, told
    with client.application.app_context():
        classes = db.reading().scalars(select(OrderClass)).all()
        full = [c for c in classes if c.study_form == "FT"]
        seats = sum(p.capacity for c in full for p in c.programs)
    row = re.search(
        r"<td>全日制</td><td class=\"number\">(\d+)</td><td class=\"number\">(\d+)</td>", page
    )
    assert row and (int(row[1]), int(row[2])) == (len(full), seats)
    client.set_cookie("lang", "en")
    assert "it is no labour contract" in client.get(f"{AT}/brochure").text


def test_a_long_plan_has_pages(at: Callable[[str], FlaskClient]) -> None:
    client = at("review")
    with client.application.app_context(), db.writing() as session:
        round_ = session.query(Round).one()
        for n in range(40):
            session.add(OrderClass(round_id=round_.id, college_id=1, code=f"Z{n}", name=f"第{n}班",
                                   tuition=4000, boarding=True, years=3, level="4",
                                   age_basis="依据", health_basis="依据"))  # fmt: skip
    first = client.get(f"{AT}/plan?q=班").text
    assert "第 1 页，共 3 页" in words_of(first)
    assert first.count("<article>") == paging.PAGE
    link = re.search(r'href="([^"]+)" rel="next"', first)
    assert link is not None
    last = client.get(unescape(link[1]).replace("page=2", "page=3")).text
    assert last.count("<article>") == 5
    assert 'rel="prev"' in last and 'rel="next"' not in last


def test_defaults_are_called_defaults(at: Callable[[str], FlaskClient]) -> None:
    page = words_of(at("review").get(AT + "/rules").text)
    assert "请按当年招生方案修改" in page
    assert "入职最低年龄 16 默认值" in page
    assert "班级人数不足时 缺人最多的班先停开，再重新录取 本轮设定" in page
    assert "农民工 非全日制 不限 16 45 55" in page


def test_every_rule_finds_its_words(app: Flask) -> None:
    with app.app_context():
        toml = (
            '[mechanism]\nname = "optimal"\nobjective = ["placed"]\nclosure = "exact"\n'
            '[score]\nabsent = "zero"\ntiebreak = ["skill"]\n[age]\ncase_by_case = false\n'
        )
        said = {r.label: (r.value, r.default) for r in rules.in_words(toml)}
    assert said["目标次序"] == ("录取人数", False)
    assert said["个案审批能否放宽年龄"] == ("不可以", False)
    assert said["缺考的"] == ("按零分计算", False)
    assert said["班级人数不足时"][1] and said["面试合格线"] == ("不限", True)
    assert said["同分时依次比较"] == ("技能测试", False)


# --- the draw, the list, the cutoffs ----------------------------------------------------------


def test_the_commitment_is_public_before_the_draw(at: Callable[[str], FlaskClient]) -> None:
    client = at("frozen")
    with client.application.app_context():
        held = db.reading().query(Round).one().snapshot
        assert held is not None
    page = client.get(AT + "/draw").text
    assert held.digest in page and held.policy_digest in page and held.software in page
    assert "还没有摇号" in page
    assert "01234567890123456789" in at("drawn").get(AT + "/draw").text


def test_a_draw_that_one_person_typed_is_not_shown(at: Callable[[str], FlaskClient]) -> None:
    client = at("drawn")
    with client.application.app_context(), db.writing() as session:
        from web.models import Draw

        session.query(Draw).one().confirmed_at = None
    assert "01234567890123456789" not in client.get(AT + "/draw").text


def test_the_list_is_masked_and_not_indexed(at: Callable[[str], FlaskClient]) -> None:
    answer = at("published").get(AT + "/notice")
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert '<meta name="robots" content="noindex' in answer.text
    shown = re.findall(r'<tr><th scope="row">(A\d\d)</th><td>([^<]+)</td>', answer.text)
    assert [number for number, _ in shown] == sorted(number for number, _ in shown)
    assert len(shown) == 9
    assert ("A09", "欧阳*月") not in shown and ("A01", "张*") in shown
    assert not any(name in answer.text for name in NAMES)
    assert "G05" not in answer.text and "预留" not in answer.text
    assert "调剂" in answer.text and "第 1 志愿" in answer.text


@pytest.mark.parametrize("answer", ["never asked", "refused", "taken back"])
def test_who_did_not_agree_is_listed_without_her_name(
    at: Callable[[str], FlaskClient], answer: str
) -> None:
    client = at("published")
    with client.application.app_context(), db.writing() as session:
        mine = session.scalars(
            select(Consent).join(Applicant, Applicant.id == Consent.applicant_id)
            .where(Applicant.number == "A01")
        ).one()  # fmt: skip
        if answer == "never asked":
            session.delete(mine)
        elif answer == "refused":
            mine.given = False
        else:
            session.add(
                Consent(applicant_id=mine.applicant_id, text="public", version="2026-2",
                        given=False, at=mine.at)
            )  # fmt: skip
    page = client.get(AT + "/notice").text
    shown = dict(re.findall(r'<tr><th scope="row">(A\d\d)</th><td>([^<]+)</td>', page))
    assert shown.pop("A01") == "名字不公开" and len(shown) == 8
    assert "名字不公开" not in shown.values() and "张*" not in page
    client.set_cookie("lang", "en")
    assert "Name not public" in client.get(AT + "/notice").text


def test_the_rules_say_how_long_the_list_stays(
    at: Callable[[str], FlaskClient], clock: Clock
) -> None:
    client = at("published")
    flow(client, **{"privacy.public_retention_days": 2})
    clock.forward(days=1)
    assert "A01" in client.get(AT + "/notice").text
    clock.forward(days=1)
    assert "A01" not in client.get(AT + "/notice").text


@pytest.mark.parametrize("days", [8, 40])
def test_the_list_goes_when_its_time_is_over(
    at: Callable[[str], FlaskClient], clock: Clock, days: int
) -> None:
    client = at("published")
    if days == 40:  # however long the period, a month is the most
        change(client, notice_ends_at=clock.moment + timedelta(days=60))
        clock.forward(days=29)
        assert "A01" in client.get(AT + "/notice").text
        clock.forward(days=-29)
    clock.forward(days=days)
    page = client.get(AT + "/notice").text
    assert "A01" not in page and "公示期已过" in page


def test_a_long_list_has_pages(
    at: Callable[[str], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "page_of_query", partial(paging.page_of_query, size=4))
    client = at("published")
    seen = [
        re.findall(r'row">(A\d\d)<', client.get(f"{AT}/notice?page={n}").text) for n in (1, 2, 3, 4)
    ]
    assert [len(numbers) for numbers in seen] == [4, 4, 1, 1], "beyond the last page is the last"


def flow(client: FlaskClient, **changed: int) -> None:
    """Other parameters of the workflow."""
    with client.application.app_context(), db.writing() as session:
        held = session.query(Round).one().policy
        assert held is not None
        held.workflow = {**held.workflow, **changed}


def test_cutoffs_of_few_are_withheld_and_reserves_never_shown(
    at: Callable[[str], FlaskClient],
) -> None:
    client = at("published")
    page = words_of(client.get(AT + "/result").text)
    assert "不足5人不公布" in page and "未录满" in page and "未开班" in page
    for score in ("92", "86", "65.13", "70.5", "78", "83"):
        assert f" {score} " not in page
    flow(client, **{"public.cutoff_min": 1})
    page = words_of(client.get(AT + "/result").text)
    assert " 86 " in page
    assert "65.13" not in page and "70.5" not in page


def test_claims_on_trust_are_named_to_the_public(at: Callable[[str], FlaskClient]) -> None:
    client = at("published")
    assert "未逐项证明" not in client.get(AT + "/result").text
    with client.application.app_context(), db.writing() as session:
        run = session.query(Publication).one().run
        claims = [{"name": "outcome", "status": "TRUSTED", "trusted": ""},
                  {"name": "caps", "status": "BROKEN", "trusted": ""}]  # fmt: skip
        run.summary = {**run.summary, "claims": claims}
    page = words_of(client.get(AT + "/result").text)
    assert "结果重算 未逐项证明" in page and "总量上限 不成立" in page


def test_the_public_edition_is_a_zip_of_its_content_alone(at: Callable[[str], FlaskClient]) -> None:
    client = at("published")
    answer = client.get(AT + "/public.zip")
    assert answer.mimetype == "application/zip"
    assert f"{SERIAL}-public.zip" in answer.headers["Content-Disposition"]
    assert answer.data == client.get(AT + "/public.zip").data
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert "SHA256SUMS" in archive.namelist()


@pytest.mark.parametrize("name", ["check_line.py", "verify.py"])
def test_the_checkers_are_handed_out_as_they_are(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/{name}")
    assert answer.status_code == 200
    assert answer.data.startswith((b"#!", b'"""', b"#"))
    compile(answer.data, name, "exec")


# --- looking up a receipt ---------------------------------------------------------------------


def receipt_of(client: FlaskClient, number: str) -> str:
    with client.application.app_context():
        held = (
            db.reading().query(ChoiceList).join(Applicant).filter(Applicant.number == number).one()
        )
        assert held.receipt is not None
        return held.receipt


def test_a_receipt_shows_the_list_and_later_the_place(at: Callable[[str], FlaskClient]) -> None:
    early = at("approved")
    page = early.post("/lookup", data={"code": receipt_of(early, "A06")}).text
    assert "A06" in page and "这一份有效" in page and "还没有公布" in page and "ROBO" not in page
    client = at("published")
    typed = receipt_of(client, "A06").replace("-", " ").lower().replace("0", "o").replace("1", "l")
    page = words_of(client.post("/lookup", data={"code": typed}).text)
    assert "调剂" in page and "ROBO 班" in page and "远航装备" in page
    assert not any(name in page for name in NAMES)
    unplaced = client.post("/lookup", data={"code": receipt_of(client, "A09")}).text
    assert "未录取" in unplaced


def test_the_line_of_a_receipt_is_checked_at_home(
    at: Callable[[str], FlaskClient], tmp_path: Path
) -> None:
    client = at("published")
    page = client.post("/lookup", data={"code": receipt_of(client, "A01")}).text
    found = re.search(r"<pre[^>]*><code[^>]*>(.*?)</code>", page, re.S)
    assert found is not None
    code = tmp_path / "code.json"
    code.write_text(unescape(found[1]), encoding="utf-8")
    root = re.search(r'class="digest">([0-9a-f]{64})<', client.get(AT + "/result").text)
    assert root is not None
    assert check_line.main([str(code), root[1]]) == 0
    assert json.loads(code.read_text("utf-8"))["row"]["program"] == "NEV-X"


def test_an_earlier_list_is_said_to_be_replaced(at: Callable[[str], FlaskClient]) -> None:
    client = at("approved")
    first = receipt_of(client, "A01")
    with client.application.app_context(), db.writing() as session:
        who = session.query(Applicant).filter_by(number="A01").one()
        choices.submit(session, who, choices.Wish(("WELD",)), FIRST, "again", db.now(session))
    page = client.post("/lookup", data={"code": first}).text
    assert "已被第 2 次提交代替" in page


def test_every_wrong_number_gets_one_answer(at: Callable[[str], FlaskClient]) -> None:
    client = at("published")
    for typed in ("0000-0000-0000-0000", "x", "A01", "' OR 1=1 --", "零" * 16):
        page = client.post("/lookup", data={"code": typed}).text
        assert "查不到。请核对回执上的查询码" in page
    for typed in ("", "9" * 61):
        assert "请填回执上的查询码" in client.post("/lookup", data={"code": typed}).text


def test_a_wrong_number_costs_the_same_questions_as_a_right_one(
    at: Callable[[str], FlaskClient],
) -> None:
    from sqlalchemy import event

    client = at("approved")
    right = receipt_of(client, "A01")
    counts = []
    for code in (right, "0000-0000-0000-0000"):
        asked: list[str] = []
        with client.application.app_context():
            engine = db.engine()
            event.listen(engine, "before_cursor_execute", lambda *a, seen=asked: seen.append(a[2]))
            public._receipt(code)
        counts.append(sum("choice_list" in q or "FROM placement" in q for q in asked))
    assert counts[0] == counts[1] == 3


def test_no_public_page_tells_of_a_person(at: Callable[[str], FlaskClient]) -> None:
    client = at("published")
    with client.application.app_context():
        secret = [p.pseudonym for p in db.reading().query(Person)] + list(NAMES)
    for address in ("/", "/how-to-check", *(AT + page for page in PAGES)):
        page = client.get(address).text
        assert not [word for word in secret if word in page], address


def test_articles_are_cited_as_people_read_them(at: Callable[[str], FlaskClient]) -> None:
    published = at("published").application
    with published.test_request_context():
        assert rules.cited("S§2 适当放宽") == "十条措施第2条 适当放宽"
        assert rules.cited("鲁人社发〔2025〕5号") == "鲁人社发〔2025〕5号"
    with published.test_request_context(headers={"Cookie": "lang=en"}):
        assert rules.cited("S§2") == "Ten Measures, article 2"
        for row in tomllib.loads(policies.START.read_text(encoding="utf-8"))["age_rule"]:
            assert not HAN.search(rules.cited(row["basis"]))
