"""Conflicts on the screen: a command of its own, and what is told where no placement keeps a round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

from .given import FOLDER, languages, read_round
from .market import Market
from .messages import Lang, sentence
from .solve import NoPlan
from .speaker import INVALID, UNPUBLISHABLE, Speaker
from .terminal import Voice


@click.command(name="conflicts")
@FOLDER
@languages
def conflicts_command(folder: Path, lang: str) -> None:
    """各项硬性要求能否同时满足，不能时差在哪里 / can all hard requirements be kept, and if not, why."""
    speaker = Speaker.of(lang)
    market = read_round(folder, speaker, drawn=False).market
    if _tell(speaker.out, market, speaker):
        raise click.exceptions.Exit(INVALID)


@contextmanager
def minding(speaker: Speaker) -> Iterator[None]:
    """End with the requirements that conflict, where no placement keeps a round."""
    try:
        yield
    except NoPlan as error:
        refuse(error.market, speaker)


def refuse(market: Market, speaker: Speaker) -> NoReturn:
    """Tell on standard error what conflicts, and end: nothing is written."""
    if not _tell(speaker.err, market, speaker):
        _unsure(speaker)
    raise click.exceptions.Exit(INVALID)


def reasons_against(market: Market, langs: Sequence[Lang]) -> Iterator[str]:
    """The lines that say what conflicts in a round that no placement keeps."""
    from .conflicts import explain, find
    from .mechanisms.feasible import SolversDisagree

    try:
        found = find(market)
    except SolversDisagree:
        yield from (sentence("conflict.unsure", lang) for lang in langs)
        return
    for lang in langs:
        yield from explain(found, lang)


def _tell(voice: Voice, market: Market, speaker: Speaker) -> bool:
    """Tell what conflicts in a round; whether anything does."""
    from .conflicts import explain, find
    from .mechanisms.feasible import SolversDisagree

    try:
        found = find(market)
    except SolversDisagree:
        _unsure(speaker)
    if found or voice is speaker.out:
        for lang in voice.langs:
            for line in explain(found, lang):
                voice.line(line)
    return bool(found)


def _unsure(speaker: Speaker) -> NoReturn:
    for lang in speaker.err.langs:
        speaker.err.line(sentence("conflict.unsure", lang))
    raise click.exceptions.Exit(UNPUBLISHABLE)
