"""The waiting list (递补): once a working day the free seats go to those who come next.

Who comes next follows from the published round and its original draw, from what people answered since,
and from the seats as they are now.  A step is computed outside any transaction, written as a link of
the chain, and recorded with all its offers in one transaction, or not at all.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from matcher import Earlier, Market, Policy, Table, Tables, UnsupportedConstraint, WaitingList
from matcher import __version__ as software

from . import calendar, chain, db, links, offers, outbox
from .audit import Actor, record
from .models import (
    Applicant,
    Membership,
    Offer,
    OrderClass,
    Person,
    Program,
    Recheck,
    Round,
    WaitingStep,
)
from .models.outcome import HOLDING, OPEN
from .publication import publication_of
from .rounds import Blocked, Moved, Obstacle
from .snapshot import alone, enough_space, instance

GAVE_UP = ("declined", "silent", "lapsed", "absent", "left")
"""How an offer ends where its owner is out of the waiting list of the round, unless she still holds
a place."""

TRIES = 3
LISTS, CALLS, PLACES = "waiting.csv", "calls.csv", "placements.csv"
ANSWERED = ("confirmed", "waiting", "declined")


class KeepsChanging(RuntimeError):
    """People answered at every try."""


class Seat(NamedTuple):
    """An offer as files state it: its number in the round, who, where, what became of it."""

    number: int
    applicant: str
    program: str
    rank: int
    source: str
    state: str


@dataclass(frozen=True)
class Standing:
    """What a step depends on, read at one time; two that are equal give the same step."""

    serial: str
    number: int
    parent: str
    published: str
    run_folder: str
    seats: tuple[Seat, ...]
    capacity: tuple[tuple[str, int], ...]

    def live(self) -> list[Seat]:
        """The offers that take up a seat."""
        return [seat for seat in self.seats if seat.state in offers.LIVE]


def standing(session: Session, round_: Round) -> Standing:
    """The round as it stands."""
    published = publication_of(session, round_)
    if published is None:
        raise Moved(round_.state)
    rows = session.execute(
        select(Person.pseudonym, Program.code, Offer.rank, Offer.source, Offer.state)
        .join(Applicant, Applicant.id == Offer.applicant_id)
        .join(Person, Person.id == Applicant.person_id)
        .join(Program, Program.id == Offer.program_id)
        .where(Offer.round_id == round_.id)
        .order_by(Offer.id)
    ).all()
    capacity = session.execute(
        select(Program.code, Program.capacity)
        .join(OrderClass)
        .where(OrderClass.round_id == round_.id)
        .order_by(Program.code)
    ).all()
    last = links.last_step(session, round_)
    return Standing(
        serial=round_.serial,
        number=last.number + 1 if last else 1,
        parent=links.head(session, round_),
        published=published.bundle_digest,
        run_folder=published.run.folder,
        seats=tuple(Seat(at, *row) for at, row in enumerate(rows, start=1)),
        capacity=tuple((row.code, row.capacity) for row in capacity),
    )


# --- the round as it is now -------------------------------------------------------------------


def tables_now(base: Tables, held: Standing) -> Tables:
    """The published round with what was answered since, and the seats as they are now."""
    capacity = dict(held.capacity)
    changed: dict[str, list[dict[str, str]]] = {
        name: [dict(row) for row in base[name].records()] for name in ("applicants", "programs")
    }
    for row in changed["programs"]:
        row["capacity"] = str(capacity.get(row["program"], row["capacity"]))
    out = gone(held.seats)
    for row in changed["applicants"]:
        if row["applicant"] in out:
            row["review"] = "withdrawn"
    changed["decisions"] = _decisions(base, held)
    tables = dict(base.tables)
    for name, rows in changed.items():
        columns = list(dict.fromkeys(key for row in rows for key in row)) or list(
            base[name].columns
        )
        tables[name] = Table({c: [row.get(c, "") for row in rows] for c in columns})
    return Tables(tables, base.policy, base.draw)


def gone(seats: Iterable[Seat]) -> set[str]:
    """Those who gave a place up and hold none: nobody calls them again in this round.

    Who was released from hers by a ruling did not give it up.
    """
    states: dict[str, set[str]] = {}
    for seat in seats:
        states.setdefault(seat.applicant, set()).add(seat.state)
    kept = {*offers.LIVE, "released"}
    return {who for who, hers in states.items() if hers & set(GAVE_UP) and not hers & kept}


def _decisions(base: Tables, held: Standing) -> list[dict[str, str]]:
    """The decisions of the round, and after them what each answer means, in order of the offers."""
    given = [dict(row) for row in base["decisions"].records()]
    rejected = {(r["applicant"], r["program"]) for r in given if r["decision"] == "rejected"}
    live = {(seat.applicant, seat.program) for seat in held.live()}
    found: dict[tuple[str, str, str], dict[str, str]] = {}

    def add(seat: Seat, decision: str) -> None:
        key = (seat.applicant, seat.program, decision)
        found[key] = dict(zip(("applicant", "program", "decision"), key, strict=True)) | {
            "basis": seat.state
        }

    for seat in held.seats:
        pair = (seat.applicant, seat.program)
        if pair in rejected:  # such a place was given by a ruling or a remedy
            continue
        if seat.state in HOLDING:
            add(seat, "confirmed")
            if seat.state == "waiting":
                add(seat, "waiting")
        elif seat.state != OPEN and pair not in live:
            add(seat, "declined")
    return given + list(found.values())


def read_base(run_folder: str) -> Tables:
    """The round that was published."""
    return Tables.read(instance() / run_folder / "round")


def policy_of(base: Tables) -> Policy:
    """The rules of the published round, with the seed that its draw made of the published files.

    The same draw would not lead to it from files that answers have changed.
    """
    policy = Policy.from_tables(base)
    return policy if base.draw is None else replace(policy, seed=str(base.draw["seed"]))


def earlier_of(held: Standing, market: Market) -> Earlier:
    """What was published, with what has been accepted since."""
    return Earlier.read(instance() / held.run_folder / "result", market)


def matched(base: Tables, now: Tables, held: Standing) -> WaitingList:
    """The round as it is now, ready to say who comes next; under the original draw.

    Raises
    ------
    Blocked
        If caps cross, as nobody can say then who comes first.
    """
    policy = policy_of(base)
    market = Market.from_tables(Tables(now.tables, policy.to_toml().encode()))
    earlier = earlier_of(held, market)
    person = {name: at for at, name in enumerate(market.applicants)}
    program = {name: at for at, name in enumerate(market.programs)}
    asked = [(seat.applicant, seat.program) for seat in held.seats if seat.state == OPEN]
    elsewhere = [
        (seat.applicant, seat.program)
        for seat in held.seats
        if seat.state in HOLDING and market.edge(person[seat.applicant], program[seat.program]) < 0
    ]
    try:
        return WaitingList(market, policy, earlier, asked, elsewhere)
    except UnsupportedConstraint as error:
        raise Blocked([Obstacle("crossing_caps")]) from error


# --- one step ---------------------------------------------------------------------------------


class Call(NamedTuple):
    """Somebody who is called to a seat, by her pseudonym; ``rank`` is that of her choice."""

    applicant: str
    program: str
    rank: int


def promised(session: Session, round_: Round) -> list[Call]:
    """Those who stand first on a list by an upheld recheck, and for whom a seat is free now."""
    free: dict[int, int] = {}
    found = []
    for ticket in session.scalars(
        select(Recheck)
        .where(
            Recheck.round_id == round_.id, Recheck.state == "upheld", Recheck.remedy == "first",
            Recheck.program_id.is_not(None),
        )
        .order_by(Recheck.confirmed_at, Recheck.id)
    ):  # fmt: skip
        hers = offers.of_applicant(session, ticket.applicant)
        program = session.get_one(Program, ticket.program_id)
        left = free.setdefault(program.id, offers.free(session, program))
        had = any(o.program_id == program.id and o.source == "remedy" for o in hers)
        if left > 0 and not had and not any(o.state == OPEN for o in hers):
            free[program.id] -= 1
            found.append(Call(ticket.applicant.person.pseudonym, program.code, ticket.rank or 0))
    return found


def granted(held: Standing, first: Sequence[Call]) -> Standing:
    """The round with the seats that a step gives before anybody else is called."""
    number = len(held.seats)
    more = tuple(
        Seat(number + at, one.applicant, one.program, one.rank, "remedy", OPEN)
        for at, one in enumerate(first, start=1)
    )
    return replace(held, seats=held.seats + more)


class Link(NamedTuple):
    """What a step comes to: its files, who is called, and the figures that tell of it."""

    files: dict[str, bytes]
    calls: list[Call]
    counts: dict[str, int]


def problems(session: Session, round_: Round) -> list[Obstacle]:
    """What keeps the waiting list from a step now."""
    if round_.waiting_ended_at is not None:
        return [Obstacle("waiting_ended")]
    today = calendar.local(db.now(session)).date()
    last = links.last_step(session, round_)
    found = []
    if last is not None and calendar.local(last.at).date() >= today:
        found.append(Obstacle("step_today"))
    try:
        working = calendar.is_working_day(today)
    except calendar.NoCalendar as error:
        return [*found, Obstacle("no_calendar", str(error.year))]
    return found if working else [*found, Obstacle("not_working_day")]


def step(
    round_id: int, actor: Actor,
    compute: Callable[[Standing, datetime], Link] | None = None,
    also: Callable[[Session, WaitingStep], None] | None = None,
) -> WaitingStep:  # fmt: skip
    """Call whoever comes next to each free seat: a link of the chain, and an offer for each call.

    Parameters
    ----------
    compute
        Works the step out, as :func:`link` does, which is taken if none is given.
    also
        What is to be stored in the same transaction.

    Raises
    ------
    Moved, Blocked
        If the round takes no step now; the obstacles say why.
    KeepsChanging, snapshot.NoSpace
        If people answer all the time, or the disk is nearly full.
    """
    enough_space()
    serial = _serial(round_id)
    folder = f"rounds/{serial}/waiting"
    with alone(instance() / folder):
        for _try in range(TRIES):
            made = _step(round_id, folder, actor, compute or link, also)
            if made is not None:
                return made
    raise KeepsChanging(serial)


def _serial(round_id: int) -> str:
    db.forget()
    return db.reading().get_one(Round, round_id).serial


def _step(
    round_id: int, folder: str, actor: Actor, compute: Callable[[Standing, datetime], Link],
    also: Callable[[Session, WaitingStep], None] | None,
) -> WaitingStep | None:  # fmt: skip
    """One try; None where somebody answered meanwhile."""
    db.forget()
    session = db.reading()
    round_ = session.get_one(Round, round_id)
    check(session, round_)
    held, first = standing(session, round_), promised(session, round_)
    chain.tidy(session, round_, instance() / folder)
    moment = db.now(session)
    db.forget()
    files, calls, counts = compute(granted(held, first), moment)
    name, digest = chain.place(f"{folder}/{held.number:04}", files)
    with db.writing() as session:
        round_ = locked(session, round_id)
        check(session, round_)
        if standing(session, round_) != held or promised(session, round_) != first:
            return None
        made = WaitingStep(
            round_id=round_id, number=held.number, parent=held.parent, folder=name, digest=digest,
            counts=counts, by=actor.name, at=moment,
        )  # fmt: skip
        session.add(made)
        session.flush()
        record(
            session, actor, "waiting.step", f"round/{round_.serial}", round_id=round_id,
            after={"number": made.number, "digest": digest, "parent": made.parent, **counts},
        )  # fmt: skip
        call(session, round_, first, actor, source="remedy", step_id=made.id)
        call(session, round_, calls, actor, source="waiting", step_id=made.id)
        if also is not None:
            also(session, made)
    return made


def check(session: Session, round_: Round) -> None:
    """See that the round takes a step now.

    Raises
    ------
    Moved, Blocked
        If it does not; the obstacles say why.
    """
    if round_.state != "CONFIRMING":
        raise Moved(round_.state)
    if found := problems(session, round_):
        raise Blocked(found)


def locked(session: Session, round_id: int) -> Round:
    """The round, which nobody else steps, ends or moves until this transaction is done."""
    return session.scalars(
        select(Round)
        .where(Round.id == round_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def link(held: Standing, moment: datetime) -> Link:
    """Work a step out: from the published round and what became of it, without the database."""
    base = read_base(held.run_folder)
    now = tables_now(base, held)
    state = matched(base, now, held)
    market = state.market
    lines, found = list(state.lines()), state.calls()
    calls = [
        Call(
            market.applicants[one.applicant],
            market.programs[market.program[one.edge]],
            int(market.rank[one.edge]),
        )
        for one in found
    ]
    hoping = {int(market.owner[line.edge]) for line in lines}
    counts = {
        "called": len(calls),
        "free": sum(state.free(p) for p in range(len(market.programs)) if state.open[p]),
        "waiting": sum(bool(state.held[i] < 0 or state.willing[i]) for i in hoping),
    }
    files = round_files(now) | {
        LISTS: state.lists_csv(lines),
        CALLS: state.calls_csv(found),
        PLACES: places_csv(held.seats),
        chain.ABOUT: chain.about(
            round=held.serial, number=held.number, parent=held.parent, publication=held.published,
            software=f"orderclass {software}", at=moment.isoformat(timespec="seconds"), **counts,
        ),
    }  # fmt: skip
    return Link(files, calls, counts)


def round_files(tables: Tables) -> dict[str, bytes]:
    """The round as it stands, as files."""
    with tempfile.TemporaryDirectory() as folder:
        tables.write(folder)
        return {f"round/{path.name}": path.read_bytes() for path in sorted(Path(folder).iterdir())}


def places_csv(seats: Sequence[Seat]) -> bytes:
    """Every offer of the round in the order in which it was made, and what became of it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Seat._fields)
    writer.writerows(seats)
    return text.getvalue().encode()


