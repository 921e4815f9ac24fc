"""Posts of enterprises (订单需求) and classes of colleges (订单班), until the plan is announced.

Every change takes the confirmations back: a class stands only as both sides last saw it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from . import codes, policies, stages, wording, words
from .audit import Actor, record
from .db import now
from .models import College, Demand, Enterprise, OrderClass, Program, Reserve, Round

MOST_PROGRAMS = 4

DEMAND_FIELDS = {
    "title": lazy_gettext("岗位名称"), "occupation": lazy_gettext("职业（工种）"),
    "skill_level": lazy_gettext("技能等级要求"), "people": lazy_gettext("需求人数"),
    "hire_date": lazy_gettext("用工时间"), "wage_from": lazy_gettext("起薪下限"), "wage_to": lazy_gettext("起薪上限"),
    "district": lazy_gettext("工作区市"), "study_forms": lazy_gettext("学习形式意向"),
    "education": lazy_gettext("学历要求"), "age_wish": lazy_gettext("年龄要求"), "health": lazy_gettext("身体条件"),
    "health_basis": lazy_gettext("身体条件依据"), "forbid_minor": lazy_gettext("禁忌未成年工"),
    "forbid_minor_reason": lazy_gettext("禁忌依据"), "overseas": lazy_gettext("境外岗位"),
    "board": lazy_gettext("食宿"), "mentors": lazy_gettext("企业导师数"), "equipment": lazy_gettext("可提供设备、工位"),
    "joint": lazy_gettext("同意联合组班"),
}  # fmt: skip
"""What an enterprise says of a post, and its label."""

DEMAND_TEXTS = (
    "title", "occupation", "age_wish", "health", "health_basis", "forbid_minor_reason", "board",
    "equipment",
)  # fmt: skip

CLASS_FIELDS = {
    "name": lazy_gettext("班级名称"), "major": lazy_gettext("专业名称"), "major_code": lazy_gettext("专业代码"),
    "industry": lazy_gettext("产业"), "level": lazy_gettext("培养层次"), "intake": lazy_gettext("招生对象"),
    "years": lazy_gettext("学制（年）"), "study_form": lazy_gettext("学习形式"),
    "hired_on_entry": lazy_gettext("招生即招工试点"), "min_size": lazy_gettext("最低开班人数"),
    "entry_education": lazy_gettext("入学学历"), "entry_skill": lazy_gettext("入学技能等级"),
    "age_min": lazy_gettext("年龄下限"), "age_max": lazy_gettext("年龄上限"), "age_basis": lazy_gettext("年龄依据"),
    "health": lazy_gettext("身体条件"), "health_basis": lazy_gettext("身体条件依据"),
    "internship_date": lazy_gettext("岗位实习开始"), "hire_date": lazy_gettext("入职日期"),
    "interview_required": lazy_gettext("拒收未面试调剂"), "tuition": lazy_gettext("学费（元/年）"),
    "boarding": lazy_gettext("提供住宿"), "note": lazy_gettext("备注"),
}  # fmt: skip
"""What a college says of a class, and its label."""

CLASS_TEXTS = ("name", "major", "intake", "age_basis", "health_basis", "note")

Problems = dict[str, list[str]]
Reserves = Mapping[tuple[str, bool], int]
"""Group, and whether its seats are never released → seats."""


class Refused(ValueError):
    """Something that may not be stored; ``problems`` names the fields (blank: the whole).

    ``seen`` holds, of lines that somebody else changed, what their hidden fields must say so that
    the next save knows of it.
    """

    def __init__(self, problems: Problems, seen: Mapping[str, Mapping[str, str]] | None = None):
        self.problems, self.seen = problems, dict(seen or {})
        super().__init__("; ".join(p for found in problems.values() for p in found))


class Stale(ValueError):
    """Somebody else changed the row since it was shown; ``stored`` is what it holds now."""

    def __init__(self, version: int, stored: Mapping[str, Any]):
        self.version, self.stored = version, dict(stored)
        super().__init__(f"version {version}")


def wrong_words(values: Mapping[str, Any], texts: Iterable[str]) -> Problems:
    """The unlawful conditions in these texts, by field, each with its reason."""
    found: Problems = {}
    lawful_height = bool(values.get("health_basis"))
    for name in texts:
        for wrong in wording.unlawful(str(values.get(name) or "")):
            if not (wrong.kind == "height" and name == "health" and lawful_height):
                said = _(
                    "写了“%(words)s”：%(reason)s",
                    words=wrong.words,
                    reason=wording.REASONS[wrong.kind],
                )
                found.setdefault(name, []).append(said)
    return found


def _plain(row: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What differs, as it was before."""
    return {name: before[name] for name in after if before[name] != after[name]}


