"""Payments as a gateway's reconciliation compares them: frozen facts, of all organisations where the unit sees them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, select

from chom_core.billing.models import LedgerAccount, LedgerEntry, LedgerTransaction, Payment, Refund
from chom_core.billing.service.paying import fees
from chom_core.database import everyone
from chom_core.values.money import Money


class GatewayPayment(Struct, frozen=True):
    """One attempt to pay. `refunded` counts refunds that succeeded; `status` as in models.payments.STATUSES.

    `fee`: what the ledger says the gateway kept of it, zero where nothing was posted (yet).
    """

    id: UUID
    tenant_id: UUID
    key: str
    reference: str
    status: str
    amount: Money
    refunded: Money
    created_at: datetime
    fee: Money


def gateway_payments(gateway: str, since: datetime, until: datetime) -> tuple[GatewayPayment, ...]:
    """Every organisation's attempts at `gateway` that began in [since, until), for its daily reconciliation."""
    returned = (
        select(func.coalesce(func.sum(Refund.amount), 0))
        .where(Refund.payment_id == Payment.id, Refund.status == "succeeded")
        .scalar_subquery()
    )
    mine = Payment.gateway == gateway, Payment.created_at >= since, Payment.created_at < until
    query = select(Payment, returned).where(*mine)
    kept = (
        select(LedgerTransaction.source, func.sum(LedgerEntry.amount))
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(Payment, LedgerTransaction.source == func.concat("payment:", Payment.id))
        .where(*mine, LedgerTransaction.kind == fees.KIND, LedgerAccount.code == "fees")
        .group_by(LedgerTransaction.source)
    )
    with everyone(f"reconcile payments with {gateway}") as here:
        fee_of = dict(here.execute(kept).all())
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
                Money(int(fee_of.get(f"payment:{row.id}", 0)), row.currency),
            )
            for row, refunded in here.execute(query.order_by(Payment.id))
        )
