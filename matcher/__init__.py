"""订单班匹配: a round of order classes matched, verified and explained.

``Tables`` (a round as files) → ``Market`` (as arrays) + ``Policy`` (the rules) → ``Result`` →
``Verdict``, by ``solve``, ``verify``, ``explain`` and ``report``.
"""

from .eligibility import RULES, check
from .market import Constraint, Market
from .policy import Policy
from .result import Result, Status
from .solve import UnsupportedConstraint, solve
from .tables import InvalidRound, Issue, Tables
from .validate import validate

__version__ = "0.1.0"
__all__ = [
    "RULES",
    "Constraint",
    "InvalidRound",
    "Issue",
    "Market",
    "Policy",
    "Result",
    "Status",
    "Tables",
    "UnsupportedConstraint",
    "check",
    "solve",
    "validate",
]
