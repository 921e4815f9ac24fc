"""A tiny round in the database: the one that ``data/example`` solves by hand.

``small_round`` makes five classes, six programs and twelve people with lists and scores; what the
files call A01 … A12 are the application numbers here.  The people are invented: their document
numbers are of an area code that was never assigned.
"""

from __future__ import annotations

import atexit
import csv
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask, current_app
from sqlalchemy.orm import Session

from web import (
    choices,
    create_app,
    db,
    draw,
    jobs,
    privacy,
    publication,
    rechecks,
    rounds,
    snapshot,
)
from web.audit import Actor
from web.models import (
    Applicant,
    Cap,
    ChoiceList,
    College,
    Consent,
    Decision,
    Enterprise,
    Membership,
    OrderClass,
    Person,
    PolicyVersion,
    Program,
    Recheck,
    Record,
    Reserve,
    Round,
    Score,
    metadata,
)

EXAMPLE = Path(__file__).resolve().parents[2] / "data" / "example"
FIRST, SECOND, THIRD = (Actor(f"coordinator:c{n}", "coordinator") for n in (1, 2, 3))
NAMES = (
    "张伟", "王小芳", "李娜", "刘洋", "陈静怡", "杨帆", "赵大勇", "黄丽", "欧阳明月", "吴建国", "徐强", "孙秀英",
)  # fmt: skip
SERIAL = "2026-1"
BEGINNING = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
CONFIRMING = datetime(2026, 6, 9, 1, 0, tzinfo=UTC)
"""A moment after the notice period of a round that is published at the beginning."""
DECIDED = {"A02": "86"}
"""The example leaves A02 and A03 to the lottery; here a point does what its seed does there."""

DICE = "01234567890123456789"

Office = TypeVar("Office", College, Enterprise)


def rows(table: str) -> Iterator[dict[str, str]]:
    """The lines of a file of the example."""
    with (EXAMPLE / f"{table}.csv").open(encoding="utf-8") as file:
        yield from csv.DictReader(file)


def small_round(
    session: Session, *, serial: str = SERIAL, state: str = "REVIEW", people: int = 12,
    rules: str = "",
) -> Round:  # fmt: skip
    """The round of ``data/example``, in a state, with everything confirmed and reviewed.

    Before its deadline in ``ANNOUNCED`` and ``OPEN``, a day after it in every other state.  ``rules``
    come at the end of the example's.
    """
    moment = db.now(session)
    deadline = moment + timedelta(days=9 if state in ("DRAFT", "ANNOUNCED", "OPEN") else -1)
    opens = moment + timedelta(days=2 if state in ("DRAFT", "ANNOUNCED") else -20)
    made = Round(
        serial=serial, title="示例轮次", year=2026, state=state, demo=True, created_at=moment,
        opens_at=opens, deadline_at=deadline, draw_event="二十枚十面骰，现场公证；改期则次日同时",
    )  # fmt: skip
    session.add(made)
    session.flush()
    made.policy = PolicyVersion(
        round_id=made.id, number=1, toml=policy(serial) + rules, workflow={"days.publicity": 5},
        at=moment,
    )  # fmt: skip
    for kind, document in (("plan_approval", "审〔2026〕1号"), ("result_filing", "备〔2026〕1号")):
        session.add(
            Record(
                round_id=made.id, kind=kind, authority="市人社局", document=document,
                dated=date(2026, 5, 1), entered_by=FIRST.name, entered_at=moment,
                confirmed_by=SECOND.name, confirmed_at=moment,
            )
        )  # fmt: skip
    programs = _plan(session, made, moment)
    held = {}
    for number, row in zip(range(people), rows("applicants"), strict=False):
        held[row["applicant"]] = _applicant(session, made, number, row, moment)
    session.flush()
    if state not in ("DRAFT", "ANNOUNCED"):
        _lists(session, held, moment)
    if state not in ("DRAFT", "ANNOUNCED", "OPEN"):
        exams(session, held, programs, moment)
    session.flush()
    return made


def frozen_round(**options: Any) -> Round:
    """A small round whose lists are locked; needs an application context."""
    with db.writing() as session:
        made = small_round(session, **options)
    snapshot.freeze(made.id, FIRST)
    return made


def drawn_round(**options: Any) -> Round:
    """A frozen round with its draw confirmed; the committed run is queued."""
    made = frozen_round(**options)
    with db.writing() as session:
        held = session.get_one(Round, made.id)
        draw.enter(session, held, "dice", "", DICE, "公证处 甲、乙", FIRST)
    with db.writing() as session:
        draw.confirm(session, session.get_one(Round, made.id), DICE, SECOND)
    return made


