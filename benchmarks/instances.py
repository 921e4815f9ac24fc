"""The named instances: which round each measurement is taken on."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from matcher import Market, Policy, Tables, solve
from matcher.generate import synthetic

from .city import Shape, city, policy
from .contest import Contest, contest
from .figures import kernels

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "data" / "demo"
CACHE = ROOT / ".cache" / "benchmarks"
PLAIN_DEMO = CACHE / "demo-without-minimum"

CONTESTS: dict[str, tuple[int, int, int, float]] = {
    "2,000 x 100, 8 choices, seats 1.0": (2_000, 100, 8, 1.0),
    "2,000 x 100, 20 choices, seats 0.6": (2_000, 100, 20, 0.6),
    "5,000 x 150, 8 choices, seats 1.0": (5_000, 150, 8, 1.0),
    "5,000 x 150, 20 choices, seats 0.6": (5_000, 150, 20, 0.6),
    "10,000 x 300, 8 choices, seats 1.0": (10_000, 300, 8, 1.0),
}
"""Applicants, programs, length of every list, seats over applicants."""

TIED: dict[str, tuple[int, int, int, float, int]] = {
    "500 x 25, 20 marks": (500, 25, 6, 1.0, 20),
    "759 x 53, 20 marks": (759, 53, 6, 1.05, 20),
    "1,000 x 50, 20 marks": (1_000, 50, 6, 1.0, 20),
    "2,000 x 100, 20 marks": (2_000, 100, 6, 1.0, 20),
    "2,000 x 100, 5 marks": (2_000, 100, 6, 1.0, 5),
}
"""The same of contests with ties, and how many different scores there are.

The second has the size of a well-known round of placing young doctors, 759 at 53 hospitals.
"""

CITIES: dict[str, Shape] = {
    f"city {size}, seats {seats:.1f}{line}": Shape(*numbers, seats, consent)
    for size, numbers, ratios in (
        ("10,000 x 300", (10_000, 300), (1.0, 1.3, 1.5)),
        ("50,000 x 1,400", (50_000, 1_400), (1.0,)),
        ("200,000 x 5,000", (200_000, 5_000), (1.0,)),
    )
    for seats in ratios
    for line, consent in (("", 0), (", consent 78 %", 78))
}
"""Cities with every constraint, without and with consent to adjustment."""

NESTED = ", no cap crosses"
"""At the end of a city's name: the same city without the caps that cross others."""

PLAIN: dict[str, Shape] = {
    f"seats only, {size}{line}": Shape(*numbers, 1.0, consent, minimum=0, limits="plain")
    for size, numbers in (
        ("10,000 x 300", (10_000, 300)),
        ("50,000 x 1,400", (50_000, 1_400)),
        ("200,000 x 5,000", (200_000, 5_000)),
        ("1,000,000 x 28,000", (1_000_000, 28_000)),
    )
    for line, consent in (("", 0), (", consent 78 %", 78))
}
"""Cities without minimum sizes, reserves or caps."""

CHOICES, CHANNELS, BLOCK = 8, 4, 5_000
LARGE_APPLICANTS, LARGE_PROGRAMS, LARGE_SEATS = 200_000, 5_000, 38
MIDDLING_APPLICANTS, MIDDLING_PROGRAMS, MIDDLING_SEATS = 10_000, 300, 35


def named_contest(name: str, seed: int) -> Contest:
    """The contest of a name and a seed, always the same."""
    return contest(*CONTESTS[name], seed=seed)


