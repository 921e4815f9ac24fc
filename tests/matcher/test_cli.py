"""The command line: what it prints, what it writes, and how it ends, on good and on bad input."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from matcher import Tables, cli
from matcher.result import UNFINISHED
from matcher.verify import Claim, Unreadable, Verdict
from tests.rounds import make_round

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "data" / "example"
FILES = {
    "placements.csv", "thresholds.csv", "classes.csv", "barred.csv", "result.json",
    "certificate.json", "verdict.json",
}  # fmt: skip


def run(*arguments: object) -> Result:
    """The command line, answered; a traceback is an error of the test."""
    done = CliRunner().invoke(cli.main, [str(a) for a in arguments], prog_name="python -m matcher")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert "Traceback" not in done.output
    return done


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def edit(path: Path, old: str, new: str) -> None:
    """Change a file in one place."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# --- a round that is sound


def test_solve_verifies_and_writes(folder: Path) -> None:
    done = run("solve", folder)
    assert done.exit_code == 0
    assert files(folder / "result") == FILES
    assert "录取线" in done.stdout and "PROVED" in done.stdout
    assert "9 人录取，共 12 人" in done.stdout
    assert not list(folder.glob("result.*"))


def test_solving_again_replaces_the_result(solved: Path) -> None:
    (solved / "result" / "report.json").write_text("{}", encoding="utf-8")
    assert run("solve", solved).exit_code == 0
    assert files(solved / "result") == FILES
    assert not list(solved.glob("result.*"))


def test_a_mechanism_of_ones_choice(folder: Path) -> None:
    out = folder.parent / "elsewhere" / "parallel"
    done = run("solve", folder, "--mechanism", "parallel", "--out", out)
    assert done.exit_code == 0
    about = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert about["mechanism"] == "parallel"
    assert "须信任 TRUSTED 输入与摘要" in done.stdout
    assert "规则里写的是 stable" in done.stdout


def test_verify_prints_a_line_for_each_claim(solved: Path) -> None:
    done = run("verify", solved)
    assert done.exit_code == 0
    assert done.stdout.count("PROVED") == 10
    assert done.stdout.startswith("【演示数据】检验结论 · Verdict")
    assert "已证明 PROVED 无高分落榜" in done.stdout


def test_verify_after_report_checks_the_report_too(solved: Path) -> None:
    run("report", solved)
    assert "统计数字 report figures" in run("verify", solved).stdout
    document = solved / "result" / "report.json"
    edit(document, '"placed": 9,\n "profile"', '"placed": 10,\n "profile"')
    done = run("verify", solved)
    assert done.exit_code == 1
    assert "不成立 BROKEN 统计数字 report figures" in done.stdout
    assert "报表里 placed 与重算不符" in done.stdout


