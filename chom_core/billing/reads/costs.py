"""Read models of billing: what things cost, for pages and plugins, as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from chom_core.billing.models import SubscriptionItem
from chom_core.billing.service.subscribing import subscriptions
from chom_core.values.billing import PlanShape
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod
from chom_core.values.provisioning import ServiceInfo


class ServiceCost(Struct, frozen=True):
    """What one service costs. `price` is what its own plan charges per `period`; None where a hosting plan pays.

    `monthly` is the price spread over the period's months, half up, for sums and comparisons; a bill never uses it.
    """

    service_id: UUID
    words: str
    included_in: str
    price: Money | None
    period: BillingPeriod | None
    monthly: Money | None


def service_costs(services: Sequence[ServiceInfo]) -> list[ServiceCost]:
    """The cost of each of `services`, in their order. One query, however many there are."""
    from chom_core.billing.service.buying import funding

    items = {subscriptions.source(item): item for of in subscriptions.live() for item in of.items}
    words = funding.prices(services)
    return [_cost(service, items.get(service.paid_by), words.get(service.id, "")) for service in services]


def _cost(service: ServiceInfo, item: SubscriptionItem | None, words: str) -> ServiceCost:
    if item is None:
        return ServiceCost(service.id, words, "", None, None, None)
    if item.shape == PlanShape.HOSTING:
        return ServiceCost(service.id, words, item.title, None, None, None)
    period = BillingPeriod(item.subscription.billing_period)
    price = Money(item.amount, item.currency)
    monthly = price.times(Decimal(1) / period.months)
    return ServiceCost(service.id, words, "", price, period, monthly)
