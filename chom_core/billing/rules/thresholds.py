"""Thresholds of spend: a budget's alerts, and the limits at which use is billed early (progressive billing)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from chom_core.billing.rules.rounding import exact
from chom_core.values.money import Money


def alerts(
    spent: Money, cap: Money, percents: Sequence[Decimal | int], fired: Collection[Decimal | int] = ()
) -> tuple[Decimal, ...]:
    """The percents of `cap` (> 0) that `spent` has reached and that haven't `fired` in this period, lowest first.

    One that was skipped over fires, too; each fires once.
    """
    if cap.amount <= 0:
        raise ValueError("a budget is above zero")
    before = {exact(percent) for percent in fired}
    reached = (p for p in sorted(percents) if exact(p) * cap.amount <= spent.amount * 100)
    if spent.currency != cap.currency:
        raise ValueError(f"{spent.currency} and {cap.currency} do not mix")
    return tuple(Decimal(percent) for percent in reached if exact(percent) not in before)


def exhausted(spent: Money, cap: Money) -> bool:
    """Whether the budget is used up: reaching it counts."""
    return spent >= cap


def interim_due(before: Money, now: Money, limits: Sequence[Money], every: Money | None = None) -> bool:
    """Whether spend that grew from `before` (at the last interim invoice; zero at first) to `now` reached a limit.

    `every`: beyond the highest limit, again after each such amount. An interim invoice bills all that is used by then.
    """
    if any(before < limit <= now for limit in limits):
        return True
    top = max(limits, default=Money.zero(now.currency))
    if every is None or every.amount <= 0 or now <= top:
        return False
    return (now - top).amount // every.amount > max((before - top).amount, 0) // every.amount
