"""What the demo printed last time: shown again while nothing that it was made of has changed.

A result is what its round, its rules and this program make of it, and nothing else; where all of them
are the same bytes, and the result stands as it was verified, to solve again would print the same.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TextIO

from rich.console import Console

from . import keeping

SOURCES = Path(__file__).parent
PARTS = ("numpy", "ortools", "rich", "scipy")
"""What else has a say in a result, or in how it looks."""


def made_of(folder: Path) -> str:
    """A digest of a round's files, of this program, and of the parts that it stands on."""
    total = hashlib.sha256(platform.python_version().encode())
    for name in PARTS:
        total.update(f"{name} {version(name)}\n".encode())
    for root in (folder, SOURCES):
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                content = path.read_bytes()
                total.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode())
                total.update(content)
    return total.hexdigest()


class Shown:
    """The texts printed of one result, by how they looked (language, width, colours)."""

    def __init__(self, out: Path, folder: Path) -> None:
        self.out, self.folder = out, folder
        self.path = out.absolute().with_name(f"{out.absolute().name}.shown.json")

    def text(self, output: Console, lang: str) -> str | None:
        """What was printed of this very result, if it stands in its place and was found good."""
        held = self._held(made_of(self.folder))
        if not held or not keeping.stands(self.out, self.folder):
            return None
        return held.get(_look(output, lang))

    def keep(self, output: Console, lang: str, text: str) -> None:
        """Keep what was printed, beside the result."""
        made = made_of(self.folder)
        texts = self._held(made) | {_look(output, lang): text}
        document = json.dumps({"made_of": made, "texts": texts}, ensure_ascii=False, indent=1)
        tmp = self.path.with_name(f"{self.path.name}.tmp")
        tmp.write_text(document + "\n", encoding="utf-8")
        tmp.replace(self.path)

    def _held(self, made: str) -> dict[str, str]:
        try:
            document = json.loads(self.path.read_bytes())
            texts: dict[str, str] = document["texts"] if document["made_of"] == made else {}
        except (OSError, ValueError, LookupError, TypeError):
            return {}
        return texts


def _look(output: Console, lang: str) -> str:
    return f"{lang} {output.width} {output.color_system}"


class _Twice:
    """A stream that keeps what is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.parts = stream, list[str]()

    def write(self, text: str) -> int:
        self.parts.append(text)
        return self.stream.write(text)

    def flush(self) -> None:
        self.stream.flush()


@contextmanager
def overheard(output: Console) -> Iterator[list[str]]:
    """What a console prints meanwhile, in parts."""
    stream = output.file
    twice = _Twice(stream)  # type: ignore[arg-type]
    output.file = twice  # type: ignore[assignment]
    try:
        yield twice.parts
    finally:
        output.file = stream
