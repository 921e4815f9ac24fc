"""PrefLib's files of ordinal preferences: SOC, SOI, TOC and TOI, with the header of PrefLib 2.

Voters are applicants, alternatives are programs.  A line ``3: 1,{2,4}`` stands for three people who
list alternative 1, then 2 and 4 as equally good.  The format has no seats and no priorities: seats
come from a CSV file ``program,capacity``, by default one seat each; priorities are the lottery's.
Voters have no names, so they are numbered from 1 in the order of the file.

Read, and required, are ``NUMBER ALTERNATIVES``, ``NUMBER VOTERS``, ``NUMBER UNIQUE ORDERS`` and an
``ALTERNATIVE NAME`` for each number; ``DATA TYPE`` and ``TITLE`` are read where they stand; the
other lines of the header say nothing that a round could hold.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..tables import InvalidRound, Issue, read_csv
from .lists import Group, Lists, count_fault, id_fault, to_groups

TYPES = ("soc", "soi", "toc", "toi")
"""Strict or with ties (the first letter), complete or incomplete (the last)."""

MOST_VOTERS = 1_000_000
"""More people than this are refused: a single line could ask for any number of them."""

_NUMBERS = ("NUMBER ALTERNATIVES", "NUMBER VOTERS", "NUMBER UNIQUE ORDERS")
_NAME = "ALTERNATIVE NAME "
_ITEM = r"\s*(?:[0-9]+|\{\s*[0-9]+\s*(?:,\s*[0-9]+\s*)*\})\s*"
_ORDER = re.compile(rf"\s*([0-9]{{1,9}})\s*:({_ITEM}(?:,{_ITEM})*)")
_TOKEN = re.compile(r"[0-9]+|[{}]")


class _Order(NamedTuple):
    """A line of the body: where it stands, how many people it speaks for, and their list."""

    line: int
    people: int
    groups: list[Group]


@dataclass
class _Reading:
    """A file on the way: its header by key, with lines, its orders, and what is wrong with it."""

    file: str
    header: dict[str, tuple[str, int]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    orders: dict[tuple[frozenset[str], ...], _Order] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    def wrong(self, line: int, column: str, code: str, value: object, limit: object = "") -> None:
        """Note that something is wrong at a line."""
        self.issues.append(Issue(self.file, line, column, code, str(value), str(limit)))


def parse(text: str, file: str, suffix: str, seats: Mapping[str, str] | None) -> Lists:
    """The lists of a text.

    Parameters
    ----------
    text, file
        The text and the name of its file.
    suffix
        The data type that the file's name states; holds where its header states none.
    seats
        Seats by name of the alternative; None for one seat each.

    Raises
    ------
    InvalidRound
        With everything that is wrong, each at its line.
    """
    reading = _Reading(file)
    body = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.lstrip().startswith("#"):
            key, _, value = line.lstrip()[1:].strip().partition(":")
            if key in reading.header:
                reading.wrong(number, key, "duplicate_key", key)
            reading.header[key] = (value.strip(), number)
        elif line.strip():
            body.append((number, line))
    stated = _header(reading)
    kind, place = reading.header.get("DATA TYPE", ("", 1))
    if kind and kind.lower() not in TYPES:
        reading.wrong(place, "DATA TYPE", "preflib_type", kind, " ".join(TYPES))
    kind = kind.lower() or (suffix if suffix in TYPES else "")
    if reading.issues:
        raise InvalidRound(reading.issues)
    for number, line in body:
        _order(reading, number, line, kind)
    people = sum(order.people for order in reading.orders.values())
    if not reading.issues:
        _compare(reading, stated, people)
    if reading.issues:
        raise InvalidRound(reading.issues)
    return _lists(reading, seats)


def _header(reading: _Reading) -> dict[str, int]:
    """The numbers of the header, having named every alternative."""
    stated = {}
    for key in _NUMBERS:
        value, line = reading.header.get(key, ("", 1))
        if not value:
            reading.wrong(line, "", "preflib_header", key)
        elif faults := list(count_fault(value, reading.file, line, key)):
            reading.issues += faults
        else:
            stated[key] = int(value)
    seen: set[str] = set()
    for key, (name, line) in reading.header.items():
        if not key.startswith(_NAME):
            continue
        reading.names[key.removeprefix(_NAME).strip()] = name
        if not name:
            reading.wrong(line, key, "missing_value", "")
        elif name in seen:
            reading.wrong(line, key, "duplicate_key", name)
        reading.issues += id_fault(name, reading.file, line) if name else ()
        seen.add(name)
    named = len(reading.names)
    alternatives = stated.get(_NUMBERS[0], named)
    if alternatives != named:
        line = reading.header[_NUMBERS[0]][1]
        reading.wrong(line, _NUMBERS[0], "preflib_number", alternatives, named)
    elif not named:
        reading.wrong(1, "", "no_programs", "")
    for number in range(1, named + 1):
        if str(number) not in reading.names:
            reading.wrong(1, "", "preflib_header", f"{_NAME}{number}")
    return stated


def _order(reading: _Reading, number: int, line: str, kind: str) -> None:
    """Read one line of the form ``3: 1,{2,4}``."""
    found = _ORDER.fullmatch(line)
    groups = to_groups(_TOKEN.findall(found[2]), "{}") if found else None
    if not found or not groups or not int(found[1]):
        reading.wrong(number, "", "preflib_line", line.strip()[:80])
        return
    groups = [tuple(entry.lstrip("0") or "0" for entry in group) for group in groups]
    times = Counter(entry for group in groups for entry in group)
    unknown = [entry for entry in times if entry not in reading.names]
    for entry in unknown:
        reading.wrong(number, "", "unknown_partner", entry)
    for entry in times:
        if times[entry] > 1 and entry not in unknown:
            reading.wrong(number, "", "partner_twice", entry)
    if kind[:1] == "s" and any(len(group) > 1 for group in groups):
        reading.wrong(number, "", "preflib_tied", found[2].strip()[:80], kind)
    if kind[-1:] == "c" and not unknown and len(times) < len(reading.names):
        reading.wrong(number, "", "preflib_incomplete", found[2].strip()[:80], kind)
    same = tuple(map(frozenset, groups))
    if same in reading.orders:
        reading.wrong(number, "", "duplicate_key", found[2].strip()[:80])
    named = [tuple(reading.names.get(entry, "") for entry in group) for group in groups]
    reading.orders[same] = _Order(number, int(found[1]), named)


def _compare(reading: _Reading, stated: dict[str, int], people: int) -> None:
    """Tell where the header's numbers are not those of the body."""
    for key, found in ((_NUMBERS[1], people), (_NUMBERS[2], len(reading.orders))):
        if stated[key] != found:
            line = reading.header[key][1]
            reading.wrong(line, key, "preflib_number", stated[key], found)
    if people > MOST_VOTERS:
        line = reading.header[_NUMBERS[1]][1]
        reading.wrong(line, _NUMBERS[1], "preflib_voters", people, MOST_VOTERS)


