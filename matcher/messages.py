"""Sentences: what every code means, in Chinese and in English, put on at the edge.

The core speaks in codes and numbers; here, and nowhere else, they become words.  What an applicant is
told stands in :mod:`matcher.reasons`, the remedies of issues in :mod:`matcher.remedies`, what a verifier
finds in :mod:`matcher.findings`, what follows from a supposition in :mod:`matcher.supposed`, what is asked
for in vain in :mod:`matcher.conflicting`, what follows a result in :mod:`matcher.afterwards`, short names
in :mod:`matcher.words`.
"""

from __future__ import annotations

import string
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Literal

from . import identity
from .afterwards import LATE
from .conflicting import CONFLICTS
from .findings import FINDINGS
from .reasons import GUARANTEES, REASONS
from .remedies import REMEDIES
from .supposed import WHATIF
from .tables import EDUCATIONS, SCHEMA, Issue
from .words import WORDS

Lang = Literal["zh", "en"]

NOTICES: dict[str, tuple[str, str]] = {
    "demo": ("演示数据，不得用作统计", "demonstration data, not for any statistics"),
    "folder_missing": ("找不到文件夹 {path}。请核对路径。", "There is no folder {path}."),
    "not_a_folder": (
        "{path} 不是文件夹。请给出一轮的文件夹。", "{path} is not a folder. Give the folder of a round.",
    ),
    "unreadable": (
        "{path} 读不了（{why}）。请处理后再运行。",
        "{path} cannot be read ({why}). Mend that and run again.",
    ),
    "not_whole": (
        "{path} 读不了：文件缺失、不完整或已损坏。请换成完好的文件。",
        "{path} cannot be read: it is missing, incomplete or damaged. Replace it by a good one.",
    ),
    "unwritable": (
        "{path} 写不了（{why}）。请处理后再运行。",
        "{path} cannot be written ({why}). Mend that and run again.",
    ),
    "option_unknown": (
        "没有选项 {option}。用 --help 看有哪些。", "There is no option {option}; --help lists them.",
    ),
    "option_missing": ("没有写 {option}。用 --help 看写法。", "{option} is missing; see --help."),
    "option_wrong": (
        "{option} 的内容不对，见下。用 --help 看写法。", "{option} is not understood, as told below; see --help.",
    ),
    "usage_wrong": (
        "命令写得不对，见下。用 --help 看写法。", "The command is not understood, as told below; see --help.",
    ),
    "unspoken": ("输出写不了（{why}）。", "The output cannot be written ({why})."),
    "interrupted": ("已中断，没有留下写了一半的文件。", "Interrupted; nothing was left half written."),
    "taken": (
        "{path} 在此期间被另一次运行写入，这次的结果没有写。请稍后再运行，或换一个 --out。",
        "Another run has just written {path}, so this result was not. Run again, or choose another --out.",
    ),
    "not_a_result": (
        "{path} 已存在，但不是录取结果，不会覆盖。请换一个 --out。",
        "{path} exists and is no result, so it is not overwritten. Choose another --out.",
    ),
    "result_missing": (
        "还没有结果 {path}。请先运行：{command}",
        "There is no result {path} yet. First run: {command}",
    ),
    "no_result": (
        "{path} 里没有录取结果（result.json）。请核对路径。",
        "There is no result (result.json) in {path}. Check the path.",
    ),
    "result_malformed": (
        "结果文件不完整或已损坏（{path}：{file}）。请重新运行 solve。",
        "The result is incomplete or damaged ({path}: {file}). Run solve again.",
    ),
    "result_broken": (
        "结果 {path} 没有通过检验（{claims}），不能当作结果。请重新运行 solve；再不通过，请保留文件夹并联系维护人员。",
        "The result {path} did not pass verification ({claims}) and is no result. Run solve again; if it"
        " fails again, keep the folder and ask the maintainers.",
    ),
    "result_of_other_round": (
        "结果 {path} 不是由现在的数据算出的：数据改过，或指错了文件夹。请重新运行 solve。",
        "The result {path} was not made from the data as they stand: they changed, or the folder is"
        " another. Run solve again.",
    ),
    "applicant_unknown": (
        "没有报名号“{value}”。请核对，例如 {example}。",
        "There is no applicant {value}. Check the id; one is {example}.",
    ),
    "not_written": (
        "有 {errors} 处错误，什么也没有写。请改正后再运行。",
        "Errors: {errors}. Nothing was written; mend them and run again.",
    ),
    "valid": ("没有错误，提醒 {warnings} 处。", "No errors; warnings: {warnings}."),
    "invalid": ("错误 {errors} 处，提醒 {warnings} 处。", "Errors: {errors}; warnings: {warnings}."),
    "broken": (
        "有结论不成立，这不是可用的结果。留在 {path} 供查找原因。",
        "A claim is broken, so this is no result. It is kept as {path} to find out why.",
    ),
    "not_publishable": (
        "在限制内没有得到可公布的结果（{status}）；已知的部分写在 {path}。",
        "No publishable result within the limits ({status}); what is known is in {path}.",
    ),
    "more_time": (
        "限时 {seconds} 秒内没有算完。限时只管算不算得完，不管结果是什么：solve、resolve、what-if 可用 --time-s"
        " 多给些时间再算。",
        "The work did not end within {seconds} seconds. A limit of time decides whether it ends, never the"
        " outcome: give solve, resolve or what-if more with --time-s.",
    ),
    "close_in_turn": (
        "班多时，一次算准停开哪些班（closure = \"exact\"）可能给多少时间也算不完；规则承诺以前，可改用逐个停开"
        "（closure = \"sequential\"）。",
        "With many classes the best set to close (closure = \"exact\") may not be found in any time; before the"
        " rules are committed to, classes may be closed in turn instead (closure = \"sequential\").",
    ),
    "unpublishable": (
        "不可公布（{status}）：{why}。", "NOT PUBLISHABLE ({status}): {why}.",
    ),
    "unproven_most": (
        "{name}：已找到 {value}，证明不会超过 {bound}。", "{name}: {value} found, proven to be {bound} at most.",
    ),
    "unproven_least": (
        "{name}：已找到 {value}，证明不会少于 {bound}。", "{name}: {value} found, proven to be {bound} at least.",
    ),
    "earlier_kept": (
        "{path} 里是可公布的结果，没有动。",
        "{path} holds a result that can be published and was left as it is.",
    ),
    "unchanged": (
        "结果未变，直接显示上次的输出；重新计算请加 --anew",
        "unchanged, shown from the last run; add --anew to solve again",
    ),
    "verifying_again": (
        "{path} 没有与现有文件对应的检验结论，正在重新检验。",
        "{path} has no verdict on its files as they stand; verifying again.",
    ),
    "unverified": (
        "未检验的附件：{files}。它们不在检验范围内。",
        "Not verified: {files}. They are no part of what was judged.",
    ),
    "seed_stated": (
        "演示种子：种子由规则写定，不是公开摇号。",
        "Demonstration seed: stated in the policy, not publicly drawn.",
    ),
    "written": ("已写入 {path}", "written to {path}"),
    "solved": (
        "{placed} 人录取，共 {applicants} 人；{opened} 个班开班，{closed} 个未开。",
        "{placed} of {applicants} placed; {opened} classes open, {closed} do not.",
    ),
    "out_is_round": (
        "{path} 是一轮的文件夹，不能把结果写在里面。请换一个 --out。",
        "{path} is the folder of a round, and nothing is written there. Choose another --out.",
    ),
    "not_empty": (
        "{path} 不是空文件夹，不会覆盖。请换一个名字。",
        "{path} is not empty and is not overwritten. Choose another name.",
    ),
    "format_unknown": (
        "看不出 {path} 是什么格式。请用 {option} 写明：glasgow、preflib 或 round。",
        "The format of {path} is unknown. Say {option} glasgow, preflib or round.",
    ),
    "file_missing": ("找不到文件 {path}。请核对路径。", "There is no file {path}."),
    "file_exists": (
        "{path} 已存在，不会覆盖。请换一个名字。",
        "{path} exists and is not overwritten. Choose another name.",
    ),
    "seats_unused": (
        "只有读 PrefLib 文件才用得着名额文件 {path}。请去掉 --capacities。",
        "Only a PrefLib file is read with a file of seats, {path}. Leave out --capacities.",
    ),
    "one_seat_each": (
        "没有名额文件 {path}，也没有写 --capacities：每个席位按 1 个名额。",
        "There is neither {path} nor --capacities: one seat for each program.",
    ),
    "lists_only": (
        "写出的是志愿、席位数和格式所能记的排位；规则、摇号种子和人员资料不在其中。",
        "Written are choices, seats and such priorities as the format has; not the rules, the seed of"
        " the lottery or what is known of people.",
    ),
    "coalition": (
        "班级 {order_class} 未开，但有 {willing} 人更想去，其中 {could_take} 人排得下（最低 {min_size} 人）。",
        "The class {order_class} is closed, yet {willing} people would rather be in it and {could_take} of"
        " them fit (minimum {min_size}).",
    ),
    "fairness_clear": (
        "没有高分落榜，也没有空位未用；其余各行都有规则上的原因，逐行见 fairness.csv。",
        "No justified envy and no waste; every other row has a reason in the rules, see fairness.csv.",
    ),
    "fairness_found": (
        "高分落榜和空位未用共 {pairs} 人次，逐行见 fairness.csv。",
        "Justified envy and waste: {pairs} pairs, every one in fairness.csv.",
    ),
    "chance_choice": (
        "第 {rank} 志愿 {program}：{share}（{times} 次；95% 区间 {low} 至 {high}）",
        "Choice {rank}, {program}: {share} ({times} draws; 95% interval {low} to {high})",
    ),
    "chance_adjusted": (
        "调剂到 {program}：{share}（{times} 次；95% 区间 {low} 至 {high}）",
        "Adjustment to {program}: {share} ({times} draws; 95% interval {low} to {high})",
    ),
    "chance_unplaced": (
        "未录取：{share}（{times} 次；95% 区间 {low} 至 {high}）",
        "Unplaced: {share} ({times} draws; 95% interval {low} to {high})",
    ),
    "chance_barred": (
        "第 {rank} 志愿 {program}：不符合条件（{rule}），没有机会。",
        "Choice {rank}, {program}: barred by a rule ({rule}), no chance.",
    ),
    "odds_note": (
        "以上由 {draws} 次模拟摇号数出，每次的种子都不同，也都不是正式摇号的种子。这是估计，不是承诺："
        "没有出现过的去向也可能有机会，只是多半低于 {least}；志愿、成绩、审核有变，机会也变。",
        "Counted over {draws} simulated draws, each with a seed of its own and none with that of the real"
        " draw. An estimate, no promise: what never came about may still be possible, most likely with a"
        " chance below {least}; and chances change with lists, scores and reviews.",
    ),
    "odds_drawn": (
        "这一轮的种子已定，结果也随之定了；这里说的是定种子之前的机会。",
        "This round has its seed, and with it its outcome; these are the chances before there was one.",
    ),
    "odds_set_aside": (
        "另有 {times} 次摇号的结果不能公布（没有完成或不唯一），没有计入。",
        "Besides, {times} draws had an outcome that could not be published (incomplete or not the only"
        " one); they are not counted.",
    ),
    "tries_cost": (
        "这一轮求解一次约 {seconds} 秒，每找一个数最多要试 {tries} 次；可按 Ctrl-C 停下，用 --tries 减少。",
        "Solving this round takes about {seconds} s, and to find one number up to {tries} solves. Ctrl-C"
        " stops it; --tries lowers that.",
    ),
    "as_changed": (
        "下面提到的表和行，是假设改动以后的；文件没有改。",
        "Tables and rows below are those of the round as supposed; no file was changed.",
    ),
    "odds_cost": (
        "这一轮每次摇号都要重新搜索，第一次用了 {seconds} 秒；{draws} 次、{workers} 个进程，估计还要 {hours} 小时"
        " {minutes} 分。可按 Ctrl-C 停下，改小 --draws 再来；次数少只是区间宽一些。",
        "Every draw of this round is a search of its own. The first took {seconds} s, so {draws} draws by"
        " {workers} processes will take about {hours} h {minutes} min more. Ctrl-C stops it; with a smaller"
        " --draws only the intervals get wider.",
    ),
    "odds_no_limit": (
        "这一轮每次摇号都要重新搜索，而且都搜索到底：limits.time_s 在这里不起作用，否则机会就取决于机器快慢。"
        "限时内求不出的一轮，一次摇号就可能要很久；可按 Ctrl-C 停下。",
        "Every draw of this round is a search of its own, and each goes to its end: limits.time_s plays no part"
        " here, or the odds would depend on the machine. Where solve does not end in time, a single draw may"
        " take very long; Ctrl-C stops it.",
    ),
    "odds_none": (
        "模拟的 {draws} 次摇号里，没有一次的结果能公布（没有完成或不唯一），所以没有机会可数。什么也没有写。",
        "Of {draws} simulated draws none had an outcome that could be published (incomplete or not the only"
        " one), so there is nothing to count. Nothing was written.",
    ),
    "workers_lost": (
        "一个计算进程中途没有了，多半是内存不够。什么也没有写；请用更小的 --workers 再试。",
        "A process was lost, most likely for want of memory. Nothing was written; try again with fewer"
        " --workers.",
    ),
    "files": ("完整内容在文件里：{files}", "complete in the files: {files}"),
    "not_enabled": ("未启用（没有数据来源）：", "not enabled (no source yet): "),
    "groups_overlap": (
        "注：一人可同时属于几类，各类相加不等于总人数。",
        "Note: a person may be in several groups, so the groups do not add up to everybody.",
    ),
    "forms_overlap": (
        "注：一人可同时报不同学习形式，各列相加不一定等于合计。",
        "Note: a person may list classes of several study forms, so the columns need not add up.",
    ),
    "blank": ("未填", "none"),
}  # fmt: skip
"""What the command line says."""

