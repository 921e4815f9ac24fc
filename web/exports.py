"""Exports: templates of a round, and what is stored in the same layout, as xlsx or csv."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from . import privacy, words, workbooks
from .audit import Actor, record
from .cells import Column, Row, Value, show
from .hints import KINDS, hint
from .keepers import KEEPERS
from .lines import Office
from .models import College, Enterprise, OrderClass, Round
from .plan_rows import channels
from .sheets import HINT_SIGN, SHEETS, Sheet
from .workbooks import Layout

TEMPLATE, MARKED = "模板", "错误标注"
"""What the names of files end in."""

_REFERENCES = {
    "college": "院校代码", "enterprise": "企业代码", "order_class": "班级代码",
    **{f"enterprise{n}": "企业代码" for n in range(1, 5)},
}  # fmt: skip
"""Columns that name a row of another sheet, and the table of codes that lists it."""


def mask(column: Column, value: Value) -> str:
    """A value as reports, previews and exports tell it: of secret columns the mask alone."""
    text = "" if value is None else str(value)
    if not text:
        return ""
    if column.kind == "identity":
        return privacy.mask_number(text)
    if column.kind == "telephone" and "*" not in text:
        return privacy.mask_telephone(text)
    return text


def secrets(sheet: Sheet) -> list[Column]:
    """The columns of a sheet of applicants that are masked; an office's telephone is public."""
    return [column for column in sheet.columns if column.secret] if sheet.seconded else []


def layout(sheet: Sheet, lists: Mapping[int, str] | None = None, hints: bool = False) -> Layout:
    """A sheet as it is written."""
    with force_locale(words.LANGUAGES["zh"]):  # whoever asks, workbooks are in Chinese
        said = [hint(column) for column in sheet.columns] if hints else []
    if said:
        said[0] = f"{HINT_SIGN} {said[0]}"
    return Layout(
        sheet.title,
        [column.title for column in sheet.columns],
        said,
        frozenset(at for at, column in enumerate(sheet.columns) if column.typed_as_text),
        lists or {},
        {at: 24 for at, column in enumerate(sheet.columns) if column.kind in ("identity", "uscc")},
    )


Codes = list[tuple[str, list[tuple[str, str]]]]


def codes(session: Session, round_: Round, sheet: Sheet) -> tuple[Codes, dict[int, str]]:
    """The tables of codes of a sheet, and which column offers which of them."""
    tables: Codes = []
    lists: dict[int, str] = {}
    for at, column in enumerate(sheet.columns):
        table = _table(session, round_, column)
        if table is None:
            continue
        if table not in tables:
            tables.append(table)
        if column.kind not in ("codes", "reserves") and table[1]:
            lists[at] = workbooks.span(tables.index(table), len(table[1]))
    return tables, lists


def _table(
    session: Session, round_: Round, column: Column
) -> tuple[str, list[tuple[str, str]]] | None:
    """What may stand in a column: (what is typed, its code or what it is called)."""
    if column.kind == "flag":
        return "是/否", [("是", "1"), ("否", "0")]
    if column.name == "channel":
        return "考核通道", [(word, code) for code, word in channels(round_).items()]
    if column.name in _REFERENCES:
        name = _REFERENCES[column.name]
        query: Any = {
            "院校代码": select(College.code, College.name).order_by(College.code),
            "企业代码": select(Enterprise.code, Enterprise.name).order_by(Enterprise.code),
            "班级代码": select(OrderClass.code, OrderClass.name)
            .where(OrderClass.round_id == round_.id)
            .order_by(OrderClass.code),
        }[name]
        return name, [(code, called) for code, called in session.execute(query)]
    if column.codes:
        return column.heading, [(word, code) for code, word in column.codes.items()]
    return None


def _explained(sheet: Sheet, round_: Round) -> list[Sequence[str]]:
    with force_locale(words.LANGUAGES["zh"]):
        kinds = [str(KINDS[column.kind]) for column in sheet.columns]
    lines: list[Sequence[str]] = [
        ("列", "必填", "怎样填", "说明"),
        *(
            (c.heading, "是" if c.required else "", said, c.hint)
            for c, said in zip(sheet.columns, kinds, strict=True)
        ),
        ("", "", "", ""),
        ("怎样导入", "", "从第 3 行开始填；不要改标题、列的次序和工作表的名称。", ""),
        ("", "", "按关键列更新，从不删除；先预览，再一次存入，或全部不存。", ""),
        ("", "", "选填的格子留空，表示清空原有内容；掩码（****）表示不改。", ""),
        ("", "", "不要用公式、合并单元格、隐藏行列。只收 .xlsx。", ""),
        ("轮次", "", round_.serial if sheet.yearly else "不分轮次", round_.title),
    ]
    return lines


def template(session: Session, round_: Round, sheet: str) -> bytes:
    """An empty workbook of a sheet: headings, hints, drop-downs, 填写说明, 代码表, and its mark."""
    return _written(session, round_, SHEETS[sheet], [])


def _written(session: Session, round_: Round, sheet: Sheet, rows: Sequence[Sequence[Any]]) -> bytes:
    tables, lists = codes(session, round_, sheet)
    return workbooks.write(
        layout(sheet, lists, hints=True), rows, explained=_explained(sheet, round_),
        codes=tables, mark=sheet.mark(round_.serial),
    )  # fmt: skip


def rows(
    session: Session,
    round_: Round,
    sheet: str,
    office: Office | None = None,
    only: Mapping[str, Value] | None = None,
) -> Iterator[list[Any]]:
    """What is stored, as lines of the sheet.

    Parameters
    ----------
    office
        A college's or an enterprise's own rows; default all.
    only
        Columns with the value that a line must have.
    """
    kind, keeper = SHEETS[sheet], KEEPERS[sheet]
    masked = {column.name for column in secrets(kind)}
    for held in keeper.current(session, round_, office or Office()).values():
        for row in keeper.unfold(held):
            if all(row.get(name) == value for name, value in (only or {}).items()):
                yield [_cell(column, row, masked) for column in kind.columns]


def _cell(column: Column, row: Row, masked: set[str]) -> Any:
    value = row.get(column.name)
    if column.name in masked:
        return mask(column, value) or None
    shown = show(column, value)
    if column.kind == "score" and value is not None and str(value)[0].isdigit():
        return float(str(value))
    return shown


def workbook(
    session: Session,
    round_: Round,
    sheet: str,
    office: Office | None = None,
    only: Mapping[str, Value] | None = None,
) -> bytes:
    """What is stored, filled into the template; see :func:`rows`."""
    return _written(
        session, round_, SHEETS[sheet], list(rows(session, round_, sheet, office, only))
    )


def csv(
    session: Session,
    round_: Round,
    sheet: str,
    office: Office | None = None,
    only: Mapping[str, Value] | None = None,
) -> bytes:
    """What is stored, as CSV in UTF-8 with a byte-order mark; see :func:`rows`."""
    headings = [column.title for column in SHEETS[sheet].columns]
    return workbooks.write_csv(headings, rows(session, round_, sheet, office, only))


def log(
    session: Session, round_: Round, sheet: str, kind: str, only: Mapping[str, Value], actor: Actor
) -> None:
    """Record that somebody took an export."""
    record(
        session, actor, "export", f"{sheet}/{round_.serial}", round_id=round_.id,
        after={"format": kind, "only": dict(only)},
    )  # fmt: skip
