"""One measurement in a process of its own, so that its memory is its own.

``python -m benchmarks.child MODULE.KIND ARGUMENT … SEED`` prints its figures as one JSON list; or, where
there is nothing to measure, one line that says why, with exit status 3.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

from .figures import NotMeasured

NOTHING = 3


def main() -> None:
    """Run the measurement that the arguments name."""
    module, _, kind = sys.argv[1].partition(".")
    measure = getattr(import_module(f".{module}", __package__), f"measure_{kind}")
    try:
        figures = measure(*sys.argv[2:])
    except NotMeasured as reason:
        print(reason, file=sys.stderr)
        raise SystemExit(NOTHING) from None
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
