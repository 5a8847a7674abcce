"""What this month's use would come to on each hosting plan: which one is the cheapest for who uses so much."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from chom_core.billing.service import usage
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.subscribing import subscriptions
from chom_core.values.billing import PlanShape
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod


class PlanCost(Struct, frozen=True):
    """A month on a plan with the use so far: its price, what use adds, and the difference to the plan of today.

    `saves` is above zero where the plan is cheaper from the next month on. Before tax, at the prices of today; the
    plan of today at the prices that the customer keeps, its price spread over the months it pays for.
    """

    code: str
    title: str
    price: Money
    use: Money
    saves: Money
    current: bool

    @property
    def total(self) -> Money:
        return self.price + self.use


def plan_costs() -> list[PlanCost]:
    """Every hosting plan for sale with the current one, by what a month on it costs; empty without a hosting plan."""
    of = subscriptions.hosting()
    if of is None:
        return []
    item = subscriptions.main_item(of)
    months = BillingPeriod(of.billing_period).months
    price = (Money(item.amount, item.currency) * item.quantity).times(Decimal(1) / months)
    mine = price + _use(usage.estimate(of), of.currency)
    found = [PlanCost(item.plan_code, item.title, price, mine - price, Money.zero(of.currency), True)]
    for plan in catalogue.plans(PlanShape.HOSTING, currency=of.currency):
        if plan.id != item.plan_id:
            base = catalogue.price(plan, of.currency, BillingPeriod.MONTHLY)
            use = _use(usage.estimate(of, plan), of.currency)
            found.append(PlanCost(plan.code, plan.title, base, use, mine - base - use, False))
    return sorted(found, key=lambda one: one.total.amount)


def _use(lines: Sequence[usage.UsageLine], currency: str) -> Money:
    """What the current month's use costs, whatever of it was billed already."""
    return sum((line.fees for line in lines if line.interim), start=Money.zero(currency))
