"""The rules of a round as data: ``policy.toml`` read, checked and written."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from typing import Any, Self

from .tables import COMPONENTS, STUDY_FORMS, InvalidRound, Issue, Tables, decoded

MECHANISMS = ("stable", "parallel", "optimal", "max_placement")
OBJECTIVES = ("placed", "reserves", "rank", "fit")
ANY = "*"
ALWAYS_ENDS_S = 600
"""Seconds that ``max_placement`` has where the rules set no limit: there are rounds, not large ones, that
nobody can solve in a life-time."""
_MAX_DIGITS = 15
"""Numbers of a policy are as long as those of a cell: sums of them stay exact in 64 bits."""


@dataclass(frozen=True, slots=True)
class AgeRule:
    """Ages admitted for a group, study form and level (``*`` means every one of them).

    Ages from ``min`` to ``max`` are ordinary, up to ``relaxed_max`` relaxed (放宽); above
    ``needs_approval_above`` a person is admitted by an approval only.
    """

    group: str = ANY
    study_form: str = ANY
    level: str = ANY
    min: int | None = None
    max: int | None = None
    relaxed_max: int | None = None
    needs_approval_above: int | None = None
    basis: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """The three fields that select people and classes."""
        return self.group, self.study_form, self.level

    @property
    def precedence(self) -> tuple[int, bool, bool, bool]:
        """Greater wins: more fields named, then group before form before level."""
        group, study_form, level = (part != ANY for part in self.key)
        return group + study_form + level, group, study_form, level

    @property
    def upper(self) -> int | None:
        """The greatest age admitted, or None for no limit."""
        return self.max if self.max is None or self.relaxed_max is None else self.relaxed_max


@dataclass(frozen=True, slots=True)
class ScoreChannel:
    """An exam channel and the exact weight of each component in its composite score."""

    channel: str
    weights: tuple[tuple[str, Decimal], ...]


def _key(name: str, kind: str, default: Any, codes: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"key": name, "kind": kind, "codes": codes})


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one round.  Each field states its key in ``policy.toml``.

    Examples
    --------
    >>> Policy.from_toml(b'[mechanism]\\nname = "parallel"\\n').mechanism
    'parallel'
    """

    title: str = _key("policy.title", "str", "")
    status: str = _key("policy.status", "str", "")
    basis: tuple[str, ...] = _key("policy.basis", "strs", ())
    round: str = _key("policy.round", "str", "")
    demo: bool = _key("policy.demo", "bool", False)
    mechanism: str = _key("mechanism.name", "code", "stable", MECHANISMS)
    objective: tuple[str, ...] = _key("mechanism.objective", "codes", OBJECTIVES, OBJECTIVES)
    rank: str = _key("mechanism.rank", "code", "min_cost", ("min_cost", "rank_maximal", "generous"))
    rank_costs: tuple[int, ...] = _key("mechanism.rank_costs", "ints", ())
    closure: str = _key("mechanism.closure", "code", "exact", ("exact", "sequential"))
    reserve_order: str = _key(
        "mechanism.reserve_order", "code", "reserves_first", ("reserves_first", "open_first")
    )
    seed: str = _key("lottery.seed", "hex", "")
    time_s: int = _key("limits.time_s", "count", 0)
    memory_mb: int = _key("limits.memory_mb", "count", 0)
    max_choices: int = _key("preferences.max", "choices", 0)
    reference_date: str = _key("age.reference_date", "date", "")
    case_by_case: bool = _key("age.case_by_case", "bool", True)
    age_rules: tuple[AgeRule, ...] = _key("age_rule", "age_rules", ())
    min_internship_age: int = _key("work.min_internship_age", "count", 16)
    min_hire_age: int = _key("work.min_hire_age", "count", 16)
    minor_under: int = _key("work.minor_under", "count", 18)
    membership_date: str = _key("membership.date", "date", "")
    score_min: Decimal | None = _key("score.min", "decimal", None)
    score_max: Decimal | None = _key("score.max", "decimal", None)
    score_digits: int = _key("score.digits", "count", 2)
    score_absent: str = _key("score.absent", "code", "bar", ("bar", "zero"))
    pass_total: Decimal | None = _key("score.pass_total", "decimal", None)
    pass_interview: Decimal | None = _key("score.pass_interview", "decimal", None)
    tiebreak: tuple[str, ...] = _key("score.tiebreak", "codes", (), COMPONENTS)
    accept_ranks: bool = _key("score.accept_ranks", "bool", False)
    channels: tuple[ScoreChannel, ...] = _key("score_channel", "score_channels", ())
    fit_threshold: int | None = _key("report.fit_threshold", "int", None)
    key_industries: tuple[str, ...] = _key("report.key_industries", "strs", ())
    groups_of_interest: tuple[str, ...] = _key("report.groups_of_interest", "strs", ("G05", "G06"))

    @property
    def seconds(self) -> int:
        """How long the solver may take; 0 for as long as it needs."""
        return self.time_s or (ALWAYS_ENDS_S if self.mechanism == "max_placement" else 0)

    @classmethod
    def from_toml(cls, data: bytes) -> Self:
        """The policy that a ``policy.toml`` states; keys it does not state have their defaults.

        Raises
        ------
        InvalidRound
            With every key that is unknown or holds something else than it should.
        """
        issues: list[Issue] = []
        text = decoded(data, "policy", "policy.toml")
        try:
            document = tomllib.loads(text, parse_float=Decimal)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise InvalidRound([Issue("policy", 0, "", "toml_syntax", str(error))]) from None
        given = _flatten(document, issues)
        values = {}
        for declared in fields(cls):
            key = declared.metadata["key"]
            if key in given:
                value = given.pop(key)
                parsed = _PARSERS[declared.metadata["kind"]](value, declared.metadata["codes"])
                if parsed is None:
                    limit = " ".join(declared.metadata["codes"]) or declared.metadata["kind"]
                    issues.append(Issue("policy", 0, key, "policy_value", _show(value), limit))
                else:
                    values[declared.name] = parsed
        issues += [Issue("policy", 0, key, "unknown_key", key) for key in sorted(given)]
        policy = cls(**values)
        issues += _contradictions(policy)
        if issues:
            raise InvalidRound(issues)
        return policy

    @classmethod
    def from_tables(cls, tables: Tables) -> Self:
        """The policy of a round."""
        return cls.from_toml(tables.policy)

    def to_toml(self) -> str:
        """The policy as TOML that reads back equal; fields at their defaults are left out."""
        sections: dict[str, list[str]] = {}
        tail = []
        for declared in fields(self):
            value = getattr(self, declared.name)
            section, _, key = declared.metadata["key"].partition(".")
            if declared.metadata["kind"] == "age_rules":
                tail += [_table("age_rule", _members(rule)) for rule in value]
            elif declared.metadata["kind"] == "score_channels":
                tail += [
                    _table("score_channel", [("channel", c.channel), *c.weights]) for c in value
                ]
            elif value != declared.default:
                sections.setdefault(section, []).append(f"{key} = {_literal(value)}")
        head = ["\n".join([f"[{name}]", *lines]) + "\n" for name, lines in sections.items()]
        return "\n".join(head + tail)

    def weights(self, channel: str) -> tuple[tuple[str, Decimal], ...]:
        """Components and weights of a channel; empty where the policy does not declare it."""
        return next((c.weights for c in self.channels if c.channel == channel), ())


