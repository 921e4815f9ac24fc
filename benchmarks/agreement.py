"""Do others agree?  ``python -m benchmarks.agreement [MARKETS [SECONDS]]``.

Markets of middling size with every constraint at once are solved by ``optimal`` and, from the textbook's
model, by HiGHS, CP-SAT and SCIP, objective after objective.  Whoever finishes must agree in every value.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from matcher import Status, solve
from matcher.market import Market
from matcher.policy import Policy

from .city import Shape, city, policy
from .model import objective, textbook
from .solvers import SOLVERS, in_order

OBJECTIVES = (
    ("placed", "reserves", "rank", "fit"),
    ("placed", "rank", "reserves", "fit"),
    ("reserves", "placed", "rank", "fit"),
    ("placed", "fit", "rank"),
    ("fit", "placed", "rank", "reserves"),
)

LIMIT_S = 60
"""Seconds after which ``optimal`` has not come to an end."""


@dataclass(frozen=True)
class Question:
    """A market and the rules under which it is to be placed."""

    number: int
    shape: Shape
    rules: Policy

    def market(self) -> Market:
        """The market."""
        return city(self.shape).market()


def question(number: int) -> Question:
    """Question of a number: 40 to 200 people, always the same."""
    rng = np.random.default_rng([number, 11])
    people = int(rng.integers(40, 201))
    shape = Shape(
        applicants=people,
        classes=int(rng.integers(max(4, people // 30), max(7, people // 10))),
        seats=float(rng.choice([0.8, 1.0, 1.3, 1.5])),
        consent=int(rng.choice([0, 78])),
        minimum=int(rng.choice([40, 60, 80])),
        limits="all",
        seed=number,
        college=3,
        channels=((2,), (0, 2), (0, 1, 2, 3, 4, 5))[int(rng.integers(3))],
    )
    rules = replace(
        policy("optimal", time_s=LIMIT_S),
        objective=OBJECTIVES[int(rng.integers(len(OBJECTIVES)))],
        rank=("min_cost", "rank_maximal", "generous")[int(rng.integers(3))],
    )
    return Question(number, shape, rules)


def ours(asked: Question) -> tuple[int, ...] | None:
    """The values of ``optimal``, lottery apart; None where it does not come to an end."""
    result = solve(asked.market(), asked.rules)
    values = zip(result.components, result.objective, strict=True)
    found = tuple(value for name, value in values if not name.startswith("lottery"))
    return found if result.status is Status.OPTIMAL else None


def theirs(asked: Question, name: str, time_s: float) -> tuple[int, ...] | None:
    """The values that another solver finds; None where it does not finish."""
    market = asked.market()
    model, fills = textbook(market, soft="reserves" in asked.rules.objective)
    parts = objective(market, asked.rules, model, fills)
    return in_order(model, parts, SOLVERS[name], time_s)


def main() -> None:
    """Ask so many questions; tell who finished, and every disagreement."""
    markets, seconds = [*map(int, sys.argv[1:]), *(500, 5)[len(sys.argv) - 1 :]]
    finished: Counter[str] = Counter()
    wrong = 0
    for number in range(markets):
        asked = question(number)
        mine = ours(asked)
        finished["optimal"] += mine is not None
        for name in SOLVERS:
            answer = theirs(asked, name, seconds)
            finished[name] += answer is not None
            if None not in (answer, mine) and answer != mine:
                wrong += 1
                print(f"{asked}: {name} {answer}, optimal {mine}", flush=True)
        if number % 20 == 19:
            print(f"{number + 1} of {markets}: finished {dict(finished)}", flush=True)
    print(f"{markets} markets, {wrong} disagreements; finished {dict(finished)}")
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()
