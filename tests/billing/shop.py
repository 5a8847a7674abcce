"""What the tests of billing buy, with which cards."""

from __future__ import annotations

from uuid import UUID

from chom_core.billing.service import checkout
from chom_core.billing.service.checkout import Click, Outcome
from chom_core.database import transaction
from chom_core.values import BillingPeriod, Money, uuid7
from chom_core.values.billing import Order

GOOD, DECLINED, POOR, BANK = "4242424242424242", "4000000000000002", "4000000000009995", "4000002760003184"
LATER = "4000000000000341"


def order(plan: str = "pro", period: BillingPeriod = BillingPeriod.MONTHLY, name: str = "") -> Order:
    return Order(plan, period, "USD", 1, name)


def click(card: str = GOOD, amount: str = "79.00", *, checkout_id: UUID | None = None, attempt: str = "1") -> Click:
    return Click(
        checkout_id or uuid7(), attempt, Money.of(amount, "USD"), card={"test_card": card}, return_url="/back/PAYMENT"
    )


def buy(tenant: UUID, card: str = GOOD, amount: str = "79.00", plan: str = "pro", name: str = "") -> Outcome:
    with transaction(tenant):
        return checkout.buy(order(plan, name=name), click(card, amount))
