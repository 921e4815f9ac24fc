"""Writing an application (报名): its steps, what is still missing, consents, submission, withdrawal.

Everything here is for the time in which a round takes applications; the clock decides, in the same
transaction that stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from . import calendar, choices, codes, people, policies, rounds, slips
from .audit import Actor, record
from .choices import Wish
from .db import now
from .models import Applicant, AuditEvent, ChoiceList, Consent, Membership, Round

GUARDIAN = "privacy.guardian_consent_under"
STEPS = ("identity", "schooling", "groups", "consents", "list")
STEP_NAMES = {
    "identity": _("身份与联系"),
    "schooling": _("学历与工作"),
    "groups": _("人员类别与证明"),
    "consents": _("同意书"),
    "list": _("志愿"),
}

GUARDIAN_DATA = frozenset({"guardian", "guardian_relation", "guardian_telephone"})
IDENTITY = ("district", "household_district", "household_kind", "guardian", "guardian_relation")
SCHOOLING = (
    "education", "school", "graduated", "fresh", "employment", "certificate", "skill_level",
    "study_forms", "boarding", "health",
)  # fmt: skip


@dataclass(frozen=True)
class Text:
    """A consent: what it is about, its version, and whether applying needs it."""

    code: str
    version: str
    needed: bool
    title: Any
    sentences: tuple[Any, ...]


PUBLIC = "public"
TEXTS = (
    Text("basic", "2026-1", True, _("处理个人信息"), (
        _("姓名、证件、联系方式用于报名和录取。"), _("证件号码和电话加密保存。"))),
    Text("passing", "2026-1", True, _("提供给院校和企业"), (
        _("所填志愿的院校看到您的报名材料。"), _("企业在您确认录取后才看到姓名。"))),
    Text(PUBLIC, "2026-2", False, _("公示姓名（可以不同意）"), (
        _("录取后公示报名号，期满即撤下。"), _("同意的，同时公示遮盖的姓名。"),
        _("不同意的，名字不公开，录取不受影响。"))),
    Text("honest", "2026-1", True, _("诚信承诺"), (
        _("所填内容真实，如有不实自担责任。"),)),
    Text("sensitive", "2026-1", False, _("敏感信息（可以不同意）"), (
        _("指健康、残疾、困难家庭等信息。"), _("只用于核对人员类别和岗位条件。"),
        _("不同意也能报名，只是不用这些类别。"))),
    Text("minor", "2026-1", False, _("未成年人信息"), (
        _("由监护人阅读并同意。"), _("监护人参与提交、确认和签约。"))),
)  # fmt: skip
"""Our default wording; an operator puts the year's own in its place, under a new version."""


class Stale(ValueError):
    """Somebody stored another version in the meantime."""


class Incomplete(ValueError):
    """Something must be filled in first; ``missing`` are (step, code)."""

    def __init__(self, missing: Sequence[tuple[str, str]]):
        self.missing = tuple(missing)
        super().__init__(str(self.missing))


class NoGuardian(ValueError):
    """A minor's submission or answer without her guardian's code or a signed paper."""


class NotConfirmed(ValueError):
    """What an office typed needs the applicant's own code or the number of a signed print."""


def lock(session: Session, applicant: Applicant) -> datetime:
    """The applicant and her open round, locked; gives the time.

    Raises
    ------
    web.rounds.Moved
        If the round does not take applications now.
    """
    session.refresh(applicant, with_for_update=True)
    return rounds.lock_open(session, applicant.round_id)[1]


def is_minor(session: Session, applicant: Applicant) -> bool:
    """Whether her guardian takes part today."""
    today = calendar.local(now(session)).date()
    return people.is_minor(applicant.person, today, guardian_under(applicant.round))


def guardian_under(round_: Round) -> int:
    """The age from which nobody needs her guardian's consent in a round."""
    under: int = policies.flow(round_, GUARDIAN)
    return under


# --- the steps --------------------------------------------------------------------------------