def tied_market(name: str, seed: int) -> tuple[Market, Policy]:
    """The contest of a name and a seed whose scores tie, and its rules."""
    people, programs, choices, seats, marks = TIED[name]
    drawn = contest(people, programs, choices, seats, seed)
    tied = replace(drawn, score=drawn.score * marks // len(drawn.score))
    return tied.market(), drawn.policy()


def named_market(name: str, seed: int) -> Market:
    """The market of a name and a seed, always the same; the demo has no seed."""
    if name.startswith("demo"):
        tables = Tables.read(DEMO)
        return Market.from_tables(tables)
    shape = replace((CITIES | PLAIN)[name.removesuffix(NESTED)], seed=seed)
    if name.endswith(NESTED):
        shape = replace(shape, limits="nested")
    return city(shape).market()


def policy_of(name: str, mechanism: str) -> Policy:
    """The rules of a named market under a mechanism."""
    if name.startswith("demo"):
        return replace(Policy.from_tables(Tables.read(DEMO)), mechanism=mechanism)
    return policy(mechanism)


def warm() -> None:
    """Let kernels be compiled, where they are installed, before anything is timed."""
    if find_spec("numba") is not None:
        market = city(Shape(2_000, 60, limits="plain", minimum=0, seed=0)).market()
        with kernels(True):
            for mechanism in ("stable", "optimal"):
                solve(market, policy(mechanism))


def verified_round(name: str, seed: int) -> Tables:
    """The round of 20,000 applicants that is verified, by files."""
    if name == "20,000 x 300 x 8":
        tables = synthetic(20_000, 300, seed, reserves=True, minimum=40)
        policy = replace(Policy.from_tables(tables), mechanism="optimal")
        return Tables(tables.tables, policy.to_toml().encode())
    shape = Shape(20_000, 300, 1.0, 78 if "consent" in name else 0, seed=seed)
    return city(shape).tables()


def write_plain_demo() -> None:
    """Write the demo round with every minimum size set to 0."""
    tables = Tables.read(DEMO)
    classes = tables["order_classes"]
    classes.columns["min_size"] = ["0"] * len(classes)
    shutil.rmtree(PLAIN_DEMO, ignore_errors=True)
    tables.write(PLAIN_DEMO)


def large_round() -> Path:
    """A round of 200,000 applicants, 5,000 programs and 8 choices each, made once and kept.

    Everybody sits one of four exams and lists programs of that channel, popular ones more often;
    equal scores are common, so the lottery decides often.
    """
    return _plain_round("large", LARGE_APPLICANTS, LARGE_PROGRAMS, LARGE_SEATS, decimals=2)


def middling_round() -> Path:
    """A round of 10,000 applicants and 300 programs, alike but for whole scores and no draw yet.

    Dozens of people stand level in each exam at each point, so that the lottery has much to decide.
    """
    shape = MIDDLING_APPLICANTS, MIDDLING_PROGRAMS, MIDDLING_SEATS
    return _plain_round("middling", *shape, decimals=0, seed="")


def _plain_round(
    name: str, applicants: int, number: int, seats: int, decimals: int, seed: str = "00"
) -> Path:
    folder = CACHE / name
    if (folder / "policy.toml").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    people = [f"A{i:06}" for i in range(applicants)]
    programs = [f"P{p:04}" for p in range(number)]
    sits = rng.integers(0, CHANNELS, size=applicants)
    score = rng.normal(70, 10, size=applicants).clip(0, 100)
    popularity = 2 * rng.random(number // CHANNELS)
    _write(folder / "applicants.csv", "applicant", people)
    _write(
        folder / "programs.csv",
        "program,capacity,channel",
        (f"{p},{seats},K{at % CHANNELS}" for at, p in enumerate(programs)),
    )
    _write(
        folder / "scores.csv",
        "applicant,channel,score",
        (f"{a},K{k},{s:.{decimals}f}" for a, k, s in zip(people, sits, score, strict=True)),
    )
    lines = []
    for low in range(0, applicants, BLOCK):
        wish = popularity + rng.gumbel(size=(BLOCK, len(popularity)))
        best = np.argsort(-wish, axis=1)[:, :CHOICES]
        for row, chosen in enumerate(best.tolist(), start=low):
            lines += [
                f"{people[row]},{rank},{programs[at * CHANNELS + int(sits[row])]}"
                for rank, at in enumerate(chosen, start=1)
            ]
    _write(folder / "applications.csv", "applicant,rank,program", lines)
    policy = f'[policy]\ntitle = "{name}"\nround = "{name}"\n'
    policy += f'\n[lottery]\nseed = "{seed}"\n' if seed else ""
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    return folder


def _write(path: Path, header: str, lines: Iterable[str]) -> None:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
