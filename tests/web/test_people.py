"""Enrolling: one person once, numbers without gaps between people, and what a document may say."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from web import db, people, privacy
from web.audit import Actor
from web.models import Applicant, AuditEvent, AuditPayload, Person, Round

PUBLIC = Actor("public", "public")
OFFICE = Actor("coordinator:c1", "coordinator")
NUMBER = "11010519491231002X"


def new_round(session: db.Session, serial: str = "2026-1", **columns: object) -> Round:
    made = Round(
        **{"serial": serial, "title": "秋季", "year": 2026, "state": "OPEN",
           "created_at": datetime(2026, 5, 1, tzinfo=UTC), **columns}
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def test_a_person_is_found_by_her_number_and_stored_without_it(app: Flask) -> None:
    with app.app_context():
        with db.writing() as session:
            made = people.enrol(
                session, new_round(session), "01", "１1010519491231002x", "张三",
                actor=PUBLIC, telephone="13812345678", groups=("G05",), education="71",
            )  # fmt: skip
            assert made.number == "2026200001"
        person = people.find(db.reading(), NUMBER)
        assert person is not None
        assert (person.birth_date, person.sex) == (date(1949, 12, 31), "2")
        assert people.number_of(person) == NUMBER
        assert people.telephone_of(person) == "13812345678"
        assert NUMBER.encode() not in person.number
        assert person.pseudonym == privacy.pseudonym(2026, NUMBER)
        held = db.reading().scalars(select(Applicant)).one()
        assert ([g.group for g in held.groups], held.education) == (["G05"], "71")
        assert db.reading().scalars(select(AuditEvent.action)).all() == ["applicant.enrol"]
        said = str(db.reading().scalars(select(AuditPayload)).one().payload)
        assert "张三" not in said and NUMBER not in said


def test_the_same_number_twice_is_refused(app: Flask) -> None:
    with app.app_context(), db.writing() as session:
        first, second = new_round(session), new_round(session, "2026-2")
        people.enrol(session, first, "01", NUMBER, "张三", actor=PUBLIC)
        with pytest.raises(people.AlreadyEnrolled):
            people.enrol(session, first, "01", NUMBER, "张三", actor=OFFICE)
        with pytest.raises(
            people.AlreadyEnrolled
        ):  # a stranger may not try numbers in another round
            people.enrol(session, second, "01", NUMBER, "张三", actor=PUBLIC)
        with pytest.raises(people.OtherFacts):
            people.enrol(session, second, "01", NUMBER, "李四", actor=OFFICE)
        again = people.enrol(session, second, "01", NUMBER, "张三", actor=OFFICE)
        assert again.number == "2026200002"  # one season, one row of numbers
        assert len(session.scalars(select(Person)).all()) == 1


def test_numbers_run_by_year_and_season(app: Flask) -> None:
    with app.app_context(), db.writing() as session:
        autumn = new_round(session)
        spring = new_round(session, "2027-0", year=2027, season="spring")
        given = [
            people.enrol(session, r, "10", f"E1234567{n}", "Ann Lee", actor=PUBLIC, **extra).number
            for n, (r, extra) in enumerate(
                [
                    (autumn, {}),
                    (autumn, {"application_number": "A0001"}),
                    (autumn, {}),
                    (spring, {}),
                ]
            )
        ]
        assert given == ["2026200001", "A0001", "2026200002", "2027100001"]
        autumn.year = 2028
        full = {"application_number": "2028299999"}
        people.enrol(session, autumn, "10", "E999999", "Ann Lee", actor=PUBLIC, **full)
        with pytest.raises(OverflowError):
            people.enrol(session, autumn, "10", "E999998", "Ann Lee", actor=PUBLIC)


@pytest.mark.parametrize(
    ("kind", "number", "birth", "sex", "codes"),
    [
        ("01", NUMBER, date(1949, 12, 31), "2", []),
        ("01", "440524188001010014", None, "1", []),
        ("01", NUMBER.lower(), None, "", []),
        ("01", NUMBER, date(1949, 12, 30), "1", ["identity_birth", "identity_sex"]),
        ("01", "110105194912310021", None, "", ["identity_check"]),
        ("01", "110105194902310023", None, "", ["identity_date"]),
        ("01", "1101051949123100", None, "", ["identity_format"]),
        ("01", "1.10105E+17", None, "", ["identity_scientific"]),
        ("01", "٣" * 18, None, "", ["identity_format"]),
        ("01", "371099201012240018", None, "", ["identity_demo"]),
        ("10", "E12345678", None, "", []),
        ("10", "E-1", None, "", ["identity_format"]),
        ("99", NUMBER, None, "", ["identity_kind"]),
    ],
)
def test_documents(kind: str, number: str, birth: date | None, sex: str, codes: list[str]) -> None:
    assert people.identity_problems(kind, number, birth, sex) == codes


def test_numbers_of_nowhere_pass_in_the_demo() -> None:
    assert people.identity_problems("01", "371099201012240018", demo=True) == []


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        ("张三", []),
        ("𬭎䶮㛃", []),
        ("阿依古丽·买买提", []),
        ("J. Smith", []),
        (" ", [("name_empty", "")]),
        ("张" * 51, [("name_long", "50")]),
        ("张\u200b三", [("name_character", "2")]),
        ("张\u202e三", [("name_character", "2")]),
        ("张\ue000", [("name_character", "2")]),
        ("阿依•买", [("name_dot", "•")]),
    ],
)
def test_names(name: str, problems: list[tuple[str, str]]) -> None:
    assert people.name_problems(name) == problems


def test_full_years_turn_on_the_birthday() -> None:
    born = date(2008, 6, 2)
    assert [people.age_on(date(2026, 6, d), born) for d in (1, 2)] == [17, 18]
    person = Person(birth_date=born)
    assert [people.is_minor(person, date(2026, 6, d)) for d in (1, 2)] == [True, False]
    assert not people.is_minor(Person(birth_date=None), date(2026, 6, 1))


def test_a_guardians_telephone_is_bound_to_its_row(app: Flask) -> None:
    with app.app_context():
        one = Applicant(key="a", guardian_telephone=b"")
        people.set_guardian_telephone(one, "13900000000")
        assert people.guardian_telephone_of(one) == "13900000000"
        people.set_guardian_telephone(one, "")
        assert people.guardian_telephone_of(one) == ""
