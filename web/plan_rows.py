"""The plan in sheets: colleges, enterprises, demand, and classes with their seats and reserves."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from .audit import Actor, record
from .cells import Row, Value, reserves_of, reserves_text
from .codes import approved_levels
from .lines import Change, Current, Issue, Keeper, Line, Office, twice
from .models import Cap, College, Demand, Enterprise, OrderClass, Program, Reserve, Round
from .sheets import CLASSES, CODES, COLLEGES, DEMANDS, ENTERPRISES, LOTS, Sheet
from .wording import unlawful

_DATES = frozenset({"joined", "hire_date", "internship_date"})
_NUMBERS = frozenset({"full_time_capacity", "beds", "workstations", "employees", "people",
                      "wage_from", "wage_to", "mentors", "tuition", "age_min", "age_max",
                      "plan_order", "min_size"})  # fmt: skip


def stored(name: str, value: Value) -> Any:
    """A value of a sheet as a column of a row holds it."""
    if name in _DATES:
        return date.fromisoformat(str(value)) if value else None
    if name == "years":
        return Decimal(str(value)) if value else None
    if name in _NUMBERS:
        return value
    return "" if value is None else value


def told(value: Any) -> Value:
    """A column of a row as a sheet says it: blank, and no, are nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value if isinstance(value, (bool, int)) else str(value)


def row_of(held: Any, sheet: Sheet, skipped: Sequence[str] = ()) -> Row:
    """The columns of a sheet that are columns of a row."""
    return {c.name: told(getattr(held, c.name)) for c in sheet.columns if c.name not in skipped}


def settle_flags(line: Line, sheet: Sheet) -> None:
    """A blank yes-or-no cell says no."""
    for column in sheet.columns:
        if column.kind == "flag" and line.values.get(column.name) is None:
            line.values[column.name] = False


# --- colleges and enterprises -----------------------------------------------------------------


def _offices(model: Any, sheet: Sheet, own: str) -> Keeper:
    def current(session: Session, round_: Round, office: Office) -> Current:
        query = select(model).order_by(model.code)
        if (mine := getattr(office, own)) is not None:
            query = query.where(model.id == mine)
        return {held.code: row_of(held, sheet) for held in session.scalars(query)}

    def check(
        session: Session, round_: Round, office: Office, lines: Sequence[Line], held: Current
    ) -> Iterator[Issue]:
        for line in lines:
            line.key = str(line.values["code"] or "")
            settle_flags(line, sheet)
            if getattr(office, own) is not None and line.key and line.key not in held:
                yield Issue("not_yours", line.row, "code", line.key)
        yield from twice(lines, "code")

    def store(
        session: Session, round_: Round, office: Office, changes: Sequence[Change], actor: Actor
    ) -> None:
        found = {row.code: row for row in session.scalars(select(model))}
        for change in changes:
            row = found.get(change.key)
            if row is None:
                row = model(code=change.key)
                session.add(row)
            else:
                row.version += 1
            for name in change.differing():
                setattr(row, name, stored(name, change.after[name]))
            log(session, actor, sheet, change, None)

    def removable(session: Session, round_: Round, keys: Sequence[str]) -> Iterator[Issue]:
        used = _referred(session, model)
        for code, id_ in session.execute(select(model.code, model.id).order_by(model.code)):
            if code in keys and id_ in used:
                yield Issue("removal_member", value=code)

    def remove(
        session: Session, round_: Round, keys: Sequence[str], actor: Actor, reason: str
    ) -> None:
        for held in session.scalars(select(model).where(model.code.in_(keys))):
            row = row_of(held, sheet)
            _log_removal(session, actor, sheet, held.code, row, round_, reason)
            session.delete(held)

    return Keeper(current, check, store, removable=removable, remove=remove)


def _referred(session: Session, model: Any) -> set[int]:
    """The ids of the members that any row of any table names."""
    found: set[int] = set()
    for table in model.metadata.tables.values():
        for key in table.foreign_keys:
            if key.column.table is model.__table__:
                found |= set(session.scalars(select(key.parent).distinct()))
    return found


