"""After a result: the waiting list and the next round as commands, and late changes on the screen."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from . import keeping, terminal
from .earlier import Earlier, Gone
from .given import FOLDER, RESULT, Given, languages, must_exist, read_round
from .market import Market
from .messages import sentence, word
from .next_round import next_round
from .policy import Policy
from .resolve import CannotKeep, lost, moves
from .result import Result
from .solve import UnsupportedConstraint
from .speaker import INVALID, UNPUBLISHABLE, Speaker
from .terminal import Voice
from .validate import validate
from .waiting import Call, Line, WaitingList

CHANGES = ("better", "same", "worse", "lost", "gained", "left")
"""What may become of somebody whose place changes."""

LISTS, CALLS = "waiting.csv", "calls.csv"

SHOWN = 20
"""So many placements that cannot be kept, and people called, are told one by one."""


def _say(voice: Voice, code: str, **numbers: object) -> None:
    """One sentence, a line for each language; rules by name."""
    for lang in voice.langs:
        said = {k: f"{v:,}" if isinstance(v, int) else v for k, v in numbers.items()}
        if "rules" in numbers:
            names = (word("rule", rule, lang) for rule in str(numbers["rules"]).split(";"))
            said["rule"] = ("、" if lang == "zh" else ", ").join(names)
        if "seat" in numbers:
            said["seat"] = word("seat", str(numbers["seat"]), lang)
        voice.line(sentence(f"late.{code}", lang, **said))


# --- an earlier result


def read_earlier(given: Given, out: Path, speaker: Speaker, soft: bool = False) -> Earlier:
    """The earlier result in a folder, or the end.

    The round may have changed since, so what its digest was is no matter; its name is.
    """
    try:
        about = json.loads((out / "result.json").read_bytes())
        found = Earlier.read(out, given.market, soft)
        if about["digests"]["placements.csv"] != found.parent:
            raise ValueError("placements.csv")
        name = about["round"]
    except (OSError, ValueError, LookupError, TypeError):
        _say(speaker.err, "keep_malformed", path=out)
        raise click.exceptions.Exit(INVALID) from None
    if name != given.policy.round:
        _say(speaker.err, "other_round", path=out, name=name or "—", own=given.policy.round or "—")
        raise click.exceptions.Exit(INVALID)
    return found


def _settled(given: Given, out: Path, speaker: Speaker) -> Earlier:
    """The earlier result that people have answered, and what of it does not hold any more."""
    must_exist(given.folder, out, speaker)
    earlier = read_earlier(given, out, speaker)
    if status := keeping.withheld(out):
        terminal.unpublishable(speaker.err, status)
    _gone(speaker.err, earlier.gone(given.market, given.policy), SHOWN)
    return earlier


def refuse_to_overwrite(kept: Path, out: Path, speaker: Speaker) -> None:
    """End where a result would take the place of the one that it keeps."""
    if kept.absolute().resolve() == out.absolute().resolve():
        _say(speaker.err, "out_is_kept", path=out)
        raise click.exceptions.Exit(INVALID)


def cannot_keep(error: CannotKeep, speaker: Speaker) -> None:
    """Name every accepted place that cannot be kept, and why."""
    _gone(speaker.err, error.gone)
    for one in error.lost:
        _say(speaker.err, "lost_confirmed", applicant=one.applicant, program=one.program)
    _say(speaker.err, "cannot_keep", number=len(error.gone) + len(error.lost))


def _gone(voice: Voice, gone: Sequence[Gone], most: int | None = None) -> None:
    """Why places cannot be kept, of so many people at most."""
    for placement, cause, rules in gone[:most]:
        numbers = {"applicant": placement.applicant, "program": placement.program}
        _say(voice, f"gone_{cause}", rules=";".join(rules), **numbers)
    if len(gone[:most]) < len(gone):
        _say(voice, "more_gone", number=len(gone[most:]))


def resolved(
    voice: Voice, market: Market, policy: Policy, result: Result, earlier: Earlier
) -> None:
    """What counts instead of the earlier result, what could not be kept, who moves and how."""
    for since in earlier.since:
        code = "accepted_instead" if since.before else "accepted_since"
        _say(voice, code, **since._asdict())
    _gone(voice, earlier.gone(market, policy), SHOWN)
    for one in lost(market, result.matching, earlier):
        _say(voice, "given_up", applicant=one.applicant, program=one.program)
    found = moves(market, result.matching, earlier)
    if not found:
        _say(voice, "nobody_moves")
        return
    count = Counter(move.change for move in found)
    changes = ", ".join(f"{voice.name('change', k)} {count[k]}" for k in CHANGES if count[k])
    heads = [(voice.heading(head), "left") for head in ("applicant", "from", "to", "change")]
    rows = [
        (m.applicant, m.before or "—", m.after or "—", voice.name("change", m.change))
        for m in found
    ]
    title = f"{voice.name('title', 'moves', ' · ')}: {changes}"
    voice.table(title, heads, rows, voice.mark(policy.demo))


# --- the waiting list


@click.command(name="waiting")
@FOLDER
@RESULT
@click.option("--applicant", metavar="ID", help="只说这一位 / only this person")
@click.option(
    "--out", "target", metavar="TO", type=click.Path(path_type=Path),
    help="写名单的文件夹，默认 FOLDER/waiting / folder for the lists",
)  # fmt: skip
@languages
def waiting_command(
    folder: Path, out: Path | None, applicant: str | None, target: Path | None, lang: str
) -> None:
    """递补：每个席位的候补次序，这一次递补谁 / who waits where in which order, who is called now."""
    speaker = Speaker.of(lang)
    given = read_round(folder, speaker)
    earlier = _settled(given, out or folder / "result", speaker)
    market, people = given.market, given.market.applicants
    if applicant is not None and applicant not in people:
        speaker.stop(INVALID, "applicant_unknown", value=applicant, example=next(iter(people), ""))
    target = target or folder / "waiting"
    keeping.may_write(target, speaker, LISTS)
    try:
        state = WaitingList(market, given.policy, earlier)
    except UnsupportedConstraint as error:
        speaker.refuse(error.issues)
    lines, calls = list(state.lines()), state.calls()
    with speaker.minding(target, "unwritable"):
        target.mkdir(parents=True, exist_ok=True)
        (target / LISTS).write_bytes(state.lists_csv(lines))
        (target / CALLS).write_bytes(state.calls_csv(calls))
    if applicant is None:
        _lists(speaker.out, state, lines, calls, given.policy.demo)
    else:
        _position(speaker.out, market, lines, calls, people.index(applicant))
    speaker.out.say("written", path=target)


def _lists(
    voice: Voice, state: WaitingList, lines: Sequence[Line], calls: Sequence[Call], demo: bool
) -> None:
    """The programs with free seats that people wait for, and who is called."""
    market = state.market
    waiting: dict[int, set[int]] = {}
    for line in lines:
        waiting.setdefault(line.program, set()).add(int(market.owner[line.edge]))
    called = Counter(int(market.program[call.edge]) for call in calls)
    free = {p: state.free(p) for p in range(len(market.programs)) if state.open[p]}
    rows = [
        (market.programs[p], free[p], len(waiting[p]), called[p])
        for p in sorted(waiting, key=market.programs.__getitem__)
        if free[p]
    ]
    heads = [(voice.heading("program"), "left"), (voice.heading("free"), "right"),
             (voice.heading("waiting"), "right"), (voice.heading("called"), "right")]  # fmt: skip
    voice.table(voice.name("title", "waiting", " · "), heads, rows, voice.mark(demo))
    heads = [(voice.heading("applicant"), "left"), (voice.heading("from"), "left"),
             (voice.heading("to"), "left"), (voice.heading("choice"), "left")]  # fmt: skip
    programs = [*market.programs, ""]
    table = [
        (market.applicants[call.applicant], programs[call.before] or "—",
         programs[market.program[call.edge]],
         voice.name("choice", str(market.rank[call.edge])))
        for call in calls
    ]  # fmt: skip
    title = f"{voice.name('title', 'called', ' · ')}: {len(calls)}"
    voice.table(title, heads, sorted(table)[:SHOWN], voice.mark(demo))
    everybody = set().union(*waiting.values())
    _say(
        voice, "waiting", programs=len(waiting), people=len(everybody),
        free=sum(free.values()), called=len(calls),
    )  # fmt: skip


def _position(
    voice: Voice, market: Market, lines: Sequence[Line], calls: Sequence[Call], i: int
) -> None:
    """Where one applicant stands on each list, in the order of her wishes; never who else does."""
    name = market.applicants[i]
    length = Counter(line[:2] for line in lines)
    mine = sorted((line for line in lines if market.owner[line.edge] == i), key=lambda x: x.edge)
    for line in mine:
        seat = line.stage.partition(":")[2] or "open"
        _say(
            voice, "place", applicant=name, program=market.programs[line.program], seat=seat,
            place=line.place, number=length[line[:2]],
        )  # fmt: skip
    if not mine:
        _say(voice, "not_waiting", applicant=name)
    for call in calls:
        if call.applicant == i:
            program = market.programs[market.program[call.edge]]
            _say(voice, "called", applicant=name, program=program)


# --- the next round


@click.command(name="next-round")
@FOLDER
@RESULT
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--round", "name", metavar="NAME", default="", help="新一轮的名称 / its name")
@click.option(
    "--declined/--without-declined", default=True, show_default=True,
    help="放弃的人可再报 / people who gave up a place may list again",
)  # fmt: skip
@click.option("--reopen", is_flag=True, help="未开的班重新招 / offer closed classes again")
@languages
def next_round_command(
    folder: Path, new: Path, out: Path | None, name: str, declined: bool, reopen: bool, lang: str
) -> None:
    """征集志愿：把剩下的人和席位写成下一轮 / the people and seats that are left, as a new round."""
    speaker = Speaker.of(lang)
    given = read_round(folder, speaker)
    earlier = _settled(given, out or folder / "result", speaker)
    if new.exists() and not keeping.is_empty(new):
        speaker.stop(INVALID, "not_empty", path=new)
    try:
        left = next_round(given.tables, given.policy, given.market, earlier, name, declined, reopen)
    except UnsupportedConstraint as error:
        speaker.refuse(error.issues)
    if not left.people or not left.seats:
        _say(speaker.err, "nothing_left")
        raise click.exceptions.Exit(UNPUBLISHABLE)
    drawn = given.tables.draw is None
    if errors := [i for i in validate(left.tables, drawn) if i.severity == "error"]:
        speaker.refuse(errors)
    with speaker.minding(new, "unwritable"):
        left.tables.write(new)
    _say(
        speaker.out, "next_round", name=Policy.from_tables(left.tables).round, people=left.people, seats=left.seats,
        frozen=left.frozen,
    )  # fmt: skip
    speaker.out.say("written", path=new)
    if not drawn:
        _say(speaker.out, "undrawn")