def save(
    session: Session,
    applicant: Applicant,
    version: int,
    step: str,
    answers: Mapping[str, Any],
    actor: Actor,
    private: Mapping[str, str] | None = None,
) -> None:
    """Store one step's answers.

    Parameters
    ----------
    answers
        Columns of the applicant.
    private
        ``name`` (until it was verified), ``telephone``, ``guardian_telephone``: never in the record.

    Raises
    ------
    Stale
        If the row has moved on since the form was shown.
    """
    lock(session, applicant)
    _take_version(applicant, version)
    before = {name: getattr(applicant, name) for name in answers}
    for name, value in answers.items():
        setattr(applicant, name, value)
    changed = _save_private(applicant, private or {})
    after = {name: value for name, value in answers.items() if before[name] != value}
    if GUARDIAN_DATA & {*after, *changed}:
        people.ask_guardian_again(applicant)
    record(
        session, actor, f"applicant.{step}", f"applicant/{applicant.number}",
        round_id=applicant.round_id, before={name: before[name] for name in after},
        after=after | dict.fromkeys(changed, "…"),
    )  # fmt: skip


def _take_version(applicant: Applicant, version: int) -> None:
    if applicant.version != version:
        raise Stale
    applicant.version += 1


def _save_private(applicant: Applicant, private: Mapping[str, str]) -> list[str]:
    person, changed = applicant.person, []
    if "name" in private and person.verified_at is None and private["name"] != person.name:
        person.name = private["name"]
        changed.append("name")
    if "telephone" in private and private["telephone"] != people.telephone_of(person):
        people.set_telephone(person, private["telephone"])
        changed.append("telephone")
    if "guardian_telephone" in private:
        if private["guardian_telephone"] != people.guardian_telephone_of(applicant):
            changed.append("guardian_telephone")
        people.set_guardian_telephone(applicant, private["guardian_telephone"])
    return changed


def save_groups(
    session: Session,
    applicant: Applicant,
    version: int,
    claimed: Mapping[str, str],
    actor: Actor,
) -> None:
    """Store which groups she claims, by code, with what proves each; what was verified stays so."""
    lock(session, applicant)
    _take_version(applicant, version)
    before = {g.group: g.evidence for g in applicant.groups}
    kept = {g.group: g for g in applicant.groups if g.group in claimed}
    for code, evidence in claimed.items():
        held = kept.setdefault(code, Membership(group=code))
        if held.evidence != evidence:
            held.evidence, held.state, held.decided_by, held.decided_at = (
                evidence,
                "claimed",
                "",
                None,
            )
    applicant.groups = list(kept.values())
    record(
        session, actor, "applicant.groups", f"applicant/{applicant.number}",
        round_id=applicant.round_id, before=before, after=dict(claimed),
    )  # fmt: skip


def consents(session: Session, applicant: Applicant) -> dict[str, Consent]:
    """The last answer to each consent text."""
    rows = session.scalars(
        select(Consent).where(Consent.applicant_id == applicant.id).order_by(Consent.id)
    )
    return {held.text: held for held in rows}


def named_in_public(session: Session, applicants: Iterable[int]) -> set[int]:
    """Which of these applicants, by their ids, agreed that their masked names are made public."""
    return _agreed(session, Consent.applicant_id.in_(list(applicants)))


def all_named_in_public(session: Session, round_: Round) -> set[int]:
    """Which applicants of a round, by their ids, agreed to that."""
    mine = select(Applicant.id).where(Applicant.round_id == round_.id)
    return _agreed(session, Consent.applicant_id.in_(mine))


def _agreed(session: Session, whose: Any) -> set[int]:
    rows = session.execute(
        select(Consent.applicant_id, Consent.given)
        .where(Consent.text == PUBLIC, whose)
        .order_by(Consent.id)
    )
    last = dict(rows.all())
    return {id_ for id_, given in last.items() if given}