def log(session: Session, actor: Actor, sheet: Sheet, change: Change, round_: Round | None) -> None:
    """Record a change of a row that an import made."""
    names = change.differing()
    record(
        session, actor, f"{sheet.key}.import", f"{sheet.key}/{change.key}",
        round_id=round_.id if round_ else None,
        before={name: change.before.get(name) for name in names} if change.before else None,
        after={name: change.after[name] for name in names},
    )  # fmt: skip


# --- demand -----------------------------------------------------------------------------------


def _demands(session: Session, round_: Round, office: Office) -> Current:
    query = select(Demand).where(Demand.round_id == round_.id).order_by(Demand.code)
    if office.enterprise_id is not None:
        query = query.where(Demand.enterprise_id == office.enterprise_id)
    return {
        held.code: row_of(held, DEMANDS, ("enterprise",)) | {"enterprise": held.enterprise.code}
        for held in session.scalars(query.options(selectinload(Demand.enterprise)))
    }


def _check_demands(
    session: Session, round_: Round, office: Office, lines: Sequence[Line], held: Current
) -> Iterator[Issue]:
    ids = {e.code: e.id for e in session.scalars(select(Enterprise))}
    taken = set(session.scalars(select(Demand.code).where(Demand.round_id == round_.id)))
    for line in lines:
        values = line.values
        line.key = str(values["code"] or "")
        settle_flags(line, DEMANDS)
        code = values["enterprise"]
        if code is not None and code not in ids:
            yield Issue("no_enterprise", line.row, "enterprise", str(code))
        mine = office.enterprise_id is None or ids.get(str(code)) == office.enterprise_id
        if not mine or (line.key in taken and line.key not in held):
            yield Issue("not_yours", line.row, "enterprise", str(code))
        low, high = values["wage_from"], values["wage_to"]
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield Issue("reversed", line.row, "wage_to", str(high), {"other": low})
        if values["health"] and not values["health_basis"]:
            yield Issue("basis_needed", line.row, "health_basis")
        for name in ("title", "age_wish", "health_basis", "board", "equipment"):
            for fault in unlawful(str(values[name] or "")):
                yield Issue("unlawful", line.row, name, fault.words, {"kind": fault.kind})
    yield from twice(lines, "code")


def _store_demands(
    session: Session, round_: Round, office: Office, changes: Sequence[Change], actor: Actor
) -> None:
    found = {
        row.code: row for row in session.scalars(select(Demand).where(Demand.round_id == round_.id))
    }
    ids = {e.code: e.id for e in session.scalars(select(Enterprise))}
    for change in changes:
        row = found.get(change.key)
        if row is None:
            row = Demand(round_id=round_.id, code=change.key, state="submitted")
            session.add(row)
        else:
            row.version += 1
        row.enterprise_id = ids[str(change.after["enterprise"])]
        for name in set(change.differing()) - {"enterprise"}:
            setattr(row, name, stored(name, change.after[name]))
        log(session, actor, DEMANDS, change, round_)


def _removable_demands(session: Session, round_: Round, keys: Sequence[str]) -> Iterator[Issue]:
    query = select(Demand.code).join(Program, Program.demand_id == Demand.id)
    used = set(session.scalars(query.where(Demand.round_id == round_.id)))
    for key in keys:
        if key in used:
            yield Issue("removal_taken", value=key)


def _remove_demands(
    session: Session, round_: Round, keys: Sequence[str], actor: Actor, reason: str
) -> None:
    held = _demands(session, round_, Office())
    for demand in session.scalars(select(Demand).where(Demand.round_id == round_.id)):
        if demand.code in keys:
            _log_removal(session, actor, DEMANDS, demand.code, held[demand.code], round_, reason)
            session.delete(demand)


def _log_removal(
    session: Session, actor: Actor, sheet: Sheet, key: str, row: Row, round_: Round, reason: str
) -> None:
    record(
        session, actor, f"{sheet.key}.remove", f"{sheet.key}/{key}", round_id=round_.id,
        before={name: value for name, value in row.items() if value is not None}, reason=reason,
    )  # fmt: skip


# --- classes ----------------------------------------------------------------------------------

_OF_PROGRAMS = (
    *(f"{part}{n}" for n in range(1, LOTS + 1) for part in ("enterprise", "seats")),
    "seats", "reserves", "channel", "year", "season", "college",
)  # fmt: skip


