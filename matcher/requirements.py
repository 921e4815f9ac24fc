"""What a round asks of every placement, one named requirement at a time, and whether places keep it.

Some requirements ask for people (a confirmed placement, a class or a reserve opened or filled by
decree), the others set limits.  A placement of nobody keeps every limit, so only what somebody asks for
can conflict, and only limits that bear on it are listed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from . import cells
from .choice import fill
from .market import Market

Pair = tuple[int, int]
"""An applicant and a program, by index."""

Places = frozenset[Pair]
"""Who is where.  With ``one_place`` set aside somebody may be in several places."""

ADMISSION = ("barred", "unlisted")
"""What stands between a confirmed pair and the list or tail."""


@dataclass(frozen=True)
class Requirement:
    """One thing that a round asks of every placement.

    Parameters
    ----------
    code
        What kind it is; its sentence is in :mod:`matcher.conflicting`.
    at
        Indices into the market: an applicant and a program, a class, a reserve, a program, a cap.
    table, row
        Where it is written: the table, and the row as a spreadsheet shows it, 0 where none is known.
    numbers
        The ids and numbers of its sentence.
    """

    code: str
    at: tuple[int, ...] = ()
    table: str = field(default="", compare=False)
    row: int = field(default=0, compare=False)
    numbers: Mapping[str, str | int] = field(default_factory=dict, compare=False)


class Requirements:
    """The requirements of a round, ``stated`` in a fixed order.

    ============  ====================================================================
    confirmed     the applicant keeps the program
    barred        … although the law bars her there
    unlisted      … although she neither listed it nor can be adjusted there
    must_open     the class has somebody
    must_fill     people of the group take all seats of the reserve
    min_size      the class has nobody, or its minimum
    hard_reserve  nobody else takes the seats of the reserve, which are of the capacity
    capacity      the program has at most so many people
    cap           the programs have at most so many people
    one_place     every person has one place
    ============  ====================================================================

    Whatever is set aside, nobody else is placed outside list and tail.
    """

    def __init__(self, market: Market) -> None:
        self.market = market
        self.reserves_at: dict[int, list[int]] = defaultdict(list)
        for at, reserve in enumerate(market.reserves):
            self.reserves_at[reserve.program].append(at)
        self.needed = self._needed()
        self.stated = tuple(self._stated()) if self.needed else ()

    @cached_property
    def confirmed(self) -> dict[Pair, int]:
        """The confirmed pairs, and the row of the decision."""
        table = self.market.tables["decisions"]
        who = cells.positions(table["applicant"], cells.index(self.market.applicants)).tolist()
        where = cells.positions(table["program"], cells.index(self.market.programs)).tolist()
        found = zip(who, where, table.rows, table["decision"], strict=True)
        return {(i, p): row for i, p, row, decision in found if decision == "confirmed"}

    @cached_property
    def person(self) -> list[int]:
        """The person behind each applicant, as a number."""
        table = self.market.tables["applicants"]
        named = dict(zip(table["applicant"], table["person"], strict=True))
        numbers: dict[str, int] = {}
        return [
            numbers.setdefault(named.get(a, "") or a, len(numbers)) for a in self.market.applicants
        ]

    @cached_property
    def edges(self) -> frozenset[Pair]:
        """The pairs of lists and tails in the classes that somebody asks for."""
        m = self.market
        at = np.flatnonzero(np.isin(m.class_of[m.program], list(self.needed)))
        return frozenset(zip(m.owner[at].tolist(), m.program[at].tolist(), strict=True))

    @cached_property
    def _people(self) -> Counter[int]:
        """How many have some program of each class in their list or tail."""
        m = self.market
        once = np.unique(m.owner * len(m.order_classes) + m.class_of[m.program])
        return Counter((once % len(m.order_classes)).tolist())

    def _needed(self) -> set[int]:
        """The classes in which somebody must be."""
        m = self.market
        asked = {p for _, p in self.confirmed} | {
            r.program for r in m.reserves if r.must_fill and r.seats
        }
        return {int(m.class_of[p]) for p in asked} | set(np.flatnonzero(m.must_open).tolist())

    def _stated(self) -> Iterator[Requirement]:
        yield from self._confirmed()
        yield from self._classes("must_open")
        yield from self._reserves("must_fill")
        yield from self._classes("min_size")
        yield from self._reserves("hard_reserve")
        m = self.market
        rows = _rows(m, "programs", m.programs)
        for p in self._programs():
            numbers = {"program": m.programs[p], "seats": int(m.capacity[p])}
            yield Requirement("capacity", (p,), "programs", rows.get(p, 0), numbers)
        rows = _rows(m, "caps", [cap.name for cap in m.caps])
        for at, cap in enumerate(m.caps):
            if any(int(m.class_of[p]) in self.needed for p in cap.programs):
                numbers = {"cap": cap.name, "seats": cap.seats}
                yield Requirement("cap", (at,), "caps", rows.get(at, 0), numbers)
        yield Requirement("one_place")

    def _programs(self) -> list[int]:
        return [p for p, c in enumerate(self.market.class_of.tolist()) if c in self.needed]

    def _confirmed(self) -> Iterator[Requirement]:
        m = self.market
        bars = {(b.applicant, b.program): b for b in reversed(m.barred)}
        people = m.tables["applicants"]
        rows = _rows(m, "applicants", m.applicants)
        persons = dict(zip(people["applicant"], people["person"], strict=True))
        for (i, p), row in self.confirmed.items():
            ids = {"applicant": m.applicants[i], "program": m.programs[p]}
            person = persons.get(ids["applicant"], "") or ids["applicant"]
            yield Requirement("confirmed", (i, p), "decisions", row, ids | {"person": person})
            if (i, p) in self.edges:
                continue
            bar = bars.get((i, p))
            if bar:
                ids |= {"rule": bar.rule, "value": bar.value, "limit": bar.limit}
                yield Requirement("barred", (i, p), "applicants", rows.get(i, 0), ids)
            else:
                yield Requirement("unlisted", (i, p), "applications", 0, ids)

    def _classes(self, code: str) -> Iterator[Requirement]:
        m = self.market
        rows = _rows(m, "order_classes", m.order_classes)
        for c in sorted(self.needed):
            if m.must_open[c] if code == "must_open" else m.min_size[c] > 1:
                numbers = {
                    "order_class": m.order_classes[c],
                    "min_size": int(m.min_size[c]),
                    "people": self._people[c],
                }
                yield Requirement(code, (c,), "order_classes", rows.get(c, 0), numbers)

    def _reserves(self, code: str) -> Iterator[Requirement]:
        m = self.market
        rows = m.tables["reserves"].rows
        for at, r in enumerate(m.reserves):
            wanted = r.must_fill if code == "must_fill" else r.hard
            if r.seats and wanted and int(m.class_of[r.program]) in self.needed:
                able = m.member[m.owner[m.program == r.program], r.group]
                numbers = {
                    "program": m.programs[r.program],
                    "group": m.groups[r.group],
                    "seats": r.seats,
                    "people": int(able.sum()),
                }
                row = rows[at] if at < len(rows) else 0
                yield Requirement(code, (at,), "reserves", row, numbers)

    def keep(self, kept: Collection[Requirement], places: Places) -> bool:
        """Whether places keep these requirements.

        Notes
        -----
        Integers and no solver.  Seats that must be filled are like hard ones; where all people of a
        program can sit, and these seats can be filled, one seating does both (Mendelsohn and Dulmage
        1958, doi 10.4153/CJM-1958-027-8), so two counts decide.
        """
        held = frozenset(kept)
        outside = {r.at for r in self.stated if r.code in ADMISSION and r not in held}
        if not places - self.edges <= outside:
            return False
        at: dict[int, list[int]] = defaultdict(list)
        for i, p in sorted(places):
            at[p].append(i)
        return all(self._keeps(r, held, places, at) for r in held)

    def _keeps(
        self,
        r: Requirement,
        kept: frozenset[Requirement],
        places: Places,
        at: Mapping[int, list[int]],
    ) -> bool:
        m = self.market
        if r.code == "confirmed":
            return r.at in places
        if r.code in ("must_open", "min_size"):
            people = sum(len(ids) for p, ids in at.items() if m.class_of[p] == r.at[0])
            least = 1 if r.code == "must_open" else int(m.min_size[r.at[0]])
            return people >= least or (r.code == "min_size" and not people)
        if r.code == "must_fill":
            p = m.reserves[r.at[0]].program
            seats = self.reserved(p, kept, ("must_fill",))
            return self._filled(at.get(p, ()), seats) == sum(seats.values())
        if r.code == "capacity":
            (p,) = r.at
            seats, people = self.reserved(p, kept), at.get(p, [])
            room = int(m.capacity[p]) - sum(seats.values()) + self._filled(people, seats)
            return len(people) <= room
        if r.code == "cap":
            cap = m.caps[r.at[0]]
            return sum(len(at.get(p, ())) for p in cap.programs) <= cap.seats
        if r.code == "one_place":
            return max(Counter(self.person[i] for i, _ in places).values(), default=1) == 1
        return True  # admission was looked at before, hard reserves are with the capacity

    def reserved(
        self,
        program: int,
        kept: Collection[Requirement],
        codes: Iterable[str] = ("must_fill", "hard_reserve"),
    ) -> dict[int, int]:
        """Seats per group that these requirements keep at a program."""
        seats: Counter[int] = Counter()
        for at in self.reserves_at[program]:
            if any(Requirement(code, (at,)) in kept for code in codes):
                seats[self.market.reserves[at].group] += self.market.reserves[at].seats
        return dict(seats)

    def _filled(self, people: Iterable[int], seats: dict[int, int]) -> int:
        member = self.market.member
        return len(fill(((i, tuple(g for g in seats if member[i, g])) for i in people), seats))


def _rows(market: Market, table: str, names: list[str]) -> dict[int, int]:
    """The spreadsheet row of each index that the table has."""
    found = market.tables[table]
    key = {"order_classes": "order_class"}.get(table, table[:-1])
    row = dict(zip(found[key], found.rows, strict=True))
    return {at: row[name] for at, name in enumerate(names) if name in row}
