"""Importing workbooks: what is stored, what is refused and where, and that it is all or nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.web.filled import (
    FIRST,
    SECOND,
    applicant,
    choice,
    example,
    identity,
    in_process,
    make_round,
    move,
    put,
    put_people,
    put_plan,
    read,
    read_file,
    sentences,
    store,
    the_round,
    told,
)
from web import audit, choices, db, exports, imports, people, reviewing
from web.issues import SENTENCES
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


__all__ = ["in_process"]


@pytest.fixture
def draft(app: Flask, in_process: None) -> Iterator[Flask]:
    """A round that is being prepared, within a request."""
    with app.test_request_context():
        with db.writing() as session:
            make_round(session)
        yield app


@pytest.fixture
def planned(draft: Flask) -> Flask:
    """The plan stands, and the round takes applications."""
    put_plan()
    move(draft, "OPEN")
    return draft


@pytest.fixture
def examined(planned: Flask) -> Flask:
    """Three people have listed classes, and offices examine them."""
    put_people()
    move(planned, "REVIEW")
    return planned


def count(model: type[Any]) -> int:
    return db.reading().scalar(select(func.count()).select_from(model)) or 0


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
    again = choices.submitted(db.reading(), session.scalars(select(Applicant)).all()[0])
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


# --- issues -----------------------------------------------------------------------------------


def score(serial: int, **cells: Any) -> dict[str, Any]:
    line = example("scores", applicant=f"A{serial:04d}") | {"skill": None}
    return line | cells


def review(serial: int, **cells: Any) -> dict[str, Any]:
    return example("reviews", applicant=f"A{serial:04d}", day="2026-05-30") | cells


CELLS: list[tuple[str, dict[str, Any], tuple[str, str]]] = [
    ("colleges", {"code": 101}, ("code", "number_cell")),
    ("colleges", {"code": "甲一"}, ("code", "code")),
    ("colleges", {"name": None}, ("name", "required")),
    ("colleges", {"name": "+1+1"}, ("name", "formula_text")),
    ("colleges", {"name": "＝HYPERLINK(1)"}, ("name", "formula_text")),
    ("colleges", {"name": "院" * 61}, ("name", "too_long")),
    ("colleges", {"note": "a\u202eb"}, ("note", "character")),
    ("colleges", {"note": "一\n二"}, ("note", "character")),
    ("colleges", {"note": True}, ("note", "not_text")),
    ("colleges", {"note": 1.5}, ("note", "not_text")),
    ("colleges", {"contact": 12}, ("contact", "not_text")),
    ("colleges", {"beds": "很多"}, ("beds", "integer")),
    ("colleges", {"beds": -1}, ("beds", "integer")),
    ("colleges", {"beds": True}, ("beds", "integer")),
    ("colleges", {"joined": "2026-02-30"}, ("joined", "date")),
    ("colleges", {"joined": 46000}, ("joined", "date")),
    ("colleges", {"joined": "去年"}, ("joined", "date")),
    ("colleges", {"telephone": "12"}, ("telephone", "telephone")),
    ("colleges", {"uscc": "91371099MADEM0001V"}, ("uscc", "uscc")),
    ("colleges", {"uscc": 913710990000}, ("uscc", "number_cell")),
    ("enterprises", {"leading": "也许"}, ("leading", "flag")),
    ("demands", {"study_forms": "全日制；FT"}, ("study_forms", "twice")),
    ("demands", {"enterprise": "E99"}, ("enterprise", "no_enterprise")),
    ("demands", {"wage_from": 5000, "wage_to": 4000}, ("wage_to", "reversed")),
    ("demands", {"health": "H01"}, ("health_basis", "basis_needed")),
    ("demands", {"title": "装配工（限男）"}, ("title", "unlawful")),
    ("classes", {"year": 2025}, ("year", "year")),
    ("classes", {"season": "春季"}, ("season", "year")),
    ("classes", {"college": "C99"}, ("college", "no_college")),
    ("classes", {"college": "C02"}, ("college", "other_college")),
    ("classes", {"years": 3.3}, ("years", "years")),
    ("classes", {"enterprise2": "E02"}, ("seats2", "required")),
    ("classes", {"seats2": 5}, ("enterprise2", "required")),
    ("classes", {"enterprise2": "E01", "seats2": 5}, ("enterprise2", "enterprise_twice")),
    ("classes", {"enterprise2": "E77", "seats2": 5}, ("enterprise2", "no_enterprise")),
    ("classes", {"seats": 21}, ("seats", "seats_sum")),
    ("classes", {"min_size": 21}, ("min_size", "min_size")),
    ("classes", {"reserves": "G05:30"}, ("reserves", "reserved")),
    ("classes", {"reserves": "很多"}, ("reserves", "reserves")),
    ("classes", {"reserves": "G05:1;G05:2"}, ("reserves", "twice")),
    ("classes", {"channel": "CH9"}, ("channel", "channel")),
    ("classes", {"age_min": 20, "age_max": 18, "age_basis": "法"}, ("age_max", "reversed")),
    ("classes", {"age_min": 18}, ("age_basis", "basis_needed")),
    ("classes", {"health": "H01"}, ("health_basis", "basis_needed")),
    ("classes", {"note": "限女生"}, ("note", "unlawful")),
]


def test_every_faulty_cell_of_the_plan_is_told_at_once_with_row_and_column(draft: Flask) -> None:
    put_plan()
    for sheet in ("colleges", "enterprises", "demands", "classes"):
        cases = [(cells, wanted) for name, cells, wanted in CELLS if name == sheet]
        key = "K001" if sheet == "classes" else "X"
        lines = [
            example(sheet, code=key if "other_college" in wanted else f"Z{at}") | cells
            for at, (cells, wanted) in enumerate(cases)
        ]
        held = read(sheet, lines)
        assert held.state == "refused"
        found = told(held)
        missing = [w for at, (_, w) in enumerate(cases, start=3) if (at, *w) not in found]
        assert not missing, found


def test_levels_are_those_of_the_kind_of_college(draft: Flask) -> None:
    put("colleges", [example("colleges", tier="技工学校")])
    put("enterprises", [example("enterprises")])
    assert told(read("classes", [example("classes", level="高级工")])) == [(3, "level", "level")]


PEOPLE: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"name": " 张三"}, ("name", "blanks_around")),
    ({"name": "张\u200b三"}, ("name", "character")),
    ({"name": "张\ue000三"}, ("name", "character")),
    ({"name": "@张三"}, ("name", "formula_text")),
    ({"name": 3}, ("name", "not_text")),
    ({"number": 371099200803150000}, ("number", "identity_number_cell")),
    ({"number": "3.71E+17"}, ("number", "identity_scientific")),
    ({"number": "3710992008031500"}, ("number", "identity_format")),
    ({"number": "371099；20080315"}, ("number", "identity_format")),
    ({"number": "371099200802300013"}, ("number", "identity_date")),
    ({"number": lambda number: number[:-1] + ("1" if number[-1] != "1" else "2")}, ("number", "identity_check")),
    ({"birth_date": "2010-03-16"}, ("birth_date", "identity_birth")),
    ({"sex": "女"}, ("sex", "identity_sex")),
    ({"identity_type": "学生证"}, ("identity_type", "choice")),
    ({"identity_type": "护照", "number": "E1"}, ("number", "identity_format")),
    ({"identity_type": "护照", "number": "E1234567"}, ("birth_date", "birth_needed")),
    ({"identity_type": "护照", "number": "E7654321", "birth_date": "2030-01-01"}, ("birth_date", "future")),
    ({"guardian": None}, ("guardian", "guardian")),
    ({"guardian_telephone": None}, ("guardian_telephone", "guardian")),
    ({"consent": "否"}, ("consent", "must_yes")),
    ({"group2": "应届初中毕业生"}, ("group2", "twice")),
    ({"certificate": "X123"}, ("certificate", "certificate")),
    ({"certificate": "Y0000370000012540000001"[:22]}, ("skill_level", "required")),
    ({"certificate": "Y000037000001254000001", "skill_level": "高级工"}, ("skill_level", "certificate_level")),
    ({"certificate": "Y000037000001994000001", "skill_level": "中级工"}, ("certificate", "certificate_year")),
    ({"certificate": "1234567890312345", "skill_level": "中级工"}, ("skill_level", "certificate_level")),
    ({"certificate": "1234567890412345", "skill_level": "中级工"}, ("", "")),
    ({"number": str.lower}, ("", "")),
    ({"number": lambda number: "".join(chr(ord(c) + 0xFEE0) for c in number)}, ("", "")),
]  # fmt: skip


def test_every_faulty_cell_of_applications_is_told_at_once_with_row_and_column(
    planned: Flask,
) -> None:
    # each case is a line of its own: what it says of person 1 is said of the person of that line
    lines = []
    for serial, (cells, _) in enumerate(PEOPLE, start=1):
        typed = {name: _of(serial, value) for name, value in cells.items()}
        lines.append(applicant(serial) | typed)
    held = read("applicants", lines)
    found = told(held)
    for row, (_, wanted) in enumerate(PEOPLE, start=3):
        here = [(column, code) for at, column, code in found if at == row]
        assert here == ([] if wanted == ("", "") else [wanted]), (row, here, wanted)


def _of(serial: int, value: Any) -> Any:
    return value(identity(serial)) if callable(value) else value


def test_one_document_twice_in_a_file_and_other_numbers_are_told(planned: Flask) -> None:
    put("applicants", [applicant(1), applicant(2)])
    held = read("applicants", [
        applicant(3), applicant(4, number=identity(3)),
        applicant(5, number=identity(1)),
        applicant(1, number=identity(9)),
        applicant(6), applicant(6, number=identity(7)),
    ])  # fmt: skip
    assert told(held) == [
        (4, "number", "number_twice"), (5, "applicant", "enrolled_as"), (5, "name", "other_facts"),
        (6, "number", "number_differs"), (8, "applicant", "twice_in_file"),
    ]  # fmt: skip


def test_a_person_of_another_round_is_found_again(planned: Flask) -> None:
    put("applicants", [applicant(1)])
    with db.writing() as session:
        make_round(session, "OPEN", "2026-2")
    second = the_round("2026-2")

    def again(**cells: Any) -> Import:
        from tests.web.filled import fill

        data = fill(exports.template(db.reading(), second, "applicants"), "applicants",
                    [applicant(1, **cells)])  # fmt: skip
        return imports.read(db.reading(), second, "applicants", "a.xlsx", data, FIRST)

    assert told(again()) == [(3, "applicant", "number_used"), (3, "number", "other_round")]
    assert told(again(name="李四", applicant=None)) == [(3, "name", "other_facts")]
    held = again(applicant=None)
    assert told(held) == [(3, "number", "other_round")] and held.state == "previewed"
    store(held)
    assert (count(Person), count(Applicant)) == (1, 2)


def test_a_dot_or_a_blank_in_a_name_is_asked_about_and_kept(planned: Flask) -> None:
    held = read("applicants", [applicant(1, name="阿依古丽•买买提"), applicant(2, name="王 芳")])
    assert [(r, c) for r, _, c in told(held)] == [(3, "name_dot"), (4, "name_blank")]
    assert "阿依古丽·买买提" in sentences(held)[0][0] and "王芳" in sentences(held)[1][0]
    assert held.counts["warnings"] == 2
    store(held)
    assert db.reading().scalars(select(Person.name)).first() == "阿依古丽•买买提"


LISTS: list[tuple[list[dict[str, Any]], tuple[int, str, str]]] = [
    ([choice(1, 1, "K001"), choice(1, 3, "K002")], (3, "rank", "rank_gap")),
    ([choice(1, 1, "K001"), choice(1, 1, "K002")], (4, "rank", "rank_twice")),
    ([choice(1, 1, "K001"), choice(1, 2, "K001")], (4, "order_class", "choice_twice")),
    ([choice(1, 1, "K002"), choice(1, 2, "K002", enterprise="E01")], (4, "order_class", "choice_twice")),
    ([choice(1, 1, "K009")], (3, "order_class", "no_class")),
    ([choice(1, 1, None)], (3, "order_class", "required")),
    ([choice(1, 1, "K001", enterprise="E02")], (3, "enterprise", "no_seat")),
    ([choice(1, 0, "K001")], (3, "order_class", "rank_zero")),
    ([choice(1, 0, None, adjusted="否", adjustment=None)], (3, "adjusted", "empty_list")),
    ([choice(1, 1, "K001", adjustment=None)], (3, "adjustment", "required")),
    ([choice(1, 1, "K001", adjusted="否")], (3, "adjustment", "adjustment_contradicts")),
    ([choice(1, 1, "K001"), choice(1, 2, "K002", adjustment="同一院校")], (4, "adjustment", "not_one_answer")),
    ([choice(1, 1, "K001", not_accepted="K009")], (3, "not_accepted", "no_class")),
    ([choice(99, 1, "K001")], (3, "applicant", "no_applicant")),
    ([choice(1, n, f"K10{n}") for n in range(1, 8)], (9, "rank", "too_many")),
]  # fmt: skip


def test_every_faulty_list_is_told_at_once_with_row_and_column(planned: Flask) -> None:
    put("applicants", [applicant(n) for n in range(1, len(LISTS) + 1)])
    lines, expected = [], []
    for serial, (own, (row, column, code)) in enumerate(LISTS, start=1):
        expected.append((len(lines) + row, column, code))
        lines += [
            line if line["applicant"] == "A0099" else line | {"applicant": f"A{serial:04d}"}
            for line in own
        ]
    held = read("choices", lines)
    assert held.state == "refused"
    assert [issue for issue in expected if issue not in told(held)] == [], told(held)


def test_a_list_of_her_own_is_not_overwritten(planned: Flask) -> None:
    put_people(1)
    with db.writing() as session:
        for held in session.scalars(select(ChoiceList)):
            held.entered_by = "applicant:A0001"
    assert told(read("choices", [choice(1, 1, "K002")])) == [(3, "applicant", "own_list")]
    assert told(read("choices", [choice(1, 1, "K001"), choice(1, 2, "K002")])) == []
    with db.writing() as session:
        session.scalars(select(Applicant)).one().state = "withdrawn"
    assert (3, "applicant", "withdrawn") in told(read("choices", [choice(1, 1, "K002")]))


SCORES: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"skill": 101}, ("skill", "score")),
    ({"skill": -1}, ("skill", "score")),
    ({"skill": "优"}, ("skill", "score")),
    ({"skill": 81.234}, ("skill", "score_decimals")),
    ({"skill": "作弊"}, ("skill", "cheated")),
    ({"standing": "作弊"}, ("standing", "cheated")),
    ({"skill": "免考"}, ("exempt_basis", "exempt_basis")),
    ({"standing": "免考"}, ("exempt_basis", "exempt_basis")),
    ({"skill": 80, "culture": 70, "standing": "缺考"}, ("standing", "standing_contradicts")),
    ({}, ("culture", "no_score")),
    ({"language": 80}, ("language", "not_of_channel")),
    ({"interview": 80}, ("interview", "interview_by_class")),
    ({"order_class": "K001", "skill": 80}, ("skill", "score_by_channel")),
    ({"order_class": "K009", "interview": 80}, ("order_class", "no_class")),
    ({"order_class": "K002", "interview": 80}, ("channel", "channel")),
    ({"skill": 80, "channel": "CH4"}, ("channel", "channel")),
    ({"skill": 80, "checked": "赵老师"}, ("checked", "same_person")),
    ({"skill": 80, "applicant": "A0099"}, ("applicant", "no_applicant")),
    ({"skill": 80, "checked": None}, ("checked", "required")),
]


def test_every_faulty_score_is_told_at_once_with_row_and_column(planned: Flask) -> None:
    put_people(len(SCORES))
    move(planned, "REVIEW")
    held = read("scores", [score(n) | cells for n, (cells, _) in enumerate(SCORES, start=1)])
    found = told(held)
    for row, (_, wanted) in enumerate(SCORES, start=3):
        assert [(column, code) for at, column, code in found if at == row] == [wanted], row


def test_blank_absent_and_nought_are_three_things(examined: Flask) -> None:
    put("scores", [score(1, skill=0), score(2, skill="缺考"), score(3, culture=60)])
    rows = db.reading().scalars(select(Score).order_by(Score.applicant_id)).all()
    assert [s.skill for s in rows] == ["0", "absent", ""]


REVIEWS: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"conclusion": "不通过"}, ("code", "reason_needed")),
    ({"code": "其他原因"}, ("code", "reason_contradicts")),
    ({"day": "2026-12-31"}, ("day", "future")),
    ({"applicant": "A0099"}, ("applicant", "no_applicant")),
    ({"conclusion": "也许"}, ("conclusion", "choice")),
]


def test_every_faulty_review_is_told_at_once_with_row_and_column(examined: Flask) -> None:
    lines = [review(1, matter=f"事项{n}") | cells for n, (cells, _) in enumerate(REVIEWS)]
    expected = [(row, *wanted) for row, (_, wanted) in enumerate(REVIEWS, start=3)]
    assert told(read("reviews", lines)) == expected


def test_people_who_have_not_submitted_are_not_examined(planned: Flask) -> None:
    put("applicants", [applicant(1), applicant(2)])
    with db.writing() as session:
        session.scalars(
            select(Applicant).where(Applicant.number == "A0002")
        ).one().state = "withdrawn"
    move(planned, "REVIEW")
    held = read("reviews", [review(1), review(2)])
    assert told(held) == [(3, "applicant", "not_submitted"), (4, "applicant", "withdrawn")]


def test_every_issue_has_its_sentences_and_says_a_way_out() -> None:
    import re
    from pathlib import Path

    source = "".join(
        path.read_text(encoding="utf-8") for path in (Path(imports.__file__).parent).glob("*.py")
        if path.name.endswith("_rows.py") or path.name in (
            "archive.py", "cells.py", "imports.py", "lines.py", "workbooks.py")
    )  # fmt: skip
    used = set(re.findall(r'(?:Issue|Fault|Wrong|Problem|fault)\(\s*"(\w+)"', source))
    assert used <= set(SENTENCES)
    assert len(used) > 80
    assert all(what and way for what, way in SENTENCES.values())


def test_a_refused_file_says_so_in_sentences(draft: Flask) -> None:
    put_plan()
    held = read("demands", [example("demands", title="限男", people="x")])
    said = sentences(held)
    assert ("应是 1–2000 的整数", "改成整数") in said
    assert any(what == "含有不允许的条件" and "就业促进法" in way for what, way in said)
    move(draft, "FROZEN")
    assert "志愿锁定" in sentences(read("demands", [example("demands")]))[0][0]


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
