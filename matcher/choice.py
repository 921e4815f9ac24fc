"""The choice functions: whom a program, or a cap over programs, takes of a set of people.

This is a definition of the market, not a mechanism: the mechanisms and the report ask it, and the
verifier has its own.

A program chooses in stages, each from the people not yet chosen: hard reserves, soft reserves, open
seats (``open_first``: some open seats before them).  A reserve stage goes through the people by
priority and chooses each who raises the greatest number of reserved seats that the chosen can fill
(the meritorious horizontal rule of Sönmez & Yenmez, Econometrica 2022, doi 10.3982/ECTA17788; with one
group per person, the minority reserves of Hafalir, Yenmez & Yildirim, doi 10.3982/TE1135).  Under a
cap the children take turns (after Kamada & Kojima, Theoretical Economics 2018).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from .cells import places
from .market import Cap, Market, crossing

OPEN_FIRST, HARD, SOFT, OPEN = range(4)
"""The stages of a choice, in the order in which they choose."""

Chosen = list[tuple[int, int]]
"""People chosen, as (edge, stage), in acceptance order."""


def fill(people: Iterable[tuple[int, tuple[int, ...]]], seats: dict[int, int]) -> list[int]:
    """Go through the people and choose each who raises the number of seats that can be filled.

    Parameters
    ----------
    people
        (edge, groups that have seats) in the order of priority.
    seats
        Seats per group.

    Returns
    -------
    list of int
        The edges chosen, in order: the first basis of a transversal matroid.

    Notes
    -----
    Each person costs one search for an augmenting path over the groups.

    Examples
    --------
    >>> fill([(7, (0, 1)), (8, (0,)), (9, (1,))], {0: 1, 1: 1})
    [7, 8]
    """
    chosen: list[int] = []
    held: dict[int, list[tuple[int, tuple[int, ...]]]] = {g: [] for g in seats}
    left = sum(seats.values())
    for person in people:
        if not left:
            break
        if person[1] and _augment(person, held, seats):
            chosen.append(person[0])
            left -= 1
    return chosen


def _augment(
    person: tuple[int, tuple[int, ...]],
    held: dict[int, list[tuple[int, tuple[int, ...]]]],
    seats: dict[int, int],
) -> bool:
    """Seat a person, moving others between their groups where that is needed."""
    for group in person[1]:
        if len(held[group]) < seats[group]:
            held[group].append(person)
            return True
    # Breadth first over full groups: who may leave which group for which other one.
    came: dict[int, tuple[tuple[int, tuple[int, ...]], int] | None] = dict.fromkeys(person[1])
    queue = list(person[1])
    for group in queue:
        for other in held[group]:
            for further in other[1]:
                if further in came:
                    continue
                came[further] = (other, group)
                if len(held[further]) < seats[further]:
                    _shift(person, further, came, held)
                    return True
                queue.append(further)
    return False


def _shift(
    person: tuple[int, tuple[int, ...]],
    group: int,
    came: dict[int, tuple[tuple[int, tuple[int, ...]], int] | None],
    held: dict[int, list[tuple[int, tuple[int, ...]]]],
) -> None:
    while (step := came[group]) is not None:
        mover, source = step
        held[source].remove(mover)
        held[group].append(mover)
        group = source
    held[group].append(person)


def labels(people: list[tuple[int, tuple[int, ...]]], seats: dict[int, int]) -> dict[int, int]:
    """The group whose seat each takes: the first that still lets all the others be seated.

    Parameters
    ----------
    people
        All chosen in one reserve stage, in acceptance order, with their groups (sorted).
    seats
        Seats per group.
    """
    left = dict(seats)
    label = {}
    for at, (edge, groups) in enumerate(people):
        rest = people[at + 1 :]
        label[edge] = next(
            g for g in groups if left[g] and len(fill(rest, left | {g: left[g] - 1})) == len(rest)
        )
        left[label[edge]] -= 1
    return label


@dataclass
class Seats:
    """The seats of one program: capacity, and reserved seats per group."""

    capacity: int
    hard: dict[int, int] = field(default_factory=dict)
    soft: dict[int, int] = field(default_factory=dict)
    open_first: int = 0

    @property
    def reserved(self) -> bool:
        """Whether any seat is held for a group."""
        return bool(self.hard or self.soft)


@dataclass(eq=False)
class Node:
    """A cap or, where it has no children, a program."""

    program: int
    children: tuple[Node, ...] = ()
    seats: int = 0
    cap: int = -1

    def programs(self) -> tuple[int, ...]:
        """The programs under this node, in plan order of its children."""
        return self._programs

    @cached_property
    def _programs(self) -> tuple[int, ...]:
        if not self.children:
            return (self.program,)
        return tuple(p for child in self.children for p in child.programs())


class Choice:
    """The choice functions of a market.

    Parameters
    ----------
    market
        Its caps must not cross.
    open_first
        Whether some open seats are filled before the reserved ones.
    """

    def __init__(self, market: Market, open_first: bool = False) -> None:
        self.market, self.open_first = market, open_first
        self.seats = [Seats(q) for q in market.capacity.tolist()]
        for reserve in market.reserves:
            kind = (
                self.seats[reserve.program].hard
                if reserve.hard
                else self.seats[reserve.program].soft
            )
            if reserve.seats:
                kind[reserve.group] = reserve.seats
        if open_first:
            for s in self.seats:
                s.open_first = s.capacity - sum(s.hard.values()) - sum(s.soft.values())
        self.groups = _groups_of_each(market)

    @cached_property
    def place(self) -> list[float]:
        """The place of each edge in its program's priority."""
        found: list[float] = self.market.place.tolist()
        return found

    @cached_property
    def program(self) -> list[int]:
        """The program of each edge."""
        return self.market.edge_lists[0]

    @cached_property
    def owner(self) -> list[int]:
        """The applicant of each edge."""
        return self.market.edge_lists[1]

    @cached_property
    def _kinds(self) -> tuple[list[int], list[list[int]], list[list[int]]]:
        return _kinds(self.market)

    @cached_property
    def kind(self) -> list[int]:
        """The kind of person of each edge; see :func:`_kinds`."""
        return self._kinds[0]

    @cached_property
    def kinds_at(self) -> list[list[int]]:
        """The kinds at each program."""
        return self._kinds[1]

    @cached_property
    def beneath(self) -> list[list[int]]:
        """The kinds with fewer groups, of each kind."""
        return self._kinds[2]

    @cached_property
    def roots(self) -> list[Node]:
        """The caps and programs as trees; see :func:`forest`."""
        return forest(self.market)

    @cached_property
    def root_of(self) -> list[Node]:
        """The tree of each program."""
        return _tree_of_each(self.roots)

    @cached_property
    def alone(self) -> list[Node]:
        """The tree of each program without the caps over more than one class."""
        caps = tuple(cap for cap in self.market.caps if not self.market.spans(cap))
        return _tree_of_each(forest(replace(self.market, caps=caps)))

    def with_groups(
        self, edges: Iterable[int], seats: dict[int, int]
    ) -> list[tuple[int, tuple[int, ...]]]:
        """Each edge with those of its person's groups that have seats."""
        groups, owner = self.groups, self.owner
        return [
            (e, hers and tuple(g for g in hers if g in seats))
            for e in edges
            for hers in (groups[owner[e]],)
        ]

    def at_program(self, p: int, edges: Iterable[int]) -> Chosen:
        """Whom the program takes of these people (edges of its own), in acceptance order."""
        s = self.seats[p]
        people = sorted(edges, key=self.place.__getitem__)
        if not s.reserved:
            return [(e, OPEN_FIRST if s.open_first else OPEN) for e in people[: s.capacity]]
        chosen = [(e, OPEN_FIRST) for e in people[: s.open_first]]
        rest = people[s.open_first :]
        empty = 0
        for stage, seats in ((HARD, s.hard), (SOFT, s.soft)):
            if not seats:
                continue
            taken = fill(self.with_groups(rest, seats), seats)
            chosen += [(e, stage) for e in taken]
            if stage == HARD:
                empty = sum(seats.values()) - len(taken)
            if taken:
                gone = set(taken)
                rest = [e for e in rest if e not in gone]
        left = max(0, s.capacity - len(chosen) - empty)
        return chosen + [(e, OPEN) for e in rest[:left]]

    def at(self, node: Node, offers: dict[int, list[int]]) -> Chosen:
        """Whom a cap or program takes of the people that offer themselves to each program."""
        return self.in_turns(
            node, {p: self.at_program(p, offers.get(p, ())) for p in node.programs()}
        )

    def in_turns(self, node: Node, accepted: dict[int, Chosen]) -> Chosen:
        """Whom a cap keeps of those whom each program under it takes, its children taking turns."""
        if not node.children:
            return accepted[node.program]
        queues = [iter(self.in_turns(child, accepted)) for child in node.children]
        merged: Chosen = []
        while queues and len(merged) < node.seats:
            waiting = []
            for queue in queues:
                person = next(queue, None)
                if person is None:
                    continue
                if len(merged) == node.seats:
                    break
                merged.append(person)
                waiting.append(queue)
            queues = waiting
        return merged

    def seat_labels(self, p: int, chosen: Chosen) -> dict[int, str]:
        """``open`` or the group whose seat each chosen person of the program takes."""
        named = {e: "open" for e, stage in chosen if stage in (OPEN, OPEN_FIRST)}
        if not self.seats[p].reserved:
            return named
        for stage, seats in ((HARD, self.seats[p].hard), (SOFT, self.seats[p].soft)):
            people = self.with_groups([e for e, s in chosen if s == stage], seats)
            for edge, group in labels(people, seats).items():
                named[edge] = self.market.groups[group]
        return named

    def reserved_filled(self, p: int, edges: Iterable[int]) -> int:
        """The greatest number of reserved seats, hard and soft together, that the people can fill."""
        s = self.seats[p]
        seats = {g: s.hard.get(g, 0) + s.soft.get(g, 0) for g in {*s.hard, *s.soft}}
        return len(fill(self.with_groups(edges, seats), seats))


