"""Printed forms (纸质表单) as drawn: plain data in, a PDF out; in Chinese only, as they are filed.

Nothing here knows of rows or requests, so that a process of the worker draws thousands of notices
without a way to the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .paper import MARGIN, Line, Sheet, Unprintable, lacking

BLANK = "________________"
WRITTEN = 7.0
"""The height of a row of the 报名表, in millimetres: to write into, and all of it on one page."""


@dataclass(frozen=True)
class Admission:
    """One 录取通知书."""

    number: str
    """The application number."""
    name: str
    college: str
    serial: str
    round: str
    how: str
    class_name: str
    facts: tuple[Line, ...]
    """Major, level, years, study form, enterprise, post, fees."""
    due: str
    telephone: str
    address: str
    """What the code leads to: a page with the masked name and the status."""
    dated: str
    day: str = ""
    place: str = ""


PAPERS = "身份证、户口簿、毕业证、有关证明、体检表、照片（以院校通知为准）"
NOT_A_CONTRACT = (
    "确认后，企业、院校、学生（未满 18 周岁的与监护人一起）签署三方预就业协议。"
    "本通知书和预就业协议都不等同于劳动合同。"
)


def admission(sheet: Sheet, held: Admission) -> None:
    """Draw a notice of admission on the page that has just been begun."""
    sheet.say(held.college, 15, 1, "C")
    sheet.say("技工教育订单班联盟", 11, 4, "C")
    sheet.say("录取通知书", 24, 4, "C")
    sheet.say(f"编号：{held.serial}-{held.number}", 10, 4, "R")
    sheet.say(f"{held.name} 同学：", 14, 2)
    sheet.say(
        f"　　经{held.round}{held.how}，您被录取到我校{held.class_name}。请按下面的说明确认和报到。",
        12,
        4,
    )
    sheet.grid(
        [
            ("报名号", held.number),
            ("订单班", held.class_name),
            *held.facts,
            ("报到时间", held.day or BLANK),
            ("报到地点", held.place or BLANK),
            ("携带材料", PAPERS),
            ("确认截止", f"{held.due} 前确认。逾期未确认视为放弃。"),
            ("咨询电话", held.telephone or BLANK),
        ]
    )
    sheet.say(NOT_A_CONTRACT, 10.5, 3)
    sheet.room(46)
    y = sheet.get_y() + 2
    sheet.code(held.address, MARGIN, y, 30)
    sheet.set_y(y)
    sheet.signatures(f"{held.college}（盖章）")
    sheet.set_y(y + 32)
    sheet.say(f"打印日期：{held.dated}", 9, 0, "R")
    sheet.set_y(y + 32)
    sheet.say("扫码查真伪，只显示遮盖的姓名和状态。", 9, 0)


def admissions(
    people: Sequence[Admission], told: Callable[[int], None] = lambda done: None
) -> tuple[bytes, list[Line]]:
    """Notices of admission, a page each, and who is left out for characters that the font lacks.

    Raises
    ------
    Unprintable
        If none of them can be printed.
    """
    left_out = []
    sheet = Sheet("录取通知书")
    begun = False
    for at, held in enumerate(people):
        texts = [held.name, held.college, held.round, held.class_name, held.day, held.place]
        texts += [value for _name, value in held.facts]
        if missing := lacking("".join(texts)):
            left_out.append((held.number, missing))
            continue
        if begun:
            sheet.add_page()
        begun = True
        admission(sheet, held)
        told(at + 1)
    if left_out and not begun:
        sheet.close_font()
        raise Unprintable("".join(missing for _number, missing in left_out))
    return sheet.to_bytes(), left_out


@dataclass(frozen=True)
class Notice:
    """What a public list says besides the list."""

    round: str
    operator: str
    telephone: str
    begins: str
    ends: str
    days: int
    basis: tuple[str, ...]
    bundle: str
    root: str


Listed = tuple[str, str, str]
"""Somebody on a public list: her number, her masked name, how she was placed."""


def public_list(held: Notice, classes: Iterable[tuple[str, Sequence[Listed]]]) -> bytes:
    """公示名单: application numbers, masked names and how each was placed, by class.

    Parameters
    ----------
    classes
        Of each class its college and name, and its people.
    """
    title = f"{held.round}拟录取名单公示"
    sheet = Sheet(title, numbered=True, foot=title)
    sheet.head(title)
    if held.basis:
        sheet.say(f"依据：{'；'.join(held.basis)}。", 11, 1)
    sheet.say(f"公示期：{held.begins} 至 {held.ends}，共 {held.days} 个工作日。", 11, 1)
    sheet.say(
        "对名单有异议的，请在公示期内实名提出，写明单位、联系方式和理由。"
        f"监督电话：{held.telephone or BLANK}。",
        11,
        1,
    )
    sheet.say("每格依次为报名号、掩码姓名、录取方式（“1 志愿”即第 1 志愿录取）。", 11, 3)
    for name, people in classes:
        sheet.room(24)
        sheet.say(f"{name}（{len(people)} 人）", 12, 1)
        cells = ["  ".join(one) for one in people]
        cells += [""] * (-len(cells) % 3)
        rows = [cells[at : at + 3] for at in range(0, len(cells), 3)]
        sheet.ruled((1, 1, 1), rows, again=f"{name}（续）")
    sheet.say(f"全量结果包摘要（SHA-256）：{held.bundle}", 9, 1)
    sheet.say(f"总码（核对本人记录用）：{held.root}", 9, 1)
    sheet.signatures(f"{held.operator or BLANK}（盖章）")
    return sheet.to_bytes()


def roster(title: str, facts: Sequence[Line], rows: Sequence[Sequence[str]]) -> bytes:
    """班级花名册: number, name, sex, enterprise, how she was placed, status; blank to sign in."""
    heading = f"{title}花名册"
    sheet = Sheet(heading, numbered=True, foot=heading)
    sheet.head(heading)
    sheet.facts(facts)
    sheet.ln(2)
    heads = ("序号", "报名号", "姓名", "性别", "企业", "录取方式", "状态", "报到签名")
    sheet.ruled((8, 18, 20, 8, 24, 15, 16, 18), _counted(rows, 1), heads, least=9)
    sheet.say(f"共 {len(rows)} 人。没有确认的人只印遮盖的姓名。", 10, 2)
    sheet.signatures("班主任签名：", "院校（盖章）")
    return sheet.to_bytes()


def enterprise_list(title: str, facts: Sequence[Line], rows: Sequence[Sequence[str]]) -> bytes:
    """企业名单核对表: who has the enterprise's seats, to be checked line by line."""
    heading = f"{title}名单核对表"
    sheet = Sheet(heading, numbered=True, foot=heading)
    sheet.head(heading)
    sheet.facts(facts)
    sheet.ln(2)
    heads = ("序号", "班级", "席位", "报名号", "姓名", "状态", "核对", "备注")
    sheet.ruled((8, 28, 16, 18, 20, 16, 10, 20), _counted(rows, 2), heads, least=9)
    sheet.say(
        f"共 {len(rows)} 人。没有确认的人只印遮盖的姓名。核对无误打“√”，有出入写在备注。", 10, 2
    )
    sheet.signatures("企业经办人签名：", "企业（盖章）")
    return sheet.to_bytes()


