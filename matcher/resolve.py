"""Late changes with least disruption: a round placed again so that as few people as possible move."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from .cells import Int
from .earlier import Earlier, Gone, Placement
from .market import Market
from .policy import Policy
from .result import Result
from .solve import mechanism_of


class CannotKeep(ValueError):
    """Accepted places that cannot all be kept.

    ``gone`` are those that the round no longer allows; ``lost``, those that the best plan gives up
    because not all can be had at once.
    """

    def __init__(self, gone: list[Gone], lost: list[Placement]):
        self.gone, self.lost = gone, lost
        names = [one.placement.applicant for one in gone] + [one.applicant for one in lost]
        super().__init__(f"cannot keep the accepted places of {', '.join(names)}")


class Move(NamedTuple):
    """Somebody whose place changes, blank for none.

    ``change`` is ``better``, ``worse``, ``same`` (another program at the same rank) or ``lost`` for a
    move; ``gained`` where she had no place; ``left`` where hers could not be kept anyhow.
    """

    applicant: str
    before: str
    after: str
    change: str


def resolve(market: Market, policy: Policy, earlier: Earlier) -> Result:
    """The best placement among those that move fewest people.

    In order: accepted places kept, people not moved, the policy's objective, the lottery.  Whoever
    gets a place and had none is not moved.

    Parameters
    ----------
    market, policy
        The round as it is now; whatever the policy's mechanism, this is a placement of ``optimal``.
    earlier
        What was given, and what has been accepted since.

    Raises
    ------
    CannotKeep
        If some accepted place cannot be kept, and the earlier result is not to be kept softly.
    UnsupportedConstraint
        If the round asks for something that ``optimal`` cannot honour.

    Notes
    -----
    Two components more than ``optimal`` alone.  Justified envy may remain, and the fairness sheet
    lists every pair.  With more seats, or more people who had no place, nobody is moved who would
    not be moved without them, for the number of people moved comes before every objective.
    """
    accepted = [one for one in earlier.placements if one.confirmed]
    gone = [one for one in earlier.gone(market, policy) if one.placement.confirmed]
    if gone and not earlier.soft:
        raise CannotKeep(gone, [])
    # Accepted places are kept by the first component, so that nothing is left to ask for them.
    market, policy = replace(market, confirmed=()), replace(policy, mechanism="optimal")
    first = earlier.components(market)
    result: Result = mechanism_of(market, policy).solve(market, policy, first=first)
    if result.bound[0] < len(accepted) and not earlier.soft:
        raise CannotKeep([], lost(market, result.matching, earlier))
    return replace(result, earlier=earlier)


def lost(market: Market, matching: Int, earlier: Earlier) -> list[Placement]:
    """The accepted places that a matching gives up."""
    held = set(market.edges_of(matching).tolist())
    kept = {one for one, edge in earlier.edges(market).items() if edge in held}
    return [one for one in earlier.placements if one.confirmed and one not in kept]


def moves(market: Market, matching: Int, earlier: Earlier) -> list[Move]:
    """Everybody in the round whose place changes, by id."""
    programs = [*market.programs, ""]
    before = earlier.held(market)
    given = {one.applicant: one.program for one in earlier.placements}
    after = market.edges_of(matching)
    found = []
    for i, applicant in enumerate(market.applicants):
        was, is_ = int(before[i]), int(after[i])
        if was == is_ and (was >= 0 or applicant not in given):
            continue
        change = _change(market, was, is_) if was >= 0 else "gained"
        if was < 0 and applicant in given:
            change = "left"
        found.append(Move(applicant, given.get(applicant, ""), programs[matching[i]], change))
    return sorted(found)


def _change(market: Market, was: int, is_: int) -> str:
    """What it is to somebody to go from one of her edges to another, or to none."""
    if is_ < 0:
        return "lost"
    if market.rank[was] and market.rank[was] == market.rank[is_]:
        return "same"
    return "better" if is_ < was else "worse"
