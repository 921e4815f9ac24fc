"""Figures that are probably typing errors: found before the lock, explained by one, confirmed by another.

Wrong capacities typed in have spoilt rounds that were verified without a fault; these are the checks
that no proof can replace.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from . import codes
from .audit import Actor, record
from .choices import DRAFT
from .db import now
from .models import Applicant, ChoiceList, Doubt, OrderClass, Program, Round, Score
from .rounds import Blocked, Moved, Obstacle

TIMES, CHANGE = 3, 30
"""Seats above three times the people who list them; a change of thirty percent to last year."""
RANKS_AT_LEAST = 5
COMPONENTS = tuple(codes.COMPONENTS)
ALIVE = ("submitted", "returned", "passed")


@dataclass(frozen=True)
class Figure:
    """A figure that raises a doubt, and the one it was compared with."""

    code: str
    subject: str
    value: str
    limit: str = ""


def previous(session: Session, round_: Round) -> Round | None:
    """The round of the year before that a round is compared with: its model, or the same season's."""
    if round_.parent is not None and round_.parent.year < round_.year:
        return round_.parent
    return session.scalar(
        select(Round)
        .where(
            Round.year == round_.year - 1,
            Round.season == round_.season,
            Round.state.not_in(("DRAFT", "VOID")),
        )
        .order_by(Round.id)
        .limit(1)
    )


def listing(session: Session, round_: Round) -> Counter[str]:
    """How many people list each class, by its code, in the lists that count."""
    last = (
        select(ChoiceList.applicant_id, func.max(ChoiceList.number).label("number"))
        .join(Applicant, Applicant.id == ChoiceList.applicant_id)
        .where(
            Applicant.round_id == round_.id,
            Applicant.state.in_(ALIVE),
            ChoiceList.number > DRAFT,
        )
        .group_by(ChoiceList.applicant_id)
        .subquery()
    )
    lists = session.scalars(
        select(ChoiceList.choices).join(
            last,
            (ChoiceList.applicant_id == last.c.applicant_id) & (ChoiceList.number == last.c.number),
        )
    )
    class_of = _class_codes(session, round_)
    return Counter(
        code for choices in lists for code in {class_of[c] for c in choices if c in class_of}
    )


def _class_codes(session: Session, round_: Round) -> dict[str, str]:
    rows = session.execute(
        select(OrderClass.code, Program.code)
        .outerjoin(Program)
        .where(OrderClass.round_id == round_.id)
    ).all()
    return {p: c for c, p in rows if p} | {c: c for c, _ in rows}


def figures(session: Session, round_: Round) -> list[Figure]:
    """Every figure of a round that raises a doubt, as it stands."""
    classes = _classes(session, round_)
    return [
        *_against_lists(classes, listing(session, round_)),
        *_against_last_year(session, round_, classes),
        *_like_ranks(session, round_),
    ]


def _classes(session: Session, round_: Round) -> dict[str, OrderClass]:
    rows = session.scalars(
        select(OrderClass).where(OrderClass.round_id == round_.id).order_by(OrderClass.code)
    )
    return {held.code: held for held in rows}


def seats_of(order_class: OrderClass) -> int:
    """All seats of a class."""
    return sum(program.capacity for program in order_class.programs)


def _reserved(order_class: OrderClass) -> int:
    return sum(r.seats for program in order_class.programs for r in program.reserves)


def _against_lists(classes: dict[str, OrderClass], lists: Counter[str]) -> Iterator[Figure]:
    for code, held in classes.items():
        people, seats = lists[code], seats_of(held)
        if not people:
            yield Figure("nobody_lists", code, str(seats))
        elif seats > TIMES * people:
            yield Figure("capacity_listing", code, str(seats), str(people))


def _against_last_year(
    session: Session, round_: Round, classes: dict[str, OrderClass]
) -> Iterator[Figure]:
    last = previous(session, round_)
    if last is None:
        return
    for code, old in _classes(session, last).items():
        new = classes.get(code)
        if new is None:
            continue
        pairs = {
            "capacity_change": (seats_of(old), seats_of(new)),
            "min_size_change": (old.min_size, new.min_size),
            "reserve_change": (_reserved(old), _reserved(new)),
        }
        for name, (before, after) in pairs.items():
            if abs(after - before) * 100 > CHANGE * before:
                yield Figure(name, code, str(after), str(before))