def call(
    session: Session,
    round_: Round,
    calls: Sequence[Call],
    actor: Actor,
    *,
    source: str,
    **more: Any,
) -> list[Offer]:
    """Offer each of those called her seat, and tell her, in the caller's transaction."""
    people = {
        row.pseudonym: row.Applicant
        for row in session.execute(
            select(Applicant, Person.pseudonym)
            .join(Person)
            .where(
                Applicant.round_id == round_.id,
                Person.pseudonym.in_([one.applicant for one in calls]),
            )
        )
    }
    programs = {
        program.code: program
        for program in session.scalars(
            select(Program)
            .join(OrderClass)
            .where(OrderClass.round_id == round_.id)
            .options(joinedload(Program.order_class))
        )
    }
    seats = [(people[one.applicant], programs[one.program], one.rank) for one in calls]
    made = offers.make_all(session, round_, seats, actor, source=source, **more)
    code = "class_ruling" if source == "ruling" else "waiting_offer"
    for (applicant, program, _rank), offer in zip(seats, made, strict=True):
        outbox.put(
            session, applicant, code, program=program.order_class.name, due=offer.due_at,
        )  # fmt: skip
    return made


# --- the end ----------------------------------------------------------------------------------


def end(session: Session, round_: Round, actor: Actor) -> None:
    """End the waiting list: from now on nobody is called, and classes are judged.

    The chain gets its closing link, which says how many steps there were: whoever holds it knows that none
    is withheld.

    Raises
    ------
    Moved
        If the round is not being confirmed, or it was ended already.
    """
    round_ = locked(session, round_.id)
    if round_.state != "CONFIRMING" or round_.waiting_ended_at is not None:
        raise Moved(round_.state)
    held, moment = standing(session, round_), db.now(session)
    name, digest = chain.place(
        f"rounds/{round_.serial}/waiting-end/{held.number:04}", closing(held, moment)
    )
    round_.waiting_ended_at = moment
    round_.waiting_end_folder, round_.waiting_end_digest = name, digest
    record(
        session, actor, "waiting.end", f"round/{round_.serial}", round_id=round_.id,
        after={"head": digest, "parent": held.parent, "steps": held.number - 1},
    )  # fmt: skip


