"""People: enrolling one once, the numbers that stand for her, and what a document may say.

A person is found by her document number and never by her name; the number itself is stored encrypted,
beside a keyed hash that finds it.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_2

from . import privacy
from .audit import Actor, record
from .db import now
from .models import STAFF, Applicant, Membership, Person, Round

SEASONS = {"spring": "1", "autumn": "2"}
"""The digit after the year in an application number, as the register codes 招生季度."""

IDENTITY_TYPES = ("01", "05", "10", "15", "20", "25", "30", "35", "40")
RESIDENT_TYPES = ("01", "25")
"""Documents whose 18 characters have the form of GB 11643 and state birth and sex."""

DEMO_AREA = "371099"
ADULT = 18
LONGEST_NAME = 50
DOTS = "•‧∙⋅・･●．.。"
"""What people type for the separator · of a name."""

_RESIDENT = re.compile(r"[0-9]{17}[0-9X]")
_OTHER = re.compile(r"[A-Z0-9]{5,20}")
_SCIENTIFIC = re.compile(r"[0-9]+(\.[0-9]+)?E[+]?[0-9]+")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


class AlreadyEnrolled(ValueError):
    """The document number is known; whoever asks is told to come to the counter, nothing else."""


class OtherFacts(ValueError):
    """The document number belongs to a person whose stored name or birth date differs."""


# --- what is typed ----------------------------------------------------------------------------


def canonical_number(text: str) -> str:
    """A document number as it is compared: without blanks, full-width folded, in capitals.

    >>> canonical_number(" １1010519491231002ｘ ")
    '11010519491231002X'
    """
    return "".join(text.split()).translate(_FULL_WIDTH).upper()


def identity_problems(
    kind: str, number: str, birth_date: date | None = None, sex: str = "", demo: bool = False
) -> list[str]:
    """What cannot be right about a document number, as codes; none if it can.

    ``identity_kind``, ``identity_scientific`` (a spreadsheet lost its digits), ``identity_format``,
    ``identity_date``, ``identity_check``, ``identity_demo`` (an area of nowhere, allowed in the demo),
    ``identity_birth`` and ``identity_sex`` (the number states otherwise).  Areas are not looked up:
    abolished counties stay valid for life.
    """
    number = canonical_number(number)
    if kind not in IDENTITY_TYPES:
        return ["identity_kind"]
    if _SCIENTIFIC.fullmatch(number) and kind in RESIDENT_TYPES:
        return ["identity_scientific"]
    if kind not in RESIDENT_TYPES:
        return [] if _OTHER.fullmatch(number) else ["identity_format"]
    if not _RESIDENT.fullmatch(number):
        return ["identity_format"]
    stated = stated_birth(number)
    if stated is None:
        return ["identity_date"]
    try:
        mod_11_2.validate(number)
    except ValidationError:
        return ["identity_check"]
    if number.startswith(DEMO_AREA) and not demo:
        return ["identity_demo"]
    found = []
    if birth_date is not None and birth_date != stated:
        found.append("identity_birth")
    if sex in ("1", "2") and sex != stated_sex(number):
        found.append("identity_sex")
    return found


def stated_birth(number: str) -> date | None:
    """The birth date that a resident number states; none if there is no such day."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def stated_sex(number: str) -> str:
    """The sex that a resident number states, as GB/T 2261.1 codes it (1 or 2)."""
    return "1" if int(number[16]) % 2 else "2"


def name_problems(name: str) -> list[tuple[str, str]]:
    """What keeps a name from being stored as typed, as (code, where or what).

    ``name_empty``, ``name_long``, ``name_character`` (a control, direction, zero-width, private or
    unassigned character, with its place) and ``name_dot`` (not the separator ·, with what was typed).
    """
    if not name.strip():
        return [("name_empty", "")]
    if len(name) > LONGEST_NAME:
        return [("name_long", str(LONGEST_NAME))]
    found = [
        ("name_character", str(place))
        for place, character in enumerate(name, start=1)
        if unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
    ]
    if not name.isascii():
        found += [("name_dot", character) for character in name if character in DOTS]
    return found


