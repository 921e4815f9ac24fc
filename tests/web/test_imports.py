"""Importing workbooks: what is stored, by whom, and that it is all or nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tests.web.filled import (
    FIRST,
    SECOND,
    applicant,
    choice,
    count,
    example,
    identity,
    move,
    put,
    put_plan,
    read,
    read_file,
    review,
    score,
    store,
    the_round,
    told,
)
from web import audit, choices, db, exports, imports, people, reviewing
from web.lines import Issue
from web.models import (
    Applicant,
    AuditEvent,
    AuditPayload,
    ChoiceList,
    College,
    Consent,
    Demand,
    Enterprise,
    Import,
    OrderClass,
    Person,
    Program,
    Review,
    Score,
)
from web.sheets import SHEETS

NAMES = ("王𬭎", "䶮小䶮", "㛃㛃", "阿依古丽·买买提", "欧阳明月", "John A. Smith")


# --- what is stored ---------------------------------------------------------------------------


def test_a_plan_comes_in_with_seats_and_reserves(planned: Flask) -> None:
    session = db.reading()
    held = session.scalars(select(OrderClass).where(OrderClass.code == "K002")).one()
    assert (held.name, held.college.code, held.district) == (
        "数控加工中级工订单班",
        "C02",
        "371002",
    )
    assert [(p.code, p.enterprise.code, p.capacity, p.channel) for p in held.programs] == [
        ("K002-1", "E01", 20, "CH3"), ("K002-2", "E02", 10, "CH3"),
    ]  # fmt: skip
    shared = [(r.group, r.seats) for p in held.programs for r in p.reserves]
    assert shared == [("G05", 3), ("G06", 1), ("G05", 1), ("G06", 1)]
    assert held.industry == "IND06"
    assert session.scalars(select(Demand)).one().state == "submitted"


def test_a_changed_line_updates_by_key_and_takes_confirmations_back(draft: Flask) -> None:
    put_plan()
    with db.writing() as session:
        for held in session.scalars(select(OrderClass)):
            held.confirmed_at, held.confirmed_by = db.now(session), "college:c"
            for program in held.programs:
                program.confirmed_at, program.confirmed_by = db.now(session), "enterprise:e"
    line = example("classes", seats1=25, seats=25, note="调整")
    held = read("classes", [line])
    assert held.counts["changed"] == 1 and held.counts["added"] == 0
    assert held.rows[0]["differing"] == ["seats1", "seats", "note"]
    assert held.rows[0]["before"]["seats1"] == 20
    store(held)
    session = db.reading()
    by_code = {c.code: c for c in session.scalars(select(OrderClass))}
    assert by_code["K001"].confirmed_at is None and by_code["K001"].programs[0].confirmed_at is None
    assert by_code["K002"].confirmed_at is not None
    assert by_code["K001"].programs[0].capacity == 25


def test_seats_of_an_enterprise_that_a_line_leaves_out_are_not_deleted(draft: Flask) -> None:
    put_plan()
    line = example("classes", code="K002", college="C02", channel="社会人员")
    assert (3, "enterprise1", "seats_lost") in told(read("classes", [line]))
    assert count(Program) == 3


def test_the_order_of_enterprises_in_a_line_says_nothing(draft: Flask) -> None:
    put_plan()
    line = example(
        "classes", code="K002", college="C02", enterprise1="E02", seats1=10, enterprise3="E01",
        seats3=20, seats=30, channel="CH3", reserves="G06:2;G05:4",
    )  # fmt: skip
    assert read("classes", [line]).counts["same"] == 1


def test_people_come_in_encrypted_with_their_consents(planned: Flask) -> None:
    put("applicants", [applicant(1, group2="失业青年", colour="正常", evidence="证-1")])
    session = db.reading()
    held = session.scalars(select(Applicant)).one()
    person = held.person
    assert people.number_of(person) == identity(1) and identity(1).encode() not in person.number
    assert people.telephone_of(person) == "19900000001"
    assert people.guardian_telephone_of(held) == "19900000002"
    assert (held.state, held.entered_by) == ("draft", FIRST.name)
    assert [(g.group, g.evidence) for g in held.groups] == [("G01", "证-1"), ("G05", "证-1")]
    assert (held.health, person.birth_date.isoformat() if person.birth_date else "") == (
        "H01", "2010-03-15",
    )  # fmt: skip
    given = set(session.scalars(select(Consent.text)))
    assert given == {"basic", "passing", "public", "honest", "minor"}


def test_no_number_stands_open_in_an_import_or_the_record(planned: Flask) -> None:
    held = read("applicants", [applicant(1), applicant(2, number=identity(2)[:-1] + "Q")])
    assert held.state == "refused"
    put("applicants", [applicant(1)])
    put("applicants", [applicant(1, telephone="19900000009")])
    session = db.reading()
    ours = select(Import).where(Import.sheet == "applicants")
    texts = [str(row.rows) + str(row.issues) for row in session.scalars(ours)]
    events = select(AuditPayload).join(AuditEvent).where(AuditEvent.row.startswith("applicant"))
    texts += [str(payload.payload) for payload in session.scalars(events)]
    assert len(texts) >= 5
    for secret in (identity(1), identity(2)[:-1], "19900000001", "19900000009", "19900000002"):
        assert not [text for text in texts if secret in text]
    previews = session.scalars(select(Import).where(Import.state == "stored")).all()
    assert previews[-1].rows[0]["sealed"] == {}


def test_people_without_a_number_are_given_one_and_found_again_by_their_document(
    planned: Flask,
) -> None:
    line = applicant(1, applicant=None)
    put("applicants", [line])
    held = read("applicants", [line])
    assert held.counts["same"] == 1
    assert db.reading().scalars(select(Applicant.number)).one() == "2026200001"


def test_a_mask_that_was_exported_means_no_change(planned: Flask) -> None:
    put("applicants", [applicant(1)])
    data = exports.workbook(db.reading(), the_round(), "applicants")
    assert identity(1).encode() not in data
    assert read_file("applicants", data).counts["same"] == 1
    changed = applicant(1, number="3710**********" + identity(1)[-4:], district="荣成市")
    store(read("applicants", [changed]))
    held = db.reading().scalars(select(Applicant)).one()
    assert held.district == "371082" and people.number_of(held.person) == identity(1)


def test_a_group_claimed_elsewhere_survives_an_import(planned: Flask) -> None:
    put("applicants", [applicant(1, group2="失业青年")])
    put("applicants", [applicant(1, group2="农民工")])
    held = db.reading().scalars(select(Applicant)).one()
    assert [g.group for g in held.groups] == ["G01", "G06"]


def test_lists_are_submitted_and_count(planned: Flask) -> None:
    put("applicants", [applicant(1), applicant(2)])
    put("choices", [
        choice(1, 1, "K002", enterprise="E02"), choice(1, 2, "K001"),
        choice(2, 0, None, adjustment="同一产业"),
    ])  # fmt: skip
    session = db.reading()
    found = {a.number: choices.submitted(session, a) for a in session.scalars(select(Applicant))}
    first, second = found["A0001"], found["A0002"]
    assert first is not None and second is not None
    assert (first.choices, first.adjustment, first.number) == (["K002-2", "K001"], "alliance", 1)
    assert (second.choices, second.adjustment) == ([], "industry")
    assert first.receipt and first.digest
    assert set(session.scalars(select(Applicant.state))) == {"submitted"}
    put("choices", [choice(1, 1, "K001", not_accepted="K002", adjusted="否", adjustment=None)])
    applicants = select(Applicant).order_by(Applicant.number)
    again = choices.submitted(db.reading(), session.scalars(applicants).all()[0])
    assert again is not None
    assert (again.number, again.choices, again.not_accepted) == (2, ["K001"], ["K002"])
    assert count(ChoiceList) == 3


def test_scores_wait_for_a_second_person(examined: Flask) -> None:
    held = put("scores", [
        score(1, culture="80.50", skill=90), score(1, order_class="K001", interview=75),
        score(2, culture=0, standing="缺考"), score(3, culture="免考", skill=61, exempt_basis="省赛一等奖"),
    ])  # fmt: skip
    rows = db.reading().scalars(select(Score).order_by(Score.id)).all()
    assert [(s.channel, s.program and s.program.code, s.culture, s.skill, s.interview) for s in rows] == [
        ("CH1", None, "80.5", "90", ""), ("", "K001-1", "", "", "75"),
        ("CH1", None, "0", "absent", ""), ("CH1", None, "exempt", "61", ""),
    ]  # fmt: skip
    assert {s.confirmed_at for s in rows} == {None}
    with pytest.raises(reviewing.SecondPerson), db.writing() as session:
        imports.confirm(session, session.get_one(Import, held.id), FIRST)
    with db.writing() as session:
        assert imports.confirm(session, session.get_one(Import, held.id), SECOND) == 4
    assert {s.confirmed_by for s in db.reading().scalars(select(Score))} == {SECOND.name}
    with pytest.raises(imports.Done), db.writing() as session:
        imports.confirm(session, session.get_one(Import, held.id), SECOND)
    put("scores", [score(1, culture=81, skill=90)])
    changed = db.reading().scalars(select(Score).order_by(Score.id)).first()
    assert changed is not None and changed.confirmed_at is None and changed.version == 2


def test_an_interview_of_a_class_counts_at_each_of_its_seats(examined: Flask) -> None:
    put("scores", [score(1, channel="社会人员", order_class="K002", interview=66)])
    rows = db.reading().scalars(select(Score)).all()
    assert [(s.program and s.program.code, s.interview) for s in rows] == [
        ("K002-1", "66"), ("K002-2", "66"),
    ]  # fmt: skip


def test_a_batch_confirms_only_what_still_stands(examined: Flask) -> None:
    first = put("scores", [score(1, culture=70, skill=70), score(2, culture=70, skill=70)])
    put("scores", [score(2, culture=71, skill=70)])
    with db.writing() as session:
        assert imports.confirm(session, session.get_one(Import, first.id), SECOND) == 1


def test_reviews_conclude_applications(examined: Flask) -> None:
    put("reviews", [
        review(1), review(1, matter="材料"), review(2, conclusion="补正"),
        review(3, conclusion="不通过", code="证件过期"), review(3, matter="材料"),
    ])  # fmt: skip
    states = db.reading().execute(
        select(Applicant.number, Applicant.state, Applicant.review).order_by(Applicant.number)
    )
    assert [tuple(row) for row in states] == [
        ("A0001", "passed", "passed"), ("A0002", "returned", ""), ("A0003", "failed", "expired"),
    ]  # fmt: skip
    assert count(Review) == 5
    late = read("reviews", [review(3), review(2)])
    assert told(late) == [(3, "conclusion", "concluded")]


def test_a_batch_of_lists_stands_for_the_signed_papers(planned: Flask) -> None:
    put("applicants", [applicant(1)])
    held = put("choices", [choice(1, 1, "K001")])
    with db.writing() as session:
        imports.confirm(session, session.get_one(Import, held.id), SECOND)
    person = db.reading().scalars(select(Applicant)).one()
    assert person.entry_confirmed == f"import:{held.key}"
    assert person.guardian_agreed_how == f"paper:import:{held.key}"


def test_a_batch_waits_where_it_is_seen_until_a_second_person_confirms_it(planned: Flask) -> None:
    def waits() -> list[str]:
        return [held.sheet for held in imports.waiting(db.reading(), the_round(), FIRST)]

    assert waits() == [], "the plan needs no second person"
    people = put("applicants", [applicant(1)])
    put("choices", [choice(1, 1, "K001")])
    assert waits() == ["choices", "applicants"]
    with db.writing() as session:
        imports.confirm(session, session.get_one(Import, people.id), SECOND)
    assert waits() == ["choices"]


def test_names_are_stored_exactly_as_typed(planned: Flask) -> None:
    put("applicants", [applicant(n, name=name) for n, name in enumerate(NAMES, start=1)])
    assert tuple(db.reading().scalars(select(Person.name).order_by(Person.id))) == NAMES
    data = exports.workbook(db.reading(), the_round(), "applicants")
    assert read_file("applicants", data).counts["same"] == len(NAMES)


# --- all or nothing ---------------------------------------------------------------------------


def test_the_same_file_again_changes_nothing(draft: Flask) -> None:
    put("colleges", [example("colleges")])
    held = read("colleges", [example("colleges")])
    assert (held.counts["same"], held.rows) == (1, [])


def test_one_fault_keeps_every_row_out(draft: Flask) -> None:
    held = read("colleges", [example("colleges"), example("colleges", code="C02", tier="大学")])
    assert held.state == "refused" and held.rows == []
    assert (4, "tier", "choice") in told(held)
    with pytest.raises(imports.Done), db.writing() as session:
        imports.store(session, session.get_one(Import, held.id), FIRST)
    assert count(College) == 0


def test_a_preview_is_stored_once(draft: Flask) -> None:
    held = put("colleges", [example("colleges")])
    with pytest.raises(imports.Done), db.writing() as session:
        imports.store(session, session.get_one(Import, held.id), FIRST)
    with pytest.raises(imports.Done), db.writing() as session:
        imports.drop(session, session.get_one(Import, held.id), FIRST)


def test_a_preview_of_what_has_changed_since_is_not_stored(draft: Flask) -> None:
    put("colleges", [example("colleges")])
    held = read("colleges", [example("colleges", note="一")])
    put("colleges", [example("colleges", note="二")])
    with pytest.raises(imports.Stale):
        store(held)
    assert db.reading().scalars(select(College.note)).one() == "二"


def test_a_round_that_moved_on_takes_no_preview(draft: Flask) -> None:
    put_plan()
    held = read("classes", [example("classes", note="晚")])
    move(draft, "ANNOUNCED")
    with pytest.raises(imports.Closed):
        store(held)
    assert told(read("classes", [example("classes", note="晚")])) == [(0, "", "state")]


class Killed(Exception):
    """The process dies here."""


def test_a_kill_between_rows_leaves_nothing(
    planned: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [applicant(n) for n in range(1, 21)]
    held = read("applicants", lines)
    people_before = count(Person), count(Applicant), count(AuditEvent)
    flush, chance = Session.flush, random.Random(5)
    for _ in range(25):
        left = chance.randrange(1, 5)

        def dies(self: Session, *rest: Any, **named: Any) -> None:
            nonlocal left
            flush(self, *rest, **named)
            left -= 1
            if left == 0:
                raise Killed

        monkeypatch.setattr(Session, "flush", dies)
        with pytest.raises(Killed):
            store(held)
        monkeypatch.setattr(Session, "flush", flush)
        assert (count(Person), count(Applicant), count(AuditEvent)) == people_before
    store(held)
    assert count(Applicant) == 20
    assert list(audit.broken(db.reading())) == []


# --- offices ----------------------------------------------------------------------------------


def test_an_office_imports_its_own_rows_only(examined: Flask) -> None:
    from web import auth

    with db.writing() as session:
        college = session.scalars(select(College).where(College.code == "C01")).one()
        enterprise = session.scalars(select(Enterprise).where(Enterprise.code == "E02")).one()
        auth.create_user(session, "u1", "", "college", college=college)
        auth.create_user(session, "e2", "", "enterprise", enterprise=enterprise)
    college_actor = audit.Actor("college:u1", "college")
    firm = audit.Actor("enterprise:e2", "enterprise")
    assert told(read("colleges", [example("colleges", note="x"), example("colleges", code="C02")],
                     college_actor)) == [(4, "code", "not_yours")]  # fmt: skip
    assert told(read("enterprises", [example("enterprises")], firm)) == [(3, "code", "not_yours")]
    put("scores", [score(1, order_class="K001", interview=70), score(1, skill=70)], college_actor)
    held = read(
        "scores", [score(1, channel="CH3", order_class="K002-2", interview=70)], college_actor
    )
    assert told(held) == [(3, "applicant", "not_yours")]
    interview = score(2, channel="CH3", order_class="K002", interview=70)
    mine = read("scores", [interview | {"order_class": "K002-2"}], firm)
    assert told(mine) == []
    store(mine, firm)
    assert told(read("scores", [score(2, skill=70)], firm)) == [
        (3, "order_class", "interviews_only")
    ]
    late = read("scores", [score(1, skill=99)])
    assert told(late) == [(3, "applicant", "other_office")]
    assert {s.office for s in db.reading().scalars(select(Score))} == {"C01", "E02"}
    put("reviews", [review(1)], college_actor)
    assert [h.sheet for h in imports.recent(db.reading(), the_round(), firm)] == [
        "scores", "scores", "enterprises",
    ]  # fmt: skip
    move(examined, "DRAFT")
    assert told(read("classes", [example("classes", code="K002")], college_actor))[:1] == [
        (3, "college", "other_college")
    ]
    assert (3, "enterprise", "not_yours") in told(read("demands", [example("demands")], firm))


def test_issue_knows_how_it_is_stored() -> None:
    issue = Issue("required", 3, "name")
    assert Issue(**issue.plain()) == issue


def test_every_sheet_is_kept(draft: Flask) -> None:
    from web.keepers import KEEPERS

    assert set(KEEPERS) == set(SHEETS)


def test_many_lines_are_stored_by_few_statements(planned: Flask) -> None:
    def statements(sheet: str, lines: list[dict[str, Any]]) -> int:
        made: list[str] = []

        def note(_: object, __: object, statement: str, *rest: object) -> None:
            made.append(statement)

        held = read(sheet, lines)
        event.listen(db.engine(), "before_cursor_execute", note)
        try:
            store(held)
        finally:
            event.remove(db.engine(), "before_cursor_execute", note)
        return len(made)

    assert statements("applicants", [applicant(n) for n in range(1, 61)]) < 40
    assert statements("choices", [choice(n, 1, "K001") for n in range(1, 61)]) < 30
    assert count(ChoiceList) == count(Applicant) == 60 and count(Consent) >= 240
    assert list(audit.broken(db.reading())) == []
