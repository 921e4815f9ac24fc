"""Ranked lists in sheets: what a file says of somebody's choices, as one list."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from . import choices
from .audit import Actor
from .cells import NO, Row
from .choices import Wish
from .lines import Change, Current, Issue, Keeper, Line, Office
from .models import Applicant, ChoiceList, Program, Round, random_key
from .notices import LIST_TAKEN, tell


def most_choices(round_: Round) -> int:
    """The greatest length of a list by the round's rules; 0 for any."""
    if round_.policy is None:
        return 0
    held: dict[str, Any] = tomllib.loads(round_.policy.toml).get("preferences", {})
    return int(round_.policy.workflow.get("pref.max") or held.get("max", 0))


def lists(session: Session, round_: Round) -> dict[str, ChoiceList]:
    """The lists that count, by application number."""
    rows = session.execute(
        select(Applicant.number, ChoiceList)
        .join(Applicant)
        .where(Applicant.round_id == round_.id, ChoiceList.number > choices.DRAFT)
        .order_by(ChoiceList.number)
    )
    return dict(rows.all())


def _lists(session: Session, round_: Round, office: Office) -> Current:
    named = choices.plan(session, round_.id)
    return {
        number: {
            "applicant": number,
            "choices": ";".join(_shown_choice(code, named) for code in held.choices) or None,
            "adjustment": None if held.adjustment == "none" else held.adjustment,
            "not_accepted": ";".join(held.not_accepted) or None,
        }
        for number, held in sorted(lists(session, round_).items())
        if held.choices or held.adjustment != "none"  # what was taken back says nothing
    }


def _shown_choice(code: str, named: Mapping[str, list[Program]]) -> str:
    """A choice as ``class`` or ``class/enterprise``, as the two columns say it."""
    found = named.get(code, [])
    if len(found) == 1 and found[0].code == code != found[0].order_class.code:
        return f"{found[0].order_class.code}/{found[0].enterprise.code}"
    return code


def _fold_choices(
    session: Session, round_: Round, lines: list[Line]
) -> tuple[list[Line], list[Issue]]:
    """One line for each applicant: her list is one thing, and her ranks are read together."""
    named = choices.plan(session, round_.id)
    seats = {
        (p.order_class.code, p.enterprise.code): p for programs in named.values() for p in programs
    }
    classes = {order_class for order_class, _office in seats}
    most = most_choices(round_)
    together: dict[str, list[Line]] = {}
    for line in lines:
        if line.values["applicant"] is not None:
            together.setdefault(str(line.values["applicant"]), []).append(line)
    folded, issues = [], []
    for number, own in together.items():
        first = own[0].values
        codes, found = _ranked(own, named, seats, most)
        issues += found
        issues += _one_answer(own)
        refused = str(first["not_accepted"] or "")
        issues += [
            Issue("no_class", own[0].row, "not_accepted", code)
            for code in refused.split(";")
            if code and code not in classes
        ]
        if not codes and not found and not first["adjusted"]:
            issues.append(Issue("empty_list", own[0].row, "adjusted", NO))
        values: Row = {
            "applicant": number,
            "choices": ";".join(codes) or None,
            "adjustment": first["adjustment"] if first["adjusted"] else None,
            "not_accepted": refused or None,
        }
        rows = tuple(line.row for line in own)
        folded.append(Line(own[0].row, values, number, rows))
    return folded, issues


def _ranked(
    own: Sequence[Line],
    named: Mapping[str, list[Program]],
    seats: Mapping[tuple[str, str], Program],
    most: int,
) -> tuple[list[str], list[Issue]]:
    """The choices of one applicant in order, and what is wrong with them."""
    issues: list[Issue] = []
    ranked: dict[int, str] = {}
    seen: dict[str, int] = {}
    for line in own:
        values = line.values
        rank, code, office = values["rank"], values["order_class"], values["enterprise"]
        if not isinstance(rank, int):
            continue
        if rank in ranked or (rank == 0 and len(own) > 1):
            issues.append(Issue("rank_twice", line.row, "rank", str(rank)))
        ranked[rank] = ""
        if rank == 0:
            if code is not None:
                issues.append(Issue("rank_zero", line.row, "order_class", str(code)))
            continue
        if code is None:
            issues.append(Issue("required", line.row, "order_class"))
            continue
        if str(code) not in named:
            issues.append(Issue("no_class", line.row, "order_class", str(code)))
            continue
        programs = named[str(code)]
        shown = str(code)
        if office is not None:
            program = seats.get((programs[0].order_class.code, str(office)))
            if program is None:
                issues.append(Issue("no_seat", line.row, "enterprise", str(office)))
                continue
            programs, shown = [program], program.code
        for program in programs:
            if program.code in seen:
                issues.append(
                    Issue("choice_twice", line.row, "order_class", str(code),
                          {"other": seen[program.code]})
                )  # fmt: skip
                break
        seen |= {program.code: line.row for program in programs if program.code not in seen}
        ranked[rank] = _shown_choice(shown, named)
    ranks = sorted(rank for rank in ranked if rank > 0)
    if ranks and ranks != list(range(1, len(ranks) + 1)):
        missing = next(n for n in range(1, len(ranks) + 1) if n not in ranked)
        issues.append(Issue("rank_gap", own[0].row, "rank", str(ranks[-1]), {"missing": missing}))
    if most and len(ranks) > most:
        issues.append(Issue("too_many", own[-1].row, "rank", str(len(ranks)), {"most": most}))
    return [ranked[rank] for rank in ranks if ranked[rank]], issues


