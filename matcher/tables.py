"""A round as files: the columns of a folder, read, written and digested without loss.

The folder's contract (which file, which column, what a cell may hold) is declared once in
:data:`SCHEMA`; reading, validation, documentation and the digest follow it.  Cells stay the strings
that somebody typed: nothing is repaired here, and nothing is dropped.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .columns import Cells

Severity = Literal["error", "warning"]

COMPONENTS = ("culture", "skill", "interview", "experience", "language")
ABSENT, EXEMPT = "absent", "exempt"


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong, or worth a look, at one place of a round.

    Parameters
    ----------
    table
        Name of the table, or ``policy`` or ``draw``.
    row
        Row as a spreadsheet shows it (the header is row 1); 0 where the whole file is meant.
    column
        Column, or key of the policy; empty where the whole row or file is meant.
    code
        What is wrong; its sentences are in :mod:`matcher.messages`.
    value
        The offending cell, as it stands.
    limit
        What would have been right, where that is a value.
    severity
        An ``error`` keeps the round from being solved; a ``warning`` does not.
    """

    table: str
    row: int
    column: str
    code: str
    value: str = ""
    limit: str = ""
    severity: Severity = "error"


class InvalidRound(ValueError):
    """The round cannot be used as it stands; ``issues`` lists everything that is wrong."""

    def __init__(self, issues: Iterable[Issue]):
        self.issues = tuple(issues)
        first = self.issues[0] if self.issues else None
        super().__init__(f"{len(self.issues)} issues, first: {first}")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the contract: its kind of cell, and what it means in both languages."""

    name: str
    kind: str
    zh: str
    en: str
    required: bool = False
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file of the contract: its key, its columns, and whether a round can do without it."""

    zh: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    required: bool = False

    def column(self, name: str) -> Column | None:
        """The declared column of that name; tie columns (``tie1``, ``tie2``, …) are one pattern."""
        for column in self.columns:
            if column.name == name:
                return column
        if TIE.fullmatch(name) and any(c.name == "tie1" for c in self.columns):
            return Column(name, "decimal", "同分比较", "declared tie-break, higher first")
        return None


TIE = re.compile(r"tie[1-9][0-9]?")
STUDY_FORMS = ("FT", "PT", "ST")
GROUPS = (*(f"G{number:02}" for number in range(1, 17)), "G99")
DOCUMENTS = ("01", "05", "10", "15", "20", "25", "30", "35", "40")
SCOPES = ("none", "college", "industry", "district", "alliance")
REVIEWS = (
    "passed", "identity", "documents", "duplicate", "enrolled", "expired", "withdrawn", "other",
)  # fmt: skip
EDUCATIONS: dict[str, int] = {
    code: level
    for level, codes in enumerate(
        ("90 82", "81 72", "71 42 43 45 46 48 49 62 63", "41 44 47 61 22 23 28 32 33",
         "31", "21 12 13 15 16 18 19", "11 14 17")
    )
    for code in codes.split()
}  # fmt: skip
"""GB/T 4658 education codes → our ordinal; an unfinished course counts as the level before it."""


def _columns(*rows: tuple[Any, ...]) -> tuple[Column, ...]:
    return tuple(
        Column(name.rstrip("*"), kind, zh, en, name.endswith("*"), *rest)
        for name, kind, zh, en, *rest in rows
    )


