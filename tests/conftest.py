"""Fixtures that stand in modules of their own, and what runs without the tracer of coverage.

pytest takes ``pytest_plugins`` from the uppermost conftest only.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

pytest_plugins = ["tests.web.browser", "tests.web.filled"]

UNTRACED = re.compile(
    r"test_(life|round|after|kills|races|agreement_races|.*_looks|.*browser"
    r"|nearby|best_first|faces|enough|metamorphic)\.py::.*"
    r"|.*\[.*postgresql.*"
)
"""Long stories, walks, samples and the second database: they go again through lines that other tests
run, and the tracer would take a third of their time."""

EACH = re.compile(r"test_verify.*\.py")
"""Where every case of a test is traced: no branch of the verifier goes untested.  Elsewhere the first
case is, as the others nearly always run the same lines."""

REPEATED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark what is another case of a test before it."""
    seen: set[tuple[Path, str]] = set()
    for item in items:
        test = item.path, item.nodeid.partition("[")[0]
        item.stash[REPEATED] = test in seen and not EACH.fullmatch(item.path.name)
        seen.add(test)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let the tracer rest where it learns nothing."""
    cover = item.config.pluginmanager.getplugin("_cov")
    tracer = getattr(cover, "cov_controller", None)
    rests = item.stash[REPEATED] or UNTRACED.fullmatch(f"{item.path.name}::{item.name}")
    if tracer is None or not rests:
        return (yield)
    tracer.pause()
    try:
        return (yield)
    finally:
        tracer.resume()
