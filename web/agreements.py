"""Three-party agreements (三方预就业协议): made of a place that is held, signed in any order, in effect
when all have signed, lapsed when they have not in time.

What a person does on a page is an electronic confirmation (电子确认) of one text, named by its digest;
the signed and stamped paper is recorded beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from matcher import Policy

from . import (
    agreement_texts,
    application,
    calendar,
    db,
    jobs,
    offers,
    outbox,
    policies,
    reviewing,
    slips,
    stages,
)
from .agreement_terms import Bar, Barred, bars, terms
from .agreement_texts import PARTIES
from .audit import SYSTEM, Actor, record
from .db import now
from .models import Agreement, Applicant, Offer, OrderClass, Program, Round, Signature
from .models.outcome import HOLDING
from .posting import Refused, Stale

STATES = {
    "signing": lazy_gettext("待签"),
    "effective": lazy_gettext("生效"),
    "lapsed": lazy_gettext("逾期未签"),
    "voided": lazy_gettext("变更或解除"),
}
LIVE = ("signing", "effective")
ASKS = {"change": lazy_gettext("变更（作废后重签）"), "end": lazy_gettext("解除（退出席位）")}
REMIND_DAYS = 3
"""Working days before the deadline at which she is reminded."""
MOST_MADE = 500
"""Agreements made in one transaction: others wait for it to end."""
MOST_SHOWN = 2_000
"""Lines of a ledger that is listed to be printed."""
COUNTER = ("college", "coordinator")
"""Offices that record what was signed on paper before them."""


# --- making -----------------------------------------------------------------------------------


def live_of(session: Session, offer: Offer) -> Agreement | None:
    """The agreement about a place that is being signed, or in effect."""
    return session.scalar(
        select(Agreement).where(Agreement.offer_id == offer.id, Agreement.state.in_(LIVE))
    )


def of_applicant(session: Session, applicant: Applicant) -> Agreement | None:
    """Somebody's last agreement in a round."""
    return session.scalar(
        select(Agreement)
        .join(Offer)
        .where(Offer.applicant_id == applicant.id)
        .order_by(Agreement.id.desc())
        .limit(1)
    )


def make(session: Session, offer: Offer, actor: Actor, policy: Policy | None = None) -> Agreement:
    """The agreement about a place that is held; the one that lives, if there is one.

    Raises
    ------
    stages.NotNow, Barred, posting.Refused
        If the round, the law, or the place stands against it.
    """
    _lock(session, [offer.id])
    round_ = stages.hold(session, offer.round_id, "agreement")
    if offer.state not in HOLDING:
        raise Refused({"": [_("这个席位没有人持有，不能生成协议。")]})
    if (held := live_of(session, offer)) is not None:
        return held
    if found := bars(offer, policy or policies.current(session, round_)):
        raise Barred(found)
    text, moment, applicant = agreement_texts.hold(session), now(session), offer.applicant
    earlier = session.scalar(
        select(func.count(Agreement.id)).join(Offer).where(Offer.applicant_id == applicant.id)
    )
    number = f"{round_.serial}-{applicant.number}-{(earlier or 0) + 1}"
    filled = terms(offer, number)
    made = Agreement(
        number=number, offer=offer, template=text, terms=filled, made_at=moment,
        digest=agreement_texts.digest(agreement_texts.filled(text.body, filled)),
        guardian_needed=application.is_minor(session, applicant), signatures=[],
        due_at=calendar.end_of(
            moment, policies.flow(round_, "days.agreement"), policies.flow(round_, "days.hour")
        ),
    )  # fmt: skip
    session.add(made)
    session.flush()
    _note(session, made, "make", actor, after={"digest": made.digest, "text": text.number,
                                               "offer": offer.key})  # fmt: skip
    outbox.put(session, applicant, "agreement_ready", number=number,
               due=made.due_at)  # fmt: skip
    return made


