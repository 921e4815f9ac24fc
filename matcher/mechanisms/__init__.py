"""The mechanisms by name.  Each is a module with ``HONOURS`` and ``solve(market, policy)``."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import ModuleType

NAMES = ("stable", "parallel", "optimal", "max_placement")

LARGE, LOADED = 400_000, 2_000
"""Edges of a market from which compiled kernels pay: with the second they take to load, and without."""


def load(name: str) -> ModuleType:
    """The module of a mechanism; a solver library is imported only when its mechanism is."""
    return import_module(f".{name}", __package__)


def kernels(edges: int) -> ModuleType | None:
    """The compiled kernels where they are installed and pay, else None; results are the same.

    ``ORDERCLASS_FAST=0`` in the environment turns them off, ``ORDERCLASS_FAST=1`` has them used for
    markets of any size.

    Parameters
    ----------
    edges
        Size of the market.
    """
    wanted = os.environ.get("ORDERCLASS_FAST", "")
    least = LOADED if f"{__package__}.fast" in sys.modules else LARGE
    if wanted == "0" or (wanted != "1" and edges < least):
        return None
    try:
        return import_module(".fast", __package__)
    except ImportError:  # the extra is not installed, or does not go with this numpy
        return None
