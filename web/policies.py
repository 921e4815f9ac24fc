"""The rules of a round as data: which parameters there are, who reads each, and every version of them.

A parameter names its consumer: a key of ``policy.toml``, which the mathematics reads; a key of the
workflow, which gates, calendars and forms read; or nobody (仅供参考), and then it cannot be edited.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from matcher import InvalidRound, Issue, Policy

from . import codes, words
from .audit import Actor, record
from .db import now
from .models import PolicyVersion, Round

START = Path(__file__).parent / "reference" / "policy.toml"
EDITABLE = ("DRAFT", "ANNOUNCED", "OPEN", "REVIEW")
"""States in which rules may change; from the lock on they are committed."""

Document = dict[str, Any]
"""A ``policy.toml`` as flat keys (``score.min``), with its tables as lists of rows."""


class Committed(ValueError):
    """The round is locked: its rules stand in the public commitment."""


class Stale(ValueError):
    """Somebody made a newer version since the form was opened."""


class NoReason(ValueError):
    """A change of rules was not given a reason."""


@dataclass(frozen=True)
class Parameter:
    """One parameter: its label, where its value comes from, and who reads it.

    ``kind`` says how it is typed: ``text``, ``texts``, ``int``, ``decimal``, ``date``, ``flag``,
    ``code``, ``order`` (of codes), ``percent`` or ``rows``.
    """

    key: str
    label: Any
    kind: str
    source: str
    consumer: str
    """``policy``, ``workflow`` or ``reference``."""
    section: str
    unit: Any = ""
    default: Any = None
    codes: tuple[str, ...] = ()

    @property
    def editable(self) -> bool:
        """Whether anything reads it, so that changing it changes something."""
        return self.consumer != "reference"

    @property
    def ours(self) -> bool:
        """Whether the value is this system's default and no regulation's."""
        return "D" in re.split(r"[^A-Za-z-]+", self.source)

    @property
    def name(self) -> str:
        """Its field's name in a form."""
        return self.key.replace(".", "-")


YEARS, DAYS, PEOPLE, SHARE = _("周岁"), _("个工作日"), _("人"), _("比例")
MECHANISMS = ("stable", "parallel", "optimal", "max_placement")
OBJECTIVES = ("placed", "reserves", "rank", "fit")
COMPONENTS = tuple(codes.COMPONENTS)
SECTIONS = {
    "mechanism": _("录取方式"),
    "eligibility": _("资格与年龄"),
    "score": _("成绩"),
    "choices": _("志愿"),
    "plan": _("计划"),
    "reserve": _("预留"),
    "days": _("期限"),
    "public": _("公开与个人信息"),
    "report": _("统计口径"),
    "limits": _("计算限制"),
    "reference": _("仅供参考"),
}


def _policy(key: str, label: Any, kind: str, source: str, section: str, **rest: Any) -> Parameter:
    return Parameter(key, label, kind, source, "policy", section, **rest)


def _flow(key: str, label: Any, kind: str, source: str, section: str, **rest: Any) -> Parameter:
    return Parameter(key, label, kind, source, "workflow", section, **rest)


def _shown(key: str, label: Any, value: Any, source: str) -> Parameter:
    return Parameter(key, label, "text", source, "reference", "reference", default=value)


