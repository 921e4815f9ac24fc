"""Everything that is wrong with a round, at once, each at its table, row and column.

Nothing is repaired: a round is solved as it stands or not at all.  The sentences that tell people how
to mend an issue are in :mod:`matcher.messages`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import cells, identity
from .lottery import draw_seed, draw_value
from .policy import Policy
from .score_checks import check_scores
from .tables import (
    GROUPS,
    SCHEMA,
    InvalidRound,
    Issue,
    Severity,
    Table,
    Tables,
    check_header,
    split,
)

Bool = NDArray[np.bool_]

MOST_CHOICES = 1000
"""A longer list is a mistake."""

EXCLUDES = {
    "rejected": {"approved", "confirmed", "declined", "waiting"},
    "declined": {"confirmed", "waiting"},
}
"""The decisions that contradict a decision about the same pair."""


def validate(tables: Tables, drawn: bool = True) -> list[Issue]:
    """Every issue of a round, errors and warnings, in the order of tables and rows.

    Parameters
    ----------
    tables
        A round as read.
    drawn
        False for a round whose draw is still to come: it may be without a seed.

    Returns
    -------
    list of Issue
        Empty for a sound round.  With an error among them the round cannot be solved.

    Notes
    -----
    Linear in the number of cells.  A column whose cells are faulty is reported as such and left out
    of the checks that would need its values.
    """
    headers = (check_header(table, name) for name, table in tables.tables.items())
    issues = list(dict.fromkeys([*tables.issues, *chain.from_iterable(headers)]))
    policy = None
    if not any(issue.table == "policy" for issue in issues):
        try:
            policy = Policy.from_tables(tables)
        except InvalidRound as error:
            issues += error.issues
    check = Round(tables, policy or Policy(), issues, policy is not None)
    for name in tables.tables:
        check.cells(name)
        check.keys(name)
    for rule in CHECKS:
        issues += rule(check)
    if policy is not None:
        issues += _seed(tables, policy, drawn)
    order = {name: at for at, name in enumerate(["policy", "draw", *SCHEMA])}
    return sorted(issues, key=lambda i: (order.get(i.table, 99), i.row, i.column, i.code))


@dataclass
class Round:
    """A round under examination: what is known of it, and which columns can be relied on."""

    tables: Tables
    policy: Policy
    issues: list[Issue]
    policy_read: bool = True

    def __post_init__(self) -> None:
        self.bad: set[tuple[str, str]] = {(i.table, i.column) for i in self.issues}
        self.unread = {i.table for i in self.tables.issues} - set(self.tables.tables)
        classes, programs = self.tables["order_classes"], self.tables["programs"]
        self.class_at = {c: at for at, c in enumerate(classes["order_class"])}
        self.program_at = {p: at for at, p in enumerate(programs["program"])}
        self.applicant_at = {a: at for at, a in enumerate(self.tables["applicants"]["applicant"])}
        own = zip(programs["order_class"], programs["program"], strict=True)
        self.class_of = [given or program for given, program in own]
        self.programs_of: dict[str, list[int]] = defaultdict(list)
        for at, name in enumerate(self.class_of):
            self.programs_of[name].append(at)

    def cells(self, name: str) -> None:
        """Look at every distinct cell of every column once."""
        table, sheet = self.tables[name], SCHEMA[name]
        for column, values in table.columns.items():
            declared = sheet.column(column)
            if declared is None:
                continue
            faults = {
                v: found for v in cells.distinct(values) if (found := cells.fault(v, declared))
            }
            if faults:
                self.bad.add((name, column))
                for row, value in zip(table.rows, values, strict=True):
                    if value in faults:
                        code, limit = faults[value]
                        self.issues.append(Issue(name, row, column, code, value, limit))

    def keys(self, name: str) -> None:
        """Tell of every line whose key stands in an earlier line."""
        table, key = self.tables[name], SCHEMA[name].key
        if any(column not in table for column in key[:1]):
            return
        columns: list[Sequence[str]] = [table[column] for column in key]
        if "hard" in key:
            columns[-1] = [cell or "0" for cell in columns[-1]]  # blank means 0
        for at in cells.repeats(*columns):
            value = [column[at] for column in columns]
            shown = " ".join(cell for cell in value if cell)
            self.issues.append(Issue(name, table.rows[at], key[0], "duplicate_key", shown))

    def sound(self, *names: str) -> bool:
        """Whether the ``table.column`` named hold only valid cells (or are absent and optional)."""
        return not any(tuple(name.split(".")) in self.bad for name in names)

    def at(
        self, name: str, column: str, tell: Callable[[int, str], str | tuple[str, str] | None],
        severity: Severity = "error",
    ) -> Iterator[Issue]:  # fmt: skip
        """An issue for each line of a table of which ``tell(position, cell)`` says a code."""
        table = self.tables[name]
        for at, (row, value) in enumerate(zip(table.rows, table[column], strict=True)):
            found = tell(at, value)
            if found:
                code, limit = found if isinstance(found, tuple) else (found, "")
                yield Issue(name, row, column, code, value, limit, severity)


def _references(r: Round) -> Iterator[Issue]:
    """Ids that no line declares; where a file could not be read, nothing is said of its ids."""
    classes = set(r.class_at) | set(r.class_of)
    channels = {*r.tables["programs"]["channel"]} | {c.channel for c in r.policy.channels}
    people, places = (r.applicant_at, "applicants"), (r.program_at, "programs")
    known: dict[tuple[str, str], tuple[Any, ...]] = {
        ("programs", "order_class"): (r.class_at, "order_classes"),
        ("applications", "applicant"): people,
        ("applications", "program"): (classes | set(r.program_at), "programs", "order_classes"),
        ("applicants", "not_accepted"): (classes, "programs", "order_classes"),
        ("scores", "applicant"): people,
        ("scores", "program"): places,
        ("scores", "channel"): (channels, "programs"),
        ("decisions", "applicant"): people,
        ("decisions", "program"): places,
        ("reserves", "program"): places,
        ("caps", "college"): (set(r.tables["order_classes"]["college"]), "order_classes"),
        ("caps", "enterprise"): (set(r.tables["programs"]["enterprise"]), "programs"),
        ("caps", "programs"): places,
    }
    for (name, column), (valid, *targets) in known.items():
        if not r.sound(f"{name}.{column}") or r.unread & set(targets):
            continue
        several = SCHEMA[name].column(column).kind == "ids"  # type: ignore[union-attr]
        keys = [(target, SCHEMA[target].key[0]) for target in targets if target in r.tables.tables]
        if any(key not in r.tables[target] for target, key in keys):
            continue
        wrong = {
            cell: ("unknown_reference", " ".join(targets))
            for cell in cells.distinct(r.tables[name][column])
            if any(entry not in valid for entry in (split(cell) if several else [cell]) if entry)
        }
        if wrong:
            r.bad.add((name, column))
            yield from r.at(name, column, lambda _, cell, wrong=wrong: wrong.get(cell))  # type: ignore[misc]


def _missing_columns(r: Round) -> Iterator[Issue]:
    """A rule that reads a column which nobody filled in would let everybody through."""
    classes, programs = r.tables["order_classes"], r.tables["programs"]
    dated = any(classes["internship_date"]) or any(classes["hire_date"])
    ages = any(classes["age_min"]) or any(classes["age_max"])
    if ages and r.policy_read and not r.policy.reference_date:
        yield Issue("policy", 0, "age.reference_date", "missing_key")
    needed = {
        "birth_date": bool(r.policy.age_rules) or "1" in programs["forbid_minor"] or dated or ages,
        "education": any(classes["entry_education"]),
        "skill_level": any(classes["entry_skill"]),
        "health": any(classes["health"]),
    }
    applicants = r.tables["applicants"]
    for column, wanted in needed.items():
        if wanted and column not in applicants:
            yield Issue("applicants", 1, column, "needed_column", column)
    if needed["birth_date"] and "birth_date" in applicants:
        yield from r.at("applicants", "birth_date", lambda _, v: None if v else "missing_value")
    if r.sound("applicants.birth_date"):
        last = r.policy.reference_date or "9999"
        yield from r.at(
            "applicants",
            "birth_date",
            lambda _, v: (
                ("birth_out_of_range", f"1900-01-01 … {last}")
                if v and not "1900" < v <= last
                else None
            ),
        )
    if "study_forms" in applicants and any(classes["study_form"]):
        yield from r.at("applicants", "study_forms", lambda _, v: None if v else "missing_value")


def _programs(r: Round) -> Iterator[Issue]:
    table = r.tables["programs"]
    if "program" in table and not len(table) and "programs" not in r.unread:
        yield Issue("programs", 0, "", "no_programs")
    for at, program in enumerate(table["program"]):
        if program in r.class_at and r.programs_of.get(program) != [at]:
            yield Issue("programs", table.rows[at], "program", "ambiguous_id", program)
    classes = r.tables["order_classes"]
    dated = {
        c: bool(a or b)
        for c, a, b in zip(
            classes["order_class"], classes["internship_date"], classes["hire_date"], strict=True
        )
    }
    yield from r.at(
        "programs",
        "forbid_minor",
        lambda at, v: "minor_without_date" if v == "1" and not dated.get(r.class_of[at]) else None,
    )


def _classes(r: Round) -> Iterator[Issue]:
    if not r.sound("order_classes.min_size", "programs.capacity", "programs.order_class"):
        return
    table = r.tables["order_classes"]
    capacity = cells.integers(r.tables["programs"]["capacity"], 0)
    minimum = cells.integers(table["min_size"], 0)
    for at, name in enumerate(table["order_class"]):
        inside = r.programs_of.get(name, [])
        seats = int(capacity[inside].sum()) if inside else 0
        if minimum[at] > seats:
            yield Issue(
                "order_classes", table.rows[at], "min_size", "min_above_capacity",
                table["min_size"][at], str(seats),
            )  # fmt: skip
        elif not inside and table["must_open"][at] == "1":
            yield Issue(
                "order_classes", table.rows[at], "must_open", "must_open_without_programs", name
            )
        elif not inside:
            yield Issue(
                "order_classes", table.rows[at], "order_class", "class_without_programs", name,
                severity="warning",
            )  # fmt: skip
    for column, basis in (("age_min", "age_basis"), ("age_max", "age_basis"), ("health",) * 2):
        told = f"{column}_without_basis" if column == "health" else "age_without_basis"
        basis = "health_basis" if column == "health" else basis
        reasons = table[basis]
        yield from r.at(
            "order_classes",
            column,
            lambda at, v, reasons=reasons, told=told: told if v and not reasons[at] else None,  # type: ignore[misc]
        )
    yield from _cannot_open(r, minimum)


def cap_members(r_tables: Tables, at: int, class_of: list[str]) -> list[int]:
    """The positions of the programs under the cap at that line, in the programs' file order."""
    caps, programs = r_tables["caps"], r_tables["programs"]
    classes = r_tables["order_classes"]
    college, enterprise = caps["college"][at], caps["enterprise"][at]
    if college:
        inside = {
            c
            for c, owner in zip(classes["order_class"], classes["college"], strict=True)
            if owner == college
        }
        return [p for p, c in enumerate(class_of) if c in inside]
    if enterprise:
        return [p for p, owner in enumerate(programs["enterprise"]) if owner == enterprise]
    listed = set(split(caps["programs"][at]))
    return [p for p, name in enumerate(programs["program"]) if name in listed]


