"""Counterfactuals on the screen: what was supposed, who moves, and what would have been enough."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from . import terminal
from .changes import (
    FORMS,
    OPTIONS,
    WHAT_IF,
    Change,
    Choices,
    Score,
    Seats,
    Withdraw,
    faults,
    has_full_width,
    read,
)
from .conflicts_screen import reasons_against
from .enough import Missed, Orders, beginnings_of, of_applicant, other_orders, wanted
from .least import TRIES, Search
from .messages import Lang, sentence, word
from .opening import Opening, of_class
from .seats import SeatValue, names, value_of_seats
from .tables import InvalidRound, Issue, split
from .terminal import Voice
from .whatif import Comparison, Solved, compared

MOVES = ("applicant", "from", "to", "change")
"""The columns of ``moves.csv``."""

MOVING = ("better", "worse", "same", "gained", "lost")
"""What a move may be to somebody whose list stays."""

SHOWN = ("better", "worse", "gained", "lost")
"""The moves that the screen has room for."""

CUT = "*"
"""Marks a program at which the search was cut short."""

LARGE = 20_000
"""A round with so many pairs takes longer to solve than a process to start."""

SLOW = 2.0
"""Seconds of a solve from which on the cost of trying many is told before."""

Said = tuple[str, dict[str, object]]
"""The code of a sentence, and its numbers."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks: changes as texts by kind, and questions about the round."""

    changes: Mapping[str, Sequence[str]]
    applicant: str | None = None
    program: str | None = None
    order_class: str | None = None
    value_of_seats: bool = False
    programs: str | None = None
    tries: int = TRIES


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
        ("--program", [asked.program], market.programs),
        ("--class", [asked.order_class], market.order_classes),
        ("--programs", split(asked.programs or ""), market.programs),
    ]
    for option, values, known in named:
        unknown = [v for v in values if v is not None and v not in set(known)]
        issues += [
            Issue(
                WHAT_IF,
                0,
                option,
                "change_full_width" if has_full_width(v) else "change_unknown",
                v,
            )
            for v in unknown
        ]
    listed = {*market.programs, *market.order_classes}
    issues += [
        Issue(WHAT_IF, 0, "--list", "change_full_width", entry)
        for item in found if isinstance(item, Choices)
        for entry in item.entries if has_full_width(entry) and entry not in listed
    ]  # fmt: skip
    nothing = asked.programs is not None and not split(asked.programs)
    if asked.programs is not None and (nothing or not asked.value_of_seats):
        issues.append(
            Issue(WHAT_IF, 0, "--programs", "change_syntax", asked.programs,
                  "P1;P2 --value-of-seats")
        )  # fmt: skip
    if asked.program is not None and asked.applicant is None:
        issues.append(
            Issue(WHAT_IF, 0, "--program", "change_syntax", asked.program, "P --applicant A")
        )
    questions = (asked.applicant, asked.order_class)
    if not found and questions == (None, None) and not asked.value_of_seats and not issues:
        issues.append(Issue(WHAT_IF, 0, "", "change_nothing"))
    changes = tuple(item for item in found if not isinstance(item, Issue))
    issues += faults(base.tables, changes, base.policy.mechanism) if changes else []
    if issues:
        raise InvalidRound(issues)
    return changes


def explain_rows(voice: Voice, issues: Iterable[Issue]) -> None:
    """Say of rows of the tables, where issues name any, that they are of the round as changed."""
    if any(issue.table != WHAT_IF for issue in issues):
        voice.say("as_changed")


def answer(voice: Voice, aside: Voice, asked: Asked, base: Solved, out: Path | None) -> Solved:
    """Print what is asked, and return the round that questions are about: the one as changed.

    Of an outcome that is not publishable nothing is asked, as another may be better.

    Parameters
    ----------
    voice, aside
        Who tells the answer, and who its progress.
    asked, base
        The questions and the round.
    out
        Folder for ``moves.csv``, ``seats.csv`` and ``seat_moves.csv``, if somebody wants them.
    """
    demo = base.policy.demo
    changes = understood(asked, base)
    if changes:
        found = compared(changes, base)
        _compared(voice, found, demo)
        _write(voice, out, "moves.csv", moves_csv(found))
        base = found.after
    if base.result.publishable:
        _answered(voice, aside, asked, base, out)
    elif (asked.applicant, asked.order_class) != (None, None) or asked.value_of_seats:
        _told(aside, [("unasked", {})])
    return base


