"""What the core itself counts: the sites of a hosting plan, and the storage that drivers tell of.

A reading is recorded where it differs from the last one, and once a day: gathering twice adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation

from sqlalchemy import select

from chom_core.billing.models import UsageDay
from chom_core.billing.models.usage import ORGANISATION
from chom_core.billing.service.buying import funding
from chom_core.billing.service.subscribing import subscriptions
from chom_core.billing.service.usage.ingest import MOST, NewEvent, record_batch
from chom_core.database import clock, session
from chom_core.provisioning.models import STORAGE, Service

GB = Decimal(10) ** 9


def gather() -> int:
    """Record what the current organisation has now, where it is not what was recorded last; returns how many events."""
    now = clock.now()
    events = [*_changed(_sites(now)), *_changed(_storage(now))]
    for place in range(0, len(events), MOST):
        record_batch(events[place : place + MOST])
    return len(events)


def _sites(now: datetime) -> Iterator[NewEvent]:
    hosting = subscriptions.hosting()
    if hosting is not None and hosting.items:
        count = funding.sites_used(subscriptions.main_item(hosting))
        yield NewEvent(f"core:sites:{count}:{_instant(now)}", "sites", Decimal(count), now)


def _storage(now: datetime) -> Iterator[NewEvent]:
    """A deleted service holds nothing: said once, since its level would go on for ever."""
    known = {row.subject for row in session().scalars(select(UsageDay).where(UsageDay.meter == "storage_gb"))}
    for service in session().scalars(select(Service).order_by(Service.id)):
        size = _bytes(service)
        if size is None or (service.status == "deleted" and service.id not in known):
            continue
        told = f"core:storage:{service.id}:{size:f}:{_instant(now)}"
        yield NewEvent(told, "storage_gb", size / GB, now, subject=service.id)


def _instant(now: datetime) -> str:
    return f"{now:%Y%m%dT%H%M%S%f}"


def _bytes(service: Service) -> Decimal | None:
    if service.status == "deleted":
        return Decimal(0)
    try:
        size = Decimal(str(service.facts[STORAGE]))
    except (KeyError, InvalidOperation):
        return None
    return size if size.is_finite() and 0 <= size < 10**18 else None


def _changed(events: Iterator[NewEvent]) -> Iterator[NewEvent]:
    """Readings that say something new; the day's first is always told, so that every day has its highest level."""
    for event in events:
        day = event.at.date() if event.at else None
        newest = session().scalar(
            select(UsageDay)
            .where(UsageDay.meter == event.meter, UsageDay.subject == (event.subject or ORGANISATION))
            .order_by(UsageDay.day.desc())
            .limit(1)
        )
        if newest is None or newest.day != day or newest.last_value != event.value:
            yield event
