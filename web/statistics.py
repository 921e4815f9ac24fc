"""The bureau's statistics of a round (招生情况统计表): who and what is counted, by any breakdown.

A round is read once into :class:`Facts` and everything is counted from it, so that a row, its total and
an indicator cannot disagree.  A figure that nothing determines yet is none, never 0.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any

from flask_babel import gettext, lazy_gettext
from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session

import matcher

from . import codes, figures, offers, policies, supply
from .models import (
    Agreement,
    Applicant,
    ChoiceList,
    College,
    Enrolment,
    Enterprise,
    Membership,
    Offer,
    OrderClass,
    Person,
    Placement,
    Program,
    Publication,
    Round,
    Ruling,
)
from .models.outcome import HOLDING

_ = lazy_gettext

APPLIED = ("submitted", "returned", "passed", "failed")
"""States of an application that was submitted and not withdrawn."""

LIVE = APPLIED[:3]
CONFIRMED = (*HOLDING, "lapsed", "absent", "left")
"""States of an offer that was accepted; also if no agreement, check-in or stay came of it."""

ANSWERING = ("CONFIRMING", "FINAL")
"""States of a round in which offers have been made."""

YEAR_DAYS = 365
LISTS_AT_ONCE = 200
"""So many lists are parsed as one text: sooner than one by one, and none is kept."""

COLUMNS = {
    "classes": _("计划班数"), "seats": _("计划人数"), "applied": _("报名人数"),
    "passed": _("审核通过"), "first_applied": _("第一志愿报考人数"), "placed": _("录取人数"),
    "placed_first": _("其中第一志愿"), "placed_other": _("其中其他志愿"),
    "placed_adjusted": _("其中调剂"), "filled": _("其中递补"), "relaxed": _("其中放宽年龄"),
    "confirmed": _("确认"), "signed": _("签约"), "checked_in": _("报到"), "registered": _("注册"),
    "opened": _("开班数"), "not_opened": _("未开班数"), "vacant": _("缺额"),
}  # fmt: skip
"""The columns of the sheet, in order."""

OF_PLAN = ("classes", "seats", "opened", "not_opened", "vacant")
"""Columns about the plan, which rows of people leave empty."""

NOTES = {
    "applied": _("报名人数：提交了志愿、没有撤回的人；按班级属性分行时，一人填几行各计一次。"),
    "passed": _("审核通过：报名人数中资格审核通过的人；没有填志愿的不计，报录比则计入。"),
    "first_applied": _("第一志愿报考人数：第一志愿在该行的人，审核不通过的不计；整班志愿计入该班各企业。"),
    "placed": _("录取人数：公示录取的人，加上公示后才由候补得到席位的人；一人只计一次。"),
    "filled": _("递补：公示时未录取、公示后得到席位的人，计在最后一次席位所在的行。"),
    "relaxed": _("放宽年龄：按放宽的年龄上限或年龄个案审批录取的人。"),
    "confirmed": _("确认：接受过席位的人，计在接受的席位；后来未签约、未报到或退出的仍计，放弃的不计。"),
    "signed": _("签约：三方协议已生效的人。"),
    "checked_in": _("报到、注册：有报到日期、学籍注册日期的人。"),
    "opened": _("开班数：达到最低开班人数的班，扣除后来裁定不开或合并的班；一班有几家企业时各计一次。"),
    "vacant": _("缺额：确认开始前为计划人数减录取人数；确认开始后为没有人持有、也没有发出的席位。"),
}  # fmt: skip
"""What a column counts."""

DIMENSIONS = {
    "college": _("院校"), "enterprise": _("企业"), "industry": _("产业"),
    "major": _("专业（工种）"), "level": _("培养层次"), "study_form": _("学习形式"),
    "group": _("群体"), "district": _("区市（居住地）"), "site": _("区市（办学地）"),
    "age": _("年龄段"), "sex": _("性别"), "round": _("批次（轮次）"),
}  # fmt: skip
"""What rows may be made of."""

OF_PEOPLE = ("group", "district", "age", "sex")
"""Breakdowns by what a person is; the others go by where she is placed or applies."""

AGE_BANDS = {0: "≤17", 18: "18–24", 25: "25–34", 35: "35–44", 45: "45–54", 55: "≥55"}
TABLES: dict[str, Mapping[str, Any]] = {
    "industry": codes.INDUSTRIES, "level": codes.LEVELS, "study_form": codes.STUDY_FORMS,
    "group": codes.GROUPS, "district": codes.AREAS, "site": codes.AREAS, "sex": codes.SEXES,
}  # fmt: skip

Numbers = dict[str, int | None]

_applicant, _person, _list, _member, _placement, _offer = (
    model.__table__.c for model in (Applicant, Person, ChoiceList, Membership, Placement, Offer)
)
"""Columns of the large tables, whose thousands of rows are read as they are, past the mapper."""


# --- what a round holds -----------------------------------------------------------------------


@dataclass(frozen=True)
class Seats:
    """A program: its seats, its class, and what it is by each breakdown."""

    number: int
    order_class: int
    values: Mapping[str, str]


@dataclass(slots=True)
class Someone:
    """An applicant as she is counted; programs are named by their ids."""

    state: str
    values: Mapping[str, tuple[str, ...]]
    born: date | None = None
    listed: tuple[int, ...] = ()
    """The programs that her list names."""
    first: tuple[int, ...] = ()
    """Those of her first choice."""
    placed: int | None = None
    rank: int | None = None
    reason: str = ""
    filled: int | None = None
    """Where she got a place after publication, if she had none."""
    held: int | None = None
    """The place that she holds now."""
    confirmed: int | None = None
    signed: bool = False
    checked_in: bool = False
    registered: bool = False
    left: bool = False
    """Within a year of being registered."""

    @property
    def place(self) -> int | None:
        """Where she was placed, at publication or afterwards."""
        return self.placed if self.placed is not None else self.filled

    @property
    def passed(self) -> bool:
        """Whether her application passed the review."""
        return self.state == "passed"


@dataclass(frozen=True)
class Facts:
    """Everything of a round that is counted."""

    round: Round
    policy: matcher.Policy
    seats: Mapping[int, Seats]
    people: list[Someone]
    names: Mapping[str, Mapping[str, str]]
    """Breakdown → value → what it is called."""
    published: Publication | None
    opened: frozenset[int]
    used: Mapping[int, int] | None
    """Seats held or offered of each program, once offers have been made."""
    sources: frozenset[str]
    """Which of ``signed``, ``checked_in``, ``registered`` anything is recorded of."""
    district: str = ""
    """The district whose people alone are counted; blank for all."""

    @cached_property
    def total(self) -> Numbers:
        """The total: everybody and every seat once."""
        numbers = _by_program(self, lambda _at: "").get("") or _numbers(self)
        return numbers | dict.fromkeys(OF_PLAN) if self.district else numbers

    @cached_property
    def by_programs(self) -> Counter[tuple[tuple[str, ...], tuple[int, ...]]]:
        """Columns and programs → how many people they count."""
        return Counter(counted for who in self.people for counted in _counted(self, who))

    @cached_property
    def by_people(self) -> Counter[tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]]:
        """What people are by each breakdown of people, and columns → how many they count."""
        return Counter(
            (tuple(who.values[name] for name in OF_PEOPLE), columns)
            for who in self.people
            for columns, _programs in _counted(self, who)
        )

    @cached_property
    def places(self) -> Counter[tuple[int, tuple[str, ...], bool]]:
        """Program, groups of people, whether beyond the ordinary age → how many were placed."""
        return Counter(
            (who.place, who.values["group"], relaxed(self, who))
            for who in self.people
            if who.place is not None
        )


def read(session: Session, round_: Round, district: str = "") -> Facts:
    """The facts of a round; of a district's own people only, where one is named."""
    seats, names = _plan(session, round_)
    policy = policies.current(session, round_)
    people = _people(session, round_, policy)
    _lists(session, round_, seats, people)
    published = figures.publication(session, round_) if round_.state in figures.SHOWN else None
    if published is not None:
        _placements(session, published, people)
    used, sources = None, frozenset[str]()
    if published is not None and round_.state in ANSWERING:
        used = _offers(session, round_, people)
        sources = _after(session, round_, people)
    opened = _opened(session, round_, seats, people) if published else frozenset[int]()
    chosen = [
        who for who in people.values() if not district or who.values["district"] == (district,)
    ]
    return Facts(
        round_, policy, {at: one for at, (_code, one) in seats.items()}, chosen, names, published,
        opened, used, sources, district,
    )  # fmt: skip


