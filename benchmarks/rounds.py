"""Rounds from their files: every step to the report, the odds before the draw, the verifier.

Nothing of ``matcher`` is imported up here, as loading it is one of the stages.
"""

from __future__ import annotations

import json
import resource
import tempfile
from dataclasses import replace
from pathlib import Path

from .figures import Figure, Seconds, clocked, peak_mb


def measure_round(folder: str, mechanism: str, closure: str, seed: str) -> list[Figure]:
    """A round from its files to its report, everything written; rounds on disk have no seed."""
    stages: Seconds = {}
    with clocked(stages, "import"):
        from matcher import Market, Policy, Tables, solve
        from matcher.explain import explain
        from matcher.report import report
        from matcher.verify import verify
    with clocked(stages, "read"):
        tables = Tables.read(folder)
    policy = replace(Policy.from_tables(tables), mechanism=mechanism, closure=closure)
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
        raise ValueError(f"{folder}: a claim is broken\n{verdict.to_json()}")
    return _told(stages, "in all", *stages)


def measure_large(seed: str) -> list[Figure]:
    """Reading, checking and building the large market; deferred acceptance on it."""
    stages: Seconds = {}
    with clocked(stages, "import"):
        from matcher import Market, Policy, Tables, solve
    from .instances import large_round

    folder = large_round()
    with clocked(stages, "read"):
        tables = Tables.read(folder)
    policy = Policy.from_tables(tables)
    with clocked(stages, "check and build"):
        market = Market.from_tables(tables, policy)
    with clocked(stages, "deferred acceptance"):
        solve(market, policy)
    return _told(stages, "construction", "read", "check and build")


def measure_odds(draws: str, seed: str) -> list[Figure]:
    """Odds over so many draws by two processes: the seconds of all three, and half of them."""
    stages: Seconds = {}
    with clocked(stages, "import"):
        from matcher import Market, Policy, Tables
        from matcher.odds import odds, processes
    from .instances import middling_round, warm

    warm()
    folder = middling_round()
    with clocked(stages, "read"):
        tables = Tables.read(folder)
    policy = Policy.from_tables(tables)
    with clocked(stages, "check and build"):
        market = Market.from_tables(tables, policy, drawn=False)
    with clocked(stages, "draws, all processes"), processes(2) as pool:
        odds(market, policy, int(draws), pool)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    stages["draws, all processes"] += children.ru_utime + children.ru_stime
    half = Figure("draws, each of two processes", stages["draws, all processes"] / 2)
    return [*_told(stages, "in all", *stages), half]


def measure_verify(name: str, seed: str) -> list[Figure]:
    """Solving a round by ``optimal``, writing it with its certificate, and verifying all of it."""
    from matcher import Market, Policy, solve
    from matcher.verify import verify

    from .instances import verified_round

    tables = verified_round(name, int(seed))
    policy, stages = Policy.from_tables(tables), Seconds()
    market = Market.from_tables(tables, policy)
    with tempfile.TemporaryDirectory() as folder:
        tables.write(folder)
        out = Path(folder, "result")
        with clocked(stages, "solve"):
            result = solve(market, policy)
        with clocked(stages, "write"):
            result.write(out, market, tables.digest(), policy.round)
        with clocked(stages, "verify"):
            verdict = verify(folder, out)
        size = sum(file.stat().st_size for file in out.iterdir()) / 2**20
    if verdict.broken:
        raise ValueError(f"{name}: a claim is broken\n{verdict.to_json()}")
    proven = all(claim.status == "PROVED" for claim in verdict.claims)
    return [
        *_told(stages, "in all", *stages),
        Figure("pairs", len(market.program), "pairs"),
        Figure("size of the result", size, "MB"),
        Figure("every claim proved", float(proven), ""),
    ]


def _told(stages: Seconds, total: str, *parts: str) -> list[Figure]:
    """The stages, the sum of some of them, and the greatest memory."""
    figures = [Figure(stage, seconds) for stage, seconds in stages.items()]
    figures.append(Figure(total, sum(stages[part] for part in parts)))
    return [*figures, Figure("peak memory", peak_mb(), "MB")]
