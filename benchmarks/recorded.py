"""The recorded results: rows of ``results.csv``, their medians, and the picture of growth."""

from __future__ import annotations

import csv
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import fmean, median

from .figures import Figure
from .growth import Points, draw

HERE = Path(__file__).resolve().parent
RESULTS, README, PICTURE = HERE / "results.csv", HERE / "README.md", HERE / "growth.svg"
PACKAGES = ("numpy", "scipy", "ortools", "numba", "matching", "algmatch", "networkx")


@dataclass(frozen=True)
class Row:
    """One figure of one run, with what it was taken on.

    A figure that could not be taken has no value, and its unit is the reason.
    """

    name: str
    what: str
    seed: int
    value: float | None
    unit: str
    date: str
    machine: str
    python: str
    numpy: str
    scipy: str
    ortools: str
    numba: str
    matching: str
    algmatch: str
    networkx: str

    @classmethod
    def of(cls, name: str, figure: Figure, seed: int, place: Sequence[str]) -> Row:
        """A figure as a row, with four digits."""
        value = None if figure.value != figure.value else float(f"{figure.value:.4g}")
        if value is not None and figure.unit in ("people", "pairs", "classes"):
            value = float(figure.value)
        return cls(name, figure.what, seed, value, figure.unit, *place)


def taken_on() -> tuple[str, ...]:
    """Date, machine, and the versions of Python and of every package compared."""
    return (
        datetime.now(UTC).date().isoformat(),
        machine(),
        platform.python_version(),
        *map(_version, PACKAGES),
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def machine() -> str:
    """The processor's name and the number of cores."""
    model = platform.processor()
    known = Path("/proc/cpuinfo")
    if known.is_file():
        found = re.search(r"model name\s*:\s*(.+)", known.read_text(encoding="utf-8"))
        model = found[1] if found else model
    return f"{model or platform.machine()}, {os.cpu_count()} cores"


def recorded() -> list[Row]:
    """The rows of ``results.csv``."""
    if not RESULTS.is_file():
        return []
    with RESULTS.open(encoding="utf-8", newline="") as file:
        return [
            Row(
                **line  # type: ignore[arg-type]
                | {
                    "seed": int(line["seed"]),
                    "value": float(line["value"]) if line["value"] else None,
                }
            )
            for line in csv.DictReader(file)
        ]


def record(rows: Sequence[Row], names: Sequence[str]) -> None:
    """Write ``results.csv``, in the order of the names; rows of other names are dropped."""
    order = {name: at for at, name in enumerate(names)}
    kept = sorted((r for r in rows if r.name in order), key=lambda r: order[r.name])
    with RESULTS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(f.name for f in fields(Row))
        writer.writerows(map(astuple, kept))


def medians(rows: Sequence[Row], name: str) -> dict[str, tuple[float, str]]:
    """The median of each figure of a measurement, with its unit, in the order of measuring.

    Of what is yes or no, the share of the runs: a median would hide one that is not.
    """
    runs: dict[str, list[tuple[float, str]]] = {}
    for row in rows:
        if row.name == name and row.value is not None:
            runs.setdefault(row.what, []).append((row.value, row.unit))
    return {
        what: ((median if found[0][1] else fmean)([value for value, _ in found]), found[0][1])
        for what, found in runs.items()
    }


def shown(value: float, unit: str) -> str:
    """A figure with three digits and its unit; what has no unit is yes or no."""
    if not unit:
        return "yes" if value == 1 else "no" if value == 0 else f"{100 * value:.0f} % of the runs"
    if unit in ("people", "pairs", "classes"):
        return f"{value:,.0f}"
    if unit == "%" and value < 0.001:
        return "0 %"
    digits = f"{value:,.0f}" if value >= 100 else f"{value:#.3g}".rstrip(".")
    return f"{digits} {unit}"


def points(rows: Sequence[Row]) -> Points:
    """The lines of the picture: for each curve of growth its sizes, seconds and megabytes."""
    found: Points = {}
    for name in dict.fromkeys(row.name for row in rows if row.name.startswith("growth: ")):
        values = {what: value for what, (value, _) in medians(rows, name).items()}
        sizes = [what.removesuffix(": solve") for what in values if what.endswith(": solve")]
        found[name.removeprefix("growth: ")] = [
            (int(size.replace(",", "")), values[f"{size}: solve"], values[f"{size}: memory"])
            for size in sizes
        ]
    return {line: at for line, at in found.items() if at}


def drawn(rows: Sequence[Row]) -> None:
    """Draw the picture anew where there is something to draw."""
    lines = points(rows)
    if lines:
        draw(lines, PICTURE)
