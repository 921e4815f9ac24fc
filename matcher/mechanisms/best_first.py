"""The order of the search: the branch that may hold the most comes first.

What the branches that are left may hold bounds every plan, so that a search that has to stop says how far
the best plan can be from the best of all; and none is looked into that the best plan rules out.
Components come in turn: branches that may hold more in an earlier one come before those that are proven
equal in it, so that the lottery, the dearest, is asked only of what nothing else decides.

A better plan leaves less between it and what prices allow, so that they settle more: the root's are gone
through again for all branches, those of a branch when its turn comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from ..cells import Int
from .bounds import Node, packed, prices_of
from .cuts import cut_off
from .plan import Flow
from .proof import Tree
from .rounding import turning
from .splitting import class_to_split, pair_to_split
from .strong import Solution

if TYPE_CHECKING:
    from .best import Best
    from .faces import Found
    from .openings import Search


class TooMany(Exception):
    """Where sets cross, the proof has grown beyond what is worth while."""


@dataclass
class Branch:
    """A node that is left, and its part of the proof.

    Parameters
    ----------
    node, tree
        The node, and where its proof is written.
    start
        How many components are proven to be no better than the best plan's.
    most
        What no plan in it exceeds in the first component.
    value
        What its relaxation, or that of the node it is part of, makes of the first component that is
        not proven; infinite where that was not asked.
    flow
        The flow without minimum sizes, for the root.
    solution, best
        The relaxation where it settles no more, and the best plan that it was compared with.

    Attributes
    ----------
    begin
        The node, and how many components are proven, before its part of the proof.
    """

    node: Node
    tree: Tree
    start: int
    most: int
    value: float = np.inf
    flow: Flow | None = None
    solution: Solution | None = None
    best: Best | None = None

    def __post_init__(self) -> None:
        self.begin = self.node, self.start

    def grounded(self) -> tuple[Tree, Node, int]:
        """Its proof up to the last cut, and where that leads: cuts stand on those steps as they are."""
        tree, (node, start) = Tree(self.tree.ground), self.begin
        for step in tree.steps:
            node, start = node.settle(step.closed, step.opened), step.proves
        return tree, node, start


class BestFirst:
    """Finds the best plan of a root, and proves it.

    Parameters
    ----------
    search
        What steps are taken with.
    root, relaxed
        The node that holds every plan, and the best flow without minimum sizes.
    """

    def __init__(self, search: Search, root: Node, relaxed: Flow) -> None:
        self.search = search
        self.root = Branch(root, Tree(), 0, search.most, flow=relaxed)
        self.left: list[tuple[int, float, int, Branch]] = []
        self.pushed = 0
        self.leaves: list[Branch] = []
        self.known = search.best
        self.push(self.root)

    def push(self, branch: Branch) -> None:
        """Leave a branch for later; of equals the last one comes first."""
        self.pushed += 1
        heappush(self.left, (branch.start, -branch.value, -self.pushed, branch))

    def run(self) -> Tree:
        """Look into one branch after another until none is left; the proof.

        Raises
        ------
        OutOfTime, TooMany
            If it does not come to that.
        """
        while self.left:
            *_, branch = heappop(self.left)
            try:
                self.look(branch)
            finally:
                self.sum_up(branch)
            self.look_again()
        return self.root.tree

    def sum_up(self, branch: Branch) -> None:
        """Note what all that is left, the branch at hand included, proves of the whole."""
        search, best = self.search, self.search.best
        if best is None:
            return
        branch.most = search.within if branch.start == 0 else best.value[0]
        left = [other for *_, other in self.left]
        if not (branch.tree.leaf or branch.tree.sides):
            left.append(branch)
        search.most = max(best.value[0], *(other.most for other in left), -1)
        search.equal = min((other.start for other in left), default=search.equal)

    def look_again(self) -> None:
        """Go on from a better plan, if one has been found: from what the root's prices settle now.

        Leaves that were the last best plan's are taken up again.
        """
        if self.search.best is self.known:
            return
        self.known = self.search.best
        if self.root.tree.sides:
            self.from_root()
        for branch in [leaf for leaf in self.leaves if not self.search.is_best(leaf.node)]:
            self.leaves.remove(branch)
            branch.tree.leaf = ""
            self.push(branch)

    def from_root(self) -> None:
        """Take the root's steps once more, and settle in all that is left what they settle.

        A class that is settled the other way somewhere below, or split by, is left as it is: the proof
        there goes by it.
        """
        search = self.search
        tree, node, start = self.root.grounded()
        closed, opened = self.root.tree.settled(len(node.openings))
        for found in self.taken(self.root):
            node, start = search.step(node, start, found, tree, (opened, closed))
        self.root.tree.steps = tree.steps
        left, self.left = sorted(self.left, reverse=True), []
        for branch in [*(branch for *_, branch in left), *self.leaves]:
            begin, proven = branch.begin
            branch.begin = begin.also(node), max(proven, start)
            branch.node = branch.node.also(node)
            if branch.start < start:
                branch.start, branch.value = start, search.valued(branch.solution, start)
        for *_, branch in left:
            self.push(branch)

    def look(self, branch: Branch) -> None:
        """Ask a branch's relaxations how far it is proven; split it where they have settled all they can."""
        search, tree = self.search, branch.tree
        search.watch()
        search.within = branch.most
        if search.best is None and branch.solution is not None and search.large:
            turning(search, branch.node, branch.solution)
        if branch.best is not search.best:
            self.step_again(branch)
            if tree.leaf:
                return
        elif branch.solution is not None:
            self.split(branch)
            return
        node, start, first = branch.node, branch.start, branch.start
        if branch.solution is not None:
            node, start = search.read(branch.solution, first, [1], node, start, tree)
        else:
            if branch.flow is not None and search.best is not None:
                potentials = branch.flow.potentials
                found = packed(len(potentials)), prices_of(branch.flow, potentials)
                search.root_prices.append(found)
                node, start = search.step(node, start, found, tree)
            node, start, branch.solution = search.bounded(node, start, tree, branch.flow)
        while search.nodes == 1 and not tree.leaf:
            node, start, more = cut_off(search, node, start, tree, branch.solution)
            if tree.leaf or not more:
                break
            node, start, branch.solution = search.bounded(node, start, tree, None)
        best = search.best
        cut = tree.cuts and start == 0 and search.nodes == 1 and not tree.leaf
        if cut and branch.solution and branch.solution.halfway.any():
            turning(search, node, branch.solution)
        stuck = branch.flow is not None or start == first
        branch.node, branch.start, branch.flow = node, start, None
        if tree.leaf:
            return
        if stuck and search.is_leaf(node) and search.settles(node, start, tree):
            branch.best = search.best
            self.leaves += [branch] if search.is_best(node) else []
        elif start == search.enough():
            tree.leaf = "equal"
        elif not stuck or branch.solution is not None:
            branch.solution = branch.solution if stuck else None
            branch.value = search.valued(branch.solution, start)
            branch.best = best
            self.push(branch)
        else:
            self.split(branch)

    def step_again(self, branch: Branch) -> None:
        """Take a branch's steps once more, as they settle more now that a better plan is known."""
        taken = self.taken(branch)
        tree, node, start = branch.grounded()
        branch.tree.steps = tree.steps
        for found in taken:
            node, start = self.search.step(node, start, found, branch.tree)
            if branch.tree.leaf:
                break
        branch.node, branch.start = node, start

    def taken(self, branch: Branch) -> list[Found]:
        """The prices of a branch's steps; for the root also those that settled nothing then."""
        steps = [(step.weights, step.prices) for step in branch.tree.steps]
        if branch is not self.root:
            return steps
        known = {id(prices) for _, prices in steps}
        return steps + [found for found in self.search.root_prices if id(found[1]) not in known]

    def split(self, branch: Branch) -> None:
        """Split a node by the class that is least clearly open or closed, or else by a pair."""
        search, tree, node = self.search, branch.tree, branch.node
        solution, second = branch.solution, False
        tree.order_class = class_to_split(search, node, branch.start, solution)
        if tree.order_class >= 0:
            second = solution is not None and bool(solution.opening[tree.order_class] < 0.5)
            sides = [*node.sides(tree.order_class)]
        elif (edge := pair_to_split(search, node, solution)) < 0:
            search.offer(_forced(search, node), node.openings)
            tree.leaf = "settled"
            return
        else:
            tree.edge = edge
            forced, allowed = node.forced.copy(), node.allowed.copy()
            forced[search.plan.market.owner[edge]] = edge
            allowed[edge] = False
            sides = [
                Node(node.openings, node.allowed, forced),
                Node(node.openings, allowed, node.forced),
            ]
        tree.sides = (Tree(), Tree())
        found = [*zip(sides, tree.sides, strict=True)]
        # What is nearer comes first: good plans are found sooner there.
        for side, proof in found if second else reversed(found):
            self.enter(side, proof, branch)

    def enter(self, side: Node, tree: Tree, parent: Branch) -> None:
        """Leave a side for later, if it can hold a plan at all."""
        search = self.search
        search.nodes += 1
        if search.crossing and search.nodes > search.patience:
            raise TooMany
        node = search.bounds.entered(side)
        if node is None:
            tree.leaf = "impossible"
        else:
            self.push(Branch(node, tree, parent.start, search.within, parent.value))


def _forced(search: Search, node: Node) -> Int:
    """The only placement of a node in which every pair is settled."""
    program = np.append(search.plan.market.program, -1)
    found: Int = np.where(node.forced >= 0, program[node.forced], -1)
    return found
