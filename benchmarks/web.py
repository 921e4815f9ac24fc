"""How quickly the pages answer, on the demo: ``python -m benchmarks.web [NAME]``.

Fills the demo, then measures what a warm client sees: an applicant's pages, the bureau's statistics, 64
people at a time who submit 2,000 lists, a freeze, a publication, two imports, and 5,000 notices of
admission.  On SQLite, and on PostgreSQL where the tests find one; NAME is one of them.  Every figure
becomes a row of ``web.csv``, in place of the last one of its name.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.web import postgres
from web import (
    application,
    choices,
    commands,
    create_app,
    db,
    demo,
    forms_print,
    jobs,
    notice_job,
    publication,
    serving,
    snapshot,
)
from web.audit import Actor
from web.demo_stage import PASSWORD
from web.models import Applicant, ChoiceList, Round
from web.privacy import Keys

from . import imports
from .recorded import README, machine

RECORDED = Path(__file__).with_name("web.csv")
WARM, VISITS, CLIENTS, LISTS, NOTICES = 10, 200, 64, 2000, 5000
PAGES = (
    ("list", f"/me/{demo.OPEN}/list"),
    ("result", f"/me/{demo.PUBLISHED}/result"),
    ("classes", f"/me/{demo.OPEN}/classes"),
)
STATISTICS = f"/bureau/{demo.PUBLISHED}/statistics"
PACKAGES = ("Flask", "SQLAlchemy", "psycopg", "waitress")


@dataclass(frozen=True)
class Row:
    """One figure: of which database, what, in seconds, its goal, and what it was taken on."""

    database: str
    what: str
    seconds: float
    goal: float | None
    load: float
    date: str
    machine: str
    python: str
    packages: str


def row(database: str, what: str, seconds: float, goal: float | None = None) -> Row:
    """A figure taken now; ``load`` is how many processes wanted a core during the last minute."""
    made = Row(
        database, what, float(f"{seconds:.3g}"), goal, round(os.getloadavg()[0], 1),
        datetime.now(UTC).date().isoformat(), machine(), platform.python_version(),
        " ".join(f"{name} {version(name)}" for name in PACKAGES),
    )  # fmt: skip
    print(f"{database:11} {what:34} {seconds:8.3f} s  goal {goal or '—'}  load {made.load}")
    return made


def share(times: Sequence[float], percent: int) -> float:
    """The time within which this share of the answers came."""
    return statistics.quantiles(times, n=100)[percent - 1]


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


def submissions(app: Flask, clients: int) -> list[float]:
    """2,000 lists, so many at a time, as the page submits them; every one must be stored."""
    with app.app_context():
        session = db.reading()
        round_ = session.scalars(select(Round).where(Round.serial == demo.OPEN)).one()
        held = session.scalars(
            select(ChoiceList).join(Applicant)
            .where(Applicant.round_id == round_.id, ChoiceList.number == 1)
        ).all()  # fmt: skip
        wishes = [
            (c.applicant_id, choices.Wish(tuple(c.choices), c.adjustment, tuple(c.not_accepted)))
            for c in held
            if c.choices and not application.missing(session, c.applicant)
        ]
    work = (wishes * (LISTS // len(wishes) + 1))[:LISTS]

    def submit(job: tuple[int, tuple[int, choices.Wish]]) -> float:
        turn, (who, wish) = job
        start = time.perf_counter()
        with app.test_request_context(), db.writing() as session:
            application.submit(
                session, session.get_one(Applicant, who), wish,
                Actor(f"applicant:{who}", "applicant"), f"bench-{turn}",
                turn // len(wishes) + 1, 0, application.Proof(guardian_paper="1"),
            )  # fmt: skip
        return time.perf_counter() - start

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(submit, enumerate(work)))


@contextmanager
def watched(module: Any, name: str, taken: dict[str, float]) -> Iterator[None]:
    """Meanwhile, how long a function takes is noted under its name."""
    called: Callable[..., Any] = getattr(module, name)

    def timed(*args: Any) -> Any:
        start = time.perf_counter()
        made = called(*args)
        taken[name] = time.perf_counter() - start
        return made

    with patch.object(module, name, timed):
        yield


def measured(database: str, url: str, folder: Path) -> Iterator[Row]:
    """All figures of a database that is empty."""
    Keys.create(folder / "keys.toml")
    app = create_app({"INSTANCE": folder, "DATABASE_URL": url, "DEMO": True})
    serving.ready()
    taken: dict[str, float] = {}
    with (
        app.app_context(),
        watched(snapshot, "freeze", taken),
        watched(publication, "publish", taken),
    ):
        commands.upgrade()
        demo.fill()
    yield row(database, "freeze", taken["freeze"], 3)
    yield row(database, "publish", taken["publish"], 5)
    app.config.update(WTF_CSRF_ENABLED=False)
    client = app.test_client()
    client.post("/login", data={"username": "applicant1", "password": PASSWORD})
    for name, path in PAGES:
        yield row(database, f"page {name}, p95", share(visits(client, path), 95), 0.05)
    office = app.test_client()
    office.post("/login", data={"username": "bureau1", "password": PASSWORD})
    yield row(database, "page statistics, p95", share(visits(office, STATISTICS), 95), 0.3)
    clients, goal = (CLIENTS, 1.5) if database == "sqlite" else (serving.THREADS, None)
    times = submissions(app, clients)
    yield row(database, f"{clients} clients, 2,000 lists, p99", share(times, 99), goal)
    app.extensions["orderclass_engine"].dispose()


def imported(database: str, url: str, folder: Path) -> Iterator[Row]:
    """5,000 applicants and their 20,000 choices, on a database that is empty."""
    preview, store = imports.measured(url, folder)
    yield row(database, "import to the preview", preview, 8)
    yield row(database, "import, store", store, 4)


def notices(folder: Path, number: int = NOTICES) -> Iterator[Row]:
    """5,000 notices of admission as one file, by a child with the worker's limit of memory."""
    names = ("欧阳𬭎", "阿卜杜拉·买买提", "张䶮㛃")
    facts = (
        ("专业", "医疗器械制造与维护"),
        ("合作企业", "山东澜珀医疗器械集团股份有限公司"),
        ("学制", "3 年"),
    )
    people = [
        forms_print.Admission(
            f"20262{n:05}", names[n % 3], "翠屿技师学院", "2026-1", "秋季首轮", "第 1 志愿录取",
            f"订单班{n % 200}", facts, "2026-08-01 24:00", "0631-0000000",
            f"https://localhost/v/{n:016}", "2026-07-20",
        )
        for n in range(number)
    ]  # fmt: skip
    listed, out = folder / "notices.json", folder / "out"
    listed.write_text(json.dumps([asdict(one) for one in people]), encoding="utf-8")
    limited = (sys.executable, str(jobs.CHILD), str(notice_job.MEMORY_MB))
    start = time.perf_counter()
    subprocess.run([*limited, *notice_job.COMMAND, str(listed), str(out)], check=True)
    what = f"{number:,} notices, {notice_job.MEMORY_MB} MB at most"
    yield row("sqlite", what, time.perf_counter() - start, 90)


