"""Billing cycles: where periods begin and end.

Periods are half-open and counted from the anchor, never from the period before, so a 31st comes back after a short
month. All counting is done on the customer's wall clock, in `zone`; results are UTC.
Sources: Stripe's billing cycle (anchor), Kill Bill's billing day, Lago's calendar and anniversary billing.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from chom_core.values.period import BillingPeriod, Period

_MONDAY = date(1970, 1, 5)


class Interval(StrEnum):
    """The unit of a cycle."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Alignment(StrEnum):
    """Anniversary: periods begin on the anchor's day and time. Calendar: on local midnight of the 1st, or a Monday."""

    ANNIVERSARY = "anniversary"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True)
class Cycle:
    """Every `count` intervals, from `anchor` (aware; when the subscription first began).

    `day`: the billing day where it isn't the anchor's: day of the month 1–31 (the last day where the month is
    shorter), or ISO weekday 1–7 for weeks. The grid of periods has no begin: it reaches back before the anchor too,
    since the full period that contains a first stub is the stub's divisor. ValueError for what makes no cycle.
    """

    interval: Interval
    anchor: datetime
    zone: str = "UTC"
    count: int = 1
    alignment: Alignment = Alignment.ANNIVERSARY
    day: int | None = None

    def __post_init__(self) -> None:
        if self.anchor.tzinfo is None:
            raise ValueError("an anchor is an aware instant")
        object.__setattr__(self, "anchor", self.anchor.astimezone(UTC))
        if not 1 <= self.count <= 120:
            raise ValueError("a cycle is 1 to 120 intervals long")
        last = {Interval.DAY: 0, Interval.WEEK: 7}.get(self.interval, 31)
        if self.day is not None and not 1 <= self.day <= last:
            raise ValueError(f"a {self.interval} has no billing day {self.day}")

    @classmethod
    def of(
        cls,
        every: BillingPeriod,
        anchor: datetime,
        zone: str = "UTC",
        alignment: Alignment = Alignment.ANNIVERSARY,
        day: int | None = None,
    ) -> Cycle:
        """The cycle of a billing period of the catalogue."""
        return cls(Interval.MONTH, anchor, zone, every.months, alignment, day)

    @property
    def months(self) -> int:
        """The cycle's length in months; 0 where it is counted in days."""
        return {Interval.MONTH: 1, Interval.YEAR: 12}.get(self.interval, 0) * self.count

    def nth(self, n: int) -> datetime:
        """Boundary number `n` of the grid; 0 is the first one at or after the anchor (calendar: at or before it)."""
        local = self.anchor.astimezone(ZoneInfo(self.zone))
        first = self._origin(local)
        kept = self.alignment is Alignment.ANNIVERSARY
        if n == 0 and kept and first == local.date():
            return self.anchor  # exactly: of a local time that comes twice it may be the second
        if self.months:
            at = _in_month(first.year * 12 + first.month - 1 + n * self.months, self._nominal(local))
        else:
            at = first + timedelta(days=n * self._days)
        return instant_of(at, self.zone, local.time() if kept else time())

    def containing(self, instant: datetime) -> Period:
        """The full period of the grid that holds `instant`: it starts inclusive and ends exclusive."""
        if instant.tzinfo is None:
            raise ValueError("a period is found by an aware instant")
        instant = instant.astimezone(UTC)
        zone = ZoneInfo(self.zone)
        now, first = instant.astimezone(zone).date(), self._origin(self.anchor.astimezone(zone))
        if self.months:
            n = ((now.year - first.year) * 12 + now.month - first.month) // self.months
        else:
            n = (now - first).days // self._days
        while self.nth(n) > instant:
            n -= 1
        while self.nth(n + 1) <= instant:
            n += 1
        return Period(self.nth(n), self.nth(n + 1))

    def first(self, start: datetime | None = None) -> Period:
        """The period that begins at `start` (the anchor, where not given): cut short unless a boundary falls there."""
        begin = start or self.anchor
        return Period(begin, self.containing(begin).end)

    def after(self, period: Period) -> Period:
        """The full period that follows."""
        return self.containing(period.end)

    @property
    def _days(self) -> int:
        return self.count * (7 if self.interval is Interval.WEEK else 1)

    def _nominal(self, local: datetime) -> int:
        """The day of the month on which boundaries fall where the month has it."""
        return self.day or (1 if self.alignment is Alignment.CALENDAR else local.day)

    def _origin(self, local: datetime) -> date:
        """The local date of boundary 0."""
        today = local.date()
        if self.months:
            index = today.year * 12 + today.month - 1
            if self.alignment is Alignment.CALENDAR:
                return _in_month(index - index % self.months, self._nominal(local))
            at = _in_month(index, self._nominal(local))
            return at if at >= today else _in_month(index + 1, self._nominal(local))
        if self.alignment is Alignment.CALENDAR:
            monday = _MONDAY + timedelta(days=(self.day or 1) - 1)
            return today - timedelta(days=(today - monday).days % self._days)
        return today + timedelta(days=(self.day - today.isoweekday()) % 7 if self.day else 0)


def _in_month(index: int, day: int) -> date:
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day, monthrange(year, month + 1)[1]))


def instant_of(day: date, zone: str, at: time = time()) -> datetime:
    """The instant of a local date and wall-clock time. A skipped hour moves forward; of two, the first is meant.

    A cancellation «on 1 December» means this instant with the anchor's local time, so it never slips by a day.
    """
    local = datetime.combine(day, at.replace(tzinfo=None, fold=0), ZoneInfo(zone))
    return local.astimezone(UTC)


def local_date(instant: datetime, zone: str) -> date:
    """The date on the customer's wall at `instant`."""
    return instant.astimezone(ZoneInfo(zone)).date()
