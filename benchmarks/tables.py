"""The tables of ``README.md``, made from what was recorded."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .measures import MEASURES, Goal
from .recorded import Row, medians, points, shown

ASKED = {
    "orderclass": "`solve`: lottery and what proves the result included",
    "orderclass kernel": "the same one weighted cost",
    "orderclass, two objectives": "`placed`, then `rank`; no lottery, no certificate",
    "orderclass, all objectives": "four objectives, lottery, certificate; hashing of weights apart",
    "SimpleMinCostFlow": "OR-Tools, arrays, one weighted cost",
    "scipy linprog (HiGHS)": "the same as a linear program, `highs-ds`",
    "HiGHS milp": "`scipy.optimize.milp`, gap 0",
    "GLOP": "OR-Tools' simplex method, `pywraplp`",
    "scipy min_weight_full_bipartite_matching": "a column for every seat, and one for nowhere",
    "scipy linear_sum_assignment": "a dense matrix of people and seats",
    "networkx network_simplex": "the same network as a graph of Python objects",
    "matching": "`HospitalResident`, optimal for residents",
    "algmatch": "`HospitalResidentsProblem`, optimal for residents",
    "HiGHS": "textbook model, `placed` alone, gap 0, 60 s",
    "CP-SAT": "textbook model, a Boolean for every pair, `placed` alone, 120 s",
}
"""What each side of a comparison is asked."""

SIDES = ("flow", "assignment", "stable")
PLAIN = ("rounds", "optimal", "textbook", "stable at size", "closing", "max_placement", "odds",
         "seats", "verify")  # fmt: skip


def tabulated(text: str, rows: Sequence[Row]) -> str:
    """The text with the tables between their marks."""
    tables = {group: _figures(rows, group) for group in PLAIN}
    tables |= {group: _sides(rows, group) for group in SIDES}
    tables |= {"goals": _goals(rows), "growth": _growth(rows)}
    for mark, table in tables.items():
        between = rf"(<!-- {mark} -->\n).*?(<!-- end -->)"
        lines = "\n".join(table).replace("\\", "\\\\")
        text = re.sub(between, f"\\g<1>{lines}\n\\g<2>", text, flags=re.DOTALL)
    return text


def _runs(rows: Sequence[Row], name: str) -> int:
    return len({row.seed for row in rows if row.name == name and row.value is not None})


def _unmeasured(rows: Sequence[Row], name: str) -> list[Row]:
    return [row for row in rows if row.name == name and row.value is None]


def _verdict(goal: Goal, value: float) -> str:
    """Whether a goal is met, and the figure over its limit."""
    word = "met" if goal.met(value) else "**not met**"
    return f"{word} ({value / goal.limit:.2g} of it)" if goal.unit else word


def _goals(rows: Sequence[Row]) -> list[str]:
    """Every goal with its figure."""
    lines = ["| measurement | figure | median | runs | goal | |", "|---|---|---:|---:|---|---|"]
    for name, measurement in MEASURES.items():
        found = medians(rows, name)
        for goal in measurement.goals:
            if goal.what in found:
                value, unit = found[goal.what]
                cells = [shown(value, unit), str(_runs(rows, name)), _limit(goal)]
                cells.append(_verdict(goal, value))
            else:
                why = [row.unit for row in _unmeasured(rows, name)]
                cells = ["", "0", _limit(goal), f"not measured: {why[0] if why else 'not yet'}"]
            lines.append(f"| {name} | {goal.what} | {' | '.join(cells)} |")
    return lines


def _limit(goal: Goal) -> str:
    return str(goal) if goal.unit else "yes"


def _figures(rows: Sequence[Row], group: str) -> list[str]:
    """A line for each figure of a group."""
    lines = ["| measurement | figure | median | runs |", "|---|---|---:|---:|"]
    for name, measurement in MEASURES.items():
        if measurement.group != group:
            continue
        runs = _runs(rows, name)
        for what, (value, unit) in medians(rows, name).items():
            lines.append(f"| {name} | {what} | {shown(value, unit)} | {runs} |")
        lines += [f"| {name} | not measured: {r.unit} | | |" for r in _unmeasured(rows, name)]
    return lines


def _sides(rows: Sequence[Row], group: str) -> list[str]:
    """A line for each side of each comparison: building, solving, and how many times ours."""
    lines = ["| comparison | side | asked for | build | solve | memory | times ours |",
             "|---|---|---|---:|---:|---:|---:|"]  # fmt: skip
    for name, measurement in MEASURES.items():
        if measurement.group != group:
            continue
        found = medians(rows, name)
        ours = _total(found, "orderclass, two objectives") or _total(found, "orderclass")
        for side in dict.fromkeys(w.partition(": ")[0] for w in found if ": solve" in w):
            cells = [
                shown(*found[key]) if (key := f"{side}: {step}") in found else ""
                for step in ("build", "solve", "memory")
            ]
            times = f"{_total(found, side) / ours:,.3g}" if ours else ""
            asked = ASKED.get(side.replace(" fast", ""), "")
            lines.append(f"| {name} | `{side}` | {asked} | {' | '.join(cells)} | {times} |")
        lines += [f"| {name} | not measured: {r.unit} | | | | | |" for r in _unmeasured(rows, name)]
    return lines


def _total(found: dict[str, tuple[float, str]], side: str) -> float:
    steps = (f"{side}: build", f"{side}: solve")
    return sum(found[step][0] for step in steps if step in found)


def _growth(rows: Sequence[Row]) -> list[str]:
    """A line for each curve, a column for each size: seconds and megabytes."""
    lines = points(rows)
    sizes = sorted({size for line in lines.values() for size, _, _ in line})
    table = ["| curve | " + " | ".join(f"{size:,}" for size in sizes) + " | ends because |",
             "|---|" + "---:|" * len(sizes) + "---|"]  # fmt: skip
    for name, found in lines.items():
        proven = medians(rows, f"growth: {name}")
        cells = {
            size: f"{shown(seconds, 's')}, {shown(megabytes, 'MB')}"
            + ("" if proven[f"{size:,}: proven"][0] else " (not proven)")
            for size, seconds, megabytes in found
        }
        end = "; ".join(row.unit for row in _unmeasured(rows, f"growth: {name}"))
        line = " | ".join(cells.get(size, "") for size in sizes)
        table.append(f"| {name} | {line} | {end} |")
    return table
