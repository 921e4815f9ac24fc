"""A round on PostgreSQL that has come to a stage, made once, of which every test gets copies."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from tests.web import postgres
from tests.web.a_round import BEGINNING, DICE, FIRST, STAGES, small_round
from tests.web.conftest import create_tables, installed
from web import audit, db, draw
from web.models import Round

MADE = count()
"""Stages of one server have databases of different names, whoever made them."""


def next_day() -> object:
    """The clock of every copy: a day after the round was made, as a draw asks for."""
    return BEGINNING + timedelta(days=1)


@dataclass
class Stage:
    """A database and an instance folder, as they are at a stage."""

    cluster: postgres.Cluster
    folder: Path
    database: str
    copies: Iterator[int] = field(default_factory=count)

    @classmethod
    def make(cls, cluster: postgres.Cluster, folder: Path, name: str) -> Stage:
        """``draft``, ``review``, ``entered`` (the draw, by one person) or one of :data:`a_round.STAGES`."""
        folder = folder / name
        folder.mkdir()
        database = f"{name}_{next(MADE)}"
        cluster.execute(f"CREATE DATABASE {database}")
        create_tables(cluster.url(database))
        with installed(folder, cluster.url(database)) as app, app.app_context():
            app.config["CLOCK"] = lambda: BEGINNING
            _bring(name)
            db.forget()
        return cls(cluster, folder, database)

    @contextmanager
    def copy(self) -> Iterator[tuple[Flask, Path, str]]:
        """A copy of its own: the application, its folder, and the address of its database."""
        folder = self.folder.with_name(f"{self.database}-{next(self.copies)}")
        shutil.copytree(self.folder, folder)
        with self.cluster.database(self.database) as url, installed(folder, url) as app:
            app.config["CLOCK"] = next_day
            yield app, folder, url
        shutil.rmtree(folder)


def _bring(name: str) -> None:
    if name in STAGES:
        STAGES[name]()
    elif name == "entered":
        STAGES["frozen"]()
        with db.writing() as session:
            held = session.scalars(select(Round)).one()
            draw.enter(session, held, "dice", "", DICE, "公证处 甲、乙", FIRST)
    else:
        with db.writing() as session:
            held = small_round(session, state=name.upper())
            audit.record(session, FIRST, "round.create", f"round/{held.serial}", round_id=held.id)
