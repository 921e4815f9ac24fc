"""The named instances: which round each measurement is taken on."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .contest import Contest, contest

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "data" / "demo"
CACHE = ROOT / ".cache" / "benchmarks"

CONTESTS: dict[str, tuple[int, int, int, float]] = {
    "2,000 x 100, 8 choices, seats 1.0": (2_000, 100, 8, 1.0),
    "2,000 x 100, 20 choices, seats 0.6": (2_000, 100, 20, 0.6),
    "5,000 x 150, 8 choices, seats 1.0": (5_000, 150, 8, 1.0),
    "5,000 x 150, 20 choices, seats 0.6": (5_000, 150, 20, 0.6),
}
"""Applicants, programs, length of every list, seats over applicants."""

CHOICES, CHANNELS, BLOCK = 8, 4, 5_000
LARGE_APPLICANTS, LARGE_PROGRAMS, LARGE_SEATS = 200_000, 5_000, 38
MIDDLING_APPLICANTS, MIDDLING_PROGRAMS, MIDDLING_SEATS = 10_000, 300, 35


def named_contest(name: str) -> Contest:
    """The contest of a name, always the same."""
    return contest(*CONTESTS[name], seed=1)


def demo_without_minimum() -> Path:
    """The demo round with every minimum size set to 0, as ``optimal`` takes it."""
    from matcher import Tables

    folder = CACHE / "demo-without-minimum"
    tables = Tables.read(DEMO)
    classes = tables["order_classes"]
    classes.columns["min_size"] = ["0"] * len(classes)
    shutil.rmtree(folder, ignore_errors=True)
    tables.write(folder)
    return folder


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
