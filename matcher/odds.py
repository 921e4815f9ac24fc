"""Odds: how often each applicant gets what, over many draws of the lottery that are not the real one.

Before the draw nobody knows her lottery number, and all are equally likely to be in any order.  So the
round is solved again and again, each time under a seed of its own, and the outcomes are counted.  Counts
are integers and counting is adding: it does not matter who counts which draws, nor in what order.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
import signal
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from . import lottery
from .cells import Int
from .market import Market, Wishes
from .mechanisms import kernels
from .policy import Policy
from .result import opened_classes
from .solve import matching, mechanism_of
from .tables import Tables

BATCH = 16
"""Draws that are handed out together at least."""

_SOON = 10_000_000
"""Edges over all the draws of a part that take some seconds."""

Z2 = 1.959963984540054**2
"""Square of the normal quantile that leaves 2.5 % on either side."""


@dataclass(frozen=True, eq=False)
class Odds:
    """Outcomes of a market counted over draws.

    Parameters
    ----------
    draws
        Draws counted.
    held
        Per edge of the market: in how many of them its owner held it.  Shape (e,).
    opened
        Per class: in how many of them it opened.  Shape (k,).
    set_aside
        Draws besides, not counted, as their outcome could not have been published.
    """

    draws: int
    held: Int
    opened: Int
    set_aside: int = 0

    @classmethod
    def nothing(cls, market: Market) -> Odds:
        """The counts of no draw at all."""
        edges, classes = len(market.program), len(market.min_size)
        return cls(0, np.zeros(edges, np.int64), np.zeros(classes, np.int64))

    def __add__(self, other: Odds) -> Odds:
        """The counts of both, which must be of the same market and of different draws."""
        return Odds(
            self.draws + other.draws,
            self.held + other.held,
            self.opened + other.opened,
            self.set_aside + other.set_aside,
        )


def seed_of_draw(digest: str, number: int) -> str:
    """The seed of a simulated draw: ``SHA-256("orderclass-odds-1|DIGEST|NUMBER")``, in hex.

    A real draw hashes a text that begins otherwise (:func:`matcher.lottery.draw_seed`), so the two
    could only agree if SHA-256 were broken.
    """
    return hashlib.sha256(f"orderclass-odds-1|{digest}|{number}".encode()).hexdigest()


def odds(
    market: Market,
    policy: Policy,
    draws: int,
    executor: Executor | None = None,
    start: int = 0,
    *,
    progress: Callable[[int], object] = lambda done: None,
) -> Odds:
    """How often each applicant gets what, over draws number ``start`` to ``start + draws − 1``.

    Parameters
    ----------
    market, policy
        The round; its seed plays no part, and it need not have one.
    draws, start
        How many, and the number of the first.
    executor
        Who solves them; by default this process, one after another.
    progress
        Told how many draws have just been done.

    Raises
    ------
    UnsupportedConstraint
        If the round asks for something that the mechanism cannot honour.

    Notes
    -----
    A function of the round and of the numbers of the draws: who solves them plays no part, and the
    policy's limit of time is lifted, as otherwise the machine would have its say.  Odds over disjoint
    numbers may be added.
    """
    mechanism_of(market, policy)
    digest = market.tables.digest()
    bare = _bare(market)
    policy = replace(policy, time_s=0)
    end = start + draws
    # Fewer parts where they are soon done, as each is sent the market; but enough to share out.
    size = max(BATCH, min(8 * BATCH, draws // 8, _SOON // max(1, len(market.program))))
    parts = [range(low, min(low + size, end)) for low in range(start, end, size)]
    total = Odds.nothing(market)
    with closing(_counted(bare, policy, digest, parts, executor)) as counted:
        for part in counted:
            total += part
            progress(part.draws + part.set_aside)
    return total


def _counted(
    market: Market, policy: Policy, digest: str, parts: list[range], executor: Executor | None
) -> Generator[Odds, None, None]:
    """The counts of each part, as they come."""
    if executor is None:
        yield from (_count(market, policy, digest, part) for part in parts)
        return
    waiting = {executor.submit(_count, market, policy, digest, part) for part in parts}
    try:
        for done in as_completed(waiting):
            waiting.discard(done)  # … and its counts with it
            yield done.result()
    finally:
        for left in waiting:
            left.cancel()


def _count(market: Market, policy: Policy, digest: str, numbers: range) -> Odds:
    """The counts over the draws of these numbers, in this process."""
    seeds = [seed_of_draw(digest, number) for number in numbers]
    compiled = kernels(len(numbers) * len(market.program))
    if compiled is not None and _closes_in_turn(market, policy):
        return _count_compiled(market, policy, seeds, compiled)
    return _count_one_by_one(market, policy, seeds)


def _closes_in_turn(market: Market, policy: Policy) -> bool:
    """Whether deferred acceptance, seats and sequential closing are all there is to a draw."""
    return (
        policy.mechanism in ("stable", "parallel")
        and (policy.closure == "sequential" or not (market.min_size > 1).any())
        and policy.reserve_order != "open_first"
        and not market.reserves
        and not market.caps
    )


def _count_compiled(
    market: Market, policy: Policy, seeds: list[str], compiled: ModuleType
) -> Odds:
    """The same by a kernel; the draws that it leaves unsettled one by one."""
    held, opened, settled = compiled.draws(
        [bytes.fromhex(seed) for seed in seeds],
        [lottery.text(policy.round, applicant) for applicant in market.applicants],
        compiled.Classes(market.class_of, market.min_size, market.class_order),
        market.start, market.program, market.level, market.capacity,
    )  # fmt: skip
    left = [seed for seed, done in zip(seeds, settled.tolist(), strict=True) if not done]
    return Odds(len(seeds) - len(left), held, opened) + _count_one_by_one(market, policy, left)


def _count_one_by_one(market: Market, policy: Policy, seeds: list[str]) -> Odds:
    """The same by the mechanism."""
    total = Odds.nothing(market)
    draws = 0
    for seed in seeds:
        drawn = lottery.numbers(bytes.fromhex(seed), policy.round, market.applicants)
        placed, publishable = matching(market.under(drawn), replace(policy, seed=seed))
        if not publishable:
            continue
        draws += 1
        edges = market.edges_of(placed)
        total.held[edges[edges >= 0]] += 1
        total.opened[opened_classes(market, placed)] += 1
    return replace(total, draws=draws, set_aside=len(seeds) - draws)


def _bare(market: Market) -> Market:
    """The market without its draw, and without what every process would be sent and none would read."""
    return replace(
        market,
        drawn=[b""] * len(market.applicants),
        tables=Tables({}, b""),
        barred=(),
        wishes=Wishes(*np.zeros((3, 0), np.int64)),
    )


@contextmanager
def processes(number: int) -> Iterator[Executor | None]:
    """So many processes of this machine; for one, None: this process itself.

    They are started afresh (``spawn``), which is the same on every system and safe beside threads.
    """
    if number == 1:
        yield None
        return
    pool = ProcessPoolExecutor(number, get_context("spawn"), _obey_interrupts)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _obey_interrupts() -> None:
    """Let Ctrl-C end a process at once: it has nothing to put in order, and nobody to tell."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


