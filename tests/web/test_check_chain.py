"""The checker of the chain: it agrees with the waiting list on random rounds, and refuses what is off."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from flask import Flask

from matcher import Market, Policy, Status, Table, Tables, solve
from tests.matcher.test_oracle import tables_of
from tests.random_markets import random_instance
from web import bundle, chain, check_chain, waiting
from web.check_chain import Wrong
from web.waiting import Seat, Standing

PARTS = 2
ROUNDS = int(os.environ.get("CHAIN_ROUNDS", "24"))
DAYS = 4
BEGINNING = datetime(2026, 6, 9, 1, tzinfo=UTC)


class Story:
    """A published round and what follows it day by day, in files alone."""

    end = ""

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

    def close(self) -> None:
        """The list ends."""
        name, self.end = chain.place("chain/closing", waiting.closing(self.now, self.moment))
        (self.place / name).rename(self.place / "chain" / "end")

    def finish(self) -> Path:
        """The chain, with its list of links."""
        folder = self.place / "chain"
        about = {
            "round": self.now.serial, "publication": self.now.published, "steps": self.links,
            **({"end": self.end} if self.end else {}),
        }  # fmt: skip
        (folder / "chain.json").write_bytes(bundle.as_json(about))
        return folder


@pytest.mark.parametrize("part", range(PARTS))
def test_the_checker_agrees_with_every_step(part: int, tmp_path: Path) -> None:
    calls = later = 0
    for number in range(part, ROUNDS, PARTS):
        rng = Random(f"chain {number}")
        tables = tables_of(
            random_instance(rng, "stable", people=6, programs=4, minimums=number % 3 > 0)
        )
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


# --- every fact off by one ------------------------------------------------------------------------

EXAMPLE = Path(__file__).resolve().parents[2] / "data" / "example"


@pytest.fixture(scope="module")
def chained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's round with two steps: A04 is called up to NEV-X and moves, A09 and A05 come in."""
    place = tmp_path_factory.mktemp("chain")
    with Flask(__name__, instance_path=str(place)).app_context():
        story = Story(place, Tables.read(EXAMPLE))
        answer(story, A02="declined", A07="declined", A04="waiting", A01="accepted")
        assert story.step() == 2
        answer(story, A04="accepted", A09="silent", A10="accepted")
        assert story.step() == 1
        return story.finish()


def answer(story: Story, **states: str) -> None:
    """Settle the last offer of some people; who accepts a better place moves there."""
    seats = list(story.now.seats)
    for who, state in states.items():
        hers = [at for at, seat in enumerate(seats) if seat.applicant == who]
        for at in hers[:-1]:
            seats[at] = seats[at]._replace(state="moved")
        seats[hers[-1]] = seats[hers[-1]]._replace(state=state)
    story.now = replace(story.now, seats=tuple(seats))


def test_the_chain_by_hand_holds(chained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check_chain.main([str(chained)]) == 0
    assert "成立" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("least", "called"), [("1", ["A05 NEV-Y", "A11 CARE"]), ("3", ["A05 NEV-Y"])]
)
def test_who_waits_moves_only_if_her_class_keeps_its_minimum(
    least: str, called: list[str], tmp_path: Path
) -> None:
    """A11 is one of three at WELD, and CARE has room for her since A08 has gone; A05 has none to leave."""
    tables = Tables.read(EXAMPLE)
    rows = [dict(row) for row in tables["order_classes"].records()]
    for row in rows:
        if row["order_class"] == "WELD":
            row["min_size"] = least
    tables.tables["order_classes"] = Table({c: [row[c] for row in rows] for c in rows[0]})
    with Flask(__name__, instance_path=str(tmp_path)).app_context():
        story = Story(tmp_path, tables)
        answer(story, A02="declined", A08="silent", A07="accepted", A10="accepted", A11="waiting")
        story.step()
        last = [seat for seat in story.now.seats if seat.source == "waiting"]
        assert [f"{seat.applicant} {seat.program}" for seat in last] == called
        check_chain.check(story.finish(), lambda _: None)
        if least == "3":  # and the other way round it would not hold
            path = copied(story.finish(), tmp_path) / "steps" / "0001" / "calls.csv"
            path.write_text("applicant,from,program,rank\nA05,,NEV-Y,1\nA11,WELD,CARE,1\n")
            rechained(path.parents[2])
            with pytest.raises(Wrong, match="离开后原班不足最低人数"):
                check_chain.check(path.parents[2], lambda _: None)


