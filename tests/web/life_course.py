"""The part of a life that leads to a result, as rules of a machine; and how a life is compared with its
model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy.orm import Session

from tests.web import a_round, life_model
from tests.web.a_round import DICE, FIRST, SECOND, THIRD
from tests.web.conftest import Clock
from tests.web.life import Beginnings, World
from tests.web.life_model import CLASSES, COURSE, Expected, Model
from web import (
    application,
    calendar,
    choices,
    db,
    draw,
    jobs,
    publication,
    reviewing,
    rounds,
    scoring,
    snapshot,
)
from web.audit import Actor

COLLEGE, ENTERPRISE = Actor("college:u1", "college"), Actor("enterprise:x", "enterprise")
HERSELF = Actor("applicant:a", "applicant")
LONG = timedelta(days=100)
"""No round goes on for longer: the calendar of the next year is not known."""

people = st.sampled_from([f"A{n:02}" for n in range(1, 13)])
staff = st.sampled_from([FIRST, SECOND])
actors = st.sampled_from([FIRST, SECOND, FIRST, SECOND, THIRD, COLLEGE, HERSELF])
picks = st.integers(0, 60)
seldom = st.sampled_from([False] * 5 + [True])
verdicts = st.sampled_from(["accepted", "waiting", "accepted", "waiting", "declined"])
classes = st.sampled_from(sorted(CLASSES))
wishes = st.one_of(
    st.lists(st.sampled_from(sorted(life_model.PROGRAMS)), min_size=1, max_size=3, unique=True),
    st.sampled_from([["NEV", "ROBO"], ["NEV-X", "NEV-X"], ["NONE"], []]),
).map(tuple)


def when(*states: str, **filled: bool) -> Any:
    """A rule of these states alone, with something in these parts of the model."""
    return precondition(
        lambda self: self.model.state in states and all(self.model.facts[name] for name in filled)
    )


BEFORE = ("DRAFT", "ANNOUNCED", "OPEN")


FAILED = "documents"
LISTS: dict[str, tuple[str, ...]] = {}
for _row in a_round.rows("applications"):
    LISTS[_row["applicant"]] = (*LISTS.get(_row["applicant"], ()), _row["program"])


class Course(RuleBasedStateMachine):
    """One round, from a stage on: how it is compared with the model, and what leads to a result."""

    beginnings: Beginnings
    stage: str
    done: Counter[tuple[str, str]]

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        self.clock = Clock()

    @initialize(
        solves=st.sampled_from([0] * 5 + [1]),
        answered=st.lists(verdicts, max_size=9),
        ended=seldom,
    )
    def begin(self, solves: int, answered: list[str], ended: bool) -> None:
        stage = self.stage
        app = self.open.enter_context(self.beginnings.copy(stage, self.clock))
        self.open.enter_context(app.app_context())
        self.open.callback(db.forget)
        self.world = World(app, self.clock, stage)
        round_ = self.world.round(db.reading())
        assert round_.opens_at is not None and round_.deadline_at is not None
        self.model = Model(self.world.facts(), round_.opens_at, round_.deadline_at)
        self.start, self.suspended = self.clock(), self.clock()
        self.solves = 1 if stage in ("review", "draft") else solves
        self.events, self.checked = self.world.events(), 0
        self.done["begin", stage] += 1
        if stage == "confirming":
            self.ahead(answered, ended)

    def ahead(self, answered: list[str], ended: bool) -> None:
        """What has been done already when a life begins in the confirming days."""

    def teardown(self) -> None:
        self.open.close()

    # --- comparing --------------------------------------------------------------------------------

    @invariant()
    def the_round_is_as_the_model_says_and_sound(self) -> None:
        if not hasattr(self, "world"):
            return
        db.forget()
        self.done["step of a life", ""] += 1
        assert self.world.facts() == self.model.facts
        if self.events != self.checked:  # else nothing has changed since it was found sound
            assert self.world.unsound() == []
            self.checked = self.events

    def expect(
        self, what: str, expected: Expected, said: set[str], may: tuple[str, ...] = ()
    ) -> bool:
        """Compare an answer with the model's, and go on in the model; whether it was done."""
        why, then = expected
        self.done[what, " ".join(sorted(said)) or "done"] += 1
        before, events = self.model.copied(), self.events
        self.events = self.world.events()
        if why or said & {*may}:
            assert said and said <= why | {*may}, f"{what}: said {said}, expected {why}"
            assert self.events == events or "Differs" in said, "what is refused leaves no trace"
            return False
        assert not said, f"{what}: refused by {said}"
        then()
        assert self.model.facts == before or self.events > events, "every change is on record"
        return True

    def act(
        self, what: str, expected: Expected, act: Callable[[Session], object], *may: str
    ) -> bool:
        """Do something in a transaction, and compare."""
        return self.expect(what, expected, self.world.do(act), may)

    def call(self, what: str, expected: Expected, act: Callable[[], object], *may: str) -> bool:
        """Do something that opens its own transactions, and compare."""
        return self.expect(what, expected, self.world.call(act), may)

    def pick(self, part: str, pick: int, last: bool = False) -> int:
        """One of the rows of a part of the model."""
        rows = self.model.facts[part]
        found = (
            sorted(rows, key=lambda at: (rows[at]["who"], at)) if part == "places" else sorted(rows)
        )
        return int(found[-1 if last else pick % len(found)])

    def likely(self, pick: int, states: tuple[str, ...], astray: bool) -> int:
        """A place in one of these states, if there is one; astray, any."""
        rows = self.model.places
        found = [at for at, p in rows.items() if p["state"] in states and not astray] or list(rows)
        return int(sorted(found, key=lambda at: (rows[at]["who"], at))[pick % len(found)])

    # --- the course -------------------------------------------------------------------------------

    @rule(name=st.sampled_from(sorted(COURSE)), actor=actors, astray=seldom)
    def press(self, name: str, actor: Actor, astray: bool = True) -> None:
        now, world = self.clock(), self.world
        if not astray:
            steps = {source: step for step, (source, _) in COURSE.items()}
            name = steps.get(self.model.state, "finish")
        if name == "draw":
            return
        expected = self.model.press(name, actor, now)
        if name == "freeze":
            self.call(name, expected, lambda: snapshot.freeze(world.id, actor))
        elif name == "approve":
            self.act(name, expected, lambda s: publication.approve(s, world.round(s), actor))
        elif name == "publish":
            if self.call(name, expected, lambda: publication.publish(world.id, actor)):
                self.published()
        else:
            done = self.act(name, expected, lambda s: rounds.take(s, world.round(s), name, actor))
            if done and name == "confirm":
                self.begun()

    def published(self) -> None:
        """A result is public: the notice period begins."""
        facts = self.model.facts
        facts["publications"] = self.world.facts()["publications"]
        facts["notice"] = life_model.after_days(self.clock(), 5)

    def begun(self) -> None:
        """Everybody placed is asked."""
        due = life_model.after_days(self.clock(), 3)
        for at, place in self.world.facts()["places"].items():
            assert (place["state"], place["due"], place["source"]) == ("open", due, "result")
            self.model.places[at] = place

    @when("FROZEN", "DRAWN")
    @rule(actor=staff, right=st.sampled_from([True, True, True, False]))
    def draw(self, actor: Actor, right: bool) -> None:
        world, value = self.world, DICE if right else DICE[::-1]
        expected = self.model.draw_(actor, right)
        if self.model.draw is None:
            self.act("draw.enter", expected, lambda s: draw.enter(
                s, world.round(s), "dice", "", DICE, "公证处", actor))  # fmt: skip
        elif self.act(
            "draw.confirm", expected, lambda s: draw.confirm(s, world.round(s), value, actor)
        ):
            self.model.runs[1] = ("committed", "QUEUED")
            self.model.started = actor.name

    @precondition(lambda self: ("committed", "QUEUED") in self.model.runs.values() and self.solves)
    @rule()
    def solve(self) -> None:
        self.solves -= 1
        assert jobs.work_once()
        db.forget()
        self.events = self.world.events()
        self.model.runs[1] = ("committed", "VERIFIED")
        self.done["solve", "done"] += 1

    @when(*BEFORE, "REVIEW", "FROZEN", "DRAWN", "APPROVED", "PUBLISHED")
    @rule()
    def onward(self) -> None:
        """What comes next, by who may, when it is time."""
        state, now = self.model.state, self.clock()
        if state == "ANNOUNCED":
            self.clock.moment = max(now, self.model.opens)
        elif state == "OPEN":
            for who in sorted(self.model.people):
                if not self.model.people[who]["lists"]:
                    self.submit(who, LISTS.get(who, ("WELD",)), stale=False, paper=True)
            self.clock.moment = max(self.clock(), self.model.deadline)
        elif state == "REVIEW":
            for who, hers in sorted(self.model.people.items()):
                if hers["state"] == "submitted":
                    self.review(who, "passed", FIRST)
            self.confirm_scores(THIRD)
        elif state == "PUBLISHED" and not self.model.rechecks_open():
            self.clock.moment = max(now, self.model.notice)
        if state == "FROZEN":
            by = FIRST if self.model.draw is None or self.model.draw[0] != FIRST.name else SECOND
            self.draw(by, right=True)
        elif state == "DRAWN":
            if ("committed", "QUEUED") in self.model.runs.values() and self.solves:
                self.solve()
            self.press("approve", THIRD)
        else:
            name = next(name for name, (source, _) in COURSE.items() if source == state)
            self.press(name, FIRST)

    @rule(hours=st.sampled_from([2, 5, 24, 24, 24, 24, 72, 200]), recorded=st.booleans())
    def wait(self, hours: int, recorded: bool) -> None:
        if self.clock() < self.start + LONG:
            self.clock.forward(hours=hours)
        if recorded:
            self.tick()

    @when("CONFIRMING")
    @rule(actor=staff, again=seldom)
    def morning(self, actor: Actor, again: bool) -> None:
        """The next working day: what is overdue ends, and the free seats are offered."""
        self.wait(24, False)
        while not calendar.is_working_day(self.clock().astimezone(calendar.CITY).date()):
            self.clock.forward(hours=24)
        self.tick()
        for _ in range(1 + again):
            self.step(actor, False)

    def tick(self) -> None:
        """The clock's own work is done."""
        before, begun = self.model.copied(), self.events
        was = self.model.state
        jobs.record_due()
        db.forget()
        self.events = self.world.events()
        self.model.tick(self.clock())
        if was == "PUBLISHED" and self.model.state == "CONFIRMING":
            self.begun()
        changed = self.model.facts != before
        assert not changed or self.events > begun
        self.done["tick", "done" if changed else "nothing due"] += 1

    # --- applications -----------------------------------------------------------------------------

    @when(*BEFORE)
    @rule(who=people, wish=wishes, stale=seldom, paper=st.booleans())
    def submit(self, who: str, wish: tuple[str, ...], stale: bool, paper: bool) -> None:
        seen = self.model.people[who]["lists"] + stale
        expected = self.model.submit(who, wish, seen, paper, self.clock())
        proof = application.Proof(guardian_paper="P1" if paper else "")
        key = f"{who}-{self.events}"
        self.act("list.submit", expected, lambda s: application.submit(
            s, self.world.applicant(s, who), choices.Wish(wish), HERSELF, key, seen, 3, proof
        ))  # fmt: skip

    @when(*BEFORE)
    @rule(who=people, withdrawn=st.booleans())
    def turn(self, who: str, withdrawn: bool) -> None:
        turn = application.withdraw if withdrawn else application.restore
        self.act(turn.__name__, self.model.turn(who, withdrawn, self.clock()),
                 lambda s: turn(s, self.world.applicant(s, who), HERSELF))  # fmt: skip

    @when("OPEN", "REVIEW", "FROZEN")
    @rule(who=people, verdict=st.sampled_from(["passed", "passed", "failed"]), actor=staff)
    def review(self, who: str, verdict: str, actor: Actor) -> None:
        if self.model.people[who]["state"] in ("passed", "failed"):
            return

        def act(session: Session) -> None:
            hers = self.world.applicant(session, who)
            reviewing.review(session, hers, verdict, FAILED, "不符合", "", actor, hers.version)

        self.act("review", self.model.review(who, verdict, self.clock()), act)

    @when("OPEN", "REVIEW", "FROZEN")
    @rule(
        who=st.sampled_from(["A01", "A04", "A05"]), value=st.integers(60, 101).map(str), actor=staff
    )
    def score(self, who: str, value: str, actor: Actor) -> None:
        def act(session: Session) -> None:
            hers, target = self.world.applicant(session, who), scoring.Target("W")
            held = scoring.scores(session, target, [hers.id]).get(hers.id)
            entry = scoring.Entry(hers, {"culture": value}, version=held.version if held else 0)
            scoring.save_scores(
                session, self.world.round(session), target, [entry], "", "查卷", actor
            )

        self.act("score", self.model.score(who, value, actor, self.clock()), act)

    @when("OPEN", "REVIEW", "FROZEN")
    @rule(actor=staff)
    def confirm_scores(self, actor: Actor) -> None:
        def act(session: Session) -> None:
            round_, target = self.world.round(session), scoring.Target("W")
            digest = scoring.batch(session, round_, target, "").digest
            scoring.confirm(session, round_, target, "", digest, actor)

        self.act("score.confirm", self.model.confirm_scores(actor, self.clock()), act)
