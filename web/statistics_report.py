"""The statistics of a round as tables: the same for the page, the workbook and the print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from . import calendar, codes, db, settings, statistics
from .indicators import Indicator, decimal, indicators, of_groups, percent
from .models import Round
from .statistics import COLUMNS, DIMENSIONS, NOTES, Facts, Sheet

Cell = int | str | None
"""A number, a text, or none where nothing determines it yet."""


@dataclass(frozen=True)
class Table:
    """A table: what it shows, its headings, its rows (the first cell names the row), and what it says."""

    key: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = ()
    prose: frozenset[int] = frozenset()
    """The columns that hold words, set from the left as words are."""


@dataclass(frozen=True)
class Report:
    """Everything that the bureau's sheet says of a round by one breakdown."""

    facts: Facts
    dimension: str
    sheet: Sheet
    tables: list[Table]
    before: Round | None
    office: str
    filled_by: str
    day: date

    @property
    def title(self) -> str:
        """招生情况统计表, of which round, by what."""
        return str(_(
            "招生情况统计表（%(round)s，按%(by)s）",
            round=self.facts.round.serial, by=DIMENSIONS[self.dimension],
        ))  # fmt: skip

    @property
    def scope(self) -> str:
        """Whose people are counted, where it is a district's own sheet."""
        area = self.facts.district
        return _("只计居住在%(area)s的人", area=codes.word(codes.AREAS, area)) if area else ""

    @property
    def foot(self) -> list[tuple[str, str]]:
        """填报单位, 填表人, 审核人, 日期."""
        return [
            (_("填报单位"), self.office or "＿＿＿＿"), (_("填表人"), self.filled_by),
            (_("审核人"), "＿＿＿＿"), (_("日期"), self.day.isoformat()),
        ]  # fmt: skip


def unit() -> str:
    """The line of units above every table."""
    return str(_("单位：人、个、%"))


def chosen(asked: str) -> str:
    """The breakdown that an address asks for; the first where it asks for none that there is."""
    return asked if asked in DIMENSIONS else next(iter(DIMENSIONS))


def of(session: Session, round_: Round, asked: str, filled_by: str, district: str = "") -> Report:
    """The report of a round; of one district's people where it is named."""
    dimension = chosen(asked)
    facts = statistics.read(session, round_, district)
    by = statistics.by_round(session, facts) if dimension == "round" else None
    made = by or statistics.sheet(facts, dimension)
    before = statistics.year_before(session, round_)
    tables = [main(made), _indicators(facts), _compared(session, facts, before)]
    tables += [_groups(facts), _coverage(facts)]
    if not district:
        tables.append(_gaps(session, facts))
    return Report(
        facts, dimension, made, tables, before, settings.current(session)["主办单位"], filled_by,
        calendar.local(db.now(session)).date(),
    )  # fmt: skip


# --- the tables -------------------------------------------------------------------------------


def main(held: Sheet) -> Table:
    """The sheet itself, with the total as its last row."""
    heads = [str(DIMENSIONS[held.dimension]), *map(str, COLUMNS.values())]
    rows = [[line.label, *line.numbers.values()] for line in (*held.lines, held.total)]
    notes = [str(said) for said in NOTES.values()]
    notes.append(_("“—”：这一行没有这一项，或所在阶段还没有到，不是 0。"))
    if held.dimension == "round":
        notes.append(_("各轮之间有重复的人和席位，不合计。"))
    elif held.dimension == "group":
        notes.append(_("一人可以属于几类，各行相加可以大于合计；不属于任何一类的人只在合计中。"))
    return Table("sheet", _("招生情况统计表"), heads, rows, notes)


def _indicators(facts: Facts) -> Table:
    found = list(enumerate(indicators(facts), start=1))
    rows = [_indicator(at, one) for at, one in found]
    notes = [f"[{at}] {one.label} = {one.formula}" for at, one in found]
    notes.append(_("未启用：系统里没有这一指标的数据来源，或所在阶段还没有到。“—”：分母为 0。"))
    heads = [_("指标"), _("分子"), _("分母"), _("数值"), _("说明")]
    return Table("indicators", _("指标"), heads, rows, notes, frozenset({len(heads) - 1}))


