"""The fairness sheet 公平性核查表: who would rather be where, whom she stands above there, and why not.

A row is an applicant i, a program p that she prefers to what she has, and a person j who has p though
i stands above j in its priority; or nobody, where i would not need to take anybody's place.  Its label:

Where a mechanism keeps ties (``max_placement``), i stands above j only by a better level.

``justified``
    The choice at p alone, from those it holds and i, takes i in the place of somebody: the first of
    the i's rows is with that person, wherever she stands.
``waste``
    p could take i beside all it holds, and no cap over p is full.
``approval``
    j was admitted by an approval in her case.
``reserve``
    j has a seat held for a group.
``cap``
    p could take i, but a cap over it is full.
``class_closed``
    The class of p did not reach its minimum.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .cells import Int
from .choice import HARD, OPEN, OPEN_FIRST, Choice, fill
from .market import Bool, Market
from .policy import Policy
from .result import Result

LABELS = ("justified", "waste", "approval", "reserve", "cap", "class_closed")
JUSTIFIED, WASTE, APPROVAL, RESERVE, CAP, CLASS_CLOSED = range(len(LABELS))

_REFUSED, _BESIDE = -2, -1


@dataclass(frozen=True, eq=False)
class Sheet:
    """The rows of the fairness sheet as columns of indices, by applicant, program and other.

    ``other`` is −1 where nobody's place is concerned; ``label`` indexes :data:`LABELS`.
    """

    applicant: Int
    other: Int
    program: Int
    label: Int

    def __len__(self) -> int:
        return len(self.label)

    def counts(self) -> dict[str, dict[str, int]]:
        """Per label: rows, pairs of applicant and program, and applicants concerned."""
        counted = {}
        width = int(self.program.max(initial=0)) + 1
        for code, name in enumerate(LABELS):
            at = self.label == code
            pairs = self.applicant[at] * width + self.program[at]
            counted[name] = {
                "rows": int(at.sum()),
                "pairs": len(np.unique(pairs)),
                "people": len(np.unique(self.applicant[at])),
            }
        return counted

    def to_csv(self, market: Market) -> bytes:
        """The file ``fairness.csv``: applicant, other, program, label."""
        people = np.array([*market.applicants, ""], object)
        named = (
            people[self.applicant],
            people[self.other],
            np.array(market.programs, object)[self.program],
            np.array(LABELS, object)[self.label],
        )
        columns: list[list[str]] = [column.tolist() for column in named]
        lines = sorted(zip(*columns, strict=True), key=lambda line: (line[0], line[2], line[1]))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["applicant", "other", "program", "label"])
        writer.writerows(lines)
        return text.getvalue().encode()


@dataclass(frozen=True, slots=True)
class Coalition:
    """People who would all rather be in a closed class, and could: enough of them to open it.

    Parameters
    ----------
    order_class
        The class.
    min_size
        People it needs.
    willing
        People who would rather be in it than where they are.
    could_take
        How many of them its programs could take at least, within capacities, reserves and caps.
    """

    order_class: int
    min_size: int
    willing: int
    could_take: int


class Fairness:
    """The fairness of one result: its sheet, and the coalitions that a closed class leaves.

    Parameters
    ----------
    market, policy, result
        A round and a result of it, of whatever mechanism.

    Notes
    -----
    O(edges + rows), and one choice for each program, kind of person and place among those it holds.
    """

    def __init__(self, market: Market, policy: Policy, result: Result) -> None:
        self.market, self.result = market, result
        self.choice = Choice(market, policy.reserve_order == "open_first")
        self.held = market.edges_of(result.matching)
        self.closed: Bool = (market.min_size > 1) & ~result.opened

    @cached_property
    def wanted(self) -> Int:
        """The edges that lead where their owner would rather be, by program."""
        at = np.flatnonzero(self.market.preferred(self.result.matching, self.result.by_rank))
        return at[np.argsort(self.market.program[at], kind="stable")]

    @cached_property
    def bounds(self) -> Int:
        """Where each program's part of ``wanted`` begins and ends."""
        programs = np.arange(len(self.market.programs) + 1)
        return np.searchsorted(self.market.program[self.wanted], programs)

    @cached_property
    def rooms(self) -> list[int]:
        """Per cap, how many more people it lets in."""
        count = np.bincount(
            self.result.matching[self.result.matching >= 0], minlength=len(self.market.programs)
        )
        return [cap.seats - int(count[list(cap.programs)].sum()) for cap in self.market.caps]

    @cached_property
    def sheet(self) -> Sheet:
        """Every row of the fairness sheet."""
        market = self.market
        capped = np.zeros(len(market.programs), bool)
        for cap, room in zip(market.caps, self.rooms, strict=True):
            if room <= 0:
                capped[list(cap.programs)] = True
        holders = self._holders()
        parts = [np.zeros((4, 0), np.int64)]
        for p in np.flatnonzero(np.diff(self.bounds)).tolist():
            edges = self.wanted[self.bounds[p] : self.bounds[p + 1]]
            if self.closed[market.class_of[p]]:
                parts.append(_rows(market.owner[edges], -1, p, CLASS_CLOSED))
            else:
                parts += self._program(p, edges, holders[p], CAP if capped[p] else WASTE)
        rows = np.concatenate(parts, axis=1)
        return Sheet(*rows[:, np.lexsort((rows[1], rows[2], rows[0]))])

    def _holders(self) -> list[Int]:
        """The edges that each program holds, by priority."""
        held = self.held[self.held >= 0]
        program = self.market.program[held]
        order = np.lexsort((self.market.place[held], program))
        bounds = np.searchsorted(program[order], np.arange(len(self.market.programs) + 1))
        return [held[order[a:b]] for a, b in pairwise(bounds)]

    def _program(self, p: int, edges: Int, holders: Int, spare: int) -> Iterator[NDArray[np.int64]]:
        """The rows at one open program; ``spare`` labels those whom it could take beside all."""
        market = self.market
        order = market.level if self.result.keeps_ties else market.place
        above = np.searchsorted(order[holders], order[edges], side="right")
        outcome = self._outcomes(p, edges, holders, above)
        beside = outcome == _BESIDE
        yield _rows(market.owner[edges[beside]], -1, p, spare)
        displacing = np.flatnonzero(outcome >= 0)
        at = np.flatnonzero((above < len(holders)) | (outcome >= 0))
        if not len(at):
            return
        owners, others = market.owner[edges[at]], market.owner[holders]
        shown = np.arange(len(holders)) >= above[at, None]
        label = np.full(shown.shape, RESERVE)
        label[outcome[at] >= 0] = JUSTIFIED
        label[beside[at]] = spare
        label[self._protected(owners, others)] = RESERVE
        label[:, market.approved[holders]] = APPROVAL
        line = np.searchsorted(at, displacing)
        shown[line, outcome[displacing]] = True
        label[line, outcome[displacing]] = JUSTIFIED
        i, j = np.nonzero(shown)
        yield np.stack([owners[i], others[j], np.full(len(i), p), label[i, j]])

    def _protected(self, owners: Int, others: Int) -> Bool:
        """Whose seat is held for a group that the other person is not in."""
        names = {name: g for g, name in enumerate(self.market.groups)}
        seats = [names.get(self.result.seats[j], -1) for j in others.tolist()]
        member = np.append(
            self.market.member[owners], np.ones((len(owners), 1), bool), axis=1
        )  # fmt: skip
        protected: Bool = ~member[:, seats]
        return protected

    def _outcomes(self, p: int, edges: Int, holders: Int, above: Int) -> Int:
        """What the choice at p alone makes of each person beside those it holds.

        The position of the holder in whose place she is taken, or refused, or taken beside all.
        """
        seats = self.choice.seats[p]
        outcome = np.full(len(edges), _REFUSED)
        plain: Bool = np.ones(len(edges), bool)
        if seats.reserved:
            asks = sorted({*seats.hard, *seats.soft})
            inside: Bool = self.market.member[self.market.owner[edges]][:, asks]
            plain = (inside.sum(axis=1) == 0) & (not seats.open_first)
        chosen = self.choice.at_program(p, holders.tolist())
        last = [e for e, stage in chosen if stage in (OPEN, OPEN_FIRST)]
        empty = sum(seats.hard.values()) - sum(stage == HARD for _, stage in chosen)
        if len(chosen) + empty < seats.capacity:
            outcome[plain] = _BESIDE
        elif last:
            worst = int(np.flatnonzero(holders == last[-1])[0])
            outcome[plain & (above <= worst)] = worst
        self._ask(p, edges, holders, above, np.flatnonzero(~plain), outcome)
        return outcome

    def _ask(
        self, p: int, edges: Int, holders: Int, above: Int, at: Int, outcome: Int
    ) -> None:  # fmt: skip
        """Let the program choose; equal groups at an equal place among the holders fare equally."""
        held = holders.tolist()
        seats = self.choice.seats[p]
        named = {**seats.hard, **seats.soft}
        people = self.choice.with_groups(edges[at].tolist(), named)
        known: dict[tuple[tuple[int, ...], int], int] = {}
        for n, (edge, groups) in zip(at.tolist(), people, strict=True):
            key = groups, int(above[n])
            if key not in known:
                taken = {e for e, _ in self.choice.at_program(p, [*held, edge])}
                lost = [position for position, e in enumerate(held) if e not in taken]
                beside = lost[-1] if lost else _BESIDE
                known[key] = beside if edge in taken else _REFUSED
            outcome[n] = known[key]

    def coalitions(self) -> list[Coalition]:
        """The closed classes that enough people, whom their programs could take, would rather have.

        Where caps bind, a coalition that would need several people to leave in turn may be missed.
        """
        found = []
        for c in np.flatnonzero(self.closed).tolist():
            programs = np.flatnonzero(self.market.class_of == c).tolist()
            options: dict[int, list[int]] = {}
            for p in programs:
                for edge in self.wanted[self.bounds[p] : self.bounds[p + 1]].tolist():
                    options.setdefault(int(self.market.owner[edge]), []).append(p)
            taken = self._could_take(programs, options)
            if taken >= self.market.min_size[c]:
                found.append(Coalition(c, int(self.market.min_size[c]), len(options), taken))
        return found

    def _could_take(self, programs: list[int], options: dict[int, list[int]]) -> int:
        """How many of the people could be in the programs at once: a greatest assignment to seats."""
        kinds: dict[tuple[int, int], int] = {}
        for p in programs:
            hard = self.choice.seats[p].hard
            kinds[p, -1] = self.choice.seats[p].capacity - sum(hard.values())
            kinds |= {(p, g): seats for g, seats in hard.items()}
        number = {kind: at for at, kind in enumerate(kinds)}
        over = [
            (room, set(cap.programs))
            for cap, room in zip(self.market.caps, self.rooms, strict=True)
            if not set(programs).isdisjoint(cap.programs)
        ]
        now = self.result.matching
        within = [i for i in options if all(int(now[i]) in cap for _, cap in over)]
        others = [i for i in options if i not in set(within)]
        people = [
            (i, tuple(
                number[p, g]
                for p in options[i]
                for g in (-1, *self.choice.groups[i])
                if (p, g) in number
            ))
            for i in [*within, *others]
        ]  # fmt: skip
        taken = fill(people, dict(enumerate(kinds.values())))
        inside = len(set(taken) & set(within))
        room = max(0, min((room for room, _ in over), default=len(taken)))
        return inside + min(len(taken) - inside, room)


def _rows(applicants: Int, other: int, p: int, label: int) -> NDArray[np.int64]:
    one = np.ones(len(applicants), np.int64)
    return np.stack([applicants, other * one, p * one, label * one])
