"""What a coordinator reports of a result: figures, indicators, statistics, fairness; and two compared.

Every figure is a count with its definition.  An indicator that no placement determines is present and
says ``not_enabled`` (未启用); it is never shown as 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from . import cells
from .cells import Int
from .fairness import Fairness
from .market import Bool, Market
from .policy import Policy
from .result import Result, class_sizes, placement_rows
from .tables import split

GUARANTEES: dict[str, tuple[str, ...]] = {
    "stable": ("no_justified_envy", "no_waste", "best_for_all", "honest_lists_safe"),
    "parallel": ("queue_respected", "honest_full_lists_safe"),
    "max_placement": ("no_justified_envy", "no_waste", "most_placed", "lists_not_safe"),
    "optimal": ("objective_optimal", "envy_listed", "lists_not_safe"),
}
"""What each mechanism promises, as codes."""

NOT_ENABLED = (
    "plan_completion_confirmed", "plan_completion_checked_in", "signing", "check_in", "registration",
    "attrition", "retention", "staying", "matched_employment", "workshop_hours", "core_practice",
    "seats_honoured", "equipment_sharing", "teacher_exchange", "rotation_posts", "certificates",
)  # fmt: skip
"""Indicators of later stages, which no placement determines."""

AGE_BANDS = {0: "≤17", 18: "18–24", 25: "25–34", 35: "35–44", 45: "45–54", 55: "≥55"}
"""Names of age bands by the age from which each runs."""

STATISTICS = (
    "classes", "seats", "applied", "passed", "first_applied", "placed", "placed_first",
    "placed_other", "placed_adjusted", "placed_relaxed", "opened", "not_opened", "vacant",
)  # fmt: skip
"""The columns of a row of the statistics."""

Document = dict[str, Any]


def report(
    market: Market, policy: Policy, result: Result, fairness: Fairness | None = None
) -> Document:
    """The content of ``report.json``.

    Parameters
    ----------
    market, policy, result
        A round and a result of it.
    fairness
        Its fairness, where it is known already.

    Notes
    -----
    O(edges + rows of the fairness sheet).
    """
    figures = _Figures(market, policy, result)
    fairness = fairness or Fairness(market, policy, result)
    return {
        "round": policy.round,
        "title": policy.title,
        "demo": policy.demo,
        "mechanism": result.mechanism,
        "status": result.status.value,
        "publishable": result.publishable,
        "guarantees": list(GUARANTEES[result.mechanism]) if result.publishable else [],
        "objective": dict(zip(result.components, result.objective, strict=True)),
        "applicants": len(market.applicants),
        "seats": int(market.capacity.sum()),
        "placed": int(figures.placed.sum()),
        "profile": figures.profile(),
        "groups": figures.groups(),
        "unplaced": figures.unplaced(),
        "opened": figures.opened(),
        "closed": figures.closed(),
        "indicators": [*figures.indicators(), *map(_not_enabled, NOT_ENABLED)],
        "statistics": figures.statistics(),
        "fairness": fairness_figures(market, fairness),
    }  # fmt: skip


def fairness_figures(market: Market, fairness: Fairness) -> Document:
    """The counts of a fairness sheet, and the closed classes that enough people would rather have."""
    coalitions = [
        {
            "order_class": market.order_classes[c.order_class], "min_size": c.min_size,
            "willing": c.willing, "could_take": c.could_take,
        }
        for c in fairness.coalitions()
    ]  # fmt: skip
    return {"labels": fairness.sheet.counts(), "coalitions": coalitions}


class _Figures:
    """The figures of one result."""

    def __init__(self, market: Market, policy: Policy, result: Result) -> None:
        self.market, self.policy, self.result = market, policy, result
        self.held = market.edges_of(result.matching)
        self.placed: Bool = self.held >= 0
        # Index −1, of whoever holds nothing, is the entry appended.
        self.rank: Int = np.append(market.rank, -1)[self.held]
        self.relaxed: Bool = np.append(market.relaxed, False)[self.held]
        review = market.tables["applicants"]["review"]
        self.passed: Bool = np.array([code in ("", "passed") for code in review], bool)
        self.sizes: Int = class_sizes(market, result.matching)

    def profile(self) -> dict[str, int]:
        """People by the choice they got: 1, 2, …, 0 for adjustment, and the unplaced."""
        number = {
            str(r): int((self.rank == r).sum()) for r in range(1, self.market.greatest_rank + 1)
        }
        number["0"] = int((self.rank == 0).sum())
        return number | {"unplaced": int((~self.placed).sum())}

    def groups(self) -> dict[str, dict[str, int]]:
        """People and people placed of each group."""
        member = self.market.member
        return {
            name: {
                "applicants": int(member[:, g].sum()),
                "placed": int((member[:, g] & self.placed).sum()),
            }
            for g, name in enumerate(self.market.groups)
        }

    def unplaced(self) -> dict[str, int]:
        """The unplaced by reason: not reached, all their choices barred, no choices."""
        reasons = [row[4] for row in placement_rows(self.market, self.result) if not row[1]]
        return {code: reasons.count(code) for code in ("not_reached", "barred", "no_choice")}

    def opened(self) -> list[Document]:
        """The classes that opened, in plan order."""
        seats = np.bincount(
            self.market.class_of, self.market.capacity, len(self.market.order_classes)
        )
        return [
            {
                "order_class": self.market.order_classes[c], "placed": int(self.sizes[c]),
                "seats": int(seats[c]), "min_size": int(self.market.min_size[c]),
            }
            for c in np.argsort(self.market.class_order).tolist()
            if self.result.opened[c]
        ]  # fmt: skip

    def closed(self) -> list[Document]:
        """The classes that did not open: those that were closed, in order, then the empty ones."""
        names = self.market.order_classes
        found: list[Document] = [
            {
                "order_class": names[c.order_class], "reason": "short", "step": step,
                "placed": c.placed, "min_size": c.min_size, "shortfall": c.min_size - c.placed,
            }
            for step, c in enumerate(self.result.closings, start=1)
        ]  # fmt: skip
        told = {c.order_class for c in self.result.closings}
        for c in np.argsort(self.market.class_order).tolist():
            if not self.result.opened[c] and c not in told:
                least, size = int(self.market.min_size[c]), int(self.sizes[c])
                found.append({
                    "order_class": names[c], "reason": "empty" if not size else "unsettled",
                    "step": 0, "placed": size, "min_size": least, "shortfall": max(0, least - size),
                })  # fmt: skip
        return found

    # --- indicators

    def indicators(self) -> Iterator[Document]:
        """Every indicator that a placement determines, as numerator and denominator."""
        market, placed = self.market, self.placed
        total, seats = int(placed.sum()), int(market.capacity.sum())
        listed, sound = market.applied, market.applied & self.passed
        open_programs = self.result.opened[market.class_of]
        yield _ratio("plan_completion", total, seats)
        yield _ratio("passed_per_seat", self.passed.sum(), seats)
        yield _ratio("first_choice", (self.rank == 1).sum(), sound.sum())
        yield _ratio("first_choice_share", (self.rank == 1).sum(), total)
        top = (self.rank >= 1) & (self.rank <= 3)
        yield _ratio("first_three_choices", top.sum(), listed.sum())
        yield _ratio("adjusted", (self.rank == 0).sum(), total)
        yield _ratio("unplaced", (listed & ~placed).sum(), listed.sum())
        yield _ratio("classes_opened", self.result.opened.sum(), len(market.order_classes))
        yield _ratio("classes_filled", total, market.capacity[open_programs].sum())
        if self.policy.age_rules:
            yield _ratio("relaxed_age", self.relaxed.sum(), total)
        else:
            yield _not_enabled("relaxed_age")
        yield self._of_groups(total)
        yield from self._key_industries(total)
        yield self._fit(total)
        for g, name in enumerate(market.groups):
            inside = market.member[:, g]
            numbers = (inside & placed).sum()
            yield _ratio("group_coverage", numbers, inside.sum()) | {"group": name}
            yield _ratio("group_share", numbers, total) | {"group": name}

    def _of_groups(self, total: int) -> Document:
        asked = self.policy.groups_of_interest
        if not asked or "groups" not in self.market.tables["applicants"]:
            return _not_enabled("groups_of_interest")
        wanted = [g for g, name in enumerate(self.market.groups) if name in asked]
        inside = self.market.member[:, wanted].any(axis=1)
        found = _ratio("groups_of_interest", (inside & self.placed).sum(), total)
        return found | {"groups": list(asked)}

    def _key_industries(self, total: int) -> Iterator[Document]:
        known = "industry" in self.market.tables["order_classes"]
        if not self.policy.key_industries or not known:
            yield _not_enabled("key_industry_seats")
            yield _not_enabled("key_industry_placed")
            return
        industry = _of_class(self.market, "industry")
        inside = np.array(
            [industry[c] in self.policy.key_industries for c in self.market.class_of], bool
        )
        seats = self.market.capacity
        yield _ratio("key_industry_seats", seats[inside].sum(), seats.sum())
        here = inside[self.result.matching[self.placed]]
        yield _ratio("key_industry_placed", here.sum(), total)

    def _fit(self, total: int) -> Document:
        least = self.policy.fit_threshold
        if least is None or "fit" not in self.market.tables["scores"]:
            return _not_enabled("fit")
        fitting = self.market.fit[self.held[self.placed]] >= least
        return _ratio("fit", fitting.sum(), total) | {"threshold": least}

    # --- statistics

    def statistics(self) -> Document:
        """Rows by each dimension; those of people leave the columns about plans empty, and the last
        row is the total."""
        tables = self.market.tables
        by_class = {
            name: _of_class(self.market, name)
            for name in ("college", "industry", "major", "level", "study_form")
        }
        class_of = self.market.class_of.tolist()
        rows: Document = {
            name: self._of_programs([values[c] for c in class_of])
            for name, values in by_class.items()
        }
        rows["enterprise"] = self._of_programs(tables["programs"]["enterprise"])
        site = _of_class(self.market, "district")
        rows["college_district"] = self._of_programs([site[c] for c in class_of])
        people = tables["applicants"]
        rows["group"] = self._of_people([split(cell) for cell in people["groups"]])
        rows["home_district"] = self._of_people([[v] for v in people["district"]])
        rows["sex"] = self._of_people([[v] for v in people["sex"]])
        rows["age"] = self._of_people([[band] for band in self._bands()])
        rows["total"] = self._of_programs(["total"] * len(class_of))
        return rows

    def _bands(self) -> list[str]:
        births = cells.dates(self.market.tables["applicants"]["birth_date"])
        day = int(self.policy.reference_date.replace("-", "") or 0)
        if not day:
            return [""] * len(births)
        years = ((day - births) // 10_000).tolist()
        starts = list(AGE_BANDS)
        return [
            AGE_BANDS[starts[int(np.searchsorted(starts, y, "right")) - 1]] if born else ""
            for y, born in zip(years, births.tolist(), strict=True)
        ]

    def _of_programs(self, values: Sequence[str]) -> list[Document]:
        """A row for each value of an attribute of programs."""
        code, names = cells.codes(values)
        wish, count = self.market.wishes, len(names)
        applied = _matrix(wish.applicant, code[wish.program], (len(self.placed), count))
        first = wish.rank == 1
        firsts = _matrix(wish.applicant[first], code[wish.program[first]], applied.shape)
        columns: dict[str, Int] = {
            "classes": self._classes(code, count, np.ones_like(self.result.opened)),
            "seats": np.bincount(code, self.market.capacity, count).astype(np.int64),
            "applied": applied.sum(axis=0),
            "passed": applied[self.passed].sum(axis=0),
            "first_applied": firsts.sum(axis=0),
            **self._placed(
                lambda who: np.bincount(code[self.result.matching[who]], minlength=count)
            ),
            "opened": self._classes(code, count, self.result.opened),
        }
        columns["not_opened"] = columns["classes"] - columns["opened"]
        columns["vacant"] = columns["seats"] - columns["placed"]
        return _lines(names, columns)

    def _classes(self, code: Int, count: int, among: Bool) -> Int:
        """How many classes, of those asked for, have a program of each code."""
        inside = _matrix(self.market.class_of, code, (len(among), count))
        number: Int = inside[among].sum(axis=0)
        return number

    def _of_people(self, values: Sequence[Sequence[str]]) -> list[Document]:
        """A row for each value of an attribute of people, of whom one may have several."""
        names = sorted({v for cell in values for v in cell})
        index = {name: at for at, name in enumerate(names)}
        line = [i for i, cell in enumerate(values) for _ in cell]
        entry = [index[v] for cell in values for v in cell]
        inside = _matrix(
            np.array(line, np.int64), np.array(entry, np.int64), (len(values), len(names))
        )
        first = np.zeros(len(values), bool)
        first[self.market.wishes.applicant[self.market.wishes.rank == 1]] = True
        columns: dict[str, Int] = {
            "applied": inside[self.market.applied].sum(axis=0),
            "passed": inside[self.market.applied & self.passed].sum(axis=0),
            "first_applied": inside[first].sum(axis=0),
            **self._placed(lambda who: inside[who].sum(axis=0)),
        }
        return _lines(names, columns)

    def _placed(self, count: Callable[[Bool], Int]) -> dict[str, Int]:
        """The columns about people placed, each counted in the same way."""
        return {
            "placed": count(self.placed),
            "placed_first": count(self.rank == 1),
            "placed_other": count(self.rank > 1),
            "placed_adjusted": count(self.rank == 0),
            "placed_relaxed": count(self.relaxed),
        }


def _ratio(key: str, numerator: Any, denominator: Any) -> Document:
    """An indicator; without anybody in its denominator it has no value."""
    numbers = {"numerator": int(numerator), "denominator": int(denominator)}
    return {"key": key, "status": "counted" if denominator else "nobody", **numbers}


def _not_enabled(key: str) -> Document:
    """An indicator without a source."""
    return {"key": key, "status": "not_enabled"}


def _of_class(market: Market, column: str) -> list[str]:
    """A column of the classes, blank for a program's own class."""
    given = market.tables["order_classes"][column]
    return [*given, *[""] * (len(market.order_classes) - len(given))]


