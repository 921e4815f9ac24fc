"""The demo: the round of ``data/demo``, once open for applications, once published, and a part of it in
its confirming days.

``flask --app web demo`` fills an installation of its own (``instance/demo``) and prints an address and
a login for every role.  Rows come from the files; what happens to the rounds happens through the same
services as in earnest.  Its clock starts on a fixed day and goes on from there, so that the
demo is the same whenever it is shown.
"""

from __future__ import annotations

import csv
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from sqlalchemy import insert, select
from sqlalchemy.orm import Session, joinedload, selectinload

import matcher
from matcher import Policy

from . import (
    application,
    auth,
    calendar,
    choices,
    commands,
    db,
    demo_confirming,
    draw,
    jobs,
    people,
    planning,
    plausibility,
    policies,
    privacy,
    publication,
    rechecks,
    reviewing,
    rounds,
    snapshot,
)
from .audit import Actor, record
from .demo_stage import FIRST, PASSWORD, SECOND, Files, Row, applicant_account, at
from .models import (
    Applicant,
    Cap,
    ChoiceList,
    College,
    Consent,
    Decision,
    Demand,
    Enterprise,
    Membership,
    OrderClass,
    Person,
    Placement,
    Program,
    Reserve,
    Review,
    Round,
    Score,
    Setting,
    User,
)
from .people import SEASONS
from .privacy import Keys

DATA = Path(__file__).resolve().parents[1] / "data" / "demo"
TABLES = (
    "applicants",
    "applications",
    "caps",
    "decisions",
    "order_classes",
    "programs",
    "reserves",
    "scores",
)
STARTED, MADE_OF = "started", "made-of"
PORT, THREADS = 8000, 16
TODAY = calendar.parse_local("2026-07-06T10:00")
PUBLISHED, OPEN, CONFIRMING = "2026-1", "2026-2", "2026-0"
OPEN_PEOPLE, DRAFTS = 1200, 300
TELEPHONE = "06310000000"
DICE = "31415926535897932384"
TITLE = "{year} 年订单班联合招生（演示：{state}）"
DEMO_SETTINGS = {"主办单位": "订单班联盟（演示）", "监督电话": "0631-0000000（演示）"}


@dataclass(frozen=True)
class Course:
    """A round of the demo and the moments at which it goes on."""

    serial: str
    state: str
    season: str
    planned: str
    opens: str
    deadline: str
    applied: str = ""
    frozen: str = ""
    drawn: str = ""
    approved: str = ""
    published: str = ""
    workflow: Mapping[str, Any] = field(default_factory=dict)


COURSES = {
    held.serial: held
    for held in (
        Course(
            PUBLISHED, "公示中", "autumn", "2026-05-11T09:00", "2026-05-25T08:00", "2026-06-20T18:00",
            "2026-06-10T11:20", "2026-06-26T16:00", "2026-06-30T10:00", "2026-07-03T09:00",
            "2026-07-06T09:00",
        ),
        Course(
            OPEN, "报名中", "autumn", "2026-06-29T09:00", "2026-07-01T08:00", "2026-07-31T18:00",
            "2026-07-03T15:30",
        ),
        Course(
            CONFIRMING, "确认递补", "spring", "2026-05-11T09:30", "2026-05-25T08:00",
            "2026-06-08T18:00", "2026-06-01T10:00", "2026-06-15T16:00", "2026-06-17T10:00",
            "2026-06-22T09:00", "2026-06-22T14:00", {"days.confirm": 10, "days.agreement": 30},
        ),
    )
}  # fmt: skip
"""Days of confirming and signing are longer than ours, so that a visitor finds them not over."""


class NotEmpty(RuntimeError):
    """The database holds rows that the demo did not make."""


def clock(instance: Path) -> Callable[[], datetime] | None:
    """The demo's clock, once it has been filled: the fixed day, and the time that passed since."""
    mark = instance / STARTED
    if not mark.exists():
        return None
    since = datetime.fromisoformat(mark.read_text(encoding="utf-8"))
    return lambda: TODAY.astimezone(UTC) + (datetime.now(UTC) - since)


# --- filling ----------------------------------------------------------------------------------