def _like_ranks(session: Session, round_: Round) -> Iterator[Figure]:
    """Scores of one list that are 1, 2, 3, … would put the best person last."""
    lists: dict[str, list[str]] = defaultdict(list)
    rows = session.execute(
        select(Score, Program.code)
        .join(Applicant)
        .outerjoin(Program, Program.id == Score.program_id)
        .where(Applicant.round_id == round_.id)
    )
    for score, program in rows:
        for component in COMPONENTS:
            if cell := getattr(score, component):
                lists[f"{program or score.channel} {component}"].append(cell)
    for subject, cells in sorted(lists.items()):
        whole = sorted(int(cell) for cell in cells if cell.isascii() and cell.isdigit())
        if len(cells) >= RANKS_AT_LEAST and whole == list(range(1, len(cells) + 1)):
            yield Figure("scores_ranks", subject, str(len(cells)))


def doubts(session: Session, round_: Round) -> list[Doubt]:
    """Look at all figures again and give every doubt of the round.

    A figure that no longer raises one leaves, unless it had been confirmed; a confirmed one stays
    confirmed while its figure stands.
    """
    held = {(d.code, d.subject, d.value): d for d in of(session, round_)}
    found = {(f.code, f.subject, f.value): f for f in figures(session, round_)}
    gone = [key for key, d in held.items() if key not in found and d.confirmed_at is None]
    new = [key for key in found if key not in held]
    for key in gone:
        session.delete(held.pop(key))
    for key in new:
        figure = found[key]
        held[key] = Doubt(round_id=round_.id, code=figure.code, subject=figure.subject,
                          value=figure.value, limit=figure.limit)  # fmt: skip
        session.add(held[key])
    session.flush()
    return list(held.values())


def of(session: Session, round_: Round) -> list[Doubt]:
    """The doubts of a round as they were last found, those that wait first."""
    rows = session.scalars(select(Doubt).where(Doubt.round_id == round_.id))
    return sorted(rows, key=lambda d: (d.confirmed_at is not None, d.code, d.subject))


def look_again(session: Session, round_: Round, actor: Actor) -> list[Doubt]:
    """:func:`doubts`, asked for by somebody."""
    found = doubts(session, round_)
    record(session, actor, "doubts.look", f"round/{round_.serial}", round_id=round_.id,
           after={"open": sum(d.confirmed_at is None for d in found)})  # fmt: skip
    return found


def explain(session: Session, round_: Round, doubt: Doubt, text: str, actor: Actor) -> None:
    """Write down why a figure is right; an explanation anew is to be confirmed anew.

    Raises
    ------
    Moved
        If it was confirmed meanwhile.
    """
    session.refresh(doubt, with_for_update=True)
    if doubt.confirmed_at is not None:
        raise Moved(doubt.code)
    before = doubt.explained
    doubt.explained, doubt.explained_by = text, actor.name
    record(session, actor, "doubt.explain", _row(round_, doubt), round_id=round_.id,
           before={"explained": before}, after={"explained": text})  # fmt: skip


def confirm(session: Session, round_: Round, doubt: Doubt, actor: Actor) -> None:
    """Confirm another person's explanation.

    Raises
    ------
    Moved
        If there is nothing to confirm.
    Blocked
        If the same person explained it.
    """
    session.refresh(doubt, with_for_update=True)
    if not doubt.explained or doubt.confirmed_at is not None:
        raise Moved(doubt.code)
    if doubt.explained_by == actor.name:
        raise Blocked([Obstacle("second_person")])
    doubt.confirmed_by, doubt.confirmed_at = actor.name, now(session)
    record(session, actor, "doubt.confirm", _row(round_, doubt), round_id=round_.id,
           after={"explained": doubt.explained})  # fmt: skip


def _row(round_: Round, doubt: Doubt) -> str:
    return f"doubt/{round_.serial}/{doubt.code}/{doubt.subject}"
