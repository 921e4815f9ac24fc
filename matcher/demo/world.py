"""The fictional round: invented colleges, enterprises, order classes and people, 演示数据.

Everything is drawn from ``random.Random(seed).random()`` with integer arithmetic, so that
the same seed gives the same bytes on every machine. The numbers are those of an ordinary
year in a middling city; none of the names was taken from a register, and the identity
numbers carry an area code, 371099, that was never assigned.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from ..identity import DEMO_AREA, check_digit

T = TypeVar("T")
Row = dict[str, str]

YEAR = 2026
REFERENCE = date(YEAR, 9, 1)
FORMS = ("FT", "PT", "ST")
FORM_SHARES = (93, 36, 21)
MIN_SIZE = {"FT": 20, "PT": 18, "ST": 15}
CAPACITY = {
    "FT": ((25, 30, 35, 40, 45), (15, 35, 25, 20, 5)),
    "PT": ((25, 30, 35, 40), (30, 40, 20, 10)),
    "ST": ((20, 25, 30), (30, 50, 20)),
}
LOTS = ((1, 2, 3, 4), (74, 17, 6, 3))
# 1000 / rank ** 0.9, as integers: a power of floats may differ between machines.
ZIPF = (
    (1000, 536, 372, 287, 235, 199, 174, 154, 138, 126, 116, 107, 99, 93, 87, 82)
    + (78, 74, 71, 67, 65, 62, 59, 57, 55, 53, 51, 50, 48, 47, 45, 44)
)  # fmt: skip
DECAY = (1000, 550, 302, 166)


@dataclass(frozen=True)
class Industry:
    """An industry of the plan: who works in it and what is taught for it."""

    code: str
    name: str
    classes: int
    pull: int
    female: int
    stems: tuple[str, ...]
    trades: tuple[str, ...]
    majors: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class College:
    """A college: its tier bounds the level of its classes, ``room`` is its places per year."""

    code: str
    name: str
    tier: int
    district: str
    strengths: tuple[str, ...]
    room: int


# Majors: internal code, name, health conditions that the occupation justifies.
INDUSTRIES = (
    Industry("IND01", "医疗器械", 24, 100, 50,
             ("澜珀", "栖岬", "泓瑾", "济棠", "衡芷", "瑞砚", "禾洵", "沐岚"),
             ("医疗器械", "医用材料"),
             (("MED-01", "医疗器械制造与维护", ""), ("MED-02", "药物制剂", "H02"),
              ("MED-03", "高分子材料加工", ""), ("MED-04", "模具制造", ""))),
    Industry("IND02", "新能源汽车", 18, 135, 15,
             ("驰岐", "曜途", "岭驰", "恒轫", "迅桥", "启辙", "翎驱"),
             ("新能源汽车", "动力电池", "汽车零部件"),
             (("NEV-01", "新能源汽车检测与维修", "H01"), ("NEV-02", "新能源汽车制造与装配", ""),
              ("NEV-03", "汽车维修", ""))),
    Industry("IND03", "低空经济", 9, 190, 24,
             ("云栾", "翼汀", "凌屿", "苍隼", "天桁"),
             ("航空科技", "无人机"),
             (("UAV-01", "无人机应用技术", "H01;H03"), ("UAV-02", "飞机维修", "H01"))),
    Industry("IND04", "康养托育", 19, 70, 78,
             ("颐汀", "安稚", "慈棠", "润萱", "幼蘅", "和煦湾", "松椿"),
             ("康养服务", "托育"),
             (("CAR-01", "健康服务与管理", "H02"), ("CAR-02", "护理", "H02"),
              ("CAR-03", "婴幼儿托育", "H02;H04"), ("CAR-04", "老年服务", "H02"))),
    Industry("IND05", "纺织服装", 16, 45, 70,
             ("锦汐", "织澜", "纫秋", "绮岚", "棉屿", "绫渡"),
             ("服饰", "家纺", "渔网织造"),
             (("TEX-01", "服装设计与制作", ""), ("TEX-02", "服装制作与营销", ""),
              ("TEX-03", "纺织技术", ""))),
    Industry("IND06", "智能制造", 32, 100, 22,
             ("砺桥", "臻轴", "启锻", "铭镗", "恒铣", "矩阵湾", "匠澜", "睿衡", "固岬", "钧橹"),
             ("智能装备", "精密机械", "数控"),
             (("MAN-01", "机电一体化技术", ""), ("MAN-02", "工业机器人应用与维护", ""),
              ("MAN-03", "电气自动化设备安装与维修", "H01"), ("MAN-04", "数控加工", ""),
              ("MAN-05", "焊接加工", ""))),
    Industry("IND07", "文旅餐饮", 18, 90, 52,
             ("汐月", "栖浪", "鲜汀", "海隅", "岬上", "味澜", "渔歌里"),
             ("酒店", "文旅", "餐饮"),
             (("TOU-01", "烹饪（中式烹调）", "H02"), ("TOU-02", "饭店（酒店）服务", "H02"),
              ("TOU-03", "旅游服务与管理", ""))),
    Industry("IND08", "直播电商", 14, 170, 58,
             ("播浪", "星橹", "潮选", "鸥鸣", "橙帆", "万岬"),
             ("电子商务", "文化传媒"),
             (("ECO-01", "电子商务", ""), ("ECO-02", "网络营销", ""),
              ("ECO-03", "数字媒体", ""))),
)  # fmt: skip

LEVEL_NAMES = {"5": "初级工", "4": "中级工", "3": "高级工", "2": "预备技师"}
LEVELS = {2: (18, 62, 20), 3: (45, 55, 0), 4: (1, 0, 0)}  # weights of 4, 3, 2 by college tier
MAJORS_FOR_ADULTS = ("MAN-03", "MAN-05")  # electricians and welders

# Tier: the highest level a college may train, 2 技师学院, 3 高级技工学校, 4 技工学校.
COLLEGES = (
    College("C01", "威海滨澜技师学院(演示)", 2, "371072", ("IND06", "IND01"), 760),
    College("C02", "威海翠屿技师学院(演示)", 2, "371002", ("IND02", "IND08"), 620),
    College("C03", "文登昆岭技师学院(演示)", 2, "371003", ("IND06", "IND05"), 560),
    College("C04", "荣成海桥高级技工学校(演示)", 3, "371082", ("IND07", "IND06"), 420),
    College("C05", "乳山银滩湾高级技工学校(演示)", 3, "371083", ("IND04", "IND07"), 360),
    College("C06", "高区火炬桥技工学校(演示)", 4, "371071", ("IND01",), 240),
    College("C07", "临港云帆技工学校(演示)", 4, "371073", ("IND03",), 180),
    College("C08", "南海新港技工学校(演示)", 4, "3710NH", ("IND03", "IND02"), 160),
    College("C09", "经区织锦职业技工学校(演示,企业办)", 3, "371072", ("IND05",), 200),
    College("C10", "环翠康育技工学校(演示,社会力量办)", 4, "371002", ("IND04",), 220),
)
CROWDED = ("C02", "C08")  # these announce more seats than they have places: their caps bind

NEIGHBOURS = {
    "371002": ("371071", "371072", "371073"),
    "371071": ("371002",),
    "371072": ("371002", "371073", "371082"),
    "371073": ("371002", "371072", "371003"),
    "371003": ("371073", "371082", "371083", "3710NH"),
    "371082": ("371072", "371003"),
    "371083": ("371003", "3710NH"),
    "3710NH": ("371003", "371083"),
}
DISTRICTS = (
    ("371002", "371071", "371072", "371073", "3710NH", "371003", "371082", "371083")
    + ("370000", "OUTPRV", "ABROAD"),
    (16, 12, 14, 4, 2, 15, 17, 10, 5, 4, 1),
)  # fmt: skip


@dataclass(frozen=True)
class Group:
    """A group of applicants: how many, how old, what they have learnt, what they accept."""

    code: str
    share: int
    channel: str
    ages: tuple[int, int, int, int]  # youngest, usual from, usual to, oldest
    education: tuple[tuple[str, ...], tuple[int, ...]]
    skills: tuple[int, int, int, int]  # per cent holding none, level 5, 4, 3
    forms: tuple[int, int, int]  # per cent who want FT, PT, ST most
    consent: int


GROUPS = (
    Group("G01", 1650, "CH1", (15, 15, 16, 16), (("71",), (1,)), (100, 0, 0, 0), (100, 0, 0), 84),
    Group("G02", 250, "CH1", (15, 16, 18, 24), (("71",), (1,)), (95, 5, 0, 0), (92, 5, 3), 84),
    Group("G03", 350, "CH2", (18, 18, 19, 19), (("61",), (1,)), (100, 0, 0, 0), (100, 0, 0), 84),
    Group("G04", 600, "CH2", (18, 18, 19, 22), (("41", "44", "47"), (35, 30, 35)),
          (40, 25, 35, 0), (100, 0, 0), 84),
    Group("G05", 650, "CH3", (16, 22, 26, 35), (("71", "61", "44", "47", "31", "21"),
          (30, 20, 15, 15, 15, 5)), (80, 12, 8, 0), (28, 42, 30), 84),
    Group("G06", 750, "CH3", (18, 28, 42, 55), (("81", "71", "61", "44", "47"),
          (5, 55, 20, 10, 10)), (70, 20, 10, 0), (20, 55, 25), 55),
    Group("G07", 200, "CH3", (20, 22, 28, 40), (("71", "61", "31"), (30, 50, 20)),
          (90, 0, 10, 0), (30, 45, 25), 84),
    Group("G08", 120, "CH3", (16, 17, 30, 45), (("71", "61"), (60, 40)),
          (90, 10, 0, 0), (30, 40, 30), 84),
    Group("G09", 60, "CH3", (16, 20, 32, 45), (("71", "61", "44"), (60, 25, 15)),
          (90, 10, 0, 0), (25, 45, 30), 84),
    Group("G11", 150, "CH3", (19, 25, 40, 50), (("61", "47", "31"), (35, 35, 30)),
          (30, 20, 35, 15), (0, 75, 25), 35),
    Group("G12", 100, "CH3", (21, 22, 26, 35), (("31", "21"), (70, 30)),
          (85, 5, 10, 0), (25, 45, 30), 45),
    Group("G13", 40, "CH3", (25, 32, 48, 55), (("81", "71", "61"), (10, 60, 30)),
          (80, 15, 5, 0), (5, 50, 45), 84),
    Group("G14", 50, "CH4", (18, 19, 22, 26), (("61", "21"), (85, 15)),
          (100, 0, 0, 0), (80, 0, 20), 60),
    Group("G15", 10, "CH4", (18, 22, 30, 40), (("61", "31"), (60, 40)),
          (100, 0, 0, 0), (0, 0, 100), 60),
    Group("G16", 20, "CH3", (30, 35, 50, 59), (("71", "61"), (65, 35)),
          (70, 20, 10, 0), (5, 45, 50), 84),
)  # fmt: skip
SECOND = {
    "CH1": (("G08", "G09", "G10"), (60, 15, 25)),
    "CH2": (("G08", "G09", "G10", "G07"), (55, 15, 25, 5)),
    "CH3": (("G05", "G06", "G07", "G08", "G09", "G10", "G16"), (22, 30, 10, 14, 6, 10, 8)),
    "CH4": (("G99",), (1,)),
}
WEIGHTS = {
    "CH1": {"culture": 50, "skill": 20, "interview": 30},
    "CH2": {"culture": 40, "skill": 35, "interview": 25},
    "CH3": {"skill": 50, "interview": 40, "experience": 10},
    "CH4": {"language": 40, "interview": 60},
}
# Oldest admitted, relaxation included, by form and group; the policy below says the same.
OLDEST = {
    "FT": {"": 22, "G05": 30, "G06": 30, "G07": 30, "G12": 35, "G14": 30},
    "PT": {"": 45, "G06": 55, "G07": 50, "G11": 55, "G13": 55},
    "ST": {"": 60},
}
SCOPES = (("alliance", "industry", "district", "college"), (40, 25, 20, 15))
REVIEWS = (
    ("documents", "identity", "duplicate", "enrolled", "expired", "withdrawn", "other"),
    (40, 15, 15, 10, 5, 10, 5),
)
LENGTHS = ((1, 2, 3, 4, 5, 6), (6, 10, 18, 20, 18, 28))
HEALTH = (("H01", 96), ("H02", 97), ("H03", 98), ("H04", 99))
MINOR_REASONS = ("粉尘作业", "接触有毒物质", "二级以上高处作业", "四级体力劳动强度")

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
    "苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾"
    "侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文丛毕鞠"
)
LOCAL = "于丛毕姜鞠"
COMPOUND = ("欧阳", "司马", "上官", "诸葛", "司徒", "夏侯")
GIVEN = (
    "伟芳娜敏静强磊洋艳勇军杰娟涛超明霞平刚玲桂晨欣宇浩轩梓涵诗雨佳怡子墨一诺嘉琪博文俊"
    "思睿雪梦瑶海澜昕旭东晓燕丽红波鹏飞凯彬春华秋月国庆建志远新立君安宁泽辰沐阳依可心悦"
)
SAME_NAME = (("AC01-01", "AC01-02"), ("A0100", "A0200"), ("A0300", "A0400"))
LATIN = ("Amina Yusuf", "Budi Santoso", "Nguyen Thi Lan", "Samuel Okoro", "Anna Petrova",
         "Carlos Mendes")  # fmt: skip


class Dice:
    """Draws by ``random()`` alone, whose stream Python guarantees, and integers."""

    def __init__(self, seed: int, topic: int) -> None:
        self._random = random.Random(seed * 1000 + topic).random

    def below(self, n: int) -> int:
        """An integer from 0 to n − 1."""
        return int(self._random() * n)

    def chance(self, n: int, of: int = 100) -> bool:
        """True ``n`` times out of ``of``."""
        return self.below(of) < n

    def pick(self, items: Sequence[T]) -> T:
        """One of ``items``, each as likely."""
        return items[self.below(len(items))]

    def weighted(self, items: Sequence[T], weights: Sequence[int]) -> T:
        """One of ``items``, as likely as its integer weight."""
        left = self.below(sum(weights))
        for item, weight in zip(items, weights, strict=True):
            left -= weight
            if left < 0:
                return item
        raise ValueError("weights sum to zero")

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """A new list in random order (Fisher and Yates)."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order

    def normal(self) -> int:
        """A thousand times a standard normal number, as a sum of twelve uniform ones."""
        return sum(self.below(1000) for _ in range(12)) - 5994


