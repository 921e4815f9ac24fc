"""The Glasgow format of the hospitals/residents problem, with ties: residents apply to hospitals.

A file holds a header, a line for each resident, a line for each hospital.  Equals stand in round
brackets.  Read are the forms that published programs and data use:

- ``0``, then the number of residents, then of hospitals, each on a line of its own (the instances
  of the University of Glasgow, IP-MATCH); or residents, couples and hospitals so, where there is no
  couple; or residents and hospitals alone so, where the lists have colons;
- both numbers on one line (``algmatch``, and R. W. Irving's program).

Lists are ``resident hospitals…`` and ``hospital capacity residents…``, or with a colon behind
each of the leading fields.  An id is any text without a blank, a colon or a round bracket; in
most data it is a number, and the two sides may use the same ones.  Somebody whom a hospital does not
list is not acceptable there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..tables import InvalidRound, Issue
from .lists import Group, Lists, count_fault, id_fault, misfits, to_groups

_TOKEN = re.compile(r"[():]|[^\s():]+")
_ID = re.compile(r"[^\s():]+")
_NUMBER = re.compile(r"0|[1-9][0-9]*")


class _Line(NamedTuple):
    number: int
    tokens: list[str]


class _Entry(NamedTuple):
    """A line taken apart: its leading fields and its list."""

    line: int
    fields: list[str]
    groups: list[Group]


def parse(text: str, file: str) -> Lists:
    """The lists of a text.

    Raises
    ------
    InvalidRound
        With everything that is wrong, each at its line.
    """
    split = enumerate(text.split("\n"), start=1)
    lines = [_Line(number, found) for number, line in split if (found := _TOKEN.findall(line))]
    people, hospitals, body = _header(lines, file)
    if len(body) != people + hospitals:
        last = lines[-1].number
        raise InvalidRound(
            [Issue(file, last, "", "glasgow_lines", str(len(body)), str(people + hospitals))]
        )
    issues: list[Issue] = []
    left = list(_entries(body[:people], 1, file, issues))
    right = list(_entries(body[people:], 2, file, issues))
    known = [{entry.fields[0]: entry.line for entry in side} for side in (left, right)]
    if not issues:  # a line that cannot be read has an id that the others may name
        for side, others in ((left, known[1]), (right, known[0])):
            for entry in side:
                issues += misfits(entry.groups, others, (file, entry.line, entry.fields[0]))
    if issues:
        raise InvalidRound(sorted(issues, key=lambda issue: issue.row))
    return Lists(
        choices={entry.fields[0]: entry.groups for entry in left},
        capacity={entry.fields[0]: entry.fields[1] for entry in right},
        orders={entry.fields[0]: entry.groups for entry in right},
        lines=known[0],
    )


def _header(lines: list[_Line], file: str) -> tuple[int, int, list[_Line]]:
    """How many residents, how many hospitals, and the lines behind the header."""

    def refuse(code: str, line: _Line, value: str) -> InvalidRound:
        return InvalidRound([Issue(file, line.number, "", code, value)])

    if not lines:
        raise InvalidRound([Issue(file, 1, "", "glasgow_header", "")])
    first = lines[0]
    alone = [line.tokens[0] for line in lines[:3] if len(line.tokens) == 1]
    if len(first.tokens) == 2:
        used, numbers = 1, first.tokens
    elif len(first.tokens) == 3 and "0" not in first.tokens:
        raise refuse("glasgow_couples", first, " ".join(first.tokens))
    elif len(alone) == 3:
        used, numbers = 3, alone
    elif len(lines) > 2 and len(alone) == 2 and ":" in lines[2].tokens:
        used, numbers = 2, alone
    else:
        raise refuse("glasgow_header", first, " ".join(first.tokens)[:80])
    faults = [f for number in numbers for f in count_fault(number, file, first.number)]
    if faults:
        raise InvalidRound(faults)
    if used == 3 and int(numbers[0]) > 0:
        if int(numbers[1]) > 0:
            raise refuse("glasgow_couples", lines[1], numbers[1])
        numbers = [numbers[0], numbers[2]]
    people, hospitals = map(int, numbers[-2:])
    if not hospitals:
        raise refuse("no_programs", first, "")
    return people, hospitals, lines[used:]


def _entries(lines: list[_Line], width: int, file: str, issues: list[Issue]) -> Iterator[_Entry]:
    """The lines of one side, ``width`` fields before each list; what is wrong goes to ``issues``."""
    seen: set[str] = set()
    for number, tokens in lines:
        fields, rest = _fields(tokens, width)
        groups = to_groups(rest, "()")
        if len(fields) < width or ":" in rest:
            issues.append(Issue(file, number, "", "glasgow_line", " ".join(tokens)[:80]))
            continue
        if groups is None:
            issues.append(Issue(file, number, fields[0], "list_brackets", "( )"))
            continue
        if fields[0] in seen:
            issues.append(Issue(file, number, "", "duplicate_key", fields[0]))
        seen.add(fields[0])
        issues += id_fault(fields[0], file, number)
        for seats in fields[1:]:
            issues += count_fault(seats, file, number, fields[0])
        yield _Entry(number, fields, groups)


def _fields(tokens: list[str], width: int) -> tuple[list[str], list[str]]:
    """The leading fields, each followed by a colon if there is any, and the rest; none if unsound."""
    step = 2 if ":" in tokens else 1
    fields, colons = tokens[: step * width : step], tokens[1 : step * width : 2]
    sound = not {"(", ")", ":"} & set(fields) and (step == 1 or colons == [":"] * width)
    return (fields if sound else [], tokens[step * width :])


def unwritable(lists: Lists) -> Iterator[Issue]:
    """Ids that this format cannot hold."""
    for table, column, names in (
        ("applicants", "applicant", lists.choices), ("programs", "program", lists.capacity),
    ):  # fmt: skip
        for name in names:
            if not _ID.fullmatch(name):
                yield Issue(table, lists.lines.get(name, 0) if table == "applicants" else 0, column,
                            "unwritable_id", name)  # fmt: skip


def dump(lists: Lists) -> str:
    """The text of some lists: by numbers in three lines of header, by names with colons."""
    plain = all(_NUMBER.fullmatch(name) for name in (*lists.choices, *lists.capacity))
    people, hospitals = len(lists.choices), len(lists.capacity)
    lines = ["0", str(people), str(hospitals)] if plain else [f"{people} {hospitals}"]
    between = " " if plain else " : "
    for name, groups in lists.choices.items():
        lines.append(f"{name}{between}{_shown(groups)}".rstrip())
    for name, groups in (lists.orders or {}).items():
        lines.append(f"{name}{between}{lists.capacity[name]}{between}{_shown(groups)}".rstrip())
    return "\n".join(lines) + "\n"


def _shown(groups: list[Group]) -> str:
    return " ".join(" ".join(g) if len(g) == 1 else f"({' '.join(g)})" for g in groups)
