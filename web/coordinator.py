"""Pages of the alliance's coordinators."""

from __future__ import annotations

from .coordinating import decide, desk, offices, plan, prints, review, rules, trials
from .coordinating.blueprint import bp

__all__ = ["bp", "decide", "desk", "offices", "plan", "prints", "review", "rules", "trials"]
