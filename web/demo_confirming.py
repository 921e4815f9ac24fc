"""The demo's round in its confirming days: answers, a step of the waiting list, an appeal, agreements.

It is a small part of the files with other people in it, solved and published like the others; what
people then do, each by the service that her page calls, is told here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session
from stdnum.cn import ric

from . import (
    agreements,
    answers,
    application,
    calls,
    db,
    enrolment,
    jobs,
    rechecks,
    rounds,
    waiting,
    waiting_job,
)
from .audit import Actor
from .demo_stage import FIRST, Files, Row, applicant_account, at
from .models import Agreement, Applicant, Offer, OrderClass, Round
from .models.outcome import HOLDING, OPEN

CLASSES = {"K001", "K007", "K013", "K019", "K037", "K047"}
"""Classes of the first college and of the first enterprise, for minors and for adults."""
MOST_FIRST = 36
"""People whose first choice is one class; more than its seats in some, fewer in others."""
CHECKING_IN = "K019"
COLLEGE = Actor("college:college1", "college")
ENTERPRISE = Actor("enterprise:enterprise1", "enterprise")
SIGNED: tuple[tuple[str, ...], ...] = (
    ("college", "enterprise"),
    ("student",),
    ("student", "guardian", "enterprise"),
    ("student", "guardian"),
    ("student", "guardian", "enterprise", "college"),
    (),
)
"""Who has signed, of one agreement after the other."""


# --- its files --------------------------------------------------------------------------------


def part(files: Files) -> Files:
    """The rows about a few classes, with people who are in no other round."""
    programs = [row for row in files["programs"] if row["order_class"] in CLASSES]
    codes = {row["program"] for row in programs}
    lists: dict[str, list[str]] = {}
    for row in files["applications"]:
        if row["program"] in codes:
            lists.setdefault(row["applicant"], []).append(row["program"])
    who = _few(files["applicants"], lists)
    names = {row["applicant"] for row in who}
    return {
        "applicants": list(_others(who)),
        "applications": [
            {"applicant": name, "rank": str(rank), "program": code}
            for name in names
            for rank, code in enumerate(lists[name], start=1)
        ],
        "order_classes": [r for r in files["order_classes"] if r["order_class"] in CLASSES],
        "programs": programs,
        "reserves": [row for row in files["reserves"] if row["program"] in codes],
        "caps": [],
        **{
            table: [
                row
                for row in files[table]
                if row["applicant"] in names and (not row["program"] or row["program"] in codes)
            ]
            for table in ("scores", "decisions")
        },
    }


def _few(people: Sequence[Row], lists: dict[str, list[str]]) -> list[Row]:
    """Those of whom each class has so many as a first choice, and with a resident number."""
    first: Counter[str] = Counter()
    found = []
    for row in people:
        listed = lists.get(row["applicant"])
        if not listed or row["identity_type"] != "01":
            continue
        wish = listed[0].partition("-")[0]
        first[wish] += 1
        if first[wish] <= MOST_FIRST:
            found.append(row)
    return found


def _others(people: Sequence[Row]) -> Iterator[Row]:
    """The same facts of other people: another number of the same day, somebody else's name."""
    names = [row["x_name"] for row in people]
    for at_, row in enumerate(people):
        number = row["identity_number"]
        body = f"{number[:14]}{(int(number[14:17]) + 500) % 1000:03}"
        refused = [code for code in row["not_accepted"].split(";") if code in CLASSES]
        yield {
            **row, "not_accepted": ";".join(refused), "identity_number": body + ric.calc_check_digit(body),
            "x_name": names[(at_ * 7 + 3) % len(names)],
        }  # fmt: skip


# --- what people do ---------------------------------------------------------------------------


