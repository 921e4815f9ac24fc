"""Whether some placement keeps all of a set of requirements: asked of HiGHS, and of CP-SAT again.

There is no objective, and whoever is not asked for may stay unplaced.  So only classes in which somebody
must be have variables, and which classes open is no question: exactly these.  What is left is a flow
with lower bounds, wherever classes and caps are nested or disjoint.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse import csr_array, eye_array, hstack, vstack

from ..cells import Int
from ..requirements import ADMISSION, Places, Requirement, Requirements

Float = NDArray[np.float64]
Kept = frozenset[Requirement]

_ZERO = 1e-6
"""Less than this is nothing to a solver that counts in doubles."""

_MANY = 15
"""With more pairs than this for each row, people choose freely."""

_NOTHING = np.zeros(0, np.int64)


class SolversDisagree(ArithmeticError):
    """One solver finds a conflict where the other finds places, or places do not keep what they should."""


@dataclass(frozen=True)
class Answer:
    """Places that keep all that was asked, or, where a solver finds none, what it found in the way.

    ``conflict`` conflicts, but need not be small; the others can be kept without ``aside``, as far as
    the linear relaxation tells.
    """

    places: Places | None
    conflict: Kept = frozenset()
    aside: Kept = frozenset()


class _Rows:
    """Linear rows over 0/1 columns: low ≤ Σ ≤ high, and the requirements that made each of them.

    ``pair`` is the pair of each column.
    """

    def __init__(self, pair: Int) -> None:
        self.pair = pair
        self.columns: list[Int] = []
        self.low: list[int] = []
        self.high: list[float] = []
        self.of: list[Kept] = []

    def more(self, pair: Int) -> Int:
        """New columns for some pairs."""
        first = len(self.pair)
        self.pair = np.append(self.pair, pair)
        return np.arange(first, len(self.pair))

    def add(
        self, columns: Int, of: Collection[Requirement], low: int = 0, high: float = np.inf
    ) -> None:
        """One more row."""
        self.columns.append(columns)
        self.low.append(low)
        self.high.append(high)
        self.of.append(frozenset(of))

    def matrix(self) -> csr_array:
        """The rows as a matrix of zeros and ones."""
        ends = np.cumsum([0, *(len(c) for c in self.columns)])
        inside = np.concatenate([*self.columns, _NOTHING])
        return csr_array(
            (np.ones(len(inside)), inside, ends), shape=(len(self.columns), len(self.pair))
        )


class Feasible:
    """Answers, for subsets of the requirements of a round, whether a placement keeps them all.

    ``asked`` counts the pairs in the questions so far: the work, as no clock measures it.
    """

    def __init__(self, requirements: Requirements) -> None:
        self.requirements, market = requirements, requirements.market
        self.asked = 0
        self.order = {r: at for at, r in enumerate(requirements.stated)}
        pairs = sorted({*requirements.edges, *requirements.confirmed})
        self.owner, self.program = np.array(pairs, np.int64).reshape(-1, 2).T
        self.column = {pair: at for at, pair in enumerate(pairs)}
        self.order_class = market.class_of[self.program]
        self.pairs_at = _groups(self.program)

    def highs(self, kept: Collection[Requirement], firm: Kept = frozenset()) -> Answer:
        """The answer of HiGHS; ``firm`` can be kept, and nothing of it is put aside.

        Notes
        -----
        The linear relaxation first: the least sum of people missing.  Where it is above nothing, the
        rows with a price are a conflict (Farkas), of which rows that ask for people can go as long as
        the sum of prices stays above nothing.  Where the solution is not whole, branch and cut.
        """
        asked = frozenset(kept)
        rows = self._rows(asked)
        self.asked += len(rows.pair)
        if not any(rows.low):
            return Answer(frozenset())
        least, most = np.flatnonzero(rows.low), np.flatnonzero(np.array(rows.high) < np.inf)
        found = _relaxed(rows, least, most, firm)
        if found.x is None:
            raise SolversDisagree
        if found.fun > _ZERO:
            of = [rows.of[at] for at in [*least, *most]]
            short = np.flatnonzero(found.x[len(rows.pair) :] > _ZERO)
            aside = {min(of[row] - firm, key=self.order.__getitem__) for row in short}
            worth = np.abs(found.ineqlin.marginals[: len(least)]) * np.array(rows.low)[least]
            spared = _spared(worth, found.fun)
            priced = np.flatnonzero(np.abs(found.ineqlin.marginals) > _ZERO).tolist()
            named = frozenset().union(*(of[row] for row in priced if row not in spared))
            return Answer(None, named, frozenset(aside))
        places = self._places(rows.pair, found.x[: len(rows.pair)])
        if self.requirements.keep(asked, places):
            return Answer(places)
        whole = milp(
            np.zeros(len(rows.pair)), integrality=np.ones(len(rows.pair)), bounds=Bounds(0, 1),
            constraints=LinearConstraint(rows.matrix(), rows.low, rows.high),
        )  # fmt: skip
        if whole.x is None:
            return Answer(None, asked, frozenset({min(asked - firm, key=self.order.__getitem__)}))
        return self._checked(asked, self._places(rows.pair, whole.x))

    def cp_sat(self, kept: Collection[Requirement]) -> Answer:
        """The answer of CP-SAT, by one worker."""
        asked = frozenset(kept)
        rows = self._rows(asked)
        model = cp_model.CpModel()
        taken = [model.new_bool_var("") for _ in rows.pair]
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
        return self._checked(asked, self._places(rows.pair, values))

    def _places(self, pair: Int, values: Float) -> Places:
        chosen = np.unique(pair[values > 0.5])
        return frozenset(
            zip(self.owner[chosen].tolist(), self.program[chosen].tolist(), strict=True)
        )

    def _checked(self, kept: Kept, places: Places) -> Answer:
        if not self.requirements.keep(kept, places):
            raise SolversDisagree
        return Answer(places)

    # --- the rows

    def _rows(self, kept: Kept) -> _Rows:
        """The rows of some requirements.

        A pair has a column for every kind of seat that she may take: of a reserve, or any other.
        """
        m = self.requirements.market
        asks: dict[str, list[Requirement]] = defaultdict(list)
        for r in sorted(kept, key=self.order.__getitem__):
            asks[r.code].append(r)
        reserves = self._reserves(asks, kept)
        least = dict(self._least(asks))
        useful = self._useful(asks, least)
        rows = _Rows(np.flatnonzero(useful))
        plain = len(rows.pair)
        for at, of in reserves.items():
            reserve, here = m.reserves[at], self.pairs_at.get(m.reserves[at].program, _NOTHING)
            here = here[useful[here]]
            columns = rows.more(here[m.member[self.owner[here], reserve.group]])
            must = any(r.code == "must_fill" for r in of)
            rows.add(columns, of, reserve.seats if must else 0, reserve.seats)
        one_place = asks["one_place"]
        for columns in _groups(self.owner[rows.pair] if one_place else rows.pair).values():
            if len(columns) > 1:
                rows.add(columns, one_place, high=1)
        in_class = _groups(self.order_class[rows.pair])
        for c, (low, why) in least.items():
            rows.add(in_class.get(c, _NOTHING), why, low)
        columns_of = _groups(rows.pair)
        for r in asks["confirmed"]:
            rows.add(columns_of[self.column[r.at[0], r.at[1]]], [r], 1)
        for r in (one for code in ADMISSION for one in asks[code]):
            rows.add(columns_of.get(self.column[r.at[0], r.at[1]], _NOTHING), [r], high=0)
        program = self.program[rows.pair]
        elsewhere = _groups(program[:plain])
        for r in asks["capacity"]:
            (p,) = r.at
            held = [at for at in reserves if m.reserves[at].program == p]
            room = int(m.capacity[p]) - sum(m.reserves[at].seats for at in held)
            of = [r, *(one for at in held for one in reserves[at])]
            rows.add(elsewhere.get(p, _NOTHING), of, high=room)
        for r in asks["cap"]:
            cap = m.caps[r.at[0]]
            rows.add(np.flatnonzero(np.isin(program, cap.programs)), [r], high=cap.seats)
        return rows

    def _reserves(
        self, asks: Mapping[str, list[Requirement]], kept: Kept
    ) -> dict[int, list[Requirement]]:
        """The reserves whose seats are kept for their group, and what keeps them.

        Hard ones are of the capacity, and nothing where that is set aside.
        """
        m = self.requirements.market
        found: dict[int, list[Requirement]] = defaultdict(list)
        for r in (*asks["must_fill"], *asks["hard_reserve"]):
            capacity = Requirement("capacity", (m.reserves[r.at[0]].program,))
            if r.code == "must_fill" or capacity in kept:
                found[r.at[0]].append(r)
        return dict(sorted(found.items()))

    def _useful(
        self, asks: Mapping[str, list[Requirement]], least: Mapping[int, object]
    ) -> NDArray[np.bool_]:
        """The pairs that somebody asks for: of a class, of a reserve, or confirmed."""
        m = self.requirements.market
        useful = np.isin(self.order_class, list(least))
        for r in asks["must_fill"]:
            reserve = m.reserves[r.at[0]]
            here = self.pairs_at.get(reserve.program, _NOTHING)
            useful[here[m.member[self.owner[here], reserve.group]]] = True
        useful[[self.column[r.at[0], r.at[1]] for r in asks["confirmed"]]] = True
        return useful

    def _least(
        self, asks: Mapping[str, list[Requirement]]
    ) -> Iterator[tuple[int, tuple[int, list[Requirement]]]]:
        """The least number of people of each class in which there must be some, and why."""
        m = self.requirements.market
        why: dict[int, Requirement] = {}
        for r in asks["must_open"]:
            why.setdefault(r.at[0], r)
        for r in asks["must_fill"]:
            why.setdefault(int(m.class_of[m.reserves[r.at[0]].program]), r)
        for r in asks["confirmed"]:
            why.setdefault(int(m.class_of[r.at[1]]), r)
        smallest = {r.at[0]: r for r in asks["min_size"]}
        for c, reason in sorted(why.items()):
            if c in smallest:
                yield c, (int(m.min_size[c]), [reason, smallest[c]])
            elif reason.code == "must_open":
                yield c, (1, [reason])


def _relaxed(rows: _Rows, least: Int, most: Int, firm: Kept) -> OptimizeResult:
    """The least sum of people missing, of rows that ask for them and of those that have too many.

    Nobody may be missing of the rows of what is firm.
    """
    matrix, size = rows.matrix(), len(least) + len(most)
    free = [(0.0, 0.0 if of <= firm else np.inf) for of in (rows.of[at] for at in [*least, *most])]
    choosing = len(rows.pair) > _MANY * size
    return linprog(
        np.append(np.zeros(len(rows.pair)), np.ones(size)),
        A_ub=hstack([vstack([-matrix[least], matrix[most]]), -eye_array(size)]),
        b_ub=np.append(-np.array(rows.low)[least], np.array(rows.high)[most]),
        bounds=np.array([(0.0, 1.0)] * len(rows.pair) + free),
        # Where people choose freely, interior points took a third of the time of the simplex; where
        # most are fixed, four times as much.
        method="highs-ipm" if choosing else "highs-ds",
    )


def _spared(worth: Float, total: float) -> set[int]:
    """The rows that a sum of prices can do without and stay above nothing, cheap ones first."""
    spared = set()
    for row in np.argsort(worth, kind="stable").tolist():
        total -= worth[row]
        if total <= _ZERO:
            break
        spared.add(row)
    return spared


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
