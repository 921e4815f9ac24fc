"""Cases planted in the demo round, and small faults that make a round invalid.

The planted classes stand apart: their ids begin with ``KC``, those of their people with ``AC`` and the
number of the case; nobody else lists them, and ``interview_required`` keeps everybody else's
adjustment out. So each case comes out the same whatever the rest of the round does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..tables import Table, Tables
from .world import COLLEGES, GROUPS, INDUSTRIES, LEVEL_NAMES, WEIGHTS, YEAR, Draft, enterprise_names

PLANTED_ENTERPRISES = ("E26", "E27")  # no longer members of the alliance: case 30
LEFT = (f"{YEAR}-03-31", f"{YEAR - 1}-12-31")


@dataclass(frozen=True)
class Case:
    """A planted case: its numbers, where it stands, and what must come of it."""

    number: str
    who: str
    where: str
    zh: str
    en: str


CASES = (
    Case("1", "AC01-01 … AC01-04", "KC01-1",
         "四人成绩与同分比较项全同，争最后两个席位：由公示种子的摇号决定，次次相同",
         "Four equal in every score for the last two seats: the lottery decides, always the same"),
    Case("2", "AC02-01 … AC02-19; AC02-20, AC02-21, AC28-01", "KC02",
         "第一志愿 19 人，最低 20 人：靠调剂开班",
         "19 first choices, minimum 20: opens only through adjustment (rank 0)"),
    Case("3", "AC03-01 … AC03-07; AC03-31 … AC03-37", "KC03, KC03N",
         "KC03 只有 7 人，不开班；7 人按成绩进入第二志愿 KC03N，末 7 人因此落选，不是排在最后",
         "KC03 has 7 people and closes; they enter KC03N by score and push out its last seven"),
    Case("4", "AC04-01 … AC04-13, AC04-21 … AC04-32", "KC04A, KC04B",
         "两班各差 7 人，停开计划序号在后的 KC04B，其学生转入 KC04A 而开班",
         "Each 7 short: KC04B, later in plan order, closes, and its people open KC04A"),
    Case("5", "AC05-01 … AC05-12", "KC05-1",
         "失业青年预留 2 席无人可用，转为普通席位：10 席全部录取，席位均为 open",
         "Reserve for G05 without takers reverts: ten placed, every seat `open`"),
    Case("6", "AC06-01, AC06-02", "KC05-2",
         "AC06-01 兼属 G05、G07，用 G07 预留，使 AC06-02 能用 G05 预留",
         "AC06-01 in G05 and G07 takes the G07 seat, so that AC06-02 gets the G05 seat"),
    Case("7", "AC07-01", "KC03N-1, KC01-1, KC07-1",
         "15 岁：三年制禁忌岗位实习时 17 岁（minor）；即训班（age、work_age）；四年制时已满 18 岁，录取",
         "Aged 15: barred `minor` at KC03N-1 (17 at internship), `age` and `work_age` at KC01-1; "
         "placed in the four-year KC07-1, third choice"),
    Case("8", "AC08-01; AC08-02, AC08-03, AC08-04", "KC08-1",
         "46 岁农民工：放宽录取。52 岁：有个案审批者录取，无审批者 approval；57 岁 age",
         "46: placed, `relaxed`. 52: approved is placed, without approval barred; 57: barred `age`"),
    Case("9", "AC08-01", "KC15-1",
         "同一人报全日制第一志愿：年龄不符（46，上限 30）",
         "The same person's first choice is full time: barred `age`, value 46, limit 30"),
    Case("11", "AC11-01, AC11-02", "KC08-1",
         "同一人重复报名：第二份审核为 duplicate，不参加录取",
         "One person applying twice: the second is reviewed `duplicate` and barred"),
    Case("13", "AC13-01", "KC08-1", "证件号码末位为小写 x：视同 X",
         "Identity number ending in lower-case x: accepted as X"),
    Case("14", "AC14-01", "KC07-1", "护照过期：审核为 expired，不参加录取",
         "Expired passport: review `expired`, barred"),
    Case("15", "AC15-01 … AC15-04", "KC15-1",
         "技能成绩 0 分（总分恰为 50，录取）、空白（total）、缺考（absent）、免考（权重重算，录取）",
         "Skill 0 (total exactly 50: placed), blank (barred `total`), absent (barred `absent`), "
         "exempt (weights renormalised: placed)"),
    Case("16", "—", "KC01, KC05, KC08, KC30 …（C10）",
         "以后使用：院校 C10 在两轮之间退出联盟（填 college_member_until）",
         "For later use: college C10 leaves between rounds (fill in `college_member_until`)"),
    Case("17", "AC01-01 … AC01-04", "KC01-1",
         "以后使用：公示期有人放弃，递补摇号次序在后的下一人",
         "For later use: one of the two placed declines; the next by lottery follows"),
    Case("18", "AC18-01", "KC01-1",
         "以后使用：复核把技能成绩 50 更正为 90，只换下最后一名",
         "For later use: skill corrected from 50 to 90 puts her in and only the last placed out"),
    Case("19", "AC05-01 … AC05-12", "KC05-1",
         "以后使用：企业公布后减席（10 减为 8），须走变更单",
         "For later use: the enterprise cuts 10 seats to 8 after publication"),
    Case("27", "AC27-01", "KC04B-1",
         "只报一个不开班的班、不服从调剂：未录取，原因是班级未开",
         "Lists only a class that closes, no adjustment: unplaced, the class is closed"),
    Case("28", "AC28-01; AC28-02, AC28-03", "KC02-1",
         "志愿空白：服从全联盟调剂者调剂录取；不服从者、只服从同院校者为 no_choice",
         "Empty lists: with consent `alliance` placed by adjustment; without, or with `college` "
         "and nothing listed, unplaced `no_choice`"),
    Case("29", "AC29-01", "KC15-1, KC08-1",
         "只接受非全日制而报全日制：study_form 不符；第二志愿录取",
         "Accepts part time only, lists full time: barred `study_form`; second choice placed"),
    Case("30", "AC30-01 … AC30-03", "KC30-2, KC30-3",
         "企业已退出联盟的席位：membership；第二志愿 KC30-1 录取",
         "Seats of enterprises that left the alliance: barred `membership`; placed in KC30-1"),
)  # fmt: skip


def plant(draft: Draft) -> None:
    """Add the planted classes, people, scores, decisions and reserves to the draft."""
    _care(draft)
    _textile(draft)
    _school_people(draft)
    _adult_people(draft)


# Classes


def _class(
    draft: Draft,
    name: str,
    case: str,
    college: str,
    major: str,
    form: str,
    minimum: int,
    **extra: str,
) -> None:
    owner = next(c for c in COLLEGES if c.code == college)
    level = extra.get("level", "4" if form == "FT" else "5")
    names = {code: title for industry in INDUSTRIES for code, title, _ in industry.majors}
    draft.classes.append(
        {
            "order_class": name,
            "min_size": str(minimum),
            "college": college,
            "industry": owner.strengths[0],
            "district": owner.district,
            "study_form": form,
            "level": level,
            "major": major,
            "plan_order": str(901 + len(draft.classes)),
            "interview_required": "1",
            "x_name": f"{names[major]}{LEVEL_NAMES[level]}订单班(演示)",
            "x_college_name": owner.name,
            "x_major": names[major],
            "x_case": case,
            "health": "",
            "entry_education": "",
        }
        | extra
    )


def _program(
    draft: Draft, name: str, case: str, seats: int, channel: str, enterprise: str, **extra: str
) -> None:
    draft.programs.append(
        {
            "program": name,
            "capacity": str(seats),
            "order_class": name.rpartition("-")[0],
            "enterprise": enterprise,
            "channel": channel,
            "plan_order": str(9001 + len(draft.programs)),
            "x_name": draft.classes[-1]["x_name"],
            "x_enterprise_name": enterprise_names()[enterprise][0],
            "x_case": case,
        }
        | extra
    )


def _care(draft: Draft) -> None:
    """Part-time and short classes of the private college C10."""
    _class(draft, "KC01", "1;7;17;18", "C10", "CAR-04", "ST", 15, hire_date=f"{YEAR}-10-08")
    _program(draft, "KC01-1", "1", 20, "CH3", "E25")
    _class(draft, "KC05", "5;6;19", "C10", "CAR-01", "ST", 15, hire_date=f"{YEAR}-12-01")
    _program(draft, "KC05-1", "5", 10, "CH3", "E25")
    _program(draft, "KC05-2", "6", 10, "CH3", "E24")
    for program, group, seats in (("KC05-1", "G05", 2), ("KC05-2", "G05", 1), ("KC05-2", "G07", 1)):
        draft.reserves.append(
            {"program": program, "group": group, "seats": str(seats), "hard": "0"}
        )
    _class(draft, "KC08", "8;11;13;29", "C10", "CAR-02", "PT", 18, hire_date=f"{YEAR + 1}-07-01")
    _program(draft, "KC08-1", "8", 30, "CH3", "E24")
    _class(draft, "KC30", "30", "C10", "CAR-03", "ST", 10, hire_date=f"{YEAR}-12-01")
    _program(draft, "KC30-1", "30", 15, "CH3", "E23")
    for lot, enterprise, left in zip("23", PLANTED_ENTERPRISES, LEFT, strict=True):
        _program(draft, f"KC30-{lot}", "30", 5, "CH3", enterprise, enterprise_member_until=left)


def _textile(draft: Draft) -> None:
    """Full-time classes of the enterprise-run college C09."""
    three = {"internship_date": f"{YEAR + 2}-09-01", "hire_date": f"{YEAR + 3}-07-01"}
    four = {"internship_date": f"{YEAR + 3}-09-01", "hire_date": f"{YEAR + 4}-07-01"}
    school = three | {"entry_education": "71"}
    minor = {"forbid_minor": "1", "forbid_minor_reason": "粉尘作业"}
    for name, case, seats, enterprise in (
        ("KC02", "2;28", 25, "E28"), ("KC03", "3", 30, "E29"), ("KC03N", "3;7", 25, "E30"),
        ("KC04A", "4", 30, "E31"), ("KC04B", "4;27", 30, "E32"),
    ):  # fmt: skip
        _class(draft, name, case, "C09", "TEX-01", "FT", 20, **school)
        extra = minor if name == "KC03N" else {}
        _program(draft, f"{name}-1", case, seats, "CH1", enterprise, **extra)
    _class(
        draft, "KC07", "7;14", "C09", "TEX-02", "FT", 20, level="3", entry_education="71", **four
    )
    _program(draft, "KC07-1", "7;14", 25, "CH1", "E33", **minor)
    _class(draft, "KC15", "9;15;29", "C09", "TEX-03", "FT", 20, **three)
    _program(draft, "KC15-1", "15", 25, "CH3", "E28")


# People

Marks = Mapping[str, str]


def _person(
    draft: Draft,
    name: str,
    group: str,
    born: str,
    marks: Marks,
    choices: Sequence[str],
    **extra: str,
) -> None:
    """Add a person; ``marks`` are her channel's, and ``interview`` is that of each choice."""
    primary = next(g for g in GROUPS if g.code == group.split(";")[0])
    draft.applicants.append(
        {
            "applicant": name,
            "identity_type": "10" if primary.channel == "CH4" else "01",
            "sex": "12"[len(draft.applicants) % 2],
            "birth_date": born,
            "groups": group,
            "adjustment": "none",
            "education": primary.education[0][0],
            "study_forms": "FT" if primary.channel in ("CH1", "CH2") else "PT;ST",
            "district": "ABROAD" if primary.channel == "CH4" else "371002",
            "health": "H01;H02;H03;H04",
            "review": "passed",
            "x_case": str(int(name[2:4])),
        }
        | extra
    )
    parts = {c: m for c, m in marks.items() if c in WEIGHTS[primary.channel] and c != "interview"}
    draft.scores.append({"applicant": name, "channel": primary.channel} | parts)
    for rank, program in enumerate(choices, start=1):
        draft.applications.append({"applicant": name, "rank": str(rank), "program": program})
        _interview(draft, name, program, marks["interview"])


