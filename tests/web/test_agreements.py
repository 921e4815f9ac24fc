"""Three-party agreements: who may have one by her dates, who signs, when it holds, when it lapses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web import signed
from tests.web.a_round import CONFIRMING, FIRST, SECOND, standing
from tests.web.conftest import Clock
from tests.web.signed import HERSELF, U1, U2, X, an_offer, hold, hold_all, sign, the_round
from web import (
    agreement_terms,
    agreements,
    answers,
    audit,
    calendar,
    db,
    jobs,
    offers,
    policies,
    reviewing,
    rounds,
    slips,
    stages,
    today,
)
from web.agreement_terms import Bar, Barred
from web.audit import Actor
from web.models import Agreement, AuditEvent, Demand, Message, Offer
from web.posting import Refused, Stale

ENDS = date(2027, 8, 31)
"""The last day of the first year of study of a round of autumn 2026."""


world, clock = signed.world, signed.clock


@pytest.fixture
def session(world: Flask, clock: Clock) -> Iterator[Session]:
    """A transaction that is undone, with the planned days of every class."""
    with signed.undone() as opened:
        signed.dates(opened)
        yield opened


@pytest.fixture
def held(session: Session) -> Offer:
    return hold(session, an_offer(session))


@pytest.fixture
def made(session: Session, held: Offer) -> Agreement:
    return agreements.make(session, held, FIRST)


def codes(session: Session, offer: Offer) -> list[str]:
    return [b.code for b in agreement_terms.bars(offer, policies.current(session, offer.round))]


def birthday(day: date, years: int) -> date:
    return day.replace(year=day.year - years)


def actions(session: Session, beginning: str) -> list[str]:
    found = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id))
    return [action for action in found if action.startswith(beginning)]


def messages(session: Session) -> list[str]:
    return [code for code in session.scalars(select(Message.code).order_by(Message.id))
            if code.startswith("agreement")]  # fmt: skip


# --- gates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "limit", "code"),
    [("internship", 16, "internship_age"), ("hire", 16, "hire_age")],
)
@pytest.mark.parametrize("late", [-1, 0, 1])
def test_her_age_is_judged_on_the_planned_days(
    session: Session, held: Offer, what: str, limit: int, code: str, late: int
) -> None:
    day = date(2028, 9, 1)
    course, person = held.program.order_class, held.applicant.person
    course.internship_date = day if what == "internship" else None
    course.hire_date = day if what == "hire" else date(2040, 1, 1)
    course.study_form = "FT" if what == "internship" else "PT"
    person.birth_date = birthday(day, limit) + timedelta(days=late)
    assert codes(session, held) == ([code] if late > 0 else [])


@pytest.mark.parametrize("late", [-1, 0, 1])
@pytest.mark.parametrize("where", ["program", "demand"])
@pytest.mark.parametrize("what", ["internship", "hire"])
def test_a_forbidden_post_is_closed_to_minors_on_those_days(
    session: Session, held: Offer, what: str, where: str, late: int
) -> None:
    day = date(2029, 7, 1)
    program = held.program
    if where == "demand":
        program.demand = Demand(
            round_id=held.round_id, enterprise_id=program.enterprise_id, code="D1", title="锻造",
            people=1, forbid_minor=True,
        )  # fmt: skip
    else:
        program.forbid_minor = True
    program.order_class.study_form = "FT" if what == "internship" else "PT"
    program.order_class.internship_date = day if what == "internship" else None
    program.order_class.hire_date = day if what == "hire" else date(2040, 1, 1)
    held.applicant.person.birth_date = birthday(day, 18) + timedelta(days=late)
    assert codes(session, held) == ([f"forbidden_{what}"] if late > 0 else [])


@pytest.mark.parametrize(
    ("day", "form", "found"),
    [
        (ENDS, "FT", True),
        (ENDS + timedelta(days=1), "FT", False),
        (ENDS, "PT", True),
        (ENDS, "ST", False),
    ],
)
def test_no_internship_in_the_first_year(
    session: Session, held: Offer, day: date, form: str, found: bool
) -> None:
    course = held.program.order_class
    course.internship_date, course.study_form = day, form
    assert agreement_terms.first_year_ends(held.round) == ENDS
    assert codes(session, held) == (["first_year"] if found else [])
    held.round.season = "spring"
    assert agreement_terms.first_year_ends(held.round) == date(2027, 2, 28)


def test_what_is_not_known_cannot_be_checked(session: Session, held: Offer) -> None:
    course = held.program.order_class
    course.internship_date = course.hire_date = None
    course.study_form = "FT"
    assert codes(session, held) == ["no_internship_date", "no_hire_date"]
    course.study_form = "PT"
    assert codes(session, held) == ["no_hire_date"]
    held.applicant.person.birth_date = None
    assert codes(session, held) == ["no_hire_date", "no_birth_date"]


def test_an_agreement_that_breaks_a_gate_is_not_made(session: Session, held: Offer) -> None:
    course = held.program.order_class
    course.internship_date = ENDS
    with pytest.raises(Barred) as barred:
        agreements.make(session, held, FIRST)
    said = barred.value.problems[""]
    assert "一年级" in said[0] and "院校" in said[-1]
    done = agreements.make_due(session, the_round(session))
    assert done.made == [] and [(o, bars) for o, bars in done.barred] == [
        (held, (Bar("first_year", ENDS),))
    ]
    with pytest.raises(Refused):
        agreement_terms.move_dates(session, course, course.version, ENDS, None, "", U1)
    with pytest.raises(Refused):
        agreement_terms.move_dates(
            session, course, course.version, date(2029, 1, 1), date(2028, 1, 1), "错", U1
        )
    agreement_terms.move_dates(
        session, course, course.version, date(2027, 9, 1), date(2029, 7, 1), "推迟实习", U1
    )
    with pytest.raises(Stale):
        agreement_terms.move_dates(session, course, course.version - 1, ENDS, None, "又改", U1)
    made = agreements.make_due(session, the_round(session)).made
    assert len(made) == 1 and made[0].terms["internship_date"] == "2027-09-01"
    assert course.internship_date == ENDS  # the plan stays as it was published


def test_every_bar_has_its_sentence(world: Flask) -> None:
    for code in ("no_birth_date", "no_internship_date", "no_hire_date", "first_year", "internship_age",
                 "hire_age", "forbidden_internship", "forbidden_hire"):  # fmt: skip
        assert agreement_terms.sentence(Bar(code, ENDS, 15, 16))


# --- making -----------------------------------------------------------------------------------


def test_the_text_says_whose_agreement_it_is(session: Session, made: Agreement) -> None:
    offer, text = made.offer, agreements.text_of(made)
    for said in (
        offer.applicant.person.name, offer.program.enterprise.name, made.number, "2028-09-01",
        offer.program.order_class.college.name, "2029-07-01", "不等同于劳动合同",
    ):  # fmt: skip
        assert said in text
    assert agreements.unaltered(made) and "{" not in text
    assert made.due_at == calendar.end_of(CONFIRMING, 10)
    assert messages(session) == ["agreement_ready"]


def test_terms_of_a_full_plan(session: Session, held: Offer) -> None:
    program, course = held.program, held.program.order_class
    course.level, course.years, course.hired_on_entry = "3", course.years, True
    program.demand = Demand(
        round_id=held.round_id, enterprise_id=program.enterprise_id, code="D1", title="装配工",
        people=1, wage_from=4000, wage_to=6000, district="370102",
    )  # fmt: skip
    held.applicant.guardian, held.applicant.guardian_relation = "张三", "父亲"
    terms = agreement_terms.terms(held, "1")
    assert terms["level"] == "高级工" and terms["post"] == "装配工"
    assert (
        "4000" in terms["wage"] and "6000" in terms["wage"] and terms["guardian"] == "张三（父亲）"
    )
    assert "试点班" in terms["hired_on_entry"] and "不是" not in terms["hired_on_entry"]
    program.demand.wage_to, held.applicant.guardian_relation = None, ""
    again = agreement_terms.terms(held, "1")
    assert again["wage"] == "每月 4000 元" and again["guardian"] == "张三"


def test_making_again_gives_the_same(session: Session, held: Offer, made: Agreement) -> None:
    assert agreements.make(session, held, FIRST) is made
    assert agreements.make_due(session, the_round(session)).made == []


def test_whoever_waits_signs_when_the_list_has_ended(session: Session) -> None:
    offer = hold(session, an_offer(session), "waiting")
    round_ = the_round(session)
    assert agreements.without(session, round_) == []
    round_.waiting_ended_at = CONFIRMING
    assert agreements.without(session, round_) == [offer]
    college = offer.program.order_class.college_id
    assert agreements.without(session, round_, college_id=college) == [offer]
    assert agreements.without(session, round_, enterprise_id=0) == []


def test_who_accepts_for_good_has_her_agreement_at_once(session: Session) -> None:
    offer = an_offer(session)
    answers.accept(session, offer, HERSELF)
    made = session.scalars(select(Agreement)).one()
    assert (made.offer, made.state) == (offer, "signing") and messages(session) == [
        "agreement_ready"
    ]
    answers.accept(session, offer, HERSELF)
    assert session.scalars(select(Agreement)).one() is made


def test_who_waits_has_none_yet(session: Session) -> None:
    answers.accept(session, an_offer(session), HERSELF, wait=True)
    assert session.scalars(select(Agreement)).all() == []


def test_what_stands_against_it_keeps_nobody_from_accepting(session: Session) -> None:
    offer = an_offer(session)
    offer.program.order_class.hire_date = None
    answers.accept(session, offer, HERSELF)
    assert offer.state == "accepted" and session.scalars(select(Agreement)).all() == []
    assert agreements.without(session, the_round(session)) == [offer]


def test_a_year_without_calendar_keeps_nobody_from_accepting(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise calendar.NoCalendar(2027)

    offer = an_offer(session)
    monkeypatch.setattr(calendar, "end_of", unknown)
    answers.accept(session, offer, HERSELF)
    assert offer.state == "accepted" and agreements.live_of(session, offer) is None


def test_today_says_whose_signature_is_missing(session: Session) -> None:
    first, second = (hold(session, o) for o in _open_of_both_colleges(session))
    round_ = the_round(session)
    held = agreements.make(session, first, FIRST)
    sign(session, held, "student")
    told = {t.code: (t.office, t.about) for t in today.tasks(session, round_)}
    college, enterprise = first.program.order_class.college.name, first.program.enterprise.name
    number = (first.applicant.number,)
    assert told["agreement_of_college"] == (college, number)
    assert told["agreement_of_enterprise"] == (enterprise, number)
    assert "agreement_of_person" not in told
    other = (second.program.order_class.college.name, (second.applicant.number,))
    assert told["agreement_to_make"] == other
    agreements.make(session, second, FIRST)
    told = {t.code: (t.office, t.about) for t in today.tasks(session, round_)}
    assert told["agreement_of_person"] == other and "agreement_to_make" not in told


def _open_of_both_colleges(session: Session) -> list[Offer]:
    return [an_offer(session, "U1"), an_offer(session, "U2")]


def test_no_agreement_without_a_place(session: Session) -> None:
    with pytest.raises(Refused):
        agreements.make(session, an_offer(session), FIRST)


def test_a_batch_has_an_end(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreements, "MOST_MADE", 2)
    number = len(hold_all(session))
    round_ = the_round(session)
    assert len(agreements.make_due(session, round_).made) == 2
    assert len(agreements.without(session, round_)) == number - 2


def test_before_the_confirming_days_nothing_is_signed(session: Session, made: Agreement) -> None:
    rounds.suspend(session, made.offer.round, FIRST, SECOND, "核查")
    with pytest.raises(stages.NotNow):
        sign(session, made, "student")
    with pytest.raises(stages.NotNow):
        agreements.make(session, made.offer, FIRST)


# --- signing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "order", [("student", "enterprise", "college"), ("college", "student", "enterprise")]
)
def test_three_sign_in_any_order(session: Session, made: Agreement, order: tuple[str, ...]) -> None:
    for party in order[:-1]:
        sign(session, made, party)
        assert made.state == "signing" and party not in agreements.missing(made)
    sign(session, made, order[-1])
    assert made.state == "effective" and made.effective_at == CONFIRMING
    assert {s.party: s.digest for s in made.signatures} == dict.fromkeys(order, made.digest)
    assert messages(session) == ["agreement_ready", "agreement_effective"]
    assert offers.progress(session, made.offer.applicant) == "signed"
    assert actions(session, "agreement.")[-2:] == ["agreement.sign", "agreement.effective"]
    assert not list(audit.broken(session))


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_a_guardian_signs_under_eighteen_on_the_day(
    session: Session, held: Offer, clock: Clock, late: int
) -> None:
    today = calendar.local(clock()).date()
    held.applicant.person.birth_date = birthday(today, 18) + timedelta(days=late)
    made = agreements.make(session, held, FIRST)
    minor = late > 0
    assert made.guardian_needed is minor
    sign(session, made, "enterprise", "college", "student")
    assert (made.state == "signing") is minor
    if minor:
        assert agreements.missing(made) == ["guardian"]
        agreements.sign_on_paper(session, made, "guardian", "张三", "纸-1", U1)
    assert made.state == "effective"


def test_who_turns_eighteen_before_she_signs_needs_no_guardian(
    session: Session, held: Offer, clock: Clock
) -> None:
    held.applicant.person.birth_date = birthday(calendar.local(clock()).date(), 18) + timedelta(
        days=2
    )
    made = agreements.make(session, held, FIRST)
    assert made.guardian_needed
    clock.forward(days=2)
    sign(session, made, "student", "enterprise", "college")
    assert made.state == "effective" and not made.guardian_needed
    with pytest.raises(Refused):
        agreements.sign_on_paper(session, made, "guardian", "张三", "纸-1", U1)


def test_the_guardian_signs_with_her_code(session: Session, held: Offer) -> None:
    held.applicant.person.birth_date = date(2009, 1, 1)
    code = slips.issue(session, held.applicant, "guardian", U1)
    made = agreements.make(session, held, FIRST)
    with pytest.raises(Refused):
        agreements.sign_by_code(session, made, "张三", "00000-00000", made.digest, HERSELF)
    with pytest.raises(Refused):
        agreements.sign_by_code(session, made, "张三", code, made.digest, U1)
    agreements.sign_by_code(session, made, "张三", code, made.digest, HERSELF)
    assert [(s.party, s.how, s.name) for s in made.signatures] == [("guardian", "code", "张三")]


def test_an_adult_has_no_guardian(session: Session, made: Agreement) -> None:
    with pytest.raises(Refused):
        agreements.sign_on_paper(session, made, "guardian", "张三", "纸-1", U1)


@pytest.mark.parametrize(
    ("party", "actor"),
    [("student", U1), ("college", X), ("enterprise", U1), ("enterprise", FIRST), ("college", HERSELF),
     ("guardian", HERSELF)],
)  # fmt: skip
def test_nobody_signs_for_another(
    session: Session, made: Agreement, party: str, actor: Actor
) -> None:
    with pytest.raises(Refused):
        agreements.sign(session, made, party, "某人", made.digest, actor)
    with pytest.raises(Refused):
        agreements.sign_many(session, {made.id: made.digest}, party, "某人", actor)
    assert made.signatures == []


@pytest.mark.parametrize(
    ("party", "paper", "actor"),
    [("enterprise", "1", U1), ("student", "", U1), ("student", "1", X), ("student", "1", HERSELF)],
)
def test_what_a_counter_does_not_record(
    session: Session, made: Agreement, party: str, paper: str, actor: Actor
) -> None:
    with pytest.raises(Refused):
        agreements.sign_on_paper(session, made, party, "某人", paper, actor)


def test_a_signature_is_of_one_text(session: Session, made: Agreement) -> None:
    with pytest.raises(Refused):
        agreements.sign(session, made, "college", "某人", "0" * 64, U1)
    made.terms = made.terms | {"wage": "一元"}
    session.flush()
    with pytest.raises(Refused):
        sign(session, made, "college")


def test_signing_twice_and_too_late(session: Session, made: Agreement, clock: Clock) -> None:
    sign(session, made, "college")
    with pytest.raises(Refused):
        sign(session, made, "college")
    clock.moment = made.due_at - timedelta(milliseconds=1)
    sign(session, made, "enterprise")
    clock.moment = made.due_at
    with pytest.raises(Refused):
        sign(session, made, "student")


def test_a_batch_signs_what_can_be_signed(session: Session) -> None:
    hold_all(session)
    made = agreements.make_due(session, the_round(session)).made
    sign(session, made[0], "college")
    wanted = {one.id: one.digest for one in made} | {made[1].id: "0" * 64}
    assert agreements.sign_many(session, wanted, "college", "校长", U1) == (len(made) - 2, 2)
    assert agreements.sign_many(session, {}, "college", "校长", U1) == (0, 0)


def test_the_ledger_by_state_party_and_office(session: Session) -> None:
    hold_all(session)
    round_ = the_round(session)
    made = agreements.make_due(session, round_).made
    sign(session, made[0], "college")
    sign(session, made[1], "student", "college", "enterprise")

    def found(state: str = "", **office: int) -> set[int]:
        return {a.id for a in session.scalars(agreements.ledger(round_, state, **office))}

    assert found() == {a.id for a in made} and found("effective") == {made[1].id}
    assert found("college") == {a.id for a in made[2:]}
    assert found("enterprise") == {made[0].id} | {a.id for a in made[2:]}
    assert found("guardian") == set()
    college = made[0].offer.program.order_class.college_id
    assert found(college_id=college) == {
        a.id for a in made if a.offer.program.order_class.college_id == college
    }
    enterprise = made[0].offer.program.enterprise_id
    assert found(enterprise_id=enterprise) == {
        a.id for a in made if a.offer.program.enterprise_id == enterprise
    }
    assert (
        agreements.standing(made[0]) == "待签：学生、企业"
        and agreements.standing(made[1]) == "生效"
    )


def test_the_paper_is_filed_when_all_have_signed(session: Session, made: Agreement) -> None:
    with pytest.raises(Refused):
        agreements.record_paper(session, made, "档-1", U1)
    sign(session, made, "student", "college", "enterprise")
    for number, actor in (("", U1), ("档-1", X)):
        with pytest.raises(Refused):
            agreements.record_paper(session, made, number, actor)
    agreements.record_paper(session, made, "档-1", U1)
    assert (made.paper, made.paper_by, made.paper_at) == ("档-1", U1.name, CONFIRMING)


# --- changing and ending ----------------------------------------------------------------------


def test_a_change_by_two_people_voids_every_signature(session: Session, made: Agreement) -> None:
    sign(session, made, "student", "college", "enterprise")
    agreements.ask(session, made, "change", "岗位调整", made.version, X)
    for actor in (X, HERSELF):
        with pytest.raises(reviewing.SecondPerson):
            agreements.confirm(session, made, actor)
    with pytest.raises(Refused):
        agreements.ask(session, made, "end", "又要", made.version, U1)
    anew = agreements.confirm(session, made, U1)
    assert anew is not None and anew.id != made.id and anew.signatures == []
    assert (made.state, made.reason, anew.state) == ("voided", "岗位调整", "signing")
    assert anew.number.endswith("-2") and made.offer.state == "accepted"
    assert agreements.of_applicant(session, made.offer.applicant) is anew
    with pytest.raises(Refused):
        sign(session, made, "college")
    with pytest.raises(Refused):
        agreements.confirm(session, made, U2)


def test_a_change_that_a_gate_stops_leaves_none(session: Session, made: Agreement) -> None:
    made.offer.program.order_class.hire_date = None
    agreements.ask(session, made, "change", "改期", made.version, U1)
    assert agreements.confirm(session, made, FIRST) is None
    assert made.state == "voided" and agreements.without(session, the_round(session)) == [
        made.offer
    ]


def test_an_end_gives_the_place_up(session: Session, made: Agreement) -> None:
    before = offers.free(session, made.offer.program)
    agreements.ask(session, made, "end", "本人退学", made.version, U1)
    assert agreements.confirm(session, made, FIRST) is None
    assert (made.state, made.offer.state) == ("voided", "left")
    assert offers.free(session, made.offer.program) == before + 1


def test_a_request_can_be_taken_back(session: Session, made: Agreement) -> None:
    for kind, reason, version in (("other", "无", 0), ("end", "", 0)):
        with pytest.raises(Refused):
            agreements.ask(session, made, kind, reason, made.version + version, U1)
    with pytest.raises(Stale):
        agreements.ask(session, made, "end", "退学", made.version - 1, U1)
    with pytest.raises(Refused):
        agreements.drop(session, made, U1)
    agreements.ask(session, made, "end", "退学", made.version, U1)
    agreements.drop(session, made, U1)
    with pytest.raises(Refused):
        agreements.confirm(session, made, FIRST)
    assert made.state == "signing"


def test_a_place_that_ends_takes_its_agreement_along(session: Session, made: Agreement) -> None:
    offers.settle(session, made.offer, "released", FIRST)
    assert made.state == "voided" and agreements.live_of(session, made.offer) is None


# --- deadlines --------------------------------------------------------------------------------


def due_of(session: Session) -> datetime:
    return session.scalars(select(Agreement.due_at)).one()


def test_she_is_reminded_once_three_working_days_before(
    session: Session, made: Agreement, clock: Clock
) -> None:
    assert agreements.settle(session) == []
    day = made.due_at - timedelta(days=6)
    while calendar.end_of(day, 3) < made.due_at:
        clock.moment = day
        assert agreements.settle(session) == []
        day += timedelta(days=1)
    clock.moment = day
    assert agreements.settle(session) == [f"{made.number} remind"]
    assert agreements.settle(session) == [] and messages(session)[-1] == "agreement_reminder"
    assert made.due_at - day > timedelta(days=2)


def test_who_has_signed_is_not_reminded(session: Session, made: Agreement, clock: Clock) -> None:
    sign(session, made, "student")
    clock.moment = made.due_at - timedelta(days=1)
    assert agreements.settle(session) == [f"{made.number} remind"]
    assert messages(session) == ["agreement_ready"]


def test_what_is_not_signed_in_time_lapses_with_its_place(
    session: Session, made: Agreement, clock: Clock
) -> None:
    sign(session, made, "student", "college")
    before = offers.free(session, made.offer.program)
    clock.moment = made.due_at - timedelta(milliseconds=1)
    agreements.settle(session)
    assert made.state == "signing"
    clock.moment = made.due_at
    assert agreements.settle(session) == [f"{made.number} lapse"]
    assert (made.state, made.offer.state) == ("lapsed", "lapsed") and "企业" in made.reason
    assert offers.free(session, made.offer.program) == before + 1
    assert messages(session)[-1] == "agreement_lapsed" and agreements.settle(session) == []


def test_the_worker_ends_what_is_late(tmp_path: Path, clock: Clock) -> None:
    with standing(tmp_path, "confirming", clock).app_context():
        _worker_ends_what_is_late(clock)


def _worker_ends_what_is_late(clock: Clock) -> None:
    assert jobs.record_due() == []
    with db.writing() as session:
        signed.dates(session)
        agreements.make(session, hold(session, an_offer(session)), FIRST)
    assert agreements.settle_due() == []
    with db.writing() as session:
        clock.moment = due_of(session)
    done = jobs.record_due()
    assert [line.split()[-1] for line in done if "-" in line and "lapse" in line] == ["lapse"]
    with db.writing() as session:
        round_ = the_round(session)
        assert session.scalars(select(Agreement.state)).one() == "lapsed"
        assert round_.state == "CONFIRMING"


def test_while_a_round_is_suspended_nothing_lapses(
    session: Session, made: Agreement, clock: Clock
) -> None:
    rounds.suspend(session, made.offer.round, FIRST, SECOND, "核查")
    clock.moment = made.due_at
    assert agreements.settle(session) == [] and made.state == "signing"


def test_a_year_without_a_calendar_reminds_nobody_but_ends_in_time(
    session: Session, made: Agreement, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_more: Any) -> datetime:
        raise calendar.NoCalendar(2099)

    monkeypatch.setattr(calendar, "end_of", refuse)
    clock.moment = made.due_at - timedelta(hours=1)
    assert agreements.settle(session) == []
    clock.moment = made.due_at
    assert agreements.settle(session) == [f"{made.number} lapse"]
