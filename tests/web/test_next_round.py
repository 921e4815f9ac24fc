"""The next round: what is left of one that has ended, and nobody who holds a place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web.a_round import CONFIRMING, FIRST, SECOND, SERIAL, standing
from tests.web.conftest import Clock
from tests.web.test_rulings import EVERYBODY, ask
from tests.web.test_waiting import answer, login, the_round_in
from web import audit, db, links, next_round, people, planning, rounds, rulings, snapshot, waiting
from web.models import (
    Applicant,
    Cap,
    ChoiceList,
    Message,
    OrderClass,
    Review,
    Round,
    Score,
)
from web.rounds import Moved

NEW = "2026-2"


@pytest.fixture
def served(tmp_path: Path, clock: Clock) -> Flask:
    """The example's round at its end: A02 and A04 have declined, and NEV is kept open with two."""
    clock.moment = CONFIRMING
    made = standing(tmp_path, "confirming", clock)
    with made.app_context():
        with db.writing() as session:
            session.add(
                Review(
                    applicant_id=session.scalars(
                        select(Applicant.id).where(Applicant.number == "A09")
                    ).one(),
                    matter="education", conclusion="passed", reviewer="college:u", at=CONFIRMING,
                )
            )  # fmt: skip
        answer(**{n: "declined" if n in ("A02", "A04") else "accepted" for n in EVERYBODY})
        waiting.step(_round_id(), FIRST)
        answer(A05="silent")
        with db.writing() as session:
            waiting.end(session, the_round_in(session), FIRST)
        rulings.confirm(_round_id(), ask("keep"), SECOND)
        with db.writing() as session:
            rounds.take(session, the_round_in(session), "finish", FIRST)
    return made


@pytest.fixture
def app(served: Flask) -> Iterator[Flask]:
    with served.app_context():
        yield served


def _round_id() -> int:
    db.forget()
    return db.reading().scalars(select(Round.id).where(Round.serial == SERIAL)).one()


def opened(**options: bool) -> Round:
    made = next_round.open_next(_round_id(), NEW, "征集志愿", FIRST, **options)
    db.forget()
    return db.reading().scalars(select(Round).where(Round.id == made.id)).one()


def test_seats_classes_and_caps_that_are_left(app: Flask) -> None:
    """NEV-X has one left of two, NEV-Y two of three, CARE one, ROBO one, WELD its hard seat; X-HEADS had
    three and holds two people, U1-BEDS had five and holds three.  TEXT did not open."""
    made = opened()
    session = db.reading()
    classes = session.scalars(select(OrderClass).where(OrderClass.round_id == made.id)).all()
    assert {c.code: c.min_size for c in classes} == {"NEV": 0, "CARE": 0, "ROBO": 0, "WELD": 0}
    seats = {p.code: p.capacity for c in classes for p in c.programs}
    assert seats == {"NEV-X": 1, "NEV-Y": 2, "CARE": 1, "ROBO": 1, "WELD": 1}
    weld = next(p for c in classes for p in c.programs if p.code == "WELD")
    assert [(r.group, r.hard, r.seats) for r in weld.reserves] == [("G07", True, 1)]
    caps = session.scalars(select(Cap).where(Cap.round_id == made.id))
    assert {c.code: c.seats for c in caps} == {"X-HEADS": 1, "U1-BEDS": 2}
    assert (made.state, made.parent.serial, made.opens_at) == ("DRAFT", SERIAL, None)
    assert made.policy is not None and f'round = "{NEW}"' in made.policy.toml
    assert made.policy.workflow["days.publicity"] == 5
    assert not list(audit.broken(session))


def test_people_come_with_their_review_and_scores_and_list_anew(app: Flask) -> None:
    made = opened()
    session = db.reading()
    who = session.scalars(
        select(Applicant).where(Applicant.round_id == made.id).order_by(Applicant.id)
    ).all()
    before = {
        a.person_id: a
        for a in session.scalars(select(Applicant).where(Applicant.round_id == made.parent_id))
    }
    assert [before[a.person_id].number for a in who] == ["A02", "A04", "A05", "A09", "A12"]
    for new in who:
        old = before[new.person_id]
        assert (new.state, new.review, new.district) == ("passed", old.review, old.district)
        assert {m.group for m in new.groups} == {m.group for m in old.groups}
        scores = [
            {s.channel: (s.culture, s.skill, s.confirmed_by) for s in session.scalars(
                select(Score).where(Score.applicant_id == a.id))}
            for a in (old, new)
        ]  # fmt: skip
        assert scores[0] == scores[1]
        assert people.guardian_telephone_of(new) == people.guardian_telephone_of(old)
    assert len({a.number for a in who} | {a.number for a in before.values()}) == 17
    lists = select(ChoiceList).where(ChoiceList.applicant_id.in_([a.id for a in who]))
    assert session.scalars(lists).all() == []
    reviewed = session.scalars(select(Review.applicant_id)).all()
    assert len(reviewed) == 2