def _flatten(document: dict[str, Any], issues: list[Issue]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    known = {f.metadata["key"].partition(".")[0] for f in fields(Policy)}
    for section, value in document.items():
        if section not in known:
            issues.append(Issue("policy", 0, section, "unknown_key", section))
        elif section in ("age_rule", "score_channel"):
            flat[section] = _rows(section, value, issues)
        elif isinstance(value, dict):
            flat |= {f"{section}.{key}": entry for key, entry in value.items()}
        else:
            issues.append(Issue("policy", 0, section, "unknown_key", section))
    return flat


def _rows(section: str, value: Any, issues: list[Issue]) -> Any:
    allowed = {f.name for f in fields(AgeRule)} if section == "age_rule" else set()
    allowed |= {"channel", *COMPONENTS} if section == "score_channel" else set()
    if not isinstance(value, list):
        return value
    for at, row in enumerate(value, start=1):
        for key in sorted(set(row if isinstance(row, dict) else ()) - allowed):
            issues.append(Issue("policy", at, f"{section}.{key}", "unknown_key", key))
    return [
        {k: v for k, v in row.items() if k in allowed} if isinstance(row, dict) else row
        for row in value
    ]


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _int(value: Any, _: object = ()) -> int | None:
    return value if _is_int(value) and abs(value) < 10**_MAX_DIGITS else None


def _count(value: Any, _: object = ()) -> int | None:
    number = _int(value)
    return number if number is not None and number >= 0 else None


def _choices(value: Any, _: object = ()) -> int | None:
    return value if _is_int(value) and 0 <= value <= 1000 else None


def _str(value: Any, _: object = ()) -> str | None:
    return value if isinstance(value, str) else None


def _strs(value: Any, _: object = ()) -> tuple[str, ...] | None:
    good = isinstance(value, list) and all(isinstance(v, str) for v in value)
    return tuple(value) if good else None


def _bool(value: Any, _: object = ()) -> bool | None:
    return value if isinstance(value, bool) else None


def _code(value: Any, codes: tuple[str, ...]) -> str | None:
    return value if isinstance(value, str) and value in codes else None


def _codes(value: Any, codes: tuple[str, ...]) -> tuple[str, ...] | None:
    found = _strs(value)
    good = found is not None and set(found) <= set(codes) and len(set(found)) == len(found)
    return found if good else None


def _ints(value: Any, _: object = ()) -> tuple[int, ...] | None:
    good = isinstance(value, list) and all(_int(v) is not None for v in value)
    return tuple(value) if good else None


def _decimal(value: Any, _: object = ()) -> Decimal | None:
    number = Decimal(value) if _is_int(value) else value
    if not isinstance(number, Decimal) or not number.is_finite():
        return None
    places = max(0, -int(number.as_tuple().exponent))
    whole = max(1, number.adjusted() + 1)
    return number if places + whole <= _MAX_DIGITS else None


def _hex(value: Any, _: object = ()) -> str | None:
    try:
        bytes.fromhex(value)
    except (TypeError, ValueError):
        return None
    return value if value and value.isascii() and value.isalnum() else None


def _date(value: Any, _: object = ()) -> str | None:
    try:
        parsed = value if type(value) is date else date.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    text = parsed.isoformat()
    return text if type(value) is date or value == text else None


def _age_rules(value: Any, _: object = ()) -> tuple[AgeRule, ...] | None:
    if not isinstance(value, list):
        return None
    rules = []
    for row in value:
        if not isinstance(row, dict):
            return None
        texts = {
            k: _str(v) for k, v in row.items() if k in ("group", "study_form", "level", "basis")
        }
        ages = {k: _count(v) for k, v in row.items() if k not in texts}
        if None in texts.values() or None in ages.values():
            return None
        if "" in (texts.get(k) for k in ("group", "study_form", "level")):
            return None
        if texts.get("study_form", ANY) not in (ANY, *STUDY_FORMS):
            return None
        rules.append(AgeRule(**texts, **ages))  # type: ignore[arg-type]
    return tuple(rules)


def _score_channels(value: Any, _: object = ()) -> tuple[ScoreChannel, ...] | None:
    if not isinstance(value, list):
        return None
    channels = []
    for row in value:
        if not isinstance(row, dict) or not _str(row.get("channel")):
            return None
        weights = [(c, _decimal(row[c])) for c in COMPONENTS if c in row]
        exact = tuple((c, w) for c, w in weights if w is not None and w >= 0)
        if len(exact) < len(weights):
            return None
        channels.append(ScoreChannel(row["channel"], tuple((c, w) for c, w in exact if w)))
    return tuple(channels)


_PARSERS: dict[str, Callable[[Any, tuple[str, ...]], Any]] = {
    "str": _str, "strs": _strs, "bool": _bool, "code": _code, "codes": _codes, "ints": _ints,
    "int": _int, "count": _count, "choices": _choices, "decimal": _decimal, "hex": _hex,
    "date": _date, "age_rules": _age_rules, "score_channels": _score_channels,
}  # fmt: skip


def _contradictions(policy: Policy) -> Iterable[Issue]:
    """What each key alone allows but the keys together do not."""

    def issue(key: str, code: str, value: object, limit: object = "") -> Issue:
        return Issue("policy", 0, key, code, str(value), str(limit))

    order = policy.objective
    if "rank" in order and "placed" not in order[: order.index("rank")]:
        yield issue("mechanism.objective", "rank_before_placed", " ".join(order))
    if (
        list(policy.rank_costs) != sorted(policy.rank_costs)
        or min(policy.rank_costs, default=0) < 0
    ):
        yield issue("mechanism.rank_costs", "rank_costs_decrease", list(policy.rank_costs))
    if any(ord(c) < 32 or c in "|;" or ord(c) == 127 for c in policy.round):
        yield issue("policy.round", "forbidden_character", policy.round)
    if policy.age_rules and not policy.reference_date:
        yield issue("age.reference_date", "missing_key", "")
    keys = [rule.key for rule in policy.age_rules]
    for key in sorted({k for k in keys if keys.count(k) > 1}):
        yield issue("age_rule", "duplicate_age_rule", " ".join(key))
    for rule in policy.age_rules:
        if rule.relaxed_max is not None and (rule.max is None or rule.relaxed_max < rule.max):
            yield issue("age_rule", "relaxed_below_max", rule.relaxed_max, rule.max)
        if rule.min is not None and rule.upper is not None and rule.upper < rule.min:
            yield issue("age_rule", "max_below_min", rule.upper, rule.min)
    names = [c.channel for c in policy.channels]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield issue("score_channel", "duplicate_channel", name)
    for channel in policy.channels:
        total = sum((w for _, w in channel.weights), Decimal(0))
        if total != 1:
            yield issue("score_channel", "weights_sum", f"{channel.channel}: {total}", "1")
    if policy.score_digits > 6:
        yield issue("score.digits", "policy_value", policy.score_digits, "0 … 6")
    low, high = policy.score_min, policy.score_max
    if low is not None and high is not None and high < low:
        yield issue("score.max", "max_below_min", high, low)


def _show(value: object) -> str:
    return value if isinstance(value, str) else str(value)[:80]


def _members(rule: AgeRule) -> list[tuple[str, Any]]:
    return [
        (f.name, getattr(rule, f.name)) for f in fields(rule) if getattr(rule, f.name) != f.default
    ]


def _table(name: str, members: Iterable[tuple[str, Any]]) -> str:
    return "\n".join([f"[[{name}]]", *(f"{k} = {_literal(v)}" for k, v in members)]) + "\n"


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_literal(v) for v in value) + "]"
    escaped = "".join(
        f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else "\\" + c if c in '"\\' else c
        for c in value
    )
    return f'"{escaped}"'
