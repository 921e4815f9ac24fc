"""The oracle: every mechanism by its definition, on markets small enough to enumerate.

It shares nothing with `matcher`. A market is an `Instance` of plain values (`instances.py`); an
`Oracle` answers what the outcome must be, by going through all the subsets, assignments or orders
that the definition speaks of. `random_markets.py` makes such instances.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from tests.choices import Choices, lottery, most_filled, tie_weights

Placement = dict[str, str | None]
Vector = tuple[int, ...]


@dataclass(frozen=True)
class Outcome:
    """Who goes where, the classes left open, and the closing step by step.

    A step is (class, placed, minimum, shortfall).
    """

    placement: Placement
    open_classes: frozenset[str]
    closing: tuple[tuple[str, int, int, int], ...] = ()


@dataclass(frozen=True)
class Threshold:
    """The last person chosen at a stage (None where nobody is), its state, and the full cap."""

    state: str
    cap: str
    last: str | None


class Oracle(Choices):
    """All the answers about one instance, by definition."""

    kept: Mapping[tuple[str, str], bool] = {}
    """Earlier placements that are to be kept, and whether each has been accepted."""

    # stable

    def preferred(self, applicant: str, open_classes: frozenset[str]) -> list[str]:
        """Her list and tail at the open classes."""
        return [p for p in self.rank[applicant] if self.class_of[p] in open_classes]

    def deferred_acceptance(self, open_classes: frozenset[str]) -> Placement:
        """One proposal at a time: somebody without a seat goes to her next program."""
        lists = {i: self.preferred(i, open_classes) for i in self.people}
        held: dict[str, str] = {}
        while waiting := [i for i in self.people if i not in held and lists[i]]:
            offers = held | {waiting[0]: lists[waiting[0]].pop(0)}
            held = self.choose_everywhere(_by_program(offers))
        return {i: held.get(i) for i in self.people}

    def assignments(self, open_classes: frozenset[str]) -> Iterator[Placement]:
        """Every placement within lists and tails, capacities, caps and hard reserves."""
        people = list(self.people)
        options = [[*self.preferred(i, open_classes), None] for i in people]
        limits = {p: [p, *(f"cap {c}" for c in self.caps_over([p]))] for p in self.programs}

        def extend(start: int, free: dict[str, int], made: Placement) -> Iterator[Placement]:
            if start == len(people):
                yield dict(made)
                return
            for program in options[start]:
                made[people[start]] = program
                over = limits[program] if program else []
                if all(free[limit] for limit in over):
                    less = free | {limit: free[limit] - 1 for limit in over}
                    yield from extend(start + 1, less, made)

        seats = {p: program.capacity for p, program in self.programs.items()}
        seats |= {f"cap {c}": number for c, number in self.cap_seats.items()}
        return filter(self._keeps_all_hard_seats, extend(0, seats, {}))

    def _keeps_all_hard_seats(self, placement: Placement) -> bool:
        hard = {p for p, seats in self.seats.items() if seats[True]}
        return all(self._keeps_hard_seats(p, _held(placement, p)) for p in hard)

    def _keeps_hard_seats(self, program: str, people: frozenset[str]) -> bool:
        hard = self.seats[program][True]
        filled = most_filled((self.groups[i] for i in people), hard)
        return len(people) <= self.programs[program].capacity - sum(hard.values()) + filled

    def envies(self, applicant: str, program: str, placement: Placement) -> bool:
        """The choice at the program alone would take her in the place of somebody."""
        held = _held(placement, program)
        chosen = {i for i, _ in self.choice(program, held | {applicant})}
        return applicant in chosen and not held <= chosen

    def wastes(self, applicant: str, program: str, placement: Placement) -> bool:
        """The program could take her beside all it holds, and no cap over it is full."""
        held = _held(placement, program)
        chosen = {i for i, _ in self.choice(program, held | {applicant})}
        return held | {applicant} == chosen and not self.full_cap(program, placement)

    def full_cap(self, program: str, placement: Placement) -> str:
        """The innermost full cap over the program, if any."""
        for cap in self.caps_over([program]):
            covered = self.cap_sets[cap]
            if sum(p in covered for p in placement.values()) >= self.cap_seats[cap]:
                return cap
        return ""

    def blocking(
        self, placement: Placement, open_classes: frozenset[str]
    ) -> list[tuple[str, str, str]]:
        """Every (applicant, program, "envy" or "waste")."""
        found = []
        for i in self.people:
            for p in self.preferred(i, open_classes):
                if p == placement[i]:
                    break
                if self.envies(i, p, placement):
                    found.append((i, p, "envy"))
                if self.wastes(i, p, placement):
                    found.append((i, p, "waste"))
        return found

    def is_stable(self, placement: Placement, open_classes: frozenset[str]) -> bool:
        """Programs choose all they hold, nobody envies with reason, no seat is wasted."""
        held = _by_program(placement)
        if any(len(self.choice(p, people)) < len(people) for p, people in held.items()):
            return False
        return not self.blocking(placement, open_classes)

    def best_stable(self, open_classes: frozenset[str]) -> Placement:
        """The stable placement that every applicant likes as well as any other one."""
        stable = [a for a in self.assignments(open_classes) if self.is_stable(a, open_classes)]
        lists = {i: [*self.preferred(i, open_classes), None] for i in self.people}
        best = {i: min((a[i] for a in stable), key=lists[i].index) for i in self.people}
        if best not in stable:
            raise AssertionError("no stable placement is best for everybody")
        return best

    def run(self, open_classes: frozenset[str]) -> Placement:
        """Applicant-proposing deferred acceptance at the open classes."""
        if self.instance.caps:
            return self.deferred_acceptance(open_classes)
        return self.best_stable(open_classes)

    # which classes open

    def placed_in(self, placement: Placement, order_class: str) -> int:
        """The people in a class."""
        return sum(p is not None and self.class_of[p] == order_class for p in placement.values())

    def short(self, placement: Placement, open_classes: frozenset[str]) -> dict[str, int]:
        """The open classes below a minimum above 1, with how many are missing."""
        missing = {
            c: self.classes[c].min_size - self.placed_in(placement, c)
            for c in open_classes
            if self.classes[c].min_size > 1
        }
        return {c: number for c, number in missing.items() if number > 0}

    def sequential(self, run: Callable[[frozenset[str]], Placement] | None = None) -> Outcome:
        """Close the class that misses most, the later in plan order where equal, and run again."""
        run = run or self.run
        still_open, steps = frozenset(self.classes), []
        while short := self.short(placement := run(still_open), still_open):
            worst = max(short, key=lambda c: (short[c], self.class_order.index(c)))
            minimum = self.classes[worst].min_size
            steps.append((worst, minimum - short[worst], minimum, short[worst]))
            still_open -= {worst}
        return Outcome(placement, still_open, tuple(steps))

    def exact(self) -> Outcome:
        """The best of the maximal sets of classes whose run leaves none short."""
        runs = {subset: self.run(subset) for subset in self._opening_sets()}
        kept = {s for s, placement in runs.items() if not self.short(placement, s)}
        maximal = [s for s in kept if not any(s | {c} in kept for c in set(self.classes) - s)]
        everything = runs[frozenset(self.classes)]
        met = set(self.classes) - self.short(everything, frozenset(self.classes)).keys()

        def merit(subset: frozenset[str]) -> tuple[Any, ...]:
            placement = runs[subset]
            return (
                sum(p is not None for p in placement.values()),
                self.reserves_filled(placement),
                -sum(self.rank_cost(i, p) for i, p in placement.items() if p is not None),
                len(subset),
                -len(met - subset),
                [c in subset for c in self.class_order],
            )

        best = max(maximal, key=merit)
        return Outcome(runs[best], best)

    def _opening_sets(self) -> Iterator[frozenset[str]]:
        """A class with a minimum of at most 1 is never closed."""
        always = frozenset(c for c in self.classes if self.classes[c].min_size <= 1)
        rest = sorted(set(self.classes) - always)
        for size in range(len(rest) + 1):
            yield from (always | set(some) for some in itertools.combinations(rest, size))

    # the queue

    def serial_dictatorship(self) -> Placement:
        """In queue order, each takes the best seat left on her list.

        For rounds without reserves, caps, adjustment and minimum sizes, where nobody has scores
        in two channels.
        """
        free = {p: program.capacity for p, program in self.programs.items()}
        placement: Placement = dict.fromkeys(self.people)
        for channel in {program.channel for program in self.instance.programs}:
            mine = [p for p in self.programs if self.programs[p].channel == channel]
            queue = sorted(
                {i for p in mine for i in self.priority[p]},
                key=lambda i: (self._queue_key(i, channel), lottery(self.rules, i)),
            )
            for i in queue:
                placement[i] = next((p for p in self.rank[i] if free[p]), None)
                if placement[i] is not None:
                    free[placement[i] or ""] -= 1
        return placement

    def _queue_key(self, applicant: str, channel: str) -> list[tuple[bool, Decimal]]:
        row = self.instance.scores[applicant, "channel", channel]
        return [(cell == "", -Decimal(cell or 0)) for cell in (row.score, *row.ties)]

    # objectives

    def reserves_filled(self, placement: Placement) -> int:
        """The greatest number of reserved seats, hard and soft, that the people there can fill."""
        total = 0
        for program, people in _by_program(placement).items():
            kinds = self.seats[program].items()
            seats = {f"{hard}:{g}": n for hard, given in kinds for g, n in given.items()}
            groups = (
                frozenset(f"{hard}:{g}" for hard, _ in kinds for g in self.groups[i])
                for i in people
            )
            total += most_filled(groups, seats)
        return total

    def greatest_rank(self) -> int:
        """The greatest rank in the round's applications."""
        return max((len(p.entries) for p in self.instance.people), default=0)

    def rank_cost(self, applicant: str, program: str) -> int:
        """The cost of the rank of a pair."""
        rank = self.rank[applicant][program]
        if rank == 0:
            return max(self.rules.max_entries, self.greatest_rank())
        return self.rules.rank_costs[rank - 1] if self.rules.rank_costs else rank - 1

    def components(self) -> list[str]:
        """The names of the objective's components, the lottery left out."""
        greatest = self.greatest_rank()
        ranks = [f"rank_{r}" for r in range(1, greatest + 1)]
        meaning = {
            "min_cost": ["rank"],
            "rank_maximal": [*ranks, "rank_0"],
            "generous": ["rank_0", *reversed(ranks)],
        }[self.rules.rank]
        return [n for name in self.rules.objective for n in (meaning if name == "rank" else [name])]

    def pair_value(self, name: str, applicant: str, program: str) -> int:
        """What a pair adds to a component."""
        if name == "placed":
            return 1
        if name == "unmoved":
            return int((applicant, program) in self.kept)
        if name == "confirmed":
            return int(self.kept.get((applicant, program), False))
        if name == "fit":
            return self.fit(applicant, program)
        if name == "rank":
            return -self.rank_cost(applicant, program)
        if name.startswith("lottery_"):
            return tie_weights(self.rules, applicant, program)[int(name[-1]) - 1]
        if name.startswith("rank_"):
            hit = self.rank[applicant][program] == int(name.removeprefix("rank_"))
            return -int(hit) if self.rules.rank == "generous" else int(hit)
        return 0

    def objective(self, placement: Placement, names: Sequence[str] | None = None) -> Vector:
        """The value of each component, all to be made as large as possible."""
        pairs = [(i, p) for i, p in placement.items() if p is not None]
        return tuple(
            self.reserves_filled(placement)
            if name == "reserves"
            else sum(self.pair_value(name, i, p) for i, p in pairs)
            for name in (self.components() if names is None else names)
        )

    def optimal_components(self) -> list[str]:
        """The components of `optimal`: the lottery comes last."""
        return [*self.components(), "lottery_1", "lottery_2"]

    def optimal(self, first: Sequence[str] = ()) -> tuple[list[Placement], Vector]:
        """Every best feasible placement, and its value; more than one is next to impossible.

        The components in `first` come before all others.
        """
        names = [*first, *self.optimal_components()]
        additive = [name for name in names if name != "reserves"]
        value = {
            (i, p): tuple(self.pair_value(name, i, p) for name in additive)
            for i, ranks in self.rank.items()
            for p in ranks
        }
        best: list[Placement] = []
        greatest: Vector = ()
        before = names.index("reserves") if "reserves" in names else len(names)
        for placement in self.assignments(frozenset(self.classes)):
            pairs = [value[i, p] for i, p in placement.items() if p is not None]
            sums = [sum(column) for column in zip(*pairs, strict=True)] or [0] * len(additive)
            if tuple(sums[:before]) < greatest[:before]:
                continue
            if not self._classes_empty_or_full_enough(placement):
                continue
            if not self._keeps_decrees(placement):
                continue
            if "reserves" in names:
                sums.insert(before, self.reserves_filled(placement))
            if tuple(sums) > greatest:
                best, greatest = [], tuple(sums)
            if tuple(sums) == greatest:
                best.append(placement)
        return best, greatest

    def _classes_empty_or_full_enough(self, placement: Placement) -> bool:
        counts = {c: self.placed_in(placement, c) for c in self.classes}
        return all(n == 0 or n >= self.classes[c].min_size for c, n in counts.items())

    def _keeps_decrees(self, placement: Placement) -> bool:
        """Classes opened by decree have somebody; reserves that must be filled are, beside hard ones."""
        if any(c.must_open and not self.placed_in(placement, c.id) for c in self.classes.values()):
            return False
        for program in {p for p, _, _ in self.instance.must_fill}:
            people = [self.groups[i] for i in _held(placement, program)]
            must, kept = Counter[str](), Counter(self.seats[program][True])
            for _, group, hard in (key for key in self.instance.must_fill if key[0] == program):
                seats = self.instance.reserves[program, group, hard]
                must[group] += seats
                kept[group] += 0 if hard else seats
            room = self.programs[program].capacity - kept.total() + most_filled(people, kept)
            if most_filled(people, must) < must.total() or len(people) > room:
                return False
        return True

    def price(self, program: str, stage: str) -> Vector | None:
        """What the least cost of the round becomes when one seat of a stage is taken, less what
        it was; None where the seat cannot be taken. It is that seat's potential.
        """
        kind, _, group = stage.partition(":")
        instance, hard = self.instance, kind == "hard"
        over = set(self.caps_over([program]))
        reserved = dict(instance.reserves)
        if group:
            reserved[program, group, hard] -= 1
        smaller = replace(
            instance,
            programs=tuple(
                replace(p, capacity=p.capacity - (p.id == program)) for p in instance.programs
            ),
            caps=tuple(replace(cap, seats=cap.seats - (cap.id in over)) for cap in instance.caps),
            reserves=reserved,
        )
        left = Oracle(smaller)
        spare = left.programs[program].capacity - sum(left.seats[program][True].values())
        if min([spare, *left.cap_seats.values()]) < 0:
            return None
        names = self.optimal_components()
        taken = [int(name == "reserves" and group != "") for name in names]
        return tuple(
            before - after - mine
            for before, after, mine in zip(self.optimal()[1], left.optimal()[1], taken, strict=True)
        )

    # max_placement

    def prefers(self, applicant: str, one: str, other: str | None) -> bool:
        """Whether she likes a program strictly better: those at one rank of her list are equal."""
        if other is None or one == other:
            return other is None
        ranks = self.rank[applicant]
        if ranks[one] and ranks[one] == ranks[other]:
            return False
        return list(ranks).index(one) < list(ranks).index(other)

    def blocking_weakly(
        self, placement: Placement, open_classes: frozenset[str]
    ) -> list[tuple[str, str, str]]:
        """Whoever prefers a program strictly that has room ("waste") or somebody strictly lower."""
        found = []
        for i in self.people:
            for p in self.preferred(i, open_classes):
                if self.prefers(i, p, placement[i]):
                    held, mine = _held(placement, p), self.level(i, p)
                    if len(held) < self.programs[p].capacity:
                        found.append((i, p, "waste"))
                    elif any(self.level(j, p) > mine for j in held):
                        found.append((i, p, "envy"))
        return found

    def weakly_stable(self, open_classes: frozenset[str]) -> list[Placement]:
        """All weakly stable placements."""
        every = self.assignments(open_classes)
        return [made for made in every if not self.blocking_weakly(made, open_classes)]

    def largest_components(self) -> list[str]:
        """The components of `max_placement`: the size first, the lottery last, no reserves."""
        names = [name for name in self.optimal_components() if name not in ("placed", "reserves")]
        return ["placed", *names]

    def largest(self, open_classes: frozenset[str]) -> Placement:
        """The best of the weakly stable placements."""
        names = self.largest_components()
        made = self.weakly_stable(open_classes)
        best = max(self.objective(placement, names) for placement in made)
        (only,) = (placement for placement in made if self.objective(placement, names) == best)
        return only

    # thresholds

    def stages(self, program: str) -> list[str]:
        """The stages of a program that have a seat; `open` always."""
        reserved = [
            f"{name}:{group}"
            for hard, name in ((True, "hard"), (False, "soft"))
            for group in sorted(self.seats[program][hard])
        ]
        first = ["open_first"] if self.open_first_seats(program) else []
        return [*first, *reserved, "open"]

    def thresholds(
        self, placement: Placement, open_classes: frozenset[str]
    ) -> dict[tuple[str, str], Threshold]:
        """The threshold of each stage of each program whose class is not closed."""
        found = {}
        for program in self.programs:
            if self.class_of[program] in open_classes:
                people = _held(placement, program)
                cap = self.full_cap(program, placement)
                for stage in self.stages(program):
                    found[program, stage] = self._threshold(program, stage, people, cap)
        return found

    def _threshold(self, program: str, stage: str, people: frozenset[str], cap: str) -> Threshold:
        labels = self.labels(program, people)
        mine = [i for i in self.priority[program] if labels.get(i) == stage]
        last = mine[-1] if mine else None
        if len(mine) >= self.stage_seats(program, stage, labels):
            return Threshold("full", "", last)
        return Threshold("cut", cap, last) if cap else Threshold("not_full", "", last)

    def stage_seats(self, program: str, stage: str, labels: Mapping[str, str]) -> int:
        """The number of seats of a stage, given who was chosen before."""
        kind, _, group = stage.partition(":")
        if kind == "open_first":
            return self.open_first_seats(program)
        if group:
            return self.seats[program][kind == "hard"][group]
        before = sum(label != "open" for label in labels.values())
        hard = sum(self.seats[program][True].values())
        empty = hard - sum(label.startswith("hard:") for label in labels.values())
        return self.programs[program].capacity - before - empty

    def reached(self, applicant: str, found: Mapping[tuple[str, str], Threshold]) -> str | None:
        """The first program of her list and tail that she reaches at these thresholds."""
        for program in self.rank[applicant]:
            for (p, stage), threshold in found.items():
                if p == program and self._reaches(applicant, program, stage, threshold):
                    return program
        return None

    def _reaches(self, applicant: str, program: str, stage: str, threshold: Threshold) -> bool:
        group = stage.partition(":")[2]
        if group and group not in self.groups[applicant]:
            return False
        if threshold.state == "not_full":
            return True
        order = self.priority[program]
        return threshold.last is not None and order.index(applicant) <= order.index(threshold.last)

    # the answer to a round

    def solve(self) -> Outcome:
        """The outcome under the round's own rules."""
        if self.rules.mechanism == "optimal":
            best, _ = self.optimal()
            if len(best) != 1:
                raise AssertionError("more than one best placement")
            return Outcome(best[0], frozenset(self.classes))
        if self.rules.mechanism == "max_placement":
            return self.sequential(self.largest)
        return self.exact() if self.rules.closure == "exact" else self.sequential()


def _by_program(placement: Mapping[str, str | None]) -> dict[str, frozenset[str]]:
    programs = {p for p in placement.values() if p is not None}
    return {p: _held(placement, p) for p in programs}


def _held(placement: Mapping[str, str | None], program: str) -> frozenset[str]:
    return frozenset(i for i, p in placement.items() if p == program)
