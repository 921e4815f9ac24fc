"""The law of admission: each rule one pure function over columns of (applicant, program) pairs.

A pair that a rule bars never becomes an edge of the market, so no mechanism can forget to check.
The parameters are the policy's; nothing here is a number of any regulation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from . import cells
from .cells import BLANK, Int
from .policy import ANY, AgeRule, Policy
from .scores import PairScores, ScoreBook
from .tables import COMPONENTS, EDUCATIONS, Table, Tables, split

Bool = NDArray[np.bool_]
Shown = tuple[str, str]

ORDINARY, RELAXED, NEEDS_APPROVAL, BARRED = 0, 1, 2, 3
"""How the age rules see a person at a class, best first."""


@dataclass(frozen=True)
class Round:
    """The columns that rules read: one array per fact, of people, programs and classes."""

    tables: Tables
    policy: Policy
    class_of: Int
    """Class of each program, as an index into the table ``order_classes``; −1 for a class of its own."""
    scores: ScoreBook

    def person(self, column: str) -> Sequence[str]:
        """A column of the applicants."""
        return self.tables["applicants"][column]

    def place(self, column: str) -> Sequence[str]:
        """A column of the programs."""
        return self.tables["programs"][column]

    def course(self, column: str) -> list[str]:
        """A column of the classes, for each program; blank for a class of its own."""
        values = [*self.tables["order_classes"][column], ""]
        return [values[at] for at in self.class_of]

    @cached_property
    def births(self) -> Int:
        """Dates of birth as YYYYMMDD; 0 where unknown."""
        return cells.dates(self.person("birth_date"))

    @cached_property
    def groups(self) -> tuple[Bool, list[str]]:
        """Membership (applicants × groups) and the sorted groups."""
        return cells.members(self.person("groups"))

    @cached_property
    def ages(self) -> Int:
        """Full years of age on the policy's reference date; −1 where unknown."""
        day = np.int64(int(self.policy.reference_date.replace("-", "") or 0))
        return np.where((self.births > 0) & (day > 0), (day - self.births) // 10_000, -1)

    def age_shown(self, applicant: int) -> str:
        """The age as a text; blank where it is unknown."""
        return str(self.ages[applicant]) if self.births[applicant] else ""

    @cached_property
    def age_answers(self) -> tuple[Int, Int, Int]:
        """Standing and limit of each (kind of class, applicant), and the kind of each program."""
        kinds = list(zip(self.course("study_form"), self.course("level"), strict=True))
        distinct = sorted(set(kinds))
        kind = cells.positions(
            ["\0".join(k) for k in kinds], cells.index("\0".join(k) for k in distinct)
        )
        answers = [_age_answers(self, form, level) for form, level in distinct]
        return np.array([a[0] for a in answers]), np.array([a[1] for a in answers]), kind

    @cached_property
    def decisions(self) -> dict[str, list[tuple[int, int, str, str]]]:
        """Per decision the (applicant, program, rule, basis) of its lines."""
        table = self.tables["decisions"]
        who = cells.index(self.person("applicant"))
        what = cells.index(self.place("program"))
        made: dict[str, list[tuple[int, int, str, str]]] = {}
        for line in table.records():
            made.setdefault(line["decision"], []).append(
                (who[line["applicant"]], what[line["program"]],
                 line.get("rule", ""), line.get("basis", ""))
            )  # fmt: skip
        return made


@dataclass(frozen=True)
class Pairs:
    """Pairs (applicant ``a``, program ``p``) of a round, all listed or all adjusted (a tail)."""

    round: Round
    a: Int
    p: Int
    adjusted: bool = False

    @cached_property
    def scores(self) -> PairScores:
        """The scores of the pairs."""
        return self.round.scores.of(self.a, self.p, self.adjusted)

    def decided(self, decision: str, rule: str = "") -> Int:
        """For each pair the line of a decision that concerns it, −1 for none."""
        lines = self.round.decisions.get(decision, [])
        programs = len(self.round.tables["programs"])
        wanted = {
            a * programs + p: at
            for at, (a, p, named, _) in enumerate(lines)
            if not rule or named == rule or (not named and rule in ("age", "approval"))
        }
        if not wanted:
            return np.full(len(self.a), -1)
        keys = np.array(sorted(wanted), np.int64)
        found = self.a * programs + self.p
        at = np.minimum(np.searchsorted(keys, found), len(keys) - 1)
        values = np.array([wanted[int(k)] for k in keys])
        return np.where(keys[at] == found, values[at], -1)


@dataclass(frozen=True)
class Finding:
    """What one rule says of some pairs: which it bars, and what to show of a barred one.

    ``show(i)`` gives the person's value and the limit it fails, as texts, for the pair at ``i``.
    """

    barred: Bool
    show: Callable[[int], Shown]


def review(pairs: Pairs) -> Finding:
    """The review of eligibility (资格审核) did not end with a pass."""
    codes = pairs.round.person("review")
    failed = np.array([code not in ("", "passed") for code in codes], bool)
    return Finding(failed[pairs.a], lambda i: (codes[pairs.a[i]], "passed"))


def rejected(pairs: Pairs) -> Finding:
    """The person was rejected for this program (面试不合格)."""
    line = pairs.decided("rejected")
    return Finding(line >= 0, lambda i: (pairs.round.decisions["rejected"][line[i]][3], ""))


def declined(pairs: Pairs) -> Finding:
    """The person gave up her place at this program (放弃)."""
    line = pairs.decided("declined")
    return Finding(line >= 0, lambda i: (pairs.round.decisions["declined"][line[i]][3], ""))


def membership(pairs: Pairs) -> Finding:
    """The college or the enterprise is no longer a member of the alliance on the policy's date."""
    wanted = pairs.round.policy.membership_date
    day = int(wanted.replace("-", "") or 0)
    ends = [
        cells.dates(pairs.round.course("college_member_until")),
        cells.dates(pairs.round.place("enterprise_member_until")),
    ]
    end = np.min([np.where(e == 0, 99_999_999, e) for e in ends], axis=0)
    return Finding((end < day)[pairs.p], lambda i: (_day(int(end[pairs.p[i]])), wanted))


def age(pairs: Pairs) -> Finding:
    """No age rule of any of the person's groups admits her age."""
    standing, limit, kind = pairs.round.age_answers
    at = kind[pairs.p], pairs.a
    return Finding(
        standing[at] == BARRED,
        lambda i: (pairs.round.age_shown(pairs.a[i]), str(limit[at][i])),
    )


def approval(pairs: Pairs) -> Finding:
    """Her age is admitted only with an approval in her case (个案审批)."""
    standing, limit, kind = pairs.round.age_answers
    at = kind[pairs.p], pairs.a
    return Finding(
        standing[at] == NEEDS_APPROVAL,
        lambda i: (pairs.round.age_shown(pairs.a[i]), str(limit[at][i])),
    )


def class_age(pairs: Pairs) -> Finding:
    """Her age lies outside the limits of the class itself."""
    low = cells.integers(pairs.round.course("age_min"), -9999)[pairs.p]
    high = cells.integers(pairs.round.course("age_max"), 9999)[pairs.p]
    years = pairs.round.ages[pairs.a]
    return Finding(
        (years < low) | (years > high),
        lambda i: (str(years[i]), str(low[i] if years[i] < low[i] else high[i])),
    )


def education(pairs: Pairs) -> Finding:
    """Her education is below what the class asks; none stated counts as none."""
    asked, held = pairs.round.course("entry_education"), pairs.round.person("education")
    need = np.array([EDUCATIONS[code] if code else -1 for code in asked])[pairs.p]
    have = np.array([EDUCATIONS[code] if code else -1 for code in held])[pairs.a]
    return Finding((need >= 0) & (have < need), lambda i: (held[pairs.a[i]], asked[pairs.p[i]]))


def skill_level(pairs: Pairs) -> Finding:
    """She does not hold the skill level that the class asks (1 is the highest)."""
    asked, held = pairs.round.course("entry_skill"), pairs.round.person("skill_level")
    need = cells.integers(asked, 9)[pairs.p]
    have = cells.integers(held, 9)[pairs.a]
    return Finding((need < 9) & (have > need), lambda i: (held[pairs.a[i]], asked[pairs.p[i]]))


def study_form(pairs: Pairs) -> Finding:
    """She does not accept the class's study form; not asked of anybody, nobody is barred."""
    form, accepted = pairs.round.course("study_form"), pairs.round.person("study_forms")
    if "study_forms" not in pairs.round.tables["applicants"]:
        return Finding(np.zeros(len(pairs.a), bool), lambda _: ("", ""))
    has, forms = cells.members(accepted)
    padded = np.append(has, np.zeros((len(has), 1), bool), axis=1)
    column = cells.positions(form, cells.index(forms))
    return Finding(
        ~padded[pairs.a, column[pairs.p]] & np.array([bool(f) for f in form])[pairs.p],
        lambda i: (accepted[pairs.a[i]], form[pairs.p[i]]),
    )


def health(pairs: Pairs) -> Finding:
    """She does not meet a health condition that the occupation requires."""
    asked, stated = pairs.round.course("health"), pairs.round.person("health")
    need, needed = cells.members(asked)
    have, held = cells.members(stated)
    column = cells.positions(needed, cells.index(held))
    padded = np.append(have, np.zeros((len(have), 1), bool), axis=1)[:, column]
    lacking = np.zeros(len(pairs.a), bool)
    for condition in range(len(needed)):
        lacking |= need[pairs.p, condition] & ~padded[pairs.a, condition]

    def show(i: int) -> Shown:
        wanted = asked[pairs.p[i]]
        return ";".join(sorted(set(split(wanted)) - set(split(stated[pairs.a[i]])))), wanted

    return Finding(lacking, show)


def minor(pairs: Pairs) -> Finding:
    """The post is forbidden to minors and she will be one when she first works there."""
    dates = [cells.dates(pairs.round.course(c)) for c in ("internship_date", "hire_date")]
    first = np.min([np.where(d == 0, 99_999_999, d) for d in dates], axis=0)
    forbidden = np.array([flag == "1" for flag in pairs.round.place("forbid_minor")], bool)
    years = (first[pairs.p] - pairs.round.births[pairs.a]) // 10_000
    under = pairs.round.policy.minor_under
    known = pairs.round.births[pairs.a] > 0
    return Finding(
        forbidden[pairs.p] & known & (years < under), lambda i: (str(years[i]), str(under))
    )


def work_age(pairs: Pairs) -> Finding:
    """She will be too young to work on the planned day of internship or hiring."""
    births = pairs.round.births[pairs.a]
    barred = np.zeros(len(pairs.a), bool)
    years, limit = np.zeros(len(pairs.a), np.int64), np.zeros(len(pairs.a), np.int64)
    policy = pairs.round.policy
    for column, least in (
        ("hire_date", policy.min_hire_age),
        ("internship_date", policy.min_internship_age),
    ):
        day = cells.dates(pairs.round.course(column))[pairs.p]
        then = (day - births) // 10_000
        young = (day > 0) & (births > 0) & (then < least)
        years, limit = np.where(young, then, years), np.where(young, least, limit)
        barred |= young
    return Finding(barred, lambda i: (str(years[i]), str(limit[i])))


def channel(pairs: Pairs) -> Finding:
    """She has no score in the exam channel of the program."""
    names = pairs.round.place("channel")
    has = np.array([bool(name) for name in names], bool)[pairs.p]
    return Finding(has & ~pairs.scores.has_row, lambda i: ("", names[pairs.p[i]]))


def absent(pairs: Pairs) -> Finding:
    """She missed a component that counts (缺考) and the policy admits nobody who did."""
    missed = pairs.scores.absent
    barred = (missed >= 0) & (pairs.round.policy.score_absent == "bar")
    return Finding(barred, lambda i: (COMPONENTS[missed[i]], ""))


def interview(pairs: Pairs) -> Finding:
    """Her interview is below the line; or, adjusted, there was none where the class insists."""
    line = pairs.round.policy.pass_interview
    places = pairs.round.scores.component_places
    value = pairs.scores.interview
    barred = np.zeros(len(pairs.a), bool)
    if line is not None:
        barred |= (value > cells.EXEMPT_MARK) & (value < cells.scale(format(line, "f"), places))
    if pairs.adjusted:
        insists = np.array([f == "1" for f in pairs.round.course("interview_required")], bool)
        barred |= insists[pairs.p] & (value == BLANK)
    shown = _plain(format(line, "f")) if line is not None else ""
    book = pairs.round.scores
    return Finding(
        barred, lambda i: (book.written(int(pairs.a[i]), int(pairs.p[i]), "interview"), shown)
    )


def total(pairs: Pairs) -> Finding:
    """Her score in an exam channel is below the qualification line, or there is none."""
    line = pairs.round.policy.pass_total
    if line is None:
        return Finding(np.zeros(len(pairs.a), bool), lambda _: ("", ""))
    places, score = pairs.round.scores.places, pairs.scores.score
    has = np.array([bool(name) for name in pairs.round.place("channel")], bool)[pairs.p]
    return Finding(
        has & (score < cells.scale(format(line, "f"), places)),
        lambda i: (cells.unscaled(int(score[i]), places), _plain(format(line, "f"))),
    )


RULES: dict[str, Callable[[Pairs], Finding]] = {
    rule.__name__: rule
    for rule in (
        review, rejected, declined, membership, age, approval, class_age, education, skill_level,
        study_form, health, minor, work_age, channel, absent, interview, total,
    )
}  # fmt: skip
"""Every rule by name, in the order in which they are shown."""

SET_ASIDE = ("age", "approval", "education", "skill_level")
"""The rules that an approval in a single case (个案审批) can set aside."""


@dataclass(frozen=True)
class Eligibility:
    """The law applied to some pairs.

    ``approved`` are eligible because an approval set aside a rule; ``relaxed`` because a relaxed
    age limit, or an approval of age, admits them.
    """

    eligible: Bool
    approved: Bool
    relaxed: Bool
    barred: list[tuple[int, str, str, str]] = field(default_factory=list)
    """(pair, rule, value, limit) for every rule that bars a pair, by pair and rule."""


def apply_rules(pairs: Pairs, tell: bool = True) -> Eligibility:
    """Apply every rule to every pair.

    Parameters
    ----------
    pairs
        All listed or all adjusted.
    tell
        Whether to list what bars each pair.

    Notes
    -----
    O(pairs × rules), by columns.
    """
    size = len(pairs.a)
    eligible, approved = np.ones(size, bool), np.zeros(size, bool)
    relaxed = np.zeros(size, bool)
    if not size:
        return Eligibility(eligible, approved, relaxed)
    if pairs.round.policy.age_rules:
        standing, _, kind = pairs.round.age_answers
        relaxed = standing[kind[pairs.p], pairs.a] == RELAXED
    barred: list[tuple[int, str, str, str]] = []
    for name, rule in _rules_for(pairs.round.policy):
        finding = rule(pairs)
        bars = finding.barred
        if _may_be_set_aside(name, pairs.round) and bars.any():
            aside = bars & (pairs.decided("approved", name) >= 0)
            approved |= aside
            if name in ("age", "approval"):
                relaxed |= aside
            bars = bars & ~aside
        eligible &= ~bars
        if tell:
            barred += [(int(i), name, *finding.show(int(i))) for i in np.flatnonzero(bars)]
    barred.sort(key=lambda line: line[0])
    return Eligibility(eligible, approved & eligible, relaxed & eligible, barred)


def _may_be_set_aside(rule: str, facts: Round) -> bool:
    return (
        rule in SET_ASIDE
        and "approved" in facts.decisions
        and (rule != "age" or facts.policy.case_by_case)
    )


def _rules_for(policy: Policy) -> Iterator[tuple[str, Callable[[Pairs], Finding]]]:
    for name, rule in RULES.items():
        if name in ("age", "approval") and not policy.age_rules:
            continue
        yield name, rule


def check(
    applicant: dict[str, str], program: dict[str, str], order_class: dict[str, str], policy: Policy
) -> list[tuple[str, str, str]]:
    """The rules that bar one person from one program, as (rule, value, limit); empty if none does.

    Answers a form before any score or decision exists, so rules about scores are not asked.

    Examples
    --------
    >>> check({"applicant": "A"}, {"program": "P"}, {"order_class": "C", "entry_education": "61"},
    ...       Policy())
    [('education', '', '61')]
    """
    tables = Tables(
        {
            "applicants": _one(applicant),
            "programs": _one(program | {"channel": "", "order_class": "C"}),
            "order_classes": _one(order_class | {"order_class": "C"}),
        },
        b"",
    )
    zero = np.zeros(1, np.int64)
    pairs = Pairs(read_round(tables, policy, zero), zero, zero)
    return [line[1:] for line in apply_rules(pairs).barred]


def _one(cells_by_column: dict[str, str]) -> Table:
    return Table({column: [cell] for column, cell in cells_by_column.items()})


def read_round(tables: Tables, policy: Policy, class_of: Int) -> Round:
    """The columns of a valid round for the rules; ``class_of`` as in :class:`Round`."""
    scores = ScoreBook(
        tables["scores"], cells.index(tables["applicants"]["applicant"]),
        cells.index(tables["programs"]["program"]), tables["programs"]["channel"], policy,
    )  # fmt: skip
    return Round(tables, policy, class_of, scores)


def _age_answers(facts: Round, form: str, level: str) -> tuple[Int, Int]:
    """Standing and limit of every applicant at classes of one study form and level."""
    holds, groups = facts.groups
    years = facts.ages
    nobody = np.zeros(len(years), bool)
    best = np.full(len(years), BARRED + 1)
    limit, approval_limit = np.full(len(years), -1), np.full(len(years), -1)
    without = ~holds.any(axis=1) if groups else ~nobody
    for group, inside in [*zip(groups, holds.T, strict=True), ("", without)]:
        rule = _winning_rule(facts.policy.age_rules, group, form, level)
        standing, failed = _standing(rule, years)
        needs = inside & (standing == NEEDS_APPROVAL)
        if rule is not None and rule.needs_approval_above is not None:
            approval_limit[needs] = np.maximum(approval_limit[needs], rule.needs_approval_above)
        bars = inside & (standing == BARRED)
        nearer = (np.abs(years - failed) < np.abs(years - limit)) | (
            (np.abs(years - failed) == np.abs(years - limit)) & (failed < limit)
        )
        limit = np.where(bars & ((limit < 0) | nearer), failed, limit)
        best = np.where(inside, np.minimum(best, standing), best)
    return best, np.where(best == NEEDS_APPROVAL, approval_limit, limit)


def _winning_rule(rules: tuple[AgeRule, ...], group: str, form: str, level: str) -> AgeRule | None:
    asked = (group, form, level)
    matching = [
        rule
        for rule in rules
        if all(part in (ANY, own) for part, own in zip(rule.key, asked, strict=True))
    ]
    return max(matching, key=lambda rule: rule.precedence, default=None)


def _standing(rule: AgeRule | None, years: Int) -> tuple[Int, Int]:
    """How one rule sees each age, and the limit that a barred age fails."""
    standing = np.full(len(years), ORDINARY)
    limit = np.full(len(years), -1)
    if rule is None:
        return standing, limit
    if rule.max is not None:
        standing[years > rule.max] = RELAXED
        over = years > (rule.upper or 0)
        standing[over], limit[over] = BARRED, rule.upper or 0
    if rule.min is not None:
        under = years < rule.min
        standing[under], limit[under] = BARRED, rule.min
    if rule.needs_approval_above is not None:
        asks = (years > rule.needs_approval_above) & (standing != BARRED)
        standing[asks] = NEEDS_APPROVAL
    return standing, limit


def _day(number: int) -> str:
    text = str(number)
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


def _plain(text: str) -> str:
    return cells.unscaled(cells.scale(text, places := cells.decimal_places([text])), places)
