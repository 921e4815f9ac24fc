"""What is measured: every named measurement, its group, and what it should reach."""

from __future__ import annotations

from dataclasses import dataclass

from .figures import NotMeasured
from .flows import DIRECT
from .growth import CONSENT, CURVES, SIZES
from .instances import CITIES, CONTESTS, DEMO, NESTED, PLAIN, PLAIN_DEMO, TIED
from .optimum import ALL, KERNEL, LIMITS, OURS, OURS_FAST, TWO

Step = tuple[str, ...]
"""A measurement of ``benchmarks.child``: module and kind, then its arguments but for the seed."""


@dataclass(frozen=True)
class Goal:
    """What the median of a figure should reach: at most a limit, or at least."""

    what: str
    limit: float
    unit: str = "s"
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Whether a figure reaches it."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}".strip()


@dataclass(frozen=True)
class Measurement:
    """Something to be measured.

    Parameters
    ----------
    group
        The table in which it stands.
    steps
        What is run, one process for each step.
    goals
        What it should reach.
    fast
        Whether the kernels of the extra ``fast`` may be used.
    runs
        Most runs, each on an instance of another seed.
    curve
        Whether the steps are sizes of one curve, which ends at the first that cannot be measured.
    """

    group: str
    steps: tuple[Step, ...]
    goals: tuple[Goal, ...] = ()
    fast: bool = False
    runs: int = 5
    curve: bool = False


PROVEN = Goal("proven", 1, "", at_least=True)
_IN_ALL = (Goal("in all", 8), Goal("verify", 5), Goal("peak memory", 500, "MB"))
FAST = ", fast"
"""At the end of a measurement's name: with the extra ``fast``."""


def one(group: str, step: Step, *goals: Goal, fast: bool = False, runs: int = 5) -> Measurement:
    """A measurement of one step."""
    return Measurement(group, (step,), goals, fast, runs)


def _rounds() -> dict[str, Measurement]:
    return {
        "demo, stable": one(
            "rounds", ("rounds.round", str(DEMO), "stable", "sequential"), *_IN_ALL
        ),
        "demo, optimal": one(
            "rounds", ("rounds.round", str(DEMO), "optimal", "sequential"), *_IN_ALL
        ),
        "demo without minimum sizes, optimal": one(
            "rounds", ("rounds.round", str(PLAIN_DEMO), "optimal", "sequential"), *_IN_ALL
        ),
        "200,000 x 5,000, 8 choices": one(
            "rounds",
            ("rounds.large",),
            Goal("construction", 6),
            Goal("deferred acceptance", 2),
        ),
    }


def _verified() -> dict[str, Measurement]:
    return {
        f"verify: {name}": one("verify", ("rounds.verify", name), *goals, runs=3)
        for name, goals in (
            ("20,000 x 300 x 8", (Goal("verify", 10),)),
            ("city 20,000 x 300", (Goal("verify", 10),)),
            ("city 20,000 x 300, consent 78 %", ()),
        )
    }


def _odds() -> dict[str, Measurement]:
    name, step = "odds: 10,000 x 300, 1,000 draws", ("rounds.odds", "1000")
    half = "draws, each of two processes"
    return {
        name: one("odds", step, Goal(half, 15), runs=3),
        name + FAST: one("odds", step, Goal(half, 2), fast=True, runs=3),
    }


_OPTIMAL = {"seats 1.0": 2, "seats 1.3": 8, "seats 1.5": 8}


def _optimal() -> dict[str, Measurement]:
    found = {
        "optimal: demo": one(
            "optimal", ("optimum.optimal", "demo", "120"), Goal("solve", 3), PROVEN
        )
    }
    for name in [*CITIES, *(name + NESTED for name in CITIES if "10,000" in name)]:
        goals, time_s = (Goal("solve", 300), Goal("gap of placed", 0.05, "%")), "300"
        if "10,000" in name:
            limit = next(most for seats, most in _OPTIMAL.items() if seats in name)
            goals, time_s = (Goal("solve", limit), PROVEN), "60"
        elif "50,000" in name:
            goals, time_s = (Goal("solve", 40), PROVEN), "120"
        found[f"optimal: {name}"] = one("optimal", ("optimum.optimal", name, time_s), *goals)
    return found


def _textbook() -> dict[str, Measurement]:
    """The textbook's model beside ours: HiGHS on every ratio, CP-SAT and consent on the middle one."""
    return {
        f"{peer}: {name}": one("textbook", ("optimum.openings", name, peer), runs=1)
        for name in CITIES
        for peer in LIMITS
        if "10,000" in name and ("1.3" in name or (peer == "HiGHS" and "consent" not in name))
    }


