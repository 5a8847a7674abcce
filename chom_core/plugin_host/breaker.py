"""The breaker: a plugin that keeps failing for an organisation is taken out of its open hooks, and tried again later.

Failures are counted in the process, the trip is kept in SQL, so that every worker sees it. Minutes later one probe is
let through (half open): a failure trips again and waits twice as long, an hour of peace closes it.
"""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from datetime import timedelta
from time import monotonic
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from chom_core.database import PLATFORM_ID, acting_as, clock, transaction
from chom_core.database.unit import current_or_none
from chom_core.hookspecs import HookSpec
from chom_core.plugin_host.dispatch import Implementation
from chom_core.plugin_host.models import Breaker
from chom_core.plugin_host.registry import registry

log = logging.getLogger(__name__)
LIMIT = 5
WINDOW_S = 300.0
WAIT = timedelta(minutes=5)
LONGEST = timedelta(hours=4)
PEACE = timedelta(hours=1)
_recent: dict[tuple[UUID, str], deque[float]] = defaultdict(lambda: deque(maxlen=LIMIT))


def failed(implementation: Implementation, spec: HookSpec, error: Exception) -> None:
    """An implementation of an open hook failed: record it, and trip its plugin at the fifth time in five minutes."""
    log.warning("hook %s of %s failed: %s", spec.name, implementation.plugin, error, exc_info=error)
    count(implementation.plugin, f"{spec.name}: {type(error).__name__}: {error}")


def count(plugin: str, error: str) -> None:
    """One failure of `plugin` on any open surface (hook, slot, page) for the current organisation."""
    unit = current_or_none()
    tenant_id = unit.tenant_id if unit and unit.tenant_id else PLATFORM_ID
    loaded = registry.loaded.get(plugin)
    if loaded is not None and loaded.plugin.level == "platform":
        tenant_id = PLATFORM_ID
    recent = _recent[tenant_id, plugin]
    recent.append(monotonic())
    often = len(recent) == LIMIT and recent[-1] - recent[0] <= WINDOW_S
    if often or _half_open(tenant_id, plugin):
        recent.clear()
        trip(tenant_id, plugin, error[:500])


def _half_open(tenant_id: UUID, plugin: str) -> bool:
    with acting_as("core"), transaction() as session:
        row = select(Breaker.state).where(Breaker.tenant_id == tenant_id, Breaker.plugin == plugin)
        return session.scalar(row) == "half_open"


def trip(tenant_id: UUID, plugin: str, error: str) -> None:
    """Open the breaker, in a transaction of its own: the caller's may be about to roll back."""
    from chom_core.plugin_host import gate

    with acting_as("core"), transaction() as session:
        trips = session.scalar(
            select(Breaker.trips).where(Breaker.tenant_id == tenant_id, Breaker.plugin == plugin)
        )
        values = {
            "state": "open",
            "trips": (trips or 0) + 1,
            "retry_at": clock.machine() + min(WAIT * 2 ** (trips or 0), LONGEST),
            "error": error,
        }
        row = insert(Breaker).values(tenant_id=tenant_id, plugin=plugin, created_at=clock.machine(), **values)
        session.execute(row.on_conflict_do_update(index_elements=["tenant_id", "plugin"], set_=values))
        gate.refresh(tenant_id)
        if tenant_id == PLATFORM_ID:
            gate.refresh_everyone()
    log.error("plugin %s tripped for %s: %s", plugin, tenant_id, error)


def reset(tenant_id: UUID, plugin: str) -> None:
    """Close it by hand, in the caller's transaction."""
    from chom_core.database import session
    from chom_core.plugin_host import gate

    session().execute(delete(Breaker).where(Breaker.tenant_id == tenant_id, Breaker.plugin == plugin))
    gate.refresh(tenant_id)
    if tenant_id == PLATFORM_ID:
        gate.refresh_everyone()


def sweep() -> None:
    """Once a minute: half-open what has waited long enough, and close what has been at peace for an hour."""
    from chom_core.plugin_host import gate

    now = clock.machine()
    with transaction() as session:
        due = update(Breaker).where(Breaker.state == "open", Breaker.retry_at <= now)
        opened = session.scalars(due.values(state="half_open").returning(Breaker.tenant_id)).all()
        quiet = Breaker.retry_at <= now - PEACE
        session.execute(delete(Breaker).where(Breaker.state == "half_open", quiet))
        for tenant_id in set(opened):
            gate.refresh(tenant_id)
            if tenant_id == PLATFORM_ID:
                gate.refresh_everyone()
