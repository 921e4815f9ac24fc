"""Why this person is where she is, and why not where she would rather be.

Codes and numbers, never sentences (those are in :mod:`matcher.messages`), and never a solver: the
thresholds of a result say it all.  The numbers are about the person herself, the cutoff and the cause,
never about who else; a cutoff that fewer than five people make is not told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from . import cells
from .cells import BLANK, Int
from .market import Cap, Market, crossing
from .objective import components
from .policy import Policy
from .result import Closing, Result, Threshold, placement_rows
from .tables import TIE

FEWEST = 5
"""A cutoff is told only where at least so many people were chosen."""

_CAPPED = {
    "below_score": "cap_score",
    "below_unscored": "cap_unscored",
    "below_tie": "cap_tie",
    "below_lottery": "cap_lottery",
}
"""What is said instead of each comparison where not the program is full, but a cap over it."""

_LOSSES = {
    "confirmed": "price_confirmed",
    "unmoved": "price_unmoved",
    "placed": "price_placed",
    "reserves": "price_reserves",
    "rank": "price_rank",
    "fit": "price_fit",
}
"""What is said of a price by the component in which it is paid; for one rank, ``price_rank_fewer`` or, where
the fewer are the better, ``price_rank_more``."""

_OUTCOMES = {"barred": "all_barred", "no_choice": "no_choice", "not_reached": "not_reached"}


@dataclass(frozen=True, slots=True)
class Reason:
    """A code, the program that it speaks of (if one), and its numbers."""

    code: str
    program: str = ""
    numbers: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What became of one applicant, and why.

    Parameters
    ----------
    applicant
        Her id.
    outcome
        Where she was placed and as which choice, or why nowhere.
    reasons
        What there is to say of her placement, then, in the order of her list, of every program that
        she would rather have or that the law barred, last of adjustment.
    """

    applicant: str
    outcome: Reason
    reasons: tuple[Reason, ...]

    def to_json(self) -> str:
        """One line of ``reasons.jsonl``."""
        entries = [
            {"code": r.code, "program": r.program, "numbers": r.numbers}
            for r in (self.outcome, *self.reasons)
        ]
        document = {"applicant": self.applicant, "outcome": entries[0], "reasons": entries[1:]}
        return json.dumps(document, ensure_ascii=False)


def explain(
    market: Market, policy: Policy, result: Result, applicant: str | None = None
) -> Iterator[Explanation]:
    """The explanation of every applicant, by id; or of one.

    Parameters
    ----------
    market, policy, result
        A round and a result of it.
    applicant
        Only this person.

    Raises
    ------
    KeyError
        If there is no such applicant.

    Notes
    -----
    O(edges): each reason is read off a threshold.
    """
    reader = _Reader(market, policy, result)
    if applicant is not None:
        yield reader.explanation(reader.index[applicant])
        return
    for i in sorted(range(len(market.applicants)), key=market.applicants.__getitem__):
        yield reader.explanation(i)


@dataclass(frozen=True, slots=True)
class _Stage:
    """A threshold, the group that its seats are for (−1 for all), and whether it may be told."""

    threshold: Threshold
    group: int
    told: bool


def _label(threshold: Threshold) -> str:
    """What the seats of a stage are called in the placements."""
    return threshold.stage.partition(":")[2] or "open"


