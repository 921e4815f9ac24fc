"""The placement of greatest worth, by filling seats one by one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...cells import Int, width
from .kernel import kernel

Bool = NDArray[np.bool_]

FAR = 2**60
"""Stands for "no residual path to the sink"."""

_NEVER = 2**62
"""A cost that no sum of real costs comes near."""


class Lists(NamedTuple):
    """Who lists each program, the greatest worth first, and the state of a search over programs.

    Entries ``first[p]`` … ``first[p + 1]`` are those of program p.

    Parameters
    ----------
    edge, who, worth
        Per entry: the edge it stands for, its person, its worth.
    offer, top
        Per entry, what a move of its person to the program would bring, at most, next to the prices:
        it only ever falls.  ``never`` for the entry that its person holds.  Per block of entries, the
        greatest offer in it, at most.
    never
        Below every offer that a search looks at: these are sums of three worths, and as far below
        what the search is after, so all this has 32 bits where eight times any worth has.
    empty
        Per program: the worth of an empty seat.
    at, lead
        Per program: the first entry whose person is unplaced (people before it never are again), and
        the greater worth of hers and of an empty seat, at most.
    held
        Per person: program, worth and entry of what she holds, −1 for nothing.  Shape (n, 3).
    price
        Per program: what one more seat would be worth, at most.
    spare
        Per program: seats that stay empty.
    distance, before, by, place, heap, seen
        Per program: of a search.
    """

    edge: Int
    who: NDArray[np.int32]
    worth: Int
    offer: Int
    top: Int
    never: int
    first: Int
    empty: Int
    at: Int
    lead: Int
    held: Int
    price: Int
    spare: Int
    distance: Int
    before: Int
    by: Int
    place: Int
    heap: Int
    seen: Int


_BLOCK = 4
"""Binary logarithm of the entries in a block."""


@kernel
def _sort(key: Int, value: Int) -> None:
    """Sort by falling keys, values with them (Shell, doi 10.1145/368370.368387)."""
    gap = 1
    while gap < len(key) // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for at in range(gap, len(key)):
            k, v = key[at], value[at]
            t = at
            while t >= gap and key[t - gap] < k:
                key[t], value[t] = key[t - gap], value[t - gap]
                t -= gap
            key[t], value[t] = k, v
        gap //= 3


@kernel
def _count(program: Int, among: Bool, count: Int) -> Int:
    """Count the edges of each program."""
    for x in range(len(program)):
        count[program[x]] += among[x]
    return count


@kernel
def _list(owner: Int, program: Int, cost: Int, among: Bool, lists: Lists) -> None:
    """Fill in the entries, those of each program by falling worth, which is the cost's opposite."""
    first = lists.first
    at = first[:-1].copy()
    for x in range(len(program)):
        if among[x]:
            y = at[program[x]]
            lists.edge[y], lists.worth[y] = x, -cost[x]
            at[program[x]] += 1
    for p in range(len(first) - 1):
        _sort(lists.worth[first[p] : first[p + 1]], lists.edge[first[p] : first[p + 1]])
    for y in range(len(lists.edge)):
        lists.who[y], lists.offer[y] = owner[lists.edge[y]], lists.worth[y]
        lists.top[y >> _BLOCK] = max(lists.top[y >> _BLOCK], lists.worth[y])
    for p in range(len(first) - 1):
        lists.lead[p] = lists.empty[p]
        if first[p] < first[p + 1]:
            lists.lead[p] = max(lists.empty[p], lists.worth[first[p]])
        lists.price[p] = lists.lead[p]


@kernel
def _lead(lists: Lists, p: int) -> int:
    """What a seat of a program is worth if nobody moves: to somebody unplaced, or empty."""
    y, end = lists.at[p], lists.first[p + 1]
    if y < end and lists.held[lists.who[y], 0] >= 0:
        while y < end and lists.held[lists.who[y], 0] >= 0:
            y += 1
        lists.at[p] = y
        lists.lead[p] = max(lists.empty[p], lists.worth[y]) if y < end else lists.empty[p]
    return int(lists.lead[p])


