"""The benchmarks measure what they say: cities are rounds, peers answer alike, tables tell the figures."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from benchmarks import child, flows, recorded, tables
from benchmarks.__main__ import figures, measure
from benchmarks.city import Shape, TooLarge, city, policy
from benchmarks.figures import Figure, NotMeasured, compared, in_turns, peak_mb, stated, weighed
from benchmarks.growth import draw
from benchmarks.measures import MEASURES, Goal, Measurement, chosen
from benchmarks.recorded import Row, medians, shown
from matcher import Market, solve, validate

SHAPES = [
    Shape(300, 20),
    Shape(300, 20, 1.3, consent=0, limits="nested", seed=2),
    Shape(500, 30, 1.5, limits="plain", minimum=0, seed=3, marks=10),
    Shape(60, 5, seed=4, college=2, channels=(0, 2)),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_city_is_the_round_that_its_files_are(shape: Shape) -> None:
    made = city(shape)
    tables_ = made.tables()
    assert [issue for issue in validate(tables_) if issue.severity == "error"] == []
    arrays, read = made.market(), Market.from_tables(tables_)
    for field in fields(Market):
        if field.name not in ("wishes", "tables"):
            one, other = getattr(arrays, field.name), getattr(read, field.name)
            assert np.array_equal(one, other), field.name


def test_a_city_asks_for_everything() -> None:
    market = city(Shape(2_000, 60, 1.3)).market()
    rules = policy("optimal")
    asked = {constraint.value for constraint in market.asks(rules)}
    assert asked == {
        *("capacity", "min_size", "soft_reserve", "hard_reserve", "nested_cap", "crossing_cap"),
        "adjustment",
    }
    assert len(set(market.class_of.tolist())) < len(market.programs)
    assert (market.member.sum(axis=1) > 1).any()
    closed = solve(city(Shape(2_000, 60, 1.3, limits="nested")).market(), policy("stable")).closings
    assert len(closed) > 5


def test_equal_shapes_are_the_same_city_and_seeds_differ() -> None:
    one, same, other = (city(Shape(200, 10, seed=seed)).market() for seed in (1, 1, 2))
    assert np.array_equal(one.program, same.program)
    assert not np.array_equal(one.capacity, other.capacity)


def test_a_city_too_large_for_memory_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.city.MOST_EDGES", 1_000)
    with pytest.raises(TooLarge, match="1,000 pairs"):
        city(Shape(400, 30)).market()


@pytest.mark.parametrize("consent", [0, 78])
def test_all_peers_find_the_same_assignment(consent: int) -> None:
    shape = Shape(120, 10, 0.9, consent, minimum=0, limits="plain")
    market, rules = city(shape).market(), replace(policy("optimal"), objective=("placed", "rank"))
    costs = flows.costs(market, rules)
    held = market.edges_of(solve(market, rules).matching)
    best = costs.value(held[held >= 0])
    assert {name: peer(costs).value for name, peer in flows.PEERS.items()} == dict.fromkeys(
        flows.PEERS, best
    )


def test_a_plan_that_is_none_is_refused() -> None:
    market = city(Shape(50, 5, minimum=0, limits="plain")).market()
    with pytest.raises(ValueError, match="not a plan"):
        flows.costs(market, policy("optimal")).value(np.arange(len(market.program)))


# --- figures, rows, tables ----------------------------------------------------------------------


def test_sides_take_turns_and_are_compared_turn_by_turn() -> None:
    called: list[str] = []

    def side(name: str, seconds: float) -> dict[str, float]:
        called.append(name)
        return {"solve": seconds}

    taken = in_turns({"a": lambda: side("a", 1.0), "b": lambda: side("b", 4.0)})
    assert called[:4] == ["a", "b", "a", "b"]
    assert compared(taken, "b", "a") == 4
    assert stated(taken) == [Figure("a: solve", 1.0), Figure("b: solve", 4.0)]


def test_what_takes_milliseconds_is_taken_several_times_in_a_turn() -> None:
    seconds = [0.03, 0.01, 0.02, 0.5, 9.0, *[0.5] * 4]
    called = iter(seconds)
    taken = in_turns({"a": lambda: {"solve": next(called)}})["a"]
    assert taken[0] == {"solve": 0.025} and taken[1] == {"solve": 9.0}


def twenty() -> float:
    """The megabytes of a block of twenty."""
    megabytes: dict[str, float] = {}
    with weighed(megabytes, "block"):
        block = np.ones(20 * 2**17)
    assert peak_mb() > block.nbytes / 2**20
    return megabytes["block"]


def test_memory_is_what_a_block_needs() -> None:
    """In a process of its own, as measurements are: another might have room from before."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert 15 < pool.submit(twenty).result() < 60


def row(name: str, what: str, value: float, unit: str = "s", seed: int = 1) -> Row:
    return Row.of(name, Figure(what, value, unit), seed, [""] * 10)


def test_rows_come_back_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "RESULTS", tmp_path / "results.csv")
    rows = [row("b", "solve", 1.23456), row("a", "not measured", float("nan"), "why, then")]
    recorded.record([*rows, row("gone", "x", 1)], ["a", "b"])
    assert recorded.recorded() == rows[::-1]
    assert rows[0].value == 1.235
    assert rows[1].value is None


