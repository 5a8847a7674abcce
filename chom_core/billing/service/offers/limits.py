"""Limits of use: where a plan bills what was used before the month is over, once for each limit (Lago's thresholds)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from chom_core.audit.service import Subject, record
from chom_core.billing.models import Plan
from chom_core.billing.rules.thresholds import interim_due
from chom_core.database import session
from chom_core.values.errors import Invalid
from chom_core.values.money import Money

#: Limits of one plan in one currency.
MOST = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Amounts of use in a month, rising; `every`: again after each such amount beyond the highest."""

    amounts: tuple[Money, ...] = ()
    every: Money | None = None

    def reached(self, billed: Money, used: Money) -> bool:
        """Whether use that was billed up to `billed` and is `used` by now has reached a limit since."""
        return bool(self.amounts) and interim_due(billed, used, self.amounts, self.every)


def of_plan(plan: Plan, currency: str) -> Limits:
    """A plan's limits in a currency; none where its use is billed when the month is over."""
    kept = plan.usage_limits.get(currency)
    if not kept:
        return Limits()
    every = Money(kept["every"], currency) if kept.get("every") else None
    return Limits(tuple(Money(amount, currency) for amount in kept["limits"]), every)


def set_limits(plan: Plan, currency: str, amounts: Sequence[Money], every: Money | None = None) -> Limits:
    """Bill use early from now on, for everybody who has the plan; no amounts: not any more. Audited. Raises Invalid."""
    found = sorted(set(amounts), key=lambda money: money.amount)
    wrong: dict[str, list[str]] = {}
    if len(found) > MOST or any(one.amount <= 0 or one.currency != currency for one in found):
        wrong["limits"] = [
            _("At most %(most)s amounts above 0, in %(currency)s.", most=MOST, currency=currency)
        ]
    if every is not None and (every.amount <= 0 or every.currency != currency or not found):
        wrong["every"] = [_("An amount above 0, beside limits that it goes on from.")]
    if wrong:
        raise Invalid(_("These are no limits."), fields=wrong)
    before = plan.usage_limits
    rest = {name: kept for name, kept in before.items() if name != currency}
    mine = {"limits": [one.amount for one in found], "every": every.amount if every else None}
    plan.usage_limits = {**rest, currency: mine} if found else rest
    session().flush()
    record("catalogue.limited", Subject("plan", plan.id, plan.title), before=before, after=plan.usage_limits)
    return of_plan(plan, currency)
