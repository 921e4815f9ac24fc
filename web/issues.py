"""What is wrong with a file or a cell, and the way out: two sentences for each code."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _

from . import words
from .lines import Issue
from .rounds import LABELS
from .wording import REASONS

SENTENCES: dict[str, tuple[Any, Any]] = {
    "too_big": (_("文件超过 20 MB"), _("分成几个文件，或删去图片和多余的表")),
    "old_format": (_("这是旧格式（.xls、.et 或 .ods）"), _("在 Excel 或 WPS 里另存为 .xlsx，再上传")),
    "not_xlsx": (_("这不是 .xlsx 工作簿"), _("下载模板，填好后另存为 .xlsx")),
    "broken": (_("文件已损坏"), _("用 Excel 或 WPS 打开，另存为 .xlsx 再上传")),
    "broken_xml": (_("文件内容不合规范"), _("用 Excel 或 WPS 打开，另存为 .xlsx 再上传")),
    "unreadable": (_("读取时间或内存超限"), _("把内容复制到新下载的模板里再上传")),
    "inflated": (_("解压后超过 200 MB"), _("把内容复制到新下载的模板里再上传")),
    "ratio": (_("压缩比异常"), _("把内容复制到新下载的模板里再上传")),
    "members": (_("文件里的部件太多（%(value)s 个，最多 60 个）"), _("把内容复制到新下载的模板里再上传")),
    "password": (_("文件有密码"), _("去掉密码后再上传")),
    "macro": (_("文件带有宏"), _("另存为不带宏的 .xlsx")),
    "external_link": (_("文件引用了别的文件或网址"), _("断开外部链接，只留数值")),
    "embedded": (_("文件里有图片、图表或嵌入对象"), _("删去后再上传")),
    "part": (_("文件里有不允许的部件"), _("把内容复制到新下载的模板里再上传")),
    "doctype": (_("文件里有文档类型声明"), _("把内容复制到新下载的模板里再上传")),
    "formula": (_("单元格里是公式"), _("选择性粘贴为“数值”后再上传")),
    "merged": (_("单元格已合并"), _("取消合并，每格各填一值")),
    "hidden_row": (_("此行被隐藏"), _("取消隐藏并核对，或删去此行")),
    "hidden_column": (_("此列被隐藏"), _("取消隐藏并核对")),
    "hidden_sheet": (_("工作表被隐藏"), _("取消隐藏后再上传")),
    "error_value": (_("单元格是错误值"), _("改成正确的数值或文字")),
    "rows": (_("超过 %(value)s 行"), _("分成几个文件上传")),
    "columns": (_("超过 %(value)s 列"), _("删去模板以外的列")),
    "no_sheet": (_("文件里没有名为“%(expected)s”的工作表（现有：%(found)s）"), _("用模板填写，不改工作表名称")),
    "other_sheet": (_("这是“%(found)s”的模板"), _("到“%(found)s”那一页上传，或下载本页的模板")),
    "other_round": (_("此证件号码在本年另一轮已报名"), _("核对是否同一人、是否重复报名；无误可继续")),
    "wrong_round": (_("这是 %(found)s 轮的模板，本轮是 %(expected)s"), _("下载本轮的模板，把内容复制过去")),
    "old_template": (_("模板版本已旧"), _("下载新模板，把内容复制过去")),
    "header": (_("标题应为“%(expected)s”，文件里是“%(found)s”"), _("各列的标题和次序须与模板一致，检查是否移了列")),
    "extra_cell": (_("标题之外还有内容"), _("删去右边多余的内容")),
    "no_rows": (_("没有数据"), _("从标题下面开始填写")),
    "state": (_("本轮现在是“%(state)s”，这张表不能存入"), "%(way)s"),
    "required": (_("必填，现在是空的"), _("填写后再上传")),
    "not_text": (_("应是文字"), _("把单元格设为“文本”后重新输入")),
    "blanks_around": (_("前后有空格"), _("删去前后的空格")),
    "character": (_("第 %(place)s 个字符看不见或不允许（%(point)s）"), _("删去这个字符，重新输入")),
    "formula_text": (_("以“%(first)s”开头，会被当作公式"), _("删去开头的这个符号")),
    "too_long": (_("超过 %(most)s 个字"), _("缩短")),
    "number_cell": (_("代码被存成了数字，可能丢了开头的 0"), _("把单元格设为“文本”后重新输入")),
    "code": (_("代码只用字母、数字和 - _ .，至多 32 位"), _("照代码表改正")),
    "uscc": (_("统一社会信用代码的校验不对"), _("照证照重新输入 18 位代码")),
    "identity_number_cell": (_("证件号码被存成了数字，末几位已丢失"), _("设为“文本”，照证件重新输入，不能补回")),
    "identity_scientific": (_("证件号码成了科学计数，末几位已丢失"), _("把单元格设为“文本”，照证件重新输入")),
    "identity_format": (_("证件号码的位数或字符不对"), _("照证件重新输入")),
    "identity_date": (_("证件号码里的出生日期不存在"), _("照证件重新输入")),
    "identity_check": (_("证件号码的校验位不对"), _("照证件逐位核对")),
    "identity_demo": (_("这是演示用的号码，不能用于正式报名"), _("照证件重新输入")),
    "identity_birth": (_("出生日期与证件号码不一致"), _("核对证件，改正其中一项")),
    "identity_sex": (_("性别与证件号码不一致"), _("核对证件，改正其中一项")),
    "identity_kind": (_("没有这种证件类型"), _("从列表中选")),
    "telephone": (_("电话号码不对"), _("填 11 位手机号，或“区号-号码”")),
    "choice": (_("不在可选范围"), _("可填：%(allowed)s")),
    "twice": (_("同一项填了两次"), _("删去重复的一项")),
    "integer": (_("应是 %(low)s–%(high)s 的整数"), _("改成整数")),
    "years": (_("学制应是 0.5 的倍数，不超过 10"), _("例如 3 或 2.5")),
    "date": (_("日期不对"), _("写成 2026-09-01")),
    "flag": (_("只能填 是 或 否"), _("从列表中选")),
    "score": (_("成绩应是 0–100 的数，或 缺考、免考"), _("改正；没有成绩就留空")),
    "score_decimals": (_("成绩最多两位小数"), _("四舍五入到两位小数")),
    "cheated": (_("作弊不是成绩"), _("删去这一行，到资格审核里按规定处理")),
    "reserves": (_("应写成 G05:3；G06:2"), _("照格式改正")),
    "name_dot": (_("姓名里的分隔点可能应为“%(better)s”"), _("与证件一致可以照存，否则改正")),
    "name_blank": (_("姓名里有空格，可能应为“%(better)s”"), _("与证件一致可以照存，否则改正")),
    "twice_in_file": (_("与第 %(other)s 行重复"), _("只留一行")),
    "not_yours": (_("不是本单位的数据"), _("删去这一行，或请联盟协调员导入")),
    "no_enterprise": (_("没有这个企业代码"), _("先导入企业信息，或改正代码")),
    "no_college": (_("没有这个院校代码"), _("先导入院校信息，或改正代码")),
    "reversed": (_("上限小于下限 %(other)s"), _("改正其中一项")),
    "basis_needed": (_("有限制就要写依据"), _("写明法规或职业依据")),
    "unlawful": (_("含有不允许的条件"), "%(reason)s"),
    "channel": (_("本轮没有这个考核通道"), _("可填：%(allowed)s")),
    "other_college": (_("此班属于另一所院校"), _("班级不能换院校，请用新的班级代码")),
    "year": (_("应为 %(expected)s"), _("与本轮一致，或到另一轮导入")),
    "level": (_("%(tier)s不能办这个层次"), _("可填：%(allowed)s")),
    "enterprise_twice": (_("同一企业填了两次"), _("合并成一项席位")),
    "seats_sum": (_("计划人数应等于各席位之和 %(sum)s"), _("改正其中一项")),
    "min_size": (_("最低开班人数多于席位 %(sum)s"), _("改正其中一项")),
    "reserved": (_("预留人数多于席位 %(sum)s"), _("减少预留")),
    "removal_taken": (_("全量替换会删去它，但有班级用着这个需求"), _("留在表里，或先从班级里撤下")),
    "removal_capped": (_("全量替换会删去它，但它在总量上限里"), _("留在表里，或先改总量上限")),
    "removal_member": (_("全量替换会删去它，但有账号、班级或岗位属于它"), _("留在表里，或先撤下它的账号、班级和岗位")),
    "removal_own": (_("全量替换会撤回她的报名，但这是她自己报的"), _("留在表里；只有她本人可以撤回")),
    "removal_own_list": (_("全量替换会撤下她的志愿，但这是她自己交的"), _("留在表里；只有她本人可以改志愿")),
    "seats_lost": (_("原有此企业的席位，表里没有"), _("导入不删除席位：补上，或到班级页面撤销")),
    "not_expressible": (_("此班的席位比这张表能写的复杂"), _("到班级页面修改")),
    "number_twice": (_("与第 %(other)s 行证件号码相同"), _("一人只报一次，删去一行")),
    "enrolled_as": (_("此人在本轮已有报名号 %(other)s"), _("改用原报名号，或留空")),
    "number_differs": (_("证件号码与已登记的不同"), _("证件号码须由两人在柜台更正，这里不能改")),
    "number_used": (_("报名号已用于其他轮次"), _("留空，由系统编号")),
    "other_facts": (_("此证件号码已登记为另一姓名"), _("到柜台核对证件")),
    "birth_needed": (_("此类证件须填出生日期"), _("照证件填写")),
    "future": (_("日期在今天之后"), _("改正日期")),
    "guardian": (_("未满 %(age)s 周岁，须填监护人和电话"), _("填写监护人")),
    "must_yes": (_("须为 是"), _("本人未同意的，不能报名")),
    "certificate": (_("证书编号不合规则"), _("照证书填 22 位（旧证 16 位）")),
    "certificate_year": (_("证书编号里的年份 %(year)s 在今年之后"), _("照证书核对")),
    "certificate_level": (_("证书编号第 %(place)s 位表示“%(stated)s”"), _("核对证书，改正等级或编号")),
    "no_class": (_("本轮没有这个班级"), _("照招生计划改正代码")),
    "no_seat": (_("该企业在此班没有席位"), _("改正企业代码，或留空表示全班")),
    "empty_list": (_("没有志愿，也不服从调剂"), _("至少填一个志愿，或服从调剂")),
    "rank_twice": (_("志愿序号重复"), _("每个序号只填一行")),
    "rank_zero": (_("志愿序号 0 表示没有志愿，班级应留空"), _("留空，或改正序号")),
    "choice_twice": (_("与第 %(other)s 行是同一志愿"), _("删去一行")),
    "rank_gap": (_("志愿序号不连续，缺第 %(missing)s 志愿"), _("从 1 起连续填写")),
    "too_many": (_("志愿多于 %(most)s 个"), _("删去多余的志愿")),
    "not_one_answer": (_("与第 %(other)s 行的填写不一致"), _("同一人各行须填得一样")),
    "adjustment_contradicts": (_("不服从调剂，却填了调剂范围"), _("改正其中一项")),
    "no_applicant": (_("本轮没有这个报名号"), _("核对报名号，或先导入报名信息")),
    "withdrawn": (_("此人已撤回报名"), _("删去这一行")),
    "not_submitted": (_("此人尚未提交报名"), _("先提交报名和志愿")),
    "own_list": (_("本人已在网上提交志愿"), _("不能用导入覆盖；请本人登录修改")),
    "interviews_only": (_("企业只登记本企业班级的面试"), _("填写班级代码")),
    "not_of_channel": (_("此考核通道没有这一项"), _("删去，或改正考核通道")),
    "interview_by_class": (_("面试成绩按班登记"), _("填写班级代码")),
    "score_by_channel": (_("按班的一行只填面试"), _("另起一行，班级代码留空")),
    "standing_contradicts": (_("状态与已填的分数矛盾"), _("改正其中一项")),
    "no_score": (_("没有任何成绩"), _("填写成绩，或在状态里选缺考、免考")),
    "exempt_basis": (_("免考须写依据"), _("写明免考依据")),
    "same_person": (_("复核人与录入人相同"), _("须由另一人复核")),
    "reason_needed": (_("不通过须填原因代码"), _("从列表中选原因")),
    "reason_contradicts": (_("结论与原因代码矛盾"), _("改正其中一项")),
    "other_office": (_("由另一单位（%(value)s）录入"), _("请与它联系，由它更改")),
    "concluded": (_("已有审核结论"), _("更改结论须在审核页面由两人办理")),
}  # fmt: skip

WAYS = {
    "DRAFT": _("公布以后的席位变更走席位变更单"),
    "OPEN": _("报名填报期间才能导入"),
    "REVIEW": _("审核考核期间才能导入，锁定以后不能再改"),
}
"""What to do instead where the round has moved on: by the last state in which a sheet is stored."""


def sentence(issue: Issue) -> tuple[str, str]:
    """What is wrong, and the way out, in the language of the request."""
    what, way = SENTENCES[issue.code]
    about: dict[str, Any] = {"value": issue.value, **issue.about}
    if issue.code == "unlawful":
        about["reason"] = str(REASONS[about["kind"]])
    if issue.code == "state":
        about["way"] = str(WAYS[about["last"]])
        about["state"] = str(LABELS[about["state"]])
    return words.filled(str(what), about), words.filled(str(way), about)
