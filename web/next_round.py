"""The next round (征集志愿、补录): the seats, classes and people that a round leaves, as a new draft.

Whoever holds a place keeps it and is not in the new round.  The others come with their review and their
scores, and list anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from matcher import Tables, after, next_round

from . import db, links, minimums, offers, outbox, people, planning, rounds, waiting
from .audit import SYSTEM, Actor, record
from .models import (
    Applicant,
    Cap,
    Consent,
    Decision,
    Membership,
    Offer,
    OrderClass,
    Program,
    Reserve,
    Review,
    Round,
    Score,
)
from .rounds import Moved

CARRIED = ("rejected", "approved")
"""The decisions about a person at a program that hold in the next round as well."""

_OF_PERSON = (
    "state", "review", "household_district", "household_kind", "district", "education", "school",
    "graduated", "fresh", "employment", "certificate", "skill_level", "health", "study_forms",
    "boarding", "guardian", "guardian_relation", "note", "submitted_at",
)  # fmt: skip


@dataclass(frozen=True)
class Left:
    """What a round leaves: seats by program, the people that each class lacks, reserves, caps."""

    seats: Mapping[str, int]
    lacking: Mapping[str, int]
    reserves: Mapping[tuple[str, str, bool], int]
    caps: Mapping[str, int]

    @property
    def total(self) -> int:
        """The seats together."""
        return sum(self.seats.values())


class NothingLeft(ValueError):
    """No seat, or nobody, is left for another round."""


# --- what is left -----------------------------------------------------------------------------


def left(session: Session, round_: Round, reopen: bool) -> Left:
    """The seats and classes that a round leaves; the transaction is over when this computes.

    A class that was closed or merged is offered again only by ``reopen``, from nothing.  One that holds
    people asks for those whom it still lacks, for none if it was kept open as it is, and is not offered
    where its seats cannot reach them.
    """
    held = waiting.standing(session, round_)
    ended = minimums.ended_classes(session, round_.id)
    kept = {b.order_class.code for b in minimums.below(session, round_.id) if b.ruled} - ended
    taken = Counter(seat.program for seat in held.live())
    base = waiting.read_base(held.run_folder)
    now = waiting.tables_now(base, held)
    state = waiting.matched(base, now, held)
    market = state.market
    policy = waiting.policy_of(base)
    made = next_round(
        Tables(now.tables, policy.to_toml().encode()), policy, market, waiting.earlier_of(held, market),
        reopen=reopen,
    ).tables  # fmt: skip
    capacity = dict(held.capacity)
    classes = {row["order_class"]: int(row["min_size"]) for row in made["order_classes"].records()}
    seats = {}
    for row in made["programs"].records():
        code, course = row["program"], row["order_class"]
        free = min(int(row["capacity"]), capacity[code] - taken[code])
        if free > 0 and (reopen or course not in ended):
            seats[code] = free
    lacking = {code: 0 if code in kept else least for code, least in classes.items()}
    _drop_short(made, seats, lacking)
    return Left(
        seats,
        lacking,
        {
            (r["program"], r["group"], r.get("hard") == "1"): min(int(r["seats"]), seats[r["program"]])
            for r in made["reserves"].records()
            if r["program"] in seats and int(r["seats"])
        },
        {row["cap"]: int(row["seats"]) for row in made["caps"].records()},
    )  # fmt: skip


def _drop_short(made: Tables, seats: dict[str, int], lacking: Mapping[str, int]) -> None:
    """Take away the seats of classes that cannot reach what they lack."""
    of = {row["program"]: row["order_class"] for row in made["programs"].records()}
    total: Counter[str] = Counter()
    for code, free in seats.items():
        total[of[code]] += free
    for code in [c for c in seats if total[of[c]] < lacking.get(of[c], 0)]:
        del seats[code]


def remaining(session: Session, round_: Round, declined: bool) -> list[Applicant]:
    """Those who passed and hold no place; without ``declined``, only who never gave one up."""
    holding = select(Offer.applicant_id).where(
        Offer.round_id == round_.id, Offer.state.in_(offers.LIVE)
    )
    found = (
        select(Applicant)
        .where(
            Applicant.round_id == round_.id,
            Applicant.state == "passed",
            Applicant.id.not_in(holding),
        )
        .options(selectinload(Applicant.groups))
        .order_by(Applicant.number)
    )
    if not declined:
        gave_up = select(Offer.applicant_id).where(
            Offer.round_id == round_.id, Offer.state.in_(waiting.GAVE_UP)
        )
        found = found.where(Applicant.id.not_in(gave_up))
    return list(session.scalars(found))


# --- opening it -------------------------------------------------------------------------------


def suggested(round_: Round) -> str:
    """A number for the round after one: the number at its end goes up."""
    return after(round_.serial)


def open_next(
    round_id: int, serial: str, title: str, actor: Actor, *, declined: bool = True,
    reopen: bool = False,
) -> Round:  # fmt: skip
    """Make the round after a round, in preparation.

    Parameters
    ----------
    declined
        Whether those who declined or stayed silent may enter again.
    reopen
        Whether classes that were closed are offered again.

    Raises
    ------
    Moved
        If the round has not ended, another follows it already, or a place changed in this moment.
    planning.Taken
        If a round has that number.
    NothingLeft
        If no seat or nobody is left.
    """
    db.forget()
    session = db.reading()
    round_ = session.get_one(Round, round_id)
    _check(session, round_)
    held = waiting.standing(session, round_)
    found = left(session, round_, reopen)
    db.forget()
    with db.writing() as session:
        round_ = waiting.locked(session, round_id)
        _check(session, round_)
        if waiting.standing(session, round_) != held:  # somebody left, or got her place back
            raise Moved(round_.state)
        who = remaining(session, round_, declined)
        if not found.total or not who:
            raise NothingLeft(round_.serial)
        made = _draft(session, round_, serial, title, actor)
        programs = _plan(session, round_, made, found)
        _people(session, made, who, programs)
        record(
            session, actor, "round.open_next", f"round/{serial}", round_id=made.id,
            after={
                "from": round_.serial, "chain": links.head(session, round_), "seats": found.total,
                "people": len(who), "declined": declined, "reopen": reopen,
            },
        )  # fmt: skip
        return made


def _check(session: Session, round_: Round) -> None:
    if round_.state != "FINAL" or links.after(session, round_) is not None:
        raise Moved(round_.state)


def _draft(session: Session, round_: Round, serial: str, title: str, actor: Actor) -> Round:
    made = planning.create(
        session, serial, title, round_.year, round_.season, actor, demo=round_.demo,
        rules=round_.policy,
    )  # fmt: skip
    made.parent_id = round_.id
    made.draw_event = round_.draw_event
    return made


def _plan(session: Session, round_: Round, made: Round, found: Left) -> dict[int, Program]:
    """The classes and seats that are left; the new program of each old one, by the old one's id."""
    programs: dict[int, Program] = {}
    for old in session.scalars(select(OrderClass).where(OrderClass.round_id == round_.id)):
        here = [p for p in old.programs if found.seats.get(p.code)]
        if not here:
            continue
        columns = {name: getattr(old, name) for name in planning.OF_CLASS}
        columns |= {
            "min_size": found.lacking.get(old.code, 0),
            "internship_date": old.internship_date, "hire_date": old.hire_date,
        }  # fmt: skip
        new = OrderClass(round_id=made.id, **columns)
        for p in here:
            same: dict[str, Any] = {name: getattr(p, name) for name in planning.OF_PROGRAM}
            same |= {"capacity": found.seats[p.code], "demand_id": None}
            programs[p.id] = Program(
                **same,
                reserves=[
                    Reserve(group=group, hard=hard, seats=seats)
                    for (code, group, hard), seats in sorted(found.reserves.items())
                    if code == p.code and seats
                ],
            )
        new.programs = [programs[p.id] for p in here]
        session.add(new)
    for cap in session.scalars(select(Cap).where(Cap.round_id == round_.id)):
        if cap.code in found.caps:
            session.add(
                Cap(
                    round_id=made.id, code=cap.code, seats=found.caps[cap.code],
                    college_id=cap.college_id, enterprise_id=cap.enterprise_id,
                    programs=[code for code in cap.programs if found.seats.get(code)],
                )
            )  # fmt: skip
    session.flush()
    return programs


