"""Examinations and reviews in sheets: component scores, and conclusions of the eligibility review."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from . import calendar, choices, codes, reviewing
from .audit import Actor, Entry, record_all
from .cells import ABSENT, EXEMPT, MARKS, Row
from .db import now
from .lines import Change, Current, Issue, Keeper, Line, Office, twice
from .models import Applicant, Program, Review, Round, Score
from .people_rows import in_round
from .plan_rows import channels
from .sheets import CODES, UNCHECKED

COMPONENTS = tuple(codes.COMPONENTS)
BY_CLASS = ("interview",)
"""Components that a class gives; the others hold for the whole channel."""

REVIEWED = (*reviewing.LIVE, "failed")
"""States of an application that offices may review and score."""

_ALWAYS = ("standing", "entered", "checked")


def components(round_: Round) -> dict[str, tuple[str, ...]]:
    """What each exam channel is made of, by the round's rules."""
    if round_.policy is None:
        return {}
    rows = tomllib.loads(round_.policy.toml).get("score_channel", [])
    return {row["channel"]: tuple(c for c in COMPONENTS if row.get(c)) for row in rows}


def _of_office(program: Program, office: Office) -> bool:
    return office.college_id in (None, program.order_class.college_id) and (
        office.enterprise_id in (None, program.enterprise_id)
    )


def listing(session: Session, round_: Round, office: Office) -> dict[str, set[str]] | None:
    """The programs of an office on each applicant's list that counts, by application number.

    None for the alliance, which sees everybody.
    """
    if office == Office():
        return None
    scope = {"college_id": office.college_id, "enterprise_id": office.enterprise_id}
    own = reviewing.programs_of(
        session, round_.id, **{name: held for name, held in scope.items() if held is not None}
    )
    listed = reviewing.listed(session, round_.id, (program.id for program in own))
    numbers = session.execute(
        select(Applicant.id, Applicant.number).where(Applicant.round_id == round_.id)
    )
    return {number: {p.code for p in listed.get(who, ())} for who, number in numbers}


# --- scores -----------------------------------------------------------------------------------


def _scores(session: Session, round_: Round, office: Office) -> Current:
    query = (
        select(Score)
        .join(Applicant)
        .where(Applicant.round_id == round_.id)
        .order_by(Applicant.number, Score.channel, Score.program_id)
        .options(joinedload(Score.applicant), joinedload(Score.program))
    )
    mine = listing(session, round_, office)
    found: Current = {}
    for held in session.scalars(query):
        program, number = held.program, held.applicant.number
        if program is not None and not _of_office(program, office):
            continue
        own = mine is None or (office.enterprise_id is None and bool(mine.get(number)))
        if program is None and not own:
            continue
        row: Row = {
            "applicant": number,
            "channel": held.channel or (program.channel if program else ""),
            "order_class": program.code if program else None,
            **{name: getattr(held, name) or None for name in COMPONENTS},
            "standing": None,
            "exempt_basis": held.exempt_basis or None,
            "entered": held.entered_by,
            "checked": held.confirmed_by or UNCHECKED,
        }
        found[_score_key(row)] = row
    return found


def _score_key(row: Row) -> str:
    return f"{row['applicant']}|{row['order_class'] or row['channel']}"


def _fold_scores(
    session: Session, round_: Round, lines: list[Line]
) -> tuple[list[Line], list[Issue]]:
    """An interview of a class counts at each of its programs of that channel."""
    named = choices.plan(session, round_.id)
    folded: list[Line] = []
    issues: list[Issue] = []
    for line in lines:
        code = line.values["order_class"]
        if code is None:
            folded.append(line)
            continue
        programs = named.get(str(code), [])
        fitting = [p for p in programs if line.values["channel"] in (None, p.channel)]
        if not programs:
            issues.append(Issue("no_class", line.row, "order_class", str(code)))
        elif not fitting:
            given = "、".join(sorted({p.channel for p in programs}))
            issues.append(Issue("channel", line.row, "channel", str(line.values["channel"]),
                                {"allowed": given}))  # fmt: skip
        folded += [Line(line.row, line.values | {"order_class": p.code}) for p in fitting]
    return folded, issues