def _interview(draft: Draft, name: str, program: str, mark: str, fit: str = "80") -> None:
    draft.scores.append({"applicant": name, "program": program, "interview": mark, "fit": fit})


def _school(culture: int) -> Marks:
    return {"culture": str(culture), "skill": "80", "interview": "80"}


def _adult(skill: int | str, interview: int = 75, experience: int = 50) -> Marks:
    return {"skill": str(skill), "interview": str(interview), "experience": str(experience)}


BORN_SCHOOL = f"{YEAR - 16}-05-20"  # sixteen
BORN_YOUNG = f"{YEAR - 21}-03-15"  # twenty-one
BORN_ADULT = f"{YEAR - 34}-02-10"  # thirty-four


def _school_people(draft: Draft) -> None:
    """Cases 2, 3, 4, 7, 14, 27 and 28: school leavers who list the textile classes."""
    for k in range(1, 20):
        _person(draft, f"AC02-{k:02d}", "G01", BORN_SCHOOL, _school(90 - k), ["KC02-1"])
    for k in (20, 21):
        _person(draft, f"AC02-{k}", "G01", BORN_SCHOOL, _school(52 - k), ["KC03N-1"],
                adjustment="college")  # fmt: skip
        _interview(draft, f"AC02-{k}", "KC02-1", "80")
    for k in range(1, 8):
        _person(draft, f"AC03-{k:02d}", "G01", BORN_SCHOOL, _school(80 - k), ["KC03-1", "KC03N-1"])
    for k in range(13, 38):  # the last seven of them lose their seats to the seven above
        _person(draft, f"AC03-{k}", "G01", BORN_SCHOOL, _school(97 - k), ["KC03N-1"])
    for k in range(1, 14):
        _person(draft, f"AC04-{k:02d}", "G01", BORN_SCHOOL, _school(90 - k), ["KC04A-1", "KC04B-1"])
    for k in range(21, 33):
        _person(draft, f"AC04-{k}", "G01", BORN_SCHOOL, _school(90 - k), ["KC04B-1", "KC04A-1"])
    for k in range(11, 31):
        _person(draft, f"AC07-{k}", "G01", BORN_SCHOOL, _school(90 - k), ["KC07-1"])
    _person(draft, "AC07-01", "G01", f"{YEAR - 16}-11-12", _school(85),
            ["KC03N-1", "KC07-1"], study_forms="FT;ST")  # fmt: skip
    _insert_choice(draft, "AC07-01", 2, "KC01-1")
    _person(draft, "AC14-01", "G14", f"{YEAR - 20}-04-04", {"language": "80", "interview": "80"},
            [], review="expired", study_forms="FT")  # fmt: skip
    _insert_choice(draft, "AC14-01", 1, "KC07-1")
    _person(draft, "AC27-01", "G01", BORN_SCHOOL, _school(88), ["KC04B-1"])
    _person(draft, "AC28-01", "G01", BORN_SCHOOL, _school(70), [], adjustment="alliance")
    _interview(draft, "AC28-01", "KC02-1", "80", fit="99")
    _person(draft, "AC28-02", "G01", BORN_SCHOOL, _school(70), [])
    _person(draft, "AC28-03", "G01", BORN_SCHOOL, _school(70), [], adjustment="college")