PARAMETERS: tuple[Parameter, ...] = (
    _policy("policy.title", _("规则名称"), "text", "S", "mechanism"),
    _policy("policy.status", _("规则状态"), "text", "S", "mechanism"),
    _policy("policy.basis", _("依据文件"), "texts", "S", "mechanism"),
    _policy("mechanism.name", _("录取机制"), "code", "F/D", "mechanism", codes=MECHANISMS),
    _policy("mechanism.objective", _("目标优先级"), "order", "D/S§2", "mechanism", codes=OBJECTIVES),
    _policy("mechanism.rank", _("志愿序的算法"), "code", "D", "mechanism",
            codes=("min_cost", "rank_maximal", "generous")),
    _policy("mechanism.closure", _("停开班的办法"), "code", "D", "mechanism",
            codes=("exact", "sequential")),
    _policy("mechanism.reserve_order", _("预留与普通席位的先后"), "code", "D", "mechanism",
            codes=("reserves_first", "open_first")),
    _policy("age.reference_date", _("年龄计算基准日"), "date", "D", "eligibility"),
    _policy("age.case_by_case", _("个案放宽审批"), "flag", "S§2+D", "eligibility"),
    _policy("age_rule", _("分群体分学习形式年龄范围"), "rows", "S§2 + D", "ages", unit=YEARS),
    _policy("work.min_internship_age", _("岗位实习最低年龄"), "int", "F 实习规定16条", "eligibility",
            unit=YEARS),
    _policy("work.min_hire_age", _("入职最低年龄"), "int", "M-hi 禁止使用童工规定", "eligibility",
            unit=YEARS),
    _policy("work.minor_under", _("未成年工年龄界限"), "int", "M-hi 劳动法58条", "eligibility",
            unit=YEARS),
    _policy("membership.date", _("联盟成员资格核对日"), "date", "S§2 + D", "eligibility"),
    _policy("score_channel", _("考核通道与权重"), "rows", "F/D", "channels", unit=SHARE),
    _policy("score.min", _("最低分"), "decimal", "D", "score"),
    _policy("score.max", _("最高分"), "decimal", "D", "score"),
    _policy("score.digits", _("综合成绩小数位"), "int", "D", "score"),
    _policy("score.absent", _("单项缺考"), "code", "F", "score", codes=("bar", "zero")),
    _policy("score.pass_total", _("综合成绩合格线"), "decimal", "D", "score"),
    _policy("score.pass_interview", _("面试合格线"), "decimal", "D", "score"),
    _policy("score.tiebreak", _("同分排序"), "order", "F/D", "score", codes=COMPONENTS),
    _policy("preferences.max", _("志愿数上限"), "int", "D; F 5", "choices"),
    _flow("class.size_max.FT", _("班额上限（全日制）"), "int", "D/M-med", "plan", unit=PEOPLE, default=50),
    _flow("class.size_max.PT", _("班额上限（非全日制）"), "int", "D/M-med", "plan", unit=PEOPLE,
          default=45),
    _flow("class.size_max.ST", _("班额上限（社会培训）"), "int", "D/M-med", "plan", unit=PEOPLE,
          default=40),
    _flow("class.min_open.FT", _("最低开班人数（全日制）"), "int", "D/M-med", "plan", unit=PEOPLE,
          default=20),
    _flow("class.min_open.PT", _("最低开班人数（非全日制）"), "int", "D/M-med", "plan", unit=PEOPLE,
          default=18),
    _flow("class.min_open.ST", _("最低开班人数（社会培训）"), "int", "D/M-med", "plan", unit=PEOPLE,
          default=15),
    _flow("enterprise.intern_share_max", _("实习生占在岗职工比例提醒线"), "percent",
          "F 2016 + M-hi 2021", "plan", default=0.1),
    _flow("enterprise.post_intern_share_max", _("同岗位实习生比例提醒线"), "percent",
          "F 2016 + M-hi 2021", "plan", default=0.2),
    _flow("reserve.G05", _("失业青年预留比例"), "percent", "D", "reserve", default=0.1),
    _flow("reserve.G06", _("农民工预留比例（非全日制、社会培训）"), "percent", "D", "reserve", default=0.1),
    _flow("reserve.G07", _("退役军人预留比例"), "percent", "D", "reserve", default=0.05),
    _flow("reserve.G08", _("脱贫家庭预留比例"), "percent", "D", "reserve", default=0.03),
    _flow("reserve.G09", _("残疾人预留比例"), "percent", "D", "reserve", default=0),
    _flow("reserve.G10", _("低保、特困家庭预留比例"), "percent", "D", "reserve", default=0),
    _flow("days.publicity", _("公示期"), "int", "D + 各地 5–7 日", "days", unit=DAYS, default=5),
    _flow("days.appeal_reply", _("复核答复期限"), "int", "D", "days", unit=DAYS, default=5),
    _flow("days.confirm", _("确认期限"), "int", "D", "days", unit=DAYS, default=3),
    _flow("days.agreement", _("协议签署期限"), "int", "D", "days", unit=DAYS, default=10),
    _flow("days.hour", _("期限末日的截止钟点"), "int", "D", "days", unit=_("时"), default=24),
    _flow("public.cutoff_min", _("公布录取末位所需人数"), "int", "D", "public", unit=PEOPLE, default=5),
    _flow("privacy.public_retention_days", _("公示页最长保留"), "int", "D", "public", unit=_("天"),
          default=30),
    _flow("privacy.guardian_consent_under", _("须监护人同意的年龄"), "int", "D/F", "public", unit=YEARS,
          default=18),
    _flow("privacy.evidence_days", _("证明材料审核后保留"), "int", "D", "public", unit=_("天"),
          default=30),
    _flow("privacy.message_days", _("消息保留"), "int", "D", "public", unit=_("天"), default=180),
    _flow("privacy.login_failure_days", _("登录失败记录保留"), "int", "D", "public", unit=_("天"),
          default=30),
    _flow("privacy.import_days", _("没有存入的导入文件保留"), "int", "D", "public", unit=_("天"),
          default=30),
    _flow("privacy.print_days", _("打印好的通知书文件保留"), "int", "D", "public", unit=_("天"),
          default=30),
    _flow("privacy.contact_days", _("电话联系记录保留"), "int", "D", "public", unit=_("天"), default=365),
    _flow("privacy.unplaced_days", _("归档后未录取人员的个人信息保留"), "int", "D", "public",
          unit=_("天"), default=365),
    _flow("privacy.placed_days", _("已录取人员的个人信息，学制期满后保留"), "int", "D", "public",
          unit=_("天"), default=1095),
    _flow("privacy.payload_days", _("操作日志内容保留（日志链不删）"), "int", "D", "public", unit=_("天"),
          default=1095),
    _policy("report.fit_threshold", _("精准匹配的契合度门槛"), "int", "S§2 + D", "report"),
    _policy("report.key_industries", _("重点领域产业代码"), "texts", "S§1", "report"),
    _policy("report.groups_of_interest", _("重点统计的群体"), "texts", "S§2", "report"),
    _policy("limits.time_s", _("求解时限"), "int", "D", "limits", unit=_("秒")),
    _policy("limits.memory_mb", _("求解内存上限"), "int", "D", "limits", unit="MB"),
    _shown("group.G05.age", _("失业青年年龄口径"), "16–35", "D"),
    _shown("group.G05.registration_required", _("失业青年须失业登记"), _("是"), "D"),
    _shown("group.G06.min_months", _("农民工从业月数"), "6", "F (NBS)"),
    _shown("eligibility.no_first_year_internship", _("一年级不得岗位实习"), _("是"), "F 实习规定16条"),
    _shown("eligibility.sex_requirement", _("性别限制"), _("不接受"), "M-hi 就业促进法"),
    _shown("enterprise.seat_overfill", _("席位上浮比例"), "0", "D"),
    _shown("reserve.release", _("未用预留释放"), _("同轮最后阶段"), "D"),
    _shown("pref.obey_scopes", _("服从调剂范围"), _("同院校、同行业、同区市、全联盟"), "D"),
    _shown("round.count_max", _("轮次上限"), "3", "D"),
    _shown("date.register_autumn", _("秋季学籍注册截止"), "10-20", "F (甘肃)"),
    _shown("date.register_spring", _("春季学籍注册截止"), "04-20", "F"),
    _shown("days.transfer_window", _("转班窗口（天）"), "14", "F"),
    _shown("privacy.mask_name", _("姓名掩码"), _("保留首尾"), "D"),
    _shown("privacy.public_fields", _("公示字段"), _("报名号、掩码姓名、院校、班级、录取方式"), "D"),
)  # fmt: skip

