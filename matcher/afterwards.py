"""What is said after a result: what is kept, who is called, what the next round has.

The codes are those of :mod:`matcher.late`; Chinese and English.
"""

from __future__ import annotations

LATE: dict[str, tuple[str, str]] = {
    # --- what was to be kept
    "keep_malformed": (
        "{path} 里没有完好的 placements.csv（没有，或改动过，与 result.json 的摘要不符），不能当作原结果。"
        "请给出原结果的文件夹。",
        "{path} has no sound placements.csv (there is none, or it was changed and is not what result.json"
        " says) and is no earlier result. Give the folder of one.",
    ),
    "other_round": (
        "{path} 是轮次“{name}”的结果，这一轮是“{own}”。请给出这一轮的结果。",
        "{path} is a result of the round {name}, and this one is {own}. Give a result of this round.",
    ),
    "out_is_kept": (
        "{path} 是要保留的原结果，不会覆盖。请换一个 --out。",
        "{path} is the earlier result and is not overwritten. Choose another --out.",
    ),
    "gone_applicant": (
        "{applicant} 原在 {program}：此人已不在这一轮，不能保留。",
        "{applicant}, before at {program}: no longer in the round, so it cannot be kept.",
    ),
    "gone_program": (
        "{applicant} 原在 {program}：这个席位已不在这一轮，不能保留。",
        "{applicant}, before at {program}: the program is no longer in the round, so it cannot be kept.",
    ),
    "gone_barred": (
        "{applicant} 原在 {program}：现在不符合条件（{rule}），不能保留。",
        "{applicant}, before at {program}: now barred by a rule ({rule}), so it cannot be kept.",
    ),
    "gone_declined": (
        "{applicant} 原在 {program}：本人已放弃，不再保留。",
        "{applicant}, before at {program}: gave it up, so it is not kept.",
    ),
    "gone_list": (
        "{applicant} 原在 {program}：现在的志愿和调剂范围里没有它，不能保留。",
        "{applicant}, before at {program}: not in her list or adjustment now, so it cannot be kept.",
    ),
    "lost_confirmed": (
        "{applicant} 已确认在 {program}：与其余已确认的合在一起排不下。",
        "{applicant}, confirmed at {program}: cannot be had together with the other confirmed places.",
    ),
    "cannot_keep": (
        "已确认的录取有 {number} 个不能保留，什么也没有写。请改正数据；确要让步，请加 --soft。",
        "Confirmed places that cannot be kept: {number}. Nothing was written. Mend the data, or give way"
        " with --soft.",
    ),
    "accepted_since": (
        "{applicant} 已确认 {program}（原结果未录取），以确认的为准。",
        "{applicant} has confirmed {program} (unplaced in the earlier result); what is confirmed counts.",
    ),
    "accepted_instead": (
        "{applicant} 已确认 {program}（原结果：{before}），以确认的为准。",
        "{applicant} has confirmed {program} ({before} in the earlier result); what is confirmed counts.",
    ),
    "given_up": (
        "{applicant} 已确认的 {program} 没有保留。",
        "The confirmed place of {applicant} at {program} is given up.",
    ),
    "more_gone": ("另有 {number} 个原录取不能保留。", "Earlier placements that cannot be kept besides: {number}."),
    "nobody_moves": ("没有人的去向改变。", "Nobody's place changes."),
    # --- the waiting list
    "waiting": (
        "{programs} 个席位有人候补，共 {people} 人；空位 {free} 个，这一次递补 {called} 人。",
        "People wait at {programs} programs, {people} people in all; {free} seats are free, {called} people"
        " are called now.",
    ),
    "place": (
        "{applicant} 在 {program} 候补第 {place} 位，共 {number} 人（空出的是{seat}时）。",
        "{applicant} is number {place} of {number} waiting at {program} (when the seat that comes free is:"
        " {seat}).",
    ),
    "called": ("{applicant} 这一次递补到 {program}。", "{applicant} is called to {program} now."),
    "not_waiting": (
        "{applicant} 不在任何候补名单上。", "{applicant} is on no waiting list.",
    ),
    # --- the next round
    "next_round": (
        "下一轮“{name}”：{people} 人可填报，{seats} 个席位；另有 {frozen} 人保留录取，不在其中。",
        "Next round {name}: {people} people may list, for {seats} seats; {frozen} others keep their places"
        " and are not in it.",
    ),
    "undrawn": (
        "下一轮要另行公开摇号。摇号之前请用 validate --before-draw 校验。",
        "The next round needs a draw of its own. Until then, check it with validate --before-draw.",
    ),
    "nothing_left": (
        "没有人或没有席位剩下，不用再开一轮；什么也没有写。",
        "Nobody or no seat is left for another round; nothing was written.",
    ),
}  # fmt: skip
"""Chinese and English by code."""
