"""What upheld rechecks correct in the frozen round: the snapshot with some cells changed, no row edited.

A correction names a person and one thing about her: a component of a score, a group, or the conclusion
of the review.  Applied to the snapshot's files it becomes :class:`Change`, each with what stood there
before, so that anybody who holds both folders can check that nothing else differs.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from matcher import Table, Tables

from .models import Applicant, Draw, Person, Round, Run, Snapshot
from .snapshot import folder_of, snapshot_of, tables_of

Row = dict[str, str]
Correction = Mapping[str, Any]

KEYS = {
    "applicants": ("applicant",),
    "applications": ("applicant", "rank"),
    "scores": ("applicant", "program", "channel"),
    "decisions": ("applicant", "program", "decision", "rule"),
}
"""The files of a snapshot that speak of people, and what tells their rows apart."""

PASSED = "passed"


class NotThere(LookupError):
    """The correction is about somebody, or a row, that the snapshot does not hold."""


@dataclass(frozen=True)
class Change:
    """One row of the snapshot that differs afterwards, and the ticket that asked for it.

    ``before`` and ``after`` hold the cells that differ; of a row that is new, ``before`` is None and
    ``after`` the whole row.
    """

    ticket: str
    file: str
    key: Row
    before: Row | None
    after: Row


class Draft:
    """The files of a round while they are corrected."""

    def __init__(self, tables: Tables) -> None:
        self.given = tables
        self.changes: list[Change] = []
        self._rows: dict[str, list[Row]] = {}

    def rows(self, name: str) -> list[Row]:
        """The rows of a file as they stand now."""
        if name not in self._rows:
            held = self.given.tables.get(name)
            self._rows[name] = list(held.records()) if held is not None else []
        return self._rows[name]

    def find(self, name: str, **key: str) -> Row | None:
        """The row with that key."""
        return next(
            (row for row in self.rows(name) if all(row.get(k, "") == v for k, v in key.items())),
            None,
        )

    def put(self, ticket: str, name: str, key: Row, cells: Row) -> None:
        """Set cells of a row, which is added where it is not there."""
        row = self.find(name, **key)
        if row is None:
            whole = {k: v for k, v in {**key, **cells}.items() if v}
            self.rows(name).append(whole)
            self.changes.append(Change(ticket, f"{name}.csv", key, None, whole))
            return
        after = {k: v for k, v in cells.items() if row.get(k, "") != v}
        if after:
            before = {k: row.get(k, "") for k in after}
            row.update(after)
            self.changes.append(Change(ticket, f"{name}.csv", key, before, after))

    def tables(self, policy: bytes) -> Tables:
        """The round as corrected; a column that was not there is added for the cells that need it."""
        made = dict(self.given.tables)
        for name in {change.file.removesuffix(".csv") for change in self.changes}:
            rows, held = self.rows(name), self.given.tables.get(name)
            columns = list(held.columns) if held is not None else list(KEYS[name])
            columns += sorted({k for row in rows for k in row} - set(columns))
            made[name] = Table({c: [row.get(c, "") for row in rows] for c in columns})
        return Tables(made, policy)


def corrected(session: Session, run: Run) -> tuple[Tables, list[Change]]:
    """What a run of the kind ``recheck`` reads: the snapshot with the run's corrections, the committed
    rules, and the seed of the one draw.

    The seed is stated in the rules, as the digest from which a draw makes one would be another's.

    Raises
    ------
    NotThere
        If a correction is about what the snapshot does not hold.
    """
    round_ = run.round
    frozen, drawn = the_frozen(session, round_), the_draw(session, round_)
    draft = Draft(Tables.read(folder_of(frozen)))
    for correction in run.corrections:
        apply(session, round_, draft, correction)
    return draft.tables(pinned(draft.given.policy, drawn.seed)), draft.changes


def the_frozen(session: Session, round_: Round) -> Snapshot:
    """The snapshot of a round that has one."""
    held = snapshot_of(session, round_)
    if held is None:
        raise NotThere(round_.serial)
    return held


def the_draw(session: Session, round_: Round) -> Draw:
    """The one draw of a round."""
    return session.scalars(select(Draw).where(Draw.round_id == round_.id)).one()


def apply(session: Session, round_: Round, draft: Draft, correction: Correction) -> None:
    """Apply one correction to a draft."""
    who, ticket = str(correction["applicant"]), str(correction["ticket"])
    person = draft.find("applicants", applicant=who)
    if correction["kind"] == "review" and person is None and correction["after"] == PASSED:
        for name, row in _left_out(session, round_, who):
            draft.put(ticket, name, {k: row.get(k, "") for k in KEYS[name]}, row)
        return
    if person is None:
        raise NotThere(who)
    for code in correction.get("without", ()):
        _give_up(draft, ticket, who, code)
    if correction["kind"] == "review":
        draft.put(ticket, "applicants", {"applicant": who}, {"review": correction["after"]})
    elif correction["kind"] == "group":
        groups = {g for g in person.get("groups", "").split(";") if g} - {correction["group"]}
        if correction["after"] == "verified":
            groups.add(correction["group"])
        draft.put(ticket, "applicants", {"applicant": who}, {"groups": ";".join(sorted(groups))})
    else:
        key = {"applicant": who, "program": correction["program"], "channel": correction["channel"]}
        draft.put(ticket, "scores", key, {correction["component"]: correction["after"]})


def _give_up(draft: Draft, ticket: str, who: str, order_class: str) -> None:
    """She takes no place of a class that has ended since."""
    for program in draft.rows("programs"):
        if program["order_class"] == order_class:
            key = {
                "applicant": who,
                "program": program["program"],
                "decision": "declined",
                "rule": "",
            }
            draft.put(ticket, "decisions", key, {"basis": ticket})


def _left_out(session: Session, round_: Round, pseudonym: str) -> Iterable[tuple[str, Row]]:
    """The rows of somebody who had not passed the review, as the snapshot would have held them."""
    applicant = session.scalars(
        select(Applicant)
        .join(Person)
        .where(Applicant.round_id == round_.id, Person.pseudonym == pseudonym)
    ).one()
    hers = tables_of(session, round_, "", only=applicant)
    for name in KEYS:
        table = hers.tables.get(name)
        for row in table.records() if table is not None else ():
            yield name, row | ({"review": PASSED} if name == "applicants" else {})


def pinned(policy: bytes, seed: str) -> bytes:
    """The rules with a seed stated, and every other byte as it was."""
    text, line = policy.decode(), f'seed = "{seed}"\n'
    if "lottery" not in tomllib.loads(text):
        return f"{text.rstrip()}\n\n[lottery]\n{line}".encode()
    bare = re.sub(r'(?m)^seed *= *""[^\n]*\n', "", text)
    return re.sub(r"(?m)^\[lottery\][^\n]*\n", lambda m: m[0] + line, bare, count=1).encode()


def stated(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Changes as ``changes.json`` lists them."""
    return [asdict(change) for change in changes]
