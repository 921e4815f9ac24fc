"""One more seat in a best plan: who would have it, and who then hers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...cells import Int
from .kernel import kernel


class Standing(NamedTuple):
    """A best plan as lists by program, to be asked about one more seat; and the state of a search.

    Parameters
    ----------
    first, who, worth
        Entries by program: their persons, and their worth in words that compare in their order.
    held
        Per person: program and entry of what she holds, −1 for nothing.  Shape (people, 2).
    price
        Per program: optimal potentials, in such words.
    gain, reach
        Per program: what is gained before its seat is given to somebody, and that and its price.
    before, by, place, heap, seen
        Per program: of a search.
    """

    first: Int
    who: Int
    worth: Int
    held: Int
    price: Int
    gain: Int
    reach: Int
    before: Int
    by: Int
    place: Int
    heap: Int
    seen: Int


@kernel
def _above(one: Int, two: Int) -> bool:
    """Whether words are greater than others, the first that differs deciding."""
    for k in range(len(one)):
        if one[k] != two[k]:
            return bool(one[k] > two[k])
    return False


@kernel
def _lift(plan: Standing, t: int, p: int) -> None:
    """Put a program into the heap of greatest reach, from place t upwards."""
    while t > 0 and _above(plan.reach[p], plan.reach[plan.heap[(t - 1) // 2]]):
        plan.heap[t] = plan.heap[(t - 1) // 2]
        plan.place[plan.heap[t]] = t + 1
        t = (t - 1) // 2
    plan.heap[t] = p
    plan.place[p] = t + 1


@kernel
def _furthest(plan: Standing, size: int) -> int:
    """Take the program of greatest reach off a heap."""
    furthest, last = plan.heap[0], plan.heap[size - 1]
    plan.place[furthest] = -1
    t = 0
    while 2 * t + 1 < size - 1:
        child = 2 * t + 1
        if child + 1 < size - 1 and _above(
            plan.reach[plan.heap[child + 1]], plan.reach[plan.heap[child]]
        ):
            child += 1
        if not _above(plan.reach[plan.heap[child]], plan.reach[last]):
            break
        plan.heap[t] = plan.heap[child]
        plan.place[plan.heap[t]] = t + 1
        t = child
    if size > 1:
        plan.heap[t] = last
        plan.place[last] = t + 1
    return int(furthest)


@kernel
def _one_more(plan: Standing, source: int, best: Int) -> tuple[int, int]:
    """Where the best chain from one more seat ends, and the entry that fills it, −1 for none."""
    words = len(best)
    best[:] = 0
    end, last = source, -1
    plan.gain[source] = 0
    plan.reach[source] = plan.price[source]
    plan.heap[0], plan.place[source], plan.seen[0] = source, 1, source
    size = seen = 1
    gained, reached = np.empty(words, np.int64), np.empty(words, np.int64)
    # A program without any seat has no price, and may be the first one only.
    while size > 0 and (seen == 1 or _above(plan.reach[plan.heap[0]], best)):
        p = _furthest(plan, size)
        size -= 1
        for y in range(plan.first[p], plan.first[p + 1]):
            i = plan.who[y]
            q = plan.held[i, 0]
            gained[:] = plan.gain[p] + plan.worth[y]
            if q >= 0:
                gained -= plan.worth[plan.held[i, 1]]
            if q != p and _above(gained, best):
                best[:] = gained
                end, last = (p, y) if q < 0 else (q, -1)
            if q < 0 or plan.place[q] < 0:
                continue
            reached[:] = gained + plan.price[q]
            if plan.place[q] > 0 and not _above(reached, plan.reach[q]):
                continue
            t = plan.place[q] - 1
            if plan.place[q] == 0:
                plan.seen[seen] = q
                seen += 1
                t = size
                size += 1
            plan.gain[q], plan.reach[q] = gained, reached
            plan.before[q], plan.by[q] = p, y
            _lift(plan, t, q)
    for t in range(seen):
        plan.place[plan.seen[t]] = 0
    return end, last


def standing(owner: Int, program: Int, worth: Int, held: Int, price: Int) -> Standing:
    """A best plan, to be asked by :func:`one_more`.

    Parameters
    ----------
    owner, program
        Per edge.
    worth
        Per edge: words that compare in their order.  Shape (e, words).
    held
        Per person: the edge that she holds, −1 for nothing.
    price
        Per program: optimal potentials in such words, anything where there are no seats.
        Shape (m, words).
    """
    programs, words = price.shape
    order = np.argsort(program, kind="stable")
    entry = np.empty(len(order), np.int64)
    entry[order] = np.arange(len(order))
    at = np.where(held >= 0, np.append(program, -1)[held], -1)

    def zeros(*shape: int) -> Int:
        return np.zeros(shape, np.int64)

    return Standing(
        first=np.append(0, np.cumsum(np.bincount(program, minlength=programs))),
        who=owner[order].astype(np.int32),
        worth=np.ascontiguousarray(worth[order]),
        held=np.stack([at, np.where(held >= 0, np.append(entry, -1)[held], -1)], axis=1),
        price=np.ascontiguousarray(price), gain=zeros(programs, words),
        reach=zeros(programs, words), before=zeros(programs), by=zeros(programs),
        place=zeros(programs), heap=zeros(programs), seen=zeros(programs),
    )  # fmt: skip


def one_more(plan: Standing, program: int) -> tuple[Int, list[tuple[int, int, int]]]:
    """What one more seat of a program would bring, and who would move for it; the plan stays as it is.

    Returns
    -------
    gain
        In words, greatest first; zeros where the seat would stay empty.
    moves
        (person, the program that she leaves or −1, the program that she goes to), from the seat on.

    Notes
    -----
    One search over programs, from whom the seat is best given to, by exact prices: a few of them.
    """
    gain = np.zeros(plan.price.shape[1], np.int64)
    end, last = _one_more(plan, program, gain)
    moves = [] if last < 0 else [(int(plan.who[last]), -1, end)]
    while end != program:
        y, above = plan.by[end], int(plan.before[end])
        moves.append((int(plan.who[y]), end, above))
        end = above
    return gain, moves[::-1]
