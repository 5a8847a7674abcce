"""Real servers for the work floor; every test finds empty tables and only its own handlers."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from chom_core.work import checkpoint, handlers, lease, runner, wake
from tests.harness.crash_place import Place, make_tenant, place
from tests.work import helpers
from tests.work.helpers import sql


@pytest.fixture(scope="session")
def servers() -> Iterator[Place]:
    with place() as made:
        yield made


@pytest.fixture(autouse=True)
def clean(servers: Place, superuser: None) -> Iterator[None]:
    """Empty tables; handlers, seams and the lease length as they were. Redis wakes only where a test asks for it."""
    kinds, seams = (
        dict(handlers.KINDS),
        (handlers.gate, handlers.entering, lease.LEASE, lease.BACKOFF, checkpoint.reach),
    )
    sql(
        "truncate core.job, core.event, core.event_subject, core.event_handler, core.schedule, core.plugin_state"
    )
    sql("drop table if exists core.ledger; create table core.ledger (id bigserial, job_id uuid, note text)")
    sql("grant all on core.ledger to chom_app; grant usage on sequence core.ledger_id_seq to chom_app")
    wake.configure(None)
    handlers.KINDS.clear()
    handlers.gate, handlers.entering = handlers._everybody, handlers._as_plugin
    runner.stopping.clear()
    yield
    handlers.KINDS.clear()
    handlers.KINDS.update(kinds)
    handlers.gate, handlers.entering, lease.LEASE, lease.BACKOFF, checkpoint.reach = seams
    wake.configure(None)


@pytest.fixture
def woken(servers: Place) -> Place:
    """With an empty Valkey that wakes."""
    servers.valkey.flush()
    wake.configure(servers.valkey.url)
    return servers


@pytest.fixture
def tenant(servers: Place) -> UUID:
    return make_tenant()


@pytest.fixture(scope="session", autouse=True)
def superuser(servers: Place) -> Iterator[None]:
    """A superuser's connection for looking and for setting up."""
    helpers.root[:] = [helpers.connect(servers)]
    yield
    helpers.root.pop().close()
