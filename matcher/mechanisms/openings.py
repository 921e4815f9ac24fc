"""Which classes open: a search whose every step is proven in integers, and which is its own proof.

A *node* settles some classes (and, where sets cross, some pairs).  In it prices bound every plan that
would be at least as good as the best one known (``bounds.py``): step by step they show that a component
cannot exceed the best one's, that a class must stay closed or must open, or that nothing is left.
Where that does not end a node, it is split in two; in large markets the root is cut first (``cuts.py``).
Prices come from a flow or from the strong relaxation, rounded; where they come from does not matter to
the proof (``proof.py``).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np

from ..cells import Int
from ..objective import Counted, reserved_filled
from .best import Best, Elsewhere, OutOfTime
from .best_first import BestFirst, TooMany
from .bounds import ROOM, Bool, Bound, Bounds, Node, Prices, packed, prices_of
from .faces import Found, along
from .flow import NoFlow
from .plan import CLOSED, FREE, OPEN, Drawn, Flow, Plan
from .proof import Step, Tree
from .rounding import closing_short, nearest, turning
from .simplex import NOTHING
from .splitting import one_left
from .strong import FINE, Fixed, Solution, Strong, Weighted, priced

WIDE = 1.25
"""Classes with fewer people than this many times their minimum get an opening at once."""

AFTER = 2
"""What the best plan's own flow and its thresholds take when the search has ended, in times of the first."""

LITTLE = 0.05
"""What more columns must make of the first component, where sets cross, to go on with them."""

ROUNDS = 8
"""How many times columns are added to a relaxation at most."""

NODES, FEW = 100, 20_000
"""Nodes after which, where sets cross, the solver's word is taken for the rest: of so few arcs."""

PROOF = 20_000_000
"""Nodes times people after which it is taken whatever the arcs."""


