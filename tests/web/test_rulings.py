"""Classes that end below their minimum: kept open, merged or closed, by two, with everybody told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web.a_round import CONFIRMING, FIRST, SECOND, SERIAL, standing
from tests.web.conftest import Clock
from tests.web.test_waiting import answer, login, settle, the_round, the_round_in
from web import audit, db, minimums, offers, rounds, rulings, waiting
from web.audit import Actor
from web.models import Applicant, Message, Offer, OrderClass, Program, Recheck, Round, Ruling
from web.rounds import Blocked, Moved

BASE = f"/coordinator/rounds/{SERIAL}"
EVERYBODY = ("A01", "A02", "A03", "A04", "A06", "A07", "A08", "A10", "A11")


@pytest.fixture
def served(tmp_path: Path, clock: Clock) -> Flask:
    """The example's round: two have declined NEV, the others accepted, and the waiting list has ended."""
    clock.moment = CONFIRMING
    made = standing(tmp_path, "confirming", clock)
    with made.app_context():
        answer(**{n: "declined" if n in ("A02", "A04") else "accepted" for n in EVERYBODY})
        with db.writing() as session:
            waiting.end(session, the_round_in(session), FIRST)
    return made


@pytest.fixture
def app(served: Flask) -> Iterator[Flask]:
    with served.app_context():
        yield served


def course(session: Session, code: str) -> OrderClass:
    return session.scalars(select(OrderClass).where(OrderClass.code == code)).one()


def ask(kind: str, into: str = "", code: str = "NEV") -> str:
    with db.writing() as session:
        round_ = the_round_in(session)
        other = course(session, into) if into else None
        return rulings.ask(
            session, round_, course(session, code), kind, "人数不足", FIRST, other
        ).key


def states() -> dict[str, str]:
    """Everybody's last offer: ``A01 NEV-X accepted`` by number."""
    db.forget()
    rows = db.reading().scalars(select(Offer).order_by(Offer.id))
    return {o.applicant.number: f"{o.program.code} {o.state}" for o in rows}


def test_a_class_is_judged_once_nobody_is_called_any_more(app: Flask) -> None:
    found = minimums.below(db.reading(), the_round().id)
    assert [(b.order_class.code, b.confirmed, b.open, b.ruled) for b in found] == [
        ("NEV", 2, 0, False)
    ], "TEXT never opened, and the others have enough"
    with db.writing() as session:
        the_round_in(session).waiting_ended_at = None
        with pytest.raises(Blocked, match="waiting_goes_on"):
            rulings.ask(session, the_round_in(session), course(session, "NEV"), "keep", "x", FIRST)
        session.rollback()


def test_one_that_has_enough_or_waits_for_an_answer_is_not_ruled(app: Flask) -> None:
    with pytest.raises(Blocked, match="not_below WELD"):
        ask("keep", code="WELD")
    with db.writing() as session:
        a09 = session.scalars(select(Applicant).where(Applicant.number == "A09")).one()
        program = session.scalars(select(Program).where(Program.code == "NEV-Y")).one()
        offers.make(session, the_round_in(session), a09, program, FIRST, rank=0, source="remedy")
    with pytest.raises(Blocked, match="offers_open NEV"):
        ask("keep")


def test_kept_open_by_two(app: Flask) -> None:
    key = ask("keep")
    with pytest.raises(Moved):
        ask("close")
    with pytest.raises(Blocked, match="second_person"):
        rulings.confirm(the_round().id, key, FIRST)
    with pytest.raises(Blocked, match="second_person"):
        rulings.confirm(the_round().id, key, Actor("college:u", "college"))
    before = states()
    rulings.confirm(the_round().id, key, SECOND)
    assert states() == before
    found = minimums.below(db.reading(), the_round().id)
    assert [b.ruled for b in found] == [True]
    with pytest.raises(Moved):
        rulings.confirm(the_round().id, key, SECOND)
    with pytest.raises(Moved):
        rulings.confirm(the_round().id, "nothing", SECOND)


def test_what_was_asked_may_be_dropped(app: Flask) -> None:
    key = ask("close")
    with db.writing() as session:
        ruling = session.scalars(select(Ruling)).one()
        rulings.withdraw(session, the_round_in(session), ruling, FIRST)
        with pytest.raises(Moved):
            rulings.withdraw(session, the_round_in(session), ruling, FIRST)
    with pytest.raises(Moved):
        rulings.confirm(the_round().id, key, SECOND)
    ask("keep")


