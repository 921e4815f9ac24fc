"""Workbooks for tests: a round, and templates filled in by a library other than the one that wrote them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from web import archive, db, exports, imports, workbooks
from web.audit import Actor
from web.issues import sentence
from web.models import Import, PolicyVersion, Round
from web.people import DEMO_AREA
from web.sheets import CODES, SHEETS

FIRST = Actor("coordinator:c1", "coordinator")
SECOND = Actor("coordinator:c2", "coordinator")
POLICY = """
[policy]
title = "t"
round = "2026-1"
[preferences]
max = 6
[[score_channel]]
channel = "CH1"
culture = 0.5
skill = 0.2
interview = 0.3
[[score_channel]]
channel = "CH3"
skill = 0.5
interview = 0.4
experience = 0.1
"""
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read workbooks without a child process, which is tested apart: as thoroughly, and sooner."""

    def read_here(data: bytes, sheet: str) -> workbooks.Read:
        answer = archive.answer(data, sheet)
        if "faults" in answer:
            raise archive.Refused(*(archive.Fault(**fault) for fault in answer["faults"]))
        return workbooks.Read(answer["sheets"], answer["mark"], answer["cells"])

    monkeypatch.setattr(workbooks, "read", read_here)


def identity(serial: int, born: str = "20100315", sex: int = 1) -> str:
    """A resident number that belongs to nobody, with a right check digit."""
    first = f"{DEMO_AREA}{born}{(serial * 2 + sex % 2) % 1000:03d}"
    total = sum(int(d) * w for d, w in zip(first, WEIGHTS, strict=True))
    return first + "10X98765432"[total % 11]


def make_round(session: Session, state: str = "DRAFT", serial: str = "2026-1") -> Round:
    """An empty round in a state, around the moment of the test's clock."""
    moment = db.now(session)
    made = Round(
        serial=serial, title="首轮", year=2026, season="autumn", state=state, demo=True,
        created_at=moment, opens_at=moment - timedelta(days=1),
        deadline_at=moment + timedelta(days=9),
    )  # fmt: skip
    session.add(made)
    session.flush()
    made.policy = PolicyVersion(round_id=made.id, number=1, toml=POLICY, at=moment)
    return made


def the_round(serial: str = "2026-1") -> Round:
    """The round, as it is stored."""
    return db.reading().scalars(select(Round).where(Round.serial == serial)).one()


def move(app: Flask, state: str) -> None:
    """Put the round in a state, as a test may."""
    with db.writing() as session:
        session.scalars(select(Round)).one().state = state
    if state == "REVIEW":
        assert datetime.now(UTC)


def example(sheet: str, **other: Any) -> dict[str, Any]:
    """The line that a template's hints show, with some cells otherwise."""
    return {c.name: c.example for c in SHEETS[sheet].columns if c.example} | other


def fill(data: bytes, sheet: str, rows: Iterable[Mapping[str, Any]], first: int = 3) -> bytes:
    """A workbook with lines written below its hints, by openpyxl."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    page = book[SHEETS[sheet].title]
    place = {column.name: at for at, column in enumerate(SHEETS[sheet].columns, start=1)}
    for number, row in enumerate(rows, start=first):
        for name, value in row.items():
            page.cell(number, place[name]).value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def filled(sheet: str, rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The round's template with these lines."""
    return fill(exports.template(db.reading(), the_round(), sheet), sheet, rows)


def read(sheet: str, rows: Iterable[Mapping[str, Any]], actor: Actor = FIRST) -> Import:
    """An import of these lines."""
    return read_file(sheet, filled(sheet, rows), actor)


def read_file(sheet: str, data: bytes, actor: Actor = FIRST) -> Import:
    """An import of a file."""
    return imports.read(db.reading(), the_round(), sheet, "表.xlsx", data, actor)


def store(held: Import, actor: Actor = FIRST) -> None:
    """Store a preview."""
    assert held.state == "previewed", told(held)
    with db.writing() as session:
        imports.store(session, session.get_one(Import, held.id), actor)


def put(sheet: str, rows: Sequence[Mapping[str, Any]], actor: Actor = FIRST) -> Import:
    """Import lines and store them."""
    held = read(sheet, rows, actor)
    store(held, actor)
    return held


def told(held: Import) -> list[tuple[int, str, str]]:
    """Row, column and code of each issue."""
    return [(issue["row"], issue["column"], issue["code"]) for issue in held.issues]


def sentences(held: Import) -> list[tuple[str, str]]:
    """What is said of each issue."""
    return [sentence(issue) for issue in imports.issues_of(held)]


def put_plan() -> None:
    """Two colleges, three enterprises, a demand, and two classes; the round is in DRAFT."""
    put("colleges", [example("colleges"), example("colleges", code="C02", name="第二技师学院")])
    put(
        "enterprises",
        [
            example("enterprises", code=code, name=f"{code}有限公司")
            for code in ("E01", "E02", "E03")
        ],
    )
    put("demands", [example("demands")])
    put(
        "classes",
        [
            example("classes"),
            example("classes", code="K002", enterprise2="E02", seats2=10, seats=30, college="C02",
                    reserves="G05:4；农民工：2", channel=CODES["channels"]["CH3"]),
        ],
    )  # fmt: skip


def applicant(serial: int, **other: Any) -> dict[str, Any]:
    """A line of 报名信息 for an invented person."""
    return example(
        "applicants", applicant=f"A{serial:04d}", name=f"张{chr(0x4E00 + serial)}",
        number=identity(serial), guardian="李四", guardian_telephone="19900000002",
    ) | other  # fmt: skip


def choice(serial: int, rank: int, order_class: str | None, **other: Any) -> dict[str, Any]:
    """A line of 志愿."""
    return (
        example("choices", applicant=f"A{serial:04d}", rank=rank, order_class=order_class) | other
    )


def put_people(count: int = 3) -> None:
    """People who list K001 and K002; the round is OPEN."""
    put("applicants", [applicant(n) for n in range(1, count + 1)])
    lines = [choice(n, r, k) for n in range(1, count + 1) for r, k in ((1, "K001"), (2, "K002"))]
    put("choices", lines)


def score(serial: int, **cells: Any) -> dict[str, Any]:
    line = example("scores", applicant=f"A{serial:04d}") | {"skill": None}
    return line | cells


def review(serial: int, **cells: Any) -> dict[str, Any]:
    return example("reviews", applicant=f"A{serial:04d}", day="2026-05-30") | cells


@pytest.fixture
def draft(app: Flask, in_process: None) -> Iterator[Flask]:
    """A round that is being prepared, within a request."""
    with app.test_request_context():
        with db.writing() as session:
            make_round(session)
        yield app


@pytest.fixture
def planned(draft: Flask) -> Flask:
    """The plan stands, and the round takes applications."""
    put_plan()
    move(draft, "OPEN")
    return draft


@pytest.fixture
def examined(planned: Flask) -> Flask:
    """Three people have listed classes, and offices examine them."""
    put_people()
    move(planned, "REVIEW")
    return planned


def count(model: type[Any]) -> int:
    return db.reading().scalar(select(func.count()).select_from(model)) or 0