class _Reader:
    """Reads one result aloud."""

    def __init__(self, market: Market, policy: Policy, result: Result) -> None:
        self.market, self.policy, self.result = market, policy, result
        self.index = {name: at for at, name in enumerate(market.applicants)}
        self.held: list[int] = market.edges_of(result.matching).tolist()
        self.missed = {row[0]: row[4] for row in placement_rows(market, result) if not row[1]}
        self.closed = {c.order_class: (step, c) for step, c in enumerate(result.closings, start=1)}
        self.program: list[int] = market.program.tolist()
        self.rank: list[int] = market.rank.tolist()
        self.start: list[int] = market.start.tolist()
        self.priced = result.mechanism == "optimal"
        self.exact = policy.closure == "exact" and not self.priced
        self.reach = {c: market.reach(c) for c in self.closed if self.exact}

    @cached_property
    def wanted(self) -> Int:
        """The edges that lead where their owner would rather be."""
        return np.flatnonzero(self.market.preferred(self.result.matching, self.result.by_rank))

    @cached_property
    def standing(self) -> Int:
        """Per edge, the place among all who hold the program's seats or would rather; from 1.

        Where ties are kept, equal people share the first of their places.
        """
        market = self.market
        priority = market.level if self.result.keeps_ties else market.place
        held = np.array(self.held, np.int64)
        rivals = np.concatenate([self.wanted, held[held >= 0]])
        order = np.lexsort((priority[rivals], market.program[rivals]))
        rivals = rivals[order]
        program, priority = market.program[rivals], priority[rivals]
        first = np.searchsorted(program, np.arange(len(market.programs) + 1))
        equal = (np.diff(program, prepend=-1) == 0) & (np.diff(priority, prepend=-1) == 0)
        begin = np.maximum.accumulate(np.where(equal, 0, np.arange(len(rivals))))
        standing = np.zeros(len(market.program), np.int64)
        standing[rivals] = begin + 1 - first[program]
        return standing

    @cached_property
    def stages(self) -> dict[int, list[_Stage]]:
        """The stages of every open program."""
        market, result = self.market, self.result
        labels: dict[tuple[int, str], int] = {}
        for p, seat in zip(result.matching.tolist(), result.seats, strict=True):
            labels[p, seat] = labels.get((p, seat), 0) + 1
        by_program: dict[int, list[Threshold]] = {}
        for threshold in result.thresholds:
            by_program.setdefault(threshold.program, []).append(threshold)
        group = {name: at for at, name in enumerate(market.groups)}
        stages: dict[int, list[_Stage]] = {}
        for p, found in by_program.items():
            marked = [t for t in found if t.last >= 0]
            for t in found:
                others = [o for o in marked if o is not t and _label(o) == _label(t)]
                people = self._chosen(t, labels.get((p, _label(t)), 0), others)
                at = group.get(_label(t), -1) if ":" in t.stage else -1
                stage = _Stage(t, at, t.last >= 0 and people >= FEWEST)
                stages.setdefault(p, []).append(stage)
        return stages

    @cached_property
    def _seats(self) -> dict[tuple[int, str], int]:
        """Seats of each stage of each program, the last open one apart."""
        market = self.market
        seats = {(p, "open_first"): q for p, q in enumerate(market.capacity.tolist())}
        for r in market.reserves:
            kind = "hard" if r.hard else "soft"
            seats[r.program, f"{kind}:{market.groups[r.group]}"] = r.seats
            seats[r.program, "open_first"] -= r.seats
        return seats

    def _chosen(self, t: Threshold, labelled: int, others: list[Threshold]) -> int:
        """How many were chosen in a stage at least, if others share the label of its seats."""
        if others and t.stage != "open" and t.state == "full":
            return self._seats[t.program, t.stage]
        return labelled - sum(self._seats.get((o.program, o.stage), labelled) for o in others)

    @cached_property
    def barred(self) -> dict[int, list[tuple[int, int, list[tuple[str, str, str]]]]]:
        """Per applicant her barred pairs: (rank, program, rules with value and limit)."""
        market = self.market
        listed = market.wishes
        width = len(market.programs)
        number = dict(
            zip(
                (listed.applicant * width + listed.program).tolist(),
                listed.rank.tolist(),
                strict=True,
            )
        )
        rules: dict[tuple[int, int], list[tuple[str, str, str]]] = {}
        for b in market.barred:
            rules.setdefault((b.applicant, b.program), []).append((b.rule, b.value, b.limit))
        found: dict[int, list[tuple[int, int, list[tuple[str, str, str]]]]] = {}
        for (i, p), broken in rules.items():
            found.setdefault(i, []).append((number[i * width + p], p, broken))
        return found

    def explanation(self, i: int) -> Explanation:
        """Everything there is to say to one applicant."""
        held = self.held[i]
        low, high = self.start[i], self.start[i + 1]
        lines: list[tuple[int, int, list[Reason]]] = []
        tail = 0
        for edge in range(low, high if held < 0 else held):
            same = held >= 0 and self.rank[edge] and self.rank[edge] == self.rank[held]
            if same and self.result.by_rank:
                continue  # listed as one class, so equally good
            if self.rank[edge]:
                lines.append((self.rank[edge], self.program[edge], self._missed(i, edge)))
            else:
                tail += 1
        for rank, p, broken in self.barred.get(i, ()):
            reasons = [
                self._reason(f"barred_{rule}", p, rank=rank, value=value, limit=limit)
                for rule, value, limit in broken
            ]
            lines.append((rank, p, reasons))
        order = self.market.program_order
        lines.sort(key=lambda line: (line[0], order[line[1]]))
        reasons = [reason for line in lines for reason in line[2]]
        return Explanation(
            self.market.applicants[i],
            self._outcome(i, held),
            (*self._notes(held), *reasons, *self._adjustment(i, held, tail)),
        )

    def _reason(self, code: str, p: int, **numbers: str | int) -> Reason:
        return Reason(code, self.market.programs[p], numbers)

    def _outcome(self, i: int, held: int) -> Reason:
        if held < 0:
            return Reason(_OUTCOMES[self.missed[self.market.applicants[i]]])
        p, rank = self.program[held], self.rank[held]
        numbers: dict[str, str | int] = {
            "seat": self.result.seats[i],
            "standing": int(self.standing[held]),
            "capacity": int(self.market.capacity[p]),
        }
        if not rank:
            return self._reason("placed_adjusted", p, **numbers)
        return self._reason("placed_choice", p, rank=rank, **numbers)

    def _notes(self, held: int) -> Iterator[Reason]:
        """By which exception she was placed."""
        if held >= 0 and self.market.approved[held]:
            yield self._reason("by_approval", self.program[held])
        elif held >= 0 and self.market.relaxed[held]:
            yield self._reason("by_relaxed", self.program[held])

    def _missed(self, i: int, edge: int) -> list[Reason]:
        """Why she does not have a program that she listed and prefers."""
        p = self.program[edge]
        c = int(self.market.class_of[p])
        if c in self.closed:
            return [self._closed(edge, *self.closed[c])]
        if c in self.unopened:
            name, least = self.market.order_classes[c], int(self.market.min_size[c])
            return [
                self._reason(
                    "class_unopened", p, rank=self.rank[edge], order_class=name, min_size=least
                )
            ]
        mine = [s for s in self.stages.get(p, ()) if s.group < 0 or self.market.member[i, s.group]]
        if self.priced:
            return [self._price(i, edge, mine)]
        return [self._below(edge, mine)]

    def _closed(self, edge: int, step: int, closing: Closing) -> Reason:
        """Why the class of a program was closed; under exact closing, what reopening it would do."""
        names = self.market.order_classes
        own: dict[str, str | int] = {
            "rank": self.rank[edge], "order_class": names[closing.order_class],
            "placed": closing.placed, "min_size": closing.min_size,
        }  # fmt: skip
        p = self.program[edge]
        if self.reach.get(closing.order_class, closing.min_size) < closing.min_size:
            own["placed"] = self.reach[closing.order_class]
            return self._reason("class_few", p, **own)
        if closing.saves:
            return self._reason(
                "class_saves", p, **own, others=";".join(map(names.__getitem__, closing.saves))
            )
        own["shortfall"] = closing.shortfall
        if self.exact:
            return self._reason("class_alone", p, **own)
        return self._reason("class_closed", p, **own, step=step)

    def _below(self, edge: int, mine: list[_Stage]) -> Reason:
        """How she compares with the last person in the stage of hers that she came nearest to.

        Where a full cap cuts a stage of hers, that is the cause: the program itself is not full.
        """
        p, market = self.program[edge], self.market
        cut = [s for s in mine if s.threshold.cap >= 0]
        marked = [s for s in cut or mine if s.threshold.last >= 0]
        told = [s for s in marked if s.told]
        own: dict[str, str | int] = {
            "rank": self.rank[edge],
            "score": self._score(edge),
            "lottery": int(market.lottery[market.owner[edge]]) + 1,
            "standing": int(self.standing[edge]),
            "capacity": int(market.capacity[p]),
        }
        if cut:
            cap = market.caps[(told or cut)[0].threshold.cap]
            full: dict[str, str | int] = {"cap": cap.name, "seats": cap.seats}
            if not told:
                return self._reason("cap_full", p, rank=self.rank[edge], **full)
            own |= full
        if not told:
            unscored = market.score[edge] == BLANK
            few = "below_few_unscored" if unscored else "below_few"
            if self.result.keeps_ties:
                few = "full_few_unscored" if unscored else "full_few"
            return self._reason(few if marked else "no_seat", p, **own)
        nearest = max(told, key=lambda s: int(market.place[s.threshold.last])).threshold
        below = self._compared(edge, nearest.last, own | {"seat": _label(nearest)})
        return replace(below, code=_CAPPED[below.code]) if cut else below

    def _compared(self, edge: int, last: int, own: dict[str, str | int]) -> Reason:
        """The first of score, declared tie-breaks and lottery by which she comes after another."""
        p, market = self.program[edge], self.market
        own |= {"last_score": self._score(last)}
        if not self.result.keeps_ties:
            own |= {"last_lottery": int(market.lottery[market.owner[last]]) + 1}
        if market.score[edge] != market.score[last]:
            code = "below_unscored" if market.score[edge] == BLANK else "below_score"
            return self._reason(code, p, **own)
        for number, name in enumerate(self._tie_names()):
            mine, other = (int(market.ties[number, e]) for e in (edge, last))
            if mine != other:
                places = market.tie_places[number]
                own |= {"tie": name, "value": cells.unscaled(mine, places)}
                own |= {"last_value": cells.unscaled(other, places)}
                return self._reason("below_tie", p, **own)
        if self.result.keeps_ties:
            code = "tied_unscored" if market.score[edge] == BLANK else "tied"
            return self._reason(code, p, **own)
        return self._reason("below_lottery", p, **own)

    def _score(self, edge: int) -> str:
        return cells.unscaled(int(self.market.score[edge]), self.market.score_places)

    def _tie_names(self) -> list[str]:
        found = [c for c in self.market.tables["scores"].columns if TIE.fullmatch(c)]
        return list(self.policy.tiebreak) or sorted(found, key=lambda c: int(c[3:]))

    # --- the mechanism that optimises

    @cached_property
    def _worth(self) -> list[tuple[str, Int]]:
        """The components of the objective that prices speak of, lottery apart, per edge."""
        earlier = self.result.earlier
        first = earlier.components(self.market) if earlier else []
        return [(c.name, c.worth) for c in [*first, *components(self.market, self.policy)]]

    @cached_property
    def unopened(self) -> set[int]:
        """Under ``optimal``, the classes that the best plan does without, though they have a minimum."""
        conditional = (self.market.min_size > 1) | self.market.must_open
        return (
            set(np.flatnonzero(conditional & ~self.result.opened).tolist())
            if self.priced
            else set()
        )

    @cached_property
    def _given(self) -> str:
        """What a price takes as given: nothing, or which classes open; ``crossing`` if there is none.

        Caps, and open classes with a minimum, have prices together only where no two of them cross.
        """
        market = self.market
        conditional = (market.min_size > 1) | market.must_open
        if not conditional.any() and not market.caps:
            return "nothing"
        classes = [
            Cap(f"class {c}", 0, tuple(np.flatnonzero(market.class_of == c).tolist()))
            for c in np.flatnonzero(conditional & self.result.opened).tolist()
        ]
        if crossing([*market.caps, *classes]):
            return "crossing"
        return "classes" if conditional.any() else "nothing"

    def _price(self, i: int, edge: int, mine: list[_Stage]) -> Reason:
        """What placing her there would cost the round at least, in the order of the objective.

        With costs :math:`c` and prices :math:`\\pi` (optimal potentials) every plan that uses the
        edge :math:`e` instead of her own :math:`h`, with the same classes open, is worse,
        lexicographically, by at least :math:`c_e + \\pi_e - c_h - \\pi_h`, which may be nothing
        although the loss is something.
        """
        p = self.program[edge]
        own: dict[str, str | int] = {"rank": self.rank[edge]}
        if self._given == "crossing":
            return self._reason("price_none", p, **own)
        prices = [s.threshold.price for s in mine if s.threshold.price is not None]
        if not prices:
            return self._reason("no_seat", p, **own)
        size = min(len(self._worth), *map(len, prices))
        here = self._cost(edge, min(prices), size)
        now = self._cost(self.held[i], self._paid(i), size)
        loss = {
            name: a - b for (name, _), a, b in zip(self._worth, here, now, strict=False) if a != b
        }
        if not loss:
            return self._reason("price_even", p, **own)
        first = next(iter(loss))
        costs = {f"cost_{name}": value for name, value in loss.items()}
        kind, _, number = first.partition("_")
        code = _LOSSES[kind]
        if number:
            own["number"] = number
            code = "price_rank_more" if self.policy.rank == "generous" else "price_rank_fewer"
        return self._reason(code, p, **own, given=self._given, loss=loss[first], **costs)

    def _cost(self, edge: int, price: tuple[int, ...], size: int) -> list[int]:
        if edge < 0:
            return [0] * size
        worth = [int(w[edge]) for _, w in self._worth[:size]]
        return [paid - w for paid, w in zip(price, worth, strict=False)]

    def _paid(self, i: int) -> tuple[int, ...]:
        """The price of the seat that she has."""
        seat, p = self.result.seats[i], int(self.result.matching[i])
        return max(
            (
                s.threshold.price
                for s in self.stages.get(p, ())
                if _label(s.threshold) == seat and s.threshold.price is not None
            ),
            default=(0,) * len(self.result.components),
        )

    # --- adjustment

    @cached_property
    def _causes(self) -> tuple[list[bool], list[bool]]:
        """Per program, whether its class is closed, and whether a full cap cuts it."""
        closed = [int(c) in self.closed for c in self.market.class_of]
        capped = [False] * len(closed)
        for t in self.result.thresholds:
            capped[t.program] |= t.state == "cut"
        return closed, capped

    def _adjustment(self, i: int, held: int, tail: int) -> Iterator[Reason]:
        """What became of her consent to adjustment, where her list was exhausted."""
        if held >= 0 and self.rank[held]:
            return
        people = self.market.tables["applicants"]
        scope = people["adjustment"][i]
        if people["review"][i] not in ("", "passed"):
            return  # no consent would have helped
        if held >= 0 and not tail:
            return
        if held >= 0:
            yield Reason("tail_passed", "", {"scope": scope, "considered": tail})
        elif scope in ("", "none"):
            yield Reason("no_consent")
        elif not tail:
            yield Reason("tail_empty", "", {"scope": scope})
        elif self.priced:
            yield Reason("tail_outweighed", "", {"scope": scope, "considered": tail})
        else:
            closed, capped = self._causes
            programs = self.program[self.start[i + 1] - tail : self.start[i + 1]]
            shut = sum(closed[p] for p in programs)
            cut = sum(capped[p] and not closed[p] for p in programs)
            numbers: dict[str, str | int] = {"scope": scope, "considered": tail}
            numbers |= {"full": tail - shut - cut, "closed": shut, "cap": cut}
            yield Reason("tail_exhausted", "", numbers)