# --- posts ------------------------------------------------------------------------------------


def demand_problems(enterprise: Enterprise, values: Mapping[str, Any]) -> Problems:
    """What keeps a post from being stored."""
    found = wrong_words(values, DEMAND_TEXTS)

    def wrong(name: str, said: str) -> None:
        found.setdefault(name, []).append(said)

    if wording.agency(enterprise.name, enterprise.sector):
        wrong("", str(wording.REASONS["agency"]))
    if values["health"] and not values["health_basis"]:
        wrong("health_basis", _("写了身体条件，就要写明职业上的依据。"))
    if values["forbid_minor"] and not values["forbid_minor_reason"]:
        wrong("forbid_minor_reason", _("请写明属于哪一项未成年工禁忌劳动。"))
    low, high = values["wage_from"], values["wage_to"]
    if low is not None and high is not None and high < low:
        wrong("wage_to", _("上限低于下限，请核对。"))
    return found


def save_demand(
    session: Session,
    round_id: int,
    enterprise: Enterprise,
    values: Mapping[str, Any],
    actor: Actor,
    code: str = "",
    version: int = 0,
) -> Demand:
    """Post a demand, or change the one of that ``code``.

    Raises
    ------
    stages.NotNow, Refused, Stale
        If the round, the law, or somebody else's change stands against it.
    """
    stages.hold(session, round_id, "plan")
    if problems := demand_problems(enterprise, values):
        raise Refused(problems)
    if not code:
        held = Demand(
            round_id=round_id, enterprise_id=enterprise.id,
            code=_next_code(session, Demand, round_id, f"{enterprise.code}-D"), **values,
        )  # fmt: skip
        session.add(held)
        session.flush()
        record(
            session, actor, "demand.post", f"demand/{held.code}", round_id=round_id, after=values
        )
        return held
    held = own_demand(session, round_id, enterprise.id, code)
    before = _plain(held, DEMAND_FIELDS)
    if held.version != version:
        raise Stale(held.version, before)
    if held.state == "withdrawn":
        raise Refused({"": [_("这个岗位已撤回，请另发布一个。")]})
    changed = changes(before, values)
    if not changed:
        return held
    for name, value in values.items():
        setattr(held, name, value)
    held.version += 1
    record(
        session, actor, "demand.change", f"demand/{code}", round_id=round_id,
        before=changed, after={name: values[name] for name in changed},
    )  # fmt: skip
    for program in session.scalars(select(Program).where(Program.demand_id == held.id)):
        take_back(session, program.order_class, actor, _("岗位有改动"))
    return held


def own_demand(session: Session, round_id: int, enterprise_id: int, code: str) -> Demand:
    """The enterprise's own demand of that code, as it is stored now."""
    return session.scalars(
        select(Demand)
        .where(
            Demand.round_id == round_id, Demand.enterprise_id == enterprise_id, Demand.code == code
        )
        .with_for_update()
    ).one()