_TIMES_FAST = {"10,000": 2.5, "50,000": 6, "200,000": 8, "1,000,000": 6}


def _flows() -> dict[str, Measurement]:
    found = {}
    for name in PLAIN:
        goals = (
            Goal(f"{OURS + TWO} / {DIRECT}", 1.25, "times"),
            Goal(f"{OURS + ALL} / {DIRECT}", 2.5, "times"),
            *(
                Goal(f"{DIRECT} / {side}", _TIMES_FAST[name.split()[2]], "times", at_least=True)
                for side in (KERNEL, OURS_FAST + TWO)
            ),
            Goal(f"memory: {OURS_FAST + TWO} / {DIRECT}", 1, "times"),
        )
        steps = (("optimum.flow", name), ("optimum.flow_memory", name))
        found[f"flow: {name}"] = Measurement("flow", steps, goals)
    return found


def _assignments() -> dict[str, Measurement]:
    goals = tuple(
        Goal(f"fastest of the others / {ours}", limit, "times", at_least=True)
        for ours, limit in ((OURS + TWO, 5), (KERNEL, 15), (OURS_FAST + TWO, 15))
    )
    return {
        f"assignment: {name}": one("assignment", ("optimum.assignment", name), *goals, runs=3)
        for name in PLAIN
        if name.split()[2] == "10,000"
    }


def _stable() -> dict[str, Measurement]:
    goals = tuple(
        Goal(f"faster peer / {ours}", limit, "times", at_least=True)
        for ours, limit in ((OURS, 150), (OURS_FAST, 2_000))
    )
    return {
        name: one(
            "stable",
            ("stability.contest", name),
            *(goals if name.startswith("10,000") else ()),
            runs=3,
        )
        for name in CONTESTS
    }


def _largest() -> dict[str, Measurement]:
    name = "seats only, 1,000,000 x 28,000"
    step = ("stability.stable", name)
    return {
        f"stable: {name}": one("stable at size", step, Goal("solve", 6), runs=3),
        f"stable: {name}{FAST}": one("stable at size", step, fast=True, runs=3),
    }


def _closing() -> dict[str, Measurement]:
    found = {
        "exact closing: demo": one(
            "closing", ("stability.closing", "demo", "120"), Goal("solve", 30), PROVEN
        )
    }
    for line in ("", ", consent 78 %"):
        name = f"city 10,000 x 300, seats 1.3{line}{NESTED}"
        found[f"exact closing: {name}"] = one(
            "closing", ("stability.closing", name, "150"), Goal("solve", 120), PROVEN, runs=3
        )
    return found


def _greatest() -> dict[str, Measurement]:
    return {
        f"max_placement: {name}": one(
            "max_placement", ("stability.max_placement", name, "60"), runs=3
        )
        for name in TIED
    }


def _seats() -> dict[str, Measurement]:
    return {
        f"one more seat: {name}": one(
            "seats",
            ("seats.one_more", name),
            Goal("from scratch / median", limit, "times", at_least=True),
            fast=True,
        )
        for name, limit in (
            ("seats only, 10,000 x 300", 200),
            ("seats only, 10,000 x 300, consent 78 %", 200),
            ("seats only, 200,000 x 5,000", 10_000),
        )
    }


def _growth() -> dict[str, Measurement]:
    return {
        f"growth: {curve}; {consent}{FAST * fast}": Measurement(
            "growth",
            tuple(("growth.growth", curve, consent, str(size)) for size in SIZES),
            fast=fast,
            runs=1,
            curve=True,
        )
        for curve in CURVES
        for consent in CONSENT
        for fast in (False, True)
        if not fast or curve in ("stable", "optimal, seats only")
    }


MEASURES: dict[str, Measurement] = (
    _rounds() | _optimal() | _textbook() | _flows() | _assignments() | _stable() | _largest()
    | _closing() | _greatest() | _seats() | _odds() | _verified() | _growth()
)  # fmt: skip


def chosen(words: list[str]) -> list[str]:
    """The names of measurements that words select, each a name or a group; all for no words.

    Raises
    ------
    NotMeasured
        If a word is neither.
    """
    groups = list(dict.fromkeys(m.group for m in MEASURES.values()))
    unknown = [word for word in words if word not in MEASURES and word not in groups]
    if unknown:
        raise NotMeasured(f"no such measurement: {unknown}; there are the groups {groups}")
    return [name for name, m in MEASURES.items() if not words or name in words or m.group in words]
