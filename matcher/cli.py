"""The command line: generate | validate | odds | solve | verify | explain | report | compare | what-if |
resolve | conflicts | waiting | next-round | convert | demo | columns.

Exit status: 0 done; 1 a claim is broken; 2 the input is not valid, and nothing was written; 3 no
publishable result within the limits, though what is known is written; 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.progress import (
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
)
from rich.text import Text

from . import (
    again,
    conflicts_screen,
    formats,
    keeping,
    late,
    odds,
    odds_screen,
    terminal,
    whatif_screen,
)
from .explain import Explanation, explain
from .fairness import Fairness
from .given import (
    FOLDER,
    RESULT,
    TIME,
    Given,
    as_given,
    languages,
    must_exist,
    read_round,
    read_tables,
)
from .least import TRIES
from .policy import Policy
from .report import compare, report
from .resolve import CannotKeep, resolve
from .result import Result, Status
from .solve import UnsupportedConstraint, solve
from .speaker import BROKEN, INVALID, UNPUBLISHABLE, Program, Speaker
from .tables import InvalidRound
from .terminal import Named, Voice
from .validate import validate
from .verify import Unreadable, Verdict, verify
from .whatif import Solved

DEMO = Path(__file__).resolve().parent.parent / "data" / "demo"
INSTANCE = Path("instance")

UNVERIFIED = ("fairness.csv", "reasons.jsonl", "verdict.json")
"""What may stand beside a result and is no part of what the verifier judges."""


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """订单班匹配：读入一轮，按规则录取，检验，解释，报告。

    Order-class matching: read a round, place people by its rules, prove, explain, report.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


def _result(given: Given, out: Path, speaker: Speaker) -> tuple[Policy, Result]:
    """Read a verified result of this very round back, with the policy it was made by."""
    must_exist(given.folder, out, speaker)
    result = keeping.read_back(
        out, given.folder, given.market, given.tables.digest(), speaker,
        lambda: _verify(given.folder, out, speaker),
    )  # fmt: skip
    return replace(given.policy, mechanism=result.mechanism), result


# --- the steps


def _place(given: Given, speaker: Speaker) -> Result:
    try:
        with conflicts_screen.minding(speaker):
            return solve(given.market, given.policy)
    except UnsupportedConstraint as error:
        speaker.refuse(error.issues)


def _verify(folder: Path, out: Path, speaker: Speaker, earlier: Path | None = None) -> Verdict:
    try:
        return verify(folder, out, earlier)
    except Unreadable as error:
        if error.path.absolute().is_relative_to(out.absolute()):
            speaker.stop(INVALID, "result_malformed", path=out, file=error.path.name)
        speaker.stop(INVALID, "not_whole", path=error.path)


def _policy_of(folder: Path) -> Policy:
    """The rules of a folder that only the verifier reads; what cannot be read is no demo."""
    try:
        return Policy.from_toml((folder / "policy.toml").read_bytes())
    except (OSError, InvalidRound):
        return Policy()


def _write(given: Given, result: Result, folder: Path) -> None:
    result.write(folder, given.market, given.tables.digest(), given.policy.round)


def _about_seed(seed: str, folder: Path, speaker: Speaker) -> None:
    """Say of a result whose seed nobody drew that it is so."""
    if seed and not (folder / "draw.json").exists():
        speaker.out.say("seed_stated")


def _stop_short(policy: Policy, result: Result, out: Path, speaker: Speaker) -> NoReturn:
    """Exit status 3, what would end the work, and where the unpublishable result is kept."""
    status = Named("status", result.status.value)
    if result.status is Status.FEASIBLE and policy.seconds:
        speaker.err.say("more_time", seconds=policy.seconds)
        if result.mechanism != "optimal" and policy.closure == "exact":
            speaker.err.say("close_in_turn")
    speaker.stop(UNPUBLISHABLE, "not_publishable", status=status, path=out)


def _end(result: Result, speaker: Speaker) -> None:
    """Exit status 3 where the result cannot be published, and the reason once more."""
    if not result.publishable:
        terminal.unpublishable(speaker.out, result.status.value)
        raise click.exceptions.Exit(UNPUBLISHABLE)


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
@FOLDER
@languages
def generate_command(applicants: int, classes: int, seed: int, folder: Path, lang: str) -> None:
    """用一个种子生成一轮虚构的数据 / make a fictional round from a seed."""
    from .generate import write_round

    speaker = Speaker.of(lang)
    if folder.exists() and not keeping.is_empty(folder):
        speaker.stop(INVALID, "not_empty", path=folder)
    with speaker.minding(folder, "unwritable"):
        write_round(applicants, classes, seed, folder)
    speaker.out.say("written", path=folder)


