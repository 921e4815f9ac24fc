"""Counterfactuals: change the round a little, solve again, say who moves.

Nothing here is read off a threshold: every answer is a second outcome of the same mechanism, with the
same lottery.  :mod:`matcher.explain` says why; this says what else would have been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .cells import Int
from .changes import Change, Open, changed, faults, pinned
from .market import Market
from .policy import Policy
from .report import Document, compare
from .result import Result, class_sizes
from .solve import matching, solve
from .tables import InvalidRound, Tables


@dataclass(frozen=True, eq=False)
class Solved:
    """A round and its outcome."""

    tables: Tables
    policy: Policy
    market: Market
    result: Result

    @classmethod
    def of(cls, tables: Tables, policy: Policy) -> Solved:
        """Solve a round.

        Raises
        ------
        InvalidRound, UnsupportedConstraint
            As :meth:`Market.from_tables` and :func:`matcher.solve` do.
        """
        market = Market.from_tables(tables, policy)
        return cls(tables, policy, market, solve(market, policy))

    def again(self, market: Market) -> Int:
        """Who goes where in a market that differs from this one.  Shape (n,)."""
        return matching(market, pinned(self.tables, self.policy))[0]


@dataclass(frozen=True, slots=True)
class Move:
    """Somebody who moves, blank for no place, and what that is to her: see :func:`compare`."""

    applicant: str
    before: str
    after: str
    change: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A class that a change keeps open: how many people it has, and the minimum that it had."""

    order_class: str
    placed: int
    min_size: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """A round before and after changes.

    Parameters
    ----------
    changes
        What was changed.
    before, after
        Both rounds with their outcomes.
    figures
        Both results side by side, as :func:`matcher.compare` gives them.
    """

    changes: tuple[Change, ...]
    before: Solved
    after: Solved
    figures: Document

    @property
    def moves(self) -> tuple[Move, ...]:
        """Everybody who moves, by id.  This is for those who run the round, not for applicants."""
        return tuple(
            Move(m["applicant"], m["from"], m["to"], m["change"]) for m in self.figures["moved"]
        )

    @property
    def kept(self) -> tuple[Kept, ...]:
        """The classes that the changes keep open."""
        market = self.before.market
        sizes = class_sizes(market, self.after.result.matching)
        at = {name: c for c, name in enumerate(market.order_classes)}
        named = [change.order_class for change in self.changes if isinstance(change, Open)]
        return tuple(Kept(c, int(sizes[at[c]]), int(market.min_size[at[c]])) for c in named)


def whatif(
    tables: Tables, policy: Policy, changes: Iterable[Change], before: Solved | None = None
) -> Comparison:
    """What a round would have been with some changes: solved again, and compared.

    Parameters
    ----------
    tables, policy
        A sound round and its rules.
    changes
        See :mod:`matcher.changes`.  The lottery stays what it is.
    before
        The round's own outcome, where it is known already.

    Raises
    ------
    InvalidRound
        With everything that is wrong with the changes and with the round that they make.
    UnsupportedConstraint
        If the mechanism cannot honour what the changed round asks.

    Examples
    --------
    >>> whatif(tables, policy, [Seats("P", 1), Withdraw("A")]).moves  # doctest: +SKIP
    (Move(applicant='A', before='P', after='', change='worse'), …)
    """
    changes = tuple(dict.fromkeys(changes))
    found = faults(tables, changes)
    if found:
        raise InvalidRound(found)
    before = before or Solved.of(tables, policy)
    after = Solved.of(changed(tables, changes), pinned(tables, policy))
    figures = compare(before.market, policy, before.result, after.result, after.market)
    return Comparison(changes, before, after, figures)


# --- the value of a seat


def one_more(market: Market, p: int) -> Market:
    """The market with one more seat at a program."""
    capacity = market.capacity.copy()
    capacity[p] += 1
    return replace(market, capacity=capacity)


@dataclass(frozen=True, slots=True)
class SeatValue:
    """What one more seat at a program does: people placed more, and who moves how."""

    program: str
    capacity: int
    placed: int
    better: int
    worse: int
    same: int

    @property
    def moves(self) -> int:
        """Everybody who moves."""
        return self.better + self.worse + self.same


def full_programs(base: Solved) -> list[str]:
    """The programs whose open seats are all taken, in plan order."""
    market, taken = base.market, base.result.matching
    held = np.bincount(taken[taken >= 0], minlength=len(market.programs))
    full = held == market.capacity
    # Hard reserves may leave a seat empty in a program that is full for everybody else.
    full[[t.program for t in base.result.thresholds if (t.stage, t.state) == ("open", "full")]] = 1
    chosen = np.flatnonzero(full & (held > 0))
    return [market.programs[p] for p in chosen[np.argsort(market.program_order[chosen])]]


def value_of_seats(
    base: Solved, programs: Sequence[str] | None = None, jobs: int = 1,
    done: Callable[[], object] = lambda: None,
) -> list[SeatValue]:  # fmt: skip
    """What one more seat at each of some programs does, the greatest value first.

    Parameters
    ----------
    base
        The round.
    programs
        Their ids; by default every full program.
    jobs
        Processes to spread the solving over.
    done
        Called after each program.

    Raises
    ------
    KeyError
        If there is no such program.

    Notes
    -----
    One solve for each program; the market is built once.  By value: people placed, then people
    better off less those worse off, then plan order.
    """
    market = base.market
    index = {name: at for at, name in enumerate(market.programs)}
    chosen = [index[name] for name in (full_programs(base) if programs is None else programs)]
    found = []
    # What a mechanism does not read need not be sent to a process.
    bare = Tables({}, b"", base.tables.draw)
    sent = replace(base, tables=bare, market=replace(market, tables=bare))
    with workers(sent, min(jobs, len(chosen)), _value) as each:
        for value in each(chosen):
            found.append(value)
            done()
    order = {name: int(market.program_order[p]) for name, p in index.items()}
    return sorted(found, key=lambda v: (-v.placed, v.worse - v.better, order[v.program]))


def _value(base: Solved, p: int) -> SeatValue:
    """What one more seat at a program does."""
    market = base.market
    was, is_ = (
        market.edges_of(matched)
        for matched in (base.result.matching, base.again(one_more(market, p)))
    )
    ends = market.start[1:]
    was_at, is_at = np.where(was < 0, ends, was), np.where(is_ < 0, ends, is_)
    rank = np.append(market.rank, 0)
    same = (was != is_) & (rank[was] > 0) & (rank[was] == rank[is_])
    return SeatValue(
        market.programs[p], int(market.capacity[p]),
        int((is_ >= 0).sum()) - int((was >= 0).sum()),
        int(((is_at < was_at) & ~same).sum()), int(((is_at > was_at) & ~same).sum()),
        int(same.sum()),
    )  # fmt: skip


# --- in processes of their own

Task = Callable[[Solved, int], Any]


@contextmanager
def workers(
    base: Solved, jobs: int, task: Task
) -> Iterator[Callable[[Sequence[int]], Iterable[Any]]]:
    """A way to ask the same of a round again and again, here or in so many processes."""
    if jobs < 2:
        yield lambda items: (task(base, item) for item in items)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Fresh processes, as a copy of one whose threads draw a progress bar may hang.
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (base, task))
    try:
        yield lambda items: pool.map(_ask, items)
    finally:
        pool.shutdown(cancel_futures=True)


_HERE: list[tuple[Solved, Task]] = []
"""What a process of its own was started for."""


def _begin(base: Solved, task: Task) -> None:
    _HERE[:] = [(base, task)]


def _ask(item: int) -> Any:
    base, task = _HERE[0]
    return task(base, item)