BY_KEY = {parameter.key: parameter for parameter in PARAMETERS}
CODES: dict[str, Any] = {
    "stable": _("公平录取（稳定匹配）"),
    "parallel": _("平行志愿"),
    "optimal": _("系统优化"),
    "max_placement": _("最大安置"),
    "placed": _("录取人数"),
    "reserves": _("预留兑现"),
    "rank": _("志愿序"),
    "fit": _("契合度"),
    "min_cost": _("总名次最小"),
    "rank_maximal": _("先保第一志愿最多"),
    "generous": _("先使末位志愿最少"),
    "exact": _("统筹决定停开"),
    "sequential": _("逐个停开缺口最大的班"),
    "reserves_first": _("先预留后普通"),
    "open_first": _("先普通后预留"),
    "bar": _("缺考不予录取"),
    "zero": _("缺考按零分"),
    "culture": _("文化素质"),
    "skill": _("技能测试"),
    "interview": _("面试"),
    "experience": _("从业经历"),
    "language": _("语言"),
}
"""What the codes of parameters are called."""


# --- reading ----------------------------------------------------------------------------------


def current(session: Session, round_: Round) -> Policy:
    """The rules of a round as they stand."""
    held = round_.policy
    return Policy.from_toml(held.toml.encode()) if held else starting(round_)