def _lists(reading: _Reading, seats: Mapping[str, str] | None) -> Lists:
    choices: dict[str, list[Group]] = {}
    lines = {}
    for order in reading.orders.values():
        for _ in range(order.people):
            lines[str(len(choices) + 1)] = order.line
            choices[str(len(choices) + 1)] = order.groups
    names = [reading.names[str(n)] for n in range(1, len(reading.names) + 1)]
    capacity = {name: "1" if seats is None else seats.get(name, "") for name in names}
    title = reading.header.get("TITLE", ("", 0))[0]
    return Lists(choices, capacity, None, title, lines)


def parse_seats(data: bytes, file: str) -> dict[str, str]:
    """Seats by program, of a CSV file ``program,capacity``.

    Raises
    ------
    InvalidRound
        With everything that is wrong, each at its row.
    """
    found: list[Issue] = []
    table = read_csv(data, "programs", found)
    issues = [
        replace(issue, table=file, value=file if issue.value == "programs.csv" else issue.value)
        for issue in found
    ]
    if table is None or issues:
        raise InvalidRound(issues)
    for column in table.columns:
        if column not in ("program", "capacity") and not column.startswith("x_"):
            issues.append(Issue(file, 1, column, "unknown_column", column))
    seats: dict[str, str] = {}
    for row, name, number in zip(table.rows, table["program"], table["capacity"], strict=True):
        if name in seats:
            issues.append(Issue(file, row, "program", "duplicate_key", name))
        issues += count_fault(number, file, row, "capacity")
        seats[name] = number
    if issues:
        raise InvalidRound(issues)
    return seats


