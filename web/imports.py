"""Imports: a workbook is read, checked and previewed; then all of it is stored, or nothing.

An import updates by key and never deletes.  What replaces all (全量替换) is a separate choice: it
lists every removal, has a reason, and is stored by a second person.  Nothing is parsed or compared
while a write transaction is open; what was previewed is compared again with what is stored at the
moment of storing.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from . import db, exam_rows, privacy, reviewing, rounds, workbooks
from .archive import Refused, column_letters
from .audit import Actor, record
from .cells import Row, is_blank, parse, said
from .exports import layout, mask, secrets
from .issues import sentence
from .keepers import KEEPERS
from .lines import Change, Current, Issue, Keeper, Line, Office, office_of
from .models import (
    Applicant,
    ChoiceList,
    College,
    Demand,
    Enterprise,
    Import,
    OrderClass,
    Review,
    Round,
    Score,
    User,
    random_key,
)
from .sheets import HINT_SIGN, SHEETS, VERSION, Sheet
from .workbooks import BESIDE, Cell

MOST_ISSUES = 2_000
KEPT_SECONDS = 86_400
_FOLLOWING = frozenset({"seats_sum", "min_size", "reserved", "no_score", "rank_gap", "empty_list",
                        "standing_contradicts", "guardian", "seats_lost"})  # fmt: skip
"""What follows from a faulty cell of the same line, and is not worth saying beside it."""

ROWS: dict[str, Any] = {
    "colleges": College, "enterprises": Enterprise, "demands": Demand, "classes": OrderClass,
    "applicants": Applicant, "choices": ChoiceList, "scores": Score, "reviews": Review,
}  # fmt: skip
"""Sheet → what its lines become."""


class Stale(ValueError):
    """What is stored has changed since the preview; the file is uploaded again."""


class Done(ValueError):
    """This import has been stored or dropped already."""


class NotReplaceable(ValueError):
    """This sheet, in this state of the round or without a reason, cannot replace what is stored."""


class Closed(ValueError):
    """The round no longer takes this sheet."""


# --- reading ----------------------------------------------------------------------------------


def read(
    session: Session,
    round_: Round,
    sheet: str,
    filename: str,
    data: bytes,
    actor: Actor,
    replaces: bool = False,
    reason: str = "",
) -> Import:
    """Read a workbook: an import that is refused with every issue, or previewed.

    Only reads through ``session``; the import itself is stored in a transaction of its own.

    Parameters
    ----------
    replaces
        Whether what the office has stored and the file leaves out is removed, for a ``reason``.

    Raises
    ------
    NotReplaceable
        See there.
    """
    if replaces and not (replaceable(session, round_, SHEETS[sheet]) and reason.strip()):
        raise NotReplaceable(sheet)
    kind, keeper, office = SHEETS[sheet], KEEPERS[sheet], office_of(session, actor)
    held = Import(
        key=random_key(), round_id=round_.id, sheet=sheet, filename=Path(filename).name[:120],
        digest=hashlib.sha256(data).hexdigest(), by=actor.name, at=db.now(session), rows=[],
        replaces=replaces, reason=reason.strip() if replaces else "", removals=[],
    )  # fmt: skip
    issues = list(_state(session, round_, kind))
    lines, found = _lines(kind, round_, data)
    issues += found
    changes: list[Change] = []
    if lines:
        read_rows = len(lines)
        faulty = {(issue.row, issue.column) for issue in issues if not issue.warning}
        rows = {row for row, _ in faulty}
        lines, more = keeper.fold(session, round_, lines)
        current = keeper.current(session, round_, office)
        more += keeper.check(session, round_, office, lines, current)
        issues += [
            issue
            for issue in more
            if (issue.row, issue.column) not in faulty
            and not (issue.code in _FOLLOWING and issue.row in rows)
        ]
        changes = list(_changes(kind, lines, current))
        added = sum(change.before is None for change in changes)
        held.counts = {
            "rows": read_rows, "added": added, "changed": len(changes) - added,
            "same": len(lines) - len(changes),
        }  # fmt: skip
        if replaces:
            held.removals = _removals(session, round_, kind, lines, current)
            gone = len(current) - held.counts["same"] - held.counts["changed"]
            removed = len(held.removals)
            held.counts |= {"removed": removed, "gone": gone - removed}
            issues += _against(keeper, session, round_, held)
    errors = sum(not issue.warning for issue in issues)
    held.counts = {**(held.counts or {"rows": 0}), "errors": errors,
                   "warnings": len(issues) - errors}  # fmt: skip
    issues.sort(key=lambda issue: (issue.row, issue.warning))
    held.issues = [issue.plain() for issue in issues[:MOST_ISSUES]]
    held.state = "refused" if errors else "previewed"
    if not errors:
        held.rows = [_sealed(held.key, kind, change) for change in changes]
    else:
        held.removals = []
    _keep(held.key, data)
    with db.writing() as writing:
        writing.add(held)
        record(
            writing, actor, "import.read", f"import/{held.key}", round_id=round_.id,
            after={"sheet": sheet, "filename": held.filename, "digest": held.digest,
                   "state": held.state, "counts": held.counts},
        )  # fmt: skip
    return held


REPLACING = ("DRAFT", "ANNOUNCED", "OPEN")
"""States in which a file may replace all: from the review on nothing disappears."""


def replaceable(session: Session, round_: Round, sheet: Sheet) -> bool:
    """Whether a file of a sheet may replace all that the office has stored, now."""
    state = rounds.by_the_clock(session, round_)
    known = KEEPERS[sheet.key].removable is not None
    return known and state in sheet.states and state in REPLACING


def after_all(sheet: Sheet) -> bool:
    """Whether a sheet is taken only when nothing may disappear any more."""
    return not set(sheet.states) & set(REPLACING)


WITHDRAWING = ("applicants", "choices")
"""Sheets whose lines are withdrawn where a file leaves them out: their history stays."""


def _removals(
    session: Session, round_: Round, sheet: Sheet, lines: Iterable[Line], current: Current
) -> list[dict[str, Any]]:
    """What a file leaves out of all that stands, each line masked as the preview shows it."""
    named = {line.key for line in lines}
    standing = KEEPERS[sheet.key].standing
    stands = set(current) if standing is None else set(standing(session, round_))
    return [
        {"key": key, "before": _shown(sheet, row)}
        for key, row in current.items()
        if key in stands and key not in named
    ]


def _shown(sheet: Sheet, row: Row) -> Row:
    """A line with its secret values masked."""
    return row | {column.name: mask(column, row[column.name]) or None for column in secrets(sheet)}


def _against(keeper: Keeper, session: Session, round_: Round, held: Import) -> list[Issue]:
    """What stands against the removals of an import."""
    keys = [removal["key"] for removal in held.removals]
    return list(keeper.removable(session, round_, keys)) if keeper.removable else []


def _state(session: Session, round_: Round, sheet: Sheet) -> Iterator[Issue]:
    state = rounds.by_the_clock(session, round_)
    if state not in sheet.states:
        yield Issue("state", about={"state": state, "last": sheet.states[-1]})


def _lines(sheet: Sheet, round_: Round, data: bytes) -> tuple[list[Line], list[Issue]]:
    """The lines of a file, and what is wrong with the file or its cells."""
    try:
        found = workbooks.read(data, sheet.title)
    except Refused as refused:
        return [], [
            Issue(fault.code, value=fault.value, about={"place": fault.place})
            for fault in refused.faults
        ]
    if found.cells is None:
        about = {"expected": sheet.title, "found": "、".join(found.sheets)[:80]}
        return [], [Issue("no_sheet", about=about)]
    if issues := [*_mark(sheet, round_, found.mark), *_header(sheet, found.cells)]:
        return [], issues
    lines, issues = [], []
    for number, cells in _data(found.cells):
        line, wrong = _line(sheet, number, cells)
        lines.append(line)
        issues += wrong
    if not lines:
        issues.append(Issue("no_rows"))
    return lines, issues


def _mark(sheet: Sheet, round_: Round, mark: str) -> Iterator[Issue]:
    """A template says what it is for; a file without its mark is told by its headings alone."""
    key, _, rest = mark.partition("|")
    version, _, serial = rest.partition("|")
    if not mark or mark == sheet.mark(round_.serial):
        return
    if key != sheet.key and key in SHEETS:
        yield Issue("other_sheet", about={"found": SHEETS[key].title})
    elif version != str(VERSION):
        yield Issue("old_template")
    else:
        yield Issue("wrong_round", about={"found": serial, "expected": round_.serial})


def _header(sheet: Sheet, rows: Sequence[Sequence[Cell]]) -> Iterator[Issue]:
    head = list(rows[0]) if rows else []
    if head[len(sheet.columns) :] == [BESIDE]:
        head.pop()
    while head and is_blank(head[-1]):
        head.pop()
    expected = [column.heading for column in sheet.columns]
    for at in range(max(len(head), len(expected))):
        found = said(head[at]).strip() if at < len(head) else ""
        wanted = expected[at] if at < len(expected) else ""
        if found not in (wanted, f"{wanted}*"):
            about = {"expected": wanted, "found": found[:40]}
            yield Issue("header", 1, column_letters(at + 1), found[:40], about)


def _data(rows: Sequence[Sequence[Cell]]) -> Iterator[tuple[int, Sequence[Cell]]]:
    """The rows of data with their numbers in the file: below the headings and the hints."""
    for number, cells in enumerate(rows[1:], start=2):
        hint = number == 2 and cells and str(cells[0]).startswith(HINT_SIGN)
        if not hint and not all(is_blank(cell) for cell in cells):
            yield number, cells


def _line(sheet: Sheet, number: int, cells: Sequence[Cell]) -> tuple[Line, list[Issue]]:
    values: Row = {}
    issues = []
    for at, column in enumerate(sheet.columns):
        value, problems = parse(column, cells[at] if at < len(cells) else None)
        values[column.name] = value
        for problem in problems:
            shown = mask(column, problem.value)
            issues.append(
                Issue(problem.code, number, column.name, shown, problem.about, problem.warning)
            )
    beyond = [cell for cell in cells[len(sheet.columns) + 1 :] if not is_blank(cell)]
    if beyond:
        issues.append(Issue("extra_cell", number, "", said(beyond[0])[:20]))
    return Line(number, values), issues


def _changes(sheet: Sheet, lines: Iterable[Line], current: Current) -> Iterator[Change]:
    aside = [column.name for column in sheet.columns if column.aside]
    for line in lines:
        before = current.get(line.key)
        if before is not None:
            before = before | {name: line.values.get(name) for name in aside}
        change = Change(line.row, line.key, before, line.values)
        if before is None or change.differing():
            yield change


# --- what is kept between preview and storing -------------------------------------------------


def _sealed(key: str, sheet: Sheet, change: Change) -> dict[str, Any]:
    """A change as the import holds it: secret values masked, and encrypted beside."""
    after, before = dict(change.after), dict(change.before) if change.before else None
    sealed = {}
    for column in secrets(sheet):
        value = after[column.name]
        if value is not None:
            place = f"import.{key}:{change.row}:{column.name}"
            sealed[column.name] = base64.b64encode(privacy.encrypt(str(value), place)).decode()
        after[column.name] = mask(column, value) or None
    before = _shown(sheet, before) if before is not None else None
    differing = change.differing()
    return {
        "row": change.row, "key": change.key, "before": before, "after": after,
        "differing": differing, "sealed": sealed,
    }  # fmt: skip


def _opened(key: str, sheet: Sheet, row: Mapping[str, Any], now: Row | None) -> Change:
    """A change as it was read; ``now`` is what is stored at this moment.

    Raises
    ------
    Stale
        If that is not what the preview compared with.
    """
    shown = _shown(sheet, now) if now is not None else None
    if shown is not None:
        for column in sheet.columns:
            if column.aside and row["before"] is not None:
                shown[column.name] = row["before"][column.name]
    if shown != row["before"]:
        raise Stale
    after = dict(row["after"])
    for name, sealed in row["sealed"].items():
        place = f"import.{key}:{row['row']}:{name}"
        after[name] = privacy.decrypt(base64.b64decode(sealed), place)
    return Change(row["row"], row["key"], now, after)


def _folder() -> Path:
    folder = Path(current_app.instance_path) / "uploads"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _keep(key: str, data: bytes) -> None:
    """Keep an uploaded file, encrypted, for its marked copy; a day at the most."""
    folder = _folder()
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > KEPT_SECONDS:
            old.unlink(missing_ok=True)
    text = base64.b64encode(data).decode()
    (folder / key).write_bytes(privacy.encrypt(text, f"upload:{key}"))


def uploaded(held: Import) -> bytes | None:
    """The file of an import, while it is kept."""
    path = _folder() / held.key
    if not path.exists():
        return None
    return base64.b64decode(privacy.decrypt(path.read_bytes(), f"upload:{held.key}"))


def forget(held: Import) -> None:
    """Delete the file of an import that was stored or dropped."""
    (_folder() / held.key).unlink(missing_ok=True)


# --- storing ----------------------------------------------------------------------------------


def store(session: Session, held: Import, actor: Actor) -> None:
    """Store every change of a previewed import, in the caller's transaction.

    Raises
    ------
    Done, Closed, Stale, web.reviewing.SecondPerson
        See there; nothing is stored.
    """
    session.refresh(held, with_for_update=True)
    if held.state != "previewed":
        raise Done(held.state)
    sheet, keeper = SHEETS[held.sheet], KEEPERS[held.sheet]
    round_ = _locked(session, held, sheet)
    if held.replaces:
        reviewing.second_person(session, held.by, actor, _office_code(session, held))
        if not replaceable(session, round_, sheet):
            raise Closed(round_.state)
    office = _office(session, held) if held.replaces else office_of(session, actor)
    current = keeper.current(session, round_, office)
    changes = [_opened(held.key, sheet, row, current.get(row["key"])) for row in held.rows]
    if held.replaces:
        _remove(session, round_, held, current, actor)
        if not sheet.seconded:  # else the whole batch is compared with its papers after this
            held.confirmed_by = actor.name
    keeper.store(session, round_, office, changes, actor)
    held.state, held.stored_at = "stored", db.now(session)
    _log(session, held, actor, "import.store")
    # what the batch says is in the rows and in the record now; no number stays here
    held.rows = [{**row, "sealed": {}} for row in held.rows]
    session.flush()


def _remove(session: Session, round_: Round, held: Import, current: Current, actor: Actor) -> None:
    """Remove what the file leaves out, if it is still just what the preview listed."""
    sheet, keeper, counts = SHEETS[held.sheet], KEEPERS[held.sheet], held.counts
    as_listed = all(
        one["key"] in current and _shown(sheet, current[one["key"]]) == one["before"]
        for one in held.removals
    )
    known = sum(counts[kind] for kind in ("same", "changed", "removed", "gone"))
    if not as_listed or len(current) != known or _against(keeper, session, round_, held):
        raise Stale
    keys = [removal["key"] for removal in held.removals]
    keeper.remove(session, round_, keys, actor, held.reason)


def _locked(session: Session, held: Import, sheet: Sheet) -> Round:
    round_ = session.scalars(
        select(Round).where(Round.id == held.round_id).with_for_update(read=True)
    ).one()
    if rounds.by_the_clock(session, round_) not in sheet.states:
        raise Closed(round_.state)
    return round_


def _log(session: Session, held: Import, actor: Actor, action: str) -> None:
    record(
        session, actor, action, f"import/{held.key}", round_id=held.round_id,
        after={"sheet": held.sheet, "digest": held.digest, "counts": held.counts}, reason=held.reason,
    )  # fmt: skip


def drop(session: Session, held: Import, actor: Actor) -> None:
    """Put a previewed import aside."""
    session.refresh(held, with_for_update=True)
    if held.state != "previewed":
        raise Done(held.state)
    held.state, held.rows, held.removals = "dropped", [], []
    _log(session, held, actor, "import.drop")


def confirm(session: Session, held: Import, actor: Actor) -> int:
    """A second person's confirmation of a stored batch; returns how many rows it confirms.

    Raises
    ------
    Done, Closed, web.reviewing.SecondPerson
        See there; nothing is confirmed.
    """
    session.refresh(held, with_for_update=True)
    sheet = SHEETS[held.sheet]
    if held.state != "stored" or held.confirmed_by or not sheet.seconded:
        raise Done(held.state)
    reviewing.second_person(session, held.by, actor, _office_code(session, held))
    round_ = session.scalars(
        select(Round).where(Round.id == held.round_id).with_for_update(read=True)
    ).one()
    if rounds.by_the_clock(session, round_) not in ("OPEN", "REVIEW"):
        raise Closed(round_.state)
    count = len(held.rows)
    if held.sheet == "scores":
        count = exam_rows.confirm_scores(session, round_, held.rows, actor)
    elif held.sheet == "choices":
        _confirm_lists(session, held)
    held.confirmed_by = actor.name
    _log(session, held, actor, "import.confirm")
    return count


def _office(session: Session, held: Import) -> Office:
    """The office whose rows an import is about."""
    return office_of(session, Actor(held.by, held.by.partition(":")[0]))


def _office_code(session: Session, held: Import) -> str:
    return _office(session, held).code


def _confirm_lists(session: Session, held: Import) -> None:
    """The signed papers of a batch stand for the applicants' and the guardians' own word."""
    wanted, moment = {row["key"] for row in held.rows}, db.now(session)
    query = select(Applicant).where(Applicant.round_id == held.round_id)
    for applicant in session.scalars(query):
        if applicant.number in wanted:
            applicant.entry_confirmed = f"import:{held.key}"
            if applicant.guardian and applicant.guardian_agreed_at is None:
                applicant.guardian_agreed_at = moment
                applicant.guardian_agreed_how = f"paper:import:{held.key}"


def lacking(session: Session, round_: Round, actor: Actor) -> list[Sheet]:
    """The sheets of an actor's office that can be stored now and of which nothing is stored yet."""
    office, state = office_of(session, actor), rounds.by_the_clock(session, round_)
    sheets = (s for s in SHEETS.values() if actor.role in s.roles and state in s.states)
    return [s for s in sheets if session.scalar(_stored(round_, s, office).limit(1)) is None]


