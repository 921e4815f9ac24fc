"""Small rounds from compact literals, so that a test of the core reads like the rule it tests.

``make_round({"A": "P Q"}, {"P": 1, "Q": 2})`` is a round in which A lists P, then Q.  A table beyond
lists and seats is a dictionary from the key of a row to its other cells; rows for ``applicants`` and
``programs`` add to those made from lists and seats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matcher import Issue, Market, Policy, Result, Tables, solve, validate
from matcher.tables import SCHEMA, Table

SEED = "00ff"
RULES: dict[str, Any] = {"lottery.seed": SEED, "mechanism.closure": "sequential"}
NAMES = {
    "scores": (("applicant", "at"), "score"),
    "reserves": (("program", "group"), "seats"),
    "caps": (("cap",), "seats"),
    "order_classes": (("order_class",), "min_size"),
}
"""What the words of a row's key stand for, and the column of a row that is a single value."""


def toml(rules: Mapping[str, Any]) -> bytes:
    """A policy from ``section.key`` → value, and ``section`` → list of tables."""
    sections: dict[str, list[str]] = {}
    tail = []
    for name, value in rules.items():
        section, _, key = name.partition(".")
        if key:
            sections.setdefault(section, []).append(f"{key} = {_literal(value)}")
            continue
        for row in value:
            cells = [f"{k} = {_literal(v)}" for k, v in row.items()]
            tail.append("\n".join([f"[[{name}]]", *cells]))
    head = ["\n".join([f"[{name}]", *lines]) for name, lines in sections.items()]
    return ("\n".join(head + tail) + "\n").encode()


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def table(rows: Sequence[Mapping[str, Any]], name: str) -> Table:
    """A table of rows; a column that no row mentions is absent unless it is required."""
    needed = [c.name for c in SCHEMA[name].columns if c.required]
    columns = dict.fromkeys([*needed, *(c for row in rows for c in row)])
    return Table({c: [str(row.get(c, "")) for row in rows] for c in columns})


def make_round(
    lists: Mapping[str, str],
    seats: Mapping[str, int],
    rules: Mapping[str, Any] | None = None,
    draw: dict[str, Any] | None = None,
    **others: Any,
) -> Tables:
    """A round.

    Parameters
    ----------
    lists
        Entries of each applicant, the first one of rank 1.
    seats
        Capacity of each program.
    rules
        Keys of the policy, beside those of ``RULES``; None removes one.
    draw
        The content of ``draw.json``.
    others
        Further tables: ``scores={"A P": 80}`` (a program or else a channel),
        ``reserves={"P g": 1}`` (``"P g hard"`` for hard ones), ``caps={"K": {"seats": 2, …}}``,
        ``decisions=[{…}]``, ``applicants={"A": {…}}``, ``programs={"P": {…}}``,
        ``order_classes={"C": 2}``.
    """
    applicants, programs = others.pop("applicants", {}), others.pop("programs", {})
    made = {
        "applicants": [{"applicant": a} | dict(applicants.get(a, {})) for a in lists],
        "programs": [{"program": p, "capacity": q} | programs.get(p, {}) for p, q in seats.items()],
        "applications": [
            {"applicant": a, "rank": rank, "program": entry}
            for a, entries in lists.items()
            for rank, entry in enumerate(entries.split(), start=1)
        ],
    }
    for name, rows in others.items():
        made[name] = list(rows) if isinstance(rows, list) else _rows(name, rows, seats)
    policy = {k: v for k, v in (RULES | dict(rules or {})).items() if v is not None}
    return Tables({n: table(rows, n) for n, rows in made.items()}, toml(policy), draw)


def _rows(name: str, rows: Mapping[str, Any], seats: Mapping[str, int]) -> list[dict[str, Any]]:
    made = []
    for key, value in rows.items():
        columns, single = NAMES[name]
        words = key.split()
        row = dict(zip(columns, words, strict=False))
        row |= dict(value) if isinstance(value, Mapping) else {single: value}
        if name == "scores":
            target = row.pop("at")
            row["program" if target in seats else "channel"] = target
        if name == "reserves" and words[2:] == ["hard"]:
            row["hard"] = 1
        made.append(row)
    return made


def market(tables: Tables) -> Market:
    """The market of a round."""
    return Market.from_tables(tables, Policy.from_tables(tables))


def outcome(tables: Tables) -> Result:
    """What the round's own mechanism makes of it."""
    return solve(market(tables), Policy.from_tables(tables))


def placed(tables: Tables) -> dict[str, str]:
    """The program of each applicant, blank for none."""
    made, result = market(tables), outcome(tables)
    programs = [*made.programs, ""]
    return {a: programs[p] for a, p in zip(made.applicants, result.matching, strict=True)}


def choices(tables: Tables) -> dict[str, str]:
    """Each applicant's list and tail as ``program:rank`` words."""
    m = market(tables)
    words = [f"{m.programs[p]}:{r}" for p, r in zip(m.program, m.rank, strict=True)]
    bounds = zip(m.applicants, m.start, m.start[1:], strict=False)
    return {a: " ".join(words[low:high]) for a, low, high in bounds}


def barred(tables: Tables) -> list[str]:
    """The barred pairs as ``applicant program rule value limit`` words."""
    m = market(tables)
    return [
        " ".join([m.applicants[b.applicant], m.programs[b.program], b.rule, b.value, b.limit])
        for b in m.barred
    ]


def errors(tables: Tables) -> list[Issue]:
    """What is wrong with a round, warnings apart."""
    return [issue for issue in validate(tables) if issue.severity == "error"]


def told(tables: Tables) -> list[str]:
    """Errors as ``table.column code value`` words with the row in front."""
    return [_words(issue) for issue in errors(tables)]


def warned(tables: Tables) -> list[str]:
    """Warnings as ``told`` tells errors."""
    return [_words(issue) for issue in validate(tables) if issue.severity == "warning"]


def _words(issue: Issue) -> str:
    return f"{issue.row} {issue.table}.{issue.column} {issue.code} {issue.value}".strip()


def on_disk(folder: Path, tables: Tables, files: Mapping[str, Any] | None = None) -> Tables:
    """The round written to a folder, some files replaced (or with None removed), and read again."""
    tables.write(folder)
    for name, content in (files or {}).items():
        if content is None:
            (folder / name).unlink()
        else:
            data = content if isinstance(content, bytes) else content.encode()
            (folder / name).write_bytes(data)
    return Tables.read(folder)
