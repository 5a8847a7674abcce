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

from chom_core.billing.rules.cycles import Cycle
from chom_core.billing.service import usage
from chom_core.billing.service.subscribing import subscriptions
from chom_core.billing.service.usage import NewEvent, metering
from chom_core.database import Tenant, clock, transaction
from chom_core.demo.company import Wanted
from chom_core.values.period import BillingPeriod
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
        events = list(_use(wanted, since, at, now, _month(tenant_id, now)))
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


def _month(tenant_id: UUID, now: datetime) -> datetime | None:
    """Where the month begins that is on now; None before the clock stands in it."""
    with transaction(tenant_id):
        hosting = subscriptions.hosting()
        if hosting is None or hosting.current_period_end <= now:
            return None
        return hosting.current_period_start


def _start(wanted: Wanted) -> datetime:
    """So many months ago; where a renewal is to be unpaid since some days, one month before those."""
    hour = clock.machine().replace(minute=0, second=0, microsecond=0)
    if wanted.unpaid:
        return Cycle.of(BillingPeriod.MONTHLY, hour - timedelta(days=wanted.unpaid), wanted.zone).nth(-1)
    return hour - wanted.months * MONTH


def _use(
    wanted: Wanted, since: datetime, until: datetime, now: datetime, month: datetime | None
) -> Iterator[NewEvent]:
    """What is used by each midnight: half as much in the beginning as now, with the swing of weeks and seasons.

    The month that is on comes to exactly what is wanted by now, so that its bill can be told beforehand.
    """
    sums, running = metering.of_kind("sum"), list(_midnights(month, now)) if month is not None else []
    for meter, amount in wanted.use.items():
        if month is not None and meter not in sums:  # a level: a mean counts its first hours, too
            yield NewEvent(f"demo-{meter}-{month:%Y%m%d}-begin", meter, Decimal(str(amount)), month)
    for midnight in _midnights(since, until):
        ago = (now - midnight) / timedelta(days=1)
        grown = 1 - 0.5 * ago / (30 * wanted.months)
        for meter, amount in wanted.use.items():
            if meter not in sums:
                value = amount if midnight in running else amount * grown
            elif midnight in running:
                value = _share(amount, [_swing(now, one) for one in running], running.index(midnight))
            else:
                value = amount / 30 * grown * _swing(now, midnight)
            yield NewEvent(f"demo-{meter}-{midnight:%Y%m%d}", meter, Decimal(str(round(value, 3))), midnight)


def _midnights(since: datetime, until: datetime) -> Iterator[datetime]:
    midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
    while (midnight := midnight + timedelta(days=1)) <= until:
        yield midnight


def _swing(now: datetime, midnight: datetime) -> float:
    ago = (now - midnight) / timedelta(days=1)
    return 1 + 0.25 * sin(ago * 0.9) + 0.2 * sin(ago / 19)


def _share(amount: float, weights: list[float], place: int) -> float:
    """One of the parts of `amount` by these weights; all of them, each to three places, sum up to it."""
    by_then = [round(amount * sum(weights[:count]) / sum(weights), 3) for count in (place, place + 1)]
    return by_then[1] - by_then[0]
