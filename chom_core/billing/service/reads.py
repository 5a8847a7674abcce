"""Reading billing for pages, the API and plugins: frozen values, never rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from chom_core.billing.models import Invoice, Payment, PaymentMethod, Plan, Subscription
from chom_core.billing.service import catalogue, funding, invoices, methods, rating, sellers, subscriptions
from chom_core.database import PLATFORM_ID, current, session, transaction
from chom_core.values.billing import PlanShape
from chom_core.values.errors import NotFound
from chom_core.values.money import Money
from chom_core.values.period import BillingPeriod


@dataclass(frozen=True, slots=True)
class Offer:
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


@dataclass(frozen=True, slots=True)
class LineInfo:
    """One line of an invoice."""

    kind: str
    description: str
    quantity: Decimal
    unit: Money | None
    amount: Money
    period_start: datetime | None
    period_end: datetime | None


@dataclass(frozen=True, slots=True)
class InvoiceInfo:
    """An invoice as its customer sees it. `due` is what is left to pay; `snapshot` is what was frozen."""

    id: UUID
    tenant_id: UUID
    number: str
    status: str
    currency: str
    subtotal: Money
    tax: Money
    total: Money
    due: Money
    tax_title: str
    tax_rate: Decimal
    tax_note: str
    issued_at: datetime | None
    due_at: datetime | None
    paid_at: datetime | None
    lines: tuple[LineInfo, ...]
    snapshot: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PaymentInfo:
    """An attempt to pay."""

    id: UUID
    tenant_id: UUID
    invoice_id: UUID
    status: str
    amount: Money
    card: str
    code: str
    message: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SubscriptionInfo:
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


@dataclass(frozen=True, slots=True)
class Bar:
    """An allowance: used of included; `unit` is the price of one more."""

    metric: str
    used: int
    included: int
    unit: Money


@dataclass(frozen=True, slots=True)
class Overview:
    """The billing overview. `estimate`: what renews next, taken together; `open`: what is owed now."""

    hosting: SubscriptionInfo | None
    services: tuple[SubscriptionInfo, ...]
    bars: tuple[Bar, ...]
    estimate: Money
    next_at: datetime | None
    open: tuple[InvoiceInfo, ...]
    card: str


def offers(period: BillingPeriod, currency: str = "", shape: PlanShape | None = None) -> list[Offer]:
    """What is for sale here; for a visitor without an organisation, what the platform sells."""
    if current().tenant_id is None:
        with transaction(PLATFORM_ID):
            return offers(period, currency, shape)
    money = currency or sellers.seller().currency
    return [offer(plan, period, money) for plan in catalogue.plans(shape, currency=money)]


def offer(plan: Plan, period: BillingPeriod, currency: str) -> Offer:
    monthly = catalogue.price(plan, currency, BillingPeriod.MONTHLY)
    return Offer(
        code=plan.code,
        title=plan.title,
        shape=plan.shape,
        description=plan.description,
        currency=currency,
        period=period,
        price=catalogue.price(plan, currency, period),
        monthly=monthly,
        saving=catalogue.savings(plan, currency, period),
        allowances=dict(plan.allowances),
        overage={name: _unit(plan, currency, name) for name in plan.allowances},
        features=tuple(feature.plugin for feature in plan.features),
        service_kind=plan.service_kind,
    )


def _unit(plan: Plan, currency: str, metric: str) -> Money:
    return rating.overage(0, Decimal(1), catalogue.beyond(plan, currency, metric), currency)


def overview() -> Overview:
    """The current organisation's money on one page."""
    every = [subscription_info(of) for of in subscriptions.live()]
    hosting = next((info for info in every if info.shape == PlanShape.HOSTING.value), None)
    going_on = [info for info in every if info.cancel_at is None]
    estimate = Money.zero(sellers.profile().currency)
    for info in going_on:
        estimate = estimate + info.next_total
    method = methods.default_method()
    return Overview(
        hosting=hosting,
        services=tuple(info for info in every if info is not hosting),
        bars=bars(),
        estimate=estimate,
        next_at=min((info.current_period_end for info in going_on), default=None),
        open=tuple(invoice for invoice in invoice_list() if invoice.status == "open"),
        card=card_words(method) if method else "",
    )


