"""One more seat in a best plan, at every program: who would have it, and who then hers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...cells import Int
from .kernel import kernel


class Lists(NamedTuple):
    """People by what they hold, and what each of them lists.

    Parameters
    ----------
    start, program, worth
        Per edge, by person: its program, and its worth in words that compare in their order, the first
        that differs deciding.
    held
        The edge that each person holds, −1 for nothing.
    first, people
        Who holds a seat of program p: ``people[first[p]:first[p + 1]]``.
    """

    start: Int
    program: Int
    worth: Int
    held: Int
    first: Int
    people: Int


@kernel
def _above(one: Int, two: Int) -> bool:
    """Whether words are greater than others."""
    for k in range(len(one)):
        if one[k] != two[k]:
            return bool(one[k] > two[k])
    return False


@kernel
def _lift(heap: Int, place: Int, reach: Int, t: int, p: int) -> None:
    """Put a program into a heap of the greatest reach, from place t upwards."""
    while t > 0 and _above(reach[p], reach[heap[(t - 1) // 2]]):
        heap[t] = heap[(t - 1) // 2]
        place[heap[t]] = t
        t = (t - 1) // 2
    heap[t] = p
    place[p] = t


@kernel
def _furthest(heap: Int, place: Int, reach: Int, size: int) -> int:
    """Take the program of the greatest reach off a heap."""
    furthest, last = heap[0], heap[size - 1]
    place[furthest] = -1
    t = 0
    while 2 * t + 1 < size - 1:
        child = 2 * t + 1
        if child + 1 < size - 1 and _above(reach[heap[child + 1]], reach[heap[child]]):
            child += 1
        if not _above(reach[heap[child]], reach[last]):
            break
        heap[t] = heap[child]
        place[heap[t]] = t
        t = child
    if size > 1:
        heap[t] = last
        place[last] = t
    return int(furthest)


@kernel
def _gains(lists: Lists, price: Int, gain: Int, by: Int) -> None:
    """Fill in what one more seat brings and the edge of who would have it, −1 for nobody."""
    programs, words = gain.shape
    gain[:] = 0
    by[:] = -1
    for i in range(len(lists.held)):
        if lists.held[i] < 0:
            for x in range(lists.start[i], lists.start[i + 1]):
                p = lists.program[x]
                if _above(lists.worth[x], gain[p]):
                    gain[p], by[p] = lists.worth[x], x
    reach = gain - price
    heap, place = np.empty(programs, np.int64), np.empty(programs, np.int64)
    for p in range(programs):
        _lift(heap, place, reach, p, p)
    further = np.empty(words, np.int64)
    for size in range(programs, 0, -1):
        q = _furthest(heap, place, reach, size)
        for t in range(lists.first[q], lists.first[q + 1]):
            i = lists.people[t]
            for x in range(lists.start[i], lists.start[i + 1]):
                p = lists.program[x]
                if place[p] < 0:
                    continue
                further[:] = gain[q] + lists.worth[x] - lists.worth[lists.held[i]]
                if _above(further, gain[p]):
                    gain[p], by[p] = further, x
                    reach[p] = gain[p] - price[p]
                    _lift(heap, place, reach, place[p], p)


class Standing(NamedTuple):
    """A placement of greatest worth that can be asked about one more seat of any program.

    Parameters
    ----------
    owner, program
        Per edge.
    held
        The edge that each person holds, −1 for nothing.
    gain
        Per program: what one more seat would bring, in words.  Shape (m, words).
    by
        Per program: the edge of the person who would have it, −1 where it would stay empty.
    """

    owner: Int
    program: Int
    held: Int
    gain: Int
    by: Int


def standing(owner: Int, program: Int, worth: Int, held: Int, price: Int) -> Standing:
    """Find what one more seat would bring, at each program by itself.

    Parameters
    ----------
    owner, program
        The edges by person, as in ``Market``.
    worth
        Per edge, in words that compare in their order.  Shape (e, words).
    held
        The edge that each person holds, −1 for nothing, in a placement of greatest worth.
    price
        Per program: optimal prices in such words; ``FAR`` where there is no seat.
        Shape (m, words).

    Notes
    -----
    One search for all of them (Dijkstra, from those whom a seat is best given to): O(e log m).
    """
    at = np.where(held >= 0, np.append(program, -1)[held], len(price))
    people = np.argsort(at, kind="stable")
    first = np.searchsorted(at[people], np.arange(len(price) + 1))
    start = np.searchsorted(owner, np.arange(len(held) + 1))
    lists = Lists(start, program, np.ascontiguousarray(worth), held, first, people)
    gain, by = np.empty_like(price), np.empty(len(price), np.int64)
    _gains(lists, np.ascontiguousarray(price), gain, by)
    return Standing(owner, program, held, gain, by)


def one_more(plan: Standing, program: int) -> tuple[Int, list[tuple[int, int, int]]]:
    """What one more seat of a program would bring, and who would move for it; the plan stays as it is.

    Returns
    -------
    gain
        In words; zeros where the seat would stay empty.
    moves
        (person, the program that she leaves or −1, the program that she goes to), from the seat on.

    Notes
    -----
    As many steps as people move: whoever has the seat leaves hers to whom one more seat there would go.
    """
    gain, moves = plan.gain[program], []
    while (edge := int(plan.by[program])) >= 0:
        i = int(plan.owner[edge])
        left = int(plan.program[plan.held[i]]) if plan.held[i] >= 0 else -1
        moves.append((i, left, program))
        if left < 0:
            break
        program = left
    return gain, moves
