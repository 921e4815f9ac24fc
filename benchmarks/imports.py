"""Seconds to the preview and to store: 5,000 applicants, then 20,000 choices."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from matcher.identity import check_digit
from web import create_app, db, exports, imports, workbooks
from web.audit import Actor
from web.models import (
    College,
    Enterprise,
    Import,
    OrderClass,
    Program,
    Round,
    metadata,
)
from web.privacy import Keys
from web.sheets import SHEETS

PEOPLE, CHOICES, CLASSES = 5_000, 4, 150
WHO = Actor("coordinator:bench", "coordinator")


def prepare() -> int:
    """A round that takes applications, with 150 classes; gives its id."""
    with db.writing() as session:
        moment = datetime.now(UTC)
        round_ = Round(
            serial="2026-1", title="测量", year=2026, state="OPEN", demo=True, created_at=moment,
            opens_at=moment - timedelta(days=1), deadline_at=moment + timedelta(days=1),
        )  # fmt: skip
        college, enterprise = College(code="C01", name="院校"), Enterprise(code="E01", name="企业")
        session.add_all([round_, college, enterprise])
        session.flush()
        for n in range(CLASSES):
            held = OrderClass(round=round_, college=college, code=f"K{n:03d}", name=f"班{n}")
            session.add(held)
            session.add(
                Program(order_class=held, enterprise=enterprise, code=f"K{n:03d}-1", capacity=40)
            )
        session.flush()
        return round_.id


def people() -> list[list[str]]:
    """Lines of 报名信息."""
    lines = []
    for n in range(PEOPLE):
        first = f"371099{1970 + n % 36}0{n % 9 + 1}{10 + n % 18}{n // 36 * 2 % 1000 + 1:03d}"
        cells = {column.name: column.example for column in SHEETS["applicants"].columns}
        cells |= {
            "applicant": f"A{n:05d}", "name": f"张{chr(0x4E00 + n)}", "number": first + check_digit(first),
        }  # fmt: skip
        lines.append([cells[column.name] for column in SHEETS["applicants"].columns])
    return lines


def lists() -> list[list[object]]:
    """Lines of 志愿."""
    return [
        [f"A{n:05d}", rank, f"K{(n * 7 + rank * 31) % CLASSES:03d}", None, "是", "整个联盟", None]
        for n in range(PEOPLE)
        for rank in range(1, CHOICES + 1)
    ]


def measure(
    key: str, rows: list[list[object]] | list[list[str]], round_id: int
) -> tuple[float, float]:
    """What one sheet takes, to its preview and to be stored."""
    data = workbooks.write(exports.layout(SHEETS[key]), rows)
    session = db.reading()
    started = time.perf_counter()
    held = imports.read(session, session.get_one(Round, round_id), key, "a.xlsx", data, WHO)
    previewed = time.perf_counter()
    assert held.state == "previewed", held.issues[:3]
    with db.writing() as writing:
        imports.store(writing, writing.get_one(Import, held.id), WHO)
    return previewed - started, time.perf_counter() - previewed


def measured(url: str, folder: Path) -> tuple[float, float]:
    """What both sheets take together, in an empty database."""
    Keys.create(folder / "keys.toml")
    app = create_app({"INSTANCE": folder, "DATABASE_URL": url, "DEMO": True})
    with app.test_request_context():
        metadata.create_all(db.engine())
        round_id = prepare()
        taken = [measure("applicants", people(), round_id), measure("choices", lists(), round_id)]
    app.extensions["orderclass_engine"].dispose()
    return sum(preview for preview, _ in taken), sum(store for _, store in taken)
