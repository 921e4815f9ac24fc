"""Result folders: what may replace what, what a verdict speaks of, and what is said of a result."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from matcher import Market, Policy, Result, Tables, cli, keeping, solve
from matcher.mechanisms import stable
from matcher.objective import ceiling, components
from matcher.verify import Claim, Verdict
from tests.matcher.test_cli import EXAMPLE, FILES, ROOT, digests_renewed, edit, files, run
from tests.rounds import make_round

SEED = "演示种子：种子由规则写定，不是公开摇号"


def out_of_time(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """The clock jumps past the limit before the first class is closed."""
    ticks = iter(range(0, 1_000_000, 500))
    patch.setattr(stable, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    with (folder / "policy.toml").open("a", encoding="utf-8") as policy:
        policy.write("\n[limits]\ntime_s = 1\n")


def about(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "result.json").read_bytes())
    return found


# --- what cannot be published


def test_it_does_not_replace_what_can(solved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {p.name: p.read_bytes() for p in (solved / "result").iterdir()}
    out_of_time(solved, monkeypatch)
    for _ in range(2):  # the second replaces the first
        done = run("solve", solved)
        assert done.exit_code == 3
        assert "result 里是可公布的结果，没有动" in done.stderr
        assert "result.unpublishable" in done.stderr
    assert {p.name: p.read_bytes() for p in (solved / "result").iterdir()} == before
    assert files(solved / "result.unpublishable") == FILES
    assert about(solved / "result.unpublishable")["publishable"] is False


@pytest.mark.parametrize("harm", ["broken", "unpublishable", "no json"])
def test_it_replaces_what_cannot_be_published_either(
    solved: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    result = solved / "result"
    if harm == "broken":
        edit(result / "verdict.json", '"status": "PROVED"', '"status": "BROKEN"')
    elif harm == "unpublishable":
        edit(result / "result.json", '"publishable": true', '"publishable": false')
    else:
        (result / "result.json").write_text("{", encoding="utf-8")
    out_of_time(solved, monkeypatch)
    assert run("solve", solved).exit_code == 3
    assert about(result)["status"] == "FEASIBLE"
    assert not (solved / "result.unpublishable").exists()


def test_what_is_in_the_way_is_not_deleted(solved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    precious = solved / "result.unpublishable"
    precious.mkdir()
    (precious / "file").write_text("x", encoding="utf-8")
    out_of_time(solved, monkeypatch)
    assert run("solve", solved).exit_code == 2
    assert files(precious) == {"file"}
    assert about(solved / "result")["publishable"] is True


def test_it_is_never_shown_as_a_result(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out_of_time(folder, monkeypatch)
    done = run("solve", folder)
    assert done.stdout.startswith("不可公布（可行，未完成）：限时内没有做完。")
    assert "人录取" not in done.stdout and "已写入" not in done.stdout
    shown = run("report", folder)
    explained = run("explain", folder)
    one = run("explain", folder, "--applicant", "A01")
    for told in (shown, explained, one):
        assert told.exit_code == 3
        lines = told.stdout.splitlines()
        assert lines[0].startswith("不可公布") and lines[1].startswith("NOT PUBLISHABLE")
        assert lines[-2].startswith("不可公布") and lines[-1].startswith("NOT PUBLISHABLE")
    assert "没有高分落榜" not in shown.stdout
    assert "这种录取方式的保证" not in shown.stdout and "What this mechanism" not in shown.stdout
    document = json.loads((folder / "result" / "report.json").read_bytes())
    assert document["guarantees"] == []
    verified = run("verify", folder)
    assert verified.exit_code == 1
    assert verified.stdout.startswith("不可公布")


def test_another_plan_is_equally_good(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = cli.solve
    monkeypatch.setattr(cli, "solve", lambda m, p: replace(made(m, p), unique=False))
    monkeypatch.setattr(cli, "verify", lambda *_: Verdict(()))
    done = run("solve", folder)
    assert done.exit_code == 3
    assert "不可公布（最优）：另有同样好的方案。" in done.stdout
    assert run("report", folder).exit_code == 3


def test_the_demo_says_it_too(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_time(folder, monkeypatch)
    monkeypatch.setattr(cli, "DEMO", folder)
    done = run("demo", "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert "不可公布" in done.stdout and "没有高分落榜" not in done.stdout
    assert "没有得到可公布的结果" in done.stderr and "已写入" not in done.stdout


def test_its_bounds_are_what_could_be(monkeypatch: pytest.MonkeyPatch) -> None:
    lists = {"A": "P", "B": "Q", "C": "Q", "D": "Q", "E": ""}
    rules = {"limits.time_s": 1}
    tables = make_round(lists, {"P": 2, "Q": 1}, rules, order_classes={"C": 2},
                        programs={"P": {"order_class": "C"}})  # fmt: skip
    policy = Policy.from_tables(tables)
    market = Market.from_tables(tables, policy)
    ticks = iter(range(0, 1_000_000, 500))
    monkeypatch.setattr(stable, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    result = solve(market, policy)
    assert result.status.value == "FEASIBLE"
    bounds = dict(zip(result.components, result.bound, strict=True))
    assert bounds["placed"] == 3, "as many as there are seats"
    assert bounds["rank"] == 0, "everybody at her first choice costs nothing"
    few = make_round({"A": "P", "B": ""}, {"P": 5}, reserves={"P g": 2})
    market = Market.from_tables(few, Policy.from_tables(few))
    most = {c.name: ceiling(market, c) for c in components(market, Policy.from_tables(few))}
    assert (most["placed"], most["reserves"]) == (1, 2)


# --- verdicts speak of files


def test_a_verdict_carries_the_digests_of_what_it_judged(solved: Path) -> None:
    run("report", solved)
    assert run("verify", solved).exit_code == 0
    document = json.loads((solved / "result" / "verdict.json").read_bytes())
    assert set(document) == {"digests", "broken", "claims"}
    assert set(document["digests"]) == {*keeping.JUDGED, "report.json"} - {"kept.csv"}
    assert "重新检验" not in run("explain", solved).stderr


@pytest.mark.parametrize("harm", ["missing", "no json", "list", "other", "old", "draw"])
def test_without_a_verdict_of_these_files_it_is_verified_again(solved: Path, harm: str) -> None:
    verdict = solved / "result" / "verdict.json"
    document = json.loads(verdict.read_bytes())
    if harm == "missing":
        verdict.unlink()
    elif harm == "no json":
        verdict.write_text("{", encoding="utf-8")
    elif harm == "list":
        verdict.write_text("[]", encoding="utf-8")
    elif harm == "other":
        document["digests"]["placements.csv"] = "0" * 64
    elif harm == "old":
        del document["digests"]
    elif harm == "draw":
        document["digests"]["draw.json"] = "0" * 64
    if harm in ("other", "old", "draw"):
        verdict.write_text(json.dumps(document), encoding="utf-8")
    for times, command in enumerate(("explain", "report")):
        done = run(command, solved)
        assert done.exit_code == 0
        assert ("正在重新检验" in done.stderr) == (times == 0), "its verdict is kept"


def test_a_forged_result_is_found_out(solved: Path) -> None:
    """Placements changed, every digest of the result renewed, the old verdict left or removed."""
    result = solved / "result"
    edit(result / "placements.csv", "A01,NEV-X,1,open,ordinary", "A01,,,,not_reached")
    digests_renewed(result)
    other = solved.parent / "other"
    shutil.copytree(result, other)
    (other / "verdict.json").unlink()
    for out in (result, other):
        for command in ("explain", "report"):
            done = run(command, solved, "--result", out)
            assert done.exit_code == 1
            assert "没有通过检验" in done.stderr
    assert run("compare", solved, result, other).exit_code == 1


def test_the_judgment_is_told_though_it_cannot_be_kept(
    solved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (solved / "result" / "verdict.json").unlink()

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(keeping, "write_verdict", refuse)
    done = run("compare", solved, solved / "result", solved / "result")
    assert done.exit_code == 0
    assert not (solved / "result" / "verdict.json").exists()


def test_verify_names_a_result_file_that_is_cut_off(solved: Path) -> None:
    (solved / "result" / "result.json").write_text('{"mech', encoding="utf-8")
    for command in ("verify", "report"):
        done = run(command, solved)
        assert done.exit_code == 2
        assert "结果文件不完整或已损坏" in done.stderr and "result.json" in done.stderr
        assert "权限" not in done.stderr


def test_a_folder_without_a_result_withholds_nothing(tmp_path: Path) -> None:
    assert keeping.withheld(tmp_path) is None


def test_a_round_is_checked_at_home_with_one_file(solved: Path, tmp_path: Path) -> None:
    """As the README says: the folder, this file, and Python without anything installed."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python verify.py FOLDER" in readme
    shutil.copy(ROOT / "matcher" / "verify.py", tmp_path / "verify.py")
    done = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", tmp_path / "verify.py", solved],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "已证明 无高分落榜 | PROVED no_justified_envy" in done.stdout.decode()


