"""The rules of a round in words, for everybody; what nobody has set says that it is our default."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from matcher import Policy

from . import codes, policies
from .models import Round

MECHANISMS = {
    "stable": lazy_gettext("公平录取：志愿和排名一起看，没有高分落榜"),
    "parallel": lazy_gettext("平行志愿：分数优先，遵循志愿"),
    "optimal": lazy_gettext("系统优化：先按目标次序求总体最好"),
    "max_placement": lazy_gettext("最大安置：没有高分落榜的前提下，录取人数最多"),
}
OBJECTIVES = {
    "placed": lazy_gettext("录取人数"), "reserves": lazy_gettext("预留席位录满"),
    "rank": lazy_gettext("志愿满足"), "fit": lazy_gettext("人岗契合"),
}  # fmt: skip
CLOSURES = {
    "exact": lazy_gettext("比较各种停开办法，取最好的"),
    "sequential": lazy_gettext("缺人最多的班先停开，再重新录取"),
}
RESERVE_ORDERS = {
    "reserves_first": lazy_gettext("先用预留席位"),
    "open_first": lazy_gettext("先用普通席位"),
}
ABSENT = {"bar": lazy_gettext("不予录取"), "zero": lazy_gettext("按零分计算")}
NO_LIMIT = lazy_gettext("不限")
BASES = (
    lazy_gettext("适当放宽招生年龄限制；数值为默认值（全日制）"),
    lazy_gettext("适当放宽招生年龄限制；数值为默认值（失业青年全日制）"),
    lazy_gettext("适当放宽招生年龄限制；数值为默认值（农民工全日制）"),
    lazy_gettext("适当放宽招生年龄限制；数值为默认值（退役军人全日制）"),
    lazy_gettext("适当放宽招生年龄限制；数值为默认值（高校毕业生全日制）"),
    lazy_gettext("适当放宽招生年龄限制；数值为默认值（国际学生全日制）"),
    lazy_gettext("适当放宽招生年龄限制；数值为默认值（非全日制）"),
    lazy_gettext("适当放宽招生年龄限制；数值为默认值（农民工非全日制）"),
    lazy_gettext("适当放宽招生年龄限制；数值为默认值（退役军人非全日制）"),
    lazy_gettext("适当放宽招生年龄限制；数值为默认值（企业在岗职工非全日制）"),
    lazy_gettext("适当放宽招生年龄限制；数值为默认值（高素质农民非全日制）"),
    lazy_gettext("适当放宽招生年龄限制；数值为默认值（社会培训；上限参照法定退休年龄）"),
    lazy_gettext("适当放宽招生年龄限制；数值为默认值（国际学生社会培训）"),
    lazy_gettext("适当放宽招生年龄限制；数值为默认值（境外短期培训生社会培训）"),
)
"""What our default age rules say of themselves after the article: each is spoken by :func:`cited`."""


def cited(text: str) -> str:
    """Where a rule stands, as people read it: the short ``S§2`` names an article of the measures."""
    article, gap, rest = text.partition(" ")
    said = article + gap + (str(_(rest)) if rest else "")
    return re.sub(r"S§(\d+)", lambda m: str(_("十条措施第%(n)s条", n=m[1])), said)


@dataclass(frozen=True)
class Rule:
    """One rule in words; ``default`` where its value is the program's own and nobody's decision."""

    label: str
    value: str
    default: bool


def in_words(toml: str) -> list[Rule]:
    """What a policy says, in the order in which people ask."""
    policy, plain = Policy.from_toml(toml.encode()), Policy()
    return [
        Rule(str(label), str(words(getattr(policy, name))),
             getattr(policy, name) == getattr(plain, name))
        for name, label, words in SHOWN
    ]  # fmt: skip


def by_name(toml: str) -> dict[str, str]:
    """The same by the policy's own names: what a text puts into its sentences."""
    policy = Policy.from_toml(toml.encode())
    return {name: str(words(getattr(policy, name))) for name, _label, words in SHOWN}


def _joined(names: Mapping[str, Any]) -> Callable[[tuple[str, ...]], str]:
    return lambda held: " → ".join(str(names.get(code, code)) for code in held) or str(_("没有"))


def _of(names: Mapping[str, Any]) -> Callable[[str], str]:
    return lambda code: str(names.get(code, code))


def _or_none(value: object) -> str:
    return str(NO_LIMIT) if value in (None, "", 0) else str(value)


def _listed(word: Callable[[str], str]) -> Callable[[tuple[str, ...]], str]:
    return lambda held: str(_("、")).join(map(word, held)) or str(_("没有"))


