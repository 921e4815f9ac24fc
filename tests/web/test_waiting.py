"""The waiting list by its services and pages: who is called, once a day, as a chain that holds."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.web.a_round import (
    CONFIRMING,
    FIRST,
    SECOND,
    SERIAL,
    confirming_round,
    standing,
)
from tests.web.conftest import PASSWORD, Clock, installed
from web import (
    agreements,
    audit,
    auth,
    chain,
    check_chain,
    db,
    jobs,
    links,
    offers,
    rounds,
    snapshot,
    waiting,
)
from web.audit import Actor
from web.models import (
    Agreement,
    Applicant,
    AuditEvent,
    AuditPayload,
    Message,
    Offer,
    OrderClass,
    Program,
    Recheck,
    Round,
    WaitingStep,
)
from web.rounds import Blocked, Moved

HERSELF = Actor("applicant:x", "applicant")
BASE = f"/coordinator/rounds/{SERIAL}"


@pytest.fixture
def served(tmp_path: Path, clock: Clock) -> Flask:
    """The example's round, in which everybody placed has an open offer; each request has its context."""
    clock.moment = CONFIRMING
    return standing(tmp_path, "confirming", clock)


@pytest.fixture
def app(served: Flask) -> Iterator[Flask]:
    """The same, for services."""
    with served.app_context():
        yield served


def the_round() -> Round:
    db.forget()
    return db.reading().scalars(select(Round)).one()


def answer(**states: str) -> None:
    """Settle the last offer of people by their numbers: who accepts a better place moves there."""
    with db.writing() as session:
        for number, state in states.items():
            settle(session, number, state)


def settle(session: Session, number: str, state: str) -> None:
    applicant = session.scalars(select(Applicant).where(Applicant.number == number)).one()
    held = offers.held_of(session, applicant.id)
    asked = offers.open_of(session, applicant.id)
    if asked is not None and held is not None and state in waiting.HOLDING:
        offers.settle(session, held, "moved", HERSELF)
    offer = asked or held
    assert offer is not None
    offers.settle(session, offer, state, HERSELF)


def step() -> dict[str, str]:
    """One step: who was called, and to which program."""
    made = waiting.step(the_round().id, FIRST)
    rows = db.reading().execute(
        select(Applicant.number, Program.code)
        .join(Offer, Offer.applicant_id == Applicant.id)
        .join(Program, Program.id == Offer.program_id)
        .where(Offer.step_id == made.id)
    )
    return {row.number: row.code for row in rows}


def holds(folder: Path) -> list[str]:
    """The chain's links, as its checker finds them in the archive."""
    round_ = the_round()  # which closes the session before
    path = folder / "chain.zip"
    path.write_bytes(chain.archive(db.reading(), round_))
    return check_chain.check(path, lambda _: None)


# --- who is called --------------------------------------------------------------------------------


def test_free_seats_go_to_who_comes_next(app: Flask, tmp_path: Path) -> None:
    """By hand: NEV-X and WELD lose one each.  A03 would rather be at NEV-X, but has not said so; A04
    waits, and X-HEADS has room.  At WELD the open seat is next for A09.  A05 wants NEV-Y, where a seat
    is free, but U1-BEDS counts A04's two seats until she has answered."""
    answer(A02="declined", A07="declined", A04="waiting")
    assert step() == {"A04": "NEV-X", "A09": "WELD"}
    answer(A04="accepted", A09="silent")
    app.config["CLOCK"].forward(days=1)
    assert step() == {"A05": "NEV-Y"}, "who was silent is out"
    assert len(holds(tmp_path)) == 2


def test_nobody_is_called_twice_and_no_seat_twice(app: Flask, tmp_path: Path) -> None:
    answer(A02="declined", A07="declined", A04="waiting")
    step()
    for _ in range(3):
        app.config["CLOCK"].forward(days=1)
        if app.config["CLOCK"]().weekday() < 5:
            assert step() == {}
    session = db.reading()
    for program in session.scalars(select(Program)):
        assert offers.free(session, program) >= 0
    live = select(Offer.applicant_id, func.count()).where(Offer.state == "open")
    assert all(n == 1 for _, n in session.execute(live.group_by(Offer.applicant_id)))
    holds(tmp_path)


def test_a_seat_that_was_added_is_filled(app: Flask, tmp_path: Path) -> None:
    assert step() == {}
    with db.writing() as session:
        session.scalars(select(Program).where(Program.code == "WELD")).one().capacity += 1
    app.config["CLOCK"].forward(days=1)
    assert step() == {"A09": "WELD"}
    holds(tmp_path)