@dataclass
class Search:
    """Looks for the best openings, and proves them.

    Parameters
    ----------
    plan
        The plan of the market.
    objective
        The components in order, the lottery's two weights included.
    deadline
        On ``time.perf_counter``; None for none.

    Attributes
    ----------
    best
        The best plan known.
    tied
        Whether another plan of the same value was met.
    equal
        How many components of the best plan are proven to be the best there are.
    most, within
        What no plan, and no plan of the branch at hand, exceeds in the first component.
    nodes
        How many nodes there are so far.
    """

    plan: Plan
    objective: Sequence[Counted]
    deadline: float | None = None
    best: Best | None = None
    tied: bool = False
    equal: int = 0

    def __post_init__(self) -> None:
        self.components: list[Counted] = [*self.objective, Elsewhere(self)]
        self.bounds = Bounds(self.plan, len(self.components))
        self.seen: set[tuple[bytes, bool, bytes]] = set()
        self.reach = [max(1, component.reach) for component in self.components]
        self.people = len(self.plan.market.applicants) + 1
        reserved = int(self.plan.seats[self.plan.reserved].sum())
        self.range = [
            reserved if component.per_reserve else self.people * component.reach
            for component in self.components
        ]
        self.ceilings: list[int] = []
        self.within = 0
        self.nodes, self.rounded = 1, 0
        self.flown = 0.0
        self.relaxed: tuple[Node, Int] | None = None
        self.loss: dict[int, tuple[float, float]] = {}
        self.root_prices: list[Found] = []
        self.gaps: dict[int, float] = {}
        everything = np.where(self.plan.conditional, OPEN, FREE)
        self.crossing = bool(self.plan.chains(everything).left_out)
        self.before_lottery = sum(not isinstance(c, Drawn) for c in self.objective)

    # --- plans

    def try_openings(
        self, openings: Int, columns: Bool | None = None, loads: Int | None = None
    ) -> None:
        """Find the best plan for some openings; keep it if it is the best so far.

        Over some columns only, or with people spread over the programs nearly as ``loads`` says, which
        is how caps that the network leaves out are kept, it is a plan all the same, if perhaps not
        the best for its openings.
        """
        if columns is not None and columns.all():
            columns = None
        crossing = bool(self.plan.chains(openings).left_out)
        seats = self.plan.within(openings, loads) if crossing and loads is not None else None
        key = openings.tobytes(), columns is None, b"" if seats is None else seats.tobytes()
        if key in self.seen:
            return
        self.seen.add(key)
        flow = self.plan.flow(openings, columns, seats)
        try:
            self.find(flow)
        except NoFlow:
            return
        if len(flow.potentials) == len(self.objective):
            self.offer(flow.matching(), openings, flow)

    def find(self, flow: Flow) -> list[int]:
        """Find the best plan of a flow, or only that, lottery apart, it is worse than the best one.

        Returns the value.

        Raises
        ------
        NoFlow
            If the flow has no plan.
        """
        self.watch()
        end = self.before_lottery
        value = flow.maximise(*self.objective[:end])
        if self.best is None or tuple(value) >= self.best.value[:end]:
            self.watch()
            value += flow.maximise(*self.objective[end:])
        return value

    def offer(self, matching: Int, openings: Int, flow: Flow | None = None) -> None:
        """Keep a plan if it keeps everything and is the best so far."""
        known = self.best is not None and flow is None and (matching == self.best.matching).all()
        if known or not self.plan.keeps(matching, openings):
            return
        conditional, must = self.plan.conditional, self.plan.decreed
        filled = self.sizes(matching) > 0
        exact = np.where(conditional, np.where(filled | must, OPEN, CLOSED), FREE)
        value = self.value(matching)
        same = flow is not None and flow.whole and (openings == exact)[conditional].all()
        if self.best is None or value > self.best.value:
            self.best, self.tied = Best(matching, exact, value, flow if same else None), False
        elif value == self.best.value:
            self.tied |= bool((matching != self.best.matching).any())
            if same and self.best.flow is None:
                self.best.flow = flow

    def sizes(self, matching: Int) -> Int:
        market = self.plan.market
        placed = market.class_of[matching[matching >= 0]]
        return np.bincount(placed, minlength=len(market.order_classes)).astype(np.int64)

    def value(self, matching: Int) -> tuple[int, ...]:
        """The components of a placement."""
        edges = self._edges(matching)
        filled = reserved_filled(self.plan.market, matching, self.plan.choice)
        return tuple(int(c.at(edges).sum()) + c.per_reserve * filled for c in self.objective)

    def watch(self) -> None:
        if self.deadline is not None and time.perf_counter() > self.deadline:
            raise OutOfTime

    def proven(self) -> tuple[int, ...]:
        """What no plan exceeds: the best plan's value as far as the root proves it, else a ceiling.

        That of the best flow without minimum sizes, where the best plan equals it before.
        """
        best = self.best.value if self.best else ()
        found = [*best[: self.equal]]
        for at, component in enumerate(self.objective[self.equal :], self.equal):
            same = len(self.ceilings) > at and tuple(self.ceilings[:at]) == best[:at]
            most = self.ceilings[at] if same else self.plan.ceiling(component)
            found.append(min(self.most, most) if at == 0 and self.ceilings else most)
        return tuple(found)

    # --- the search

    def run(self) -> Tree | None:
        """Search until the best plan is proven; return the proof, None where the solver is trusted.

        Raises
        ------
        OutOfTime
            If the limit of time is reached; ``best`` holds what is known, None if that is nothing.
        NoFlow
            If there is no plan at all.
        """
        self.started = time.perf_counter()
        market = self.plan.market
        begin = np.where(self.plan.decreed, OPEN, FREE)
        everybody = np.ones(len(market.program), bool)
        root = self.bounds.entered(Node(begin, everybody, np.full(len(market.applicants), -1)))
        if root is None:
            raise NoFlow
        if self.is_leaf(root):  # no class has to open: one flow says all, and no plan takes less
            self.deadline = None
            self.try_openings(root.openings)
            if self.best is None:
                raise NoFlow
            return Tree(leaf="best")
        relaxed = self._relaxed(root)
        if self.deadline is not None:
            self.deadline -= AFTER * self.flown
        try:
            proof = BestFirst(self, root, relaxed).run()
        except TooMany:
            self._trust(root)
            return None
        if self.best is None:
            raise NoFlow
        return proof

    def _trust(self, root: Node) -> None:
        """Find the best plan by branch and cut, one component after another; then ask for another one.

        Raises
        ------
        OutOfTime
            If the solver does not end in time, or contradicts itself.
        """
        fixed: list[tuple[Counted, int]] = []
        for at, component in enumerate(self.components):
            self.watch()
            found = self.strong.whole(root, component, fixed, self.time_left())
            if found is None:
                raise OutOfTime
            self.offer(found[0], root.openings)
            value = (*self.value(found[0]), 0)[at]
            if component is self.components[-1]:
                self.tied |= bool(component.worth[self._edges(found[0])].any())
            elif found[1] > value + max(0.5, NOTHING * component.reach) or self.best is None:
                raise OutOfTime
            fixed.append((component, value))
        if self.best is None or self.best.value != tuple(v for _, v in fixed[:-1]):
            raise OutOfTime

    def _edges(self, matching: Int) -> Int:
        """The edges that a placement holds."""
        held = self.plan.market.edges_of(matching)
        return held[held >= 0]

    def _relaxed(self, root: Node) -> Flow:
        """The best flow where classes need no minimum, lottery apart; if it is a plan, it is the best."""
        flow = self.plan.flow(root.openings)
        self.watch()
        first = max(1, self.before_lottery)  # a policy may ask for nothing but the lottery
        begun = time.perf_counter()
        self.ceilings = flow.maximise(*self.objective[:first])
        self.flown = time.perf_counter() - begun
        self.most = self.ceilings[0]
        matching = flow.matching()
        sizes = self.sizes(matching)
        wide = self.plan.conditional & (sizes < WIDE * self.plan.need)
        parts = self.objective[:first]
        self.strong = Strong(self.bounds, set(np.flatnonzero(wide).tolist()))
        self.strong.begin(root, flow, [*zip(self.ladder(0), parts, strict=False)])
        self.relaxed = root, matching
        if self.plan.keeps(matching, root.openings):
            flow.maximise(*self.objective[first:])
            self.offer(flow.matching(), root.openings, flow)
        return flow

    def loads(self, matching: Int) -> Int:
        """How many people each program has."""
        placed = matching[matching >= 0]
        return np.bincount(placed, minlength=len(self.plan.market.programs)).astype(np.int64)

    def bounded(
        self, node: Node, start: int, tree: Tree, flow: Flow | None
    ) -> tuple[Node, int, Solution | None]:
        """Take steps by relaxations: at the root until they settle no more, else until one component is.

        Returns the node, how many components are proven, and the last solution.  Where a flow is dear,
        a relaxation tells first whether a leaf is worth one.
        """
        solution, stuck = None, not self.bounds.present(node).any()
        faced, entry = False, start
        while not (tree.leaf or stuck or self.is_leaf(node)) and start < self.enough():
            first = start
            if self.crossing and start and self._settled(node) and not faced:
                node, start = along(self, node, start, tree)
                faced = start == first
                continue
            if (self.small or self.crossing) and 0 < self.free(node).sum() <= start:
                break  # a relaxation is dearer the more components it fixes
            for nth, (base, ladder) in enumerate(self._ladders(node, start)):
                if nth and flow is None and self.crossing and solution and solution.halfway.any():
                    break  # a split costs less than another relaxation, and shows more
                value = np.inf
                # Inside the tree the first has what there is: bounds see all columns anyway.
                cut = self.relaxation(node, base, ladder) is not self.strong
                grow = flow is not None or nth > 0 or not self.crossing or cut
                for solution in self._solutions(node, base, ladder, grow):
                    before = node
                    nearest(self, solution, node, base, ladder)
                    if self.best is None and flow is not None and not self.large:
                        closing_short(self, node.openings, flow.matching())
                    if self.best is None and self.large and self.late:
                        turning(self, node, solution)
                    node, start = self.read(solution, base, ladder, node, start, tree)
                    if tree.leaf or self.is_leaf(node) or start > first:
                        break
                    little = LITTLE if self.crossing else NOTHING
                    same = abs(solution.value - value) < little * ladder[0]
                    if node is before and same:
                        break
                    near = 1 if self.large else NOTHING  # cuts take far more than that
                    if base == 0 and len(ladder) == 1 and self.within <= solution.value + near:
                        break  # more columns make no more of it
                    if cut and self.best and solution.value >= self.reached(0, ladder) + 1:
                        break
                    value = solution.value
                if tree.leaf or self.is_leaf(node) or start > first:
                    break
            if flow is not None and start and one_left(self, node, solution):
                break  # a split is nearer than what relaxations of more components settle
            stuck = start == first
            if flow is None and not stuck:
                break  # other branches may hold more than what is left of this one
            if stuck and self._settled(node) and self.crossing and not (faced or tree.leaf):
                faced = True
                node, start = along(self, node, start, tree)
                stuck = start == first
        leaf = self.is_leaf(node) and (flow is not None or start == entry)
        if leaf and not (tree.leaf or self.small or self.is_best(node)):
            ladder, first = self.ladder(start), start
            for found in self._solutions(node, first, ladder):
                node, start = self.read(found, first, ladder, node, start, tree)
                if tree.leaf or start > first:
                    break
        return node, start, solution

    def enough(self) -> int:
        """How many components are to be proven: where another plan is as good, it is not unique."""
        return len(self.objective) if self.tied else len(self.components)

    def free(self, node: Node) -> Bool:
        """Which classes are not settled."""
        found: Bool = self.plan.conditional & (node.openings == FREE)
        return found

    def is_best(self, node: Node) -> bool:
        """Whether classes are settled as in the best plan."""
        return self.best is not None and bool((node.openings == self.best.openings).all())

    def valued(self, solution: Solution | None, start: int) -> float:
        """What a solution makes of a component, where it was asked; the lottery is not."""
        if solution is None or start >= self.before_lottery:
            return np.inf
        component, plan = self.components[start], self.plan
        worth = component.worth[plan.edge] + component.per_reserve * plan.reserved[plan.kind]
        return float((worth * solution.placed).sum())  # not by @, which takes threads

    @property
    def patience(self) -> int:
        """How many nodes a proof may have where sets cross."""
        return NODES if len(self.plan.edge) <= FEW else max(NODES, PROOF // self.people)

    @property
    def small(self) -> bool:
        """Whether a flow over all arcs costs no more than a relaxation."""
        return not self.crossing and bool(self.strong.columns.all())

    @property
    def large(self) -> bool:
        """Whether sets cross, and relaxations have some of the columns only."""
        return self.crossing and not bool(self.strong.columns.all())

    def _settled(self, node: Node) -> bool:
        return not self.free(node).any()

    def is_leaf(self, node: Node) -> bool:
        """Whether every class is settled and a flow says all: no sets cross, no pair is settled."""
        untouched = bool(node.allowed.all()) and bool((node.forced < 0).all())
        return untouched and self._settled(node) and not self.plan.chains(node.openings).left_out

    def settles(self, node: Node, start: int, tree: Tree) -> bool:
        """Settle a node in which a flow finds the best plan; whether that ends it.

        It nearly always does.  Prices where no seat can be had at all may be too coarse.
        """
        self.try_openings(node.openings)
        if self.is_best(node):
            tree.leaf = "best"
            return True
        flow = self.plan.flow(node.openings)
        try:
            value = self.find(flow)
        except NoFlow:
            self._without_plan(node, start, tree, prices_of(flow, [flow.unmet()]))
        else:
            self.step(node, start, (packed(len(value)), prices_of(flow, flow.potentials)), tree)
        return bool(tree.leaf)

    def _without_plan(
        self, node: Node, start: int, tree: Tree, prices: Prices | None = None
    ) -> tuple[Node, int]:
        """Show by prices of what is missing that a node holds no plan as good as the best."""
        if prices is not None:
            return self.step(node, start, ([0], prices), tree)
        asked = self.asked(start, [])
        solution = self.strong.solve(node, *asked, self.time_left())
        if solution is None:
            self.without_digits()
            return node, start
        weights, found = priced(self.bounds, solution, [], 1 / FINE)
        node, start = self.step(node, start, (weights or [0], found), tree)
        if not tree.leaf:
            self.strong.grow(node, *asked, solution)
        return node, start

    # --- steps

    def step(
        self, node: Node, start: int, found: Found, tree: Tree,
        spared: tuple[Bool | bool, Bool | bool] = (False, False),
    ) -> tuple[Node, int]:  # fmt: skip
        """Apply prices to a node: what they settle, how far they prove, whether nothing is left.

        ``spared`` are classes that are not closed, and not opened, whatever the prices say.
        """
        weights, prices = found
        if any(w < self._drop(weights, at + 1) for at, w in enumerate(weights) if at >= start):
            return node, start  # such a sum does not order plans as their components do
        bound = self.bound(node, found)
        if self.best is None:
            if start == 0 and len(weights) == 1 and weights[0]:
                self.within = min(self.within, -bound.least // weights[0])
            nothing = bound.impossible or (not any(weights) and bound.least > 0)
            if nothing:
                tree.steps.append(Step(weights, prices, start, [], []))
                tree.leaf = "ended"
            return node, start
        reached = sum(w * v for w, v in zip(weights, (*self.best.value, 0), strict=False))
        slack = -reached - bound.least
        if start == 0 and weights[0]:
            more = max(0, (slack + self._drop(weights, 1)) // weights[0])
            self.within = min(self.within, self.best.value[0] + more)
        if bound.impossible or slack < 0:
            tree.steps.append(Step(weights, prices, start, [], []))
            tree.leaf = "ended"
            return node, start
        proven = start
        while proven < len(weights) and slack < weights[proven] - self._drop(weights, proven + 1):
            proven += 1
        closed, opened = self._decided(node, bound, slack, spared)
        if slack == 0 and self.tied and proven == len(self.objective):
            tree.leaf = "ended"
        if proven > start or closed or opened:
            tree.steps.append(Step(weights, prices, proven, closed, opened))
            node = node.settle(closed, opened)
        return node, proven

    def bound(self, node: Node, found: Found) -> Bound:
        """What prices prove of a weighted sum of components in a node."""
        weights, prices = found
        return self.bounds.bound(node, *self.cost(node, weights, prices), prices)

    def cost(self, node: Node, weights: list[int], prices: Prices) -> tuple[Int, int]:
        """What each edge costs in a weighted sum, and what filling a reserved seat saves.

        A pair that is not wanted at these prices, lottery apart, is not hashed for the lottery: it
        may have the greatest weight there is.
        """
        kind = prices.person.dtype
        cost, per_reserve = np.zeros(len(self.plan.market.program), kind), 0
        for weight, component in zip(weights, self.components, strict=False):
            if not isinstance(component, Drawn):
                cost = cost - component.worth.astype(kind) * weight
                per_reserve += weight * component.per_reserve
            elif weight:
                wanted = self.bounds.wanted(node, cost, prices, 2 * weight * component.reach)
                worth = np.full(len(cost), component.reach)
                worth[wanted] = component.at(wanted)
                cost = cost - worth.astype(kind) * weight
        return cost, per_reserve

    def _drop(self, weights: list[int], first: int) -> int:
        """What the components from one on can lose together."""
        return sum(w * most for w, most in zip(weights[first:], self.range[first:], strict=False))

    def _decided(
        self, node: Node, bound: Bound, slack: int, spared: tuple[Bool | bool, Bool | bool]
    ) -> tuple[list[int], list[int]]:
        """Classes whose other state would cost more than there is."""
        closed = self.free(node) & np.asarray(bound.opening > slack, bool)
        opened = self.free(node) & np.asarray(bound.closing > slack, bool) & ~closed
        closed, opened = closed & np.logical_not(spared[0]), opened & np.logical_not(spared[1])
        return np.flatnonzero(closed).tolist(), np.flatnonzero(opened).tolist()

    # --- the strong relaxation

    def ladder(self, start: int) -> list[int]:
        """Weights of the components from one on, as many as a relaxation can put side by side.

        Each outweighs the next one for a few people: enough to part them, and small enough for the
        solver to tell them apart.  The lottery is asked only where it has to decide.
        """
        last, ratio = start, self.reach[start] * self.people
        end = self.before_lottery if start < self.before_lottery else len(self.objective)
        while last + 1 < end:
            ratio *= 8 * self.reach[last + 1]
            if ratio >= ROOM:
                break
            last += 1
        weights = [1]
        for j in range(last, start, -1):
            weights.insert(0, weights[0] * 8 * self.reach[j])
        return weights

    def _ladders(self, node: Node, start: int) -> list[tuple[int, list[int]]]:
        """What relaxations make large in turn: from which component on, and the weights.

        Inside the tree, where sets cross, those up to the next one to be proven come together before
        the earlier ones are fixed: only costs change for that.
        """
        fixed = [(start, self.ladder(start)), (start, [1])]
        together = self.together(start)
        if self.bounds.cuts and together and not self._settled(node):
            return [(0, together)]
        if not (self.crossing and start) or self.nodes == 1:
            return fixed
        first = [(0, together)] if together else []
        few = int(self.strong.columns.all())
        # One alone is soon made large, over so few.
        return [(0, self.ladder(0)), *first, *fixed[few:]]

    @cached_property
    def cutting(self) -> Strong:
        """The relaxation that keeps the cuts."""
        return self.strong.with_cuts(self.bounds.cuts)

    def relaxation(self, node: Node, base: int, ladder: list[int]) -> Strong:
        """The relaxation that is asked for some components: of all classes settled cuts say nothing."""
        cut = self.bounds.cuts and base == 0 and ladder and not self._settled(node)
        return self.cutting if cut else self.strong

    def together(self, start: int) -> list[int]:
        """Weights of the components up to one, none if a relaxation cannot put so many side by side.

        None either of the lottery, which cuts could not count by pairs that prices do not want.
        """
        every = self.ladder(0)[: self.before_lottery]
        return [w // every[start] for w in every[: start + 1]] if start < len(every) else []

    def _solutions(
        self, node: Node, start: int, ladder: list[int], grow: bool = True
    ) -> Iterator[Solution]:
        """Solutions of a node's relaxation, each over more columns than the one before.

        Without ``grow`` columns are added only where people are missing.  Inside the tree, and for a single
        component of a large market, they wait until another solution is asked for; at the root, what is
        tried meanwhile has them, too.
        """
        wanted, fixed = self.asked(start, ladder)
        strong = self.relaxation(node, start, ladder)
        for _ in range(ROUNDS):
            self.watch()
            solution = strong.solve(node, wanted, fixed, self.time_left())
            if solution is None:
                self.without_digits()
                return
            grow = grow or solution.missing > 0.5
            root = self.nodes == 1 and not (self.large and len(ladder) == 1)
            more = root and grow and strong.grow(node, wanted, fixed, solution)
            yield solution
            if not root:
                more = grow and strong.grow(node, wanted, fixed, solution)
            if not more:
                return

    def asked(self, start: int, ladder: list[int]) -> tuple[list[Weighted], list[Fixed]]:
        """The components from one on with their weights, and those before at the best plan's values."""
        value = (*self.best.value, 0) if self.best else ()
        return (
            [*zip(ladder, self.components[start:], strict=False)],
            [*zip(self.components[:start], value, strict=False)],
        )

    def reached(self, start: int, ladder: list[int]) -> int:
        """What the best plan is worth in some components."""
        value = (*self.best.value, 0)[start:] if self.best else ()
        return sum(w * v for w, v in zip(ladder, value, strict=False))

    def read(
        self, solution: Solution, base: int, ladder: list[int], node: Node, start: int, tree: Tree
    ) -> tuple[Node, int]:
        """Apply the prices of a solution.

        Those of several components are whole multiples of each one's unit, in turn: rounding rids them
        of what the later ones add.  Those of the last one are taken in as small parts as there is room
        for, where that is needed.
        """
        first, entry = start, node
        if len(ladder) == 1:
            fine = self.parts(solution, base, 1)
            node, start = self.apply(solution, [1], 1 / fine, node, start, tree)
        worse = solution.value < self.reached(base, ladder) - 0.5 * ladder[0]
        for at, weight in enumerate(ladder if len(ladder) > 1 else []):
            if base + at < start and not worse:
                continue  # what is proven already may yet show that nothing is left
            node, start = self.apply(solution, ladder[: at + 1], weight, node, start, tree)
            if at == len(ladder) - 1 and start == base + at and not tree.leaf:
                fine = self.parts(solution, base, ladder[0])
                node, start = self.apply(solution, ladder, 1 / fine, node, start, tree)
            if tree.leaf or start <= base + at:
                break
        stuck = start == first and node is entry and not tree.leaf
        if stuck and (self.best is None or len(ladder) == 1) and solution.missing > 0.5:
            return self._without_plan(node, start, tree)
        return node, start

    def parts(self, solution: Solution, start: int, weight: int) -> int:
        """Into how many parts the prices may be divided, the first component having so much weight.

        They are finer, whatever room that takes, where cuts have prices, as those count in parts themselves.
        """
        price = max(weight, *map(ceil, map(abs, solution.fixed)), 1)
        if solution.duals[-1].any():
            return 1 << max(0, min(36, (ROOM // price).bit_length() - 8))
        most = self.reach[start] * self.people * price
        return 1 << max(0, min(20, (ROOM // most).bit_length() - 3))

    def apply(
        self, solution: Solution, ladder: list[int], unit: float, node: Node, start: int, tree: Tree
    ) -> tuple[Node, int]:
        """Apply the prices of a solution as multiples of a unit."""
        found = priced(self.bounds, solution, ladder, unit)
        if self.nodes == 1:
            self.root_prices.append(found)
        return self.step(node, start, found, tree)

    def without_digits(self) -> None:
        """Go on without a relaxation that the solver could not solve, unless the time is up."""
        self.watch()
        if self.crossing:
            raise TooMany

    def time_left(self) -> float | None:
        return None if self.deadline is None else max(0.1, self.deadline - time.perf_counter())

    def affords(self, share: float) -> bool:
        """Whether what takes this share of all the time so far leaves as much as it takes."""
        left = self.time_left()
        return left is None or left >= 2 * share * (time.perf_counter() - self.started)

    @property
    def late(self) -> bool:
        """Whether less time is left than was taken."""
        return not self.affords(0.5)
