"""Periods are half-open, [start, end), in UTC, and are computed from an anchor, never from the period before.

Adding a month to the last end drifts (31 Jan → 28 Feb → 28 Mar); counting months from the anchor does not.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from chom_core.values.money import Money


class BillingPeriod(StrEnum):
    """How long one charge lasts, and what paying ahead saves (seed B §11)."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    ANNUAL = "annual"
    BIENNIAL = "biennial"

    @property
    def months(self) -> int:
        return {"monthly": 1, "quarterly": 3, "annual": 12, "biennial": 24}[self.value]

    @property
    def discount(self) -> Decimal:
        """The share of the monthly price that is saved, 0 to 1."""
        percent = {"monthly": 0, "quarterly": 5, "annual": 15, "biennial": 20}[self.value]
        return Decimal(percent) / 100

    def price(self, monthly: Money) -> Money:
        """What one period costs where a month costs `monthly`: `monthly × months × (1 − discount)`, half up."""
        return monthly.times(Decimal(self.months) * (1 - self.discount))

    def savings(self, monthly: Money) -> Money:
        """What one period saves against paying by the month."""
        return monthly * self.months - self.price(monthly)


@dataclass(frozen=True, slots=True)
class Period:
    """[start, end) between two instants, kept in UTC: Python subtracts and compares two datetimes of one zone by
    their wall clocks, which is wrong across a change of clocks."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a period is between two aware instants")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))
        if self.end <= self.start:
            raise ValueError("a period ends after it starts")

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    @property
    def seconds(self) -> int:
        """Elapsed seconds, true across a change of clocks: both ends are UTC."""
        return int((self.end - self.start).total_seconds())


def boundary(anchor: datetime, months: int, zone: str = "UTC") -> datetime:
    """The instant `months` calendar months after `anchor`, at the same local time in `zone`.

    Where the month is shorter than the anchor's day, its last day is meant. A local time that the spring change
    skips is moved forward by the change; one that happens twice is the first, except for the anchor itself.
    """
    if anchor.tzinfo is None:
        raise ValueError("an anchor is an aware instant")
    if not months:
        return anchor.astimezone(UTC)
    tz = ZoneInfo(zone)
    local = anchor.astimezone(tz)
    index = local.year * 12 + local.month - 1 + months
    year, month = divmod(index, 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day, fold=0).astimezone(UTC)


def period_at(anchor: datetime, every: BillingPeriod, instant: datetime, zone: str = "UTC") -> Period:
    """The period of the subscription anchored at `anchor` that holds `instant` (≥ anchor)."""
    if anchor.tzinfo is None or instant.tzinfo is None:
        raise ValueError("a period is found by aware instants")
    anchor, instant = anchor.astimezone(UTC), instant.astimezone(UTC)
    if instant < anchor:
        raise ValueError("the instant lies before the anchor")
    tz = ZoneInfo(zone)
    first, now = anchor.astimezone(tz), instant.astimezone(tz)
    count = ((now.year - first.year) * 12 + now.month - first.month) // every.months
    while boundary(anchor, count * every.months, zone) > instant:
        count -= 1
    while boundary(anchor, (count + 1) * every.months, zone) <= instant:
        count += 1
    return Period(
        boundary(anchor, count * every.months, zone), boundary(anchor, (count + 1) * every.months, zone)
    )