def starting(round_: Round) -> Policy:
    """The rules that a new round begins with: defaults, to be changed to the year's own scheme."""
    return _of_round(Policy.from_toml(START.read_bytes()), round_)


def _of_round(policy: Policy, round_: Round) -> Policy:
    return replace(
        policy,
        reference_date=_in_year(policy.reference_date, round_.year),
        membership_date=_in_year(policy.membership_date, round_.year),
        round=round_.serial,
        demo=round_.demo,
        seed="",
    )


def _in_year(day: str, year: int) -> str:
    return date.fromisoformat(day).replace(year=year).isoformat() if day else ""


def workflow(session: Session, round_: Round) -> dict[str, Any]:
    """What gates, calendars and forms read, by key; among them ``pref.max`` of the policy."""
    found = {p.key: flow(round_, p.key) for p in PARAMETERS if p.consumer == "workflow"}
    return found | {"pref.max": current(session, round_).max_choices}


def flow(round_: Round, key: str) -> Any:
    """One parameter of the workflow as it stands."""
    held = round_.policy.workflow if round_.policy else {}
    return held.get(key, BY_KEY[key].default)


def versions(session: Session, round_: Round) -> Sequence[PolicyVersion]:
    """Every version of a round's rules, the last first."""
    return session.scalars(
        select(PolicyVersion)
        .where(PolicyVersion.round_id == round_.id)
        .order_by(PolicyVersion.number.desc())
    ).all()


def document(policy: Policy) -> Document:
    """The policy as flat keys and values, tables as lists of rows."""
    found: Document = {}
    for declared in fields(policy):
        key, value = declared.metadata["key"], getattr(policy, declared.name)
        if key == "age_rule":
            value = [
                {f.name: v for f in fields(rule) if (v := getattr(rule, f.name)) is not None}
                for rule in value
            ]
        elif key == "score_channel":
            value = [{"channel": c.channel, **dict(c.weights)} for c in value]
        elif isinstance(value, tuple):
            value = list(value)
        found[key] = value
    return found


def values(session: Session, round_: Round) -> Document:
    """Every parameter's value in a round, by key."""
    return _values(document(current(session, round_)), workflow(session, round_))


def _values(policy: Document, flow: Mapping[str, Any]) -> Document:
    return {
        p.key: policy[p.key] if p.consumer == "policy" else flow.get(p.key, p.default)
        for p in PARAMETERS
    }


def written(flat: Document) -> str:
    """Flat keys and values as ``policy.toml``; what has no value is left out."""
    sections: dict[str, list[str]] = {}
    tables = []
    for key, value in flat.items():
        if key in ("age_rule", "score_channel"):
            tables += [
                "\n".join((f"[[{key}]]", *(f"{k} = {_literal(v)}" for k, v in row.items())))
                for row in value
            ]
        elif value is not None and value != "":
            section, _dot, name = key.partition(".")
            sections.setdefault(section, []).append(f"{name} = {_literal(value)}")
    heads = ["\n".join((f"[{name}]", *lines)) for name, lines in sections.items()]
    return "\n\n".join((*heads, *tables)) + "\n"


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    # a JSON string is a TOML string, but for the one control character that JSON lets stand
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def issues_of(toml: str) -> list[Issue]:
    """Everything that is wrong with a ``policy.toml``."""
    try:
        Policy.from_toml(toml.encode())
    except InvalidRound as error:
        return list(error.issues)
    return []


def flow_issues(flow: Mapping[str, Any]) -> list[Issue]:
    """Everything that is wrong with values of the workflow."""
    return [
        Issue("workflow", 0, key, "policy_value", str(value), limit)
        for key, value in flow.items()
        if (limit := _limit(BY_KEY.get(key), value))
    ]


MOST = {
    "days.hour": (24, "hour"),
    "privacy.public_retention_days": (30, "month"),
    "privacy.payload_days": (3650, "count"),
    "privacy.placed_days": (3650, "count"),
}
"""The greatest values that the workflow takes, and what is said beyond them."""