# --- what the counts say


FILE = "odds.csv"
COLUMNS = ["applicant", "rank", "program", "draws", "times"]


def unplaced(market: Market, found: Odds) -> Int:
    """In how many draws each applicant got nothing.  Shape (n,)."""
    sums = np.append(0, np.cumsum(found.held))
    left: Int = found.draws - np.diff(sums[market.start])
    return left


def to_csv(market: Market, found: Odds) -> bytes:
    """The file ``odds.csv``: a row for each choice, each seat of adjustment reached, and for none.

    Applicants come by id, the rows of each in her order of preference: her choices, adjustment (rank
    0), then unplaced (rank and program blank).  Her times add up to the draws.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    without = unplaced(market, found).tolist()
    start, draws = market.start.tolist(), found.draws
    for i in sorted(range(len(market.applicants)), key=market.applicants.__getitem__):
        for edge in _told(market, found, start[i], start[i + 1]):
            program = market.programs[market.program[edge]]
            times = int(found.held[edge])
            writer.writerow([market.applicants[i], int(market.rank[edge]), program, draws, times])
        writer.writerow([market.applicants[i], "", "", draws, without[i]])
    return text.getvalue().encode()


def write(folder: Path, market: Market, found: Odds) -> Path:
    """Write ``odds.csv`` into a folder, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path, tmp = folder / FILE, folder / f"{FILE}.tmp"
    try:
        with tmp.open("wb") as file:
            file.write(to_csv(market, found))
            file.flush()
            os.fsync(file.fileno())
        tmp.replace(path)
    finally:
        tmp.unlink(missing_ok=True)
    return path