def _answered(voice: Voice, aside: Voice, asked: Asked, base: Solved, out: Path | None) -> None:
    """Print what is asked of a round whose outcome is certain."""
    demo = base.policy.demo
    mark = voice.mark(demo)
    if asked.applicant is not None:
        _of_applicant(voice, aside, asked, base, mark)
    if asked.order_class is not None:
        if not base.result.opened[base.market.order_classes.index(asked.order_class)]:
            _foretell(aside, base, asked.tries)
        _of_class(voice, of_class(base, asked.order_class, asked.tries), mark, demo)
    if asked.value_of_seats:
        some = list(dict.fromkeys(split(asked.programs or "")))
        programs = some or base.market.programs
        values = _valued(aside, base, programs)
        _seat_values(voice, base, values, bool(asked.programs), mark)
        _write(voice, out, "seats.csv", seats_csv(values, names(base)))
        _write(voice, out, "seat_moves.csv", seat_moves_csv(values))


def _write(voice: Voice, out: Path | None, name: str, content: bytes) -> None:
    """Write a file into a folder, if somebody wants it."""
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
        voice.say("written", path=out / name)


def _foretell(aside: Voice, base: Solved, tries: int) -> None:
    """Say what a search may take where every try is a search of its own, by how long the round took."""
    if beginnings_of(base) is None and base.result.runtime > SLOW:
        seconds = f"{base.result.runtime:.1f}"
        aside.say("tries_cost", seconds=seconds, tries=tries)


def _jobs(base: Solved) -> int:
    """As many processes as there are processors, where a round is large enough to pay for them."""
    return os.cpu_count() or 1 if len(base.market.program) >= LARGE else 1


def moves_csv(found: Comparison) -> bytes:
    """The file ``moves.csv``: everybody who moves, by id."""
    return _csv(MOVES, ((m.applicant, m.before, m.after, m.change) for m in found.moves))


def seats_csv(values: Sequence[SeatValue], components: Sequence[str]) -> bytes:
    """The file ``seats.csv``: what one more seat at each program does, by value."""
    priced = any(v.price is not None for v in values)
    head = ["program", "capacity", *(f"price_{c}" for c in components if priced)]
    head += [*(f"gain_{c}" for c in components), "placed", *MOVING, "complete"]
    blank = ("",) * len(components)
    rows = (
        (v.program, v.capacity, *((v.price or blank) if priced else ()), *v.gain, v.placed,
         *map(v.people, MOVING), int(v.complete))
        for v in values
    )  # fmt: skip
    return _csv(head, rows)


def seat_moves_csv(values: Sequence[SeatValue]) -> bytes:
    """The file ``seat_moves.csv``: everybody who moves by one more seat at each program."""
    rows = ((v.program, m.applicant, m.before, m.after, m.change) for v in values for m in v.moved)
    return _csv(("one_more_at", *MOVES), rows)