def fill() -> None:
    """Both rounds and everybody's account, in an empty database.

    Raises
    ------
    NotEmpty
        If there is a round or an account already.
    """
    session = db.reading()
    if session.scalar(select(Round.id)) or session.scalar(select(User.id)):
        raise NotEmpty
    files = {table: _rows(table) for table in TABLES}
    with at(COURSES[PUBLISHED].planned):
        with db.writing() as session:
            offices(session, files)
            session.add_all(Setting(name=name, value=text) for name, text in DEMO_SETTINGS.items())
        accounts()
    first = demo_confirming.part(files)
    confirming = _planned(CONFIRMING, first)
    _publish(confirming, COURSES[CONFIRMING], first)
    demo_confirming.go_on(confirming)
    published = _planned(PUBLISHED, files)
    _publish(published, COURSES[PUBLISHED], files)
    opened = _planned(OPEN, files, source=published)
    with at(COURSES[OPEN].opens), db.writing() as session:
        rounds.take(session, session.get_one(Round, opened), "open", FIRST)
    with at(COURSES[OPEN].applied), db.writing() as session:
        few = {**files, "applicants": files["applicants"][:OPEN_PEOPLE]}
        _apply(session, session.get_one(Round, opened), few)
    with at(f"{TODAY:%Y-%m-%dT%H:%M}"), db.writing() as session:
        applicant_accounts(session)


def _planned(serial: str, files: Files, source: int | None = None) -> int:
    """A round whose plan is announced; its classes from the files, or those of another round."""
    course = COURSES[serial]
    with at(course.planned), db.writing() as session:
        held = session.get(Round, source) if source else None
        made = planning.create(
            session, serial, TITLE.format(year=2026, state=course.state), 2026,
            course.season, FIRST, source=held, demo=True,
        )  # fmt: skip
        if held is None:
            rules = Policy.from_toml((DATA / "policy.toml").read_bytes())
            toml = replace(rules, seed="", round=serial).to_toml()
            policies.change(session, made, toml, course.workflow, "演示数据的规则", FIRST)
            plan(session, made, files)
        else:
            _post_again(session, made, held)
        made.opens_at = calendar.parse_local(course.opens)
        made.deadline_at = calendar.parse_local(course.deadline)
        made.draw_event = "二十枚十面骰，公证处现场掷出；改期则十四日内另行公布"
        _confirm_plan(session, made)
        document = f"威人社演示〔2026〕{serial[-1]} 号"
        planning.enter_record(
            session, made, "plan_approval", "市人社局（演示）", document, date(2026, 5, 11), FIRST
        )
        planning.confirm_record(session, made, "plan_approval", SECOND)
        rounds.take(session, made, "announce", FIRST)
        return made.id


def _post_again(session: Session, made: Round, source: Round) -> None:
    """What enterprises posted for another round, for the same seats of this one."""
    posts = session.scalars(select(Demand).where(Demand.round_id == source.id))
    known = {post.code: post for post in posts}
    for program in planning.programs(session, made):
        old = known[f"D-{program.code}"]
        names = {c.key for c in Demand.__table__.columns} - {"id", "round_id"}
        new = Demand(round_id=made.id, **{name: getattr(old, name) for name in names})
        session.add(new)
        session.flush()
        program.demand_id = new.id


def _publish(round_id: int, course: Course, files: Files) -> None:
    """From the opening to the public notice, as two coordinators go."""
    with at(course.opens), db.writing() as session:
        rounds.take(session, session.get_one(Round, round_id), "open", FIRST)
    with at(course.applied), db.writing() as session:
        _apply(session, session.get_one(Round, round_id), files, drafts=0)
    with at(course.deadline), db.writing() as session:
        rounds.take(session, session.get_one(Round, round_id), "close", FIRST)
    with at(course.frozen):
        with db.writing() as session:
            round_ = session.get_one(Round, round_id)
            _review(session, round_, files)
        with db.writing() as session:
            round_ = session.get_one(Round, round_id)
            for doubt in plausibility.look_again(session, round_, FIRST):
                plausibility.explain(session, round_, doubt, "演示数据如此", FIRST)
                plausibility.confirm(session, round_, doubt, SECOND)
        snapshot.freeze(round_id, FIRST)
    with at(course.drawn):
        with db.writing() as session:
            round_ = session.get_one(Round, round_id)
            draw.enter(session, round_, "dice", "", DICE, "公证员（演示）", FIRST)
        with db.writing() as session:
            round_ = session.get_one(Round, round_id)
            draw.confirm(session, round_, DICE, SECOND)
        while jobs.work_once():
            pass
    with at(course.approved), db.writing() as session:
        round_ = session.get_one(Round, round_id)
        day = calendar.local(db.now(session)).date()
        document = f"威人社演示〔2026〕1{course.serial[-1]} 号"
        planning.enter_record(
            session, round_, "result_filing", "市人社局（演示）", document, day, FIRST
        )
        planning.confirm_record(session, round_, "result_filing", SECOND)
        publication.approve(session, round_, FIRST)
    with at(course.published):
        publication.publish(round_id, SECOND)