@main.command(name="validate")
@FOLDER
@click.option("--before-draw", is_flag=True, help="还没有摇号 / the draw is still to come")
@languages
def validate_command(folder: Path, before_draw: bool, lang: str) -> None:
    """一次列出全部问题和改法 / list every issue at once, and how to mend it."""
    speaker = Speaker.of(lang)
    found = validate(read_tables(folder, speaker), not before_draw)
    terminal.issues(speaker.err, found)
    errors = sum(issue.severity == "error" for issue in found)
    warnings = len(found) - errors
    if errors:
        speaker.stop(INVALID, "invalid", errors=errors, warnings=warnings)
    speaker.out.say("valid", warnings=warnings)


@main.command(name="odds")
@FOLDER
@click.option(
    "--draws", type=click.IntRange(1), default=10_000, show_default=True,
    help="模拟摇号次数 / simulated draws",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1), default=os.cpu_count() or 1,
    help="进程数，默认每核一个 / processes, by default one a core",
)  # fmt: skip
@click.option("--applicant", metavar="ID", help="只说这一位 / only this person")
@click.option(
    "--out", metavar="OUT", type=click.Path(path_type=Path),
    help="写 odds.csv 的文件夹，默认 FOLDER/odds / folder for odds.csv",
)  # fmt: skip
@languages
def odds_command(
    folder: Path, draws: int, workers: int, applicant: str | None, out: Path | None, lang: str
) -> None:
    """摇号之前，每人每个志愿的机会 / before the draw, everybody's chance of each choice."""
    speaker = Speaker.of(lang)
    out = out or folder / "odds"
    given = read_round(folder, speaker, drawn=False)
    market, people = given.market, given.market.applicants
    if applicant is not None and applicant not in people:
        speaker.stop(INVALID, "applicant_unknown", value=applicant, example=next(iter(people), ""))
    keeping.may_write(out, speaker, odds.FILE)
    found = odds_screen.counted(given, draws, workers, speaker)
    with speaker.minding(out, "unwritable"):
        path = odds.write(out, market, found)
    if applicant is None:
        terminal.odds(speaker.out, odds.summary(market, found), given.policy.demo)
    else:
        lines = odds.chances(market, found, people.index(applicant))
        terminal.chances(speaker.out, applicant, lines, found, given.policy.demo)
    if given.policy.seed or given.tables.draw:
        speaker.out.say("odds_drawn")
    speaker.out.say("written", path=path)


@main.command(name="solve")
@FOLDER
@click.option("--mechanism", metavar="NAME", help="stable | parallel | optimal | max_placement")
@TIME
@click.option(
    "--out", metavar="OUT", type=click.Path(path_type=Path),
    help="结果文件夹，默认 FOLDER/result / result folder",
)  # fmt: skip
@languages
def solve_command(
    folder: Path, mechanism: str | None, time_s: int | None, out: Path | None, lang: str
) -> None:
    """录取并检验，写出结果 / place, verify, and write the result.

    \b
    限时不是规则：结果由数据、规则和种子唯一决定，多给时间只会算完，不会换一个结果。
    A limit of time is no rule: the outcome is unique, and more time ends the work, never changes it.
    """
    speaker = Speaker.of(lang)
    out = out or folder / "result"
    given = read_round(folder, speaker, mechanism).within(time_s)
    keeping.may_write(out, speaker)
    _finish(given, _place(given, speaker), out, speaker)