Plan = dict[int, tuple[tuple[str, str], Seats]]
"""Program → the codes of the program and its class, and its seats."""


def _plan(session: Session, round_: Round) -> tuple[Plan, dict[str, dict[str, str]]]:
    rows = session.execute(
        select(
            Program.id, Program.code, Program.capacity, OrderClass.id.label("class_id"),
            OrderClass.code.label("class_code"), College.code.label("college"),
            College.name.label("college_name"), Enterprise.code.label("enterprise"),
            Enterprise.name.label("enterprise_name"), OrderClass.industry, OrderClass.major,
            OrderClass.level, OrderClass.study_form, OrderClass.district,
        )
        .join(OrderClass, Program.order_class_id == OrderClass.id)
        .join(College, OrderClass.college_id == College.id)
        .join(Enterprise, Program.enterprise_id == Enterprise.id)
        .where(OrderClass.round_id == round_.id)
        .order_by(Program.id)
    )  # fmt: skip
    plan: Plan = {}
    names: dict[str, dict[str, str]] = {"college": {}, "enterprise": {}}
    for row in rows:
        values = {
            "college": row.college, "enterprise": row.enterprise, "industry": row.industry,
            "major": row.major, "level": row.level, "study_form": row.study_form,
            "site": row.district,
        }  # fmt: skip
        plan[row.id] = (
            (row.code, row.class_code),
            Seats(row.capacity, row.class_id, values),
        )
        names["college"][row.college] = row.college_name
        names["enterprise"][row.enterprise] = row.enterprise_name
    return plan, names


