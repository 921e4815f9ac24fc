"""Scores of pairs: final as given, or composed exactly from components by exam channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import cells
from .cells import ABSENT_MARK, BLANK, EXEMPT_MARK, Int
from .policy import Policy
from .tables import COMPONENTS, TIE, Table

INTERVIEW = COMPONENTS.index("interview")


def _places(line: Decimal | None) -> int:
    """Decimal places of a line of the policy, 0 for none."""
    return 0 if line is None else cells.decimal_places([format(line, "f")])


@dataclass(frozen=True)
class PairScores:
    """What ranks each of a number of (applicant, program) pairs, and what may bar it.

    ``score`` and the rows of ``ties`` are integers in units of ``10**-places``; a blank is
    :data:`matcher.cells.BLANK` and comes after every number.  ``absent`` is the position of the
    first weighted component missed (缺考), −1 for none; ``interview`` is the merged interview.
    """

    score: Int
    ties: Int
    fit: Int
    has_row: NDArray[np.bool_]
    absent: Int
    interview: Int


class ScoreBook:
    """All rows of ``scores.csv``, ready to be asked for pairs.

    A row for a program comes before the row for its channel, cell by cell.

    Parameters
    ----------
    table
        The table ``scores``, valid.
    applicants, programs
        Index of each id.
    channels
        Channel of each program, empty where it has none.
    policy
        For the weights, digits, declared tie-breaks and the rule for 缺考.
    """

    def __init__(
        self, table: Table, applicants: dict[str, int], programs: dict[str, int],
        channels: Sequence[str], policy: Policy,
    ) -> None:  # fmt: skip
        self.policy = policy
        self.table = table
        self.names = sorted({*table["channel"], *channels} - {""})
        known = {name: at for at, name in enumerate(self.names)}
        self.channel_of = cells.positions(channels, known)
        self._width = len(programs) + len(self.names)
        who = cells.positions(table["applicant"], applicants)
        program = cells.positions(table["program"], programs)
        channel = cells.positions(table["channel"], known)
        keys = who * self._width + np.where(program >= 0, program, len(programs) + channel)
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]
        self._programs = len(programs)

    @cached_property
    def present(self) -> list[int]:
        """Positions in ``COMPONENTS`` of the components that the table holds."""
        return [at for at, name in enumerate(COMPONENTS) if any(self.table[name])]

    @cached_property
    def places(self) -> int:
        """Decimal places of scores: enough for every final score, composite and pass line."""
        found = cells.decimal_places(self.table["score"])
        line = _places(self.policy.pass_total)
        return max(found, line, self.policy.score_digits if self.present else 0)

    @cached_property
    def component_places(self) -> int:
        """Decimal places of components and of the interview line."""
        columns = [self.table[COMPONENTS[at]] for at in self.present]
        found = [cells.decimal_places(column) for column in columns]
        return max([*found, _places(self.policy.pass_interview)])

    @cached_property
    def _components(self) -> Int:
        """Rows × components, scaled; with one more, blank row for pairs that have none."""
        columns = np.full((len(COMPONENTS), len(self.table) + 1), BLANK)
        for at in self.present:
            columns[at, :-1] = cells.scaled(self.table[COMPONENTS[at]], self.component_places)
        return columns

    @cached_property
    def tie_names(self) -> list[str]:
        """Declared tie-breaks: components named by the policy, or else the tie columns."""
        found = [c for c in self.table.columns if TIE.fullmatch(c)]
        return list(self.policy.tiebreak) or sorted(found, key=lambda c: int(c[3:]))

    @cached_property
    def tie_places(self) -> list[int]:
        """Decimal places of each tie-break."""
        if self.policy.tiebreak:
            return [self.component_places] * len(self.tie_names)
        return [cells.decimal_places(self.table[name]) for name in self.tie_names]

    @cached_property
    def _final(self) -> Int:
        return np.append(cells.scaled(self.table["score"], self.places), BLANK)

    @cached_property
    def _fits(self) -> Int:
        return np.append(cells.integers(self.table["fit"]), BLANK)

    @cached_property
    def _tie_columns(self) -> list[Int]:
        named = zip(self.tie_names, self.tie_places, strict=True)
        return [np.append(cells.scaled(self.table[n], places), BLANK) for n, places in named]

    def _find(self, keys: Int) -> Int:
        """The row that has each key; the number of rows (a blank row) where none has."""
        if not len(self._keys):
            return np.zeros(len(keys), np.int64)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[at] == keys, self._order[at], len(self._keys))

    def written(self, applicant: int, program: int, column: str) -> str:
        """A cell of one pair, merged over its rows, as it was written."""
        channel = int(self.channel_of[program])
        keys = [program, self._programs + channel] if channel >= 0 else [program]
        rows = self._find(applicant * self._width + np.array(keys))
        found = [self.table[column][at] for at in rows if at < len(self.table)]
        return next(filter(None, found), "")

    @staticmethod
    def _column(padded: Int, own: Int, common: Int) -> Int:
        """A column, with a blank row at its end, merged over both rows of each pair."""
        return np.where(padded[own] != BLANK, padded[own], padded[common])

    def of(self, a: Int, p: Int, adjusted: bool) -> PairScores:
        """The scores of pairs (applicant, program), all of them listed or all adjusted.

        Complexity: O(pairs log rows).
        """
        none = len(self.table)
        channel = self.channel_of[p]
        own = self._find(a * self._width + p)
        common = np.where(
            channel >= 0, self._find(a * self._width + self._programs + channel), none
        )
        final = self._final
        merged = self._merged(own, common)
        score = np.where(final[own] != BLANK, final[own], final[common])
        composed, absent = np.zeros(len(p), bool), np.full(len(p), -1)
        if self.present:
            composed = (final[own] == BLANK) & (
                (self._components[:, own] != BLANK).any(axis=0) | (final[common] == BLANK)
            )
            composite, absent = self._compose(merged, channel, adjusted)
            score = np.where(composed, composite, score)
            absent = np.where(composed, absent, -1)
        fit = self._column(self._fits, own, common)
        return PairScores(
            score, self._ties(own, common, merged), np.where(fit == BLANK, 0, fit),
            (own < none) | (common < none), absent, merged[INTERVIEW],
        )  # fmt: skip

    def _merged(self, own: Int, common: Int) -> Int:
        if not self.present:
            return np.broadcast_to(np.int64(BLANK), (len(COMPONENTS), len(own)))
        first = self._components[:, own]
        return np.where(first != BLANK, first, self._components[:, common])

    def _ties(self, own: Int, common: Int, merged: Int) -> Int:
        if self.policy.tiebreak:
            chosen = merged[[COMPONENTS.index(name) for name in self.policy.tiebreak]]
            zeroed = np.where(chosen == ABSENT_MARK, 0, chosen)
            return np.where(zeroed == EXEMPT_MARK, BLANK, zeroed)
        columns = [self._column(padded, own, common) for padded in self._tie_columns]
        return np.array(columns, np.int64).reshape(len(columns), len(own))

    def _compose(self, merged: Int, channel: Int, adjusted: bool) -> tuple[Int, Int]:
        r"""Composite scores and the first weighted component missed.

        .. math:: \mathrm{round}\Bigl(\sum_c w_c x_c \Big/ \sum_c w_c\Bigr)

        over the components that are not exempt, exactly, half up.
        """
        score = np.full(merged.shape[1], BLANK)
        absent = np.full(merged.shape[1], -1)
        for at, name in enumerate(self.names):
            weights = dict(self.policy.weights(name))
            here = np.flatnonzero(channel == at)
            if not weights or not len(here):
                continue
            unit = 10 ** max(-int(w.as_tuple().exponent) for w in weights.values())
            total: Any = np.zeros(len(here), object)
            weight: Any = np.zeros(len(here), object)
            blank = np.zeros(len(here), bool)
            for component, exact in reversed(weights.items()):
                position = COMPONENTS.index(component)
                value = merged[position, here]
                missed = value == ABSENT_MARK
                absent[here[missed]] = position
                out = value == EXEMPT_MARK
                if adjusted and position == INTERVIEW:
                    out |= value == BLANK
                blank |= (value == BLANK) & ~out
                share = int(exact * unit)
                counted = ~out & ~missed & (value != BLANK)
                total += np.where(counted, value, 0).astype(object) * share
                weight += np.where(out, 0, share).astype(object)
            good = ~blank & (weight > 0)
            score[here[good]] = self._round(total[good], weight[good])
        return score, absent

    def _round(self, total: Any, weight: Any) -> Any:
        digits, shift = self.policy.score_digits, self.component_places
        below = 2 * weight * 10**shift
        rounded = (2 * total * 10**digits + weight * 10**shift) // below
        return (rounded * 10 ** (self.places - digits)).astype(np.int64)
