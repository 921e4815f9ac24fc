"""The pairs that a weakly stable placement may hold, when ties are not broken.

A program's priority is a weak order of *levels*, a list a weak order of *tiers*: the programs of one
class stand in one tier, each program of the tail in one of its own.  A placement within capacities is
*weakly stable* if nobody blocks it.  A person blocks it at a program that she prefers strictly to what
she has, if it has an empty seat or holds somebody of a strictly worse level.

A pair is deleted where no weakly stable placement holds it:

*   Where q people of level l or better have one program of q seats alone in their first tier, it has
    nobody of a level worse than l.  For if all of them are there it is full; and if one is not, she
    does not block, so it is full of people of her level or better.
*   Where at most q people have level l or better at a program of q seats, none of them has anything
    worse than it.  For if one had, she would have to be kept out by q people of her level or better,
    and with her they would be more than q.

Deletion leaves the weakly stable placements as they are.  It takes none of them away.  And one of the
lists that are left does not block at a deleted pair: the same arguments hold in what is left, as the
people and pairs that they speak of are still there.  So the rules may be repeated; in what order they
apply does not matter, as what permits a deletion stays when others are made.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from ..cells import Int
from ..market import Market

Bool = NDArray[np.bool_]


def tiers(market: Market) -> Int:
    """Per edge, the number of its tier; it rises along a person's list, and from person to person."""
    edges = np.arange(1, len(market.program))
    fresh = np.ones(len(market.program), bool)
    same = market.rank[edges] == market.rank[edges - 1]
    same &= market.owner[edges] == market.owner[edges - 1]
    fresh[1:] = ~same | (market.rank[edges] == 0)
    return np.cumsum(fresh)


def possible(market: Market, closed: Collection[int] = ()) -> Bool:
    """The edges that the rules leave, some classes closed.  Shape (e,).

    Notes
    -----
    O(edges log seats).  Each edge is deleted once, and each pointer moves one way.
    """
    return _Trimming(market, closed).left()


class _Trimming:
    """Deletes edge after edge until neither rule applies.

    ``queue`` holds the edges program by program, best level first.
    """

    def __init__(self, market: Market, closed: Collection[int]) -> None:
        self.program, self.owner = market.edge_lists
        self.tier: list[int] = tiers(market).tolist()
        self.level: list[int] = market.level.tolist()
        self.seats: list[int] = market.capacity.tolist()
        running = ~np.isin(market.class_of, list(closed)) & (market.capacity > 0)
        here = running[market.program]
        self.alive = bytearray(here.astype(np.uint8).tobytes())
        order = np.lexsort((market.level, market.program))
        order = order[here[order]]
        self.queue: list[int] = order.tolist()
        place = np.zeros(len(here), np.int64)
        place[order] = np.arange(len(order))
        self.place: list[int] = place.tolist()
        bounds = np.searchsorted(market.program[order], np.arange(len(self.seats) + 1)).tolist()
        self.safe: list[int] = bounds[:-1]  # whoever stands before is sure of a seat
        self.worst: list[int] = bounds[1:]  # whoever stands from here on has none
        self.sure = [0] * len(self.seats)  # how many are left of those who are sure of a seat
        self.first: list[int] = market.start[:-1].tolist()
        self.last: list[int] = market.start[1:].tolist()
        self.claims: list[list[int]] = [[] for _ in self.seats]  # levels, negative, the worst first
        self.claimed = [-1] * len(self.first)
        self.people = list(range(len(self.first)))
        self.touched = set(range(len(self.seats)))
        while self.people or self.touched:
            if self.people:
                self._claim(self.people.pop())
            else:
                self._secure(self.touched.pop())

    def left(self) -> Bool:
        """The edges that are left."""
        return np.frombuffer(self.alive, np.uint8).astype(bool)

    def _delete(self, edge: int) -> None:
        if self.alive[edge]:
            p = self.program[edge]
            self.alive[edge] = 0
            self.sure[p] -= self.place[edge] < self.safe[p]
            self.people.append(self.owner[edge])
            self.touched.add(p)

    def _claim(self, i: int) -> None:
        """The first rule, where one program is alone in her first tier."""
        at, end, alive, tier = self.first[i], self.last[i], self.alive, self.tier
        while at < end and not alive[at]:
            at += 1
        self.first[i] = at
        if at == end or self.claimed[i] == at:
            return
        other = at + 1
        while other < end and tier[other] == tier[at]:
            if alive[other]:
                return
            other += 1
        self.claimed[i] = at
        p = self.program[at]
        claims = self.claims[p]
        heapq.heappush(claims, -self.level[at])
        if len(claims) > self.seats[p]:
            heapq.heappop(claims)
        if len(claims) == self.seats[p]:
            end = self.worst[p]
            while self.level[self.queue[end - 1]] > -claims[0]:
                end -= 1
                self._delete(self.queue[end])
            self.worst[p] = end

    def _secure(self, p: int) -> None:
        """The second rule, level by level as long as the program has a seat for everybody."""
        queue, level, alive = self.queue, self.level, self.alive
        while (low := self.safe[p]) < self.worst[p]:
            high = low
            while high < self.worst[p] and level[queue[high]] == level[queue[low]]:
                high += 1
            there = [edge for edge in queue[low:high] if alive[edge]]
            if self.sure[p] + len(there) > self.seats[p]:
                return
            self.safe[p] = high
            self.sure[p] += len(there)
            for edge in there:
                i, tier = self.owner[edge], self.tier
                end = self.last[i]
                while tier[end - 1] > tier[edge]:
                    end -= 1
                    self._delete(end)
                self.last[i] = end
