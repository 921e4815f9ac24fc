"""Figures that are probably typing errors: found, explained by one, confirmed by another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web.a_round import FIRST, SECOND, small_round
from web import db, planning, plausibility, rounds
from web.models import Applicant, Doubt, OrderClass, Round, Score


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with app.app_context(), db.writing() as opened:
        yield opened


@pytest.fixture
def round_(session: Session) -> Round:
    return small_round(session)


def a_class(session: Session, round_: Round, code: str = "NEV") -> OrderClass:
    query = select(OrderClass).where(OrderClass.round_id == round_.id, OrderClass.code == code)
    return session.scalars(query).one()


def codes(session: Session, round_: Round, code: str) -> dict[str, tuple[str, str]]:
    found = plausibility.figures(session, round_)
    return {f.subject: (f.value, f.limit) for f in found if f.code == code}


def test_people_are_counted_once_a_class(session: Session, round_: Round) -> None:
    lists = plausibility.listing(session, round_)
    people = session.scalars(select(Applicant).where(Applicant.round_id == round_.id)).all()
    assert 0 < lists["NEV"] <= len(people)
    for one in people:
        one.state = "withdrawn"
    assert not plausibility.listing(session, round_)


def test_seats_above_three_times_the_people(session: Session, round_: Round) -> None:
    people = plausibility.listing(session, round_)["NEV"]
    held = a_class(session, round_)
    program = held.programs[0]
    others = sum(p.capacity for p in held.programs[1:])
    program.capacity = 3 * people - others
    assert "NEV" not in codes(session, round_, "capacity_listing")
    program.capacity += 1
    assert codes(session, round_, "capacity_listing")["NEV"] == (str(3 * people + 1), str(people))


def test_a_class_that_nobody_lists(session: Session, round_: Round) -> None:
    held = a_class(session, round_)
    new = OrderClass(round_id=round_.id, college_id=held.college_id, code="ZZ", name="空")
    session.add(new)
    session.flush()
    assert set(codes(session, round_, "nobody_lists")) == {"ZZ"}


def test_thirty_percent_of_last_year(session: Session, round_: Round) -> None:
    assert plausibility.previous(session, round_) is None
    assert not codes(session, round_, "min_size_change")
    new = planning.create(session, "2027-1", "次年", 2027, "autumn", FIRST, source=round_)
    assert plausibility.previous(session, new) is round_
    a_class(session, round_).min_size = 10
    held = a_class(session, new)
    for size, told in ((13, False), (14, True), (7, False), (6, True)):
        held.min_size = size
        assert ("NEV" in codes(session, new, "min_size_change")) is told, size
    seats = plausibility.seats_of(held)
    held.programs[0].capacity += seats
    assert codes(session, new, "capacity_change")["NEV"] == (str(2 * seats), str(seats))


def test_last_year_s_round_of_the_same_season_is_found(session: Session, round_: Round) -> None:
    spring = planning.create(session, "2027-S", "春", 2027, "spring", FIRST)
    autumn = planning.create(session, "2027-A", "秋", 2027, "autumn", FIRST)
    assert plausibility.previous(session, spring) is None
    assert plausibility.previous(session, autumn) is round_


def test_reserves_that_appear(session: Session, round_: Round) -> None:
    new = planning.create(session, "2027-1", "次年", 2027, "autumn", FIRST, source=round_)
    program = next(p for p in planning.programs(session, new) if not p.reserves)
    for one in program.order_class.programs:
        planning.set_reserves(session, new, one, {r.group: 0 for r in one.reserves}, FIRST)
    for one in a_class(session, round_, program.order_class.code).programs:
        one.reserves.clear()
    planning.set_reserves(session, new, program, {"G05": 1}, FIRST)
    assert codes(session, new, "reserve_change")[program.order_class.code] == ("1", "0")


def test_scores_that_are_ranks(session: Session, round_: Round) -> None:
    people = session.scalars(select(Applicant).where(Applicant.round_id == round_.id)).all()
    for score in session.scalars(select(Score)):
        session.delete(score)
    session.flush()
    ranks = [str(n) for n in range(1, 7)]
    scores = [
        Score(
            applicant_id=a.id, channel="W", culture=n, entered_by="x", entered_at=round_.created_at
        )
        for a, n in zip(people, ranks, strict=False)
    ]
    session.add_all(scores)
    session.flush()
    assert codes(session, round_, "scores_ranks") == {"W culture": ("6", "")}
    scores[0].culture = "7"
    assert not codes(session, round_, "scores_ranks")


def test_a_doubt_is_explained_by_one_and_confirmed_by_another(
    session: Session, round_: Round
) -> None:
    a_class(session, round_).programs[0].capacity = 500
    (doubt,) = [d for d in plausibility.look_again(session, round_, FIRST) if d.subject == "NEV"]
    with pytest.raises(rounds.Moved):
        plausibility.confirm(session, round_, doubt, SECOND)
    plausibility.explain(session, round_, doubt, "企业扩产", FIRST)
    with pytest.raises(rounds.Blocked):
        plausibility.confirm(session, round_, doubt, FIRST)
    plausibility.confirm(session, round_, doubt, SECOND)
    with pytest.raises(rounds.Moved):
        plausibility.explain(session, round_, doubt, "再写", FIRST)
    # its figure stands: it stays confirmed; another figure is a new doubt
    plausibility.doubts(session, round_)
    assert doubt.confirmed_by == SECOND.name
    a_class(session, round_).programs[0].capacity = 501
    again = [d for d in plausibility.doubts(session, round_) if d.subject == "NEV"]
    assert sorted(d.confirmed_at is None for d in again) == [False, True]


def test_a_doubt_leaves_with_its_figure(session: Session, round_: Round) -> None:
    program = a_class(session, round_).programs[0]
    before = program.capacity
    program.capacity = 500
    plausibility.doubts(session, round_)
    program.capacity = before
    plausibility.doubts(session, round_)
    assert not session.scalars(select(Doubt).where(Doubt.subject == "NEV")).all()
