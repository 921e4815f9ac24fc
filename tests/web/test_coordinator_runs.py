"""From trials to the notice: runs, comparison, lock, draw, approval, publication, suspending, voiding."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from matcher import Issue, Policy
from tests.web.a_round import LIMITED, SERIAL, small_round, standing
from tests.web.conftest import PASSWORD, Clock
from web import auth, calendar, compare, db, jobs, policies, publication, snapshot
from web.coordinating import decide, trials
from web.models import (
    Applicant,
    AuditEvent,
    Cap,
    Doubt,
    Motion,
    OrderClass,
    Program,
    Publication,
    Reserve,
    Round,
    Run,
    Score,
    Snapshot,
)

AT = f"/coordinator/rounds/{SERIAL}"
DICE = "01234567890123456789"
Stand = Callable[[str], tuple[Flask, FlaskClient, FlaskClient]]


@pytest.fixture
def stand(tmp_path: Path, clock: Clock) -> Iterator[Stand]:
    """``stand("review")``: the application at a stage of the round, and two coordinators in it."""
    made: list[Flask] = []

    def at(stage: str) -> tuple[Flask, FlaskClient, FlaskClient]:
        app = standing(tmp_path, stage, clock)
        made.append(app)
        return app, logged_in(app, "coord1"), logged_in(app, "coord2")

    yield at
    for app in made:
        app.extensions["orderclass_engine"].dispose()


def logged_in(app: Flask, name: str) -> FlaskClient:
    with app.app_context(), db.writing() as session:
        auth.create_user(session, name, PASSWORD, "coordinator")
    client = app.test_client()
    client.post("/login", data={"username": name, "password": PASSWORD})
    return client


def state_of(app: Flask) -> str:
    with app.app_context():
        return db.reading().scalars(select(Round.state)).one()


def work(app: Flask) -> None:
    with app.app_context():
        while jobs.work_once():
            pass


def all_of(app: Flask, model: Any) -> list[Any]:
    with app.app_context():
        return list(db.reading().scalars(select(model).order_by(model.id)))


TRIAL = {
    "label": "平行志愿", "mechanism-name": "parallel", "mechanism-closure": "exact",
    "mechanism-rank": "min_cost", "mechanism-reserve_order": "reserves_first", "preferences-max": "0",
    "score-pass_total": "", "mechanism-objective-0": "placed", "mechanism-objective-1": "rank",
    "mechanism-objective-2": "", "mechanism-objective-3": "", "limits-time_s": "60",
}  # fmt: skip

HURRIED = """
import sys
from itertools import count
from types import SimpleNamespace
from matcher import cli
from matcher.mechanisms import stable

given = int(sys.argv[sys.argv.index("--time-s") + 1]) if "--time-s" in sys.argv else 60
ticks = count(step=1000)
if given < ENOUGH:
    stable.time = SimpleNamespace(perf_counter=lambda: next(ticks))
