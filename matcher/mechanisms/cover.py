"""How many people some pairs can place at most, and the cover that proves it.

A *cover* is a set of people and programs such that every pair has its person or its program in it.  No
placement within capacities holds more people than the people in a cover and the seats of its programs.
The least cover reaches the greatest placement (Kőnig 1931; Ford & Fulkerson 1956, doi
10.4153/CJM-1956-045-5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from ..cells import Int
from ..market import Market


@dataclass(frozen=True)
class Cover:
    """People and programs that cover pairs, and how many people these can place at most."""

    people: Int
    programs: Int
    size: int


def least_cover(market: Market, edges: Int) -> Cover:
    """The least cover of some edges: of the least ones, that with the fewest programs.

    Notes
    -----
    A maximum flow (Dinic), then everybody who can be reached from a person without a place by
    exchanging places: her programs are in the cover, and the people who are not reached.
    """
    n, m = len(market.applicants), len(market.programs)
    source, sink = n + m, n + m + 1
    owner, program = market.owner[edges], market.program[edges]
    people = np.unique(owner)
    used = np.unique(program)
    tail = np.concatenate([np.full(len(people), source), owner, n + used])
    head = np.concatenate([people, n + program, np.full(len(used), sink)])
    most = np.minimum(market.capacity[used], n)
    seats = np.concatenate([np.ones(len(people) + len(edges), np.int64), most])
    shape = (n + m + 2, n + m + 2)
    network = csr_array((seats.astype(np.int32), (tail, head)), shape=shape)
    found = maximum_flow(network, source, sink)
    residual = network - found.flow
    residual.eliminate_zeros()
    reached = np.zeros(n + m + 2, bool)
    reached[breadth_first_order(residual, source, return_predecessors=False)] = True
    covered = people[~reached[people]]
    return Cover(covered, used[reached[n + used]], int(found.flow_value))