def _matrix(rows: Int, columns: Int, shape: tuple[int, ...]) -> Bool:
    matrix = np.zeros(shape, bool)
    matrix[rows, columns] = True
    return matrix


def _lines(names: list[str], columns: dict[str, Int]) -> list[Document]:
    return [
        {"value": name} | {c: int(columns[c][at]) if c in columns else None for c in STATISTICS}
        for at, name in enumerate(names)
    ]


# --- two results side by side


MOVES = ("better", "worse", "same", "gained", "lost", "changed")
"""What a move may be to whoever moves."""


def compare(
    market: Market, policy: Policy, a: Result, b: Result, second: Market | None = None
) -> Document:
    """Two results side by side, and who moves from the first to the second.

    A move between programs is ``better`` or ``worse`` by the applicant's own list and tail, ``same`` if
    she gave both the same number; ``gained`` is one from no place at all, ``lost`` one to none.

    Parameters
    ----------
    market, policy
        The round.
    a, b
        Its results.
    second
        The round of the second result, where it was changed for it: the same people, programs and
        classes.  A move between programs that neither list of hers holds both of is ``changed``, as
        is one to no place where the second list is empty.
    """
    other = second or market
    moves = _moves((market, other), a, b)
    kinds = [move["change"] for move in moves]
    opened = [
        {m.order_classes[c] for c in np.flatnonzero(r.opened)} for m, r in ((market, a), (other, b))
    ]
    return {
        "results": [_summary(market, policy, a), _summary(other, policy, b)],
        "only_first_opens": sorted(opened[0] - opened[1]),
        "only_second_opens": sorted(opened[1] - opened[0]),
        "moves": {kind: kinds.count(kind) for kind in MOVES if second or kind != "changed"},
        "moved": moves,
    }


