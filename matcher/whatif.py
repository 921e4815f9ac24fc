"""Counterfactuals: change the round a little, solve again, say who moves.

Nothing here is read off a threshold: every answer is a second outcome of the same mechanism, with the
same lottery.  :mod:`matcher.explain` says why; this says what else would have been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

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

    @property
    def stated(self) -> Policy:
        """The policy, the round's draw stated in it."""
        return pinned(self.tables, self.policy)

    def again(self, market: Market) -> tuple[Int, bool]:
        """Who goes where in a market that differs from this one, and if that is certain.  Shape (n,).

        It is not where the search was cut short.
        """
        return matching(market, self.stated)


@dataclass(frozen=True, slots=True, order=True)
class Move:
    """Somebody who moves, blank for no place, and what that is to her: see :func:`compare`."""

    applicant: str
    before: str
    after: str
    change: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A class that a change opens: how many people it has, and the minimum that it had."""

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
        """The classes that the changes open by decree."""
        before, after = self.before.market, self.after.market
        sizes = class_sizes(after, self.after.result.matching)
        people = dict(zip(after.order_classes, sizes.tolist(), strict=True))
        minimum = dict(zip(before.order_classes, before.min_size.tolist(), strict=True))
        named = [change.order_class for change in self.changes if isinstance(change, Open)]
        return tuple(Kept(c, people[c], minimum[c]) for c in named)


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
    found = faults(tables, changes, policy.mechanism)
    if found:
        raise InvalidRound(found)
    return compared(changes, before or Solved.of(tables, policy))


def compared(changes: Iterable[Change], before: Solved) -> Comparison:
    """What :func:`whatif` gives for changes without faults."""
    policy, changes = before.policy, tuple(dict.fromkeys(changes))
    tables = changed(before.tables, changes, policy.mechanism)
    after = Solved.of(tables, before.stated)
    figures = compare(before.market, policy, before.result, after.result, after.market)
    return Comparison(changes, before, after, figures)


def change_of(market: Market, was: int, is_: int) -> str:
    """What it is to somebody to go from one of her edges to another, −1 for no place: see :func:`compare`.

    Blank where she stays.
    """
    if was == is_:
        return ""
    if was < 0 or is_ < 0:
        return "gained" if was < 0 else "lost"
    if market.rank[was] and market.rank[was] == market.rank[is_]:
        return "same"
    return "better" if is_ < was else "worse"


# --- in processes of their own

Task = Callable[[Solved, Any], Any]


@contextmanager
def workers(
    base: Solved, jobs: int, task: Task
) -> Iterator[Callable[[Sequence[Any]], Iterable[Any]]]:
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


def _ask(item: Any) -> Any:
    base, task = _HERE[0]
    return task(base, item)
