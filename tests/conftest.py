"""Fixtures that stand in modules of their own; pytest takes them from the uppermost conftest only."""

pytest_plugins = ["tests.web.browser", "tests.web.filled"]
