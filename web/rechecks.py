"""Rechecks (复核): a ticket, its answer by two people, and what follows where it is upheld.

What was found wrong is typed on the ticket as a correction; the rows stay as they were frozen.  A run of
the snapshot with that correction, and with all upheld before it, shows what would follow before anybody
agrees.  Upheld in the notice period, the corrected result is published as a successor; upheld later,
nobody moves, and she is offered an extra seat or stands first on the waiting list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import false, func, select
from sqlalchemy.orm import Session, joinedload

from . import (
    calendar,
    codes,
    jobs,
    minimums,
    offers,
    outbox,
    policies,
    publication,
    reviewing,
    rounds,
    scoring,
    stages,
)
from .audit import Actor, record
from .corrections import PASSED
from .db import now
from .models import (
    Applicant,
    College,
    OrderClass,
    Placement,
    Program,
    Publication,
    Recheck,
    Round,
    Run,
    Score,
    User,
)
from .posting import Refused, Stale

MATTERS = {
    "score": _l("成绩"),
    "group": _l("人员类别"),
    "rule": _l("报考条件或录取规则"),
    "human": _l("请人再看一遍（人工复核）"),
    "other": _l("其他"),
}
STATES = {
    "open": _l("办理中"),
    "proposed": _l("已拟答复，待第二人确认"),
    "upheld": _l("复核成立"),
    "refused": _l("维持原结果"),
    "withdrawn": _l("已撤回"),
}
VERDICTS = {"upheld": _l("复核成立"), "refused": _l("维持原结果")}
REMEDIES = {
    "none": _l("不影响录取"),
    "successor": _l("重新计算，另发更正公示"),
    "seat": _l("增加一个席位"),
    "first": _l("递补排第一位"),
}
OPEN = ("open", "proposed")
MOST_WORDS = 1000
GROUP_ANSWERS = ("verified", "refused")


class Outdated(ValueError):
    """The run on the ticket does not show what would follow now: not done, or others were upheld since."""


# --- reading ----------------------------------------------------------------------------------


def unanswered(session: Session, round_: Round) -> int:
    """How many tickets keep a round in its notice period."""
    return rounds.rechecks_open(session, round_)


def of_applicant(session: Session, applicant: Applicant) -> Sequence[Recheck]:
    """Her tickets, the last first."""
    return session.scalars(
        select(Recheck).where(Recheck.applicant_id == applicant.id).order_by(Recheck.id.desc())
    ).all()


def seen_by(user: User) -> list[Any]:
    """What holds of the tickets, and of their applicants, that somebody may see: her own; a coordinator
    all, a college those about scores that it entered, a district those about groups of its people."""
    if user.role == "coordinator":
        return []
    if user.role == "applicant":
        return [Applicant.person_id == (user.person_id or 0)]
    if user.role == "college":
        entered = (
            select(Score.applicant_id)
            .join(College, College.code == Score.office)
            .where(College.id == (user.college_id or 0))
        )
        return [Recheck.matter == "score", Applicant.id.in_(entered)]
    if user.role == "district" and user.district:
        lives = user.district == Applicant.district
        return [Recheck.matter == "group", lives | (user.district == Applicant.household_district)]
    return [false()]


def of_office(session: Session, round_: Round, user: User) -> Sequence[Recheck]:
    """The tickets that somebody of an office may see: open ones first, by when the reply is due."""
    held = session.scalars(
        select(Recheck)
        .join(Applicant)
        .where(Recheck.round_id == round_.id, *seen_by(user))
        .options(joinedload(Recheck.applicant).joinedload(Applicant.person))
        .order_by(Recheck.due_at, Recheck.id)
    ).all()
    return sorted(held, key=lambda ticket: ticket.state not in OPEN)


def may_ask(session: Session, round_: Round, role: str, matter: str = "") -> bool:
    """Whether a ticket may be opened: by her in the notice period; at a counter until confirming begins;
    by a coordinator, for what arrived in time and was mislaid, until the round ends.

    That a person looks at what the system decided (``human``) may be asked for until the round ends: the
    waiting list and the deadlines decide, too.
    """
    if role == "coordinator":
        return round_.state in ("PUBLISHED", "CONFIRMING")
    if round_.state == "CONFIRMING":
        return matter == "human"
    in_time = round_.notice_ends_at is not None and now(session) < round_.notice_ends_at
    return round_.state == "PUBLISHED" and (in_time or role != "applicant")


def corrected_of(session: Session, placement: Placement | None) -> Placement | None:
    """Her line before the last correction, where a successor gave her another place."""
    if placement is None or placement.publication.parent_id is None:
        return None
    before = session.scalar(
        select(Placement).where(
            Placement.publication_id == placement.publication.parent_id,
            Placement.applicant_id == placement.applicant_id,
        )
    )
    return before if before is not None and before.program_id != placement.program_id else None


# --- opening and withdrawing ------------------------------------------------------------------


def open_(session: Session, applicant: Applicant, matter: str, words: str, actor: Actor) -> Recheck:
    """Open a ticket; the reply is due so many working days later.

    Raises
    ------
    stages.NotNow, posting.Refused
        If the period is over, or a field is wrong.
    """
    round_ = stages.hold(session, applicant.round_id, "recheck")
    session.refresh(round_, with_for_update=True)  # numbers follow one another
    if not may_ask(session, round_, actor.role, matter):
        raise stages.NotNow(_("公示期已过，不能再申请复核。"))
    problems, said = {}, words.strip()
    if matter not in MATTERS:
        problems["matter"] = [_("请选一项。")]
    if not said:
        problems["words"] = [_("请写明您的疑问。")]
    elif len(said) > MOST_WORDS:
        problems["words"] = [_("最多 %(n)s 字。", n=MOST_WORDS)]
    if applicant.state in ("draft", "withdrawn"):
        problems[""] = [_("没有参加本轮录取，不能申请复核。")]
    if any(t.matter == matter and t.state in OPEN for t in of_applicant(session, applicant)):
        problems["matter"] = [_("这一项已有一件在办。")]
    if problems:
        raise Refused(problems)
    moment = now(session)
    count = session.scalar(select(func.count(Recheck.id)).where(Recheck.round_id == round_.id)) or 0
    days, hour = (policies.flow(round_, key) for key in ("days.appeal_reply", "days.hour"))
    made = Recheck(
        number=f"F{round_.serial}-{count + 1:04}", round_id=round_.id, applicant_id=applicant.id,
        matter=matter, words=said, opened_at=moment, opened_by=actor.name,
        due_at=calendar.end_of(moment, days, hour),
    )  # fmt: skip
    session.add(made)
    session.flush()
    _note(session, made, actor, "open", {"matter": matter, "due_at": made.due_at})
    outbox.put(
        session, applicant, "recheck_received",
        number=made.number, due=f"{calendar.local(made.due_at):%Y-%m-%d %H:%M}",
    )  # fmt: skip
    return made


def withdraw(session: Session, ticket: Recheck, actor: Actor) -> None:
    """Take a ticket back before it is answered; the row stays.

    Raises
    ------
    stages.NotNow, posting.Stale
        If it has been answered.
    """
    hold(session, ticket, OPEN)
    change(session, ticket, actor, "withdraw", state="withdrawn")


# --- corrections ------------------------------------------------------------------------------


def score_targets(session: Session, ticket: Recheck) -> list[scoring.Target]:
    """Where her scores may be corrected: the channels and programs of her list, and where she has any."""
    mine = session.scalars(select(Score).where(Score.applicant_id == ticket.applicant_id)).all()
    listed = reviewing.listed(
        session, ticket.round_id,
        session.scalars(
            select(Program.id).join(OrderClass).where(OrderClass.round_id == ticket.round_id)
        ),
    ).get(ticket.applicant_id, [])  # fmt: skip
    programs = {p.id: p for p in (*listed, *(s.program for s in mine if s.program))}
    channels = {p.channel for p in programs.values() if p.channel}
    channels |= {s.channel for s in mine if s.program is None}
    policy = policies.current(session, ticket.round)
    found = [scoring.Target(c) for c in sorted(channels)]
    found += [scoring.Target(p.channel, p) for p in programs.values()]
    return [target for target in found if target.components(policy)]


def score_correction(
    session: Session, ticket: Recheck, place: str, text: str, office: str = ""
) -> dict[str, Any]:
    """The correction of one component of a score, at ``TARGET/COMPONENT``, as it was typed.

    Raises
    ------
    posting.Refused
        If there is no such place, or the value is none; for an office, if another entered it.
    """
    name, _slash, part = place.partition("/")
    policy = policies.current(session, ticket.round)
    target = next((t for t in score_targets(session, ticket) if t.name == name), None)
    if target is None or part not in target.components(policy):
        raise Refused({"place": [_("请从列表中选。")]})
    held = scoring.scores(session, target, [ticket.applicant_id]).get(ticket.applicant_id)
    if office and (held is None or held.office != office):
        raise Refused({"place": [_("这项成绩不是本单位录入的。")]})
    try:
        after = scoring.component(text, policy)
    except ValueError as error:
        raise Refused({"value": [str(error)]}) from None
    before = getattr(held, part) if held is not None else ""
    if not after or after == before:
        raise Refused({"value": [_("请填与原来不同的成绩。")]})
    at = {"program": name, "channel": ""} if target.program else {"program": "", "channel": name}
    return {"kind": "score", **at, "component": part, "before": before, "after": after}


def group_correction(ticket: Recheck, group: str, answer: str) -> dict[str, Any]:
    """The correction of whether she belongs to a group.

    Raises
    ------
    posting.Refused
        If it says what has counted anyway.
    """
    if group not in codes.GROUPS or answer not in GROUP_ANSWERS:
        raise Refused({"group": [_("请从列表中选。")]})
    counted = {m.group for m in ticket.applicant.groups if m.state != "refused"}
    if (group in counted) == (answer == "verified"):
        raise Refused({"group": [_("这与锁定时的结论相同。")]})
    return {"kind": "group", "group": group, "after": answer}


def review_correction(ticket: Recheck, conclusion: str) -> dict[str, Any]:
    """The correction of the review's conclusion: ``passed``, or the code of why not.

    Raises
    ------
    posting.Refused
        If it says what has counted anyway.
    """
    if conclusion != PASSED and conclusion not in codes.REVIEWS:
        raise Refused({"conclusion": [_("请从列表中选。")]})
    if (conclusion == PASSED) == (ticket.applicant.state == "passed"):
        raise Refused({"conclusion": [_("这与锁定时的结论相同。")]})
    return {"kind": "review", "after": conclusion}


def correct(
    session: Session, ticket: Recheck, correction: Mapping[str, Any], actor: Actor
) -> Run | None:
    """Type what is wrong on the ticket, and ask what would follow; an empty correction takes it back.

    Raises
    ------
    stages.NotNow, posting.Stale
        If the ticket is not being worked on.
    """
    hold(session, ticket, ("open",))
    person, applicant = ticket.applicant.person, ticket.applicant
    whole = {
        **correction, "ticket": ticket.number, "applicant": person.pseudonym, "by": actor.name,
    } if correction else {}  # fmt: skip
    before = ticket.correction
    change(session, ticket, actor, "correct", correction=whole, run_id=None,
            seen={"before": before, "after": whole, "applicant": applicant.number})  # fmt: skip
    return look(session, ticket, actor) if whole else None


def look(session: Session, ticket: Recheck, actor: Actor) -> Run:
    """Ask for a run that shows what would follow from the correction now.

    Raises
    ------
    stages.NotNow, posting.Stale
        If the ticket is answered, or the round is over.
    """
    round_ = hold(session, ticket, OPEN)
    run = jobs.queue(
        session, round_, "recheck", round_.policy.toml if round_.policy else "",
        f"{_('复核')} {ticket.number}", actor, together(session, ticket),
    )  # fmt: skip
    ticket.run_id = run.id
    session.flush()
    return run


def upheld(session: Session, round_: Round) -> list[dict[str, Any]]:
    """The corrections that have been upheld in the notice period, in their order."""
    tickets = session.scalars(
        select(Recheck)
        .where(
            Recheck.round_id == round_.id,
            Recheck.state == "upheld",
            Recheck.remedy == "successor",
        )
        .order_by(Recheck.confirmed_at, Recheck.id)
    )
    return [_plain(ticket) for ticket in tickets]


def together(session: Session, ticket: Recheck) -> list[dict[str, Any]]:
    """What a run for a ticket corrects: all that was upheld before, then what the ticket says.

    Once confirming has begun she is placed as if classes that have ended since were not on her list: the
    next best place that she would have had.
    """
    hers = _plain(ticket)
    if ticket.round.state == "CONFIRMING":
        without = sorted(
            {*hers.get("without", ()), *minimums.ended_classes(session, ticket.round_id)}
        )
        hers |= {"without": without} if without else {}
    return [*upheld(session, ticket.round), hers]


def _plain(ticket: Recheck) -> dict[str, Any]:
    return {name: value for name, value in ticket.correction.items() if name != "by"}


def is_current(session: Session, ticket: Recheck) -> bool:
    """Whether the ticket's run shows what would follow now, verified and fit to be published."""
    run = ticket.run
    return (
        run is not None
        and run.state == "VERIFIED"
        and bool(run.summary.get("publishable"))
        and run.corrections == together(session, ticket)
    )


