"""A shop: seller, catalogue, the sandbox gateway, a toy kind of service, and people who buy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import chom_sandbox_gateway
import psycopg
import pytest

from chom_core.billing import jobs
from chom_core.billing.service.buying import funding
from chom_core.billing.service.offers import catalogue
from chom_core.database import PLATFORM_ID, clock, encrypted, engine, transaction
from chom_core.plugin_host import gate, lifecycle, registry
from chom_core.plugin_host.models import InstalledPlugin
from chom_core.provisioning import engine as provisioning_engine
from chom_core.provisioning import jobs as provisioning_jobs
from chom_core.provisioning import nodes
from chom_core.values import Money, uuid7
from chom_core.values.billing import PlanShape
from chom_core.work import subscribe
from chom_core.work.events import registered
from tests.conftest import KEY, Database, make_tenant
from tests.provisioning import toy


@pytest.fixture(scope="session")
def shop_template(postgres: object, template: str) -> str:
    """The core's template with the shop set up in it: made once, copied for every test."""
    assert jobs.SCHEDULES
    assert provisioning_jobs
    if "sandbox_gateway" not in registry.loaded:
        registry.add([("sandbox_gateway", "0.1.0", lambda: chom_sandbox_gateway)], "all")
    if "toy" not in registry.loaded:
        registry.add([("toy", "0.1", lambda: toy)], "all")
    made = Database("chom_shop_template", postgres)  # type: ignore[arg-type]
    _copy(made, template)
    encrypted.configure([KEY])
    bound = engine.configure(made.app)
    lifecycle.install(registry.loaded["sandbox_gateway"], made.owner)
    with transaction(PLATFORM_ID) as here:
        answers = sorted(registry.loaded["toy"].hooks)
        here.add(
            InstalledPlugin(
                name="toy", version="0.1", level="platform", hooks=answers, updated_at=clock.now()
            )
        )
    with transaction(PLATFORM_ID):
        catalogue.seed_catalogue(legal_name="Lanternworks Ltd")
        catalogue.save_plan(
            "toy-alone",
            title="Toy alone",
            shape=PlanShape.SERVICE,
            monthly=Money.of("9.00", "USD"),
            service_kind="toy",
        )
        gate.switch(PLATFORM_ID, "sandbox_gateway", on=True, by="staff")
        subscribe(None, registered(None))
    gate._cache.clear()
    with transaction(PLATFORM_ID):
        nodes.add_node(name="toybox", driver="toy", region="Here", capacity=1000)
    bound.dispose()
    return made.name


def _copy(made: Database, template: str) -> None:
    admin = made.server.url().replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(
            f"create database {made.name} template {template} strategy file_copy owner chom_owner"
        )


@contextmanager
def opened(postgres: object, shop_template: str, folder: Path) -> Iterator[Database]:
    """A database in which things are for sale and can be built, with the sandbox switched on."""
    made = Database(f"s{os.getpid()}_{uuid7().hex[-8:]}", postgres)  # type: ignore[arg-type]
    _copy(made, shop_template)
    bound = engine.configure(made.app, pool_size=25)
    gate._cache.clear()
    funding.install()
    for name in ("ports", "machines", "sites"):
        (folder / name).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHOM_TOY_WORLD", str(folder))
        patch.setattr(provisioning_engine, "pause", lambda seconds: None)
        yield made
    bound.dispose()
    gate._cache.clear()
    with psycopg.connect(made.server.url().replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"drop database {made.name} with (force)")


@pytest.fixture
def shop(postgres: object, shop_template: str, tmp_path: Path) -> Iterator[Database]:
    """A shop of the test's own."""
    with opened(postgres, shop_template, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def street(
    postgres: object, shop_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One shop for all tests of a file: each brings its own customer, and plans of names that no other uses."""
    with opened(postgres, shop_template, tmp_path_factory.mktemp("street")) as made:
        yield made


@pytest.fixture
def buyer(shop: Database) -> UUID:
    return make_tenant("Northlight")
