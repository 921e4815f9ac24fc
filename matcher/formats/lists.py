"""Ranked lists on both sides: what a round and the files of other programs have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from .. import cells
from ..market import Market
from ..policy import Policy
from ..tables import SCHEMA, InvalidRound, Issue, Table, Tables
from ..validate import validate

Group = tuple[str, ...]
"""Ids that a list holds to be equally good."""

SEED = "00"
"""The lottery seed of a round that was read from a file, which has none; stated in its policy."""


@dataclass
class Lists:
    """Applicants' ranked lists, seats, and, where the format has them, the programs' orders.

    Parameters
    ----------
    choices
        Per applicant, in the order of the file: her list, best first, equals in one group.
    capacity
        Per program, in the order of the file: its seats.
    orders
        Per program: its applicants, best first, equals in one group.  Somebody who lists a program
        and does not stand in its order is not acceptable there.  None where the format knows no
        orders.
    title
        What the file calls itself.
    lines
        Where each applicant's list stands.
    """

    choices: dict[str, list[Group]]
    capacity: dict[str, str]
    orders: dict[str, list[Group]] | None = None
    title: str = ""
    lines: dict[str, int] = field(default_factory=dict)


def to_groups(tokens: Sequence[str], brackets: str) -> list[Group] | None:
    """A list with its equals in brackets, or None where the brackets do not match.

    >>> to_groups(["3", "(", "1", "2", ")"], "()")
    [('3',), ('1', '2')]
    >>> to_groups(["3", "("], "()") is None
    True
    """
    found: list[Group] = []
    inside: list[str] | None = None
    for token in tokens:
        if token == brackets[0]:
            if inside is not None:
                return None
            inside = []
        elif token == brackets[1]:
            if not inside:
                return None
            found.append(tuple(inside))
            inside = None
        elif inside is None:
            found.append((token,))
        else:
            inside.append(token)
    return found if inside is None else None


def misfits(
    groups: Sequence[Group], known: dict[str, int], place: tuple[str, int, str]
) -> Iterator[Issue]:
    """Entries of a list that the other side does not have, or that stand in it twice.

    ``place`` is the file, the line and whose list it is.
    """
    seen: set[str] = set()
    for entry in (entry for group in groups for entry in group):
        if entry not in known:
            yield Issue(*place, "unknown_partner", entry)
        elif entry in seen:
            yield Issue(*place, "partner_twice", entry)
        seen.add(entry)


def id_fault(value: str, file: str, line: int) -> Iterator[Issue]:
    """What keeps a name from being an id of a round."""
    column = SCHEMA["programs"].column("program")
    assert column
    found = cells.fault(value, column)
    if found:
        yield Issue(file, line, "", found[0], value)


def count_fault(value: str, file: str, line: int, column: str = "") -> Iterator[Issue]:
    """What keeps a text from being a number of seats or of people."""
    declared = SCHEMA["programs"].column("capacity")
    assert declared
    found = cells.fault(value, declared)
    if found:
        yield Issue(file, line, column, found[0], value)


def crossing_ties(lists: Lists, table: str) -> Iterator[Issue]:
    """Ties that share some programs but not all, so that no order classes can stand for them."""
    tied: dict[str, tuple[frozenset[str], int]] = {}
    told: set[tuple[int, Group]] = set()
    for applicant, groups in lists.choices.items():
        line = lists.lines.get(applicant, 0)
        for group in groups:
            if len(group) == 1:
                continue
            members = frozenset(group)
            others = [tied[p][1] for p in group if p in tied and tied[p][0] != members]
            if not others:
                tied |= {program: (members, line) for program in group if program not in tied}
            elif (line, group) not in told:
                yield Issue(table, line, "", "tied_choices", " ".join(group), str(others[0]))
                told.add((line, group))


def to_tables(lists: Lists, file: str) -> Tables:
    """The round that says the same.

    A tie between programs becomes an order class without a minimum, whose programs a round takes
    as equally good (where a mechanism must choose, in plan order); an order becomes scores, the
    worst group 1, the next one 2, …, so that ties stay ties; somebody whom a program does not
    accept is decided to be ``rejected``.

    Raises
    ------
    InvalidRound
        Where ties share some programs but not all.
    """
    issues = list(crossing_ties(lists, file))
    if issues:
        raise InvalidRound(issues)
    tied = {frozenset(g) for groups in lists.choices.values() for g in groups if len(g) > 1}
    class_of = {
        program: name
        for members in tied
        for name in ["+".join(p for p in lists.capacity if p in members)]
        for program in members
    }
    programs = {"program": list(lists.capacity), "capacity": list(lists.capacity.values())}
    if class_of:
        programs["order_class"] = [class_of.get(name, "") for name in lists.capacity]
    tables = {
        "applicants": Table({"applicant": list(lists.choices)}),
        "programs": Table(programs),
        "applications": _table("applications", [
            (applicant, str(rank), group[0] if len(group) == 1 else class_of[group[0]])
            for applicant, groups in lists.choices.items()
            for rank, group in enumerate(groups, start=1)
        ]),
    }  # fmt: skip
    if class_of:
        names = list(dict.fromkeys(class_of[p] for p in lists.capacity if p in class_of))
        tables["order_classes"] = Table({"order_class": names, "min_size": ["0"] * len(names)})
    if lists.orders is not None:
        tables |= _priorities(lists, lists.orders)
    policy = Policy(title=lists.title, closure="sequential", seed=SEED, accept_ranks=True)
    made = Tables(tables, policy.to_toml().encode())
    issues = [issue for issue in validate(made) if issue.severity == "error"]
    if issues:
        raise InvalidRound(issues)
    return made


def _priorities(lists: Lists, orders: dict[str, list[Group]]) -> dict[str, Table]:
    """The tables ``scores`` and ``decisions``, where there is something to say in them."""
    scores = [
        (applicant, program, str(len(groups) - place))
        for program, groups in orders.items()
        for place, group in enumerate(groups)
        for applicant in group
    ]
    accepted = {(applicant, program) for applicant, program, _ in scores}
    rejected = [
        (applicant, program, "rejected")
        for applicant, groups in lists.choices.items()
        for group in groups
        for program in group
        if (applicant, program) not in accepted
    ]
    made = {}
    if scores:
        columns = zip(*scores, strict=True)
        made["scores"] = Table(
            dict(zip(("applicant", "program", "score"), map(list, columns), strict=True))
        )
    if rejected:
        made["decisions"] = _table("decisions", rejected)
    return made


def _table(name: str, rows: Sequence[tuple[str, ...]]) -> Table:
    """A table of the columns that its sheet requires."""
    names = [column.name for column in SCHEMA[name].columns if column.required]
    return Table({column: [row[at] for row in rows] for at, column in enumerate(names)})


def of_market(market: Market, policy: Policy) -> Lists:
    """The lists, seats and orders of a round; everything else is left out.

    Call :func:`unwritable` first: it tells what must not be left out.
    """
    names, programs = market.applicants, market.programs
    choices: dict[str, list[Group]] = {name: [] for name in names}
    listed = zip(*(column.tolist() for column in market.wishes), strict=True)
    for (owner, _), pairs in groupby(listed, key=lambda pair: (pair[0], pair[2])):
        choices[names[owner]].append(tuple(programs[p] for _, p, _ in pairs))
    orders: dict[str, list[Group]] = {name: [] for name in programs}
    levels: dict[tuple[int, int], list[str]] = {}
    edges = zip(market.program.tolist(), market.level.tolist(), market.owner.tolist(), strict=True)
    for program, level, owner in sorted(edges):
        levels.setdefault((program, level), []).append(names[owner])
    for (program, _), group in levels.items():
        orders[programs[program]].append(tuple(group))
    rows = market.tables["applicants"].rows
    capacity = dict(zip(programs, map(str, market.capacity.tolist()), strict=True))
    lines = dict(zip(names, rows, strict=True))
    return Lists(choices, capacity, orders, policy.title, lines)


def unwritable(market: Market, lists: Lists, name: str, rejections: bool) -> Iterator[Issue]:
    """What a round asks for and lists cannot say, each at its place.

    Parameters
    ----------
    market, lists
        The round, and what would be written of it.
    name
        The format, for the sentences.
    rejections
        Whether the format can say that a program rejects somebody.
    """
    tables = market.tables
    if any(reserve.seats for reserve in market.reserves):
        yield Issue("reserves", 0, "seats", "unwritable_reserves", str(len(market.reserves)), name)
    if market.caps:
        yield Issue("caps", 0, "cap", "unwritable_caps", str(len(market.caps)), name)
    minimums = int((market.min_size > 1).sum())
    if minimums:
        yield Issue("order_classes", 0, "min_size", "unwritable_min_size", str(minimums), name)
    willing = sum(scope not in ("", "none") for scope in tables["applicants"]["adjustment"])
    if willing:
        yield Issue("applicants", 0, "adjustment", "unwritable_adjustment", str(willing), name)
    if market.confirmed:
        yield Issue("decisions", 0, "decision", "unwritable_confirmed", "confirmed", name)
    rules = {barred.rule for barred in market.barred} - ({"rejected"} if rejections else set())
    if rules:
        shown = " ".join(sorted(rules))
        yield Issue("applications", 0, "program", "unwritable_barred", shown, name)
    yield from crossing_ties(lists, "applicants")
