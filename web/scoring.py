"""Scores and interviews: sheets that one person enters and a second person confirms as a batch."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from matcher import Policy

from . import codes, policies, reviewing, stages
from .audit import Actor, canonical, record
from .db import now
from .models import Applicant, Decision, Interview, OrderClass, Program, Round, Score
from .posting import Problems, Refused, Stale

MARKS = {"absent": lazy_gettext("缺考"), "exempt": lazy_gettext("免考")}


# --- scores -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """Where scores count: a whole exam channel, or one program (interviews are by class)."""

    channel: str
    program: Program | None = None

    @property
    def name(self) -> str:
        """The channel's or the program's code."""
        return self.program.code if self.program else self.channel

    def components(self, policy: Policy) -> list[str]:
        """What is entered here: interviews at a program, everything else for the channel."""
        weighed = dict(policy.weights(self.channel))
        here = self.program is not None
        return [
            name for name in codes.COMPONENTS if name in weighed and (name == "interview") == here
        ]


def targets(session: Session, round_: Round, **office: int) -> list[Target]:
    """Where an office may enter scores: its programs, and for a college also their channels."""
    programs = reviewing.programs_of(session, round_.id, **office)
    found = [Target(p.channel, p) for p in programs]
    if "college_id" in office:
        found = [Target(c) for c in sorted({p.channel for p in programs if p.channel})] + found
    policy = policies.current(session, round_)
    return [target for target in found if target.components(policy)]


def component(text: str, policy: Policy) -> str:
    """A component as it is stored: a number, ``absent``, ``exempt``, or blank.

    Raises
    ------
    ValueError
        With the sentence that says what is wrong.
    """
    typed = unicodedata.normalize("NFKC", text).strip().lower()
    if not typed:
        return ""
    if typed in ("缺考", "absent"):
        return "absent"
    if typed in ("免考", "exempt"):
        return "exempt"
    low, high = policy.score_min, policy.score_max
    if not re.fullmatch(r"[0-9]{1,6}(?:\.[0-9]{1,2})?", typed):
        raise ValueError(_("请填数字（最多两位小数）、缺考或免考。"))
    number = Decimal(typed)
    if (low is not None and number < low) or (high is not None and number > high):
        raise ValueError(_("成绩应在 %(low)s 至 %(high)s 之间。", low=low, high=high))
    return f"{number.normalize():f}"


def show_component(stored: str) -> str:
    """A stored component as people write it."""
    return str(MARKS.get(stored, stored))


@dataclass(frozen=True)
class Entry:
    """One applicant's line as it was typed; ``version`` is of the score shown, 0 for none."""

    applicant: Applicant
    components: Mapping[str, str]
    exempt_basis: str = ""
    fit: str = ""
    version: int = 0


def scores(session: Session, target: Target, ids: Iterable[int]) -> dict[int, Score]:
    """Applicant → her score at a target."""
    query = select(Score).where(Score.applicant_id.in_(list(ids)))
    if target.program is not None:
        query = query.where(Score.program_id == target.program.id)
    else:
        query = query.where(Score.program_id.is_(None), Score.channel == target.channel)
    return {score.applicant_id: score for score in session.scalars(query)}


def progress(
    session: Session, round_: Round, college_id: int
) -> list[tuple[Target, int, int, int]]:
    """Of each sheet of a college: how many people are scored on it, entered, confirmed."""
    programs = reviewing.programs_of(session, round_.id, college_id=college_id)
    listing = reviewing.listed(session, round_.id, (p.id for p in programs))
    people: dict[int | str, set[int]] = {}
    for who in reviewing.states(session, round_.id, listing):
        for program in listing[who]:
            people.setdefault(program.id, set()).add(who)
            people.setdefault(program.channel, set()).add(who)
    entered, confirmed = Counter[int | str](), Counter[int | str]()
    for who, program_id, channel, at in session.execute(
        select(Score.applicant_id, Score.program_id, Score.channel, Score.confirmed_at)
        .join(Applicant)
        .where(Applicant.round_id == round_.id)
    ):
        key = program_id or channel
        if who in people.get(key, ()):
            entered[key] += 1
            confirmed[key] += at is not None
    rows = []
    for target in targets(session, round_, college_id=college_id):
        key = target.program.id if target.program else target.channel
        rows.append((target, len(people.get(key, ())), entered[key], confirmed[key]))
    return rows