def _yes(value: bool) -> str:
    return str(_("可以") if value else _("不可以"))


SHOWN: tuple[tuple[str, Any, Callable[[Any], str]], ...] = (
    ("title", lazy_gettext("规则名称"), _or_none),
    ("status", lazy_gettext("规则状态"), _or_none),
    ("basis", lazy_gettext("依据文件"), _listed(cited)),
    ("mechanism", lazy_gettext("录取方式"), _of(MECHANISMS)),
    ("objective", lazy_gettext("目标次序"), _joined(OBJECTIVES)),
    ("rank", lazy_gettext("志愿序的算法"), _of(policies.CODES)),
    ("closure", lazy_gettext("班级人数不足时"), _of(CLOSURES)),
    ("reserve_order", lazy_gettext("预留和普通席位"), _of(RESERVE_ORDERS)),
    ("max_choices", lazy_gettext("最多填几个志愿"), _or_none),
    ("reference_date", lazy_gettext("年龄算到哪一天"), _or_none),
    ("case_by_case", lazy_gettext("个案审批能否放宽年龄"), _yes),
    ("min_internship_age", lazy_gettext("岗位实习最低年龄"), _or_none),
    ("min_hire_age", lazy_gettext("入职最低年龄"), _or_none),
    ("minor_under", lazy_gettext("未成年工年龄界限"), _or_none),
    ("membership_date", lazy_gettext("联盟成员资格核对日"), _or_none),
    ("score_min", lazy_gettext("最低分"), _or_none),
    ("score_max", lazy_gettext("最高分"), _or_none),
    ("score_absent", lazy_gettext("缺考的"), _of(ABSENT)),
    ("pass_total", lazy_gettext("综合成绩合格线"), _or_none),
    ("pass_interview", lazy_gettext("面试合格线"), _or_none),
    ("score_digits", lazy_gettext("综合成绩小数位数"), str),
    ("tiebreak", lazy_gettext("同分时依次比较"), _joined(codes.COMPONENTS)),
    ("fit_threshold", lazy_gettext("精准匹配的契合度门槛"), _or_none),
    ("key_industries", lazy_gettext("重点领域产业"), _listed(_of(codes.INDUSTRIES))),
    ("groups_of_interest", lazy_gettext("重点统计的群体"), _listed(_of(codes.GROUPS))),
    ("time_s", lazy_gettext("求解时限（秒）"), _or_none),
    ("memory_mb", lazy_gettext("求解内存上限（MB）"), _or_none),
)  # fmt: skip

PERIODS = (
    "days.publicity", "days.appeal_reply", "days.confirm", "days.agreement", "days.hour",
    "public.cutoff_min", "privacy.public_retention_days", "privacy.guardian_consent_under",
    "privacy.evidence_days", "privacy.message_days", "privacy.login_failure_days",
    "privacy.import_days", "privacy.print_days", "privacy.contact_days", "privacy.unplaced_days",
    "privacy.placed_days", "privacy.payload_days",
)  # fmt: skip


def periods(round_: Round) -> list[Rule]:
    """Periods in working days, and what protects single people."""
    found = []
    for parameter in map(policies.BY_KEY.__getitem__, PERIODS):
        value = policies.flow(round_, parameter.key)
        shown = f"{value} {parameter.unit}"
        found.append(Rule(str(parameter.label), shown, value == parameter.default))
    return found


def channels(toml: str) -> list[tuple[str, ...]]:
    """The weights of each channel, component by component."""
    policy = Policy.from_toml(toml.encode())
    return [
        (held.channel, *(str(dict(held.weights).get(c, "")) for c in policies.COMPONENTS))
        for held in policy.channels
    ]


def ages(toml: str) -> list[tuple[str, ...]]:
    """The table of ages: for whom, from, to, relaxed to, single cases above, and on what basis."""
    policy = Policy.from_toml(toml.encode())
    return [
        tuple(_age_cell(name, getattr(rule, name)) for name in AGE_COLUMNS)
        for rule in policy.age_rules
    ]


AGE_COLUMNS = (
    "group", "study_form", "level", "min", "max", "relaxed_max", "needs_approval_above", "basis",
)  # fmt: skip


def _age_cell(name: str, value: object) -> str:
    if value == "*":
        return str(NO_LIMIT)
    names = {"group": codes.GROUPS, "study_form": codes.STUDY_FORMS, "level": codes.LEVELS}
    if name in names:
        return str(names[name].get(str(value), value))
    return "" if value is None else cited(str(value))
