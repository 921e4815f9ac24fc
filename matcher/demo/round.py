"""Rounds in the demo's likeness: classes, then people who choose among them, then scores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

from ..tables import EDUCATIONS, SCHEMA, Table, Tables
from .cases import PLANTED_ENTERPRISES, plant
from .policy import policy_text
from .world import (
    CAPACITY,
    COLLEGES,
    CROWDED,
    DECAY,
    DISTRICTS,
    FORM_SHARES,
    FORMS,
    GROUPS,
    HEALTH,
    INDUSTRIES,
    LENGTHS,
    LEVEL_NAMES,
    LEVELS,
    LOTS,
    MAJORS_FOR_ADULTS,
    MIN_SIZE,
    MINOR_REASONS,
    OLDEST,
    REFERENCE,
    REVIEWS,
    SCOPES,
    SECOND,
    WEIGHTS,
    YEAR,
    ZIPF,
    College,
    Dice,
    Draft,
    Group,
    Industry,
    Row,
    apportion,
    birth_date,
    enterprise_names,
    half_up,
    number_people,
    person_names,
    ring,
)

DEMO_CLASSES = 150  # the size for which the colleges' places are stated
X_COLUMNS = {
    "applicants": ("x_name", "x_review", "x_case"),
    "order_classes": ("x_name", "x_college_name", "x_major", "x_case"),
    "programs": ("x_name", "x_enterprise_name", "x_case"),
}


def build_round(applicants: int, classes: int, seed: int, *, planted: bool) -> Tables:
    """Classes first, then people who choose among them; planted cases take part of both."""
    draft = Draft()
    if planted:
        plant(draft)
    _add_classes(draft, classes, seed)
    _add_people(draft, applicants, seed)
    number_people(draft.applicants)
    person_names(Dice(seed, 6), draft.applicants)
    _add_reserves(draft)
    _add_caps(draft, classes)
    name = f"{YEAR}R1-demo" if planted else f"{YEAR}R1-demo-{seed}"
    return _tables(draft, policy_text(name, seed, YEAR))


def _tables(draft: Draft, policy: str) -> Tables:
    rows = {
        "applicants": draft.applicants,
        "order_classes": draft.classes,
        "programs": draft.programs,
        "applications": draft.applications,
        "scores": draft.scores,
        "decisions": draft.decisions,
        "reserves": draft.reserves,
        "caps": draft.caps,
    }
    for name, lines in rows.items():
        lines.sort(key=partial(_place, SCHEMA[name].key))
    return Tables({name: _table(name, lines) for name, lines in rows.items()}, policy.encode())


def _place(key: Sequence[str], row: Row) -> list[tuple[int, str]]:
    """Where a row stands in its file: by the cells of its key, shorter ones first."""
    return [(len(row.get(column, "")), row.get(column, "")) for column in key]


def _table(name: str, rows: Sequence[Row]) -> Table:
    """Rows as columns in the contract's order; optional columns without any value are left out."""
    columns = {}
    for column in SCHEMA[name].columns:
        cells = [row.get(column.name, "") for row in rows]
        if column.required or any(cells):
            columns[column.name] = cells
    for extra in X_COLUMNS.get(name, ()):
        columns[extra] = [row.get(extra, "") for row in rows]
    return Table(columns)


# Classes and programs


