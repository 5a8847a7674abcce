"""What lies behind one of the demo's people: the months since their purchase, lived through on the test clock.

The rest of the company's history comes later, in the background (`history`); who enters as them wants to see theirs
at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from math import sin
from uuid import UUID

from chom_core.billing.service import usage
from chom_core.billing.service.subscribing import subscriptions
from chom_core.billing.service.usage import NewEvent
from chom_core.database import Tenant, clock, transaction
from chom_core.demo.company import Wanted
from chom_core.work import advance, stand

STEP = timedelta(days=10)
MONTH = timedelta(days=30)
#: How long before the end of a month its last use is recorded.
BEFORE = timedelta(minutes=1)


def begin(tenant_id: UUID, wanted: Wanted) -> None:
    """Put the clock where the months begin."""
    stand(tenant_id, _start(wanted))


def live(tenant_id: UUID, wanted: Wanted) -> None:
    """From there, or where it was stopped, to now: use is recorded, what falls due runs. Then the clock is let go."""
    with transaction() as here:
        stood = here.get_one(Tenant, tenant_id).clock_at
    now, at = clock.machine(), stood or _start(wanted)
    while at < now:
        since, at = at, _stop(tenant_id, at, now)
        advance(tenant_id, at, quick=True)
        events = list(_use(wanted, since, at, now))
        if events:
            with transaction(tenant_id):
                usage.record_batch(events)
    stand(tenant_id, None)


def _stop(tenant_id: UUID, at: datetime, now: datetime) -> datetime:
    """Where to stand next: not beyond the end of a month of use, so that none is billed before it is recorded."""
    with transaction(tenant_id):
        hosting = subscriptions.hosting()
        end = hosting.current_period_end - BEFORE if hosting is not None else now
    return min(at + STEP, now, end if end > at else at + STEP)


def _start(wanted: Wanted) -> datetime:
    return clock.machine().replace(minute=0, second=0, microsecond=0) - wanted.months * MONTH


def _use(wanted: Wanted, since: datetime, until: datetime, now: datetime) -> Iterator[NewEvent]:
    """A day's use, at each midnight: half as much in the beginning as now, with the swing of weeks and seasons."""
    midnight = since.replace(hour=0, minute=0)
    while (midnight := midnight + timedelta(days=1)) <= until:
        ago = (now - midnight) / timedelta(days=1)
        swing = (1 - 0.5 * ago / (30 * wanted.months)) * (1 + 0.25 * sin(ago * 0.9) + 0.2 * sin(ago / 19))
        for meter, amount in wanted.use.items():
            value = Decimal(str(round(amount / 30 * swing, 3)))
            yield NewEvent(f"demo-{meter}-{midnight:%Y%m%d}", meter, value, midnight)
