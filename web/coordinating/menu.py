"""Where a coordinator goes in a round: every page by its stage, and those that a state makes useful."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import lazy_gettext as _

from ..models import Round

PAGES: dict[Any, dict[str, Any]] = {
    _("筹备"): {
        "coordinator.dates": _("名称、时间与摇号安排"), "coordinator.rules": _("录取规则"),
        "coordinator.plan": _("计划"), "exchange.home": _("Excel 导入与导出"),
        "coordinator.records": _("人社局审定与备案"),
    },
    _("报名与审核"): {
        "coordinator.applicants": _("报名与审核"), "coordinator.doubts": _("数字核对"),
        "coordinator.decisions": _("个案决定"),
    },
    _("锁定与公示"): {
        "coordinator.runs": _("试算与结果"), "coordinator.commitment": _("锁定与公示"),
        "coordinator.rechecks_list": _("复核"),
    },
    _("公示之后"): {
        "coordinator.offer_list": _("答复情况"), "coordinator.waiting_list": _("递补与归档"),
        "coordinator.agreements_page": _("协议"), "coordinator.check_in": _("报到"),
    },
    _("随时"): {
        "coordinator.statistics_page": _("统计"), "coordinator.prints": _("打印"),
        "coordinator.messages": _("发件箱"), "coordinator.motions_page": _("暂停、恢复、作废"),
    },
}  # fmt: skip
"""Stage → its pages, each with its name."""

ALWAYS = {"coordinator.round_page": _("概览"), "coordinator.today_list": _("今日待办")}
NAMES = ALWAYS | {page: name for pages in PAGES.values() for page, name in pages.items()}

LOCKED = ("runs", "commitment", "statistics_page")
USEFUL = {
    "DRAFT": ("rules", "plan"),
    "ANNOUNCED": ("rules", "plan"),
    "OPEN": ("plan", "applicants", "doubts"),
    "REVIEW": ("applicants", "doubts", "runs"),
    "FROZEN": LOCKED,
    "DRAWN": LOCKED,
    "APPROVED": LOCKED,
    "PUBLISHED": ("commitment", "rechecks_list", "prints", "statistics_page"),
    "CONFIRMING": ("offer_list", "waiting_list", "agreements_page", "check_in", "statistics_page"),
    "FINAL": ("waiting_list", "agreements_page", "check_in", "statistics_page"),
    "SUSPENDED": ("motions_page", "rechecks_list"),
    "VOID": (),
}
"""State → the pages on the line at the top; the others are found on the overview."""


def of(round_: Round) -> dict[str, Any]:
    """The line at the top of a round's pages: what its state makes useful, and where one is."""
    shown = [*ALWAYS, *(f"coordinator.{name}" for name in USEFUL[round_.state])]
    if request.endpoint in NAMES and request.endpoint not in shown:
        shown.append(request.endpoint)
    return {page: NAMES[page] for page in shown}
