"""Conditions that a post or a class may not set, found in what people type.

Recruiters write around such rules: with blanks and signs between the characters, in traditional
characters, with look-alikes (蓝生 for 男生), in English.  What only says 不限 is no condition, and a
thing made for women or men (女装, 男鞋) is none either.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from flask_babel import lazy_gettext as _

_M = r"(?:男(?!女|装|鞋|裤|包|表|款|科|帽|袜|衬)|蓝(?=[性生])|铝(?=[性生])|♂)"
_W = r"(?:女(?!装|鞋|裤|裙|包|表|款|科|帽|袜|式|职工宿舍|职工禁忌)|铝(?=[性生])|♀)"
_S = rf"(?:{_M}|{_W})(?:性|生|士|工|子|孩|人|职工|员工|青年|同学|学员|学生|同志)?"
_ANY = r"(?:不限|均可|皆可|都可|不作要求|不做要求|没有要求|无要求|不要求|无限制|没有限制)"

_PATTERNS = {
    "sex": (
        rf"(?:仅限|只限|限定|限招|限收|限|仅招|只招|仅收|只收|只要|只用|仅要|仅|全招|专招|定向招|招聘|招收|录用|优先录取|优先招|优先录用|须为|必须为|必须是|须是|应为|需要|要求为?|要求是){_S}",
        rf"{_S}(?:为?优先|者优先|为主|为佳|为宜|最佳|优待|限定|专岗|专班|专场|班限)",
        rf"(?:不招|不收|不要|不录|不录用|拒收|拒招|谢绝|不接受|不考虑|少招){_S}",
        rf"{_S}(?:勿扰|免谈|勿投|勿报|除外|不宜|不适合|不要|不招|不收|莫入|止步|请绕道)",
        rf"(?:适合|适宜|更适合|宜){_S}",
        rf"性别(?:要求|限制|条件)?(?:[:：为]|是|须|需|应)*(?:为|是)?{_S}",
        rf"(?:{_M}|{_W})(?:性|生|士|工)?\d+(?:名|人|位|个)",
        rf"\d+(?:名|人|位|个){_S}",
        rf"[(（\[【]{_S}[)）\]】]",
        r"男女比例|小伙子|帅哥|靓仔|靓女|美女|小姐姐|小哥哥|宝妈(?:优先|为主)|限(?:先生|女士|小姐)",
    ),
    "origin": (
        rf"(?:仅限|只限|限|仅招|只招|只要|必须|须|需|要求|优先)?(?:为|是|有|持)?(?:本地|本市|本省|本县|本区|威海|山东|当地|外地|外省|城镇|城市|非农|农业|农村)(?:常住)?(?:户口|户籍)(?!{_ANY})",
        rf"(?:户口|户籍)(?:所在地)?(?:要求|限制|条件)?(?:[:：]|限|须|需|必须|为|是|在)+(?!{_ANY})",
        r"(?:仅限|只限|限|只招|仅招|只要)(?:本地|本市|本省|威海|当地)(?:人|籍|生源)",
        r"(?:本地|本市|本省|威海|当地)(?:人|籍)(?:者)?优先",
        r"(?:不招|不收|不要|谢绝|拒收|不考虑)(?:外地|外省|外市|农村|[\u4e00-\u9fff]{2,3}(?:省|籍))",
        r"(?:外地|外省|外市|农村|[\u4e00-\u9fff]{2}籍)人?(?:勿扰|免谈|勿投|除外|不要)",
    ),
    "family": (
        rf"(?:未婚|已婚|离异|单身(?!公寓|宿舍|补贴)|未育|已育|未孕|不孕|婚姻状况|婚育(?:状况|情况)?|生育(?:计划|情况|状况))(?!{_ANY})",
        r"(?:禁止|不得|不准|不允许|不可|不能|承诺不|暂不|年内不)(?:谈?恋爱|结婚|怀孕|生育|生孩子|要孩子)",
        r"孕检|验孕|妊娠(?:测试|检查|检测)|备孕|(?:孕妇|孕期|哺乳期)(?:勿扰|除外|勿投|不招|不要)|(?:不招|不要|不收)(?:孕妇|孕期|哺乳期|有孩子)",
    ),
    "hepatitis": (
        r"乙肝|乙型肝炎|肝炎携带|两对半|二对半|大三阳|小三阳|表面抗原|澳抗|hbsag|hbv",
    ),
    "height": (r"身高|个头|个子|1[4-9]\d(?:cm|厘米|公分)(?:以上|以下|及以上)|(?<!\d)1[5-9]\d米",),
    "belief": (
        r"(?:仅限|只限|限|只招|仅招|只要|必须|不招|不收|不要|谢绝)(?:汉族|少数民族|回族|信教|教徒|无宗教|[\u4e00-\u9fff]族)",
        r"(?:汉族|少数民族|信教者?|教徒)(?:优先|勿扰|免谈|除外)|无宗教信仰者?(?:优先)?",
        r"(?:不招|不收|不要|谢绝|拒收)残疾|残疾人?(?:勿扰|免谈|勿投|除外)",
    ),
    "deposit": (
        r"(?:交|缴|收|付|扣)(?:取|纳)?\d*元?(?:押金|保证金|服装费|培训费|入职费)|押金\d|(?:扣押|代管|上交|扣留)(?:身份证|证件|毕业证)",
    ),
    "agency": (r"劳务派遣|派遣制|派遣工|劳务外包|中介(?:费|代招|招工)|代招(?:代管)?|人力资源公司",),
}  # fmt: skip

_ENGLISH = {
    "sex": (
        r"\b(?:fe)?males?\s+(?:only|preferred|wanted|required|applicants?\s+only)\b",
        r"\b(?:men|women|man|woman|ladies|gentlemen|boys?|girls?)\s+(?:only|preferred|wanted|required)\b",
        r"\b(?:only|prefer(?:ably|red)?|must be(?: an?)?|no)\s+(?:(?:fe)?males?|men|women|ladies|girls|boys)\b",
        r"\b(?:sex|gender)\s*(?:[:：=]|must be|is)\s*(?:fe)?male\b",
    ),
    "origin": (
        r"\b(?:local|urban|rural|non-local)\s+(?:hukou|household registration|residents? only)\b",
        r"\bhukou\b|\blocals? (?:only|preferred)\b|\bno (?:migrants|outsiders)\b",
    ),
    "family": (
        r"\b(?:un)?married\b|\bsingle (?:only|women|men|applicants)\b|\bmarital status\b|\bchildless\b",
        r"\bno (?:pregnant|pregnancy|children|kids)\b|\bpregnancy test\b|\bnot (?:be )?pregnant\b",
    ),
    "hepatitis": (r"\bhepatitis\b|\bhbsag\b|\bhbv\b",),
    "height": (r"\bheight\b|\b(?:at least|over|above|minimum) \d{3}\s*cm\b|\btaller than\b",),
    "belief": (r"\b(?:no|only) (?:muslims|christians|ethnic minorit\w+)\b|\bhan (?:chinese )?only\b",),
    "deposit": (r"\bdeposit (?:of|required)\b|\bhand (?:in|over) (?:your )?(?:id|passport)\b",),
    "agency": (r"\blabou?r dispatch\b|\bemployment agency\b|\boutsourced staff\b",),
}  # fmt: skip

REASONS = {
    "sex": _("就业促进法 不允许以性别为条件（女职工禁忌劳动由法规直接规定）。请删去这几个字。"),
    "origin": _("就业促进法 不允许以户籍或地域设歧视性条件。请删去这几个字。"),
    "family": _("就业促进法 不允许限制结婚、生育。请删去这几个字。"),
    "hepatitis": _("就业促进法 不允许因携带传染病病原而拒绝录用，也不得查乙肝。请删去这几个字。"),
    "height": _(
        "就业促进法 不允许没有法定依据的身高条件。请删去，或在“身体条件依据”里写明法定依据。"
    ),
    "belief": _("就业促进法 不允许以民族、宗教信仰或残疾为条件。请删去这几个字。"),
    "deposit": _("职业学校学生实习管理规定 不允许收押金、扣证件。请删去这几个字。"),
    "agency": _("职业学校学生实习管理规定 不允许中介、劳务派遣单位组织安排实习。"),
}
"""Why a condition is refused, and the way out; one sentence a kind."""

MINOR_WORDS = re.compile(
    r"粉尘|有毒|剧毒|毒物|高处|高空|登高|高温|低温|冷库|冷水作业|重体力|四级体力|放射|辐射|易燃|易爆|爆破|锅炉|司炉"
    r"|井下|矿山|森林|伐木|潜水|涵洞|高压带电|强光|噪声|振动|焊接|焊工|喷漆|涂装|电镀|铸造|锻造"
)
"""Words of work that the rules on minors (未成年工) may forbid."""

_BETWEEN = re.compile(r"[\s·•・*_\-—~^|/\\.,，。、;；'\"“”‘’]+")
_TRADITIONAL = str.maketrans("僅隻須優齡戶籍勞務爲證處孕實習藍", "仅只须优龄户籍劳务为证处孕实习蓝")
_OPEN_BEFORE = re.compile(r"(?:不限|不分|不论|无论|不限制|不要求|不设|不看)$")
_OPEN_AFTER = re.compile(rf"^(?:要求|条件|限制|情况|状况|性别|[:：])*{_ANY}")
_COMPILED = {k: tuple(re.compile(p) for p in patterns) for k, patterns in _PATTERNS.items()}
_COMPILED_EN = {k: tuple(re.compile(p) for p in patterns) for k, patterns in _ENGLISH.items()}


@dataclass(frozen=True)
class Unlawful:
    """A condition that may not be set: its kind, a key of :data:`REASONS`, and the words."""

    kind: str
    words: str


def unlawful(text: str) -> list[Unlawful]:
    """The conditions in a text that may not be set, one of each kind.

    Examples
    --------
    >>> [found.kind for found in unlawful("装配工，限 男，身高170cm以上")]
    ['sex', 'height']
    >>> unlawful("女装制版师，男女不限")
    []
    """
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_TRADITIONAL)
    closed = _BETWEEN.sub("", folded)
    found = []
    for kind in REASONS:
        words = _first(_COMPILED.get(kind, ()), closed) or _first(_COMPILED_EN[kind], folded)
        if words:
            found.append(Unlawful(kind, words))
    return found


def _first(patterns: tuple[re.Pattern[str], ...], text: str) -> str:
    for pattern in patterns:
        for match in pattern.finditer(text):
            open_before = _OPEN_BEFORE.search(text[: match.start()])
            if not open_before and not _OPEN_AFTER.search(text[match.end() :]):
                return match.group()
    return ""


def agency(name: str, sector: str) -> bool:
    """Whether an enterprise is an agency (中介、劳务派遣), by its sector (GB/T 4754) or its name.

    Examples
    --------
    >>> agency("威海某某劳务派遣有限公司", ""), agency("威海某某精密机械有限公司", "3421")
    (True, False)
    """
    code = re.sub(r"\D", "", sector)
    named = re.search(
        r"劳务派遣|人力资源|劳务服务|劳务公司|职业中介|人才中介|人才服务|职业介绍", name
    )
    return bool(named) or code[:4] in ("7262", "7263", "7269")
