"""What can be wrong with scores: ranges, components, ranks pasted as scores, missing interviews."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from . import cells
from .cells import Bool, Int
from .tables import ABSENT, COMPONENTS, EXEMPT, TIE, Issue, Table

if TYPE_CHECKING:
    from .validate import Round

_RANKS_AT_LEAST = 5
"""Lists shorter than this are not suspected of holding ranks instead of scores."""

_MOST_DIGITS = 17
"""Digits of the greatest score in the unit of the one with most decimal places."""


def check_scores(r: Round) -> Iterator[Issue]:
    """Everything that is wrong with the table of scores."""
    table = r.tables["scores"]
    filled = [cells.filled(table[c]) for c in ("program", "channel")]
    for at in np.flatnonzero(filled[0] == filled[1]).tolist():
        shown = "program channel" if filled[0][at] else ""
        yield Issue("scores", table.rows[at], "program", "program_or_channel", shown)
    for column in ("score", *COMPONENTS):
        if column in table and r.sound(f"scores.{column}"):
            yield from _in_range(r, column)
    if r.policy.tiebreak and any(TIE.fullmatch(c) for c in table.columns):
        yield Issue("scores", 1, "tie1", "tie_declared_twice", " ".join(r.policy.tiebreak))
    policy = r.policy
    lines = [format(line, "f") for line in (policy.pass_total, policy.pass_interview) if line]
    places = max(policy.score_digits, cells.decimal_places(lines))
    yield from _too_long(r, ["score", *COMPONENTS], places)
    for column in table.columns:
        if TIE.fullmatch(column):
            yield from _too_long(r, [column])
    if r.policy_read:
        yield from _components(r)
        yield from _no_interview(r)
    if r.sound("scores.score") and not r.policy.accept_ranks:
        yield from _look_like_ranks(r)


def _too_long(r: Round, columns: list[str], places: int = 0) -> Iterator[Issue]:
    """Numbers that are compared share one unit, in which the greatest has to fit 64 bits."""
    table = r.tables["scores"]
    if not r.sound(*(f"scores.{column}" for column in columns)):
        return
    found = [
        (cells.decimal_places([cell]), len(cell.partition(".")[0].lstrip("-0")), column, cell)
        for column in columns
        for cell in cells.distinct(table[column])
        if cell not in ("", ABSENT, EXEMPT)
    ]
    if found and max(places, max(found)[0]) + max(f[1] for f in found) > _MOST_DIGITS:
        column, cell = max(found)[2:]
        row = table.rows[table[column].index(cell)]
        yield Issue("scores", row, column, "too_long", cell)


def _in_range(r: Round, column: str) -> Iterator[Issue]:
    low, high = r.policy.score_min, r.policy.score_max
    if low is None and high is None:
        return
    values = r.tables["scores"][column]
    lines = ["" if line is None else format(line, "f") for line in (low, high)]
    places = cells.decimal_places([*values, *lines])
    floor, ceiling = (cells.scale(line, places) if line else None for line in lines)
    wrong = {}
    for cell in cells.distinct(values):
        value = cells.scale(cell, places)
        if value <= cells.EXEMPT_MARK:
            continue
        if (floor is not None and value < floor) or (ceiling is not None and value > ceiling):
            wrong[cell] = ("score_out_of_range", " … ".join(lines).strip())
    if wrong:
        yield from r.at("scores", column, lambda _, cell: wrong.get(cell))


def _components(r: Round) -> Iterator[Issue]:
    """Components need weights, stand not beside a final score, and are complete in a channel."""
    table = r.tables["scores"]
    present = [c for c in COMPONENTS if c in table and any(table[c])]
    if not present:
        return
    channels = r.tables["programs"]["channel"]
    final = {
        (who, channel)
        for who, channel, score in zip(
            table["applicant"], table["channel"], table["score"], strict=True
        )
        if channel and score
    }
    for at, row in enumerate(table.rows):
        filled = [c for c in present if table[c][at]]
        program = r.program_at.get(table["program"][at])
        channel = table["channel"][at] or (channels[program] if program is not None else "")
        weights = dict(r.policy.weights(channel))
        if filled and not weights:
            yield Issue("scores", row, filled[0], "channel_without_weights", channel)
        elif filled and table["score"][at]:
            yield Issue("scores", row, "score", "score_and_components", table["score"][at])
        elif filled and program is not None and (table["applicant"][at], channel) in final:
            yield Issue("scores", row, filled[0], "score_and_components", table[filled[0]][at])
        elif table["channel"][at] and not table["score"][at]:
            blank = [c for c in weights if c != "interview" and not table[c][at]]
            if blank:
                yield Issue("scores", row, blank[0], "score_incomplete", severity="warning")


def _no_interview(r: Round) -> Iterator[Issue]:
    """Listed programs of a channel with a weighted interview where the person's is still blank."""
    table, channels = r.tables["scores"], r.tables["programs"]["channel"]
    asking = {c.channel for c in r.policy.channels if "interview" in dict(c.weights)}
    if not any(table["interview"]) or not asking:
        return
    rows: dict[tuple[str, str], bool] = {}
    final: set[tuple[str, str]] = set()
    for who, program, channel, score, interview in zip(
        *(table[c] for c in ("applicant", "program", "channel", "score", "interview")), strict=True
    ):
        rows[who, program or channel] = bool(interview)
        if score:
            final.add((who, program or channel))

    def tell(at: int, listed: str) -> str | None:
        who = listing["applicant"][at]
        for p in (
            [r.program_at[listed]] if listed in r.program_at else r.programs_of.get(listed, [])
        ):
            name, channel = r.tables["programs"]["program"][p], channels[p]
            both = {(who, name), (who, channel)}
            scored = channel in asking and (who, channel) in rows and not both & final
            if scored and not any(rows.get(key) for key in both):
                return "no_interview"
        return None

    listing = r.tables["applications"]
    yield from r.at("applications", "program", tell, "warning")


