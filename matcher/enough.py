"""What would have been enough: for an applicant a higher score, one more seat, another order of her
list; for a class more people, or a lower minimum.

Found by solving the round again and again (:mod:`matcher.whatif`), never by reasoning from a threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from . import cells
from .cells import BLANK, Int
from .changes import Choices
from .explain import FEWEST
from .market import Market
from .result import class_sizes, opened_classes
from .tables import COMPONENTS
from .whatif import Solved, one_more, whatif, workers

PROBES = 4
"""Further values that a search tries where nothing guarantees that more helps more."""


# --- the least that would have been enough


@dataclass(frozen=True, slots=True)
class Search:
    """The least of some values that would have been enough, None where none is.

    Parameters
    ----------
    value
        At it the round was solved and it is enough; at the value before it, and it is not.
    tried
        For how many values the round was solved, of all those at which something could change.
    sure
        Whether no smaller value is enough: by what the mechanism guarantees, or since all were tried.
    monotone
        False where some greater value was found not to be enough although this one is.
    """

    value: int | None
    tried: int
    sure: bool
    monotone: bool = True


def least(
    enough: Callable[[int], bool], values: Sequence[int], certain: bool = False,
    guess: int = 0, probes: int = PROBES,
) -> Search:  # fmt: skip
    """The least value that is enough, by bisection.

    Parameters
    ----------
    enough
        Solves the round for a value.
    values
        Ascending; what is before the first of them is known not to be enough.
    certain
        Whether everything above an enough value is enough, so that bisection finds the least.
    guess
        Where in ``values`` to begin.
    probes
        If not certain, so many further values are tried below the one found (or of all, if the
        last is not enough), evenly spread.
    """
    known: dict[int, bool] = {-1: False}

    def holds(at: int) -> bool:
        if at not in known:
            known[at] = enough(values[at])
        return known[at]

    def spread(below: int) -> None:
        left = [at for at in range(below) if at not in known]
        for n in range(min(probes, len(left))):
            holds(left[n * len(left) // min(probes, len(left))])

    top = len(values) - 1
    if top < 0:
        return Search(None, 0, True)
    if not holds(top):
        if not certain:
            spread(top)
        high = min((at for at, found in known.items() if found), default=-1)
    else:
        high = top
    low = -1
    for at in (guess + 1, guess, guess - 1):
        if low < at < high:
            low, high = (low, at) if holds(at) else (at, high)
    high = _bisected(holds, known, high)
    if high > 0 and not certain:
        spread(high)
        high = _bisected(holds, known, min(at for at, found in known.items() if found))
    failed = [at for at, found in known.items() if not found]
    tried = len(known) - 1
    if high < 0:
        return Search(None, tried, certain or tried == len(values))
    sure = certain or all(at in known for at in range(high))
    return Search(values[high], tried, sure, max(failed) < high)


def _bisected(holds: Callable[[int], bool], known: dict[int, bool], high: int) -> int:
    """Go down from a place that holds to one that holds while the place before it does not."""
    low = max(at for at, found in known.items() if not found and at <= high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


# --- one applicant


@dataclass(frozen=True, slots=True)
class Missed:
    """A program on somebody's list that she would rather have, and what would have placed her there.

    "Enough" means that she is placed there, or where she would rather be still.

    Parameters
    ----------
    program, rank
        The program, and her number for it.
    barred
        The rules that bar her; then nothing else is asked.
    have
        Her score, blank for none.
    score
        The least score that would have been enough, in units of ``10**-places``, raised where it
        stands: at the program, or in its channel, where it counts for other programs too.  None
        where nobody at all has a score.
    need
        That score, as people write it; blank where none is enough.
    told
        Whether it may be told to her: it speaks of the last person in some kind of seat, which at
        least :data:`matcher.explain.FEWEST` people must have, as with a cutoff.
    seat
        Whether one more seat there would have been enough, and ``others``: how many more move.
    first
        Whether her list begins with it; if so no other order can put it first.
    first_gives
        Where she would be if it did: a program, or blank for no place.
    first_change
        What that is to her by her own list: ``better``, ``worse``, ``same``; blank for no change.
    """

    program: str
    rank: int
    barred: tuple[str, ...] = ()
    have: str = ""
    score: Search | None = None
    need: str = ""
    told: bool = False
    seat: bool = False
    others: int = 0
    first: bool = False
    first_gives: str = ""
    first_change: str = ""


def of_applicant(base: Solved, applicant: str, probes: int = PROBES, jobs: int = 1) -> list[Missed]:
    """What would have placed somebody in each program that she listed and would rather have.

    Parameters
    ----------
    base
        The round.
    applicant
        Her id.
    probes
        See :func:`least`.  Raising a score is certain to help under ``stable`` and ``parallel``
        without caps and minimum sizes.
    jobs
        Processes to spread the programs over.

    Raises
    ------
    KeyError
        If there is no such applicant.

    Notes
    -----
    Only scores at which she passes somebody are tried: between two of them nothing changes.  Of the
    orders of her list only those that put a program first are: under deferred acceptance with given
    open classes no other one can do more for her there.
    """
    index = {name: at for at, name in enumerate(base.market.applicants)}
    person = _Person(base, index[applicant], probes)
    asked = person.asked()
    with workers(base, min(jobs, len(asked)), partial(_missed, i=person.i, probes=probes)) as each:
        return list(each(asked))


def _missed(base: Solved, at: int, i: int, probes: int) -> Missed:
    """What is to say of one place of an applicant's list."""
    return _Person(base, i, probes).missed(at)


