"""The command line: generate | validate | solve | verify | explain | report | compare | demo | columns.

Exit status: 0 done; 1 a claim is broken; 2 the input is not valid, and nothing was written; 3 no
publishable result within the limits, though what is known is written.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from . import terminal
from .explain import Explanation, explain
from .fairness import Fairness
from .market import Market
from .policy import Policy
from .report import GUARANTEES, compare, report
from .result import Result, Status
from .solve import UnsupportedConstraint, solve
from .tables import InvalidRound, Issue, Tables
from .terminal import Voice, console
from .validate import validate
from .verify import Unreadable, Verdict, verify

BROKEN, INVALID, UNPUBLISHABLE = 1, 2, 3

UNFINISHED = {"min_size", "outcome", "optimality"}
"""Claims that do not hold of a result whose making was cut short."""

DEMO = Path(__file__).resolve().parent.parent / "data" / "demo"
INSTANCE = Path("instance")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """订单班匹配：读入一轮，按规则录取，检验，解释，报告。

    Order-class matching: read a round, place people by its rules, prove, explain, report.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


def _languages(command: Callable[..., Any]) -> Callable[..., Any]:
    chosen = click.Choice(["zh", "en", "both"])
    return click.option(
        "--lang", type=chosen, default="both", show_default=True, help="语言 / language"
    )(command)


_FOLDER = click.argument("folder", type=click.Path(path_type=Path))
_RESULT = click.option(
    "--result", "out", metavar="OUT", type=click.Path(path_type=Path),
    help="结果文件夹，默认 FOLDER/result / result folder",
)  # fmt: skip


# --- reading, with a friendly end where it cannot be done


@dataclass(frozen=True)
class Speaker:
    """Who speaks on standard output, who on standard error."""

    out: Voice
    err: Voice

    @classmethod
    def of(cls, lang: str) -> Speaker:
        """Speakers of a language or of both."""
        return cls(Voice(lang, console()), Voice(lang, console(sys.stderr)))

    def stop(self, status: int, code: str, /, **numbers: object) -> NoReturn:
        """Say why on standard error, and end."""
        self.err.say(code, "", **numbers)
        raise click.exceptions.Exit(status)

    def refuse(self, issues: list[Issue]) -> NoReturn:
        """List every issue on standard error, and end: nothing is written."""
        terminal.issues(self.err, issues)
        errors = sum(issue.severity == "error" for issue in issues)
        self.stop(INVALID, "not_written", errors=errors)

    @contextmanager
    def minding(self, path: Path, code: str = "unreadable") -> Iterator[None]:
        """End with a sentence where a file or folder cannot be read (or written)."""
        try:
            yield
        except OSError as error:
            shown = error.filename or path
            self.stop(INVALID, code, path=shown, why=error.strerror or type(error).__name__)


@dataclass(frozen=True)
class Given:
    """A round as given: its folder, tables, rules and market."""

    folder: Path
    tables: Tables
    policy: Policy
    market: Market


def _tables(folder: Path, speaker: Speaker) -> Tables:
    if folder.exists() and not folder.is_dir():
        speaker.stop(INVALID, "not_a_folder", path=folder)
    with speaker.minding(folder):
        try:
            return Tables.read(folder)
        except FileNotFoundError:
            speaker.stop(INVALID, "folder_missing", path=folder)


def _given(folder: Path, speaker: Speaker, mechanism: str | None = None) -> Given:
    """Read a round, or list everything that is wrong with it and end."""
    return _market(folder, _tables(folder, speaker), speaker, mechanism)


def _market(folder: Path, tables: Tables, speaker: Speaker, mechanism: str | None = None) -> Given:
    try:
        policy = Policy.from_tables(tables)
        if mechanism:
            policy = replace(policy, mechanism=mechanism)
        return Given(folder, tables, policy, Market.from_tables(tables, policy))
    except InvalidRound:
        speaker.refuse(validate(tables))


def _must_exist(folder: Path, out: Path, speaker: Speaker) -> None:
    """End with the command that makes the result, where there is none."""
    if (out / "result.json").is_file():
        return
    command = ["python", "-m", "matcher", "solve", str(folder)]
    if out != folder / "result":
        command += ["--out", str(out)]
    speaker.stop(INVALID, "result_missing", path=out, command=shlex.join(command))