def _stored(round_: Round, sheet: Sheet, office: Office) -> Select[Any]:
    """The rows of a sheet that an office has."""
    model = ROWS[sheet.key]
    query = select(model.id)
    if model in (Demand, OrderClass, Applicant):
        query = query.where(model.round_id == round_.id)
    elif model in (ChoiceList, Score, Review):
        query = query.join(Applicant).where(Applicant.round_id == round_.id)
    if model is Score and office.code:
        query = query.where(Score.office == office.code)
    for name in ("college_id", "enterprise_id"):
        own = getattr(office, name)
        if own is not None and hasattr(model, name):
            query = query.where(getattr(model, name) == own)
    return query


def recent(session: Session, round_: Round, actor: Actor, most: int = 20) -> list[Import]:
    """The last imports of a round that an actor may see: an office its own."""
    return list(session.scalars(_seen(session, round_, actor).limit(most)))


def waiting(session: Session, round_: Round, actor: Actor) -> list[Import]:
    """The imports that an actor may see and that wait for a second person, the last first."""
    seconded = [sheet.key for sheet in SHEETS.values() if sheet.seconded]
    query = _seen(session, round_, actor).where(
        Import.sheet.in_(seconded), Import.state == "stored", Import.confirmed_by == ""
    )
    return list(session.scalars(query))