def _all_classes(session: Session, round_: Round) -> list[OrderClass]:
    query = select(OrderClass).where(OrderClass.round_id == round_.id).order_by(OrderClass.code)
    return list(
        session.scalars(
            query.options(
                selectinload(OrderClass.college),
                selectinload(OrderClass.programs).selectinload(Program.enterprise),
                selectinload(OrderClass.programs).selectinload(Program.reserves),
            )
        )
    )


def _classes(session: Session, round_: Round, office: Office) -> Current:
    return {
        held.code: _class_row(held, round_)
        for held in _all_classes(session, round_)
        if office.college_id in (None, held.college_id)
    }


def _class_row(held: OrderClass, round_: Round) -> Row:
    row = row_of(held, CLASSES, _OF_PROGRAMS)
    row |= {"year": round_.year, "season": round_.season, "college": held.college.code}
    reserved: dict[tuple[str, bool], int] = {}
    for number in range(1, LOTS + 1):
        row[f"enterprise{number}"] = row[f"seats{number}"] = None
    for number, program in enumerate(held.programs, start=1):
        row[f"enterprise{number}"] = program.enterprise.code
        row[f"seats{number}"] = program.capacity
        for reserve in program.reserves:
            key = reserve.group, reserve.hard
            reserved[key] = reserved.get(key, 0) + reserve.seats
    row["seats"] = sum(p.capacity for p in held.programs)
    row["reserves"] = reserves_text(reserved) or None
    row["channel"] = held.programs[0].channel if held.programs else None
    return row


def lots(values: Mapping[str, Value]) -> list[tuple[str, int]]:
    """The enterprises of a line of the plan, with their seats."""
    found = []
    for number in range(1, LOTS + 1):
        code, seats = values.get(f"enterprise{number}"), values.get(f"seats{number}")
        if code is not None and isinstance(seats, int):
            found.append((str(code), seats))
    return found