def _cannot_open(r: Round, minimum: Any) -> Iterator[Issue]:
    """Classes that a single cap keeps below their minimum."""
    caps, table = r.tables["caps"], r.tables["order_classes"]
    if not r.sound("caps.seats", "caps.programs", "order_classes.order_class"):
        return
    seats = cells.integers(caps["seats"], 0)
    capacity = cells.integers(r.tables["programs"]["capacity"], 0)
    for at in range(len(caps)):
        under = set(cap_members(r.tables, at, r.class_of))
        for name in {r.class_of[p] for p in under}:
            row = r.class_at.get(name)
            if row is None:
                continue
            free = sum(int(capacity[p]) for p in r.programs_of[name] if p not in under)
            if min(int(seats[at]), 10**9) + free < minimum[row]:
                yield Issue(
                    "order_classes", table.rows[row], "min_size", "cannot_open",
                    str(minimum[row]), caps["cap"][at], "warning",
                )  # fmt: skip


def _caps(r: Round) -> Iterator[Issue]:
    table = r.tables["caps"]
    for at, row in enumerate(table.rows):
        given = [c for c in ("college", "enterprise", "programs") if table[c][at]]
        if len(given) != 1:
            yield Issue("caps", row, "cap", "cap_of_what", table["cap"][at], " ".join(given))
        elif r.sound("caps.programs", "caps.college", "caps.enterprise") and not cap_members(
            r.tables, at, r.class_of
        ):
            yield Issue(
                "caps", row, "cap", "cap_over_nothing", table["cap"][at], severity="warning"
            )