def _insert_choice(draft: Draft, name: str, rank: int, program: str) -> None:
    """A choice in another channel than her own, with a final score there."""
    for row in draft.applications:
        if row["applicant"] == name and int(row["rank"]) >= rank:
            row["rank"] = str(int(row["rank"]) + 1)
    draft.applications.append({"applicant": name, "rank": str(rank), "program": program})
    draft.scores.append({"applicant": name, "program": program, "score": "80", "fit": "60"})


def _adult_people(draft: Draft) -> None:
    """Cases 1, 5, 6, 8, 9, 11, 13, 15, 18, 29 and 30: adults who list the rest."""
    for k in range(1, 5):
        _person(draft, f"AC01-{k:02d}", "G06", BORN_ADULT, _adult(70), ["KC01-1"])
    for k in range(11, 29):
        _person(draft, f"AC01-{k}", "G06", BORN_ADULT, _adult(108 - k), ["KC01-1"])
    _person(draft, "AC18-01", "G06", BORN_ADULT, _adult(50), ["KC01-1"])
    for k in range(1, 13):
        _person(draft, f"AC05-{k:02d}", "G06", BORN_ADULT, _adult(90 - k), ["KC05-1"])
    for k in range(11, 21):
        _person(draft, f"AC06-{k}", "G06", BORN_ADULT, _adult(100 - k), ["KC05-2"])
    _person(draft, "AC06-01", "G05;G07", f"{YEAR - 25}-06-06", _adult(70), ["KC05-2"])
    _person(draft, "AC06-02", "G05", f"{YEAR - 24}-07-07", _adult(65), ["KC05-2"])
    for k in range(11, 29):
        _person(draft, f"AC08-{k}", "G06", BORN_ADULT, _adult(100 - k), ["KC08-1"])
    _person(draft, "AC08-01", "G06", f"{YEAR - 46}-03-03", _adult(75), ["KC15-1", "KC08-1"],
            study_forms="FT;PT", x_case="8;9")  # fmt: skip
    for k, age in ((2, 52), (3, 52), (4, 57)):
        _person(draft, f"AC08-{k:02d}", "G06", f"{YEAR - age}-04-1{k}", _adult(74), ["KC08-1"])
    draft.decisions.append(
        {"applicant": "AC08-02", "program": "KC08-1", "decision": "approved", "rule": "approval",
         "basis": f"用人单位同意书；联盟个案审批〔{YEAR}〕8号"}
    )  # fmt: skip
    for name, extra in (
        ("AC11-01", {}), ("AC11-02", {"person": "AC11-01", "review": "duplicate"}),
        ("AC13-01", {}),
    ):  # fmt: skip
        _person(draft, name, "G06", BORN_ADULT, _adult(72), ["KC08-1"], **extra)
        draft.applicants[-1]["sex"] = "1"
    for k in range(11, 31):
        _person(
            draft, f"AC15-{k}", "G05", BORN_YOUNG, _adult(100 - k), ["KC15-1"], study_forms="FT"
        )
    for k, skill in ((1, "0"), (2, ""), (3, "absent"), (4, "exempt")):
        _person(draft, f"AC15-{k:02d}", "G05", BORN_YOUNG, _adult(skill, 100, 100), ["KC15-1"],
                study_forms="FT")  # fmt: skip
    _person(draft, "AC29-01", "G05", BORN_YOUNG, _adult(78), ["KC15-1", "KC08-1"], study_forms="PT")
    for k in range(11, 23):
        _person(draft, f"AC30-{k}", "G06", BORN_ADULT, _adult(100 - k), ["KC30-1"])
    for k, lot in ((1, "2"), (2, "2"), (3, "3")):
        _person(draft, f"AC30-{k:02d}", "G06", BORN_ADULT, _adult(80), [f"KC30-{lot}", "KC30-1"])


