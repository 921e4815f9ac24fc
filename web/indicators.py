"""The indicators of a round's statistics: each with its formula, its numerator and its denominator.

An indicator that nothing in the system determines is present and says 未启用; so does one whose stage of
the round has not come.  One whose denominator is nobody has no value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext, lazy_gettext

from . import codes
from .statistics import Facts, Numbers, Someone

_ = lazy_gettext

COUNTED, NOBODY, NOT_ENABLED = "counted", "nobody", "not_enabled"


@dataclass(frozen=True)
class Indicator:
    """An indicator of one round."""

    key: str
    label: str
    formula: str
    numerator: int | None = None
    denominator: int | None = None
    detail: str = ""
    times: bool = False
    """Said as so many to one rather than as a percentage."""

    @property
    def status(self) -> str:
        """``counted``, ``nobody`` in the denominator, or ``not_enabled``."""
        if self.numerator is None or self.denominator is None:
            return NOT_ENABLED
        return COUNTED if self.denominator else NOBODY

    @property
    def value(self) -> str:
        """The indicator in print."""
        if self.status == NOT_ENABLED:
            return str(gettext("未启用"))
        if self.status == NOBODY or self.numerator is None or self.denominator is None:
            return "—"
        if self.times:
            return f"{decimal(self.numerator, self.denominator, 2)} : 1"
        return percent(self.numerator, self.denominator)


def percent(numerator: int | None, denominator: int | None) -> str:
    """A share in per cent to one digit, half up; a dash where there is none."""
    if numerator is None or not denominator:
        return "—"
    return f"{decimal(100 * numerator, denominator, 1)}%"


def decimal(numerator: int, denominator: int, digits: int) -> str:
    """A quotient to so many digits, half up, by whole numbers alone."""
    scale = int(10**digits)
    sign, size = ("-" if numerator < 0 else ""), abs(numerator)
    scaled = (2 * size * scale + denominator) // (2 * denominator)
    return f"{sign}{scaled // scale}.{scaled % scale:0{digits}}"


Pair = tuple[int | None, int | None]
Rule = Callable[[Facts, Numbers], Pair]


def _ratio(numerator: str, denominator: str) -> Rule:
    return lambda _facts, all_: (all_[numerator], all_[denominator])


def _never(_facts: Facts, _all: Numbers) -> Pair:
    return None, None


def _held(facts: Facts, all_: Numbers) -> Pair:
    if all_["confirmed"] is None:
        return None, None
    return sum(who.held is not None for who in facts.people), all_["seats"]


def _passed(facts: Facts, all_: Numbers) -> Pair:
    return sum(who.passed for who in facts.people), all_["seats"]


def _first_three(facts: Facts, all_: Numbers) -> Pair:
    if facts.published is None:
        return None, None
    top = sum(who.placed is not None and 1 <= (who.rank or 0) <= 3 for who in facts.people)
    return top, all_["applied"]


def _unplaced(facts: Facts, all_: Numbers) -> Pair:
    if facts.published is None:
        return None, None
    return len(_missed(facts)), all_["applied"]


def _missed(facts: Facts) -> list[Someone]:
    """Who listed something and was not placed."""
    return [who for who in facts.people if who.listed and who.place is None]


def _filled(facts: Facts, all_: Numbers) -> Pair:
    if facts.published is None:
        return None, None
    open_ = [one.number for one in facts.seats.values() if one.order_class in facts.opened]
    inside = sum(
        number
        for (at, _groups, _beyond), number in facts.places.items()
        if facts.seats[at].order_class in facts.opened
    )
    return inside, sum(open_)


def _interest(facts: Facts, all_: Numbers) -> Pair:
    wanted = facts.policy.groups_of_interest
    if facts.published is None or not wanted:
        return None, None
    inside = sum(
        number
        for (_at, groups, _beyond), number in facts.places.items()
        if any(g in wanted for g in groups)
    )
    return inside, all_["placed"]


def _key_seats(facts: Facts, all_: Numbers) -> Pair:
    wanted = facts.policy.key_industries
    if not wanted:
        return None, None
    inside = [one.number for one in facts.seats.values() if one.values["industry"] in wanted]
    return sum(inside), all_["seats"]


def _key_placed(facts: Facts, all_: Numbers) -> Pair:
    wanted = facts.policy.key_industries
    if not wanted or facts.published is None:
        return None, None
    inside = sum(
        number
        for (at, _groups, _beyond), number in facts.places.items()
        if facts.seats[at].values["industry"] in wanted
    )
    return inside, all_["placed"]


def _fit(facts: Facts, _all: Numbers) -> Pair:
    """Counted by the run that was published, which alone read the scores."""
    if facts.published is None:
        return None, None
    report = facts.published.run.summary.get("report", {})
    for line in report.get("indicators", ()):
        if line["key"] == "fit" and line["status"] != NOT_ENABLED:
            return line["numerator"], line["denominator"]
    return None, None


def _left(facts: Facts, all_: Numbers) -> Pair:
    if all_["registered"] is None:
        return None, None
    return sum(who.left for who in facts.people), all_["registered"]


def _stayed(facts: Facts, all_: Numbers) -> Pair:
    left, registered = _left(facts, all_)
    return (None, None) if left is None or registered is None else (registered - left, registered)


TABLE: tuple[tuple[str, Any, Any, Rule], ...] = (
    ("plan_completion", _("计划完成率（录取口径）"), _("录取人数 ÷ 计划人数"),
     _ratio("placed", "seats")),
    ("plan_completion_confirmed", _("计划完成率（确认口径）"),
     _("现在持有席位的人数 ÷ 计划人数"), _held),
    ("plan_completion_checked_in", _("计划完成率（报到口径）"), _("报到人数 ÷ 计划人数"),
     _ratio("checked_in", "seats")),
    ("passed_per_seat", _("报录比"), _("审核通过人数 ÷ 计划人数"), _passed),
    ("first_choice", _("第一志愿满足率"), _("公示时第一志愿录取人数 ÷ 审核通过且填志愿人数"),
     _ratio("placed_first", "passed")),
    ("first_choice_share", _("第一志愿录取占比"), _("公示时第一志愿录取人数 ÷ 录取人数"),
     _ratio("placed_first", "placed")),
    ("first_three_choices", _("志愿满足率（前三志愿）"),
     _("公示时前三志愿录取人数 ÷ 填志愿人数（报名人数）"), _first_three),
    ("adjusted", _("调剂率"), _("公示时调剂录取人数 ÷ 录取人数"), _ratio("placed_adjusted", "placed")),
    ("unplaced", _("落选率"), _("填了志愿而未录取的人数 ÷ 填志愿人数（报名人数）"), _unplaced),
    ("classes_opened", _("开班率"), _("开班数 ÷ 计划班数"), _ratio("opened", "classes")),
    ("classes_filled", _("满班率"), _("已开班的录取人数 ÷ 已开班的计划人数"), _filled),
    ("groups_of_interest", _("失业青年·农民工纳入率"),
     _("重点统计群体（规则参数，默认失业青年和农民工）的录取人数 ÷ 录取人数；一人兼两类只计一次"), _interest),
    ("relaxed_age", _("放宽年龄录取率"), _("放宽年龄录取人数 ÷ 录取人数"), _ratio("relaxed", "placed")),
    ("key_industry_seats", _("重点产业席位占比"), _("重点领域产业的计划人数 ÷ 计划人数"), _key_seats),
    ("key_industry_placed", _("重点产业录取占比"), _("重点领域产业的录取人数 ÷ 录取人数"), _key_placed),
    ("fit", _("精准匹配率"), _("公示时契合度达到门槛的录取人数 ÷ 公示录取人数；门槛是规则参数"), _fit),
    ("signing", _("签约率"), _("三方协议生效人数 ÷ 确认人数"), _ratio("signed", "confirmed")),
    ("check_in", _("报到率"), _("报到人数 ÷ 确认人数"), _ratio("checked_in", "confirmed")),
    ("registration", _("注册率"), _("学籍注册人数 ÷ 报到人数"), _ratio("registered", "checked_in")),
    ("attrition", _("流失率"), _("注册后一年内退出的人数 ÷ 注册人数"), _left),
    ("consolidation", _("巩固率"), _("注册后一年内没有退出的人数 ÷ 注册人数"), _stayed),
    ("retention", _("留任率（6 个月、12 个月）"), _("期末仍在订单企业的人数 ÷ 入职人数"), _never),
    ("matched_employment", _("对口就业率"), _("岗位与专业一致的人数 ÷ 就业人数"), _never),
    ("workshop_hours", _("企业车间课时达标班率"), _("车间课时占比不低于 0.5 的班数 ÷ 有课时数据的班数"), _never),
    ("core_practice", _("核心技能达标班率"), _("核心技能课时比不低于 1.5 的班数 ÷ 有基准的班数"), _never),
    ("seats_honoured", _("岗位兑现率"), _("实际录用人数 ÷ 订单席位"), _never),
    ("equipment_sharing", _("设备共享使用率"), _("已用时段 ÷ 可用时段"), _never),
    ("teacher_exchange", _("师资互聘率"), _("参与互聘的教师 ÷ 师资库教师"), _never),
    ("rotation_posts", _("人均轮岗岗位数"), _("不同岗位数之和 ÷ 学生人数"), _never),
    ("certificates", _("取证率"), _("获相应等级证书的人数 ÷ 结业人数"), _never),
)  # fmt: skip
"""Every indicator: key, name, formula with its denominator, and how it is counted."""

OF_PLAN = (
    "plan_completion", "plan_completion_confirmed", "plan_completion_checked_in", "passed_per_seat",
    "classes_opened", "classes_filled", "key_industry_seats", "fit",
)  # fmt: skip
"""Indicators of the plan as a whole, which a district's own people have no share in."""

