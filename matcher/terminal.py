"""How a round looks in a terminal: issues, figures, explanations and verdicts in one or two languages."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .explain import Explanation, Reason
from .messages import Lang, column_name, of_issue, of_reason, of_trust, sentence, table_name, word
from .tables import Issue
from .verify import Claim, Verdict

WIDE = 200
"""Columns assumed where nobody's screen limits them, so that nothing is cut."""

MANY = 20
"""More opened classes than this are counted, not listed."""

Document = Mapping[str, Any]
Cell = str | int


def console(stream: TextIO | None = None) -> Console:
    """A console on a stream, by default standard output; as wide as need be where it is a file."""
    stream = stream or sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else WIDE
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


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
        """A notice, one line for each language."""
        for lang in self.langs:
            self.line(sentence(f"notice.{code}", lang, **numbers), style)

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

    def mark(self, demo: bool) -> str:
        """What stands before every title of a demonstration round."""
        return "【演示数据】" if demo else ""


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
        parts.append(_one_line(issue.value))
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
    _fairness(voice, report["fairness"], mark)


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
    for lang in voice.langs:
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
        names = ("、" if lang == "zh" else "; ").join(word("indicator", key, lang) for key in idle)
        voice.draw(sentence("notice.not_enabled", lang, names=names))
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


def _fairness(voice: Voice, fairness: Document, mark: str) -> None:
    rows = [
        (voice.name("label", label), n["people"], n["pairs"], n["rows"])
        for label, n in fairness["labels"].items()
    ]
    heads = [(voice.heading("label"), "left"), (voice.heading("concerned"), "right"),
             (voice.heading("pairs"), "right"), (voice.heading("rows"), "right")]  # fmt: skip
    voice.table(voice.name("title", "fairness", " · "), heads, rows, mark)
    found = sum(fairness["labels"][label]["pairs"] for label in ("justified", "waste"))
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


def verdict(voice: Voice, found: Verdict, demo: bool = False) -> None:
    """Every claim on a line of its own, and what breaks it."""
    voice.line(voice.mark(demo) + voice.name("title", "verdict", " · "), "bold")
    for claim in found.claims:
        voice.line("  " + " ".join(_claim(voice, claim)))
        for violation in claim.violations[:5]:
            voice.line("    " + " ".join(f"{k}={v}" for k, v in violation.items()))
    voice.line("")


def _claim(voice: Voice, claim: Claim) -> Iterator[str]:
    yield voice.name("proof", claim.status)
    yield voice.name("claim", claim.name)
    if claim.trusted:
        yield "— " + " / ".join(of_trust(claim.trusted, lang) for lang in voice.langs)
    if claim.violations:
        yield f"×{claim.numbers.get('violations', len(claim.violations))}"


def comparison(voice: Voice, found: Document, demo: bool = False) -> None:
    """Two results side by side, then everybody who moves."""
    mark = voice.mark(demo)
    heads = [(voice.heading("figure"), "left"), (voice.heading("first"), "right"),
             (voice.heading("second"), "right")]  # fmt: skip
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
    yield voice.name("figure", "mechanism"), a["mechanism"], b["mechanism"]
    yield voice.name("figure", "status"), a["status"], b["status"]
    for figure in ("placed", "opened", "closed"):
        yield voice.name("figure", figure), a[figure], b[figure]
    only = voice.name("figure", "only")
    first, second = found["only_first_opens"], found["only_second_opens"]
    yield only, " ".join(first) or "—", " ".join(second) or "—"
    for rank in a["profile"]:
        yield voice.name("choice", rank), a["profile"][rank], b["profile"][rank]
    for name in {**a["objective"], **b["objective"]}:
        values = [str(r["objective"].get(name, "—")) for r in (a, b)]
        yield voice.name("objective", name), values[0], values[1]
    for group in a["groups"]:
        placed = [r["groups"][group]["placed"] for r in (a, b)]
        yield f"{group} {voice.name('group', group)}", placed[0], placed[1]
    for label in a["fairness"]["labels"]:
        people = [r["fairness"]["labels"][label]["people"] for r in (a, b)]
        yield voice.name("label", label), people[0], people[1]
