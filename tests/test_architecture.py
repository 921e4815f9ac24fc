"""The shape of the house, read from its source: who may import whom, and what no file may hold."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MATCHER = sorted((ROOT / "matcher").rglob("*.py"))
WEB = sorted(p for p in (ROOT / "web").rglob("*.py") if "versions" not in p.parts)
READERS = ("verify", "explain", "report", "mechanisms")
STORY = ("tables", "eligibility", "market", "mechanisms", "cli")
LONGEST = 700
ALONE = {"matcher/verify.py"}  # one file by design: it is handed out without the rest

# Written as patterns that do not match themselves.
REGISTRY = re.compile(r"(?:pypi|pythonhosted|npmjs|debian)[.](?:org|com)|index[-]url\s*[=:]")
MACHINE_PATH = re.compile(r"(?<![\w.}~/-])/(?:work|root|home|Users|tmp)/\w|\b[A-Z]:\\Users")


def name_of(path: Path) -> str:
    """``matcher/mechanisms/stable.py`` as ``matcher.mechanisms.stable``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever the statement stands, by its full name.

    ``from a import b`` counts as both ``a`` and ``a.b``, as ``b`` may be a module.
    """
    package = path.relative_to(ROOT).parent.parts
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *filter(None, [node.module])))
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return found


def reaches(path: Path, module: str) -> set[str]:
    """The imports of a file that lie at or under a module."""
    return {name for name in imports(path) if name == module or name.startswith(module + ".")}


def files_of(part: str) -> list[Path]:
    """The files of a part of `matcher`: one module, or a folder of them."""
    inside = f"matcher.{part}"
    return [p for p in MATCHER if name_of(p) == inside or name_of(p).startswith(inside + ".")]


def tracked() -> Iterator[Path]:
    """The files of the tree as the next commit would have them; without git, all that are not hidden."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
    else:
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        names = [str(path) for path in found if not str(path).startswith(".")]
    for name in filter(None, names):
        if (ROOT / name).is_file():
            yield ROOT / name


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """Where a pattern occurs in a file of the tree, as ``file:line``."""
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        for number, line in enumerate(path.read_bytes().decode(errors="replace").split("\n"), 1)
        if pattern.search(line)
    ]


def blueprints() -> list[Path]:
    """The files of `web` that hold pages: each makes a blueprint, or adds views to one."""
    view = re.compile(r"(?m)^bp = Blueprint\(|^@\w*bp\.(?:get|post|route)\(")
    return [path for path in WEB if view.search(path.read_text(encoding="utf-8"))]


def calls(path: Path, method: str) -> list[int]:
    """The lines where a file calls a method of that name."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == method
    ]


def test_pages_never_commit() -> None:
    assert blueprints()
    assert {p.name: found for p in blueprints() if (found := calls(p, "commit"))} == {}


def test_the_web_asks_matcher_by_its_public_names() -> None:
    public = set(ast.literal_eval(_public_names()))
    allowed = {"matcher"} | {f"matcher.{name}" for name in (*public, "__version__")}
    strangers = {name_of(p): sorted(reaches(p, "matcher") - allowed) for p in WEB}
    assert {name: found for name, found in strangers.items() if found} == {}


def _public_names() -> str:
    text = (ROOT / "matcher" / "__init__.py").read_text(encoding="utf-8")
    return text[text.index("__all__ = ") + len("__all__ = ") :]


def test_one_file_changes_the_state_of_a_round() -> None:
    def moves(path: Path) -> bool:
        return any(
            isinstance(node, ast.Assign | ast.AugAssign)
            and any(
                isinstance(target, ast.Attribute)
                and target.attr == "state"
                and isinstance(target.value, ast.Name)
                and target.value.id.startswith("round")
                for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            )
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )

    assert [name_of(p) for p in WEB if moves(p) and p.name != "rounds.py"] == []


@pytest.mark.parametrize("package", ["web", "flask", "sqlalchemy"])
def test_the_mathematics_has_never_heard_of(package: str) -> None:
    assert {p.name: found for p in MATCHER if (found := reaches(p, package))} == {}


def test_the_solver_is_imported_by_mechanisms_only() -> None:
    inside = set(files_of("mechanisms"))
    assert [p.name for p in MATCHER if p not in inside and reaches(p, "ortools")] == []


@pytest.mark.parametrize("reader", READERS)
def test_readers_of_the_rules_share_nouns_not_verbs(reader: str) -> None:
    others = [part for part in READERS if part != reader]
    if reader != "mechanisms":
        others += ["solve", "whatif", "enough", "opening", "seats"]
    for path in files_of(reader):
        for other in others:
            assert reaches(path, f"matcher.{other}") == set(), path.name


def test_the_verifier_stands_on_the_standard_library_alone() -> None:
    for path in files_of("verify"):
        strangers = {name.split(".")[0] for name in imports(path)} - sys.stdlib_module_names
        assert strangers == set()


def test_arrows_point_one_way() -> None:
    for place, part in enumerate(STORY):
        for path in files_of(part):
            for later in STORY[place + 1 :]:
                assert reaches(path, f"matcher.{later}") == set(), path.name


def test_only_the_module_entry_imports_the_command_line() -> None:
    users = {name_of(path) for path in MATCHER if reaches(path, "matcher.cli")}
    assert users <= {"matcher.__main__"}


def test_importing_matcher_loads_no_solver() -> None:
    heavy = "{'ortools', 'scipy', 'pandas'}"
    code = f"import sys, matcher; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("path", [*MATCHER, *WEB], ids=name_of)
def test_what_is_public_says_what_it_is(path: Path) -> None:
    module = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(module), "the module itself"
    silent = [
        node.name
        for node in module.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_file_is_a_book() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in tracked()
        if path.suffix == ".py" and "versions" not in path.parts  # written by Alembic
    }
    assert {name for name, length in lengths.items() if length > LONGEST} <= ALONE


def test_no_file_names_a_package_registry() -> None:
    assert lines_with(REGISTRY) == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert lines_with(MACHINE_PATH) == []


def test_every_locked_package_has_a_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n?", "", lock).strip())
    assert entries
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
