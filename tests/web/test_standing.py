"""The four answers at a class, the rule in words for every rule, and reasons in words for every code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

import matcher
from matcher import reasons as theirs
from tests.web import market
from web import db, people, reasons, standing
from web.audit import Actor
from web.models import Applicant, Decision, Enterprise, Program

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
OFFICE = Actor("coordinator:c1", "coordinator")


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    with app.app_context(), db.writing() as session:
        market.plan(session)
        yield session


def person(session: Session, born: date = date(2006, 3, 4), **facts: Any) -> Applicant:
    round_ = session.scalars(select(market.Round)).one()
    given = {"education": "71", "study_forms": "FT;PT;ST", "groups": ("G05",), **facts}
    return people.enrol(session, round_, "01", market.number(born), "张三", actor=OFFICE, **given)


def program(session: Session, code: str = "K1-1") -> Program:
    return session.scalars(select(Program).where(Program.code == code)).one()


def answer(session: Session, who: Applicant, code: str = "K1-1") -> tuple[str, str]:
    """The answer, and its rules in words or its basis."""
    found = standing.standing(session, who, program(session, code))
    said = "".join(standing.sentence(*line) for line in found.rules)
    return found.answer, found.basis or said


def test_open(session: Session) -> None:
    assert answer(session, person(session)) == ("open", "")


def test_relaxed_tells_its_basis(session: Session) -> None:
    who = person(session, date(2000, 3, 4), groups=("G01", "G05"))
    assert answer(session, who) == ("relaxed", "试点方案第三条")
    found = standing.standing(session, who, program(session))
    assert found.rules == (("age", "26", "22"),) and found.may_be_listed


def test_above_the_limit_of_approval(session: Session) -> None:
    who = person(session, date(1997, 3, 4))
    assert answer(session, who) == ("approval", "您 29 岁，超过 28 岁须个案审批。")
    assert standing.standing(session, who, program(session)).may_be_listed


def decide(
    session: Session, who: Applicant, decision: str, rule: str = "", confirmed: bool = True
) -> None:
    session.add(
        Decision(
            applicant_id=who.id, program_id=program(session).id, decision=decision, rule=rule,
            basis="威人社批 3 号", entered_by="c1", entered_at=market.OPENS, confirmed_by="c2",
            confirmed_at=market.OPENS if confirmed else None,
        )
    )  # fmt: skip
    session.flush()


def test_an_approval_counts_once_it_is_confirmed(session: Session) -> None:
    who = person(session, date(1997, 3, 4))
    decide(session, who, "approved", confirmed=False)
    assert answer(session, who)[0] == "approval"
    session.scalars(select(Decision)).one().confirmed_at = market.OPENS
    session.flush()
    assert answer(session, who) == ("relaxed", "威人社批 3 号")
    assert answer(session, who, "K3-1")[0] == "approval"  # of another program it says nothing


def test_an_approval_sets_its_own_rule_aside(session: Session) -> None:
    who = person(session, education="81")
    program(session).order_class.entry_education = "71"
    decide(session, who, "approved", "education")
    assert answer(session, who)[0] == "relaxed"
    decide(session, who, "rejected")
    assert answer(session, who) == ("barred", "企业面试未通过：威人社批 3 号。")


def test_a_group_that_was_refused_is_not_hers(session: Session) -> None:
    who = person(session, date(2000, 3, 4))
    who.groups[0].state = "refused"
    assert answer(session, who) == ("barred", "您 26 岁，不能超过 22 岁。")


@pytest.mark.parametrize(
    ("hers", "course", "seats", "said"),
    [
        ({"review": "documents"}, {}, {}, "资格审核未通过：材料缺失或不符。"),
        ({}, {}, {"until": date(2026, 5, 1)}, "院校或企业的成员资格到 2026-05-01 为止。"),
        ({"born": date(2012, 1, 1)}, {}, {}, "您 14 岁，须满 15 岁。"),
        ({}, {"age_max": 18}, {}, "您 20 岁，本班不超过 18 岁。"),
        ({}, {"age_min": 21}, {}, "您 20 岁，本班须满 21 岁。"),
        ({"education": ""}, {"entry_education": "61"}, {}, "学历要求：高中阶段毕业；您：没有填。"),
        ({"skill_level": "5"}, {"entry_skill": "3"}, {}, "技能等级要求：高级工；您：初级工。"),
        ({"study_forms": "FT"}, {"study_form": "PT"}, {}, "本班是非全日制；您接受：全日制。"),
        ({"health": "H02"}, {"health": "H01;H03"}, {}, "您没有填身体条件：辨色力正常、听力正常。"),
        ({"born": date(2010, 1, 1)}, {"internship_date": date(2027, 1, 1)}, {"minors": True},
         "未成年人不能上这个岗位：那时您 17 岁。"),
        ({"born": date(2011, 6, 1)}, {"hire_date": date(2027, 1, 1)}, {}, "上岗时您 15 岁，须满 16 岁。"),
    ],
)  # fmt: skip
def test_each_rule_says_her_value_and_the_limit(
    session: Session, hers: dict[str, Any], course: dict[str, Any], seats: dict[str, Any], said: str
) -> None:
    facts = dict(hers)
    who = person(session, facts.pop("born", date(2006, 3, 4)), **facts)
    target = program(session)
    for name, value in course.items():
        setattr(target.order_class, name, value)
    target.forbid_minor = bool(seats.get("minors"))
    session.scalars(select(Enterprise)).first().member_until = seats.get("until")  # type: ignore[union-attr]
    session.flush()
    assert answer(session, who) == ("barred", said)


def test_without_a_birth_date_no_age_is_known(session: Session) -> None:
    who = person(session)
    who.person.birth_date = None
    assert answer(session, who) == ("barred", "没有出生日期，不能确认年龄。")
    assert standing.sentence("class_age", "-1", "18") == "没有出生日期，不能确认年龄。"


def test_every_rule_has_its_sentence(app: Flask) -> None:
    assert set(standing.SENTENCES) == set(matcher.RULES)
    with app.test_request_context():
        for rule in matcher.RULES:
            assert standing.sentence(rule, "16", "18").endswith("。")
        for text in (
            standing.sentence("channel", "", "CH1"), standing.sentence("absent", "skill", ""),
            standing.sentence("interview", "", "60"), standing.sentence("total", "48.5", "50"),
        ):  # fmt: skip
            assert "None" not in text
        assert [standing.label(a) for a in standing.ANSWERS] == [
            "可报",
            "可报（放宽）",
            "需审批",
            "不可报",
        ]


def test_a_policy_without_rules_bars_nobody(session: Session) -> None:
    session.scalars(select(market.Round)).one().policy = None
    assert answer(session, person(session, date(1960, 1, 1)))[0] == "open"


# --- reasons ----------------------------------------------------------------------------------

NUMBERS = {
    "rank": 1, "score": "79.00", "last_score": "81.50", "lottery": 7, "last_lottery": 3, "standing": 4,
    "capacity": 2, "seat": "open", "tie": "skill", "value": "60", "last_value": "70", "cap": "CAP",
    "seats": 9, "order_class": "K1", "min_size": 20, "placed": 18, "shortfall": 2, "step": 1, "others": "K2",
    "given": "", "loss": 3, "number": "1", "limit": "22", "scope": "college", "considered": 5, "full": 3,
    "closed": 1,
}  # fmt: skip


def test_every_reason_of_the_matcher_is_told_shortly(app: Flask) -> None:
    with app.test_request_context():
        for code in theirs.REASONS:
            if code in (
                "placed_choice",
                "placed_adjusted",
                "not_reached",
                "all_barred",
                "no_choice",
            ):
                said = reasons.outcome({"code": code, "numbers": NUMBERS})
            elif re.search(r"_(below|unknown)$", code):
                continue  # sides of one rule
            else:
                numbers = NUMBERS | ({"value": "documents"} if code == "barred_review" else {})
                [told] = reasons.told([{"code": code, "program": "K1-1", "numbers": numbers}])
                said = [*told.sentences, told.change]
            for text in said:
                for sentence in re.split("[。！？]", text):
                    assert len(re.findall(r"[\u4e00-\u9fff]", sentence)) <= 30, code
                assert "{" not in text and "%(" not in text, code
            assert said[0], code


def test_the_cutoff_and_her_own_score_are_read_aloud(app: Flask) -> None:
    with app.test_request_context():
        plain = {name: value for name, value in NUMBERS.items() if name != "cap"}
        [told] = reasons.told([{"code": "below_score", "program": "K1-1", "numbers": plain}])
        assert told == reasons.Told(
            1, "K1-1", ("录满。", "录取末位 81.50 分，您 79.00 分。"), "成绩超过 81.50 分才进得去。"
        )
        [told] = reasons.told([{"code": "cap_lottery", "program": "", "numbers": NUMBERS}])
        assert told.sentences == ("总量上限 9 人已满。", "同分比摇号：末位 3 号，您 7 号。")


@pytest.mark.parametrize(
    "code", ["below_score", "below_tie", "below_lottery", "cap_unscored", "tied"]
)
def test_a_reserved_seats_cutoff_is_not_told(app: Flask, code: str) -> None:
    with app.test_request_context():
        numbers = NUMBERS | {"seat": "G08"}
        [told] = reasons.told([{"code": code, "program": "K1-1", "numbers": numbers}])
        text = json.dumps([*told.sentences, told.change], ensure_ascii=False)
        assert "81.50" not in text and "G08" not in text and "70" not in text and "3 号" not in text


def test_without_a_score_nothing_is_made_up(app: Flask) -> None:
    with app.test_request_context():
        numbers = NUMBERS | {"score": ""}
        [told] = reasons.told([{"code": "below_few_unscored", "program": "", "numbers": numbers}])
        assert "您没有成绩。" in told.sentences
        assert reasons.outcome({"code": "placed_adjusted", "numbers": {}}) == ["您经调剂录取。"]


def test_dates_are_of_the_round(session: Session) -> None:
    assert isinstance(market.DEADLINE, datetime)
    assert standing.policy_of(session.scalars(select(market.Round)).one()).max_choices == 3