def _seen(session: Session, round_: Round, actor: Actor) -> Select[Import]:
    query = select(Import).where(Import.round_id == round_.id).order_by(Import.id.desc())
    office = office_of(session, actor)
    if actor.role != "coordinator":
        mine = select(User.username)
        if office.college_id is not None:
            mine = mine.where(User.college_id == office.college_id)
        else:
            mine = mine.where(User.enterprise_id == office.enterprise_id)
        names = [f"{actor.role}:{name}" for name in session.scalars(mine)]
        query = query.where(Import.by.in_(names))
    return query


# --- telling ----------------------------------------------------------------------------------


def issues_of(held: Import) -> list[Issue]:
    """The issues of an import."""
    return [Issue(**issue) for issue in held.issues]


def place(sheet: Sheet, issue: Issue) -> str:
    """The column of an issue as the file heads it; of a fault of the file, its place there."""
    column = sheet.by_name.get(issue.column)
    return column.heading if column else issue.column or str(issue.about.get("place", ""))


def marked(held: Import, data: bytes) -> bytes:
    """A copy of somebody's own file: faulty cells red with a comment, and a column 错误说明.

    Raises
    ------
    web.archive.Refused
        If the file itself could not be read.
    """
    sheet = SHEETS[held.sheet]
    found = workbooks.read(data, sheet.title)
    order = {column.name: at for at, column in enumerate(sheet.columns)}
    cells: dict[tuple[int, int], str] = {}
    rows: dict[int, list[str]] = {}
    for issue in issues_of(held):
        what, way = sentence(issue)
        at = issue.row - 1
        name = place(sheet, issue)
        rows.setdefault(max(at, 0), []).append(
            f"{name}：{what}。{way}。" if name else f"{what}。{way}。"
        )
        if issue.column in order:
            spot = at, order[issue.column]
            cells[spot] = "；".join(filter(None, (cells.get(spot), f"{what}。{way}")))
    width = len(sheet.columns)
    lines = [
        [said(cell) if isinstance(cell, dict) else cell for cell in row[:width]]
        for row in found.cells or []
    ]
    notes = workbooks.Notes(cells, {at: " ".join(texts) for at, texts in rows.items() if at > 0})
    return workbooks.write(layout(sheet), lines, mark=found.mark, notes=notes, raw=True)
