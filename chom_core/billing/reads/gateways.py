"""Payments and disputes as a gateway's reconciliation compares them: frozen facts, of all organisations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, select

from chom_core.billing.models import Dispute, LedgerAccount, LedgerEntry, LedgerTransaction, Payment, Refund
from chom_core.billing.service.paying import fees
from chom_core.database import everyone
from chom_core.values.money import Money


class GatewayPayment(Struct, frozen=True):
    """One attempt to pay. `refunded` counts refunds that succeeded; `status` as in models.payments.STATUSES.

    `fees`: what the ledger says the gateway kept of it, by currency; empty where nothing was posted (yet).
    """

    id: UUID
    tenant_id: UUID
    key: str
    reference: str
    status: str
    amount: Money
    refunded: Money
    created_at: datetime
    fees: tuple[Money, ...]


class GatewayDispute(Struct, frozen=True):
    """A dispute: `status` is open, won or lost; `fees` what was posted of it, by the fee's name at the gateway."""

    reference: str
    tenant_id: UUID
    status: str
    amount: Money
    fees: Mapping[str, Money]


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
        select(LedgerTransaction.source, LedgerEntry.currency, func.sum(LedgerEntry.amount))
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .join(Payment, LedgerTransaction.source == func.concat("payment:", Payment.id))
        .where(*mine, LedgerTransaction.kind == fees.KIND, LedgerAccount.code == "fees")
        .group_by(LedgerTransaction.source, LedgerEntry.currency)
        .order_by(LedgerEntry.currency)
    )
    with everyone(f"reconcile payments with {gateway}") as here:
        fees_of: dict[str, list[Money]] = {}
        for source, currency, amount in here.execute(kept):
            fees_of.setdefault(source, []).append(Money(int(amount), currency))
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
                tuple(fees_of.get(f"payment:{row.id}", ())),
            )
            for row, refunded in here.execute(query.order_by(Payment.id))
        )


def gateway_disputes(gateway: str, references: Collection[str]) -> tuple[GatewayDispute, ...]:
    """Those of every organisation's disputes of payments at `gateway` that have one of these names there."""
    mine = Dispute.reference.in_(references), Payment.gateway == gateway
    query = select(Dispute).join(Payment, Payment.id == Dispute.payment_id).where(*mine)
    sources = [f"dispute:{reference}" for reference in references]
    kept = (
        select(LedgerTransaction.tenant_id, LedgerTransaction.source, LedgerTransaction.key, LedgerEntry)
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .join(LedgerAccount, LedgerAccount.id == LedgerEntry.account_id)
        .where(LedgerTransaction.kind == fees.OF_DISPUTE, LedgerTransaction.source.in_(sources))
        .where(LedgerAccount.code == "fees")
    )
    with everyone(f"reconcile disputes with {gateway}") as here:
        posted: dict[tuple[UUID, str], dict[str, Money]] = {}
        for tenant_id, source, key, entry in here.execute(kept):
            of = posted.setdefault((tenant_id, source.removeprefix("dispute:")), {})
            of[key.removeprefix("fee:")] = Money(entry.amount, entry.currency)
        return tuple(
            GatewayDispute(
                row.reference, row.tenant_id, row.status, Money(row.amount, row.currency),
                posted.get((row.tenant_id, row.reference), {}),
            )
            for row in here.scalars(query.order_by(Dispute.id))
        )  # fmt: skip
