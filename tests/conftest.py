"""Fixtures that stand in modules of their own, and what runs without the tracer of coverage.

pytest takes ``pytest_plugins`` from the uppermost conftest only.
"""

from __future__ import annotations

import re
from collections.abc import Generator

import pytest

pytest_plugins = ["tests.web.browser", "tests.web.filled"]

UNTRACED = re.compile(
    r"test_(life|round|after|kills|races|agreement_races|.*_looks|.*browser"
    r"|nearby|best_first|faces|enough|metamorphic)\.py::.*"
    r"|.*\[.*postgresql.*"
)
"""Long stories, walks, samples and the second database: they go again through lines that other tests
run, and the tracer would take a third of their time."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let the tracer rest where it learns nothing."""
    cover = item.config.pluginmanager.getplugin("_cov")
    tracer = getattr(cover, "cov_controller", None)
    if tracer is None or not UNTRACED.fullmatch(f"{item.path.name}::{item.name}"):
        return (yield)
    tracer.pause()
    try:
        return (yield)
    finally:
        tracer.resume()