def test_the_numbers_of_each_option(app: Flask) -> None:
    """CARE is of the same college; it examines in another channel, in which neither has a score.  Closed,
    A03 has NEV only on her list, and A01 too."""
    session = db.reading()
    found = rulings.options(session, the_round(), course(session, "NEV"))
    assert (found.confirmed, found.least, found.lacking, found.elsewhere) == (2, 3, 1, 0)
    assert [(m.into.code, m.free, m.fits) for m in found.merges] == [("CARE", 1, 0)]


def test_closing_releases_everybody_who_chooses_first(app: Flask) -> None:
    """A06 has accepted ROBO; of NEV, A04 had listed ROBO third.  With A04 instead of A03, she goes there."""
    with db.writing() as session:
        settle(session, "A03", "left")
        a04 = session.scalars(select(Applicant).where(Applicant.number == "A04")).one()
        program = session.scalars(select(Program).where(Program.code == "NEV-X")).one()
        offers.make(session, the_round_in(session), a04, program, FIRST, rank=1, source="remedy")
    answer(A04="accepted")
    session = db.reading()
    assert rulings.options(session, the_round(), course(session, "NEV")).elsewhere == 1
    key = ask("close")
    rulings.confirm(the_round().id, key, SECOND)
    after = states()
    assert after["A01"] == "NEV-X released" and after["A04"] == "ROBO open"
    assert after["A06"] == "ROBO accepted", "nobody else moves"
    with db.reading() as session:
        told = session.scalars(select(Message).where(Message.code == "class_ruling")).all()
        assert len({m.applicant_id for m in told}) == len(told) == 2
        offer = session.scalars(select(Offer).where(Offer.state == "open")).one()
        assert (offer.source, offer.rank) == ("ruling", 3)
        assert not list(audit.broken(session))
    with pytest.raises(Blocked, match="offers_open"), db.writing() as session:
        rounds.take(session, the_round_in(session), "finish", FIRST)
    answer(A04="accepted")
    with db.writing() as session:
        rounds.take(session, the_round_in(session), "finish", FIRST)
    assert the_round().state == "FINAL"


def test_an_answer_in_between_is_counted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    key, found, tries = ask("close"), rulings.first_choice, []

    def meanwhile(*told: object) -> list[waiting.Call]:
        calls = found(*told)  # type: ignore[arg-type]
        if not tries:
            with db.writing() as session:
                settle(session, "A01", "left")
        tries.append(1)
        return calls

    monkeypatch.setattr(rulings, "first_choice", meanwhile)
    made = rulings.confirm(the_round().id, key, SECOND)
    assert len(tries) == 2 and made.confirmed_people == 1


