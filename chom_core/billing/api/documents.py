"""Billing over the API: what is for sale, what an order would cost, subscriptions, invoices, payments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chom_core.billing import reads, schemas
from chom_core.billing.api.base import api
from chom_core.billing.service.buying import checkout
from chom_core.billing.service.subscribing import subscriptions
from chom_core.values.billing import Order
from chom_core.values.period import BillingPeriod


@api.get(
    "/plans",
    access="viewer",
    scope="billing:read",
    into=schemas.PeriodQuerySchema,
    out=schemas.PlanSchema,
    many=True,
)
def plans(query: dict[str, Any]) -> Any:
    """What this organisation can buy, at one billing period's prices."""
    return reads.offers(BillingPeriod(query["period"]))


@api.post("/preview", scope="billing:read", into=schemas.OrderSchema, out=schemas.BillSchema, status=200)
def preview(body: dict[str, Any]) -> Any:
    """The invoice that this order would give, to the cent. Nothing is written."""
    order = Order(
        body["plan"],
        BillingPeriod(body["period"]),
        body["currency"],
        body["quantity"],
        body["service_name"],
        body["promotion_code"],
    )
    return checkout.preview(order)


@api.get("/subscriptions", scope="billing:read", out=schemas.SubscriptionSchema, many=True)
def subscription_list() -> Any:
    """What the organisation has bought and pays for."""
    return [reads.subscription_info(of) for of in subscriptions.live()]


@api.get("/invoices", scope="billing:read", out=schemas.InvoiceSchema, many=True)
def invoice_list() -> Any:
    """The newest 200 finalised invoices."""
    return reads.invoice_list()


@api.get("/invoices/<uuid:invoice_id>", scope="billing:read", out=schemas.InvoiceSchema)
def invoice(invoice_id: UUID) -> Any:
    """One finalised invoice."""
    return reads.invoice(invoice_id)


@api.get("/payments", scope="billing:read", out=schemas.PaymentSchema, many=True)
def payment_list() -> Any:
    """The newest 200 attempts to pay."""
    return reads.payment_list()