def save_scores(
    session: Session,
    round_: Round,
    target: Target,
    entries: Sequence[Entry],
    office: str,
    reason: str,
    actor: Actor,
) -> int:
    """Store what was typed on a sheet of scores, all of it or nothing; how many lines changed.

    A changed line waits for a second person, whether it was confirmed before or not.

    Raises
    ------
    stages.NotNow, Refused
        ``problems`` by ``<number>`` of the applicant, or ``reason``.
    """
    held_round = stages.hold(session, round_.id, "score")
    policy = policies.current(session, held_round)
    ids = [e.applicant.id for e in entries]
    session.execute(  # nobody else enters these people's first scores meanwhile
        select(Applicant.id).where(Applicant.id.in_(ids)).order_by(Applicant.id).with_for_update()
    )
    held = scores(session, target, ids)
    problems: Problems = {}
    seen: dict[str, dict[str, str]] = {}
    changed: list[tuple[Entry, dict[str, str], Score | None]] = []
    for entry in entries:
        score = held.get(entry.applicant.id)
        if score is not None:
            session.refresh(score, with_for_update=True)
        try:
            values = _values(entry, policy)
        except ValueError as error:
            problems[entry.applicant.number] = [str(error)]
            continue
        before = {name: getattr(score, name) if score else "" for name in values}
        if values == before:
            continue
        stored = score.version if score else 0
        if stored != entry.version:
            seen[entry.applicant.number] = {"version": str(stored)}
        said = _against(entry, score, office)
        if said:
            problems[entry.applicant.number] = [said]
        elif score is not None and score.confirmed_at is not None and not reason:
            problems["reason"] = [_("改动已确认的成绩要写明理由，并由另一人确认。")]
        changed.append((entry, values, score))
    if problems:
        raise Refused(problems, seen)
    for entry, values, score in changed:
        _store(session, held_round, target, entry, values, score, office, reason, actor)
    return len(changed)


def _values(entry: Entry, policy: Policy) -> dict[str, str]:
    values = {name: component(text, policy) for name, text in entry.components.items()}
    exempt = "exempt" in values.values()
    values["exempt_basis"] = entry.exempt_basis.strip() if exempt else ""
    if exempt and not values["exempt_basis"]:
        raise ValueError(_("免考要写明依据。"))
    if entry.fit.strip():
        fit = unicodedata.normalize("NFKC", entry.fit).strip()
        if not re.fullmatch(r"[0-9]{1,3}", fit) or int(fit) > 100:
            raise ValueError(_("契合度是 0 至 100 的整数。"))
        values["fit"] = str(int(fit))
    elif "interview" in values:
        values["fit"] = ""
    return values


def _against(entry: Entry, score: Score | None, office: str) -> str:
    """Why this line may not be changed now; blank if it may."""
    if (score.version if score else 0) != entry.version:
        shown = " ".join(
            f"{codes.COMPONENTS[name]} {show_component(getattr(score, name))}"
            for name in entry.components
            if score is not None and getattr(score, name)
        )
        return _overtaken(shown)
    if score is not None and score.office not in ("", office):
        return str(_("由另一单位（%(office)s）录入，请与它联系。", office=score.office))
    return ""


def _overtaken(shown: str) -> str:
    return str(_("别人刚改过，现在是：%(shown)s。再保存就以您的为准。", shown=shown or "—"))


def _store(
    session: Session,
    round_: Round,
    target: Target,
    entry: Entry,
    values: Mapping[str, str],
    score: Score | None,
    office: str,
    reason: str,
    actor: Actor,
) -> None:
    before = {name: getattr(score, name) for name in values} if score else {}
    if score is None:
        score = Score(
            applicant_id=entry.applicant.id,
            channel="" if target.program else target.channel,
            program_id=target.program.id if target.program else None,
            version=0,
            entered_by=actor.name,
            entered_at=now(session),
        )
        session.add(score)
    corrects = score.confirmed_at is not None
    for name, value in values.items():
        setattr(score, name, value)
    score.version += 1
    score.office = score.office or office
    score.entered_by, score.entered_at = actor.name, now(session)
    score.confirmed_by, score.confirmed_at = "", None
    record(
        session, actor, "score.correct" if corrects else "score.enter",
        f"applicant/{entry.applicant.number}", round_id=round_.id, before=before, reason=reason,
        after={"target": target.name, **values},
    )  # fmt: skip
    session.flush()


