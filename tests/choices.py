"""Whom programs and caps choose, by definition: lists, priorities, reserved seats, turns.

The part of the oracle (`oracle.py`) that every mechanism needs; it shares nothing with `matcher`.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from tests.instances import SCOPES, Cap, Instance, OrderClass, Person, Program, Row, Rules

Offers = Mapping[str, frozenset[str]]

# --- the lottery --------------------------------------------------------------------------------


def lottery(rules: Rules, applicant: str) -> str:
    """The lottery number in hexadecimal; lower is better."""
    return _hmac(rules, "lottery", rules.round, applicant).hex()


def tie_weights(rules: Rules, applicant: str, program: str) -> tuple[int, int]:
    """The first and the next twenty bits of the pair's digest."""
    bits = int.from_bytes(_hmac(rules, "tie", rules.round, applicant, program), "big")
    return bits >> 236, (bits >> 216) & 0xFFFFF


def _hmac(rules: Rules, *words: str) -> bytes:
    return hmac.new(bytes.fromhex(rules.seed), "|".join(words).encode(), hashlib.sha256).digest()


# --- reserved seats -----------------------------------------------------------------------------


def most_filled(people: Iterable[frozenset[str]], seats: Mapping[str, int]) -> int:
    """The greatest number of reserved seats that people with these groups can fill."""
    useful = [tuple(sorted(g for g in groups if seats.get(g))) for groups in people]
    return _most_filled(tuple(sorted(filter(None, useful))), tuple(sorted(seats.items())))


@cache
def _most_filled(people: tuple[tuple[str, ...], ...], seats: tuple[tuple[str, int], ...]) -> int:
    left = dict(seats)
    if not people:
        return 0
    ways = [_most_filled(people[1:], seats)]
    for group in people[0]:
        if left[group]:
            fewer = tuple(sorted((left | {group: left[group] - 1}).items()))
            ways.append(1 + _most_filled(people[1:], fewer))
    return max(ways)


def first_labels(people: Sequence[frozenset[str]], seats: Mapping[str, int]) -> tuple[str, ...]:
    """The first, in the order of words, of all the ways to give each of these people a seat."""
    ways = itertools.product(*(sorted(g for g in groups if seats.get(g)) for groups in people))
    return min(way for way in ways if all(way.count(g) <= n for g, n in seats.items()))


# --- choice --------------------------------------------------------------------------------------