# --- the plan ---------------------------------------------------------------------------------


def _rows(table: str) -> list[Row]:
    with (DATA / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _number(text: str) -> int | None:
    return int(text) if text else None


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def offices(session: Session, files: Files) -> None:
    """The colleges and enterprises that the files name."""
    classes = {row["order_class"]: row for row in files["order_classes"]}
    colleges = {row["college"]: row for row in classes.values()}
    session.add_all(
        College(
            code=code, name=row["x_college_name"], district=row["district"], tier="技师学院",
            joined=date(2025, 9, 1), note="演示数据",
        )
        for code, row in sorted(colleges.items())
    )  # fmt: skip
    enterprises = {row["enterprise"]: row for row in files["programs"]}
    session.add_all(
        Enterprise(
            code=code, name=row["x_enterprise_name"],
            industry=classes[row["order_class"]]["industry"],
            district=classes[row["order_class"]]["district"],
            joined=date(2025, 9, 1), member_until=_date(row["enterprise_member_until"]),
            note="演示数据",
        )
        for code, row in sorted(enterprises.items())
    )  # fmt: skip
    record(
        session, FIRST, "demo.offices", "demo",
        after={"colleges": len(colleges), "enterprises": len(enterprises)},
    )  # fmt: skip


def plan(session: Session, round_: Round, files: Files) -> None:
    """Posts, classes, seats, reserves and caps of the files."""
    colleges = {held.code: held.id for held in session.scalars(select(College))}
    enterprises = {held.code: held.id for held in session.scalars(select(Enterprise))}
    reserves: dict[str, list[Reserve]] = {}
    for row in files["reserves"]:
        made = Reserve(group=row["group"], seats=int(row["seats"]), hard=row["hard"] == "1")
        reserves.setdefault(row["program"], []).append(made)
    programs: dict[str, list[Row]] = {}
    for row in files["programs"]:
        programs.setdefault(row["order_class"], []).append(row)
    classes = files["order_classes"]
    demands = {
        line["program"]: _demand(line, row, round_, enterprises)
        for row in classes
        for line in programs[row["order_class"]]
    }
    session.add_all(demands.values())
    session.flush()
    for row in classes:
        held = _order_class(row, round_, colleges)
        held.programs = [
            _program(line, demands[line["program"]], reserves.get(line["program"], []))
            for line in programs[row["order_class"]]
        ]
        session.add(held)
    for row in files["caps"]:
        session.add(
            Cap(
                round_id=round_.id, code=row["cap"], seats=int(row["seats"]),
                college_id=colleges.get(row["college"]),
                enterprise_id=enterprises.get(row["enterprise"]),
                programs=row["programs"].split(";") if row["programs"] else [],
            )
        )  # fmt: skip
    session.flush()
    record(
        session, FIRST, "demo.plan", f"round/{round_.serial}", round_id=round_.id,
        after={"classes": len(classes), "programs": sum(map(len, programs.values()))},
    )  # fmt: skip


def _order_class(row: Row, round_: Round, colleges: Mapping[str, int]) -> OrderClass:
    same = ("industry", "district", "study_form", "level", "entry_education", "entry_skill",
            "age_basis", "health", "health_basis")  # fmt: skip
    return OrderClass(
        round_id=round_.id, college_id=colleges[row["college"]], code=row["order_class"],
        name=row["x_name"], major=row["x_major"], major_code=row["major"],
        min_size=int(row["min_size"]), plan_order=_number(row["plan_order"]),
        age_min=_number(row["age_min"]), internship_date=_date(row["internship_date"]),
        hire_date=_date(row["hire_date"]), interview_required=row["interview_required"] == "1",
        **{name: row[name] for name in same},
    )  # fmt: skip


def _demand(row: Row, of: Row, round_: Round, enterprises: Mapping[str, int]) -> Demand:
    return Demand(
        round_id=round_.id, enterprise_id=enterprises[row["enterprise"]],
        code=f"D-{row['program']}", title=f"{of['x_major']}岗位（演示）", occupation=of["x_major"],
        people=int(row["capacity"]), hire_date=_date(of["hire_date"]), district=of["district"],
        study_forms=of["study_form"], state="taken",
    )  # fmt: skip


def _program(row: Row, demand: Demand, reserves: list[Reserve]) -> Program:
    return Program(
        enterprise_id=demand.enterprise_id, demand_id=demand.id, code=row["program"],
        name=row["x_name"], capacity=int(row["capacity"]), channel=row["channel"],
        plan_order=_number(row["plan_order"]), forbid_minor=row["forbid_minor"] == "1",
        forbid_minor_reason=row["forbid_minor_reason"], reserves=reserves,
    )  # fmt: skip


def _confirm_plan(session: Session, round_: Round) -> None:
    moment = db.now(session)
    for held in session.scalars(select(OrderClass).where(OrderClass.round_id == round_.id)):
        held.confirmed_at, held.confirmed_by = moment, f"college:{held.college.code.lower()}"
        for program in held.programs:
            program.confirmed_at = moment
            program.confirmed_by = f"enterprise:{program.enterprise.code.lower()}"
    session.flush()
    record(session, FIRST, "demo.confirm", f"round/{round_.serial}", round_id=round_.id)


# --- people -----------------------------------------------------------------------------------


def _apply(session: Session, round_: Round, files: Files, drafts: int = DRAFTS) -> None:
    """Applications and lists; the last ``drafts`` people have not submitted theirs yet."""
    moment = db.now(session)
    known = {held.number_index: held for held in session.scalars(select(Person))}
    lists: dict[str, list[str]] = {}
    for row in files["applications"]:
        lists.setdefault(row["applicant"], []).append(row["program"])
    rows = files["applicants"]
    once = {privacy.number_index(row["identity_number"].upper()): row for row in reversed(rows)}
    rows_once = list(reversed(once.items()))
    first = 50_001 if round_.serial == OPEN else 1  # numbers are unique in a season
    everybody = []
    for place, (index, row) in enumerate(rows_once):
        person = known.get(index) or _person(index, row, round_.year)
        submitted = place < len(rows_once) - drafts
        number = f"{round_.year}{SEASONS[round_.season]}{place + first:05d}"
        made = _applicant(person, row, round_, number, moment, submitted)
        everybody.append(made)
        session.add(_list(made, row, lists.get(row["applicant"], []), moment, submitted))
    session.flush()
    _complete(session, everybody, moment)
    record(
        session, FIRST, "demo.apply", f"round/{round_.serial}", round_id=round_.id,
        after={"applicants": len(rows_once), "drafts": drafts},
    )  # fmt: skip


def _complete(session: Session, everybody: Sequence[Applicant], moment: datetime) -> None:
    """What the files do not tell and an application needs: telephones, guardians, consents."""
    today = calendar.local(moment).date()
    consents = []
    for one in everybody:
        minor = people.is_minor(one.person, today)
        if not one.person.telephone:
            people.set_telephone(one.person, TELEPHONE)
        if minor:
            one.guardian, one.guardian_relation = "监护人（演示）", "父母"
            people.set_guardian_telephone(one, TELEPHONE)
        consents += [
            {"applicant_id": one.id, "text": text.code, "version": text.version, "at": moment,
             "given": minor or text.code != "minor"}
            for text in application.TEXTS
        ]  # fmt: skip
    session.execute(insert(Consent), consents)


def _person(index: str, row: Row, year: int) -> Person:
    number = row["identity_number"].upper()
    return Person(
        pseudonym=privacy.pseudonym(year, number), number_index=index,
        number=privacy.encrypt(number, f"person.number:{index}"),
        identity_type=row["identity_type"], name=row["x_name"], sex=row["sex"],
        birth_date=_date(row["birth_date"]),
    )  # fmt: skip


def _applicant(
    person: Person, row: Row, round_: Round, number: str, moment: datetime, submitted: bool
) -> Applicant:
    same = ("education", "skill_level", "study_forms", "district", "health")
    return Applicant(
        round=round_, person=person, number=number, state="submitted" if submitted else "draft",
        groups=[
            Membership(group=group, evidence="演示材料") for group in row["groups"].split(";") if group
        ],
        fresh="G01" in row["groups"], created_at=moment,
        submitted_at=moment if submitted else None, **{name: row[name] for name in same},
    )  # fmt: skip


def _list(
    applicant: Applicant, row: Row, codes: list[str], moment: datetime, submitted: bool
) -> ChoiceList:
    made = ChoiceList(
        applicant=applicant, number=1 if submitted else choices.DRAFT, choices=codes,
        adjustment=row["adjustment"] or "none",
        not_accepted=row["not_accepted"].split(";") if row["not_accepted"] else [],
        saved_at=moment, submitted_at=moment if submitted else None,
        receipt=choices.receipt_number() if submitted else None,
        idempotency_key=secrets.token_hex(8) if submitted else None,
    )  # fmt: skip
    made.digest = choices.digest(applicant, made) if submitted else ""
    return made


def _review(session: Session, round_: Round, files: Files) -> None:
    """The review's conclusions, scores and decisions of the files, each by two people."""
    by = {"entered_by": "college:college1", "entered_at": db.now(session),
          "confirmed_by": SECOND.name, "confirmed_at": db.now(session)}  # fmt: skip
    people = _by_file(session, round_, files)
    programs = {
        program.code: program.id
        for held in session.scalars(select(OrderClass).where(OrderClass.round_id == round_.id))
        for program in held.programs
    }
    for row in files["applicants"]:
        if row["applicant"] in people:
            _conclude(session, people[row["applicant"]], row)
    session.flush()
    components = ("culture", "skill", "interview", "experience", "language", "fit")
    scores = [
        {
            "applicant_id": people[row["applicant"]].id, "channel": row["channel"],
            "program_id": programs[row["program"]] if row["program"] else None,
            **{name: row[name] for name in components}, **by,
        }
        for row in files["scores"]
        if row["applicant"] in people
    ]  # fmt: skip
    session.execute(insert(Score), scores)
    session.add_all(
        Decision(
            applicant_id=people[row["applicant"]].id, program_id=programs[row["program"]],
            decision=row["decision"], rule=row["rule"], basis=row["basis"], **by,
        )
        for row in files["decisions"]
        if row["applicant"] in people
    )  # fmt: skip
    record(session, FIRST, "demo.review", f"round/{round_.serial}", round_id=round_.id)


def _by_file(session: Session, round_: Round, files: Files) -> dict[str, Applicant]:
    """The applicants of a round by their name in the files."""
    everybody = (
        select(Applicant)
        .where(Applicant.round_id == round_.id)
        .options(joinedload(Applicant.person), selectinload(Applicant.groups))
    )
    found = {held.person.number_index: held for held in session.scalars(everybody)}
    named: dict[str, Applicant] = {}
    for row in files["applicants"]:
        held = found.pop(privacy.number_index(row["identity_number"].upper()), None)
        if held is not None:
            named[row["applicant"]] = held
    return named


def _conclude(session: Session, applicant: Applicant, row: Row) -> None:
    passed = row["review"] == "passed"
    applicant.state, applicant.review = "passed" if passed else "failed", row["review"]
    applicant.person.verified_at = db.now(session)
    applicant.person.verified_by = SECOND.name
    for membership in applicant.groups:
        membership.state, membership.decided_by = "verified", "district:district1"
        membership.decided_at = db.now(session)
    session.add(
        Review(
            applicant_id=applicant.id, matter=reviewing.MATTER, reason=row["x_review"],
            conclusion="passed" if passed else "failed", code="" if passed else row["review"],
            office="", reviewer="college:college1", at=db.now(session),
        )
    )  # fmt: skip


# --- accounts ---------------------------------------------------------------------------------


def accounts() -> None:
    """An account of every office."""
    with db.writing() as session:
        college = session.scalars(select(College).order_by(College.code)).first()
        enterprise = session.scalars(select(Enterprise).order_by(Enterprise.code)).first()
        scopes: dict[str, tuple[str, dict[str, Any]]] = {
            "coordinator1": ("协调员甲", {}),
            "coordinator2": ("协调员乙", {}),
            "college1": ("院校经办", {"college": college}),
            "enterprise1": ("企业经办", {"enterprise": enterprise}),
            "district1": ("环翠区经办", {"district": "371002"}),
            "bureau1": ("市局经办", {}),
            "auditor1": ("审计员", {}),
        }
        for username, (name, scope) in scopes.items():
            auth.create_user(
                session, username, PASSWORD, username[:-1], name=f"{name}（演示）", **scope
            )


def applicant_accounts(session: Session) -> None:
    """Two applicants who are in both rounds: one placed at a later choice, one not placed."""
    both = select(Applicant.person_id).join(Round).where(Round.serial == OPEN)
    for username, about, wanted in (
        ("applicant1", "录取公示中", Placement.rank > 1),
        ("applicant2", "未录取，已申请复核", Placement.program_id.is_(None)),
    ):
        person = session.scalars(
            select(Person)
            .join(Applicant)
            .join(Placement)
            .join(Round, Round.id == Applicant.round_id)
            .where(wanted, Round.serial == PUBLISHED, Person.id.in_(both))
            .order_by(Applicant.number)
        ).first()
        if person is not None:
            applicant_account(session, username, person, about)
            if username == "applicant2":
                _ask_again(session, person)


def _ask_again(session: Session, person: Person) -> None:
    """Somebody who was not placed asks that a person looks again."""
    who = session.scalars(
        select(Applicant)
        .join(Round)
        .where(Applicant.person_id == person.id, Round.serial == PUBLISHED)
    ).one()
    words = "为什么没有录取？请人再看一遍。（演示）"
    rechecks.open_(session, who, "human", words, Actor("applicant:applicant2", "applicant"))


# --- the command ------------------------------------------------------------------------------


def database(instance: Path) -> str:
    """The address of the demo's own database."""
    return f"sqlite:///{instance.resolve()}/demo.sqlite"


def made_of() -> str:
    """A digest of all that the demo is filled from: its files, the mathematics, the schema."""
    total = hashlib.sha256()
    for root in (DATA, Path(matcher.__file__).parent, commands.MIGRATIONS):
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                content = path.read_bytes()
                total.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode())
                total.update(content)
    return total.hexdigest()


