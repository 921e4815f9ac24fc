"""Every admission rule, score and age judgement: one person, one program, the bars by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from matcher.verify import PROVED, TRUSTED, verify

from .verify_rounds import broken, claim, lottery, policy, sign, write

AGES = '[age]\nreference_date = "2026-09-01"\n'
RULE = '[[age_rule]]\ngroup = "{}"\nstudy_form = "{}"\n{}\n'
WEIGHTS = '[[score_channel]]\nchannel = "W"\nculture = 0.5\ninterview = 0.25\nskill = 0.25\n'
PASS = "[score]\npass_total = 60\npass_interview = 55.50\n"


def age_rule(group: str = "*", form: str = "*", **limits: int) -> str:
    """Return one age rule."""
    return RULE.format(group, form, "\n".join(f"{k} = {v}" for k, v in limits.items()))


@dataclass
class Case:
    """One person at one program: what is given, and what must come of it."""

    name: str
    rules: str = ""
    home: Mapping[str, str] = field(default_factory=dict)
    program: Mapping[str, str] = field(default_factory=dict)
    person: Mapping[str, str] = field(default_factory=dict)
    scores: Sequence[Mapping[str, str]] = ()
    decisions: Sequence[Mapping[str, str]] = ()
    bars: Sequence[str] = ()
    listed: bool = True
    admitted: bool = True
    reason: str = "ordinary"
    score: str = ""
    ties: Sequence[str] = ()


BORN = {"birth_date": "2000-09-01"}  # 26 on the reference date, her birthday
FORTY = {"birth_date": "1986-09-02", "groups": "G05"}  # 39
LOW_HIGH = AGES + age_rule(min=18, max=25)
RELAXED = AGES + age_rule(max=25, relaxed_max=30)
APPROVAL = AGES + age_rule(max=30, needs_approval_above=25)
APPROVE = {"decision": "approved", "basis": "no. 1"}
W = {"channel": "W"}
HERE = {"program": "P"}

CASES = [
    Case("no rules"),
    Case("review", person={"review": "duplicate"}, bars=["review,duplicate,passed"]),
    Case("rejected", decisions=[{"decision": "rejected", "basis": "no"}], bars=["rejected,no,"]),
    Case("declined", decisions=[{"decision": "declined", "basis": "a"}], bars=["declined,a,"]),
    Case(
        "no approval sets a decline aside",
        decisions=[APPROVE, {"decision": "declined"}],
        bars=["declined,,"],
    ),
    Case("confirmed changes nothing", decisions=[{"decision": "confirmed"}]),
    Case(
        "membership of the college",
        '[membership]\ndate = "2026-06-01"\n',
        home={"college_member_until": "2026-05-31"},
        program={"enterprise_member_until": "2026-05-31"},
        bars=["membership,2026-05-31,2026-06-01"],
    ),
    Case(
        "membership on the day itself",
        '[membership]\ndate = "2026-06-01"\n',
        home={"college_member_until": "2026-06-01"},
    ),
    Case("age: too old", LOW_HIGH, person=BORN, bars=["age,26,25"]),
    Case("age: the day before", LOW_HIGH, person={"birth_date": "2000-09-02"}),
    Case("age: too young", LOW_HIGH, person={"birth_date": "2009-01-01"}, bars=["age,17,18"]),
    Case("age: relaxed", RELAXED, person=BORN, reason="relaxed"),
    Case("age: beyond relaxed", RELAXED, person=FORTY, bars=["age,39,30"]),
    Case("age: no maximum", AGES + age_rule(min=18), person=FORTY),
    Case("age: approval needed", APPROVAL, person=BORN, bars=["approval,26,25"]),
    Case(
        "age: approved",
        APPROVAL,
        person=BORN,
        decisions=[APPROVE | {"rule": "approval"}],
        reason="approved",
    ),
    Case(
        "age: approval without a rule sets aside age too",
        LOW_HIGH,
        person=BORN,
        decisions=[APPROVE],
        reason="approved",
    ),
    Case(
        "age: not case by case",
        AGES + "case_by_case = false\n" + age_rule(max=25),
        person=BORN,
        decisions=[APPROVE],
        bars=["age,26,25"],
    ),
    Case(
        "age: the rule with more fields named wins",
        AGES + age_rule(max=20) + age_rule("G05", "*", max=30) + age_rule("G05", "PT", max=45),
        home={"study_form": "PT"},
        person=FORTY,
    ),
    Case(
        "age: the group is named before the form",
        AGES + age_rule("*", "PT", max=45) + age_rule("G05", "*", max=30),
        home={"study_form": "PT"},
        person=FORTY,
        bars=["age,39,30"],
    ),
    Case(
        "age: no rule for one of her groups",
        AGES + age_rule("G05", max=30),
        person={"birth_date": "1986-09-02", "groups": "G05;G06"},
    ),
    Case(
        "age: the nearest limit, the smaller of two",
        AGES + age_rule("G05", max=37) + age_rule("G06", min=41) + age_rule("G07", max=20),
        person={"birth_date": "1986-09-02", "groups": "G05;G06;G07"},
        bars=["age,39,37"],
    ),
    Case(
        "age: relaxed in one group, barred in another",
        AGES + age_rule("G05", max=30, relaxed_max=40) + age_rule("G06", max=20),
        person={"birth_date": "1986-09-02", "groups": "G05;G06"},
        reason="relaxed",
    ),
    Case(
        "age: the greatest limit that needs approval",
        AGES + age_rule("G05", needs_approval_above=30) + age_rule("G06", needs_approval_above=35),
        person={"birth_date": "1986-09-02", "groups": "G05;G06"},
        bars=["approval,39,35"],
    ),
    Case("class age: young", AGES, {"age_min": "27"}, person=BORN, bars=["class_age,26,27"]),
    Case("class age: old", AGES, {"age_max": "25"}, person=BORN, bars=["class_age,26,25"]),
    Case("class age: within", AGES, {"age_min": "26", "age_max": "26"}, person=BORN),
    Case(
        "education: blank",
        home={"entry_education": "41"},
        person={"education": ""},
        bars=["education,,41"],
    ),
    Case(
        "education: lower",
        home={"entry_education": "41"},
        person={"education": "71"},
        bars=["education,71,41"],
    ),
    Case("education: equal", home={"entry_education": "41"}, person={"education": "47"}),
    Case(
        "education: approved",
        home={"entry_education": "41"},
        person={"education": "71"},
        decisions=[APPROVE | {"rule": "education"}],
        reason="approved",
    ),
    Case("approval of nothing", decisions=[APPROVE | {"rule": "education"}]),
    Case(
        "skill: blank",
        home={"entry_skill": "4"},
        person={"skill_level": ""},
        bars=["skill_level,,4"],
    ),
    Case(
        "skill: lower",
        home={"entry_skill": "4"},
        person={"skill_level": "5"},
        bars=["skill_level,5,4"],
    ),
    Case("skill: higher", home={"entry_skill": "4"}, person={"skill_level": "3"}),
    Case(
        "study form",
        home={"study_form": "FT"},
        person={"study_forms": "ST;PT"},
        bars=["study_form,ST;PT,FT"],
    ),
    Case("study form: hers", home={"study_form": "FT"}, person={"study_forms": "FT;PT"}),
    Case("study form: not asked of people", home={"study_form": "FT"}),
    Case(
        "health",
        home={"health": "h2;h1;h3"},
        person={"health": "h2"},
        bars=["health,h1;h3,h2;h1;h3"],
    ),
    Case("health: met", home={"health": "h1"}, person={"health": "h2;h1"}),
    Case(
        "minor",
        home={"internship_date": "2027-09-01", "hire_date": "2027-03-01"},
        program={"forbid_minor": "1"},
        person={"birth_date": "2009-03-02"},
        bars=["minor,17,18"],
    ),
    Case(
        "minor: grown by then",
        home={"hire_date": "2027-03-02"},
        program={"forbid_minor": "1"},
        person={"birth_date": "2009-03-02"},
    ),
    Case(
        "work age: internship",
        home={"internship_date": "2026-09-01", "hire_date": "2026-09-01"},
        person={"birth_date": "2010-09-02"},
        bars=["work_age,15,16"],
    ),
    Case(
        "work age: hiring",
        "[work]\nmin_hire_age = 20\n",
        home={"internship_date": "2026-09-01", "hire_date": "2027-09-01"},
        person={"birth_date": "2008-09-02"},
        bars=["work_age,18,20"],
    ),
    Case("work age: young and no date", AGES, program={"forbid_minor": "1"}, person=BORN),
    Case("work age: no birth date", home={"hire_date": "2026-09-01"}),
    Case("channel", program=W, bars=["channel,,W"]),
    Case("score by channel", program=W, scores=[W | {"score": "70.50"}], score="70.5"),
    Case("score by program", program=W, scores=[HERE | {"score": "70"}], score="70"),
    Case(
        "composite, rounded half up",
        WEIGHTS,
        program=W,
        scores=[W | {"culture": "70.01", "skill": "70", "interview": "70"}],
        score="70.01",  # 70.005
    ),
    Case(
        "composite of merged cells",
        WEIGHTS,
        program=W,
        scores=[
            W | {"score": "10", "culture": "60", "skill": "60", "interview": "60"},
            HERE | {"interview": "80"},
        ],
        score="65",
    ),
    Case(
        "composite: exempt drops out",
        WEIGHTS,
        program=W,
        scores=[W | {"culture": "exempt", "skill": "60", "interview": "70"}],
        score="65",
    ),
    Case(
        "composite: all exempt is blank",
        WEIGHTS,
        program=W,
        scores=[W | dict.fromkeys(("culture", "skill", "interview"), "exempt")],
    ),
    Case("composite: blank", WEIGHTS, program=W, scores=[W | {"culture": "80"}]),
    Case(
        "absent bars",
        WEIGHTS,
        program=W,
        scores=[W | {"culture": "80", "skill": "absent", "interview": "absent"}],
        bars=["absent,skill,"],
    ),
    Case(
        "absent counts zero",
        '[score]\nabsent = "zero"\n' + WEIGHTS,
        program=W,
        scores=[W | {"culture": "80", "skill": "absent", "interview": "80"}],
        score="60",
    ),
    Case(
        "absent beside a final score",
        WEIGHTS,
        program=W,
        scores=[W | {"score": "61", "skill": "absent"}],
        score="61",
    ),
    Case("total", PASS, program=W, scores=[W | {"score": "59.990"}], bars=["total,59.99,60"]),
    Case("total: blank", PASS, program=W, scores=[W | {"fit": "1"}], bars=["total,,60"]),
    Case("total: no channel, no line", PASS, scores=[HERE | {"score": "1"}], score="1"),
    Case(
        "interview",
        PASS,
        program=W,
        scores=[W | {"score": "80", "interview": "55.40"}],
        bars=["interview,55.40,55.5"],
    ),
    Case(
        "interview: absent is no number",
        PASS,
        program=W,
        scores=[W | {"score": "80", "interview": "absent"}],
        score="80",
    ),
    Case(
        "ties by component",
        '[score]\ntiebreak = ["skill", "culture", "language"]\n',
        scores=[HERE | {"score": "80", "skill": "absent", "culture": "exempt"}],
        score="80",
        ties=["0", "", ""],
    ),
    Case(
        "ties by column, in numeric order",
        scores=[HERE | {"score": "-80", "tie10": "1", "tie2": "2.5"}],
        score="-80",
        ties=["2.5", "1"],
    ),
    Case("adjusted", listed=False),
    Case(
        "adjusted: too young for the class",
        AGES,
        {"age_min": "27"},
        person=BORN,
        listed=False,
        admitted=False,
    ),
    Case("adjusted: review", person={"review": "other"}, listed=False, admitted=False),
    Case("adjusted: refused", person={"not_accepted": "K"}, listed=False, admitted=False),
    Case("adjusted: channel", program=W, listed=False, admitted=False),
    Case(
        "adjusted: rejected",
        decisions=[{"decision": "rejected"}],
        listed=False,
        admitted=False,
    ),
    Case(
        "adjusted: declined",
        decisions=[{"decision": "declined"}],
        listed=False,
        admitted=False,
    ),
    Case(
        "adjusted: approved",
        LOW_HIGH,
        person=BORN,
        decisions=[APPROVE],
        listed=False,
        reason="approved",
    ),
    Case(
        "adjusted: no interview is no obstacle",
        WEIGHTS,
        program=W,
        scores=[W | {"culture": "60", "skill": "75"}],
        listed=False,
        score="65",
    ),
    Case(
        "adjusted: interview required",
        WEIGHTS,
        home={"interview_required": "1"},
        program=W,
        scores=[W | {"culture": "60", "skill": "75"}],
        listed=False,
        admitted=False,
    ),
    Case(
        "adjusted: interview required and on the channel's row",
        WEIGHTS,
        home={"interview_required": "1"},
        program=W,
        scores=[W | {"culture": "60", "skill": "60", "interview": "80"}],
        listed=False,
        score="65",
    ),
    Case(
        "adjusted: interview required, row of her own",
        home={"interview_required": "1"},
        scores=[HERE | {"score": "60"}],
        listed=False,
        admitted=False,
    ),
    Case(
        "adjusted: interview done",
        home={"interview_required": "1"},
        scores=[HERE | {"score": "60", "interview": "exempt"}],
        listed=False,
        score="60",
    ),
]


def rows(first: str, cells: Sequence[Mapping[str, str]], start: str) -> str:
    """Return CSV text of one kind of row with the columns that occur."""
    columns = sorted({name for row in cells for name in row})
    lines = [",".join([start, *(row.get(name, "") for name in columns)]) for row in cells]
    return "\n".join([",".join([first, *columns]), *lines])


def build(case: Case, folder: Path) -> Path:
    """Write the round of a case with the result that it asks for."""
    person = dict(case.person) | ({} if case.listed else {"adjustment": "alliance"})
    given = {
        "applicants": rows("applicant", [person], "A"),
        "order_classes": rows("order_class", [{"min_size": "0", **case.home}], "K"),
        "programs": rows("program", [{"capacity": "1", "order_class": "K", **case.program}], "P"),
        "applications": "applicant,rank,program" + "\nA,1,P" * case.listed,
        "scores": rows("applicant", case.scores, "A"),
        "decisions": rows(
            "applicant,program", [{"decision": "", **d} for d in case.decisions], "A,P"
        ),
    }
    given = {name: text for name, text in given.items() if text.count("\n") or name[0] == "a"}
    placed = case.admitted and not case.bars
    listed = str(int(case.listed))
    ties = "".join(f",{tie}" for tie in case.ties)
    last = (
        f"{listed},{case.score}{ties},{lottery('A')}"
        if placed
        else "," + "," * len(case.ties) + ","
    )
    names = "".join(f",tie{k + 1}" for k in range(len(case.ties)))
    why = "barred" if case.bars else "no_choice"
    result = {
        "placements": "applicant,program,rank,seat,reason\n"
        + (f"A,P,{listed},open,{case.reason}" if placed else f"A,,,,{why}"),
        "thresholds": f"program,stage,state,cap,listed,score{names},lottery,price\n"
        + f"P,open,{'full' if placed else 'not_full'},,{last},",
        "classes": f"order_class,opened,placed,min_size\nK,{int(placed)},{int(placed)},0",
        "barred": "applicant,program,rule,value,limit"
        + "".join(f"\nA,P,{bar}" for bar in case.bars),
    }
    fit = sum(int(row.get("fit") or 0) for row in case.scores) if placed else 0
    cost = -int(placed and not case.listed) * int(case.listed)
    objective = {"placed": int(placed), "reserves": 0, "rank": cost, "fit": fit}
    return write(folder, policy(extra=case.rules), given, result, objective)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rule(case: Case, tmp_path: Path) -> None:
    verdict = verify(build(case, tmp_path))
    assert [c for c in verdict.claims if c.status != PROVED] == []


@pytest.mark.parametrize("case", [c for c in CASES if c.bars], ids=lambda case: case.name)
@pytest.mark.parametrize("change", ["value", "limit", "missing", "other rule"])
def test_a_bar_that_is_stated_wrongly(case: Case, change: str, tmp_path: Path) -> None:
    folder = build(case, tmp_path)
    head, bar = (folder / "result" / "barred.csv").read_text("utf-8").splitlines()
    name, program, rule, value, limit = bar.split(",")
    wrong = {
        "value": [f"{name},{program},{rule},{value}1,{limit}"],
        "limit": [f"{name},{program},{rule},{value},{limit}1"],
        "missing": [],
        "other rule": [bar, f"{name},{program},{'age' if rule != 'age' else 'minor'},1,2"],
    }[change]
    (folder / "result" / "barred.csv").write_text("\n".join([head, *wrong]) + "\n", "utf-8")
    sign(folder)
    assert broken(verify(folder)) == ["assignment"]


WITHHELD = [
    Case("age", LOW_HIGH, bars=["age,26,25"], reason="birth_date"),
    Case("class age", AGES, {"age_min": "27"}, bars=["class_age,26,27"], reason="birth_date"),
    Case(
        "minor",
        home={"hire_date": "2027-03-02"},
        program={"forbid_minor": "1"},
        bars=["minor,17,18"],
        reason="birth_date",
    ),
    Case("education", home={"entry_education": "41"}, bars=["education,71,41"], reason="education"),
    Case("skill", home={"entry_skill": "4"}, bars=["skill_level,5,4"], reason="skill_level"),
    Case("health", home={"health": "h1"}, bars=["health,h1,h1"], reason="health"),
    Case(
        "a cell",
        LOW_HIGH,
        person={"birth_date": ""},
        bars=["approval,26,25"],
        reason="birth_date",
    ),
]


@pytest.mark.parametrize("case", WITHHELD, ids=lambda case: case.name)
def test_columns_that_are_withheld_are_named(case: Case, tmp_path: Path) -> None:
    verdict = verify(build(case, tmp_path))
    assert [c.name for c in verdict.claims if c.status != PROVED] == ["assignment"]
    assert claim(verdict, "assignment").status == TRUSTED
    assert claim(verdict, "assignment").trusted == f"withheld:{case.reason}"


def test_a_withheld_bar_of_somebody_who_did_not_apply(tmp_path: Path) -> None:
    case = Case("age", LOW_HIGH, bars=["age,26,25"])
    folder = build(case, tmp_path)
    (folder / "applications.csv").write_text("applicant,rank,program\n")
    sign(folder)
    assert broken(verify(folder)) == ["assignment"]