# --- answering --------------------------------------------------------------------------------


def entitled(session: Session, ticket: Recheck) -> tuple[Program, int] | None:
    """Where the corrected round would have placed her, if that is better than what was published."""
    named = ticket.run.summary.get("named", {}) if ticket.run else {}
    code, rank = named.get(ticket.applicant.person.pseudonym, ("", None))
    program = session.scalar(
        select(Program)
        .join(OrderClass)
        .where(OrderClass.round_id == ticket.round_id, Program.code == code)
    )
    held = publication.placement_of(session, ticket.applicant)
    if program is None or rank is None:
        return None
    if held is not None and held.rank is not None and _order(held.rank) <= _order(rank):
        return None
    live = (o for o in offers.of_applicant(session, ticket.applicant) if o.state in offers.LIVE)
    if any(_order(offer.rank) <= _order(rank) for offer in live):  # called there since
        return None
    return program, rank


def _order(rank: int) -> tuple[bool, int]:
    return rank == 0, rank


def remedies_of(round_: Round) -> tuple[str, ...]:
    """What may be done for her once nobody moves: on no list that has ended anybody is first."""
    return ("seat", "first") if round_.waiting_ended_at is None else ("seat",)


def answer(
    session: Session, ticket: Recheck, verdict: str, words: str, actor: Actor,
    remedy: str = "", seen: int | None = None,
) -> None:  # fmt: skip
    """Propose an answer; it is given once a coordinator other than the proposer confirms it.

    Parameters
    ----------
    remedy
        Once confirming has begun, and only where she would have been placed better: ``seat`` or
        ``first``.

    Raises
    ------
    stages.NotNow, posting.Stale, posting.Refused
        If the ticket is not open, or a field is wrong.
    Outdated
        If it is upheld with a correction of which nobody has seen what follows.
    """
    round_ = hold(session, ticket, ("open",), seen)
    problems, said = {}, words.strip()
    if verdict not in VERDICTS:
        problems["verdict"] = [_("请选一个结论。")]
    if not said:
        problems["words"] = [_("请写明理由，申请人会看到。")]
    elif len(said) > MOST_WORDS:
        problems["words"] = [_("最多 %(n)s 字。", n=MOST_WORDS)]
    chosen, place = "none", None
    if verdict == "upheld" and ticket.correction:
        if not is_current(session, ticket):
            raise Outdated
        if round_.state == "PUBLISHED":
            chosen = "successor"
        elif (place := entitled(session, ticket)) is not None:
            chosen = remedy
            if remedy not in remedies_of(round_):
                problems["remedy"] = [_("请选补救办法：增加席位，或递补排第一位。")]
                if round_.waiting_ended_at is not None:
                    problems["remedy"] = [_("递补已结束，只能增加席位。")]
    if problems:
        raise Refused(problems)
    change(
        session, ticket, actor, "answer", state="proposed", verdict=verdict, answer=said,
        answered_by=actor.name, answered_at=now(session), remedy=chosen,
        program_id=place[0].id if place else None, rank=place[1] if place else None,
        seen={"after": {"verdict": verdict, "remedy": chosen}},
    )  # fmt: skip