def _result(given: Given, out: Path, speaker: Speaker) -> tuple[Policy, Result]:
    """Read a result of this very round back, with the policy it was made by."""
    _must_exist(given.folder, out, speaker)
    try:
        digests = json.loads((out / "result.json").read_bytes())["digests"]
        if digests["inputs"] != given.tables.digest():
            speaker.stop(INVALID, "result_of_other_round", path=out)
        for name in sorted(set(digests) - {"inputs"}):
            if hashlib.sha256((out / name).read_bytes()).hexdigest() != digests[name]:
                speaker.stop(INVALID, "result_malformed", path=out, why=name)
        result = Result.read(out, given.market)
        numbers = [*result.objective, *(n for c in result.closings for n in (c.placed, c.min_size))]
        if result.mechanism not in GUARANTEES or not all(isinstance(n, int) for n in numbers):
            raise ValueError("result.json")
        broken = _broken(out / "verdict.json")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        why = f"{type(error).__name__}: {error}"
        speaker.stop(INVALID, "result_malformed", path=out, why=why)
    if broken - (UNFINISHED if result.status is Status.FEASIBLE else set()):
        speaker.stop(BROKEN, "result_broken", path=out, claims=", ".join(sorted(broken)))
    return replace(given.policy, mechanism=result.mechanism), result


def _broken(verdict: Path) -> set[str]:
    """The claims that a verdict calls broken; none where nobody has verified."""
    if not verdict.is_file():
        return set()
    claims = json.loads(verdict.read_bytes())["claims"]
    return {str(claim["name"]) for claim in claims if claim["status"] == "BROKEN"}


# --- the steps


def _place(given: Given, speaker: Speaker) -> Result:
    try:
        return solve(given.market, given.policy)
    except UnsupportedConstraint as error:
        speaker.refuse(error.issues)


def _may_write(out: Path, speaker: Speaker) -> None:
    """Refuse to replace anything that is not a result."""
    if out.exists() and not (out / "result.json").is_file() and not _is_empty(out):
        speaker.stop(INVALID, "not_a_result", path=out)


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


@contextmanager
def _on_the_way(out: Path) -> Iterator[Path]:
    """A folder beside the result's, gone at the end unless it was put in place."""
    tmp = _beside(out, ".tmp")
    try:
        yield tmp
    finally:
        shutil.rmtree(tmp, ignore_errors=True)


def _beside(out: Path, ending: str) -> Path:
    """The folder beside another that is used on the way, empty."""
    path = out.absolute()
    path = path.with_name(path.name + ending)
    if path.is_dir():
        shutil.rmtree(path)
    return path


def _verify(folder: Path, out: Path, speaker: Speaker) -> Verdict:
    try:
        return verify(folder, out)
    except Unreadable as error:
        speaker.stop(INVALID, "unreadable", path=folder, why=error)


def _is_demo(folder: Path) -> bool:
    try:
        return Policy.from_toml((folder / "policy.toml").read_bytes()).demo
    except (OSError, InvalidRound):
        return False


def _write(given: Given, result: Result, folder: Path) -> None:
    result.write(folder, given.market, given.tables.digest(), given.policy.round)


def _settle(tmp: Path, out: Path, result: Result, verdict: Verdict, speaker: Speaker) -> None:
    """Put a verified result in its place, or, with a broken claim, aside.

    A result that was cut short is kept though what it had no time for does not hold; it says so.
    """
    (tmp / "verdict.json").write_text(verdict.to_json(), encoding="utf-8")
    for path in tmp.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    broken = {claim.name for claim in verdict.claims if claim.status == "BROKEN"}
    if broken - (UNFINISHED if result.status is Status.FEASIBLE else set()):
        aside = _beside(out, ".broken")
        tmp.rename(aside)
        terminal.verdict(speaker.err, verdict)
        speaker.stop(BROKEN, "broken", path=aside)
    if out.exists():
        old = _beside(out, ".old")
        out.rename(old)
        tmp.rename(out)
        shutil.rmtree(old)
    else:
        tmp.rename(out)


def _end(result: Result, out: Path, speaker: Speaker) -> None:
    """Exit status 3 where the result cannot be published."""
    if not result.publishable:
        speaker.stop(UNPUBLISHABLE, "not_publishable", status=result.status.value, path=out)


def _explain(given: Given, policy: Policy, result: Result, out: Path) -> list[Explanation]:
    told = list(explain(given.market, policy, result))
    lines = "".join(one.to_json() + "\n" for one in told)
    (out / "reasons.jsonl").write_bytes(lines.encode())
    return told


def _report(given: Given, policy: Policy, result: Result, out: Path) -> dict[str, Any]:
    fairness = Fairness(given.market, policy, result)
    document = report(given.market, policy, result, fairness)
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    (out / "report.json").write_bytes(text.encode())
    (out / "fairness.csv").write_bytes(fairness.sheet.to_csv(given.market))
    return document


# --- the commands