@dataclass
class Made:
    """What :func:`make_due` did: agreements made, and places of which none may be made."""

    made: list[Agreement] = field(default_factory=list)
    barred: list[tuple[Offer, tuple[Bar, ...]]] = field(default_factory=list)


def without(session: Session, round_: Round, **office: int) -> list[Offer]:
    """Places that are held for good and have no agreement: whoever waits for a better one signs later.

    ``office`` is ``college_id`` or ``enterprise_id``; default all.
    """
    final = ("accepted",) if round_.waiting_ended_at is None else HOLDING
    live = select(Agreement.offer_id).where(Agreement.state.in_(LIVE))
    query = (
        select(Offer)
        .join(Offer.program)
        .join(Program.order_class)
        .where(Offer.round_id == round_.id, Offer.state.in_(final), Offer.id.not_in(live))
        .options(
            contains_eager(Offer.program).options(
                contains_eager(Program.order_class).joinedload(OrderClass.college),
                joinedload(Program.enterprise),
                joinedload(Program.demand),
            ),
            joinedload(Offer.applicant).joinedload(Applicant.person),
        )
        .order_by(Offer.id)
    )
    return list(session.scalars(_of_office(query, office)))


def _of_office(query: Any, office: Mapping[str, int]) -> Any:
    if "college_id" in office:
        query = query.where(OrderClass.college_id == office["college_id"])
    if "enterprise_id" in office:
        query = query.where(Program.enterprise_id == office["enterprise_id"])
    return query


def make_due(session: Session, round_: Round, actor: Actor = SYSTEM, **office: int) -> Made:
    """Make the agreements that are missing in a round, at most :data:`MOST_MADE`, and tell which may
    not be made."""
    done, policy = Made(), policies.current(session, round_)
    for offer in without(session, round_, **office):
        if len(done.made) == MOST_MADE:
            break
        try:
            done.made.append(make(session, offer, actor, policy))
        except Barred as error:
            done.barred.append((offer, error.bars))
    return done


def make_when_held(session: Session, offer: Offer, actor: Actor) -> None:
    """Make the agreement of whoever accepts for good; what stands against it shows on the ledger."""
    with suppress(Barred, calendar.NoCalendar):
        make(session, offer, actor)


def make_rest(round_id: int, actor: Actor) -> int:
    """Make every agreement that is missing in a round, some hundred in each transaction.

    Returns
    -------
    int
        How many were made.
    """
    total = 0
    while True:
        with db.writing() as session:
            made = len(make_due(session, session.get_one(Round, round_id), actor).made)
        total += made
        if made < MOST_MADE:
            return total


# --- reading ----------------------------------------------------------------------------------


def text_of(agreement: Agreement) -> str:
    """The whole text as it is signed."""
    return agreement_texts.filled(agreement.template.body, agreement.terms)


def unaltered(agreement: Agreement) -> bool:
    """Whether the text still has the digest under which it is signed."""
    return agreement_texts.digest(text_of(agreement)) == agreement.digest


def parties(agreement: Agreement) -> list[str]:
    """Who must sign."""
    return [p for p in PARTIES if p != "guardian" or agreement.guardian_needed]


def missing(agreement: Agreement) -> list[str]:
    """Who has not signed yet."""
    signed = {s.party for s in agreement.signatures}
    return [p for p in parties(agreement) if p not in signed]


def standing(agreement: Agreement) -> str:
    """The state in words; while it is signed, with who is missing."""
    if agreement.state != "signing":
        return str(STATES[agreement.state])
    names = _("、").join(str(PARTIES[p]) for p in missing(agreement))
    return str(_("待签：%(parties)s", parties=names))