def _add_classes(draft: Draft, total: int, seed: int) -> None:
    """Spread the classes over industries, study forms, channels and colleges."""
    dice = Dice(seed, 1)
    planted_industry = [sum(c["industry"] == i.code for c in draft.classes) for i in INDUSTRIES]
    planted_form = [sum(c["study_form"] == f for c in draft.classes) for f in FORMS]
    wanted = apportion(total, [i.classes for i in INDUSTRIES])
    industries = [
        industry
        for industry, count, done in zip(INDUSTRIES, wanted, planted_industry, strict=True)
        for _ in range(count - done)
    ]
    forms = [
        form
        for form, count, done in zip(
            FORMS, apportion(total, FORM_SHARES), planted_form, strict=True
        )
        for _ in range(count - done)
    ]
    forms = dice.shuffled(forms)
    channels = dice.shuffled(_channels_of_full_time(forms.count("FT")))
    lots = dice.shuffled(
        [n for n, count in zip(LOTS[0], apportion(len(forms), LOTS[1]), strict=True)
         for _ in range(count)]
    )  # fmt: skip
    capacities = {
        form: dice.shuffled(
            [size for size, n in zip(sizes, apportion(forms.count(form), weights), strict=True)
             for _ in range(n)]
        )
        for form, (sizes, weights) in CAPACITY.items()
    }  # fmt: skip
    rooms = _rooms(total)
    used = {c.code: 0 for c in COLLEGES}
    posts: dict[str, int] = {}
    international, width = False, max(3, len(str(total)))
    for number, (industry, form, lot) in enumerate(zip(industries, forms, lots, strict=True), 1):
        channel = channels.pop() if form == "FT" else "CH3"
        seats = capacities[form].pop()
        college = _college_for(dice, industry, form, seats, rooms, used)
        row = _class_row(dice, f"K{number:0{width}d}", industry, college, form, channel)
        row["plan_order"] = str(number)
        lot_channels = [channel] * lot
        if form == "ST" and lot > 1 and not international:
            lot_channels[-1], international = "CH4", True
        elif channel == "CH2" and lot > 1 and row["entry_education"] == "61":
            lot_channels[-1] = "CH3"
        draft.classes.append(row)
        _add_programs(dice, draft, row, industry, seats, lot_channels, posts)


