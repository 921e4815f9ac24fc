"""The market: a round as index arrays, ready to be matched.

Indices live only here and in memory; files and databases carry ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import cells, lottery
from .cells import Int
from .eligibility import Eligibility, Pairs, apply_rules, read_round
from .policy import Policy
from .tables import InvalidRound, Table, Tables, split
from .validate import cap_members, validate

Bool = NDArray[np.bool_]

_BLOCK = 2_000_000
"""Cells of the (applicants × programs) matrix that tails are built from at a time."""


class Constraint(Enum):
    """What a round may ask of a mechanism beyond "everybody once, within her list"."""

    CAPACITY = "capacity"
    MIN_SIZE = "min_size"
    SOFT_RESERVE = "soft_reserve"
    HARD_RESERVE = "hard_reserve"
    OPEN_FIRST = "open_first"
    NESTED_CAP = "nested_cap"
    CROSSING_CAP = "crossing_cap"
    ADJUSTMENT = "adjustment"
    PROGRAM_SCORE = "program_score"
    EXACT_CLOSURE = "exact_closure"
    CONFIRMED = "confirmed"
    MUST_OPEN = "must_open"
    MUST_FILL = "must_fill"


@dataclass(frozen=True, slots=True)
class Cap:
    """An upper limit over a set of programs; ``programs`` in plan order."""

    name: str
    seats: int
    programs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reserve:
    """Seats of a program held first for a group.

    Hard ones stay empty rather than go to others; where ``must_fill`` is set, people of the group
    must take them all.
    """

    program: int
    group: int
    seats: int
    hard: bool
    must_fill: bool = False


@dataclass(frozen=True, slots=True)
class Barred:
    """A listed application that the law removed: by which rule, for which value, at which limit."""

    applicant: int
    program: int
    rule: str
    value: str
    limit: str


class Wishes(NamedTuple):
    """The listed pairs of a round before the law was applied, each person's in her order.

    A class in a list stands for its programs in plan order; the first mention of a program counts.
    """

    applicant: Int
    program: Int
    rank: Int


@dataclass(frozen=True, eq=False)
class Market:
    """A round as read-only columns: n applicants, m programs, k order classes, e edges.

    Edges are the pairs that may become placements: each applicant's list, then her tail of
    adjustment, in the order in which she prefers them.  ``start[i]:start[i + 1]`` are those of
    applicant i.

    Parameters
    ----------
    applicants, programs, order_classes, groups
        Ids, applicants and programs in the order of the files.
    capacity, class_of, program_order
        Per program: seats, its class, its place in the plan.  Shape (m,).
    min_size, must_open, class_order
        Per class: people below which it closes, whether a decree opens it, its place in the plan.
        Shape (k,).
    start
        Shape (n + 1,).
    program, rank
        Per edge: the program, and the applicant's own number for it (0 in the tail).  Shape (e,).
    score, ties
        Per edge: shape (e,) and (number of tie-breaks, e); scaled integers, see ``scores.py``.
    fit
        Per edge.
    approved, relaxed
        Per edge: eligible by an approval in her case; by a relaxed age.
    member
        Who belongs to which group.  Shape (n, groups).
    reserves, caps, barred
        As declared; barred only for listed pairs.
    wishes
        Every listed pair, barred or not.
    drawn
        Each applicant's lottery number, big-endian; blank before the draw.
    applied
        Whether she listed anything.  Shape (n,).
    greatest_rank
        The greatest rank in the round's applications.
    score_places, tie_places
        Decimal places of scores and of each tie-break.
    confirmed
        The placements, as (applicant, program), that people have accepted.
    """

    applicants: list[str]
    programs: list[str]
    order_classes: list[str]
    groups: list[str]
    capacity: Int
    class_of: Int
    program_order: Int
    min_size: Int
    must_open: Bool
    class_order: Int
    start: Int
    program: Int
    rank: Int
    score: Int
    ties: Int
    fit: Int
    approved: Bool
    relaxed: Bool
    member: Bool
    reserves: tuple[Reserve, ...]
    caps: tuple[Cap, ...]
    barred: tuple[Barred, ...]
    drawn: list[bytes]
    applied: Bool
    greatest_rank: int
    score_places: int = 0
    tie_places: tuple[int, ...] = ()
    program_scores: bool = False
    confirmed: tuple[tuple[int, int], ...] = ()
    wishes: Wishes = field(default_factory=lambda: Wishes(*np.zeros((3, 0), np.int64)))
    tables: Tables = field(default_factory=lambda: Tables({}, b""))

    def __post_init__(self) -> None:
        for name in ("capacity", "class_of", "program_order", "min_size", "must_open",
                     "class_order", "start",
                     "program", "rank", "score", "ties", "fit", "approved", "relaxed", "member",
                     "applied"):  # fmt: skip
            getattr(self, name).setflags(write=False)

    @classmethod
    def from_tables(
        cls, tables: Tables, policy: Policy | None = None, drawn: bool = True
    ) -> Market:
        """The market of a round.

        Parameters
        ----------
        tables, policy
            The round, and its rules where they are not the round's own.
        drawn
            False where the draw may be still to come.  Before it nobody may be placed by this market,
            only by what :meth:`under` makes of it.

        Raises
        ------
        InvalidRound
            With every error that :func:`matcher.validate` finds.

        Notes
        -----
        O(cells + edges log edges).
        """
        errors = [issue for issue in validate(tables, drawn) if issue.severity == "error"]
        if errors:
            raise InvalidRound(errors)
        return _Builder(tables, policy or Policy.from_tables(tables)).market()

    @cached_property
    def owner(self) -> Int:
        """The applicant of each edge.  Shape (e,)."""
        return np.repeat(np.arange(len(self.applicants)), np.diff(self.start))

    @cached_property
    def edge_lists(self) -> tuple[list[int], list[int]]:
        """Program and owner of each edge as lists, in which Python looks one up faster."""
        return self.program.tolist(), self.owner.tolist()

    @cached_property
    def lottery(self) -> Int:
        """Each applicant's place in the lottery, 0 first."""
        return lottery.places(self.drawn)

    @property
    def _keys(self) -> list[Int | Bool]:
        """What ranks the edges of a program, lottery apart, the last key counting most."""
        return [*(~tie for tie in self.ties[::-1]), ~self.score, self.rank == 0]

    @cached_property
    def key(self) -> Int:
        """Per edge, a number that orders the edges of each program as their places do, and unsorted.

        Cheaper than :attr:`place`.  Shape (e,).
        """
        if "_priority" in vars(self):
            return self.place
        packed = _packed([self.lottery[self.owner], *self._keys])
        return self.place if packed is None else packed

    @cached_property
    def _priority(self) -> tuple[Int, Int]:
        keys = [*self._keys, self.program]
        order = _order([self.lottery[self.owner], *keys])
        changes = np.zeros(len(order), bool)
        for key in keys:
            column = key[order]
            changes[1:] |= column[1:] != column[:-1]
        steps = np.cumsum(changes)
        return self._within(order, np.arange(len(order))), self._within(order, steps)

    def _within(self, order: Int, steps: Int) -> Int:
        """Per edge, the steps from the first edge of its program, the order being by programs."""
        program = self.program[order]
        first = np.searchsorted(program, np.arange(len(self.programs)))
        found = np.empty(len(order), np.int64)
        found[order] = steps - steps[first[program]] if len(order) else steps
        return found

    @property
    def place(self) -> Int:
        """Per edge, its place in the program's priority (ties broken by lottery), 0 best."""
        return self._priority[0]

    @property
    def level(self) -> Int:
        """Per edge, its level in the program's weak priority (lottery apart), 0 best."""
        return self._priority[1]

    def under(self, drawn: list[bytes]) -> Market:
        """The same market under another draw of the lottery.

        Notes
        -----
        One sort of the edges.  What no draw moves, as their owners and levels, is taken over.
        """
        other = replace(self, drawn=drawn)
        order = _order([other.lottery[self.owner], self.level, self.program])
        place = self._within(order, np.arange(len(order)))
        vars(other).update(
            owner=self.owner, edge_lists=self.edge_lists, _priority=(place, self.level)
        )
        return other

    def with_a_seat(self, program: int) -> Market:
        """The same market with one more seat at a program."""
        capacity = self.capacity.copy()
        capacity[program] += 1
        other = replace(self, capacity=capacity)
        kept = ("owner", "edge_lists", "lottery", "_priority")
        vars(other).update({name: vars(self)[name] for name in kept if name in vars(self)})
        return other

    def reach(self, order_class: int) -> int:
        """How many people a class could hold at most, whoever else goes where."""
        inside = np.flatnonzero(self.class_of == order_class)
        within = np.isin(self.program, inside)
        people = np.bincount(self.program[within], minlength=len(self.programs))
        seats = int(np.minimum(people, self.capacity)[inside].sum())
        return min(seats, len(np.unique(self.owner[within])))

    def spans(self, cap: Cap) -> bool:
        """Whether a cap is over programs of more than one class."""
        return len(set(self.class_of[list(cap.programs)].tolist())) > 1

    def edge(self, applicant: int, program: int) -> int:
        """The edge of a pair, or −1."""
        low, high = int(self.start[applicant]), int(self.start[applicant + 1])
        found = np.flatnonzero(self.program[low:high] == program)
        return low + int(found[0]) if len(found) else -1

    def edges_of(self, matching: Int) -> Int:
        """The edge that each applicant holds, −1 where she is unplaced.  Shape (n,)."""
        held = np.full(len(self.applicants), -1)
        for piece in cells.pieces(len(self.program)):
            owner = self.owner[piece]
            at = np.flatnonzero(self.program[piece] == matching[owner])
            held[owner[at]] = piece.start + at
        return held

    def programs_at(self, at: Int) -> Int:
        """The program of the edge at which each applicant stands, −1 beyond her last.  Shape (n,)."""
        return np.where(at < self.start[1:], np.append(self.program, -1)[at], -1)

    def preferred(self, matching: Int, by_rank: bool = False) -> Bool:
        """The edges that lead where their owner would rather be than where she is.  Shape (e,).

        ``by_rank`` takes programs that she listed at one rank, as parts of one class, as equally
        good; otherwise plan order decides among them.
        """
        held = self.edges_of(matching)
        limit = np.where(held < 0, self.start[1:], held)
        wanted: Bool = np.arange(len(self.program)) < limit[self.owner]
        if by_rank:
            hers = np.where(held < 0, -1, np.append(self.rank, -1)[held])
            wanted &= (self.rank == 0) | (self.rank != hers[self.owner])
        return wanted

    def asks(self, policy: Policy) -> set[Constraint]:
        """The constraints that this round really asks a mechanism to keep."""
        exact = policy.closure == "exact" and policy.mechanism != "optimal"
        return {
            constraint
            for constraint, present in {
                Constraint.CAPACITY: True,
                Constraint.MIN_SIZE: bool((self.min_size > 1).any()),
                Constraint.EXACT_CLOSURE: exact and bool((self.min_size > 0).any()),
                Constraint.SOFT_RESERVE: any(r.seats and not r.hard for r in self.reserves),
                Constraint.HARD_RESERVE: any(r.seats and r.hard for r in self.reserves),
                Constraint.OPEN_FIRST: policy.reserve_order == "open_first"
                and any(r.seats for r in self.reserves),
                Constraint.NESTED_CAP: bool(self.caps),
                Constraint.CROSSING_CAP: bool(crossing(self.caps)),
                Constraint.ADJUSTMENT: bool((self.rank == 0).any()),
                Constraint.PROGRAM_SCORE: self.program_scores,
                Constraint.CONFIRMED: bool(self.confirmed),
                Constraint.MUST_OPEN: bool(self.must_open.any()),
                Constraint.MUST_FILL: any(r.seats and r.must_fill for r in self.reserves),
            }.items()
            if present
        }


