"""Supply and demand of a round side by side, by industry, trade and district."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from .models import Demand, Enterprise, OrderClass, Program, Round

DIMENSIONS = ("industry", "major", "district")


@dataclass(frozen=True)
class Line:
    """What one industry, trade or district asks for, offers, and is chosen for."""

    value: str
    demanded: int
    classes: int
    seats: int
    people: int
    """How often its classes stand on lists that count; a person counts once a class."""


def by(session: Session, round_: Round, dimension: str, lists: Mapping[str, int]) -> list[Line]:
    """Demand, classes, seats and choices of each value of a dimension, the most seats first.

    ``lists`` says how many people list each class (:func:`web.plausibility.listing`).
    """
    column = getattr(OrderClass, dimension)
    mine = OrderClass.round_id == round_.id
    classes = _counted(session, select(column, func.count(OrderClass.id)).where(mine), column)
    seats = _counted(
        session, select(column, func.sum(Program.capacity)).join(Program).where(mine), column
    )
    of_class: dict[str, str] = dict(
        session.execute(select(OrderClass.code, column).where(mine)).all()
    )
    people: Counter[str] = Counter()
    for code, number in lists.items():
        people[of_class[code]] += number
    demanded = wanted(session, round_, dimension)
    values = classes.keys() | demanded.keys()
    lines = [
        Line(v, demanded.get(v, 0), classes.get(v, 0), seats.get(v, 0), people[v]) for v in values
    ]
    return sorted(lines, key=lambda line: (-line.seats, line.value.encode("gb18030", "replace")))


def _counted(session: Session, query: object, column: object) -> dict[str, int]:
    rows = session.execute(query.group_by(column))  # type: ignore[attr-defined]
    return {value: int(number or 0) for value, number in rows}


def wanted(session: Session, round_: Round, dimension: str) -> dict[str, int]:
    """People wanted: by the enterprise's industry, the post's trade, or its district."""
    found: Counter[str] = Counter()
    rows = session.execute(
        select(Enterprise.industry, Demand.occupation, Demand.district, Demand.people)
        .join(Enterprise)
        .where(Demand.round_id == round_.id, Demand.state.in_(("submitted", "taken")))
    )
    for *values, people in rows:
        found[values[DIMENSIONS.index(dimension)]] += people
    return dict(found)
