"""Compiled kernels for large markets, used by themselves where numba is installed (``fast``).

None of them decides anything of its own: what a kernel gives is what the standard path gives, person
by person.  Deferred acceptance and the draws of the odds are exact by construction; an assignment is
proven in integers before it counts.  ``mechanisms.kernels`` says when this is loaded at all.

Programs are nodes, people are not: whoever holds a seat at one program and lists another is an arc
between them, and a search runs over programs alone.
"""

from .counting import Classes, draws
from .proposals import deferred_acceptance
from .seats import FAR, assignment
from .standing import Standing, one_more, standing

__all__ = [
    "FAR",
    "Classes",
    "Standing",
    "assignment",
    "deferred_acceptance",
    "draws",
    "one_more",
    "standing",
]