def test_explain_everybody(solved: Path) -> None:
    done = run("explain", solved)
    assert done.exit_code == 0
    lines = (solved / "result" / "reasons.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["applicant"] for line in lines] == [f"A{n:02}" for n in range(1, 13)]
    assert "按志愿录取" in done.stdout


def test_explain_one_applicant_in_both_languages(solved: Path) -> None:
    done = run("explain", solved, "--applicant", "A10")
    assert done.stdout.splitlines()[:2] == [
        "【演示数据】A10",
        "  第 2 志愿录取：WELD，“农民工”预留席位。争取这个席位的人里您排第 3，席位 4 个。",
    ]
    assert "  您按放宽的年龄录取。" in done.stdout
    assert "It needs 3 people and had 2, 1 short (closed as number 1)." in done.stdout


@pytest.mark.parametrize(("lang", "there", "not_there"), [
    ("zh", "未录取", "Not placed"), ("en", "Not placed", "未录取"),
])  # fmt: skip
def test_one_language_alone(solved: Path, lang: str, there: str, not_there: str) -> None:
    said = run("explain", solved, "--applicant", "A05", "--lang", lang).stdout
    assert there in said and not_there not in said
    for command in ("validate", "verify", "report", "solve"):
        told = run(command, solved, "--lang", lang).stdout
        assert (
            "figures" in told or "Verdict" in told or "errors" in told or "Fairness" in told
        ) == (lang == "en")


def test_report_writes_figures_and_the_whole_sheet(solved: Path) -> None:
    done = run("report", solved)
    assert done.exit_code == 0
    found = json.loads((solved / "result" / "report.json").read_text(encoding="utf-8"))
    assert found["profile"]["1"] == 4
    sheet = (solved / "result" / "fairness.csv").read_text(encoding="utf-8").splitlines()
    assert len(sheet) == 9
    assert "A09,A10,WELD,reserve" in sheet
    for words in ("志愿满足情况", "差 1 人 1 short", "开班率", "未启用", "没有高分落榜", "NEV"):
        assert words in done.stdout


def test_report_of_a_mechanism_that_leaves_envy(folder: Path) -> None:
    edit(folder / "order_classes.csv", "NEV,3", "NEV,0")
    edit(folder / "order_classes.csv", "TEXT,3", "TEXT,0")
    edit(folder / "order_classes.csv", "WELD,1", "WELD,0")
    assert run("solve", folder, "--mechanism", "optimal").exit_code == 0
    done = run("report", folder)
    assert "高分落榜和空位未用共" in done.stdout
    assert run("explain", folder).exit_code == 0


def test_compare_two_results(solved: Path) -> None:
    out = solved.parent / "other"
    run("solve", solved, "--mechanism", "parallel", "--out", out)
    done = run("compare", solved, solved / "result", out)
    assert done.exit_code == 0
    assert "变好 better 0, 变差 worse 0" in done.stdout
    assert "parallel" in done.stdout


def test_compare_shows_who_moves(folder: Path) -> None:
    for table in ("NEV,3", "TEXT,3", "WELD,1"):
        edit(folder / "order_classes.csv", table, table.split(",")[0] + ",0")
    first, second = folder.parent / "a", folder.parent / "b"
    run("solve", folder, "--out", first)
    run("solve", folder, "--mechanism", "optimal", "--out", second)
    done = run("compare", folder, first, second)
    moves = [line.split() for line in done.stdout.splitlines() if line.startswith("A0")]
    assert moves and all({"better", "worse", "same"} & set(line) for line in moves)


def test_columns_is_the_reference() -> None:
    text = run("columns").stdout
    assert "## applicants.csv 申请人" in text
    assert "| `mechanism.closure` |" in text
    assert "`[[age_rule]]`" in text


def test_generate_makes_a_round_that_solves(tmp_path: Path) -> None:
    folder = tmp_path / "round"
    arguments = ("generate", "--applicants", 60, "--classes", 4, "--seed", 2)
    assert run(*arguments, folder).exit_code == 0
    assert run("validate", folder).exit_code == 0
    again = run(*arguments, folder)
    assert again.exit_code == 2
    assert "不是空文件夹" in again.stderr


# --- the demo


@pytest.fixture
def small_demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The demo over the example round, in a directory of its own."""
    monkeypatch.setattr(cli, "DEMO", EXAMPLE)
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def test_demo_shows_the_whole_round(small_demo: Path) -> None:
    done = run("demo")
    assert done.exit_code == 0
    for words in ("演示数据，不得用作统计", "读入 read", "独立检验 verify", "志愿满足情况", "人员类别",
                  "未开班", "公平性核查", "一位申请人的解释", "检验结论", "统计数字"):  # fmt: skip
        assert words in done.stdout
    assert done.stdout.count("演示数据") > 8
    result = small_demo / "instance" / "demo-result"
    assert files(result) == FILES | {"report.json", "fairness.csv", "reasons.jsonl"}
    assert run("demo").exit_code == 0


def test_the_demo_is_not_solved_again_where_nothing_changed(
    small_demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run("demo").stdout
    figures = first[first.index("【演示数据】") :]
    solved: list[object] = []
    honest = cli.solve
    monkeypatch.setattr(cli, "solve", lambda *args: solved.append(args) or honest(*args))
    second = run("demo").stdout
    assert "结果未变，直接显示上次的输出" in second and second.endswith(figures) and not solved
    assert "读入 read" not in second
    assert run("demo", "--lang", "en").exit_code == 0 and len(solved) == 1
    assert "unchanged, shown from the last run" in run("demo", "--lang", "en").stdout
    assert "结果未变" not in run("demo", "--anew").stdout and len(solved) == 2


@pytest.mark.parametrize("change", ["result", "round", "program", "record"])
def test_the_demo_is_solved_again_where_something_changed(
    small_demo: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(cli, "DEMO", folder)
    sources = small_demo / "sources"
    sources.mkdir()
    (sources / "cli.py").write_text("1")
    monkeypatch.setattr("matcher.again.SOURCES", sources)
    assert run("demo").exit_code == 0
    assert "结果未变" in run("demo").stdout
    result = small_demo / "instance" / "demo-result"
    if change == "result":
        (result / "placements.csv").write_text("applicant,program\n")
    elif change == "round":
        edit(folder / "programs.csv", "NEV-X,2", "NEV-X,3")
    elif change == "program":
        (sources / "cli.py").write_text("2")
    else:
        result.with_name("demo-result.shown.json").write_text("[]")
    done = run("demo")
    assert done.exit_code == 0 and "结果未变" not in done.stdout
    assert "结果未变" in run("demo").stdout


def test_demo_without_the_tree_makes_the_round(
    small_demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "DEMO", small_demo / "nowhere")
    monkeypatch.setattr("matcher.generate.demo", lambda: Tables.read(EXAMPLE))
    done = run("demo", "--out", small_demo / "out", "--lang", "zh")
    assert done.exit_code == 0
    assert "生成演示数据" in done.stdout
    assert (small_demo / "out" / "verdict.json").is_file()


def test_demo_lists_what_is_wrong_with_its_round(small_demo: Path, folder: Path) -> None:
    edit(folder / "programs.csv", "NEV-X,2", "NEV-X,-2")
    cli.DEMO = folder
    done = run("demo")
    assert done.exit_code == 2
    assert "[negative]" in done.stderr
    assert not (small_demo / "instance" / "demo-result").exists()


def test_lines_are_as_long_as_they_need_to_be(solved: Path) -> None:
    text = run("report", solved).stdout
    assert "第一志愿满足率（第一志愿录取/审核通过且填志愿）" in text
    assert not any(line != line.rstrip() for line in text.splitlines())


# --- endings


def with_verdict(monkeypatch: pytest.MonkeyPatch, *claims: Claim) -> None:
    monkeypatch.setattr(cli, "verify", lambda *_: Verdict(claims))


def test_a_broken_claim_leaves_no_result(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    violation = {"code": "over_capacity", "program": "NEV-X"}
    with_verdict(monkeypatch, Claim("capacity", "BROKEN", {"violations": 1}, "", (violation,)))
    done = run("solve", folder)
    assert done.exit_code == 1
    assert files(folder) & {"result", "result.tmp"} == set()
    assert files(folder / "result.broken") == FILES
    assert "不成立 BROKEN 席位容量 capacities ×1" in done.stderr
    assert "席位 NEV-X：录取 — 人" in done.stderr
    assert run("solve", folder).exit_code == 1


def test_the_demo_ends_with_a_broken_claim(
    small_demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_verdict(monkeypatch, Claim("caps", "BROKEN"))
    done = run("demo")
    assert done.exit_code == 1
    assert not (small_demo / "instance" / "demo-result").exists()
    assert "志愿满足情况" not in done.stdout


def test_a_result_cut_short_is_written_and_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock jumps past the limit before the first class is closed."""
    ticks = iter(range(0, 10_000, 500))
    clock = SimpleNamespace(perf_counter=lambda: next(ticks))
    monkeypatch.setattr("matcher.mechanisms.stable.time", clock)
    with (folder / "policy.toml").open("a", encoding="utf-8") as policy:
        policy.write("\n[limits]\ntime_s = 1\n")
    done = run("solve", folder)
    assert done.exit_code == 3
    assert "没有得到可公布的结果（可行，未完成）" in done.stderr
    assert "限时 1 秒内没有算完" in done.stderr and "逐个停开" not in done.stderr
    about = json.loads((folder / "result" / "result.json").read_text(encoding="utf-8"))
    assert (about["status"], about["publishable"]) == ("FEASIBLE", False)
    verdict = json.loads((folder / "result" / "verdict.json").read_text(encoding="utf-8"))
    assert {c["name"] for c in verdict["claims"] if c["status"] == "BROKEN"} <= UNFINISHED
    assert "可行，未完成" in run("report", folder).stdout


def test_more_time_ends_the_work_with_the_same_outcome(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("solve", folder).exit_code == 0
    ticks = iter(range(0, 10_000, 500))
    clock = SimpleNamespace(perf_counter=lambda: next(ticks))
    monkeypatch.setattr("matcher.mechanisms.stable.time", clock)
    out = tmp_path / "out"
    assert run("solve", folder, "--out", out, "--time-s", 1).exit_code == 3
    done = run("solve", folder, "--out", out, "--time-s", 1_000_000)
    assert done.exit_code == 0 and "没有算完" not in done.stderr
    for name in ("placements.csv", "classes.csv"):
        assert (out / name).read_bytes() == (folder / "result" / name).read_bytes()
    assert "--time-s 的内容不对" in run("solve", folder, "--time-s", "-1").stderr


def test_a_result_that_is_not_the_only_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = cli.solve
    monkeypatch.setattr(cli, "solve", lambda m, p: replace(made(m, p), unique=False))
    with_verdict(monkeypatch)
    assert run("solve", folder).exit_code == 3


# --- bad input: exit 2, everything told, nothing written


@pytest.mark.parametrize("command", ["validate", "solve", "verify", "explain", "report"])
@pytest.mark.parametrize("what", ["missing", "file"])
def test_a_folder_that_is_none(tmp_path: Path, command: str, what: str) -> None:
    path = tmp_path / "round"
    if what == "file":
        path.write_text("x", encoding="utf-8")
    done = run(command, path)
    assert done.exit_code == 2
    assert str(path) in done.stderr
    assert ("不是文件夹" if what == "file" else "找不到文件夹") in done.stderr


@pytest.mark.parametrize("command", ["solve", "explain", "report"])
def test_everything_wrong_is_listed_at_once(folder: Path, command: str) -> None:
    edit(folder / "programs.csv", "NEV-X,2", "NEV-X,二")
    edit(folder / "applications.csv", "A01,1,NEV", "A01,1,NOWHERE")
    edit(folder / "caps.csv", "U1-BEDS,5", "U1-BEDS,")
    done = run(command, folder)
    assert done.exit_code == 2
    lines = [line for line in done.stderr.splitlines() if "[" in line]
    assert [line.split("]")[0].split("[")[1] for line in lines] == [
        "not_integer", "unknown_reference", "missing_value",
    ]  # fmt: skip
    assert lines[0].startswith(
        "错误 订单席位表 programs.csv 第 2 行 席位数 capacity [not_integer] 二: "
    )
    assert "请" in lines[0] and "whole number" in lines[0]
    assert "有 3 处错误，什么也没有写" in done.stderr
    assert not (folder / "result").exists()


def test_a_key_that_the_policy_does_not_know(folder: Path) -> None:
    edit(folder / "policy.toml", 'rank = "min_cost"', 'ranks = "min_cost"')
    done = run("solve", folder)
    assert done.exit_code == 2
    assert "错误 规则 policy.toml mechanism.ranks [unknown_key] mechanism.ranks: " in done.stderr


def test_warnings_do_not_stop_anybody(tmp_path: Path) -> None:
    make_round({"A": "P", "B": ""}, {"P": 1}).write(tmp_path)
    done = run("validate", tmp_path)
    assert done.exit_code == 0
    assert "提醒 申请人表 applicants.csv 第 3 行 报名号 applicant [no_choices] B: " in done.stderr
    assert "没有错误，提醒 1 处" in done.stdout
    assert run("solve", tmp_path).exit_code == 0


def test_english_lines_of_issues(folder: Path) -> None:
    edit(folder / "programs.csv", "NEV-X,2", "NEV-X,-2")
    done = run("validate", folder, "--lang", "en")
    assert "error programs.csv row 2 capacity [negative] -2: -2 is negative" in done.stderr


def test_control_characters_of_a_cell_do_not_reach_the_terminal(folder: Path) -> None:
    edit(folder / "programs.csv", "NEV-X,2", "NEV-X,\x1b[31m2")
    assert "\x1b[31m" not in run("validate", folder).stderr


def test_what_a_mechanism_cannot_honour(folder: Path) -> None:
    done = run("solve", folder, "--mechanism", "max_placement")
    assert done.exit_code == 2
    assert "[refused_soft_reserve]" in done.stderr
    assert not (folder / "result").exists()
    unknown = run("solve", folder, "--mechanism", "first_come")
    assert unknown.exit_code == 2
    assert "录取方式“first_come”目前没有" in unknown.stderr


@pytest.mark.parametrize("command", ["verify", "explain", "report"])
def test_no_result_yet_says_how_to_make_it(folder: Path, command: str) -> None:
    done = run(command, folder)
    assert done.exit_code == 2
    assert f"python -m matcher solve {folder}" in done.stderr
    other = run(command, folder, "--result", folder / "x")
    assert f"--out {folder / 'x'}" in other.stderr


def test_compare_needs_both_results(solved: Path) -> None:
    assert run("compare", solved, solved / "result", solved / "none").exit_code == 2


@pytest.mark.parametrize("command", ["explain", "report"])
def test_a_result_of_other_data_is_refused(solved: Path, command: str) -> None:
    edit(solved / "scores.csv", "A01,W,92", "A01,W,93")
    done = run(command, solved)
    assert done.exit_code == 2
    assert "不是由现在的数据算出的" in done.stderr


def test_verify_of_a_result_of_other_data_is_broken(solved: Path) -> None:
    edit(solved / "scores.csv", "A01,W,92", "A01,W,93")
    assert run("verify", solved).exit_code == 1


def test_an_applicant_nobody_knows(solved: Path) -> None:
    done = run("explain", solved, "--applicant", "Z")
    assert done.exit_code == 2
    assert "没有报名号“Z”。请核对，例如 A01。" in done.stderr


def digests_renewed(result: Path, **changes: Any) -> None:
    """Give result.json the digests of the files as they stand, and other changes."""
    import hashlib

    about = json.loads((result / "result.json").read_text(encoding="utf-8")) | changes
    for name in set(about["digests"]) - {"inputs"}:
        content = (result / name).read_bytes()
        about["digests"][name] = hashlib.sha256(content).hexdigest()
    (result / "result.json").write_text(json.dumps(about), encoding="utf-8")


@pytest.mark.parametrize("command", ["explain", "report"])
@pytest.mark.parametrize("harm", [
    "removed", "edited", "unknown person", "no json", "no digests", "list", "mechanism", "closing",
    "price",
])  # fmt: skip
def test_a_result_that_was_harmed(solved: Path, command: str, harm: str) -> None:
    result = solved / "result"
    about = result / "result.json"
    if harm == "removed":
        (result / "classes.csv").unlink()
    elif harm == "edited":
        edit(result / "placements.csv", "A09,,", "A09,WELD,")
    elif harm == "unknown person":
        edit(result / "placements.csv", "A01", "Z01")
        digests_renewed(result)
    elif harm == "no json":
        about.write_text("{", encoding="utf-8")
    elif harm == "no digests":
        about.write_text("{}", encoding="utf-8")
    elif harm == "list":
        about.write_text("[1]", encoding="utf-8")
    elif harm == "mechanism":
        digests_renewed(result, mechanism="first_come")
    elif harm == "closing":
        edit(result / "certificate.json", '"placed": 2', '"placed": "2"')
        digests_renewed(result)
    elif harm == "price":
        edit(result / "thresholds.csv", "\n", ",\n")
        (result / "thresholds.csv").write_text("program,stage\nNEV-X,open\n", encoding="utf-8")
        digests_renewed(result)
    done = run(command, solved)
    assert done.exit_code == 2
    assert "结果文件不完整或已损坏" in done.stderr


def test_a_result_that_did_not_pass_is_not_shown(solved: Path) -> None:
    edit(solved / "result" / "verdict.json", '"status": "PROVED"', '"status": "BROKEN"')
    for command in ("explain", "report"):
        done = run(command, solved)
        assert done.exit_code == 1
        assert "没有通过检验（inputs）" in done.stderr


def test_a_folder_that_is_no_result_is_not_replaced(folder: Path) -> None:
    precious = folder.parent / "precious"
    precious.mkdir()
    (precious / "file").write_text("x", encoding="utf-8")
    done = run("solve", folder, "--out", precious)
    assert done.exit_code == 2
    assert "不会覆盖" in done.stderr
    assert files(precious) == {"file"}
    assert run("solve", folder, "--out", folder).exit_code == 2
    empty = folder.parent / "empty"
    empty.mkdir()
    assert run("solve", folder, "--out", empty).exit_code == 0


@pytest.mark.parametrize("command", ["solve", "verify"])
def test_files_that_the_verifier_cannot_read(
    solved: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Verdict:
        raise Unreadable(solved / "programs.csv", "why")

    monkeypatch.setattr(cli, "verify", refuse)
    done = run(command, solved)
    assert done.exit_code == 2
    assert "读不了" in done.stderr
    assert not list(solved.glob("result.*"))


def test_files_that_nobody_may_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> Tables:
        raise PermissionError(13, "Permission denied", str(folder / "programs.csv"))

    monkeypatch.setattr(Tables, "read", refuse)
    done = run("solve", folder)
    assert done.exit_code == 2
    assert "programs.csv 读不了（没有权限）" in done.stderr


def test_a_result_that_cannot_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matcher.result.Result.write", refuse)
    done = run("solve", folder)
    assert done.exit_code == 2
    assert "写不了（磁盘已满）" in done.stderr
    assert not (folder / "result").exists()


def test_a_policy_that_cannot_be_read_is_no_demo(solved: Path) -> None:
    """The verifier has its own reading of the folder; the mark is a courtesy."""
    (solved / "policy.toml").write_text("[policy]\nnew = 1\n", encoding="utf-8")
    done = run("verify", solved)
    assert done.exit_code == 1
    assert "演示数据" not in done.stdout


# --- the program as such


def test_help_starts_fast_and_loads_no_solver() -> None:
    code = (
        "import sys; from matcher.cli import main\n"
        "try:\n main(['--help'], prog_name='python -m matcher')\nexcept SystemExit: pass\n"
        "print(sorted({'ortools', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    shown = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        capture_output=True, text=True, check=True, env=environment, encoding="utf-8",
    )  # fmt: skip
    assert shown.stdout.strip().endswith("[]")
    for command in (
        "generate",
        "validate",
        "solve",
        "verify",
        "explain",
        "report",
        "compare",
        "demo",
    ):
        assert command in shown.stdout


def test_the_module_is_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "matcher", "columns"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout.decode() == run("columns").stdout


def test_a_console_is_wide_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    from matcher.terminal import WIDE, console

    monkeypatch.delenv("COLUMNS", raising=False)
    assert console().width == WIDE
    monkeypatch.setenv("COLUMNS", "90")
    assert console().width == 90


def test_it_speaks_to_any_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    cli.main(["columns"], standalone_mode=False)
    assert stream.getvalue().startswith("# 一轮的文件")