@main.command(name="generate")
@click.option("--applicants", type=click.IntRange(1), required=True, help="人数 / people")
@click.option("--classes", type=click.IntRange(1), required=True, help="班数 / classes")
@click.option("--seed", type=int, default=1, show_default=True, help="种子 / seed")
@_FOLDER
@_languages
def generate_command(applicants: int, classes: int, seed: int, folder: Path, lang: str) -> None:
    """用一个种子生成一轮虚构的数据 / make a fictional round from a seed."""
    from .generate import write_round

    speaker = Speaker.of(lang)
    if folder.exists() and not _is_empty(folder):
        speaker.stop(INVALID, "not_empty", path=folder)
    with speaker.minding(folder, "unwritable"):
        write_round(applicants, classes, seed, folder)
    speaker.out.say("written", path=folder)


@main.command(name="validate")
@_FOLDER
@_languages
def validate_command(folder: Path, lang: str) -> None:
    """一次列出全部问题和改法 / list every issue at once, and how to mend it."""
    speaker = Speaker.of(lang)
    found = validate(_tables(folder, speaker))
    terminal.issues(speaker.err, found)
    errors = sum(issue.severity == "error" for issue in found)
    warnings = len(found) - errors
    if errors:
        speaker.stop(INVALID, "invalid", errors=errors, warnings=warnings)
    speaker.out.say("valid", warnings=warnings)


@main.command(name="solve")
@_FOLDER
@click.option("--mechanism", metavar="NAME", help="stable | parallel | optimal")
@click.option(
    "--out", metavar="OUT", type=click.Path(path_type=Path),
    help="结果文件夹，默认 FOLDER/result / result folder",
)  # fmt: skip
@_languages
def solve_command(folder: Path, mechanism: str | None, out: Path | None, lang: str) -> None:
    """录取并检验，写出结果 / place, verify, and write the result."""
    speaker = Speaker.of(lang)
    out = out or folder / "result"
    given = _given(folder, speaker, mechanism)
    _may_write(out, speaker)
    result = _place(given, speaker)
    with speaker.minding(out, "unwritable"), _on_the_way(out) as tmp:
        _write(given, result, tmp)
        verdict = _verify(folder, tmp, speaker)
        _settle(tmp, out, result, verdict, speaker)
    terminal.verdict(speaker.out, verdict, given.policy.demo)
    opened = int(result.opened.sum())
    placed = int((result.matching >= 0).sum())
    speaker.out.say(
        "solved", placed=placed, applicants=len(result.matching), opened=opened,
        closed=len(result.opened) - opened,
    )  # fmt: skip
    speaker.out.say("written", path=out)
    _end(result, out, speaker)


@main.command(name="verify")
@_FOLDER
@_RESULT
@_languages
def verify_command(folder: Path, out: Path | None, lang: str) -> None:
    """独立检验，每条结论一行 / verify: one line per claim."""
    speaker = Speaker.of(lang)
    out = out or folder / "result"
    if not folder.is_dir():
        speaker.stop(INVALID, "not_a_folder" if folder.exists() else "folder_missing", path=folder)
    _must_exist(folder, out, speaker)
    verdict = _verify(folder, out, speaker)
    with speaker.minding(out, "unwritable"):
        (out / "verdict.json").write_text(verdict.to_json(), encoding="utf-8")
    terminal.verdict(speaker.out, verdict, _is_demo(folder))
    if verdict.broken:
        raise click.exceptions.Exit(BROKEN)


@main.command(name="explain")
@_FOLDER
@_RESULT
@click.option("--applicant", metavar="ID", help="只说这一位 / only this person")
@_languages
def explain_command(folder: Path, out: Path | None, applicant: str | None, lang: str) -> None:
    """为什么是这里，为什么不是那里 / why here and why not there, for everybody or for one."""
    speaker = Speaker.of(lang)
    out = out or folder / "result"
    given = _given(folder, speaker)
    policy, result = _result(given, out, speaker)
    with speaker.minding(out, "unwritable"):
        told = _explain(given, policy, result, out)
    if applicant is None:
        terminal.outcomes(speaker.out, told, policy.demo)
        speaker.out.say("written", path=out / "reasons.jsonl")
        return
    one = next((e for e in told if e.applicant == applicant), None)
    if one is None:
        example = told[0].applicant if told else ""
        speaker.stop(INVALID, "applicant_unknown", value=applicant, example=example)
    terminal.explanation(speaker.out, one, policy.demo)


