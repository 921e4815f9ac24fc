"""Measure, record, tabulate: ``python -m benchmarks [NAME or GROUP …]``, everything by default.

``python -m benchmarks tables`` measures nothing and makes the tables anew.

Every run is a process of its own, one after another, each on an instance of another generator seed,
and the median counts: of five runs, of three where one takes more than 5 seconds, and one run above
60.  Times are CPU seconds, as machines are shared.  Raw figures go to ``results.csv``, where a name
that is measured again replaces its old rows; the tables and the picture are made from there.  What
cannot be measured says why, and hides nothing else.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

from .child import NOTHING
from .figures import Figure, NotMeasured
from .instances import ROOT, write_plain_demo
from .measures import MEASURES, Measurement, Step, chosen
from .recorded import README, RESULTS, Row, drawn, medians, record, recorded, shown, taken_on
from .tables import tabulated

LONG_S = 1_000
"""Seconds of the wall clock after which a process is given up."""
PATIENCE = ((60, 1), (5, 3))
"""Runs of more seconds than these are taken so often at most."""


def child(step: Step, seed: int, fast: bool) -> list[Figure]:
    """What a measurement in a process of its own prints.

    Raises
    ------
    NotMeasured
        If it fails in any way.
    """
    command = [sys.executable, "-m", "benchmarks.child", *step, str(seed)]
    environment = os.environ | {"ORDERCLASS_FAST": str(int(fast))}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONG_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NotMeasured(f"given up after {LONG_S} seconds") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["no word"]
        why = said[-1] if done.returncode == NOTHING else f"failed: {said[-1]}"
        raise NotMeasured(why[:200])
    return [Figure(*figure) for figure in json.loads(done.stdout)]


def figures(measurement: Measurement, seed: int) -> Iterator[Figure]:
    """The figures of one run; what fails is a figure without a value."""
    for step in measurement.steps:
        where = f"{int(step[-1]):,}: " if measurement.curve else ""
        try:
            found = child(step, seed, measurement.fast)
        except NotMeasured as reason:
            yield Figure(f"{where}not measured", float("nan"), str(reason))
            if measurement.curve:
                return
            continue
        yield from found


def measure(name: str) -> list[Row]:
    """All figures of a measurement, as rows."""
    measurement, place = MEASURES[name], taken_on()
    rows: list[Row] = []
    most, seed = measurement.runs, 1
    while seed <= most:
        begin = _seconds_of_children()
        found = list(figures(measurement, seed))
        spent = _seconds_of_children() - begin
        rows += [Row.of(name, figure, seed, place) for figure in found]
        most = min([most, *(runs for seconds, runs in PATIENCE if spent > seconds)])
        if all(figure.value != figure.value for figure in found):
            break
        seed += 1
    return rows


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure what the arguments name, or everything."""
    try:
        names = [] if sys.argv[1:] == ["tables"] else chosen(sys.argv[1:])
    except NotMeasured as unknown:
        raise SystemExit(str(unknown)) from None
    begin = time.perf_counter()
    rows = recorded()
    if names:
        write_plain_demo()
    for name in names:
        print(f"[{time.perf_counter() - begin:5.0f} s] {name} …", flush=True)
        rows = [row for row in rows if row.name != name] + measure(name)
        record(rows, list(MEASURES))
        for what, (value, unit) in medians(rows, name).items():
            print(f"  {what:56} {shown(value, unit)}", flush=True)
        for row in rows:
            if row.name == name and row.value is None:
                print(f"  {row.what}: {row.unit}", flush=True)
    rows = recorded()
    drawn(rows)
    text = README.read_text(encoding="utf-8")
    README.write_text(tabulated(text, rows), encoding="utf-8")
    print(f"{RESULTS.name} and {README.name} are written", flush=True)


if __name__ == "__main__":
    main()
