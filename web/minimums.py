"""Classes that end below their minimum: counted once the waiting list has ended, on people confirmed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from .models import Offer, OrderClass, Program, Ruling
from .models.outcome import HOLDING, OPEN


@dataclass(frozen=True)
class Below:
    """A class that was opened and has fewer people than it needs, and what was ruled of it."""

    order_class: OrderClass
    confirmed: int
    open: int
    """Offers in it that wait for an answer."""
    ruling: Ruling | None

    @property
    def ruled(self) -> bool:
        """Whether two people have decided."""
        return self.ruling is not None and self.ruling.confirmed_at is not None


def below(session: Session, round_id: int) -> list[Below]:
    """The classes of a round below their minimum, in the order of the plan.

    A class in which nobody was ever offered a place did not open, and is not judged.
    """
    confirmed = func.sum(case((Offer.state.in_(HOLDING), 1), else_=0))
    waiting = func.sum(case((Offer.state == OPEN, 1), else_=0))
    rows = session.execute(
        select(OrderClass, confirmed, waiting)
        .join(Program, Program.order_class_id == OrderClass.id)
        .join(Offer, Offer.program_id == Program.id)
        .where(OrderClass.round_id == round_id)
        .group_by(OrderClass.id)
        .having(confirmed < OrderClass.min_size)
        .order_by(OrderClass.plan_order, OrderClass.code)
    ).all()
    return [Below(held, int(n), int(m), ruling_of(session, held.id)) for held, n, m in rows]


def ruling_of(session: Session, class_id: int) -> Ruling | None:
    """What was asked or decided about a class, if it was not withdrawn."""
    return session.scalar(
        select(Ruling)
        .where(Ruling.order_class_id == class_id, Ruling.withdrawn_at.is_(None))
        .order_by(Ruling.id.desc())
        .limit(1)
    )


def ended_classes(session: Session, round_id: int) -> set[str]:
    """Codes of the classes that a ruling closed or merged into another."""
    return set(
        session.scalars(
            select(OrderClass.code)
            .join(Ruling, Ruling.order_class_id == OrderClass.id)
            .where(
                OrderClass.round_id == round_id,
                Ruling.kind.in_(("close", "merge")),
                Ruling.confirmed_at.is_not(None),
            )
        )
    )
