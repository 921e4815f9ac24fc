"""How a round looks in a terminal: issues, figures, explanations and verdicts in one or two languages."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TextIO

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .explain import Explanation, Reason
from .messages import (
    Lang,
    column_name,
    of_issue,
    of_reason,
    of_trust,
    of_violation,
    sentence,
    shown_value,
    table_name,
    word,
)
from .odds import Chance, Odds, interval
from .result import Result
from .tables import Issue
from .verify import Claim, Verdict

WIDE = 200
"""Columns assumed where nobody's screen limits them, so that nothing is cut."""

READABLE = 100
"""Columns of a paragraph at most."""

MANY = 20
"""More opened classes than this are counted, not listed."""

Document = Mapping[str, Any]
Cell = str | int


def console(stream: TextIO | None = None) -> Console:
    """A console on a stream, by default standard output; as wide as need be where it is a file."""
    stream = stream or sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else WIDE
    return _Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


class _Console(Console):
    """A console that leaves it to the program to end where nobody reads on."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Named(NamedTuple):
    """A code whose name a sentence gives in its own language."""

    kind: str
    code: str


class Voice:
    """Says things on a console, in Chinese, English or both, Chinese first."""

    def __init__(self, lang: str, output: Console) -> None:
        self.langs: tuple[Lang, ...] = ("zh", "en")
        if lang in ("zh", "en"):
            self.langs = (lang,)  # type: ignore[assignment]
        self.output = output

    def line(self, text: str | Text, style: str = "") -> None:
        """One line, never broken by us."""
        self.output.print(text, style=style or None, soft_wrap=True)

    def say(self, code: str, style: str = "", /, **numbers: object) -> None:
        """A notice, one line for each language; numbers with thousands, codes by name."""
        for lang in self.langs:
            said = {name: _shown(number, lang) for name, number in numbers.items()}
            self.line(sentence(f"notice.{code}", lang, **said), style)

    def name(self, kind: str, code: str, between: str = " ") -> str:
        """The name of a code in every language asked for."""
        names = [word(kind, code, lang) for lang in self.langs]
        return between.join(dict.fromkeys(names))

    def heading(self, code: str) -> str:
        """A heading, one language under the other."""
        return self.name("head", code, "\n")

    def table(
        self,
        title: str,
        heads: Sequence[tuple[str, str]],
        rows: Iterable[Sequence[Cell]],
        mark: str = "",
    ) -> None:
        """A table; a head is (text, ``left`` or ``right``)."""
        self.line(f"{mark}{title}", "bold")
        shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="")
        for text, side in heads:
            shown.add_column(text, justify="right" if side == "right" else "left", overflow="fold")
        for row in rows:
            shown.add_row(*(f"{c:,}" if isinstance(c, int) else str(c) for c in row))
        self.draw(shown)
        self.line("")

    def draw(self, shown: Table | str) -> None:
        """A table, or a text broken to the width of the console; no line ends in spaces."""
        with self.output.capture() as drawn:
            self.output.print(shown)
        for line in drawn.get().splitlines():
            self.line(line.rstrip())

    def flow(self, parts: Iterable[str]) -> None:
        """Parts one behind the other, on as many lines as the width asks for, none of them broken."""
        width, line = min(self.output.width, READABLE), ""
        for part in parts:
            if line and cell_len(line) + cell_len(part.rstrip()) > width:
                self.line(line.rstrip())
                line = "  "
            line += part
        self.line(line.rstrip())

    def mark(self, demo: bool) -> str:
        """What stands before every title of a demonstration round."""
        return "【演示数据】" if demo else ""


def _shown(number: object, lang: Lang) -> object:
    if isinstance(number, Named):
        return word(number.kind, number.code, lang)
    return f"{number:,}" if isinstance(number, int) else number


def percent(numerator: int, denominator: int) -> str:
    """A share with one decimal, half up.

    >>> percent(1, 3), percent(0, 0)
    ('33.3%', '—')
    """
    if not denominator:
        return "—"
    tenths = (2000 * numerator + denominator) // (2 * denominator)
    return f"{tenths // 10}.{tenths % 10}%"


def issues(voice: Voice, found: Iterable[Issue]) -> None:
    """Every issue on a line of its own."""
    for issue in found:
        voice.line(_issue_line(issue, voice.langs))


def _issue_line(issue: Issue, langs: tuple[Lang, ...]) -> str:
    """Place, code and cell in the first language, then what is said in each."""
    lang = langs[0]
    severity = word("severity", issue.severity, lang)
    parts = [severity, table_name(issue.table, lang)]
    if issue.row:
        parts.append(f"第 {issue.row} 行" if lang == "zh" else f"row {issue.row}")
    if issue.column:
        parts.append(column_name(issue.table, issue.column, lang))
    parts.append(f"[{issue.code}]")
    if issue.value:
        parts.append(_one_line(shown_value(issue)))
    said = " / ".join(of_issue(issue, one) for one in langs)
    return _one_line(f"{' '.join(parts)}: {said}")


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


# --- the figures of a report


def figures(voice: Voice, report: Document) -> None:
    """What a coordinator asks first: how many, by choice, by group, which classes, how fair."""
    mark = voice.mark(report["demo"])
    _result(voice, report, mark)
    _profile(voice, report, mark)
    _groups(voice, report, mark)
    _classes(voice, report, mark)
    _indicators(voice, report, mark)
    _statistics(voice, report, mark)
    _fairness(voice, report["fairness"], mark, report["publishable"])


def _result(voice: Voice, report: Document, mark: str) -> None:
    placed, opened = report["placed"], report["opened"]
    full = sum(c["placed"] >= c["seats"] for c in opened)
    mechanism = f"{voice.name('mechanism', report['mechanism'])} ({report['mechanism']})"
    rows: list[tuple[str, Cell]] = [
        (voice.name("figure", "mechanism"), mechanism),
        (voice.name("figure", "status"), voice.name("status", report["status"])),
        (voice.name("figure", "applicants"), report["applicants"]),
        (voice.name("figure", "seats"), report["seats"]),
        (voice.name("figure", "placed"), placed),
        (voice.name("figure", "unplaced"), report["applicants"] - placed),
        (voice.name("figure", "opened"), len(opened)),
        (voice.name("figure", "full"), full),
        (voice.name("figure", "closed"), len(report["closed"])),
    ]
    heads = [(voice.heading("figure"), "left"), ("", "right")]
    title = voice.name("title", "result", " · ") + (
        f" {report['round']}" if report["round"] else ""
    )
    voice.table(title, heads, rows, mark)
    for lang in voice.langs if report["guarantees"] else ():
        voice.line(f"{word('title', 'guarantees', lang)}:")
        for code in report["guarantees"]:
            voice.line("  · " + sentence(f"guarantee.{code}", lang))
    voice.line("")


def _profile(voice: Voice, report: Document, mark: str) -> None:
    total = report["applicants"]
    rows = [
        (voice.name("choice", rank), people, percent(people, total))
        for rank, people in report["profile"].items()
    ]
    heads = [(voice.heading("choice"), "left"), (voice.heading("applicants"), "right"),
             (voice.heading("share"), "right")]  # fmt: skip
    voice.table(voice.name("title", "profile", " · "), heads, rows, mark)
    causes = [(voice.name("unplaced", code), n) for code, n in report["unplaced"].items()]
    heads = [(voice.heading("reason"), "left"), (voice.heading("applicants"), "right")]
    voice.table(voice.name("title", "unplaced", " · "), heads, causes, mark)


def _groups(voice: Voice, report: Document, mark: str) -> None:
    rows = [
        (code, voice.name("group", code), g["applicants"], g["placed"],
         percent(g["placed"], g["applicants"]))
        for code, g in report["groups"].items()
    ]  # fmt: skip
    heads = [("", "left"), (voice.heading("group"), "left"), (voice.heading("applicants"), "right"),
             (voice.heading("placed"), "right"), (voice.heading("share"), "right")]  # fmt: skip
    if rows:
        voice.table(voice.name("title", "groups", " · "), heads, rows, mark)
        voice.say("groups_overlap")
        voice.line("")


def _classes(voice: Voice, report: Document, mark: str) -> None:
    opened, closed = report["opened"], report["closed"]
    if len(opened) <= MANY:
        heads = [(voice.heading("class"), "left"), (voice.heading("placed"), "right"),
                 (voice.heading("seats"), "right"), (voice.heading("min_size"), "right")]  # fmt: skip
        rows = [(c["order_class"], c["placed"], c["seats"], c["min_size"]) for c in opened]
        voice.table(voice.name("title", "opened", " · "), heads, rows, mark)
    if not closed:
        return
    heads = [(voice.heading("step"), "right"), (voice.heading("class"), "left"),
             (voice.heading("placed_then"), "right"), (voice.heading("min_size"), "right"),
             (voice.heading("reason"), "left")]  # fmt: skip
    shown = [
        (c["step"] or "—", c["order_class"], c["placed"], c["min_size"],
         " ".join(sentence(f"closed.{c['reason']}", lang, **c) for lang in voice.langs))
        for c in closed
    ]  # fmt: skip
    voice.table(f"{voice.name('title', 'closed', ' · ')} {len(closed)}", heads, shown, mark)


def _indicators(voice: Voice, report: Document, mark: str) -> None:
    counted = [i for i in report["indicators"] if i["status"] != "not_enabled" and "group" not in i]
    rows = [
        (_indicator(voice, i), i["numerator"], i["denominator"],
         percent(i["numerator"], i["denominator"]))
        for i in counted
    ]  # fmt: skip
    heads = [(voice.heading("indicator"), "left"), (voice.heading("numerator"), "right"),
             (voice.heading("denominator"), "right"), (voice.heading("share"), "right")]  # fmt: skip
    voice.table(voice.name("title", "indicators", " · "), heads, rows, mark)
    idle = [i["key"] for i in report["indicators"] if i["status"] == "not_enabled"]
    for lang in voice.langs:
        names = [word("indicator", key, lang) for key in idle]
        between = "、" if lang == "zh" else "; "
        ended = [name + between for name in names[:-1]] + names[-1:]
        voice.flow([sentence("notice.not_enabled", lang), *ended])
    voice.line("")


def _indicator(voice: Voice, counted: Document) -> str:
    numbers = {"threshold": counted.get("threshold"), "groups": "+".join(counted.get("groups", ()))}
    return "\n".join(
        sentence(f"indicator.{counted['key']}", lang, **numbers) for lang in voice.langs
    )


def _statistics(voice: Voice, report: Document, mark: str) -> None:
    """By study form: a dimension with few values, which stand side by side."""
    rows = [*report["statistics"]["study_form"], *report["statistics"]["total"]]
    heads = [("", "left")]
    for row in rows:
        kind, code = ("dimension", "total") if row["value"] == "total" else ("form", row["value"])
        heads.append((voice.name(kind, code, "\n") or "—", "right"))
    lines = [
        (voice.name("column", column), *(row[column] for row in rows))
        for column in rows[0]
        if column != "value"
    ]
    voice.table(voice.name("title", "statistics", " · "), heads, lines, mark)
    voice.say("forms_overlap")
    voice.line("")


def _fairness(voice: Voice, fairness: Document, mark: str, publishable: bool) -> None:
    rows = [
        (voice.name("label", label), n["people"], n["pairs"], n["rows"])
        for label, n in fairness["labels"].items()
    ]
    heads = [(voice.heading("label"), "left"), (voice.heading("concerned"), "right"),
             (voice.heading("pairs"), "right"), (voice.heading("rows"), "right")]  # fmt: skip
    voice.table(voice.name("title", "fairness", " · "), heads, rows, mark)
    found = sum(fairness["labels"][label]["pairs"] for label in ("justified", "waste"))
    if found or publishable:
        voice.say("fairness_found" if found else "fairness_clear", pairs=found)
        voice.line("")
    for coalition in fairness["coalitions"]:
        voice.say("coalition", **coalition)


# --- explanations, verdicts, comparisons


def explanation(voice: Voice, told: Explanation, demo: bool = False) -> None:
    """What one applicant is told."""
    voice.line(f"{voice.mark(demo)}{told.applicant}", "bold")
    for lang in voice.langs:
        for reason in (told.outcome, *told.reasons):
            voice.line(f"  {_said(reason, lang)}")
    voice.line("")


def _said(reason: Reason, lang: Lang) -> str:
    return of_reason(reason.code, reason.program, reason.numbers, lang)


def outcomes(voice: Voice, told: Sequence[Explanation], demo: bool) -> None:
    """How many were told what, by the code of the outcome."""
    count: dict[str, int] = {}
    for one in told:
        count[one.outcome.code] = count.get(one.outcome.code, 0) + 1
    heads = [(voice.heading("reason"), "left"), (voice.heading("applicants"), "right")]
    rows = [(voice.name("outcome", code), n) for code, n in sorted(count.items())]
    voice.table(voice.name("title", "result", " · "), heads, rows, voice.mark(demo))


def unpublishable(voice: Voice, status: str) -> None:
    """That a result must not be published, its status and why."""
    voice.say(
        "unpublishable", "bold", status=Named("status", status), why=Named("unpublishable", status)
    )


def not_proven(voice: Voice, result: Result) -> None:
    """That a result must not be published, and how far the best one may be from it."""
    unpublishable(voice, result.status.value)
    for name, value, bound in zip(result.components, result.objective, result.bound, strict=False):
        if value != bound:
            costs = name.startswith("rank") and value < 0
            code, sign = ("unproven_least", -1) if costs else ("unproven_most", 1)
            voice.say(code, name=Named("objective", name), value=sign * value, bound=sign * bound)
            return


def verdict(voice: Voice, found: Verdict, demo: bool = False) -> None:
    """Every claim on a line of its own, and what breaks it."""
    voice.line(voice.mark(demo) + voice.name("title", "verdict", " · "), "bold")
    for claim in found.claims:
        voice.line("  " + " ".join(_claim(voice, claim)))
        for violation in claim.violations[:5]:
            said = " / ".join(of_violation(violation, lang) for lang in voice.langs)
            voice.line(f"    {_one_line(said)}")
    voice.line("")


def _claim(voice: Voice, claim: Claim) -> Iterator[str]:
    skipped = claim.trusted.startswith("after:")
    yield voice.name("proof", "NOT_JUDGED" if skipped else claim.status)
    pairs = claim.numbers.get("pairs")
    if isinstance(pairs, list) and claim.status == "PROVED":  # it lists them, and forbids none
        shown = f"{len(pairs):,}"
        yield " / ".join(
            sentence(f"listed.{claim.name}", lang, pairs=shown) for lang in voice.langs
        )
        return
    yield voice.name("claim", claim.name)
    if claim.trusted:
        yield "— " + " / ".join(of_trust(claim.trusted, lang) for lang in voice.langs)
    if claim.violations:
        yield f"×{claim.numbers.get('violations', len(claim.violations))}"


def comparison(
    voice: Voice, found: Document, demo: bool = False, sides: tuple[str, str] = ("first", "second")
) -> None:
    """Two results side by side, then everybody who moves."""
    mark = voice.mark(demo)
    heads = [(voice.heading("figure"), "left"), *((voice.heading(side), "right") for side in sides)]
    voice.table(voice.name("title", "compare", " · "), heads, list(_compared(voice, found)), mark)
    changes = ", ".join(f"{voice.name('change', k)} {n}" for k, n in found["moves"].items())
    heads = [(voice.heading("applicant"), "left"), (voice.heading("from"), "left"),
             (voice.heading("to"), "left"), (voice.heading("change"), "left")]  # fmt: skip
    rows = [
        (m["applicant"], m["from"] or "—", m["to"] or "—", voice.name("change", m["change"]))
        for m in found["moved"]
    ]
    voice.table(f"{voice.name('title', 'moves', ' · ')}: {changes}", heads, rows, mark)


def _compared(voice: Voice, found: Document) -> Iterator[tuple[str, Cell, Cell]]:
    a, b = found["results"]
    for figure in ("mechanism", "status"):
        names = [voice.name(figure, side[figure]) for side in (a, b)]
        yield voice.name("figure", figure), names[0], names[1]
    for figure in ("placed", "opened", "closed"):
        yield voice.name("figure", figure), a[figure], b[figure]
    only = voice.name("figure", "only")
    first, second = found["only_first_opens"], found["only_second_opens"]
    yield only, " ".join(first) or "—", " ".join(second) or "—"
    for rank in max(a["profile"], b["profile"], key=len):  # one list may be longer than all others
        people = [r["profile"].get(rank, 0) for r in (a, b)]
        yield voice.name("choice", rank), people[0], people[1]
    for name in {**a["objective"], **b["objective"]}:
        values = [r["objective"].get(name, "—") for r in (a, b)]
        yield voice.name("objective", name), values[0], values[1]
    for group in a["groups"]:
        placed = [r["groups"][group]["placed"] for r in (a, b)]
        yield f"{group} {voice.name('group', group)}", placed[0], placed[1]
    for label in a["fairness"]["labels"]:
        people = [r["fairness"]["labels"][label]["people"] for r in (a, b)]
        yield voice.name("label", label), people[0], people[1]


# --- chances before the draw


def odds(voice: Voice, found: Document, demo: bool = False) -> None:
    """How far the lottery decides: over people, over classes, and which classes it may open."""
    mark, draws = voice.mark(demo), found["draws"]
    rows: list[tuple[str, Cell, str]] = [(voice.name("figure", "draws"), draws, "")]
    for kind, counts in (("people", found["people"]), ("opening", found["classes"])):
        total = sum(counts.values())
        rows += [(voice.name(kind, code), n, percent(n, total)) for code, n in counts.items()]
    heads = [(voice.heading("figure"), "left"), ("", "right"), (voice.heading("share"), "right")]
    voice.table(voice.name("title", "odds", " · "), heads, rows, mark)
    if found["depends"]:
        heads = [(voice.heading("class"), "left"), (voice.heading("min_size"), "right"),
                 (voice.heading("times"), "right"), (voice.heading("share"), "right"),
                 (voice.heading("interval"), "right")]  # fmt: skip
        shown = [
            (c["order_class"], c["min_size"], c["times"], percent(c["times"], draws),
             "–".join(percent(bound, 1000) for bound in interval(c["times"], draws)))
            for c in found["depends"]
        ]  # fmt: skip
        voice.table(voice.name("title", "depends", " · "), heads, shown, mark)
    _counted(voice, draws, found["set_aside"])


def chances(
    voice: Voice, applicant: str, lines: Sequence[Chance], found: Odds, demo: bool = False
) -> None:
    """The probability of each choice of one applicant, with its interval."""
    draws = found.draws
    voice.line(f"{voice.mark(demo)}{applicant}  {voice.name('title', 'odds', ' · ')}", "bold")
    for lang in voice.langs:
        for line in lines:
            low, high = (percent(bound, 1000) for bound in interval(line.times, draws))
            said = sentence(
                f"notice.{line.code}", lang, rank=line.rank, program=line.program,
                times=f"{line.times:,}", share=percent(line.times, draws), low=low, high=high,
                rule=word("rule", line.rule, lang),
            )  # fmt: skip
            voice.line(f"  {said}")
    voice.line("")
    _counted(voice, draws, found.set_aside)


def _counted(voice: Voice, draws: int, set_aside: int) -> None:
    """How many draws the figures rest on, and what that is worth."""
    least = percent(interval(0, draws)[1], 1000)
    voice.say("odds_note", draws=f"{draws:,}", least=least)
    if set_aside:
        voice.say("odds_set_aside", times=f"{set_aside:,}")
