"""A file that replaces all: every removal is listed, explained, and stored by another person."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.web.filled import (
    FIRST,
    SECOND,
    applicant,
    choice,
    count,
    example,
    fill,
    filled,
    identity,
    make_round,
    move,
    put,
    put_people,
    put_plan,
    read_file,
    sentences,
    the_round,
    told,
)
from web import audit, auth, choices, db, exports, imports, notices, reviewing
from web.audit import Actor
from web.models import (
    Applicant,
    AuditEvent,
    AuditPayload,
    Cap,
    ChoiceList,
    College,
    Demand,
    Enterprise,
    Import,
    OrderClass,
    Program,
    Reserve,
)
from web.sheets import SHEETS

REASON = "重新编制"


def replacing(sheet: str, rows: list[dict[str, Any]], actor: Actor = FIRST) -> Import:
    """A preview of these lines in the place of everything."""
    data = filled(sheet, rows)
    session = db.reading()
    return imports.read(session, the_round(), sheet, "表.xlsx", data, actor, True, REASON)


def stored(held: Import, actor: Actor = SECOND) -> None:
    with db.writing() as session:
        imports.store(session, session.get_one(Import, held.id), actor)


def codes(model: type[Any]) -> list[str]:
    return sorted(db.reading().scalars(select(model.code)))


@pytest.fixture
def planned(draft: Flask) -> Flask:
    """The plan stands, and may still be changed: classes K001 and K002, demand E01-D1."""
    put_plan()
    return draft


def test_what_the_file_leaves_out_is_listed_and_removed_by_another(planned: Flask) -> None:
    held = replacing("classes", [example("classes", note="新"), example("classes", code="K003")])
    assert held.state == "previewed" and told(held) == []
    assert (held.counts["added"], held.counts["changed"], held.counts["removed"]) == (1, 1, 1)
    [removal] = held.removals
    assert removal["key"] == "K002" and removal["before"]["seats"] == 30
    assert codes(OrderClass) == ["K001", "K002"], "nothing happens before another person stores it"
    with pytest.raises(reviewing.SecondPerson):
        stored(held, FIRST)
    assert codes(OrderClass) == ["K001", "K002"]
    stored(held)
    assert codes(OrderClass) == ["K001", "K003"]
    assert codes(Program) == ["K001-1", "K003-1"]
    session = db.reading()
    assert not session.scalars(select(Reserve)).all()
    done = session.get_one(Import, held.id)
    assert (done.state, done.by, done.confirmed_by) == ("stored", FIRST.name, SECOND.name)
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "classes.remove")).one()
    assert event.row == "classes/K002"
    said = session.scalars(select(AuditPayload).where(AuditPayload.event_id == event.id)).one()
    assert said.payload["reason"] == REASON and said.payload["before"]["enterprise2"] == "E02"
    assert list(audit.broken(session)) == []
    with pytest.raises(imports.Done):
        stored(held)


def test_a_demand_that_a_class_uses_stays(planned: Flask) -> None:
    with db.writing() as session:
        demand = session.scalars(select(Demand)).one()
        demand.state = "taken"
        session.scalars(select(Program).where(Program.code == "K002-1")).one().demand_id = demand.id
    held = replacing("demands", [example("demands", code="E01-D2")])
    assert held.state == "refused" and told(held) == [(0, "", "removal_taken")]
    assert held.removals == [] and held.issues[0]["value"] == "E01-D1"
    assert "从班级里撤下" in sentences(held)[0][1]
    stored(replacing("classes", [example("classes")]))
    assert db.reading().scalars(select(Demand.state)).one() == "submitted"
    stored(replacing("demands", [example("demands", code="E01-D2")]))
    assert codes(Demand) == ["E01-D2"]


def test_a_class_within_an_upper_limit_stays(planned: Flask) -> None:
    round_ = the_round()
    with db.writing() as session:
        session.add(Cap(round_id=round_.id, code="T1", seats=9, programs=["K002-1"]))
    held = replacing("classes", [example("classes")])
    assert told(held) == [(0, "", "removal_capped")]


@pytest.mark.parametrize("what", ["changed", "added", "used"])
def test_what_changed_since_the_list_was_shown_is_not_removed(planned: Flask, what: str) -> None:
    put("demands", [example("demands", code="E01-D2")])
    held = replacing("demands", [example("demands")])
    assert [removal["key"] for removal in held.removals] == ["E01-D2"]
    if what == "used":
        with db.writing() as session:
            demand = session.scalars(select(Demand).where(Demand.code == "E01-D2")).one()
            session.scalars(select(Program)).all()[0].demand_id = demand.id
    else:
        code = "E01-D2" if what == "changed" else "E01-D3"
        put("demands", [example("demands", code=code, people=99)])
    before = codes(Demand)
    with pytest.raises(imports.Stale):
        stored(held)
    assert codes(Demand) == before


def test_all_or_nothing(planned: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    held = replacing("classes", [example("classes", code="K009")])

    def dies(*_args: object, **_named: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(imports, "_log", dies)
    with pytest.raises(ZeroDivisionError):
        stored(held)
    assert codes(OrderClass) == ["K001", "K002"] and len(codes(Program)) == 3


def test_what_may_be_replaced_depends_on_the_state(planned: Flask) -> None:
    def can() -> set[str]:
        session, round_ = db.reading(), the_round()
        return {key for key, sheet in SHEETS.items() if imports.replaceable(session, round_, sheet)}

    assert can() == {"colleges", "enterprises", "demands", "classes"}
    move(planned, "OPEN")
    assert can() == {"colleges", "enterprises", "applicants", "choices"}
    move(planned, "REVIEW")
    assert can() == set()
    assert {key for key, sheet in SHEETS.items() if imports.after_all(sheet)} == {
        "scores", "reviews",
    }  # fmt: skip


def test_only_with_a_reason_and_before_the_review(planned: Flask) -> None:
    session, round_ = db.reading(), the_round()
    data = filled("classes", [example("classes")])
    with pytest.raises(imports.NotReplaceable):
        imports.read(session, round_, "classes", "a.xlsx", data, FIRST, True, "  ")
    scores = filled("scores", [example("scores")])
    with pytest.raises(imports.NotReplaceable):
        imports.read(session, round_, "scores", "a.xlsx", scores, FIRST, True, REASON)
    held = replacing("classes", [example("classes")])
    for state in ("ANNOUNCED", "REVIEW", "FROZEN"):
        move(planned, state)
        with pytest.raises(imports.NotReplaceable):
            replacing("classes", [example("classes")])
        with pytest.raises(imports.Closed):
            stored(held)
    assert codes(OrderClass) == ["K001", "K002"]


def test_an_office_replaces_its_own_rows_only(planned: Flask) -> None:
    put("demands", [example("demands", code="E02-D1", enterprise="E02")])
    with db.writing() as session:
        enterprise = session.scalars(select(Enterprise).where(Enterprise.code == "E02")).one()
        for name in ("u1", "u2"):
            auth.create_user(session, name, "", "enterprise", enterprise=enterprise)
    first, mate = Actor("enterprise:u1", "enterprise"), Actor("enterprise:u2", "enterprise")
    held = replacing("demands", [example("demands", code="E02-D9", enterprise="E02")], first)
    assert [removal["key"] for removal in held.removals] == ["E02-D1"]
    with pytest.raises(reviewing.SecondPerson):
        stored(held, SECOND)
    stored(held, mate)
    assert codes(Demand) == ["E01-D1", "E02-D9"]


# --- members ----------------------------------------------------------------------------------


def test_only_members_whom_nothing_names_are_removed(planned: Flask) -> None:
    kept = [example("enterprises", code=code, name=f"{code}有限公司") for code in ("E01", "E02")]
    stored(replacing("enterprises", kept))
    assert codes(Enterprise) == ["E01", "E02"]
    held = replacing("enterprises", kept[:1])
    assert told(held) == [(0, "", "removal_member")] and held.issues[0]["value"] == "E02"
    assert codes(Enterprise) == ["E01", "E02"]
    event = db.reading().scalars(
        select(AuditEvent).where(AuditEvent.action == "enterprises.remove")
    ).one()  # fmt: skip
    assert event.row == "enterprises/E03"


def test_a_college_with_an_account_stays(planned: Flask) -> None:
    put("colleges", [example("colleges", code="C03", name="第三技师学院")])
    both = [example("colleges"), example("colleges", code="C02", name="第二技师学院")]
    with db.writing() as session:
        college = session.scalars(select(College).where(College.code == "C03")).one()
        auth.create_user(session, "c3", "", "college", college=college)
    held = replacing("colleges", both)
    assert told(held) == [(0, "", "removal_member")] and held.issues[0]["value"] == "C03"


# --- people -----------------------------------------------------------------------------------


@pytest.fixture
def applied(planned: Flask) -> Flask:
    """Three people have applied at a counter and listed two classes."""
    move(planned, "OPEN")
    put_people()
    return planned


def states() -> dict[str, str]:
    return dict(db.reading().execute(select(Applicant.number, Applicant.state)).all())


def test_whom_the_file_leaves_out_has_withdrawn(applied: Flask) -> None:
    held = replacing("applicants", [applicant(1), applicant(4)])
    assert [one["key"] for one in held.removals] == ["A0002", "A0003"]
    assert identity(2) not in str(held.removals), "numbers are masked in what is kept"
    with pytest.raises(reviewing.SecondPerson):
        stored(held, FIRST)
    stored(held)
    assert states() == {
        "A0001": "submitted", "A0002": "withdrawn", "A0003": "withdrawn", "A0004": "draft",
    }  # fmt: skip
    session = db.reading()
    assert count(ChoiceList) == 3, "no list is deleted"
    she = session.scalars(select(Applicant).where(Applicant.number == "A0002")).one()
    [notice] = notices.unread(session, she)
    assert notice.title == "报名已撤回" and REASON in notice.sentences[0]
    event = session.scalars(
        select(AuditEvent).where(
            AuditEvent.row == "applicant/A0002", AuditEvent.action == "applicant.state"
        )
    ).one()
    assert session.get_one(AuditPayload, event.id).payload == {
        "before": {"state": "submitted"}, "after": {"state": "withdrawn"}, "reason": REASON,
    }  # fmt: skip
    again = replacing("applicants", [applicant(1), applicant(4, boarding="是")])
    assert again.removals == [] and again.counts["gone"] == 2
    stored(again)
    waits = session.get_one(Import, again.id)
    assert waits.confirmed_by == "", "the papers of the batch are still to be compared"


def test_nobody_s_own_application_is_withdrawn(applied: Flask) -> None:
    with db.writing() as session:
        own = session.scalars(select(Applicant).where(Applicant.number == "A0002")).one()
        own.entered_by = ""
    held = replacing("applicants", [applicant(1)])
    assert told(held) == [(0, "", "removal_own")] and held.issues[0]["value"] == "A0002"


def test_a_list_that_the_file_leaves_out_is_taken_back(applied: Flask) -> None:
    held = replacing("choices", [choice(1, 1, "K001"), choice(1, 2, "K002")])
    assert [one["key"] for one in held.removals] == ["A0002", "A0003"]
    stored(held)
    session = db.reading()
    she = session.scalars(select(Applicant).where(Applicant.number == "A0002")).one()
    counts = choices.submitted(session, she)
    assert counts is not None and (counts.number, counts.choices, counts.adjustment) == (
        2, [], "none",
    )  # fmt: skip
    assert [one.choices for one in choices.history(session, she)] == [[], ["K001", "K002"]]
    assert choices.digest(she, counts) == counts.digest
    assert notices.unread(session, she)[0].title == "志愿已撤下"
    actions = session.scalars(select(AuditEvent.action).where(AuditEvent.row == "applicant/A0002"))
    assert choices.TAKEN_BACK in list(actions) and list(audit.broken(session)) == []
    data = exports.workbook(session, the_round(), "choices")
    assert read_file("choices", data).counts["same"] == 1, "what was taken back says nothing"
    put("choices", [choice(2, 1, "K002")])
    again = choices.submitted(db.reading(), she)
    assert again is not None and (again.number, again.choices) == (3, ["K002"])


def test_nobody_s_own_list_is_taken_back(applied: Flask) -> None:
    with db.writing() as session:
        own = session.scalars(select(Applicant).where(Applicant.number == "A0003")).one()
        held = choices.submitted(session, own)
        assert held is not None
        held.entered_by = "applicant:someone"
    refused = replacing("choices", [choice(1, 1, "K001"), choice(1, 2, "K002")])
    assert told(refused) == [(0, "", "removal_own_list")]


# --- pages ------------------------------------------------------------------------------------


def test_the_pages_ask_for_a_reason_and_a_second_person(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    with app.test_request_context():
        with db.writing() as session:
            make_round(session)
        put_plan()
        template = exports.template(db.reading(), the_round(), "classes")
    data = fill(template, "classes", [example("classes")])
    first, second = as_user("coordinator", "first"), as_user("coordinator", "second")
    home = "/exchange/2026-1/"

    def send(**form: str) -> Any:
        return first.post(f"{home}classes", data={"file": (io.BytesIO(data), "表.xlsx"), **form})

    assert "全量替换" in first.get(f"{home}classes").text
    assert "不能全量替换：审核开始后" in first.get(f"{home}scores").text
    assert "按撤回处理" not in first.get(f"{home}applicants").text
    assert "请写明为什么要全量替换" in send(replaces="y").text
    address = send(replaces="y", reason=REASON).headers["Location"]
    page = first.get(address).text
    assert "等另一人核对" in page and REASON in page and "K002" in page and "E02" in page
    assert "全部存入" not in page
    assert "不能自己确认" in first.post(f"{address}/store", follow_redirects=True).text
    second.set_cookie("lang", "en")
    assert "Check each of the 1 line to be removed" in second.get(address).text
    second.delete_cookie("lang")
    assert "已全部存入" in second.post(f"{address}/store", follow_redirects=True).text
    assert "K002" in second.get(address).text, "what was removed stays readable"
    with app.app_context():
        assert codes(OrderClass) == ["K001"]
        move(app, "OPEN")
    assert "按撤回处理" in first.get(f"{home}applicants").text
    with app.test_request_context():
        put("applicants", [applicant(n) for n in (1, 2, 3)])
        people = filled("applicants", [applicant(1)])
    form = {"file": (io.BytesIO(people), "表.xlsx"), "replaces": "y", "reason": REASON}
    address = first.post(f"{home}applicants", data=form).headers["Location"]
    assert "按撤回处理的 2 行" in first.get(address).text
    assert "逐行核对要撤回的 2 行" in second.get(address).text
    with app.app_context():
        move(app, "REVIEW")
    assert "不能全量替换" in first.post(
        f"{home}classes", follow_redirects=True,
        data={"file": (io.BytesIO(data), "表.xlsx"), "replaces": "y", "reason": REASON},
    ).text  # fmt: skip