def _next_code(session: Session, model: Any, round_id: int, prefix: str) -> str:
    """The first number after the greatest that was ever given under this prefix."""
    held = session.scalars(
        select(model.code).where(model.round_id == round_id, model.code.startswith(prefix))
    )
    numbers = [int(rest) for code in held if (rest := code[len(prefix) :]).isdecimal()]
    return f"{prefix}{max(numbers, default=0) + 1:02}"


def demand_warnings(session: Session, round_: Round, demand: Demand) -> list[str]:
    """What an enterprise should think about before it submits a post; none of it refuses."""
    enterprise, found = demand.enterprise, []
    flow = policies.workflow(session, round_)

    def share(key: str) -> Decimal:
        return Decimal(str(flow[key]))

    total = session.scalar(
        select(func.sum(Demand.people)).where(
            Demand.round_id == round_.id, Demand.enterprise_id == enterprise.id,
            Demand.state != "withdrawn",
        )
    )  # fmt: skip
    employees = enterprise.employees
    if employees is None:
        found.append(_("没有登记在岗职工数，无法核对实习人数比例；请联系协调员补上。"))
    else:
        for most, people, said in (
            (
                share("enterprise.intern_share_max"), total or 0,
                lazy_gettext("本企业共需 %(people)s 人，超过在岗职工 %(employees)s 人的 %(share)s%%（一般比例）。"),
            ),
            (
                share("enterprise.post_intern_share_max"), demand.people,
                lazy_gettext("这个岗位 %(people)s 人，即使 %(employees)s 名职工全在同岗，也超过同岗的 %(share)s%%。"),
            ),
        ):  # fmt: skip
            if people > most * employees:
                shown = f"{(most * 100).normalize():f}"
                about = {"people": people, "employees": employees, "share": shown}
                found.append(words.filled(str(said), about))
    if demand.forbid_minor:
        found.append(_("未成年工禁忌岗位：按计划的实习、入职之日未满 18 周岁的人不能录取。"))
    else:
        said = " ".join((demand.title, demand.occupation, demand.equipment))
        if word := wording.MINOR_WORDS.search(said):
            found.append(
                _("文字里有“%(word)s”：请核对是否属于未成年工禁忌劳动，属于就勾选并写依据。", word=word.group())
            )  # fmt: skip
    return [str(one) for one in found]


def submit_demand(
    session: Session, round_id: int, enterprise: Enterprise, code: str, version: int, actor: Actor
) -> Demand:
    """Hand a post to the alliance: from now on colleges see it."""
    return _move_demand(
        session, round_id, enterprise, code, version, actor, ("draft",), "submitted"
    )


def withdraw_demand(
    session: Session, round_id: int, enterprise: Enterprise, code: str, version: int, actor: Actor
) -> Demand:
    """Take a post back, as long as no class has taken it."""
    return _move_demand(
        session, round_id, enterprise, code, version, actor, ("draft", "submitted"), "withdrawn"
    )


def _move_demand(
    session: Session,
    round_id: int,
    enterprise: Enterprise,
    code: str,
    version: int,
    actor: Actor,
    sources: tuple[str, ...],
    target: str,
) -> Demand:
    stages.hold(session, round_id, "plan")
    held = own_demand(session, round_id, enterprise.id, code)
    if held.version != version:
        raise Stale(held.version, _plain(held, DEMAND_FIELDS))
    if held.state not in sources:
        raise Refused(
            {
                "": [
                    _(
                        "这个岗位现在是“%(state)s”，不能这样做。",
                        state=codes.DEMAND_STATES[held.state],
                    )
                ]
            }
        )
    if target == "submitted" and (
        problems := demand_problems(enterprise, _plain(held, DEMAND_FIELDS))
    ):
        raise Refused(problems)
    record(
        session, actor, f"demand.{target}", f"demand/{code}", round_id=round_id,
        before={"state": held.state}, after={"state": target},
    )  # fmt: skip
    held.state = target
    held.version += 1
    return held


