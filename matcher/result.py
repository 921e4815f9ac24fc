"""What a mechanism returns: who goes where, with the thresholds that explain it; and its files."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import platform
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import cells
from .cells import Int
from .earlier import FILE, Earlier
from .market import Market

Bool = NDArray[np.bool_]

UNFINISHED = {"min_size", "outcome", "kept", "optimality"}
"""Claims that need not hold of a result whose making was cut short."""


class Status(Enum):
    """What is known of a result.

    OPTIMAL: it is the outcome that the rules define.  FEASIBLE: it keeps the rules of placement, but
    the work was cut short, or another plan is equally good, so it cannot be published.
    """

    OPTIMAL = "OPTIMAL"
    FEASIBLE = "FEASIBLE"

    def harmful(self, broken: Collection[str]) -> set[str]:
        """The broken claims that no want of time explains."""
        return {*broken} - (UNFINISHED if self is Status.FEASIBLE else set())


class Threshold(NamedTuple):
    """What it takes to reach one stage of a program.

    Parameters
    ----------
    program
        The program.
    stage
        ``open_first``, ``hard:GROUP``, ``soft:GROUP`` or ``open``.
    state
        ``full`` (the last person chosen marks it), ``not_full``, or ``cut`` by a full cap.
    cap
        The innermost full cap, −1 where the stage is not cut.
    last
        Edge of the last person chosen in the stage, −1 for nobody.  For ``max_placement``, where nobody
        is the last, that of one of the lowest level; her lottery number is not written.
    price
        For ``optimal``: what one more person in this kind of seat costs each objective; None where
        no seat of this kind can be reached at any price, or for other mechanisms.
    """

    program: int
    stage: str
    state: str
    cap: int = -1
    last: int = -1
    price: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """A class that was closed.

    Parameters
    ----------
    order_class
        The class.
    placed
        The people it held when it was closed; under exact closing those it would hold if it alone
        were opened again.
    min_size
        Its minimum.
    saves
        Under exact closing, the other classes that would fall short if it were opened again.
    """

    order_class: int
    placed: int
    min_size: int
    saves: tuple[int, ...] = ()

    @property
    def shortfall(self) -> int:
        """How many people it lacked; 0 for a class that was closed for the sake of others."""
        return max(0, self.min_size - self.placed)


@dataclass(frozen=True, eq=False)
class Result:
    """The outcome of a mechanism.

    Parameters
    ----------
    mechanism
        Its name.
    matching
        Program of each applicant, −1 unplaced.  Shape (n,).
    seats
        ``open`` or the group whose seat each person takes; empty where unplaced.
    opened
        Classes that hold at least max(1, minimum) people.  Shape (k,).
    status, unique
        See :class:`Status`; whether no other plan is equally good.
    components, objective, bound
        Names of the objective's components in order, their values, and what is proven of them.
    thresholds
        By program and stage; none for a closed class.
    closings
        In order.
    certificate
        For ``certificate.json``.
    runtime
        Seconds.
    earlier
        The earlier result that this one was to keep, where there is one.
    """

    mechanism: str
    matching: Int
    seats: list[str]
    opened: Bool
    status: Status
    components: tuple[str, ...]
    objective: tuple[int, ...]
    bound: tuple[int, ...]
    thresholds: list[Threshold]
    closings: tuple[Closing, ...] = ()
    certificate: dict[str, Any] = field(default_factory=dict)
    unique: bool = True
    runtime: float = 0.0
    earlier: Earlier | None = None

    @property
    def by_rank(self) -> bool:
        """Whether programs that somebody lists at one rank, as one class, are equally good to her."""
        return self.mechanism in ("optimal", "max_placement")

    @property
    def keeps_ties(self) -> bool:
        """Whether equal scores are not told apart by the lottery in advance."""
        return self.mechanism == "max_placement"

    @property
    def publishable(self) -> bool:
        """Whether the result is complete and the only one; verification has its own say."""
        return self.status is Status.OPTIMAL and self.unique

    def write(self, folder: str | Path, market: Market, inputs: str, round_name: str = "") -> None:
        """Write the result's files; the same input gives the same bytes but for ``result.json``."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        files = {
            "placements.csv": _csv(PLACEMENTS, placement_rows(market, self)),
            "thresholds.csv": _csv(_threshold_header(market), _threshold_rows(market, self)),
            "classes.csv": _csv(CLASSES, _class_rows(market, self)),
            "barred.csv": _csv(BARRED, _barred_rows(market)),
            "certificate.json": _json(self.certificate),
        }
        resolve = {}
        if self.earlier is not None:
            files[FILE], resolve = self.earlier.to_csv(), {"resolve": self.earlier.about()}
        for name, content in files.items():
            (folder / name).write_bytes(content)
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        about = {
            "mechanism": self.mechanism,
            "status": self.status.value,
            "unique": self.unique,
            "publishable": self.publishable,
            "objective": [
                {"name": name, "value": value, "bound": bound}
                for name, value, bound in zip(
                    self.components, self.objective, self.bound, strict=True
                )
            ],
            "round": round_name,
            "runtime_s": round(self.runtime, 3),
            "versions": _versions(),
            "digests": {"inputs": inputs} | digests,
        } | resolve
        (folder / "result.json").write_bytes(_json(about))

    @classmethod
    def read(cls, folder: str | Path, market: Market) -> Result:
        """Read a result's files back against its market.

        Raises
        ------
        FileNotFoundError
            If a file is missing.
        ValueError
            If the files speak of people, programs or classes that the market has not.
        """
        folder = Path(folder)
        about = json.loads((folder / "result.json").read_bytes())
        applicant, program = cells.index(market.applicants), cells.index(market.programs)
        classes = cells.index(market.order_classes)
        caps = cells.index([cap.name for cap in market.caps])
        matching = np.full(len(market.applicants), -1)
        seats = [""] * len(matching)
        opened = np.zeros(len(market.order_classes), bool)
        try:
            for row in _rows(folder / "placements.csv"):
                if row["program"]:
                    matching[applicant[row["applicant"]]] = program[row["program"]]
                    seats[applicant[row["applicant"]]] = row["seat"]
            for row in _rows(folder / "classes.csv"):
                opened[classes[row["order_class"]]] = row["opened"] == "1"
            held = market.edges_of(matching)
            thresholds = [
                _threshold(row, market, program, caps, held, about["mechanism"])
                for row in _rows(folder / "thresholds.csv")
            ]
            certificate = json.loads((folder / "certificate.json").read_bytes())
            closings = tuple(
                Closing(
                    classes[c["order_class"]],
                    c["placed"],
                    c["min_size"],
                    tuple(classes[name] for name in c.get("saves", ())),
                )
                for c in certificate.get("closing", ())
            )
        except KeyError as error:
            raise ValueError(f"{folder}: unknown id {error}") from None
        entries = about["objective"]
        return cls(
            about["mechanism"], matching, seats, opened, Status(about["status"]),
            tuple(e["name"] for e in entries), tuple(e["value"] for e in entries),
            tuple(e["bound"] for e in entries), thresholds, closings, certificate,
            about["unique"], about["runtime_s"], Earlier.read_back(folder, about),
        )  # fmt: skip


