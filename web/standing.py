"""Whether a person may choose a class, said at once and with the rule: four answers.

可报 · 可报（放宽，依据） · 需审批 · 不可报（规则）.  The law itself is :func:`matcher.check`; here it is
asked for one person and one program, and its findings are put into words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

import matcher

from . import codes
from .models import Applicant, Decision, OrderClass, PolicyVersion, Program, Round

OPEN, RELAXED, APPROVAL, BARRED = "open", "relaxed", "approval", "barred"
ANSWERS = (OPEN, RELAXED, APPROVAL, BARRED)
"""The four answers, best first."""

SET_ASIDE = ("age", "approval", "education", "skill_level")
"""The rules that an approval in a single case sets aside."""

Line = tuple[str, str, str]
Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Standing:
    """One of the four answers, the rules behind it, and for a relaxed age what it rests on."""

    answer: str
    rules: tuple[Line, ...] = ()
    """(rule, the person's value, the limit)."""
    basis: str = ""

    @property
    def may_be_listed(self) -> bool:
        """Whether the class may stand on her list."""
        return self.answer != BARRED


def label(answer: str) -> str:
    """The answer as pages say it."""
    said = {
        OPEN: _("可报"),
        RELAXED: _("可报（放宽）"),
        APPROVAL: _("需审批"),
        BARRED: _("不可报"),
    }
    return str(said[answer])


# --- the facts that rules read ----------------------------------------------------------------


def person_facts(applicant: Applicant) -> dict[str, str]:
    """What the rules read of an applicant; a group that was refused is not hers."""
    born = applicant.person.birth_date
    return {
        "applicant": "A",
        "birth_date": born.isoformat() if born else "",
        "groups": codes.join(g.group for g in applicant.groups if g.state != "refused"),
        "education": applicant.education,
        "skill_level": applicant.skill_level,
        "study_forms": applicant.study_forms,
        "health": applicant.health,
        "review": applicant.review,
    }


def class_facts(order_class: OrderClass) -> dict[str, str]:
    """What the rules read of a class."""
    until = order_class.college.member_until
    held = {
        "order_class": "C",
        "study_form": order_class.study_form,
        "level": order_class.level,
        "entry_education": order_class.entry_education,
        "entry_skill": order_class.entry_skill,
        "age_min": order_class.age_min,
        "age_max": order_class.age_max,
        "health": order_class.health,
        "internship_date": order_class.internship_date,
        "hire_date": order_class.hire_date,
        "college_member_until": until,
    }
    return {name: "" if value is None else str(value) for name, value in held.items()}


def program_facts(program: Program) -> dict[str, str]:
    """What the rules read of a program."""
    until = program.enterprise.member_until
    return {
        "program": "P",
        "forbid_minor": "1" if program.forbid_minor else "",
        "enterprise_member_until": until.isoformat() if until else "",
    }


def policy_of(round_: Round) -> matcher.Policy:
    """The rules of a round; the defaults where none were set."""
    held: PolicyVersion | None = round_.policy
    return _policy(held.toml if held else "")


@lru_cache(maxsize=64)
def _policy(toml: str) -> matcher.Policy:
    return matcher.Policy.from_toml(toml.encode())


# --- the answer -------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def _check(
    person: Facts, program: Facts, course: Facts, policy: matcher.Policy
) -> tuple[Line, ...]:
    return tuple(matcher.check(dict(person), dict(program), dict(course), policy))


@lru_cache(maxsize=64)
def _without_relaxation(policy: matcher.Policy) -> matcher.Policy:
    rules = tuple(replace(rule, relaxed_max=None) for rule in policy.age_rules)
    return replace(policy, age_rules=rules)


def standing(session: Session, applicant: Applicant, program: Program) -> Standing:
    """How the law sees an applicant at a program now, with what was decided in her case."""
    return standings(session, applicant, [program])[program.code]


def standings(
    session: Session, applicant: Applicant, programs: list[Program]
) -> dict[str, Standing]:
    """The same of many programs, by code; what was decided is read once."""
    decided = session.scalars(
        select(Decision).where(
            Decision.applicant_id == applicant.id, Decision.confirmed_at.is_not(None)
        )
    ).all()
    person, policy = person_facts(applicant), policy_of(applicant.round)
    return {p.code: _standing(person, p, policy, decided) for p in programs}


def best(found: list[Standing]) -> Standing:
    """Of a class's programs the one that answers best."""
    return min(found, key=lambda s: ANSWERS.index(s.answer))


def _standing(
    person: Mapping[str, str],
    program: Program,
    policy: matcher.Policy,
    decisions: Sequence[Decision],
) -> Standing:
    mine = [d for d in decisions if d.program_id == program.id]
    rejected = next((d for d in mine if d.decision == "rejected"), None)
    course = class_facts(program.order_class)
    asked = (
        tuple(person.items()), tuple(program_facts(program).items()), tuple(course.items()),
    )  # fmt: skip
    lines = _check(*asked, policy)
    approvals = [d for d in mine if d.decision == "approved"]
    aside = [line for line in lines if _approved(line[0], approvals, policy)]
    left = tuple(line for line in lines if line not in aside)
    if rejected is not None:
        left = (("rejected", rejected.basis, ""), *left)
    if any(rule != "approval" for rule, _value, _limit in left):
        return Standing(BARRED, tuple(line for line in left if line[0] != "approval") or left)
    if left:
        return Standing(APPROVAL, left)
    if aside:
        return Standing(RELAXED, tuple(aside), approvals[0].basis)
    strict = _check(*asked, _without_relaxation(policy))
    if any(rule == "age" for rule, _value, _limit in strict):
        over = tuple(line for line in strict if line[0] == "age")
        return Standing(RELAXED, over, _relaxed_by(person, course, int(over[0][1]), policy))
    return Standing(OPEN)


