"""A desk with staff at it, two organisations with an owner each, and two plugins to switch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask

from chom_core import config, identity
from chom_core.app import create_app
from chom_core.database import PLATFORM_ID, transaction
from chom_core.identity import service
from chom_core.identity.models import Person
from chom_core.plugin_host import gate, lifecycle, registry
from chom_core.values import Role
from chom_core.work import wake
from tests.conftest import KEY, Database
from tests.console import beacon, glow
from tests.console.glow import hooks
from tests.identity.conftest import CHEAP, Browser

TOKEN = "metrics-canary-7Q"
_app: Flask | None = None


def load() -> None:
    """Load the two plugins into this process, and one that cannot be loaded, once."""

    def broken() -> object:
        raise ImportError("its lamp is missing")

    if "glow" not in registry.loaded:
        registry.add(
            [
                ("glow", "1.2.3", lambda: glow),
                ("beacon", "0.9", lambda: beacon),
                ("dim", "0.1", broken),
            ],
            "all",
        )
    assert {"glow", "beacon"} <= registry.loaded.keys(), registry.skipped


def settings(database: Database) -> config.Settings:
    return config.Settings(
        database.app, "redis://127.0.0.1:9/0", (KEY,), public_url="http://localhost", metrics_token=TOKEN
    )


@pytest.fixture
def app(database: Database) -> Iterator[Flask]:
    """The application, made once for all tests here; the database behind it is the test's own."""
    global _app
    load()
    if _app is None:
        _app = create_app(settings(database))
    config.use(settings(database))
    identity.configure(CHEAP)
    wake.configure(None)
    gate.forget()
    hooks.faults.clear()
    for name in ("glow", "beacon"):
        lifecycle.install(registry.loaded[name], database.owner)
    yield _app
    identity.configure(None)
    gate.forget()


@dataclass(frozen=True)
class Desk:
    """Dana administers, Piotr supports; Mara owns Northlight, Paul owns Pinecrest, Vera only looks at Northlight."""

    app: Flask
    north: UUID
    pine: UUID
    people: dict[str, UUID]

    def browser(self, name: str) -> Browser:
        """A browser in which that person is logged in."""
        with transaction() as work:
            made = service.open_session(work.get_one(Person, self.people[name]))
        found = Browser(self.app)
        with found.http.session_transaction() as cookie:
            cookie["token"] = made.token
        return found


@pytest.fixture
def desk(app: Flask) -> Desk:
    people = {}
    with transaction():
        for name in ("dana", "piotr", "mara", "paul", "vera"):
            people[name] = service.create_person(
                f"{name}@example.com", name.title(), "a heron by the lake"
            ).id
        north = service.create_organisation("Northlight", owner=people["mara"]).id
        pine = service.create_organisation("Pinecrest", owner=people["paul"]).id
        service.add_member(people["vera"], Role.VIEWER, north)
        service.add_member(people["dana"], Role.ADMIN, PLATFORM_ID)
        service.add_member(people["piotr"], Role.MEMBER, PLATFORM_ID)
    return Desk(app, north, pine, people)