def _people(session: Session, round_: Round, policy: matcher.Policy) -> dict[int, Someone]:
    groups: dict[int, tuple[str, ...]] = {}
    for who, group in session.execute(
        select(_member.applicant_id, _member.group)
        .join(Applicant.__table__, _applicant.id == _member.applicant_id)
        .where(_applicant.round_id == round_.id, _member.state != "refused")
    ):
        groups[who] = (*groups[who], group) if who in groups else (group,)
    rows = session.execute(
        select(
            _applicant.id, _applicant.state, _applicant.district, _person.sex, _person.birth_date
        )
        .join(Person.__table__, _person.id == _applicant.person_id)
        .where(_applicant.round_id == round_.id, _applicant.state.in_(APPLIED))
        .order_by(_applicant.id)
    )
    day = date.fromisoformat(policy.reference_date) if policy.reference_date else None
    alike: dict[tuple[Any, ...], dict[str, tuple[str, ...]]] = {}
    people = {}
    for at, state, district, sex, born in rows:
        mine = tuple(sorted(groups.get(at, ())))
        key = mine, district, sex, band = mine, district, sex, age_band(born, day)
        values = alike.get(key)
        if values is None:
            values = {"group": mine, "district": (district,), "sex": (sex,), "age": (band,)}
            alike[key] = values
        people[at] = Someone(state, values, born)
    return people


@lru_cache(maxsize=65536)
def age_band(born: date | None, day: date | None) -> str:
    """The band of somebody's age on a day; blank where either is unknown."""
    if born is None or day is None:
        return ""
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return next(name for least, name in reversed(AGE_BANDS.items()) if years >= least or not least)


def _lists(session: Session, round_: Round, plan: Plan, people: dict[int, Someone]) -> None:
    """Every person's submitted list that counts: a class stands for its programs, as one choice."""
    named: dict[str, tuple[int, ...]] = {}
    for at, ((_code, class_code), _seats) in plan.items():
        named[class_code] = (*named.get(class_code, ()), at)
    named |= {code: (at,) for at, ((code, _class_code), _seats) in plan.items()}
    last = (
        select(_list.applicant_id, func.max(_list.number).label("number"))
        .join(Applicant.__table__, _applicant.id == _list.applicant_id)
        .where(_applicant.round_id == round_.id, _list.number > 0)
        .group_by(_list.applicant_id)
        .subquery()
    )
    found = session.execute(
        select(_list.applicant_id, cast(_list.choices, Text)).join(
            last, (_list.applicant_id == last.c.applicant_id) & (_list.number == last.c.number)
        )
    )
    for part in found.partitions(LISTS_AT_ONCE):
        listed = json.loads(f"[{','.join(text for _who, text in part)}]")
        for (who, _text), choices in zip(part, listed, strict=True):
            if who in people:
                one, programs = people[who], [named.get(code, ()) for code in choices]
                one.listed = tuple(chain.from_iterable(programs))
                one.first = programs[0] if programs else ()