def _finish(
    given: Given, result: Result, out: Path, speaker: Speaker, earlier: Path | None = None
) -> None:
    """Verify a result, put it in its place, and say what it is."""
    folder = given.folder
    with speaker.minding(out, "unwritable"), keeping.on_the_way(out) as tmp:
        _write(given, result, tmp)
        verdict = _verify(folder, tmp, speaker, earlier)
        place = keeping.settle(tmp, out, folder, result, verdict, speaker)
    warnings = [i for i in validate(given.tables) if i.severity == "warning"]
    if not result.publishable:
        terminal.not_proven(speaker.out, result)
    terminal.verdict(speaker.out, verdict, given.policy.demo)
    terminal.issues(speaker.err, warnings)
    speaker.out.say("valid", warnings=len(warnings))
    if result.publishable:
        opened = int(result.opened.sum())
        speaker.out.say(
            "solved", placed=int((result.matching >= 0).sum()), applicants=len(result.matching),
            opened=opened, closed=len(result.opened) - opened,
        )  # fmt: skip
        speaker.out.say("written", path=place)
    _about_seed(given.policy.seed, folder, speaker)
    if not result.publishable:
        _stop_short(given.policy, result, place, speaker)


@main.command(name="resolve")
@FOLDER
@click.option(
    "--keep", "kept", metavar="OUT", type=click.Path(path_type=Path), required=True,
    help="要尽量保留的原结果 / the earlier result to keep",
)  # fmt: skip
@click.option("--soft", is_flag=True, help="已确认的也可让步 / confirmed places may give way")
@TIME
@click.option(
    "--out", metavar="NEW", type=click.Path(path_type=Path),
    help="结果文件夹，默认 FOLDER/resolved / result folder",
)  # fmt: skip
@languages
def resolve_command(
    folder: Path, kept: Path, soft: bool, time_s: int | None, out: Path | None, lang: str
) -> None:
    """变动后重排：已确认的不动，其余少动 / place again, moving as few people as can be."""
    speaker = Speaker.of(lang)
    out = out or folder / "resolved"
    given = read_round(folder, speaker, "optimal").within(time_s)
    earlier = late.read_earlier(given, kept, speaker, soft)
    late.refuse_to_overwrite(kept, out, speaker)
    keeping.may_write(out, speaker)
    try:
        with conflicts_screen.minding(speaker):
            result = resolve(given.market, given.policy, earlier)
    except UnsupportedConstraint as error:
        speaker.refuse(error.issues)
    except CannotKeep as error:
        late.cannot_keep(error, speaker)
        conflicts_screen.refuse(given.market, speaker)
    _finish(given, result, out, speaker, kept)
    late.resolved(speaker.out, given.market, given.policy, result, earlier)


@main.command(name="verify")
@FOLDER
@RESULT
@click.option(
    "--earlier", metavar="OUT", type=click.Path(path_type=Path),
    help="resolve 所保留的原结果 / the result that resolve was to keep",
)  # fmt: skip
@languages
def verify_command(folder: Path, out: Path | None, earlier: Path | None, lang: str) -> None:
    """独立检验，每条结论一行 / verify: one line per claim."""
    speaker = Speaker.of(lang)
    out = out or folder / "result"
    if not folder.is_dir():
        speaker.stop(INVALID, "not_a_folder" if folder.exists() else "folder_missing", path=folder)
    must_exist(folder, out, speaker)
    verdict = _verify(folder, out, speaker, earlier)
    beside = sorted({p.name for p in out.iterdir()} & set(UNVERIFIED))
    with speaker.minding(out, "unwritable"):
        keeping.write_verdict(out, folder, verdict)
    policy = _policy_of(folder)
    if status := keeping.withheld(out):
        terminal.unpublishable(speaker.out, status)
    terminal.verdict(speaker.out, verdict, policy.demo)
    if beside:
        speaker.out.say("unverified", files=", ".join(beside))
    _about_seed(policy.seed, folder, speaker)
    if verdict.broken:
        raise click.exceptions.Exit(BROKEN)


@main.command(name="explain")
@FOLDER
@RESULT
@click.option("--applicant", metavar="ID", help="只说这一位 / only this person")
@languages
def explain_command(folder: Path, out: Path | None, applicant: str | None, lang: str) -> None:
    """为什么是这里，为什么不是那里 / why here and why not there, for everybody or for one."""
    speaker = Speaker.of(lang)
    out = out or folder / "result"
    given = read_round(folder, speaker)
    policy, result = _result(given, out, speaker)
    with speaker.minding(out, "unwritable"):
        told = _explain(given, policy, result, out)
    one = next((e for e in told if e.applicant == applicant), None)
    if applicant is not None and one is None:
        example = told[0].applicant if told else ""
        speaker.stop(INVALID, "applicant_unknown", value=applicant, example=example)
    if not result.publishable:
        terminal.not_proven(speaker.out, result)
    if one:
        terminal.explanation(speaker.out, one, policy.demo)
    else:
        terminal.outcomes(speaker.out, told, policy.demo)
        speaker.out.say("written", path=out / "reasons.jsonl")
    _about_seed(policy.seed, folder, speaker)
    _end(result, speaker)