def _approved(rule: str, approvals: list[Decision], policy: matcher.Policy) -> bool:
    if rule not in SET_ASIDE or (rule == "age" and not policy.case_by_case):
        return False
    return any(d.rule == rule or (not d.rule and rule in ("age", "approval")) for d in approvals)


def _relaxed_by(
    person: Mapping[str, str], course: Mapping[str, str], age: int, policy: matcher.Policy
) -> str:
    """The basis of the relaxed age rule that admits her."""
    for group in codes.split(person["groups"]) or [""]:
        asked = (group, course["study_form"], course["level"])
        matching = [
            rule
            for rule in policy.age_rules
            if all(part in ("*", own) for part, own in zip(rule.key, asked, strict=True))
        ]
        rule = max(matching, key=lambda r: r.precedence, default=None)
        if (
            rule
            and rule.relaxed_max
            and rule.max is not None
            and rule.max < age <= rule.relaxed_max
        ):
            return rule.basis
    return ""


# --- in words ---------------------------------------------------------------------------------


def sentence(rule: str, value: str, limit: str) -> str:
    """What a rule says to the person herself: her value and the limit."""
    return str(SENTENCES[rule](value, limit))


def _age(value: str, limit: str) -> Any:
    if value in ("", "-1"):
        return _("没有出生日期，不能确认年龄。")
    if int(value) < int(limit):
        return _("您 %(value)s 岁，须满 %(limit)s 岁。", value=value, limit=limit)
    return _("您 %(value)s 岁，不能超过 %(limit)s 岁。", value=value, limit=limit)


def _class_age(value: str, limit: str) -> Any:
    if value in ("", "-1"):
        return _("没有出生日期，不能确认年龄。")
    if int(value) < int(limit):
        return _("您 %(value)s 岁，本班须满 %(limit)s 岁。", value=value, limit=limit)
    return _("您 %(value)s 岁，本班不超过 %(limit)s 岁。", value=value, limit=limit)


def _known(table: Mapping[str, object], text: str) -> Any:
    return codes.words(table, text) or _("没有填")


SENTENCES: dict[str, Callable[[str, str], Any]] = {
    "review": lambda value, _limit: _(
        "资格审核未通过：%(value)s。", value=codes.word(codes.REVIEWS, value)
    ),
    "rejected": lambda value, _limit: _("企业面试未通过：%(value)s。", value=value),
    "declined": lambda _value, _limit: _("您放弃了这个席位。"),
    "membership": lambda value, limit: _(
        "院校或企业的成员资格到 %(value)s 为止。", value=value
    ),
    "age": _age,
    "approval": lambda value, limit: _(
        "您 %(value)s 岁，超过 %(limit)s 岁须个案审批。", value=value, limit=limit
    ),
    "class_age": _class_age,
    "education": lambda value, limit: _(
        "学历要求：%(limit)s；您：%(value)s。",
        value=_known(codes.HELD_EDUCATIONS, value), limit=codes.word(codes.EDUCATIONS, limit),
    ),
    "skill_level": lambda value, limit: _(
        "技能等级要求：%(limit)s；您：%(value)s。",
        value=_known(codes.SKILL_LEVELS, value), limit=codes.word(codes.SKILL_LEVELS, limit),
    ),
    "study_form": lambda value, limit: _(
        "本班是%(limit)s；您接受：%(value)s。",
        value=_known(codes.STUDY_FORMS, value), limit=codes.word(codes.STUDY_FORMS, limit),
    ),
    "health": lambda value, _limit: _(
        "您没有填身体条件：%(value)s。", value=codes.words(codes.HEALTH, value)
    ),
    "minor": lambda value, limit: _(
        "未成年人不能上这个岗位：那时您 %(value)s 岁。", value=value
    ),
    "work_age": lambda value, limit: _(
        "上岗时您 %(value)s 岁，须满 %(limit)s 岁。", value=value, limit=limit
    ),
    "channel": lambda _value, limit: _("您没有考核通道 %(limit)s 的成绩。", limit=limit),
    "absent": lambda value, _limit: _(
        "%(value)s缺考，按规则不录取。", value=codes.word(codes.COMPONENTS, value)
    ),
    "interview": lambda value, limit: _(
        "面试 %(value)s 分，合格线 %(limit)s 分。", value=value or "—", limit=limit
    ),
    "total": lambda value, limit: _(
        "综合成绩 %(value)s 分，合格线 %(limit)s 分。", value=value or "—", limit=limit
    ),
}  # fmt: skip
"""One sentence a rule of :data:`matcher.RULES`."""