def test_verify_names_what_it_did_not_judge(solved: Path) -> None:
    run("report", solved)
    run("explain", solved)
    assert (
        "未检验的附件：fairness.csv, reasons.jsonl, verdict.json。" in run("verify", solved).stdout
    )
    for name in cli.UNVERIFIED:
        (solved / "result" / name).unlink()
    assert "未检验的附件" not in run("verify", solved).stdout


# --- the seed, the warnings


def test_a_seed_that_nobody_drew_is_named(solved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("solve", "verify", "report", "explain"):
        assert run(command, solved).stdout.count(SEED) == 1
    assert SEED in run("compare", solved, solved / "result", solved / "result").stdout
    monkeypatch.setattr(cli, "DEMO", EXAMPLE)
    assert SEED in run("demo", "--out", solved.parent / "demo").stdout
    (solved / "draw.json").write_text("{}", encoding="utf-8")
    assert SEED not in run("verify", solved).stdout


def test_solve_tells_the_warnings(tmp_path: Path) -> None:
    make_round({"A": "P", "B": ""}, {"P": 1}).write(tmp_path)
    done = run("solve", tmp_path)
    assert "[no_choices] B: " in done.stderr
    assert done.stdout.index("提醒 1 处") < done.stdout.index("1 人录取，共 2 人")


# --- runs side by side, and runs that end early


def test_two_runs_into_one_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second run comes and goes while the first is writing."""
    made, ran = Result.write, []

    def write(self: Result, out: Path, *rest: Any) -> None:
        made(self, out, *rest)
        if not ran:
            ran.append(True)
            assert run("solve", folder).exit_code == 0

    monkeypatch.setattr(Result, "write", write)
    done = run("solve", folder)
    assert done.exit_code == 0, "each has a folder of its own; the later one stays"
    assert files(folder / "result") == FILES
    assert not list(folder.glob("result.*"))


def test_the_place_is_taken_at_the_last_moment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    renamed = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if Path(target).name == "result" and not Path(target).exists():
            Path(target).mkdir()
            (Path(target) / "result.json").write_text("{}", encoding="utf-8")
        return renamed(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    done = run("solve", folder)
    assert done.exit_code == 2
    assert "在此期间被另一次运行写入" in done.stderr
    assert files(folder / "result") == {"result.json"}
    assert not list(folder.glob("result.*"))


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()])
def test_the_old_result_stays_where_the_new_one_cannot_come(
    solved: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    renamed = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.name == "result" and Path(target).name == "result":
            raise error
        return renamed(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    done = run("solve", solved)
    assert done.exit_code == (130 if isinstance(error, KeyboardInterrupt) else 2)
    monkeypatch.undo()
    assert run("report", solved).exit_code == 0
    assert not list(solved.glob("result.*"))


def test_an_interruption_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "verify", stop)
    done = run("solve", folder)
    assert done.exit_code == 130
    assert done.stderr.splitlines()[0] == "已中断，没有留下写了一半的文件。"
    assert "Aborted" not in done.output
    assert not list(folder.glob("result*"))


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-X", "utf8", "-m", "matcher", *map(str, arguments)]


@pytest.mark.parametrize("of", ["report", "columns"])
def test_nobody_reads_on(solved: Path, of: str) -> None:
    asked = command(of, solved) if of == "report" else command(of)
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as pipe:
        done = subprocess.run(asked, cwd=ROOT, stdout=pipe, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
@pytest.mark.parametrize("of", ["report", "columns"])
def test_nowhere_to_write(solved: Path, of: str) -> None:
    asked = command(of, solved) if of == "report" else command(of)
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(asked, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False)
    told = done.stderr.decode()
    assert done.returncode == 2
    assert told.startswith("输出写不了（磁盘已满）。") and "Traceback" not in told


def test_causes_that_have_no_name_keep_their_code(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, named in ((OSError(71, "x"), "EPROTO"), (OSError("x"), "系统出错")):

        def refuse(_: object, error: OSError = error) -> Tables:
            raise error

        monkeypatch.setattr(Tables, "read", refuse)
        assert f"读不了（{named}）" in run("solve", folder).stderr


def test_a_pipe_that_breaks_in_the_middle_of_writing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(Result, "write", refuse)
    done = run("solve", folder)
    assert (done.exit_code, done.output) == (141, "")


def test_what_is_claimed_and_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The optimal mechanism may leave envy: its verdict says how much, not that there is none."""
    for name in ("NEV,3", "TEXT,3", "WELD,1"):
        edit(folder / "order_classes.csv", name, name.split(",")[0] + ",0")
    done = run("solve", folder, "--mechanism", "optimal")
    assert done.exit_code == 0
    assert "已证明 PROVED 高分落榜已逐对列全，共 " in done.stdout
    assert "every unused seat listed, " in done.stdout
    assert "无高分落榜" not in done.stdout and "no justified envy" not in done.stdout
    skipped = Claim("caps", "TRUSTED", {}, "after:inputs")
    broken = Claim("inputs", "BROKEN", {"violations": 1}, "", ({"code": "round"},))
    monkeypatch.setattr(cli, "verify", lambda *_: Verdict((broken, skipped)))
    shown = run("verify", folder)
    assert shown.exit_code == 1
    assert "未检验 NOT JUDGED 总量上限" in shown.stdout
    assert "result.json 写的轮次与规则不符 / " in shown.stdout


# --- what is refused before any work is done


@pytest.mark.parametrize(
    "command",
    [
        ("solve", "--out"), ("resolve", "--keep", "{result}", "--out"), ("odds", "--out"),
        ("waiting", "--out"), ("what-if", "--close", "NEV", "--out"),
    ],
)  # fmt: skip
def test_a_folder_that_cannot_be_made_is_refused_before_any_work(
    solved: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: object, **__: object) -> None:
        raise AssertionError("begun")

    for name in ("cli.solve", "cli.resolve", "odds_screen.counted", "late.WaitingList"):
        monkeypatch.setattr(f"matcher.{name}", work)
    name, *options = (word.format(result=solved / "result") for word in command)
    inside = solved / "policy.toml" / "in" / "here"
    done = run(name, solved, *options, inside)
    assert done.exit_code == 2, done.output
    assert f"{inside.parents[1]} 写不了（路径中有一段不是文件夹）" in done.stderr
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK | os.X_OK)
    done = run(name, solved, *options, solved / "new")
    assert done.exit_code == 2, done.output
    assert f"{solved} 写不了（没有权限）" in done.stderr and not done.stdout


