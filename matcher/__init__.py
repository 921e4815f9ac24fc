"""订单班匹配: a round of order classes matched, verified and explained.

``Tables`` (a round as files) → ``Market`` (as arrays) + ``Policy`` (the rules) → ``Result`` →
``Verdict``, by ``solve``, ``verify``, ``explain`` and ``report``.
"""

from .earlier import Earlier
from .eligibility import RULES, check
from .explain import explain
from .market import Constraint, Market
from .messages import of_issue
from .next_round import after, next_round
from .policy import Policy
from .report import compare, report
from .result import Result, Status
from .solve import UnsupportedConstraint, solve
from .tables import InvalidRound, Issue, Table, Tables
from .validate import validate
from .verify import verify
from .waiting import WaitingList
from .whatif import whatif

__version__ = "0.1.0"
__all__ = [
    "RULES",
    "Constraint",
    "Earlier",
    "InvalidRound",
    "Issue",
    "Market",
    "Policy",
    "Result",
    "Status",
    "Table",
    "Tables",
    "UnsupportedConstraint",
    "WaitingList",
    "after",
    "check",
    "compare",
    "explain",
    "next_round",
    "of_issue",
    "report",
    "solve",
    "validate",
    "verify",
    "whatif",
]