@main.command(name="report")
@_FOLDER
@_RESULT
@_languages
def report_command(folder: Path, out: Path | None, lang: str) -> None:
    """录取、志愿、类别、开班、公平 / placed, choices, groups, classes, fairness."""
    speaker = Speaker.of(lang)
    out = out or folder / "result"
    given = _given(folder, speaker)
    policy, result = _result(given, out, speaker)
    with speaker.minding(out, "unwritable"):
        document = _report(given, policy, result, out)
    terminal.figures(speaker.out, document)
    speaker.out.say("files", files=f"{out / 'report.json'}, {out / 'fairness.csv'}")


@main.command(name="compare")
@_FOLDER
@click.argument("first", metavar="OUT1", type=click.Path(path_type=Path))
@click.argument("second", metavar="OUT2", type=click.Path(path_type=Path))
@_languages
def compare_command(folder: Path, first: Path, second: Path, lang: str) -> None:
    """两个结果并排，列出谁的去向变了 / two results of a round, with who moves."""
    speaker = Speaker.of(lang)
    given = _given(folder, speaker)
    (policy, a), (_, b) = (_result(given, out, speaker) for out in (first, second))
    found = compare(given.market, policy, a, b)
    terminal.comparison(speaker.out, found, given.policy.demo)


@main.command(name="columns")
def columns_command() -> None:
    """每张表每一列的说明（Markdown）/ the column reference as Markdown."""
    from .reference import columns

    sys.stdout.write(columns())


# --- the demo


class _Seconds(ProgressColumn):
    """Seconds that a step has taken."""

    def render(self, task: Task) -> Text:
        seconds = task.finished_time if task.finished else task.elapsed
        return Text(f"{seconds or 0:6.1f} s", "cyan")


class _Steps:
    """The steps of a run on the screen: which one, and how long it has taken."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice
        self.progress = Progress(
            SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), _Seconds(),
            console=voice.output,
        )  # fmt: skip

    @contextmanager
    def step(self, code: str) -> Iterator[None]:
        """Show a step while it runs."""
        task = self.progress.add_task(self.voice.name("step", code), total=1)
        yield
        self.progress.update(task, completed=1)


@main.command(name="demo")
@click.option(
    "--out", metavar="OUT", type=click.Path(path_type=Path), default=INSTANCE / "demo-result",
    show_default=True, help="结果文件夹 / result folder",
)  # fmt: skip
@_languages
def demo_command(out: Path, lang: str) -> None:
    """演示一轮：从文件到有证明、有解释的录取 / a whole round, from files to explained placements."""
    speaker = Speaker.of(lang)
    speaker.out.say("demo", "bold")
    _may_write(out, speaker)
    steps = _Steps(speaker.out)
    with (
        tempfile.TemporaryDirectory() as scratch,
        speaker.minding(out, "unwritable"),
        steps.progress,
    ):
        folder = _demo_folder(Path(scratch) / "demo", steps)
        result, document, told, verdict = _run(folder, out, speaker, steps)
    speaker.out.line("")
    terminal.figures(speaker.out, document)
    speaker.out.line(speaker.out.name("title", "explanation", " · "), "bold")
    terminal.explanation(speaker.out, _telling(told), demo=True)
    terminal.verdict(speaker.out, verdict, demo=True)
    speaker.out.say("written", path=out)
    speaker.out.say("demo", "bold")
    _end(result, out, speaker)


def _demo_folder(scratch: Path, steps: _Steps) -> Path:
    """The demo round of the tree, or the same bytes made anew."""
    if DEMO.is_dir():
        return DEMO
    with steps.step("generate"):
        from .generate import demo

        demo().write(scratch)
    return scratch


def _run(
    folder: Path, out: Path, speaker: Speaker, steps: _Steps
) -> tuple[Result, dict[str, Any], list[Explanation], Verdict]:
    """The whole of a round; verified last, so that the report is verified too."""
    with steps.step("read"):
        tables = _tables(folder, speaker)
    with steps.step("validate"):
        given = _market(folder, tables, speaker)
    with steps.step("solve"):
        result = _place(given, speaker)
    with _on_the_way(out) as tmp:
        _write(given, result, tmp)
        with steps.step("explain"):
            told = _explain(given, given.policy, result, tmp)
        with steps.step("report"):
            document = _report(given, given.policy, result, tmp)
        with steps.step("verify"):
            verdict = _verify(folder, tmp, speaker)
        _settle(tmp, out, result, verdict, speaker)
    return result, document, told, verdict


def _telling(told: list[Explanation]) -> Explanation:
    """The explanation with the most different reasons, those beside the law first."""

    def variety(one: Explanation) -> tuple[int, int]:
        codes = {reason.code for reason in one.reasons}
        return sum(not code.startswith("barred_") for code in codes), len(codes)

    return max(told, key=variety)
