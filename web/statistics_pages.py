"""Pages of statistics: the sheet by any breakdown, its files, a report in prose, districts in order.

Offices see exact numbers, a district its own people's; the public page withholds small cells.
"""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, send_file, url_for
from flask_babel import force_locale, lazy_gettext
from flask_babel import gettext as _
from flask_security import current_user
from werkzeug.wrappers import Response

from . import audit, auth, db, disclosure, figures, rounds, statistics, statistics_report, words
from . import statistics_files as files
from .models import Round
from .offices import Action
from .paper import Unprintable
from .statistics import COLUMNS, DIMENSIONS, OF_PEOPLE
from .statistics_report import Report, Table
from .workbooks import XLSX

KINDS = {"xlsx": (files.workbook, XLSX), "pdf": (files.document, "application/pdf")}
PUBLIC = ("college", "industry", "level", "study_form", "group", "district", "age", "sex")
"""Breakdowns of the public page; what is withheld of one is not told by another."""

PUBLIC_COLUMNS = (
    "classes", "seats", "applied", "passed", "first_applied", "placed", "placed_first",
    "placed_other", "placed_adjusted", "filled", "confirmed", "opened", "not_opened", "vacant",
)  # fmt: skip
WITHHELD = lazy_gettext("＊")


def pages(bp: Blueprint, prefix: str, layout: str, whole: bool = True) -> None:
    """Give an office's blueprint its pages of statistics; not ``whole``: of its own district."""

    def scope() -> str:
        return "" if whole else auth.own_district()

    def made(serial: str) -> tuple[Round, Report]:
        round_, district = auth.round_of(serial), scope()
        who = str(current_user.name or current_user.username)
        asked = request.args.get("by", "")
        return round_, statistics_report.of(db.reading(), round_, asked, who, district)

    def show(template: str, round_: Round, action: Action, **values: Any) -> str:
        return render_template(
            f"statistics/{template}.html", round=round_, layout=layout, name=bp.name,
            action=action, whole=whole, said=statistics_report.said, **values,
        )  # fmt: skip

    def back(serial: str) -> Action:
        return Action(_("看招生情况统计表"), url_for(f"{bp.name}.statistics_page", serial=serial))

    @bp.get(f"{prefix}/<serial>/statistics")
    def statistics_page(serial: str) -> str:
        """The sheet of a round by the breakdown that is asked for."""
        round_, report = made(serial)
        action = Action(_("看一页式情况通报"), url_for(f"{bp.name}.bulletin", serial=serial))
        return show(
            "sheet", round_, action, report=report, dimensions=DIMENSIONS,
            unit=statistics_report.unit(), charts=_charts(report),
        )  # fmt: skip

    @bp.post(f"{prefix}/<serial>/statistics/<kind>")
    def statistics_file(serial: str, kind: str) -> Response:
        """The sheet as a file, in Chinese; who took it is recorded."""
        if kind not in KINDS:
            abort(404)
        write, mimetype = KINDS[kind]
        with force_locale(words.LANGUAGES["zh"]):
            round_, report = made(serial)
            name = f"statistics-{serial}-{report.dimension}.{kind}"
            try:
                data = write(report)
            except Unprintable as error:
                flash(_("字库缺少这些字，不能打印：%(signs)s", signs=error.characters), "error")
                page = url_for(f"{bp.name}.statistics_page", serial=serial, by=report.dimension)
                return redirect(page)
        with db.writing() as session:
            audit.record(
                session, auth.actor(), "export", f"statistics/{serial}", round_id=round_.id,
                after={"format": kind, "by": report.dimension, "district": report.facts.district},
            )  # fmt: skip
        return send_file(io.BytesIO(data), mimetype, as_attachment=True, download_name=name)

    @bp.get(f"{prefix}/<serial>/bulletin")
    def bulletin(serial: str) -> str:
        """The round on one page, in sentences, to print."""
        round_, report = made(serial)
        return show("bulletin", round_, back(serial), report=report,
                    lines=statistics_report.prose(report))  # fmt: skip

    if whole:

        @bp.get(f"{prefix}/<serial>/ranking")
        def ranking(serial: str) -> str:
            """Districts in order."""
            round_ = auth.round_of(serial)
            facts = statistics.read(db.reading(), round_)
            return show("ranking", round_, back(serial), table=statistics_report.ranking(facts))


def _charts(report: Report) -> list[tuple[str, list[tuple[str, int]]]]:
    """The columns that are drawn: the plan, applications and placements, as far as they are known."""
    columns = ("seats", "applied", "placed")
    drawn = [(str(COLUMNS[c]), statistics_report.bars(report.sheet, c)) for c in columns]
    return [(title, rows) for title, rows in drawn if rows]


# --- for everybody ----------------------------------------------------------------------------


def published(bp: Blueprint) -> None:
    """Give the public's blueprint the statistics of published rounds, small cells withheld."""

    @bp.get("/rounds/<serial>/statistics")
    def statistics_page(serial: str) -> str:
        """The statistics of a published round by the breakdown that is asked for."""
        round_ = auth.round_of(serial)
        state = rounds.by_the_clock(db.reading(), round_)
        asked = request.args.get("by", "")
        dimension = asked if asked in PUBLIC else PUBLIC[0]
        table = public_table(round_, dimension) if state in figures.SHOWN else None
        return render_template(
            "public/statistics.html", round=round_, state=state, table=table, dimension=dimension,
            dimensions={name: DIMENSIONS[name] for name in PUBLIC},
            said=statistics_report.said, unit=statistics_report.unit(),
        )  # fmt: skip


def public_table(round_: Round, dimension: str) -> Table:
    """A sheet as everybody may read it."""
    facts = statistics.read(db.reading(), round_)
    held = statistics.sheet(facts, dimension)
    columns = [c for c in PUBLIC_COLUMNS if held.total.numbers[c] is not None]
    every = [held if name == dimension else statistics.sheet(facts, name) for name in PUBLIC]
    finest = statistics.finest(facts, [name for name in PUBLIC if name not in OF_PEOPLE])
    hidden = disclosure.together(every, columns, finest)[dimension]
    rows: list[list[statistics_report.Cell]] = [
        [line.label, *(str(WITHHELD) if (at, c) in hidden else line.numbers[c] for c in columns)]
        for at, line in [*enumerate(held.lines), (-1, held.total)]
    ]
    heads = [str(DIMENSIONS[dimension]), *(str(COLUMNS[c]) for c in columns)]
    notes = [str(said) for column, said in statistics.NOTES.items() if column in columns]
    notes.append(
        _(
            "“＊”：少于 %(n)s 人，或为防止由合计推算而一并不公布。“—”：这一行没有这一项。",
            n=disclosure.FEWEST,
        )
    )
    return Table("sheet", _("招生情况统计表"), heads, rows, notes)
