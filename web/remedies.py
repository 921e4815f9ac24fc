"""What becomes of a recheck that is upheld once confirming has begun, when nobody moves any more.

She gets an extra seat that college, enterprise and alliance agree to (席位变更单), else stands first on the
waiting list.  Where neither can come true (her class has ended, or the list has), the ticket is worked on
again: the run places her as if she had not listed that class, and two people answer for the next best place.
"""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from . import minimums, offers, outbox, rechecks, rounds, seats
from .audit import Actor
from .models import Offer, Recheck, Round, SeatChange
from .posting import Refused


def granted(session: Session, ticket: Recheck) -> Offer | None:
    """The offer that a ticket led to: of an extra seat, or of the first that became free."""
    return session.scalar(
        select(Offer).where(
            Offer.applicant_id == ticket.applicant_id,
            Offer.program_id == ticket.program_id,
            Offer.source == seats.REMEDY,
        )
    )


def _agreed(session: Session, change: SeatChange, actor: Actor) -> None:
    """An extra seat is agreed: it is offered to the one for whom it was asked."""
    ticket = seats.awaiting(session, change.program)
    if ticket is None or ticket.rank is None:
        return
    if change.program.order_class.code in minimums.ended_classes(session, ticket.round_id):
        raise Refused({"": [_("这个班已停开或并班，不能再增加席位。请在复核单上改办下一个志愿。")]})
    if offers.open_of(session, ticket.applicant_id) is not None:
        raise Refused({"": [_("她还有一个录取没有答复，请先等她答复。")]})
    made = offers.make(
        session, ticket.round, ticket.applicant, change.program, actor, rank=ticket.rank,
        source=seats.REMEDY, reason=ticket.number,
    )  # fmt: skip
    name = change.program.order_class.name
    outbox.put(session, ticket.applicant, "offer_made", program=name, due=made.due_at)


seats.APPLIED.append(_agreed)


def first_instead(session: Session, ticket: Recheck, actor: Actor, reason: str) -> None:
    """College or enterprise do not agree to a seat: she stands first on the waiting list instead.

    Raises
    ------
    stages.NotNow, posting.Stale, posting.Refused
        If the ticket waits for no seat, the waiting list has ended, or no reason is given.
    """
    round_ = rechecks.hold(session, ticket, ("upheld",))
    if ticket.remedy != "seat" or granted(session, ticket) is not None:
        raise Refused({"": [_("这件复核不在等席位。")]})
    if "first" not in rechecks.remedies_of(round_):
        raise Refused({"": [_("递补已结束，不能再排第一位；请改办下一个志愿。")]})
    if not reason.strip():
        raise Refused({"reason": [_("请写明原因。")]})
    rechecks.change(session, ticket, actor, "first_instead", remedy="first",
                    seen={"reason": reason.strip()})  # fmt: skip


def stuck(session: Session, ticket: Recheck) -> str:
    """Why what a ticket promises cannot come true any more, in words; blank where it may."""
    if ticket.state != "upheld" or ticket.remedy not in ("seat", "first"):
        return ""
    if ticket.program is None or granted(session, ticket) is not None:
        return ""
    if ticket.program.order_class.code in minimums.ended_classes(session, ticket.round_id):
        return str(_("这个班已停开或并班，补救办不成了。"))
    if ticket.round.waiting_ended_at is None:
        return ""
    if ticket.remedy == "first":
        return str(_("递补已结束，没有轮到她。"))
    return str(_("递补已结束。三方不同意增加席位的，改办下一个志愿。"))


def owed(session: Session, round_: Round) -> list[Recheck]:
    """The upheld tickets of a round for which somebody must do something: a seat that no change is asked
    for, or what cannot come true."""
    held = rounds.places_owed(session, round_)
    return [one for one in held if stuck(session, one) or _to_ask(session, one)]


def _to_ask(session: Session, ticket: Recheck) -> bool:
    """Whether a seat was promised that nobody has asked for yet."""
    if ticket.remedy != "seat" or ticket.program is None or granted(session, ticket) is not None:
        return False
    return seats.waiting(session, ticket.program) is None


def another(
    session: Session, ticket: Recheck, actor: Actor, reason: str, same: bool = False
) -> None:
    """Work on a ticket again whose remedy cannot come true: for the next best place, by two people.

    Parameters
    ----------
    same
        Of a list that has ended: whether an extra seat is asked for at the same place.

    Raises
    ------
    stages.NotNow, posting.Stale, posting.Refused
        If its remedy may still come true, a change of those seats is under way, or no reason is given.
    """
    rechecks.hold(session, ticket, ("upheld",))
    if not stuck(session, ticket) or ticket.program is None:
        raise Refused({"": [_("这件复核的补救还能办成。")]})
    if not reason.strip():
        raise Refused({"reason": [_("请写明原因。")]})
    if seats.waiting(session, ticket.program) is not None:
        raise Refused({"": [_("这组席位已有一张变更单在办，请先办完或撤回。")]})
    without = {*ticket.correction.get("without", ())}
    if not same:
        without.add(ticket.program.order_class.code)
    rechecks.change(
        session, ticket, actor, "another", state="open", remedy="", program_id=None, rank=None,
        verdict="", correction={**ticket.correction, "without": sorted(without)},
        seen={"reason": reason.strip(), "after": {"state": "open", "without": sorted(without)}},
    )  # fmt: skip
    rechecks.look(session, ticket, actor)
