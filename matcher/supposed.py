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
        "假设：班级 {order_class} 必须开班",
        "suppose: the class {order_class} is opened by decree",
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
    "not_missed": (
        "{applicant}：她现在的去向在 {program} 之上或就是 {program}，没有什么要问。",
        "{applicant}: she has {program}, or what she would rather have; there is nothing to ask.",
    ),
    "unlisted": (
        "{applicant} 没有填报 {program}。要看填报了会怎样，请用 --list {applicant}={program};…。",
        "{applicant} did not list {program}. To see what listing it would do, use"
        " --list {applicant}={program};….",
    ),
    "missed": ("{applicant} 第 {rank} 志愿 {program}：", "{applicant}, choice {rank}, {program}:"),
    "barred": (
        "不符合条件（{rule}），没有试算。",
        "barred by a rule ({rule}); nothing was tried.",
    ),
    "barred_by_line": ("不符合条件（{rule}）。", "barred by a rule ({rule})."),
    "score_enough": (
        "成绩达到 {need} 分就够，再低都不够（您：{have}；同分如何先后不变）。",
        "A score of {need} would have been enough, and nothing below it (you: {have}; what settles equal"
        " scores stays).",
    ),
    "score_found": (
        "成绩 {need} 分会够（您：{have}）。试算了 {tried} 个成绩，没有试遍，不保证没有更低的也够；可用 --tries 多试。",
        "A score of {need} would have been enough (you: {have}). {tried} scores were tried, not all, so a"
        " lower one may do as well; --tries tries more.",
    ),
    "score_withheld": (
        "成绩高一些就够。那里录取不足 5 人，不公布要多少分。",
        "A higher score would have been enough. Fewer than 5 were chosen there, so how high is not"
        " published.",
    ),
    "score_never": ("成绩再高也不够。", "No score would have been enough."),
    "score_not_found": (
        "试算了 {tried} 个成绩都不够；没有试遍，可用 --tries 多试。",
        "{tried} scores were tried and none is enough; not all were, --tries tries more.",
    ),
    "score_none": (
        "这一轮没有成绩，先后由摇号决定。",
        "The round has no scores; the lottery decides.",
    ),
    "score_no_part": (
        "系统优化的目标不看成绩：成绩只用于判断是否符合条件。改变结果的是志愿次序、契合度、预留席位、席位数和摇号。",
        "No score enters the objective of `optimal`; scores only decide who is eligible. Ranks, fit, reserves,"
        " seats and the lottery change the outcome.",
    ),
    "there": (
        "安排她去那里的最好方案：{parts}；共 {moves} 人的去向不同。",
        "The best plan that has her there: {parts}; {moves} people are elsewhere in it.",
    ),
    "there_lottery": (
        "安排她去那里的最好方案同样好，只是摇号不选它；共 {moves} 人的去向不同。",
        "The best plan that has her there is as good but for the lottery; {moves} people are elsewhere in it.",
    ),
    "there_never": (
        "没有方案能安排她去那里：没有她可以用的席位。",
        "No plan can have her there: no seat is open to her.",
    ),
    "not_monotone": (
        "（开班会随之变化，更高的成绩不一定也够。）",
        "(Which classes open may change with it: a higher score need not be enough.)",
    ),
    "seat_enough": (
        "那里多一个席位就够；另有 {others} 人的去向会变。",
        "One more seat there would have been enough; {others} others would move.",
    ),
    "seat_not_enough": (
        "那里多一个席位也不够。", "One more seat there would not have been enough.",
    ),
    "order_first": (
        "它本来就在志愿表最前面，没有更靠前的次序。",
        "It stands first on her list already.",
    ),
    "order_same": (
        "把它放到志愿表最前面，去向不变。",
        "With it first on her list she would be where she is.",
    ),
    "order_moves": (
        "把它放到志愿表最前面，会到：{program}（{change}）。",
        "With it first on her list she would be at: {program} ({change}).",
    ),
    "order_only": (
        "（志愿次序只试了把每个志愿放到最前面；其他次序可用 --list 试。）",
        "(Of other orders only those with one choice put first were tried; --list tries any.)",
    ),
    "order_better": (
        "{applicant} 的志愿改为 {entries}，会到：{program}（{change}）。",
        "{applicant} would be at {program} ({change}) with the list {entries}.",
    ),
    "orders_none": (
        "{applicant}：试过的其他次序都不能去更想去的地方。",
        "{applicant}: no other order that was tried leads where she would rather be.",
    ),
    "orders_tried": (
        "（另试了 {tried} 种次序：其余志愿放到最前，相邻两个对换；没有试遍，其他次序可用 --list 试。）",
        "({tried} other orders were tried: other choices put first, neighbours exchanged. There are more;"
        " --list tries any.)",
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
    "class_few": (
        "班级 {order_class} 未开班，也开不了：最低 {min_size} 人，"
        "报了它或可以调剂到它、且符合条件的最多能录 {reach} 人。",
        "The class {order_class} did not open, and could not: its minimum is {min_size}, and of the eligible"
        " people who listed it or can be adjusted there it could take {reach} at most.",
    ),
    "class_saves": (
        "班级 {order_class} 未开班（最低 {min_size} 人）：重新开它会有 {placed} 人，而 {others} 就会达不到最低人数。",
        "The class {order_class} (minimum {min_size}) did not open: reopened it would have {placed} people,"
        " and {others} would fall short.",
    ),
    "class_unopened": (
        "班级 {order_class} 未开班：最低 {min_size} 人，不开它整体方案最好。",
        "The class {order_class} (minimum {min_size}) did not open: the best plan does without it.",
    ),
    "class_more": (
        "再有 {number} 人只报它就能开班，再少都不能。",
        "With {number} more people who list it alone it would open, with fewer not.",
    ),
    "class_more_found": (
        "再有 {number} 人只报它就能开班。", "With {number} more people who list it alone it would open.",
    ),
    "class_more_never": (
        "再多人报也开不了：席位或总量上限不允许。",
        "No number of further people would open it: seats or caps do not allow it.",
    ),
    "class_lower": (
        "最低人数不超过 {number} 人就能开班，{more} 人就不能。",
        "With a minimum of {number} it would open, with {more} not.",
    ),
    "class_lower_found": (
        "最低人数不超过 {number} 人就能开班。", "With a minimum of {number} it would open.",
    ),
    "class_lower_never": (
        "最低人数再低也开不了。", "No lower minimum would open it.",
    ),
    "class_not_sure": (
        "（试算了 {tried} 种，没有试遍，不保证没有更少的也够；可用 --tries 多试。）",
        "({tried} cases were tried, not all, so less may do; --tries tries more.)",
    ),
    "class_not_found": (
        "试算了 {tried} 种都不够；没有试遍，可用 --tries 多试。",
        "{tried} cases were tried and none is enough; not all were, --tries tries more.",
    ),
    "decree": (
        "必须开 {order_class} 时的最好方案：{parts}；{moves} 人的去向会变。",
        "The best plan with {order_class} opened by decree: {parts}; {moves} people would move.",
    ),
    "decree_lottery": (
        "必须开 {order_class} 时的最好方案同样好，只是摇号不选它；{moves} 人的去向会变。",
        "The best plan with {order_class} opened by decree is as good but for the lottery; {moves} people"
        " would move.",
    ),
    "decree_refused": (
        "{order_class} 不能必须开班，原因见下。", "{order_class} cannot be opened by decree, for this reason:",
    ),
    "decree_impossible": (
        "{order_class} 不能必须开班：没有方案能满足全部硬性要求。",
        "{order_class} cannot be opened by decree: no plan keeps all hard requirements.",
    ),
    "unasked": (
        "结果不能公布，不在它上面试算“怎样才够”。限时内没有做完的，请放宽时限（--time-s）再问。",
        "The outcome is not publishable, so nothing was tried on it. If it was cut short, allow more time"
        " (--time-s) and ask again.",
    ),
    "cut_short": (
        "（有的试算到了限度还没有做完，用的是到那时为止最好的结果；以上不是定论。）",
        "(Some searches were cut short, and their best result so far was used; none of this is certain.)",
    ),
    # --- of seats
    "seats_cut": (
        "标 {sign} 的 {number} 处到了限度还没有算完，用的是到那时为止最好的结果，不是定论。",
        "At the {number} programs marked {sign} the search was cut short; the best result so far was used,"
        " and the value is not certain.",
    ),
    "seats_idle": (
        "其余 {number} 处多一个席位，没有人的去向会变（其中 {proven} 处不必重算就能证明）。",
        "At the other {number} programs nobody would move (at {proven} of them by proof, without a second"
        " solve).",
    ),
    "prices_none": (
        "总量上限或有最低人数的班互相交叉，单个席位没有价格。",
        "As caps, or caps and classes with a minimum, cross, a seat has no price of its own.",
    ),
    "prices": (
        "“少一席”是普通席位的价格：开班不变时整体方案的变化。“多一席”是重新求解的结果；开班不变时不会超过价格。",
        "“One less” is the price of an open seat: what changes with one less, the same classes open. “One more”"
        " is solved again; with the same classes open it gains no more than the price.",
    ),
}  # fmt: skip
"""Sentences by code, Chinese and English."""
