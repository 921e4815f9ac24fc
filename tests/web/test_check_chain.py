"""The checker of the chain: it agrees with the waiting list on random rounds, and refuses what is off."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from flask import Flask

from matcher import Market, Policy, Status, Tables, solve
from tests.matcher.test_oracle import tables_of
from tests.random_markets import random_instance
from web import bundle, chain, check_chain, waiting
from web.check_chain import Wrong
from web.waiting import Seat, Standing

PARTS = 2
ROUNDS = int(os.environ.get("CHAIN_ROUNDS", "24"))
DAYS = 4
BEGINNING = datetime(2026, 6, 9, 1, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """An instance folder, and an application that has it."""
    with Flask(__name__, instance_path=str(tmp_path)).app_context():
        yield tmp_path


class Story:
    """A published round and what follows it day by day, in files alone."""

    def __init__(self, place: Path, tables: Tables) -> None:
        self.place, self.run = place, place / "run"
        tables.write(self.run / "round")
        policy = Policy.from_tables(tables)
        market = Market.from_tables(tables, policy)
        result = solve(market, policy)
        self.solved = result.status is Status.OPTIMAL
        (self.run / "result").mkdir()
        rows = [
            (name, market.programs[p], int(market.rank[market.edge(i, p)])) if p >= 0 else (name, "", "")
            for i, (name, p) in enumerate(zip(market.applicants, result.matching, strict=True))
        ]  # fmt: skip
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([("applicant", "program", "rank"), *rows])
        (self.run / "result" / "placements.csv").write_text(text.getvalue(), encoding="utf-8")
        (self.run / "result" / "result.json").write_text("{}")
        given = [row for row in rows if row[1]]
        seats = tuple(
            Seat(at, who, program, int(rank), "result", "open")
            for at, (who, program, rank) in enumerate(given, start=1)
        )
        files = {
            f"round/{path.relative_to(self.run / 'round')}": path.read_bytes()
            for path in (self.run / "round").iterdir()
        }
        files |= {
            f"round/result/{path.name}": path.read_bytes()
            for path in (self.run / "result").iterdir()
        }
        chained = place / "chain"
        chained.mkdir()
        (chained / "publication.zip").write_bytes(bundle.zipped(files))
        head = check_chain.hashlib.sha256((chained / "publication.zip").read_bytes()).hexdigest()
        capacity = tuple(
            zip(market.programs, map(int, tables["programs"]["capacity"]), strict=True)
        )
        self.now = Standing(policy.round, 1, head, head, "run", seats, capacity)
        self.links: list[dict[str, object]] = []
        self.moment = BEGINNING

    def step(self) -> int:
        """One step; how many are called."""
        files, calls, _ = waiting.link(self.now, self.moment)
        name, digest = chain.place(f"chain/steps.{self.now.number}", files)
        target = self.place / "chain" / "steps" / f"{self.now.number:04}"
        target.parent.mkdir(exist_ok=True)
        (self.place / name).rename(target)
        self.links.append({"number": self.now.number, "sha256": digest})
        number = len(self.now.seats)
        made = tuple(
            Seat(number + at, one.applicant, one.program, one.rank, "waiting", "open")
            for at, one in enumerate(calls, start=1)
        )
        self.now = replace(
            self.now, number=self.now.number + 1, parent=digest, seats=self.now.seats + made
        )
        self.moment += timedelta(days=1)
        return len(calls)

    def answer(self, rng: Random) -> None:
        """Some answer, some leave, a seat is added now and then."""
        seats = list(self.now.seats)
        for at, seat in enumerate(seats):
            if seat.state == "open":
                state = rng.choice(("open", "accepted", "waiting", "waiting", "declined", "silent"))
                seats[at] = seat._replace(state=state)
                if state in ("accepted", "waiting"):
                    for before, other in enumerate(seats[:at]):
                        if other.applicant == seat.applicant and other.state in waiting.HOLDING:
                            seats[before] = other._replace(state="moved")
            elif seat.state in waiting.HOLDING and rng.random() < 0.1:
                seats[at] = seat._replace(state=rng.choice(("left", "absent", "lapsed")))
        self.now = replace(self.now, seats=tuple(seats))
        if rng.random() < 0.2:
            program = rng.choice(self.now.capacity)[0]
            more = tuple((p, n + (p == program)) for p, n in self.now.capacity)
            self.now = replace(self.now, capacity=more)

    def finish(self) -> Path:
        """The chain, with its list of links."""
        folder = self.place / "chain"
        about = {
            "round": self.now.serial, "publication": self.now.published, "steps": self.links,
        }  # fmt: skip
        (folder / "chain.json").write_bytes(bundle.as_json(about))
        return folder


@pytest.mark.parametrize("part", range(PARTS))
def test_the_checker_agrees_with_every_step(part: int, tmp_path: Path) -> None:
    calls = later = 0
    for number in range(part, ROUNDS, PARTS):
        rng = Random(f"chain {number}")
        tables = tables_of(random_instance(rng, "stable", people=6, programs=4, minimums=number % 3 > 0))
        place = tmp_path / str(number)
        with Flask(__name__, instance_path=str(place)).app_context():
            story = Story(place, tables)
            if not story.solved:
                continue
            story.answer(rng)
            for day in range(DAYS):
                called = story.step()
                calls, later = calls + called, later + (called if day else 0)
                story.answer(rng)
            try:
                check_chain.check(story.finish(), lambda _: None)
            except Wrong as error:
                raise AssertionError(f"round {number}: {error}") from error
    assert calls > ROUNDS / 4 and later