def test_whoever_came_along_sees_the_round_once_its_plan_is_public(app: Flask) -> None:
    made = opened()
    session = db.reading()
    left = session.scalars(
        select(Applicant).where(Applicant.round_id == made.parent_id, Applicant.number == "A12")
    ).one()
    client = login(app, "applicant", "she", person_id=left.person_id)
    home = client.get("/me/").text
    assert SERIAL in home and NEW not in home
    assert client.get(f"/me/{NEW}/classes").status_code == 404
    with db.writing() as writing:
        writing.get_one(Round, made.id).state = "ANNOUNCED"
    assert "报名还没有开始" in client.get("/me/").text
    assert client.get(f"/me/{NEW}/classes").status_code == 200


def test_who_gave_up_may_be_left_out_and_what_closed_reopened(app: Flask) -> None:
    made = opened(declined=False, reopen=True)
    session = db.reading()
    who = session.scalars(select(Applicant).where(Applicant.round_id == made.id)).all()
    assert len(who) == 2, "A09 and A12; A05 was silent"
    text = session.scalars(
        select(OrderClass).where(OrderClass.round_id == made.id, OrderClass.code == "TEXT")
    ).one()
    assert (text.min_size, text.programs[0].capacity) == (3, 3)


def test_only_once_and_only_at_the_end(app: Flask) -> None:
    with pytest.raises(planning.Taken):
        next_round.open_next(_round_id(), SERIAL, "x", FIRST)
    made = opened()
    with pytest.raises(Moved):
        next_round.open_next(_round_id(), "2026-3", "x", FIRST)
    with pytest.raises(Moved):
        next_round.open_next(made.id, "2026-3", "x", FIRST)
    with db.writing() as session:
        rounds.void(session, session.get_one(Round, made.id), FIRST, SECOND, "重来")
    assert next_round.open_next(_round_id(), "2026-3", "x", FIRST).parent_id == _round_id()


def test_a_place_that_ends_in_that_moment_has_it_looked_at_again(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody leaves while what is left is worked out: it is not the round of a moment ago."""
    left = next_round.left

    def meanwhile(session: Session, round_: Round, reopen: bool) -> next_round.Left:
        found = left(session, round_, reopen)
        answer(A01="left")
        return found

    monkeypatch.setattr(next_round, "left", meanwhile)
    with pytest.raises(Moved):
        opened()
    monkeypatch.undo()
    assert opened().serial == NEW


def test_nothing_left(app: Flask) -> None:
    with db.writing() as session:
        for applicant in session.scalars(select(Applicant)):
            applicant.state = "failed"
    with pytest.raises(next_round.NothingLeft):
        opened()


def test_the_commitment_names_what_it_follows_and_people_are_told(app: Flask) -> None:
    made = opened()
    with db.writing() as session:
        held = session.get_one(Round, made.id)
        held.state = "REVIEW"
        snapshot_ = snapshot.tables_of(session, held, held.policy.toml if held.policy else "")
        assert len(snapshot_["applicants"]) == 5 and len(snapshot_["applications"]) == 0
        next_round.tell(session, held)
        told = session.scalars(select(Message).where(Message.code == "next_round")).all()
        assert len(told) == 5
        first = held.parent
        assert first is not None
        next_round.tell(session, first)
        session.add(
            snapshot.Snapshot(
                round_id=held.id, digest="d" * 64, policy_digest="p" * 64, folder="x", counts={},
                software="x", taken_by="x", taken_at=CONFIRMING,
            )
        )  # fmt: skip
        session.flush()
        fixed = snapshot.commitment(session, held)
        assert fixed["follows"] == {
            "round": SERIAL,
            "chain": first.waiting_end_digest,
        }
        assert links.head(session, first) == first.waiting_end_digest != ""
        assert "follows" not in snapshot.commitment(session, first)


def test_a_coordinator_opens_it_by_its_page(served: Flask) -> None:
    client = login(served, "coordinator", "c1")
    base = f"/coordinator/rounds/{SERIAL}"
    page = client.get(f"{base}/next").text
    assert NEW in page and "请按当年招生方案修改" in page
    form = {"serial": SERIAL, "title": "征集志愿", "declined": "y"}
    assert "这个轮次编号已有" in client.post(f"{base}/next", data=form).text
    page = client.post(f"{base}/next", data=form | {"serial": NEW}, follow_redirects=True).text
    assert "下一轮已建立" in page and "征集志愿" in page
    assert "下一轮已建立" in client.get(f"{base}/next").text
    assert "归档之后才能开下一轮" in client.get(f"/coordinator/rounds/{NEW}/next").text
