"""How quickly the pages answer, on the demo: ``python -m benchmarks.web [FOLDER]``.

Fills the demo in a folder (or takes one that is filled), serves it, and measures what a warm client
sees: an applicant's list and result, and 64 clients who submit 2,000 lists at once.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from web import choices, create_app, db, demo, rounds
from web.audit import Actor
from web.models import Applicant, ChoiceList, Round

WARM, VISITS, CLIENTS, LISTS = 10, 200, 64, 2000


def share(times: Sequence[float], percent: int) -> float:
    """The time, in milliseconds, within which this share of the answers came."""
    return 1000 * statistics.quantiles(times, n=100)[percent - 1]


def visits(client: FlaskClient, path: str) -> list[float]:
    """How long a page takes, once it is warm."""
    taken = []
    for turn in range(WARM + VISITS):
        start = time.perf_counter()
        answer = client.get(path)
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code}")
        if turn >= WARM:
            taken.append(time.perf_counter() - start)
    return taken


def submissions(app: Flask) -> list[float]:
    """2,000 people submit through the service, 64 at a time; every one of them must be stored."""
    with app.app_context():
        session = db.reading()
        round_ = session.scalars(select(Round).where(Round.serial == demo.OPEN)).one()
        held = session.scalars(
            select(ChoiceList).join(Applicant)
            .where(Applicant.round_id == round_.id, ChoiceList.number == 1)
        ).all()  # fmt: skip
        wishes = [
            (c.applicant_id, choices.Wish(tuple(c.choices), c.adjustment))
            for c in held
            if c.choices
        ]
    work = (wishes * (LISTS // len(wishes) + 1))[:LISTS]

    def submit(job: tuple[int, tuple[int, choices.Wish]]) -> float:
        turn, (who, wish) = job
        start = time.perf_counter()
        with app.app_context(), db.writing() as session:
            applicant = session.get_one(Applicant, who)
            rounds.lock_open(session, applicant.round_id)
            actor = Actor(f"applicant:{who}", "applicant")
            choices.submit(session, applicant, wish, actor, f"bench-{turn}-{start}")
        return time.perf_counter() - start

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(submit, enumerate(work)))


def main() -> None:
    """Measure, and print one line for each figure."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()) / "demo"
    app = demo.prepared(create_app, folder)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    client = app.test_client()
    client.post("/login", data={"username": "applicant1", "password": demo.PASSWORD})
    for name, path in (
        ("list", f"/me/{demo.OPEN}/list"),
        ("result", f"/me/{demo.PUBLISHED}/result"),
        ("classes", f"/me/{demo.OPEN}/classes"),
    ):
        print(f"{name:10} p95 {share(visits(client, path), 95):7.1f} ms")
    times = submissions(app)
    print(f"submit     p99 {share(times, 99):7.1f} ms, {len(times)} lists, {CLIENTS} at once")


if __name__ == "__main__":
    main()
