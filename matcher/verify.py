#!/usr/bin/env python3
"""The independent verifier of a round: ``python verify.py FOLDER [--result OUT] [--json]``.

One file, Python's standard library only, no line shared with the programs that made the result:
anybody can read it, copy it next to a published round and run it.  It trusts nothing in the
result folder.  Each claim is ``PROVED``, ``TRUSTED`` (a code says what had to be believed) or
``BROKEN`` (with the violations).

inputs
    Every file can be read and makes sense, the digests match, the seed follows from the public
    draw, each lottery number in the thresholds is somebody's number under that seed.
assignment
    Everyone has one row and each person one place at most, within her list and tail, with the
    right rank, seat label and reason.  Every admission rule is applied anew to every application:
    ``barred.csv`` holds exactly the pairs and rules that fail, with value and limit.
capacity, caps, reserves, min_size
    Nobody too many at a program or under a cap, hard reserved seats kept for their groups, open
    classes at their minimum and closed ones empty.
no_justified_envy, no_waste
    At every program the choice is made again from those it holds and each who would rather be
    there: it takes nobody in the place of another, and nobody beside them all.  For ``optimal``
    both may happen: the complete list of such pairs is in ``numbers["pairs"]``.  For
    ``max_placement`` equal scores are no envy: whom she might replace must be of a lower level.
cutoffs
    Each published threshold is right, and the thresholds alone lead everybody to her placement.
    For ``optimal``: at the published prices everybody holds a best choice, and every seat type
    with a price above zero is full, or a cap over it.  For ``max_placement`` a threshold is the
    lowest level at a full program; whoever is above it is there, or where she would rather be.
outcome
    For ``stable`` and ``parallel``: the same placement comes out of another algorithm (proposals
    one by one, the last applicant first), and so does each closing of a class.  For
    ``max_placement``: each class closed is said to have lacked people, and is closed.
optimality
    For ``optimal``: the potentials of ``certificate.json`` prove every component of the objective
    in its order, the values are recomputed, and the optimum is unique exactly when it says so.
    For ``max_placement``: nobody can be placed in more than the cover of ``certificate.json`` lets
    in, and where every list comes down to one program there is no other such placement.
kept
    Every confirmed placement is in place, unless the result says that it may give them up; where a
    result keeps an earlier one (``kept.csv``), what was to be kept is what the earlier result holds.
report
    Where there is a ``report.json``: its rank profile and group figures are recomputed.

A claim that makes sense only if an earlier one holds is not judged when that one is broken; it is
then ``TRUSTED`` with the code ``after:NAME``, and printed as 未检验 (NOT JUDGED).
"""

from __future__ import annotations

import argparse
import copy
import csv
import hashlib
import hmac
import io
import json
import re
import sys
import tomllib
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

PROVED, TRUSTED, BROKEN = "PROVED", "TRUSTED", "BROKEN"
CLAIMS = {
    "inputs": "输入与摘要",
    "assignment": "录取与资格",
    "capacity": "席位容量",
    "caps": "总量上限",
    "reserves": "预留席位",
    "min_size": "最低开班人数",
    "no_justified_envy": "无高分落榜",
    "no_waste": "无空位未用",
    "cutoffs": "录取线",
    "outcome": "结果重算",
    "kept": "原录取保留",
    "optimality": "最优性",
    "report": "统计数字",
}
LISTED = {  # what these claims say of a mechanism that allows such pairs
    "no_justified_envy": ("高分落榜已逐对列全", "every justified envy listed"),
    "no_waste": ("空位未用已逐对列全", "every unused seat listed"),
}
STATUS_ZH = {PROVED: "已证明", TRUSTED: "须信任", BROKEN: "不成立"}
FEASIBLE = ("assignment", "capacity", "caps", "reserves", "min_size")
FAIR = (*FEASIBLE, "no_justified_envy", "no_waste")
SHOWN = 200  # violations kept per claim; numbers["violations"] has their full count

COLUMNS = {
    "applicants": "applicant person identity_type identity_number sex birth_date groups adjustment"
    " not_accepted education skill_level study_forms district health review",
    "order_classes": "order_class min_size college industry district study_form level major"
    " plan_order entry_education entry_skill age_min age_max age_basis health health_basis"
    " internship_date hire_date college_member_until interview_required must_open",
    "programs": "program capacity order_class enterprise channel plan_order forbid_minor"
    " forbid_minor_reason enterprise_member_until",
    "applications": "applicant rank program",
    "scores": "applicant program channel score culture skill interview experience language fit",
    "decisions": "applicant program decision rule basis",
    "reserves": "program group seats hard must_fill",
    "caps": "cap seats college enterprise programs",
    "placements": "applicant program rank seat reason",
    "thresholds": "program stage state cap listed score lottery price",
    "classes": "order_class opened placed min_size",
    "barred": "applicant program rule value limit",
    "kept": "applicant program confirmed",
}
NEEDED = {
    "applicants": "applicant",
    "order_classes": "order_class min_size",
    "programs": "program capacity",
    "applications": "applicant rank program",
    "scores": "applicant",
    "decisions": "applicant program decision",
    "reserves": "program group seats",
    "caps": "cap seats",
}
KEYS = {
    "applicants": "applicant",
    "order_classes": "order_class",
    "programs": "program",
    "applications": "applicant rank",
    "scores": "applicant program channel",
    "decisions": "applicant program decision rule",
    "reserves": "program group hard",
    "caps": "cap",
    "placements": "applicant",
    "thresholds": "program stage",
    "classes": "order_class",
    "barred": "applicant program rule",
    "kept": "applicant program",
}
RESULT_FILES = (
    "placements.csv",
    "thresholds.csv",
    "classes.csv",
    "barred.csv",
    "certificate.json",
)
DECISIONS = ("rejected", "approved", "confirmed", "declined", "waiting")
KEPT = ("confirmed", "unmoved")  # what a result that keeps an earlier one counts first
COMPONENTS = ("culture", "skill", "interview", "experience", "language")
RULES: tuple[str, ...] = ("review", "rejected", "declined", "membership", "age", "approval")
RULES += ("class_age", "education", "skill_level", "study_form", "health", "minor", "work_age")
RULES += ("channel", "absent", "interview", "total")
WAIVABLE = frozenset({"age", "approval", "education", "skill_level"})
DEMANDS = {
    "by_age": ("study_form", "level", "age_min", "age_max"),
    "by_papers": ("entry_education", "entry_skill", "study_form", "health"),
    "by_birth": ("internship_date", "hire_date"),
}
READS = dict.fromkeys(("age", "approval", "class_age", "minor"), "birth_date") | {
    "education": "education",
    "skill_level": "skill_level",
    "health": "health",
}
EDUCATION = {
    code: level
    for level, codes in enumerate(
        ("90 82", "81 72", "71 42 43 45 46 48 49 62 63", "41 44 47 61 22 23 28 32 33")
        + ("31", "21 12 13 15 16 18 19", "11 14 17")
    )
    for code in codes.split()
}
SCOPES = ("college", "industry", "district")
SCALE = 10**15  # scores and weights are kept as integers of 15 decimal places
BLANK = 10**40  # a blank score in a priority: after every number
DIGIT = 1 << 64  # one place of a packed lexicographic number
RANKS = 1000  # the greatest rank: each may be a component of the objective
FAR: int = DIGIT ** (RANKS + 10)  # an infinite potential
LIMIT = 1 << 60  # no honest component is as large
LEAVES = 10_000  # a longer search for the classes to close is not read

Key = tuple[int, ...]  # a priority at a program, the smallest first
Item = tuple[Key, int]  # a priority and the applicant that it belongs to
Hit = tuple[str, str, str]  # an admission rule that fails, the value and the limit
Node = tuple[str, ...]  # a node of the flow network of `optimal`
Arc = Callable[..., None]  # tail, head, cost, flow, capacity and least flow of an arc


# --- what is said ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """One claim: its name, ``status``, what is trusted if anything, numbers and violations."""

    name: str
    status: str
    numbers: dict[str, Any] = field(default_factory=dict)
    trusted: str = ""
    violations: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """All claims about one result, in their fixed order."""

    claims: tuple[Claim, ...]

    @property
    def broken(self) -> bool:
        """Whether any claim is broken."""
        return any(claim.status == BROKEN for claim in self.claims)

    def to_json(self) -> str:
        """Return the verdict as JSON text."""
        claims = [dict(vars(claim)) for claim in self.claims]
        document = {"broken": self.broken, "claims": claims}
        return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


class Unreadable(Exception):
    """A file that is missing or is not the kind of file that its name says."""

    def __init__(self, path: Path, why: object) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path


class Malformed(Exception):
    """Content that makes no sense: an unknown id, a wrong type, a contradiction."""

    def __init__(self, code: str, **where: Any) -> None:
        super().__init__(code)
        self.violation = {"code": code, **where}


class Check:
    """Collects what one claim finds."""

    def __init__(self, name: str) -> None:
        self.name, self.trusted = name, ""
        self.numbers: dict[str, Any] = {}
        self.violations: list[dict[str, Any]] = []

    def wrong(self, code: str, **where: Any) -> None:
        """Note a violation."""
        self.violations.append({"code": code, **where})

    def expect(self, right: bool, code: str, **where: Any) -> None:
        """Note a violation unless something is right."""
        if not right:
            self.wrong(code, **where)

    def claim(self) -> Claim:
        """Return the claim as found."""
        if self.violations:
            numbers = self.numbers | {"violations": len(self.violations)}
            return Claim(self.name, BROKEN, numbers, "", tuple(self.violations[:SHOWN]))
        return Claim(self.name, TRUSTED if self.trusted else PROVED, self.numbers, self.trusted)


# --- reading --------------------------------------------------------------------------------


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise Unreadable(path, getattr(error, "strerror", None) or error) from None


