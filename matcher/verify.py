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
    both may happen: the complete list of such pairs is in ``numbers["pairs"]``.
cutoffs
    Each published threshold is right, and the thresholds alone lead everybody to her placement.
    For ``optimal``: at the published prices everybody holds a best choice, and every seat type
    with a price above zero is full, or a cap over it.
outcome
    For ``stable`` and ``parallel``: the same placement comes out of another algorithm (proposals
    one by one, the last applicant first), and so does each closing of a class.
optimality
    For ``optimal``: the potentials of ``certificate.json`` prove every component of the objective
    in its order, the values are recomputed, and the optimum is unique exactly when it says so.
report
    Where there is a ``report.json``: its rank profile and group figures are recomputed.

A claim that makes sense only if an earlier one holds is not judged when that one is broken; it
then reads ``TRUSTED`` with the code ``after:NAME``.
"""

from __future__ import annotations

import argparse
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
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

PROVED, TRUSTED, BROKEN = "PROVED", "TRUSTED", "BROKEN"
CLAIMS = {
    "inputs": "输入与摘要",
    "assignment": "录取与资格",
    "capacity": "席位容量",
    "caps": "总量上限",
    "reserves": "预留席位",
    "min_size": "最低开班",
    "no_justified_envy": "无合理异议",
    "no_waste": "无空置浪费",
    "cutoffs": "录取线",
    "outcome": "结果重算",
    "optimality": "最优性",
    "report": "统计报表",
}
STATUS_ZH = {PROVED: "已证明", TRUSTED: "需信任", BROKEN: "不成立"}
FEASIBLE = ("assignment", "capacity", "caps", "reserves", "min_size")
FAIR = (*FEASIBLE, "no_justified_envy", "no_waste")
SHOWN = 200  # violations kept per claim; numbers["violations"] has their full count

COLUMNS = {
    "applicants": "applicant person identity_type identity_number sex birth_date groups adjustment"
    " not_accepted education skill_level study_forms district health review",
    "order_classes": "order_class min_size college industry district study_form level major"
    " plan_order entry_education entry_skill age_min age_max age_basis health health_basis"
    " internship_date hire_date college_member_until interview_required",
    "programs": "program capacity order_class enterprise channel plan_order forbid_minor"
    " forbid_minor_reason enterprise_member_until",
    "applications": "applicant rank program",
    "scores": "applicant program channel score culture skill interview experience language fit",
    "decisions": "applicant program decision rule basis",
    "reserves": "program group seats hard",
    "caps": "cap seats college enterprise programs",
    "placements": "applicant program rank seat reason",
    "thresholds": "program stage state cap listed score lottery price",
    "classes": "order_class opened placed min_size",
    "barred": "applicant program rule value limit",
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
}
RESULT_FILES = (
    "placements.csv",
    "thresholds.csv",
    "classes.csv",
    "barred.csv",
    "certificate.json",
)
COMPONENTS = ("culture", "skill", "interview", "experience", "language")
RULES = (
    "review rejected membership age approval class_age education skill_level study_form health"
    " minor work_age channel absent interview total"
).split()
WAIVABLE = frozenset({"age", "approval", "education", "skill_level"})
READS = {rule: "birth_date" for rule in ("age", "approval", "class_age", "minor")} | {
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
SCALE = 10**15  # scores and weights are kept as integers of 15 decimal places
BLANK = 10**40  # a blank score in a priority: after every number
DIGIT = 1 << 64  # one place of a packed lexicographic number
FAR = 1 << (64 * 200)  # an infinite potential
LIMIT = 1 << 60  # no honest component is as large

Key = tuple[int, ...]  # a priority at a program, the smallest first
Item = tuple[Key, int]  # a priority and the applicant that it belongs to
Hit = tuple[str, str, str]  # an admission rule that fails, the value and the limit
Node = tuple[str, ...]  # a node of the flow network of `optimal`


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
    return as_kind(found, dict, path.name)


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
    for column in columns:
        extra = re.fullmatch("x_.*", column) or re.fullmatch("tie[1-9][0-9]*", column)
        if columns.count(column) > 1 or not (column in known or extra):
            raise Malformed("column", file=path.name, column=column)
    for column in set(needed) - set(columns):
        raise Malformed("column_missing", file=path.name, column=column)
    table = Table(name, columns, records)
    key = KEYS[name].split()
    seen: set[tuple[str, ...]] = set()
    for number, record in enumerate(records, 2):
        if len(record) != len(columns):
            raise Malformed("cells", file=path.name, row=number)
    for number, row in enumerate(table.rows(), 2):
        if any(not row[column] for column in NEEDED.get(name, key[0]).split()):
            raise Malformed("blank", file=path.name, row=number)
        identity = tuple(row[column] for column in key)
        if identity in seen:
            raise Malformed("twice", file=path.name, row=number)
        seen.add(identity)
    return table


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


def as_decimal(text: str, what: str) -> int:
    """Read an exact decimal of at most 15 digits as an integer of 15 places."""
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) or sum(map(str.isdigit, text)) > 15:
        raise Malformed("number", what=what, value=text[:40])
    return int(Decimal(text).scaleb(15))


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

    @property
    def weight(self) -> tuple[int, bool, bool, bool]:
        """How specific the rule is."""
        named = (self.group != "*", self.study_form != "*", self.level != "*")
        return sum(named), *named


class Policy:
    """``policy.toml`` with its defaults and types."""

    def __init__(self, text: str, path: Path) -> None:
        try:
            self.document = tomllib.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise Unreadable(path, error) from None
        self.round = as_id(self.option("policy.round", str, ""), "policy.round")
        self.mechanism = self.option("mechanism.name", str, "stable")
        self.objective = self.option("mechanism.objective", list, None) or [
            *("placed", "reserves", "rank", "fit")
        ]
        for name in self.objective:
            as_choice(as_kind(name, str, "objective"), ("placed", "reserves", "rank", "fit"), "objective")
        self.rank = self.option("mechanism.rank", str, "min_cost")
        as_choice(self.rank, ("min_cost", "rank_maximal", "generous"), "mechanism.rank")
        self.rank_costs = self.option("mechanism.rank_costs", list, [])
        for cost in self.rank_costs:
            as_kind(cost, int, "mechanism.rank_costs")
        self.closure = self.option("mechanism.closure", str, "exact")
        as_choice(self.closure, ("exact", "sequential"), "mechanism.closure")
        order = self.option("mechanism.reserve_order", str, "reserves_first")
        self.open_first = as_choice(order, ("reserves_first", "open_first"), "reserve_order") == "open_first"
        self.seed = self.option("lottery.seed", str, "")
        self.most = self.option("preferences.max", int, 0)
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
        return as_decimal(format(Decimal(value), "f"), name)

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
            return -(self.rank_costs[rank - 1] if rank <= len(self.rank_costs) else rank - 1)
        sign = 1 if self.rank == "rank_maximal" else -1
        return sign * (component == f"rank_{rank}")


# --- the round ------------------------------------------------------------------------------


@dataclass
class OrderClass:
    """A class; ``programs`` are indices, ``place`` is its place in plan order."""

    id: str
    min_size: int
    college: str
    industry: str
    district: str
    row: dict[str, str]
    dates: dict[str, date | None]
    programs: list[int] = field(default_factory=list)
    place: int = 0


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
    groups: frozenset[str] = frozenset()
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
    rejected: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class View:
    """What a program sees of an applicant: priority, score, fit and the rules of scores."""

    key: Key
    fit: int
    interview: str
    hits: tuple[Hit, ...]
    shown: tuple[int | None, ...]


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
                drawn = ",".join(sorted(f"{number:0>2}" for number in numbers))
                good = len(set(numbers)) == len(numbers) == 20 and len(drawn) == 59
                good = good and drawn[:2] >= "01" and drawn[-2:] <= "80"
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
        for row in self.rows("reserves"):
            program = self.find(row["program"])
            hard = as_choice(row["hard"], ("", "0", "1"), "hard") == "1"
            seats = as_int(row["seats"], "reserves.seats")
            if seats < 0:
                raise Malformed("number", what="reserves.seats")
            if seats:
                (program.hard if hard else program.soft)[as_id(row["group"], "group")] = seats
        for program in self.programs:
            program.groups = frozenset(program.hard) | frozenset(program.soft)
            if sum(program.stages.values()) > program.capacity:
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
        as_choice(row["interview_required"], ("", "0", "1"), "interview_required")
        columns = ("internship_date", "hire_date", "college_member_until")
        dates = {column: as_date(row[column], column) for column in columns}
        found = OrderClass(
            *(as_id(row["order_class"], "order_class"), as_int(row["min_size"], "min_size")),
            *(row["college"], row["industry"], row["district"], row, dates),
        )
        found.place = place
        return found

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
                or (row["college"] and program.home.college == row["college"])
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
            kind = as_choice(row["decision"], ("rejected", "approved", "confirmed"), "decision")
            if kind == "rejected":
                a.rejected.setdefault(p, row["basis"])
            elif kind == "approved":
                rule = as_choice(row["rule"], {"", *WAIVABLE}, "rule")
                waived = {rule} if rule else {"age", "approval"}
                waived -= set() if self.policy.case_by_case else {"age"}
                a.approved[p] = a.approved.get(p, frozenset()) | waived

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
            if rank < 1:
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
        relaxed, approvals, limits = False, [], []
        for group in a.groups or ("*",):
            fields = ({"*", group}, {"*", form}, {"*", level})
            rule = next(
                (
                    rule
                    for rule in self.policy.age_rules
                    if rule.group in fields[0] and rule.study_form in fields[1] and rule.level in fields[2]
                ),
                AgeRule("*", "*", "*", None, None, None, None),
            )
            above = rule.high is not None and age > rule.high
            if rule.low is not None and age < rule.low:
                limits.append(rule.low)
            elif above and (rule.relaxed is None or age > rule.relaxed):
                limits.append(rule.high if rule.relaxed is None else rule.relaxed)
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
        nearest = min((limit for limit in limits if limit is not None), key=lambda x: (abs(x - age), x))
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
        if line is not None and interview not in ("", "absent", "exempt"):
            if as_decimal(interview, "interview") < line:
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
        if program.index in a.rejected:
            hits.append(("rejected", a.rejected[program.index], ""))
        if program.expired:
            hits.append(("membership", program.expired, str(self.policy.membership)))
        view = self.view(a, program, listed)
        hits += view.hits
        if not listed and program.home.row["interview_required"] == "1" and not view.interview:
            hits.append(("interview", "", ""))
        return hits

    def bars(self, a: Applicant, program: Program, listed: bool = True) -> list[Hit]:
        """Return every rule that bars a pair."""
        waived = a.approved.get(program.index, frozenset())
        return [hit for hit in self.failing(a, program, listed) if hit[0] not in waived]

    def reason(self, a: Applicant, program: Program, listed: bool) -> str:
        """Return why a pair that is admitted is admitted."""
        waived = a.approved.get(program.index, frozenset())
        if any(hit[0] in waived for hit in self.failing(a, program, listed)):
            return "approved"
        return "relaxed" if self.fit_age(a, program.home)[0] == "relaxed" else "ordinary"

    def mask(self, name: str, test: Callable[[Program], object]) -> int:
        """Return the programs that pass a test, as bits in plan order; kept by name."""
        if name not in self._masks:
            self._masks[name] = sum(1 << p.index for p in self.programs if test(p))
        return self._masks[name]

    def fact_mask(self, a: Applicant) -> int:
        """Return the programs that the rules which read no score and no decision admit.

        Everybody with the same facts has the same mask, and so has every class with the same
        demands: each rule is applied once per kind of person and kind of class.
        """
        papers = tuple(a.row[k] for k in ("education", "skill_level", "study_forms", "health"))
        facts: list[tuple[Hashable, Callable[[Applicant, Program], list[Hit]], tuple[str, ...]]] = [
            ((a.age, a.groups), self.by_age, ("study_form", "level", "age_min", "age_max")),
            (papers, self.by_papers, ("entry_education", "entry_skill", "study_form", "health")),
        ]
        if a.born and age_on(a.born, self.first_day) < self.grown:
            facts.append((a.born, self.by_birth, ("internship_date", "hire_date")))
        found = self.mask("member", lambda program: not program.expired)
        for fact, rules, demands in facts:
            if (memo := (rules.__name__, fact)) not in self._masks:
                kinds: dict[Hashable, int] = {}
                mask = 0
                for program in self.programs:
                    kind = (*(program.home.row[k] for k in demands), program.forbid_minor)
                    if kind not in kinds:
                        kinds[kind] = int(not rules(a, program))
                    mask |= kinds[kind] << program.index
                self._masks[memo] = mask
            found &= self._masks[memo]
        return found

    # --- lists

    def wishes(self, a: Applicant) -> list[Wish]:
        """Return her list without the pairs that the rules bar, in her order."""
        if a.index not in self._lists:
            mask, wishes = self.fact_mask(a), []
            for p, rank in a.listed.items():
                program, special = self.programs[p], p in a.approved or p in a.rejected
                if special or not mask >> p & 1 or a.row["review"] not in ("", "passed"):
                    admitted = not self.bars(a, program)
                else:
                    admitted = not self.view(a, program, True).hits
                if admitted and (a.index, p) not in self.believed:
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
        special = self.scored[a.index] | sum(1 << p for p in {*a.approved, *a.rejected})
        scope = ~listed
        if a.scope != "alliance":
            shared = {getattr(self.programs[p].home, a.scope) for p in a.listed} - {""}
            scope &= sum(
                self.mask(f"{a.scope} {name}", lambda q, n=name: getattr(q.home, a.scope) == n)
                for name in shared
            )
        for name in a.refused:
            scope &= ~self.mask(f"class {name}", lambda q, n=name: q.home.id == n)
        mask = 0
        for channel in {program.channel for program in self.programs}:
            through = self.mask(f"channel {channel}", lambda q, c=channel: q.channel == c)
            through &= ~special
            if through and not (view := self.view(a, self.programs[first(through)], False)).hits:
                if not view.interview:
                    through &= ~self.mask("asks", lambda q: q.home.row["interview_required"] == "1")
                mask |= through
        mask &= self.fact_mask(a)
        for p in bits(special & scope & self.mask("all", bool)):
            mask |= (not self.bars(a, self.programs[p], False)) << p
        mine = [{getattr(self.programs[p].home, k) for p in a.listed} - {""} for k in SCOPES]
        kin = {
            c.id: tuple(getattr(c, k) not in names for k, names in zip(SCOPES, mine, strict=True))
            for c in self.classes.values()
        }
        found = []
        for p in bits(mask & scope):
            program = self.programs[p]
            view = self.view(a, program, False)
            found.append(((kin[program.home.id], -view.fit, p), (p, 0, view)))
        return [wish for _, wish in sorted(found, key=lambda pair: pair[0])]

    def everything(self, a: Applicant) -> list[Wish]:
        """Return her list and her tail."""
        return self.wishes(a) + self.tail(a)

    def label_rank(self, a: Applicant, p: int) -> int | None:
        """Return the rank of a program for her, none where it is neither in list nor tail."""
        return next((rank for q, rank, _ in self.everything(a) if q == p), None)