@main.command(name="report")
@FOLDER
@RESULT
@languages
def report_command(folder: Path, out: Path | None, lang: str) -> None:
    """录取、志愿、类别、开班、公平 / placed, choices, groups, classes, fairness."""
    speaker = Speaker.of(lang)
    out = out or folder / "result"
    given = read_round(folder, speaker)
    policy, result = _result(given, out, speaker)
    with speaker.minding(out, "unwritable"):
        document = _report(given, policy, result, out)
    if not result.publishable:
        terminal.not_proven(speaker.out, result)
    terminal.figures(speaker.out, document)
    speaker.out.say("files", files=f"{out / 'report.json'}, {out / 'fairness.csv'}")
    _about_seed(policy.seed, folder, speaker)
    _end(result, speaker)


@main.command(name="compare")
@FOLDER
@click.argument("first", metavar="OUT1", type=click.Path(path_type=Path))
@click.argument("second", metavar="OUT2", type=click.Path(path_type=Path))
@languages
def compare_command(folder: Path, first: Path, second: Path, lang: str) -> None:
    """两个结果并排，列出谁的去向变了 / two results of a round, with who moves."""
    speaker = Speaker.of(lang)
    given = read_round(folder, speaker)
    (policy, a), (_, b) = (_result(given, out, speaker) for out in (first, second))
    found = compare(given.market, policy, a, b)
    terminal.comparison(speaker.out, found, given.policy.demo)
    _about_seed(policy.seed, folder, speaker)


@main.command(name="convert")
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--from", "origin", type=click.Choice(formats.KINDS), help="IN 的格式 / format of IN")
@click.option("--to", "goal", type=click.Choice(formats.KINDS), help="OUT 的格式 / format of OUT")
@click.option(
    "--capacities", metavar="FILE", type=click.Path(path_type=Path),
    help="PrefLib 各席位的名额：program,capacity / seats of a PrefLib file",
)  # fmt: skip
@languages
def convert_command(
    source: Path, target: Path, origin: str | None, goal: str | None, capacities: Path | None,
    lang: str,
) -> None:  # fmt: skip
    """换格式：Glasgow、PrefLib、一轮的文件夹 / between Glasgow, PrefLib and the folder of a round."""
    speaker = Speaker.of(lang)
    with speaker.minding(source):
        try:
            way = formats.Conversion.plan(source, target, origin, goal, capacities)
            if way.origin == "preflib" and way.seats is None:
                speaker.err.say("one_seat_each", path=formats.seats_beside(source))
            read = way.origin != "round"
            given = as_given(source, way.read(), speaker) if read else read_round(source, speaker)
            files = way.files(given.market, given.policy)
        except formats.Refused as error:
            speaker.stop(INVALID, error.code, **error.numbers)
        except InvalidRound as error:
            speaker.refuse(list(error.issues))
    with speaker.minding(target, "unwritable"):
        way.write(given.tables, files)
    speaker.out.say("written", path=", ".join(map(str, files)) or target)
    if files:
        speaker.out.say("lists_only")


