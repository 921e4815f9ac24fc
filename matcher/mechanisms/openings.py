"""Which classes open: a search whose every step is proven in integers, and which is its own proof.

A *node* settles some classes (and, where sets cross, some pairs).  In it prices bound every plan that
would be at least as good as the best one known (``bounds.py``): step by step they show that a component
cannot exceed the best one's, that a class must stay closed or must open, or that nothing is left.
Where that does not end a node, it is split in two.  Prices come from a flow or from the strong
relaxation, rounded; where they come from does not matter to the proof.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..cells import Int
from ..objective import Component
from .bounds import Bound, Bounds, Node, Prices
from .flow import FAR, NoFlow
from .plan import CLOSED, FREE, OPEN, Flow, Plan
from .strong import Solution, Strong, rounded

LEAVES = 10_000
"""Leaves beyond which the search is not written down as a proof."""
DIGIT = 1 << 64
"""One place of a packed lexicographic number, as the verifier packs it."""
ROOM = 1 << 61
"""No weighted sum over all people may come to this: 64 bits hold it, and a relaxation tells apart."""
WIDE = 1.25
"""Classes with fewer people than this many times their minimum get an opening at once."""


class OutOfTime(Exception):
    """The limit of time is reached before the search has ended."""


class Better(Exception):
    """A plan better than the best one known was found."""


@dataclass
class Best:
    """The best plan known: its flow where it has one, its placement, openings and value."""

    matching: Int
    openings: Int
    value: tuple[int, ...]
    flow: Flow | None = None


@dataclass
class Search:
    """Looks for the best openings, and proves them.

    Parameters
    ----------
    plan
        The plan of the market.
    components
        The objective in order, the lottery's two weights included.
    deadline
        On ``time.perf_counter``; None for none.
    """

    plan: Plan
    components: Sequence[Component]
    deadline: float | None = None
    best: Best | None = None
    tied: bool = False
    bound: list[int | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bounds = Bounds(self.plan, DIGIT ** (len(self.components) + 4))
        self.strong = Strong(self.bounds)
        self.seen: set[bytes] = set()
        self.suspects: set[int] = set()
        self.leaves = 0
        self.relaxed: dict[bytes, tuple[range, list[int], Solution]] = {}
        edges = range(len(self.components))
        self.reach = [max(1, self._range(j)) for j in edges]
        self.people = len(self.plan.market.applicants) + 1

    def _range(self, j: int) -> int:
        component = self.components[j]
        return max(int(np.abs(component.worth).max(initial=0)), component.per_reserve)

    # --- plans

    def try_openings(self, openings: Int) -> None:
        """Find the best plan for some openings; keep it if it is the best so far.

        Raises
        ------
        Better
            If it is.
        """
        key = openings.tobytes()
        if key in self.seen:
            return
        flow = self.plan.flow(openings)
        try:
            for component in self.components:
                self._watch()
                flow.minimise(flow.cost(component))
        except NoFlow:
            self.seen.add(key)
            return
        self.seen.add(key)
        self._offer(flow.matching(), openings, flow)

    def _offer(self, matching: Int, openings: Int, flow: Flow | None = None) -> None:
        """Keep a plan if it keeps everything and is the best so far."""
        if not self.plan.keeps(matching, openings):
            return
        sizes = np.bincount(
            self.plan.market.class_of[matching[matching >= 0]], minlength=len(openings)
        )
        exact = np.where(self.plan.conditional, np.where(sizes > 0, OPEN, CLOSED), FREE)
        exact[self.plan.conditional & self.plan.market.must_open] = OPEN
        value = self.value(matching)
        if self.best is None or value > self.best.value:
            fits = flow is not None and bool(
                (openings == exact)[self.plan.conditional].all() and not flow.chains.left_out
            )
            self.best = Best(matching, exact, value, flow if fits else None)
            raise Better
        if value == self.best.value and (matching != self.best.matching).any():
            self.tied = True

    def value(self, matching: Int) -> tuple[int, ...]:
        """The components of a placement."""
        choice, held = self.plan.choice, self.plan.market.edges_of(matching)
        edges = held[held >= 0]
        filled = 0
        if any(c.per_reserve for c in self.components):
            at: dict[int, list[int]] = {}
            for edge in edges.tolist():
                at.setdefault(choice.program[edge], []).append(edge)
            filled = sum(choice.reserved_filled(p, e) for p, e in at.items())
        return tuple(int(c.worth[edges].sum()) + c.per_reserve * filled for c in self.components)

    def _watch(self) -> None:
        if self.deadline is not None and time.perf_counter() > self.deadline:
            raise OutOfTime

    def _time_left(self) -> float | None:
        return None if self.deadline is None else max(0.1, self.deadline - time.perf_counter())

    # --- the search

    def run(self) -> dict[str, Any]:
        """Search until the best plan is proven; return the proof.

        Raises
        ------
        OutOfTime
            If the limit of time is reached; ``best`` holds what is known.
        NoFlow
            If there is no plan at all.
        """
        market = self.plan.market
        begin = np.where(self.plan.conditional & market.must_open, OPEN, FREE)
        begin[~self.plan.conditional] = FREE
        root = Node(
            begin,
            np.ones(len(market.program), bool),
            np.full(len(market.applicants), -1),
        )
        relaxed = self._relaxed(begin)
        while True:
            self.leaves, self.bound = 0, [None] * len(self.components)
            try:
                proof = self._visit(root, 0, relaxed)
            except Better:
                continue
            if self.best is None:
                raise NoFlow
            return proof

    def _relaxed(self, begin: Int) -> Flow:
        """The best flow where classes need no minimum; it may be a plan already."""
        flow = self.plan.flow(begin)
        for component in self.components:
            self._watch()
            flow.minimise(flow.cost(component))
        matching = flow.matching()
        market = self.plan.market
        sizes = np.bincount(market.class_of[matching[matching >= 0]], minlength=len(begin))
        self.suspects = set(
            np.flatnonzero(self.plan.conditional & (sizes < WIDE * self.plan.need)).tolist()
        )
        try:
            self._offer(matching, begin, flow)
        except Better:
            pass
        return flow

    def _visit(self, node: Node, start: int, flow: Flow | None = None) -> dict[str, Any]:
        """Prove that a node holds nothing better than the best plan, and return the proof."""
        self._watch()
        self.leaves += 1
        steps: list[dict[str, Any]] = []
        entry = node
        if flow is not None:
            node, start, done = self._step(node, start, self._of_flow(flow), steps)
            if done:
                return {"steps": steps}
        solution = None
        while start < len(self.components) and not self._settled(node):
            before = start
            known = self.relaxed.get(entry.key())
            if known is not None and start in known[0]:
                window, ladder, solution = known
            else:
                window = self._window(start)
                ladder = self._weights(start, window[-1])
                solution = self._relax(node, ladder)
                if solution is None:
                    break
                self.relaxed = {entry.key(): (window, ladder, solution)}
                self._round(solution, node)
            for j in range(start, window[-1] + 1):
                weights = [weight // ladder[j] for weight in ladder[: j + 1]]
                prices = rounded(solution, ladder[j])
                node, start, done = self._step(node, start, (j, weights, prices), steps)
                if done:
                    return {"steps": steps}
                if start <= j:
                    break
            if start == before:
                break
        if self._settled(node):
            return self._leaf(node, start, steps)
        return self._branch(node, start, steps, solution)

    def _settled(self, node: Node) -> bool:
        return not (self.plan.conditional & (node.openings == FREE)).any()

    def _leaf(self, node: Node, start: int, steps: list[dict[str, Any]]) -> dict[str, Any]:
        """A node in which every class is settled."""
        if self.best is not None and (node.openings == self.best.openings).all():
            return {"steps": steps}
        self.try_openings(node.openings)
        if self.best is None:
            return {"steps": steps}
        flow = self.plan.flow(node.openings)
        try:
            for component in self.components:
                flow.minimise(flow.cost(component))
        except NoFlow:
            raise NotImplementedError("no flow") from None
        _, _, done = self._step(node, start, self._of_flow(flow), steps)
        if not done:
            raise NotImplementedError("crossing")
        return {"steps": steps}

    def _branch(
        self, node: Node, start: int, steps: list[dict[str, Any]], solution: Solution | None
    ) -> dict[str, Any]:
        """Split a node by the class that is least clearly open or closed."""
        free = np.flatnonzero(self.plan.conditional & (node.openings == FREE))
        halfway = np.abs(solution.opening[free] - 0.5) if solution else np.zeros(len(free))
        c = int(free[np.argmin(halfway)])
        proof: dict[str, Any] = {"steps": steps, "order_class": self.plan.market.order_classes[c]}
        sides = ((OPEN, "open"), (CLOSED, "closed"))
        for state, word in sides:
            openings = node.openings.copy()
            openings[c] = state
            proof[word] = self._visit(Node(openings, node.allowed, node.forced), start)
        return proof

    # --- steps

    def _step(
        self, node: Node, start: int, found: tuple[int, list[int], Prices], steps: list[dict[str, Any]]
    ) -> tuple[Node, int, bool]:
        """Apply prices to a node: what they settle, how far they prove, whether nothing is left."""
        if self.best is None:
            return node, start, False
        last, weights, prices = found
        kind = prices.person.dtype
        cost = np.zeros(len(self.plan.market.program), kind)
        per_reserve = 0
        for weight, component in zip(weights, self.components, strict=False):
            cost = cost - component.worth.astype(kind) * weight
            per_reserve += weight * component.per_reserve
        bound = self.bounds.bound(node, cost, per_reserve, prices)
        reached = sum(w * v for w, v in zip(weights, self.best.value, strict=False))
        slack = -reached - bound.least
        entry = {"start": start, "weights": weights, "prices": prices}
        if bound.impossible or slack < 0:
            steps.append(entry)
            return node, start, True
        settled = self._settle(node, bound, slack)
        proven = start
        while proven <= last and slack < weights[proven] - sum(weights[proven + 1 :]) * (DIGIT >> 3):
            proven += 1
        if proven > start or (settled.openings != node.openings).any():
            steps.append(entry)
        return settled, proven, False

    def _settle(self, node: Node, bound: Bound, slack: int) -> Node:
        """Classes whose other state would cost more than there is."""
        openings = node.openings.copy()
        free = self.plan.conditional & (openings == FREE)
        openings[free & (bound.opening > slack)] = CLOSED
        openings[free & (bound.closing > slack)] = OPEN
        return Node(openings, node.allowed, node.forced)

    def _weights(self, start: int, last: int) -> list[int]:
        """Weights of the components up to one, each outweighing the ones after it."""
        weights = [1]
        for j in range(last, 0, -1):
            ratio = 8 * self.reach[j] if j >= start else 1
            fits = weights[0] * ratio * self.reach[j - 1] * self.people < ROOM
            weights.insert(0, weights[0] * (ratio if fits else 1))
        return weights

    def _window(self, start: int) -> range:
        """The components that one relaxation can put side by side."""
        last, ratio = start, self.reach[start] * self.people
        while last + 1 < len(self.components) - 1:
            ratio *= 8 * self.reach[last + 1]
            if ratio >= ROOM:
                break
            last += 1
        return range(start, last + 1)

    def _relax(self, node: Node, weights: list[int]) -> Solution | None:
        """Solve the strong relaxation, giving openings to classes as they are found short."""
        worth = np.zeros(len(self.plan.market.program), np.int64)
        per_reserve = 0
        for weight, component in zip(weights, self.components, strict=False):
            worth += weight * component.worth
            per_reserve += weight * component.per_reserve
        plan, market = self.plan, self.plan.market
        while True:
            self._watch()
            found = self.strong.solve(node, worth, per_reserve, self.suspects, self._time_left())
            if found is None:
                return None
            sizes = np.bincount(
                market.class_of[plan.home[plan.kind]], found.placed, len(node.openings)
            )
            short = (sizes > 1e-6) & (sizes < plan.need - 1e-6) & plan.conditional
            short &= node.openings == FREE
            fresh = set(np.flatnonzero(short).tolist()) - self.suspects
            if not fresh:
                return found
            self.suspects |= fresh

    def _round(self, solution: Solution, node: Node) -> None:
        """Try the openings nearest to a solution."""
        openings = np.where(solution.opening >= 0.5, OPEN, CLOSED)
        sizes = np.bincount(
            self.plan.market.class_of[self.plan.home[self.plan.kind]],
            solution.placed,
            len(openings),
        )
        openings[(sizes < 0.5) & (node.openings == FREE)] = CLOSED
        openings[~self.plan.conditional] = FREE
        self.try_openings(openings)

    def _of_flow(self, flow: Flow) -> tuple[int, list[int], Prices]:
        """The potentials of a flow as prices, all components packed into one number."""
        size = len(self.components)
        weights = [DIGIT ** (size - 1 - j) for j in range(size)]
        total = np.zeros(len(flow.network.supply), object)
        far = np.zeros(len(total), bool)
        for weight, potential in zip(weights, flow.potentials, strict=True):
            total = total + potential.astype(object) * weight
            far |= potential == FAR
        total[far] = DIGIT ** (size + 1)
        plan, market = self.plan, self.plan.market
        n, m = len(market.applicants), len(market.programs)
        cap = np.zeros(len(market.caps), object)
        subsidy = np.zeros(len(market.order_classes), object)
        for (word, at), outer in flow.chains.above.items():
            mine = total[(flow.first_cap if word else flow.first_class) + at]
            above = 0 if outer is None else total[(flow.first_cap if outer[0] else flow.first_class) + outer[1]]
            if word:
                cap[at] = max(0, mine - above)
            else:
                subsidy[at] = max(0, above - mine)
        person = total[:n]
        if not n:
            person = np.zeros(0, object)
        seat = total[flow.first_seat : flow.first_seat + len(plan.stages)]
        below = total[flow.first_below : flow.first_below + m]
        program = total[flow.first_program : flow.first_program + m]
        mine = subsidy[market.class_of]
        return size - 1, weights, Prices(
            person, seat + mine[plan.home], below + mine, program + mine, cap
        )

    def written(self, proof: dict[str, Any] | None) -> dict[str, Any] | None:
        """The proof as it stands in ``certificate.json``; None where it is too long."""
        if proof is None or self.leaves > 2 * LEAVES:
            return None
        return {key: self._written(key, value) for key, value in proof.items()}

    def _written(self, key: str, value: Any) -> Any:
        if key == "steps":
            return [self._step_written(step) for step in value]
        return self.written(value) if key in ("open", "closed", "in", "out") else value

    def _step_written(self, step: dict[str, Any]) -> dict[str, Any]:
        prices: Prices = step["prices"]
        return {
            "start": step["start"],
            "weights": step["weights"],
            "applicants": [int(v) for v in prices.person],
            "seats": [int(v) for v in prices.seat],
            "nonhard": [int(v) for v in prices.below],
            "programs": [int(v) for v in prices.program],
            "caps": [int(v) for v in prices.cap],
        }
