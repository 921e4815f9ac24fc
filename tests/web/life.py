"""A round as a world that is acted upon: what a service answers, and everything that stands afterwards.

``World.facts`` gives the round as plain dictionaries, in the shape in which a model of it is kept
(:mod:`tests.web.life_model`), so that the two are compared whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from tests.web import a_round, postgres
from tests.web.conftest import Clock, installed
from tests.web.staged import Stage
from web import (
    agreements,
    answers,
    application,
    audit,
    calendar,
    choices,
    db,
    draw,
    minimums,
    motions,
    next_round,
    offers,
    people,
    posting,
    publication,
    rechecks,
    reviewing,
    rounds,
    stages,
)
from web.models import (
    Agreement,
    Applicant,
    AuditEvent,
    ChoiceList,
    Consent,
    Draw,
    Enrolment,
    Membership,
    Motion,
    Offer,
    OrderClass,
    Person,
    Placement,
    Program,
    Publication,
    Recheck,
    Round,
    Ruling,
    Run,
    Score,
    WaitingStep,
)
from web.models.outcome import HOLDING

MINOR, BORN = "A11", date(2009, 3, 2)
"""One of the people is seventeen: her guardian takes part."""
NO_DATES = "TEXT"
"""A class of which no agreement can be made, as nobody has planned its days."""
REFUSALS = (
    *answers.REFUSALS, rounds.Blocked, stages.NotNow, posting.Refused, posting.Stale,
    reviewing.SecondPerson, application.Incomplete, choices.NotAccepted, draw.NotNow,
    draw.SamePerson, draw.Differs, motions.Waiting, next_round.NothingLeft, rechecks.Outdated,
)  # fmt: skip
Facts = dict[str, Any]


@dataclass
class Beginnings:
    """Where rounds begin, each on a database of its own: copies of stages that are made once."""

    kind: str
    cluster: postgres.Cluster | None
    folder: Path
    stages: dict[str, Stage] = field(default_factory=dict)
    copies: int = 0

    @contextmanager
    def copy(self, stage: str, clock: Clock) -> Iterator[Flask]:
        """An application with a round at a stage."""
        if self.cluster is None:
            self.copies += 1
            folder = self.folder / str(self.copies)
            shutil.copytree(a_round.stage_folder(stage), folder)
            with installed(folder, f"sqlite:///{folder}/test.sqlite") as app:
                yield self._ready(app, clock)
            shutil.rmtree(folder)
            return
        if stage not in self.stages:
            self.stages[stage] = Stage.make(self.cluster, self.folder, stage)
        with self.stages[stage].copy() as (app, _folder, _url):
            yield self._ready(app, clock)

    @staticmethod
    def _ready(app: Flask, clock: Clock) -> Flask:
        app.config["CLOCK"] = clock
        return app


class World:
    """One round behind its services."""

    def __init__(self, app: Flask, clock: Clock, stage: str):
        self.app, self.clock = app, clock
        clock.moment = a_round.CONFIRMING if stage == "confirming" else a_round.BEGINNING
        with db.writing() as session:
            self.id = session.scalars(select(Round.id)).one()
            _complete(session, stage)

    # --- acting ---------------------------------------------------------------------------------

    def do(self, act: Callable[[Session], object]) -> set[str]:
        """Do something in one transaction: why it was refused, nothing where it was done."""

        def whole() -> None:
            with db.writing() as session:
                act(session)

        return self.call(whole)

    def call(self, act: Callable[[], object]) -> set[str]:
        """The same for a service that opens its own transactions."""
        db.forget()
        try:
            act()
        except rounds.Blocked as error:
            return {obstacle.code for obstacle in error.obstacles}
        except REFUSALS as error:
            return {type(error).__name__}
        finally:
            db.forget()
        return set()

    def round(self, session: Session) -> Round:
        """The round."""
        return session.get_one(Round, self.id)

    def applicant(self, session: Session, who: str) -> Applicant:
        """Somebody by her application number."""
        found = select(Applicant).where(Applicant.number == who, Applicant.round_id == self.id)
        return session.scalars(found).one()

    def order_class(self, session: Session, code: str) -> OrderClass:
        """A class of the round."""
        found = select(OrderClass).where(OrderClass.code == code, OrderClass.round_id == self.id)
        return session.scalars(found).one()

    # --- looking --------------------------------------------------------------------------------

    def events(self) -> int:
        """How many changes are on record."""
        return db.reading().scalar(select(func.count(AuditEvent.id))) or 0

    def facts(self) -> Facts:
        """The round as it stands, in plain dictionaries."""
        session = db.reading()

        def rows(query: Select[Any]) -> list[Row[Any]]:
            return list(session.execute(query).all())

        round_ = session.get_one(Round, self.id, populate_existing=True)
        who, program = {}, {}
        for at, number, state, agreed in rows(
            select(Applicant.id, Applicant.number, Applicant.state, Applicant.guardian_agreed_at)
            .where(Applicant.round_id == self.id).order_by(Applicant.number)
        ):  # fmt: skip
            who[at] = (number, {"state": state, "guardian": agreed is not None, "lists": 0})
        for at, number, wanted, adjustment in rows(
            select(ChoiceList.applicant_id, ChoiceList.number, ChoiceList.choices, ChoiceList.adjustment)
            .where(ChoiceList.number > 0, ChoiceList.applicant_id.in_(who)).order_by(ChoiceList.number)
        ):  # fmt: skip
            who[at][1].update(lists=number, choices=tuple(wanted), adjustment=adjustment)
        for at, code, capacity in rows(
            select(Program.id, Program.code, Program.capacity)
            .join(OrderClass).where(OrderClass.round_id == self.id)
        ):  # fmt: skip
            program[at] = (code, capacity)
        found = select(Offer).where(Offer.round_id == self.id).order_by(Offer.id)
        places = {
            one.id: {
                "who": who[one.applicant_id][0], "program": program[one.program_id][0],
                "state": one.state, "rank": one.rank, "source": one.source, "due": one.due_at,
            }
            for one in session.scalars(found.execution_options(populate_existing=True))
        }  # fmt: skip
        classes = {
            at: (code, until)
            for at, code, until in rows(
                select(OrderClass.id, OrderClass.code, OrderClass.check_in_until).where(
                    OrderClass.round_id == self.id
                )
            )
        }
        signed: dict[int, Facts] = {
            one.id: {
                "place": one.offer_id, "state": one.state, "due": one.due_at,
                "signed": {s.party for s in one.signatures},
                "asked": (one.asked and one.asked_by) if one.state in agreements.LIVE else "",
            }
            for one in session.scalars(
                select(Agreement).order_by(Agreement.id).execution_options(populate_existing=True)
            )
        }  # fmt: skip
        drawn = session.scalar(select(Draw).execution_options(populate_existing=True))
        return {
            "state": round_.state, "resumes": round_.resumes_to,
            "notice": round_.notice_ends_at, "ended": round_.waiting_ended_at is not None,
            "people": dict(who.values()),
            "seats": dict(program.values()),
            "scores": {
                who[at][0]: (culture, "" if confirmed else by)
                for at, culture, confirmed, by in rows(
                    select(Score.applicant_id, Score.culture, Score.confirmed_at, Score.entered_by)
                    .where(Score.channel == "W", Score.applicant_id.in_(who))
                )
            },
            "draw": drawn and (drawn.entered_by, drawn.confirmed_at is not None),
            "runs": {at: (kind, state) for at, kind, state in rows(select(Run.id, Run.kind, Run.state))},
            "publications": [at for (at,) in rows(
                select(Publication.id).where(Publication.round_id == self.id).order_by(Publication.id)
            )],
            "places": places,
            "steps": [calendar.local(at).date() for (at,) in rows(select(WaitingStep.at).order_by(WaitingStep.number))],
            "motions": {
                m.id: (m.kind, m.asked_by, whether(m.confirmed_at, m.withdrawn_at))
                for m in rows(select(Motion.id, Motion.kind, Motion.asked_by, Motion.confirmed_at,
                                     Motion.withdrawn_at))
            },
            "tickets": {
                t.id: {"who": who[t.applicant_id][0], "matter": t.matter, "state": t.state,
                       "by": t.answered_by, "verdict": t.verdict, "remedy": t.remedy}
                for t in rows(
                    select(Recheck.id, Recheck.applicant_id, Recheck.matter, Recheck.state,
                           Recheck.answered_by, Recheck.verdict, Recheck.remedy).order_by(Recheck.id)
                )
            },
            "rulings": {
                r.id: {"class": classes[r.order_class_id][0], "kind": r.kind, "by": r.asked_by,
                       "state": whether(r.confirmed_at, r.withdrawn_at)}
                for r in rows(
                    select(Ruling.id, Ruling.order_class_id, Ruling.kind, Ruling.asked_by,
                           Ruling.confirmed_at, Ruling.withdrawn_at).order_by(Ruling.id)
                )
            },
            "until": dict(classes.values()),
            "agreements": signed,
            "enrolled": {
                e.offer_id: {"in": e.checked_in_on is not None, "asked": e.asked,
                             "by": e.asked_by if e.asked else ""}
                for e in rows(select(Enrolment.offer_id, Enrolment.checked_in_on, Enrolment.asked,
                                     Enrolment.asked_by))
            },
            "rounds": session.scalar(select(func.count(Round.id))),
        }  # fmt: skip

    # --- what holds of every round ----------------------------------------------------------------

    def unsound(self) -> list[str]:
        """What is wrong with the round, whatever was done; nothing if it is sound."""
        session = db.reading()
        found = [f"audit {at}" for at in audit.broken(session)]
        return found + self._crowded(session) + self._ended(session) + self._unexplained(session)

    def _crowded(self, session: Session) -> list[str]:
        """Programs with more people than seats, counting what a next round offers of them."""
        taken = offers.taken(session, self.id)
        seats = select(Program.code, Program.id, Program.capacity, OrderClass.round_id)
        left = {}
        for code, at, capacity, round_id in session.execute(
            seats.join(OrderClass).order_by(Program.id)
        ):
            if round_id == self.id:
                left[code] = capacity - taken.get(at, 0)
            else:
                left[code] -= capacity
        found = [f"crowded {code}" for code, free in left.items() if free < 0]
        live = select(Offer.applicant_id).where(Offer.round_id == self.id)
        for states in (("open",), HOLDING):
            twice = live.where(Offer.state.in_(states)).group_by(Offer.applicant_id)
            found += [
                f"two places of {at}" for at in session.scalars(twice.having(func.count() > 1))
            ]
        both = (
            select(Applicant.number)
            .where(Applicant.round_id != self.id)
            .join(Person)
            .where(
                Person.id.in_(
                    select(Applicant.person_id)
                    .join(Offer)
                    .where(Offer.round_id == self.id, Offer.state.in_(offers.LIVE))
                )
            )
        )
        return found + [f"holds a place and lists again {n}" for n in session.scalars(both)]

    def _ended(self, session: Session) -> list[str]:
        """Places in classes that were closed or merged into others."""
        ended = minimums.ended_classes(session, self.id)
        rows = (
            select(OrderClass.code)
            .join(Program)
            .join(Offer)
            .where(OrderClass.round_id == self.id, Offer.state.in_(offers.LIVE))
        )
        return [f"place in an ended class {c}" for c in session.scalars(rows) if c in ended]

    def _unexplained(self, session: Session) -> list[str]:
        """Lines of the last publication without a reason, and links that do not follow their parents."""
        round_ = self.round(session)
        published = publication.publication_of(session, round_)
        if published is None:
            return []
        found = [
            f"no reason {line.applicant_id}"
            for line in session.scalars(
                select(Placement).where(Placement.publication_id == published.id)
            )
            if not (line.reasons["outcome"] if line.program_id else line.reasons["reasons"])
        ]
        parent = published.bundle_digest
        links = select(WaitingStep).where(WaitingStep.round_id == self.id)
        for step in session.scalars(links.order_by(WaitingStep.number)):
            if step.parent != parent:
                found.append(f"link {step.number}")
            parent = step.digest
        return found


def whether(confirmed: object, withdrawn: object) -> str:
    """What became of something that one asks and another confirms."""
    return "withdrawn" if withdrawn else "done" if confirmed else "asked"


def _complete(session: Session, stage: str) -> None:
    """What the example leaves open: the days of classes, a minor, and what applications must say."""
    for held in session.scalars(select(OrderClass).where(OrderClass.code != NO_DATES)):
        held.internship_date, held.hire_date = date(2028, 9, 1), date(2029, 7, 1)
    minor = select(Person).join(Applicant, Applicant.person_id == Person.id)
    session.scalars(minor.where(Applicant.number == MINOR)).one().birth_date = BORN
    if stage != "draft":
        return
    held_by = {}
    for applicant in session.scalars(select(Applicant)):
        held_by[applicant.number] = applicant
        applicant.education, applicant.study_forms = "21", "FT;PT"
        applicant.guardian = "监护人"
        people.set_guardian_telephone(applicant, "13900000000")
        if not applicant.groups:
            applicant.groups = [Membership(group="G11", state="claimed")]
        session.add_all(
            Consent(applicant_id=applicant.id, text=text.code, version=text.version, given=True,
                    at=db.now(session))
            for text in application.TEXTS
        )  # fmt: skip
    programs = {p.code: p for p in session.scalars(select(Program))}
    a_round.exams(session, held_by, programs, db.now(session))
