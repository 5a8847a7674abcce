"""When will the budget be used up? A straight line, and no more: pages call it an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from chom_sdk import Money


@dataclass(frozen=True, slots=True)
class Forecast:
    """`total`: what the month will have cost; `crossing`: the day on which it reaches the budget, None where it does
    not, or has already. `days`: how many days of use the line is drawn from."""

    total: Money
    crossing: date | None
    days: int


def forecast(
    spent: Money,
    cap: Money,
    metered: Money,
    coming: Sequence[tuple[date, Money]],
    start: date,
    today: date,
    end: date,
) -> Forecast:
    """Carry `metered`, the part of `spent` that use has cost since `start`, on at the same rate a day until `end`
    (exclusive), and add what is `coming` on its day. Today counts as a whole day of use.
    """
    days = max((today - start).days + 1, 1)
    rate = Fraction(max(metered.amount, 0), days)
    crossing, total = None, Fraction(spent.amount)
    day = today
    while (day := day + timedelta(days=1)) < end:
        total += rate + sum(money.amount for at, money in coming if at == day)
        if crossing is None and spent < cap and total >= cap.amount:
            crossing = day
    return Forecast(Money(int(total + Fraction(1, 2)), spent.currency), crossing, days)