def save_consents(
    session: Session, applicant: Applicant, version: int, given: Iterable[str], actor: Actor
) -> list[str]:
    """Store the answers to the consent texts, each with the version shown.

    Returns
    -------
    list of str
        The sensitive groups that are no longer used, as she did not agree to it.
    """
    moment = lock(session, applicant)
    _take_version(applicant, version)
    ticked = set(given)
    for text in TEXTS:
        session.add(
            Consent(
                applicant_id=applicant.id, text=text.code, version=text.version,
                given=text.code in ticked, at=moment,
            )
        )  # fmt: skip
    dropped = []
    if "sensitive" not in ticked:
        dropped = [g.group for g in applicant.groups if g.group in codes.SENSITIVE]
        applicant.groups = [g for g in applicant.groups if g.group not in codes.SENSITIVE]
        applicant.health = ""
    record(
        session, actor, "applicant.consents", f"applicant/{applicant.number}",
        round_id=applicant.round_id,
        after={"given": sorted(ticked), "versions": {t.code: t.version for t in TEXTS},
               "dropped": dropped},
    )  # fmt: skip
    return dropped


def missing(session: Session, applicant: Applicant) -> list[tuple[str, str]]:
    """What must still be filled in before a list can be submitted, as (step, code)."""
    person, minor = applicant.person, is_minor(session, applicant)
    asked = [
        ("identity", "birth_date", person.birth_date),
        ("identity", "telephone", person.telephone),
        ("identity", "district", applicant.district),
        ("identity", "guardian", not minor or applicant.guardian),
        ("identity", "guardian_telephone", not minor or applicant.guardian_telephone),
        ("schooling", "education", applicant.education),
        ("schooling", "study_forms", applicant.study_forms),
        ("groups", "groups", applicant.groups),
    ]
    found = [(step, code) for step, code, held in asked if not held]
    given = consents(session, applicant)
    wanted = [t for t in TEXTS if t.needed or (t.code == "minor" and minor)]
    if not all(t.code in given and given[t.code].given for t in wanted):
        found.append(("consents", "consents"))
    return found


def first_open_step(session: Session, applicant: Applicant) -> str:
    """The step to go on with."""
    found = missing(session, applicant)
    return found[0][0] if found else "list"


# --- submitting -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proof:
    """How others take part in a submission: the guardian's code, and for what an office types the
    applicant's own code or the number of the print that she signed."""

    guardian_code: str = ""
    guardian_paper: str = ""
    own_code: str = ""
    signed_print: str = ""


def submit(
    session: Session,
    applicant: Applicant,
    wish: Wish,
    actor: Actor,
    idempotency_key: str,
    last_seen: int,
    most: int,
    proof: Proof,
) -> ChoiceList:
    """Submit a list.  The same key again gives the list that it made the first time, even later.

    Parameters
    ----------
    last_seen
        Number of the submitted list that the person saw, 0 for none.
    most
        Greatest length of a list; 0 for any.

    Raises
    ------
    web.rounds.Moved, Stale, Incomplete, web.choices.NotAccepted, NoGuardian, NotConfirmed
        See there; nothing is stored.
    """
    session.refresh(applicant, with_for_update=True)
    if (again := choices.made_before(session, applicant, idempotency_key)) is not None:
        return again
    _, moment = rounds.lock_open(session, applicant.round_id)
    held = choices.submitted(session, applicant)
    if (held.number if held else 0) != last_seen:
        raise Stale
    gaps = missing(session, applicant)
    if applicant.state == "withdrawn":
        gaps.append(("list", "withdrawn"))
    if gaps:
        raise Incomplete(gaps)
    if found := choices.problems(session, applicant.round_id, wish, most):
        raise choices.NotAccepted(found)
    _guardian(session, applicant, actor, proof)
    _confirmation(session, applicant, actor, proof)
    made = choices.submit(session, applicant, wish, actor, idempotency_key, moment)
    if applicant.state in ("draft", "returned"):
        applicant.state = "submitted"
    choices.save_draft(session, applicant, wish, actor)
    return made


def guardian_agreed(applicant: Applicant) -> bool:
    """Whether her guardian has taken part in this round, and is still the one who did."""
    return applicant.guardian_agreed_at is not None