def _check_scores(
    session: Session, round_: Round, office: Office, lines: Sequence[Line], held: Current
) -> Iterator[Issue]:
    rows = session.execute(
        select(Applicant.number, Applicant.state).where(Applicant.round_id == round_.id)
    )
    states: dict[str, str] = dict(rows.all())
    made_of, allowed = components(round_), channels(round_)
    mine = listing(session, round_, office)
    owners = _owners(session, round_)
    told: set[tuple[int, str, str]] = set()
    for line in lines:
        line.key = _score_key(line.values)
        issues = [*_check_person(line, states), *_check_score(line, made_of, allowed)]
        before, owner = held.get(line.key), owners.get(line.key, "")
        differs = before is None or any(before[c] != line.values[c] for c in COMPONENTS)
        if owner not in ("", office.code) and differs:
            issues.append(Issue("other_office", line.row, "applicant", owner))
        if mine is not None:
            issues += _check_scope(line, office, mine)
        for issue in issues:  # a class of several programs is one line, told of once
            sign = issue.row, issue.column, issue.code
            if sign not in told:
                told.add(sign)
                yield issue
    yield from twice(lines, "applicant")


def _owners(session: Session, round_: Round) -> dict[str, str]:
    """The office that entered a score, which alone may change it, by key."""
    query = (
        select(Score)
        .join(Applicant)
        .where(Applicant.round_id == round_.id, Score.office != "")
        .options(joinedload(Score.applicant), joinedload(Score.program))
    )
    return {
        f"{held.applicant.number}|{held.program.code if held.program else held.channel}": held.office
        for held in session.scalars(query)
    }


def _check_person(line: Line, states: Mapping[str, str]) -> Iterator[Issue]:
    number = line.values["applicant"]
    if number is None:
        return
    state = states.get(str(number))
    if state is None:
        yield Issue("no_applicant", line.row, "applicant", str(number))
    elif state not in REVIEWED:
        yield Issue("withdrawn" if state == "withdrawn" else "not_submitted",
                    line.row, "applicant", str(number))  # fmt: skip


def _check_scope(line: Line, office: Office, mine: Mapping[str, set[str]]) -> Iterator[Issue]:
    values = line.values
    own = mine.get(str(values["applicant"]), set())
    if office.enterprise_id is not None and values["order_class"] is None:
        yield Issue("interviews_only", line.row, "order_class")
    elif not own or (values["order_class"] is not None and values["order_class"] not in own):
        yield Issue("not_yours", line.row, "applicant", str(values["applicant"]))


def _check_score(
    line: Line, made_of: Mapping[str, tuple[str, ...]], allowed: Mapping[str, str]
) -> Iterator[Issue]:
    values = line.values
    channel, standing = values["channel"], values["standing"]
    if channel is not None and allowed and channel not in allowed:
        yield Issue("channel", line.row, "channel", str(channel),
                    {"allowed": "、".join(allowed.values())})  # fmt: skip
    if standing == "cheated":
        yield Issue("cheated", line.row, "standing", CODES["standings"]["cheated"])
        return
    by_class = values["order_class"] is not None
    parts = made_of.get(str(channel), COMPONENTS)
    here = [c for c in parts if (c in BY_CLASS) == by_class]
    for name in COMPONENTS:
        if values[name] is None:
            continue
        if name not in parts:
            yield Issue("not_of_channel", line.row, name, str(values[name]))
        elif name not in here:
            code = "interview_by_class" if name in BY_CLASS else "score_by_channel"
            yield Issue(code, line.row, name, str(values[name]))
    blank = [c for c in here if values[c] is None]
    if standing in (ABSENT, EXEMPT):
        if not blank:
            yield Issue("standing_contradicts", line.row, "standing",
                        MARKS[str(standing)])  # fmt: skip
        for name in blank:
            values[name] = standing
    elif all(values[name] is None for name in COMPONENTS):
        yield Issue("no_score", line.row, here[0] if here else "standing")
    exempt = any(values[name] == EXEMPT for name in COMPONENTS)
    if exempt and not values["exempt_basis"]:
        yield Issue("exempt_basis", line.row, "exempt_basis")
    if values["entered"] is not None and values["entered"] == values["checked"]:
        yield Issue("same_person", line.row, "checked", str(values["checked"]))


