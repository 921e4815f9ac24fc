"""Every sheet's columns, declared once: template, import, export, and help come from them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .cells import Column
from .rounds import STATES

VERSION = 1
"""Raised whenever a column changes: an older template is then told from a wrong one."""

HINT_SIGN = "※"
"""The hint row begins with it, so that it is told from a row of data."""

UNCHECKED = "待复核"
"""In an export: nobody has confirmed these scores yet."""

LOTS = 4
"""Enterprises that a line of the plan has room for."""


def _tables() -> dict[str, Mapping[str, str]]:
    path = Path(__file__).parent / "reference" / "codes.toml"
    held = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: MappingProxyType(table) for name, table in held.items()}


CODES = _tables()


@dataclass(frozen=True)
class Sheet:
    """A sheet: its name in the file, its columns in order, who may use it and when."""

    key: str
    title: str
    english: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    """The columns that tell which row a line is."""
    roles: tuple[str, ...]
    states: tuple[str, ...]
    """States of the round in which it may be stored."""
    yearly: bool = True
    """Whether it belongs to one round."""
    seconded: bool = False
    """Whether a second person confirms each batch."""
    filters: tuple[str, ...] = ()
    """Columns by which an export may be narrowed."""

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}

    @property
    def personal(self) -> bool:
        """Whether its lines are about people."""
        return "applicant" in self.by_name

    def mark(self, serial: str) -> str:
        """What a template of a round says of itself."""
        return f"{self.key}|{VERSION}|{serial if self.yearly else '-'}"


def _must(name: str, heading: str, english: str, kind: str = "text", **rest: Any) -> Column:
    return Column(name, heading, english, kind, required=True, **rest)


_PLACE = CODES["areas"]

COLLEGES = Sheet(
    "colleges", "院校信息", "Colleges",
    (
        _must("code", "院校代码", "College code", "code", hint="联盟内唯一，按它更新", example="C01"),
        _must("name", "院校名称", "Name", most=60, example="示例技师学院"),
        Column("uscc", "统一社会信用代码", "Unified social credit code", "uscc", hint="18位"),
        _must("tier", "办学类型", "Kind of college", "choice", codes=CODES["tiers"], example="技师学院"),
        _must("ownership", "举办性质", "Ownership", most=30, hint="公办、企业办、社会力量办", example="公办"),
        _must("district", "区市", "District", "choice", codes=_PLACE, example="环翠区"),
        Column("address", "地址", "Address"),
        Column("full_time_capacity", "全日制年招生能力", "Full-time intake a year", "integer", high=20_000),
        Column("beds", "床位数", "Beds", "integer", high=50_000),
        Column("workstations", "实训工位数", "Training stations", "integer", high=50_000),
        _must("contact", "联系人", "Contact", "name", most=50, example="王老师"),
        _must("telephone", "联系电话", "Telephone", "telephone", example="0631-5200000"),
        Column("joined", "入盟日期", "Joined the alliance", "date", hint="2026-03-01"),
        Column("note", "备注", "Note"),
    ),
    ("code",), ("coordinator", "college"), STATES, yearly=False, filters=("tier", "district"),
)  # fmt: skip

ENTERPRISES = Sheet(
    "enterprises", "企业信息", "Enterprises",
    (
        _must("code", "企业代码", "Enterprise code", "code", hint="联盟内唯一，按它更新", example="E01"),
        _must("name", "企业名称", "Name", most=60, example="示例精密机械有限公司"),
        _must(
            "uscc", "统一社会信用代码", "Unified social credit code", "uscc",
            hint="18位", example="91371099MADEM0001U",
        ),
        _must("industry", "所属产业", "Industry", "choice", codes=CODES["industries"], example="智能制造"),
        Column("sector", "行业代码(GB/T 4754)", "Sector code (GB/T 4754)", most=10),
        Column("size", "规模", "Size", "choice", codes=CODES["sizes"]),
        _must("employees", "在岗职工数", "Employees", "integer", example="380"),
        _must("district", "区市", "District", "choice", codes=_PLACE, example="经区"),
        Column("address", "地址", "Address"),
        Column("leading", "龙头企业(是/否)", "Leading enterprise", "flag"),
        Column("chain_leader", "链主企业", "Chain leader", "flag"),
        Column("integration", "产教融合型企业(级别/有效期)", "Industry–education integration (level, until)"),
        Column("overseas", "境外项目(国别)", "Projects abroad (countries)"),
        _must("contact", "联系人", "Contact", "name", most=50, example="李经理"),
        _must("telephone", "电话", "Telephone", "telephone", example="19900000001"),
        Column("joined", "入盟日期", "Joined the alliance", "date", hint="2026-03-01"),
    ),
    ("code",), ("coordinator", "enterprise"), STATES, yearly=False, filters=("industry", "district"),
)  # fmt: skip

DEMANDS = Sheet(
    "demands", "订单需求", "Order demand",
    (
        _must("code", "需求编号", "Demand number", "code", hint="本轮内唯一，按它更新", example="E01-D1"),
        _must("enterprise", "企业代码", "Enterprise code", "code", example="E01"),
        _must("title", "岗位名称", "Post", most=60, hint="不得限性别、户籍、婚育", example="数控操作员"),
        _must("occupation", "职业(工种)", "Occupation", most=60, example="多工序数控机床操作调整工"),
        _must("skill_level", "技能等级要求", "Skill level", "choice", codes=CODES["skill_levels"], example="中级工"),
        _must("people", "需求人数", "People", "integer", low=1, high=2_000, example="20"),
        _must("hire_date", "用工时间", "Hired from", "date", hint="2029-07-01", example="2029-07-01"),
        Column("wage_from", "起薪下限", "Starting wage from", "money", hint="元/月"),
        Column("wage_to", "起薪上限", "Starting wage to", "money", hint="元/月"),
        _must("district", "工作区市", "Place of work", "choice", codes=_PLACE, example="经区"),
        _must(
            "study_forms", "学习形式意向", "Study forms", "codes",
            codes=CODES["study_forms"], hint="可多选，用；隔开", example="全日制",
        ),
        Column("education", "学历要求", "Education", "choice", codes=CODES["educations"]),
        Column("age_wish", "年龄要求", "Age", most=60, hint="不得违法限制"),
        Column("health", "身体条件", "Health conditions", "codes", codes=CODES["health"]),
        Column("health_basis", "身体条件依据", "Basis of health conditions", hint="有身体条件时必填"),
        Column("forbid_minor", "是否禁忌未成年工", "Forbidden to minors", "flag"),
        Column("overseas", "是否境外岗位", "Abroad", "flag"),
        Column("board", "食宿", "Board and lodging"),
        Column("mentors", "企业导师数", "Mentors", "integer", high=1_000),
        Column("equipment", "可提供设备/工位", "Equipment or stations offered"),
        Column("joint", "是否同意联合组班", "Agrees to a joint class", "flag"),
    ),
    ("code",), ("coordinator", "enterprise"), ("DRAFT",), filters=("enterprise", "district"),
)  # fmt: skip


def _lot(number: int) -> tuple[Column, Column]:
    code, seats = f"企业代码{number}", f"席位{number}"
    english = f"Enterprise {number}", f"Seats {number}"
    if number == 1:
        return (
            _must("enterprise1", code, english[0], "code", example="E01"),
            _must("seats1", seats, english[1], "integer", high=500, example="20"),
        )
    return (
        Column(f"enterprise{number}", code, english[0], "code"),
        Column(f"seats{number}", seats, english[1], "integer", high=500),
    )


CLASSES = Sheet(
    "classes", "订单班计划", "Plan of order classes",
    (
        _must("code", "班级代码", "Class code", "code", hint="本轮内唯一，按它更新", example="K001"),
        _must("year", "招生年度", "Year", "integer", low=2000, high=2100, example="2026"),
        _must("season", "季度", "Season", "choice", codes=CODES["seasons"], example="秋季"),
        _must("college", "院校代码", "College code", "code", example="C01"),
        _must("major", "专业名称", "Major", most=60, example="数控加工"),
        Column("major_code", "专业代码", "Major code", "code"),
        _must("level", "培养层次", "Training level", "choice", codes=CODES["levels"], example="中级工"),
        _must("intake", "招生对象", "Who may apply", most=60, example="初中毕业生"),
        _must("years", "学制(年)", "Years", "years", hint="0.5 的倍数", example="3"),
        _must("study_form", "学习形式", "Study form", "choice", codes=CODES["study_forms"], example="全日制"),
        _must("kind", "班级类型", "Kind of class", "choice", codes=CODES["kinds"], example="订单班"),
        Column("hired_on_entry", "是否\"招生即招工\"试点", "Hired on entry (pilot)", "flag"),
        *(column for number in range(1, LOTS + 1) for column in _lot(number)),
        _must(
            "seats", "计划人数", "Planned places", "integer",
            low=1, high=2_000, hint="等于各席位之和", example="20",
        ),
        _must("min_size", "最低开班人数", "Least people to open", "integer", high=2_000, example="15"),
        Column(
            "reserves", "预留(群体代码:人数)", "Reserved (group code:seats)", "reserves",
            codes=CODES["groups"], hint="G05:3；G06:2，数字后加 ! 表示不释放",
        ),
        _must(
            "channel", "考核通道", "Exam channel", "choice",
            codes=CODES["channels"], open=True, example="应届初中",
        ),
        Column("tuition", "学费(元/年)", "Tuition (yuan a year)", "money", high=200_000),
        Column("boarding", "是否提供住宿", "Boarding", "flag"),
        Column("age_min", "年龄下限", "Least age", "integer", low=14, high=70, hint="只可收紧，须写依据"),
        Column("age_max", "年龄上限", "Greatest age", "integer", low=14, high=70, hint="只可收紧，须写依据"),
        Column("health", "体检要求", "Health conditions", "codes", codes=CODES["health"]),
        Column("note", "备注", "Note"),
        Column("age_basis", "年龄限制依据", "Basis of age limits"),
        Column("health_basis", "体检要求依据", "Basis of health conditions"),
        Column("entry_education", "学历要求", "Least education", "choice", codes=CODES["educations"]),
        Column("entry_skill", "技能等级要求", "Least skill level", "choice", codes=CODES["skill_levels"]),
        Column("internship_date", "岗位实习开始日期", "Internship from", "date"),
        Column("hire_date", "入职日期", "Hired from", "date"),
        Column("interview_required", "拒收未面试调剂", "No adjustment without interview", "flag"),
        Column("plan_order", "计划序号", "Place in the plan", "integer", low=1, high=100_000),
    ),
    ("code",), ("coordinator", "college"), ("DRAFT",), filters=("college", "study_form"),
)  # fmt: skip

APPLICANTS = Sheet(
    "applicants", "报名信息", "Applications",
    (
        Column("applicant", "报名号", "Application number", "code", hint="新报名可留空，由系统编号"),
        _must("name", "姓名", "Name", "name", most=50, hint="与证件一致，分隔点用 ·", example="张三"),
        _must("sex", "性别", "Sex", "choice", codes=CODES["sexes"], example="男"),
        _must("identity_type", "证件类型", "Document", "choice", codes=CODES["identity_types"], example="居民身份证"),
        _must(
            "number", "证件号码", "Document number", "identity",
            hint="必须是文本格式", example="371099200903150011",
        ),
        Column("birth_date", "出生日期", "Date of birth", "date", hint="身份证可留空；其他证件必填"),
        Column("nation", "民族", "Ethnic group", most=20),
        _must(
            "household_district", "户籍区划", "Registered residence", "choice",
            codes=_PLACE, open=True, example="环翠区",
        ),
        _must(
            "household_kind", "户口类型", "Kind of household", "choice",
            codes=CODES["household_kinds"], example="城市",
        ),
        _must("district", "现居住区市", "Lives in", "choice", codes=_PLACE, example="环翠区"),
        _must("telephone", "手机", "Mobile", "telephone", example="19900000001"),
        Column("guardian", "监护人", "Guardian", "name", most=50, hint="须监护人同意的必填"),
        Column("guardian_telephone", "监护人电话", "Guardian's telephone", "telephone", hint="须监护人同意的必填"),
        _must("education", "学历", "Education", "choice", codes=CODES["educations"], example="初中毕业"),
        Column("school", "毕业学校", "School", most=60),
        Column("graduated", "毕业年月", "Graduated", most=10, hint="2026-06"),
        _must("fresh", "应届", "Graduates this year", "flag", example="是"),
        _must("employment", "从业状态", "Employment", "choice", codes=CODES["employment"], example="在校"),
        _must("group1", "人员类别1", "Group 1", "choice", codes=CODES["groups"], example="应届初中毕业生"),
        Column("group2", "人员类别2", "Group 2", "choice", codes=CODES["groups"]),
        Column("evidence", "证明材料编号", "Number of evidence", most=60),
        Column("certificate", "已有证书编号", "Skill certificate", "code", hint="22位"),
        Column("skill_level", "证书等级", "Certificate level", "choice", codes=CODES["skill_levels"]),
        Column(
            "colour", "色觉(如需)", "Colour vision", "choice",
            codes=CODES["colours"], hint="仅在职业确有要求时填",
        ),
        _must(
            "study_forms", "接受学习形式", "Study forms accepted", "codes",
            codes=CODES["study_forms"], hint="可多选，用；隔开", example="全日制",
        ),
        Column("boarding", "需住宿", "Needs boarding", "flag"),
        _must("willing", "技能提升意愿", "Wants to learn", "flag", hint="填 是", example="是"),
        _must(
            "consent", "个人信息同意", "Agrees to the use of data", "flag",
            hint="填 是，纸质同意书存档", example="是",
        ),
        Column("note", "备注", "Note"),
    ),
    ("applicant",), ("coordinator",), ("OPEN",), seconded=True, filters=("district", "group1"),
)  # fmt: skip

CHOICES = Sheet(
    "choices", "志愿", "Choices",
    (
        _must("applicant", "报名号", "Application number", "code", example="2026200001"),
        _must("rank", "志愿序号", "Rank", "integer", high=99, hint="从 1 起连续；只服从调剂的填 0", example="1"),
        Column("order_class", "班级代码", "Class code", "code", hint="志愿序号为 0 时留空", example="K001"),
        Column("enterprise", "席位企业代码", "Enterprise of the seat", "code", hint="留空表示该班全部席位"),
        _must("adjusted", "是否服从调剂", "Accepts adjustment", "flag", example="是"),
        Column(
            "adjustment", "调剂范围", "Scope of adjustment", "choice",
            codes=CODES["scopes"], hint="服从调剂时必填", example="整个联盟",
        ),
        Column("not_accepted", "不接受的班级", "Classes refused", "codes", open=True, hint="班级代码，用；隔开"),
    ),
    ("applicant", "rank"), ("coordinator",), ("OPEN",), seconded=True,
)  # fmt: skip

SCORES = Sheet(
    "scores", "成绩", "Scores",
    (
        _must("applicant", "报名号", "Application number", "code", example="2026200001"),
        _must(
            "channel", "考核通道", "Exam channel", "choice",
            codes=CODES["channels"], open=True, example="应届初中",
        ),
        Column(
            "order_class", "班级代码(面试按班)", "Class code (interviews)", "code",
            hint="面试成绩必填；其他成绩留空",
        ),
        Column("culture", "文化素质", "Culture", "score", hint="0–100、缺考、免考"),
        Column("skill", "技能测试", "Skill test", "score", hint="0–100、缺考、免考", example="82"),
        Column("interview", "面试", "Interview", "score", hint="0–100、缺考、免考"),
        Column("experience", "从业经历", "Experience", "score", hint="0–100、缺考、免考"),
        Column("language", "语言", "Language", "score", hint="0–100、缺考、免考"),
        Column(
            "standing", "状态(正常/缺考/免考/作弊)", "Status", "choice",
            codes=CODES["standings"], aside=True, hint="空白分项按此计",
        ),
        Column("exempt_basis", "免考依据", "Basis of exemption", hint="免考时必填"),
        _must("entered", "录入人", "Entered by", most=50, aside=True, example="赵老师"),
        _must("checked", "复核人", "Checked by", most=50, aside=True, hint="不得与录入人相同", example="钱老师"),
    ),
    ("applicant", "channel", "order_class"), ("coordinator", "college", "enterprise"), ("REVIEW",),
    seconded=True, filters=("channel",),
)  # fmt: skip

REVIEWS = Sheet(
    "reviews", "资格审核", "Eligibility reviews",
    (
        _must("applicant", "报名号", "Application number", "code", example="2026200001"),
        _must("matter", "审核事项", "Matter", most=40, example="身份与学历"),
        _must("conclusion", "结论", "Conclusion", "choice", codes=CODES["conclusions"], example="通过"),
        Column("code", "不通过原因代码", "Code of the reason", "choice", codes=CODES["reviews"], hint="不通过时必填"),
        _must("office", "审核单位", "Office", most=60, example="示例技师学院"),
        _must("reviewer", "审核人", "Reviewer", most=50, example="孙老师"),
        _must("day", "日期", "Date", "date", example="2026-06-20"),
    ),
    ("applicant", "matter"), ("coordinator", "college"), ("REVIEW",), filters=("conclusion",),
)  # fmt: skip

SHEETS: dict[str, Sheet] = {
    sheet.key: sheet
    for sheet in (
        COLLEGES, ENTERPRISES, DEMANDS, CLASSES, APPLICANTS, CHOICES, SCORES, REVIEWS,
    )
}  # fmt: skip
