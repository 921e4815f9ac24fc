"""Pages of a college: its classes, reviews, scores and placed list, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.web import offices as o
from tests.web.a_round import SERIAL
from tests.web.test_enterprise import publish
from web import db, posting
from web.models import ChoiceList, College, Demand, Enterprise, OrderClass, Score

BASE = f"/college/{SERIAL}"


@pytest.fixture
def draft(app: Flask, as_user: Callable[..., FlaskClient]) -> o.World:
    return o.world(app, as_user, "DRAFT")


@pytest.fixture
def review(app: Flask, as_user: Callable[..., FlaskClient]) -> o.World:
    return o.world(app, as_user, "REVIEW")


def fields(w: o.World, **other: str) -> dict[str, Any]:
    """A joint class as its form sends it: X with 5 seats, Y with 3."""
    held = {
        "version": "0", "name": "数控中级工班", "major": "数控加工", "level": "4", "study_form": "FT",
        "min_size": "6", "years": "3.0", "health": ["H01", "H03"], "health_basis": "国家职业标准",
        "seats-0-enterprise": str(w.id(Enterprise, "X")), "seats-0-capacity": "5",
        "seats-0-channel": "W", "seats-0-reserves": "G05:1；G06:1!",
        "seats-1-enterprise": str(w.id(Enterprise, "Y")), "seats-1-capacity": "3",
        "seats-1-channel": "W",
    }  # fmt: skip
    return held | other


def held(w: o.World, code: str = "U1-01") -> OrderClass:
    with w.app.app_context():
        return db.reading().scalars(select(OrderClass).where(OrderClass.code == code)).one()


# --- classes ----------------------------------------------------------------------------------


def test_a_joint_class_is_declared_changed_and_confirmed(draft: o.World) -> None:
    u1 = draft.as_("u1")
    with draft.writing() as s:
        values = {"title": "车工", "people": 5} | {
            n: "" for n in posting.DEMAND_FIELDS if n not in ("title", "people")
        }
        x = o.office(s, Enterprise, "X")
        s.add(Demand(round_id=o.the_round(s).id, enterprise_id=x.id, code="X-D01", state="submitted",
                     title=values["title"], people=5))  # fmt: skip
    assert "X-D01" in u1.get(f"{BASE}/demands").text
    answer = u1.post(f"{BASE}/classes/new", data=fields(draft, **{"seats-0-demand": "1"}))
    assert answer.headers["Location"] == f"{BASE}/classes/U1-01"
    page = u1.get(f"{BASE}/classes/U1-01").text
    assert "U1-01-1" in page and 'value="G05:1；G06:1!"' in page and "checked" in page
    assert "预留：失业青年 1 席；农民工 1 席（专用）" in page
    assert held(draft).health == "H01;H03" and held(draft).min_size == 6
    codes = {"seats-0-code": "U1-01-1", "seats-1-code": "U1-01-2", "seats-0-demand": "1"}
    u1.post(f"{BASE}/classes/U1-01/confirm", data={"version": "1"})
    assert held(draft).confirmed_by == o.U1.name
    u1.post(f"{BASE}/classes/U1-01", data=fields(draft, version="1", min_size="7", **codes))
    assert (held(draft).version, held(draft).confirmed_at) == (2, None)
    assert "核对并确认 数控中级工班" in u1.get(f"{BASE}/").text
    u1.post(f"{BASE}/classes/U1-01/confirm", data={"version": "1"})
    assert "别人改过" in u1.get(f"{BASE}/").text
    u1.post(f"{BASE}/classes/U1-01/confirm", data={"version": "2"})
    assert "再申报一个订单班" in u1.get(f"{BASE}/").text


WRONG = [
    ({"name": "男生班（限男）"}, "就业促进法"),
    ({"min_size": "9"}, "多于席位总数"),
    ({"level": ""}, "请填写"),
    ({"level": "1"}, "请从列表中选"),
    ({"age_max": "25"}, "法定依据"),
    ({"seats-0-capacity": ""}, "至少 1 个"),
    ({"seats-0-capacity": "x"}, 'id="seats-0-capacity-error"'),
    ({"seats-0-reserves": "失业青年两个"}, "读不懂"),
    ({"seats-0-reserves": "G05:9"}, "预留多于席位"),
    ({"years": "12"}, "0 至 9"),
    ({"seats-0-channel": "none"}, "请从列表中选"),
    ({"seats-0-enterprise": "999"}, "请从列表中选"),
]


def test_a_wrong_class_stays_typed_and_is_told_at_its_field(draft: o.World) -> None:
    u1, right = draft.as_("u1"), fields(draft)
    for wrong, said in WRONG:
        page = u1.post(f"{BASE}/classes/new", data=right | wrong).text
        assert said in page and 'value="数控加工"' in page, said
    with draft.app.app_context():
        assert not db.reading().scalars(select(OrderClass).where(OrderClass.code == "U1-01")).all()


def test_a_class_without_seats_is_refused(draft: o.World) -> None:
    data = {k: v for k, v in fields(draft).items() if not k.startswith("seats-")}
    assert "1 至 4 组席位" in draft.as_("u1").post(f"{BASE}/classes/new", data=data).text


def test_a_college_offers_the_levels_it_is_approved_for(draft: o.World) -> None:
    with draft.writing() as s:
        o.office(s, College, "U1").tier = "技工学校"
    page = draft.as_("u1").get(f"{BASE}/classes/new").text
    assert (
        '<option value="4">' in page and '<option value="3">高级工' not in page.split("学习形式")[0]
    )


def test_a_stale_class_shows_both(draft: o.World) -> None:
    u1 = draft.as_("u1")
    u1.post(f"{BASE}/classes/new", data=fields(draft))
    codes = {"seats-0-code": "U1-01-1", "seats-1-code": "U1-01-2"}
    u1.post(f"{BASE}/classes/U1-01", data=fields(draft, version="1", min_size="5", **codes))
    page = u1.post(
        f"{BASE}/classes/U1-01", data=fields(draft, version="1", min_size="4", **codes)
    ).text
    assert "<td>5</td><td>4</td>" in page and held(draft).min_size == 5


def test_another_colleges_rows_are_not_there(review: o.World) -> None:
    u1, u2 = review.as_("u1"), review.as_("u2")
    own = {"classes/NEV": 200, "scores/W": 200, "scores/NEV-X": 200, "seats/NEV-X/change": 200,
           f"applicants/{review.key('A01')}": 200}  # fmt: skip
    for path, status in own.items():
        assert u1.get(f"{BASE}/{path}").status_code == status, path
        if path != "scores/W":  # both colleges have classes of the channel
            assert u2.get(f"{BASE}/{path}").status_code == 404, path
    for path in ("classes/NEV", "classes/NEV/confirm", "scores/NEV-X", "seats/NEV-X/change",
                 f"applicants/{review.key('A01')}", f"applicants/{review.key('A01')}/confirm",
                 "confirm/NEV-X", "confirm/none"):  # fmt: skip
        assert u2.post(f"{BASE}/{path}", data={"version": "1"}).status_code == 404, path
    for path in ("classes/none", "scores/none", "applicants/none"):
        assert u1.get(f"{BASE}/{path}").status_code == 404
    people = u2.get(f"{BASE}/applicants").text
    assert "A07" in people and "A01" not in people
    assert u1.get(f"/college/1999-1/applicants/{review.key('A01')}").status_code == 404


# --- reviews ----------------------------------------------------------------------------------


def waiting(w: o.World, *numbers: str) -> None:
    with w.writing() as s:
        for number in numbers:
            o.person(s, number).state = "submitted"


def test_an_applicant_is_reviewed_and_a_change_confirmed_by_a_colleague(review: o.World) -> None:
    waiting(review, "A01")
    u1, key = review.as_("u1"), review.key("A01")
    assert "待审 1 人" in u1.get(f"{BASE}/").text
    page = u1.get(f"{BASE}/applicants/{key}").text
    assert "张伟" in page and "3710**********" in page and "37109920030411" not in page
    wrong = u1.post(f"{BASE}/applicants/{key}", data={"version": "1", "reason": "说明文字"}).text
    assert "请选一个结论" in wrong and "说明文字" in wrong
    wrong = u1.post(
        f"{BASE}/applicants/{key}",
        data={"version": "1", "conclusion": "failed", "reason": "说明文字"},
    ).text
    assert "请选不通过的原因" in wrong and "说明文字" in wrong
    u1.post(f"{BASE}/applicants/{key}", data={"version": "1", "conclusion": "passed"})
    data = {"version": "2", "conclusion": "failed", "code": "expired", "reason": "证件过期"}
    u1.post(f"{BASE}/applicants/{key}", data=data)
    assert "确认更改" in u1.get(f"{BASE}/applicants/{key}").text
    assert "不能自己确认" in u1.post(
        f"{BASE}/applicants/{key}/confirm", data={"version": "3"}, follow_redirects=True
    ).text  # fmt: skip
    review.as_("u1b").post(f"{BASE}/applicants/{key}/confirm", data={"version": "3"})
    with review.writing() as s:
        assert (o.person(s, "A01").state, o.person(s, "A01").review) == ("failed", "expired")
    assert "A01" in u1.get(f"{BASE}/applicants?state=failed").text
    assert "A01" not in u1.get(f"{BASE}/applicants?state=passed").text


def test_a_stale_review_is_told(review: o.World) -> None:
    waiting(review, "A01")
    u1, key = review.as_("u1"), review.key("A01")
    u1.post(
        f"{BASE}/applicants/{key}", data={"version": "1", "conclusion": "correct", "reason": "补"}
    )
    page = u1.post(
        f"{BASE}/applicants/{key}", data={"version": "1", "conclusion": "passed", "reason": "齐全"}
    ).text
    assert "别人改过" in page and "齐全" in page and 'value="2"' in page


# --- scores -----------------------------------------------------------------------------------


def lines(*rows: dict[str, str]) -> dict[str, Any]:
    return {f"lines-{at}-{k}": v for at, row in enumerate(rows) for k, v in row.items()}


def test_a_sheet_of_scores_is_entered_and_confirmed(review: o.World) -> None:
    u1, u1b = review.as_("u1"), review.as_("u1b")
    assert "录入成绩" in u1.get(f"{BASE}/").text
    sheet = u1.get(f"{BASE}/scores/W").text
    assert "A01" in sheet and "lines-0-culture" in sheet and "lines-0-interview" not in sheet
    rows = lines({"number": "A01", "version": "0", "culture": "80", "skill": "缺考"},
                 {"number": "A02", "version": "0", "culture": "", "skill": ""})  # fmt: skip
    u1.post(f"{BASE}/scores/W?page=1", data=rows)
    assert 'value="缺考"' in u1.get(f"{BASE}/scores/W").text
    assert '<td class="number">1</td><td class="number">0</td>' in u1.get(f"{BASE}/scores").text
    assert "确认同事录入的成绩" in u1b.get(f"{BASE}/").text
    page = u1b.get(f"{BASE}/confirm").text
    digest = page.split('name="digest" value="')[1].split('"')[0]
    assert "别人改过" in u1b.post(
        f"{BASE}/confirm/W", data={"digest": "old"}, follow_redirects=True
    ).text  # fmt: skip
    u1b.post(f"{BASE}/confirm/W", data={"digest": digest})
    with review.writing() as s:
        score = s.scalars(select(Score)).one()
        assert (score.culture, score.skill, score.office) == ("80", "absent", "U1")
        assert score.confirmed_by == o.U1B.name
    again = lines({"number": "A01", "version": "1", "culture": "85", "skill": "缺考"})
    assert "要写明理由" in u1.post(f"{BASE}/scores/W", data=again).text
    u1.post(f"{BASE}/scores/W", data=again | {"reason": "登分有误"})
    with review.writing() as s:
        assert s.scalars(select(Score.culture)).one() == "85"


def test_two_people_of_an_office_leave_each_other_their_own_lines(review: o.World) -> None:
    u1, u1b = review.as_("u1"), review.as_("u1b")
    for client, number in ((u1, "A01"), (u1b, "A02")):
        rows = lines({"number": number, "version": "0", "culture": "80", "skill": "70"})
        client.post(f"{BASE}/scores/W", data=rows)
    page = u1b.get(f"{BASE}/confirm").text
    digest = page.split('name="digest" value="')[1].split('"')[0]
    page = u1b.post(f"{BASE}/confirm/W", data={"digest": digest}, follow_redirects=True).text
    assert "已确认 1 条" in page and "还有 1 条是您自己录入的" in page


def test_wrong_scores_stay_typed_and_strangers_are_not_taken(review: o.World) -> None:
    u1 = review.as_("u1")
    rows = lines({"number": "A01", "version": "0", "culture": "一百", "skill": "免考"})
    page = u1.post(f"{BASE}/scores/W", data=rows).text
    assert 'value="一百"' in page and "A01：请填数字" in page
    rows = lines({"number": "A07", "version": "0", "culture": "80"})
    assert u1.post(f"{BASE}/scores/NEV-X", data=rows).status_code == 404
    with review.writing() as s:
        assert not s.scalars(select(Score)).all()


def test_a_sheet_takes_no_more_lines_than_a_page_shows(review: o.World) -> None:
    u1 = review.as_("u1")
    blank = {"number": "A02", "version": "0", "culture": "", "skill": ""}
    many = lines(*[blank] * 20, {"number": "A01", "version": "0", "culture": "80", "skill": "70"})
    assert u1.post(f"{BASE}/scores/W", data=many).status_code == 302
    with review.writing() as s:
        assert not s.scalars(select(Score)).all()


def test_score_pages_ask_the_database_as_often_whatever_the_number_of_people(
    review: o.World,
) -> None:
    u1 = review.as_("u1")

    def asked() -> int:
        with review.counted() as statements:
            assert u1.get(f"{BASE}/scores").status_code == 200
            assert u1.get(f"{BASE}/scores/W").status_code == 200
        return len(statements)

    few = asked()
    with review.writing() as s:
        first = s.scalars(select(ChoiceList)).first()
        assert first is not None
        for n in range(30):
            o.another(s, f"B{n:02}", first.choices)
    assert asked() <= few
    assert "B00" in u1.get(f"{BASE}/scores/W?page=1").text
    assert "B29" in u1.get(f"{BASE}/scores/W?page=2").text


# --- who was placed ---------------------------------------------------------------------------


def test_a_college_sees_its_own_placed_people(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    w = o.world(app, as_user, "PUBLISHED")
    publish(w)
    page = w.as_("u1").get(f"{BASE}/placed").text
    assert "A02" in page and "A03" in page and "王小芳" not in page and "预留" in page
    assert "A02" not in w.as_("u2").get(f"{BASE}/placed").text
    assert "查看录取名单" in w.as_("u1").get("/college/").text


def test_lists_are_paged(review: o.World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.paging.page_of.__defaults__", (2,))
    u1 = review.as_("u1")
    assert "第 2 页" in u1.get(f"{BASE}/applicants?page=2").text
    assert "第 1 页" in u1.get(f"{BASE}/applicants?page=x").text
    last = u1.get(f"{BASE}/applicants?page=99").text
    assert "上一页" in last and "下一页" not in last


def test_an_account_without_a_college_and_a_college_without_a_round(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    assert "没有单位" in as_user("college").get("/college/").text
    with app.app_context(), db.writing() as s:
        s.add(College(code="Q", name="某校"))
    client = as_user("college", "quser", college_id=o.World(app, as_user).id(College, "Q"))
    assert "还没有招生轮次" in client.get("/college/").text


def test_home_waits_once_the_lists_are_locked(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    w = o.world(app, as_user, "FROZEN")
    page = w.as_("u1").get("/college/").text
    assert "等待公开摇号" in page and page.count('class="next"') == 1
    assert "志愿已锁定" in w.as_("u1").get(f"{BASE}/scores").text