@dataclass(frozen=True)
class Batch:
    """What waits at a target for a second person, as it is shown before anybody confirms it."""

    scores: tuple[Score, ...]
    decisions: tuple[Decision, ...]
    summary: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Changes with anything in the batch, so that what is confirmed is what was shown."""
        shown: list[list[Any]] = [[s.id, s.version] for s in self.scores]
        shown += [[d.id, int(d.withdrawn), d.basis, d.entered_by] for d in self.decisions]
        return hashlib.sha256(canonical(shown)).hexdigest()[:32]

    def __len__(self) -> int:
        return len(self.scores) + len(self.decisions)


def batch(session: Session, round_: Round, target: Target, office: str) -> Batch:
    """What an office entered at a target and nobody confirmed; blank: what was imported."""
    query = (
        select(Score)
        .join(Applicant)
        .where(
            Applicant.round_id == round_.id, Score.confirmed_at.is_(None), Score.office == office
        )
        .options(joinedload(Score.applicant).joinedload(Applicant.person))
        .order_by(Applicant.number)
    )
    if target.program is None:
        query = query.where(Score.program_id.is_(None), Score.channel == target.channel)
    else:
        query = query.where(Score.program_id == target.program.id)
    found = tuple(session.scalars(query))
    return Batch(found, _undecided(session, target, office), _summary(found))


def _undecided(session: Session, target: Target, office: str) -> tuple[Decision, ...]:
    """The rejections at a program that wait for a second person of this office."""
    if target.program is None:
        return ()
    rows = session.scalars(
        select(Decision)
        .join(Applicant)
        .where(
            Decision.program_id == target.program.id,
            Decision.decision == "rejected",
            Decision.confirmed_at.is_(None),
        )
        .options(joinedload(Decision.applicant).joinedload(Applicant.person))
        .order_by(Applicant.number)
    )
    owner = target.program.enterprise.code
    return tuple(
        row for row in rows if office == (owner if row.entered_by.startswith("enterprise:") else "")
    )


def _summary(found: Sequence[Score]) -> dict[str, dict[str, Any]]:
    """Of each component: how many, least, mean, greatest, absent, exempt."""
    table = {}
    for name in codes.COMPONENTS:
        cells = [cell for score in found if (cell := getattr(score, name))]
        numbers = [Decimal(cell) for cell in cells if cell not in MARKS]
        if cells:
            table[name] = {
                "count": len(numbers),
                "least": min(numbers, default=None),
                "mean": round(sum(numbers) / len(numbers), 2) if numbers else None,
                "greatest": max(numbers, default=None),
                "absent": cells.count("absent"),
                "exempt": cells.count("exempt"),
            }
    return table


def confirm(
    session: Session, round_: Round, target: Target, office: str, digest: str, actor: Actor
) -> tuple[int, int]:
    """A second person confirms a batch: how many lines hold now, and how many wait for another.

    Raises
    ------
    stages.NotNow, reviewing.SecondPerson, Stale
        If the round or the people stand against it, or the batch is not the one that was shown.
    """
    stages.hold(session, round_.id, "score")
    held = batch(session, round_, target, office)
    if held.digest != digest:
        raise Stale(0, {})
    refusal: reviewing.SecondPerson | None = None
    done = 0
    rows: list[Score | Decision] = [*held.scores, *held.decisions]
    for row in rows:
        try:
            reviewing.second_person(session, row.entered_by, actor, office)
        except reviewing.SecondPerson as error:
            refusal = error
            continue
        done += 1
        if isinstance(row, Decision) and row.withdrawn:
            session.delete(row)
        else:
            row.confirmed_by, row.confirmed_at = actor.name, now(session)
    if refusal is not None and not done:
        raise refusal
    record(
        session, actor, "score.confirm", f"target/{target.name}", round_id=round_.id,
        after={"count": done, "digest": digest,
               "summary": {k: dict(v) for k, v in held.summary.items()}},
    )  # fmt: skip
    return done, len(held) - done


def waiting(
    session: Session, round_: Round, office: str | None = None
) -> list[tuple[str, Target, Batch]]:
    """Everything that waits for a second person: office, target, batch; of one office, or of all."""
    mine = select(Applicant.id).where(Applicant.round_id == round_.id)
    found: set[tuple[str, str, int | None]] = set()
    for score in session.scalars(
        select(Score).where(Score.applicant_id.in_(mine), Score.confirmed_at.is_(None))
    ):
        found.add((score.office, score.channel, score.program_id))
    for decision in session.scalars(
        select(Decision).where(
            Decision.applicant_id.in_(mine),
            Decision.decision == "rejected",
            Decision.confirmed_at.is_(None),
        )
    ):
        by_enterprise = decision.entered_by.startswith("enterprise:")
        owner = decision.program.enterprise.code if by_enterprise else ""
        found.add((owner, "", decision.program_id))
    rows = []
    for held_by, channel, program_id in sorted(found, key=str):
        if office is None or held_by == office:
            program = session.get_one(Program, program_id) if program_id else None
            target = Target(program.channel if program else channel, program)
            rows.append((held_by, target, batch(session, round_, target, held_by)))
    return rows


def target_of(session: Session, round_: Round, name: str) -> Target | None:
    """The target of that name: a program's code, or a channel's."""
    program = session.scalar(
        select(Program)
        .join(OrderClass)
        .where(OrderClass.round_id == round_.id, Program.code == name)
    )
    if program is not None:
        return Target(program.channel, program)
    known = session.scalar(
        select(Program.id)
        .join(OrderClass)
        .where(OrderClass.round_id == round_.id, Program.channel == name)
        .limit(1)
    )
    return Target(name) if known and name else None


# --- interviews -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What an interview gave, as it was typed: a score, or a rejection with its reason."""

    entry: Entry
    slot: str = ""
    slot_was: str = ""
    """What the page showed, so that nobody's change is undone by a page that did not know of it."""
    rejected: str = ""
    """The reason of a rejection; blank for none."""
    rejected_was: str = ""