def closing(held: Standing, moment: datetime) -> dict[str, bytes]:
    """The files of the closing link: every place as it stands, and the number of steps."""
    return {
        PLACES: places_csv(held.seats),
        chain.ABOUT: chain.about(
            round=held.serial, kind="end", steps=held.number - 1, parent=held.parent,
            publication=held.published, software=f"orderclass {software}",
            at=moment.isoformat(timespec="seconds"),
        ),
    }  # fmt: skip


# --- reading ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One program's seats now, and how many waited for them at the last step."""

    program: Program
    held: int
    asked: int
    free: int
    waiting: int
    called: int


def figures(session: Session, round_: Round) -> list[Row]:
    """The seats of every program of the round, in the order of the plan."""
    states: Counter[tuple[int, bool]] = Counter()
    for program, state, number in session.execute(
        select(Offer.program_id, Offer.state, func.count())
        .where(Offer.round_id == round_.id, Offer.state.in_(offers.LIVE))
        .group_by(Offer.program_id, Offer.state)
    ):
        states[program, state == OPEN] += number
    last = links.last_step(session, round_)
    lists = _lists(last.folder) if last else {}
    waiting = Counter(code for hers in lists.values() for code in {line.program for line in hers})
    called = Counter(
        session.scalars(select(Offer.program_id).where(Offer.step_id == last.id)) if last else ()
    )
    programs = session.scalars(
        select(Program)
        .join(OrderClass)
        .where(OrderClass.round_id == round_.id)
        .order_by(OrderClass.plan_order, OrderClass.code, Program.plan_order, Program.code)
    )
    return [
        Row(
            p, states[p.id, False], states[p.id, True],
            p.capacity - states[p.id, False] - states[p.id, True], waiting[p.code], called[p.id],
        )
        for p in programs
    ]  # fmt: skip


