"""Periods are half-open, [start, end), in UTC, and are computed from an anchor, never from the period before.

Adding a month to the last end drifts (31 Jan → 28 Feb → 28 Mar); counting months from the anchor does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

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
