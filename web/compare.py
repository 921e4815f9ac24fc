"""Two or three runs of a round side by side, and who moves from one to another."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher import Policy

from .jobs import result_of
from .models import Applicant, Person, Round, Run

CHANGES = ("gained", "better", "same", "worse", "lost")
"""What a move may be to whoever moves, by her own list."""

LABELS = ("justified", "waste", "reserve", "cap", "class_closed", "approval")
LOTTERIES = 2


@dataclass(frozen=True)
class Move:
    """One person whose place differs between two runs; the application number is all that is told."""

    number: str
    before: str
    after: str
    change: str


def report_of(run: Run) -> dict[str, Any]:
    """The report of a run that ended with a result."""
    found: dict[str, Any] = run.summary["report"]
    return found


def profile(runs: list[Run]) -> list[tuple[str, list[int]]]:
    """People by the choice that they got, run by run: 1, 2, …, then adjustment and the unplaced."""
    held = [report_of(run)["profile"] for run in runs]
    ranks = sorted({int(k) for p in held for k in p if k.isdecimal() and k != "0"})
    keys = [*map(str, ranks), "0", "unplaced"]
    return [(key, [p.get(key, 0) for p in held]) for key in keys]


def groups(runs: list[Run]) -> list[tuple[str, int, list[int]]]:
    """Of each group its people, and how many of them each run places."""
    held = [report_of(run)["groups"] for run in runs]
    names = sorted({name for g in held for name in g})
    return [
        (
            name,
            max(g.get(name, {}).get("applicants", 0) for g in held),
            [g.get(name, {}).get("placed", 0) for g in held],
        )
        for name in names
    ]


def fairness(runs: list[Run]) -> list[tuple[str, list[int]]]:
    """The counts of the fairness sheet by label, run by run."""
    held = [report_of(run)["fairness"]["labels"] for run in runs]
    return [(label, [h.get(label, {}).get("pairs", 0) for h in held]) for label in LABELS]


@dataclass(frozen=True)
class Closed:
    """A class that some run does not open: of each run, nothing if it opens there, else its figures."""

    code: str
    runs: list[dict[str, Any] | None]


def closed(runs: list[Run]) -> list[Closed]:
    """The classes that at least one run does not open."""
    held = [{c["order_class"]: c for c in closed_of(run)} for run in runs]
    codes = sorted({code for h in held for code in h})
    return [Closed(code, [h.get(code) for h in held]) for code in codes]


def closed_of(run: Run) -> list[dict[str, Any]]:
    """The classes that a run does not open, each with what it lacked; where enough people would
    rather have been there, how many."""
    report = report_of(run)
    willing = {c["order_class"]: c["willing"] for c in report["fairness"]["coalitions"]}
    return [{**c, "willing": willing.get(c["order_class"])} for c in report["closed"]]


def moves(session: Session, round_: Round, a: Run, b: Run) -> list[Move]:
    """Everybody whose place differs between two runs, by application number."""
    first, second = (_placements(result_of(run)) for run in (a, b))
    numbers = dict(
        session.execute(
            select(Person.pseudonym, Applicant.number)
            .join(Applicant)
            .where(Applicant.round_id == round_.id)
        ).all()
    )
    found = [
        Move(numbers.get(who, who), was[0], now[0], _change(was, now))
        for who in first.keys() | second.keys()
        if (was := first.get(who, ("", ""))) != (now := second.get(who, ("", "")))
        and was[0] != now[0]
    ]
    return sorted(found, key=lambda move: move.number)


def counted(found: list[Move]) -> list[tuple[str, int]]:
    """How many moves there are of each kind."""
    number = Counter(move.change for move in found)
    return [(change, number[change]) for change in CHANGES]


def _change(was: tuple[str, str], now: tuple[str, str]) -> str:
    if not was[0]:
        return "gained"
    if not now[0]:
        return "lost"
    before, after = ((rank == "0", int(rank or 0)) for rank in (was[1], now[1]))
    if before == after:
        return "same"
    return "better" if after < before else "worse"


def _placements(folder: Path) -> dict[str, tuple[str, str]]:
    """Of each applicant her program and its rank on her list."""
    rows = _rows(folder / "placements.csv")
    return {row["applicant"]: (row["program"], row["rank"]) for row in rows}


def unproven(run: Run) -> tuple[str, int, int] | None:
    """The first objective that is not proven to be the best there is: its name, what was found, and the bound.

    A cost counts as it is, so that its bound is the least it can be.
    """
    for one in run.summary.get("objective", []):
        name, value, bound = one["name"].partition("_")[0], one["value"], one["bound"]
        if value != bound:
            sign = -1 if name == "rank" and value < 0 else 1
            return name, sign * value, sign * bound
    return None


def prices(run: Run) -> list[tuple[str, str, int]]:
    """What one more seat for everybody is worth at each program where the result prices it.

    A price has a number for each objective in turn, then two of the lottery.  Told is the first
    objective that a seat would serve, and by how much; the dearest seat first.
    """
    found = [
        (tuple(map(int, row["price"].split(";"))), row["program"])
        for row in _rows(result_of(run) / "thresholds.csv")
        if row["stage"] == "open" and row["price"]
    ]
    told = []
    for price, program in sorted(found, key=lambda pair: ([-n for n in pair[0]], pair[1])):
        served = zip(_objectives(run, len(price)), price, strict=False)
        told += [(program, name, number) for name, number in served if number][:1]
    return told


def _objectives(run: Run, numbers: int) -> list[str]:
    """The objective that each number of a price is of; a rank may be counted by several."""
    names = Policy.from_toml(run.policy_toml.encode()).objective
    ranks = numbers - LOTTERIES - len(names) + 1
    return [name for name in names for _ in range(ranks if name == "rank" else 1)]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