def _reserves(r: Round) -> Iterator[Issue]:
    table = r.tables["reserves"]
    told = r.sound("reserves.seats", "reserves.program", "programs.capacity")
    if not told or "programs" not in r.tables.tables:
        return
    total: Counter[str] = Counter()
    for program, seats in zip(table["program"], cells.integers(table["seats"], 0), strict=True):
        total[program] += int(seats)
    seats = cells.integers(r.tables["programs"]["capacity"], 0)
    capacity = {program: int(seats[at]) for program, at in r.program_at.items()}

    def tell(at: int, _: str) -> tuple[str, str] | None:
        program = table["program"][at]
        most = capacity.get(program, total[program])
        return ("reserves_above_capacity", str(most)) if total[program] > most else None

    yield from r.at("reserves", "seats", tell)
    held = {g for cell in set(r.tables["applicants"]["groups"]) for g in split(cell)}
    yield from r.at(
        "reserves", "group", lambda _, g: None if g in held else "group_without_people", "warning"
    )
    idle = cells.integers(table["seats"], 0) == 0
    yield from r.at(
        "reserves",
        "must_fill",
        lambda at, v: "must_fill_without_seats" if v == "1" and idle[at] else None,
        "warning",
    )


def _groups(r: Round) -> Iterator[Issue]:
    """Groups that nothing in the round speaks of are mostly slips of the pen, each told once."""
    known = {*GROUPS, *r.tables["reserves"]["group"], *r.policy.groups_of_interest}
    known |= {rule.group for rule in r.policy.age_rules}
    people = r.tables["applicants"]
    for cell in cells.distinct(people["groups"]):
        strange = [group for group in split(cell) if group not in known]
        if strange:
            row = people.rows[list(people["groups"]).index(cell)]
            yield Issue(
                "applicants", row, "groups", "unknown_group", cell, " ".join(strange), "warning"
            )