SENTENCES: dict[str, tuple[str, str]] = {
    **{f"issue.{code}": pair for code, pair in REMEDIES.items()},
    **{f"reason.{code}": pair for code, pair in REASONS.items()},
    **{f"guarantee.{code}": pair for code, pair in GUARANTEES.items()},
    **{f"whatif.{code}": pair for code, pair in WHATIF.items()},
    **{f"late.{code}": pair for code, pair in LATE.items()},
    **{f"conflict.{code}": pair for code, pair in CONFLICTS.items()},
    **{f"notice.{code}": pair for code, pair in NOTICES.items()},
    **{f"violation.{code}": pair for code, pair in FINDINGS.items()},
    **WORDS,
}
"""Every sentence and word, Chinese and English, by ``kind.code``."""

KINDS: dict[str, dict[str, str]] = {
    "placed_choice": {"seat": "seat"},
    "placed_adjusted": {"seat": "seat"},
    "below_score": {"seat": "seat"},
    "below_unscored": {"seat": "seat"},
    "below_tie": {"seat": "seat", "tie": "component"},
    "below_lottery": {"seat": "seat"},
    "tied": {"seat": "seat"},
    "tied_unscored": {"seat": "seat"},
    "cap_score": {"seat": "seat"},
    "cap_unscored": {"seat": "seat"},
    "cap_tie": {"seat": "seat", "tie": "component"},
    "cap_lottery": {"seat": "seat"},
    **{
        f"price_{code}": {"given": "given"}
        for code in ("confirmed", "unmoved", "placed", "reserves", "rank", "fit")
    },
    "price_rank_fewer": {"given": "given", "number": "choice"},
    "price_rank_more": {"given": "given", "number": "choice"},
    "barred_review": {"value": "review"},
    "barred_education": {"value": "education", "limit": "education"},
    "barred_skill_level": {"value": "skill", "limit": "skill"},
    "barred_study_form": {"value": "form", "limit": "form"},
    "barred_health": {"value": "health", "limit": "health"},
    "barred_absent": {"value": "component"},
    "tail_empty": {"scope": "scope"},
    "tail_exhausted": {"scope": "scope"},
    "tail_outweighed": {"scope": "scope"},
    "tail_passed": {"scope": "scope"},
}
"""Per reason, the numbers that are codes, and of which kind."""