def interviews(session: Session, program: Program) -> dict[int, str]:
    """Applicant → when she is interviewed for this program."""
    rows = session.scalars(select(Interview).where(Interview.program_id == program.id))
    return {row.applicant_id: row.slot for row in rows}


def rejections(session: Session, program: Program) -> dict[int, Decision]:
    """Applicant → her rejection at this program, confirmed or not."""
    rows = session.scalars(
        select(Decision).where(Decision.program_id == program.id, Decision.decision == "rejected")
    )
    return {row.applicant_id: row for row in rows}


def open_interviews(session: Session, program: Program, actor: Actor) -> None:
    """Record that somebody opens the interview list of a program."""
    record(
        session, actor, "interview.view", f"program/{program.code}",
        round_id=program.order_class.round_id,
    )  # fmt: skip


def save_interviews(
    session: Session,
    round_: Round,
    program: Program,
    outcomes: Sequence[Outcome],
    office: str,
    reason: str,
    actor: Actor,
) -> int:
    """Store a page of an interview list, all of it or nothing; how many lines changed."""
    held_round = stages.hold(session, round_.id, "slot")
    changed = sum(_save_slot(session, program, outcome, actor) for outcome in outcomes)
    if stages.writable(session, held_round, "score"):
        target = Target(program.channel, program)
        entries = [outcome.entry for outcome in outcomes]
        changed += save_scores(session, round_, target, entries, office, reason, actor)
        held = rejections(session, program)
        changed += sum(
            _reject(session, program, outcome, held.get(outcome.entry.applicant.id), reason, actor)
            for outcome in outcomes
        )
    elif any(o.rejected or any(o.entry.components.values()) for o in outcomes):
        raise stages.NotNow(stages.refusal(session, held_round, "score"))
    return changed


def _save_slot(session: Session, program: Program, outcome: Outcome, actor: Actor) -> bool:
    who = outcome.entry.applicant
    held = session.get(Interview, (who.id, program.id))
    before = held.slot if held else ""
    if outcome.slot in (before, outcome.slot_was):
        return False
    if before != outcome.slot_was:
        raise Refused({who.number: [_overtaken(before)]}, {who.number: {"slot_was": before}})
    if held is None:
        held = Interview(applicant_id=who.id, program_id=program.id)
        session.add(held)
    held.slot = outcome.slot
    record(
        session, actor, "interview.slot", f"applicant/{who.number}",
        round_id=program.order_class.round_id,
        before={"slot": before}, after={"slot": outcome.slot, "program": program.code},
    )  # fmt: skip
    return True


def _reject(
    session: Session,
    program: Program,
    outcome: Outcome,
    held: Decision | None,
    reason: str,
    actor: Actor,
) -> bool:
    """Enter, change or propose to remove a rejection."""
    standing = held.basis if held and not held.withdrawn else ""
    if outcome.rejected in (standing, outcome.rejected_was):
        return False
    who = outcome.entry.applicant
    if standing != outcome.rejected_was:
        raise Refused(
            {who.number: [_overtaken(standing)]}, {who.number: {"rejected_was": standing}}
        )
    if held is not None and held.confirmed_at is not None and not reason:
        raise Refused({"reason": [_("改动已确认的结果要写明理由，并由另一人确认。")]})
    if held is None:
        held = Decision(
            applicant_id=who.id, program_id=program.id, decision="rejected", basis="",
            entered_by=actor.name, entered_at=now(session),
        )  # fmt: skip
        session.add(held)
    held.withdrawn = not outcome.rejected
    held.basis = outcome.rejected or held.basis
    held.entered_by, held.entered_at = actor.name, now(session)
    held.confirmed_by, held.confirmed_at = "", None
    record(
        session, actor, "interview.reject" if outcome.rejected else "interview.unreject",
        f"applicant/{who.number}", round_id=program.order_class.round_id, reason=reason,
        before={"rejected": standing}, after={"rejected": outcome.rejected, "program": program.code},
    )  # fmt: skip
    session.flush()
    return True
