"""Deferred acceptance where nothing but seats limits a program."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...cells import Int
from .kernel import kernel

Bool = NDArray[np.bool_]


@kernel
def propose(
    waiting: Int, at: Int, end: Int, program: Int, key: Int, seats: Int, first: Int,
    worst: Int, holder: Int, held: Int, refused: Bool,
) -> bool:  # fmt: skip
    """Let people propose one by one until all are kept or have come to the end of their lists.

    ``first[p] …`` of ``worst`` and ``holder`` is a heap of those whom program p holds, the one with
    the greatest key on top.  False if two of one key competed for a seat.
    """
    for i in waiting:
        j = i
        while at[j] < end[j]:
            x = at[j]
            p = program[x]
            low = first[p]
            if held[p] < seats[p]:
                t = held[p]
                held[p] += 1
                while t > 0 and worst[low + (t - 1) // 2] < key[x]:
                    worst[low + t] = worst[low + (t - 1) // 2]
                    holder[low + t] = holder[low + (t - 1) // 2]
                    t = (t - 1) // 2
                worst[low + t], holder[low + t] = key[x], j
                break
            refused[p] = True
            if seats[p] == 0 or worst[low] < key[x]:
                at[j] += 1
                continue
            top, leaving = worst[low], holder[low]
            t = 0
            while 2 * t + 1 < held[p]:
                child = 2 * t + 1
                if child + 1 < held[p] and worst[low + child] < worst[low + child + 1]:
                    child += 1
                if worst[low + child] <= key[x]:
                    break
                worst[low + t], holder[low + t] = worst[low + child], holder[low + child]
                t = child
            worst[low + t], holder[low + t] = key[x], j
            if worst[low] == top:
                return False
            j = leaving
            at[j] += 1
    return True


def deferred_acceptance(start: Int, program: Int, key: Int, seats: Int) -> tuple[Int, Bool]:
    """Applicant-proposing deferred acceptance where nothing but seats limits a program.

    Parameters
    ----------
    start, program
        The edges in the order of each applicant's preference, as in ``Market``.
    key
        Per edge: the program's priority, lower is better, distinct at each program.  Shape (e,).
    seats
        Per program.  Shape (m,).

    Returns
    -------
    at
        The edge that each applicant holds, ``start[i + 1]`` where she is unplaced.  Shape (n,).
    refused
        The programs that turned somebody away.  Shape (m,).

    Raises
    ------
    ValueError
        If two edges of one program that compete for a seat have the same key.

    Notes
    -----
    O(e log of the seats of a program): one proposal at a time (McVitie & Wilson, BIT 1970, doi
    10.1007/BF01934199), a heap of those held at each program.
    """
    at, refused = start[:-1].copy(), np.zeros(len(seats), bool)
    room = np.bincount(program, minlength=len(seats))
    first = np.append(0, np.cumsum(np.minimum(seats, room)))
    people = np.arange(len(at))
    distinct = propose(
        people, at, start[1:], program, key, seats, first, np.empty(first[-1], np.int64),
        np.empty(first[-1], np.int64), np.zeros(len(seats), np.int64), refused,
    )  # fmt: skip
    if not distinct:
        raise ValueError("two people of one key compete for a seat")
    return at, refused