@main.command(name="what-if")
@FOLDER
@whatif_screen.options
@click.option("--applicant", metavar="A", help="怎样才够 / what would have been enough for her")
@click.option("--program", metavar="P", help="只问这个志愿 / only of this choice of hers")
@click.option("--class", "order_class", metavar="C", help="怎样才开 / what would have opened it")
@click.option("--value-of-seats", is_flag=True, help="每处多一席 / one more seat at each program")
@click.option("--programs", metavar="P1;P2", help="只算这些席位 / only these programs")
@click.option(
    "--tries", type=click.IntRange(1), default=TRIES, show_default=True,
    help="每找一个数最多试算几次 / most solves to find one number",
)  # fmt: skip
@click.option("--mechanism", metavar="NAME", help="stable | parallel | optimal | max_placement")
@TIME
@click.option(
    "--out",
    metavar="OUT",
    type=click.Path(path_type=Path),
    help="写 moves.csv、seats.csv、seat_moves.csv 的文件夹 / folder for these files",
)
@languages
def what_if_command(
    folder: Path, applicant: str | None, program: str | None, order_class: str | None,
    value_of_seats: bool, programs: str | None, tries: int, mechanism: str | None,
    time_s: int | None, out: Path | None, lang: str, **changes: Any,
) -> None:  # fmt: skip
    """改一点再录一遍，看谁变了；或问怎样才够 / change a little, solve again, see who moves."""
    speaker = Speaker.of(lang)
    given = read_round(folder, speaker, mechanism).within(time_s)
    if out is not None:
        if (out / "policy.toml").is_file():
            speaker.stop(INVALID, "out_is_round", path=out)
        keeping.can_be_made(out, speaker)
    base = Solved(given.tables, given.policy, given.market, _place(given, speaker))
    asked = whatif_screen.Asked(
        changes, applicant, program, order_class, value_of_seats, programs, tries
    )
    try:
        with speaker.minding(out or folder, "unwritable"), conflicts_screen.minding(speaker):
            after = whatif_screen.answer(speaker.out, speaker.err, asked, base, out)
    except (InvalidRound, UnsupportedConstraint) as error:
        whatif_screen.explain_rows(speaker.err, error.issues)
        speaker.refuse(list(error.issues))
    _end(base.result, speaker)
    _end(after.result, speaker)


main.add_command(conflicts_screen.conflicts_command)
main.add_command(late.waiting_command)
main.add_command(late.next_round_command)


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
@click.option(
    "--anew", is_flag=True, help="即使没有变化也重新计算 / solve again though nothing changed"
)
@languages
def demo_command(out: Path, anew: bool, lang: str) -> None:
    """演示一轮：从文件到有证明、有解释的录取 / a whole round, from files to explained placements."""
    speaker = Speaker.of(lang)
    speaker.out.say("demo", "bold")
    keeping.may_write(out, speaker)
    shown = again.Shown(out, DEMO)
    if not anew and DEMO.is_dir() and (text := shown.text(speaker.out.output, lang)) is not None:
        speaker.out.say("unchanged")
        speaker.out.output.file.write(text)
        return
    steps = _Steps(speaker.out)
    with (
        tempfile.TemporaryDirectory() as scratch,
        speaker.minding(out, "unwritable"),
        steps.progress,
    ):
        folder = _demo_folder(Path(scratch) / "demo", steps)
        result, document, told, verdict, place = _run(folder, out, speaker, steps)
        policy = _policy_of(folder)
    with again.overheard(speaker.out.output) as parts:
        speaker.out.line("")
        if not result.publishable:
            terminal.not_proven(speaker.out, result)
        terminal.figures(speaker.out, document)
        speaker.out.line(speaker.out.name("title", "explanation", " · "), "bold")
        terminal.explanation(speaker.out, _telling(told), demo=True)
        terminal.verdict(speaker.out, verdict, demo=True)
        speaker.out.say("demo", "bold")
        _about_seed(policy.seed, folder, speaker)
        if not result.publishable:
            _stop_short(policy, result, place, speaker)
        speaker.out.say("written", path=place)
    if folder == DEMO:
        with speaker.minding(shown.path, "unwritable"):
            shown.keep(speaker.out.output, lang, "".join(parts))


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
) -> tuple[Result, dict[str, Any], list[Explanation], Verdict, Path]:
    """The whole of a round; verified last, so that the report is verified too."""
    with steps.step("read"):
        tables = read_tables(folder, speaker)
    with steps.step("validate"):
        given = as_given(folder, tables, speaker)
    with steps.step("solve"):
        result = _place(given, speaker)
    with keeping.on_the_way(out) as tmp:
        _write(given, result, tmp)
        with steps.step("explain"):
            told = _explain(given, given.policy, result, tmp)
        with steps.step("report"):
            document = _report(given, given.policy, result, tmp)
        with steps.step("verify"):
            verdict = _verify(folder, tmp, speaker)
        place = keeping.settle(tmp, out, folder, result, verdict, speaker)
    return result, document, told, verdict, place


def _telling(told: list[Explanation]) -> Explanation:
    """The explanation with the most different reasons, those beside the law first."""

    def variety(one: Explanation) -> tuple[int, int]:
        codes = {reason.code for reason in one.reasons}
        return sum(not code.startswith("barred_") for code in codes), len(codes)

    return max(told, key=variety)
