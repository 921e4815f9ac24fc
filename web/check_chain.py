#!/usr/bin/env python3
"""核对公示之后的递补链。 Check the chain of waiting-list steps that followed a publication.

    python check_chain.py CHAIN

CHAIN 是递补链的压缩包，或解压后的文件夹；旁边要有 verify.py。
CHAIN is the chain's archive, or the folder that it unpacks to; verify.py lies beside this file.

只用 Python 标准库，不联网。公示结果本身用 verify.py 检验。
Standard library only; it never goes online.  The published result itself is verify.py's to check.

Of every link: its files are what their digests say, and it names the link before it.  Its round is the
published one, under the original draw, with what the answers changed and nothing else.  Answers only
follow one another as they may: nobody who accepted a place was moved from it, except those who waited,
to a choice that they like better; no program holds more than its seats.  Its calls are made again from
the rules: each goes to a free seat that its person wants, no class falls below its minimum by those
who leave it, nobody who was not called has a higher priority there, and every place on the lists is
right.

结果 / exit status: 0 成立 it holds · 1 不成立 broken · 2 看不懂 unreadable
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import json
import sys
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

CITY = timezone(timedelta(hours=8))
OPEN, HOLDING = "open", ("accepted", "waiting")
GAVE_UP = ("declined", "silent", "lapsed", "absent", "left")
ENDED = (*GAVE_UP, "moved", "released")
LIVE = (OPEN, *HOLDING)
SOURCES = ("result", "waiting", "remedy", "ruling")
AFTER = {
    "open": {"open", *HOLDING, *ENDED},
    "accepted": {*HOLDING, *ENDED} - {"moved"},
    "waiting": {*HOLDING, *ENDED},
}
"""What a place may have become by the next step; one that has ended stays as it is."""

CHANGED = ("applicants.csv", "programs.csv", "decisions.csv")
PLACES = ["number", "applicant", "program", "rank", "source", "state"]
STAGES = ("open_first", "hard", "soft", "open")

Row = dict[str, str]
Item = tuple[Any, int]


class Wrong(Exception):
    """Something that does not hold, or cannot be read; a sentence in both languages."""


def tool() -> ModuleType:
    """The verifier that lies beside this file, which reads a round and applies its rules."""
    here = Path(__file__).resolve().parent
    for path in (here / "verify.py", here.parent / "matcher" / "verify.py"):
        if path.is_file():
            spec = importlib.util.spec_from_file_location("chain_verify", path)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = module
            spec.loader.exec_module(module)
            return module
    raise Wrong("找不到 verify.py / verify.py is not beside this file")


verify = tool()


class Seat(NamedTuple):
    """A place that was offered: its number in the round, to whom, where, and what became of it."""

    number: int
    applicant: str
    program: str
    rank: str
    source: str
    state: str


# --- reading ------------------------------------------------------------------------------------


def expect(right: bool, zh: str, en: str) -> None:
    """Stop unless something holds."""
    if not right:
        raise Wrong(f"{zh} / {en}")


def table(data: bytes) -> list[Row]:
    """The rows of a table."""
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))


def filled(rows: Iterable[Mapping[str, str]]) -> Counter[tuple[tuple[str, str], ...]]:
    """Rows as they compare: without blank cells, in any order."""
    return Counter(tuple(sorted((k, v) for k, v in row.items() if v)) for row in rows)


def files_of(folder: Path) -> dict[str, bytes]:
    """The files below a folder, by their names within it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def unpack(path: Path, to: Path) -> None:
    """Unpack an archive, whose names must stay within the folder."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            within = not Path(name).is_absolute() and ".." not in Path(name).parts
            expect(within, f"文件名不对：{name}", f"a name that leads out: {name}")
        archive.extractall(to)


def digest_of(files: dict[str, bytes]) -> str:
    """The digest of a link: of the list of its files' digests, which must be right."""
    stated = files.pop("SHA256SUMS", b"")
    lines = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    whole = "".join(lines).encode() == stated
    expect(whole, "文件与摘要清单不符", "files differ from their digests")
    return hashlib.sha256(stated).hexdigest()


