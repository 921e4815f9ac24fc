"""Whether some placement keeps all of a set of requirements: asked of HiGHS, and of CP-SAT again.

There is no objective, and whoever is not asked for may stay unplaced.  So only classes in which somebody
must be have variables, and which classes open is no question: exactly these.  What is left is a flow
with lower bounds, wherever classes and caps are nested or disjoint.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from ortools.sat.python import cp_model
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, eye_array, hstack, vstack

from ..cells import Int
from ..requirements import ADMISSION, Places, Requirement, Requirements

Kept = frozenset[Requirement]

_ZERO = 1e-6
"""Less than this is nothing to a solver that counts in doubles."""


class NotKept(ArithmeticError):
    """A solver gave places that do not keep what they were asked to keep."""


@dataclass(frozen=True)
class Answer:
    """Places that keep all that was asked, or, where a solver finds none, what it found to conflict.

    ``conflict`` conflicts, but need not be small.
    """

    places: Places | None
    conflict: Kept = frozenset()


@dataclass
class _Rows:
    """Linear rows over 0/1 columns: low ≤ Σ ≤ high, and the requirements that made each of them."""

    columns: list[Int] = field(default_factory=list)
    low: list[int] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    of: list[Kept] = field(default_factory=list)

    def add(
        self, columns: Int, of: Collection[Requirement], low: int = 0, high: float = np.inf
    ) -> None:
        self.columns.append(columns)
        self.low.append(low)
        self.high.append(high)
        self.of.append(frozenset(of))

    def matrix(self, columns: int) -> csr_array:
        ends = np.cumsum([0, *(len(c) for c in self.columns)])
        inside = np.concatenate([*self.columns, np.zeros(0, np.int64)])
        ones = np.ones(len(inside))
        return csr_array((ones, inside, ends), shape=(len(self.columns), columns))


class Feasible:
    """Answers, for subsets of the requirements of a round, whether a placement keeps them all."""

    def __init__(self, requirements: Requirements) -> None:
        self.requirements, market = requirements, requirements.market
        outside = [r.at for r in requirements.stated if r.code in ADMISSION]
        pairs = np.array(sorted(requirements.edges) + sorted(outside), np.int64).reshape(-1, 2)
        self.owner, self.program = pairs.T
        self.column = {pair: at for at, pair in enumerate(map(tuple, pairs.tolist()))}
        self.person = np.array(requirements.person, np.int64)[self.owner]
        self.order_class = market.class_of[self.program]
        self.outside = np.arange(len(pairs)) >= len(requirements.edges)
        by_program = np.argsort(self.program, kind="stable")
        ends = np.searchsorted(self.program[by_program], np.arange(len(market.programs) + 1))
        self.pairs_at = [by_program[a:b] for a, b in zip(ends, ends[1:], strict=False)]

    def highs(self, kept: Collection[Requirement]) -> Answer:
        """The answer of HiGHS.

        Notes
        -----
        The linear relaxation first: the least sum of people missing.  Where it is above nothing, the
        rows with a price are a conflict (Farkas); where the solution is not whole, branch and cut.
        """
        asked = frozenset(kept)
        pair, rows = self._rows(asked)
        matrix = rows.matrix(len(pair))
        low, high = np.array(rows.low), np.array(rows.high)
        least, most = np.flatnonzero(low > 0), np.flatnonzero(high < np.inf)
        if not len(least):
            return Answer(frozenset())
        missing = eye_array(len(least) + len(most), len(least))
        found = linprog(
            np.append(np.zeros(len(pair)), np.ones(len(least))),
            A_ub=hstack([vstack([-matrix[least], matrix[most]]), -missing]),
            b_ub=np.append(-low[least], high[most]),
            bounds=np.array([(0, 1)] * len(pair) + [(0, np.inf)] * len(least)),
        )
        if found.fun > _ZERO:
            priced = np.flatnonzero(np.abs(found.ineqlin.marginals) > _ZERO)
            at = np.append(least, most)[priced].tolist()
            named = frozenset().union(*(rows.of[row] for row in at))
            named |= {r for r in asked if r.code in ADMISSION}
            return Answer(None, named)
        places = self._places(pair, found.x[: len(pair)])
        if self.requirements.keep(asked, places):
            return Answer(places)
        whole = milp(
            np.zeros(len(pair)), integrality=np.ones(len(pair)), bounds=Bounds(0, 1),
            constraints=LinearConstraint(matrix, low, high),
        )  # fmt: skip
        if whole.x is None:
            return Answer(None, asked)
        return self._checked(asked, self._places(pair, whole.x))

    def cp_sat(self, kept: Collection[Requirement]) -> Answer:
        """The answer of CP-SAT, by one worker."""
        asked = frozenset(kept)
        pair, rows = self._rows(asked)
        model = cp_model.CpModel()
        taken = [model.new_bool_var("") for _ in pair]
        for columns, low, high in zip(rows.columns, rows.low, rows.high, strict=True):
            # A row without columns is no expression to CP-SAT: a constant stands for it.
            people = [taken[c] for c in columns.tolist()] or [model.new_constant(0)]
            most = int(min(high, max(low, len(columns))))
            model.add_linear_constraint(cp_model.LinearExpr.sum(people), low, most)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        if solver.solve(model) == cp_model.INFEASIBLE:
            return Answer(None, asked)
        values = np.array([solver.boolean_value(v) for v in taken], float)
        return self._checked(asked, self._places(pair, values))

    def _places(self, pair: Int, values: np.ndarray) -> Places:
        chosen = np.unique(pair[values > 0.5])
        return frozenset(
            zip(self.owner[chosen].tolist(), self.program[chosen].tolist(), strict=True)
        )

    def _checked(self, kept: Kept, places: Places) -> Answer:
        if not self.requirements.keep(kept, places):
            raise NotKept
        return Answer(places)

    # --- the rows

    def _rows(self, kept: Kept) -> tuple[Int, _Rows]:
        """The pair of each column, and the rows.

        A pair has a column for every kind of seat that she may take: of a reserve, or any other.
        """
        m, given = self.requirements.market, self.requirements
        asks = {code: [r for r in kept if r.code == code] for code in {r.code for r in kept}}
        least = dict(self._least(asks))
        rows, open_pairs = _Rows(), np.zeros(len(self.owner), bool)
        seats: dict[int, list[Requirement]] = {}  # per program, the reserves kept there
        for code in ("must_fill", "hard_reserve"):
            for r in asks.get(code, ()):
                p = m.reserves[r.at[0]].program
                if code == "must_fill" or Requirement("capacity", (p,)) in kept:
                    seats.setdefault(p, []).append(r)
        confirmed = [self.column[r.at[0], r.at[1]] for r in asks.get("confirmed", ())]
        for c in least:
            open_pairs |= self.order_class == c
        for r in asks.get("must_fill", ()):
            reserve = m.reserves[r.at[0]]
            here = self.pairs_at[reserve.program]
            open_pairs[here[m.member[self.owner[here], reserve.group]]] = True
        open_pairs[confirmed] = True
        for code in ADMISSION:
            open_pairs[[self.column[r.at[0], r.at[1]] for r in asks.get(code, ())]] = False

        parts = [np.flatnonzero(open_pairs)]
        size = len(parts[0])
        held: list[tuple[int, list[Requirement], Int]] = []
        for p, named in sorted(seats.items()):
            for at in sorted({r.at[0] for r in named}):
                group = m.reserves[at].group
                here = self.pairs_at[p]
                here = here[open_pairs[here] & m.member[self.owner[here], group]]
                columns = np.arange(size, size + len(here))
                held.append((at, [r for r in named if r.at[0] == at], columns))
                parts.append(here)
                size += len(here)
        pair = np.concatenate(parts)
        for at, named, columns in held:
            must = any(r.code == "must_fill" for r in named)
            number = m.reserves[at].seats
            rows.add(columns, named, number if must else 0, number)
        self._per_person(rows, pair, asks)
        for key, (low, reason) in least.items():
            rows.add(np.flatnonzero(self.order_class[pair] == key), reason, low)
        by_pair = _groups(pair)
        for r in asks.get("confirmed", ()):
            columns = by_pair.get(self.column[r.at[0], r.at[1]], np.zeros(0, np.int64))
            rows.add(columns, [r], 1)
        other = np.arange(size) < len(parts[0])
        of_program = self.program[pair]
        for r in asks.get("capacity", ()):
            (p,) = r.at
            kept_here = seats.get(p, [])
            room = int(m.capacity[p]) - sum(given.reserved(p, kept_here).values())
            rows.add(np.flatnonzero(other & (of_program == p)), [r, *kept_here], high=room)
        for r in asks.get("cap", ()):
            cap = m.caps[r.at[0]]
            rows.add(np.flatnonzero(np.isin(of_program, cap.programs)), [r], high=cap.seats)
        return pair, rows

    def _least(self, asks: dict[str, list[Requirement]]) -> Iterator[tuple[int, tuple[int, Kept]]]:
        """The least number of people of each class in which there must be some, and why."""
        m = self.requirements.market
        inside = {r.at[0]: r for r in asks.get("must_open", ())}
        why = dict(inside)
        for r in asks.get("must_fill", ()):
            why.setdefault(int(m.class_of[m.reserves[r.at[0]].program]), r)
        for r in sorted(asks.get("confirmed", ()), key=lambda r: r.at):
            why.setdefault(int(m.class_of[r.at[1]]), r)
        smallest = {r.at[0]: r for r in asks.get("min_size", ())}
        for c, reason in sorted(why.items()):
            if c in smallest:
                yield c, (int(m.min_size[c]), frozenset({reason, smallest[c]}))
            elif c in inside:
                yield c, (1, frozenset({reason}))

    def _per_person(self, rows: _Rows, pair: Int, asks: dict[str, list[Requirement]]) -> None:
        """One place a person, or, where that is set aside, one seat at a place."""
        whole = asks.get("one_place", [])
        for columns in _groups(self.person[pair] if whole else pair).values():
            if len(columns) > 1:
                rows.add(columns, whole, high=1)


def fewest(sizes: Sequence[int], reached: Sequence[Sequence[int]]) -> list[int]:
    """The least numbers, each within its size, that are in some place above each of the vectors.

    Parameters
    ----------
    sizes
        How many there are of each kind.
    reached
        Numbers of each kind, no vector having all.

    Examples
    --------
    >>> fewest([1, 3], [[0, 3], [1, 1]])
    [1, 2]
    """
    model = cp_model.CpModel()
    numbers = [model.new_int_var(0, size, "") for size in sizes]
    above: dict[tuple[int, int], cp_model.IntVar] = {}
    for vector in reached:
        clause = []
        for kind, (number, size) in enumerate(zip(vector, sizes, strict=True)):
            if number == size:
                continue
            if (kind, number) not in above:
                literal = above[kind, number] = model.new_bool_var("")
                model.add(numbers[kind] > number).only_enforce_if(literal)
            clause.append(above[kind, number])
        model.add_bool_or(clause)
    model.minimize(sum(numbers))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.solve(model)
    return [solver.value(number) for number in numbers]


def _groups(keys: Int) -> dict[int, Int]:
    """The places of each key."""
    order = np.argsort(keys, kind="stable")
    values, first = np.unique(keys[order], return_index=True)
    return dict(zip(values.tolist(), np.split(order, first[1:]), strict=True)) if len(keys) else {}