def send_back(session: Session, ticket: Recheck, actor: Actor, reason: str) -> None:
    """The second person does not agree: the ticket is open again, and the record says why.

    Raises
    ------
    stages.NotNow, posting.Stale, posting.Refused
        If no answer waits, or no reason is given.
    """
    hold(session, ticket, ("proposed",))
    if not reason.strip():
        raise Refused({"reason": [_("请写明原因。")]})
    change(session, ticket, actor, "send_back", state="open", remedy="",
            seen={"reason": reason.strip()})  # fmt: skip


def confirm(session: Session, ticket: Recheck, actor: Actor, seen: int | None = None) -> None:
    """A second coordinator agrees with the proposed answer: it is given, and she is told.

    Raises
    ------
    stages.NotNow, posting.Stale
        If no answer waits, or it is not the one that was shown.
    reviewing.SecondPerson
        If the same person typed the correction or the answer, or it is no coordinator.
    Outdated
        If others were upheld since, so that something else would follow now; or the round has begun
        to confirm, so that nobody moves any more.
    """
    round_ = hold(session, ticket, ("proposed",), seen)
    if actor.role != "coordinator" or actor.name in (
        ticket.answered_by, ticket.correction.get("by"),
    ):  # fmt: skip
        raise reviewing.SecondPerson(_("复核答复要由另一位协调员确认。"))
    if ticket.verdict == "upheld" and ticket.correction:
        moves = round_.state == "PUBLISHED"
        late = ticket.remedy == "first" and round_.waiting_ended_at is not None
        if not is_current(session, ticket) or moves != (ticket.remedy == "successor") or late:
            raise Outdated
    change(
        session, ticket, actor, "confirm", state=ticket.verdict, confirmed_by=actor.name,
        confirmed_at=now(session), seen={"after": {"state": ticket.verdict, "remedy": ticket.remedy}},
    )  # fmt: skip
    outbox.put(
        session, ticket.applicant, "recheck_answered", number=ticket.number, verdict=ticket.verdict
    )