def test_a_place_that_no_rule_gives_takes_its_seat_all_the_same(app: Flask, tmp_path: Path) -> None:
    """A12 is barred everywhere; by a remedy she has a seat at WELD."""
    answer(A07="declined")
    with db.writing() as session:
        a12 = session.scalars(select(Applicant).where(Applicant.number == "A12")).one()
        weld = session.scalars(select(Program).where(Program.code == "WELD")).one()
        offers.make(session, the_round_in(session), a12, weld, FIRST, rank=0, source="remedy")
    answer(A12="waiting")
    with db.writing() as session:
        weld = session.scalars(select(Program).where(Program.code == "WELD")).one()
        a05 = session.scalars(select(Applicant).where(Applicant.number == "A05")).one()
        weld.capacity += 1
        robo = session.scalars(select(Program).where(Program.code == "ROBO")).one()
        offers.make(session, the_round_in(session), a05, robo, FIRST, rank=2, source="remedy")
    assert step() == {"A09": "WELD"}, (
        "one seat was added, and one is A12's; A05 is rejected at ROBO"
    )
    answer(A05="accepted")
    app.config["CLOCK"].forward(days=1)
    assert step() == {}
    holds(tmp_path)


def the_round_in(session: Session) -> Round:
    return session.scalars(select(Round)).one()


def test_an_upheld_recheck_stands_first(app: Flask, tmp_path: Path) -> None:
    """A07 has left WELD, and A09 is next; but A12 was promised the first seat there."""
    with db.writing() as session:
        a12 = session.scalars(select(Applicant).where(Applicant.number == "A12")).one()
        weld = session.scalars(select(Program).where(Program.code == "WELD")).one()
        session.add(
            Recheck(
                round_id=a12.round_id, applicant_id=a12.id, number="F1", matter="score", words="x",
                opened_at=CONFIRMING, due_at=CONFIRMING, state="upheld", remedy="first",
                program_id=weld.id, rank=2, confirmed_at=CONFIRMING,
            )
        )  # fmt: skip
        weld.capacity = 3  # the hard reserved seat is nobody's: with it gone none is free
        weld.reserves[:] = [r for r in weld.reserves if not r.hard]
    with db.writing() as session:
        assert waiting.promised(session, the_round_in(session)) == []
    with db.writing() as session:
        session.scalars(select(Program).where(Program.code == "WELD")).one().capacity = 4
    answer(A07="declined")
    assert step() == {"A12": "WELD"}
    with db.reading() as session:
        offer = session.scalars(select(Offer).where(Offer.source == "remedy")).one()
        assert (offer.rank, offer.state) == (2, "open")
    app.config["CLOCK"].forward(days=1)
    step()
    holds(tmp_path)


# --- when -----------------------------------------------------------------------------------------


def test_once_a_working_day_and_only_while_it_lasts(app: Flask) -> None:
    step()
    with pytest.raises(Blocked, match="step_today"):
        step()
    app.config["CLOCK"].forward(days=4)  # a Saturday
    with pytest.raises(Blocked, match="not_working_day"):
        step()
    app.config["CLOCK"].moment = CONFIRMING.replace(year=2031)
    with pytest.raises(Blocked, match="no_calendar 2031"):
        step()
    app.config["CLOCK"].moment = CONFIRMING + timedelta(days=1)
    with db.writing() as session:
        waiting.end(session, the_round_in(session), FIRST)
    with pytest.raises(Blocked, match="waiting_ended"):
        step()
    with pytest.raises(Moved), db.writing() as session:
        waiting.end(session, the_round_in(session), FIRST)


def test_the_end_closes_the_chain(app: Flask, tmp_path: Path) -> None:
    answer(A02="declined", A04="waiting")
    step()
    open_ = holds(tmp_path)
    answer(A04="accepted")
    with db.writing() as session:
        waiting.end(session, the_round_in(session), FIRST)
    closed = holds(tmp_path)
    assert closed[:-1] == open_ and len(closed) == len(open_) + 1
    round_ = the_round()
    session = db.reading()
    assert closed[-1] == round_.waiting_end_digest == links.head(session, round_)
    folder = snapshot.instance() / round_.waiting_end_folder
    about = json.loads((folder / "step.json").read_bytes())
    assert (about["kind"], about["steps"], about["parent"]) == ("end", 1, open_[-1])
    states = (folder / "placements.csv").read_text(encoding="utf-8")
    assert ",declined" in states and ",accepted" in states
    last = session.scalars(select(AuditEvent).where(AuditEvent.action == "waiting.end")).one()
    told = session.get_one(AuditPayload, last.id).payload["after"]
    assert told == {"head": closed[-1], "parent": open_[-1], "steps": 1}


