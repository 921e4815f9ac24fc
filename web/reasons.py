"""A result in words: one short sentence or two for each reason that the matcher gives.

A reason is a code, a program and numbers about the person herself, the cutoff and the cause.  What is
shown here is for her own eyes: cutoffs of seats that are open to all, never of reserved ones, and never
anything of another person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from . import codes, standing

Numbers = Mapping[str, Any]
BARRED = "barred_"


@dataclass(frozen=True)
class Told:
    """Sentences about one choice (0: about none), and what would have changed it."""

    rank: int
    program: str
    sentences: tuple[str, ...]
    change: str = ""


def outcome(reason: Mapping[str, Any]) -> list[str]:
    """What became of her."""
    code, numbers = reason["code"], reason.get("numbers", {})
    said: list[Any]
    if code == "placed_choice":
        said = [_("您被第 %(n)s 志愿录取。", n=numbers["rank"]), *_stood(numbers)]
    elif code == "placed_adjusted":
        said = [_("您经调剂录取。"), *_stood(numbers)]
    elif code == "all_barred":
        said = [_("未录取：志愿都不符合条件。")]
    elif code == "no_choice":
        said = [_("未录取：没有填志愿。")]
    else:
        said = [_("未录取：志愿都没有录上。")]
    return [str(s) for s in said]


def _stood(numbers: Numbers) -> list[Any]:
    if "standing" not in numbers:
        return []
    return [
        _("想去的人里您排第 %(place)s，席位 %(seats)s 个。",
          place=numbers["standing"], seats=numbers["capacity"])
    ]  # fmt: skip


def told(reasons: Sequence[Mapping[str, Any]]) -> list[Told]:
    """Every reason in words, in the order given."""
    return [_told(r["code"], r.get("program", ""), r.get("numbers", {})) for r in reasons]


def _told(code: str, program: str, numbers: Numbers) -> Told:
    rank = int(numbers.get("rank") or 0)
    if code.startswith(BARRED):
        rule = code.removeprefix(BARRED)
        said = standing.sentence(rule, str(numbers["value"]), str(numbers["limit"]))
        return Told(rank, program, (str(_("不符合条件。")), said), str(_("满足这一条才可以报。")))
    if code.startswith("price_"):
        return Told(rank, program, (str(_("没有录上。")), str(_price(code, numbers))))
    if code.startswith("tail_"):
        return Told(rank, program, tuple(str(s) for s in TAIL[code](numbers)))
    change = CHANGES[code](numbers) if code in CHANGES and _open(numbers) else ""
    return Told(rank, program, tuple(str(s) for s in SENTENCES[code](numbers)), str(change))


def _open(numbers: Numbers) -> bool:
    """Whether the cutoff is one of seats that are open to all."""
    return str(numbers.get("seat", "open")) == "open"


def _mine(numbers: Numbers) -> Any:
    if numbers.get("score") in ("", None):
        return _("您没有成绩。")
    return _("您 %(score)s 分。", score=numbers["score"])


def _full(numbers: Numbers) -> Any:
    if "cap" in numbers:
        return _("总量上限 %(seats)s 人已满。", seats=numbers["seats"])
    return _("录满。")


def _compared(*sentences: Callable[[Numbers], Any]) -> Callable[[Numbers], list[Any]]:
    """Full; then how she compares with the last placed, where those seats were open to all."""

    def said(numbers: Numbers) -> list[Any]:
        if not _open(numbers):
            return [_full(numbers), _mine(numbers), _("您排在末位之后。")]
        return [_full(numbers), *(sentence(numbers) for sentence in sentences)]

    return said


def _scores(n: Numbers) -> Any:
    return _("录取末位 %(last)s 分，您 %(mine)s 分。", last=n["last_score"], mine=n["score"])


def _last_score(n: Numbers) -> Any:
    return _("录取末位 %(last)s 分，您没有成绩。", last=n["last_score"])


def _tie(n: Numbers) -> Any:
    return _(
        "同分比%(tie)s：末位 %(last)s，您 %(mine)s。",
        tie=codes.word(codes.COMPONENTS, str(n["tie"])), last=n["last_value"], mine=n["value"],
    )  # fmt: skip


def _lottery(n: Numbers) -> Any:
    return _(
        "同分比摇号：末位 %(last)s 号，您 %(mine)s 号。", last=n["last_lottery"], mine=n["lottery"]
    )


def _same(n: Numbers) -> Any:
    return _("您与末位同分，席位给了别人。")


def _goals(_n: Numbers) -> Any:
    return _("同分看整体方案，最后看摇号。")


def _few(n: Numbers) -> list[Any]:
    return [_full(n), _mine(n), _("您排在末位之后。"), _("不足 5 人，不公布录取线。")]


def _full_few(n: Numbers) -> list[Any]:
    return [_full(n), _mine(n), _("录取的人都不比您低。"), _("不足 5 人，不公布录取线。")]


def _shortfall(n: Numbers) -> list[Any]:
    return [
        _("没有开班。"),
        _("至少 %(least)s 人，只有 %(placed)s 人。", least=n["min_size"], placed=n["placed"]),
        _("差 %(n)s 人。", n=n["shortfall"]),
    ]


SENTENCES: dict[str, Callable[[Numbers], list[Any]]] = {
    "by_relaxed": lambda n: [_("您按放宽的年龄录取。")],
    "by_approval": lambda n: [_("您经个案审批录取。")],
    "below_score": _compared(_scores),
    "cap_score": _compared(_scores),
    "below_unscored": _compared(_last_score),
    "cap_unscored": _compared(_last_score),
    "below_tie": _compared(_tie),
    "cap_tie": _compared(_tie),
    "below_lottery": _compared(_lottery),
    "cap_lottery": _compared(_lottery),
    "tied": _compared(_same, _goals),
    "tied_unscored": _compared(_same, _goals),
    "below_few": _few,
    "below_few_unscored": _few,
    "full_few": _full_few,
    "full_few_unscored": _full_few,
    "no_seat": lambda n: [_("没有您可以用的席位。")],
    "cap_full": lambda n: [_full(n)],
    "class_closed": _shortfall,
    "class_alone": _shortfall,
    "class_few": lambda n: [
        _("没有开班。"),
        _("至少 %(least)s 人，最多能录 %(placed)s 人。", least=n["min_size"], placed=n["placed"]),
    ],
    "class_saves": lambda n: [
        _("没有开班。"), _("开了它，别的班就会不够人。"),
    ],
    "class_unopened": lambda n: [
        _("没有开班。"), _("至少 %(least)s 人，不开整体更好。", least=n["min_size"]),
    ],
    "no_consent": lambda n: [_("您没有同意调剂。")],
}  # fmt: skip
"""What is said of a choice that she would rather have had, and of how she was placed."""

TAIL: dict[str, Callable[[Numbers], list[Any]]] = {
    "tail_empty": lambda n: [
        _("您同意调剂（%(scope)s）。", scope=_scope(n)), _("范围内没有您可报的席位。"),
    ],
    "tail_exhausted": lambda n: [
        _("您同意调剂（%(scope)s）。", scope=_scope(n)),
        _("试了 %(n)s 个席位，都没有录上。", n=n["considered"]),
        _("录满 %(full)s，未开班 %(closed)s，到上限 %(cap)s。",
          full=n["full"], closed=n["closed"], cap=n["cap"]),
    ],
    "tail_outweighed": lambda n: [
        _("您同意调剂（%(scope)s）。", scope=_scope(n)),
        _("考虑了 %(n)s 个席位，会使整体变差。", n=n["considered"]),
    ],
    "tail_passed": lambda n: [
        _("您同意调剂（%(scope)s）。", scope=_scope(n)),
        _("前面 %(n)s 个席位没有录上。", n=n["considered"]),
    ],
}  # fmt: skip
"""What is said of adjustment."""

CHANGES: dict[str, Callable[[Numbers], Any]] = {
    "below_score": lambda n: _("成绩超过 %(last)s 分才进得去。", last=n["last_score"]),
    "cap_score": lambda n: _("成绩超过 %(last)s 分才进得去。", last=n["last_score"]),
    "below_unscored": lambda n: _("有成绩并超过 %(last)s 分才进得去。", last=n["last_score"]),
    "class_closed": lambda n: _("再有 %(n)s 人来，这个班才开。", n=n["shortfall"]),
    "class_alone": lambda n: _("再有 %(n)s 人来，这个班才开。", n=n["shortfall"]),
    "no_consent": lambda n: _("同意调剂，会多一些机会。"),
}
"""What would have changed it, where the numbers say so."""


def _scope(numbers: Numbers) -> str:
    return codes.word(codes.SCOPES, str(numbers.get("scope", "")))


PRICES: dict[str, Callable[[Any], Any]] = {
    "price_placed": lambda loss: _("安排您去，要少录取 %(n)s 人。", n=loss),
    "price_reserves": lambda loss: _("安排您去，预留席位少用 %(n)s 个。", n=loss),
    "price_rank": lambda loss: _("安排您去，全体志愿代价多 %(n)s。", n=loss),
    "price_rank_fewer": lambda loss: _("安排您去，志愿靠前的少 %(n)s 人。", n=loss),
    "price_rank_more": lambda loss: _("安排您去，志愿靠后的多 %(n)s 人。", n=loss),
    "price_fit": lambda loss: _("安排您去，契合度合计少 %(n)s。", n=loss),
    "price_confirmed": lambda loss: _("安排您去，%(n)s 个已确认的要变。", n=loss),
    "price_unmoved": lambda loss: _("安排您去，多 %(n)s 人改变去向。", n=loss),
    "price_none": lambda _loss: _("安排您去，整体方案不会更好。"),
    "price_even": lambda _loss: _("安排您去一样好，由摇号决定。"),
}
"""What is said of a choice where the plan as a whole decides."""


def _price(code: str, numbers: Numbers) -> Any:
    return PRICES[code](numbers.get("loss", ""))
