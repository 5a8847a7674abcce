"""The demo's database: roles, schema, every plugin that is here."""

from __future__ import annotations

from collections.abc import Iterator

from chom_core import app, setup
from chom_core.config import Settings
from chom_core.database import roles
from chom_core.embedded import Postgres
from chom_core.plugin_host import gate

DATABASE = "chom"


def install(settings: Settings, postgres: Postgres) -> Iterator[str]:
    """Bring the database to today's schema and this process to life; yields a line for each part."""
    roles.bootstrap(postgres.url(), DATABASE)
    owner = postgres.url("chom_owner", DATABASE)
    yield from setup.migrate(settings, owner, install_all=True)
    app.start(settings, "all")
    gate.forget()
