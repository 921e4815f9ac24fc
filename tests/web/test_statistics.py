"""The bureau's statistics, compared with figures worked out by hand for ``data/example``.

Who got what there (its README): A01, A02 → NEV-X, their first choice; A03, A04 → NEV-Y, their second;
A06 → ROBO by adjustment; A07 → WELD first, by an approval of her age; A08 → CARE first; A10 → WELD
second, by a relaxed age; A11 → WELD third.  A05, A09, A12 got nothing and TEXT did not open.  A10 is of
G05 and G06, A11 of G05.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.web import offices as o
from tests.web.a_round import CONFIRMING, FIRST, SERIAL, small_round, standing
from tests.web.conftest import Clock
from tests.web.test_enterprise import publish
from web import db, offers, publication, statistics, statistics_report
from web.audit import Actor
from web.indicators import NOT_ENABLED, decimal, indicators, of_groups, percent
from web.models import (
    Agreement,
    AgreementText,
    Applicant,
    Demand,
    Enrolment,
    Enterprise,
    Offer,
    OrderClass,
    Program,
    Round,
    Ruling,
)
from web.statistics import COLUMNS, DIMENSIONS, Facts, Numbers

SYSTEM = Actor("system", "system")


@contextmanager
def facts_of(app: Flask, district: str = "") -> Iterator[Facts]:
    with app.test_request_context():
        round_ = db.reading().scalars(select(Round).where(Round.serial == SERIAL)).one()
        yield statistics.read(db.reading(), round_, district)


@pytest.fixture
def published(tmp_path: Path, clock: Clock) -> Flask:
    return standing(tmp_path, "published", clock)


@pytest.fixture
def confirming(tmp_path: Path) -> Flask:
    return standing(tmp_path, "confirming", lambda: CONFIRMING)


def rows(facts: Facts, dimension: str, *columns: str) -> dict[str, tuple[int | None, ...]]:
    """Value → its numbers in some columns; the total under its name."""
    held = statistics.sheet(facts, dimension)
    lines = {line.value: line.numbers for line in held.lines} | {"合计": held.total.numbers}
    return {value: tuple(numbers[c] for c in columns) for value, numbers in lines.items()}


# --- by hand ----------------------------------------------------------------------------------


def test_the_rows_by_trade_are_those_counted_by_hand(published: Flask) -> None:
    with facts_of(published) as facts:
        # 装备 is ROBO (2 seats) and WELD (4): listed by A02, A04, A05 (ROBO), A07 … A11 (WELD), A12 (ROBO)
        assert rows(facts, "major", "classes", "seats", "applied", "first_applied") == {
            "康养": (1, 2, 3, 2),  # CARE: A08, A11 first; A12 second
            "新能源": (1, 5, 6, 6),  # NEV: A01 … A06, all first
            "纺织": (1, 3, 3, 1),  # TEXT: A10 first; A08, A11 second
            "装备": (2, 6, 9, 3),  # first: A07, A09 (WELD), A12 (ROBO)
            "合计": (5, 16, 12, 12),
        }
        ways = ("placed", "placed_first", "placed_other", "placed_adjusted", "relaxed")
        assert rows(facts, "major", *ways) == {
            "康养": (1, 1, 0, 0, 0),  # A08
            "新能源": (4, 2, 2, 0, 0),  # A01, A02 | A03, A04
            "纺织": (0, 0, 0, 0, 0),
            "装备": (4, 1, 2, 1, 2),  # A07 | A10, A11 | A06 by adjustment; A07, A10 beyond the age
            "合计": (9, 4, 4, 1, 2),
        }
        assert rows(facts, "major", "opened", "not_opened", "vacant") == {
            "康养": (1, 0, 1), "新能源": (1, 0, 1), "纺织": (0, 1, 3), "装备": (2, 0, 2), "合计": (4, 1, 7),
        }  # fmt: skip


def test_the_rows_of_people_are_those_counted_by_hand(published: Flask) -> None:
    with facts_of(published) as facts:
        # A11 and A10 are unemployed, A10 is a migrant worker as well
        assert rows(facts, "group", "passed", "placed", "relaxed", "seats") == {
            "G05": (2, 2, 1, None), "G06": (1, 1, 1, None), "合计": (12, 9, 2, 16),
        }  # fmt: skip
        # the odd numbers are men: A01, A03, A07, A11 placed; the even ones women: 02, 04, 06, 08, 10
        assert rows(facts, "sex", "applied", "placed") == {
            "1": (6, 4),
            "2": (6, 5),
            "合计": (12, 9),
        }
        form = {one.label: (one.placed, one.any, one.relaxed) for one in statistics.coverage(facts)}
        # full time: NEV, ROBO; part time: CARE, WELD
        assert form == {"全日制": (5, 0, 0), "非全日制": (4, 2, 2), "合计": (9, 2, 2)}


def test_the_indicators_are_those_counted_by_hand(published: Flask) -> None:
    with facts_of(published) as facts:
        found = {one.key: one.value for one in indicators(facts)}
        assert found["plan_completion"] == "56.3%"  # 9 of 16
        assert found["passed_per_seat"] == "0.75 : 1"  # 12 of 16
        assert found["first_choice"] == "33.3%"  # 4 of 12
        assert found["first_choice_share"] == "44.4%"  # 4 of 9
        assert found["first_three_choices"] == "66.7%"  # 8 of 12
        assert found["adjusted"] == "11.1%"  # A06 of 9
        assert found["unplaced"] == "25.0%"  # A05, A09, A12 of 12
        assert found["classes_opened"] == "80.0%"  # all but TEXT
        assert found["classes_filled"] == "69.2%"  # 9 of 16 − 3
        assert found["groups_of_interest"] == "22.2%"  # A10, A11 of 9, A10 once
        assert found["relaxed_age"] == "22.2%"  # A07, A10 of 9
        detail = {one.key: one.detail for one in indicators(facts)}
        assert detail["unplaced"] == "名次未到 2、志愿都不符合资格 1"
        never = {one.key for one in indicators(facts) if one.status == NOT_ENABLED}
        assert {"retention", "matched_employment", "workshop_hours", "signing", "attrition"} < never
        assert all(one.value == "未启用" for one in indicators(facts) if one.key in never)
        groups = {one.label: (one.coverage, one.share) for one in of_groups(facts)}
        assert groups == {"失业青年": ("100.0%", "22.2%"), "农民工": ("100.0%", "11.1%")}


def test_shares_of_those_who_listed_count_whoever_failed_the_review(published: Flask) -> None:
    """A09 listed WELD and was not placed; that she failed the review takes her out of no denominator."""
    with published.app_context(), db.writing() as session:
        session.scalars(select(Applicant).where(Applicant.number == "A09")).one().state = "failed"
    with facts_of(published) as facts:
        found = {one.key: one for one in indicators(facts)}
        for key, over, under in (
            ("first_three_choices", 8, 12), ("unplaced", 3, 12), ("first_choice", 4, 11),
            ("passed_per_seat", 11, 16),
        ):  # fmt: skip
            assert (found[key].numerator, found[key].denominator) == (over, under), key
        assert "审核未通过 1" in found["unplaced"].detail
        (group,) = [one for one in of_groups(facts) if one.label == "农民工"]
        assert (group.placed, group.coverage) == (1, "100.0%")


def test_what_the_run_reported_is_what_is_counted(published: Flask) -> None:
    same = {
        "college": "college", "enterprise": "enterprise", "industry": "industry",
        "study_form": "study_form", "site": "college_district", "group": "group", "age": "age",
    }  # fmt: skip
    named = {"placed_relaxed": "relaxed"}
    with facts_of(published) as facts:
        held = publication.publication_of(db.reading(), facts.round)
        assert held is not None
        report = held.run.summary["report"]
        for mine, theirs in same.items():
            lines = {one["value"]: one for one in report["statistics"][theirs]}
            for line in statistics.sheet(facts, mine).lines:
                told = lines.pop(line.value)
                assert {c: line.numbers[named.get(c, c)] for c in told if c != "value"} == {
                    c: n for c, n in told.items() if c != "value"
                }
            assert not lines
        mine_ = {one.key: (one.numerator, one.denominator) for one in indicators(facts)}
        for told in report["indicators"]:
            if told["key"] in mine_:
                assert mine_[told["key"]] == (told.get("numerator"), told.get("denominator"))


@pytest.mark.parametrize("dimension", ["district", "age", "sex", "college", "site", "study_form"])
def test_where_each_is_in_one_row_the_rows_come_to_the_total(
    confirming: Flask, dimension: str
) -> None:
    many = (
        ("applied", "passed", "first_applied")
        if dimension in ("college", "site", "study_form")
        else ()
    )
    with facts_of(confirming) as facts:
        held = statistics.sheet(facts, dimension)
        for column in COLUMNS:
            parts = [line.numbers[column] for line in held.lines]
            if None not in parts and column not in many:
                assert sum(n or 0 for n in parts) == held.total.numbers[column], column


def test_quotients_are_rounded_half_up_by_whole_numbers() -> None:
    assert [percent(1, 3), percent(1, 16), percent(1, 2000), percent(0, 7)] == [
        "33.3%",
        "6.3%",
        "0.1%",
        "0.0%",
    ]
    assert percent(1, 0) == percent(None, 3) == "—"
    assert decimal(-1, 16, 2) == "-0.06"
    assert decimal(12, 16, 2) == "0.75"


def test_ages_fall_into_bands_by_birthdays() -> None:
    day = date(2025, 9, 1)
    assert statistics.age_band(date(2007, 9, 1), day) == "18–24"
    assert statistics.age_band(date(2007, 9, 2), day) == "≤17"
    assert statistics.age_band(date(1970, 9, 1), day) == "≥55"
    assert statistics.age_band(None, day) == statistics.age_band(day, None) == ""
    assert statistics.age_band(date(2026, 1, 1), day) == "≤17"


# --- after publication ------------------------------------------------------------------------


def answered(app: Flask) -> None:
    """A01 accepts and goes all the way; A02 declines and A05 is called to her seat and accepts; A03
    accepts and does not come; A04 stays silent; the others have not answered yet."""
    with app.test_request_context(), db.writing() as session:
        held = {one.applicant.number: one for one in session.scalars(select(Offer))}
        round_ = held["A01"].round
        offers.settle(session, held["A01"], "accepted", FIRST)
        offers.settle(session, held["A02"], "declined", FIRST)
        offers.settle(session, held["A03"], "accepted", FIRST)
        offers.settle(session, held["A03"], "absent", FIRST)
        offers.settle(session, held["A04"], "silent", SYSTEM)
        who = session.scalars(select(Applicant).where(Applicant.number == "A05")).one()
        seat = session.scalars(select(Program).where(Program.code == "NEV-X")).one()
        called = offers.make(session, round_, who, seat, SYSTEM, rank=0, source="waiting")
        offers.settle(session, called, "waiting", FIRST)
        moment = db.now(session)
        text = AgreementText(number=1, body="正文", digest="d", author="c1", at=moment)
        session.add(text)
        session.flush()
        for number, one, state in (("1", held["A01"], "effective"), ("2", called, "signing")):
            session.add(
                Agreement(
                    number=number, offer_id=one.id, template_id=text.id, digest="d", state=state,
                    made_at=moment, due_at=moment,
                )
            )  # fmt: skip
        session.add(
            Enrolment(
                offer_id=held["A01"].id, checked_in_on=date(2026, 9, 1), registered_on=date(2026, 9, 9),
                left_on=date(2027, 3, 1), by="college:u1", at=moment,
            )
        )  # fmt: skip
        session.add(
            Enrolment(
                offer_id=held["A03"].id, absent_on=date(2026, 9, 3), by="college:u1", at=moment
            )
        )


def test_answers_agreements_and_check_ins_are_counted(confirming: Flask) -> None:
    answered(confirming)
    with facts_of(confirming) as facts:
        columns = ("placed", "filled", "confirmed", "signed", "checked_in", "registered", "vacant")
        assert rows(facts, "enterprise", *columns) == {
            # A01, A02, A08 placed, A05 called; A01, A05 confirmed; 4 seats, A01, A05, A08 use three
            "X": (4, 1, 2, 1, 1, 1, 1),
            # A03, A04, A06 placed; A03 confirmed and did not come; 5 seats, A06 alone uses one
            "Y": (3, 0, 1, 0, 0, 0, 4),
            # A07, A10, A11 placed and asked; 7 seats
            "Z": (3, 0, 0, 0, 0, 0, 4),
            "合计": (10, 1, 3, 1, 1, 1, 9),
        }
        found = {one.key: (one.numerator, one.denominator) for one in indicators(facts)}
        assert found["plan_completion"] == (10, 16)
        assert found["plan_completion_confirmed"] == (2, 16)  # A01, A05 hold their places now
        assert found["signing"] == (1, 3) and found["check_in"] == (1, 3)
        assert found["registration"] == (1, 1)
        assert found["attrition"] == (1, 1) and found["consolidation"] == (0, 1)
        assert found["first_choice"] == (4, 12)  # as published
        assert found["unplaced"] == (2, 12)  # A09, A12


def test_what_is_not_recorded_yet_is_not_in_use(confirming: Flask) -> None:
    with facts_of(confirming) as facts:
        numbers = statistics.total(facts).numbers
        assert numbers["confirmed"] == 0 and numbers["vacant"] == 7
        assert numbers["signed"] is numbers["checked_in"] is numbers["registered"] is None
        assert {one.value for one in indicators(facts) if one.key in ("signing", "attrition")} == {
            "未启用"
        }


def test_a_class_that_was_ruled_out_is_not_open(confirming: Flask) -> None:
    with confirming.test_request_context(), db.writing() as session:
        for code, kind in (("ROBO", "close"), ("CARE", "keep")):
            held = session.scalars(select(OrderClass).where(OrderClass.code == code)).one()
            session.add(
                Ruling(
                    order_class_id=held.id, kind=kind, confirmed_people=0, reason="人数不足",
                    asked_by="c1", asked_at=db.now(session), confirmed_by="c2", confirmed_at=db.now(session),
                )
            )  # fmt: skip
    with facts_of(confirming) as facts:
        assert rows(facts, "college", "opened", "not_opened") == {
            "U1": (2, 0), "U2": (1, 2), "合计": (3, 2),
        }  # fmt: skip


def test_who_is_called_beyond_the_ordinary_age_counts_as_relaxed(confirming: Flask) -> None:
    with confirming.test_request_context(), db.writing() as session:
        held = {one.applicant.number: one for one in session.scalars(select(Offer))}
        offers.settle(session, held["A02"], "declined", FIRST)
        who = session.scalars(select(Applicant).where(Applicant.number == "A12")).one()
        seat = session.scalars(select(Program).where(Program.code == "NEV-X")).one()
        offers.make(session, held["A01"].round, who, seat, SYSTEM, rank=1, source="remedy")
    with facts_of(confirming) as facts:
        # A12 is 40, full time ends at 35
        assert rows(facts, "enterprise", "filled", "relaxed")["X"] == (1, 1)


# --- before publication, other rounds ---------------------------------------------------------


def test_before_publication_nothing_is_said_of_placements(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    w = o.world(app, as_user, "REVIEW")
    with w.writing() as s:
        o.person(s, "A01").state = "failed"
        o.person(s, "A02").state = "withdrawn"
        o.person(s, "A03").state = "submitted"
    publish(w)  # approved, say, but not yet public
    with facts_of(app) as facts:
        assert rows(facts, "college", "applied", "passed", "first_applied", "placed", "vacant") == {
            "U1": (8, 6, 6, None, None), "U2": (8, 8, 4, None, None), "合计": (11, 9, 10, None, None),
        }  # fmt: skip
        assert statistics.coverage(facts) == [] == of_groups(facts)
        assert {one.key for one in indicators(facts) if one.status != NOT_ENABLED} == {
            "passed_per_seat"
        }
        assert [gap.gap for gap in statistics.gaps(db.reading(), facts)] == [None] * 4
    for path in ("statistics", "statistics?by=round", "bulletin", "ranking"):
        assert w.as_("b1").get(f"/bureau/{SERIAL}/{path}").status_code == 200
    assert "结果还没有公示" in w.as_("b1").get(f"/bureau/{SERIAL}/bulletin").text


def test_both_databases_count_the_same(app: Flask, as_user: Callable[..., FlaskClient]) -> None:
    w = o.world(app, as_user, "PUBLISHED")
    publish(w)
    with w.writing() as s:
        enterprise = o.office(s, Enterprise, "X")
        s.add(
            Demand(
                round_id=o.the_round(s).id, enterprise_id=enterprise.id, code="D1", title="装配工",
                occupation="新能源", people=7, state="taken",
            )
        )  # fmt: skip
    with facts_of(app) as facts:
        assert rows(facts, "enterprise", "placed", "placed_first", "placed_adjusted") == {
            "X": (1, 1, 0), "Y": (1, 0, 1), "Z": (0, 0, 0), "合计": (2, 1, 1),
        }  # fmt: skip
        first = statistics.gaps(db.reading(), facts)[0]
        assert (first.label, first.demanded, first.seats, first.placed, first.gap) == (
            "新能源",
            7,
            5,
            2,
            5,
        )
    b1 = w.as_("b1")
    with w.counted() as asked:
        assert b1.get(f"/bureau/{SERIAL}/statistics").status_code == 200
    assert len(asked) <= 30


def test_the_year_before_is_the_round_of_the_same_season(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    w = o.world(app, as_user, "PUBLISHED")
    publish(w)
    b1, url = w.as_("b1"), f"/bureau/{SERIAL}/statistics"
    assert "没有上年同期的轮次，不作同比。" in b1.get(url).text
    with w.writing() as s:
        spring = small_round(s, serial="2025-0", state="REVIEW", people=2)
        spring.year, spring.season = 2025, "spring"
        old = small_round(s, serial="2025-1", state="REVIEW", people=8)
        old.year = 2025
        void = small_round(s, serial="2024-9", state="VOID", people=1)
        void.year = 2025
    page = b1.get(url).text
    assert "上年同期：2025-1" in page and "2025-0" not in page
    with facts_of(app) as facts:
        report = statistics_report.of(db.reading(), facts.round, "college", "b1")
        compared = {row[0]: row[1:] for t in report.tables if t.key == "compared" for row in t.rows}
        assert compared["报名人数"] == [12, 8, 4, "50.0%"]
        assert compared["录取人数"] == [2, None, None, None]
    assert "报名人数上年 8、增减 4" in b1.get(f"/bureau/{SERIAL}/bulletin").text
    assert (
        "2025-1"
        not in b1.get(f"{url}?by=round").text.split("<h2>同比")[0].split("批次（轮次）</th>")[1]
    )


def test_rounds_of_a_year_stand_side_by_side_without_a_total(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    w = o.world(app, as_user, "PUBLISHED")
    with w.writing() as s:
        small_round(s, serial="2026-2", state="REVIEW", people=3)
    with facts_of(app) as facts:
        held = statistics.by_round(db.reading(), facts)
        assert [(line.value, line.numbers["applied"]) for line in held.lines] == [
            (SERIAL, 12), ("2026-2", 3),
        ]  # fmt: skip
        assert set(held.total.numbers.values()) == {None}


def test_a_round_without_a_plan_has_an_empty_sheet(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    c1 = as_user("coordinator")
    with app.test_request_context(), db.writing() as session:
        session.add(Round(serial="2026-9", title="空", year=2026, created_at=db.now(session)))
    for by in DIMENSIONS:
        page = c1.get(f"/coordinator/rounds/2026-9/statistics?by={by}")
        assert page.status_code == 200 and "合计" in page.text


# --- who sees what ----------------------------------------------------------------------------


def test_a_district_counts_its_own_people_only(confirming: Flask) -> None:
    with confirming.test_request_context(), db.writing() as session:
        for number in ("A01", "A05"):
            one = session.scalars(select(Applicant).where(Applicant.number == number)).one()
            one.district = "370112"
    with facts_of(confirming, "370112") as facts:
        numbers: Numbers = statistics.total(facts).numbers
        assert (numbers["applied"], numbers["placed"], numbers["seats"]) == (2, 1, None)
        assert {line.value for line in statistics.sheet(facts, "district").lines} == {"370112"}
        keys = {one.key for one in indicators(facts)}
        assert "first_choice" in keys and "plan_completion" not in keys


def base_of(role: str) -> str:
    return {"coordinator": f"/coordinator/rounds/{SERIAL}", "district": f"/district/{SERIAL}"}.get(
        role, f"/bureau/{SERIAL}"
    )


@pytest.mark.parametrize("role", ["coordinator", "bureau", "auditor", "district"])
def test_offices_read_and_take_files_and_that_is_recorded(
    app: Flask, as_user: Callable[..., FlaskClient], role: str
) -> None:
    w = o.world(app, as_user, "PUBLISHED")
    publish(w)
    scope: dict[str, Any] = {"district": "370102"} if role == "district" else {}
    client = as_user(role, "reader", **scope)
    for by in DIMENSIONS:
        assert client.get(f"{base_of(role)}/statistics?by={by}").status_code == 200
    assert client.get(f"{base_of(role)}/bulletin").status_code == 200
    assert client.get(f"{base_of(role)}/ranking").status_code == (
        404 if role == "district" else 200
    )
    before = w.actions()
    answer = client.post(f"{base_of(role)}/statistics/xlsx?by=age")
    assert answer.status_code == 200
    assert (
        answer.headers["Content-Disposition"] == "attachment; filename=statistics-2026-1-age.xlsx"
    )
    assert w.actions() == [*before, "export"]
    assert client.post(f"{base_of(role)}/statistics/csv").status_code == 404


@pytest.mark.parametrize("role", ["college", "enterprise", "applicant", "district"])
def test_nobody_else_reads_the_citys_numbers(
    app: Flask, as_user: Callable[..., FlaskClient], role: str
) -> None:
    o.world(app, as_user, "PUBLISHED")
    client = as_user(role)
    for path in ("statistics", "bulletin", "ranking"):
        assert client.get(f"/bureau/{SERIAL}/{path}").status_code == 403
    assert client.post(f"/bureau/{SERIAL}/statistics/pdf").status_code == 403
    if role == "district":  # an account without a district has no sheet
        assert client.get(f"/district/{SERIAL}/statistics").status_code == 403


HOSTILE = (
    "by=", "by=nothing", "by=%00", "by=college%27%3B--", "by=<script>alert(1)</script>",
    "by=" + "9" * 5000, "by=college&by=age", "by[]=age", "BY=age", "by=%F0%9F%92%A9", "by=__class__",
)  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE)
def test_a_strange_address_shows_the_first_breakdown(published: Flask, query: str) -> None:
    page = published.test_client().get(f"/rounds/{SERIAL}/statistics?{query}")
    assert page.status_code == 200 and "<script>" not in page.text
    assert '<option value="college" selected>' in page.text
    with facts_of(published) as facts:
        assert (
            statistics_report.of(db.reading(), facts.round, query[3:], "x").dimension in DIMENSIONS
        )
