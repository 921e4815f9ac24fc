"""One measurement in a process of its own, so that its memory is its own: prints one JSON object.

python -m benchmarks.child round FOLDER MECHANISM     a round, from files to its report
python -m benchmarks.child large FOLDER               construction and acceptance at full size
python -m benchmarks.child odds FOLDER DRAWS          draws of the lottery, counted by two processes
python -m benchmarks.child contest NAME REPEATS       ours and the peers, in turns
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

Seconds = dict[str, float]


@contextmanager
def clocked(stages: Seconds, name: str) -> Iterator[None]:
    """Enter the CPU seconds of a block under a name."""
    begin = time.process_time()
    yield
    stages[name] = time.process_time() - begin


def peak_mb() -> float:
    """The most memory that this process has held, in megabytes.

    Not the resource module's figure where the kernel tells: that one starts at the parent's size.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_round(folder: str, mechanism: str) -> dict[str, Any]:
    """A round from its files to its report, everything written."""
    stages: Seconds = {}
    with clocked(stages, "import"):
        from matcher import Market, Policy, Tables, solve
        from matcher.explain import explain
        from matcher.report import report
        from matcher.verify import verify
    with clocked(stages, "read"):
        tables = Tables.read(folder)
    policy = replace(Policy.from_tables(tables), mechanism=mechanism)
    with clocked(stages, "check and build"):
        market = Market.from_tables(tables, policy)
    with tempfile.TemporaryDirectory() as out:
        with clocked(stages, "solve"):
            result = solve(market, policy)
        with clocked(stages, "write"):
            result.write(out, market, tables.digest(), policy.round)
        with clocked(stages, "verify"):
            verdict = verify(folder, out)
        with clocked(stages, "explain everybody"):
            reasons = [person.to_json() for person in explain(market, policy, result)]
            Path(out, "reasons.jsonl").write_text("\n".join(reasons) + "\n", encoding="utf-8")
        with clocked(stages, "report"):
            figures = json.dumps(report(market, policy, result), ensure_ascii=False)
            Path(out, "report.json").write_text(figures, encoding="utf-8")
    if verdict.broken:
        raise SystemExit(f"{folder}: a claim is broken\n{verdict.to_json()}")
    return {"stages": stages, "sums": {"in all": sum(stages.values())}, "peak_mb": peak_mb()}


def measure_large(folder: str) -> dict[str, Any]:
    """Reading, checking and building the large market; deferred acceptance on it."""
    stages: Seconds = {}
    with clocked(stages, "import"):
        from matcher import Market, Policy, Tables, solve
    with clocked(stages, "read"):
        tables = Tables.read(folder)
    policy = Policy.from_tables(tables)
    with clocked(stages, "check and build"):
        market = Market.from_tables(tables, policy)
    with clocked(stages, "deferred acceptance"):
        solve(market, policy)
    construction = stages["read"] + stages["check and build"]
    return {"stages": stages, "sums": {"construction": construction}, "peak_mb": peak_mb()}


def measure_odds(folder: str, draws: int) -> dict[str, Any]:
    """Odds over so many draws: seconds of this process and of the two that count, added up."""
    stages: Seconds = {}
    with clocked(stages, "import"):
        from matcher import Market, Policy, Tables
        from matcher.odds import odds, processes
    with clocked(stages, "read"):
        tables = Tables.read(folder)
    policy = Policy.from_tables(tables)
    with clocked(stages, "check and build"):
        market = Market.from_tables(tables, policy, drawn=False)
    with clocked(stages, "draws, all processes"), processes(2) as pool:
        odds(market, policy, draws, pool)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    stages["draws, all processes"] += children.ru_utime + children.ru_stime
    return {"stages": stages, "sums": {"in all": sum(stages.values())}, "peak_mb": peak_mb()}


def measure_contest(name: str, repeats: int) -> dict[str, Any]:
    """Every side's seconds of building and solving, in turns; all matchings must be identical."""
    from .instances import named_contest
    from .peers import by_algmatch, by_matcher, by_matching, deeply

    contest = named_contest(name)
    sides: dict[str, Callable[..., Any]] = {
        "orderclass": by_matcher,
        "matching": by_matching,
        "algmatch": by_algmatch,
    }
    rounds = []
    for _ in range(repeats):
        answers = {}
        for side, answer in sides.items():
            gc.collect()
            answers[side] = deeply(partial(answer, contest))
        if len({answer.matching for answer in answers.values()}) > 1:
            raise SystemExit(f"{name}: the matchings differ")
        rounds.append({s: {"build": a.build, "solve": a.solve} for s, a in answers.items()})
    placed = sum(p >= 0 for p in answers["orderclass"].matching)
    return {"rounds": rounds, "placed": placed}


def main() -> None:
    """Run the measurement that the arguments name."""
    kind, *arguments = sys.argv[1:]
    if kind == "round":
        answer = measure_round(*arguments)
    elif kind == "large":
        answer = measure_large(*arguments)
    elif kind == "odds":
        answer = measure_odds(arguments[0], int(arguments[1]))
    else:
        answer = measure_contest(arguments[0], int(arguments[1]))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