def _placements(session: Session, published: Publication, people: dict[int, Someone]) -> None:
    for who, program, rank, reason in session.execute(
        select(_placement.applicant_id, _placement.program_id, _placement.rank, _placement.reason)
        .where(_placement.publication_id == published.id)
    ):  # fmt: skip
        if who in people:
            people[who].placed, people[who].rank, people[who].reason = program, rank, reason


def _offers(session: Session, round_: Round, people: dict[int, Someone]) -> dict[int, int]:
    """Note what became of every offer; the seats that are held or offered, by program."""
    used: Counter[int] = Counter()
    for who, program, state, source in session.execute(
        select(_offer.applicant_id, _offer.program_id, _offer.state, _offer.source)
        .where(_offer.round_id == round_.id)
        .order_by(_offer.id)
    ):
        used[program] += state in offers.LIVE
        one = people.get(who)
        if one is None:
            continue
        if source != "result" and one.placed is None:
            one.filled = program
        if state in HOLDING:
            one.held = program
        if state in HOLDING or (state in CONFIRMED and one.held is None):
            one.confirmed = program
    return used


def _after(session: Session, round_: Round, people: dict[int, Someone]) -> frozenset[str]:
    """Note agreements and check-ins; which of them anything is recorded of."""
    sources = set()
    for who, state in session.execute(
        select(Offer.applicant_id, Agreement.state)
        .join(Offer)
        .where(Offer.round_id == round_.id)
    ):  # fmt: skip
        sources.add("signed")
        if state == "effective" and who in people:
            people[who].signed = True
    for who, came, registered, left in session.execute(
        select(
            Offer.applicant_id, Enrolment.checked_in_on, Enrolment.registered_on, Enrolment.left_on
        )
        .join(Offer)
        .where(Offer.round_id == round_.id)
    ):
        sources.add("checked_in")
        if registered:
            sources.add("registered")
        if (one := people.get(who)) is not None:
            one.checked_in |= came is not None
            one.registered |= registered is not None
            one.left |= bool(registered and left and (left - registered).days <= YEAR_DAYS)
    return frozenset(sources)


def _opened(
    session: Session, round_: Round, plan: Plan, people: Mapping[int, Someone]
) -> frozenset[int]:
    """The classes that reached their minimum at publication, without those ruled out since."""
    sizes = Counter(
        plan[one.placed][1].order_class for one in people.values() if one.placed is not None
    )
    least = dict(
        session.execute(
            select(OrderClass.id, OrderClass.min_size).where(OrderClass.round_id == round_.id)
        ).all()
    )
    ruled_out = session.scalars(
        select(Ruling.order_class_id)
        .join(OrderClass, Ruling.order_class_id == OrderClass.id)
        .where(
            OrderClass.round_id == round_.id, Ruling.kind != "keep",
            Ruling.confirmed_at.is_not(None), Ruling.withdrawn_at.is_(None),
        )
    )  # fmt: skip
    found = {at for at, number in sizes.items() if number >= max(1, least[at])}
    return frozenset(found - set(ruled_out))


# --- relaxed ages -----------------------------------------------------------------------------


def relaxed(facts: Facts, who: Someone) -> bool:
    """Whether somebody was placed beyond the ordinary age, by a relaxed limit or an approval."""
    if who.place is None or (who.placed is not None and who.reason not in ("relaxed", "approved")):
        return False
    if who.reason == "relaxed":
        return True
    values = facts.seats[who.place].values
    return _beyond(
        who.born.isoformat() if who.born else "", codes.join(who.values["group"]),
        values["study_form"], values["level"], _strict(facts.policy),
    )  # fmt: skip


@lru_cache(maxsize=64)
def _strict(policy: matcher.Policy) -> matcher.Policy:
    rules = tuple(replace(rule, relaxed_max=None) for rule in policy.age_rules)
    return matcher.Policy(age_rules=rules, reference_date=policy.reference_date)


@lru_cache(maxsize=8192)
def _beyond(born: str, groups: str, study_form: str, level: str, policy: matcher.Policy) -> bool:
    """Whether the ordinary age limits alone bar somebody."""
    lines = matcher.check(
        {"applicant": "A", "birth_date": born, "groups": groups}, {"program": "P"},
        {"order_class": "C", "study_form": study_form, "level": level}, policy,
    )  # fmt: skip
    return any(rule in ("age", "approval") for rule, _value, _limit in lines)


# --- counting ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A row: a value of the breakdown, what it is called, and its numbers."""

    value: str
    label: str
    numbers: Numbers


