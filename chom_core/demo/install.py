"""The demo's database: roles, schema, every plugin that is here."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from chom_core import app, setup
from chom_core.config import Settings
from chom_core.database import Model, roles, tenancy
from chom_core.embedded import Postgres
from chom_core.plugin_host import gate
from chom_core.schema import core_history

DATABASE = "chom"


def install(settings: Settings, postgres: Postgres) -> Iterator[str]:
    """Bring the database to today's schema and this process to life; yields a line for each part."""
    roles.bootstrap(postgres.url(), DATABASE)
    owner = postgres.url("chom_owner", DATABASE)
    if core_history().head() is None:
        _tables_without_a_migration(owner)
    yield from setup.migrate(settings, owner, install_all=True)
    app.start(settings, "all")
    gate.forget()


def _tables_without_a_migration(owner_url: str) -> None:
    """Until the core's first migration is written: the tables straight from the models. Goes away with it."""
    owner = create_engine(owner_url, poolclass=NullPool)
    with owner.begin() as connection:
        connection.exec_driver_sql("create schema if not exists core")
        Model.metadata.create_all(connection)
        tenancy.secure(connection, Model)
    owner.dispose()