def _limit(parameter: Parameter | None, value: Any) -> str:
    """What a value of the workflow should have been; blank if it is right."""
    if parameter is None or parameter.consumer != "workflow":
        return "unknown"
    if parameter.kind == "percent":
        good = isinstance(value, int | float) and 0 <= value <= 1
        return "" if good else "percent"
    most, limit = MOST.get(parameter.key, (1000, "count"))
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
    return "" if good else limit


@dataclass(frozen=True)
class Difference:
    """One value that two versions of the rules have differently."""

    parameter: Parameter
    about: str
    before: Any
    after: Any


def differences(before: PolicyVersion, after: PolicyVersion) -> list[Difference]:
    """What changed from one version to the other; of a table, row by row."""
    a, b = (
        _values(document(Policy.from_toml(v.toml.encode())), v.workflow) for v in (before, after)
    )
    found = []
    for p in PARAMETERS:
        if p.kind == "rows":
            old, new = ({_row_key(row): row for row in side[p.key]} for side in (a, b))
            found += [
                Difference(p, key, old.get(key), new.get(key))
                for key in dict.fromkeys((*old, *new))
                if old.get(key) != new.get(key)
            ]
        elif a[p.key] != b[p.key]:
            found.append(Difference(p, "", a[p.key], b[p.key]))
    return found


def _row_key(row: Mapping[str, Any]) -> str:
    names = ("channel",) if "channel" in row else ("group", "study_form", "level")
    return " · ".join(str(row.get(name, "*")) for name in names)


# --- changing ---------------------------------------------------------------------------------


def start(
    session: Session,
    round_: Round,
    actor: Actor,
    toml: str = "",
    flow: Mapping[str, Any] | None = None,
) -> PolicyVersion:
    """The first version of a round's rules: the starting values, or those of another round, whose
    dates are put into this round's year."""
    policy = _of_round(Policy.from_toml(toml.encode()), round_) if toml else starting(round_)
    reason = str(_("沿用上一轮的规则") if toml else _("默认值，请按当年招生方案修改"))
    defaults = {p.key: p.default for p in PARAMETERS if p.consumer == "workflow"}
    return _store(session, round_, policy, defaults | dict(flow or {}), reason, actor)


def change(
    session: Session,
    round_: Round,
    toml: str,
    workflow: Mapping[str, Any],
    reason: str,
    actor: Actor,
    based_on: int | None = None,
) -> PolicyVersion:
    """A new version of a round's rules.

    Parameters
    ----------
    toml, workflow
        All rules as they shall stand; parameters of the workflow that are absent keep their value.
    based_on
        Number of the version that the change was made on, where a form knows it.

    Raises
    ------
    Committed
        From the lock on.
    Stale
        If a newer version was made meanwhile.
    NoReason
        Without a reason.
    matcher.InvalidRound
        With everything that is wrong with the rules.
    """
    session.refresh(round_, with_for_update=True)
    if round_.state not in EDITABLE:
        raise Committed(round_.state)
    last = latest(session, round_)
    if based_on is not None and based_on != last:
        raise Stale(str(last))
    if not reason.strip():
        raise NoReason
    if issues := issues_of(toml) + flow_issues(workflow):
        raise InvalidRound(issues)
    policy = Policy.from_toml(toml.encode())
    policy = replace(
        policy,
        round=round_.serial,
        demo=round_.demo,
        seed=policy.seed if round_.demo else "",
    )
    held = dict(round_.policy.workflow) if round_.policy else {}
    flow = held | dict(workflow)
    return _store(session, round_, policy, flow, reason.strip(), actor)


def latest(session: Session, round_: Round) -> int:
    """The number of the last version; 0 if there is none."""
    query = select(func.max(PolicyVersion.number)).where(PolicyVersion.round_id == round_.id)
    return session.scalar(query) or 0


def _store(
    session: Session,
    round_: Round,
    policy: Policy,
    flow: Mapping[str, Any],
    reason: str,
    actor: Actor,
) -> PolicyVersion:
    before = round_.policy
    made = PolicyVersion(
        round_id=round_.id,
        number=latest(session, round_) + 1,
        toml=policy.to_toml(),
        workflow=dict(flow),
        reason=reason,
        author=actor.name,
        at=now(session),
    )
    session.add(made)
    session.flush()
    round_.policy = made
    changed = differences(before, made) if before else []
    record(
        session, actor, "policy.change", f"round/{round_.serial}", round_id=round_.id,
        before={_place(d): d.before for d in changed},
        after={"version": made.number, **{_place(d): d.after for d in changed}}, reason=reason,
    )  # fmt: skip
    return made


