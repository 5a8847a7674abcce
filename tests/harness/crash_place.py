"""A Postgres and a Valkey of one's own with the core's tables in it: for the crash harness, its tests and the bench."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import create_engine, text

from chom_core.database import Model, Tenant, engine, roles, tenancy, transaction
from chom_core.embedded import Postgres, Valkey
from chom_core.values.ids import uuid7
from chom_core.work import wake

DATABASE = "work"


@dataclass
class Place:
    """Both servers and the addresses that CHOM is given."""

    postgres: Postgres
    valkey: Valkey

    @property
    def app_url(self) -> str:
        return self.postgres.url("chom_app", DATABASE)

    @property
    def root_url(self) -> str:
        return self.postgres.url("postgres", DATABASE)


def make_tables(postgres: Postgres) -> None:
    """The core's schema straight from the models, with its grants and policies, owned by chom_owner."""
    roles.bootstrap(postgres.url(), DATABASE)
    owner = create_engine(postgres.url("chom_owner", DATABASE))
    with owner.begin() as connection:
        connection.execute(text("create schema if not exists core"))
        Model.metadata.create_all(connection)
        tenancy.secure(connection, Model)
        tenancy.check(connection, Model)
    owner.dispose()


@contextmanager
def place(settings: dict[str, str] | None = None) -> Iterator[Place]:
    """Start both servers, make the tables, and bind this process to them."""
    with Postgres(settings=settings) as postgres, Valkey() as valkey:
        make_tables(postgres)
        made = Place(postgres, valkey)
        engine.configure(made.app_url)
        wake.configure(valkey.url)
        try:
            yield made
        finally:
            wake.configure(None)
            engine.engine().dispose()


def make_tenant(name: str = "Northlight", **values: object) -> UUID:
    """An organisation under the platform, which is made where it is missing."""
    with transaction() as unit:
        root = (
            unit.connection().exec_driver_sql("select id from core.tenant where kind = 'platform'").scalar()
        )
        if root is None:
            root = uuid7()
            unit.add(Tenant(id=root, kind="platform", name="Lanternworks", slug="lanternworks"))
            unit.flush()
        tenant = Tenant(id=uuid7(), parent_id=root, name=name, slug=f"t-{uuid7()}", **values)
        unit.add(tenant)
        unit.flush()
        return tenant.id
