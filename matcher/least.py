"""The least of some values that is enough, and how sure that is: each question costs a solve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

TRIES = 200
"""Solves that a search makes at most."""

PROBES = 4
"""Further values that a search tries that cannot try all."""


@dataclass(frozen=True, slots=True)
class Search:
    """The least of some values that would have been enough, None where none is.

    Parameters
    ----------
    value
        At it the round was solved and it is enough; at what comes before it, and it is not.
    tried
        For how many values the round was solved.
    sure
        Whether no smaller value is enough (none at all, if there is no value): by what the mechanism
        guarantees, or since all were tried at which anything could differ.
    monotone
        Whether it is guaranteed that every greater value is enough too.
    """

    value: int | None
    tried: int
    sure: bool
    monotone: bool = False


def least(
    enough: Callable[[int], bool], values: Sequence[int], monotone: bool = False,
    tries: int = TRIES, guess: int = 0,
) -> Search:  # fmt: skip
    """The least value that is enough.

    Parameters
    ----------
    enough
        Solves the round for a value.
    values
        Ascending, all at which anything could differ; what is before the first is not enough.
    monotone
        Whether everything above an enough value is enough.  Then bisection finds the least; else all
        are tried from the first one up, or, if these are too many, bisection finds one of which
        nobody can say that it is the least.
    tries
        How many values are tried at most.
    guess
        Where in ``values`` bisection begins.
    """
    if not monotone and len(values) <= tries:
        found = next((at for at, value in enumerate(values) if enough(value)), None)
        if found is None:
            return Search(None, len(values), True)
        return Search(values[found], found + 1, True)
    return _Bisection(enough, values, monotone, tries).search(guess)


class _Spent(Exception):
    """No more values may be tried."""


class _Bisection:
    """A search by halving, in which every value is tried at most once."""

    def __init__(
        self, enough: Callable[[int], bool], values: Sequence[int], monotone: bool, tries: int
    ):
        self.enough, self.values, self.monotone, self.tries = enough, values, monotone, tries
        self.known: dict[int, bool] = {-1: False}

    def search(self, guess: int) -> Search:
        """The least value found, beginning at a place in them."""
        with suppress(_Spent):
            self.seek(guess)
        tried = len(self.known) - 1
        high = min((at for at, found in self.known.items() if found), default=len(self.values))
        below = [high - 1] if self.monotone else range(high)
        sure = all(at in self.known for at in below)
        value = self.values[high] if high < len(self.values) else None
        return Search(value, tried, sure, self.monotone)

    def seek(self, guess: int) -> None:
        """Try values until the least of them is known, or one of which the one before is not enough."""
        top = len(self.values) - 1
        if top < 0:
            return
        if not self.holds(top) and not self.monotone:
            self.spread(top)
        low, high = -1, min((at for at, found in self.known.items() if found), default=-1)
        for at in (guess + 1, guess, guess - 1):
            if low < at < high:
                low, high = (low, at) if self.holds(at) else (at, high)
        high = self.halved(high)
        if high > 0 and not self.monotone:
            self.spread(high)
            self.halved(min(at for at, found in self.known.items() if found))

    def holds(self, at: int) -> bool:
        """Whether the value at a place is enough."""
        if at not in self.known:
            if len(self.known) > self.tries:
                raise _Spent
            self.known[at] = self.enough(self.values[at])
        return self.known[at]

    def spread(self, below: int) -> None:
        """Try some more places, evenly spread."""
        left = [at for at in range(below) if at not in self.known]
        for n in range(min(PROBES, len(left))):
            self.holds(left[n * len(left) // min(PROBES, len(left))])

    def halved(self, high: int) -> int:
        """Go down from a place that holds to one that holds while the place before it does not."""
        low = max(at for at, found in self.known.items() if not found and at <= high)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.holds(middle) else (middle, high)
        return high
