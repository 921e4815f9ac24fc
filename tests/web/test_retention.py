"""Retention: what is old goes, what proves a result stays, and each removal is reported."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from tests.web import a_round, rows, signed
from tests.web.conftest import Clock
from web import (
    agreements,
    audit,
    auth,
    bundle,
    db,
    edition,
    evidence,
    jobs,
    notice_job,
    offers,
    outbox,
    people,
    policies,
    publication,
    retention,
    rounds,
    slips,
)
from web.models import (
    Agreement,
    Applicant,
    AuditEvent,
    AuditPayload,
    Contact,
    Enrolment,
    Evidence,
    Import,
    LoginFailure,
    Message,
    Offer,
    Person,
    Placement,
    Program,
    Recheck,
    Removal,
    Round,
    Run,
    Slip,
    User,
)

Login = Callable[..., FlaskClient]


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    """Everybody placed in the example has an offer to answer."""
    clock.moment = a_round.CONFIRMING
    made = a_round.standing(tmp_path, "confirming", clock)
    with made.app_context(), db.writing() as session:
        session.execute(delete(Message))
    yield made
    made.extensions["orderclass_engine"].dispose()


def applicant(session: Session, number: str) -> Applicant:
    return session.scalars(select(Applicant).where(Applicant.number == number)).one()


def count(model: type) -> int:
    db.forget()
    return db.reading().scalar(select(func.count()).select_from(model)) or 0


def ended(state: str = "FINAL") -> None:
    """End the round: whoever has an offer accepts it first, as far as A01."""
    with db.writing() as session:
        for offer in session.scalars(select(Offer)).all():
            kind = "accepted" if offer.applicant.number != "A01" else "declined"
            offers.settle(session, offer, kind, a_round.FIRST)
        held = session.scalars(select(Round)).one()
        rounds._move(session, held, state, a_round.FIRST, f"round.{state.lower()}")


def removed() -> dict[str, int]:
    return {one.rule.code: one.rows for one in retention.apply()}


# --- rule by rule -----------------------------------------------------------------------------


def test_nothing_is_due_at_first(app: Flask) -> None:
    with app.app_context():
        assert retention.due(db.reading()) == [] and retention.apply() == []
        assert count(Removal) == 0


def test_messages_go_after_their_days_unless_they_still_wait(app: Flask, clock: Clock) -> None:
    with app.app_context():
        with db.writing() as session:
            outbox.put(session, applicant(session, "A01"), "offer_made")
        outbox.send_due()
        with db.writing() as session:
            outbox.put(session, applicant(session, "A01"), "check_in")
        clock.forward(days=180)
        assert removed() == {}
        clock.forward(seconds=1)
        assert removed() == {"message": 1}
        assert [m.code for m in db.reading().scalars(select(Message))] == ["check_in"]
        (report,) = db.reading().scalars(select(Removal))
        assert (report.rule, report.rows) == ("message", 1)
        assert (report.at - report.before).days == 180
        last = db.reading().scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert last is not None and last.action == "retention.remove"


def test_calls_and_refused_passwords_go(app: Flask, clock: Clock) -> None:
    with app.app_context():
        with db.writing() as session:
            offer = session.scalars(select(Offer)).first()
            assert offer is not None
            session.add(Contact(offer_id=offer.id, outcome="reached", by="c", at=db.now(session)))
            session.add(LoginFailure(username="a", at=db.now(session)))
        clock.forward(days=31)
        assert removed() == {"login": 1}
        clock.forward(days=335)
        assert removed() == {"contact": 1}
        assert count(Contact) == count(LoginFailure) == 0


def test_imports_that_nobody_stored_are_emptied(app: Flask, clock: Clock) -> None:
    with app.app_context():
        with db.writing() as session:
            held = session.scalars(select(Round)).one()
            for state in ("previewed", "refused", "stored"):
                session.add(
                    Import(round_id=held.id, sheet="applicants", filename="a.xlsx", digest=state,
                           state=state, rows=[{"key": "A01"}], issues=[{"shown": "x"}], by="college:u1",
                           at=db.now(session))
                )  # fmt: skip
        clock.forward(days=31)
        assert removed()["import"] == 2
        states = {i.digest: (i.state, i.rows) for i in db.reading().scalars(select(Import))}
        assert states["refused"] == states["previewed"] == ("dropped", [])
        assert states["stored"] == ("stored", [{"key": "A01"}])


def test_printed_notices_leave_the_disk(app: Flask, clock: Clock, tmp_path: Path) -> None:
    with app.app_context():
        with db.writing() as session:
            held = session.scalars(select(Round)).one()
            notice_job.queue(session, held, "", "http://localhost/v/", "", "", a_round.FIRST)
        jobs.work_once()
        run = db.reading().scalars(select(Run).where(Run.kind == "notices")).one()
        path = notice_job.document_of(run)
        assert path.is_file()
        solved = db.reading().scalars(select(Run).where(Run.kind == "committed")).one()
        clock.forward(days=31)
        assert removed() == {"print": 1}
        assert not path.parent.parent.exists()
        assert jobs.result_of(solved).is_dir(), "what was solved stays"
        assert removed() == {}


def test_payloads_go_and_the_chain_still_holds(app: Flask, clock: Clock) -> None:
    with app.app_context():
        before, events = count(AuditPayload), count(AuditEvent)
        clock.forward(days=1096)
        done = retention.apply()
        assert sum(d.rows for d in done if d.rule.code == "payload") == before
        assert count(AuditPayload) == len(done), "only of the reports themselves"
        assert count(AuditEvent) == events + len(done)
        assert list(audit.broken(db.reading())) == []


def test_a_round_has_its_own_periods(app: Flask, clock: Clock) -> None:
    with app.app_context():
        with db.writing() as session:
            held = session.scalars(select(Round)).one()
            assert held.policy is not None
            held.policy.workflow = {**held.policy.workflow, "privacy.message_days": 5}
            outbox.put(session, applicant(session, "A01"), "offer_made")
        outbox.send_due()
        clock.forward(days=6)
        assert removed() == {"message": 1}


def test_pictures_that_were_deleted_are_reported(app: Flask, clock: Clock) -> None:
    with app.app_context():
        evidence.delete_due()
        assert count(Removal) == 0


# --- people without a place -------------------------------------------------------------------


def test_unplaced_people_lose_what_names_them_a_year_after_the_end(
    app: Flask, clock: Clock
) -> None:
    with app.app_context():
        ended()
        with db.writing() as session:
            held = applicant(session, "A01")
            held.guardian, held.school = "张父", "某中学"
            people.set_guardian_telephone(held, "13800000000")
            slips.issue(session, held, "activate", a_round.FIRST)
            auth.create_user(session, "a01", "password", "applicant", person=held.person)
            audit.record(session, a_round.FIRST, "applicant.change", "applicant/A01",
                         round_id=held.round_id, after={"guardian": "张父"})  # fmt: skip
            kept = set(session.scalars(select(Offer.applicant_id).where(Offer.state == "accepted")))
            everybody = set(session.scalars(select(Applicant.id)))
            pseudonym, born = held.person.pseudonym, held.person.birth_date
            numbers = {p.id: p.number for p in session.scalars(select(Person))}
        clock.forward(days=365)
        assert "unplaced" not in removed()
        clock.forward(days=1)
        assert removed()["unplaced"] == len(everybody - kept)
        db.forget()
        session = db.reading()
        held = applicant(session, "A01")
        person = held.person
        assert (person.name, person.number, person.telephone, held.guardian, held.school) == (
            "", b"", b"", "", ""
        )  # fmt: skip
        assert people.telephone_of(person) == people.guardian_telephone_of(held) == ""
        assert person.pseudonym == pseudonym and born and person.birth_date == date(born.year, 1, 1)
        assert session.scalar(select(func.count()).select_from(Slip)) == 0
        user = session.scalars(select(User).where(User.username == "a01")).one()
        assert not user.active and user.password is None
        left = json.dumps(
            [p.payload for p in session.scalars(select(AuditPayload))], ensure_ascii=False
        )
        assert "张父" not in left
        assert list(audit.broken(session)) == []
        for one in session.scalars(select(Applicant).where(Applicant.id.in_(kept))):
            assert one.person.name and one.person.number == numbers[one.person_id]
        assert "unplaced" not in removed()


def test_a_person_whom_another_round_needs_stays(app: Flask, clock: Clock) -> None:
    with app.app_context():
        ended()
        with db.writing() as session:
            held = applicant(session, "A01")
            other = Round(
                serial="2026-2", title="第二轮", year=2026, state="OPEN", created_at=db.now(session)
            )  # fmt: skip
            session.add(other)
            session.flush()
            session.add(Applicant(round_id=other.id, person_id=held.person_id, number="B01",
                                  created_at=db.now(session), guardian="张父"))  # fmt: skip
            held.guardian = "张父"
        clock.forward(days=366)
        removed()
        db.forget()
        held, again = (applicant(db.reading(), number) for number in ("A01", "B01"))
        assert held.guardian == "" and held.removed_at is not None
        assert held.person.name and held.person.number and again.guardian == "张父"


def test_of_a_void_round_everybody_goes(app: Flask, clock: Clock) -> None:
    with app.app_context():
        with db.writing() as session:
            offer = session.scalars(select(Offer)).first()
            assert offer is not None
            offers.settle(session, offer, "accepted", a_round.FIRST)
            held = session.scalars(select(Round)).one()
            rounds.void(session, held, a_round.FIRST, a_round.SECOND, "因故")
        clock.forward(days=366)
        assert removed()["unplaced"] == count(Applicant)
        assert not any(db.reading().scalars(select(Person.name)))


# --- people with a place ----------------------------------------------------------------------


def studied(years: int = 3) -> str:
    """Somebody accepts, signs, is called, enrols; the round ends. Her application number."""
    with db.writing() as session:
        signed.dates(session)
        other = select(Offer).where(Offer.applicant.has(Applicant.number != "A01"))
        offer = session.scalars(other.order_by(Offer.id.desc())).first()
        assert offer is not None
        offers.settle(session, offer, "accepted", a_round.FIRST)
        offer.program.order_class.years = Decimal(years)
        offer.applicant.guardian, offer.applicant.person.name = "张父", "张小丫"
        people.set_guardian_telephone(offer.applicant, "13800000000")
        held = agreements.make(session, offer, a_round.FIRST)
        signed.sign(session, held, "student", "college", "enterprise")
        moment = db.now(session)
        session.add_all([
            Contact(offer_id=offer.id, outcome="reached", note="张父接的", by="c", at=moment),
            Enrolment(offer_id=offer.id, register_number="G3709", left_reason="张家有事",
                      by="college:c", at=moment),
            Evidence(applicant_id=offer.applicant_id, group="G05", at=moment),
            Recheck(number="F1", round_id=offer.round_id, applicant_id=offer.applicant_id,
                    matter="score", words="我叫张小丫", answer="张小丫的成绩无误", state="refused",
                    opened_at=moment, due_at=moment),
        ])  # fmt: skip
        number = offer.applicant.number
    ended()
    return number


def test_placed_people_are_forgotten_once_their_studies_are_long_over(
    app: Flask, clock: Clock, as_user: Login
) -> None:
    with app.app_context():
        number = studied()
        clock.forward(days=3 * 365 + 1095)
        assert number not in forgotten()
        clock.forward(days=1)
        assert removed()["placed"] >= 1
        db.forget()
        session = db.reading()
        held = applicant(session, number)
        person, moment = held.person, held.removed_at
        assert (person.name, person.number, person.telephone, held.guardian) == ("", b"", b"", "")
        assert moment is not None and person.pseudonym and held.number == number
        (agreement,) = session.scalars(select(Agreement)).all()
        assert agreement.terms["student"] == agreement.terms["guardian"] == ""
        assert agreement.terms["college"] and agreement.digest and agreement.state == "effective"
        names = {s.party: s.name for s in agreement.signatures}
        assert names == {"student": "", "college": "签名人", "enterprise": "签名人"}
        enrolled = session.scalars(select(Enrolment)).one()
        assert (enrolled.register_number, enrolled.left_reason) == ("", "")
        assert count(Evidence) == count(Contact) == 0
        every = [[getattr(row, c.key) for c in table.__table__.columns]
                 for mapper in db.Base.registry.mappers if (table := mapper.class_) is not None
                 for row in db.reading().scalars(select(table))]  # fmt: skip
        told = json.dumps(every, ensure_ascii=False, default=str)
        assert "张小丫" not in told and "张父" not in told and "张家" not in told
        assert list(audit.broken(db.reading())) == []
        assert db.reading().scalars(select(Removal).where(Removal.rule == "placed")).all()
        client, at = as_user("coordinator"), f"/coordinator/rounds/agreements/{agreement.key}"
        page = client.get(at).text
        assert "姓名已按保存期限移除" in page and "下载（PDF）" not in page
        assert client.post(f"{at}/pdf").status_code == 404


def forgotten() -> set[str]:
    """Run the job; the application numbers of those who were forgotten by now."""
    retention.apply()
    db.forget()
    return set(
        db.reading().scalars(select(Applicant.number).where(Applicant.removed_at.is_not(None)))
    )


def test_the_period_of_the_placed_is_counted_by_class_and_may_be_changed(
    app: Flask, clock: Clock
) -> None:
    with app.app_context():
        number = studied(years=1)
        with db.writing() as session:
            held = session.scalars(select(Round)).one()
            assert held.policy is not None
            held.policy.workflow = {**held.policy.workflow, "privacy.placed_days": 10}
        clock.forward(days=375)
        assert number not in forgotten()
        clock.forward(days=1)
        assert number in forgotten()


def test_who_left_long_after_the_end_is_kept_as_long_as_who_never_had_a_place(
    app: Flask, clock: Clock
) -> None:
    """An entry by mistake can be taken back: the person is still there."""
    with app.app_context():
        number = studied()
        clock.forward(days=700)
        forgotten()
        with db.writing() as session:
            offer = offers.held_of(session, applicant(session, number).id)
            assert offer is not None
            offers.settle(session, offer, "left", a_round.FIRST)
        clock.forward(days=365)
        assert number not in forgotten()
        clock.forward(days=1)
        assert number in forgotten()


# --- the proof --------------------------------------------------------------------------------


def test_the_published_proof_can_be_checked_after_everything_is_gone(
    app: Flask, clock: Clock, tmp_path: Path
) -> None:
    with app.app_context():
        ended()
        clock.forward(days=4000)
        done = removed()
        assert {"unplaced", "placed", "payload"} <= set(done)
        assert not any(db.reading().scalars(select(Person.name)))
        session = db.reading()
        assert list(audit.broken(session)) == []
        held = session.scalars(select(Round)).one()
        published = publication.publication_of(session, held)
        assert published is not None
        place = tmp_path / "opened"
        with zipfile.ZipFile(publication.bundle_path(published)) as packed:
            packed.extractall(place)
        lines = [publication.own_line(p) for p in session.scalars(select(Placement))]
        public = edition.public_edition(session, held)
        assert json.loads(public["publication.json"])
        db.forget()
    said = subprocess.run(
        [sys.executable, "verify.py", "round"],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert len(lines) == 12
    for line in lines:
        path = tmp_path / "line.json"
        path.write_text(json.dumps(line), encoding="utf-8")
        checked = subprocess.run(
            [sys.executable, str(bundle.CHECKER), str(path), line["root"]],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert checked.returncode == 0, checked.stdout + checked.stderr


# --- command and pages ------------------------------------------------------------------------


def test_the_command_lists_first_and_removes_then(app: Flask, clock: Clock) -> None:
    with app.app_context():
        with db.writing() as session:
            session.add(LoginFailure(username="a", at=db.now(session)))
        clock.forward(days=31)
        say = app.test_cli_runner().invoke
        assert say(args=["retain", "--dry-run"]).output.startswith("login - 1 (< 2026-06-")
        assert count(LoginFailure) == 1 and count(Removal) == 0
        assert say(args=["retain"]).output.startswith("login - 1")
        assert count(LoginFailure) == 0 and count(Removal) == 1
        assert say(args=["retain"]).output == ""
        assert retention.apply in jobs.CLEANED


@pytest.mark.parametrize("role", ["coordinator", "bureau", "auditor"])
def test_the_page_shows_periods_what_is_due_and_what_went(
    app: Flask, clock: Clock, as_user: Login, role: str
) -> None:
    client = as_user(role)
    at = "/coordinator/retention" if role == "coordinator" else "/bureau/retention"
    with app.app_context(), db.writing() as session:
        session.add(LoginFailure(username="someone", at=db.now(session)))
    assert "登录失败记录" in (page := client.get(at).text) and "1095 天" in page
    assert "没有记录" in page and "someone" not in page
    clock.forward(days=31)
    client = as_user(role, f"{role}2")
    with app.app_context():
        retention.apply()
    page = client.get(at).text
    gone = page.split("清理记录</caption>")[1]
    assert "登录失败记录" in gone and "没有记录" not in gone


def test_every_period_is_a_parameter_that_says_it_is_ours() -> None:
    for rule in retention.RULES:
        held = policies.BY_KEY[rule.parameter]
        assert held.ours and held.editable and held.section == "public"
        assert policies._limit(held, held.default) == ""


@pytest.mark.parametrize(
    "code", ["message", "contact", "import", "print", "unplaced", "placed", "payload"]
)
def test_each_rule_finds_and_removes_on_every_database(
    session: Session, clock: Clock, code: str
) -> None:
    held = rows.make_round(session, state="FINAL")
    who = rows.make_applicant(session, held, "N1")
    program = session.scalars(select(Program)).one()
    moment = db.now(session)
    offer = Offer(round_id=held.id, applicant_id=who.id, program_id=program.id, rank=1,
                  source="result", state="accepted" if code == "placed" else "declined",
                  made_at=moment, due_at=moment)  # fmt: skip
    session.add(offer)
    session.flush()
    outbox.put(session, who, "offer_made")
    session.scalars(select(Message)).one().state = "sent"
    session.add_all([
        Contact(offer_id=offer.id, outcome="reached", by="c", at=moment),
        Import(round_id=held.id, sheet="scores", filename="a", digest="d", by="college:c", at=moment),
        Run(round_id=held.id, kind="notices", policy_toml="", started_by="c", queued_at=moment,
            ended_at=moment, folder="rounds/2026-1/runs/x-0"),
    ])  # fmt: skip
    audit.record(session, rows.FIRST, "round.final", f"round/{held.serial}", round_id=held.id)
    session.flush()
    rule = next(rule for rule in retention.RULES if rule.code == code)
    assert not rule.old(session, held, moment)
    clock.forward(days=1)
    ids = rule.old(session, held, db.now(session))
    assert len(ids) == 1 and not rule.old(session, None, db.now(session))
    rule.remove(session, ids)
    session.flush()
    session.expire_all()
    assert not rule.old(session, held, db.now(session))
    assert list(audit.broken(session)) == []