SCHEMA: dict[str, Sheet] = {
    "applicants": Sheet(
        "申请人",
        ("applicant",),
        _columns(
            ("applicant*", "id", "报名号", "identifier of the application"),
            ("person", "id", "人员标识", "who she is across applications; default: applicant"),
            ("identity_type", "code", "证件类型", "document type code; blank = 01 resident identity card",
             DOCUMENTS),
            ("identity_number", "identity", "证件号码", "checked, then never written to any output"),
            ("sex", "code", "性别", "GB/T 2261.1; statistics only, never a rule", ("1", "2", "0", "9")),
            ("birth_date", "date", "出生日期", "YYYY-MM-DD"),
            ("groups", "ids", "人员类别", "group codes, separated by ;"),
            ("adjustment", "code", "服从调剂范围", "consent to adjustment and its scope", SCOPES),
            ("not_accepted", "ids", "不接受的班级", "order classes refused, separated by ;"),
            ("education", "code", "学历", "GB/T 4658 code", tuple(EDUCATIONS)),
            ("skill_level", "code", "技能等级", "5 初级工 … 1 高级技师; blank = none", ("5", "4", "3", "2", "1")),
            ("study_forms", "ids", "接受的学习形式", "of FT, PT, ST, separated by ;", STUDY_FORMS),
            ("district", "text", "区市", "area code; statistics only"),
            ("health", "ids", "满足的身体条件", "codes of conditions met, separated by ;"),
            ("review", "code", "资格审核结论", "blank or passed, else why not", REVIEWS),
        ),
        required=True,
    ),
    "order_classes": Sheet(
        "订单班",
        ("order_class",),
        _columns(
            ("order_class*", "id", "班级代码", "identifier"),
            ("min_size*", "count", "最低开班人数", "people below which the class closes"),
            ("college", "id", "院校", "college"),
            ("industry", "id", "产业", "industry"),
            ("district", "id", "区市", "area code of the college"),
            ("study_form", "code", "学习形式", "FT full time, PT part time, ST social training", STUDY_FORMS),
            ("level", "id", "培养层次", "training level"),
            ("major", "text", "专业", "major"),
            ("plan_order", "int", "计划序号", "place in the plan; blanks after all numbers"),
            ("entry_education", "code", "学历要求", "lowest education admitted", tuple(EDUCATIONS)),
            ("entry_skill", "code", "技能等级要求", "lowest skill level admitted", ("5", "4", "3", "2", "1")),
            ("age_min", "count", "年龄下限", "narrows the age rules; needs age_basis"),
            ("age_max", "count", "年龄上限", "narrows the age rules; needs age_basis"),
            ("age_basis", "text", "年龄限制依据", "legal basis of the class's own age limits"),
            ("health", "ids", "身体条件", "conditions that the occupation requires; needs health_basis"),
            ("health_basis", "text", "身体条件依据", "occupational basis of the health conditions"),
            ("internship_date", "date", "岗位实习开始", "planned first day of the internship"),
            ("hire_date", "date", "入职日期", "planned day of hiring"),
            ("college_member_until", "date", "院校成员资格到期", "last day of membership; blank = open"),
            ("interview_required", "flag", "拒收未面试调剂", "1: nobody is adjusted here without an interview"),
            ("must_open", "flag", "必须开班", "1: opened by decree, at its minimum and with one person at least"),
        ),
    ),
    "programs": Sheet(
        "订单席位",
        ("program",),
        _columns(
            ("program*", "id", "席位代码", "one enterprise's seats in one class, for one channel"),
            ("capacity*", "count", "席位数", "seats"),
            ("order_class", "id", "班级代码", "its class; default: a class of its own with no minimum"),
            ("enterprise", "id", "企业", "enterprise"),
            ("channel", "id", "考核通道", "exam channel whose scores rank its applicants"),
            ("plan_order", "int", "计划序号", "place in the plan; blanks after all numbers"),
            ("forbid_minor", "flag", "禁忌未成年工", "1: the post is forbidden to minors"),
            ("forbid_minor_reason", "text", "禁忌依据", "which prohibition"),
            ("enterprise_member_until", "date", "企业成员资格到期", "last day of membership; blank = open"),
        ),
        required=True,
    ),
    "applications": Sheet(
        "志愿",
        ("applicant", "rank"),
        _columns(
            ("applicant*", "id", "报名号", "who"),
            ("rank*", "count", "志愿序号", "1 is the first choice"),
            ("program*", "id", "志愿", "a program, or an order class for all its programs"),
        ),
        required=True,
    ),
    "scores": Sheet(
        "成绩",
        ("applicant", "program", "channel"),
        _columns(
            ("applicant*", "id", "报名号", "who"),
            ("program", "id", "席位代码", "for this program only (or channel)"),
            ("channel", "id", "考核通道", "for every program of this channel (or program)"),
            ("score", "decimal", "综合成绩", "final score; or leave it and give components"),
            ("culture", "component", "文化素质", "component, absent 缺考 or exempt 免考"),
            ("skill", "component", "技能测试", "component, absent or exempt"),
            ("interview", "component", "面试", "component, absent or exempt"),
            ("experience", "component", "从业经历", "component, absent or exempt"),
            ("language", "component", "语言", "component, absent or exempt"),
            ("tie1", "decimal", "同分比较", "declared tie-breaks tie1, tie2, …, higher first"),
            ("fit", "int", "契合度", "how well the person and the post fit"),
        ),
    ),
    "decisions": Sheet(
        "决定",
        ("applicant", "program", "decision", "rule"),
        _columns(
            ("applicant*", "id", "报名号", "who"),
            ("program*", "id", "席位代码", "where"),
            ("decision*", "code", "决定",
             "what was decided; declined: gave this place up; waiting: would take a better one",
             ("rejected", "approved", "confirmed", "declined", "waiting")),
            ("rule", "code", "放宽的规则", "rule set aside by an approval; blank = the age rules",
             ("age", "approval", "education", "skill_level")),
            ("basis", "text", "依据", "reason and who decided"),
        ),
    ),
    "reserves": Sheet(
        "预留席位",
        ("program", "group", "hard"),
        _columns(
            ("program*", "id", "席位代码", "where"),
            ("group*", "id", "人员类别", "for whom"),
            ("seats*", "count", "席位数", "how many"),
            ("hard", "flag", "不释放", "1: stays empty when the group cannot fill it"),
            ("must_fill", "flag", "必须录满", "1: people of the group must take every one of these seats"),
        ),
    ),
    "caps": Sheet(
        "总量上限",
        ("cap",),
        _columns(
            ("cap*", "id", "上限代码", "identifier"),
            ("seats*", "count", "人数上限", "greatest number of people over its programs"),
            ("college", "id", "院校", "all programs of this college"),
            ("enterprise", "id", "企业", "all programs of this enterprise"),
            ("programs", "ids", "席位代码", "these programs, separated by ;"),
        ),
    ),
}  # fmt: skip