def _summary(market: Market, policy: Policy, result: Result) -> Document:
    figures = _Figures(market, policy, result)
    fairness = Fairness(market, policy, result)
    return {
        "mechanism": result.mechanism,
        "status": result.status.value,
        "objective": dict(zip(result.components, result.objective, strict=True)),
        "placed": int(figures.placed.sum()),
        "profile": figures.profile(),
        "groups": figures.groups(),
        "opened": int(result.opened.sum()),
        "closed": int((~result.opened).sum()),
        "fairness": fairness_figures(market, fairness),
    }


def _moves(markets: tuple[Market, Market], a: Result, b: Result) -> list[Document]:
    names = [*markets[0].programs, ""]
    found = []
    for i in np.flatnonzero(a.matching != b.matching).tolist():
        one, two = int(a.matching[i]), int(b.matching[i])
        change = _change(markets, i, one, two)
        move = {"applicant": markets[0].applicants[i], "from": names[one], "to": names[two]}
        found.append(move | {"change": change})
    return sorted(found, key=lambda move: str(move["applicant"]))


def _change(markets: tuple[Market, Market], i: int, one: int, two: int) -> str:
    """What it is to an applicant to go from one program to another, by the first list with both."""
    if one < 0:
        return "gained"
    if two < 0 and markets[1].start[i] < markets[1].start[i + 1]:
        return "lost"
    for market in markets:
        before, after = market.edge(i, one), market.edge(i, two)
        if before >= 0 and after >= 0:
            if market.rank[before] and market.rank[before] == market.rank[after]:
                return "same"
            return "better" if after < before else "worse"
    return "changed"
