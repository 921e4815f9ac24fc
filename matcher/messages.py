"""Sentences: what every code means, in Chinese and in English, put on at the edge.

The core speaks in codes and numbers; here, and nowhere else, they become words.  The remedies of issues
stand in :mod:`matcher.remedies`, short names in :mod:`matcher.words`.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Literal

from .remedies import REMEDIES
from .tables import EDUCATIONS, SCHEMA, Issue
from .words import WORDS

Lang = Literal["zh", "en"]

REASONS: dict[str, tuple[str, str]] = {
    # --- what became of her
    "placed_choice": (
        "第 {rank} 志愿录取：{program}，{seat}。争取这个席位的人里您排第 {standing}，席位 {capacity} 个。",
        "Placed by choice {rank}: {program}, {seat}. Of those who wanted it you stand at {standing};"
        " it has {capacity} seats.",
    ),
    "placed_adjusted": (
        "调剂录取：{program}，{seat}。争取这个席位的人里您排第 {standing}，席位 {capacity} 个。",
        "Placed by adjustment: {program}, {seat}. Of those who wanted it you stand at {standing}; it"
        " has {capacity} seats.",
    ),
    "not_reached": (
        "未录取：符合条件的志愿都没有录上，原因如下。",
        "Not placed: no choice open to you could be reached, for these reasons.",
    ),
    "all_barred": (
        "未录取：所填志愿都不符合条件，原因如下。",
        "Not placed: a rule bars every choice, for these reasons.",
    ),
    "no_choice": (
        "未录取：没有填志愿。",
        "Not placed: nothing was listed.",
    ),
    "by_relaxed": (
        "您按放宽的年龄录取。",
        "You were admitted by a relaxed age limit.",
    ),
    "by_approval": (
        "您经个案审批录取。",
        "You were admitted by an approval in your case.",
    ),
    # --- below the cutoff
    "below_score": (
        "第 {rank} 志愿 {program} 录满：录取末位 {last_score} 分，您 {score} 分（{seat}）。",
        "Choice {rank}, {program}, is full: the last placed has {last_score}, you have {score} ({seat}).",
    ),
    "below_unscored": (
        "第 {rank} 志愿 {program} 录满：录取末位 {last_score} 分，您没有成绩，排在有成绩的人之后（{seat}）。",
        "Choice {rank}, {program}, is full: the last placed has {last_score}; without a score you come"
        " after all who have one ({seat}).",
    ),
    "below_tie": (
        "第 {rank} 志愿 {program} 录满：您与末位同为 {score} 分，比{tie}，末位 {last_value}，您 {value}（{seat}）。",
        "Choice {rank}, {program}, is full: you and the last placed both have {score}; by {tie} the last"
        " has {last_value}, you have {value} ({seat}).",
    ),
    "below_lottery": (
        "第 {rank} 志愿 {program} 录满：您与末位分数全同，按摇号，末位 {last_lottery} 号，您 {lottery} 号（{seat}）。",
        "Choice {rank}, {program}, is full: your scores equal those of the last placed; in the lottery"
        " the last is number {last_lottery}, you are number {lottery} ({seat}).",
    ),
    "below_few": (
        "第 {rank} 志愿 {program} 录满：您低于末位（您 {score} 分，摇号 {lottery} 号）。录取不足 5 人，不公布录取线。",
        "Choice {rank}, {program}, is full and you come after the last placed (score {score}, lottery"
        " number {lottery}). Fewer than 5 were chosen, so the cutoff is not published.",
    ),
    "no_seat": (
        "第 {rank} 志愿 {program} 没有您可以用的席位。",
        "Choice {rank}, {program}, has no seat that is open to you.",
    ),
    # --- other causes
    "class_closed": (
        "第 {rank} 志愿 {program} 未开班：班级 {order_class} 至少 {min_size} 人，只有 {placed} 人，差 {shortfall} 人"
        "（第 {step} 个停开）。",
        "Choice {rank}, {program}: its class {order_class} did not open. It needs {min_size} people and"
        " had {placed}, {shortfall} short (closed as number {step}).",
    ),
    "cap_full": (
        "第 {rank} 志愿 {program} 受总量上限“{cap}”限制，{seats} 人已满。",
        "Choice {rank}, {program}, is under the cap {cap}, whose {seats} places are full.",
    ),
    "price": (
        "第 {rank} 志愿 {program}：安排您去，整体方案至少要损失“{component}”{loss}。",
        "Choice {rank}, {program}: to place you there would cost the whole plan at least {loss} in"
        " {component}.",
    ),
    "price_even": (
        "第 {rank} 志愿 {program}：安排您去，整体方案不会更好；同样好的方案之间由摇号决定。",
        "Choice {rank}, {program}: no plan with you there is better; between equally good ones the"
        " lottery decides.",
    ),
    # --- barred by a rule
    "barred_review": (
        "第 {rank} 志愿 {program}：资格审核未通过（{value}）。",
        "Choice {rank}, {program}: the review was not passed ({value}).",
    ),
    "barred_rejected": (
        "第 {rank} 志愿 {program}：企业考核不合格（{value}）。",
        "Choice {rank}, {program}: rejected after the interview ({value}).",
    ),
    "barred_membership": (
        "第 {rank} 志愿 {program}：院校或企业的联盟成员资格已于 {value} 到期（核对日 {limit}）。",
        "Choice {rank}, {program}: its college or enterprise was a member until {value} only (checked"
        " on {limit}).",
    ),
    "barred_age": (
        "第 {rank} 志愿 {program}：年龄不符，您 {value} 岁，限 {limit} 岁。",
        "Choice {rank}, {program}: you are {value} years old, the limit is {limit}.",
    ),
    "barred_approval": (
        "第 {rank} 志愿 {program}：您 {value} 岁，超过 {limit} 岁须个案审批，目前没有批准。",
        "Choice {rank}, {program}: you are {value}; above {limit} an approval is needed, and there is"
        " none.",
    ),
    "barred_class_age": (
        "第 {rank} 志愿 {program}：您 {value} 岁，班级限 {limit} 岁。",
        "Choice {rank}, {program}: you are {value}, the class's limit is {limit}.",
    ),
    "barred_education": (
        "第 {rank} 志愿 {program}：学历不够，您 {value}，要求 {limit}。",
        "Choice {rank}, {program}: your education is {value}, asked is {limit}.",
    ),
    "barred_skill_level": (
        "第 {rank} 志愿 {program}：技能等级不够，您 {value}，要求 {limit}。",
        "Choice {rank}, {program}: your skill level is {value}, asked is {limit}.",
    ),
    "barred_study_form": (
        "第 {rank} 志愿 {program}：这个班是{limit}，您接受的是{value}。",
        "Choice {rank}, {program}: the class is {limit}, you accept {value}.",
    ),
    "barred_health": (
        "第 {rank} 志愿 {program}：缺身体条件 {value}（岗位要求 {limit}）。",
        "Choice {rank}, {program}: the health condition {value} is not met (the post asks {limit}).",
    ),
    "barred_minor": (
        "第 {rank} 志愿 {program}：岗位禁用未成年工，上岗时您 {value} 岁，须满 {limit} 岁。",
        "Choice {rank}, {program}: the post is forbidden to minors; you will be {value}, not {limit},"
        " when the work starts.",
    ),
    "barred_work_age": (
        "第 {rank} 志愿 {program}：实习或入职时您 {value} 岁，须满 {limit} 岁。",
        "Choice {rank}, {program}: you will be {value} when the work starts; {limit} is the least.",
    ),
    "barred_channel": (
        "第 {rank} 志愿 {program}：您没有考核通道“{limit}”的成绩。",
        "Choice {rank}, {program}: you have no score in the channel {limit}.",
    ),
    "barred_absent": (
        "第 {rank} 志愿 {program}：{value}缺考，按规则不录取。",
        "Choice {rank}, {program}: you were absent from {value}, which bars by the policy.",
    ),
    "barred_interview": (
        "第 {rank} 志愿 {program}：面试 {value} 分，合格线 {limit} 分。",
        "Choice {rank}, {program}: your interview has {value}, the line is {limit}.",
    ),
    "barred_total": (
        "第 {rank} 志愿 {program}：综合成绩 {value}，合格线 {limit} 分。",
        "Choice {rank}, {program}: your score is {value}, the line is {limit}.",
    ),
    # --- adjustment
    "no_consent": (
        "您没有同意调剂，所以没有安排其他席位。",
        "You did not consent to adjustment, so no other seat was tried.",
    ),
    "tail_empty": (
        "您同意调剂（{scope}），但范围内没有您符合条件的其他席位。",
        "You consented to adjustment ({scope}), but no other seat within it is open to you.",
    ),
    "tail_exhausted": (
        "您同意调剂（{scope}）：试了 {considered} 个席位，{full} 个录满，{closed} 个未开班，{cap} 个受总量上限限制。",
        "You consented to adjustment ({scope}): of {considered} seats tried {full} were full, {closed}"
        " in closed classes, {cap} under a full cap.",
    ),
    "tail_outweighed": (
        "您同意调剂（{scope}）：{considered} 个席位都考虑过，安排您会使整体方案变差。",
        "You consented to adjustment ({scope}): {considered} seats were considered; placing you in any"
        " would make the whole plan worse.",
    ),
    "tail_passed": (
        "您同意调剂（{scope}）：排在前面的 {considered} 个席位没有录上。",
        "You consented to adjustment ({scope}): {considered} seats before this one were not reached.",
    ),
}  # fmt: skip
"""What :mod:`matcher.explain` says to an applicant."""

GUARANTEES: dict[str, tuple[str, str]] = {
    "no_justified_envy": (
        "已开的班里，没有人被排在后面的人占了更想去的席位。",
        "In open classes nobody loses a seat she prefers to somebody below her.",
    ),
    "no_waste": (
        "已开的班里，没有空着而有人更想去的席位。",
        "In open classes no seat stays empty that somebody would rather have.",
    ),
    "best_for_all": (
        "总量上限未起作用时，对每个人都是这类结果里最好的。",
        "Where no cap binds, nobody could do better in any such outcome.",
    ),
    "honest_lists_safe": (
        "开哪些班既定、志愿够填时，如实填报最有利。",
        "For given open classes, an honest list that is long enough is her best.",
    ),
    "queue_respected": (
        "按考核通道排队，没有人羡慕排在自己后面的人。",
        "Nobody envies anybody behind her in the queue of her channel.",
    ),
    "honest_full_lists_safe": (
        "志愿不被截短时，如实填报最有利。",
        "Honest lists are safe where they are not cut short.",
    ),
    "objective_optimal": (
        "按公布的目标次序，没有更好的方案，有证书可查。",
        "No plan is better by the published objectives; the certificate shows it.",
    ),
    "envy_listed": (
        "可能有人被排在后面的人占了席位，公平性核查表逐对列出。",
        "Some may lose a seat to somebody below them; the fairness sheet lists every pair.",
    ),
    "lists_not_safe": (
        "策略性填报可能占便宜。",
        "Lists can be gamed.",
    ),
}  # fmt: skip
"""What a mechanism promises."""

NOTICES: dict[str, tuple[str, str]] = {
    "demo": ("演示数据，不得用作统计", "demonstration data, not for any statistics"),
    "folder_missing": ("找不到文件夹 {path}。请核对路径。", "There is no folder {path}."),
    "not_a_folder": (
        "{path} 不是文件夹。请给出一轮的文件夹。", "{path} is not a folder. Give the folder of a round.",
    ),
    "unreadable": (
        "{path} 读不了（{why}）。请检查权限和文件是否完好。",
        "{path} cannot be read ({why}). Check its permissions and whether it is whole.",
    ),
    "unwritable": (
        "{path} 写不了（{why}）。请检查权限和磁盘空间。",
        "{path} cannot be written ({why}). Check permissions and free space.",
    ),
    "not_a_result": (
        "{path} 已存在，但不是录取结果，不会覆盖。请换一个 --out。",
        "{path} exists and is no result, so it is not overwritten. Choose another --out.",
    ),
    "result_missing": (
        "还没有结果 {path}。请先运行：{command}",
        "There is no result {path} yet. First run: {command}",
    ),
    "result_malformed": (
        "结果文件夹 {path} 不完整或被改过（{why}）。请重新运行 solve。",
        "The result {path} is incomplete or was changed ({why}). Run solve again.",
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
    "written": ("已写入 {path}", "written to {path}"),
    "solved": (
        "{placed} 人录取，共 {applicants} 人；{opened} 个班开班，{closed} 个未开。",
        "{placed} of {applicants} placed; {opened} classes open, {closed} do not.",
    ),
    "not_empty": (
        "{path} 不是空文件夹，不会覆盖。请换一个名字。",
        "{path} is not empty and is not overwritten. Choose another name.",
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
    "files": ("完整内容在文件里：{files}", "complete in the files: {files}"),
    "not_enabled": ("未启用（没有数据来源）：{names}", "not enabled (no source yet): {names}"),
    "blank": ("未填", "none"),
}  # fmt: skip
"""What the command line says."""

SENTENCES: dict[str, tuple[str, str]] = {
    **{f"issue.{code}": pair for code, pair in REMEDIES.items()},
    **{f"reason.{code}": pair for code, pair in REASONS.items()},
    **{f"guarantee.{code}": pair for code, pair in GUARANTEES.items()},
    **{f"notice.{code}": pair for code, pair in NOTICES.items()},
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
    "price": {"component": "objective"},
    "barred_review": {"value": "review"},
    "barred_education": {"value": "education", "limit": "education"},
    "barred_skill_level": {"value": "skill", "limit": "skill"},
    "barred_study_form": {"value": "form", "limit": "form"},
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
    if kind == "form" and ";" in code:
        return "、".join(word(kind, part, lang) for part in code.split(";"))
    if kind == "objective" and code.startswith("rank_"):
        return sentence("objective.rank_n", lang, n=code.removeprefix("rank_"))
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
        named[name] = sentence("notice.blank", lang) if shown == "" else shown
    return sentence(f"reason.{code}", lang, program=program, **named)


def of_issue(issue: Issue, lang: Lang) -> str:
    """What an issue says, and how to mend it."""
    return sentence(
        f"issue.{issue.code}", lang,
        table=table_name(issue.table, lang), row=issue.row,
        column=column_name(issue.table, issue.column, lang), value=issue.value, limit=issue.limit,
    )  # fmt: skip


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
