"""A proof that a plan is the best: a tree of nodes, each with the prices that settle something in it.

A *step* bounds a weighted sum of the components by prices (``bounds.py``).  Where that sum is no less
than the best plan's by so and so much, a component that all the earlier ones leave equal cannot exceed
the best plan's, a class cannot be open, or cannot stay closed, or no plan is left.  What steps leave open
is split in two: a class open or closed, a pair in or out.  A *cut* (``cuts.py``) is what prices of both
sides of a class say together; later steps price it like anything else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .bounds import Bool, Prices
from .plan import Plan

if TYPE_CHECKING:
    from .cuts import Cut

LEAVES = 10_000
"""Leaves beyond which a proof is not written down."""

NUMBERS = 4_000_000
"""Numbers beyond which a proof is not written down."""


@dataclass
class Step:
    """Prices, and what they settle.

    Parameters
    ----------
    weights
        Of the first components; together they are what is bounded.
    prices
        The prices.
    proves
        How many components are equal to the best plan's, or less, from here on.
    closed, opened
        Classes that stay closed, and that open, in every plan as good as the best.
    """

    weights: list[int]
    prices: Prices
    proves: int
    closed: list[int]
    opened: list[int]


@dataclass
class Tree:
    """A node of the proof.

    Parameters
    ----------
    steps
        In order; the last one of a leaf shows that no plan is left that would be better.
    leaf
        ``ended`` where the last step ends it; ``best`` where its classes are settled as in the best
        plan, whose potentials are the proof; ``equal`` where every component is proven; ``settled``
        where every pair is; ``impossible`` where an open class has too few people; blank where it is
        split.
    order_class, edge
        What it is split by, −1 for neither.
    sides
        The open and the closed side, or the pair in and out.
    cuts
        Cuts made here, each with the number of steps that come before it: it stands on what they settle.
    """

    steps: list[Step] = field(default_factory=list)
    leaf: str = ""
    order_class: int = -1
    edge: int = -1
    sides: tuple[Tree, ...] = ()
    cuts: list[tuple[int, Cut]] = field(default_factory=list)

    @property
    def ground(self) -> list[Step]:
        """The steps up to its last cut.  They hold whatever better plan is found, and so stay."""
        return self.steps[: self.cuts[-1][0]] if self.cuts else []

    def settled(self, size: int) -> tuple[Bool, Bool]:
        """Which of so many classes are closed, and opened, below: those split by are both."""
        closed, opened = np.zeros((2, size), bool)
        waiting = [self]
        while waiting:
            node = waiting.pop()
            for step in node.steps if node is not self else ():
                closed[step.closed], opened[step.opened] = True, True
            if node.order_class >= 0:
                closed[node.order_class] = opened[node.order_class] = True
            waiting += node.sides
        return closed, opened

    @property
    def leaves(self) -> int:
        """How many leaves there are."""
        return sum(side.leaves for side in self.sides) or 1

    @property
    def size(self) -> int:
        """How many prices there are."""
        prices = [step.prices for step in self.steps]
        prices += [side for _, cut in self.cuts for side in (cut.opened, cut.closed)]
        mine = sum(len(part) for found in prices for part in found)
        return mine + sum(side.size for side in self.sides)


@dataclass(frozen=True)
class Writer:
    """Writes a proof down, by ids and in their order."""

    plan: Plan

    def written(self, tree: Tree) -> dict[str, Any] | None:
        """The proof as it stands in ``certificate.json``; None where it is too long."""
        if tree.leaves > LEAVES or tree.size > NUMBERS:
            return None
        return self._node(tree)

    def _node(self, tree: Tree) -> dict[str, Any]:
        market = self.plan.market
        steps = [self._step(step) for step in tree.steps]
        for before, cut in reversed(tree.cuts):
            steps.insert(before, self._cut(cut))
        found: dict[str, Any] = {"steps": steps}
        if tree.leaf:
            return found | {"leaf": tree.leaf}
        one, two = (self._node(side) for side in tree.sides)
        if tree.order_class >= 0:
            name = market.order_classes[tree.order_class]
            return found | {"order_class": name, "open": one, "closed": two}
        pair = {
            "applicant": market.applicants[market.owner[tree.edge]],
            "program": market.programs[market.program[tree.edge]],
        }
        return found | pair | {"in": one, "out": two}

    def _step(self, step: Step) -> dict[str, Any]:
        market = self.plan.market
        return {
            "weights": step.weights,
            "proves": step.proves,
            "closed": sorted(market.order_classes[c] for c in step.closed),
            "opened": sorted(market.order_classes[c] for c in step.opened),
            **self._prices(step.prices),
        }

    def _cut(self, cut: Cut) -> dict[str, Any]:
        return {
            "weights": cut.weights,
            "order_class": self.plan.market.order_classes[cut.order_class],
            "open": self._prices(cut.opened),
            "closed": self._prices(cut.closed),
        }

    def _prices(self, prices: Prices) -> dict[str, Any]:
        market = self.plan.market
        seats = [f"{market.programs[p]}|{name}" for p, name, _ in self.plan.stages]
        found = {
            "applicants": _by_id(market.applicants, prices.person),
            "seats": _by_id(seats, prices.seat),
            "nonhard": _by_id(market.programs, prices.below),
            "programs": _by_id(market.programs, prices.program),
            "caps": _by_id([cap.name for cap in market.caps], prices.cap),
        }
        return found | ({"cuts": prices.cut.tolist()} if prices.cut.any() else {})


def _by_id(names: list[str], prices: Any) -> list[int]:
    """The prices in the order of the ids."""
    values = prices.tolist()
    return [int(values[at]) for at in sorted(range(len(names)), key=names.__getitem__)]
