"""The text of the three-party agreement (三方预就业协议): its versions, its blanks, how it is read.

A text is lines: ``# `` begins a heading, ``! `` a sentence that must stand out, and ``{name}`` is a
blank.  A version is never changed; a new one holds once a second person has confirmed it, and an
agreement that was made keeps the version it was made of.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from string import Formatter

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from . import reviewing
from .audit import SYSTEM, Actor, record
from .db import now
from .models import AgreementText
from .posting import Refused, Stale

FIRST = Path(__file__).parent / "reference" / "agreement.txt"
LONGEST = 20_000

PARTIES = {
    "student": lazy_gettext("学生"),
    "guardian": lazy_gettext("监护人"),
    "enterprise": lazy_gettext("企业"),
    "college": lazy_gettext("院校"),
}
BLANKS = {
    "number": lazy_gettext("协议编号"), "enterprise": lazy_gettext("企业"),
    "college": lazy_gettext("院校"), "student": lazy_gettext("学生姓名"),
    "application_number": lazy_gettext("报名号"), "guardian": lazy_gettext("监护人"),
    "round": lazy_gettext("轮次"), "class_name": lazy_gettext("班级名称"),
    "major": lazy_gettext("专业名称"), "level": lazy_gettext("培养层次"),
    "study_form": lazy_gettext("学习形式"), "years": lazy_gettext("学制（年）"),
    "hired_on_entry": lazy_gettext("招生即招工试点"), "post": lazy_gettext("岗位名称"),
    "post_district": lazy_gettext("工作区市"), "wage": lazy_gettext("薪酬区间"),
    "internship_date": lazy_gettext("岗位实习开始"), "hire_date": lazy_gettext("入职日期"),
}  # fmt: skip
"""What a text may leave open, each with its label."""

NEEDED = ("number", "enterprise", "college", "student", "guardian", "internship_date", "hire_date")
"""Blanks without which nobody could tell whose agreement it is, or what was checked."""


# --- reading ----------------------------------------------------------------------------------


@cache
def first() -> str:
    """The text that the system brings: a model, to be read by a lawyer before it is signed."""
    return FIRST.read_text(encoding="utf-8")


def digest(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def current(session: Session) -> AgreementText | None:
    """The version of which agreements are made; none until the first was kept."""
    return session.scalar(
        select(AgreementText)
        .where(AgreementText.confirmed_at.is_not(None))
        .order_by(AgreementText.number.desc())
        .limit(1)
    )


def versions(session: Session) -> list[AgreementText]:
    """Every version, the last first."""
    return list(session.scalars(select(AgreementText).order_by(AgreementText.number.desc())))


def waiting(session: Session) -> AgreementText | None:
    """The version that waits for a second person."""
    return session.scalar(
        select(AgreementText).where(
            AgreementText.confirmed_at.is_(None), AgreementText.withdrawn_at.is_(None)
        )
    )


def filled(body: str, terms: Mapping[str, str]) -> str:
    """A text with its blanks filled in."""
    return body.format_map(terms)


def lines(text: str) -> Iterator[tuple[str, str]]:
    """The lines of a text, each with its kind: ``title``, ``head``, ``strong`` or ``plain``."""
    kinds = {"# ": "head", "! ": "strong"}
    held = [line.strip() for line in text.splitlines() if line.strip()]
    for at, line in enumerate(held):
        kind = kinds.get(line[:2], "plain")
        said = line if kind == "plain" else line[2:]
        yield ("title" if at == 0 else kind), said


def differences(before: str, after: str) -> list[tuple[str, str]]:
    """What changed between two texts, line by line: (``-``, ``+`` or blank, the line)."""
    return [
        (line[0].strip(), line[2:])
        for line in difflib.ndiff(before.splitlines(), after.splitlines())
        if line[0] != "?"
    ]


def problems(body: str) -> list[str]:
    """What keeps a text from being a version."""
    if len(body) > LONGEST:
        return [_("文本太长，最多 %(n)s 字。", n=LONGEST)]
    try:
        names = [
            (name, bool(form or conversion))
            for _said, name, form, conversion in Formatter().parse(body)
            if name is not None
        ]
    except ValueError:
        return [_("花括号没有成对。空格写成 {student} 这样。")]
    unknown = list(dict.fromkeys(name for name, odd in names if odd or name not in BLANKS))
    found = [_("没有“%(name)s”这个空格，请从下表中选。", name=name) for name in unknown]
    held = {name for name, _odd in names}
    found += [
        _("文本里必须有 {%(name)s}（%(label)s）。", name=name, label=BLANKS[name])
        for name in NEEDED
        if name not in held
    ]
    if "不等同于劳动合同" not in body:
        found.append(_("文本里必须写明“不等同于劳动合同”。"))
    return found


# --- changing ---------------------------------------------------------------------------------


def hold(session: Session) -> AgreementText:
    """The version that holds; the first one is kept when it is first needed."""
    if (held := current(session)) is not None:
        return held
    moment = now(session)
    with suppress(IntegrityError), session.begin_nested():  # of two at once one is in time
        session.add(
            AgreementText(
                number=1, body=first(), digest=digest(first()), author=SYSTEM.name, at=moment,
                confirmed_by=SYSTEM.name, confirmed_at=moment,
            )
        )  # fmt: skip
    return session.scalars(select(AgreementText).where(AgreementText.number == 1)).one()


def propose(session: Session, body: str, reason: str, actor: Actor, seen: int) -> AgreementText:
    """A new version, which holds once a second coordinator confirms it.

    Parameters
    ----------
    seen
        Number of the last version when the form was opened.

    Raises
    ------
    posting.Refused, posting.Stale
        If the text, or somebody else's version, stands against it.
    """
    held = hold(session)
    last = session.scalar(select(func.max(AgreementText.number))) or 0
    if max(seen, 1) != last:
        newest = session.scalars(select(AgreementText).where(AgreementText.number == last)).one()
        raise Stale(last, {"body": newest.body})
    body = "\n".join(line.rstrip() for line in body.strip().splitlines()) + "\n"
    if found := problems(body):
        raise Refused({"body": found})
    if not reason:
        raise Refused({"reason": [_("请写明为什么改，以备查。")]})
    if waiting(session) is not None:
        raise Refused({"": [_("已有一个版本等人确认，请先确认或撤回它。")]})
    if body == held.body:
        raise Refused({"body": [_("和现行版本一样，没有改动。")]})
    made = AgreementText(
        number=last + 1, body=body, digest=digest(body), reason=reason, author=actor.name,
        at=now(session),
    )  # fmt: skip
    session.add(made)
    session.flush()
    record(session, actor, "agreement_text.propose", f"agreement_text/{made.number}",
           after={"digest": made.digest}, reason=reason)  # fmt: skip
    return made


def confirm(session: Session, held: AgreementText, actor: Actor) -> None:
    """Confirm another's version: agreements are made of it from now on."""
    _still_waiting(session, held)
    if held.author == actor.name:
        raise reviewing.SecondPerson(_("这是您自己写的，须由另一位协调员确认。"))
    held.confirmed_by, held.confirmed_at = actor.name, now(session)
    record(session, actor, "agreement_text.confirm", f"agreement_text/{held.number}",
           after={"digest": held.digest})  # fmt: skip


def withdraw(session: Session, held: AgreementText, actor: Actor) -> None:
    """Drop a version that waits; the row stays."""
    _still_waiting(session, held)
    held.withdrawn_at = now(session)
    record(session, actor, "agreement_text.withdraw", f"agreement_text/{held.number}")


def _still_waiting(session: Session, held: AgreementText) -> None:
    session.refresh(held, with_for_update=True)
    if held.confirmed_at or held.withdrawn_at:
        raise Refused({"": [_("这个版本已经确认或撤回。")]})