def _csv(head: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue().encode()


def _told(voice: Voice, said: Iterable[Said], mark: str = "") -> None:
    """Every sentence on lines of its own."""
    for code, numbers in said:
        for lang in voice.langs:
            voice.line(mark + sentence(f"whatif.{code}", lang, **_in(lang, numbers)))


def _in(lang: Lang, numbers: Mapping[str, object]) -> dict[str, object]:
    """The numbers of a sentence, those that are codes as words."""
    told: dict[str, Any] = dict(numbers)
    if "rules" in told:
        rules = (word("rule", rule, lang) for rule in str(told.pop("rules")).split(";"))
        told["rule"] = ("、" if lang == "zh" else ", ").join(rules)
    if "parts" in told:
        told["parts"] = ("；" if lang == "zh" else "; ").join(
            f"{word('objective', name, lang)} {part:+d}" for name, part in told["parts"]
        )
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


# --- one applicant


def _of_applicant(voice: Voice, aside: Voice, asked: Asked, base: Solved, mark: str) -> None:
    """What would have placed somebody where she would rather be, or at the program asked about."""
    name = asked.applicant or ""
    programs = wanted(base, name)
    if asked.program is not None and asked.program not in programs:
        listed = {base.market.programs[p] for p in base.market.wishes.program[
            base.market.wishes.applicant == base.market.applicants.index(name)]}  # fmt: skip
        code = "not_missed" if asked.program in listed else "unlisted"
        _told(voice, [(code, {"applicant": name, "program": asked.program})], mark)
        return
    if asked.program is not None:
        programs = [asked.program]
    if not programs:
        _told(voice, [("none_missed", {"applicant": name})], mark)
        return
    _foretell(aside, base, asked.tries)
    with _bar(aside, "tries", len(programs)) as done:
        found = of_applicant(base, name, programs, asked.tries, _jobs(base), done=lambda: done(1))
    for one in found:
        _told(voice, of_missed(base, name, one, mark))
    if base.result.mechanism == "optimal":
        _told(voice, [("score_no_part", {})])
    if all(one.barred or one.best_order for one in found):
        return  # putting a choice first is proven to do as much as any order
    if asked.program is not None:
        _told(voice, [("order_only", {})])
        return
    with _bar(aside, "tries") as done:
        others = other_orders(base, name, found, asked.tries, done=lambda: done(1))
    _told(voice, of_orders(name, others, mark))


def of_orders(applicant: str, found: Orders, mark: str = "") -> Iterator[Said]:
    """What is told of further orders of somebody's list."""
    if not found.tried:
        return
    who = f"{mark}{applicant}"
    for one in found.better:
        yield "order_better", {
            "applicant": who, "entries": ";".join(one.entries), "program": one.gives,
            "change": one.change,
        }  # fmt: skip
    if not found.better:
        yield "orders_none", {"applicant": who}
    yield "orders_tried", {"tried": found.tried}
    if not found.complete:
        yield "cut_short", {}


def of_missed(base: Solved, applicant: str, one: Missed, mark: str = "") -> Iterator[Said]:
    """What is told of one program that somebody would rather have: never another person's score."""
    yield "missed", {"applicant": f"{mark}{applicant}", "rank": one.rank, "program": one.program}
    if one.barred:
        yield "barred_by_line" if one.score else "barred", {"rules": ";".join(one.barred)}
        yield from _of_score(one) if one.score else ()
        if not one.complete:
            yield "cut_short", {}
        return
    yield from _of_cost(base, one) if base.result.mechanism == "optimal" else _of_score(one)
    yield "seat_enough" if one.seat else "seat_not_enough", {"others": one.others}
    if one.first:
        yield "order_first", {}
    elif not one.first_change:
        yield "order_same", {}
    else:
        yield "order_moves", {"program": one.first_gives, "change": one.first_change}
    if not one.complete:
        yield "cut_short", {}


def _of_cost(base: Solved, one: Missed) -> Iterator[Said]:
    """What the best plan with her there would cost, where no score has a say."""
    if one.there is None:
        yield "there_never", {}
        return
    parts = [
        (name, natural(base, name, part))
        for name, part in zip(names(base), one.there, strict=True)
        if part
    ]
    yield "there" if parts else "there_lottery", {"parts": parts, "moves": one.there_moves}


def _of_score(one: Missed) -> Iterator[Said]:
    if one.score is None:
        yield "score_none", {}
        return
    told = one.told or one.score.value is None
    if one.score.value is None:
        yield "score_never" if one.score.sure else "score_not_found", {"tried": one.score.tried}
        return
    if not told:
        yield "score_withheld", {}
    elif one.score.sure:
        yield "score_enough", {"need": one.need, "have": one.have}
    else:
        yield "score_found", {"need": one.need, "have": one.have, "tried": one.score.tried}
    if not one.score.monotone:
        yield "not_monotone", {}


# --- one class


def _of_class(voice: Voice, found: Opening, mark: str, demo: bool) -> None:
    _told(voice, of_opening(found), mark)
    if found.refused:
        _told(voice, [("decree_refused", {"order_class": found.order_class})], mark)
        terminal.issues(voice, list(found.refused))
    if found.impossible is not None:
        _told(voice, [("decree_impossible", {"order_class": found.order_class})], mark)
        for line in reasons_against(found.impossible, voice.langs):
            voice.line(line)
    if found.decree is not None:
        terminal.comparison(voice, found.decree.figures, demo, ("before", "after"))


def of_opening(found: Opening) -> Iterator[Said]:
    """What is told of a class."""
    numbers = {"order_class": found.order_class, "placed": found.placed, "min_size": found.min_size}
    if found.more is None:
        yield "class_open", numbers
        return
    if found.reach < found.min_size:
        yield "class_few", {**numbers, "reach": found.reach}
    elif found.decree is None and not found.refused and found.impossible is None:
        yield "class_saves" if found.saves else "class_closed", {
            **numbers, "others": "、".join(found.saves),
        }  # fmt: skip
    else:
        yield "class_unopened", numbers
    if found.more.value is None:
        yield (
            "class_more_never" if found.more.sure else "class_not_found",
            {"tried": found.more.tried},
        )
    else:
        yield "class_more" if found.more.sure else "class_more_found", {"number": found.more.value}
        yield from _unsure(found.more)
    if found.minimum is not None and found.lower is not None:
        yield (
            "class_lower" if found.lower.sure else "class_lower_found",
            {"number": found.minimum, "more": found.minimum + 1},
        )
        yield from _unsure(found.lower)
    elif found.lower is not None and not found.lower.sure:
        yield "class_not_found", {"tried": found.lower.tried}
    elif found.min_size > 1:
        yield "class_lower_never", {}
    yield from _of_decree(found)
    if not found.complete:
        yield "cut_short", {}


def _of_decree(found: Opening) -> Iterator[Said]:
    """What opening a class by decree would do to the round."""
    if found.decree is None:
        return
    numbers = {"order_class": found.order_class, "moves": len(found.decree.moves)}
    before, after = found.decree.before, found.decree.after
    parts = [
        (name, natural(before, name, b - a))
        for name, a, b in zip(
            names(before), before.result.objective, after.result.objective, strict=False
        )
        if a != b
    ]
    yield "decree" if parts else "decree_lottery", {**numbers, "parts": parts}


def natural(base: Solved, name: str, part: int) -> int:
    """A part of the objective as people count it: costs, and people whom ``generous`` counts, upward."""
    counted = name.startswith("rank_") and base.policy.rank == "generous"
    return -part if name == "rank" or counted else part


def _unsure(search: Search) -> Iterator[Said]:
    if not search.sure:
        yield "class_not_sure", {"tried": search.tried}


# --- the value of seats


@contextmanager
def _bar(aside: Voice, step: str, total: int | None = None) -> Iterator[Callable[[int], object]]:
    """A bar on the screen while something is found; called with how much more is done."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
    )  # fmt: skip
    output = aside.output
    with Progress(
        *columns, console=output, transient=True, disable=not output.is_terminal
    ) as progress:
        task = progress.add_task(aside.name("step", step), total=total)
        yield partial(progress.advance, task)


def _valued(aside: Voice, base: Solved, programs: Sequence[str]) -> list[SeatValue]:
    """The value of one more seat at each program, with a bar while it is found."""
    with _bar(aside, "seats", len(programs)) as done:
        return value_of_seats(base, programs, _jobs(base), done)


def _seat_values(
    voice: Voice, base: Solved, values: Sequence[SeatValue], every: bool, mark: str
) -> None:
    """A table of the programs at which somebody would move, or of all that were asked about."""
    priced = any(v.price is not None for v in values)
    heads = [(voice.heading("program"), "left")]
    if priced:
        heads.append((voice.heading("price"), "left"))
    heads.append((voice.heading("gain"), "left"))
    heads += [(voice.heading(kind), "right") for kind in SHOWN]
    shown = [v for v in values if every or v.moved or not v.complete]
    rows: list[tuple[str | int, ...]] = [
        (v.program if v.complete else f"{v.program} {CUT}",
         *([_first_part(voice, base, v.price and tuple(-part for part in v.price))] if priced else []),
         _first_part(voice, base, v.gain), *(v.people(kind) for kind in SHOWN))
        for v in shown
    ]  # fmt: skip
    voice.table(voice.name("title", "value_of_seats", " · "), heads, rows, mark)
    rest = [v for v in values if not v.moved and v.complete]
    if cut := sum(not v.complete for v in values):
        _told(voice, [("seats_cut", {"number": cut, "sign": CUT})], mark)
    if base.result.mechanism == "optimal":
        _told(voice, [("prices" if priced else "prices_none", {})], mark)
    if len(shown) < len(values):
        proven = sum(v.proven for v in rest)
        _told(voice, [("seats_idle", {"number": len(rest), "proven": proven})], mark)


def _first_part(voice: Voice, base: Solved, parts: Sequence[int] | None) -> str:
    """The first component of the objective in which something is gained or lost."""
    if parts is None:
        return "—"
    found = next((pair for pair in zip(names(base), parts, strict=False) if pair[1]), None)
    if found is None:
        return "0"
    return f"{voice.name('part', found[0])} {natural(base, *found):+d}"