def _store_scores(
    session: Session, round_: Round, office: Office, changes: Sequence[Change], actor: Actor
) -> None:
    people = dict(
        session.execute(
            select(Applicant.number, Applicant.id).where(Applicant.round_id == round_.id)
        ).all()
    )
    programs = {p.code: p.id for found in choices.plan(session, round_.id).values() for p in found}
    held = {
        (score.applicant_id, score.program_id or score.channel): score
        for score in session.scalars(
            select(Score).join(Applicant).where(Applicant.round_id == round_.id)
        )
    }
    moment = now(session)
    for change in changes:
        after = change.after
        person = people[str(after["applicant"])]
        program = programs[str(after["order_class"])] if after["order_class"] else None
        channel = str(after["channel"])
        score = held.get((person, program or channel))
        if score is None:
            # a line of a class is found by its program alone
            score = Score(
                applicant_id=person, program_id=program, channel="" if program else channel
            )
            session.add(score)
        else:
            score.version += 1
        for name in COMPONENTS:
            setattr(score, name, str(after[name] or ""))
        score.exempt_basis = str(after["exempt_basis"] or "")
        score.office = score.office or office.code
        score.entered_by, score.entered_at = actor.name, moment
        score.confirmed_by, score.confirmed_at = "", None
    _record(session, round_, "score.import", changes, actor, always=_ALWAYS)


def _record(
    session: Session,
    round_: Round,
    action: str,
    changes: Sequence[Change],
    actor: Actor,
    always: Sequence[str] = (),
) -> None:
    entries = []
    for change in changes:
        names = {*change.differing(), *always}
        before = {n: change.before.get(n) for n in names} if change.before else None
        after = {n: change.after.get(n) for n in names}
        entries.append(Entry(action, f"applicant/{change.after['applicant']}", before, after))
    record_all(session, actor, entries, round_id=round_.id)


def confirm_scores(
    session: Session, round_: Round, rows: Sequence[Mapping[str, Any]], actor: Actor
) -> int:
    """A second person's confirmation of the scores of a batch that still stand as it said."""
    current = _scores(session, round_, Office())
    wanted = {
        row["key"] for row in rows
        if (held := current.get(row["key"]))
        and all(held[name] == row["after"].get(name) for name in COMPONENTS)
    }  # fmt: skip
    moment, count = now(session), 0
    query = (
        select(Score)
        .join(Applicant)
        .where(Applicant.round_id == round_.id, Score.confirmed_at.is_(None))
        .options(joinedload(Score.applicant), joinedload(Score.program))
    )
    for score in session.scalars(query):
        name = score.program.code if score.program else score.channel
        if f"{score.applicant.number}|{name}" in wanted and score.entered_by != actor.name:
            score.confirmed_by, score.confirmed_at = actor.name, moment
            count += 1
    return count


# --- reviews ----------------------------------------------------------------------------------


def _latest(session: Session, round_: Round) -> dict[tuple[str, str], Review]:
    """The last conclusion on each matter, by application number and matter."""
    rows = session.execute(
        select(Applicant.number, Review)
        .join(Review, Review.applicant_id == Applicant.id)
        .where(Applicant.round_id == round_.id)
        .order_by(Review.id)
    )
    return {(number, held.matter): held for number, held in rows}


