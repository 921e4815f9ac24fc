"""Rounds on disk that tests of the command line start from."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.matcher.test_cli import EXAMPLE, run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example round."""
    shutil.copytree(EXAMPLE, tmp_path / "round", ignore=shutil.ignore_patterns("result*"))
    return tmp_path / "round"


@pytest.fixture
def solved(folder: Path) -> Path:
    """The example round with its result."""
    assert run("solve", folder).exit_code == 0
    return folder
