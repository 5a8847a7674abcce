"""Trials: counted in local days from the customer's first start, and consumed once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from chom_core.billing.rules.cycles import Cycle, instant_of, local_date
from chom_core.billing.rules.proration import Proration


def trial_end(first_start: datetime, days: int, zone: str = "UTC") -> datetime:
    """When a trial of `days` local days ends: the same local time, so many days later.

    `first_start` is when the customer first began any plan of the kind: after an upgrade the new plan's days count
    from there as well. 0 days end at once. ValueError below 0 days.
    """
    if days < 0:
        raise ValueError("a trial has 0 days or more")
    if not days:
        return first_start.astimezone(UTC)
    local = first_start.astimezone(ZoneInfo(zone))
    return instant_of(local.date() + timedelta(days=days), zone, local.time())


def charged_from(end: datetime, cycle: Cycle, by: Proration = Proration.SECOND) -> datetime:
    """The instant from which the recurring fee is charged after a trial.

    By seconds it is the end itself. By days the whole local day counts: where a period begins on that same day, the
    charge is that whole period, and the boundary's run bills it, so the trial's end bills nothing a second time.
    """
    if by is Proration.SECOND:
        return end
    full = cycle.containing(end)
    for boundary in (full.start, full.end):
        if local_date(boundary, cycle.zone) == local_date(end, cycle.zone):
            return boundary
    return end
