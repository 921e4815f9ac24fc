"""Pages of the alliance's coordinators."""

from __future__ import annotations

from .coordinating import (
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
