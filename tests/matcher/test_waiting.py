"""Waiting lists and who is called: by hand, and against the definitions one person at a time."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from matcher import Market, Policy, Tables, UnsupportedConstraint, solve
from matcher.earlier import Earlier, Placement
from matcher.waiting import WaitingList
from tests.choices import most_filled
from tests.matcher.test_cli import run
from tests.matcher.test_oracle import tables_of
from tests.matcher.test_resolve import confirmed, earlier, with_decisions
from tests.random_markets import random_instance
from tests.rounds import make_round, market

PARTS = 4
MARKETS = int(os.environ.get("ORACLE_MARKETS", "400"))
ABCD = {"A P": 4, "B P": 3, "C P": 2, "D P": 1}


def decided(decision: str, *pairs: str) -> list[dict[str, Any]]:
    """Decisions of one kind on ``"A P"`` pairs."""
    return [row | {"decision": decision, "basis": "x"} for row in confirmed(*pairs)]


def state(tables: Tables, *pairs: str) -> WaitingList:
    made = market(tables)
    return WaitingList(made, Policy.from_tables(tables), earlier(*pairs))


def lists(found: WaitingList) -> dict[str, str]:
    """Each waiting list, people in order, by ``P stage``."""
    m = found.market
    told: dict[str, list[str]] = {}
    for line in found.lines():
        told.setdefault(f"{m.programs[line.program]} {line.stage}", []).append(
            m.applicants[m.owner[line.edge]]
        )
    return {key: " ".join(people) for key, people in told.items()}


def called(found: WaitingList) -> list[str]:
    """Who is called from where to where, in words."""
    m = found.market
    names = [*m.programs, "-"]
    return [f"{m.applicants[c.applicant]} {names[c.before]}>{names[m.program[c.edge]]}"
            for c in found.calls()]  # fmt: skip


# --- by hand ------------------------------------------------------------------------------------


def test_a_free_seat_goes_to_the_next_by_score() -> None:
    tables = make_round(dict.fromkeys("ABCD", "P"), {"P": 2}, scores=ABCD)
    assert lists(state(tables, "A P", "B P")) == {"P open": "C D"}
    assert called(state(tables, "A P", "B P")) == []
    gone = make_round(dict.fromkeys("ABCD", "P") | {"A": ""}, {"P": 2}, scores=ABCD)
    assert called(state(gone, "B P")) == ["C ->P"]


def test_who_has_a_place_waits_for_a_better_one_only_if_she_says_so() -> None:
    lists_ = {"A": "Q P", "B": "Q P", "C": "Q P", "D": "Q"}
    scores = {"A Q": 4, "B Q": 3, "C Q": 2, "D Q": 1}
    rows = [*confirmed("A P", "B P"), *decided("waiting", "B P")]
    tables = make_round(lists_, {"P": 3, "Q": 1}, scores=scores, decisions=rows)
    found = state(tables, "A P !", "B P !", "C P")
    assert lists(found) == {"Q open": "B C D"}, "A has accepted, C has not answered"
    assert called(found) == ["B P>Q"], "nobody is called who has not answered"


def test_a_closed_class_is_not_waited_for_and_an_open_one_that_shrank_is() -> None:
    tables = make_round(
        dict.fromkeys("ABC", "P Q"), {"P": 2, "Q": 2}, programs={p: {"order_class": f"K{p}"} for p in "PQ"},
        order_classes={"KP": 2, "KQ": 2},
    )  # fmt: skip
    assert set(lists(state(tables, "A Q"))) == {"Q open"}
    assert set(lists(state(tables, "A Q", "Z P"))) == {"P open", "Q open"}, "Z made KP open"


def test_reserved_seats_first_go_to_their_group() -> None:
    people = {a: {"groups": "g"} for a in "CD"} | {"B": {"groups": "h"}}
    tables = make_round(dict.fromkeys("ABCD", "P"), {"P": 2}, scores=ABCD, applicants=people,
                        reserves={"P g": 1})  # fmt: skip
    found = state(tables, "A P", "C P")
    assert lists(found) == {"P soft:g": "D B", "P open": "B D"}
    gone = make_round(dict.fromkeys("ABCD", "P") | {"C": ""}, {"P": 2}, scores=ABCD,
                      applicants=people, reserves={"P g": 1})  # fmt: skip
    assert called(state(gone, "A P")) == ["D ->P"]


def test_a_hard_reserved_seat_is_for_its_group_alone() -> None:
    people = {"D": {"groups": "g"}}
    tables = make_round(dict.fromkeys("ABCD", "P"), {"P": 3}, scores=ABCD, applicants=people,
                        reserves={"P g hard": 1})  # fmt: skip
    assert lists(state(tables, "A P", "B P")) == {"P hard:g": "D", "P open": "D C"}
    assert called(state(tables, "A P", "B P")) == ["D ->P"], "C must not have it"
    assert called(state(tables, "A P", "B P", "D P")) == []
    alone = make_round(dict.fromkeys("ABC", "P"), {"P": 3}, scores={"A P": 3, "B P": 2, "C P": 1},
                       reserves={"P g hard": 1})  # fmt: skip
    assert called(state(alone, "A P", "B P")) == [], "the seat stays empty"
    assert lists(state(alone, "A P", "B P")) == {"P open": "C"}


def test_some_open_seats_before_the_reserved_ones() -> None:
    people = {a: {"groups": "g"} for a in "AD"}
    rules = {"mechanism.reserve_order": "open_first"}
    tables = make_round(dict.fromkeys("ABCD", "P"), {"P": 2}, rules, scores=ABCD, applicants=people,
                        reserves={"P g": 1})  # fmt: skip
    assert called(state(tables)) == ["A ->P", "D ->P"]
    assert lists(state(tables)) == {
        "P open_first": "A B C D", "P soft:g": "A B C D", "P open": "A B C D",
    }  # fmt: skip
    assert called(state(tables, "B P")) == ["A ->P"]


def test_a_full_cap_calls_nobody_and_children_take_turns() -> None:
    caps = {"S": {"seats": 3, "programs": "P;Q"}}
    lists_ = {"A": "P", "B": "P", "C": "Q", "D": "Q"}
    tables = make_round(lists_, {"P": 2, "Q": 2}, scores=ABCD | {"C Q": 2, "D Q": 1}, caps=caps)
    assert called(state(tables, "A P")) == ["B ->P", "C ->Q"]
    assert called(state(tables, "A P", "B P", "C Q")) == []


def test_nobody_leaves_a_class_below_its_minimum() -> None:
    """Both would rather be at Q; one may go, and the lottery says who."""
    rows = [*confirmed("A P", "B P", "C P"), *decided("waiting", "A P", "B P")]
    tables = make_round(
        {"A": "Q P", "B": "Q P", "C": "P"}, {"P": 3, "Q": 2}, decisions=rows,
        programs={"P": {"order_class": "K"}}, order_classes={"K": 2},
    )  # fmt: skip
    found = state(tables, "A P !", "B P !", "C P !")
    first = min("AB", key=lambda a: found.market.lottery[found.market.applicants.index(a)])
    assert called(found) == [f"{first} P>Q"]
    small = make_round({"A": "Q P", "C": "P"}, {"P": 3, "Q": 2}, decisions=[*rows[:1], *rows[2:4]],
                       programs={"P": {"order_class": "K"}}, order_classes={"K": 3})  # fmt: skip
    assert called(state(small, "A P !", "C P !", "Z P")) == [], "it is below already"


def test_nobody_leaves_what_must_open_or_must_be_filled() -> None:
    rows = [*confirmed("A P"), *decided("waiting", "A P")]
    lists_ = {"A": "Q P", "B": "P"}
    opened = make_round(lists_, {"P": 2, "Q": 1}, decisions=rows, programs={"P": {"order_class": "K"}},
                        order_classes={"K": {"min_size": 0, "must_open": 1}})  # fmt: skip
    assert called(state(opened, "A P !")) == ["B ->P"]
    assert called(state(opened, "A P !", "B P")) == ["A P>Q"]
    people = {"A": {"groups": "g"}, "B": {"groups": "g"}}
    filled = make_round(lists_, {"P": 2, "Q": 1}, decisions=rows, applicants=people,
                        reserves={"P g": {"seats": 1, "must_fill": 1}})  # fmt: skip
    assert called(state(filled, "A P !")) == ["B ->P"]
    assert called(state(filled, "A P !", "B P")) == ["A P>Q"], "B can fill it"
    sister = make_round({"A": "Q P"}, {"P": 2, "Q": 1}, decisions=rows, applicants={"A": {"groups": "g"}},
                        programs={p: {"order_class": "K"} for p in "PQ"}, order_classes={"K": 0},
                        reserves={"P g": {"seats": 1, "must_fill": 1}})  # fmt: skip
    assert called(state(sister, "A P !")) == []


def test_after_a_cut_nobody_is_called() -> None:
    tables = make_round(dict.fromkeys("ABCD", "P"), {"P": 1}, scores=ABCD)
    found = state(tables, "A P", "B P")
    assert found.free(0) == 0 and called(found) == []
    assert lists(found) == {}, "one person must leave before a seat comes free"


def test_everybody_declines() -> None:
    tables = make_round(
        dict.fromkeys("AB", "P"), {"P": 2}, decisions=decided("rejected", "A P", "B P")
    )
    found = state(tables, "A P", "B P")
    assert called(found) == [] and lists(found) == {}
    assert called(state(make_round({}, {"P": 1}))) == []


def test_crossing_caps_are_refused_by_name() -> None:
    caps = {"S": {"seats": 1, "programs": "P;Q"}, "T": {"seats": 1, "programs": "Q;R"}}
    tables = make_round({"A": "P"}, dict.fromkeys("PQR", 1), caps=caps)
    with pytest.raises(
        UnsupportedConstraint, match="waiting cannot honour: crossing_cap"
    ) as caught:
        state(tables)
    assert [i.value for i in caught.value.issues] == ["S × T"]


# --- against the definitions ----------------------------------------------------------------------


class ByTheWord:
    """Whom a program takes beside those it holds, stage by stage and person by person."""

    def __init__(self, found: WaitingList) -> None:
        self.found, self.m = found, found.market

    def groups(self, edges: list[int]) -> list[frozenset[str]]:
        held = self.m.member[self.m.owner[edges]] if edges else []
        return [
            frozenset(g for g, has in zip(self.m.groups, row, strict=True) if has) for row in held
        ]

    def beside(self, p: int, offers: list[int]) -> set[int]:
        at = self.found.at[p]
        seats = self.found.choice.seats[p]
        people = sorted(offers, key=lambda e: int(self.m.place[e]))
        taken: list[int] = []
        room = seats.capacity - len(at)
        while people and room - len(taken) > 0 and len(at) + len(taken) < seats.open_first:
            taken.append(people.pop(0))
        empty = 0
        for stage, kind in ((1, seats.hard), (2, seats.soft)):
            named = {self.m.groups[g]: n for g, n in kind.items()}
            mine = [e for e, s in at if s == stage]
            for edge in list(people):
                more = most_filled(self.groups([*mine, edge]), named)
                if more > most_filled(self.groups(mine), named) and room - len(taken) > 0:
                    mine.append(edge)
                    taken.append(edge)
                    people.remove(edge)
            if stage == 1:
                empty = sum(kind.values()) - most_filled(self.groups(mine), named)
        return {*taken, *people[: max(0, room - len(taken) - empty)]}


def random_state(rng: Random, caps: bool) -> tuple[WaitingList, Earlier, Tables]:
    """A round after its result: some have gone, some have accepted, some of them wait."""
    instance = random_instance(rng, rng.choice(("stable", "optimal")), minimums=False, caps=caps)
    tables = tables_of(instance)
    policy = Policy.from_tables(tables)
    made = Market.from_tables(tables, policy)
    result = solve(made, policy)
    pairs = [
        (made.applicants[i], made.programs[p]) for i, p in enumerate(result.matching) if p >= 0
    ]
    left = [pair for pair in pairs if rng.random() < 0.6]
    accepted = [pair for pair in left if rng.random() < 0.6]
    waiting = [pair for pair in accepted if rng.random() < 0.6]
    rows = confirmed(*map(" ".join, accepted)) + decided("waiting", *map(" ".join, waiting))
    tables = with_decisions(tables, rows)
    before = Earlier(tuple(sorted(Placement(*pair, pair in accepted) for pair in left)), "")
    return WaitingList(Market.from_tables(tables, policy), policy, before), before, tables


@pytest.mark.parametrize("part", range(PARTS))
def test_calls_leave_no_seat_and_no_claim(part: int) -> None:
    """Without caps: each program takes, beside those it holds, just those called there of all who
    would rather be there than where they are called or hold."""
    number_called = 0
    for number in range(part, MARKETS, PARTS):
        found, _, _ = random_state(Random(f"waiting {number}"), caps=False)
        m, words = found.market, ByTheWord(found)
        calls = found.calls()
        to = {c.applicant: c.edge for c in calls}
        assert len(to) == len(calls)
        may = [i for i in range(len(m.applicants)) if found.held[i] < 0 or found.willing[i]]
        for p in range(len(m.programs)):
            here = [e for e in m.program.nonzero()[0].tolist() + (m.program == 0).nonzero()[0].tolist()
                    if m.program[e] == p]  # fmt: skip
            rather = []
            for e in here:
                i = int(m.owner[e])
                now = to.get(i, int(found.held[i]))
                settled = found.accepted[i] and not found.willing[i]
                if i in may and not settled and (now < 0 or e <= now) and e != found.held[i]:
                    rather.append(e)
            assert words.beside(p, rather) == {e for e in to.values() if m.program[e] == p}, number
        number_called += len(calls)
    assert number_called > MARKETS / 20


@pytest.mark.parametrize("part", range(PARTS))
def test_calls_keep_seats_caps_and_those_who_hold(part: int) -> None:
    for number in range(part, MARKETS, PARTS):
        found, _, _ = random_state(Random(f"capped {number}"), caps=True)
        m = found.market
        calls = found.calls()
        size = Counter({p: len(people) for p, people in enumerate(found.at)})
        size.update(int(m.program[c.edge]) for c in calls)
        assert all(n <= max(m.capacity[p], len(found.at[p])) for p, n in size.items()), number
        for cap in m.caps:
            new = sum(int(m.program[c.edge]) in cap.programs for c in calls)
            held = sum(len(found.at[p]) for p in cap.programs)
            assert not new or held + new <= cap.seats, number
        for call in calls:
            assert call.before < 0 or found.willing[call.applicant]
            assert found.held[call.applicant] < 0 or call.edge < found.held[call.applicant]


@pytest.mark.parametrize("part", range(PARTS))
def test_the_first_of_a_list_is_called_when_that_seat_comes_free(part: int) -> None:
    compared = 0
    for number in range(part, MARKETS // 2, PARTS):
        rng = Random(f"first {number}")
        instance = random_instance(rng, "stable", minimums=False, caps=False)
        tables = tables_of(instance)
        policy = Policy.from_tables(tables)
        made = Market.from_tables(tables, policy)
        result = solve(made, policy)
        pairs = [
            (made.applicants[i], made.programs[p]) for i, p in enumerate(result.matching) if p >= 0
        ]
        before = Earlier(tuple(sorted(Placement(*pair, False) for pair in pairs)), "")
        found = WaitingList(made, policy, before)
        queues: dict[tuple[int, str], list[str]] = {}
        for line in found.lines():
            queues.setdefault(line[:2], []).append(made.applicants[made.owner[line.edge]])
        unplaced = set(made.applicants) - {a for a, _ in pairs}
        for p, at in enumerate(found.at):
            label = found.choice.seat_labels(p, at)
            last = {(s, label[e]): e for e, s in at}
            for (stage, group), edge in last.items():
                name = ("open_first", "hard", "soft", "open")[stage]
                key = p, name if group == "open" else f"{name}:{group}"
                who = made.applicants[made.owner[edge]]
                gone = with_decisions(tables, decided("rejected", f"{who} {made.programs[p]}"))
                left = tuple(one for one in before.placements if one.applicant != who)
                after = WaitingList(Market.from_tables(gone, policy), policy, Earlier(left, ""))
                calls = [after.market.applicants[c.applicant] for c in after.calls()
                         if after.market.program[c.edge] == p]  # fmt: skip
                expected = [one for one in queues.get(key, []) if one in unplaced][:1]
                assert calls == expected, (number, key)
                compared += 1
    assert compared > 20 or MARKETS < 100


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def after(tmp_path: Path) -> Path:
    """A round solved; A has accepted and waits for Q, B has withdrawn since."""
    lists_ = {"A": "Q P", "B": "Q", "C": "P", "D": "P"}
    scores = {"A Q": 1, "B Q": 2, "A P": 4, "C P": 3, "D P": 2}
    make_round(lists_, {"P": 2, "Q": 1}, scores=scores).write(tmp_path / "round")
    assert run("solve", tmp_path / "round").exit_code == 0
    make_round(
        lists_, {"P": 2, "Q": 1}, scores=scores, applicants={"B": {"review": "withdrawn"}},
        decisions=[*confirmed("A P"), *decided("waiting", "A P")],
    ).write(tmp_path / "round")  # fmt: skip
    return tmp_path / "round"


def read(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [",".join(row) for row in csv.reader(file)][1:]


def test_the_lists_are_written_and_told(after: Path) -> None:
    done = run("waiting", after)
    assert done.exit_code == 0, done.output
    assert [row.split(",")[:6] for row in read(after / "waiting" / "waiting.csv")] == [
        ["P", "open", "1", "D", "", "unplaced"], ["Q", "open", "1", "A", "P", "waiting"],
    ]  # fmt: skip
    assert read(after / "waiting" / "calls.csv") == ["A,P,Q,1"]
    assert "B 原在 Q：现在不符合条件（资格审核），不能保留。" in done.stderr
    assert "这一次递补 1 人" in done.stdout
    assert run("waiting", after).exit_code == 0, "the lists are replaced by newer ones"


def test_one_person_is_told_of_herself_alone(after: Path) -> None:
    done = run("waiting", after, "--applicant", "A", "--lang", "zh")
    assert "A 在 Q 候补第 1 位，共 1 人（空出的是普通席位时）。" in done.stdout
    assert "A 这一次递补到 Q。" in done.stdout and "D" not in done.stdout
    assert "C 不在任何候补名单上。" in run("waiting", after, "--applicant", "C").stdout
    assert run("waiting", after, "--applicant", "Z").exit_code == 2


def test_what_is_no_result_of_this_round_is_refused(after: Path, tmp_path: Path) -> None:
    assert run("waiting", after, "--result", after / "nothing").exit_code == 2
    other = tmp_path / "other"
    make_round({"A": "P"}, {"P": 1}, {"policy.round": "2"}).write(other)
    assert run("solve", other).exit_code == 0
    done = run("waiting", after, "--result", other / "result")
    assert done.exit_code == 2 and "是轮次“2”的结果，这一轮是“—”" in done.stderr
    (after / "result" / "placements.csv").write_bytes(b"applicant,program\nA,Q\n")
    done = run("waiting", after)
    assert done.exit_code == 2 and "没有完好的 placements.csv" in done.stderr
    assert not (after / "waiting").exists()


def test_a_folder_with_something_else_is_left_alone(after: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("")
    assert run("waiting", after, "--out", tmp_path / "mine").exit_code == 2
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["letter"]


def test_crossing_caps_are_refused_on_the_screen(tmp_path: Path) -> None:
    caps = {"S": {"seats": 1, "programs": "P;Q"}}
    seats = dict.fromkeys("PQR", 1)
    make_round({"A": "P"}, seats, caps=caps).write(tmp_path)
    assert run("solve", tmp_path).exit_code == 0
    make_round({"A": "P"}, seats, caps=caps | {"T": {"seats": 1, "programs": "Q;R"}}).write(
        tmp_path
    )
    done = run("waiting", tmp_path)
    assert done.exit_code == 2 and "refused_crossing_cap" in done.stderr