@dataclass(init=False)
class Table:
    """Columns of strings of equal length, and the spreadsheet row of each line."""

    columns: dict[str, Sequence[str]]
    rows: Sequence[int]

    def __init__(self, columns: Mapping[str, Sequence[str]], rows: Sequence[int] = ()) -> None:
        self.columns = {
            name: column if isinstance(column, Cells) else Cells(column)
            for name, column in columns.items()
        }
        self.rows = rows or range(2, len(self) + 2)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))

    def __contains__(self, column: str) -> bool:
        return column in self.columns

    def __getitem__(self, column: str) -> Sequence[str]:
        """The column's cells; blanks where the table has no such column."""
        found = self.columns.get(column)
        return self._blanks if found is None else found

    @cached_property
    def _blanks(self) -> Cells:
        return Cells([""] * len(self))

    def records(self) -> Iterator[dict[str, str]]:
        """One dictionary a line, in the file's order."""
        for line in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, line, strict=True))


@dataclass
class Tables:
    """A round as columns of strings, exactly as the folder holds it.

    Parameters
    ----------
    tables
        Table by name; a file that the round does without is absent.
    policy
        The bytes of ``policy.toml``.
    draw
        The content of ``draw.json``, where a public draw made the seed.
    issues
        What reading found wrong; :func:`matcher.validate` adds the rest.
    """

    tables: dict[str, Table]
    policy: bytes
    draw: dict[str, Any] | None = None
    issues: list[Issue] = field(default_factory=list)

    def __getitem__(self, name: str) -> Table:
        """The table of that name; without a line where the round does without it."""
        found = self.tables.get(name)
        return Table({column: [] for column in SCHEMA[name].key}) if found is None else found

    @classmethod
    def read(cls, folder: str | Path) -> Tables:
        """Read a round folder.  Everything unreadable is listed in ``issues``, nothing is raised.

        Raises
        ------
        FileNotFoundError
            If there is no such folder.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise FileNotFoundError(folder)
        issues: list[Issue] = []
        tables: dict[str, Table] = {}
        for name, sheet in SCHEMA.items():
            path = folder / f"{name}.csv"
            if path.is_file():
                table = read_csv(path.read_bytes(), name, issues)
                if table is not None:
                    tables[name] = table
            elif sheet.required:
                issues.append(Issue(name, 0, "", "missing_file", f"{name}.csv"))
        for path in sorted(folder.glob("*.[cC][sS][vV]")):
            if path.stem not in SCHEMA or path.suffix != ".csv":
                issues.append(Issue(path.stem, 0, "", "unknown_file", path.name))
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in (".xlsx", ".xls", ".et", ".ods") and path.stem in SCHEMA:
                issues.append(Issue(path.stem, 0, "", "spreadsheet", path.name))
        policy = b""
        if (folder / "policy.toml").is_file():
            policy = (folder / "policy.toml").read_bytes()
        else:
            issues.append(Issue("policy", 0, "", "missing_file", "policy.toml"))
        return cls(tables, policy, _read_draw(folder / "draw.json", issues), issues)

    def write(self, folder: str | Path) -> None:
        """Write the round as a folder; reading it gives the same columns, rows and bytes of policy."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in self.tables.items():
            text = io.StringIO()
            _write_csv(text, list(table.columns), zip(*table.columns.values(), strict=True))
            (folder / f"{name}.csv").write_bytes(text.getvalue().encode())
        (folder / "policy.toml").write_bytes(self.policy)
        if self.draw is not None:
            text = io.StringIO(json.dumps(self.draw, ensure_ascii=False, indent=1) + "\n")
            (folder / "draw.json").write_bytes(text.getvalue().encode())

    def digest(self) -> str:
        """SHA-256 of the round, the same whatever the order of rows and columns.

        Fed are, by file name: the name, the length, and the content.  Content of a table is its
        canonical CSV: columns and rows in the order of their code points, line feeds, minimal
        quoting.  ``draw.json`` and results are no part of it.
        """
        total = hashlib.sha256()
        files = {f"{name}.csv": _canonical(table) for name, table in self.tables.items()}
        text = self.policy.removeprefix(b"\xef\xbb\xbf")
        files["policy.toml"] = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        for name in sorted(files):
            total.update(f"{name}\n{len(files[name])}\n".encode() + files[name])
        return total.hexdigest()


