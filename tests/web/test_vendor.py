"""Files of others, in the application and in the tests: each as its package holds it."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOLDERS = (HERE.parents[1] / "web" / "static" / "vendor", HERE / "vendor")


@pytest.mark.parametrize("folder", FOLDERS, ids=["application", "tests"])
def test_each_file_is_the_one_that_the_manifest_names(folder: Path) -> None:
    entries = tomllib.loads((folder / "manifest.toml").read_text(encoding="utf-8"))["file"]
    for entry in entries:
        held = (folder / entry["name"]).read_bytes()
        assert hashlib.sha256(held).hexdigest() == entry["sha256"]
        assert entry["version"] in entry["name"] and entry["licence"] and entry["package"]
    named = {entry["name"] for entry in entries} | {"manifest.toml"}
    assert {path.name for path in folder.iterdir() if path.suffix not in ("", ".LICENSE")} == named