@kernel
def _raise(lists: Lists, t: int, p: int) -> None:
    """Put a program into the heap of nearest ones, from place t upwards, before its equals."""
    heap, place, distance = lists.heap, lists.place, lists.distance
    while t > 0 and distance[heap[(t - 1) // 2]] >= distance[p]:
        heap[t] = heap[(t - 1) // 2]
        place[heap[t]] = t + 1
        t = (t - 1) // 2
    heap[t] = p
    place[p] = t + 1


@kernel
def _nearest(lists: Lists, size: int) -> int:
    """Take the nearest program off a heap."""
    heap, place, distance = lists.heap, lists.place, lists.distance
    nearest, last = heap[0], heap[size - 1]
    place[nearest] = -1
    t = 0
    while 2 * t + 1 < size - 1:
        child = 2 * t + 1
        if child + 1 < size - 1 and distance[heap[child + 1]] < distance[heap[child]]:
            child += 1
        if distance[heap[child]] >= distance[last]:
            break
        heap[t] = heap[child]
        place[heap[t]] = t + 1
        t = child
    if size > 1:
        heap[t] = last
        place[last] = t + 1
    return int(nearest)


@kernel
def _search(lists: Lists, source: int) -> tuple[int, int, int]:
    """Find who should have one more seat of a program, and who should then have hers, and so on.

    Dijkstra over programs: from one to another by whoever holds a seat there and would rather be here,
    as far as ``price`` does not speak of it already.

    Returns
    -------
    nearest, end, seen
        How far the best end is, where it is, and how many programs were labelled: these are in
        ``seen``, their ``place`` not 0, and whoever calls has to clear that.
    """
    place, distance = lists.place, lists.distance
    nearest, end = lists.price[source] - _lead(lists, source), source
    distance[source], lists.heap[0], place[source], lists.seen[0] = 0, source, 1, source
    size = seen = 1
    while size > 0 and distance[lists.heap[0]] < nearest:
        p = _nearest(lists, size)
        size -= 1
        near = distance[p]
        base = near + lists.price[p]
        for block in range(lists.first[p] >> _BLOCK, (lists.at[p] + (1 << _BLOCK) - 1) >> _BLOCK):
            if base - lists.top[block] >= nearest:
                continue
            low, high = block << _BLOCK, min((block + 1) << _BLOCK, len(lists.who))
            greatest = -_NEVER
            for y in range(low, high):
                inside = lists.first[p] <= y and y < lists.at[p]
                if inside and base - lists.offer[y] < nearest:
                    i = lists.who[y]
                    q = lists.held[i, 0]
                    lists.offer[y] = lists.worth[y] - lists.held[i, 1] + lists.price[q]
                    far = base - lists.offer[y]
                    if far < nearest and (place[q] == 0 or (place[q] > 0 and far < distance[q])):
                        t = place[q] - 1
                        if place[q] == 0:
                            lists.seen[seen] = q
                            seen += 1
                            t = size
                            size += 1
                        distance[q], lists.before[q], lists.by[q] = far, p, y
                        _raise(lists, t, q)
                        if far + lists.price[q] - lists.lead[q] < nearest:
                            through = far + lists.price[q] - _lead(lists, q)
                            if through < nearest:
                                nearest, end = through, q
                                if nearest == near:
                                    return nearest, end, seen
                greatest = max(greatest, lists.offer[y])
            lists.top[block] = greatest
    return nearest, end, seen


@kernel
def _hold(lists: Lists, i: int, p: int, y: int) -> None:
    """Let a person hold a seat, and leave the one that she has."""
    left = lists.held[i, 2]
    if left >= 0:
        lists.offer[left] = lists.worth[left]
        block = left >> _BLOCK
        lists.top[block] = max(lists.top[block], lists.worth[left])
    lists.held[i, 0], lists.held[i, 1], lists.held[i, 2] = p, lists.worth[y], y
    lists.offer[y] = lists.never


@kernel
def _insert(lists: Lists, source: int) -> None:
    """Add one seat to a program, and fill it as is best for all."""
    nearest, end, seen = _search(lists, source)
    for t in range(seen):
        p = lists.seen[t]
        lists.price[p] -= max(0, nearest - lists.distance[p])
        lists.place[p] = 0
    y = lists.at[end]
    if y < lists.first[end + 1] and lists.worth[y] >= lists.empty[end]:
        _hold(lists, lists.who[y], end, y)
    else:
        lists.spare[end] += 1
    while end != source:
        y = lists.by[end]
        end = lists.before[end]
        _hold(lists, lists.who[y], end, y)


@kernel
def _fill(lists: Lists, left: Int, heap: Int, key: Int) -> None:
    """Add all seats, one by one, where the price is greatest; a seat worth nothing stays empty.

    ``heap`` holds the programs by falling price, ``key`` these prices.
    """
    size = len(heap)
    while size > 0:
        p, price = heap[0], lists.price[heap[0]]
        if price == key[0] and left[p] > 0 and price > lists.empty[p]:
            _insert(lists, p)
            left[p] -= 1
            price = lists.price[p]
        if left[p] == 0 or price <= lists.empty[p]:
            lists.spare[p] += left[p]
            size -= 1
            p, price = heap[size], key[size]
        t = 0
        while 2 * t + 1 < size:
            child = 2 * t + 1
            if child + 1 < size and key[child + 1] > key[child]:
                child += 1
            if key[child] < price:
                break
            heap[t], key[t] = heap[child], key[child]
            t = child
        if size > 0:
            heap[t], key[t] = p, price


@kernel
def _losses(lists: Lists, seats: Int, loss: Int) -> None:
    """What one seat less at each program would cost at least, ``FAR`` where it has none."""
    place, distance = lists.place, lists.distance
    for p in range(len(seats)):
        distance[p] = 0 if lists.spare[p] > 0 else _NEVER
    for i in range(len(lists.held)):
        p = lists.held[i, 0]
        if p >= 0:
            distance[p] = min(distance[p], lists.held[i, 1] - lists.price[p])
    size = 0
    for p in range(len(seats)):
        if seats[p] > 0:
            _raise(lists, size, p)
            size += 1
    while size > 0:
        q = _nearest(lists, size)
        size -= 1
        base = distance[q] + lists.price[q]
        for y in range(lists.first[q], lists.first[q + 1]):
            i = lists.who[y]
            p = lists.held[i, 0]
            if p >= 0 and place[p] > 0:
                far = base - lists.worth[y] + lists.held[i, 1] - lists.price[p]
                if far < distance[p]:
                    distance[p] = far
                    _raise(lists, place[p] - 1, p)
    for p in range(len(seats)):
        place[p] = 0
        loss[p] = distance[p] + lists.price[p] if seats[p] > 0 else FAR


def assignment(
    owner: Int, program: Int, cost: Int, seats: Int, empty: Int, people: int,
    among: Bool | None = None,
) -> tuple[Int, Int]:  # fmt: skip
    """The placement of least cost, an empty seat having a cost as well.

    Parameters
    ----------
    owner, program, cost
        Per edge.  On any path over programs costs add up to less than ``FAR``.
    seats, empty
        Per program: seats, and the cost of one that stays empty, at least 0.
    people
        How many people there are.
    among
        The edges that there are, by default all.

    Returns
    -------
    held
        The edge of each person, −1 for nothing.  Shape (people,).
    loss
        Per program: what one seat less would cost at least; ``FAR`` where it has none.

    Notes
    -----
    Successive shortest paths by the seats (after Edmonds & Karp, Journal of the ACM 1972, doi
    10.1145/321694.321699), over programs alone: at most as many searches as there are seats worth
    filling, each within O(e log m), nearly all of them within a handful of programs.
    """
    if among is None:
        among = np.ones(len(program), bool)
    lists = _lists(program, cost, -empty, people, among)
    _list(owner, program, cost, among, lists)
    order = np.argsort(-lists.price)
    _fill(lists, seats.copy(), order, lists.price[order])
    loss = np.empty(len(seats), np.int64)
    _losses(lists, seats, loss)
    held = np.full(people, -1)
    placed = np.flatnonzero(lists.held[:, 2] >= 0)
    held[placed] = lists.edge[lists.held[placed, 2]]
    return held, loss


def _lists(program: Int, cost: Int, empty: Int, people: int, among: Bool) -> Lists:
    """The lists before anything is entered."""
    programs = len(empty)
    first = np.append(0, np.cumsum(_count(program, among, np.zeros(programs, np.int64))))
    entries = int(first[-1])
    extremes = (cost.max(initial=0), -cost.min(initial=0), -empty.min(initial=0))
    whole, kind = width(len(program)), width(max(len(program), 8 * int(max(extremes))))
    held = np.full((people, 3), -1, kind)
    held[:, 1] = 0

    def zeros(size: int, kind: Any = np.int64) -> Int:
        return np.zeros(size, kind)

    return Lists(
        edge=zeros(entries, whole), who=np.zeros(entries, np.int32), worth=zeros(entries, kind),
        offer=zeros(entries, kind), top=np.full((entries >> _BLOCK) + 1, -_NEVER),
        never=-_NEVER if kind is np.int64 else -(2**31),
        first=first, empty=empty, at=first[:-1].copy(), lead=zeros(programs), held=held,
        price=zeros(programs), spare=zeros(programs), distance=zeros(programs),
        before=zeros(programs), by=zeros(programs), place=zeros(programs), heap=zeros(programs),
        seen=zeros(programs),
    )  # fmt: skip
