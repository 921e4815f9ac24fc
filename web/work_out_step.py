"""Work out a step of the waiting list: ``python -m web.work_out_step STANDING.json OUT``.

A child of the worker, without a database: it reads how the round stands and the files of the published
run, and writes the step's files below ``OUT/files``, and ``OUT/said.json`` with who is called, or what
keeps anybody from saying so.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask

from . import waiting
from .rounds import Blocked
from .waiting import Seat, Standing


def main(asked: Path, out: Path) -> None:
    """Work out the step of a file."""
    told = json.loads(asked.read_bytes())
    said: dict[str, Any] = {"obstacles": [], "calls": [], "counts": {}}
    with Flask("web", instance_path=told["instance"]).app_context():
        try:
            made = waiting.link(standing(told["standing"]), datetime.fromisoformat(told["moment"]))
        except Blocked as error:
            made = waiting.Link({}, [], {})
            said["obstacles"] = [asdict(one) for one in error.obstacles]
    said |= {"calls": made.calls, "counts": made.counts}
    (out / "files").mkdir(parents=True)
    for name, data in made.files.items():
        path = out / "files" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    (out / "said.json").write_text(json.dumps(said), "utf-8")


def standing(row: dict[str, Any]) -> Standing:
    """How the round stands, as it was before JSON made lists of it."""
    lists = {
        "seats": tuple(Seat(*one) for one in row["seats"]),
        "capacity": tuple((code, number) for code, number in row["capacity"]),
    }
    return Standing(**row | lists)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