def guardian_how(session: Session, applicant: Applicant, code: str = "", paper: str = "") -> str:
    """How her guardian takes part: ``code``, or the number of a signed paper; blank where nobody need.

    Raises
    ------
    NoGuardian
        If she is a minor, and there is neither.
    """
    if not is_minor(session, applicant):
        return ""
    if paper:
        return f"paper:{paper}"
    if slips.fitting(session, applicant.person, code, ("guardian",)):
        return "code"  # the guardian keeps the code: it is not spent
    raise NoGuardian


def _guardian(session: Session, applicant: Applicant, actor: Actor, proof: Proof) -> None:
    if not is_minor(session, applicant):
        return
    try:
        how = guardian_how(session, applicant, proof.guardian_code, proof.guardian_paper)
    except NoGuardian:
        if not guardian_agreed(applicant):
            raise
        how = ""
    if how:
        applicant.guardian_agreed_at = now(session)
        applicant.guardian_agreed_how = how
    record(
        session, actor, "applicant.guardian", f"applicant/{applicant.number}",
        round_id=applicant.round_id, after={"how": how or f"earlier:{applicant.guardian_agreed_how}"},
    )  # fmt: skip


def _confirmation(session: Session, applicant: Applicant, actor: Actor, proof: Proof) -> None:
    if actor.role == "applicant":
        if applicant.entered_by and not applicant.entry_confirmed:
            applicant.entry_confirmed = "code"
        return
    slip = slips.fitting(session, applicant.person, proof.own_code, ("activate", "recover"))
    if proof.signed_print:
        applicant.entry_confirmed = f"print:{proof.signed_print}"
    elif slip is not None:
        applicant.entry_confirmed = "code"  # shown, not spent: it still opens her account
    else:
        raise NotConfirmed


def confirm_entry(session: Session, applicant: Applicant, actor: Actor) -> None:
    """She confirms, in an account opened with her own code, what an office typed."""
    session.refresh(applicant, with_for_update=True)
    applicant.entry_confirmed = "code"
    applicant.version += 1
    record(
        session, actor, "applicant.confirm_entry", f"applicant/{applicant.number}",
        round_id=applicant.round_id, after={"entry_confirmed": "code"},
    )  # fmt: skip


# --- leaving ----------------------------------------------------------------------------------


def withdraw(session: Session, applicant: Applicant, actor: Actor) -> None:
    """Take the application back, while the round takes applications."""
    _turn(session, applicant, "withdrawn", actor)


def restore(session: Session, applicant: Applicant, actor: Actor) -> None:
    """Take a withdrawal back, while the round takes applications."""
    held = choices.submitted(session, applicant)
    _turn(session, applicant, "submitted" if held else "draft", actor)


def _turn(session: Session, applicant: Applicant, state: str, actor: Actor) -> None:
    lock(session, applicant)
    before = applicant.state
    applicant.state = state
    applicant.version += 1
    record(
        session, actor, "applicant.state", f"applicant/{applicant.number}",
        round_id=applicant.round_id, before={"state": before}, after={"state": state},
    )  # fmt: skip


ASK_DELETION = "applicant.ask_deletion"


def ask_deletion(session: Session, applicant: Applicant, actor: Actor, reason: str) -> None:
    """Record that she asks for her data to be deleted; people decide, by the retention rules."""
    record(
        session, actor, ASK_DELETION, f"applicant/{applicant.number}",
        round_id=applicant.round_id, reason=reason,
    )  # fmt: skip


def deletion_asked(session: Session, applicant: Applicant) -> datetime | None:
    """When she asked for deletion, if she did."""
    return session.scalar(
        select(AuditEvent.at)
        .where(
            AuditEvent.action == ASK_DELETION,
            AuditEvent.row == f"applicant/{applicant.number}",
            AuditEvent.round_id == applicant.round_id,
        )
        .order_by(AuditEvent.id.desc())
        .limit(1)
    )