# Faults: each makes the demo invalid in one way


@dataclass(frozen=True)
class BadCase:
    """A fault somebody could hand in: how to make it, and the issue it must raise."""

    name: str
    code: str
    table: str
    spoil: Callable[[Tables], Tables]


def changed(tables: Tables, name: str, column: str, value: str, **where: str) -> Tables:
    """The round with one cell replaced: that of the first row whose columns hold ``where``."""
    table = tables[name]
    at = next(k for k in range(len(table)) if all(table[c][k] == v for c, v in where.items()))
    cells = list(table[column])
    cells[at] = value
    return _with(tables, name, table.columns | {column: cells})


def _cell(name: str, column: str, value: str, **where: str) -> Callable[[Tables], Tables]:
    return lambda tables: changed(tables, name, column, value, **where)


def _row(name: str, **cells: str) -> Callable[[Tables], Tables]:
    """Append a row."""

    def spoil(tables: Tables) -> Tables:
        columns = tables[name].columns
        return _with(tables, name, {c: [*v, cells.get(c, "")] for c, v in columns.items()})

    return spoil


def _column(name: str, old: str, new: str) -> Callable[[Tables], Tables]:
    """Rename a column."""

    def spoil(tables: Tables) -> Tables:
        columns = tables[name].columns
        return _with(tables, name, {new if c == old else c: v for c, v in columns.items()})

    return spoil