def bars() -> tuple[Bar, ...]:
    """The hosting plan's allowances that are counted by now: sites."""
    of = subscriptions.hosting()
    if of is None:
        return ()
    item = of.items[0]
    plan = session().get_one(Plan, item.plan_id)
    included = int(plan.allowances.get("sites", 0)) * item.quantity
    return (Bar("sites", funding.sites_used(item), included, _unit(plan, of.currency, "sites")),)


def subscription_info(of: Subscription) -> SubscriptionInfo:
    """The subscription; its next total is rated as its next invoice will be."""
    item = of.items[0]
    upcoming = invoices.rate(of.currency, subscriptions.charges(of, subscriptions.period_after(of)), of.id)
    return SubscriptionInfo(
        id=of.id,
        shape=of.shape,
        status=of.status,
        title=item.title,
        plan=item.plan_code,
        price=Money(item.amount, item.currency) * item.quantity,
        period=BillingPeriod(of.billing_period),
        current_period_start=of.current_period_start,
        current_period_end=of.current_period_end,
        cancel_at=of.cancel_at,
        service_id=item.service_id,
        next_total=upcoming.total,
    )


def invoice_list(limit: int = 200, here: Session | None = None) -> list[InvoiceInfo]:
    """Finalised invoices, newest first; with the session of an `everyone` unit those of all organisations."""
    query = select(Invoice).where(Invoice.number.is_not(None)).order_by(Invoice.id.desc()).limit(limit)
    return [invoice_info(row) for row in (here or session()).scalars(query)]


def invoice(invoice_id: UUID) -> InvoiceInfo:
    """One finalised invoice of the organisation; NotFound otherwise."""
    found = session().scalar(select(Invoice).where(Invoice.id == invoice_id, Invoice.number.is_not(None)))
    if found is None:
        raise NotFound("There is no such invoice.")
    return invoice_info(found)


def invoice_info(row: Invoice) -> InvoiceInfo:
    currency = row.currency
    owed = row.total - row.amount_paid if row.status == "open" else 0
    return InvoiceInfo(
        id=row.id,
        tenant_id=row.tenant_id,
        number=row.number or "",
        status=row.status,
        currency=currency,
        subtotal=Money(row.subtotal, currency),
        tax=Money(row.tax, currency),
        total=Money(row.total, currency),
        due=Money(owed, currency),
        tax_title=row.tax_title,
        tax_rate=row.tax_rate,
        tax_note=row.tax_note,
        issued_at=row.finalised_at,
        due_at=row.due_at,
        paid_at=row.paid_at,
        lines=tuple(
            LineInfo(
                line.kind,
                line.description,
                line.quantity,
                Money(line.unit_amount, currency) if line.unit_amount is not None else None,
                Money(line.amount, currency),
                line.period_start,
                line.period_end,
            )
            for line in row.lines
        ),
        snapshot=dict(row.snapshot),
    )


def payment_list(
    invoice_id: UUID | None = None, limit: int = 200, here: Session | None = None
) -> list[PaymentInfo]:
    """Attempts to pay, newest first; with the session of an `everyone` unit those of all organisations."""
    query = select(Payment, PaymentMethod).join(PaymentMethod, PaymentMethod.id == Payment.method_id)
    if invoice_id is not None:
        query = query.where(Payment.invoice_id == invoice_id)
    rows = (here or session()).execute(query.order_by(Payment.id.desc()).limit(limit))
    return [
        PaymentInfo(
            row.id, row.tenant_id, row.invoice_id, row.status, Money(row.amount, row.currency), card_words(method),
            row.code, row.message, row.created_at,
        )
        for row, method in rows
    ]  # fmt: skip


def card_words(method: PaymentMethod) -> str:
    """«Visa ending in 4242»."""
    return f"{method.brand} ending in {method.last4}"
