"""The demo's ``policy.toml``: every line with its source, as the coordinators would read it."""

from __future__ import annotations

# S§n: clause of the draft; F: seen in practice; 默认值: our own, to be changed every year.
POLICY = """\
# 演示数据。出处：S§n = 十条措施（征求意见稿）第n条；F = 公开资料所见做法；
# 默认值 = 征求意见稿没有给出数值，请按当年招生方案修改。

[policy]
title = "十条措施（征求意见稿）"  # 征求意见稿，数值未定
status = "征求意见稿"  # 征求意见稿 | 现行有效 | 失效
basis = ["S§2", "鲁人社发〔2025〕5号"]  # S§2；上级文件
round = "@ROUND@"  # 首轮；默认值，请按当年招生方案修改
demo = true  # 演示数据：证件号码使用未分配的区划 371099

[mechanism]
name = "stable"  # 公平录取；默认值，请按当年招生方案修改
objective = ["placed", "reserves", "rank", "fit"]  # S§2 精准匹配；顺序为默认值，请按当年招生方案修改
rank = "min_cost"  # 默认值，请按当年招生方案修改
closure = "sequential"  # 逐个停开缺口最大的班；默认值，请按当年招生方案修改
reserve_order = "reserves_first"  # 默认值，请按当年招生方案修改

[lottery]
seed = "@SEED@"  # 演示种子；正式轮次须公开摇号

[limits]
time_s = 120  # 默认值，请按当年招生方案修改

[preferences]
max = 6  # F 有五个志愿的做法；默认值，请按当年招生方案修改

[age]
reference_date = "@YEAR@-09-01"  # 周岁计算基准日；默认值，请按当年招生方案修改
case_by_case = true  # S§2 适当放宽招生年龄限制；个案审批为默认值，请按当年招生方案修改

[work]
min_internship_age = 16  # F 职业学校学生实习管理规定第16条
min_hire_age = 16  # 禁止使用童工规定
minor_under = 18  # 未成年工 16 至 18 周岁

[membership]
date = "@YEAR@-06-01"  # S§2 集团（联盟）成员；日期为默认值，请按当年招生方案修改

[score]
min = 0  # 默认值，请按当年招生方案修改
max = 100  # 默认值，请按当年招生方案修改
digits = 2  # 综合成绩保留两位小数；默认值，请按当年招生方案修改
absent = "bar"  # F 缺考科目按零分处理且不予录取
pass_total = 50  # 默认值，请按当年招生方案修改
pass_interview = 60  # 默认值，请按当年招生方案修改
tiebreak = ["skill", "interview", "culture"]  # F 各地同分规则；不按报名先后；次序为默认值，请按当年招生方案修改

[report]
fit_threshold = 70  # S§2 精准匹配；数值为默认值，请按当年招生方案修改
key_industries = ["IND01", "IND02", "IND03", "IND04", "IND05"]  # S§1 重点领域
groups_of_interest = ["G05", "G06"]  # S§2 失业青年、农民工

# 考核通道与权重：F 各地做法；数值为默认值，请按当年招生方案修改。

[[score_channel]]
channel = "CH1"  # 应届初中
culture = 0.5  # 默认值，请按当年招生方案修改
skill = 0.2  # 默认值，请按当年招生方案修改
interview = 0.3  # 默认值，请按当年招生方案修改

[[score_channel]]
channel = "CH2"  # 高中·中职
culture = 0.4  # 默认值，请按当年招生方案修改
skill = 0.35  # 默认值，请按当年招生方案修改
interview = 0.25  # 默认值，请按当年招生方案修改

[[score_channel]]
channel = "CH3"  # 社会人员
skill = 0.5  # 默认值，请按当年招生方案修改
interview = 0.4  # 默认值，请按当年招生方案修改
experience = 0.1  # 默认值，请按当年招生方案修改

[[score_channel]]
channel = "CH4"  # 国际
language = 0.4  # 默认值，请按当年招生方案修改
interview = 0.6  # 默认值，请按当年招生方案修改

# 年龄：S§2 适当放宽招生年龄限制；征求意见稿没有给出年龄，下列数值均为默认值，请按当年招生方案修改。
"""

# group, form, min, max, relaxed_max, needs_approval_above, what the group is called
AGE_RULES = (
    ("*", "FT", 15, 22, None, None, "全日制"),
    ("G05", "FT", 16, 22, 30, None, "失业青年全日制"),
    ("G06", "FT", 16, 22, 30, None, "农民工全日制"),
    ("G07", "FT", 16, 22, 30, 28, "退役军人全日制"),
    ("G12", "FT", 18, 35, None, None, "高校毕业生全日制"),
    ("G14", "FT", 18, 30, None, None, "国际学生全日制"),
    ("*", "PT", 16, 45, None, None, "非全日制"),
    ("G06", "PT", 16, 45, 55, 50, "农民工非全日制"),
    ("G07", "PT", 16, 45, 50, None, "退役军人非全日制"),
    ("G11", "PT", 16, 45, 55, 50, "企业在岗职工非全日制"),
    ("G13", "PT", 16, 45, 55, None, "高素质农民非全日制"),
    ("*", "ST", 16, 60, None, None, "社会培训；上限参照法定退休年龄"),
    ("G14", "ST", 18, 60, None, None, "国际学生社会培训"),
    ("G15", "ST", 16, 60, None, None, "境外短期培训生社会培训"),
)


def policy_text(name: str, seed: int, year: int) -> str:
    """The policy of the demo round ``name``; its lottery seed repeats the generator's."""
    text = POLICY.replace("@ROUND@", name).replace("@YEAR@", str(year))
    text = text.replace("@SEED@", f"{seed % 10**8:08d}" * 8)
    return text + "".join("\n" + _age_rule(*rule) for rule in AGE_RULES)


def _age_rule(
    group: str,
    form: str,
    low: int,
    high: int,
    relaxed: int | None,
    approval: int | None,
    label: str,
) -> str:
    source = "  # 默认值，请按当年招生方案修改\n"
    lines = ["[[age_rule]]\n", f'group = "{group}"  # {label}\n', f'study_form = "{form}"\n']
    lines += [f"min = {low}{source}", f"max = {high}{source}"]
    if relaxed is not None:
        lines.append(f"relaxed_max = {relaxed}{source}")
    if approval is not None:
        lines.append(f"needs_approval_above = {approval}{source}")
    lines.append(f'basis = "S§2 适当放宽招生年龄限制；数值为默认值（{label}）"\n')
    return "".join(lines)
