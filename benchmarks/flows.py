"""The assignment problem put to other people's programs: seats only, two objectives.

Most people placed; among those plans, the least sum of the costs of ranks.  Each peer gets one cost
for both, which is exact: one more person moves at most one person at each program, so that a place is
worth more than all the ranks that it can cost.  All start from the same market of arrays; *build* is
what a peer makes of them before it can start.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linear_sum_assignment, linprog, milp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from matcher.market import Market
from matcher.policy import Policy

from .model import Int


class Value(NamedTuple):
    """What a plan is worth: people placed, and the sum of the costs of their ranks."""

    placed: int
    cost: int


@dataclass(frozen=True)
class Plan:
    """What a peer finds, and its CPU seconds of building and solving."""

    value: Value
    build: float
    solve: float


@dataclass(frozen=True)
class Costs:
    """A market as one cost for each pair: that of its rank; and the worth of a place."""

    market: Market
    rank: Int
    place: int

    @property
    def net(self) -> Int:
        """The cost of each pair, less the worth of a place."""
        return self.rank - self.place

    def value(self, edges: Int) -> Value:
        """The worth of the pairs chosen; they must be a plan.

        Raises
        ------
        ValueError
            If somebody has two places, or a program more people than seats.
        """
        market = self.market
        people = np.bincount(market.owner[edges], minlength=len(market.applicants))
        held = np.bincount(market.program[edges], minlength=len(market.programs))
        if (people > 1).any() or (held > market.capacity).any():
            raise ValueError("this is not a plan")
        return Value(len(edges), int(self.rank[edges].sum()))


def costs(market: Market, policy: Policy) -> Costs:
    """The costs of the ranks that are the default: rank − 1; adjustment beyond every choice."""
    most = max(policy.max_choices, market.greatest_rank)
    rank = np.where(market.rank > 0, market.rank - 1, most)
    return Costs(market, rank, (len(market.programs) + 2) * (most + 1))


Peer = Callable[[Costs], Plan]


def _plan(costs: Costs, build: Callable[[], Any], solve: Callable[[Any], Int]) -> Plan:
    begin = time.process_time()
    built = build()
    middle = time.process_time()
    edges = solve(built)
    end = time.process_time()
    return Plan(costs.value(edges), middle - begin, end - middle)


def by_min_cost_flow(costs: Costs) -> Plan:
    """OR-Tools' SimpleMinCostFlow, called directly with arrays."""
    from ortools.graph.python import min_cost_flow

    market = costs.market
    n, m = len(market.applicants), len(market.programs)

    def build() -> Any:
        flow = min_cost_flow.SimpleMinCostFlow()
        people, programs, sink = np.arange(n), n + np.arange(m), n + m
        tail = np.concatenate([market.owner, people, programs])
        head = np.concatenate([n + market.program, np.full(n + m, sink)])
        capacity = np.concatenate([np.ones(len(market.owner) + n, np.int64), market.capacity])
        cost = np.concatenate([costs.net, np.zeros(n + m, np.int64)])
        flow.add_arcs_with_capacity_and_unit_cost(tail, head, capacity, cost)
        supply = np.concatenate([np.ones(n, np.int64), np.zeros(m, np.int64), [-n]])
        flow.set_nodes_supplies(np.arange(n + m + 1), supply)
        return flow

    def solve(flow: Any) -> Int:
        if flow.solve() != flow.OPTIMAL:
            raise ValueError("SimpleMinCostFlow found no optimum")
        return np.flatnonzero(flow.flows(np.arange(len(market.owner))))

    return _plan(costs, build, solve)


def _rows(market: Market) -> tuple[csr_array, Int]:
    """A row for each person and each program, a column for each pair; and the rows' limits."""
    n, edges = len(market.applicants), len(market.owner)
    row = np.concatenate([market.owner, n + market.program])
    column = np.tile(np.arange(edges), 2)
    limit = np.concatenate([np.ones(n, np.int64), market.capacity])
    return csr_array((np.ones(2 * edges), (row, column)), shape=(len(limit), edges)), limit


def by_linprog(costs: Costs) -> Plan:
    """HiGHS's simplex method by ``scipy.optimize.linprog``; the rows are totally unimodular."""

    def solve(built: tuple[csr_array, Int]) -> Int:
        found = linprog(costs.net, *built, bounds=(0, 1), method="highs-ds")
        return np.flatnonzero(found.x > 0.5)

    return _plan(costs, lambda: _rows(costs.market), solve)


def by_milp(costs: Costs) -> Plan:
    """HiGHS with whole numbers by ``scipy.optimize.milp``, no gap allowed."""

    def solve(built: tuple[csr_array, Int]) -> Int:
        rows, limit = built
        found = milp(
            costs.net, constraints=LinearConstraint(rows, -np.inf, limit), bounds=Bounds(0, 1),
            integrality=np.ones(rows.shape[1]), options={"mip_rel_gap": 0},
        )  # fmt: skip
        return np.flatnonzero(found.x > 0.5)

    return _plan(costs, lambda: _rows(costs.market), solve)