def seats_of(data: bytes) -> list[Seat]:
    """The places of a link, in the order in which they were offered."""
    rows = table(data)
    head = data.decode("utf-8").partition("\n")[0].split(",")
    expect(head == PLACES, "placements.csv 表头不对", "placements.csv: columns")
    seats = [Seat(int(row["number"]), *(row[name] for name in PLACES[1:])) for row in rows]
    for at, seat in enumerate(seats, start=1):
        good = seat.number == at and seat.source in SOURCES and seat.state in (*LIVE, *ENDED)
        expect(good, f"placements.csv 第 {at} 行不对", f"placements.csv: row {at}")
    return seats


def gone(seats: Iterable[Seat]) -> set[str]:
    """Those who gave a place up and hold none."""
    states: dict[str, set[str]] = defaultdict(set)
    for seat in seats:
        states[seat.applicant].add(seat.state)
    kept = {*LIVE, "released"}
    return {a for a, hers in states.items() if hers & set(GAVE_UP) and not hers & kept}


# --- what the answers make of the round ---------------------------------------------------------


def answers(seats: list[Seat], given: list[Row]) -> Iterator[Row]:
    """The decisions that follow from the answers."""
    rejected = {(r["applicant"], r["program"]) for r in given if r["decision"] == "rejected"}
    live = {(seat.applicant, seat.program) for seat in seats if seat.state in LIVE}
    seen = set()
    for seat in seats:
        pair = seat.applicant, seat.program
        if seat.state in HOLDING:
            found = ["confirmed", "waiting"][: 1 + (seat.state == "waiting")]
        else:
            found = ["declined"] if seat.state in ENDED and pair not in live else []
        for decision in found if pair not in rejected else ():
            if (*pair, decision) not in seen:
                yield {"applicant": pair[0], "program": pair[1], "decision": decision}
            seen.add((*pair, decision))


def same_round(base: dict[str, bytes], files: dict[str, bytes], seats: list[Seat]) -> None:
    """The round of a link is the published one with what the answers changed and nothing else."""
    same = {*base, "decisions.csv"} == {*files, "decisions.csv"}
    expect(same, "轮次文件有增减", "files of the round came or went")
    for name in sorted(set(base) - set(CHANGED)):
        expect(base[name] == files[name], f"{name} 被改过", f"{name} was changed")
    people, out = table(base["applicants.csv"]), gone(seats)
    for row in people:
        if row["applicant"] in out:
            row["review"] = "withdrawn"
    same = filled(people) == filled(table(files["applicants.csv"]))
    expect(same, "applicants.csv 与答复不符", "applicants.csv does not follow from the answers")
    before, after = table(base["programs.csv"]), table(files["programs.csv"])
    for row in [*before, *after]:
        row.pop("capacity")
    expect(filled(before) == filled(after), "programs.csv 被改过", "programs.csv was changed")
    given = table(base["decisions.csv"]) if "decisions.csv" in base else []
    stated = table(files["decisions.csv"]) if "decisions.csv" in files else []
    for row in [*given, *stated]:  # only the reason of an answer is not checked
        if row["decision"] in ("confirmed", "waiting", "declined"):
            row["basis"] = ""
    same = filled([*given, *answers(seats, given)]) == filled(stated)
    expect(same, "decisions.csv 与答复不符", "decisions.csv does not follow from the answers")


def follows(before: list[Seat], after: list[Seat], calls: list[Row]) -> None:
    """Places after a link: the same with what they may have become, then the calls, then others."""
    expect(len(after) >= len(before), "少了已有的席位", "a place that was offered is missing")
    for old, new in zip(before, after, strict=False):
        may = AFTER.get(old.state, {old.state})
        expect(
            old._replace(state="") == new._replace(state="") and new.state in may,
            f"{old.applicant} 在 {old.program} 的席位由 {old.state} 变成 {new.state}",
            f"the place of {old.applicant} at {old.program} went from {old.state} to {new.state}",
        )  # fmt: skip
    came = [seat for seat in after[len(before) :] if seat.source == "waiting"]
    called = Counter((c["applicant"], c["program"], c["rank"]) for c in calls)
    same = called == Counter((s.applicant, s.program, s.rank) for s in came)
    expect(same, "递补的人与上一步不符", "the people called are not those of the step before")
    late = any(seat.source == "result" for seat in after[len(before) :])
    expect(not late, "公示后又有公示的席位", "a published place came after the publication")