class Choices:
    """The lists, the priorities and the choice functions of one instance."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.rules = instance.rules
        self.people = {p.id: p for p in instance.people}
        self.groups = {p.id: frozenset(p.groups) for p in instance.people}
        self.programs = {p.id: p for p in instance.programs}
        self.classes = {c.id: c for c in instance.all_classes()}
        self.class_of = {p.id: p.order_class or p.id for p in instance.programs}
        self.program_order = sorted(self.programs, key=lambda p: _plan_key(self.programs[p]))
        self.class_order = sorted(self.classes, key=lambda c: _plan_key(self.classes[c]))
        self.rank = {i: self._ranks(person) for i, person in self.people.items()}
        self.priority = {p: self._priority(p) for p in self.programs}
        self.seats = {p: self._reserved(p) for p in self.programs}
        self.cap_sets = {cap.id: self._covered(cap) for cap in instance.caps}
        self.cap_seats = {cap.id: cap.seats for cap in instance.caps}
        self._orders: dict[tuple[str, frozenset[str]], tuple[tuple[str, str], ...]] = {}

    # lists

    def listed(self, person: Person) -> dict[str, int]:
        """Every program of her list, barred or not, with the rank of its first mention."""
        found: dict[str, int] = {}
        for rank, entry in enumerate(person.entries, 1):
            meant = [entry] if entry in self.programs else self._programs_of(entry)
            for program in meant:
                found.setdefault(program, rank)
        return found

    def _programs_of(self, order_class: str) -> list[str]:
        return [p for p in self.program_order if self.class_of[p] == order_class]

    def _ranks(self, person: Person) -> dict[str, int]:
        """Her list and tail in the order of her preference, with ranks; 0 is the tail."""
        listed = self.listed(person)
        ranks = {p: rank for p, rank in listed.items() if self._eligible(person.id, p)}
        tail = [
            p
            for p in self.program_order
            if p not in listed
            and self._eligible(person.id, p)
            and self.class_of[p] not in person.not_accepted
            and self._in_scope(person, p, listed)
        ]
        tail.sort(
            key=lambda p: (
                *(not self._shares(scope, p, listed) for scope in SCOPES),
                -self.fit(person.id, p),
            )
        )
        return ranks | dict.fromkeys(tail, 0)

    def _in_scope(self, person: Person, program: str, listed: Iterable[str]) -> bool:
        scope = person.adjustment
        if scope in ("", "none"):
            return False
        return scope == "alliance" or self._shares(scope, program, listed)

    def _shares(self, scope: str, program: str, listed: Iterable[str]) -> bool:
        def attribute(p: str) -> str:
            return str(getattr(self.classes[self.class_of[p]], scope))

        return attribute(program) in {attribute(p) for p in listed} - {""}

    def _eligible(self, applicant: str, program: str) -> bool:
        channel = self.programs[program].channel
        if channel and not self._rows(applicant, program):
            return False
        return (applicant, program) not in self.instance.rejected

    # scores

    def _rows(self, applicant: str, program: str) -> list[Row]:
        """The score rows that speak of the pair, the program's own before the channel's."""
        scores, channel = self.instance.scores, self.programs[program].channel
        keys = [(applicant, "program", program), (applicant, "channel", channel)]
        return [scores[key] for key in keys if key in scores]

    def fit(self, applicant: str, program: str) -> int:
        """The fit of the pair, 0 where it is not given."""
        return int(_first(row.fit for row in self._rows(applicant, program)) or 0)

    def score(self, applicant: str, program: str) -> tuple[str, ...]:
        """The score and the tie-breaks of the pair as written."""
        rows = self._rows(applicant, program)
        count = max((len(row.ties) for row in rows), default=0)
        ties = (_first(row.ties[k] for row in rows if k < len(row.ties)) for k in range(count))
        return (_first(row.score for row in rows), *ties)

    def level(self, applicant: str, program: str) -> tuple[Any, ...]:
        """Her place in the weak priority, without the lottery; the smaller is the better."""
        width = 1 + max((len(row.ties) for row in self.instance.scores.values()), default=0)
        given = self.score(applicant, program)
        given += ("",) * (width - len(given))
        adjusted = self.rank[applicant][program] == 0
        return (adjusted, *((cell == "", -Decimal(cell or 0)) for cell in given))

    def _priority(self, program: str) -> list[str]:
        """Everybody who could be placed here, best first."""
        people = (i for i in self.people if program in self.rank[i])
        return sorted(people, key=lambda i: (self.level(i, program), lottery(self.rules, i)))

    # choice at a program

    def _reserved(self, program: str) -> dict[bool, dict[str, int]]:
        """The reserved seats by hardness and group."""
        seats: dict[bool, dict[str, int]] = {True: {}, False: {}}
        for (p, group, hard), number in self.instance.reserves.items():
            if p == program and number:
                seats[hard][group] = number
        return seats

    def open_first_seats(self, program: str) -> int:
        """The open seats that are filled before any reserved one."""
        if self.rules.reserve_order == "reserves_first":
            return 0
        reserved = sum(sum(seats.values()) for seats in self.seats[program].values())
        return self.programs[program].capacity - reserved

    def choice(self, program: str, people: frozenset[str]) -> tuple[tuple[str, str], ...]:
        """The people chosen in acceptance order, each with her kind of stage."""
        key = (program, people)
        if key not in self._orders:
            self._orders[key] = tuple(self._choose(program, people))
        return self._orders[key]

    def _choose(self, program: str, people: frozenset[str]) -> Iterator[tuple[str, str]]:
        queue = [i for i in self.priority[program] if i in people]
        chosen = queue[: self.open_first_seats(program)]
        yield from ((i, "open_first") for i in chosen)
        empty = 0
        for hard, name in ((True, "hard"), (False, "soft")):
            seats = self.seats[program][hard]
            taken = self._fillers([i for i in queue if i not in chosen], seats)
            yield from ((i, name) for i in taken)
            chosen = chosen + taken
            empty += sum(seats.values()) - len(taken) if hard else 0
        free = self.programs[program].capacity - len(chosen) - empty
        yield from ((i, "open") for i in [i for i in queue if i not in chosen][:free])

    def _fillers(self, queue: Sequence[str], seats: Mapping[str, int]) -> list[str]:
        """Everybody in the queue who raises the greatest number of seats that can be filled."""
        taken: list[str] = []
        for i in queue:
            groups = [self.groups[j] for j in taken]
            if most_filled([*groups, self.groups[i]], seats) > most_filled(groups, seats):
                taken.append(i)
        return taken

    def labels(self, program: str, people: frozenset[str]) -> dict[str, str]:
        """The stage of each person here, with the group of a reserved seat."""
        order = self.choice(program, people)
        found = dict(order)
        for hard, name in ((True, "hard"), (False, "soft")):
            taken = [i for i, stage in order if stage == name]
            groups = first_labels([self.groups[i] for i in taken], self.seats[program][hard])
            found |= {i: f"{name}:{g}" for i, g in zip(taken, groups, strict=True)}
        return found

    def seat(self, program: str, people: frozenset[str], applicant: str) -> str:
        """What the placement row says of her seat: `open` or the group."""
        label = self.labels(program, people)[applicant]
        return label.split(":", 1)[1] if ":" in label else "open"

    # choice under caps

    def _covered(self, cap: Cap) -> frozenset[str]:
        def named(program: str) -> str:
            if cap.kind == "college":
                return self.classes[self.class_of[program]].college
            return self.programs[program].enterprise if cap.kind == "enterprise" else program

        return frozenset(p for p in self.programs if named(p) in cap.value)

    def caps_over(self, nodes: Iterable[str], but: str = "") -> list[str]:
        """The caps over all these programs, innermost first; `but` and what is inside it not."""
        inside = frozenset(nodes)
        over = [c for c, covered in self.cap_sets.items() if inside <= covered]
        over.sort(key=self._cap_key)
        return over[over.index(but) + 1 :] if but else over

    def _cap_key(self, cap: str) -> tuple[int, str]:
        return len(self.cap_sets[cap]), cap

    def _children(self, cap: str | None) -> list[str]:
        """Caps and programs directly under a cap (None: under no cap), in plan order."""
        place = {p: k for k, p in enumerate(self.program_order)}
        children = []
        for program in self.programs:
            if next(iter(self.caps_over([program])), None) == cap:
                children.append((place[program], program))
        for inner, covered in self.cap_sets.items():
            if next(iter(self.caps_over(covered, inner)), None) == cap:
                first = min((place[p] for p in covered), default=len(place))
                children.append((first, f"cap {inner}"))
        return [child for _, child in sorted(children)]

    def acceptance(self, node: str, offers: Offers) -> list[tuple[str, str]]:
        """The acceptance order of a program or cap: (program, person) pairs."""
        if not node.startswith("cap "):
            return [(node, i) for i, _ in self.choice(node, offers.get(node, frozenset()))]
        cap = node.removeprefix("cap ")
        queues = [self.acceptance(child, offers) for child in self._children(cap)]
        rounds = itertools.zip_longest(*queues)
        turns = [pair for turn in rounds for pair in turn if pair is not None]
        return turns[: self.cap_seats[cap]]

    def choose_everywhere(self, offers: Offers) -> dict[str, str]:
        """Whom the whole market chooses of those who offer themselves: {person: program}."""
        accepted = (self.acceptance(node, offers) for node in self._children(None))
        return {i: p for order in accepted for p, i in order}


def _first(cells: Iterable[str]) -> str:
    return next(filter(None, cells), "")


def _plan_key(item: Program | OrderClass) -> tuple[bool, int, str]:
    return item.plan_order is None, item.plan_order or 0, item.id