def _look_like_ranks(r: Round) -> Iterator[Issue]:
    """Ranks pasted into the score column put the best person last."""
    table = r.tables["scores"]
    score = table["score"]
    filled = np.flatnonzero(cells.filled(score))
    own = filled[cells.filled(table["program"])[filled]]
    chosen = _equal_to_own_rank(r, own)
    if len(chosen) == len(own) >= _RANKS_AT_LEAST and len({score[at] for at in chosen}) > 2:
        first = int(chosen[0])
        yield Issue(
            "scores", table.rows[first], "score", "scores_are_choices", score[first],
            str(len(chosen)),
        )  # fmt: skip
        return
    if r.policy.score_max is None or not len(filled):
        return
    lists = cells.combined(table["program"], table["channel"])[filled]
    value = _whole(score)[filled]
    order = np.lexsort((value, lists))
    lists, value = lists[order], value[order]
    nth = cells.within(lists)
    names, begin, size = np.unique(lists, return_index=True, return_counts=True)
    wrong = np.bincount(np.searchsorted(names, lists), value != nth + 1, len(names))
    for at in np.flatnonzero((wrong == 0) & (size >= _RANKS_AT_LEAST)):
        line = int(filled[order[begin[at]]])
        name = table["program"][line] or table["channel"][line]
        yield Issue("scores", table.rows[line], "score", "scores_are_ranks", name, str(size[at]))


def _equal_to_own_rank(r: Round, lines: Int) -> Int:
    """Those of some lines of scores that hold the applicant's own rank for the program."""
    table, listed = r.tables["scores"], r.tables["applications"]
    width = len(r.program_at) + 1

    def pairs(of: Table) -> Int:
        who = cells.positions(of["applicant"], r.applicant_at)
        return who * width + cells.positions(of["program"], r.program_at) + 1

    keys = pairs(listed)
    order = np.argsort(keys, kind="stable")
    wanted = pairs(table)[lines]
    at = np.minimum(np.searchsorted(keys[order], wanted), max(0, len(keys) - 1))
    if not len(keys):
        return lines[:0]
    line = order[at]
    rank = _whole(listed["rank"])[line]
    same: Bool = (keys[line] == wanted) & (rank == _whole(table["score"])[lines]) & (rank > 0)
    return lines[same]


def _whole(column: Sequence[str]) -> Int:
    """Cells that are plain whole numbers; 0 for all others."""
    number, distinct = cells.factor(column)
    short = [v.isascii() and v.isdigit() and len(v) <= 15 for v in distinct]
    values = [int(v) if good else 0 for v, good in zip(distinct, short, strict=True)]
    return np.array(values, np.int64)[number]