def _applications(r: Round) -> Iterator[Issue]:
    table = r.tables["applications"]
    people_of, what = table["applicant"], table["program"]
    for at in cells.repeats(people_of, what):
        yield Issue(
            "applications", table.rows[at], "program", "listed_twice", what[at], severity="warning"
        )
    people = r.tables["applicants"]
    writers = {*cells.distinct(people_of), ""}
    yield from r.at(
        "applicants", "applicant", lambda _, v: None if v in writers else "no_choices", "warning"
    )
    refused = {
        a: set(split(cell))
        for a, cell in zip(people["applicant"], people["not_accepted"], strict=True)
        if cell
    }

    def tell(at: int, listed: str) -> str | None:
        against = refused.get(people_of[at])
        if not against:
            return None
        position = r.program_at.get(listed)
        classes = {listed} | ({r.class_of[position]} if position is not None else set())
        return "listed_and_refused" if classes & against else None

    if refused:
        yield from r.at("applications", "program", tell)


def _ranks(r: Round) -> Iterator[Issue]:
    """Each person's ranks are 1, 2, … without gap or repeat, and no more than the policy allows."""
    table, most = r.tables["applications"], r.policy.max_choices or MOST_CHOICES
    if not r.sound("applications.rank", "applications.applicant"):
        return
    owner, _ = cells.factor(table["applicant"])
    rank = cells.integers(table["rank"])
    order = np.lexsort((rank, owner))
    expected = cells.within(owner[order]) + 1
    told = owner[cells.repeats(table["applicant"], table["rank"])]  # as duplicate keys
    wrong = np.flatnonzero((rank[order] != expected) & ~np.isin(owner[order], told))
    _, first = np.unique(owner[order[wrong]], return_index=True)
    for at in wrong[first]:
        line = int(order[at])
        yield Issue(
            "applications", table.rows[line], "rank", "rank_gap", table["rank"][line],
            str(expected[at]),
        )  # fmt: skip
    costs, greatest = r.policy.rank_costs, int(rank.max(initial=0))
    if costs and len(costs) < greatest:
        yield Issue(
            "policy", 0, "mechanism.rank_costs", "rank_costs_short", str(len(costs)), str(greatest)
        )
    dearest, tail = max(costs[:greatest], default=0), max(r.policy.max_choices, greatest)
    if dearest > tail and any(r.tables["applicants"]["adjustment"]):
        yield Issue(
            "policy", 0, "mechanism.rank_costs", "tail_cheaper", str(dearest), str(tail), "warning"
        )
    for at in np.flatnonzero(expected == most + 1):
        line = int(order[at])
        listed = str(int((owner == owner[line]).sum()))
        yield Issue("applications", table.rows[line], "rank", "too_many_choices", listed, str(most))


