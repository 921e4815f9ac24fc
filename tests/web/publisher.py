"""A process whose children publish and are killed: one line in, what became of the child out.

A line is JSON: the instance folder, the database's address, and when to kill: after so many seconds, or
``["publication._store", "after"]``, or null for never.  The answer is the child's status and how long it
lived from the moment when it began to publish.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from tests.web.a_round import SECOND
from tests.web.staged import next_day
from web import create_app, db, publication
from web.audit import Actor
from web.models import Round

KILLED = -signal.SIGKILL
MODULES = {"publication": publication, "rounds": publication.rounds}


def _publish(folder: str, url: str, place: object, ready: int) -> None:
    app = create_app(
        {"INSTANCE": Path(folder), "DATABASE_URL": url, "DEMO": True, "TESTING": True,
         "CLOCK": next_day}
    )  # fmt: skip
    if isinstance(place, list):
        _die_at(*place)
    with app.app_context():
        round_ = db.reading().query(Round).one()
        os.write(ready, b"1")
        publish_next(round_, SECOND)


def publish_next(round_: Round, actor: Actor) -> None:
    """Publish what a round has approved: its result, or a successor of it."""
    act = publication.succeed if round_.state == "PUBLISHED" else publication.publish
    act(round_.id, actor)


def _die_at(where: str, when: str) -> None:
    module, name = where.split(".")
    real = getattr(MODULES[module], name)

    def fatal(*args: Any, **options: Any) -> None:
        if when == "after":
            real(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(MODULES[module], name, fatal)


def _one(folder: str, url: str, moment: object) -> tuple[int, float]:
    begun, ready = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _publish(folder, url, moment, ready)
            status = 0
        finally:
            os._exit(status)
    os.close(ready)
    os.read(begun, 1)
    began = time.monotonic()
    if isinstance(moment, float):
        time.sleep(moment)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(begun)
    return os.waitstatus_to_exitcode(status), time.monotonic() - began


class Publisher:
    """The process, as a test speaks with it."""

    def __init__(self, process: Popen[str]):
        self.process = process

    def publish(self, folder: Path, url: str, moment: object = None) -> tuple[int, float]:
        """Have a child publish, and killed at that moment: its status, and how long it lived."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps([str(folder), url, moment]) + "\n")
        self.process.stdin.flush()
        status, lived = json.loads(self.process.stdout.readline())
        return status, lived


@contextmanager
def publisher() -> Iterator[Publisher]:
    """A publisher for as long as the block lasts."""
    command = [sys.executable, "-m", "tests.web.publisher"]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
        yield Publisher(process)
        assert process.stdin is not None
        process.stdin.close()


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(_one(*json.loads(line))), flush=True)