def sentence(code: str, lang: Lang, **numbers: object) -> str:
    """The sentence of a code in a language.

    Raises
    ------
    KeyError
        If there is no such code, or a number that the sentence needs is missing.

    Examples
    --------
    >>> sentence("notice.valid", "en", warnings=2)
    'No errors; warnings: 2.'
    """
    return SENTENCES[code][lang == "en"].format(**numbers)


def placeholders(text: str) -> set[str]:
    """The names of the numbers that a sentence needs."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def word(kind: str, code: str, lang: Lang) -> str:
    """The name of a code of some kind; a code of the round's own stays as it is.

    >>> word("form", "FT", "zh"), word("group", "X1", "zh"), word("objective", "rank_2", "en")
    ('全日制', 'X1', 'choice 2')
    """
    if kind == "seat" and code != "open":
        return sentence("seat.reserved", lang, group=word("group", code, lang))
    if kind == "choice" and code.isdigit() and code != "0":
        return sentence("choice.n", lang, n=code)
    if kind == "education" and code in EDUCATIONS:
        code = str(EDUCATIONS[code])
    if kind in ("form", "health") and ";" in code:
        return "、".join(word(kind, part, lang) for part in code.split(";"))
    if kind in ("objective", "part") and code.startswith("rank_") and code != "rank_0":
        return sentence(f"{kind}.rank_n", lang, n=code.removeprefix("rank_"))
    if kind == "indicator":
        return sentence(f"indicator.{code}", lang, threshold="θ", groups="…")
    pair = SENTENCES.get(f"{kind}.{code}")
    return pair[lang == "en"] if pair else code


def of_reason(code: str, program: str, numbers: Mapping[str, object], lang: Lang) -> str:
    """What a reason of :mod:`matcher.explain` says."""
    kinds = KINDS.get(code, {})
    named: dict[str, object] = {}
    for name, value in numbers.items():
        shown = word(kinds[name], str(value), lang) if name in kinds else value
        shown = f"{shown:,}" if isinstance(shown, int) else shown
        named[name] = sentence("notice.blank", lang) if value == "" else shown
    if code in ("barred_age", "barred_class_age"):
        code += _age_side(str(numbers["value"]), str(numbers["limit"]))
    return sentence(f"reason.{code}", lang, program=program, **named)


def _age_side(value: str, limit: str) -> str:
    """Which side of a limit an age is on; no age is none."""
    if value in ("", "-1"):
        return "_unknown"
    return "_below" if int(value) < int(limit) else ""


def of_violation(violation: Mapping[str, Any], lang: Lang) -> str:
    """What a violation that the verifier found says."""
    code = str(violation["code"])
    said = defaultdict(lambda: "—", {k: _found(v, lang) for k, v in violation.items()})
    if code not in FINDINGS:
        details = (f"{name} {value}" for name, value in said.items() if name != "code")
        return sentence("found.other", lang, what=code, details=", ".join(details) or "—")
    return FINDINGS[code][lang == "en"].format_map(said)


def _found(value: object, lang: Lang) -> str:
    """One figure of a violation: a class as (opened, placed, minimum), a list, a number, a code."""
    if isinstance(value, list | tuple):
        if len(value) == 3 and isinstance(value[0], bool):
            code = "found.opened" if value[0] else "found.closed"
            return sentence(code, lang, placed=value[1], min_size=value[2])
        value = ", ".join(_found(entry, lang) for entry in value)
    if value is None or value == "":
        return sentence("found.none", lang)
    return f"{value:,}" if isinstance(value, int) else str(value)


def of_issue(issue: Issue, lang: Lang) -> str:
    """What an issue says, and how to mend it."""
    limit = issue.limit
    if issue.code == "unknown_reference":
        limit = {"zh": "、", "en": " or "}[lang].join(table_name(t, lang) for t in limit.split())
    return sentence(
        f"issue.{issue.code}", lang,
        table=table_name(issue.table, lang), row=issue.row,
        column=column_name(issue.table, issue.column, lang), value=shown_value(issue), limit=limit,
    )  # fmt: skip


def shown_value(issue: Issue) -> str:
    """The offending cell as lists and logs may show it: identity numbers without their middle."""
    personal = issue.column == "identity_number" and issue.code != "identity_scientific"
    return identity.masked(issue.value) if personal else issue.value


def table_name(table: str, lang: Lang) -> str:
    """A table as people know it."""
    if table in SCHEMA:
        return f"{SCHEMA[table].zh}表 {table}.csv" if lang == "zh" else f"{table}.csv"
    files = {"policy": ("规则 policy.toml", "policy.toml"), "draw": ("摇号 draw.json", "draw.json")}
    return files[table][lang == "en"] if table in files else table


def column_name(table: str, column: str, lang: Lang) -> str:
    """A column as its heading in Chinese and its name; a key of the policy as it is."""
    declared = SCHEMA[table].column(column) if table in SCHEMA else None
    return f"{declared.zh} {column}" if declared and lang == "zh" else column


def of_trust(code: str, lang: Lang) -> str:
    """What a claim that is TRUSTED asks to believe."""
    name, _, what = code.partition(":")
    if name == "after":
        what = word("claim", what, lang)
    return sentence(f"trusted.{name}", lang, what=what)