def read_text(path: Path) -> str:
    """Return the UTF-8 text of a file without its byte order mark."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(path, error) from None


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; NaN and repeated names are refused."""

    def no_constant(text: str) -> None:
        raise ValueError(text)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a name appears twice")
        return dict(pairs)

    try:
        found = json.loads(read_text(path), parse_constant=no_constant, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Unreadable(path, error) from None
    document: dict[str, Any] = as_kind(found, dict, path.name)
    return document


@dataclass
class Table:
    """A CSV file: its columns and records as they stand."""

    name: str
    columns: list[str]
    records: list[list[str]]

    def rows(self) -> Iterator[dict[str, str]]:
        """Yield each record by column, with the columns that are absent blank."""
        blank = dict.fromkeys(COLUMNS[self.name].split(), "")
        for record in self.records:
            yield blank | dict(zip(self.columns, record, strict=True))

    def canonical(self) -> bytes:
        """Return the content in the order that the digest is taken of."""
        order = sorted(range(len(self.columns)), key=self.columns.__getitem__)
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow([self.columns[k] for k in order])
        writer.writerows(sorted([record[k] for k in order] for record in self.records))
        return buffer.getvalue().encode()


def read_table(path: Path) -> Table:
    """Read a CSV file and check its columns, required cells and keys."""
    try:
        reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
        columns, *records = [record for record in reader if any(record)] or [[]]
    except csv.Error as error:
        raise Unreadable(path, error) from None
    name = path.stem
    known = COLUMNS[name].split()
    needed = NEEDED.get(name, COLUMNS[name]).split()
    more = {"scores": "x_.*|tie[1-9][0-9]*", "thresholds": "tie[1-9][0-9]*"}
    free = re.compile(more.get(name, "x_.*" if name in NEEDED else "(?!)"))
    for column in columns:
        if columns.count(column) > 1 or not (column in known or free.fullmatch(column)):
            raise Malformed("column", file=path.name, column=column)
    for column in set(needed) - set(columns):
        raise Malformed("column_missing", file=path.name, column=column)
    key = [columns.index(column) for column in KEYS[name].split() if column in columns]
    full = [columns.index(column) for column in NEEDED.get(name, KEYS[name]).split()]
    seen: set[tuple[str, ...]] = set()
    for number, record in enumerate(records, 2):
        identity = tuple(record[k] for k in key) if len(record) == len(columns) else ()
        if not identity or not all(record[k] for k in full):
            raise Malformed("blank", file=path.name, row=number)
        if identity in seen:
            raise Malformed("twice", file=path.name, row=number)
        seen.add(identity)
    return Table(name, columns, records)


def as_kind(value: Any, kind: type, what: str) -> Any:
    """Return a value that must be of a type; a truth value is not a number."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Malformed("type", what=what)
    return value


def as_int(text: str, what: str) -> int:
    """Read an integer of at most 15 digits."""
    if not re.fullmatch("-?[0-9]{1,15}", text):
        raise Malformed("number", what=what, value=text[:40])
    return int(text)


@cache
def as_decimal(text: str, what: str) -> int:
    """Read an exact decimal of at most 15 digits as an integer of 15 places."""
    whole, _, part = text.partition(".")
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) or len(whole.strip("-") + part) > 15:
        raise Malformed("number", what=what, value=text[:40])
    return int(whole + part.ljust(15, "0"))


def canonical(scaled: int) -> str:
    """Write a scaled number without exponent and without trailing zeros."""
    whole, part = divmod(abs(scaled), SCALE)
    digits = f"{part:015d}".rstrip("0")
    return ("-" if scaled < 0 else "") + f"{whole}.{digits}".rstrip(".")


def as_date(text: str, what: str) -> date | None:
    """Read a date; blank is none."""
    if not text:
        return None
    try:
        if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Malformed("date", what=what, value=text[:40]) from None


def as_choice(text: str, among: Collection[str], what: str) -> str:
    """Return a text that must be one of a few."""
    if text not in among:
        raise Malformed("value", what=what, value=text[:40])
    return text


def as_id(text: str, what: str) -> str:
    """Return an id: it holds no separator and no control character."""
    if re.search(r"[|;\x00-\x1f\x7f-\x9f]", text):
        raise Malformed("id", what=what, value=text[:40])
    return text


def split(text: str) -> tuple[str, ...]:
    """Return the parts of a cell that holds several, sorted, each once."""
    return tuple(sorted({part for part in text.split(";") if part}))


# --- the rules of the round -----------------------------------------------------------------


@dataclass(frozen=True)
class AgeRule:
    """One row of ``[[age_rule]]``; ``*`` stands for any."""

    group: str
    study_form: str
    level: str
    low: int | None
    high: int | None
    relaxed: int | None
    approval: int | None

    def matches(self, *facts: str) -> bool:
        """Whether the rule speaks of a group, a study form and a level."""
        named = (self.group, self.study_form, self.level)
        return all(name in ("*", fact) for name, fact in zip(named, facts, strict=True))

    @property
    def weight(self) -> tuple[int, bool, bool, bool]:
        """How specific the rule is."""
        named = (self.group != "*", self.study_form != "*", self.level != "*")
        return sum(named), *named


NO_AGE_RULE = AgeRule("*", "*", "*", None, None, None, None)


class Policy:
    """``policy.toml`` with its defaults and types."""

    def __init__(self, text: str, path: Path) -> None:
        try:
            self.document = tomllib.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise Unreadable(path, error) from None
        self.round = as_id(self.option("policy.round", str, ""), "policy.round")
        self.mechanism = self.option("mechanism.name", str, "stable")
        parts = ["placed", "reserves", "rank", "fit"]
        self.objective = self.option("mechanism.objective", list, parts)
        for name in self.objective:
            as_choice(as_kind(name, str, "objective"), parts, "objective")
        self.rank = self.option("mechanism.rank", str, "min_cost")
        as_choice(self.rank, ("min_cost", "rank_maximal", "generous"), "mechanism.rank")
        self.rank_costs = self.option("mechanism.rank_costs", list, [])
        for cost in self.rank_costs:
            as_kind(cost, int, "mechanism.rank_costs")
        self.closure = self.option("mechanism.closure", str, "exact")
        as_choice(self.closure, ("exact", "sequential"), "mechanism.closure")
        order = self.option("mechanism.reserve_order", str, "reserves_first")
        orders = ("reserves_first", "open_first")
        self.open_first = as_choice(order, orders, "reserve_order") == "open_first"
        self.seed = self.option("lottery.seed", str, "")
        self.most: int = self.option("preferences.max", int, 0)
        self.reference = as_date(self.option("age.reference_date", str, ""), "age.reference_date")
        self.case_by_case = self.option("age.case_by_case", bool, True)
        self.age_rules = [self.age_rule(row) for row in self.tables("age_rule")]
        self.age_rules.sort(key=lambda rule: rule.weight, reverse=True)
        self.intern_age = self.option("work.min_internship_age", int, 16)
        self.hire_age = self.option("work.min_hire_age", int, 16)
        self.minor_under = self.option("work.minor_under", int, 18)
        self.membership = as_date(self.option("membership.date", str, ""), "membership.date")
        self.digits = self.option("score.digits", int, 2)
        if not 0 <= self.digits <= 15:
            raise Malformed("value", what="score.digits")
        self.absent_bars = self.option("score.absent", str, "bar") == "bar"
        self.pass_total = self.number(self.document.get("score", {}), "pass_total")
        self.pass_interview = self.number(self.document.get("score", {}), "pass_interview")
        self.tiebreak = self.option("score.tiebreak", list, [])
        for name in self.tiebreak:
            as_choice(as_kind(name, str, "tiebreak"), COMPONENTS, "score.tiebreak")
        self.weights = {
            as_kind(row.get("channel"), str, "channel"): {
                name: weight for name in COMPONENTS if (weight := self.number(row, name) or 0) > 0
            }
            for row in self.tables("score_channel")
        }

    def option(self, name: str, kind: type, default: Any) -> Any:
        """Return one option or its default."""
        section, key = name.split(".")
        value = as_kind(self.document.get(section, {}), dict, section).get(key, default)
        return value if value is default else as_kind(value, kind, name)

    def tables(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of an array of tables."""
        rows: list[Any] = as_kind(self.document.get(name, []), list, name)
        return [as_kind(row, dict, name) for row in rows]

    def number(self, row: Mapping[str, Any], name: str) -> int | None:
        """Return an exact number of a table, scaled."""
        value = row.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise Malformed("type", what=name)
        number = Decimal(value)
        if not number.is_finite() or abs(number.adjusted()) > 15:
            raise Malformed("number", what=name)
        return as_decimal(format(number, "f"), name)

    def age_rule(self, row: Mapping[str, Any]) -> AgeRule:
        """Read one row of ``[[age_rule]]``."""
        names = [as_kind(row.get(k, "*"), str, k) for k in ("group", "study_form", "level")]
        limits = [
            None if row.get(k) is None else as_kind(row[k], int, k)
            for k in ("min", "max", "relaxed_max", "needs_approval_above")
        ]
        return AgeRule(*names, *limits)

    def components(self, last: int, lottery: bool) -> list[str]:
        """Return the names of the objective's components, ``last`` being the greatest rank."""
        profile = [f"rank_{rank}" for rank in range(1, last + 1)]
        ranks = {
            "min_cost": ["rank"],
            "rank_maximal": [*profile, "rank_0"],
            "generous": ["rank_0", *reversed(profile)],
        }[self.rank]
        names = [n for name in self.objective for n in (ranks if name == "rank" else [name])]
        return names + ["lottery_1", "lottery_2"] * lottery

    def worth(self, component: str, rank: int, last: int) -> int:
        """Return what a placement at a rank is worth in a component that depends on it."""
        if component == "placed":
            return 1
        if component == "rank":
            if rank == 0:
                return -max(self.most, last)
            costs: list[int] = self.rank_costs or []
            return -costs[rank - 1] if rank <= len(costs) else 1 - rank
        sign = 1 if self.rank == "rank_maximal" else -1
        return sign * (component == f"rank_{rank}")


# --- the round ------------------------------------------------------------------------------


@dataclass
class OrderClass:
    """A class; ``programs`` are indices, ``place`` is its place in plan order."""

    id: str
    min_size: int
    place: int
    row: dict[str, str]
    dates: dict[str, date | None]
    programs: list[int] = field(default_factory=list)

    @property
    def need(self) -> int:
        """The people whom it needs to be open; 0 where it is open with any number of them."""
        if self.row.get("must_open") == "1":
            return max(1, self.min_size)
        return self.min_size if self.min_size > 1 else 0


@dataclass
class Program:
    """A program; its ``index`` is its place in plan order."""

    index: int
    id: str
    capacity: int
    home: OrderClass
    enterprise: str
    channel: str
    forbid_minor: bool
    expired: str
    hard: dict[str, int] = field(default_factory=dict)
    soft: dict[str, int] = field(default_factory=dict)
    must: Counter[str] = field(default_factory=Counter)  # of both kinds, all to be filled
    must_stages: set[str] = field(default_factory=set)
    kept: Counter[str] = field(default_factory=Counter)  # for nobody else: hard, or in `must`
    groups: frozenset[str] = frozenset()
    reserved: int = 0
    caps: list[int] = field(default_factory=list)

    @property
    def stages(self) -> dict[str, int]:
        """The reserved seat types with their seats, hard ones first, by group."""
        hard = {f"hard:{group}": self.hard[group] for group in sorted(self.hard)}
        return hard | {f"soft:{group}": self.soft[group] for group in sorted(self.soft)}


@dataclass
class Cap:
    """An upper limit over programs; ``children`` are inner caps ("c") and programs ("p")."""

    id: str
    seats: int
    programs: frozenset[int]
    parent: int | None = None
    children: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class Applicant:
    """A person's application; ``listed`` maps each program of her list to its rank, in order."""

    index: int
    id: str
    person: str
    row: dict[str, str]
    groups: tuple[str, ...]
    scope: str
    born: date | None
    age: int | None
    lottery: int
    refused: frozenset[str]
    listed: dict[int, int] = field(default_factory=dict)
    applied: int = 0
    approved: dict[int, frozenset[str]] = field(default_factory=dict)
    ended: dict[int, list[Hit]] = field(default_factory=dict)  # rejected there, or given up by her
    confirmed: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class View:
    """What a program sees of an applicant: priority, score, fit and the rules of scores."""

    key: Key
    fit: int
    interview: str
    hits: tuple[Hit, ...]
    shown: tuple[int | None, ...]


Rules = Callable[[Applicant, Program], list[Hit]]
Wish = tuple[int, int, View]  # program, rank (0 for adjustment), view


def age_on(born: date, day: date) -> int:
    """Return the full years on a day; the birthday counts."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def bits(mask: int) -> Iterator[int]:
    """Yield the places of the ones in a mask, the lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class Round:
    """A round folder, read and checked, with the admission rules and lists made from it."""

    def __init__(self, folder: Path) -> None:
        text = read_text(folder / "policy.toml").replace("\r\n", "\n").replace("\r", "\n")
        self.policy = Policy(text, folder / "policy.toml")
        self.tables: dict[str, Table] = {}
        parts = {"policy.toml": text.encode()}
        for path in sorted(folder.glob("*.csv")):
            if path.stem not in NEEDED:
                raise Malformed("file", file=path.name)
        for name in NEEDED:
            path = folder / f"{name}.csv"
            if path.exists() or name in ("applicants", "programs", "applications"):
                self.tables[name] = read_table(path)
                parts[path.name] = self.tables[name].canonical()
        digest = hashlib.sha256()
        for name, content in sorted(parts.items()):
            digest.update(b"%s\n%d\n%s" % (name.encode(), len(content), content))
        self.digest = digest.hexdigest()
        self.seed = self.read_seed(folder / "draw.json")
        self.read_plan()
        self.read_applicants()
        self.read_scores()
        self.read_applications()
        self._masks: dict[Hashable, int] = {}
        self._alike = {name: self.alike(demands) for name, demands in DEMANDS.items()}
        self._ages: dict[Hashable, tuple[str, str, str]] = {}
        self._views: dict[Hashable, View] = {}
        self._lists: dict[int, list[Wish]] = {}
        self._tails: dict[int, list[Wish]] = {}
        self.believed: set[Hashable] = set()  # bars that rest on columns which are withheld

    def rows(self, name: str) -> Iterator[dict[str, str]]:
        """Yield the rows of a table, none if it is absent."""
        return self.tables[name].rows() if name in self.tables else iter(())

    def read_seed(self, path: Path) -> bytes:
        """Return the seed: from the draw where there is one, else from the policy."""
        if path.exists() == bool(self.policy.seed):
            raise Malformed("seed", draw=path.exists())
        text = self.policy.seed
        if not text:
            draw = read_json(path)
            value = draw.get("value")
            kind = as_choice(str(draw.get("kind")), ("dice", "kl8"), "draw.kind")
            numbers = re.findall("[0-9]+", value if isinstance(value, str) else json.dumps(value))
            drawn = "".join(numbers)
            if kind == "kl8":
                balls = sorted(f"{number:0>2}" for number in numbers)
                drawn = ",".join(balls)
                good = len(set(balls)) == len(balls) == 20 and len(drawn) == 59
                good = good and balls[0] >= "01" and balls[-1] <= "80"
                drawn = f"{as_kind(draw.get('issue'), str, 'draw.issue')},{drawn}"
            else:
                good = len(drawn) == 20
            if not good:
                raise Malformed("draw", file=path.name)
            basis = f"orderclass-seed-1|{self.digest}|{drawn}"
            text = hashlib.sha256(basis.encode()).hexdigest()
            if draw.get("seed") != text:
                raise Malformed("seed", draw=True, own=text)
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise Malformed("seed", draw=False) from None

    def read_plan(self) -> None:
        """Read classes, programs, reserves and caps."""

        def order(row: dict[str, str], name: str) -> tuple[bool, int, str]:
            given = row["plan_order"]
            return not given, as_int(given, "plan_order") if given else 0, row[name]

        own = {"order_class": "", "min_size": "0"}
        blank = dict.fromkeys(COLUMNS["order_classes"].split(), "")
        declared = list(self.rows("order_classes"))
        names = {row["order_class"] for row in declared}
        rows = sorted(self.rows("programs"), key=lambda row: order(row, "program"))
        for row in rows:
            if not row["order_class"]:
                row["order_class"] = row["program"]
                if row["program"] not in names:
                    declared.append(blank | own | {"order_class": row["program"]})
        self.classes: dict[str, OrderClass] = {}
        for place, row in enumerate(sorted(declared, key=lambda row: order(row, "order_class"))):
            self.classes[row["order_class"]] = self.read_class(row, place)
        self.programs: list[Program] = []
        for row in rows:
            self.programs.append(self.read_program(row, len(self.programs)))
        self.by_id = {program.id: program for program in self.programs}
        self.channels: dict[str, int] = defaultdict(int)
        for program in self.programs:
            self.channels[program.channel] |= 1 << program.index
        self.members = sum(1 << p.index for p in self.programs if not p.expired)
        for row in self.rows("reserves"):
            program = self.find(row["program"])
            hard = as_choice(row["hard"], ("", "0", "1"), "hard") == "1"
            seats = as_int(row["seats"], "reserves.seats")
            if seats < 0:
                raise Malformed("number", what="reserves.seats")
            must = as_choice(row["must_fill"], ("", "0", "1"), "must_fill") == "1"
            if seats:
                group = as_id(row["group"], "group")
                (program.hard if hard else program.soft)[group] = seats
                program.must += Counter({group: seats * must})
                program.must_stages |= {f"{'hard' if hard else 'soft'}:{group}"} if must else set()
                program.kept += Counter({group: seats * (hard or must)})
        for program in self.programs:
            program.groups = frozenset(program.hard) | frozenset(program.soft)
            program.reserved = sum(program.stages.values())
            if program.reserved > program.capacity:
                raise Malformed("reserves_exceed_capacity", program=program.id)
        self.read_caps()
        days = [c.dates[k] for c in self.classes.values() for k in ("internship_date", "hire_date")]
        self.first_day = min((day for day in days if day), default=date.max)
        policy = self.policy
        self.grown = max(policy.minor_under, policy.intern_age, policy.hire_age)

    def read_class(self, row: dict[str, str], place: int) -> OrderClass:
        """Read one class."""
        for column in ("age_min", "age_max", "entry_skill"):
            if row[column]:
                as_int(row[column], column)
        as_choice(row["entry_education"], ("", *EDUCATION), "entry_education")
        for column in ("interview_required", "must_open"):
            as_choice(row[column], ("", "0", "1"), column)
        columns = ("internship_date", "hire_date", "college_member_until")
        dates = {column: as_date(row[column], column) for column in columns}
        name, least = as_id(row["order_class"], "order_class"), as_int(row["min_size"], "min_size")
        return OrderClass(name, least, place, row, dates)

    def read_program(self, row: dict[str, str], index: int) -> Program:
        """Read one program."""
        if row["order_class"] not in self.classes:
            raise Malformed("unknown", what="order_class", value=row["order_class"])
        home = self.classes[row["order_class"]]
        home.programs.append(index)
        today = self.policy.membership
        until = as_date(row["enterprise_member_until"], "enterprise_member_until")
        ends = [day for day in (until, home.dates["college_member_until"]) if day]
        expired = min((str(day) for day in ends if today and day < today), default="")
        capacity = as_int(row["capacity"], "capacity")
        minor = as_choice(row["forbid_minor"], ("", "0", "1"), "forbid_minor") == "1"
        name = as_id(row["program"], "program")
        return Program(
            *(index, name, capacity, home, row["enterprise"], row["channel"], minor, expired)
        )

    def read_caps(self) -> None:
        """Read the caps, each with its parent and children where all are nested or disjoint."""
        self.caps: list[Cap] = []
        for row in sorted(self.rows("caps"), key=lambda row: row["cap"]):
            if bool(row["college"]) + bool(row["enterprise"]) + bool(row["programs"]) != 1:
                raise Malformed("cap", cap=row["cap"])
            named = {self.find(name).index for name in split(row["programs"])}
            over = frozenset(
                program.index
                for program in self.programs
                if program.index in named
                or (row["college"] and program.home.row["college"] == row["college"])
                or (row["enterprise"] and program.enterprise == row["enterprise"])
            )
            self.caps.append(Cap(row["cap"], as_int(row["seats"], "caps.seats"), over))
        pairs = [(a.programs, b.programs) for a in self.caps for b in self.caps]
        self.laminar = all(a <= b or b <= a or not a & b for a, b in pairs)
        inward = sorted(range(len(self.caps)), key=lambda c: len(self.caps[c].programs))
        for n, c in enumerate(inward):
            for outer in reversed(inward[n + 1 :]):
                if self.caps[c].programs and self.caps[c].programs <= self.caps[outer].programs:
                    self.caps[c].parent = outer
            for p in self.caps[c].programs:
                self.programs[p].caps.append(c)
        places: dict[tuple[str, int], int] = {}
        for c in inward:
            places["c", c] = min(self.caps[c].programs, default=0)
            if (parent := self.caps[c].parent) is not None:
                self.caps[parent].children.append(("c", c))
        for program in self.programs:
            places["p", program.index] = program.index
            if program.caps:
                self.caps[program.caps[0]].children.append(("p", program.index))
        for cap in self.caps:
            cap.children.sort(key=places.__getitem__)

    def find(self, name: str) -> Program:
        """Return a program by its id."""
        if name not in self.by_id:
            raise Malformed("unknown", what="program", value=name)
        return self.by_id[name]

    def who(self, name: str) -> Applicant:
        """Return an applicant by her id."""
        if name not in self.people_by_id:
            raise Malformed("unknown", what="applicant", value=name)
        return self.people_by_id[name]

    def read_applicants(self) -> None:
        """Read applicants and decisions."""
        reference = self.policy.reference
        ages = any(c.row["age_min"] or c.row["age_max"] for c in self.classes.values())
        if not reference and (ages or self.policy.age_rules):
            raise Malformed("reference_date")
        scopes = ("", "none", "college", "industry", "district", "alliance")
        self.people: list[Applicant] = []
        for row in sorted(self.rows("applicants"), key=lambda row: row["applicant"]):
            born = as_date(row["birth_date"], "birth_date")
            as_choice(row["education"], ("", *EDUCATION), "education")
            as_choice(row["skill_level"], ("", *"12345"), "skill_level")
            scope = as_choice(row["adjustment"], scopes, "adjustment").replace("none", "")
            refused = frozenset(split(row["not_accepted"]))
            for name in refused - set(self.classes):
                raise Malformed("unknown", what="not_accepted", value=name)
            name = as_id(row["applicant"], "applicant")
            number = self.keyed("lottery", name)
            self.people.append(
                Applicant(
                    *(len(self.people), name, row["person"] or name, row, split(row["groups"])),
                    *(scope, born, age_on(born, reference) if born and reference else None),
                    *(int.from_bytes(number), refused),
                )
            )
        self.people_by_id = {a.id: a for a in self.people}
        for row in sorted(self.rows("decisions"), key=lambda row: row["rule"]):
            a, p = self.who(row["applicant"]), self.find(row["program"]).index
            kind = as_choice(row["decision"], DECISIONS, "decision")
            if kind in ("rejected", "declined"):
                a.ended.setdefault(p, []).append((kind, row["basis"], ""))
            elif kind == "approved":
                rule = as_choice(row["rule"], {"", *WAIVABLE}, "rule")
                waived = {rule} if rule else {"age", "approval"}
                waived -= set() if self.policy.case_by_case else {"age"}
                a.approved[p] = a.approved.get(p, frozenset()) | waived
            elif kind == "confirmed":
                a.confirmed.add(p)

    def keyed(self, *parts: str) -> bytes:
        """Return the keyed hash of a kind, the round and some ids."""
        text = "|".join((parts[0], self.policy.round, *parts[1:]))
        return hmac.digest(self.seed, text.encode(), "sha256")

    def weights(self, a: Applicant, program: Program) -> tuple[int, int]:
        """Return the two lottery weights of a pair in ``optimal``."""
        first = int.from_bytes(self.keyed("tie", a.id, program.id)[:5])
        return first >> 20, first & 0xFFFFF

    def read_scores(self) -> None:
        """Read the scores by program and by channel."""
        columns = self.tables["scores"].columns if "scores" in self.tables else []
        found = sorted((int(c[3:]), c) for c in columns if c.startswith("tie"))
        if found and self.policy.tiebreak:
            raise Malformed("tiebreak_twice")
        self.ties = [name for _, name in found]
        self.by_program: dict[tuple[int, int], dict[str, str]] = {}
        self.by_channel: dict[tuple[int, str], dict[str, str]] = {}
        self.scored: dict[int, int] = defaultdict(int)  # programs with a row of their own
        for row in self.rows("scores"):
            a = self.who(row["applicant"])
            if bool(row["program"]) == bool(row["channel"]):
                raise Malformed("score", applicant=a.id)
            for column in ("score", *self.ties, "fit"):
                if row[column]:
                    (as_int if column == "fit" else as_decimal)(row[column], column)
            for column in COMPONENTS:
                if row[column] not in ("", "absent", "exempt"):
                    as_decimal(row[column], column)
            if row["program"]:
                p = self.find(row["program"]).index
                self.by_program[a.index, p] = row
                self.scored[a.index] |= 1 << p
            else:
                self.by_channel[a.index, row["channel"]] = row

    def read_applications(self) -> None:
        """Read the lists: a class stands for its programs, the first mention counts."""
        rows = [(as_int(row["rank"], "rank"), row) for row in self.rows("applications")]
        self.last_rank = max((rank for rank, _ in rows), default=0)
        for rank, row in sorted(rows, key=lambda pair: pair[0]):
            a, name = self.who(row["applicant"]), row["program"]
            if not 1 <= rank <= RANKS:
                raise Malformed("number", what="rank", value=str(rank))
            a.applied += 1
            found = [self.by_id[name].index] if name in self.by_id else []
            if not found and name not in self.classes:
                raise Malformed("unknown", what="program", value=name)
            for p in found or self.classes[name].programs:
                if self.programs[p].home.id in a.refused:
                    raise Malformed("listed_and_refused", applicant=a.id, program=name)
                a.listed.setdefault(p, rank)

    # --- admission rules

    def fit_age(self, a: Applicant, home: OrderClass) -> tuple[str, str, str]:
        """Judge the age: ("" or "relaxed" or the rule that bars, value, limit)."""
        form, level = home.row["study_form"], home.row["level"]
        memo = (a.age, a.groups, form, level)
        if memo not in self._ages:
            self._ages[memo] = self.judge_age(a, form, level)
        return self._ages[memo]

    def judge_age(self, a: Applicant, form: str, level: str) -> tuple[str, str, str]:
        """Judge an age for each of her groups; the kindest answer counts."""
        age = a.age
        if age is None or not self.policy.age_rules:
            return "", "", ""
        relaxed = False
        approvals: list[int] = []
        limits: list[int] = []
        for group in a.groups or ("*",):
            found = (r for r in self.policy.age_rules if r.matches(group, form, level))
            rule = next(found, NO_AGE_RULE)
            most = rule.high if rule.relaxed is None else rule.relaxed
            above = rule.high is not None and age > rule.high
            if rule.low is not None and age < rule.low:
                limits.append(rule.low)
            elif above and most is not None and age > most:
                limits.append(most)
            elif rule.approval is not None and age > rule.approval:
                approvals.append(rule.approval)
            elif above:
                relaxed = True
            else:
                return "", "", ""
        if relaxed:
            return "relaxed", "", ""
        if approvals:
            return "approval", str(age), str(max(approvals))
        nearest = min(limits, key=lambda limit: (abs(limit - age), limit))
        return "age", str(age), str(nearest)

    def by_age(self, a: Applicant, program: Program) -> list[Hit]:
        """Rules that read the age on the reference date."""
        hits = []
        found = self.fit_age(a, program.home)
        if found[0] in ("age", "approval"):
            hits.append(found)
        low, high = program.home.row["age_min"], program.home.row["age_max"]
        if a.age is not None and low and a.age < int(low):
            hits.append(("class_age", str(a.age), low))
        elif a.age is not None and high and a.age > int(high):
            hits.append(("class_age", str(a.age), high))
        return hits

    def by_papers(self, a: Applicant, program: Program) -> list[Hit]:
        """Rules that read education, certificate, study forms and health."""
        hits, mine, asks = [], a.row, program.home.row
        entry, skill, form = asks["entry_education"], asks["entry_skill"], asks["study_form"]
        if entry and EDUCATION.get(mine["education"], -1) < EDUCATION[entry]:
            hits.append(("education", mine["education"], entry))
        if skill and (not mine["skill_level"] or int(mine["skill_level"]) > int(skill)):
            hits.append(("skill_level", mine["skill_level"], skill))
        forms = "study_forms" in self.tables["applicants"].columns
        if form and forms and form not in split(mine["study_forms"]):
            hits.append(("study_form", mine["study_forms"], form))
        if missing := sorted(set(split(asks["health"])) - set(split(mine["health"]))):
            hits.append(("health", ";".join(missing), asks["health"]))
        return hits

    def by_birth(self, a: Applicant, program: Program) -> list[Hit]:
        """Rules that read the age on the day of the internship or the hiring."""
        hits, policy = [], self.policy
        interns, hired = (program.home.dates[k] for k in ("internship_date", "hire_date"))
        days = [day for day in (interns, hired) if day]
        if a.born is None or not days:
            return []
        age = age_on(a.born, min(days))
        if program.forbid_minor and age < policy.minor_under:
            hits.append(("minor", str(age), str(policy.minor_under)))
        for day, least in ((interns, policy.intern_age), (hired, policy.hire_age)):
            if day and age_on(a.born, day) < least:
                hits.append(("work_age", str(age_on(a.born, day)), str(least)))
                break
        return hits

    def view(self, a: Applicant, program: Program, listed: bool) -> View:
        """Return what a program sees of an applicant."""
        own = self.by_program.get((a.index, program.index))
        memo = (a.index, program.channel, listed, program.index if own else -1)
        if memo not in self._views:
            self._views[memo] = self.make_view(a, program, own, listed)
        return self._views[memo]

    def make_view(
        self, a: Applicant, program: Program, own: dict[str, str] | None, listed: bool
    ) -> View:
        """Merge the two score rows of a pair, cell by cell."""
        policy, none = self.policy, dict[str, str]()
        shared = self.by_channel.get((a.index, program.channel), none) if program.channel else none
        mine = own or none
        cells = {
            name: mine.get(name) or shared.get(name) or ""
            for name in (*COMPONENTS, *self.ties, "fit")
        }
        given = mine.get("score") or ""
        if not given and not any(mine.get(name) for name in COMPONENTS):
            given = shared.get("score") or ""
        weights = policy.weights.get(program.channel, {})
        score = as_decimal(given, "score") if given else self.composite(cells, weights, listed)
        hits: list[Hit] = []
        if program.channel and not own and not shared:
            hits.append(("channel", "", program.channel))
        absent = [name for name in weights if cells[name] == "absent"]
        if policy.absent_bars and not given and absent:
            hits.append(("absent", absent[0], ""))
        interview, line = cells["interview"], policy.pass_interview
        number = None if interview in ("", "absent", "exempt") else as_decimal(interview, "cell")
        if line is not None and number is not None and number < line:
            hits.append(("interview", interview, canonical(line)))
        line = policy.pass_total
        if line is not None and program.channel and (score is None or score < line):
            hits.append(("total", "" if score is None else canonical(score), canonical(line)))
        shown = (score, *(self.tie_value(cells[n]) for n in policy.tiebreak or self.ties))
        key = (int(not listed), *(BLANK if x is None else -x for x in shown), a.lottery)
        return View(key, int(cells["fit"] or 0), interview, tuple(hits), shown)

    @staticmethod
    def tie_value(cell: str) -> int | None:
        """Return the number that breaks a tie: absent is 0, exempt is blank."""
        if cell in ("", "exempt"):
            return None
        return 0 if cell == "absent" else as_decimal(cell, "tie")

    def composite(self, cells: dict[str, str], weights: dict[str, int], listed: bool) -> int | None:
        """Return the weighted mean, rounded half up, or none."""
        top = bottom = 0
        for name, weight in weights.items():
            cell = cells[name]
            if cell == "exempt" or (not cell and not listed and name == "interview"):
                continue
            if not cell:
                return None
            bottom += weight
            top += weight * (0 if cell == "absent" else as_decimal(cell, name))
        unit: int = 10 ** (15 - self.policy.digits)
        return (2 * top + bottom * unit) // (2 * bottom * unit) * unit if bottom else None

    def failing(self, a: Applicant, program: Program, listed: bool) -> list[Hit]:
        """Return every rule that fails for a pair, whatever was approved."""
        hits = self.by_age(a, program) + self.by_papers(a, program) + self.by_birth(a, program)
        if a.row["review"] not in ("", "passed"):
            hits.append(("review", a.row["review"], "passed"))
        hits += a.ended.get(program.index, [])
        if program.expired:
            hits.append(("membership", program.expired, str(self.policy.membership)))
        view = self.view(a, program, listed)
        hits += view.hits
        if not listed and program.home.row["interview_required"] == "1" and not view.interview:
            hits.append(("interview", "", ""))
        return hits

    def bars(self, a: Applicant, program: Program, listed: bool = True) -> list[Hit]:
        """Return every rule that bars a pair."""
        p = program.index
        plain = a.row["review"] in ("", "passed") and p not in a.approved and p not in a.ended
        if listed and plain and self.fact_mask(a) >> p & 1:  # rules about scores are left
            return list(self.view(a, program, True).hits)
        waived = a.approved.get(program.index, frozenset())
        return [hit for hit in self.failing(a, program, listed) if hit[0] not in waived]

    def reason(self, a: Applicant, program: Program, listed: bool) -> str:
        """Return why a pair that is admitted is admitted."""
        waived = a.approved.get(program.index)
        if waived and any(hit[0] in waived for hit in self.failing(a, program, listed)):
            return "approved"
        return "relaxed" if self.fit_age(a, program.home)[0] == "relaxed" else "ordinary"

    def alike(self, demands: Sequence[str]) -> list[tuple[Program, int]]:
        """Return the programs, as bits, that make the same demands, each with one of them."""
        found: dict[Hashable, tuple[Program, int]] = {}
        for program in self.programs:
            key = (*(program.home.row[k] for k in demands), program.forbid_minor)
            first, mask = found.get(key, (program, 0))
            found[key] = first, mask | 1 << program.index
        return list(found.values())

    def where(self, column: str, value: str) -> int:
        """Return the programs, as bits, whose class has a value in a column."""
        if (column, value) not in self._masks:
            found = (p for p in self.programs if p.home.row[column] == value)
            self._masks[column, value] = sum(1 << program.index for program in found)
        return self._masks[column, value]

    def fact_mask(self, a: Applicant) -> int:
        """Return the programs that the rules which read no score and no decision admit.

        Everybody with the same facts has the same mask, and so has every class with the same
        demands: each rule is applied once per kind of person and kind of class.
        """
        if ("all", a.index) not in self._masks:
            papers = tuple(a.row[k] for k in ("education", "skill_level", "study_forms", "health"))
            found = self.admit(self.by_age, (a.age, a.groups), a) & self.members
            found &= self.admit(self.by_papers, papers, a)
            if a.born and age_on(a.born, self.first_day) < self.grown:
                found &= self.admit(self.by_birth, a.born, a)
            self._masks["all", a.index] = found
        return self._masks["all", a.index]

    def admit(self, rules: Rules, fact: Hashable, a: Applicant) -> int:
        """Return the programs that some rules admit for everybody with a fact."""
        memo = (rules.__name__, fact)
        if memo not in self._masks:
            alike = self._alike[rules.__name__]
            self._masks[memo] = sum(mask for program, mask in alike if not rules(a, program))
        return self._masks[memo]

    # --- lists

    def wishes(self, a: Applicant) -> list[Wish]:
        """Return her list without the pairs that the rules bar, in her order."""
        if a.index not in self._lists:
            wishes = []
            for p, rank in a.listed.items():
                program = self.programs[p]
                if (a.index, p) not in self.believed and not self.bars(a, program):
                    wishes.append((p, rank, self.view(a, program, True)))
            self._lists[a.index] = wishes
        return self._lists[a.index]

    def tail(self, a: Applicant) -> list[Wish]:
        """Return the programs that her consent to adjustment adds, in order."""
        if a.index not in self._tails:
            self._tails[a.index] = self.make_tail(a) if a.scope else []
        return self._tails[a.index]

    def make_tail(self, a: Applicant) -> list[Wish]:
        """Find the tail by masks over the programs; pairs with rows of their own one by one."""
        if a.row["review"] not in ("", "passed"):
            return []
        listed = sum(1 << p for p in a.listed)
        special = self.scored[a.index] | sum(1 << p for p in {*a.approved, *a.ended})
        scope = ~listed
        if a.scope != "alliance":
            named = {self.programs[p].home.row[a.scope] for p in a.listed} - {""}
            scope &= sum(self.where(a.scope, name) for name in named)
        for name in a.refused:
            scope &= ~sum(1 << p for p in self.classes[name].programs)
        mask = 0
        for channel in self.channels.values():
            through = channel & ~special
            if not through:
                continue
            view = self.view(a, self.programs[next(bits(through))], False)
            if not view.hits:
                if not view.interview:
                    through &= ~self.where("interview_required", "1")
                mask |= through
        mask &= self.fact_mask(a)
        for p in bits(special & scope):
            mask |= int(not self.bars(a, self.programs[p], False)) << p
        mine = [(k, {self.programs[p].home.row[k] for p in a.listed} - {""}) for k in SCOPES]
        kin = {c.id: [c.row[k] not in names for k, names in mine] for c in self.classes.values()}
        found = []
        for p in bits(mask & scope):
            program = self.programs[p]
            view = self.view(a, program, False)
            found.append(((kin[program.home.id], -view.fit, p), (p, 0, view)))
        return [wish for _, wish in sorted(found, key=lambda pair: pair[0])]

    def everything(self, a: Applicant) -> list[Wish]:
        """Return her list and her tail."""
        return self.wishes(a) + self.tail(a)


# --- the result -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A row of ``thresholds.csv``: the last person's priority, if anybody, and the price."""

    state: str
    cap: str
    last: Key | None
    price: str


class Result:
    """A result folder, read and checked against the ids of its round."""

    def __init__(self, given: Round, folder: Path) -> None:
        self.folder = folder
        self.info = read_json(folder / "result.json")
        self.certificate = read_json(folder / "certificate.json")
        names = [name.partition(".")[0] for name in RESULT_FILES if name.endswith(".csv")]
        tables = {name: read_table(folder / f"{name}.csv") for name in names}
        report = folder / "report.json"
        self.report = read_json(report) if report.exists() else None
        mechanisms = ("stable", "parallel", "optimal", "max_placement")
        self.mechanism = as_choice(str(self.info.get("mechanism")), mechanisms, "mechanism")
        self.status = as_choice(str(self.info.get("status")), ("OPTIMAL", "FEASIBLE"), "status")
        for name in ("unique", "publishable"):
            as_kind(self.info.get(name), bool, name)
        self.objective = [
            (as_kind(row, dict, "objective").get("name"), row.get("value"), row.get("bound"))
            for row in as_kind(self.info.get("objective"), list, "objective")
        ]
        for _, value, bound in self.objective:
            as_kind(value, int, "objective")
            as_kind(bound, int, "objective")
        self.resolve = self.info.get("resolve")
        self.kept: dict[tuple[str, str], bool] = {}  # earlier placements, whether confirmed
        if self.resolve is not None:
            how = as_kind(self.resolve, dict, "resolve").get("confirmed")
            as_choice(str(how), ("hard", "soft"), "resolve.confirmed")
            for row in read_table(folder / "kept.csv").rows():
                sure = as_choice(row["confirmed"], ("0", "1"), "confirmed") == "1"
                self.kept[row["applicant"], row["program"]] = sure
        self.place = [-1] * len(given.people)
        self.rows: dict[int, dict[str, str]] = {}
        for row in tables["placements"].rows():
            a = given.who(row["applicant"])
            self.rows[a.index] = row
            if row["program"]:
                self.place[a.index] = given.find(row["program"]).index
        ties = [f"tie{k + 1}" for k in range(len(given.policy.tiebreak or given.ties))]
        if set(tables["thresholds"].columns) - set(COLUMNS["thresholds"].split()) != set(ties):
            raise Malformed("column", file="thresholds.csv")
        self.thresholds = {
            (given.find(row["program"]).index, row["stage"]): self.threshold(row, ["score", *ties])
            for row in tables["thresholds"].rows()
        }
        self.classes: dict[str, tuple[bool, int, int]] = {}
        for row in tables["classes"].rows():
            if row["order_class"] not in given.classes:
                raise Malformed("unknown", what="order_class", value=row["order_class"])
            opened = as_choice(row["opened"], ("0", "1"), "opened") == "1"
            numbers = (as_int(row["placed"], "placed"), as_int(row["min_size"], "min_size"))
            self.classes[row["order_class"]] = (opened, *numbers)
        self.barred: dict[tuple[str, str, str], tuple[str, str]] = {}
        for row in tables["barred"].rows():
            key = (given.who(row["applicant"]).id, given.find(row["program"]).id, row["rule"])
            as_choice(row["rule"], RULES, "rule")
            self.barred[key] = (row["value"], row["limit"])
        self.held: list[list[int]] = [[] for _ in given.programs]
        for i, p in enumerate(self.place):
            if p >= 0:
                self.held[p].append(i)
        self.placed = {
            c.id: sum(len(self.held[p]) for p in c.programs) for c in given.classes.values()
        }
        # A class that needs one person at most is never closed, even when it is empty.
        self.closed = {
            c.id for c in given.classes.values() if c.min_size > 1 and not self.placed[c.id]
        }

    def threshold(self, row: dict[str, str], scores: list[str]) -> Row:
        """Read one threshold; that of ``max_placement`` is a level, which has no lottery."""
        state = as_choice(row["state"], ("full", "not_full", "cut"), "state")
        cells = [row[name] for name in scores]
        last: Key | None = None
        level = self.mechanism == "max_placement"
        if row["listed"] if level else row["lottery"]:
            if not re.fullmatch("" if level else "[0-9a-f]{64}", row["lottery"]):
                raise Malformed("number", what="lottery", value=row["lottery"][:40])
            above = 1 - int(as_choice(row["listed"], ("0", "1"), "listed"))
            marks = [-as_decimal(cell, "score") if cell else BLANK for cell in cells]
            last = (above, *marks, *([] if level else [int(row["lottery"], 16)]))
        elif row["listed"] or row["lottery"] or any(cells):
            raise Malformed("threshold", program=row["program"], stage=row["stage"])
        return Row(state, row["cap"], last, row["price"])

    def seated(self, given: Round, p: int) -> list[Item]:
        """Return those whom a program holds, by priority."""
        program = given.programs[p]
        found = []
        for i in self.held[p]:
            a = given.people[i]
            found.append((given.view(a, program, p in a.listed).key, i))
        return sorted(found)


# --- choice ---------------------------------------------------------------------------------


def seat(
    who: Any,
    options: Callable[[Any], Sequence[str]],
    seats: Mapping[str, int],
    holders: dict[str, list[Any]],
) -> bool:
    """Give somebody a seat of one of her kinds, moving others between theirs if need be."""
    came: dict[str, tuple[Any, str]] = {}  # who would take a kind of seat, leaving which
    queue = [(who, "")]
    for person, left in queue:
        for kind in options(person):
            if kind not in seats or kind in came:
                continue
            came[kind] = (person, left)
            if len(holders[kind]) < seats[kind]:
                while kind:
                    person, left = came[kind]
                    holders[kind].append(person)
                    if left:
                        holders[left].remove(person)
                    kind = left
                return True
            queue += [(other, kind) for other in holders[kind] if len(options(other)) > 1]
    return False


@dataclass
class Choice:
    """Whom a program takes: each stage in acceptance order, those refused, open seats left."""

    first: list[Item]
    hard: list[Item]
    soft: list[Item]
    open: list[Item]
    refused: list[Item]
    room: int

    @property
    def order(self) -> list[Item]:
        """The acceptance order."""
        return self.first + self.hard + self.soft + self.open

    def beyond(self, key: Key, reserved: int) -> bool:
        """Whether a person is surely refused, by a look at the last of each stage.

        ``reserved`` are the reserved seats of the program, 0 for a person in none of its groups.
        """
        if self.room or len(self.hard) + len(self.soft) < reserved:
            return False
        stages = (
            (self.first, self.hard, self.soft, self.open)
            if reserved
            else (self.open or self.first,)
        )
        return all(stage[-1][0] < key for stage in stages if stage)

    def joined(self, item: Item) -> Choice:
        """Return the choice with one more person, who is in none of the reserved groups.

        She passes by the reserves, so nothing changes before the open seats (``open_first``
        apart): choosing again from all would give the same.
        """
        queue = [*self.open]
        insort(queue, item)
        refused = [] if self.room else [queue.pop()]
        room = max(0, self.room - 1)
        return Choice(self.first, self.hard, self.soft, queue, refused, room)


class Chooser:
    """The choice functions of a round."""

    def __init__(self, given: Round) -> None:
        self.groups = [a.groups for a in given.people]
        self.sets = [frozenset(a.groups) for a in given.people]
        self.open_first = given.policy.open_first

    def options(self, item: Item) -> tuple[str, ...]:
        """Return the groups of somebody."""
        return self.groups[item[1]]

    def fill(self, seats: dict[str, int], people: list[Item]) -> tuple[list[Item], list[Item]]:
        """Take, by priority, each who raises the number of reserved seats that can be filled."""
        holders: dict[str, list[Item]] = {group: [] for group in seats}
        total, taken, left, simple = sum(seats.values()), list[Item](), list[Item](), True
        for n, item in enumerate(people):
            if len(taken) == total:
                return taken, left + people[n:]
            if self.sets[item[1]].isdisjoint(seats):
                left.append(item)
                continue
            mine = [group for group in self.groups[item[1]] if group in seats]
            simple = simple and len(mine) == 1
            if simple:  # as long as nobody can move to another group
                fits = len(holders[mine[0]]) < seats[mine[0]]
                if fits:
                    holders[mine[0]].append(item)
            else:
                fits = seat(item, self.options, seats, holders)
            (taken if fits else left).append(item)
        return taken, left

    def choose(self, program: Program, people: list[Item]) -> Choice:
        """Choose among people sorted by priority."""
        first, hard, soft, rest = list[Item](), list[Item](), list[Item](), people
        reserved = sum(program.hard.values())
        if self.open_first:
            count = program.capacity - reserved - sum(program.soft.values())
            first, rest = rest[:count], rest[count:]
        if program.hard:
            hard, rest = self.fill(program.hard, rest)
        if program.soft:
            soft, rest = self.fill(program.soft, rest)
        left = program.capacity - len(first) - len(soft) - reserved
        return Choice(first, hard, soft, rest[:left], rest[left:], max(0, left - len(rest)))

    def labels(self, seats: dict[str, int], people: list[Item]) -> dict[int, str]:
        """Give each, in order, the first group by code that still lets all the others sit."""
        left, found = dict(seats), {}
        for n, item in enumerate(people):
            found[item[1]] = next(
                g for g in self.groups[item[1]] if self.lets(left, g, people[n + 1 :])
            )
            left[found[item[1]]] -= 1
        return found

    def lets(self, seats: dict[str, int], group: str, others: list[Item]) -> bool:
        """Whether others can all sit when one seat of a group is taken."""
        fewer = seats | {group: seats.get(group, 0) - 1}
        return fewer[group] >= 0 and len(self.fill(fewer, others)[0]) == len(others)

    def stages(self, program: Program, choice: Choice) -> list[tuple[str, int, list[Item]]]:
        """Return each seat type with its seats and its people in acceptance order."""
        rows = []
        reserved = sum(program.stages.values())
        if self.open_first and program.capacity > reserved:
            rows.append(("open_first", program.capacity - reserved, choice.first))
        for kind, seats, people in (
            ("hard", program.hard, choice.hard),
            ("soft", program.soft, choice.soft),
        ):
            given = self.labels(seats, people)
            for group in sorted(seats):
                mine = [item for item in people if given[item[1]] == group]
                rows.append((f"{kind}:{group}", seats[group], mine))
        return [*rows, ("open", len(choice.open) + choice.room, choice.open)]

    def reserved_filled(self, program: Program, people: list[Item]) -> int:
        """Return how many reserved seats, hard and soft, these people can fill."""
        both = Counter(program.hard) + Counter(program.soft)
        return len(self.fill(dict(both), people)[0])


# --- the second algorithm for `stable` and `parallel` ---------------------------------------


class Run:
    """Deferred acceptance, one proposal at a time, the last applicant first.

    The people of a loose class do not count under the caps over more than one class.
    """

    def __init__(
        self,
        given: Round,
        chooser: Chooser,
        closed: Collection[str],
        loose: Collection[str] = (),
    ) -> None:
        self.given, self.chooser, self.loose = given, chooser, set(loose)
        self.over: list[list[int]] = []  # the caps under which the people of each program count
        for program in given.programs:
            own, mine = program.home.id not in self.loose, set(program.home.programs)
            self.over.append([c for c in program.caps if own or given.caps[c].programs <= mine])
        self.start(closed)

    def start(self, closed: Collection[str]) -> None:
        """Run from scratch with some classes closed."""
        given, self.closed = self.given, set(closed)
        self.held: list[list[Item]] = [[] for _ in given.programs]
        self.choice = [self.chooser.choose(program, []) for program in given.programs]
        self.next = [0] * len(given.people)
        self.count = [0] * len(given.caps)
        self.shut = [program.home.id in self.closed for program in given.programs]
        self.settle(list(range(len(given.people))))

    def copy(self) -> Run:
        """Return a copy that can go on by itself."""
        other = object.__new__(Run)
        other.given, other.chooser, other.over = self.given, self.chooser, list(self.over)
        other.closed, other.loose = set(self.closed), set(self.loose)
        other.held = [list(people) for people in self.held]
        other.choice, other.next = list(self.choice), list(self.next)
        other.count, other.shut = list(self.count), list(self.shut)
        return other

    def settle(self, free: list[int]) -> None:
        """Let everybody who is free propose until nobody is."""
        while free:
            i = free.pop()
            a = self.given.people[i]
            wishes, tail = self.given.wishes(a), None
            while True:
                n = self.next[i]
                if n >= len(wishes):
                    if tail is None:
                        tail = self.given.tail(a)
                    if n >= len(wishes) + len(tail):
                        break
                    p, _, view = tail[n - len(wishes)]
                else:
                    p, _, view = wishes[n]
                if not self.shut[p]:
                    loser = self.offer(p, (view.key, i))
                    if loser != i:
                        if loser >= 0:
                            self.next[loser] += 1
                            free.append(loser)
                        break
                self.next[i] = n + 1

    def offer(self, p: int, item: Item) -> int:
        """Let a program, and the caps over it, consider somebody; return who is refused or -1."""
        program = self.given.programs[p]
        plain = self.chooser.sets[item[1]].isdisjoint(program.groups)
        if self.choice[p].beyond(item[0], 0 if plain else program.reserved):
            return item[1]
        insort(self.held[p], item)
        if plain and not self.chooser.open_first:
            self.choice[p] = self.choice[p].joined(item)
        else:
            self.choose(p)
        refused = self.choice[p].refused
        if refused:
            self.held[p].remove(refused[0])
            return refused[0][1]
        for c in self.over[p]:
            self.count[c] += 1
        for c in self.over[p]:
            if self.count[c] > self.given.caps[c].seats:
                q = self.last_turn(c)
                loser = self.choice[q].order[-1]
                self.drop(q, loser)
                return loser[1]
        return -1

    def choose(self, p: int) -> None:
        """Choose again at a program."""
        self.choice[p] = self.chooser.choose(self.given.programs[p], self.held[p])

    def drop(self, p: int, item: Item) -> None:
        """Take somebody out of a program."""
        self.held[p].remove(item)
        choice = self.choice[p]
        if choice.open and item is choice.open[-1]:  # nothing before her changes
            stages = (choice.first, choice.hard, choice.soft, choice.open[:-1])
            self.choice[p] = Choice(*stages, [], choice.room + 1)
        else:
            self.choose(p)
        for c in self.over[p]:
            self.count[c] -= 1

    def last_turn(self, c: int) -> int:
        """Return the program whose offer comes last when the children of a cap take turns.

        That is the child with the most people, the later one in plan order if several have as
        many, and within an inner cap the same again.
        """
        kind, n = "c", c
        while kind == "c":
            children = self.given.caps[n].children
            sizes = [self.load(k, m, n) for k, m in children]
            kind, n = children[max(range(len(sizes)), key=lambda k: (sizes[k], k))]
        return n

    def load(self, kind: str, n: int, cap: int) -> int:
        """Return how many people of a program, or an inner cap, count under a cap."""
        programs = self.given.caps[n].programs if kind == "c" else [n]
        if all(cap not in self.over[p] for p in programs):
            return 0
        return self.count[n] if kind == "c" else len(self.held[n])

    def tighten(self, name: str) -> Run:
        """Let a loose class count under all its caps."""
        self.loose.discard(name)
        free = []
        for p in self.given.classes[name].programs:
            caps = self.given.programs[p].caps
            for c in set(caps) - set(self.over[p]):
                self.count[c] += len(self.held[p])
            self.over[p] = caps
        for p in self.given.classes[name].programs:
            for c in self.over[p]:
                while self.count[c] > self.given.caps[c].seats:
                    q = self.last_turn(c)
                    loser = self.choice[q].order[-1]
                    self.drop(q, loser)
                    self.next[loser[1]] += 1
                    free.append(loser[1])
        self.settle(free)
        return self

    def close(self, names: Collection[str]) -> Run:
        """Close classes: go on from here where that is the same as starting again.

        Without a full cap over these classes and others nobody was ever refused elsewhere because
        of the people in them, and those who were refused anywhere would be refused again: every
        applicant proposes at least where she did before.  So the refusals so far all stand.
        """
        programs = [p for name in names for p in self.given.classes[name].programs]
        if self.full_over(programs):
            self.start(self.closed | set(names))
            return self
        self.closed |= set(names)
        free = []
        for p in programs:
            self.shut[p] = True
            for item in list(self.held[p]):
                self.drop(p, item)
                self.next[item[1]] += 1
                free.append(item[1])
        self.settle(free)
        return self

    def full_over(self, programs: Collection[int]) -> int:
        """Return how many full caps there are over some programs and others."""
        caps, here = self.given.caps, set(programs)
        over = {c for p in programs for c in self.over[p] if caps[c].programs - here}
        return sum(self.count[c] >= caps[c].seats for c in over)

    def placed(self, c: OrderClass) -> int:
        """Return how many people a class has."""
        return sum(len(self.held[p]) for p in c.programs)

    def shortfalls(self) -> list[tuple[int, int, str]]:
        """Return the open classes below their minimum: shortfall, place in plan order, id.

        An empty class keeps a minimum of one, so that such a class never falls short.
        """
        return [
            (c.min_size - self.placed(c), c.place, c.id)
            for c in self.given.classes.values()
            if c.id not in self.closed and self.placed(c) < c.min_size > 1
        ]

    def matching(self) -> list[int]:
        """Return the program of everybody, -1 for none."""
        found = [-1] * len(self.given.people)
        for p, people in enumerate(self.held):
            for _, i in people:
                found[i] = p
        return found


def close_in_turn(run: Run) -> list[dict[str, Any]]:
    """Close the class with the largest shortfall until none falls short; return the steps."""
    steps = []
    while short := run.shortfalls():
        shortfall, _, name = max(short)
        c = run.given.classes[name]
        steps.append(
            {
                "order_class": name,
                "placed": run.placed(c),
                "min_size": c.min_size,
                "shortfall": shortfall,
            }
        )
        run.close([name])
    return steps


def reopened(run: Run, names: list[str]) -> Iterator[tuple[str, Run]]:
    """Yield each of these classes with the run in which it is open and all the others are closed.

    In the given run all are open.
    """
    if len(names) < 2:
        yield from ((name, run) for name in names)
        return
    half = len(names) // 2
    yield from reopened(run.copy().close(names[half:]), names[:half])
    yield from reopened(run.copy().close(names[:half]), names[half:])


def reopenable(run: Run, names: list[str]) -> list[str]:
    """Return those of these classes that could be open, all the others closed, none short."""
    return [name for name, other in reopened(run, names) if not other.shortfalls()]


class ClosingTree:
    """Whether no maximal set of open classes is better than one of them, by a published search.

    A set is maximal when its run leaves no class short, and no closed class could be opened again
    without one.  Each branch of the search has closed some classes, must leave some open, and is free
    in the rest.  Fewer seats, for closed classes or for caps, never help anybody.  So nobody is better
    off in any set of a branch than in its run with the free classes open and loose.  And a class that
    stays open holds at most what it can get without shared caps when all is closed that the branch is
    free in, and every other program under caps that can be full seats only as many of its first people
    as no cap ever refuses, its children taking turns.  If none can be full, that run is the run, and a
    class holds the fewer people the more classes are open; then a set that closes more than one
    without a short class is not maximal.
    """

    def __init__(self, run: Run, whole: Run) -> None:
        self.given, self.run, self.whole = run.given, run, whole
        self.met = {c.id for c in self.classes} - {name for _, _, name in whole.shortfalls()}
        self.costs: list[list[int]] = []  # of each place of each list
        self.least: list[list[int]] = []  # of it and the later ones
        self.rivals: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
        wanted: Counter[int] = Counter()
        policy, last = self.given.policy, self.given.last_rank
        for a in self.given.people:
            wishes = self.given.everything(a)
            wanted.update(p for p, _, _ in wishes)
            self.costs.append([-policy.worth("rank", rank, last) for _, rank, _ in wishes])
            self.least.append([*accumulate(reversed(self.costs[-1]), min)][::-1])
            for n, (p, _, _) in enumerate(wishes):
                for group in self.given.programs[p].groups.intersection(a.groups):
                    self.rivals[p, group].append((a.index, n))
        self.worth = self.merit(run)
        self.free = {c.id for c in self.classes if c.min_size > 1}
        self.root = Run(self.given, run.chooser, (), self.free)
        self.most = [min(wanted[p.index], p.capacity) for p in self.given.programs]
        self.lifts: dict[str, Run] = {}
        self.under: set[str] = set()
        for cap in self.given.caps:
            most = sum(self.most[p] for p in cap.programs)
            homes = {self.given.programs[p].home.id for p in cap.programs}
            self.under |= homes if len(homes) > 1 and most > cap.seats else set()

    @property
    def classes(self) -> Collection[OrderClass]:
        """All classes, in plan order."""
        return self.given.classes.values()

    def tail(self, closed: Collection[str]) -> tuple[int, int, list[bool]]:
        """Return the last parts of a merit, which the closed classes alone decide."""
        opened = [c.id not in closed for c in self.classes]
        return -len(closed), -len(self.met & set(closed)), opened

    def placed(self, run: Run) -> int:
        """Return how many people a run places."""
        return sum(len(people) for people in run.held)

    def merit(self, run: Run) -> tuple[int, int, int, tuple[int, int, list[bool]]]:
        """Return what a run is worth."""
        pairs = zip(self.given.programs, run.held, strict=True)
        filled = sum(run.chooser.reserved_filled(program, people) for program, people in pairs)
        cost = sum(self.costs[i][run.next[i]] for people in run.held for _, i in people)
        return self.placed(run), filled, -cost, self.tail(run.closed)

    def seats_within(self, run: Run) -> int:
        """Return how many reserved seats people can fill who may still come to them.

        Group by group: somebody in two groups counts in both.
        """
        return sum(
            min(sum(n >= run.next[i] for i, n in self.rivals[program.index, group]), seats)
            for program in self.given.programs
            if program.home.id not in run.closed
            for group, seats in (Counter(program.hard) + Counter(program.soft)).items()
        )

    def beaten(self, run: Run) -> bool:
        """Whether no set of the branch of a run is better, where a part ties by the next part."""
        placed, filled, cost, tail = self.worth
        if self.placed(run) != placed:
            return self.placed(run) < placed
        if (within := self.seats_within(run)) != filled:
            return within < filled
        least = -sum(self.least[i][run.next[i]] for people in run.held for _, i in people)
        return least < cost if least != cost else self.tail(run.closed) <= tail

    def short(self, run: Run, free: set[str], name: str) -> bool:
        """Whether a class that stays open cannot reach its minimum in a branch."""
        c = self.given.classes.get(name)
        if c is None or c.min_size <= 1 or name in free or name in run.closed:
            return False
        shut = (free | run.closed) - {name}
        base = self.lifted(name if name in self.under else "") if self.under else run
        return base.copy().close(shut - base.closed).placed(c) < c.min_size

    def lifted(self, name: str) -> Run:
        """Return the run without caps over several classes that is best for a class of that name.

        Of every other program it seats only the first people, as many as no cap ever refuses.
        """
        if name not in self.lifts:
            given = copy.copy(self.given)
            given.caps, given.programs = list(given.caps), []
            for p in self.given.programs:
                caps = [c for c in p.caps if given.caps[c].programs <= set(p.home.programs)]
                seats, here = self.safe(p), frozenset([p.index])
                if p.home.id in self.under - {name} and seats < self.most[p.index]:
                    caps.insert(0, len(given.caps))
                    given.caps.append(Cap(p.id, seats, here, children=[("p", p.index)]))
                given.programs.append(replace(p, caps=caps))
            self.lifts[name] = Run(given, self.root.chooser, ())
        return self.lifts[name]

    def safe(self, program: Program) -> int:
        """Return how many people of a program no cap refuses, whatever else comes under it."""
        caps = self.given.caps

        def size(kind: str, n: int) -> int:
            if kind == "p":
                return self.most[n]
            return min(caps[n].seats, sum(size(*child) for child in caps[n].children))

        turns = self.most[program.index]
        while turns:
            people = turns
            for c in program.caps:
                people = sum(min(people, size(*child)) for child in caps[c].children)
                if people > caps[c].seats:
                    break
            else:
                break
            turns -= 1
        return turns

    def last(self, run: Run, free: set[str]) -> bool:
        """Whether a branch has one set at most that can be maximal, and that one is no better."""
        if free and (self.under or run.shortfalls()):
            return False
        own = self.whole.copy().close(run.closed)
        if own.shortfalls() or self.merit(own) <= self.worth:
            return True
        return bool(reopenable(self.whole, sorted(run.closed)))

    def holds(self, tree: Sequence[tuple[str, str]]) -> int:
        """Return how far the search is right: its length if it is, and complete."""
        waiting = [(self.root, self.free)]
        for n, (why, name) in enumerate(tree):
            if not waiting:
                return n
            run, free = waiting.pop()
            if why == "branch" and name in free:
                rest = free - {name}
                opened = run.copy().tighten(name) if name in self.under else run
                waiting += [(opened, rest), (run.copy().close([name]), rest)]
            elif not (
                (why == "bound" and self.beaten(run))
                or (why == "short" and self.short(run, free, name))
                or (why == "last" and self.last(run, free))
            ):
                return n
        return -1 if waiting else len(tree)


# --- the claims -----------------------------------------------------------------------------


class Verifier:
    """Judges one result, claim by claim."""

    def __init__(self, given: Round, result: Result) -> None:
        self.given, self.result = given, result
        self.chooser = Chooser(given)
        self.optimal = result.mechanism == "optimal"
        self.largest = result.mechanism == "max_placement"
        self.drawn = self.optimal or self.largest  # equal plans are told apart by weights
        self.items = [result.seated(given, p.index) for p in given.programs]
        self.choice = [self.chooser.choose(p, self.items[p.index]) for p in given.programs]
        self.filled = [self.chooser.reserved_filled(p, self.items[p.index]) for p in given.programs]
        self.counts = [sum(len(result.held[p]) for p in cap.programs) for cap in given.caps]
        self.full = [n >= cap.seats for n, cap in zip(self.counts, given.caps, strict=True)]
        self.seats: dict[int, str] = {}  # the right seat label of each who is placed
        self.tables: dict[int, list[tuple[str, int, list[Item]]]] = {}
        for p in given.programs:
            if p.home.id not in result.closed:
                self.tables[p.index] = self.chooser.stages(p, self.choice[p.index])
                for stage, _, people in self.tables[p.index]:
                    label = stage.partition(":")[2] or "open"
                    self.seats |= {i: label for _, i in people}

    def inputs(self, check: Check) -> None:
        """Digests, seed, lottery numbers, mechanism."""
        given, result = self.given, self.result
        digests = as_kind(result.info.get("digests"), dict, "digests")
        own = {"inputs": given.digest}
        resolved = result.resolve is not None
        for name in (*RESULT_FILES, *["kept.csv"] * resolved):
            own[name] = hashlib.sha256(read_bytes(result.folder / name)).hexdigest()
        for name, digest in own.items():
            check.expect(digests.get(name) == digest, "digest", file=name, own=digest)
        check.expect(result.info.get("round") == given.policy.round, "round")
        check.expect(given.laminar or self.optimal, "caps_cross")
        first = given.policy.open_first and max((p.reserved for p in given.programs), default=0) > 0
        check.expect(not (self.optimal and first), "open_first")
        check.expect(self.optimal or not resolved, "resolve")
        if result.mechanism == "parallel":
            columns = ("score", *COMPONENTS, *given.ties)
            for (i, p), row in given.by_program.items():
                scored = any(row[column] for column in columns)
                ids = {"applicant": given.people[i].id, "program": given.programs[p].id}
                check.expect(not scored, "score_by_program", **ids)
        for what in self.refused() if self.largest else ():
            check.wrong("refused", what=what)
        numbers = {a.lottery for a in given.people}
        for (p, stage), line in result.thresholds.items():
            known = self.largest or line.last is None or line.last[-1] in numbers
            check.expect(known, "lottery", program=given.programs[p].id, stage=stage)
        check.numbers |= {"applicants": len(given.people), "programs": len(given.programs)}
        check.numbers |= {"mechanism": result.mechanism, "digest": given.digest}
        if result.mechanism != given.policy.mechanism:
            check.trusted = f"override:{given.policy.mechanism}"

    def assignment(self, check: Check) -> None:
        """Everyone once, where she may be, with rank, seat and reason; who is barred."""
        self.barred(check)
        given, result = self.given, self.result
        people = Counter(a.person for a in given.people if result.place[a.index] >= 0)
        for person, times in people.items():
            check.expect(times == 1, "person_twice", person=person)
        for a in given.people:
            p, row = result.place[a.index], result.rows.get(a.index)
            if row is None:
                check.wrong("row_missing", applicant=a.id)
                continue
            wish = next((w for w in given.wishes(a) if w[0] == p), None)
            if p >= 0 and not wish:
                wish = next((w for w in given.tail(a) if w[0] == p), None)
            if p >= 0 and not wish:
                check.wrong("not_admitted", applicant=a.id, program=row["program"])
                continue
            own = {"rank": "", "seat": "", "reason": self.unplaced_reason(a)}
            if wish:
                program, listed = given.programs[p], wish[1] > 0
                own = {"rank": str(wish[1]), "reason": given.reason(a, program, listed)}
                # A program with too many people has no right labels; other claims say so.
                own["seat"] = self.seats.get(a.index, row["seat"])
            for column, value in own.items():
                if row[column] != value:
                    check.wrong(column, applicant=a.id, value=row[column][:40], own=value)
        check.numbers["placed"] = sum(p >= 0 for p in result.place)

    def barred(self, check: Check) -> None:
        """Apply every rule to every application and compare with ``barred.csv``."""
        given, result = self.given, self.result
        believed = {
            key: found
            for key, found in result.barred.items()
            if self.withheld(given.who(key[0]), key[2])
        }
        own: dict[tuple[str, str, str], tuple[str, str]] = {}
        for a in given.people:
            for p in a.listed:
                for rule, value, limit in given.bars(a, given.programs[p]):
                    if not self.withheld(a, rule):
                        own[a.id, given.programs[p].id, rule] = (value, limit)
        for key in {*own, *result.barred} - set(believed):
            if own.get(key) != result.barred.get(key):
                ids = dict(zip(("applicant", "program", "rule"), key, strict=True))
                where = {"stated": result.barred.get(key), "own": own.get(key)}
                check.wrong("barred", **ids, **where)
        for name, program, _ in believed:
            a, p = given.who(name), given.find(program).index
            check.expect(p in a.listed, "barred", applicant=name, program=program)
            given.believed.add((a.index, p))
        check.numbers |= {"applications": sum(len(a.listed) for a in given.people)}
        check.numbers |= {"barred": len(own)}
        missing = {READS[rule] for a in given.people for rule in READS if self.withheld(a, rule)}
        if missing:
            check.trusted = "withheld:" + ",".join(sorted(missing))

    def withheld(self, a: Applicant, rule: str) -> bool:
        """Whether the round asks for a rule and the folder does not say what the rule reads."""
        column = READS.get(rule, "")
        if column in self.given.tables["applicants"].columns or not column:
            return column == "birth_date" and not a.born and rule in self.asked
        return rule in self.asked

    @cached_property
    def asked(self) -> set[str]:
        """The rules that anything in the round makes apply."""
        return {rule for rule in READS if self.asks(rule)}

    def asks(self, rule: str) -> bool:
        """Whether anything in the round makes a rule apply."""
        if rule in ("age", "approval"):
            return bool(self.given.policy.age_rules)
        if rule == "minor":
            return any(program.forbid_minor for program in self.given.programs)
        columns = {
            "class_age": ("age_min", "age_max"),
            "education": ("entry_education",),
            "skill_level": ("entry_skill",),
            "health": ("health",),
        }[rule]
        return any(c.row[column] for c in self.given.classes.values() for column in columns)

    def unplaced_reason(self, a: Applicant) -> str:
        """Return why somebody has no place."""
        if self.given.wishes(a) or self.given.tail(a):
            return "not_reached"
        return "barred" if a.applied else "no_choice"

    def capacity(self, check: Check) -> None:
        """No program holds more people than it has seats."""
        for program in self.given.programs:
            n = len(self.items[program.index])
            ids = {"program": program.id, "placed": n, "capacity": program.capacity}
            check.expect(n <= program.capacity, "over_capacity", **ids)
        check.numbers["seats"] = sum(program.capacity for program in self.given.programs)

    def caps(self, check: Check) -> None:
        """No cap is exceeded."""
        for cap, n in zip(self.given.caps, self.counts, strict=True):
            check.expect(n <= cap.seats, "over_cap", cap=cap.id, placed=n, seats=cap.seats)
        check.numbers |= {"caps": len(self.given.caps), "full": sum(self.full)}

    def reserves(self, check: Check) -> None:
        """Seats that are for a group alone hold nobody else, and those to be filled are filled."""
        for program in self.given.programs:
            items = self.items[program.index]
            # Where all can sit and these seats can be filled, one seating does both (Mendelsohn and
            # Dulmage, doi 10.4153/CJM-1958-027-8).
            room = program.capacity - program.kept.total()
            room += len(self.chooser.fill(program.kept, items)[0])
            over = room < len(items) <= program.capacity
            check.expect(not over, "hard_reserve", program=program.id, placed=len(items), room=room)
            seats = program.must.total()
            n = len(self.chooser.fill(program.must, items)[0])
            check.expect(n == seats, "must_fill", program=program.id, filled=n, seats=seats)
        check.numbers["filled"] = sum(self.filled)

    def min_size(self, check: Check) -> None:
        """Every class has its minimum or nobody, and ``classes.csv`` says so."""
        result = self.result
        for c in self.given.classes.values():
            n = result.placed[c.id]
            check.expect(n == 0 or n >= c.min_size, "short", order_class=c.id, placed=n)
            check.expect(n > 0 or c.row["must_open"] != "1", "must_open", order_class=c.id)
            own = (n >= max(1, c.min_size), n, c.min_size)
            stated = result.classes.get(c.id)
            check.expect(stated == own, "class", order_class=c.id, stated=stated, own=own)
        check.numbers["opened"] = sum(opened for opened, _, _ in result.classes.values())
        check.numbers["classes"] = len(self.given.classes)

    def rather(self, a: Applicant) -> Iterator[tuple[int, View]]:
        """Yield the programs of open classes that somebody prefers to what she has."""
        held = self.result.place[a.index]
        mine = a.listed.get(held, 0)
        wishes = self.given.wishes(a)
        for p, rank, view in wishes if held in a.listed else wishes + self.given.tail(a):
            # The programs of a class stand at one rank: some mechanisms are indifferent there.
            if p == held or (self.drawn and rank and rank == mine):
                return
            c = self.given.programs[p].home
            if c.min_size <= 1 or self.result.placed[c.id]:
                yield p, view

    def blocking(self) -> tuple[list[list[str]], list[list[str]]]:
        """Return the pairs of justified envy, and those of waste."""
        envy, waste = [], []
        for a in self.given.people:
            for p, view in self.rather(a):
                program = self.given.programs[p]
                plain = self.chooser.sets[a.index].isdisjoint(program.groups)
                if self.choice[p].beyond(view.key, 0 if plain else program.reserved):
                    continue
                item = (view.key, a.index)
                choice = self.chooser.choose(program, sorted([*self.items[p], item]))
                if item in choice.refused:
                    continue
                if choice.refused:
                    over = self.given.people[choice.refused[0][1]].id
                    envy.append([a.id, program.id, over])
                elif not any(self.full[c] for c in program.caps):
                    waste.append([a.id, program.id])
        return envy, waste

    def fairness(self, envy: Check, waste: Check) -> None:
        """Judge envy and waste together."""
        found = self.blocking_strictly() if self.largest else self.blocking()
        for check, pairs in zip((envy, waste), found, strict=True):
            names = ("applicant", "program", "instead_of")
            check.numbers["pairs"] = pairs if self.optimal else len(pairs)
            for pair in () if self.optimal else pairs:
                check.wrong(check.name[3:], **dict(zip(names, pair, strict=False)))

    # --- cutoffs of `stable` and `parallel`

    def cutoffs(self, check: Check) -> None:
        """Each threshold is right, and the thresholds alone reproduce every placement."""
        given, result = self.given, self.result
        own: dict[tuple[int, str], tuple[str, str, Key | None]] = {}
        for p, rows in self.tables.items():
            full = [given.caps[c].id for c in given.programs[p].caps if self.full[c]]
            for stage, seats, people in rows:
                state = "full" if len(people) >= seats else "cut" if full else "not_full"
                last = people[-1][0] if people and state != "not_full" else None
                own[p, stage] = (state, full[0] if state == "cut" else "", last)
        for key in {*own, *result.thresholds}:
            row = result.thresholds.get(key)
            stated = row and (row.state, row.cap, row.last)
            where = {"program": given.programs[key[0]].id, "stage": key[1]}
            check.expect(row is None or not row.price, "price", **where)
            check.expect(stated == own.get(key), "threshold", **where)
        reach: dict[int, list[tuple[str, Key | None]]] = defaultdict(list)
        for (p, stage), row in result.thresholds.items():
            last = (BLANK,) if row.state == "not_full" else row.last
            reach[p].append((stage.partition(":")[2], last))
        for a in given.people:
            held = result.place[a.index]
            found = next((p for p, key in self.keys(a) if within(reach[p], key, a.groups)), -1)
            names = [given.programs[p].id if p >= 0 else "" for p in (held, found)]
            ids = {"applicant": a.id, "placed": names[0], "reaches": names[1]}
            check.expect(found == held, "reach", **ids)
        check.numbers["thresholds"] = len(own)

    def keys(self, a: Applicant) -> Iterator[tuple[int, Key]]:
        """Yield the programs that somebody wants, best first, with her priority there."""
        for wishes in (self.given.wishes, self.given.tail):
            for p, _, view in wishes(a):
                yield p, view.key

    # --- outcome of `stable` and `parallel`

    def outcome(self, check: Check) -> None:
        """Run the mechanism by another algorithm and compare placements, closings, values."""
        given, result = self.given, self.result
        minima = any(c.min_size > 1 for c in given.classes.values())
        steps: list[dict[str, Any]] = []
        if given.policy.closure == "sequential":
            run = Run(given, self.chooser, ())
            start = run.copy()
            steps = close_in_turn(run)
            names = [step["order_class"] for step in steps]
            # Classes under full caps last: closing them first spares runs from scratch.
            names.sort(key=lambda name: start.full_over(given.classes[name].programs))
            check.numbers["reopenable"] = sorted(reopenable(start, names))
        else:
            run = Run(given, self.chooser, result.closed)
            steps = self.exact(check, run) if minima else []
        if not check.trusted:
            check.expect(result.status == "OPTIMAL", "status")
        check.expect(result.certificate.get("closing", []) == steps, "closing", own=steps)
        for a, mine in zip(given.people, run.matching(), strict=True):
            placed = result.place[a.index]
            if placed != mine:
                names = [given.programs[p].id if p >= 0 else "" for p in (placed, mine)]
                check.wrong("differs", applicant=a.id, program=names[0], own=names[1])
        check.numbers |= {"closings": len(steps), "closed": sorted(run.closed)}
        check.expect(result.info["unique"], "unique")
        self.values(check)

    def exact(self, check: Check, run: Run) -> list[dict[str, Any]]:
        """Judge that the run is among the best classes to open; return why each other is closed."""
        given = self.given
        whole = Run(given, self.chooser, ())
        names = sorted(run.closed, key=lambda name: whole.full_over(given.classes[name].programs))
        steps = {}
        for name, other in reopened(whole, names):
            c, short = given.classes[name], sorted(x for _, _, x in other.shortfalls())
            check.expect(bool(short), "reopenable", order_class=name)
            placed = other.placed(c)
            steps[name] = {"order_class": name, "placed": placed, "min_size": c.min_size}
            steps[name] |= {"shortfall": max(0, c.min_size - placed)}
            saves = [x for x in short if x != name]
            steps[name] |= {"saves": saves} if saves else {}
        tree = self.closing_tree()
        if self.result.status == "FEASIBLE" or not tree:
            check.trusted = "closing_not_rechecked"
        else:
            holds = ClosingTree(run, whole).holds(tree)
            check.expect(holds == len(tree), "closing_tree", row=holds)
            check.numbers["tree"] = len(tree)
        return [steps[name] for name in given.classes if name in steps]

    def closing_tree(self) -> list[tuple[str, str]]:
        """Read the search for the classes to close; none if it is absent or has too many leaves."""
        found = []
        for row in as_kind(self.result.certificate.get("closing_tree", []), list, "closing_tree"):
            if len(as_kind(row, list, "closing_tree")) != 2:
                raise Malformed("type", what="closing_tree")
            found.append(tuple(as_kind(cell, str, "closing_tree") for cell in row))
        leaves = sum(why != "branch" for why, _ in found)
        return found if leaves <= LEAVES else []

    def components(self) -> list[str]:
        """Return the names of the objective's components, those of an earlier result first."""
        first = [*KEPT] if self.result.resolve is not None else []
        names = self.given.policy.components(self.given.last_rank, self.drawn)
        if self.largest:  # the size comes before all, and there are no reserves
            first, names = ["placed"], [n for n in names if n not in ("placed", "reserves")]
        return first + names

    def values(self, check: Check) -> None:
        """Recompute the objective and what ``result.json`` says of it."""
        result = self.result
        names = self.components()
        own = list(zip(names, self.evaluate(names), strict=True))
        stated = [(name, value) for name, value, _ in result.objective]
        check.expect(stated == own, "objective", own=own)
        tight = all(value == bound for _, value, bound in result.objective)
        check.expect(tight or result.status == "FEASIBLE", "bound")
        right = result.info["unique"] and result.status == "OPTIMAL"
        check.expect(result.info["publishable"] == right, "publishable")
        check.numbers["objective"] = dict(own)

    def evaluate(self, names: Sequence[str]) -> list[int]:
        """Return the value of each component of the objective."""
        given = self.given
        totals = dict.fromkeys(names, 0)
        totals |= {"reserves": sum(self.filled)} if "reserves" in totals else {}
        for a in given.people:
            if (p := self.result.place[a.index]) < 0:
                continue
            program, rank = given.programs[p], a.listed.get(p, 0)
            lottery = given.weights(a, program) if self.drawn else (0, 0)
            kept = self.result.kept.get((a.id, program.id))
            for name in names:
                if name in KEPT:
                    totals[name] += bool(kept) if name == "confirmed" else kept is not None
                elif name == "fit":
                    totals[name] += given.view(a, program, rank > 0).fit
                elif name.startswith("lottery"):
                    totals[name] += lottery[name == "lottery_2"]
                elif name != "reserves":
                    totals[name] += given.policy.worth(name, rank, given.last_rank)
        return list(totals.values())

    # --- `max_placement`

    def refused(self) -> Iterator[str]:
        """Yield what the round asks for and ``max_placement`` cannot honour."""
        given = self.given
        classes = given.classes.values()
        asked = {
            "caps": given.caps,
            "reserves": [p for p in given.programs if p.reserved],
            "confirmed": [a for a in given.people if a.confirmed],
            "must_open": [c for c in classes if c.row["must_open"] == "1"],
            "closure": given.policy.closure == "exact" and [c for c in classes if c.min_size > 0],
        }
        yield from (what for what, rows in asked.items() if rows)

    def worst(self, p: int) -> Key | None:
        """Return the lowest level of those whom a full program holds; None if it is not full."""
        items = self.items[p]
        if len(items) < self.given.programs[p].capacity:
            return None
        return items[-1][0][:-1] if items else ()

    def blocking_strictly(self) -> tuple[list[list[str]], list[list[str]]]:
        """Return the pairs of envy over somebody of a lower level, and those of waste."""
        envy, waste = [], []
        for a in self.given.people:
            for p, view in self.rather(a):
                worst, name = self.worst(p), self.given.programs[p].id
                if worst is None:
                    waste.append([a.id, name])
                elif view.key[:-1] < worst:
                    envy.append([a.id, name, self.given.people[self.items[p][-1][1]].id])
        return envy, waste

    def level_cutoffs(self, check: Check) -> None:
        """Each threshold is the lowest level of a full program.

        As nobody envies and nothing is wasted, whoever is above it is there or where she would
        rather be, and nobody below it is there; the others, ``tied``, may or may not be.
        """
        given, stated = self.given, self.result.thresholds
        own: dict[tuple[int, str], tuple[str, str, Key | None]] = {}
        for p in self.tables:
            worst = self.worst(p)
            own[p, "open"] = ("not_full" if worst is None else "full", "", worst or None)
        for key in {*own, *stated}:
            row = stated.get(key)
            where = {"program": given.programs[key[0]].id, "stage": key[1]}
            check.expect(row is None or not row.price, "price", **where)
            right = row is not None and (row.state, row.cap, row.last) == own.get(key)
            check.expect(right, "threshold", **where)
        tied = sum(
            any(view.key[:-1] == self.worst(p) for p, view in self.rather(a)) for a in given.people
        )
        check.numbers |= {"thresholds": len(own), "tied": tied}

    def closings(self, check: Check) -> None:
        """Each closing is one of a class that lacked people, and the closed classes are these."""
        given, steps = self.given, self.result.certificate.get("closing", [])
        names = []
        for step in as_kind(steps, list, "closing"):
            c = given.classes.get(str(as_kind(step, dict, "closing").get("order_class")))
            if c is None:
                raise Malformed("unknown", what="order_class", value=str(step)[:40])
            placed = as_kind(step.get("placed"), int, "placed")
            own = {"order_class": c.id, "placed": placed, "min_size": c.min_size}
            own["shortfall"] = c.min_size - placed
            right = step == own and 0 <= placed < c.min_size > 1
            check.expect(right, "closing_step", order_class=c.id, stated=step, own=own)
            names.append(c.id)
        closed = sorted(self.result.closed)
        check.expect(sorted(names) == closed, "closed_classes", stated=names, own=closed)
        who: dict[str, set[int]] = {name: set() for name in closed}
        for a in given.people:
            for p, _, _ in given.everything(a):
                who.get(given.programs[p].home.id, set()).add(a.index)
        few = [name for name, people in who.items() if len(people) < given.classes[name].min_size]
        check.numbers |= {"closings": len(names), "closed": closed, "too_few": few}
        check.trusted = "closings" if names else ""

    def size(self, check: Check) -> None:
        """Bound the size by the cover, and see whether any other placement is left."""
        self.values(check)
        given, result = self.given, self.result
        left = self.possible()
        cover = as_kind(result.certificate.get("cover"), dict, "cover")
        people = {
            given.who(as_kind(name, str, "cover")).index
            for name in as_kind(cover.get("applicants"), list, "cover")
        }
        programs = {
            given.find(as_kind(name, str, "cover")).index
            for name in as_kind(cover.get("programs"), list, "cover")
        }
        for i, pairs in left.items():
            for p in pairs if i not in people else ():
                ids = {"applicant": given.people[i].id, "program": given.programs[p].id}
                check.expect(p in programs, "uncovered", **ids)
        placed = sum(p >= 0 for p in result.place)
        most = len(people) + sum(given.programs[p].capacity for p in programs)
        left = {i: pairs for i, pairs in left.items() if pairs}
        only = all(len(pairs) == 1 and result.place[i] in pairs for i, pairs in left.items())
        check.numbers |= {"size_at_most": most, "size_proved": placed == most, "only": only}
        if not only:
            proved = result.status == "OPTIMAL" and placed == most
            check.trusted = "later_objectives" if proved else "bound_of_the_solver"
        check.expect(result.info["unique"] or not only, "unique", own=only)

    def possible(self) -> dict[int, dict[int, tuple[int, Key]]]:
        """Return the pairs of open classes that a weakly stable placement may hold.

        By person and program, with the tier of the program in her list and her level there.  Two
        rules delete pairs until neither applies.  People for whom a program is the only best one
        left are kept out of it only by others of their level or better; so if there is one for
        every seat, nobody below the last of them is there.  And people for whom, with all who are
        at their level or better, there is a seat each cannot be kept out: they have nothing worse.
        """
        given = self.given
        left: dict[int, dict[int, tuple[int, Key]]] = {}
        there: dict[int, dict[int, Key]] = defaultdict(dict)
        for a in given.people:
            left[a.index] = {}
            for n, (p, rank, view) in enumerate(given.everything(a)):
                program = given.programs[p]
                if program.capacity > 0 and program.home.id not in self.result.closed:
                    left[a.index][p] = (rank or RANKS + n, view.key[:-1])
                    there[p][a.index] = view.key[:-1]

        def delete(i: int, p: int) -> None:
            del left[i][p], there[p][i]
            todo.update((p, next(iter(left[i]), p)))

        todo = set(there)
        while todo:
            p = todo.pop()
            seats = given.programs[p].capacity
            queue = sorted((level, i) for i, level in there[p].items())
            claims = [level for level, i in queue if only_best(left[i], p)]
            if len(claims) >= seats:
                for level, i in queue:
                    if level > claims[seats - 1]:
                        delete(i, p)
            queue = [item for item in queue if item[1] in there[p]]
            first_out = queue[seats][0] if len(queue) > seats else None
            for level, i in queue[:seats]:
                tier = left[i][p][0] if level != first_out else RANKS + len(given.programs)
                for worse in [q for q, (other, _) in left[i].items() if other > tier]:
                    delete(i, worse)
        return left

    # --- an earlier result that was to be kept

    def kept(self, check: Check, earlier: Path | None) -> None:
        """Confirmed placements are in place, and what was to be kept is the earlier result."""
        given, result = self.given, self.result
        confirmed = {(a.id, given.programs[p].id) for a in given.people for p in a.confirmed}
        here = {
            (a.id, given.programs[p].id)
            for a, p in zip(given.people, result.place, strict=True)
            if p >= 0
        }
        resolve = result.resolve or {"confirmed": "hard"}
        for name, program in sorted(confirmed - here) if resolve["confirmed"] == "hard" else ():
            check.wrong("confirmed_lost", applicant=name, program=program)
        check.numbers["confirmed"] = len(confirmed)
        if result.resolve is None:
            check.expect(earlier is None, "keeps_nothing")
            return
        for name, program in sorted({k for k, sure in result.kept.items() if sure} ^ confirmed):
            check.wrong("confirmed", applicant=name, program=program)
        check.numbers |= {"earlier": len(result.kept), "kept": len(here & set(result.kept))}
        if earlier is None:
            check.trusted = "earlier_result"
            return
        path = earlier / "placements.csv"
        own = hashlib.sha256(read_bytes(path)).hexdigest()
        check.expect(resolve.get("parent") == own, "parent", own=own)
        placed = {(row["applicant"], row["program"]) for row in read_table(path).rows()}
        settled = {name for name, _ in confirmed}
        before = {(name, p) for name, p in placed if p and name not in settled} | confirmed
        for name, program in sorted(before ^ set(result.kept)):
            check.wrong("not_earlier", applicant=name, program=program)

    def report(self, check: Check) -> None:
        """Recompute the rank profile and the group figures of ``report.json``."""
        given, place, report = self.given, self.result.place, self.result.report or {}
        profile: Counter[str] = Counter()
        groups: dict[str, dict[str, int]] = defaultdict(lambda: {"applicants": 0, "placed": 0})
        for a in given.people:
            p = place[a.index]
            profile["unplaced" if p < 0 else str(a.listed.get(p, 0))] += 1
            for group in a.groups:
                groups[group]["applicants"] += 1
                groups[group]["placed"] += p >= 0
        own: dict[str, Any] = {"placed": sum(p >= 0 for p in place)}
        own |= {"profile": profile, "groups": groups}
        checked = [key for key in own if key in report]
        for key in checked:
            stated = report[key]
            if key == "profile":
                stated = {k: v for k, v in as_kind(stated, dict, key).items() if v != 0}
            elif key == "groups":
                own[key] = {name: groups[name] for name in as_kind(stated, dict, key)}
            check.expect(stated == own[key], "report", figure=key, own=own[key])
        check.numbers["checked"] = checked
        check.trusted = "" if checked else "report_not_rechecked"


def only_best(pairs: Mapping[int, tuple[int, Key]], p: int) -> bool:
    """Whether a program is better than all others that are left on a list."""
    best = [q for q, _ in zip(pairs, range(2), strict=False)]
    return best[0] == p and (len(best) < 2 or pairs[best[1]][0] > pairs[p][0])


def within(rows: list[tuple[str, Key | None]], key: Key, groups: tuple[str, ...]) -> bool:
    """Whether a priority reaches one of the stages that are hers."""
    return any(
        last is not None and key <= last for group, last in rows if not group or group in groups
    )


# --- `optimal`: prices and potentials -------------------------------------------------------


def pack(parts: Sequence[int]) -> int:
    """Return one integer that adds and compares like the tuple, the first component first."""
    total = 0
    for part in parts:
        total = total * DIGIT + part
    return total


def plus(cost: int, potential: int) -> int:
    """Add a cost to a potential; infinite stays infinite."""
    return potential if potential == FAR else cost + potential


def as_potential(value: Any, size: int) -> int:
    """Return a packed potential; null is infinite."""
    if value is None:
        return FAR
    if len(as_kind(value, list, "potential")) != size:
        raise Malformed("potential", size=len(value))
    for part in value:
        if abs(as_kind(part, int, "potential")) > LIMIT:
            raise Malformed("potential", size=size)
    return pack(value)


@dataclass
class Best:
    """What somebody's place is worth at some prices, and the best of everything else."""

    held: int
    other: int = FAR
    programs: list[int] = field(default_factory=list)  # where the best is found, -1 for no place


class Market:
    """The flow network of ``optimal`` with the published placement as its flow.

    Costs are packed lexicographic numbers.  Seat prices are kept by program and stage.
    """

    def __init__(self, verifier: Verifier) -> None:
        self.verifier, self.given, self.result = verifier, verifier.given, verifier.result
        policy, last = self.given.policy, self.given.last_rank
        self.names = verifier.components()
        self.cost = {
            rank: pack(
                [
                    0 if name in NOT_BY_RANK else -policy.worth(name, rank, last)
                    for name in self.names
                ]
            )
            for rank in range(last + 1)
        }
        self.fit = self.unit("fit")
        self.reserve = self.unit("reserves")
        self.kept: dict[int, dict[int, int]] = defaultdict(dict)  # by applicant and program
        for (name, program), sure in self.result.kept.items():
            if name in self.given.people_by_id and program in self.given.by_id:  # else gone
                worth = self.unit("unmoved") + sure * self.unit("confirmed")
                self.kept[self.given.who(name).index][self.given.find(program).index] = worth
        self.seats: dict[int, dict[str, int]] = {}
        self.flow: dict[int, dict[str, list[Any]]] = {}
        self.stage: dict[int, str] = {}
        for p in verifier.tables:
            self.spread(self.given.programs[p])
        self.chains()

    def chains(self) -> None:
        """Put the caps, and the open classes that need people, over each other by inclusion."""
        given = self.given
        sets = [(cap.programs, 1, cap.id) for cap in given.caps]
        for c in given.classes.values():
            if c.need and c.id not in self.result.closed:
                sets.append((frozenset(c.programs), 0, c.id))
        self.laminar = all(
            a[0] <= b[0] or b[0] <= a[0] or not a[0] & b[0] for a in sets for b in sets
        )
        self.first: dict[int, Node] = {program.index: ("sink",) for program in given.programs}
        self.above: dict[Node, Node] = {}
        top: dict[int, Node] = {}
        for inside, word, name in sorted(sets, key=lambda one: (len(one[0]), *one[1:])):
            node = ("cap" if word else "class", name)
            self.above[node] = ("sink",)
            for p in inside:
                if p in top:
                    self.above[top[p]] = node
                else:
                    self.first[p] = node
                top[p] = node

    def unit(self, component: str) -> int:
        """Return one unit of a component, packed; 0 if the objective does not have it."""
        return pack([int(name == component) for name in self.names])

    def spread(self, program: Program) -> None:
        """Spread the people of a program over its seat types, as many in reserved seats as can be.

        Those that must be filled come first, then the hard ones; augmenting paths never empty a seat.
        """
        stages = program.stages
        must = {stage: n for stage, n in stages.items() if stage in program.must_stages}
        hard = {stage: n for stage, n in stages.items() if stage[0] == "h" or stage in must}
        holders: dict[str, list[Any]] = {stage: [] for stage in stages}
        left = list(self.result.held[program.index])
        for seats in (must, hard, stages):
            left = [i for i in left if not seat(i, self.kinds, seats, holders)]
        self.seats[program.index] = stages | {"open": program.capacity}
        self.flow[program.index] = holders | {"open": left}
        for stage, people in self.flow[program.index].items():
            self.stage |= dict.fromkeys(people, stage)

    def kinds(self, i: int) -> list[str]:
        """Return the reserved seat types of somebody, wherever they exist."""
        groups = self.given.people[i].groups
        return [f"hard:{group}" for group in groups] + [f"soft:{group}" for group in groups]

    def hers(self, p: int, groups: tuple[str, ...]) -> list[str]:
        """Return the seat types of a program that a person in some groups may take."""
        stages = self.seats[p]
        return [stage for stage in stages if stage == "open" or stage.partition(":")[2] in groups]

    def load(self, p: int) -> tuple[int, int]:
        """Return the people of a program outside its hard seats, and the seats they have."""
        hard = sum(len(people) for stage, people in self.flow[p].items() if stage[0] == "h")
        program = self.given.programs[p]
        return len(self.result.held[p]) - hard, program.capacity - sum(program.hard.values())

    def free(self, p: int, stage: str) -> bool:
        """Whether a seat of a type is free, or can be by moving people between the seats."""
        program, held = self.given.programs[p], len(self.result.held[p])
        if held >= program.capacity:
            return False

        def filled(seats: Counter[str]) -> int:
            return len(self.verifier.chooser.fill(dict(seats), self.verifier.items[p])[0])

        kind, _, group = stage.partition(":")
        one, hard, soft = Counter([group]), Counter(program.hard), Counter(program.soft)
        must = Counter({g: n for g, n in soft.items() if f"soft:{g}" in program.must_stages})
        if kind == "hard":
            return filled(hard - one + must) == filled(hard + must)
        if stage in program.must_stages:  # whoever takes it fills one of those that must be
            must -= one
        beside = filled(hard + must) - must.total()
        if held - beside >= program.capacity - hard.total():
            return False
        return kind == "open" or filled(hard + soft - one) == filled(hard + soft)

    def pair_cost(self, a: Applicant, p: int, rank: int, view: View) -> int:
        """Return the cost of a pair, lottery included."""
        first, second = self.given.weights(a, self.given.programs[p])
        kept = self.kept.get(a.index, NOTHING).get(p, 0)
        return self.cost[rank] - kept - view.fit * self.fit - first * DIGIT - second

    def scan(self, prices: Mapping[tuple[int, str], int]) -> list[Best]:
        """Compare everybody's place with everything that she could have at these prices.

        The lottery weights of a pair are computed only where the components before leave it
        open whether the pair is the best one.
        """
        most = (1 << 20) * DIGIT + (1 << 20)
        cheapest: dict[tuple[int, tuple[str, ...]], int] = {}
        found = []
        for a in self.given.people:
            place = self.result.place[a.index]
            best = Best(0) if place < 0 else Best(0, 0, [-1])
            kept = self.kept.get(a.index, NOTHING)
            for p, rank, view in self.given.everything(a):
                if p not in self.seats:
                    continue
                memo = (p, a.groups)
                if memo not in cheapest:
                    cheapest[memo] = min(prices[p, stage] for stage in self.hers(p, a.groups))
                price = cheapest[memo]
                if p == place:
                    best.held = plus(self.pair_cost(a, p, rank, view), price)
                elif price != FAR:
                    value = self.cost[rank] - kept.get(p, 0) - view.fit * self.fit + price
                    if value - most > best.other:
                        continue
                    value = self.pair_cost(a, p, rank, view) + price
                    if value < best.other:
                        best.other, best.programs = value, [p]
                    elif value == best.other:
                        best.programs.append(p)
            found.append(best)
        return found

    def prices(self) -> dict[tuple[int, str], int]:
        """Return the published seat prices, one for every seat type."""
        found = {}
        for (p, stage), row in self.result.thresholds.items():
            parts = [as_int(part, "price") for part in row.price.split(";")] if row.price else None
            found[p, stage] = as_potential(parts, len(self.names))
        wanted = {(p, stage) for p, seats in self.seats.items() for stage in seats}
        for p, stage in wanted ^ set(found):
            raise Malformed("threshold", program=self.given.programs[p].id, stage=stage)
        return found

    def cutoffs(self, check: Check, potentials: dict[Node, int] | None) -> None:
        """At the prices everybody has a best choice, and what has a price is in full use."""
        given, verifier = self.given, self.verifier
        prices = self.prices()
        for (p, stage), price in prices.items():
            row, free = self.result.thresholds[p, stage], self.free(p, stage)
            where = {"program": given.programs[p].id, "stage": stage}
            state = ("not_full" if free else "full", "", None)
            check.expect((row.state, row.cap, row.last) == state, "threshold", **where)
            if not self.laminar:
                check.expect(not row.price, "price", **where)
                continue
            used = not free or any(verifier.full[c] for c in given.programs[p].caps)
            check.expect(price <= 0 or used, "price_of_free_seat", **where)
            if potentials is not None:
                node = ("seat", given.programs[p].id, stage)
                check.expect(potentials[node] == price, "price", **where)
        check.numbers["thresholds"] = len(prices)
        if not self.laminar:
            check.trusted = "caps_cross"
            return
        equal = []
        for a, best in zip(given.people, self.scan(prices), strict=True):
            names = [given.programs[p].id if p >= 0 else "" for p in best.programs]
            if best.other < best.held:
                check.wrong("not_best", applicant=a.id, better=names)
            elif best.other == best.held:
                equal.append([a.id, *names])
        check.numbers["equal"] = equal

    # --- optimality

    def optimality(self, check: Check) -> dict[Node, int] | None:
        """Prove the objective by the potentials; return them if they do."""
        result, certificate = self.result, self.result.certificate
        self.verifier.values(check)
        if result.status == "FEASIBLE":
            check.trusted = "bound_of_the_solver"
            return None
        check.expect(certificate.get("components") == self.names, "components", own=self.names)
        potentials, unique = None, True
        if self.laminar:
            potentials = self.potentials()
            edges = self.edges(check, potentials)
            if edges is not None and not check.violations:
                for node in set(potentials) - leading(edges, ("sink",)):
                    check.expect(potentials[node] == FAR, "not_shortest", node="|".join(node))
                unique = self.is_unique(edges)
        if any(c.need for c in self.given.classes.values()) or not self.laminar:
            tree = certificate.get("tree")
            if tree is None:
                check.trusted = "openings" if self.laminar else "pairs"
            elif not check.violations:
                proof = Proof(self, check)
                proof.walk(as_kind(tree, dict, "tree"))
                check.numbers["leaves"] = proof.leaves
                unique = unique and not proof.equal
        if not check.trusted and not check.violations:
            stated = (certificate.get("unique"), result.info["unique"])
            check.expect(stated == (unique, unique), "unique", own=unique)
        return None if check.violations else potentials

    def potentials(self) -> dict[Node, int]:
        """Return the published potentials."""
        tables = as_kind(self.result.certificate.get("potentials"), dict, "potentials")
        found: dict[Node, int] = {("sink",): 0}
        for name, kind in KINDS.items():
            table = tables.get(name, {} if name == "classes" else None)
            for key, value in as_kind(table, dict, name).items():
                found[kind, *key.rsplit("|", 1)] = as_potential(value, len(self.names))
        return found

    def edges(self, check: Check, pi: dict[Node, int]) -> dict[Node, list[Node]] | None:
        """Check every arc; return the residual arcs of reduced cost zero by their tails."""
        nodes = self.nodes()
        for node in nodes - set(pi):
            check.wrong("potential_missing", node="|".join(node))
        for node in set(pi) - nodes:
            check.wrong("potential_unknown", node="|".join(node))
        if nodes != set(pi):
            return None
        tight: dict[Node, list[Node]] = defaultdict(list)

        def arc(u: Node, v: Node, cost: int, flow: int, capacity: int, least: int = 0) -> None:
            through = plus(cost, pi[v])
            fine = (flow >= capacity or through >= pi[u]) and (flow <= least or through <= pi[u])
            check.expect(fine, "potential", **{"from": "|".join(u), "to": "|".join(v)})
            if through == pi[u] != FAR:
                if flow < capacity:
                    tight[u].append(v)
                if flow > least:
                    tight[v].append(u)

        self.plan_arcs(arc)
        names = {p: self.given.programs[p].id for p in self.seats}
        prices = {(p, s): pi["seat", names[p], s] for p in names for s in self.seats[p]}
        for a, best in zip(self.given.people, self.scan(prices), strict=True):
            self.person_arcs(a, best, prices, arc)
        return tight

    def nodes(self) -> set[Node]:
        """Return all nodes of the network."""
        found: set[Node] = {("sink",)} | {("person", a.id) for a in self.given.people}
        found |= set(self.above)
        for p, seats in self.seats.items():
            name = self.given.programs[p].id
            found |= {("nonhard", name), ("program", name)}
            found |= {("seat", name, stage) for stage in seats}
        return found

    def plan_arcs(self, arc: Arc) -> None:
        """Walk the arcs from the seats to the sink."""
        given, result = self.given, self.result
        for p, seats in self.seats.items():
            program, (load, room) = given.programs[p], self.load(p)
            middle, whole = ("nonhard", program.id), ("program", program.id)
            for stage, n in seats.items():
                to = whole if stage.startswith("hard:") else middle
                cost, least = (
                    0 if stage == "open" else -self.reserve,
                    n * (stage in program.must_stages),
                )
                arc(("seat", program.id, stage), to, cost, len(self.flow[p][stage]), n, least)
            arc(middle, whole, 0, load, room)
            arc(whole, self.first[p], 0, len(result.held[p]), program.capacity)
        counts = dict(zip((cap.id for cap in given.caps), self.verifier.counts, strict=True))
        seats_of = {cap.id: cap.seats for cap in given.caps}
        for node, outer in self.above.items():
            kind, name = node
            if kind == "cap":
                arc(node, outer, 0, counts[name], seats_of[name])
            else:
                c = given.classes[name]
                room = sum(given.programs[p].capacity for p in c.programs)
                arc(node, outer, 0, result.placed[name], max(room, c.need), c.need)

    def person_arcs(
        self,
        a: Applicant,
        best: Best,
        prices: Mapping[tuple[int, str], int],
        arc: Arc,
    ) -> None:
        """Walk the arcs of an applicant: her own, and of the others the best ones."""
        node, place, stage = ("person", a.id), self.result.place[a.index], ""
        if place < 0:
            arc(node, ("sink",), 0, 1, 1)
        for p in [*best.programs, place]:
            if p < 0:
                if place >= 0:
                    arc(node, ("sink",), 0, 0, 1)
                continue
            cost = (best.held if p == place else best.other) - min(
                prices[p, s] for s in self.hers(p, a.groups)
            )
            for stage in self.hers(p, a.groups):
                flow = int(p == place and stage == self.stage[a.index])
                arc(node, ("seat", self.given.programs[p].id, stage), cost, flow, 1)

    def is_unique(self, tight: Mapping[Node, list[Node]]) -> bool:
        """Whether no cycle of cost zero moves an applicant to another program or out of one."""
        component = components(tight)
        for a in self.given.people:
            node = ("person", a.id)
            place = self.result.place[a.index]
            here = self.given.programs[place].id if place >= 0 else ""
            for to in tight.get(node, []):
                there = to[1] if to[0] == "seat" else ""
                if there != here and component[to] == component[node]:
                    return False
        return True


KINDS = {
    "applicants": "person",
    "seats": "seat",
    "nonhard": "nonhard",
    "programs": "program",
    "classes": "class",
    "caps": "cap",
}
NOT_BY_RANK = (*KEPT, "reserves", "fit", "lottery_1", "lottery_2")
NOTHING: Mapping[int, int] = {}


class Prices(NamedTuple):
    """The prices of a step, by the indices of people, programs (and stages) and caps."""

    person: Mapping[int, int]
    seat: Mapping[tuple[int, str], int]
    nonhard: Mapping[int, int]
    program: Mapping[int, int]
    cap: Mapping[int, int]
    cut: Sequence[int] = ()  # of each cut that is known


Thing = tuple[str | int, ...]  # what has a price: the name of its kind, and which one it is


class Priced(NamedTuple):
    """What taking a thing costs, beyond what there must be of it where its class opens, or anyway."""

    cost: int
    home: str = ""  # the class that it is there with, blank for none
    most: int = 1
    least: int = 0

    @property
    def total(self) -> int:
        """The least that all there is of it costs."""
        return self.most * min(0, self.cost) + self.least * max(0, self.cost)


class Cut(NamedTuple):
    """``arc · x + opening · y + constant``, which is 0 or more in every plan as good as the best one.

    x are the seats that people take, by applicant, program and stage, y is 1 for each class that opens.

    Prices show what a plan costs exactly: their bound, and for everything that it does otherwise than
    they would have it, as much as that is priced at; of no thing is that less than 0 (``Proof.spare``).
    A plan in which a class is shut costs L0 + m0 · s(x, y) by the prices of one side, one in which it is
    open L1 + m1 · s(x, y) by those of the other; every plan is on one of the sides, so that it costs
    L0 + (L1 - L0) y + min(m0, m1) · s(x, y) at least (a disjunctive cut; Balas 1979,
    doi 10.1016/S0167-5060(08)70342-X).  Of things of the class itself m1 will do: on the side on which
    it is shut there are none.  With the cost told by the prices of the open side, where P of L1 is for
    the class, what is left is (L1 - P - L0) (1 - y) + (m1 - min(m0, m1)) · s(x, y), and this is 0 or more.
    """

    arc: Mapping[tuple[int, int, str], int]
    opening: Mapping[str, int]
    constant: int


class State(NamedTuple):
    """A node of the proof: what is settled of classes and pairs, how much is proven, and cuts."""

    open: frozenset[str]
    shut: frozenset[str]
    out: frozenset[tuple[int, int]]
    held: Mapping[int, int]
    proven: int
    cuts: tuple[Cut, ...] = ()


class Terms(NamedTuple):
    """What prices make of a state, part by part."""

    prices: Prices
    seats: dict[Thing, Priced]
    hers: list[dict[str, int]]  # everybody's least reduced cost in each class
    part: Counter[str]  # what a class costs where it opens, and blank what there is anyway
    margin: dict[str, int]  # what the last person costs whom a class needs
    lost: set[str]  # classes that too few people can come to
    impossible: bool  # whether somebody has no place where she must be


class Bound(NamedTuple):
    """What prices prove in a node: the least cost, and what opening and closing a class add."""

    least: int
    impossible: bool
    opening: dict[str, int]
    closing: dict[str, int]


class Proof:
    """Checks the tree that proves which classes open, and, where sets cross, the pairs.

    Every number is recomputed: prices, whatever they are, bound a weighted sum of components over all
    plans of a node.  An arc's reduced cost is its cost, plus the price where it leads, less the price
    where it comes from; a plan costs at least the sum of all people's prices, of the seats times what
    they lack, and of what is negative; in a class that is open also as much of the rest as it needs
    people.  See ``mechanisms.md`` of the design, or any text on Lagrangian duality.
    """

    def __init__(self, market: Market, check: Check) -> None:
        self.market, self.check, self.leaves, self.equal = market, check, 0, False
        self.given, self.result = market.given, market.result
        given = self.given
        self.pairs = [
            [(p, rank, view.fit) for p, rank, view in given.everything(a)] for a in given.people
        ]
        self.need = {c.id: c.need for c in given.classes.values() if c.need}
        self.home = [program.home.id for program in given.programs]
        self.groups = [tuple(a.groups) for a in given.people]
        # The components, and whether somebody is elsewhere than in the published placement.
        self.size = len(market.names) + 1
        self.value = [*self.market.verifier.evaluate(market.names), 0]
        self.range = [self.reach(name) for name in market.names] + [len(given.people)]
        order = sorted(given.programs, key=lambda program: program.id)
        self.seat_names = sorted(
            (f"{program.id}|{stage}", program.index, stage)
            for program in order
            for stage in (*program.stages, "open")
        )
        self.order = [program.index for program in order]
        self.people = sorted(range(len(given.people)), key=lambda i: given.people[i].id)
        self.caps = sorted(range(len(given.caps)), key=lambda c: given.caps[c].id)
        places = [{self.home[p] for p in cap.programs} for cap in given.caps]
        self.inside = [homes.pop() if len(homes) == 1 else "" for homes in places]

    def reach(self, name: str) -> int:
        """Return how far two plans can be apart in a component."""
        n, given = len(self.given.people), self.given
        if name == "reserves":
            return sum(program.reserved for program in given.programs)
        if name == "fit":
            return n * max((abs(fit) for hers in self.pairs for _, _, fit in hers), default=0)
        if name.startswith("lottery"):
            return n << 20
        ranks = range(given.last_rank + 1)
        worth = [1 if name in KEPT else abs(self.worth(name, rank)) for rank in ranks]
        return n * max(worth)

    def worth(self, name: str, rank: int) -> int:
        """Return what a rank is worth in a component, 0 in those that do not go by rank."""
        given = self.given
        return 0 if name in NOT_BY_RANK else given.policy.worth(name, rank, given.last_rank)

    # --- the tree

    def walk(self, tree: dict[str, Any]) -> None:
        """Check the whole tree."""
        must = {c.id for c in self.given.classes.values() if c.row.get("must_open") == "1"}
        must |= {p.home.id for p in self.given.programs if p.must_stages} & set(self.need)
        root = State(frozenset(must), frozenset(), frozenset(), {}, 0)
        waiting = [(root, tree)]
        while waiting and not self.check.violations:
            state, node = waiting.pop()
            waiting += self.node(state, node)

    def node(self, state: State, node: dict[str, Any]) -> list[tuple[State, dict[str, Any]]]:
        """Check a node; return its sides."""
        entered = self.enter(state)
        leaf = node.get("leaf")
        if entered is None or leaf == "impossible":
            self.check.expect(entered is None, "tree", what=str(leaf))
            self.leaves += 1
            return []
        state = entered
        for step in as_kind(node.get("steps"), list, "steps"):
            if "order_class" in as_kind(step, dict, "step"):
                state = state._replace(cuts=(*state.cuts, self.cut(state, step)))
                continue
            state, ended = self.step(state, step)
            if ended:  # what follows was asked when a lesser plan was the best one known
                self.leaves += 1
                return []
        if leaf is None:
            return self.sides(state, node)
        self.leaves += 1
        fine = {
            "ended": lambda: state.proven >= self.size - 1,
            "best": lambda: self.is_best(state),
            "equal": lambda: state.proven >= self.size - 1,
            "settled": lambda: self.is_settled(state),
        }.get(str(leaf), lambda: False)()
        self.check.expect(fine, "tree", what=str(leaf))
        if leaf in ("ended", "equal") and state.proven < self.size:
            self.equal = True
        return []

    def sides(self, state: State, node: dict[str, Any]) -> list[tuple[State, dict[str, Any]]]:
        """Return both sides of a node that is split by a class or by a pair."""
        if "order_class" in node:
            name = str(node["order_class"])
            if name not in self.need or name in state.open | state.shut:
                raise Malformed("tree", what=name)
            one = state._replace(open=state.open | {name})
            two = state._replace(shut=state.shut | {name})
            return [(one, as_kind(node.get("open"), dict, "open")),
                    (two, as_kind(node.get("closed"), dict, "closed"))]  # fmt: skip
        i = self.given.who(str(node.get("applicant"))).index
        p = self.given.find(str(node.get("program"))).index
        one = state._replace(held={**state.held, i: p})
        two = state._replace(out=state.out | {(i, p)})
        return [(one, as_kind(node.get("in"), dict, "in")),
                (two, as_kind(node.get("out"), dict, "out"))]  # fmt: skip

    def enter(self, state: State) -> State | None:
        """Close the classes that too few people could take; None if one of them is open."""
        people = [0] * len(self.given.programs)
        for i in range(len(self.pairs)):
            for p, _, _ in self.present(state, i):
                people[p] += 1
        most: Counter[str] = Counter()
        for program in self.given.programs:
            most[program.home.id] += min(people[program.index], program.capacity)
        hopeless = {c for c, need in self.need.items() if most[c] < need} - state.shut
        if hopeless & state.open:
            return None
        return state._replace(shut=state.shut | hopeless)

    def present(self, state: State, i: int) -> list[tuple[int, int, int]]:
        """Return the pairs of somebody that a node leaves."""
        home, shut = self.home, state.shut
        found = [pair for pair in self.pairs[i] if home[pair[0]] not in shut]
        if i in state.held or state.out:
            held = state.held.get(i, -1)
            found = [x for x in found if held in (-1, x[0]) and (i, x[0]) not in state.out]
        return found

    def is_best(self, state: State) -> bool:
        """Whether every class is settled as published, so that the potentials prove the node."""
        shut = {c for c in self.need if not self.result.placed[c]}
        return self.market.laminar and shut <= state.shut and set(self.need) - shut <= state.open

    def is_settled(self, state: State) -> bool:
        """Whether every pair is settled, and the only placement left is no better."""
        for i in range(len(self.pairs)):
            if i not in state.held and self.present(state, i):
                return False
        verifier, given = self.market.verifier, self.given
        place = [state.held.get(i, -1) for i in range(len(self.pairs))]
        if place == self.result.place:
            return True
        at: list[list[Item]] = [[] for _ in given.programs]
        for i, p in enumerate(place):
            if p >= 0:
                at[p].append((given.view(given.people[i], given.programs[p], True).key, i))
        fill = verifier.chooser.fill
        sizes: Counter[str] = Counter()
        filled = 0
        for program, people in zip(given.programs, at, strict=True):
            sizes[program.home.id] += len(people)
            room = program.capacity - program.kept.total() + len(fill(program.kept, people)[0])
            must = len(fill(program.must, people)[0]) == program.must.total()
            if len(people) > min(room, program.capacity) or not must:
                return True
            filled += verifier.chooser.reserved_filled(program, people)
        short = any(sizes[c] < n and (sizes[c] or c in state.open) for c, n in self.need.items())
        full = any(sum(len(at[p]) for p in cap.programs) > cap.seats for cap in given.caps)
        value = self.value_of(place, filled)
        self.equal |= not (short or full) and value == self.value[:-1]
        return short or full or value <= self.value[:-1]

    def value_of(self, place: list[int], filled: int) -> list[int]:
        """Return the components of a placement."""
        totals = [0] * (self.size - 1)
        for i, p in enumerate(place):
            for other, rank, fit in self.pairs[i] if p >= 0 else ():
                if other == p:
                    hers = self.components(i, p, rank, fit)
                    totals = [a + b for a, b in zip(totals, hers, strict=True)]
        return [
            filled if name == "reserves" else total
            for name, total in zip(self.market.names, totals, strict=True)
        ]

    def components(self, i: int, p: int, rank: int, fit: int) -> list[int]:
        """Return what a pair is worth in each component."""
        a, program = self.given.people[i], self.given.programs[p]
        lottery = self.given.weights(a, program)
        kept = self.market.result.kept.get((a.id, program.id))
        special = {"fit": fit, "lottery_1": lottery[0], "lottery_2": lottery[1]}
        special |= {"confirmed": int(bool(kept)), "unmoved": int(kept is not None)}
        return [special.get(n, self.worth(n, rank)) for n in self.market.names]

    # --- steps

    def step(self, state: State, step: dict[str, Any]) -> tuple[State, bool]:
        """Check a step; return what it settles, and whether nothing is left."""
        weights = self.weights(step)
        prices = self.prices(step, len(state.cuts))
        later = [0] * (len(weights) + 1)
        for k in reversed(range(len(weights))):
            later[k] = later[k + 1] + weights[k] * self.range[k]
        ordered = all(weights[k] >= later[k + 1] for k in range(state.proven, len(weights)))
        self.check.expect(ordered, "tree", what="weights")
        if not ordered:
            return state, False
        bound = self.bound(state, self.terms(state, weights, prices))
        slack = -bound.least - sum(w * v for w, v in zip(weights, self.value, strict=False))
        proves = as_kind(step.get("proves"), int, "proves")
        for k in range(state.proven, proves):
            fine = k < len(weights) and slack < weights[k] - later[k + 1]
            self.check.expect(fine, "tree", what="proves")
        names = [frozenset(as_kind(step.get(word), list, word)) for word in ("closed", "opened")]
        for settled, least in zip(names, (bound.opening, bound.closing), strict=True):
            for name in settled - state.open - state.shut:
                self.check.expect(least.get(name, -1) > slack, "tree", what=name)
        state = state._replace(
            shut=state.shut | (names[0] - state.open),
            open=state.open | (names[1] - state.shut),
            proven=max(state.proven, proves),
        )
        return state, bound.impossible or slack < 0

    def weights(self, step: dict[str, Any]) -> list[int]:
        """Return what the first components count in a step."""
        found = as_kind(step.get("weights"), list, "weights")
        if len(found) > self.size:
            raise Malformed("tree", what="weights")
        return [as_kind(weight, int, "weights") for weight in found]

    def prices(self, step: dict[str, Any], cuts: int) -> Prices:
        """Return the prices of a step, or of one side of a cut, by indices; so many cuts are known."""

        def listed(name: str, size: int) -> list[int]:
            values = as_kind(step.get(name), list, name)
            if len(values) != size:
                raise Malformed("tree", what=name)
            return [as_kind(value, int, name) for value in values]

        n, m = len(self.people), len(self.order)
        person = dict(zip(self.people, listed("applicants", n), strict=True))
        seats = listed("seats", len(self.seat_names))
        seat = {(p, stage): v for (_, p, stage), v in zip(self.seat_names, seats, strict=True)}
        nonhard = dict(zip(self.order, listed("nonhard", m), strict=True))
        program = dict(zip(self.order, listed("programs", m), strict=True))
        cap = dict(zip(self.caps, listed("caps", len(self.caps)), strict=True))
        cut = [as_kind(v, int, "cuts") for v in as_kind(step.get("cuts", []), list, "cuts")]
        if len(cut) > cuts or min(cut, default=0) < 0:
            raise Malformed("tree", what="cuts")
        return Prices(person, seat, nonhard, program, cap, cut + [0] * (cuts - len(cut)))

    def terms(self, state: State, weights: list[int], prices: Prices) -> Terms:
        """Return what prices make of a node, part by part."""
        seats = self.seats(weights, prices)
        part: Counter[str] = Counter(dict.fromkeys(self.given.classes, 0))
        for item in seats.values():
            part[item.home] += item.total
        for price, cut in zip(prices.cut, state.cuts, strict=True):
            for c, value in cut.opening.items():
                part[c] -= price * value
            part[""] -= price * cut.constant
        hers, base = self.reduced(state, weights, prices)
        part[""] += base
        others: dict[str, list[int]] = defaultdict(list)
        count: Counter[str] = Counter()
        impossible = False
        for i, costs in enumerate(hers):
            held = i in state.held
            impossible |= held and not costs
            for c, cost in costs.items():
                if held or cost <= 0:
                    part[c] += cost
                    count[c] += 1
                else:
                    others[c].append(cost)
        lost, margin = set(), {}
        for c, need in self.need.items():
            missing = need - count[c]
            if missing > 0 and c not in state.shut:
                more = sorted(others[c])[:missing]
                if len(more) < missing:
                    lost.add(c)
                    continue
                part[c] += sum(more)
                margin[c] = more[-1]
        return Terms(prices, seats, hers, part, margin, lost, impossible)

    def bound(self, state: State, terms: Terms) -> Bound:
        """Return what the parts of a node add up to."""
        part, lost, impossible = terms.part, terms.lost, terms.impossible
        least, opening, closing = 0, {}, {}
        for c in {*part, *self.need} - state.shut:
            if c in self.need and c not in state.open:
                if c in lost:
                    opening[c] = FAR
                    closing[c] = 0
                else:
                    least += min(0, part[c])
                    opening[c], closing[c] = max(0, part[c]), max(0, -part[c])
            else:
                impossible |= c in lost
                least += part[c]
        self.elsewhere(state, terms.hers, terms.margin, terms.prices, closing)
        return Bound(least, impossible, opening, closing)

    def seats(self, weights: list[int], prices: Prices) -> dict[Thing, Priced]:
        """Return what one more person costs in each kind of seat, in programs and caps, herself apart."""
        given = self.given
        worth = zip(weights, self.market.names, strict=False)
        per_reserve = sum(w for w, name in worth if name == "reserves")
        found: dict[Thing, Priced] = {}
        over: Counter[int] = Counter()
        for at, cap in enumerate(given.caps):
            levy = max(0, prices.cap[at])
            for p in cap.programs:
                over[p] += levy
            home = self.inside[at] if self.inside[at] in self.need else ""
            found["cap", at] = Priced(-levy, home, cap.seats)
        for program in given.programs:
            p, c = program.index, program.home.id
            below, above = prices.nonhard[p], prices.program[p]
            for stage, n in [*program.stages.items(), ("open", program.capacity)]:
                head = above if stage.startswith("hard:") else below
                cost = head - prices.seat[p, stage] - per_reserve * (stage != "open")
                must = n if stage in program.must_stages else 0
                found["seat", p, stage] = Priced(cost, c, n, must)
            room = program.capacity - sum(program.hard.values())
            found["nonhard", p] = Priced(above - below, c, room)
            found["program", p] = Priced(over[p] - above, c, program.capacity)
        return found

    def reduced(
        self, state: State, weights: list[int], prices: Prices
    ) -> tuple[list[dict[str, int]], int]:
        """Return everybody's least reduced cost in each class, and what people cost at least."""
        names = self.market.names
        by_rank = [
            -sum(w * self.worth(name, rank) for w, name in zip(weights, names, strict=False))
            for rank in range(self.given.last_rank + 1)
        ]
        weight = dict(zip(names, weights, strict=False))
        fit_weight, first, second = (weight.get(n, 0) for n in ("fit", "lottery_1", "lottery_2"))
        elsewhere = weights[len(names)] if len(weights) > len(names) else 0
        kept = [weight.get(name, 0) for name in KEPT]
        moves = any(kept)
        most = (first + second) << 20
        credit = self.credit(state, prices)
        cheapest: dict[tuple[int, tuple[str, ...]], int] = {}
        undrawn: list[list[tuple[int, int]]] = []
        willing: Counter[str] = Counter()
        base = 0
        for i, groups in enumerate(self.groups):
            pi, place = prices.person[i], self.result.place[i]
            mine: list[tuple[int, int]] = []
            a = self.given.people[i]
            for p, rank, fit in self.present(state, i):
                memo = (p, groups)
                if memo not in cheapest:
                    stages = self.hers(p, groups)
                    cheapest[memo] = min(prices.seat[p, stage] for stage in stages)
                cost = by_rank[rank] - fit * fit_weight + cheapest[memo] - pi
                if moves:
                    sure = self.result.kept.get((a.id, self.given.programs[p].id))
                    cost -= kept[0] * bool(sure) + kept[1] * (sure is not None)
                if elsewhere and p != place:
                    cost -= elsewhere
                mine.append((p, cost))
            if i in credit:
                mine = [(p, cost - credit[i].get(p, 0)) for p, cost in mine]
            willing.update({self.home[p] for p, cost in mine if cost <= 0})
            undrawn.append(mine)
            base += pi if i in state.held else min(0, pi)
        # Whom no lottery makes willing is drawn only where an open class may need her.
        short = {c for c, need in self.need.items() if c in state.open and willing[c] < need}
        found: list[dict[str, int]] = []
        for i, mine in enumerate(undrawn):
            least: dict[str, int] = {}
            for p, cost in mine:
                c = self.home[p]
                if most and (cost <= 2 * most or c in short):
                    drawn = self.given.weights(self.given.people[i], self.given.programs[p])
                    cost -= first * drawn[0] + second * drawn[1]
                elif most:
                    cost -= most
                least[c] = min(cost, least.get(c, cost))
            found.append(least)
        return found, base

    def credit(self, state: State, prices: Prices) -> dict[int, dict[int, int]]:
        """Return by how much less people cost at programs as cuts speak of them, the best seat each."""
        worth: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
        for price, cut in zip(prices.cut, state.cuts, strict=True):
            for (i, p, stage), value in cut.arc.items() if price else ():
                worth[i, p][stage] += price * value
        found: dict[int, dict[int, int]] = defaultdict(dict)
        for (i, p), by_stage in worth.items():
            costs = [(prices.seat[p, s], by_stage[s]) for s in self.hers(p, self.groups[i])]
            found[i][p] = min(cost for cost, _ in costs) - min(cost - less for cost, less in costs)
        return found

    def hers(self, p: int, groups: tuple[str, ...]) -> list[str]:
        """Return the seat types of a program that a person in some groups may take."""
        stages = (*self.given.programs[p].stages, "open")
        return [s for s in stages if s == "open" or s.partition(":")[2] in groups]

    def elsewhere(
        self,
        state: State,
        hers: list[dict[str, int]],
        margin: Mapping[str, int],
        prices: Prices,
        closing: dict[str, int],
    ) -> None:
        """Add to closing a class what its people lose by it at least.

        A person's price may rise to the least that anything else costs her, less the margin by which a
        class takes people beyond its minimum.
        """
        for i, costs in enumerate(hers):
            if i in state.held or not costs:
                continue
            values = sorted((cost - margin.get(c, 0), c) for c, cost in costs.items())
            least, best = values[0]
            second = values[1][0] if len(values) > 1 else FAR
            for _, c in values if least > 0 else values[:1]:
                rise = min(second if c == best else least, -prices.person[i])
                if c in closing and rise > 0:
                    closing[c] += rise

    # --- cuts

    def cut(self, state: State, made: dict[str, Any]) -> Cut:
        """Return the cut that prices of both sides of a class make in a node."""
        name = str(made["order_class"])
        if name not in self.need or name in state.open | state.shut or state.held or state.out:
            raise Malformed("tree", what=name)
        weights = self.weights(made)
        drawn = [n.startswith("lottery") for n in self.market.names] + [True]
        if any(weight for weight, last in zip(weights, drawn, strict=False) if last):
            raise Malformed("tree", what="weights")
        found: list[tuple[int, Terms, dict[Thing, Priced]]] = []
        for word, side in (
            ("closed", state._replace(shut=state.shut | {name})),
            ("open", state._replace(open=state.open | {name})),
        ):
            prices = self.prices(as_kind(made.get(word), dict, word), len(state.cuts))
            terms = self.terms(side, weights, prices)
            bound = self.bound(side, terms)
            if bound.impossible:
                raise Malformed("tree", what=name)
            found.append((bound.least, terms, self.spare(side, terms)))
        (lower, closed, few), (upper, opened, many) = found
        rest: dict[Thing, Priced] = {}
        for thing, item in many.items():
            other = few[thing].cost if thing in few else 0
            common = max(0, min(item.cost, other)) + min(0, max(item.cost, other))
            if item.home != name and item.cost != common:
                rest[thing] = item._replace(cost=item.cost - common)
        opening: Counter[str] = Counter()
        for thing, item in rest.items():
            opening[item.home] -= item.total
            if thing[0] == "class":
                opening[str(thing[1])] += item.cost
        for old, new, cut in zip(closed.prices.cut, opened.prices.cut, state.cuts, strict=True):
            for c, value in [*cut.opening.items(), ("", cut.constant)]:
                opening[c] += max(0, new - old) * value
        step = upper - opened.part[name] - lower
        opening[name] -= step
        free = set(self.need) - state.open - state.shut
        constant = step + sum(v for c, v in opening.items() if c not in free | state.shut)
        opens = {c: value for c, value in opening.items() if c in free and value}
        return Cut(self.arcs(state, name, rest, closed, opened), opens, constant)

    def spare(self, state: State, terms: Terms) -> dict[Thing, Priced]:
        """Return everything that a plan may do otherwise than prices would have it.

        Besides what takes seats: people who are placed, or not; those beyond the minimum of a class;
        a person who does not come to a class though it is open; a class that opens, or does not.
        """
        found = dict(terms.seats)
        for i, price in terms.prices.person.items():
            found["person", i] = Priced(price)
        for c, margin in terms.margin.items():
            found["beyond", c] = Priced(margin, c, 0, self.need[c])
        for i, costs in enumerate(terms.hers):
            for c, cost in costs.items():
                if (link := terms.margin.get(c, 0) - cost) > 0:
                    found["link", i, c] = Priced(-link, c)
        for c in set(self.need) - state.open - state.shut - terms.lost:
            found["class", c] = Priced(terms.part[c])
        return found

    def arcs(
        self, state: State, name: str, rest: Mapping[Thing, Priced], closed: Terms, opened: Terms
    ) -> dict[tuple[int, int, str], int]:
        """Return what is left of each arc in a cut of a class.

        That of most is 0: where no price of a person, a seat or a class is other than on the other side.
        """
        old, new = closed.prices, opened.prices

        def left(*thing: str | int) -> int:
            return rest[thing].cost if thing in rest else 0

        seats: dict[tuple[int, str], int] = {}
        over: Counter[int] = Counter()
        for at, cap in enumerate(self.given.caps):
            over.update(dict.fromkeys(cap.programs, left("cap", at)))
        dear = set()
        for _, p, stage in self.seat_names:
            c = self.home[p]
            cost = left("seat", p, stage) + left("program", p) + over[p] + left("beyond", c)
            seats[p, stage] = cost + (0 if stage.startswith("hard:") else left("nonhard", p))
            same = opened.margin.get(c, 0) == closed.margin.get(c, 0)
            if seats[p, stage] or new.seat[p, stage] != old.seat[p, stage] or not same:
                dear.add(p)
        credit: Counter[tuple[int, int, str]] = Counter()
        extra: Counter[tuple[int, int, str]] = Counter()
        for before, after, cut in zip(old.cut, new.cut, state.cuts, strict=True):
            for arc, value in cut.arc.items() if before != after else ():
                credit[arc] += (after - before) * value
                extra[arc] += max(0, after - before) * value
        touched = {(i, p) for i, p, _ in credit}
        found = {}
        for i, groups in enumerate(self.groups):
            rise, moved = new.person[i] - old.person[i], left("person", i)
            for p, _, _ in self.present(state, i):
                if not (rise or p in dear or (i, p) in touched):
                    continue
                c = self.home[p]
                link = left("link", i, c)
                sides = (closed, opened) if c != name else ()
                least = [min(side.margin.get(c, 0), side.hers[i][c]) for side in sides]
                for stage in self.hers(p, groups):
                    arc = i, p, stage
                    value = moved + seats[p, stage] + link + extra[arc]
                    if sides:
                        more = new.seat[p, stage] - old.seat[p, stage] - rise - credit[arc]
                        value += max(0, more - least[1] + least[0])
                    if value:
                        found[arc] = value
        return found


def reverse(edges: Mapping[Node, list[Node]]) -> dict[Node, list[Node]]:
    """Return the arcs turned around."""
    back: dict[Node, list[Node]] = defaultdict(list)
    for u, ends in edges.items():
        for v in ends:
            back[v].append(u)
    return back


def leading(edges: Mapping[Node, list[Node]], to: Node) -> set[Node]:
    """Return the nodes from which a path leads to a node."""
    back, found, stack = reverse(edges), {to}, [to]
    while stack:
        fresh = set(back[stack.pop()]) - found
        found |= fresh
        stack += fresh
    return found


def components(edges: Mapping[Node, list[Node]]) -> dict[Node, Node]:
    """Return the strongly connected component of each node, named by one of its nodes."""
    back = reverse(edges)
    finished: list[Node] = []
    seen: set[Node] = set()
    for root in {*edges, *back}:
        if root in seen:
            continue
        path = [(root, iter(edges.get(root, [])))]
        seen.add(root)
        while path:
            node, heads = path[-1]
            for v in heads:
                if v not in seen:
                    seen.add(v)
                    path.append((v, iter(edges.get(v, []))))
                    break
            else:
                finished.append(node)
                path.pop()
    found: dict[Node, Node] = {}
    for root in reversed(finished):
        stack = [root] if root not in found else []
        while stack:
            node = stack.pop()
            if node not in found:
                found[node] = root
                stack += back[node]
    return found


# --- the verdict ----------------------------------------------------------------------------


def verify(
    folder: str | Path, result: str | Path | None = None, earlier: str | Path | None = None
) -> Verdict:
    """Judge a result.

    Parameters
    ----------
    folder
        The round folder.
    result
        The result folder; by default ``result`` in the round folder.
    earlier
        The folder of the earlier result that this one keeps, where that is to be checked too.

    Returns
    -------
    Verdict
        The claims that apply, in order.

    Raises
    ------
    Unreadable
        If a file is missing or is not of its kind.
    """
    folder = Path(folder)
    inputs = Check("inputs")
    try:
        given = Round(folder)
        found = Result(given, Path(result) if result else folder / "result")
        verifier = Verifier(given, found)
        verifier.inputs(inputs)
    except Malformed as error:
        inputs.violations.append(error.violation)
        return Verdict((inputs.claim(), *(skipped(name, "inputs") for name in list(CLAIMS)[1:-3])))
    claims = {"inputs": inputs.claim()}

    def judge(judges: Mapping[str, Callable[[Check], object]], premises: Sequence[str]) -> None:
        for name, test in judges.items():
            failed = next((p for p in premises if p in claims and claims[p].status == BROKEN), "")
            claims[name] = skipped(name, failed) if failed else judged(name, test)

    judge({name: getattr(verifier, name) for name in FEASIBLE}, ())
    envy, waste = Check("no_justified_envy"), Check("no_waste")
    if not any(claims[name].status == BROKEN for name in FEASIBLE):
        verifier.fairness(envy, waste)
    judge({"no_justified_envy": lambda _: envy, "no_waste": lambda _: waste}, FEASIBLE)
    if verifier.optimal:
        market = Market(verifier)
        proof: list[dict[Node, int] | None] = [None]
        judge({"optimality": lambda c: proof.append(market.optimality(c))}, FEASIBLE)
        judge({"cutoffs": lambda c: market.cutoffs(c, proof[-1])}, FEASIBLE)
    elif verifier.largest:
        judges = (verifier.level_cutoffs, verifier.closings, verifier.size)
        judge(dict(zip(("cutoffs", "outcome", "optimality"), judges, strict=True)), FAIR)
    else:
        judge({"cutoffs": verifier.cutoffs, "outcome": verifier.outcome}, FAIR)
    before = Path(earlier) if earlier else None
    if found.resolve is not None or before or any(a.confirmed for a in given.people):
        judge({"kept": lambda c: verifier.kept(c, before)}, ("assignment",))
    if found.report is not None:
        judge({"report": verifier.report}, ("assignment",))
    return Verdict(tuple(claims[name] for name in CLAIMS if name in claims))


def judged(name: str, test: Callable[[Check], object]) -> Claim:
    """Return a claim after its test."""
    check = Check(name)
    try:
        found = test(check)
    except Malformed as error:
        check.violations.append(error.violation)
        return check.claim()
    return (found if isinstance(found, Check) else check).claim()


def skipped(name: str, premise: str) -> Claim:
    """Return a claim that cannot be judged because another is broken."""
    return Claim(name, TRUSTED, {}, f"after:{premise}")


def line(claim: Claim) -> str:
    """Write a claim in one line, Chinese first."""
    pairs = claim.numbers.get("pairs")
    if isinstance(pairs, list) and not claim.violations:
        (zh, en), n = LISTED[claim.name], len(pairs)
        return f"{STATUS_ZH[PROVED]} {zh}，共 {n:,} 对 | {PROVED} {en}, {n:,} pairs"
    if claim.trusted.startswith("after:"):
        return f"未检验 {CLAIMS[claim.name]} | NOT JUDGED {claim.name} {claim.trusted}"
    if claim.violations:
        detail = json.dumps(claim.violations[0], ensure_ascii=False)
        detail = f" ×{claim.numbers['violations']} {detail}"
    else:
        detail = f" {claim.trusted}" if claim.trusted else ""
    return f"{STATUS_ZH[claim.status]} {CLAIMS[claim.name]} | {claim.status} {claim.name}{detail}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, 1 if a claim is broken, 2 if a file cannot be read."""
    parser = argparse.ArgumentParser(description="独立核验录取结果 / verify the result of a round")
    parser.add_argument("folder", help="轮次文件夹 / round folder")
    parser.add_argument("--result", metavar="OUT", help="结果文件夹 / result folder")
    parser.add_argument(
        "--earlier", metavar="OUT", help="要保留的原结果 / the result that was kept"
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    options = parser.parse_args(arguments)
    try:
        verdict = verify(options.folder, options.result, options.earlier)
    except Unreadable as error:
        print(f"无法读取 / cannot read: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(verdict.to_json(), end="")
    else:
        print("\n".join(line(claim) for claim in verdict.claims))
    return int(verdict.broken)


if __name__ == "__main__":  # pragma: no cover
    sys.exit(main())
