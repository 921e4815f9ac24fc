"""A round as the command line is given it: read, or refused with everything that is wrong with it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from .market import Market
from .policy import Policy
from .speaker import INVALID, Speaker
from .tables import InvalidRound, Tables
from .validate import validate

FOLDER = click.argument("folder", type=click.Path(path_type=Path))
RESULT = click.option(
    "--result", "out", metavar="OUT", type=click.Path(path_type=Path),
    help="结果文件夹，默认 FOLDER/result / result folder",
)  # fmt: skip
TIME = click.option(
    "--time-s", metavar="SECONDS", type=click.IntRange(min=0),
    help="限时（秒），代替规则里的 limits.time_s / limit of time, in place of the policy's",
)  # fmt: skip


def languages(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that speaks Chinese, English or both."""
    chosen = click.Choice(["zh", "en", "both"])
    return click.option(
        "--lang", type=chosen, default="both", show_default=True, help="语言 / language"
    )(command)


@dataclass(frozen=True)
class Given:
    """A round as given: its folder, tables, rules and market."""

    folder: Path
    tables: Tables
    policy: Policy
    market: Market

    def within(self, time_s: int | None) -> Given:
        """The round with so many seconds to solve it, where any are named.

        No rule is changed by it: more time ends the work, it never leads to another outcome.
        """
        if time_s is None:
            return self
        return replace(self, policy=replace(self.policy, time_s=time_s))


def read_tables(folder: Path, speaker: Speaker) -> Tables:
    """The tables of a folder, or the end."""
    if folder.exists() and not folder.is_dir():
        speaker.stop(INVALID, "not_a_folder", path=folder)
    with speaker.minding(folder):
        try:
            return Tables.read(folder)
        except FileNotFoundError:
            speaker.stop(INVALID, "folder_missing", path=folder)


def read_round(
    folder: Path, speaker: Speaker, mechanism: str | None = None, drawn: bool = True
) -> Given:
    """Read a round, or list everything that is wrong with it and end."""
    return as_given(folder, read_tables(folder, speaker), speaker, mechanism, drawn)


def as_given(
    folder: Path, tables: Tables, speaker: Speaker, mechanism: str | None = None, drawn: bool = True
) -> Given:
    """The round of some tables, or everything that is wrong with them and the end."""
    try:
        policy = Policy.from_tables(tables)
        if mechanism:
            policy = replace(policy, mechanism=mechanism)
        return Given(folder, tables, policy, Market.from_tables(tables, policy, drawn))
    except InvalidRound:
        speaker.refuse(validate(tables, drawn))


def must_exist(folder: Path, out: Path, speaker: Speaker) -> None:
    """End with the command that makes the result, where there is none and nothing in its place."""
    if (out / "result.json").is_file():
        return
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        speaker.stop(INVALID, "no_result", path=out)
    command = ["python", "-m", "matcher", "solve", str(folder)]
    if out != folder / "result":
        command += ["--out", str(out)]
    speaker.stop(INVALID, "result_missing", path=out, command=shlex.join(command))