Change = Callable[[bytes], bytes]


def told(before: str, after: str) -> Change:
    """A text in a file that says something else, once."""

    def change(data: bytes) -> bytes:
        assert before.encode() in data, before
        return data.replace(before.encode(), after.encode(), 1)

    return change


def more(line: str) -> Change:
    return lambda data: data + line.encode() + b"\n"


MUTATIONS: dict[str, tuple[int, str, Change]] = {
    "another number": (1, "step.json", told('"number": 1', '"number": 2')),
    "another round": (1, "step.json", told('"round": "示例"', '"round": "示例2"')),
    "another algorithm": (1, "step.json", told("sha256", "md5")),
    "one more called than there are": (1, "step.json", told('"called": 2', '"called": 3')),
    "twice on one day": (2, "step.json", told("2026-06-10", "2026-06-09")),
    "another publication": (2, "step.json", told('"publication": "', '"publication": "0')),
    "nobody is called to WELD": (1, "calls.csv", told("A09,,WELD,1\n", "")),
    "the next but one is called": (1, "calls.csv", told("A09,,WELD,1", "A05,,WELD,0")),
    "the same person twice": (1, "calls.csv", more("A09,,WELD,1")),
    "to a full program": (1, "calls.csv", more("A05,,CARE,0")),
    "somebody who is barred": (1, "calls.csv", more("A12,,ROBO,1")),
    "somebody who has not answered": (1, "calls.csv", more("A03,NEV-Y,NEV-X,1")),
    "another rank": (1, "calls.csv", told("A04,NEV-Y,NEV-X,1", "A04,NEV-Y,NEV-X,2")),
    "from nowhere": (1, "calls.csv", told("A04,NEV-Y", "A04,")),
    "to a choice that she likes less": (1, "calls.csv", told("NEV-X,1", "ROBO,3")),
    "who gave up": (2, "calls.csv", more("A02,,ROBO,2")),
    "two places swapped": (
        1, "waiting.csv", lambda d: told("NEV-X,open,2,A04", "NEV-X,open,2,A06")(
            told("NEV-X,open,3,A06", "NEV-X,open,3,A04")(d)),
    ),
    "a place left out": (1, "waiting.csv", told("WELD,open,2", "WELD,open,3")),
    "another score": (1, "waiting.csv", told("74", "75")),
    "another lottery number": (1, "waiting.csv", told("1a87", "0a87")),
    "placed, and said not to be": (1, "waiting.csv", told("unanswered", "unplaced")),
    "one seat less": (1, "round/programs.csv", told("NEV-X,2", "NEV-X,1")),
    "another channel": (1, "round/programs.csv", told("CARE,2,CARE,X,S", "CARE,2,CARE,X,W")),
    "another score in the round": (1, "round/scores.csv", told("78", "79")),
    "another list": (1, "round/applications.csv", told("A04,1,NEV-X", "A04,1,ROBO")),
    "another seed": (1, "round/policy.toml", told("20251105", "20251106")),
    "another group": (1, "round/applicants.csv", told("A10,1975-08-31,G05;G06", "A10,1975-08-31,G05")),
    "who gave up is still there": (1, "round/applicants.csv", told("withdrawn", "")),
    "an answer that nobody gave": (1, "round/decisions.csv", more("A03,NEV-Y,confirmed,,x")),
    "a rejection for another reason": (1, "round/decisions.csv", told("面试不合格", "缺席")),
    "a file too many": (1, "round/reserves.csv", more("WELD,G16,1,0")),
    "a seat that nobody was given": (1, "placements.csv", more("10,A12,ROBO,1,waiting,accepted")),
    "a published seat is gone": (1, "placements.csv", lambda d: d[: d.rindex(b"9,")]),
    "another published seat": (1, "placements.csv", told("NEV-X,1,result", "NEV-Y,1,result")),
    "who declined has accepted": (2, "placements.csv", told("1,result,declined", "1,result,accepted")),
    "who accepted is moved": (2, "placements.csv", told("NEV-X,1,result,accepted", "NEV-X,1,result,moved")),
    "a place called, but not given": (2, "placements.csv", told("WELD,1,waiting", "WELD,1,remedy")),
    "columns": (1, "placements.csv", told("number,", "no,")),
}  # fmt: skip