def test_answers_all_the_time_end_the_tries(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    key, people = ask("close"), iter(("A06", "A07", "A08"))

    def meanwhile(*told: object) -> list[waiting.Call]:
        with db.writing() as session:
            settle(session, next(people), "left")
        return []

    monkeypatch.setattr(rulings, "first_choice", meanwhile)
    with pytest.raises(waiting.KeepsChanging):
        rulings.confirm(the_round().id, key, SECOND)


def make_fit() -> None:
    """ROBO is of NEV's trade, in the channel in which they were examined, and has three seats."""
    with db.writing() as session:
        course(session, "ROBO").major = course(session, "NEV").major
        session.scalars(select(Program).where(Program.code == "ROBO")).one().capacity = 3
        for applicant in session.scalars(select(Applicant)):
            applicant.study_forms = "FT;PT"


def test_merging_asks_each_about_a_seat_of_the_other_class(app: Flask) -> None:
    with pytest.raises(Blocked, match="no_such_merge"):
        ask("merge")
    with pytest.raises(Blocked, match="no_such_merge"):
        ask("merge", "ROBO")
    with pytest.raises(Blocked, match="merge_too_small CARE"):
        ask("merge", "CARE")
    make_fit()
    key = ask("merge", "ROBO")
    rulings.confirm(the_round().id, key, SECOND)
    after = states()
    assert after["A01"] == after["A03"] == "ROBO open"
    assert minimums.ended_classes(db.reading(), the_round().id) == {"NEV"}
    answer(A01="accepted", A03="declined")
    with db.writing() as session:
        rounds.take(session, the_round_in(session), "finish", FIRST)


def test_a_merger_that_no_longer_fits_is_not_carried_out(app: Flask) -> None:
    make_fit()
    key = ask("merge", "ROBO")
    with db.writing() as session:
        session.scalars(select(Program).where(Program.code == "ROBO")).one().capacity = 2
    with pytest.raises(Blocked, match="merge_too_small ROBO"):
        rulings.confirm(the_round().id, key, SECOND)
    assert states()["A01"] == "NEV-X accepted"


# --- the end of the round -------------------------------------------------------------------------


def test_the_round_ends_when_all_is_settled(app: Flask) -> None:
    with db.writing() as session:
        round_ = the_round_in(session)
        found = rounds.obstacles(session, round_, rounds.BY_NAME["finish"], FIRST)
        assert [(o.code, o.about) for o in found] == [("class_below", "NEV")]
        session.add(recheck(session, round_))
        session.flush()
        found = rounds.obstacles(session, round_, rounds.BY_NAME["finish"], FIRST)
        assert [o.code for o in found] == ["rechecks_open", "class_below"]
        round_.waiting_ended_at = None
        found = rounds.obstacles(session, round_, rounds.BY_NAME["finish"], FIRST)
        assert [o.code for o in found] == ["waiting_goes_on", "rechecks_open"]
        session.rollback()


def recheck(session: Session, round_: Round) -> Recheck:
    who = session.scalars(select(Applicant.id)).first()
    return Recheck(
        round_id=round_.id, applicant_id=who, number="F1", matter="score", words="x",
        opened_at=CONFIRMING, due_at=CONFIRMING,
    )  # fmt: skip


def test_a_recheck_without_an_answer_keeps_a_round_in_its_notice_period(
    tmp_path: Path, clock: Clock
) -> None:
    clock.moment = CONFIRMING
    made = standing(tmp_path, "published", clock)
    with made.app_context(), db.writing() as session:
        round_ = the_round_in(session)
        held = recheck(session, round_)
        session.add(held)
        session.flush()
        assert rounds.close_due(session) == []
        with pytest.raises(Blocked, match="rechecks_open"):
            rounds.take(session, round_, "confirm", FIRST)
        held.state = "refused"
        session.flush()
        assert rounds.close_due(session) == [f"{SERIAL} confirm"]


# --- pages ----------------------------------------------------------------------------------------


def test_two_coordinators_rule_and_end_the_round(served: Flask) -> None:
    first, second = (login(served, "coordinator", name) for name in ("c1", "c2"))
    page = first.get(f"{BASE}/rulings").text
    assert "NEV" in page and "还没有决定" in page and "TEXT" not in page
    page = first.get(f"{BASE}/rulings/NEV").text
    assert "已确认 2 人，差 1 人" in page and "2 人都释放并通知" in page
    form = {"kind": "merge", "into": "CARE", "reason": "人数不足，并入康养班"}
    assert "并不下" in first.post(f"{BASE}/rulings/NEV", data=form, follow_redirects=True).text
    page = first.post(f"{BASE}/rulings/NEV", data={"kind": "keep", "reason": "x"}).text
    assert "x</textarea>" in page, "what was typed stays"
    form = {"kind": "keep", "into": "", "reason": "企业同意小班教学"}
    page = first.post(f"{BASE}/rulings/NEV", data=form, follow_redirects=True).text
    assert "等另一位协调员确认" in page
    with served.app_context():
        key = db.reading().scalars(select(Ruling.key)).one()
    act = f"{BASE}/rulings/NEV/{key}"
    assert "要另一位协调员" in first.post(act, data={"act": "confirm"}, follow_redirects=True).text
    assert second.post(act, data={"act": "other"}).status_code == 400
    assert second.post(f"{BASE}/rulings/NONE/{key}", data={"act": "confirm"}).status_code == 404
    page = second.post(act, data={"act": "confirm"}, follow_redirects=True).text
    assert "已决定" in page and "已执行" in page
    page = second.post(act, data={"act": "withdraw"}, follow_redirects=True).text
    assert "没有执行" in page
    page = first.get(f"{BASE}/final").text
    assert "归档后本轮不再改变" in page and "剩余席位" in page
    with served.app_context():
        fence = the_round().fence
    page = first.post(f"{BASE}/steps/finish", data={"fence": fence}, follow_redirects=True).text
    assert "已进入下一阶段" in page
    page = first.get(f"{BASE}/final").text
    assert "企业同意小班教学" in page and "归档本轮</button>" not in page
