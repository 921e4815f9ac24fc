"""Pages of the alliance's coordinators."""

from __future__ import annotations

from .coordinating import (
    after,
    agreements,
    decide,
    desk,
    offices,
    plan,
    prints,
    review,
    rules,
    trials,
    upholding,
)
from .coordinating.blueprint import bp

__all__ = [
    "after",
    "agreements",
    "bp",
    "decide",
    "desk",
    "offices",
    "plan",
    "prints",
    "review",
    "rules",
    "trials",
    "upholding",
]
