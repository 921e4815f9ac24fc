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

from .choice import fill
from .market import Market

Pair = tuple[int, int]
"""An applicant and a program, by index."""

Places = frozenset[Pair]
"""Who is where.  With ``one_place`` set aside somebody may be in several places."""

ADMISSION = ("barred", "unlisted")
"""What stands between a confirmed pair and the list or tail."""

LIMITS = ("min_size", "hard_reserve", "capacity", "cap", "one_place")
"""What nobody at all would keep."""


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
    one_place     everybody has one place
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
        """The confirmed pairs by id, and the row of the decision."""
        m, table = self.market, self.market.tables["decisions"]
        found = zip(
            table["applicant"], table["program"], table["decision"], table.rows, strict=True
        )
        row = {(a, p): number for a, p, decision, number in found if decision == "confirmed"}
        pairs = {(m.applicants[i], m.programs[p]): (i, p) for i, p in m.confirmed}
        return {pairs[ids]: row[ids] for ids in sorted(pairs)}

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
        for p in sorted(range(len(m.programs)), key=m.programs.__getitem__):
            if int(m.class_of[p]) in self.needed:
                seats: dict[str, str | int] = {
                    "program": m.programs[p],
                    "seats": int(m.capacity[p]),
                }
                yield Requirement("capacity", (p,), "programs", rows[p], seats)
        rows = _rows(m, "caps", [cap.name for cap in m.caps])
        for at, cap in enumerate(m.caps):
            if any(int(m.class_of[p]) in self.needed for p in cap.programs):
                limit: dict[str, str | int] = {"cap": cap.name, "seats": cap.seats}
                yield Requirement("cap", (at,), "caps", rows[at], limit)
        yield Requirement("one_place")

    def _confirmed(self) -> Iterator[Requirement]:
        m = self.market
        bars = {(b.applicant, b.program): b for b in reversed(m.barred)}
        rows = _rows(m, "applicants", m.applicants)
        for (i, p), row in self.confirmed.items():
            ids: dict[str, str | int] = {"applicant": m.applicants[i], "program": m.programs[p]}
            yield Requirement("confirmed", (i, p), "decisions", row, ids)
            if (i, p) in self.edges:
                continue
            if bar := bars.get((i, p)):
                ids |= {"rule": bar.rule, "value": bar.value, "limit": bar.limit}
                yield Requirement("barred", (i, p), "applicants", rows[i], ids)
            else:
                yield Requirement("unlisted", (i, p), "applications", 0, ids)

    def _classes(self, code: str) -> Iterator[Requirement]:
        m = self.market
        rows = _rows(m, "order_classes", m.order_classes)
        for c in sorted(self.needed, key=m.order_classes.__getitem__):
            if m.must_open[c] if code == "must_open" else m.min_size[c] > 1:
                numbers: dict[str, str | int] = {
                    "order_class": m.order_classes[c],
                    "min_size": int(m.min_size[c]),
                    "people": self._people[c],
                }
                yield Requirement(code, (c,), "order_classes", rows[c], numbers)

    def _reserves(self, code: str) -> Iterator[Requirement]:
        m = self.market

        def words(at: int) -> tuple[str, str, bool]:
            r = m.reserves[at]
            return m.programs[r.program], m.groups[r.group], r.hard

        for at in sorted(range(len(m.reserves)), key=words):
            r = m.reserves[at]
            wanted = r.must_fill if code == "must_fill" else r.hard
            if r.seats and wanted and int(m.class_of[r.program]) in self.needed:
                able = m.member[m.owner[m.program == r.program], r.group]
                numbers: dict[str, str | int] = {
                    "program": m.programs[r.program],
                    "group": m.groups[r.group],
                    "seats": r.seats,
                    "people": int(able.sum()),
                }
                yield Requirement(code, (at,), "reserves", m.tables["reserves"].rows[at], numbers)

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
        self, r: Requirement, kept: frozenset[Requirement], places: Places,
        at: Mapping[int, list[int]],
    ) -> bool:  # fmt: skip
        m = self.market
        if r.code == "confirmed":
            return r.at in places
        if r.code in ("must_open", "min_size"):
            people = sum(len(ids) for p, ids in at.items() if m.class_of[p] == r.at[0])
            least = 1 if r.code == "must_open" else int(m.min_size[r.at[0]])
            return people >= least or (r.code == "min_size" and not people)
        if r.code == "must_fill":
            p = m.reserves[r.at[0]].program
            must = self.reserved(p, kept, ("must_fill",))
            return self._filled(at.get(p, ()), must) == sum(must.values())
        if r.code == "capacity":
            (p,) = r.at
            seats, here = self.reserved(p, kept), at.get(p, ())
            room = int(m.capacity[p]) + self._filled(here, seats) - sum(seats.values())
            return len(here) <= room
        if r.code == "cap":
            cap = m.caps[r.at[0]]
            return sum(len(at.get(p, ())) for p in cap.programs) <= cap.seats
        if r.code == "one_place":
            return len({i for i, _ in places}) == len(places)
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
