"""Runs: one claim each, limits, cancelling, fences, and every way in which a child can fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from matcher import InvalidRound, Policy
from tests.web.a_round import FIRST, SECOND, drawn_round, policy, standing
from tests.web.conftest import Clock
from web import audit, child, db, evidence, jobs, rounds, snapshot
from web.models import Round, Run


@pytest.fixture
def drawn(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    """A round whose committed run is queued."""
    app = standing(tmp_path, "drawn", clock)
    with app.app_context():
        yield app
    app.extensions["orderclass_engine"].dispose()


@pytest.fixture
def review(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    """A round in review, for trials."""
    app = standing(tmp_path, "review", clock)
    with app.app_context():
        yield app
    app.extensions["orderclass_engine"].dispose()


def the_run() -> Run:
    db.forget()
    return db.reading().query(Run).order_by(Run.id.desc()).first()  # type: ignore[return-value]


def queue(kind: str = "trial", toml: str | None = None) -> Run:
    with db.writing() as session:
        round_ = session.query(Round).one()
        return jobs.queue(session, round_, kind, policy() if toml is None else toml, "甲", FIRST)


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a script in the solver's place; ``step`` and ``out`` are its arguments."""

    def put(body: str) -> None:
        script = tmp_path / "pretend.py"
        head = "import os, sys, time, signal\nstep, round_, _, out = sys.argv[1:]\n"
        script.write_text(head + textwrap.dedent(body), encoding="utf-8")
        monkeypatch.setattr(jobs, "COMMAND", (sys.executable, str(script)))

    return put


# --- queueing ---------------------------------------------------------------------------------


def test_a_trial_has_a_seed_of_its_own_and_cannot_be_published(review: Flask) -> None:
    run = queue()
    rules = Policy.from_toml(run.policy_toml.encode())
    assert len(rules.seed) == 64
    assert jobs.work_once()
    assert not jobs.work_once()
    done = the_run()
    assert (done.state, done.status, done.error) == ("VERIFIED", "OPTIMAL", "")
    assert done.summary["complete"] and not done.summary["publishable"]
    assert done.summary["report"]["placed"] == 9
    assert [c["opened"] for c in done.summary["classes"]] == ["1", "1", "1", "0", "1"]
    assert (jobs.result_of(done) / "reasons.jsonl").is_file()
    assert (jobs.round_folder_of(done) / "policy.toml").read_text("utf-8") == run.policy_toml
    assert list(audit.broken(db.reading())) == []


def test_two_trials_differ_by_their_rules_and_not_by_luck(review: Flask) -> None:
    seeds = {Policy.from_toml(queue().policy_toml.encode()).seed for _ in range(2)}
    assert len(seeds) == 1


def test_a_trial_after_the_freeze_reads_what_was_frozen(drawn: Flask) -> None:
    with db.writing() as session:
        jobs.cancel(session, session.query(Run).one(), SECOND)
        session.query(Round).one().classes[0].min_size = 99
    queue()
    assert jobs.work_once()
    run = the_run()
    assert (run.kind, run.state) == ("trial", "VERIFIED")
    assert "99" not in (jobs.round_folder_of(run) / "order_classes.csv").read_text("utf-8")
    assert not (jobs.round_folder_of(run) / "draw.json").exists()


def test_rules_that_cannot_be_read_are_refused_at_once(review: Flask) -> None:
    with pytest.raises(InvalidRound):
        queue(toml="[mechanism]\nname = 'luck'\n")


@pytest.mark.parametrize("kind", ["trial", "committed"])
def test_a_run_belongs_to_a_state(review: Flask, kind: str) -> None:
    with db.writing() as session:
        rounds.void(session, session.query(Round).one(), FIRST, SECOND, "试")
    with pytest.raises(jobs.NotAllowed) as refused:
        queue(kind)
    assert refused.value.code == "state"


def test_only_the_committed_rules_and_only_one_live_run(drawn: Flask) -> None:
    with pytest.raises(jobs.NotAllowed, match="live"):
        queue("committed")
    with pytest.raises(jobs.NotAllowed, match="policy"):
        queue("committed", policy() + "\n")


