"""What printed forms say, read from the rows: :mod:`web.forms_print` draws it.

Forms are in Chinese, whatever the language of the page that asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from . import (
    application,
    calendar,
    choices,
    codes,
    db,
    forms_print,
    offers,
    people,
    policies,
    privacy,
    publication,
    rules,
    settings,
)
from .forms_print import Admission
from .models import (
    Applicant,
    College,
    Demand,
    Enterprise,
    Offer,
    OrderClass,
    Placement,
    Program,
    Recheck,
    Round,
    Ruling,
)
from .models.outcome import HOLDING
from .paper import Line
from .words import LANGUAGES

SHOWN = ("CONFIRMING", "FINAL")
"""States of a round in which places are offered and held."""

ANSWERED = ("upheld", "refused")
MATTERS = {
    "score": "成绩", "group": "人员类别", "rule": "规则适用", "human": "人工复核自动化决定", "other": "其他",
}  # fmt: skip
VERDICTS = {"upheld": "成立", "refused": "不成立"}
REMEDIES = {
    "none": "不改变录取结果", "successor": "更正后用原摇号结果重新计算", "seat": "增加一个席位",
    "first": "列为递补第一位",
}  # fmt: skip
SOURCES = {"waiting": "递补录取", "remedy": "复核更正录取", "ruling": "班级调整录取"}


P = ParamSpec("P")
R = TypeVar("R")


def in_chinese(form: Callable[P, R]) -> Callable[P, R]:
    """A form whose codes are told in Chinese."""

    @wraps(form)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        with force_locale(LANGUAGES["zh"]):
            return form(*args, **kwargs)

    return told


def how(offer: Offer) -> str:
    """How somebody came to a place."""
    if offer.source in SOURCES:
        return SOURCES[offer.source]
    return f"第 {offer.rank} 志愿录取" if offer.rank else "调剂录取"


def _day(moment: datetime | None) -> str:
    return f"{calendar.local(moment):%Y-%m-%d}" if moment else ""


def until(moment: datetime | None) -> str:
    """The end of a period: a midnight is told as the 24th hour of the day before."""
    if moment is None:
        return ""
    held = calendar.local(moment)
    if held.hour or held.minute:
        return f"{held:%Y-%m-%d %H:%M}"
    return f"{calendar.local(moment - timedelta(minutes=1)):%Y-%m-%d} 24:00"


def _named(offer: Offer) -> str:
    """Her name, in full once she has confirmed."""
    name = offer.applicant.person.name
    return name if offer.state in HOLDING else privacy.mask_name(name)


# --- notices of admission ---------------------------------------------------------------------


def offers_of(
    session: Session, round_: Round, college: str = "", states: Iterable[str] = offers.LIVE
) -> Sequence[Offer]:
    """The offers of a round that are open or held, of one college (by code) or of all."""
    query = (
        select(Offer)
        .join(Program, Program.id == Offer.program_id)
        .join(OrderClass)
        .join(Applicant, Applicant.id == Offer.applicant_id)
        .where(Offer.round_id == round_.id, Offer.state.in_(tuple(states)))
        .options(
            joinedload(Offer.applicant).joinedload(Applicant.person),
            joinedload(Offer.program).joinedload(Program.enterprise),
            joinedload(Offer.program)
            .joinedload(Program.order_class)
            .joinedload(OrderClass.college),
        )
        .order_by(OrderClass.code, Applicant.number)
    )
    if college:
        query = query.join(College, College.id == OrderClass.college_id)
        query = query.where(College.code == college)
    return session.scalars(query).all()


@in_chinese
def admissions(
    session: Session, held: Sequence[Offer], address: str, day: str = "", place: str = ""
) -> list[Admission]:
    """What the notices of these offers say.

    Parameters
    ----------
    address
        Of the page that a code leads to, without the offer's key.
    day, place
        Of the check-in where its class has none set; blank leaves room to write.
    """
    asked = {offer.program.demand_id for offer in held} - {None}
    posts = {d.id: d for d in session.scalars(select(Demand).where(Demand.id.in_(asked)))}
    today = _day(db.now(session))
    return [
        _admission(offer, posts.get(offer.program.demand_id or 0), address, day, place, today)
        for offer in held
    ]


def _admission(
    offer: Offer, post: Demand | None, address: str, day: str, place: str, today: str
) -> Admission:
    class_ = offer.program.order_class
    facts = [
        ("专业", class_.major),
        ("培养层次", codes.word(codes.LEVELS, class_.level)),
        ("学制", f"{class_.years.normalize():f} 年" if class_.years else ""),
        ("学习形式", codes.word(codes.STUDY_FORMS, class_.study_form)),
        ("合作企业", offer.program.enterprise.name),
        ("岗位方向", post.title if post else offer.program.name),
        ("费用", _fees(class_)),
    ]
    return Admission(
        number=offer.applicant.number, name=offer.applicant.person.name,
        college=class_.college.name, serial=class_.round.serial, round=class_.round.title,
        how=how(offer), class_name=class_.name, facts=tuple(f for f in facts if f[1]),
        due=until(offer.due_at), telephone=class_.college.telephone, address=address + offer.key,
        dated=today, day=check_in_days(class_) or day, place=class_.check_in_place or place,
    )  # fmt: skip


def check_in_days(class_: OrderClass) -> str:
    """The days on which a class checks in, as a notice says them; blank if they are not set."""
    first, last = class_.check_in_from, class_.check_in_until
    if first is None or last is None:
        return ""
    return f"{first}" if first == last else f"{first}至{last}"


def _fees(class_: OrderClass) -> str:
    fee = "学费以院校通知为准" if class_.tuition is None else f"学费 {class_.tuition} 元/年"
    return f"{fee}；{'提供住宿' if class_.boarding else '不提供住宿'}。资助和减免以当年政策为准。"


def admission(session: Session, offer: Offer, address: str) -> bytes:
    """One notice of admission."""
    return forms_print.admissions(admissions(session, [offer], address))[0]


def status(session: Session, offer: Offer) -> str:
    """What became of a place, as whoever scans its notice reads it."""
    if offer.state in HOLDING:
        return str(offers.PROGRESS[offers.progress(session, offer.applicant)])
    return str(offers.LABELS[offer.state])


# --- lists ------------------------------------------------------------------------------------


@in_chinese
def public_list(session: Session, round_: Round) -> bytes | None:
    """公示名单, as long as the notice period runs; none at other times."""
    held = publication.publication_of(session, round_)
    if held is None or not publication.notice_runs(session, round_):
        return None
    rows = session.scalars(
        select(Placement)
        .join(Applicant, Applicant.id == Placement.applicant_id)
        .where(Placement.publication_id == held.id, Placement.program_id.is_not(None))
        .options(
            joinedload(Placement.applicant).joinedload(Applicant.person),
            joinedload(Placement.program, innerjoin=True)
            .joinedload(Program.order_class)
            .joinedload(OrderClass.college),
        )
        .order_by(Applicant.number)
    ).all()
    agreed = application.all_named_in_public(session, round_)
    classes: dict[tuple[str, str], list[forms_print.Listed]] = {}
    for row in rows:
        assert row.program is not None  # as the query asks
        class_ = row.program.order_class
        named = row.applicant_id in agreed
        name = privacy.mask_name(row.applicant.person.name) if named else "名字不公开"
        line = (row.applicant.number, name, f"{row.rank} 志愿" if row.rank else "调剂")
        key = class_.code, f"{class_.college.name} {class_.name}"
        classes.setdefault(key, []).append(line)
    foot = settings.current(session)
    basis = policies.current(session, round_).basis
    told = forms_print.Notice(
        round=round_.title, operator=foot["主办单位"], telephone=foot["监督电话"],
        begins=_day(round_.published_at), ends=until(round_.notice_ends_at),
        days=policies.flow(round_, "days.publicity"), basis=tuple(map(rules.cited, basis)),
        bundle=held.bundle_digest, root=held.merkle_root,
    )  # fmt: skip
    return forms_print.public_list(told, [(key[1], classes[key]) for key in sorted(classes)])


def _round_line(round_: Round) -> Line:
    return "轮次", f"{round_.title}（{round_.serial}）"


@in_chinese
def roster(session: Session, class_: OrderClass) -> bytes:
    """班级花名册 of a class: whoever holds a place in it or is asked about one."""
    held = [
        offer
        for offer in offers_of(session, class_.round, class_.college.code)
        if offer.program.order_class_id == class_.id
    ]
    rows = [
        (
            offer.applicant.number, _named(offer), codes.word(codes.SEXES, offer.applicant.person.sex),
            offer.program.enterprise.name, how(offer).removesuffix("录取"), status(session, offer),
        )
        for offer in held
    ]  # fmt: skip
    facts = [
        ("院校", class_.college.name),
        _round_line(class_.round),
        ("专业、层次", f"{class_.major} {codes.word(codes.LEVELS, class_.level)}"),
        ("学习形式", codes.word(codes.STUDY_FORMS, class_.study_form)),
        ("截至", until(db.now(session))),
    ]
    return forms_print.roster(class_.name, facts, rows)


@in_chinese
def enterprise_list(session: Session, round_: Round, enterprise: Enterprise) -> bytes:
    """企业名单核对表 of an enterprise."""
    rows = [
        (
            offer.program.order_class.name, offer.program.code, offer.applicant.number,
            _named(offer), status(session, offer),
        )
        for offer in offers_of(session, round_)
        if offer.program.enterprise_id == enterprise.id
    ]  # fmt: skip
    facts = [_round_line(round_), ("截至", until(db.now(session)))]
    return forms_print.enterprise_list(enterprise.name, facts, rows)


@in_chinese
def vacancies(session: Session, round_: Round) -> bytes:
    """缺额（征集）公告: seats that nobody holds and nobody is asked about, of classes that go on."""
    ended = set(
        session.scalars(
            select(Ruling.order_class_id).where(
                Ruling.kind.in_(("close", "merge")), Ruling.confirmed_at.is_not(None)
            )
        )
    )
    taken = offers.taken(session, round_.id)
    programs = session.scalars(
        select(Program)
        .join(OrderClass)
        .where(OrderClass.round_id == round_.id)
        .options(
            joinedload(Program.enterprise),
            joinedload(Program.order_class).joinedload(OrderClass.college),
        )
        .order_by(OrderClass.code, Program.code)
    )
    rows = [
        (
            p.order_class.college.name, p.order_class.name, p.enterprise.name,
            codes.word(codes.STUDY_FORMS, p.order_class.study_form),
            codes.word(codes.LEVELS, p.order_class.level),
            str(p.capacity), str(taken.get(p.id, 0)), str(p.capacity - taken.get(p.id, 0)),
        )
        for p in programs
        if p.order_class_id not in ended and p.capacity > taken.get(p.id, 0)
    ]  # fmt: skip
    facts = [_round_line(round_), ("截至", until(db.now(session)))]
    operator = settings.current(session)["主办单位"]
    return forms_print.vacancies(round_.title, facts, rows, operator)


# --- of one person ----------------------------------------------------------------------------


@in_chinese
def application_form(session: Session, round_: Round, applicant: Applicant | None = None) -> bytes:
    """报名表: blank, or with everything that somebody has answered."""
    listed = None
    titles: list[str] = []
    if applicant is not None:
        listed = choices.submitted(session, applicant) or choices.draft(session, applicant)
        named = choices.plan(session, round_.id)
        for code in listed.choices if listed else ():
            found = named.get(code)
            titles.append(f"{code} {found[0].order_class.name}" if found else code)
    most = policies.current(session, round_).max_choices or max(len(titles), 5)
    given = application.consents(session, applicant) if applicant else {}
    claimed = {g.group for g in applicant.groups} if applicant else set()
    return forms_print.application(
        forms_print.Application(
            round=f"{round_.title}（{round_.serial}）",
            facts=tuple(_answers(applicant)),
            groups=tuple((str(label), code in claimed) for code, label in codes.GROUPS.items()),
            choices=(*titles, *[""] * (most - len(titles))),
            adjustment=tuple(
                (str(label), listed is not None and listed.adjustment == code)
                for code, label in codes.SCOPES.items()
            ),
            consents=tuple(
                (
                    str(text.title), "".join(map(str, text.sentences)),
                    text.code in given and given[text.code].given,
                )
                for text in application.TEXTS
            ),
        )
    )  # fmt: skip


def _answers(held: Applicant | None) -> list[Line]:
    names = (
        "报名号", "姓名", "性别", "证件类型", "证件号码", "出生日期", "手机", "现居住区市", "户籍所在地",
        "户口类型", "监护人姓名", "与本人关系", "监护人电话", "学历", "毕业学校", "毕业年月", "应届毕业",
        "现在的工作情况", "技能等级", "证书编号", "接受的学习形式", "需要住宿", "身体条件",
    )  # fmt: skip
    if held is None:
        return [(name, "") for name in names]
    person, word = held.person, codes.word
    values = (
        held.number, person.name, word(codes.SEXES, person.sex),
        word(codes.IDENTITY_TYPES, person.identity_type), people.number_of(person),
        person.birth_date.isoformat() if person.birth_date else "", people.telephone_of(person),
        word(codes.AREAS, held.district), word(codes.AREAS, held.household_district),
        word(codes.HOUSEHOLD_KINDS, held.household_kind), held.guardian, held.guardian_relation,
        people.guardian_telephone_of(held), word(codes.HELD_EDUCATIONS, held.education),
        held.school, held.graduated, "是" if held.fresh else "否",
        word(codes.EMPLOYMENT, held.employment), word(codes.SKILL_LEVELS, held.skill_level),
        held.certificate, codes.words(codes.STUDY_FORMS, held.study_forms),
        "是" if held.boarding else "否", codes.words(codes.HEALTH, held.health),
    )  # fmt: skip
    return list(zip(names, values, strict=True))


def recheck_answer(session: Session, held: Recheck) -> bytes:
    """复核答复书 of a recheck that two people have answered."""
    foot = settings.current(session)
    return forms_print.recheck_answer(
        forms_print.Answer(
            number=held.number, applicant=held.applicant.number, name=held.applicant.person.name,
            round=held.round.title, matter=MATTERS.get(held.matter, held.matter), asked=held.words,
            asked_on=_day(held.opened_at), verdict=VERDICTS[held.state], answer=held.answer,
            answered_on=_day(held.confirmed_at), remedy=REMEDIES.get(held.remedy, held.remedy),
            operator=foot["主办单位"], telephone=foot["监督电话"],
        )
    )  # fmt: skip


@in_chinese
def waiver(session: Session, offer: Offer) -> bytes:
    """放弃录取声明 of an offer: to be signed, or of what was declined."""
    class_, said = offer.program.order_class, ""
    if offer.state == "declined":
        who = "本人在页面上办理" if offer.answered_by.startswith("applicant") else "柜台代办"
        said = f"{until(offer.ended_at)} 登记放弃（{who}）"
    facts: Sequence[Any] = (
        ("院校", class_.college.name), ("订单班", class_.name),
        ("企业", offer.program.enterprise.name), ("录取方式", how(offer)),
    )  # fmt: skip
    return forms_print.waiver(
        forms_print.Waiver(
            applicant=offer.applicant.number, name=offer.applicant.person.name,
            round=f"{class_.round.title}（{class_.round.serial}）", facts=tuple(facts),
            minor=application.is_minor(session, offer.applicant), recorded=said,
        )
    )  # fmt: skip
