"""Codes and what people call them: the lists that forms offer and tables translate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

if TYPE_CHECKING:
    from .models import Run

STUDY_FORMS = {"FT": _("全日制"), "PT": _("非全日制"), "ST": _("社会培训")}
LEVELS = {"5": _("初级工"), "4": _("中级工"), "3": _("高级工"), "2": _("预备技师")}
"""Training levels, lowest first."""

SKILL_LEVELS = {
    "5": _("初级工"), "4": _("中级工"), "3": _("高级工"), "2": _("技师"), "1": _("高级技师"),
}  # fmt: skip
EDUCATIONS = {
    "90": _("不限学历"), "81": _("小学毕业"), "71": _("初中毕业"), "61": _("高中阶段毕业"),
    "31": _("大专毕业"), "21": _("本科毕业"), "14": _("研究生毕业"),
}  # fmt: skip
"""The lowest code of each step of education that a class may ask for."""

SEASONS = {"spring": _("春季"), "autumn": _("秋季")}
HEALTH = {
    "H01": _("辨色力正常"), "H02": _("持有效健康证"), "H03": _("听力正常"),
    "H04": _("密切接触未成年人入职查询无禁止情形"),
}  # fmt: skip
GROUPS = {
    "G01": _("应届初中毕业生"), "G02": _("往届初中毕业生"), "G03": _("应届高中毕业生"),
    "G04": _("中职（技工）毕业生"), "G05": _("失业青年"), "G06": _("农民工"),
    "G07": _("退役军人"), "G08": _("脱贫家庭"), "G09": _("残疾人"), "G10": _("低保、特困家庭"),
    "G11": _("企业在岗职工"), "G12": _("高校毕业生"), "G13": _("高素质农民"),
    "G14": _("国际学生"), "G15": _("境外短期培训生"), "G16": _("就业困难人员"),
    "G99": _("其他有技能提升意愿人员"),
}  # fmt: skip
AREAS = {
    "371002": _("环翠区"), "371003": _("文登区"), "371082": _("荣成市"), "371083": _("乳山市"),
    "371071": _("火炬高技术产业开发区（高区）"), "371072": _("经济技术开发区（经区）"),
    "371073": _("临港经济技术开发区（临港区）"), "3710NH": _("南海新区"),
    "370000": _("山东省其他市"), "OUTPRV": _("省外"), "ABROAD": _("境外"),
}  # fmt: skip
INDUSTRIES = {
    "IND01": _("医疗器械"), "IND02": _("新能源汽车"), "IND03": _("低空经济"),
    "IND04": _("康养托育"), "IND05": _("纺织服装"), "IND06": _("智能制造"),
    "IND07": _("文旅餐饮"), "IND08": _("直播电商"),
}  # fmt: skip
REVIEWS = {
    "identity": _("身份信息不符"), "documents": _("材料缺失或不符"), "duplicate": _("重复报名"),
    "enrolled": _("已在其他院校在籍"), "expired": _("证件过期"), "withdrawn": _("申请人撤回"),
    "other": _("其他原因"),
}  # fmt: skip
"""Why a review failed."""

COMPONENTS = {
    "culture": _("文化素质"), "skill": _("技能测试"), "interview": _("面试"),
    "experience": _("从业经历"), "language": _("语言"),
}  # fmt: skip

# --- of applicants ---------------------------------------------------------------------------

IDENTITY_TYPES = {
    "01": _("居民身份证"),
    "10": _("护照"),
    "25": _("港澳台居民居住证"),
    "30": _("香港证件"),
    "35": _("澳门证件"),
    "40": _("台湾证件"),
    "15": _("港澳台身份证"),
    "05": _("军官证"),
    "20": _("其他证件"),
}
SEXES = {"1": _("男"), "2": _("女"), "9": _("未说明")}
HELD_EDUCATIONS = {
    "71": _("初中毕业"),
    "72": _("初中未毕业"),
    "61": _("高中毕业"),
    "63": _("高中未毕业"),
    "47": _("技工学校毕业"),
    "44": _("职业高中毕业"),
    "41": _("中专毕业"),
    "31": _("大专毕业"),
    "21": _("本科毕业"),
    "14": _("硕士毕业"),
    "11": _("博士毕业"),
    "81": _("小学毕业"),
    "82": _("小学未毕业"),
    "90": _("其他学历"),
}
"""What an applicant says she has; other codes of GB/T 4658 come by import."""

HOUSEHOLD_KINDS = {
    "11": _("农村"),
    "12": _("县镇"),
    "21": _("城市"),
    "30": _("港澳台"),
    "40": _("外国籍"),
}
EMPLOYMENT = {
    "student": _("在校"),
    "employed": _("在职"),
    "flexible": _("灵活就业"),
    "unemployed": _("没有工作"),
    "farming": _("务农"),
}
SENSITIVE = frozenset({"G08", "G09", "G10"})
"""Groups that tell of health or poverty: used only with a consent of their own."""

SCOPES = {
    "none": _("不同意调剂"),
    "college": _("同一院校"),
    "industry": _("同一产业"),
    "district": _("同一区市"),
    "alliance": _("整个联盟"),
}

# --- states and kinds -------------------------------------------------------------------------

APPLICANT_STATES = {
    "draft": _("未提交"), "submitted": _("已提交待审"), "returned": _("退回补正"),
    "passed": _("审核通过"), "failed": _("审核未通过"), "withdrawn": _("已撤回"),
}  # fmt: skip
GROUP_STATES = {"claimed": _("待核实"), "verified": _("已核实"), "refused": _("不认可")}
DEMAND_STATES = {
    "draft": _("草稿"), "submitted": _("已提交"), "taken": _("已编班"), "withdrawn": _("已撤回"),
}  # fmt: skip
ROLES = {
    "coordinator": _("协调员"), "college": _("院校"), "enterprise": _("企业"),
    "district": _("区市"), "bureau": _("人社局"), "auditor": _("审计"), "applicant": _("申请人"),
}  # fmt: skip
TABLES = {
    "applicants": _("申请人"), "order_classes": _("订单班"), "programs": _("席位"),
    "applications": _("志愿"), "scores": _("成绩"), "decisions": _("个案决定"),
    "reserves": _("预留席位"), "caps": _("总量上限"),
}  # fmt: skip
"""The files of a snapshot."""

RUN_KINDS = {
    "trial": _("试算"), "committed": _("正式运行"), "whatif": _("假设重算"),
    "recheck": _("复核"), "notices": _("打印录取通知书"), "waiting": _("递补"),
}  # fmt: skip


def run_name(run: Run) -> str:
    """What a run is called: as its coordinator named it, else by its kind."""
    return run.label or str(RUN_KINDS[run.kind])


OWN_PAGES = ("notices", "waiting")
"""Runs that are told about where they are asked for, and not among those of the solver."""

RUN_STATES = {
    "QUEUED": _("排队"), "RUNNING": _("计算中"), "VERIFIED": _("已检验"), "INCOMPLETE": _("没有算完"),
    "BROKEN": _("检验未通过"), "FAILED": _("失败"), "CANCELLED": _("已取消"), "ANSWERED": _("已算出，未经检验"),
}  # fmt: skip
RUN_STATUSES = {"OPTIMAL": _("最优"), "FEASIBLE": _("可行，未完成")}
"""What a run says of its result."""

RECORDS = {"plan_approval": _("计划审定"), "result_filing": _("结果备案")}
"""The bureau's papers."""

