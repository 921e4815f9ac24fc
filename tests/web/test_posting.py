"""Posts, classes and seats as services: what the law and the other side stand against."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web import offices as o
from web import posting, seats, stages
from web.audit import Actor
from web.models import (
    College,
    Demand,
    Enterprise,
    Notice,
    OrderClass,
    PolicyVersion,
    Program,
    SeatChange,
)

DEMAND: dict[str, Any] = {
    "title": "数控车工", "occupation": "车工", "skill_level": "4", "people": 5,
    "hire_date": date(2028, 7, 1), "wage_from": 4000, "wage_to": 6000, "district": "371002",
    "study_forms": "FT;PT", "education": "71", "age_wish": "", "health": "", "health_basis": "",
    "forbid_minor": False, "forbid_minor_reason": "", "overseas": False, "board": "供午餐",
    "mentors": 2, "equipment": "", "joint": True,
}  # fmt: skip
CLASS: dict[str, Any] = {
    "name": "数控中级工班", "major": "数控加工", "major_code": "", "industry": "IND06", "level": "4",
    "intake": "初中毕业生", "years": None, "study_form": "FT", "hired_on_entry": False,
    "min_size": 4, "entry_education": "71", "entry_skill": "", "age_min": None, "age_max": None,
    "age_basis": "", "health": "", "health_basis": "", "internship_date": None, "hire_date": None,
    "interview_required": False, "tuition": None, "boarding": True, "note": "",
}  # fmt: skip


@pytest.fixture
def w(app: Flask, as_user: Callable[..., FlaskClient]) -> o.World:
    return o.world(app, as_user)


def post(s: Session, actor: Actor = o.X, code: str = "", version: int = 0, **other: Any) -> Demand:
    enterprise = o.office(s, Enterprise, actor.name.partition(":")[2][0].upper())
    values = DEMAND | other
    return posting.save_demand(s, o.the_round(s).id, enterprise, values, actor, code, version)


def declare(
    s: Session, *lines: posting.Seats, code: str = "", version: int = 0, **other: Any
) -> OrderClass:
    college = o.office(s, College, "U1")
    return posting.save_class(
        s, o.the_round(s).id, college, CLASS | other, lines, o.U1, code, version
    )


def line(s: Session, enterprise: str = "X", capacity: int = 5, **other: Any) -> posting.Seats:
    return posting.Seats(o.office(s, Enterprise, enterprise).id, capacity, "W", **other)


def refused(run: Callable[[], object]) -> dict[str, list[str]]:
    with pytest.raises(posting.Refused) as caught:
        run()
    return caught.value.problems


# --- posts ------------------------------------------------------------------------------------


def test_a_post_is_stored_changed_submitted_and_withdrawn(w: o.World) -> None:
    with w.writing() as s:
        made = post(s)
        assert (made.code, made.state, made.version) == ("X-D01", "draft", 1)
        assert post(s).code == "X-D02"
        assert post(s, code="X-D01", version=1).version == 1, "nothing changed"
        assert post(s, code="X-D01", version=1, people=7).version == 2
        x, round_id = o.office(s, Enterprise, "X"), o.the_round(s).id
        assert posting.submit_demand(s, round_id, x, "X-D01", 2, o.X).state == "submitted"
        refused(lambda: posting.submit_demand(s, round_id, x, "X-D01", 3, o.X))
        assert posting.withdraw_demand(s, round_id, x, "X-D01", 3, o.X).state == "withdrawn"
        refused(lambda: post(s, code="X-D01", version=4, people=8))
        with pytest.raises(posting.Stale):
            posting.withdraw_demand(s, round_id, x, "X-D02", 9, o.X)
    assert w.actions() == [
        "demand.post", "demand.post", "demand.change", "demand.submitted", "demand.withdrawn",
    ]  # fmt: skip


def test_a_change_on_an_old_page_is_not_stored(w: o.World) -> None:
    with w.writing() as s:
        post(s)
        post(s, code="X-D01", version=1, people=7)
        with pytest.raises(posting.Stale) as caught:
            post(s, code="X-D01", version=1, people=9)
        assert (caught.value.version, caught.value.stored["people"]) == (2, 7)


UNLAWFUL: list[tuple[dict[str, Any], str, str]] = [
    ({"title": "装配工（限男）"}, "title", "就业促进法"),
    ({"occupation": "只要本地户口"}, "occupation", "户籍"),
    ({"board": "单身优先"}, "board", "结婚"),
    ({"equipment": "体检查乙肝"}, "equipment", "乙肝"),
    ({"health": "身高170以上"}, "health", "身高"),
    ({"health": "辨色力正常"}, "health_basis", "依据"),
    ({"age_wish": "male only"}, "age_wish", "性别"),
    ({"forbid_minor": True}, "forbid_minor_reason", "禁忌"),
    ({"wage_to": 3000}, "wage_to", "上限低于下限"),
    ({"title": "劳务派遣装配工"}, "title", "派遣"),
]


def test_an_unlawful_post_is_refused_at_its_field_with_the_reason(w: o.World) -> None:
    with w.writing() as s:
        for other, name, word in UNLAWFUL:
            problems = refused(lambda other=other: post(s, **other))  # type: ignore[misc]
            assert any(word in said for said in problems[name]), (other, problems)
        assert not s.scalars(select(Demand)).all()


def test_height_with_a_statutory_basis_passes(w: o.World) -> None:
    with w.writing() as s:
        assert post(s, health="身高160以上", health_basis="民用航空规章").health


def test_an_agency_may_post_nothing_and_take_no_seats(w: o.World) -> None:
    with w.writing() as s:
        o.office(s, Enterprise, "X").name = "某某人力资源有限公司"
        assert "实习" in refused(lambda: post(s))[""][0]
        assert "实习" in refused(lambda: declare(s, line(s)))["seats-0-enterprise"][0]


def test_a_draft_that_became_unlawful_is_not_submitted(w: o.World) -> None:
    with w.writing() as s:
        made = post(s)
        made.title = "限女"
        x = o.office(s, Enterprise, "X")
        assert "title" in refused(
            lambda: posting.submit_demand(s, made.round_id, x, made.code, 1, o.X)
        )


def test_warnings_on_interns_and_minors(w: o.World) -> None:
    def warned(s: Session, made: Demand, employees: int | None) -> str:
        made.enterprise.employees = employees
        return " ".join(posting.demand_warnings(s, o.the_round(s), made))

    with w.writing() as s:
        made, round_ = post(s, people=21), o.the_round(s)
        assert "没有登记在岗职工数" in warned(s, made, None)
        assert "10%" in warned(s, made, 209) and "同岗" not in warned(s, made, 209)
        assert warned(s, made, 210) == ""
        assert "20%" in warned(s, made, 104) and "20%" not in warned(s, made, 105)
        policy = round_.policy
        assert isinstance(policy, PolicyVersion)
        policy.workflow = {"enterprise.intern_share_max": 0.05}
        assert "5%" in warned(s, made, 210)
        made.title = "锅炉工"
        assert "锅炉" in warned(s, made, 9999)
        made.forbid_minor = True
        assert "18 周岁" in warned(s, made, 9999)


def test_posts_and_classes_stay_once_the_plan_is_announced(
    app: Flask, as_user: Callable[..., FlaskClient]
) -> None:
    w = o.world(app, as_user, "ANNOUNCED")
    with w.writing() as s:
        for attempt in (lambda: post(s), lambda: declare(s, line(s))):
            with pytest.raises(stages.NotNow, match="席位变更单"):
                attempt()


# --- classes ----------------------------------------------------------------------------------


def test_a_joint_class_is_declared_and_both_sides_confirm(w: o.World) -> None:
    with w.writing() as s:
        demand = post(s)
        round_id = o.the_round(s).id
        posting.submit_demand(s, round_id, o.office(s, Enterprise, "X"), demand.code, 1, o.X)
        made = declare(
            s,
            line(s, demand_id=demand.id, reserves={("G05", False): 1, ("G06", True): 2}),
            line(s, "Y", 3),
        )
        assert made.code == "U1-01"
        assert [(p.code, p.capacity) for p in made.programs] == [("U1-01-1", 5), ("U1-01-2", 3)]
        wanted = {("G05", False): 1, ("G06", True): 2}
        assert posting.reserves_of(made.programs[0]) == wanted
        assert demand.state == "taken"
        _confirm_all(s, made)
        assert made.confirmed_at and all(p.confirmed_at for p in made.programs)


def _confirm_all(s: Session, made: OrderClass) -> None:
    posting.confirm_class(
        s, made.round_id, o.office(s, College, "U1"), made.code, made.version, o.U1
    )
    for program in made.programs:
        actor = {"X": o.X, "Y": o.Y}[program.enterprise.code]
        posting.confirm_seats(
            s, made.round_id, program.enterprise, program.code, made.version, actor
        )


def test_any_change_takes_every_confirmation_back(w: o.World) -> None:
    with w.writing() as s:
        demand = post(s)
        x = o.office(s, Enterprise, "X")
        posting.submit_demand(s, demand.round_id, x, demand.code, 1, o.X)
        made = declare(s, line(s, demand_id=demand.id), line(s, "Y", 3))
        codes = [p.code for p in made.programs]

        def lines(capacity: int) -> tuple[posting.Seats, posting.Seats]:
            return (
                line(s, capacity=capacity, demand_id=demand.id, code=codes[0]),
                line(s, "Y", 3, code=codes[1]),
            )

        _confirm_all(s, made)
        declare(s, *lines(5), code=made.code, version=1)
        assert made.version == 1 and made.confirmed_at, "nothing changed"
        declare(s, *lines(6), code=made.code, version=1)
        assert made.version == 2
        assert not made.confirmed_at and not any(p.confirmed_at for p in made.programs)
        _confirm_all(s, made)
        post(s, code=demand.code, version=2, people=6)
        assert not made.confirmed_at and not any(p.confirmed_at for p in made.programs)
        with pytest.raises(posting.Stale):
            posting.confirm_seats(s, made.round_id, x, codes[0], 2, o.X)
        with pytest.raises(posting.Stale):
            posting.confirm_class(s, made.round_id, made.college, made.code, 2, o.U1)


def test_lines_of_seats_come_and_go(w: o.World) -> None:
    with w.writing() as s:
        demand = post(s)
        posting.submit_demand(s, demand.round_id, o.office(s, Enterprise, "X"), demand.code, 1, o.X)
        made = declare(
            s, line(s, demand_id=demand.id, reserves={("G05", False): 1}), line(s, "Y", 3)
        )
        kept = made.programs[1].code
        declare(
            s, line(s, "Y", 4, code=kept, reserves={("G07", False): 1}), line(s, "Z", 2),
            code=made.code, version=1,
        )  # fmt: skip
        s.expire_all()
        assert [(p.code, p.enterprise.code) for p in made.programs] == [
            ("U1-01-1", "Z"), ("U1-01-2", "Y"),
        ]  # fmt: skip
        assert demand.state == "submitted"
        declare(
            s, line(s, "Y", 4, code=kept, reserves={("G05", False): 1}), code=made.code, version=2
        )
        s.expire_all()
        assert [r.group for r in made.programs[0].reserves] == ["G05"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"level": "3"}, "level"),
    ({"age_max": 25}, "age_basis"),
    ({"age_min": 20, "age_max": 18, "age_basis": "某条例"}, "age_max"),
    ({"health": "H01"}, "health_basis"),
    ({"min_size": 6}, "min_size"),
    ({"note": "只收男生"}, "note"),
]


def test_a_class_that_may_not_be_is_refused(w: o.World) -> None:
    with w.writing() as s:
        o.office(s, College, "U1").tier = "技工学校"
        for other, name in WRONG:
            assert name in refused(lambda other=other: declare(s, line(s), **other)), name  # type: ignore[misc]


def test_lines_of_seats_that_may_not_be_are_refused(w: o.World) -> None:
    with w.writing() as s:
        draft, other = post(s), post(s, o.Y)
        wrong = {
            "": (),
            "seats-1-enterprise": (line(s), line(s)),
            "seats-0-demand": (line(s, demand_id=draft.id),),
            "seats-1-demand": (line(s), line(s, "Z", demand_id=other.id)),
            "seats-0-reserves": (line(s, reserves={("G05", True): 6}),),
            "seats-0-forbid_minor_reason": (line(s, forbid_minor=True),),
            "seats-0-forbid_minor": (line(s, forbid_minor=True, forbid_minor_reason="粉尘"),),
        }
        for name, lines in wrong.items():
            assert name in refused(lambda lines=lines: declare(s, *lines)), name  # type: ignore[misc]
        bad = line(s, forbid_minor=True, forbid_minor_reason="限男")
        assert refused(lambda: declare(s, bad))["seats-0-forbid_minor_reason"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}), ("G05:0", {}),
        ("G05:2；g06：1", {("G05", False): 2, ("G06", False): 1}),
        ("G06:1,G05:2！\nG05:3", {("G05", True): 2, ("G05", False): 3, ("G06", False): 1}),
    ],
)  # fmt: skip
def test_reserves_are_read(text: str, found: dict[tuple[str, bool], int]) -> None:
    assert posting.parse_reserves(text) == found
    assert posting.parse_reserves(posting.show_reserves(found)) == found


@pytest.mark.parametrize("text", ["G05", "G99:1;G99:2", "G55:1", "失业青年:2", "G05:-1"])
def test_reserves_that_cannot_be_read_are_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        posting.parse_reserves(text)


# --- changes of seats -------------------------------------------------------------------------


@pytest.fixture
def late(app: Flask, as_user: Callable[..., FlaskClient]) -> o.World:
    return o.world(app, as_user, "OPEN")


def test_a_cut_takes_three_and_everybody_who_listed_it_is_told(late: o.World) -> None:
    with late.writing() as s:
        change = seats.ask(s, o.program(s, "NEV-Y"), 2, "订单减少", o.Y)
        assert seats.missing(change) == ["college", "coordinator"]
        assert not seats.agree(s, change, o.Y), "its own side has agreed"
        assert not seats.agree(s, change, o.U1)
        assert o.program(s, "NEV-Y").capacity == 3
        assert seats.agree(s, change, o.C1)
        program = o.program(s, "NEV-Y")
        assert program.capacity == 2 and change.applied_at
        told = s.scalars(select(Notice)).all()
        # A01 lists the whole class, A03 … A06 these seats
        assert sorted(n.applicant_id for n in told) == sorted(
            o.person(s, number).id for number in ("A01", "A03", "A04", "A05", "A06")
        )
        assert {n.code for n in told} == {"seats_cut"}
        assert told[0].params["after"] == 2
        assert seats.waiting(s, program) is None
    assert late.actions() == ["seats.ask", "seats.agree", "seats.agree", "seats.apply"]


def test_more_seats_are_told_to_nobody(late: o.World) -> None:
    with late.writing() as s:
        change = seats.ask(s, o.program(s, "NEV-Y"), 5, "增产", o.C1)
        seats.agree(s, change, o.Y)
        assert seats.agree(s, change, o.U1)
        assert o.program(s, "NEV-Y").capacity == 5
        assert not s.scalars(select(Notice)).all()


def test_reserves_shrink_into_fewer_seats(late: o.World) -> None:
    with late.writing() as s:
        program = o.program(s, "WELD")
        left = {group: n for (group, _hard), n in seats.reserves_after(program, 2).items()}
        assert left == {"G05": 1, "G06": 1, "G07": 0}
        change = seats.ask(s, program, 2, "减产", o.C1)
        seats.agree(s, change, Actor("enterprise:z", "enterprise"))
        seats.agree(s, change, o.U2)
        s.expire_all()
        assert {r.group: r.seats for r in program.reserves} == {"G05": 1, "G06": 1}


@pytest.mark.parametrize(
    ("after", "reason", "name"), [(3, "减产", "after"), (2, " ", "reason"), (0, "减产", "after")]
)
def test_a_change_that_cannot_be_is_refused(
    late: o.World, after: int, reason: str, name: str
) -> None:
    with late.writing() as s:
        assert name in refused(lambda: seats.ask(s, o.program(s, "NEV-Y"), after, reason, o.Y))


def test_one_change_at_a_time_and_it_can_be_dropped(late: o.World) -> None:
    with late.writing() as s:
        program = o.program(s, "NEV-Y")
        change = seats.ask(s, program, 2, "减产", o.Y)
        assert "" in refused(lambda: seats.ask(s, program, 4, "增产", o.U1))
        assert "reason" in refused(lambda: seats.drop(s, change, o.U1, ""))
        seats.drop(s, change, o.U1, "席位仍需要")
        s.flush()
        assert "" in refused(lambda: seats.agree(s, change, o.C1))
        assert program.capacity == 3 and not seats.of_round(s, o.the_round(s).id)
        assert seats.ask(s, program, 4, "增产", o.U1)


@pytest.mark.parametrize(
    ("state", "word"), [("DRAFT", "直接修改"), ("FROZEN", "已锁定"), ("VOID", "作废")]
)
def test_seats_change_only_between_plan_and_lock(
    app: Flask, as_user: Callable[..., FlaskClient], state: str, word: str
) -> None:
    w = o.world(app, as_user, state)
    with w.writing() as s, pytest.raises(stages.NotNow, match=word):
        seats.ask(s, o.program(s, "NEV-Y"), 2, "减产", o.Y)


def test_a_change_asked_before_the_lock_is_not_applied_after_it(late: o.World) -> None:
    with late.writing() as s:
        change = seats.ask(s, o.program(s, "NEV-Y"), 2, "减产", o.Y)
        change.college_by = "college:u1"
        round_ = o.the_round(s)
        s.execute(type(round_).__table__.update().values(state="FROZEN"))  # type: ignore[attr-defined]
    with late.writing() as s:
        held = s.scalars(select(SeatChange)).one()
        with pytest.raises(stages.NotNow):
            seats.agree(s, held, o.C1)
        assert s.scalars(select(Program.capacity).where(Program.code == "NEV-Y")).one() == 3