def taken_on(database: str) -> Iterator[Row]:
    """All figures of a kind of database, each part on an empty one of its own."""
    with tempfile.TemporaryDirectory() as root:
        one, two = Path(root, "demo"), Path(root, "imports")
        one.mkdir()
        two.mkdir()
        if database == "sqlite":
            yield from measured(database, f"sqlite:///{one}/bench.sqlite", one)
            yield from imported(database, f"sqlite:///{two}/bench.sqlite", two)
            yield from notices(two)
            return
        with postgres.running(durable=True) as cluster:
            for name in ("one", "two"):
                cluster.execute(f"CREATE DATABASE {name}")
            yield from measured(database, cluster.url("one"), one)
            yield from imported(database, cluster.url("two"), two)


def record(rows: Sequence[Row]) -> None:
    """Put figures into ``web.csv``, in place of those of the same database and name."""
    held: dict[tuple[str, str], dict[str, Any]] = {}
    if RECORDED.is_file():
        with RECORDED.open(encoding="utf-8", newline="") as file:
            held = {(line["database"], line["what"]): line for line in csv.DictReader(file)}
    held |= {(made.database, made.what): asdict(made) for made in rows}
    with RECORDED.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(held.values())


def table() -> str:
    """What ``web.csv`` holds, as the table of the README."""
    lines = ["| database | figure | seconds | goal | load |", "|---|---|---:|---:|---:|"]
    with RECORDED.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            goal = f"≤ {float(line['goal']):g}" if line["goal"] else ""
            lines.append(
                f"| {line['database']} | {line['what']} | {line['seconds']} | {goal} | {line['load']} |"
            )
    return "\n".join(lines)


def tell() -> None:
    """Put the table into the README."""
    head, rest = README.read_text(encoding="utf-8").split("<!-- web -->\n")
    tail = rest[rest.index("<!-- /web -->") :]
    README.write_text(f"{head}<!-- web -->\n{table()}\n{tail}", encoding="utf-8")


def main() -> None:
    """Measure on the databases named, or on both; print, record and tell each figure."""
    for database in sys.argv[1:] or ("sqlite", "postgresql"):
        for made in taken_on(database):
            record([made])
        tell()


if __name__ == "__main__":
    main()