def _canonical(table: Table) -> bytes:
    names = sorted(table.columns)
    text = io.StringIO()
    _write_csv(text, names, sorted(zip(*(table.columns[n] for n in names), strict=True)))
    return text.getvalue().encode()


def _write_csv(text: io.StringIO, header: list[str], rows: Iterable[Sequence[object]]) -> None:
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)


def _read_draw(path: Path, issues: list[Issue]) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        draw = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        draw = None
    if not isinstance(draw, dict):
        issues.append(Issue("draw", 0, "", "draw_syntax"))
        return {}
    return draw


_LONE_RETURN = re.compile(r"\r(?!\n)")
"""Versions of the csv module differ in whether they quote such a cell, so its digest would."""


def read_csv(data: bytes, name: str, issues: list[Issue]) -> Table | None:
    """Read one table, appending what is wrong with its shape; None where no column can be read."""
    text = _decode(data, name, issues)
    if text is None:
        return None
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        issues.append(Issue(name, row, "", "forbidden_character", "\\0"))
    table = None
    if '"' not in text:
        text = text.replace("\r\n", "\n")
        header = text.partition("\n")[0].split(",")
        table = _plain(text, header) if "\r" not in text and len(header) > 1 else None
    if table is None:
        table = _quoted(text, name, issues)
    if table is not None:
        issues += check_header(table, name)
    return table