@dataclass(frozen=True)
class Sheet:
    """The statistics by one breakdown, with their total."""

    dimension: str
    lines: list[Line]
    total: Line


def sheet(facts: Facts, dimension: str) -> Sheet:
    """The rows of a breakdown, in the order of their codes, and the total."""
    if dimension in OF_PEOPLE:
        found = _by_person(facts, dimension)
    else:
        found = _by_program(facts, lambda at: facts.seats[at].values[dimension])
    if facts.district:
        for numbers in found.values():
            numbers.update(dict.fromkeys(OF_PLAN))
    order = list(AGE_BANDS.values()) if dimension == "age" else []
    values = sorted(found, key=lambda v: (v == "", order.index(v) if v in order else 0, v))
    lines = [Line(v, label(facts, dimension, v), found[v]) for v in values]
    return Sheet(dimension, lines, total(facts))


def finest(facts: Facts, dimensions: Iterable[str]) -> Sheet:
    """Rows by several breakdowns of classes at once; a row's value is theirs, with tabs between."""
    names = tuple(dimensions)
    found = _by_program(facts, lambda at: "\t".join(facts.seats[at].values[n] for n in names))
    return Sheet("\t".join(names), [Line(v, "", found[v]) for v in sorted(found)], total(facts))


def total(facts: Facts) -> Line:
    """The total as a row."""
    return Line("", str(gettext("合计")), facts.total)


def label(facts: Facts, dimension: str, value: str) -> str:
    """What a value of a breakdown is called."""
    if not value:
        return str(gettext("未填"))
    if name := facts.names.get(dimension, {}).get(value):
        return f"{value} {name}"
    return codes.word(TABLES.get(dimension, {}), value)


def _numbers(facts: Facts) -> Numbers:
    """A row before anything is counted: what nothing determines yet is none."""
    known = dict.fromkeys(COLUMNS, 0)
    unknown: list[str] = []
    if facts.published is None:
        unknown += ["placed", "placed_first", "placed_other", "placed_adjusted", "relaxed"]
        unknown += ["opened", "not_opened", "vacant"]
    elif not facts.policy.age_rules:
        unknown.append("relaxed")
    if facts.used is None:
        unknown += ["filled", "confirmed"]
    unknown += {"signed", "checked_in", "registered"} - facts.sources
    return {**known, **dict.fromkeys(unknown)}


def _by_program(facts: Facts, value_of: Callable[[int], str]) -> dict[str, Numbers]:
    """Rows by what programs are; they have the columns of the plan."""
    value = {at: value_of(at) for at in facts.seats}
    found = {name: _numbers(facts) for name in dict.fromkeys(value.values())}
    classes: dict[str, set[int]] = {name: set() for name in found}
    for at, one in facts.seats.items():
        classes[value[at]].add(one.order_class)
        _add(found[value[at]], ("seats",), one.number)
        if facts.used is not None:
            _add(found[value[at]], ("vacant",), one.number - facts.used.get(at, 0))
    for (columns, programs), number in facts.by_programs.items():
        for name in {value[at] for at in programs}:
            _add(found[name], columns, number)
    for name, inside in classes.items():
        numbers = found[name]
        numbers["classes"] = len(inside)
        if facts.published is not None:
            numbers["opened"] = len(inside & facts.opened)
            numbers["not_opened"] = len(inside - facts.opened)
            if facts.used is None:
                numbers["vacant"] = (numbers["seats"] or 0) - (numbers["placed"] or 0)
    return found


def _by_person(facts: Facts, dimension: str) -> dict[str, Numbers]:
    """Rows by what people are; they leave the columns of the plan empty."""
    at = OF_PEOPLE.index(dimension)
    values = {v for who in facts.people for v in who.values[dimension]}
    found = {v: _numbers(facts) | dict.fromkeys(OF_PLAN) for v in values}
    for (names, columns), number in facts.by_people.items():
        for name in names[at]:
            _add(found[name], columns, number)
    return found


def _counted(facts: Facts, who: Someone) -> Iterator[tuple[tuple[str, ...], tuple[int, ...]]]:
    """The columns that count somebody, with the programs that make them do so."""
    if who.listed:
        yield ("applied", "passed") if who.passed else ("applied",), who.listed
    if who.first and who.state in LIVE:
        yield ("first_applied",), who.first
    if (place := who.place) is not None:
        beyond = ("relaxed",) if relaxed(facts, who) else ()
        yield ("placed", _way(who), *beyond), (place,)
    if who.confirmed is not None:
        after = (c for c in ("signed", "checked_in", "registered") if getattr(who, c))
        yield ("confirmed", *after), (who.confirmed,)