@dataclass
class Draft:
    """The rows of a round while it is being written."""

    classes: list[Row] = field(default_factory=list)
    programs: list[Row] = field(default_factory=list)
    applicants: list[Row] = field(default_factory=list)
    applications: list[Row] = field(default_factory=list)
    scores: list[Row] = field(default_factory=list)
    decisions: list[Row] = field(default_factory=list)
    reserves: list[Row] = field(default_factory=list)
    caps: list[Row] = field(default_factory=list)


def enterprise_names() -> dict[str, tuple[str, str]]:
    """Name and industry of each enterprise, by its id."""
    named = [
        (f"威海{stem}{industry.trades[k % len(industry.trades)]}有限公司(演示)", industry.code)
        for industry in INDUSTRIES
        for k, stem in enumerate(industry.stems)
    ]
    return {f"E{number:02d}": pair for number, pair in enumerate(named, start=1)}


def apportion(total: int, shares: Sequence[int]) -> list[int]:
    """Divide ``total`` by largest remainder; equal remainders go to the earlier share."""
    whole = sum(shares)
    parts = [total * share // whole for share in shares]
    order = sorted(range(len(shares)), key=lambda k: (-(total * shares[k] % whole), k))
    for k in order[: total - sum(parts)]:
        parts[k] += 1
    return parts


def half_up(numerator: int, denominator: int) -> int:
    """Round a non-negative fraction, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


def ring(one: str, other: str) -> int:
    """How many district borders lie between two districts, 3 at most; strangers live at 1."""
    if one not in NEIGHBOURS or other not in NEIGHBOURS:
        return 1
    reached, steps = {one}, 0
    while other not in reached and steps < 3:
        reached |= {next_to for here in reached for next_to in NEIGHBOURS[here]}
        steps += 1
    return steps


def birth_date(dice: Dice, age: int) -> date:
    """A birthday of somebody who is ``age`` on the reference date."""
    first = date(YEAR - age - 1, 9, 2)
    return date.fromordinal(first.toordinal() + dice.below(365))


def number_people(applicants: Sequence[Row]) -> None:
    """Write identity numbers that nobody can hold: area 371099, or a passport DEMO…."""
    taken: dict[tuple[str, str], int] = {}
    numbers: dict[str, str] = {}
    passports = 0
    for row in applicants:
        if "person" in row:  # the same person once more
            row["identity_number"] = numbers[row["person"]]
            continue
        if row["identity_type"] == "10":
            passports += 1
            row["identity_number"] = f"DEMO{passports:05d}"
            continue
        born = row["birth_date"].replace("-", "")
        serial = taken.get((born, row["sex"]), 1 if row["sex"] == "1" else 2)
        number = identity_number(born, serial)
        while row.get("x_case") == "13" and number[-1] != "X":
            serial += 2
            number = identity_number(born, serial)
        taken[born, row["sex"]] = serial + 2
        row["identity_number"] = number.lower() if row.get("x_case") == "13" else number
        numbers[row["applicant"]] = row["identity_number"]


def identity_number(born: str, serial: int) -> str:
    """The number of area 371099 for a birth date YYYYMMDD and a serial (odd: male)."""
    body = f"{DEMO_AREA}{born}{serial:03d}"
    return body + check_digit(body)


def person_names(dice: Dice, applicants: Sequence[Row]) -> None:
    """Name everybody differently, six in Latin letters, save for three pairs on purpose."""
    taken: set[str] = set()
    latin = list(LATIN)
    for row in applicants:
        name = latin.pop() if latin and row["identity_type"] == "10" else person_name(dice)
        for _ in range(50):  # a very large round runs out of names
            if name not in taken:
                break
            name = person_name(dice)
        taken.add(name)
        row["x_name"] = name
    people = {row["applicant"]: row for row in applicants}
    for one, other in SAME_NAME:
        if one in people and other in people:
            people[other]["x_name"] = people[one]["x_name"]


def person_name(dice: Dice) -> str:
    """A surname, weighted as in eastern Shandong, and one or two characters."""
    if dice.chance(1):
        surname = dice.pick(COMPOUND)
    elif dice.chance(8):
        surname = dice.pick(LOCAL)
    else:  # the earlier surnames are the commoner ones
        surname = SURNAMES[min(dice.below(len(SURNAMES)), dice.below(len(SURNAMES)))]
    given = dice.pick(GIVEN)
    return surname + given if dice.chance(8) else surname + given + dice.pick(GIVEN)