def decoded(data: bytes, table: str, file: str) -> str:
    """The text of a file that is no table.

    Raises
    ------
    InvalidRound
        If it is not UTF-8, with the row where that shows.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = _row_of(error, data)
    raise InvalidRound([Issue(table, row, "", "text_encoding", file)])


def _row_of(error: UnicodeDecodeError, data: bytes) -> int:
    return data.count(b"\n", 0, error.start) + 1


def _decode(data: bytes, name: str, issues: list[Issue]) -> str | None:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = _row_of(error, data)
    try:
        data.decode("gb18030")
        code = "encoding_gbk"
    except UnicodeDecodeError:
        code = "encoding"
    issues.append(Issue(name, row, "", code, f"{name}.csv"))
    return None


def _plain(text: str, header: list[str]) -> Table | None:
    """The table of a text without quotes whose lines are all of the header's width, else None.

    Only the places of commas and line ends are looked for; the cells stay bytes until asked for.
    """
    width = len(header)
    marks = np.frombuffer((text.removesuffix("\n") + "\n").encode(), np.uint8)
    ends = np.flatnonzero(marks == ord("\n"))
    commas = np.diff(np.cumsum(marks == ord(","))[ends], prepend=0)
    blank = np.diff(ends, prepend=-1) == width  # nothing but commas
    if len(set(header)) < width or (commas != width - 1).any() or blank.any():
        return None
    stops = np.flatnonzero((marks == ord("\n")) | (marks == ord(",")))
    starts = np.append(0, stops[:-1] + 1)
    starts, stops = starts[width:], stops[width:]
    return Table({
        column: Cells(raw=(marks, starts[at::width], stops[at::width]))
        for at, column in enumerate(header)
    })  # fmt: skip


def _quoted(text: str, name: str, issues: list[Issue]) -> Table | None:
    """Read by the csv module, telling of every line that has too few or too many cells."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[list[str]] = []
    try:
        records.extend(reader)
    except csv.Error:
        issues.append(Issue(name, len(records) + 1, "", "csv_syntax"))
        return None
    if not records or not any(records[0]):
        issues.append(Issue(name, 1, "", "no_header", f"{name}.csv"))
        return None
    header, width = records[0], len(records[0])
    if _LONE_RETURN.search(text):
        for row, record in enumerate(records, start=1):
            for column, cell in zip(header, record, strict=False):
                if _LONE_RETURN.search(cell):
                    issues.append(Issue(name, row, column, "forbidden_character", cell))
    rows, lines = [], []
    for row, record in enumerate(records[1:], start=2):
        if not any(record):
            continue
        if len(record) != width:
            issues.append(Issue(name, row, "", "row_width", str(len(record)), str(width)))
            record = (record + [""] * width)[:width]
        rows.append(row)
        lines.append(record)
    for column in sorted({c for c in header if header.count(c) > 1}):
        issues.append(Issue(name, 1, column, "duplicate_column", column))
    columns = {c: [line[at] for line in lines] for at, c in enumerate(header)}
    return Table(columns, rows)


def check_header(table: Table, name: str) -> Iterator[Issue]:
    """Columns that the contract does not know, and required ones that are not there."""
    sheet = SCHEMA[name]
    for column in table.columns:
        if sheet.column(column) is None and not column.startswith("x_"):
            yield Issue(name, 1, column, "unknown_column", column)
    for declared in sheet.columns:
        if declared.required and declared.name not in table:
            yield Issue(name, 1, declared.name, "missing_column", declared.name)


def split(cell: str) -> list[str]:
    """The entries of a cell that holds several, separated by ``;``."""
    return [entry for entry in cell.split(";") if entry]
