"""Applicants in sheets: applications and ranked lists."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flask import current_app
from sqlalchemy import insert, select
from sqlalchemy.orm import Session, selectinload

from . import calendar, choices, people
from .application import GUARDIAN_DATA, guardian_under
from .audit import Actor, Entry, record_all
from .cells import NO, Row, Value
from .choices import Wish
from .db import now
from .lines import Change, Current, Issue, Keeper, Line, Office, twice
from .models import (
    Applicant,
    ChoiceList,
    Consent,
    Membership,
    Person,
    Program,
    Round,
    random_key,
)
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
        (Entry("applicant.enrol", f"applicant/{a.number}", after=_public(c, c.differing()))
         for a, c in zip(made, new, strict=True)),
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
) -> list[Applicant]:
    if not new:
        return []
    session.execute(select(Round.id).where(Round.id == round_.id).with_for_update())
    persons = _persons(session, (number_index(str(c.after["number"])) for c in new))
    numbers = _allotted(people.next_number(session, round_))
    made, unknown = [], []
    for change in new:
        after = change.after
        index = number_index(str(after["number"]))
        person = persons.get(index)
        if person is None:
            person = Person(
                pseudonym=pseudonym(round_.year, str(after["number"])), number_index=index,
                number=encrypt(str(after["number"]), f"person.number:{index}"),
            )  # fmt: skip
            unknown.append(person)
        number = str(after["applicant"] or next(numbers))
        applicant = Applicant(
            round_id=round_.id, person=person, number=number, key=random_key(),
            created_at=moment, entered_by=actor.name, health="", groups=[],
        )  # fmt: skip
        for name in APPLICANTS.by_name:
            _set(applicant, name, after[name])
        _set_groups(applicant, after, None)
        made.append(applicant)
    _insert(session, unknown, made)
    day, under = calendar.local(moment).date(), guardian_under(round_)
    given = [
        {"applicant_id": applicant.id, "text": text, "version": PAPER, "given": True, "at": moment}
        for applicant, change in zip(made, new, strict=True)
        for text in _consents(applicant, change, day, under)
    ]
    session.execute(insert(Consent), given)
    return made


def _insert(session: Session, persons: Sequence[Person], made: Sequence[Applicant]) -> None:
    """New rows by statements of many rows, as the session keeps no account of each."""
    session.bulk_save_objects(persons, return_defaults=True)
    for applicant in made:
        applicant.person_id = applicant.person.id
    session.bulk_save_objects(made, return_defaults=True)
    groups = []
    for applicant in made:
        for membership in applicant.groups:
            membership.applicant_id = applicant.id
            groups.append(membership)
    session.bulk_save_objects(groups)


def _consents(applicant: Applicant, change: Change, day: date, under: int) -> Iterator[str]:
    yield from CONSENTS
    if {change.after["group1"], change.after["group2"]} & SENSITIVE:
        yield "sensitive"
    if people.is_minor(applicant.person, day, under):
        yield "minor"


def _allotted(first: str) -> Iterator[str]:
    """Application numbers from the next free one on."""
    prefix, running = first[:-5], int(first[-5:])
    while running <= 99_999:
        yield f"{prefix}{running:05d}"
        running += 1
    raise OverflowError("no application number of five digits is left")


def _update(applicant: Applicant, change: Change) -> None:
    names = change.differing()
    for name in names:
        _set(applicant, name, change.after[name])
    if {"group1", "group2", "evidence"} & set(names):
        _set_groups(applicant, change.after, change.before)
    applicant.version += 1
    if GUARDIAN_DATA & set(names):
        people.ask_guardian_again(applicant)
    if _OF_PERSON & set(names):
        applicant.person.version += 1


def _set(applicant: Applicant, name: str, value: Value) -> None:
    person = applicant.person
    if name == "telephone":
        people.set_telephone(person, str(value or ""))
    elif name == "guardian_telephone":
        people.set_guardian_telephone(applicant, str(value or ""))
    elif name == "birth_date":
        person.birth_date = date.fromisoformat(str(value)) if value else None
    elif name in _OF_PERSON:
        setattr(person, name, value or "")
    elif name == "colour":
        others = [code for code in applicant.health.split(";") if code and code != COLOUR]
        applicant.health = ";".join(sorted([*others, *([COLOUR] if value == "normal" else [])]))
    elif name not in _APART:
        setattr(applicant, name, "" if value is None else value)


def _set_groups(applicant: Applicant, after: Row, before: Row | None) -> None:
    wanted = [str(after[name]) for name in ("group1", "group2") if after[name]]
    former = {before[name] for name in ("group1", "group2")} if before else set()
    applicant.groups = [g for g in applicant.groups if g.group in wanted or g.group not in former]
    held = {g.group: g for g in applicant.groups}
    for code in wanted:
        membership = held.get(code)
        if membership is None:
            membership = Membership(group=code, evidence="")
            applicant.groups.append(membership)
        membership.evidence = str(after["evidence"] or "")


# --- ranked lists -----------------------------------------------------------------------------


def most_choices(round_: Round) -> int:
    """The greatest length of a list by the round's rules; 0 for any."""
    if round_.policy is None:
        return 0
    held: dict[str, Any] = tomllib.loads(round_.policy.toml).get("preferences", {})
    return int(round_.policy.workflow.get("pref.max") or held.get("max", 0))


