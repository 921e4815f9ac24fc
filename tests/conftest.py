"""Fixtures that stand in modules of their own, and what runs without the tracer of coverage.

pytest takes ``pytest_plugins`` from the uppermost conftest only.
"""

from __future__ import annotations

import re

import pytest

pytest_plugins = ["tests.web.browser", "tests.web.filled"]

UNTRACED = re.compile(
    "test_(life|round|after|kills|races|agreement_races|.*_looks|.*browser|nearby|best_first|faces)"
)
"""Long stories, walks and samples: they go again through lines that tests by name run, and the tracer
would take a third of their time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tracer rest where it learns nothing."""
    for item in items:
        if UNTRACED.fullmatch(item.path.stem):
            item.add_marker(pytest.mark.no_cover)
