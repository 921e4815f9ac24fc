"""What is said of a changed round and of what would have been enough, Chinese and English.

The codes are those of :mod:`matcher.whatif_screen`.
"""

from __future__ import annotations

WHATIF: dict[str, tuple[str, str]] = {
    # --- what was changed
    "seats": ("假设：{program} 席位 {more}", "suppose: {program} has {more} seats"),
    "score": (
        "假设：{applicant} 在 {at} 的{component}为 {value}",
        "suppose: {applicant} has {value} in {component} at {at}",
    ),
    "withdraw": ("假设：{applicant} 退出", "suppose: {applicant} withdraws"),
    "close": ("假设：班级 {order_class} 不招人", "suppose: the class {order_class} takes nobody"),
    "open": (
        "假设：班级 {order_class} 不论人数都开",
        "suppose: the class {order_class} is kept open",
    ),
    "list": ("假设：{applicant} 的志愿为 {entries}", "suppose: {applicant} lists {entries}"),
    "kept": (
        "班级 {order_class} 会有 {placed} 人（原最低 {min_size} 人）。",
        "The class {order_class} would have {placed} people (its minimum was {min_size}).",
    ),
    "nobody_moves": ("没有人的去向改变。", "Nobody moves."),
    # --- to an applicant
    "none_missed": (
        "{applicant}：没有更想去而未录上的志愿。",
        "{applicant}: no choice that she would rather have was missed.",
    ),
    "missed": ("{applicant} 第 {rank} 志愿 {program}：", "{applicant}, choice {rank}, {program}:"),
    "barred": (
        "不符合条件（{rule}），没有试算。",
        "barred by a rule ({rule}); nothing was tried.",
    ),
    "score_enough": (
        "成绩达到 {need} 分就够，再低一点就不够（您：{have}）。",
        "A score of {need} would have been enough, and the next below it not (you: {have}).",
    ),
    "score_withheld": (
        "成绩高一些就够。那里录取不足 5 人，不公布要多少分。",
        "A higher score would have been enough. Fewer than 5 were chosen there, so how high is not"
        " published.",
    ),
    "score_never": ("成绩再高也不够。", "No score would have been enough."),
    "score_none": (
        "这一轮没有成绩，先后由摇号决定。",
        "The round has no scores; the lottery decides.",
    ),
    "not_sure": (
        "（试算了 {tried} 个成绩；有最低人数、总量上限、合格线或系统优化时，不保证没有更低的也够。）",
        "({tried} scores were tried. With minimum sizes, caps, pass lines or `optimal` a lower one may"
        " do as well.)",
    ),
    "not_monotone": (
        "（试算中也有更高的成绩反而不够。）",
        "(A higher score that was tried is not enough.)",
    ),
    "seat_enough": (
        "那里多一个席位就够；另有 {others} 人的去向会变。",
        "One more seat there would have been enough; {others} others would move.",
    ),
    "seat_not_enough": (
        "那里多一个席位也不够。", "One more seat there would not have been enough.",
    ),
    "order_first": (
        "它本来就在志愿表最前面，换次序没有用。",
        "It stands first on her list already; no other order could help.",
    ),
    "order_same": (
        "把它放到志愿表最前面，去向不变。",
        "With it first on her list she would be where she is.",
    ),
    "order_moves": (
        "把它放到志愿表最前面，会到：{program}（{change}）。",
        "With it first on her list she would be at: {program} ({change}).",
    ),
    # --- of a class
    "class_open": (
        "班级 {order_class} 已开班，{placed} 人。",
        "The class {order_class} opened, with {placed} people.",
    ),
    "class_closed": (
        "班级 {order_class} 未开班：{placed} 人，最低 {min_size} 人。",
        "The class {order_class} did not open: {placed} people, minimum {min_size}.",
    ),
    "class_more": (
        "再有 {number} 人只报它就能开班，少一人就不能。",
        "With {number} more people who list it alone it would open, with one fewer not.",
    ),
    "class_more_never": (
        "再多人报也开不了：席位或总量上限不允许。",
        "No number of further people would open it: seats or caps do not allow it.",
    ),
    "class_lower": (
        "最低人数不超过 {number} 人就能开班，{more} 人就不能。",
        "With a minimum of {number} it would open, with {more} not.",
    ),
    "class_lower_never": (
        "最低人数再低也开不了。", "No lower minimum would open it.",
    ),
    "class_not_sure": (
        "（试算了 {tried} 种；人少反而够的情形不能全部排除。）",
        "({tried} cases were tried; that less would do is not ruled out.)",
    ),
}  # fmt: skip
"""Sentences by code, Chinese and English."""
