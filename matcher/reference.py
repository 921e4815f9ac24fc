"""The column reference: every column of every table and every key of the policy, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from .policy import AgeRule, Policy
from .tables import COMPONENTS, SCHEMA, Column, Sheet

KINDS = {
    "id": ("代码", "id"), "ids": ("代码，用 ; 隔开", "ids, separated by ;"),
    "text": ("文字", "text"), "identity": ("证件号码", "identity number"),
    "code": ("代码", "code"), "date": ("日期 2026-09-01", "date"),
    "count": ("不小于 0 的整数", "integer from 0"),
    "choices": ("0 至 1000 的整数", "integer from 0 to 1000"), "int": ("整数", "integer"),
    "decimal": ("小数", "decimal"), "component": ("小数、absent 或 exempt", "decimal, absent or exempt"),
    "flag": ("1 或 0", "1 or 0"),
    "str": ("文字", "text"), "strs": ("文字列表", "list of texts"), "bool": ("true 或 false", "bool"),
    "codes": ("代码列表", "list of codes"), "ints": ("整数列表", "list of integers"),
    "hex": ("十六进制", "hexadecimal"),
}  # fmt: skip
"""What a cell or value of each kind looks like."""

KEYS: dict[str, tuple[str, str]] = {
    "policy.title": ("规则名称", "title"),
    "policy.status": ("规则状态", "status: draft, in force, …"),
    "policy.basis": ("依据", "what it rests on"),
    "policy.round": ("轮次，进入摇号运算", "the round's name, part of every lottery number"),
    "policy.demo": ("演示数据", "marks demonstration data"),
    "mechanism.name": ("录取方式", "mechanism"),
    "mechanism.objective": ("目标次序", "objectives, first the weightiest"),
    "mechanism.rank": ("志愿目标的算法", "how choices are counted"),
    "mechanism.rank_costs": (
        "各志愿的代价，默认志愿序号减 1",
        "cost of each rank; default rank − 1",
    ),
    "mechanism.closure": ("停开的办法", "how classes close"),
    "mechanism.reserve_order": ("预留与普通席位的先后", "which seats are filled first"),
    "lottery.seed": ("摇号种子；有 draw.json 时不写", "seed, where there is no draw.json"),
    "limits.time_s": (
        "限时（秒），由 solve 执行，odds 不受此限；0 不限，max_placement 此时限 600 秒",
        "seconds, kept by solve, not by odds; 0 for no limit, with max_placement for 600",
    ),
    "limits.memory_mb": (
        "限内存（MB）；命令行不执行，供启动求解的作业程序读取；0 不限",
        "megabytes, for the job runner that starts the solver; the command line does not enforce it;"
        " 0 for no limit",
    ),
    "preferences.max": ("志愿数上限；0 不限", "most choices; 0 for no limit"),
    "age.reference_date": ("年龄计算基准日", "day on which ages are judged"),
    "age.case_by_case": ("个案审批可放宽年龄", "whether an approval may set an age rule aside"),
    "work.min_internship_age": ("岗位实习最低年龄", "least age at the internship"),
    "work.min_hire_age": ("入职最低年龄", "least age when hired"),
    "work.minor_under": ("未满此年龄为未成年工", "under this age a worker is a minor"),
    "membership.date": ("成员资格核对日；不写则不核对", "day of the check; absent, none"),
    "score.min": ("成绩下限", "least score"),
    "score.max": ("成绩上限", "greatest score"),
    "score.digits": ("综合成绩小数位数", "decimals of composites"),
    "score.absent": ("缺考：bar 不录取，zero 按零分", "absent: bar, or zero"),
    "score.pass_total": (
        "综合成绩合格线，只对有考核通道的席位",
        "qualification line, of programs with an exam channel only",
    ),
    "score.pass_interview": ("面试合格线", "interview line"),
    "score.tiebreak": ("同分比较的分项，依次", "components that break ties, in order"),
    "score.accept_ranks": ("成绩看似名次也接受", "accept scores that look like ranks"),
    "report.fit_threshold": ("精准匹配的契合度", "fit from which a placement counts as fitting"),
    "report.key_industries": ("重点产业", "key industries"),
    "report.groups_of_interest": ("重点群体", "groups of interest"),
    "age_rule.group": ("人员类别；* 为任何", "group; * for any"),
    "age_rule.study_form": ("学习形式；* 为任何", "study form; * for any"),
    "age_rule.level": ("培养层次；* 为任何", "level; * for any"),
    "age_rule.min": ("最低年龄", "least age"),
    "age_rule.max": ("普通上限", "ordinary maximum"),
    "age_rule.relaxed_max": ("放宽后的上限", "relaxed maximum"),
    "age_rule.needs_approval_above": ("超过此年龄须个案审批", "above this an approval is needed"),
    "age_rule.basis": ("依据", "basis"),
    "score_channel.channel": ("考核通道", "exam channel"),
    "score_channel.culture": ("文化素质权重", "weight of culture"),
    "score_channel.skill": ("技能测试权重", "weight of skill"),
    "score_channel.interview": ("面试权重", "weight of the interview"),
    "score_channel.experience": ("从业经历权重", "weight of experience"),
    "score_channel.language": ("语言权重", "weight of language"),
}
"""What each key of the policy means."""

INTRODUCTION = """\
# 一轮的文件 · The files of a round