def go_on(round_id: int) -> None:
    """From the end of the notice period to half-signed agreements."""
    with at("2026-06-30T09:00"), db.writing() as session:
        rounds.take(session, session.get_one(Round, round_id), "confirm", FIRST)
    with at("2026-07-01T10:00"), db.writing() as session:
        for number, offer in enumerate(_offers(session, round_id, OPEN)):
            _answer(session, offer, number)
    with at("2026-07-02T09:30"):
        with db.writing() as session:
            waiting_job.queue(session, session.get_one(Round, round_id), FIRST)
        while jobs.work_once():
            pass
    with at("2026-07-02T15:00"), db.writing() as session:
        called = [o for o in _offers(session, round_id, OPEN) if o.source == "waiting"]
        for offer in called[: len(called) // 2]:
            _say(session, offer, "accepted")
        for offer in [o for o in _offers(session, round_id, OPEN) if o.source == "result"][:4]:
            calls.note(session, offer, "not_reached", "上午两次无人接听（演示）", COLLEGE)
    with at("2026-07-03T10:00"), db.writing() as session:
        _sign(session, session.get_one(Round, round_id))
    with at("2026-07-03T16:00"), db.writing() as session:
        _check_in(session, round_id)
        _appeal(session, round_id)
        _accounts(session, round_id)


def _offers(session: Session, round_id: int, *states: str) -> Sequence[Offer]:
    return session.scalars(
        select(Offer)
        .join(Applicant)
        .where(Offer.round_id == round_id, Offer.state.in_(states))
        .order_by(Applicant.number)
    ).all()


def _answer(session: Session, offer: Offer, number: int) -> None:
    """Who may hope for better waits; of eight others one declines and two are still silent."""
    turn = number % 8
    if not answers.idle(session, offer):
        _say(session, offer, "waiting")
    elif turn == 3:
        _say(session, offer, "declined")
    elif turn not in (0, 5):
        _say(session, offer, "accepted")


def _say(session: Session, offer: Offer, answer: str) -> None:
    who = Actor(f"applicant:{offer.applicant.number}", "applicant")
    how = "code" if application.is_minor(session, offer.applicant) else ""
    if answer == "declined":
        answers.decline(session, offer, who, guardian_how=how)
    else:
        answers.accept(session, offer, who, wait=answer == "waiting", guardian_how=how)


def _sign(session: Session, round_: Round) -> None:
    for number, held in enumerate(session.scalars(agreements.ledger(round_, "signing")).all()):
        for party in SIGNED[number % len(SIGNED)]:
            if party in agreements.parties(held):
                _put(session, held, party, number)


def _put(session: Session, held: Agreement, party: str, number: int) -> None:
    applicant = held.offer.applicant
    if party == "guardian":
        paper = f"演示-纸-{number:03}"
        agreements.sign_on_paper(session, held, party, applicant.guardian, paper, COLLEGE)
        return
    actor, name = {
        "student": (Actor(f"applicant:{applicant.number}", "applicant"), applicant.person.name),
        "college": (COLLEGE, "院校经办（演示）"),
        "enterprise": (ENTERPRISE, "企业经办（演示）"),
    }[party]
    agreements.sign(session, held, party, name, held.digest, actor)


def _check_in(session: Session, round_id: int) -> None:
    """One class meets early; those whose agreements are in effect have come."""
    held = session.scalars(
        select(OrderClass).where(OrderClass.round_id == round_id, OrderClass.code == CHECKING_IN)
    ).one()
    enrolment.arrange(
        session, held, held.version, date(2026, 7, 3), date(2026, 7, 31), "图书馆一楼大厅（演示）",
        "身份证原件、录取通知书", COLLEGE,
    )  # fmt: skip
    signed = agreements.ledger(session.get_one(Round, round_id), "effective")
    effective = {one.offer_id for one in session.scalars(signed)}
    here = [line.offer for line in enrolment.lines(session, held) if line.offer.id in effective]
    enrolment.check_in(session, [offer.id for offer in here], date(2026, 7, 3), COLLEGE)


def _appeal(session: Session, round_id: int) -> None:
    """A letter that came within the notice period and was mislaid."""
    had = select(Offer.applicant_id).where(Offer.round_id == round_id)
    who = session.scalars(
        select(Applicant)
        .where(
            Applicant.round_id == round_id, Applicant.state == "passed", Applicant.id.not_in(had)
        )
        .order_by(Applicant.number)
    ).first()
    if who is not None:
        words = "公示期内寄到的信，收发室漏登：请核对技能成绩是否登分有误。（演示）"
        rechecks.open_(session, who, "score", words, FIRST)


def _accounts(session: Session, round_id: int) -> None:
    """Somebody who is asked, somebody who signs, somebody who waits for a better place."""
    adults = [
        offer
        for offer in _offers(session, round_id, OPEN, *HOLDING)
        if not application.is_minor(session, offer.applicant)
    ]
    signing = {
        held.offer_id
        for held in session.scalars(agreements.ledger(session.get_one(Round, round_id), "signing"))
        if agreements.missing(held) == ["student"]
    }
    for username, about, fits in (
        ("applicant3", "待答复录取", lambda o: o.state == OPEN and o.source == "result"),
        ("applicant4", "协议待本人签", lambda o: o.id in signing),
        (
            "applicant5",
            "已确认并候补",
            lambda o: o.state == "waiting" and waiting.position(session, o.applicant),
        ),
    ):
        offer = next((one for one in adults if fits(one)), None)
        if offer is not None:
            applicant_account(session, username, offer.applicant.person, about)
