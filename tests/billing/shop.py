"""What the tests of billing buy, with which cards."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from chom_core.billing import ledger
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.buying.checkout import Outcome
from chom_core.billing.service.buying.purchases import Click
from chom_core.database import everyone, transaction
from chom_core.values import BillingPeriod, Money, uuid7
from chom_core.values.billing import Order
from chom_core.work import Event

GOOD, DECLINED, POOR, BANK = "4242424242424242", "4000000000000002", "4000000000009995", "4000002760003184"
LATER = "4000000000000341"


def order(plan: str = "pro", period: BillingPeriod = BillingPeriod.MONTHLY, name: str = "") -> Order:
    return Order(plan, period, "USD", 1, name)


def click(
    card: str = GOOD, amount: str = "79.00", *, checkout_id: UUID | None = None, attempt: str = "1"
) -> Click:
    return Click(
        checkout_id or uuid7(),
        attempt,
        Money.of(amount, "USD"),
        card={"test_card": card},
        return_url="/back/PAYMENT",
    )


def buy(tenant: UUID, card: str = GOOD, amount: str = "79.00", plan: str = "pro", name: str = "") -> Outcome:
    with transaction(tenant):
        return checkout.buy(order(plan, name=name), click(card, amount))


def books_are_right() -> None:
    """The ledger proves itself, over all organisations."""
    with everyone("test") as here:
        assert ledger.check(here) == []


def events(tenant: UUID) -> list[str]:
    """The types of everything that happened to an organisation, in order."""
    with transaction(tenant) as here:
        return list(
            here.scalars(select(Event.type).where(Event.tenant_id == tenant).order_by(Event.at, Event.id))
        )