def test_medians_and_what_is_shown_of_them() -> None:
    rows = [row("a", "solve", v, seed=s) for s, v in enumerate((3.0, 1.0, 2.0))]
    assert medians(rows, "a") == {"solve": (2.0, "s")}
    rows = [row("a", "proven", v, "", seed=s) for s, v in enumerate((1.0, 1.0, 0.0, 1.0))]
    assert medians(rows, "a") == {"proven": (0.75, "")}
    assert [shown(1234.5, "s"), shown(0.1234, "s"), shown(1, ""), shown(0.5, "")] == [
        "1,234 s", "0.123 s", "yes", "50 % of the runs",
    ]  # fmt: skip
    assert [shown(12345, "people"), shown(0, "%"), shown(0.05, "%")] == [
        "12,345",
        "0 %",
        "0.0500 %",
    ]


def test_the_tables_tell_goals_met_and_missed_and_what_was_not_measured() -> None:
    rows = [
        row("optimal: demo", "solve", 4.5),
        row("optimal: demo", "proven", 1, ""),
        row("demo, stable", "not measured", float("nan"), "broken"),
        row("flow: seats only, 10,000 x 300", "SimpleMinCostFlow: build", 0.5),
        row("flow: seats only, 10,000 x 300", "SimpleMinCostFlow: solve", 0.5),
        row("flow: seats only, 10,000 x 300", "orderclass, two objectives: solve", 2.0),
        *(row("growth: stable; without consent", f"1,000: {w}", 3, u)
          for w, u in (("solve", "s"), ("memory", "MB"), ("proven", ""))),
    ]  # fmt: skip
    marks = ("goals", "rounds", "optimal", "flow", "growth")
    text = tables.tabulated("".join(f"<!-- {m} -->\nold\n<!-- end -->\n" for m in marks), rows)
    assert "old" not in text
    assert "| optimal: demo | solve | 4.50 s | 1 | ≤ 3 s | **not met** (1.5 of it) |" in text
    assert "| optimal: demo | proven | yes | 1 | yes | met |" in text
    assert "| demo, stable | in all |  | 0 | ≤ 8 s | not measured: broken |" in text
    assert "| not measured: broken |" in text
    assert "one weighted cost | 0.500 s | 0.500 s |  | 0.5 |" in text
    assert "| stable; without consent | 3.00 s, 3.00 MB (not proven) |" not in text
    assert "| stable; without consent | 3.00 s, 3.00 MB" in text


def test_the_picture_is_the_same_whenever_it_is_drawn(tmp_path: Path) -> None:
    points = {"stable; without consent": [(1_000, 0.1, 5.0), (3_000, 0.3, 9.0)]}
    for name in ("one.svg", "two.svg"):
        draw(points, tmp_path / name)
    one = (tmp_path / "one.svg").read_bytes()
    assert one == (tmp_path / "two.svg").read_bytes()
    assert b"CPU seconds" in one


# --- running ------------------------------------------------------------------------------------


def test_names_and_groups_are_chosen() -> None:
    assert chosen([]) == list(MEASURES)
    assert chosen(["optimal: demo"]) == ["optimal: demo"]
    assert len(chosen(["closing"])) == 3
    with pytest.raises(NotMeasured, match="nonsense"):
        chosen(["nonsense"])


def test_goals_at_least_and_at_most() -> None:
    most, least = Goal("solve", 3), Goal("a / b", 2, "times", at_least=True)
    assert [most.met(3), most.met(3.1), least.met(2), least.met(1.9)] == [True, False, True, False]
    assert (str(most), str(least)) == ("≤ 3 s", "≥ 2 times")


def test_a_curve_ends_at_the_first_size_that_cannot_be_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def answer(step: tuple[str, ...], seed: int, fast: bool) -> list[Figure]:
        asked.append(step[-1])
        if step[-1] == "20":
            raise NotMeasured("more pairs than fit")
        return [Figure(f"{step[-1]}: solve", 1.0)]

    monkeypatch.setattr("benchmarks.__main__.child", answer)
    curve = Measurement("growth", tuple(("g", size) for size in ("10", "20", "30")), curve=True)
    found, last = figures(curve, 1)
    assert found.value == 1.0
    assert (last.what, last.unit) == ("20: not measured", "more pairs than fit")
    assert asked == ["10", "20"]


def test_an_error_in_one_step_hides_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(step: tuple[str, ...], seed: int, fast: bool) -> list[Figure]:
        if step[0] == "bad":
            raise NotMeasured("no reason")
        return [Figure("solve", float(seed))]

    monkeypatch.setattr("benchmarks.__main__.child", answer)
    monkeypatch.setitem(MEASURES, "mine", Measurement("rounds", (("bad",), ("good",)), runs=3))
    rows = measure("mine")
    assert [r.value for r in rows] == [None, 1.0, None, 2.0, None, 3.0]
    assert rows[0].unit == "no reason"


def test_a_child_prints_its_figures_or_why_there_are_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing(*arguments: str) -> list[Figure]:
        if arguments == ("none", "1"):
            raise NotMeasured("there is none")
        return [Figure("solve", 1.0)]

    monkeypatch.setattr("benchmarks.growth.measure_nothing", nothing, raising=False)
    monkeypatch.setattr("sys.argv", ["child", "growth.nothing", "some", "1"])
    child.main()
    assert capsys.readouterr().out == '[["solve", 1.0, "s"]]\n'
    monkeypatch.setattr("sys.argv", ["child", "growth.nothing", "none", "1"])
    with pytest.raises(SystemExit) as exit_:
        child.main()
    assert exit_.value.code == child.NOTHING
    assert capsys.readouterr().err == "there is none\n"