def lists(session: Session, round_: Round) -> dict[str, ChoiceList]:
    """The lists that count, by application number."""
    rows = session.execute(
        select(Applicant.number, ChoiceList)
        .join(Applicant)
        .where(Applicant.round_id == round_.id, ChoiceList.number > choices.DRAFT)
        .order_by(ChoiceList.number)
    )
    return dict(rows.all())


def _lists(session: Session, round_: Round, office: Office) -> Current:
    named = choices.plan(session, round_.id)
    return {
        number: {
            "applicant": number,
            "choices": ";".join(_shown_choice(code, named) for code in held.choices) or None,
            "adjustment": None if held.adjustment == "none" else held.adjustment,
            "not_accepted": ";".join(held.not_accepted) or None,
        }
        for number, held in sorted(lists(session, round_).items())
    }


def _shown_choice(code: str, named: Mapping[str, list[Program]]) -> str:
    """A choice as ``class`` or ``class/enterprise``, as the two columns say it."""
    found = named.get(code, [])
    if len(found) == 1 and found[0].code == code != found[0].order_class.code:
        return f"{found[0].order_class.code}/{found[0].enterprise.code}"
    return code


def _fold_choices(
    session: Session, round_: Round, lines: list[Line]
) -> tuple[list[Line], list[Issue]]:
    """One line for each applicant: her list is one thing, and her ranks are read together."""
    named = choices.plan(session, round_.id)
    seats = {
        (p.order_class.code, p.enterprise.code): p for programs in named.values() for p in programs
    }
    classes = {order_class for order_class, _office in seats}
    most = most_choices(round_)
    together: dict[str, list[Line]] = {}
    for line in lines:
        if line.values["applicant"] is not None:
            together.setdefault(str(line.values["applicant"]), []).append(line)
    folded, issues = [], []
    for number, own in together.items():
        first = own[0].values
        codes, found = _ranked(own, named, seats, most)
        issues += found
        issues += _one_answer(own)
        refused = str(first["not_accepted"] or "")
        issues += [
            Issue("no_class", own[0].row, "not_accepted", code)
            for code in refused.split(";")
            if code and code not in classes
        ]
        if not codes and not found and not first["adjusted"]:
            issues.append(Issue("empty_list", own[0].row, "adjusted", NO))
        values: Row = {
            "applicant": number,
            "choices": ";".join(codes) or None,
            "adjustment": first["adjustment"] if first["adjusted"] else None,
            "not_accepted": refused or None,
        }
        rows = tuple(line.row for line in own)
        folded.append(Line(own[0].row, values, number, rows))
    return folded, issues