def _told(market: Market, found: Odds, low: int, high: int) -> list[int]:
    """The edges of one applicant that are worth a row: her choices, and adjustment that came about."""
    told = (market.rank[low:high] > 0) | (found.held[low:high] > 0)
    return [low + at for at in np.flatnonzero(told).tolist()]


def interval(times: int, draws: int) -> tuple[int, int]:
    """Wilson's 95 % interval of a probability, in thousandths, rounded outwards.

    It holds what the draws cannot rule out: what never happened may still be possible.  (Wilson,
    Journal of the American Statistical Association 1927, doi 10.1080/01621459.1927.10502953.)

    >>> interval(500, 1000), interval(0, 10_000), interval(10_000, 10_000)
    ((469, 531), (0, 1), (999, 1000))
    """
    if not draws:
        return 0, 1000
    half = math.sqrt(Z2 * (times * (draws - times) / draws + Z2 / 4))
    low, high = ((times + Z2 / 2 + side) / (draws + Z2) for side in (-half, half))
    least, most = math.floor(1000 * low), math.ceil(1000 * high)
    return 0 if times == 0 else max(0, least), 1000 if times == draws else min(1000, most)


def summary(market: Market, found: Odds) -> dict[str, Any]:
    """How far the lottery decides: people by what it leaves open, and classes that it may open.

    ``people`` counts those who had the same seat in every draw (``same``), a seat in every draw but
    not the same (``which``), a seat in some draws (``whether``), and none in any (``never``).
    """
    without, draws = unplaced(market, found), found.draws
    same, never = int((found.held == draws).sum()), int((without == draws).sum())
    always = int((without == 0).sum())
    people = {
        "same": same,
        "which": always - same,
        "whether": len(without) - always - never,
        "never": never,
    }
    opened = found.opened.tolist()
    depends = [
        {
            "order_class": market.order_classes[c],
            "min_size": int(market.min_size[c]),
            "times": opened[c],
        }
        for c in sorted(range(len(opened)), key=lambda c: (opened[c], market.order_classes[c]))
        if 0 < opened[c] < draws
    ]
    classes = {
        "always": sum(times == draws for times in opened),
        "sometimes": len(depends),
        "never": opened.count(0),
    }
    return {
        "draws": draws,
        "set_aside": found.set_aside,
        "people": people,
        "classes": classes,
        "depends": depends,
    }


@dataclass(frozen=True, slots=True)
class Chance:
    """One line of what an applicant is told.

    Parameters
    ----------
    code
        ``chance_choice``, ``chance_adjusted``, ``chance_unplaced``, or ``chance_barred`` for a choice
        that the law removed.
    rank, program
        Of the choice; 0 in adjustment, 0 and blank where she is unplaced.
    times
        In how many draws; 0 for a barred choice.
    rule
        Which rule bars.
    """

    code: str
    rank: int = 0
    program: str = ""
    times: int = 0
    rule: str = ""


def chances(market: Market, found: Odds, applicant: int) -> list[Chance]:
    """What one applicant may expect: her list, barred choices in their place; adjustment; nothing."""
    low, high = market.start[applicant : applicant + 2].tolist()
    lines = []
    for edge in _told(market, found, low, high):
        rank, program = int(market.rank[edge]), market.programs[market.program[edge]]
        code = "chance_choice" if rank else "chance_adjusted"
        lines.append(Chance(code, rank, program, int(found.held[edge])))
    hers = market.wishes.applicant == applicant
    ranks = dict(
        zip(market.wishes.program[hers].tolist(), market.wishes.rank[hers].tolist(), strict=True)
    )
    lines += [
        Chance("chance_barred", ranks[b.program], market.programs[b.program], rule=b.rule)
        for b in market.barred
        if b.applicant == applicant
    ]
    lines.sort(key=lambda line: (line.code == "chance_adjusted", line.rank))
    return [*lines, Chance("chance_unplaced", times=int(unplaced(market, found)[applicant]))]
