"""The rows and their migrations: one schema, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import text

from web import commands, create_app, db, models
from web.privacy import Keys


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The application on a database without any table."""
    Keys.create(tmp_path / "keys.toml")

    def make(url: str) -> Flask:
        return create_app(
            {"INSTANCE": tmp_path, "DATABASE_URL": url, "DEMO": True, "TESTING": True}
        )

    if request.param == "sqlite":
        made = make(f"sqlite:///{tmp_path}/empty.sqlite")
        yield made
        made.extensions["orderclass_engine"].dispose()
    else:
        with request.getfixturevalue("cluster").database() as url:
            made = make(url)
            yield made
            made.extensions["orderclass_engine"].dispose()


def test_the_migrations_make_what_the_models_say(empty: Flask) -> None:
    with empty.app_context():
        commands.upgrade()
        with db.engine().connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, models.metadata) == []


def test_upgrading_twice_changes_nothing(empty: Flask) -> None:
    with empty.app_context():
        assert commands.schema_of()[0] is None
        commands.upgrade()
        first = commands.schema_of()
        commands.upgrade()
        assert commands.schema_of() == first and first[0] == first[1]


def test_a_newer_schema_is_refused(empty: Flask) -> None:
    with empty.app_context():
        commands.upgrade()
        with db.writing() as session:
            session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(commands.NewerSchema, match="9999"):
            commands.upgrade()


def test_every_row_has_a_docstring_and_a_key() -> None:
    for mapper in models.Base.registry.mappers:
        assert mapper.class_.__doc__, mapper.class_
        assert mapper.local_table.primary_key.columns, mapper.class_  # type: ignore[attr-defined]


def test_keys_in_addresses_cannot_be_guessed() -> None:
    made = {models.random_key() for _ in range(1000)}
    assert len(made) == 1000 and all(len(key) == 16 for key in made)
