"""What an applicant is told of her placement, and what a mechanism promises everybody.

One entry per code of :mod:`matcher.explain` and of :data:`matcher.report.GUARANTEES`, Chinese and English.
"""

from __future__ import annotations

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
        "第 {rank} 志愿 {program} 录满：您与末位成绩相同，比{tie}，末位 {last_value}，您 {value}（{seat}）。",
        "Choice {rank}, {program}, is full: you equal the last placed in score; by {tie} the last has"
        " {last_value}, you have {value} ({seat}).",
    ),
    "below_lottery": (
        "第 {rank} 志愿 {program} 录满：您与末位不分先后，按摇号，末位 {last_lottery} 号，您 {lottery} 号（{seat}）。",
        "Choice {rank}, {program}, is full: no score sets you and the last placed apart; in the lottery"
        " the last is number {last_lottery}, you are number {lottery} ({seat}).",
    ),
    "below_few": (
        "第 {rank} 志愿 {program} 录满：您低于末位（您 {score} 分，摇号 {lottery} 号）。录取不足 5 人，不公布录取线。",
        "Choice {rank}, {program}, is full and you come after the last placed (score {score}, lottery"
        " number {lottery}). Fewer than 5 were chosen, so the cutoff is not published.",
    ),
    "below_few_unscored": (
        "第 {rank} 志愿 {program} 录满：您低于末位（摇号 {lottery} 号）。录取不足 5 人，不公布录取线。",
        "Choice {rank}, {program}, is full and you come after the last placed (lottery number {lottery})."
        " Fewer than 5 were chosen, so the cutoff is not published.",
    ),
    "tied": (
        "第 {rank} 志愿 {program} 录满：您与末位成绩相同（{last_score} 分）。同分不预先分先后，"
        "先看怎样录取的人最多，再看公布的其他目标，最后看摇号，席位给了别人（{seat}）。",
        "Choice {rank}, {program}, is full: you equal the last placed ({last_score}). Equal people are not"
        " told apart in advance: by what places most people, then by the other published objectives, last"
        " by lottery, others have the seats ({seat}).",
    ),
    "tied_unscored": (
        "第 {rank} 志愿 {program} 录满：您与末位一样没有成绩。不预先分先后，先看怎样录取的人最多，"
        "再看公布的其他目标，最后看摇号，席位给了别人（{seat}）。",
        "Choice {rank}, {program}, is full: like the last placed you have no score. Equal people are not"
        " told apart in advance: by what places most people, then by the other published objectives, last"
        " by lottery, others have the seats ({seat}).",
    ),
    "full_few": (
        "第 {rank} 志愿 {program} 录满：录取的人成绩都不低于您（您 {score} 分）。录取不足 5 人，不公布录取线。",
        "Choice {rank}, {program}, is full of people who equal you or come before you (score {score})."
        " Fewer than 5 were chosen, so the cutoff is not published.",
    ),
    "full_few_unscored": (
        "第 {rank} 志愿 {program} 录满：录取的人都不排在您之后（您没有成绩）。录取不足 5 人，不公布录取线。",
        "Choice {rank}, {program}, is full of people who equal you or come before you; you have no score."
        " Fewer than 5 were chosen, so the cutoff is not published.",
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
        "第 {rank} 志愿 {program}：总量上限“{cap}”（{seats} 人）已满。",
        "Choice {rank}, {program}: the cap {cap} ({seats} places) is full.",
    ),
    "cap_score": (
        "第 {rank} 志愿 {program}：总量上限“{cap}”（{seats} 人）已满；按上限录到 {last_score} 分，"
        "您 {score} 分（{seat}）。",
        "Choice {rank}, {program}: the cap {cap} ({seats} places) is full; under it the last placed has"
        " {last_score}, you have {score} ({seat}).",
    ),
    "cap_unscored": (
        "第 {rank} 志愿 {program}：总量上限“{cap}”（{seats} 人）已满；按上限录到 {last_score} 分，"
        "您没有成绩（{seat}）。",
        "Choice {rank}, {program}: the cap {cap} ({seats} places) is full; under it the last placed has"
        " {last_score}, you have no score ({seat}).",
    ),
    "cap_tie": (
        "第 {rank} 志愿 {program}：总量上限“{cap}”（{seats} 人）已满；您与按上限录到的末位成绩相同，比{tie}，"
        "末位 {last_value}，您 {value}（{seat}）。",
        "Choice {rank}, {program}: the cap {cap} ({seats} places) is full; you equal the last placed under"
        " it in score, by {tie} the last has {last_value}, you have {value} ({seat}).",
    ),
    "cap_lottery": (
        "第 {rank} 志愿 {program}：总量上限“{cap}”（{seats} 人）已满；您与按上限录到的末位不分先后，按摇号，"
        "末位 {last_lottery} 号，您 {lottery} 号（{seat}）。",
        "Choice {rank}, {program}: the cap {cap} ({seats} places) is full; no score sets you and the last"
        " placed under it apart, in the lottery the last is number {last_lottery}, you are number"
        " {lottery} ({seat}).",
    ),
    "class_alone": (
        "第 {rank} 志愿 {program} 未开班：班级 {order_class} 至少 {min_size} 人，重新开它也只会有 {placed} 人，"
        "差 {shortfall} 人。",
        "Choice {rank}, {program}: its class {order_class} did not open. It needs {min_size} people; reopened"
        " it would have {placed}, {shortfall} short.",
    ),
    "class_few": (
        "第 {rank} 志愿 {program} 未开班：班级 {order_class} 至少 {min_size} 人，"
        "报了它或可以调剂到它、且符合条件的最多能录 {placed} 人。",
        "Choice {rank}, {program}: its class {order_class} did not open. It needs {min_size} people; of the"
        " eligible people who listed it or can be adjusted there, it could take {placed} at most.",
    ),
    "class_saves": (
        "第 {rank} 志愿 {program} 未开班：重新开班级 {order_class} 会有 {placed} 人（至少 {min_size} 人），"
        "而 {others} 就会达不到最低人数。",
        "Choice {rank}, {program}: its class {order_class} did not open. Reopened it would have {placed} people"
        " (it needs {min_size}), and {others} would fall short.",
    ),
    "class_unopened": (
        "第 {rank} 志愿 {program} 未开班：班级 {order_class} 至少 {min_size} 人，不开它整体方案更好。",
        "Choice {rank}, {program}: its class {order_class} (at least {min_size} people) did not open; the whole"
        " plan is better without it.",
    ),
    "price_placed": (
        "第 {rank} 志愿 {program}：{given}安排您去，至少要少录取 {loss} 人。",
        "Choice {rank}, {program}: {given}to place you there would leave at least {loss} more without a place.",
    ),
    "price_reserves": (
        "第 {rank} 志愿 {program}：{given}安排您去，预留席位至少要少用 {loss} 个。",
        "Choice {rank}, {program}: {given}to place you there would leave at least {loss} more reserved seats"
        " unfilled.",
    ),
    "price_rank": (
        "第 {rank} 志愿 {program}：{given}安排您去，全体的志愿代价至少要多 {loss}。",
        "Choice {rank}, {program}: {given}to place you there would raise the cost of everybody's ranks by at"
        " least {loss}.",
    ),
    "price_rank_fewer": (
        "第 {rank} 志愿 {program}：{given}安排您去，录取在{number}的至少要少 {loss} 人。",
        "Choice {rank}, {program}: {given}to place you there would leave at least {loss} fewer with {number}.",
    ),
    "price_rank_more": (
        "第 {rank} 志愿 {program}：{given}安排您去，录取在{number}的至少要多 {loss} 人。",
        "Choice {rank}, {program}: {given}to place you there would leave at least {loss} more with {number}.",
    ),
    "price_fit": (
        "第 {rank} 志愿 {program}：{given}安排您去，契合度合计至少要少 {loss}。",
        "Choice {rank}, {program}: {given}to place you there would lower the sum of fit by at least {loss}.",
    ),
    "price_confirmed": (
        "第 {rank} 志愿 {program}：{given}安排您去，已确认的录取至少有 {loss} 个不能保留。",
        "Choice {rank}, {program}: {given}to place you there would undo at least {loss} confirmed places.",
    ),
    "price_unmoved": (
        "第 {rank} 志愿 {program}：{given}安排您去，至少要多 {loss} 人改变去向。",
        "Choice {rank}, {program}: {given}to place you there would move at least {loss} more people.",
    ),
    "price_none": (
        "第 {rank} 志愿 {program}：安排您去，整体方案不会更好。总量上限或有最低人数的班互相交叉，单个席位没有价格。",
        "Choice {rank}, {program}: no plan with you there is better. As caps, or caps and classes with a minimum,"
        " cross, a seat has no price of its own.",
    ),
    "price_even": (
        "第 {rank} 志愿 {program}：安排您去，整体方案不会更好；如有同样好的方案，由摇号决定。",
        "Choice {rank}, {program}: no plan with you there is better; if one is as good, the lottery decides.",
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
    "barred_declined": (
        "第 {rank} 志愿 {program}：您已放弃这里的录取（依据：{value}）。",
        "Choice {rank}, {program}: you gave up your place here (basis: {value}).",
    ),
    "barred_membership": (
        "第 {rank} 志愿 {program}：院校或企业的联盟成员资格已于 {value} 到期（核对日 {limit}）。",
        "Choice {rank}, {program}: its college or enterprise was a member until {value} only (checked"
        " on {limit}).",
    ),
    "barred_age": (
        "第 {rank} 志愿 {program}：您 {value} 岁，不超过 {limit} 岁。",
        "Choice {rank}, {program}: you are {value} years old; {limit} is the most.",
    ),
    "barred_age_below": (
        "第 {rank} 志愿 {program}：您 {value} 岁，须满 {limit} 岁。",
        "Choice {rank}, {program}: you are {value} years old; {limit} is the least.",
    ),
    "barred_age_unknown": (
        "第 {rank} 志愿 {program}：没有出生日期，不能确认年龄。",
        "Choice {rank}, {program}: without a date of birth your age cannot be checked.",
    ),
    "barred_class_age_unknown": (
        "第 {rank} 志愿 {program}：没有出生日期，不能确认是否符合班级的年龄要求。",
        "Choice {rank}, {program}: without a date of birth the class's age limit cannot be checked.",
    ),
    "barred_approval": (
        "第 {rank} 志愿 {program}：您 {value} 岁，超过 {limit} 岁须个案审批，目前没有批准。",
        "Choice {rank}, {program}: you are {value}; above {limit} an approval is needed, and there is"
        " none.",
    ),
    "barred_class_age": (
        "第 {rank} 志愿 {program}：您 {value} 岁，班级要求不超过 {limit} 岁。",
        "Choice {rank}, {program}: you are {value}; the class takes people up to {limit}.",
    ),
    "barred_class_age_below": (
        "第 {rank} 志愿 {program}：您 {value} 岁，班级要求须满 {limit} 岁。",
        "Choice {rank}, {program}: you are {value}; the class takes people from {limit}.",
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
        "已开的班里，除预留席位外，没有人被排在后面的人占了更想去的席位。",
        "In open classes, reserved seats apart, nobody loses a seat she prefers to somebody below her.",
    ),
    "no_waste": (
        "已开的班里，总量上限之内，没有空着而有人更想去的席位。",
        "In open classes, within the caps, no seat stays empty that somebody would rather have.",
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
    "most_placed": (
        "没有人被成绩低于自己的人占席位的前提下，录取的人最多；同分的先后不预先定。",
        "As many are placed as can be while nobody loses a seat to somebody of a lower score; ties are not"
        " broken in advance.",
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