def _ranked(
    own: Sequence[Line],
    named: Mapping[str, list[Program]],
    seats: Mapping[tuple[str, str], Program],
    most: int,
) -> tuple[list[str], list[Issue]]:
    """The choices of one applicant in order, and what is wrong with them."""
    issues: list[Issue] = []
    ranked: dict[int, str] = {}
    seen: dict[str, int] = {}
    for line in own:
        values = line.values
        rank, code, office = values["rank"], values["order_class"], values["enterprise"]
        if not isinstance(rank, int):
            continue
        if rank in ranked or (rank == 0 and len(own) > 1):
            issues.append(Issue("rank_twice", line.row, "rank", str(rank)))
        ranked[rank] = ""
        if rank == 0:
            if code is not None:
                issues.append(Issue("rank_zero", line.row, "order_class", str(code)))
            continue
        if code is None:
            issues.append(Issue("required", line.row, "order_class"))
            continue
        if str(code) not in named:
            issues.append(Issue("no_class", line.row, "order_class", str(code)))
            continue
        programs = named[str(code)]
        shown = str(code)
        if office is not None:
            program = seats.get((programs[0].order_class.code, str(office)))
            if program is None:
                issues.append(Issue("no_seat", line.row, "enterprise", str(office)))
                continue
            programs, shown = [program], program.code
        for program in programs:
            if program.code in seen:
                issues.append(
                    Issue("choice_twice", line.row, "order_class", str(code),
                          {"other": seen[program.code]})
                )  # fmt: skip
                break
        seen |= {program.code: line.row for program in programs if program.code not in seen}
        ranked[rank] = _shown_choice(shown, named)
    ranks = sorted(rank for rank in ranked if rank > 0)
    if ranks and ranks != list(range(1, len(ranks) + 1)):
        missing = next(n for n in range(1, len(ranks) + 1) if n not in ranked)
        issues.append(Issue("rank_gap", own[0].row, "rank", str(ranks[-1]), {"missing": missing}))
    if most and len(ranks) > most:
        issues.append(Issue("too_many", own[-1].row, "rank", str(len(ranks)), {"most": most}))
    return [ranked[rank] for rank in ranks if ranked[rank]], issues


def _one_answer(own: Sequence[Line]) -> Iterator[Issue]:
    """All lines of one applicant give one answer on adjustment, and it makes sense."""
    first = own[0].values
    for line in own:
        for name in ("adjusted", "adjustment", "not_accepted"):
            if line.values[name] != first[name]:
                yield Issue("not_one_answer", line.row, name, str(line.values[name] or ""),
                            {"other": own[0].row})  # fmt: skip
    if first["adjusted"] and first["adjustment"] is None:
        yield Issue("required", own[0].row, "adjustment")
    if first["adjusted"] is False and first["adjustment"] is not None:
        yield Issue("adjustment_contradicts", own[0].row, "adjustment")


def _unfold_choices(row: Row) -> list[Row]:
    common: Row = {
        "applicant": row["applicant"],
        "adjusted": row["adjustment"] is not None,
        "adjustment": row["adjustment"],
        "not_accepted": row["not_accepted"],
    }
    codes = [code for code in str(row["choices"] or "").split(";") if code]
    if not codes:
        return [common | {"rank": 0, "order_class": None, "enterprise": None}]
    found = []
    for rank, code in enumerate(codes, start=1):
        order_class, _, office = code.partition("/")
        found.append(
            common | {"rank": rank, "order_class": order_class, "enterprise": office or None}
        )
    return found


def _check_choices(
    session: Session, round_: Round, office: Office, lines: Sequence[Line], held: Current
) -> Iterator[Issue]:
    rows = session.execute(
        select(Applicant.number, Applicant.state).where(Applicant.round_id == round_.id)
    )
    states = dict(rows.all())
    counting = lists(session, round_)
    for line in lines:
        state = states.get(line.key)
        if state is None:
            yield Issue("no_applicant", line.row, "applicant", line.key)
        elif state == "withdrawn":
            yield Issue("withdrawn", line.row, "applicant", line.key)
        known = counting.get(line.key)
        differs = known is not None and held.get(line.key) != line.values
        if known is not None and known.entered_by.startswith("applicant:") and differs:
            yield Issue("own_list", line.row, "applicant", line.key)


def _store_choices(
    session: Session, round_: Round, office: Office, changes: Sequence[Change], actor: Actor
) -> None:
    held = {a.number: a for a in in_round(session, round_)}
    named = choices.plan(session, round_.id)
    seats = {
        (p.order_class.code, p.enterprise.code): p.code
        for programs in named.values()
        for p in programs
    }
    wishes = []
    for change in changes:
        after = change.after
        codes = []
        for shown in str(after["choices"] or "").split(";"):
            order_class, _, seat = shown.partition("/")
            codes.append(seats[order_class, seat] if seat else order_class)
        applicant = held[change.key]
        wish = Wish(
            tuple(code for code in codes if code),
            str(after["adjustment"] or "none"),
            tuple(code for code in str(after["not_accepted"] or "").split(";") if code),
        )
        wishes.append((applicant, wish))
        if applicant.state in ("draft", "returned"):
            applicant.state = "submitted"
        applicant.entered_by = applicant.entered_by or actor.name
    choices.submit_all(session, round_.id, wishes, actor, f"import:{random_key()}")


KEEPERS = {
    "applicants": Keeper(_applicants, _check_applicants, _store_applicants),
    "choices": Keeper(_lists, _check_choices, _store_choices, _fold_choices, _unfold_choices),
}
