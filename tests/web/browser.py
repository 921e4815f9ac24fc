"""A real browser on a served application, and what every page in it must keep.

A page fails its test by any line on the console, any error of a script, and any request to another
host.  Pictures go to the folder that ``SCREENSHOTS`` names, else, of what is wrong, to the test's own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright
from waitress import wasyncore
from waitress.server import create_server

VENDOR = Path(__file__).parent / "vendor"
FONTS = Path(__file__).parents[2] / "web" / "fonts"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK, PHONE = (1280, 900), (375, 812)
SCHEMES = ("light", "dark")
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # what is right is not written out
}


# --- the browser ------------------------------------------------------------------------------


def chromium() -> str | None:
    """The program: ``$CHROMIUM``, the system's, one installed now; none for the driver's own."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    if found := _installed():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _announce("no Chromium here: installing the system's package")
        for command in (["update", "-qq"], ["install", "-y", "-qq", "chromium"]):
            subprocess.run(["apt-get", *command], stdout=subprocess.DEVNULL, check=False)
        if found := _installed():
            return found
    _announce("no Chromium here: fetching the one of the browser driver")
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)
    return None


def _installed() -> str | None:
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


def _announce(text: str) -> None:
    print(text, file=sys.__stderr__, flush=True)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, once; every character in the font that is bundled with the application."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    fonts = _font_settings(tmp_path_factory.mktemp("fonts"))
    started = playwright.chromium.launch(
        executable_path=chromium(), args=[*FLAGS, *root], env={**os.environ, **fonts}
    )
    yield started
    started.close()


def _font_settings(folder: Path) -> dict[str, str | float | bool]:
    path = folder / "fonts.conf"
    path.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
        f"<fontconfig><dir>{FONTS}</dir><cachedir>{folder}/cache</cachedir></fontconfig>"
    )
    return {"FONTCONFIG_FILE": str(path)}


# --- the served application -------------------------------------------------------------------


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The application behind a real server on a free port; the address."""
    channels: dict[int, Any] = {}
    server = create_server(app, host="127.0.0.1", port=0, threads=16, map=channels)
    thread = Thread(target=server.run, name="served")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.trigger.pull_trigger(lambda: wasyncore.close_all(channels))
        thread.join()
        server.task_dispatcher.shutdown()


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The application as it is served: with the marks against forged requests."""
    app.config["WTF_CSRF_ENABLED"] = True
    with served(app) as found:
        yield found


# --- people at the browser --------------------------------------------------------------------


@dataclass
class Visitors:
    """Makes people with a browser of their own, and remembers what went wrong in any of them."""

    browser: Browser
    address: str
    wrong: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def __call__(
        self,
        username: str = "",
        password: str = "",
        *,
        size: tuple[int, int] = DESK,
        scheme: str = "light",
        language: str = "zh",
        scripts: bool = True,
    ) -> Page:
        """A fresh visitor; with a name and password, she has logged in through the page."""
        context = self.browser.new_context(
            base_url=self.address,
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=scripts,
            reduced_motion="reduce",  # else a picture is taken while colours are still changing
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
        )
        self.contexts.append(context)
        context.add_cookies([{"name": "lang", "value": language, "url": self.address}])
        context.set_default_timeout(10_000)
        page = context.new_page()
        self._watch(page)
        if username:
            page.goto("/login")
            page.fill("[name=username]", username)
            page.fill("[name=password]", password)
            with page.expect_navigation():
                page.locator("main form button").click()
        return page

    def _watch(self, page: Page) -> None:
        def request(sent: Any) -> None:
            if not sent.url.startswith((self.address + "/", "data:", "about:", "blob:")):
                self.wrong.append(f"request to another host: {sent.url}")

        page.on("console", lambda said: self.wrong.append(f"console: {said.text} {page.url}"))
        page.on("pageerror", lambda error: self.wrong.append(f"script: {error} {page.url}"))
        page.on("request", request)


@pytest.fixture
def visitors(browser: Browser, address: str) -> Iterator[Visitors]:
    """``visitors("coordinator1", PASSWORD, size=PHONE)``: a page; see :class:`Visitors`.

    A test that means to see an error page takes its lines out of ``visitors.wrong`` itself.
    """
    made = Visitors(browser, address)
    yield made
    for context in made.contexts:
        context.close()
    assert not made.wrong, "\n".join(made.wrong)


@pytest.fixture
def page(visitors: Visitors) -> Page:
    """Somebody who is not logged in, at a desk."""
    return visitors()


# --- looking ----------------------------------------------------------------------------------


@cache
def _axe() -> str:
    (entry,) = tomllib.loads((VENDOR / "manifest.toml").read_text(encoding="utf-8"))["file"]
    source = (VENDOR / entry["name"]).read_bytes()
    assert hashlib.sha256(source).hexdigest() == entry["sha256"], "axe-core was altered"
    return source.decode()


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong with a page: the rule, and where."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    found = page.evaluate("rules => axe.run(document, rules).then(said => said.violations)", RULES)
    return [
        f"{page.url} {violation['id']}: {node['html'][:200]} {node['failureSummary']}"
        for violation in found
        for node in violation["nodes"]
    ]


def looks(page: Page) -> Iterator[str]:
    """The page at a desk and on a phone, in light and dark, one after the other."""
    for width, height in (DESK, PHONE):
        for scheme in SCHEMES:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            yield f"{width}-{scheme}"


def too_wide(page: Page) -> bool:
    """Whether the page must be moved sideways to be read."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


Look = Callable[[Page, str], list[str]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """``look(page, "plan")``: what is wrong with it at a desk and on a phone, light and dark.

    That is what axe finds, and a page wider than the screen.  Pictures of all are taken where
    ``SCREENSHOTS`` names a folder, else of what is wrong.
    """
    asked = os.environ.get("SCREENSHOTS")
    folder = Path(asked) if asked else tmp_path / "screenshots"

    def take(page: Page, name: str) -> list[str]:
        wrong = []
        for how in looks(page):
            found = axe(page)
            found += [f"{page.url} is wider than the screen"] if too_wide(page) else []
            if asked or found:
                page.screenshot(path=folder / f"{name}-{how}.png", full_page=True)
            wrong += [f"{how} {line}" for line in found]
        return wrong

    return take