# --- classes ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seats:
    """What a college proposes for one enterprise in a class; ``code`` is blank for a new program."""

    enterprise_id: int
    capacity: int
    channel: str
    demand_id: int | None = None
    forbid_minor: bool = False
    forbid_minor_reason: str = ""
    reserves: Reserves = field(default_factory=dict)
    code: str = ""


_RESERVE = re.compile(r"\s*(G\d{2})\s*[:：]\s*(\d{1,4})\s*([!！]?)\s*")


def parse_reserves(text: str) -> dict[tuple[str, bool], int]:
    """Reserved seats as a form gives them: ``G05:2；G06:1!``, the latter never released.

    Raises
    ------
    ValueError
        With the part that cannot be read.
    """
    found: dict[tuple[str, bool], int] = {}
    for part in filter(str.strip, re.split(r"[;；,，\n]", text)):
        match = _RESERVE.fullmatch(part.upper())
        if match is None or match[1] not in codes.GROUPS or (match[1], bool(match[3])) in found:
            raise ValueError(part.strip())
        found[match[1], bool(match[3])] = int(match[2])
    return {key: seats for key, seats in sorted(found.items()) if seats}


def reserves_of(program: Program) -> dict[tuple[str, bool], int]:
    """The reserved seats of a program: by group, and whether they are never released."""
    return {(r.group, r.hard): r.seats for r in program.reserves}


def show_reserves(reserves: Reserves) -> str:
    """The text that :func:`parse_reserves` reads."""
    return "；".join(
        f"{group}:{seats}{'!' if hard else ''}" for (group, hard), seats in sorted(reserves.items())
    )


def tell_reserves(reserves: Reserves) -> str:
    """Reserved seats as people read them: whose, and how many."""
    told = [
        words.filled(
            str(_("%(group)s %(n)s 席")), {"group": codes.GROUPS.get(group, group), "n": seats}
        )
        + (_("（专用）") if hard else "")
        for (group, hard), seats in sorted(reserves.items())
    ]
    return str(_("；")).join(told)


def class_problems(
    session: Session,
    round_: Round,
    college: College,
    values: Mapping[str, Any],
    seats: Sequence[Seats],
) -> Problems:
    """What keeps a class from being stored; a line of seats is the field ``seats-<n>-…``."""
    found = wrong_words(values, CLASS_TEXTS)

    def wrong(name: str, said: str) -> None:
        found.setdefault(name, []).append(said)

    approved = codes.approved_levels(college.tier)
    if values["level"] not in approved:
        top = codes.LEVELS[approved[-1]]
        wrong("level", _("%(tier)s最高办到%(top)s，请改培养层次。", tier=college.tier, top=top))
    narrowed = values["age_min"] is not None or values["age_max"] is not None
    if narrowed and not values["age_basis"]:
        wrong("age_basis", _("收窄年龄须有法定依据；没有依据请清空年龄。"))
    if None not in (values["age_min"], values["age_max"]) and values["age_max"] < values["age_min"]:
        wrong("age_max", _("上限低于下限，请核对。"))
    if values["health"] and not values["health_basis"]:
        wrong("health_basis", _("写了身体条件，就要写明职业上的依据。"))
    if not 1 <= len(seats) <= MOST_PROGRAMS:
        wrong("", _("一个班要有 1 至 %(most)s 组席位。", most=MOST_PROGRAMS))
    if sum(s.capacity for s in seats) < values["min_size"]:
        wrong("min_size", _("最低开班人数多于席位总数，这个班开不了。"))
    dated = values["internship_date"] or values["hire_date"]
    for at, line in enumerate(seats):
        for name, said in _seat_problems(session, round_, line, dated):
            wrong(f"seats-{at}-{name}", said)
        twins = [s for s in seats[:at] if _pair(s) == _pair(line)]
        if twins:
            wrong(f"seats-{at}-enterprise", _("同一企业、同一通道已有一组席位，请合并。"))
    return found


