"""Random tiny markets for the oracle, with every constraint mixed in."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tests.instances import Cap, Instance, OrderClass, Person, Program, Row, Rules

APPLICANT_IDS = ("A1", "A10", "A2", "B", "a", "甲")
PROGRAM_IDS = ("P1", "P10", "P2", "乙")
GROUPS = ("G1", "G2", "G3")
OBJECTIVES = (
    ("placed", "reserves", "rank", "fit"),
    ("placed", "rank", "reserves", "fit"),
    ("placed", "rank", "fit"),
    ("placed", "fit", "rank"),
    ("reserves", "placed", "rank", "fit"),
    ("fit", "placed", "rank", "reserves"),
    ("placed", "reserves"),
    ("placed",),
    (),
)


def random_instance(
    rng: Random,
    mechanism: str = "stable",
    people: int = 6,
    programs: int = 3,
    *,
    minimums: bool = True,
    caps: bool = True,
    closure: str = "sequential",
    decrees: bool = False,
    crossing: bool = False,
    scarce: bool = False,
) -> Instance:
    """A market with at most these many people and programs, all constraints mixed.

    With `scarce` every class has a minimum of two or three, so that many fall short.
    With `decrees` some classes must open and some reserves must be filled; that may be impossible.
    `parallel` has channels and no scores by program; `optimal` no open seats before the reserved;
    `max_placement` neither reserves nor caps.
    """
    plain = mechanism == "max_placement"
    class_list, program_list = _plan(rng, _mostly(rng, programs), mechanism, minimums)
    people_list = _people(rng, _mostly(rng, people), class_list, program_list)
    rules = _rules(rng, mechanism, max(len(p.entries) for p in people_list))
    made = Instance(
        people=people_list,
        programs=program_list,
        classes=class_list,
        scores=_scores(rng, people_list, program_list, mechanism),
        rejected=_rejected(rng, people_list, class_list, program_list),
        reserves={} if plain else _reserves(rng, program_list),
        caps=_caps(rng, class_list, program_list, crossing) if caps and not plain else (),
        rules=replace(rules, closure=closure),
    )
    made = _scarce(rng, made) if scarce else made
    return _decreed(rng, made) if decrees else made


def _scarce(rng: Random, instance: Instance) -> Instance:
    """The market with a minimum of two or three at each class that has as many seats."""
    seats = dict.fromkeys((c.id for c in instance.classes), 0)
    for program in instance.programs:
        seats[program.order_class] = seats.get(program.order_class, 0) + program.capacity
    least = (min(seats[c.id], rng.choice((2, 2, 3))) for c in instance.classes)
    classes = (replace(c, min_size=n) for c, n in zip(instance.classes, least, strict=True))
    return replace(instance, classes=tuple(classes))


def _decreed(rng: Random, instance: Instance) -> Instance:
    """The market with some classes that must open and some reserves that must be filled."""
    classes = (replace(c, must_open=rng.random() < 0.3) for c in instance.classes)
    must = (key for key, seats in instance.reserves.items() if seats and rng.random() < 0.5)
    return replace(instance, classes=tuple(classes), must_fill=frozenset(must))


def _mostly(rng: Random, most: int) -> int:
    """A number from 1 to the greatest, the greater the likelier."""
    return max(rng.randint(1, most), rng.randint(1, most))


def _maybe(rng: Random, share: float, value: str) -> str:
    return value if rng.random() < share else ""


def _plan_order(rng: Random) -> int | None:
    return rng.choice((None, 1, 2, 2, 10))


def _plan(
    rng: Random, number: int, mechanism: str, minimums: bool
) -> tuple[tuple[OrderClass, ...], tuple[Program, ...]]:
    """Classes with random attributes and programs in them, some programs in none."""
    classes = [
        OrderClass(
            id=f"C{k}",
            min_size=rng.choice((0, 0, 1, 2, 2, 3)) if minimums else 0,
            college=_maybe(rng, 0.7, rng.choice(("K1", "K2"))),
            industry=_maybe(rng, 0.7, rng.choice(("I1", "I2"))),
            district=_maybe(rng, 0.7, rng.choice(("370102", "370103"))),
            plan_order=_plan_order(rng),
        )
        for k in range(number)
    ]
    channels = ("CH1",) if rng.random() < 0.5 else ("CH1", "CH2")
    if mechanism != "parallel":
        channels = ("",) if rng.random() < 0.6 else ("", "CH1")
    programs = tuple(
        Program(
            id=identity,
            capacity=rng.choice((0, 1, 1, 2, 2, 2, 3, 4)),
            order_class=_maybe(rng, 0.9, rng.choice(classes).id),
            enterprise=_maybe(rng, 0.8, rng.choice(("E1", "E2"))),
            channel=rng.choice(channels),
            plan_order=_plan_order(rng),
        )
        for identity in rng.sample(PROGRAM_IDS, number)
    )
    seats = {c.id: sum(p.capacity for p in programs if p.order_class == c.id) for c in classes}
    used = {p.order_class for p in programs}
    return tuple(
        replace(c, min_size=min(c.min_size, seats[c.id])) for c in classes if c.id in used
    ), programs


def _people(
    rng: Random,
    number: int,
    classes: tuple[OrderClass, ...],
    programs: tuple[Program, ...],
) -> tuple[Person, ...]:
    joint = [c.id for c in classes if rng.random() < 0.4]
    scopes = ("", "", "none", "college", "industry", "district", "alliance", "alliance")
    class_of = {p.id: p.order_class or p.id for p in programs} | {c.id: c.id for c in classes}
    made = []
    for identity in rng.sample(APPLICANT_IDS, number):
        targets = [p.id for p in programs] + joint
        shortest = rng.choice((0, 1, 1, 2))
        length = min(len(targets), max(shortest, rng.randint(0, len(targets)) - rng.randint(0, 1)))
        entries = tuple(rng.sample(targets, length))
        unlisted = sorted(set(class_of.values()) - {class_of[entry] for entry in entries})
        made.append(
            Person(
                id=identity,
                entries=entries,
                groups=tuple(sorted(rng.sample(GROUPS, rng.choice((0, 0, 1, 1, 2, 3))))),
                adjustment=rng.choice(scopes),
                not_accepted=tuple(c for c in unlisted if rng.random() < 0.3),
            )
        )
    return tuple(made)


def _row(rng: Random, ties: int) -> Row:
    marks = ("", "1", "2", "2", "2.5", "3")
    return Row(
        score=rng.choice(marks),
        ties=tuple(rng.choice(("", "0", "1", "10")) for _ in range(ties)),
        fit=rng.choice(("", "0", "1", "2", "5")),
    )


def _scores(
    rng: Random,
    people: tuple[Person, ...],
    programs: tuple[Program, ...],
    mechanism: str,
) -> dict[tuple[str, str, str], Row]:
    """Rows by program (but for `parallel`) and by channel, each there more often than not."""
    ties = rng.choice((0, 0, 1, 2))
    channels = sorted({p.channel for p in programs} - {""})
    scores = {}
    for person in people:
        for channel in channels:
            if rng.random() < 0.8:
                scores[person.id, "channel", channel] = _row(rng, ties)
        for program in programs:
            if mechanism != "parallel" and rng.random() < 0.7:
                scores[person.id, "program", program.id] = _row(rng, ties)
    return scores


def _rejected(
    rng: Random,
    people: tuple[Person, ...],
    classes: tuple[OrderClass, ...],
    programs: tuple[Program, ...],
) -> frozenset[tuple[str, str]]:
    if rng.random() < 0.4:
        return frozenset()
    return frozenset(
        (person.id, program.id) for person in people for program in programs if rng.random() < 0.1
    )


def _reserves(rng: Random, programs: tuple[Program, ...]) -> dict[tuple[str, str, bool], int]:
    """Reserves within the capacity, overlapping and of both kinds."""
    reserves: dict[tuple[str, str, bool], int] = {}
    for program in programs:
        left = program.capacity if rng.random() < 0.6 else 0
        for _ in range(rng.randint(0, 3)):
            key = (program.id, rng.choice(GROUPS), rng.random() < 0.4)
            if key not in reserves:
                reserves[key] = rng.randint(0, left)
                left -= reserves[key]
    return reserves


def _caps(
    rng: Random, classes: tuple[OrderClass, ...], programs: tuple[Program, ...], crossing: bool
) -> tuple[Cap, ...]:
    """Up to three caps, every two of them nested or apart unless they may cross."""
    colleges = {c.id: c.college for c in classes}
    kept: dict[str, tuple[Cap, frozenset[str]]] = {}
    for identity in rng.sample(("S1", "S2", "S3"), rng.choice((0, 0, 1, 2, 3))):
        kind = rng.choice(("college", "enterprise", "programs", "programs"))
        belongs = {p.id: colleges.get(p.order_class, "") for p in programs}
        if kind == "enterprise":
            belongs = {p.id: p.enterprise for p in programs}
        if kind == "programs":
            ids = sorted(belongs)
            value = tuple(rng.sample(ids, rng.randint(1, len(ids))))
            covered = frozenset(value)
        else:
            value = (rng.choice(sorted(belongs.values())),)
            covered = frozenset(p for p, owner in belongs.items() if owner == value[0])
        nested = all(covered <= s or s <= covered or not covered & s for _, s in kept.values())
        if value[0] and (nested or crossing):
            kept[identity] = Cap(identity, rng.randint(0, 4), kind, value), covered
    return tuple(cap for cap, _ in kept.values())


def _rules(rng: Random, mechanism: str, longest: int) -> Rules:
    costs = sorted(rng.randint(0, 5) for _ in range(max(longest, 1)))
    reserve_order = "reserves_first"
    if mechanism != "optimal" and rng.random() < 0.4:
        reserve_order = "open_first"
    return Rules(
        mechanism=mechanism,
        objective=rng.choice(OBJECTIVES),
        rank=rng.choice(("min_cost", "rank_maximal", "generous")),
        rank_costs=tuple(costs) if rng.random() < 0.3 else (),
        reserve_order=reserve_order,
        max_entries=rng.choice((0, longest, max(6, longest))) if longest else 0,
        round=rng.choice(("", "2025秋-1")),
        seed=rng.randbytes(8).hex(),
    )