def check_seats(lists: Lists, seats: Mapping[str, str], file: str) -> Iterator[Issue]:
    """Programs whose seats are not given, and seats of programs that are not there."""
    for name, number in lists.capacity.items():
        if not number:
            yield Issue(file, 0, "program", "seats_missing", name)
    for name in seats:
        if name not in lists.capacity:
            yield Issue(file, 0, "program", "seats_of_nobody", name)


def unwritable(lists: Lists, suffix: str) -> Iterator[Issue]:
    """What this format cannot hold: priorities, lists without an entry, a type that does not fit."""
    ranked = [name for name, groups in (lists.orders or {}).items() if len(groups) > 1]
    if ranked:
        yield Issue("scores", 0, "score", "unwritable_scores", str(len(ranked)), "PrefLib")
    for name, groups in lists.choices.items():
        if not groups:
            yield Issue(
                "applicants", lists.lines[name], "applicant", "unwritable_empty", name, "PrefLib"
            )
    kind = type_of(lists)
    if suffix in TYPES and suffix != kind:
        yield Issue("applications", 0, "", "unwritable_type", f".{suffix}", f".{kind}")


def type_of(lists: Lists) -> str:
    """The most restrictive data type of some lists, which is the one that a file must have."""
    sizes = [sum(map(len, groups)) for groups in lists.choices.values()]
    tied = any(len(group) > 1 for groups in lists.choices.values() for group in groups)
    complete = all(size == len(lists.capacity) for size in sizes)
    return ("to" if tied else "so") + ("c" if complete else "i")


def dump(lists: Lists, file: str) -> str:
    """The text of some lists, each different one on one line, in the order of first appearance."""
    count: dict[tuple[Group, ...], int] = {}
    number = {name: str(at) for at, name in enumerate(lists.capacity, start=1)}
    for groups in lists.choices.values():
        numbered = tuple(
            tuple(sorted((number[name] for name in group), key=int)) for group in groups
        )
        count[numbered] = count.get(numbered, 0) + 1
    header = {
        "FILE NAME": file, "TITLE": " ".join(lists.title.split()), "DESCRIPTION": "",
        "DATA TYPE": type_of(lists), "MODIFICATION TYPE": "original", "RELATES TO": "",
        "RELATED FILES": "", "PUBLICATION DATE": "", "MODIFICATION DATE": "",
        _NUMBERS[0]: str(len(number)), _NUMBERS[1]: str(len(lists.choices)),
        _NUMBERS[2]: str(len(count)),
    }  # fmt: skip
    header |= {f"{_NAME}{at}": name for name, at in number.items()}
    lines = [f"# {key}: {value}" for key, value in header.items()]
    for order, people in count.items():
        shown = (g[0] if len(g) == 1 else "{" + ",".join(g) + "}" for g in order)
        lines.append(f"{people}: {','.join(shown)}")
    return "\n".join(lines) + "\n"


def dump_seats(lists: Lists) -> str:
    """The CSV file ``program,capacity`` that belongs to a text; blank where each has one seat."""
    if set(lists.capacity.values()) <= {"1"}:
        return ""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["program", "capacity"])
    writer.writerows(lists.capacity.items())
    return text.getvalue()
