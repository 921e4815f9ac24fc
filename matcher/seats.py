"""The value of a seat: the price at which the outcome holds it, and what one more of it would do.

The price is read off the result and bounds what one more seat can gain; what it does gain, and whom it
moves, comes from the round placed again.  Most programs need no second solve: see
:func:`matcher.solve.with_a_seat`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .cells import Int
from .choice import Choice
from .objective import Counted, components, evaluate
from .solve import with_a_seat
from .tables import Tables
from .whatif import Move, Solved, change_of, workers

BLOCK = 40
"""Programs that are handed out together: they share work."""

LIKED = {"better": 1, "gained": 1, "worse": -1, "lost": -1}
"""Whether those who move are glad of it."""


@dataclass(frozen=True, slots=True)
class SeatValue:
    """What one more seat at a program does.

    Parameters
    ----------
    program, capacity
        The program, and the seats that it has.
    proven
        Whether it is proven, without a second solve, that nobody moves.
    price
        Under ``optimal``, what an open seat there costs: what the round would lose in each component
        of the objective with one seat less.  None where a seat has no price.
    gain
        What the round gains in each component; lottery apart.
    placed
        People placed more.
    moved
        Everybody who moves, by id.
    complete
        Whether the round with the seat was solved to its end; else this is the best found so far.
    """

    program: str
    capacity: int
    proven: bool
    price: tuple[int, ...] | None
    gain: tuple[int, ...]
    placed: int = 0
    moved: tuple[Move, ...] = ()
    complete: bool = True

    def people(self, change: str) -> int:
        """How many people move to whom it is this: see :func:`matcher.compare`."""
        return sum(move.change == change for move in self.moved)


def ordered(base: Solved) -> list[Counted]:
    """The components of the objective in order, lottery apart: what prices and gains speak of."""
    every = replace(base.policy, objective=("placed", "reserves", "rank", "fit"))
    named = {component.name: component for component in components(base.market, every)}
    return [named[name] for name in base.result.components if name in named]


def names(base: Solved) -> list[str]:
    """Their names."""
    return [component.name for component in ordered(base)]


def value_of_seats(
    base: Solved, programs: Sequence[str] | None = None, jobs: int = 1,
    done: Callable[[int], object] = lambda number: None,
) -> list[SeatValue]:  # fmt: skip
    """What one more seat at each of some programs does, the greatest value first.

    Parameters
    ----------
    base
        The round.
    programs
        Their ids; by default all.
    jobs
        Processes to spread the solving over.
    done
        Told how many programs have just been done.

    Raises
    ------
    KeyError
        If there is no such program.

    Notes
    -----
    By value: people placed, the gain in the order of the objective, people better off less those
    worse off, then plan order.  The market is built once.
    """
    market = base.market
    index = {name: at for at, name in enumerate(market.programs)}
    chosen = [index[name] for name in (market.programs if programs is None else programs)]
    chosen.sort(key=market.program_order.__getitem__)
    found: list[SeatValue] = []
    jobs = min(jobs, -(-len(chosen) // BLOCK))
    if jobs < 2 or base.result.mechanism == "optimal":  # … which shares all its work among them
        for value in _each(base, chosen):
            found.append(value)
            done(1)
    else:
        blocks = [chosen[low : low + BLOCK] for low in range(0, len(chosen), BLOCK)]
        # What a mechanism does not read need not be sent to a process.
        bare = Tables({}, b"", base.tables.draw)
        sent = replace(base, tables=bare, market=replace(market, tables=bare))
        with workers(sent, jobs, _values) as each:
            for values in each(blocks):
                found += values
                done(len(values))
    place = {name: int(market.program_order[p]) for name, p in index.items()}

    def merit(value: SeatValue) -> tuple[object, ...]:
        liked = sum(LIKED.get(move.change, 0) for move in value.moved)
        return -value.placed, [-part for part in value.gain], -liked, place[value.program]

    return sorted(found, key=merit)


def _values(base: Solved, programs: Sequence[int]) -> list[SeatValue]:
    """What one more seat at each of some programs does."""
    return list(_each(base, programs))


def _each(base: Solved, programs: Sequence[int]) -> Iterator[SeatValue]:
    measure = _Measure(base)
    for p, after, complete in with_a_seat(base.market, base.stated, base.result, programs):
        yield replace(measure.value(p, after), complete=complete)


class _Measure:
    """Measures outcomes of a round against its own."""

    def __init__(self, base: Solved) -> None:
        self.base = base
        self.names = [*base.market.programs, ""]
        self.ordered = ordered(base)
        self.choice = Choice(replace(base.market, caps=()))
        self.held = base.market.edges_of(base.result.matching)
        self.before = self._merit(base.result.matching)
        self.prices = {
            t.program: t.price[: len(self.ordered)]
            for t in base.result.thresholds
            if t.stage == "open" and t.price is not None
        }

    def _merit(self, matching: Int) -> Int:
        """The objective of a placement, lottery apart."""
        return np.array(evaluate(self.base.market, self.ordered, matching, self.choice), np.int64)

    def value(self, p: int, after: Int) -> SeatValue:
        """What the seat does whose addition gives this placement."""
        market = self.base.market
        about = market.programs[p], int(market.capacity[p])
        proven = after is self.base.result.matching
        price = self.prices.get(p)
        if (after == self.base.result.matching).all():
            return SeatValue(*about, proven, price, (0,) * len(self.before))
        matching = self.base.result.matching
        held = market.edges_of(after)
        moved = sorted(
            Move(
                market.applicants[i], self.names[matching[i]], self.names[after[i]],
                change_of(market, int(self.held[i]), int(held[i])),
            )
            for i in np.flatnonzero(after != matching)
        )  # fmt: skip
        return SeatValue(
            *about, False, price, tuple((self._merit(after) - self.before).tolist()),
            int((after >= 0).sum() - (matching >= 0).sum()), tuple(moved),
        )  # fmt: skip