def _pair(line: Seats) -> tuple[int, str]:
    return line.enterprise_id, line.channel


def _seat_problems(
    session: Session, round_: Round, line: Seats, dated: object
) -> Iterable[tuple[str, str]]:
    enterprise = session.get_one(Enterprise, line.enterprise_id)
    if line.capacity < 1:
        yield "capacity", _("请填席位数，至少 1 个。")
    if wording.agency(enterprise.name, enterprise.sector):
        yield "enterprise", str(wording.REASONS["agency"])
    if line.demand_id is not None:
        demand = session.get(Demand, line.demand_id)
        if demand is None or (demand.enterprise_id, demand.round_id) != (enterprise.id, round_.id):
            yield "demand", _("这个岗位不属于这家企业。")
        elif demand.state not in ("submitted", "taken"):
            yield "demand", _("这个岗位还没有提交，或已撤回。")
    if sum(line.reserves.values()) > line.capacity:
        yield "reserves", _("预留多于席位。")
    if line.forbid_minor and not line.forbid_minor_reason:
        yield "forbid_minor_reason", _("请写明属于哪一项未成年工禁忌劳动。")
    if line.forbid_minor and not dated:
        yield "forbid_minor", _("禁忌岗位要按实习、入职之日判断年龄，请填这两个日期之一。")
    for wrong in wording.unlawful(line.forbid_minor_reason):
        yield "forbid_minor_reason", str(wording.REASONS[wrong.kind])


def save_class(
    session: Session,
    round_id: int,
    college: College,
    values: Mapping[str, Any],
    seats: Sequence[Seats],
    actor: Actor,
    code: str = "",
    version: int = 0,
) -> OrderClass:
    """Declare a class with its seats, or change the one of that ``code``.

    Raises
    ------
    stages.NotNow, Refused, Stale
        If the round, the law, or somebody else's change stands against it.
    """
    round_ = stages.hold(session, round_id, "plan")
    if problems := class_problems(session, round_, college, values, seats):
        raise Refused(problems)
    if code:
        held = own_class(session, round_id, college.id, code)
        if held.version != version:
            raise Stale(held.version, class_values(held))
        before = class_values(held)
    else:
        held = OrderClass(
            round_id=round_id, college_id=college.id, district=college.district,
            code=_next_code(session, OrderClass, round_id, f"{college.code}-"),
        )  # fmt: skip
        session.add(held)
        before = {}
    for name, value in values.items():
        setattr(held, name, value)
    session.flush()
    _set_seats(session, held, seats)
    session.flush()
    after = class_values(held)
    if before == after:
        return held
    action = "class.change" if code else "class.declare"
    held.version += 1 if code else 0
    record(
        session, actor, action, f"class/{held.code}", round_id=round_id,
        before={k: v for k, v in before.items() if after.get(k) != v},
        after={k: v for k, v in after.items() if before.get(k) != v},
    )  # fmt: skip
    _unconfirm(held)
    return held


def own_class(session: Session, round_id: int, college_id: int, code: str) -> OrderClass:
    """The college's own class of that code, as it is stored now."""
    return session.scalars(
        select(OrderClass)
        .where(
            OrderClass.round_id == round_id,
            OrderClass.college_id == college_id,
            OrderClass.code == code,
        )
        .with_for_update()
    ).one()


def class_values(held: OrderClass) -> dict[str, Any]:
    """Everything of a class that a confirmation covers."""
    return _plain(held, CLASS_FIELDS) | {
        f"seats.{p.code}": {
            "enterprise": p.enterprise.code, "capacity": p.capacity, "channel": p.channel,
            "demand": p.demand_id, "forbid_minor": p.forbid_minor_reason if p.forbid_minor else "",
            "reserves": show_reserves(reserves_of(p)),
        }
        for p in held.programs
    }  # fmt: skip


