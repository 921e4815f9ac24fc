"""A round's whole life by a model: whatever people do in whatever order, the round is as the model says.

Hypothesis chooses who does what and when; every answer of a service is compared with the model's, and
afterwards the whole round.  ``LIFE`` sets how many lives are lived on each database.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from tests.web import life_model
from tests.web.a_round import FIRST, SECOND
from tests.web.conftest import CHOSEN, DATABASES
from tests.web.life import MINOR, Beginnings
from tests.web.life_course import (
    COLLEGE,
    ENTERPRISE,
    HERSELF,
    Course,
    actors,
    classes,
    people,
    picks,
    seldom,
    staff,
    verdicts,
    when,
)
from tests.web.life_model import HELD, LIVE, Model
from web import (
    agreements,
    answers,
    calendar,
    db,
    enrolment,
    jobs,
    motions,
    next_round,
    publication,
    rechecks,
    rulings,
    seats,
    waiting,
    waiting_job,
)
from web.audit import Actor
from web.models import Agreement, Motion, Offer, Program, Recheck, Ruling

LIVES, STEPS = int(os.environ.get("LIFE", "54")), 50
SHARES = {"confirming": 31, "published": 14, "approved": 4, "review": 3, "draft": 2}
"""Where lives begin; how many of so many together."""
ALL = sum(SHARES.values())
ACTS = {
    "accepted", "waiting", "declined", "counter", "step", "step taken", "called", "waiting.end", "publish", "confirm",
    "finish", "tick", "motion.suspend", "motion.confirm", "recheck.open", "recheck.confirm",
    "ruling.confirm", "agreement.make", "agreement.end", "check_in", "absent", "leave", "undo.confirm",
    "round.next",
}  # fmt: skip
"""What happens in some life, whatever is chosen."""


class Life(Course):
    """What comes after a result: answers, the waiting list, appeals, agreements, check-in, the end."""

    def ahead(self, answered: list[str], ended: bool) -> None:
        for pick, answer in enumerate(answered):
            self.answer(pick, answer, astray=True, stale=False, guardian=True)
        if ended:
            self.end_waiting(FIRST)

    # --- offers -----------------------------------------------------------------------------------

    @when("CONFIRMING", "SUSPENDED", "FINAL", places=True)
    @rule(pick=picks, answer=verdicts, astray=seldom, stale=seldom, guardian=st.booleans())
    def answer(self, pick: int, answer: str, astray: bool, stale: bool, guardian: bool) -> None:
        at = self.likely(pick, LIVE, astray)
        guardian |= self.model.places[at]["who"] != MINOR
        expected = self.model.answer(at, answer, self.clock(), stale=stale, guardian=guardian)

        def act(session: Session) -> None:
            offer = session.get_one(Offer, at)
            more: dict[str, Any] = {"seen": offer.version - stale}
            more["guardian_how"] = "paper:1" if guardian else ""
            if answer == "declined":
                answers.decline(session, offer, HERSELF, **more)
            else:
                answers.accept(session, offer, HERSELF, wait=answer == "waiting", **more)

        self.act(answer, expected, act)

    @when("CONFIRMING", places=True)
    @rule(pick=picks, answer=verdicts, astray=seldom, actor=actors, paper=st.booleans())
    def counter(self, pick: int, answer: str, astray: bool, actor: Actor, paper: bool) -> None:
        at = self.likely(pick, ("open",), astray)
        expected = self.model.counter(at, answer, self.clock(), actor.role, paper)
        if expected[1] is life_model.nothing and not expected[0]:
            return
        self.act("counter", expected, lambda s: answers.answer_at_counter(
            s, s.get_one(Offer, at), answer, actor, identity_seen=True, paper="Z1" if paper else "",
            guardian_paper="Z2",
        ))  # fmt: skip

    @when("CONFIRMING", "SUSPENDED")
    @rule(actor=staff, ends=seldom)
    def step(self, actor: Actor, ends: bool) -> None:
        """A press, and the worker that comes to it; now and then the list ends between the two."""
        why, _then = self.model.step(self.clock())

        def press(session: Session) -> None:
            waiting_job.queue(session, self.world.round(session), actor)

        if not self.act("step", (why, life_model.nothing), press):
            return
        if ends:
            self.end_waiting(FIRST)
        before = self.model.copied()
        why, then = self.model.step(self.clock())
        with patch.object(waiting_job, "_in_child", lambda *told: waiting.link(*told[-2:])):
            assert jobs.work_once()
        db.forget()
        self.events = self.world.events()
        self.model.runs[max(self.world.facts()["runs"])] = (
            "waiting", "FAILED" if why else "ANSWERED",
        )  # fmt: skip
        self.done["step taken", " ".join(sorted(why)) or "done"] += 1
        if not why:
            then()
            for at in self.adopted("waiting", "remedy"):
                place = self.model.places[at]
                asked = Model(before, self.model.opens, self.model.deadline)
                promised = place["source"] == "remedy"
                assert asked.may_be_called(place["who"], place["rank"], promised), place
                self.done["called", place["source"]] += 1

    def adopted(self, *sources: str) -> list[int]:
        """Take over the offers that were made, each to be answered in the days that the rules give."""
        due = life_model.after_days(self.clock(), 3)
        new = {
            at: p for at, p in self.world.facts()["places"].items() if at not in self.model.places
        }
        for place in new.values():
            assert place["source"] in sources and (place["state"], place["due"]) == ("open", due)
        self.model.places.update(new)
        return list(new)

    @when("CONFIRMING")
    @precondition(lambda self: self.clock() > self.start + timedelta(days=2))
    @rule(actor=staff)
    def end_waiting(self, actor: Actor) -> None:
        self.act("waiting.end", self.model.end_waiting(),
                 lambda s: waiting.end(s, self.world.round(s), actor))  # fmt: skip

    # --- what two coordinators do -----------------------------------------------------------------

    @rule(kind=st.sampled_from(["suspend"] * 4 + ["resume", "void"]), actor=staff, yes=seldom)
    def ask(self, kind: str, actor: Actor, yes: bool) -> None:
        asked = any(state == "asked" for _, _, state in self.model.motions.values())
        if (kind == "void" or asked) and not yes:
            return
        self.act(f"motion.{kind}", self.model.ask(kind, actor),
                 lambda s: motions.ask(s, self.world.round(s), kind, "核查", actor))  # fmt: skip

    @precondition(lambda self: self.model.motions)
    @rule(pick=picks, actor=actors, last=st.booleans())
    def agree(self, pick: int, actor: Actor, last: bool) -> None:
        at = self.pick("motions", pick, last)
        expected = self.model.agree(at, actor)
        before = self.model.copied()
        if self.act("motion.confirm", expected, lambda s: motions.confirm(
            s, self.world.round(s), s.get_one(Motion, at), actor
        )):  # fmt: skip
            if self.model.state == "SUSPENDED":
                self.suspended = self.clock()
            elif self.model.motions[at][0] == "resume":
                self.moved_on(before)

    @when("SUSPENDED")
    @rule()
    def resume(self) -> None:
        """Two coordinators let it go on."""
        for at, (_, _, state) in list(self.model.motions.items()):
            if state == "asked":
                self.drop(at - 1)
        self.ask("resume", FIRST, True)
        self.agree(0, SECOND, True)

    def moved_on(self, before: dict[str, Any]) -> None:
        """Deadlines that were ahead give back what was lost, and end with a working day."""
        lost, facts, found = self.clock() - self.suspended, self.model.facts, self.world.facts()

        def later(old: Any, new: Any) -> Any:
            last = (new - timedelta(seconds=1)).astimezone(calendar.CITY).date()
            assert old + lost <= new <= old + lost + timedelta(days=11)
            assert calendar.is_working_day(last)
            return new

        if before["notice"] > self.suspended:
            facts["notice"] = later(before["notice"], found["notice"])
        for part, states in (("places", LIVE), ("agreements", ("signing",))):
            for at, one in facts[part].items():
                if one["state"] in states and one["due"] > self.suspended:
                    one["due"] = later(one["due"], found[part][at]["due"])

    @precondition(lambda self: self.model.motions)
    @rule(pick=picks)
    def drop(self, pick: int) -> None:
        at = self.pick("motions", pick)
        self.act("motion.withdraw", self.model.drop(at), lambda s: motions.withdraw(
            s, self.world.round(s), s.get_one(Motion, at)
            , FIRST))  # fmt: skip

    # --- rechecks ---------------------------------------------------------------------------------

    @when("APPROVED", "PUBLISHED", "CONFIRMING", "SUSPENDED")
    @rule(who=people, matter=st.sampled_from(["rule", "human"]),
          actor=st.sampled_from([HERSELF, HERSELF, COLLEGE, FIRST]))  # fmt: skip
    def appeal(self, who: str, matter: str, actor: Actor) -> None:
        expected = self.model.appeal(who, matter, actor.role, self.clock())
        self.act("recheck.open", expected, lambda s: rechecks.open_(
            s, self.world.applicant(s, who), matter, "请再看", actor))  # fmt: skip

    @when("PUBLISHED", "CONFIRMING", "SUSPENDED", "FINAL", tickets=True)
    @rule(pick=picks, last=st.booleans(), actor=actors,
          what=st.sampled_from(["upheld", "refused", "confirm", "confirm", "withdraw"]))  # fmt: skip
    def ticket(self, pick: int, last: bool, actor: Actor, what: str) -> None:
        at = self.pick("tickets", pick, last)

        def act(session: Session) -> None:
            held = session.get_one(Recheck, at)
            if what == "withdraw":
                rechecks.withdraw(session, held, actor)
            elif what == "confirm":
                rechecks.confirm(session, held, actor)
            else:
                rechecks.answer(session, held, what, "已核对", actor)

        expected = {
            "withdraw": lambda: self.model.take_back(at),
            "confirm": lambda: self.model.give(at, actor),
        }.get(what, lambda: self.model.reply(at, what, actor))()
        self.act(f"recheck.{what}", expected, act)

    @precondition(lambda self: self.solves and self.model.state in ("PUBLISHED", "CONFIRMING")
                  and not any(k == "recheck" for k, _ in self.model.runs.values()))  # fmt: skip
    @rule(remedy=st.sampled_from(["seat", "first"]))
    def corrected(self, remedy: str) -> None:
        """A05 has 80 points, not 74: before confirming a successor follows, after it a remedy."""
        world, moved = self.world, self.model.state == "PUBLISHED"
        self.solves -= 1

        def begin(session: Session) -> None:
            ticket = rechecks.open_(session, world.applicant(session, "A05"), "score", "80", FIRST)
            typed = rechecks.score_correction(session, ticket, "W/culture", "80")
            rechecks.correct(session, ticket, typed, FIRST)

        if self.model.scores["A05"][0] == "80" or world.do(begin):
            return
        at = max(world.facts()["tickets"])
        assert jobs.work_once()
        session = db.reading()
        place = rechecks.entitled(session, session.get_one(Recheck, at))
        better = place is not None and not moved
        for act in (
            lambda s: rechecks.answer(s, s.get_one(Recheck, at), "upheld", "查卷", FIRST,
                                      remedy if better else ""),
            lambda s: rechecks.confirm(s, s.get_one(Recheck, at), SECOND),
        ):  # fmt: skip
            assert not world.do(act)
        found = world.facts()
        for part in ("tickets", "runs"):
            self.model.facts[part] = found[part]
        assert found["tickets"][at]["remedy"] == (
            "successor" if moved else remedy if better else "none"
        )
        self.done["corrected", found["tickets"][at]["remedy"]] += 1
        if moved:
            self.succeeded(at)
        elif better and remedy == "seat":
            assert place is not None
            self.seated(place[0].id, place[0].code)
        self.events = world.events()

    def succeeded(self, at: int) -> None:
        """The corrected result is public."""

        def approve(session: Session) -> None:
            run = session.get_one(Recheck, at).run
            assert run is not None
            publication.approve_successor(session, self.world.round(session), run, SECOND)

        assert not self.world.do(approve)
        assert not self.world.call(lambda: publication.succeed(self.world.id, FIRST))
        self.published()

    def seated(self, program: int, code: str) -> None:
        """One seat more is agreed by three, and is hers, unless she is being asked already."""

        def ask(session: Session) -> None:
            held = session.get_one(Program, program)
            change = seats.ask(session, held, held.capacity + 1, "复核", FIRST)
            seats.agree(session, change, COLLEGE)
            seats.agree(session, change, ENTERPRISE)

        asked = bool(self.model.of("A05", ("open",)))
        assert self.world.do(ask) == ({"Refused"} if asked else set())
        if not asked:
            self.model.seats[code] += 1
            assert len(self.adopted("remedy")) == 1

    # --- classes below their minimum --------------------------------------------------------------

    @when("CONFIRMING", "FINAL")
    @rule(order_class=classes, kind=st.sampled_from(["keep", "merge", "close"]), into=classes,
          actor=staff, likely=st.booleans())  # fmt: skip
    def rule_(self, order_class: str, kind: str, into: str, actor: Actor, likely: bool) -> None:
        if likely and (below := sorted(self.model.below())):
            order_class = below[0]
        other = into if kind == "merge" else None

        def act(session: Session) -> None:
            held = self.world.order_class(session, order_class)
            target = self.world.order_class(session, other) if other else None
            round_ = self.world.round(session)
            rulings.ask(session, round_, held, kind, "人数不足", actor, target)

        self.act(f"ruling.{kind}", self.model.rule(order_class, kind, other, actor), act,
                 *(("merge_too_small",) if kind == "merge" else ()))  # fmt: skip

    @when("CONFIRMING", "FINAL", rulings=True)
    @rule(pick=picks, actor=staff, last=st.booleans(), drop=seldom)
    def decide(self, pick: int, actor: Actor, last: bool, drop: bool) -> None:
        at = self.pick("rulings", pick, last)
        if drop:
            self.act("ruling.withdraw", self.model.drop_ruling(at), lambda s: rulings.withdraw(
                s, self.world.round(s), s.get_one(Ruling, at), actor))  # fmt: skip
            return
        key = db.reading().get_one(Ruling, at).key
        may = ("merge_too_small",) if self.model.rulings[at]["kind"] == "merge" else ()
        released = {
            self.model.places[p]["who"] for p in self.model.held(self.model.rulings[at]["class"])
        }
        if self.call("ruling.confirm", self.model.decide(at, actor),
                     lambda: rulings.confirm(self.world.id, key, actor), *may):  # fmt: skip
            asked = [self.model.places[p]["who"] for p in self.adopted("ruling")]
            assert set(asked) <= released and len(set(asked)) == len(asked)

    # --- agreements -------------------------------------------------------------------------------

    @when("CONFIRMING", "FINAL", places=True)
    @rule(pick=picks, astray=seldom)
    def make(self, pick: int, astray: bool) -> None:
        place = self.likely(pick, HELD, astray)
        self.act("agreement.make", self.model.make(place, self.clock()),
                 lambda s: agreements.make(s, s.get_one(Offer, place), FIRST))  # fmt: skip

    @precondition(lambda self: self.model.agreements)
    @rule(pick=picks, last=st.booleans(), other=seldom,
          parties=st.lists(st.sampled_from(["student", "guardian", "college", "enterprise"]),
                           min_size=1, max_size=4, unique=True))  # fmt: skip
    def sign(self, pick: int, last: bool, other: bool, parties: list[str]) -> None:
        at = self.pick("agreements", pick, last)
        for party in parties:
            expected = self.model.sign(at, party, not other, self.clock())

            def act(session: Session, party: str = party) -> None:
                held = session.get_one(Agreement, at)
                digest = "x" if other else held.digest
                if party == "guardian" and not other:
                    agreements.sign_on_paper(session, held, party, "监护人", "Z9", COLLEGE)
                else:
                    role = {"student": "applicant"}.get(party, party)
                    agreements.sign(session, held, party, "签名", digest, Actor(f"{role}:1", role))

            self.act(f"agreement.sign.{party}", expected, act)

    @precondition(lambda self: self.model.agreements)
    @rule(pick=picks, last=st.booleans(), actor=actors)
    def part(self, pick: int, last: bool, actor: Actor) -> None:
        at = self.pick("agreements", pick, last)
        confirm = bool(self.model.agreements[at]["asked"])

        def act(session: Session) -> None:
            held = session.get_one(Agreement, at)
            if confirm:
                agreements.confirm(session, held, actor)
            else:
                agreements.ask(session, held, "end", "本人要求", held.version, actor)

        name = "agreement.end" if confirm else "agreement.ask_end"
        self.act(name, self.model.part(at, actor), act)

    # --- check-in ---------------------------------------------------------------------------------

    @when("CONFIRMING", "FINAL")
    @rule(order_class=classes, days=st.sampled_from([-1, 0, 0, 1]))
    def arrange(self, order_class: str, days: int) -> None:
        first = self.clock().astimezone(calendar.CITY).date()
        last = first + timedelta(days=days)

        def act(session: Session) -> None:
            held = self.world.order_class(session, order_class)
            enrolment.arrange(session, held, held.version, first, last, "一号楼", "证件", COLLEGE)

        self.act("check_in.arrange", self.model.arrange(order_class, first, last), act)

    @when("CONFIRMING", "FINAL", places=True)
    @rule(pick=picks, astray=seldom, ahead=st.sampled_from([0, 0, -1, 1]))
    def check_in(self, pick: int, astray: bool, ahead: int) -> None:
        place = self.likely(pick, HELD, astray)
        day = self.clock().astimezone(calendar.CITY).date() + timedelta(days=ahead)
        # Nobody comes before the day on which the place became hers, which no dictionary holds.
        may = ("Refused",) if ahead < 0 else ()
        self.act("check_in", self.model.check_in(place, ahead),
                 lambda s: enrolment.check_in(s, [place], day, COLLEGE), *may)  # fmt: skip

    @when("CONFIRMING", "FINAL", places=True)
    @rule(pick=picks, astray=seldom)
    def absent(self, pick: int, astray: bool) -> None:
        place = self.likely(pick, HELD, astray)
        self.act("absent", self.model.absent(place, self.clock()),
                 lambda s: enrolment.mark_absent(s, [place], COLLEGE))  # fmt: skip

    @when("CONFIRMING", "FINAL", places=True)
    @rule(pick=picks, astray=seldom)
    def leave(self, pick: int, astray: bool) -> None:
        place = self.likely(pick, HELD, astray)
        day = self.clock().astimezone(calendar.CITY).date()
        self.act("leave", self.model.leave(place), lambda s: enrolment.leave(
            s, s.get_one(Offer, place), day, "搬家", COLLEGE))  # fmt: skip

    @when("CONFIRMING", "FINAL", enrolled=True)
    @rule(pick=picks, actor=actors)
    def undo(self, pick: int, actor: Actor) -> None:
        place = self.pick("enrolled", pick)
        confirm = bool(self.model.enrolled[place]["asked"])

        def act(session: Session) -> None:
            offer = session.get_one(Offer, place)
            if confirm:
                enrolment.confirm_undo(session, offer, actor)
            else:
                enrolment.ask_undo(session, offer, "填错", actor)

        name = "undo.confirm" if confirm else "undo.ask"
        if self.act(name, self.model.undo(place, actor), act):
            for at, one in self.world.facts()["places"].items():
                self.model.places[at]["due"] = one["due"]

    # --- the end ----------------------------------------------------------------------------------

    @when("CONFIRMING")
    @precondition(lambda self: self.clock() > self.start + timedelta(days=3))
    @rule(kind=st.sampled_from(["keep", "close", "close"]))
    def settle(self, kind: str) -> None:
        """Everything that keeps a round from its end is seen to, by who may."""
        if not self.model.ended:
            self.end_waiting(FIRST)
        for at, place in sorted(self.model.places.items()):
            if place["state"] == "open" and place["due"] > self.clock():
                self.act("declined", self.model.answer(at, "declined", self.clock()),
                         lambda s, at=at: answers.decline(
                             s, s.get_one(Offer, at), HERSELF, guardian_how="code"))  # fmt: skip
        self.tick()
        for at, ticket in sorted(self.model.tickets.items()):
            if ticket["state"] == "open":
                self.ticket(at - 1, False, FIRST, "refused")
            if ticket["state"] == "proposed":
                by = SECOND if ticket["by"] == FIRST.name else FIRST
                self.ticket(at - 1, False, by, "confirm")
        for order_class in sorted(self.model.below()):
            if self.model.ruling(order_class) is None:
                self.rule_(order_class, kind, order_class, FIRST, likely=False)
        for at, ruling in sorted(self.model.rulings.items()):
            if ruling["state"] == "asked":
                self.decide(at - 1, SECOND if ruling["by"] == FIRST.name else FIRST, False, False)
        self.press("finish", FIRST)

    @when("CONFIRMING", "FINAL")
    @rule(actor=staff, early=seldom)
    def follow(self, actor: Actor, early: bool) -> None:
        """Another round takes up what is left."""
        if self.model.state != "FINAL" and not early:
            return
        why = {"Moved"} if self.model.state != "FINAL" or self.model.rounds > 1 else set()
        left = [
            who
            for who, hers in self.model.people.items()
            if hers["state"] == "passed" and not self.model.of(who, LIVE)
        ]
        if not left:
            why.add("NothingLeft")
        self.call(
            "round.next",
            (why, lambda: self.model.facts.update(rounds=2)),
            lambda: next_round.open_next(self.world.id, "2026-2", "补录", actor),
            "NothingLeft",
        )


@pytest.mark.parametrize("kind", DATABASES)
def test_a_round_lives_as_its_model(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if CHOSEN not in ("", kind):
        pytest.skip(f"only {CHOSEN} was asked for")
    cluster = request.getfixturevalue("cluster") if kind == "postgresql" else None
    done: Counter[tuple[str, str]] = Counter()

    for at, share in SHARES.items():
        (tmp_path / at).mkdir()

        class Lived(Life):
            beginnings = Beginnings(kind, cluster, tmp_path / at)
            stage = at

        Lived.done = done
        run_state_machine_as_test(
            Lived,
            settings=settings(
                max_examples=max(1, LIVES * share // ALL), stateful_step_count=STEPS,
                derandomize=True, database=None, deadline=None, phases=[Phase.generate],
                report_multiple_bugs=False, suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
    assert LIVES < ALL or done["step of a life", ""] >= 2000
    met = {what for what, _ in done}
    assert LIVES < ALL or met >= ACTS, ACTS - met
