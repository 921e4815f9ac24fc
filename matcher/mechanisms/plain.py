"""Deferred acceptance by columns, where nothing but seats limits a program."""

from __future__ import annotations

from heapq import heapify, heappush, heapreplace

import numpy as np
from numpy.typing import NDArray

from ..cells import Int
from ..market import Market
from . import kernels

Bool = NDArray[np.bool_]

_FEW = 60
"""Proposers below which a round is cheaper person by person than by columns."""


def deferred_acceptance(market: Market, seats: Int) -> tuple[Int, Bool]:
    """Applicant-proposing deferred acceptance, whatever caps, reserves and minimum sizes there are.

    Parameters
    ----------
    market
        The market.
    seats
        Per program: seats.  Shape (m,).

    Returns
    -------
    at
        The edge that each applicant holds, ``start[i + 1]`` where she is unplaced.  Shape (n,).
    refused
        The programs that turned somebody away.  Shape (m,).
    """
    compiled = kernels(len(market.program))
    if compiled is not None:
        found: tuple[Int, Bool] = compiled.deferred_acceptance(
            market.start, market.program, market.key, seats
        )
        return found
    at, refused, active = _rounds(market, seats)
    _one_by_one(market, seats, at, refused, active)
    return at, refused


def by_program(market: Market, at: Int) -> tuple[Int, Int]:
    """The edges that people hold by program, those of each in acceptance order; and where each begins."""
    edges = at[at < market.start[1:]]
    edges = edges[np.lexsort((market.key[edges], market.program[edges]))]
    return edges, np.searchsorted(market.program[edges], np.arange(len(market.programs) + 1))


def _rounds(market: Market, seats: Int) -> tuple[Int, Bool, Int]:
    """Rounds in which all who are not held propose at once, while there are many.

    Returns
    -------
    at
        The edge that each applicant holds or proposes next.
    refused
        As above.
    active
        Who still has to propose.
    """
    start, end = market.start[:-1], market.start[1:]
    place, program, owner = market.place, market.program, market.owner
    # By program and there by priority: one number to sort by, and no two places share it.
    queue = np.append(0, np.cumsum(np.bincount(program, minlength=len(seats))))[program] + place
    # Nobody beyond this place is chosen.
    limit = np.full(len(seats), len(program))
    at = start.copy()
    current = np.full(len(at), -1)
    held = np.zeros(len(seats), np.int64)
    refused = np.zeros(len(seats), bool)
    active = np.arange(len(at))
    while len(active) > _FEW:
        active = active[at[active] < end[active]]
        hopeless = place[at[active]] > limit[program[at[active]]]
        while hopeless.any():
            at[active[hopeless]] += 1
            active = active[at[active] < end[active]]
            hopeless = place[at[active]] > limit[program[at[active]]]
        current[active] = at[active]
        held += np.bincount(program[at[active]], minlength=len(held))
        over = held > seats
        refused |= over
        edges = current[current >= 0]
        edges = edges[over[program[edges]]]
        edges = edges[np.argsort(queue[edges])]
        at_program = program[edges]
        first = np.searchsorted(at_program, np.arange(len(held)))
        nth = np.arange(len(edges)) - first[at_program]
        last = edges[nth == seats[at_program] - 1]
        limit[program[last]] = place[last]
        limit[over & (seats == 0)] = -1
        held = np.minimum(held, seats)
        active = owner[edges[nth >= seats[at_program]]]
        current[active] = -1
        at[active] += 1
    return at, refused, active


def _one_by_one(market: Market, seats: Int, at: Int, refused: Bool, active: Int) -> None:
    """Let those who are left propose one by one (McVitie & Wilson, doi 10.1007/BF01934199)."""
    place, program, end = market.place, market.program, market.start[1:]
    waiting = at.copy()
    waiting[active] = end[active]
    edges, bounds = by_program(market, waiting)
    heaps: dict[int, list[tuple[int, int]]] = {}
    for i in active.tolist():
        x = int(at[i])
        while x < end[i]:
            p = int(program[x])
            if p not in heaps:
                here = edges[bounds[p] : bounds[p + 1]]
                heaps[p] = list(zip((-place[here]).tolist(), here.tolist(), strict=True))
                heapify(heaps[p])
            heap = heaps[p]
            if len(heap) < seats[p]:
                heappush(heap, (-int(place[x]), x))
                break
            refused[p] = True
            if not heap or -heap[0][0] < place[x]:
                x += 1
                continue
            leaving = heapreplace(heap, (-int(place[x]), x))[1]
            at[i] = x
            i = int(market.owner[leaving])
            x = leaving + 1
        at[i] = x