REFILING = "refiling-"
"""How the kind of a paper begins that files the result of a correction; its number follows."""

FAIRNESS = {
    "justified": _("高分落榜（应为零）"), "waste": _("有空位而未录（应为零）"),
    "reserve": _("因预留席位"), "cap": _("因总量上限"), "class_closed": _("因班级未开"),
    "approval": _("因个案审批"),
}  # fmt: skip
"""Why somebody was not placed where she would rather be."""


CHOSEN = {
    "adjustment": SCOPES, "conclusion": APPLICANT_STATES, "district": AREAS, "education": HELD_EDUCATIONS,
    "employment": EMPLOYMENT, "groups": GROUPS, "health": HEALTH, "household_district": AREAS,
    "household_kind": HOUSEHOLD_KINDS, "identity_type": IDENTITY_TYPES, "industry": INDUSTRIES,
    "season": SEASONS, "sex": SEXES, "skill_level": SKILL_LEVELS, "study_forms": STUDY_FORMS,
}  # fmt: skip
"""The fields of forms in which a word is chosen, by their names."""


def word(table: Mapping[str, Any], code: str) -> str:
    """The word of a code; a code of somebody's own stays as it is."""
    return str(table.get(code, code))


def words(table: Mapping[str, Any], text: str) -> str:
    """The words of codes that stand in one text, separated by ``;``."""
    return str(gettext("、")).join(word(table, code) for code in split(text))


def split(text: str) -> list[str]:
    """Codes that stand in one text, separated by ``;``."""
    return [part for part in text.split(";") if part]


def join(codes: Iterable[str]) -> str:
    """Codes as one text."""
    return ";".join(codes)


def approved_levels(tier: str) -> tuple[str, ...]:
    """The levels for which a kind of college (办学类型) is approved; all where the kind is unknown."""
    if tier == "技工学校":
        return ("5", "4")
    if tier == "高级技工学校":
        return ("5", "4", "3")
    return tuple(LEVELS)


def record(kind: str) -> str:
    """What a paper of the bureau is called."""
    if kind.startswith(REFILING):
        return str(gettext("第 %(n)s 次更正的结果备案", n=kind.removeprefix(REFILING)))
    return word(RECORDS, kind)
