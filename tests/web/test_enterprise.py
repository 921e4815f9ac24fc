"""Pages of an enterprise: its posts, seats, interviews and placed list, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.web import offices as o
from tests.web.a_round import SERIAL
from web import db, posting, scoring, seats
from web.models import (
    Decision,
    Demand,
    Enterprise,
    Interview,
    Placement,
    Publication,
    Run,
    Score,
)

BASE = f"/enterprise/{SERIAL}"
FORM = {
    "title": "数控车工",
    "occupation": "车工",
    "people": "5",
    "study_forms": ["FT", "PT"],
    "joint": "y",
}


@pytest.fixture
def draft(app: Flask, as_user: Callable[..., FlaskClient]) -> o.World:
    return o.world(app, as_user, "DRAFT")


@pytest.fixture
def review(app: Flask, as_user: Callable[..., FlaskClient]) -> o.World:
    return o.world(app, as_user, "REVIEW")


def demand(w: o.World, code: str = "X-D01") -> Demand:
    with w.app.app_context():
        return db.reading().scalars(select(Demand).where(Demand.code == code)).one()


def test_a_post_goes_from_the_form_to_the_alliance(draft: o.World) -> None:
    x = draft.as_("x")
    assert "发布第一个岗位" in x.get(f"{BASE}/").text
    answer = x.post(f"{BASE}/demands/new", data=FORM | {"version": "0"})
    assert answer.headers["Location"] == f"{BASE}/demands/X-D01"
    held = demand(draft)
    assert (held.title, held.people, held.study_forms, held.joint) == ("数控车工", 5, "FT;PT", True)
    page = x.get(f"{BASE}/demands/X-D01").text
    assert "提交岗位" in page and 'value="数控车工"' in page
    assert "没有登记在岗职工数" in page
    x.post(f"{BASE}/demands/X-D01/submit", data={"version": "1"})
    assert demand(draft).state == "submitted"
    x.post(f"{BASE}/demands/X-D01/withdraw", data={"version": "2"})
    assert demand(draft).state == "withdrawn"


WRONG = [
    ({"title": "装配工 限男"}, "写了“限男”"),
    ({"title": ""}, "请填写"),
    ({"people": "很多"}, 'id="people-error"'),
    ({"people": "0"}, "请填 1 至 9999 的整数"),
    ({"skill_level": "9"}, "请从列表中选"),
    ({"health": "身高170"}, "就业促进法"),
]


def test_wrong_input_stays_and_is_told_at_its_field(draft: o.World) -> None:
    x = draft.as_("x")
    for wrong, said in WRONG:
        data = FORM | {"board": "供午餐"} | wrong
        page = x.post(f"{BASE}/demands/new", data=data).text
        assert said in page and 'value="供午餐"' in page and 'aria-invalid="true"' in page, said
    with draft.app.app_context():
        assert not db.reading().scalars(select(Demand)).all()


def test_a_stale_save_shows_both_and_keeps_what_was_typed(draft: o.World) -> None:
    x = draft.as_("x")
    x.post(f"{BASE}/demands/new", data=FORM)
    x.post(f"{BASE}/demands/X-D01", data=FORM | {"people": "7", "version": "1"})
    stale = FORM | {"people": "9", "version": "1"}
    page = x.post(f"{BASE}/demands/X-D01", data=stale).text
    assert "两者的不同" in page and "<td>7</td><td>9</td>" in page
    assert 'name="version" type="hidden" value="2"' in page
    assert demand(draft).people == 7
    x.post(f"{BASE}/demands/X-D01", data=stale | {"version": "2"})
    assert demand(draft).people == 9


def test_only_the_fields_of_the_form_are_taken(draft: o.World) -> None:
    x = draft.as_("x")
    x.post(
        f"{BASE}/demands/new", data=FORM | {"state": "taken", "enterprise_id": "99", "code": "Z"}
    )
    held = demand(draft)
    assert (held.state, held.enterprise_id) == ("draft", draft.id(Enterprise, "X"))


def test_another_enterprises_rows_are_not_there(draft: o.World) -> None:
    x, y = draft.as_("x"), draft.as_("y")
    x.post(f"{BASE}/demands/new", data=FORM)
    pages = {"demands/X-D01": 200, "seats/NEV-X": 200, "interviews/NEV-X": 200}
    for path, own in pages.items():
        assert x.get(f"{BASE}/{path}").status_code == own, path
        assert y.get(f"{BASE}/{path}").status_code == 404, path
    posts = ["demands/X-D01", "demands/X-D01/submit", "demands/X-D01/withdraw",
             "seats/NEV-X/confirm", "seats/NEV-X/change", "interviews/NEV-X/open",
             "interviews/NEV-X", "confirm/NEV-X"]  # fmt: skip
    for path in posts:
        assert y.post(f"{BASE}/{path}", data={"version": "1"}).status_code == 404, path
    assert "X-D01" not in y.get(f"{BASE}/").text
    assert demand(draft).version == 1
    for path in ("demands/none", "seats/none", "interviews/none"):
        assert x.get(f"{BASE}/{path}").status_code == 404


def test_seats_are_confirmed_as_they_were_shown(draft: o.World) -> None:
    with draft.writing() as s:
        program = o.program(s, "NEV-X")
        posting.take_back(s, program.order_class, o.U1, "试")
        version = program.order_class.version
    x = draft.as_("x")
    assert "核对并确认" in x.get(f"{BASE}/").text
    page = x.get(f"{BASE}/seats/NEV-X").text
    assert f'name="version" value="{version}"' in page
    x.post(f"{BASE}/seats/NEV-X/confirm", data={"version": str(version - 1)})
    assert "别人改过" in x.get(f"{BASE}/seats/NEV-X").text
    x.post(f"{BASE}/seats/NEV-X/confirm", data={"version": str(version)})
    with draft.writing() as s:
        assert o.program(s, "NEV-X").confirmed_by == o.X.name


def test_after_the_plan_only_a_change_of_seats_is_left(review: o.World) -> None:
    x = review.as_("x")
    assert "席位变更单" in x.get(f"{BASE}/demands/new").text
    page = x.post(f"{BASE}/demands/new", data=FORM).text
    assert "计划已公布" in page
    x.post(f"{BASE}/seats/NEV-X/confirm", data={"version": "1"})
    assert "计划已公布" in x.get(f"{BASE}/").text


# --- changes of seats -------------------------------------------------------------------------


def test_a_change_of_seats_goes_round(review: o.World) -> None:
    y, u1 = review.as_("y"), review.as_("u1")
    assert "没有变" in y.post(
        f"{BASE}/seats/NEV-Y/change", data={"after": "3", "reason": "x"}
    ).text  # fmt: skip
    assert "请填写" in y.post(f"{BASE}/seats/NEV-Y/change", data={"after": "2"}).text
    answer = y.post(f"{BASE}/seats/NEV-Y/change", data={"after": "2", "reason": "减产"})
    page = answer.headers["Location"]
    key = page.rpartition("/")[2]
    assert "本方已同意" in y.get(page).text
    assert review.as_("x").get(page).status_code == 404, "the other enterprise of the class"
    assert review.as_("u2").get(f"/college/changes/{key}").status_code == 404
    assert "同意变更" in u1.get(f"/college/changes/{key}").text
    assert "答复席位变更单" in u1.get(f"/college/{SERIAL}/").text
    u1.post(f"/college/changes/{key}/agree")
    assert review.as_("u2").post(f"/college/changes/{key}/agree").status_code == 404
    with review.writing() as s:
        assert seats.agree(s, seats.of_round(s, o.the_round(s).id)[0], o.C1)
    assert "生效" in y.get(page).text
    assert "办完或撤回" in y.post(f"{page}/agree", follow_redirects=True).text


def test_a_change_of_seats_is_dropped_with_a_reason(review: o.World) -> None:
    y = review.as_("y")
    answer = y.post(f"{BASE}/seats/NEV-Y/change", data={"after": "2", "reason": "减产"})
    page = answer.headers["Location"]
    assert "请填写" in y.post(f"{page}/drop", data={}).text
    y.post(f"{page}/drop", data={"reason": "不减了"})
    assert y.get(page).status_code == 404


# --- interviews -------------------------------------------------------------------------------


def opened(client: FlaskClient, code: str = "NEV-X") -> str:
    return client.post(f"{BASE}/interviews/{code}/open", follow_redirects=True).text


def lines(*rows: dict[str, str]) -> dict[str, Any]:
    found = {}
    for at, row in enumerate(rows):
        blank = {"version": "0", "slot": "", "slot_was": "", "interview": "", "rejected": "",
                 "rejected_was": "", "exempt_basis": "", "fit": ""}  # fmt: skip
        found |= {f"lines-{at}-{name}": value for name, value in (blank | row).items()}
    return found


def test_names_are_shown_only_to_who_opens_the_list_and_each_opening_is_recorded(
    review: o.World,
) -> None:
    x = review.as_("x")
    closed = x.get(f"{BASE}/interviews/NEV-X").text
    assert "张伟" not in closed and "打开名单" in closed
    page = opened(x)
    assert "张伟" in page and "A01" in page
    assert "371099" not in page and "G05" not in page and "370102" not in page
    assert "张伟" not in x.get(f"{BASE}/interviews/NEV-X").text, "shown once"
    opened(x)
    assert review.actions().count("interview.view") == 2


def test_interviews_are_entered_and_confirmed_by_a_colleague(review: o.World) -> None:
    x, xb = review.as_("x"), review.as_("xb")
    rows = lines({"number": "A01", "slot": "7月3日 9:00", "interview": "88", "fit": "80"},
                 {"number": "A02", "rejected": "无法到岗"})  # fmt: skip
    page = x.post(f"{BASE}/interviews/NEV-X", data=rows, follow_redirects=True).text
    assert 'value="88"' in page and 'value="7月3日 9:00"' in page
    assert review.actions()[-1] == "interview.view"
    assert "须由本单位另一人确认" in x.get(f"{BASE}/confirm").text
    assert "确认面试结果" in xb.get(f"{BASE}/").text
    waiting = xb.get(f"{BASE}/confirm").text
    assert "88" in waiting and "无法到岗" in waiting
    digest = waiting.split('name="digest" value="')[1].split('"')[0]
    data = {"digest": digest, "office": "Y"}
    assert "须" in x.post(f"{BASE}/confirm/NEV-X", data=data, follow_redirects=True).text
    assert "已确认 2 条" in xb.post(f"{BASE}/confirm/NEV-X", data=data, follow_redirects=True).text
    with review.writing() as s:
        assert s.scalars(select(Score)).one().confirmed_by == o.XB.name
        program = o.program(s, "NEV-X")
        rejected = scoring.rejections(s, program)[o.person(s, "A02").id]
        assert rejected.confirmed_by == o.XB.name


def test_wrong_results_stay_typed_and_are_told_at_the_line(review: o.World) -> None:
    x = review.as_("x")
    rows = lines(
        {"number": "A01", "interview": "188", "slot": "9:00"}, {"number": "A02", "interview": "70"}
    )
    page = x.post(f"{BASE}/interviews/NEV-X", data=rows).text
    assert "A01：成绩应在 0 至 100 之间" in page and 'value="188"' in page and 'value="70"' in page
    with review.writing() as s:
        assert not s.scalars(select(Score)).all() and not s.scalars(select(Interview)).all()
    again = lines({"number": "A01", "interview": "88"})
    x.post(f"{BASE}/interviews/NEV-X", data=again)
    page = x.post(f"{BASE}/interviews/NEV-X", data=lines({"number": "A01", "interview": "90"})).text
    assert "别人刚改过" in page and 'name="lines-0-version" type="hidden" value="1"' in page
    long = x.post(f"{BASE}/interviews/NEV-X", data=again | {"reason": "长" * 301}).text
    assert "没有保存" in long


def test_nobody_else_can_be_entered(review: o.World) -> None:
    x = review.as_("x")
    answer = x.post(f"{BASE}/interviews/NEV-X", data=lines({"number": "A07", "rejected": "x"}))
    assert answer.status_code == 404
    with review.writing() as s:
        rejected = s.scalars(select(Decision).where(Decision.decision == "rejected")).all()
        assert [d.applicant.number for d in rejected] == ["A05"]


# --- who was placed ---------------------------------------------------------------------------


def publish(w: o.World) -> None:
    """A publication in which A02 got NEV-X and A03 NEV-Y, by adjustment."""
    with w.writing() as s:
        round_ = o.the_round(s)
        moment = db.now(s)
        run = Run(
            round_id=round_.id, kind="committed", policy_toml="", state="VERIFIED",
            status="OPTIMAL", started_by="coordinator:c1", queued_at=moment,
            summary={"report": {"fairness": {"labels": {
                "justified": {"rows": 0, "pairs": 0, "people": 0},
                "reserve": {"rows": 3, "pairs": 2, "people": 1}}}}},
        )  # fmt: skip
        s.add(run)
        s.flush()
        held = Publication(
            round_id=round_.id, run_id=run.id, bundle_digest="d" * 64, bundle="bundle.zip",
            merkle_root="r", by="coordinator:c2", at=moment,
        )  # fmt: skip
        s.add(held)
        s.flush()
        for number, code, rank, seat in (("A02", "NEV-X", 1, "open"), ("A03", "NEV-Y", 0, "G05")):
            s.add(
                Placement(
                    publication_id=held.id, applicant_id=o.person(s, number).id,
                    program_id=o.program(s, code).id, rank=rank, seat=seat, salt="s",
                )
            )  # fmt: skip


@pytest.mark.parametrize("state", ["PUBLISHED", "SUSPENDED", "DRAWN"])
def test_an_enterprise_sees_its_own_placed_people_masked_once_public(
    app: Flask, as_user: Callable[..., FlaskClient], state: str
) -> None:
    w = o.world(app, as_user, state)
    publish(w)
    x, y = w.as_("x").get(f"{BASE}/placed").text, w.as_("y").get(f"{BASE}/placed").text
    if state != "PUBLISHED":
        assert "A02" not in x and "公示后才有名单" in x
        return
    assert "A02" in x and "王*芳" in x and "王小芳" not in x and "第 1 志愿" in x
    assert "A03" not in x and "A03" in y and "调剂录取" in y and "G05" not in y and "预留" not in y
    assert "查看录取名单" in w.as_("x").get(f"{BASE}/").text


def test_an_account_without_an_enterprise_is_told_so(as_user: Callable[..., FlaskClient]) -> None:
    assert "没有单位" in as_user("enterprise").get("/enterprise/").text


def test_home_says_what_comes_next_in_each_state(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    w = o.world(app, as_user, "DRAFT")
    x = w.as_("x")
    x.post(f"{BASE}/demands/new", data=FORM)
    assert "提交岗位 数控车工" in x.get("/enterprise/").text
    x.post(f"{BASE}/demands/X-D01/submit", data={"version": "1"})
    assert "再发布一个岗位" in x.get("/enterprise/").text
    with w.writing() as s:
        enterprise = o.office(s, Enterprise, "X")
        assert enterprise.employees is None
        round_ = o.the_round(s)
        table = type(round_).__table__
        s.execute(table.update().values(state="FROZEN"))  # type: ignore[attr-defined]
    assert "等待公开摇号" in x.get("/enterprise/").text
    page = x.get("/enterprise/").text
    assert page.count('class="next"') == 1


def test_before_any_round_there_is_nothing_to_do(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    with app.app_context(), db.writing() as s:
        s.add(Enterprise(code="Q", name="某厂"))
    w = o.World(app, as_user)
    client = as_user("enterprise", "quser", enterprise_id=w.id(Enterprise, "Q"))
    assert "还没有招生轮次" in client.get("/enterprise/").text
