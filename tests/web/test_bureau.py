"""The bureau and auditors read everything of a round, and change nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.web import offices as o
from tests.web.a_round import SERIAL
from tests.web.test_enterprise import publish
from web import audit, seats
from web.models import AuditEvent, AuditPayload, Publication, WaitingStep

BASE = f"/bureau/{SERIAL}"


@pytest.fixture
def w(app: Flask, as_user: Callable[..., FlaskClient]) -> o.World:
    return o.world(app, as_user, "PUBLISHED")


def test_a_round_is_shown_with_its_records_plan_runs_and_fairness(w: o.World) -> None:
    b1 = w.as_("b1")
    assert SERIAL in b1.get("/bureau/").text
    before = b1.get(f"{BASE}/").text
    assert "审〔2026〕1号" in before and "5 个班，6 组席位，共 16 个" in before
    assert "结果公示后才有" in before
    publish(w)
    after = b1.get(f"{BASE}/").text
    assert "高分落榜（应为零）" in after and "正式运行" in after and "d" * 64 in after
    assert "张伟" not in after and "A02" not in after


def test_a_change_of_seats_in_force_is_shown(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    w = o.world(app, as_user, "REVIEW")
    with w.writing() as s:
        change = seats.ask(s, o.program(s, "NEV-Y"), 2, "减产原因", o.Y)
        seats.agree(s, change, o.U1)
    assert "减产原因" not in w.as_("b1").get(f"{BASE}/").text
    with w.writing() as s:
        seats.agree(s, seats.of_round(s, o.the_round(s).id)[0], o.C1)
    assert "减产原因" in w.as_("b1").get(f"{BASE}/").text


def test_the_log_is_filtered_and_names_in_it_are_masked(w: o.World) -> None:
    with w.writing() as s:
        audit.record(
            s, o.C1, "person.correct", "applicant/A01",
            before={"name": "张伟伟", "groups": []}, after={"name": "张大伟", "lines": [{"guardian": "李明"}]},
        )  # fmt: skip
        audit.record(s, o.X, "demand.post", "demand/X-D01")
    b1 = w.as_("b1")
    page = b1.get("/bureau/audit").text
    assert "张*伟" in page and "李*" in page and "张大伟" not in page and "李明" not in page
    found = b1.get("/bureau/audit?action=demand&actor=enterprise:&row=demand/").text
    assert "demand/X-D01" in found and "person.correct" not in found
    assert "person.correct" not in b1.get("/bureau/audit?action=%25").text, "no wildcard"
    with w.writing() as s:
        s.delete(s.scalars(select(AuditPayload)).first())
    assert "保存期限" in b1.get("/bureau/audit").text


def test_the_log_is_read_page_by_page(w: o.World) -> None:
    with w.writing() as s:
        audit.record_all(s, o.C1, [audit.Entry(f"act.{n:03}", "row") for n in range(120)])
    b1 = w.as_("b1")
    first, last = (b1.get(f"/bureau/audit?action=act&page={n}").text for n in ("1", "99"))
    assert "act.119" in first and "act.070" in first and "act.069" not in first
    assert "act.000" in last and "act.020" not in last


def test_the_log_is_filtered_by_days_in_beijing(w: o.World) -> None:
    with w.writing() as s:
        for name, hour in (("late", "2026-06-01T15:59"), ("early", "2026-06-01T16:00")):
            w.app.config["CLOCK"] = lambda hour=hour: datetime.fromisoformat(f"{hour}:00+00:00")
            audit.record(s, o.C1, f"act.{name}", "row/1")
    b1 = w.as_("b1")
    found = {
        query: [n for n in ("late", "early") if f"act.{n}" in b1.get(f"/bureau/audit?{query}").text]
        for query in (
            "first=2026-06-02", "last=2026-06-01", "first=2026-06-01&last=2026-06-02",
            "first=0001-01-01&last=9999-12-31", "action=act&first=2026-06-03",
        )
    }  # fmt: skip
    assert list(found.values()) == [["early"], ["late"], ["late", "early"], ["late", "early"], []]
    for strange in ("yesterday", "2026-02-30", "99999-01-01"):
        page = b1.get(f"/bureau/audit?first={strange}")
        assert (
            page.status_code == 200
            and "这一项没有用来筛选" in page.text
            and "act.late" in page.text
        )


def test_results_are_listed_as_a_chain(w: o.World) -> None:
    assert "公示以来的结果" in w.as_("b1").get(f"{BASE}/").text
    publish(w)
    with w.writing() as s:
        first = s.scalars(select(Publication)).one()
        moment = first.at + timedelta(days=1)
        s.add(
            Publication(
                round_id=first.round_id, run_id=first.run_id, parent_id=first.id, merkle_root="r",
                bundle_digest="e" * 64, bundle="b2.zip", by="coordinator:c2", at=moment,
            )
        )  # fmt: skip
        s.add(
            WaitingStep(
                round_id=first.round_id, number=1, parent="e" * 64, folder="f", digest="f" * 64,
                by="coordinator:c1", at=moment + timedelta(days=9),
            )
        )  # fmt: skip
    page = w.as_("b1").get(f"{BASE}/").text.split("公示以来的结果")[1].split("</table>")[0]
    kinds = [page.index(kind) for kind in ("公示结果", "更正后的结果", "递补 1")]
    assert kinds == sorted(kinds)
    assert [page.count(c * 64) for c in "def"] == [2, 2, 1], "each is named by the next"


def test_the_chain_is_checked(w: o.World) -> None:
    with w.writing() as s:
        audit.record(s, o.C1, "one", "row/1")
        audit.record(s, o.C1, "two", "row/2")
    b1 = w.as_("b1")
    assert "日志链完整" in b1.get("/bureau/audit/check").text
    with w.writing() as s:
        s.scalars(
            select(AuditEvent).where(AuditEvent.action == "one")
        ).one().actor = "coordinator:c9"
    assert "断裂" in b1.get("/bureau/audit/check").text


def test_a_bundle_is_downloaded_and_recorded(w: o.World) -> None:
    publish(w)
    path = Path(w.app.instance_path) / "bundle.zip"
    path.write_bytes(b"PK-bundle")
    b1 = w.as_("b1")
    url = f"{BASE}/bundle/{'d' * 64}"
    assert "每次下载都有记录" in b1.get(url).text
    answer = b1.post(url)
    assert answer.data == b"PK-bundle" and "attachment" in answer.headers["Content-Disposition"]
    answer.close()
    assert w.actions()[-1] == "bundle.download"
    other = f"{BASE}/bundle/none"
    assert b1.get(other).status_code == b1.post(other).status_code == 404


@pytest.mark.parametrize("path", ["", f"{SERIAL}/", "audit", "audit/check"])
def test_auditors_read_the_same_and_others_nothing(w: o.World, path: str) -> None:
    with w.writing() as s:
        audit.record(s, o.C1, "one", "row/1")
    assert w.login("auditor").get(f"/bureau/{path}").status_code == 200
    assert w.as_("u1").get(f"/bureau/{path}").status_code == 403
    assert w.app.test_client().get(f"/bureau/{path}").status_code == 302


def test_there_may_be_no_round(as_user: Callable[..., FlaskClient]) -> None:
    assert "还没有招生轮次" in as_user("bureau").get("/bureau/").text
