"""What becomes of a class that ends below its minimum: kept open, merged into another, or closed.

One coordinator asks, another confirms, and both see before what it does to whom.  Merging and closing
release people who had confirmed: each is told, and asked about another place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from . import db, minimums, offers, outbox, standing, waiting
from .audit import Actor, record
from .models import Applicant, Offer, OrderClass, Person, Program, Round, Ruling
from .models.outcome import HOLDING
from .rounds import Blocked, Moved, Obstacle
from .waiting import Call, KeepsChanging, Standing

KINDS = ("keep", "merge", "close")
ADMITTED = (standing.OPEN, standing.RELAXED)


@dataclass(frozen=True)
class Merge:
    """Another class that could take the people: how many it has seats for that they may have."""

    into: OrderClass
    free: int
    fits: int


@dataclass(frozen=True)
class Options:
    """What each option would do, in numbers."""

    confirmed: int
    least: int
    merges: Sequence[Merge]
    elsewhere: int
    """Of those whom closing releases: so many would be offered another place at once."""

    @property
    def lacking(self) -> int:
        """How many people the class lacks."""
        return self.least - self.confirmed


# --- what each option would do ----------------------------------------------------------------


def held_in(session: Session, order_class: OrderClass) -> list[Offer]:
    """The places that people hold in a class, in the order in which they were offered."""
    return list(
        session.scalars(
            select(Offer)
            .join(Program)
            .where(Program.order_class_id == order_class.id, Offer.state.in_(HOLDING))
            .options(joinedload(Offer.applicant), joinedload(Offer.program))
            .order_by(Offer.id)
        )
    )


def targets(session: Session, order_class: OrderClass) -> list[OrderClass]:
    """The classes that people could be merged into: of the same college or trade, and not ended."""
    ended = minimums.ended_classes(session, order_class.round_id)
    opened = (
        select(Program.order_class_id).join(Offer).where(Offer.round_id == order_class.round_id)
    )
    return [
        other
        for other in session.scalars(
            select(OrderClass)
            .where(
                OrderClass.round_id == order_class.round_id,
                OrderClass.id != order_class.id,
                OrderClass.id.in_(opened),
            )
            .order_by(OrderClass.plan_order, OrderClass.code)
        )
        if other.code not in ended
        and (
            other.college_id == order_class.college_id
            or (order_class.major != "" and other.major == order_class.major)
        )
    ]


def assignment(session: Session, people: Sequence[Offer], into: OrderClass) -> dict[int, Program]:
    """A seat of another class for as many of some people as can have one, by their offers' ids.

    A seat of her own exam channel, in a class whose rules admit her; one of the same enterprise first.
    """
    seats: dict[int, int] = {p.id: offers.free(session, p) for p in into.programs}
    options = {
        offer.id: [
            p
            for p in sorted(
                into.programs,
                key=lambda p: (p.enterprise_id != offer.program.enterprise_id, p.code),
            )
            if seats[p.id] > 0
            and p.channel == offer.program.channel
            and standing.standing(session, offer.applicant, p).answer in ADMITTED
        ]
        for offer in people
    }
    taken: dict[int, list[int]] = {p: [] for p in seats}

    def seat(offer: int, tried: set[int]) -> bool:
        for program in options[offer]:
            if program.id in tried:
                continue
            tried.add(program.id)
            others = taken[program.id]
            if len(others) < seats[program.id]:
                others.append(offer)
                return True
            for other in list(others):
                others.remove(other)
                if seat(other, tried):
                    others.append(offer)
                    return True
                others.append(other)
        return False

    for offer in people:
        seat(offer.id, set())
    programs = {p.id: p for p in into.programs}
    return {offer: programs[p] for p, who in taken.items() for offer in who}


def released(held: Standing, codes: Iterable[str]) -> tuple[Standing, list[str]]:
    """The round after the people of some programs were released, and who they are."""
    inside = set(codes)
    who = [s.applicant for s in held.seats if s.program in inside and s.state in HOLDING]
    seats = tuple(
        seat._replace(state="released")
        if seat.program in inside and seat.state in HOLDING
        else seat
        for seat in held.seats
    )
    return replace(held, seats=seats), who


def first_choice(held: Standing, codes: Iterable[str], ended: set[str]) -> list[Call]:
    """Whom of the people of some programs, were they released, each free seat would go to.

    They choose by their own lists, and the published priorities decide among them; nobody else is
    called.
    """
    after, who = released(held, codes)
    if not who:
        return []
    base = waiting.read_base(held.run_folder)
    state = waiting.matched(base, waiting.tables_now(base, after), after)
    state.only(who, ended)
    market = state.market
    return [
        Call(
            market.applicants[one.applicant],
            market.programs[market.program[one.edge]],
            int(market.rank[one.edge]),
        )
        for one in state.calls()
    ]


def options(session: Session, round_: Round, order_class: OrderClass) -> Options:
    """What each option would do to whom, as things stand."""
    people = held_in(session, order_class)
    merges = []
    for other in targets(session, order_class):
        free = sum(max(0, offers.free(session, p)) for p in other.programs)
        merges.append(Merge(other, free, len(assignment(session, people, other))))
    ended = minimums.ended_classes(session, round_.id) | {order_class.code}
    calls = first_choice(
        waiting.standing(session, round_), [p.code for p in order_class.programs], ended
    )
    return Options(len(people), order_class.min_size, merges, len(calls))


# --- asking and confirming --------------------------------------------------------------------


def problems(session: Session, round_: Round, order_class: OrderClass) -> list[Obstacle]:
    """What keeps a class from being ruled about now."""
    if round_.state != "CONFIRMING" or round_.waiting_ended_at is None:
        return [Obstacle("waiting_goes_on")]
    found = [b for b in minimums.below(session, round_.id) if b.order_class.id == order_class.id]
    if not found:
        return [Obstacle("not_below", order_class.code)]
    if found[0].open:
        return [Obstacle("offers_open", order_class.code, found[0].open)]
    return []


def ask(
    session: Session, round_: Round, order_class: OrderClass, kind: str, reason: str, actor: Actor,
    into: OrderClass | None = None,
) -> Ruling:  # fmt: skip
    """Ask for one of the options; nothing happens before another coordinator confirms.

    Raises
    ------
    Blocked
        If the class cannot be ruled about now, or its people do not fit into the other one.
    Moved
        If something was asked or decided already.
    """
    waiting.locked(session, round_.id)
    if found := problems(session, round_, order_class):
        raise Blocked(found)
    if minimums.ruling_of(session, order_class.id) is not None:
        raise Moved(kind)
    if kind == "merge":
        _fits(session, order_class, into)
    made = Ruling(
        order_class_id=order_class.id, kind=kind, into_id=into.id if into else None,
        confirmed_people=len(held_in(session, order_class)), reason=reason, asked_by=actor.name,
        asked_at=db.now(session),
    )  # fmt: skip
    session.add(made)
    session.flush()
    record(
        session, actor, f"ruling.ask_{kind}", f"order_class/{order_class.code}", round_id=round_.id,
        after={"people": made.confirmed_people, "into": into.code if into else ""}, reason=reason,
    )  # fmt: skip
    return made


def _fits(session: Session, order_class: OrderClass, into: OrderClass | None) -> dict[int, Program]:
    people = held_in(session, order_class)
    if into is None or into.id not in {other.id for other in targets(session, order_class)}:
        raise Blocked([Obstacle("no_such_merge")])
    found = assignment(session, people, into)
    if len(found) < len(people):
        raise Blocked([Obstacle("merge_too_small", into.code, len(people) - len(found))])
    return found


def withdraw(session: Session, round_: Round, ruling: Ruling, actor: Actor) -> None:
    """Drop what was asked and not confirmed; the row stays.

    Raises
    ------
    Moved
        If it waits no longer.
    """
    session.refresh(ruling, with_for_update=True)
    if ruling.confirmed_at is not None or ruling.withdrawn_at is not None:
        raise Moved(ruling.kind)
    ruling.withdrawn_at = db.now(session)
    record(
        session, actor, "ruling.withdraw", f"order_class/{ruling.order_class.code}",
        round_id=round_.id, after={"kind": ruling.kind, "asked_by": ruling.asked_by},
    )  # fmt: skip


def confirm(round_id: int, key: str, actor: Actor) -> Ruling:
    """Confirm what another coordinator asked, and carry it out.

    Raises
    ------
    Moved
        If it waits no longer.
    Blocked
        If the same person asked, or things have changed so that it cannot be done.
    KeepsChanging
        If people answer all the time.
    """
    for _try in range(waiting.TRIES):
        made = _confirm(round_id, key, actor)
        if made is not None:
            return made
    raise KeepsChanging(key)


def _confirm(round_id: int, key: str, actor: Actor) -> Ruling | None:
    db.forget()
    session = db.reading()
    round_ = session.get_one(Round, round_id)
    ruling = _asked(session, round_, key, actor)
    held, calls = None, list[Call]()
    if ruling.kind == "close":
        held = waiting.standing(session, round_)
        codes = [p.code for p in ruling.order_class.programs]
        ended = minimums.ended_classes(session, round_id) | {ruling.order_class.code}
        db.forget()
        calls = first_choice(held, codes, ended)
    with db.writing() as session:
        round_ = waiting.locked(session, round_id)
        ruling = _asked(session, round_, key, actor)
        if held is not None and waiting.standing(session, round_) != held:
            return None
        order_class = ruling.order_class
        people = held_in(session, order_class)
        if ruling.kind == "merge":
            calls = _merged(people, _fits(session, order_class, ruling.into))
        ruling.confirmed_by, ruling.confirmed_at = actor.name, db.now(session)
        ruling.confirmed_people = len(people)
        record(
            session, actor, f"ruling.{ruling.kind}", f"order_class/{order_class.code}",
            round_id=round_id, reason=ruling.reason,
            after={"people": len(people), "offered": len(calls), "asked_by": ruling.asked_by},
        )  # fmt: skip
        if ruling.kind != "keep":
            _release(session, round_, ruling, people, calls, actor)
        return ruling


def _asked(session: Session, round_: Round, key: str, actor: Actor) -> Ruling:
    """A ruling of the round that this person may confirm now."""
    ruling = session.scalar(
        select(Ruling)
        .join(OrderClass, OrderClass.id == Ruling.order_class_id)
        .where(Ruling.key == key, OrderClass.round_id == round_.id)
        .execution_options(populate_existing=True)
    )
    if ruling is None or ruling.confirmed_at is not None or ruling.withdrawn_at is not None:
        raise Moved(key)
    if ruling.asked_by == actor.name or actor.role != "coordinator":
        raise Blocked([Obstacle("second_person")])
    if found := problems(session, round_, ruling.order_class):
        raise Blocked(found)
    return ruling


def _merged(people: Sequence[Offer], seats: dict[int, Program]) -> list[Call]:
    """The calls of a merger; the other class stood on nobody's list as this one, so it is adjustment."""
    return [Call(o.applicant.person.pseudonym, seats[o.id].code, 0) for o in people]


def _release(
    session: Session, round_: Round, ruling: Ruling, people: Sequence[Offer],
    calls: Sequence[Call], actor: Actor,
) -> None:  # fmt: skip
    """Release everybody of the class, offer what was found for them, and tell each."""
    name, reason = ruling.order_class.name, ruling.reason
    for offer in people:
        offers.settle(session, offer, "released", actor, reason)
    waiting.call(session, round_, calls, actor, source="ruling")
    offered = {one.applicant for one in calls}
    without = [o.applicant_id for o in people if o.applicant.person.pseudonym not in offered]
    for applicant in session.scalars(
        select(Applicant).join(Person).where(Applicant.id.in_(without)).order_by(Applicant.id)
    ):
        outbox.put(session, applicant, "class_ruling", program=name)


def of_round(session: Session, round_: Round) -> list[Ruling]:
    """Every ruling of a round, the last first."""
    return list(
        session.scalars(
            select(Ruling)
            .join(OrderClass, OrderClass.id == Ruling.order_class_id)
            .where(OrderClass.round_id == round_.id)
            .order_by(Ruling.id.desc())
        )
    )
