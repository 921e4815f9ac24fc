"""A round as rows of integers over columns of integers, for any solver that takes such rows.

This is the textbook's model, written from the rules alone and sharing nothing with ``matcher``'s
mechanisms: a column for each pair, one for each class that has a minimum, and one for each pair and
group of which a reserved seat may be filled.  A class is compared with all its seats, ``Σ x ≤ q · y``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matcher.market import Market
from matcher.policy import Policy

Int = NDArray[np.int64]
FAR = 2**40
"""Stands for "no limit"."""


class Part(NamedTuple):
    """One part of the objective: its name, and what each column is worth."""

    name: str
    worth: Int


@dataclass
class Model:
    """Columns between 0 and 1, and rows between two limits.

    Parameters
    ----------
    columns
        Number of columns.
    row, column, value
        The entries that are not 0.
    low, high
        Per row.
    """

    columns: int
    row: list[Int] = field(default_factory=list)
    column: list[Int] = field(default_factory=list)
    value: list[Int] = field(default_factory=list)
    low: list[int] = field(default_factory=list)
    high: list[int] = field(default_factory=list)

    def add(self, column: Int, value: Int | int, low: int, high: int) -> None:
        """One more row."""
        self.row.append(np.full(len(column), len(self.low)))
        self.column.append(np.asarray(column, np.int64))
        self.value.append(np.broadcast_to(np.asarray(value, np.int64), (len(column),)))
        self.low.append(low)
        self.high.append(high)

    def add_each(self, row: Int, column: Int, high: Int) -> None:
        """A row for each limit: its columns together stay within it."""
        self.row.append(len(self.low) + row)
        self.column.append(column)
        self.value.append(np.ones(len(column), np.int64))
        self.low += [-FAR] * len(high)
        self.high += high.tolist()

    def matrix(self) -> csr_array:
        """The rows."""
        parts = [np.concatenate(part) for part in (self.value, self.row, self.column)]
        return csr_array((parts[0], (parts[1], parts[2])), shape=(len(self.low), self.columns))


def textbook(market: Market, soft: bool = True) -> tuple[Model, Int]:
    """The rows of a round, and the columns that fill reserved seats.

    Parameters
    ----------
    soft
        Whether reserved seats filled are to be counted; otherwise only hard reserves have columns, as
        only they limit anybody.
    """
    edges, n = len(market.program), len(market.applicants)
    least = np.maximum(market.min_size, market.must_open)
    asked = np.flatnonzero((least > 1) | market.must_open)
    counted = _fillers(market, hard=False) if soft else []
    strict = _fillers(market, hard=True)
    first_fill = edges + len(asked)
    model = Model(first_fill + sum(len(f) for _, _, f in [*counted, *strict]))
    each = np.arange(edges)
    model.add_each(market.owner, each, np.ones(n, np.int64))
    model.add_each(market.program, each, market.capacity)
    for cap in market.caps:
        model.add(np.flatnonzero(np.isin(market.program, cap.programs)), 1, -FAR, cap.seats)
    seats = np.bincount(market.class_of, market.capacity, len(market.min_size)).astype(np.int64)
    home = market.class_of[market.program]
    by_class = np.argsort(home, kind="stable")
    bounds = np.searchsorted(home[by_class], np.arange(len(seats) + 1))
    for at, c in enumerate(asked.tolist()):
        mine = by_class[bounds[c] : bounds[c + 1]]
        columns = np.append(mine, edges + at)
        ones = np.ones(len(mine), np.int64)
        model.add(columns, np.append(ones, -int(least[c])), 0, FAR)
        model.add(columns, np.append(ones, -int(seats[c])), -FAR, 0)
        if market.must_open[c]:
            model.add(np.array([edges + at]), 1, 1, 1)
    begin = first_fill
    for family in (counted, strict):
        begin = _add_fills(model, market, family, begin, hard=family is strict)
    return model, first_fill + np.arange(sum(len(f) for _, _, f in counted))


def _fillers(market: Market, hard: bool) -> list[tuple[int, int, Int]]:
    """(program, reserved seats, edges of the group) for each program and group that has seats.

    Hard and soft seats of a group count together, unless only the hard ones are asked for.
    """
    seats: dict[tuple[int, int], int] = {}
    for r in market.reserves:
        if r.seats and (r.hard or not hard):
            seats[r.program, r.group] = seats.get((r.program, r.group), 0) + r.seats
    by_program = np.argsort(market.program, kind="stable")
    bounds = np.searchsorted(market.program[by_program], np.arange(len(market.programs) + 1))
    found = []
    for (p, group), number in sorted(seats.items()):
        here = by_program[bounds[p] : bounds[p + 1]]
        found.append((p, number, here[market.member[market.owner[here], group]]))
    return found


def _add_fills(
    model: Model, market: Market, family: Sequence[tuple[int, int, Int]], begin: int, *, hard: bool
) -> int:
    """Rows of a family of filling columns: a group's seats, one seat a person, who is there.

    Where hard seats stay empty, nobody else may have them.  Returns the next free column.
    """
    mine: dict[int, list[tuple[Int, Int]]] = {}
    reserved: dict[int, int] = {}
    for p, seats, edges in family:
        columns = begin + np.arange(len(edges))
        begin += len(edges)
        model.add(columns, 1, -FAR, seats)
        mine.setdefault(p, []).append((edges, columns))
        reserved[p] = reserved.get(p, 0) + seats
    for p, parts in mine.items():
        edges = np.concatenate([part[0] for part in parts])
        columns = np.concatenate([part[1] for part in parts])
        for edge in np.unique(edges).tolist():
            own = columns[edges == edge]
            model.add(np.append(own, edge), np.append(np.ones(len(own), np.int64), -1), -FAR, 0)
        if hard:
            here = np.flatnonzero(market.program == p)
            signs = np.append(np.ones(len(here), np.int64), -np.ones(len(columns), np.int64))
            limit = int(market.capacity[p]) - reserved[p]
            model.add(np.append(here, columns), signs, -FAR, limit)
    return begin


def objective(market: Market, policy: Policy, model: Model, fills: Int) -> list[Part]:
    """The parts of the policy's objective in order, each to be made as large as possible."""
    edges = len(market.program)

    def part(name: str, worth: Int) -> Part:
        full = np.zeros(model.columns, np.int64)
        full[:edges] = worth
        return Part(name, full)

    filling = np.zeros(model.columns, np.int64)
    filling[fills] = 1
    found = {
        "placed": [part("placed", np.ones(edges, np.int64))],
        "reserves": [Part("reserves", filling)],
        "fit": [part("fit", market.fit)],
        "rank": [part(name, worth) for name, worth in _ranks(market, policy)],
    }
    return [each for name in policy.objective for each in found[name]]


def _ranks(market: Market, policy: Policy) -> list[tuple[str, Int]]:
    rank, greatest = market.rank, market.greatest_rank
    if policy.rank == "min_cost":
        last = max(policy.max_choices, greatest)
        costs = [last, *(policy.rank_costs or range(last))]
        return [("rank", -np.array([costs[r] for r in rank.tolist()], np.int64))]
    if policy.rank == "rank_maximal":
        return [(f"rank_{r}", (rank == r).astype(np.int64)) for r in [*range(1, greatest + 1), 0]]
    return [(f"rank_{r}", -(rank == r).astype(np.int64)) for r in [0, *range(greatest, 0, -1)]]
