"""The tiny markets of the oracle: plain values, written as a round folder or as tables."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

SCOPES = ("college", "industry", "district")

# --- the market ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """An applicant: her entries are program or class ids, the first one of rank 1."""

    id: str
    entries: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    adjustment: str = ""
    not_accepted: tuple[str, ...] = ()


@dataclass(frozen=True)
class OrderClass:
    """An order class; blank attributes are shared with nobody."""

    id: str
    min_size: int = 0
    college: str = ""
    industry: str = ""
    district: str = ""
    plan_order: int | None = None
    must_open: bool = False


@dataclass(frozen=True)
class Program:
    """A program; without an order class it forms one of its own."""

    id: str
    capacity: int
    order_class: str = ""
    enterprise: str = ""
    channel: str = ""
    plan_order: int | None = None


@dataclass(frozen=True)
class Row:
    """One row of scores as written; blank means not given."""

    score: str = ""
    ties: tuple[str, ...] = ()
    fit: str = ""


@dataclass(frozen=True)
class Cap:
    """An upper limit on the programs of a college, of an enterprise, or named one by one."""

    id: str
    seats: int
    kind: str
    value: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """What the policy says about the mechanism."""

    mechanism: str = "stable"
    objective: tuple[str, ...] = ("placed", "reserves", "rank", "fit")
    rank: str = "min_cost"
    rank_costs: tuple[int, ...] = ()
    closure: str = "sequential"
    reserve_order: str = "reserves_first"
    max_entries: int = 0
    round: str = ""
    seed: str = "00"

    def tables(self) -> dict[str, dict[str, Any]]:
        """The policy as the tables of a TOML document."""
        mechanism: dict[str, Any] = {
            "name": self.mechanism,
            "objective": list(self.objective),
            "rank": self.rank,
            "closure": self.closure,
            "reserve_order": self.reserve_order,
        }
        if self.rank_costs:
            mechanism["rank_costs"] = list(self.rank_costs)
        policy = {
            "policy": {"title": "示例", "status": "示例", "round": self.round, "demo": True},
            "mechanism": mechanism,
            "lottery": {"seed": self.seed},
        }
        if self.max_entries:
            policy["preferences"] = {"max": self.max_entries}
        return policy

    def toml(self) -> str:
        """The policy as TOML text."""
        lines: list[str] = []
        for name, fields in self.tables().items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {_toml_value(value)}" for key, value in fields.items()]
        return "\n".join(lines) + "\n"


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    return "[" + ", ".join(_toml_value(item) for item in value) + "]"


@dataclass(frozen=True)
class Instance:
    """A tiny round. `scores` is keyed by (applicant, "program" or "channel", its id).

    `reserves` is keyed by (program, group, hard); `must_fill` names those that must be filled.
    """

    people: tuple[Person, ...]
    programs: tuple[Program, ...]
    classes: tuple[OrderClass, ...] = ()
    scores: Mapping[tuple[str, str, str], Row] = field(default_factory=dict)
    rejected: frozenset[tuple[str, str]] = frozenset()
    reserves: Mapping[tuple[str, str, bool], int] = field(default_factory=dict)
    caps: tuple[Cap, ...] = ()
    rules: Rules = field(default_factory=Rules)
    must_fill: frozenset[tuple[str, str, bool]] = frozenset()

    def all_classes(self) -> tuple[OrderClass, ...]:
        """The declared classes and the one that each program without a class forms."""
        own = (OrderClass(p.id, plan_order=p.plan_order) for p in self.programs)
        lonely = {p.id for p in self.programs if not p.order_class}
        return self.classes + tuple(c for c in own if c.id in lonely)

    def to_tables_dict(self) -> dict[str, dict[str, list[str]]]:
        """The round as {table: {column: cells}}; tables without a row are left out."""
        ties = max((len(row.ties) for row in self.scores.values()), default=0)
        records: dict[str, list[dict[str, str]]] = {
            "applicants": [
                {
                    "applicant": p.id,
                    "groups": ";".join(p.groups),
                    "adjustment": p.adjustment,
                    "not_accepted": ";".join(p.not_accepted),
                }
                for p in self.people
            ],
            "order_classes": [
                {
                    "order_class": c.id,
                    "min_size": str(c.min_size),
                    "college": c.college,
                    "industry": c.industry,
                    "district": c.district,
                    "plan_order": _optional(c.plan_order),
                    "must_open": "1" if c.must_open else "",
                }
                for c in self.classes
            ],
            "programs": [
                {
                    "program": p.id,
                    "capacity": str(p.capacity),
                    "order_class": p.order_class,
                    "enterprise": p.enterprise,
                    "channel": p.channel,
                    "plan_order": _optional(p.plan_order),
                }
                for p in self.programs
            ],
            "applications": [
                {"applicant": p.id, "rank": str(rank), "program": entry}
                for p in self.people
                for rank, entry in enumerate(p.entries, 1)
            ],
            "scores": [_score_record(key, row, ties) for key, row in self.scores.items()],
            "decisions": [
                {"applicant": i, "program": p, "decision": "rejected", "basis": "面试不合格"}
                for i, p in sorted(self.rejected)
            ],
            "reserves": [
                {
                    "program": p,
                    "group": g,
                    "seats": str(seats),
                    "hard": "1" if hard else "",
                    "must_fill": "1" if (p, g, hard) in self.must_fill else "",
                }
                for (p, g, hard), seats in self.reserves.items()
            ],
            "caps": [_cap_record(cap) for cap in self.caps],
        }
        return {
            name: {column: [row[column] for row in rows] for column in rows[0]}
            for name, rows in records.items()
            if rows
        } | ({} if records["applications"] else {"applications": _NO_APPLICATIONS})

    def to_folder(self, path: Path) -> Path:
        """Write the round folder and return it."""
        path.mkdir(parents=True, exist_ok=True)
        (path / "policy.toml").write_text(self.rules.toml(), encoding="utf-8")
        for name, columns in self.to_tables_dict().items():
            with (path / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(columns)
                writer.writerows(zip(*columns.values(), strict=True))
        return path


_NO_APPLICATIONS: dict[str, list[str]] = {"applicant": [], "rank": [], "program": []}


def _optional(value: int | None) -> str:
    return "" if value is None else str(value)


def _score_record(key: tuple[str, str, str], row: Row, ties: int) -> dict[str, str]:
    applicant, kind, target = key
    record = {"applicant": applicant, "program": "", "channel": "", "score": row.score}
    record[kind] = target
    for number in range(ties):
        record[f"tie{number + 1}"] = row.ties[number] if number < len(row.ties) else ""
    return record | {"fit": row.fit}


def _cap_record(cap: Cap) -> dict[str, str]:
    blank = {"college": "", "enterprise": "", "programs": ""}
    return {"cap": cap.id, "seats": str(cap.seats)} | blank | {cap.kind: ";".join(cap.value)}


# --- reading a folder ---------------------------------------------------------------------------


def read_instance(
    folder: Path,
    barred: Iterable[tuple[str, str]] = (),
    scores: Mapping[tuple[str, str], str] | None = None,
) -> Instance:
    """The round in a folder, for the oracle.

    The admission law and the composite are not the oracle's matter: `barred` names the pairs that
    the law removes, `scores` the final score of pairs whose score is composed.
    """
    read = {path.stem: _records(path) for path in sorted(folder.glob("*.csv"))}
    policy = tomllib.loads((folder / "policy.toml").read_text(encoding="utf-8"))
    given = {
        (row["applicant"], *_score_target(row)): _score_row(row) for row in read.get("scores", [])
    }
    for (applicant, program), score in (scores or {}).items():
        channel = {row["program"]: row.get("channel", "") for row in read["programs"]}[program]
        row = given.get((applicant, "program", program)) or given[applicant, "channel", channel]
        given[applicant, "program", program] = replace(row, score=score)
    return Instance(
        people=tuple(_person(row, read["applications"]) for row in read["applicants"]),
        programs=tuple(_program(row) for row in read["programs"]),
        classes=tuple(_order_class(row) for row in read.get("order_classes", [])),
        scores=given,
        rejected=frozenset(barred),
        reserves={_reserve(row): int(row["seats"]) for row in read.get("reserves", [])},
        must_fill=frozenset(
            _reserve(row) for row in read.get("reserves", []) if row.get("must_fill") == "1"
        ),
        caps=tuple(_cap(row) for row in read.get("caps", [])),
        rules=_rules(policy),
    )


def _records(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _split(cell: str | None) -> tuple[str, ...]:
    return tuple(part for part in (cell or "").split(";") if part)


def _int(cell: str | None) -> int | None:
    return int(cell) if cell else None


def _person(row: Mapping[str, str], applications: Sequence[Mapping[str, str]]) -> Person:
    mine = [a for a in applications if a["applicant"] == row["applicant"]]
    mine.sort(key=lambda a: int(a["rank"]))
    if [int(a["rank"]) for a in mine] != list(range(1, len(mine) + 1)):
        raise ValueError(f"the oracle wants the ranks of {row['applicant']} without gaps")
    return Person(
        row["applicant"],
        tuple(a["program"] for a in mine),
        _split(row.get("groups")),
        row.get("adjustment") or "",
        _split(row.get("not_accepted")),
    )


def _program(row: Mapping[str, str]) -> Program:
    blank = {name: row.get(name) or "" for name in ("order_class", "enterprise", "channel")}
    return Program(
        row["program"], int(row["capacity"]), plan_order=_int(row.get("plan_order")), **blank
    )


def _order_class(row: Mapping[str, str]) -> OrderClass:
    blank = {name: row.get(name) or "" for name in SCOPES}
    return OrderClass(
        row["order_class"], int(row["min_size"]), plan_order=_int(row.get("plan_order")),
        must_open=row.get("must_open") == "1", **blank,
    )  # fmt: skip


def _reserve(row: Mapping[str, str]) -> tuple[str, str, bool]:
    return row["program"], row["group"], row.get("hard") == "1"


def _score_target(row: Mapping[str, str]) -> tuple[str, str]:
    kind = "program" if row.get("program") else "channel"
    return kind, row[kind]


def _score_row(row: Mapping[str, str]) -> Row:
    numbers = sorted(int(name[3:]) for name in row if name.startswith("tie"))
    ties = tuple(row[f"tie{number}"] for number in numbers)
    return Row(row.get("score") or "", ties, row.get("fit") or "")


def _cap(row: Mapping[str, str]) -> Cap:
    kind = next(name for name in ("college", "enterprise", "programs") if row.get(name))
    value = _split(row[kind]) if kind == "programs" else (row[kind],)
    return Cap(row["cap"], int(row["seats"]), kind, value)


def _rules(policy: Mapping[str, Any]) -> Rules:
    mechanism = policy.get("mechanism", {})
    default = Rules()
    return Rules(
        mechanism=mechanism.get("name", default.mechanism),
        objective=tuple(mechanism.get("objective", default.objective)),
        rank=mechanism.get("rank", default.rank),
        rank_costs=tuple(mechanism.get("rank_costs", ())),
        closure=mechanism.get("closure", "exact"),
        reserve_order=mechanism.get("reserve_order", default.reserve_order),
        max_entries=policy.get("preferences", {}).get("max", 0),
        round=policy.get("policy", {}).get("round", ""),
        seed=policy.get("lottery", {}).get("seed", default.seed),
    )
