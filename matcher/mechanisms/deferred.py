"""Deferred acceptance: applicants propose, programs and caps keep whom their choice takes.

Each applicant proposes down her edges; whoever is not kept proposes on.  As the choice functions are
substitutable, the outcome does not depend on the order of proposals (Gale & Shapley 1962, doi
10.2307/2312726; Hatfield & Milgrom 2005, doi 10.1257/0002828054825466).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from itertools import pairwise, repeat

import numpy as np

from ..cells import Int
from ..choice import OPEN, Choice, Chosen, Node
from ..market import Market
from .plain import by_program, deferred_acceptance

Begin = Callable[[Collection[int]], "DeferredAcceptance"]
"""The run among all classes but some, from the start."""

_FEW = 60
"""Applicants up to whom a run person by person is cheaper than one by columns."""


class DeferredAcceptance:
    """The state of a run: whom each program holds, and how far each applicant has come.

    Parameters
    ----------
    market
        The market; none of its caps cross.
    choice
        Its choice functions.
    closed
        Classes that take nobody.
    holding
        Programs that look at no offer until :meth:`release`.
    absent
        Applicants who make none until then.
    loose
        Classes whose people do not count under caps over more than one class, until :meth:`tighten`.

    Notes
    -----
    At most e proposals; each round lets every touched program choose once.
    """

    def __init__(
        self, market: Market, choice: Choice, closed: Iterable[int] = (),
        holding: Iterable[int] = (), absent: Collection[int] = (), loose: Collection[int] = (),
    ) -> None:  # fmt: skip
        self.market, self.choice = market, choice
        self.loose = set(np.flatnonzero(np.isin(market.class_of, list(loose))).tolist())
        size = len(market.applicants)
        self.next: list[int] = market.start[:-1].tolist()
        self.end: list[int] = market.start[1:].tolist()
        self.held: list[Chosen] = [[] for _ in market.programs]
        # Per kind of people at a program: from this place on nobody of it is chosen.
        self.limit: list[float] = [len(market.program)] * len(choice.beneath)
        self.closed = set(closed)
        for p, c in enumerate(market.class_of.tolist()):
            if c in self.closed:
                self._shut(p)
        self.holding = set(holding)
        self.waiting = sorted(absent)
        self.begin: Begin = partial(DeferredAcceptance, market, choice, loose=loose)
        proposers = [i for i in range(size) if i not in absent] if absent else list(range(size))
        if (
            size > _FEW
            and not self.holding
            and not absent
            and not market.caps
            and not any(s.reserved or s.open_first for s in choice.seats)
        ):
            self._by_columns()
        else:
            self._run(proposers)

    def _by_columns(self) -> None:
        """The run as columns give it, where nothing but seats limits a program."""
        market = self.market
        seats = np.where(np.array(self.limit) < 0, 0, market.capacity)
        at, refused = deferred_acceptance(market, seats)
        self.next = at.tolist()
        edges, bounds = by_program(market, at)
        chosen = list(zip(edges.tolist(), repeat(OPEN)))
        self.held = [chosen[low:high] for low, high in pairwise(bounds.tolist())]
        for p in np.flatnonzero(refused).tolist():
            self.limit[p] = self.choice.place[self.held[p][-1][0]] + 1 if self.held[p] else -1

    def copy(self) -> DeferredAcceptance:
        """The same state, to go on by itself."""
        other = copy.copy(self)
        other.next, other.limit = self.next.copy(), self.limit.copy()
        other.held, other.closed = self.held.copy(), self.closed.copy()
        other.holding, other.waiting = self.holding.copy(), self.waiting.copy()
        other.loose = self.loose.copy()
        return other

    def release(self, programs: Iterable[int] = ()) -> None:
        """Let programs look at offers, and let everybody who waits go on."""
        self.holding.difference_update(programs)
        waiting, self.waiting = self.waiting, []
        self._run(waiting)

    def without(self, classes: Sequence[int]) -> DeferredAcceptance:
        """The run with some more classes closed; this one stays as it is.

        Where it cannot go on from here it starts again, as ``begin`` says.
        """
        if not self.can_go_on_without(classes):
            return self.begin(self.closed.union(classes))
        other = self.copy()
        other.close(classes)
        return other

    def tighten(self, classes: Collection[int]) -> DeferredAcceptance:
        """The run in which some loose classes count under all their caps; this one stays as it is."""
        other, class_of = self.copy(), self.market.class_of
        programs = [p for p in sorted(self.loose) if int(class_of[p]) in classes]
        other.loose.difference_update(programs)
        left = frozenset(class_of[sorted(other.loose)].tolist())
        other.begin = partial(DeferredAcceptance, self.market, self.choice, loose=left)
        leaving = other._asked({p: [] for p in programs})
        for i in leaving:
            other.next[i] += 1
        other._run(leaving)
        return other

    def sizes(self) -> Int:
        """People in each class.  Shape (k,)."""
        people = [len(held) for held in self.held]
        return np.bincount(self.market.class_of, people, len(self.market.min_size)).astype(np.int64)

    def short(self) -> Int:
        """How many people each open class lacks, 0 for the others.  Shape (k,).

        A minimum of one asks nothing: an empty class keeps it, and is left open for whoever comes.
        """
        least = self.market.min_size
        missing = np.where(least > 1, np.maximum(0, least - self.sizes()), 0)
        missing[list(self.closed)] = 0
        return missing

    def _run(self, proposers: list[int]) -> None:
        """Let people propose until everybody is kept or has come to the end."""
        program, next_, end = self.choice.program, self.next, self.end
        while proposers:
            offers: dict[int, list[int]] = {}
            for i in proposers:
                at = next_[i]
                while at < end[i] and self._hopeless(at):
                    at += 1
                next_[i] = at
                if at < end[i] and program[at] in self.holding:
                    self.waiting.append(i)
                elif at < end[i]:
                    offers.setdefault(program[at], []).append(at)
            proposers = self._asked(offers)
            for i in proposers:
                next_[i] += 1

    def _asked(self, offers: dict[int, list[int]]) -> list[int]:
        """Let programs look at offers; return who is turned away."""
        roots: dict[int, tuple[Node, dict[int, list[int]]]] = {}
        for p, edges in offers.items():
            root = (self.choice.alone if p in self.loose else self.choice.root_of)[p]
            roots.setdefault(id(root), (root, {}))[1][p] = edges
        return [i for root, asked in roots.values() for i in self._choose(root, asked)]

    def _hopeless(self, edge: int) -> bool:
        """Whether it is known that the program refuses this person."""
        choice = self.choice
        return choice.place[edge] >= self.limit[choice.kind[edge]]

    def _choose(self, root: Node, offers: dict[int, list[int]]) -> list[int]:
        """Let programs of a root choose from those they hold and those who offer themselves.

        A program without offers has just come under its caps.  Returns who is turned away.
        """
        choice = self.choice
        if not root.children and not choice.seats[root.program].reserved:
            return self._choose_by_priority(root.program, offers[root.program])
        pool = {p: [e for e, _ in self.held[p]] + mine for p, mine in offers.items()}
        # What a program held before is the beginning of an acceptance order, and a program takes all
        # of such a beginning, in the same order: only where somebody new has come it has to choose.
        accepted = {p: choice.at_program(p, pool[p]) for p in offers}
        changed = any(not offers[p] or accepted[p] != self.held[p] for p in offers)
        if root.children and changed:
            loose = not self.loose.isdisjoint(offers)
            counted = {p for p in root.programs() if (p in self.loose) == loose}
            whole = {
                p: accepted.get(p, self.held[p]) if p in counted else [] for p in root.programs()
            }
            if not _fits(root, whole):
                pool = {p: pool[p] if p in pool else [e for e, _ in self.held[p]] for p in counted}
                accepted = {p: [] for p in counted}
                for edge, stage in choice.in_turns(root, whole):
                    accepted[choice.program[edge]].append((edge, stage))
        rejected = []
        for p, people in pool.items():
            self.held[p] = accepted[p]
            kept = {edge for edge, _ in accepted[p]}
            rejected += [e for e in people if e not in kept]
        for edge in rejected:
            kind, place = choice.kind[edge], choice.place[edge]
            # Whoever is refused stays refused as more people come, and with her everybody of lower
            # priority who has no group with seats here that she has not.
            if place < self.limit[kind]:
                for other in choice.beneath[kind]:
                    self.limit[other] = min(self.limit[other], place)
        return [choice.owner[e] for e in rejected]

    def _choose_by_priority(self, p: int, offers: list[int]) -> list[int]:
        """The same at a program without caps or reserves: the first of those who are there."""
        choice, seats = self.choice, self.choice.seats[p]
        people = sorted([e for e, _ in self.held[p]] + offers, key=choice.place.__getitem__)
        rejected = people[seats.capacity :]
        self.held[p] = choice.at_program(p, people)
        if rejected:
            self.limit[p] = min(self.limit[p], choice.place[rejected[0]])
        return [choice.owner[e] for e in rejected]

    def _under_full_cap(self, root: Node) -> dict[int, int]:
        """The programs under a full cap, with the innermost such cap."""
        found: dict[int, int] = {}

        def visit(node: Node) -> int:
            if not node.children:
                return len(self.held[node.program])
            people = sum(visit(child) for child in node.children)
            if people >= node.seats:
                for p in node.programs():
                    found.setdefault(p, node.cap)
            return people

        if root.children:
            visit(root)
        return found

    def full_caps(self) -> dict[int, int]:
        """Every program under a full cap, with the innermost such cap."""
        found: dict[int, int] = {}
        for root in self.choice.roots if self.market.caps else ():
            found |= self._under_full_cap(root)
        return found

    def can_go_on_without(self, classes: Collection[int]) -> bool:
        """Whether closing classes from here gives what starting again without them would give.

        It does unless a cap over one of their programs and one of another class is full: else their
        people were never in the way of others, everybody turned away stays turned away, and only
        their own people propose on.
        """
        class_of = self.market.class_of
        for cap in self.market.caps:
            counted = [p for p in cap.programs if p not in self.loose]
            inside = [int(class_of[p]) in classes for p in counted]
            shared = any(inside) and not all(inside)
            if shared and sum(len(self.held[p]) for p in counted) >= cap.seats:
                return False
        return True

    def close(self, classes: Collection[int]) -> None:
        """Close classes: their people propose on."""
        self.closed.update(classes)
        leaving = []
        for p in np.flatnonzero(np.isin(self.market.class_of, list(classes))).tolist():
            leaving += [self.choice.owner[edge] for edge, _ in self.held[p]]
            self.held[p] = []
            self._shut(p)
        for i in leaving:
            self.next[i] += 1
        self._run(leaving)

    def _shut(self, p: int) -> None:
        for kind in self.choice.kinds_at[p]:
            self.limit[kind] = -1

    def matching(self) -> Int:
        """The program of each applicant, −1 unplaced."""
        matching = np.full(len(self.market.applicants), -1)
        edges = np.array([e for people in self.held for e, _ in people], np.int64)
        matching[self.market.owner[edges]] = self.market.program[edges]
        return matching


def _fits(node: Node, accepted: dict[int, Chosen]) -> bool:
    """Whether no cap at or under a node is below the number of people accepted under it."""
    if not node.children:
        return True
    people = sum(len(accepted[p]) for p in node.programs())
    return people <= node.seats and all(_fits(child, accepted) for child in node.children)