def _indicator(at: int, one: Indicator) -> list[Cell]:
    return [f"{one.label} [{at}]", one.numerator, one.denominator, one.value, one.detail]


def _compared(session: Session, facts: Facts, before: Round | None) -> Table:
    """This round's totals beside those of the year before; without such a round, no rows."""
    title = _("同比")
    heads = [_("项目"), _("本轮"), _("上年同期"), _("增减"), _("增减（%）")]
    if before is None:
        return Table("compared", title, heads, [], [_("没有上年同期的轮次，不作同比。")])
    now = facts.total
    then = statistics.read(session, before, facts.district).total
    rows: list[list[Cell]] = []
    for column, name in COLUMNS.items():
        a, b = now[column], then[column]
        change = None if a is None or b is None else a - b
        share = None if change is None or not b else f"{decimal(100 * change, b, 1)}%"
        rows.append([str(name), a, b, change, share])
    note = _("上年同期：%(serial)s %(title)s。", serial=before.serial, title=before.title)
    return Table("compared", title, heads, rows, [note])


def _groups(facts: Facts) -> Table:
    rows: list[list[Cell]] = [
        [one.label, one.applied, one.placed, one.coverage, one.share] for one in of_groups(facts)
    ]
    heads = [_("群体"), _("报名人数"), _("录取人数"), _("群体覆盖率"), _("群体占比")]
    notes = [_("群体覆盖率 = 群体录取人数 ÷ 群体报名人数；群体占比 = 群体录取人数 ÷ 录取人数。")]
    return Table("groups", _("群体覆盖"), heads, rows, notes)


def _coverage(facts: Facts) -> Table:
    lines = statistics.coverage(facts)
    names = [codes.word(codes.GROUPS, g) for g in facts.policy.groups_of_interest]
    heads = [
        _("学习形式"), _("录取人数"), *names, _("以上合计（不重复）"), _("占录取"),
        _("放宽年龄"), _("放宽占录取"),
    ]  # fmt: skip
    rows: list[list[Cell]] = [
        [
            one.label, one.placed, *one.groups.values(), one.any, percent(one.any, one.placed),
            one.relaxed, percent(one.relaxed, one.placed),
        ]
        for one in lines
    ]  # fmt: skip
    notes = [_("占录取 = 该列人数 ÷ 该学习形式的录取人数。")]
    return Table("coverage", _("重点群体和放宽年龄（按学习形式）"), heads, rows, notes)


def _gaps(session: Session, facts: Facts) -> Table:
    heads = [
        _("专业（工种）"),
        _("需求人数"),
        _("计划人数"),
        _("报名人数"),
        _("录取人数"),
        _("供需缺口"),
    ]
    rows: list[list[Cell]] = [
        [one.label, one.demanded, one.seats, one.applied, one.placed, one.gap]
        for one in statistics.gaps(session, facts)
    ]
    notes = [
        _("需求人数：企业已提交和已编班的岗位要招的人数，按岗位的工种计。"),
        _("供需缺口 = 需求人数 − 录取人数；负数是录取多于需求。"),
    ]
    return Table("gaps", _("分专业（工种）供需缺口"), heads, rows, notes)


def said(cell: Cell) -> str:
    """A cell in print."""
    return "—" if cell is None else str(cell)


def bars(held: Sheet, column: str = "placed") -> list[tuple[str, int]]:
    """A column as bars, with names short enough to stand beside them."""
    return [
        (_short(line.label), number)
        for line in held.lines
        if (number := line.numbers[column]) is not None
    ]


def _short(name: str) -> str:
    return name if len(name) <= 9 else f"{name[:8]}…"


# --- districts in order, and the round in prose -----------------------------------------------