def stands(instance: Path) -> bool:
    """Whether the demo was filled to its end, from just what it would be filled from now."""
    mark = instance / MADE_OF
    finished = (instance / STARTED).exists() and mark.exists()
    return finished and mark.read_text(encoding="utf-8") == made_of()


def prepared(app_of: Callable[[Mapping[str, Any]], Flask], instance: Path) -> Flask:
    """The demo's application, filled; one that was not finished, or is made of other things, anew."""
    config = {"INSTANCE": instance, "DEMO": True, "DATABASE_URL": database(instance)}
    if stands(instance):
        return app_of(config)
    shutil.rmtree(instance, ignore_errors=True)
    instance.mkdir(parents=True)
    Keys.create(instance / "keys.toml")
    app = app_of(config)
    with app.app_context():
        commands.upgrade()
        fill()
    (instance / MADE_OF).write_text(made_of(), encoding="utf-8")
    (instance / STARTED).write_text(datetime.now(UTC).isoformat(), encoding="utf-8")
    app.config["CLOCK"] = clock(instance)
    return app


def logins() -> list[tuple[str, str]]:
    """Every account of the demo and its role."""
    users = db.reading().scalars(select(User).order_by(User.id))
    return [(user.username, user.name) for user in users]


@click.command("demo")
@click.option("--serve/--no-serve", default=False, help="接着提供网页 / then serve the pages")
@click.option("--port", default=PORT, help="端口 / port")
def demo(serve: bool, port: int) -> None:
    """建立演示轮次：报名中、公示中、确认递补各一 / make the demo: rounds open, published, confirming."""
    from . import create_app, serving

    instance = Path(current_app.instance_path)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    if not stands(instance):
        click.echo(
            "首次运行：建立演示数据，约需一分钟 / first run: filling the demo, about a minute"
        )
        app = prepared(create_app, instance)
    elif app.config["DATABASE_URL"] != database(instance):
        app = prepared(create_app, instance)
    with app.app_context():
        for username, name in logins():
            click.echo(f"  {username:14}{name}")
    click.echo(f"密码都是 / every password: {PASSWORD}")
    click.echo(
        f"演示时间 / the demo's clock: {app.config['CLOCK']().astimezone(calendar.CITY):%F %H:%M}"
    )
    if serve:
        worker = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "web", "worker"],
            env={**os.environ, "ORDERCLASS_DEMO": "1", "ORDERCLASS_INSTANCE": str(instance),
                 "DATABASE_URL": app.config["DATABASE_URL"]},
        )  # fmt: skip
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the worker ends as well
        try:
            serving.serve(app, "127.0.0.1", port, THREADS)
        finally:
            worker.terminate()
            worker.wait()