def _place(difference: Difference) -> str:
    return " ".join(filter(None, (difference.parameter.key, difference.about)))


# --- words ------------------------------------------------------------------------------------

PROBLEMS: dict[str, Any] = {
    "policy_value": _("填的“%(value)s”不符合要求，应为：%(limit)s"),
    "rank_before_placed": _("“志愿序”要排在“录取人数”之后"),
    "rank_costs_decrease": _("志愿代价要从小到大"),
    "forbidden_character": _("有不能用的字符，请删去"),
    "missing_key": _("有年龄规则时必须填年龄计算基准日"),
    "duplicate_age_rule": _("“%(value)s”有两条规则，请只留一条"),
    "relaxed_below_max": _("放宽上限 %(value)s 小于普通上限 %(limit)s，请改大"),
    "max_below_min": _("上限 %(value)s 小于下限 %(limit)s，请改正"),
    "duplicate_channel": _("通道“%(value)s”写了两次，请只留一行"),
    "weights_sum": _("“%(value)s”：各项权重相加应为 1"),
    "unknown_key": _("没有“%(value)s”这一项，请删去"),
    "no_reason": _("请写明为什么改"),
    "toml_syntax": _("写法有误：%(value)s"),
}
KINDS: dict[str, Any] = {
    "count": _("不小于 0 的整数"),
    "choices": _("0 到 1000 的整数"),
    "int": _("整数"),
    "hour": _("0 到 24 的整数"),
    "month": _("0 到 30 的整数"),
    "percent": _("0 到 100 的数字"),
    "unknown": _("已有的参数"),
    "decimal": _("数字"),
    "date": _("日期，如 2026-09-01"),
    "age_rules": _("不小于 0 的整数"),
    "score_channels": _("不小于 0 的数字"),
}


def problem(issue: Issue) -> str:
    """What is wrong, and the way out, as a sentence."""
    limit = KINDS.get(issue.limit, issue.limit)
    return words.filled(str(PROBLEMS[issue.code]), {"value": issue.value, "limit": limit})


def typed(parameter: Parameter, text: str) -> Any:
    """What somebody typed as the value it stands for; as it is where it stands for none.

    Whether the value is right is for :func:`issues_of` and :func:`flow_issues` to say.
    """
    text = text.strip()
    if parameter.kind in ("int", "decimal") and re.fullmatch(r"-?[0-9]{1,20}", text):
        return int(text)
    if parameter.kind == "decimal" and re.fullmatch(r"-?[0-9]{1,20}\.[0-9]{1,20}", text):
        return Decimal(text)
    if parameter.kind == "percent" and re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,4})?", text):
        return float(Decimal(text) / 100)
    if parameter.kind == "flag":
        return text == "1"
    if parameter.kind in ("texts", "order"):
        return [item.strip() for item in re.split(r"[;；,，]", text) if item.strip()]
    return text


def as_typed(parameter: Parameter, value: Any) -> str:
    """A value as a form's field holds it; :func:`typed` takes it back."""
    if value is None:
        return ""
    if parameter.kind == "flag":
        return "1" if value else "0"
    if parameter.kind == "percent":
        return shown(parameter, value).removesuffix("%")
    if isinstance(value, list):
        return "；".join(value)
    return str(value)


def shown(parameter: Parameter, value: Any) -> str:
    """A value as people read it."""
    if value is None or value in ("", []):
        return str(_("未设置"))
    if isinstance(value, dict):
        return str(_("；")).join(f"{k} {v}" for k, v in value.items())
    if parameter.kind == "flag":
        return str(_("是") if value else _("否"))
    if parameter.kind == "percent":
        return f"{(Decimal(str(value)) * 100).normalize():f}%"
    if isinstance(value, list):
        return shown_list(value)
    return str(CODES.get(value, value)) if parameter.kind == "code" else str(value)


def shown_list(value: Iterable[Any]) -> str:
    """Several codes in their order."""
    items = list(value)
    if items and isinstance(items[0], dict):
        return words.filled(str(_("%(n)s 条")), {"n": len(items)})
    return " › ".join(str(CODES.get(item, item)) for item in items)
