"""When what a round asks for cannot all be had: the smallest set of requirements that conflict, in words.

Never a bare "infeasible".  A conflict counts only where two solvers find that it cannot be kept as a
whole, and can be kept without any one of its requirements; the places that show the latter are counted
in integers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .market import Market
from .mechanisms.feasible import Feasible, Kept, fewest
from .messages import Lang, sentence, table_name, word
from .requirements import Requirement, Requirements

ROUNDS = 100
"""Candidates that are tried before a conflict is called irreducible rather than smallest."""


class SolversDisagree(ArithmeticError):
    """One solver finds a conflict where the other finds places: nothing is said of the round."""


@dataclass(frozen=True)
class Conflict:
    """Requirements of which each is needed: without any one of them the others can all be kept.

    ``smallest`` says that no conflict of the round has fewer; otherwise it is only irreducible.
    Without requirements there is no conflict.
    """

    requirements: tuple[Requirement, ...]
    smallest: bool = True

    def __bool__(self) -> bool:
        return bool(self.requirements)


def find(market: Market, rounds: int = ROUNDS) -> Conflict:
    """A smallest set of requirements that no placement keeps.

    Parameters
    ----------
    market
        A round, before or after its draw: the lottery has no part in this.
    rounds
        Candidates to try in the search for the smallest; with 0 the conflict is irreducible.

    Raises
    ------
    SolversDisagree
        If the two solvers contradict each other.

    Notes
    -----
    The prices of a linear program name a first conflict, and deletion makes it irreducible (Chinneck,
    Feasibility and Infeasibility in Optimization, doi 10.1007/978-0-387-74932-7).  Then implicit
    hitting sets (Ignatiev, Previti, Liffiton & Marques-Silva, CP 2015, doi
    10.1007/978-3-319-23219-5_13): the smallest set that no known satisfiable set contains is either a
    conflict, and no other is smaller, or is grown to one more satisfiable set.  Requirements that can
    be exchanged for each other, as people confirmed alike, are counted and not told apart.
    """
    return _Search(Requirements(market)).conflict(rounds)


class _Search:
    def __init__(self, requirements: Requirements) -> None:
        self.requirements = requirements
        self.stated = requirements.stated
        self.solver = Feasible(requirements)
        self.kinds = _alike(requirements)
        self.kind = {r: at for at, kind in enumerate(self.kinds) for r in kind}
        self.order = {r: at for at, r in enumerate(self.stated)}
        self.reached: list[list[int]] = []

    def conflict(self, rounds: int) -> Conflict:
        found = self._ask(self.stated)
        if found is None:
            return Conflict(())
        found, smallest = self._smallest(self._shrunk(found), rounds)
        found = self._first(self._count(found))
        self._recheck(found)
        return Conflict(tuple(r for r in self.stated if r in found), smallest)

    def _ask(self, kept: Collection[Requirement]) -> Kept | None:
        """What of these requirements conflicts; None where places keep them all."""
        counts = self._count(kept)
        if any(all(map(int.__le__, counts, vector)) for vector in self.reached):
            return None
        answer = self.solver.highs(kept)
        return None if answer.places is not None else answer.conflict

    def _count(self, kept: Collection[Requirement]) -> list[int]:
        """How many of each kind."""
        number = Counter(self.kind[r] for r in kept)
        return [number[at] for at in range(len(self.kinds))]

    def _first(self, counts: Sequence[int]) -> Kept:
        """So many of each kind, the first ones."""
        some = zip(self.kinds, counts, strict=True)
        return frozenset(r for kind, count in some for r in kind[:count])

    def _shrunk(self, found: Kept) -> Kept:
        """Irreducible, by deletion: what is not needed goes."""
        for r in self.stated:
            if r in found and (without := self._ask(found - {r})) is not None:
                found = without
        return found

    def _smallest(self, found: Kept, rounds: int) -> tuple[Kept, bool]:
        sizes = [len(kind) for kind in self.kinds]
        for _ in range(rounds):
            counts = fewest(sizes, self.reached)
            if sum(counts) == len(found):
                return found, True
            chosen = self._first(counts)
            if self._ask(chosen) is not None:
                return chosen, True
            self.reached.append(self._count(self._grown(chosen)))
        return found, False

    def _grown(self, held: Kept) -> Kept:
        """A satisfiable set that holds a satisfiable one, and cannot hold more."""
        left_out = []
        whole = set(self.stated)
        while (found := self._ask(whole)) is not None:
            last = max((r for r in found if r not in held), key=self.order.__getitem__)
            whole.remove(last)
            left_out.append(last)
        for r in left_out:
            if self._ask(whole | {r}) is None:
                whole.add(r)
        return frozenset(whole)

    def _recheck(self, found: Kept) -> None:
        """Both solvers: the whole cannot be kept, and without any one of it the rest can."""
        for solver in (self.solver.highs, self.solver.cp_sat):
            if solver(found).places is not None:
                raise SolversDisagree
            for r in {self.kind[r]: r for r in found}.values():
                if solver(found - {r}).places is None:
                    raise SolversDisagree


def _alike(requirements: Requirements) -> list[list[Requirement]]:
    """The requirements by kind: those of a kind can be exchanged for each other.

    Two people are alike who are confirmed at one program, could be in the same other ones and hold the
    same groups.
    """
    m = requirements.market
    others = defaultdict(list)
    for i, p in sorted(requirements.edges):
        others[i].append(p)
    groups = sorted({r.group for r in m.reserves})
    confirmed = Counter(requirements.person[i] for i, _ in requirements.confirmed)
    applicants = Counter(requirements.person)
    kinds: dict[Hashable, list[Requirement]] = defaultdict(list)
    for r in requirements.stated:
        key: Hashable = r
        if r.code == "confirmed":
            i, p = r.at
            who = requirements.person[i]
            if (i, p) in requirements.edges and confirmed[who] == applicants[who] == 1:
                key = (p, tuple(others[i]), m.member[i, groups].tobytes())
        kinds[key].append(r)
    return list(kinds.values())


def explain(conflict: Conflict, lang: Lang) -> Iterator[str]:
    """What conflicts: a heading, a line for each requirement and how to mend it, and what then."""
    if not conflict:
        yield sentence("conflict.none", lang)
        return
    size = len(conflict.requirements)
    how = "alone" if size == 1 else "smallest" if conflict.smallest else "irreducible"
    yield sentence(f"conflict.{how}", lang, n=size)
    for number, r in enumerate(conflict.requirements, start=1):
        yield f"{number}. {_place(r, lang)}{_said(r, lang)}"
    yield sentence("conflict.then", lang)


def _place(r: Requirement, lang: Lang) -> str:
    if not r.table:
        return ""
    code = "conflict.row" if r.row else "conflict.table"
    return sentence(code, lang, table=table_name(r.table, lang), row=r.row)


def _said(r: Requirement, lang: Lang) -> str:
    numbers: dict[str, object] = dict(r.numbers)
    if "group" in numbers:
        numbers["group"] = word("group", str(numbers["group"]), lang)
    if "rule" in numbers:
        numbers["rule"] = word("rule", str(numbers["rule"]), lang)
    numbers = {k: f"{v:,}" if isinstance(v, int) else v or "—" for k, v in numbers.items()}
    again = r.code == "confirmed" and numbers["person"] != numbers["applicant"]
    return sentence(f"conflict.{'confirmed_person' if again else r.code}", lang, **numbers)
