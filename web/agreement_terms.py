"""What an agreement says of one place, and what the law keeps it from saying.

The days of internship and hiring are the class's; her age is judged on those days, not today.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from matcher import Policy

from . import codes, people, stages, words
from .audit import Actor, record
from .models import Applicant, Offer, OrderClass, Program, Round
from .posting import Refused, Stale


@dataclass(frozen=True)
class Bar:
    """One thing that stands against an agreement: a code, the day and the numbers it is about."""

    code: str
    day: date | None = None
    age: int = 0
    limit: int = 0


def sentence(bar: Bar) -> str:
    """A bar in words."""
    about = {"day": bar.day.isoformat() if bar.day else "", "age": bar.age, "limit": bar.limit}
    said = {
        "no_birth_date": _("出生日期没有登记，不能核对年龄。"),
        "no_internship_date": _("全日制班没有填岗位实习开始日期。"),
        "no_hire_date": _("班级没有填入职日期。"),
        "first_year": _("岗位实习 %(day)s 开始，还在一年级；一年级不得安排岗位实习。", **about),
        "internship_age": _(
            "岗位实习开始那天 %(age)s 周岁，不满 %(limit)s 周岁，不得岗位实习。", **about
        ),
        "hire_age": _("入职那天 %(age)s 周岁，不满 %(limit)s 周岁，不得录用。", **about),
        "forbidden_internship": _(
            "岗位禁忌未成年工；岗位实习开始那天 %(age)s 周岁，不满 %(limit)s 周岁。", **about
        ),
        "forbidden_hire": _(
            "岗位禁忌未成年工；入职那天 %(age)s 周岁，不满 %(limit)s 周岁。", **about
        ),
    }
    return str(said[bar.code])


def way_out() -> str:
    """What can be done about bars."""
    return str(_("请院校核对，改期后再生成协议。"))


def planned(order_class: OrderClass) -> tuple[date | None, date | None]:
    """The days of internship and hiring that an agreement names: the plan's, or as moved since."""
    return (
        order_class.signed_internship_date or order_class.internship_date,
        order_class.signed_hire_date or order_class.hire_date,
    )


def first_year_ends(round_: Round) -> date:
    """The last day of the first year of study: of a school year from September, or from March."""
    month = 3 if round_.season == "spring" else 9
    return date(round_.year + 1, month, 1) - timedelta(days=1)


def bars(offer: Offer, policy: Policy) -> list[Bar]:
    """What stands against an agreement about a place, by the class's dates and her birth date."""
    held, born = offer.program.order_class, offer.applicant.person.birth_date
    internship, hired = planned(held)
    found = []
    if internship is None and held.study_form == "FT":
        found.append(Bar("no_internship_date"))
    if hired is None:
        found.append(Bar("no_hire_date"))
    if internship and held.study_form != "ST" and internship <= first_year_ends(offer.round):
        found.append(Bar("first_year", internship))
    if born is None:
        return [*found, Bar("no_birth_date")]
    for day, least, code in (
        (internship, policy.min_internship_age, "internship"),
        (hired, policy.min_hire_age, "hire"),
    ):
        if day is None:
            continue
        age = people.age_on(day, born)
        if age < least:
            found.append(Bar(f"{code}_age", day, age, least))
        if forbids_minors(offer.program) and age < policy.minor_under:
            found.append(Bar(f"forbidden_{code}", day, age, policy.minor_under))
    return found


def forbids_minors(program: Program) -> bool:
    """Whether the post, or the seats for it, are closed to minors."""
    return program.forbid_minor or bool(program.demand and program.demand.forbid_minor)


class Barred(Refused):
    """An agreement that the law, or a gap, keeps from being made; ``bars`` say why."""

    def __init__(self, bars: Sequence[Bar]):
        self.bars = tuple(bars)
        super().__init__({"": [*map(sentence, bars), way_out()]})


# --- terms ------------------------------------------------------------------------------------


def terms(offer: Offer, number: str) -> dict[str, str]:
    """What the blanks of the text say for one place, in Chinese."""
    program, applicant = offer.program, offer.applicant
    held, demand = program.order_class, program.demand
    internship, hired = planned(held)
    with force_locale(words.LANGUAGES["zh"]):
        return {
            "number": number,
            "enterprise": program.enterprise.name,
            "college": held.college.name,
            "student": applicant.person.name,
            "application_number": applicant.number,
            "guardian": _guardian(applicant),
            "round": f"{offer.round.title}（{offer.round.serial}）",
            "class_name": held.name,
            "major": held.major or held.name,
            "level": codes.word(codes.LEVELS, held.level) if held.level else _("不分层次"),
            "study_form": codes.word(codes.STUDY_FORMS, held.study_form),
            "years": _("%(n)s 年", n=f"{held.years.normalize():f}")
            if held.years
            else _("按培养方案"),
            "hired_on_entry": hired_on_entry(held.hired_on_entry),
            "post": demand.title if demand else program.name or program.code,
            "post_district": _place(demand.district if demand else held.district),
            "wage": _wage(demand.wage_from, demand.wage_to) if demand else _wage(None, None),
            "internship_date": internship.isoformat() if internship else _("不安排岗位实习"),
            "hire_date": hired.isoformat() if hired else "",
        }


def hired_on_entry(pilot: bool) -> str:
    """What an agreement says of 招生即招工."""
    if pilot:
        return str(_("本班为“招生即招工、入校即入职”试点班；劳动合同仍须依法另行订立。"))
    return str(_("本班不是“招生即招工、入校即入职”试点班。"))


def _guardian(applicant: Applicant) -> str:
    if not applicant.guardian:
        return str(_("签署时未满十八周岁的填写：____________"))
    if applicant.guardian_relation:
        return f"{applicant.guardian}（{applicant.guardian_relation}）"
    return applicant.guardian


def _place(district: str) -> str:
    return str(codes.word(codes.AREAS, district) if district else _("由甲方在签署前告知"))


def _wage(low: int | None, high: int | None) -> str:
    if low and high:
        return str(_("每月 %(low)s 元至 %(high)s 元", low=low, high=high))
    if low or high:
        return str(_("每月 %(n)s 元", n=low or high))
    return str(_("签署前由甲方书面告知，不低于当地最低工资标准"))


# --- dates of a class -------------------------------------------------------------------------


def move_dates(
    session: Session, order_class: OrderClass, version: int, internship: date | None,
    hired: date | None, reason: str, actor: Actor,
) -> None:  # fmt: skip
    """Set the days that agreements made from now on name; the plan, as it was published, stays.

    Agreements that were made keep their own days until they are changed.
    """
    stages.hold(session, order_class.round_id, "agreement")
    session.refresh(order_class, with_for_update=True)
    before = {
        "signed_internship_date": order_class.signed_internship_date,
        "signed_hire_date": order_class.signed_hire_date,
    }
    if order_class.version != version:
        raise Stale(order_class.version, before)
    if not reason:
        raise Refused({"reason": [_("请写明为什么改期，以备查。")]})
    if internship and hired and hired < internship and not order_class.hired_on_entry:
        raise Refused({"hired": [_("入职早于岗位实习，请核对。")]})
    order_class.signed_internship_date, order_class.signed_hire_date = internship, hired
    order_class.version += 1
    record(
        session, actor, "class.move_dates", f"class/{order_class.code}",
        round_id=order_class.round_id, before=before,
        after={"signed_internship_date": internship, "signed_hire_date": hired}, reason=reason,
    )  # fmt: skip
