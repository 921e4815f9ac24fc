"""Pages of the alliance's coordinators."""

from __future__ import annotations

from .coordinating import after, decide, desk, offices, plan, review, rules, trials
from .coordinating.blueprint import bp

__all__ = ["after", "bp", "decide", "desk", "offices", "plan", "review", "rules", "trials"]