def run_all(session: Session, round_: Round, actor: Actor) -> Run:
    """Ask for the run of everything upheld by now, where the last ticket's own run is not that.

    Raises
    ------
    jobs.NotAllowed
        If the round takes no such run.
    """
    toml = round_.policy.toml if round_.policy else ""
    return jobs.queue(
        session, round_, "recheck", toml, _("复核更正"), actor, upheld(session, round_)
    )


def successor_run(session: Session, round_: Round) -> Run | None:
    """The last live or verified run of exactly what has been upheld, while that is not published."""
    run = run_together(session, round_)
    return run if run is not None and run.state in (*jobs.LIVE, "VERIFIED") else None


def run_together(session: Session, round_: Round) -> Run | None:
    """The same, or where there is none the last one that came to nothing."""
    wanted = upheld(session, round_)
    published = publication.publication_of(session, round_)
    if published is None or not wanted or published.run.corrections == wanted:
        return None
    runs = session.scalars(
        select(Run).where(
            Run.round_id == round_.id, Run.kind == "recheck", Run.state != "CANCELLED"
        )
    )
    same = [run for run in runs if run.corrections == wanted]
    return max(same, key=lambda run: (run.state in (*jobs.LIVE, "VERIFIED"), run.id), default=None)


def unpublished(session: Session, round_: Round) -> Sequence[Recheck]:
    """Upheld tickets that wait for a successor."""
    return session.scalars(
        select(Recheck).where(
            Recheck.round_id == round_.id,
            Recheck.state == "upheld",
            Recheck.remedy == "successor",
            Recheck.publication_id.is_(None),
        )
    ).all()


