"""Cuts in the proof of what opens: each holds in every plan, whatever its prices, and so does the proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from matcher import Market, Policy, Tables, solve, verify
from matcher.changes import Seats
from matcher.choice import Choice
from matcher.mechanisms import cuts
from matcher.mechanisms.bounds import Node, Prices
from matcher.mechanisms.openings import Search
from matcher.mechanisms.optimal import _lottery
from matcher.mechanisms.plan import CLOSED, FREE, OPEN, Plan
from matcher.mechanisms.proof import Writer
from matcher.objective import components
from matcher.seats import names, value_of_seats
from matcher.verify import Check, Cut, Malformed, Proof, Result, Round, State, Verifier
from matcher.verify import Market as Network
from matcher.whatif import Solved, whatif
from tests.instances import Instance
from tests.matcher.test_oracle import tables_of
from tests.matcher.test_verify_openings import broken, nodes
from tests.matcher.verify_rounds import claim
from tests.oracle import Oracle
from tests.random_markets import random_instance
from tests.rounds import make_round

Tree = dict[str, Any]
Arc = tuple[str, str, str]


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuts are made also where a single class is halfway, and in rounds of a few arcs."""
    monkeypatch.setattr(Search, "large", True)
    monkeypatch.setattr(cuts, "FEW", 1)
    monkeypatch.setattr(cuts, "DENSE", 1.0)


def halfway(number: int) -> Tables:
    """A random round with classes that compete for people, reserves, and caps that may cross."""
    rng = Random(f"cuts {number}")
    k, n = rng.randint(12, 20), rng.randint(24, 48)
    seats = {f"P{j}": rng.randint(2, 5) for j in range(k)}
    home = {p: f"C{rng.randrange(k * 3 // 4)}" for p in seats}
    sizes = {c: sum(seats[p] for p in seats if home[p] == c) for c in sorted({*home.values()})}
    classes = {c: min(size, rng.choice((0, 4, 5, 6))) for c, size in sizes.items()}
    lists = {f"A{i:02}": " ".join(rng.sample(sorted(seats), rng.randint(1, 3))) for i in range(n)}
    reserves = {
        f"{p} G{rng.choice(('', ' hard'))}": {"seats": 1, "must_fill": int(rng.random() < 0.04)}
        for p in seats
        if rng.random() < 0.3
    }
    caps = {
        f"S{j}": {"seats": rng.randint(3, 6), "programs": ";".join(rng.sample(sorted(seats), 2))}
        for j in range(rng.randint(0, 2))
    }
    return make_round(
        lists,
        seats,
        {"mechanism.name": "optimal"},
        order_classes=classes,
        caps=caps,
        reserves=reserves,
        programs={p: {"order_class": c} for p, c in home.items()},
        applicants={a: {"groups": "G"} for a in lists if rng.random() < 0.3},
    )


def proved(tables: Tables, folder: Path) -> Tree:
    """The round, placed and written down; its proof."""
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    result = solve(market, policy)
    tables.write(folder)
    result.write(folder / "result", market, tables.digest(), policy.round)
    found: Tree = result.certificate.get("tree", {})
    return found


def is_cut(step: Tree) -> bool:
    """Whether a step is a cut."""
    return "order_class" in step


def value(cut: Cut, arcs: set[tuple[int, int, str]], opened: set[str]) -> int:
    """What a cut comes to in a plan."""
    placed = sum(a for arc, a in cut.arc.items() if arc in arcs)
    return placed + sum(o for c, o in cut.opening.items() if c in opened) + cut.constant


