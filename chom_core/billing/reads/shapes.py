"""The shapes of billing's read models: frozen values, never rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct

from chom_core.values.billing import RateTax
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod


class Offer(Struct, frozen=True):
    """A plan at one billing period's price. `monthly` is what a month costs when paid by the month."""

    code: str
    title: str
    shape: str
    description: str
    currency: str
    period: BillingPeriod
    price: Money
    monthly: Money
    saving: Money
    allowances: Mapping[str, int]
    overage: Mapping[str, Money]
    features: tuple[str, ...]
    service_kind: str


class LineInfo(Struct, frozen=True):
    """One line of an invoice. `discount` and `tax`: its shares; `source` and `details`: what it is for, what explains
    it (days, tiers, meters)."""

    position: int
    kind: str
    description: str
    quantity: Decimal
    unit: Money | None
    amount: Money
    period_start: datetime | None
    period_end: datetime | None
    discount: Money
    tax: Money
    source: str
    details: Mapping[str, Any]


class InvoiceInfo(Struct, frozen=True):
    """An invoice as its customer sees it. `due` is what is left to pay; `snapshot` is what was frozen.

    `total` = `paid` + `credited` (by credit) + `noted` (credit notes that reduced what was due) + `due`.
    """

    id: UUID
    tenant_id: UUID
    number: str
    status: str
    currency: str
    subtotal: Money
    tax: Money
    total: Money
    due: Money
    paid: Money
    credited: Money
    noted: Money
    refunded: Money
    tax_title: str
    tax_rate: Decimal
    tax_note: str
    issued_at: datetime | None
    due_at: datetime | None
    paid_at: datetime | None
    lines: tuple[LineInfo, ...]
    snapshot: Mapping[str, Any]

    @property
    def tax_rates(self) -> tuple[RateTax, ...]:
        """The tax by rate, where its lines bear several."""
        rows = self.snapshot.get("tax", {}).get("rates", ())
        return tuple(
            RateTax(Decimal(row["rate"]), Money(row["base"], self.currency), Money(row["tax"], self.currency))
            for row in rows
        )


class PaymentInfo(Struct, frozen=True):
    """An attempt to pay; a top-up has no invoice. `refunded`: given back, or on its way."""

    id: UUID
    tenant_id: UUID
    invoice_id: UUID | None
    status: str
    amount: Money
    refunded: Money
    card: str
    code: str
    message: str
    created_at: datetime


class SubscriptionInfo(Struct, frozen=True):
    """A subscription with its one price per period."""

    id: UUID
    shape: str
    status: str
    title: str
    plan: str
    price: Money
    period: BillingPeriod
    current_period_start: datetime
    current_period_end: datetime
    cancel_at: datetime | None
    service_id: UUID | None
    next_total: Money


class Bar(Struct, frozen=True):
    """An allowance: used of included; `unit` is the price of one more."""

    metric: str
    used: int
    included: int
    unit: Money


class Overview(Struct, frozen=True):
    """The billing overview. `estimate`: what renews next, taken together; `open`: what is owed now."""

    hosting: SubscriptionInfo | None
    services: tuple[SubscriptionInfo, ...]
    bars: tuple[Bar, ...]
    estimate: Money
    next_at: datetime | None
    open: tuple[InvoiceInfo, ...]
    card: str
