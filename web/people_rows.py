"""Applicants in sheets: their applications."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flask import current_app
from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session, selectinload

from . import calendar, people
from .application import GUARDIAN_DATA, guardian_under
from .audit import Actor, Entry, record_all
from .cells import NO, Row
from .db import now
from .lines import Change, Current, Issue, Keeper, Line, Office, twice
from .models import (
    Applicant,
    Consent,
    Membership,
    Person,
    Round,
    random_key,
)
from .notices import WITHDRAWN, tell
from .plan_rows import settle_flags, told
from .privacy import encrypt, mask_number, mask_telephone, number_index, pseudonym
from .sheets import APPLICANTS

CONSENTS = ("basic", "passing", "public", "honest")
"""The consents that a signed paper form holds; ``minor`` and ``sensitive`` where they apply."""

PAPER = "paper"
SENSITIVE = frozenset({"G08", "G09", "G10"})
COLOUR = "H01"
CHUNK = 500

_OF_PERSON = frozenset({"name", "sex", "identity_type", "birth_date", "nation"})
_APART = frozenset({"applicant", "number", "telephone", "guardian_telephone", "group1", "group2",
                    "evidence", "colour", "willing", "consent", *_OF_PERSON})  # fmt: skip
_CERTIFICATE = re.compile(r"[A-Z][A-Z0-9]{4}[0-9]{8}([0-9]{2})([1-5])[0-9]{6}")
_OLD_CERTIFICATE = re.compile(r"[0-9]{10}([1-5])[0-9]{5}")


def in_round(session: Session, round_: Round) -> list[Applicant]:
    """The applicants of a round with what their rows say, by application number."""
    return list(
        session.scalars(
            select(Applicant)
            .where(Applicant.round_id == round_.id)
            .order_by(Applicant.number)
            .options(selectinload(Applicant.person), selectinload(Applicant.groups))
        )
    )


# --- applications -----------------------------------------------------------------------------


def _applicants(session: Session, round_: Round, office: Office) -> Current:
    return {held.number: _applicant_row(held) for held in in_round(session, round_)}


def _applicant_row(held: Applicant) -> Row:
    person = held.person
    row: Row = {}
    for column in APPLICANTS.columns:
        if column.name in _OF_PERSON:
            row[column.name] = told(getattr(person, column.name))
        elif column.name not in _APART:
            row[column.name] = told(getattr(held, column.name))
    groups = [g.group for g in held.groups]
    row |= {
        "applicant": held.number,
        "number": people.number_of(person),
        "telephone": people.telephone_of(person) or None,
        "guardian_telephone": people.guardian_telephone_of(held) or None,
        "group1": groups[0] if groups else None,
        "group2": groups[1] if len(groups) > 1 else None,
        "evidence": next((g.evidence for g in held.groups if g.evidence), None),
        "colour": "normal" if COLOUR in held.health.split(";") else None,
        "willing": True,
        "consent": True,
    }
    return row


def _check_applicants(
    session: Session, round_: Round, office: Office, lines: Sequence[Line], held: Current
) -> Iterator[Issue]:
    demo = bool(current_app.config["DEMO"] or round_.demo)
    today, under = calendar.local(now(session)).date(), guardian_under(round_)
    for line in lines:
        settle_flags(line, APPLICANTS)
        _unmask(line, held)
    numbers = {
        line.row: people.canonical_number(str(line.values["number"]))
        for line in lines
        if line.values["number"] is not None
    }
    indexes = {row: number_index(number) for row, number in numbers.items()}
    persons = _persons(session, indexes.values())
    here = _enrolled(session, round_, persons)
    used = _numbers_used(session, round_, lines, held)
    seen: dict[str, int] = {}
    for line in lines:
        index = indexes.get(line.row, "")
        if index and index in seen:
            yield Issue(
                "number_twice", line.row, "number", mask_number(numbers[line.row]),
                {"other": seen[index]},
            )  # fmt: skip
        seen.setdefault(index, line.row)
        yield from _identify(line, index, persons.get(index), here, held, used)
        yield from _check_document(line, numbers.get(line.row), demo)
        yield from _check_answers(line, today, under)
    yield from twice([line for line in lines if line.values["applicant"]], "applicant")


def _unmask(line: Line, held: Current) -> None:
    """A mask that an export wrote stands for what is stored."""
    before = held.get(str(line.values["applicant"]))
    if before is None:
        return
    for name, mask in (
        ("number", mask_number), ("telephone", mask_telephone), ("guardian_telephone", mask_telephone)
    ):  # fmt: skip
        full = before[name]
        if full is not None and line.values[name] == mask(str(full)):
            line.values[name] = full


def _persons(session: Session, indexes: Iterable[str]) -> dict[str, Person]:
    wanted = sorted(set(indexes))
    found = {}
    for at in range(0, len(wanted), CHUNK):
        query = select(Person).where(Person.number_index.in_(wanted[at : at + CHUNK]))
        found.update({person.number_index: person for person in session.scalars(query)})
    return found


def _enrolled(
    session: Session, round_: Round, persons: Mapping[str, Person]
) -> dict[int, dict[int, str]]:
    """The application numbers of people, by person and round."""
    found: dict[int, dict[int, str]] = {}
    ids = sorted(person.id for person in persons.values())
    for at in range(0, len(ids), CHUNK):
        query = (
            select(Applicant.person_id, Applicant.round_id, Applicant.number)
            .join(Round)
            .where(Applicant.person_id.in_(ids[at : at + CHUNK]), Round.year == round_.year)
        )
        for person, round_id, number in session.execute(query):
            found.setdefault(person, {})[round_id] = number
    for known in found.values():
        if round_.id in known:
            known[0] = known.pop(round_.id)  # 0 stands for this round
    return found


def _numbers_used(
    session: Session, round_: Round, lines: Sequence[Line], held: Current
) -> set[str]:
    """Application numbers of the file that belong to other rounds: people log in by them."""
    wanted = sorted({str(n) for line in lines if (n := line.values["applicant"]) and n not in held})
    found: set[str] = set()
    for at in range(0, len(wanted), CHUNK):
        query = select(Applicant.number).where(Applicant.number.in_(wanted[at : at + CHUNK]))
        found.update(session.scalars(query))
    return found


def _identify(
    line: Line,
    index: str,
    person: Person | None,
    here: Mapping[int, Mapping[int, str]],
    held: Current,
    used: set[str],
) -> Iterator[Issue]:
    """Which application a line is: by its number, else by the document."""
    values = line.values
    given = values["applicant"]
    known = here.get(person.id, {}) if person else {}
    enrolled = known.get(0)
    line.key = str(given) if given else (enrolled or f"new:{line.row}")
    if given is None:
        values["applicant"] = enrolled
    elif given not in held and enrolled is not None:
        yield Issue("enrolled_as", line.row, "applicant", str(given), {"other": enrolled})
    elif given in held and index and index != number_index(str(held[str(given)]["number"])):
        yield Issue("number_differs", line.row, "number", mask_number(str(values["number"])))
    elif given in used:
        yield Issue("number_used", line.row, "applicant", str(given))
    if person is not None and line.key not in held:
        if person.name != values["name"]:
            yield Issue("other_facts", line.row, "name", str(values["name"]))
        elif known:
            yield Issue("other_round", line.row, "number", mask_number(str(values["number"])),
                        warning=True)  # fmt: skip


def _check_document(line: Line, number: str | None, demo: bool) -> Iterator[Issue]:
    values = line.values
    kind, birth = values["identity_type"], values["birth_date"]
    if number is None or kind is None:
        return
    values["number"] = number
    stated = date.fromisoformat(str(birth)) if birth else None
    found = people.identity_problems(str(kind), number, stated, str(values["sex"] or ""), demo)
    columns = {
        "identity_birth": "birth_date",
        "identity_sex": "sex",
        "identity_kind": "identity_type",
    }
    for code in found:
        column = columns.get(code, "number")
        value = mask_number(number) if column == "number" else str(values[column] or "")
        yield Issue(code, line.row, column, value)
    resident = str(kind) in people.RESIDENT_TYPES
    if birth is None and not found and resident:
        born = people.stated_birth(number)
        values["birth_date"] = born.isoformat() if born else None
    elif birth is None and not resident:
        yield Issue("birth_needed", line.row, "birth_date")


def _check_answers(line: Line, today: date, under: int) -> Iterator[Issue]:
    values = line.values
    birth = values["birth_date"]
    born = date.fromisoformat(str(birth)) if birth else None
    if born is not None and born > today:
        yield Issue("future", line.row, "birth_date", born.isoformat())
    elif born is not None and people.age_on(today, born) < under:
        for name in ("guardian", "guardian_telephone"):
            if values[name] is None:
                yield Issue("guardian", line.row, name, about={"age": under})
    pair = sorted(str(g) for g in (values["group1"], values["group2"]) if g is not None)
    if len(set(pair)) < len(pair):
        yield Issue("twice", line.row, "group2", pair[0])
    elif len(pair) == 2:
        values["group1"], values["group2"] = pair
    for name in ("willing", "consent"):
        if values[name] is False:
            yield Issue("must_yes", line.row, name, NO)
    yield from _check_certificate(line, today)


def _check_certificate(line: Line, today: date) -> Iterator[Issue]:
    values = line.values
    if values["certificate"] is None:
        return
    number = values["certificate"] = str(values["certificate"]).upper()
    match, old = _CERTIFICATE.fullmatch(number), _OLD_CERTIFICATE.fullmatch(number)
    if match is None and old is None:
        yield Issue("certificate", line.row, "certificate", number)
        return
    if match is not None and int(match[1]) > today.year % 100:
        yield Issue("certificate_year", line.row, "certificate", number, {"year": f"20{match[1]}"})
    level = match[2] if match is not None else old[1] if old is not None else ""
    if values["skill_level"] is None:
        yield Issue("required", line.row, "skill_level")
    elif values["skill_level"] != level:
        words = APPLICANTS.by_name["skill_level"].codes
        yield Issue(
            "certificate_level", line.row, "skill_level", words[str(values["skill_level"])],
            {"stated": words[level], "place": 16 if match is not None else 11},
        )  # fmt: skip


def _store_applicants(
    session: Session, round_: Round, office: Office, changes: Sequence[Change], actor: Actor
) -> None:
    held = {a.number: a for a in in_round(session, round_)}
    moment = now(session)
    new = [change for change in changes if change.before is None]
    for change in changes:
        if change.before is not None:
            _update(held[change.key], change)
    made = _enrol(session, round_, new, actor, moment)
    record_all(
        session, actor,
        (Entry("applicant.enrol", f"applicant/{number}", after=_public(c, c.differing()))
         for number, c in zip(made, new, strict=True)),
        round_id=round_.id,
    )  # fmt: skip
    record_all(
        session, actor,
        (Entry("applicant.import", f"applicant/{c.key}", _public(c, c.differing(), False),
               _public(c, c.differing()))
         for c in changes if c.before is not None),
        round_id=round_.id,
    )  # fmt: skip


def _public(change: Change, names: Iterable[str], after: bool = True) -> Row:
    """A side of a change for the record: numbers are told apart by their masks alone."""
    side = change.after if after else change.before or {}
    shown = dict(side)
    for name, mask in (
        ("number", mask_number), ("telephone", mask_telephone), ("guardian_telephone", mask_telephone)
    ):  # fmt: skip
        if shown.get(name):
            shown[name] = mask(str(shown[name]))
    return {name: shown.get(name) for name in names}


def _enrol(
    session: Session, round_: Round, new: Sequence[Change], actor: Actor, moment: datetime
) -> list[str]:
    """New applications, by statements of many rows; their numbers."""
    if not new:
        return []
    session.execute(select(Round.id).where(Round.id == round_.id).with_for_update())
    indexes = [number_index(str(change.after["number"])) for change in new]
    _know(session, round_, indexes, new)
    numbers = _allotted(people.next_number(session, round_))
    rows = []
    for change, index in zip(new, indexes, strict=True):
        key = random_key()
        rows.append(
            {"of": index, "number": str(change.after["applicant"] or next(numbers)), "key": key,
             "round_id": round_.id, "created_at": moment, "entered_by": actor.name,
             **_of_applicant(change.after, APPLICANTS.by_name, key)}
        )  # fmt: skip
    connection = session.connection()  # no account of each row: there may be thousands
    person = select(Person.id).where(Person.number_index == bindparam("of")).scalar_subquery()
    given: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "of"}
    connection.execute(insert(Applicant).values(person_id=person, **given), rows)
    ids = dict(
        connection.execute(
            select(Applicant.key, Applicant.id).where(Applicant.round_id == round_.id)
        ).all()
    )
    made = [(ids[row["key"]], change) for row, change in zip(rows, new, strict=True)]
    groups = [
        {"applicant_id": id_, "group": code, "evidence": str(change.after["evidence"] or "")}
        for id_, change in made
        for code in _groups(change.after)
    ]
    if groups:
        connection.execute(insert(Membership), groups)
    day, under = calendar.local(moment).date(), guardian_under(round_)
    consents = [
        {"applicant_id": id_, "text": text, "version": PAPER, "given": True, "at": moment}
        for id_, change in made
        for text in _consents(change.after, day, under)
    ]
    connection.execute(insert(Consent), consents)
    return [row["number"] for row in rows]


def _know(session: Session, round_: Round, indexes: Sequence[str], new: Sequence[Change]) -> None:
    """See that the person of every line has a row, by the index of her number."""
    known = _persons(session, indexes)
    rows = []
    for change, index in zip(new, indexes, strict=True):
        facts = _of_person(change.after, APPLICANTS.by_name, index)
        if index in known:
            for name, value in facts.items():
                setattr(known[index], name, value)
            continue
        number = str(change.after["number"])
        rows.append(
            {"pseudonym": pseudonym(round_.year, number), "number_index": index,
             "number": encrypt(number, f"person.number:{index}"), **facts}
        )  # fmt: skip
    session.flush()
    if rows:
        session.connection().execute(insert(Person), rows)


def _consents(after: Row, day: date, under: int) -> Iterator[str]:
    yield from CONSENTS
    if SENSITIVE & set(_groups(after)):
        yield "sensitive"
    born = date.fromisoformat(str(after["birth_date"])) if after["birth_date"] else None
    if born is not None and people.age_on(day, born) < under:
        yield "minor"


def _allotted(first: str) -> Iterator[str]:
    """Application numbers from the next free one on."""
    prefix, running = first[:-5], int(first[-5:])
    while running <= 99_999:
        yield f"{prefix}{running:05d}"
        running += 1
    raise OverflowError("no application number of five digits is left")


def _update(applicant: Applicant, change: Change) -> None:
    names, person = change.differing(), applicant.person
    for name, value in _of_person(change.after, names, person.number_index).items():
        setattr(person, name, value)
    facts = _of_applicant(change.after, names, applicant.key, applicant.health)
    for name, value in facts.items():
        setattr(applicant, name, value)
    if {"group1", "group2", "evidence"} & set(names):
        _set_groups(applicant, change.after, change.before)
    applicant.version += 1
    if GUARDIAN_DATA & set(names):
        people.ask_guardian_again(applicant)
    if _OF_PERSON & set(names):
        person.version += 1


def _of_person(after: Row, names: Iterable[str], index: str) -> dict[str, Any]:
    """What these columns of a line say of the person, as her row holds it."""
    facts: dict[str, Any] = {name: after[name] or "" for name in names if name in _OF_PERSON}
    if "birth_date" in facts:
        born = facts["birth_date"]
        facts["birth_date"] = date.fromisoformat(str(born)) if born else None
    if "telephone" in names:
        facts["telephone"] = people.sealed_telephone(index, str(after["telephone"] or ""))
    return facts


def _of_applicant(after: Row, names: Iterable[str], key: str, health: str = "") -> dict[str, Any]:
    """What these columns of a line say of the application, as its row holds it."""
    facts: dict[str, Any] = {
        name: "" if after[name] is None else after[name] for name in names if name not in _APART
    }
    if "guardian_telephone" in names:
        number = str(after["guardian_telephone"] or "")
        facts["guardian_telephone"] = people.sealed_guardian_telephone(key, number)
    if "colour" in names:
        others = [code for code in health.split(";") if code and code != COLOUR]
        normal = [COLOUR] if after["colour"] == "normal" else []
        facts["health"] = ";".join(sorted([*others, *normal]))
    return facts


def _groups(after: Row) -> list[str]:
    """The groups that a line claims."""
    return [str(after[name]) for name in ("group1", "group2") if after[name]]


def _set_groups(applicant: Applicant, after: Row, before: Row | None) -> None:
    wanted = _groups(after)
    former = {before[name] for name in ("group1", "group2")} if before else set()
    applicant.groups = [g for g in applicant.groups if g.group in wanted or g.group not in former]
    held = {g.group: g for g in applicant.groups}
    for code in wanted:
        membership = held.get(code)
        if membership is None:
            membership = Membership(group=code, evidence="")
            applicant.groups.append(membership)
        membership.evidence = str(after["evidence"] or "")


# --- leaving ----------------------------------------------------------------------------------


def _standing(session: Session, round_: Round) -> set[str]:
    """Who has not withdrawn."""
    query = select(Applicant.number).where(Applicant.round_id == round_.id)
    return set(session.scalars(query.where(Applicant.state != "withdrawn")))


def _removable_applicants(session: Session, round_: Round, keys: Sequence[str]) -> Iterator[Issue]:
    query = select(Applicant.number).where(
        Applicant.round_id == round_.id, Applicant.entered_by == ""
    )
    own = set(session.scalars(query))
    for key in keys:
        if key in own:
            yield Issue("removal_own", value=key)


def _remove_applicants(
    session: Session, round_: Round, keys: Sequence[str], actor: Actor, reason: str
) -> None:
    """Whom a file leaves out has withdrawn: her application stays, with all its history."""
    wanted, entries = set(keys), []
    for held in in_round(session, round_):
        if held.number in wanted and held.state != "withdrawn":
            entries.append(
                Entry("applicant.state", f"applicant/{held.number}", {"state": held.state},
                      {"state": "withdrawn"})
            )  # fmt: skip
            held.state = "withdrawn"
            held.version += 1
    record_all(session, actor, entries, round_id=round_.id, reason=reason)
    tell(session, round_, keys, WITHDRAWN, {"reason": reason})


KEEPERS = {
    "applicants": Keeper(
        _applicants, _check_applicants, _store_applicants,
        removable=_removable_applicants, remove=_remove_applicants, standing=_standing,
    )
}  # fmt: skip