def approved_round(**options: Any) -> Round:
    """A drawn round whose committed run has been carried out and approved."""
    made = drawn_round(**options)
    assert jobs.work_once()
    with db.writing() as session:
        publication.approve(session, session.get_one(Round, made.id), FIRST)
    return made


def published_round(**options: Any) -> Round:
    """A round in its notice period, all the way by the services that lead there."""
    made = approved_round(**options)
    publication.publish(made.id, SECOND)
    return db.reading().get_one(Round, made.id)


def confirming_round(**options: Any) -> Round:
    """A published round past its notice period: everybody placed has an offer to answer.

    The application's clock is set to that moment and stays there.
    """
    made = published_round(**options)
    current_app.config["CLOCK"] = lambda: CONFIRMING
    with db.writing() as session:
        return rounds.take(session, session.get_one(Round, made.id), "confirm", FIRST)


def upheld_round(**options: Any) -> Round:
    """A published round with a recheck upheld and its successor approved: A05 has 80 in W, not 74.

    She goes before A04 at NEV-Y, whose place under the cap of U1 was the last but one, and A04 to ROBO.
    """
    made = published_round(**options)
    with db.writing() as session:
        who = session.query(Applicant).filter_by(round_id=made.id, number="A05").one()
        ticket = rechecks.open_(session, who, "score", "成绩单上是 80 分。", FIRST)
        typed = rechecks.score_correction(session, ticket, "W/culture", "80")
        rechecks.correct(session, ticket, typed, FIRST)
        at = ticket.id
    assert jobs.work_once()
    with db.writing() as session:
        ticket = session.get_one(Recheck, at)
        rechecks.answer(session, ticket, "upheld", "查卷后更正。", FIRST)
        rechecks.confirm(session, ticket, SECOND)
        run = rechecks.successor_run(session, ticket.round)
        assert run is not None
        publication.approve_successor(session, ticket.round, run, SECOND)
    db.forget()
    return db.reading().get_one(Round, made.id)


STAGES: dict[str, Callable[..., Round]] = {
    "frozen": frozen_round,
    "drawn": drawn_round,
    "limited": lambda: drawn_round(rules=LIMITED),
    "approved": approved_round,
    "published": published_round,
    "upheld": upheld_round,
    "confirming": confirming_round,
}

LIMITED = "\n[limits]\ntime_s = 60\n"

BEGINNINGS = ("draft", "review")
"""Stages at which nothing has been done yet: the rows are put there."""


def standing(folder: Path, stage: str, clock: Callable[[], datetime]) -> Flask:
    """An application in a folder whose one round has come to a stage; each is made only once."""
    shutil.copytree(stage_folder(stage), folder, dirs_exist_ok=True)
    return _app(folder, clock)


@cache
def stage_folder(stage: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="round."))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    privacy.Keys.create(folder / "keys.toml")
    app = _app(folder, lambda: BEGINNING)
    with app.app_context():
        metadata.create_all(db.engine())
        if stage in BEGINNINGS:
            with db.writing() as session:
                small_round(session, state=stage.upper())
        else:
            STAGES[stage]()
        db.forget()
    app.extensions["orderclass_engine"].dispose()
    return folder


def _app(folder: Path, clock: Callable[[], datetime]) -> Flask:
    return create_app(
        {
            "INSTANCE": folder, "DATABASE_URL": f"sqlite:///{folder}/test.sqlite", "DEMO": True,
            "TESTING": True, "WTF_CSRF_ENABLED": False, "CLOCK": clock,
        }
    )  # fmt: skip


def policy(serial: str = SERIAL) -> str:
    """The example's rules without a seed; the channel of composite scores has one component."""
    text = (EXAMPLE / "policy.toml").read_text(encoding="utf-8")
    text = text.replace('round = "示例"', f'round = "{serial}"')
    text = text.replace('[lottery]\nseed = "20251105"\n\n', "")
    return text + '\n[[score_channel]]\nchannel = "W"\nculture = 1\n'