def _one_answer(own: Sequence[Line]) -> Iterator[Issue]:
    """All lines of one applicant give one answer on adjustment, and it makes sense."""
    first = own[0].values
    for line in own:
        for name in ("adjusted", "adjustment", "not_accepted"):
            if line.values[name] != first[name]:
                yield Issue("not_one_answer", line.row, name, str(line.values[name] or ""),
                            {"other": own[0].row})  # fmt: skip
    if first["adjusted"] and first["adjustment"] is None:
        yield Issue("required", own[0].row, "adjustment")
    if first["adjusted"] is False and first["adjustment"] is not None:
        yield Issue("adjustment_contradicts", own[0].row, "adjustment")


def _unfold_choices(row: Row) -> list[Row]:
    common: Row = {
        "applicant": row["applicant"],
        "adjusted": row["adjustment"] is not None,
        "adjustment": row["adjustment"],
        "not_accepted": row["not_accepted"],
    }
    codes = [code for code in str(row["choices"] or "").split(";") if code]
    if not codes:
        return [common | {"rank": 0, "order_class": None, "enterprise": None}]
    found = []
    for rank, code in enumerate(codes, start=1):
        order_class, _, office = code.partition("/")
        found.append(
            common | {"rank": rank, "order_class": order_class, "enterprise": office or None}
        )
    return found


def _check_choices(
    session: Session, round_: Round, office: Office, lines: Sequence[Line], held: Current
) -> Iterator[Issue]:
    rows = session.execute(
        select(Applicant.number, Applicant.state).where(Applicant.round_id == round_.id)
    )
    states = dict(rows.all())
    counting = lists(session, round_)
    for line in lines:
        state = states.get(line.key)
        if state is None:
            yield Issue("no_applicant", line.row, "applicant", line.key)
        elif state == "withdrawn":
            yield Issue("withdrawn", line.row, "applicant", line.key)
        known = counting.get(line.key)
        differs = known is not None and held.get(line.key) != line.values
        if known is not None and known.entered_by.startswith("applicant:") and differs:
            yield Issue("own_list", line.row, "applicant", line.key)


def _store_choices(
    session: Session, round_: Round, office: Office, changes: Sequence[Change], actor: Actor
) -> None:
    named = choices.plan(session, round_.id)
    seats = {
        (p.order_class.code, p.enterprise.code): p.code
        for programs in named.values()
        for p in programs
    }
    wishes = {}
    for change in changes:
        after = change.after
        codes = []
        for shown in str(after["choices"] or "").split(";"):
            order_class, _, seat = shown.partition("/")
            codes.append(seats[order_class, seat] if seat else order_class)
        wishes[change.key] = Wish(
            tuple(code for code in codes if code),
            str(after["adjustment"] or "none"),
            tuple(code for code in str(after["not_accepted"] or "").split(";") if code),
        )
    choices.submit_all(session, round_.id, wishes, actor, f"import:{random_key()}")


def _removable_lists(session: Session, round_: Round, keys: Sequence[str]) -> Iterator[Issue]:
    wanted = set(keys)
    for number, held in sorted(lists(session, round_).items()):
        if number in wanted and held.entered_by.startswith("applicant:"):
            yield Issue("removal_own_list", value=number)


def _remove_lists(
    session: Session, round_: Round, keys: Sequence[str], actor: Actor, reason: str
) -> None:
    """Lists are taken back by an empty version after the last: none that was submitted goes."""
    empty = dict.fromkeys(keys, Wish(()))
    choices.submit_all(
        session, round_.id, empty, actor, f"import:{random_key()}", choices.TAKEN_BACK, reason
    )
    tell(session, round_, keys, LIST_TAKEN, {"reason": reason})


KEEPERS = {
    "choices": Keeper(
        _lists, _check_choices, _store_choices, _fold_choices, _unfold_choices,
        removable=_removable_lists, remove=_remove_lists,
    )
}  # fmt: skip