本页由 `python -m matcher columns` 生成。一轮是一个文件夹：`policy.toml` 加下列 CSV 表，UTF-8，第一行是表头。
行和列的次序都不影响结果。不认识的列是错误；列名以 `x_` 开头的列只供自己看，程序不读。带 * 的必须填。

This page is made by `python -m matcher columns`. A round is a folder: `policy.toml` and the CSV tables
below, UTF-8, the first row a header. The order of rows and of columns never matters. An unknown column
is an error unless it begins with `x_`, which nobody reads. * marks what must be filled in.
"""

DRAW = """\
## draw.json

公开摇号的记录；正式轮次用它代替 `[lottery] seed`。The record of a public draw, instead of `[lottery]
seed` in a real round.

| 项 key | 说明 | meaning |
|---|---|---|
| `kind` | `dice` 二十枚十面骰；`kl8` 快乐8 | twenty ten-sided dice, or 快乐8 |
| `issue` | 快乐8 的期号 | issue of 快乐8 |
| `value` | 二十位数字；或二十个由小到大的号码 | twenty digits, or twenty ascending numbers |
| `witnesses` | 见证人 | witnesses |
| `seed` | 由数据摘要和摇号结果算出 | follows from the digest and the value |
"""


def columns() -> str:
    """The Markdown text of ``data/README.md``."""
    parts = [INTRODUCTION]
    for name, sheet in SCHEMA.items():
        parts.append("\n".join(_sheet(name, sheet)) + "\n")
    parts.append("\n".join(_policy()) + "\n")
    parts.append(DRAW)
    return "\n".join(parts)


def _sheet(name: str, sheet: Sheet) -> Iterator[str]:
    needed = "必须有 · required" if sheet.required else "可以没有 · optional"
    key = " + ".join(f"`{column}`" for column in sheet.key)
    yield f"## {name}.csv {sheet.zh}"
    yield ""
    yield f"{needed}。每行由 {key} 区分。One row for each {key}."
    yield ""
    yield "| 列 column | 名称 | 内容 cell | meaning |"
    yield "|---|---|---|---|"
    for column in sheet.columns:
        star = "*" if column.required else ""
        yield f"| `{column.name}`{star} | {column.zh} | {_cell(column)} | {column.en} |"


def _cell(column: Column) -> str:
    zh, en = KINDS[column.kind]
    shown = zh if zh == en else f"{zh} · {en}"
    codes = " ".join(f"`{code}`" for code in column.codes)
    return f"{shown}：{codes}" if codes else shown


def _policy() -> Iterator[str]:
    yield "## policy.toml 规则"
    yield ""
    yield (
        "没有写的键取默认值。默认值只是程序的起点，不是任何规定；请按当年招生方案填写。"
        "A key that is absent has its default, which is a starting point of this program and no"
        " regulation."
    )
    yield ""
    yield "| 键 key | 说明 | 值 value | 默认 default | meaning |"
    yield "|---|---|---|---|---|"
    for declared in fields(Policy):
        key, kind = declared.metadata["key"], declared.metadata["kind"]
        if key in ("age_rule", "score_channel"):
            continue
        codes = " ".join(f"`{code}`" for code in declared.metadata["codes"])
        value = " · ".join(KINDS[kind]) + (f"：{codes}" if codes else "")
        zh, en = KEYS[key]
        yield f"| `{key}` | {zh} | {value} | {_default(declared.default)} | {en} |"
    yield from _members("age_rule", [f.name for f in fields(AgeRule)])
    yield from _members("score_channel", ["channel", *COMPONENTS])


def _members(section: str, names: list[str]) -> Iterator[str]:
    yield ""
    yield f"`[[{section}]]`"
    yield ""
    yield "| 键 key | 说明 | meaning |"
    yield "|---|---|---|"
    for name in names:
        zh, en = KEYS[f"{section}.{name}"]
        yield f"| `{name}` | {zh} | {en} |"


def _default(value: object) -> str:
    if value is None or value in ("", ()):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return " ".join(f"`{entry}`" for entry in value)
    return f"`{value}`"
