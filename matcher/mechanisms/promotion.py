"""Large weakly stable placements, quickly: ties broken in favour of people who would get nothing.

Deferred acceptance in which whoever has come to the end of her list is *promoted* and goes through it
once more: among people of one level a program takes the promoted.  Where only programs have ties, no
weakly stable placement holds more than 3/2 times as many people (Király 2011, doi
10.1007/s00453-009-9371-7).
"""

from __future__ import annotations

import numpy as np

from ..cells import Int
from ..market import Market
from .trimmed import Bool

NONE: Int = np.zeros(0, np.int64)
"""No edges."""


def promoting(market: Market, left: Bool, order: Int, before: Int = NONE) -> Int:
    """The edges of a weakly stable placement within the edges that are left.

    Parameters
    ----------
    order
        Per applicant: who proposes first, and stays first among people of one level.
    before
        Edges of a placement to be taken up: these people come first among people of one level.

    Notes
    -----
    O(edges × seats of a program).
    """
    level: list[int] = market.level.tolist()
    program, owner = market.edge_lists
    seats: list[int] = market.capacity.tolist()
    lists: dict[int, list[int]] = {}
    for edge in np.flatnonzero(left).tolist():
        lists.setdefault(owner[edge], []).append(edge)
    held: list[list[int]] = [[] for _ in seats]
    promoted = bytearray(len(market.applicants))
    favoured = set(before.tolist())

    def place(edge: int) -> tuple[int, bool, bool]:
        return level[edge], edge not in favoured, not promoted[owner[edge]]

    proposes = dict.fromkeys(lists, 0)
    free = sorted(lists, key=order.tolist().__getitem__, reverse=True)
    while free:
        i = free.pop()
        while proposes[i] < len(lists[i]) or not promoted[i]:
            if proposes[i] == len(lists[i]):
                promoted[i], proposes[i] = 1, 0
            edge = lists[i][proposes[i]]
            proposes[i] += 1
            there = held[program[edge]]
            if len(there) < seats[program[edge]]:
                there.append(edge)
                break
            last = max(there, key=place)
            if place(edge) < place(last):
                there.remove(last)
                there.append(edge)
                free.append(owner[last])
                break
    return np.array(sorted(edge for there in held for edge in there), np.int64)
