"""Measure, record, tabulate: ``python -m benchmarks [NAME ...]``, all of them by default.

Every measurement is taken five times in processes of their own, one after another, and its median
counts.  Times are CPU seconds, as machines are shared.  Raw figures go to ``results.csv``, where a
name that is measured again replaces its old rows; the tables of ``README.md`` are made from there.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from . import instances

HERE = Path(__file__).resolve().parent
RESULTS, README = HERE / "results.csv", HERE / "README.md"
REPEATS = 5
OURS = "orderclass"


@dataclass(frozen=True)
class Row:
    """One figure of one run, with what it was taken on."""

    name: str
    what: str
    run: int
    value: float
    unit: str
    date: str
    machine: str
    python: str
    numpy: str
    ortools: str
    matching: str
    algmatch: str


Figures = Iterator[tuple[str, int, float, str]]


@dataclass(frozen=True)
class Goal:
    """What a measurement should reach: a limit on a figure's median."""

    what: str
    limit: float
    unit: str


def child(*arguments: str) -> Any:
    """What a measurement in a process of its own prints."""
    command = [sys.executable, "-m", "benchmarks.child", *arguments]
    done = subprocess.run(
        command, cwd=instances.ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def staged(*arguments: str) -> Figures:
    """The stages of five runs, their sum, and the greatest memory."""
    for run in range(1, REPEATS + 1):
        figures = child(*arguments)
        for stage, seconds in figures["stages"].items():
            yield stage, run, seconds, "s"
        for total, seconds in figures["sums"].items():
            yield total, run, seconds, "s"
        yield "peak memory", run, figures["peak_mb"], "MB"


def side_by_side(name: str) -> Figures:
    """Building and solving on either side, and how many times faster ours is, run by run."""
    for run, sides in enumerate(child("contest", name, str(REPEATS))["rounds"], start=1):
        ours = sum(sides[OURS].values())
        for side, seconds in sides.items():
            for step in ("build", "solve"):
                yield f"{side} {step}", run, seconds[step], "s"
            if side != OURS:
                yield f"{side} / {OURS}", run, sum(seconds.values()) / ours, "times"


MEASURES: dict[str, Callable[[], Figures]] = {
    "demo, stable": lambda: staged("round", str(instances.DEMO), "stable"),
    "demo without minimum sizes, optimal": lambda: staged(
        "round", str(instances.demo_without_minimum()), "optimal"
    ),
    "200,000 x 5,000, 8 choices": lambda: staged("large", str(instances.large_round())),
    "odds: 10,000 x 300, 1,000 draws": lambda: staged(
        "odds", str(instances.middling_round()), "1000"
    ),
} | {name: partial(side_by_side, name) for name in instances.CONTESTS}

GOALS: dict[str, list[Goal]] = {
    "demo, stable": [
        Goal("in all", 8, "s"),
        Goal("verify", 5, "s"),
        Goal("peak memory", 500, "MB"),
    ],
    "demo without minimum sizes, optimal": [
        Goal("in all", 8, "s"),
        Goal("verify", 5, "s"),
        Goal("peak memory", 500, "MB"),
    ],
    "200,000 x 5,000, 8 choices": [
        Goal("construction", 6, "s"),
        Goal("deferred acceptance", 2, "s"),
    ],
    "odds: 10,000 x 300, 1,000 draws": [Goal("draws, all processes", 30, "s")],
}


def machine() -> str:
    """The processor's name and the number of cores."""
    model = platform.processor()
    known = Path("/proc/cpuinfo")
    if known.is_file():
        found = re.search(r"model name\s*:\s*(.+)", known.read_text(encoding="utf-8"))
        model = found[1] if found else model
    return f"{model or platform.machine()}, {os.cpu_count()} cores"


def measure(name: str) -> list[Row]:
    """All figures of a measurement."""
    packages = ("numpy", "ortools", "matching", "algmatch")
    taken_on = (
        datetime.now(UTC).date().isoformat(),
        machine(),
        platform.python_version(),
        *map(version, packages),
    )
    return [
        Row(name, what, run, float(f"{value:.4g}"), unit, *taken_on)
        for what, run, value, unit in MEASURES[name]()
    ]


def recorded() -> list[Row]:
    """The rows of ``results.csv``."""
    if not RESULTS.is_file():
        return []
    with RESULTS.open(encoding="utf-8", newline="") as file:
        return [
            Row(**line | {"run": int(line["run"]), "value": float(line["value"])})  # type: ignore[arg-type]
            for line in csv.DictReader(file)
        ]


def record(rows: list[Row]) -> None:
    """Write ``results.csv``, in the order of the measurements."""
    order = {name: at for at, name in enumerate(MEASURES)}
    rows = sorted((r for r in rows if r.name in order), key=lambda r: order[r.name])
    with RESULTS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(f.name for f in fields(Row))
        writer.writerows(map(astuple, rows))


def medians(rows: list[Row], name: str) -> dict[str, tuple[float, str]]:
    """The median of each figure of a measurement, with its unit, in the order of measuring."""
    runs: dict[str, list[Row]] = {}
    for row in rows:
        if row.name == name:
            runs.setdefault(row.what, []).append(row)
    return {what: (median(r.value for r in found), found[0].unit) for what, found in runs.items()}


def shown(value: float, unit: str) -> str:
    """A figure with three digits and its unit."""
    digits = f"{value:,.0f}" if value >= 100 else f"{value:#.3g}".rstrip(".")
    return f"{digits} {unit}"


def staged_table(rows: list[Row]) -> list[str]:
    """The table of rounds: a line for each figure, with its goal where there is one."""
    lines = ["| round | figure | median | goal |", "|---|---|---:|---|"]
    for name, goals in GOALS.items():
        wanted = {goal.what: goal for goal in goals}
        for what, (value, unit) in medians(rows, name).items():
            goal = wanted.get(what)
            limit = f"≤ {goal.limit:g} {goal.unit}" if goal else ""
            lines.append(f"| {name} | {what} | {shown(value, unit)} | {limit} |")
    return lines


def peers_table(rows: list[Row]) -> list[str]:
    """The table of peers: a line for each contest and side."""
    lines = ["| contest | side | build | solve | times ours |", "|---|---|---:|---:|---:|"]
    for name in instances.CONTESTS:
        found = medians(rows, name)
        for side in (OURS, "matching", "algmatch"):
            if f"{side} build" in found:
                build, solve = (shown(*found[f"{side} {step}"]) for step in ("build", "solve"))
                times = found.get(f"{side} / {OURS}", (1.0, ""))[0]
                lines.append(f"| {name} | `{side}` | {build} | {solve} | {times:,.0f} |")
    return lines


def tabulated(text: str, rows: list[Row]) -> str:
    """The text with the medians between its marks."""
    for mark, table in (("rounds", staged_table(rows)), ("peers", peers_table(rows))):
        between = rf"(<!-- {mark} -->\n).*?(<!-- end -->)"
        text = re.sub(between, "\\g<1>" + "\n".join(table) + "\n\\g<2>", text, flags=re.DOTALL)
    return text


def main() -> None:
    """Measure the named instances, or all of them."""
    names = sys.argv[1:] or list(MEASURES)
    unknown = [name for name in names if name not in MEASURES]
    if unknown:
        raise SystemExit(f"no such measurement: {unknown}; there are {list(MEASURES)}")
    rows = recorded()
    for name in names:
        print(f"measuring {name} …", flush=True)
        rows = [row for row in rows if row.name != name] + measure(name)
        record(rows)
        for what, (value, unit) in medians(rows, name).items():
            print(f"  {what:24} {shown(value, unit)}", flush=True)
    text = README.read_text(encoding="utf-8")
    README.write_text(tabulated(text, recorded()), encoding="utf-8")


if __name__ == "__main__":
    main()