def rechained(folder: Path) -> None:
    """Make every digest of a chain fit what its files say now, as whoever altered them would."""
    parent, links = "", []
    for path in sorted((folder / "steps").iterdir()):
        about = json.loads((path / "step.json").read_bytes())
        if parent:
            about["parent"] = parent
        (path / "step.json").write_bytes(bundle.as_json(about))
        (path / "SHA256SUMS").unlink()
        text = bundle.sums(check_chain.files_of(path))
        (path / "SHA256SUMS").write_bytes(text)
        parent = check_chain.hashlib.sha256(text).hexdigest()
        links.append({"number": int(path.name), "sha256": parent})
    about = json.loads((folder / "chain.json").read_bytes())
    (folder / "chain.json").write_bytes(bundle.as_json(about | {"steps": links}))


def copied(chained: Path, to: Path) -> Path:
    folder = to / "altered"
    shutil.copytree(chained, folder)
    for path in folder.rglob("*"):
        path.chmod(0o700)
    return folder


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_fact_off_by_one_is_refused(name: str, chained: Path, tmp_path: Path) -> None:
    step, file, change = MUTATIONS[name]
    folder = copied(chained, tmp_path)
    path = folder / "steps" / f"{step:04}" / file
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises((Wrong, check_chain.verify.Malformed)):
        check_chain.check(folder, lambda _: None)  # its digest tells
    rechained(folder)
    with pytest.raises((Wrong, check_chain.verify.Malformed)):
        check_chain.check(folder, lambda _: None)  # and so do the rules, whatever the digests


# --- the closing link -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, two steps, and the end of the list."""
    place = tmp_path_factory.mktemp("closed")
    with Flask(__name__, instance_path=str(place)).app_context():
        story = Story(place, Tables.read(EXAMPLE))
        answer(story, A02="declined", A07="declined", A04="waiting", A01="accepted")
        story.step()
        answer(story, A09="accepted")
        story.step()
        story.close()
    return story.finish()


