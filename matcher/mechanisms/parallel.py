"""``parallel`` 平行志愿: deferred acceptance with one queue per exam channel as every priority.

In queue order each takes the best seat left on her list, where nothing but capacities binds.
"""

from __future__ import annotations

from dataclasses import replace

from ..market import Constraint, Market
from ..policy import Policy
from ..result import Result
from . import stable

HONOURS = stable.HONOURS - {Constraint.PROGRAM_SCORE}
matching, with_a_seat = stable.matching, stable.with_a_seat


def solve(market: Market, policy: Policy) -> Result:
    """As ``stable``: without scores by program, every program of a channel has the same queue."""
    return replace(stable.solve(market, policy), mechanism="parallel")