UNPLACED = {
    "not_reached": _("名次未到"), "barred": _("志愿都不符合资格"), "failed": _("审核未通过"),
}  # fmt: skip


def indicators(facts: Facts) -> list[Indicator]:
    """Every indicator of a round, in the order of the sheet."""
    all_ = facts.total
    found = []
    for key, label, formula, rule in TABLE:
        if facts.district and key in OF_PLAN:
            continue
        pair = rule(facts, all_)
        above, below = (None, None) if None in pair else pair
        found.append(
            Indicator(
                key, str(label), str(formula), above, below,
                detail=_detail(facts, key), times=key == "passed_per_seat",
            )
        )  # fmt: skip
    return found


def _detail(facts: Facts, key: str) -> str:
    """What is said beside a figure: the reasons of the unplaced, or the threshold that holds."""
    if key == "unplaced" and facts.published is not None:
        missed = Counter(who.reason if who.passed else "failed" for who in _missed(facts))
        parts = [f"{name} {missed[code]}" for code, name in UNPLACED.items() if missed[code]]
        return str(gettext("、")).join(parts)
    if key == "fit" and facts.policy.fit_threshold is not None:
        return str(gettext("门槛 %(least)s", least=facts.policy.fit_threshold))
    if key == "groups_of_interest":
        wanted = codes.join(facts.policy.groups_of_interest)
        return codes.words(codes.GROUPS, wanted)
    return ""


@dataclass(frozen=True)
class OfGroup:
    """A group: its people who applied, those placed, and of all placed."""

    label: str
    applied: int
    placed: int
    all_placed: int

    @property
    def coverage(self) -> str:
        """群体覆盖率."""
        return percent(self.placed, self.applied)

    @property
    def share(self) -> str:
        """群体占比."""
        return percent(self.placed, self.all_placed)


def of_groups(facts: Facts) -> list[OfGroup]:
    """Coverage and share of every group that anybody belongs to; none before publication."""
    if facts.published is None:
        return []
    applied = Counter(g for who in facts.people if who.listed for g in who.values["group"])
    placed = Counter[str]()
    for (_at, groups, _beyond), number in facts.places.items():
        for group in groups:
            placed[group] += number
    everybody = facts.total["placed"] or 0
    return [
        OfGroup(codes.word(codes.GROUPS, group), applied[group], placed[group], everybody)
        for group in sorted(applied)
    ]
