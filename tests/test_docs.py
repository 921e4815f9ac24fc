"""The documentation is true: its commands exist, its tree exists, its smallest round runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import README as BENCHMARKS
from benchmarks.__main__ import recorded, tabulated
from matcher import cli

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def run(*arguments: str) -> str:
    """What ``python -m matcher`` prints."""
    command = [sys.executable, "-X", "utf8", "-m", "matcher", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture(scope="module")
def commands() -> set[str]:
    """The commands that the program itself lists."""
    listed = run("--help").partition("Commands:")[2]
    return set(re.findall(r"(?m)^  (\w+)", listed))


def test_commands_of_the_documents_exist(commands: set[str]) -> None:
    named = set(re.findall(r"python -m matcher (\w+)", README + CONTRIBUTING))
    assert named and named <= commands


def test_commands_are_documented(commands: set[str]) -> None:
    assert {c for c in commands if f"`{c}`" not in README and f"matcher {c}" not in README} == set()


def test_targets_of_the_documents_exist() -> None:
    named = set(re.findall(r"(?m)^make ([\w-]+)|`make ([\w-]+)`", README + CONTRIBUTING))
    targets = set(re.findall(r"(?m)^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    assert {a or b for a, b in named} <= targets


def tree() -> list[str]:
    """The paths of the README's tree; two spaces of indentation are one folder down."""
    block = re.search(r"## 目录.*?```\n(.*?)```", README, re.DOTALL)
    assert block
    paths: list[str] = []
    folder = ""
    for line in block[1].splitlines():
        name, *description = re.split(r"\s{2,}", line.strip(), maxsplit=1)
        assert description, f"{name} has no description"
        inside = line.startswith("  ")
        paths.append(folder + name if inside else name)
        if not inside:
            folder = name
    return paths


def test_the_tree_shows_what_is_there() -> None:
    assert [path for path in tree() if not (ROOT / path).exists()] == []


def test_the_tree_shows_every_file_of_matcher() -> None:
    there = {f"matcher/{path.name}" for path in (ROOT / "matcher").glob("*.py")}
    assert there <= set(tree())


def test_links_lead_somewhere() -> None:
    for document in (README, CONTRIBUTING):
        targets = re.findall(r"\]\(([^)#:]+)\)", document)
        assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_column_reference_is_what_the_code_says() -> None:
    assert (ROOT / "data" / "README.md").read_text(encoding="utf-8") == run("columns")


def test_the_tables_of_the_benchmarks_are_what_was_recorded() -> None:
    text = BENCHMARKS.read_text(encoding="utf-8")
    assert tabulated(text, recorded()) == text


def test_a_round_in_six_commands(tmp_path: Path) -> None:
    block = re.search(r"## 一轮，六条命令.*?```\n(.*?)```", README, re.DOTALL)
    assert block
    lines = block[1].splitlines()
    assert len(lines) == 6
    for line in lines:
        words = line.removeprefix("python -m matcher ").split()
        run(*(str(tmp_path / word) if "/" in word else word for word in words))
    assert (tmp_path / "instance" / "round" / "result" / "report.json").is_file()


def test_the_smallest_round_of_the_readme_is_placed_and_proved(tmp_path: Path) -> None:
    files = re.findall(r"```\w+ (\w+\.(?:csv|toml))\n(.*?)```", README, re.DOTALL)
    assert len(files) == 4
    folder = tmp_path / "instance" / "mine"
    folder.mkdir(parents=True)
    for name, content in files:
        (folder / name).write_text(content, encoding="utf-8")
    for command in ("validate", "solve", "verify", "explain", "report"):
        run(command, str(folder))
    for line in re.findall(r"(?m)^python -m matcher (.* instance/mine .*)$", README):
        run(*(str(tmp_path / word) if "/" in word else word for word in line.split()))
    placements = (folder / "result" / "placements.csv").read_text(encoding="utf-8")
    assert placements.count("no_choice") == 0
    assert placements.count("not_reached") == 1


def test_the_table_of_counterfactuals_names_every_option() -> None:
    section = README.split("### 如果……", 1)[1].split("\n### ", 1)[0]
    shown = set(re.findall(r"--[a-z][a-z-]+", "".join(re.findall(r"(?m)^\|.*$", section))))
    options = {o for p in cli.main.commands["what-if"].params for o in p.opts}
    assert shown == options - {"folder", "--lang"}