def _rooms(classes: int) -> dict[str, int]:
    """Full-time places of each college, enough for one class at least."""
    return {c.code: max(45, c.room * classes // DEMO_CLASSES) for c in COLLEGES}


def _channels_of_full_time(count: int) -> list[str]:
    """Full-time classes: most for those from school, one for international students."""
    return [
        channel
        for channel, n in zip(
            ("CH1", "CH2", "CH3", "CH4"), apportion(count, (53, 31, 15, 1)), strict=True
        )
        for _ in range(n)
    ]


def _college_for(
    dice: Dice,
    industry: Industry,
    form: str,
    seats: int,
    rooms: dict[str, int],
    used: dict[str, int],
) -> College:
    """A college strong in the industry if it has room; two colleges announce more than theirs."""
    weights = []
    for college in COLLEGES:
        strength = 10 if industry.code in college.strengths else 1
        full = form == "FT" and used[college.code] + seats > rooms[college.code]
        small = form != "FT" and college.tier == 4 and strength == 1
        weights.append(0 if full or small or college.code == "C09" else strength)
    college = dice.weighted(COLLEGES, weights if any(weights) else [1] * len(COLLEGES))
    used[college.code] += seats if form == "FT" else 0
    return college


def _class_row(
    dice: Dice, name: str, industry: Industry, college: College, form: str, channel: str
) -> Row:
    code, major, health = dice.pick(industry.majors)
    level = dice.weighted("432", LEVELS[college.tier]) if form == "FT" else dice.pick("54")
    row = {
        "order_class": name,
        "min_size": str(MIN_SIZE[form]),
        "college": college.code,
        "industry": industry.code,
        "district": college.district,
        "study_form": form,
        "level": level,
        "major": code,
        "health": health,
        "health_basis": "国家职业标准（职业要求）" if health else "",
        "entry_education": _entry_education(dice, form, channel, level),
        "x_name": f"{major}{LEVEL_NAMES[level]}订单班(演示)",
        "x_college_name": college.name,
        "x_major": major,
    }
    years = _years(channel, level)
    if form == "FT":
        row["internship_date"] = f"{YEAR + years - 1}-09-01"
        row["hire_date"] = f"{YEAR + years}-07-01"
    elif form == "PT":
        row["hire_date"] = f"{YEAR + 1}-07-01"
    else:
        row["hire_date"] = f"{YEAR}-12-01"
    if channel == "CH2" and level == "3" and dice.chance(25):
        row["entry_skill"] = "4"
    if code in MAJORS_FOR_ADULTS and form != "FT":
        row["age_min"], row["age_basis"] = "18", "特种作业人员须年满18周岁"
    if dice.chance(6):
        row["interview_required"] = "1"
    return row


def _years(channel: str, level: str) -> int:
    """Length of schooling of a full-time class."""
    return {"4": 3, "3": 4, "2": 5}[level] - (channel != "CH1") if level in "432" else 1


def _entry_education(dice: Dice, form: str, channel: str, level: str) -> str:
    if form == "ST" or channel == "CH4":
        return ""
    if channel == "CH2":
        return "61"
    if channel == "CH3" and level in "23":
        return "61"
    return "" if form == "PT" and dice.chance(40) else "71"


def _add_programs(
    dice: Dice,
    draft: Draft,
    row: Row,
    industry: Industry,
    seats: int,
    channels: Sequence[str],
    posts: dict[str, int],
) -> None:
    """One program per lot: an enterprise of the industry with fewer than six posts so far."""
    names = enterprise_names()
    ours = [e for e, (_, i) in names.items() if i == industry.code and e not in PLANTED_ENTERPRISES]
    shares = apportion(seats, [1] * len(channels))
    for lot, (channel, capacity) in enumerate(zip(channels, shares, strict=True), start=1):
        free = [e for e in ours if posts.get(e, 0) < 6] or ours
        enterprise = dice.pick(free)
        ours = [e for e in ours if e != enterprise] or ours
        posts[enterprise] = posts.get(enterprise, 0) + 1
        program = {
            "program": f"{row['order_class']}-{lot}",
            "capacity": str(capacity),
            "order_class": row["order_class"],
            "enterprise": enterprise,
            "channel": channel,
            "plan_order": str(int(row["plan_order"]) * 10 + lot),
            "x_name": row["x_name"].replace("(", f"第{lot}席位组(") if len(channels) > 1
            else row["x_name"],
            "x_enterprise_name": names[enterprise][0],
        }  # fmt: skip
        if row["study_form"] == "FT" and dice.chance(8):
            program["forbid_minor"] = "1"
            program["forbid_minor_reason"] = dice.pick(MINOR_REASONS)
        draft.programs.append(program)


def _add_reserves(draft: Draft) -> None:
    """Seats held first for the policy's groups, where the programs' channel admits them."""
    planted = {row["order_class"] for row in draft.classes if row.get("x_case")}
    forms = {row["order_class"]: row["study_form"] for row in draft.classes}
    for number, program in enumerate(draft.programs):
        capacity, form = int(program["capacity"]), forms[program["order_class"]]
        if program["order_class"] in planted or capacity < 15:
            continue
        if program["channel"] == "CH3":
            seats = {"G05": half_up(capacity * 10, 100), "G07": half_up(capacity * 5, 100)}
            if form != "FT":
                seats["G06"] = half_up(capacity * 10, 100)
            seats["G08" if number % 2 else "G09"] = half_up(capacity * 3, 100)
        else:
            seats = {"G08": half_up(capacity * 3, 100)}
        for group in sorted(g for g, n in seats.items() if n):
            hard = group == "G07" and number % 9 == 0
            draft.reserves.append(
                {
                    "program": program["program"],
                    "group": group,
                    "seats": str(seats[group]),
                    "hard": "1" if hard else "0",
                }
            )


def _add_caps(draft: Draft, classes: int) -> None:
    """Places of each college; inside them beds, workshops and headcounts, nested or disjoint."""
    home = {row["order_class"]: row for row in draft.classes}
    seats = {row["program"]: int(row["capacity"]) for row in draft.programs}
    full_time: dict[str, list[str]] = {}
    others: dict[str, int] = {}
    for program in draft.programs:
        row = home[program["order_class"]]
        if row["study_form"] == "FT":
            full_time.setdefault(row["college"], []).append(program["program"])
        else:
            others[row["college"]] = others.get(row["college"], 0) + int(program["capacity"])
    for college in COLLEGES:
        own = [seats[p["program"]] for p in draft.programs
               if home[p["order_class"]]["college"] == college.code]  # fmt: skip
        if own:
            room = _rooms(classes)[college.code] + others.get(college.code, 0)
            room = min(room, sum(own) * 88 // 100) if college.code in CROWDED else room
            draft.caps.append(
                {"cap": f"CAP-{college.code}", "seats": str(room), "college": college.code}
            )
    inner: list[set[str]] = []
    for code in ("C05", "C08"):
        if code in full_time:
            inner.append(set(full_time[code]))
            _cap(draft, f"CAP-{code}-BED", full_time[code], seats, 85)
    for code in ("C01", "C02"):
        majors: dict[str, list[str]] = {}
        for name in full_time.get(code, []):
            majors.setdefault(home[name.rpartition("-")[0]]["major"], []).append(name)
        if majors:
            major = max(majors, key=lambda m: (len(majors[m]), m))
            inner.append(set(majors[major]))
            _cap(draft, f"CAP-{code}-{major}", majors[major], seats, 80)
    _add_headcounts(draft, inner, seats)


def _add_headcounts(draft: Draft, inner: list[set[str]], seats: dict[str, int]) -> None:
    """Headcounts of three enterprises whose posts all lie in one college and cross no other cap."""
    colleges = {row["order_class"]: row["college"] for row in draft.classes}
    planted = {row["order_class"] for row in draft.classes if row.get("x_case")}
    posts: dict[str, list[Row]] = {}
    for program in draft.programs:
        posts.setdefault(program["enterprise"], []).append(program)
    found = 0
    for enterprise in sorted(posts):
        classes = [p["order_class"] for p in posts[enterprise]]
        ids = {p["program"] for p in posts[enterprise]}
        nested = all(not ids & cap or ids <= cap or ids >= cap for cap in inner)
        if found < 3 and len({colleges[c] for c in classes}) == 1 and nested:
            if planted & set(classes):
                continue
            found += 1
            total = sum(seats[p] for p in sorted(ids))
            draft.caps.append(
                {
                    "cap": f"CAP-{enterprise}",
                    "seats": str(total * 90 // 100),
                    "enterprise": enterprise,
                }
            )


def _cap(
    draft: Draft, name: str, programs: Sequence[str], seats: dict[str, int], share: int
) -> None:
    total = sum(seats[p] for p in programs) * share // 100
    draft.caps.append({"cap": name, "seats": str(total), "programs": ";".join(programs)})


# People, their lists and their scores


def _add_people(draft: Draft, total: int, seed: int) -> None:
    """People by group, each with a list drawn from the classes that she knows and may enter."""
    who, choose, score = Dice(seed, 2), Dice(seed, 3), Dice(seed, 4)
    planted = [sum(a["groups"].split(";")[0] == g.code for a in draft.applicants) for g in GROUPS]
    groups = [
        group
        for group, count, done in zip(
            GROUPS, apportion(total, [g.share for g in GROUPS]), planted, strict=True
        )
        for _ in range(count - done)
    ]
    market, width = _Offer(draft, choose), max(4, len(str(total)))
    for number, group in enumerate(who.shuffled(groups), start=1):
        person = _person(who, f"A{number:0{width}d}", group)
        listed, top = market.list_for(choose, person, group)
        female = top.female if top else 43
        person["sex"] = "2" if who.chance(female) else "1"
        draft.applicants.append(person)
        _adjustment(choose, draft, person, group, listed)
        _apply(choose, score, draft, person, group, market, listed, top)


def _person(dice: Dice, name: str, group: Group) -> Row:
    youngest, start, end, oldest = group.ages
    if dice.chance(70) or group.code == "G01":
        age = start + dice.below(end - start + 1)
    else:
        age = youngest + dice.below(oldest - youngest + 1)
    if group.code == "G01":
        age = 15 if dice.chance(58) else 16
    groups = [group.code]
    if dice.chance(21):
        second = dice.weighted(*SECOND[group.channel])
        if second != group.code and (second != "G05" or age <= 35):
            groups.append(second)
    district = "ABROAD" if group.channel == "CH4" else dice.weighted(*DISTRICTS)
    while district == "ABROAD" and group.channel != "CH4":
        district = dice.weighted(*DISTRICTS)
    forms = {dice.weighted(FORMS, group.forms)}
    for form, share in zip(FORMS, group.forms, strict=True):
        if share and dice.chance(40):
            forms.add(form)
    review = ""
    if dice.chance(5):
        review = dice.weighted(*REVIEWS)
    return {
        "applicant": name,
        "identity_type": "10" if group.channel == "CH4" else "01",
        "birth_date": birth_date(dice, age).isoformat(),
        "groups": ";".join(groups),
        "education": dice.weighted(*group.education),
        "skill_level": dice.weighted(("", "5", "4", "3"), group.skills),
        "study_forms": ";".join(f for f in FORMS if f in forms),
        "district": district,
        "health": ";".join(code for code, share in HEALTH if dice.chance(share)),
        "review": review or "passed",
        "x_review": "补正后通过" if not review and dice.chance(3) else "",
    }


def age_of(person: Row) -> int:
    """Full years on the reference date."""
    born = date.fromisoformat(person["birth_date"])
    had_birthday = (REFERENCE.month, REFERENCE.day) >= (born.month, born.day)
    return REFERENCE.year - born.year - (not had_birthday)


class _Offer:
    """What people choose among: programs by channel, with how much each is sought."""

    def __init__(self, draft: Draft, dice: Dice) -> None:
        self.home = {row["order_class"]: row for row in draft.classes}
        self.industries = {i.code: i for i in INDUSTRIES}
        self.lots: dict[str, list[Row]] = {}
        for program in draft.programs:
            self.lots.setdefault(program["order_class"], []).append(program)
        self.sought: dict[str, int] = {}
        places = {
            i.code: dice.shuffled(
                [c for c in self.home if self.home[c]["industry"] == i.code
                 and not self.home[c].get("x_case")]
            )
            for i in INDUSTRIES
        }  # fmt: skip
        for code, names in places.items():
            for place, name in enumerate(names):
                zipf = ZIPF[place] if place < len(ZIPF) else ZIPF[-1] * len(ZIPF) // (place + 1)
                self.sought[name] = self.industries[code].pull * max(1, zipf)
        self.by_channel: dict[str, list[Row]] = {channel: [] for channel in WEIGHTS}
        for program in draft.programs:
            if program["order_class"] in self.sought:
                self.by_channel[program["channel"]].append(program)

    def list_for(self, dice: Dice, person: Row, group: Group) -> tuple[list[str], Industry | None]:
        """Her choices in order, programs or whole joint classes, and the industry she likes."""
        careless = dice.chance(3)
        known = [
            p
            for p in self.by_channel[group.channel]
            if careless or _suits(person, group, self.home[p["order_class"]], p)
        ]
        weights = [
            self.sought[p["order_class"]]
            * DECAY[ring(person["district"], self.home[p["order_class"]]["district"])]
            // len(self.lots[p["order_class"]])
            for p in known
        ]
        if not known:
            return [], None
        codes = [self.home[p["order_class"]]["industry"] for p in known]
        top = dice.weighted(codes, weights)
        weights = [w * (8 if c == top else 1) for w, c in zip(weights, codes, strict=True)]
        listed: list[str] = []
        for _ in range(dice.weighted(*LENGTHS)):
            if not any(weights):
                break
            at = dice.weighted(range(len(known)), weights)
            weights[at] = 0
            name = known[at]["order_class"]
            lots = self.lots[name]
            one_channel = all(p["channel"] == group.channel for p in lots)
            if (
                len(lots) > 1
                and one_channel
                and dice.chance(25)
                and not any(p["program"] in listed for p in lots)
            ):
                listed.append(name)
                for k, p in enumerate(known):
                    if p["order_class"] == name:
                        weights[k] = 0
            else:
                listed.append(known[at]["program"])
        return listed, self.industries[top]

    def programs(self, listed: str) -> list[Row]:
        """The programs that a choice names."""
        lots = self.lots.get(listed)
        return lots if lots else [p for p in self.lots[listed.rpartition("-")[0]]
                                  if p["program"] == listed]  # fmt: skip


def _suits(person: Row, group: Group, row: Row, program: Row) -> bool:
    """Whether she would believe herself admissible: nearly the law, nothing decides by it."""
    age, form = age_of(person), row["study_form"]
    oldest = max(OLDEST[form].get(code, OLDEST[form][""]) for code in person["groups"].split(";"))
    born = date.fromisoformat(person["birth_date"])
    starts = row.get("internship_date") or row["hire_date"]
    minor = born.replace(year=born.year + 18, day=min(born.day, 28)).isoformat() > starts
    entry = row["entry_education"]
    skill = row.get("entry_skill", "")
    return (
        form in person["study_forms"].split(";")
        and age <= oldest
        and (form == "FT" or age >= 16)
        and age >= int(row.get("age_min") or 0)
        and (not entry or EDUCATIONS[person["education"]] >= EDUCATIONS[entry])
        and (not skill or (bool(person["skill_level"]) and person["skill_level"] <= skill))
        and set(filter(None, row["health"].split(";"))) <= set(person["health"].split(";"))
        and not (minor and program.get("forbid_minor"))
    )


def _adjustment(dice: Dice, draft: Draft, person: Row, group: Group, listed: list[str]) -> None:
    """Consent to adjustment with its scope, and now and then classes refused."""
    if not dice.chance(group.consent):
        person["adjustment"] = "none"
        return
    person["adjustment"] = dice.weighted(*SCOPES)
    own = {name.rpartition("-")[0] or name for name in listed}
    if dice.chance(3):
        refused = dice.pick(draft.classes)["order_class"]
        person["not_accepted"] = "" if refused in own else refused


def _apply(
    choose: Dice,
    score: Dice,
    draft: Draft,
    person: Row,
    group: Group,
    market: _Offer,
    listed: list[str],
    top: Industry | None,
) -> None:
    """Write her applications, her channel's scores, and an interview for each program listed."""
    name = person["applicant"]
    able = score.normal()
    parts = [c for c in WEIGHTS[group.channel] if c != "interview"]
    marks = {c: _component(score, c, able) for c in parts}
    if score.chance(2):
        marks[score.pick(parts)] = "absent"
    draft.scores.append({"applicant": name, "channel": group.channel} | marks)
    manner = _mixed(able, score.normal())
    for rank, choice in enumerate(listed, start=1):
        draft.applications.append({"applicant": name, "rank": str(rank), "program": choice})
        for program in market.programs(choice):
            row = market.home[program["order_class"]]
            near = (25, 15, 8, 3)[ring(person["district"], row["district"])]
            liked = 35 if top and row["industry"] == top.code else 10
            draft.scores.append(
                {
                    "applicant": name,
                    "program": program["program"],
                    "interview": _interview(score, manner),
                    "fit": str(30 + near + liked + score.below(11)),
                }
            )
            _decide(choose, draft, person, program, row)


def _mixed(common: int, own: int) -> int:
    """A normal number that correlates 0.35 with others of the same person."""
    return (5916 * common + 8062 * own) // 10000


MARKS = {"culture": (62, 14), "skill": (70, 12), "language": (68, 12), "experience": (50, 22)}


def _component(dice: Dice, component: str, able: int) -> str:
    """A mark: culture in half points, skill and language whole, experience in tens."""
    if dice.chance(4, 1000):
        return "exempt"
    mean, deviation = MARKS[component]
    thousandths = mean * 1000 + deviation * _mixed(able, dice.normal())
    if component == "culture":
        halves = min(200, max(0, half_up(max(0, thousandths), 500)))
        return f"{halves // 2}.5" if halves % 2 else str(halves // 2)
    step = 10 if component == "experience" else 1
    steps = min(100 // step, half_up(max(0, thousandths), step * 1000))
    return str(steps * step)


def _interview(dice: Dice, manner: int) -> str:
    if dice.chance(2):
        return "absent"
    thousandths = 76_000 + 9 * ((7 * manner + 7 * dice.normal()) // 10)
    return str(min(100, half_up(max(0, thousandths), 1000)))


def _decide(dice: Dice, draft: Draft, person: Row, program: Row, row: Row) -> None:
    """Now and then the enterprise refuses after the interview; a case is approved."""
    decision = {"applicant": person["applicant"], "program": program["program"]}
    if dice.chance(6, 1000):
        draft.decisions.append(
            decision | {"decision": "rejected", "basis": "企业面试不合格：岗位操作规范掌握不足"}
        )
    elif row["study_form"] == "PT" and age_of(person) > 50 and dice.chance(50):
        draft.decisions.append(
            decision | {"decision": "approved", "basis": f"用人单位同意书；联盟个案审批〔{YEAR}〕"}
        )
