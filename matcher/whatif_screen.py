"""Counterfactuals on the screen: what was supposed, who moves, and what would have been enough."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from . import terminal
from .changes import FORMS, OPTIONS, WHAT_IF, Change, Choices, Score, Seats, Withdraw, faults, read
from .enough import Missed, Opening, Search, of_applicant, of_class
from .messages import Lang, sentence, word
from .tables import InvalidRound, Issue, split
from .terminal import Voice
from .whatif import (
    Comparison,
    SeatValue,
    Solved,
    full_programs,
    value_of_seats,
    whatif,
)  # fmt: skip

MOVES = ("applicant", "from", "to", "change")
"""The columns of ``moves.csv``."""

LARGE = 20_000
"""A round with so many pairs takes longer to solve than a process to start."""

Said = tuple[str, dict[str, object]]
"""The code of a sentence, and its numbers."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks: changes as texts by kind, and questions about the round."""

    changes: Mapping[str, Sequence[str]]
    applicant: str | None = None
    order_class: str | None = None
    value_of_seats: bool = False
    programs: str | None = None


HELP = {
    "--seats": "席位增减 / more or fewer seats",
    "--score": "成绩，分项写 A,P,interview=85 / a score, or a component",
    "--withdraw": "退出 / withdraws",
    "--open": "不论人数都开 / kept open",
    "--close": "不招人 / takes nobody",
    "--list": "另一份志愿表 / another list",
}
"""What the help says of each kind of change."""


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command with an option for each kind of change, which may be given again and again."""
    for option, form in reversed(FORMS.items()):
        named = click.option(option, multiple=True, metavar=form, help=HELP[option])
        command = named(command)
    return command


def understood(asked: Asked, base: Solved) -> tuple[Change, ...]:
    """The changes that are asked for.

    Raises
    ------
    InvalidRound
        With everything that cannot be understood, or asks about what the round has not.
    """
    found = [read(f"--{name}", text) for name, texts in asked.changes.items() for text in texts]
    issues = [item for item in found if isinstance(item, Issue)]
    market = base.market
    named: list[tuple[str, Sequence[str | None], Sequence[str]]] = [
        ("--applicant", [asked.applicant], market.applicants),
        ("--class", [asked.order_class], market.order_classes),
        ("--programs", split(asked.programs or ""), market.programs),
    ]
    for option, values, known in named:
        unknown = [v for v in values if v is not None and v not in set(known)]
        issues += [Issue(WHAT_IF, 0, option, "change_unknown", v) for v in unknown]
    if asked.programs is not None and not asked.value_of_seats:
        issues.append(
            Issue(WHAT_IF, 0, "--programs", "change_syntax", asked.programs,
                  "P1;P2 --value-of-seats")
        )  # fmt: skip
    questions = (asked.applicant, asked.order_class)
    if not found and questions == (None, None) and not asked.value_of_seats and not issues:
        issues.append(Issue(WHAT_IF, 0, "", "change_nothing"))
    changes = tuple(item for item in found if not isinstance(item, Issue))
    issues += faults(base.tables, changes)
    if issues:
        raise InvalidRound(issues)
    return changes


def answer(voice: Voice, aside: Voice, asked: Asked, base: Solved, out: Path | None) -> None:
    """Print what is asked; questions are about the round as changed.

    Parameters
    ----------
    voice, aside
        Who tells the answer, and who its progress.
    asked, base
        The questions and the round.
    out
        Folder for ``moves.csv``, if somebody wants it.
    """
    demo = base.policy.demo
    changes = understood(asked, base)
    if changes:
        found = whatif(base.tables, base.policy, changes, base)
        _compared(voice, found, demo)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            (out / "moves.csv").write_bytes(moves_csv(found))
            voice.say("written", path=out / "moves.csv")
        base = found.after
    if asked.applicant is not None:
        missed = of_applicant(base, asked.applicant, jobs=_jobs(base))
        _told(voice, [_none_missed(asked.applicant)] if not missed else [])
        for one in missed:
            _told(voice, of_missed(asked.applicant, one, voice.mark(demo)))
    if asked.order_class is not None:
        _told(voice, of_opening(of_class(base, asked.order_class)), voice.mark(demo))
    if asked.value_of_seats:
        programs = split(asked.programs) if asked.programs else full_programs(base)
        _seat_values(voice, _valued(aside, base, programs), voice.mark(demo))


def _jobs(base: Solved) -> int:
    """As many processes as there are processors, where a round is large enough to pay for them."""
    return os.cpu_count() or 1 if len(base.market.program) >= LARGE else 1


def moves_csv(found: Comparison) -> bytes:
    """The file ``moves.csv``: everybody who moves, by id."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(MOVES)
    writer.writerows((m.applicant, m.before, m.after, m.change) for m in found.moves)
    return text.getvalue().encode()


def _told(voice: Voice, said: Iterable[Said], mark: str = "") -> None:
    """Every sentence on lines of its own."""
    for code, numbers in said:
        for lang in voice.langs:
            voice.line(mark + sentence(f"whatif.{code}", lang, **_in(lang, numbers)))