def _policy(old: str, new: str) -> Callable[[Tables], Tables]:
    """Change a text of the policy."""
    return lambda tables: Tables(
        tables.tables, tables.policy.replace(old.encode(), new.encode(), 1), tables.draw
    )


def _with(tables: Tables, name: str, columns: Mapping[str, Sequence[str]]) -> Tables:
    return Tables(tables.tables | {name: Table(columns)}, tables.policy, tables.draw)


def _number(name: str, value: str) -> Callable[[Tables], Tables]:
    return _cell("applicants", "identity_number", value, applicant=name)


def _wrong_check_digit(tables: Tables) -> Tables:
    people = tables["applicants"]
    number = people["identity_number"][people["applicant"].index("AC02-01")]
    return _number("AC02-01", number[:-1] + ("1" if number[-1] == "0" else "0"))(tables)


def _other_sex(tables: Tables) -> Tables:
    people = tables["applicants"]
    sex = people["sex"][people["applicant"].index("AC02-01")]
    return _cell("applicants", "sex", "12"[sex == "1"], applicant="AC02-01")(tables)


BAD_CASES = (
    BadCase("11 one person twice, both reviewed", "duplicate_identity", "applicants",
            _cell("applicants", "review", "passed", applicant="AC11-02")),
    BadCase("12 wrong check digit", "identity_check", "applicants", _wrong_check_digit),
    BadCase("12 sex against the number", "identity_sex", "applicants", _other_sex),
    BadCase("12 birth date against the number", "identity_birth", "applicants",
            _cell("applicants", "birth_date", "2010-05-21", applicant="AC02-01")),
    BadCase("12 number in scientific notation", "identity_scientific", "applicants",
            _number("AC02-01", "3.71099E+17")),
    BadCase("12 full-width digits", "full_width", "applicants",
            _number("AC02-01", "３７１０９９２０１００５２０００１１")),
    BadCase("14 passport number in small letters", "identity_format", "applicants",
            _number("AC14-01", "demo 1")),
    BadCase("15 score above the range", "score_out_of_range", "scores",
            _cell("scores", "skill", "101", applicant="AC15-01", channel="CH3")),
    BadCase("15 缺考 written in Chinese", "not_number", "scores",
            _cell("scores", "skill", "缺考", applicant="AC15-03", channel="CH3")),
    BadCase("15 final score beside components", "score_and_components", "scores",
            _cell("scores", "score", "80", applicant="AC15-01", channel="CH3")),
    BadCase("score for neither program nor channel", "program_or_channel", "scores",
            _row("scores", applicant="AC15-01", skill="80")),
    BadCase("date with slashes", "not_date", "applicants",
            _cell("applicants", "birth_date", "2010/05/20", applicant="AC02-01")),
    BadCase("unknown consent", "unknown_code", "applicants",
            _cell("applicants", "adjustment", "yes", applicant="AC02-01")),
    BadCase("choice of no known class", "unknown_reference", "applications",
            _cell("applications", "program", "K999", applicant="AC02-01")),
    BadCase("two first choices", "duplicate_key", "applications",
            _row("applications", applicant="AC02-01", rank="1", program="KC03-1")),
    BadCase("second choice missing", "rank_gap", "applications",
            _row("applications", applicant="AC02-01", rank="3", program="KC03-1")),
    BadCase("chosen and refused", "listed_and_refused", "applications",
            _cell("applicants", "not_accepted", "KC02", applicant="AC02-01")),
    BadCase("seats with a unit", "not_integer", "programs",
            _cell("programs", "capacity", "25人", program="KC02-1")),
    BadCase("minimum above the seats", "min_above_capacity", "order_classes",
            _cell("order_classes", "min_size", "26", order_class="KC02")),
    BadCase("more reserved than seats", "reserves_above_capacity", "reserves",
            _cell("reserves", "seats", "11", program="KC05-1")),
    BadCase("cap over two kinds", "cap_of_what", "caps",
            _cell("caps", "enterprise", "E28", cap="CAP-C09")),
    BadCase("unknown column", "unknown_column", "applicants",
            _column("applicants", "review", "reviewed")),
    BadCase("missing column", "missing_column", "programs",
            _column("programs", "capacity", "x_capacity")),
    BadCase("weights that do not sum to one", "weights_sum", "policy",
            _policy("culture = 0.5", "culture = 0.6")),
    BadCase("no seed", "no_seed", "policy", _policy("[lottery]\nseed = ", "[lottery]\n# ")),
)  # fmt: skip
