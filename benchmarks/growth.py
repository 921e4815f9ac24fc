"""Growth: seconds and memory of every mechanism against size, and the picture of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matcher import Market, Policy, Status, solve

from .city import Shape, city, policy
from .figures import Figure, Seconds, timed, weighed
from .instances import warm

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
PEOPLE_PER_CLASS = 35
CONSENT = {"without consent": 0, "consent 78 %": 78}
LIMIT_S = 60
"""What a search is given; beyond it the result is not proven."""


@dataclass(frozen=True)
class Curve:
    """A mechanism under some constraints, whose cost is followed over sizes.

    Parameters
    ----------
    mechanism, closure
        As in a policy.
    limits, minimum, marks
        As in a shape.
    asks
        What the round asks of it, in words.
    """

    mechanism: str
    asks: str
    limits: str = "nested"
    minimum: int = 60
    marks: int = 0
    closure: str = "sequential"

    def market(self, applicants: int, consent: int, seed: int) -> Market:
        """The city of a size."""
        classes = max(20, round(applicants / PEOPLE_PER_CLASS))
        limits, minimum, marks = self.limits, self.minimum, self.marks
        shape = Shape(applicants, classes, 1.3, consent, minimum, limits, seed, marks=marks)
        return city(shape).market()

    def policy(self) -> Policy:
        """Its rules; no search lasts for ever."""
        return policy(self.mechanism, self.closure, time_s=LIMIT_S)


CURVES = {
    "stable": Curve("stable", "reserves, nested caps, sequential closing"),
    "stable, exact": Curve("stable", "reserves, nested caps, exact closing", closure="exact"),
    "parallel": Curve("parallel", "reserves, nested caps, sequential closing"),
    "optimal": Curve("optimal", "every constraint", "all"),
    "optimal, seats only": Curve("optimal", "seats", "plain", 0),
    "max_placement": Curve("max_placement", "minimum sizes, 20 marks", "plain", marks=20),
}


def measure_growth(curve: str, consent: str, applicants: str, seed: str) -> list[Figure]:
    """Seconds and memory of one size."""
    drawn = CURVES[curve]
    market = drawn.market(int(applicants), CONSENT[consent], int(seed))
    warm()
    megabytes: Seconds = {}
    with weighed(megabytes, "memory"):
        result, spent = timed(lambda: solve(market, drawn.policy()))
    size = f"{int(applicants):,}"
    return [
        Figure(f"{size}: solve", spent),
        Figure(f"{size}: memory", megabytes["memory"], "MB"),
        Figure(f"{size}: pairs", len(market.program), "pairs"),
        Figure(f"{size}: proven", float(result.status is Status.OPTIMAL), ""),
    ]


Points = dict[str, list[tuple[int, float, float]]]
"""Per line of the picture: size, seconds, megabytes."""


def draw(points: Points, path: Path) -> None:
    """The picture of seconds and memory against size: the same points give the same bytes."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    settings: dict[Any, Any] = {
        "svg.hashsalt": "orderclass",
        "svg.fonttype": "none",
        "font.size": 9,
    }
    with pyplot.rc_context(settings):
        figure, panels = pyplot.subplots(1, 2, figsize=(12, 5), layout="constrained")
        names = list(dict.fromkeys(line.partition("; ")[0] for line in points))
        for line, found in points.items():
            name, _, how = line.partition("; ")
            look: dict[str, Any] = {
                "color": f"C{names.index(name)}",
                "linestyle": "--" if how.startswith("consent") else "-",
                "marker": "s" if how.endswith("fast") else ".",
                "markersize": 5,
                "label": line,
            }
            sizes = [size for size, _, _ in found]
            for panel, values in zip(panels, (1, 2), strict=True):
                panel.plot(sizes, [point[values] for point in found], **look)
        for panel, word in zip(
            panels, ("CPU seconds", "memory beyond the market, MB"), strict=True
        ):
            panel.set(xscale="log", yscale="log", xlabel="applicants", ylabel=word)
            panel.grid(alpha=0.3)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper", fontsize=8)
        figure.savefig(path, format="svg", metadata={"Date": None})
        pyplot.close(figure)