def _reviews(session: Session, round_: Round, office: Office) -> Current:
    mine = listing(session, round_, office)
    return {
        f"{number}|{matter}": {
            "applicant": number,
            "matter": matter,
            "conclusion": held.conclusion,
            "code": held.code or None,
            "office": held.office or None,
            "reviewer": held.reviewer,
            "day": calendar.local(held.at).date().isoformat(),
        }
        for (number, matter), held in sorted(_latest(session, round_).items())
        if mine is None or mine.get(number)
    }


def _check_reviews(
    session: Session, round_: Round, office: Office, lines: Sequence[Line], held: Current
) -> Iterator[Issue]:
    states = {a.number: a.state for a in in_round(session, round_)}
    mine = listing(session, round_, office)
    today = calendar.local(now(session)).date().isoformat()
    for line in lines:
        values = line.values
        line.key = f"{values['applicant']}|{values['matter']}"
        before = held.get(line.key)
        concluded = states.get(str(values["applicant"])) in ("passed", "failed")
        if concluded and (before is None or before["conclusion"] != values["conclusion"]):
            yield Issue("concluded", line.row, "conclusion")
        yield from _check_person(line, states)
        if mine is not None and not mine.get(str(values["applicant"])):
            yield Issue("not_yours", line.row, "applicant", str(values["applicant"]))
        if values["conclusion"] == "failed" and values["code"] in (None, "passed"):
            yield Issue("reason_needed", line.row, "code")
        if values["conclusion"] == "passed" and values["code"] not in (None, "passed"):
            yield Issue("reason_contradicts", line.row, "code", str(values["code"]))
        if values["code"] == "passed":
            values["code"] = None
        if values["day"] is not None and str(values["day"]) > today:
            yield Issue("future", line.row, "day", str(values["day"]))
    yield from twice(lines, "matter")


def _store_reviews(
    session: Session, round_: Round, office: Office, changes: Sequence[Change], actor: Actor
) -> None:
    held = {a.number: a for a in in_round(session, round_)}
    # what decides comes last, as pages show the last conclusion of a person
    weights = {"passed": 0, "correct": 1, "failed": 2}
    for change in sorted(changes, key=lambda change: weights[str(change.after["conclusion"])]):
        after = change.after
        day = datetime.combine(date.fromisoformat(str(after["day"])), time(12), calendar.CITY)
        session.add(
            Review(
                applicant_id=held[str(after["applicant"])].id, matter=str(after["matter"]),
                conclusion=str(after["conclusion"]), code=str(after["code"] or ""),
                office=str(after["office"]), reviewer=str(after["reviewer"]), at=day,
            )
        )  # fmt: skip
    session.flush()
    conclusions: dict[str, list[Review]] = {}
    for (number, _), review in _latest(session, round_).items():
        conclusions.setdefault(number, []).append(review)
    moment = now(session)
    for number in {str(change.after["applicant"]) for change in changes}:
        applicant = held[number]
        applicant.state, applicant.review = _standing(conclusions[number])
        applicant.version += 1
        if applicant.state == "passed" and applicant.person.verified_at is None:
            applicant.person.verified_at, applicant.person.verified_by = moment, actor.name
    _record(session, round_, "review.import", changes, actor)


def _standing(reviews: Sequence[Review]) -> tuple[str, str]:
    """The state of an application by its conclusions, and the code that the admission law reads."""
    failed = [review.code for review in reviews if review.conclusion == "failed"]
    if failed:
        return "failed", failed[0]
    if any(review.conclusion == "correct" for review in reviews):
        return "returned", ""
    return "passed", "passed"


KEEPERS = {
    "scores": Keeper(_scores, _check_scores, _store_scores, _fold_scores),
    "reviews": Keeper(_reviews, _check_reviews, _store_reviews),
}