def _in(lang: Lang, numbers: Mapping[str, object]) -> dict[str, object]:
    """The numbers of a sentence, those that are codes as words."""
    told = dict(numbers)
    if "rules" in told:
        rules = (word("rule", rule, lang) for rule in str(told.pop("rules")).split(";"))
        told["rule"] = ("、" if lang == "zh" else ", ").join(rules)
    for name in {"change", "component"} & set(told):
        told[name] = word(name, str(told[name]), lang)
    if told.get("have") == "":
        told["have"] = sentence("notice.blank", lang)
    if told.get("program") == "":
        told["program"] = word("choice", "unplaced", lang)
    return told


# --- a comparison


def of_change(change: Change) -> Said:
    """What a change supposes."""
    code = OPTIONS[type(change)].removeprefix("--")
    if isinstance(change, Seats):
        return code, {"program": change.program, "more": f"{change.more:+d}"}
    if isinstance(change, Score):
        return code, {
            "applicant": change.applicant, "at": change.at, "value": change.value,
            "component": change.component,
        }  # fmt: skip
    if isinstance(change, Choices):
        return code, {"applicant": change.applicant, "entries": ";".join(change.entries) or "—"}
    if isinstance(change, Withdraw):
        return code, {"applicant": change.applicant}
    return code, {"order_class": change.order_class}


def _compared(voice: Voice, found: Comparison, demo: bool) -> None:
    _told(voice, map(of_change, found.changes), voice.mark(demo))
    voice.line("")
    terminal.comparison(voice, found.figures, demo, ("before", "after"))
    for kept in found.kept:
        numbers = {"order_class": kept.order_class, "placed": kept.placed}
        _told(voice, [("kept", {**numbers, "min_size": kept.min_size})])
    if not found.moves:
        _told(voice, [("nobody_moves", {})])


# --- one applicant, one class


def _none_missed(applicant: str) -> Said:
    return "none_missed", {"applicant": applicant}


def of_missed(applicant: str, one: Missed, mark: str = "") -> Iterator[Said]:
    """What is told of one program that somebody would rather have: never another person's score."""
    numbers = {"applicant": f"{mark}{applicant}", "rank": one.rank, "program": one.program}
    yield "missed", numbers
    if one.barred:
        yield "barred", {"rules": ";".join(one.barred)}
        return
    yield from _of_score(one)
    yield "seat_enough" if one.seat else "seat_not_enough", {"others": one.others}
    if one.first:
        yield "order_first", {}
    elif not one.first_change:
        yield "order_same", {}
    else:
        yield "order_moves", {"program": one.first_gives, "change": one.first_change}


def _of_score(one: Missed) -> Iterator[Said]:
    if one.score is None:
        yield "score_none", {}
        return
    told = one.told or one.score.value is None
    if one.score.value is None:
        yield "score_never", {}
    elif told:
        yield "score_enough", {"need": one.need, "have": one.have}
    else:
        yield "score_withheld", {}
    if not one.score.sure and told:
        yield "not_sure", {"tried": one.score.tried}
    if not one.score.monotone:
        yield "not_monotone", {}


def of_opening(found: Opening) -> Iterator[Said]:
    """What is told of a class."""
    numbers = {"order_class": found.order_class, "placed": found.placed}
    if found.more is None:
        yield "class_open", numbers
        return
    yield "class_closed", {**numbers, "min_size": found.min_size}
    if found.more.value is None:
        yield "class_more_never", {}
    else:
        yield "class_more", {"number": found.more.value}
    yield from _unsure(found.more)
    if found.minimum is not None:
        yield "class_lower", {"number": found.minimum, "more": found.minimum + 1}
    else:
        yield "class_lower_never", {}
    if found.lower is not None:
        yield from _unsure(found.lower)


def _unsure(search: Search) -> Iterator[Said]:
    if not search.sure:
        yield "class_not_sure", {"tried": search.tried}
    if not search.monotone:
        yield "not_monotone", {}


# --- the value of seats


def _valued(aside: Voice, base: Solved, programs: Sequence[str]) -> list[SeatValue]:
    """The value of one more seat at each program, with a bar while it is found."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=aside.output) as progress:
        task = progress.add_task(aside.name("step", "seats"), total=len(programs))
        return value_of_seats(base, programs, _jobs(base), lambda: progress.advance(task))


def _seat_values(voice: Voice, values: Sequence[SeatValue], mark: str) -> None:
    heads = [
        (voice.heading("program"), "left"), (voice.heading("seats"), "right"),
        (voice.heading("more_placed"), "right"), (voice.name("change", "better", "\n"), "right"),
        (voice.name("change", "worse", "\n"), "right"), (voice.name("change", "same", "\n"), "right"),
        (voice.name("title", "moves", "\n"), "right"),
    ]  # fmt: skip
    rows = [
        (v.program, v.capacity, v.placed, v.better, v.worse, v.same, v.moves) for v in values
    ]  # fmt: skip
    voice.table(voice.name("title", "value_of_seats", " · "), heads, rows, mark)