class Line(NamedTuple):
    """Where one person stands on one list."""

    program: str
    group: str
    place: int
    number: int


@lru_cache(maxsize=4)
def _lists(folder: str) -> Mapping[str, list[Line]]:
    """The lists of a step by person; a step's folder never changes."""
    with (instance() / folder / LISTS).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    length = Counter((row["program"], row["stage"]) for row in rows)
    found: dict[str, list[Line]] = {}
    for row in rows:
        group = row["stage"].partition(":")[2]
        line = Line(row["program"], group, int(row["place"]), length[row["program"], row["stage"]])
        found.setdefault(row["applicant"], []).append(line)
    return found


@dataclass(frozen=True)
class Position:
    """Her place on the list of a program: among how many, for seats of which group (blank: open)."""

    program: Program
    group: str
    place: int
    number: int


def position(session: Session, applicant: Applicant) -> list[Position]:
    """Where she stands since the last step, for seats open to all or of her own groups.

    Nothing once she has settled: who holds a place and does not wait, gave up, or is asked, stands on
    no list.
    """
    round_ = applicant.round
    last = links.last_step(session, round_)
    if last is None or round_.waiting_ended_at is not None or not _hopes(session, applicant):
        return []
    groups = set(
        session.scalars(
            select(Membership.group).where(
                Membership.applicant_id == applicant.id, Membership.state != "refused"
            )
        )
    )
    programs = {
        p.code: p
        for p in session.scalars(
            select(Program).join(OrderClass).where(OrderClass.round_id == round_.id)
        )
    }
    found: dict[tuple[str, str], Position] = {}
    for line in _lists(last.folder).get(applicant.person.pseudonym, []):
        if line.group and line.group not in groups:
            continue
        best = found.get((line.program, line.group))
        if best is None or line.place < best.place:
            found[line.program, line.group] = Position(
                programs[line.program], line.group, line.place, line.number
            )
    return sorted(found.values(), key=lambda one: (one.program.code, one.group))


def _hopes(session: Session, applicant: Applicant) -> bool:
    states = [offer.state for offer in offers.of_applicant(session, applicant)]
    if any(state in offers.LIVE for state in states):
        return "waiting" in states and OPEN not in states
    return not any(state in GAVE_UP for state in states)
