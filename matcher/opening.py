"""What would have opened a class: more people, a lower minimum, or a decree and what that costs.

Found by solving the round again, as :mod:`matcher.enough` does for a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .cells import BLANK
from .changes import Open, faults
from .enough import beginnings_of
from .least import TRIES, Search, least
from .market import Market
from .mechanisms import nearby
from .result import class_sizes, opened_classes
from .solve import NoPlan
from .tables import Issue
from .whatif import Comparison, Solved, compared


@dataclass(frozen=True, slots=True)
class Opening:
    """What would have opened a class.

    Parameters
    ----------
    order_class, opened, placed, min_size
        The class, whether it opened, its people, its minimum.  The people of a class that was closed
        are those it had then or, under exact closing, would have if it alone were opened again.
    reach
        How many people it could hold at most, whoever else goes where.
    saves
        Under exact closing: the other classes that would fall short if it were opened again.
    more
        The least number of further applicants who list the class alone and come after everybody
        else who lists it; None where the class is open.
    lower
        By how much the minimum would have had to be lower; None where the class is open, or where
        it has no minimum that could be.
    decree
        Under ``optimal``: the best plan in which the class opens, against the best of all.
    refused
        Why no decree can open it.
    complete
        Whether every solve that this rests on went to its end; else it rests on the best found so far.
    impossible
        The round with the decree, if no plan keeps it: see :mod:`matcher.conflicts`.
    """

    order_class: str
    opened: bool
    placed: int
    min_size: int
    reach: int
    saves: tuple[str, ...] = ()
    more: Search | None = None
    lower: Search | None = None
    decree: Comparison | None = None
    refused: tuple[Issue, ...] = ()
    impossible: Market | None = None
    complete: bool = True

    @property
    def minimum(self) -> int | None:
        """The greatest minimum found at which it would have opened."""
        if self.lower is None or self.lower.value is None:
            return None
        return self.min_size - self.lower.value


def of_class(base: Solved, order_class: str, tries: int = TRIES) -> Opening:
    """What would have opened a class.

    Parameters
    ----------
    base
        The round.
    order_class
        Its id.
    tries
        Solves that may be made for one search.

    Raises
    ------
    KeyError
        If there is no such class.

    Notes
    -----
    Under ``optimal`` more people or a lower minimum help ever more: every plan with the class open
    stays possible and no other one gets better.  Elsewhere every number is tried from the first one up.
    """
    market = base.market
    c = {name: at for at, name in enumerate(market.order_classes)}[order_class]
    closing = next((x for x in base.result.closings if x.order_class == c), None)
    placed = closing.placed if closing else int(class_sizes(market, base.result.matching)[c])
    size = int(market.min_size[c])
    reach = market.reach(c)
    if base.result.opened[c]:
        return Opening(order_class, True, placed, size, reach)
    saves = tuple(market.order_classes[other] for other in closing.saves) if closing else ()
    optimal = base.result.mechanism == "optimal"
    opens = _Opens(base, c)
    lower = None
    if size > 1:
        lower = least(opens.with_lower, range(1, size), optimal, tries)
    found = Opening(
        order_class, False, placed, size, reach, saves,
        least(opens.with_more, range(1, max(1, size) + 1), optimal, tries), lower,
    )  # fmt: skip
    found = replace(found, complete=opens.complete)
    if not optimal:
        return found
    issues = tuple(faults(base.tables, [Open(order_class)], "optimal"))
    if issues:
        return replace(found, refused=issues)
    try:
        decree = compared([Open(order_class)], base)
        complete = found.complete and decree.after.result.publishable
        return replace(found, decree=decree, complete=complete)
    except NoPlan as error:
        return replace(found, impossible=error.market)


class _Opens:
    """Whether a class opens in rounds that differ from a given one in little."""

    def __init__(self, base: Solved, c: int) -> None:
        self.base, self.c, self.complete = base, c, True
        market, size = base.market, max(1, int(base.market.min_size[c]))
        self.joined = _joined(market, c, size)
        newcomers = range(len(market.applicants), len(market.applicants) + size)
        shared = beginnings_of(base)
        self.more: Callable[[int], Any] | None = None
        self.lower: Callable[[Market], Any] | None = None
        if shared is not None:
            joined = beginnings_of(replace(base, market=self.joined))
            assert joined is not None
            self.more = nearby.with_more(self.joined, joined, newcomers)
            self.lower = nearby.with_minimums(market, shared)

    def with_more(self, number: int) -> bool:
        """Whether it does with so many more people who list it alone."""
        if self.more is not None:
            return self._has(self.joined, self.more(number).matching())
        joined = _joined(self.base.market, self.c, number)
        return self._again(joined)

    def with_lower(self, by: int) -> bool:
        """Whether it does with a minimum lower by so many people."""
        minimum = self.base.market.min_size.copy()
        minimum[self.c] -= by
        lower = replace(self.base.market, min_size=minimum)
        if self.lower is not None:
            return self._has(lower, self.lower(lower).matching())
        return self._again(lower)

    def _again(self, market: Market) -> bool:
        matching, complete = self.base.again(market)
        self.complete &= complete
        return self._has(market, matching)

    def _has(self, market: Market, matching: Any) -> bool:
        return bool(opened_classes(market, matching)[self.c])


def _joined(market: Market, c: int, number: int) -> Market:
    """The market with so many more people who list a class alone.

    Without a score and last in the lottery they come after everybody who lists it.
    """
    inside = np.flatnonzero(market.class_of == c)
    inside = inside[np.argsort(market.program_order[inside])]
    edges = number * len(inside)

    def more(column: Any, value: object) -> Any:
        return np.append(column, np.full(edges, value, column.dtype))

    last = [b"\xff" * 32 + n.to_bytes(4) for n in range(number)]
    ties = np.full((len(market.ties), edges), BLANK)
    return replace(
        market,
        applicants=[*market.applicants, *(f"\0{n}" for n in range(number))],
        start=np.append(market.start, market.start[-1] + len(inside) * np.arange(1, number + 1)),
        program=np.append(market.program, np.tile(inside, number)),
        rank=more(market.rank, 1),
        score=more(market.score, BLANK),
        ties=np.concatenate([market.ties, ties], axis=1),
        fit=more(market.fit, 0),
        approved=more(market.approved, False),
        relaxed=more(market.relaxed, False),
        member=np.append(market.member, np.zeros((number, len(market.groups)), bool), axis=0),
        drawn=[*market.drawn, *last],
        applied=np.append(market.applied, np.ones(number, bool)),
        greatest_rank=max(1, market.greatest_rank),
    )