cli.main()
"""
"""The command line on a clock that is past any limit below ``ENOUGH`` at once."""


# --- trials -----------------------------------------------------------------------------------


def test_trials_run_are_watched_and_compared(stand: Stand) -> None:
    app, first, _ = stand("review")
    page = first.post(f"{AT}/runs", data=TRIAL | {"label": "", "preferences-max": "x"})
    assert page.status_code == 200 and 'class="problem"' in page.text and not all_of(app, Run)
    page = first.post(f"{AT}/runs", data=TRIAL | {"preferences-max": "x"}).text
    assert "0 到 1000 的整数" in page and 'value="平行志愿"' in page
    url = first.post(f"{AT}/runs", data=TRIAL).headers["Location"]
    waiting = first.get(url)
    assert waiting.headers["Refresh"] == "3" and "等待计算进程" in waiting.text
    assert first.get(f"{AT}/runs").headers["Refresh"] == "3"
    first.post(f"{AT}/runs", data=TRIAL | {"label": "公平", "mechanism-name": "stable"})
    third = first.post(f"{AT}/runs", data=TRIAL | {"label": "取消的"}).headers["Location"]
    first.post(f"{third}/cancel")
    work(app)
    first.post(f"{third}/cancel")  # ended already: told, nothing happens
    runs = all_of(app, Run)
    assert [r.state for r in runs] == ["VERIFIED", "VERIFIED", "CANCELLED"]
    assert [Policy.from_toml(r.policy_toml.encode()).mechanism for r in runs[:2]] == [
        "parallel", "stable",
    ]  # fmt: skip
    done = first.get(url)
    assert "Refresh" not in done.headers
    for word in ("录到第几志愿", "公平性核查", "没开的班和差多少人", "已证明", "<svg", "平行志愿"):
        assert word in done.text, word
    keys = [r.key for r in runs]
    page = first.get(f"{AT}/compare?run={keys[0]}&run={keys[1]}").text
    assert "谁的去向变了：平行志愿 → 公平" in page and "各人员类别录取" in page
    assert page.count("<svg") == 2
    for wrong in (f"run={keys[0]}", f"run={keys[0]}&run={keys[0]}", ""):
        assert first.get(f"{AT}/compare?{wrong}").status_code == 302
    for wrong in (f"run={keys[0]}&run={keys[2]}", f"run={keys[0]}&run=none"):
        assert first.get(f"{AT}/compare?{wrong}").status_code == 404
    assert first.get(f"{AT}/runs/none").status_code == 404
    with app.app_context():
        session = db.reading()
        round_ = session.scalars(select(Round)).one()
        placed = {r["applicant"]: r["program"] for r in compare._rows(
            jobs.result_of(runs[0]) / "placements.csv")}  # fmt: skip
        other = {r["applicant"]: r["program"] for r in compare._rows(
            jobs.result_of(runs[1]) / "placements.csv")}  # fmt: skip
        found = compare.moves(session, round_, runs[0], runs[1])
        assert len(found) == sum(placed[who] != other[who] for who in placed)
        assert all(move.number.startswith("A") for move in found)


def test_moves_are_told_by_her_own_list() -> None:
    change = compare._change
    assert change(("", ""), ("P", "2")) == "gained"
    assert change(("P", "1"), ("", "")) == "lost"
    assert change(("P", "3"), ("Q", "1")) == "better"
    assert change(("P", "1"), ("Q", "0")) == "worse"  # adjustment comes after every choice
    assert change(("P", "2"), ("Q", "2")) == "same"


@pytest.mark.parametrize(
    ("varied", "has", "said"),
    [
        ({"mechanism-name": "parallel"}, "score", "每个考核通道只排一条队"),
        ({"mechanism-name": "max_placement"}, "reserve", "做不到预留席位"),
        ({"mechanism-name": "max_placement"}, "cap", "做不到总量上限"),
        ({"mechanism-name": "max_placement"}, "", "做不到一次算准停开哪些班"),
        (
            {"mechanism-name": "optimal", "mechanism-reserve_order": "open_first"},
            "reserve",
            "做不到先普通后预留",
        ),
    ],
)
def test_a_trial_that_cannot_run_is_refused_at_the_form(
    stand: Stand, varied: dict[str, str], has: str, said: str
) -> None:
    app, one, _two = stand("review")
    with app.app_context(), db.writing() as session:
        for old in session.query(Reserve):
            session.delete(old)
        program = session.query(Program).first()
        round_ = session.query(Round).one()
        assert program is not None
        if has == "reserve":
            program.reserves.append(Reserve(group="G05", seats=1, hard=False))
        if has == "cap":
            session.add(Cap(round_id=round_.id, code="ALL", seats=9, programs=[]))
        if has == "score":
            held = session.query(Applicant).filter_by(state="passed").first()
            by = {"entered_by": "a", "confirmed_by": "b"}
            at = dict.fromkeys(("entered_at", "confirmed_at"), db.now(session))
            session.add(
                Score(applicant_id=held.id, program_id=program.id, interview="80", **by, **at)
            )
    answer = one.post(f"{AT}/runs", data={**TRIAL, **varied})
    assert answer.status_code == 200 and said in answer.text and 'value="平行志愿"' in answer.text
    assert all_of(app, Run) == []


def test_no_trial_in_a_void_round(stand: Stand) -> None:
    app, first, _ = stand("review")
    with app.app_context(), db.writing() as session:
        session.scalars(select(Round)).one().state = "VOID"
    assert "本轮现在不能试算" in first.post(f"{AT}/runs", data=TRIAL).text
    assert not all_of(app, Run)


def test_prices_of_seats_are_told_where_the_result_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "result_of", lambda _run: tmp_path)
    run = Run(policy_toml='[mechanism]\nobjective = ["placed", "rank", "fit"]\n')
    assert compare.prices(run) == []
    lines = (
        "program,stage,price\nA,open,0;0;2;7;1;1\nB,open,0;0;0;0;3;4\nC,open,\n"
        "D,soft:G05,9;0;0;0;0;0\nD,open,1;0;0;0;0;0\nE,open,0;0;0;5;0;0\n"
    )
    (tmp_path / "thresholds.csv").write_text(lines, encoding="utf-8")
    assert compare.prices(run) == [("D", "placed", 1), ("A", "rank", 2), ("E", "fit", 5)]


def test_what_failed_says_so(stand: Stand) -> None:
    app, first, _ = stand("review")
    url = first.post(f"{AT}/runs", data=TRIAL).headers["Location"]
    with app.app_context(), db.writing() as session:
        run = session.scalars(select(Run)).one()
        run.state, run.error = "FAILED", "solve: exit 2 <b>"
    assert "solve: exit 2 &lt;b&gt;" in first.get(url).text


# --- the lock ---------------------------------------------------------------------------------


def test_figures_are_looked_at_once_more_before_the_lock(stand: Stand) -> None:
    app, first, _ = stand("review")
    with app.app_context(), db.writing() as session:
        held = session.scalars(select(OrderClass).where(OrderClass.code == "NEV")).one()
        held.programs[0].capacity = 500
        session.query(Doubt).delete()
    first.post(f"{AT}/freeze")
    assert state_of(app) == "REVIEW" and [d.subject for d in all_of(app, Doubt)].count("NEV") == 1
    assert "可疑数字" in first.get(f"{AT}/freeze").text


def settle_doubts(app: Flask) -> None:
    """Look at every figure and confirm what is found, as two people would."""
    with app.app_context(), db.writing() as session:
        from web import plausibility

        round_ = session.scalars(select(Round)).one()
        for doubt in plausibility.doubts(session, round_):
            doubt.explained = doubt.explained_by = doubt.confirmed_by = "x"
            doubt.confirmed_at = round_.created_at


def test_the_lock_publishes_the_commitment(stand: Stand) -> None:
    app, first, _ = stand("review")
    settle_doubts(app)
    assert "锁定志愿并公布承诺" in first.get(f"{AT}/freeze").text
    answer = first.post(f"{AT}/freeze")
    assert answer.headers["Location"].endswith("/commitment") and state_of(app) == "FROZEN"
    (held,) = all_of(app, Snapshot)
    page = first.get(f"{AT}/commitment").text
    assert held.digest in page and held.policy_digest in page
    assert first.post(f"{AT}/freeze").status_code == 302 and len(all_of(app, Snapshot)) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            snapshot.Unsound([Issue("scores", 3, "score", "score_out_of_range", "900")]),
            "数据里有 1 处错误",
        ),
        (snapshot.WrongRules("规则是别的轮次的"), "规则是别的轮次的"),
        (snapshot.KeepsChanging(1), "数据一直在变动"),
        (snapshot.NoSpace("满"), "磁盘空间不足"),
    ],
)
def test_why_a_lock_failed(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    _app, first, _ = stand("review")

    def fails(*_args: object) -> None:
        raise error

    monkeypatch.setattr(snapshot, "freeze", fails)
    assert said in first.post(f"{AT}/freeze").text


# --- the draw ---------------------------------------------------------------------------------


def test_the_draw_is_typed_by_two_and_starts_the_run(stand: Stand) -> None:
    app, first, second = stand("frozen")
    form = {"kind": "dice", "issue": "", "value": "123", "witnesses": "公证处"}
    page = first.post(f"{AT}/draw", data=form).text
    assert "现在是 3 位" in page and ">123</textarea>" in page.replace("\r\n", "")
    assert first.post(f"{AT}/draw/confirm", data={"value": DICE}).status_code == 200
    assert first.post(f"{AT}/draw", data=form | {"value": DICE}).status_code == 302
    page = second.get(f"{AT}/draw").text
    assert "协调员 coord1" in page and DICE not in page  # the second does not see the first
    assert "要另一位协调员来录第二遍" in first.post(f"{AT}/draw/confirm", data={"value": DICE}).text
    assert "两遍录的不一样" in second.post(f"{AT}/draw/confirm", data={"value": DICE[::-1]}).text
    assert 'class="problem"' in second.post(f"{AT}/draw/confirm", data={"value": ""}).text
    assert second.post(f"{AT}/draw/confirm", data={"value": DICE}).status_code == 302
    assert state_of(app) == "DRAWN" and [r.kind for r in all_of(app, Run)] == ["committed"]
    assert first.post(f"{AT}/draw", data=form | {"value": DICE}).status_code in (200, 302)
    assert DICE in first.get(f"{AT}/commitment").text
    assert "draw.differs" in [e.action for e in all_of(app, AuditEvent)]
    assert "没有等待确认的摇号结果" in second.post(f"{AT}/draw/confirm", data={"value": DICE}).text


def test_a_failed_committed_run_is_run_again(stand: Stand) -> None:
    app, first, _ = stand("drawn")
    first.post(f"{AT}/committed")
    assert len(all_of(app, Run)) == 1  # one is live already
    with app.app_context(), db.writing() as session:
        session.scalars(select(Run)).one().state = "FAILED"
    assert "再算一次" in first.get(f"{AT}/approval").text
    first.post(f"{AT}/committed")
    assert [r.state for r in all_of(app, Run)] == ["FAILED", "QUEUED"]


def test_an_official_run_that_was_cut_short_has_twice_the_time(
    stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, first, second = stand("limited")
    script = tmp_path / "hurried.py"
    script.write_text(HURRIED.replace("ENOUGH", "240"), encoding="utf-8")
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, str(script)))
    for seconds in (60, 120):
        work(app)
        run = all_of(app, Run)[-1]
        assert (run.state, run.status, run.summary["seconds"]) == (
            "INCOMPLETE",
            "FEASIBLE",
            seconds,
        )
        for page in ("approval", f"runs/{run.key}"):
            said = first.get(f"{AT}/{page}").text
            assert f"限时 {seconds} 秒内没有算完" in said
            assert f"可以限时 {2 * seconds} 秒再算一次" in said
        assert "正式结果还没算完" in second.get(f"{AT}/approval").text
        second.post(f"{AT}/approval", data={"read": "y"})
        assert state_of(app) == "DRAWN"
        first.post(f"{AT}/committed")
    work(app)
    run = all_of(app, Run)[-1]
    assert (run.state, run.status, run.summary["seconds"]) == ("VERIFIED", "OPTIMAL", 240)
    assert "再算一次" not in first.get(f"{AT}/approval").text
    with app.app_context(), db.writing() as session:
        session.get_one(Run, run.id).started_by = "coordinator:coord1"
    assert second.post(f"{AT}/approval", data={"read": "y"}).status_code == 302
    assert state_of(app) == "APPROVED"


def test_before_the_lock_it_is_told_whether_these_rules_come_to_an_end(
    stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, first, _ = stand("review")
    assert "这套规则还没有试算过" in first.get(f"{AT}/freeze").text
    script = tmp_path / "hurried.py"
    script.write_text(HURRIED.replace("ENOUGH", "61"), encoding="utf-8")
    with app.app_context(), db.writing() as session:
        round_ = session.query(Round).one()
        assert round_.policy is not None
        round_.policy.toml += LIMITED
        rules = policies.document(policies.current(session, round_))
    form = {
        f"mechanism-objective-{at}": name for at, name in enumerate(rules["mechanism.objective"])
    }
    for key in set(trials.VARIED) - {"mechanism.objective"}:
        form[key.replace(".", "-")] = str(rules[key] or "")
    form["label"] = "照章"
    monkeypatch.setattr(jobs, "COMMAND", (sys.executable, str(script)))
    url = first.post(f"{AT}/runs", data=form).headers["Location"]
    work(app)
    assert "限时 60 秒内没有算完" in (page := first.get(url).text)
    assert (
        "已证明不会超过" in page and "放宽求解时限再试算" in page and "可改用逐个停开" not in page
    )
    assert "这套规则上一次试算，限时 60 秒内没有算完" in first.get(f"{AT}/freeze").text
    monkeypatch.undo()
    first.post(f"{AT}/runs", data=form)
    first.post(f"{AT}/runs", data=form | {"mechanism-closure": "exact"})
    work(app)
    assert "这套规则上一次试算算完了" in first.get(f"{AT}/freeze").text


# --- approval and publication -----------------------------------------------------------------


def test_a_second_person_approves_and_the_result_is_published(stand: Stand) -> None:
    app, first, second = stand("drawn")
    with app.app_context(), db.writing() as session:
        session.scalars(select(Run)).one().started_by = "coordinator:coord1"
    assert "正式结果还没算完" in second.get(f"{AT}/approval").text
    work(app)
    assert "要另一位协调员来做" in first.get(f"{AT}/approval").text
    first.post(f"{AT}/approval", data={"read": "y"})
    assert state_of(app) == "DRAWN"
    page = second.get(f"{AT}/approval").text
    assert "凭信任接受的结论" in page and "结果备案" in page
    assert 'class="problem"' in second.post(f"{AT}/approval", data={}).text
    assert second.post(f"{AT}/approval", data={"read": "y"}).status_code == 302
    assert state_of(app) == "APPROVED"
    assert 'class="problem"' in first.post(f"{AT}/publish", data={}).text
    assert first.post(f"{AT}/publish", data={"read": "y"}).status_code == 302
    assert state_of(app) == "PUBLISHED"
    (held,) = all_of(app, Publication)
    page = first.get(f"{AT}/publish").text
    assert held.bundle_digest in page and held.merkle_root in page
    answer = first.post(f"{AT}/bundle/{held.id}")
    assert answer.data[:2] == b"PK"
    answer.close()
    assert all_of(app, AuditEvent)[-1].action == "bundle.download"
    assert first.post(f"{AT}/bundle/99").status_code == 404


@pytest.mark.parametrize(
    ("error", "said"),
    [(publication.Altered("x"), "与记录不符"), (snapshot.NoSpace("x"), "磁盘空间不足"),
     (calendar.NoCalendar(2099), "没有 2099 年的节假日表")],
)  # fmt: skip
def test_why_publishing_failed(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    _app, first, _ = stand("approved")

    def fails(*_args: object) -> None:
        raise error

    monkeypatch.setattr(publication, "publish", fails)
    page = first.post(f"{AT}/publish", data={"read": "y"}, follow_redirects=True).text
    assert said in page


@pytest.mark.parametrize("page", ["approval", "publish"])
def test_weighty_pages_ask_for_the_password_again(stand: Stand, page: str) -> None:
    app, first, _ = stand("approved")
    with first.session_transaction() as held:
        held["fs_paa"] = 1
        held.pop("fs_gexp", None)
    answer = first.get(f"{AT}/{page}")
    assert answer.status_code == 302 and "/verify" in answer.headers["Location"]
    assert "/verify" in first.post(f"{AT}/{page}", data={"read": "y"}).headers["Location"]
    assert "/verify" in first.post(f"{AT}/bundle/1").headers["Location"]
    assert state_of(app) == "APPROVED"
    again = first.post(answer.headers["Location"], data={"password": PASSWORD})
    assert again.status_code == 302
    assert first.get(f"{AT}/{page}").status_code == 200


# --- suspending, resuming, voiding ------------------------------------------------------------


def test_two_coordinators_suspend_and_resume(stand: Stand) -> None:
    app, first, second = stand("published")
    assert (
        'class="problem"'
        in first.post(f"{AT}/motions", data={"kind": "suspend", "reason": ""}).text
    )
    assert (
        first.post(f"{AT}/motions", data={"kind": "resume", "reason": "不能恢复"}).status_code
        == 200
    )
    first.post(f"{AT}/motions", data={"kind": "suspend", "reason": "收到实名举报"})
    page = second.post(f"{AT}/motions", data={"kind": "void", "reason": "同时再提"}).text
    assert "已有一件在等确认" in page
    (motion,) = all_of(app, Motion)
    url = f"{AT}/motions/{motion.key}"
    first.post(url, data={"act": "confirm"})
    assert state_of(app) == "PUBLISHED"
    second.post(url, data={"act": "confirm"})
    assert state_of(app) == "SUSPENDED"
    second.post(url, data={"act": "confirm"})
    second.post(url, data={"act": "withdraw"})
    assert "收到实名举报" in first.get(f"{AT}/").text
    second.post(f"{AT}/motions", data={"kind": "resume", "reason": "核查无误"})
    first.post(f"{AT}/motions/{all_of(app, Motion)[-1].key}", data={"act": "confirm"})
    assert state_of(app) == "PUBLISHED"
    assert first.post(url, data={"act": "else"}).status_code == 400
    assert first.post(f"{AT}/motions/none", data={"act": "confirm"}).status_code == 404


def test_a_request_can_be_withdrawn_and_voiding_ends_a_round(app: Flask, stand: Stand) -> None:
    with app.app_context(), db.writing() as session:
        small_round(session, state="OPEN")
    first, second = logged_in(app, "coord1"), logged_in(app, "coord2")
    first.post(f"{AT}/motions", data={"kind": "void", "reason": "计划有误"})
    first.post(f"{AT}/motions/{all_of(app, Motion)[0].key}", data={"act": "withdraw"})
    second.post(f"{AT}/motions", data={"kind": "void", "reason": "计划有误"})
    first.post(f"{AT}/motions/{all_of(app, Motion)[1].key}", data={"act": "confirm"})
    assert state_of(app) == "VOID"
    assert "本轮没有下一步" in first.get(f"{AT}/").text
    assert decide.MOTIONS
    assert not first.get(f"{AT}/motions").text.count("<select")