# --- the waiting list, made again ---------------------------------------------------------------


class Now:
    """The round as a link has it: who sits where, and whom each program would take beside them."""

    def __init__(self, given: Any, seats: list[Seat], published: Iterable[str]) -> None:
        self.given, self.chooser = given, verify.Chooser(given)
        self.wishes: dict[int, dict[int, tuple[int, Any]]] = {}
        self.held: dict[int, int] = {}
        self.asked: dict[int, int] = {}
        self.willing: set[int] = set()
        self.settled: set[int] = set()
        self.others: Counter[int] = Counter()
        self.live: Counter[int] = Counter()
        self.items: dict[int, list[Item]] = defaultdict(list)
        begun = {given.find(name).home.id for name in published}
        self.open = {c.id for c in given.classes.values() if c.min_size <= 1 or c.id in begun}
        for seat in seats:
            if seat.state in LIVE:
                self._sit(seat)
        self.base = {p.index: self._base(p, self.items[p.index]) for p in given.programs}

    def _sit(self, seat: Seat) -> None:
        a, p = self.given.who(seat.applicant), self.given.find(seat.program).index
        self.live[p] += 1
        wish = self.wants_all(a).get(p)
        if wish is None:  # a place that the rules would not give her: by a remedy
            self.others[p] += 1
            self.settled.add(a.index)
            return
        self.items[p].append((wish[1].key, a.index))
        if seat.state == OPEN:
            once = a.index not in self.asked
            expect(once, f"{a.id} 同时有两个待答复的席位", f"{a.id} is asked about two places")
            self.asked[a.index] = p
        if seat.state in HOLDING or seat.source == "result":
            expect(a.index not in self.held, f"{a.id} 同时有两个席位", f"{a.id} holds two places")
            self.held[a.index] = p
        if seat.state == "waiting":
            self.willing.add(a.index)
        elif seat.state == "accepted":
            self.settled.add(a.index)

    def _base(self, program: Any, items: list[Item]) -> dict[str, list[Item]]:
        found = self.chooser.choose(program, sorted(items))
        return {
            "open_first": found.first, "hard": found.hard, "soft": found.soft,
            "open": found.open + found.refused,
        }  # fmt: skip

    def wants_all(self, a: Any) -> dict[int, tuple[int, Any]]:
        """Her list and tail, in her order: program → rank and what the program sees of her."""
        if a.index not in self.wishes:
            wishes = self.given.everything(a)
            self.wishes[a.index] = {p: (rank, view) for p, rank, view in wishes}
        return self.wishes[a.index]

    def rather(self, a: Any, *stops: int | None) -> Iterator[tuple[int, int, Any]]:
        """The programs of open classes that she prefers to some, each with rank and view."""
        if a.index in self.settled:
            return
        for p, (rank, view) in self.wants_all(a).items():
            if p in stops:
                return
            if self.given.programs[p].home.id in self.open:
                yield p, rank, view

    def hoped(self, a: Any) -> Iterator[tuple[int, int, Any]]:
        """The programs on whose lists she stands."""
        return self.rather(a, self.held.get(a.index), self.asked.get(a.index))

    def may_be_called(self, a: Any) -> bool:
        """Whether she waits, or has nothing; and is not asked already."""
        return a.index not in self.asked and (a.index not in self.held or a.index in self.willing)

    def left(self, p: int, base: Mapping[str, list[Item]]) -> int:
        """The seats of a program beside those of some people."""
        size = sum(map(len, base.values())) + self.others[p]
        return max(0, int(self.given.programs[p].capacity) - size)

    def beside(
        self, p: int, people: list[Item], base: Mapping[str, list[Item]]
    ) -> list[tuple[Item, str]]:
        """Whom a program takes of some people beside those whom it keeps, each with the stage."""
        program, left = self.given.programs[p], self.left(p, base)
        taken: list[tuple[Item, str]] = []
        if self.chooser.open_first:
            first = int(program.capacity) - int(program.reserved)
            number = max(0, min(left, first - sum(map(len, base.values()))))
            taken = [(item, "open_first") for item in people[:number]]
            people = people[number:]
        for stage, seats in (("hard", program.hard), ("soft", program.soft)):
            if not seats:
                continue
            full = self.chooser.fill(seats, [*base[stage], *people])[0]
            new = full[len(base[stage]) :][: max(0, left - len(taken))]
            if stage == "hard":
                left -= sum(seats.values()) - len(full)
            taken += [(item, stage) for item in new]
            people = [item for item in people if item not in new]
        return taken + [(item, "open") for item in people[: max(0, left - len(taken))]]

    # --- the lists

    def lists(self) -> dict[tuple[str, str], list[str]]:
        """Who waits at each program for each kind of seat, in order."""
        waiting: dict[int, list[Item]] = defaultdict(list)
        for a in self.given.people:
            for p, _, view in self.hoped(a):
                waiting[p].append((view.key, a.index))
        found = {}
        for p, people in waiting.items():
            for stage, base in self._vacancies(p):
                if queue := self._queue(p, sorted(people), base):
                    name = self.given.programs[p].id, stage
                    found[name] = [self.given.people[i].id for _, i in queue]
        return found

    def _vacancies(self, p: int) -> Iterator[tuple[str, dict[str, list[Item]]]]:
        program, base = self.given.programs[p], self.base[p]
        kinds: list[tuple[str, list[Item]]] = []
        if self.chooser.open_first and program.capacity > program.reserved:
            kinds.append(("open_first", base["open_first"]))
        for stage, seats in (("hard", program.hard), ("soft", program.soft)):
            label = self.chooser.labels(seats, base[stage])
            for group in sorted(seats):
                mine = [item for item in base[stage] if label[item[1]] == group]
                kinds.append((f"{stage}:{group}", mine))
        for name, mine in [*kinds, ("open", base["open"])]:
            if mine:
                stay = [item for item in self.items[p] if item != mine[-1]]
                yield name, self._base(program, stay)
            elif self.left(p, base):
                yield name, base

    def _queue(self, p: int, people: list[Item], base: dict[str, list[Item]]) -> list[Item]:
        at = {}
        for item in people:
            taken = self.beside(p, [item], base)
            if taken:
                at[item] = STAGES.index(taken[0][1])
        return sorted(at, key=lambda item: (at[item], item))

    # --- the calls

    def check(self, calls: list[Row]) -> None:
        """The calls are right, and nobody else should have been called."""
        called: dict[int, list[Item]] = defaultdict(list)
        to: dict[int, int] = {}
        for row in calls:
            a, p = self.given.who(row["applicant"]), self.given.find(row["program"]).index
            options = {q: (rank, view) for q, rank, view in self.hoped(a)}
            name = f"{a.id} → {row['program']}"
            expect(
                p in options and self.may_be_called(a) and a.index not in to,
                f"不该递补：{name}", f"not to be called: {name}",
            )  # fmt: skip
            held = self.held.get(a.index)
            stated = self.given.programs[held].id if held is not None else ""
            same = row["rank"] == str(options[p][0]) and row["from"] == stated
            expect(same, f"递补的志愿或原席位不对：{name}", f"rank or place before: {name}")
            called[p].append((options[p][1].key, a.index))
            to[a.index] = p
        for p, people in called.items():
            people.sort()
            taken = [item for item, _ in self.beside(p, people, self.base[p])]
            expect(
                sorted(taken) == people,
                f"{self.given.programs[p].id} 没有那么多空席",
                f"more are called to {self.given.programs[p].id} than it has free seats",
            )  # fmt: skip
        load = [
            sum(self.live[p] + len(called.get(p, ())) for p in cap.programs)
            for cap in self.given.caps
        ]
        for cap, number in zip(self.given.caps, load, strict=True):
            over = number > cap.seats and any(called[p] for p in cap.programs)
            expect(not over, f"超过总量上限 {cap.id}", f"over the cap {cap.id}")
        self._leaving(to)
        self._nobody_before(called, to, load)

    def _leaving(self, to: Mapping[int, int]) -> None:
        """Those who go, or may go, keep their classes and their required seats filled."""
        home = {p.index: p.home.id for p in self.given.programs}
        self.size = Counter(home[p] for p in self.held.values())
        self.begun = Counter(self.size)
        self.unjudged: list[str] = []
        self.staying = {p.index: list(self.items[p.index]) for p in self.given.programs}
        going = {i: p for i, p in self.asked.items() if i in self.held and p != self.held[i]}
        for i, p in going.items():
            self._leave(i, p, home)
        for i, p in to.items():
            if i not in self.held:
                continue
            before, need = self.held[i], self.given.programs[self.held[i]].home.need
            must = self._must(before, self.staying[before])
            self._leave(i, p, home)
            short = home[p] != home[before] and self.size[home[before]] < need
            fewer = self._must(before, self.staying[before]) < must
            expect(
                not short and not fewer,
                f"{self.given.people[i].id} 离开后原班不足最低人数",
                f"by the leave of {self.given.people[i].id} her class is too small",
            )  # fmt: skip

    def _leave(self, i: int, p: int, home: Mapping[int, str]) -> None:
        before = self.held[i]
        self.staying[before] = [item for item in self.staying[before] if item[1] != i]
        self.size[home[before]] -= home[p] != home[before]

    def _must(self, p: int, items: list[Item]) -> int:
        """How many of the seats that must be filled these people fill."""
        seats = dict(self.given.programs[p].must)
        return len(self.chooser.fill(seats, sorted(items))[0]) if seats else 0

    def _tied(self, a: Any, p: int) -> bool:
        """Whether she must stay where she is, so that her class or a required seat is kept."""
        held = self.held.get(a.index)
        if held is None:
            return False
        home = self.given.programs[held].home
        small = home.id != self.given.programs[p].home.id and self.size[home.id] <= home.need
        now = self.staying[held]
        stay = [item for item in now if item[1] != a.index]
        return small or self._must(held, stay) < self._must(held, now)

    def _wanted_out(self, a: Any, p: int) -> bool:
        """Whether so many want out of her class that some had to stay: whom, is counted, not judged."""
        held = self.held.get(a.index)
        if held is None:
            return False
        home = self.given.programs[held].home
        others = [
            b for b in self.given.people
            if b.index in self.willing and self.given.programs[self.held[b.index]].home is home
            and any(self.given.programs[q].home is not home for q, _, _ in self.hoped(b))
        ]  # fmt: skip
        inside = self.given.programs[p].home is home
        return not inside and self.begun[home.id] - len(others) < home.need

    def _nobody_before(
        self, called: Mapping[int, list[Item]], to: Mapping[int, int], load: list[int]
    ) -> None:
        """Nobody wants a seat that somebody of lower priority is called to, or that is left free."""
        full = [n >= cap.seats for n, cap in zip(load, self.given.caps, strict=True)]
        free = {p.index for p in self.given.programs if self.left(p.index, self.base[p.index])}
        for a in self.given.people:
            if not self.may_be_called(a):
                continue
            for p, _, view in self.hoped(a):
                if p == to.get(a.index):
                    break
                if p not in free:
                    continue
                item, others = (view.key, a.index), called.get(p, [])
                got = [one for one, _ in self.beside(p, sorted([*others, item]), self.base[p])]
                if item not in got or self._tied(a, p):
                    continue
                if self._wanted_out(a, p):
                    self.unjudged.append(a.id)
                    continue
                name = f"{a.id} → {self.given.programs[p].id}"
                expect(
                    len(got) > len(others), f"优先者未递补：{name}", f"comes before others: {name}"
                )
                expect(
                    any(full[c] for c in self.given.programs[p].caps),
                    f"空席无人递补：{name}", f"a free seat is left: {name}",
                )  # fmt: skip


