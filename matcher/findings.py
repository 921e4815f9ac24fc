"""What each violation that the verifier finds means: one entry per code, Chinese and English.

``{stated}`` and ``{value}`` are what the result says, ``{own}`` is what the verifier computed.
"""

from __future__ import annotations

FINDINGS: dict[str, tuple[str, str]] = {
    # --- files that make no sense
    "column": ("{file} 有不认识或重复的列 {column}", "{file} has an unknown or repeated column {column}"),
    "column_missing": ("{file} 缺少列 {column}", "{file} lacks the column {column}"),
    "blank": ("{file} 第 {row} 行缺少必填的格", "{file}, row {row}: a required cell is blank"),
    "twice": ("{file} 第 {row} 行与前面的行重复", "{file}, row {row} repeats an earlier row"),
    "type": ("{what} 的类型不对", "{what} is of the wrong type"),
    "number": ("{what} 不是合用的数：{value}", "{what} is not a fitting number: {value}"),
    "date": ("{what} 不是日期：{value}", "{what} is not a date: {value}"),
    "value": ("{what} 的值不认识：{value}", "{what} has an unknown value: {value}"),
    "id": ("{what} 的代码不合要求：{value}", "{what} is not a proper id: {value}"),
    "unknown": ("{what} 里没有 {value}", "there is no {what} {value}"),
    "file": ("{file} 不是约定的文件", "{file} is not a file of a round"),
    "seed": ("摇号种子缺失，或与摇号结果和数据不符", "the seed is missing or does not follow from the draw"),
    "draw": ("{file} 里的摇号结果不合要求", "the draw in {file} is not valid"),
    "reserves_exceed_capacity": (
        "席位 {program}：预留多于席位数", "program {program}: more seats reserved than it has",
    ),
    "cap": ("总量上限 {cap} 没有写全", "the cap {cap} is not complete"),
    "reference_date": ("用到年龄，规则里却没有基准日", "ages are used but the policy has no date for them"),
    "tiebreak_twice": ("同分比较写了两处", "tie-breaks are declared twice"),
    "score": ("申请人 {applicant} 的成绩填得矛盾", "the scores of {applicant} contradict each other"),
    "listed_and_refused": (
        "申请人 {applicant} 既报了 {program}，又不接受它的班级",
        "{applicant} lists {program} and refuses its class",
    ),
    # --- the result and its round
    "digest": ("{file} 的摘要与 result.json 里写的不符", "the digest of {file} is not the one in result.json"),
    "round": ("result.json 写的轮次与规则不符", "result.json names another round than the policy"),
    "caps_cross": ("总量上限互相交叉，这种录取方式不支持", "caps cross, which this mechanism cannot keep"),
    "open_first": (
        "规则写先普通后预留，这种录取方式不支持", "open seats first is more than this mechanism can keep",
    ),
    "score_by_program": (
        "申请人 {applicant} 在席位 {program} 有单独的成绩，平行志愿不支持",
        "{applicant} has a score of her own at {program}, which parallel choices cannot use",
    ),
    "lottery": (
        "席位 {program}（{stage}）录取线上的摇号号码不属于任何人",
        "program {program} ({stage}): the lottery number of the cutoff is nobody's",
    ),
    "refused": (
        "规则或数据要求 {what}，最大安置不支持", "the round asks for {what}, which max_placement cannot honour",
    ),
    # --- an earlier result that was to be kept
    "resolve": ("只有系统优化能保留原录取", "only the mechanism optimal can keep an earlier result"),
    "confirmed": (
        "申请人 {applicant} 在 {program} 是否已确认，kept.csv 与决定表不符",
        "{applicant} at {program}: kept.csv and the decisions disagree on whether it is confirmed",
    ),
    "confirmed_lost": (
        "申请人 {applicant} 已确认的录取 {program} 没有保留",
        "the confirmed place of {applicant} at {program} is not kept",
    ),
    "parent": (
        "给出的原结果不是这次要保留的那一个", "the earlier result given is not the one that was kept",
    ),
    "keeps_nothing": (
        "这个结果没有写明要保留哪个原结果，--earlier 无从核对；请去掉它，或改为核验 resolve 的结果",
        "the result does not say that it keeps an earlier one, so there is nothing to compare --earlier with:"
        " leave it out, or verify a result of resolve",
    ),
    "not_earlier": (
        "申请人 {applicant} 在 {program}：kept.csv 与原结果不符",
        "{applicant} at {program}: kept.csv does not agree with the earlier result",
    ),
    # --- placements
    "person_twice": ("同一个人 {person} 录取了两次", "the same person {person} is placed twice"),
    "row_missing": ("placements.csv 里没有申请人 {applicant}", "placements.csv lacks {applicant}"),
    "not_admitted": (
        "申请人 {applicant} 录取在 {program}，但没有报它或不符合条件",
        "{applicant} is placed at {program} without having listed it or against a rule",
    ),
    "rank": (
        "申请人 {applicant}：写的是第 {value} 志愿，应为 {own}",
        "{applicant}: stated is choice {value}, right is {own}",
    ),
    "seat": (
        "申请人 {applicant}：写的席位类别是 {value}，应为 {own}",
        "{applicant}: the stated kind of seat is {value}, right is {own}",
    ),
    "reason": (
        "申请人 {applicant}：写的原因是 {value}，应为 {own}",
        "{applicant}: the stated reason is {value}, right is {own}",
    ),
    "barred": (
        "申请人 {applicant}、席位 {program}、规则 {rule}：barred.csv 写的是 {stated}，重算是 {own}",
        "{applicant} at {program}, rule {rule}: barred.csv says {stated}, it should be {own}",
    ),
    "over_capacity": (
        "席位 {program}：录取 {placed} 人，席位只有 {capacity} 个",
        "program {program}: {placed} placed, but it has {capacity} seats",
    ),
    "over_cap": (
        "总量上限 {cap}：录取 {placed} 人，上限 {seats} 人", "cap {cap}: {placed} placed, the limit is {seats}",
    ),
    "hard_reserve": (
        "席位 {program}：录取 {placed} 人，除去只留给专门类别的席位只能录 {room} 人",
        "program {program}: {placed} placed, but hard reserves leave room for {room}",
    ),
    "must_fill": (
        "席位 {program}：必须录满的预留席位有 {seats} 个，只录满 {filled} 个",
        "program {program}: {seats} reserved seats must be filled, {filled} are",
    ),
    "must_open": ("班级 {order_class} 必须开班，却没有开", "class {order_class} must open but does not"),
    "short": (
        "班级 {order_class}：{placed} 人，不到最低开班人数", "class {order_class}: {placed} people, below its minimum",
    ),
    "class": (
        "班级 {order_class}：写的是{stated}，重算是{own}", "class {order_class}: stated {stated}, recomputed {own}",
    ),
    # --- fairness
    "justified_envy": (
        "高分落榜：申请人 {applicant} 更想去 {program}，排位在已录取的 {instead_of} 之前",
        "justified envy: {applicant} would rather be at {program} and comes before {instead_of}, placed there",
    ),
    "waste": (
        "空位未用：申请人 {applicant} 更想去 {program}，那里还有空位",
        "waste: {applicant} would rather be at {program}, which has a seat left",
    ),
    # --- cutoffs
    "threshold": (
        "席位 {program}（{stage}）的录取线与录取情况不符",
        "program {program} ({stage}): the cutoff does not agree with who is placed",
    ),
    "reach": (
        "申请人 {applicant}：录取在 {placed}，按录取线应到 {reaches}",
        "{applicant}: placed at {placed}, but the cutoffs lead to {reaches}",
    ),
    "price": ("席位 {program}（{stage}）的价格不对", "program {program} ({stage}): the price is wrong"),
    "price_of_free_seat": (
        "席位 {program}（{stage}）还有空位，却有价格", "program {program} ({stage}) has a price though seats are free",
    ),
    "not_best": (
        "申请人 {applicant}：按公布的价格，{better} 对整体更好",
        "{applicant}: at the published prices {better} would be better for the whole",
    ),
    # --- what the result is worth
    "status": ("结果没有做完（状态不是 OPTIMAL）", "the result is not complete (its status is not OPTIMAL)"),
    "closing": ("停开的班或次序与重算不符", "the classes closed, or their order, differ from the recomputed"),
    "reopenable": (
        "班级 {order_class} 停开了，但重新开它谁也不缺人",
        "class {order_class} is closed, but with it open none falls short",
    ),
    "closing_tree": (
        "证书里停开哪些班的证明从第 {row} 步起不成立",
        "the certificate's proof of which classes close fails from step {row} on",
    ),
    "differs": (
        "申请人 {applicant}：录取在 {program}，重算是 {own}", "{applicant}: placed at {program}, recomputed {own}",
    ),
    "closing_step": (
        "停开的班 {order_class}：写的人数和缺额（{stated}）不成立，应为 {own}",
        "class {order_class} closed: the stated numbers ({stated}) cannot be, right is {own}",
    ),
    "closed_classes": (
        "证书里写停开 {stated}，实际没有人的班是 {own}", "the certificate closes {stated}; empty classes are {own}",
    ),
    "uncovered": (
        "证书里的人数上限不成立：申请人 {applicant} 在 {program} 没有算到",
        "the certificate's bound fails: it does not count {applicant} at {program}",
    ),
    "unique": ("结果是不是唯一，写得不对", "whether the result is the only one is stated wrongly"),
    "objective": ("目标值与重算不符", "the values of the objective differ from the recomputed"),
    "bound": ("目标值没有达到写的界", "a value of the objective does not reach its bound"),
    "publishable": ("能否公布，写得不对", "whether it can be published is stated wrongly"),
    "components": ("证书里的目标次序不对", "the certificate orders the objective otherwise"),
    "potential": ("证书不成立：{from} → {to}", "the certificate fails: {from} → {to}"),
    "potential_missing": ("证书缺少 {node}", "the certificate lacks {node}"),
    "potential_unknown": ("证书里的 {node} 不认识", "the certificate has an unknown {node}"),
    "not_shortest": ("证书里 {node} 的值不对", "the certificate gives {node} a wrong value"),
    "tree": ("证书里开班的证明不成立（{what}）", "the certificate's proof of what opens fails ({what})"),
    "report": ("报表里 {figure} 与重算不符", "the report's {figure} differs from the recomputed"),
}  # fmt: skip
"""Chinese and English by violation code."""