def _tree_of_each(roots: list[Node]) -> list[Node]:
    found = {p: root for root in roots for p in root.programs()}
    return [found[p] for p in range(len(found))]


def _groups_of_each(market: Market) -> list[tuple[int, ...]]:
    """The groups of each applicant, sorted."""
    groups: list[tuple[int, ...]] = [()] * len(market.applicants)
    for at, group in zip(*(found.tolist() for found in market.member.nonzero()), strict=True):
        groups[at] += (group,)
    return groups


def _kinds(market: Market) -> tuple[list[int], list[list[int]], list[list[int]]]:
    """The kinds of people at a program: those of one kind have the same groups with seats there.

    Returns
    -------
    kind
        Per edge; kind p is that of the people at program p who have no such group.
    kinds_at
        Per program.
    beneath
        Per kind, itself and those of the same program that have fewer of its groups.
    """
    m = len(market.programs)
    groups: dict[int, list[int]] = {}
    for r in market.reserves:
        if r.seats and r.group not in groups.setdefault(r.program, []):
            groups[r.program].append(r.group)
    kind, kinds_at, beneath = (
        market.program.copy(),
        [[p] for p in range(m)],
        [[p] for p in range(m)],
    )
    of_program = places(market.program, m)
    for p, mine in groups.items():
        here = of_program[p]
        mask = market.member[market.owner[here]][:, mine] @ (1 << np.arange(len(mine)))
        masks, which = np.unique(np.append(0, mask), return_inverse=True)
        names = [p, *(len(beneath) + np.arange(len(masks) - 1)).tolist()]
        kind[here] = np.array(names)[which[1:]]
        kinds_at[p] = names
        beneath += [
            [name for name, other in zip(names, masks, strict=True) if other & mine == other]
            for mine in masks[1:]
        ]
    return kind.tolist(), kinds_at, beneath


def forest(market: Market) -> list[Node]:
    """The caps and programs as trees by inclusion, children in plan order.

    Of two caps over the same programs the one whose id comes first is the inner one.

    Raises
    ------
    ValueError
        If caps cross.
    """
    if crossing(market.caps):
        raise ValueError("caps cross")
    place = market.program_order.tolist()
    tops: dict[int, Node] = {p: Node(p) for p in range(len(place))}

    def inner_first(at: int) -> tuple[int, str]:
        cap: Cap = market.caps[at]
        return len(cap.programs), cap.name

    for at in sorted(range(len(market.caps)), key=inner_first):
        cap = market.caps[at]
        children = {id(tops[p]): tops[p] for p in cap.programs}
        ordered = sorted(children.values(), key=lambda node: min(place[p] for p in node.programs()))
        node = Node(-1, tuple(ordered), cap.seats, at)
        for p in cap.programs:
            tops[p] = node
    roots = {id(node): node for node in tops.values()}
    return sorted(roots.values(), key=lambda node: min(place[p] for p in node.programs()))
