"""The public draw (公开摇号): typed by one person, typed again by another, made into the seed.

Nobody chooses the seed: it follows from the digest that was published a day before and from an event
that everybody can watch.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from . import jobs, rounds
from .audit import Actor, record
from .db import now
from .models import Draw, Round
from .snapshot import draw_file, snapshot_of

KINDS = {
    "dice": lazy_gettext("二十枚十面骰，公证摇号"),
    "kl8": lazy_gettext("快乐8开奖号码"),
    "witnessed": lazy_gettext("二十枚十面骰，见证人在场（备用）"),
}
DIGITS, NUMBERS, HIGHEST = 20, 20, 80
ISSUE = re.compile(r"[0-9]{4,12}")


class NotADraw(ValueError):
    """What was typed is no value of such a draw; ``problems`` say why."""

    def __init__(self, problems: list[str]):
        self.problems = problems
        super().__init__(" ".join(problems))


class Differs(ValueError):
    """The second person typed another value than the first; this is on record."""


class SamePerson(ValueError):
    """Whoever typed the value cannot confirm it."""


class NotNow(ValueError):
    """There is no draw to confirm, or it has been confirmed already."""


# --- values -----------------------------------------------------------------------------------


def canonical(kind: str, value: str) -> str:
    """The value as it enters the seed: digits alone, or numbers parted by one blank.

    Examples
    --------
    >>> canonical("dice", "01234 56789 ０１２３４ 56789")
    '01234567890123456789'
    """
    plain = unicodedata.normalize("NFKC", value).strip()
    if kind == "kl8":
        return " ".join(re.split(r"[\s,，、;]+", plain))
    return re.sub(r"\s", "", plain)


def problems(kind: str, value: str) -> list[str]:
    """What keeps a value from being one of its kind of draw, in words."""
    if kind not in KINDS:
        return [_("请选择摇号方式")]
    text = canonical(kind, value)
    return _kl8_problems(text.split()) if kind == "kl8" else _dice_problems(text)


def issue_problems(kind: str, issue: str) -> list[str]:
    """What is wrong with the issue of a draw of 快乐8; other draws have none."""
    if kind != "kl8":
        return [_("只有快乐8填期号")] if issue else []
    return [] if ISSUE.fullmatch(issue) else [_("期号是 4 到 12 位数字，例如 2026123")]


def _dice_problems(text: str) -> list[str]:
    found = []
    if re.search(r"[^0-9]", text):
        found.append(_("只能有数字 0 到 9，按掷出的次序写"))
    if len(text) != DIGITS:
        found.append(_("要 %(n)s 位数字，现在是 %(found)s 位", n=DIGITS, found=len(text)))
    return found


def _kl8_problems(numbers: list[str]) -> list[str]:
    found = []
    wrong = [n for n in numbers if not re.fullmatch(r"[0-9]{2}", n) or not 1 <= int(n) <= HIGHEST]
    if wrong:
        found.append(_("号码是 01 到 80 的两位数字，不是：%(wrong)s", wrong="、".join(wrong[:5])))
    if len(numbers) != NUMBERS:
        found.append(_("要 %(n)s 个号码，现在是 %(found)s 个", n=NUMBERS, found=len(numbers)))
    again = sorted({n for n in numbers if numbers.count(n) > 1})
    if again:
        found.append(_("号码重复：%(again)s", again="、".join(again[:5])))
    if not found and numbers != sorted(numbers):
        found.append(_("号码要由小到大"))
    return found


def seed_of(digest: str, kind: str, issue: str, value: str) -> str:
    """The seed: SHA-256 of the snapshot's digest and the draw's value, in hex."""
    text = ",".join([issue, *value.split()]) if kind == "kl8" else value
    return hashlib.sha256(f"orderclass-seed-1|{digest}|{text}".encode()).hexdigest()


# --- two people -------------------------------------------------------------------------------


def draw_of(session: Session, round_: Round) -> Draw | None:
    """The round's draw, confirmed or not."""
    return session.scalar(select(Draw).where(Draw.round_id == round_.id))


def enter(
    session: Session,
    round_: Round,
    kind: str,
    issue: str,
    value: str,
    witnesses: str,
    actor: Actor,
) -> Draw:
    """Type the value of the draw that was announced; until it is confirmed it may be typed anew.

    Raises
    ------
    NotADraw
        If the value, the issue or the witnesses are not as the kind asks.
    rounds.Moved, rounds.Blocked
        If the round is not frozen, or was frozen less than a day ago.
    NotNow
        If the draw was confirmed already.
    """
    issue, witnesses = canonical("dice", issue), witnesses.strip()
    found = problems(kind, value) + issue_problems(kind, issue)
    if kind == "witnessed" and not witnesses:
        found.append(_("请写见证人的姓名和单位"))
    if found:
        raise NotADraw(found)
    frozen = snapshot_of(session, round_)
    if round_.state != "FROZEN" or frozen is None:
        raise rounds.Moved(round_.state)
    early = [
        o
        for o in rounds.obstacles(session, round_, rounds.BY_NAME["draw"], actor)
        if o.code == "a_day_after_commitment"
    ]
    if early:
        raise rounds.Blocked(early)
    held = draw_of(session, round_)
    if held is not None and held.confirmed_at is not None:
        raise NotNow
    before = draw_file(held) if held else {}
    if held is None:
        held = Draw(round_id=round_.id)
        session.add(held)
    held.kind, held.issue, held.value = kind, issue, canonical(kind, value)
    held.witnesses = witnesses
    held.seed = seed_of(frozen.digest, kind, issue, held.value)
    held.entered_by, held.entered_at = actor.name, now(session)
    session.flush()
    record(
        session, actor, "draw.enter", f"round/{round_.serial}", round_id=round_.id,
        before=before, after=draw_file(held),
    )  # fmt: skip
    return held


def confirm(session: Session, round_: Round, value: str, actor: Actor) -> Draw:
    """Type the value a second time; the round is then drawn and its one run is queued.

    Raises
    ------
    NotNow, SamePerson
        If there is nothing that this person could confirm.
    Differs
        If the values differ.  The attempt is recorded: the session is committed before.
    """
    held = draw_of(session, round_)
    if held is None or held.confirmed_at is not None:
        raise NotNow
    if held.entered_by == actor.name:
        raise SamePerson
    if canonical(held.kind, value) != held.value:
        record(
            session, actor, "draw.differs", f"round/{round_.serial}", round_id=round_.id,
            before={"value": held.value}, after={"value": canonical(held.kind, value)[:100]},
        )  # fmt: skip
        session.commit()
        raise Differs
    held.confirmed_by, held.confirmed_at = actor.name, now(session)
    session.flush()
    rounds.take(session, round_, "draw", actor, held.seed, drawn_at=held.confirmed_at)
    toml = round_.policy.toml if round_.policy else ""
    jobs.queue(session, round_, "committed", toml, "", actor)
    return held
