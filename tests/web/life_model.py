"""A model of a round in plain dictionaries: who may do what now, and what it changes.

Each act gives why it would be refused (a service may name any of the reasons), and what it does to the
model where it is not.  What only the mathematics can tell (whom a step calls) the model does not say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import date, datetime, time, timedelta
from typing import Any

from tests.web import a_round
from tests.web.life import MINOR, NO_DATES, Facts
from web import calendar
from web.audit import Actor

Expected = tuple[set[str], Callable[[], None]]
CLASSES = {row["order_class"]: row for row in a_round.rows("order_classes")}
PROGRAMS = {row["program"]: row for row in a_round.rows("programs")}
CLASS_OF = {code: row["order_class"] for code, row in PROGRAMS.items()}
HELD, LIVE = ("accepted", "waiting"), ("open", "accepted", "waiting")
GAVE_UP = {"declined", "silent", "lapsed", "absent", "left"}
COURSE = {
    "announce": ("DRAFT", "ANNOUNCED"), "open": ("ANNOUNCED", "OPEN"), "close": ("OPEN", "REVIEW"),
    "freeze": ("REVIEW", "FROZEN"), "draw": ("FROZEN", "DRAWN"), "approve": ("DRAWN", "APPROVED"),
    "publish": ("APPROVED", "PUBLISHED"), "confirm": ("PUBLISHED", "CONFIRMING"),
    "finish": ("CONFIRMING", "FINAL"),
}  # fmt: skip
STARTED_BY = a_round.SECOND.name
"""Who confirms the draw has the run started, and cannot approve it."""
APPROVER = a_round.FIRST


def nothing() -> None:
    """An act that changes nothing."""


def after_days(moment: datetime, days: int) -> datetime:
    """The end of so many working days after a moment."""
    day = moment.astimezone(calendar.CITY).date()
    while days:
        day += timedelta(days=1)
        days -= calendar.is_working_day(day)
    return datetime.combine(day + timedelta(days=1), time(), calendar.CITY)


class Model:
    """The round as it must be, after everything that was done."""

    def __init__(self, facts: Facts, opens: datetime, deadline: datetime):
        self.facts = facts
        self.opens, self.deadline = opens, deadline

    def __getattr__(self, name: str) -> Any:
        """A part of the model by its name."""
        try:
            return self.facts[name]
        except KeyError:
            raise AttributeError(name) from None

    # --- reading ----------------------------------------------------------------------------------

    def clocked(self, now: datetime) -> str:
        """The state that the clock gives before anybody records it."""
        state = self.facts["state"]
        if state == "ANNOUNCED" and now >= self.opens:
            state = "OPEN"
        return "REVIEW" if state == "OPEN" and now >= self.deadline else state

    def of(self, who: str, states: Iterable[str]) -> list[int]:
        """The places of somebody that are in some states."""
        return [at for at, p in self.places.items() if p["who"] == who and p["state"] in states]

    def live(self, program: str) -> int:
        """How many seats of a program are taken."""
        return sum(p["program"] == program and p["state"] in LIVE for p in self.places.values())

    def held(self, order_class: str) -> list[int]:
        """The places held in a class."""
        return [
            at
            for at, p in self.places.items()
            if CLASS_OF[p["program"]] == order_class and p["state"] in HELD
        ]

    def asked_in(self, order_class: str) -> bool:
        """Whether an offer in a class is open."""
        return any(
            CLASS_OF[p["program"]] == order_class and p["state"] == "open"
            for p in self.places.values()
        )

    def below(self) -> set[str]:
        """The classes that were opened and hold fewer people than they need."""
        opened = {CLASS_OF[p["program"]] for p in self.places.values()}
        return {c for c in opened if len(self.held(c)) < int(CLASSES[c]["min_size"])}

    def ruling(self, order_class: str) -> int | None:
        """What was asked or decided about a class."""
        found = (
            at
            for at, r in self.rulings.items()
            if r["class"] == order_class and r["state"] != "withdrawn"
        )
        return next(found, None)

    def rechecks_open(self) -> bool:
        """Whether a recheck waits for its answer."""
        return any(t["state"] in ("open", "proposed") for t in self.tickets.values())

    def agreement(self, place: int) -> int | None:
        """The agreement about a place that lives."""
        found = (
            at
            for at, a in self.agreements.items()
            if a["place"] == place and a["state"] in ("signing", "effective")
        )
        return next(found, None)

    # --- the course -------------------------------------------------------------------------------

    def press(self, name: str, actor: Actor, now: datetime) -> Expected:
        """A step of the round."""
        source, target = COURSE[name]
        why = set()
        if self.state != source:
            why.add("Moved")
        if actor.role != "coordinator":
            why.add("role")
        if self.state == source:
            why |= getattr(self, f"_{name}", lambda _actor, _now: set())(actor, now)
        return why, lambda: self.facts.update(state=target)

    def _open(self, _actor: Actor, now: datetime) -> set[str]:
        return {"not_yet_open"} if now < self.opens else set()

    def _close(self, _actor: Actor, now: datetime) -> set[str]:
        return {"deadline_ahead"} if now < self.deadline else set()

    def _freeze(self, _actor: Actor, _now: datetime) -> set[str]:
        states = {p["state"] for p in self.people.values()}
        why = {"not_reviewed"} if states & {"submitted", "returned"} else set()
        if "passed" not in states:
            why.add("nobody_passed")
        if any(by for _, by in self.scores.values()):
            why.add("scores_unconfirmed")
        return why

    def _approve(self, actor: Actor, _now: datetime) -> set[str]:
        states = {state for kind, state in self.runs.values() if kind == "committed"}
        if states != {"VERIFIED"}:
            return {"no_verified_run"}
        return {"second_person"} if actor.name == STARTED_BY else set()

    def _confirm(self, _actor: Actor, now: datetime) -> set[str]:
        why = {"rechecks_open"} if self.rechecks_open() else set()
        return why | {"notice_period"} if now < self.notice else why

    def _finish(self, _actor: Actor, _now: datetime) -> set[str]:
        why = set() if self.ended else {"waiting_goes_on"}
        if any(p["state"] == "open" for p in self.places.values()):
            why.add("offers_open")
        if self.rechecks_open():
            why.add("rechecks_open")
        ruled = {r["class"] for r in self.rulings.values() if r["state"] == "done"}
        return why | {"class_below"} if self.ended and self.below() - ruled else why

    def tick(self, now: datetime) -> None:
        """What the clock has decided; whether the offers begin is seen from the state."""
        facts = self.facts
        facts["state"] = self.clocked(now)
        if self.state == "PUBLISHED" and not self._confirm(a_round.FIRST, now):
            facts["state"] = "CONFIRMING"
        if self.state == "CONFIRMING":
            for place in self.places.values():
                if place["state"] == "open" and place["due"] <= now:
                    place["state"] = "silent"
        if self.state in ("CONFIRMING", "FINAL"):
            for one in self.agreements.values():
                if one["state"] == "signing" and one["due"] <= now:
                    one.update(state="lapsed", asked="")
                    self._end(one["place"], "lapsed")

    def draw_(self, actor: Actor, right: bool) -> Expected:
        """Type the draw's value: the first person's, or the second's."""
        if self.draw is None:
            why = set() if self.state == "FROZEN" else {"Moved"}
            return why, lambda: self.facts.update(draw=(actor.name, False))
        by, confirmed = self.draw
        why = {"NotNow"} if confirmed else {"SamePerson"} if by == actor.name else set()
        if not confirmed and by != actor.name:
            why = self.press("draw", actor, self.opens)[0] if right else {"Differs"}
        return why, lambda: self.facts.update(draw=(by, True), state="DRAWN")

    # --- applications -----------------------------------------------------------------------------

    def submit(
        self, who: str, wish: tuple[str, ...], seen: int, paper: bool, now: datetime
    ) -> Expected:
        """Submit a list."""
        hers = self.people[who]
        why = set() if self.clocked(now) == "OPEN" else {"Moved"}
        if seen != hers["lists"]:
            why.add("Stale")
        if hers["state"] == "withdrawn":
            why.add("Incomplete")
        if not wish or len(set(wish)) < len(wish) or len(wish) > 3 or set(wish) - self._named():
            why.add("NotAccepted")
        if who == MINOR and not paper and not hers["guardian"]:
            why.add("NoGuardian")

        def then() -> None:
            state = "submitted" if hers["state"] == "draft" else hers["state"]
            hers.update(lists=seen + 1, choices=wish, adjustment="none", state=state)
            hers["guardian"] |= who == MINOR

        return why, then

    @staticmethod
    def _named() -> set[str]:
        return {*CLASSES, *PROGRAMS}

    def turn(self, who: str, withdrawn: bool, now: datetime) -> Expected:
        """Withdraw an application, or restore it."""
        hers = self.people[who]
        why = set() if self.clocked(now) == "OPEN" else {"Moved"}
        back = "submitted" if hers["lists"] else "draft"
        return why, lambda: hers.update(state="withdrawn" if withdrawn else back)

    def review(self, who: str, verdict: str, now: datetime) -> Expected:
        """Conclude a first review."""
        hers = self.people[who]
        why = set() if self.clocked(now) == "REVIEW" else {"NotNow"}
        if hers["state"] in ("draft", "withdrawn"):
            why.add("Refused")
        return why, lambda: hers.update(state=verdict)

    def score(self, who: str, value: str, actor: Actor, now: datetime) -> Expected:
        """Enter a score."""
        why = set() if self.clocked(now) == "REVIEW" else {"NotNow"}
        if not 0 <= int(value) <= 100:
            why.add("Refused")

        def then() -> None:
            if self.scores.get(who, ("", ""))[0] != value:
                self.scores[who] = (value, actor.name)

        return why, then

    def confirm_scores(self, actor: Actor, now: datetime) -> Expected:
        """Confirm what others entered."""
        why = set() if self.clocked(now) == "REVIEW" else {"NotNow"}
        waiting = {by for _, by in self.scores.values() if by}
        if waiting == {actor.name}:
            why.add("SecondPerson")

        def then() -> None:
            for who, (value, by) in self.scores.items():
                if by != actor.name:
                    self.scores[who] = (value, "")

        return why, then

    # --- offers -----------------------------------------------------------------------------------

    def _end(self, at: int, state: str) -> None:
        """A place ends, and what was agreed about it."""
        self.places[at]["state"] = state
        if (signed := self.agreement(at)) is not None:
            self.agreements[signed].update(state="voided", asked="")

    def answer(
        self, at: int, answer: str, now: datetime, *, stale: bool = False, guardian: bool = True
    ) -> Expected:
        """Answer an offer, or change the answer."""
        place = self.places[at]
        if place["state"] == answer:
            return set(), nothing
        why = set() if self.state == "CONFIRMING" else {"Moved"}
        if place["state"] not in LIVE:
            why.add("Answered")
        if now >= place["due"]:
            why.add("Late")
        if answer == "waiting" and self.ended:
            why.add("NoWaiting")
        if stale:
            why.add("Stale")
        if place["who"] == MINOR and not guardian:
            why.add("NoGuardian")

        def then() -> None:
            if place["state"] == "open" and answer in HELD:
                for other in self.of(place["who"], HELD):
                    self._end(other, "moved")
            if answer in HELD:
                place["state"] = answer
            else:
                self._end(at, answer)
            if answer == "accepted" and not self._unmakable(at):
                self._agree(at, now)

        return why, then

    def counter(self, at: int, answer: str, now: datetime, role: str, paper: bool) -> Expected:
        """Answer at the counter of an office."""
        why, then = self.answer(at, answer, now)
        if role not in ("college", "coordinator"):
            why.add("role")
        if not paper:
            why.add("NotSeen")
        return why, then

    def step(self, now: datetime) -> Expected:
        """Call whoever comes next."""
        why = set() if self.state == "CONFIRMING" else {"Moved"}
        today = now.astimezone(calendar.CITY).date()
        if self.ended:
            why.add("waiting_ended")
        if self.steps and self.steps[-1] >= today:
            why.add("step_today")
        if not calendar.is_working_day(today):
            why.add("not_working_day")
        return why, lambda: self.steps.append(today)

    def may_be_called(self, who: str, rank: int, promised: bool) -> bool:
        """Whether a step may call somebody to a place that stands so on her list."""
        hers = [p["state"] for p in self.places.values() if p["who"] == who]
        if "open" in hers:
            return False
        if held := self.of(who, HELD):
            now = self.places[held[0]]["rank"]
            better = (rank == 0, rank) < (now == 0, now)
            return promised or (self.places[held[0]]["state"] == "waiting" and better)
        return promised or not set(hers) & GAVE_UP or "released" in hers

    def end_waiting(self) -> Expected:
        """End the waiting list."""
        why = set() if self.state == "CONFIRMING" and not self.ended else {"Moved"}
        return why, lambda: self.facts.update(ended=True)

    # --- what two coordinators do -----------------------------------------------------------------

    def _fits(self, kind: str) -> bool:
        where = {"suspend": ("PUBLISHED", "CONFIRMING"), "resume": ("SUSPENDED",)}
        return self.state in where.get(kind, {self.state} - {"VOID", "FINAL"})

    def ask(self, kind: str, actor: Actor) -> Expected:
        """Ask for a round to be suspended, resumed or voided."""
        why = set() if self._fits(kind) else {"Moved"}
        if any(state == "asked" for _, _, state in self.motions.values()):
            why.add("Waiting")
        at = max(self.motions, default=0) + 1
        return why, lambda: self.motions.update({at: (kind, actor.name, "asked")})

    def agree(self, at: int, actor: Actor) -> Expected:
        """Confirm what another asked."""
        kind, by, state = self.motions[at]
        why = set() if state == "asked" and self._fits(kind) else {"Moved"}
        if by == actor.name or actor.role != "coordinator":
            why.add("second_person")

        def then() -> None:
            self.motions[at] = (kind, by, "done")
            before = self.state
            if kind == "suspend":
                self.facts.update(state="SUSPENDED", resumes=before)
            elif kind == "resume":
                self.facts.update(state=self.resumes, resumes=None)
            else:
                self.facts.update(state="VOID")

        return why, then

    def drop(self, at: int) -> Expected:
        """Withdraw what was asked."""
        kind, by, state = self.motions[at]
        why = set() if state == "asked" else {"Moved"}
        return why, lambda: self.motions.update({at: (kind, by, "withdrawn")})

    # --- rechecks ---------------------------------------------------------------------------------

    def appeal(self, who: str, matter: str, role: str, now: datetime) -> Expected:
        """Open a ticket."""
        why = set()
        in_time = self.state == "PUBLISHED" and (role != "applicant" or now < self.notice)
        later = self.state == "CONFIRMING" and (role == "coordinator" or matter == "human")
        if not in_time and not later:
            why.add("NotNow")
        same = {"who": who, "matter": matter}
        if self.people[who]["state"] in ("draft", "withdrawn") or any(
            same.items() <= t.items() and t["state"] in ("open", "proposed")
            for t in self.tickets.values()
        ):
            why.add("Refused")
        made = {**same, "state": "open", "by": "", "verdict": "", "remedy": ""}
        at = max(self.tickets, default=0) + 1
        return why, lambda: self.tickets.update({at: made})

    def ticket(self, at: int, *states: str) -> set[str]:
        """Why a ticket cannot be worked on now."""
        why = set() if self.state in ("PUBLISHED", "CONFIRMING") else {"NotNow"}
        return why if self.tickets[at]["state"] in states else why | {"Stale"}

    def reply(self, at: int, verdict: str, actor: Actor) -> Expected:
        """Propose an answer."""
        after = {"state": "proposed", "verdict": verdict, "by": actor.name, "remedy": "none"}
        return self.ticket(at, "open"), lambda: self.tickets[at].update(after)

    def give(self, at: int, actor: Actor) -> Expected:
        """Confirm a proposed answer."""
        ticket, why = self.tickets[at], self.ticket(at, "proposed")
        if actor.role != "coordinator" or actor.name == ticket["by"]:
            why.add("SecondPerson")
        return why, lambda: ticket.update(state=ticket["verdict"])

    def take_back(self, at: int) -> Expected:
        """Withdraw a ticket."""
        why = self.ticket(at, "open", "proposed")
        return why, lambda: self.tickets[at].update(state="withdrawn")

    # --- classes below their minimum --------------------------------------------------------------

    def _ruled(self, order_class: str) -> set[str]:
        if self.state != "CONFIRMING" or not self.ended:
            return {"waiting_goes_on"}
        if order_class not in self.below():
            return {"not_below"}
        return {"offers_open"} if self.asked_in(order_class) else set()

    def rule(self, order_class: str, kind: str, into: str | None, actor: Actor) -> Expected:
        """Ask for a class to be kept, merged or closed."""
        why = self._ruled(order_class)
        if self.ruling(order_class) is not None:
            why.add("Moved")
        if kind == "merge":
            why |= self._merged(order_class, into)
        made = {"class": order_class, "kind": kind, "by": actor.name, "state": "asked"}
        at = max(self.rulings, default=0) + 1
        return why, lambda: self.rulings.update({at: made})

    def _merged(self, order_class: str, into: str | None) -> set[str]:
        if into is None or into == order_class:
            return {"no_such_merge"}
        opened = {CLASS_OF[p["program"]] for p in self.places.values()}
        gone = {r["class"] for r in self.rulings.values() if r["state"] == "done"
                and r["kind"] != "keep"}  # fmt: skip
        one, other = CLASSES[order_class], CLASSES[into]
        alike = any(one[name] == other[name] for name in ("college", "industry"))
        return set() if alike and into in opened - gone else {"no_such_merge"}

    def decide(self, at: int, actor: Actor) -> Expected:
        """Confirm what another asked for a class; whom it offers what is not said here."""
        ruling = self.rulings[at]
        why = self._ruled(ruling["class"])
        if ruling["state"] != "asked":
            why.add("Moved")
        if ruling["by"] == actor.name or actor.role != "coordinator":
            why.add("second_person")

        def then() -> None:
            ruling["state"] = "done"
            if ruling["kind"] != "keep":
                for place in self.held(ruling["class"]):
                    self._end(place, "released")

        return why, then

    def drop_ruling(self, at: int) -> Expected:
        """Withdraw what was asked for a class."""
        why = set() if self.rulings[at]["state"] == "asked" else {"Moved"}
        return why, lambda: self.rulings[at].update(state="withdrawn")

    # --- agreements -------------------------------------------------------------------------------

    def _late(self) -> set[str]:
        return set() if self.state in ("CONFIRMING", "FINAL") else {"NotNow"}

    def make(self, place: int, now: datetime) -> Expected:
        """Make the agreement about a place."""
        why, held = self._late(), self.places[place]
        if held["state"] not in HELD:
            why.add("Refused")
        elif self.agreement(place) is not None:
            return why, nothing
        if CLASS_OF[held["program"]] == NO_DATES:
            why.add("Barred")
        return why, lambda: self._agree(place, now)

    def _unmakable(self, place: int) -> bool:
        """Whether a place has an agreement, or can have none."""
        barred = CLASS_OF[self.places[place]["program"]] == NO_DATES
        return barred or self.agreement(place) is not None

    def _agree(self, place: int, now: datetime) -> None:
        self.agreements[max(self.agreements, default=0) + 1] = {
            "place": place, "state": "signing", "due": after_days(now, 10), "signed": set(),
            "asked": "",
        }  # fmt: skip

    def parties(self, at: int) -> set[str]:
        """Who signs an agreement."""
        minor = self.places[self.agreements[at]["place"]]["who"] == MINOR
        return {"student", "enterprise", "college"} | ({"guardian"} if minor else set())

    def sign(self, at: int, party: str, same: bool, now: datetime) -> Expected:
        """Sign the text that has the digest, or another."""
        held, why = self.agreements[at], self._late()
        fits = held["state"] == "signing" and party in self.parties(at) - held["signed"]
        if not fits or now >= held["due"] or not same:
            why.add("Refused")

        def then() -> None:
            held["signed"].add(party)
            if held["signed"] == self.parties(at):
                held["state"] = "effective"

        return why, then

    def part(self, at: int, actor: Actor) -> Expected:
        """Ask for an agreement to be ended, or confirm what another asked."""
        held, why = self.agreements[at], self._late()
        if held["state"] not in ("signing", "effective"):
            why.add("Refused")
        if not held["asked"]:
            return why, lambda: held.update(asked=actor.name)
        if held["asked"] == actor.name or actor.role not in ("college", "coordinator"):
            why.add("SecondPerson")

        def then() -> None:
            self._end(held["place"], "left")

        return why, then

    # --- check-in ---------------------------------------------------------------------------------

    def arrange(self, order_class: str, first: date, last: date) -> Expected:
        """Set the days of check-in."""
        why = self._late() | ({"Refused"} if last < first else set())
        return why, lambda: self.until.update({order_class: last})

    def check_in(self, place: int, ahead: int) -> Expected:
        """Enter that somebody came."""
        why = self._late() | ({"Refused"} if ahead > 0 else set())

        def then() -> None:
            if self.places[place]["state"] in HELD:
                self._row(place)["in"] = True

        return why, then

    def _row(self, place: int) -> Facts:
        found: Facts = self.enrolled.setdefault(place, {"in": False, "asked": "", "by": ""})
        return found

    def absent(self, place: int, now: datetime) -> Expected:
        """Enter that somebody did not come."""
        last = self.until[CLASS_OF[self.places[place]["program"]]]
        early = last is None or now.astimezone(calendar.CITY).date() <= last
        why = self._late() | ({"Refused"} if early else set())

        def then() -> None:
            came = self.enrolled.get(place, {}).get("in")
            if self.places[place]["state"] in HELD and not came:
                self._row(place)
                self._end(place, "absent")

        return why, then

    def leave(self, place: int) -> Expected:
        """Enter that somebody left."""
        why = self._late()
        if self.places[place]["state"] not in HELD:
            why.add("Refused")

        def then() -> None:
            self._row(place)
            self._end(place, "left")

        return why, then

    def undo(self, place: int, actor: Actor) -> Expected:
        """Ask for the last entry to be taken back, or confirm what another asked."""
        held, row, why = self.places[place], self.enrolled.get(place), self._late()
        what = self._undoable(place)
        if not what:
            return why | {"Refused"}, nothing
        if not row["asked"]:
            return why, lambda: row.update(asked=what, by=actor.name)
        if row["asked"] != what:
            why.add("Refused")
        if row["by"] == actor.name:
            why.add("SecondPerson")
        if what != "check_in" and (
            self.of(held["who"], LIVE)
            or self.live(held["program"]) >= self.seats[held["program"]]
            or self.rounds > 1
            or self._closed(CLASS_OF[held["program"]])
        ):
            why.add("Refused")

        def then() -> None:
            row.update(asked="", by="")
            if what == "check_in":
                row["in"] = False
                return
            again = max(self.places) + 1
            self.places[again] = {**held, "state": "accepted", "source": "remedy"}
            if row["in"]:
                self._row(again)["in"] = True

        return why, then

    def _undoable(self, place: int) -> str:
        row, state = self.enrolled.get(place), self.places[place]["state"]
        if row is None:
            return ""
        if state in ("absent", "left"):
            return state
        return "check_in" if row["in"] else ""

    def _closed(self, order_class: str) -> bool:
        found = self.ruling(order_class)
        return found is not None and (
            self.rulings[found]["state"] == "done" and self.rulings[found]["kind"] != "keep"
        )

    def copied(self) -> Facts:
        """The model as it is now, which later acts do not change."""
        return deepcopy(self.facts)
