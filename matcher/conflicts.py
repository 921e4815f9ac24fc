"""When what a round asks for cannot all be had: the smallest set of requirements that conflict, in words.

Never a bare "infeasible".  A conflict counts only where two solvers find that it cannot be kept as a
whole, and can be kept without any one of its requirements; the places that show the latter are counted
in integers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .market import Market
from .mechanisms.feasible import Feasible, Kept, SolversDisagree, fewest
from .messages import KINDS, Lang, sentence, table_name, word
from .requirements import LIMITS, Requirement, Requirements

PATIENCE = 1_000_000
"""Work, in pairs asked about and kinds compared, before a conflict is irreducible and not smallest."""


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


def find(market: Market, patience: int = PATIENCE) -> Conflict:
    """A smallest set of requirements that no placement keeps.

    Parameters
    ----------
    market
        A round, before or after its draw: the lottery has no part in this.
    patience
        How long to look for the smallest; with 0 the conflict is irreducible.

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
    return _Search(Requirements(market), patience).conflict()


class _Search:
    def __init__(self, requirements: Requirements, patience: int) -> None:
        self.stated = requirements.stated
        self.patience = patience
        self.solver = Feasible(requirements)
        self.kinds = _alike(requirements)
        self.kind = {r: at for at, kind in enumerate(self.kinds) for r in kind}
        self.reached: list[list[int]] = []

    def conflict(self) -> Conflict:
        found = self._ask(self.stated)
        if found is None:
            return Conflict(())
        found, smallest = self._smallest(self._shrunk(self._narrow() or found))
        self._recheck(found)
        return Conflict(tuple(r for r in self.stated if r in found), smallest)

    def _ask(self, kept: Collection[Requirement]) -> Kept | None:
        """What of these requirements conflicts; None where places keep them all."""
        answer = self.solver.highs(kept)
        return None if answer.places is not None else answer.conflict

    def _shrunk(self, found: Kept) -> Kept:
        """Irreducible, by deletion of halves, quarters, …; classes first, confirmed people last."""
        left = [r for r in self.stated if r in found]
        left.sort(key=lambda r: r.code == "confirmed")
        size = len(left)
        while size := size // 2:
            left = [r for r in left if r in found]
            for at in range(0, len(left), size):
                if (without := self._ask(found.difference(left[at : at + size]))) is not None:
                    found = without
        return found

    def _count(self, kept: Collection[Requirement]) -> list[int]:
        """How many of each kind."""
        number = Counter(self.kind[r] for r in kept)
        return [number[at] for at in range(len(self.kinds))]

    def _first(self, counts: Sequence[int]) -> Kept:
        """So many of each kind, the first ones."""
        some = zip(self.kinds, counts, strict=True)
        return frozenset(r for kind, count in some for r in kind[:count])

    def _smallest(self, found: Kept) -> tuple[Kept, bool]:
        """The smallest conflict, or the one found and that it may not be."""
        found = self._first(self._count(found))
        if len(found) <= 2:
            return self._narrow(frozenset()) or found, True
        sizes = [len(kind) for kind in self.kinds]
        while self.solver.asked < self.patience:
            self.solver.asked += len(sizes) * len(self.reached)
            counts = fewest(sizes, self.reached)
            chosen = self._first(counts)
            if len(chosen) == len(found):
                return found, True
            if self._ask(chosen) is not None:
                return chosen, True
            self.reached.append(self._count(self._grown(chosen)))
        return found, False

    def _narrow(self, limits: Kept | None = None) -> Kept | None:
        """A conflict of one class or reserve alone with limits, by default with all; or None."""
        if limits is None:
            limits = frozenset(r for r in self.stated if r.code in LIMITS)
        asking = (r for r in self.stated if r.code in ("must_open", "must_fill"))
        return next(filter(None, (self._ask(limits | {r}) for r in asking)), None)

    def _grown(self, held: Kept) -> Kept:
        """A great satisfiable set that holds a satisfiable one."""
        whole = frozenset(self.stated)
        while (answer := self.solver.highs(whole, held)).places is None:
            whole -= answer.aside
        return whole

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

    Two people are alike who are confirmed at one program, could be in the same ones of those that ask
    for people beside them, and hold the same groups.
    """
    m = requirements.market
    classes = {r.at[0] for r in requirements.stated if r.code in ("must_open", "min_size")}
    asking = {p for p, c in enumerate(m.class_of.tolist()) if c in classes}
    asking |= {m.reserves[r.at[0]].program for r in requirements.stated if r.code == "must_fill"}
    others = defaultdict(list)
    for i, p in sorted(requirements.edges):
        if p in asking:
            others[i].append(p)
    groups = sorted({r.group for r in m.reserves})
    places = Counter(i for i, _ in requirements.confirmed)
    kinds: dict[Hashable, list[Requirement]] = defaultdict(list)
    for r in requirements.stated:
        key: Hashable = r
        if r.code == "confirmed" and r.at in requirements.edges and places[r.at[0]] == 1:
            i, p = r.at
            key = (p, tuple(others[i]), m.member[i, groups].tobytes())
        kinds[key].append(r)
    return list(kinds.values())


def explain(conflict: Conflict, lang: Lang) -> Iterator[str]:
    """What conflicts: a heading, a line for each requirement and how to mend it, and what then.

    People who are confirmed at one program share a line.
    """
    if not conflict:
        yield sentence("conflict.none", lang)
        return
    size = len(conflict.requirements)
    how = "alone" if size == 1 else "smallest" if conflict.smallest else "irreducible"
    yield sentence(f"conflict.{how}", lang, n=size)
    lines: dict[Hashable, list[Requirement]] = defaultdict(list)
    for r in conflict.requirements:
        lines[r.code, r.at[1] if r.code == "confirmed" else r.at].append(r)
    number = 0
    for alike in lines.values():
        first, number = number + 1, number + len(alike)
        label = f"{first}" if first == number else f"{first}–{number}"
        yield f"{label}. {_place(alike, lang)}{_said(alike, lang)}"
    yield sentence("conflict.then", lang)


def _place(alike: Sequence[Requirement], lang: Lang) -> str:
    table = alike[0].table
    if not table:
        return ""
    rows = _listed((r.row for r in alike if r.row), lang)
    code = "conflict.row" if rows else "conflict.table"
    return sentence(code, lang, table=table_name(table, lang), row=rows)


def _said(alike: Sequence[Requirement], lang: Lang) -> str:
    numbers: dict[str, object] = dict(alike[0].numbers)
    if len(alike) > 1:
        numbers["applicant"] = _listed((r.numbers["applicant"] for r in alike), lang)
    kinds = {"group": "group", "rule": "rule"}
    if kind := KINDS.get(f"barred_{numbers.get('rule')}", {}).get("value"):
        kinds |= {"value": kind, "limit": kind}
    for name in kinds.keys() & numbers.keys():
        numbers[name] = word(kinds[name], str(numbers[name]), lang)
    said = {k: f"{v:,}" if isinstance(v, int) else v or "—" for k, v in numbers.items()}
    return sentence(f"conflict.{alike[0].code}", lang, **said)


def _listed(things: Iterable[object], lang: Lang) -> str:
    return ("、" if lang == "zh" else ", ").join(map(str, things))