def age_on(day: date, birth_date: date) -> int:
    """Full years of age (周岁) on a day."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def is_minor(person: Person, day: date, under: int = ADULT) -> bool:
    """Whether a guardian takes part: she is younger than that on the day."""
    return person.birth_date is not None and age_on(day, person.birth_date) < under


# --- enrolling --------------------------------------------------------------------------------


def find(session: Session, number: str) -> Person | None:
    """The person of a document number."""
    index = privacy.number_index(canonical_number(number))
    return session.scalar(select(Person).where(Person.number_index == index))


def enrol(
    session: Session,
    round_: Round,
    identity_type: str,
    number: str,
    name: str,
    *,
    actor: Actor,
    birth_date: date | None = None,
    sex: str = "",
    nation: str = "",
    telephone: str = "",
    application_number: str = "",
    groups: tuple[str, ...] = (),
    **answers: Any,
) -> Applicant:
    """A new application of a person in a round; the person is made where she is not known yet.

    The caller has asked :func:`identity_problems` and :func:`name_problems`.

    Parameters
    ----------
    birth_date, sex
        Default, for resident documents, to what the number states.
    application_number
        Given by an import; else the next one is allotted.
    groups
        Codes of the groups that she claims.
    answers
        Columns of :class:`web.models.Applicant` (``education``, ``district``, ``entered_by``, …).

    Raises
    ------
    AlreadyEnrolled
        If the number is enrolled in this round; or, unless an office asks, in any.
    OtherFacts
        If the number belongs to a person whose name or birth date was stored otherwise.
    """
    number = canonical_number(number)
    # the numbers of one season are allotted one at a time
    season = (Round.year == round_.year, Round.season == round_.season)
    session.execute(select(Round.id).where(*season).order_by(Round.id).with_for_update())
    if identity_type in RESIDENT_TYPES:
        birth_date = birth_date or stated_birth(number)
        sex = sex or stated_sex(number)
    person = find(session, number)
    if person is None:
        index = privacy.number_index(number)
        person = Person(
            pseudonym=privacy.pseudonym(round_.year, number),
            number_index=index,
            number=privacy.encrypt(number, f"person.number:{index}"),
            identity_type=identity_type,
            name=name,
            sex=sex,
            birth_date=birth_date,
            nation=nation,
        )
        session.add(person)
        set_telephone(person, telephone)
        session.flush()
    else:
        _known(session, round_, person, actor)
        if person.name != name or (birth_date and birth_date != person.birth_date):
            raise OtherFacts
    applicant = Applicant(
        round_id=round_.id,
        round=round_,
        person=person,
        number=application_number or next_number(session, round_),
        created_at=now(session),
        groups=[Membership(group=code) for code in groups],
        **answers,
    )
    session.add(applicant)
    session.flush()
    record(
        session, actor, "applicant.enrol", f"applicant/{applicant.number}", round_id=round_.id,
        after={"identity_type": person.identity_type, "groups": list(groups), **answers},
    )  # fmt: skip
    return applicant


def _known(session: Session, round_: Round, person: Person, actor: Actor) -> None:
    here = session.scalar(
        select(Applicant.id).where(
            Applicant.round_id == round_.id, Applicant.person_id == person.id
        )
    )
    herself = person.user is not None and actor.name == f"applicant:{person.user.username}"
    if here is not None or not (herself or actor.role in (*STAFF, "system")):
        raise AlreadyEnrolled


def next_number(session: Session, round_: Round) -> str:
    """Year, season, running number; unique over the rounds of a season, as people log in by it."""
    prefix = f"{round_.year}{SEASONS[round_.season]}"
    last = session.scalar(
        select(func.max(Applicant.number)).where(
            Applicant.number.like(f"{prefix}_____"), func.length(Applicant.number) == 10
        )
    )
    running = int(last[len(prefix) :]) + 1 if last else 1
    if running > 99_999:
        raise OverflowError("no application number of five digits is left")
    return f"{prefix}{running:05d}"


# --- what is encrypted ------------------------------------------------------------------------


def number_of(person: Person) -> str:
    """The document number; pages show it masked."""
    return privacy.decrypt(person.number, f"person.number:{person.number_index}")


def telephone_of(person: Person) -> str:
    """The telephone number; staff pages show it masked."""
    return privacy.decrypt(person.telephone, f"person.telephone:{person.number_index}")


def set_telephone(person: Person, telephone: str) -> None:
    """Store a telephone number, encrypted; blank takes it away."""
    person.telephone = sealed_telephone(person.number_index, telephone)


def sealed_telephone(index: str, telephone: str) -> bytes:
    """A telephone number as the row of the person of that index holds it."""
    return privacy.encrypt(telephone, f"person.telephone:{index}") if telephone else b""


def guardian_telephone_of(applicant: Applicant) -> str:
    """The guardian's telephone number; staff pages show it masked."""
    place = f"applicant.guardian_telephone:{applicant.key}"
    return privacy.decrypt(applicant.guardian_telephone, place)


def ask_guardian_again(applicant: Applicant) -> None:
    """Her guardian is another, or is reached otherwise: what was agreed to counts no longer."""
    applicant.guardian_agreed_at = None
    applicant.guardian_agreed_how = ""


def set_guardian_telephone(applicant: Applicant, telephone: str) -> None:
    """Store the guardian's telephone number, encrypted; blank takes it away."""
    applicant.guardian_telephone = sealed_guardian_telephone(applicant.key, telephone)


def sealed_guardian_telephone(key: str, telephone: str) -> bytes:
    """A guardian's telephone number as the row of the application of that key holds it."""
    place = f"applicant.guardian_telephone:{key}"
    return privacy.encrypt(telephone, place) if telephone else b""
