"""Payments as a gateway's reconciliation compares them: frozen facts, of all organisations where the unit sees them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, select

from chom_core.billing.models import Payment, Refund
from chom_core.database import everyone
from chom_core.values.money import Money


class GatewayPayment(Struct, frozen=True):
    """One attempt to pay. `refunded` counts refunds that succeeded; `status` as in models.payments.STATUSES."""

    id: UUID
    tenant_id: UUID
    key: str
    reference: str
    status: str
    amount: Money
    refunded: Money
    created_at: datetime


def gateway_payments(gateway: str, since: datetime, until: datetime) -> tuple[GatewayPayment, ...]:
    """Every organisation's attempts at `gateway` that began in [since, until), for its daily reconciliation."""
    returned = (
        select(func.coalesce(func.sum(Refund.amount), 0))
        .where(Refund.payment_id == Payment.id, Refund.status == "succeeded")
        .scalar_subquery()
    )
    query = select(Payment, returned).where(
        Payment.gateway == gateway, Payment.created_at >= since, Payment.created_at < until
    )
    with everyone(f"reconcile payments with {gateway}") as here:
        return tuple(
            GatewayPayment(
                row.id,
                row.tenant_id,
                row.key,
                row.reference,
                row.status,
                Money(row.amount, row.currency),
                Money(int(refunded), row.currency),
                row.created_at,
            )
            for row, refunded in here.execute(query.order_by(Payment.id))
        )
