"""The best of the weakly stable placements of greatest size, for given open classes.

To find the greatest size is NP-hard, to come within a factor of 33/29 of it too (Manlove, Irving, Iwama,
Miyazaki & Morita 2002, doi 10.1016/S0304-3975(01)00206-7; Yanagisawa 2007).  Here: pairs that no weakly
stable placement holds are deleted (``trimmed.py``).  What is left falls into parts that share no program
which could be full.  Each part is searched by itself (``levels.py``), the objectives one after another,
each on what is best for the earlier ones.  It begins with the best of some placements that break ties
(``promotion.py``), one of them in favour of the people whom an earlier run placed.  As sums are compared
component by component, the best placements of the parts make the best of the whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .. import lottery
from ..cells import Int
from ..market import Market
from ..objective import LOTTERY, Component, ceiling, components
from ..policy import Policy
from .cover import Cover, least_cover
from .levels import Levels, Limit
from .plan import Weights
from .promotion import NONE, promoting
from .trimmed import Bool, possible

Values = tuple[int, ...]

_PACKED = 2**40
"""Sums up to which several objectives are made one: doubles, in which a solver relaxes, keep them."""


@dataclass(frozen=True)
class Part:
    """The best placement found of a part.

    Parameters
    ----------
    edges
        Who is placed where.
    bound
        What is proven of each objective.
    proven, unique
        Whether no other is better; whether no other is as good.
    """

    edges: Int
    bound: Values
    proven: bool
    unique: bool


@dataclass(frozen=True)
class Run:
    """The placement among given open classes: that of all the parts, and the cover of the pairs left."""

    edges: Int
    matching: Int
    cover: Cover
    bound: Values
    proven: bool
    unique: bool


class Search:
    """Finds placements of a market, whatever classes are closed; a part is solved only once.

    Attributes
    ----------
    ordered
        The components of the objective: ``placed``, what the policy orders of ``rank`` and ``fit``,
        the lottery's two weights.
    """

    def __init__(self, market: Market, policy: Policy, limit: Limit) -> None:
        self.market, self.policy, self.limit = market, policy, limit
        size = len(market.program)
        named = [c for c in components(market, policy) if c.name not in ("placed", "reserves")]
        self.lottery = [Component(name, np.zeros(size, np.int64)) for name in LOTTERY]
        self.ordered = [Component("placed", np.ones(size, np.int64)), *named, *self.lottery]
        self.drawn = np.zeros(size, bool)
        self.solved: dict[bytes, Part] = {}
        self.before = NONE

    def run(self, closed: Collection[int]) -> Run:
        """The placement among the classes that are open.

        Where a solver's placement is blocked by somebody, it is the best one that was made without a
        solver, of which nothing is proven.
        """
        market = self.market
        left = possible(market, closed)
        self._draw(left)
        cover = least_cover(market, np.flatnonzero(left))
        guesses = [
            promoting(market, left, market.lottery),
            promoting(market, left, -market.lottery),
            promoting(market, left, market.lottery, self.before),
        ]
        parts = [self._part(edges, guesses, cover) for edges in self._split(left)]
        edges = np.concatenate([NONE, *(part.edges for part in parts)])
        if not is_weakly_stable(market, self._matching(edges), closed):
            self.before = max(guesses, key=self.values)
            matching = self._matching(self.before)
            return Run(self.before, matching, cover, self.ceiling, proven=False, unique=True)
        self.before, matching = edges, self._matching(edges)
        bounds = [part.bound for part in parts]
        return Run(
            edges, matching, cover,
            tuple(sum(of) for of in zip(*bounds, strict=True)) or (0,) * len(self.ordered),
            all(part.proven for part in parts), all(part.unique for part in parts),
        )  # fmt: skip

    def _matching(self, edges: Int) -> Int:
        """Who goes where by some edges.  Shape (n,)."""
        matching = np.full(len(self.market.applicants), -1)
        matching[self.market.owner[edges]] = self.market.program[edges]
        return matching

    def values(self, edges: Int) -> Values:
        """What a placement is worth."""
        return tuple(int(component.worth[edges].sum()) for component in self.ordered)

    @cached_property
    def ceiling(self) -> Values:
        """What no placement exceeds, whichever classes are open."""
        market = self.market
        most = [ceiling(market, component) for component in self.ordered[: -len(self.lottery)]]
        most[0] = least_cover(market, np.arange(len(market.program))).size
        return (*most, *[len(market.applicants) << lottery.TIE_BITS] * len(self.lottery))

    def _draw(self, left: Bool) -> None:
        """Weigh the edges that have not been weighed yet."""
        fresh = np.flatnonzero(left & ~self.drawn)
        self.drawn[fresh] = True
        if len(fresh):
            both = Weights(self.market, self.policy).of(fresh)
            for at, component in enumerate(self.lottery):
                component.worth[fresh] = both[:, at]

    def _split(self, left: Bool) -> Iterator[Int]:
        """The edges of each part, the smallest part first.

        A program with a seat for everybody left at it keeps nobody apart: it is in many parts.
        """
        market, n = self.market, len(self.market.applicants)
        people = np.bincount(market.program[left], minlength=len(market.programs))
        edges = np.flatnonzero(left)
        scarce = edges[(people > market.capacity)[market.program[edges]]]
        ends = (market.owner[scarce], n + market.program[scarce])
        graph = coo_array((np.ones(len(scarce), np.int8), ends), shape=(n + len(people),) * 2)
        _, part = connected_components(graph, directed=False)
        of_edge = part[market.owner[edges]]
        order = np.argsort(of_edge, kind="stable")
        bounds = np.flatnonzero(np.diff(of_edge[order])) + 1
        return iter(sorted(np.split(edges[order], bounds), key=len)) if len(edges) else iter(())

    def _part(self, edges: Int, guesses: list[Int], cover: Cover) -> Part:
        """The best placement of a part; whoever is alone with a program has it."""
        if len(edges) == 1:
            return Part(edges, self.values(edges), True, True)
        key = edges.tobytes()
        if key not in self.solved:
            inside = [guess[np.isin(guess, edges)] for guess in guesses]
            self.solved[key] = self._best(edges, max(inside, key=self.values), cover)
        return self.solved[key]

    def _best(self, edges: Int, known: Int, cover: Cover) -> Part:
        """One objective after another, until only one placement is left."""
        values = self.values
        size, *drawn = (c.worth for c in (self.ordered[0], *self.lottery))
        bound = [*self._ceilings(edges, cover)]
        model = Levels(self.market, edges)
        for worth in (size, *self._packed(edges), *drawn):
            most = bound[0] if worth is size else self._most(worth, edges)
            best = model.best(worth, known, most, self.limit)
            known, value = best.edges, int(worth[best.edges].sum())
            if worth is size:
                bound[0] = best.bound
            if value < best.bound:
                return Part(known, tuple(bound), False, True)
            if any(worth is weight for weight in drawn):
                try:
                    other = model.other(known, worth, self.limit)
                except TimeoutError:
                    return Part(known, values(known), False, True)
                if other is None:
                    return Part(known, values(known), True, True)
                if worth[other].sum() > value:  # the solver stopped short of its own best
                    return Part(other, self._ceilings(edges, cover), False, True)
            model.fix(worth, value)
        return Part(known, values(known), True, False)

    def _ceilings(self, edges: Int, cover: Cover) -> Values:
        """What no placement of a part exceeds in each objective, whatever a solver says."""
        most = (self._most(component.worth, edges) for component in self.ordered[1:])
        return self._covered(edges, cover), *most

    def _covered(self, edges: Int, cover: Cover) -> int:
        """How many people of a part the cover lets be placed."""
        people = np.intersect1d(self.market.owner[edges], cover.people)
        programs = np.intersect1d(self.market.program[edges], cover.programs)
        return len(people) + int(self.market.capacity[programs].sum())

    def _packed(self, edges: Int) -> Iterator[Int]:
        """What the policy orders, in few integers: one step of an objective outweighs all after it."""
        packed = np.zeros(len(self.drawn), np.int64)
        for component in self.ordered[1 : -len(self.lottery)]:
            scale = self._range(component.worth, edges) + 1
            if self._range(packed, edges) * scale > _PACKED:
                yield packed
                packed = np.zeros_like(packed)
            packed = packed * scale + component.worth
        if packed[edges].any():
            yield packed

    def _range(self, worth: Int, edges: Int) -> int:
        """By how much two placements of a part can differ at most."""
        return self._most(worth, edges) + self._most(-worth, edges)

    def _most(self, worth: Int, edges: Int) -> int:
        """What the people of a part can be worth at most, each by herself."""
        first = np.flatnonzero(np.diff(self.market.owner[edges], prepend=-1))
        return int(np.maximum(np.maximum.reduceat(worth[edges], first), 0).sum())


def is_weakly_stable(market: Market, matching: Int, closed: Collection[int] = ()) -> bool:
    """Whether a placement keeps capacities and nobody blocks it at an open program."""
    held = market.edges_of(matching)
    held = held[held >= 0]
    people = np.bincount(market.program[held], minlength=len(market.programs))
    worst = np.full(len(people), -1)
    np.maximum.at(worst, market.program[held], market.level[held])
    worst[people < market.capacity] = len(market.program)
    worst[np.isin(market.class_of, list(closed))] = -1
    wanted = market.preferred(matching, by_rank=True)
    blocks = wanted & (market.level < worst[market.program])
    return not blocks.any() and bool((people <= market.capacity).all())