def ledger(round_: Round, state: str = "", **office: int) -> Any:
    """The query for the agreements of a round (台账), by class and application number.

    Parameters
    ----------
    state
        One of :data:`STATES`; or a party, for those that wait for its signature.
    office
        ``college_id`` or ``enterprise_id``; default all.
    """
    query = (
        select(Agreement)
        .join(Agreement.offer)
        .join(Offer.program)
        .join(Program.order_class)
        .join(Offer.applicant)
        .where(Offer.round_id == round_.id)
        .options(
            joinedload(Agreement.offer).options(
                joinedload(Offer.program).options(
                    joinedload(Program.enterprise),
                    joinedload(Program.order_class).joinedload(OrderClass.college),
                ),
                joinedload(Offer.applicant).joinedload(Applicant.person),
            ),
            selectinload(Agreement.signatures),
        )
        .order_by(OrderClass.code, Applicant.number, Agreement.id)
    )
    if state in PARTIES:
        signed = select(Signature.agreement_id).where(Signature.party == state)
        query = query.where(Agreement.state == "signing", Agreement.id.not_in(signed))
        if state == "guardian":
            query = query.where(Agreement.guardian_needed)
    elif state:
        query = query.where(Agreement.state == state)
    return _of_office(query, office)


# --- signing ----------------------------------------------------------------------------------


