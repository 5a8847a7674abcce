"""Fixtures of the core's tests: a real Postgres per process, a fresh database per test, organisations and clocks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine

from chom_core.database import PLATFORM_ID, encrypted, engine, roles, transaction
from chom_core.database.tenants import Tenant, ensure_platform
from chom_core.embedded.postgres import Postgres
from chom_core.values import uuid7

KEY = Fernet.generate_key().decode()


@dataclass(frozen=True)
class Database:
    """A database of its own: `app` is the URL as chom_app, `owner` as chom_owner, `root` as superuser."""

    name: str
    server: Postgres

    @property
    def app(self) -> str:
        return self.server.url("chom_app", self.name)

    @property
    def owner(self) -> str:
        return self.server.url("chom_owner", self.name)

    @property
    def root(self) -> str:
        return self.server.url("postgres", self.name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres(in_memory=True) as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> str:
    """A database with the core's whole schema, migrated as an operator would."""
    from chom_core.schema import core_history

    roles.bootstrap(postgres.url(), "chom_template")
    core_history().upgrade(postgres.url("chom_owner", "chom_template"))
    owner = create_engine(postgres.url("chom_owner", "chom_template"))
    with owner.begin() as connection:
        ensure_platform(connection)
    owner.dispose()
    return "chom_template"


@pytest.fixture
def database(postgres: Postgres, template: str) -> Iterator[Database]:
    """A copy of the template, bound to this process; gone after the test."""
    name = f"t{os.getpid()}_{uuid7().hex[-8:]}"
    admin = postgres.url().replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"create database {name} template {template} strategy file_copy owner chom_owner")
    encrypted.configure([KEY])
    made = Database(name, postgres)
    bound = engine.configure(made.app)
    yield made
    bound.dispose()
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


def make_tenant(name: str, *, kind: str = "customer", parent: UUID = PLATFORM_ID) -> UUID:
    """An organisation, straight into its table."""
    with transaction() as session:
        row = Tenant(name=name, slug=f"{name.lower()}-{uuid7().hex[-6:]}", kind=kind, parent_id=parent)
        session.add(row)
        session.flush()
        return row.id


@pytest.fixture
def tenants(database: Database) -> tuple[UUID, UUID]:
    """Two organisations that must never see each other."""
    return make_tenant("Northlight"), make_tenant("Pinecrest")