def _decisions(r: Round) -> Iterator[Issue]:
    table = r.tables["decisions"]
    made: dict[tuple[str, str], set[str]] = defaultdict(set)
    for who, what, decision in zip(
        table["applicant"], table["program"], table["decision"], strict=True
    ):
        made[who, what].add(decision)
    yield from r.at(
        "decisions",
        "rule",
        lambda at, v: (
            "rule_without_approval" if v and table["decision"][at] != "approved" else None
        ),
    )
    yield from r.at(
        "decisions",
        "decision",
        lambda at, v: (
            "decisions_conflict"
            if made[table["applicant"][at], table["program"][at]] & EXCLUDES.get(v, set())
            else None
        ),
    )
    yield from r.at(
        "decisions",
        "basis",
        lambda at, v: (
            "approval_without_basis" if not v and table["decision"][at] == "approved" else None
        ),
        "warning",
    )


def _people(r: Round) -> Iterator[Issue]:
    """One person once; identity numbers that can be right and agree with what was typed."""
    table = r.tables["applicants"]
    persons = [p or a for p, a in zip(table["person"], table["applicant"], strict=True)]
    numbers = [n.upper() for n in table["identity_number"]]
    counted = [review in ("", "passed") for review in table["review"]]
    for column, values, code in (
        ("person", persons, "duplicate_person"),
        ("identity_number", numbers, "duplicate_identity"),
    ):
        first: dict[str, int] = {}
        for at, value in enumerate(values):
            if not value or not counted[at]:
                continue
            if value in first and table["applicant"][at] != table["applicant"][first[value]]:
                row, other = table.rows[at], str(table.rows[first[value]])
                yield Issue("applicants", row, column, code, table[column][at], other)
            first.setdefault(value, at)
    if "identity_number" not in table:
        return
    for at, row in enumerate(table.rows):
        number, document = table["identity_number"][at], table["identity_type"][at]
        if not number:
            continue
        code = identity.fault(number, document, demo=r.policy.demo)
        if code:
            yield Issue("applicants", row, "identity_number", code, number)
        elif document in identity.RESIDENT_TYPES:
            yield from _typed_facts(table, at, row, number)


def _typed_facts(table: Table, at: int, row: int, number: str) -> Iterator[Issue]:
    birth, sex = table["birth_date"][at], table["sex"][at]
    stated = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    if birth and birth != stated:
        yield Issue("applicants", row, "birth_date", "identity_birth", birth, stated)
    if sex in ("1", "2") and sex != identity.sex(number):
        yield Issue("applicants", row, "sex", "identity_sex", sex, identity.sex(number))


CHECKS: tuple[Callable[[Round], Iterator[Issue]], ...] = (
    _ranks, _references, _missing_columns, _programs, _classes, _caps, _reserves, _applications, check_scores,
    _decisions, _groups, _people,
)  # fmt: skip


def _seed(tables: Tables, policy: Policy, drawn: bool) -> Iterator[Issue]:
    if tables.draw is not None and policy.seed:
        yield Issue("policy", 0, "lottery.seed", "seed_twice", policy.seed)
    elif tables.draw is None and not policy.seed and drawn:
        yield Issue("policy", 0, "lottery.seed", "no_seed")
    elif tables.draw:
        value = draw_value(tables.draw)
        if value is None:
            yield Issue("draw", 0, "value", "draw_value", str(tables.draw.get("value")))
        elif tables.draw.get("seed") != draw_seed(tables.digest(), value):
            yield Issue("draw", 0, "seed", "draw_seed", str(tables.draw.get("seed")))