@pytest.mark.parametrize("command", ["explain", "waiting"])
def test_a_folder_of_something_else_is_no_reason_to_solve_into_it(
    solved: Path, command: str
) -> None:
    for path in (solved, solved / "policy.toml"):
        done = run(command, solved, "--result", path)
        assert done.exit_code == 2
        assert f"{path} 里没有录取结果（result.json）。请核对路径。" in done.stderr
    kept = run("resolve", solved, "--keep", solved / "nowhere")
    assert kept.exit_code == 2 and "请给出原结果的文件夹" in kept.stderr
    assert "solve" not in kept.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("solve",), "没有写 FOLDER。"),
        (("resolve", "."), "没有写 --keep。"),
        (("solve", ".", "--nope"), "没有选项 --nope。"),
        (("odds", ".", "--draws", "x"), "--draws 的内容不对，见下。"),
        (("solve", ".", "more"), "命令写得不对，见下。"),
        (("nothing",), "命令写得不对，见下。"),
    ],
)
def test_what_is_wrong_with_a_command_line_is_said_in_both_languages(
    command: tuple[str, ...], said: str
) -> None:
    done = run(*command)
    assert done.exit_code == 2 and not done.stdout
    assert said in done.stderr and "Error: " in done.stderr


def test_no_command_at_all_shows_the_help() -> None:
    done = run()
    assert done.exit_code == 2 and "Commands:" in done.output and "写得不对" not in done.output


def test_no_bar_is_drawn_where_nobody_looks(solved: Path) -> None:
    for arguments in (("odds", solved, "--draws", 2), ("what-if", solved, "--value-of-seats")):
        done = run(*arguments)
        assert done.exit_code == 0 and done.stderr == ""
