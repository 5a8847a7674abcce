"""The machines under the tests: one Postgres for the session, a template with every installed plugin, copies of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from cryptography.fernet import Fernet
from flask import Flask

from chom_core import config, setup
from chom_core.app import create_app
from chom_core.billing.service.offers import catalogue
from chom_core.database import PLATFORM_ID, encrypted, engine, roles, transaction
from chom_core.embedded.postgres import Postgres
from chom_core.plugin_host import gate, registry
from chom_core.values.ids import uuid7
from chom_core.work import handlers

TEMPLATE = "chom_sdk_template"
KEY = Fernet.generate_key().decode()


Candidate = tuple[str, str, Callable[[], Any]]


class Server:
    """A Postgres with a migrated template, and the app of this process.

    `more`: plugins beside the installed ones (name, version, function that imports the package).
    """

    def __init__(self, postgres: Postgres, more: Iterable[Candidate] = ()) -> None:
        self.postgres = postgres
        self._app: Flask | None = None
        registry.discover("all")
        registry.add(more, "all")
        roles.bootstrap(postgres.url(), TEMPLATE)
        for _ in setup.migrate(self.settings(TEMPLATE), self.owner_url(TEMPLATE), install_all=True):
            pass
        handlers.gate = gate.is_enabled
        with transaction(PLATFORM_ID):
            catalogue.seed_catalogue(legal_name="Lanternworks Ltd")
        engine.engine().dispose()

    def owner_url(self, database: str) -> str:
        return self.postgres.url("chom_owner", database)

    def settings(self, database: str) -> config.Settings:
        """Settings of a CHOM on `database`; no Redis, so wake-ups are only logged and tests run jobs themselves."""
        return config.Settings(
            database_url=self.postgres.url("chom_app", database),
            redis_url="",
            secret_keys=(KEY,),
            public_url="http://chom.test",
            smtp_url="smtp://mail.chom.test",  # never reached: World.mails keeps what would go there
            argon2_memory_kib=8,
        )

    def app(self, database: str) -> Flask:
        """Built once, as a worker builds it; it follows the database that the process is bound to."""
        if self._app is None:
            self._app = create_app(self.settings(database))
            self._app.testing = True
        return self._app

    @contextmanager
    def database(self) -> Iterator[str]:
        """A copy of the template, bound to this process while the block runs."""
        name = f"s{os.getpid()}_{uuid7().hex[-8:]}"
        admin = self.postgres.url().replace("+psycopg", "")
        with psycopg.connect(admin, autocommit=True) as root:
            root.execute(
                f"create database {name} template {TEMPLATE} strategy file_copy owner chom_owner".encode()
            )
        settings = self.settings(name)
        config.use(settings)
        encrypted.configure([KEY])
        gate.forget()
        bound = engine.configure(settings.database_url)
        try:
            yield name
        finally:
            bound.dispose()
            with psycopg.connect(admin, autocommit=True) as root:
                root.execute(f"drop database {name} with (force)".encode())
