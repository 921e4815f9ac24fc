"""Draw notices of admission: ``python -m web.draw_notices NOTICES.json OUT``.

A child of the worker, without a database: it reads what the notices say, writes ``OUT/notices.pdf``
and ``OUT/left_out.json``, and tells in ``progress`` how far it is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .forms_print import Admission, admissions

EVERY = 100
"""Progress is told after so many notices."""


def main(listed: Path, out: Path) -> None:
    """Draw what a file lists."""
    rows = json.loads(listed.read_bytes())
    people = [
        Admission(**row | {"facts": tuple(map(tuple, row["facts"]))})  # as JSON knows lists only
        for row in rows
    ]

    def tell(done: int) -> None:
        if done % EVERY == 0:
            (listed.parent / "progress").write_text(f"{done}/{len(people)}")

    out.mkdir()
    document, left_out = admissions(people, tell)
    (out / "notices.pdf").write_bytes(document)
    (out / "left_out.json").write_text(json.dumps(left_out))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
