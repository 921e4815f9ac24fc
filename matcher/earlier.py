"""An earlier result of a round: which of its placements can still be kept, and why others cannot.

The round may have changed since: people and programs come and go, somebody declines, a score is
corrected.  What people have accepted since stands in the decisions and takes the place of what the
earlier result gave them.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from . import cells
from .cells import Int
from .eligibility import Pairs, apply_rules, read_round
from .market import Market
from .objective import Component
from .policy import Policy

FILE = "kept.csv"
COLUMNS = ("applicant", "program", "confirmed")


class Placement(NamedTuple):
    """Who is to keep which place, and whether she has accepted it."""

    applicant: str
    program: str
    confirmed: bool


class Since(NamedTuple):
    """A place that somebody has accepted, and the other one, if any, that the earlier result gave her."""

    applicant: str
    program: str
    before: str


class Gone(NamedTuple):
    """A placement that cannot be kept, and why.

    ``cause`` is ``applicant`` or ``program`` (no longer in the round), ``declined`` (she gave it up),
    ``barred`` (by other ``rules``), or ``list`` (no longer in her list, nor in what she may be adjusted
    to).
    """

    placement: Placement
    cause: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Earlier:
    """The placements of an earlier result, with what has been accepted since.

    Parameters
    ----------
    placements
        By applicant and program.
    parent
        SHA-256 of the earlier ``placements.csv``.
    soft
        Whether accepted places, too, may be given up where not all can be kept.
    since
        Accepted places that are not what the earlier result gave.
    """

    placements: tuple[Placement, ...]
    parent: str
    soft: bool = False
    since: tuple[Since, ...] = ()

    @classmethod
    def read(cls, folder: str | Path, market: Market, soft: bool = False) -> Earlier:
        """What the result in a folder gave people, and what they have accepted by now.

        Its people and programs need not be those of the market.

        Raises
        ------
        OSError
            If ``placements.csv`` cannot be read.
        ValueError
            If it is no table of placements, with one place a person at most.
        """
        data = (Path(folder) / "placements.csv").read_bytes()
        reader = csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
        try:
            rows = list(reader)
        except csv.Error as error:
            raise ValueError("placements.csv") from error
        if not {"applicant", "program"} <= set(reader.fieldnames or ()):
            raise ValueError("placements.csv")
        accepted = [(market.applicants[i], market.programs[p]) for i, p in market.confirmed]
        settled = {applicant for applicant, _ in accepted}
        given = [(row["applicant"], row["program"]) for row in rows if row["program"]]
        before = dict(given)
        if len(before) < len(given):
            raise ValueError("placements.csv")
        placements = [Placement(*pair, False) for pair in given if pair[0] not in settled]
        placements += [Placement(*pair, True) for pair in accepted]
        since = [Since(i, p, before.get(i, "")) for i, p in accepted if before.get(i) != p]
        parent = hashlib.sha256(data).hexdigest()
        return cls(tuple(sorted(placements)), parent, soft, tuple(sorted(since)))

    @classmethod
    def read_back(cls, folder: str | Path, about: dict[str, object]) -> Earlier | None:
        """What a result was to keep, from its own files; None where it was to keep nothing."""
        stated = about.get("resolve")
        if not isinstance(stated, dict):
            return None
        text = (Path(folder) / FILE).read_text("utf-8")
        rows = csv.DictReader(io.StringIO(text, newline=""))
        placements = (Placement(r["applicant"], r["program"], r["confirmed"] == "1") for r in rows)
        return cls(tuple(placements), str(stated["parent"]), stated["confirmed"] == "soft")

    def to_csv(self) -> bytes:
        """The file ``kept.csv``."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((i, p, int(confirmed)) for i, p, confirmed in self.placements)
        return text.getvalue().encode()

    def about(self) -> dict[str, str]:
        """What ``result.json`` says of it."""
        return {"confirmed": "soft" if self.soft else "hard", "parent": self.parent}

    def edges(self, market: Market) -> dict[Placement, int]:
        """The edge of each placement that a market still allows."""
        applicant, program = cells.index(market.applicants), cells.index(market.programs)
        found = {
            placement: market.edge(applicant[placement.applicant], program[placement.program])
            for placement in self.placements
            if placement.applicant in applicant and placement.program in program
        }
        return {placement: edge for placement, edge in found.items() if edge >= 0}

    def held(self, market: Market) -> Int:
        """The edge that each applicant still holds, −1 for none.  Shape (n,)."""
        held = np.full(len(market.applicants), -1)
        for edge in self.edges(market).values():
            held[market.owner[edge]] = edge
        return held

    def gone(self, market: Market, policy: Policy) -> list[Gone]:
        """The placements that cannot be kept, and why."""
        kept = self.edges(market)
        lost = [placement for placement in self.placements if placement not in kept]
        known = set(market.applicants), set(market.programs)
        here = [p for p in lost if p.applicant in known[0] and p.program in known[1]]
        rules = dict(zip(here, _barring(market, policy, here), strict=True))
        found = []
        for one in lost:
            cause = "barred" if rules.get(one) else "list"
            cause = "declined" if "declined" in rules.get(one, ()) else cause
            cause = cause if one.program in known[1] else "program"
            cause = cause if one.applicant in known[0] else "applicant"
            found.append(Gone(one, cause, rules.get(one, ())))
        return found

    def components(self, market: Market) -> list[Component]:
        """Accepted places kept, then people not moved: what comes before the policy's objective."""
        confirmed = np.zeros(len(market.program), np.int64)
        unmoved = confirmed.copy()
        for placement, edge in self.edges(market).items():
            confirmed[edge], unmoved[edge] = placement.confirmed, 1
        return [Component("confirmed", confirmed), Component("unmoved", unmoved)]


def _barring(
    market: Market, policy: Policy, placements: Iterable[Placement]
) -> list[tuple[str, ...]]:
    """The rules that bar each of some placements, none where it is for want of a wish."""
    applicant, program = cells.index(market.applicants), cells.index(market.programs)
    pairs = [(applicant[one.applicant], program[one.program]) for one in placements]
    tables = market.tables
    declared = cells.index(tables["order_classes"]["order_class"])
    classes = [market.order_classes[c] for c in market.class_of]
    facts = read_round(tables, policy, cells.positions(classes, declared))
    wished = set(zip(market.wishes.applicant.tolist(), market.wishes.program.tolist(), strict=True))
    found: dict[tuple[int, int], tuple[str, ...]] = {}
    for adjusted in (False, True):
        kind = [pair for pair in pairs if (pair not in wished) == adjusted]
        a, p = np.array(kind, np.int64).reshape(-1, 2).T
        for at, rule, _, _ in apply_rules(Pairs(facts, a, p, adjusted)).barred if kind else ():
            found[kind[at]] = (*found.get(kind[at], ()), rule)
    return [found.get(pair, ()) for pair in pairs]
