"""Serving the application with waitress."""

from __future__ import annotations

import gc
import logging
import sys

import click
from flask import Flask, current_app
from waitress.server import create_server

from . import logs

THREADS = 16
SWITCH_SECONDS = 0.0005
"""How soon a waiting thread gets the interpreter: who writes hands the turn on to one that sleeps."""


def ready() -> None:
    """Make this process one that answers requests.

    The modules and tables that it has loaded are never thrown away: looking through them for what can
    be, as every few large pages would have it, takes a tenth of a second.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()


def serve(app: Flask, host: str, port: int, threads: int = THREADS) -> None:
    """Serve until stopped; a port that is taken gives way to a free one."""
    ready()
    logs.start(logging.WARNING if app.config["DEMO"] else logging.INFO)
    try:
        server = create_server(app, host=host, port=port, threads=threads, ident=None)
    except OSError:
        server = create_server(app, host=host, port=0, threads=threads, ident=None)
    click.echo(f"网址 / address: http://{host}:{server.effective_port}/  （Ctrl+C 停止 / to stop）")
    server.run()


@click.command("serve")
@click.option("--host", default="127.0.0.1", help="地址 / address")
@click.option("--port", default=8000, help="端口 / port")
@click.option("--threads", default=THREADS, help="线程数 / threads")
def serve_command(host: str, port: int, threads: int) -> None:
    """提供网页，前面应有 https 反向代理 / serve the pages, behind a proxy with https."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    if app.config["DEMO"] and host != "127.0.0.1":
        raise click.ClickException("演示只在本机 127.0.0.1 / the demo is served on 127.0.0.1 only")
    serve(app, host, port, threads)
