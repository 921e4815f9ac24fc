"""solve(market, policy): finds the mechanism, and refuses by name what it cannot honour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import ModuleType

from .cells import Int
from .choice import Choice
from .market import Constraint, Market, crossing
from .mechanisms import NAMES, load
from .mechanisms.nearby import roomy
from .policy import Policy
from .result import Result
from .tables import Issue


class UnsupportedConstraint(ValueError):
    """The round asks for constraints that the mechanism cannot keep.

    ``constraints`` holds them; ``issues`` tells of each with where it stands.
    """

    def __init__(self, mechanism: str, constraints: frozenset[Constraint], issues: list[Issue]):
        self.mechanism, self.constraints, self.issues = mechanism, constraints, issues
        names = ", ".join(sorted(c.value for c in constraints)) or "everything"
        super().__init__(f"{mechanism} cannot honour: {names}")


class NoPlan(ValueError):
    """No placement keeps all that ``market`` asks for; :mod:`matcher.conflicts` finds out why."""

    def __init__(self, market: Market):
        self.market = market
        super().__init__("no placement keeps all that the round asks for")


def solve(market: Market, policy: Policy) -> Result:
    """The outcome of the policy's mechanism on a market.

    It is a function of the frozen round, the rules and the lottery: no seed of a solver, order of
    rows or number of workers can change it.

    Raises
    ------
    UnsupportedConstraint
        If the round asks for something that the mechanism cannot honour.
    NoPlan
        If what the round asks for cannot all be had.
    """
    result: Result = mechanism_of(market, policy).solve(market, policy)
    return result


def matching(market: Market, policy: Policy) -> tuple[Int, bool]:
    """Who goes where, and whether :func:`solve`'s result is publishable: all that odds count.

    A mechanism with a ``matching`` of its own leaves out what only explains or proves the outcome.
    """
    mechanism = mechanism_of(market, policy)
    if hasattr(mechanism, "matching"):
        found: tuple[Int, bool] = mechanism.matching(market, policy)
        return found
    result: Result = mechanism.solve(market, policy)
    return result.matching, result.publishable


def with_a_seat(
    market: Market, policy: Policy, result: Result, programs: Sequence[int]
) -> Iterator[tuple[int, Int, bool]]:
    """Who goes where with one more seat at each of some programs, in any order, and if that is certain.

    It is not where a search was cut short.  A mechanism with a ``with_a_seat`` of its own shares work
    among the programs.  ``result.matching`` itself is given where it is proven that the seat moves
    nobody.

    Parameters
    ----------
    result
        The outcome without it.
    """
    mechanism = mechanism_of(market, policy)
    if hasattr(mechanism, "with_a_seat"):
        yield from mechanism.with_a_seat(market, policy, result, programs)
        return
    unchanged = set(roomy(Choice(market, policy.reserve_order == "open_first")))
    for p in programs:
        if p in unchanged:
            yield p, result.matching, True
        else:
            yield p, *matching(market.with_a_seat(p), policy)


def mechanism_of(market: Market, policy: Policy) -> ModuleType:
    """The policy's mechanism, which can honour all that the round asks for.

    Raises
    ------
    UnsupportedConstraint
        If it cannot, or if there is no such mechanism.
    """
    if policy.mechanism not in NAMES:
        issue = Issue("policy", 0, "mechanism.name", "mechanism_not_available", policy.mechanism)
        raise UnsupportedConstraint(policy.mechanism, frozenset(), [issue])
    mechanism = load(policy.mechanism)
    refused = frozenset(market.asks(policy) - mechanism.HONOURS)
    if refused:
        raise UnsupportedConstraint(
            policy.mechanism, refused, list(_issues(market, policy, refused))
        )
    return mechanism


_PLACES = {
    Constraint.MIN_SIZE: ("order_classes", "min_size"),
    Constraint.EXACT_CLOSURE: ("policy", "mechanism.closure"),
    Constraint.OPEN_FIRST: ("policy", "mechanism.reserve_order"),
    Constraint.CROSSING_CAP: ("caps", "cap"),
    Constraint.PROGRAM_SCORE: ("scores", "program"),
    Constraint.CONFIRMED: ("decisions", "decision"),
    Constraint.MUST_OPEN: ("order_classes", "must_open"),
    Constraint.MUST_FILL: ("reserves", "must_fill"),
    Constraint.SOFT_RESERVE: ("reserves", "seats"),
    Constraint.HARD_RESERVE: ("reserves", "hard"),
    Constraint.NESTED_CAP: ("caps", "cap"),
    Constraint.ADJUSTMENT: ("applicants", "adjustment"),
    Constraint.CAPACITY: ("programs", "capacity"),
}


def _issues(market: Market, policy: Policy, refused: frozenset[Constraint]) -> list[Issue]:
    found = []
    for constraint in sorted(refused, key=lambda c: c.value):
        table, column = _PLACES[constraint]
        values = [""]
        if constraint is Constraint.CROSSING_CAP:
            values = [" × ".join(pair) for pair in crossing(market.caps)]
        elif constraint is Constraint.MIN_SIZE:
            values = [str(int((market.min_size > 1).sum()))]
        code = f"refused_{constraint.value}"
        found += [Issue(table, 0, column, code, value, policy.mechanism) for value in values]
    return found
