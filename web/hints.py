"""How each column of a workbook is filled in, in the language of the page.

Workbooks are in Chinese, with these hints in their second row; a page that shows the columns says the
same in the reader's language.
"""

from __future__ import annotations

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from .cells import Column

KINDS: dict[str, Any] = {
    "text": _("文字"), "name": _("姓名，照证件"), "code": _("代码"), "uscc": _("18 位代码"),
    "identity": _("证件号码，文本格式"), "telephone": _("电话号码"), "choice": _("从列表中选"),
    "codes": _("可多选，用；隔开"), "integer": _("整数"), "money": _("整数（元）"),
    "years": _("0.5 的倍数"), "date": _("日期 2026-09-01"), "flag": _("是 或 否"),
    "score": _("0–100、缺考、免考"), "reserves": _("G05:3；G06:2"),
}  # fmt: skip
HINTS = (
    _("联盟内唯一，按它更新"), _("18位"), _("公办、企业办、社会力量办"), _("本轮内唯一，按它更新"),
    _("不得限性别、户籍、婚育"), _("元/月"), _("不得违法限制"), _("有身体条件时必填"),
    _("等于各席位之和"), _("G05:3；G06:2，数字后加 ! 表示不释放"), _("只可收紧，须写依据"),
    _("新报名可留空，由系统编号"), _("与证件一致，分隔点用 ·"), _("必须是文本格式"),
    _("身份证可留空；其他证件必填"), _("须监护人同意的必填"), _("22位"), _("仅在职业确有要求时填"),
    _("填 是"), _("填 是，纸质同意书存档"), _("从 1 起连续；只服从调剂的填 0"),
    _("志愿序号为 0 时留空"), _("留空表示该班全部席位"), _("服从调剂时必填"),
    _("班级代码，用；隔开"), _("面试成绩必填；其他成绩留空"), _("空白分项按此计"), _("免考时必填"),
    _("不得与录入人相同"), _("不通过时必填"),
)  # fmt: skip
"""What columns say of themselves beyond their kind: each is spoken by :func:`hint`."""


def hint(column: Column) -> str:
    """What a page says of a column: whether it must be filled in, with what, and an example."""
    parts = [gettext("必填") if column.required else gettext("选填")]
    parts.append(gettext(column.hint) if column.hint else str(KINDS[column.kind]))
    if column.example:
        parts.append(gettext("例 %(example)s", example=column.example))
    return str(gettext("；")).join(map(str, parts))