# --- the walk -----------------------------------------------------------------------------------


class Walk:
    """A chain, read link by link from its publication on."""

    def __init__(self, folder: Path, work: Path) -> None:
        self.folder, self.work = folder, work
        bundle = folder / "publication.zip"
        self.digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
        unpack(bundle, work / "publication")
        place = work / "publication" / "round"
        self.base = {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()}
        self.given = verify.Round(place)
        rows = table((place / "result" / "placements.csv").read_bytes())
        self.placed = {row["applicant"]: (row["program"], row["rank"]) for row in rows}
        self.published = sorted({program for program, _ in self.placed.values() if program})
        self.seats: list[Seat] = []
        self.calls: list[Row] = []
        self.unjudged: list[str] = []
        self.parent, self.day = self.digest, ""

    def later(self, folder: Path) -> Any:
        """The round of a link under the draw of the published one."""
        seed = self.given.seed

        class Later(verify.Round):  # type: ignore[misc, name-defined]
            def read_seed(self, path: Path) -> bytes:
                return bytes(seed)

        return Later(folder)

    def link(self, number: int) -> str:
        """One step: what it says of itself, its round, its places, its lists and its calls."""
        folder = self.folder / "steps" / f"{number:04}"
        files = files_of(folder)
        digest = digest_of(files)
        about = self._about(files, number=number)
        day = self._day(about)
        expect(day > self.day, "一天内递补两次", "two steps on one day")
        seats, calls = seats_of(files["placements.csv"]), table(files["calls.csv"])
        self._since(seats)
        inside = {n.removeprefix("round/"): d for n, d in files.items() if n.startswith("round/")}
        same_round(self.base, inside, seats)
        now = Now(self.later(folder / "round"), seats, self.published)
        self._moved(seats)
        for held in now.given.programs:
            fits = now.live[held.index] <= held.capacity
            expect(fits, f"{held.id} 超过席位数", f"{held.id} holds more than its seats")
        now.check(calls)
        self.unjudged = now.unjudged
        self._lists(now, table(files["waiting.csv"]))
        right = about["called"] == len(calls)
        expect(right, "step.json 的递补人数不对", "step.json: number called")
        self.seats, self.calls, self.parent, self.day = seats, calls, digest, day
        return digest

    def end(self, number: int) -> str:
        """The closing link: so many steps there were, and what has become of every place."""
        files = files_of(self.folder / "end")
        expect(bool(files), "缺了封口一环", "the closing link is missing")
        digest = digest_of(files)
        about = self._about(files, kind="end", steps=number)
        expect(self._day(about) >= self.day, "封口早于最后一步", "it ends before the last step")
        seats = seats_of(files["placements.csv"])
        self._since(seats)
        self._moved(seats)
        return digest

    def _about(self, files: Mapping[str, bytes], **facts: Any) -> Any:
        """What a link says of itself: its place in this chain."""
        about = json.loads(files["step.json"])
        facts |= {"algorithm": "sha256", "round": self.given.policy.round}
        same = all(about.get(name) == value for name, value in facts.items())
        expect(same, "step.json 的轮次、序号或算法不对", "step.json: round, number or algorithm")
        linked = about["parent"] == self.parent and about["publication"] == self.digest
        expect(linked, "没有接上前一环", "it does not follow the link before it")
        return about

    @staticmethod
    def _day(about: Any) -> str:
        return str(datetime.fromisoformat(about["at"]).astimezone(CITY).date())

    def _since(self, seats: list[Seat]) -> None:
        """Places follow from those of the link before, or from what was published."""
        if self.day:
            follows(self.seats, seats, self.calls)
        else:
            self._published(seats)

    def _published(self, seats: list[Seat]) -> None:
        """The first places are those that were published."""
        given = {s.applicant: (s.program, s.rank) for s in seats if s.source == "result"}
        expect(
            given == {who: place for who, place in self.placed.items() if place[0]}
            and len(given) == sum(s.source == "result" for s in seats)
            and not any(s.source == "waiting" for s in seats),
            "起点不是公示的结果", "it does not begin at the published result",
        )  # fmt: skip

    def _moved(self, seats: list[Seat]) -> None:
        """Who was moved has been given, since, a place that she prefers."""
        for seat in seats:
            if seat.state != "moved":
                continue
            a = self.given.who(seat.applicant)
            order = list(dict.fromkeys([*a.listed, *(p for p, _, _ in self.given.tail(a))]))
            places = {p: at for at, p in enumerate(order)}  # one that no rule gave her comes last
            before = places.get(self.given.find(seat.program).index, len(order))
            later = (
                places.get(self.given.find(other.program).index, len(order))
                for other in seats[seat.number :]
                if other.applicant == seat.applicant
                and other.state not in (OPEN, "declined", "silent")
            )
            better = min(later, default=before) < before
            expect(better, f"{a.id} 被移到不更好的志愿", f"{a.id} was moved to no better choice")

    @staticmethod
    def _lists(now: Now, rows: list[Row]) -> None:
        """Every place on the waiting lists is right."""
        stated: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in rows:
            name = row["program"], row["stage"]
            stated[name].append(row["applicant"])
            a = now.given.who(row["applicant"])
            held = now.held.get(a.index)
            state = "waiting" if a.index in now.willing else "unanswered"
            place = now.given.programs[held].id if held is not None else ""
            wish = now.wants_all(a).get(now.given.find(row["program"]).index)
            expect(
                row["place"] == str(len(stated[name])) and row["from"] == place
                and row["state"] == (state if place else "unplaced")
                and wish is not None and row["listed"] == str(int(wish[0] > 0))
                and row["score"] == ("" if wish[1].shown[0] is None
                                     else verify.canonical(wish[1].shown[0]))
                and row["lottery"] == f"{a.lottery:064x}",
                f"候补名单有误：{name} {a.id}", f"the waiting list of {name}: {a.id}",
            )  # fmt: skip
        expect(dict(stated) == now.lists(), "候补次序不对", "the order of a waiting list is wrong")


