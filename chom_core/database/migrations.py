"""Migrations: plain Alembic, a history and a version table each for the core and for every plugin.

They run once, at install or upgrade, as chom_owner, under an advisory lock; grants and policies are made and checked
in the same transaction. Branches across plugins are not used: one uninstalled plugin would break every command.
Alembic itself is imported where it is used: a web process never migrates.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import NullPool

from chom_core.database import tenancy

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 0x43484F4D  # "CHOM": one migration at a time on a database
_SCRIPTS = Path(__file__).parent / "alembic"


class History(Struct, frozen=True):
    """One line of migrations: the core's or a plugin's.

    `statements` are what tables cannot say by themselves (functions, triggers): like policies they are made anew at
    each upgrade, so they must bear to be run again.
    """

    name: str
    base: type[DeclarativeBase]
    versions: Path
    statements: Sequence[str] = ()

    @property
    def schema(self) -> str:
        return str(self.base.metadata.schema)

    def head(self) -> str | None:
        """The newest revision in the code."""
        from alembic.script import ScriptDirectory

        return (
            ScriptDirectory.from_config(self._config()).get_current_head() if self.versions.is_dir() else None
        )

    def current(self, connection: Connection) -> str | None:
        """The revision the database is at; None where nothing is installed."""
        from alembic.runtime.migration import MigrationContext

        return MigrationContext.configure(connection, opts=self._table()).get_current_revision()

    def upgrade(self, owner_url: str, revision: str = "head") -> None:
        """Bring the schema to `revision`, make its fence, and check both."""
        from alembic import command

        with _owner(owner_url) as connection:
            connection.exec_driver_sql(f'create schema if not exists "{self.schema}"')
            if self.versions.is_dir():
                command.upgrade(self._config(connection), revision)
            if revision == "head":
                for statement in self.statements:
                    connection.exec_driver_sql(statement)
                tenancy.secure(connection, self.base)
                tenancy.check(connection, self.base)
            # /readyz and `chom doctor` ask as the application which revision stands
            if connection.dialect.has_table(connection, "alembic_version", self.schema):
                connection.exec_driver_sql(
                    f'grant select on "{self.schema}".alembic_version to chom_app, chom_staff'
                )

    def downgrade(self, owner_url: str, revision: str = "base") -> None:
        """Take migrations back to `revision`."""
        from alembic import command

        with _owner(owner_url) as connection:
            command.downgrade(self._config(connection), revision)

    def drop(self, owner_url: str) -> None:
        """Drop the whole schema: the end of an uninstall, after its data was exported."""
        with _owner(owner_url) as connection:
            connection.exec_driver_sql(f'drop schema if exists "{self.schema}" cascade')

    def differences(self, connection: Connection) -> list[str]:
        """What the models declare and the database lacks, or the other way round."""
        from alembic.autogenerate import compare_metadata
        from alembic.runtime.migration import MigrationContext

        options = self._table() | {"include_name": self._ours, "include_schemas": True, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        return [str(change) for change in compare_metadata(context, self.base.metadata)]

    def write(self, owner_url: str, message: str) -> Path:
        """Write a new revision from the difference between models and database; read it before you commit it."""
        from alembic import command
        from alembic.script import Script

        self.versions.mkdir(parents=True, exist_ok=True)
        with _owner(owner_url) as connection:
            connection.exec_driver_sql(f'create schema if not exists "{self.schema}"')
            script = command.revision(self._config(connection), message, autogenerate=True)
        assert isinstance(script, Script)
        return Path(script.path)

    def _ours(self, name: str | None, kind: str, parents: object) -> bool:
        if kind == "schema":
            return name == self.schema
        return kind != "table" or not str(name).startswith("alembic_version")

    def _table(self) -> dict[str, object]:
        return {"version_table": "alembic_version", "version_table_schema": self.schema}

    def _config(self, connection: Connection | None = None) -> Config:
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(_SCRIPTS))
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", str(self.versions))
        config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
        config.attributes.update(
            connection=connection,
            metadata=self.base.metadata,
            include_name=self._ours,
            **self._table(),
        )
        return config


class _owner:
    """A transaction as chom_owner under the migration lock. The lock goes with the transaction."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, poolclass=NullPool)

    def __enter__(self) -> Connection:
        self._connection = self._engine.connect()
        self._transaction = self._connection.begin()
        self._connection.execute(text("set local lock_timeout = '10s'"))
        self._connection.execute(text("select pg_advisory_xact_lock(:k)"), {"k": _LOCK})
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            self._transaction.commit() if kind is None else self._transaction.rollback()
        finally:
            self._connection.close()
            self._engine.dispose()
