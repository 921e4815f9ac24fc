"""Two who press at the same moment, and many who submit at the last: one outcome each.

``RACES`` sets how often two coordinators race for the committed run (200 in the full suite); the other
races are run a fifth as often.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from threading import Barrier, Lock, Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from tests.web import market, postgres
from tests.web.a_round import DICE, FIRST, SECOND, THIRD
from tests.web.conftest import CHOSEN, Clock
from tests.web.staged import Stage
from web import audit, auth, db, draw, publication, snapshot
from web.models import (
    Applicant,
    AuditEvent,
    ChoiceList,
    Draw,
    Placement,
    Publication,
    Round,
    Run,
    Snapshot,
)

RACES = int(os.environ.get("RACES", "20"))
THREADS, REPLAYS = 16, 5
BEFORE = 10**9
"""A clock that is looked at less often does not come to the deadline."""
on_postgres = pytest.mark.skipif(CHOSEN == "sqlite", reason="only sqlite was asked for")


def at_once(*acts: Callable[[], str]) -> list[str]:
    """Do things at the same moment, each in a thread of its own; what each gave, in order."""
    start, found = Barrier(len(acts)), [""] * len(acts)

    def do(at: int) -> None:
        start.wait()
        try:
            found[at] = acts[at]()
        except Exception as error:
            found[at] = repr(error)

    threads = [Thread(target=do, args=(at,)) for at in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


# --- two coordinators -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stage(
    cluster: postgres.Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Stage]:
    """``stage("approved")``: a round at a stage, made once for this file."""
    return cache(lambda name: Stage.make(cluster, tmp_path_factory.mktemp(name), name))


@on_postgres
def test_of_two_who_press_run_one_starts_it(stage: Callable[[str], Stage]) -> None:
    with stage("drawn").copy() as (app, _, _):
        pages = [logged_in(app, n) for n in (1, 2)]
        path = "/coordinator/rounds/2026-1/committed"
        for race in range(RACES):
            with app.app_context(), db.writing() as session:
                session.execute(update(Run).values(state="FAILED"))
                before = session.scalar(select(func.count(Run.id))) or 0
            found = at_once(*(lambda p=page: str(p.post(path).status_code) for page in pages))
            assert found == ["302", "302"]
            with app.app_context():
                session = db.reading()
                assert session.scalar(select(func.count(Run.id))) == before + 1, race
                live = session.scalars(select(Run).where(Run.state == "QUEUED")).all()
                assert len(live) == 1, race
        with app.app_context():
            assert list(audit.broken(db.reading())) == []


def logged_in(app: Flask, number: int) -> FlaskClient:
    """A coordinator with a browser."""
    with app.app_context(), db.writing() as session:
        auth.create_user(session, f"racer{number}", market.PASSWORD, "coordinator")
    client = app.test_client()
    form = {"username": f"racer{number}", "password": market.PASSWORD}
    assert client.post("/login", data=form).status_code == 302
    return client


def _freeze(app: Flask) -> list[str]:
    def act(actor: audit.Actor) -> str:
        with app.app_context():
            snapshot.freeze(db.reading().scalars(select(Round.id)).one(), actor)
        return "done"

    return at_once(lambda: act(FIRST), lambda: act(SECOND))


def _confirm(app: Flask) -> list[str]:
    def act(actor: audit.Actor) -> str:
        with app.app_context(), db.writing() as session:
            draw.confirm(session, session.scalars(select(Round)).one(), DICE, actor)
        return "done"

    return at_once(lambda: act(SECOND), lambda: act(THIRD))


def _publish(app: Flask) -> list[str]:
    def act(actor: audit.Actor) -> str:
        with app.app_context():
            publication.publish(db.reading().scalars(select(Round.id)).one(), actor)
        return "done"

    return at_once(lambda: act(SECOND), lambda: act(THIRD))


@on_postgres
@pytest.mark.parametrize(
    ("before", "press", "step", "after", "rows"),
    [
        ("review", _freeze, "freeze", "FROZEN", {Snapshot: 1}),
        ("entered", _confirm, "draw", "DRAWN", {Draw: 1, Run: 1}),
        ("approved", _publish, "publish", "PUBLISHED", {Publication: 1, Placement: 12}),
    ],
)
def test_of_two_who_press_a_step_one_takes_it(
    stage: Callable[[str], Stage], before: str, press: Callable[[Flask], list[str]], step: str,
    after: str, rows: dict[type, int],
) -> None:  # fmt: skip
    for race in range(max(1, RACES // 5)):
        with stage(before).copy() as (app, _, _):
            found = press(app)
            assert sorted(found)[-1:] == ["done"] and found.count("done") == 1, (race, found)
            (told,) = (one for one in found if one != "done")
            assert told.startswith(("Moved", "NotNow", "KeepsChanging")), told
            with app.app_context():
                session = db.reading()
                assert session.scalars(select(Round.state)).one() == after
                for model, number in rows.items():
                    assert session.scalar(select(func.count()).select_from(model)) == number
                taken = select(func.count(AuditEvent.id)).where(
                    AuditEvent.action == f"round.{step}"
                )
                assert session.scalar(taken) == 1
                assert list(audit.broken(session)) == []


# --- the last moment --------------------------------------------------------------------------


class Ticking(Clock):
    """A clock that comes to the deadline after it was looked at so many times."""

    def __init__(self, looks: int):
        self.left, self.lock = looks, Lock()
        self.moment = market.DEADLINE

    def __call__(self) -> datetime:
        with self.lock:
            self.left -= 1
            return self.moment - timedelta(milliseconds=self.left > 0)


@dataclass
class Sender:
    """Somebody before the page that submits her list: her cookie, and what its form holds."""

    cookie: str
    form: dict[str, object]

    def send(self, app: Flask) -> str:
        """Press the button; where the answer leads."""
        client = app.test_client()
        client.set_cookie("session", self.cookie)
        return client.post(f"{ME}/submit", data=self.form).headers.get("Location", "refused")


ME = "/me/2026-1"


@pytest.fixture
def senders(app: Flask, clock: Clock) -> list[Sender]:
    """Sixteen people who are about to press."""
    market.make(app)
    found = []
    for serial in range(1, THREADS + 1):
        client = market.register(app, date(2006, 3, 4), serial=serial)
        market.fill(client)
        page = client.get(f"{ME}/submit").text
        hidden = dict(re.findall(r'name="(key|last)" value="([^"]*)"', page))
        cookie = client.get_cookie("session")
        assert cookie is not None
        form = {**hidden, "choice": ["K1", "K3"], "adjustment": "none"}
        found.append(Sender(cookie.value, form))
    return found


@pytest.mark.parametrize(
    ("database", "looks"),
    [("sqlite", BEFORE), ("postgresql", BEFORE), ("postgresql", 60)],
    indirect=["database"],
)
def test_whatever_was_acknowledged_at_the_deadline_is_there_once(
    app: Flask, senders: Sequence[Sender], looks: int
) -> None:
    app.config["CLOCK"] = Ticking(looks)
    presses = [at for at in range(THREADS) for _ in range(REPLAYS)]
    random.Random(looks).shuffle(presses)
    answers: list[tuple[int, str]] = []

    def work(mine: Sequence[int]) -> str:
        for at in mine:
            answers.append((at, senders[at].send(app)))
        return "done"

    acts = [lambda m=presses[n::THREADS]: work(m) for n in range(THREADS)]
    assert at_once(*acts) == ["done"] * THREADS
    kinds = Counter(where for _, where in answers)
    assert set(kinds) <= {f"{ME}/receipt/1", "refused"}
    thanked = {at for at, where in answers if where != "refused"}
    if looks == BEFORE:
        assert kinds == {f"{ME}/receipt/1": THREADS * REPLAYS}
    else:
        assert thanked and kinds["refused"] > 0
    with app.app_context():
        session = db.reading()
        lists = session.scalars(select(ChoiceList).where(ChoiceList.number > 0)).all()
        assert len(lists) == len(thanked) == len({held.applicant_id for held in lists})
        assert len({held.receipt for held in lists}) == len(lists)
        states = Counter(session.scalars(select(Applicant.state)))
        assert states["submitted"] == len(lists)
        assert all(held.submitted_at < market.DEADLINE for held in lists)
        assert list(audit.broken(session)) == []