def by_glop(costs: Costs) -> Plan:
    """GLOP, OR-Tools' simplex method."""
    from ortools.linear_solver import pywraplp

    market = costs.market

    def build() -> Any:
        solver = pywraplp.Solver.CreateSolver("GLOP")
        rows, limit = _rows(market)
        constraints = [solver.Constraint(-solver.infinity(), float(most)) for most in limit]
        columns = [solver.NumVar(0, 1, "") for _ in range(rows.shape[1])]
        owner, program = market.owner.tolist(), market.program.tolist()
        n = len(market.applicants)
        for column, i, p, cost in zip(columns, owner, program, costs.net.tolist(), strict=True):
            constraints[i].SetCoefficient(column, 1)
            constraints[n + p].SetCoefficient(column, 1)
            solver.Objective().SetCoefficient(column, cost)
        return solver, columns

    def solve(built: Any) -> Int:
        solver, columns = built
        if solver.Solve() != solver.OPTIMAL:
            raise ValueError("GLOP found no optimum")
        return np.flatnonzero([column.solution_value() > 0.5 for column in columns])

    return _plan(costs, build, solve)


def _seats(market: Market) -> tuple[Int, Int]:
    """Each pair once for each seat of its program: the pair, and the seat."""
    first = np.append(0, np.cumsum(market.capacity))
    size = market.capacity[market.program]
    pair = np.repeat(np.arange(len(size)), size)
    nth = np.arange(len(pair)) - np.repeat(np.cumsum(size) - size, size)
    return pair, first[market.program[pair]] + nth


def by_bipartite(costs: Costs) -> Plan:
    """scipy's ``min_weight_full_bipartite_matching``: a column for each seat, one for "nowhere"."""
    market = costs.market
    n, seats = len(market.applicants), int(market.capacity.sum())

    def build() -> tuple[csr_array, dict[tuple[int, int], int]]:
        pair, seat = _seats(market)
        row = np.concatenate([market.owner[pair], np.arange(n)])
        column = np.concatenate([seat, seats + np.arange(n)])
        # No weight may be 0, which would be no edge.
        weight = np.concatenate([costs.rank[pair] + 1, np.full(n, costs.place + 1)])
        return csr_array((weight.astype(float), (row, column)), shape=(n, seats + n)), {}

    def solve(built: Any) -> Int:
        row, column = min_weight_full_bipartite_matching(built[0])
        return _pairs(market, row, column)

    return _plan(costs, build, solve)


def by_dense(costs: Costs) -> Plan:
    """scipy's ``linear_sum_assignment`` on the matrix of people and seats."""
    market = costs.market
    n, seats = len(market.applicants), int(market.capacity.sum())

    def build() -> Any:
        pair, seat = _seats(market)
        matrix = np.full((n, seats), float(costs.place))
        matrix[market.owner[pair], seat] = costs.rank[pair]
        return matrix

    def solve(matrix: Any) -> Int:
        row, column = linear_sum_assignment(matrix)
        real = matrix[row, column] < costs.place
        return _pairs(market, row[real], column[real])

    return _plan(costs, build, solve)


def _pairs(market: Market, person: Int, seat: Int) -> Int:
    """The pairs of people and seats; a seat beyond all is nowhere."""
    home = np.append(np.repeat(np.arange(len(market.programs)), market.capacity), -1)
    matching = np.full(len(market.applicants), -1)
    matching[person] = home[np.minimum(seat, len(home) - 1)]
    held = market.edges_of(matching)
    return held[held >= 0]


def by_networkx(costs: Costs) -> Plan:
    """networkx's ``network_simplex``."""
    import networkx

    market = costs.market
    n, m = len(market.applicants), len(market.programs)

    def build() -> Any:
        graph = networkx.DiGraph()
        graph.add_nodes_from(range(n), demand=-1)
        graph.add_nodes_from(range(n, n + m), demand=0)
        graph.add_node(n + m, demand=n)
        pairs = zip(market.owner.tolist(), market.program.tolist(), costs.net.tolist(), strict=True)
        graph.add_edges_from((i, n + p, {"capacity": 1, "weight": c}) for i, p, c in pairs)
        graph.add_edges_from((i, n + m, {"capacity": 1, "weight": 0}) for i in range(n))
        for p, seats in enumerate(market.capacity.tolist()):
            graph.add_edge(n + p, n + m, capacity=seats, weight=0)
        return graph

    def solve(graph: Any) -> Int:
        _, flow = networkx.network_simplex(graph)
        pairs = zip(market.owner.tolist(), market.program.tolist(), strict=True)
        return np.flatnonzero([flow[i][n + p] for i, p in pairs])

    return _plan(costs, build, solve)


DIRECT = "SimpleMinCostFlow"
PEERS: dict[str, Peer] = {
    DIRECT: by_min_cost_flow,
    "scipy linprog (HiGHS)": by_linprog,
    "HiGHS milp": by_milp,
    "GLOP": by_glop,
    "scipy min_weight_full_bipartite_matching": by_bipartite,
    "scipy linear_sum_assignment": by_dense,
    "networkx network_simplex": by_networkx,
}
