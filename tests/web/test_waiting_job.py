"""A step of the waiting list in the worker: asked for once, taken wholly or not at all, and told about."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.web.a_round import FIRST, SECOND, SERIAL, confirming_round
from tests.web.conftest import Clock, installed
from tests.web.test_waiting import BASE, answer, app, holds, login, served, the_round, the_round_in
from web import audit, chain, db, jobs, links, snapshot, waiting, waiting_job
from web.models import Applicant, Message, Offer, Program, Run, WaitingStep
from web.rounds import Blocked, Moved, Obstacle

__all__ = ["app", "served"]


def press(actor: audit.Actor = FIRST) -> None:
    db.forget()
    with db.writing() as session:
        waiting_job.queue(session, the_round_in(session), actor)


def last() -> Run:
    round_ = the_round()
    run = waiting_job.last_of(db.reading(), round_)
    assert run is not None
    return run


def called() -> dict[str, str]:
    """Who was called by any step, and to which program."""
    rows = db.reading().execute(
        select(Applicant.number, Program.code)
        .join(Offer, Offer.applicant_id == Applicant.id)
        .join(Program, Program.id == Offer.program_id)
        .where(Offer.step_id.is_not(None))
    )
    return {row.number: row.code for row in rows}


def number(what: Any) -> int:
    return db.reading().scalar(select(func.count(what))) or 0


def nothing_done() -> None:
    db.forget()
    assert (number(WaitingStep.id), called()) == (0, {})
    told = select(Message.id).where(Message.code == "waiting_offer")
    assert db.reading().scalars(told).all() == []
    assert list(audit.broken(db.reading())) == []


def done_once(folder: Path) -> None:
    db.forget()
    assert called() == {"A04": "NEV-X", "A09": "WELD"}
    round_ = the_round()
    steps = links.steps_of(db.reading(), round_)
    assert [step.by for step in steps] == [FIRST.name]
    told = select(Message.id).where(Message.code == "waiting_offer")
    assert len(db.reading().scalars(told).all()) == 2
    assert len(holds(folder)) == 1
    assert len(list((snapshot.instance() / f"rounds/{SERIAL}/waiting").glob("0*"))) == 1
    assert list(audit.broken(db.reading())) == []


# --- taken by the worker --------------------------------------------------------------------------


def test_a_press_is_taken_by_the_worker_once(app: Flask, tmp_path: Path) -> None:
    answer(A02="declined", A07="declined", A04="waiting")
    press()
    nothing_done()
    with pytest.raises(waiting_job.Already):
        press(SECOND)
    assert number(Run.id) == 2, "the committed run, and one step"
    assert jobs.work_once()
    assert not jobs.work_once()
    run = last()
    assert (run.state, run.error, run.summary["number"], run.summary["called"]) == (
        "ANSWERED", "", 1, 2,
    )  # fmt: skip
    done_once(tmp_path)
    left = {path.name for path in (snapshot.instance() / run.folder).iterdir()}
    assert left == {"work_out.log"}, "what the child read and made does not stay"
    with pytest.raises(Blocked, match="step_today"):
        press()


def test_the_child_works_out_what_the_service_does(app: Flask, tmp_path: Path) -> None:
    answer(A02="declined", A07="declined", A04="waiting")
    round_ = the_round()
    held = waiting.standing(db.reading(), round_)
    press()
    assert jobs.work_once()
    (step,) = links.steps_of(db.reading(), round_)
    assert waiting.link(held, step.at).files == {
        name: data for name, data in chain.files_of(step).items() if name != "SHA256SUMS"
    }


def test_of_two_who_press_at_once_one_step_is_queued(
    tmp_path: Path, database: str, clock: Clock
) -> None:
    with installed(tmp_path, database) as made:
        made.config["CLOCK"] = clock
        with made.app_context():
            confirming_round()
            answer(A07="declined")
        ended: list[str] = []

        def go(actor: audit.Actor) -> None:
            with made.app_context():
                try:
                    press(actor)
                    ended.append("queued")
                except waiting_job.Already:
                    ended.append("already")

        threads = [Thread(target=go, args=(actor,)) for actor in (FIRST, SECOND) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ended) == ["already"] * 3 + ["queued"]
        with made.app_context():
            assert jobs.work_once()
            assert (last().state, called()) == ("ANSWERED", {"A09": "WELD"})
            assert not list(audit.broken(db.reading()))
            holds(tmp_path)


# --- half-way -------------------------------------------------------------------------------------


class Killed(BaseException):
    """The worker ends at once, without a word."""


@pytest.mark.parametrize("where", ["place", "call", "end"])
def test_a_worker_killed_half_way_leaves_nothing_half_done(
    app: Flask, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """While the link is written, while people are called, and when all is done but not stored."""
    answer(A02="declined", A07="declined", A04="waiting")
    press()

    def dies(module: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(module, name)

        def killed(*args: Any, **more: Any) -> Any:
            real(*args, **more)
            raise Killed

        monkeypatch.setattr(module, name, killed)

    with monkeypatch.context() as patched:
        monkeypatch = patched
        dies({"place": chain, "call": waiting, "end": jobs}[where], where)
        with pytest.raises(Killed):
            jobs.work_once()
    nothing_done()
    assert last().state == "RUNNING"
    with pytest.raises(waiting_job.Already):
        press()
    clock.forward(seconds=31)
    assert jobs.work_once()
    assert (last().state, last().fence) == ("ANSWERED", 1)
    done_once(tmp_path)


def test_a_worker_that_lost_the_run_stores_nothing(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(A02="declined", A07="declined", A04="waiting")
    press()
    real = chain.place

    def meanwhile(*args: Any) -> tuple[str, str]:
        with db.writing() as session:
            session.get_one(Run, last().id).fence += 1
        return real(*args)

    with monkeypatch.context() as patched:
        patched.setattr(chain, "place", meanwhile)
        assert jobs.work_once()
    nothing_done()
    assert (last().state, last().fence) == ("RUNNING", 1)


def test_a_step_that_is_not_wanted_any_more_is_not_taken(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(A07="declined")
    press()
    real = chain.place

    def meanwhile(*args: Any) -> tuple[str, str]:
        with db.writing() as session:
            jobs.cancel(session, session.get_one(Run, last().id), SECOND)
        return real(*args)

    monkeypatch.setattr(chain, "place", meanwhile)
    assert jobs.work_once()
    nothing_done()
    assert last().state == "CANCELLED"


def test_a_worker_told_to_leave_gives_the_step_back(app: Flask, tmp_path: Path) -> None:
    answer(A02="declined", A07="declined", A04="waiting")
    press()
    stop = Event()
    stop.set()
    assert jobs.work_once(stop)
    nothing_done()
    assert last().state == "QUEUED"
    assert jobs.work_once()
    done_once(tmp_path)


# --- why not --------------------------------------------------------------------------------------


def failed(served: Flask, code: str) -> str:
    """What the page says of the step that failed, once it has."""
    with served.app_context():
        assert jobs.work_once()
        assert last().state == "FAILED"
        nothing_done()
    page = login(served, "coordinator", code).get(f"{BASE}/waiting").text
    assert "的递补没有执行，什么也没有改变" in page
    return page


def test_a_round_whose_list_has_ended_meanwhile(served: Flask) -> None:
    with served.app_context():
        press()
        with db.writing() as session:
            waiting.end(session, the_round_in(session), FIRST)
    assert "递补已经结束，不再递补" in failed(served, "c1")


def test_a_day_that_is_no_working_day_any_more(served: Flask) -> None:
    with served.app_context():
        press()
        moment = served.config["CLOCK"].moment
        served.config["CLOCK"].forward(days=(5 - moment.weekday()) % 7)
    assert "今天不是工作日" in failed(served, "c1")


def test_a_round_that_was_suspended_meanwhile(served: Flask) -> None:
    with served.app_context():
        press()
        with db.writing() as session:
            the_round_in(session).state = "SUSPENDED"
    assert "本轮已不在确认期" in failed(served, "c1")


def test_people_who_answer_all_the_time(served: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def always(*_: object) -> None:
        raise waiting.KeepsChanging(SERIAL)

    with served.app_context():
        press()
    monkeypatch.setattr(waiting, "step", always)
    page = failed(served, "c1")
    assert "正好有人在答复" in page and ">递补一次<" in page


def test_a_full_disk(served: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise snapshot.NoSpace

    with served.app_context():
        press()
    monkeypatch.setattr(jobs, "enough_space", full)
    assert "磁盘空间不足" in failed(served, "c1")


def test_caps_that_cross_are_named(served: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with served.app_context():
        press()
    script = (
        "import json, pathlib, sys; out = pathlib.Path(sys.argv[2]); out.mkdir();"
        "said = {'obstacles': [{'code': 'crossing_caps'}], 'calls': [], 'counts': {}};"
        "(out / 'said.json').write_text(json.dumps(said))"
    )
    monkeypatch.setattr(waiting_job, "COMMAND", (sys.executable, "-c", script))
    assert "总量上限互相交叉" in failed(served, "c1")


def test_a_child_that_fails_is_told_in_its_own_words(
    served: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served.app_context():
        press()
    script = "import sys; print('no such file'); sys.exit(9)"
    monkeypatch.setattr(waiting_job, "COMMAND", (sys.executable, "-c", script))
    page = failed(served, "c1")
    assert "计算出错" in page and "no such file" in page
    client = login(served, "coordinator", "c2")
    client.post(f"{BASE}/waiting/step")
    monkeypatch.undo()
    with served.app_context():
        assert jobs.work_once()
        assert last().state == "ANSWERED", "it can be pressed again"


# --- its page -------------------------------------------------------------------------------------


def test_the_page_tells_of_the_step_in_both_languages(served: Flask) -> None:
    client = login(served, "coordinator", "c1")
    page = client.post(f"{BASE}/waiting/step", follow_redirects=True)
    assert "递补在排队" in page.text and page.headers["Refresh"] == "3"
    again = client.post(f"{BASE}/waiting/step", follow_redirects=True).text
    assert "递补正在进行，请等它完成" in again
    client.set_cookie("lang", "en")
    assert "The step is queued" in client.get(f"{BASE}/waiting").text
    with served.app_context(), db.writing() as session:
        run = session.scalars(select(Run).where(Run.kind == "waiting")).one()
        run.state, run.heartbeat = "RUNNING", db.now(session) - timedelta(minutes=1)
        key = run.key
    assert "being taken" in client.get(f"{BASE}/waiting").text
    with served.app_context():
        assert jobs.work_once(), "its worker had fallen silent"
    page = client.get(f"{BASE}/waiting")
    assert "Step 1 is done" in page.text and "Refresh" not in page.headers
    assert client.get(f"{BASE}/runs/{key}").status_code == 404, "it is no run of the solver"
    assert key not in client.get(f"{BASE}/runs").text


def test_nothing_is_queued_where_no_step_is_taken(app: Flask) -> None:
    def refused(session: Session) -> None:
        waiting_job.queue(session, the_round_in(session), FIRST)

    with db.writing() as session:
        waiting.end(session, the_round_in(session), FIRST)
    with pytest.raises(Blocked) as error, db.writing() as session:
        refused(session)
    assert error.value.obstacles == (Obstacle("waiting_ended"),)
    with db.writing() as session:
        the_round_in(session).state = "FINAL"
    with pytest.raises(Moved), db.writing() as session:
        refused(session)
    assert number(Run.id) == 1