def _plan(session: Session, made: Round, moment: datetime) -> dict[str, Program]:
    colleges, enterprises = {}, {}
    for code, name in (("U1", "第一技师学院"), ("U2", "第二技师学院")):
        colleges[code] = _office(session, College, code, name)
    for code, name in (("X", "星河汽车"), ("Y", "远航装备"), ("Z", "正和纺织")):
        enterprises[code] = _office(session, Enterprise, code, name)
    classes = {}
    for row in rows("order_classes"):
        classes[row["order_class"]] = OrderClass(
            round=made, college=colleges[row["college"]], code=row["order_class"],
            name=f"{row['order_class']} 班", major=row["industry"], industry=row["industry"],
            district=row["district"], study_form=row["study_form"], min_size=int(row["min_size"]),
            plan_order=int(row["plan_order"]), interview_required=row["interview_required"] == "1",
            confirmed_at=moment, confirmed_by="college:u",
        )  # fmt: skip
        session.add(classes[row["order_class"]])
    programs = {}
    for row in rows("programs"):
        programs[row["program"]] = Program(
            order_class=classes[row["order_class"]], enterprise=enterprises[row["enterprise"]],
            code=row["program"], name=f"{row['program']} 席位", capacity=int(row["capacity"]),
            channel=row["channel"], plan_order=int(row["plan_order"]),
            confirmed_at=moment, confirmed_by="enterprise:e",
        )  # fmt: skip
        session.add(programs[row["program"]])
    for row in rows("reserves"):
        programs[row["program"]].reserves.append(
            Reserve(group=row["group"], hard=row["hard"] == "1", seats=int(row["seats"]))
        )
    session.flush()
    for row in rows("caps"):
        college, enterprise = colleges.get(row["college"]), enterprises.get(row["enterprise"])
        session.add(
            Cap(
                round_id=made.id, code=row["cap"], seats=int(row["seats"]),
                college_id=college and college.id, enterprise_id=enterprise and enterprise.id,
            )
        )  # fmt: skip
    return programs


def _office(session: Session, model: type[Office], code: str, name: str) -> Office:
    """A college or an enterprise; the one that is there from an earlier round."""
    held = session.query(model).filter_by(code=code).one_or_none() or model(code=code, name=name)
    session.add(held)
    return held


def document_number(number: int, born: date) -> str:
    """A resident identity number with a right check digit, of an area that was never assigned."""
    body = f"371099{born:%Y%m%d}{number + 1:03}"
    total = sum(int(d) * 2 ** (17 - at) for at, d in enumerate(body))
    return body + "10X98765432"[total % 11]


def _applicant(
    session: Session, made: Round, number: int, row: dict[str, str], moment: datetime
) -> Applicant:
    born = date.fromisoformat(row["birth_date"])
    document = document_number(number, born)
    index = privacy.number_index(document)
    person = session.query(Person).filter_by(number_index=index).one_or_none() or Person(
        pseudonym=privacy.pseudonym(made.year, document),
        number_index=index,
        number=privacy.encrypt(document, f"person.number:{index}"),
        telephone=privacy.encrypt(f"1390000{number:04}", f"person.telephone:{index}"),
        name=NAMES[number],
        sex="12"[number % 2],
        birth_date=born,
        verified_at=moment,
        verified_by="district:d1",
    )
    passed = made.state not in ("DRAFT", "ANNOUNCED", "OPEN")
    held = Applicant(
        round=made, person=person, number=row["applicant"], district="370102",
        state="passed" if passed else "submitted", review="passed" if passed else "",
        created_at=moment, submitted_at=moment,
    )  # fmt: skip
    held.groups = [
        Membership(group=group, state="verified", decided_by="district:d1", decided_at=moment)
        for group in row["groups"].split(";")
        if group
    ]
    session.add(held)
    session.flush()
    session.add(
        Consent(applicant_id=held.id, text="public", version="2026-2", given=True, at=moment)
    )
    return held


def _lists(session: Session, held: dict[str, Applicant], moment: datetime) -> None:
    listed: dict[str, list[str]] = {name: [] for name in held}
    for row in rows("applications"):
        if row["applicant"] in listed:
            listed[row["applicant"]].append(row["program"])
    for row in rows("applicants"):
        if (who := held.get(row["applicant"])) is not None:
            made = ChoiceList(
                applicant=who, number=1, choices=listed[who.number],
                adjustment=row["adjustment"] or "none",
                not_accepted=[c for c in row["not_accepted"].split(";") if c],
                saved_at=moment, submitted_at=moment, receipt=choices.receipt_number(),
            )  # fmt: skip
            made.digest = choices.digest(who, made)
            session.add(made)


def exams(
    session: Session, held: dict[str, Applicant], programs: dict[str, Program], moment: datetime
) -> None:
    by = {
        "entered_by": FIRST.name, "entered_at": moment,
        "confirmed_by": SECOND.name, "confirmed_at": moment,
    }  # fmt: skip
    for row in rows("scores"):
        if row["applicant"] in held:
            session.add(
                Score(
                    applicant=held[row["applicant"]], channel=row["channel"], fit=row["fit"],
                    culture=DECIDED.get(row["applicant"], row["score"] or row["culture"]), skill=row["skill"],
                    interview=row["interview"], **by,
                )
            )  # fmt: skip
    for row in rows("decisions"):
        if row["applicant"] in held:
            session.add(
                Decision(
                    applicant=held[row["applicant"]], program=programs[row["program"]],
                    decision=row["decision"], rule=row["rule"], basis=row["basis"], **by,
                )
            )  # fmt: skip