# --- proofs with cuts


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("number", [41, 54, 69, 87, 97, 132, 174, 257, 290, 370, 407, 412])
def test_a_proof_with_cuts_holds(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of 174 and 407 have a cut that prices another one."""
    made: list[tuple[Proof, Cut]] = []
    derived = Proof.cut

    def noted(proof: Proof, state: State, step: Tree) -> Cut:
        made.append((proof, derived(proof, state, step)))
        return made[-1][1]

    monkeypatch.setattr(Proof, "cut", noted)
    tree = proved(halfway(number), tmp_path)
    assert any(is_cut(step) for step in tree["steps"])
    verdict = verify(tmp_path)
    assert claim(verdict, "optimality").status == "PROVED"
    assert not verdict.broken
    assert made
    for proof, cut in made:
        places, stage = proof.result.place, proof.market.stage
        arcs = {(i, p, stage[i]) for i, p in enumerate(places) if p >= 0}
        assert value(cut, arcs, {c for c in proof.need if proof.result.placed[c]}) >= 0


# --- every cut holds, whatever its prices


def seatings(oracle: Oracle, placement: dict[str, str | None]) -> Iterator[set[Arc]]:
    """Every way to seat the people of a placement in their programs."""
    reserves, must = oracle.instance.reserves, oracle.instance.must_fill
    people = [(i, p) for i, p in placement.items() if p is not None]
    options = []
    for i, p in people:
        groups = [s for s in oracle.stages(p) if s.partition(":")[2] in oracle.groups[i]]
        options.append([(i, p, s) for s in ("open", *groups)])
    for arcs in product(*options):
        taken = Counter((p, stage) for _, p, stage in arcs)
        outside = Counter(p for _, p, stage in arcs if not stage.startswith("hard:"))
        fine = all(
            n <= oracle.programs[p].capacity - sum(oracle.seats[p][True].values())
            for p, n in outside.items()
        )
        for (p, group, hard), n in reserves.items():
            there = taken[p, f"{'hard' if hard else 'soft'}:{group}"]
            fine &= there == n if (p, group, hard) in must else there <= n
        if fine:
            yield set(arcs)


def plans(instance: Instance) -> list[tuple[set[Arc], set[str]]]:
    """Every plan by definition: who sits where, and the classes that open."""
    oracle = Oracle(instance)
    found = []
    for placement in oracle.assignments(frozenset(oracle.classes)):
        if oracle._classes_empty_or_full_enough(placement) and oracle._keeps_decrees(placement):
            opened = {c for c in oracle.classes if oracle.placed_in(placement, c)}
            found += [(arcs, opened) for arcs in seatings(oracle, placement)]
    return found


class Pair:
    """The solver's and the verifier's view of one market."""

    def __init__(self, tables: Tables, folder: Path) -> None:
        proved(tables, folder)
        policy = Policy.from_tables(tables)
        self.market = market = Market.from_tables(tables, policy)
        self.plan = Plan(market, Choice(market))
        self.search = Search(
            self.plan, [*components(market, policy), *_lottery(market, policy)], None
        )
        given = Round(folder)
        verifier = Verifier(given, Result(given, folder / "result"))
        self.proof = Proof(Network(verifier), Check("optimality"))

    def node(self, rng: Random) -> Node | None:
        """A node in which some classes are settled; None if it holds no plan."""
        plan = self.plan
        begin = np.where(plan.decreed, OPEN, FREE)
        for c in np.flatnonzero(plan.conditional & ~plan.decreed).tolist():
            begin[c] = rng.choice((FREE, FREE, FREE, OPEN, CLOSED))
        everybody = np.ones(len(self.market.program), bool)
        nobody = np.full(len(self.market.applicants), -1)
        return self.search.bounds.entered(Node(begin, everybody, nobody))

    def named(self, openings: Any, state: int) -> frozenset[str]:
        """The classes with a minimum that are settled so."""
        there = np.flatnonzero(self.plan.conditional & (openings == state)).tolist()
        return frozenset(self.market.order_classes[c] for c in there)

    def prices(self, rng: Random, near: Prices | None = None) -> Prices:
        """Prices at random, some of them those of the other side."""
        market, most = self.market, rng.choice((1, 4, 9))
        sizes = (len(market.applicants), len(self.plan.stages), *[len(market.programs)] * 2)
        drawn = [[rng.randint(-most, most) for _ in range(n)] for n in (*sizes, len(market.caps))]
        drawn.append([rng.choice((0, 1, 3)) for _ in self.search.bounds.cuts])
        if near is not None:
            drawn = [
                [old if rng.random() < 0.6 else new for old, new in zip(a.tolist(), b, strict=True)]
                for a, b in zip(near, drawn, strict=True)
            ]
        return Prices(*(np.array(part, np.int64) for part in drawn))

    def same(self, cut: Cut, own: cuts.Cut) -> bool:
        """Whether the verifier's cut is the solver's, arc by arc."""
        market, given, plan = self.market, self.proof.given, self.plan
        theirs = {
            (given.people[i].id, given.programs[p].id, stage): a
            for (i, p, stage), a in cut.arc.items()
        }
        mine = {}
        for at, a in zip(own.at.tolist(), own.arc.tolist(), strict=True):
            p, stage, _ = plan.stages[plan.kind[at]]
            mine[market.applicants[plan.owner[at]], market.programs[p], stage] = a
        opening = {market.order_classes[c]: o for c, o in enumerate(own.opening.tolist()) if o}
        return (theirs, dict(cut.opening), cut.constant) == (mine, opening, own.constant)

    def cut(
        self, rng: Random, node: Node, state: State, near: bool
    ) -> tuple[Cut | None, cuts.Cut | None]:
        """A cut by random prices, as the verifier and as the solver derives it."""
        c = rng.choice(np.flatnonzero(self.search.free(node)).tolist())
        weights = [rng.randint(0, 4) for _ in range(rng.randint(1, self.search.before_lottery))]
        opened = self.prices(rng)
        closed = self.prices(rng, opened if near else None)
        own = cuts.disjunction(self.search, node, c, weights, opened, closed)
        nothing = np.zeros(0, np.int64)
        asked = cuts.Cut(c, weights, opened, closed, nothing, nothing, nothing, 0)
        try:
            return self.proof.cut(state, Writer(self.plan)._cut(own or asked)), own
        except Malformed:
            return None, own


@pytest.mark.parametrize("part", range(4))
def test_whatever_the_prices_a_cut_holds_in_every_plan(part: int, tmp_path: Path) -> None:
    """Also one that prices others; and both programs derive the same."""
    seen: Counter[str] = Counter()
    for number in range(part, 240, 4):
        rng = Random(f"disjunction {number}")
        instance = random_instance(
            rng,
            "optimal",
            people=5,
            programs=4,
            crossing=number % 2 == 0,
            decrees=number % 3 == 0,
            scarce=number % 5 < 3,
        )
        every = plans(instance)
        if not every or not instance.rules.objective:  # the lottery alone makes no cuts
            continue
        both = Pair(tables_of(instance), tmp_path / str(number))
        node = both.node(rng)
        if node is None or not both.search.free(node).any() or not len(both.plan.edge):
            continue
        opened, shut = both.named(node.openings, OPEN), both.named(node.openings, CLOSED)
        state = State(opened, shut, frozenset(), {}, 0)
        given = both.proof.given
        for _ in range(6):
            cut, own = both.cut(rng, node, state, rng.random() < 0.7)
            assert (cut is None) == (own is None)
            if cut is None or own is None:
                continue
            assert both.same(cut, own), number
            index = {a.id: a.index for a in given.people}
            for arcs, classes in every:
                if opened <= classes and not shut & classes:
                    placed = {(index[i], given.find(p).index, stage) for i, p, stage in arcs}
                    assert value(cut, placed, classes) >= 0, number
                    seen["plans"] += 1
                    seen["tight"] += value(cut, placed, classes) == 0
            if len(state.cuts) < 3:
                both.search.bounds.cuts.append(own)
                state = state._replace(cuts=(*state.cuts, cut))
    assert seen["plans"] > 1000
    assert seen["tight"]


def test_a_class_that_cannot_open_makes_no_cut(tmp_path: Path) -> None:
    """Two people who may come to either of its programs are not the three whom it needs."""
    tables = make_round(
        {"A": "P Q", "B": "Q P", "C": "R"},
        {"P": 2, "Q": 2, "R": 1},
        {"mechanism.name": "optimal"},
        order_classes={"K": 3},
        programs={"P": {"order_class": "K"}, "Q": {"order_class": "K"}},
    )
    both, rng = Pair(tables, tmp_path), Random(0)
    node = Node(np.full(2, FREE), np.ones(5, bool), np.full(3, -1))
    state = State(frozenset(), frozenset(), frozenset(), {}, 0)
    assert both.cut(rng, node, state, False) == (None, None)


# --- what is refused


def the_cut(tree: Tree) -> Tree:
    """The first cut."""
    return next(step for step in tree["steps"] if is_cut(step))


def priced(tree: Tree) -> Tree:
    """The first step that prices it."""
    return next(step for n in nodes(tree) for step in n.get("steps", ()) if "cuts" in step)


def nobody(side: Tree) -> None:
    """Prices that ask nothing of anybody."""
    for name in ("applicants", "seats", "nonhard", "programs", "caps"):
        side[name] = [0] * len(side[name])


def settled_before(tree: Tree) -> str:
    """A class that the steps before the cut settle."""
    found: str = next(c for step in tree["steps"] if not is_cut(step) for c in step["opened"])
    return found


def below_a_pair(tree: Tree) -> None:
    """The whole proof once more with a pair in, and out."""
    inner = dict(tree)
    tree.clear()
    tree.update(steps=[], applicant="A00", program="P0", out=inner)
    tree["in"] = inner


HARMS: dict[str, Callable[[Tree], object]] = {
    "price": lambda t: nobody(the_cut(t)["open"]),
    "price of the closed side": lambda t: nobody(the_cut(t)["closed"]),
    "too few prices": lambda t: the_cut(t)["open"]["applicants"].pop(),
    "no side": lambda t: the_cut(t).pop("closed"),
    "weight": lambda t: the_cut(t).update(weights=[9 * w for w in the_cut(t)["weights"]]),
    "weight of the lottery": lambda t: the_cut(t).update(weights=[0] * 6 + [1]),
    "too many weights": lambda t: the_cut(t).update(weights=[0] * 99),
    "unknown class": lambda t: the_cut(t).update(order_class="nothing"),
    "settled class": lambda t: the_cut(t).update(order_class=settled_before(t)),
    "below a pair": below_a_pair,
    "negative price of a cut": lambda t: priced(t)["cuts"].__setitem__(0, -1),
    "too many prices of cuts": lambda t: priced(t)["cuts"].append(0),
    "price of the cut itself": lambda t: the_cut(t)["open"].update(cuts=[1]),
    "prices of cuts that are none": lambda t: priced(t).update(cuts=[True]),
    "not priced": lambda t: priced(t).pop("cuts"),
    "dropped": lambda t: t["steps"].remove(the_cut(t)),
}


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("harm", HARMS)
def test_a_broken_cut_is_refused(harm: str, tmp_path: Path) -> None:
    proved(halfway(41), tmp_path)
    assert not broken(tmp_path, lambda tree: tree)
    assert broken(tmp_path, HARMS[harm])


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("number", [41, 87, 132, 174, 257, 290, 370, 407, 412])
def test_what_a_cut_proves_of_one_more_seat_is_so(number: int) -> None:
    """A proof that is whole with one seat more at a program says that no other classes should open."""
    tables = halfway(number)
    policy = Policy.from_tables(tables)
    base = Solved.of(tables, policy)
    market = base.market
    ordered = [*components(market, policy), *_lottery(market, policy)]
    waiting = [Search(Plan(market, Choice(market)), ordered, None).run()]
    priced = 0
    for node in waiting:
        assert node is not None
        priced += sum(int(step.prices.cut.any()) for step in node.steps)
        waiting += node.sides
    assert priced
    for value in value_of_seats(base, market.programs):
        found = whatif(tables, policy, [Seats(value.program, 1)], base)
        before, after = (r["objective"] for r in found.figures["results"])
        assert list(value.gain) == [after[name] - before[name] for name in names(base)]