PLACEMENTS = ["applicant", "program", "rank", "seat", "reason"]
CLASSES = ["order_class", "opened", "placed", "min_size"]
BARRED = ["applicant", "program", "rule", "value", "limit"]


def placement_rows(market: Market, result: Result) -> list[list[str]]:
    """The rows of ``placements.csv``, by applicant."""
    held = market.edges_of(result.matching).tolist()
    choices = np.diff(market.start).tolist()
    rows = []
    for i in sorted(range(len(held)), key=market.applicants.__getitem__):
        edge = held[i]
        if edge < 0:
            missed = "barred" if market.applied[i] else "no_choice"
            rows.append([market.applicants[i], "", "", "", "not_reached" if choices[i] else missed])
            continue
        how = "relaxed" if market.relaxed[edge] else "ordinary"
        rows.append([
            market.applicants[i], market.programs[market.program[edge]], str(market.rank[edge]),
            result.seats[i], "approved" if market.approved[edge] else how,
        ])  # fmt: skip
    return rows


def class_sizes(market: Market, matching: Int) -> Int:
    """People in each order class.  Shape (k,)."""
    placed = matching[matching >= 0]
    return np.bincount(market.class_of[placed], minlength=len(market.order_classes))


def opened_classes(market: Market, matching: Int) -> Bool:
    """Classes with at least max(1, minimum) people.  Shape (k,)."""
    opened: Bool = class_sizes(market, matching) >= np.maximum(1, market.min_size)
    return opened


