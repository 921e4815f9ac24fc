"""Codes and what people call them: the lists that forms offer and tables translate."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

STUDY_FORMS = {"FT": _("全日制"), "PT": _("非全日制"), "ST": _("社会培训")}
LEVELS = {"5": _("初级工"), "4": _("中级工"), "3": _("高级工"), "2": _("预备技师")}
"""Training levels, lowest first."""

SKILL_LEVELS = {
    "5": _("初级工"), "4": _("中级工"), "3": _("高级工"), "2": _("技师"), "1": _("高级技师"),
}  # fmt: skip
TIERS = {
    "技工学校": ("5", "4"),
    "高级技工学校": ("5", "4", "3"),
    "技师学院": ("5", "4", "3", "2"),
}
"""The levels for which a kind of college is approved."""

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
