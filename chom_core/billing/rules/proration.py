"""Proration: the share of a period, by the second or by the customer's local days; what a change credits and costs.

The divisor is always the full period of the cycle that contains the part, never 30 days. A credit is a share of what
was really charged, not of a list price, so it can't exceed the line. Sources: Stripe (seconds, credits follow the
original debit), Lago and Kill Bill (local days).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from chom_core.billing.rules.cycles import local_date
from chom_core.billing.rules.rounding import scaled
from chom_core.values.money import Money
from chom_core.values.period import Period

#: Periods keep their microseconds: whole seconds would not add up.
_TICK = timedelta(microseconds=1)


class Proration(StrEnum):
    """How the share of a period is counted. A plan's setting; by the second where it says nothing."""

    SECOND = "second"
    DAY = "day"


def days(period: Period, zone: str = "UTC") -> int:
    """Local days of a period: the day it begins in counts, the day it ends in doesn't. Contiguous parts add up."""
    return (local_date(period.end, zone) - local_date(period.start, zone)).days


def share(part: Period, full: Period, by: Proration = Proration.SECOND, zone: str = "UTC") -> Fraction:
    """`part` of `full`, 0 to 1, exact. ValueError where the part isn't inside."""
    if not full.start <= part.start < part.end <= full.end:
        raise ValueError("a part lies within its full period")
    if by is Proration.DAY and days(full, zone):
        return Fraction(days(part, zone), days(full, zone))
    return Fraction((part.end - part.start) // _TICK, (full.end - full.start) // _TICK)


def prorate(
    amount: Money, part: Period, full: Period, by: Proration = Proration.SECOND, zone: str = "UTC"
) -> Money:
    """What `part` costs where `full` costs `amount`; rounded half up. Exactly `amount` for the whole period."""
    return scaled(amount, share(part, full, by, zone))


def unused(
    charged: Money,
    period: Period,
    at: datetime,
    by: Proration = Proration.SECOND,
    zone: str = "UTC",
    *,
    day_used: bool = False,
    free_until: datetime | None = None,
    credited: Money | None = None,
) -> Money:
    """The credit (≥ 0) for the rest of a line that was `charged` (> 0) for `period`, when it ends at `at`.

    `day_used`: by days, the day of `at` counts as used: a cancellation's rule; a change of plan credits it, for the new
    plan pays for it. A day on which the trial still ran (`free_until`) is not used up. `credited` is what the line gave
    back before; the sum never exceeds the line.
    """
    left = _unused_share(period, at, by, zone, day_used, free_until)
    room = charged - credited if credited is not None else charged
    return max(min(scaled(charged, left), room), Money.zero(charged.currency))


def _unused_share(
    period: Period, at: datetime, by: Proration, zone: str, day_used: bool, free_until: datetime | None
) -> Fraction:
    if at >= period.end:
        return Fraction(0)
    if by is Proration.SECOND or not days(period, zone):
        return share(Period(max(at, period.start), period.end), period)
    start, end = local_date(period.start, zone), local_date(period.end, zone)
    from_day = max(local_date(at, zone), start)
    free = free_until is not None and from_day <= local_date(free_until, zone)
    if day_used and at >= period.start and not free:
        from_day += timedelta(days=1)
    return Fraction(max((end - from_day).days, 0), days(period, zone))


def used(
    price: Money,
    start: datetime,
    full: Period,
    at: datetime,
    by: Proration = Proration.SECOND,
    zone: str = "UTC",
    *,
    day_used: bool = False,
) -> Money:
    """What is due in arrears for `start` to `at` of a `full` period that costs `price`: the other side of `unused`.

    By days, `day_used` counts the day of `at` in (a cancellation); without it the next plan pays for that day.
    """
    if not full.start <= start < full.end:
        raise ValueError("a part lies within its full period")
    rest = _unused_share(Period(start, full.end), at, by, zone, day_used, None)
    return scaled(price, share(Period(start, full.end), full, by, zone) * (1 - rest))