def share(seats: int, capacities: Sequence[int], room: Sequence[int]) -> list[int]:
    """Seats over programs by their size: the largest remainder first, never beyond its room.

    >>> share(5, [20, 10], [20, 10])
    [3, 2]
    """
    total = sum(capacities)
    given = [min(seats * c // total, free) for c, free in zip(capacities, room, strict=True)]
    order = sorted(range(len(room)), key=lambda at: (-(seats * capacities[at] % total), at))
    while sum(given) < seats:
        for at in order:
            if given[at] < room[at] and sum(given) < seats:
                given[at] += 1
    return given


def channels(round_: Round) -> dict[str, str]:
    """The exam channels of the round's rules, with what they are called."""
    if round_.policy is None:
        return dict(CODES["channels"])
    rows = tomllib.loads(round_.policy.toml).get("score_channel", [])
    return {row["channel"]: CODES["channels"].get(row["channel"], row["channel"]) for row in rows}


def _check_classes(
    session: Session, round_: Round, office: Office, lines: Sequence[Line], held: Current
) -> Iterator[Issue]:
    colleges = {c.code: c for c in session.scalars(select(College))}
    enterprises = set(session.scalars(select(Enterprise.code)))
    known = {c.code: c for c in _all_classes(session, round_)}
    allowed = channels(round_)
    for line in lines:
        values = line.values
        line.key = str(values["code"] or "")
        settle_flags(line, CLASSES)
        _settle_lots(line, known.get(line.key))
        yield from _check_college(line, round_, office, colleges, known)
        yield from _check_seats(line, enterprises, known.get(line.key))
        if values["channel"] is not None and allowed and values["channel"] not in allowed:
            yield Issue(
                "channel", line.row, "channel", str(values["channel"]),
                {"allowed": "、".join(allowed.values())},
            )  # fmt: skip
        low, high = values["age_min"], values["age_max"]
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield Issue("reversed", line.row, "age_max", str(high), {"other": low})
        if (low is not None or high is not None) and not values["age_basis"]:
            yield Issue("basis_needed", line.row, "age_basis")
        if values["health"] and not values["health_basis"]:
            yield Issue("basis_needed", line.row, "health_basis")
        for name in ("intake", "note", "age_basis", "health_basis"):
            for fault in unlawful(str(values[name] or "")):
                yield Issue("unlawful", line.row, name, fault.words, {"kind": fault.kind})
    yield from twice(lines, "code")


def _check_college(
    line: Line,
    round_: Round,
    office: Office,
    colleges: Mapping[str, College],
    known: Mapping[str, OrderClass],
) -> Iterator[Issue]:
    values = line.values
    college = colleges.get(str(values["college"]))
    if values["college"] is not None and college is None:
        yield Issue("no_college", line.row, "college", str(values["college"]))
    if college is not None and office.college_id not in (None, college.id):
        yield Issue("not_yours", line.row, "college", college.code)
    held = known.get(line.key)
    if held is not None and college is not None and held.college_id != college.id:
        yield Issue("other_college", line.row, "college", college.code)
    if values["year"] is not None and values["year"] != round_.year:
        yield Issue("year", line.row, "year", str(values["year"]), {"expected": round_.year})
    if values["season"] is not None and values["season"] != round_.season:
        expected = CODES["seasons"][round_.season]
        said = CODES["seasons"][str(values["season"])]
        yield Issue("year", line.row, "season", said, {"expected": expected})
    level = values["level"]
    if college is not None and level is not None:
        approved = approved_levels(college.tier)
        if level not in approved:
            yield Issue(
                "level", line.row, "level", CODES["levels"][str(level)],
                {"tier": college.tier,
                 "allowed": "、".join(CODES["levels"][code] for code in approved)},
            )  # fmt: skip


def _settle_lots(line: Line, held: OrderClass | None) -> None:
    """Enterprises in the order of the seats that are stored, new ones after them, without gaps."""
    pairs = [(line.values[f"enterprise{n}"], line.values[f"seats{n}"]) for n in range(1, LOTS + 1)]
    if any((code is None) != (seats is None) for code, seats in pairs):
        return
    stored_order = [p.enterprise.code for p in held.programs] if held else []
    place = {code: at for at, code in enumerate(stored_order)}
    given = [pair for pair in pairs if pair[0] is not None]
    given.sort(key=lambda pair: place.get(str(pair[0]), LOTS))
    given += [(None, None)] * (LOTS - len(given))
    for number, (code, seats) in enumerate(given, start=1):
        line.values[f"enterprise{number}"], line.values[f"seats{number}"] = code, seats


def _check_seats(line: Line, enterprises: set[str], held: OrderClass | None) -> Iterator[Issue]:
    values = line.values
    seen: set[str] = set()
    for number in range(1, LOTS + 1):
        name, seats = f"enterprise{number}", f"seats{number}"
        code = values[name]
        if code is None and values[seats] is not None:
            yield Issue("required", line.row, name)
        if code is not None and values[seats] is None and number > 1:
            yield Issue("required", line.row, seats)
        if code is not None and code not in enterprises:
            yield Issue("no_enterprise", line.row, name, str(code))
        if code is not None and code in seen:
            yield Issue("enterprise_twice", line.row, name, str(code))
        seen.add(str(code))
    total = sum(seats for _, seats in lots(values))
    if isinstance(values["seats"], int) and values["seats"] != total:
        yield Issue("seats_sum", line.row, "seats", str(values["seats"]), {"sum": total})
    if isinstance(values["min_size"], int) and values["min_size"] > total:
        yield Issue("min_size", line.row, "min_size", str(values["min_size"]), {"sum": total})
    reserved = sum(reserves_of(values["reserves"]).values())
    if reserved > total:
        yield Issue("reserved", line.row, "reserves", str(reserved), {"sum": total})
    if held is not None:
        lost = [p for p in held.programs if p.enterprise.code not in seen]
        for program in lost:
            yield Issue("seats_lost", line.row, "enterprise1", program.enterprise.code)
        own = [p.enterprise_id for p in held.programs]
        mixed = len({p.channel for p in held.programs}) > 1
        if len(own) > LOTS or len(set(own)) < len(own) or mixed:
            yield Issue("not_expressible", line.row, "code", held.code)


def _store_classes(
    session: Session, round_: Round, office: Office, changes: Sequence[Change], actor: Actor
) -> None:
    found = {held.code: held for held in _all_classes(session, round_)}
    colleges = {c.code: c for c in session.scalars(select(College))}
    enterprises = {e.code: e for e in session.scalars(select(Enterprise))}
    for change in changes:
        after = change.after
        held = found.get(change.key)
        if held is None:
            held = OrderClass(round=round_, code=change.key, name="", programs=[])
            session.add(held)
        else:
            held.version += 1
        former = _called(held)
        held.college = college = colleges[str(after["college"])]
        for column in CLASSES.columns:
            if column.name not in _OF_PROGRAMS and column.name != "code":
                setattr(held, column.name, stored(column.name, after[column.name]))
        if held.name in ("", former):
            held.name = _called(held)
        held.district = held.district or college.district
        held.industry = held.industry or enterprises[str(after["enterprise1"])].industry
        held.confirmed_at, held.confirmed_by = None, ""
        _store_seats(session, held, after, change.before, enterprises)
        log(session, actor, CLASSES, change, round_)


def _called(held: OrderClass) -> str:
    level = CODES["levels"].get(held.level or "", "")
    return f"{held.major or ''}{level}{CODES['kinds']['order']}"


def _store_seats(
    session: Session,
    held: OrderClass,
    after: Row,
    before: Row | None,
    enterprises: Mapping[str, Enterprise],
) -> None:
    by_office = {p.enterprise.code: p for p in held.programs}
    used = {p.code for p in held.programs}
    kept = []
    for number, (code, seats) in enumerate(lots(after), start=1):
        program = by_office.get(code)
        if program is None:
            free = (f"{held.code}-{n}" for n in range(number, number + 99))
            program = Program(
                order_class=held, enterprise=enterprises[code], capacity=0,
                code=next(name for name in free if name not in used), name=held.name,
            )  # fmt: skip
            session.add(program)
            used.add(program.code)
        if (program.capacity, program.channel) != (seats, after["channel"]):
            program.confirmed_at, program.confirmed_by = None, ""
        program.capacity, program.channel = seats, str(after["channel"])
        kept.append(program)
    same = before is not None and all(
        before.get(name) == after[name]
        for name in _OF_PROGRAMS
        if name.startswith(("enterprise", "seats")) or name == "reserves"
    )
    if same:
        return  # the reserves stand as somebody may have shared them out by hand
    session.flush()
    rest = [program.capacity for program in kept]
    for program in kept:
        program.reserves.clear()
    session.flush()
    for (group, hard), seats in reserves_of(after["reserves"]).items():
        for at, given in enumerate(share(seats, [p.capacity for p in kept], rest)):
            if given:
                kept[at].reserves.append(Reserve(group=group, hard=hard, seats=given))
                rest[at] -= given


def _removable_classes(session: Session, round_: Round, keys: Sequence[str]) -> Iterator[Issue]:
    capped = {
        code
        for programs in session.scalars(select(Cap.programs).where(Cap.round_id == round_.id))
        for code in programs
    }
    for held in _all_classes(session, round_):
        if held.code in keys and capped & {p.code for p in held.programs}:
            yield Issue("removal_capped", value=held.code)


def _remove_classes(
    session: Session, round_: Round, keys: Sequence[str], actor: Actor, reason: str
) -> None:
    released: set[int | None] = set()
    for held in _all_classes(session, round_):
        if held.code not in keys:
            continue
        row = _class_row(held, round_)
        _log_removal(session, actor, CLASSES, held.code, row, round_, reason)
        released |= {program.demand_id for program in held.programs}
        for program in held.programs:
            session.delete(program)
        session.flush()
        session.delete(held)
    session.flush()
    used = set(session.scalars(select(Program.demand_id)))
    for demand in session.scalars(select(Demand).where(Demand.id.in_(released - used - {None}))):
        demand.state = "submitted"


KEEPERS = {
    "colleges": _offices(College, COLLEGES, "college_id"),
    "enterprises": _offices(Enterprise, ENTERPRISES, "enterprise_id"),
    "demands": Keeper(
        _demands, _check_demands, _store_demands,
        removable=_removable_demands, remove=_remove_demands,
    ),
    "classes": Keeper(
        _classes, _check_classes, _store_classes,
        removable=_removable_classes, remove=_remove_classes,
    ),
}  # fmt: skip
