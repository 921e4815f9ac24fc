"""What offices decide about applicants: eligibility, and the groups that they claim.

Whoever enters something does not confirm it.  The second person is of the same office; where the
office has one person only, a coordinator stands in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from . import choices, codes, stages
from .audit import Actor, record
from .db import now
from .models import (
    Applicant,
    ChoiceList,
    College,
    Enterprise,
    Membership,
    OrderClass,
    Program,
    Review,
    User,
)
from .posting import Problems, Refused, Stale

CONCLUSIONS = {
    "passed": lazy_gettext("通过"),
    "correct": lazy_gettext("补正"),
    "failed": lazy_gettext("不通过"),
}
STATES_AFTER = {"passed": "passed", "correct": "returned", "failed": "failed"}
MATTER = "all"
"""What offices conclude is the whole application, not one matter of it."""

MATTERS = {MATTER: lazy_gettext("资格审核")}

LIVE = ("submitted", "returned", "passed")
"""Applications that may still be placed."""


# --- the second person ------------------------------------------------------------------------


class SecondPerson(ValueError):
    """Another person has to do this; the text says who."""


def second_person(session: Session, first: str, actor: Actor, office: str) -> None:
    """Refuse unless ``actor`` may confirm what ``first`` entered for an office.

    Raises
    ------
    SecondPerson
        If it is the same person, or a coordinator where the office has two people of its own.
    """
    if actor.name == first:
        raise SecondPerson(_("录入的人不能自己确认，请本单位另一人确认；只有一人时请协调员确认。"))
    if actor.role == "coordinator" and office and people(session, office) > 1:
        raise SecondPerson(_("这个单位有两人以上，请由单位自己的人确认。"))


def people(session: Session, office: str) -> int:
    """How many people act for a college, an enterprise or a district, by its code."""
    of_office = (
        (User.district == office)
        | User.college.has(College.code == office)
        | User.enterprise.has(Enterprise.code == office)
    )
    query = select(func.count()).select_from(User).where(User.active, of_office)
    return session.scalar(query) or 0


# --- who lists what ---------------------------------------------------------------------------


def listed(session: Session, round_id: int, wanted: Iterable[int]) -> dict[int, list[Program]]:
    """Applicant → those of the wanted programs (by id) that her submitted list names, in its order."""
    ids = set(wanted)
    named = {
        code: here
        for code, programs in choices.plan(session, round_id).items()
        if (here := [p for p in programs if p.id in ids])
    }
    last = (
        select(ChoiceList.applicant_id, func.max(ChoiceList.number).label("number"))
        .join(Applicant)
        .where(Applicant.round_id == round_id, ChoiceList.number > choices.DRAFT)
        .group_by(ChoiceList.applicant_id)
        .subquery()
    )
    lists = session.execute(
        select(ChoiceList.applicant_id, ChoiceList.choices).join(
            last,
            (ChoiceList.applicant_id == last.c.applicant_id) & (ChoiceList.number == last.c.number),
        )
    )
    found: dict[int, list[Program]] = {}
    for who, codes_ in lists:
        programs = list(dict.fromkeys(p for code in codes_ for p in named.get(code, ())))
        if programs:
            found[who] = programs
    return found


def states(
    session: Session, round_id: int, ids: Iterable[int], among: Sequence[str] = LIVE
) -> dict[int, str]:
    """Applicant → state of these, as far as they are in one of those states, by number."""
    wanted = set(ids)
    rows = session.execute(
        select(Applicant.id, Applicant.state)
        .where(Applicant.round_id == round_id, Applicant.state.in_(among))
        .order_by(Applicant.number)
    )
    return {one: state for one, state in rows if one in wanted}


def applicants(session: Session, ids: Iterable[int]) -> list[Applicant]:
    """The applicants of a page with their names and groups, by number."""
    rows = session.scalars(
        select(Applicant)
        .where(Applicant.id.in_(list(ids)))
        .options(joinedload(Applicant.person), selectinload(Applicant.groups))
        .order_by(Applicant.number)
    )
    return list(rows)


def programs_of(session: Session, round_id: int, **office: int) -> list[Program]:
    """The programs of a round, of ``college_id`` or ``enterprise_id`` only, by code."""
    query = select(Program).join(OrderClass).where(OrderClass.round_id == round_id)
    if "college_id" in office:
        query = query.where(OrderClass.college_id == office["college_id"])
    if "enterprise_id" in office:
        query = query.where(Program.enterprise_id == office["enterprise_id"])
    return list(session.scalars(query.order_by(Program.code)))


# --- eligibility ------------------------------------------------------------------------------


def last_review(session: Session, applicant: Applicant) -> Review | None:
    """The conclusion entered last, whether it holds or waits for a second person."""
    return session.scalar(
        select(Review)
        .where(Review.applicant_id == applicant.id)
        .order_by(Review.id.desc())
        .limit(1)
    )


def pending(held: Review | None) -> bool:
    """Whether a correction waits for a second person."""
    return held is not None and held.corrects and held.confirmed_at is None


def review(
    session: Session,
    applicant: Applicant,
    conclusion: str,
    code: str,
    reason: str,
    office: str,
    actor: Actor,
    version: int,
) -> Review:
    """Conclude an eligibility review; what changes an earlier conclusion waits for a second person.

    Raises
    ------
    stages.NotNow, Refused, Stale
        If the round, the form, or somebody else's conclusion stands against it.
    """
    round_ = stages.hold(session, applicant.round_id, "review")
    session.refresh(applicant, with_for_update=True)
    held = last_review(session, applicant)
    if applicant.version != version:
        stored = {
            "conclusion": held.conclusion if held else "",
            "reason": held.reason if held else "",
        }
        raise Stale(applicant.version, stored)
    problems: Problems = {}
    if applicant.state in ("draft", "withdrawn"):
        problems[""] = [_("申请人没有提交报名，或已撤回，不用审核。")]
    if conclusion == "failed" and code not in codes.REVIEWS:
        problems["code"] = [_("请选不通过的原因。")]
    corrects = applicant.state in ("passed", "failed") or pending(held)
    if (corrects or conclusion != "passed") and not reason:
        problems["reason"] = [
            _("更改结论要写明理由。") if corrects else _("请写明原因，申请人会看到。")
        ]
    if problems:
        raise Refused(problems)
    made = Review(
        applicant_id=applicant.id, matter=MATTER, conclusion=conclusion, reason=reason,
        code=code if conclusion == "failed" else "", office=office, reviewer=actor.name,
        at=now(session), corrects=corrects,
    )  # fmt: skip
    session.add(made)
    before = {"state": applicant.state, "review": applicant.review}
    if corrects:
        applicant.state, applicant.review = "submitted", ""
    else:
        _conclude(applicant, made)
    applicant.version += 1
    session.flush()
    record(
        session, actor, "review.correct" if corrects else "review.conclude",
        f"applicant/{applicant.number}", round_id=round_.id, before=before, reason=reason,
        after={"conclusion": conclusion, "code": made.code, "state": applicant.state},
    )  # fmt: skip
    return made


def _conclude(applicant: Applicant, held: Review) -> None:
    applicant.state = STATES_AFTER[held.conclusion]
    applicant.review = {"passed": "passed", "failed": held.code}.get(held.conclusion, "")


def confirm_review(session: Session, applicant: Applicant, version: int, actor: Actor) -> Review:
    """A second person confirms a changed conclusion: from now on it holds."""
    stages.hold(session, applicant.round_id, "review")
    session.refresh(applicant, with_for_update=True)
    held = last_review(session, applicant)
    if held is None or not pending(held):
        raise Refused({"": [_("没有待确认的更改。")]})
    if applicant.version != version:
        raise Stale(applicant.version, {"conclusion": held.conclusion, "reason": held.reason})
    second_person(session, held.reviewer, actor, held.office)
    held.confirmed_by, held.confirmed_at = actor.name, now(session)
    _conclude(applicant, held)
    applicant.version += 1
    record(
        session, actor, "review.confirm", f"applicant/{applicant.number}",
        round_id=applicant.round_id,
        after={"conclusion": held.conclusion, "state": applicant.state, "entered_by": held.reviewer},
    )  # fmt: skip
    return held


# --- groups -----------------------------------------------------------------------------------


def decide_group(
    session: Session,
    applicant: Applicant,
    group: str,
    state: str,
    reason: str,
    office: str,
    actor: Actor,
    seen: str,
) -> Membership:
    """Verify or refuse a claimed group; what was decided before is changed by another person only.

    Parameters
    ----------
    seen
        The state that the page showed: who decides on what has changed since is told so.
    """
    stages.hold(session, applicant.round_id, "group")
    held = session.get(
        Membership, (applicant.id, group), with_for_update=True, populate_existing=True
    )
    if held is None:
        raise Refused({"": [_("申请人没有申报这个人员类别。")]})
    if held.state != seen:
        raise Stale(0, {"state": held.state, "reason": held.reason})
    if state == held.state:
        return held
    decided = held.state != "claimed"
    if (decided or state == "refused") and not reason:
        raise Refused({"reason": [_("请写明原因，申请人会看到。")]})
    if decided:
        second_person(session, held.decided_by, actor, office)
    before = {"state": held.state, "reason": held.reason, "decided_by": held.decided_by}
    held.state, held.reason = state, reason
    held.decided_by, held.decided_at = actor.name, now(session)
    applicant.version += 1
    record(
        session, actor, "group.decide", f"applicant/{applicant.number}",
        round_id=applicant.round_id, before=before, reason=reason,
        after={"group": group, "state": state},
    )  # fmt: skip
    return held