def _set_seats(session: Session, held: OrderClass, seats: Sequence[Seats]) -> None:
    """Make the programs of a class what these lines say."""
    known = {program.code: program for program in held.programs}
    kept = {line.code for line in seats}
    released = {p.demand_id for p in held.programs}
    for code in known.keys() - kept:
        session.delete(known.pop(code))
    numbers = (n for n in range(1, 100) if f"{held.code}-{n}" not in known)
    for line in seats:
        enterprise = session.get_one(Enterprise, line.enterprise_id)
        program = known.get(line.code) or Program(code=f"{held.code}-{next(numbers)}")
        program.enterprise_id, program.enterprise = enterprise.id, enterprise
        program.capacity, program.channel = line.capacity, line.channel
        program.demand_id = line.demand_id
        program.name = f"{held.name} · {enterprise.name}"
        program.forbid_minor = line.forbid_minor
        program.forbid_minor_reason = line.forbid_minor_reason
        program.order_class_id = held.id
        session.add(program)
        _set_reserves(program, line.reserves)
    taken = {line.demand_id for line in seats}
    session.flush()
    session.expire(held, ["programs"])
    for demand_id in (released | taken) - {None}:
        demand = session.get_one(Demand, demand_id)
        used = session.scalar(select(Program.id).where(Program.demand_id == demand_id).limit(1))
        demand.state = "taken" if used else "submitted"


def _set_reserves(program: Program, wanted: Reserves) -> None:
    held = {(r.group, r.hard): r for r in program.reserves}
    for key in held.keys() - wanted.keys():
        program.reserves.remove(held[key])
    for key, seats in wanted.items():
        if key in held:
            held[key].seats = seats
        else:
            group, hard = key
            program.reserves.append(Reserve(group=group, seats=seats, hard=hard))


def _unconfirm(held: OrderClass) -> bool:
    """Take every confirmation of a class back; whether there was one."""
    rows: list[OrderClass | Program] = [held, *held.programs]
    there = any(row.confirmed_at for row in rows)
    for row in rows:
        row.confirmed_at, row.confirmed_by = None, ""
    return there


def take_back(session: Session, held: OrderClass, actor: Actor, reason: str) -> None:
    """Take the confirmations of a class back, because something of it was changed."""
    held.version += 1
    if _unconfirm(held):
        record(
            session, actor, "class.unconfirm", f"class/{held.code}", round_id=held.round_id,
            reason=reason,
        )  # fmt: skip


def confirm_class(
    session: Session, round_id: int, college: College, code: str, version: int, actor: Actor
) -> OrderClass:
    """The college confirms its class as it was shown."""
    stages.hold(session, round_id, "plan")
    held = own_class(session, round_id, college.id, code)
    if held.version != version:
        raise Stale(held.version, class_values(held))
    if held.confirmed_at is None:
        held.confirmed_at, held.confirmed_by = now(session), actor.name
        record(
            session, actor, "class.confirm", f"class/{code}", round_id=round_id,
            after={"version": version},
        )  # fmt: skip
    return held


def confirm_seats(
    session: Session, round_id: int, enterprise: Enterprise, code: str, version: int, actor: Actor
) -> Program:
    """The enterprise confirms its seats in a class as they were shown."""
    stages.hold(session, round_id, "plan")
    program = session.scalars(
        select(Program)
        .join(OrderClass)
        .where(
            OrderClass.round_id == round_id,
            Program.enterprise_id == enterprise.id,
            Program.code == code,
        )
    ).one()
    held = program.order_class
    if held.version != version:
        raise Stale(held.version, class_values(held))
    if program.confirmed_at is None:
        program.confirmed_at, program.confirmed_by = now(session), actor.name
        record(
            session, actor, "seats.confirm", f"program/{code}", round_id=round_id,
            after={"version": version, "capacity": program.capacity},
        )  # fmt: skip
    return program
