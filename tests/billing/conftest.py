"""A shop: seller, catalogue, the sandbox gateway, a fake kind of service, and people who buy."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import chom_sandbox_gateway
import pytest

from chom_core.billing import jobs
from chom_core.billing.service import catalogue
from chom_core.database import PLATFORM_ID, transaction
from chom_core.plugin_host import gate, lifecycle, registry
from chom_core.work import subscribe
from chom_core.work.events import registered
from tests.conftest import Database, make_tenant


@pytest.fixture
def shop(database: Database) -> Iterator[Database]:
    """A database in which things are for sale, with the sandbox switched on."""
    registry.add([("sandbox_gateway", "0.1.0", lambda: chom_sandbox_gateway)], "all")
    lifecycle.install(registry.loaded["sandbox_gateway"], database.owner)
    with transaction(PLATFORM_ID):
        catalogue.seed_catalogue(legal_name="Lanternworks Ltd")
        gate.switch(PLATFORM_ID, "sandbox_gateway", on=True, by="staff")
        subscribe(None, registered(None))
    assert jobs.SCHEDULES
    yield database
    gate._cache.clear()


@pytest.fixture
def buyer(shop: Database) -> UUID:
    return make_tenant("Northlight")