def test_a_closing_link_says_that_nothing_follows(
    closed: Path, chained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_chain.main([str(closed)]) == 0
    said = capsys.readouterr().out
    assert "封口 / closed: " in said and "still open" not in said
    assert check_chain.main([str(chained)]) == 0, "a chain of before has none"
    assert "still open" in capsys.readouterr().out


def test_no_step_can_be_withheld_before_the_closing_link(closed: Path, tmp_path: Path) -> None:
    folder = copied(closed, tmp_path)
    shutil.rmtree(folder / "steps" / "0002")
    about = json.loads((folder / "chain.json").read_bytes())
    about["steps"].pop()
    (folder / "chain.json").write_bytes(bundle.as_json(about))
    with pytest.raises(Wrong, match="closing link"):
        check_chain.check(folder, lambda _: None)


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("step.json", told('"steps": 2', '"steps": 1')),
        ("step.json", told('"kind": "end"', '"kind": "step"')),
        ("step.json", told("2026-06-11", "2026-06-01")),
        ("step.json", told('"parent": "', '"parent": "0')),
        ("placements.csv", told("declined", "accepted")),
        ("placements.csv", more("99,A05,CARE,0,waiting,open")),
    ],
)
def test_a_closing_link_off_by_one_is_refused(
    closed: Path, tmp_path: Path, file: str, change: Change
) -> None:
    folder = copied(closed, tmp_path)
    path = folder / "end" / file
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(Wrong, match="摘要清单不符"):
        check_chain.check(folder, lambda _: None)
    (folder / "end" / "SHA256SUMS").unlink()
    text = bundle.sums(check_chain.files_of(folder / "end"))
    (folder / "end" / "SHA256SUMS").write_bytes(text)
    about = json.loads((folder / "chain.json").read_bytes())
    about["end"] = check_chain.hashlib.sha256(text).hexdigest()
    (folder / "chain.json").write_bytes(bundle.as_json(about))
    with pytest.raises(Wrong, match="closing link"):
        check_chain.check(folder, lambda _: None)


def test_a_closing_link_that_is_named_must_be_there(closed: Path, tmp_path: Path) -> None:
    folder = copied(closed, tmp_path)
    about = json.loads((folder / "chain.json").read_bytes())
    (folder / "chain.json").write_bytes(bundle.as_json({**about, "end": "0" * 64}))
    with pytest.raises(Wrong, match="链尾不符"):
        check_chain.check(folder, lambda _: None)
    shutil.rmtree(folder / "end")
    with pytest.raises(Wrong, match="缺了封口一环"):
        check_chain.check(folder, lambda _: None)


def test_links_must_be_whole_and_in_order(chained: Path, tmp_path: Path) -> None:
    folder = copied(chained, tmp_path)
    shutil.rmtree(folder / "steps" / "0001")
    with pytest.raises(Wrong, match="缺了一环"):
        check_chain.check(folder, lambda _: None)
    folder = copied(chained, tmp_path / "end")
    shutil.rmtree(folder / "steps" / "0002")
    with pytest.raises(Wrong, match="链尾不符"):
        check_chain.check(folder, lambda _: None)
    folder = copied(chained, tmp_path / "parent")
    path = folder / "steps" / "0002" / "step.json"
    about = json.loads(path.read_bytes()) | {"parent": "0" * 64}
    path.write_bytes(bundle.as_json(about))
    (path.parent / "SHA256SUMS").unlink()
    (path.parent / "SHA256SUMS").write_bytes(bundle.sums(check_chain.files_of(path.parent)))
    with pytest.raises(Wrong, match="没有接上前一环"):
        check_chain.check(folder, lambda _: None)
    folder = copied(chained, tmp_path / "head")
    with (folder / "publication.zip").open("ab") as file:
        file.write(b"x")
    with pytest.raises(Wrong, match="链头不符"):
        check_chain.check(folder, lambda _: None)


def test_what_is_no_chain_is_unreadable(
    chained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_chain.main([]) == 2 and "check_chain.py" in capsys.readouterr().out
    assert check_chain.main([str(tmp_path)]) == 2
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK")
    assert check_chain.main([str(broken)]) == 2
    leading_out = tmp_path / "out.zip"
    with zipfile.ZipFile(leading_out, "w") as archive:
        archive.writestr("../x", "x")
    assert check_chain.main([str(leading_out)]) == 1
    folder = copied(chained, tmp_path)
    (folder / "chain.json").write_bytes(b"[")
    assert check_chain.main([str(folder)]) == 2


def test_it_runs_alone_beside_the_verifier(chained: Path, tmp_path: Path) -> None:
    for source in (Path(check_chain.__file__), bundle.VERIFIER):
        shutil.copy(source, tmp_path)
    ran = subprocess.run(
        [sys.executable, "-I", str(tmp_path / "check_chain.py"), str(chained)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("/ step") == 2
