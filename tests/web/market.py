"""A small plan and people to apply in it, for tests of pages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from web import db
from web.models import College, Enterprise, OrderClass, PolicyVersion, Program, Round

OPENS = datetime(2026, 5, 20, 1, tzinfo=UTC)
DEADLINE = datetime(2026, 6, 10, 9, tzinfo=UTC)
PASSWORD = "correct horse"

POLICY = """
[preferences]
max = 3

[age]
reference_date = "2026-09-01"

[membership]
date = "2026-06-01"

[[age_rule]]
study_form = "FT"
min = 15
max = 22

[[age_rule]]
group = "G05"
study_form = "FT"
min = 15
max = 22
relaxed_max = 30
needs_approval_above = 28
basis = "试点方案第三条"
"""

CHECKS = "10X98765432"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number(born: date, serial: int = 1) -> str:
    """A document number of nowhere, as the demo allows it."""
    first = f"371099{born:%Y%m%d}{serial:03d}"
    return first + CHECKS[sum(int(d) * w for d, w in zip(first, WEIGHTS, strict=True)) % 11]


def plan(session: Session, state: str = "OPEN", serial: str = "2026-1") -> Round:
    """A round with four classes: open to all, with conditions, of two enterprises, part time."""
    college = College(code="C1", name="海滨技师学院", district="371002")
    makers = [
        Enterprise(code=f"E{n}", name=name, uscc="", industry="IND01")
        for n, name in enumerate(("澜珀医疗", "泓瑾医疗"), start=1)
    ]
    round_ = Round(
        serial=serial, title="2026 年秋季第一轮", year=2026, state=state, opens_at=OPENS,
        deadline_at=DEADLINE, created_at=OPENS - timedelta(days=30), draw_event="公证摇号", demo=True,
    )  # fmt: skip
    session.add_all([college, *makers, round_])
    session.flush()
    policy = PolicyVersion(
        round_id=round_.id, number=1, toml=POLICY, workflow={}, at=OPENS, author="coordinator:c1"
    )
    session.add(policy)
    session.flush()
    round_.policy_id = policy.id
    shared = {"round_id": round_.id, "college": college, "industry": "IND01", "district": "371002"}
    facts: list[dict[str, object]] = [
        {"code": "K1", "name": "模具制造订单班", "tuition": 4800, "min_size": 2},
        {"code": "K2", "name": "无人机订单班", "entry_education": "61", "industry": "IND03"},
        {"code": "K3", "name": "护理订单班", "interview_required": True, "boarding": True},
        {"code": "K4", "name": "电商订单班", "study_form": "PT", "district": "371003"},
    ]
    for place, fact in enumerate(facts, start=1):
        held = OrderClass(**{**shared, "level": "4", "plan_order": place, **fact})
        held.programs = [
            Program(code=f"{held.code}-{n}", capacity=10 * n, enterprise=maker, channel="CH1")
            for n, maker in enumerate(makers if held.code == "K3" else makers[:1], start=1)
        ]
        session.add(held)
    session.flush()
    return round_


def make(app: Flask, state: str = "OPEN") -> None:
    """The plan, in the application's database."""
    with app.app_context(), db.writing() as session:
        plan(session, state)


def register(
    app: Flask, born: date = date(2006, 3, 4), name: str = "张𬭎", serial: int = 1
) -> FlaskClient:
    """Somebody who registers herself and logs in; ``client.number`` is her application number."""
    client = app.test_client()
    answer = client.post(
        "/account/register",
        data={"round": "2026-1", "identity_type": "01", "number": number(born, serial), "name": name,
              "password": PASSWORD, "again": PASSWORD},
    )  # fmt: skip
    assert answer.headers["Location"] == "/account/done", answer.text
    with client.session_transaction() as cookie:
        username = cookie["registered"][1]
    answer = client.post("/login", data={"username": username, "password": PASSWORD})
    assert answer.status_code == 302
    return client


STEPS = {
    "identity": {"name": "张𬭎", "telephone": "13812345678", "district": "371002",
                 "household_district": "", "household_kind": "", "guardian": "", "guardian_relation": "",
                 "guardian_telephone": ""},
    "schooling": {"education": "71", "study_forms": ["FT"], "employment": "", "skill_level": ""},
    "groups": {"groups": ["G05"]},
    "consents": {"basic": "y", "passing": "y", "public": "y", "honest": "y"},
}  # fmt: skip


def fill(
    client: FlaskClient, at: str = "/me/2026-1", first: int = 1, **changes: dict[str, object]
) -> None:
    """Fill in every step, starting from a version."""
    for version, (step, data) in enumerate(STEPS.items(), start=first):
        sent = {**data, **changes.get(step, {}), "version": version}
        answer = client.post(f"{at}/step/{step}", data=sent)
        assert answer.status_code == 302, answer.text
