"""Outcomes of rounds that differ from one another in little, by runs that share their beginnings.

In deferred acceptance people may propose in any order.  So what a change concerns comes last: a program
with one more seat looks at no offer before everybody has settled elsewhere, an applicant with another
score or list makes none.  What has happened until then is the same with the change and without it, and
from there on every variant goes on by itself.  This holds with reserves and caps as well, as every
choice is substitutable.  Closing class after class goes on from such runs too.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from ..cells import Int
from ..choice import Choice
from ..market import Market
from .closing import in_turn
from .deferred import DeferredAcceptance

Closed = frozenset[int]


class _Shared:
    """Runs in which all but one of some programs have looked at their offers.

    Nested: half of the programs wait, then half of these, and so on; what is released on the way down
    to one program serves its neighbours too, if they are asked for in order.
    """

    def __init__(self, market: Market, choice: Choice, programs: Sequence[int], closed: Closed):
        self.programs = programs
        run = DeferredAcceptance(market, choice, closed, programs)
        self.stack = [(0, len(programs), run)]

    def without(self, at: int) -> DeferredAcceptance:
        """The run in which only the program at this place still waits."""
        while not self.stack[-1][0] <= at < self.stack[-1][1]:
            self.stack.pop()
        low, high, run = self.stack[-1]
        while high - low > 1:
            middle = (low + high) // 2
            run = run.copy()
            if at < middle:
                run.release(self.programs[middle:high])
                high = middle
            else:
                run.release(self.programs[low:middle])
                low = middle
            self.stack.append((low, high, run))
        return run


def with_a_seat(
    market: Market, choice: Choice, programs: Sequence[int]
) -> Iterator[tuple[int, DeferredAcceptance]]:
    """The last run of sequential closing with one more seat at each of some programs.

    Notes
    -----
    Each level of halving costs about one run, for every set of closed classes from which a run has
    to start; each program costs what its own offers set off.
    """
    shared: dict[Closed, _Shared] = {}
    for at, p in enumerate(programs):
        more = copy.copy(choice)
        more.seats = choice.seats.copy()
        seats = more.seats[p]
        more.seats[p] = replace(
            seats,
            capacity=seats.capacity + 1,
            open_first=seats.open_first + more.open_first,
        )

        def begin(closed: Collection[int], at: int = at, more: Choice = more) -> DeferredAcceptance:
            key = frozenset(closed)
            if key not in shared:
                shared[key] = _Shared(market, choice, programs, key)
            run = shared[key].without(at).copy()
            run.choice, run.begin = more, begin
            run.release([programs[at]])
            return run

        *_, last = in_turn(begin(()))
        yield p, last


def idle(market: Market, choice: Choice) -> list[int]:
    """The programs whom one more seat would not change at all.

    Such a program turns nobody away in any run of sequential closing: all the offers that it ever had,
    together, it would take.  With one more seat it takes them too, so every run stays what it is.
    Where some open seats come first, one more of them changes the order in which a program takes
    people, and with it whom a cap above takes; programs under a cap are then never idle.
    """
    ordered = {p for cap in market.caps for p in cap.programs} if choice.open_first else set()
    idle = set(range(len(market.programs))) - ordered
    edges, last = np.arange(len(market.program)), market.start[1:] - 1
    for run in in_turn(DeferredAcceptance(market, choice)):
        reached = edges <= np.minimum(np.array(run.next), last)[market.owner]
        offers: dict[int, list[int]] = {}
        for edge in edges[reached].tolist():
            offers.setdefault(choice.program[edge], []).append(edge)
        for p, made in offers.items():
            shut = int(market.class_of[p]) in run.closed
            if not shut and len(choice.at_program(p, made)) < len(made):
                idle.discard(p)
    return sorted(idle)
