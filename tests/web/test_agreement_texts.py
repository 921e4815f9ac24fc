"""The agreement's text: the model that is brought, blanks that are known, versions by two people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.web import signed
from tests.web.a_round import FIRST, SECOND
from web import agreement_texts, agreements, reviewing
from web.agreement_texts import BLANKS, NEEDED
from web.models import AgreementText
from web.posting import Refused, Stale

CLAUSES = (
    "示范文本，签署前请法律顾问审阅", "不等同于劳动合同", "本协议不构成劳动合同", "不低于百分之五十", "1.5 倍",
    "百分之八十", "一年级", "未满十六周岁", "不以任何名义向丙方收取押金", "不扣押丙方的居民身份证", "违约金",
    "安全教育", "实习责任保险", "变更本协议", "同一产业的其他订单班", "补贴", "个人信息", "仲裁", "一式三份", "监护人",
    "最低工资标准", "以签字盖章并归档的纸质文本为准",
)  # fmt: skip


world = signed.world


@pytest.fixture
def session(world: Flask) -> Iterator[Session]:
    with signed.undone() as opened:
        yield opened


def test_the_model_has_every_clause_and_every_blank(world: Flask) -> None:
    text = agreement_texts.first()
    assert [clause for clause in CLAUSES if clause not in text] == []
    assert [name for name in BLANKS if f"{{{name}}}" not in text] == []
    assert agreement_texts.problems(text) == []
    lines = list(agreement_texts.lines(text))
    assert lines[0] == ("title", "三方预就业协议")
    assert ("strong", 14) not in lines and any(
        kind == "strong" and "不等同于劳动合同" in said for kind, said in lines[:5]
    )
    assert sum(kind == "head" for kind, _ in lines) == 14


@pytest.mark.parametrize(
    "wrong",
    ["{salary}", "{}", "{0}", "{student.__class__}", "{student[0]}", "{student!r}", "{number:>9}",
     "{", "}", "{student", "{wage:{number}}", "字" * 20_001],
)  # fmt: skip
def test_a_blank_that_nobody_knows_is_refused(world: Flask, wrong: str) -> None:
    with world.test_request_context():
        assert agreement_texts.problems(agreement_texts.first() + wrong)


@pytest.mark.parametrize("needed", [*NEEDED, "不等同于劳动合同"])
def test_what_a_text_must_say(world: Flask, needed: str) -> None:
    part = needed if needed not in BLANKS else f"{{{needed}}}"
    with world.test_request_context():
        found = agreement_texts.problems(agreement_texts.first().replace(part, ""))
    assert len(found) == 1 and needed in found[0]


def test_what_somebody_is_called_is_never_a_blank() -> None:
    terms = dict.fromkeys(BLANKS, "") | {"student": "{college} {0}", "college": "甲"}
    assert agreement_texts.filled("{student}", terms) == "{college} {0}"


def test_a_version_holds_when_a_second_person_confirms(session: Session) -> None:
    signed.dates(session)
    signed.hold_all(session)
    old, later = agreements.make_due(session, signed.the_round(session)).made[:2]
    digest = old.digest
    body = agreement_texts.first().replace("## ", "# ") + "补充：三方可以另行约定。\n"
    made = agreement_texts.propose(session, body, "法律顾问的意见", FIRST, 1)
    assert agreement_texts.current(session) is old.template
    with pytest.raises(reviewing.SecondPerson):
        agreement_texts.confirm(session, made, FIRST)
    agreement_texts.confirm(session, made, SECOND)
    assert agreement_texts.current(session) is made and made.number == 2
    assert (
        old.digest == digest and agreements.unaltered(old) and "补充" not in agreements.text_of(old)
    )
    agreements.ask(session, later, "change", "换文本", later.version, signed.U2)
    anew = agreements.confirm(session, later, FIRST)
    assert anew is not None and anew.template is made and "补充" in agreements.text_of(anew)
    changed = [d for d in agreement_texts.differences(old.template.body, made.body) if d[0]]
    assert changed == [("+", "补充：三方可以另行约定。")]
    with pytest.raises(Refused):
        agreement_texts.confirm(session, made, SECOND)


def test_what_stands_against_a_version(session: Session) -> None:
    first = agreement_texts.first()
    for body, reason in ((first, "无"), (first + "多一行\n", ""), (first + "{x}", "错")):
        with pytest.raises(Refused):
            agreement_texts.propose(session, body, reason, FIRST, 0)
    made = agreement_texts.propose(session, first + "多一行\n", "加一行", FIRST, 0)
    with pytest.raises(Stale) as stale:
        agreement_texts.propose(session, first + "另一行\n", "加一行", SECOND, 1)
    assert stale.value.stored["body"].endswith("多一行\n")
    with pytest.raises(Refused):
        agreement_texts.propose(session, first + "另一行\n", "加一行", SECOND, 2)
    agreement_texts.withdraw(session, made, SECOND)
    agreement_texts.propose(session, first + "另一行\n", "加一行", SECOND, 2)
    assert [v.number for v in agreement_texts.versions(session)] == [3, 2, 1]
    assert session.get_one(AgreementText, made.id).confirmed_at is None
