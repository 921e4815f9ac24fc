"""Where every class is settled but sets cross: one component after another, exactly.

What is best in a component is a face of the relaxation: columns and rows that have a price stay where
they are, and the next component is made large over what is left.  So no row has to fix what came before,
whose price the next component, the lottery above all, drives beyond what doubles hold.  The prices of all
components together, each outweighing all that come after it, prove them at once; they are nearly always
whole, as the relaxation is nearly a flow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..cells import Int
from .bounds import DIGIT, Node, Prices
from .proof import Tree
from .simplex import NOTHING
from .strong import Solution, exactly

if TYPE_CHECKING:
    from .openings import Search

Found = tuple[list[int], Prices]

AGAIN = 12
"""How often columns that prices find wanting are added."""


def along(search: Search, node: Node, start: int, tree: Tree) -> tuple[Node, int]:
    """Prove as many components of a settled node as its faces allow; the node, and how many.

    Those that the relaxation of all of them together proves make one sum: its face is as good.
    """
    ladder = search.ladder(0)
    for _ in range(AGAIN):
        asked = search.asked(0, ladder)
        one = search.strong.solve(node, *asked, search.time_left())
        if one is None:
            return node, start
        search.offer(whole(search, one), node.openings)
        worse = one.value < search.reached(0, ladder) - 0.5 * ladder[0]
        for at, unit in enumerate(ladder):
            if (start <= at or worse) and not tree.leaf:
                node, start = search.apply(one, ladder[: at + 1], unit, node, start, tree)
        if tree.leaf or one.missing > NOTHING:
            return node, start
        if not search.strong.grow(node, *asked, one, nearly=True):
            break
    back = bool(search.bounds.cuts)
    if back:
        search.strong.simplex.mark()
    for _ in range(AGAIN):
        first = start
        sums = _sums(search, node, search.ladder(0)[: max(1, start)])
        if not (sums or search.strong.grown or search.large):
            sums = _sums(search, node, [1])
        for found in reversed(sums):
            node, start = search.step(node, start, found, tree)
            if tree.leaf or start > first:
                break
        if tree.leaf or start >= search.enough() or not search.strong.grown:
            break
    if back:  # faces are far from what is asked next
        search.strong.simplex.back()
    return node, start


def _sums(search: Search, node: Node, ladder: list[int]) -> list[Found]:
    """Weights and prices of more and more components; those of all of them nearly always prove most.

    ``ladder`` are the weights of those that make the first sum; every other one comes alone.  There are
    none if columns had to be added, or the prices of the first cannot be made whole.
    """
    found: list[Found] = []
    sums = [[*zip([w // ladder[-1] for w in ladder], search.components, strict=False)]]
    sums += [[(1, component)] for component in search.components[len(ladder) :]]
    faces = search.strong.faces(node, sums, search.time_left)
    for part, solution in zip(sums, faces, strict=False):
        search.watch()
        search.offer(whole(search, solution), node.openings)
        if (exact := exactly(solution)) is None:
            break
        found.append(_after(found[-1] if found else None, [weight for weight, _ in part], *exact))
        if len(found[-1][0]) >= search.enough():
            break
    return found


def _after(before: Found | None, weights: list[int], parts: int, prices: Prices) -> Found:
    """Prices that come after all earlier ones."""
    cut = [parts * weight for weight in weights]
    if before is None:
        return cut, Prices(*(price.astype(object) for price in prices))
    earlier, old = before
    together = (was * DIGIT + new for was, new in zip(old, prices, strict=True))
    return [*(weight * DIGIT for weight in earlier), *cut], Prices(*together)


def whole(search: Search, solution: Solution) -> Int:
    """The placement of those who are not halfway in a solution."""
    return search.plan.placement(np.flatnonzero(solution.placed > 0.5))