def _threshold_header(market: Market) -> list[str]:
    ties = [f"tie{number}" for number in range(1, len(market.tie_places) + 1)]
    return ["program", "stage", "state", "cap", "listed", "score", *ties, "lottery", "price"]


def _threshold_rows(market: Market, result: Result) -> list[list[str]]:
    rows = []
    stages = {"open_first": 0, "hard": 1, "soft": 2, "open": 3}

    def order(t: Threshold) -> tuple[str, int, str]:
        return market.programs[t.program], stages[t.stage.partition(":")[0]], t.stage

    for t in sorted(result.thresholds, key=order):
        cap = market.caps[t.cap].name if t.cap >= 0 else ""
        price = ";".join(map(str, t.price)) if t.price is not None else ""
        last = [""] * (3 + len(market.tie_places))
        if t.last >= 0:
            last = marks(market, t.last)
            last[-1] = "" if result.keeps_ties else last[-1]
        rows.append([market.programs[t.program], t.stage, t.state, cap, *last, price])
    return rows


def marks(market: Market, edge: int) -> list[str]:
    """What ranks the person of an edge: listed, score, ties, lottery."""
    ties = zip(market.ties[:, edge], market.tie_places, strict=True)
    return [
        "1" if market.rank[edge] else "0",
        cells.unscaled(int(market.score[edge]), market.score_places),
        *(cells.unscaled(int(tie), places) for tie, places in ties),
        market.drawn[market.owner[edge]].hex(),
    ]


def _class_rows(market: Market, result: Result) -> list[list[str]]:
    sizes = class_sizes(market, result.matching)
    return [
        [
            market.order_classes[c],
            str(int(result.opened[c])),
            str(sizes[c]),
            str(market.min_size[c]),
        ]
        for c in sorted(range(len(sizes)), key=market.order_classes.__getitem__)
    ]


def _barred_rows(market: Market) -> list[list[str]]:
    return sorted(
        [market.applicants[b.applicant], market.programs[b.program], b.rule, b.value, b.limit]
        for b in market.barred
    )


def _threshold(
    row: dict[str, str],
    market: Market,
    program: dict[str, int],
    caps: dict[str, int],
    held: Int,
    mechanism: str,
) -> Threshold:
    p = program[row["program"]]
    last = -1
    if row["lottery"]:
        mark = bytes.fromhex(row["lottery"])
        here = np.flatnonzero((held >= 0) & (market.program[held] == p))
        last = next((int(held[i]) for i in here if market.drawn[i] == mark), -1)
    elif row["listed"] and mechanism == "max_placement":
        here = held[(held >= 0) & (market.program[held] == p)]
        last = int(max(here, key=market.place.__getitem__, default=-1))
    price = tuple(int(v) for v in row["price"].split(";")) if row["price"] else None
    cap = caps[row["cap"]] if row["cap"] else -1
    return Threshold(p, row["stage"], row["state"], cap, last, price)


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("orderclass", "numpy", "ortools"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "unknown"
    return versions