class _Person:
    """One applicant, asked about."""

    def __init__(self, base: Solved, i: int, probes: int) -> None:
        self.base, self.i, self.probes = base, i, probes
        market, wishes = self.base.market, self.base.market.wishes
        self.name = market.applicants[self.i]
        mine = wishes.applicant == self.i
        self.listed: list[int] = wishes.program[mine].tolist()
        self.ranks: list[int] = wishes.rank[mine].tolist()
        self.held = int(self.base.result.matching[self.i])
        ranks = dict(zip(self.listed, self.ranks, strict=True))
        self.held_rank = ranks.get(self.held, 0)
        self.barred: dict[int, tuple[str, ...]] = {}
        for b in market.barred:
            if b.applicant == self.i:
                self.barred[b.program] = (*self.barred.get(b.program, ()), b.rule)

    def asked(self) -> list[int]:
        """The places of her list that lead where she would rather be."""
        found = []
        for at, (p, rank) in enumerate(zip(self.listed, self.ranks, strict=True)):
            if p == self.held:
                break
            if rank != self.held_rank or not self.base.result.by_rank:
                found.append(at)  # what she listed as one class is equally good there
        return found

    def missed(self, at: int) -> Missed:
        """What is to say of one program of her list."""
        market, p = self.base.market, self.listed[at]
        name, rank = market.programs[p], self.ranks[at]
        if p in self.barred:
            return Missed(name, rank, self.barred[p])
        good = set(self.listed[: at + 1])
        edge = market.edge(self.i, p)
        have = cells.unscaled(int(market.score[edge]), market.score_places)
        score = self._score(edge, good)
        need = ""
        if score is not None and score.value is not None:
            need = cells.unscaled(score.value, market.score_places)
        seat, others = self._seat(p, good)
        first = self._first_line(p)
        found = Missed(
            name,
            rank,
            (),
            have,
            score,
            need,
            self._may_be_told(p, score),
            seat,
            others,
            first is None,
        )
        if first is None:
            return found
        other = [Choices(self.name, first)]
        after = whatif(self.base.tables, self.base.policy, other, self.base)
        to = int(after.after.result.matching[self.i])
        change = next((m.change for m in after.moves if m.applicant == self.name), "")
        return replace(found, first_gives=[*market.programs, ""][to], first_change=change)

    def _seat(self, p: int, good: set[int]) -> tuple[bool, int]:
        """Whether one more seat places her there or better, and how many others move."""
        after = self.base.again(one_more(self.base.market, p))
        others = self.base.result.matching != after
        others[self.i] = False
        return int(after[self.i]) in good, int(others.sum())

    def _first_line(self, p: int) -> tuple[str, ...] | None:
        """Her list with the line that names the program put first; None where it is first."""
        market, table = self.base.market, self.base.tables["applications"]
        lines = [at for at, a in enumerate(table["applicant"]) if a == self.name]
        lines.sort(key=lambda at: int(table["rank"][at]))
        entries = [table["program"][at] for at in lines]
        names = {market.programs[p], market.order_classes[market.class_of[p]]}
        at = next(at for at, entry in enumerate(entries) if entry in names)
        return (entries[at], *entries[:at], *entries[at + 1 :]) if at else None

    def _may_be_told(self, p: int, score: Search | None) -> bool:
        """Whether the score says no more than the cutoff of seats that enough people have."""
        market, result = self.base.market, self.base.result
        if score is None or score.value is None:
            return True
        held = market.edges_of(result.matching)
        last: dict[str, list[int]] = {}
        for i in np.flatnonzero(result.matching == p):
            last.setdefault(result.seats[i], []).append(int(market.score[held[i]]))
        groups = [market.groups[g] for g in np.flatnonzero(market.member[self.i])]
        mine = [last[seat] for seat in {"open", *groups} & set(last)]
        if min(map(len, mine), default=0) >= FEWEST:
            return True
        cutoffs = {min(scores) for scores in mine if len(scores) >= FEWEST}
        return bool(cutoffs & {score.value, score.value - 1})

    # --- scores

    def _score(self, edge: int, good: set[int]) -> Search | None:
        """The least score that places her at a program, or where she would rather be."""
        market, base = self.base.market, self.base
        if (market.score == BLANK).all():
            return None
        raised = self._raised(edge)
        values = self._values(edge, raised)
        plain = not market.caps and not (market.min_size > 1).any()
        certain = plain and base.result.mechanism in ("stable", "parallel")
        at = np.flatnonzero(base.result.matching == market.program[edge])
        held = market.score[market.edges_of(base.result.matching)[at]]
        guess = int(np.searchsorted(values, int(held.min(initial=values[-1] if values else 0))))

        def enough(value: int) -> bool:
            score = market.score.copy()
            score[raised] = value
            return int(base.again(replace(market, score=score))[self.i]) in good

        found = least(enough, values, certain, guess, self.probes)
        if any("total" in rules for rules in self.barred.values()):
            return replace(found, sure=False)  # a score may lift her over a pass line elsewhere
        return found

    def _raised(self, edge: int) -> Int:
        """Her edges whose score goes up with that of one of them.

        A score stands at the program, or in its channel, where it counts for all its programs at
        which she has no score of her own.
        """
        market, table = self.base.market, self.base.tables["scores"]
        rows = [at for at, a in enumerate(table["applicant"]) if a == self.name]
        marks = ("score", *COMPONENTS)
        own = {table["program"][at] for at in rows if any(table[c][at] for c in marks)}
        channels = self.base.tables["programs"]["channel"]
        p = int(market.program[edge])
        examined = channels[p] in {table["channel"][at] for at in rows} - {""}
        if market.programs[p] in own or not examined:
            return np.array([edge])
        mine = np.arange(market.start[self.i], market.start[self.i + 1])
        inside = [
            channels[q] == channels[p] and market.programs[q] not in own
            for q in market.program[mine].tolist()
        ]
        return mine[inside]

    def _values(self, edge: int, raised: Int) -> list[int]:
        """Scores above hers that could make a difference: those of others, and one unit more."""
        market, policy = self.base.market, self.base.policy
        unit = 10**market.score_places
        rivals = np.isin(market.program, market.program[raised]) & (market.owner != self.i)
        others = np.unique(market.score[rivals & (market.score != BLANK)])
        everybody = market.score[market.score != BLANK]
        low = int(everybody.min() if policy.score_min is None else -(-policy.score_min * unit // 1))
        low = max(low, int(market.score[edge]) + 1)
        high = int(max(low, others.max(initial=low)) + 1)
        if policy.score_max is not None:
            high = int(policy.score_max * unit // 1)
        found = np.unique(np.concatenate([[low, high], others, others + 1]))
        values: list[int] = found[(found >= low) & (found <= high)].tolist()
        return values


# --- one class


@dataclass(frozen=True, slots=True)
class Opening:
    """What would have opened a class.

    Parameters
    ----------
    order_class, opened, placed, min_size
        The class, whether it opened, its people (when it was closed, if it was), its minimum.
    more
        The least number of further applicants who list the class alone and come after everybody
        else who lists it; None where the class is open.
    lower
        By how much the minimum would have had to be lower; None where the class is open, or where
        it has no minimum that could be.
    """

    order_class: str
    opened: bool
    placed: int
    min_size: int
    more: Search | None = None
    lower: Search | None = None

    @property
    def minimum(self) -> int | None:
        """The greatest minimum found at which it would have opened."""
        if self.lower is None or self.lower.value is None:
            return None
        return self.min_size - self.lower.value


def of_class(base: Solved, order_class: str, probes: int = PROBES) -> Opening:
    """What would have opened a class: more people, or a lower minimum.

    Raises
    ------
    KeyError
        If there is no such class.
    """
    market = base.market
    c = {name: at for at, name in enumerate(market.order_classes)}[order_class]
    closing = next((x for x in base.result.closings if x.order_class == c), None)
    placed = closing.placed if closing else int(class_sizes(market, base.result.matching)[c])
    size = int(market.min_size[c])
    if base.result.opened[c]:
        return Opening(order_class, True, placed, size)

    def with_more(number: int) -> bool:
        joined = _joined(market, c, number)
        return bool(opened_classes(joined, base.again(joined))[c])

    def with_lower(by: int) -> bool:
        minimum = market.min_size.copy()
        minimum[c] -= by
        lower = replace(market, min_size=minimum)
        return bool(opened_classes(lower, base.again(lower))[c])

    missing = max(0, size - placed - 1)
    more = least(with_more, range(1, max(1, size) + 1), False, missing, probes)
    lower = least(with_lower, range(1, size), False, missing, probes) if size > 1 else None
    return Opening(order_class, False, placed, size, more, lower)


def _joined(market: Market, c: int, number: int) -> Market:
    """The market with so many more people who list a class alone.

    Without a score and last in the lottery they come after everybody who lists it.
    """
    inside = np.flatnonzero(market.class_of == c)
    inside = inside[np.argsort(market.program_order[inside])]
    edges = number * len(inside)

    def more(column: Any, value: object) -> Any:
        return np.append(column, np.full(edges, value, column.dtype))

    last = [b"\xff" * 32 + n.to_bytes(4) for n in range(number)]
    ties = np.full((len(market.ties), edges), BLANK)
    return replace(
        market,
        applicants=[*market.applicants, *(f"\0{n}" for n in range(number))],
        start=np.append(market.start, market.start[-1] + len(inside) * np.arange(1, number + 1)),
        program=np.append(market.program, np.tile(inside, number)),
        rank=more(market.rank, 1),
        score=more(market.score, BLANK),
        ties=np.concatenate([market.ties, ties], axis=1),
        fit=more(market.fit, 0),
        approved=more(market.approved, False),
        relaxed=more(market.relaxed, False),
        member=np.append(market.member, np.zeros((number, len(market.groups)), bool), axis=0),
        drawn=[*market.drawn, *last],
        applied=np.append(market.applied, np.ones(number, bool)),
        greatest_rank=max(1, market.greatest_rank),
    )
