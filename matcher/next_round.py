"""The next round 征集志愿: a new round folder of the people and the seats that a round leaves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from .choice import HARD, SOFT
from .earlier import Earlier
from .market import Market
from .policy import Policy
from .tables import Table, Tables, split
from .waiting import WaitingList

Row = dict[str, str]

CARRIED = ("rejected", "approved", "declined")
"""The decisions that hold in the next round as well."""


@dataclass(frozen=True)
class Left:
    """What a round leaves.

    Parameters
    ----------
    tables
        The next round; nobody has listed anything yet, and its lottery is still to be drawn unless the
        policy states a seed.
    people, seats
        How many may list, and for how many seats.
    frozen
        How many hold a place, which is theirs.
    """

    tables: Tables
    people: int
    seats: int
    frozen: int


def after(name: str) -> str:
    """A name for the round after one: the number at its end goes up.

    >>> after("2026-1"), after("2026秋"), after("")
    ('2026-2', '2026秋-2', '2')
    """
    found = re.fullmatch(r"(.*?)([0-9]{1,9})", name)
    if found and (not found[1] or found[1].endswith("-")):
        return f"{found[1]}{int(found[2]) + 1}"
    return f"{name}-2" if name else "2"


def next_round(
    tables: Tables, policy: Policy, market: Market, earlier: Earlier,
    name: str = "", declined: bool = True, reopen: bool = False,
) -> Left:  # fmt: skip
    """The round after a round.

    Parameters
    ----------
    tables, policy, market
        The round as it is now.
    earlier
        What was given, and what has been accepted since.
    name
        Of the new round; by default that of :func:`after`.
    declined
        Whether those who had a place and gave it up may list again.
    reopen
        Whether classes that were closed are offered again, from nothing.

    Raises
    ------
    UnsupportedConstraint
        If caps cross, as for the waiting list.

    Notes
    -----
    Whoever holds a place keeps it and is not in the new round: her seat is gone from the capacity, from
    the reserve that it counted in, and from every cap over it.  Soft reserved seats that others have
    taken are gone as well.  A class that opened asks for the people it still lacks, none once it has
    its minimum; one that cannot reach them with the seats left is not offered.
    """
    state = WaitingList(market, policy, earlier)
    draft = _Draft(tables, market, state)
    draft.people(earlier, declined)
    draft.programs(reopen)
    digest = f"{tables.digest()}, placements.csv SHA-256 {earlier.parent}"
    before = f"上一轮“{policy.round}”：数据 SHA-256 {digest}"
    # A drawn seed is this round's; one that is stated serves for every round of a demonstration.
    following = replace(
        policy, round=name or after(policy.round), basis=(*policy.basis, before),
        seed="" if tables.draw is not None else policy.seed,
    )  # fmt: skip
    return Left(
        Tables(draft.made(), following.to_toml().encode()),
        len(draft.remaining),
        sum(draft.seats.values()),
        int((state.held >= 0).sum()),
    )


class _Draft:
    """The tables of the next round, made of those of this one row by row."""

    def __init__(self, tables: Tables, market: Market, state: WaitingList) -> None:
        self.tables, self.market, self.state = tables, market, state
        self.remaining: set[str] = set()
        self.seats: dict[str, int] = {}
        self.missing: dict[str, int] = {}

    def people(self, earlier: Earlier, declined: bool) -> None:
        """Those who hold nothing and have not withdrawn."""
        had = {one.applicant for one in earlier.placements}
        had |= {
            who
            for who, what in self._pairs("decisions", "applicant", "decision")
            if what == "declined"
        }
        reviews = self.tables["applicants"]["review"]
        people = zip(self.market.applicants, self.state.held.tolist(), reviews, strict=True)
        self.remaining = {
            name
            for name, edge, review in people
            if edge < 0 and review != "withdrawn" and (declined or name not in had)
        }

    def programs(self, reopen: bool) -> None:
        """Programs with seats left, in classes that can reach what they lack."""
        market, state = self.market, self.state
        holds = np.array([len(people) for people in state.at], np.int64)
        self.cap_seats = {
            cap.name: max(0, cap.seats - int(holds[list(cap.programs)].sum()))
            for cap in market.caps
        }
        full = {p for cap in market.caps if not self.cap_seats[cap.name] for p in cap.programs}
        size = np.bincount(market.class_of, holds, len(market.order_classes)).astype(int)
        left = np.array([state.free(p) for p in range(len(market.programs))], np.int64)
        left[[p for p in range(len(left)) if p in full or not (reopen or state.open[p])]] = 0
        total = np.bincount(market.class_of, left, len(market.order_classes)).astype(int)
        self.begun = {market.order_classes[c] for c in np.flatnonzero(size)}
        lack = np.maximum(0, market.min_size - size)
        for p, c in enumerate(market.class_of.tolist()):
            if left[p] and lack[c] <= total[c]:
                self.seats[market.programs[p]] = int(left[p])
                self.missing[market.order_classes[c]] = int(lack[c])

    def made(self) -> dict[str, Table]:
        """The tables."""
        reserved = self._reserves()
        channels = {
            channel
            for program, channel in self._pairs("programs", "program", "channel")
            if program in self.seats
        }
        rows: Mapping[str, Callable[[Row], Row | None]] = {
            "applicants": self._applicant,
            "order_classes": self._order_class,
            "programs": lambda row: self._here(row, capacity=self.seats.get(row["program"], 0)),
            "scores": lambda row: (
                self._here(row) if row.get("program") or row["channel"] in channels else None
            ),
            "decisions": lambda row: self._here(row) if row["decision"] in CARRIED else None,
            "reserves": lambda row: self._reserve(
                row, reserved[row["program"], row["group"], row.get("hard") == "1"]
            ),
            "caps": self._cap,
        }
        found = {"applications": Table({c: [] for c in ("applicant", "rank", "program")})}
        for name, change in rows.items():
            if name in self.tables.tables:
                kept = [made for row in self.tables[name].records() if (made := change(row))]
                columns = self.tables[name].columns
                found[name] = Table({c: [row[c] for row in kept] for c in columns})
        return found

    def _pairs(self, table: str, one: str, two: str) -> list[tuple[str, str]]:
        return list(zip(self.tables[table][one], self.tables[table][two], strict=True))

    def _here(self, row: Row, **cells: int) -> Row | None:
        """A row with some cells changed, where its person and its program are in the next round."""
        if row.get("applicant") and row["applicant"] not in self.remaining:
            return None
        if row.get("program") and row["program"] not in self.seats:
            return None
        return row | {column: str(value) for column, value in cells.items()}

    def _reserve(self, row: Row, seats: int) -> Row | None:
        """A reserve with the seats left of it; one without any has nothing to fill."""
        if not seats and "must_fill" in row:
            row["must_fill"] = ""
        return self._here(row, seats=seats)

    def _applicant(self, row: Row) -> Row | None:
        if row["applicant"] not in self.remaining:
            return None
        if refused := row.get("not_accepted"):
            row["not_accepted"] = ";".join(c for c in split(refused) if c in self.missing)
        return row

    def _order_class(self, row: Row) -> Row | None:
        """A class asks for those it lacks; one that lacks nobody need not be opened by decree."""
        name = row["order_class"]
        if name not in self.missing:
            return None
        if name in self.begun and not self.missing[name] and "must_open" in row:
            row["must_open"] = ""
        return row | {"min_size": str(self.missing[name])}

    def _cap(self, row: Row) -> Row | None:
        """A cap with the seats left under it, where any of its programs is."""
        cap = next((cap for cap in self.market.caps if cap.name == row["cap"]), None)
        inside = [self.market.programs[p] for p in cap.programs] if cap else []
        inside = [name for name in inside if name in self.seats]
        if not inside:
            return None
        if row.get("programs"):
            row["programs"] = ";".join(inside)
        return row | {"seats": str(self.cap_seats[row["cap"]])}

    def _reserves(self) -> Counter[tuple[str, str, bool]]:
        """Reserved seats that nobody has taken, by program, group and hardness.

        Soft ones, in the order of the groups, as far as there are seats for them.
        """
        market, state = self.market, self.state
        taken: Counter[tuple[str, str, bool]] = Counter()
        for p, people in enumerate(state.at):
            label = state.choice.seat_labels(p, people)
            for edge, stage in people:
                if stage in (HARD, SOFT):
                    taken[market.programs[p], label[edge], stage == HARD] += 1
        left: Counter[tuple[str, str, bool]] = Counter()
        spare = Counter(self.seats)
        for r in sorted(market.reserves, key=lambda r: (not r.hard, market.groups[r.group])):
            key = (market.programs[r.program], market.groups[r.group], r.hard)
            left[key] = min(r.seats - taken[key], spare[key[0]])
            spare[key[0]] -= left[key]
        return left