def _lock(session: Session, places: Any) -> None:
    """Lock places by id, in one order, and read them as they are now."""
    session.scalars(
        select(Offer)
        .where(Offer.id.in_(places))
        .order_by(Offer.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _locked(session: Session, wanted: Iterable[int]) -> list[Agreement]:
    """Agreements by id as they are now; their rounds must take signatures.

    The place is the lock of its agreement: whoever ends a place takes that row first, too, and all
    are taken before anything is recorded, so that two batches cannot block each other.
    """
    ids = list(wanted)
    places = select(Agreement.offer_id).where(Agreement.id.in_(ids))
    _lock(session, places)
    found = session.scalars(
        select(Agreement)
        .where(Agreement.id.in_(ids))
        .order_by(Agreement.id)
        .options(selectinload(Agreement.signatures))
        .execution_options(populate_existing=True)
    ).all()
    for round_id in sorted({one.offer.round_id for one in found}):
        stages.hold(session, round_id, "agreement")
    return list(found)


def sign(
    session: Session, agreement: Agreement, party: str, name: str, digest: str, actor: Actor
) -> None:
    """Sign for oneself, or for one's office, the text that has that digest.

    Raises
    ------
    stages.NotNow, posting.Refused
        See there; nothing is stored.
    """
    if actor.role != {"student": "applicant"}.get(party, party):
        raise Refused({"": [_("不能替别人签。")]})
    (held,) = _locked(session, [agreement.id])
    _put(session, held, party, name, "page", digest, actor)


def sign_many(
    session: Session, wanted: Mapping[int, str], party: str, name: str, actor: Actor
) -> tuple[int, int]:
    """Sign a batch for an office: agreement (by id) → the digest that was shown.

    Returns
    -------
    (int, int)
        How many were signed, and how many were left as they cannot be signed (any more).
    """
    if actor.role != party:
        raise Refused({"": [_("不能替别人签。")]})
    signed = 0
    for held in _locked(session, wanted):
        if not _refusal(held, party, wanted[held.id], now(session)):
            _put(session, held, party, name, "page", wanted[held.id], actor)
            signed += 1
    return signed, len(wanted) - signed


def sign_by_code(
    session: Session, agreement: Agreement, name: str, code: str, digest: str, actor: Actor
) -> None:
    """The guardian signs on the student's page with the code that was handed to her on paper."""
    (held,) = _locked(session, [agreement.id])
    person = held.offer.applicant.person
    if actor.role != "applicant" or not slips.fitting(session, person, code, ("guardian",)):
        raise Refused({"code": [_("监护人码不对。补办请到柜台。")]})
    _put(session, held, "guardian", name, "code", digest, actor)


def sign_on_paper(
    session: Session, agreement: Agreement, party: str, name: str, paper: str, actor: Actor
) -> None:
    """Record that the student or her guardian signed on paper, at a counter that saw it."""
    if party not in ("student", "guardian") or actor.role not in COUNTER:
        raise Refused({"": [_("柜台只登记学生和监护人的纸质签名。")]})
    if not name or not paper:
        raise Refused({"": [_("请填签名人和纸质文本的编号。")]})
    (held,) = _locked(session, [agreement.id])
    _put(session, held, party, name, f"paper:{paper}", held.digest, actor)


def _refusal(agreement: Agreement, party: str, digest: str, moment: datetime) -> str:
    """Why a party cannot sign; blank if it can."""
    if agreement.state != "signing":
        return str(_("协议现在是“%(state)s”，不能再签。", state=STATES[agreement.state]))
    if moment >= agreement.due_at:
        return str(_("签署期限已过。"))
    if agreement.digest != digest or not unaltered(agreement):
        return str(_("文本和您看到的不一样，请重新阅读。"))
    if any(s.party == party for s in agreement.signatures):
        return str(_("已经签过了。"))
    return ""


def _put(
    session: Session, held: Agreement, party: str, name: str, how: str, digest: str, actor: Actor
) -> None:
    moment, applicant = now(session), held.offer.applicant
    if why := _refusal(held, party, digest, moment):
        raise Refused({"": [why]})
    if party == "student":  # her age on the day on which she signs decides
        held.guardian_needed = application.is_minor(session, applicant)
    if party not in parties(held):
        raise Refused({"": [_("已满 18 周岁，不用监护人签。")]})
    held.signatures.append(
        Signature(party=party, name=name, how=how, digest=digest, by=actor.name, at=moment)
    )
    held.version += 1
    session.flush()
    _note(session, held, "sign", actor, after={"party": party, "how": how, "digest": digest})
    if not missing(held):
        held.state, held.effective_at = "effective", moment
        _note(session, held, "effective", actor)
        outbox.put(session, applicant, "agreement_effective", number=held.number)


def record_paper(session: Session, agreement: Agreement, number: str, actor: Actor) -> None:
    """Record under which number the signed and stamped paper is filed."""
    if not number:
        raise Refused({"paper": [_("请填纸质文本的编号。")]})
    if actor.role not in COUNTER:
        raise Refused({"": [_("由院校或协调员归档。")]})
    (held,) = _locked(session, [agreement.id])
    if held.state != "effective":
        raise Refused({"": [_("各方都签后才能归档纸质文本。")]})
    before = held.paper
    held.paper, held.paper_by, held.paper_at = number, actor.name, now(session)
    held.version += 1
    _note(session, held, "paper", actor, before={"paper": before}, after={"paper": number})


# --- changing and ending ----------------------------------------------------------------------


def ask(
    session: Session, agreement: Agreement, kind: str, reason: str, version: int, actor: Actor
) -> None:
    """Ask for an agreement to be changed (made anew, every signature void) or ended; nothing happens
    before a second person confirms."""
    (held,) = _locked(session, [agreement.id])
    if held.version != version:
        raise Stale(held.version, {})
    if kind not in ASKS or held.state not in LIVE:
        raise Refused({"": [_("协议现在是“%(state)s”，不能变更。", state=STATES[held.state])]})
    if not reason:
        raise Refused({"reason": [_("请写明原因，以备查。")]})
    if held.asked:
        raise Refused({"": [_("已有一个变更等人确认。")]})
    held.asked, held.asked_reason = kind, reason
    held.asked_by, held.asked_at = actor.name, now(session)
    held.version += 1
    _note(session, held, f"ask_{kind}", actor, reason=reason)


def drop(session: Session, agreement: Agreement, actor: Actor) -> None:
    """Take a request back; the agreement stays as it is."""
    (held,) = _locked(session, [agreement.id])
    if not held.asked:
        raise Refused({"": [_("没有等待确认的变更。")]})
    _note(session, held, "drop", actor, before={"asked": held.asked, "by": held.asked_by})
    held.asked = ""
    held.version += 1


def confirm(session: Session, agreement: Agreement, actor: Actor) -> Agreement | None:
    """Confirm another person's request: the agreement and its signatures are void.

    Returns
    -------
    Agreement or None
        The one made anew, if a change was asked for and nothing stands against it.
    """
    (held,) = _locked(session, [agreement.id])
    if not held.asked or held.state not in LIVE:
        raise Refused({"": [_("没有等待确认的变更。")]})
    if held.asked_by == actor.name or actor.role not in COUNTER:
        raise reviewing.SecondPerson(_("须由院校或协调员的另一人确认。"))
    kind, reason, offer = held.asked, held.asked_reason, held.offer
    _end(session, held, "voided", actor, reason)
    if kind == "end":
        offers.settle(session, offer, "left", actor, reason)
        return None
    try:
        return make(session, offer, actor)
    except Barred:
        return None  # the ledger says what stands against it


def _end(session: Session, held: Agreement, state: str, actor: Actor, reason: str) -> None:
    held.state, held.ended_at, held.reason = state, now(session), reason
    held.version += 1
    session.flush()
    _note(session, held, state, actor, reason=reason)


def _void_with_offer(session: Session, offer: Offer, actor: Actor) -> None:
    """A place that is given up takes its agreement with it."""
    if (held := live_of(session, offer)) is not None:
        _end(session, held, "voided", actor, "")


offers.ENDED.append(_void_with_offer)


# --- deadlines --------------------------------------------------------------------------------


def _due(moment: datetime) -> Any:
    """Agreements that wait for the clock: past their deadline, or so near that somebody is reminded."""
    try:
        soon = calendar.end_of(moment, REMIND_DAYS)
    except calendar.NoCalendar:  # deadlines stand as instants; only nobody is reminded
        soon = moment
    return (
        select(Agreement)
        .join(Offer)
        .join(Round)
        .where(
            Agreement.state == "signing",
            Round.state.in_(stages.WRITABLE["agreement"]),
            or_(
                Agreement.due_at <= moment,
                (Agreement.due_at <= soon) & Agreement.reminded_at.is_(None),
            ),
        )
        .order_by(Agreement.id)
    )


def settle_due() -> list[str]:
    """Do what the clock asks; takes the write lock only where something is due."""
    session = db.reading()
    if session.scalar(select(Agreement.id).where(Agreement.state == "signing").limit(1)) is None:
        return []
    if session.scalar(_due(db.now(session)).limit(1)) is None:
        return []
    with db.writing() as writing:
        return settle(writing)


jobs.DUE.append(settle_due)


def settle(session: Session) -> list[str]:
    """Remind, and end what was not signed in time, its place with it; returns what was done."""
    moment, done = now(session), []
    wanted = [one.id for one in session.scalars(_due(moment))]
    for held in _locked(session, wanted):
        if held.state != "signing":
            continue
        applicant = held.offer.applicant
        if held.due_at > moment:
            held.reminded_at = moment
            if {"student", "guardian"} & set(missing(held)):
                outbox.put(session, applicant, "agreement_reminder", number=held.number,
                           due=held.due_at)  # fmt: skip
            _note(session, held, "remind", SYSTEM)
            done.append(f"{held.number} remind")
        else:
            lacking = _("、").join(str(PARTIES[p]) for p in missing(held))
            reason = _("到期未签：%(parties)s", parties=lacking)
            _end(session, held, "lapsed", SYSTEM, reason)
            if held.offer.state in HOLDING:
                offers.settle(session, held.offer, "lapsed", SYSTEM, reason)
            outbox.put(session, applicant, "agreement_lapsed", number=held.number)
            done.append(f"{held.number} lapse")
    return done


def _note(
    session: Session, held: Agreement, what: str, actor: Actor, reason: str = "", **parts: Any
) -> None:
    record(
        session, actor, f"agreement.{what}", f"agreement/{held.number}",
        round_id=held.offer.round_id, reason=reason, **parts,
    )  # fmt: skip