def _counted(rows: Sequence[Sequence[str]], blanks: int) -> list[tuple[str, ...]]:
    return [(str(n), *row, *[""] * blanks) for n, row in enumerate(rows, start=1)]


@dataclass(frozen=True)
class Application:
    """A 报名表: blank where nothing is known."""

    round: str
    facts: tuple[Line, ...]
    groups: tuple[tuple[str, bool], ...]
    choices: tuple[str, ...]
    """As many lines as a list may have choices."""
    adjustment: tuple[tuple[str, bool], ...]
    consents: tuple[tuple[str, str, bool], ...]
    """Title, sentences, given."""


def application(held: Application) -> bytes:
    """报名表, to fill in by hand or as it was filled in."""
    sheet = Sheet("报名表", numbered=True, foot=f"{held.round}报名表")
    sheet.head("订单班报名表", held.round)
    pairs, odd = held.facts, held.facts[len(held.facts) // 2 * 2 :]
    rows = [(*a, *b) for a, b in zip(pairs[::2], pairs[1::2], strict=False)]
    sheet.ruled((15, 32, 15, 32), rows, size=9.5, least=WRITTEN)
    if odd:
        sheet.set_y(sheet.get_y() - 2)
        sheet.ruled((15, 79), odd, size=9.5, least=WRITTEN)
    sheet.say("人员类别（可多选，附证明）", 11, 0)
    sheet.say("　".join(_boxed(*one) for one in held.groups), 9.5, 1)
    sheet.room(30)
    sheet.say("志愿（按愿意的先后填，写班级或席位代码）", 11, 1)
    listed = [(f"第 {n} 志愿", text) for n, text in enumerate(held.choices, 1)]
    listed += [("", "")] * (len(listed) % 2)
    rows = [(*a, *b) for a, b in zip(listed[::2], listed[1::2], strict=True)]
    sheet.ruled((10.5, 36.5, 10.5, 36.5), rows, size=9, least=WRITTEN)
    sheet.say("服从调剂（选一项）", 11, 0)
    sheet.say("　".join(_boxed(*one) for one in held.adjustment), 9.5, 1)
    sheet.room(16)
    sheet.say("同意书（逐项勾选）", 11, 0)
    for title, sentences, given in held.consents:
        sheet.say(f"{_boxed(title, given)}：{sentences}", 9, 0.5)
    sheet.signatures("本人签名：", "监护人签名（未满 18 周岁）：", gap=6)
    return sheet.to_bytes()


def _boxed(label: str, ticked: bool) -> str:
    return f"{'■' if ticked else '□'} {label}"


@dataclass(frozen=True)
class Answer:
    """A 复核答复书."""

    number: str
    applicant: str
    name: str
    round: str
    matter: str
    asked: str
    asked_on: str
    verdict: str
    answer: str
    answered_on: str
    remedy: str
    operator: str
    telephone: str


def recheck_answer(held: Answer) -> bytes:
    """复核答复书: what was asked, what was found, what follows."""
    sheet = Sheet("复核答复书", numbered=True, foot=f"复核答复书 {held.number}")
    sheet.head("复核答复书", f"编号：{held.number}")
    sheet.say(f"{held.name}（报名号 {held.applicant}）：", 12, 2)
    sheet.say(
        f"　　您就{held.round}提出的复核申请，已由工作人员逐项核查，并经第二人确认。现答复如下。",
        12,
        3,
    )
    sheet.grid(
        [
            ("申请事项", held.matter),
            ("申请日期", held.asked_on),
            ("申请内容", held.asked),
            ("结论", held.verdict),
            ("答复", held.answer),
            ("处理", held.remedy),
            ("答复日期", held.answered_on),
        ]
    )
    sheet.say(
        f"　　对答复仍有异议的，可以向监督单位反映。监督电话：{held.telephone or BLANK}。", 11, 2
    )
    sheet.signatures(f"{held.operator or BLANK}（盖章）")
    return sheet.to_bytes()


@dataclass(frozen=True)
class Waiver:
    """A 放弃录取声明."""

    applicant: str
    name: str
    round: str
    facts: tuple[Line, ...]
    minor: bool
    recorded: str
    """When and by whom it was recorded; blank where it has yet to be."""


def waiver(held: Waiver) -> bytes:
    """放弃录取声明, to be signed, or of what was declined on the page."""
    sheet = Sheet("放弃录取声明", numbered=True, foot=f"放弃录取声明 {held.applicant}")
    sheet.head("放弃录取声明", held.round)
    sheet.grid([("报名号", held.applicant), ("姓名", held.name), *held.facts])
    sheet.say("　　本人自愿放弃以上录取，并知道：", 12, 2)
    sheet.say("　　一、空出的席位会递补给别人，放弃后不能恢复。", 12, 1)
    sheet.say("　　　　没有别的席位的，本轮不再递补本人。", 12, 1)
    sheet.say("　　二、能不能参加后面的轮次，以招生方案为准。", 12, 1)
    sheet.say("　　三、没有人强迫或者劝说本人放弃。", 12, 3)
    if held.recorded:
        sheet.say(f"系统记录：{held.recorded}", 10, 2)
    sheet.signatures(
        "本人签名：",
        *(["监护人签名："] if held.minor else []),
        "经办人签名：",
    )
    return sheet.to_bytes()


def vacancies(
    title: str, facts: Sequence[Line], rows: Sequence[Sequence[str]], operator: str
) -> bytes:
    """缺额（征集）公告: the seats that are left, by class."""
    heading = f"{title}缺额（征集志愿）公告"
    sheet = Sheet(heading, numbered=True, foot=heading)
    sheet.head(heading)
    sheet.facts(facts)
    sheet.ln(2)
    heads = ("院校", "订单班", "企业", "学习形式", "层次", "计划", "已占", "缺额")
    sheet.ruled((26, 28, 26, 16, 16, 10, 10, 10), rows, heads)
    sheet.say(f"合计缺额 {sum(int(row[-1]) for row in rows)} 个。", 11, 1)
    sheet.say("征集志愿的报名时间、条件和录取办法以下一轮招生公告为准。报名自愿。", 11, 2)
    sheet.signatures(f"{operator or BLANK}（盖章）")
    return sheet.to_bytes()