def crossing(caps: Sequence[Cap]) -> list[tuple[str, str]]:
    """The pairs of caps that cross: they share a program and neither contains the other."""
    sets = [(cap.name, frozenset(cap.programs)) for cap in caps]
    return [
        (one, two)
        for at, (one, inside) in enumerate(sets)
        for two, other in sets[at + 1 :]
        if inside & other and not inside <= other and not other <= inside
    ]


def plan_order(names: Sequence[str], given: Int) -> Int:
    """Places in the plan: by number, blanks after all numbers, equal ones by id.

    >>> plan_order(["b", "a", "c"], np.array([cells.BLANK, cells.BLANK, 7])).tolist()
    [2, 1, 0]
    """
    order = sorted(
        range(len(names)), key=lambda i: (given[i] == cells.BLANK, int(given[i]), names[i])
    )
    place = np.empty(len(names), np.int64)
    place[order] = np.arange(len(names))
    return place


@dataclass
class _Builder:
    """Turns valid tables into a market, step by step."""

    tables: Tables
    policy: Policy

    def market(self) -> Market:
        people, programs = self.tables["applicants"], self.tables["programs"]
        self.names = people["applicant"]
        self.program_names = programs["program"]
        self._classes()
        self.place = plan_order(self.program_names, cells.integers(programs["plan_order"]))
        self.facts = read_round(self.tables, self.policy, self.row_of_class)
        self.wishes = owner, program, rank = self._lists()
        listed = Pairs(self.facts, owner, program)
        law = apply_rules(listed)
        barred = tuple(
            Barred(int(owner[i]), int(program[i]), rule, value, limit)
            for i, rule, value, limit in law.barred
        )
        parts = [_columns(listed, law, rank)]
        parts += [_columns(*tail) for tail in self._tails(owner, program)]
        return self._assemble(parts, barred)

    def _classes(self) -> None:
        table, programs = self.tables["order_classes"], self.tables["programs"]
        given = [c or p for c, p in zip(programs["order_class"], self.program_names, strict=True)]
        declared = {name: at for at, name in enumerate(table["order_class"])}
        own = [name for name in given if name not in declared]
        self.class_names = [*declared, *own]
        index = {name: at for at, name in enumerate(self.class_names)}
        self.class_of = cells.positions(given, index)
        self.row_of_class = cells.positions(given, declared)
        zeros = np.zeros(len(own), np.int64)
        self.min_size = np.append(cells.integers(table["min_size"]), zeros)
        decreed = [cell == "1" for cell in table["must_open"]]
        self.must_open = np.append(np.array(decreed, bool), zeros > 0)
        numbers = np.append(cells.integers(table["plan_order"]), zeros + cells.BLANK)
        self.class_order = plan_order(self.class_names, numbers)

    def _lists(self) -> Wishes:
        """Listed pairs by applicant, rank and plan order; the first mention of a program counts."""
        table = self.tables["applications"]
        owner = cells.positions(table["applicant"], cells.index(self.names))
        rank = cells.integers(table["rank"])
        self.rank_limit = int(rank.max(initial=0))
        program = cells.positions(table["program"], cells.index(self.program_names))
        whole = cells.positions(table["program"], cells.index(self.class_names))
        by_class = np.argsort(self.class_of, kind="stable")
        first = np.searchsorted(self.class_of[by_class], np.arange(len(self.class_names) + 1))
        size = np.where(program >= 0, 1, first[whole + 1] - first[whole])
        line = np.repeat(np.arange(len(owner)), size)
        nth = np.arange(len(line)) - np.repeat(np.cumsum(size) - size, size)
        inside = np.minimum(first[whole[line]] + nth, len(by_class) - 1)
        program = np.where(program[line] >= 0, program[line], by_class[inside])
        owner, rank = owner[line], rank[line]
        order = np.lexsort((self.place[program], rank, owner))
        owner, program, rank = owner[order], program[order], rank[order]
        _, mention = np.unique(owner * len(self.program_names) + program, return_index=True)
        mention.sort()
        return Wishes(owner[mention], program[mention], rank[mention])

    def _tails(self, owner: Int, program: Int) -> Iterator[tuple[Pairs, Eligibility]]:
        """The tails of adjustment: eligible pairs, in each person's order, block by block."""
        people = self.tables["applicants"]
        scope = np.array([s if s != "none" else "" for s in people["adjustment"]], object)
        willing = np.flatnonzero(scope != "")
        if not len(willing):
            return
        shares = {c: _codes_of(self.facts.course(c)) for c in ("college", "industry", "district")}
        refused = self._refused()
        bounds = np.searchsorted(owner, np.arange(len(self.names) + 1))
        step = max(1, _BLOCK // max(1, len(self.program_names)))
        for low in range(0, len(willing), step):
            block = willing[low : low + step]
            row = np.repeat(np.arange(len(block)), bounds[block + 1] - bounds[block])
            pairs = [np.arange(bounds[i], bounds[i + 1]) for i in block]
            mine = program[np.concatenate(pairs)] if len(row) else row
            listed = np.zeros((len(block), len(self.program_names)), bool)
            listed[row, mine] = True
            shared = {c: _shared(values, row, mine, len(block)) for c, values in shares.items()}
            wanted = ~listed & ~refused[block][:, self.class_of]
            for name, matrix in shared.items():
                wanted[(scope[block] == name)] &= matrix[scope[block] == name]
            at, p = np.nonzero(wanted)
            tail = Pairs(self.facts, block[at], p, adjusted=True)
            law = apply_rules(tail, tell=False)
            keep = np.flatnonzero(law.eligible)
            at, p = at[keep], p[keep]
            fit = tail.scores.fit[keep] if len(keep) else keep
            near = [~shared[c][at, p] for c in ("district", "industry", "college")]
            order = np.lexsort((self.place[p], -fit, *near, at))
            chosen = keep[order]
            yield (
                Pairs(self.facts, tail.a[chosen], tail.p[chosen], adjusted=True),
                _only(law, chosen),
            )

    def _refused(self) -> Bool:
        """Who does not accept which class.  Shape (n, k)."""
        refused = np.zeros((len(self.names), len(self.class_names)), bool)
        index = cells.index(self.class_names)
        for at, cell in enumerate(self.tables["applicants"]["not_accepted"]):
            if cell:
                refused[at, [index[name] for name in split(cell)]] = True
        return refused

    def _assemble(self, parts: list[tuple[Int, ...]], barred: tuple[Barred, ...]) -> Market:
        columns = [np.concatenate(part) for part in zip(*parts, strict=True)]
        order = np.argsort(columns[0], kind="stable")
        owner, program, rank, score, fit, approved, relaxed = (c[order] for c in columns[:7])
        ties = np.array([c[order] for c in columns[7:]], np.int64).reshape(
            len(columns) - 7, len(owner)
        )
        member, groups = self._groups()
        applied = np.zeros(len(self.names), bool)
        applied[
            cells.positions(self.tables["applications"]["applicant"], cells.index(self.names))
        ] = True
        book = self.facts.scores
        seed = lottery.seed_of(self.tables.draw, self.policy.seed)
        return Market(
            applicants=list(self.names),
            programs=list(self.program_names),
            order_classes=self.class_names,
            groups=groups,
            capacity=cells.integers(self.tables["programs"]["capacity"]),
            class_of=self.class_of,
            program_order=self.place,
            min_size=self.min_size,
            must_open=self.must_open,
            class_order=self.class_order,
            start=np.searchsorted(owner, np.arange(len(self.names) + 1)),
            program=program,
            rank=rank,
            score=score,
            ties=ties,
            fit=fit,
            approved=approved.astype(bool),
            relaxed=relaxed.astype(bool),
            member=member,
            reserves=self._reserves(groups),
            caps=self._caps(),
            barred=barred,
            drawn=lottery.numbers(seed, self.policy.round, self.names)
            if seed
            else [b""] * len(self.names),
            applied=applied,
            greatest_rank=self.rank_limit,
            score_places=book.places,
            tie_places=tuple(book.tie_places),
            program_scores=_scores_by_program(self.tables["scores"]),
            confirmed=tuple((i, p) for i, p, *_ in self.facts.decisions.get("confirmed", ())),
            wishes=self.wishes,
            tables=self.tables,
        )

    def _groups(self) -> tuple[Bool, list[str]]:
        """Membership in every group that anybody holds or a reserve names."""
        holds, held = self.facts.groups
        groups = sorted({*held, *self.tables["reserves"]["group"]})
        member = np.zeros((len(self.names), len(groups)), bool)
        if held:
            member[:, [groups.index(name) for name in held]] = holds
        return member, groups

    def _reserves(self, groups: list[str]) -> tuple[Reserve, ...]:
        table = self.tables["reserves"]
        program = cells.positions(table["program"], cells.index(self.program_names))
        seats = cells.integers(table["seats"])
        found = zip(program, table["group"], seats, table["hard"], table["must_fill"], strict=True)
        return tuple(
            Reserve(int(p), groups.index(g), int(s), hard == "1", must == "1")
            for p, g, s, hard, must in found
        )

    def _caps(self) -> tuple[Cap, ...]:
        table = self.tables["caps"]
        classes = [self.class_names[c] for c in self.class_of]
        caps = []
        for at, (name, seats) in enumerate(
            zip(table["cap"], cells.integers(table["seats"]), strict=True)
        ):
            inside = sorted(cap_members(self.tables, at, classes), key=lambda p: self.place[p])
            if inside:
                caps.append(Cap(name, int(seats), tuple(inside)))
        return tuple(sorted(caps, key=lambda cap: cap.name))


def _codes_of(values: list[str]) -> Int:
    """Codes of an attribute from 1 on; 0 where it is blank."""
    found = {name: at for at, name in enumerate(sorted({*values, ""}))}
    return cells.positions(values, found)


def _order(keys: Sequence[Int | Bool]) -> Int:
    """The order of ``np.lexsort``, for keys that no two places share: the last key counts first.

    Keys that fit into one integer together are sorted as one, in a quarter of the time.
    """
    packed = _packed(keys)
    return np.lexsort(keys) if packed is None else np.argsort(packed)


def _packed(keys: Sequence[Int | Bool]) -> Int | None:
    """Keys in one integer, the last key counting first; None where they do not fit."""
    packed, bits = np.zeros(len(keys[0]), np.int64), 0
    for key in keys:
        low, high = int(key.min(initial=0)), int(key.max(initial=0))
        width = (high - low).bit_length()
        if bits + width > 62:
            return None
        if width:
            packed += (key.astype(np.int64) - low) << bits
            bits += width
    return packed


def _shared(attribute: Int, row: Int, program: Int, rows: int) -> Bool:
    """Who listed, barred or not, something with the same attribute.  Shape (rows, m)."""
    has = np.zeros((rows, int(attribute.max(initial=0)) + 1), bool)
    has[row, attribute[program]] = True
    has[:, 0] = False
    shared: Bool = has[:, attribute]
    return shared


def _only(law: Eligibility, chosen: Int) -> Eligibility:
    return Eligibility(law.eligible[chosen], law.approved[chosen], law.relaxed[chosen])


def _columns(pairs: Pairs, law: Eligibility, rank: Int | None = None) -> tuple[Int, ...]:
    """The columns of the eligible pairs: owner, program, rank (0 in a tail), score, fit, …"""
    at = np.flatnonzero(law.eligible)
    number = np.zeros(len(at), np.int64) if rank is None else rank[at]
    scores = pairs.scores
    return (
        pairs.a[at], pairs.p[at], number, scores.score[at], scores.fit[at],
        law.approved[at], law.relaxed[at], *scores.ties[:, at],
    )  # fmt: skip


def _scores_by_program(table: Table) -> bool:
    """Whether some row for one program holds what would rank its applicants."""
    idle = ("applicant", "program", "channel", "fit")
    ranking = [v for c, v in table.columns.items() if c not in idle and not c.startswith("x_")]
    return any(
        program and any(column[at] for column in ranking)
        for at, program in enumerate(table["program"])
    )
