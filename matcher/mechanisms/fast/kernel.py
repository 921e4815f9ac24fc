"""What makes a kernel of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """The function compiled, and kept beside its source for the next process where that is writable."""
    make: Any = njit
    try:
        compiled: Function = make(cache=True)(function)
    except RuntimeError:  # nowhere to keep it: a read-only installation without a home
        compiled = make(function)
    return compiled