def check(path: Path, say: Callable[[str], object] = print) -> list[str]:
    """Walk a chain; returns the digests of its links.

    Raises
    ------
    Wrong
        With the first thing that does not hold.
    """
    with tempfile.TemporaryDirectory() as work:
        folder = path
        if path.is_file():
            folder = Path(work) / "chain"
            unpack(path, folder)
        stated = json.loads((folder / "chain.json").read_bytes())
        walk = Walk(folder, Path(work))
        same = stated["publication"] == walk.digest and stated["round"] == walk.given.policy.round
        expect(same, "公示全包与链头不符", "the published bundle is not the head of the chain")
        say(f"公示 / publication: {walk.digest}")
        names = sorted(path.name for path in folder.glob("steps/*"))
        right = [f"{number:04}" for number in range(1, len(names) + 1)]
        expect(names == right, "缺了一环", "a link is missing")
        found = []
        for number in range(1, len(names) + 1):
            try:
                found.append(walk.link(number))
            except Wrong as error:
                raise Wrong(f"第 {number} 步 / step {number}: {error}") from None
            more = f" · 未判 / not judged: {len(walk.unjudged)}" if walk.unjudged else ""
            say(f"第 {number} 步 / step {number}: {found[-1]} · {len(walk.calls)}{more}")
        links = [{"number": at, "sha256": digest} for at, digest in enumerate(found, start=1)]
        expect(stated["steps"] == links, "链尾不符", "the list of links is not this chain's")
        if not (stated.get("end") or (folder / "end").exists()):
            say("递补尚未封口，之后可能还有 / still open: more links may follow")
            return found
        try:
            found.append(walk.end(len(found)))
        except Wrong as error:
            raise Wrong(f"封口 / closing link: {error}") from None
        expect(stated.get("end") == found[-1], "链尾不符", "the closing link is not this chain's")
        say(f"封口 / closed: {found[-1]}")
        return found


def main(arguments: list[str]) -> int:
    """Run the command line."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    try:
        check(Path(arguments[0]))
    except (Wrong, verify.Malformed, verify.Unreadable) as error:
        print(f"不成立 / broken: {error}")
        return 1
    except (OSError, ValueError, LookupError, TypeError, zipfile.BadZipFile, csv.Error) as error:
        print(f"看不懂 / unreadable: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print(
        "成立：递补链完整，每一步都按规则。 Holds: the chain is whole, and each step follows the rules."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
