"""What a node of the search is split by: a class, or, where all are settled, a pair.

Which one it is changes nothing but the length of the search.  A class counts for what settling it either
way takes from the bound, as far as the relaxation shows it; this is asked once for each class, in large
markets at the root alone, and later nodes go by what it took then for each part of it that was settled
(pseudo-costs; Achterberg, Koch and Martin 2005, doi 10.1016/j.orl.2004.04.002).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..cells import occurring
from .bounds import Node
from .strong import Solution

if TYPE_CHECKING:
    from .openings import Search

TRIED = 12
"""Classes of which at most it is asked what settling them would take."""

LEAST = 1e-3
"""What settling a class is taken to cost at least, so that the other side still counts."""


def one_left(search: Search, node: Node, solution: Solution | None) -> bool:
    """Whether, where sets cross, a single class is halfway open."""
    if not search.crossing or solution is None or not search.free(node).any():
        return False
    return int(solution.halfway.sum()) == 1


def class_to_split(search: Search, node: Node, start: int, solution: Solution | None) -> int:
    """The class whose settling bounds most, or that is least clearly open or closed; −1 for none."""
    free = np.flatnonzero(search.free(node))
    if not len(free) or solution is None:
        return int(free[0]) if len(free) else -1
    opening, halfway = solution.opening, solution.halfway
    near = free[np.argsort(np.abs(opening[free] - 0.5), kind="stable")].tolist()
    between = [c for c in near if halfway[c]][:TRIED]
    if not search.crossing or len(between) < 2:
        return int(near[0])
    if search.nodes == 1 or search.strong.columns.all() or not search.loss:
        _ask(search, node, start, solution, between)
    usual: list[float] = np.array(list(search.loss.values())).mean(axis=0).tolist()

    def worth(c: int) -> float:
        opened, closed = search.loss.get(c, (usual[0], usual[1]))
        share = float(opening[c])
        return max(LEAST, opened * (1 - share)) * max(LEAST, closed * share)

    return int(max(between, key=worth))


def pair_to_split(search: Search, node: Node, solution: Solution | None) -> int:
    """The pair that is most nearly halfway in a solution, −1 where all are settled."""
    plan = search.plan
    open_ = occurring(plan.edge[search.bounds.present(node)], len(plan.market.program))
    open_ = open_[node.forced[plan.market.owner[open_]] < 0]
    share = np.zeros(len(plan.market.program))
    if solution:
        np.add.at(share, plan.edge, solution.placed)
    halfway = np.abs(share[open_] - 0.5)
    return int(open_[np.argmin(halfway)]) if len(open_) else -1


def _ask(search: Search, node: Node, start: int, solution: Solution, classes: list[int]) -> None:
    """Note what settling each class would take from the bound, where that is not known yet."""
    fresh = [c for c in classes if c not in search.loss]
    if not fresh:
        return
    together = search.together(start)
    ladder = together if search.bounds.cuts and together else search.ladder(0)
    whole = _bounded(search, node, ladder)
    for c in fresh:
        sides = node.sides(c)
        opened, closed = (max(0.0, whole - _bounded(search, side, ladder)) for side in sides)
        share = float(solution.opening[c])
        search.loss[c] = opened / (1 - share), closed / share


def _bounded(search: Search, node: Node, ladder: list[int]) -> float:
    """What the relaxation of a node makes of some components together."""
    search.watch()
    asked = search.asked(0, ladder)
    strong = search.relaxation(node, 0, ladder)
    solution = strong.solve(node, *asked, search.time_left())
    if solution is None:
        search.without_digits()
    return solution.value if solution else -np.inf
