"""What is said of requirements that cannot all be kept, Chinese and English.

The codes are those of :class:`matcher.requirements.Requirement`, and how :mod:`matcher.conflicts` frames
them.
"""

from __future__ import annotations

CONFLICTS: dict[str, tuple[str, str]] = {
    # --- around the list
    "none": (
        "没有冲突：各项硬性要求可以同时满足（已找到一种安排，并逐项核对）。",
        "No conflict: all hard requirements can be kept together (places were found and checked one by"
        " one).",
    ),
    "smallest": (
        "下列 {n} 项要求不能同时满足。这是最少的一组，没有更少的几项就会冲突：",
        "These {n} requirements cannot all be kept. No smaller set of requirements conflicts:",
    ),
    "irreducible": (
        "下列 {n} 项要求不能同时满足，缺了哪一项都不再冲突（未能证明这是最少的一组）：",
        "These {n} requirements cannot all be kept, and without any one of them the others can (that no"
        " smaller set conflicts is not proven):",
    ),
    "alone": (
        "下面这 {n} 项要求单独就做不到：",
        "This requirement cannot be kept even alone ({n}):",
    ),
    "then": (
        "放宽其中任何一项，这一组就不再冲突；别处可能另有冲突，改好后请再运行一次。",
        "Giving way in any one of them ends this conflict. There may be others elsewhere: mend it and run"
        " this again.",
    ),
    "unsure": (
        "没有找到录取办法，而冲突在哪里，两个求解器说法不一；什么也没有写。请核对硬性要求后再运行。",
        "No placement was found, and two solvers disagree on what conflicts; nothing was written. Check the"
        " hard requirements and run again.",
    ),
    "row": ("{table} 第 {row} 行：", "{table}, row {row}: "),
    "table": ("{table}：", "{table}: "),
    # --- what is asked for
    "confirmed": (
        "申请人 {applicant} 已确认，保留在席位 {program}。请核实；可以放弃的，删去这一行。",
        "Confirmed, and to keep {program}: {applicant}. Check it; where it can be given up, delete the row.",
    ),
    "barred": (
        "按“{rule}”的规则，申请人 {applicant} 不能去席位 {program}（其值 {value}，界限 {limit}）。请核对资料；"
        "可以个案审批的，请补审批。",
        "By the rule “{rule}” the applicant {applicant} cannot be at {program} (value {value}, limit"
        " {limit}). Check the data, or add an approval where one is possible.",
    ),
    "unlisted": (
        "申请人 {applicant} 没有填报席位 {program}，也不能调剂到那里。请向本人核实，补上志愿。",
        "The applicant {applicant} did not list {program} and cannot be adjusted there. Ask the applicant"
        " and add the choice.",
    ),
    "must_open": (
        "班级 {order_class} 必须开班；报了它或可以调剂到它、且符合条件的有 {people} 人。"
        "请扩大生源，或把“必须开班”改为 0。",
        "The class {order_class} must open; {people} eligible people listed it or can be adjusted there."
        " Win more, or set must_open to 0.",
    ),
    "must_fill": (
        "席位 {program} 预留给“{group}”的 {seats} 个名额必须录满；这一类别里报了它或可以调剂到它、"
        "且符合条件的有 {people} 人。请减少预留，或把“必须录满”改为 0。",
        "The {seats} seats of {program} reserved for {group} must be filled; {people} eligible people of"
        " that group listed it or can be adjusted there. Reserve fewer, or set must_fill to 0.",
    ),
    # --- limits
    "min_size": (
        "班级 {order_class} 有人就至少要 {min_size} 人；报了它或可以调剂到它、且符合条件的有 {people} 人。"
        "请改小最低开班人数。",
        "The class {order_class} needs {min_size} people once it has any; {people} eligible people listed it"
        " or can be adjusted there. Lower the minimum.",
    ),
    "hard_reserve": (
        "席位 {program} 有 {seats} 个名额只留给“{group}”，空着也不给别人。请减少这项预留，或改为可释放（0）。",
        "At {program}, {seats} seats are for {group} alone and go to nobody else. Reserve fewer, or let"
        " them go to others (0).",
    ),
    "capacity": (
        "席位 {program} 只有 {seats} 个名额。请增加席位。",
        "The program {program} has room for {seats}. Add seats.",
    ),
    "cap": (
        "总量上限 {cap} 最多 {seats} 人。请调高上限。",
        "The cap {cap} allows {seats} at most. Raise it.",
    ),
    "one_place": (
        "每个人只能有一个去处。请不要让一个人顶两处。",
        "Everybody has one place. Do not count one person twice.",
    ),
}  # fmt: skip
"""Chinese and English by code."""