def _people(
    session: Session, made: Round, who: list[Applicant], programs: Mapping[int, Program]
) -> None:
    """Those who are left, with their groups, consents, reviews, scores and decisions."""
    moment = db.now(session)
    ids: dict[int, int] = {}
    for old in who:
        new = Applicant(
            round_id=made.id, person_id=old.person_id, number=people.next_number(session, made),
            created_at=moment, **{name: getattr(old, name) for name in _OF_PERSON},
        )  # fmt: skip
        new.groups = [Membership(**_columns(m, "applicant_id")) for m in old.groups]
        session.add(new)
        session.flush()
        people.set_guardian_telephone(new, people.guardian_telephone_of(old))
        ids[old.id] = new.id
    models: tuple[Any, ...] = (Consent, Review, Score, Decision)
    for model in models:
        for row in session.scalars(select(model).where(model.applicant_id.in_(ids))):
            columns = _columns(row, "id", "applicant_id")
            if columns.get("program_id") is not None:
                program = programs.get(columns["program_id"])
                if program is None:
                    continue
                columns["program_id"] = program.id
            if isinstance(row, Decision) and row.decision not in CARRIED:
                continue
            session.add(model(applicant_id=ids[row.applicant_id], **columns))
    session.flush()


def _columns(row: Any, *without: str) -> dict[str, Any]:
    return {
        column.key: getattr(row, column.key)
        for column in row.__table__.columns
        if column.key not in without
    }


# --- telling ----------------------------------------------------------------------------------


def tell(session: Session, round_: Round, _: Actor = SYSTEM) -> None:
    """Tell those who were taken along that they may list again, when the round opens."""
    if links.before(session, round_) is None:
        return
    carried = select(Applicant).where(Applicant.round_id == round_.id, Applicant.state == "passed")
    for applicant in session.scalars(carried.order_by(Applicant.id)):
        outbox.put(session, applicant, "next_round", title=round_.title, due=round_.deadline_at)


rounds.ENTERED["OPEN"] = tell
