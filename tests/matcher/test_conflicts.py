"""What conflicts in a round that cannot be had: by hand, and against going through all subsets."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from random import Random
from typing import Any

import pytest

from matcher import Market, Policy, Tables, solve
from matcher.conflicting import CONFLICTS
from matcher.conflicts import Conflict, explain, find
from matcher.mechanisms import feasible
from matcher.mechanisms.feasible import Answer, Feasible, SolversDisagree, fewest
from matcher.messages import placeholders
from matcher.requirements import Requirement, Requirements
from matcher.resolve import resolve
from matcher.solve import NoPlan
from tests.choices import most_filled
from tests.instances import Cap, Instance
from tests.matcher.test_cli import run
from tests.matcher.test_messages import strings, tree
from tests.matcher.test_oracle import tables_of
from tests.matcher.test_resolve import confirmed, earlier, with_decisions
from tests.oracle import Oracle
from tests.random_markets import random_instance
from tests.rounds import make_round, market

PARTS = 8
MARKETS = int(os.environ.get("ORACLE_MARKETS", "400"))
OPTIMAL = {"mechanism.name": "optimal"}

Words = tuple[Any, ...]


def asked(tables: Tables) -> list[str]:
    """What conflicts, as ``code ids`` words with table and row in front."""
    return [words(r) for r in find(market(tables)).requirements]


def words(r: Requirement) -> str:
    ids = [str(r.numbers[k]) for k in ("applicant", "order_class", "program", "group", "cap")
           if k in r.numbers]  # fmt: skip
    return " ".join([f"{r.table}:{r.row}" if r.table else "", r.code, *ids]).strip()


# --- by hand ------------------------------------------------------------------------------------


def test_nothing_asked_for_is_no_conflict() -> None:
    none = find(market(make_round({"A": "P"}, {"P": 0})))
    assert none == Conflict(()) and not none
    assert [*explain(none, "en")] == [CONFLICTS["none"][1]]


def test_two_people_confirmed_for_one_seat() -> None:
    tables = make_round(dict.fromkeys("ABC", "P Q"), {"P": 1, "Q": 1},
                        decisions=confirmed("C P", "B P", "A Q"))  # fmt: skip
    assert asked(tables) == [
        "decisions:3 confirmed B P", "decisions:2 confirmed C P", "programs:2 capacity P",
    ]  # fmt: skip
    assert [*explain(find(market(tables)), "zh")] == [
        "下列 3 项要求不能同时满足。这是最少的一组，没有更少的几项就会冲突：",
        "1–2. 决定表 decisions.csv 第 3、2 行：申请人 B、C 已确认，保留在席位 P。请核实；可以放弃的，"
        "删去这一行。",
        "3. 订单席位表 programs.csv 第 2 行：席位 P 只有 1 个名额。请增加席位。",
        "放宽其中任何一项，这一组就不再冲突；别处可能另有冲突，改好后请再运行一次。",
    ]


def test_one_person_confirmed_twice() -> None:
    tables = make_round({"A": "P Q"}, {"P": 1, "Q": 1}, decisions=confirmed("A P", "A Q"))
    assert asked(tables) == [
        "decisions:2 confirmed A P", "decisions:3 confirmed A Q", "one_place",
    ]  # fmt: skip


def test_a_confirmed_place_that_a_rule_bars_or_that_nobody_listed() -> None:
    tables = make_round({"A": "P", "B": "Q"}, {"P": 2, "Q": 1},
                        applicants={"A": {"review": "expired"}}, decisions=confirmed("A P"))  # fmt: skip
    assert asked(tables) == ["decisions:2 confirmed A P", "applicants:2 barred A P"]
    said = list(explain(find(market(tables)), "en"))
    assert said[2].startswith(
        "2. applicants.csv, row 2: By the rule “review of eligibility” the applicant A cannot be at P"
        " (value document expired, limit passed)."
    )
    tables = make_round({"B": "Q"}, {"P": 2, "Q": 1}, decisions=confirmed("B P"))
    assert asked(tables) == ["decisions:2 confirmed B P", "applications:0 unlisted B P"]
    assert "申请人 B 没有填报席位 P" in "".join(explain(find(market(tables)), "zh"))


def test_confirmed_in_a_class_that_cannot_reach_its_minimum() -> None:
    tables = make_round({"A": "P", "B": "P Q", "C": "Q"}, {"P": 2, "Q": 2},
                        programs={"P": {"order_class": "K"}}, order_classes={"K": 2},
                        decisions=confirmed("A P", "B Q", "C Q"))  # fmt: skip
    assert asked(tables) == [
        "decisions:2 confirmed A P", "decisions:3 confirmed B Q", "order_classes:2 min_size K",
        "one_place",
    ]  # fmt: skip


def test_two_classes_by_decree_that_want_the_same_people() -> None:
    tables = make_round({"A": "P Q", "B": "Q P", "C": "P"}, {"P": 2, "Q": 2},
                        programs={p: {"order_class": f"K{p}"} for p in "PQ"},
                        order_classes={f"K{p}": {"min_size": 2, "must_open": 1} for p in "PQ"})  # fmt: skip
    assert asked(tables) == [
        "order_classes:2 must_open KP", "order_classes:3 must_open KQ", "order_classes:2 min_size KP",
        "order_classes:3 min_size KQ", "one_place",
    ]  # fmt: skip


def test_a_class_by_decree_that_nobody_may_join() -> None:
    tables = make_round({"A": ""}, {"P": 1}, programs={"P": {"order_class": "K"}},
                        order_classes={"K": {"min_size": 1, "must_open": 1}})  # fmt: skip
    assert asked(tables) == ["order_classes:2 must_open K"]
    assert next(explain(find(market(tables)), "zh")) == "下面这 1 项要求单独就做不到："


def test_a_reserve_that_must_be_filled_against_a_cap_and_a_hard_reserve() -> None:
    people = {"A": {"groups": "g"}, "B": {"groups": "g"}, "C": {"groups": "h"}}
    must = {"P g": {"seats": 2, "must_fill": 1}}
    capped = make_round(dict.fromkeys("ABC", "P"), {"P": 3}, applicants=people, reserves=must,
                        caps={"S": {"seats": 1, "programs": "P"}})  # fmt: skip
    assert asked(capped) == ["reserves:2 must_fill P g", "caps:2 cap S"]
    crowded = make_round(dict.fromkeys("ABC", "P"), {"P": 3}, applicants=people,
                         reserves=must | {"P h hard": 1}, decisions=confirmed("A P", "B P", "C P"))  # fmt: skip
    assert asked(crowded) == []
    other = make_round(dict.fromkeys("ABC", "P"), {"P": 2}, applicants=people,
                       reserves={"P g": {"seats": 1, "must_fill": 1}, "P h hard": 1},
                       decisions=confirmed("A P", "B P"))  # fmt: skip
    assert asked(other) == [
        "decisions:2 confirmed A P", "decisions:3 confirmed B P", "reserves:3 hard_reserve P h",
        "programs:2 capacity P",
    ]  # fmt: skip


def test_caps_that_fractions_of_people_would_keep() -> None:
    """Two triangles of caps with a seat each: a half everywhere makes three, whole people two."""
    names = dict(zip("PQRXYZ", ("S T", "T U", "U S", "s t", "t u", "u s"), strict=True))
    tables = make_round(
        dict.fromkeys("ABC", "K"), dict.fromkeys(names, 1), programs={p: {"order_class": "K"} for p in names},
        order_classes={"K": {"min_size": 3, "must_open": 1}},
        caps={c: {"seats": 1, "programs": ";".join(p for p in names if c in names[p])} for c in "STUstu"},
    )  # fmt: skip
    assert asked(tables) == [
        "order_classes:2 must_open K", "order_classes:2 min_size K", *(
            f"caps:{row} cap {c}" for row, c in enumerate("STUstu", start=2)),
    ]  # fmt: skip
    looser = {**names, "Z": ""}
    assert asked(make_round(
        dict.fromkeys("ABC", "K"), dict.fromkeys(names, 1), programs={p: {"order_class": "K"} for p in names},
        order_classes={"K": {"min_size": 3, "must_open": 1}},
        caps={c: {"seats": 1, "programs": ";".join(p for p in names if c in looser[p])} for c in "STUstu"},
    )) == []  # fmt: skip


def test_rows_do_not_matter() -> None:
    pairs = ["A P", "B P", "C P", "D Q"]
    found = {
        tuple(asked(make_round(dict.fromkeys("ABCD", "P Q"), {"P": 1, "Q": 1}, decisions=confirmed(*ps)))
              [-1:]) for ps in (pairs, pairs[::-1])
    }  # fmt: skip
    assert found == {("programs:2 capacity P",)}
    turned = make_round(dict.fromkeys("ABCD", "P"), {"P": 1}, decisions=confirmed(*pairs[2::-1]))
    assert asked(turned)[0] == "decisions:4 confirmed A P"


# --- against going through everything -----------------------------------------------------------


class Brute:
    """The requirements of a tiny market and every way to fall short of some of them, by definition.

    A placement fails a set of requirements where the set holds one of its ``faults``.
    """

    def __init__(self, instance: Instance, pairs: frozenset[tuple[str, str]]) -> None:
        self.oracle, self.pairs = Oracle(instance), pairs
        self.must = instance.must_fill
        self.stated = [*self._stated()]
        options = {i: sorted({*ranks, *(p for j, p in pairs if i == j)})
                   for i, ranks in self.oracle.rank.items()}  # fmt: skip
        ways = [
            [w for n in range(len(ps) + 1) for w in combinations(ps, n)] for ps in options.values()
        ]
        placements = product(*ways)
        self.faults = {
            frozenset(self._faults(dict(zip(options, chosen, strict=True))))
            for chosen in placements
        }

    def _stated(self) -> Iterator[Words]:
        o = self.oracle
        for i, p in self.pairs:
            yield "confirmed", i, p
            if p not in o.rank[i]:
                yield "admission", i, p
        yield from (("must_open", c) for c, found in o.classes.items() if found.must_open)
        yield from (("min_size", c) for c, found in o.classes.items() if found.min_size > 1)
        for (p, g, hard), seats in o.instance.reserves.items():
            if seats and (p, g, hard) in self.must:
                yield "must_fill", p, g, hard
            if seats and hard:
                yield "hard_reserve", p, g
        yield from (("capacity", p) for p in o.programs)
        yield from (("cap", c) for c in o.cap_sets)
        yield ("one_place",)

    def _faults(self, placement: dict[str, tuple[str, ...]]) -> Iterator[frozenset[Words]]:
        o = self.oracle
        at = {p: [i for i, programs in placement.items() if p in programs] for p in o.programs}
        for i, p in self.pairs:
            if i not in at[p]:
                yield frozenset({("confirmed", i, p)})
            elif p not in o.rank[i]:
                yield frozenset({("admission", i, p)})
        for c, found in o.classes.items():
            number = sum(len(at[p]) for p in o.programs if o.class_of[p] == c)
            if not number and found.must_open:
                yield frozenset({("must_open", c)})
            if 0 < number < found.min_size:
                yield frozenset({("min_size", c)})
        for c, inside in o.cap_sets.items():
            if sum(len(at[p]) for p in inside) > o.cap_seats[c]:
                yield frozenset({("cap", c)})
        if any(len(programs) > 1 for programs in placement.values()):
            yield frozenset({("one_place",)})
        for p in o.programs:
            yield from self._at_program(p, [o.groups[i] for i in at[p]])

    def _at_program(self, p: str, people: list[frozenset[str]]) -> Iterator[frozenset[Words]]:
        """Every part of the reserves of a program that these people would not keep."""
        reserves = [r for r in self.stated if r[0] in ("must_fill", "hard_reserve") and r[1] == p]
        for part in (frozenset(some) for n in range(len(reserves) + 1)
                     for some in combinations(reserves, n)):  # fmt: skip
            must, kept = Counter[str](), Counter[str]()
            for hard, group in {(r[0] == "hard_reserve" or r[3], r[2]) for r in part}:
                kept[group] += self.oracle.instance.reserves[p, group, hard]
            for r in part:
                if r[0] == "must_fill":
                    must[r[2]] += self.oracle.instance.reserves[p, r[2], r[3]]
            if most_filled(people, must) < must.total():
                yield part
            room = self.oracle.programs[p].capacity - kept.total() + most_filled(people, kept)
            if len(people) > room:
                yield part | {("capacity", p)}

    def conflicts(self, asked: frozenset[Words]) -> bool:
        """Whether every placement falls short of something asked."""
        return all(any(fault <= asked for fault in faults) for faults in self.faults)

    def smallest(self) -> int:
        """The size of the smallest conflict; 0 for none."""
        if not self.conflicts(frozenset(self.stated)):
            return 0
        sizes = range(1, len(self.stated) + 1)
        return next(n for n in sizes if any(self.conflicts(frozenset(some))
                                            for some in combinations(self.stated, n)))  # fmt: skip


def named(m: Market, r: Requirement) -> Words:
    """A requirement in the words of the brute force."""
    if r.code in ("confirmed", "barred", "unlisted"):
        code = "confirmed" if r.code == "confirmed" else "admission"
        return code, m.applicants[r.at[0]], m.programs[r.at[1]]
    if r.code in ("must_open", "min_size"):
        return r.code, m.order_classes[r.at[0]]
    if r.code in ("must_fill", "hard_reserve"):
        one = m.reserves[r.at[0]]
        words = (r.code, m.programs[one.program], m.groups[one.group])
        return (*words, one.hard) if r.code == "must_fill" else words
    if r.code == "capacity":
        return r.code, m.programs[r.at[0]]
    return (r.code, m.caps[r.at[0]].name) if r.code == "cap" else (r.code,)


def random_round(number: int) -> tuple[Instance, frozenset[tuple[str, str]], Tables]:
    """A market with decrees, caps that may cross, and some people confirmed."""
    rng = Random(f"conflict {number}")
    instance = random_instance(rng, "optimal", people=3, caps=rng.random() < 0.5, decrees=True)
    programs = [p.id for p in instance.programs]
    if not instance.caps and rng.random() < 0.5:
        some = (tuple(rng.sample(programs, rng.randint(1, len(programs)))) for _ in range(3))
        caps = tuple(
            Cap(f"S{n}", rng.randint(0, 2), "programs", value) for n, value in enumerate(some)
        )
        instance = replace(instance, caps=caps)
    pairs = [
        (i.id, p) for i in instance.people for p in programs if (i.id, p) not in instance.rejected
    ]
    chosen = frozenset(pair for pair in pairs if rng.random() < 0.25)
    rows = confirmed(*(f"{i} {p}" for i, p in sorted(chosen)))
    return instance, chosen, with_decisions(tables_of(instance), rows)


@pytest.mark.parametrize("part", range(PARTS))
def test_the_smallest_conflict(part: int) -> None:
    sizes = Counter[int]()
    for number in range(part, MARKETS // 3, PARTS):
        instance, chosen, tables = random_round(number)
        brute = Brute(instance, chosen)
        made = Market.from_tables(tables)
        found = find(made)
        asked = frozenset(named(made, r) for r in found.requirements)
        assert found.smallest and len(asked) == len(found.requirements) == brute.smallest(), number
        assert not asked or brute.conflicts(asked), number
        assert not any(brute.conflicts(asked - {one}) for one in asked), number
        sizes[len(asked)] += 1
    assert len(sizes) > 2 or MARKETS < 100


@pytest.mark.parametrize("part", range(PARTS))
def test_without_patience_a_conflict_is_irreducible(part: int) -> None:
    for number in range(part, MARKETS // 4, PARTS):
        instance, chosen, tables = random_round(number)
        made = Market.from_tables(tables)
        found = find(made, patience=0)
        brute = Brute(instance, chosen)
        asked = frozenset(named(made, r) for r in found.requirements)
        assert bool(asked) == bool(brute.smallest()), number
        assert not any(brute.conflicts(asked - {one}) for one in asked), number
        assert not asked or brute.conflicts(asked)
        assert len(asked) == brute.smallest() or not found.smallest, number
        said = list(explain(found, "en"))
        assert ("not proven" in said[0]) == (not found.smallest)


@pytest.mark.parametrize("part", range(PARTS))
def test_both_solvers_answer_alike_whatever_is_asked(part: int) -> None:
    for number in range(part, MARKETS // 4, PARTS):
        instance, chosen, tables = random_round(number)
        made = Market.from_tables(tables)
        requirements = Requirements(made)
        solver, brute = Feasible(requirements), Brute(instance, chosen)
        rng = Random(number)
        for _ in range(6):
            kept = {r for r in requirements.stated if rng.random() < 0.7}
            impossible = brute.conflicts(frozenset(named(made, r) for r in kept))
            for answer in (solver.highs(kept), solver.cp_sat(kept)):
                assert (answer.places is None) == impossible, number
            if impossible:
                left = solver.highs(kept)
                assert brute.conflicts(frozenset(named(made, r) for r in left.conflict)), number
                assert left.aside and left.aside <= kept


# --- solvers that err -----------------------------------------------------------------------------


def two_for_one() -> Market:
    return market(make_round(dict.fromkeys("AB", "P"), {"P": 1}, decisions=confirmed("A P", "B P")))


def test_what_one_solver_alone_finds_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Feasible, "cp_sat", lambda self, kept: Answer(frozenset()))
    with pytest.raises(SolversDisagree):
        find(two_for_one())
    monkeypatch.setattr(Feasible, "cp_sat", lambda self, kept: Answer(None, frozenset(kept)))
    with pytest.raises(SolversDisagree):
        find(two_for_one())


def test_places_that_do_not_keep_what_they_should_are_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Requirements, "keep", lambda self, kept, places: False)
    with pytest.raises(SolversDisagree):
        find(market(make_round({"A": "P"}, {"P": 1}, decisions=confirmed("A P"))))


def test_a_relaxation_without_an_end_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feasible, "linprog", lambda *_, **__: type("Failed", (), {"x": None}))
    with pytest.raises(SolversDisagree):
        find(two_for_one())


def test_the_fewest_that_are_in_none_of_the_vectors() -> None:
    assert sum(fewest([1, 1, 1], [[1, 0, 1], [0, 1, 1]])) == 2
    assert fewest([4], []) == [0]


# --- where it is told -----------------------------------------------------------------------------

DECREED = make_round(
    {"A": "P"}, {"P": 2}, OPTIMAL, programs={"P": {"order_class": "K"}},
    order_classes={"K": {"min_size": 2, "must_open": 1}},
)  # fmt: skip
SAID = "班级 K 必须开班；报了它或可以调剂到它、且符合条件的有 1 人。"


def test_solve_and_resolve_name_a_round_without_a_plan() -> None:
    made, policy = market(DECREED), Policy.from_tables(DECREED)
    with pytest.raises(NoPlan) as caught:
        solve(made, policy)
    assert caught.value.market is made
    with pytest.raises(NoPlan):
        resolve(made, policy, earlier("A P"))


@pytest.fixture
def decreed(tmp_path: Path) -> Path:
    DECREED.write(tmp_path / "round")
    return tmp_path / "round"


def test_the_command_tells_what_conflicts(decreed: Path) -> None:
    done = run("conflicts", decreed)
    assert done.exit_code == 2
    assert SAID in done.stdout and "needs 2 people once it has any" in done.stdout
    assert "Traceback" not in done.output


def test_the_command_tells_that_nothing_conflicts(tmp_path: Path) -> None:
    make_round({"A": "P"}, {"P": 1}, {"lottery.seed": None}).write(tmp_path)
    done = run("conflicts", tmp_path, "--lang", "zh")
    assert done.exit_code == 0, "a draw is not needed"
    assert done.stdout == CONFLICTS["none"][0] + "\n"


def test_bad_input_is_refused(tmp_path: Path) -> None:
    assert run("conflicts", tmp_path / "nothing").exit_code == 2
    make_round({"A": "Z"}, {"P": 1}).write(tmp_path)
    done = run("conflicts", tmp_path)
    assert done.exit_code == 2 and "unknown_reference" in done.stderr


@pytest.mark.parametrize(
    "command",
    [("solve",), ("solve", "--mechanism", "optimal"), ("what-if", "--seats", "P=+1"),
     ("odds", "--draws", "2", "--workers", "1")],
)  # fmt: skip
def test_no_command_ends_without_saying_why(decreed: Path, command: tuple[str, ...]) -> None:
    done = run(command[0], decreed, *command[1:])
    assert done.exit_code == 2, done.output
    assert SAID in done.stderr
    assert not (decreed / "result").exists()


def test_a_supposition_that_cannot_be_had_says_why(tmp_path: Path) -> None:
    enough = make_round({"A": "P", "B": "P"}, {"P": 2}, OPTIMAL, programs={"P": {"order_class": "K"}},
                        order_classes={"K": {"min_size": 0, "must_open": 1}})  # fmt: skip
    enough.write(tmp_path)
    done = run("what-if", tmp_path, "--withdraw", "A", "--withdraw", "B")
    assert done.exit_code == 2 and "班级 K 必须开班" in done.stderr


def test_solvers_that_disagree_are_told_of(decreed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Feasible, "cp_sat", lambda self, kept: Answer(frozenset()))
    done = run("conflicts", decreed)
    assert done.exit_code == 3 and CONFLICTS["unsure"][0] in done.stderr
    monkeypatch.setattr("matcher.conflicts.find", lambda market: Conflict(()))
    done = run("solve", decreed)
    assert done.exit_code == 3 and CONFLICTS["unsure"][1] in done.stderr


def test_what_is_said_of_conflicts_is_said_in_both_languages_and_no_sentence_is_idle() -> None:
    said = {text.removeprefix("conflict.") for name in ("conflicts", "conflicts_screen", "requirements")
            for text in strings(tree(name))}  # fmt: skip
    assert set(CONFLICTS) - said == set()
    for zh, en in CONFLICTS.values():
        assert placeholders(zh) == placeholders(en)