def test_a_list_without_any_step_is_closed_as_well(app: Flask, tmp_path: Path) -> None:
    with db.writing() as session:
        waiting.end(session, the_round_in(session), FIRST)
    assert len(holds(tmp_path)) == 1


def test_not_before_and_not_while_suspended(app: Flask) -> None:
    with db.writing() as session:
        rounds.suspend(session, the_round_in(session), FIRST, SECOND, "核查")
    with pytest.raises(Moved):
        step()
    with pytest.raises(Moved), db.writing() as session:
        waiting.end(session, the_round_in(session), FIRST)


def test_an_answer_in_between_makes_the_step_anew(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, tries = chain.place, []

    def meanwhile(folder: str, files: dict[str, bytes]) -> tuple[str, str]:
        found = place(folder, files)
        if not tries:
            answer(A07="declined")
        tries.append(found)
        return found

    monkeypatch.setattr(chain, "place", meanwhile)
    assert step() == {"A09": "WELD"}
    assert len(tries) == 2
    folder = waiting.instance() / f"rounds/{SERIAL}/waiting"
    left = [path.name for path in folder.iterdir() if path.is_dir()]
    assert left == [Path(tries[1][0]).name], "what was never recorded is gone"


def test_answers_all_the_time_end_the_tries(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    people = iter(("A07", "A08", "A10"))
    place = chain.place

    def meanwhile(folder: str, files: dict[str, bytes]) -> tuple[str, str]:
        answer(**{next(people): "declined"})
        return place(folder, files)

    monkeypatch.setattr(chain, "place", meanwhile)
    with pytest.raises(waiting.KeepsChanging):
        step()
    assert db.reading().scalar(select(func.count(WaitingStep.id))) == 0


def test_everything_is_on_record_and_told(app: Flask) -> None:
    answer(A07="declined")
    step()
    session = db.reading()
    assert not list(audit.broken(session))
    told = session.scalars(select(Message).where(Message.code == "waiting_offer")).all()
    assert [m.applicant_id for m in told] == [
        session.scalars(select(Offer.applicant_id).where(Offer.source == "waiting")).one()
    ]


# --- her place ------------------------------------------------------------------------------------


def places(number: str) -> list[tuple[str, str, int, int]]:
    session = db.reading()
    applicant = session.scalars(select(Applicant).where(Applicant.number == number)).one()
    found = waiting.position(session, applicant)
    return [(one.program.code, one.group, one.place, one.number) for one in found]


def test_her_place_is_that_of_the_last_step_and_of_her_own_seats(app: Flask) -> None:
    assert places("A09") == []
    step()
    assert places("A09") == [("WELD", "", 1, 2)], "seats of groups that are not hers are not told"
    assert places("A05") == [
        ("CARE", "", 2, 2), ("NEV-X", "", 4, 4), ("NEV-Y", "", 1, 2), ("WELD", "", 2, 2),
    ]  # fmt: skip
    assert places("A04") == [], "she has not answered"
    answer(A04="waiting", A07="declined")
    assert places("A04") == [("NEV-X", "", 2, 4)]
    assert places("A07") == []
    app.config["CLOCK"].forward(days=1)
    step()
    assert places("A09") == [], "she is asked"
    with db.writing() as session:
        waiting.end(session, the_round_in(session), FIRST)
    assert places("A05") == []


# --- pages ----------------------------------------------------------------------------------------


def login(served: Flask, role: str, name: str, **scope: object) -> FlaskClient:
    with served.app_context(), db.writing() as session:
        auth.create_user(session, name, PASSWORD, role, **scope)
    client = served.test_client()
    assert client.post("/login", data={"username": name, "password": PASSWORD}).status_code == 302
    return client


def test_a_coordinator_steps_looks_and_takes_the_chain_along(served: Flask) -> None:
    with served.app_context():
        answer(A02="declined", A04="waiting")
    client = login(served, "coordinator", "c1")
    page = client.get(f"{BASE}/waiting").text
    assert "递补一次" in page and "每个工作日递补一次" in page
    page = client.post(f"{BASE}/waiting/step", follow_redirects=True).text
    assert "递补在排队" in page and ">递补一次<" not in page
    with served.app_context():
        assert jobs.work_once()
    page = client.get(f"{BASE}/waiting").text
    assert "第 1 次递补已完成" in page and "A04" in page and "今天已经递补过" in page
    page = client.post(f"{BASE}/waiting/step", follow_redirects=True).text
    assert page.count("今天已经递补过") >= 1
    data = client.post(f"{BASE}/waiting/chain").data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {"publication.zip", "check_chain.py", "verify.py", "steps/0001/step.json"} <= set(
            archive.namelist()
        )
    assert data == client.post(f"{BASE}/waiting/chain").data, "the same at every time"
    client.set_cookie("lang", "en")
    english = client.get(f"{BASE}/waiting").text
    client.set_cookie("lang", "zh")
    assert "Waiting list" in english
    page = client.post(f"{BASE}/waiting/end", follow_redirects=True).text
    assert "递补已于" in page


def test_who_waited_has_her_agreement_when_the_list_ends(
    served: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreements, "MOST_MADE", 2)
    numbers = ["A01", "A02", "A04"]
    with served.app_context():
        answer(**dict.fromkeys(numbers, "waiting"))
        with db.writing() as session:
            for held in session.scalars(select(OrderClass)):
                held.internship_date, held.hire_date = date(2028, 9, 1), date(2029, 7, 1)
    login(served, "coordinator", "c1").post(f"{BASE}/waiting/end")
    with served.app_context():
        made = db.reading().scalars(select(Agreement)).all()
        assert sorted(one.offer.applicant.number for one in made) == numbers


def test_others_may_not(served: Flask) -> None:
    for role in ("college", "enterprise", "bureau"):
        scope = {"college": {"college_id": 1}, "enterprise": {"enterprise_id": 1}}.get(role, {})
        client = login(served, role, f"{role}9", **scope)
        for path in ("waiting/step", "waiting/end", "waiting/chain"):
            assert client.post(f"{BASE}/{path}").status_code == 403
        assert client.get(f"{BASE}/waiting").status_code == 403
    bureau = login(served, "bureau", "b7")
    answer = bureau.post(f"/bureau/{SERIAL}/chain")
    assert answer.status_code == 200 and answer.mimetype == "application/zip"
    assert "下载递补链" in bureau.get(f"/bureau/{SERIAL}/").text


def test_an_applicant_reads_her_place_and_nobody_elses(served: Flask) -> None:
    with served.app_context():
        step()
        a09 = select(Applicant.person_id).where(Applicant.number == "A09")
        person = db.reading().scalars(a09).one()
    client = login(served, "applicant", "a9", person_id=person)
    page = client.get(f"/me/{SERIAL}/waiting").text
    assert "第 1 位" in page and "名单上共 2 人" in page
    assert "A05" not in page and "王" not in page
    assert f"/me/{SERIAL}/waiting" in client.get(f"/me/{SERIAL}/result").text
    assert client.get("/me/2025-9/waiting").status_code == 404


# --- two at once ----------------------------------------------------------------------------------


def test_of_two_who_press_at_once_one_makes_the_step(
    tmp_path: Path, database: str, clock: Clock
) -> None:
    with installed(tmp_path, database) as made:
        made.config["CLOCK"] = clock
        with made.app_context():
            held = confirming_round()
            answer(A07="declined")
        ended: list[str] = []

        def press(actor: Actor) -> None:
            with made.app_context():
                try:
                    waiting.step(held.id, actor)
                    ended.append("made")
                except Blocked as error:
                    ended.append(error.obstacles[0].code)

        threads = [Thread(target=press, args=(actor,)) for actor in (FIRST, SECOND) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ended) == ["made", "step_today", "step_today", "step_today"]
        with made.app_context():
            session = db.reading()
            assert session.scalar(select(func.count(WaitingStep.id))) == 1
            called = session.scalars(select(Offer).where(Offer.source == "waiting")).all()
            assert [o.applicant.number for o in called] == ["A09"]
            assert waiting.figures(session, held)[4].free == 1  # the hard reserved seat
            assert not list(audit.broken(session))
            holds(tmp_path)


def test_no_step_where_the_database_gave_the_seat_away_meanwhile(
    tmp_path: Path, database: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A remedy takes the free seat while the step is computed: the step is made anew, without a call."""
    with installed(tmp_path, database) as made:
        made.config["CLOCK"] = clock
        with made.app_context():
            held = confirming_round()
            answer(A07="declined")
            place, tries = chain.place, []

            def meanwhile(folder: str, files: dict[str, bytes]) -> tuple[str, str]:
                if not tries:
                    with db.writing() as session:
                        a12 = session.scalars(
                            select(Applicant).where(Applicant.number == "A12")
                        ).one()
                        weld = session.scalars(select(Program).where(Program.code == "WELD")).one()
                        round_ = session.get_one(Round, held.id)
                        offers.make(session, round_, a12, weld, FIRST, rank=0, source="remedy")
                tries.append(1)
                return place(folder, files)

            monkeypatch.setattr(chain, "place", meanwhile)
            assert step() == {}
            assert len(tries) == 2
            holds(tmp_path)