def test_the_index_refuses_what_a_look_beforehand_missed(
    drawn: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "committed_run", lambda *_: None)
    with pytest.raises(jobs.NotAllowed, match="live"):
        queue("committed")


# --- the committed run ------------------------------------------------------------------------


def test_the_committed_run_reads_the_snapshot_with_the_draw(drawn: Flask) -> None:
    with db.writing() as session:
        session.query(Round).one().classes[0].min_size = 99
    assert jobs.work_once()
    run = the_run()
    assert (run.state, run.status, run.step, run.error) == ("VERIFIED", "OPTIMAL", "", "")
    assert run.summary["publishable"]
    frozen = db.reading().query(snapshot.Snapshot).one()
    assert run.summary["digest"] == frozen.digest
    assert json.loads((jobs.round_folder_of(run) / "draw.json").read_bytes())["seed"]
    assert run.summary["files"] == jobs.digests(jobs.result_of(run))


def test_an_altered_snapshot_is_not_solved(drawn: Flask) -> None:
    path = snapshot.folder_of(db.reading().query(snapshot.Snapshot).one()) / "caps.csv"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"MORE,1,,X,\n")
    assert jobs.work_once()
    assert the_run().state == "FAILED"
    assert "snapshot altered" in the_run().error


def gone(pid: int) -> bool:
    """Whether a process ends within two seconds."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


# --- limits of time ---------------------------------------------------------------------------


def test_what_cut_the_same_work_short_is_doubled(drawn: Flask) -> None:
    limited = policy() + "\n[limits]\ntime_s = 60\n"
    mine, hers = [{"applicant": "A01"}], [{"applicant": "A02"}]
    past = [
        ("trial", "INCOMPLETE", [], 960, 60), ("committed", "CANCELLED", [], 0, 60),
        ("committed", "INCOMPLETE", [], 60, 60), ("committed", "FAILED", [], 0, 120),
        ("committed", "FAILED", [], 300, 120), ("committed", "BROKEN", [], 900, 600),
        ("committed", "VERIFIED", [], 900, 900), ("recheck", "INCOMPLETE", mine, 900, 900),
        ("recheck", "VERIFIED", hers, 900, 900), ("recheck", "QUEUED", mine, 0, 1800),
        ("trial", "QUEUED", [], 0, 60),
    ]  # fmt: skip
    with db.writing() as session:
        round_ = session.query(Round).one()
        session.delete(session.query(Run).one())
        session.flush()
        for kind, state, corrections, seconds, limit in past:
            run = Run(
                round_id=round_.id, kind=kind, state=state, corrections=corrections, policy_toml=limited,
                summary={"seconds": seconds}, started_by="甲", queued_at=db.now(session),
            )  # fmt: skip
            session.add(run)
            session.flush()
            assert jobs.seconds_of(session, run) == limit, (kind, state)


@pytest.mark.parametrize(("name", "seconds"), [("stable", 0), ("max_placement", 600)])
def test_where_the_rules_set_no_limit_one_mechanism_has_its_own(
    drawn: Flask, name: str, seconds: int
) -> None:
    run = Run(
        round_id=1,
        kind="trial",
        policy_toml=policy().replace('name = "stable"', f'name = "{name}"'),
    )
    rules = Policy.from_toml(run.policy_toml.encode())
    assert jobs.seconds_of(db.reading(), run) == rules.seconds == seconds
    assert jobs.more_time(rules, seconds) == ()
    assert jobs.more_time(rules, 1200) == ("--time-s", "1200")
    assert jobs.limits_of(rules).seconds == 1800


# --- failing children -------------------------------------------------------------------------


FAILURES = {
    "crash": ("raise RuntimeError('boom')", "boom"),
    "out of memory": ("x = bytearray(2**40)", "MemoryError"),
    "garbage": (
        "os.makedirs(out, exist_ok=True); open(out + '/result.json', 'wb').write(b'\\xff{')",
        "unreadable result",
    ),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", "signal 9"),
    "status": ("print('not valid'); sys.exit(2)", "not valid"),
    "nothing": ("pass", "exit 0"),
    "broken without a verdict": (
        "os.makedirs(out + '.broken'); open(out + '.broken/result.json', 'w').write('{}'); sys.exit(1)",
        "exit 1",
    ),
    "time": ("time.sleep(60)", "time limit"),
}


@pytest.mark.parametrize("how", FAILURES)
def test_a_child_that_fails_leaves_a_failed_run_and_can_be_tried_again(
    drawn: Flask, pretend: Callable[[str], None], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, word = FAILURES[how]
    pretend(body)
    drawn.config["RUN_SECONDS"] = 0.5 if how == "time" else 20
    assert jobs.work_once()
    run = the_run()
    late = {"seconds": 1} if how == "time" else {}
    assert (run.state, run.summary, run.status) == ("FAILED", late, "")
    assert word in run.error
    again = Run(round_id=run.round_id, kind="committed", policy_toml=run.policy_toml, id=run.id + 1)
    assert jobs.seconds_of(db.reading(), again) == (2 if how == "time" else 0)
    assert not jobs.result_of(run).exists()
    assert db.reading().query(Round).one().state == "DRAWN"
    with db.writing() as session:
        round_ = session.query(Round).one()
        found = rounds.obstacles(session, round_, rounds.BY_NAME["approve"], FIRST)
    assert [o.code for o in found] == ["no_verified_run"]
    assert queue("committed").state == "QUEUED"


def test_a_broken_claim_is_a_result_that_nobody_can_publish(
    drawn: Flask, pretend: Callable[[str], None]
) -> None:
    files = {
        "result": {"publishable": True, "mechanism": "stable", "objective": [], "status": "OPTIMAL",
                   "runtime_s": 0, "digests": {"inputs": ""}},
        "verdict": {"broken": True, "claims": [{"name": "caps", "status": "BROKEN"}]},
    }  # fmt: skip
    pretend(
        f"""
        import json
        if step != "solve":
            sys.exit(9)
        os.makedirs(out + ".broken")
        for name, held in {files!r}.items():
            json.dump(held, open(f"{{out}}.broken/{{name}}.json", "w"))
        open(out + ".broken/classes.csv", "w").write("order_class,opened,placed,min_size\\n")
        sys.exit(1)
        """
    )
    assert jobs.work_once()
    run = the_run()
    assert (run.state, run.summary["publishable"], run.summary["complete"]) == (
        "BROKEN",
        False,
        False,
    )
    assert run.summary["claims"][0]["status"] == "BROKEN"


def test_a_child_knows_no_database_and_no_key(drawn: Flask, pretend: Callable[[str], None]) -> None:
    os.environ["DATABASE_URL"] = "sqlite:///secret"
    try:
        pretend("print(sorted(os.environ), os.listdir('/proc/self/fd')); sys.exit(2)")
        assert jobs.work_once()
    finally:
        del os.environ["DATABASE_URL"]
    said = the_run().error
    assert "PYTHONPATH" in said
    assert "DATABASE" not in said and "ORDERCLASS" not in said
    assert len(said.split("[")[-1].split(",")) <= 4  # standard streams, and the listing itself


def test_what_a_child_started_ends_with_it(drawn: Flask, pretend: Callable[[str], None]) -> None:
    pretend(
        """
        import subprocess
        left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(left.pid)
        sys.exit(2)
        """
    )
    assert jobs.work_once()
    left = int(the_run().error.split("\n")[1])
    assert gone(left)


def test_the_limit_stands_before_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(child.resource, "setrlimit", lambda what, limit: seen.append(limit))
    monkeypatch.setattr(child.ctypes, "CDLL", lambda _: SimpleNamespace(prctl=lambda *_: None))
    monkeypatch.setattr(os, "execv", lambda path, command: seen.append(command))
    child.main(["64", "/bin/true", "x"])
    assert seen == [(64 * 2**20, 64 * 2**20), (0, 0), ["/bin/true", "x"]]


@pytest.mark.skipif(sys.platform != "linux", reason="the tie between the two is Linux's")
def test_a_child_ends_with_its_worker() -> None:
    sleep = [sys.executable, "-I", str(jobs.CHILD), "4096", sys.executable, "-c",
             "print('up', flush=True); import time; time.sleep(60)"]  # fmt: skip
    code = f"import subprocess, time; print(subprocess.Popen({sleep!r}).pid, flush=True); time.sleep(60)"
    worker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    said = {worker.stdout.readline().strip(), worker.stdout.readline().strip()}
    (pid,) = said - {"up"}
    worker.kill()
    worker.communicate()
    assert gone(int(pid))


# --- fences, claims, cancelling ---------------------------------------------------------------


def test_two_workers_claim_one_run_once(app: Flask) -> None:
    with app.app_context():
        drawn_round()
    claims: list[jobs.Claim | None] = []
    barrier = threading.Barrier(4)

    def claim() -> None:
        with app.app_context():
            barrier.wait()
            claims.append(jobs._claim())

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(c is not None for c in claims) == 1
    with app.app_context():
        assert the_run().state == "RUNNING"


def test_a_silent_worker_loses_its_run_and_cannot_record(drawn: Flask, clock: Clock) -> None:
    old = jobs._claim()
    assert old is not None
    clock.moment += jobs.SILENCE
    jobs.give_back_silent()
    assert the_run().state == "RUNNING"  # thirty seconds are not yet more than thirty
    clock.moment += timedelta(seconds=1)
    jobs.give_back_silent()
    assert (the_run().state, the_run().fence) == ("QUEUED", 1)
    new = jobs._claim()
    assert new is not None and new.folder != old.folder
    jobs._record(old, {"state": "VERIFIED", "summary": {"publishable": True}})
    assert (the_run().state, the_run().summary) == ("RUNNING", {})
    with pytest.raises(jobs.Lost):
        jobs._beat(old, "solve")
    jobs._requeue(old.run_id, old.fence)
    assert the_run().state == "RUNNING"


def test_a_run_whose_workers_keep_dying_is_given_up(drawn: Flask, clock: Clock) -> None:
    for _ in range(jobs.MOST_FENCES):
        assert jobs._claim() is not None
        clock.forward(seconds=31)
        jobs.give_back_silent()
    assert (the_run().state, the_run().error) == ("FAILED", "silent")


def test_a_worker_that_lost_its_run_goes_on(
    drawn: Flask, pretend: Callable[[str], None], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend("time.sleep(60)")

    def elsewhere(claim: jobs.Claim, step: str) -> None:
        jobs._requeue(claim.run_id, claim.fence)
        monkeypatch.undo()
        jobs._beat(claim, step)

    monkeypatch.setattr(jobs, "_beat", elsewhere)
    assert jobs.work_once()
    assert (the_run().state, the_run().fence) == ("QUEUED", 1)


def test_a_queued_run_is_cancelled_at_once(drawn: Flask) -> None:
    with db.writing() as session:
        jobs.cancel(session, session.query(Run).one(), SECOND)
    assert the_run().state == "CANCELLED"
    assert not jobs.work_once()
    with pytest.raises(rounds.Moved), db.writing() as session:
        jobs.cancel(session, session.query(Run).one(), SECOND)
    assert queue("committed").state == "QUEUED"


def test_cancelling_kills_the_child(
    drawn: Flask, pretend: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "HEARTBEAT", 0.05)
    pretend("open(round_ + '/pid', 'w').write(str(os.getpid())); time.sleep(60)")

    def press() -> None:
        with drawn.app_context():
            while the_run().state != "RUNNING" or not list(
                snapshot.instance().glob("rounds/*/runs/*/round/pid")
            ):
                time.sleep(0.02)
            assert the_run().step == "solve"
            with db.writing() as session:
                jobs.cancel(session, session.query(Run).one(), SECOND)

    thread = threading.Thread(target=press)
    thread.start()
    assert jobs.work_once()
    thread.join()
    assert the_run().state == "CANCELLED"
    (pid,) = snapshot.instance().glob("rounds/*/runs/*/round/pid")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_cancel_after_the_last_look_holds(drawn: Flask) -> None:
    claim = jobs._claim()
    assert claim is not None
    with db.writing() as session:
        jobs.cancel(session, session.query(Run).one(), SECOND)
    jobs._record(claim, {"state": "VERIFIED", "summary": {"publishable": True}})
    assert (the_run().state, the_run().summary) == ("CANCELLED", {})


def test_a_cancelled_run_of_a_silent_worker_is_not_queued_again(drawn: Flask, clock: Clock) -> None:
    assert jobs._claim() is not None
    with db.writing() as session:
        jobs.cancel(session, session.query(Run).one(), SECOND)
    clock.forward(seconds=31)
    assert not jobs.work_once()
    assert the_run().state == "CANCELLED"


# --- the worker -------------------------------------------------------------------------------


def test_a_worker_told_to_leave_gives_its_run_back(
    drawn: Flask, pretend: Callable[[str], None]
) -> None:
    pretend("time.sleep(60)")
    stop = threading.Event()
    stop.set()
    assert jobs.work_once(stop)
    assert (the_run().state, the_run().fence) == ("QUEUED", 1)


def test_a_worker_outlives_a_database_that_is_away(
    review: Flask, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    stop, seen = threading.Event(), []

    def away(_: threading.Event) -> bool:
        seen.append(1)
        if len(seen) == 3:
            stop.set()
        if len(seen) == 2:
            return True
        raise OperationalError("select 1", None, Exception("away"))

    monkeypatch.setattr(jobs, "work_once", away)
    jobs.work(stop, poll=0.01)
    assert len(seen) == 3


def test_a_worker_deletes_old_evidence_once_an_hour(
    review: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, cleaned, rounds_made = threading.Event(), [], []

    def idle(_: threading.Event) -> bool:
        rounds_made.append(1)
        if len(rounds_made) == 3:
            stop.set()
        return False

    monkeypatch.setattr(jobs, "work_once", idle)
    assert evidence.delete_due in jobs.CLEANED
    monkeypatch.setattr(jobs, "CLEANED", [lambda: cleaned.append(1)])
    jobs.work(stop, poll=0.01)
    assert (len(cleaned), len(rounds_made)) == (1, 3)
    stop.clear()
    monkeypatch.setattr(jobs, "CLEANING", 0.0)
    rounds_made.clear()
    jobs.work(stop, poll=0.01)
    assert len(cleaned) == 4


def test_a_worker_records_deadlines_that_have_passed(review: Flask, clock: Clock) -> None:
    with db.writing() as session:
        round_ = session.query(Round).one()
        round_.state, round_.deadline_at = "OPEN", clock.moment + timedelta(minutes=1)
    assert jobs.record_due() == []
    clock.forward(minutes=1)
    assert jobs.record_due() == ["2026-1 close"]


def test_the_worker_ends_when_it_is_told_to(drawn: Flask, tmp_path: Path) -> None:
    """The command, in a process of its own: it takes up the run, and leaves at SIGTERM."""
    environment = {
        **os.environ, "ORDERCLASS_INSTANCE": str(tmp_path), "ORDERCLASS_DEMO": "1",
        "DATABASE_URL": f"sqlite:///{tmp_path}/test.sqlite",
    }  # fmt: skip
    worker = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "web", "worker"],
        env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for _ in range(400):
            if the_run().state == "VERIFIED":
                break
            time.sleep(0.05)
        worker.send_signal(signal.SIGTERM)
        said = worker.communicate(timeout=10)[0]
    finally:
        worker.kill()
    assert the_run().state == "VERIFIED"
    assert worker.returncode == 0
    assert "worker started" in said
