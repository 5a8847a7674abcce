"""Plans for the tests of subscriptions, and people who buy them at an instant of their test clock."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from chom_core.billing.models import CreditNote, Invoice, InvoiceLine, Subscription
from chom_core.billing.service.buying import checkout, purchases
from chom_core.billing.service.buying.checkout import Outcome
from chom_core.billing.service.buying.purchases import Click
from chom_core.billing.service.changes import changing
from chom_core.billing.service.changes.payments import Changed
from chom_core.billing.service.invoicing import tax
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.subscribing import renewal
from chom_core.database import PLATFORM_ID, Tenant, transaction
from chom_core.values import BillingPeriod, Money, uuid7
from chom_core.values.billing import Order, PlanShape, TaxAnswer
from tests.billing.shop import GOOD


def at(text: str) -> datetime:
    return datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00Z")


def plan(code: str, cents: int, *, shape: PlanShape = PlanShape.HOSTING, **more: Any) -> str:
    """A plan of the platform at `cents` a month."""
    with transaction(PLATFORM_ID):
        catalogue.save_plan(code, title=code.title(), shape=shape, monthly=Money(cents, "USD"), **more)
    return code


def stand(tenant: UUID, when: str | datetime, zone: str = "") -> None:
    """Move the organisation's test clock."""
    with transaction() as here:
        row = here.get_one(Tenant, tenant)
        row.clock_at, row.generation = at(when) if isinstance(when, str) else when, row.generation + 1
        row.zone = zone or row.zone


def buy(
    tenant: UUID, code: str, period: BillingPeriod = BillingPeriod.MONTHLY, card: str = GOOD, promo: str = ""
) -> Outcome:
    """Buy it for what the preview says."""
    with transaction(tenant):
        order = Order(code, period, "USD", 1, "", promo)
        bill = checkout.preview(order)
        return checkout.buy(
            order, Click(uuid7(), "1", bill.total, {"test_card": card}, return_url="/back/PAYMENT")
        )


def of(tenant: UUID) -> Subscription:
    """The subscription that is not over."""
    with transaction(tenant) as here:
        return here.scalars(
            select(Subscription).where(Subscription.status != "cancelled").order_by(Subscription.id)
        ).one()


def upgrade(tenant: UUID, code: str, **more: Any) -> Changed:
    with transaction(tenant):
        return changing.change_plan(of(tenant).id, code, **more)


def renew(tenant: UUID, when: str | datetime | None = None) -> int:
    """Run the renewals at an instant; how many invoices they made."""
    if when is not None:
        stand(tenant, when)
    with transaction(tenant):
        made = renewal.renew_due()
        renewal.collect_open()
        purchases.clear_abandoned()
        return made


def bills(tenant: UUID) -> list[Invoice]:
    """The finalised invoices, in order."""
    with transaction(tenant) as here:
        rows = here.scalars(select(Invoice).where(Invoice.number.is_not(None)).order_by(Invoice.id)).all()
        return [row for row in rows if row.lines]


def lines(tenant: UUID, *kinds: str) -> list[InvoiceLine]:
    """The lines of finalised invoices, of some kinds."""
    return [line for row in bills(tenant) for line in row.lines if not kinds or line.kind in kinds]


def notes(tenant: UUID) -> list[CreditNote]:
    with transaction(tenant) as here:
        return list(here.scalars(select(CreditNote).order_by(CreditNote.id)))


def taxed(monkeypatch: pytest.MonkeyPatch, percent: str) -> None:
    """Every bill bears this tax."""
    monkeypatch.setattr(tax, "answer", lambda query: TaxAnswer("VAT", Decimal(percent)))
