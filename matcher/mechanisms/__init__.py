"""The mechanisms by name.  Each is a module with ``HONOURS`` and ``solve(market, policy)``."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

NAMES = ("stable", "parallel", "optimal", "max_placement")


def load(name: str) -> ModuleType:
    """The module of a mechanism; a solver library is imported only when its mechanism is."""
    return import_module(f".{name}", __package__)