def _way(who: Someone) -> str:
    if who.placed is None:
        return "filled"
    return {0: "placed_adjusted", 1: "placed_first"}.get(who.rank or 0, "placed_other")


def _add(numbers: Numbers, columns: Iterable[str], more: int) -> None:
    for column in columns:
        held = numbers[column]
        if held is not None:
            numbers[column] = held + more


# --- rounds side by side ----------------------------------------------------------------------


def of_year(session: Session, round_: Round) -> list[Round]:
    """The rounds of a year, void ones left out."""
    return list(
        session.scalars(
            select(Round)
            .where(Round.year == round_.year, Round.demo == round_.demo, Round.state != "VOID")
            .order_by(Round.id)
        )
    )


def by_round(session: Session, facts: Facts) -> Sheet:
    """The rounds of the year, a row each; they share people and seats, so there is no total."""
    lines = []
    for one in of_year(session, facts.round):
        held = facts if one.id == facts.round.id else read(session, one, facts.district)
        lines.append(Line(one.serial, f"{one.serial} {one.title}", held.total))
    return Sheet("round", lines, Line("", str(gettext("合计")), dict.fromkeys(COLUMNS)))


def year_before(session: Session, round_: Round) -> Round | None:
    """The round of the year before that stands where this one stands: same season, same order."""

    def of(year: int) -> list[int]:
        return list(
            session.scalars(
                select(Round.id)
                .where(
                    Round.year == year, Round.season == round_.season, Round.demo == round_.demo,
                    Round.state != "VOID",
                )
                .order_by(Round.id)
            )
        )  # fmt: skip

    mine, theirs = of(round_.year), of(round_.year - 1)
    at = mine.index(round_.id) if round_.id in mine else len(theirs)
    return session.get(Round, theirs[at]) if at < len(theirs) else None


# --- coverage, supply and demand --------------------------------------------------------------


@dataclass(frozen=True)
class Coverage:
    """A study form, or all: people placed, of each group of interest, of any, by a relaxed age."""

    label: str
    placed: int
    groups: dict[str, int]
    any: int
    relaxed: int | None


def coverage(facts: Facts) -> list[Coverage]:
    """The groups of interest and relaxed ages by study form, the total last; none before publication."""
    if facts.published is None:
        return []
    forms = sorted({one.values["study_form"] for one in facts.seats.values()})
    interest = facts.policy.groups_of_interest
    found = []
    for form in (*forms, None):
        inside = Counter[tuple[tuple[str, ...], bool]]()
        for (at, groups, beyond), number in facts.places.items():
            if form in (None, facts.seats[at].values["study_form"]):
                inside[tuple(g for g in interest if g in groups), beyond] += number
        lines = inside.items()
        name = gettext("合计") if form is None else label(facts, "study_form", form)
        found.append(
            Coverage(
                str(name), inside.total(),
                {g: sum(n for (groups, _beyond), n in lines if g in groups) for g in interest},
                sum(n for (groups, _beyond), n in lines if groups),
                sum(n for (_groups, beyond), n in lines if beyond) if facts.policy.age_rules else None,
            )
        )  # fmt: skip
    return found


@dataclass(frozen=True)
class Gap:
    """A trade: people wanted by enterprises, seats planned, applicants, people placed."""

    label: str
    demanded: int
    seats: int
    applied: int
    placed: int | None

    @property
    def gap(self) -> int | None:
        """People wanted beyond those placed; negative where more are placed than wanted."""
        return None if self.placed is None else self.demanded - self.placed


def gaps(session: Session, facts: Facts) -> list[Gap]:
    """Supply and demand by trade, the most wanted first."""
    demanded = supply.wanted(session, facts.round, "major")
    rows = {line.value: line for line in sheet(facts, "major").lines}
    empty = Line("", "", _numbers(facts))
    found = []
    for trade in demanded.keys() | rows.keys():
        numbers = rows.get(trade, empty).numbers
        found.append(
            Gap(
                label(facts, "major", trade), demanded.get(trade, 0), numbers["seats"] or 0,
                numbers["applied"] or 0, numbers["placed"],
            )
        )  # fmt: skip
    return sorted(found, key=lambda g: (-g.demanded, -g.seats, g.label.encode("gb18030")))
