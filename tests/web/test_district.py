"""A district office verifies groups of its own people, and sees nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.web import offices as o
from tests.web.a_round import SERIAL
from web import db
from web.models import Membership

BASE = f"/district/{SERIAL}"


@pytest.fixture
def w(app: Flask, as_user: Callable[..., FlaskClient]) -> o.World:
    made = o.world(app, as_user, "REVIEW")
    with made.writing() as s:
        o.claim(s, "A01", "G05")
        o.claim(s, "A02", "G06")
        o.person(s, "A02").district = "371002"
    return made


def state(w: o.World, number: str, group: str) -> str:
    with w.app.app_context():
        return (
            db.reading()
            .scalars(
                select(Membership.state).where(
                    Membership.group == group, Membership.applicant.has(number=number)
                )
            )
            .one()
        )


def test_a_group_is_verified(w: o.World) -> None:
    d1, key = w.as_("d1"), w.key("A01")
    home = d1.get("/district/").text
    assert "待核实 1 项" in home and "A01" in home and "A02" not in home
    assert "证明 7 号" in d1.get(f"{BASE}/list").text
    page = d1.get(f"{BASE}/groups/{key}/G05").text
    assert "张伟" in page and "3710**********" in page
    assert "请选一个结论" in d1.post(f"{BASE}/groups/{key}/G05", data={"seen": "claimed"}).text
    wrong = d1.post(f"{BASE}/groups/{key}/G05", data={"seen": "claimed", "state": "refused"}).text
    assert "请写明原因" in wrong and state(w, "A01", "G05") == "claimed"
    d1.post(f"{BASE}/groups/{key}/G05", data={"seen": "claimed", "state": "verified"})
    assert state(w, "A01", "G05") == "verified"
    assert "现在没有要您办的事" in d1.get("/district/").text
    assert "A01" not in d1.get(f"{BASE}/?state=claimed").text


def test_a_decision_changes_by_another_person_only(w: o.World) -> None:
    d1, key = w.as_("d1"), w.key("A01")
    d1.post(f"{BASE}/groups/{key}/G05", data={"seen": "claimed", "state": "verified"})
    change = {"seen": "verified", "state": "refused", "reason": "查无登记"}
    assert "不能自己确认" in d1.post(f"{BASE}/groups/{key}/G05", data=change).text
    assert "别人改过" in w.as_("d2").post(
        f"{BASE}/groups/{key}/G05", data=change | {"seen": "claimed"}
    ).text  # fmt: skip
    w.as_("d2").post(f"{BASE}/groups/{key}/G05", data=change)
    assert state(w, "A01", "G05") == "refused"


def test_other_districts_and_unclaimed_groups_are_not_there(w: o.World) -> None:
    key = w.key("A01")
    for client, path in ((w.as_("elsewhere"), f"groups/{key}/G05"), (w.as_("d1"), f"groups/{key}/G07"),
                         (w.as_("d1"), "groups/none/G05"), (w.as_("d1"), f"groups/{w.key('A02')}/G06")):  # fmt: skip
        assert client.get(f"{BASE}/{path}").status_code == 404, path
        data = {"seen": "claimed", "state": "verified"}
        assert client.post(f"{BASE}/{path}", data=data).status_code == 404, path
    assert state(w, "A02", "G06") == state(w, "A01", "G05") == "claimed"
    elsewhere = w.as_("elsewhere").get(f"{BASE}/list").text
    assert "A02" in elsewhere and "A01" not in elsewhere


def test_an_account_without_a_district_and_a_city_without_a_round(
    as_user: Callable[..., FlaskClient],
) -> None:
    client = as_user("district")
    assert "没有单位" in client.get("/district/").text
    assert client.get(f"{BASE}/list").status_code == 404
    other = as_user("district", "d9user", district="371002")
    assert "还没有招生轮次" in other.get("/district/").text