# --- what follows -----------------------------------------------------------------------------


def _followed(session: Session, made: Publication, actor: Actor) -> None:
    """A successor is public: its tickets name it, and everybody who moves is told.

    Raises
    ------
    Outdated
        If another ticket was upheld since it was approved.
    """
    if made.run.corrections != upheld(session, made.round):
        raise Outdated
    for ticket in unpublished(session, made.round):
        ticket.publication_id = made.id
    for applicant in moved(session, made):
        outbox.put(session, applicant, "result_corrected", round=made.round.title)


publication.FOLLOWED.append(_followed)


def moved(session: Session, made: Publication) -> Iterable[Applicant]:
    """Everybody whom a successor places elsewhere than its parent did."""
    places: list[dict[int, int | None]] = [
        dict(
            session.execute(
                select(Placement.applicant_id, Placement.program_id).where(
                    Placement.publication_id == at
                )
            ).all()
        )
        for at in (made.parent_id, made.id)
    ]
    before, after = places
    ids = [who for who in before | after if before.get(who) != after.get(who)]
    return session.scalars(
        select(Applicant).where(Applicant.id.in_(ids)).order_by(Applicant.number)
    )


# --- one change -------------------------------------------------------------------------------


def hold(
    session: Session, ticket: Recheck, states: Sequence[str], seen: int | None = None
) -> Round:
    """The ticket's round, both held while it is changed."""
    round_ = stages.hold(session, ticket.round_id, "recheck")
    session.refresh(ticket, with_for_update=True)
    if ticket.state not in states or (seen is not None and seen != ticket.version):
        raise Stale(ticket.version, {"state": str(STATES[ticket.state])})
    return round_


def change(
    session: Session, ticket: Recheck, actor: Actor, action: str,
    seen: Mapping[str, Any] | None = None, **values: Any,
) -> None:  # fmt: skip
    """Set columns of a held ticket, and record it."""
    state = ticket.state
    for name, value in values.items():
        setattr(ticket, name, value)
    ticket.version += 1
    session.flush()
    told = dict(seen or {})
    reason = str(told.pop("reason", ""))
    after = told.pop("after", None) or {"state": ticket.state}
    _note(session, ticket, actor, action, {**after, **told}, {"state": state}, reason)


def _note(
    session: Session, ticket: Recheck, actor: Actor, action: str, after: Mapping[str, Any],
    before: Mapping[str, Any] | None = None, reason: str = "",
) -> None:  # fmt: skip
    record(
        session, actor, f"recheck.{action}", f"recheck/{ticket.number}",
        round_id=ticket.round_id, before=before, after=after, reason=reason,
    )  # fmt: skip


def office_code(session: Session, user: User) -> str:
    """The code of a college's user, whose own scores she may correct; blank for others."""
    held = session.get(College, user.college_id) if user.role == "college" else None
    return held.code if held else ""