def ranking(facts: Facts) -> Table:
    """Districts by how many of their people were placed; equal numbers share a place."""
    made = statistics.sheet(facts, "district")
    order = "placed" if facts.published is not None else "applied"
    lines = sorted(made.lines, key=lambda one: (-(one.numbers[order] or 0), one.value))
    rows: list[list[Cell]] = []
    for at, line in enumerate(lines, start=1):
        n = line.numbers
        tied = bool(rows) and n[order] == lines[at - 2].numbers[order]
        place = rows[-1][1] if tied else at
        rows.append([
            line.label, place, n["applied"], n["passed"], n["placed"],
            percent(n["placed"], n["passed"]), n["confirmed"], n["checked_in"],
        ])  # fmt: skip
    heads = [
        _("区市（居住地）"), _("名次"), _("报名人数"), _("审核通过"), _("录取人数"), _("录取率"),
        _("确认"), _("报到"),
    ]  # fmt: skip
    notes = [
        _("按录取人数排名，公示前按报名人数；人数相同的名次相同。"),
        _("录取率 = 录取人数 ÷ 审核通过人数。"),
    ]
    return Table("ranking", _("区市排名表"), heads, rows, notes)


def prose(held: Report) -> list[str]:
    """The round in sentences, with the numbers of the sheet (情况通报)."""
    n = held.facts.total
    by_key = {one.key: one.value for one in indicators(held.facts)}
    found = [
        _(
            "本轮计划 %(classes)s 个班、%(seats)s 人。报名 %(applied)s 人，审核通过 %(passed)s 人，报录比 %(ratio)s。",
            classes=said(n["classes"]), seats=said(n["seats"]), applied=said(n["applied"]),
            passed=said(n["passed"]), ratio=by_key.get("passed_per_seat", "—"),
        )
    ]  # fmt: skip
    if held.facts.published is None:
        return [*found, _("结果还没有公示，没有录取数字。")]
    found += [
        _(
            "录取 %(placed)s 人，计划完成率 %(done)s。",
            placed=said(n["placed"]), done=by_key.get("plan_completion", "—"),
        ),
        _(
            "其中第一志愿 %(first)s 人，其他志愿 %(other)s 人，调剂 %(adjusted)s 人。",
            first=said(n["placed_first"]), other=said(n["placed_other"]),
            adjusted=said(n["placed_adjusted"]),
        ),
        _(
            "第一志愿满足率 %(first)s，前三志愿满足率 %(three)s，落选率 %(missed)s。",
            first=by_key["first_choice"], three=by_key["first_three_choices"],
            missed=by_key["unplaced"],
        ),
        _(
            "开班 %(opened)s 个，未开班 %(closed)s 个，开班率 %(rate)s，满班率 %(full)s，缺额 %(vacant)s 人。",
            opened=said(n["opened"]), closed=said(n["not_opened"]),
            rate=by_key.get("classes_opened", "—"), full=by_key.get("classes_filled", "—"),
            vacant=said(n["vacant"]),
        ),
        _(
            "失业青年·农民工纳入率 %(interest)s，放宽年龄录取率 %(relaxed)s。",
            interest=by_key["groups_of_interest"], relaxed=by_key["relaxed_age"],
        ),
    ]  # fmt: skip
    if n["confirmed"] is not None:
        found.append(
            _(
                "确认 %(confirmed)s 人，递补 %(filled)s 人。",
                confirmed=said(n["confirmed"]), filled=said(n["filled"]),
            )
        )  # fmt: skip
        found.append(
            _(
                "签约率 %(signing)s，报到率 %(came)s，注册率 %(registered)s。",
                signing=by_key["signing"], came=by_key["check_in"], registered=by_key["registration"],
            )
        )  # fmt: skip
    if held.before is None:
        found.append(_("没有上年同期的轮次，不作同比。"))
    else:
        found += _against(held.tables)
    return found


def _against(tables: Iterable[Table]) -> list[str]:
    compared = next(table for table in tables if table.key == "compared")
    wanted = {str(COLUMNS[c]) for c in ("seats", "applied", "placed")}
    parts = [
        _(
            "%(name)s上年 %(then)s、增减 %(change)s",
            name=row[0],
            then=said(row[2]),
            change=said(row[3]),
        )
        for row in compared.rows
        if row[0] in wanted
    ]
    return [_("与上年同期比：%(parts)s。", parts=_("；").join(parts))]
