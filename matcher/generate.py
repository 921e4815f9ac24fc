"""Seeded rounds: the fictional demo round, rounds in its likeness, and large synthetic ones.

The same arguments give the same bytes everywhere: draws come from `random.Random.random`, whose
stream Python guarantees, and from integer arithmetic.
"""

from __future__ import annotations

from pathlib import Path

from .demo.cases import BAD_CASES, CASES, BadCase, Case
from .demo.round import build_round
from .demo.world import Dice, apportion
from .tables import Table, Tables

__all__ = ["BAD_CASES", "CASES", "BadCase", "Case", "demo", "readme", "synthetic", "write_round"]

DEMO_SEED = 20260901


def demo(seed: int = DEMO_SEED) -> Tables:
    """The demo round: 10 colleges, 56 enterprises, 150 order classes, 5,000 applicants.

    Returns
    -------
    Tables
        A valid round with the cases of :data:`CASES` planted in classes of their own.
    """
    return build_round(5000, 150, seed, planted=True)


def write_round(applicants: int, classes: int, seed: int, folder: str | Path) -> None:
    """Write a round like the demo's, without planted cases, of any size.

    Parameters
    ----------
    applicants, classes
        How many of each; the shares of groups, industries and study forms are the demo's.
    seed
        Equal seeds give equal files.
    folder
        Made if it does not exist.
    """
    build_round(applicants, classes, seed, planted=False).write(folder)


def readme() -> str:
    """The text of ``data/demo/README.md``: what the round is, and the planted cases."""
    lines = [
        "# 演示数据 · Demo round",
        "",
        "虚构的首轮招生：10 所院校、56 家企业、150 个订单班、5,000 名申请人。院校、企业、人名均为虚构，"
        "未与任何名册核对；证件号码使用从未分配的区划 371099，不属于任何人。不得用作统计。",
        "",
        "A fictional first round: 10 colleges, 56 enterprises, 150 order classes, 5,000 applicants. "
        "Every name is invented and was checked against no register; identity numbers carry the "
        "unassigned area 371099 and can belong to nobody. The folder is written by "
        "`matcher.generate.demo()`, always with the same bytes; the policy's sources stand in "
        "`policy.toml`.",
        "",
        "## 植入的情形 · Planted cases",
        "",
        "Planted classes begin with `KC`, their people with `AC` and the number of the case; "
        "`x_case` marks both. Nobody else lists these classes. Cases that make a round invalid "
        "(11 and 12 among them) are `matcher.generate.BAD_CASES`; case 10 concerns the posting "
        "form and 20–26 the later work of the alliance, so they are not here.",
        "",
        "| case | who | where | 应当发生 | what must happen |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {c.number} | {c.who} | {c.where} | {c.zh} | {c.en} |" for c in CASES]
    return "\n".join(lines) + "\n"


def synthetic(
    applicants: int,
    classes: int,
    seed: int,
    *,
    programs_per_class: int = 1,
    choices: int = 8,
    seats_ratio: float = 1.0,
    consent: float = 0.0,
    scope: str = "alliance",
    reserves: bool = False,
    minimum: int = 0,
    ties: int = 0,
    channels: int = 0,
) -> Tables:
    """A plain round of any size for benchmarks and tests.

    Parameters
    ----------
    applicants, classes, programs_per_class
        Sizes; every class has as many programs.
    seed
        Equal arguments give equal rounds.
    choices
        Length of everybody's list, as far as there are programs.
    seats_ratio
        Seats in all, as a multiple of the applicants.
    consent, scope
        Share of applicants who consent to adjustment, and its scope.
    reserves
        Whether two groups, a fifth of the people each, have a tenth of each program's seats.
    minimum
        Least size of every class.
    ties
        How many different scores there are; 0 for scores that seldom tie.
    channels
        0 for a final score at each program listed; otherwise the number of exam channels, each
        person having one score in each.

    Returns
    -------
    Tables
        A valid round, to be solved by `stable` with sequential closing.

    Notes
    -----
    Popularity falls linearly from the first program to the last, four to one. Time and memory are
    linear in ``applicants * choices``.
    """
    dice = Dice(seed, 9)
    count = classes * programs_per_class
    programs = [f"P{p:05d}" for p in range(count)]
    homes = [f"K{p // programs_per_class:05d}" for p in range(count)]
    people = [f"A{i:06d}" for i in range(applicants)]
    tables = {"applicants": _people(dice, people, consent, scope, reserves)}
    seats = apportion(int(applicants * seats_ratio), [1] * count)
    names = [f"K{c:05d}" for c in range(classes)]
    tables["order_classes"] = Table(
        {
            "order_class": names,
            "min_size": [str(minimum)] * classes,
            "college": [f"C{c % max(1, classes // 15):04d}" for c in range(classes)],
        }
    )
    offers = {"program": programs, "capacity": [str(s) for s in seats], "order_class": homes}
    if channels:
        offers["channel"] = [f"CH{p // programs_per_class % channels + 1}" for p in range(count)]
    tables["programs"] = Table(offers)
    length = min(choices, count)
    lists = _lists(dice, applicants, count, length)
    tables["applications"] = Table(
        {
            "applicant": [name for name in people for _ in range(length)],
            "rank": [str(r) for r in range(1, length + 1)] * applicants,
            "program": [programs[p] for p in lists],
        }
    )
    tables["scores"] = _scores(dice, people, tables["applications"], ties, channels)
    if reserves:
        tables["reserves"] = Table(
            {
                "program": [name for name in programs for _ in range(2)],
                "group": ["G05", "G06"] * count,
                "seats": [str(s // 10) for s in seats for _ in range(2)],
            }
        )
    policy = (
        '[policy]\nround = "synthetic"\n\n[mechanism]\nclosure = "sequential"\n\n'
        f'[lottery]\nseed = "{seed % 2**64:016x}"\n'
    )
    return Tables(tables, policy.encode())


def _people(dice: Dice, people: list[str], consent: float, scope: str, reserves: bool) -> Table:
    columns = {"applicant": people}
    if reserves:
        columns["groups"] = [dice.pick(("G05", "G06", "", "", "")) for _ in people]
    if consent:
        share = int(consent * 1000)
        columns["adjustment"] = [scope if dice.chance(share, 1000) else "none" for _ in people]
    return Table(columns)


def _lists(dice: Dice, applicants: int, count: int, length: int) -> list[int]:
    """Distinct programs for each person, one list after the other; earlier ones more popular."""
    lists: list[int] = []
    below = dice.below
    for _ in range(applicants):
        own: list[int] = []
        while len(own) < length:
            p = below(count)
            # four to one from the first program to the last
            if below(4 * count) < 4 * count - 3 * p and p not in own:
                own.append(p)
        lists += own
    return lists


def _scores(dice: Dice, people: list[str], applications: Table, ties: int, channels: int) -> Table:
    levels = [str(k) for k in range(ties)] if ties else []
    if channels:
        columns = {
            "applicant": [name for name in people for _ in range(channels)],
            "channel": [f"CH{k + 1}" for k in range(channels)] * len(people),
        }
    else:
        columns = {c: list(applications[c]) for c in ("applicant", "program")}
    size = len(columns["applicant"])
    below = dice.below
    if ties:
        columns["score"] = [levels[below(ties)] for _ in range(size)]
    else:
        columns["score"] = [
            f"{m // 1000}.{m % 1000:03d}" for m in (below(100000) for _ in range(size))
        ]
    return Table(columns)
